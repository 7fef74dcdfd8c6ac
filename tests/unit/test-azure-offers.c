/* SPDX-License-Identifier: Apache-2.0 */
/* test-azure-offers.c - Azure's sizes, devices and prices, put together to offers and quotes */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "azure.h"
#include "json-read.h"
#include "market.h"
#include "test-host.h"

#define NOW 1790000000 /* 2026-09-21 */

extern const struct souk_provider_ops *souk_provider_entry(void);

static struct json_object *parse(const char *text)
{
	struct json_object *object = souk_json_parse(text, strlen(text));

	ck_assert_msg(object != NULL, "not JSON: %s", text);
	return object;
}

/* ---- Devices ---- */

static const struct {
	const char *size;
	const char *name; /* NULL: none */
	uint32_t gib;
	uint32_t milli;
} devices[] = {
	{ "Standard_NC4as_T4_v3", "T4", 16, 0 },
	{ "Standard_NC24ads_A100_v4", "A100-80GB", 80, 0 },
	{ "Standard_ND96amsr_A100_v4", "A100-80GB", 80, 0 },
	{ "Standard_ND96asr_v4", "A100", 40, 0 },
	{ "Standard_NC40ads_H100_v5", "H100-NVL", 94, 0 },
	{ "Standard_NC80adis_H100_v5", "H100-NVL", 94, 0 },
	{ "Standard_ND96isr_H100_v5", "H100", 80, 0 },
	{ "Standard_ND96isr_H200_v5", "H200", 141, 0 },
	{ "Standard_ND96isr_MI300X_v5", "MI300X", 192, 0 },
	{ "Standard_ND128isr_NDR_GB200_v6", "GB200", 186, 0 },
	{ "Standard_NC8ads_A10_v4", "A10", 24, 0 },
	{ "Standard_NV6ads_A10_v5", "A10", 4, 167 },
	{ "Standard_NV12ads_A10_v5", "A10", 8, 333 },
	{ "Standard_NV18ads_A10_v5", "A10", 12, 500 },
	{ "Standard_NV36adms_A10_v5", "A10", 24, 1000 },
	{ "Standard_NV72ads_A10_v5", "A10", 24, 2000 },
	{ "Standard_NV4as_v4", "MI25", 2, 125 },
	{ "Standard_NV12s_v3", "M60", 8, 1000 },
	{ "Standard_NC6s_v3", "V100", 16, 0 },
	{ "Standard_NC24rs_v3", "V100", 16, 0 },
	{ "Standard_ND40rs_v2", "V100-32GB", 32, 0 },
	{ "Standard_NC6s_v2", "P100", 16, 0 },
	{ "Standard_D4s_v5", NULL, 0, 0 },
	{ "Standard_L8s_v3", NULL, 0, 0 },
	{ "", NULL, 0, 0 },
};

START_TEST(sizes_have_devices)
{
	const struct azure_device *device = azure_device_find(devices[_i].size);

	if (!devices[_i].name) {
		ck_assert_ptr_null(device);
		return;
	}
	ck_assert_msg(device != NULL, "%s", devices[_i].size);
	ck_assert_str_eq(device->name, devices[_i].name);
	ck_assert_uint_eq(device->memory_mib, devices[_i].gib * 1024);
	ck_assert_uint_eq(device->milli, devices[_i].milli);
}
END_TEST

/* ---- Sizes ---- */

#define SKU(name, info, caps, restrictions)                                                        \
	"{\"resourceType\":\"virtualMachines\",\"name\":\"" name "\",\"locationInfo\":[" info          \
	"],\"capabilities\":[" caps "],\"restrictions\":[" restrictions "]}"
#define CAP(name, value) "{\"name\":\"" name "\",\"value\":\"" value "\"}"
#define EAST "{\"location\":\"EastUS\",\"zones\":[\"3\",\"1\",\"2\"]}"
#define BASIC CAP("vCPUs", "4") "," CAP("MemoryGB", "14.5")

