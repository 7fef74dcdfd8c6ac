/* SPDX-License-Identifier: Apache-2.0 */
/* task-fields.c - reading maps by tables of fields: types, bounds, choices, nearest names */
#include "model/task-internal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/similar.h"
#include "base/util.h"

#define MAX_FIELDS 64

void souk_task_bad(struct souk_task_parser *p, struct souk_mark mark, const char *fmt, ...)
{
	char message[SOUK_ERROR_MESSAGE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	souk_report_add(p->report, mark, 0, "%s", message);
}

int souk_task_refuse(struct souk_task_parser *p, const struct souk_task_value *value,
		     const struct souk_error *why)
{
	if (why->code == SOUK_E_NOMEM)
		return souk_error_nomem(p->err);
	souk_task_bad(p, value->node ? value->node->mark : value->key, "%s: %s%s%s", value->path,
		      why->message, why->hint[0] ? "; " : "", why->hint);
	return SOUK_OK;
}

int souk_task_unsupported(struct souk_task_parser *p, struct souk_mark mark, const char *field,
			  const char *needs)
{
	struct souk_task *task = p->task;
	struct souk_unsupported *entry;
	size_t i;
	int ret;

	for (i = 0; i < task->n_unsupported; i++) {
		entry = &task->unsupported[i];
		if (entry->mark.line == mark.line && entry->mark.column == mark.column &&
		    strcmp(entry->field, field) == 0)
			return SOUK_OK;
	}
	ret = souk_task_grow(p, &task->unsupported, task->n_unsupported, sizeof(*entry));
	if (ret < 0)
		return ret;
	entry = &task->unsupported[task->n_unsupported];
	entry->mark = mark;
	entry->field = souk_strdup(field);
	entry->needs = souk_strdup(needs);
	if (!entry->field || !entry->needs) {
		free(entry->field);
		free(entry->needs);
		return souk_error_nomem(p->err);
	}
	task->n_unsupported++;
	return SOUK_OK;
}

/* Forget what was recorded for a field, in whichever alternative: a flag has replaced it. */
void souk_task_drop_unsupported(struct souk_task *task, const char *field)
{
	size_t i, kept = 0;

	for (i = 0; i < task->n_unsupported; i++) {
		struct souk_unsupported *entry = &task->unsupported[i];
		const char *dot = strrchr(entry->field, '.');

		if (strncmp(entry->field, "resources.", 10) == 0 && strcmp(dot + 1, field) == 0) {
			free(entry->field);
			free(entry->needs);
		} else {
			task->unsupported[kept++] = *entry;
		}
	}
	task->n_unsupported = kept;
}

int souk_task_set(struct souk_task_parser *p, char **slot, const char *text)
{
	return souk_strset(slot, text) < 0 ? souk_error_nomem(p->err) : SOUK_OK;
}

int souk_task_set_lower(struct souk_task_parser *p, char **slot, const char *text)
{
	char *c;

	if (souk_strset(slot, text) < 0)
		return souk_error_nomem(p->err);
	for (c = *slot; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return SOUK_OK;
}

/* 'array' is the address of a pointer. */
int souk_task_grow(struct souk_task_parser *p, void *array, size_t n, size_t size)
{
	void *grown = souk_array_grow(*(void **)array, n, size);

	if (!grown)
		return souk_error_nomem(p->err);
	*(void **)array = grown;
	memset((char *)grown + n * size, 0, size);
	return SOUK_OK;
}

int souk_task_is_env_name(const char *name, size_t size)
{
	size_t i;

	if (size == 0 || isdigit((unsigned char)name[0]))
		return 0;
	for (i = 0; i < size; i++) {
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return 0;
	}
	return 1;
}

static int type_fits(const struct souk_yaml *node, unsigned types)
{
	unsigned integer = SOUK_FIELD_INT | SOUK_FIELD_EXACT_INT | SOUK_FIELD_NUMBER;

	if (types & SOUK_FIELD_ANY)
		return 1;
	switch (node->type) {
	case SOUK_YAML_BOOL:
		return (types & SOUK_FIELD_BOOL) != 0;
	case SOUK_YAML_INT:
		return (types & integer) != 0;
	case SOUK_YAML_FLOAT:
		if (isfinite(node->number) && (types & SOUK_FIELD_NUMBER))
			return 1;
		return (types & SOUK_FIELD_INT) && fabs(node->number) < 1e15 &&
		       node->number == floor(node->number);
	case SOUK_YAML_STR:
		return (types & SOUK_FIELD_STR) != 0;
	case SOUK_YAML_LIST:
		return (types & SOUK_FIELD_LIST) != 0;
	case SOUK_YAML_MAP:
		return (types & SOUK_FIELD_MAP) != 0;
	default:
		return 0;
	}
}

/* "an integer, a string or a map" */
static void types_text(unsigned types, char *text, size_t size)
{
	static const struct {
		unsigned types;
		const char *name;
	} names[] = {
		{ SOUK_FIELD_BOOL, "true or false" },
		{ SOUK_FIELD_INT | SOUK_FIELD_EXACT_INT, "an integer" },
		{ SOUK_FIELD_NUMBER, "a number" },
		{ SOUK_FIELD_STR, "a string" },
		{ SOUK_FIELD_LIST, "a list" },
		{ SOUK_FIELD_MAP, "a map" },
	};
	size_t i, used = 0;

	text[0] = '\0';
	for (i = 0; i < SOUK_ARRAY_SIZE(names); i++) {
		if (!(types & names[i].types))
			continue;
		types &= ~names[i].types;
		used += (size_t)snprintf(text + used, size - used, "%s%s",
					 used == 0 ? "" : ", or ", names[i].name);
		if (used >= size)
			return;
	}
}

static void bad_type(struct souk_task_parser *p, const char *path, const struct souk_yaml *node,
		     unsigned types)
{
	char wanted[120];

	types_text(types, wanted, sizeof(wanted));
	if (node->type == SOUK_YAML_LIST || node->type == SOUK_YAML_MAP ||
	    node->type == SOUK_YAML_NULL)
		souk_task_bad(p, node->mark, "%s: must be %s, not %s", path, wanted,
			      souk_yaml_type_name(node));
	else
		souk_task_bad(p, node->mark, "%s: must be %s, not %s: '%.60s'%s", path, wanted,
			      souk_yaml_type_name(node), node->text,
			      (types & SOUK_FIELD_STR) ? "; put it in quotes" : "");
}

static int check_range(struct souk_task_parser *p, const char *path, const struct souk_yaml *node,
		       int64_t min, int64_t max)
{
	int number = node->type == SOUK_YAML_INT || node->type == SOUK_YAML_FLOAT;

	if (!number || max <= min ||
	    (node->number >= (double)min && node->number <= (double)max))
		return 1;
	souk_task_bad(p, node->mark, "%s: must be from %lld to %lld, not %.40s", path,
		      (long long)min, (long long)max, node->text);
	return 0;
}

static int check_choice(struct souk_task_parser *p, const char *path, const struct souk_yaml *node,
			const char *const *choices)
{
	char all[200] = "";
	size_t i, used = 0;

	if (!choices || node->type != SOUK_YAML_STR)
		return 1;
	for (i = 0; choices[i]; i++) {
		if (strcasecmp(choices[i], node->text) == 0)
			return 1;
		if (used < sizeof(all))
			used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s",
						 i ? ", " : "", choices[i]);
	}
	souk_task_bad(p, node->mark, "%s: '%.60s' is not one of: %s", path, node->text, all);
	return 0;
}

static int check_items(struct souk_task_parser *p, const struct souk_task_field *field,
		       const struct souk_task_value *value, void *object)
{
	unsigned types = (field->types & SOUK_FIELD_STRINGS ? SOUK_FIELD_STR : 0) |
			 (field->types & SOUK_FIELD_INTS ? SOUK_FIELD_INT : 0);
	char path[SOUK_TASK_PATH_SIZE];
	size_t i, errors = p->report->n_errors;
	int ret;

	for (i = 0; i < value->node->n; i++) {
		const struct souk_yaml *item = value->node->items[i];
		struct souk_task_value inner = { path, item->mark, item };

		snprintf(path, sizeof(path), "%s[%zu]", value->path, i);
		if (types && !type_fits(item, types)) {
			bad_type(p, path, item, types);
			continue;
		}
		if (types)
			check_range(p, path, item, field->min, field->max);
		if (field->choices)
			check_choice(p, path, item, field->choices);
		if (field->fields) {
			ret = souk_task_read_fields(p, &inner, field->fields, field->types, object);
			if (ret < 0)
				return ret;
		}
	}
	return p->report->n_errors > errors;
}

static int check_map_of_strings(struct souk_task_parser *p, const struct souk_task_value *value)
{
	char path[SOUK_TASK_PATH_SIZE];
	size_t i, errors = p->report->n_errors;

	for (i = 0; i < value->node->n; i++) {
		const struct souk_yaml_entry *entry = &value->node->entries[i];

		snprintf(path, sizeof(path), "%s.%.60s", value->path, entry->key->text);
		if (entry->key->type != SOUK_YAML_STR)
			souk_task_bad(p, entry->key->mark, "%s: the key must be a string, not %s",
				      path, souk_yaml_type_name(entry->key));
		else if (entry->value->type != SOUK_YAML_STR)
			bad_type(p, path, entry->value, SOUK_FIELD_STR);
	}
	return p->report->n_errors > errors;
}

/* Everything that the table says of a value. 1: it is not to be used. */
static int check_value(struct souk_task_parser *p, const struct souk_task_field *field,
		       const struct souk_task_value *value, void *object)
{
	const struct souk_yaml *node = value->node;
	int ret;

	if (!type_fits(node, field->types)) {
		bad_type(p, value->path, node, field->types);
		return 1;
	}
	if (!check_range(p, value->path, node, field->min, field->max) ||
	    !check_choice(p, value->path, node, field->choices))
		return 1;
	if ((field->types & SOUK_FIELD_POSITIVE) &&
	    (node->type == SOUK_YAML_INT || node->type == SOUK_YAML_FLOAT) && !(node->number > 0)) {
		souk_task_bad(p, node->mark, "%s: must be over 0, not %.40s", value->path,
			      node->text);
		return 1;
	}
	if (node->type == SOUK_YAML_LIST)
		return check_items(p, field, value, object);
	if (node->type == SOUK_YAML_MAP && (field->types & SOUK_FIELD_STRINGS))
		return check_map_of_strings(p, value);
	if (node->type == SOUK_YAML_MAP && field->fields) {
		ret = souk_task_read_fields(p, value, field->fields, field->types, object);
		return ret < 0 ? ret : SOUK_OK;
	}
	return SOUK_OK;
}

static int read_field(struct souk_task_parser *p, const struct souk_task_field *field,
		      const struct souk_task_value *value, void *object)
{
	int ret;

	if (value->node->type == SOUK_YAML_NULL) {
		if (!(field->types & SOUK_FIELD_NULL))
			return SOUK_OK;
		return field->read(p, value, object);
	}
	ret = check_value(p, field, value, object);
	if (ret != SOUK_OK)
		return ret < 0 ? ret : SOUK_OK;
	if (field->needs) {
		ret = souk_task_unsupported(p, value->key, value->path, field->needs);
		if (ret < 0)
			return ret;
	}
	return field->read ? field->read(p, value, object) : SOUK_OK;
}

static void unknown_field(struct souk_task_parser *p, const struct souk_task_value *map,
			  const struct souk_yaml *key, const struct souk_task_field *fields)
{
	const char *names[MAX_FIELDS], *best = NULL;
	const char *where = map->path[0] ? map->path : "the task";
	size_t n = 0;

	for (; fields->name && n < MAX_FIELDS; fields++)
		names[n++] = fields->name;
	if (key->type == SOUK_YAML_STR && strlen(key->text) <= MAX_FIELDS)
		best = souk_similar_best(key->text, names, n);
	if (best)
		souk_task_bad(p, key->mark, "unknown field '%.60s' in %s; did you mean '%s'?",
			      key->text, where, best);
	else
		souk_task_bad(p, key->mark, "unknown field '%.60s' in %s", key->text, where);
}

static void check_required(struct souk_task_parser *p, const struct souk_task_value *map,
			   const struct souk_task_field *fields)
{
	for (; fields->name; fields++) {
		const struct souk_yaml *value;

		if (!(fields->types & SOUK_FIELD_REQUIRED))
			continue;
		value = souk_yaml_get(map->node, fields->name);
		if (!value || value->type == SOUK_YAML_NULL)
			souk_task_bad(p, map->node->mark, "%s: '%s' is missing",
				      map->path[0] ? map->path : "the task", fields->name);
	}
}

int souk_task_read_fields(struct souk_task_parser *p, const struct souk_task_value *map,
			  const struct souk_task_field *fields, unsigned types, void *object)
{
	const char *dot = map->path[0] ? "." : "";
	char path[SOUK_TASK_PATH_SIZE];
	size_t i;
	int ret;

	if (map->node->type != SOUK_YAML_MAP) {
		bad_type(p, map->path, map->node, SOUK_FIELD_MAP);
		return SOUK_OK;
	}
	for (i = 0; i < map->node->n; i++) {
		const struct souk_yaml_entry *entry = &map->node->entries[i];
		const struct souk_task_field *field = fields;
		struct souk_task_value value = { path, entry->key->mark, entry->value };

		while (field->name && (entry->key->type != SOUK_YAML_STR ||
				       strcmp(field->name, entry->key->text) != 0))
			field++;
		if (!field->name) {
			if (!(types & SOUK_FIELD_OPEN))
				unknown_field(p, map, entry->key, fields);
			continue;
		}
		snprintf(path, sizeof(path), "%s%s%s", map->path, dot, field->name);
		ret = read_field(p, field, &value, object);
		if (ret < 0)
			return ret;
	}
	check_required(p, map, fields);
	return SOUK_OK;
}
