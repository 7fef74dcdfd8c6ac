/* SPDX-License-Identifier: Apache-2.0 */
/* market/optimizer.c - requests and offers to ranked candidates */
#include "market/optimizer-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "market/accelerator.h"

/* With more alternatives than that a table shows the best of each provider alone. */
#define MAX_ALTERNATIVES 64u

/* ---- Collecting ---- */

/* One file's part of a plan. */
struct collector {
	struct souk_plan_result *result;
	struct souk_catalog_file *file;
	const struct souk_market_provider *provider;
	uint32_t index;			/* of the file */
	uint8_t *seen;			/* two bits a row: taken on demand, as spot; NULL: one request */
	struct optimizer_transfers *transfers; /* NULL: nothing to move */
	uint32_t request;		/* the one being looked for */
};

static const struct souk_request *request_of(const struct collector *c)
{
	return &c->result->query.task->requests[c->request];
}

/* 1 the first time that a row is taken in a market. */
static int take_once(struct collector *c, uint32_t row, int spot)
{
	uint8_t bit = (uint8_t)(1u << ((row & 3u) * 2 + (unsigned)spot));

	if (!c->seen)
		return 1;
	if (c->seen[row / 4] & bit)
		return 0;
	c->seen[row / 4] |= bit;
	return 1;
}

static int add_entry(struct collector *c, const struct souk_candidate *candidate, uint32_t type,
		     struct souk_error *err)
{
	struct souk_plan_result *result = c->result;
	void *entries = souk_array_grow(result->entries, result->n, sizeof(*result->entries));

	if (!entries)
		return souk_error_nomem(err);
	result->entries = entries;
	result->entries[result->n++] = (struct souk_plan_entry){
		.objective = result->query.by_time ? candidate->seconds : candidate->cost_micros,
		.cost = candidate->cost_micros,
		.type = type,
		.row = candidate->row,
		.request = c->request,
		.score = candidate->evidence.score,
		.file = (uint16_t)c->index,
		.flags = (uint8_t)((candidate->spot ? ENTRY_SPOT : 0) |
				   (candidate->cooling ? ENTRY_COOLING : 0) |
				   (strcmp(candidate->offer.currency, "USD") != 0 ? ENTRY_FOREIGN : 0)),
	};
	return SOUK_OK;
}

static int take_row(struct collector *c, const struct souk_catalog_type *type, uint32_t type_index,
		    uint32_t row_index, struct souk_error *err)
{
	const struct souk_request *request = request_of(c);
	struct souk_catalog_row row;
	struct souk_candidate candidate;
	enum souk_misfit misfit;
	int ret;

	ret = souk_catalog_row(c->file, row_index, &row, err);
	if (ret < 0)
		return ret;
	misfit = optimizer_match_row(&row, request);
	if (misfit == SOUK_MISFIT_MARKED)
		c->result->n_marked += (size_t)take_once(c, row_index, request->use_spot);
	if (misfit != SOUK_FITS || !take_once(c, row_index, request->use_spot))
		return SOUK_OK;
	candidate = (struct souk_candidate){
		.provider = c->provider->name,
		.request = request,
		.spot = request->use_spot,
		.micros_per_hour = optimizer_price(&row, request->use_spot),
		.file = c->index,
		.row = row_index,
	};
	souk_catalog_offer(type, &row, &candidate.offer);
	optimizer_note_stock(&c->result->query, souk_catalog_file_head(c->file), &candidate);
	optimizer_price_candidate(&c->result->query,
				  c->transfers ? optimizer_transfer(c->transfers, row.region) : NULL,
				  &candidate);
	return add_entry(c, &candidate, type_index, err);
}

static int take_type(struct collector *c, uint32_t index, struct souk_error *err)
{
	const struct souk_plan_query *query = &c->result->query;
	struct souk_catalog_type type;
	uint32_t i;
	int ret;

	ret = souk_catalog_type(c->file, index, &type, err);
	if (ret < 0 || optimizer_match_type(&type, request_of(c)) != SOUK_FITS ||
	    optimizer_missing_feature(c->provider, query->task, request_of(c),
				      (type.flags & SOUK_OFFER_FREE) != 0))
		return ret;
	for (i = 0; i < type.n_rows && ret == SOUK_OK; i++)
		ret = take_row(c, &type, index, type.first_row + i, err);
	return ret;
}

