/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/summary-advice.c - what to do after a launch that got no machine, the cheapest first */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "fleet/failover.h"
#include "fleet/summary.h"
#include "market/accelerator.h"

/* A dozen is more than anybody reads. */
enum { ADVICE_MAX = 12 };

struct advisor {
	struct souk_launch_summary *summary;
	const struct fleet_attempts *attempts;
	struct souk_plan_result *plan;
	int failed; /* no memory */
};

/* Add what leads to this candidate (NULL: not known what it leads to). */
static void add(struct advisor *advisor, const char *kind, const struct souk_candidate *c,
		const char *flag, const char *text)
{
	struct souk_launch_summary *summary = advisor->summary;
	struct souk_advice_row *row;

	if (summary->n_advice == ADVICE_MAX || !text)
		return;
	row = &summary->advice[summary->n_advice++];
	*row = (struct souk_advice_row){ .kind = kind, .flag = flag, .text = text, .price_micros = -1 };
	if (!c)
		return;
	row->provider = fleet_summary_text(summary, &advisor->failed, "%s", c->provider);
	row->region = fleet_summary_text(summary, &advisor->failed, "%s", c->offer.region);
	if (c->offer.zone)
		row->zone = fleet_summary_text(summary, &advisor->failed, "%s", c->offer.zone);
	row->instance_type = fleet_summary_text(summary, &advisor->failed, "%s", c->offer.instance_type);
	row->currency = fleet_summary_text(summary, &advisor->failed, "%s", c->offer.currency);
	row->spot = c->spot;
	row->price_micros = c->total_micros_per_hour;
}

/* ---- What was refused for good reasons ---- */

/* Is it the first of its provider, market and reason? The plan's order makes it the cheapest. */
static int is_first(const struct fleet_attempts *attempts, size_t at)
{
	const struct fleet_attempt *a = &attempts->items[at];
	size_t i;

	for (i = 0; i < at; i++) {
		const struct fleet_attempt *b = &attempts->items[i];

		if (b->error.code == a->error.code && b->candidate.spot == a->candidate.spot &&
		    strcmp(b->candidate.provider, a->candidate.provider) == 0 &&
		    strcmp(b->error.reason, a->error.reason) == 0)
			return 0;
	}
	return 1;
}

static void advise_quota(struct advisor *advisor, const struct fleet_attempt *a)
{
	const struct souk_offer *o = &a->candidate.offer;
	const struct souk_error *e = &a->error;
	char where[256], what[SOUK_ERROR_REASON_SIZE + 8] = "";

	fleet_describe_candidate(&a->candidate, where, sizeof(where));
	if (e->reason[0])
		snprintf(what, sizeof(what), " (%s)", e->reason);
	add(advisor, "quota", &a->candidate, NULL,
	    fleet_summary_text(advisor->summary, &advisor->failed,
			       "raise the quota of %s%s%s%s%s%s, for %s%s%s", a->candidate.provider,
			       e->scope == SOUK_SCOPE_PROVIDER ? "" : " in '",
			       e->scope == SOUK_SCOPE_PROVIDER ? "" : o->region,
			       e->scope == SOUK_SCOPE_PROVIDER ? "" : "'",
			       a->candidate.spot ? " for spot machines" : "", what, where,
			       e->hint[0] ? ": " : "", e->hint));
}

static void advise_refusals(struct advisor *advisor)
{
	size_t i;

	for (i = 0; i < advisor->attempts->n; i++) {
		const struct fleet_attempt *a = &advisor->attempts->items[i];

		if (!is_first(advisor->attempts, i))
			continue;
		if (a->error.code == SOUK_E_QUOTA)
			advise_quota(advisor, a);
		else if (a->error.code == SOUK_E_AUTH)
			add(advisor, "credentials", &a->candidate, NULL,
			    fleet_summary_text(advisor->summary, &advisor->failed,
					       "let souk in at %s: %s", a->candidate.provider,
					       a->error.hint[0] ? a->error.hint : a->error.message));
	}
}

/* ---- What would do without one of the task's wishes ---- */

