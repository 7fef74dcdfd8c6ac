/* SPDX-License-Identifier: Apache-2.0 */
/* catalogs.c - the catalogs of offers, one a provider, and their renewal, for the public face */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "plan.h"

/* What the texts of a row are in. */
struct texts {
	char *path;
	char *date;
	struct souk_error error;
};

struct souk_catalogs {
	struct souk_catalog_row *rows;
	struct texts *texts; /* beside rows */
	size_t n;
};

/* ---- Rows ---- */

static int catalogs_new(const struct souk *souk, struct souk_catalogs **catalogs_out,
			struct souk_error *err)
{
	struct souk_catalogs *catalogs = calloc(1, sizeof(*catalogs));
	size_t room = souk->registry.modules.n + 1;

	if (!catalogs)
		return souk_error_nomem(err);
	catalogs->rows = calloc(room, sizeof(*catalogs->rows));
	catalogs->texts = calloc(room, sizeof(*catalogs->texts));
	if (!catalogs->rows || !catalogs->texts) {
		souk_catalogs_free(catalogs);
		return souk_error_nomem(err);
	}
	*catalogs_out = catalogs;
	return SOUK_OK;
}

static size_t begin_row(struct souk_catalogs *catalogs, const struct souk_module *module)
{
	size_t i = catalogs->n++;

	catalogs->rows[i] = (struct souk_catalog_row){
		.provider = module->name, .source = "", .date = "",
	};
	catalogs->texts[i].error = (struct souk_error)SOUK_ERROR_INIT;
	return i;
}

/* The caller's names, or without any those that the settings allow. */
static int is_meant(const struct souk *souk, const char *const *names, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return 1;
	return n == 0 && souk_registry_allows(&souk->registry, name);
}

static int check_names(const struct souk *souk, const char *const *names, size_t n,
		       struct souk_error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!souk_modules_get(&souk->registry.modules, names[i]))
			return souk_registry_missing(&souk->registry, names[i], err);
	return SOUK_OK;
}

/* The one thing that has gone wrong with a row; an error of the row is no error of the call. */
static void set_problem(struct souk_catalogs *catalogs, size_t i)
{
	struct souk_catalog_row *row = &catalogs->rows[i];

	row->code = catalogs->texts[i].error.code;
	row->problem = souk_error_without(&catalogs->texts[i].error, row->provider);
}

static int is_fatal(const struct souk_error *own)
{
	return own->code == SOUK_E_NOMEM || own->code == SOUK_E_CANCELLED ||
	       strcmp(own->reason, SOUK_REASON_CONFIG) == 0;
}

/* Fill in the figures from a catalog that holds the row's offers alone. */
static int set_counts(struct souk_catalogs *catalogs, size_t i, const struct souk_catalog *catalog,
		      struct souk_error *err)
{
	struct souk_catalog_row *row = &catalogs->rows[i];
	int ret;

	row->offers = catalog->n;
	ret = souk_catalog_count(catalog, &row->regions, &row->accelerators, err);
	if (ret == SOUK_OK && catalog->n > 0) {
		free(catalogs->texts[i].date);
		catalogs->texts[i].date = strdup(catalog->items[0].date);
		if (!catalogs->texts[i].date)
			return souk_error_nomem(err);
		row->date = catalogs->texts[i].date;
	}
	return ret;
}

/* Fill in a row from the provider's file. NOT_FOUND: it has none. */
static int read_row(struct souk *souk, struct souk_catalogs *catalogs, size_t i,
		    struct souk_error *err)
{
	struct souk_catalog_row *row = &catalogs->rows[i];
	struct souk_catalog catalog = { 0 };
	const char *source;
	int ret;

	free(catalogs->texts[i].path);
	catalogs->texts[i].path = NULL;
	row->path = NULL;
	ret = souk_catalog_find_file(&souk->paths, row->provider, &catalogs->texts[i].path, &source,
				     err);
	if (ret < 0)
		return ret;
	row->path = catalogs->texts[i].path;
	ret = souk_catalog_add_file(&catalog, &souk->paths, row->provider, err);
	if (ret == SOUK_OK)
		ret = set_counts(catalogs, i, &catalog, err);
	if (ret == SOUK_OK)
		row->source = source;
	souk_catalog_fini(&catalog);
	return ret;
}

