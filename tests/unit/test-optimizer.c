/* SPDX-License-Identifier: Apache-2.0 */
/* test-optimizer.c - what fits a task, rule by rule, and what is said when nothing does */
#include <stdint.h>
#include <stdio.h>

#include "base/pattern.h"
#include "base/util.h"
#include "market-fixture.h"

static struct souk_error err = SOUK_ERROR_INIT;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)
#define ASK(...) { __VA_ARGS__ }
#define T4(n) .accelerator = { .name = (char *)"T4", .milli = (n) }

/* ---- Offers ---- */

/* Four T4, 48 vCPUs, 192 GiB for 4 dollars, 1 as spot, in zone r1-a. */
static const struct fixture_offer gpu = {
	.provider = "p",
	.offer = { SOUK_OFFER_HEAD, .instance_type = "g4", .region = "r1", .zone = "r1-a",
		   .arch = "x86_64", .accelerator = "T4", .accelerator_milli = 4000,
		   .accelerator_memory_mib = 16384, .vcpus_milli = 48000, .memory_mib = 192 * 1024,
		   .local_disk_mib = 900 * 1024, .micros_per_hour = 4000000,
		   .spot_micros_per_hour = 1000000, .currency = "USD" },
};

/* 8 vCPUs, 32 GiB, no zone, not sold as spot; and what differs from it in one thing. */
#define CPU(arch_, micros_, spot_, currency_)                                                      \
	{ .provider = "p",                                                                         \
	  .offer = { SOUK_OFFER_HEAD, .instance_type = "m5", .region = "r2", .arch = arch_,        \
		     .vcpus_milli = 8000, .memory_mib = 32 * 1024, .micros_per_hour = micros_,     \
		     .spot_micros_per_hour = spot_, .currency = currency_ } }
static const struct fixture_offer cpu = CPU("x86_64", 400000, -1, "USD");
static const struct fixture_offer only_spot = CPU("x86_64", -1, 100000, "USD");
static const struct fixture_offer dear_spot = CPU("x86_64", 400000, 400001, "USD");
static const struct fixture_offer nothing = CPU("x86_64", 0, -1, "USD");
static const struct fixture_offer euro = CPU("x86_64", 400000, -1, "EUR");

/* The same of another architecture, cheaper. */
static const struct fixture_offer arm = {
	.provider = "p",
	.offer = { SOUK_OFFER_HEAD, .instance_type = "m7g", .region = "r2", .arch = "arm64",
		   .vcpus_milli = 8000, .memory_mib = 32 * 1024, .micros_per_hour = 300000,
		   .spot_micros_per_hour = -1, .currency = "USD" },
};
static const struct fixture_offer grace = {
	.provider = "p",
	.offer = { SOUK_OFFER_HEAD, .instance_type = "grace", .region = "r2", .arch = "arm64",
		   .accelerator = "GH200", .accelerator_milli = 1000, .accelerator_memory_mib = 96 * 1024,
		   .vcpus_milli = 64000, .memory_mib = 432 * 1024, .micros_per_hour = 1500000,
		   .spot_micros_per_hour = -1, .currency = "USD" },
};

/* This computer: whatever it has. */
static const struct fixture_offer own = {
	.provider = "p",
	.offer = { SOUK_OFFER_HEAD, .flags = SOUK_OFFER_FREE, .instance_type = "localhost",
		   .region = "local", .arch = "x86_64", .vcpus_milli = 2000, .memory_mib = 4 * 1024,
		   .micros_per_hour = 0, .spot_micros_per_hour = 0, .currency = "USD" },
};
static const struct fixture_offer own_gpu = {
	.provider = "p",
	.offer = { SOUK_OFFER_HEAD, .flags = SOUK_OFFER_FREE, .instance_type = "localhost",
		   .region = "local", .arch = "arm64", .accelerator = "RTX4090",
		   .accelerator_milli = 1000, .vcpus_milli = 2000, .memory_mib = 4 * 1024,
		   .micros_per_hour = 0, .spot_micros_per_hour = 0, .currency = "USD" },
};

/* ---- Matching ---- */

static const struct souk_market_provider everything = { "p", ALL_FEATURES, 1, SOUK_STANDS_IN, 0 };

