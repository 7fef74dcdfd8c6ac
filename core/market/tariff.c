/* SPDX-License-Identifier: Apache-2.0 */
/* market/tariff.c - small tables of prices: lines of fields, with their source and date */
#include "market/tariff.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/pattern.h"
#include "base/util.h"

#define MAX_BYTES ((size_t)1 << 20)
#define MAX_LINES 10000u
#define MAX_PATTERN 128

int souk_tariff_bad(const struct souk_tariff *tariff, unsigned line, struct souk_error *err,
		    const char *fmt, ...)
{
	char message[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	return souk_error_set(err, SOUK_E_INVALID, "%.200s:%u: %s", tariff->path, line, message);
}

/* ---- Lines ---- */

/* Without blanks at both ends, in place. */
static char *trim(char *text)
{
	size_t len;

	while (*text == ' ')
		text++;
	len = strlen(text);
	while (len > 0 && text[len - 1] == ' ')
		text[--len] = '\0';
	return text;
}

/* What stands behind "KEY:" in a comment; NULL if it is another one. */
static const char *comment_value(char *comment, const char *key)
{
	char *at = trim(comment + 1);
	size_t len = strlen(key);

	return strncmp(at, key, len) == 0 && at[len] == ':' ? trim(at + len + 1) : NULL;
}

static int cut(const struct souk_tariff *tariff, char *text, struct souk_tariff_line *line,
	       struct souk_error *err)
{
	char *comma;

	for (;;) {
		if (line->n == SOUK_TARIFF_FIELDS)
			return souk_tariff_bad(tariff, line->line, err, "more than %u fields",
					       SOUK_TARIFF_FIELDS);
		comma = strchr(text, ',');
		if (comma)
			*comma = '\0';
		line->fields[line->n++] = trim(text);
		if (!comma)
			return SOUK_OK;
		text = comma + 1;
	}
}

static int is_header(const struct souk_tariff_line *line, const char *header)
{
	size_t i, len;

	for (i = 0; i < line->n; i++) {
		len = strcspn(header, ",");
		if (strlen(line->fields[i]) != len || memcmp(line->fields[i], header, len) != 0)
			return 0;
		header += len;
		if (*header == ',')
			header++;
		else
			return i + 1 == line->n;
	}
	return 0;
}

struct reader {
	struct souk_tariff *tariff;
	const char *header;
	const char *directive;
	const char *source;
	const char *date;
	int has_header;
};

static int add_line(struct reader *r, const struct souk_tariff_line *line, struct souk_error *err)
{
	struct souk_tariff *tariff = r->tariff;
	struct souk_tariff_line *lines;

	if (!r->has_header && !(r->directive && strcmp(line->fields[0], r->directive) == 0)) {
		if (!is_header(line, r->header))
			return souk_tariff_bad(tariff, line->line, err,
					       "the first line must be '%s'", r->header);
		r->has_header = 1;
		return SOUK_OK;
	}
	if (tariff->n == MAX_LINES)
		return souk_tariff_bad(tariff, line->line, err, "more than %u lines", MAX_LINES);
	lines = souk_array_grow(tariff->lines, tariff->n, sizeof(*lines));
	if (!lines)
		return souk_error_nomem(err);
	tariff->lines = lines;
	lines[tariff->n++] = *line;
	return SOUK_OK;
}

static int read_line(struct reader *r, char *text, unsigned number, struct souk_error *err)
{
	struct souk_tariff_line line = { .line = number, .source = r->source, .date = r->date };
	const char *value;
	const char *c;
	int ret;

	for (c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return souk_tariff_bad(r->tariff, number, err, "a control character");
	text = trim(text);
	if (*text == '\0')
		return SOUK_OK;
	if (*text == '#') {
		value = comment_value(text, "source");
		if (value)
			r->source = value;
		value = comment_value(text, "date");
		if (value)
			r->date = value;
		return SOUK_OK;
	}
	ret = cut(r->tariff, text, &line, err);
	return ret < 0 ? ret : add_line(r, &line, err);
}

static int read_all(struct reader *r, size_t size, struct souk_error *err)
{
	char *at = r->tariff->text, *end = at + size, *newline;
	unsigned number = 0;
	int ret;

	while (at < end) {
		newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline)
			newline = end;
		*newline = '\0';
		number++;
		/* A NUL inside would hide the rest of the line. */
		if (strlen(at) != (size_t)(newline - at))
			return souk_tariff_bad(r->tariff, number, err, "a control character");
		if (newline > at && newline[-1] == '\r')
			newline[-1] = '\0';
		ret = read_line(r, at, number, err);
		if (ret < 0)
			return ret;
		at = newline + 1;
	}
	return SOUK_OK;
}

int souk_tariff_parse(const char *path, const char *text, size_t size, const char *header,
		      const char *directive, struct souk_tariff *tariff_out, struct souk_error *err)
{
	struct souk_tariff tariff = { .path = souk_strdup(path) };
	struct reader r = { &tariff, header, directive, "", "", 0 };
	int ret;

	if (!tariff.path)
		return souk_error_nomem(err);
	if (size > MAX_BYTES) {
		ret = souk_error_set(err, SOUK_E_INVALID, "'%s' is larger than %zu bytes", path,
				     MAX_BYTES);
	} else if (!(tariff.text = malloc(size + 1))) {
		ret = souk_error_nomem(err);
	} else {
		memcpy(tariff.text, text, size);
		tariff.text[size] = '\0';
		ret = read_all(&r, size, err);
	}
	if (ret < 0) {
		souk_tariff_fini(&tariff);
		return ret;
	}
	*tariff_out = tariff;
	return SOUK_OK;
}

void souk_tariff_fini(struct souk_tariff *tariff)
{
	if (!tariff)
		return;
	free(tariff->path);
	free(tariff->text);
	free(tariff->lines);
	*tariff = (struct souk_tariff){ 0 };
}

/* ---- Files ---- */

static int open_in(const char *folder, const char *kind, const char *provider, const char *header,
		   const char *directive, struct souk_tariff *tariff_out, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = NULL;
	SOUK_AUTO_FREE char *text = NULL;
	size_t size;
	int ret;

	if (asprintf(&path, "%s/%s/%s.csv", folder, kind, provider) < 0) {
		path = NULL;
		return souk_error_nomem(err);
	}
	ret = souk_fs_read(path, MAX_BYTES, &text, &size, err);
	return ret < 0 ? ret
		       : souk_tariff_parse(path, text, size, header, directive, tariff_out, err);
}

int souk_tariff_open(const struct souk_paths *paths, const char *kind, const char *provider,
		     const char *header, const char *directive, struct souk_tariff *tariff_out,
		     struct souk_error *err)
{
	const char *folders[] = { paths->config, paths->data, paths->datadir };
	int ret = SOUK_E_NOT_FOUND;
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(folders) && ret == SOUK_E_NOT_FOUND; i++)
		ret = open_in(folders[i], kind, provider, header, directive, tariff_out, err);
	return ret;
}

