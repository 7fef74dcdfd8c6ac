/* SPDX-License-Identifier: Apache-2.0 */
/* provider/host.h - the host functions that modules call, and the call that they are given */
#ifndef SOUK_PROVIDER_HOST_H
#define SOUK_PROVIDER_HOST_H

#include <stdint.h>

#include "base/cancel.h"
#include "provider/provider.h"

/* One call of an op. */
struct souk_call {
	struct souk_provider *provider;
	int64_t deadline_ms; /* on souk_clock_ms() */
	struct souk_cancel *cancel;
};

/* Where a command's data goes, for the op exec. */
struct souk_stream {
	int64_t (*read)(void *data, size_t size, void *arg);
	int (*write)(int fd, const char *data, size_t size, void *arg);
	void *arg;
};

/* Give the table of our host functions to libsouk-provider. Again is harmless. */
void souk_provider_host_install(void);

/* What the host functions need of a provider. */
const char *souk_provider_state_dir(struct souk_provider *provider);
const struct souk_paths *souk_provider_paths(const struct souk_provider *provider);

#endif
