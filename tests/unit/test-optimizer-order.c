/* SPDX-License-Identifier: Apache-2.0 */
/* test-optimizer-order.c - the order of candidates: every key of it, and that nothing else shows */
#include <stdint.h>
#include <stdio.h>

#include "base/util.h"
#include "market-fixture.h"

static struct souk_error err = SOUK_ERROR_INIT;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)
#define NOW INT64_C(1783168200)

static const struct souk_market_provider both[] = {
	{ "p", ALL_FEATURES, 1, SOUK_STANDS_IN, 0 },
	{ "q", ALL_FEATURES, 1, SOUK_STANDS_IN, 0 },
};

/* 8 vCPUs, 32 GiB. */
#define CPU(provider_, type_, region_, zone_, micros_, spot_)                                      \
	{ .provider = provider_,                                                                   \
	  .offer = { SOUK_OFFER_HEAD, .instance_type = type_, .region = region_, .zone = zone_,    \
		     .arch = "x86_64", .vcpus_milli = 8000, .memory_mib = 32 * 1024,               \
		     .micros_per_hour = micros_, .spot_micros_per_hour = spot_,                    \
		     .currency = "USD" } }

#define N_OFFERS 60

/* Offers in two providers, several regions and zones, with many equal prices. */
static void make_offers(struct fixture_offer *items)
{
	static const char *const regions[] = { "r1", "r2", "r3" };
	static const char *const zones[] = { NULL, "a", "b", "c", "d" };
	static const char *const types[] = { "t1", "t2" };
	size_t i;

	for (i = 0; i < N_OFFERS; i++) {
		struct fixture_offer offer = CPU(i / 30 ? "q" : "p", types[i % 2],
						 regions[i / 10 % 3], zones[i / 2 % 5],
						 100000 * (int64_t)(i * 7 % 5 + 1), 0);

		offer.offer.spot_micros_per_hour = offer.offer.micros_per_hour / 2;
		items[i] = offer;
	}
}

/* A plan over a market that stays until the test ends. */
static struct souk_plan_result plan_over(const struct souk_market *market,
					 const struct souk_task *task,
					 const struct souk_ledger *ledger)
{
	struct souk_plan_query query = { .market = market, .providers = both, .n_providers = 2,
					 .task = task, .ledger = ledger };
	struct souk_plan_result result;

	OK(souk_optimizer_plan(&query, &result, &err));
	return result;
}

/* A ledger takes its attempts over, with all texts. */
static struct souk_ledger ledger_of(const struct souk_store_attempt *attempts, size_t n)
{
	struct souk_store_attempt *own = calloc(n + 1, sizeof(*own));
	struct souk_ledger ledger;
	size_t i;

	ck_assert_ptr_nonnull(own);
	for (i = 0; i < n; i++) {
		own[i] = attempts[i];
		own[i].provider = souk_strdup(attempts[i].provider);
		own[i].region = souk_strdup(attempts[i].region);
		own[i].zone = souk_strdup(attempts[i].zone);
		own[i].instance_type = souk_strdup(attempts[i].instance_type);
		own[i].accelerator = souk_strdup(attempts[i].accelerator);
		own[i].reason = souk_strdup(attempts[i].reason);
	}
	OK(souk_ledger_init(&ledger, own, n, NOW, &err));
	return ledger;
}

/* A generator of our own, so that a failure can be repeated. */
static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

static void shuffle(struct fixture_offer *items, size_t n, uint32_t *state)
{
	size_t i;

	for (i = n; i > 1; i--) {
		size_t j = next_random(state) % i;
		struct fixture_offer kept = items[i - 1];

		items[i - 1] = items[j];
		items[j] = kept;
	}
}

static int by_names(const struct souk_candidate *a, const struct souk_candidate *b)
{
	int order = strcmp(a->provider, b->provider);

	if (order == 0)
		order = strcmp(a->offer.region, b->offer.region);
	if (order == 0)
		order = souk_strcmp(a->offer.zone, b->offer.zone);
	return order ? order : strcmp(a->offer.instance_type, b->offer.instance_type);
}

