/* SPDX-License-Identifier: Apache-2.0 */
/* test-egress.c - transfer tables: how they are read, and what moving data costs by them */
#include <inttypes.h>

#include "base/util.h"
#include "market/egress.h"
#include "market/tariff.h"
#include "scratch.h"

static struct souk_error err;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)

#define HEADER "from_region,to,to_region,tier_from_gb,usd_per_gb\n"

/* Two clouds and a storage of somebody else's; all figures are invented. */
static const char red_table[] =
	"# source: red's list\n# date: "
	"2026-03-04\nscheme,red://*\nscheme,https://*.red.example/*\n" HEADER
	"*,same-region,*,0,0\n"
	"east-1,same-provider,east-2,0,0.01\n"
	"far-*|moon,same-provider,*,0,0.10\n"
	"*,same-provider,*,0,0.02\n"
	"moon,internet,*,0,1.5\n"
	"# source: red's other list\n"
	"*,internet,*,0,0\n"
	"*,internet,*,100,0.09\n"
	"*,internet,*,10240,0.085\n";
static const char blue_table[] = "scheme,blue://*\n" HEADER
				 "*,internet,*,0,0\n*,same-region,*,0,0\n";
static const char grey_table[] = "scheme,grey://*\n" HEADER "*,same-region,*,0,0\n";

static struct souk_egress *egress;

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
	egress = souk_egress_new(&err);
	ck_assert_ptr_nonnull(egress);
	OK(souk_egress_add_text(egress, "red", "red.csv", red_table, strlen(red_table), &err));
	OK(souk_egress_add_text(egress, "blue", "blue.csv", blue_table, strlen(blue_table), &err));
	OK(souk_egress_add_text(egress, "grey", "grey.csv", grey_table, strlen(grey_table), &err));
}

static void end(void)
{
	souk_egress_free(egress);
	scratch_remove();
}

/* ---- Prices ---- */

