/* SPDX-License-Identifier: Apache-2.0 */
/* catalog-reader.h - reading all that is in a catalogue file, for the fuzz targets */
#ifndef SOUK_TESTS_FUZZ_CATALOG_READER_H
#define SOUK_TESTS_FUZZ_CATALOG_READER_H

#include <stdlib.h>
#include <string.h>

#include "market/catalog-file.h"

/* Every text that a reader gives is looked at to its end. */
static inline size_t reader_touch(const char *text)
{
	return text ? strlen(text) : 0;
}

static inline int reader_accelerators(struct souk_catalog_file *file)
{
	const struct souk_catalog_head *head = souk_catalog_file_head(file);
	uint32_t *regions = calloc((size_t)head->n_regions + 1, sizeof(*regions));
	struct souk_catalog_accelerator a;
	uint32_t i, at;
	int ret = SOUK_OK;

	if (!regions)
		abort();
	for (i = 0; i < head->n_accelerators && ret == SOUK_OK; i++) {
		ret = souk_catalog_accelerator(file, i, &a, NULL);
		if (ret < 0)
			break;
		reader_touch(a.name);
		ret = souk_catalog_accelerator_regions(file, i, regions, NULL);
		if (ret == SOUK_OK)
			ret = souk_catalog_find_accelerator(file, a.name, &at, NULL);
	}
	free(regions);
	return ret;
}

static inline int reader_types(struct souk_catalog_file *file)
{
	uint32_t i, first, n, at;
	struct souk_catalog_type type;
	int ret = SOUK_OK;

	for (i = 0; i < souk_catalog_file_head(file)->n_types && ret == SOUK_OK; i++) {
		ret = souk_catalog_type(file, i, &type, NULL);
		if (ret < 0)
			break;
		reader_touch(type.name);
		reader_touch(type.arch);
		reader_touch(type.accelerator);
		ret = souk_catalog_find_name(file, type.name, &first, &n, NULL);
		if (ret == SOUK_OK && n > 0)
			ret = souk_catalog_by_name(file, first + n - 1, &at, NULL);
		if (ret == SOUK_OK)
			ret = souk_catalog_first_by_cpus(file, type.vcpus_milli, &at, NULL);
	}
	return ret;
}

static inline int reader_rows(struct souk_catalog_file *file)
{
	uint32_t i, type;
	struct souk_catalog_row row;
	int ret = SOUK_OK;

	for (i = 0; i < souk_catalog_file_head(file)->n_rows && ret == SOUK_OK; i++) {
		ret = souk_catalog_row(file, i, &row, NULL);
		if (ret < 0)
			break;
		reader_touch(row.region);
		reader_touch(row.zone);
		if (strlen(row.currency) != 3)
			abort();
		ret = souk_catalog_type_of_row(file, i, &type, NULL);
	}
	return ret;
}

/* Read everything, whatever fails. 0 if nothing did. */
static inline int reader_all(struct souk_catalog_file *file)
{
	int a = reader_accelerators(file), b = reader_types(file), c = reader_rows(file);

	return a < 0 ? a : b < 0 ? b : c;
}

#endif
