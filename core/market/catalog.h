/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog.h - what is on sale: the offers of providers, from files and from modules */
#ifndef SOUK_MARKET_CATALOG_H
#define SOUK_MARKET_CATALOG_H

#include <stddef.h>

#include "base/paths.h"
#include "provider/lists.h"

/* An offer with where it is from. Texts are borrowed from the catalog. */
struct souk_catalog_offer {
	const char *provider;
	struct souk_offer offer;    /* accelerator is canonical */
	const char *source;	    /* "seed", "import" or "live" */
	const char *date;	    /* "2026-07-01"; "" unknown */
};

/* Offers of several providers. Zero-initialise. */
struct souk_catalog {
	struct souk_catalog_offer *items;
	size_t n;
	struct souk_strv texts;	    /* texts of our own */
	char **files;		    /* whole files that texts point into */
	size_t n_files;
};

void souk_catalog_fini(struct souk_catalog *catalog);

/*
 * Add the offers of a provider from its file: $cache/catalog/NAME.csv if there is one (what the
 * cloud said last), else the seed table that came with souk. NOT_FOUND if there is neither.
 * A line that is wrong is INVALID with FILE:LINE.
 */
int souk_catalog_add_file(struct souk_catalog *catalog, const struct souk_paths *paths,
			  const char *provider, struct souk_error *err);

/*
 * Add the offers of a text of 'size' bytes as of a provider's file. 'path' names it in messages;
 * 'source' is static. The text is ended by NUL, is on the heap, and is the catalog's from now on.
 */
int souk_catalog_add_text(struct souk_catalog *catalog, const char *path, const char *provider,
			  const char *source, char *text, size_t size, struct souk_error *err);

/* Is there a file for this provider? */
int souk_catalog_has_file(const struct souk_paths *paths, const char *provider);

/* Which file that is, for the caller to free, and its source. NOT_FOUND if there is none. */
int souk_catalog_find_file(const struct souk_paths *paths, const char *provider, char **path_out,
			   const char **source_out, struct souk_error *err);

/* How many regions a provider's offers are in, and how many kinds of accelerator they have. */
int souk_catalog_count(const struct souk_catalog *catalog, size_t *regions_out,
		       size_t *accelerators_out, struct souk_error *err);

/* Add offers that a module has just listed. */
int souk_catalog_add_live(struct souk_catalog *catalog, const char *provider,
			  const struct souk_offer_list *offers, struct souk_error *err);

/* Write offers to the provider's file in the cache, atomically. INVALID, with the old file as it
 * was, if a name could not be read back. */
int souk_catalog_write(const struct souk_paths *paths, const char *provider,
		       const struct souk_offer_list *offers, struct souk_error *err);

#endif
