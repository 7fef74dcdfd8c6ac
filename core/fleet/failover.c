/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/failover.c - going down the plan: what comes next, what rules it out, and telling of it */
#include "fleet/failover.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/money.h"
#include "base/util.h"
#include "fleet/attempt.h"

void fleet_describe_candidate(const struct souk_candidate *c, char *text, size_t size)
{
	const struct souk_offer *o = &c->offer;
	int dollars = strcmp(o->currency, "USD") == 0;
	char price[SOUK_MONEY_TEXT_SIZE];

	snprintf(text, size, "%s %s %s%s, %s%s%s%s/h", c->provider, o->zone ? o->zone : o->region,
		 o->instance_type, c->spot ? " (spot)" : "", dollars ? "$" : "",
		 souk_money_text(c->total_micros_per_hour, price), dollars ? "" : " ",
		 dollars ? "" : o->currency);
}

int fleet_has_raced(const struct fleet_launching *launch, size_t at)
{
	size_t i;

	for (i = 0; i < launch->n_raced; i++)
		if (launch->raced[i] == at)
			return 1;
	return 0;
}

/* 1 with the next candidate that need not fail as another one did, 0 if there is none. 'count': those
 * that are passed over are counted. */
static int next_candidate(const struct fleet_launching *launch, size_t *at, int count,
			  struct souk_candidate *candidate, struct souk_error *err)
{
	struct fleet_attempt *cover;
	int ret;

	while (*at < launch->plan->n) {
		if (fleet_has_raced(launch, *at)) {
			(*at)++;
			continue;
		}
		ret = souk_plan_result_get(launch->plan, (*at)++, candidate, err);
		if (ret < 0)
			return ret;
		cover = fleet_attempts_cover(&launch->attempts, candidate);
		if (!cover)
			return 1;
		cover->skipped += (uint32_t)count;
	}
	return 0;
}

