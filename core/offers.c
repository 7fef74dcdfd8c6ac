/* SPDX-License-Identifier: Apache-2.0 */
/* offers.c - what is on sale, for the public face */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "market/accelerator.h"
#include "plan.h"

struct souk_offers {
	struct souk_catalog catalog;
	struct souk_offer_row *rows;
	size_t n;
	struct souk_accelerator_row *accelerators;
	size_t n_accelerators;
};

/* A struct souk_offer_filter, parsed. */
struct filter {
	const struct souk_offer_filter *given;
	struct souk_request request; /* place and size, borrowed texts but the accelerator's */
	struct souk_strv infra;
	int64_t max_micros;	     /* -1: no limit */
};

/* ---- The filter ---- */

static int parse_infra(struct filter *filter, const char *infra, struct souk_error *err)
{
	char **parts;
	int ret;

	ret = souk_strv_split(&filter->infra, infra, '/', err);
	if (ret < 0)
		return ret;
	parts = filter->infra.items;
	if (filter->infra.n == 0 || filter->infra.n > 3)
		return souk_error_set(err, SOUK_E_INVALID, "infra: not PROVIDER[/REGION[/ZONE]]: '%s'",
				      infra);
	if (strcmp(parts[0], "*") != 0)
		filter->request.provider = parts[0];
	if (filter->infra.n > 1 && strcmp(parts[1], "*") != 0)
		filter->request.region = parts[1];
	if (filter->infra.n > 2 && strcmp(parts[2], "*") != 0)
		filter->request.zone = parts[2];
	return SOUK_OK;
}

static int filter_init(struct filter *filter, const struct souk_offer_filter *given,
		       struct souk_error *err)
{
	int ret = SOUK_OK;

	*filter = (struct filter){ .given = given, .max_micros = -1 };
	if (given->infra)
		ret = parse_infra(filter, given->infra, err);
	if (ret == SOUK_OK && given->accelerator)
		ret = souk_parse_accelerator(given->accelerator, &filter->request.accelerator, err);
	if (ret == SOUK_OK && given->cpus)
		ret = souk_parse_amount_cpus(given->cpus, &filter->request.cpus, err);
	if (ret == SOUK_OK && given->memory)
		ret = souk_parse_amount_memory(given->memory, &filter->request.memory, err);
	if (ret == SOUK_OK && given->max_price)
		ret = souk_parse_micros("max-price", given->max_price, &filter->max_micros, err);
	if (given->region)
		filter->request.region = (char *)given->region;
	filter->request.instance_type = (char *)given->instance_type;
	return ret;
}

static void filter_fini(struct filter *filter)
{
	souk_strv_fini(&filter->infra);
	souk_accelerator_fini(&filter->request.accelerator);
}

static int64_t price_of(const struct filter *filter, const struct souk_offer *offer)
{
	return filter->given->spot ? offer->spot_micros_per_hour :
	       offer->micros_per_hour >= 0 ? offer->micros_per_hour : offer->spot_micros_per_hour;
}

static int amount_fits(uint64_t have, const struct souk_amount *wanted)
{
	if (wanted->value == 0)
		return 1;
	return wanted->at_least ? have >= wanted->value : have == wanted->value;
}

/* "H100" means any number of them, "H100:8" just eight. */
static int accelerator_fits(const struct filter *filter, const struct souk_offer *offer)
{
	const struct souk_accelerator *wanted = &filter->request.accelerator;

	if (!filter->given->accelerator)
		return 1;
	if (!offer->accelerator)
		return 0;
	if (strchr(filter->given->accelerator, ':') && offer->accelerator_milli != wanted->milli)
		return 0;
	if (wanted->name)
		return strcasecmp(offer->accelerator, souk_accelerator_canonical(wanted->name)) == 0;
	return wanted->memory_at_least ? offer->accelerator_memory_mib >= wanted->memory_mib :
					 offer->accelerator_memory_mib == wanted->memory_mib;
}

static int fits(const struct filter *filter, const struct souk_catalog_offer *item)
{
	const struct souk_request *r = &filter->request;
	const struct souk_offer *o = &item->offer;
	int64_t price = price_of(filter, o);

	if ((r->provider && strcasecmp(r->provider, item->provider) != 0) ||
	    (r->region && strcasecmp(r->region, o->region) != 0) ||
	    (r->zone && (!o->zone || strcasecmp(r->zone, o->zone) != 0)) ||
	    (r->instance_type && strcasecmp(r->instance_type, o->instance_type) != 0))
		return 0;
	return price >= 0 && (filter->max_micros < 0 || price <= filter->max_micros) &&
	       accelerator_fits(filter, o) && amount_fits(o->vcpus_milli, &r->cpus) &&
	       amount_fits(o->memory_mib, &r->memory);
}

