/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-import.h - offers from a CSV file, of ours or with SkyPilot's columns */
#ifndef SOUK_MARKET_CATALOG_IMPORT_H
#define SOUK_MARKET_CATALOG_IMPORT_H

#include "market/catalog-file.h"

/* How many problems are kept; the others are counted. */
#define SOUK_CATALOG_PROBLEMS_MAX 100

struct souk_catalog_import_options {
	const char *provider;	/* NULL: what the column of that name says */
	const char *source;	/* "seed", "import" */
	const char *date;	/* NULL: the first one in the file's first comment, or "" */
	const char *note;	/* NULL: what stands behind the colon of that comment, or "" */
	int skip_bad;		/* 1: leave out the rows that are wrong; 0: with any no image */
};

/* What came of it. Zero-initialise; empty with the _fini function. */
struct souk_catalog_import {
	void *image;		/* NULL: nothing can be written */
	size_t size;
	char *provider;
	uint32_t n_rows;	/* that are good */
	uint32_t n_bad;
	struct souk_strv problems; /* "FILE:LINE: what" */
};

/*
 * Read a text of 'size' bytes, which has one more byte than that and is changed; 'path' names it.
 * INVALID if the table as a whole cannot be read (no header, a column is missing); rows with
 * problems are not a failure of the call.
 */
int souk_catalog_import_text(const char *path, char *text, size_t size,
			     const struct souk_catalog_import_options *options,
			     struct souk_catalog_import *import_out, struct souk_error *err);
/* The same of a file; "-" is the standard input. */
int souk_catalog_import_file(const char *path, const struct souk_catalog_import_options *options,
			     struct souk_catalog_import *import_out, struct souk_error *err);
void souk_catalog_import_fini(struct souk_catalog_import *import);

#endif