static const struct {
	const char *name;
	struct souk_place from, to;
	uint64_t mb;
	int allowance;
	enum souk_transfer_kind kind;
	int64_t micros;
	int64_t seconds;
	int region_unknown;
} prices[] = {
	{ "nothing", { "red", "east-1" }, { "blue", "b" }, 0, 1, SOUK_TRANSFER_NOTHING, 0, 0, 0 },
	{ "the same region",
	  { "red", "east-1" },
	  { "RED", "East-1" },
	  5000,
	  1,
	  SOUK_TRANSFER_SAME_REGION,
	  0,
	  4,
	  0 },
	{ "a pair of regions",
	  { "red", "east-1" },
	  { "red", "east-2" },
	  1000,
	  1,
	  SOUK_TRANSFER_SAME_PROVIDER,
	  10000,
	  2,
	  0 },
	{ "the other way",
	  { "red", "east-2" },
	  { "red", "east-1" },
	  1000,
	  1,
	  SOUK_TRANSFER_SAME_PROVIDER,
	  20000,
	  2,
	  0 },
	{ "by who sends",
	  { "red", "far-9" },
	  { "red", "east-1" },
	  1000,
	  1,
	  SOUK_TRANSFER_SAME_PROVIDER,
	  100000,
	  2,
	  0 },
	{ "the second pattern",
	  { "red", "moon" },
	  { "red", "east-1" },
	  1000,
	  1,
	  SOUK_TRANSFER_SAME_PROVIDER,
	  100000,
	  2,
	  0 },
	{ "the free GB",
	  { "red", "east-1" },
	  { "blue", "b" },
	  100000,
	  1,
	  SOUK_TRANSFER_INTERNET,
	  0,
	  400,
	  0 },
	{ "one more",
	  { "red", "east-1" },
	  { "blue", "b" },
	  101000,
	  1,
	  SOUK_TRANSFER_INTERNET,
	  90000,
	  404,
	  0 },
	{ "the free GB are used up",
	  { "red", "east-1" },
	  { "blue", "b" },
	  101000,
	  0,
	  SOUK_TRANSFER_INTERNET,
	  101 * 90000,
	  404,
	  0 },
	{ "three tiers",
	  { "red", "east-1" },
	  { NULL, NULL },
	  20000000,
	  1,
	  SOUK_TRANSFER_INTERNET,
	  10140 * INT64_C(90000) + 9760 * INT64_C(85000),
	  80000,
	  0 },
	{ "three tiers, used up",
	  { "red", "east-1" },
	  { NULL, NULL },
	  20000000,
	  0,
	  SOUK_TRANSFER_INTERNET,
	  10240 * INT64_C(90000) + 9760 * INT64_C(85000),
	  80000,
	  0 },
	{ "no free GB there",
	  { "red", "moon" },
	  { "blue", "b" },
	  1000,
	  1,
	  SOUK_TRANSFER_INTERNET,
	  1500000,
	  4,
	  0 },
	{ "rounded half up",
	  { "red", "east-1" },
	  { "red", "x" },
	  1,
	  1,
	  SOUK_TRANSFER_SAME_PROVIDER,
	  20,
	  1,
	  0 },
	{ "sending is free",
	  { "blue", "b" },
	  { "red", "east-1" },
	  1000,
	  0,
	  SOUK_TRANSFER_INTERNET,
	  0,
	  4,
	  0 },
	{ "all free, without allowance too",
	  { "blue", NULL },
	  { "red", "east-1" },
	  1000,
	  0,
	  SOUK_TRANSFER_INTERNET,
	  0,
	  4,
	  1 },
	{ "no rule for it",
	  { "blue", "b" },
	  { "blue", "c" },
	  1000,
	  1,
	  SOUK_TRANSFER_SAME_PROVIDER,
	  -1,
	  2,
	  0 },
	{ "no table",
	  { "green", "g" },
	  { "red", "east-1" },
	  1000,
	  1,
	  SOUK_TRANSFER_INTERNET,
	  -1,
	  4,
	  0 },
	{ "no table, and the same place",
	  { "green", "g" },
	  { "green", "g" },
	  1000,
	  1,
	  SOUK_TRANSFER_SAME_REGION,
	  -1,
	  1,
	  0 },
	{ "nobody sends",
	  { NULL, NULL },
	  { "red", "east-1" },
	  1000,
	  1,
	  SOUK_TRANSFER_INTERNET,
	  -1,
	  4,
	  1 },
	{ "a region that is not known is taken for the other's",
	  { "red", NULL },
	  { "red", "far-1" },
	  9000,
	  1,
	  SOUK_TRANSFER_SAME_REGION,
	  0,
	  8,
	  1 },
	{ "and to elsewhere for a usual one",
	  { "red", "" },
	  { "blue", "b" },
	  101000,
	  1,
	  SOUK_TRANSFER_INTERNET,
	  90000,
	  404,
	  1 },
};

START_TEST(prices_a_transfer)
{
	struct souk_transfer got;

	souk_egress_price(egress, &prices[_i].from, &prices[_i].to, prices[_i].mb,
			  prices[_i].allowance, &got);
	ck_assert_msg(got.kind == prices[_i].kind, "%s: kind %d", prices[_i].name, got.kind);
	ck_assert_msg(got.micros == prices[_i].micros, "%s: %" PRId64, prices[_i].name, got.micros);
	ck_assert_msg(got.seconds == prices[_i].seconds, "%s: %" PRId64 " s", prices[_i].name,
		      got.seconds);
	ck_assert_msg(got.region_unknown == prices[_i].region_unknown, "%s", prices[_i].name);
	/* What nobody knows is never the cheapest: the dearest price of all, moon's, stands for it.
	 */
	ck_assert_int_eq(got.rank_micros,
			 got.micros >= 0 ? got.micros : (int64_t)prices[_i].mb * 1500);
}
END_TEST

