/* SPDX-License-Identifier: Apache-2.0 */
/*
 * market/optimizer.h - requests and offers to ranked candidates: no clock, no globals
 *
 * docs/market.md says what fits and in which order. Candidates are kept small and are sorted as
 * far as somebody looks. All texts are borrowed from the market and the task, which have to
 * outlive a result.
 */
#ifndef SOUK_MARKET_OPTIMIZER_H
#define SOUK_MARKET_OPTIMIZER_H

#include "market/egress.h"
#include "market/ledger.h"
#include "market/market.h"
#include "model/task.h"

/* Whether a provider takes part, and if not, why. */
enum souk_standing {
	SOUK_STANDS_IN,
	SOUK_STANDS_NOT_INSTALLED,
	SOUK_STANDS_NO_CREDENTIALS,
	SOUK_STANDS_NOT_ALLOWED, /* --providers or the configuration leave it out */
	SOUK_STANDS_BROKEN,	 /* its module or its account cannot be used */
	SOUK_STANDS_BACK	 /* of last resort, and another takes part */
};

/* What a provider can do, as far as it decides where a task can run. */
struct souk_market_provider {
	const char *name;
	uint64_t features;	/* SOUK_FEATURE_... */
	int can_stop;
	enum souk_standing standing;
	int unsure;		/* takes part as it was named; no sign of credentials was found */
};

/* What an offer can fail by: the further down, the closer it came. Rules of docs/market.md. */
enum souk_misfit {
	SOUK_FITS,
	SOUK_MISFIT_INSTANCE_TYPE,
	SOUK_MISFIT_ACCELERATOR,
	SOUK_MISFIT_COUNT,	/* the accelerator is right, its number is not */
	SOUK_MISFIT_ARCH,
	SOUK_MISFIT_CPUS,
	SOUK_MISFIT_MEMORY,
	SOUK_MISFIT_LOCAL_DISK,
	SOUK_MISFIT_PROVIDER,	/* not the provider asked for */
	SOUK_MISFIT_FEATURE,
	SOUK_MISFIT_PLACE,
	SOUK_MISFIT_MARKET,	/* not sold as spot, or only as spot */
	SOUK_MISFIT_MARKED,	/* a price that cannot be right */
	SOUK_MISFIT_PRICE,
	/* For surveys: it fits, but */
	SOUK_MISFIT_NOT_INSTALLED,
	SOUK_MISFIT_NO_CREDENTIALS,
	SOUK_MISFIT_NOT_ALLOWED,
	SOUK_MISFIT_BROKEN,
	SOUK_MISFIT_BACK,
	/* it is a candidate that costs less an hour than the winner, but */
	SOUK_LOST_RANK,
	SOUK_LOST_CURRENCY,
	SOUK_LOST_COOLING,
	SOUK_LOST_COST,		/* transfer or preemption eat the saving */
	SOUK_LOST_TIME,
	SOUK_LOST_SCORE,
	SOUK_LOST_NAME,
	SOUK_MISFITS
};

/* What is asked. Everything is borrowed, and outlives the result. */
struct souk_plan_query {
	const struct souk_market *market;
	const struct souk_market_provider *providers; /* of files that are not in it: not installed */
	size_t n_providers;
	const struct souk_task *task;
	const struct souk_ledger *ledger;	/* NULL: nothing is known */
	const struct souk_egress *egress;	/* NULL: moving data costs nothing */
	uint32_t hours_milli;			/* the time estimate; 0: one hour */
	int by_time;				/* 1: the shortest time first, then cost */
};

/* A row that satisfies a request, as on demand or as spot, with all that is known of it. */
struct souk_candidate {
	const char *provider;
	struct souk_offer offer;	/* accelerator is canonical */
	const char *source;		/* of the price: "seed", "import" or "live" */
	const char *date;
	const struct souk_request *request;
	int spot;
	int unsure;			/* as in souk_market_provider */
	int64_t micros_per_hour;	/* one node, as the market chosen costs */
	int64_t total_micros_per_hour;	/* all nodes */
	int64_t compute_micros;		/* all nodes, for the time estimate */
	int64_t preemption_micros;	/* expected; 0 on demand */
	struct souk_task_transfer transfer; /* zeroed if there is nothing to move */
	int64_t cost_micros;		/* expected, of the run: what it is ranked by */
	int64_t seconds;		/* of the run with its transfers */
	struct souk_evidence evidence;
	int cooling;			/* tried last */
	int out_of_stock;		/* as the provider's list said lately; then cooling too */
	uint32_t marks;			/* of the row: SOUK_MARK_... of the other market */
	uint32_t file;			/* index into the market's files, and its row */
	uint32_t row;
};

