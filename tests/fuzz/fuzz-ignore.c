/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-ignore.c - any pattern and any path: the answer is that of a plain, slow matcher */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "node/ignore.h"

const char fuzz_corpus[] = "ignore";

#define PLAIN_MAX 256

/* The slow matcher: what the rest of the pattern makes of the rest of the path, kept for each pair. */
struct plain {
	char pattern[PLAIN_MAX];
	const char *path;
	signed char known[PLAIN_MAX][PLAIN_MAX]; /* 0: not asked yet, 1: matches, -1: does not */
};

static int matches(struct plain *plain, size_t p, size_t s);

static int folders_match(struct plain *plain, size_t p, size_t s)
{
	size_t from;

	if (!plain->pattern[p + 2])
		return 1;
	for (from = s; from <= strlen(plain->path); from++) {
		if ((from == s || plain->path[from - 1] == '/') && matches(plain, p + 3, from))
			return 1;
	}
	return 0;
}

static int stars_match(struct plain *plain, size_t p, size_t s)
{
	size_t n = strspn(plain->pattern + p, "*");
	char behind = plain->pattern[p + n];

	if (n == 2 && (p == 0 || plain->pattern[p - 1] == '/') && (!behind || behind == '/'))
		return folders_match(plain, p, s);
	for (;; s++) {
		if (matches(plain, p + n, s))
			return 1;
		if (!plain->path[s] || plain->path[s] == '/')
			return 0;
	}
}

static int one_matches(struct plain *plain, size_t p, size_t s)
{
	char c = plain->pattern[p];

	if (!c)
		return !plain->path[s];
	if (c == '*')
		return stars_match(plain, p, s);
	if (!plain->path[s] || (c == '?' ? plain->path[s] == '/' : plain->path[s] != c))
		return 0;
	return matches(plain, p + 1, s + 1);
}

static int matches(struct plain *plain, size_t p, size_t s)
{
	if (!plain->known[p][s])
		plain->known[p][s] = one_matches(plain, p, s) ? 1 : -1;
	return plain->known[p][s] > 0;
}

/* Take off what a rule says besides its pattern. 1 if there is a pattern. */
static int trim_rule(char *rule, int *folders_only, char **pattern_out)
{
	size_t len = strlen(rule);

	while (len > 0 && (rule[len - 1] == ' ' || rule[len - 1] == '\r'))
		len--;
	rule[len] = '\0';
	if (rule[0] == '#')
		return 0;
	if (rule[0] == '!') {
		rule++;
		len--;
	}
	*folders_only = len > 0 && rule[len - 1] == '/';
	if (*folders_only)
		rule[--len] = '\0';
	*pattern_out = rule;
	return len > 0;
}

/* The answer of the slow matcher; no brackets, no backslashes. */
static int plain_match(const char *text, const char *path, int is_dir)
{
	struct plain *plain = calloc(1, sizeof(*plain));
	char *rule = strdup(text), *pattern;
	int folders_only, ret = 0;

	if (!plain || !rule)
		abort();
	if (trim_rule(rule, &folders_only, &pattern) && (is_dir || !folders_only)) {
		const char *name = strrchr(path, '/');

		plain->path = strchr(pattern, '/') || !name ? path : name + 1;
		pattern += *pattern == '/';
		if (*pattern) {
			memcpy(plain->pattern, pattern, strlen(pattern) + 1);
			ret = matches(plain, 0, 0);
		}
	}
	free(rule);
	free(plain);
	return ret;
}

/* The first line is the pattern, the second the path; a '/' at its end says that it is a folder's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t len = end ? (size_t)(end - data) : size, path_len;
	char *pattern = strndup(size ? (const char *)data : "", len);
	char *path = end ? strndup((const char *)end + 1, size - len - 1) : strdup("a");
	int is_dir = 0, answer;

	if (!pattern || !path)
		abort();
	path_len = strcspn(path, "\n");
	for (; path_len > 0 && path[path_len - 1] == '/'; path_len--)
		is_dir = 1;
	path[path_len] = '\0';
	answer = souk_ignore_match(pattern, path, is_dir);
	if (answer != 0 && answer != 1)
		abort();
	if (!strpbrk(pattern, "[\\") && strlen(pattern) < PLAIN_MAX && path_len < PLAIN_MAX &&
	    answer != plain_match(pattern, path, is_dir))
		abort();
	free(pattern);
	free(path);
	return 0;
}
