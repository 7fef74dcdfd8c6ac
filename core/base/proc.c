/* SPDX-License-Identifier: Apache-2.0 */
/* base/proc.c - running local programs */
#include "base/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/strv.h"
#include "base/util.h"

#define ERRS_KEEP 8192
#define GRACE_MS 2000
/* More than a pipe holds: what comes later is a descendant's, not the program's. */
#define READS_AFTER_END 64

/* One running program, seen from here. */
struct child {
	const struct souk_proc_options *options;
	struct souk_proc_result *result;
	pid_t pid;
	int pidfd;
	int in, out, errs; /* our ends; -1 when closed */
	size_t written;
	int64_t deadline_ms; /* when to TERM; 0: never */
	int64_t kill_ms;     /* when to KILL; 0: TERM was not sent */
	int ended;
	unsigned reads_after_end;
	int ret;	     /* why we ended it; SOUK_OK: it ended by itself */
};

extern char **environ;

/* The environment with the additions, as an array of borrowed texts. */
static char **make_environment(const char *const *added)
{
	size_t n = 0, n_added = 0, i, j;
	char **env;

	while (environ[n])
		n++;
	while (added && added[n_added])
		n_added++;
	env = calloc(n + n_added + 1, sizeof(*env));
	if (!env)
		return NULL;
	for (i = j = 0; i < n; i++) {
		size_t name = strcspn(environ[i], "="), k;

		for (k = 0; k < n_added; k++)
			if (strncmp(added[k], environ[i], name + 1) == 0)
				break;
		if (k == n_added)
			env[j++] = environ[i];
	}
	for (i = 0; i < n_added; i++)
		env[j++] = (char *)added[i];
	return env;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* stdin is a socket, so that writing to a program that has gone is EPIPE and not SIGPIPE. */
static int open_channels(int in[2], int out[2], int errs[2])
{
	in[0] = in[1] = out[0] = out[1] = errs[0] = errs[1] = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) < 0 ||
	    pipe2(out, O_CLOEXEC) < 0 || pipe2(errs, O_CLOEXEC) < 0)
		return -1;
	shutdown(in[0], SHUT_WR);
	return 0;
}

static int spawn(struct child *child, const char *path, char **env, int in, int out, int errs)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t set;
	int ret;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		posix_spawn_file_actions_destroy(&actions);
		return ENOMEM;
	}
	posix_spawn_file_actions_adddup2(&actions, in, 0);
	posix_spawn_file_actions_adddup2(&actions, out, 1);
	posix_spawn_file_actions_adddup2(&actions, errs, 2);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attributes, &set);
	sigaddset(&set, SIGPIPE);
	sigaddset(&set, SIGINT);
	posix_spawnattr_setsigdefault(&attributes, &set);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	ret = posix_spawn(&child->pid, path, &actions, &attributes,
			  (char *const *)child->options->argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return ret;
}

static int child_start(struct child *child, struct souk_error *err)
{
	const struct souk_proc_options *options = child->options;
	SOUK_AUTO_FREE char *path = souk_fs_find_program(options->argv[0]);
	SOUK_AUTO_FREE char **env = make_environment(options->env);
	int in[2], out[2], errs[2], errnum, given;

	if (!path)
		return souk_error_set(err, SOUK_E_NOT_FOUND, "there is no program '%s' in PATH",
				      options->argv[0]);
	if (!env)
		return souk_error_nomem(err);
	errnum = open_channels(in, out, errs) < 0 ? errno : 0;
	if (errnum == 0) {
		given = options->input_fd > 0 ? options->input_fd : in[0];
		errnum = spawn(child, path, env, given, out[1], errs[1]);
	}
	close_fd(&in[0]);
	close_fd(&out[1]);
	close_fd(&errs[1]);
	if (errnum != 0 || options->input_fd > 0 || options->input_size == 0)
		close_fd(&in[1]);
	if (errnum != 0) {
		close_fd(&out[0]);
		close_fd(&errs[0]);
		return souk_error_errno(err, errnum, "cannot start '%s'", path);
	}
	child->in = in[1];
	child->out = out[0];
	child->errs = errs[0];
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	return SOUK_OK;
}

static void child_end(struct child *child, int code, struct souk_error *err)
{
	if (child->kill_ms)
		return;
	child->ret = code == SOUK_E_TIMEOUT ?
			     souk_error_set(err, code, "'%s' did not end within %u ms",
					    child->options->argv[0], child->options->timeout_ms) :
			     code;
	/* Once it has been waited for, its number may be another's. */
	if (!child->ended)
		kill(child->pid, SIGTERM);
	child->kill_ms = souk_clock_ms() + GRACE_MS;
}