START_TEST(a_price_says_where_it_is_from)
{
	struct souk_place here = { "red", "east-1" }, there = { "red", "x" }, out = { NULL, NULL };
	struct souk_place nobody = { "green", "g" };
	struct souk_transfer got;

	souk_egress_price(egress, &here, &there, 1000, 1, &got);
	ck_assert_str_eq(got.source, "red's list");
	ck_assert_str_eq(got.date, "2026-03-04");
	souk_egress_price(egress, &here, &out, 1000, 1, &got);
	ck_assert_str_eq(got.source, "red's other list");
	ck_assert_str_eq(got.date, "2026-03-04");
	souk_egress_price(egress, &nobody, &here, 1000, 1, &got);
	ck_assert_str_eq(got.source, "");
	ck_assert_str_eq(got.date, "");
}
END_TEST

START_TEST(huge_amounts_stay_numbers)
{
	struct souk_place here = { "red", "moon" }, out = { NULL, NULL };
	struct souk_transfer got;

	souk_egress_price(egress, &here, &out, UINT64_MAX, 1, &got);
	ck_assert_int_eq(got.micros, INT64_C(1500000000000000));
	ck_assert_uint_eq(souk_egress_mb(1e300), got.mb);
	ck_assert_uint_eq(souk_egress_mb(-1), 0);
	ck_assert_uint_eq(souk_egress_mb(0), 0);
	ck_assert_uint_eq(souk_egress_mb(0.0001), 1);
	ck_assert_uint_eq(souk_egress_mb(1.5), 1500);
	ck_assert_uint_eq(souk_egress_mb(0.1), 100);
	ck_assert_uint_eq(souk_egress_mb(__builtin_nan("")), 0);
}
END_TEST

/* ---- Buckets and tasks ---- */

START_TEST(a_bucket_has_a_place)
{
	struct souk_place place;

	OK(souk_egress_add_bucket(egress, "red://data", "east-1", &err));
	OK(souk_egress_add_bucket(egress, "red://data/far/", "far-1", &err));
	souk_egress_bucket(egress, "red://data/a/b", &place);
	ck_assert_str_eq(place.provider, "red");
	ck_assert_str_eq(place.region, "east-1");
	souk_egress_bucket(egress, "red://data/far/x", &place);
	ck_assert_str_eq(place.region, "far-1");
	souk_egress_bucket(egress, "red://data/farther", &place);
	ck_assert_str_eq(place.region, "east-1");
	souk_egress_bucket(egress, "red://database", &place);
	ck_assert_str_eq(place.provider, "red");
	ck_assert_ptr_null(place.region);
	souk_egress_bucket(egress, "https://me.red.example/x", &place);
	ck_assert_str_eq(place.provider, "red");
	souk_egress_bucket(egress, "green://x", &place);
	ck_assert_ptr_null(place.provider);
	souk_egress_bucket(egress, NULL, &place);
	ck_assert_ptr_null(place.provider);
}
END_TEST