static const struct {
	const char *sku;
	int result; /* AZURE_SIZE_..., or -1 for a failure */
} skus[] = {
	{ SKU("Standard_D4s_v5", EAST, BASIC, ""), AZURE_SIZE_GOOD },
	{ SKU("Standard_D4s_v5", "{\"location\":\"westus\"}", BASIC, ""), AZURE_SIZE_OTHER },
	{ SKU("Standard_D4s_v5", "", BASIC, ""), AZURE_SIZE_OTHER },
	{ SKU("Standard D4'", EAST, BASIC, ""), AZURE_SIZE_OTHER },
	{ SKU("Standard_D4s_v5", EAST, CAP("vCPUs", "4"), ""), AZURE_SIZE_UNKNOWN },
	{ SKU("Standard_D4s_v5", EAST, CAP("vCPUs", "four") "," CAP("MemoryGB", "16"), ""),
	  AZURE_SIZE_UNKNOWN },
	{ SKU("Standard_D4s_v5", EAST, BASIC "," CAP("MaxResourceVolumeMB", "99999999999999"), ""),
	  AZURE_SIZE_UNKNOWN },
	{ SKU("Standard_DC4as_v5", EAST, BASIC "," CAP("ConfidentialComputingType", "SNP"), ""),
	  AZURE_SIZE_OTHER },
	{ SKU("Standard_ZZ4_v9", EAST, BASIC "," CAP("GPUs", "2"), ""), AZURE_SIZE_UNKNOWN },
	{ SKU("Standard_NC4as_T4_v3", EAST, BASIC, ""), AZURE_SIZE_UNKNOWN },
	{ SKU("Standard_NC4as_T4_v3", EAST, BASIC "," CAP("GPUs", "1"), ""), AZURE_SIZE_GOOD },
	{ SKU("Standard_NC4as_T4_v3", EAST, BASIC "," CAP("GPUs", "2000"), ""), AZURE_SIZE_UNKNOWN },
	{ SKU("Standard_D4s_v5", EAST, BASIC,
	      "{\"type\":\"Location\",\"values\":[\"eastus\"],\"reasonCode\":\"QuotaId\"}"),
	  AZURE_SIZE_RESTRICTED },
	{ SKU("Standard_D4s_v5", EAST, BASIC,
	      "{\"type\":\"Location\",\"restrictionInfo\":{\"locations\":[\"eastus\"]}}"),
	  AZURE_SIZE_RESTRICTED },
	{ SKU("Standard_D4s_v5", EAST, BASIC,
	      "{\"type\":\"Location\",\"restrictionInfo\":{\"locations\":[\"westus\"]}}"),
	  AZURE_SIZE_GOOD },
	{ "{\"resourceType\":\"disks\",\"name\":\"Premium_LRS\"}", AZURE_SIZE_OTHER },
	{ "{}", AZURE_SIZE_OTHER },
	/* What is not of the type that it has to be. */
	{ "{\"resourceType\":5}", -1 },
	{ "{\"resourceType\":\"virtualMachines\",\"name\":\"Standard_D4\",\"capabilities\":{}}", -1 },
	{ SKU("Standard_D4s_v5", EAST, "{\"name\":\"vCPUs\",\"value\":4}", ""), -1 },
	{ SKU("Standard_D4s_v5", "{\"location\":\"eastus\",\"zones\":\"1\"}", BASIC, ""), -1 },
	{ SKU("Standard_D4s_v5", "{\"location\":\"eastus\",\"zones\":[\"1,2\"]}", BASIC, ""), -1 },
	{ SKU("Standard_D4s_v5", EAST, BASIC, "\"no\""), -1 },
};

START_TEST(skus_are_read)
{
	struct json_object *object = parse(skus[_i].sku);
	struct souk_error err = SOUK_ERROR_INIT;
	struct azure_size size;
	int ret = azure_size_read(object, "eastus", &size, &err);

	ck_assert_msg(ret == skus[_i].result || (ret == SOUK_E_INTERNAL && skus[_i].result == -1),
		      "%s: %d, %s", skus[_i].sku, ret, err.message);
	ck_assert(ret >= 0 || err.message[0]);
	json_object_put(object);
}
END_TEST

