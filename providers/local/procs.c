/* SPDX-License-Identifier: Apache-2.0 */
/* procs.c - find the processes of a machine and end them, and no others */
#include "procs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MAX_WATCHED 256 /* processes waited for at once; the others are found again */
#define TICK_MS 200
#define RETRY_MS 20 /* between two looks where the kernel has no pidfd */

int64_t local_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int local_pidfd_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int local_pidfd_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

/* ---- Reading /proc -------------------------------------------------------------------- */

/* Fill in 'proc' from /proc/PID/stat; -ENOENT if there is no such process. */
static int read_stat(pid_t pid, struct local_proc *proc)
{
	unsigned long long started;
	char path[40];
	char text[1024];
	char state;
	char *name;
	char *rest;
	long parent;
	long threads;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0)
		return -ENOENT;
	text[n] = '\0';
	/* The name may hold spaces and parentheses: what follows begins after the last one. */
	name = strchr(text, '(');
	rest = strrchr(text, ')');
	if (!name || !rest ||
	    sscanf(rest + 1,
		   " %c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld %*d "
		   "%llu",
		   &state, &parent, &threads, &started) != 4)
		return -ENOENT;
	memset(proc, 0, sizeof(*proc));
	proc->pid = pid;
	proc->parent = (pid_t)parent;
	proc->started = started;
	/* A process whose first thread has ended looks like a zombie while the others run on. */
	proc->dead = (state == 'Z' || state == 'X') && threads <= 1;
	proc->sshd = strncmp(name + 1, "sshd", 4) == 0;
	return 0;
}

/* Does the environment with which the process was started hold the line 'want'? */
static int has_variable(pid_t pid, const char *want)
{
	size_t want_len = strlen(want) + 1; /* the NUL after it is part of the match */
	size_t matched = 0;
	int skipping = 0;
	char path[40];
	char block[4096];
	int found = 0;
	ssize_t n;
	ssize_t i;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while (!found && (n = read(fd, block, sizeof(block))) > 0) {
		for (i = 0; i < n && !found; i++) {
			if (!skipping && block[i] == want[matched])
				found = ++matched == want_len;
			else
				skipping = 1;
			if (block[i] == '\0') {
				matched = 0;
				skipping = 0;
			}
		}
	}
	(void)close(fd);
	return found;
}

static int by_pid(const void *a, const void *b)
{
	const struct local_proc *x = a;
	const struct local_proc *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct local_proc *find_pid(struct local_proc *procs, size_t n, pid_t pid)
{
	struct local_proc key = { .pid = pid };

	return n ? bsearch(&key, procs, n, sizeof(*procs), by_pid) : NULL;
}

static int read_all(struct local_proc **procs_out, size_t *n_out)
{
	struct local_proc *procs = NULL;
	struct dirent *entry;
	size_t size = 0;
	size_t n = 0;
	DIR *dir = opendir("/proc");

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		char *end;
		long pid = strtol(entry->d_name, &end, 10);

		if (*end || pid <= 0)
			continue;
		if (n == size) {
			struct local_proc *more;

			size = size ? size * 2 : 256;
			more = realloc(procs, size * sizeof(*procs));
			if (!more) {
				free(procs);
				(void)closedir(dir);
				return -ENOMEM;
			}
			procs = more;
		}
		if (read_stat((pid_t)pid, &procs[n]) == 0)
			n++;
	}
	(void)closedir(dir);
	if (n)
		qsort(procs, n, sizeof(*procs), by_pid);
	*procs_out = procs;
	*n_out = n;
	return 0;
}

/* ---- Whose is it? --------------------------------------------------------------------- */

/* The processes that carry the mark, and the sshd above them. */
static int find_marked(const char *mark, struct local_proc *procs, size_t n)
{
	struct local_proc *up;
	char want[256];
	size_t i;
	int ret;

	ret = snprintf(want, sizeof(want), "%s=%s", LOCAL_MARK_VARIABLE, mark);
	if (ret < 0 || (size_t)ret >= sizeof(want))
		return -EINVAL;
	for (i = 0; i < n; i++) {
		if (procs[i].pid == getpid() || !has_variable(procs[i].pid, want))
			continue;
		procs[i].member = 1;
		/* sshd writes its title over its environment, so it is known by its children. */
		up = find_pid(procs, n, procs[i].parent);
		while (up && up->sshd && up->pid != getpid()) {
			up->member = 1;
			up = find_pid(procs, n, up->parent);
		}
	}
	return 0;
}

/* Does it descend from the root or from a member, on a way that does not lead through us? */
static int descends(const struct local_procs *which, struct local_proc *procs, size_t n,
		    const struct local_proc *proc)
{
	size_t steps;

	for (steps = 0; proc && steps <= n; steps++) {
		if (proc->member)
			return 1;
		if (which->root && proc->parent == which->root)
			return 1;
		if (proc->pid == getpid() || proc->parent == getpid())
			return 0;
		proc = find_pid(procs, n, proc->parent);
	}
	return 0;
}

