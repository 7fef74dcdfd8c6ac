/* SPDX-License-Identifier: Apache-2.0 */
/* market/pipeline.c - the places of stages: dynamic programming inside a branch and bound */
#include "market/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/money.h"
#include "base/util.h"

/* Weights are micros. Sums of a thousand of the largest would not fit into 64 bits. */
#define INFINITE ((__int128)1 << 126)

/* Pairs of places that are priced; each takes 16 bytes. */
#define MAX_PAIRS ((size_t)8 << 20)
/* Pairs that a search may look at: some seconds. Edges that need more are not what people write. */
#define MAX_WORK (UINT64_C(2) << 30)

struct stage {
	__int128 *cost;		/* of the choices that are left */
	size_t *at;		/* their positions */
	size_t n;
	ssize_t fixed;		/* -1: open */
	__int128 *value; /* the cheapest that its part of the forest can be, for each choice */
	size_t parent;		/* in the forest; the stage itself: a root */
	size_t parent_edge;
};

struct edge {
	size_t from, to;
	__int128 *weight;	/* choices of 'from' times choices of 'to' */
	__int128 least;
	uint64_t mb;
	int in_forest;
};

struct search {
	struct stage *stages;
	size_t n_stages;
	struct edge *edges;	/* those that move something, the largest first */
	size_t n_edges;
	size_t *order;		/* the open stages, parents before children */
	size_t n_order;
	size_t *sets;		/* for finding loops */
	size_t *chosen;
	size_t *best;
	__int128 best_weight;
	int found;		/* 'best' is set, not only its weight */
	struct souk_pipeline_work work;
};

/* ---- Weights ---- */

static __int128 edge_weight(const struct search *s, const struct edge *edge, size_t from, size_t to)
{
	return edge->weight[from * s->stages[edge->to].n + to];
}

/* From the side of one of its ends. */
static __int128 weight_beside(const struct search *s, const struct edge *edge, size_t stage,
			      size_t own, size_t other)
{
	return edge->from == stage ? edge_weight(s, edge, own, other)
				   : edge_weight(s, edge, other, own);
}

/* ---- The forest of open stages ---- */

static size_t set_of(size_t *sets, size_t i)
{
	while (sets[i] != i) {
		sets[i] = sets[sets[i]];
		i = sets[i];
	}
	return i;
}

/* The edges with the most data, as long as they make no loop. Returns how many are left out. */
static size_t choose_forest(struct search *s)
{
	size_t i, a, b, left_out = 0;

	for (i = 0; i < s->n_stages; i++)
		s->sets[i] = i;
	for (i = 0; i < s->n_edges; i++) {
		struct edge *edge = &s->edges[i];

		edge->in_forest = 0;
		if (s->stages[edge->from].fixed >= 0 || s->stages[edge->to].fixed >= 0)
			continue;
		a = set_of(s->sets, edge->from);
		b = set_of(s->sets, edge->to);
		edge->in_forest = a != b;
		left_out += a == b;
		s->sets[a] = b;
	}
	return left_out;
}

static void visit_children(struct search *s, size_t stage)
{
	size_t i, child;

	for (i = 0; i < s->n_edges; i++) {
		const struct edge *edge = &s->edges[i];

		if (!edge->in_forest || (edge->from != stage && edge->to != stage))
			continue;
		child = edge->from == stage ? edge->to : edge->from;
		if (s->sets[child] != SIZE_MAX)
			continue;
		s->sets[child] = stage;
		s->stages[child].parent = stage;
		s->stages[child].parent_edge = i;
		s->order[s->n_order++] = child;
	}
}

/* Root each tree at its first stage; the sets are used again, as marks. */
static void order_forest(struct search *s)
{
	size_t i, next = 0;

	s->n_order = 0;
	for (i = 0; i < s->n_stages; i++)
		s->sets[i] = SIZE_MAX;
	for (i = 0; i < s->n_stages; i++) {
		if (s->stages[i].fixed >= 0 || s->sets[i] != SIZE_MAX)
			continue;
		s->sets[i] = i;
		s->stages[i].parent = i;
		s->order[s->n_order++] = i;
		while (next < s->n_order)
			visit_children(s, s->order[next++]);
	}
}

