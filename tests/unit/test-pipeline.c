/* SPDX-License-Identifier: Apache-2.0 */
/* test-pipeline.c - the places of pipelines: what is chosen is what trying everything finds */
#include <inttypes.h>

#include "base/util.h"
#include "market/pipeline.h"
#include "scratch.h"

static struct souk_error err;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)
#define MAX_STAGES 12
#define MAX_CHOICES 8
#define MAX_EDGES 40

/* ---- Random questions, the same in each run ---- */

static uint64_t state;

static uint32_t random_below(uint32_t n)
{
	state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((state >> 33) % n);
}

struct question {
	struct souk_egress *egress;
	struct souk_stage_choice choices[MAX_STAGES][MAX_CHOICES];
	struct souk_pipeline_stage stages[MAX_STAGES];
	struct souk_pipeline_edge edges[MAX_EDGES];
	struct souk_pipeline pipeline;
};

static const char *const providers[] = { "red", "blue", "grey" };
static const char *const regions[] = { "r1", "r2", "r3" };

/* Prices of few values, so that many plans cost the same. Nobody knows what grey takes. */
static void make_tables(struct question *q)
{
	char text[2048];
	size_t i, p;

	q->egress = souk_egress_new(&err);
	ck_assert_ptr_nonnull(q->egress);
	for (p = 0; p < 2; p++) {
		int n = snprintf(text, sizeof(text),
				 "from_region,to,to_region,tier_from_gb,usd_per_gb\n"
				 "*,same-region,*,0,0\n");

		for (i = 0; i < 3; i++)
			n += snprintf(text + n, sizeof(text) - (size_t)n,
				      "%s,same-provider,*,0,0.0%u\n%s,internet,*,0,0\n%s,internet,*"
				      ",1,0.%02u\n",
				      regions[i], random_below(3), regions[i], regions[i],
				      random_below(5) * 3);
		OK(souk_egress_add_text(q->egress, providers[p], providers[p], text, (size_t)n,
					&err));
	}
}

static void make_stages(struct question *q, size_t n, size_t max_choices, uint32_t spread)
{
	size_t i, c;

	q->pipeline.n_stages = n;
	for (i = 0; i < n; i++) {
		q->stages[i].choices = q->choices[i];
		q->stages[i].n = 1 + random_below((uint32_t)max_choices);
		for (c = 0; c < q->stages[i].n; c++)
			q->choices[i][c] = (struct souk_stage_choice){
				.place = { providers[random_below(spread > 9 ? 3 : 2)],
					   regions[random_below(3)] },
				.micros = 100000 * random_below(spread),
				.index = (uint32_t)c,
			};
		for (c = 0; c < q->stages[i].n; c++) {
			q->choices[i][c].unknown = random_below(20) == 0;
			q->choices[i][c].rank_micros = q->choices[i][c].micros +
						       100000 * q->choices[i][c].unknown;
		}
	}
}

static void add_edge(struct question *q, size_t from, size_t to)
{
	ck_assert_uint_lt(q->pipeline.n_edges, MAX_EDGES);
	q->edges[q->pipeline.n_edges++] =
		(struct souk_pipeline_edge){ from, to, random_below(4) * UINT64_C(5000) };
}

enum shape { CHAIN, BACKWARD_CHAIN, TREE, SHUFFLED_TREE, DAG, DENSE, SHAPES };

static void make_edges(struct question *q, enum shape shape)
{
	size_t n = q->pipeline.n_stages, i, j;

	for (i = 1; i < n; i++) {
		if (shape == CHAIN)
			add_edge(q, i - 1, i);
		else if (shape == BACKWARD_CHAIN)
			add_edge(q, i, i - 1);
		else if (shape == TREE || shape == SHUFFLED_TREE)
			add_edge(q, random_below((uint32_t)i), i);
		for (j = 0; shape >= DAG && j < i; j++)
			if (random_below(shape == DENSE ? 2 : 3) == 0)
				add_edge(q, j, i);
	}
	/* Not all parents first: then the order of names needs the search. */
	for (i = 0; shape == SHUFFLED_TREE && i < q->pipeline.n_edges; i++) {
		q->edges[i].from = q->edges[i].from * 5 % n;
		q->edges[i].to = q->edges[i].to * 5 % n;
	}
}

static void make_question(struct question *q, enum shape shape, size_t n, size_t max_choices)
{
	*q = (struct question){ 0 };
	q->pipeline.stages = q->stages;
	q->pipeline.edges = q->edges;
	make_tables(q);
	make_stages(q, n, max_choices, 2 + random_below(30));
	make_edges(q, shape);
}