/* Does the failure mean that this one is not to be had either? A quota counts for its market and device. */
static int rules_out(const struct fleet_attempt *a, const struct souk_candidate *c)
{
	if (!fleet_attempt_covers(a, c))
		return 0;
	return a->error.code != SOUK_E_QUOTA ||
	       (a->candidate.spot == c->spot &&
		souk_streq(a->candidate.offer.accelerator, c->offer.accelerator));
}

static int is_hopeless(const struct advisor *advisor, const struct souk_candidate *c)
{
	size_t i;

	for (i = 0; i < advisor->attempts->n; i++)
		if (rules_out(&advisor->attempts->items[i], c))
			return 1;
	return 0;
}

/* A wish that is given up: changes the request and returns 1, or leaves it. */
typedef int waive_fn(struct souk_request *request, const struct souk_candidate *first);

/* Machine images are of a region, and so is what is mapped to one. */
static int waive_region(struct souk_request *request, const struct souk_candidate *first)
{
	(void)first;
	if ((!request->region && !request->zone) || request->image || request->images.n > 0)
		return 0;
	request->region = request->zone = NULL;
	return 1;
}

static int waive_provider(struct souk_request *request, const struct souk_candidate *first)
{
	(void)first;
	if (!request->provider || request->instance_type || request->image || request->images.n > 0)
		return 0;
	request->provider = request->region = request->zone = NULL;
	return 1;
}

static int waive_spot(struct souk_request *request, const struct souk_candidate *first)
{
	(void)first;
	if (!request->use_spot)
		return 0;
	request->use_spot = 0;
	return 1;
}

/* Any other device with as much memory, as many of them. */
static int waive_accelerator(struct souk_request *request, const struct souk_candidate *first)
{
	const struct souk_accelerator_info *info;
	uint64_t memory_mib = first->offer.accelerator_memory_mib;

	if (!request->accelerator.name || request->instance_type)
		return 0;
	info = souk_accelerator_find(request->accelerator.name);
	if (info)
		memory_mib = (uint64_t)info->memory_gib * 1024;
	if (memory_mib == 0)
		return 0;
	request->accelerator.name = request->accelerator.maker = NULL;
	request->accelerator.memory_mib = memory_mib;
	request->accelerator.memory_at_least = 1;
	return 1;
}

/* The flag that says it, for the candidate that was found. */
static const char *flag_for(struct advisor *advisor, const char *kind, const struct souk_candidate *c)
{
	struct souk_launch_summary *summary = advisor->summary;

	if (strcmp(kind, "place") == 0)
		return fleet_summary_text(summary, &advisor->failed, "--infra %s/%s", c->provider,
					  c->offer.region);
	if (strcmp(kind, "market") == 0)
		return "--no-use-spot";
	return fleet_summary_text(summary, &advisor->failed, "--gpus %s:%u", c->offer.accelerator,
				  c->offer.accelerator_milli / 1000);
}

/* The accelerator of the machine that was tried is not another one, wherever it is. */
static int is_no_other(const struct advisor *advisor, const char *kind, const struct souk_candidate *c)
{
	return strcmp(kind, "accelerator") == 0 &&
	       souk_streq(advisor->attempts->items[0].candidate.offer.accelerator,
			  c->offer.accelerator);
}

/* Add the best of a plan that is not known to fail. */
static int advise_best(struct advisor *advisor, const char *kind, struct souk_plan_result *plan,
		       struct souk_error *err)
{
	struct souk_candidate c;
	char where[256];
	const char *flag;
	size_t i;
	int ret;

	for (i = 0; i < plan->n; i++) {
		ret = souk_plan_result_get(plan, i, &c, err);
		if (ret < 0)
			return ret;
		if (is_hopeless(advisor, &c) || is_no_other(advisor, kind, &c))
			continue;
		fleet_describe_candidate(&c, where, sizeof(where));
		flag = flag_for(advisor, kind, &c);
		add(advisor, kind, &c, flag,
		    fleet_summary_text(advisor->summary, &advisor->failed, "'%s': %s", flag ? flag : "",
				       where));
		return SOUK_OK;
	}
	return SOUK_OK;
}

