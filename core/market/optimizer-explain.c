/* SPDX-License-Identifier: Apache-2.0 */
/* market/optimizer-explain.c - why offers are no candidates, and why candidates are not the first */
#include "market/optimizer-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/money.h"
#include "base/util.h"
#include "market/accelerator.h"

/* ---- Words ---- */

static const struct {
	const char *name, *text;
} words[SOUK_MISFITS] = {
	[SOUK_FITS] = { "fits", "that fit" },
	[SOUK_MISFIT_INSTANCE_TYPE] = { "instance_type", "of another instance type" },
	[SOUK_MISFIT_ACCELERATOR] = { "accelerator",
				      "without the accelerator asked for, or with one too many" },
	[SOUK_MISFIT_COUNT] = { "accelerator_count", "with another number of accelerators" },
	[SOUK_MISFIT_ARCH] = { "arch",
			       "not x86_64; whoever names the type or the accelerator gets them" },
	[SOUK_MISFIT_CPUS] = { "cpus", "with another number of vCPUs" },
	[SOUK_MISFIT_MEMORY] = { "memory", "with another amount of memory" },
	[SOUK_MISFIT_LOCAL_DISK] = { "local_disk", "without that local disk" },
	[SOUK_MISFIT_PROVIDER] = { "provider", "of another provider than asked for" },
	[SOUK_MISFIT_FEATURE] = { "feature", "of a provider that lacks what the task needs" },
	[SOUK_MISFIT_PLACE] = { "place", "in another region or zone" },
	[SOUK_MISFIT_MARKET] = { "market", "at a price of the other market (use_spot)" },
	[SOUK_MISFIT_MARKED] = { "marked_price", "at a price that cannot be right" },
	[SOUK_MISFIT_PRICE] = { "max_hourly_cost", "above max_hourly_cost" },
	[SOUK_MISFIT_NOT_INSTALLED] = { "not_installed", "of a provider that is not installed" },
	[SOUK_MISFIT_NO_CREDENTIALS] = { "no_credentials",
					 "of a provider without credentials here" },
	[SOUK_MISFIT_NOT_ALLOWED] = { "not_allowed",
				      "of a provider that --providers or allowed_providers leaves out" },
	[SOUK_MISFIT_BROKEN] = { "unusable", "of a provider that cannot be used" },
	[SOUK_MISFIT_BACK] = { "last_resort",
			       "of a provider of last resort, which steps back behind others" },
	[SOUK_LOST_RANK] = { "alternative", "that satisfy only a later alternative" },
	[SOUK_LOST_CURRENCY] = { "currency", "in another currency, which is not compared" },
	[SOUK_LOST_COOLING] = { "cooling", "sold out a moment ago" },
	[SOUK_LOST_COST] = { "cost", "dearer once moving data and preemption are counted" },
	[SOUK_LOST_TIME] = { "time", "that take longer" },
	[SOUK_LOST_SCORE] = { "score", "to be had less often of late" },
	[SOUK_LOST_NAME] = { "name", "equal, and later by name" },
};

const char *souk_misfit_name(enum souk_misfit misfit)
{
	return misfit < SOUK_MISFITS ? words[misfit].name : "";
}

const char *souk_misfit_text(enum souk_misfit misfit)
{
	return misfit < SOUK_MISFITS ? words[misfit].text : "";
}

/* ---- Groups ---- */

static int by_text(const char *a, const char *b)
{
	return souk_strcmp(a, b);
}

int optimizer_by_name(const struct souk_candidate *a, const struct souk_candidate *b)
{
	int order = by_text(a->provider, b->provider);

	if (order == 0)
		order = by_text(a->offer.region, b->offer.region);
	if (order == 0)
		order = by_text(a->offer.zone, b->offer.zone);
	if (order == 0)
		order = by_text(a->offer.instance_type, b->offer.instance_type);
	if (order == 0)
		order = by_text(a->offer.accelerator, b->offer.accelerator);
	if (order == 0 && a->offer.accelerator_milli != b->offer.accelerator_milli)
		order = a->offer.accelerator_milli < b->offer.accelerator_milli ? -1 : 1;
	return order ? order : a->spot - b->spot;
}

/* Count it; the cheapest is the example, among equals the first by name. Prices in USD, and those
 * that there are, before the others. */
