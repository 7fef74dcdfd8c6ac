/* SPDX-License-Identifier: Apache-2.0 */
/* test-failover.c - what a launch tells of its failures, how it sums them up, and what it advises */
#include "fleet-stage.h"

/* ---- Told once, and summed up ---- */

static const struct fixture_offer regions[] = {
	OFFER("alpha", "r1", "a"), OFFER("alpha", "r1", "b"), OFFER("alpha", "r2", "a"),
	OFFER("alpha", "r3", "a"), OFFER("beta", "r1", "a"),
};

static int count_text(const char *in, const char *text)
{
	int n = 0;

	for (; (in = strstr(in, text)) != NULL; in += strlen(text))
		n++;
	return n;
}

START_TEST(a_quota_is_told_once)
{
	static const char *const codes[] = { "QUOTA@region", "AUTH@region" };
	char text[64];

	snprintf(text, sizeof(text), "provision * 9 %s\n", codes[_i]);
	script("alpha", text);
	OK(provision_on(regions, 5, 1, 0, NULL));
	ck_assert_str_eq(where(), "beta/r1/a");
	/* r1 is told, r2 and r3 are counted. */
	ck_assert_int_eq(count_text(events, "trying the next region"), 1);
	ck_assert_int_eq(count_text(events, "the script fails"), 1);
	ck_assert_int_eq(count_text(events, "alpha: 2 more refused for the same reason (Scripted); "
					    "trying the next provider: beta a t"), 1);
	ck_assert_ptr_null(summary);
	check_equal_sets();
	/* A place that is sold out is news each time. */
	OK(down());
	events[0] = '\0';
	script("alpha", "provision * 9 CAPACITY@region\n");
	OK(provision_on(regions, 5, 1, 0, NULL));
	ck_assert_int_eq(count_text(events, "trying the next region"), 2);
	ck_assert_int_eq(count_text(events, "more refused"), 0);
}
END_TEST

START_TEST(a_hushed_quota_is_told_before_what_follows)
{
	script("alpha", "provision r1 1 QUOTA@region\nprovision r2 1 QUOTA@region\n");
	OK(provision_on(regions, 5, 1, 0, NULL));
	ck_assert_str_eq(where(), "alpha/r3/a");
	ck_assert_ptr_nonnull(strstr(events, "alpha: 1 more refused for the same reason (Scripted)\n"));
}
END_TEST

START_TEST(what_was_tried_is_summed_up)
{
	script("alpha", "provision r1/a 1 CAPACITY@zone\nprovision r1/b 1 CAPACITY@offer\n"
			"provision * 9 QUOTA@region\n");
	script("beta", "provision * 9 AUTH\n");
	ck_assert_int_eq(provision_on(regions, 5, 1, 0, NULL), SOUK_E_CAPACITY);
	ck_assert_ptr_nonnull(summary);
	ck_assert_uint_eq(summary->n_tried, 3);
	ck_assert_str_eq(summary->tried[0].provider, "alpha");
	ck_assert_str_eq(summary->tried[0].region, "r1");
	ck_assert_str_eq(summary->tried[0].code, "CAPACITY");
	ck_assert_str_eq(summary->tried[0].reason, "Scripted");
	ck_assert_uint_eq(summary->tried[0].count, 2);
	/* Of the whole account, so the regions are one group. */
	ck_assert_str_eq(summary->tried[1].code, "QUOTA");
	ck_assert_str_eq(summary->tried[1].scope, "region");
	ck_assert_uint_eq(summary->tried[1].count, 2);
	ck_assert_uint_eq(summary->tried[1].regions, 2);
	ck_assert_str_eq(summary->tried[2].provider, "beta");
	ck_assert_str_eq(summary->tried[2].code, "AUTH");
	/* At one price, what is less effort comes first. */
	ck_assert_uint_eq(summary->n_advice, 3);
	ck_assert_str_eq(summary->advice[0].kind, "retry");
	ck_assert_str_eq(summary->advice[1].kind, "quota");
	ck_assert_str_eq(summary->advice[1].region, "r2");
	ck_assert_str_eq(summary->advice[1].text,
			 "raise the quota of alpha in 'r2' (Scripted), for alpha a t, $3.60/h");
	ck_assert_str_eq(summary->advice[2].kind, "credentials");
	/* A failure of the region skips what else is there. */
	script("alpha", "provision * 9 CAPACITY@region\n");
	ck_assert_int_eq(provision_on(regions, 4, 1, 0, NULL), SOUK_E_CAPACITY);
	ck_assert_uint_eq(summary->n_tried, 3);
	ck_assert_uint_eq(summary->tried[0].count, 1);
	ck_assert_uint_eq(summary->tried[0].skipped, 1);
	ck_assert_uint_eq(summary->tried[1].skipped, 0);
}
END_TEST

#define GPU_OFFER(region_, gpu_, dollars_, spot_dollars_)                                          \
	{ .provider = "alpha",                                                                     \
	  .offer = { SOUK_OFFER_HEAD, .instance_type = "g-" gpu_, .region = region_, .zone = "a",   \
		     .arch = "x86_64", .accelerator = gpu_, .accelerator_milli = 1000,             \
		     .vcpus_milli = 8000, .memory_mib = 32768,                                     \
		     .micros_per_hour = (dollars_) * 1000000,                                      \
		     .spot_micros_per_hour = (spot_dollars_) * 1000000, .currency = "USD" } }

