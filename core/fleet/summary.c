/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/summary.c - what a launch has tried: what a failure rules out, and failures in groups */
#include "fleet/summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

/* ---- Attempts ---- */

int fleet_attempts_add(struct fleet_attempts *attempts, const struct souk_candidate *candidate,
		       const struct souk_error *error, struct souk_error *err)
{
	struct fleet_attempt *items =
		souk_array_grow(attempts->items, attempts->n, sizeof(*attempts->items));

	if (!items)
		return souk_error_nomem(err);
	attempts->items = items;
	items[attempts->n] = (struct fleet_attempt){ *candidate, *error, 0 };
	if (error->scope < SOUK_SCOPE_OFFER || error->scope > SOUK_SCOPE_PROVIDER)
		items[attempts->n].error.scope = SOUK_SCOPE_OFFER;
	attempts->n++;
	return SOUK_OK;
}

void fleet_attempts_reset(struct fleet_attempts *attempts)
{
	free(attempts->items);
	*attempts = (struct fleet_attempts){ 0 };
}

/* The type, and what is put into it. */
static int is_same_machine(const struct souk_offer *a, const struct souk_offer *b)
{
	return strcmp(a->instance_type, b->instance_type) == 0 &&
	       souk_streq(a->accelerator, b->accelerator) &&
	       a->accelerator_milli == b->accelerator_milli;
}

int fleet_attempt_covers(const struct fleet_attempt *attempt, const struct souk_candidate *c)
{
	const struct souk_candidate *x = &attempt->candidate;

	if (strcmp(x->provider, c->provider) != 0)
		return 0;
	if (attempt->error.scope == SOUK_SCOPE_PROVIDER)
		return 1;
	if (strcmp(x->offer.region, c->offer.region) != 0)
		return 0;
	if (attempt->error.scope == SOUK_SCOPE_REGION)
		return 1;
	if (!souk_streq(x->offer.zone, c->offer.zone))
		return 0;
	return attempt->error.scope == SOUK_SCOPE_ZONE ||
	       (x->spot == c->spot && is_same_machine(&x->offer, &c->offer));
}

struct fleet_attempt *fleet_attempts_cover(const struct fleet_attempts *attempts,
					   const struct souk_candidate *candidate)
{
	size_t i;

	for (i = 0; i < attempts->n; i++)
		if (fleet_attempt_covers(&attempts->items[i], candidate))
			return &attempts->items[i];
	return NULL;
}

/* ---- Groups ---- */

const char *fleet_summary_text(struct souk_launch_summary *summary, int *failed, const char *fmt, ...)
{
	char **texts, *text;
	va_list args;
	int n;

	texts = souk_array_grow(summary->texts, summary->n_texts, sizeof(*texts));
	if (!texts) {
		*failed = 1;
		return NULL;
	}
	summary->texts = texts;
	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0) {
		*failed = 1;
		return NULL;
	}
	texts[summary->n_texts++] = text;
	return text;
}

/* Who may not have something is told so once, not for each place. */
static int is_of_account(int code)
{
	return code == SOUK_E_QUOTA || code == SOUK_E_AUTH;
}

static int is_alike(const struct fleet_attempt *a, const struct fleet_attempt *b)
{
	return a->error.code == b->error.code && a->candidate.spot == b->candidate.spot &&
	       strcmp(a->candidate.provider, b->candidate.provider) == 0 &&
	       strcmp(a->error.reason, b->error.reason) == 0 &&
	       (is_of_account(a->error.code) ||
		strcmp(a->candidate.offer.region, b->candidate.offer.region) == 0);
}

/* Is the i-th the first of its group in its region? */
static int is_new_region(const struct fleet_attempts *attempts, size_t i)
{
	const struct fleet_attempt *items = attempts->items;
	size_t j;

	for (j = 0; j < i; j++)
		if (is_alike(&items[j], &items[i]) &&
		    strcmp(items[j].candidate.offer.region, items[i].candidate.offer.region) == 0)
			return 0;
	return 1;
}

static int make_row(struct souk_launch_summary *summary, const struct fleet_attempt *first,
		    struct souk_tried_row *row)
{
	const struct souk_error *error = &first->error;
	int failed = 0;

	*row = (struct souk_tried_row){
		.provider = fleet_summary_text(summary, &failed, "%s", first->candidate.provider),
		.region = fleet_summary_text(summary, &failed, "%s", first->candidate.offer.region),
		.spot = first->candidate.spot,
		.code = souk_code_name(error->code),
		.scope = souk_scope_name(error->scope),
		.message = fleet_summary_text(summary, &failed, "%s", error->message),
	};
	if (error->reason[0])
		row->reason = fleet_summary_text(summary, &failed, "%s", error->reason);
	if (error->hint[0])
		row->hint = fleet_summary_text(summary, &failed, "%s", error->hint);
	return failed ? -1 : 0;
}

static int group(struct souk_launch_summary *summary, const struct fleet_attempts *attempts,
		 struct souk_error *err)
{
	size_t *heads = calloc(attempts->n + 1, sizeof(*heads)); /* the attempt that began each group */
	size_t i, k;
	int ret = SOUK_OK;

	summary->tried = calloc(attempts->n + 1, sizeof(*summary->tried));
	if (!heads || !summary->tried)
		ret = souk_error_nomem(err);
	for (i = 0; i < attempts->n && ret == SOUK_OK; i++) {
		const struct fleet_attempt *attempt = &attempts->items[i];

		for (k = 0; k < summary->n_tried; k++)
			if (is_alike(&attempts->items[heads[k]], attempt))
				break;
		if (k == summary->n_tried) {
			heads[summary->n_tried++] = i;
			if (make_row(summary, attempt, &summary->tried[k]) < 0)
				ret = souk_error_nomem(err);
		}
		summary->tried[k].count++;
		summary->tried[k].skipped += attempt->skipped;
		summary->tried[k].regions += (uint32_t)is_new_region(attempts, i);
	}
	free(heads);
	return ret;
}

int fleet_summary_make(const struct fleet_attempts *attempts, struct souk_plan_result *plan,
		       int retry, struct souk_launch_summary **summary_out, struct souk_error *err)
{
	struct souk_launch_summary *summary = calloc(1, sizeof(*summary));
	int ret;

	if (!summary)
		return souk_error_nomem(err);
	ret = group(summary, attempts, err);
	if (ret == SOUK_OK)
		ret = fleet_summary_advise(summary, attempts, plan, retry, err);
	if (ret < 0) {
		souk_launch_summary_free(summary);
		return ret;
	}
	*summary_out = summary;
	return SOUK_OK;
}
