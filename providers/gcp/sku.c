/* SPDX-License-Identifier: Apache-2.0 */
/* sku.c - the price list: what each SKU's words mean, and the rates that are found there */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "market.h"

enum { MAX_WORDS = 256, MAX_RATES = 200000 };

#define MAX_NANOS INT64_C(1000000000000000) /* a million dollars */

/* ---- Words ---- */

static int cut_start(char *words, const char *start)
{
	size_t len = strlen(start);

	if (strncmp(words, start, len) != 0)
		return 0;
	memmove(words, words + len, strlen(words + len) + 1);
	return 1;
}

static int cut_end(char *words, const char *end)
{
	size_t len = strlen(words);
	size_t tail = strlen(end);

	if (len <= tail || strcmp(words + len - tail, end) != 0)
		return 0;
	words[len - tail] = '\0';
	return 1;
}

/* "A3Plus" of "A3Plus Instance": a letter, digits, then letters and digits; lower case. */
static int take_series(char *words, char name[GCP_NAME_SIZE])
{
	size_t i;

	if (!isupper((unsigned char)words[0]) || !isdigit((unsigned char)words[1]))
		return 0;
	for (i = 0; isalnum((unsigned char)words[i]); i++) {
		if (i + 1 >= GCP_NAME_SIZE)
			return 0;
		name[i] = (char)tolower((unsigned char)words[i]);
	}
	name[i] = '\0';
	memmove(words, words + i, strlen(words + i) + 1);
	return 1;
}

/* The family in "N2D AMD Instance", "Compute optimized", "M3 Memory-optimized Instance". */
static int match_family(char *words, enum gcp_rate_kind *kind, char name[GCP_NAME_SIZE])
{
	static const struct {
		const char *words, *family;
	} named[] = {
		{ "N1 Predefined Instance", "n1" },
		{ "Compute optimized", "c2" },
		{ "Compute optimized Instance", "c2" },
		{ "Memory-optimized Instance", "m1" },
	};
	static const char *const rests[] = { " Instance", " AMD Instance", " Arm Instance",
					     " Intel Instance", " Memory-optimized Instance" };
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(named); i++)
		if (strcmp(words, named[i].words) == 0) {
			snprintf(name, GCP_NAME_SIZE, "%s", named[i].family);
			return 1;
		}
	if (strcmp(words, "Memory Optimized Upgrade Premium for Memory-optimized Instance") == 0 &&
	    *kind != GCP_RATE_LOCAL_SSD) {
		*kind = *kind == GCP_RATE_CORE ? GCP_RATE_CORE_PREMIUM : GCP_RATE_RAM_PREMIUM;
		snprintf(name, GCP_NAME_SIZE, "m2");
		return 1;
	}
	if (!take_series(words, name))
		return 0;
	for (i = 0; i < GCP_ARRAY_SIZE(rests); i++)
		if (strcmp(words, rests[i]) == 0)
			return 1;
	return 0;
}

static int match_machine(char *words, struct gcp_sku *out)
{
	if (cut_end(words, " Core"))
		out->kind = GCP_RATE_CORE;
	else if (cut_end(words, " Ram"))
		out->kind = GCP_RATE_RAM;
	else if (cut_end(words, " Local SSD"))
		out->kind = GCP_RATE_LOCAL_SSD;
	else
		return 0;
	return match_family(words, &out->kind, out->name);
}

/* "A4 Nvidia B200 (1 gpu slice)": the price has the machine's share in it. */
static int match_slice(char *words, struct gcp_sku *out)
{
	if (!cut_end(words, " (1 gpu slice)") || !take_series(words, out->name) ||
	    strncmp(words, " Nvidia ", 8) != 0)
		return 0;
	out->kind = GCP_RATE_SLICE;
	return 1;
}

