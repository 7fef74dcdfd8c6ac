/* SPDX-License-Identifier: Apache-2.0 */
/* base/util.h - small things that every file uses: cleanup of plain memory, array sizes */
#ifndef SOUK_BASE_UTIL_H
#define SOUK_BASE_UTIL_H

#include <stddef.h>
#include <stdlib.h>

#define SOUK_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static inline void souk_util_free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

/* Plain memory, freed when the variable goes out of scope. Initialise it at once. */
#define SOUK_AUTO_FREE __attribute__((cleanup(souk_util_free_pointer)))

/* strdup() that takes NULL for NULL. The copy is the caller's; NULL also on no memory. */
char *souk_strdup(const char *text);

/* Replace *slot by a copy of text (NULL clears). 0, or -1 on no memory with *slot untouched. */
int souk_strset(char **slot, const char *text);

/* strcmp() with NULL before every text. */
int souk_strcmp(const char *a, const char *b);

/* 1 if both are NULL, or equal. */
int souk_streq(const char *a, const char *b);

/* Make room for one more element of 'size' bytes in an array that grows by doubling from a
 * power of two; 'n' is its length. Returns the array, perhaps moved; NULL on no memory, with
 * the old array intact. */
void *souk_array_grow(void *array, size_t n, size_t size);

/* Overwrite memory that held a secret, in a way that is not optimised away. */
void souk_wipe(void *data, size_t size);

#endif
