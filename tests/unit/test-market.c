/* SPDX-License-Identifier: Apache-2.0 */
/* test-market.c - what fits a task, in which order, and what is said when nothing does */
#include <inttypes.h>
#include <stdint.h>

#include "base/similar.h"
#include "base/util.h"
#include "market/accelerator.h"
#include "market/optimizer.h"
#include "scratch.h"

static struct souk_error err;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)

#define GIB UINT64_C(1024)
#define ALL_FEATURES UINT64_MAX
#define HOUR 3600

/* ---- Accelerators ---- */

static const struct {
	const char *name, *canonical;
} names[] = {
	{ "H100", "H100" },
	{ "h100", "H100" },
	{ "nvidia-tesla-t4", "T4" },
	{ "NVIDIA-Tesla-T4", "T4" },
	{ "A100-40GB", "A100" },
	{ "a100-80gb", "A100-80GB" },
	{ "a100-sxm4-80gb", "A100-80GB" },
	{ "V520", "Radeon-Pro-V520" },
	{ "Gaudi-HL205", "Gaudi" },
	{ "inf2", "Inferentia2" },
	{ "l40s", "L40S" },
	{ "Nobody-Knows-It", "Nobody-Knows-It" },
	{ "", "" },
	/* Parts of names, and several aliases at once, are no names. */
	{ "a100-40gb a100", "a100-40gb a100" },
	{ "tesla", "tesla" },
};

START_TEST(accelerators_have_one_name)
{
	ck_assert_str_eq(souk_accelerator_canonical(names[_i].name), names[_i].canonical);
}
END_TEST

START_TEST(the_table_is_sound)
{
	const struct souk_accelerator_info *table;
	size_t n, i, len;

	table = souk_accelerator_table(&n);
	ck_assert_uint_gt(n, 50);
	for (i = 0; i < n; i++) {
		char alias[64];
		const char *at = table[i].aliases;

		ck_assert_msg(i == 0 || strcasecmp(table[i - 1].name, table[i].name) < 0, "%s",
			      table[i].name);
		ck_assert_uint_gt(table[i].memory_gib, 0);
		ck_assert_uint_eq(strcspn(table[i].name, ",: "), strlen(table[i].name));
		ck_assert_ptr_eq(souk_accelerator_find(table[i].name), &table[i]);
		for (; at && *at; at += len + strspn(at + len, " ")) {
			len = strcspn(at, " ");
			snprintf(alias, sizeof(alias), "%.*s", (int)len, at);
			ck_assert_msg(souk_accelerator_find(alias) == &table[i], "%s of %s", alias,
				      table[i].name);
			ck_assert_uint_eq(strcspn(alias, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), len);
		}
	}
}
END_TEST

/* ---- The catalog ---- */

#define HEADER                                                                                     \
	"provider,region,zone,instance_type,arch,vcpus,memory_gib,gpu_name,gpu_count,"             \
	"gpu_memory_gib,price_usd_hour,spot_price_usd_hour\n"

static struct souk_paths paths;
static char cache[512], datadir[512];

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
	snprintf(cache, sizeof(cache), "%s", scratch_path("cache"));
	snprintf(datadir, sizeof(datadir), "%s", scratch_path("share"));
	paths = (struct souk_paths){ .cache = cache, .datadir = datadir };
	scratch_mkdir(scratch_path("cache/catalog"));
	scratch_mkdir(scratch_path("share/catalog"));
}

START_TEST(reads_a_catalog)
{
	struct souk_catalog catalog = { 0 };
	const struct souk_offer *o;

	scratch_text(scratch_path("share/catalog/p.csv"),
		     "# seed 2026-07-01: where it is from, 99-99-9999\n" HEADER
		     "p,r1,r1-a,big,x86_64,48.5,1152,nvidia-tesla-t4,4,16,12.5,3.75\n"
		     "\n# a comment\n"
		     "p,r2,,small,arm64,2,0.5,,,,0.0104,\n"
		     "p,r2,,odd,,,,Unheard-Of,0.5,7.5,,0.1");
	OK(souk_catalog_add_file(&catalog, &paths, "p", &err));
	ck_assert_uint_eq(catalog.n, 3);
	ck_assert_str_eq(catalog.items[0].provider, "p");
	ck_assert_str_eq(catalog.items[0].source, "seed");
	ck_assert_str_eq(catalog.items[0].date, "2026-07-01");
	o = &catalog.items[0].offer;
	ck_assert_str_eq(o->region, "r1");
	ck_assert_str_eq(o->zone, "r1-a");
	ck_assert_str_eq(o->instance_type, "big");
	ck_assert_str_eq(o->arch, "x86_64");
	ck_assert_uint_eq(o->vcpus_milli, 48500);
	ck_assert_uint_eq(o->memory_mib, 1152 * GIB);
	ck_assert_str_eq(o->accelerator, "T4");
	ck_assert_uint_eq(o->accelerator_milli, 4000);
	ck_assert_uint_eq(o->accelerator_memory_mib, 16 * GIB);
	ck_assert_int_eq(o->micros_per_hour, 12500000);
	ck_assert_int_eq(o->spot_micros_per_hour, 3750000);
	ck_assert_str_eq(o->currency, "USD");
	ck_assert_int_eq(o->available, -1);
	o = &catalog.items[1].offer;
	ck_assert_ptr_null(o->zone);
	ck_assert_ptr_null(o->accelerator);
	ck_assert_str_eq(o->arch, "arm64");
	ck_assert_uint_eq(o->memory_mib, 512);
	ck_assert_int_eq(o->micros_per_hour, 10400);
	ck_assert_int_eq(o->spot_micros_per_hour, -1);
	o = &catalog.items[2].offer;
	ck_assert_str_eq(o->arch, "x86_64");
	ck_assert_str_eq(o->accelerator, "Unheard-Of");
	ck_assert_uint_eq(o->accelerator_milli, 500);
	ck_assert_uint_eq(o->accelerator_memory_mib, 7680);
	ck_assert_int_eq(o->micros_per_hour, -1);
	ck_assert_int_eq(o->spot_micros_per_hour, 100000);
	souk_catalog_fini(&catalog);
	souk_catalog_fini(NULL);
}
END_TEST