int local_procs_find(const struct local_procs *which, struct local_proc **procs_out, size_t *n_out)
{
	struct local_proc *procs = NULL;
	size_t kept = 0;
	size_t n = 0;
	size_t i;
	int ret = read_all(&procs, &n);

	if (ret < 0)
		return ret;
	if (which->mark)
		ret = find_marked(which->mark, procs, n);
	if (ret < 0) {
		free(procs);
		return ret;
	}
	for (i = 0; i < n; i++)
		if (procs[i].pid != getpid() && descends(which, procs, n, &procs[i]))
			procs[i].member = 1;
	for (i = 0; i < n; i++)
		if (procs[i].member && !procs[i].dead && procs[i].pid != which->root)
			procs[kept++] = procs[i];
	*procs_out = procs;
	*n_out = kept;
	return 0;
}

int local_descends_from(pid_t ancestor)
{
	struct local_proc proc;
	pid_t pid = getpid();
	int steps;

	for (steps = 0; pid > 1 && steps < 4096; steps++) {
		if (pid == ancestor)
			return 1;
		if (read_stat(pid, &proc) < 0)
			return 0;
		pid = proc.parent;
	}
	return 0;
}

/* ---- Ending them ---------------------------------------------------------------------- */

/* What is being waited for. */
struct watch {
	struct pollfd fds[MAX_WATCHED];
	nfds_t n;
	int blind; /* some could not be given a descriptor */
};

/*
 * Signal the very process that was found. The descriptor is opened first and the start time
 * compared after, so that a pid that was given to another process meanwhile is left alone.
 */
static int signal_proc(const struct local_proc *proc, int signal, struct watch *watch)
{
	struct local_proc now;
	int fd = local_pidfd_open(proc->pid);
	int ret;

	if (fd == -ESRCH)
		return 0;
	if (read_stat(proc->pid, &now) < 0 || now.started != proc->started) {
		if (fd >= 0)
			(void)close(fd);
		return 0;
	}
	ret = proc->asked == signal ? 0
	      : fd >= 0		    ? local_pidfd_signal(fd, signal)
				    : (kill(proc->pid, signal) < 0 ? -errno : 0);
	if (fd >= 0 && ret != -ESRCH && watch->n < MAX_WATCHED) {
		watch->fds[watch->n].fd = fd;
		watch->fds[watch->n++].events = POLLIN;
		return ret;
	}
	if (fd >= 0)
		(void)close(fd);
	if (ret == -ESRCH)
		return 0;
	watch->blind = 1;
	return ret;
}

/* Until all have ended or 'until_ms' is there. */
static int wait_for(struct watch *watch, int64_t until_ms, int (*tick)(void *arg), void *arg)
{
	int ret = tick(arg);

	if (watch->blind && local_now_ms() + RETRY_MS < until_ms)
		until_ms = local_now_ms() + RETRY_MS;
	while (ret == 0) {
		int64_t left = until_ms - local_now_ms();
		nfds_t i;
		nfds_t n = 0;

		if (left <= 0 || (watch->n == 0 && !watch->blind))
			break;
		if (poll(watch->fds, watch->n, (int)(left < TICK_MS ? left : TICK_MS)) > 0) {
			for (i = 0; i < watch->n; i++) {
				if (watch->fds[i].revents)
					(void)close(watch->fds[i].fd);
				else
					watch->fds[n++] = watch->fds[i];
			}
			watch->n = n;
		}
		ret = tick(arg);
	}
	while (watch->n > 0)
		(void)close(watch->fds[--watch->n].fd);
	return ret;
}

/* Carry over who was sent what in the round before. */
static void remember(struct local_proc *procs, size_t n, struct local_proc *before, size_t n_before)
{
	size_t i;

	for (i = 0; i < n; i++) {
		struct local_proc *old = find_pid(before, n_before, procs[i].pid);

		if (old && old->started == procs[i].started)
			procs[i].asked = old->asked;
	}
}

/* Signal all; returns the number that may not be signalled. */
static size_t signal_all(struct local_proc *procs, size_t n, int signal, struct watch *watch,
			 pid_t *left_out)
{
	size_t refused = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		if (signal_proc(&procs[i], signal, watch) < 0) {
			*left_out = procs[i].pid;
			refused++;
		} else {
			procs[i].asked = (uint8_t)signal;
		}
	}
	return refused;
}

int local_procs_end(const struct local_procs *which, int (*tick)(void *arg), void *arg,
		    pid_t *left_out)
{
	int64_t grace_ends_ms = local_now_ms() + LOCAL_GRACE_MS;
	struct local_proc *before = NULL;
	size_t n_before = 0;
	int quiet = 0;
	int ret = 0;

	/* A process may be born behind the look's back while its parent dies: look twice. */
	while (ret == 0 && quiet < 2) {
		int64_t now_ms = local_now_ms();
		int kill_now = now_ms >= grace_ends_ms;
		struct watch watch = { .n = 0 };
		struct local_proc *procs;
		size_t refused;
		size_t n;

		ret = local_procs_find(which, &procs, &n);
		if (ret < 0)
			break;
		remember(procs, n, before, n_before);
		free(before);
		before = procs;
		n_before = n;
		quiet = n ? 0 : quiet + 1;
		refused = signal_all(procs, n, kill_now ? SIGKILL : SIGTERM, &watch, left_out);
		ret = wait_for(&watch, kill_now ? now_ms + 5 * TICK_MS : grace_ends_ms, tick, arg);
		if (ret == 0 && kill_now && refused && refused == n)
			ret = -EPERM;
	}
	free(before);
	return ret;
}
