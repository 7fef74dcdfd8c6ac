/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - which providers take part, what they have on sale, and the plan for a task */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/util.h"

/* Every machine type, zone and price of all regions, a page at a time. */
#define ASK_TIMEOUT_MS 300000

/* ---- Who takes part ---- */

/* Does the task ask for this provider by name? 2: and for no other; 0: it names others only. */
static int asks_for(const struct souk_task *task, const char *name)
{
	size_t named = 0, free_choice = 0, i;

	for (i = 0; task && i < task->n_requests; i++) {
		if (!task->requests[i].provider)
			free_choice++;
		else if (strcmp(task->requests[i].provider, name) == 0)
			named++;
	}
	if (named)
		return 2;
	return free_choice || !task ? 1 : 0;
}

int souk_participant_is_explicit(const struct souk *souk, const struct souk_task *task,
				 const char *name)
{
	return souk_strv_has(&souk->registry.wanted, name) || asks_for(task, name) == 2 ||
	       souk_config_has_provider(&souk->config, name);
}

static int add_participant(struct souk_participants *all, struct souk_provider *provider,
			   struct souk_error *err)
{
	void *items = souk_array_grow(all->items, all->n, sizeof(*all->items));
	const struct souk_provider_ops *ops = souk_provider_ops(provider);

	if (!items)
		return souk_error_nomem(err);
	all->items = items;
	items = realloc(all->providers, (all->n + 1) * sizeof(*all->providers));
	if (!items)
		return souk_error_nomem(err);
	all->providers = items;
	all->providers[all->n] = provider;
	all->items[all->n++] = (struct souk_market_provider){
		.name = souk_provider_name(provider),
		.features = ops->features,
		.can_stop = ops->stop != NULL,
	};
	return SOUK_OK;
}

/* Loud if the user asked for it, or if it is not simply a cloud without an account. */
static void warn_skipped(const struct souk *souk, const struct souk_task *task, const char *name,
			 const struct souk_error *why)
{
	int loud = souk_participant_is_explicit(souk, task, name) || why->code != SOUK_E_AUTH;

	souk_log(loud ? SOUK_LOG_WARNING : SOUK_LOG_INFO, "%s: skipped: %s", name,
		 souk_error_without(why, name));
}

/* Open each module that may take part; those that cannot are a warning if they were asked for. */
static int open_all(struct souk *souk, const struct souk_task *task, struct souk_participants *all,
		    struct souk_error *last, struct souk_error *err)
{
	struct souk_provider *provider;
	const char *last_name = NULL;
	size_t i;
	int ret;

	for (i = 0; i < souk->registry.modules.n; i++) {
		const char *name = souk->registry.modules.items[i]->name;
		struct souk_error own = SOUK_ERROR_INIT;

		if (!souk_registry_allows(&souk->registry, name) || asks_for(task, name) == 0)
			continue;
		ret = souk_registry_get(&souk->registry, name, &provider, &own);
		if (ret == SOUK_OK) {
			ret = add_participant(all, provider, err);
			if (ret < 0)
				return ret;
			continue;
		}
		if (strcmp(own.reason, SOUK_REASON_CONFIG) == 0) {
			*err = own;
			return ret;
		}
		/* The last one is told of as the error if nobody can take part. */
		if (last->code)
			warn_skipped(souk, task, last_name, last);
		*last = own;
		last_name = name;
	}
	if (last->code && all->n > 0)
		warn_skipped(souk, task, last_name, last);
	return SOUK_OK;
}

/* Providers of last resort step back when another can be used or they were not asked for. */
static void drop_defaults(struct souk *souk, const struct souk_task *task,
			  struct souk_participants *all)
{
	size_t i, kept = 0, others = 0;

	for (i = 0; i < all->n; i++)
		others += !(all->items[i].features & SOUK_FEATURE_DEFAULT);
	if (others == 0)
		return;
	for (i = 0; i < all->n; i++) {
		if ((all->items[i].features & SOUK_FEATURE_DEFAULT) &&
		    !souk_participant_is_explicit(souk, task, all->items[i].name))
			continue;
		all->items[kept] = all->items[i];
		all->providers[kept++] = all->providers[i];
	}
	all->n = kept;
}

