/* SPDX-License-Identifier: Apache-2.0 */
/*
 * market/pipeline.h - the places of tasks that hand data on to each other, all chosen together
 *
 * Each stage has choices, each in a place with a price; each edge moves data from one stage's place
 * to another's. The choice of one for every stage is found whose sum of prices and transfers is the
 * smallest: exactly, never by a rule of thumb. docs/market.md, "Pipelines", says how.
 */
#ifndef SOUK_MARKET_PIPELINE_H
#define SOUK_MARKET_PIPELINE_H

#include "market/egress.h"

#define SOUK_PIPELINE_MAX_STAGES 1000u

/* One way to run a stage. Of a stage's choices the earlier wins among equals. */
struct souk_stage_choice {
	struct souk_place place;
	int64_t micros;		/* of the stage itself: machines, and its own buckets' traffic */
	int64_t rank_micros;	/* the same, with what is not known at the dearest price there is */
	uint32_t unknown;	/* how many transfers with its buckets have no known price */
	uint32_t index;		/* the caller's */
};

struct souk_pipeline_stage {
	const struct souk_stage_choice *choices;
	size_t n;		/* none: there is no plan */
};

struct souk_pipeline_edge {
	size_t from, to;	/* stages */
	uint64_t mb;
};

/* All is borrowed. Edges make no loop, and no stage hands anything to itself. */
struct souk_pipeline {
	const struct souk_pipeline_stage *stages;
	size_t n_stages;
	const struct souk_pipeline_edge *edges;
	size_t n_edges;
};

/* What it took; the same for the same question, on every computer. */
struct souk_pipeline_work {
	uint64_t choices;	/* that were left after those were dropped that cannot be best */
	uint64_t nodes;		/* of the search */
	uint64_t pairs;		/* of places that were looked at */
};

struct souk_pipeline_plan {
	size_t *chosen;		/* a position in the choices of each stage */
	struct souk_transfer *transfers; /* of each edge; texts are those of choices and tables */
	size_t n_stages, n_edges;
	int64_t micros;		/* of all that has a known price */
	int64_t rank_micros;	/* what was made as small as it can be */
	uint32_t unknown;	/* transfers without a known price */
	struct souk_pipeline_work work;
};

/*
 * Choose. The order: the smallest sum, in which what is not known counts as it would at the dearest
 * price; then the earlier choice at the first stage, then at the second, and so on. The month's
 * free GB count as used up: several transfers share them. CAPACITY if a stage has no choice,
 * INVALID if the edges are no DAG or the question is too large.
 */
int souk_pipeline_solve(const struct souk_pipeline *pipeline, const struct souk_egress *egress,
			struct souk_pipeline_plan *plan_out, struct souk_error *err);
void souk_pipeline_plan_fini(struct souk_pipeline_plan *plan);

#endif