/* "NAME.csv" of a name that can be a provider's. */
static int take_name(const char *file, struct souk_strv *names, struct souk_error *err)
{
	size_t len = strlen(file);
	char name[64];

	if (len < 5 || len - 4 >= sizeof(name) || strcmp(file + len - 4, ".csv") != 0 ||
	    file[0] == '.')
		return SOUK_OK;
	memcpy(name, file, len - 4);
	name[len - 4] = '\0';
	return souk_strv_has(names, name) ? SOUK_OK : souk_strv_add(names, name, err);
}

static int names_in(const char *folder, const char *kind, struct souk_strv *names,
		    struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, kind);
	struct dirent *entry;
	int ret = SOUK_OK;
	DIR *dir;

	if (!path)
		return souk_error_nomem(err);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT
			       ? SOUK_OK
			       : souk_error_errno(err, errno, "cannot read the folder '%s'", path);
	while (ret == SOUK_OK && (entry = readdir(dir)) != NULL)
		ret = take_name(entry->d_name, names, err);
	closedir(dir);
	return ret;
}

int souk_tariff_names(const struct souk_paths *paths, const char *kind, struct souk_strv *names_out,
		      struct souk_error *err)
{
	const char *folders[] = { paths->config, paths->data, paths->datadir };
	struct souk_strv names = { 0 };
	int ret = SOUK_OK;
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(folders) && ret == SOUK_OK; i++)
		ret = names_in(folders[i], kind, &names, err);
	if (ret < 0) {
		souk_strv_fini(&names);
		return ret;
	}
	souk_strv_sort(&names);
	*names_out = names;
	return SOUK_OK;
}

/* ---- Regions ---- */

int souk_tariff_matches(const char *patterns, const char *region)
{
	char one[MAX_PATTERN];
	size_t len;

	for (;; patterns += len + 1) {
		len = strcspn(patterns, "|");
		if (len > 0 && len < sizeof(one)) {
			memcpy(one, patterns, len);
			one[len] = '\0';
			if (souk_pattern_matches(one, region ? region : ""))
				return 1;
		}
		if (patterns[len] == '\0')
			return 0;
	}
}