int souk_participants_open(struct souk *souk, const struct souk_task *task,
			   struct souk_participants *all_out, struct souk_error *err)
{
	struct souk_participants all = { 0 };
	struct souk_error last = SOUK_ERROR_INIT;
	int ret;

	ret = open_all(souk, task, &all, &last, err);
	if (ret == SOUK_OK && all.n == 0 && last.code) {
		*err = last;
		ret = last.code;
	} else if (ret == SOUK_OK && all.n == 0) {
		souk_error_set(err, SOUK_E_CAPACITY, "no provider takes part");
		souk_error_reason(err, SOUK_REASON_CONFIG);
		ret = souk_error_hint(err, "'souk provider list' shows those installed, --providers "
					   "and allowed_providers choose among them");
	}
	if (ret < 0) {
		souk_participants_fini(&all);
		return ret;
	}
	drop_defaults(souk, task, &all);
	*all_out = all;
	return SOUK_OK;
}

void souk_participants_fini(struct souk_participants *all)
{
	free(all->items);
	free(all->providers);
	*all = (struct souk_participants){ 0 };
}

/* ---- What they have on sale ---- */

int souk_catalog_ask(struct souk *souk, struct souk_provider *provider, struct souk_catalog *catalog,
		     struct souk_error *err)
{
	struct souk_call_limits limits = { .cancel = &souk->cancel, .timeout_ms = ASK_TIMEOUT_MS };
	const char *name = souk_provider_name(provider);
	struct souk_offer_list offers = { 0 };
	int ret;

	ret = souk_provider_list_offers(provider, &limits, &offers, err);
	/* An empty file would keep those who have nothing today from being asked tomorrow. */
	if (ret == SOUK_OK && offers.n > 0 && !souk_provider_has(provider, SOUK_FEATURE_QUICK_OFFERS))
		ret = souk_catalog_write(&souk->paths, name, &offers, err);
	if (ret == SOUK_OK)
		ret = souk_catalog_add_live(catalog, name, &offers, err);
	souk_offer_list_fini(&offers);
	return ret;
}

static int fill_catalog(struct souk *souk, const struct souk_participants *all,
			struct souk_catalog *catalog, struct souk_error *err)
{
	size_t i, failed = 0;
	int ret;

	for (i = 0; i < all->n; i++) {
		struct souk_error own = SOUK_ERROR_INIT;

		if (souk_provider_has(all->providers[i], SOUK_FEATURE_QUICK_OFFERS) ||
		    !souk_catalog_has_file(&souk->paths, all->items[i].name))
			ret = souk_catalog_ask(souk, all->providers[i], catalog, &own);
		else
			ret = souk_catalog_add_file(catalog, &souk->paths, all->items[i].name, &own);
		if (ret == SOUK_OK)
			continue;
		if (ret == SOUK_E_NOMEM || ret == SOUK_E_CANCELLED || ++failed == all->n) {
			*err = own;
			return ret;
		}
		souk_log(SOUK_LOG_WARNING, "%s: skipped: %s", all->items[i].name,
			 souk_error_without(&own, all->items[i].name));
	}
	return SOUK_OK;
}

/* ---- The plan ---- */

