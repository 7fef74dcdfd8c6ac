/* SPDX-License-Identifier: Apache-2.0 */
/* test-ledger.c - what attempts tell of places, for how long, and that the index tells the same */
#include <inttypes.h>
#include <stdint.h>

#include "base/util.h"
#include "market/ledger.h"
#include "scratch.h"

static struct souk_error err;
static const int64_t now = 1783168200;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)
#define MINUTE 60
#define HOUR 3600

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
}

static struct souk_store_attempt attempt(int code, int scope, int64_t ago)
{
	return (struct souk_store_attempt){
		.provider = (char *)"p", .region = (char *)"r1", .zone = (char *)"r1-a",
		.instance_type = (char *)"t", .code = code, .scope = scope, .at = now - ago,
		.reason = code == SOUK_OK ? NULL : (char *)"Reason",
	};
}

/* A ledger of copies of n attempts. */
static struct souk_ledger make(const struct souk_store_attempt *attempts, size_t n)
{
	struct souk_store_attempt *copies = calloc(n + 1, sizeof(*copies));
	struct souk_ledger ledger;
	size_t i;

	ck_assert_ptr_nonnull(copies);
	for (i = 0; i < n; i++) {
		copies[i] = attempts[i];
		copies[i].provider = souk_strdup(attempts[i].provider);
		copies[i].region = souk_strdup(attempts[i].region);
		copies[i].zone = souk_strdup(attempts[i].zone);
		copies[i].instance_type = souk_strdup(attempts[i].instance_type);
		copies[i].reason = souk_strdup(attempts[i].reason);
		copies[i].accelerator = souk_strdup(attempts[i].accelerator);
	}
	OK(souk_ledger_init(&ledger, copies, n, now, &err));
	return ledger;
}

static struct souk_evidence look(const struct souk_store_attempt *attempts, size_t n,
				 const char *region, const char *zone, const char *type, int spot)
{
	struct souk_ledger_place place = { "p", region, zone, type, NULL, 0, spot };
	struct souk_ledger ledger = make(attempts, n);
	struct souk_evidence evidence = souk_ledger_evidence(&ledger, &place);

	/* The texts go with the ledger. */
	evidence.reason = NULL;
	souk_ledger_fini(&ledger);
	return evidence;
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
	struct souk_ledger_place other = { "q", "r1", "r1-a", "t", NULL, 0, 0 };
	struct souk_store_attempt a = attempt(SOUK_E_CAPACITY, _i, 60);
	struct souk_ledger ledger = make(&a, 1);
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(places); i++) {
		struct souk_evidence found = look(&a, 1, places[i].region, places[i].zone,
						  places[i].type, places[i].spot);

		ck_assert_msg(found.exhausted_at == (places[i].covered[_i] ? now - 60 : 0),
			      "place %zu", i);
		ck_assert_int_eq(found.score, places[i].covered[_i] ? -1000 : 0);
		ck_assert_int_eq(found.code, places[i].covered[_i] ? SOUK_E_CAPACITY : SOUK_OK);
		ck_assert_int_eq(found.cooling_until,
				 places[i].covered[_i] ? now - 60 + SOUK_LEDGER_COOLDOWN_S : 0);
	}
	ck_assert_int_eq(souk_ledger_evidence(&ledger, &other).exhausted_at, 0);
	souk_ledger_fini(&ledger);
}
END_TEST

/* An attempt that left the zone to the provider tells of all its zones. */
START_TEST(without_a_zone)
{
	struct souk_store_attempt a = attempt(SOUK_E_CAPACITY, SOUK_SCOPE_OFFER, 60);

	a.zone = NULL;
	ck_assert_int_eq(look(&a, 1, "r1", "r1-a", "t", 0).exhausted_at, now - 60);
	ck_assert_int_eq(look(&a, 1, "r1", "r1-b", "t", 0).exhausted_at, now - 60);
	ck_assert_int_eq(look(&a, 1, "r1", NULL, "t", 0).exhausted_at, now - 60);
	ck_assert_int_eq(look(&a, 1, "r1", NULL, "t", 0).score, -1000);
	ck_assert_int_eq(look(&a, 1, "r1", NULL, "u", 0).exhausted_at, 0);
}
END_TEST

