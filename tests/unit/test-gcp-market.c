/* SPDX-License-Identifier: Apache-2.0 */
/* test-gcp-market.c - SKUs, machine types, and the prices that are put together from them */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "market.h"
#include "test-host.h"

static struct souk_error err;
static struct gcp_prices prices;

static void set_up(void)
{
	test_host_reset();
	err = (struct souk_error)SOUK_ERROR_INIT;
	memset(&prices, 0, sizeof(prices));
}

static void tear_down(void)
{
	gcp_prices_fini(&prices);
}

/* ---- Words ---- */

static const struct {
	const char *words, *usage;
	int kind; /* -1: none of ours */
	int spot;
	const char *name;
} words[] = {
	{ "N1 Predefined Instance Core running in Americas", "OnDemand", GCP_RATE_CORE, 0, "n1" },
	{ "Spot Preemptible N1 Predefined Instance Ram running in Paris", "Preemptible",
	  GCP_RATE_RAM, 1, "n1" },
	{ "N2D AMD Instance Core running in Zurich", "OnDemand", GCP_RATE_CORE, 0, "n2d" },
	{ "C4A Arm Instance Ram running in Iowa", "OnDemand", GCP_RATE_RAM, 0, "c4a" },
	{ "E2 Instance Core running in Sao Paulo", "OnDemand", GCP_RATE_CORE, 0, "e2" },
	{ "Compute optimized Core running in Americas", "OnDemand", GCP_RATE_CORE, 0, "c2" },
	{ "Compute optimized Instance Ram running in Madrid", "OnDemand", GCP_RATE_RAM, 0, "c2" },
	{ "Spot Preemptible Compute optimized Core running in Japan", "Preemptible", GCP_RATE_CORE, 1,
	  "c2" },
	{ "Memory-optimized Instance Core running in Tokyo", "OnDemand", GCP_RATE_CORE, 0, "m1" },
	{ "M3 Memory-optimized Instance Ram running in Tokyo", "OnDemand", GCP_RATE_RAM, 0, "m3" },
	{ "Memory Optimized Upgrade Premium for Memory-optimized Instance Core running in Tokyo",
	  "OnDemand", GCP_RATE_CORE_PREMIUM, 0, "m2" },
	{ "Memory Optimized Upgrade Premium for Memory-optimized Instance Ram running in Tokyo",
	  "OnDemand", GCP_RATE_RAM_PREMIUM, 0, "m2" },
	{ "A3Plus Instance Core running in Americas", "OnDemand", GCP_RATE_CORE, 0, "a3plus" },
	{ "M4Ultramem224 Instance Core running in Iowa", "OnDemand", GCP_RATE_CORE, 0,
	  "m4ultramem224" },
	{ "N9Z Instance Core running on the moon in Iowa", "OnDemand", -1, 0, "" },
	{ "N9Z Instance Core running in Iowa", "OnDemand", GCP_RATE_CORE, 0, "n9z" },
	{ "Nvidia Tesla T4 GPU running in Iowa", "OnDemand", GCP_RATE_GPU, 0, "nvidia-tesla-t4" },
	{ "Nvidia Tesla T4 GPU attached to Spot Preemptible VMs running in Iowa", "Preemptible",
	  GCP_RATE_GPU, 1, "nvidia-tesla-t4" },
	{ "Nvidia Tesla A100 GPU running in Iowa", "OnDemand", GCP_RATE_GPU, 0,
	  "nvidia-tesla-a100" },
	{ "Nvidia Tesla A100 80GB GPU running in Iowa", "OnDemand", GCP_RATE_GPU, 0,
	  "nvidia-a100-80gb" },
	{ "Nvidia H100 80GB GPU running in Americas", "OnDemand", GCP_RATE_GPU, 0,
	  "nvidia-h100-80gb" },
	{ "Nvidia H100 80GB Plus GPU running in Americas", "OnDemand", GCP_RATE_GPU, 0,
	  "nvidia-h100-mega-80gb" },
	{ "Nvidia H100 80GB Mega GPU attached to Spot Preemptible VMs running in Tokyo",
	  "Preemptible", GCP_RATE_GPU, 1, "nvidia-h100-mega-80gb" },
	{ "H200 141GB GPU running in Netherlands", "OnDemand", GCP_RATE_GPU, 0,
	  "nvidia-h200-141gb" },
	{ "RTX 6000 96GB running in Delhi", "OnDemand", GCP_RATE_GPU, 0, "nvidia-rtx-pro-6000" },
	{ "A4 Nvidia B200 (1 gpu slice) running in Americas", "OnDemand", GCP_RATE_SLICE, 0, "a4" },
	/* Filed as on demand; the words know better. */
	{ "Spot Preemptible A4 Nvidia B200 (1 gpu slice) running in Americas", "OnDemand",
	  GCP_RATE_SLICE, 1, "a4" },
	{ "Micro Instance with burstable CPU running in Iowa", "OnDemand", GCP_RATE_WHOLE, 0,
	  "f1-micro" },
	{ "Small Instance with 1 VCPU running in Iowa", "Preemptible", GCP_RATE_WHOLE, 1,
	  "g1-small" },
	{ "SSD backed Local Storage", "OnDemand", GCP_RATE_LOCAL_SSD, 0, "" },
	{ "SSD backed Local Storage in Iowa", "OnDemand", GCP_RATE_LOCAL_SSD, 0, "" },
	{ "SSD backed Local Storage attached to Spot Preemptible VMs in Iowa", "Preemptible",
	  GCP_RATE_LOCAL_SSD, 1, "" },
	{ "C4D Instance Local SSD running in Iowa", "OnDemand", GCP_RATE_LOCAL_SSD, 0, "c4d" },
	{ "Balanced PD Capacity in Iowa", "OnDemand", GCP_RATE_DISK, 0, "pd-balanced" },
	{ "External IP Charge on a Standard VM", "OnDemand", GCP_RATE_ADDRESS, 0, "" },
	{ "External IP Charge on a Spot Preemptible VM", "OnDemand", GCP_RATE_ADDRESS, 1, "" },
	/* None of ours, however like they are. */
	{ "N1 Predefined Instance Core running in Americas", "Commit1Yr", -1, 0, "" },
	{ "N1 Predefined Instance Core running in Americas", "", -1, 0, "" },
	{ "Commitment v1: N2 Cpu in Americas for 1 Year", "Commit1Yr", -1, 0, "" },
	{ "E2 Custom Instance Core running in Tokyo", "OnDemand", -1, 0, "" },
	{ "Custom Instance Core running in Tokyo", "OnDemand", -1, 0, "" },
	{ "N2 Custom Extended Instance Ram running in Tokyo", "OnDemand", -1, 0, "" },
	{ "Reserved A2 Core in Netherlands", "OnDemand", -1, 0, "" },
	{ "Sole Tenancy Premium for N2 Instance Core running in Iowa", "OnDemand", -1, 0, "" },
	{ "N2 Sole Tenancy Instance Core running in Iowa", "OnDemand", -1, 0, "" },
	{ "DWS Defined Duration A3 Instance Core running in Iowa", "OnDemand", -1, 0, "" },
	{ "Nvidia L4 GPU attached to DWS Defined Duration VMs running in Frankfurt", "OnDemand", -1, 0,
	  "" },
	{ "Reserved Nvidia H100 80GB Mega GPU in Americas in Calendar Mode", "OnDemand", -1, 0, "" },
	{ "DWS Calendar Mode A4 Nvidia B200 (1 gpu slice) running in Iowa", "OnDemand", -1, 0, "" },
	{ "Regional Balanced PD Capacity in Iowa", "OnDemand", -1, 0, "" },
	{ "N1 Predefined Instance Core running Windows", "OnDemand", -1, 0, "" },
	{ "Z4D-HIGHMEM-HIGHLSSD Instance Ram running in Iowa", "OnDemand", -1, 0, "" },
	{ "Core", "OnDemand", -1, 0, "" },
	{ " Core", "OnDemand", -1, 0, "" },
	{ "", "OnDemand", -1, 0, "" },
};

