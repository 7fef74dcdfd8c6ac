/* SPDX-License-Identifier: Apache-2.0 */
/* provider/host.h - the host functions that modules call, and the call that they are given */
#ifndef SOUK_PROVIDER_HOST_H
#define SOUK_PROVIDER_HOST_H

#include <pthread.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/strv.h"
#include "provider/crash.h"
#include "provider/provider.h"

/* One call of an op. */
struct souk_call {
	struct souk_provider *provider;
	int64_t deadline_ms; /* on souk_clock_ms() */
	struct souk_cancel *cancel;
	struct souk_crash_note note; /* the thread that called is in this op */
	souk_progress_fn progress; /* NULL: nobody listens */
	void *progress_arg;
	pthread_mutex_t lock; /* of what follows: a call may work on several threads */
	struct souk_strv kept; /* files of the kept replies that it was given, or that it gave */
	struct {
		int64_t told_ms;     /* when the listener heard last; 0: never */
		int is_pending;	     /* he has not heard what follows */
		char what[64];
		uint32_t done;
		uint32_t total;
	} told;
};

void souk_call_init(struct souk_call *call, struct souk_provider *provider);
/*
 * The call has ended with 'ret'. The listener hears how far it came. An answer that made no sense
 * (INVALID, INTERNAL) is not given again: the kept replies of the call are forgotten.
 */
void souk_call_fini(struct souk_call *call, int ret);

/* Where a command's data goes, for the op exec. */
struct souk_stream {
	int64_t (*read)(void *data, size_t size, void *arg);
	int (*write)(int fd, const char *data, size_t size, void *arg);
	void *arg;
};

/* Give the table of our host functions to libsouk-provider. Again is harmless. */
void souk_provider_host_install(void);
/* That table, for a host that stands between a module and us. */
const struct souk_host *souk_provider_host(void);

/* What the host functions need of a provider. */
const char *souk_provider_state_dir(struct souk_provider *provider);
const struct souk_paths *souk_provider_paths(const struct souk_provider *provider);
/* The rehearsal that the provider was opened for; NULL: it is in earnest. */
struct souk_rehearsal *souk_provider_rehearsal(const struct souk_provider *provider);
/* Note a request and ask the module for its reply. */
int souk_provider_rehearse(struct souk_call *call, const struct souk_http_request *request,
			   int32_t *status_out, struct souk_buf *body, struct souk_error *err);
/* What a Date header has said: seconds since the epoch. Any thread. */
void souk_provider_note_date(struct souk_provider *provider, int64_t date_s);

#endif