static int take_types(struct collector *c, uint32_t first, uint32_t end, struct souk_error *err)
{
	int ret = SOUK_OK;

	for (; first < end && ret == SOUK_OK; first++)
		ret = take_type(c, first, err);
	return ret;
}

static int take_named_types(struct collector *c, const char *name, struct souk_error *err)
{
	uint32_t first, n, i, type;
	int ret;

	ret = souk_catalog_find_name(c->file, name, &first, &n, err);
	for (i = 0; ret == SOUK_OK && i < n; i++) {
		ret = souk_catalog_by_name(c->file, first + i, &type, err);
		if (ret == SOUK_OK)
			ret = take_type(c, type, err);
	}
	return ret;
}

static int take_named_accelerator(struct collector *c, const char *name, struct souk_error *err)
{
	const struct souk_catalog_head *head = souk_catalog_file_head(c->file);
	struct souk_catalog_accelerator accelerator;
	uint32_t i;
	int ret;

	ret = souk_catalog_find_accelerator(c->file, souk_accelerator_canonical(name), &i, err);
	if (ret < 0 || i >= head->n_accelerators)
		return ret;
	ret = souk_catalog_accelerator(c->file, i, &accelerator, err);
	if (ret < 0)
		return ret;
	return take_types(c, accelerator.first_type, accelerator.first_type + accelerator.n_types, err);
}

/* Those of a memory; or, where none is asked for, those that free machines have. */
static int take_accelerators(struct collector *c, struct souk_error *err)
{
	const struct souk_catalog_head *head = souk_catalog_file_head(c->file);
	const struct souk_accelerator *wanted = &request_of(c)->accelerator;
	struct souk_catalog_accelerator accelerator;
	int ret = SOUK_OK, take;
	uint32_t i;

	for (i = 0; i < head->n_accelerators && ret == SOUK_OK; i++) {
		ret = souk_catalog_accelerator(c->file, i, &accelerator, err);
		if (ret < 0)
			return ret;
		/* Of one that no table knows each type has its own word on the memory. */
		take = wanted->memory_mib == 0 ?
			       accelerator.micros_each == 0 :
			       !souk_accelerator_find(accelerator.name) ||
				       optimizer_accelerator_is(accelerator.name, 0, wanted);
		if (take)
			ret = take_types(c, accelerator.first_type,
					 accelerator.first_type + accelerator.n_types, err);
	}
	return ret;
}

/* What of a file can satisfy a request at all, by its indexes. */
static int take_request(struct collector *c, struct souk_error *err)
{
	const struct souk_request *request = request_of(c);
	uint32_t first;
	int ret;

	if (request->provider && strcasecmp(request->provider, c->provider->name) != 0)
		return SOUK_OK;
	if (request->instance_type)
		return take_named_types(c, request->instance_type, err);
	if (request->accelerator.name && request->accelerator.memory_mib == 0)
		return take_named_accelerator(c, request->accelerator.name, err);
	ret = take_accelerators(c, err);
	if (ret < 0 || optimizer_wants_accelerator(request))
		return ret;
	ret = souk_catalog_first_by_cpus(c->file, optimizer_least_cpus(request), &first, err);
	if (ret < 0)
		return ret;
	return take_types(c, first, souk_catalog_file_head(c->file)->n_types, err);
}

static int collect_file(struct souk_plan_result *result, uint32_t index, const uint32_t *order,
			struct optimizer_transfers *transfers, struct souk_error *err)
{
	const struct souk_plan_query *query = &result->query;
	struct souk_catalog_file *file = query->market->files[index];
	const struct souk_catalog_head *head = souk_catalog_file_head(file);
	SOUK_AUTO_FREE uint8_t *seen = NULL;
	struct collector c = { .result = result, .file = file, .index = index };
	size_t i;
	int ret = SOUK_OK;

