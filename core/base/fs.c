/* SPDX-License-Identifier: Apache-2.0 */
/* base/fs.c - files and folders */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/id.h"
#include "base/strv.h"
#include "base/util.h"

static int read_all(int fd, const char *path, size_t ceiling, char **text_out, size_t *size_out,
		    struct souk_error *err)
{
	size_t size = 0, room = 4096;
	SOUK_AUTO_FREE char *text = malloc(room + 1);

	if (!text)
		return souk_error_nomem(err);
	for (;;) {
		ssize_t n = read(fd, text + size, room - size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return souk_error_errno(err, errno, "cannot read '%s'", path);
		if (n == 0)
			break;
		size += (size_t)n;
		if (size > ceiling)
			return souk_error_set(err, SOUK_E_INVALID, "'%s' is larger than %zu bytes",
					      path, ceiling);
		if (size == room) {
			char *larger = realloc(text, room * 2 + 1);

			if (!larger)
				return souk_error_nomem(err);
			text = larger;
			room *= 2;
		}
	}
	text[size] = '\0';
	if (size_out)
		*size_out = size;
	*text_out = text;
	text = NULL;
	return SOUK_OK;
}

int souk_fs_read(const char *path, size_t ceiling, char **text_out, size_t *size_out,
		 struct souk_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		return souk_error_errno(err, errno, "cannot open '%s'", path);
	ret = read_all(fd, path, ceiling, text_out, size_out, err);
	close(fd);
	return ret;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static void sync_parent(const char *path)
{
	SOUK_AUTO_FREE char *parent = strdup(path);
	char *slash = parent ? strrchr(parent, '/') : NULL;
	int fd;

	if (!parent)
		return;
	if (slash)
		slash[slash == parent ? 1 : 0] = '\0';
	fd = open(slash ? parent : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Some file systems cannot; the rename itself is still atomic. */
	fsync(fd);
	close(fd);
}

static int replace(const char *path, const void *data, size_t size, mode_t mode, int durable,
		   struct souk_error *err)
{
	SOUK_AUTO_FREE char *temporary = NULL;
	char id[SOUK_ID_SIZE];
	int fd, ret, errnum;

	ret = souk_id_new(id, 8, err);
	if (ret < 0)
		return ret;
	if (asprintf(&temporary, "%s.%s.tmp", path, id) < 0) {
		temporary = NULL;
		return souk_error_nomem(err);
	}
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (fd < 0)
		return souk_error_errno(err, errno, "cannot create '%s'", temporary);
	if (write_all(fd, data, size) < 0 || fchmod(fd, mode) < 0 || (durable && fsync(fd) < 0)) {
		errnum = errno;
		close(fd);
		unlink(temporary);
		return souk_error_errno(err, errnum, "cannot write '%s'", path);
	}
	/* Some network file systems tell only here that there was no room. */
	if (close(fd) < 0 || rename(temporary, path) < 0) {
		errnum = errno;
		unlink(temporary);
		return souk_error_errno(err, errnum, "cannot write '%s'", path);
	}
	if (durable)
		sync_parent(path);
	return SOUK_OK;
}

int souk_fs_write(const char *path, const void *data, size_t size, mode_t mode,
		  struct souk_error *err)
{
	return replace(path, data, size, mode, 1, err);
}

int souk_fs_write_lazily(const char *path, const void *data, size_t size, mode_t mode,
			 struct souk_error *err)
{
	return replace(path, data, size, mode, 0, err);
}

int souk_fs_mkdir(const char *path, mode_t mode, struct souk_error *err)
{
	SOUK_AUTO_FREE char *copy = strdup(path);
	char *at;

	if (!copy)
		return souk_error_nomem(err);
	for (at = copy + 1; copy[0] && *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return souk_error_errno(err, errno, "cannot make the folder '%s'", copy);
		*at = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return souk_error_errno(err, errno, "cannot make the folder '%s'", copy);
	if (!souk_fs_is_dir(copy))
		return souk_error_set(err, SOUK_E_CONFLICT, "'%s' is not a folder", copy);
	return SOUK_OK;
}

static int remove_at(int parent, const char *name, const char *path, struct souk_error *err);

static int remove_entries(int fd, const char *path, struct souk_error *err)
{
	struct dirent *entry;
	int ret = SOUK_OK;
	DIR *dir = fdopendir(fd);

	if (!dir) {
		close(fd);
		return souk_error_nomem(err);
	}
	while (ret == SOUK_OK && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			ret = remove_at(dirfd(dir), entry->d_name, path, err);
	closedir(dir);
	return ret;
}

static int remove_at(int parent, const char *name, const char *path, struct souk_error *err)
{
	int fd, ret;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return SOUK_OK;
	if (errno != EISDIR && errno != EPERM)
		return souk_error_errno(err, errno, "cannot remove '%s' of '%s'", name, path);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == EACCES && fchmodat(parent, name, 0700, 0) == 0)
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ?
			       SOUK_OK :
			       souk_error_errno(err, errno, "cannot remove '%s' of '%s'", name, path);
	/* A folder whose owner may not write in it could not be emptied. */
	fchmod(fd, 0700);
	ret = remove_entries(fd, path, err);
	if (ret == SOUK_OK && unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		ret = souk_error_errno(err, errno, "cannot remove '%s' of '%s'", name, path);
	return ret;
}

int souk_fs_remove(const char *path, struct souk_error *err)
{
	return remove_at(AT_FDCWD, path, path, err);
}

char *souk_fs_join(const char *folder, const char *name)
{
	size_t len = strlen(folder);
	char *path = NULL;

	if (asprintf(&path, "%s%s%s", folder, len > 0 && folder[len - 1] == '/' ? "" : "/", name) < 0)
		return NULL;
	return path;
}

char *souk_fs_expand(const char *path)
{
	const char *home = getenv("HOME");

	if (!home || path[0] != '~' || (path[1] != '/' && path[1] != '\0'))
		return strdup(path);
	return path[1] ? souk_fs_join(home, path + 2) : strdup(home);
}

const char *souk_fs_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int souk_fs_is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int souk_fs_is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

char *souk_fs_find_program(const char *name)
{
	struct souk_strv folders = { 0 };
	const char *path = getenv("PATH");
	char *found = NULL;
	size_t i;

	if (strchr(name, '/'))
		return access(name, X_OK) == 0 && souk_fs_is_file(name) ? strdup(name) : NULL;
	if (souk_strv_split(&folders, path ? path : "/usr/local/bin:/usr/bin:/bin", ':', NULL) < 0) {
		souk_strv_fini(&folders);
		return NULL;
	}
	for (i = 0; i < folders.n && !found; i++) {
		found = souk_fs_join(folders.items[i], name);
		if (found && (access(found, X_OK) != 0 || !souk_fs_is_file(found))) {
			free(found);
			found = NULL;
		}
	}
	souk_strv_fini(&folders);
	return found;
}

static int check_one(const char *path, struct souk_error *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return souk_error_errno(err, errno, "cannot look at '%s'", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return souk_error_set(err, SOUK_E_AUTH, "'%s' belongs to another user (uid %lu)", path,
				      (unsigned long)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return souk_error_set(err, SOUK_E_AUTH,
				      "other users can write '%s' (mode %04o)", path,
				      (unsigned)(st.st_mode & 07777));
	return SOUK_OK;
}

/* The folder that a path is in, as it is written. */
static int check_folder(const char *path, struct souk_error *err)
{
	SOUK_AUTO_FREE char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!folder)
		return souk_error_nomem(err);
	if (!slash)
		return check_one(".", err);
	slash[slash == folder ? 1 : 0] = '\0';
	return check_one(folder, err);
}

int souk_fs_check_trusted(const char *path, struct souk_error *err)
{
	SOUK_AUTO_FREE char *real = realpath(path, NULL);
	int ret;

	if (!real)
		return souk_error_errno(err, errno, "cannot look at '%s'", path);
	ret = check_one(real, err);
	if (ret == SOUK_OK)
		ret = check_folder(real, err);
	/* A link: whoever can write in its folder can turn it to another file. */
	if (ret == SOUK_OK && strcmp(real, path) != 0)
		ret = check_folder(path, err);
	return ret;
}
