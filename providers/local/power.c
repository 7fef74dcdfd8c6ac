/* SPDX-License-Identifier: Apache-2.0 */
/* power.c - switch machines on and off: addresses, supervisors, processes */
#include "local.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs.h"
#include "procs.h"

#define SLICE_MS 200	  /* how soon a cancelled call is noticed */
#define RETRY_MS 20	  /* between two looks where the kernel has no pidfd */
#define FIRST_SPARE_FD 16 /* above those that the supervisor finds its own at */

/* ---- Addresses ----------------------------------------------------------------------------- */

#define HOSTS (254u * 256u * 254u) /* 127.A.B.C, A and C from 1 to 254 */
#define FIRST_PORT 20000u	   /* below the ports that systems give away by themselves */
#define PORTS 12000u

static void host_name(uint32_t n, char *host, size_t size)
{
	n %= HOSTS;
	(void)snprintf(host, size, "127.%u.%u.%u", (unsigned)(1 + n / 254 / 256),
		       (unsigned)(n / 254 % 256), (unsigned)(1 + n % 254));
}

/* Has another machine here that address? */
static int is_taken(int rootfd, const char *id, const char *host)
{
	struct local_address address;
	struct dirent *entry;
	int taken = 0;
	int copy = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);

	if (!dir && copy >= 0)
		(void)close(copy);
	while (dir && !taken && (entry = readdir(dir)) != NULL) {
		int fd;

		if (!local_id_is_valid(entry->d_name) || strcmp(entry->d_name, id) == 0)
			continue;
		fd = openat(rootfd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			continue;
		taken = local_address_read(fd, &address) == 0 && strcmp(address.host, host) == 0;
		(void)close(fd);
	}
	if (dir)
		(void)closedir(dir);
	return taken;
}

/* The machines of a set get addresses in a row; where that starts follows from its name. */
static void choose_address(int rootfd, const char *id, struct local_address *address)
{
	char set[LOCAL_ID_MAX + 1];
	uint64_t hash = 14695981039346656037u;
	uint32_t rank = (uint32_t)strtoul(strrchr(id, '-') + 1, NULL, 10);
	uint32_t start;
	uint32_t tries;
	char *c;

	local_id_set(id, set);
	for (c = set; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 1099511628211u;
	hash ^= hash >> 29;
	start = (uint32_t)(hash % HOSTS);
	address->port = (uint16_t)(FIRST_PORT + (hash >> 40) % PORTS);
	for (tries = 0; tries < 64; tries++) {
		host_name(start + rank + tries * LOCAL_MAX_MACHINES, address->host,
			  sizeof(address->host));
		if (!is_taken(rootfd, id, address->host))
			return;
	}
}

static int try_bind(int fd, const char *host, uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, host, &in.sin_addr) != 1)
		return -EINVAL;
	return bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 ? -errno : 0;
}

static int bind_near(int fd, const struct local_address *address)
{
	int ret = -EADDRINUSE;
	uint16_t i;

	for (i = 0; i < 64 && ret == -EADDRINUSE; i++)
		ret = try_bind(fd, address->host, (uint16_t)(address->port + i));
	if (ret == -EADDRINUSE)
		ret = try_bind(fd, address->host, 0);
	return ret;
}

/* A listening socket at the address that the machine had last, or at a new one. */
static int listen_for(int rootfd, const char *id, int dirfd, int *fd_out, struct souk_error *err)
{
	struct local_address address;
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ret;

	if (fd < 0)
		return local_fail(err, -errno, "make a socket for the machine", id);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (local_address_read(dirfd, &address) < 0)
		choose_address(rootfd, id, &address);
	ret = bind_near(fd, &address);
	if (ret == -EADDRNOTAVAIL) {
		/* Not every system answers to all of 127.0.0.0/8. */
		memcpy(address.host, "127.0.0.1", sizeof("127.0.0.1"));
		ret = bind_near(fd, &address);
	}
	if (ret == 0 && listen(fd, 128) < 0)
		ret = -errno;
	if (ret < 0) {
		(void)close(fd);
		return local_fail(err, ret, "listen on a loopback address for the machine", id);
	}
	*fd_out = fd;
	return SOUK_OK;
}