START_TEST(a_task_pays_for_both_ways)
{
	struct souk_task task = { .inputs_uri = (char *)"red://data", .inputs_gb = 200,
				  .outputs_uri = (char *)"red://out", .outputs_gb = 10 };
	struct souk_task_transfer got;

	ck_assert_int_eq(souk_egress_is_needed(&task), 1);
	OK(souk_egress_add_bucket(egress, "red://data", "east-1", &err));
	souk_egress_task(egress, &task, "red", "east-1", &got);
	ck_assert_int_eq(got.known, 1);
	ck_assert_int_eq(got.micros, 0);
	ck_assert_int_eq(got.inputs.region_unknown, 0);
	ck_assert_int_eq(got.outputs.region_unknown, 1);
	/* Inputs leave red; outputs leave blue, which takes nothing. */
	souk_egress_task(egress, &task, "blue", "b", &got);
	ck_assert_int_eq(got.known, 1);
	ck_assert_int_eq(got.micros, 100 * 90000);
	ck_assert_int_eq(got.rank_micros, 100 * 90000);
	ck_assert_int_eq(got.seconds, 800 + 40);
	/* What green takes for sending nobody knows. */
	souk_egress_task(egress, &task, "green", "g", &got);
	ck_assert_int_eq(got.known, 0);
	ck_assert_int_eq(got.micros, 100 * 90000);
	ck_assert_int_eq(got.rank_micros, 100 * 90000 + 10 * 1500000);
	ck_assert_int_eq(got.outputs.micros, -1);
	task.inputs_gb = task.outputs_gb = 0;
	ck_assert_int_eq(souk_egress_is_needed(&task), 0);
	souk_egress_task(egress, &task, "green", "g", &got);
	ck_assert_int_eq(got.known, 1);
	ck_assert_int_eq(got.rank_micros, 0);
}
END_TEST

/* ---- Files ---- */

static const struct {
	const char *text, *message;
} bad_tables[] = {
	{ "from,to\n",
	  "t.csv:1: the first line must be 'from_region,to,to_region,tier_from_gb,usd_per_gb'" },
	{ "from_region,to,to_region,tier_from_gb\n",
	  "t.csv:1: the first line must be 'from_region,to,to_region,tier_from_gb,usd_per_gb'" },
	{ "from_region,to,to_region,tier_from_gb,usd_per_gb,x\n",
	  "t.csv:1: the first line must be 'from_region,to,to_region,tier_from_gb,usd_per_gb'" },
	{ HEADER "*,internet,*,0\n", "t.csv:2: 4 fields, not 5" },
	{ HEADER "# x\n\n*,elsewhere,*,0,1\n",
	  "t.csv:4: 'to' must be same-region, same-provider or internet, not 'elsewhere'" },
	{ HEADER ",internet,*,0,1\n", "t.csv:2: a region is missing; '*' stands for any" },
	{ HEADER "*,internet,*,0,lots\n", "t.csv:2: usd_per_gb: not a number: 'lots'" },
	{ HEADER "*,internet,*,x,1\n", "t.csv:2: tier_from_gb: not a number: 'x'" },
	{ HEADER "*,internet,*,0,-1\n", "t.csv:2: " },
	{ HEADER "*,internet,*,0,1001\n", "t.csv:2: a number that is too large or below 0" },
	{ HEADER "*,internet,*,5,1\n", "t.csv:2: the first tier begins at 0" },
	{ HEADER "*,internet,*,0,1\n*,internet,*,0,2\n",
	  "t.csv:3: a tier begins above the one before it" },
	{ HEADER "*,internet,*,0,1\n*,internet,*,10,2\n*,internet,*,9,3\n",
	  "t.csv:4: a tier begins above the one before it" },
	{ "scheme\n" HEADER, "t.csv:1: a scheme is written 'scheme,PATTERN'" },
	{ HEADER "scheme,a,b\n", "t.csv:2: a scheme is written 'scheme,PATTERN'" },
	{ HEADER "*,internet,*,0,1\x1b\n", "t.csv:2: a control character" },
	{ HEADER "a,b,c,d,e,f,g,h,i\n", "t.csv:2: more than 8 fields" },
};

START_TEST(tells_where_a_table_is_wrong)
{
	const char *text = bad_tables[_i].text;

	ck_assert_int_eq(souk_egress_add_text(egress, "t", "t.csv", text, strlen(text), &err),
			 SOUK_E_INVALID);
	ck_assert_msg(
		strncmp(err.message, bad_tables[_i].message, strlen(bad_tables[_i].message)) == 0,
		"'%s'", err.message);
	ck_assert_uint_eq(souk_egress_count(egress), 3);
}
END_TEST

