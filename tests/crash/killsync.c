/* SPDX-License-Identifier: Apache-2.0 */
/*
 * killsync.c - preloaded library that ends a program with SIGKILL at its N-th sync to disk
 *
 *     SOUK_KILLSYNC_PROGRAM=souk[,NAME...]  act in programs of these names only (required)
 *     SOUK_KILLSYNC_AT=N[:before|:after]    at the N-th sync, before it (default) or after it
 *     SOUK_KILLSYNC_COUNT=FILE              append a line "N CALL FILE" for each sync
 *     SOUK_KILLSYNC_RENAME=1                a rename counts as a sync
 *
 * Each process counts for itself, from its start; a forked child begins again at 0.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_PATH_BYTES 4096

int fsync(int fd);
int fdatasync(int fd);
int rename(const char *from, const char *to);
int renameat(int from_dir, const char *from, int to_dir, const char *to);
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags);

static atomic_uint calls;
static unsigned int kill_at; /* 0: never */
static int kill_after;
static int active;
static int renames_count;
static char count_path[MAX_PATH_BYTES];

/* Is 'name' one of the names in a list with commas? */
static int listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	while (list && *list) {
		size_t n = strcspn(list, ",");

		if (n == len && memcmp(list, name, n) == 0)
			return 1;
		list += n;
		if (*list == ',')
			list++;
	}
	return 0;
}

static void refuse(const char *text)
{
	fprintf(stderr, "killsync: SOUK_KILLSYNC_AT: not N, N:before or N:after: '%s'\n", text);
	abort();
}

static void read_at(const char *text)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || end == text || n == 0 || n > 1000000)
		refuse(text);
	if (strcmp(end, ":after") == 0)
		kill_after = 1;
	else if (*end && strcmp(end, ":before") != 0)
		refuse(text);
	kill_at = (unsigned int)n;
}

static void begin_again(void)
{
	atomic_store(&calls, 0);
}

/* The environment is read once: the program may change it later. */
__attribute__((constructor)) static void killsync_init(void)
{
	const char *at = getenv("SOUK_KILLSYNC_AT");
	const char *count = getenv("SOUK_KILLSYNC_COUNT");
	const char *renames = getenv("SOUK_KILLSYNC_RENAME");

	if (!listed(getenv("SOUK_KILLSYNC_PROGRAM"), program_invocation_short_name))
		return;
	if (at)
		read_at(at);
	if (count) {
		if (strlen(count) >= sizeof(count_path)) {
			fprintf(stderr, "killsync: SOUK_KILLSYNC_COUNT: path is too long\n");
			abort();
		}
		memcpy(count_path, count, strlen(count) + 1);
	}
	renames_count = renames && strcmp(renames, "1") == 0;
	active = kill_at || count;
	if (active)
		pthread_atfork(NULL, NULL, begin_again);
}

static void note(unsigned int n, const char *call, const char *what)
{
	char line[MAX_PATH_BYTES + 64];
	int len, fd;

	len = snprintf(line, sizeof(line), "%u %s %s\n", n, call, what);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(line))
		len = sizeof(line) - 1;
	fd = open(count_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	/* one write to a file opened for appending is one line, also with many threads */
	if (write(fd, line, (size_t)len) != len)
		fprintf(stderr, "killsync: cannot write to '%s'\n", count_path);
	close(fd);
}

/* Count a call; die here if it is the one to die before. Its number, or 0 if it does not count. */
static unsigned int enter(const char *call, int fd, const char *path)
{
	char link[64], target[MAX_PATH_BYTES];
	int saved = errno;
	unsigned int n;
	ssize_t len;

	if (!active)
		return 0;
	n = atomic_fetch_add(&calls, 1) + 1;
	if (count_path[0]) {
		if (!path) {
			snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
			len = readlink(link, target, sizeof(target) - 1);
			target[len < 0 ? 0 : len] = '\0';
			path = target;
		}
		note(n, call, path);
	}
	if (n == kill_at && !kill_after)
		raise(SIGKILL);
	errno = saved;
	return n;
}

static int leave(unsigned int n, int result)
{
	if (n && n == kill_at && kill_after)
		raise(SIGKILL);
	return result;
}

/* The function of the C library that ours stands before. */
static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found) {
		fprintf(stderr, "killsync: the C library has no %s\n", name);
		abort();
	}
	return found;
}

int fsync(int fd)
{
	int (*real)(int) = (int (*)(int))next("fsync");
	unsigned int n = enter("fsync", fd, NULL);

	return leave(n, real(fd));
}

int fdatasync(int fd)
{
	int (*real)(int) = (int (*)(int))next("fdatasync");
	unsigned int n = enter("fdatasync", fd, NULL);

	return leave(n, real(fd));
}

int rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) =
		(int (*)(const char *, const char *))next("rename");
	unsigned int n = renames_count ? enter("rename", -1, to) : 0;

	return leave(n, real(from, to));
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int (*real)(int, const char *, int, const char *) =
		(int (*)(int, const char *, int, const char *))next("renameat");
	unsigned int n = renames_count ? enter("renameat", -1, to) : 0;

	return leave(n, real(from_dir, from, to_dir, to));
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned int flags)
{
	int (*real)(int, const char *, int, const char *, unsigned int) =
		(int (*)(int, const char *, int, const char *, unsigned int))next("renameat2");
	unsigned int n = renames_count ? enter("renameat2", -1, to) : 0;

	return leave(n, real(from_dir, from, to_dir, to, flags));
}