static int price_then_name(const struct souk_candidate *a, const struct souk_candidate *b)
{
	if (a->total_micros_per_hour != b->total_micros_per_hour)
		return a->total_micros_per_hour < b->total_micros_per_hour ? -1 : 1;
	return by_names(a, b);
}

static void same_candidate(const struct souk_candidate *a, const struct souk_candidate *b)
{
	ck_assert_int_eq(by_names(a, b), 0);
	ck_assert_int_eq(a->total_micros_per_hour, b->total_micros_per_hour);
	ck_assert_int_eq(a->cost_micros, b->cost_micros);
	ck_assert_int_eq(a->spot, b->spot);
	ck_assert_ptr_eq(a->request, b->request);
	ck_assert_int_eq(a->cooling, b->cooling);
	ck_assert_int_eq(souk_streq(a->offer.accelerator, b->offer.accelerator), 1);
	ck_assert_uint_eq(a->offer.accelerator_milli, b->offer.accelerator_milli);
}

START_TEST(cheapest_first_then_by_name)
{
	struct fixture_offer items[N_OFFERS];
	struct souk_request request = { .cpus = { 8000, 0 } };
	struct souk_task task = { .num_nodes = 3, .requests = &request, .n_requests = 1 };
	struct souk_plan_result result;
	struct souk_market market;
	size_t i;

	make_offers(items);
	market = fixture_market(items, N_OFFERS);
	result = plan_over(&market, &task, NULL);
	ck_assert_uint_eq(result.n, N_OFFERS);
	ck_assert_int_eq(fixture_get(&result, 0).micros_per_hour, 100000);
	for (i = 0; i < result.n; i++) {
		struct souk_candidate a = fixture_get(&result, i), b;

		ck_assert_int_eq(a.total_micros_per_hour, a.micros_per_hour * 3);
		ck_assert_int_eq(a.cost_micros, a.total_micros_per_hour);
		ck_assert_int_eq(a.seconds, 3600);
		ck_assert_str_eq(a.source, "live");
		ck_assert_str_eq(a.date, "2026-07-01");
		if (i + 1 == result.n)
			break;
		b = fixture_get(&result, i + 1);
		ck_assert_int_lt(price_then_name(&a, &b), 0);
	}
	ck_assert_int_eq(souk_plan_result_get(&result, result.n, &(struct souk_candidate){ 0 }, &err),
			 SOUK_E_NOT_FOUND);
	souk_plan_result_fini(&result);
	souk_market_fini(&market);
}
END_TEST

/* What several requests and a ledger make of the offers. */
struct scene {
	struct souk_request requests[4];
	struct souk_task task;
	struct souk_ledger ledger;
	struct fixture_offer items[N_OFFERS + 2];
};

static void make_scene(struct scene *scene)
{
	const struct souk_store_attempt attempts[] = {
		{ .provider = TEXT("p"), .region = TEXT("r1"), .zone = TEXT("a"),
		  .instance_type = TEXT("t1"), .code = SOUK_E_CAPACITY, .scope = SOUK_SCOPE_ZONE,
		  .at = NOW - 10 },
		{ .provider = TEXT("q"), .region = TEXT("r3"), .zone = NULL,
		  .instance_type = TEXT("t2"), .code = SOUK_OK, .at = NOW - 10 },
	};

	*scene = (struct scene){ .requests = {
		{ .rank = 1, .cpus = { 8000, 0 } },
		{ .rank = 0, .cpus = { 8000, 0 }, .use_spot = 1, .region = TEXT("r2") },
		{ .rank = 1, .memory = { 1, 1 }, .provider = TEXT("q") },
		{ .rank = 1, .accelerator = { .memory_mib = 16384, .memory_at_least = 1, .milli = 1000 } },
	} };
	scene->task = (struct souk_task){ .num_nodes = 2, .requests = scene->requests, .n_requests = 4 };
	scene->ledger = ledger_of(attempts, 2);
	make_offers(scene->items);
	/* One type with two kinds of accelerator. */
	scene->items[N_OFFERS] = scene->items[9];
	scene->items[N_OFFERS].offer.accelerator = "T4";
	scene->items[N_OFFERS].offer.accelerator_milli = 1000;
	scene->items[N_OFFERS + 1] = scene->items[N_OFFERS];
	scene->items[N_OFFERS + 1].offer.accelerator = "V100";
}