static void count(struct souk_survey_group *group, const struct souk_candidate *c,
		  const char *feature)
{
	const struct souk_candidate *best = &group->example;
	int foreign = strcmp(c->offer.currency, "USD") != 0, better;

	if (group->n++ > 0) {
		int best_foreign = strcmp(best->offer.currency, "USD") != 0;

		if (foreign != best_foreign)
			better = !foreign;
		else if ((c->micros_per_hour < 0) != (best->micros_per_hour < 0))
			better = c->micros_per_hour >= 0;
		else if (c->total_micros_per_hour != best->total_micros_per_hour)
			better = c->total_micros_per_hour < best->total_micros_per_hour;
		else
			better = optimizer_by_name(c, best) < 0;
		if (!better)
			return;
	}
	group->example = *c;
	if (feature)
		snprintf(group->feature, sizeof(group->feature), "%s", feature);
}

/* ---- The survey ---- */

struct surveyor {
	const struct souk_plan_query *query;
	struct souk_survey *survey;
	const struct souk_catalog_head *head;
	const struct souk_market_provider *provider; /* NULL: not installed */
	int64_t below;
	uint8_t *misfits;	/* of the type, one a request */
};

static enum souk_misfit misfit_of_standing(const struct souk_market_provider *provider)
{
	static const enum souk_misfit misfits[] = {
		[SOUK_STANDS_IN] = SOUK_FITS,
		[SOUK_STANDS_NOT_INSTALLED] = SOUK_MISFIT_NOT_INSTALLED,
		[SOUK_STANDS_NO_CREDENTIALS] = SOUK_MISFIT_NO_CREDENTIALS,
		[SOUK_STANDS_NOT_ALLOWED] = SOUK_MISFIT_NOT_ALLOWED,
		[SOUK_STANDS_BROKEN] = SOUK_MISFIT_BROKEN,
		[SOUK_STANDS_BACK] = SOUK_MISFIT_BACK,
	};

	return provider ? misfits[provider->standing] : SOUK_MISFIT_NOT_INSTALLED;
}

/* What is known of the features of a provider that is not installed is nothing. */
static int knows_features(const struct souk_market_provider *provider)
{
	return provider && provider->standing != SOUK_STANDS_NOT_INSTALLED &&
	       provider->standing != SOUK_STANDS_BROKEN;
}

/* How far a type gets with each request: rules 1 to 9. */
static void match_requests(struct surveyor *s, const struct souk_catalog_type *type)
{
	const struct souk_task *task = s->query->task;
	size_t i;

	for (i = 0; i < task->n_requests; i++) {
		const struct souk_request *request = &task->requests[i];
		enum souk_misfit misfit = optimizer_match_type(type, request);

		if (misfit == SOUK_FITS && request->provider &&
		    strcasecmp(request->provider, s->head->provider) != 0)
			misfit = SOUK_MISFIT_PROVIDER;
		if (misfit == SOUK_FITS && knows_features(s->provider) &&
		    optimizer_missing_feature(s->provider, task, request,
					      (type->flags & SOUK_OFFER_FREE) != 0))
			misfit = SOUK_MISFIT_FEATURE;
		s->misfits[i] = (uint8_t)misfit;
	}
}

/* The furthest that a row gets as on demand or as spot with any request, and which that is. */
static enum souk_misfit furthest(const struct surveyor *s, const struct souk_catalog_row *row,
				 int spot, const struct souk_request **request_out)
{
	const struct souk_task *task = s->query->task;
	enum souk_misfit best = SOUK_FITS, misfit;
	size_t i;

	for (i = 0; i < task->n_requests; i++) {
		const struct souk_request *request = &task->requests[i];

		misfit = (enum souk_misfit)s->misfits[i];
		if (misfit == SOUK_FITS && !optimizer_place_is(row, request))
			misfit = SOUK_MISFIT_PLACE;
		else if (misfit == SOUK_FITS && request->use_spot != spot)
			misfit = SOUK_MISFIT_MARKET;
		else if (misfit == SOUK_FITS)
			misfit = optimizer_match_row(row, request);
		if (misfit != SOUK_FITS && misfit <= best)
			continue;
		*request_out = request;
		if (misfit == SOUK_FITS)
			return SOUK_FITS;
		best = misfit;
	}
	return best;
}

static int any_request_wants(const struct souk_task *task, int spot)
{
	size_t i;

	for (i = 0; i < task->n_requests; i++)
		if (task->requests[i].use_spot == spot)
			return 1;
	return 0;
}

