/* SPDX-License-Identifier: Apache-2.0 */
/* quote-choose.c - which offers a quote is for: of one task, or of all tasks of a pipeline together
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/money.h"
#include "base/util.h"
#include "market/optimizer-internal.h"
#include "quotes.h"

#define ASK_TIMEOUT_MS 60000
/* Where the configuration lets no catalogue get stale a quote does. */
#define NEVER_STALE_DAYS 7

/* ---- The best of each place ---- */

struct place {
	const struct souk_plan_entry *entry;
	const char *region;
};

struct finder {
	struct souk_plan_result *result;
	struct place *places;
	size_t n;
};

static int add_place(struct finder *f, const struct souk_plan_entry *entry, const char *region,
		     struct souk_error *err)
{
	struct place *places;
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (f->places[i].entry->file != entry->file ||
		    (f->places[i].region != region && strcmp(f->places[i].region, region) != 0))
			continue;
		if (optimizer_compare(f->result, entry, f->places[i].entry) < 0)
			f->places[i].entry = entry;
		return SOUK_OK;
	}
	places = souk_array_grow(f->places, f->n, sizeof(*places));
	if (!places)
		return souk_error_nomem(err);
	f->places = places;
	places[f->n++] = (struct place){ entry, region };
	return SOUK_OK;
}

static int collect_places(struct finder *f, struct souk_error *err)
{
	struct souk_catalog_row row;
	int ret = SOUK_OK;
	size_t i;

	for (i = 0; i < f->result->n && ret == SOUK_OK; i++) {
		const struct souk_plan_entry *entry = &f->result->entries[i];

		ret = souk_catalog_row(f->result->query.market->files[entry->file], entry->row,
				       &row, err);
		if (ret == SOUK_OK)
			ret = add_place(f, entry, row.region, err);
	}
	return ret;
}

/* Is a candidate of the same kind as the best, so that price alone decides between them? */
static int is_equal_class(const struct souk_candidate *a, const struct souk_candidate *b)
{
	return a->request->rank == b->request->rank && a->cooling == b->cooling &&
	       strcmp(a->offer.currency, b->offer.currency) == 0;
}

static int by_place(const void *x, const void *y)
{
	const struct souk_candidate *a = x, *b = y;
	int order = strcmp(a->provider, b->provider);

	return order ? order : strcmp(a->offer.region, b->offer.region);
}

static int read_places(const struct finder *f, struct souk_quote_places *places,
		       struct souk_error *err)
{
	struct souk_candidate best, own;
	size_t i, best_at = 0;
	int ret;

	for (i = 1; i < f->n; i++)
		if (optimizer_compare(f->result, f->places[i].entry, f->places[best_at].entry) < 0)
			best_at = i;
	places->items = calloc(f->n + 1, sizeof(*places->items));
	if (!places->items)
		return souk_error_nomem(err);
	ret = optimizer_read(&f->result->query, f->places[best_at].entry, &best, err);
	for (i = 0; i < f->n && ret == SOUK_OK; i++) {
		ret = optimizer_read(&f->result->query, f->places[i].entry, &own, err);
		if (ret == SOUK_OK && is_equal_class(&own, &best))
			places->items[places->n++] = own;
	}
	return ret;
}

int souk_quote_places_find(struct souk_plan *plan, struct souk_quote_places *places_out,
			   struct souk_error *err)
{
	struct finder f = { .result = &plan->result };
	struct souk_quote_places places = { 0 };
	int ret;

	ret = collect_places(&f, err);
	if (ret == SOUK_OK)
		ret = read_places(&f, &places, err);
	if (ret == SOUK_OK && plan->result.damaged >= 0) {
		*err = plan->result.error;
		ret = err->code;
	}
	free(f.places);
	if (ret < 0) {
		souk_quote_places_fini(&places);
		return ret;
	}
	qsort(places.items, places.n, sizeof(*places.items), by_place);
	*places_out = places;
	return SOUK_OK;
}

void souk_quote_places_fini(struct souk_quote_places *places)
{
	free(places->items);
	*places = (struct souk_quote_places){ 0 };
}

/* ---- One task ---- */

static struct souk_quote_query query_of(const struct souk_quote_draft *draft,
					const struct souk_quote_stage *stage,
					const struct souk_candidate *candidate)
{
	return (struct souk_quote_query){
		.candidate = candidate,
		.task = &stage->moved,
		.egress = draft->egress,
		.charges = stage->charges,
		.hours_milli = draft->options.hours_milli,
		.egress_mb = draft->options.egress_mb,
	};
}

/* With data that leaves the machines the cheapest place can be another one than a plan's first. */
static int choose_with_egress(struct souk_quote_draft *draft, struct souk_quote_stage *stage,
			      struct souk_error *err)
{
	struct souk_quote_places places;
	int64_t cost, best = INT64_MAX;
	int ret = souk_quote_places_find(stage->plan, &places, err);
	size_t i;