/* The order of the offers does not show in the plan, whatever is asked and known. */
START_TEST(shuffled_offers_give_the_same_plan)
{
	struct fixture_offer shuffled[N_OFFERS + 2];
	struct souk_plan_result first, again;
	struct souk_market market, other;
	struct scene scene;
	uint32_t state = 12345;
	size_t i;
	int round;

	make_scene(&scene);
	market = fixture_market(scene.items, N_OFFERS + 2);
	first = plan_over(&market, &scene.task, &scene.ledger);
	ck_assert_uint_gt(first.n, N_OFFERS);
	for (round = 0; round < 60; round++) {
		memcpy(shuffled, scene.items, sizeof(shuffled));
		shuffle(shuffled, N_OFFERS + 2, &state);
		other = fixture_market(shuffled, N_OFFERS + 2);
		again = plan_over(&other, &scene.task, &scene.ledger);
		ck_assert_uint_eq(first.n, again.n);
		for (i = 0; i < first.n; i++) {
			struct souk_candidate a = fixture_get(&first, i), b = fixture_get(&again, i);

			same_candidate(&a, &b);
		}
		souk_plan_result_fini(&again);
		souk_market_fini(&other);
	}
	souk_plan_result_fini(&first);
	souk_market_fini(&market);
	souk_ledger_fini(&scene.ledger);
}
END_TEST

/* Looked at in any order, and only in part, it is the order that sorting all of it gives. */
START_TEST(a_lazy_sort_is_a_sort)
{
	struct souk_plan_result whole, part;
	struct souk_market market;
	struct scene scene;
	uint32_t state = 99;
	size_t i, at;
	int round;

	make_scene(&scene);
	market = fixture_market(scene.items, N_OFFERS + 2);
	whole = plan_over(&market, &scene.task, &scene.ledger);
	fixture_get(&whole, whole.n - 1);
	ck_assert_uint_eq(whole.n_sorted, whole.n);
	for (round = 0; round < 50; round++) {
		part = plan_over(&market, &scene.task, &scene.ledger);
		for (i = 0; i < 5; i++) {
			struct souk_candidate a, b;

			at = next_random(&state) % part.n;
			a = fixture_get(&whole, at);
			b = fixture_get(&part, at);
			same_candidate(&a, &b);
		}
		souk_plan_result_fini(&part);
	}
	part = plan_over(&market, &scene.task, &scene.ledger);
	fixture_get(&part, 2);
	ck_assert_uint_eq(part.n_sorted, 3);
	ck_assert_uint_lt(part.compared, whole.compared);
	souk_plan_result_fini(&part);
	souk_plan_result_fini(&whole);
	souk_market_fini(&market);
	souk_ledger_fini(&scene.ledger);
}
END_TEST

/* The best of each are those that come first when all are sorted. */
START_TEST(the_best_of_each)
{
	struct souk_plan_best *best;
	struct souk_plan_result result;
	struct souk_market market;
	struct scene scene;
	size_t n, i, j, behind = 0;

	make_scene(&scene);
	market = fixture_market(scene.items, N_OFFERS + 2);
	result = plan_over(&market, &scene.task, &scene.ledger);
	OK(souk_plan_result_best(&result, &best, &n, &err));
	ck_assert_uint_ge(n, 4);
	ck_assert_uint_eq(result.n_sorted, 0);
	for (i = 0; i < n; i++) {
		int first_of_provider = 1, first_of_request = 1, found = 0;

		behind += best[i].behind;
		for (j = 0; j < result.n && !found; j++) {
			struct souk_candidate c = fixture_get(&result, j);

			found = c.file == best[i].candidate.file && c.row == best[i].candidate.row &&
				c.spot == best[i].candidate.spot;
			first_of_provider &= found || strcmp(c.provider, best[i].candidate.provider) != 0;
			first_of_request &= found || c.request != best[i].candidate.request;
		}
		ck_assert_int_eq(found, 1);
		ck_assert(first_of_provider || first_of_request);
	}
	ck_assert_uint_eq(behind + n, result.n);
	free(best);
	souk_plan_result_fini(&result);
	souk_market_fini(&market);
	souk_ledger_fini(&scene.ledger);
}
END_TEST

