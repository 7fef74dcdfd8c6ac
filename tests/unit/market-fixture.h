/* SPDX-License-Identifier: Apache-2.0 */
/* market-fixture.h - markets in memory, made of offers, for the tests of who fits and in which order */
#ifndef MARKET_FIXTURE_H
#define MARKET_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "market/optimizer.h"

#define GIB UINT64_C(1024)
#define ALL_FEATURES UINT64_MAX
#define TEXT(t) ((char *)(t))

/* An offer and whose it is. */
struct fixture_offer {
	const char *provider;
	struct souk_offer offer;
};

/* Add a provider's offers, in the order given, as a file of the market. */
static inline void fixture_add(struct souk_market *market, const char *provider,
			       const struct souk_offer *offers, size_t n)
{
	struct souk_catalog_origin origin = { provider, "live", "2026-07-01", NULL };
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_catalog_file *file;
	void *image;
	size_t size;

	ck_assert_msg(souk_catalog_image(&origin, offers, n, &image, &size, &own) == SOUK_OK, "%s",
		      own.message);
	ck_assert_msg(souk_catalog_file_open_image(image, size, &file, &own) == SOUK_OK, "%s",
		      own.message);
	ck_assert_msg(souk_market_add(market, file, &own) == SOUK_OK, "%s", own.message);
}

/* A market of offers of several providers. */
static inline struct souk_market fixture_market(const struct fixture_offer *offers, size_t n)
{
	struct souk_market market = { 0 };
	struct souk_offer *own = calloc(n + 1, sizeof(*own));
	size_t i, j, count;

	ck_assert_ptr_nonnull(own);
	for (i = 0; i < n; i++) {
		if (souk_market_get(&market, offers[i].provider))
			continue;
		for (j = i, count = 0; j < n; j++)
			if (strcmp(offers[j].provider, offers[i].provider) == 0)
				own[count++] = offers[j].offer;
		fixture_add(&market, offers[i].provider, own, count);
	}
	free(own);
	return market;
}

/* The i-th candidate; it must be there. */
static inline struct souk_candidate fixture_get(struct souk_plan_result *result, size_t i)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_candidate candidate;

	ck_assert_msg(souk_plan_result_get(result, i, &candidate, &own) == SOUK_OK, "%s", own.message);
	return candidate;
}

#endif