static int match_whole(const char *words, struct gcp_sku *out)
{
	static const struct {
		const char *words, *name;
		enum gcp_rate_kind kind;
	} named[] = {
		{ "Micro Instance with burstable CPU", "f1-micro", GCP_RATE_WHOLE },
		{ "Small Instance with 1 VCPU", "g1-small", GCP_RATE_WHOLE },
		{ "SSD backed Local Storage", "", GCP_RATE_LOCAL_SSD },
		{ "Storage PD Capacity", "pd-standard", GCP_RATE_DISK },
		{ "Balanced PD Capacity", "pd-balanced", GCP_RATE_DISK },
		{ "SSD backed PD Capacity", "pd-ssd", GCP_RATE_DISK },
		{ "Extreme PD Capacity", "pd-extreme", GCP_RATE_DISK },
		{ "Hyperdisk Balanced Capacity", "hyperdisk-balanced", GCP_RATE_DISK },
		{ "Hyperdisk Extreme Capacity", "hyperdisk-extreme", GCP_RATE_DISK },
		{ "External IP Charge on a Standard VM", "", GCP_RATE_ADDRESS },
		{ "External IP Charge on a Spot Preemptible VM", "", GCP_RATE_ADDRESS },
	};
	const struct gcp_gpu *gpu;
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(named); i++)
		if (strcmp(words, named[i].words) == 0) {
			out->kind = named[i].kind;
			snprintf(out->name, sizeof(out->name), "%s", named[i].name);
			return 1;
		}
	gpu = gcp_gpu_of_sku(words);
	if (!gpu)
		return 0;
	out->kind = GCP_RATE_GPU;
	snprintf(out->name, sizeof(out->name), "%s", gpu->type);
	return 1;
}

/*
 * A description is "[Spot Preemptible ]THING[ attached to Spot Preemptible VMs][ [running ]in
 * PLACE]", and only the things that are known here count: thus reserved, committed, sole-tenant,
 * custom, Windows and scheduled ones are none of them. The place is better told by the regions.
 */
int gcp_sku_match(const char *description, const char *usage, struct gcp_sku *out)
{
	char words[MAX_WORDS];
	char *place;
	int spot = strcmp(usage, "Preemptible") == 0;

	if ((!spot && strcmp(usage, "OnDemand") != 0) || strlen(description) >= sizeof(words))
		return 0;
	memset(out, 0, sizeof(*out));
	snprintf(words, sizeof(words), "%s", description);
	place = strstr(words, " running in ");
	if (!place)
		place = strstr(words, " in ");
	if (place)
		*place = '\0';
	/* Some spot prices are filed as on demand; the words say what they are. */
	if (cut_start(words, "Spot Preemptible ") || cut_start(words, "Preemptible "))
		spot = 1;
	if (cut_end(words, " attached to Spot Preemptible VMs"))
		spot = 1;
	if (strcmp(words, "External IP Charge on a Spot Preemptible VM") == 0)
		spot = 1;
	out->spot = spot;
	return match_whole(words, out) || match_slice(words, out) || match_machine(words, out);
}

/* ---- Prices ---- */

static const char *const *units_of(enum gcp_rate_kind kind)
{
	static const char *const hours[] = { "h", NULL };
	static const char *const memory[] = { "GiBy.h", "GBy.h", NULL };
	static const char *const storage[] = { "GiBy.mo", "GBy.mo", NULL };

	switch (kind) {
	case GCP_RATE_RAM:
	case GCP_RATE_RAM_PREMIUM:
		return memory;
	case GCP_RATE_LOCAL_SSD:
	case GCP_RATE_DISK:
		return storage;
	default:
		return hours;
	}
}

static int is_unit_of(enum gcp_rate_kind kind, const char *unit)
{
	const char *const *units = units_of(kind);

	while (*units && strcmp(*units, unit) != 0)
		units++;
	return *units != NULL;
}

/* {"currencyCode":"USD","units":"0","nanos":31611000} */
static int read_money(struct json_object *rate, int64_t *nanos_out, struct souk_error *err)
{
	struct json_object *money = NULL;
	const char *currency = "";
	uint64_t units = 0;
	uint64_t nanos = 0;
	int ret;

	ret = gcp_json_need(gcp_json_object(rate, "unitPrice", &money, err), "unitPrice", err);
	if (ret >= 0)
		ret = gcp_json_text(money, "currencyCode", &currency, err);
	if (ret >= 0 && strcmp(currency, "USD") != 0)
		return souk_error_set(err, SOUK_E_INTERNAL, "'currencyCode' is '%.8s', not 'USD'",
				      currency);
	if (ret >= 0)
		ret = gcp_json_count(money, "units", 1000000, &units, err);
	if (ret >= 0)
		ret = gcp_json_count(money, "nanos", 999999999, &nanos, err);
	if (ret >= 0)
		*nanos_out = (int64_t)(units * 1000000000 + nanos);
	return ret < 0 ? ret : SOUK_OK;
}