/* ---- Trying everything ---- */

struct truth {
	size_t chosen[MAX_STAGES];
	uint32_t unknown;
	int64_t micros;		/* that are known */
	int64_t rank_micros;
	int found;
};

static void weigh(const struct question *q, const size_t *chosen, struct truth *truth)
{
	struct souk_transfer transfer;
	struct truth own = { .found = 1 };
	size_t i;

	for (i = 0; i < q->pipeline.n_stages; i++) {
		own.micros += q->choices[i][chosen[i]].micros;
		own.rank_micros += q->choices[i][chosen[i]].rank_micros;
		own.unknown += q->choices[i][chosen[i]].unknown;
		own.chosen[i] = chosen[i];
	}
	for (i = 0; i < q->pipeline.n_edges; i++) {
		const struct souk_pipeline_edge *edge = &q->edges[i];

		souk_egress_price(q->egress, &q->choices[edge->from][chosen[edge->from]].place,
				  &q->choices[edge->to][chosen[edge->to]].place, edge->mb, 0,
				  &transfer);
		own.micros += transfer.micros > 0 ? transfer.micros : 0;
		own.rank_micros += transfer.rank_micros;
		own.unknown += transfer.micros < 0;
	}
	if (!truth->found || own.rank_micros < truth->rank_micros)
		*truth = own;
}

/* In the order of choices, so that the first of the cheapest stays. */
static void try_all(const struct question *q, struct truth *truth)
{
	size_t chosen[MAX_STAGES] = { 0 }, i;

	do {
		weigh(q, chosen, truth);
		for (i = q->pipeline.n_stages; i-- > 0;) {
			if (++chosen[i] < q->stages[i].n)
				break;
			chosen[i] = 0;
		}
	} while (i != SIZE_MAX);
}

static void compare(struct question *q, const char *what, int number)
{
	struct souk_pipeline_plan plan = { 0 };
	struct truth truth = { 0 };
	size_t i;

	try_all(q, &truth);
	OK(souk_pipeline_solve(&q->pipeline, q->egress, &plan, &err));
	ck_assert_msg(plan.rank_micros == truth.rank_micros, "%s %d: %" PRId64 ", not %" PRId64,
		      what, number, plan.rank_micros, truth.rank_micros);
	ck_assert_msg(plan.micros == truth.micros, "%s %d: known: %" PRId64 ", not %" PRId64, what,
		      number, plan.micros, truth.micros);
	ck_assert_msg(plan.unknown == truth.unknown, "%s %d: %u unknown, not %u", what, number,
		      plan.unknown, truth.unknown);
	for (i = 0; i < plan.n_stages; i++)
		ck_assert_msg(plan.chosen[i] == truth.chosen[i], "%s %d: stage %zu: %zu, not %zu",
			      what, number, i, plan.chosen[i], truth.chosen[i]);
	souk_pipeline_plan_fini(&plan);
	souk_egress_free(q->egress);
}

static const struct {
	enum shape shape;
	const char *name;
	size_t max_stages, max_choices;
	int rounds;
} shapes[] = {
	{ CHAIN, "chain", 7, 5, 150 },
	{ CHAIN, "short chain", 3, 8, 100 },
	{ BACKWARD_CHAIN, "backward chain", 6, 5, 100 },
	{ TREE, "tree", 7, 5, 150 },
	{ SHUFFLED_TREE, "shuffled tree", 7, 4, 1500 },
	{ DAG, "DAG", 7, 4, 2000 },
	{ DENSE, "dense DAG", 7, 4, 1500 },
	{ DENSE, "deep DAG", 9, 3, 40 },
};

START_TEST(what_is_chosen_is_the_cheapest)
{
	struct question q;
	int i;

	state = 4711 + (uint64_t)_i;
	for (i = 0; i < shapes[_i].rounds; i++) {
		size_t n = 1 + random_below((uint32_t)shapes[_i].max_stages);

		/* The shuffle is by fives. */
		if (shapes[_i].shape == SHUFFLED_TREE && n % 5 == 0)
			n++;
		make_question(&q, shapes[_i].shape, n, shapes[_i].max_choices);
		compare(&q, shapes[_i].name, i);
	}
}
END_TEST

/* ---- What has to hold whatever the figures ---- */

