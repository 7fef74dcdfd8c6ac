/* SPDX-License-Identifier: Apache-2.0 */
/* net/net-ops.h - the engine's network functions as a table, for floors outside the engine */
#ifndef SOUK_NET_NET_OPS_H
#define SOUK_NET_NET_OPS_H

#include "net/http.h"
#include "net/ssh.h"

struct souk_net_ops {
	int (*http_new)(struct souk_http **http_out, struct souk_error *err);
	void (*http_free)(struct souk_http *http);
	int (*http_perform)(struct souk_http *http, const struct souk_http_context *context,
			    const struct souk_http_request *request,
			    struct souk_http_reply **reply_out, struct souk_error *err);
	/* A reply that nobody sent; a copy of the body. NULL: no memory. */
	struct souk_http_reply *(*reply_make)(int status, const void *body, size_t size);
	void (*reply_destroy)(struct souk_http_reply *reply);
	int (*reply_status)(const struct souk_http_reply *reply);
	const char *(*reply_body)(const struct souk_http_reply *reply, size_t *size_out);
	const char *(*reply_header)(const struct souk_http_reply *reply, const char *name);
	int (*ssh_connect)(const struct souk_ssh_target *target, uint32_t timeout_ms,
			   struct souk_cancel *cancel, struct souk_ssh **ssh_out,
			   char **host_key_out, struct souk_error *err);
	void (*ssh_free)(struct souk_ssh *ssh);
	int (*ssh_capture)(struct souk_ssh *ssh, const char *command, const void *input,
			   size_t input_size, uint32_t timeout_ms, struct souk_cancel *cancel,
			   struct souk_buf *out, int *exit_status_out, struct souk_error *err);
};

extern const struct souk_net_ops souk_net_ops;

#endif
