/* SPDX-License-Identifier: Apache-2.0 */
/* offers-scan.c - the lines of 'souk offers': from files to sorted entries */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/money.h"
#include "base/util.h"
#include "offers-internal.h"

/* A row that fits, of the type that is being looked at. */
struct match {
	int64_t micros;
	const char *region;
	const char *zone;
	uint32_t row;
	enum offers_class class;
};

/* The scan of one file. */
struct scan {
	struct souk_offers *offers;
	const struct offers_filter *filter;
	struct souk_catalog_file *file;
	size_t number; /* of the file */
	struct match *matches;
	size_t n_matches;
	/* Of the accelerator that is being looked at: */
	struct souk_accelerator_row sum;
	const char **regions;
	size_t n_regions;
	size_t first_sum; /* of this file, among the sums of all */
	size_t first_entry;
	int is_heap; /* as many lines of this file as can be shown are a heap */
};

/* ---- The order of lines ---- */

struct order {
	const struct souk_offers *offers;
	int by_name;
};

/* By provider, type, region and zone. All were read before, so reading them again cannot fail. */
static int compare_names(const struct souk_offers *offers, const struct offers_entry *a,
			 const struct offers_entry *b)
{
	struct souk_catalog_file *fa = offers->market.files[a->file];
	struct souk_catalog_file *fb = offers->market.files[b->file];
	struct souk_catalog_type ta, tb;
	struct souk_catalog_row ra, rb;
	int order;

	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	if (a->type != b->type) {
		if (souk_catalog_type(fa, a->type, &ta, NULL) < 0 ||
		    souk_catalog_type(fb, b->type, &tb, NULL) < 0)
			return a->type < b->type ? -1 : 1;
		order = strcmp(ta.name, tb.name);
		return order ? order : a->type < b->type ? -1 : 1;
	}
	if (souk_catalog_row(fa, a->row, &ra, NULL) < 0 || souk_catalog_row(fb, b->row, &rb, NULL) < 0)
		return a->row < b->row ? -1 : a->row > b->row;
	order = strcmp(ra.region, rb.region);
	if (order == 0)
		order = souk_strcmp(ra.zone, rb.zone);
	return order ? order : a->row < b->row ? -1 : a->row > b->row;
}

static int compare(const void *x, const void *y, void *arg)
{
	const struct offers_entry *a = x, *b = y;
	const struct order *order = arg;

	if (!order->by_name) {
		if (a->class != b->class)
			return a->class < b->class ? -1 : 1;
		if (a->key != b->key)
			return a->key < b->key ? -1 : 1;
		if (a->micros != b->micros)
			return a->micros < b->micros ? -1 : 1;
	}
	return compare_names(order->offers, a, b);
}

static int compare_backwards(const void *x, const void *y, void *arg)
{
	return compare(y, x, arg);
}

static struct order order_of(const struct souk_offers *offers, const struct offers_filter *filter)
{
	return (struct order){ offers, filter->given->sort == SOUK_SORT_NAME };
}

/* ---- The matches of a type, and what becomes of them ---- */

static int by_price(const struct match *a, const struct match *b)
{
	int order;

	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	if (a->micros != b->micros)
		return a->micros < b->micros ? -1 : 1;
	order = strcmp(a->region, b->region);
	if (order == 0)
		order = souk_strcmp(a->zone, b->zone);
	return order ? order : a->row < b->row ? -1 : a->row > b->row;
}

static int by_region_then_price(const void *x, const void *y)
{
	const struct match *a = x, *b = y;

	/* A file has each text once, and in which order the regions come is of no matter here. */
	if (a->region != b->region)
		return a->region < b->region ? -1 : 1;
	return by_price(a, b);
}

static int64_t key_of(const struct offers_filter *filter, const struct souk_catalog_type *type,
		      int64_t micros)
{
	switch (filter->given->sort) {
	case SOUK_SORT_VCPUS:
		return type->vcpus_milli;
	case SOUK_SORT_MEMORY:
		return (int64_t)type->memory_mib;
	case SOUK_SORT_NAME:
		return 0;
	case SOUK_SORT_GPU_PRICE:
		if (type->accelerator_milli == 0)
			return INT64_MAX;
		return souk_money_scale(micros, 1000, type->accelerator_milli);
	default:
		return micros;
	}
}