START_TEST(rank_comes_before_price)
{
	struct fixture_offer items[N_OFFERS];
	struct souk_request requests[] = {
		{ .rank = 1, .cpus = { 8000, 0 }, .region = TEXT("r1") },
		{ .rank = 0, .cpus = { 8000, 0 }, .region = TEXT("r3") },
	};
	struct souk_task task = { .num_nodes = 1, .requests = requests, .n_requests = 2 };
	struct souk_plan_result result;
	struct souk_candidate first, last;
	struct souk_market market;
	size_t i;

	make_offers(items);
	market = fixture_market(items, N_OFFERS);
	result = plan_over(&market, &task, NULL);
	ck_assert_uint_eq(result.n, 40);
	for (i = 0; i < 40; i++)
		ck_assert_str_eq(fixture_get(&result, i).offer.region, i < 20 ? "r3" : "r1");
	first = fixture_get(&result, 0);
	last = fixture_get(&result, 39);
	ck_assert_int_eq(souk_plan_why_after(&result, &first, &last), SOUK_LOST_RANK);
	souk_plan_result_fini(&result);
	souk_market_fini(&market);
}
END_TEST

START_TEST(the_exhausted_come_last)
{
	struct fixture_offer items[N_OFFERS];
	struct souk_request request = { .cpus = { 8000, 0 } };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_store_attempt a = { .provider = TEXT("p"), .region = TEXT("r1"),
					.instance_type = TEXT("t1"), .code = SOUK_E_CAPACITY,
					.scope = SOUK_SCOPE_REGION,
					.at = NOW - SOUK_LEDGER_COOLDOWN_S + 1 };
	struct souk_ledger ledger = ledger_of(&a, 1);
	struct souk_plan_result result;
	struct souk_candidate first, c;
	struct souk_market market;
	size_t i;

	make_offers(items);
	market = fixture_market(items, N_OFFERS);
	result = plan_over(&market, &task, &ledger);
	first = fixture_get(&result, 0);
	for (i = 0; i < result.n; i++) {
		c = fixture_get(&result, i);
		ck_assert_int_eq(c.cooling, i >= N_OFFERS - 10);
		if (c.cooling)
			ck_assert_int_eq(c.evidence.exhausted_at, a.at);
		ck_assert(!c.cooling || souk_plan_why_after(&result, &first, &c) == SOUK_LOST_COOLING);
	}
	souk_plan_result_fini(&result);
	souk_ledger_fini(&ledger);
	/* A moment later price alone counts; among equals the others still come first. */
	a.at--;
	ledger = ledger_of(&a, 1);
	result = plan_over(&market, &task, &ledger);
	first = fixture_get(&result, 0);
	for (i = 1; i < result.n; i++) {
		c = fixture_get(&result, i);
		ck_assert_int_eq(c.cooling, 0);
		ck_assert_int_le(first.total_micros_per_hour, c.total_micros_per_hour);
		if (first.total_micros_per_hour == c.total_micros_per_hour)
			ck_assert_int_ge(first.evidence.score, c.evidence.score);
		first = c;
	}
	souk_plan_result_fini(&result);
	souk_ledger_fini(&ledger);
	souk_market_fini(&market);
}
END_TEST