START_TEST(a_size_has_all_its_parts)
{
	struct json_object *object = parse(
		SKU("Standard_E8-4pds_v5", EAST,
		    CAP("vCPUs", "8") "," CAP("vCPUsAvailable", "4") "," CAP("MemoryGB", "0.5") ","
		    CAP("CpuArchitectureType", "Arm64") "," CAP("LowPriorityCapable", "True") ","
		    CAP("MaxResourceVolumeMB", "1024") "," CAP("NvmeDiskSizeInMiB", "2048") ","
		    CAP("HyperVGenerations", "V2") "," CAP("PremiumIO", "True"),
		    "{\"type\":\"Zone\",\"restrictionInfo\":{\"zones\":[\"2\"]}}"));
	struct souk_error err = SOUK_ERROR_INIT;
	struct azure_size size;

	ck_assert_int_eq(azure_size_read(object, "eastus", &size, &err), AZURE_SIZE_GOOD);
	ck_assert_str_eq(size.name, "Standard_E8-4pds_v5");
	ck_assert_uint_eq(size.vcpus_milli, 4000);
	ck_assert_uint_eq(size.memory_mib, 512);
	ck_assert_uint_eq(size.local_disk_mib, 3072);
	ck_assert(size.is_arm && size.spot && size.premium_disk);
	ck_assert(size.generation_2 && !size.generation_1);
	ck_assert_uint_eq(size.n_zones, 2);
	ck_assert_str_eq(size.zones[0], "1");
	ck_assert_str_eq(size.zones[1], "3");
	ck_assert_ptr_null(size.device);
	json_object_put(object);
}
END_TEST

/* ---- Prices ---- */

#define ITEM(changes)                                                                              \
	"{\"currencyCode\":\"USD\",\"tierMinimumUnits\":0.0,\"armRegionName\":\"eastus\","             \
	"\"effectiveStartDate\":\"2024-01-01T00:00:00Z\",\"productName\":\"Virtual Machines D\","      \
	"\"skuName\":\"D4s v5\",\"unitOfMeasure\":\"1 Hour\",\"type\":\"Consumption\","                \
	"\"isPrimaryMeterRegion\":true,\"armSkuName\":\"Standard_D4s_v5\",\"retailPrice\":0.192" changes \
	"}"

static const struct {
	const char *item;
	int result; /* 1, 0, or -1 for a failure */
	int64_t micros;
	int is_spot;
} items[] = {
	{ ITEM(""), 1, 192000, 0 },
	{ ITEM(",\"retailPrice\":1E-05"), 1, 10, 0 },
	{ ITEM(",\"retailPrice\":3"), 1, 3000000, 0 },
	{ ITEM(",\"skuName\":\"D4s v5 Spot\""), 1, 192000, 1 },
	{ ITEM(",\"armRegionName\":\"EastUS\""), 1, 192000, 0 },
	{ ITEM(",\"isPrimaryMeterRegion\":null"), 1, 192000, 0 },
	{ ITEM(",\"skuName\":\"D4s v5 Low Priority\""), 0, 0, 0 },
	{ ITEM(",\"productName\":\"Virtual Machines D Windows\""), 0, 0, 0 },
	{ ITEM(",\"productName\":\"D Cloud Services\""), 0, 0, 0 },
	{ ITEM(",\"productName\":\"Dv3 CloudServices\""), 0, 0, 0 },
	{ ITEM(",\"productName\":\"D Dedicated Host\""), 0, 0, 0 },
	{ ITEM(",\"type\":\"Reservation\""), 0, 0, 0 },
	{ ITEM(",\"type\":\"DevTestConsumption\""), 0, 0, 0 },
	{ ITEM(",\"unitOfMeasure\":\"1 Month\""), 0, 0, 0 },
	{ ITEM(",\"armRegionName\":\"westus\""), 0, 0, 0 },
	{ ITEM(",\"armSkuName\":\"\""), 0, 0, 0 },
	{ ITEM(",\"armSkuName\":null"), 0, 0, 0 },
	{ ITEM(",\"armSkuName\":\"a b\""), 0, 0, 0 },
	{ ITEM(",\"retailPrice\":0"), 0, 0, 0 },
	{ ITEM(",\"tierMinimumUnits\":100"), 0, 0, 0 },
	{ ITEM(",\"effectiveStartDate\":\"2027-01-01T00:00:00Z\""), 0, 0, 0 },
	{ ITEM(",\"effectiveEndDate\":\"2025-01-01T00:00:00Z\""), 0, 0, 0 },
	{ "{}", 0, 0, 0 },
	{ ITEM(",\"currencyCode\":\"EUR\""), -1, 0, 0 },
	{ ITEM(",\"retailPrice\":\"0.192\""), -1, 0, 0 },
	{ ITEM(",\"retailPrice\":-0.192"), -1, 0, 0 },
	{ ITEM(",\"retailPrice\":null"), -1, 0, 0 },
	{ ITEM(",\"armSkuName\":17"), -1, 0, 0 },
	{ ITEM(",\"isPrimaryMeterRegion\":\"yes\""), -1, 0, 0 },
};

