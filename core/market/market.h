/* SPDX-License-Identifier: Apache-2.0 */
/* market/market.h - the catalogs of several providers, open at once */
#ifndef SOUK_MARKET_MARKET_H
#define SOUK_MARKET_MARKET_H

#include "market/catalog-file.h"

/* Zero-initialise. The files belong to it. */
struct souk_market {
	struct souk_catalog_file **files; /* sorted by provider once all are added */
	size_t n;
};

/* Take a file over; it is closed if that fails. */
int souk_market_add(struct souk_market *market, struct souk_catalog_file *file,
		    struct souk_error *err);
void souk_market_fini(struct souk_market *market);

/* The file of a provider; NULL: none. */
struct souk_catalog_file *souk_market_get(const struct souk_market *market, const char *provider);

/* What reading has cost, all files together. */
struct souk_catalog_work souk_market_work(const struct souk_market *market);

/*
 * The accelerator names on sale that come nearest to one that is not, best first; borrowed from
 * the files. Returns how many, at most n.
 */
size_t souk_market_nearest_accelerators(const struct souk_market *market, const char *name,
					const char **out, size_t n);

#endif
