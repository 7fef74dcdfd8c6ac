/* SPDX-License-Identifier: Apache-2.0 */
/* plan-explain.c - why the others lost, what ruled out the cheaper ones, why there is nobody */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/money.h"
#include "base/util.h"
#include "plan.h"

#define TEXT_MAX 1024u

void souk_plan_causes_free(struct souk_plan_cause *causes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		souk_plan_row_fini(&causes[i].example);
		free(causes[i].text);
	}
	free(causes);
}

/* Put a reason into its place; 'example' NULL: there is none. The text is taken over. */
static int set_cause(const struct souk_plan *plan, struct souk_plan_cause *cause,
		     enum souk_misfit why, size_t n, const struct souk_candidate *example, char *text,
		     struct souk_error *err)
{
	int ret = SOUK_OK;

	cause->text = text;
	cause->reason = (struct souk_plan_reason){
		.provider = example ? example->provider : NULL,
		.reason = souk_misfit_name(why),
		.text = text,
		.offers = n,
		.example = example ? &cause->example.row : NULL,
	};
	if (!text)
		return souk_error_nomem(err);
	if (example)
		ret = souk_plan_row_fill(plan, example, &cause->example, err);
	return ret;
}

/* ---- Why the best of a provider is not the first ---- */

static void say_money(struct souk_buf *text, const char *before, int64_t micros,
		      const char *currency, const char *after)
{
	char money[SOUK_MONEY_TEXT_SIZE];

	souk_buf_printf(text, "%s%s%s", before, souk_money_currency(micros, currency, money), after);
}

static void say_cost(struct souk_buf *text, const struct souk_candidate *winner,
		     const struct souk_candidate *c)
{
	int64_t hourly = c->total_micros_per_hour - winner->total_micros_per_hour;
	int64_t dearer = c->cost_micros - winner->cost_micros;
	const char *currency = c->offer.currency; /* the winner's, too: others are not compared */

	if (hourly < 0) {
		say_money(text, "cheaper by ", -hourly, currency, "/h, but");
		say_money(text, " dearer by ", dearer, currency, " in all");
	} else {
		say_money(text, "dearer by ", dearer, currency, "");
	}
	if (c->transfer.rank_micros > winner->transfer.rank_micros)
		say_money(text, c->transfer.known ? ": moving its data costs " :
						    ": moving its data may cost ",
			  c->transfer.rank_micros, "USD", "");
	if (c->preemption_micros > winner->preemption_micros)
		say_money(text, ": being preempted is expected to cost ", c->preemption_micros,
			  currency, "");
}

static void say_why(struct souk_buf *text, const struct souk_plan *plan, enum souk_misfit why,
		    const struct souk_candidate *winner, const struct souk_candidate *c)
{
	const struct souk_request *requests = plan->result.query.task->requests;
	char time[SOUK_TIME_TEXT_SIZE];

	switch (why) {
	case SOUK_LOST_RANK:
		souk_buf_printf(text, "satisfies only alternative %zu, the winner alternative %zu",
				(size_t)(c->request - requests) + 1,
				(size_t)(winner->request - requests) + 1);
		break;
	case SOUK_LOST_CURRENCY:
		souk_buf_printf(text, "is priced in %s, which is not compared with %s",
				c->offer.currency, winner->offer.currency);
		break;
	case SOUK_LOST_COOLING:
		souk_buf_printf(text, "failed %s ago and is tried last",
				souk_duration_text(plan->ledger.now - c->evidence.exhausted_at, time));
		break;
	case SOUK_LOST_TIME:
		souk_buf_printf(text, "takes %s longer, for its data has to be moved",
				souk_duration_text(c->seconds - winner->seconds, time));
		break;
	case SOUK_LOST_COST:
		say_cost(text, winner, c);
		break;
	case SOUK_LOST_SCORE:
		souk_buf_str(text, "costs the same, and was to be had less often of late");
		break;
	default:
		souk_buf_str(text, "costs the same, and comes later by name");
	}
}

static char *why_text(const struct souk_plan *plan, enum souk_misfit why,
		      const struct souk_candidate *winner, const struct souk_candidate *c)
{
	struct souk_buf text;
	char *copy = NULL;

	souk_buf_init(&text, TEXT_MAX);
	say_why(&text, plan, why, winner, c);
	if (souk_buf_failed(&text, NULL) == SOUK_OK)
		copy = strdup(text.data);
	souk_buf_fini(&text);
	return copy;
}

/* One for each provider that takes part: its best candidate, or that it has none. */
static int explain_lost(struct souk_plan *plan, const struct souk_plan_best *best, size_t n_best,
			struct souk_error *err)
{
	const struct souk_participants *all = &plan->participants;
	const struct souk_candidate *winner = &best[0].candidate;
	size_t i, j;
	int ret = SOUK_OK;

