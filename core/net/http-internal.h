/* SPDX-License-Identifier: Apache-2.0 */
/* net/http-internal.h - what the files of the HTTP client share */
#ifndef SOUK_NET_HTTP_INTERNAL_H
#define SOUK_NET_HTTP_INTERNAL_H

#include <pthread.h>
#include <stddef.h>

#include "net/http-cache.h"
#include "net/http.h"

struct souk_http_line; /* http-attempt.c: a set of kept connections, used by one thread at a time */
struct souk_http_replay; /* http-replay.c: the exchanges of a folder */

struct souk_http {
	pthread_mutex_t lock; /* of what follows */
	struct souk_http_line *idle;
	unsigned n_idle;
	unsigned recorded;		     /* number of the last exchange written */
	struct souk_http_replay *replay_set; /* read on first use */
	struct souk_http_cache cache;	     /* has a lock of its own */
	/* set by souk_http_new() */
	int plan;
	char *record;
	char *replay;
	char *ca_file;
};

/* http-reply.c */

struct souk_http_reply {
	int status;
	struct souk_buf headers; /* name NUL value NUL ... */
	struct souk_buf body;
};

struct souk_http_reply *souk_http_reply_create(size_t max_body);
/* Take a header line as received; what is not "Name: value" is passed over. */
int souk_http_reply_add_header(struct souk_http_reply *reply, const char *line, size_t size);
/* Forget the headers: another status line has come. */
void souk_http_reply_reset_headers(struct souk_http_reply *reply);
/* How long the server asks to wait, in ms; -1: it does not say. */
int64_t souk_http_reply_retry_after(const struct souk_http_reply *reply, int64_t wall_s);

/* http-url.c: parts of a URL that souk_http_check_url() accepts, borrowed from it */

struct souk_http_parts {
	const char *host; /* with the port */
	int host_len;
	const char *path; /* without the query; may be empty */
	int path_len;
	int is_https;
};

void souk_http_split(const char *url, struct souk_http_parts *parts_out);

/* http-trace.c */

int souk_http_is_secret_header(const char *name, size_t len);
/* Append "Name: value" likewise. */
int souk_http_add_safe_header(struct souk_buf *out, const char *line);
void souk_http_trace_request(const struct souk_http_context *context,
			     const struct souk_http_request *request, unsigned attempt);
void souk_http_trace_reply(const struct souk_http_context *context,
			   const struct souk_http_request *request,
			   const struct souk_http_reply *reply, int64_t ms);

/* http-attempt.c */

/*
 * Send once. *sent_out is 1 if the request may have reached the server, also on failure;
 * *again_out is 1 if a failure may pass.
 */
int souk_http_attempt(struct souk_http *http, const struct souk_http_context *context,
		      const struct souk_http_request *request, uint32_t timeout_ms,
		      struct souk_http_reply **reply_out, int *sent_out, int *again_out,
		      struct souk_error *err);
void souk_http_lines_free(struct souk_http *http);

/* http-replay.c */

/* Write an exchange to the folder http->record. */
int souk_http_record(struct souk_http *http, const struct souk_http_request *request,
		     const struct souk_http_reply *reply, struct souk_error *err);
/* The next reply for this request in the folder http->replay. */
int souk_http_replay(struct souk_http *http, const struct souk_http_request *request,
		     struct souk_http_reply **reply_out, struct souk_error *err);
void souk_http_replay_free(struct souk_http_replay *replay);

#endif