/* So long is what a live list says of stock worth something, in seconds. */
#define SOUK_STOCK_HORIZON_S 3600

/* One candidate, compact. */
struct souk_plan_entry {
	int64_t objective;
	int64_t cost;
	uint32_t type;
	uint32_t row;
	uint32_t request;
	int32_t score;
	uint16_t file;
	uint8_t flags;
	uint8_t reserved;
};

struct souk_plan_result {
	struct souk_plan_query query;
	struct souk_plan_entry *entries; /* a heap, and behind it, backwards, what is sorted */
	size_t n;
	size_t n_sorted;
	size_t n_marked;	/* pairs that would be candidates if their price were credible */
	int32_t damaged;	/* the file that could not be read; -1: none */
	struct souk_error error; /* of it */
	uint64_t compared;	/* how often two were compared, for tests and benchmarks */
};

/*
 * Find and rank the candidates. No candidate is no failure. NOMEM, or INVALID if a file is
 * damaged: result_out->damaged tells which, and nothing else of it is set.
 */
int souk_optimizer_plan(const struct souk_plan_query *query, struct souk_plan_result *result_out,
			struct souk_error *err);
void souk_plan_result_fini(struct souk_plan_result *result);

/* The i-th of the order, below n. Sorts as far as that. INVALID: the file is damaged there. */
int souk_plan_result_get(struct souk_plan_result *result, size_t i,
			 struct souk_candidate *candidate_out, struct souk_error *err);

/*
 * The best candidates of all providers, and of all requests, in order, each once: what a table
 * shows. Sorts nothing. *best_out is freed with free(). 'behind' counts the provider's
 * candidates that are not shown and stands with its first.
 */
struct souk_plan_best {
	struct souk_candidate candidate;
	size_t behind;
};
int souk_plan_result_best(struct souk_plan_result *result, struct souk_plan_best **best_out,
			  size_t *n_out, struct souk_error *err);

/* Why a candidate comes after another one: SOUK_LOST_... */
enum souk_misfit souk_plan_why_after(const struct souk_plan_result *result,
				     const struct souk_candidate *first,
				     const struct souk_candidate *second);

/* ---- Explaining (optimizer-explain.c) ---- */

/* Offers that came to nothing by the same reason, and the cheapest of them. */
struct souk_survey_group {
	size_t n;		/* pairs of row and market */
	struct souk_candidate example;
	char feature[96];	/* with MISFIT_FEATURE: what the example's provider lacks */
};

struct souk_survey {
	struct souk_survey_group groups[SOUK_MISFITS];
	uint64_t rows;		/* rows that were looked at */
};

/*
 * Look at every row of the market, also of providers that do not take part: under which reason
 * does each pair of row and market fall that costs less than 'below' an hour (all nodes, USD)?
 * INT64_MAX: whatever it costs, but only of providers that take part, and pairs that are not on
 * sale count as MISFIT_MARKET.
 */
int souk_optimizer_survey(const struct souk_plan_query *query, int64_t below,
			  struct souk_survey *survey_out, struct souk_error *err);

/* The same for the candidates of a result that cost less an hour than its winner. */
int souk_plan_result_survey(struct souk_plan_result *result, struct souk_survey *survey,
			    struct souk_error *err);

/* Say why nothing fits: the message and hint of a CAPACITY or UNSUPPORTED error. Returns its code. */
int souk_optimizer_explain(const struct souk_plan_query *query, const struct souk_survey *survey,
			   struct souk_error *err);

/* What a reason is called in JSON ("marked_price"), and in words ("have a price that cannot be right"). */
const char *souk_misfit_name(enum souk_misfit misfit);
const char *souk_misfit_text(enum souk_misfit misfit);

#endif
