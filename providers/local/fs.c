/* SPDX-License-Identifier: Apache-2.0 */
/* fs.c - small files, folders and mounts of a machine, for the module and for its supervisor */
#include "fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int local_make_folders(const char *path)
{
	char part[PATH_MAX];
	size_t len = strlen(path);
	size_t i;

	if (len >= sizeof(part))
		return -ENAMETOOLONG;
	memcpy(part, path, len + 1);
	for (i = 1; i <= len; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
		part[i] = path[i];
	}
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

int local_write_file(int dirfd, const char *name, mode_t mode, const char *text)
{
	char tmp[NAME_MAX + 1];
	uint32_t unique;
	int fd;
	int ret;

	if (getrandom(&unique, sizeof(unique), 0) != (ssize_t)sizeof(unique))
		return -errno;
	ret = snprintf(tmp, sizeof(tmp), "%s.%08x~", name, unique);
	if (ret < 0 || (size_t)ret >= sizeof(tmp))
		return -ENAMETOOLONG;
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	/* The mode is the file's own business, not that of the caller's umask. */
	ret = fchmod(fd, mode) < 0 ? -errno : write_all(fd, text, strlen(text));
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && renameat(dirfd, tmp, dirfd, name) < 0)
		ret = -errno;
	if (ret < 0)
		(void)unlinkat(dirfd, tmp, 0);
	return ret;
}

int local_read_file(int dirfd, const char *name, size_t max, char **text_out)
{
	size_t size = max < 4096 ? max : 4096;
	size_t len = 0;
	char *text = malloc(size + 1);
	int fd;
	int ret = 0;

	if (!text)
		return -ENOMEM;
	fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		ret = -errno;
		free(text);
		return ret;
	}
	for (;;) {
		ssize_t n;

		if (len == size) {
			char *more = size > max ? NULL : realloc(text, size * 2 + 1);

			if (!more) {
				ret = size > max ? -EFBIG : -ENOMEM;
				break;
			}
			text = more;
			size *= 2;
		}
		n = read(fd, text + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			ret = n < 0 ? -errno : 0;
			break;
		}
		len += (size_t)n;
	}
	(void)close(fd);
	if (ret == 0 && len > max)
		ret = -EFBIG;
	if (ret == 0 && memchr(text, '\0', len))
		ret = -EBADMSG;
	if (ret < 0) {
		free(text);
		return ret;
	}
	text[len] = '\0';
	*text_out = text;
	return 0;
}

/* ---- Removing a tree ------------------------------------------------------------------ */

/*
 * The folder on its way out. A subfolder that is not empty is moved up into the top, under
 * a name of our own, and emptied there in its turn; so the depth costs nothing.
 */
struct removal {
	int top;
	dev_t device;
	uint64_t moved;
};

static int move_up(struct removal *r, int dirfd, const char *name)
{
	char to[32];

	for (;;) {
		(void)snprintf(to, sizeof(to), ".~%llu", (unsigned long long)r->moved++);
		if (renameat(dirfd, name, r->top, to) == 0 || errno == ENOENT)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			return -errno;
	}
}

/* Remove one entry, or have it moved to the top. */
static int remove_entry(struct removal *r, int dirfd, const char *name)
{
	struct stat st;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM && errno != EACCES && errno != EBUSY)
		return -errno;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISDIR(st.st_mode))
		return -EPERM;
	if (st.st_dev != r->device)
		return -EXDEV;
	if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return 0;
	if (errno != ENOTEMPTY && errno != EEXIST)
		return -errno;
	/* Moving a folder writes to it, as emptying it does. */
	if ((st.st_mode & 0700) != 0700 && fchmodat(dirfd, name, 0700, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return dirfd == r->top ? -ENOTEMPTY : move_up(r, dirfd, name);
}

/* Empty one folder but for the subfolders of the top, for which *left_out is set. */
static int remove_entries(struct removal *r, int dirfd, int *left_out)
{
	struct dirent *entry;
	DIR *dir;
	int copy;
	int ret = 0;

	copy = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy < 0)
		return -errno;
	dir = fdopendir(copy);
	if (!dir) {
		ret = -errno;
		(void)close(copy);
		return ret;
	}
	for (errno = 0; ret == 0 && (entry = readdir(dir)) != NULL; errno = 0) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		ret = remove_entry(r, dirfd, entry->d_name);
		if (ret == -ENOTEMPTY && dirfd == r->top) {
			int sub = openat(dirfd, entry->d_name,
					 O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			*left_out = 1;
			ret = sub < 0 ? (errno == ENOENT ? 0 : -errno)
				      : remove_entries(r, sub, left_out);
			if (sub >= 0)
				(void)close(sub);
			if (ret == 0 && unlinkat(dirfd, entry->d_name, AT_REMOVEDIR) < 0 &&
			    errno != ENOENT && errno != ENOTEMPTY && errno != EEXIST)
				ret = -errno;
		}
	}
	if (ret == 0 && errno != 0)
		ret = -errno;
	(void)closedir(dir);
	return ret;
}

int local_remove_tree(int dirfd, const char *name)
{
	struct removal r = { .top = -1 };
	struct stat st;
	int left = 1;
	int ret = 0;

	if (fchmodat(dirfd, name, 0700, 0) < 0 && errno == ENOENT)
		return 0;
	r.top = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (r.top < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(r.top, &st) < 0)
		ret = -errno;
	r.device = st.st_dev;
	while (ret == 0 && left) {
		left = 0;
		ret = remove_entries(&r, r.top, &left);
	}
	(void)close(r.top);
	if (ret == 0 && unlinkat(dirfd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		ret = -errno;
	return ret;
}

/* ---- Mounts --------------------------------------------------------------------------- */

/* Undo the \ooo of mountinfo, in place. */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] >= '0' &&
		    text[2] <= '7' && text[3] >= '0' && text[3] <= '7') {
			*to++ = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0');
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

/* The mount point in a line of mountinfo, if it is below 'path'. */
static char *mount_of_line(char *line, const char *path, size_t len)
{
	char *save = NULL;
	char *field = strtok_r(line, " ", &save);
	int i;

	for (i = 0; field && i < 4; i++)
		field = strtok_r(NULL, " ", &save);
	if (!field)
		return NULL;
	unescape(field);
	return strncmp(field, path, len) == 0 && field[len] == '/' ? field : NULL;
}

int local_each_mount(const char *path, int (*found)(const char *mount, void *arg), void *arg)
{
	char **mounts = NULL;
	size_t n = 0;
	char *line = NULL;
	size_t size = 0;
	int ret = 0;
	FILE *file = fopen("/proc/self/mountinfo", "re");

	if (!file)
		return -errno;
	while (ret == 0 && getline(&line, &size, file) > 0) {
		char *mount = mount_of_line(line, path, strlen(path));
		char **more;

		if (!mount)
			continue;
		more = realloc(mounts, (n + 1) * sizeof(*mounts));
		if (more)
			mounts = more;
		if (!more || !(mounts[n] = strdup(mount)))
			ret = -ENOMEM;
		else
			n++;
	}
	free(line);
	(void)fclose(file);
	while (n-- > 0) {
		if (ret == 0)
			ret = found(mounts[n], arg);
		free(mounts[n]);
	}
	free(mounts);
	return ret;
}

static int unmount(const char *mount, void *arg)
{
	int *failed = arg;

	if (umount2(mount, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		*failed = -errno;
	return 0;
}

int local_unmount_below(const char *path)
{
	int failed = 0;
	int ret = local_each_mount(path, unmount, &failed);

	return ret < 0 ? ret : failed;
}