static const struct {
	const char *what;
	const struct fixture_offer *offer;
	struct souk_request request;
	enum souk_misfit misfit;
} fits[] = {
	/* Place */
	{ "nothing asked", &cpu, ASK(.rank = 0), SOUK_FITS },
	{ "provider", &cpu, ASK(.provider = TEXT("p")), SOUK_FITS },
	{ "other provider", &cpu, ASK(.provider = TEXT("q")), SOUK_MISFIT_PROVIDER },
	{ "region", &cpu, ASK(.region = TEXT("R2")), SOUK_FITS },
	{ "other region", &cpu, ASK(.region = TEXT("r1")), SOUK_MISFIT_PLACE },
	{ "zone", &gpu, ASK(.zone = TEXT("r1-a"), T4(4000)), SOUK_FITS },
	{ "other zone", &gpu, ASK(.zone = TEXT("r1-b"), T4(4000)), SOUK_MISFIT_PLACE },
	{ "zone of none", &cpu, ASK(.zone = TEXT("r2-a")), SOUK_MISFIT_PLACE },
	{ "type", &cpu, ASK(.instance_type = TEXT("M5")), SOUK_FITS },
	{ "other type", &cpu, ASK(.instance_type = TEXT("m6")), SOUK_MISFIT_INSTANCE_TYPE },
	{ "type with GPU", &gpu, ASK(.instance_type = TEXT("g4")), SOUK_FITS },
	{ "a pattern", &gpu, ASK(.region = TEXT("R*"), .zone = TEXT("*-A"), T4(4000)), SOUK_FITS },
	{ "a pattern in the middle", &gpu, ASK(.zone = TEXT("r*-*a"), T4(4000)), SOUK_FITS },
	{ "another pattern", &gpu, ASK(.zone = TEXT("*-b"), T4(4000)), SOUK_MISFIT_PLACE },
	{ "a pattern is not a part", &gpu, ASK(.region = TEXT("r"), T4(4000)), SOUK_MISFIT_PLACE },
	{ "zone of none by pattern", &cpu, ASK(.zone = TEXT("*")), SOUK_MISFIT_PLACE },
	/* Architecture */
	{ "arm64 that nobody asked for", &arm, ASK(.cpus = { 8000, 0 }), SOUK_MISFIT_ARCH },
	{ "arm64 by type", &arm, ASK(.instance_type = TEXT("m7g")), SOUK_FITS },
	{ "arm64 with its accelerator", &grace, ASK(.accelerator = { .name = TEXT("GH200"), .milli = 1000 }),
	  SOUK_FITS },
	{ "arm64 by the memory of its accelerator", &grace,
	  ASK(.accelerator = { .milli = 1000, .memory_mib = 96 * 1024 }), SOUK_MISFIT_ARCH },
	/* Accelerators */
	{ "GPU", &gpu, ASK(T4(4000)), SOUK_FITS },
	{ "GPU by alias", &gpu, ASK(.accelerator = { .name = TEXT("nvidia-tesla-t4"), .milli = 4000 }),
	  SOUK_FITS },
	{ "other GPU", &gpu, ASK(.accelerator = { .name = TEXT("T4g"), .milli = 4000 }),
	  SOUK_MISFIT_ACCELERATOR },
	{ "fewer GPUs", &gpu, ASK(T4(1000)), SOUK_MISFIT_COUNT },
	{ "more GPUs", &gpu, ASK(T4(5000)), SOUK_MISFIT_COUNT },
	{ "a fraction is rounded up", &gpu, ASK(T4(3500)), SOUK_FITS },
	{ "a fraction too much", &gpu, ASK(T4(4001)), SOUK_MISFIT_COUNT },
	{ "GPU of none", &cpu, ASK(T4(1000)), SOUK_MISFIT_ACCELERATOR },
	{ "no GPU asked", &gpu, ASK(.cpus = { 48000, 0 }), SOUK_MISFIT_ACCELERATOR },
	{ "GPU memory", &gpu, ASK(.accelerator = { .milli = 4000, .memory_mib = 16 * 1024 }), SOUK_FITS },
	{ "GPU memory about", &gpu, ASK(.accelerator = { .milli = 4000, .memory_mib = 16500 }),
	  SOUK_FITS },
	{ "GPU memory not", &gpu, ASK(.accelerator = { .milli = 4000, .memory_mib = 24 * 1024 }),
	  SOUK_MISFIT_ACCELERATOR },
	{ "GPU memory less", &gpu, ASK(.accelerator = { .milli = 4000, .memory_mib = 12 * 1024 }),
	  SOUK_MISFIT_ACCELERATOR },
	{ "GPU memory at least", &gpu,
	  ASK(.accelerator = { .milli = 4000, .memory_mib = 12 * 1024, .memory_at_least = 1 }), SOUK_FITS },
	{ "GPU memory and maker", &gpu,
	  ASK(.accelerator = { .milli = 4000, .memory_mib = 16384, .maker = TEXT("NVIDIA") }), SOUK_FITS },
	{ "GPU memory, other maker", &gpu,
	  ASK(.accelerator = { .milli = 4000, .memory_mib = 16384, .maker = TEXT("amd") }),
	  SOUK_MISFIT_ACCELERATOR },
	{ "GPU memory, wrong number", &gpu, ASK(.accelerator = { .milli = 1000, .memory_mib = 16384 }),
	  SOUK_MISFIT_COUNT },
	/* Size */
	{ "vCPUs exactly", &cpu, ASK(.cpus = { 8000, 0 }), SOUK_FITS },
	{ "vCPUs exactly, fewer", &cpu, ASK(.cpus = { 4000, 0 }), SOUK_MISFIT_CPUS },
	{ "vCPUs at least", &cpu, ASK(.cpus = { 4000, 1 }), SOUK_FITS },
	{ "vCPUs at least, more", &cpu, ASK(.cpus = { 8001, 1 }), SOUK_MISFIT_CPUS },
	{ "memory exactly", &cpu, ASK(.memory = { 32 * 1024, 0 }), SOUK_FITS },
	{ "memory nearly", &cpu, ASK(.memory = { 32 * 1024 + 511, 0 }), SOUK_FITS },
	{ "memory not", &cpu, ASK(.memory = { 32 * 1024 + 512, 0 }), SOUK_MISFIT_MEMORY },
	{ "memory too much", &cpu, ASK(.memory = { 16 * 1024, 0 }), SOUK_MISFIT_MEMORY },
	{ "memory at least", &cpu, ASK(.memory = { 16 * 1024, 1 }), SOUK_FITS },
	{ "memory at least, more", &cpu, ASK(.memory = { 32 * 1024 + 1, 1 }), SOUK_MISFIT_MEMORY },
	/* One's own machine */
	{ "own: any", &own, ASK(.rank = 0), SOUK_FITS },
	{ "own: fewer vCPUs", &own, ASK(.cpus = { 1000, 0 }), SOUK_FITS },
	{ "own: more vCPUs", &own, ASK(.cpus = { 4000, 0 }), SOUK_MISFIT_CPUS },
	{ "own: less memory", &own, ASK(.memory = { 1024, 0 }), SOUK_FITS },
	{ "own: more memory", &own, ASK(.memory = { 8192, 1 }), SOUK_MISFIT_MEMORY },
	{ "own with a GPU that nobody asked for", &own_gpu, ASK(.cpus = { 1000, 0 }), SOUK_FITS },
	{ "own with the GPU", &own_gpu, ASK(.accelerator = { .name = TEXT("rtx4090"), .milli = 1000 }),
	  SOUK_FITS },
	{ "own: GPU", &own, ASK(T4(1000)), SOUK_MISFIT_ACCELERATOR },
	/* Local disk */
	{ "disk", &gpu, ASK(T4(4000), .local_disk = { .set = 1, .size_gib = 900 }), SOUK_FITS },
	{ "any disk", &gpu, ASK(T4(4000), .local_disk = { .set = 1, .at_least = 1 }), SOUK_FITS },
	{ "smaller disk", &gpu, ASK(T4(4000), .local_disk = { .set = 1, .size_gib = 400 }),
	  SOUK_MISFIT_LOCAL_DISK },
	{ "disk at least", &gpu, ASK(T4(4000), .local_disk = { .set = 1, .size_gib = 400, .at_least = 1 }),
	  SOUK_FITS },
	{ "larger disk", &gpu, ASK(T4(4000), .local_disk = { .set = 1, .size_gib = 1000, .at_least = 1 }),
	  SOUK_MISFIT_LOCAL_DISK },
	{ "disk give or take one", &gpu, ASK(T4(4000), .local_disk = { .set = 1, .size_gib = 901 }),
	  SOUK_FITS },
	{ "disk give or take two", &gpu, ASK(T4(4000), .local_disk = { .set = 1, .size_gib = 902 }),
	  SOUK_MISFIT_LOCAL_DISK },
	{ "no disk at all", &cpu, ASK(.local_disk = { .set = 1, .size_gib = 100, .at_least = 1 }),
	  SOUK_MISFIT_LOCAL_DISK },
	/* Price and market */
	{ "spot", &gpu, ASK(T4(4000), .use_spot = 1), SOUK_FITS },
	{ "not sold as spot", &cpu, ASK(.use_spot = 1), SOUK_MISFIT_MARKET },
	{ "the limit", &gpu, ASK(T4(4000), .max_hourly_micros = 4000000), SOUK_FITS },
	{ "over the limit", &gpu, ASK(T4(4000), .max_hourly_micros = 3999999), SOUK_MISFIT_PRICE },
	{ "a limit in dollars for euros", &euro, ASK(.cpus = { 8000, 0 }, .max_hourly_micros = 9000000),
	  SOUK_MISFIT_PRICE },
	{ "euros without a limit", &euro, ASK(.cpus = { 8000, 0 }), SOUK_FITS },
	{ "only spot", &only_spot, ASK(.cpus = { 8000, 0 }), SOUK_MISFIT_MARKET },
	{ "only spot, asked for", &only_spot, ASK(.cpus = { 8000, 0 }, .use_spot = 1), SOUK_FITS },
	{ "nothing costs nothing", &nothing, ASK(.cpus = { 8000, 0 }), SOUK_MISFIT_MARKED },
	{ "spot above on demand", &dear_spot, ASK(.cpus = { 8000, 0 }, .use_spot = 1),
	  SOUK_MISFIT_MARKED },
	{ "on demand below spot", &dear_spot, ASK(.cpus = { 8000, 0 }), SOUK_FITS },
	{ "spot under the limit", &gpu, ASK(T4(4000), .use_spot = 1, .max_hourly_micros = 1000000),
	  SOUK_FITS },
};