static const struct {
	const char *text;
	const char *message; /* behind the path of the folder */
} bad_files[] = {
	{ "provider,region\n", "p.csv:1: not the header 'provider,region,zone" },
	{ "# c\n\nprovider\n", "p.csv:3: not the header" },
	{ "p,r,,t,,1,1,,,,1,\n", "p.csv:1: not the header" },
	{ HEADER "p,r,,t,,1,1,,,,1\n", "p.csv:2: not 12 columns" },
	{ HEADER "p,r,,t,,1,1,,,,1,,\n", "p.csv:2: not 12 columns" },
	{ HEADER "p,r,,t,,1,1,,,,1,,,,,,,,,,,,,,,,\n", "p.csv:2: not 12 columns" },
	{ HEADER "word\n", "p.csv:2: not 12 columns" },
	{ HEADER "p,,,t,,1,1,,,,1,\n", "p.csv:2: no instance type or no region" },
	{ HEADER "p,r,,,,1,1,,,,1,\n", "p.csv:2: no instance type or no region" },
	{ HEADER "p,r,,t,,1,1,,,,1,\n# c\np,r,,t,,many,1,,,,1,\n",
	  "p.csv:4: vcpus: not a number: 'many'" },
	{ HEADER "p,r,,t,,1,-1,,,,1,\n", "p.csv:2: memory_gib: not a number: '-1'" },
	{ HEADER "p,r,,t,,1,1,T4,x,,1,\n", "p.csv:2: gpu_count: not a number: 'x'" },
	{ HEADER "p,r,,t,,1,1,T4,1,x,1,\n", "p.csv:2: gpu_memory_gib: not a number: 'x'" },
	{ HEADER "p,r,,t,,1,1,T4,1,4294967,1,\n",
	  "p.csv:2: gpu_memory_gib: too large: '4294967'" },
	{ HEADER "p,r,,t,,1,1,,,,1e3,\n", "p.csv:2: price_usd_hour: not a number: '1e3'" },
	{ HEADER "p,r,,t,,1,1,,,,1, \n", "p.csv:2: spot_price_usd_hour: not a number: ' '" },
	{ HEADER "p,r,,t,,1,1,,,,99999999999999999999,\n", "p.csv:2: price_usd_hour:" },
	{ HEADER "p,r,,t,,9999999999,1,,,,1,\n", "p.csv:2: vcpus:" },
	{ HEADER "p,r,,t,,1,1,,,,1,\r\n", "p.csv:2: spot_price_usd_hour: not a number" },
};

START_TEST(tells_where_a_catalog_is_wrong)
{
	struct souk_catalog catalog = { 0 };
	const char *message = bad_files[_i].message;

	scratch_text(scratch_path("share/catalog/p.csv"), bad_files[_i].text);
	ck_assert_int_eq(souk_catalog_add_file(&catalog, &paths, "p", &err), SOUK_E_INVALID);
	ck_assert_int_eq(strncmp(err.message, datadir, strlen(datadir)), 0);
	ck_assert_msg(strstr(err.message, message) != NULL, "%s", err.message);
	souk_catalog_fini(&catalog);
}
END_TEST

START_TEST(a_catalog_with_a_nul_is_damaged)
{
	static const char text[] = HEADER "p,r,,t,,1,1,,,,1,\n\0p,r,,u,,1,1,,,,1,\n";
	struct souk_catalog catalog = { 0 };

	scratch_write(scratch_path("share/catalog/p.csv"), text, sizeof(text) - 1);
	ck_assert_int_eq(souk_catalog_add_file(&catalog, &paths, "p", &err), SOUK_E_INVALID);
	ck_assert_msg(strstr(err.message, "is damaged") != NULL, "%s", err.message);
	souk_catalog_fini(&catalog);
}
END_TEST

START_TEST(the_newer_catalog_wins)
{
	struct souk_catalog catalog = { 0 };

	ck_assert_int_eq(souk_catalog_has_file(&paths, "p"), 0);
	ck_assert_int_eq(souk_catalog_add_file(&catalog, &paths, "p", &err), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "no offers of 'p' are known");
	scratch_text(scratch_path("share/catalog/p.csv"), HEADER "p,r,,seeded,,1,1,,,,1,\n");
	ck_assert_int_eq(souk_catalog_has_file(&paths, "p"), 1);
	OK(souk_catalog_add_file(&catalog, &paths, "p", &err));
	ck_assert_str_eq(catalog.items[0].source, "seed");
	ck_assert_str_eq(catalog.items[0].date, "");
	scratch_text(scratch_path("cache/catalog/p.csv"),
		     "# live 2026-08-02\n" HEADER "p,r,,asked,,1,1,,,,1,\n");
	OK(souk_catalog_add_file(&catalog, &paths, "p", &err));
	ck_assert_uint_eq(catalog.n, 2);
	ck_assert_str_eq(catalog.items[1].source, "live");
	ck_assert_str_eq(catalog.items[1].date, "2026-08-02");
	ck_assert_str_eq(catalog.items[1].offer.instance_type, "asked");
	souk_catalog_fini(&catalog);
}
END_TEST

static const struct souk_offer live[] = {
	{ SOUK_OFFER_HEAD, .instance_type = "gpu", .region = "r1", .zone = "r1-b", .arch = "arm64",
	  .accelerator = "nvidia-tesla-v100", .accelerator_milli = 500,
	  .accelerator_memory_mib = 16384, .vcpus_milli = 3500, .memory_mib = 62464,
	  .micros_per_hour = 4049591, .spot_micros_per_hour = -1 },
	{ SOUK_OFFER_HEAD, .instance_type = "cpu", .region = "r2", .vcpus_milli = 64000,
	  .memory_mib = 512, .micros_per_hour = 0, .spot_micros_per_hour = 1 },
};