	plan->lost = calloc(all->n + 1, sizeof(*plan->lost));
	if (!plan->lost)
		return souk_error_nomem(err);
	for (i = 0; i < all->n && ret == SOUK_OK; i++) {
		struct souk_plan_cause *cause = &plan->lost[plan->n_lost];
		const char *name = all->items[i].name;

		if (all->items[i].standing != SOUK_STANDS_IN || strcmp(name, winner->provider) == 0)
			continue;
		for (j = 0; j < n_best && strcmp(best[j].candidate.provider, name) != 0; j++)
			;
		plan->n_lost++;
		if (j < n_best) {
			enum souk_misfit why = souk_plan_why_after(&plan->result, winner,
								   &best[j].candidate);

			ret = set_cause(plan, cause, why, 1, &best[j].candidate,
					why_text(plan, why, winner, &best[j].candidate), err);
		} else {
			ret = set_cause(plan, cause, SOUK_FITS, 0, NULL,
					strdup("sells nothing that fits"), err);
			cause->reason.reason = "nothing_fits";
		}
		cause->reason.provider = name;
	}
	return ret;
}

/* ---- What ruled out the cheaper ones ---- */

static char *group_text(enum souk_misfit why, const struct souk_survey_group *group)
{
	char *text = NULL;

	if (why != SOUK_MISFIT_FEATURE)
		return strdup(souk_misfit_text(why));
	if (asprintf(&text, "%s (%s: %s)", souk_misfit_text(why), group->example.provider,
		     group->feature) < 0)
		return NULL;
	return text;
}

/* The nearer an offer came, the sooner it is told of. */
static int explain_ruled_out(struct souk_plan *plan, const struct souk_survey *survey,
			     struct souk_error *err)
{
	int why, ret = SOUK_OK;

	plan->ruled_out = calloc(SOUK_MISFITS, sizeof(*plan->ruled_out));
	if (!plan->ruled_out)
		return souk_error_nomem(err);
	for (why = SOUK_MISFITS - 1; why > SOUK_FITS && ret == SOUK_OK; why--) {
		const struct souk_survey_group *group = &survey->groups[why];

		if (group->n > 0)
			ret = set_cause(plan, &plan->ruled_out[plan->n_ruled_out++],
					(enum souk_misfit)why, group->n, &group->example,
					group_text((enum souk_misfit)why, group), err);
	}
	return ret;
}

int souk_plan_explain(struct souk_plan *plan, struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_survey *survey = calloc(1, sizeof(*survey));
	SOUK_AUTO_FREE struct souk_plan_best *best = NULL;
	size_t n;
	int ret;

	if (!survey)
		return souk_error_nomem(err);
	ret = souk_plan_result_best(&plan->result, &best, &n, err);
	if (ret == SOUK_OK)
		ret = explain_lost(plan, best, n, err);
	if (ret == SOUK_OK)
		ret = souk_optimizer_survey(&plan->result.query,
					    best[0].candidate.total_micros_per_hour, survey, err);
	if (ret == SOUK_OK)
		ret = souk_plan_result_survey(&plan->result, survey, err);
	return ret < 0 ? ret : explain_ruled_out(plan, survey, err);
}

size_t souk_plan_lost_count(const struct souk_plan *plan)
{
	return plan->n_lost;
}

const struct souk_plan_reason *souk_plan_lost(const struct souk_plan *plan, size_t i)
{
	return i < plan->n_lost ? &plan->lost[i].reason : NULL;
}

size_t souk_plan_ruled_out_count(const struct souk_plan *plan)
{
	return plan->n_ruled_out;
}

const struct souk_plan_reason *souk_plan_ruled_out(const struct souk_plan *plan, size_t i)
{
	return i < plan->n_ruled_out ? &plan->ruled_out[i].reason : NULL;
}

/* ---- Nobody ---- */

#define SELLERS_MAX 4u

/* Those who would sell it if they took part, cheapest first. */
struct sellers {
	struct seller {
		const char *name;
		int64_t micros;
		char currency[4];
	} items[SELLERS_MAX];
	size_t n;
	size_t total;
};

/* Dollars come first, as what is in another currency is not compared with them. */
static int is_dearer(const struct seller *a, const struct seller *b)
{
	int foreign_a = strcmp(a->currency, "USD") != 0, foreign_b = strcmp(b->currency, "USD") != 0;

	return foreign_a != foreign_b ? foreign_a : a->micros > b->micros;
}

static void add_seller(struct sellers *sellers, const struct seller *seller)
{
	size_t at = sellers->n < SELLERS_MAX ? sellers->n++ : SELLERS_MAX;

	sellers->total++;
	for (; at > 0 && is_dearer(&sellers->items[at - 1], seller); at--)
		if (at < SELLERS_MAX)
			sellers->items[at] = sellers->items[at - 1];
	if (at < SELLERS_MAX)
		sellers->items[at] = *seller;
}