/* What an offer fails by, by the survey; that the plan has it if and only if it fits, too. */
static enum souk_misfit misfit_of(const struct fixture_offer *offer,
				  const struct souk_market_provider *provider,
				  const struct souk_task *task, char *feature, size_t size)
{
	struct souk_market market = fixture_market(offer, 1);
	struct souk_plan_query query = { .market = &market, .providers = provider, .n_providers = 1,
					 .task = task };
	static struct souk_survey survey;
	struct souk_plan_result result;
	int i, found = SOUK_MISFITS;

	OK(souk_optimizer_survey(&query, INT64_MAX, &survey, &err));
	OK(souk_optimizer_plan(&query, &result, &err));
	for (i = 0; i < SOUK_MISFITS; i++) {
		if (survey.groups[i].n == 0)
			continue;
		ck_assert_uint_eq(survey.groups[i].n, 1);
		ck_assert_int_eq(found, SOUK_MISFITS);
		found = i;
	}
	ck_assert_uint_eq(result.n, found == SOUK_FITS);
	ck_assert_uint_eq(result.n_marked, found == SOUK_MISFIT_MARKED);
	if (feature)
		snprintf(feature, size, "%s", survey.groups[found].feature);
	souk_plan_result_fini(&result);
	souk_market_fini(&market);
	return (enum souk_misfit)found;
}