START_TEST(words_mean)
{
	struct gcp_sku sku;
	int found = gcp_sku_match(words[_i].words, words[_i].usage, &sku);

	ck_assert_msg(found == (words[_i].kind >= 0), "'%s': %d", words[_i].words, found);
	if (!found)
		return;
	ck_assert_msg((int)sku.kind == words[_i].kind, "'%s': kind %d", words[_i].words, sku.kind);
	ck_assert_msg(sku.spot == words[_i].spot, "'%s': spot %d", words[_i].words, sku.spot);
	ck_assert_str_eq(sku.name, words[_i].name);
}
END_TEST

START_TEST(long_words_mean_nothing)
{
	char text[600];
	struct gcp_sku sku;

	memset(text, 'A', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert(!gcp_sku_match(text, "OnDemand", &sku));
	snprintf(text, sizeof(text), "A1%0100d Instance Core running in X", 0);
	ck_assert(!gcp_sku_match(text, "OnDemand", &sku));
}
END_TEST

/* ---- SKUs ---- */

/* Take one whose parts are given as JSON. */
static int take(const char *description, const char *regions, const char *unit,
		const char *tiers)
{
	char text[2048];
	struct json_object *sku;
	int ret;

	snprintf(text, sizeof(text),
		 "{\"description\":\"%s\",\"category\":{\"usageType\":\"OnDemand\"},"
		 "\"serviceRegions\":%s,\"pricingInfo\":[{\"pricingExpression\":{"
		 "\"usageUnit\":\"%s\",\"tieredRates\":%s}}]}",
		 description, regions, unit, tiers);
	sku = souk_json_parse(text, strlen(text));
	ck_assert_msg(sku != NULL, "%s", text);
	ret = gcp_sku_take(&prices, sku, &err);
	json_object_put(sku);
	return ret;
}

#define RATE(units, nanos)                                                                         \
	"[{\"unitPrice\":{\"currencyCode\":\"USD\",\"units\":\"" units "\",\"nanos\":" nanos "}}]"

static int64_t find(enum gcp_rate_kind kind, const char *name, const char *region, int spot)
{
	int64_t nanos = -1;

	gcp_prices_sort(&prices);
	return gcp_prices_find(&prices, kind, name, region, spot, &nanos) ? nanos : -1;
}

START_TEST(rates_are_taken)
{
	ck_assert_int_eq(take("E2 Instance Core running in X", "[\"us-east1\",\"us-west1\"]", "h",
			      RATE("0", "21811590")), SOUK_OK);
	ck_assert_int_eq(take("Nvidia H100 80GB GPU running in X", "[\"us-east1\"]", "h",
			      RATE("9", "796551569")), SOUK_OK);
	ck_assert_int_eq(find(GCP_RATE_CORE, "e2", "us-east1", 0), 21811590);
	ck_assert_int_eq(find(GCP_RATE_CORE, "e2", "us-west1", 0), 21811590);
	ck_assert_int_eq(find(GCP_RATE_GPU, "nvidia-h100-80gb", "us-east1", 0), 9796551569);
	ck_assert_int_eq(find(GCP_RATE_CORE, "e2", "us-east1", 1), -1);
	ck_assert_int_eq(find(GCP_RATE_CORE, "e2", "us-east4", 0), -1);
	ck_assert_int_eq(find(GCP_RATE_RAM, "e2", "us-east1", 0), -1);
	ck_assert(gcp_prices_have(&prices, GCP_RATE_CORE, "e2"));
	ck_assert(!gcp_prices_have(&prices, GCP_RATE_RAM, "e2"));
	ck_assert(!gcp_prices_have(&prices, GCP_RATE_CORE, "e1"));
	ck_assert_uint_eq(prices.n_skus, 2);
}
END_TEST

START_TEST(units_are_seen_to)
{
	/* By the GB, it is a little more by the GiB. */
	ck_assert_int_eq(take("C4D Instance Ram running in X", "[\"us-east1\"]", "GBy.h",
			      RATE("0", "1000000000")), SOUK_E_INTERNAL);
	ck_assert_str_eq(err.message, "'nanos' is over 999999999");
	ck_assert_int_eq(take("C4D Instance Ram running in X", "[\"us-east1\"]", "GBy.h",
			      RATE("1", "0")), SOUK_OK);
	ck_assert_int_eq(take("C4D Instance Core running in X", "[\"us-east1\"]", "count",
			      RATE("1", "0")), SOUK_OK);
	ck_assert_int_eq(take("C3 Instance Core running in X", "[\"us-east1\"]", "GiBy.h",
			      RATE("1", "0")), SOUK_OK);
	ck_assert_int_eq(take("N2 Instance Core running in X", "[\"us-east1\"]", "h",
			      RATE("0", "0")), SOUK_OK);
	ck_assert_int_eq(take("N4 Instance Core running in X", "[\"us-east1\"]", "h", "[]"),
			 SOUK_OK);
	ck_assert_int_eq(find(GCP_RATE_RAM, "c4d", "us-east1", 0), 1073741824);
	ck_assert_uint_eq(prices.n, 1);
	ck_assert_uint_eq(prices.n_strange, 4);
}
END_TEST

START_TEST(what_is_free_once_is_not_free)
{
	take("Storage PD Capacity", "[\"us-east1\"]", "GiBy.mo",
	     "[{\"unitPrice\":{\"currencyCode\":\"USD\",\"units\":\"0\",\"nanos\":0}},"
	     "{\"startUsageAmount\":30,\"unitPrice\":{\"currencyCode\":\"USD\",\"units\":\"0\","
	     "\"nanos\":40000000}}]");
	ck_assert_int_eq(find(GCP_RATE_DISK, "pd-standard", "us-east1", 0), 40000000);
}
END_TEST

START_TEST(the_higher_of_two_prices)
{
	take("Memory-optimized Instance Core running in Tokyo", "[\"asia-northeast1\"]", "h",
	     RATE("0", "42600000"));
	take("Memory-optimized Instance Core running in Japan", "[\"asia-northeast1\"]", "h",
	     RATE("0", "42648900"));
	take("Memory-optimized Instance Core running in Nippon", "[\"asia-northeast1\"]", "h",
	     RATE("0", "42648900"));
	ck_assert_int_eq(find(GCP_RATE_CORE, "m1", "asia-northeast1", 0), 42648900);
	ck_assert_uint_eq(prices.n, 1);
	ck_assert_uint_eq(prices.n_twice, 1);
}
END_TEST

static const struct {
	const char *sku;
	const char *says;
} bad_skus[] = {
	{ "7", "a SKU is not an object" },
	{ "{\"description\":7}", "'description' is not a text" },
	{ "{\"description\":\"x\",\"category\":[]}", "'category' is not an object" },
	{ "{\"description\":\"x\",\"category\":{\"usageType\":1}}", "'usageType' is not a text" },
#define CORE "{\"description\":\"E2 Instance Core\",\"category\":{\"usageType\":\"OnDemand\"},"
	{ CORE "\"serviceRegions\":7}", "'serviceRegions' is not a list" },
	{ CORE "\"serviceRegions\":[],\"pricingInfo\":{}}", "'pricingInfo' is not a list" },
	{ CORE "\"serviceRegions\":[],\"pricingInfo\":[{\"pricingExpression\":3}]}",
	  "'pricingExpression' is not an object" },
	{ CORE "\"serviceRegions\":[],\"pricingInfo\":[{\"pricingExpression\":{\"usageUnit\":\"h\","
	       "\"tieredRates\":7}}]}", "'tieredRates' is not a list" },
	{ CORE "\"serviceRegions\":[],\"pricingInfo\":[{\"pricingExpression\":{\"usageUnit\":\"h\","
	       "\"tieredRates\":[{}]}}]}", "'unitPrice' is missing" },
	{ CORE "\"serviceRegions\":[],\"pricingInfo\":[{\"pricingExpression\":{\"usageUnit\":\"h\","
	       "\"tieredRates\":[{\"unitPrice\":{\"currencyCode\":\"JPY\"}}]}}]}",
	  "'currencyCode' is 'JPY', not 'USD'" },
	{ CORE "\"serviceRegions\":[],\"pricingInfo\":[{\"pricingExpression\":{\"usageUnit\":\"h\","
	       "\"tieredRates\":[{\"unitPrice\":{\"currencyCode\":\"USD\",\"units\":\"-1\"}}]}}]}",
	  "'units' is not a count" },
	{ CORE "\"serviceRegions\":[],\"pricingInfo\":[{\"pricingExpression\":{\"usageUnit\":\"h\","
	       "\"tieredRates\":[{\"unitPrice\":{\"currencyCode\":\"USD\",\"nanos\":1.5}}]}}]}",
	  "'nanos' is not a count" },
	{ CORE "\"serviceRegions\":[\"us east\"],\"pricingInfo\":[{\"pricingExpression\":{"
	       "\"usageUnit\":\"h\",\"tieredRates\":[{\"unitPrice\":{\"currencyCode\":\"USD\","
	       "\"nanos\":15}}]}}]}", "'serviceRegions' has what is no region" },
};

START_TEST(bad_skus_are_named)
{
	struct json_object *sku;
	char text[1024];

	snprintf(text, sizeof(text), "{\"x\":%s}", bad_skus[_i].sku);
	sku = souk_json_parse(text, strlen(text));
	ck_assert_ptr_nonnull(sku);
	ck_assert_int_eq(gcp_sku_take(&prices, json_object_object_get(sku, "x"), &err),
			 SOUK_E_INTERNAL);
	ck_assert_str_eq(err.message, bad_skus[_i].says);
	json_object_put(sku);
}
END_TEST

/* ---- Machine types ---- */

static int read_type(const char *text, struct gcp_type *type)
{
	struct json_object *object = souk_json_parse(text, strlen(text));
	int ret;

	ck_assert_ptr_nonnull(object);
	ret = gcp_type_read(object, type, &err);
	json_object_put(object);
	return ret;
}

START_TEST(types_are_read)
{
	struct gcp_type type;

	ck_assert_int_eq(read_type("{\"name\":\"a3-highgpu-8g\",\"guestCpus\":208,"
				   "\"memoryMb\":1916928,\"architecture\":\"X86_64\","
				   "\"accelerators\":[{\"guestAcceleratorType\":\"nvidia-h100-80gb\","
				   "\"guestAcceleratorCount\":8}],"
				   "\"bundledLocalSsds\":{\"partitionCount\":16}}", &type), 1);
	ck_assert_str_eq(type.name, "a3-highgpu-8g");
	ck_assert_str_eq(type.accelerator, "nvidia-h100-80gb");
	ck_assert_uint_eq(type.accelerators, 8);
	ck_assert_uint_eq(type.vcpus, 208);
	ck_assert_uint_eq(type.memory_mib, 1916928);
	ck_assert_uint_eq(type.local_ssds, 16);
	ck_assert(type.has_local_ssds && !type.is_arm && !type.is_shared);
	ck_assert_int_eq(read_type("{\"name\":\"t2a-standard-1\",\"guestCpus\":1,\"memoryMb\":4096}",
				   &type), 1);
	ck_assert(type.is_arm && !type.has_local_ssds);
	ck_assert_int_eq(read_type("{\"name\":\"n5-x\",\"guestCpus\":1,\"memoryMb\":4096,"
				   "\"architecture\":\"ARM64\",\"isSharedCpu\":true}", &type), 1);
	ck_assert(type.is_arm && type.is_shared);
	ck_assert_int_eq(read_type("{\"name\":\"n1-x\",\"guestCpus\":1,\"memoryMb\":4096,"
				   "\"deprecated\":{\"state\":\"OBSOLETE\"}}", &type), 0);
	ck_assert_int_eq(read_type("{\"name\":\"n1-x\",\"guestCpus\":0,\"memoryMb\":4096}", &type),
			 0);
}
END_TEST

static const struct {
	const char *type;
	const char *says;
} bad_types[] = {
	{ "{}", "'name' is missing" },
	{ "{\"name\":7}", "'name' is not a text" },
	{ "{\"name\":\"N1 x\"}", "'name' is not a name: 'N1 x'" },
	{ "{\"name\":\"n1-x\",\"memoryMb\":1}", "'guestCpus' is missing" },
	{ "{\"name\":\"n1-x\",\"guestCpus\":1}", "'memoryMb' is missing" },
	{ "{\"name\":\"n1-x\",\"guestCpus\":\"many\",\"memoryMb\":1}", "'guestCpus' is not a count" },
	{ "{\"name\":\"n1-x\",\"guestCpus\":-1,\"memoryMb\":1}", "'guestCpus' is not a count" },
	{ "{\"name\":\"n1-x\",\"guestCpus\":4097,\"memoryMb\":1}", "'guestCpus' is over 4096" },
	{ "{\"name\":\"n1-x\",\"guestCpus\":1,\"memoryMb\":99999999}",
	  "'memoryMb' is over 67108864" },
	{ "{\"name\":\"n1-x\",\"guestCpus\":1,\"memoryMb\":1,\"isSharedCpu\":1}",
	  "'isSharedCpu' is not true or false" },
	{ "{\"name\":\"n1-x\",\"guestCpus\":1,\"memoryMb\":1,\"accelerators\":{}}",
	  "'accelerators' is not a list" },
	{ "{\"name\":\"n1-x\",\"guestCpus\":1,\"memoryMb\":1,\"accelerators\":[7]}",
	  "'guestAcceleratorType' is missing" },
	{ "{\"name\":\"n1-x\",\"guestCpus\":1,\"memoryMb\":1,\"accelerators\":[{"
	  "\"guestAcceleratorType\":\"x\"}]}", "'guestAcceleratorCount' is missing" },
	{ "{\"name\":\"n1-x\",\"guestCpus\":1,\"memoryMb\":1,\"bundledLocalSsds\":[]}",
	  "'bundledLocalSsds' is not an object" },
	{ "{\"name\":\"n1-x\",\"deprecated\":1}", "'deprecated' is not an object" },
};

START_TEST(bad_types_are_named)
{
	struct gcp_type type;

	ck_assert_int_eq(read_type(bad_types[_i].type, &type), SOUK_E_INTERNAL);
	ck_assert_str_eq(err.message, bad_types[_i].says);
}
END_TEST

/* ---- Costs ---- */

static struct gcp_type make_type(const char *name, uint32_t vcpus, uint32_t mib)
{
	struct gcp_type type = { .vcpus = vcpus, .memory_mib = mib };

	snprintf(type.name, sizeof(type.name), "%s", name);
	return type;
}

static int64_t cost_of(const struct gcp_type *type, const char *gpu, uint32_t gpu_milli)
{
	struct gcp_machine machine = { type, gpu, gpu_milli, "us-east1" };
	const char *missing = NULL;
	struct gcp_cost cost = { 0 };

	gcp_prices_sort(&prices);
	if (gcp_cost(&prices, &machine, 0, &cost, &missing))
		return cost.total;
	ck_assert_ptr_nonnull(missing);
	return -1;
}

static void take_family(const char *words_, const char *core, const char *ram)
{
	char tiers[256];
	char text[128];

	snprintf(tiers, sizeof(tiers), RATE("0", "%s"), core);
	snprintf(text, sizeof(text), "%s Core running in X", words_);
	ck_assert_int_eq(take(text, "[\"us-east1\"]", "h", tiers), SOUK_OK);
	snprintf(tiers, sizeof(tiers), RATE("0", "%s"), ram);
	snprintf(text, sizeof(text), "%s Ram running in X", words_);
	ck_assert_int_eq(take(text, "[\"us-east1\"]", "GiBy.h", tiers), SOUK_OK);
}

START_TEST(parts_make_a_price)
{
	struct gcp_type n1 = make_type("n1-standard-4", 4, 15 * 1024);
	struct gcp_type e2 = make_type("e2-small", 2, 2048);
	struct gcp_type a3 = make_type("a3-highgpu-8g", 208, 1872 * 1024);
	struct gcp_type m2 = make_type("m2-ultramem-208", 208, 5888 * 1024);

	take_family("N1 Predefined Instance", "31611000", "4237000");
	/* 4 x 0.031611 + 15 x 0.004237 */
	ck_assert_int_eq(cost_of(&n1, NULL, 0), 189999);
	ck_assert_int_eq(cost_of(&n1, "nvidia-tesla-t4", 2000), -1);
	take("Nvidia Tesla T4 GPU running in X", "[\"us-east1\"]", "h", RATE("0", "350000000"));
	ck_assert_int_eq(cost_of(&n1, "nvidia-tesla-t4", 2000), 889999);
	/* Half a vCPU of two. */
	e2.is_shared = 1;
	take_family("E2 Instance", "21811590", "2923530");
	ck_assert_int_eq(cost_of(&e2, NULL, 0), 16753);
	/* A shared core of which nobody knows how much counts. */
	snprintf(e2.name, sizeof(e2.name), "e2-nano");
	ck_assert_int_eq(cost_of(&e2, NULL, 0), -1);
	take_family("A3 Instance", "29363000", "2544000");
	take("Nvidia H100 80GB GPU running in X", "[\"us-east1\"]", "h", RATE("9", "796551569"));
	ck_assert_int_eq(cost_of(&a3, "nvidia-h100-80gb", 8000), -1); /* its disks */
	take("SSD backed Local Storage in X", "[\"us-east1\"]", "GiBy.mo", RATE("0", "80000000"));
	ck_assert_int_eq(cost_of(&a3, "nvidia-h100-80gb", 8000), 89899819);
	take_family("Memory-optimized Instance", "34800000", "5100000");
	ck_assert_int_eq(cost_of(&m2, NULL, 0), -1); /* without the premium */
	take_family("Memory Optimized Upgrade Premium for Memory-optimized Instance", "4800000",
		    "730000");
	ck_assert_int_eq(cost_of(&m2, NULL, 0), 42563840);
}
END_TEST

START_TEST(slices_have_all_in_them)
{
	struct gcp_type a4 = make_type("a4-highgpu-8g", 224, 3968 * 1024);

	take("A4 Nvidia B200 (1 gpu slice) running in X", "[\"us-east1\"]", "h",
	     RATE("16", "110000000"));
	ck_assert_int_eq(cost_of(&a4, "nvidia-b200", 8000), 128880000);
	ck_assert_int_eq(cost_of(&a4, NULL, 0), -1);
}
END_TEST

START_TEST(own_disks_of_a_family)
{
	struct gcp_type c4 = make_type("c4-standard-8-lssd", 8, 30 * 1024);
	struct gcp_type c3 = make_type("c3-standard-4-lssd", 4, 16 * 1024);

	c4.has_local_ssds = c3.has_local_ssds = 1;
	c4.local_ssds = c3.local_ssds = 1;
	take_family("C4 Instance", "30000000", "4000000");
	take_family("C3 Instance", "30000000", "4000000");
	take("SSD backed Local Storage in X", "[\"us-east1\"]", "GiBy.mo", RATE("0", "73000000"));
	/* 375 GiB at 0.073 a month are 0.0375 an hour. */
	ck_assert_int_eq(cost_of(&c3, NULL, 0), 120000 + 64000 + 37500);
	ck_assert_int_eq(cost_of(&c4, NULL, 0), 240000 + 120000 + 37500);
	/* Once C4 has a rate of its own, be it elsewhere, the common one is not its price. */
	take("C4 Instance Local SSD running in Y", "[\"us-west1\"]", "GiBy.mo",
	     RATE("0", "146000000"));
	ck_assert_int_eq(cost_of(&c4, NULL, 0), -1);
	take("C4 Instance Local SSD running in X", "[\"us-east1\"]", "GiBy.mo",
	     RATE("0", "146000000"));
	ck_assert_int_eq(cost_of(&c4, NULL, 0), 240000 + 120000 + 75000);
	ck_assert_int_eq(cost_of(&c3, NULL, 0), 120000 + 64000 + 37500);
	/* What says that it has disks, and not how many. */
	c3.has_local_ssds = 0;
	ck_assert_int_eq(cost_of(&c3, NULL, 0), -1);
}
END_TEST

START_TEST(huge_numbers_do_no_harm)
{
	struct gcp_type type = make_type("n2-x", 4096, 64 * 1024 * 1024);

	take("N2 Instance Core running in X", "[\"us-east1\"]", "h", RATE("999999", "999999999"));
	take("N2 Instance Ram running in X", "[\"us-east1\"]", "GiBy.h",
	     RATE("999999", "999999999"));
	ck_assert_int_gt(cost_of(&type, NULL, 0), 0);
	ck_assert_int_eq(gcp_storage_micros(100000000, 100 * 1024), 13699);
}
END_TEST

/* ---- Facts ---- */

static const struct {
	const char *type;
	uint32_t vcpus, gib;
	const char *gpu;
	uint32_t count;
	const char *zone;
	int may;
} limits[] = {
	{ "n1-standard-4", 4, 15, "nvidia-tesla-t4", 1, "us-east1-d", 1 },
	{ "n1-standard-64", 64, 240, "nvidia-tesla-t4", 2, "us-east1-d", 0 },
	{ "n1-standard-64", 64, 240, "nvidia-tesla-t4", 4, "us-east1-d", 1 },
	{ "n1-standard-4", 4, 15, "nvidia-tesla-t4", 3, "us-east1-d", 0 },
	{ "n1-standard-4", 4, 15, "nvidia-tesla-t4", 8, "us-east1-d", 0 },
	{ "n1-highmem-16", 16, 104, "nvidia-tesla-v100", 1, "us-east1-d", 0 },
	{ "n1-highmem-8", 8, 52, "nvidia-tesla-v100", 8, "us-east1-d", 1 },
	{ "n1-standard-96", 96, 360, "nvidia-tesla-p100", 4, "us-east1-d", 1 },
	{ "n1-standard-96", 96, 360, "nvidia-tesla-p100", 4, "us-east1-c", 0 },
	{ "n1-standard-16", 16, 60, "nvidia-tesla-p100", 4, "us-east1-c", 1 },
	{ "n2-standard-4", 4, 16, "nvidia-tesla-t4", 1, "us-east1-d", 0 },
	{ "n1-standard-4", 4, 15, "nvidia-l4", 1, "us-east1-d", 0 },
};

START_TEST(n1_limits_hold)
{
	struct gcp_type type = make_type(limits[_i].type, limits[_i].vcpus, limits[_i].gib * 1024);

	ck_assert_int_eq(gcp_n1_may_have(&type, limits[_i].gpu, limits[_i].count, limits[_i].zone),
			 limits[_i].may);
}
END_TEST

START_TEST(names_and_parts)
{
	struct gcp_type g4 = make_type("g4-standard-12", 12, 45 * 1024);
	char family[GCP_NAME_SIZE];

	g4.accelerators = 1;
	ck_assert_uint_eq(gcp_built_in_milli(&g4), 250);
	snprintf(g4.name, sizeof(g4.name), "g4-standard-96");
	g4.accelerators = 2;
	ck_assert_uint_eq(gcp_built_in_milli(&g4), 2000);
	gcp_family_of("a3-megagpu-8g", family);
	ck_assert_str_eq(family, "a3plus");
	gcp_family_of("a3-highgpu-8g", family);
	ck_assert_str_eq(family, "a3");
	gcp_family_of("n1-megamem-96", family);
	ck_assert_str_eq(family, "");
	gcp_family_of("m4-ultramem-224", family);
	ck_assert_str_eq(family, "m4ultramem224");
	ck_assert(!gcp_sold_on_demand("a3-highgpu-1g") && gcp_sold_on_demand("a3-highgpu-8g"));
	ck_assert(!gcp_sold_on_demand("a4-highgpu-8g") && gcp_sold_as_spot("a4-highgpu-8g"));
	ck_assert(!gcp_sold_as_spot("m2-ultramem-208"));
	ck_assert(gcp_can_migrate("n2-standard-4") && !gcp_can_migrate("h3-standard-88") &&
		  !gcp_can_migrate("c3-standard-192-metal"));
	ck_assert(gcp_is_tpu("ct6e-standard-4t") && gcp_is_tpu("tpu7x-standard-4t"));
	ck_assert(!gcp_is_tpu("c2-standard-4"));
	ck_assert_str_eq(gcp_disk_kind("n1-standard-4", "low"), "pd-standard");
	ck_assert_str_eq(gcp_disk_kind("c3-standard-4", "low"), "pd-balanced");
	ck_assert_str_eq(gcp_disk_kind("n1-standard-4", NULL), "pd-balanced");
	ck_assert_str_eq(gcp_disk_kind("g2-standard-4", "best"), "pd-ssd");
	ck_assert_str_eq(gcp_disk_kind("c4-standard-4", "low"), "hyperdisk-balanced");
	ck_assert_str_eq(gcp_disk_kind("a3-ultragpu-8g", "high"), "hyperdisk-balanced");
	ck_assert_str_eq(gcp_gpu_find("nvidia-a100-80gb")->name, "A100-80GB");
	ck_assert_ptr_null(gcp_gpu_find("nvidia-tesla-t4-vws"));
}
END_TEST

START_TEST(texts)
{
	ck_assert(gcp_is_name("us-central1-a") && gcp_is_name("n"));
	ck_assert(!gcp_is_name("") && !gcp_is_name("1a") && !gcp_is_name("a-") &&
		  !gcp_is_name("A") && !gcp_is_name("a/b"));
	ck_assert(gcp_is_project("my-project-1") && gcp_is_project("example.com:my-project"));
	ck_assert(!gcp_is_project("../x") && !gcp_is_project("a b") && !gcp_is_project("") &&
		  !gcp_is_project(":x") && !gcp_is_project("a?b:c"));
	ck_assert_str_eq(gcp_basename("https://x/y/z-1"), "z-1");
	ck_assert_str_eq(gcp_basename("z"), "z");
	ck_assert(souk_list_has("a, b,c", "b") && souk_list_has("a", "a"));
	ck_assert(!souk_list_has("ab,c", "a") && !souk_list_has("", "a"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gcp-market");
	TCase *tc = tcase_create("market");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, words_mean, 0, (int)GCP_ARRAY_SIZE(words));
	tcase_add_test(tc, long_words_mean_nothing);
	tcase_add_test(tc, rates_are_taken);
	tcase_add_test(tc, units_are_seen_to);
	tcase_add_test(tc, what_is_free_once_is_not_free);
	tcase_add_test(tc, the_higher_of_two_prices);
	tcase_add_loop_test(tc, bad_skus_are_named, 0, (int)GCP_ARRAY_SIZE(bad_skus));
	tcase_add_test(tc, types_are_read);
	tcase_add_loop_test(tc, bad_types_are_named, 0, (int)GCP_ARRAY_SIZE(bad_types));
	tcase_add_test(tc, parts_make_a_price);
	tcase_add_test(tc, slices_have_all_in_them);
	tcase_add_test(tc, own_disks_of_a_family);
	tcase_add_test(tc, huge_numbers_do_no_harm);
	tcase_add_loop_test(tc, n1_limits_hold, 0, (int)GCP_ARRAY_SIZE(limits));
	tcase_add_test(tc, names_and_parts);
	tcase_add_test(tc, texts);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
