/* SPDX-License-Identifier: Apache-2.0 */
/* catalogs-import.c - a table of offers made a catalogue, for the public face */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "catalogs-internal.h"
#include "market/catalog-import.h"

struct souk_import {
	struct souk_catalog_import result;
	struct souk_catalog_file *file;	/* NULL: nothing came of it */
	char *path;			/* that was written */
	struct souk_import_row row;
};

void souk_import_free(struct souk_import *import)
{
	if (!import)
		return;
	souk_catalog_file_close(import->file);
	souk_catalog_import_fini(&import->result);
	free(import->path);
	free(import);
}

/* Write it, unless it is a dry run. */
static int keep(struct souk *souk, struct souk_import *import,
		const struct souk_import_options *options, struct souk_error *err)
{
	const struct souk_catalog_import *result = &import->result;
	int ret;

	if (options->dry_run)
		return SOUK_OK;
	if (options->output) {
		import->path = strdup(options->output);
		ret = souk_catalog_file_write_to(options->output, result->image, result->size, err);
	} else {
		import->path = souk_catalog_file_path(&souk->paths, result->provider);
		ret = souk_catalog_file_write(&souk->paths, result->provider, result->image,
					      result->size, err);
	}
	return import->path ? ret : souk_error_nomem(err);
}

/* The figures of what was made, which belongs to the file from now on. */
static int look(struct souk_import *import, struct souk_error *err)
{
	struct souk_import_row *row = &import->row;
	const struct souk_catalog_head *head;
	void *image = import->result.image;
	int ret;

	import->result.image = NULL;
	ret = souk_catalog_file_open_image(image, import->result.size, &import->file, err);
	if (ret == SOUK_OK)
		ret = souk_catalogs_count_marked(import->file, &row->marked, err);
	if (ret < 0)
		return ret;
	head = souk_catalog_file_head(import->file);
	row->offers = head->n_rows;
	row->types = head->n_types;
	row->regions = head->n_regions;
	row->accelerators = head->n_accelerators;
	row->date = head->date;
	return SOUK_OK;
}

static int import_into(struct souk *souk, const char *file, struct souk_import *import,
		       const struct souk_import_options *options, struct souk_error *err)
{
	const struct souk_catalog_import_options how = {
		.provider = options->provider,
		.source = options->output ? "seed" : "import",
		.date = options->date,
		.note = options->note,
		.skip_bad = options->skip_bad,
	};
	struct souk_import_row *row = &import->row;
	int ret;

	ret = souk_catalog_import_file(file, &how, &import->result, err);
	if (ret < 0)
		return ret;
	row->provider = import->result.provider ? import->result.provider : "";
	row->rows = import->result.n_rows;
	row->bad = import->result.n_bad;
	row->date = "";
	row->installed = souk_modules_get(&souk->registry.modules, row->provider) != NULL;
	if (!import->result.image)
		return SOUK_OK;
	ret = keep(souk, import, options, err);
	if (ret == SOUK_OK)
		ret = look(import, err);
	row->path = import->path;
	return ret;
}

int souk_catalogs_import(struct souk *souk, const char *file,
			 const struct souk_import_options *options, struct souk_import **import_out,
			 struct souk_error *err)
{
	struct souk_import *import = calloc(1, sizeof(*import));
	int ret;

	if (!import)
		return souk_error_nomem(err);
	ret = import_into(souk, file, import, options, err);
	if (ret < 0) {
		souk_import_free(import);
		return ret;
	}
	*import_out = import;
	return SOUK_OK;
}

const struct souk_import_row *souk_import_row(const struct souk_import *import)
{
	return &import->row;
}

size_t souk_import_problems(const struct souk_import *import)
{
	return import->result.problems.n;
}

const char *souk_import_problem(const struct souk_import *import, size_t i)
{
	return i < import->result.problems.n ? import->result.problems.items[i] : NULL;
}