START_TEST(fits_or_says_why_not)
{
	struct souk_request request = fits[_i].request;
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	enum souk_misfit misfit = misfit_of(fits[_i].offer, &everything, &task, NULL, 0);

	ck_assert_msg(misfit == fits[_i].misfit, "%s: %s, not %s", fits[_i].what,
		      souk_misfit_name(misfit), souk_misfit_name(fits[_i].misfit));
}
END_TEST

/* A task that says nothing gets 8 vCPUs and 4 GiB for each; machines of one's own are spared. */
START_TEST(the_default_size)
{
	static const struct {
		uint32_t vcpus_milli;
		uint64_t memory_mib;
		struct souk_request request;
		enum souk_misfit misfit;
	} sizes[] = {
		{ 8000, 32 * GIB, ASK(.rank = 0), SOUK_FITS },
		{ 8000, 32 * GIB - 1, ASK(.rank = 0), SOUK_MISFIT_MEMORY },
		{ 8000, 64 * GIB, ASK(.rank = 0), SOUK_FITS },
		{ 7999, 32 * GIB, ASK(.rank = 0), SOUK_MISFIT_CPUS },
		{ 16000, 32 * GIB, ASK(.rank = 0), SOUK_MISFIT_MEMORY },
		{ 16000, 64 * GIB, ASK(.rank = 0), SOUK_FITS },
		/* It is no demand once the task says anything about the size. */
		{ 1000, 512, ASK(.cpus = { 1000, 1 }), SOUK_FITS },
		{ 1000, 512, ASK(.instance_type = TEXT("m5")), SOUK_FITS },
		{ 1000, 512, ASK(.memory = { 512, 0 }), SOUK_FITS },
	};
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(sizes); i++) {
		struct souk_request request = sizes[i].request;
		struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
		struct fixture_offer offer = cpu;

		offer.offer.vcpus_milli = sizes[i].vcpus_milli;
		offer.offer.memory_mib = sizes[i].memory_mib;
		ck_assert_msg(misfit_of(&offer, &everything, &task, NULL, 0) == sizes[i].misfit,
			      "size %zu", i);
	}
}
END_TEST