static void child_write(struct child *child)
{
	ssize_t n = send(child->in, (const char *)child->options->input + child->written,
			 child->options->input_size - child->written, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		child->written += (size_t)n;
	if (child->written == child->options->input_size ||
	    (n < 0 && errno != EAGAIN && errno != EINTR))
		close_fd(&child->in);
}

static void child_read_out(struct child *child, struct souk_error *err)
{
	char data[65536];
	ssize_t n = read(child->out, data, sizeof(data));
	int ret = SOUK_OK;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close_fd(&child->out);
		return;
	}
	if (child->kill_ms)
		return;
	if (child->options->on_output) {
		ret = child->options->on_output(data, (size_t)n, child->options->arg);
		if (ret != 0)
			child_end(child, ret, err);
	} else if (souk_buf_add(&child->result->out, data, (size_t)n) < 0) {
		ret = souk_error_set(err, SOUK_E_INVALID, "'%s' printed more than %zu bytes",
				     child->options->argv[0], child->result->out.ceiling);
		child_end(child, ret, err);
	}
}

/* Keep the tail of stderr: the last words are the ones that explain. */
static void child_read_errs(struct child *child)
{
	char data[4096];
	ssize_t n = read(child->errs, data, sizeof(data));
	struct souk_buf *errs = &child->result->errs;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		close_fd(&child->errs);
		return;
	}
	if (errs->len + (size_t)n > ERRS_KEEP) {
		size_t drop = errs->len + (size_t)n - ERRS_KEEP;

		memmove(errs->data, errs->data + drop, errs->len - drop);
		errs->len -= drop;
		errs->data[errs->len] = '\0';
	}
	souk_buf_add(errs, data, (size_t)n);
}

/* How long poll may wait; -1 for ever. */
static int child_patience(const struct child *child)
{
	int64_t end = child->kill_ms ? child->kill_ms : child->deadline_ms;
	int64_t left;

	/* A descendant may hold the pipes open after the program itself has ended. */
	if (child->ended)
		return 0;
	/* Without pidfd (Linux before 5.3) the end is seen by closed pipes and by looking. */
	if (end == 0)
		return child->pidfd >= 0 ? -1 : 100;
	left = end - souk_clock_ms();
	left = left < 0 ? 0 : left;
	return child->pidfd >= 0 || left < 100 ? (int)left : 100;
}

static void child_step(struct child *child, struct souk_error *err)
{
	struct pollfd fds[5] = {
		{ .fd = child->in, .events = POLLOUT },
		{ .fd = child->out, .events = POLLIN },
		{ .fd = child->errs, .events = POLLIN },
		{ .fd = child->ended ? -1 : child->pidfd, .events = POLLIN },
		{ .fd = child->kill_ms ? -1 : souk_cancel_fd(child->options->cancel), .events = POLLIN },
	};
	int64_t now;
	int n = poll(fds, 5, child_patience(child));

	if (n > 0 && fds[0].revents)
		child_write(child);
	if (n > 0 && fds[1].revents)
		child_read_out(child, err);
	if (n > 0 && fds[2].revents)
		child_read_errs(child);
	if (n > 0 && fds[4].revents)
		child_end(child, souk_error_set(err, SOUK_E_CANCELLED, "cancelled"), err);
	if (child->ended && (n == 0 || child->kill_ms || ++child->reads_after_end > READS_AFTER_END)) {
		close_fd(&child->out);
		close_fd(&child->errs);
		return;
	}
	now = souk_clock_ms();
	if (child->ended)
		return;
	if (child->kill_ms && now >= child->kill_ms)
		kill(child->pid, SIGKILL);
	else if (!child->kill_ms && child->deadline_ms && now >= child->deadline_ms)
		child_end(child, SOUK_E_TIMEOUT, err);
}

static void child_reap(struct child *child)
{
	int status;
	pid_t pid;

	do
		pid = waitpid(child->pid, &status, WNOHANG);
	while (pid < 0 && errno == EINTR);
	if (pid == 0)
		return;
	child->ended = 1;
	if (pid < 0)
		child->result->exit_status = 127;
	else
		child->result->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) :
								 128 + WTERMSIG(status);
}

int souk_proc_run(const struct souk_proc_options *options, struct souk_proc_result *result_out,
		  struct souk_error *err)
{
	struct souk_proc_result result = { 0 };
	struct child child = {
		.options = options, .result = &result, .in = -1, .out = -1, .errs = -1, .pidfd = -1,
	};
	int ret;

	ret = child_start(&child, err);
	if (ret < 0)
		return ret;
	souk_buf_init(&result.out, options->output_ceiling ? options->output_ceiling : 1 << 20);
	souk_buf_init(&result.errs, ERRS_KEEP * 2);
	if (options->timeout_ms)
		child.deadline_ms = souk_clock_ms() + options->timeout_ms;
	while (!child.ended || child.out >= 0 || child.errs >= 0) {
		child_step(&child, err);
		if (!child.ended)
			child_reap(&child);
	}
	close_fd(&child.in);
	close_fd(&child.pidfd);
	if (child.ret != SOUK_OK) {
		souk_proc_result_fini(&result);
		return child.ret;
	}
	*result_out = result;
	return SOUK_OK;
}

void souk_proc_result_fini(struct souk_proc_result *result)
{
	if (!result)
		return;
	souk_buf_fini(&result->out);
	souk_buf_fini(&result->errs);
	*result = (struct souk_proc_result){ 0 };
}
