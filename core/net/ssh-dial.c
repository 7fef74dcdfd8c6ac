/* SPDX-License-Identifier: Apache-2.0 */
/* net/ssh-dial.c - a TCP connection that can be cancelled at every step, name resolution included
 */
#include "net/ssh-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"

/*
 * getaddrinfo() can neither be cancelled nor polled, so that a thread does it. Whoever asked may
 * leave before it is done; the last of the two frees this.
 */
struct lookup {
	pthread_mutex_t lock;
	int users;
	char *address;
	char port[8];
	int fds[2]; /* [1] is closed when the answer is there */
	int status;
	struct addrinfo *found;
};

static void lookup_leave(struct lookup *lookup)
{
	int users;

	pthread_mutex_lock(&lookup->lock);
	users = --lookup->users;
	pthread_mutex_unlock(&lookup->lock);
	if (users > 0)
		return;
	if (lookup->found)
		freeaddrinfo(lookup->found);
	pthread_mutex_destroy(&lookup->lock);
	close(lookup->fds[0]);
	free(lookup->address);
	free(lookup);
}

static void *lookup_main(void *arg)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct lookup *lookup = arg;
	struct addrinfo *found = NULL;
	int status;

	status = getaddrinfo(lookup->address, lookup->port, &hints, &found);
	pthread_mutex_lock(&lookup->lock);
	lookup->status = status;
	lookup->found = status == 0 ? found : NULL;
	pthread_mutex_unlock(&lookup->lock);
	close(lookup->fds[1]);
	lookup_leave(lookup);
	return NULL;
}

static struct lookup *lookup_start(const char *address, const char *port)
{
	struct lookup *lookup = calloc(1, sizeof(*lookup));
	pthread_attr_t attr;
	pthread_t thread;
	int failed;

	if (!lookup)
		return NULL;
	lookup->address = strdup(address);
	snprintf(lookup->port, sizeof(lookup->port), "%s", port);
	if (!lookup->address || pipe2(lookup->fds, O_CLOEXEC) < 0) {
		free(lookup->address);
		free(lookup);
		return NULL;
	}
	pthread_mutex_init(&lookup->lock, NULL);
	lookup->users = 2;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	failed = pthread_create(&thread, &attr, lookup_main, lookup);
	pthread_attr_destroy(&attr);
	if (failed) {
		close(lookup->fds[1]);
		lookup->users = 1;
		lookup_leave(lookup);
		return NULL;
	}
	return lookup;
}

/* Wait for events on fd: SOUK_OK, TIMEOUT or CANCELLED. */
static int wait_for(int fd, short events, int64_t end_ms, struct souk_cancel *cancel)
{
	struct pollfd fds[2] = { { .fd = fd, .events = events },
				 { .fd = souk_cancel_fd(cancel), .events = POLLIN } };
	int64_t left;
	int n;

	for (;;) {
		if (souk_cancel_is_set(cancel))
			return SOUK_E_CANCELLED;
		left = end_ms - souk_clock_ms();
		if (left <= 0)
			return SOUK_E_TIMEOUT;
		n = poll(fds, 2, left > 60000 ? 60000 : (int)left);
		if (n < 0 && errno != EINTR)
			return SOUK_E_INTERNAL;
		if (n > 0 && fds[0].revents)
			return SOUK_OK;
	}
}

static int unreachable(const char *where, const char *why, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_TRANSIENT, "cannot reach %s by SSH: %s", where, why);
}

static int gave_up(const char *where, int code, struct souk_error *err)
{
	if (code == SOUK_E_CANCELLED)
		return souk_error_set(err, code, "connecting to %s was cancelled", where);
	return unreachable(where, "no answer in time", err);
}

/* Connect to one address. TRANSIENT with *why_out, TIMEOUT, or CANCELLED. */
static int connect_one(const struct addrinfo *to, int64_t end_ms, struct souk_cancel *cancel,
		       int *fd_out, const char **why_out)
{
	socklen_t size = sizeof(int);
	int fd, ret, one = 1, error = 0;

	fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, to->ai_protocol);
	if (fd < 0) {
		*why_out = strerror(errno);
		return SOUK_E_TRANSIENT;
	}
	if (connect(fd, to->ai_addr, to->ai_addrlen) < 0) {
		if (errno != EINPROGRESS) {
			error = errno;
		} else {
			ret = wait_for(fd, POLLOUT, end_ms, cancel);
			if (ret < 0) {
				close(fd);
				return ret;
			}
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
		}
	}
	if (error) {
		close(fd);
		*why_out = strerror(error);
		return SOUK_E_TRANSIENT;
	}
	/* Handshakes and keystrokes do not wait for company. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	*fd_out = fd;
	return SOUK_OK;
}

/* Try each address; a silent one does not take the time of those behind it. */
static int connect_any(const char *where, const struct addrinfo *found, int64_t end_ms,
		       struct souk_cancel *cancel, int *fd_out, struct souk_error *err)
{
	const char *why = "it has no address";
	const struct addrinfo *to;
	int ret = SOUK_E_TRANSIENT;
	int64_t now, n = 0;

	for (to = found; to; to = to->ai_next)
		n++;
	for (to = found; to; to = to->ai_next, n--) {
		now = souk_clock_ms();
		ret = connect_one(to, now + (end_ms - now) / n, cancel, fd_out, &why);
		if (ret == SOUK_OK)
			return ret;
		if (ret != SOUK_E_TRANSIENT && ret != SOUK_E_TIMEOUT)
			break;
	}
	return ret == SOUK_E_TRANSIENT ? unreachable(where, why, err) : gave_up(where, ret, err);
}

int souk_ssh_dial(const char *where, const char *address, uint32_t port, int64_t end_ms,
		  struct souk_cancel *cancel, int *fd_out, struct souk_error *err)
{
	const struct addrinfo numeric = { .ai_socktype = SOCK_STREAM,
					  .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *found = NULL;
	struct lookup *lookup;
	char service[8];
	int ret;

	snprintf(service, sizeof(service), "%u", (unsigned)(port & 0xffff));
	if (getaddrinfo(address, service, &numeric, &found) == 0) {
		ret = connect_any(where, found, end_ms, cancel, fd_out, err);
		freeaddrinfo(found);
		return ret;
	}
	lookup = lookup_start(address, service);
	if (!lookup)
		return souk_error_nomem(err);
	ret = wait_for(lookup->fds[0], POLLIN, end_ms, cancel);
	if (ret < 0) {
		ret = gave_up(where, ret, err);
	} else {
		pthread_mutex_lock(&lookup->lock);
		found = lookup->found;
		ret = lookup->status;
		pthread_mutex_unlock(&lookup->lock);
		ret = ret == 0 ? connect_any(where, found, end_ms, cancel, fd_out, err)
			       : unreachable(where, gai_strerror(ret), err);
	}
	lookup_leave(lookup);
	return ret;
}