/* The first rate that is not free: what is given away counts for an account, not for a machine. */
static int read_tiers(struct json_object *expression, int64_t *nanos_out, struct souk_error *err)
{
	struct json_object *tiers = NULL;
	size_t i;
	int ret;

	ret = gcp_json_array(expression, "tieredRates", &tiers, err);
	*nanos_out = 0;
	for (i = 0; ret > 0 && i < json_object_array_length(tiers) && !*nanos_out; i++) {
		ret = read_money(json_object_array_get_idx(tiers, i), nanos_out, err);
		if (ret == SOUK_OK)
			ret = 1;
	}
	return ret < 0 ? ret : SOUK_OK;
}

/* The price that holds now: the last of the timeline. 0 in *nanos_out if there is none. */
static int read_price(struct json_object *sku, enum gcp_rate_kind kind, int64_t *nanos_out,
		      struct souk_error *err)
{
	struct json_object *infos = NULL;
	struct json_object *expression = NULL;
	const char *unit = "";
	size_t n;
	int ret;

	*nanos_out = 0;
	ret = gcp_json_array(sku, "pricingInfo", &infos, err);
	n = ret > 0 ? json_object_array_length(infos) : 0;
	if (ret < 0 || n == 0)
		return ret < 0 ? ret : SOUK_OK;
	ret = gcp_json_object(json_object_array_get_idx(infos, n - 1), "pricingExpression",
			      &expression, err);
	if (ret > 0)
		ret = gcp_json_text(expression, "usageUnit", &unit, err);
	if (ret <= 0 || !is_unit_of(kind, unit))
		return ret < 0 ? ret : SOUK_OK;
	ret = read_tiers(expression, nanos_out, err);
	/* By the GB: a GiB has 2^30 bytes for its 10^9. */
	if (ret == SOUK_OK && strncmp(unit, "GBy.", 4) == 0)
		*nanos_out = (int64_t)(((__int128)*nanos_out * 1073741824 + 500000000) / 1000000000);
	return ret;
}

static int add_rate(struct gcp_prices *prices, const struct gcp_sku *sku, const char *region,
		    int64_t nanos, struct souk_error *err)
{
	struct gcp_rate *rate;

	if (prices->n == MAX_RATES)
		return souk_error_set(err, SOUK_E_INTERNAL, "more than %d prices", MAX_RATES);
	if (prices->n == prices->size) {
		size_t size = prices->size ? 2 * prices->size : 1024;
		struct gcp_rate *list = realloc(prices->list, size * sizeof(*list));

		if (!list)
			return gcp_nomem(err);
		prices->list = list;
		prices->size = size;
	}
	rate = &prices->list[prices->n++];
	rate->sku = *sku;
	snprintf(rate->region, sizeof(rate->region), "%s", region);
	rate->nanos = nanos;
	prices->is_sorted = 0;
	return SOUK_OK;
}

static int add_regions(struct gcp_prices *prices, const struct gcp_sku *sku,
		       struct json_object *regions, int64_t nanos, struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < json_object_array_length(regions) && ret == SOUK_OK; i++) {
		struct json_object *entry = json_object_array_get_idx(regions, i);

		if (!json_object_is_type(entry, json_type_string) ||
		    !gcp_is_name(json_object_get_string(entry)))
			return souk_error_set(err, SOUK_E_INTERNAL,
					      "'serviceRegions' has what is no region");
		ret = add_rate(prices, sku, json_object_get_string(entry), nanos, err);
	}
	return ret;
}