/* Put an entry in the place of the last of a heap of n, whose top it is. */
static void replace_top(const struct order *order, struct offers_entry *heap, size_t n,
			const struct offers_entry *entry)
{
	size_t at = 0, child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && compare(&heap[child + 1], &heap[child], (void *)(uintptr_t)order) > 0)
			child++;
		if (compare(entry, &heap[child], (void *)(uintptr_t)order) >= 0)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = *entry;
}

/* Of the lines of this file only so many can be shown: they are a heap with the last on top. */
static int keep_if_better(struct scan *scan, const struct offers_entry *entry)
{
	struct offers_entry *heap = scan->offers->entries + scan->first_entry;
	const struct order order = order_of(scan->offers, scan->filter);
	size_t n = scan->offers->n - scan->first_entry;

	if (scan->filter->given->limit == 0 || n < scan->filter->given->limit)
		return 0;
	if (!scan->is_heap) {
		qsort_r(heap, n, sizeof(*heap), compare_backwards, (void *)(uintptr_t)&order);
		scan->is_heap = 1;
	}
	if (compare(entry, &heap[0], (void *)(uintptr_t)&order) < 0)
		replace_top(&order, heap, n, entry);
	return 1;
}

static int add_entry(struct scan *scan, uint32_t type, const struct souk_catalog_type *kind,
		     const struct match *match, size_t further, struct souk_error *err)
{
	struct souk_offers *offers = scan->offers;
	struct offers_entry entry = {
		.key = match->micros < 0 ? INT64_MAX : key_of(scan->filter, kind, match->micros),
		.micros = match->micros,
		.type = type,
		.row = match->row,
		.further = (uint32_t)further,
		.file = (uint16_t)scan->number,
		.class = (uint8_t)match->class,
	};
	void *entries;

	if (keep_if_better(scan, &entry))
		return SOUK_OK;
	entries = souk_array_grow(offers->entries, offers->n, sizeof(*offers->entries));
	if (!entries)
		return souk_error_nomem(err);
	offers->entries = entries;
	offers->entries[offers->n++] = entry;
	return SOUK_OK;
}

/* A line for the type, one for each region, or one for each row. */
static int add_entries(struct scan *scan, uint32_t type, const struct souk_catalog_type *kind,
		       struct souk_error *err)
{
	struct match *m = scan->matches, *best = m;
	size_t n = scan->n_matches, regions = 0, i;
	int ret = SOUK_OK;

	if (n == 0)
		return SOUK_OK;
	if (scan->filter->depth < 2)
		qsort(m, n, sizeof(*m), by_region_then_price);
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		int is_new = i == 0 || m[i].region != m[i - 1].region;

		regions += (size_t)is_new;
		if (by_price(&m[i], best) < 0)
			best = &m[i];
		if (scan->filter->depth == 2 || (scan->filter->depth == 1 && is_new))
			ret = add_entry(scan, type, kind, &m[i], 0, err);
	}
	if (scan->filter->depth == 0)
		ret = add_entry(scan, type, kind, best, regions - 1, err);
	return ret;
}

/* ---- Accelerators, where their own records do not tell ---- */

static void lower(int64_t *lowest, int64_t micros, uint32_t milli)
{
	micros = souk_money_scale(micros, 1000, milli);
	if (*lowest < 0 || micros < *lowest)
		*lowest = micros;
}

static void sum_row(struct scan *scan, const struct souk_catalog_type *type,
		    const struct souk_catalog_row *row)
{
	if (!type->accelerator || type->accelerator_milli == 0)
		return;
	scan->regions[scan->n_regions++] = row->region;
	if (strcmp(row->currency, scan->sum.currency) != 0)
		return;
	if (row->micros >= 0 && !(row->marks & SOUK_MARKS_ON_DEMAND))
		lower(&scan->sum.micros_per_hour, row->micros, type->accelerator_milli);
	if (row->spot_micros >= 0 && !(row->marks & SOUK_MARKS_SPOT))
		lower(&scan->sum.spot_micros_per_hour, row->spot_micros, type->accelerator_milli);
}

static int by_address(const void *x, const void *y)
{
	const char *a = *(const char *const *)x, *b = *(const char *const *)y;

	return a < b ? -1 : a > b;
}

static int begin_sum(struct scan *scan, const char *name, uint32_t memory_mib, uint32_t n_rows,
		     struct souk_error *err)
{
	const char **regions = realloc(scan->regions, ((size_t)n_rows + 1) * sizeof(*regions));

