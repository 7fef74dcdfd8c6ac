/* SPDX-License-Identifier: Apache-2.0 */
/* prices.c - the public list of Azure's retail prices */

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "json-read.h"
#include "market.h"

enum { MAX_RATES = 200000, MAX_FILTER = 1024 };

#define PRICES_PATH "/api/retail/prices?api-version=2023-01-01-preview&$filter="

/* The members of an item that tell what it is the price of; NULL: not there. */
struct item {
	const char *type, *region, *size, *product, *sku, *unit, *currency, *since, *until;
};

static int read_texts(struct json_object *object, struct item *out, struct souk_error *err)
{
	const struct {
		const char *name;
		const char **slot;
	} texts[] = {
		{ "type", &out->type },
		{ "armRegionName", &out->region },
		{ "armSkuName", &out->size },
		{ "productName", &out->product },
		{ "skuName", &out->sku },
		{ "unitOfMeasure", &out->unit },
		{ "currencyCode", &out->currency },
		{ "effectiveStartDate", &out->since },
		{ "effectiveEndDate", &out->until },
	};
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < AZURE_ARRAY_SIZE(texts) && ret == SOUK_OK; i++)
		ret = azure_json_get_text(object, "price", texts[i].name, texts[i].slot, err);
	return ret;
}

static int is(const char *text, const char *value)
{
	return text && strcasecmp(text, value) == 0;
}

/* Linux on shared hardware, by the hour, neither reserved nor of the old low-priority kind. */
static int is_plain(const struct item *item, const char *region)
{
	return is(item->type, "Consumption") && is(item->unit, "1 Hour") &&
	       is(item->region, region) && item->size && azure_is_size(item->size) &&
	       item->product && !strcasestr(item->product, " Win") &&
	       !strcasestr(item->product, "Cloud Services") &&
	       !strcasestr(item->product, "CloudServices") &&
	       !strcasestr(item->product, "Dedicated Host") && item->sku &&
	       !strcasestr(item->sku, "Low Priority");
}

/* Does it hold now? */
static int read_dates(const struct item *item, int64_t now, int64_t *since_out)
{
	int64_t until;

	*since_out = 0;
	if (item->since && souk_parse_time("effectiveStartDate", item->since, since_out, NULL) < 0)
		*since_out = 0;
	if (item->until &&
	    souk_parse_time("effectiveEndDate", item->until, &until, NULL) == SOUK_OK &&
	    until <= now)
		return 0;
	return *since_out <= now;
}

int azure_rate_read(struct json_object *object, const char *region, int64_t now,
		    struct azure_rate *out, struct souk_error *err)
{
	struct azure_rate rate = { 0 };
	struct json_object *primary, *tier;
	struct item item;
	int ret;

	ret = read_texts(object, &item, err);
	if (ret < 0)
		return ret;
	if (!is_plain(&item, region) || !azure_copy(rate.size, sizeof(rate.size), item.size) ||
	    !read_dates(&item, now, &rate.since))
		return 0;
	if (!is(item.currency, "USD"))
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "the price of '%s' is in '%.8s', not USD", rate.size,
				      item.currency ? item.currency : "");
	ret = azure_json_get(object, rate.size, "isPrimaryMeterRegion", json_type_boolean, &primary,
			     err);
	if (ret == SOUK_OK)
		ret = azure_json_micros(object, rate.size, "retailPrice", &rate.micros_per_hour,
					err);
	if (ret < 0)
		return ret;
	/* A second tier is what costs less after so many hours: there is none for machines. */
	if (json_object_object_get_ex(object, "tierMinimumUnits", &tier) &&
	    json_object_get_double(tier) > 0)
		return 0;
	rate.is_primary = primary && json_object_get_boolean(primary);
	rate.is_spot = strcasestr(item.sku, " Spot") != NULL;
	*out = rate;
	return rate.micros_per_hour > 0;
}

/* ---- The list -------------------------------------------------------------------------------- */

static int take_rates(void *arg, struct json_object *page, struct json_object *items,
		      struct souk_error *err)
{
	struct azure_rates *rates = arg;
	size_t i;
	int ret;