/* ---- Info ---- */

/* Only a provider without a file has to be loaded, to learn whether it ever has one. */
static int show(struct souk *souk, struct souk_catalogs *catalogs, struct souk_module *module,
		struct souk_error *err)
{
	size_t i = begin_row(catalogs, module);
	struct souk_error *own = &catalogs->texts[i].error;
	int ret;

	ret = read_row(souk, catalogs, i, own);
	if (ret == SOUK_E_NOT_FOUND) {
		*own = (struct souk_error)SOUK_ERROR_INIT;
		ret = souk_module_load(module, own);
		if (ret == SOUK_OK)
			catalogs->rows[i].asked_each_time =
				(module->ops.features & SOUK_FEATURE_QUICK_OFFERS) != 0;
	}
	if (ret == SOUK_OK)
		return SOUK_OK;
	if (is_fatal(own)) {
		*err = *own;
		return ret;
	}
	set_problem(catalogs, i);
	souk_log(SOUK_LOG_WARNING, "%s: %s", module->name, catalogs->rows[i].problem);
	return SOUK_OK;
}

int souk_catalogs_info(struct souk *souk, const char *const *names, size_t n,
		       struct souk_catalogs **catalogs_out, struct souk_error *err)
{
	struct souk_catalogs *catalogs;
	size_t i;
	int ret;

	ret = check_names(souk, names, n, err);
	if (ret == SOUK_OK)
		ret = catalogs_new(souk, &catalogs, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < souk->registry.modules.n && ret == SOUK_OK; i++)
		if (is_meant(souk, names, n, souk->registry.modules.items[i]->name))
			ret = show(souk, catalogs, souk->registry.modules.items[i], err);
	if (ret < 0) {
		souk_catalogs_free(catalogs);
		return ret;
	}
	*catalogs_out = catalogs;
	return SOUK_OK;
}

/* ---- Update ---- */

struct update {
	struct souk *souk;
	struct souk_catalogs *catalogs;
	const struct souk_callbacks *callbacks;
	int named;      /* the caller gave names */
	size_t updated;
};

static void tell(const struct update *update, enum souk_event_kind kind, const char *name)
{
	struct souk_event event = { .kind = kind };
	char text[128];

	if (!update->callbacks || !update->callbacks->event)
		return;
	snprintf(text, sizeof(text), "asking %s for its offers", name);
	event.text = text;
	update->callbacks->event(&event, update->callbacks->arg);
}

/* Ask, and let the cache keep the answer. A provider that lists nothing keeps its file. */
static int ask(struct update *update, size_t i, struct souk_provider *provider,
	       struct souk_error *err)
{
	struct souk_catalog catalog = { 0 };
	const char *name = update->catalogs->rows[i].provider;
	int ret;

	tell(update, SOUK_EVENT_PROGRESS, name);
	ret = souk_catalog_ask(update->souk, provider, &catalog, err);
	if (ret == SOUK_OK && catalog.n == 0)
		ret = souk_error_set(err, SOUK_E_CAPACITY, "%s: nothing is on sale", name);
	tell(update, SOUK_EVENT_DONE, name);
	souk_catalog_fini(&catalog);
	return ret;
}

/* Open a provider and ask it. One that the user never spoke of and has no account with is skipped. */
static int try_update(struct update *update, size_t i, struct souk_module *module,
		      struct souk_error *err)
{
	struct souk_provider *provider;
	struct souk_catalog_row *row = &update->catalogs->rows[i];
	int ret;

	ret = souk_module_load(module, err);
	if (ret < 0)
		return ret;
	if (module->ops.features & SOUK_FEATURE_QUICK_OFFERS) {
		row->asked_each_time = 1;
		return SOUK_OK;
	}
	ret = souk_registry_get(&update->souk->registry, module->name, &provider, err);
	if (ret < 0) {
		row->skipped = ret == SOUK_E_AUTH && !update->named &&
			       !souk_participant_is_explicit(update->souk, NULL, module->name);
		return ret;
	}
	ret = ask(update, i, provider, err);
	update->updated += ret == SOUK_OK;
	return ret;
}

