/* SPDX-License-Identifier: Apache-2.0 */
/* base/cancel.c - one flag that ends every wait */
#include "base/cancel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"

int souk_cancel_init(struct souk_cancel *cancel, struct souk_error *err)
{
	cancel->flag = 0;
	if (pipe2(cancel->fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return souk_error_errno(err, errno, "cannot make a pipe");
	return SOUK_OK;
}

void souk_cancel_fini(struct souk_cancel *cancel)
{
	if (!cancel)
		return;
	close(cancel->fds[0]);
	close(cancel->fds[1]);
}

void souk_cancel_set(struct souk_cancel *cancel)
{
	int saved = errno;

	__atomic_store_n(&cancel->flag, 1, __ATOMIC_RELEASE);
	/* A full pipe is readable, which is all that is wanted. */
	if (write(cancel->fds[1], "", 1) < 0)
		errno = saved;
	errno = saved;
}

int souk_cancel_is_set(const struct souk_cancel *cancel)
{
	return cancel && __atomic_load_n(&cancel->flag, __ATOMIC_ACQUIRE);
}

int souk_cancel_fd(const struct souk_cancel *cancel)
{
	return cancel ? cancel->fds[0] : -1;
}

int souk_cancel_wait(struct souk_cancel *cancel, uint32_t ms, struct souk_error *err)
{
	int64_t end = souk_clock_ms() + ms;
	struct pollfd fd = { .fd = souk_cancel_fd(cancel), .events = POLLIN };
	int64_t left;

	for (;;) {
		if (souk_cancel_is_set(cancel))
			return souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
		left = end - souk_clock_ms();
		if (left <= 0)
			return SOUK_OK;
		poll(&fd, 1, left > 1000000 ? 1000000 : (int)left);
	}
}