/* ---- Rows ---- */

struct ranked {
	const struct souk_catalog_offer *item;
	int64_t price;
	int depth; /* how many parts of the place make a line of its own: 0, 1 region, 2 zone */
};

static int by_group(const struct ranked *a, const struct ranked *b)
{
	int order = strcmp(a->item->provider, b->item->provider);

	if (order == 0)
		order = strcmp(a->item->offer.instance_type, b->item->offer.instance_type);
	if (order == 0 && a->depth > 0)
		order = strcmp(a->item->offer.region, b->item->offer.region);
	if (order == 0 && a->depth > 1)
		order = souk_strcmp(a->item->offer.zone, b->item->offer.zone);
	return order;
}

static int by_place(const struct ranked *a, const struct ranked *b)
{
	int order = strcmp(a->item->offer.region, b->item->offer.region);

	return order ? order : souk_strcmp(a->item->offer.zone, b->item->offer.zone);
}

static int by_group_then_price(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	int order = by_group(a, b);

	if (order == 0 && a->price != b->price)
		order = a->price < b->price ? -1 : 1;
	return order ? order : by_place(a, b);
}

static int by_price(const void *x, const void *y)
{
	const struct ranked *a = x, *b = y;
	int order;

	if (a->price != b->price)
		return a->price < b->price ? -1 : 1;
	order = by_group(a, b);
	return order ? order : by_place(a, b);
}

/* One line a group: its cheapest. */
static size_t keep_best(struct ranked *ranked, size_t n)
{
	size_t i, kept = 0;

	qsort(ranked, n, sizeof(*ranked), by_group_then_price);
	for (i = 0; i < n; i++)
		if (kept == 0 || by_group(&ranked[kept - 1], &ranked[i]) != 0)
			ranked[kept++] = ranked[i];
	return kept;
}

static int make_rows(struct souk_offers *offers, const struct filter *filter, struct souk_error *err)
{
	SOUK_AUTO_FREE struct ranked *ranked = calloc(offers->catalog.n + 1, sizeof(*ranked));
	int depth = filter->given->zones ? 2 : filter->given->all_regions ? 1 : 0;
	size_t n = 0, i;

	if (!ranked)
		return souk_error_nomem(err);
	for (i = 0; i < offers->catalog.n; i++)
		if (fits(filter, &offers->catalog.items[i]))
			ranked[n++] = (struct ranked){
				&offers->catalog.items[i],
				price_of(filter, &offers->catalog.items[i].offer), depth,
			};
	n = keep_best(ranked, n);
	qsort(ranked, n, sizeof(*ranked), by_price);
	if (filter->given->limit > 0 && n > filter->given->limit)
		n = filter->given->limit;
	offers->rows = calloc(n + 1, sizeof(*offers->rows));
	if (!offers->rows)
		return souk_error_nomem(err);
	for (i = 0; i < n; i++) {
		souk_offer_row_fill(&offers->rows[i], ranked[i].item);
		/* A line for several zones belongs to none. */
		if (depth < 2)
			offers->rows[i].zone = NULL;
		offers->rows[i].spot = filter->given->spot;
	}
	offers->n = n;
	return SOUK_OK;
}

/* ---- Accelerators ---- */

static int by_accelerator(const void *x, const void *y)
{
	const struct souk_catalog_offer *a = *(const struct souk_catalog_offer *const *)x;
	const struct souk_catalog_offer *b = *(const struct souk_catalog_offer *const *)y;
	int order = strcmp(a->offer.accelerator, b->offer.accelerator);

	if (order == 0)
		order = strcmp(a->provider, b->provider);
	return order ? order : strcmp(a->offer.region, b->offer.region);
}

static void take_price(int64_t *lowest, int64_t price, uint32_t milli)
{
	/* To four digits, as prices are told: more would be the division's, not the cloud's. */
	int64_t each = price < 0 || milli == 0 ? -1 : (price * 1000 / milli + 50) / 100 * 100;

	if (each >= 0 && (*lowest < 0 || each < *lowest))
		*lowest = each;
}

