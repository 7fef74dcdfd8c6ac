/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - small things about texts and files */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gcp.h"

int gcp_nomem(struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_NOMEM, "out of memory");
}

char *gcp_dup_n(const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *gcp_dup(const char *text)
{
	return gcp_dup_n(text, strlen(text));
}

int gcp_set(char **slot, const char *value, struct souk_error *err)
{
	char *copy = NULL;

	if (value) {
		copy = gcp_dup(value);
		if (!copy)
			return gcp_nomem(err);
	}
	free(*slot);
	*slot = copy;
	return SOUK_OK;
}

void gcp_wipe(char **slot)
{
	if (*slot)
		explicit_bzero(*slot, strlen(*slot));
	free(*slot);
	*slot = NULL;
}

const char *gcp_getenv(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int gcp_is_true(const char *text)
{
	return text && (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

int gcp_home(struct souk_buf *out, struct souk_error *err)
{
	const char *home = gcp_getenv("HOME");
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
	explicit_bzero(chunk, sizeof(chunk));
	return souk_buf_failed(out, err);
}

int gcp_read_file(const char *path, size_t max, struct souk_buf *out, struct souk_error *err)
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

int gcp_is_name(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (i + 1 >= GCP_NAME_SIZE ||
		    !(islower((unsigned char)text[i]) || (isdigit((unsigned char)text[i]) && i) ||
		      (text[i] == '-' && i)))
			return 0;
	return i > 0 && text[i - 1] != '-';
}

int gcp_is_project(const char *text)
{
	const char *colon = strrchr(text, ':');
	const char *p;

	if (strlen(text) > 128)
		return 0;
	for (p = text; colon && p < colon; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.')
			return 0;
	return colon != text && gcp_is_name(colon ? colon + 1 : text);
}

const char *gcp_basename(const char *url)
{
	const char *slash = strrchr(url, '/');

	return slash ? slash + 1 : url;
}

int gcp_list_has(const char *list, const char *item)
{
	size_t size = strlen(item);

	while (*list) {
		size_t len;

		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		if (len == size && memcmp(list, item, size) == 0)
			return 1;
		list += len;
	}
	return 0;
}
