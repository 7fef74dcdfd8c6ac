/* SPDX-License-Identifier: Apache-2.0 */
/* node/ignore.c - the files of a folder that are to be copied */
#include "node/ignore.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"

#define IGNORE_FILE_MAX (1 << 20)
#define DEPTH_MAX 128

/* One line of an ignore file. */
struct rule {
	char *pattern;	/* without '!' and without a '/' at its end */
	int negated;
	int dir_only;
	int anchored;	/* has a '/' inside or in front: matches from the file's folder on */
};

/* The rules of one folder; they hold for everything below it. */
struct rules {
	const struct rules *parent;
	size_t base;	/* length of the folder's path, with its '/' */
	struct rule *items;
	size_t n;
};

struct walk {
	const char *folder;
	struct souk_buf *out;
	size_t n;
	int own_rules;	/* 1: .soukignore or .skyignore decided, other files count for nothing */
};

/* ---- Matching ---- */

/* "[:digit:]" and its kind: is c in the set of that name? */
static int is_in_named_set(const char *name, size_t len, char c)
{
	static const struct {
		const char *name;
		int (*has)(int c);
	} sets[] = {
		{ "alnum", isalnum }, { "alpha", isalpha }, { "blank", isblank }, { "cntrl", iscntrl },
		{ "digit", isdigit }, { "graph", isgraph }, { "lower", islower }, { "print", isprint },
		{ "punct", ispunct }, { "space", isspace }, { "upper", isupper }, { "xdigit", isxdigit },
	};
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(sets); i++)
		if (strlen(sets[i].name) == len && strncmp(sets[i].name, name, len) == 0)
			return sets[i].has((unsigned char)c) != 0;
	return 0;
}

/* One member of a set: a character, a range, or a named set. Returns what comes behind it. */
static const char *match_member(const char *at, char c, int *found)
{
	unsigned char low, high;
	size_t len;

	if (at[0] == '[' && at[1] == ':') {
		len = strspn(at + 2, "abcdefghijklmnopqrstuvwxyz");
		if (at[len + 2] == ':' && at[len + 3] == ']') {
			*found |= is_in_named_set(at + 2, len, c);
			return at + len + 4;
		}
	}
	if (*at == '\\' && at[1])
		at++;
	low = high = (unsigned char)*at;
	if (at[1] == '-' && at[2] && at[2] != ']') {
		at += 2;
		if (*at == '\\' && at[1])
			at++;
		high = (unsigned char)*at;
	}
	*found |= (unsigned char)c >= low && (unsigned char)c <= high;
	return at + 1;
}

static int match_class(const char **pattern, char c)
{
	const char *at = *pattern + 1, *first;
	int negated = *at == '!' || *at == '^', found = 0;

	at += negated;
	for (first = at; *at && (*at != ']' || at == first);)
		at = match_member(at, c, &found);
	if (!*at)
		return -1; /* no ']': the '[' is meant as it is */
	*pattern = at + 1;
	return found != negated && c != '/';
}

/* Is there a double star that is a whole part of the path? */
static int is_double_star(const char *pattern, const char *start)
{
	return pattern[0] == '*' && pattern[1] == '*' && (pattern == start || pattern[-1] == '/') &&
	       (pattern[2] == '/' || pattern[2] == '\0');
}

/*
 * How a try went. Where a later star has tried all there is, no earlier one needs to try further:
 * without that, a pattern of many stars would take for ever. (A star that came to the end of its
 * part of the path says so to those before it, but for double stars, which have other parts.)
 */
enum try { MATCHES, DIFFERS, NOT_IN_THIS_PART, NOWHERE };

static enum try glob(const char *start, const char *pattern, const char *path);

static enum try glob_double_star(const char *start, const char *pattern, const char *path)
{
	enum try try;

	/* Another at once says nothing more, but would go one deeper. */
	while (pattern[0] == '/' && is_double_star(pattern + 1, pattern + 1))
		pattern += 3;
	if (!*pattern)
		return MATCHES;
	/* Also no folder at all stands between. */
	for (pattern++;; path++) {
		try = glob(start, pattern, path);
		if (try == MATCHES || try == NOWHERE)
			return try;
		path = strchr(path, '/');
		if (!path)
			return NOWHERE;
	}
}

