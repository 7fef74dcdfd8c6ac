/* SPDX-License-Identifier: Apache-2.0 */
/* market/optimizer-internal.h - what the files of the optimizer share */
#ifndef SOUK_MARKET_OPTIMIZER_INTERNAL_H
#define SOUK_MARKET_OPTIMIZER_INTERNAL_H

#include "market/optimizer.h"

/* souk_plan_entry.flags */
enum {
	ENTRY_SPOT = 1u << 0,
	ENTRY_COOLING = 1u << 1,
	ENTRY_FOREIGN = 1u << 2	/* another currency than USD */
};

/* optimizer-match.c: the rules, each alone */

/* The provider of a file, as the query knows it; NULL: it has no module. */
const struct souk_market_provider *optimizer_provider(const struct souk_plan_query *query,
						      const char *name);
/* Rules 1 to 7: what a type fails by wherever it is sold. */
enum souk_misfit optimizer_match_type(const struct souk_catalog_type *type,
				      const struct souk_request *request);
/* Rule 9: what the task needs and the provider lacks; NULL: nothing. */
const char *optimizer_missing_feature(const struct souk_market_provider *provider,
				      const struct souk_task *task,
				      const struct souk_request *request, int is_free);
/* Rule 10 alone. */
int optimizer_place_is(const struct souk_catalog_row *row, const struct souk_request *request);
/* Rules 10 to 13: what a row fails by if its type fits. */
enum souk_misfit optimizer_match_row(const struct souk_catalog_row *row,
				     const struct souk_request *request);
int64_t optimizer_price(const struct souk_catalog_row *row, int spot);
/* Does an accelerator satisfy the request's name or memory form? */
int optimizer_accelerator_is(const char *name, uint32_t memory_mib,
			     const struct souk_accelerator *wanted);
int optimizer_wants_accelerator(const struct souk_request *request);
/* The fewest vCPUs that rule 5 can let through, in thousandths. */
uint32_t optimizer_least_cpus(const struct souk_request *request);

/* optimizer-cost.c: what a candidate costs */

/* The transfers of one file's regions, each priced once. */
#define OPTIMIZER_TRANSFERS 64u
struct optimizer_transfers {
	const struct souk_plan_query *query;
	const char *provider;
	const char *regions[OPTIMIZER_TRANSFERS];
	struct souk_task_transfer items[OPTIMIZER_TRANSFERS];
	size_t n;
	struct souk_task_transfer other;
};
const struct souk_task_transfer *optimizer_transfer(struct optimizer_transfers *transfers,
						    const char *region);

/* Was a candidate, whose offer is filled in, out of stock by a list that is still worth something? */
void optimizer_note_stock(const struct souk_plan_query *query, const struct souk_catalog_head *head,
			  struct souk_candidate *c);

int64_t optimizer_seconds(const struct souk_plan_query *query);
/* Fill in prices, cost, seconds and evidence of a candidate that has the rest. */
void optimizer_price_candidate(const struct souk_plan_query *query,
			       const struct souk_task_transfer *transfer,
			       struct souk_candidate *candidate);

/* optimizer.c */

/* All of a candidate from its entry. */
int optimizer_read(const struct souk_plan_query *query, const struct souk_plan_entry *entry,
		   struct souk_candidate *candidate_out, struct souk_error *err);
/* The order of a plan. */
int optimizer_compare(struct souk_plan_result *result, const struct souk_plan_entry *a,
		      const struct souk_plan_entry *b);
/* The order by names alone: the last key. */
int optimizer_by_name(const struct souk_candidate *a, const struct souk_candidate *b);

#endif
