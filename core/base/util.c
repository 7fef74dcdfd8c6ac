/* SPDX-License-Identifier: Apache-2.0 */
/* base/util.c - small things that every file uses */
#include "base/util.h"

#include <stdint.h>
#include <string.h>

char *souk_strdup(const char *text)
{
	return text ? strdup(text) : NULL;
}

int souk_strset(char **slot, const char *text)
{
	char *copy = NULL;

	if (text) {
		copy = strdup(text);
		if (!copy)
			return -1;
	}
	free(*slot);
	*slot = copy;
	return 0;
}

int souk_strcmp(const char *a, const char *b)
{
	if (!a || !b)
		return a ? 1 : b ? -1 : 0;
	return strcmp(a, b);
}

int souk_streq(const char *a, const char *b)
{
	return souk_strcmp(a, b) == 0;
}

void *souk_array_grow(void *array, size_t n, size_t size)
{
	size_t room;

	/* Lengths 0, 4, 8, 16, 32 ... are where the room is used up. */
	if (n != 0 && (n < 4 || (n & (n - 1)) != 0))
		return array;
	room = n ? n * 2 : 4;
	if (room < n || (size != 0 && room > SIZE_MAX / size))
		return NULL;
	return realloc(array, room * size);
}

void souk_wipe(void *data, size_t size)
{
	if (data)
		explicit_bzero(data, size);
}
