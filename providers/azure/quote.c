/* SPDX-License-Identifier: Apache-2.0 */
/* quote.c - what the machines of a spec cost by the hour: compute, disk, address */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json-read.h"
#include "market.h"

enum { HOURS_PER_MONTH = 730, MAX_COUNT = 1000, MAX_NOTE = 160, MAX_FILTER = 512 };
enum { IMAGE_DISK_MIB = 30 * 1024 };

struct quote {
	struct azure_client client;
	const struct souk_instance_spec *spec;
	struct souk_quote_list *out;
};

static int add_line(const struct quote *quote, const char *item, int64_t micros, const char *note,
		    struct souk_error *err)
{
	const struct souk_quote_line line = {
		.struct_size = sizeof(line), .per_hour = 1, .item = item, .note = note,
		.micros = micros * quote->spec->count, .currency = "USD",
	};

	return souk_quote_list_add(quote->out, &line, err);
}

static int add_compute(const struct quote *quote, struct souk_error *err)
{
	const struct souk_instance_spec *spec = quote->spec;
	struct azure_rates rates = { 0 };
	int64_t micros;
	char note[MAX_NOTE];
	int ret;

	ret = azure_rates_list(&quote->client, spec->region, spec->instance_type, &rates, err);
	if (ret < 0) {
		azure_rates_fini(&rates);
		return ret;
	}
	micros = azure_rates_get(&rates, spec->instance_type, 0);
	if (spec->spot)
		micros = azure_spot_price(micros, azure_rates_get(&rates, spec->instance_type, 1));
	azure_rates_fini(&rates);
	if (micros < 0) {
		souk_error_set(err, SOUK_E_NOT_FOUND, "Azure has no %s price of '%s' in '%s'",
			       spec->spot ? "spot" : "on-demand", spec->instance_type,
			       spec->region);
		return souk_error_hint(err, "'souk catalog update azure' learns what there is");
	}
	snprintf(note, sizeof(note), "%u x %s, %s, Azure Retail Prices", spec->count,
		 spec->instance_type, spec->spot ? "spot" : "on demand");
	return add_line(quote, "compute", micros, note, err);
}

/* ---- Things beside the machine --------------------------------------------------------------- */

/* A search for the one meter that is meant. */
struct meter {
	const char *name;
	const char *unit;
	int64_t micros; /* -1: not found yet */
};

static int take_meter(void *arg, struct json_object *page, struct json_object *items,
		      struct souk_error *err)
{
	struct meter *meter = arg;
	size_t i;

	(void)page;
	for (i = 0; i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		const char *name, *unit, *currency;
		int64_t micros;
		int ret;

		ret = azure_json_get_text(item, "price", "meterName", &name, err);
		if (ret == SOUK_OK)
			ret = azure_json_get_text(item, "price", "unitOfMeasure", &unit, err);
		if (ret == SOUK_OK)
			ret = azure_json_get_text(item, "price", "currencyCode", &currency, err);
		if (ret < 0)
			return ret;
		if (!name || !unit || !currency || strcasecmp(name, meter->name) != 0 ||
		    strcasecmp(unit, meter->unit) != 0 || strcmp(currency, "USD") != 0)
			continue;
		ret = azure_json_micros(item, meter->name, "retailPrice", &micros, err);
		if (ret < 0)
			return ret;
		if (micros > 0 && (meter->micros < 0 || micros < meter->micros))
			meter->micros = micros;
	}
	return SOUK_OK;
}

uint32_t azure_disk_fit(uint64_t mib, char letter, char name_out[8])
{
	static const struct {
		uint32_t gib;
		uint32_t number;
	} tiers[] = {
		{ 4, 1 },     { 8, 2 },	     { 16, 3 },	    { 32, 4 },	   { 64, 6 },
		{ 128, 10 },  { 256, 15 },   { 512, 20 },   { 1024, 30 },  { 2048, 40 },
		{ 4096, 50 }, { 8192, 60 },  { 16384, 70 }, { 32767, 80 },
	};
	size_t i;

	for (i = 0; i < AZURE_ARRAY_SIZE(tiers); i++)
		if (mib <= (uint64_t)tiers[i].gib * 1024) {
			snprintf(name_out, 8, "%c%u", letter, tiers[i].number);
			return tiers[i].gib;
		}
	return 0;
}