static void same_offer(const struct souk_offer *a, const struct souk_offer *b)
{
	ck_assert_str_eq(a->instance_type, b->instance_type);
	ck_assert_str_eq(a->region, b->region);
	ck_assert_int_eq(souk_streq(a->zone, b->zone), 1);
	ck_assert_str_eq(a->arch ? a->arch : "x86_64", b->arch);
	ck_assert_int_eq(souk_streq(a->accelerator ? souk_accelerator_canonical(a->accelerator) : NULL,
				    b->accelerator), 1);
	ck_assert_uint_eq(a->accelerator_milli, b->accelerator_milli);
	ck_assert_uint_eq(a->accelerator_memory_mib, b->accelerator_memory_mib);
	ck_assert_uint_eq(a->vcpus_milli, b->vcpus_milli);
	ck_assert_uint_eq(a->memory_mib, b->memory_mib);
	ck_assert_int_eq(a->micros_per_hour, b->micros_per_hour);
	ck_assert_int_eq(a->spot_micros_per_hour, b->spot_micros_per_hour);
}

START_TEST(what_is_written_is_read)
{
	struct souk_offer_list offers = { 0 };
	struct souk_catalog catalog = { 0 };
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(live); i++)
		OK(souk_offers_add(&offers, &live[i], &err));
	OK(souk_catalog_write(&paths, "p", &offers, &err));
	OK(souk_catalog_add_live(&catalog, "p", &offers, &err));
	souk_offer_list_fini(&offers);
	OK(souk_catalog_add_file(&catalog, &paths, "p", &err));
	ck_assert_uint_eq(catalog.n, 4);
	for (i = 0; i < 4; i++) {
		same_offer(&live[i % 2], &catalog.items[i].offer);
		ck_assert_str_eq(catalog.items[i].source, "live");
		ck_assert_uint_eq(strlen(catalog.items[i].date), 10);
		ck_assert_str_eq(catalog.items[i].date, catalog.items[0].date);
		ck_assert_str_eq(catalog.items[i].offer.currency, "USD");
	}
	souk_catalog_fini(&catalog);
}
END_TEST

static const char *const unreadable[] = { "a,b", ",", "a\nb", "\n" };

START_TEST(what_could_not_be_read_is_not_written)
{
	struct souk_offer_list offers = { 0 };
	struct souk_offer offer = live[0];
	char *text;

	scratch_text(scratch_path("cache/catalog/p.csv"), "as it was");
	OK(souk_offers_add(&offers, &live[1], &err));
	offer.zone = unreadable[_i];
	OK(souk_offers_add(&offers, &offer, &err));
	ck_assert_int_eq(souk_catalog_write(&paths, "p", &offers, &err), SOUK_E_INVALID);
	text = scratch_read(scratch_path("cache/catalog/p.csv"), NULL);
	ck_assert_str_eq(text, "as it was");
	free(text);
	souk_offer_list_fini(&offers);
}
END_TEST

START_TEST(counts_regions_and_accelerators)
{
	struct souk_catalog catalog = { 0 };
	size_t regions = 9, accelerators = 9;
	const char *source;
	char *path = NULL;

	OK(souk_catalog_count(&catalog, &regions, &accelerators, &err));
	ck_assert_uint_eq(regions, 0);
	ck_assert_uint_eq(accelerators, 0);
	ck_assert_int_eq(souk_catalog_find_file(&paths, "p", &path, &source, &err), SOUK_E_NOT_FOUND);
	ck_assert_ptr_null(path);
	scratch_text(scratch_path("share/catalog/p.csv"), HEADER
		     "p,r2,,a,,1,1,T4,1,,1,\np,r1,,b,,1,1,,,,1,\np,r2,z,c,,1,1,nvidia-tesla-t4,2,,1,\n"
		     "p,r3,,d,,1,1,L4,1,,1,\n");
	OK(souk_catalog_find_file(&paths, "p", &path, &source, &err));
	ck_assert_str_eq(path, scratch_path("share/catalog/p.csv"));
	ck_assert_str_eq(source, "seed");
	free(path);
	OK(souk_catalog_add_file(&catalog, &paths, "p", &err));
	OK(souk_catalog_count(&catalog, &regions, &accelerators, &err));
	ck_assert_uint_eq(regions, 3);
	ck_assert_uint_eq(accelerators, 2);
	souk_catalog_fini(&catalog);
}
END_TEST

START_TEST(an_offer_needs_a_name_and_a_place)
{
	struct souk_offer_list offers = { 0 };
	struct souk_offer offer = live[0];

	offer.region = NULL;
	ck_assert_int_eq(souk_offers_add(&offers, &offer, &err), SOUK_E_INVALID);
	offer.region = "";
	ck_assert_int_eq(souk_offers_add(&offers, &offer, &err), SOUK_E_INVALID);
	offer.region = "r";
	offer.instance_type = NULL;
	ck_assert_int_eq(souk_offers_add(&offers, &offer, &err), SOUK_E_INVALID);
	ck_assert_uint_eq(offers.n, 0);
	souk_offer_list_fini(&offers);
}
END_TEST

/* Every seed table of the tree loads, and names accelerators as the table does. */
START_TEST(the_seed_of_aws)
{
	struct souk_catalog catalog = { 0 };
	size_t lines = 0, i;
	char *text, *at;

	if (access(TEST_SRCDIR "/providers/aws/offers.csv", F_OK) < 0)
		return;
	text = scratch_read(TEST_SRCDIR "/providers/aws/offers.csv", NULL);
	for (at = text; *at; at = strchrnul(at, '\n'), at += *at == '\n')
		lines += *at != '#' && *at != '\n';
	free(text);
	ck_assert_int_eq(symlink(TEST_SRCDIR "/providers/aws/offers.csv",
				 scratch_path("share/catalog/aws.csv")), 0);
	OK(souk_catalog_add_file(&catalog, &paths, "aws", &err));
	ck_assert_uint_eq(catalog.n, lines - 1);
	ck_assert_uint_gt(catalog.n, 1000);
	for (i = 0; i < catalog.n; i++) {
		const struct souk_offer *o = &catalog.items[i].offer;

		ck_assert_uint_eq(strlen(catalog.items[i].date), 10);
		ck_assert_uint_gt(o->vcpus_milli, 0);
		ck_assert_uint_gt(o->memory_mib, 0);
		ck_assert(o->micros_per_hour > 0 || o->spot_micros_per_hour > 0);
		ck_assert(!o->accelerator == !o->accelerator_milli);
		ck_assert_msg(!o->accelerator || souk_accelerator_find(o->accelerator) != NULL,
			      "'%s' is not in the table", o->accelerator);
	}
	souk_catalog_fini(&catalog);
}
END_TEST

