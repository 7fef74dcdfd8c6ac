/* SPDX-License-Identifier: Apache-2.0 */
/* base/similar.c - the nearest known name for one that is not known */
#include "base/similar.h"

#include <ctype.h>
#include <string.h>

#define LENGTH_MAX 128

static int same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Characters in the longest common block of a and b and, by recursion, left and right of it. */
static size_t matches(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t best = 0, best_a = 0, best_b = 0, i, j, k;

	if (a_len == 0 || b_len == 0)
		return 0;
	for (i = 0; i < a_len; i++) {
		for (j = 0; j < b_len; j++) {
			for (k = 0; i + k < a_len && j + k < b_len && same(a[i + k], b[j + k]);)
				k++;
			if (k > best) {
				best = k;
				best_a = i;
				best_b = j;
			}
		}
	}
	if (best == 0)
		return 0;
	return best + matches(a, best_a, b, best_b) +
	       matches(a + best_a + best, a_len - best_a - best, b + best_b + best,
		       b_len - best_b - best);
}

unsigned souk_similar(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > LENGTH_MAX || b_len > LENGTH_MAX)
		return 0;
	if (a_len + b_len == 0)
		return 1000;
	return (unsigned)(2000 * matches(a, a_len, b, b_len) / (a_len + b_len));
}

const char *souk_similar_best(const char *name, const char *const *names, size_t n)
{
	const char *best = NULL;
	unsigned best_score = 599;
	size_t i;

	for (i = 0; i < n; i++) {
		unsigned score = souk_similar(name, names[i]);

		if (score > best_score) {
			best_score = score;
			best = names[i];
		}
	}
	return best;
}