static int load_ledger(struct souk *souk, struct souk_ledger *ledger, struct souk_error *err)
{
	int ret;

	*ledger = (struct souk_ledger){ .now = souk_clock_wall_s() };
	ret = souk_need_store(souk, 0, err);
	if (ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	return ret < 0 ? ret : souk_ledger_load(souk->store, ledger->now, ledger, err);
}

void souk_offer_row_fill(struct souk_offer_row *row, const struct souk_catalog_offer *offer)
{
	*row = (struct souk_offer_row){
		.provider = offer->provider,
		.region = offer->offer.region,
		.zone = offer->offer.zone,
		.instance_type = offer->offer.instance_type,
		.arch = offer->offer.arch,
		.accelerator = offer->offer.accelerator,
		.accelerator_milli = offer->offer.accelerator_milli,
		.accelerator_memory_mib = offer->offer.accelerator_memory_mib,
		.vcpus_milli = offer->offer.vcpus_milli,
		.memory_mib = offer->offer.memory_mib,
		.micros_per_hour = offer->offer.micros_per_hour,
		.spot_micros_per_hour = offer->offer.spot_micros_per_hour,
		.currency = offer->offer.currency,
		.source = offer->source,
		.date = offer->date,
	};
}

static int make_rows(struct souk_plan *plan, const struct souk_task *task, int64_t now,
		     struct souk_error *err)
{
	char ago[SOUK_TIME_TEXT_SIZE];
	size_t i;

	plan->rows = calloc(plan->result.n + 1, sizeof(*plan->rows));
	plan->notes = calloc(plan->result.n + 1, sizeof(*plan->notes));
	if (!plan->rows || !plan->notes)
		return souk_error_nomem(err);
	for (i = 0; i < plan->result.n; i++) {
		const struct souk_candidate *c = &plan->result.items[i];

		souk_offer_row_fill(&plan->rows[i], c->offer);
		plan->rows[i].spot = c->spot;
		plan->rows[i].chosen = i == 0;
		plan->rows[i].total_micros_per_hour = c->total_micros_per_hour;
		plan->rows[i].num_nodes = task->num_nodes;
		if (c->cooling &&
		    asprintf(&plan->notes[i], "exhausted %s ago",
			     souk_duration_text(now - c->exhausted_at, ago)) < 0) {
			plan->notes[i] = NULL;
			return souk_error_nomem(err);
		}
		plan->rows[i].note = plan->notes[i];
	}
	return SOUK_OK;
}

static int rank(struct souk *souk, const struct souk_participants *all, const struct souk_task *task,
		struct souk_plan *plan, struct souk_error *err)
{
	struct souk_ledger ledger;
	int ret;

	ret = fill_catalog(souk, all, &plan->catalog, err);
	if (ret == SOUK_OK)
		ret = load_ledger(souk, &ledger, err);
	if (ret < 0)
		return ret;
	ret = souk_optimizer_plan(&plan->catalog, all->items, all->n, task, &ledger, &plan->result, err);
	if (ret == SOUK_OK && plan->result.n == 0)
		ret = souk_optimizer_explain(&plan->catalog, task, &plan->result, err);
	if (ret == SOUK_OK)
		ret = make_rows(plan, task, ledger.now, err);
	souk_ledger_fini(&ledger);
	return ret;
}

int souk_plan_make(struct souk *souk, const struct souk_task_file *file, struct souk_plan **plan_out,
		   struct souk_error *err)
{
	struct souk_participants all = { 0 };
	struct souk_plan *plan = calloc(1, sizeof(*plan));
	const struct souk_task *task;
	int ret;

	if (!plan)
		return souk_error_nomem(err);
	ret = souk_task_file_task(file, &task, err);
	if (ret == SOUK_OK)
		ret = souk_participants_open(souk, task, &all, err);
	if (ret == SOUK_OK)
		ret = rank(souk, &all, task, plan, err);
	souk_participants_fini(&all);
	if (ret < 0) {
		souk_plan_free(plan);
		return ret;
	}
	*plan_out = plan;
	return SOUK_OK;
}

void souk_plan_free(struct souk_plan *plan)
{
	size_t i;

	if (!plan)
		return;
	for (i = 0; plan->notes && i < plan->result.n; i++)
		free(plan->notes[i]);
	free(plan->notes);
	free(plan->rows);
	souk_plan_result_fini(&plan->result);
	souk_catalog_fini(&plan->catalog);
	free(plan);
}

size_t souk_plan_count(const struct souk_plan *plan)
{
	return plan->result.n;
}

const struct souk_offer_row *souk_plan_row(const struct souk_plan *plan, size_t i)
{
	return i < plan->result.n ? &plan->rows[i] : NULL;
}