/* ---- Matching ---- */

static const struct souk_market_provider everything = { "p", ALL_FEATURES, 1 };

/* Four T4, 48 vCPUs, 192 GiB for 4 dollars, 1 as spot, in zone r1-a. */
static const struct souk_catalog_offer gpu = {
	.provider = "p",
	.offer = { SOUK_OFFER_HEAD, .instance_type = "g4", .region = "r1", .zone = "r1-a",
		   .arch = "x86_64", .accelerator = "T4", .accelerator_milli = 4000,
		   .accelerator_memory_mib = 16384, .vcpus_milli = 48000, .memory_mib = 192 * 1024,
		   .local_disk_mib = 900 * 1024, .micros_per_hour = 4000000,
		   .spot_micros_per_hour = 1000000, .currency = "USD" },
};

/* 8 vCPUs, 32 GiB, no zone, not sold as spot. */
static const struct souk_catalog_offer cpu = {
	.provider = "p",
	.offer = { SOUK_OFFER_HEAD, .instance_type = "m5", .region = "r2", .arch = "x86_64",
		   .vcpus_milli = 8000, .memory_mib = 32 * 1024, .micros_per_hour = 400000,
		   .spot_micros_per_hour = -1, .currency = "USD" },
};

/* The same of another architecture, cheaper. */
static const struct souk_catalog_offer arm = {
	.provider = "p",
	.offer = { SOUK_OFFER_HEAD, .instance_type = "m7g", .region = "r2", .arch = "arm64",
		   .vcpus_milli = 8000, .memory_mib = 32 * 1024, .micros_per_hour = 300000,
		   .spot_micros_per_hour = -1, .currency = "USD" },
};

/* This computer: whatever it has. */
static const struct souk_catalog_offer own = {
	.provider = "p",
	.offer = { SOUK_OFFER_HEAD, .flags = SOUK_OFFER_FREE, .instance_type = "localhost",
		   .region = "local", .arch = "x86_64", .vcpus_milli = 2000, .memory_mib = 4 * 1024,
		   .micros_per_hour = 0, .spot_micros_per_hour = 0, .currency = "USD" },
};

#define ASK(...) { __VA_ARGS__ }
#define T4(n) .accelerator = { .name = (char *)"T4", .milli = (n) }
#define TEXT(t) (char *)(t)

static const struct {
	const char *what;
	const struct souk_catalog_offer *offer;
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
	/* Architecture */
	{ "arm64 that nobody asked for", &arm, ASK(.cpus = { 8000, 0 }), SOUK_MISFIT_INSTANCE_TYPE },
	{ "arm64 by type", &arm, ASK(.instance_type = TEXT("m7g")), SOUK_FITS },
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
	/* Price and market */
	{ "spot", &gpu, ASK(T4(4000), .use_spot = 1), SOUK_FITS },
	{ "not sold as spot", &cpu, ASK(.use_spot = 1), SOUK_MISFIT_MARKET },
	{ "the limit", &gpu, ASK(T4(4000), .max_hourly_micros = 4000000), SOUK_FITS },
	{ "over the limit", &gpu, ASK(T4(4000), .max_hourly_micros = 3999999), SOUK_MISFIT_PRICE },
	{ "spot under the limit", &gpu, ASK(T4(4000), .use_spot = 1, .max_hourly_micros = 1000000),
	  SOUK_FITS },
};

START_TEST(fits_or_says_why_not)
{
	struct souk_task task = { .num_nodes = 1 };
	const char *feature = NULL;
	struct souk_request request = fits[_i].request;
	enum souk_misfit misfit;

	misfit = souk_optimizer_match(fits[_i].offer, &everything, &task, &request, &feature);
	ck_assert_msg(misfit == fits[_i].misfit, "%s: %d, not %d", fits[_i].what, misfit,
		      fits[_i].misfit);
	ck_assert_ptr_null(feature);
}
END_TEST

/* A task that says nothing gets 8 vCPUs and 4 GiB for each; machines of one's own are spared. */
START_TEST(the_default_size)
{
	struct souk_task task = { .num_nodes = 1 };
	struct souk_request request = { 0 };
	struct souk_catalog_offer offer = cpu;
	const char *feature;

	ck_assert_int_eq(souk_optimizer_match(&offer, &everything, &task, &request, &feature), SOUK_FITS);
	offer.offer.vcpus_milli = 7999;
	ck_assert_int_eq(souk_optimizer_match(&offer, &everything, &task, &request, &feature),
			 SOUK_MISFIT_CPUS);
	offer.offer.vcpus_milli = 16000;
	ck_assert_int_eq(souk_optimizer_match(&offer, &everything, &task, &request, &feature),
			 SOUK_MISFIT_MEMORY);
	offer.offer.memory_mib = 64 * GIB;
	ck_assert_int_eq(souk_optimizer_match(&offer, &everything, &task, &request, &feature), SOUK_FITS);
	/* It is no demand once the task says anything about the size. */
	offer.offer.vcpus_milli = 1000;
	offer.offer.memory_mib = 512;
	request.cpus = (struct souk_amount){ 1000, 1 };
	ck_assert_int_eq(souk_optimizer_match(&offer, &everything, &task, &request, &feature), SOUK_FITS);
	request = (struct souk_request){ .instance_type = TEXT("m5") };
	ck_assert_int_eq(souk_optimizer_match(&offer, &everything, &task, &request, &feature), SOUK_FITS);
	request = (struct souk_request){ .memory = { 512, 0 } };
	ck_assert_int_eq(souk_optimizer_match(&offer, &everything, &task, &request, &feature), SOUK_FITS);
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
	struct souk_market_provider without = { "p", ALL_FEATURES & ~needs[_i].feature, 1 };
	struct souk_market_provider only = { "p", needs[_i].feature, 1 };
	struct souk_task task = { .num_nodes = needs[_i].num_nodes };
	struct souk_request request = needs[_i].request;
	const char *feature = NULL;

	ck_assert_int_eq(souk_optimizer_match(&gpu, &without, &task, &request, &feature),
			 SOUK_MISFIT_FEATURE);
	ck_assert_str_eq(feature, needs[_i].what);
	ck_assert_int_eq(souk_optimizer_match(&gpu, &only, &task, &request, &feature), SOUK_FITS);
}
END_TEST