START_TEST(items_are_read)
{
	struct json_object *object = parse(items[_i].item);
	struct souk_error err = SOUK_ERROR_INIT;
	struct azure_rate rate = { 0 };
	int ret = azure_rate_read(object, "eastus", NOW, &rate, &err);

	ck_assert_msg(ret == items[_i].result || (ret == SOUK_E_INTERNAL && items[_i].result == -1),
		      "%s: %d, %s", items[_i].item, ret, err.message);
	if (ret == 1) {
		ck_assert_int_eq(rate.micros_per_hour, items[_i].micros);
		ck_assert_int_eq(rate.is_spot, items[_i].is_spot);
		ck_assert_str_eq(rate.size, "Standard_D4s_v5");
	}
	json_object_put(object);
}
END_TEST

START_TEST(the_best_of_several_prices_counts)
{
	struct azure_rate list[] = {
		{ "Standard_B", 0, 1, 100, 500 }, { "Standard_A", 0, 0, 900, 100 },
		{ "standard_a", 0, 1, 200, 300 }, { "Standard_A", 0, 1, 100, 200 },
		{ "Standard_A", 0, 1, 200, 250 }, { "Standard_A", 1, 1, 200, 50 },
	};
	struct azure_rates rates = { .list = list, .n = AZURE_ARRAY_SIZE(list) };

	azure_rates_settle(&rates);
	ck_assert_uint_eq(rates.n, 3);
	ck_assert_int_eq(azure_rates_get(&rates, "Standard_A", 0), 250);
	ck_assert_int_eq(azure_rates_get(&rates, "STANDARD_A", 1), 50);
	ck_assert_int_eq(azure_rates_get(&rates, "Standard_B", 0), 500);
	ck_assert_int_eq(azure_rates_get(&rates, "Standard_B", 1), -1);
	ck_assert_int_eq(azure_rates_get(&rates, "Standard_C", 0), -1);
}
END_TEST

START_TEST(a_spot_price_has_to_be_lower)
{
	ck_assert_int_eq(azure_spot_price(100, 40), 40);
	ck_assert_int_eq(azure_spot_price(100, 100), -1);
	ck_assert_int_eq(azure_spot_price(100, 101), -1);
	ck_assert_int_eq(azure_spot_price(-1, 40), 40);
	ck_assert_int_eq(azure_spot_price(100, -1), -1);
}
END_TEST

/* ---- A small Azure ---- */

struct world {
	int breaks;	  /* 1: a page of prices is refused, 2: it is no JSON at first, 3: it always is not */
	int closed;	  /* 1: westus is closed */
	int garbage;
};