/* What a live list has none of comes last, for as long as the list is worth something. */
START_TEST(out_of_stock)
{
	struct fixture_offer items[] = { CPU("p", "t1", "r1", "a", 100000, -1),
					 CPU("p", "t1", "r2", "a", 300000, -1) };
	struct souk_request request = { .cpus = { 8000, 0 } };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_ledger ledger = { 0 };
	struct souk_plan_result result;
	struct souk_market market;
	int64_t made_at;
	int old;

	items[0].offer.available = 0;
	items[1].offer.available = 3;
	market = fixture_market(items, 2);
	made_at = souk_catalog_file_head(market.files[0])->made_at;
	for (old = 0; old < 2; old++) {
		ledger.now = made_at + SOUK_STOCK_HORIZON_S - 1 + old;
		result = plan_over(&market, &task, &ledger);
		ck_assert_uint_eq(result.n, 2);
		ck_assert_str_eq(fixture_get(&result, 0).offer.region, old ? "r1" : "r2");
		ck_assert_int_eq(fixture_get(&result, 1).cooling, !old);
		ck_assert_int_eq(fixture_get(&result, 1).out_of_stock, !old);
		souk_plan_result_fini(&result);
	}
	souk_market_fini(&market);
}
END_TEST

START_TEST(a_machine_is_taken_once)
{
	struct fixture_offer item = CPU("p", "m5", "r2", NULL, 400000, 100000);
	struct souk_request requests[] = {
		{ .rank = 1, .cpus = { 8000, 1 } },
		{ .rank = 0, .cpus = { 8000, 0 }, .memory = { 1024, 1 } },
		{ .rank = 0, .cpus = { 8000, 0 }, .use_spot = 1 },
		{ .rank = 0, .memory = { 1024, 1 } },
	};
	struct souk_task task = { .num_nodes = 1, .requests = requests, .n_requests = 4 };
	struct souk_market market = fixture_market(&item, 1);
	struct souk_plan_result result = plan_over(&market, &task, NULL);

	/* As spot and not: two, each by the preferred request. */
	ck_assert_uint_eq(result.n, 2);
	ck_assert_int_eq(fixture_get(&result, 0).spot, 1);
	ck_assert_ptr_eq(fixture_get(&result, 0).request, &requests[2]);
	ck_assert_int_eq(fixture_get(&result, 1).spot, 0);
	ck_assert_ptr_eq(fixture_get(&result, 1).request, &requests[1]);
	souk_plan_result_fini(&result);
	souk_market_fini(&market);
}
END_TEST

/* Some clouds attach accelerators to one and the same type: those are different machines. */
START_TEST(accelerators_make_different_machines)
{
	struct fixture_offer items[3] = {
		CPU("p", "n1", "r1", "a", 4000000, -1), CPU("p", "n1", "r1", "a", 5000000, -1),
		CPU("p", "n1", "r1", "a", 6000000, -1),
	};
	struct souk_request requests[] = {
		{ .accelerator = { .name = TEXT("T4"), .milli = 4000 } },
		{ .accelerator = { .name = TEXT("V100"), .milli = 1000 } },
		{ .accelerator = { .name = TEXT("V100"), .milli = 2000 } },
	};
	struct souk_task task = { .num_nodes = 1, .requests = requests, .n_requests = 3 };
	struct souk_plan_result result;
	struct souk_market market;

	items[0].offer.accelerator = "T4";
	items[0].offer.accelerator_milli = 4000;
	items[1].offer.accelerator = items[2].offer.accelerator = "V100";
	items[1].offer.accelerator_milli = 1000;
	items[2].offer.accelerator_milli = 2000;
	market = fixture_market(items, 3);
	result = plan_over(&market, &task, NULL);
	ck_assert_uint_eq(result.n, 3);
	ck_assert_str_eq(fixture_get(&result, 0).offer.accelerator, "T4");
	ck_assert_uint_eq(fixture_get(&result, 1).offer.accelerator_milli, 1000);
	ck_assert_uint_eq(fixture_get(&result, 2).offer.accelerator_milli, 2000);
	souk_plan_result_fini(&result);
	souk_market_fini(&market);
}
END_TEST