START_TEST(autostop_needs_stop)
{
	struct souk_market_provider cannot_stop = { "p", ALL_FEATURES, 0 };
	struct souk_request request = { .autostop = { .set = 1, .enabled = 1 } };
	struct souk_task task = { .num_nodes = 1 };
	const char *feature = NULL;

	ck_assert_int_eq(souk_optimizer_match(&cpu, &cannot_stop, &task, &request, &feature),
			 SOUK_MISFIT_FEATURE);
	ck_assert_str_eq(feature, "autostop without 'down'");
	request.autostop.down = 1;
	ck_assert_int_eq(souk_optimizer_match(&cpu, &cannot_stop, &task, &request, &feature), SOUK_FITS);
}
END_TEST

/* ---- The ledger ---- */

static const int64_t now = 1783168200;

static struct souk_store_attempt attempt(int code, int scope, int64_t ago)
{
	return (struct souk_store_attempt){
		.provider = (char *)"p", .region = (char *)"r1", .zone = (char *)"r1-a",
		.instance_type = (char *)"t", .code = code, .scope = scope, .at = now - ago,
	};
}

static struct souk_evidence look(struct souk_store_attempt *attempts, size_t n, const char *region,
				 const char *zone, const char *type, int spot)
{
	struct souk_ledger ledger = { attempts, n, now };

	return souk_ledger_evidence(&ledger, "p", region, zone, type, spot);
}

START_TEST(a_failure_covers_its_scope)
{
	static const struct {
		const char *region, *zone, *type;
		int spot;
		int covered[4]; /* by scope */
	} places[] = {
		{ "r1", "r1-a", "t", 0, { 1, 1, 1, 1 } },
		{ "r1", "r1-a", "t", 1, { 0, 1, 1, 1 } },
		{ "r1", "r1-a", "u", 0, { 0, 1, 1, 1 } },
		{ "r1", "r1-b", "t", 0, { 0, 0, 1, 1 } },
		{ "r1", NULL, "t", 0, { 1, 1, 1, 1 } },
		{ "r2", "r1-a", "t", 0, { 0, 0, 0, 1 } },
	};
	struct souk_store_attempt a;
	struct souk_ledger ledger = { &a, 1, now };
	size_t i;

	a = attempt(SOUK_E_CAPACITY, _i, 60);
	for (i = 0; i < SOUK_ARRAY_SIZE(places); i++) {
		struct souk_evidence found = look(&a, 1, places[i].region, places[i].zone,
						  places[i].type, places[i].spot);

		ck_assert_msg(found.exhausted_at == (places[i].covered[_i] ? now - 60 : 0),
			      "place %zu", i);
		ck_assert_int_eq(found.score, places[i].covered[_i] ? -1000 : 0);
	}
	ck_assert_int_eq(souk_ledger_evidence(&ledger, "q", "r1", "r1-a", "t", 0).exhausted_at, 0);
}
END_TEST

START_TEST(what_worked_since_counts_more)
{
	struct souk_store_attempt a[] = { attempt(SOUK_OK, 0, 60), attempt(SOUK_E_CAPACITY, 0, 120) };
	struct souk_store_attempt b[] = { attempt(SOUK_E_CAPACITY, 0, 60), attempt(SOUK_OK, 0, 120) };

	ck_assert_int_eq(look(a, 2, "r1", "r1-a", "t", 0).exhausted_at, 0);
	ck_assert_int_eq(look(a, 2, "r1", "r1-a", "t", 0).score, 0);
	ck_assert_int_eq(look(b, 2, "r1", "r1-a", "t", 0).exhausted_at, now - 60);
	/* That one type was to be had does not say that the zone is not exhausted for another. */
	a[1].scope = SOUK_SCOPE_ZONE;
	ck_assert_int_eq(look(a, 2, "r1", "r1-a", "u", 0).exhausted_at, now - 120);
}
END_TEST

START_TEST(evidence_fades)
{
	static const struct {
		int64_t ago;
		int score;
	} cases[] = { { 0, 1000 }, { HOUR - 1, 1000 }, { HOUR, 500 }, { 2 * HOUR, 250 },
		      { 9 * HOUR, 1 }, { 10 * HOUR, 0 }, { 1000 * HOUR, 0 }, { -5, 1000 },
		      { -100 * HOUR, 1000 } };
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(cases); i++) {
		struct souk_store_attempt a = attempt(SOUK_OK, 0, cases[i].ago);

		ck_assert_int_eq(look(&a, 1, "r1", "r1-a", "t", 0).score, cases[i].score);
	}
}
END_TEST

