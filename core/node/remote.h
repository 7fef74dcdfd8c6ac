/* SPDX-License-Identifier: Apache-2.0 */
/* node/remote.h - a shell on a machine: by SSH, or by the provider's own exec */
#ifndef SOUK_NODE_REMOTE_H
#define SOUK_NODE_REMOTE_H

#include "net/ssh.h"
#include "provider/provider.h"

/* The machine. Borrowed by souk_remote_open(). */
struct souk_remote_target {
	struct souk_ssh_target ssh;
	struct souk_provider *provider;	/* whose exec is used if it has one; may be NULL */
	struct souk_instance_ref ref;
};

struct souk_remote;

/*
 * Connect, trying again until the machine lets us in or 'patience_ms' is over: a machine that
 * boots refuses connections, then logins. A wrong host key is final at once (CONFLICT).
 * *host_key_out as in souk_ssh_connect(); NULL with a provider's exec.
 */
int souk_remote_open(const struct souk_remote_target *target, uint32_t patience_ms,
		     struct souk_cancel *cancel, struct souk_remote **remote_out,
		     char **host_key_out, struct souk_error *err);
void souk_remote_close(struct souk_remote *remote);

/* As souk_ssh_run() and souk_ssh_capture(). One command at a time. */
int souk_remote_run(struct souk_remote *remote, const struct souk_ssh_command *command,
		    int *exit_status_out, struct souk_error *err);
int souk_remote_capture(struct souk_remote *remote, const char *command, const void *input,
			size_t input_size, struct souk_buf *out, int *exit_status_out,
			struct souk_error *err);

const char *souk_remote_name(const struct souk_remote *remote);

#endif