START_TEST(a_nul_hides_nothing)
{
	static const char text[] = HEADER "*,internet,*,0,1\0,2\n";

	ck_assert_int_eq(souk_egress_add_text(egress, "t", "t.csv", text, sizeof(text) - 1, &err),
			 SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "t.csv:2: a control character");
}
END_TEST

static void put(const char *folder, const char *name, const char *text)
{
	struct souk_error own = SOUK_ERROR_INIT;
	const char *dir = scratch_path("%s/transfer", folder);

	ck_assert_int_eq(souk_fs_mkdir(dir, 0700, &own), SOUK_OK);
	ck_assert_int_eq(souk_fs_write(scratch_path("%s/transfer/%s", folder, name), text,
				       strlen(text), 0600, &own),
			 SOUK_OK);
}

START_TEST(the_users_table_takes_the_place_of_ours)
{
	char config[128], data[128], share[128];
	struct souk_paths paths = { .config = config, .data = data, .datadir = share };
	struct souk_place here = { "red", "east-1" }, out = { NULL, NULL };
	struct souk_egress *loaded = NULL;
	struct souk_egress_table table;
	struct souk_transfer got;

	snprintf(config, sizeof(config), "%s/config", scratch);
	snprintf(data, sizeof(data), "%s/data", scratch);
	snprintf(share, sizeof(share), "%s/share", scratch);
	OK(souk_egress_load(&paths, NULL, &loaded, &err));
	ck_assert_uint_eq(souk_egress_count(loaded), 0);
	souk_egress_free(loaded);
	put("share", "red.csv", red_table);
	put("share", "blue.csv", blue_table);
	put("share", "README", "not a table");
	put("share", ".hidden.csv", "not a table");
	put("config", "red.csv", "# source: our contract\r\n# date: 2026-05-06\r\n" HEADER
				 "*,internet,*,0,0.05\r\n");
	/* That of a module of one's own stands between. */
	put("data", "red.csv", "nonsense\n");
	put("data", "blue.csv", "# source: one's own\n" HEADER "*,internet,*,0,0.01\n");
	put("config", "green.csv", HEADER);
	OK(souk_egress_load(&paths, NULL, &loaded, &err));
	ck_assert_uint_eq(souk_egress_count(loaded), 3);
	souk_egress_table(loaded, 0, &table);
	ck_assert_str_eq(table.provider, "blue");
	ck_assert_str_eq(table.source, "one's own");
	souk_egress_table(loaded, 2, &table);
	ck_assert_str_eq(table.provider, "red");
	ck_assert_str_eq(table.source, "our contract");
	ck_assert_str_eq(table.date, "2026-05-06");
	ck_assert_str_eq(table.path, scratch_path("config/transfer/red.csv"));
	souk_egress_price(loaded, &here, &out, 1000, 1, &got);
	ck_assert_int_eq(got.micros, 50000);
	souk_egress_free(loaded);
	put("config", "blue.csv", "nonsense\n");
	ck_assert_int_eq(souk_egress_load(&paths, NULL, &loaded, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(
		strstr(err.message, "config/transfer/blue.csv:1: the first line must be"));
}
END_TEST

/* ---- The tables that come with souk ---- */

static const struct {
	const char *file, *provider, *from, *to_provider, *to;
	uint64_t mb;
	int64_t micros;
} shipped[] = {
	{ "aws/transfer.csv", "aws", "us-east-1", "gcp", "us-central1", 1100000, 90000000 },
	{ "aws/transfer.csv", "aws", "us-east-1", "aws", "us-east-2", 1000, 10000 },
	{ "aws/transfer.csv", "aws", "us-east-1", "aws", "us-east-1", 1000, 0 },
	{ "aws/transfer.csv", "aws", "eu-west-1", "aws", "us-east-1", 1000, 20000 },
	{ "aws/transfer.csv", "aws", "sa-east-1", "aws", "us-east-1", 1000, 138000 },
	{ "aws/transfer.csv", "aws", "sa-east-1", NULL, NULL, 200000, 15000000 },
	{ "aws/transfer.csv", "aws", "us-gov-west-1", NULL, NULL, 1000, 155000 },
	{ "gcp/transfer.csv", "gcp", "us-central1", "aws", "us-east-1", 2000, 120000 },
	{ "gcp/transfer.csv", "gcp", "us-central1", "gcp", "us-west1", 1000, 20000 },
	{ "gcp/transfer.csv", "gcp", "us-central1", "gcp", "europe-west4", 1000, 50000 },
	{ "gcp/transfer.csv", "gcp", "europe-west4", "gcp", "australia-southeast1", 1000, 150000 },
	{ "gcp/transfer.csv", "gcp", "asia-east1", "gcp", "asia-south1", 1000, 50000 },
	{ "azure/transfer.csv", "azure", "eastus", "aws", "us-east-1", 101000, 87000 },
	{ "azure/transfer.csv", "azure", "eastus", "azure", "westus3", 1000, 20000 },
	{ "azure/transfer.csv", "azure", "eastus", "azure", "westeurope", 1000, 50000 },
	{ "azure/transfer.csv", "azure", "westeurope", "azure", "northeurope", 1000, 20000 },
	{ "azure/transfer.csv", "azure", "southeastasia", "azure", "eastus", 1000, 80000 },
	{ "azure/transfer.csv", "azure", "brazilsouth", NULL, NULL, 101000, 181000 },
	{ "runpod/transfer.csv", "runpod", "US", "aws", "us-east-1", 1000000, 0 },
	{ "lambda/transfer.csv", "lambda", "us-east-1", "aws", "us-east-1", 1000000, 0 },
	{ "local/transfer.csv", "local", "local", "aws", "us-east-1", 1000000, 0 },
	{ "storage/cloudflare-transfer.csv", "cloudflare", NULL, "aws", "us-east-1", 1000000, 0 },
	{ "storage/ibm-transfer.csv", "ibm", NULL, "aws", "us-east-1", 1000000, -1 },
};

START_TEST(the_tables_that_come_with_souk)
{
	struct souk_place from = { shipped[_i].provider, shipped[_i].from };
	struct souk_place to = { shipped[_i].to_provider, shipped[_i].to };
	struct souk_transfer got;
	char path[512], *text = NULL;
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/providers/%s", TEST_SRCDIR, shipped[_i].file);
	OK(souk_fs_read(path, 1 << 20, &text, &size, &err));
	OK(souk_egress_add_text(egress, shipped[_i].provider, path, text, size, &err));
	free(text);
	souk_egress_price(egress, &from, &to, shipped[_i].mb, 1, &got);
	ck_assert_msg(got.micros == shipped[_i].micros, "%s %s: %" PRId64, shipped[_i].file,
		      shipped[_i].from, got.micros);
	if (got.micros < 0)
		return;
	ck_assert_str_ne(got.source, "");
	ck_assert_uint_eq(strlen(got.date), 10);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, prices_a_transfer, 0, SOUK_ARRAY_SIZE(prices));
	tcase_add_test(tc, a_price_says_where_it_is_from);
	tcase_add_test(tc, huge_amounts_stay_numbers);
	tcase_add_test(tc, a_bucket_has_a_place);
	tcase_add_test(tc, a_task_pays_for_both_ways);
	tcase_add_loop_test(tc, tells_where_a_table_is_wrong, 0, SOUK_ARRAY_SIZE(bad_tables));
	tcase_add_test(tc, a_nul_hides_nothing);
	tcase_add_test(tc, the_users_table_takes_the_place_of_ours);
	tcase_add_loop_test(tc, the_tables_that_come_with_souk, 0, SOUK_ARRAY_SIZE(shipped));
}

int main(void)
{
	Suite *suite = suite_create("egress");
	TCase *tc = tcase_create("egress");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, begin, end);
	add_tests(tc);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