START_TEST(only_capacity_is_evidence)
{
	static const int codes[] = { SOUK_E_QUOTA, SOUK_E_AUTH, SOUK_E_RATE_LIMIT, SOUK_E_INVALID,
				     SOUK_E_TIMEOUT, SOUK_E_TRANSIENT, SOUK_E_INTERNAL };
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(codes); i++) {
		struct souk_store_attempt a = attempt(codes[i], SOUK_SCOPE_PROVIDER, 0);

		ck_assert_int_eq(look(&a, 1, "r1", "r1-a", "t", 0).exhausted_at, 0);
		ck_assert_int_eq(look(&a, 1, "r1", "r1-a", "t", 0).score, 0);
	}
}
END_TEST

START_TEST(the_ledger_is_of_the_last_day)
{
	struct souk_store_attempt a = attempt(SOUK_E_CAPACITY, 0, 0);
	struct souk_ledger ledger;
	struct souk_store *store;

	OK(souk_store_open(scratch_path("state"), 1, &store, &err));
	a.at = now - SOUK_LEDGER_HORIZON_S;
	OK(souk_store_attempt_add(store, &a, &err));
	a.at--;
	OK(souk_store_attempt_add(store, &a, &err));
	OK(souk_ledger_load(store, now, &ledger, &err));
	ck_assert_uint_eq(ledger.n, 1);
	ck_assert_int_eq(ledger.now, now);
	souk_ledger_fini(&ledger);
	souk_store_close(store);
}
END_TEST

/* ---- Plans ---- */

#define N_OFFERS 60

/* Offers in two providers, several regions and zones, with many equal prices. */
static void make_offers(struct souk_catalog_offer *items)
{
	static const char *const regions[] = { "r1", "r2", "r3" };
	static const char *const zones[] = { NULL, "a", "b", "c", "d" };
	static const char *const types[] = { "t1", "t2" };
	size_t i;

	for (i = 0; i < N_OFFERS; i++) {
		items[i] = cpu;
		items[i].provider = i / 30 ? "q" : "p";
		items[i].offer.region = regions[i / 10 % 3];
		items[i].offer.zone = zones[i / 2 % 5];
		items[i].offer.instance_type = types[i % 2];
		items[i].offer.micros_per_hour = 100000 * (int64_t)(i * 7 % 5 + 1);
		items[i].offer.spot_micros_per_hour = items[i].offer.micros_per_hour / 2;
	}
}

static const struct souk_market_provider both[] = { { "p", ALL_FEATURES, 1 }, { "q", ALL_FEATURES, 1 } };
static const struct souk_ledger nothing_known = { NULL, 0, 1783168200 };

static struct souk_plan_result plan(struct souk_catalog_offer *items, size_t n,
				    const struct souk_task *task, const struct souk_ledger *ledger)
{
	struct souk_catalog catalog = { .items = items, .n = n };
	struct souk_plan_result result;

	OK(souk_optimizer_plan(&catalog, both, 2, task, ledger, &result, &err));
	return result;
}

/* A generator of our own, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void shuffle(struct souk_catalog_offer *items, size_t n, uint32_t *state)
{
	size_t i;

	for (i = n; i > 1; i--) {
		size_t j = next_random(state) % i;
		struct souk_catalog_offer kept = items[i - 1];

		items[i - 1] = items[j];
		items[j] = kept;
	}
}

static int price_then_name(const struct souk_candidate *a, const struct souk_candidate *b)
{
	const struct souk_offer *x = &a->offer->offer, *y = &b->offer->offer;
	int order;

	if (a->total_micros_per_hour != b->total_micros_per_hour)
		return a->total_micros_per_hour < b->total_micros_per_hour ? -1 : 1;
	order = strcmp(a->offer->provider, b->offer->provider);
	if (order == 0)
		order = strcmp(x->region, y->region);
	if (order == 0)
		order = souk_strcmp(x->zone, y->zone);
	return order ? order : strcmp(x->instance_type, y->instance_type);
}

static void same_plan(const struct souk_plan_result *a, const struct souk_plan_result *b)
{
	size_t i;

	ck_assert_uint_eq(a->n, b->n);
	for (i = 0; i < a->n; i++) {
		ck_assert_int_eq(price_then_name(&a->items[i], &b->items[i]), 0);
		ck_assert_int_eq(a->items[i].spot, b->items[i].spot);
		ck_assert_uint_eq(a->items[i].request->rank, b->items[i].request->rank);
		ck_assert_int_eq(a->items[i].cooling, b->items[i].cooling);
		ck_assert_int_eq(souk_streq(a->items[i].offer->offer.accelerator,
					    b->items[i].offer->offer.accelerator), 1);
	}
}

START_TEST(cheapest_first_then_by_name)
{
	struct souk_catalog_offer items[N_OFFERS];
	struct souk_request request = { .cpus = { 8000, 0 } };
	struct souk_task task = { .num_nodes = 3, .requests = &request, .n_requests = 1 };
	struct souk_plan_result result;
	size_t i;

	make_offers(items);
	result = plan(items, N_OFFERS, &task, &nothing_known);
	ck_assert_uint_eq(result.n, N_OFFERS);
	ck_assert_uint_eq(result.misfits[SOUK_FITS], N_OFFERS);
	for (i = 0; i < result.n; i++)
		ck_assert_int_eq(result.items[i].total_micros_per_hour,
				 result.items[i].micros_per_hour * 3);
	for (i = 1; i < result.n; i++)
		ck_assert_int_lt(price_then_name(&result.items[i - 1], &result.items[i]), 0);
	ck_assert_int_eq(result.items[0].micros_per_hour, 100000);
	souk_plan_result_fini(&result);
}
END_TEST

/* The order of the catalog does not show in the plan, whatever is asked and known. */
START_TEST(shuffled_offers_give_the_same_plan)
{
	struct souk_catalog_offer items[N_OFFERS + 3], shuffled[N_OFFERS + 3];
	struct souk_request requests[] = {
		{ .rank = 1, .cpus = { 8000, 0 } },
		{ .rank = 0, .cpus = { 8000, 0 }, .use_spot = 1, .region = TEXT("r2") },
		{ .rank = 1, .memory = { 1, 1 }, .provider = TEXT("q") },
		{ .rank = 1, .accelerator = { .memory_mib = 16384, .memory_at_least = 1, .milli = 1000 } },
	};
	struct souk_store_attempt attempts[] = {
		{ .provider = TEXT("p"), .region = TEXT("r1"), .zone = TEXT("a"),
		  .instance_type = TEXT("t1"), .code = SOUK_E_CAPACITY, .scope = SOUK_SCOPE_ZONE,
		  .at = 1783168200 - 10 },
		{ .provider = TEXT("q"), .region = TEXT("r3"), .zone = NULL,
		  .instance_type = TEXT("t2"), .code = SOUK_OK, .at = 1783168200 - 10 },
	};
	struct souk_ledger ledger = { attempts, 2, 1783168200 };
	struct souk_task task = { .num_nodes = 2, .requests = requests, .n_requests = 4 };
	struct souk_plan_result first, again;
	uint32_t state = 12345;
	int round;

	make_offers(items);
	/* One twice, and one type with two kinds of accelerator. */
	items[N_OFFERS] = items[7];
	items[N_OFFERS + 1] = items[9];
	items[N_OFFERS + 1].offer.accelerator = "T4";
	items[N_OFFERS + 1].offer.accelerator_milli = 1000;
	items[N_OFFERS + 2] = items[N_OFFERS + 1];
	items[N_OFFERS + 2].offer.accelerator = "V100";
	first = plan(items, N_OFFERS + 3, &task, &ledger);
	ck_assert_uint_gt(first.n, N_OFFERS);
	for (round = 0; round < 100; round++) {
		memcpy(shuffled, items, sizeof(items));
		shuffle(shuffled, N_OFFERS + 3, &state);
		again = plan(shuffled, N_OFFERS + 3, &task, &ledger);
		same_plan(&first, &again);
		souk_plan_result_fini(&again);
	}
	souk_plan_result_fini(&first);
}
END_TEST