	for (i = 0; ret == SOUK_OK && i < places.n; i++) {
		struct souk_quote_query query = query_of(draft, stage, &places.items[i]);
		struct souk_transfer egress;

		souk_quote_egress(&query, &egress);
		cost = souk_money_add(places.items[i].cost_micros, egress.rank_micros);
		if (i > 0 && cost >= best)
			continue;
		best = cost;
		stage->chosen = places.items[i];
	}
	if (ret == SOUK_OK)
		souk_quote_places_fini(&places);
	return ret;
}

static int choose_one(struct souk_quote_draft *draft, struct souk_error *err)
{
	struct souk_quote_stage *stage = &draft->stages[0];

	if (draft->options.egress_mb > 0 && !stage->plan->result.query.by_time)
		return choose_with_egress(draft, stage, err);
	return souk_plan_result_get(&stage->plan->result, 0, &stage->chosen, err);
}

/* ---- Several tasks ---- */

/* Tasks of a pipeline follow each other; those of a group run side by side. */
static int add_edges(struct souk_quote_draft *draft, const struct souk_dag *dag,
		     struct souk_error *err)
{
	size_t i;

	if (dag->execution == SOUK_EXECUTION_PARALLEL)
		return SOUK_OK;
	draft->edges = calloc(dag->n_tasks, sizeof(*draft->edges));
	if (!draft->edges)
		return souk_error_nomem(err);
	for (i = 0; i + 1 < dag->n_tasks; i++) {
		const struct souk_task *from = &dag->tasks[i], *to = &dag->tasks[i + 1];
		double gb = from->outputs_gb > 0 ? from->outputs_gb : to->inputs_gb;

		draft->edges[draft->n_edges++] =
			(struct souk_pipeline_edge){ i, i + 1, souk_egress_mb(gb) };
	}
	return SOUK_OK;
}

/*
 * What an edge carries is not moved a second time: outputs go on to the next task, and inputs come
 * from the one before, unless they are named as another bucket's than its outputs.
 */
static void drop_carried(struct souk_quote_draft *draft)
{
	size_t i;

	for (i = 0; i < draft->n_edges; i++) {
		struct souk_quote_stage *from = &draft->stages[draft->edges[i].from];
		struct souk_quote_stage *to = &draft->stages[draft->edges[i].to];

		if (from->task->outputs_gb <= 0 ||
		    souk_streq(from->task->outputs_uri, to->task->inputs_uri))
			to->moved.inputs_uri = NULL;
		from->moved.outputs_uri = NULL;
	}
}

static int fill_choices(const struct souk_quote_places *places, struct souk_pipeline_stage *stage,
			struct souk_error *err)
{
	struct souk_stage_choice *choices = calloc(places->n + 1, sizeof(*choices));
	size_t i;

	if (!choices)
		return souk_error_nomem(err);
	for (i = 0; i < places->n; i++) {
		const struct souk_candidate *c = &places->items[i];

		choices[i] = (struct souk_stage_choice){
			.place = { c->provider, c->offer.region },
			.micros = souk_money_add(
				souk_money_add(c->compute_micros, c->preemption_micros),
				c->transfer.micros),
			.rank_micros = c->cost_micros,
			.unknown = (c->transfer.inputs.micros < 0) +
				   (c->transfer.outputs.micros < 0),
			.index = (uint32_t)i,
		};
	}
	*stage = (struct souk_pipeline_stage){ choices, places->n };
	return SOUK_OK;
}

static int solve(struct souk_quote_draft *draft, struct souk_quote_places *places,
		 struct souk_pipeline_stage *stages, struct souk_error *err)
{
	struct souk_pipeline pipeline = { stages, draft->n_stages, draft->edges, draft->n_edges };
	int ret = SOUK_OK;
	size_t i;

	for (i = 0; i < draft->n_stages && ret == SOUK_OK; i++) {
		ret = souk_quote_places_find(draft->stages[i].plan, &places[i], err);
		if (ret == SOUK_OK)
			ret = fill_choices(&places[i], &stages[i], err);
	}
	if (ret == SOUK_OK)
		ret = souk_pipeline_solve(&pipeline, draft->egress, &draft->pipeline, err);
	for (i = 0; i < draft->n_stages && ret == SOUK_OK; i++)
		draft->stages[i].chosen = places[i].items[draft->pipeline.chosen[i]];
	if (ret == SOUK_OK)
		souk_log(SOUK_LOG_DEBUG,
			 "pipeline: %llu places left, %llu nodes, %llu pairs looked at",
			 (unsigned long long)draft->pipeline.work.choices,
			 (unsigned long long)draft->pipeline.work.nodes,
			 (unsigned long long)draft->pipeline.work.pairs);
	return ret;
}