static enum try glob_star(const char *start, const char *pattern, const char *path)
{
	enum try try;

	if (is_double_star(pattern, start))
		return glob_double_star(start, pattern + 2, path);
	while (*pattern == '*')
		pattern++;
	for (;; path++) {
		try = glob(start, pattern, path);
		if (try != DIFFERS)
			return try;
		if (!*path)
			return NOWHERE;
		if (*path == '/')
			return NOT_IN_THIS_PART;
	}
}

static enum try glob(const char *start, const char *pattern, const char *path)
{
	for (; *pattern; path++) {
		int in_class;

		if (*pattern == '*')
			return glob_star(start, pattern, path);
		if (!*path)
			return NOWHERE;
		switch (*pattern) {
		case '?':
			if (*path == '/')
				return DIFFERS;
			pattern++;
			continue;
		case '[':
			in_class = match_class(&pattern, *path);
			if (in_class == 0)
				return DIFFERS;
			if (in_class > 0)
				continue;
			break;
		case '\\':
			if (pattern[1])
				pattern++;
			break;
		default:
			break;
		}
		if (*pattern != *path)
			return DIFFERS;
		pattern++;
	}
	return *path ? DIFFERS : MATCHES;
}

static int rule_matches(const struct rule *rule, const char *path, int is_dir)
{
	if (rule->dir_only && !is_dir)
		return 0;
	return glob(rule->pattern, rule->pattern, rule->anchored ? path : souk_fs_basename(path)) ==
	       MATCHES;
}

/* ---- Reading rules ---- */

/* 0: the line is empty or a comment; 1: *rule_out is a rule; negative: no memory. */
static int parse_rule(const char *line, size_t len, struct rule *rule_out)
{
	struct rule rule = { 0 };

	while (len > 0 && (line[len - 1] == '\r' ||
			   (line[len - 1] == ' ' && (len < 2 || line[len - 2] != '\\'))))
		len--;
	if (len == 0 || line[0] == '#')
		return 0;
	if (line[0] == '!') {
		rule.negated = 1;
		line++;
		len--;
	}
	if (len > 0 && line[len - 1] == '/') {
		rule.dir_only = 1;
		len--;
	}
	rule.anchored = memchr(line, '/', len) != NULL;
	if (len > 0 && line[0] == '/') {
		line++;
		len--;
	}
	if (len == 0)
		return 0;
	rule.pattern = strndup(line, len);
	if (!rule.pattern)
		return -1;
	*rule_out = rule;
	return 1;
}

static void rules_fini(struct rules *rules)
{
	size_t i;

	for (i = 0; i < rules->n; i++)
		free(rules->items[i].pattern);
	free(rules->items);
}

static int parse_rules(struct rules *rules, const char *text, struct souk_error *err)
{
	const char *end;

	for (; *text; text = *end ? end + 1 : end) {
		void *items;
		int found;

		end = strchrnul(text, '\n');
		items = souk_array_grow(rules->items, rules->n, sizeof(*rules->items));
		if (!items)
			return souk_error_nomem(err);
		rules->items = items;
		found = parse_rule(text, (size_t)(end - text), &rules->items[rules->n]);
		if (found < 0)
			return souk_error_nomem(err);
		rules->n += (size_t)found;
	}
	return SOUK_OK;
}

/* Add the rules of a file, if there is one. 1: there was. */
static int read_rules(struct rules *rules, const char *folder, const char *name,
		      struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, name);
	SOUK_AUTO_FREE char *text = NULL;
	int ret;

	if (!path)
		return souk_error_nomem(err);
	if (!souk_fs_is_file(path))
		return 0;
	ret = souk_fs_read(path, IGNORE_FILE_MAX, &text, NULL, err);
	if (ret == SOUK_OK)
		ret = parse_rules(rules, text, err);
	return ret < 0 ? ret : 1;
}

