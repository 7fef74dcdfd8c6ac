/* SPDX-License-Identifier: Apache-2.0 */
/* offers.c - what is on sale, for the public face */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "market/accelerator.h"
#include "offers-internal.h"

#define NEAREST 3

#define SAME_MARK(name) ((int)SOUK_PRICE_##name == (int)SOUK_MARK_##name)
_Static_assert(SAME_MARK(NOT_POSITIVE) && SAME_MARK(FAR_BELOW) && SAME_MARK(SPOT_NOT_POSITIVE) &&
	       SAME_MARK(SPOT_FAR_BELOW) && SAME_MARK(SPOT_ABOVE),
	       "the marks of the public face are those of the files");

/* Is the accelerator that is asked for on sale at all, whatever else is asked? */
static int is_on_sale(const struct souk_offers *offers, const struct offers_filter *filter)
{
	uint32_t i, n;
	size_t j;

	for (j = 0; j < offers->market.n; j++) {
		struct souk_catalog_file *file = offers->market.files[j];
		struct souk_catalog_accelerator a;

		n = souk_catalog_file_head(file)->n_accelerators;
		for (i = 0; i < n; i++)
			if (souk_catalog_accelerator(file, i, &a, NULL) == SOUK_OK &&
			    offers_filter_accelerator(filter, a.name, a.memory_mib))
				return 1;
	}
	return 0;
}

/* "did you mean 'H100', 'H100-NVL' or 'H200'?" */
static int not_on_sale(const struct souk_offers *offers, const struct offers_filter *filter,
		       struct souk_error *err)
{
	const char *name = filter->accelerator.name, *nearest[NEAREST];
	char text[SOUK_ERROR_HINT_SIZE] = "";
	size_t n, i, len = 0;

	if (!name || filter->accelerator.memory_mib > 0) {
		souk_error_set(err, SOUK_E_CAPACITY, "no accelerator on sale is of that memory: '%s'",
			       filter->given->accelerator);
		return souk_error_hint(err, "'souk offers' lists them");
	}
	souk_error_set(err, SOUK_E_CAPACITY, "nobody sells the accelerator '%s'", name);
	n = souk_market_nearest_accelerators(&offers->market, name, nearest, NEAREST);
	for (i = 0; i < n && len < sizeof(text) - 80; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s'%.48s'",
					i == 0 ? "" : i + 1 == n ? " or " : ", ", nearest[i]);
	if (n == 0)
		return souk_error_hint(err, "'souk offers' lists those on sale");
	return souk_error_hint(err, "did you mean %s? 'souk offers' lists those on sale", text);
}

/* A file that turns out to be damaged is replaced by the seed, once, or left out. */
static int scan_all(struct souk *souk, struct souk_offers *offers, const struct offers_filter *filter,
		    struct souk_error *err)
{
	size_t i;
	int ret;

	for (i = 0; i < offers->market.n; i++) {
		struct souk_error own = SOUK_ERROR_INIT;

		ret = offers_scan(offers, i, filter, &own);
		if (ret == SOUK_E_INVALID && offers_reopen(souk, offers, i, &own)) {
			own = (struct souk_error)SOUK_ERROR_INIT;
			ret = offers_scan(offers, i, filter, &own);
			if (ret == SOUK_E_INVALID)
				offers_reopen(souk, offers, i, &own);
		}
		if (ret < 0 && ret != SOUK_E_INVALID) {
			*err = own;
			return ret;
		}
	}
	return SOUK_OK;
}

static void tell_work(const struct souk_offers *offers)
{
	struct souk_catalog_work work = souk_market_work(&offers->market);

	souk_log(SOUK_LOG_DEBUG,
		 "offers: %zu lines of %llu rows and %llu types read, %llu bytes checked", offers->n,
		 (unsigned long long)work.rows, (unsigned long long)work.types,
		 (unsigned long long)work.bytes);
}

static int find(struct souk *souk, const struct offers_filter *filter, struct souk_offers *offers,
		struct souk_error *err)
{
	int ret;