/* The cheapest that a provider would have, as if it took part. */
static int try_seller(const struct souk_plan_query *query, const struct souk_market_provider *provider,
		      struct sellers *sellers, struct souk_error *err)
{
	struct souk_market_provider alone = *provider;
	struct souk_plan_query one = *query;
	struct souk_plan_result result;
	struct souk_candidate best;
	struct seller seller = { .name = provider->name };
	int ret;

	alone.standing = SOUK_STANDS_IN;
	one.providers = &alone;
	one.n_providers = 1;
	ret = souk_optimizer_plan(&one, &result, err);
	if (ret < 0)
		return ret;
	if (result.n > 0)
		ret = souk_plan_result_get(&result, 0, &best, err);
	if (ret == SOUK_OK && result.n > 0) {
		seller.micros = best.total_micros_per_hour;
		snprintf(seller.currency, sizeof(seller.currency), "%s", best.offer.currency);
		add_seller(sellers, &seller);
	}
	souk_plan_result_fini(&result);
	return ret;
}

/* Try everybody who has prices and does not take part for this reason. */
static int find_sellers(const struct souk_plan_query *query, enum souk_standing standing,
			struct sellers *sellers, struct souk_error *err)
{
	int ret = SOUK_OK;
	size_t i, j;

	for (i = 0; i < query->market->n && ret == SOUK_OK; i++) {
		struct souk_market_provider other = {
			.name = souk_catalog_file_head(query->market->files[i])->provider,
			.features = UINT64_MAX,
			.can_stop = 1,
			.standing = SOUK_STANDS_NOT_INSTALLED,
		};

		for (j = 0; j < query->n_providers; j++)
			if (strcmp(query->providers[j].name, other.name) == 0)
				other = query->providers[j];
		if (other.standing == standing)
			ret = try_seller(query, &other, sellers, err);
	}
	return ret;
}

/* "aws ($1.00/h), gcp ($1.20/h) and others" */
static void list_sellers(const struct sellers *sellers, char *list, size_t size)
{
	char price[SOUK_MONEY_TEXT_SIZE];
	size_t i, used = 0;

	list[0] = '\0';
	for (i = 0; i < sellers->n && used < size; i++)
		used += (size_t)snprintf(list + used, size - used, "%s%.60s (%s/h)", i ? ", " : "",
					 sellers->items[i].name,
					 souk_money_currency(sellers->items[i].micros,
							     sellers->items[i].currency, price));
	if (sellers->total > sellers->n && used < size)
		snprintf(list + used, size - used, " and others");
}

static int tell_sellers(const struct sellers *sellers, enum souk_standing standing, int somebody,
			struct souk_error *err)
{
	int installed = standing != SOUK_STANDS_NOT_INSTALLED, one = sellers->total == 1;
	char list[320];

	list_sellers(sellers, list, sizeof(list));
	souk_error_set(err, somebody || !installed ? SOUK_E_CAPACITY : SOUK_E_AUTH, "%s; %s would, but %s",
		       somebody ? "no provider that takes part sells what is asked for" :
				  "no provider takes part",
		       list, !installed ? one ? "it is not installed" : "they are not installed" :
			     one ? "no credentials for it are found here" :
				   "no credentials for them are found here");
	if (!installed)
		return souk_error_hint(err, "install souk-provider-%s", sellers->items[0].name);
	return souk_error_hint(err, "'souk provider info %s' tells where they are looked for",
			       sellers->items[0].name);
}

int souk_plan_explain_none(struct souk *souk, struct souk_plan *plan, struct souk_error *err)
{
	static const enum souk_standing others[] = { SOUK_STANDS_NO_CREDENTIALS,
						     SOUK_STANDS_NOT_INSTALLED };
	SOUK_AUTO_FREE struct souk_survey *survey = calloc(1, sizeof(*survey));
	struct souk_plan_query *query = &plan->result.query;
	int ret;
	size_t i;

	if (!survey)
		return souk_error_nomem(err);
	ret = souk_optimizer_survey(query, INT64_MAX, survey, err);
	if (ret == SOUK_OK)
		ret = souk_market_fill_others(souk, &plan->market, err);
	for (i = 0; i < SOUK_ARRAY_SIZE(others) && ret == SOUK_OK; i++) {
		struct sellers sellers = { 0 };

		ret = find_sellers(query, others[i], &sellers, err);
		if (ret == SOUK_OK && sellers.n > 0)
			return tell_sellers(&sellers, others[i], plan->participants.n_in > 0, err);
	}
	return ret < 0 ? ret : souk_optimizer_explain(query, survey, err);
}
