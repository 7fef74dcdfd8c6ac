/* SPDX-License-Identifier: Apache-2.0 */
/* market/optimizer-cost.c - what a candidate is expected to cost: computing, preemption, transfer */
#include "market/optimizer-internal.h"

#include <string.h>

#include "base/money.h"

/* One success that nobody has seen, so that a single failure is no certainty; as the evidence has
 * it, in thousandths. */
#define PRIOR_SUCCESS 1000u

const struct souk_task_transfer *optimizer_transfer(struct optimizer_transfers *transfers,
						    const char *region)
{
	struct souk_task_transfer *transfer = &transfers->other;
	size_t i;

	/* Texts of one file are stored once: the same region is the same pointer. */
	for (i = 0; i < transfers->n; i++)
		if (transfers->regions[i] == region)
			return &transfers->items[i];
	if (transfers->n < OPTIMIZER_TRANSFERS) {
		transfers->regions[transfers->n] = region;
		transfer = &transfers->items[transfers->n++];
	}
	souk_egress_task(transfers->query->egress, transfers->query->task, transfers->provider,
			 region, transfer);
	return transfer;
}

static uint32_t hours_of(const struct souk_plan_query *query)
{
	return query->hours_milli ? query->hours_milli : 1000;
}

int64_t optimizer_seconds(const struct souk_plan_query *query)
{
	return (int64_t)hours_of(query) * 36 / 10;
}

/* The chance that a spot machine is taken away, times the half of the run that is done again. */
static int64_t preemption(int64_t compute, const struct souk_evidence *evidence)
{
	uint64_t failures = evidence->failures > 0 ? (uint64_t)evidence->failures : 0;
	uint64_t successes = evidence->successes > 0 ? (uint64_t)evidence->successes : 0;

	if (failures == 0)
		return 0;
	return souk_money_scale(compute, failures, 2 * (failures + successes + PRIOR_SUCCESS));
}

void optimizer_note_stock(const struct souk_plan_query *query, const struct souk_catalog_head *head,
			  struct souk_candidate *c)
{
	int64_t age = query->ledger ? query->ledger->now - head->made_at : -1;

	c->out_of_stock = c->offer.available == 0 && strcmp(head->source, "live") == 0 &&
			  age >= 0 && age < SOUK_STOCK_HORIZON_S;
}

void optimizer_price_candidate(const struct souk_plan_query *query,
			       const struct souk_task_transfer *transfer,
			       struct souk_candidate *c)
{
	static const struct souk_ledger nothing;
	const struct souk_ledger *ledger = query->ledger ? query->ledger : &nothing;
	uint32_t hours = hours_of(query), nodes = query->task->num_nodes;

	c->total_micros_per_hour = nodes == 1 ? c->micros_per_hour :
						souk_money_scale(c->micros_per_hour, nodes, 1);
	c->cooling = c->out_of_stock;
	c->compute_micros = hours == 1000 ? c->total_micros_per_hour :
					    souk_money_scale(c->total_micros_per_hour, hours, 1000);
	if (ledger->n > 0) {
		const struct souk_ledger_place place = {
			.provider = c->provider,
			.region = c->offer.region,
			.zone = c->offer.zone,
			.instance_type = c->offer.instance_type,
			.accelerator = c->offer.accelerator,
			.accelerator_milli = c->offer.accelerator_milli,
			.spot = c->spot,
		};

		c->evidence = souk_ledger_evidence(ledger, &place);
		c->cooling |= c->evidence.cooling_until > ledger->now;
		if (c->spot)
			c->preemption_micros = preemption(c->compute_micros, &c->evidence);
	}
	c->cost_micros = souk_money_add(c->compute_micros, c->preemption_micros);
	c->seconds = optimizer_seconds(query);
	if (transfer) {
		c->transfer = *transfer;
		c->cost_micros = souk_money_add(c->cost_micros, transfer->rank_micros);
		c->seconds += transfer->seconds;
	}
}