	offers->depth = filter->depth;
	offers->spot = filter->given->spot;
	ret = offers_open(souk, filter, offers, err);
	if (ret == SOUK_OK)
		ret = scan_all(souk, offers, filter, err);
	if (ret == SOUK_OK && filter->given->accelerator && offers->n == 0 &&
	    !is_on_sale(offers, filter))
		ret = not_on_sale(offers, filter, err);
	if (ret == SOUK_OK) {
		offers_merge_accelerators(offers, filter);
		offers_sort(offers, filter);
		tell_work(offers);
	}
	return ret;
}

/* Where nobody sells accelerators, the machines themselves are the summary. */
static int find_again(struct souk *souk, const struct souk_offer_filter *given,
		      struct souk_offers *offers, struct souk_error *err)
{
	struct souk_offer_filter all = *given;
	struct offers_filter filter;
	int ret;

	all.summary = 0;
	ret = offers_filter_init(&filter, &all, err);
	if (ret == SOUK_OK)
		ret = scan_all(souk, offers, &filter, err);
	if (ret == SOUK_OK)
		offers_sort(offers, &filter);
	offers_filter_fini(&filter);
	return ret;
}

int souk_offers_find(struct souk *souk, const struct souk_offer_filter *given,
		     struct souk_offers **offers_out, struct souk_error *err)
{
	struct souk_offers *offers = calloc(1, sizeof(*offers));
	struct offers_filter filter;
	int ret;

	if (!offers)
		return souk_error_nomem(err);
	ret = offers_filter_init(&filter, given, err);
	if (ret == SOUK_OK)
		ret = find(souk, &filter, offers, err);
	offers_filter_fini(&filter);
	if (ret == SOUK_OK && given->summary && offers->n_accelerators == 0)
		ret = find_again(souk, given, offers, err);
	if (ret < 0) {
		souk_offers_free(offers);
		return ret;
	}
	offers_say_stale(souk, offers);
	*offers_out = offers;
	return SOUK_OK;
}

void souk_offers_free(struct souk_offers *offers)
{
	if (!offers)
		return;
	free(offers->entries);
	free(offers->accelerators);
	free(offers->installed);
	souk_market_fini(&offers->market);
	free(offers);
}

size_t souk_offers_count(const struct souk_offers *offers)
{
	return offers->n;
}

static void fill_row(struct souk_offers *offers, const struct offers_entry *entry,
		     const struct souk_catalog_type *type, const struct souk_catalog_row *row)
{
	const struct souk_catalog_head *head =
		souk_catalog_file_head(offers->market.files[entry->file]);

	offers->row = (struct souk_offer_row){
		.provider = head->provider,
		.region = row->region,
		/* A line for several zones belongs to none. */
		.zone = offers->depth < 2 ? NULL : row->zone,
		.instance_type = type->name,
		.arch = type->arch,
		.accelerator = type->accelerator,
		.accelerator_milli = type->accelerator_milli,
		.accelerator_memory_mib = type->accelerator_memory_mib,
		.vcpus_milli = type->vcpus_milli,
		.memory_mib = type->memory_mib,
		.local_disk_mib = type->local_disk_mib,
		.micros_per_hour = row->micros,
		.spot_micros_per_hour = row->spot_micros,
		.currency = row->currency,
		.source = head->source,
		.date = head->date,
		.spot = offers->spot,
		.available = row->available,
		.marks = row->marks,
		.installed = offers->installed[entry->file],
		.further_regions = entry->further,
	};
}

const struct souk_offer_row *souk_offers_row(struct souk_offers *offers, size_t i)
{
	struct souk_catalog_file *file;
	struct souk_catalog_type type;
	struct souk_catalog_row row;

	if (i >= offers->n)
		return NULL;
	file = offers->market.files[offers->entries[i].file];
	/* Both were read, and so checked, when the line was found. */
	if (souk_catalog_type(file, offers->entries[i].type, &type, NULL) < 0 ||
	    souk_catalog_row(file, offers->entries[i].row, &row, NULL) < 0)
		return NULL;
	fill_row(offers, &offers->entries[i], &type, &row);
	return &offers->row;
}

size_t souk_offers_accelerators(const struct souk_offers *offers)
{
	return offers->n_accelerators;
}

const struct souk_accelerator_row *souk_offers_accelerator(const struct souk_offers *offers,
							   size_t i)
{
	return i < offers->n_accelerators ? &offers->accelerators[i] : NULL;
}
