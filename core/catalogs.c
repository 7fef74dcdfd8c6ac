/* SPDX-License-Identifier: Apache-2.0 */
/* catalogs.c - what is known of providers' offers, for the public face */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "base/util.h"
#include "catalogs-internal.h"

/* ---- Rows ---- */

void souk_catalogs_set_problem(struct souk_catalogs *catalogs, size_t i)
{
	struct souk_catalogs_row *row = &catalogs->rows[i];

	row->code = catalogs->texts[i].error.code;
	row->problem = souk_error_without(&catalogs->texts[i].error, row->provider);
}

int souk_catalogs_is_fatal(const struct souk_error *own)
{
	return own->code == SOUK_E_NOMEM || own->code == SOUK_E_CANCELLED ||
	       strcmp(own->reason, SOUK_REASON_CONFIG) == 0;
}

static int add_name(const struct souk *souk, struct souk_strv *all, const char *name,
		    struct souk_error *err)
{
	if (!souk_registry_allows(&souk->registry, name) || souk_strv_has(all, name))
		return SOUK_OK;
	return souk_strv_add(all, name, err);
}

/* Everybody that the settings allow. */
static int all_names(struct souk *souk, int files, struct souk_strv *all, struct souk_error *err)
{
	struct souk_strv with_file = { 0 };
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < souk->registry.modules.n && ret == SOUK_OK; i++)
		ret = add_name(souk, all, souk->registry.modules.items[i]->name, err);
	if (ret == SOUK_OK && files)
		ret = souk_catalog_file_names(&souk->paths, &with_file, err);
	for (i = 0; i < with_file.n && ret == SOUK_OK; i++)
		ret = add_name(souk, all, with_file.items[i], err);
	souk_strv_fini(&with_file);
	souk_strv_sort(all);
	return ret;
}

static int check_names(const struct souk *souk, const char *const *names, size_t n, int files,
		       struct souk_strv *all, struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		if (!souk_modules_get(&souk->registry.modules, names[i]) &&
		    (!files || !souk_catalog_file_exists(&souk->paths, names[i])))
			return souk_registry_missing(&souk->registry, names[i], err);
		if (!souk_strv_has(all, names[i]))
			ret = souk_strv_add(all, names[i], err);
	}
	return ret;
}

static int make_rows(const struct souk *souk, const struct souk_strv *names,
		     struct souk_catalogs **catalogs_out, struct souk_error *err)
{
	struct souk_catalogs *catalogs = calloc(1, sizeof(*catalogs));
	size_t i;

	if (!catalogs)
		return souk_error_nomem(err);
	catalogs->rows = calloc(names->n + 1, sizeof(*catalogs->rows));
	catalogs->texts = calloc(names->n + 1, sizeof(*catalogs->texts));
	for (i = 0; catalogs->rows && catalogs->texts && i < names->n; i++) {
		catalogs->texts[i].provider = strdup(names->items[i]);
		if (!catalogs->texts[i].provider)
			break;
		catalogs->texts[i].error = (struct souk_error)SOUK_ERROR_INIT;
		catalogs->rows[i] = (struct souk_catalogs_row){
			.provider = catalogs->texts[i].provider,
			.source = "",
			.date = "",
			.note = "",
			.age_days = -1,
			.installed = souk_modules_get(&souk->registry.modules, names->items[i]) !=
				     NULL,
		};
		catalogs->n++;
	}
	if (!catalogs->rows || !catalogs->texts || catalogs->n < names->n) {
		souk_catalogs_free(catalogs);
		return souk_error_nomem(err);
	}
	*catalogs_out = catalogs;
	return SOUK_OK;
}

int souk_catalogs_new(struct souk *souk, const char *const *names, size_t n, int files,
		      struct souk_catalogs **catalogs_out, struct souk_error *err)
{
	struct souk_strv all = { 0 };
	int ret;

	if (n > 0)
		ret = check_names(souk, names, n, files, &all, err);
	else
		ret = all_names(souk, files, &all, err);
	if (ret == SOUK_OK)
		ret = make_rows(souk, &all, catalogs_out, err);
	souk_strv_fini(&all);
	return ret;
}

/* ---- What a file says ---- */

int souk_catalogs_count_marked(struct souk_catalog_file *file, size_t *n_out,
			       struct souk_error *err)
{
	uint32_t i, n_rows = souk_catalog_file_head(file)->n_rows;
	struct souk_catalog_row row;
	size_t n = 0;
	int ret;

	for (i = 0; i < n_rows; i++) {
		ret = souk_catalog_row(file, i, &row, err);
		if (ret < 0)
			return ret;
		n += row.marks != 0;
	}
	*n_out = n;
	return SOUK_OK;
}

static void fill_row(const struct souk *souk, struct souk_catalogs_row *row,
		     const struct souk_catalog_head *head)
{
	int64_t age = souk_catalog_age_s(head);

	row->offers = head->n_rows;
	row->types = head->n_types;
	row->regions = head->n_regions;
	row->accelerators = head->n_accelerators;
	row->source = head->source;
	row->date = head->date;
	row->note = head->note;
	row->path = head->path;
	row->bytes = head->bytes;
	row->made_at = head->made_at;
	row->age_days = age < 0 ? -1 : age / 86400;
	row->stale = souk_catalog_is_stale(souk, head);
	souk_hex(head->hash, sizeof(head->hash), row->hash);
}

