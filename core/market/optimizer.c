/* SPDX-License-Identifier: Apache-2.0 */
/* market/optimizer.c - requests and offers to ranked candidates */
#include "market/optimizer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/money.h"
#include "base/similar.h"
#include "base/util.h"
#include "market/accelerator.h"

/* A task that says nothing about its machine gets this. */
#define DEFAULT_VCPUS_MILLI 8000
#define DEFAULT_MIB_PER_VCPU 4096

/* ---- Matching ---- */

/* Vendors name memory in round GB that their drivers report some percent off. */
static int memory_is(uint64_t mib, uint64_t wanted_mib, int at_least)
{
	uint64_t slack = wanted_mib / 20;

	return mib + slack >= wanted_mib && (at_least || mib <= wanted_mib + slack);
}

static int accelerator_is(const struct souk_offer *offer, const struct souk_accelerator *wanted)
{
	const struct souk_accelerator_info *info;

	if (!offer->accelerator)
		return 0;
	if (wanted->memory_mib == 0)
		return strcasecmp(offer->accelerator, souk_accelerator_canonical(wanted->name)) == 0;
	info = souk_accelerator_find(offer->accelerator);
	if (wanted->maker && (!info || strcasecmp(info->maker, wanted->maker) != 0))
		return 0;
	return memory_is(info ? (uint64_t)info->memory_gib * 1024 : offer->accelerator_memory_mib,
			 wanted->memory_mib, wanted->memory_at_least);
}

static int wants_accelerator(const struct souk_request *request)
{
	return request->accelerator.name || request->accelerator.memory_mib > 0;
}

/* Fractions are shared on a machine; to get one, whole devices are rented. */
static uint32_t whole_devices(uint32_t milli)
{
	return (milli + 999) / 1000 * 1000;
}

static int amount_is(uint64_t have, const struct souk_amount *wanted)
{
	if (wanted->value == 0)
		return 1;
	return wanted->at_least ? have >= wanted->value : have == wanted->value;
}

/* Instance types come in whole GiB, "16" means 16 GiB; some clouds sell 15.5 for it. */
static int memory_amount_is(uint64_t have_mib, const struct souk_amount *wanted)
{
	if (wanted->value == 0)
		return 1;
	if (wanted->at_least)
		return have_mib >= wanted->value;
	return have_mib + 512 > wanted->value && have_mib < wanted->value + 512;
}

static int is_default_size(const struct souk_request *request)
{
	return request->cpus.value == 0 && request->memory.value == 0 && !request->instance_type &&
	       !wants_accelerator(request);
}

/*
 * Programs are mostly built for x86_64, and arm64 is the cheapest almost everywhere. So a machine
 * of another architecture is for those who name it, by its type or by its accelerator.
 */
static int is_foreign(const struct souk_offer *offer, const struct souk_request *request)
{
	return offer->arch && strcmp(offer->arch, "x86_64") != 0 && !request->instance_type &&
	       !request->accelerator.name && !(offer->flags & SOUK_OFFER_FREE);
}

static enum souk_misfit match_size(const struct souk_offer *offer, const struct souk_request *request)
{
	if (wants_accelerator(request)) {
		if (!accelerator_is(offer, &request->accelerator))
			return SOUK_MISFIT_ACCELERATOR;
		if (offer->accelerator_milli != whole_devices(request->accelerator.milli))
			return SOUK_MISFIT_COUNT;
	} else if (offer->accelerator && !request->instance_type &&
		   !(offer->flags & SOUK_OFFER_FREE)) {
		/* Nobody who asks for CPUs wants to pay for a GPU. */
		return SOUK_MISFIT_ACCELERATOR;
	}
	if (is_foreign(offer, request))
		return SOUK_MISFIT_INSTANCE_TYPE;
	if (is_default_size(request) && !(offer->flags & SOUK_OFFER_FREE)) {
		if (offer->vcpus_milli < DEFAULT_VCPUS_MILLI)
			return SOUK_MISFIT_CPUS;
		if (offer->memory_mib < (uint64_t)offer->vcpus_milli * DEFAULT_MIB_PER_VCPU / 1000)
			return SOUK_MISFIT_MEMORY;
	}
	/* A machine of one's own is what it is: exact numbers are a lower bound there. */
	if (offer->flags & SOUK_OFFER_FREE) {
		if (offer->vcpus_milli < request->cpus.value)
			return SOUK_MISFIT_CPUS;
		return offer->memory_mib < request->memory.value ? SOUK_MISFIT_MEMORY : SOUK_FITS;
	}
	if (!amount_is(offer->vcpus_milli, &request->cpus))
		return SOUK_MISFIT_CPUS;
	return memory_amount_is(offer->memory_mib, &request->memory) ? SOUK_FITS : SOUK_MISFIT_MEMORY;
}