static struct souk_port_range a_port = { 80, 80 };
static struct souk_pair a_pair = { (char *)"k", (char *)"v" };

static const struct {
	struct souk_request request;
	uint32_t num_nodes;
	uint64_t feature;
	const char *what;
} needs[] = {
	{ ASK(T4(4000)), 2, SOUK_FEATURE_MULTI_NODE, "several nodes" },
	{ ASK(T4(4000), .use_spot = 1), 1, SOUK_FEATURE_SPOT, "spot machines" },
	{ ASK(T4(4000), .image = TEXT("ami-1")), 1, SOUK_FEATURE_IMAGE, "image_id" },
	{ ASK(T4(4000), .images = { &a_pair, 1 }), 1, SOUK_FEATURE_IMAGE, "image_id" },
	{ ASK(T4(4000), .labels = { &a_pair, 1 }), 1, SOUK_FEATURE_LABELS, "labels" },
	{ ASK(T4(4000), .ports = &a_port, .n_ports = 1), 1, SOUK_FEATURE_PORTS, "ports" },
	{ ASK(T4(4000), .disk_size_gib = 100), 1, SOUK_FEATURE_DISK_SIZE, "disk_size" },
	{ ASK(T4(4000), .disk_tier = TEXT("high")), 1, SOUK_FEATURE_DISK_TIER, "disk_tier" },
	{ ASK(T4(4000), .autostop = { .set = 1, .enabled = 1, .down = 1 }), 1,
	  SOUK_FEATURE_SELF_SHUTDOWN, "autostop" },
};


START_TEST(needs_a_feature)
{
	struct souk_market_provider without = { "p", ALL_FEATURES & ~needs[_i].feature, 1,
						SOUK_STANDS_IN, 0 };
	struct souk_market_provider only = { "p", needs[_i].feature, 1, SOUK_STANDS_IN, 0 };
	struct souk_request request = needs[_i].request;
	struct souk_task task = { .num_nodes = needs[_i].num_nodes, .requests = &request,
				  .n_requests = 1 };
	char feature[96];

	ck_assert_int_eq(misfit_of(&gpu, &without, &task, feature, sizeof(feature)),
			 SOUK_MISFIT_FEATURE);
	ck_assert_str_eq(feature, needs[_i].what);
	ck_assert_int_eq(misfit_of(&gpu, &only, &task, NULL, 0), SOUK_FITS);
}
END_TEST