static int is_premium(const char *tier)
{
	return tier && (strcmp(tier, "high") == 0 || strcmp(tier, "ultra") == 0 ||
			strcmp(tier, "best") == 0);
}

static int add_disk(const struct quote *quote, struct souk_error *err)
{
	const struct souk_instance_spec *spec = quote->spec;
	uint64_t mib = spec->disk_size_mib ? spec->disk_size_mib : IMAGE_DISK_MIB;
	int premium = is_premium(spec->disk_tier);
	const char *product = premium ? "Premium SSD Managed Disks" : "Standard SSD Managed Disks";
	struct meter meter = { .unit = "1/Month", .micros = -1 };
	char filter[MAX_FILTER], note[MAX_NOTE], meter_name[32], name[8];
	uint32_t gib = azure_disk_fit(mib, premium ? 'P' : 'E', name);
	int ret;

	if (!gib)
		return souk_error_set(err, SOUK_E_UNSUPPORTED,
				      "Azure has no disk of %llu GiB; 32767 is the largest",
				      (unsigned long long)(mib / 1024));
	snprintf(meter_name, sizeof(meter_name), "%s LRS Disk", name);
	meter.name = meter_name;
	snprintf(filter, sizeof(filter),
		 "serviceName eq 'Storage' and priceType eq 'Consumption' and "
		 "armRegionName eq '%s' and productName eq '%s' and skuName eq '%s LRS'",
		 spec->region, product, name);
	ret = azure_prices_list(&quote->client, filter, "get the price of a disk", take_meter,
				&meter, err);
	if (ret < 0)
		return ret;
	if (meter.micros < 0)
		return souk_error_set(err, SOUK_E_NOT_FOUND,
				      "Azure has no price of the disk '%s LRS' in '%s'", name,
				      spec->region);
	snprintf(note, sizeof(note), "%u x %s (%u GiB) at %lld.%02lld a month of %d hours%s",
		 spec->count, name, gib, (long long)(meter.micros / 1000000),
		 (long long)(meter.micros / 10000 % 100), HOURS_PER_MONTH,
		 premium ? "" : ", without operations");
	return add_line(quote, "disk", (meter.micros + HOURS_PER_MONTH / 2) / HOURS_PER_MONTH, note,
			err);
}

static int add_address(const struct quote *quote, struct souk_error *err)
{
	const struct souk_instance_spec *spec = quote->spec;
	struct meter meter = { .name = "Standard IPv4 Static Public IP", .unit = "1 Hour",
			       .micros = -1 };
	const char *internal = azure_option(quote->client.call, "use_internal_ips");
	char filter[MAX_FILTER];
	char note[MAX_NOTE];
	int ret;

	if (internal && strcmp(internal, "true") == 0)
		return SOUK_OK;
	snprintf(filter, sizeof(filter),
		 "serviceName eq 'Virtual Network' and priceType eq 'Consumption' and "
		 "armRegionName eq '%s' and productName eq 'IP Addresses'", spec->region);
	ret = azure_prices_list(&quote->client, filter, "get the price of an address", take_meter,
				&meter, err);
	if (ret < 0)
		return ret;
	if (meter.micros < 0) {
		souk_call_log(quote->client.call, SOUK_LOG_WARNING,
			      "the price list has no public address in '%s': not counted",
			      spec->region);
		return SOUK_OK;
	}
	snprintf(note, sizeof(note), "%u x static public IPv4 address, Azure Retail Prices",
		 spec->count);
	return add_line(quote, "address", meter.micros, note, err);
}

int azure_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		struct souk_quote_list *out, struct souk_error *err)
{
	const struct quote quote = { { self, call }, spec, out };
	int ret;

	if (!spec->region || !azure_is_place(spec->region))
		return souk_error_set(err, SOUK_E_INVALID, "not a region: '%.64s'",
				      spec->region ? spec->region : "");
	if (!spec->instance_type || !azure_is_size(spec->instance_type))
		return souk_error_set(err, SOUK_E_INVALID, "not a size: '%.64s'",
				      spec->instance_type ? spec->instance_type : "");
	if (!spec->count || spec->count > MAX_COUNT)
		return souk_error_set(err, SOUK_E_INVALID, "not a number of machines: %u",
				      spec->count);
	ret = add_compute(&quote, err);
	if (ret == SOUK_OK)
		ret = add_disk(&quote, err);
	return ret == SOUK_OK ? add_address(&quote, err) : ret;
}