START_TEST(who_does_not_take_part_has_no_candidate)
{
	static const enum souk_standing standings[] = {
		SOUK_STANDS_NOT_INSTALLED, SOUK_STANDS_NO_CREDENTIALS, SOUK_STANDS_NOT_ALLOWED,
		SOUK_STANDS_BROKEN, SOUK_STANDS_BACK,
	};
	struct fixture_offer item = CPU("p", "m5", "r2", NULL, 400000, 100000);
	struct souk_request request = { 0 };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_market market = fixture_market(&item, 1);
	struct souk_market_provider provider = both[0];
	struct souk_plan_query query = { .market = &market, .providers = &provider, .n_providers = 1,
					 .task = &task };
	struct souk_plan_result result;
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(standings); i++) {
		provider.standing = standings[i];
		OK(souk_optimizer_plan(&query, &result, &err));
		ck_assert_uint_eq(result.n, 0);
		souk_plan_result_fini(&result);
	}
	query.n_providers = 0;
	OK(souk_optimizer_plan(&query, &result, &err));
	ck_assert_uint_eq(result.n, 0);
	souk_plan_result_fini(&result);
	souk_market_fini(&market);
}
END_TEST

/* Dollars are not compared with anything else, and come first. */
START_TEST(other_currencies_come_after)
{
	struct fixture_offer items[] = {
		CPU("p", "a", "r1", NULL, 1000, -1), CPU("p", "b", "r1", NULL, 900000, -1),
		CPU("q", "c", "r1", NULL, 2000, -1), CPU("q", "d", "r1", NULL, 3000, -1),
	};
	static const char *const order[] = { "b", "d", "c", "a" };
	struct souk_request request = { .cpus = { 8000, 0 } };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_plan_result result;
	struct souk_candidate first, last;
	struct souk_market market;
	size_t i;

	memcpy(items[0].offer.currency, "GBP", 4);
	memcpy(items[2].offer.currency, "EUR", 4);
	memcpy(items[3].offer.currency, "CHF", 4);
	market = fixture_market(items, 4);
	result = plan_over(&market, &task, NULL);
	ck_assert_uint_eq(result.n, 4);
	for (i = 0; i < 4; i++)
		ck_assert_str_eq(fixture_get(&result, i).offer.instance_type, order[i]);
	first = fixture_get(&result, 0);
	last = fixture_get(&result, 3);
	ck_assert_int_eq(souk_plan_why_after(&result, &first, &last), SOUK_LOST_CURRENCY);
	souk_plan_result_fini(&result);
	souk_market_fini(&market);
}
END_TEST

