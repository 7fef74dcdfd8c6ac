/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c - what a module is configured by: variables, lists, files of other tools */

#include <souk/provider.h>

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 4096, PASSWD_SIZE = 4096 };

const char *souk_getenv(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int souk_text_is_true(const char *text)
{
	return text && (strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

/* ---- Lists ---- */

const char *souk_list_next(const char **list, size_t *len_out)
{
	const char *item = *list;

	if (!item)
		return NULL;
	item += strspn(item, ", \t\r\n");
	*len_out = strcspn(item, ", \t\r\n");
	*list = item + *len_out;
	return *item ? item : NULL;
}

int souk_list_has(const char *list, const char *name)
{
	size_t size = strlen(name);
	const char *item;
	size_t len;

	while ((item = souk_list_next(&list, &len)))
		if (len == size && strncasecmp(item, name, size) == 0)
			return 1;
	return 0;
}

/* ---- Files ---- */

int souk_home_dir(struct souk_buf *out, struct souk_error *err)
{
	const char *home = souk_getenv("HOME");
	struct passwd *found = NULL;
	struct passwd entry;
	char text[PASSWD_SIZE];

	if (!home && getpwuid_r(getuid(), &entry, text, sizeof(text), &found) == 0 && found)
		home = found->pw_dir;
	if (!home || !*home)
		return souk_error_set(err, SOUK_E_NOT_FOUND, "no home folder: HOME is not set");
	souk_buf_str(out, home);
	return souk_buf_failed(out, err);
}

static int read_all(int fd, const char *path, char *chunk, size_t size, struct souk_buf *out,
		    struct souk_error *err)
{
	size_t len = 0;
	ssize_t got;

	do {
		got = read(fd, chunk + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return souk_error_set(err, SOUK_E_INVALID, "cannot read '%s': %s", path,
					      strerror(errno));
		len += (size_t)got;
		if (got && len < size)
			continue;
		if (souk_buf_add(out, chunk, len) == SOUK_E_INVALID)
			return souk_error_set(err, SOUK_E_INVALID, "'%s' is too large", path);
		len = 0;
	} while (got);
	return souk_buf_failed(out, err);
}

/* In one piece, as far as the size is known: a text that grows leaves copies of a secret behind. */
static int read_open(int fd, const char *path, size_t max, struct souk_buf *out,
		     struct souk_error *err)
{
	struct stat st;
	size_t size = CHUNK;
	char *chunk;
	int ret;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return souk_error_set(err, SOUK_E_INVALID, "'%s' is not a regular file", path);
	if ((uintmax_t)st.st_size > max)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' is too large", path);
	if ((size_t)st.st_size >= size)
		size = (size_t)st.st_size + 1;
	chunk = malloc(size);
	if (!chunk)
		return souk_error_nomem(err);
	ret = read_all(fd, path, chunk, size, out, err);
	explicit_bzero(chunk, size);
	free(chunk);
	return ret;
}

int souk_read_file(const char *path, size_t max, struct souk_buf *out, struct souk_error *err)
{
	int missing;
	int fd;
	int ret;

	souk_buf_init(out, max);
	/* O_NONBLOCK: a FIFO in its place must not hold us up. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		missing = errno == ENOENT || errno == ENOTDIR;
		return souk_error_set(err, missing ? SOUK_E_NOT_FOUND : SOUK_E_INVALID,
				      "cannot open '%s': %s", path, strerror(errno));
	}
	ret = read_open(fd, path, max, out, err);
	close(fd);
	return ret;
}