int gcp_sku_take(struct gcp_prices *prices, struct json_object *object, struct souk_error *err)
{
	struct json_object *category = NULL;
	struct json_object *regions = NULL;
	const char *description = "";
	const char *usage = "";
	struct gcp_sku sku;
	int64_t nanos = 0;
	int ret;

	if (!json_object_is_type(object, json_type_object))
		return souk_error_set(err, SOUK_E_INTERNAL, "a SKU is not an object");
	prices->n_skus++;
	ret = gcp_json_text(object, "description", &description, err);
	if (ret >= 0)
		ret = gcp_json_object(object, "category", &category, err);
	if (ret > 0)
		ret = gcp_json_text(category, "usageType", &usage, err);
	if (ret <= 0 || !gcp_sku_match(description, usage, &sku))
		return ret < 0 ? ret : SOUK_OK;
	ret = gcp_json_array(object, "serviceRegions", &regions, err);
	if (ret >= 0)
		ret = read_price(object, sku.kind, &nanos, err);
	if (ret < 0)
		return ret;
	if (!regions || nanos <= 0 || nanos > MAX_NANOS) {
		prices->n_strange++;
		return SOUK_OK;
	}
	return add_regions(prices, &sku, regions, nanos, err);
}

int gcp_prices_take_page(void *arg, struct json_object *page, struct souk_error *err)
{
	struct json_object *skus = NULL;
	size_t i;
	int ret = gcp_json_array(page, "skus", &skus, err);

	/* A page without any is one with none. */
	for (i = 0; ret >= 0 && skus && i < json_object_array_length(skus); i++)
		ret = gcp_sku_take(arg, json_object_array_get_idx(skus, i), err);
	return ret < 0 ? ret : SOUK_OK;
}

/* ---- Finding them ---- */

static int compare_sku(const struct gcp_rate *x, const struct gcp_rate *y)
{
	int order;

	if (x->sku.kind != y->sku.kind)
		return x->sku.kind < y->sku.kind ? -1 : 1;
	order = strcmp(x->sku.name, y->sku.name);
	if (!order)
		order = strcmp(x->region, y->region);
	return order ? order : x->sku.spot - y->sku.spot;
}

static int compare_rate(const void *a, const void *b)
{
	const struct gcp_rate *x = a;
	const struct gcp_rate *y = b;
	int order = compare_sku(x, y);

	if (order)
		return order;
	/* The higher one first: it stays. */
	return x->nanos == y->nanos ? 0 : x->nanos > y->nanos ? -1 : 1;
}

void gcp_prices_sort(struct gcp_prices *prices)
{
	size_t i;
	size_t n = 0;

	if (prices->n)
		qsort(prices->list, prices->n, sizeof(*prices->list), compare_rate);
	for (i = 0; i < prices->n; i++) {
		if (n && compare_sku(&prices->list[n - 1], &prices->list[i]) == 0)
			prices->n_twice += prices->list[n - 1].nanos != prices->list[i].nanos;
		else
			prices->list[n++] = prices->list[i];
	}
	prices->n = n;
	prices->is_sorted = 1;
}

static int compare_key(const void *key, const void *rate)
{
	return compare_sku(key, rate);
}

int gcp_prices_find(const struct gcp_prices *prices, enum gcp_rate_kind kind, const char *name,
		    const char *region, int spot, int64_t *nanos_out)
{
	struct gcp_rate key = { .sku = { .kind = kind, .spot = spot } };
	const struct gcp_rate *found;

	if (!prices->is_sorted || !prices->n)
		return 0;
	snprintf(key.sku.name, sizeof(key.sku.name), "%s", name);
	snprintf(key.region, sizeof(key.region), "%s", region);
	found = bsearch(&key, prices->list, prices->n, sizeof(*prices->list), compare_key);
	if (!found)
		return 0;
	*nanos_out = found->nanos;
	return 1;
}

int gcp_prices_have(const struct gcp_prices *prices, enum gcp_rate_kind kind, const char *name)
{
	size_t low = 0;
	size_t high = prices->n;

	/* The first that is not before (kind, name). */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct gcp_sku *sku = &prices->list[middle].sku;

		if (sku->kind < kind || (sku->kind == kind && strcmp(sku->name, name) < 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low < prices->n && prices->list[low].sku.kind == kind &&
	       strcmp(prices->list[low].sku.name, name) == 0;
}

void gcp_prices_fini(struct gcp_prices *prices)
{
	free(prices->list);
	memset(prices, 0, sizeof(*prices));
}