static int update_one(struct update *update, struct souk_module *module, struct souk_error *err)
{
	size_t i = begin_row(update->catalogs, module);
	struct souk_error *own = &update->catalogs->texts[i].error;
	struct souk_error reading = SOUK_ERROR_INIT;
	int ret;

	if (try_update(update, i, module, own) < 0) {
		if (is_fatal(own)) {
			*err = *own;
			return own->code;
		}
		set_problem(update->catalogs, i);
	}
	if (update->catalogs->rows[i].asked_each_time)
		return SOUK_OK;
	/* What the file holds now, be it the new one or the old one. */
	ret = read_row(update->souk, update->catalogs, i, &reading);
	if (ret == SOUK_E_NOMEM) {
		*err = reading;
		return ret;
	}
	if (ret < 0 && !own->code) {
		*own = reading;
		set_problem(update->catalogs, i);
	}
	return SOUK_OK;
}

/* The row that speaks for all if no catalog was updated: the last failure, else the last that was
 * skipped; n if nothing went wrong. */
static size_t worst_row(const struct souk_catalogs *catalogs)
{
	size_t i, worst = catalogs->n;

	for (i = 0; i < catalogs->n; i++) {
		const struct souk_catalog_row *row = &catalogs->rows[i];

		if (row->problem &&
		    (worst == catalogs->n || !row->skipped || catalogs->rows[worst].skipped))
			worst = i;
	}
	return worst;
}

/* Warn of each that failed; the one that becomes the call's own error is left to the caller. */
static int conclude(const struct update *update, struct souk_error *err)
{
	const struct souk_catalogs *catalogs = update->catalogs;
	size_t worst = update->updated > 0 ? catalogs->n : worst_row(catalogs);
	size_t i;

	for (i = 0; i < catalogs->n; i++)
		if (catalogs->rows[i].problem && i != worst)
			souk_log(catalogs->rows[i].skipped ? SOUK_LOG_INFO : SOUK_LOG_WARNING,
				 "%s: not updated: %s", catalogs->rows[i].provider,
				 catalogs->rows[i].problem);
	if (worst == catalogs->n)
		return SOUK_OK;
	*err = catalogs->texts[worst].error;
	if (catalogs->rows[worst].problem == catalogs->texts[worst].error.message)
		souk_error_prefix(err, "%s", catalogs->rows[worst].provider);
	return err->code;
}

int souk_catalogs_update(struct souk *souk, const char *const *names, size_t n,
			 const struct souk_callbacks *callbacks,
			 struct souk_catalogs **catalogs_out, struct souk_error *err)
{
	struct update update = { .souk = souk, .callbacks = callbacks, .named = n > 0 };
	size_t i;
	int ret;

	ret = check_names(souk, names, n, err);
	if (ret == SOUK_OK)
		ret = catalogs_new(souk, &update.catalogs, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < souk->registry.modules.n && ret == SOUK_OK; i++)
		if (is_meant(souk, names, n, souk->registry.modules.items[i]->name))
			ret = update_one(&update, souk->registry.modules.items[i], err);
	if (ret == SOUK_OK)
		ret = conclude(&update, err);
	if (ret < 0) {
		souk_catalogs_free(update.catalogs);
		return ret;
	}
	*catalogs_out = update.catalogs;
	return SOUK_OK;
}

void souk_catalogs_free(struct souk_catalogs *catalogs)
{
	size_t i;

	if (!catalogs)
		return;
	for (i = 0; i < catalogs->n; i++) {
		free(catalogs->texts[i].path);
		free(catalogs->texts[i].date);
	}
	free(catalogs->rows);
	free(catalogs->texts);
	free(catalogs);
}

size_t souk_catalogs_count(const struct souk_catalogs *catalogs)
{
	return catalogs->n;
}

const struct souk_catalog_row *souk_catalogs_row(const struct souk_catalogs *catalogs, size_t i)
{
	return i < catalogs->n ? &catalogs->rows[i] : NULL;
}
