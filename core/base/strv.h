/* SPDX-License-Identifier: Apache-2.0 */
/* base/strv.h - lists of texts and of pairs of texts, in order, owning copies */
#ifndef SOUK_BASE_STRV_H
#define SOUK_BASE_STRV_H

#include <stddef.h>

#include <souk/provider.h>

struct souk_strv {
	char **items; /* ended by NULL once something was added; NULL before */
	size_t n;
};

void souk_strv_fini(struct souk_strv *strv);
int souk_strv_add(struct souk_strv *strv, const char *text, struct souk_error *err);
int souk_strv_printf(struct souk_strv *strv, struct souk_error *err, const char *fmt, ...)
	SOUK_PRINTF(3, 4);
int souk_strv_copy(struct souk_strv *to, const struct souk_strv *from, struct souk_error *err);
int souk_strv_has(const struct souk_strv *strv, const char *text);
/* By their bytes, ascending. */
void souk_strv_sort(struct souk_strv *strv);
/* Cut text at each separator; empty parts are dropped, blanks around parts trimmed. */
int souk_strv_split(struct souk_strv *strv, const char *text, char separator,
		    struct souk_error *err);
/* The items with 'separator' between; the caller frees it; NULL on no memory. */
char *souk_strv_join(const struct souk_strv *strv, const char *separator);

struct souk_pair {
	char *key;
	char *value; /* may be NULL */
};

struct souk_pairs {
	struct souk_pair *items;
	size_t n;
};

void souk_pairs_fini(struct souk_pairs *pairs);
/* Set key to value (copied; NULL stays NULL): replaces, or is added at the end. */
int souk_pairs_set(struct souk_pairs *pairs, const char *key, const char *value,
		   struct souk_error *err);
/* The pair, or NULL. Borrowed. */
const struct souk_pair *souk_pairs_find(const struct souk_pairs *pairs, const char *key);
const char *souk_pairs_get(const struct souk_pairs *pairs, const char *key);
void souk_pairs_remove(struct souk_pairs *pairs, const char *key);
int souk_pairs_copy(struct souk_pairs *to, const struct souk_pairs *from, struct souk_error *err);

#endif