static const char *const pages[][2] = {
	{ "/locations?",
	  "{\"value\":[{\"name\":\"eastus\",\"type\":\"Region\",\"metadata\":{\"regionType\":"
	  "\"Physical\"}},{\"name\":\"westus\",\"metadata\":{\"regionType\":\"Physical\"}},"
	  "{\"name\":\"us\",\"metadata\":{\"regionType\":\"Logical\"}}]}" },
	{ "location%20eq%20%27eastus%27&page=2",
	  "{\"value\":[" SKU("Standard_NC4as_T4_v3", EAST,
			     BASIC "," CAP("GPUs", "1") "," CAP("LowPriorityCapable", "True"), "")
	  "]}" },
	{ "location%20eq%20%27eastus%27",
	  "{\"value\":[" SKU("Standard_D4s_v5", EAST, BASIC "," CAP("LowPriorityCapable", "True"), "")
	  "],\"nextLink\":\"https://management.azure.com/subscriptions/sub/providers/Microsoft.Compute/"
	  "skus?api-version=2021-07-01&$filter=location%20eq%20%27eastus%27&page=2\"}" },
	{ "location%20eq%20%27westus%27",
	  "{\"value\":[" SKU("Standard_D4s_v5", "{\"location\":\"westus\"}", BASIC, "") "]}" },
	{ "Managed%20Disks",
	  "{\"Items\":[{\"currencyCode\":\"USD\",\"meterName\":\"E10 LRS Disk\",\"unitOfMeasure\":"
	  "\"1/Month\",\"retailPrice\":9.6},{\"currencyCode\":\"USD\",\"meterName\":\"E10 LRS Disk "
	  "Operations\",\"unitOfMeasure\":\"10K\",\"retailPrice\":0.002}],\"NextPageLink\":null}" },
	{ "Virtual%20Network",
	  "{\"Items\":[{\"currencyCode\":\"USD\",\"meterName\":\"Standard IPv4 Static Public IP\","
	  "\"unitOfMeasure\":\"1 Hour\",\"retailPrice\":0.005}],\"NextPageLink\":null}" },
	{ "$skip=1", "{\"Items\":[" ITEM(",\"skuName\":\"D4s v5 Spot\",\"retailPrice\":0.04") ","
		     ITEM(",\"armSkuName\":\"Standard_NC4as_T4_v3\",\"retailPrice\":0.526")
		     "],\"NextPageLink\":null}" },
	{ "armRegionName%20eq%20%27eastus%27",
	  "{\"Items\":[" ITEM("") "],\"NextPageLink\":\"https://prices.azure.com:443/api/retail/prices?"
	  "api-version=2023-01-01-preview&$filter=x&$skip=1\"}" },
	{ "armRegionName%20eq%20%27westus%27",
	  "{\"Items\":[" ITEM(",\"armRegionName\":\"westus\",\"retailPrice\":0.2")
	  "],\"NextPageLink\":null}" },
};

static int answer_as(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	struct world *world = arg;
	size_t i;

	answer->status = 200;
	if (strstr(request->url, "/oauth2/")) {
		answer->body = "{\"access_token\":\"t\",\"expires_in\":3600}";
		return 1;
	}
	if (world->closed && strstr(request->url, "%27westus%27")) {
		answer->status = 400;
		answer->body = "{\"error\":{\"code\":\"LocationNotAvailableForResourceType\","
			       "\"message\":\"not here\"}}";
		return 1;
	}
	if (world->breaks && strstr(request->url, "$skip=1")) {
		answer->status = world->breaks == 1 ? 400 : 200;
		answer->body = "{\"Message\": [";
		if (world->breaks == 1 || world->breaks == 3 || world->garbage++ == 0)
			return 1;
	}
	for (i = 0; i < AZURE_ARRAY_SIZE(pages); i++)
		if (strstr(request->url, pages[i][0])) {
			answer->body = pages[i][1];
			return 1;
		}
	answer->status = 404;
	answer->body = "{}";
	return 1;
}

static void *open_azure(struct world *world)
{
	struct souk_error err = SOUK_ERROR_INIT;
	void *self = NULL;

	test_host_responder(answer_as, world);
	test_host_option("subscription", "sub");
	test_host_option("tenant", "ten");
	test_host_option("client_id", "cli");
	test_host_option("client_secret", "sec");
	ck_assert_msg(souk_provider_entry()->open(test_host_call(), &self, &err) == SOUK_OK, "%s",
		      err.message);
	return self;
}