int souk_ignore_match(const char *pattern, const char *path, int is_dir)
{
	struct rule rule;
	int matches;

	if (parse_rule(pattern, strlen(pattern), &rule) <= 0)
		return 0;
	matches = rule_matches(&rule, path, is_dir);
	free(rule.pattern);
	return matches;
}

/* The last rule that matches decides; those of the nearest folder come last. */
static int is_ignored(const struct rules *rules, const char *path, int is_dir)
{
	size_t i;

	for (; rules; rules = rules->parent)
		for (i = rules->n; i > 0; i--)
			if (rule_matches(&rules->items[i - 1], path + rules->base, is_dir))
				return !rules->items[i - 1].negated;
	return 0;
}

/* ---- Walking ---- */

static int list_names(const char *path, struct souk_strv *names, struct souk_error *err)
{
	struct dirent *entry;
	int ret = SOUK_OK;
	DIR *dir = opendir(path);

	if (!dir)
		return souk_error_errno(err, errno, "cannot read the folder '%s'", path);
	while (ret == SOUK_OK && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ret = souk_strv_add(names, entry->d_name, err);
	closedir(dir);
	souk_strv_sort(names);
	return ret;
}

static int walk_folder(struct walk *walk, const char *relative, const struct rules *parent,
		       unsigned depth, struct souk_error *err);

static int walk_entry(struct walk *walk, const char *relative, const struct rules *rules,
		      unsigned depth, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(walk->folder, relative);
	struct stat st;
	int ret;

	if (!path)
		return souk_error_nomem(err);
	/* What vanished meanwhile, and sockets, pipes and devices, are not copied. */
	if (lstat(path, &st) < 0 ||
	    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)))
		return SOUK_OK;
	if (is_ignored(rules, relative, S_ISDIR(st.st_mode)))
		return SOUK_OK;
	ret = souk_buf_add(walk->out, relative, strlen(relative) + 1);
	if (ret < 0)
		return souk_error_set(err, ret, "'%s' has too many files to copy", walk->folder);
	walk->n++;
	return S_ISDIR(st.st_mode) ? walk_folder(walk, relative, rules, depth + 1, err) : SOUK_OK;
}

static int walk_names(struct walk *walk, const char *relative, const struct rules *rules,
		      unsigned depth, const struct souk_strv *names, struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < names->n && ret == SOUK_OK; i++) {
		SOUK_AUTO_FREE char *path =
			relative[0] ? souk_fs_join(relative, names->items[i]) : strdup(names->items[i]);

		ret = path ? walk_entry(walk, path, rules, depth, err) : souk_error_nomem(err);
	}
	return ret;
}

static int walk_folder(struct walk *walk, const char *relative, const struct rules *parent,
		       unsigned depth, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(walk->folder, relative);
	struct rules rules = { .parent = parent, .base = relative[0] ? strlen(relative) + 1 : 0 };
	struct souk_strv names = { 0 };
	int ret = SOUK_OK;

	if (!path)
		return souk_error_nomem(err);
	if (depth > DEPTH_MAX)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' is nested too deeply", path);
	if (!walk->own_rules)
		ret = read_rules(&rules, path, ".gitignore", err);
	if (ret >= 0)
		ret = list_names(path, &names, err);
	if (ret == SOUK_OK)
		ret = walk_names(walk, relative, &rules, depth, &names, err);
	souk_strv_fini(&names);
	rules_fini(&rules);
	return ret;
}

int souk_ignore_list(const char *folder, struct souk_buf *out, size_t *n_out,
		     struct souk_error *err)
{
	struct walk walk = { .folder = folder, .out = out };
	struct rules top = { 0 };
	int ret, found;

	found = read_rules(&top, folder, ".soukignore", err);
	ret = found;
	if (ret >= 0)
		ret = read_rules(&top, folder, ".skyignore", err);
	walk.own_rules = found > 0 || ret > 0;
	if (ret >= 0 && !walk.own_rules)
		ret = read_rules(&top, folder, ".git/info/exclude", err);
	if (ret >= 0)
		ret = walk_folder(&walk, "", &top, 0, err);
	rules_fini(&top);
	if (ret == SOUK_OK)
		*n_out = walk.n;
	return ret;
}
