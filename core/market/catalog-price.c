/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-price.c - prices that cannot be right, and the lowest and median of the others */
#include <stdlib.h>
#include <string.h>

#include "market/catalog-build.h"

static int by_number(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return a < b ? -1 : a > b;
}

static int64_t price_of(const struct catalog_build_row *row, int spot)
{
	return spot ? row->spot_micros : row->micros;
}

static int has_currency(const struct catalog_build *build, const struct catalog_build_row *row,
			const char currency[4])
{
	return memcmp(catalog_build_place(build, row->place)->currency, currency, 4) == 0;
}

/* The median of the positive prices in one currency; the mean of the two in the middle of an even
 * number; -1 if there is none. */
static int64_t median(const struct catalog_build *build, const struct catalog_build_type *type,
		      int spot, const char currency[4], int64_t *scratch)
{
	uint32_t i, n = 0;

	for (i = 0; i < type->n_rows; i++) {
		const struct catalog_build_row *row = &build->rows[type->first_row + i];

		if (price_of(row, spot) > 0 && has_currency(build, row, currency))
			scratch[n++] = price_of(row, spot);
	}
	if (n == 0)
		return -1;
	qsort(scratch, n, sizeof(*scratch), by_number);
	if (n % 2)
		return scratch[n / 2];
	return scratch[n / 2 - 1] + (scratch[n / 2] - scratch[n / 2 - 1]) / 2;
}

/* price * 10 < median, without overflow */
static int is_far_below(int64_t price, int64_t median_price)
{
	return price > 0 && price < median_price / 10 + (median_price % 10 != 0);
}

static uint32_t marks_of(const struct catalog_build_row *row, int64_t middle, int64_t middle_spot)
{
	uint32_t marks = 0;

	if (row->micros == 0)
		marks |= SOUK_MARK_NOT_POSITIVE;
	if (is_far_below(row->micros, middle))
		marks |= SOUK_MARK_FAR_BELOW;
	if (row->spot_micros == 0)
		marks |= SOUK_MARK_SPOT_NOT_POSITIVE;
	if (is_far_below(row->spot_micros, middle_spot))
		marks |= SOUK_MARK_SPOT_FAR_BELOW;
	if (row->spot_micros > row->micros && row->micros > 0)
		marks |= SOUK_MARK_SPOT_ABOVE;
	return marks;
}

/* Mark the rows of one currency. */
static void mark(const struct catalog_build *build, const struct catalog_build_type *type,
		 const char currency[4], int64_t *scratch)
{
	int64_t middle = median(build, type, 0, currency, scratch);
	int64_t middle_spot = median(build, type, 1, currency, scratch);
	uint32_t i;

	for (i = 0; i < type->n_rows; i++) {
		struct catalog_build_row *row = &build->rows[type->first_row + i];

		if (has_currency(build, row, currency))
			row->marks = marks_of(row, middle, middle_spot);
	}
}

static void lower(int64_t *lowest, int64_t price)
{
	if (price >= 0 && (*lowest < 0 || price < *lowest))
		*lowest = price;
}

/* Each currency of the rows once: they are few, mostly one. */
static void mark_all(const struct catalog_build *build, const struct catalog_build_type *type,
		     int64_t *scratch)
{
	uint32_t i, j;

	for (i = 0; i < type->n_rows; i++) {
		const char *currency = catalog_build_place(build,
							   build->rows[type->first_row + i].place)
					       ->currency;

		for (j = 0; j < i; j++)
			if (has_currency(build, &build->rows[type->first_row + j], currency))
				break;
		if (j == i)
			mark(build, type, currency, scratch);
	}
}

void souk_catalog_price_type(const struct catalog_build *build, struct catalog_build_type *type,
			     int64_t *scratch)
{
	uint32_t i;

	if (!(catalog_build_key(build, type->key)->flags & SOUK_OFFER_FREE))
		mark_all(build, type, scratch);
	type->lowest = -1;
	type->lowest_spot = -1;
	for (i = 0; i < type->n_rows; i++) {
		const struct catalog_build_row *row = &build->rows[type->first_row + i];

		if (!has_currency(build, row, build->currency))
			continue;
		if (!(row->marks & SOUK_MARKS_ON_DEMAND))
			lower(&type->lowest, row->micros);
		if (!(row->marks & SOUK_MARKS_SPOT))
			lower(&type->lowest_spot, row->spot_micros);
	}
	type->median = median(build, type, 0, build->currency, scratch);
	type->median_spot = median(build, type, 1, build->currency, scratch);
}