START_TEST(rank_comes_before_price)
{
	struct souk_catalog_offer items[N_OFFERS];
	struct souk_request requests[] = {
		{ .rank = 1, .cpus = { 8000, 0 }, .region = TEXT("r1") },
		{ .rank = 0, .cpus = { 8000, 0 }, .region = TEXT("r3") },
	};
	struct souk_task task = { .num_nodes = 1, .requests = requests, .n_requests = 2 };
	struct souk_plan_result result;
	size_t i;

	make_offers(items);
	result = plan(items, N_OFFERS, &task, &nothing_known);
	ck_assert_uint_eq(result.n, 40);
	for (i = 0; i < 40; i++)
		ck_assert_str_eq(result.items[i].offer->offer.region, i < 20 ? "r3" : "r1");
	souk_plan_result_fini(&result);
}
END_TEST

START_TEST(the_exhausted_come_last)
{
	struct souk_catalog_offer items[N_OFFERS];
	struct souk_request request = { .cpus = { 8000, 0 } };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_store_attempt a = { .provider = TEXT("p"), .region = TEXT("r1"),
					.instance_type = TEXT("t1"), .code = SOUK_E_CAPACITY,
					.scope = SOUK_SCOPE_REGION, .at = 1783168200 - 599 };
	struct souk_ledger ledger = { &a, 1, 1783168200 };
	struct souk_plan_result result;
	size_t i, cooling = 0;

	make_offers(items);
	result = plan(items, N_OFFERS, &task, &ledger);
	for (i = 0; i < result.n; i++) {
		ck_assert_int_eq(result.items[i].cooling, i >= N_OFFERS - 10);
		cooling += (size_t)result.items[i].cooling;
		if (result.items[i].cooling)
			ck_assert_int_eq(result.items[i].exhausted_at, a.at);
	}
	ck_assert_uint_eq(cooling, 10);
	souk_plan_result_fini(&result);
	/* Ten minutes later price alone counts; among equals the others still come first. */
	a.at = 1783168200 - 600;
	result = plan(items, N_OFFERS, &task, &ledger);
	for (i = 0; i < result.n; i++)
		ck_assert_int_eq(result.items[i].cooling, 0);
	for (i = 1; i < result.n; i++) {
		ck_assert_int_le(result.items[i - 1].total_micros_per_hour,
				 result.items[i].total_micros_per_hour);
		if (result.items[i - 1].total_micros_per_hour == result.items[i].total_micros_per_hour)
			ck_assert_int_ge(result.items[i - 1].score, result.items[i].score);
	}
	souk_plan_result_fini(&result);
}
END_TEST

START_TEST(a_machine_is_taken_once)
{
	struct souk_catalog_offer items[5];
	struct souk_request requests[] = {
		{ .rank = 1, .cpus = { 8000, 1 } },
		{ .rank = 0, .cpus = { 8000, 0 }, .memory = { 1024, 1 } },
		{ .rank = 0, .cpus = { 8000, 0 }, .use_spot = 1 },
	};
	struct souk_task task = { .num_nodes = 1, .requests = requests, .n_requests = 3 };
	struct souk_plan_result result;

	items[0] = items[1] = cpu;
	items[0].offer.spot_micros_per_hour = 1;
	items[1].offer.micros_per_hour = 399999;
	result = plan(items, 2, &task, &nothing_known);
	/* As spot and not: two; the doubled row: the cheaper one, by the preferred request. */
	ck_assert_uint_eq(result.n, 2);
	ck_assert_int_eq(result.items[0].spot, 1);
	ck_assert_int_eq(result.items[1].spot, 0);
	ck_assert_int_eq(result.items[1].micros_per_hour, 399999);
	ck_assert_ptr_eq(result.items[1].request, &requests[1]);
	souk_plan_result_fini(&result);
	/* With one request too. */
	task.n_requests = 1;
	result = plan(items, 2, &task, &nothing_known);
	ck_assert_uint_eq(result.n, 1);
	ck_assert_int_eq(result.items[0].micros_per_hour, 399999);
	souk_plan_result_fini(&result);
}
END_TEST

