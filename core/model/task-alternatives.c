/* SPDX-License-Identifier: Apache-2.0 */
/* task-alternatives.c - 'resources' as a list of requests: any_of, ordered, sets of accelerators */
#include "model/task-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

#define MAX_REQUESTS 256u
#define MAX_FIELDS 200u
#define MAX_TEXT 4096u
#define MAX_REQUESTED ((size_t)32 << 20) /* bytes of all requests of a file */

/* The base map with an item's fields in place of its own; labels are put together. */
struct merged {
	struct souk_yaml map;
	struct souk_yaml labels;
};

static int is_list_key(const struct souk_yaml *key)
{
	return key->type == SOUK_YAML_STR &&
	       (strcmp(key->text, "any_of") == 0 || strcmp(key->text, "ordered") == 0);
}

static int has_key(const struct souk_yaml_entry *entries, size_t n, const struct souk_yaml *key)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (entries[i].key->type == key->type &&
		    strcmp(entries[i].key->text, key->text) == 0)
			return 1;
	}
	return 0;
}

/* The entries of both maps, those of 'item' first; NULL on no memory. */
static struct souk_yaml_entry *join(const struct souk_yaml *item, const struct souk_yaml *base,
				    size_t *n_out)
{
	size_t own = item ? item->n : 0, n = 0, i;
	struct souk_yaml_entry *entries = calloc(own + base->n + 1, sizeof(*entries));

	if (!entries)
		return NULL;
	for (i = 0; i < own; i++) {
		if (!is_list_key(item->entries[i].key))
			entries[n++] = item->entries[i];
	}
	own = n;
	for (i = 0; i < base->n; i++) {
		if (!is_list_key(base->entries[i].key) &&
		    !has_key(entries, own, base->entries[i].key))
			entries[n++] = base->entries[i];
	}
	*n_out = n;
	return entries;
}

static int merge_labels(struct souk_task_parser *p, struct merged *merged,
			const struct souk_yaml *item, const struct souk_yaml *base)
{
	const struct souk_yaml *own = souk_yaml_get(item, "labels");
	const struct souk_yaml *shared = souk_yaml_get(base, "labels");
	size_t i;

	if (!own || !shared || own->type != SOUK_YAML_MAP || shared->type != SOUK_YAML_MAP ||
	    own->n > MAX_FIELDS || shared->n > MAX_FIELDS)
		return SOUK_OK;
	merged->labels = *own;
	merged->labels.entries = join(own, shared, &merged->labels.n);
	if (!merged->labels.entries) {
		merged->labels.n = 0;
		return souk_error_nomem(p->err);
	}
	for (i = 0; i < merged->map.n; i++) {
		if (merged->map.entries[i].value == own)
			merged->map.entries[i].value = &merged->labels;
	}
	return SOUK_OK;
}

static void merged_fini(struct merged *merged)
{
	free(merged->map.entries);
	free(merged->labels.entries);
}

static int merge(struct souk_task_parser *p, struct merged *merged, const struct souk_yaml *base,
		 const struct souk_yaml *item)
{
	int ret;

	memset(merged, 0, sizeof(*merged));
	merged->map.type = SOUK_YAML_MAP;
	merged->map.mark = item ? item->mark : base->mark;
	merged->map.entries = join(item, base, &merged->map.n);
	if (!merged->map.entries)
		return souk_error_nomem(p->err);
	ret = item ? merge_labels(p, merged, item, base) : SOUK_OK;
	if (ret < 0)
		merged_fini(merged);
	return ret;
}