START_TEST(autostop_needs_stop)
{
	struct souk_market_provider cannot_stop = { "p", ALL_FEATURES, 0, SOUK_STANDS_IN, 0 };
	struct souk_request request = { .autostop = { .set = 1, .enabled = 1 } };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	char feature[96];

	ck_assert_int_eq(misfit_of(&cpu, &cannot_stop, &task, feature, sizeof(feature)),
			 SOUK_MISFIT_FEATURE);
	ck_assert_str_eq(feature, "autostop without 'down'");
	request.autostop.down = 1;
	ck_assert_int_eq(misfit_of(&cpu, &cannot_stop, &task, NULL, 0), SOUK_FITS);
}
END_TEST

/* The free machine's disk is what it is. */
START_TEST(own_machines_need_no_disk_tier)
{
	struct souk_market_provider none = { "p", 0, 0, SOUK_STANDS_IN, 0 };
	struct souk_request request = { .disk_tier = TEXT("high") };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };

	ck_assert_int_eq(misfit_of(&own, &none, &task, NULL, 0), SOUK_FITS);
	ck_assert_int_eq(misfit_of(&cpu, &none, &task, NULL, 0), SOUK_MISFIT_FEATURE);
}
END_TEST

static const struct {
	const char *pattern, *text;
	int matches;
} patterns[] = {
	{ "", "", 1 },		     { "", "a", 0 },		 { "*", "", 1 },
	{ "*", "abc", 1 },	     { "a*", "abc", 1 },	 { "*c", "abc", 1 },
	{ "*b*", "abc", 1 },	     { "a*c", "ac", 1 },	 { "a*c", "abcbc", 1 },
	{ "a*c", "abcb", 0 },	     { "a**c", "abc", 1 },	 { "A*C", "aBc", 1 },
	{ "us-*-1", "us-east-1", 1 }, { "us-*-1", "us-east-2", 0 }, { "abc", "ab", 0 },
	{ "ab", "abc", 0 },	     { "*aab", "aaaab", 1 },	 { "[a]", "a", 0 },
	{ "?", "a", 0 },
};

START_TEST(patterns_match)
{
	ck_assert_msg(souk_pattern_matches(patterns[_i].pattern, patterns[_i].text) ==
			      patterns[_i].matches,
		      "'%s' and '%s'", patterns[_i].pattern, patterns[_i].text);
}
END_TEST

/* ---- Explanations ---- */

static const struct {
	struct souk_request request;
	int code;
	const char *message, *hint;
} explanations[] = {
	{ ASK(.cpus = { 8000, 0 }, .max_hourly_micros = 1), SOUK_E_CAPACITY,
	  "no offer fits: of the 1 that come closest none is at or below max_hourly_cost",
	  "'souk offers' lists what is on sale" },
	{ ASK(.cpus = { 8000, 0 }, .use_spot = 1), SOUK_E_CAPACITY,
	  "no offer fits: of the 1 that come closest none is sold that way (use_spot)",
	  "'souk offers' lists what is on sale" },
	{ ASK(.cpus = { 7000, 0 }), SOUK_E_CAPACITY,
	  "no offer fits: of the 1 that come closest none has that many vCPUs",
	  "'souk offers' lists what is on sale" },
	{ ASK(.memory = { 7000, 0 }), SOUK_E_CAPACITY,
	  "no offer fits: of the 1 that come closest none has that memory",
	  "'souk offers' lists what is on sale" },
	{ ASK(.cpus = { 8000, 0 }, .local_disk = { .set = 1, .size_gib = 5000 }), SOUK_E_CAPACITY,
	  "no offer fits: of the 1 that come closest none has that local disk",
	  "'souk offers' lists what is on sale" },
	{ ASK(T4(8000)), SOUK_E_CAPACITY,
	  "no offer fits: of the 1 that come closest none has that number of accelerators",
	  "'souk offers' lists what is on sale" },
	{ ASK(.accelerator = { .name = TEXT("T44"), .milli = 1000 }), SOUK_E_CAPACITY,
	  "no offer has the accelerator 'T44'",
	  "did you mean 'T4'? 'souk offers' lists what is on sale" },
	{ ASK(.accelerator = { .name = TEXT("Quantum"), .milli = 1000 }), SOUK_E_CAPACITY,
	  "no offer has the accelerator 'Quantum'", "'souk offers' lists what is on sale" },
	{ ASK(.accelerator = { .memory_mib = 999999, .milli = 1000 }), SOUK_E_CAPACITY,
	  "no offer has the accelerator 'of that memory'", "'souk offers' lists what is on sale" },
	{ ASK(.region = TEXT("nowhere")), SOUK_E_CAPACITY,
	  "no offer fits: of the 1 that come closest none is in the place that was asked for",
	  "'souk offers --all-regions' lists the regions" },
	{ ASK(.provider = TEXT("q")), SOUK_E_CAPACITY,
	  "no offer fits: of the 1 that come closest none is of the provider that was asked for",
	  "'souk offers' lists what is on sale" },
	{ ASK(.instance_type = TEXT("m55")), SOUK_E_CAPACITY,
	  "no offer is of the instance type that was asked for",
	  "'souk offers --all-regions' lists the machines on sale" },
	{ ASK(.cpus = { 8000, 0 }, .image = TEXT("x")), SOUK_E_UNSUPPORTED,
	  "no offer fits: the provider 'p' does not have image_id", "" },
};