static enum souk_misfit match_place(const struct souk_catalog_offer *offer,
				    const struct souk_request *request)
{
	if (request->provider && strcasecmp(request->provider, offer->provider) != 0)
		return SOUK_MISFIT_PROVIDER;
	if (request->region && strcasecmp(request->region, offer->offer.region) != 0)
		return SOUK_MISFIT_PLACE;
	if (request->zone && (!offer->offer.zone || strcasecmp(request->zone, offer->offer.zone) != 0))
		return SOUK_MISFIT_PLACE;
	if (request->instance_type && strcasecmp(request->instance_type, offer->offer.instance_type) != 0)
		return SOUK_MISFIT_INSTANCE_TYPE;
	return SOUK_FITS;
}

/* A feature that the task needs and the provider lacks; NULL: none. */
static const char *missing_feature(const struct souk_catalog_offer *offer,
				   const struct souk_market_provider *provider,
				   const struct souk_task *task, const struct souk_request *request)
{
	uint64_t have = provider->features;
	int is_free = offer->offer.flags & SOUK_OFFER_FREE;

	if (task->num_nodes > 1 && !(have & SOUK_FEATURE_MULTI_NODE))
		return "several nodes";
	if (request->use_spot && !(have & SOUK_FEATURE_SPOT))
		return "spot machines";
	if ((request->image || request->images.n > 0) && !(have & SOUK_FEATURE_IMAGE))
		return "image_id";
	if (request->labels.n > 0 && !(have & SOUK_FEATURE_LABELS))
		return "labels";
	if (request->n_ports > 0 && !(have & SOUK_FEATURE_PORTS))
		return "ports";
	if (request->disk_size_gib > 0 && !(have & SOUK_FEATURE_DISK_SIZE))
		return "disk_size";
	if (request->disk_tier && !is_free && !(have & SOUK_FEATURE_DISK_TIER))
		return "disk_tier";
	if (request->autostop.enabled && !(have & SOUK_FEATURE_SELF_SHUTDOWN))
		return "autostop";
	if (request->autostop.enabled && !request->autostop.down && !provider->can_stop)
		return "autostop without 'down'";
	return NULL;
}

static int64_t price_of(const struct souk_offer *offer, const struct souk_request *request)
{
	return request->use_spot ? offer->spot_micros_per_hour : offer->micros_per_hour;
}

enum souk_misfit souk_optimizer_match(const struct souk_catalog_offer *offer,
				      const struct souk_market_provider *provider,
				      const struct souk_task *task, const struct souk_request *request,
				      const char **feature_out)
{
	enum souk_misfit misfit = match_place(offer, request);
	const char *feature;

	if (misfit == SOUK_FITS)
		misfit = match_size(&offer->offer, request);
	if (misfit != SOUK_FITS)
		return misfit;
	if (request->local_disk.set) {
		uint64_t have = offer->offer.local_disk_mib / 1024, want = request->local_disk.size_gib;

		if (have + 1 < want || (!request->local_disk.at_least && have > want + 1))
			return SOUK_MISFIT_LOCAL_DISK;
	}
	feature = missing_feature(offer, provider, task, request);
	if (feature) {
		*feature_out = feature;
		return SOUK_MISFIT_FEATURE;
	}
	if (price_of(&offer->offer, request) < 0)
		return SOUK_MISFIT_MARKET;
	if (request->max_hourly_micros > 0 &&
	    price_of(&offer->offer, request) > request->max_hourly_micros)
		return SOUK_MISFIT_PRICE;
	return SOUK_FITS;
}

