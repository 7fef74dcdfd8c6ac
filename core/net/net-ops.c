/* SPDX-License-Identifier: Apache-2.0 */
/* net/net-ops.c - the engine's network functions as a table */
#include "net/net-ops.h"

const struct souk_net_ops souk_net_ops = {
	.http_new = souk_http_new,
	.http_free = souk_http_free,
	.http_perform = souk_http_perform,
	.reply_make = souk_http_reply_make,
	.reply_destroy = souk_http_reply_destroy,
	.reply_status = souk_http_reply_get_status,
	.reply_body = souk_http_reply_get_body,
	.reply_header = souk_http_reply_get_header,
	.ssh_connect = souk_ssh_connect,
	.ssh_free = souk_ssh_free,
	.ssh_capture = souk_ssh_capture,
};
