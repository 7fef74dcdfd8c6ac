/* SPDX-License-Identifier: Apache-2.0 */
/* catalogs-internal.h - what the files about catalogues share; for the public face only */
#ifndef SOUK_CATALOGS_INTERNAL_H
#define SOUK_CATALOGS_INTERNAL_H

#include "plan.h"

/* What the texts of a row are in. */
struct souk_catalogs_texts {
	char *provider;
	struct souk_catalog_file *file;
	struct souk_error error;
};

struct souk_catalogs {
	struct souk_catalogs_row *rows;
	struct souk_catalogs_texts *texts; /* beside rows */
	size_t n;
};

/* Rows for the n providers named, or for all that may take part, by name: those with a module, and
 * with 'files' 1 those of which there is a file. NOT_FOUND: one that is named is neither. */
int souk_catalogs_new(struct souk *souk, const char *const *names, size_t n, int files,
		      struct souk_catalogs **catalogs_out, struct souk_error *err);

/* Fill in a row from the provider's file. NOT_FOUND: it has none. */
int souk_catalogs_read(struct souk *souk, struct souk_catalogs *catalogs, size_t i, int verify,
		       struct souk_error *err);

/* The one thing that has gone wrong with a row; an error of the row is no error of the call. */
void souk_catalogs_set_problem(struct souk_catalogs *catalogs, size_t i);
/* But these are. */
int souk_catalogs_is_fatal(const struct souk_error *own);

/* How many rows of a file have a price that cannot be right. Reads them all. */
int souk_catalogs_count_marked(struct souk_catalog_file *file, size_t *n_out,
			       struct souk_error *err);

#endif