/* ---- Dynamic programming ---- */

/* A choice by itself: its price and its transfers with stages that are decided. */
static void set_own_values(struct search *s)
{
	size_t i, c;

	for (i = 0; i < s->n_stages; i++)
		if (s->stages[i].fixed < 0)
			memcpy(s->stages[i].value, s->stages[i].cost,
			       s->stages[i].n * sizeof(*s->stages[i].value));
	for (i = 0; i < s->n_edges; i++) {
		const struct edge *edge = &s->edges[i];
		struct stage *from = &s->stages[edge->from], *to = &s->stages[edge->to];

		if ((from->fixed >= 0) == (to->fixed >= 0))
			continue;
		for (c = 0; from->fixed < 0 && c < from->n; c++)
			from->value[c] += edge_weight(s, edge, c, (size_t)to->fixed);
		for (c = 0; to->fixed < 0 && c < to->n; c++)
			to->value[c] += edge_weight(s, edge, (size_t)from->fixed, c);
	}
}

/* The cheapest choice of a stage if its parent's is 'p': the first of those that are equal. */
static size_t best_under(struct search *s, size_t stage, size_t p, __int128 *weight_out)
{
	const struct stage *own = &s->stages[stage];
	const struct edge *edge = &s->edges[own->parent_edge];
	__int128 weight, best = INFINITE;
	size_t c, best_c = 0;

	for (c = 0; c < own->n; c++) {
		weight = own->value[c] + weight_beside(s, edge, stage, c, p);
		if (weight < best) {
			best = weight;
			best_c = c;
		}
	}
	s->work.pairs += own->n;
	*weight_out = best;
	return best_c;
}

/* Hand the values of a stage up to its parent. */
static void hand_up(struct search *s, size_t stage)
{
	struct stage *parent = &s->stages[s->stages[stage].parent];
	__int128 weight;
	size_t p;

	for (p = 0; p < parent->n; p++) {
		best_under(s, stage, p, &weight);
		parent->value[p] += weight;
	}
}

static __int128 least_value(const struct stage *stage, size_t *c_out)
{
	size_t c;

	*c_out = 0;
	for (c = 1; c < stage->n; c++)
		if (stage->value[c] < stage->value[*c_out])
			*c_out = c;
	return stage->value[*c_out];
}

/*
 * From the leaves to the roots; then a root's values tell what its tree costs at least. Exact if no
 * edge was left out of the forest.
 */
static void run_forest(struct search *s)
{
	size_t i;

	set_own_values(s);
	for (i = s->n_order; i-- > 0;)
		if (s->stages[s->order[i]].parent != s->order[i])
			hand_up(s, s->order[i]);
	s->work.nodes++;
}

/* From the roots to the leaves: the choices that the values came from. */
static void walk_down(struct search *s, size_t *chosen)
{
	__int128 weight;
	size_t i;

	for (i = 0; i < s->n_order; i++) {
		size_t stage = s->order[i], parent = s->stages[stage].parent;

		if (parent == stage)
			least_value(&s->stages[stage], &chosen[stage]);
		else
			chosen[stage] = best_under(s, stage, chosen[parent], &weight);
	}
}

/* Where every parent comes before its children in number, walking down chooses in the order of
 * stages. */
static int is_in_order(const struct search *s)
{
	size_t i;

	for (i = 0; i < s->n_stages; i++)
		if (s->stages[i].parent > i)
			return 0;
	return 1;
}

static __int128 weight_of(const struct search *s, const size_t *chosen)
{
	__int128 sum = 0;
	size_t i;

	for (i = 0; i < s->n_stages; i++)
		sum += s->stages[i].cost[chosen[i]];
	for (i = 0; i < s->n_edges; i++)
		sum += edge_weight(s, &s->edges[i], chosen[s->edges[i].from],
				   chosen[s->edges[i].to]);
	return sum;
}

/* ---- Branch and bound, stage by stage ---- */