static const struct fixture_offer gpus[] = {
	GPU_OFFER("r1", "L4", 4, 2), GPU_OFFER("r2", "L4", 5, 3), GPU_OFFER("r1", "A100", 8, 6),
	GPU_OFFER("r1", "T4", 1, 1),
};

static const struct {
	int spot;
	const char *region;
	const char *script;
	const char *advice[4]; /* kind, and flag or text */
} counsels[] = {
	{ 0, "r1", "provision * 9 CAPACITY@offer\n",
	  { "retry --retry-until-up", "place --infra alpha/r2", "accelerator --gpus A100:1", NULL } },
	{ 1, "r1", "provision * 9 CAPACITY@offer\n",
	  { "retry --retry-until-up", "place --infra alpha/r2", "market --no-use-spot",
	    "accelerator --gpus A100:1" } },
	/* A quota for spot machines is none for others; that of the region is one for others there. */
	{ 1, "r1", "provision * 9 QUOTA@region\n",
	  { "retry --retry-until-up", "quota ", "place --infra alpha/r2", "market --no-use-spot" } },
	{ 0, NULL, "provision * 9 CAPACITY@region\n", { "retry --retry-until-up", NULL } },
	{ 0, "r1", "provision * 9 AUTH\n", { "credentials ", NULL } },
};

START_TEST(the_cheapest_next_thing_to_do)
{
	const struct souk_advice_row *row;
	char text[128];
	size_t i;

	request.accelerator = (struct souk_accelerator){ .name = TEXT("L4"), .milli = 1000 };
	request.region = TEXT(counsels[_i].region);
	request.use_spot = counsels[_i].spot;
	script("alpha", counsels[_i].script);
	ck_assert_int_lt(provision_on(gpus, 4, 1, 0, NULL), 0);
	ck_assert_ptr_nonnull(summary);
	for (i = 0; i < 4 && counsels[_i].advice[i]; i++) {
		ck_assert_uint_lt(i, summary->n_advice);
		row = &summary->advice[i];
		snprintf(text, sizeof(text), "%s %s", row->kind, row->flag ? row->flag : "");
		ck_assert_str_eq(text, counsels[_i].advice[i]);
		ck_assert_int_eq(i > 0 && row->price_micros < row[-1].price_micros, 0);
	}
	if (i < 4)
		ck_assert_uint_eq(summary->n_advice, i);
	ck_assert_str_eq(err.hint, summary->advice[0].text);
}
END_TEST

/* ---- All nodes in one zone, or none ---- */

static const struct {
	const char *script;
	const char *event;
} parts[] = {
	/* Some were made before it failed, and are told of. */
	{ "provision r1/a 1 made+short+told+CAPACITY@zone\n", "trying the next zone" },
	{ "provision r1/a 1 made+short+told+CAPACITY@offer\n", "trying the next zone" },
	{ "provision r1/a 1 short\n", "gave 2 of 3 machines" },
	{ "provision r1/a 1 apart\n", "gave machines in 'elsewhere' and in 'a', not 3 in one zone" },
};

START_TEST(all_in_one_zone_or_none)
{
	struct souk_store_cluster cluster;
	size_t i;

	script("alpha", parts[_i].script);
	OK(provision_on(offers, 4, 3, 0, NULL));
	ck_assert_msg(strstr(events, parts[_i].event) != NULL, "%s", events);
	ck_assert_int_eq(get_cluster(&cluster), 1);
	ck_assert_uint_eq(cluster.n_nodes, 3);
	for (i = 0; i < cluster.n_nodes; i++)
		ck_assert_str_eq(cluster.nodes[i].zone, "b");
	souk_store_cluster_fini(&cluster);
	refresh();
	refresh();
	ck_assert_uint_eq(count_intents(NULL), 0);
	check_equal_sets();
}
END_TEST

/* Where no zone has room for all, nothing is kept. */
START_TEST(parts_are_given_back)
{
	struct souk_store_cluster cluster;

	script("alpha", "provision * 9 apart\n");
	script("beta", "provision * 9 short\n");
	ck_assert_int_eq(provision_on(offers, 4, 2, 0, NULL), SOUK_E_CAPACITY);
	refresh();
	refresh();
	ck_assert_int_eq(get_cluster(&cluster), 0);
	ck_assert_uint_eq(count_intents(NULL), 0);
	ck_assert_uint_eq(count_machines("alpha") + count_machines("beta"), 0);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, all_in_one_zone_or_none, 0, SOUK_ARRAY_SIZE(parts));
	tcase_add_test(tc, parts_are_given_back);
	tcase_add_loop_test(tc, a_quota_is_told_once, 0, 2);
	tcase_add_test(tc, a_hushed_quota_is_told_before_what_follows);
	tcase_add_test(tc, what_was_tried_is_summed_up);
	tcase_add_loop_test(tc, the_cheapest_next_thing_to_do, 0, SOUK_ARRAY_SIZE(counsels));
}

int main(void)
{
	Suite *suite = suite_create("failover");
	TCase *tc = tcase_create("failover");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 180);
	tcase_add_checked_fixture(tc, begin, end);
	add_tests(tc);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
