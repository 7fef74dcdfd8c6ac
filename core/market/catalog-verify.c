/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-verify.c - reading the whole of a catalogue file, to find what is wrong in it */
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "market/catalog-internal.h"

static int wrong(const struct souk_catalog_file *file, struct souk_error *err, const char *what)
{
	return souk_error_set(err, SOUK_E_INVALID, "'%s' is damaged: %s",
			      file->path ? file->path : "a catalogue in memory", what);
}

static int verify_rows(struct souk_catalog_file *file, struct souk_error *err)
{
	struct souk_catalog_row row;
	uint32_t i;
	int ret = SOUK_OK;

	for (i = 0; i < file->head.n_rows && ret == SOUK_OK; i++)
		ret = souk_catalog_row(file, i, &row, err);
	return ret;
}

/* Every row belongs to one type, in the types' order. */
static int verify_types(struct souk_catalog_file *file, struct souk_error *err)
{
	struct souk_catalog_type type;
	uint32_t i, next = 0, of_name;
	int ret;

	for (i = 0; i < file->head.n_types; i++) {
		ret = souk_catalog_type(file, i, &type, err);
		if (ret == SOUK_OK)
			ret = souk_catalog_by_name(file, i, &of_name, err);
		if (ret < 0)
			return ret;
		if (type.first_row != next)
			return wrong(file, err, "its types do not follow each other");
		next += type.n_rows;
	}
	return next == file->head.n_rows ? SOUK_OK
					 : wrong(file, err, "some of its rows have no type");
}

static int verify_accelerators(struct souk_catalog_file *file, struct souk_error *err)
{
	SOUK_AUTO_FREE uint32_t *regions =
		calloc((size_t)file->head.n_regions + 1, sizeof(*regions));
	struct souk_catalog_accelerator accelerator;
	uint32_t i;
	int ret = SOUK_OK;

	if (!regions)
		return souk_error_nomem(err);
	for (i = 0; i < file->head.n_accelerators && ret == SOUK_OK; i++) {
		ret = souk_catalog_accelerator(file, i, &accelerator, err);
		if (ret == SOUK_OK)
			ret = souk_catalog_accelerator_regions(file, i, regions, err);
	}
	return ret;
}

static int verify_regions(struct souk_catalog_file *file, struct souk_error *err)
{
	const char *name, *before = NULL;
	uint32_t i;
	int ret;

	for (i = 0; i < file->head.n_regions; i++) {
		ret = souk_catalog_region(file, i, &name, err);
		if (ret < 0)
			return ret;
		if (before && strcmp(before, name) >= 0)
			return wrong(file, err, "its regions are not in order");
		before = name;
	}
	return SOUK_OK;
}

int souk_catalog_file_verify(struct souk_catalog_file *file, struct souk_error *err)
{
	uint8_t hash[16];
	int ret = souk_catalog_file_check_blocks(file, err);

	if (ret == SOUK_OK)
		ret = souk_catalog_content_hash(file->base, file->size, hash, err);
	if (ret == SOUK_OK && memcmp(hash, file->head.hash, sizeof(hash)) != 0)
		ret = wrong(file, err, "its contents do not match its hash");
	if (ret == SOUK_OK)
		ret = verify_regions(file, err);
	if (ret == SOUK_OK)
		ret = verify_accelerators(file, err);
	if (ret == SOUK_OK)
		ret = verify_types(file, err);
	return ret == SOUK_OK ? verify_rows(file, err) : ret;
}