	c.provider = optimizer_provider(query, head->provider);
	if (!c.provider || c.provider->standing != SOUK_STANDS_IN)
		return SOUK_OK;
	if (query->task->n_requests > 1) {
		seen = calloc(head->n_rows / 4 + 1, 1);
		if (!seen)
			return souk_error_nomem(err);
		c.seen = seen;
	}
	if (transfers) {
		transfers->provider = c.provider->name;
		transfers->n = 0;
		c.transfers = transfers;
	}
	for (i = 0; i < query->task->n_requests && ret == SOUK_OK; i++) {
		c.request = order[i];
		ret = take_request(&c, err);
	}
	if (ret < 0 && ret != SOUK_E_NOMEM)
		result->damaged = (int32_t)index;
	return ret;
}

/* The requests by rank, and those of one rank as the file has them. */
static uint32_t *order_of_requests(const struct souk_task *task)
{
	uint32_t *order = calloc(task->n_requests + 1, sizeof(*order));
	size_t i, j;

	for (i = 0; order && i < task->n_requests; i++) {
		for (j = i; j > 0 && task->requests[order[j - 1]].rank > task->requests[i].rank; j--)
			order[j] = order[j - 1];
		order[j] = (uint32_t)i;
	}
	return order;
}

/* ---- The order ---- */

static int compare_texts(const char *a, const char *b)
{
	return a == b ? 0 : souk_strcmp(a, b);
}

/* A file that turns out to be damaged ends the result; until that is seen any order will do. */
static void note_damage(struct souk_plan_result *result, const struct souk_plan_entry *entry,
			const struct souk_error *why)
{
	if (result->damaged >= 0)
		return;
	result->damaged = entry->file;
	result->error = *why;
}

static int read_pair(struct souk_plan_result *result, const struct souk_plan_entry *entry,
		     struct souk_catalog_type *type, struct souk_catalog_row *row)
{
	struct souk_catalog_file *file = result->query.market->files[entry->file];
	struct souk_error own = SOUK_ERROR_INIT;

	if (souk_catalog_row(file, entry->row, row, &own) == SOUK_OK &&
	    souk_catalog_type(file, entry->type, type, &own) == SOUK_OK)
		return SOUK_OK;
	note_damage(result, entry, &own);
	return SOUK_E_INVALID;
}

/* The last keys of the order, which need the texts. */
static int by_texts(struct souk_plan_result *result, const struct souk_plan_entry *a,
		    const struct souk_plan_entry *b, int currency_only)
{
	struct souk_catalog_type ta, tb;
	struct souk_catalog_row ra, rb;
	int order;

	if (read_pair(result, a, &ta, &ra) < 0 || read_pair(result, b, &tb, &rb) < 0)
		return 0;
	if (currency_only)
		return compare_texts(ra.currency, rb.currency);
	order = compare_texts(souk_catalog_file_head(result->query.market->files[a->file])->provider,
			      souk_catalog_file_head(result->query.market->files[b->file])->provider);
	if (order == 0)
		order = compare_texts(ra.region, rb.region);
	if (order == 0)
		order = compare_texts(ra.zone, rb.zone);
	if (order == 0)
		order = compare_texts(ta.name, tb.name);
	if (order == 0)
		order = compare_texts(ta.accelerator, tb.accelerator);
	if (order == 0 && ta.accelerator_milli != tb.accelerator_milli)
		order = ta.accelerator_milli < tb.accelerator_milli ? -1 : 1;
	return order;
}

#define COMPARE(a, b) ((a) < (b) ? -1 : (a) > (b))

static int compare(struct souk_plan_result *result, const struct souk_plan_entry *a,
		   const struct souk_plan_entry *b)
{
	const struct souk_request *requests = result->query.task->requests;
	int order;

	result->compared++;
	if (requests[a->request].rank != requests[b->request].rank)
		return COMPARE(requests[a->request].rank, requests[b->request].rank);
	if ((a->flags ^ b->flags) & ENTRY_FOREIGN)
		return a->flags & ENTRY_FOREIGN ? 1 : -1;
	if (a->flags & ENTRY_FOREIGN) {
		order = by_texts(result, a, b, 1);
		if (order)
			return order;
	}
	if ((a->flags ^ b->flags) & ENTRY_COOLING)
		return a->flags & ENTRY_COOLING ? 1 : -1;
	if (a->objective != b->objective)
		return COMPARE(a->objective, b->objective);
	if (a->cost != b->cost)
		return COMPARE(a->cost, b->cost);
	if (a->score != b->score)
		return COMPARE(b->score, a->score);
	order = by_texts(result, a, b, 0);
	if (order)
		return order;
	if ((a->flags ^ b->flags) & ENTRY_SPOT)
		return a->flags & ENTRY_SPOT ? 1 : -1;
	/* The same place and machine twice: files that are made here have no such. */
	return a->file != b->file ? COMPARE(a->file, b->file) : COMPARE(a->row, b->row);
}