START_TEST(explains_why_nothing_fits)
{
	struct souk_market_provider no_images = { "p", ALL_FEATURES & ~(uint64_t)SOUK_FEATURE_IMAGE, 1,
						  SOUK_STANDS_IN, 0 };
	struct fixture_offer items[] = { gpu, cpu };
	struct souk_market market = fixture_market(items, 2);
	struct souk_request request = explanations[_i].request;
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_plan_query query = { .market = &market, .providers = &no_images, .n_providers = 1,
					 .task = &task };
	static struct souk_survey survey;

	OK(souk_optimizer_survey(&query, INT64_MAX, &survey, &err));
	ck_assert_uint_eq(survey.groups[SOUK_FITS].n, 0);
	ck_assert_int_eq(souk_optimizer_explain(&query, &survey, &err), explanations[_i].code);
	ck_assert_str_eq(err.message, explanations[_i].message);
	ck_assert_str_eq(err.hint, explanations[_i].hint);
	souk_market_fini(&market);
}
END_TEST

START_TEST(explains_an_empty_market)
{
	struct souk_market market = { 0 };
	struct souk_request request = { 0 };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_plan_query query = { .market = &market, .task = &task };
	static struct souk_survey survey;

	OK(souk_optimizer_survey(&query, INT64_MAX, &survey, &err));
	ck_assert_int_eq(souk_optimizer_explain(&query, &survey, &err), SOUK_E_CAPACITY);
	ck_assert_str_eq(err.message, "no provider that takes part has an offer");
	ck_assert_str_eq(err.hint, "'souk check' tells which providers can be used");
}
END_TEST

START_TEST(explains_marked_prices)
{
	struct souk_market market = fixture_market(&nothing, 1);
	struct souk_request request = { 0 };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_plan_query query = { .market = &market, .providers = &everything,
					 .n_providers = 1, .task = &task };
	static struct souk_survey survey;

	OK(souk_optimizer_survey(&query, INT64_MAX, &survey, &err));
	ck_assert_int_eq(souk_optimizer_explain(&query, &survey, &err), SOUK_E_CAPACITY);
	ck_assert_str_eq(err.message,
			 "no offer fits: the 1 that would have prices that cannot be right");
	souk_market_fini(&market);
}
END_TEST

/* ---- What ruled out the cheaper ones ---- */

