/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - small things about texts, files and times */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "aws.h"

int aws_nomem(struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_NOMEM, "out of memory");
}

char *aws_dup_n(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *aws_dup(const char *text)
{
	return aws_dup_n(text, strlen(text));
}

int aws_set(char **slot, const char *value, struct souk_error *err)
{
	char *copy = NULL;

	if (value) {
		copy = aws_dup(value);
		if (!copy)
			return aws_nomem(err);
	}
	free(*slot);
	*slot = copy;
	return SOUK_OK;
}

const char *aws_getenv(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int aws_is_true(const char *text)
{
	return text && (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

int aws_home(struct souk_buf *out, struct souk_error *err)
{
	const char *home = aws_getenv("HOME");
	struct passwd entry;
	struct passwd *found = NULL;
	char text[4096];

	if (!home && getpwuid_r(getuid(), &entry, text, sizeof(text), &found) == 0 && found)
		home = found->pw_dir;
	if (!home || !*home)
		return souk_error_set(err, SOUK_E_NOT_FOUND, "no home folder: HOME is not set");
	souk_buf_str(out, home);
	return souk_buf_failed(out, err);
}

int aws_expand_path(const char *path, struct souk_buf *out, struct souk_error *err)
{
	int ret;

	if (path[0] == '~' && (path[1] == '/' || !path[1])) {
		ret = aws_home(out, err);
		if (ret < 0)
			return ret;
		path++;
	}
	souk_buf_str(out, path);
	return souk_buf_failed(out, err);
}

static int read_all(int fd, const char *path, struct souk_buf *out, struct souk_error *err)
{
	char chunk[4096];
	ssize_t got;

	for (;;) {
		got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return souk_error_set(err, SOUK_E_INVALID, "cannot read '%s': %s", path,
					      strerror(errno));
		if (got == 0)
			break;
		if (souk_buf_add(out, chunk, (size_t)got) == SOUK_E_INVALID)
			return souk_error_set(err, SOUK_E_INVALID, "'%s' is too large", path);
	}
	return souk_buf_failed(out, err);
}

int aws_read_file(const char *path, size_t max, struct souk_buf *out, struct souk_error *err)
{
	struct stat st;
	int fd;
	int ret;

	souk_buf_init(out, max);
	/* O_NONBLOCK: a FIFO in its place must not hold us up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return souk_error_set(err,
				      errno == ENOENT || errno == ENOTDIR ? SOUK_E_NOT_FOUND :
									    SOUK_E_INVALID,
				      "cannot open '%s': %s", path, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		ret = souk_error_set(err, SOUK_E_INVALID, "'%s' is not a regular file", path);
	else
		ret = read_all(fd, path, out, err);
	close(fd);
	return ret;
}

int aws_is_place(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (i + 1 >= AWS_REGION_SIZE ||
		    !(islower((unsigned char)text[i]) || isdigit((unsigned char)text[i]) ||
		      (text[i] == '-' && i)))
			return 0;
	return i > 0 && text[i - 1] != '-';
}

static void utc(int64_t seconds, struct tm *out)
{
	time_t when = (time_t)seconds;

	if (!gmtime_r(&when, out))
		memset(out, 0, sizeof(*out));
}

void aws_basic_time(int64_t seconds, char out[17])
{
	struct tm tm;

	utc(seconds, &tm);
	strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm);
}

void aws_extended_time(int64_t seconds, char out[21])
{
	struct tm tm;

	utc(seconds, &tm);
	strftime(out, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

int aws_next_item(const char **list, char **item_out, struct souk_error *err)
{
	const char *p = *list ? *list : "";
	size_t len;

	while (*p == ',' || isspace((unsigned char)*p))
		p++;
	if (!*p) {
		*list = p;
		return 0;
	}
	len = strcspn(p, ",");
	*list = p + len;
	while (len && isspace((unsigned char)p[len - 1]))
		len--;
	*item_out = aws_dup_n(p, len);
	return *item_out ? 1 : aws_nomem(err);
}
