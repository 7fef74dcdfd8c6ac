/* SPDX-License-Identifier: Apache-2.0 */
/* souk.c - the context: configuration, providers, store and engine, each when first needed */
#include <souk/souk.h>

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/similar.h"
#include "base/util.h"
#include "context.h"
#include "market/catalog-file.h"

const char *souk_version(void)
{
	return PACKAGE_VERSION;
}

int souk_exit_status(int code)
{
	return souk_code_exit_status(code);
}

const char *souk_nearest_name(const char *name, const char *const *names, size_t n)
{
	return souk_similar_best(name, names, n);
}

/* For tags: letters that every cloud takes. */
static char *make_owner(const struct souk_config *config)
{
	const struct passwd *entry;
	const char *name = config->owner;
	char host[256] = "", *owner = NULL, *at;

	if (!name)
		name = getenv("USER");
	if (!name || !name[0]) {
		entry = getpwuid(getuid());
		name = entry ? entry->pw_name : "user";
	}
	gethostname(host, sizeof(host) - 1);
	host[strcspn(host, ".")] = '\0';
	if (config->owner)
		owner = strdup(name);
	else if (asprintf(&owner, "%s-%s", name, host) < 0)
		return NULL;
	for (at = owner; at && *at; at++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_", *at))
			*at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : '-';
	return owner;
}

static int load_config(struct souk *souk, const struct souk_settings *settings,
		       struct souk_error *err)
{
	struct souk_report report;
	int ret;

	ret = souk_report_init(&report, "config.yaml", err);
	if (ret < 0)
		return ret;
	ret = souk_config_load(souk->paths.config, settings ? settings->set : NULL, &souk->config,
			       &report, err);
	if (ret < 0 && report.n_errors > 0)
		ret = souk_report_error(&report, err);
	if (ret < 0)
		souk_error_reason(err, SOUK_REASON_CONFIG);
	souk_report_fini(&report);
	return ret;
}

/* Those who see only what is on sale may name providers of which there is a catalogue alone. */
static int choose_providers(struct souk *souk, const struct souk_settings *settings,
			    struct souk_error *err)
{
	const char *const *name = settings ? settings->providers : NULL;
	int ret = SOUK_OK;

	for (; name && *name && ret == SOUK_OK; name++) {
		if (!souk_modules_get(&souk->registry.modules, *name) &&
		    !(settings->without_modules && souk_catalog_file_exists(&souk->paths, *name)))
			ret = souk_registry_missing(&souk->registry, *name, err);
		else
			ret = souk_strv_add(&souk->registry.wanted, *name, err);
	}
	return ret;
}

int souk_new(const struct souk_settings *settings, struct souk **souk_out, struct souk_error *err)
{
	struct souk *souk = calloc(1, sizeof(*souk));
	int ret;

	if (!souk)
		return souk_error_nomem(err);
	if (settings)
		souk_log_set_level(settings->log_level);
	ret = souk_cancel_init(&souk->cancel, err);
	if (ret < 0) {
		free(souk);
		return ret;
	}
	ret = souk_paths_init(&souk->paths, err);
	if (ret == SOUK_E_INVALID)
		souk_error_reason(err, SOUK_REASON_CONFIG);
	if (ret == SOUK_OK)
		ret = load_config(souk, settings, err);
	if (ret == SOUK_OK)
		ret = souk_registry_init(&souk->registry, &souk->paths, &souk->config, NULL,
					 settings ? settings->provider_path : NULL, err);
	if (ret == SOUK_OK)
		ret = choose_providers(souk, settings, err);
	if (ret == SOUK_OK && !(souk->owner = make_owner(&souk->config)))
		ret = souk_error_nomem(err);
	if (ret < 0) {
		souk_free(souk);
		return ret;
	}
	*souk_out = souk;
	return SOUK_OK;
}

void souk_free(struct souk *souk)
{
	if (!souk)
		return;
	souk_store_close(souk->store);
	souk_registry_fini(&souk->registry);
	souk_config_fini(&souk->config);
	souk_paths_fini(&souk->paths);
	souk_cancel_fini(&souk->cancel);
	free(souk->owner);
	free(souk->names);
	free(souk);
}

void souk_interrupt(struct souk *souk)
{
	souk_cancel_set(&souk->cancel);
}

int souk_need_store(struct souk *souk, int create, struct souk_error *err)
{
	if (souk->store)
		return SOUK_OK;
	return souk_store_open(souk->paths.state, create, &souk->store, err);
}

int souk_need_fleet(struct souk *souk, const struct souk_fleet_ops **ops_out,
		    struct souk_error *err)
{
	const struct souk_engine *engine;
	int ret;

	ret = souk_need_store(souk, 1, err);
	if (ret == SOUK_OK)
		ret = souk_engine_load(souk->paths.libdir, &engine, err);
	if (ret < 0)
		return ret;
	souk->fleet = (struct souk_fleet){
		.paths = &souk->paths,
		.config = &souk->config,
		.store = souk->store,
		.registry = &souk->registry,
		.cancel = &souk->cancel,
		.owner = souk->owner,
	};
	*ops_out = engine->fleet;
	return SOUK_OK;
}