static void summarise(struct souk_offers *offers, const struct souk_catalog_offer **items, size_t n)
{
	struct souk_accelerator_row *row = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct souk_offer *o = &items[i]->offer;
		int same = row && strcmp(row->accelerator, o->accelerator) == 0;
		int same_provider = same && strcmp(items[i - 1]->provider, items[i]->provider) == 0;

		if (!same) {
			row = &offers->accelerators[offers->n_accelerators++];
			*row = (struct souk_accelerator_row){
				.accelerator = o->accelerator,
				.memory_mib = o->accelerator_memory_mib,
				.micros_per_hour = -1,
				.spot_micros_per_hour = -1,
			};
		}
		row->providers += !same_provider;
		row->regions += !same_provider || strcmp(items[i - 1]->offer.region, o->region) != 0;
		take_price(&row->micros_per_hour, o->micros_per_hour, o->accelerator_milli);
		take_price(&row->spot_micros_per_hour, o->spot_micros_per_hour, o->accelerator_milli);
	}
}

static int make_accelerators(struct souk_offers *offers, const struct filter *filter,
			     struct souk_error *err)
{
	SOUK_AUTO_FREE const struct souk_catalog_offer **items =
		calloc(offers->catalog.n + 1, sizeof(*items));
	size_t n = 0, i;

	offers->accelerators = calloc(offers->catalog.n + 1, sizeof(*offers->accelerators));
	if (!items || !offers->accelerators)
		return souk_error_nomem(err);
	for (i = 0; i < offers->catalog.n; i++)
		if (offers->catalog.items[i].offer.accelerator && fits(filter, &offers->catalog.items[i]))
			items[n++] = &offers->catalog.items[i];
	if (n > 0)
		qsort(items, n, sizeof(*items), by_accelerator);
	summarise(offers, items, n);
	return SOUK_OK;
}

/* ---- Reading ---- */

/* A provider with a file needs no module; another is asked itself. */
static int add_provider(struct souk *souk, struct souk_catalog *catalog, const char *name,
			struct souk_error *err)
{
	struct souk_provider *provider;
	int ret;

	if (souk_catalog_has_file(&souk->paths, name))
		return souk_catalog_add_file(catalog, &souk->paths, name, err);
	ret = souk_registry_get(&souk->registry, name, &provider, err);
	return ret < 0 ? ret : souk_catalog_ask(souk, provider, catalog, err);
}

static int read_all(struct souk *souk, const struct filter *filter, struct souk_catalog *catalog,
		    struct souk_error *err)
{
	const char *only = filter->request.provider;
	struct souk_error own = SOUK_ERROR_INIT;
	size_t i, asked = 0, failed = 0;

	if (only && !souk_modules_get(&souk->registry.modules, only))
		return souk_registry_missing(&souk->registry, only, err);
	for (i = 0; i < souk->registry.modules.n; i++) {
		const char *name = souk->registry.modules.items[i]->name;

		if (!souk_registry_allows(&souk->registry, name) || (only && strcmp(only, name) != 0))
			continue;
		asked++;
		if (add_provider(souk, catalog, name, &own) == SOUK_OK)
			continue;
		failed++;
		souk_log(SOUK_LOG_WARNING, "%s: skipped: %s", name, souk_error_without(&own, name));
	}
	if (asked > 0 && failed == asked) {
		*err = own;
		return own.code;
	}
	return SOUK_OK;
}

int souk_offers_find(struct souk *souk, const struct souk_offer_filter *given,
		     struct souk_offers **offers_out, struct souk_error *err)
{
	struct souk_offers *offers = calloc(1, sizeof(*offers));
	struct filter filter;
	int ret;

	if (!offers)
		return souk_error_nomem(err);
	ret = filter_init(&filter, given, err);
	if (ret == SOUK_OK)
		ret = read_all(souk, &filter, &offers->catalog, err);
	if (ret == SOUK_OK)
		ret = make_accelerators(offers, &filter, err);
	/* Where nobody sells accelerators, the machines themselves are the summary. */
	if (ret == SOUK_OK && (!given->summary || offers->n_accelerators == 0))
		ret = make_rows(offers, &filter, err);
	filter_fini(&filter);
	if (ret < 0) {
		souk_offers_free(offers);
		return ret;
	}
	*offers_out = offers;
	return SOUK_OK;
}

void souk_offers_free(struct souk_offers *offers)
{
	if (!offers)
		return;
	free(offers->rows);
	free(offers->accelerators);
	souk_catalog_fini(&offers->catalog);
	free(offers);
}

size_t souk_offers_count(const struct souk_offers *offers)
{
	return offers->n;
}

const struct souk_offer_row *souk_offers_row(const struct souk_offers *offers, size_t i)
{
	return i < offers->n ? &offers->rows[i] : NULL;
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
