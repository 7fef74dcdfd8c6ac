/* SPDX-License-Identifier: Apache-2.0 */
/* task-accelerators.c - what a task says of GPUs: names, counts, memory forms, sets and lists */
#include "model/task-internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

#define NAME_MAX_SIZE 64
#define MAX_COUNT 1000000u
#define MAX_PARTS 3

struct parts {
	char items[MAX_PARTS][NAME_MAX_SIZE];
	size_t n;
};

/* Cut "H100 : 2" at its colons and trim the parts. -1 if there are too many, or too long ones. */
static int split(const char *text, struct parts *parts)
{
	parts->n = 0;
	for (;;) {
		const char *end = text + strcspn(text, ":"), *last = end;

		while (isspace((unsigned char)*text))
			text++;
		while (last > text && isspace((unsigned char)last[-1]))
			last--;
		if (parts->n == MAX_PARTS || last - text >= NAME_MAX_SIZE)
			return -1;
		memcpy(parts->items[parts->n], text, (size_t)(last - text));
		parts->items[parts->n++][last - text] = '\0';
		if (*end == '\0')
			return 0;
		text = end + 1;
	}
}

/* "80GB" or "40GB+"; 0 if the text is not an amount of device memory. */
static int is_memory(const char *text, uint64_t *mib_out, int *at_least_out)
{
	uint64_t value = 0;
	const char *p = text;
	char unit;

	for (; isdigit((unsigned char)*p) && value < MAX_COUNT; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	unit = (char)tolower((unsigned char)*p);
	if (p == text || (unit != 'g' && unit != 'm' && unit != 't') ||
	    tolower((unsigned char)p[1]) != 'b')
		return 0;
	p += 2;
	*at_least_out = *p == '+';
	if (p[*at_least_out] != '\0' || value == 0)
		return 0;
	*mib_out = unit == 'm' ? value : unit == 'g' ? value * 1024 : value * 1024 * 1024;
	return 1;
}

static int is_name(const char *text)
{
	const char *p;

	if (!isalnum((unsigned char)text[0]))
		return 0;
	for (p = text; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("-_.+ /()", *p))
			return 0;
	}
	return 1;
}

/* A count over 0, in thousandths. */
static int parse_count(const char *text, const char *whole, uint32_t *milli_out,
		       struct souk_error *err)
{
	uint64_t micros = 0;

	if (souk_task_decimal(text, &micros) < 0)
		return souk_error_set(err, SOUK_E_INVALID,
				      "not a number of accelerators: '%.40s' in '%.60s'", text,
				      whole);
	if (micros < 1000 || micros / 1000000 > MAX_COUNT)
		return souk_error_set(
			err, SOUK_E_INVALID,
			"the number of accelerators must be over 0 and at most %u: '%.60s'",
			MAX_COUNT, whole);
	*milli_out = (uint32_t)((micros + 999) / 1000);
	return SOUK_OK;
}

/* MEM, MEM:COUNT, MAKER:MEM, MAKER:MEM:COUNT. 0: the text has none of these forms. */
static int parse_memory_form(const struct parts *parts, const char *text,
			     struct souk_accelerator *found, struct souk_error *err)
{
	size_t at;
	int ret;

	if (is_memory(parts->items[0], &found->memory_mib, &found->memory_at_least))
		at = 0;
	else if (parts->n > 1 && is_name(parts->items[0]) &&
		 is_memory(parts->items[1], &found->memory_mib, &found->memory_at_least))
		at = 1;
	else
		return 0;
	if (parts->n > at + 2)
		return souk_error_set(err, SOUK_E_INVALID,
				      "not an accelerator: '%.60s'; write MEMORY:COUNT", text);
	if (at == 1) {
		char *c;

		found->maker = souk_strdup(parts->items[0]);
		if (!found->maker)
			return souk_error_nomem(err);
		for (c = found->maker; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	}
	found->milli = 1000;
	if (parts->n == at + 2) {
		ret = parse_count(parts->items[at + 1], text, &found->milli, err);
		if (ret < 0)
			return ret;
		if (found->milli % 1000 != 0)
			return souk_error_set(
				err, SOUK_E_INVALID,
				"with a memory size the number of accelerators is whole: '%.60s'",
				text);
	}
	return 1;
}

static int parse_named(const struct parts *parts, const char *text, struct souk_accelerator *found,
		       struct souk_error *err)
{
	char *c;