/* docs/market.md: compute * failures / (failures + successes + 1) / 2. */
START_TEST(preemption_is_expected_by_evidence)
{
	struct fixture_offer items[] = { CPU("p", "a", "r1", "z", 2000000, 1000000),
					 CPU("q", "b", "r1", "z", 2000000, 1200000) };
	struct souk_request request = { .cpus = { 8000, 0 }, .use_spot = 1 };
	struct souk_task task = { .num_nodes = 2, .requests = &request, .n_requests = 1 };
	/* Two failures and a success of half their weight, a while ago. */
	const struct souk_store_attempt attempts[] = {
		{ .provider = TEXT("p"), .region = TEXT("r1"), .zone = TEXT("z"),
		  .instance_type = TEXT("a"), .spot = 1, .code = SOUK_OK,
		  .at = NOW - SOUK_LEDGER_HALF_LIFE_S },
		{ .provider = TEXT("p"), .region = TEXT("r1"), .zone = TEXT("z"),
		  .instance_type = TEXT("a"), .spot = 1, .code = SOUK_E_CAPACITY,
		  .scope = SOUK_SCOPE_OFFER, .at = NOW - SOUK_LEDGER_HALF_LIFE_S },
		{ .provider = TEXT("p"), .region = TEXT("r1"), .zone = TEXT("z"),
		  .instance_type = TEXT("a"), .spot = 1, .code = SOUK_E_CAPACITY,
		  .scope = SOUK_SCOPE_OFFER, .at = NOW - SOUK_LEDGER_HALF_LIFE_S },
	};
	struct souk_ledger ledger = ledger_of(attempts, 3);
	struct souk_market market = fixture_market(items, 2);
	struct souk_plan_query query = { .market = &market, .providers = both, .n_providers = 2,
					 .task = &task, .ledger = &ledger, .hours_milli = 10000 };
	struct souk_plan_result result;
	struct souk_candidate c, winner;

	OK(souk_optimizer_plan(&query, &result, &err));
	c = fixture_get(&result, 1);
	winner = fixture_get(&result, 0);
	ck_assert_str_eq(c.provider, "p");
	ck_assert_int_eq(c.evidence.failures, 1000);
	ck_assert_int_eq(c.evidence.successes, 500);
	ck_assert_int_eq(c.compute_micros, 20000000);
	/* p is 1 / (1 + 0.5 + 1) = 0.4, and half a run is done again. */
	ck_assert_int_eq(c.preemption_micros, 4000000);
	ck_assert_int_eq(c.cost_micros, 24000000);
	ck_assert_int_eq(c.seconds, 36000);
	ck_assert_int_eq(winner.preemption_micros, 0);
	ck_assert_int_eq(winner.cost_micros, 24000000);
	/* Equal in cost: what failed more often comes later. */
	ck_assert_int_eq(souk_plan_why_after(&result, &winner, &c), SOUK_LOST_SCORE);
	souk_plan_result_fini(&result);
	/* On demand machines are not taken away. */
	request.use_spot = 0;
	OK(souk_optimizer_plan(&query, &result, &err));
	ck_assert_int_eq(fixture_get(&result, 0).preemption_micros, 0);
	ck_assert_str_eq(fixture_get(&result, 0).provider, "p");
	souk_plan_result_fini(&result);
	souk_market_fini(&market);
	souk_ledger_fini(&ledger);
}
END_TEST

static const char transfer_table[] =
	"# source: https://prices.example/transfer\n"
	"# date: 2026-07-01\n"
	"scheme,px://*\n"
	"from_region,to,to_region,tier_from_gb,usd_per_gb\n"
	"*,same-region,*,0,0\n"
	"*,same-provider,*,0,0.02\n"
	"*,internet,*,0,0.09\n";

/* 100 GB of input, and the machine beside them costs fifty cents more. */
static void check_gravity(const struct souk_market *market, const struct souk_task *task,
			  const struct souk_egress *egress)
{
	struct souk_plan_query query = { .market = market, .providers = both, .n_providers = 2,
					 .task = task, .egress = egress };
	static struct souk_survey survey;
	struct souk_candidate first, second;
	struct souk_plan_result result;

	OK(souk_optimizer_plan(&query, &result, &err));
	first = fixture_get(&result, 0);
	second = fixture_get(&result, 1);
	ck_assert_str_eq(first.provider, "p");
	ck_assert_int_eq(first.cost_micros, 2500000);
	ck_assert_int_eq(first.transfer.micros, 0);
	ck_assert_str_eq(second.provider, "q");
	ck_assert_int_eq(second.transfer.rank_micros, 9000000);
	ck_assert_int_eq(second.cost_micros, 11000000);
	ck_assert_int_gt(second.seconds, first.seconds);
	ck_assert_int_eq(souk_plan_why_after(&result, &first, &second), SOUK_LOST_COST);
	OK(souk_plan_result_survey(&result, &survey, &err));
	ck_assert_uint_eq(survey.groups[SOUK_LOST_COST].n, 1);
	ck_assert_str_eq(survey.groups[SOUK_LOST_COST].example.provider, "q");
	souk_plan_result_fini(&result);
	/* Twenty hours later the machine counts more than the data. */
	query.hours_milli = 20000;
	OK(souk_optimizer_plan(&query, &result, &err));
	ck_assert_str_eq(fixture_get(&result, 0).provider, "q");
	ck_assert_int_eq(fixture_get(&result, 0).cost_micros, 49000000);
	ck_assert_int_eq(fixture_get(&result, 1).cost_micros, 50000000);
	souk_plan_result_fini(&result);
	/* Unless it is the time that counts. */
	query.by_time = 1;
	OK(souk_optimizer_plan(&query, &result, &err));
	first = fixture_get(&result, 0);
	second = fixture_get(&result, 1);
	ck_assert_str_eq(first.provider, "p");
	ck_assert_int_eq(souk_plan_why_after(&result, &first, &second), SOUK_LOST_TIME);
	souk_plan_result_fini(&result);
}