/* What is decided, and what every edge outside of the forest costs at least. */
static __int128 weight_around(const struct search *s)
{
	__int128 sum = 0;
	size_t i;

	for (i = 0; i < s->n_stages; i++)
		if (s->stages[i].fixed >= 0)
			sum += s->stages[i].cost[s->stages[i].fixed];
	for (i = 0; i < s->n_edges; i++) {
		const struct edge *edge = &s->edges[i];
		ssize_t from = s->stages[edge->from].fixed, to = s->stages[edge->to].fixed;

		if (from >= 0 && to >= 0)
			sum += edge_weight(s, edge, (size_t)from, (size_t)to);
		else if (from < 0 && to < 0 && !edge->in_forest)
			sum += edge->least;
	}
	return sum;
}

/*
 * A bound for each choice of the first open stage, which is the root of the first tree. 'dive'
 * gets a full answer that is near the bound.
 */
static __int128 *bound_choices(struct search *s, size_t stage, size_t *dive, struct souk_error *err)
{
	__int128 *bounds = calloc(s->stages[stage].n, sizeof(*bounds)), around;
	size_t i, c;

	if (!bounds) {
		souk_error_nomem(err);
		return NULL;
	}
	choose_forest(s);
	order_forest(s);
	run_forest(s);
	around = weight_around(s);
	for (i = 0; i < s->n_order; i++)
		if (s->order[i] != stage && s->stages[s->order[i]].parent == s->order[i])
			around += least_value(&s->stages[s->order[i]], &c);
	for (c = 0; c < s->stages[stage].n; c++)
		bounds[c] = s->stages[stage].value[c] + around;
	for (i = 0; i < s->n_stages; i++)
		if (s->stages[i].fixed >= 0)
			dive[i] = (size_t)s->stages[i].fixed;
	walk_down(s, dive);
	return bounds;
}

/* An answer lowers the limit, but is only kept when the search itself comes to it, in its order. */
static void note_dive(struct search *s, const size_t *dive)
{
	__int128 weight = weight_of(s, dive);

	if (weight < s->best_weight) {
		s->best_weight = weight;
		s->found = 0;
	}
}

static void take_answer(struct search *s)
{
	__int128 weight;
	size_t i;

	for (i = 0; i < s->n_stages; i++)
		s->chosen[i] = (size_t)s->stages[i].fixed;
	weight = weight_of(s, s->chosen);
	if (weight > s->best_weight || (s->found && weight == s->best_weight))
		return;
	s->best_weight = weight;
	s->found = 1;
	memcpy(s->best, s->chosen, s->n_stages * sizeof(*s->best));
}

static int search_from(struct search *s, size_t stage, struct souk_error *err)
{
	SOUK_AUTO_FREE __int128 *bounds = NULL;
	int ret = SOUK_OK;
	size_t c;

	if (stage == s->n_stages) {
		take_answer(s);
		return SOUK_OK;
	}
	if (s->work.pairs >= MAX_WORK)
		return souk_error_set(
			err, SOUK_E_INVALID,
			"the stages hand data on to each other in too many ways to find "
			"the cheapest places exactly");
	bounds = bound_choices(s, stage, s->chosen, err);
	if (!bounds)
		return SOUK_E_NOMEM;
	note_dive(s, s->chosen);
	for (c = 0; c < s->stages[stage].n && ret == SOUK_OK; c++) {
		if (bounds[c] > s->best_weight || (s->found && bounds[c] == s->best_weight))
			continue;
		s->stages[stage].fixed = (ssize_t)c;
		ret = search_from(s, stage + 1, err);
		s->stages[stage].fixed = -1;
	}
	return ret;
}

static int search_all(struct search *s, struct souk_error *err)
{
	size_t left_out = choose_forest(s);

	s->best_weight = INFINITE;
	order_forest(s);
	if (left_out > 0 || !is_in_order(s))
		return search_from(s, 0, err);
	run_forest(s);
	walk_down(s, s->best);
	s->best_weight = weight_of(s, s->best);
	return SOUK_OK;
}

/* ---- Setting up ---- */

static void search_fini(struct search *s)
{
	size_t i;

	for (i = 0; s->stages && i < s->n_stages; i++) {
		free(s->stages[i].cost);
		free(s->stages[i].at);
		free(s->stages[i].value);
	}
	for (i = 0; s->edges && i < s->n_edges; i++)
		free(s->edges[i].weight);
	free(s->stages);
	free(s->edges);
	free(s->order);
	free(s->sets);
	free(s->chosen);
	free(s->best);
}

