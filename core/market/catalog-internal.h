/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-internal.h - what the files of the catalogue share */
#ifndef SOUK_MARKET_CATALOG_INTERNAL_H
#define SOUK_MARKET_CATALOG_INTERNAL_H

#include <sys/types.h>

#include "market/catalog-file.h"
#include "market/catalog-format.h"

struct souk_catalog_file {
	const uint8_t *base;
	size_t size;
	size_t data;		/* where the blocks begin */
	size_t strings;		/* bytes of the section of strings */
	const uint8_t *sections[CATALOG_N_SECTIONS];
	uint32_t n_blocks;
	uint32_t n_places;
	uint32_t n_accelerator_regions;
	uint64_t *checked;	/* a bit for each block */
	struct souk_catalog_work work;
	struct souk_catalog_head head;
	char *path;		/* NULL: in memory */
	void *image;		/* the memory, if it is ours */
	dev_t device;		/* which file it is, whatever has the path now */
	ino_t inode;
};

/* Map a file; what is in it was not looked at. */
int souk_catalog_file_begin(const char *path, struct souk_catalog_file **file_out,
			    struct souk_error *err);
/* Check the head of a file that was begun. */
int souk_catalog_file_check(struct souk_catalog_file *file, struct souk_error *err);
/* Check every block. */
int souk_catalog_file_check_blocks(struct souk_catalog_file *file, struct souk_error *err);

#endif
