/* SPDX-License-Identifier: Apache-2.0 */
/* offers-market.c - the offers that 'souk offers' looks at: every file there is, and who has none */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/pattern.h"
#include "base/util.h"
#include "offers-internal.h"
#include "plan.h"

/* May this provider's offers be shown? */
static int is_meant(const struct souk *souk, const struct offers_filter *filter, const char *name)
{
	return souk_registry_allows(&souk->registry, name) &&
	       (!filter->provider || souk_pattern_matches(filter->provider, name));
}

/* Providers with a file, then those without that are installed, which have to be asked. */
static int find_names(struct souk *souk, const struct offers_filter *filter,
		      struct souk_strv *names_out, struct souk_error *err)
{
	struct souk_strv files = { 0 }, names = { 0 };
	size_t i;
	int ret;

	ret = souk_catalog_file_names(&souk->paths, &files, err);
	for (i = 0; i < files.n && ret == SOUK_OK; i++)
		if (is_meant(souk, filter, files.items[i]))
			ret = souk_strv_add(&names, files.items[i], err);
	for (i = 0; i < souk->registry.modules.n && ret == SOUK_OK; i++) {
		const char *name = souk->registry.modules.items[i]->name;

		if (is_meant(souk, filter, name) && !souk_strv_has(&files, name))
			ret = souk_strv_add(&names, name, err);
	}
	souk_strv_fini(&files);
	if (ret < 0) {
		souk_strv_fini(&names);
		return ret;
	}
	*names_out = names;
	return SOUK_OK;
}

/* A provider with a file needs no module; another is asked itself. */
static int open_one(struct souk *souk, struct souk_market *market, const char *name,
		    struct souk_error *err)
{
	struct souk_provider *provider;
	struct souk_catalog_file *file;
	int ret;

	if (souk_catalog_file_exists(&souk->paths, name)) {
		ret = souk_catalog_file_find(&souk->paths, name, &file, err);
	} else {
		ret = souk_registry_get(&souk->registry, name, &provider, err);
		if (ret == SOUK_OK)
			ret = souk_market_ask(souk, provider, NULL, NULL, &file, err);
	}
	return ret < 0 ? ret : souk_market_add(market, file, err);
}

/* Nobody was let in: a name that is none, or nobody at all. */
static int nobody(struct souk *souk, const struct offers_filter *filter, struct souk_error *err)
{
	const char *only = filter->provider;

	if (only && !strchr(only, '*') && !souk_modules_get(&souk->registry.modules, only))
		return souk_registry_missing(&souk->registry, only, err);
	souk_error_set(err, SOUK_E_CAPACITY, "no provider%s%s%s has offers that are known",
		       only ? " '" : "", only ? only : "", only ? "'" : "");
	return souk_error_hint(err, "'souk provider list' shows those installed, --providers and "
				    "allowed_providers choose among them");
}

static int note_installed(struct souk *souk, struct souk_offers *offers, struct souk_error *err)
{
	size_t i;

	offers->installed = calloc(offers->market.n + 1, sizeof(*offers->installed));
	if (!offers->installed)
		return souk_error_nomem(err);
	for (i = 0; i < offers->market.n; i++) {
		const char *name = souk_catalog_file_head(offers->market.files[i])->provider;

		offers->installed[i] = souk_modules_get(&souk->registry.modules, name) != NULL;
	}
	return SOUK_OK;
}

int offers_open(struct souk *souk, const struct offers_filter *filter, struct souk_offers *offers,
		struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_strv names = { 0 };
	size_t i, failed = 0;
	int ret;

	ret = find_names(souk, filter, &names, err);
	if (ret == SOUK_OK && names.n == 0)
		ret = nobody(souk, filter, err);
	for (i = 0; i < names.n && ret == SOUK_OK; i++) {
		const char *name = names.items[i];

		if (open_one(souk, &offers->market, name, &own) == SOUK_OK)
			continue;
		if (own.code == SOUK_E_NOMEM || own.code == SOUK_E_CANCELLED || ++failed == names.n) {
			*err = own;
			ret = own.code;
			break;
		}
		souk_log(SOUK_LOG_WARNING, "%s: skipped: %s", name, souk_error_without(&own, name));
	}
	souk_strv_fini(&names);
	return ret == SOUK_OK ? note_installed(souk, offers, err) : ret;
}

void offers_say_stale(struct souk *souk, const struct souk_offers *offers)
{
	SOUK_AUTO_FREE struct souk_catalog_file **shown =
		calloc(offers->market.n + 1, sizeof(struct souk_catalog_file *));
	SOUK_AUTO_FREE unsigned char *used = calloc(offers->market.n + 1, 1);
	size_t n = 0, i;

	if (!shown || !used)
		return;
	for (i = 0; i < offers->n; i++)
		used[offers->entries[i].file] = 1;
	/* The accelerators alone are of all files. */
	for (i = 0; i < offers->market.n; i++)
		if (used[i] || offers->n == 0)
			shown[n++] = offers->market.files[i];
	souk_catalogs_say_stale(souk, shown, n);
}

int offers_reopen(struct souk *souk, struct souk_offers *offers, size_t i,
		  const struct souk_error *why)
{
	struct souk_catalog_file *file = offers->market.files[i], *seed;
	struct souk_error own = SOUK_ERROR_INIT;
	int aside = souk_catalog_file_set_aside(&souk->paths, file);

	souk_log(SOUK_LOG_WARNING, "%s%s", why->message, aside ? "; it was set aside" : "");
	if (!aside || souk_catalog_file_find(&souk->paths, souk_catalog_file_head(file)->provider,
					     &seed, &own) < 0)
		return 0;
	souk_catalog_file_close(file);
	offers->market.files[i] = seed;
	return 1;
}