static int choose_together(struct souk_quote_draft *draft, struct souk_error *err)
{
	struct souk_quote_places *places = calloc(draft->n_stages, sizeof(*places));
	struct souk_pipeline_stage *stages = calloc(draft->n_stages, sizeof(*stages));
	int ret = places && stages ? SOUK_OK : souk_error_nomem(err);
	size_t i;

	if (ret == SOUK_OK)
		ret = solve(draft, places, stages, err);
	for (i = 0; i < draft->n_stages; i++) {
		if (places)
			souk_quote_places_fini(&places[i]);
		if (stages)
			free((void *)stages[i].choices);
	}
	free(places);
	free(stages);
	return ret;
}

/* ---- All of it ---- */

static int plan_stages(struct souk_quote_draft *draft, struct souk_error *err)
{
	struct souk_plan_options options = {
		.optimize = draft->n_stages > 1 ? "cost" : draft->options.optimize,
		.hours_milli = draft->options.hours_milli,
		.dryrun = 1,
	};
	int ret = SOUK_OK;
	size_t i;

	for (i = 0; i < draft->n_stages && ret == SOUK_OK; i++)
		ret = souk_plan_task(draft->souk, &draft->stages[i].moved, &options,
				     &draft->stages[i].plan, err);
	if (ret < 0 && draft->n_stages > 1)
		souk_error_prefix(err, "task %zu", i);
	return ret;
}

static int check_options(const struct souk_quote_draft *draft, struct souk_error *err)
{
	const char *optimize = draft->options.optimize;

	if (draft->n_stages == 0)
		return souk_error_set(err, SOUK_E_INVALID, "there is no task in the file");
	if (draft->n_stages == 1)
		return SOUK_OK;
	if (draft->options.egress_mb > 0)
		return souk_error_set(
			err, SOUK_E_INVALID,
			"--egress is for a file with one task; write 'outputs' into the tasks");
	if (optimize && strcmp(optimize, "cost") != 0)
		return souk_error_set(err, SOUK_E_INVALID,
				      "the places of several tasks are chosen by cost alone");
	return SOUK_OK;
}

int souk_quote_draft_choose(struct souk_quote_draft *draft, const struct souk_dag *dag,
			    struct souk_error *err)
{
	int ret;
	size_t i;

	draft->stages = calloc(dag->n_tasks + 1, sizeof(*draft->stages));
	if (!draft->stages)
		return souk_error_nomem(err);
	draft->n_stages = dag->n_tasks;
	for (i = 0; i < dag->n_tasks; i++) {
		draft->stages[i].task = &dag->tasks[i];
		draft->stages[i].moved = dag->tasks[i];
	}
	ret = check_options(draft, err);
	if (ret == SOUK_OK)
		ret = add_edges(draft, dag, err);
	if (ret == SOUK_OK) {
		drop_carried(draft);
		ret = plan_stages(draft, err);
	}
	if (ret < 0)
		return ret;
	return draft->n_stages == 1 ? choose_one(draft, err) : choose_together(draft, err);
}

/* ---- Prices ---- */

int souk_quote_draft_charges(struct souk_quote_draft *draft, const char *provider,
			     const struct souk_charges **charges_out, struct souk_error *err)
{
	struct souk_quote_charges *all, *own;
	size_t i;
	int ret;

	for (i = 0; i < draft->n_charges; i++) {
		if (strcmp(draft->charges[i].provider, provider) == 0) {
			*charges_out = draft->charges[i].charges;
			return SOUK_OK;
		}
	}
	all = souk_array_grow(draft->charges, draft->n_charges, sizeof(*all));
	if (!all)
		return souk_error_nomem(err);
	draft->charges = all;
	own = &all[draft->n_charges];
	own->provider = strdup(provider);
	if (!own->provider)
		return souk_error_nomem(err);
	ret = souk_charges_load(&draft->souk->paths, provider, &own->charges, err);
	if (ret < 0) {
		free(own->provider);
		return ret;
	}
	draft->n_charges++;
	*charges_out = own->charges;
	return SOUK_OK;
}

