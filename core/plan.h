/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - providers that take part, their offers, and plans; for the files of the public face only */
#ifndef SOUK_PLAN_H
#define SOUK_PLAN_H

#include "context.h"

/* ---- Who takes part (participants.c) ---- */

/* Every provider that is installed, with its standing, by name. Names are the registry's. */
struct souk_participants {
	struct souk_market_provider *items;
	size_t n;
	size_t n_in;		/* those that take part */
};

/*
 * Find out who takes part, for a task (NULL: any), by what the modules' stamps say of them and by
 * the signs of credentials. No module is loaded that was loaded before, unless it has to be asked
 * for its offers. With 'open' 1 the account of each that takes part is opened, too; one that
 * cannot be is skipped. Nobody at all is a failure with 'open' 1: why the last one could not be used.
 */
int souk_participants_find(struct souk *souk, const struct souk_task *task, int open,
			   struct souk_participants *all_out, struct souk_error *err);
void souk_participants_fini(struct souk_participants *all);
const struct souk_market_provider *souk_participants_get(const struct souk_participants *all,
							 const char *name);

/* Did the user ask for this provider: with --providers, in the configuration, or in the task (NULL:
 * there is none)? */
int souk_participant_is_explicit(const struct souk *souk, const struct souk_task *task,
				 const char *name);

/* Must a provider be asked for its offers each time, as that is quick? Loads it only if it is new. */
int souk_participant_is_quick(struct souk *souk, const char *name);

/* ---- What is on sale (plan.c) ---- */

/*
 * Ask a provider itself what it has, and open that. The cache keeps it, unless asking is quick or
 * it has nothing. 'progress' may be NULL. *file_out is the caller's. Any thread.
 */
int souk_market_ask(struct souk *souk, struct souk_provider *provider, souk_progress_fn progress,
		    void *progress_arg, struct souk_catalog_file **file_out, struct souk_error *err);

/* Open the offers of each that takes part; one that fails is a warning unless all do. */
int souk_market_fill(struct souk *souk, const struct souk_participants *all,
		     struct souk_market *market, struct souk_error *err);

/* Add the files of every other provider, be it installed or not. */
int souk_market_fill_others(struct souk *souk, struct souk_market *market, struct souk_error *err);

/* ---- How old it is (catalogs-stale.c) ---- */

/* Seconds since the day of the prices, or since the file was made if they have no date; -1: unknown. */
int64_t souk_catalog_age_s(const struct souk_catalog_head *head);
/* Older than the configuration's catalog: stale_days? */
int souk_catalog_is_stale(const struct souk *souk, const struct souk_catalog_head *head);
/*
 * Of those of the n files that are stale: say so, in one warning, unless it was said of the same file
 * within the last day. For a command that shows prices from these files, before it does.
 */
void souk_catalogs_say_stale(struct souk *souk, struct souk_catalog_file *const *files, size_t n);

/* ---- Plans ---- */

/* A row and what its texts are in. */
struct souk_plan_row {
	struct souk_offer_row row;
	char *note;
	char currency[4];
};

/* A reason and what its texts are in. */
struct souk_plan_cause {
	struct souk_plan_reason reason;
	struct souk_plan_row example;
	char *text;
};

struct souk_plan {
	struct souk_market market;
	struct souk_participants participants;
	struct souk_ledger ledger;
	struct souk_egress *egress;	/* NULL: the task moves nothing */
	struct souk_plan_result result;	/* borrows from all of the above, and from the task */
	struct souk_plan_row **rows;	/* result.n, each made when it is asked for */
	struct souk_plan_row *best;
	size_t n_best;
	struct souk_plan_cause *lost;
	size_t n_lost;
	struct souk_plan_cause *ruled_out;
	size_t n_ruled_out;
};

/* Plan one task, which has to outlive the plan. */
int souk_plan_task(struct souk *souk, const struct souk_task *task,
		   const struct souk_plan_options *options, struct souk_plan **plan_out,
		   struct souk_error *err);

/* plan-rows.c: a candidate as the public face shows it. Its texts are the market's, but the note. */
int souk_plan_row_fill(const struct souk_plan *plan, const struct souk_candidate *candidate,
		       struct souk_plan_row *row, struct souk_error *err);
void souk_plan_row_fini(struct souk_plan_row *row);
int souk_plan_make_best(struct souk_plan *plan, struct souk_error *err);

/* plan-explain.c: why the others lost, and what ruled out the cheaper ones. */
int souk_plan_explain(struct souk_plan *plan, struct souk_error *err);
/* Why there is no candidate at all; the message and hint. Returns its code. */
int souk_plan_explain_none(struct souk *souk, struct souk_plan *plan, struct souk_error *err);
void souk_plan_causes_free(struct souk_plan_cause *causes, size_t n);

#endif