static int add_stages(struct search *s, const struct souk_pipeline *pipeline,
		      struct souk_error *err)
{
	size_t i, c;

	for (i = 0; i < s->n_stages; i++) {
		const struct souk_pipeline_stage *stage = &pipeline->stages[i];
		struct stage *own = &s->stages[i];

		if (stage->n == 0)
			return souk_error_set(err, SOUK_E_CAPACITY,
					      "nothing on sale fits stage %zu", i + 1);
		own->fixed = -1;
		own->parent = i;
		own->cost = calloc(stage->n, sizeof(*own->cost));
		own->value = calloc(stage->n, sizeof(*own->value));
		own->at = calloc(stage->n, sizeof(*own->at));
		if (!own->cost || !own->value || !own->at)
			return souk_error_nomem(err);
		own->n = stage->n;
		for (c = 0; c < stage->n; c++) {
			own->cost[c] = stage->choices[c].rank_micros;
			own->at[c] = c;
		}
	}
	return SOUK_OK;
}

static int price_edge(struct search *s, const struct souk_pipeline *pipeline,
		      const struct souk_egress *egress, struct edge *edge, struct souk_error *err)
{
	const struct souk_pipeline_stage *from = &pipeline->stages[edge->from];
	const struct souk_pipeline_stage *to = &pipeline->stages[edge->to];
	struct souk_transfer transfer;
	size_t a, b;

	edge->weight = calloc(from->n * to->n, sizeof(*edge->weight));
	if (!edge->weight)
		return souk_error_nomem(err);
	for (a = 0; a < from->n; a++) {
		for (b = 0; b < to->n; b++) {
			souk_egress_price(egress, &from->choices[a].place, &to->choices[b].place,
					  edge->mb, 0, &transfer);
			edge->weight[a * to->n + b] = transfer.rank_micros;
		}
	}
	s->work.pairs += from->n * to->n;
	return SOUK_OK;
}

static int by_size(const void *x, const void *y)
{
	const struct edge *a = x, *b = y;

	if (a->mb != b->mb)
		return a->mb > b->mb ? -1 : 1;
	if (a->from != b->from)
		return a->from < b->from ? -1 : 1;
	return a->to < b->to ? -1 : a->to > b->to;
}

static int add_edges(struct search *s, const struct souk_pipeline *pipeline,
		     const struct souk_egress *egress, struct souk_error *err)
{
	size_t i, pairs = 0;
	int ret = SOUK_OK;

	for (i = 0; i < pipeline->n_edges; i++) {
		const struct souk_pipeline_edge *edge = &pipeline->edges[i];

		if (edge->mb == 0)
			continue;
		pairs += pipeline->stages[edge->from].n * pipeline->stages[edge->to].n;
		if (pairs > MAX_PAIRS)
			return souk_error_set(err, SOUK_E_INVALID,
					      "too many places for so many stages: over %zu pairs",
					      MAX_PAIRS);
		s->edges[s->n_edges++] =
			(struct edge){ .from = edge->from, .to = edge->to, .mb = edge->mb };
	}
	if (s->n_edges > 1)
		qsort(s->edges, s->n_edges, sizeof(*s->edges), by_size);
	for (i = 0; i < s->n_edges && ret == SOUK_OK; i++)
		ret = price_edge(s, pipeline, egress, &s->edges[i], err);
	return ret;
}

/* ---- Dropping what cannot be best ---- */

static __int128 extreme(const struct search *s, const struct edge *edge, size_t stage, size_t c,
			int greatest)
{
	size_t other = edge->from == stage ? edge->to : edge->from, i;
	__int128 weight, best = weight_beside(s, edge, stage, c, 0);

	for (i = 1; i < s->stages[other].n; i++) {
		weight = weight_beside(s, edge, stage, c, i);
		if (greatest ? weight > best : weight < best)
			best = weight;
	}
	return best;
}