static int read_once(struct souk *souk, struct souk_catalogs *catalogs, size_t i, int verify,
		     struct souk_error *err)
{
	struct souk_catalogs_texts *texts = &catalogs->texts[i];
	int ret;

	souk_catalog_file_close(texts->file);
	texts->file = NULL;
	ret = souk_catalog_file_find(&souk->paths, texts->provider, &texts->file, err);
	if (ret == SOUK_OK && verify)
		ret = souk_catalog_file_verify(texts->file, err);
	if (ret == SOUK_OK)
		ret = souk_catalogs_count_marked(texts->file, &catalogs->rows[i].marked, err);
	if (ret == SOUK_OK)
		fill_row(souk, &catalogs->rows[i], souk_catalog_file_head(texts->file));
	return ret;
}

/* A file of the cache that turns out to be damaged is set aside, and is the row's problem; what
 * counts then is read. */
int souk_catalogs_read(struct souk *souk, struct souk_catalogs *catalogs, size_t i, int verify,
		       struct souk_error *err)
{
	struct souk_catalogs_texts *texts = &catalogs->texts[i];
	struct souk_error again = SOUK_ERROR_INIT;
	int ret = read_once(souk, catalogs, i, verify, err);

	if (ret != SOUK_E_INVALID || !texts->file ||
	    !souk_catalog_file_set_aside(&souk->paths, texts->file))
		return ret;
	if (read_once(souk, catalogs, i, verify, &again) == SOUK_E_NOMEM)
		return souk_error_nomem(err);
	return ret;
}

/* ---- Info ---- */

/* Only a provider without a file has to be loaded, to learn whether it ever has one. */
static int show(struct souk *souk, struct souk_catalogs *catalogs, size_t i, int verify,
		struct souk_error *err)
{
	struct souk_error *own = &catalogs->texts[i].error;
	struct souk_catalogs_row *row = &catalogs->rows[i];
	const struct souk_module_facts *facts;
	struct souk_module *module = souk_modules_get(&souk->registry.modules, row->provider);
	int ret;

	ret = souk_catalogs_read(souk, catalogs, i, verify, own);
	if (ret == SOUK_E_NOT_FOUND) {
		*own = (struct souk_error)SOUK_ERROR_INIT;
		ret = module ? souk_module_facts(module, &facts, own) : SOUK_OK;
		if (ret == SOUK_OK && module)
			row->asked_each_time = (facts->features & SOUK_FEATURE_QUICK_OFFERS) != 0;
	}
	if (ret == SOUK_OK)
		return SOUK_OK;
	if (souk_catalogs_is_fatal(own)) {
		*err = *own;
		return ret;
	}
	souk_catalogs_set_problem(catalogs, i);
	souk_log(SOUK_LOG_WARNING, "%s: %s", row->provider, row->problem);
	return SOUK_OK;
}

int souk_catalogs_info(struct souk *souk, const char *const *names, size_t n, int verify,
		       struct souk_catalogs **catalogs_out, struct souk_error *err)
{
	struct souk_catalogs *catalogs;
	size_t i;
	int ret;

	ret = souk_catalogs_new(souk, names, n, 1, &catalogs, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < catalogs->n && ret == SOUK_OK; i++)
		ret = show(souk, catalogs, i, verify, err);
	if (ret < 0) {
		souk_catalogs_free(catalogs);
		return ret;
	}
	*catalogs_out = catalogs;
	return SOUK_OK;
}

/* ---- Remove ---- */

static int forget(struct souk *souk, struct souk_catalogs *catalogs, size_t i,
		  struct souk_error *err)
{
	struct souk_error reading = SOUK_ERROR_INIT;
	int ret = souk_catalog_file_remove(&souk->paths, catalogs->rows[i].provider,
					   &catalogs->rows[i].removed, err);

	if (ret < 0)
		return ret;
	/* What counts from now on; that there is none is what was asked for. */
	ret = souk_catalogs_read(souk, catalogs, i, 0, &reading);
	if (ret == SOUK_OK || ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	*err = reading;
	return ret;
}

int souk_catalogs_remove(struct souk *souk, const char *const *names, size_t n,
			 struct souk_catalogs **catalogs_out, struct souk_error *err)
{
	struct souk_catalogs *catalogs;
	size_t i;
	int ret;

	if (n == 0)
		return souk_error_set(err, SOUK_E_INVALID, "no provider is named");
	ret = souk_catalogs_new(souk, names, n, 1, &catalogs, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < catalogs->n && ret == SOUK_OK; i++)
		ret = forget(souk, catalogs, i, err);
	if (ret < 0) {
		souk_catalogs_free(catalogs);
		return ret;
	}
	*catalogs_out = catalogs;
	return SOUK_OK;
}

/* ---- Access ---- */

void souk_catalogs_free(struct souk_catalogs *catalogs)
{
	size_t i;

	if (!catalogs)
		return;
	for (i = 0; i < catalogs->n; i++) {
		souk_catalog_file_close(catalogs->texts[i].file);
		free(catalogs->texts[i].provider);
	}
	free(catalogs->rows);
	free(catalogs->texts);
	free(catalogs);
}

size_t souk_catalogs_count(const struct souk_catalogs *catalogs)
{
	return catalogs->n;
}

const struct souk_catalogs_row *souk_catalogs_row(const struct souk_catalogs *catalogs, size_t i)
{
	return i < catalogs->n ? &catalogs->rows[i] : NULL;
}