/* ---- On ------------------------------------------------------------------------------------ */

/* Start the program with the descriptors that it expects: see supervisor.c. */
static int spawn(const char *program, char *const *argv, int report, int log, int listener)
{
	static char *const envp[] = { "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int ret = posix_spawn_file_actions_init(&actions);

	if (ret)
		return -ret;
	ret = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&actions, report, 1);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&actions, log, 2);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&actions, listener, 3);
	if (!ret)
		ret = posix_spawn(&pid, program, &actions, NULL, argv, envp);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (ret)
		return -ret;
	/* It leaves at once, and a process behind that is nobody's child. */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return 0;
}

/* Move a descriptor out of the way of those that the new process gets. */
static int lift(int *fd)
{
	int high;

	if (*fd >= FIRST_SPARE_FD)
		return 0;
	high = fcntl(*fd, F_DUPFD_CLOEXEC, FIRST_SPARE_FD);
	if (high < 0)
		return -errno;
	(void)close(*fd);
	*fd = high;
	return 0;
}

static int start_supervisor(const struct local *self, const struct local_programs *programs,
			    const char *id, int dirfd, int *listener, struct local_boot *boot)
{
	struct local_record record;
	char dir[PATH_MAX];
	int pipefd[2] = { -1, -1 };
	int log = -1;
	int ret = local_record_read(dirfd, &record);

	if (ret < 0)
		return ret;
	(void)snprintf(dir, sizeof(dir), "%s/%s", self->root, id);
	log = openat(dirfd, LOCAL_LOG, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		     0600);
	if (log < 0 || pipe2(pipefd, O_CLOEXEC) < 0)
		ret = -errno;
	if (ret == 0)
		ret = lift(&log);
	if (ret == 0)
		ret = lift(&pipefd[1]);
	if (ret == 0)
		ret = lift(listener);
	if (ret == 0) {
		char *const argv[] = {
			(char *)programs->supervisor, "run", dir, (char *)programs->sshd,
			(char *)record.mark,	      NULL
		};

		ret = spawn(programs->supervisor, argv, pipefd[1], log, *listener);
	}
	local_record_fini(&record);
	if (log >= 0)
		(void)close(log);
	if (pipefd[1] >= 0)
		(void)close(pipefd[1]);
	if (ret < 0 && pipefd[0] >= 0)
		(void)close(pipefd[0]);
	else
		boot->report = pipefd[0];
	return ret;
}

int local_boot_begin(const struct local *self, int rootfd, const struct local_programs *programs,
		     const char *id, int dirfd, struct local_boot *boot, struct souk_error *err)
{
	int listener;
	int ret = listen_for(rootfd, id, dirfd, &listener, err);

	if (ret != SOUK_OK)
		return ret;
	ret = start_supervisor(self, programs, id, dirfd, &listener, boot);
	(void)close(listener);
	return ret < 0 ? local_fail(err, ret, "start the supervisor of the machine", id) : SOUK_OK;
}