/* Plan once more, without a wish. */
static int advise_without(struct advisor *advisor, const char *kind, waive_fn *waive,
			  struct souk_error *err)
{
	struct souk_plan_query query = advisor->plan->query;
	struct souk_task task = *query.task;
	SOUK_AUTO_FREE struct souk_request *requests = calloc(task.n_requests + 1, sizeof(*requests));
	struct souk_plan_result plan;
	int changed = 0, ret;
	size_t i;

	if (!requests)
		return souk_error_nomem(err);
	/* Shallow copies: what is given up is not freed, and nothing of it outlives this. */
	for (i = 0; i < task.n_requests; i++) {
		requests[i] = query.task->requests[i];
		changed |= waive(&requests[i], &advisor->attempts->items[0].candidate);
	}
	if (!changed)
		return SOUK_OK;
	task.requests = requests;
	query.task = &task;
	ret = souk_optimizer_plan(&query, &plan, err);
	if (ret < 0)
		return ret;
	ret = advise_best(advisor, kind, &plan, err);
	souk_plan_result_fini(&plan);
	return ret;
}

/* ---- The order ---- */

/* Of two that cost the same: what can be done at once before what somebody else has to do. */
static int effort(const char *kind)
{
	static const char *const kinds[] = { "place", "market", "accelerator", "retry", "quota",
					     "credentials" };
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(kinds) && strcmp(kinds[i], kind) != 0; i++)
		;
	return (int)i;
}

static int compare(const void *left, const void *right)
{
	const struct souk_advice_row *a = left, *b = right;
	int a_is_dear = a->price_micros < 0 || strcmp(a->currency, "USD") != 0;
	int b_is_dear = b->price_micros < 0 || strcmp(b->currency, "USD") != 0;

	if (a_is_dear != b_is_dear)
		return a_is_dear - b_is_dear;
	if (!a_is_dear && a->price_micros != b->price_micros)
		return a->price_micros < b->price_micros ? -1 : 1;
	if (effort(a->kind) != effort(b->kind))
		return effort(a->kind) - effort(b->kind);
	return strcmp(a->text, b->text);
}

/* The same candidate, by another way? The one with the smaller change stays. */
static void drop_doubles(struct souk_launch_summary *summary)
{
	size_t i, kept = 0;

	for (i = 0; i < summary->n_advice; i++)
		if (kept == 0 || strcmp(summary->advice[kept - 1].text, summary->advice[i].text) != 0)
			summary->advice[kept++] = summary->advice[i];
	summary->n_advice = kept;
}

/* The cheapest of which more may be there later. */
static const struct souk_candidate *first_to_come_back(const struct fleet_attempts *attempts)
{
	size_t i;

	for (i = 0; i < attempts->n; i++)
		if (attempts->items[i].error.code == SOUK_E_CAPACITY)
			return &attempts->items[i].candidate;
	return &attempts->items[0].candidate;
}

int fleet_summary_advise(struct souk_launch_summary *summary, const struct fleet_attempts *attempts,
			 struct souk_plan_result *plan, int retry, struct souk_error *err)
{
	struct advisor advisor = { .summary = summary, .attempts = attempts, .plan = plan };
	int ret;

	summary->advice = calloc(ADVICE_MAX, sizeof(*summary->advice));
	if (!summary->advice)
		return souk_error_nomem(err);
	if (attempts->n == 0)
		return SOUK_OK;
	if (retry)
		add(&advisor, "retry", first_to_come_back(attempts), "--retry-until-up",
		    fleet_summary_text(summary, &advisor.failed, "'--retry-until-up' keeps trying"));
	ret = advise_without(&advisor, "place", waive_region, err);
	if (ret == SOUK_OK)
		ret = advise_without(&advisor, "place", waive_provider, err);
	if (ret == SOUK_OK)
		ret = advise_without(&advisor, "market", waive_spot, err);
	if (ret == SOUK_OK)
		ret = advise_without(&advisor, "accelerator", waive_accelerator, err);
	if (ret < 0)
		return ret;
	advise_refusals(&advisor);
	if (advisor.failed)
		return souk_error_nomem(err);
	qsort(summary->advice, summary->n_advice, sizeof(*summary->advice), compare);
	drop_doubles(summary);
	return SOUK_OK;
}