START_TEST(offers_are_put_together)
{
	struct world world = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *list = test_offers_new();
	void *self = open_azure(&world);
	const struct souk_offer *offer;

	ck_assert_msg(souk_provider_entry()->list_offers(self, test_host_call(), list, &err) ==
			      SOUK_OK, "%s", err.message);
	/* Two sizes in three zones each, and one in a region without zones. */
	ck_assert_uint_eq(test_offers_count(list), 7);
	offer = test_offer_find(list, "Standard_D4s_v5", "2");
	ck_assert_ptr_nonnull(offer);
	ck_assert_str_eq(offer->region, "eastus");
	ck_assert_int_eq(offer->micros_per_hour, 192000);
	ck_assert_int_eq(offer->spot_micros_per_hour, 40000);
	ck_assert_uint_eq(offer->memory_mib, 14848);
	ck_assert_str_eq(offer->currency, "USD");
	offer = test_offer_find(list, "Standard_NC4as_T4_v3", "3");
	ck_assert_str_eq(offer->accelerator, "T4");
	ck_assert_uint_eq(offer->accelerator_milli, 1000);
	ck_assert_int_eq(offer->spot_micros_per_hour, -1);
	offer = test_offer_find(list, "Standard_D4s_v5", "");
	ck_assert_str_eq(offer->region, "westus");
	ck_assert_int_eq(offer->micros_per_hour, 200000);
	ck_assert_str_eq(test_host_log(SOUK_LOG_WARNING), "");
	ck_assert_uint_eq(test_host_requests("token"), 1);
	/* Prices are asked for without showing who asks. */
	ck_assert_ptr_null(test_host_last_header("Retail Prices", "Authorization"));
	ck_assert_str_eq(test_host_last_header("ResourceSkus_List", "Authorization"), "Bearer t");
	test_offers_free(list);
	souk_provider_entry()->close(self);
}
END_TEST

START_TEST(a_closed_region_is_left_out)
{
	struct world world = { .closed = 1 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *list = test_offers_new();
	void *self = open_azure(&world);

	ck_assert_int_eq(souk_provider_entry()->list_offers(self, test_host_call(), list, &err),
			 SOUK_OK);
	ck_assert_uint_eq(test_offers_count(list), 6);
	ck_assert_ptr_nonnull(strstr(test_host_log(SOUK_LOG_WARNING), "left out 'westus': "));
	test_offers_free(list);
	souk_provider_entry()->close(self);
}
END_TEST

static const struct {
	int breaks;
	int ret;
} breaks[] = { { 1, SOUK_E_INVALID }, { 2, SOUK_OK }, { 3, SOUK_E_INTERNAL } };

START_TEST(a_broken_page_is_no_shorter_list)
{
	struct world world = { .breaks = breaks[_i].breaks };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *list = test_offers_new();
	void *self = open_azure(&world);

	ck_assert_msg(souk_provider_entry()->list_offers(self, test_host_call(), list, &err) ==
			      breaks[_i].ret, "%s", err.message);
	if (breaks[_i].ret == SOUK_OK)
		ck_assert_uint_eq(test_offers_count(list), 7);
	else
		ck_assert_ptr_nonnull(strstr(err.message, "cannot get the prices of 'eastus'"));
	test_offers_free(list);
	souk_provider_entry()->close(self);
}
END_TEST

START_TEST(regions_can_be_chosen)
{
	struct world world = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *list = test_offers_new();
	void *self = open_azure(&world);

	test_host_option("region", " WestUS , nowhere");
	ck_assert_int_eq(souk_provider_entry()->list_offers(self, test_host_call(), list, &err),
			 SOUK_OK);
	ck_assert_uint_eq(test_offers_count(list), 1);
	test_host_option("region", "nowhere");
	ck_assert_int_eq(souk_provider_entry()->list_offers(self, test_host_call(), list, &err),
			 SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "no such region: 'nowhere'");
	test_offers_free(list);
	souk_provider_entry()->close(self);
}
END_TEST

START_TEST(a_quote_has_all_items)
{
	const struct souk_instance_spec spec = {
		.struct_size = sizeof(spec), .count = 2, .instance_type = "Standard_D4s_v5",
		.region = "eastus", .disk_size_mib = 100 * 1024, .spot = 1,
	};
	struct world world = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_quote_list *list = test_quotes_new();
	void *self = open_azure(&world);

	ck_assert_msg(souk_provider_entry()->quote(self, test_host_call(), &spec, list, &err) ==
			      SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_quotes_count(list), 3);
	ck_assert_str_eq(test_quote(list, 0)->item, "compute");
	ck_assert_int_eq(test_quote(list, 0)->micros, 80000);
	ck_assert_str_eq(test_quote(list, 1)->item, "disk");
	ck_assert_int_eq(test_quote(list, 1)->micros, 2 * ((9600000 + 365) / 730));
	ck_assert_ptr_nonnull(strstr(test_quote(list, 1)->note, "E10 (128 GiB) at 9.60 a month"));
	ck_assert_str_eq(test_quote(list, 2)->item, "address");
	ck_assert_int_eq(test_quote(list, 2)->micros, 10000);
	ck_assert_uint_eq(test_quote(list, 0)->per_hour, 1);
	test_quotes_free(list);
	souk_provider_entry()->close(self);
}
END_TEST

START_TEST(a_quote_of_nothing_is_refused)
{
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec), .count = 1, .instance_type = "Standard_X",
		.region = "eastus",
	};
	struct world world = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_quote_list *list = test_quotes_new();
	void *self = open_azure(&world);

	ck_assert_int_eq(souk_provider_entry()->quote(self, test_host_call(), &spec, list, &err),
			 SOUK_E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.message, "no on-demand price of 'Standard_X' in 'eastus'"));
	spec.instance_type = "Standard' or 'a' eq 'a";
	ck_assert_int_eq(souk_provider_entry()->quote(self, test_host_call(), &spec, list, &err),
			 SOUK_E_INVALID);
	spec.instance_type = "Standard_D4s_v5";
	spec.disk_size_mib = 40000ull * 1024;
	ck_assert_int_eq(souk_provider_entry()->quote(self, test_host_call(), &spec, list, &err),
			 SOUK_E_UNSUPPORTED);
	test_quotes_free(list);
	souk_provider_entry()->close(self);
}
END_TEST