START_TEST(ten_stages_over_two_clouds)
{
	struct souk_pipeline_plan plan = { 0 };
	struct truth truth = { 0 };
	struct question q;
	size_t i, c;

	state = 99;
	q = (struct question){ 0 };
	q.pipeline = (struct souk_pipeline){ .stages = q.stages, .n_stages = 10, .edges = q.edges };
	make_tables(&q);
	for (i = 0; i < 10; i++) {
		q.stages[i] = (struct souk_pipeline_stage){ q.choices[i], 4 };
		for (c = 0; c < 4; c++)
			q.choices[i][c] = (struct souk_stage_choice){
				.place = { providers[c / 2], regions[c % 2] },
				.rank_micros = 1000000 + 10000 * random_below(100),
			};
		if (i > 0)
			add_edge(&q, i - 1, i);
	}
	try_all(&q, &truth);
	OK(souk_pipeline_solve(&q.pipeline, q.egress, &plan, &err));
	ck_assert_int_eq(plan.rank_micros, truth.rank_micros);
	ck_assert_int_eq(memcmp(plan.chosen, truth.chosen, 10 * sizeof(size_t)), 0);
	/* Trying everything looks at a million plans; this at each pair of places a few times. */
	ck_assert_uint_eq(plan.work.nodes, 1);
	ck_assert_uint_le(plan.work.pairs, 9 * 4 * 4 * 3);
	souk_pipeline_plan_fini(&plan);
	souk_egress_free(q.egress);
}
END_TEST

/* Work grows with the stages, not with the number of plans. */
START_TEST(a_hundred_stages_in_forty_places)
{
	enum { STAGES = 100, PLACES = 40 };
	static struct souk_stage_choice choices[STAGES][PLACES];
	static struct souk_pipeline_stage stages[STAGES];
	static struct souk_pipeline_edge edges[STAGES];
	static char names[PLACES][8];
	struct souk_pipeline pipeline = { stages, STAGES, edges, STAGES - 1 };
	struct souk_pipeline_plan plan = { 0 }, again = { 0 };
	struct question q = { 0 };
	size_t i, c;

	state = 7;
	make_tables(&q);
	for (c = 0; c < PLACES; c++)
		snprintf(names[c], sizeof(names[c]), "r%zu", c % 3 + 1);
	for (i = 0; i < STAGES; i++) {
		stages[i] = (struct souk_pipeline_stage){ choices[i], PLACES };
		edges[i] = (struct souk_pipeline_edge){ i, i + 1, 1000000 };
		for (c = 0; c < PLACES; c++)
			choices[i][c] = (struct souk_stage_choice){
				.place = { providers[c % 2], names[c] },
				.rank_micros = 10000 * random_below(10000),
			};
	}
	OK(souk_pipeline_solve(&pipeline, q.egress, &plan, &err));
	OK(souk_pipeline_solve(&pipeline, q.egress, &again, &err));
	ck_assert_uint_eq(plan.work.nodes, 1);
	ck_assert_uint_le(plan.work.pairs, (STAGES - 1) * PLACES * PLACES * 3);
	ck_assert_uint_eq(plan.work.pairs, again.work.pairs);
	ck_assert_int_eq(memcmp(plan.chosen, again.chosen, STAGES * sizeof(size_t)), 0);
	souk_pipeline_plan_fini(&plan);
	souk_pipeline_plan_fini(&again);
	souk_egress_free(q.egress);
}
END_TEST