	if (!regions)
		return souk_error_nomem(err);
	scan->regions = regions;
	scan->n_regions = 0;
	scan->sum = (struct souk_accelerator_row){
		.accelerator = name,
		.memory_mib = memory_mib,
		.micros_per_hour = -1,
		.spot_micros_per_hour = -1,
		.currency = souk_catalog_file_head(scan->file)->currency,
	};
	return SOUK_OK;
}

/* What types of one name have summed up one by one is one sum: their places are the same. */
static int is_summed(struct scan *scan)
{
	size_t i;

	for (i = scan->first_sum; i < scan->offers->n_accelerators; i++) {
		struct souk_accelerator_row *row = &scan->offers->accelerators[i];

		if (strcmp(row->accelerator, scan->sum.accelerator) != 0)
			continue;
		if (scan->sum.regions > row->regions)
			row->regions = scan->sum.regions;
		if (scan->sum.micros_per_hour >= 0)
			lower(&row->micros_per_hour, scan->sum.micros_per_hour, 1000);
		if (scan->sum.spot_micros_per_hour >= 0)
			lower(&row->spot_micros_per_hour, scan->sum.spot_micros_per_hour, 1000);
		return 1;
	}
	return 0;
}

static int end_sum(struct scan *scan, struct souk_error *err)
{
	size_t i;

	if (scan->n_regions == 0)
		return SOUK_OK;
	qsort(scan->regions, scan->n_regions, sizeof(*scan->regions), by_address);
	scan->sum.providers = 1;
	scan->sum.regions = 1;
	for (i = 1; i < scan->n_regions; i++)
		scan->sum.regions += scan->regions[i] != scan->regions[i - 1];
	return is_summed(scan) ? SOUK_OK : offers_add_accelerator(scan->offers, &scan->sum, err);
}

/* ---- Scanning ---- */

static int scan_rows(struct scan *scan, const struct souk_catalog_type *type, int sum,
		     struct souk_error *err)
{
	struct souk_catalog_row row;
	uint32_t i;
	int ret;

	scan->n_matches = 0;
	for (i = type->first_row; i < type->first_row + type->n_rows; i++) {
		ret = souk_catalog_row(scan->file, i, &row, err);
		if (ret < 0)
			return ret;
		if (!offers_filter_row(scan->filter, &row))
			continue;
		scan->matches[scan->n_matches++] = (struct match){
			scan->filter->by_spot ? row.spot_micros : row.micros, row.region, row.zone, i,
			offers_class_of(scan->filter, &row),
		};
		if (sum)
			sum_row(scan, type, &row);
	}
	return SOUK_OK;
}

static int scan_type(struct scan *scan, uint32_t number, int sum, struct souk_error *err)
{
	struct souk_catalog_type type;
	struct match *matches;
	int ret;

	ret = souk_catalog_type(scan->file, number, &type, err);
	if (ret < 0 || !offers_filter_type(scan->filter, &type))
		return ret;
	matches = realloc(scan->matches, ((size_t)type.n_rows + 1) * sizeof(*matches));
	if (!matches)
		return souk_error_nomem(err);
	scan->matches = matches;
	ret = scan_rows(scan, &type, sum, err);
	if (ret == SOUK_OK && !scan->filter->given->summary)
		ret = add_entries(scan, number, &type, err);
	return ret;
}

static int scan_accelerator(struct scan *scan, uint32_t number, int sum, struct souk_error *err)
{
	struct souk_catalog_accelerator a;
	uint32_t i;
	int ret;

	ret = souk_catalog_accelerator(scan->file, number, &a, err);
	if (ret < 0 || !offers_filter_accelerator(scan->filter, a.name, a.memory_mib))
		return ret;
	ret = begin_sum(scan, a.name, a.memory_mib, a.n_rows, err);
	for (i = a.first_type; i < a.first_type + a.n_types && ret == SOUK_OK; i++)
		ret = scan_type(scan, i, sum, err);
	return ret == SOUK_OK && sum ? end_sum(scan, err) : ret;
}

/* The accelerators that are asked for: one that is found by its name, or all that fit. */
static int scan_accelerators(struct scan *scan, int sum, struct souk_error *err)
{
	const struct souk_accelerator *wanted = &scan->filter->accelerator;
	uint32_t n = souk_catalog_file_head(scan->file)->n_accelerators, i;
	int ret = SOUK_OK;

	if (wanted->name && wanted->memory_mib == 0) {
		ret = souk_catalog_find_accelerator(scan->file, wanted->name, &i, err);
		return ret == SOUK_OK && i < n ? scan_accelerator(scan, i, sum, err) : ret;
	}
	for (i = 0; i < n && ret == SOUK_OK; i++)
		ret = scan_accelerator(scan, i, sum, err);
	return ret;
}