	if (parts->n > 2 || !is_name(parts->items[0]))
		return souk_error_set(err, SOUK_E_INVALID,
				      "not an accelerator: '%.60s'; write NAME or NAME:COUNT",
				      text);
	found->milli = 1000;
	if (parts->n == 2) {
		int ret = parse_count(parts->items[1], text, &found->milli, err);

		if (ret < 0)
			return ret;
	}
	found->name = souk_strdup(parts->items[0]);
	if (!found->name)
		return souk_error_nomem(err);
	if (strncmp(found->name, "tpu-", 4) == 0 || strncmp(found->name, "TPU-", 4) == 0) {
		for (c = found->name; *c; c++)
			*c = (char)tolower((unsigned char)*c);
	}
	return SOUK_OK;
}

int souk_parse_accelerator(const char *text, struct souk_accelerator *out, struct souk_error *err)
{
	struct souk_accelerator found = { 0 };
	struct parts parts;
	int ret;

	if (split(text, &parts) < 0)
		return souk_error_set(err, SOUK_E_INVALID,
				      "not an accelerator: '%.60s'; write NAME or NAME:COUNT",
				      text);
	ret = parse_memory_form(&parts, text, &found, err);
	if (ret == 0)
		ret = parse_named(&parts, text, &found, err);
	if (ret < 0) {
		souk_accelerator_fini(&found);
		return ret;
	}
	*out = found;
	return SOUK_OK;
}

static int add(struct souk_task_parser *p, const struct souk_task_value *value, const char *text,
	       struct souk_accelerator **list, size_t *n)
{
	struct souk_error why = SOUK_ERROR_INIT;
	struct souk_accelerator found;
	int ret;

	ret = souk_parse_accelerator(text, &found, &why);
	if (ret < 0)
		return souk_task_refuse(p, value, &why);
	ret = souk_task_grow(p, list, *n, sizeof(found));
	if (ret < 0) {
		souk_accelerator_fini(&found);
		return ret;
	}
	(*list)[(*n)++] = found;
	return SOUK_OK;
}

/* {H100: 2, "A100:1": null}: the key and the count joined by a colon have the text form. */
static int add_entry(struct souk_task_parser *p, const struct souk_task_value *value,
		     const struct souk_yaml_entry *entry, struct souk_accelerator **list, size_t *n)
{
	struct souk_task_value inner = { value->path, entry->key->mark, entry->key };
	char text[2 * NAME_MAX_SIZE + 8];

	if (entry->key->type != SOUK_YAML_STR) {
		souk_task_bad(p, entry->key->mark, "%s: the name must be a string, not %s: '%.60s'",
			      value->path, souk_yaml_type_name(entry->key), entry->key->text);
		return SOUK_OK;
	}
	if (entry->value->type == SOUK_YAML_NULL)
		return add(p, &inner, entry->key->text, list, n);
	if (entry->value->type != SOUK_YAML_INT && entry->value->type != SOUK_YAML_FLOAT) {
		souk_task_bad(p, entry->value->mark, "%s.%.60s: the count must be a number, not %s",
			      value->path, entry->key->text, souk_yaml_type_name(entry->value));
		return SOUK_OK;
	}
	snprintf(text, sizeof(text), "%.*s:%.*s", NAME_MAX_SIZE + 1, entry->key->text,
		 NAME_MAX_SIZE, entry->value->text);
	return add(p, &inner, text, list, n);
}

static int read_list(struct souk_task_parser *p, const struct souk_task_value *value,
		     struct souk_accelerator **list, size_t *n)
{
	size_t i;
	int ret;

	for (i = 0; i < value->node->n; i++) {
		const struct souk_yaml *item = value->node->items[i];
		struct souk_task_value inner = { value->path, item->mark, item };

		if (item->type != SOUK_YAML_STR) {
			souk_task_bad(p, item->mark, "%s[%zu]: must be a string, not %s",
				      value->path, i, souk_yaml_type_name(item));
			continue;
		}
		ret = add(p, &inner, item->text, list, n);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

int souk_task_read_accelerators(struct souk_task_parser *p, const struct souk_task_value *value,
				struct souk_accelerator **list, size_t *n)
{
	const struct souk_yaml *node = value->node;
	size_t i;
	int ret;

	if (node->type == SOUK_YAML_STR)
		return add(p, value, node->text, list, n);
	if (node->n == 0) {
		souk_task_bad(p, node->mark, "%s: is empty; remove it or name an accelerator",
			      value->path);
		return SOUK_OK;
	}
	if (node->type == SOUK_YAML_LIST)
		return read_list(p, value, list, n);
	for (i = 0; i < node->n; i++) {
		ret = add_entry(p, value, &node->entries[i], list, n);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}