/* What the supervisor has said. "busy": another call has just started one. */
static int judge(const char *id, const char *words, struct souk_error *err)
{
	if (strcmp(words, "ok") == 0 || strcmp(words, "busy") == 0)
		return SOUK_OK;
	souk_error_set(err, SOUK_E_INTERNAL, "machine '%s' did not start: %s", id,
		       words[0] ? words : "its supervisor ended without a word");
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

int local_boot_wait(struct souk_call *call, const char *id, struct local_boot *boot,
		    struct souk_error *err)
{
	struct pollfd pfd = { .fd = boot->report, .events = POLLIN };
	char words[448];
	size_t len = 0;
	int ret = SOUK_OK;

	if (boot->report < 0)
		return SOUK_OK;
	while (ret == SOUK_OK) {
		ssize_t n;

		if (poll(&pfd, 1, SLICE_MS) <= 0) {
			ret = local_over(call, "the start of the machine", id, err);
			continue;
		}
		n = read(boot->report, words + len, sizeof(words) - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
		if (len == sizeof(words) - 1)
			break;
	}
	words[len] = '\0';
	local_boot_fini(boot);
	return ret == SOUK_OK ? judge(id, words, err) : ret;
}

void local_boot_fini(struct local_boot *boot)
{
	if (boot->report >= 0)
		(void)close(boot->report);
	boot->report = -1;
}

/* ---- Off ----------------------------------------------------------------------------------- */

/* A machine cannot be ended by a process that would not live to see it. */
static int is_inside(const char *mark, pid_t supervisor)
{
	const char *ours = getenv(LOCAL_MARK_VARIABLE);

	return (ours && mark && strcmp(ours, mark) == 0) ||
	       (supervisor && local_descends_from(supervisor));
}

static int refuse_inside(const struct local_halt *halt, pid_t pid, struct souk_error *err)
{
	struct local_record record = { .text = NULL };
	int inside;

	(void)local_record_read(halt->dirfd, &record);
	inside = is_inside(record.mark, pid);
	local_record_fini(&record);
	if (!inside)
		return SOUK_OK;
	souk_error_set(err, SOUK_E_CONFLICT, "machine '%s' cannot be ended from inside it",
		       halt->id);
	return souk_error_hint(err, "do it from outside, or run its shutdown command");
}

static int ask_supervisor(struct local_halt *halt, const char *ending, struct souk_error *err)
{
	pid_t again = 0;
	int ret;

	ret = local_write_file(halt->dirfd, LOCAL_ENDING, 0600, ending);
	if (ret < 0 && ret != -ENOSPC && ret != -EDQUOT && ret != -ENOENT)
		return local_fail(err, ret, "mark the end of the machine", halt->id);
	halt->pidfd = local_pidfd_open(halt->pid);
	/* Still the same? Then the descriptor is that of the supervisor. */
	ret = local_supervisor_pid(halt->dirfd, &again);
	if (ret < 0)
		return local_fail(err, ret, "look at the machine", halt->id);
	if (again != halt->pid || halt->pidfd == -ESRCH) {
		halt->pid = 0; /* it has ended meanwhile, by itself */
		return SOUK_OK;
	}
	/* Somebody may have stopped it. In this order: SIGCONT must not come when it is ending. */
	if (halt->pidfd >= 0) {
		(void)local_pidfd_signal(halt->pidfd, SIGCONT);
		ret = local_pidfd_signal(halt->pidfd, SIGTERM);
	} else {
		(void)kill(halt->pid, SIGCONT);
		ret = kill(halt->pid, SIGTERM) < 0 ? -errno : 0;
	}
	if (ret < 0 && ret != -ESRCH)
		return local_fail(err, ret, "end the machine", halt->id);
	return SOUK_OK;
}

static int wait_for_supervisor(struct souk_call *call, struct local_halt *halt,
			       struct souk_error *err)
{
	struct pollfd pfd = { .fd = halt->pidfd, .events = POLLIN };
	pid_t pid = halt->pid;
	int ret = SOUK_OK;

	while (ret == SOUK_OK && pid == halt->pid) {
		if (pfd.fd >= 0 && poll(&pfd, 1, SLICE_MS) > 0)
			return SOUK_OK;
		if (pfd.fd < 0 && local_supervisor_pid(halt->dirfd, &pid) < 0)
			return SOUK_OK; /* the folder has gone with it */
		ret = local_over(call, "the end of the machine", halt->id, err);
		if (ret == SOUK_OK && pfd.fd < 0 && pid == halt->pid)
			(void)poll(NULL, 0, RETRY_MS);
	}
	return ret;
}

struct ticking {
	struct souk_call *call;
	const char *id;
	struct souk_error *err;
};

static int tick(void *arg)
{
	struct ticking *ticking = arg;

	return local_over(ticking->call, "the processes of the machine", ticking->id, ticking->err);
}

int local_end_leftovers(struct souk_call *call, const char *id, int dirfd, struct souk_error *err)
{
	struct ticking ticking = { .call = call, .id = id, .err = err };
	struct local_procs which = { .root = 0 };
	struct local_record record;
	struct souk_error over = SOUK_ERROR_INIT;
	pid_t left_out = 0;
	int ret = local_record_read(dirfd, &record);

	/* Without a record there is no mark to look for; the folder must be removable all the same.
	 */
	if (ret == -ENOENT || ret == -EBADMSG)
		return SOUK_OK;
	if (ret < 0)
		return local_fail(err, ret, "read the record of the machine", id);
	which.mark = record.mark;
	ticking.err = &over;
	ret = local_procs_end(&which, tick, &ticking, &left_out);
	local_record_fini(&record);
	if (over.code != SOUK_OK)
		return souk_error_set(err, over.code, "%s", over.message);
	if (ret == -EPERM) {
		souk_error_set(err, SOUK_E_CONFLICT,
			       "process %ld of machine '%s' belongs to another user",
			       (long)left_out, id);
		return souk_error_hint(err, "sudo kill %ld, then try again", (long)left_out);
	}
	return ret < 0 ? local_fail(err, ret, "end the processes of the machine", id) : SOUK_OK;
}

int local_halt(struct souk_call *call, struct local_halt *halts, uint32_t n, const char *ending,
	       struct souk_error *err)
{
	int ret = SOUK_OK;
	uint32_t i;

	for (i = 0; i < n; i++)
		halts[i].pidfd = -1;
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		int got = halts[i].dirfd < 0 ? 0
					     : local_supervisor_pid(halts[i].dirfd, &halts[i].pid);

		if (got < 0)
			ret = local_fail(err, got, "look at the machine", halts[i].id);
		else if (halts[i].dirfd >= 0)
			ret = refuse_inside(&halts[i], halts[i].pid, err);
	}
	for (i = 0; i < n && ret == SOUK_OK; i++)
		if (halts[i].dirfd >= 0 && halts[i].pid)
			ret = ask_supervisor(&halts[i], ending, err);
	for (i = 0; i < n && ret == SOUK_OK; i++)
		if (halts[i].dirfd >= 0 && halts[i].pid)
			ret = wait_for_supervisor(call, &halts[i], err);
	for (i = 0; i < n && ret == SOUK_OK; i++)
		if (halts[i].dirfd >= 0)
			ret = local_end_leftovers(call, halts[i].id, halts[i].dirfd, err);
	for (i = 0; i < n; i++)
		if (halts[i].pidfd >= 0)
			(void)close(halts[i].pidfd);
	return ret;
}

/* ---- Away ---------------------------------------------------------------------------------- */

/* FUSE mounts of ordinary users are unmounted by a helper that may do it for them. */
static int unmount_fuse(const char *mount, void *arg)
{
	static const char *const helpers[] = { "fusermount3", "fusermount" };
	char output[256];
	int32_t status = 1;
	size_t i;

	for (i = 0; i < sizeof(helpers) / sizeof(*helpers) && status != 0; i++) {
		const char *const argv[] = { helpers[i], "-u", "-z", mount, NULL };

		if (souk_call_run(arg, argv, output, sizeof(output), &status, NULL) != SOUK_OK)
			status = 1;
	}
	return 0;
}

int local_folder_remove(const struct local *self, int rootfd, struct souk_call *call,
			const char *id, struct souk_error *err)
{
	char path[PATH_MAX];
	int ret;

	(void)snprintf(path, sizeof(path), "%s/%s", self->root, id);
	if (call && geteuid() != 0)
		(void)local_each_mount(path, unmount_fuse, call);
	ret = local_machine_remove(rootfd, self->root, id);
	return ret < 0 ? local_fail(err, ret, "remove the folder of the machine", path) : SOUK_OK;
}
