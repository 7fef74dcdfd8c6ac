/* SPDX-License-Identifier: Apache-2.0 */
/* plan-rows.c - the candidates of a plan as the public face shows them, each when it is asked for */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/money.h"
#include "base/util.h"
#include "plan.h"

#define NOTE_MAX 1024u

/* ---- Notes ---- */

static const char *what_happened(int code)
{
	if (code == SOUK_E_QUOTA)
		return "over quota";
	return code == SOUK_E_NOT_FOUND || code == SOUK_E_INVALID || code == SOUK_E_UNSUPPORTED ?
		       "refused" : "exhausted";
}

static void separate(struct souk_buf *note)
{
	if (note->len > 0)
		souk_buf_str(note, "; ");
}

static void note_cooling(struct souk_buf *note, const struct souk_plan *plan,
			 const struct souk_candidate *c)
{
	char ago[SOUK_TIME_TEXT_SIZE];

	if (!c->cooling)
		return;
	separate(note);
	if (c->evidence.cooling_until <= plan->ledger.now) {
		souk_buf_str(note, "none in stock");
		return;
	}
	souk_buf_printf(note, "%s %s ago", what_happened(c->evidence.code),
			souk_duration_text(plan->ledger.now - c->evidence.exhausted_at, ago));
}

static void note_costs(struct souk_buf *note, const struct souk_candidate *c)
{
	char text[SOUK_MONEY_TEXT_SIZE];

	if (c->preemption_micros > 0) {
		separate(note);
		souk_buf_printf(note, "+%s expected preemption",
				souk_money_currency(c->preemption_micros, c->offer.currency, text));
	}
	if (c->transfer.rank_micros > 0) {
		separate(note);
		if (c->transfer.known)
			souk_buf_printf(note, "+$%s to move data",
					souk_money_text(c->transfer.rank_micros, text));
		else
			souk_buf_printf(note, "price of moving data not known, taken as $%s",
					souk_money_text(c->transfer.rank_micros, text));
	}
}

static char *note_of(const struct souk_plan *plan, const struct souk_candidate *c,
		     struct souk_error *err)
{
	struct souk_buf note;
	char *text = NULL;

	souk_buf_init(&note, NOTE_MAX);
	note_cooling(&note, plan, c);
	note_costs(&note, c);
	if (souk_buf_failed(&note, err) == SOUK_OK && !(text = strdup(note.data)))
		souk_error_nomem(err);
	souk_buf_fini(&note);
	return text;
}

/* ---- Rows ---- */

int souk_plan_row_fill(const struct souk_plan *plan, const struct souk_candidate *c,
		       struct souk_plan_row *row, struct souk_error *err)
{
	const struct souk_task *task = plan->result.query.task;
	int moves_unknown = c->transfer.rank_micros > 0 && !c->transfer.known;
	char *note = note_of(plan, c, err);

	if (!note)
		return SOUK_E_NOMEM;
	row->note = note;
	row->row = (struct souk_offer_row){
		.provider = c->provider,
		.region = c->offer.region,
		.zone = c->offer.zone,
		.instance_type = c->offer.instance_type,
		.arch = c->offer.arch,
		.accelerator = c->offer.accelerator,
		.accelerator_milli = c->offer.accelerator_milli,
		.accelerator_memory_mib = c->offer.accelerator_memory_mib,
		.vcpus_milli = c->offer.vcpus_milli,
		.memory_mib = c->offer.memory_mib,
		.local_disk_mib = c->offer.local_disk_mib,
		.micros_per_hour = c->offer.micros_per_hour,
		.spot_micros_per_hour = c->offer.spot_micros_per_hour,
		.source = c->source,
		.date = c->date,
		.spot = c->spot,
		.total_micros_per_hour = c->total_micros_per_hour,
		.num_nodes = task->num_nodes,
		.note = note[0] ? note : NULL,
		.compute_micros = c->compute_micros,
		.preemption_micros = c->preemption_micros,
		.transfer_micros = moves_unknown ? -1 : c->transfer.rank_micros,
		.cost_micros = c->cost_micros,
		.seconds = c->seconds,
		.alternative = (uint32_t)(c->request - task->requests) + 1,
		.cooling = c->cooling,
		.unsure = c->unsure,
	};
	snprintf(row->currency, sizeof(row->currency), "%s", c->offer.currency);
	row->row.currency = row->currency;
	return SOUK_OK;
}

void souk_plan_row_fini(struct souk_plan_row *row)
{
	free(row->note);
	row->note = NULL;
}

size_t souk_plan_count(const struct souk_plan *plan)
{
	return plan->result.n;
}

const struct souk_offer_row *souk_plan_row(struct souk_plan *plan, size_t i)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_candidate candidate;
	struct souk_plan_row *row;

	if (i >= plan->result.n)
		return NULL;
	if (plan->rows[i])
		return &plan->rows[i]->row;
	row = calloc(1, sizeof(*row));
	if (!row)
		return NULL;
	if (souk_plan_result_get(&plan->result, i, &candidate, &own) < 0 ||
	    souk_plan_row_fill(plan, &candidate, row, &own) < 0) {
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
		free(row);
		return NULL;
	}
	row->row.chosen = i == 0;
	plan->rows[i] = row;
	return &row->row;
}

/* ---- The best of each ---- */

int souk_plan_make_best(struct souk_plan *plan, struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_plan_best *best = NULL;
	size_t n, i;
	int ret;

	ret = souk_plan_result_best(&plan->result, &best, &n, err);
	if (ret < 0)
		return ret;
	plan->best = calloc(n + 1, sizeof(*plan->best));
	if (!plan->best)
		return souk_error_nomem(err);
	for (i = 0; i < n; i++) {
		ret = souk_plan_row_fill(plan, &best[i].candidate, &plan->best[i], err);
		if (ret < 0)
			return ret;
		plan->n_best++;
		plan->best[i].row.behind = best[i].behind;
		plan->best[i].row.chosen = i == 0;
	}
	return SOUK_OK;
}

size_t souk_plan_best_count(const struct souk_plan *plan)
{
	return plan->n_best;
}

const struct souk_offer_row *souk_plan_best_row(const struct souk_plan *plan, size_t i)
{
	return i < plan->n_best ? &plan->best[i].row : NULL;
}

size_t souk_plan_marked(const struct souk_plan *plan)
{
	return plan->result.n_marked;
}