START_TEST(data_keeps_stages_together)
{
	static const char table[] =
		"from_region,to,to_region,tier_from_gb,usd_per_gb\n"
		"*,same-region,*,0,0\n*,same-provider,*,0,0.02\n*,internet,*,0,0.09\n";
	struct souk_stage_choice choices[2][2] = {
		{ { { "red", "r1" }, 1000000, 1000000, 0, 0 },
		  { { "blue", "b1" }, 1100000, 1100000, 0, 1 } },
		{ { { "red", "r1" }, 3000000, 3000000, 0, 0 },
		  { { "blue", "b1" }, 2000000, 2000000, 0, 1 } },
	};
	struct souk_pipeline_stage stages[2] = { { choices[0], 2 }, { choices[1], 2 } };
	struct souk_pipeline_edge edge = { 0, 1, 1000 };
	struct souk_pipeline pipeline = { stages, 2, &edge, 1 };
	struct souk_pipeline_plan plan = { 0 };
	struct souk_egress *egress = souk_egress_new(&err);

	ck_assert_ptr_nonnull(egress);
	OK(souk_egress_add_text(egress, "red", "red", table, sizeof(table) - 1, &err));
	OK(souk_egress_add_text(egress, "blue", "blue", table, sizeof(table) - 1, &err));
	/* A GB: each where it is cheapest. */
	OK(souk_pipeline_solve(&pipeline, egress, &plan, &err));
	ck_assert_uint_eq(plan.chosen[0], 0);
	ck_assert_uint_eq(plan.chosen[1], 1);
	ck_assert_int_eq(plan.micros, 3090000);
	ck_assert_int_eq(plan.transfers[0].micros, 90000);
	ck_assert_int_eq(plan.transfers[0].kind, SOUK_TRANSFER_INTERNET);
	souk_pipeline_plan_fini(&plan);
	/* Two: the first one moves to where the second is. */
	edge.mb = 2000;
	OK(souk_pipeline_solve(&pipeline, egress, &plan, &err));
	ck_assert_uint_eq(plan.chosen[0], 1);
	ck_assert_uint_eq(plan.chosen[1], 1);
	ck_assert_int_eq(plan.micros, 3100000);
	souk_pipeline_plan_fini(&plan);
	/* Where nobody knows what it takes, the dearest price of all counts. */
	choices[0][1].place.provider = "grey";
	OK(souk_pipeline_solve(&pipeline, egress, &plan, &err));
	ck_assert_uint_eq(plan.chosen[0], 0);
	ck_assert_uint_eq(plan.unknown, 0);
	souk_pipeline_plan_fini(&plan);
	stages[0].choices = &choices[0][1];
	stages[0].n = 1;
	OK(souk_pipeline_solve(&pipeline, egress, &plan, &err));
	ck_assert_uint_eq(plan.unknown, 1);
	ck_assert_int_eq(plan.transfers[0].micros, -1);
	ck_assert_int_eq(plan.micros, 1100000 + 2000000);
	ck_assert_int_gt(plan.rank_micros, plan.micros);
	souk_pipeline_plan_fini(&plan);
	souk_egress_free(egress);
}
END_TEST

START_TEST(wrong_questions_are_refused)
{
	struct souk_stage_choice choice = { { "red", "r1" }, 1, 1, 0, 0 };
	struct souk_pipeline_stage stages[3] = { { &choice, 1 }, { &choice, 1 }, { &choice, 1 } };
	struct souk_pipeline_edge edges[3] = { { 0, 1, 1 }, { 1, 2, 1 }, { 2, 1, 0 } };
	struct souk_pipeline pipeline = { stages, 3, edges, 3 };
	struct souk_pipeline_plan plan = { 0 };
	struct souk_egress *egress = souk_egress_new(&err);

	ck_assert_ptr_nonnull(egress);
	ck_assert_int_eq(souk_pipeline_solve(&pipeline, egress, &plan, &err), SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "the stages wait for each other in a circle");
	edges[2].to = 3;
	ck_assert_int_eq(souk_pipeline_solve(&pipeline, egress, &plan, &err), SOUK_E_INVALID);
	pipeline.n_edges = 2;
	stages[1].n = 0;
	ck_assert_int_eq(souk_pipeline_solve(&pipeline, egress, &plan, &err), SOUK_E_CAPACITY);
	ck_assert_str_eq(err.message, "nothing on sale fits stage 2");
	pipeline.n_stages = SOUK_PIPELINE_MAX_STAGES + 1;
	ck_assert_int_eq(souk_pipeline_solve(&pipeline, egress, &plan, &err), SOUK_E_INVALID);
	ck_assert_ptr_null(plan.chosen);
	pipeline.n_stages = 0;
	pipeline.n_edges = 0;
	OK(souk_pipeline_solve(&pipeline, egress, &plan, &err));
	ck_assert_int_eq(plan.micros, 0);
	souk_pipeline_plan_fini(&plan);
	souk_egress_free(egress);
}
END_TEST

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
}

int main(void)
{
	Suite *suite = suite_create("pipeline");
	TCase *tc = tcase_create("pipeline");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 300);
	tcase_add_checked_fixture(tc, begin, NULL);
	tcase_add_loop_test(tc, what_is_chosen_is_the_cheapest, 0, SOUK_ARRAY_SIZE(shapes));
	tcase_add_test(tc, ten_stages_over_two_clouds);
	tcase_add_test(tc, a_hundred_stages_in_forty_places);
	tcase_add_test(tc, data_keeps_stages_together);
	tcase_add_test(tc, wrong_questions_are_refused);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