int optimizer_compare(struct souk_plan_result *result, const struct souk_plan_entry *a,
		      const struct souk_plan_entry *b)
{
	return compare(result, a, b);
}

/* ---- The heap ---- */

/* The unsorted entries are a heap whose top is the best; what is sorted stands behind it. */
static void sift_down(struct souk_plan_result *result, size_t at, size_t n)
{
	struct souk_plan_entry *heap = result->entries, moving = heap[at];
	size_t child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && compare(result, &heap[child + 1], &heap[child]) < 0)
			child++;
		if (compare(result, &moving, &heap[child]) <= 0)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moving;
}

static void make_heap(struct souk_plan_result *result)
{
	size_t i;

	for (i = result->n / 2; i > 0; i--)
		sift_down(result, i - 1, result->n);
}

static void sort_one(struct souk_plan_result *result)
{
	size_t left = result->n - result->n_sorted - 1;
	struct souk_plan_entry best = result->entries[0];

	result->entries[0] = result->entries[left];
	result->entries[left] = best;
	result->n_sorted++;
	if (left > 1)
		sift_down(result, 0, left);
}

/* ---- The face ---- */

int souk_optimizer_plan(const struct souk_plan_query *query, struct souk_plan_result *result_out,
			struct souk_error *err)
{
	struct souk_plan_result result = { .query = *query, .damaged = -1 };
	SOUK_AUTO_FREE struct optimizer_transfers *transfers = NULL;
	SOUK_AUTO_FREE uint32_t *order = order_of_requests(query->task);
	size_t i;
	int ret = SOUK_OK;

	if (!order)
		return souk_error_nomem(err);
	if (query->egress && souk_egress_is_needed(query->task)) {
		transfers = calloc(1, sizeof(*transfers));
		if (!transfers)
			return souk_error_nomem(err);
		transfers->query = query;
	}
	for (i = 0; i < query->market->n && ret == SOUK_OK; i++)
		ret = collect_file(&result, (uint32_t)i, order, transfers, err);
	if (ret == SOUK_OK) {
		make_heap(&result);
		if (result.damaged >= 0) {
			*err = result.error;
			ret = result.error.code;
		}
	}
	if (ret < 0) {
		result_out->damaged = result.damaged;
		free(result.entries);
		return ret;
	}
	*result_out = result;
	return SOUK_OK;
}

void souk_plan_result_fini(struct souk_plan_result *result)
{
	free(result->entries);
	*result = (struct souk_plan_result){ .damaged = -1 };
}

int optimizer_read(const struct souk_plan_query *query, const struct souk_plan_entry *entry,
		   struct souk_candidate *candidate_out, struct souk_error *err)
{
	struct souk_catalog_file *file = query->market->files[entry->file];
	const struct souk_catalog_head *head = souk_catalog_file_head(file);
	const struct souk_market_provider *provider = optimizer_provider(query, head->provider);
	struct souk_task_transfer transfer;
	struct souk_catalog_type type;
	struct souk_catalog_row row;
	int ret, moves, spot = (entry->flags & ENTRY_SPOT) != 0;

	ret = souk_catalog_row(file, entry->row, &row, err);
	if (ret == SOUK_OK)
		ret = souk_catalog_type(file, entry->type, &type, err);
	if (ret < 0)
		return ret;
	*candidate_out = (struct souk_candidate){
		.provider = provider ? provider->name : head->provider,
		.source = head->source,
		.date = head->date,
		.request = &query->task->requests[entry->request],
		.spot = spot,
		.unsure = provider && provider->unsure,
		.micros_per_hour = optimizer_price(&row, spot),
		.marks = row.marks,
		.file = entry->file,
		.row = entry->row,
	};
	souk_catalog_offer(&type, &row, &candidate_out->offer);
	optimizer_note_stock(query, head, candidate_out);
	moves = query->egress && souk_egress_is_needed(query->task);
	if (moves)
		souk_egress_task(query->egress, query->task, candidate_out->provider, row.region,
				 &transfer);
	optimizer_price_candidate(query, moves ? &transfer : NULL, candidate_out);
	return SOUK_OK;
}