/* Of several requests the one counts with which an offer came furthest. */
START_TEST(a_survey_counts_the_furthest)
{
	struct fixture_offer items[] = { gpu, cpu, arm, own, euro, dear_spot };
	struct souk_market_provider providers[] = {
		{ "p", ALL_FEATURES, 1, SOUK_STANDS_IN, 0 },
		{ "none", ALL_FEATURES, 1, SOUK_STANDS_NO_CREDENTIALS, 0 },
		{ "left", ALL_FEATURES, 1, SOUK_STANDS_NOT_ALLOWED, 0 },
	};
	struct souk_request requests[] = {
		{ T4(8000) },
		{ .cpus = { 8000, 0 }, .region = TEXT("r1") },
	};
	struct souk_task task = { .num_nodes = 1, .requests = requests, .n_requests = 2 };
	struct souk_plan_query query = { .providers = providers, .n_providers = 3, .task = &task };
	static struct souk_survey survey;
	struct souk_market market;

	items[4].provider = "missing";
	items[4].offer.region = "r1";
	memcpy(items[4].offer.currency, "USD", 4);
	items[3].provider = "left";
	items[3].offer.vcpus_milli = 8000;
	items[3].offer.region = "r1";
	items[5].provider = "none";
	items[5].offer.region = "r1";
	market = fixture_market(items, 6);
	query.market = &market;
	OK(souk_optimizer_survey(&query, 5000000, &survey, &err));
	/* g4 on demand and as spot; m5 in r2; m7g; the others but for who sells them. */
	ck_assert_uint_eq(survey.groups[SOUK_MISFIT_COUNT].n, 2);
	ck_assert_str_eq(survey.groups[SOUK_MISFIT_COUNT].example.offer.instance_type, "g4");
	ck_assert_int_eq(survey.groups[SOUK_MISFIT_COUNT].example.spot, 1);
	ck_assert_uint_eq(survey.groups[SOUK_MISFIT_PLACE].n, 1);
	ck_assert_uint_eq(survey.groups[SOUK_MISFIT_ARCH].n, 1);
	ck_assert_uint_eq(survey.groups[SOUK_MISFIT_NOT_INSTALLED].n, 1);
	ck_assert_str_eq(survey.groups[SOUK_MISFIT_NOT_INSTALLED].example.provider, "missing");
	ck_assert_uint_eq(survey.groups[SOUK_MISFIT_NO_CREDENTIALS].n, 1);
	ck_assert_uint_eq(survey.groups[SOUK_MISFIT_NOT_ALLOWED].n, 1);
	/* The spot prices of two of them: another market. */
	ck_assert_uint_eq(survey.groups[SOUK_MISFIT_MARKET].n, 2);
	ck_assert_uint_eq(survey.groups[SOUK_FITS].n, 0);
	/* Only what is cheaper counts, and prices of all nodes are compared. */
	task.num_nodes = 10;
	OK(souk_optimizer_survey(&query, 3500000, &survey, &err));
	ck_assert_uint_eq(survey.groups[SOUK_MISFIT_COUNT].n, 0);
	ck_assert_uint_eq(survey.groups[SOUK_MISFIT_ARCH].n, 1);
	souk_market_fini(&market);
}
END_TEST

START_TEST(every_reason_has_words)
{
	int i, j;

	for (i = 0; i < SOUK_MISFITS; i++) {
		ck_assert_uint_gt(strlen(souk_misfit_name((enum souk_misfit)i)), 0);
		ck_assert_uint_gt(strlen(souk_misfit_text((enum souk_misfit)i)), 0);
		for (j = 0; j < i; j++)
			ck_assert_str_ne(souk_misfit_name((enum souk_misfit)i),
					 souk_misfit_name((enum souk_misfit)j));
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("optimizer");
	TCase *tc = tcase_create("optimizer");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, fits_or_says_why_not, 0, SOUK_ARRAY_SIZE(fits));
	tcase_add_test(tc, the_default_size);
	tcase_add_loop_test(tc, needs_a_feature, 0, SOUK_ARRAY_SIZE(needs));
	tcase_add_test(tc, autostop_needs_stop);
	tcase_add_test(tc, own_machines_need_no_disk_tier);
	tcase_add_loop_test(tc, patterns_match, 0, SOUK_ARRAY_SIZE(patterns));
	tcase_add_loop_test(tc, explains_why_nothing_fits, 0, SOUK_ARRAY_SIZE(explanations));
	tcase_add_test(tc, explains_an_empty_market);
	tcase_add_test(tc, explains_marked_prices);
	tcase_add_test(tc, a_survey_counts_the_furthest);
	tcase_add_test(tc, every_reason_has_words);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
