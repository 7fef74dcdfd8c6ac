/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - the plan for a task: who takes part, what they have on sale, in which order */
#include "plan.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/util.h"

/* Every machine type, zone and price of all regions, a page at a time. */
#define ASK_TIMEOUT_MS 900000

/* ---- What they have on sale ---- */

/* Make a catalogue of what a module has listed; the cache keeps it if it is worth keeping. */
static int make_file(struct souk *souk, struct souk_provider *provider,
		     const struct souk_offer_list *offers, struct souk_catalog_file **file_out,
		     struct souk_error *err)
{
	const char *name = souk_provider_name(provider);
	char date[SOUK_TIME_TEXT_SIZE];
	struct souk_catalog_origin origin = { name, "live", date, NULL };
	void *image = NULL;
	size_t size = 0;
	int ret;

	souk_time_text(souk_clock_wall_s(), date);
	date[strcspn(date, "T")] = '\0';
	ret = souk_catalog_image(&origin, offers->items, offers->n, &image, &size, err);
	/* An empty file would keep those who have nothing today from being asked tomorrow. */
	if (ret == SOUK_OK && offers->n > 0 && !souk_provider_has(provider, SOUK_FEATURE_QUICK_OFFERS))
		ret = souk_catalog_file_write(&souk->paths, name, image, size, err);
	if (ret < 0) {
		free(image);
		return ret;
	}
	return souk_catalog_file_open_image(image, size, file_out, err);
}

int souk_market_ask(struct souk *souk, struct souk_provider *provider, souk_progress_fn progress,
		    void *progress_arg, struct souk_catalog_file **file_out, struct souk_error *err)
{
	struct souk_call_limits limits = { .cancel = &souk->cancel, .timeout_ms = ASK_TIMEOUT_MS,
					   .progress = progress, .progress_arg = progress_arg };
	struct souk_offer_list offers = { 0 };
	int ret;

	ret = souk_provider_list_offers(provider, &limits, &offers, err);
	if (ret == SOUK_OK)
		ret = make_file(souk, provider, &offers, file_out, err);
	souk_offer_list_fini(&offers);
	return ret;
}

static int fill_from(struct souk *souk, const struct souk_market_provider *participant,
		     struct souk_market *market, struct souk_error *err)
{
	struct souk_provider *provider;
	struct souk_catalog_file *file;
	int ret;

	if (!(participant->features & SOUK_FEATURE_QUICK_OFFERS) &&
	    souk_catalog_file_exists(&souk->paths, participant->name)) {
		ret = souk_catalog_file_find(&souk->paths, participant->name, &file, err);
	} else {
		ret = souk_registry_get(&souk->registry, participant->name, &provider, err);
		if (ret == SOUK_OK)
			ret = souk_market_ask(souk, provider, NULL, NULL, &file, err);
	}
	return ret < 0 ? ret : souk_market_add(market, file, err);
}

int souk_market_fill(struct souk *souk, const struct souk_participants *all,
		     struct souk_market *market, struct souk_error *err)
{
	size_t i, failed = 0;
	int ret;

	for (i = 0; i < all->n; i++) {
		struct souk_error own = SOUK_ERROR_INIT;

		if (all->items[i].standing != SOUK_STANDS_IN)
			continue;
		ret = fill_from(souk, &all->items[i], market, &own);
		if (ret == SOUK_OK)
			continue;
		if (ret == SOUK_E_NOMEM || ret == SOUK_E_CANCELLED || ++failed == all->n_in) {
			*err = own;
			return ret;
		}
		souk_log(SOUK_LOG_WARNING, "%s: skipped: %s", all->items[i].name,
			 souk_error_without(&own, all->items[i].name));
	}
	return SOUK_OK;
}