/* Where accelerators are put into a machine, its type alone does not tell which it is. */
START_TEST(accelerators_make_different_machines)
{
	struct souk_ledger_place place = { "p", "r1", "r1-a", "t", "T4", 2000, 0 };
	struct souk_store_attempt a = attempt(SOUK_E_CAPACITY, SOUK_SCOPE_OFFER, 60);
	struct souk_ledger ledger;

	a.accelerator = (char *)"T4";
	a.accelerator_milli = 2000;
	ledger = make(&a, 1);
	ck_assert_int_eq(souk_ledger_evidence(&ledger, &place).failures, 1000);
	ck_assert_str_eq(souk_ledger_evidence(&ledger, &place).reason, "Reason");
	place.accelerator_milli = 1000;
	ck_assert_int_eq(souk_ledger_evidence(&ledger, &place).failures, 0);
	place.accelerator_milli = 2000;
	place.accelerator = "P4";
	ck_assert_int_eq(souk_ledger_evidence(&ledger, &place).score, 0);
	place.accelerator = NULL;
	ck_assert_int_eq(souk_ledger_evidence(&ledger, &place).score, 0);
	souk_ledger_fini(&ledger);
}
END_TEST

START_TEST(what_worked_since_counts_more)
{
	struct souk_store_attempt a[] = { attempt(SOUK_OK, 0, 60), attempt(SOUK_E_CAPACITY, 0, 120) };
	struct souk_store_attempt b[] = { attempt(SOUK_E_CAPACITY, 0, 60), attempt(SOUK_OK, 0, 120) };

	ck_assert_int_eq(look(a, 2, "r1", "r1-a", "t", 0).exhausted_at, 0);
	ck_assert_int_eq(look(a, 2, "r1", "r1-a", "t", 0).cooling_until, 0);
	ck_assert_int_eq(look(a, 2, "r1", "r1-a", "t", 0).score, 0);
	ck_assert_int_eq(look(a, 2, "r1", "r1-a", "t", 0).successes, 1000);
	ck_assert_int_eq(look(a, 2, "r1", "r1-a", "t", 0).failures, 1000);
	ck_assert_int_eq(look(b, 2, "r1", "r1-a", "t", 0).exhausted_at, now - 60);
	/* That one type was to be had does not say that the zone is not exhausted for another. */
	a[1].scope = SOUK_SCOPE_ZONE;
	ck_assert_int_eq(look(a, 2, "r1", "r1-a", "t", 0).exhausted_at, 0);
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
		ck_assert_int_eq(look(&a, 1, "r1", "r1-a", "t", 0).successes, cases[i].score);
	}
}
END_TEST

/* Each failure keeps a place waiting as long as it is likely to last. */
static const struct {
	int code, scope, spot;
	const char *reason;
	int64_t seconds;
	int score; /* is it evidence of availability, too? */
} cooldowns[] = {
	{ SOUK_E_CAPACITY, SOUK_SCOPE_OFFER, 0, "X", 10 * MINUTE, -1000 },
	{ SOUK_E_CAPACITY, SOUK_SCOPE_OFFER, 1, "X", HOUR, -1000 },
	{ SOUK_E_QUOTA, SOUK_SCOPE_REGION, 0, "X", 10 * MINUTE, 0 },
	{ SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER, 0, "Unsupported", 23 * HOUR, 0 },
	{ SOUK_E_NOT_FOUND, SOUK_SCOPE_OFFER, 0, "NoSuchType", 23 * HOUR, 0 },
	/* Our own refusals, and what names no machine. */
	{ SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER, 0, NULL, 0, 0 },
	{ SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION, 0, "InvalidImage.NotFound", 0, 0 },
	{ SOUK_E_AUTH, SOUK_SCOPE_PROVIDER, 0, "X", 0, 0 },
	{ SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER, 0, "X", 0, 0 },
	{ SOUK_E_INVALID, SOUK_SCOPE_OFFER, 0, "X", 0, 0 },
	{ SOUK_E_TIMEOUT, SOUK_SCOPE_OFFER, 0, "X", 0, 0 },
	{ SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER, 0, "X", 0, 0 },
	{ SOUK_E_INTERNAL, SOUK_SCOPE_OFFER, 0, "X", 0, 0 },
};