START_TEST(disks_come_in_sizes)
{
	char name[8];

	ck_assert_uint_eq(azure_disk_fit(1, 'E', name), 4);
	ck_assert_str_eq(name, "E1");
	ck_assert_uint_eq(azure_disk_fit(32 * 1024, 'E', name), 32);
	ck_assert_uint_eq(azure_disk_fit(32 * 1024 + 1, 'P', name), 64);
	ck_assert_str_eq(name, "P6");
	ck_assert_uint_eq(azure_disk_fit(32767ull * 1024, 'P', name), 32767);
	ck_assert_uint_eq(azure_disk_fit(32767ull * 1024 + 1, 'P', name), 0);
}
END_TEST

static void set_up(void)
{
	test_host_reset();
}

int main(void)
{
	Suite *suite = suite_create("azure-offers");
	TCase *tc = tcase_create("offers");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_loop_test(tc, sizes_have_devices, 0, AZURE_ARRAY_SIZE(devices));
	tcase_add_loop_test(tc, skus_are_read, 0, AZURE_ARRAY_SIZE(skus));
	tcase_add_test(tc, a_size_has_all_its_parts);
	tcase_add_loop_test(tc, items_are_read, 0, AZURE_ARRAY_SIZE(items));
	tcase_add_test(tc, the_best_of_several_prices_counts);
	tcase_add_test(tc, a_spot_price_has_to_be_lower);
	tcase_add_test(tc, offers_are_put_together);
	tcase_add_test(tc, a_closed_region_is_left_out);
	tcase_add_loop_test(tc, a_broken_page_is_no_shorter_list, 0, AZURE_ARRAY_SIZE(breaks));
	tcase_add_test(tc, regions_can_be_chosen);
	tcase_add_test(tc, a_quote_has_all_items);
	tcase_add_test(tc, a_quote_of_nothing_is_refused);
	tcase_add_test(tc, disks_come_in_sizes);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
