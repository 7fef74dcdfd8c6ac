/* SPDX-License-Identifier: Apache-2.0 */
/* base/cancel.h - one flag that ends every wait: set by a signal handler or another thread */
#ifndef SOUK_BASE_CANCEL_H
#define SOUK_BASE_CANCEL_H

#include <stdint.h>

#include <souk/provider.h>

struct souk_cancel {
	volatile int flag;
	int fds[2]; /* a pipe: [0] becomes readable for good when the flag is set */
};

int souk_cancel_init(struct souk_cancel *cancel, struct souk_error *err);
void souk_cancel_fini(struct souk_cancel *cancel);

/* Set the flag. Async-signal-safe; any thread; again is harmless. */
void souk_cancel_set(struct souk_cancel *cancel);
int souk_cancel_is_set(const struct souk_cancel *cancel); /* NULL: 0 */

/* A descriptor to poll for POLLIN beside others; -1 for NULL. */
int souk_cancel_fd(const struct souk_cancel *cancel);

/* Wait 'ms' or until the flag is set: SOUK_OK or SOUK_E_CANCELLED with 'err' filled in. NULL waits only. */
int souk_cancel_wait(struct souk_cancel *cancel, uint32_t ms, struct souk_error *err);

#endif