/* Where the first type without an accelerator stands: behind all that have one. */
static int first_bare_type(struct scan *scan, uint32_t *first_out, struct souk_error *err)
{
	uint32_t n = souk_catalog_file_head(scan->file)->n_accelerators;
	struct souk_catalog_accelerator last;
	int ret;

	*first_out = 0;
	if (n == 0)
		return SOUK_OK;
	ret = souk_catalog_accelerator(scan->file, n - 1, &last, err);
	if (ret == SOUK_OK)
		*first_out = last.first_type + last.n_types;
	return ret;
}

/* Machines without accelerators, unless one is asked for; few vCPUs come first. */
static int scan_bare(struct scan *scan, struct souk_error *err)
{
	uint32_t n = souk_catalog_file_head(scan->file)->n_types, first, i;
	uint64_t cpus = scan->filter->cpus.value;
	int ret;

	if (cpus > UINT32_MAX)
		return SOUK_OK;
	if (cpus > 0)
		ret = souk_catalog_first_by_cpus(scan->file, (uint32_t)cpus, &first, err);
	else
		ret = first_bare_type(scan, &first, err);
	for (i = first; i < n && ret == SOUK_OK; i++)
		ret = scan_type(scan, i, 0, err);
	return ret;
}

static int scan_named(struct scan *scan, uint32_t number, struct souk_error *err)
{
	struct souk_catalog_type type;
	int ret;

	ret = souk_catalog_type(scan->file, number, &type, err);
	if (ret == SOUK_OK && type.accelerator)
		ret = begin_sum(scan, type.accelerator, type.accelerator_memory_mib, type.n_rows, err);
	if (ret == SOUK_OK)
		ret = scan_type(scan, number, type.accelerator != NULL, err);
	return ret == SOUK_OK && type.accelerator ? end_sum(scan, err) : ret;
}

/* The types of a name that is known in full. 1 if that was all, 0 if there is more to scan. */
static int scan_name(struct scan *scan, struct souk_error *err)
{
	const char *name = scan->filter->instance_type;
	uint32_t first, n, i, type;
	int ret;

	if (!name || strchr(name, '*') || scan->filter->given->accelerator)
		return 0;
	ret = souk_catalog_find_name(scan->file, name, &first, &n, err);
	for (i = 0; ret == SOUK_OK && i < n; i++) {
		ret = souk_catalog_by_name(scan->file, first + i, &type, err);
		if (ret == SOUK_OK)
			ret = scan_named(scan, type, err);
	}
	return ret < 0 ? ret : 1;
}

int offers_scan(struct souk_offers *offers, size_t i, const struct offers_filter *filter,
		struct souk_error *err)
{
	struct scan scan = { .offers = offers, .filter = filter, .number = i,
			     .file = offers->market.files[i],
			     .first_sum = offers->n_accelerators,
			     .first_entry = offers->n };
	size_t n = offers->n, n_accelerators = offers->n_accelerators;
	int sum = !offers_filter_is_plain(filter) || filter->given->accelerator;
	int ret = 0;

	if (sum || !filter->given->summary)
		ret = scan_name(&scan, err);
	if (ret == 0 && (sum || !filter->given->summary)) {
		ret = scan_accelerators(&scan, sum, err);
		if (ret == SOUK_OK && !filter->given->accelerator && !filter->given->summary)
			ret = scan_bare(&scan, err);
	}
	if (ret >= 0 && !sum)
		ret = offers_sum(offers, i, filter, err);
	free(scan.matches);
	free(scan.regions);
	if (ret >= 0)
		return SOUK_OK;
	offers->n = n;
	offers->n_accelerators = n_accelerators;
	return ret;
}

void offers_sort(struct souk_offers *offers, const struct offers_filter *filter)
{
	struct order order = order_of(offers, filter);

	if (offers->n > 1)
		qsort_r(offers->entries, offers->n, sizeof(*offers->entries), compare, &order);
	if (filter->given->limit > 0 && offers->n > filter->given->limit)
		offers->n = filter->given->limit;
}