/* What a choice and its transfers cost at the least, or at the most, wherever the others are. */
static __int128 range_end(const struct search *s, size_t stage, size_t c, int greatest)
{
	__int128 sum = s->stages[stage].cost[c];
	size_t i;

	for (i = 0; i < s->n_edges; i++)
		if (s->edges[i].from == stage || s->edges[i].to == stage)
			sum += extreme(s, &s->edges[i], stage, c, greatest);
	return sum;
}

/* Move the kept rows and columns of an edge together. */
static void pack_edge(const struct search *s, struct edge *edge, size_t stage, const char *keep)
{
	size_t columns = s->stages[edge->to].n, a, b, k = 0;

	for (a = 0; a < s->stages[edge->from].n; a++)
		for (b = 0; b < columns; b++)
			if (keep[edge->from == stage ? a : b])
				edge->weight[k++] = edge->weight[a * columns + b];
}

/*
 * A choice that at its best costs more than another one at its worst is in no cheapest plan. Equal
 * ones stay, for the order of names decides among them.
 */
static int drop_hopeless(struct search *s, size_t stage, struct souk_error *err)
{
	struct stage *own = &s->stages[stage];
	SOUK_AUTO_FREE char *keep = calloc(own->n, 1);
	__int128 limit = INFINITE, worst;
	size_t c, i, kept = 0;

	if (!keep)
		return souk_error_nomem(err);
	for (c = 0; c < own->n; c++) {
		worst = range_end(s, stage, c, 1);
		if (worst < limit)
			limit = worst;
	}
	for (c = 0; c < own->n; c++)
		keep[c] = range_end(s, stage, c, 0) <= limit;
	for (i = 0; i < s->n_edges; i++)
		if (s->edges[i].from == stage || s->edges[i].to == stage)
			pack_edge(s, &s->edges[i], stage, keep);
	for (c = 0; c < own->n; c++) {
		if (!keep[c])
			continue;
		own->cost[kept] = own->cost[c];
		own->at[kept++] = own->at[c];
	}
	own->n = kept;
	return SOUK_OK;
}

static int reduce(struct search *s, struct souk_error *err)
{
	size_t i, j;
	int ret = SOUK_OK;

	for (i = 0; i < s->n_stages && ret == SOUK_OK; i++)
		ret = drop_hopeless(s, i, err);
	for (i = 0; i < s->n_edges && ret == SOUK_OK; i++) {
		struct edge *edge = &s->edges[i];
		size_t n = s->stages[edge->from].n * s->stages[edge->to].n;

		edge->least = edge->weight[0];
		for (j = 1; j < n; j++)
			if (edge->weight[j] < edge->least)
				edge->least = edge->weight[j];
	}
	for (i = 0; i < s->n_stages; i++)
		s->work.choices += s->stages[i].n;
	return ret;
}

/* ---- Checking ---- */

/* Stages without an edge into them are taken away until none is left, or a loop. */
static int check_dag(const struct souk_pipeline *pipeline, struct souk_error *err)
{
	SOUK_AUTO_FREE size_t *into = calloc(pipeline->n_stages + 1, sizeof(*into));
	SOUK_AUTO_FREE size_t *ready = calloc(pipeline->n_stages + 1, sizeof(*ready));
	size_t i, done, n = 0;

	if (!into || !ready)
		return souk_error_nomem(err);
	for (i = 0; i < pipeline->n_edges; i++) {
		const struct souk_pipeline_edge *edge = &pipeline->edges[i];

		if (edge->from >= pipeline->n_stages || edge->to >= pipeline->n_stages)
			return souk_error_set(err, SOUK_E_INVALID,
					      "an edge names a stage that is not there");
		into[edge->to]++;
	}
	for (i = 0; i < pipeline->n_stages; i++)
		if (into[i] == 0)
			ready[n++] = i;
	for (done = 0; done < n; done++)
		for (i = 0; i < pipeline->n_edges; i++)
			if (pipeline->edges[i].from == ready[done] &&
			    --into[pipeline->edges[i].to] == 0)
				ready[n++] = pipeline->edges[i].to;
	if (n < pipeline->n_stages)
		return souk_error_set(err, SOUK_E_INVALID,
				      "the stages wait for each other in a circle");
	return SOUK_OK;
}