int souk_market_fill_others(struct souk *souk, struct souk_market *market, struct souk_error *err)
{
	struct souk_strv names = { 0 };
	size_t i;
	int ret;

	ret = souk_catalog_file_names(&souk->paths, &names, err);
	for (i = 0; ret == SOUK_OK && i < names.n; i++) {
		struct souk_error own = SOUK_ERROR_INIT;
		struct souk_catalog_file *file;

		if (souk_market_get(market, names.items[i]))
			continue;
		ret = souk_catalog_file_find(&souk->paths, names.items[i], &file, &own);
		if (ret == SOUK_OK)
			ret = souk_market_add(market, file, &own);
		if (ret == SOUK_E_NOMEM) {
			*err = own;
		} else if (ret < 0) {
			souk_log(SOUK_LOG_INFO, "%s: not compared: %s", names.items[i], own.message);
			ret = SOUK_OK;
		}
	}
	souk_strv_fini(&names);
	return ret;
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

static int query_init(const struct souk *souk, const struct souk_plan *plan,
		      const struct souk_task *task, const struct souk_plan_options *options,
		      struct souk_plan_query *query, struct souk_error *err)
{
	const char *optimize = options->optimize ? options->optimize : souk->config.optimize;

	if (optimize && strcmp(optimize, "cost") != 0 && strcmp(optimize, "time") != 0)
		return souk_error_set(err, SOUK_E_INVALID, "optimize: '%.40s' is neither cost nor time",
				      optimize);
	*query = (struct souk_plan_query){
		.market = &plan->market,
		.providers = plan->participants.items,
		.n_providers = plan->participants.n,
		.task = task,
		.ledger = &plan->ledger,
		.egress = plan->egress,
		.hours_milli = options->hours_milli,
		.by_time = optimize && strcmp(optimize, "time") == 0,
	};
	return SOUK_OK;
}

static int open_market(struct souk *souk, struct souk_plan *plan, int explain, struct souk_error *err)
{
	int ret;

	souk_market_fini(&plan->market);
	ret = souk_market_fill(souk, &plan->participants, &plan->market, err);
	if (ret == SOUK_OK)
		souk_catalogs_say_stale(souk, plan->market.files, plan->market.n);
	if (ret == SOUK_OK && explain)
		ret = souk_market_fill_others(souk, &plan->market, err);
	return ret;
}

/* Rank. A file of the cache that is damaged where it is read is set aside, and it begins again
 * with the seed in its place; each file can be that once. */
static int rank(struct souk *souk, struct souk_plan *plan, const struct souk_task *task,
		const struct souk_plan_options *options, struct souk_error *err)
{
	struct souk_plan_query query;
	size_t tries = 0;
	int ret;

	for (;;) {
		ret = open_market(souk, plan, options->explain, err);
		if (ret == SOUK_OK)
			ret = query_init(souk, plan, task, options, &query, err);
		if (ret < 0)
			return ret;
		ret = souk_optimizer_plan(&query, &plan->result, err);
		if (ret != SOUK_E_INVALID || plan->result.damaged < 0 || tries++ == plan->market.n ||
		    !souk_catalog_file_set_aside(&souk->paths,
						 plan->market.files[plan->result.damaged]))
			return ret;
		souk_log(SOUK_LOG_WARNING, "%s; it was set aside", err->message);
	}
}

static int fill(struct souk *souk, struct souk_plan *plan, const struct souk_task *task,
		const struct souk_plan_options *options, struct souk_error *err)
{
	int ret;

	ret = souk_participants_find(souk, task, !options->dryrun, &plan->participants, err);
	if (ret == SOUK_OK)
		ret = load_ledger(souk, &plan->ledger, err);
	if (ret == SOUK_OK && souk_egress_is_needed(task))
		ret = souk_egress_load(&souk->paths, &souk->config, &plan->egress, err);
	if (ret == SOUK_OK)
		ret = rank(souk, plan, task, options, err);
	if (ret < 0)
		return ret;
	if (plan->result.n == 0)
		return souk_plan_explain_none(souk, plan, err);
	plan->rows = calloc(plan->result.n, sizeof(*plan->rows));
	if (!plan->rows)
		return souk_error_nomem(err);
	ret = souk_plan_make_best(plan, err);
	if (ret == SOUK_OK && options->explain)
		ret = souk_plan_explain(plan, err);
	return ret;
}

static void tell_work(const struct souk_plan *plan)
{
	struct souk_catalog_work work = souk_market_work(&plan->market);

	souk_log(SOUK_LOG_DEBUG,
		 "plan: %zu candidates of %llu rows and %llu types read, %llu bytes checked, %llu compared",
		 plan->result.n, (unsigned long long)work.rows, (unsigned long long)work.types,
		 (unsigned long long)work.bytes, (unsigned long long)plan->result.compared);
}

int souk_plan_task(struct souk *souk, const struct souk_task *task,
		   const struct souk_plan_options *options, struct souk_plan **plan_out,
		   struct souk_error *err)
{
	static const struct souk_plan_options usual;
	struct souk_plan *plan = calloc(1, sizeof(*plan));
	int ret;

	if (!plan)
		return souk_error_nomem(err);
	plan->result.damaged = -1;
	ret = fill(souk, plan, task, options ? options : &usual, err);
	tell_work(plan);
	if (ret < 0) {
		souk_plan_free(plan);
		return ret;
	}
	*plan_out = plan;
	return SOUK_OK;
}

int souk_plan_make_with(struct souk *souk, const struct souk_task_file *file,
			const struct souk_plan_options *options, struct souk_plan **plan_out,
			struct souk_error *err)
{
	const struct souk_task *task;
	int ret;

	ret = souk_task_file_task(file, &task, err);
	return ret < 0 ? ret : souk_plan_task(souk, task, options, plan_out, err);
}

int souk_plan_make(struct souk *souk, const struct souk_task_file *file, struct souk_plan **plan_out,
		   struct souk_error *err)
{
	return souk_plan_make_with(souk, file, NULL, plan_out, err);
}

void souk_plan_free(struct souk_plan *plan)
{
	size_t i;

	if (!plan)
		return;
	for (i = 0; plan->rows && i < plan->result.n; i++) {
		if (plan->rows[i])
			souk_plan_row_fini(plan->rows[i]);
		free(plan->rows[i]);
	}
	free(plan->rows);
	for (i = 0; i < plan->n_best; i++)
		souk_plan_row_fini(&plan->best[i]);
	free(plan->best);
	souk_plan_causes_free(plan->lost, plan->n_lost);
	souk_plan_causes_free(plan->ruled_out, plan->n_ruled_out);
	souk_plan_result_fini(&plan->result);
	souk_egress_free(plan->egress);
	souk_ledger_fini(&plan->ledger);
	souk_market_fini(&plan->market);
	souk_participants_fini(&plan->participants);
	free(plan);
}