int souk_plan_result_get(struct souk_plan_result *result, size_t i,
			 struct souk_candidate *candidate_out, struct souk_error *err)
{
	if (i >= result->n)
		return souk_error_set(err, SOUK_E_NOT_FOUND, "there is no candidate %zu", i + 1);
	while (result->n_sorted <= i)
		sort_one(result);
	if (result->damaged >= 0) {
		*err = result->error;
		return err->code;
	}
	return optimizer_read(&result->query, &result->entries[result->n - 1 - i], candidate_out, err);
}

/* ---- The best of each ---- */

static void keep_best(struct souk_plan_result *result, size_t *slot, size_t i)
{
	if (*slot == result->n || compare(result, &result->entries[i], &result->entries[*slot]) < 0)
		*slot = i;
}

/* The best entry of each provider and of each request, as indexes of entries; n: none. */
static void find_bests(struct souk_plan_result *result, size_t *of_file, size_t *of_request,
		       size_t *count)
{
	size_t i;

	for (i = 0; i < result->n; i++) {
		const struct souk_plan_entry *entry = &result->entries[i];

		count[entry->file]++;
		keep_best(result, &of_file[entry->file], i);
		if (of_request)
			keep_best(result, &of_request[entry->request], i);
	}
}

/* Those that were found, each once, into picks, in order. */
static size_t pick(struct souk_plan_result *result, const size_t *slots, size_t n_slots,
		   size_t *picks)
{
	size_t n = 0, i, j, k;

	for (i = 0; i < n_slots; i++) {
		if (slots[i] == result->n)
			continue;
		for (j = 0; j < n && picks[j] != slots[i]; j++)
			;
		if (j < n)
			continue;
		for (k = n++; k > 0 && compare(result, &result->entries[slots[i]],
					       &result->entries[picks[k - 1]]) < 0; k--)
			picks[k] = picks[k - 1];
		picks[k] = slots[i];
	}
	return n;
}

static int read_picks(struct souk_plan_result *result, const size_t *picks, size_t n, size_t *count,
		      struct souk_plan_best *best, struct souk_error *err)
{
	size_t i, j;
	int ret = SOUK_OK;

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		uint32_t file = result->entries[picks[i]].file;

		count[file]--;
		ret = optimizer_read(&result->query, &result->entries[picks[i]], &best[i].candidate, err);
	}
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		uint32_t file = best[i].candidate.file;

		for (j = 0; j < i && best[j].candidate.file != file; j++)
			;
		best[i].behind = j == i ? count[file] : 0;
	}
	return ret;
}

int souk_plan_result_best(struct souk_plan_result *result, struct souk_plan_best **best_out,
			  size_t *n_out, struct souk_error *err)
{
	size_t n_files = result->query.market->n, n_requests = result->query.task->n_requests;
	size_t n_slots = n_files + (n_requests <= MAX_ALTERNATIVES ? n_requests : 0), n, i;
	SOUK_AUTO_FREE size_t *slots = malloc((n_slots + 1) * sizeof(*slots));
	SOUK_AUTO_FREE size_t *picks = malloc((n_slots + 1) * sizeof(*picks));
	SOUK_AUTO_FREE size_t *count = calloc(n_files + 1, sizeof(*count));
	struct souk_plan_best *best = NULL;
	int ret;

	if (!slots || !picks || !count)
		return souk_error_nomem(err);
	for (i = 0; i < n_slots; i++)
		slots[i] = result->n;
	find_bests(result, slots, n_slots > n_files ? slots + n_files : NULL, count);
	n = pick(result, slots, n_slots, picks);
	best = calloc(n + 1, sizeof(*best));
	if (!best)
		return souk_error_nomem(err);
	ret = read_picks(result, picks, n, count, best, err);
	if (ret == SOUK_OK && result->damaged >= 0) {
		*err = result->error;
		ret = err->code;
	}
	if (ret < 0) {
		free(best);
		return ret;
	}
	*best_out = best;
	*n_out = n;
	return SOUK_OK;
}
