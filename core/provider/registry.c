/* SPDX-License-Identifier: Apache-2.0 */
/* provider/registry.c - the providers of one process */
#include "provider/registry.h"

#include <stdlib.h>
#include <string.h>

#include <souk/souk.h>

#include "base/error.h"
#include "base/similar.h"
#include "base/util.h"

int souk_registry_init(struct souk_registry *registry, const struct souk_paths *paths,
		       const struct souk_config *config, const char *const *wanted,
		       const char *const *further, struct souk_error *err)
{
	size_t i;
	int ret;

	*registry = (struct souk_registry){ .paths = paths, .config = config };
	ret = souk_modules_find(paths, further, &registry->modules, err);
	if (ret < 0)
		return ret;
	registry->opened = calloc(registry->modules.n + 1, sizeof(*registry->opened));
	if (!registry->opened)
		ret = souk_error_nomem(err);
	for (i = 0; wanted && wanted[i] && ret == SOUK_OK; i++) {
		if (!souk_modules_get(&registry->modules, wanted[i]))
			ret = souk_registry_missing(registry, wanted[i], err);
		else
			ret = souk_strv_add(&registry->wanted, wanted[i], err);
	}
	if (ret < 0)
		souk_registry_fini(registry);
	return ret;
}

void souk_registry_fini(struct souk_registry *registry)
{
	size_t i;

	for (i = 0; registry->opened && i < registry->modules.n; i++)
		souk_provider_close(registry->opened[i]);
	free(registry->opened);
	souk_modules_fini(&registry->modules);
	souk_strv_fini(&registry->wanted);
	*registry = (struct souk_registry){ 0 };
}

int souk_registry_missing(const struct souk_registry *registry, const char *name,
			  struct souk_error *err)
{
	SOUK_AUTO_FREE const char **names = calloc(registry->modules.n + 1, sizeof(*names));
	const char *best = NULL;
	size_t i;

	for (i = 0; names && i < registry->modules.n; i++)
		names[i] = registry->modules.items[i]->name;
	if (names)
		best = souk_similar_best(name, names, registry->modules.n);
	souk_error_set(err, SOUK_E_NOT_FOUND, "no module for the provider '%s' is installed", name);
	souk_error_reason(err, SOUK_REASON_CONFIG);
	if (best)
		return souk_error_hint(err, "did you mean '%s'? Otherwise install souk-provider-%s", best,
				       name);
	return souk_error_hint(err, "install souk-provider-%s; 'souk provider list' shows what is there",
			       name);
}

int souk_registry_get(struct souk_registry *registry, const char *name,
		      struct souk_provider **provider_out, struct souk_error *err)
{
	size_t i;
	int ret;

	for (i = 0; i < registry->modules.n; i++)
		if (strcmp(registry->modules.items[i]->name, name) == 0)
			break;
	if (i == registry->modules.n)
		return souk_registry_missing(registry, name, err);
	if (!registry->opened[i]) {
		ret = souk_provider_open(registry->modules.items[i], registry->config, registry->paths,
					 &registry->opened[i], err);
		if (ret < 0)
			return ret;
	}
	*provider_out = registry->opened[i];
	return SOUK_OK;
}

int souk_registry_allows(const struct souk_registry *registry, const char *name)
{
	if (registry->wanted.n > 0)
		return souk_strv_has(&registry->wanted, name);
	return registry->config->allowed.n == 0 || souk_strv_has(&registry->config->allowed, name);
}

char *souk_registry_names(const struct souk_registry *registry)
{
	struct souk_strv names = { 0 };
	char *text = NULL;
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < registry->modules.n && ret == SOUK_OK; i++)
		ret = souk_strv_add(&names, registry->modules.items[i]->name, NULL);
	if (ret == SOUK_OK)
		text = souk_strv_join(&names, ", ");
	souk_strv_fini(&names);
	return text;
}
