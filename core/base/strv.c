/* SPDX-License-Identifier: Apache-2.0 */
/* base/strv.c - lists of texts and of pairs of texts */
#include "base/strv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

void souk_strv_fini(struct souk_strv *strv)
{
	size_t i;

	if (!strv)
		return;
	for (i = 0; i < strv->n; i++)
		free(strv->items[i]);
	free(strv->items);
	*strv = (struct souk_strv){ 0 };
}

/* Takes 'text', which is on the heap. */
static int strv_take(struct souk_strv *strv, char *text, struct souk_error *err)
{
	char **items;

	if (!text)
		return souk_error_nomem(err);
	items = realloc(strv->items, (strv->n + 2) * sizeof(*items));
	if (!items) {
		free(text);
		return souk_error_nomem(err);
	}
	items[strv->n++] = text;
	items[strv->n] = NULL;
	strv->items = items;
	return SOUK_OK;
}

int souk_strv_add(struct souk_strv *strv, const char *text, struct souk_error *err)
{
	return strv_take(strv, strdup(text), err);
}

int souk_strv_printf(struct souk_strv *strv, struct souk_error *err, const char *fmt, ...)
{
	char *text = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	return strv_take(strv, n < 0 ? NULL : text, err);
}

int souk_strv_copy(struct souk_strv *to, const struct souk_strv *from, struct souk_error *err)
{
	struct souk_strv copy = { 0 };
	size_t i;
	int ret;

	for (i = 0; i < from->n; i++) {
		ret = souk_strv_add(&copy, from->items[i], err);
		if (ret < 0) {
			souk_strv_fini(&copy);
			return ret;
		}
	}
	souk_strv_fini(to);
	*to = copy;
	return SOUK_OK;
}

int souk_strv_has(const struct souk_strv *strv, const char *text)
{
	size_t i;

	for (i = 0; i < strv->n; i++)
		if (strcmp(strv->items[i], text) == 0)
			return 1;
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void souk_strv_sort(struct souk_strv *strv)
{
	if (strv->n > 1)
		qsort(strv->items, strv->n, sizeof(*strv->items), by_bytes);
}

int souk_strv_split(struct souk_strv *strv, const char *text, char separator,
		    struct souk_error *err)
{
	const char *end;
	int ret;

	for (; *text; text = *end ? end + 1 : end) {
		size_t len;

		end = strchrnul(text, separator);
		while (text < end && isspace((unsigned char)*text))
			text++;
		len = (size_t)(end - text);
		while (len > 0 && isspace((unsigned char)text[len - 1]))
			len--;
		if (len == 0)
			continue;
		ret = strv_take(strv, strndup(text, len), err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

char *souk_strv_join(const struct souk_strv *strv, const char *separator)
{
	size_t size = 1, i, gap = strlen(separator);
	char *text, *at;

	for (i = 0; i < strv->n; i++)
		size += strlen(strv->items[i]) + gap;
	text = malloc(size);
	if (!text)
		return NULL;
	at = text;
	for (i = 0; i < strv->n; i++) {
		if (i > 0)
			at = mempcpy(at, separator, gap);
		at = mempcpy(at, strv->items[i], strlen(strv->items[i]));
	}
	*at = '\0';
	return text;
}

void souk_pairs_fini(struct souk_pairs *pairs)
{
	size_t i;

	if (!pairs)
		return;
	for (i = 0; i < pairs->n; i++) {
		free(pairs->items[i].key);
		free(pairs->items[i].value);
	}
	free(pairs->items);
	*pairs = (struct souk_pairs){ 0 };
}

static struct souk_pair *pairs_slot(const struct souk_pairs *pairs, const char *key)
{
	size_t i;

	for (i = 0; i < pairs->n; i++)
		if (strcmp(pairs->items[i].key, key) == 0)
			return &pairs->items[i];
	return NULL;
}

int souk_pairs_set(struct souk_pairs *pairs, const char *key, const char *value,
		   struct souk_error *err)
{
	struct souk_pair *slot = pairs_slot(pairs, key);
	struct souk_pair added = { 0 };

	if (slot)
		return souk_strset(&slot->value, value) < 0 ? souk_error_nomem(err) : SOUK_OK;
	slot = souk_array_grow(pairs->items, pairs->n, sizeof(*slot));
	if (!slot)
		return souk_error_nomem(err);
	pairs->items = slot;
	if (souk_strset(&added.key, key) < 0 || souk_strset(&added.value, value) < 0) {
		free(added.key);
		return souk_error_nomem(err);
	}
	pairs->items[pairs->n++] = added;
	return SOUK_OK;
}

const struct souk_pair *souk_pairs_find(const struct souk_pairs *pairs, const char *key)
{
	return pairs_slot(pairs, key);
}

const char *souk_pairs_get(const struct souk_pairs *pairs, const char *key)
{
	const struct souk_pair *pair = souk_pairs_find(pairs, key);

	return pair ? pair->value : NULL;
}

void souk_pairs_remove(struct souk_pairs *pairs, const char *key)
{
	struct souk_pair *slot = pairs_slot(pairs, key);
	size_t i;

	if (!slot)
		return;
	i = (size_t)(slot - pairs->items);
	free(slot->key);
	free(slot->value);
	memmove(slot, slot + 1, (pairs->n - i - 1) * sizeof(*slot));
	/* souk_array_grow() sees by the length alone whether there is room, and there is. */
	pairs->n--;
}

int souk_pairs_copy(struct souk_pairs *to, const struct souk_pairs *from, struct souk_error *err)
{
	struct souk_pairs copy = { 0 };
	size_t i;
	int ret;

	for (i = 0; i < from->n; i++) {
		ret = souk_pairs_set(&copy, from->items[i].key, from->items[i].value, err);
		if (ret < 0) {
			souk_pairs_fini(&copy);
			return ret;
		}
	}
	souk_pairs_fini(to);
	*to = copy;
	return SOUK_OK;
}
