/* SPDX-License-Identifier: Apache-2.0 */
/* net/ssh-proxy.c - a command that carries an SSH connection, as ProxyCommand of ssh_config does */
#include "net/ssh-internal.h"

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

enum { COMMAND_MAX = 16 * 1024, GRACE_MS = 1000 };

extern char **environ;

void souk_ssh_tail_add(struct souk_ssh_tail *tail, const char *data, size_t size)
{
	size_t max = sizeof(tail->text) - 1;
	size_t keep, i;

	if (size > max) {
		data += size - max;
		size = max;
	}
	keep = tail->len < max - size ? tail->len : max - size;
	memmove(tail->text, tail->text + tail->len - keep, keep);
	memcpy(tail->text + keep, data, size);
	tail->len = keep + size;
	tail->text[tail->len] = '\0';
	/* One line, which cannot move the cursor. */
	for (i = keep; i < tail->len; i++)
		if ((unsigned char)tail->text[i] < 0x20 || tail->text[i] == 0x7f)
			tail->text[i] = ' ';
}

const char *souk_ssh_tail_text(struct souk_ssh_tail *tail)
{
	while (tail->len > 0 && tail->text[tail->len - 1] == ' ')
		tail->text[--tail->len] = '\0';
	return tail->text + strspn(tail->text, " ");
}

/* What goes into a shell's command line unquoted: names, addresses, nothing else. */
static int check_word(const char *what, const char *word, struct souk_error *err)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   ".:_@%+-";

	if (!*word || *word == '-' || word[strspn(word, good)])
		return souk_error_set(err, SOUK_E_INVALID,
				      "the %s '%.60s' cannot stand in a proxy command", what, word);
	return SOUK_OK;
}

static int expand(const struct souk_ssh_target *target, struct souk_buf *out,
		  struct souk_error *err)
{
	const char *c;

	if (check_word("address", target->address, err) < 0 ||
	    check_word("user name", target->user, err) < 0)
		return SOUK_E_INVALID;
	/* The shell gives its place to the command, so that signals and the end reach it. */
	souk_buf_str(out, "exec ");
	for (c = target->proxy_command; *c; c++) {
		if (*c != '%') {
			souk_buf_add(out, c, 1);
			continue;
		}
		switch (*++c) {
		case '%':
			souk_buf_str(out, "%");
			break;
		case 'h':
		case 'n':
			souk_buf_str(out, target->address);
			break;
		case 'p':
			souk_buf_printf(out, "%u", (unsigned)target->port);
			break;
		case 'r':
			souk_buf_str(out, target->user);
			break;
		default:
			return souk_error_set(err, SOUK_E_INVALID,
					      "unknown '%%%.1s' in the proxy command '%.200s'", c,
					      target->proxy_command);
		}
	}
	return souk_buf_failed(out, err);
}

/* stdin and stdout are the socket; in a session of its own there is no terminal to ask on. */
static int spawn(const char *command, int socket_fd, int err_fd, pid_t *pid_out)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int error;

	sigemptyset(&none);
	sigfillset(&all);
	error = posix_spawn_file_actions_init(&actions);
	if (error)
		return error;
	error = posix_spawnattr_init(&attr);
	if (error) {
		posix_spawn_file_actions_destroy(&actions);
		return error;
	}
	posix_spawn_file_actions_adddup2(&actions, socket_fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, socket_fd, STDOUT_FILENO);
	error = posix_spawn_file_actions_adddup2(&actions, err_fd, STDERR_FILENO);
#if defined(__GLIBC__) && defined(__GLIBC_PREREQ)
#if __GLIBC_PREREQ(2, 34)
	if (!error)
		error = posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
#endif
#endif
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSID);
	if (!error)
		error = posix_spawn(pid_out, argv[0], &actions, &attr, (char *const *)argv,
				    environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

int souk_ssh_proxy_start(const struct souk_ssh_target *target, struct souk_ssh_proxy *proxy,
			 int *fd_out, struct souk_error *err)
{
	struct souk_buf command;
	int fds[2], errs[2], error, ret;

	souk_buf_init(&command, COMMAND_MAX);
	ret = expand(target, &command, err);
	if (ret < 0) {
		souk_buf_fini(&command);
		return ret;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
		ret = souk_error_errno(err, errno, "cannot make a socket");
	} else if (pipe2(errs, O_CLOEXEC) < 0) {
		ret = souk_error_errno(err, errno, "cannot make a pipe");
		close(fds[0]);
		close(fds[1]);
	} else {
		error = spawn(command.data, fds[1], errs[1], &proxy->pid);
		close(fds[1]);
		close(errs[1]);
		/* Ours alone do not block: the command's end of the socket is its own. */
		fcntl(fds[0], F_SETFL, O_NONBLOCK);
		fcntl(errs[0], F_SETFL, O_NONBLOCK);
		proxy->err_fd = errs[0];
		proxy->is_err_open = 1;
		*fd_out = fds[0];
		if (error) {
			proxy->pid = 0;
			souk_ssh_proxy_stop(proxy);
			close(fds[0]);
			ret = souk_error_errno(err, error, "cannot run the proxy command '%.200s'",
					       target->proxy_command);
		}
	}
	souk_buf_fini(&command);
	return ret;
}

void souk_ssh_proxy_listen(struct souk_ssh_proxy *proxy)
{
	char data[1024];
	ssize_t n;

	while (proxy->is_err_open && !proxy->is_err_over) {
		n = read(proxy->err_fd, data, sizeof(data));
		if (n > 0) {
			souk_ssh_tail_add(&proxy->tail, data, (size_t)n);
		} else if (n == 0 || (errno != EINTR && errno != EAGAIN)) {
			proxy->is_err_over = 1;
		} else if (errno == EAGAIN) {
			return;
		}
	}
}

/* Wait for its end, for a while; 1: it has come. */
static int wait_for_end(pid_t pid)
{
	struct pollfd fd = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };
	int64_t end = souk_clock_ms() + GRACE_MS;
	int64_t left;

	if (fd.fd < 0)
		return 0;
	for (left = GRACE_MS; left > 0 && !fd.revents; left = end - souk_clock_ms())
		if (poll(&fd, 1, (int)left) < 0 && errno != EINTR)
			break;
	close(fd.fd);
	return fd.revents != 0;
}

void souk_ssh_proxy_stop(struct souk_ssh_proxy *proxy)
{
	if (proxy->is_err_open)
		close(proxy->err_fd);
	proxy->is_err_open = 0;
	if (proxy->pid <= 0)
		return;
	/* The session that it leads, or itself if it has just begun and leads none yet. */
	if (kill(-proxy->pid, SIGTERM) < 0)
		kill(proxy->pid, SIGTERM);
	wait_for_end(proxy->pid);
	kill(-proxy->pid, SIGKILL);
	kill(proxy->pid, SIGKILL);
	while (waitpid(proxy->pid, NULL, 0) < 0 && errno == EINTR)
		;
	proxy->pid = 0;
}