/* ---- Ranking ---- */

static int by_place(const struct souk_candidate *a, const struct souk_candidate *b)
{
	int order = strcmp(a->offer->provider, b->offer->provider);

	if (order == 0)
		order = strcmp(a->offer->offer.region, b->offer->offer.region);
	if (order == 0)
		order = souk_strcmp(a->offer->offer.zone, b->offer->offer.zone);
	if (order == 0)
		order = strcmp(a->offer->offer.instance_type, b->offer->offer.instance_type);
	/* Where accelerators are put into a machine, its type alone does not tell which. */
	if (order == 0)
		order = souk_strcmp(a->offer->offer.accelerator, b->offer->offer.accelerator);
	if (order == 0 && a->offer->offer.accelerator_milli != b->offer->offer.accelerator_milli)
		order = a->offer->offer.accelerator_milli < b->offer->offer.accelerator_milli ? -1 : 1;
	return order ? order : a->spot - b->spot;
}

static int by_preference(const void *x, const void *y)
{
	const struct souk_candidate *a = x, *b = y;
	int order;

	if (a->request->rank != b->request->rank)
		return a->request->rank < b->request->rank ? -1 : 1;
	if (a->cooling != b->cooling)
		return a->cooling - b->cooling;
	if (a->total_micros_per_hour != b->total_micros_per_hour)
		return a->total_micros_per_hour < b->total_micros_per_hour ? -1 : 1;
	if (a->score != b->score)
		return a->score > b->score ? -1 : 1;
	order = by_place(a, b);
	if (order)
		return order;
	return a->request < b->request ? -1 : a->request > b->request;
}

static int by_place_then_preference(const void *x, const void *y)
{
	int order = by_place(x, y);

	return order ? order : by_preference(x, y);
}

/* Several requests can lead to the same machine, and a list can have it twice; the best stays. */
static void drop_doubles(struct souk_plan_result *result)
{
	size_t i, kept = 0;

	if (result->n == 0)
		return;
	qsort(result->items, result->n, sizeof(*result->items), by_place_then_preference);
	for (i = 0; i < result->n; i++)
		if (kept == 0 || by_place(&result->items[kept - 1], &result->items[i]) != 0)
			result->items[kept++] = result->items[i];
	result->n = kept;
}

static const struct souk_market_provider *find_provider(const struct souk_market_provider *providers,
							size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(providers[i].name, name) == 0)
			return &providers[i];
	return NULL;
}

static int add_candidate(struct souk_plan_result *result, const struct souk_catalog_offer *offer,
			 const struct souk_task *task, const struct souk_request *request,
			 const struct souk_ledger *ledger, struct souk_error *err)
{
	struct souk_candidate *c;
	struct souk_evidence evidence;
	void *items = souk_array_grow(result->items, result->n, sizeof(*result->items));

	if (!items)
		return souk_error_nomem(err);
	result->items = items;
	evidence = souk_ledger_evidence(ledger, offer->provider, offer->offer.region,
					offer->offer.zone, offer->offer.instance_type,
					request->use_spot);
	c = &result->items[result->n++];
	*c = (struct souk_candidate){
		.offer = offer,
		.request = request,
		.spot = request->use_spot,
		.micros_per_hour = price_of(&offer->offer, request),
		.exhausted_at = evidence.exhausted_at,
		.cooling = evidence.exhausted_at > 0 &&
			   ledger->now - evidence.exhausted_at < SOUK_LEDGER_COOLDOWN_S,
		.score = evidence.score,
	};
	c->total_micros_per_hour = souk_money_scale(c->micros_per_hour, task->num_nodes, 1);
	return SOUK_OK;
}

int souk_optimizer_plan(const struct souk_catalog *catalog,
			const struct souk_market_provider *providers, size_t n_providers,
			const struct souk_task *task, const struct souk_ledger *ledger,
			struct souk_plan_result *result_out, struct souk_error *err)
{
	struct souk_plan_result result = { 0 };
	const struct souk_market_provider *provider;
	const char *feature;
	size_t i, j;