static void survey_row(struct surveyor *s, const struct souk_catalog_type *type,
		       const struct souk_catalog_row *row, uint32_t index, int spot)
{
	const struct souk_task *task = s->query->task;
	struct souk_candidate c = {
		.provider = s->head->provider,
		.source = s->head->source,
		.date = s->head->date,
		.spot = spot,
		.micros_per_hour = optimizer_price(row, spot),
		.marks = row->marks,
		.row = index,
	};
	const char *feature = NULL;
	enum souk_misfit misfit;

	if (s->below == INT64_MAX ? !any_request_wants(task, spot) : c.micros_per_hour < 0)
		return;
	c.total_micros_per_hour = souk_money_scale(c.micros_per_hour, task->num_nodes, 1);
	if (s->below != INT64_MAX &&
	    (c.total_micros_per_hour >= s->below || strcmp(row->currency, "USD") != 0))
		return;
	misfit = furthest(s, row, spot, &c.request);
	if (misfit == SOUK_FITS)
		misfit = misfit_of_standing(s->provider);
	souk_catalog_offer(type, row, &c.offer);
	if (misfit == SOUK_MISFIT_FEATURE)
		feature = optimizer_missing_feature(s->provider, task, c.request,
						    (type->flags & SOUK_OFFER_FREE) != 0);
	count(&s->survey->groups[misfit], &c, feature);
}

static int survey_type(struct surveyor *s, struct souk_catalog_file *file, uint32_t index,
		       struct souk_error *err)
{
	struct souk_catalog_type type;
	struct souk_catalog_row row;
	uint32_t i;
	int ret;

	ret = souk_catalog_type(file, index, &type, err);
	if (ret < 0)
		return ret;
	match_requests(s, &type);
	for (i = 0; i < type.n_rows; i++) {
		ret = souk_catalog_row(file, type.first_row + i, &row, err);
		if (ret < 0)
			return ret;
		s->survey->rows++;
		survey_row(s, &type, &row, type.first_row + i, 0);
		survey_row(s, &type, &row, type.first_row + i, 1);
	}
	return SOUK_OK;
}

int souk_optimizer_survey(const struct souk_plan_query *query, int64_t below,
			  struct souk_survey *survey_out, struct souk_error *err)
{
	SOUK_AUTO_FREE uint8_t *misfits = calloc(query->task->n_requests + 1, 1);
	SOUK_AUTO_FREE struct souk_survey *survey = calloc(1, sizeof(*survey));
	struct surveyor s = { .query = query, .below = below, .misfits = misfits, .survey = survey };
	int ret = SOUK_OK;
	uint32_t type;
	size_t i;

	if (!misfits || !survey)
		return souk_error_nomem(err);
	for (i = 0; i < query->market->n && ret == SOUK_OK; i++) {
		s.head = souk_catalog_file_head(query->market->files[i]);
		s.provider = optimizer_provider(query, s.head->provider);
		if (below == INT64_MAX && misfit_of_standing(s.provider) != SOUK_FITS)
			continue;
		for (type = 0; type < s.head->n_types && ret == SOUK_OK; type++)
			ret = survey_type(&s, query->market->files[i], type, err);
	}
	if (ret == SOUK_OK)
		*survey_out = *survey;
	return ret;
}

/* ---- Candidates that are not the first ---- */

enum souk_misfit souk_plan_why_after(const struct souk_plan_result *result,
				     const struct souk_candidate *first,
				     const struct souk_candidate *second)
{
	if (first->request->rank != second->request->rank)
		return SOUK_LOST_RANK;
	if (strcmp(first->offer.currency, second->offer.currency) != 0)
		return SOUK_LOST_CURRENCY;
	if (first->cooling != second->cooling)
		return SOUK_LOST_COOLING;
	if (result->query.by_time && first->seconds != second->seconds)
		return SOUK_LOST_TIME;
	if (first->cost_micros != second->cost_micros)
		return SOUK_LOST_COST;
	return first->evidence.score != second->evidence.score ? SOUK_LOST_SCORE : SOUK_LOST_NAME;
}

int souk_plan_result_survey(struct souk_plan_result *result, struct souk_survey *survey,
			    struct souk_error *err)
{
	struct souk_candidate winner, c;
	size_t i;
	int ret;

