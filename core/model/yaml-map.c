/* SPDX-License-Identifier: Apache-2.0 */
/* yaml-map.c - the entries of a YAML map: merge keys resolved, repeated keys found */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "model/yaml-internal.h"

/* An entry of a map on its way in: its own, or from a merge key. */
struct slot {
	struct souk_yaml_entry entry;
	size_t order;
	int merged;
};

struct slots {
	struct slot *items;
	size_t n;
};

static int add_slot(struct slots *slots, struct souk_yaml_entry entry, int merged,
		    struct souk_error *err)
{
	struct slot *items = souk_array_grow(slots->items, slots->n, sizeof(*items));

	if (!items)
		return souk_error_nomem(err);
	slots->items = items;
	items[slots->n].entry = entry;
	items[slots->n].order = slots->n;
	items[slots->n].merged = merged;
	slots->n++;
	return SOUK_OK;
}

static int by_key(const void *left, const void *right)
{
	const struct slot *a = left, *b = right;
	int order;

	if (a->entry.key->type != b->entry.key->type)
		return a->entry.key->type < b->entry.key->type ? -1 : 1;
	order = strcmp(a->entry.key->text, b->entry.key->text);
	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int by_order(const void *left, const void *right)
{
	const struct slot *a = left, *b = right;

	return a->order < b->order ? -1 : a->order > b->order;
}

/* Of equal keys the first stays: own ones come before merged ones. Two own ones are a mistake. */
static void drop_repeated(struct slots *slots, struct souk_report *report)
{
	size_t i, kept = 0;

	if (slots->n == 0)
		return;
	qsort(slots->items, slots->n, sizeof(*slots->items), by_key);
	for (i = 1; i < slots->n; i++) {
		const struct souk_yaml *first = slots->items[kept].entry.key;
		const struct souk_yaml *key = slots->items[i].entry.key;

		if (first->type != key->type || strcmp(first->text, key->text) != 0)
			slots->items[++kept] = slots->items[i];
		else if (!slots->items[i].merged)
			souk_report_add(report, key->mark, 0,
					"duplicate key '%.80s': it stands in line %u already",
					key->text, first->mark.line);
	}
	slots->n = kept + 1;
	qsort(slots->items, slots->n, sizeof(*slots->items), by_order);
}

static int merge_map(struct slots *slots, const struct souk_yaml *map, struct souk_report *report,
		     struct souk_error *err)
{
	size_t i;
	int ret;

	if (map->type != SOUK_YAML_MAP) {
		souk_report_add(report, map->mark, 0,
				"'<<' merges a map, or a list of maps, not %s",
				souk_yaml_type_name(map));
		return SOUK_OK;
	}
	for (i = 0; i < map->n; i++) {
		ret = add_slot(slots, map->entries[i], 1, err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int merge(struct slots *slots, const struct souk_yaml *value, struct souk_report *report,
		 struct souk_error *err)
{
	size_t i;
	int ret;

	if (value->type != SOUK_YAML_LIST)
		return merge_map(slots, value, report, err);
	for (i = 0; i < value->n; i++) {
		ret = merge_map(slots, value->items[i], report, err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int collect_slots(struct souk_yaml_composed *const *children, size_t n, struct slots *slots,
			 struct souk_report *report, struct souk_error *err)
{
	size_t i;
	int ret;

	for (i = 0; i + 1 < n; i += 2) {
		struct souk_yaml_entry entry = { &children[i]->node, &children[i + 1]->node };

		if (children[i]->merge)
			continue;
		if (!entry.key->text) {
			souk_report_add(report, entry.key->mark, 0,
					"a key must be a text, not %s",
					souk_yaml_type_name(entry.key));
			continue;
		}
		ret = add_slot(slots, entry, 0, err);
		if (ret < 0)
			return ret;
	}
	for (i = 0; i + 1 < n; i += 2) {
		ret = children[i]->merge ? merge(slots, &children[i + 1]->node, report, err) : SOUK_OK;
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

int souk_yaml_fill_map(struct souk_yaml_arena *arena, struct souk_yaml_composed *const *children,
		       size_t n, struct souk_yaml *map, struct souk_report *report,
		       struct souk_error *err)
{
	struct slots slots = { NULL, 0 };
	size_t i;
	int ret;

	ret = collect_slots(children, n, &slots, report, err);
	if (ret < 0)
		goto out;
	drop_repeated(&slots, report);
	if (slots.n > 0) {
		map->entries = souk_yaml_alloc(arena, slots.n * sizeof(*map->entries));
		if (!map->entries) {
			ret = souk_error_nomem(err);
			goto out;
		}
	}
	for (i = 0; i < slots.n; i++)
		map->entries[i] = slots.items[i].entry;
	map->n = slots.n;
out:
	free(slots.items);
	return ret;
}
