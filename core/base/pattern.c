/* SPDX-License-Identifier: Apache-2.0 */
/* base/pattern.c - names of places with '*' in them */
#include "base/pattern.h"

#include <ctype.h>
#include <stddef.h>

int souk_pattern_matches(const char *pattern, const char *text)
{
	const char *star = NULL, *from = NULL;

	/* A star first takes nothing; whenever what follows it fails, the last one takes one more. */
	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			from = text;
		} else if (tolower((unsigned char)*pattern) == tolower((unsigned char)*text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++from;
		} else {
			return 0;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