	for (i = 0; i < catalog->n; i++) {
		provider = find_provider(providers, n_providers, catalog->items[i].provider);
		for (j = 0; provider && j < task->n_requests; j++) {
			enum souk_misfit misfit = souk_optimizer_match(
				&catalog->items[i], provider, task, &task->requests[j], &feature);

			result.misfits[misfit]++;
			if (misfit == SOUK_MISFIT_FEATURE && !result.feature[0])
				snprintf(result.feature, sizeof(result.feature),
					 "the provider '%s' does not have %s", provider->name, feature);
			if (misfit == SOUK_FITS &&
			    add_candidate(&result, &catalog->items[i], task, &task->requests[j], ledger,
					  err) < 0) {
				souk_plan_result_fini(&result);
				return SOUK_E_NOMEM;
			}
		}
	}
	drop_doubles(&result);
	if (result.n > 0)
		qsort(result.items, result.n, sizeof(*result.items), by_preference);
	*result_out = result;
	return SOUK_OK;
}

void souk_plan_result_fini(struct souk_plan_result *result)
{
	free(result->items);
	*result = (struct souk_plan_result){ 0 };
}

/* ---- Explaining ---- */

static int explain_accelerator(const struct souk_catalog *catalog, const struct souk_request *request,
			       struct souk_error *err)
{
	const char *wanted = request->accelerator.name;
	const char *names[256], *best;
	size_t n = 0, i, j;

	for (i = 0; i < catalog->n && n < SOUK_ARRAY_SIZE(names); i++) {
		const char *name = catalog->items[i].offer.accelerator;

		if (!name)
			continue;
		for (j = 0; j < n && strcmp(names[j], name) != 0; j++)
			;
		if (j == n)
			names[n++] = name;
	}
	souk_error_set(err, SOUK_E_CAPACITY, "no offer has the accelerator '%s'",
		       wanted ? wanted : "of that memory");
	best = wanted ? souk_similar_best(souk_accelerator_canonical(wanted), names, n) : NULL;
	if (best && strcasecmp(best, wanted) != 0)
		return souk_error_hint(err, "did you mean '%s'? 'souk offers' lists what is on sale", best);
	return souk_error_hint(err, "'souk offers' lists what is on sale");
}

int souk_optimizer_explain(const struct souk_catalog *catalog, const struct souk_task *task,
			   const struct souk_plan_result *result, struct souk_error *err)
{
	/* The further an offer came before it failed, the more the reason says. */
	static const struct {
		enum souk_misfit misfit;
		const char *text;
	} reasons[] = {
		{ SOUK_MISFIT_PRICE, "is at or below max_hourly_cost" },
		{ SOUK_MISFIT_MARKET, "is sold that way (use_spot)" },
		{ SOUK_MISFIT_LOCAL_DISK, "has that local disk" },
		{ SOUK_MISFIT_MEMORY, "has that memory" },
		{ SOUK_MISFIT_CPUS, "has that many vCPUs" },
		{ SOUK_MISFIT_COUNT, "has that number of accelerators" },
	};
	size_t i;

	if (catalog->n == 0) {
		souk_error_set(err, SOUK_E_CAPACITY, "no provider that takes part has an offer");
		return souk_error_hint(err, "'souk check' tells which providers can be used");
	}
	if (result->misfits[SOUK_MISFIT_FEATURE] > 0)
		return souk_error_set(err, SOUK_E_UNSUPPORTED, "no offer fits: %s", result->feature);
	for (i = 0; i < SOUK_ARRAY_SIZE(reasons); i++) {
		if (result->misfits[reasons[i].misfit] == 0)
			continue;
		souk_error_set(err, SOUK_E_CAPACITY,
			       "no offer fits: of the %zu that come closest none %s",
			       result->misfits[reasons[i].misfit], reasons[i].text);
		return souk_error_hint(err, "'souk offers' lists what is on sale");
	}
	if (result->misfits[SOUK_MISFIT_ACCELERATOR] > 0)
		for (i = 0; i < task->n_requests; i++)
			if (wants_accelerator(&task->requests[i]))
				return explain_accelerator(catalog, &task->requests[i], err);
	souk_error_set(err, SOUK_E_CAPACITY, "no offer is in the place, or of the type, that was asked for");
	return souk_error_hint(err, "'souk offers --all-regions' lists the regions");
}