/* Some clouds attach accelerators to one and the same type: those are different machines. */
START_TEST(accelerators_make_different_machines)
{
	struct souk_catalog_offer items[3] = { gpu, gpu, gpu };
	struct souk_request requests[] = {
		{ T4(4000) },
		{ .accelerator = { .name = TEXT("V100"), .milli = 1000 } },
		{ .accelerator = { .name = TEXT("V100"), .milli = 2000 } },
	};
	struct souk_task task = { .num_nodes = 1, .requests = requests, .n_requests = 3 };
	struct souk_plan_result result;

	items[1].offer.accelerator = items[2].offer.accelerator = "V100";
	items[1].offer.accelerator_milli = 1000;
	items[2].offer.accelerator_milli = 2000;
	items[1].offer.micros_per_hour = 5000000;
	items[2].offer.micros_per_hour = 6000000;
	result = plan(items, 3, &task, &nothing_known);
	ck_assert_uint_eq(result.n, 3);
	ck_assert_str_eq(result.items[0].offer->offer.accelerator, "T4");
	ck_assert_uint_eq(result.items[1].offer->offer.accelerator_milli, 1000);
	ck_assert_uint_eq(result.items[2].offer->offer.accelerator_milli, 2000);
	souk_plan_result_fini(&result);
}
END_TEST

START_TEST(providers_that_do_not_take_part)
{
	struct souk_catalog_offer item = cpu;
	struct souk_request request = { 0 };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_plan_result result;

	item.provider = "someone";
	result = plan(&item, 1, &task, &nothing_known);
	ck_assert_uint_eq(result.n, 0);
	ck_assert_uint_eq(result.misfits[SOUK_MISFIT_PROVIDER], 0);
	souk_plan_result_fini(&result);
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
	  "no offer is in the place, or of the type, that was asked for",
	  "'souk offers --all-regions' lists the regions" },
	{ ASK(.instance_type = TEXT("m55")), SOUK_E_CAPACITY,
	  "no offer is in the place, or of the type, that was asked for",
	  "'souk offers --all-regions' lists the regions" },
	{ ASK(.cpus = { 8000, 0 }, .image = TEXT("x")), SOUK_E_UNSUPPORTED,
	  "no offer fits: the provider 'p' does not have image_id", "" },
};

START_TEST(explains_why_nothing_fits)
{
	struct souk_market_provider no_images = { "p", ALL_FEATURES & ~(uint64_t)SOUK_FEATURE_IMAGE, 1 };
	struct souk_catalog_offer items[] = { gpu, cpu };
	struct souk_catalog catalog = { .items = items, .n = 2 };
	struct souk_request request = explanations[_i].request;
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_plan_result result;

	OK(souk_optimizer_plan(&catalog, &no_images, 1, &task, &nothing_known, &result, &err));
	ck_assert_uint_eq(result.n, 0);
	ck_assert_int_eq(souk_optimizer_explain(&catalog, &task, &result, &err), explanations[_i].code);
	ck_assert_str_eq(err.message, explanations[_i].message);
	ck_assert_str_eq(err.hint, explanations[_i].hint);
	souk_plan_result_fini(&result);
}
END_TEST

START_TEST(explains_an_empty_market)
{
	struct souk_catalog catalog = { 0 };
	struct souk_request request = { 0 };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_plan_result result;

	OK(souk_optimizer_plan(&catalog, both, 2, &task, &nothing_known, &result, &err));
	ck_assert_int_eq(souk_optimizer_explain(&catalog, &task, &result, &err), SOUK_E_CAPACITY);
	ck_assert_str_eq(err.message, "no provider that takes part has an offer");
	ck_assert_str_eq(err.hint, "'souk check' tells which providers can be used");
	souk_plan_result_fini(&result);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, accelerators_have_one_name, 0, SOUK_ARRAY_SIZE(names));
	tcase_add_test(tc, the_table_is_sound);
	tcase_add_test(tc, reads_a_catalog);
	tcase_add_loop_test(tc, tells_where_a_catalog_is_wrong, 0, SOUK_ARRAY_SIZE(bad_files));
	tcase_add_test(tc, a_catalog_with_a_nul_is_damaged);
	tcase_add_test(tc, the_newer_catalog_wins);
	tcase_add_test(tc, what_is_written_is_read);
	tcase_add_loop_test(tc, what_could_not_be_read_is_not_written, 0,
			    SOUK_ARRAY_SIZE(unreadable));
	tcase_add_test(tc, counts_regions_and_accelerators);
	tcase_add_test(tc, an_offer_needs_a_name_and_a_place);
	tcase_add_test(tc, the_seed_of_aws);
	tcase_add_loop_test(tc, fits_or_says_why_not, 0, SOUK_ARRAY_SIZE(fits));
	tcase_add_test(tc, the_default_size);
	tcase_add_loop_test(tc, needs_a_feature, 0, SOUK_ARRAY_SIZE(needs));
	tcase_add_test(tc, autostop_needs_stop);
	tcase_add_loop_test(tc, a_failure_covers_its_scope, 0, 4);
	tcase_add_test(tc, what_worked_since_counts_more);
	tcase_add_test(tc, evidence_fades);
	tcase_add_test(tc, only_capacity_is_evidence);
	tcase_add_test(tc, the_ledger_is_of_the_last_day);
	tcase_add_test(tc, cheapest_first_then_by_name);
	tcase_add_test(tc, shuffled_offers_give_the_same_plan);
	tcase_add_test(tc, rank_comes_before_price);
	tcase_add_test(tc, the_exhausted_come_last);
	tcase_add_test(tc, a_machine_is_taken_once);
	tcase_add_test(tc, accelerators_make_different_machines);
	tcase_add_test(tc, providers_that_do_not_take_part);
	tcase_add_loop_test(tc, explains_why_nothing_fits, 0, SOUK_ARRAY_SIZE(explanations));
	tcase_add_test(tc, explains_an_empty_market);
}

int main(void)
{
	Suite *suite = suite_create("market");
	TCase *tc = tcase_create("market");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, begin, scratch_remove);
	add_tests(tc);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