	(void)page;
	for (i = 0; i < json_object_array_length(items); i++) {
		ret = azure_grow((void **)&rates->list, rates->n, &rates->size,
				 sizeof(rates->list[0]), MAX_RATES, "prices", err);
		if (ret == SOUK_OK)
			ret = azure_rate_read(json_object_array_get_idx(items, i), rates->region,
					      rates->now, &rates->list[rates->n], err);
		if (ret < 0)
			return ret;
		rates->n += (size_t)ret;
	}
	return SOUK_OK;
}

static int compare_markets(const struct azure_rate *a, const struct azure_rate *b)
{
	int order = strcasecmp(a->size, b->size);

	return order ? order : a->is_spot - b->is_spot;
}

/* The best of a size and market comes first: of the region's own meter, the latest, the lowest. */
static int compare_rates(const void *left, const void *right)
{
	const struct azure_rate *a = left;
	const struct azure_rate *b = right;
	int order = compare_markets(a, b);

	if (order)
		return order;
	if (a->is_primary != b->is_primary)
		return b->is_primary - a->is_primary;
	if (a->since != b->since)
		return a->since < b->since ? 1 : -1;
	if (a->micros_per_hour != b->micros_per_hour)
		return a->micros_per_hour < b->micros_per_hour ? -1 : 1;
	return 0;
}

void azure_rates_settle(struct azure_rates *rates)
{
	size_t kept = 0;
	size_t i;

	if (rates->n)
		qsort(rates->list, rates->n, sizeof(rates->list[0]), compare_rates);
	for (i = 0; i < rates->n; i++)
		if (!kept || compare_markets(&rates->list[kept - 1], &rates->list[i]) != 0)
			rates->list[kept++] = rates->list[i];
	rates->n = kept;
}

static int find_market(const void *key, const void *item)
{
	return compare_markets(key, item);
}

int64_t azure_rates_get(const struct azure_rates *rates, const char *size, int is_spot)
{
	struct azure_rate key = { .is_spot = is_spot };
	const struct azure_rate *found;

	if (!rates->n || !azure_copy(key.size, sizeof(key.size), size))
		return -1;
	found = bsearch(&key, rates->list, rates->n, sizeof(key), find_market);
	return found ? found->micros_per_hour : -1;
}

void azure_rates_fini(struct azure_rates *rates)
{
	free(rates->list);
	rates->list = NULL;
	rates->n = 0;
	rates->size = 0;
}

int azure_prices_list(const struct azure_client *client, const char *filter, const char *doing,
		      int (*take)(void *arg, struct json_object *page, struct json_object *items,
				  struct souk_error *err),
		      void *arg, struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf path = { 0 };
	struct azure_listing listing = {
		.request = { .what = "Retail Prices", .doing = doing, .host = AZURE_HOST_PRICES,
			     .cache_seconds = AZURE_KEEP_SECONDS },
		.items = "Items", .next = "NextPageLink", .take = take, .arg = arg,
	};
	int ret;

	souk_buf_init(&path, 4 * MAX_FILTER);
	souk_buf_str(&path, PRICES_PATH);
	souk_buf_urlencode(&path, filter);
	ret = souk_buf_failed(&path, err);
	if (ret < 0)
		return ret;
	listing.request.path = path.data;
	return azure_list(client, &listing, err);
}

int azure_rates_list(const struct azure_client *client, const char *region, const char *size,
		     struct azure_rates *out, struct souk_error *err)
{
	char filter[MAX_FILTER];
	char doing[AZURE_REGION_SIZE + 40];
	int ret;

	out->now = (int64_t)time(NULL);
	out->region = region;
	snprintf(doing, sizeof(doing), "get the prices of '%s'", region);
	snprintf(filter, sizeof(filter),
		 "serviceName eq 'Virtual Machines' and priceType eq 'Consumption' and "
		 "armRegionName eq '%s'%s%s%s", region, size ? " and armSkuName eq '" : "",
		 size ? size : "", size ? "'" : "");
	ret = azure_prices_list(client, filter, doing, take_rates, out, err);
	if (ret == SOUK_OK)
		azure_rates_settle(out);
	return ret;
}