START_TEST(data_has_gravity)
{
	struct fixture_offer items[] = { CPU("p", "a", "r1", NULL, 2500000, -1),
					 CPU("q", "b", "r1", NULL, 2000000, -1) };
	struct souk_request request = { .cpus = { 8000, 0 } };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1,
				  .inputs_uri = TEXT("px://data/set"), .inputs_gb = 100 };
	struct souk_market market = fixture_market(items, 2);
	struct souk_egress *egress = souk_egress_new(&err);

	ck_assert_ptr_nonnull(egress);
	OK(souk_egress_add_text(egress, "p", "p.csv", transfer_table, strlen(transfer_table), &err));
	check_gravity(&market, &task, egress);
	souk_egress_free(egress);
	souk_market_fini(&market);
}
END_TEST

/* A file that is damaged where a plan reads it fails the plan, and tells which file it was. */
START_TEST(damage_is_told)
{
	struct fixture_offer item = CPU("p", "m5", "r2", NULL, 400000, 100000);
	struct souk_catalog_origin origin = { "q", "live", "2026-07-01", NULL };
	struct souk_request request = { .cpus = { 8000, 0 } };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_market market = fixture_market(&item, 1);
	struct souk_plan_query query = { .market = &market, .providers = both, .n_providers = 2,
					 .task = &task };
	struct souk_catalog_file *file;
	struct souk_plan_result result;
	struct souk_offer *offers = calloc(2000, sizeof(*offers));
	static char names[2000][16];
	uint8_t *image;
	size_t size, i;
	void *made;

	ck_assert_ptr_nonnull(offers);
	for (i = 0; i < 2000; i++) {
		snprintf(names[i], sizeof(names[i]), "type-%zu", i);
		offers[i] = item.offer;
		offers[i].instance_type = names[i];
	}
	OK(souk_catalog_image(&origin, offers, 2000, &made, &size, &err));
	image = made;
	image[size - 20000] ^= 1;
	image[size / 2] ^= 1;
	OK(souk_catalog_file_open_image(image, size, &file, &err));
	OK(souk_market_add(&market, file, &err));
	ck_assert_int_eq(souk_optimizer_plan(&query, &result, &err), SOUK_E_INVALID);
	ck_assert_int_eq(result.damaged, 1);
	ck_assert_str_eq(souk_catalog_file_head(market.files[1])->provider, "q");
	souk_market_fini(&market);
	free(offers);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, cheapest_first_then_by_name);
	tcase_add_test(tc, out_of_stock);
	tcase_add_test(tc, shuffled_offers_give_the_same_plan);
	tcase_add_test(tc, a_lazy_sort_is_a_sort);
	tcase_add_test(tc, the_best_of_each);
	tcase_add_test(tc, rank_comes_before_price);
	tcase_add_test(tc, the_exhausted_come_last);
	tcase_add_test(tc, a_machine_is_taken_once);
	tcase_add_test(tc, accelerators_make_different_machines);
	tcase_add_test(tc, who_does_not_take_part_has_no_candidate);
	tcase_add_test(tc, other_currencies_come_after);
	tcase_add_test(tc, preemption_is_expected_by_evidence);
	tcase_add_test(tc, data_has_gravity);
	tcase_add_test(tc, damage_is_told);
}

int main(void)
{
	Suite *suite = suite_create("optimizer-order");
	TCase *tc = tcase_create("optimizer-order");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	add_tests(tc);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