static int ask_module(struct souk_quote_draft *draft, struct souk_quote_stage *stage,
		      struct souk_error *err)
{
	struct souk_call_limits limits = { .cancel = &draft->souk->cancel,
					   .timeout_ms = ASK_TIMEOUT_MS };
	const struct souk_candidate *c = &stage->chosen;
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec),
		.count = stage->task->num_nodes,
		.request_token = "quote",
		.cluster = "quote",
		.owner = draft->souk->owner,
		.instance_type = c->offer.instance_type,
		.region = c->offer.region,
		.zone = c->offer.zone,
		.arch = c->offer.arch,
		.accelerator = c->offer.accelerator,
		.accelerator_milli = c->offer.accelerator_milli,
		.spot = (uint32_t)c->spot,
		.vcpus_milli = c->offer.vcpus_milli,
		.memory_mib = c->offer.memory_mib,
		.disk_size_mib = c->request->disk_size_gib * 1024,
		.disk_tier = c->request->disk_tier,
		.image = c->request->image,
	};
	struct souk_quote_list lines = { 0 };
	struct souk_provider *provider;
	char today[SOUK_TIME_TEXT_SIZE];
	int ret;

	ret = souk_registry_get(&draft->souk->registry, c->provider, &provider, err);
	if (ret == SOUK_OK && !souk_provider_ops(provider)->quote) {
		souk_log(SOUK_LOG_WARNING,
			 "%s: gives no quotes itself: the tables' prices are shown", c->provider);
		return SOUK_OK;
	}
	if (ret == SOUK_OK)
		ret = souk_provider_quote(provider, &limits, &spec, &lines, err);
	if (ret == SOUK_OK)
		souk_quote_sheet_merge(&stage->sheet, &lines, c->provider,
				       souk_time_text(draft->now, today),
				       draft->options.hours_milli);
	souk_quote_list_fini(&lines);
	return ret;
}

static int price_stage(struct souk_quote_draft *draft, struct souk_quote_stage *stage,
		       struct souk_error *err)
{
	struct souk_quote_query query;
	int ret;

	ret = souk_quote_draft_charges(draft, stage->chosen.provider, &stage->charges, err);
	if (ret < 0)
		return ret;
	query = query_of(draft, stage, &stage->chosen);
	souk_quote_sheet_make(&query, &stage->sheet);
	return draft->options.live ? ask_module(draft, stage, err) : SOUK_OK;
}

/* Until when the prices of a catalogue count as fresh. */
static int64_t stale_at(const struct souk *souk, const struct souk_candidate *c,
			const struct souk_plan *plan)
{
	const struct souk_catalog_head *head = souk_catalog_file_head(plan->market.files[c->file]);
	int64_t days = souk->config.stale_days > 0 ? souk->config.stale_days : NEVER_STALE_DAYS,
		day;
	struct souk_error why = SOUK_ERROR_INIT;
	char text[32];

	snprintf(text, sizeof(text), "%.10sT00:00:00Z", head->date);
	if (souk_parse_time("date", text, &day, &why) < 0)
		day = head->made_at;
	return day + days * 86400;
}

static void limit_validity(struct souk_quote_draft *draft, int64_t until, const char *fmt,
			   const char *provider)
{
	if (draft->valid_until != 0 && until >= draft->valid_until)
		return;
	draft->valid_until = until;
	snprintf(draft->validity, sizeof(draft->validity), fmt, provider);
}

/* Whole hours, so that the same question in the same hour has the same answer, with the same id. */
static void set_validity(struct souk_quote_draft *draft)
{
	int64_t soon = (draft->now / 3600 + 1) * 3600 + SOUK_QUOTE_SHORT_S, stale;
	size_t i;

	for (i = 0; i < draft->n_stages; i++) {
		const struct souk_candidate *c = &draft->stages[i].chosen;

		stale = stale_at(draft->souk, c, draft->stages[i].plan);
		if (c->spot)
			limit_validity(draft, soon, "spot prices change at any time (%s)",
				       c->provider);
		else if (draft->options.live || c->offer.available >= 0)
			limit_validity(draft, soon, "prices and stock of this moment (%s)",
				       c->provider);
		if (stale > soon)
			limit_validity(draft, stale, "until the catalogue of %s is stale",
				       c->provider);
		else
			limit_validity(draft, soon,
				       "the catalogue of %s is stale: 'souk catalog update'",
				       c->provider);
	}
}

int souk_quote_draft_price(struct souk_quote_draft *draft, struct souk_error *err)
{
	int ret = SOUK_OK;
	size_t i;

	for (i = 0; i < draft->n_stages && ret == SOUK_OK; i++)
		ret = price_stage(draft, &draft->stages[i], err);
	if (ret == SOUK_OK)
		set_validity(draft);
	return ret;
}

void souk_quote_draft_fini(struct souk_quote_draft *draft)
{
	size_t i;

	for (i = 0; i < draft->n_stages; i++)
		souk_plan_free(draft->stages[i].plan);
	for (i = 0; i < draft->n_charges; i++) {
		free(draft->charges[i].provider);
		souk_charges_free(draft->charges[i].charges);
	}
	free(draft->charges);
	souk_pipeline_plan_fini(&draft->pipeline);
	souk_egress_free(draft->egress);
	free(draft->stages);
	free(draft->edges);
}