START_TEST(cooldowns_differ)
{
	struct souk_store_attempt a = attempt(cooldowns[_i].code, cooldowns[_i].scope, 60);
	struct souk_evidence found;
	struct souk_ledger ledger;
	int64_t seconds = cooldowns[_i].seconds;

	a.spot = cooldowns[_i].spot;
	a.reason = (char *)cooldowns[_i].reason;
	found = look(&a, 1, "r1", "r1-a", "t", a.spot);
	ck_assert_int_eq(found.cooling_until, seconds ? now - 60 + seconds : 0);
	ck_assert_int_eq(found.score, cooldowns[_i].score);
	ledger = make(&a, 1);
	ck_assert_int_eq(souk_ledger_cooling_until(&ledger, 0), found.cooling_until);
	souk_ledger_fini(&ledger);
	if (seconds == 0)
		return;
	a.at = now - seconds;
	found = look(&a, 1, "r1", "r1-a", "t", a.spot);
	ck_assert_int_eq(found.cooling_until, 0);
	ck_assert_int_eq(found.exhausted_at, now - seconds);
	a.at++;
	ck_assert_int_eq(look(&a, 1, "r1", "r1-a", "t", a.spot).cooling_until, now + 1);
	/* A clock that was wrong does not keep a place waiting for ever. */
	a.at = now + 1000 * HOUR;
	ck_assert_int_eq(look(&a, 1, "r1", "r1-a", "t", a.spot).cooling_until, now + seconds);
}
END_TEST

START_TEST(quota_waits_longer_each_time)
{
	static const int64_t minutes[] = { 10, 20, 40, 60, 60, 60 };
	struct souk_store_attempt a[7];
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(a); i++)
		a[i] = attempt(SOUK_E_QUOTA, SOUK_SCOPE_OFFER, 60 * ((int64_t)i + 1));
	for (i = 0; i < SOUK_ARRAY_SIZE(minutes); i++)
		ck_assert_int_eq(look(a, i + 1, "r1", "r1-a", "t", 0).cooling_until,
				 now - 60 + minutes[i] * MINUTE);
	/* What worked in between begins anew. */
	a[1].code = SOUK_OK;
	ck_assert_int_eq(look(a, 7, "r1", "r1-a", "t", 0).cooling_until, now - 60 + 10 * MINUTE);
}
END_TEST

START_TEST(the_longest_cooldown_counts)
{
	struct souk_store_attempt a[] = {
		attempt(SOUK_E_CAPACITY, SOUK_SCOPE_OFFER, 60),
		attempt(SOUK_E_QUOTA, SOUK_SCOPE_REGION, 120),
		attempt(SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER, 180),
	};

	ck_assert_int_eq(look(a, 2, "r1", "r1-a", "t", 0).code, SOUK_E_CAPACITY);
	ck_assert_int_eq(look(a, 3, "r1", "r1-a", "t", 0).code, SOUK_E_UNSUPPORTED);
	ck_assert_int_eq(look(a, 3, "r1", "r1-a", "t", 0).exhausted_at, now - 180);
	ck_assert_int_eq(look(a, 3, "r1", "r1-a", "u", 0).code, SOUK_E_QUOTA);
	ck_assert_int_eq(look(a, 3, "r1", "r1-a", "t", 0).score, -1000);
}
END_TEST

START_TEST(an_empty_ledger_knows_nothing)
{
	struct souk_ledger_place place = { "p", "r", NULL, "t", NULL, 0, 0 };
	struct souk_ledger zeroed = { 0 }, empty = make(NULL, 0);

	ck_assert_int_eq(souk_ledger_evidence(&zeroed, &place).score, 0);
	ck_assert_int_eq(souk_ledger_evidence(&empty, &place).cooling_until, 0);
	ck_assert_int_eq(empty.now, now);
	souk_ledger_fini(&empty);
	souk_ledger_fini(&zeroed);
}
END_TEST

/* ---- The index, beside looking at each attempt ---- */

#define N_ATTEMPTS 600
#define N_PLACES 4000

static uint32_t seed;

