/* SPDX-License-Identifier: Apache-2.0 */
/* offers-accelerators.c - one line for each accelerator, over all providers */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/util.h"
#include "offers-internal.h"

int offers_add_accelerator(struct souk_offers *offers, const struct souk_accelerator_row *row,
			   struct souk_error *err)
{
	void *items = souk_array_grow(offers->accelerators, offers->n_accelerators,
				      sizeof(*offers->accelerators));

	if (!items)
		return souk_error_nomem(err);
	offers->accelerators = items;
	offers->accelerators[offers->n_accelerators++] = *row;
	return SOUK_OK;
}

int offers_sum(struct souk_offers *offers, size_t i, const struct offers_filter *filter,
	       struct souk_error *err)
{
	struct souk_catalog_file *file = offers->market.files[i];
	const struct souk_catalog_head *head = souk_catalog_file_head(file);
	struct souk_catalog_accelerator a;
	uint32_t j;
	int ret;

	for (j = 0; j < head->n_accelerators; j++) {
		ret = souk_catalog_accelerator(file, j, &a, err);
		if (ret < 0)
			return ret;
		if (filter->given->spot && a.spot_micros_each < 0)
			continue;
		ret = offers_add_accelerator(offers, &(struct souk_accelerator_row){
			.accelerator = a.name,
			.memory_mib = a.memory_mib,
			.providers = 1,
			.regions = a.n_regions,
			.micros_per_hour = a.micros_each,
			.spot_micros_per_hour = a.spot_micros_each,
			.currency = head->currency,
		}, err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int by_name(const void *x, const void *y)
{
	const struct souk_accelerator_row *a = x, *b = y;
	int order = strcasecmp(a->accelerator, b->accelerator);

	return order ? order : strcmp(a->currency, b->currency);
}

/* Prices that are not known come last. */
static int by_number(int64_t a, int64_t b)
{
	if ((a < 0) != (b < 0))
		return a < 0 ? 1 : -1;
	return a < b ? -1 : a > b;
}

static int by_wish(const void *x, const void *y, void *arg)
{
	const struct souk_accelerator_row *a = x, *b = y;
	const struct offers_filter *filter = arg;
	int order = 0;

	switch (filter->given->sort) {
	case SOUK_SORT_SPOT:
		order = by_number(a->spot_micros_per_hour, b->spot_micros_per_hour);
		break;
	case SOUK_SORT_GPU_PRICE:
		order = filter->by_spot ? by_number(a->spot_micros_per_hour, b->spot_micros_per_hour) :
					  by_number(a->micros_per_hour, b->micros_per_hour);
		break;
	case SOUK_SORT_MEMORY:
		order = by_number(a->memory_mib, b->memory_mib);
		break;
	default:
		break;
	}
	return order ? order : by_name(x, y);
}

static void lower(int64_t *lowest, int64_t micros)
{
	if (micros >= 0 && (*lowest < 0 || micros < *lowest))
		*lowest = micros;
}

/* Prices of one currency are compared; dollars stand for an accelerator where there are any. */
static void merge(struct souk_accelerator_row *into, const struct souk_accelerator_row *row)
{
	into->providers += row->providers;
	into->regions += row->regions;
	if (row->memory_mib > into->memory_mib)
		into->memory_mib = row->memory_mib;
	if (strcmp(into->currency, row->currency) == 0) {
		lower(&into->micros_per_hour, row->micros_per_hour);
		lower(&into->spot_micros_per_hour, row->spot_micros_per_hour);
	} else if (strcmp(row->currency, "USD") == 0) {
		into->currency = row->currency;
		into->micros_per_hour = row->micros_per_hour;
		into->spot_micros_per_hour = row->spot_micros_per_hour;
	}
}

void offers_merge_accelerators(struct souk_offers *offers, const struct offers_filter *filter)
{
	struct souk_accelerator_row *rows = offers->accelerators;
	size_t kept = 0, i;

	if (offers->n_accelerators == 0)
		return;
	qsort(rows, offers->n_accelerators, sizeof(*rows), by_name);
	for (i = 0; i < offers->n_accelerators; i++) {
		if (kept > 0 && strcasecmp(rows[kept - 1].accelerator, rows[i].accelerator) == 0)
			merge(&rows[kept - 1], &rows[i]);
		else
			rows[kept++] = rows[i];
	}
	offers->n_accelerators = kept;
	if (filter->given->sort != SOUK_SORT_PRICE)
		qsort_r(rows, kept, sizeof(*rows), by_wish, (void *)(uintptr_t)filter);
}