static int search_init(struct search *s, const struct souk_pipeline *pipeline,
		       const struct souk_egress *egress, struct souk_error *err)
{
	int ret;

	s->n_stages = pipeline->n_stages;
	s->stages = calloc(s->n_stages + 1, sizeof(*s->stages));
	s->edges = calloc(pipeline->n_edges + 1, sizeof(*s->edges));
	s->order = calloc(s->n_stages + 1, sizeof(*s->order));
	s->sets = calloc(s->n_stages + 1, sizeof(*s->sets));
	s->chosen = calloc(s->n_stages + 1, sizeof(*s->chosen));
	s->best = calloc(s->n_stages + 1, sizeof(*s->best));
	if (!s->stages || !s->edges || !s->order || !s->sets || !s->chosen || !s->best)
		return souk_error_nomem(err);
	ret = add_stages(s, pipeline, err);
	if (ret == SOUK_OK)
		ret = add_edges(s, pipeline, egress, err);
	return ret == SOUK_OK ? reduce(s, err) : ret;
}

/* ---- The answer ---- */

static int fill_plan(const struct search *s, const struct souk_pipeline *pipeline,
		     const struct souk_egress *egress, struct souk_pipeline_plan *plan,
		     struct souk_error *err)
{
	size_t i;

	plan->n_stages = pipeline->n_stages;
	plan->n_edges = pipeline->n_edges;
	plan->chosen = calloc(plan->n_stages + 1, sizeof(*plan->chosen));
	plan->transfers = calloc(plan->n_edges + 1, sizeof(*plan->transfers));
	if (!plan->chosen || !plan->transfers)
		return souk_error_nomem(err);
	for (i = 0; i < plan->n_stages; i++) {
		const struct souk_stage_choice *choice;

		plan->chosen[i] = s->stages[i].at[s->best[i]];
		choice = &pipeline->stages[i].choices[plan->chosen[i]];
		plan->micros = souk_money_add(plan->micros, choice->micros);
		plan->rank_micros = souk_money_add(plan->rank_micros, choice->rank_micros);
		plan->unknown += choice->unknown;
	}
	for (i = 0; i < plan->n_edges; i++) {
		const struct souk_pipeline_edge *edge = &pipeline->edges[i];
		struct souk_transfer *transfer = &plan->transfers[i];

		souk_egress_price(
			egress,
			&pipeline->stages[edge->from].choices[plan->chosen[edge->from]].place,
			&pipeline->stages[edge->to].choices[plan->chosen[edge->to]].place, edge->mb,
			0, transfer);
		plan->micros = souk_money_add(plan->micros,
					      transfer->micros > 0 ? transfer->micros : 0);
		plan->rank_micros = souk_money_add(plan->rank_micros, transfer->rank_micros);
		plan->unknown += transfer->micros < 0;
	}
	plan->work = s->work;
	return SOUK_OK;
}

int souk_pipeline_solve(const struct souk_pipeline *pipeline, const struct souk_egress *egress,
			struct souk_pipeline_plan *plan_out, struct souk_error *err)
{
	struct souk_pipeline_plan plan = { 0 };
	struct search s = { 0 };
	int ret;

	if (pipeline->n_stages > SOUK_PIPELINE_MAX_STAGES)
		return souk_error_set(err, SOUK_E_INVALID,
				      "a pipeline has at most %u stages, not %zu",
				      SOUK_PIPELINE_MAX_STAGES, pipeline->n_stages);
	ret = check_dag(pipeline, err);
	if (ret == SOUK_OK)
		ret = search_init(&s, pipeline, egress, err);
	if (ret == SOUK_OK)
		ret = search_all(&s, err);
	if (ret == SOUK_OK)
		ret = fill_plan(&s, pipeline, egress, &plan, err);
	search_fini(&s);
	if (ret < 0) {
		souk_pipeline_plan_fini(&plan);
		return ret;
	}
	*plan_out = plan;
	return SOUK_OK;
}

void souk_pipeline_plan_fini(struct souk_pipeline_plan *plan)
{
	free(plan->chosen);
	free(plan->transfers);
	*plan = (struct souk_pipeline_plan){ 0 };
}