/* What must be the same in all alternatives of a task. */
static void check_same(struct souk_task_parser *p, const struct souk_request *request)
{
	const struct souk_request *first = &p->task->requests[0];
	const struct souk_autostop *a = &first->autostop, *b = &request->autostop;
	const struct souk_job_recovery *c = &first->recovery, *d = &request->recovery;
	const char *field = NULL;

	if (a->set != b->set || a->enabled != b->enabled || a->idle_minutes != b->idle_minutes ||
	    a->down != b->down || a->wait_for != b->wait_for)
		field = "autostop";
	else if (first->priority != request->priority ||
		 !souk_streq(first->priority_class, request->priority_class))
		field = "priority";
	else if (!souk_streq(c->strategy, d->strategy) ||
		 c->max_restarts_on_errors != d->max_restarts_on_errors ||
		 c->n_exit_codes != d->n_exit_codes ||
		 (c->n_exit_codes &&
		  memcmp(c->exit_codes, d->exit_codes, c->n_exit_codes * sizeof(int)) != 0))
		field = "job_recovery";
	if (field)
		souk_task_bad(p, request->mark,
			      "resources: '%s' must be the same in all alternatives", field);
}

static int push_request(struct souk_task_parser *p, const struct souk_request *request,
			struct souk_accelerator *accelerator, unsigned rank)
{
	struct souk_task *task = p->task;
	struct souk_request *to;
	int ret;

	if (task->n_requests >= MAX_REQUESTS) {
		souk_task_bad(p, task->mark, "resources: too many alternatives: over %u",
			      MAX_REQUESTS);
		return SOUK_OK;
	}
	p->requested += souk_request_size(request);
	if (p->requested > MAX_REQUESTED) {
		souk_task_bad(p, task->mark, "resources: the alternatives are too large together: "
						"over %zu MiB", MAX_REQUESTED >> 20);
		return SOUK_OK;
	}
	ret = souk_task_grow(p, &task->requests, task->n_requests, sizeof(*to));
	if (ret < 0)
		return ret;
	to = &task->requests[task->n_requests];
	ret = souk_request_copy(to, request, p->err);
	if (ret < 0)
		return ret;
	task->n_requests++;
	to->rank = rank;
	if (accelerator) {
		to->accelerator = *accelerator;
		memset(accelerator, 0, sizeof(*accelerator));
	}
	check_same(p, to);
	return SOUK_OK;
}

/* 'list' is any_of or ordered; NULL if there is neither. */
static int add_alternative(struct souk_task_parser *p, const struct souk_task_value *value,
			   const struct souk_yaml *item, const char *list, size_t position)
{
	struct souk_task_draft draft = { .request = { .rank = 0 } };
	int ordered = list && strcmp(list, "ordered") == 0;
	struct souk_task_value map = *value;
	struct merged merged;
	size_t i;
	int ret;

	ret = merge(p, &merged, value->node, item);
	if (ret < 0)
		return ret;
	map.node = &merged.map;
	draft.request.mark = merged.map.mark;
	ret = souk_task_read_draft(p, &map, &draft);
	if (ret == SOUK_OK && ordered && draft.n_accelerators > 1)
		souk_task_bad(p, draft.first_accelerators,
			      "resources: several accelerators cannot stand beside 'ordered'");
	if (ret == SOUK_OK && list && !ordered && draft.accelerators_ordered)
		souk_task_bad(p, draft.first_accelerators,
			      "resources: a list of accelerators is an order of its own and cannot "
			      "stand beside 'any_of'; write a map");
	if (ret == SOUK_OK && draft.n_accelerators == 0)
		ret = push_request(p, &draft.request, NULL, ordered ? (unsigned)position : 0);
	for (i = 0; ret == SOUK_OK && i < draft.n_accelerators && i <= MAX_REQUESTS; i++) {
		unsigned rank = ordered ? (unsigned)position :
				draft.accelerators_ordered ? (unsigned)i : 0;

		ret = push_request(p, &draft.request, &draft.accelerators[i], rank);
	}
	souk_task_draft_fini(&draft);
	merged_fini(&merged);
	return ret;
}

/* In an item a device is named alone, with its count if it is a map. */
static void check_item_accelerators(struct souk_task_parser *p, const char *path,
				    const struct souk_yaml *value)
{
	if (!value || value->type == SOUK_YAML_STR || value->type == SOUK_YAML_NULL)
		return;
	if (value->type == SOUK_YAML_MAP && value->n <= 1 &&
	    (value->n == 0 || value->entries[0].value->type == SOUK_YAML_INT ||
	     value->entries[0].value->type == SOUK_YAML_FLOAT))
		return;
	souk_task_bad(p, value->mark,
		      "%s: name one accelerator, as NAME:COUNT or {NAME: COUNT}; for several write "
		      "several items",
		      path);
}