static unsigned below(unsigned n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static const char *const providers[] = { "p", "q", "pp" };
static const char *const regions[] = { "r1", "r2", "r", "1" };
static const char *const zones[] = { NULL, "a", "b", "r1" };
static const char *const types[] = { "t", "u", "tt" };
static const char *const accelerators[] = { NULL, "T4" };

static struct souk_store_attempt random_attempt(int64_t at)
{
	static const int codes[] = { SOUK_OK, SOUK_E_CAPACITY, SOUK_E_CAPACITY, SOUK_E_QUOTA,
				     SOUK_E_UNSUPPORTED, SOUK_E_INVALID };

	return (struct souk_store_attempt){
		.provider = (char *)providers[below(3)], .region = (char *)regions[below(4)],
		.zone = (char *)zones[below(4)], .instance_type = (char *)types[below(3)],
		.spot = (int)below(2), .code = codes[below(6)], .at = at,
		.scope = (int32_t)(below(3) ? 0 : below(20) ? below(3) : 3),
		.reason = (char *)(below(2) ? "X" : NULL),
		.accelerator = (char *)accelerators[below(2)], .accelerator_milli = 1000,
	};
}

static int covers(const struct souk_store_attempt *a, const struct souk_ledger_place *place)
{
	int scope = a->code == SOUK_OK ? SOUK_SCOPE_OFFER : a->scope;

	if (strcmp(a->provider, place->provider) != 0)
		return 0;
	if (scope == SOUK_SCOPE_PROVIDER)
		return 1;
	if (strcmp(a->region, place->region) != 0)
		return 0;
	if (scope == SOUK_SCOPE_REGION)
		return 1;
	if (a->zone && place->zone && strcmp(a->zone, place->zone) != 0)
		return 0;
	return scope == SOUK_SCOPE_ZONE ||
	       (strcmp(a->instance_type, place->instance_type) == 0 && a->spot == place->spot &&
		souk_streq(a->accelerator, place->accelerator));
}

static int is_evidence(const struct souk_store_attempt *a)
{
	return a->code == SOUK_E_CAPACITY || a->code == SOUK_E_QUOTA ||
	       (a->code == SOUK_E_UNSUPPORTED && a->scope == SOUK_SCOPE_OFFER && a->reason);
}

START_TEST(the_index_tells_what_the_list_tells)
{
	static struct souk_store_attempt attempts[N_ATTEMPTS];
	struct souk_ledger ledger;
	size_t i, j, cooling = 0;

	seed = (uint32_t)_i + 1;
	for (i = 0; i < N_ATTEMPTS; i++)
		attempts[i] = random_attempt(now - (int64_t)i * (_i + 1) * 7);
	ledger = make(attempts, N_ATTEMPTS);
	for (j = 0; j < N_PLACES; j++) {
		struct souk_ledger_place place = {
			providers[below(3)], regions[below(4)], zones[below(4)], types[below(3)],
			accelerators[below(2)], 1000, (int)below(2),
		};
		struct souk_evidence found = souk_ledger_evidence(&ledger, &place);
		int score = 0, exhausted = 0, worked = 0;

		for (i = 0; i < N_ATTEMPTS; i++) {
			const struct souk_store_attempt *a = &attempts[i];
			int64_t hours = (now - a->at) / HOUR;

			if (!covers(a, &place))
				continue;
			if (a->code == SOUK_OK || a->code == SOUK_E_CAPACITY)
				score += (a->code == SOUK_OK ? 1 : -1) * (hours > 9 ? 0 : 1000 >> hours);
			worked |= a->code == SOUK_OK;
			exhausted |= !worked && is_evidence(a);
		}
		ck_assert_int_eq(found.score, score);
		ck_assert_int_eq(found.exhausted_at != 0, exhausted);
		cooling += found.cooling_until > 0;
	}
	ck_assert_uint_gt(cooling, 0);
	souk_ledger_fini(&ledger);
}
END_TEST

START_TEST(the_ledger_is_of_the_last_day)
{
	struct souk_store_attempt a = attempt(SOUK_E_CAPACITY, 0, 0);
	struct souk_ledger ledger;
	struct souk_store *store;

	a.accelerator = (char *)"H100";
	a.accelerator_milli = 8000;
	OK(souk_store_open(scratch_path("state"), 1, &store, &err));
	a.at = now - SOUK_LEDGER_HORIZON_S;
	OK(souk_store_attempt_add(store, &a, &err));
	a.at--;
	OK(souk_store_attempt_add(store, &a, &err));
	OK(souk_ledger_load(store, now, &ledger, &err));
	ck_assert_uint_eq(ledger.n, 1);
	ck_assert_int_eq(ledger.now, now);
	ck_assert_str_eq(ledger.attempts[0].accelerator, "H100");
	ck_assert_uint_eq(ledger.attempts[0].accelerator_milli, 8000);
	souk_ledger_fini(&ledger);
	souk_store_close(store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ledger");
	TCase *tcase = tcase_create("evidence");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, begin, scratch_remove);
	tcase_add_loop_test(tcase, a_failure_covers_its_scope, 0, 4);
	tcase_add_test(tcase, without_a_zone);
	tcase_add_test(tcase, accelerators_make_different_machines);
	tcase_add_test(tcase, what_worked_since_counts_more);
	tcase_add_test(tcase, evidence_fades);
	tcase_add_loop_test(tcase, cooldowns_differ, 0, SOUK_ARRAY_SIZE(cooldowns));
	tcase_add_test(tcase, quota_waits_longer_each_time);
	tcase_add_test(tcase, the_longest_cooldown_counts);
	tcase_add_test(tcase, an_empty_ledger_knows_nothing);
	tcase_add_loop_test(tcase, the_index_tells_what_the_list_tells, 0, 5);
	tcase_add_test(tcase, the_ledger_is_of_the_last_day);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