	if (result->n == 0)
		return SOUK_OK;
	ret = souk_plan_result_get(result, 0, &winner, err);
	for (i = 0; i < result->n && ret == SOUK_OK; i++) {
		ret = optimizer_read(&result->query, &result->entries[i], &c, err);
		if (ret < 0)
			break;
		if (c.total_micros_per_hour < winner.total_micros_per_hour &&
		    strcmp(c.offer.currency, winner.offer.currency) == 0)
			count(&survey->groups[souk_plan_why_after(result, &winner, &c)], &c, NULL);
	}
	return ret;
}

/* ---- Nothing fits ---- */

static int explain_accelerator(const struct souk_plan_query *query,
			       const struct souk_request *request, struct souk_error *err)
{
	const char *wanted = request->accelerator.name, *near[3];
	size_t n;

	souk_error_set(err, SOUK_E_CAPACITY, "no offer has the accelerator '%s'",
		       wanted ? wanted : "of that memory");
	n = wanted ? souk_market_nearest_accelerators(query->market, wanted, near,
						      SOUK_ARRAY_SIZE(near)) : 0;
	if (n == 0)
		return souk_error_hint(err, "'souk offers' lists what is on sale");
	return souk_error_hint(err, "did you mean '%s'%s%s%s%s%s%s? 'souk offers' lists what is on sale",
			       near[0], n > 1 ? ", '" : "", n > 1 ? near[1] : "", n > 1 ? "'" : "",
			       n > 2 ? ", '" : "", n > 2 ? near[2] : "", n > 2 ? "'" : "");
}

static int explain_feature(const struct souk_survey_group *group, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_UNSUPPORTED, "no offer fits: the provider '%s' does not have %s",
			      group->example.provider, group->feature);
}

static int explain_marked(const struct souk_survey_group *group, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_CAPACITY,
		       "no offer fits: the %zu that would have prices that cannot be right", group->n);
	return souk_error_hint(err, "'souk catalog update %s' asks for newer prices",
			       group->example.provider);
}

int souk_optimizer_explain(const struct souk_plan_query *query, const struct souk_survey *survey,
			   struct souk_error *err)
{
	/* The further an offer came before it failed, the more the reason says. */
	static const struct {
		enum souk_misfit misfit;
		const char *text;
	} reasons[] = {
		{ SOUK_MISFIT_PRICE, "is at or below max_hourly_cost" },
		{ SOUK_MISFIT_MARKED, NULL },
		{ SOUK_MISFIT_MARKET, "is sold that way (use_spot)" },
		{ SOUK_MISFIT_PLACE, "is in the place that was asked for" },
		{ SOUK_MISFIT_FEATURE, NULL },
		{ SOUK_MISFIT_PROVIDER, "is of the provider that was asked for" },
		{ SOUK_MISFIT_LOCAL_DISK, "has that local disk" },
		{ SOUK_MISFIT_MEMORY, "has that memory" },
		{ SOUK_MISFIT_CPUS, "has that many vCPUs" },
		{ SOUK_MISFIT_ARCH, "is x86_64" },
		{ SOUK_MISFIT_COUNT, "has that number of accelerators" },
	};
	const struct souk_task *task = query->task;
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(reasons); i++) {
		const struct souk_survey_group *group = &survey->groups[reasons[i].misfit];

		if (group->n == 0)
			continue;
		if (reasons[i].misfit == SOUK_MISFIT_FEATURE)
			return explain_feature(group, err);
		if (reasons[i].misfit == SOUK_MISFIT_MARKED)
			return explain_marked(group, err);
		souk_error_set(err, SOUK_E_CAPACITY,
			       "no offer fits: of the %zu that come closest none %s", group->n,
			       reasons[i].text);
		return souk_error_hint(err, reasons[i].misfit == SOUK_MISFIT_PLACE ?
					       "'souk offers --all-regions' lists the regions" :
					       "'souk offers' lists what is on sale");
	}
	if (survey->rows == 0) {
		souk_error_set(err, SOUK_E_CAPACITY, "no provider that takes part has an offer");
		return souk_error_hint(err, "'souk check' tells which providers can be used");
	}
	for (i = 0; i < task->n_requests; i++)
		if (optimizer_wants_accelerator(&task->requests[i]) && !task->requests[i].instance_type)
			return explain_accelerator(query, &task->requests[i], err);
	souk_error_set(err, SOUK_E_CAPACITY, "no offer is of the instance type that was asked for");
	return souk_error_hint(err, "'souk offers --all-regions' lists the machines on sale");
}