/* Is the item fit to be read? */
static int check_item(struct souk_task_parser *p, const struct souk_yaml *item, const char *path)
{
	size_t i;

	if (item->type != SOUK_YAML_MAP) {
		souk_task_bad(p, item->mark, "%s: must be a map, not %s", path,
			      souk_yaml_type_name(item));
		return 0;
	}
	if (item->n > MAX_FIELDS) {
		souk_task_bad(p, item->mark, "%s: too many fields: over %u", path, MAX_FIELDS);
		return 0;
	}
	for (i = 0; i < item->n; i++) {
		if (is_list_key(item->entries[i].key))
			souk_task_bad(p, item->entries[i].key->mark,
				      "%s: '%s' cannot stand inside any_of or ordered", path,
				      item->entries[i].key->text);
	}
	check_item_accelerators(p, path, souk_yaml_get(item, "accelerators"));
	check_item_accelerators(p, path, souk_yaml_get(item, "gpus"));
	return 1;
}

static int read_list(struct souk_task_parser *p, const struct souk_task_value *value,
		     const struct souk_yaml *items, const char *list)
{
	char path[SOUK_TASK_PATH_SIZE];
	size_t i;
	int ret;

	if (items->type != SOUK_YAML_LIST) {
		souk_task_bad(p, items->mark, "%s.%s: must be a list of maps, not %s", value->path,
			      list, souk_yaml_type_name(items));
		return SOUK_OK;
	}
	if (items->n > MAX_REQUESTS) {
		souk_task_bad(p, items->mark, "%s.%s: too many alternatives: over %u", value->path,
			      list, MAX_REQUESTS);
		return SOUK_OK;
	}
	for (i = 0; i < items->n; i++) {
		snprintf(path, sizeof(path), "%s.%s[%zu]", value->path, list, i);
		if (!check_item(p, items->items[i], path))
			continue;
		ret = add_alternative(p, value, items->items[i], list, i);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

/* Requests are copied for every alternative, so that their texts must be short. */
static int check_lengths(struct souk_task_parser *p, const struct souk_yaml *node)
{
	size_t i;
	int good = 1;

	if (node->type == SOUK_YAML_STR && strlen(node->text) > MAX_TEXT) {
		souk_task_bad(p, node->mark, "resources: a text is too long: over %u bytes",
			      MAX_TEXT);
		return 0;
	}
	for (i = 0; node->type == SOUK_YAML_LIST && i < node->n; i++)
		good &= check_lengths(p, node->items[i]);
	for (i = 0; node->type == SOUK_YAML_MAP && i < node->n; i++)
		good &= check_lengths(p, node->entries[i].key) &
			check_lengths(p, node->entries[i].value);
	return good;
}

int souk_task_default_request(struct souk_task_parser *p)
{
	struct souk_request request = { .mark = p->task->mark };

	return push_request(p, &request, NULL, 0);
}

int souk_task_read_resources(struct souk_task_parser *p, const struct souk_task_value *value,
			     void *object)
{
	const struct souk_yaml *any_of = souk_yaml_get(value->node, "any_of");
	const struct souk_yaml *ordered = souk_yaml_get(value->node, "ordered");
	const struct souk_yaml *items = any_of ? any_of : ordered;

	(void)object;
	if (value->node->n > MAX_FIELDS) {
		souk_task_bad(p, value->node->mark, "%s: too many fields: over %u", value->path,
			      MAX_FIELDS);
		return SOUK_OK;
	}
	if (!check_lengths(p, value->node))
		return SOUK_OK;
	if (any_of && ordered)
		souk_task_bad(p, souk_yaml_key(value->node, "ordered")->mark,
			      "%s: either 'any_of' or 'ordered', not both", value->path);
	if (!items || items->type == SOUK_YAML_NULL ||
	    (items->type == SOUK_YAML_LIST && items->n == 0))
		return add_alternative(p, value, NULL, NULL, 0);
	return read_list(p, value, items, any_of ? "any_of" : "ordered");
}