void fleet_record_attempt(struct fleet_launching *launch, const struct souk_candidate *c, int code,
			  const struct souk_error *error)
{
	const struct souk_offer *o = &c->offer;
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_store_attempt attempt = {
		.provider = (char *)c->provider,
		.region = (char *)o->region,
		.zone = (char *)o->zone,
		.instance_type = (char *)o->instance_type,
		.accelerator = (char *)o->accelerator,
		.accelerator_milli = o->accelerator_milli,
		.spot = c->spot,
		.code = code,
		.scope = code == SOUK_OK ? SOUK_SCOPE_OFFER : error->scope,
		.reason = code == SOUK_OK || !error->reason[0] ? NULL : (char *)error->reason,
		.at = souk_clock_wall_s(),
	};

	if (souk_store_attempt_add(launch->fleet->store, &attempt, &own) < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
}

int fleet_ends_launch(int code)
{
	return code == SOUK_E_CANCELLED || code == SOUK_E_NOMEM;
}

/* How far away the next candidate is, in a word. */
static const char *next_what(const struct souk_candidate *c, const struct souk_candidate *next)
{
	if (strcmp(c->provider, next->provider) != 0)
		return "provider";
	if (strcmp(c->offer.region, next->offer.region) != 0)
		return "region";
	return souk_streq(c->offer.zone, next->offer.zone) ? "offer" : "zone";
}

/* The account may not have it, and an earlier line has said so of the same provider? */
static int was_told(const struct fleet_launching *launch)
{
	const struct fleet_attempts *all = &launch->attempts;
	const struct fleet_attempt *last = &all->items[all->n - 1];
	size_t i;

	if (last->error.code != SOUK_E_QUOTA && last->error.code != SOUK_E_AUTH)
		return 0;
	for (i = 0; i + 1 < all->n; i++)
		if (all->items[i].error.code == last->error.code &&
		    all->items[i].candidate.spot == last->candidate.spot &&
		    strcmp(all->items[i].candidate.provider, last->candidate.provider) == 0 &&
		    strcmp(all->items[i].error.reason, last->error.reason) == 0)
			return 1;
	return 0;
}

/* What comes after a failure, in words. */
static void say_next(const struct fleet_launching *launch, const struct souk_candidate *c,
		     const struct souk_candidate *next, char *text, size_t size)
{
	char place[256];

	if (!next && launch->under_way) {
		snprintf(text, size, launch->under_way == 1 ? "another one is under way" :
							      "%zu others are under way",
			 launch->under_way);
		return;
	}
	if (!next) {
		snprintf(text, size, "that was the last candidate");
		return;
	}
	fleet_describe_candidate(next, place, sizeof(place));
	snprintf(text, size, "trying the next %s: %s", next_what(c, next), place);
}

/* Those that were hushed up, in one line. */
void fleet_tell_hushed(struct fleet_launching *launch, const char *after)
{
	const struct fleet_attempt *last;
	const char *reason;

	if (launch->hushed == 0)
		return;
	last = &launch->attempts.items[launch->attempts.n - 1];
	reason = last->error.reason;
	fleet_event(launch->callbacks, after ? SOUK_EVENT_FAILOVER : SOUK_EVENT_NOTE,
		    launch->cluster->name, "%s: %zu more refused for the same reason%s%s%s%s%s",
		    last->candidate.provider, launch->hushed, reason[0] ? " (" : "", reason,
		    reason[0] ? ")" : "", after ? "; " : "", after ? after : "");
	launch->hushed = 0;
}

void fleet_tell_failure(struct fleet_launching *launch, const struct souk_candidate *next)
{
	const struct fleet_attempt *last = &launch->attempts.items[launch->attempts.n - 1];
	const struct souk_error *error = &last->error;
	char after[384], reason[SOUK_ERROR_REASON_SIZE + 8] = "";

	say_next(launch, &last->candidate, next, after, sizeof(after));
	if (was_told(launch)) {
		launch->hushed++;
		if (!next || strcmp(next->provider, last->candidate.provider) != 0)
			fleet_tell_hushed(launch, after);
		return;
	}
	if (error->reason[0] && !strstr(error->message, error->reason))
		snprintf(reason, sizeof(reason), " (%s)", error->reason);
	fleet_event(launch->callbacks, SOUK_EVENT_FAILOVER, launch->cluster->name, "%s%s; %s",
		    error->message, reason, after);
}

int fleet_note_failure(struct fleet_launching *launch, const struct souk_candidate *c,
		       const struct souk_error *error, struct souk_error *err)
{
	struct fleet_attempts *all = &launch->attempts;

	if (launch->hushed > 0 && (all->items[all->n - 1].error.code != error->code ||
				   strcmp(all->items[all->n - 1].error.reason, error->reason) != 0))
		fleet_tell_hushed(launch, NULL);
	launch->may_retry |= fleet_may_retry(error->code);
	return fleet_attempts_add(all, c, error, err);
}

/* Note a failure, and tell of it. */
static int fail_over(struct fleet_launching *launch, const struct souk_candidate *c, size_t at,
		     const struct souk_error *error, struct souk_error *err)
{
	struct souk_candidate next;
	int is_next;

	if (fleet_note_failure(launch, c, error, err) < 0)
		return err->code;
	is_next = next_candidate(launch, &at, 0, &next, err);
	if (is_next < 0)
		return is_next;
	fleet_tell_failure(launch, is_next ? &next : NULL);
	return SOUK_OK;
}

int fleet_may_retry(int code)
{
	return code == SOUK_E_CAPACITY || code == SOUK_E_QUOTA || code == SOUK_E_TRANSIENT ||
	       code == SOUK_E_RATE_LIMIT || code == SOUK_E_TIMEOUT;
}

int fleet_all_failed(struct fleet_launching *launch, struct souk_error *err)
{
	const struct souk_error *first;

	if (launch->attempts.n == 0)
		return souk_error_set(err, SOUK_E_CAPACITY, "the plan has no candidate");
	first = &launch->attempts.items[0].error;
	if (launch->attempts.n == 1) {
		*err = *first;
		return err->code;
	}
	souk_error_set(err, first->code ? first->code : SOUK_E_CAPACITY,
		       "none of %zu candidates could be had; the first: %s", launch->attempts.n,
		       first->message);
	return souk_error_hint(err, "%s", first->hint);
}

int fleet_go_down_plan(struct fleet_launching *launch, struct souk_error *err)
{
	struct souk_candidate c;
	struct souk_error failure;
	char text[256];
	size_t at = 0;
	int ret;

	while ((ret = next_candidate(launch, &at, 1, &c, err)) > 0) {
		if (launch->attempts.n == 0) {
			fleet_describe_candidate(&c, text, sizeof(text));
			fleet_event(launch->callbacks, SOUK_EVENT_ATTEMPT, launch->cluster->name, "%s",
				    text);
		}
		failure = (struct souk_error)SOUK_ERROR_INIT;
		ret = fleet_attempt(launch, &c, &failure);
		if (fleet_ends_launch(ret)) {
			*err = failure;
			return ret;
		}
		fleet_record_attempt(launch, &c, ret, &failure);
		if (ret == SOUK_OK) {
			fleet_tell_hushed(launch, NULL);
			return SOUK_OK;
		}
		ret = fail_over(launch, &c, at, &failure, err);
		if (ret < 0)
			return ret;
	}
	return ret < 0 ? ret : fleet_all_failed(launch, err);
}
