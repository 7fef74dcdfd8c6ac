/* SPDX-License-Identifier: Apache-2.0 */
/* lock.c - one at a time, among all processes of the user: a file in the state folder that is locked */

#include <souk/provider.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 50, MAX_NAME = 128 };

struct souk_lock {
	int fd;
	char path[]; /* it goes with the lock */
};

static int is_name(const char *name)
{
	static const char others[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	size_t len = strlen(name);

	return len > 0 && len <= MAX_NAME && strspn(name, others) == len;
}

/* Is the file that is locked still the one that others will open? Its last holder has removed it. */
static int is_there(int fd, const char *path)
{
	struct stat own, other;

	return fstat(fd, &own) == 0 && stat(path, &other) == 0 && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

/* The file, open and locked; -1: somebody else has it, or had; -2: it cannot be had. */
static int try_once(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	int why = 0;

	if (fd < 0)
		return -2;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		why = errno;
	else if (is_there(fd, path))
		return fd;
	close(fd);
	errno = why;
	return !why || why == EWOULDBLOCK || why == EINTR ? -1 : -2;
}

int souk_call_lock(struct souk_call *call, const char *name, struct souk_lock **lock_out,
		   struct souk_error *err)
{
	const char *dir = souk_call_state_dir(call);
	struct souk_lock *lock;
	size_t size;
	int ret;

	if (!is_name(name))
		return souk_error_set(err, SOUK_E_INVALID, "not the name of a lock: '%.60s'", name);
	if (!dir || !*dir) {
		*lock_out = NULL;
		return SOUK_OK;
	}
	size = strlen(dir) + strlen(name) + sizeof("/.lock");
	lock = malloc(sizeof(*lock) + size);
	if (!lock)
		return souk_error_nomem(err);
	snprintf(lock->path, size, "%s/%s.lock", dir, name);
	while ((lock->fd = try_once(lock->path)) == -1) {
		ret = souk_call_sleep(call, LOOK_AGAIN_MS, err);
		if (ret < 0) {
			free(lock);
			return ret;
		}
	}
	if (lock->fd < 0) {
		/* No reason to do nothing: who has no state folder is mostly alone. */
		souk_call_log(call, SOUK_LOG_WARNING,
			      "cannot lock '%s', go on without: %s", lock->path, strerror(errno));
		free(lock);
		lock = NULL;
	}
	*lock_out = lock;
	return SOUK_OK;
}

void souk_lock_free(struct souk_lock *lock)
{
	if (!lock)
		return;
	unlink(lock->path);
	close(lock->fd);
	free(lock);
}
