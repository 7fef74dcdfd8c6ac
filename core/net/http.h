/* SPDX-License-Identifier: Apache-2.0 */
/* net/http.h - HTTP over libcurl: kept connections, retries, bounds, redacted tracing */
#ifndef SOUK_NET_HTTP_H
#define SOUK_NET_HTTP_H

#include "base/cancel.h"

/*
 * One client for the process; threads share its connections. libcurl is initialised when the
 * first request is sent, not before. souk_http_new() reads from the environment:
 *
 *     SOUK_HTTP_PLAN=1       requests with SOUK_HTTP_MUTATES are logged and not sent
 *     SOUK_HTTP_RECORD=DIR   each reply is written to a file in DIR, with its request and
 *                            without secrets
 *     SOUK_HTTP_REPLAY=DIR   replies are taken from DIR, in order, by what, method and path;
 *                            there is no network then, and no waiting
 *     SSL_CERT_FILE, CURL_CA_BUNDLE   the certificates to trust, instead of the system's
 */
struct souk_http;

int souk_http_new(struct souk_http **http_out, struct souk_error *err);
void souk_http_free(struct souk_http *http);

/* What bounds and names a call. */
struct souk_http_context {
	const char *who;	    /* for traces: the provider's name */
	int64_t deadline_ms;	    /* on souk_clock_ms(); 0: none */
	struct souk_cancel *cancel; /* may be NULL */
	const char *proxy;	    /* NULL: as the environment says; never used for http:// */
	/* Called instead of waiting before another attempt; NULL: waits. Negative: the end. */
	int (*on_wait)(uint32_t ms, void *arg, struct souk_error *err);
	void *on_wait_arg;
	const char *cache_dir; /* where replies are kept, made when needed; NULL: nowhere */
	/* Called with the file of each reply that was kept, or given from there. Any thread. */
	void (*on_kept)(const char *path, void *arg);
	void *on_kept_arg;
};

/*
 * Send a request as souk/provider.h describes for souk_http_send(). Retries wait
 * min(20 s, 2^i * 0.5 s) * random(0.5, 1), or as Retry-After says, at most 8 attempts (4 if
 * there is no connection at all). A Retry-After of over a minute, or past the deadline, is
 * left to the caller: the reply is returned. A request without SOUK_HTTP_RETRY is put on the
 * wire at most once, on a connection of its own. In plan mode a request with MUTATES gives
 * SOUK_E_UNSUPPORTED. A certificate that cannot be verified is INVALID; nothing was sent then.
 * While exchanges are recorded or replayed, no reply is kept and none is given from the cache.
 */
int souk_http_perform(struct souk_http *http, const struct souk_http_context *context,
		      const struct souk_http_request *request, struct souk_http_reply **reply_out,
		      struct souk_error *err);

/* A reply that nobody sent, without headers, for rehearsals. NULL: no memory. */
struct souk_http_reply *souk_http_reply_make(int status, const void *body, size_t size);
void souk_http_reply_destroy(struct souk_http_reply *reply);
int souk_http_reply_get_status(const struct souk_http_reply *reply);
const char *souk_http_reply_get_body(const struct souk_http_reply *reply, size_t *size_out);
const char *souk_http_reply_get_header(const struct souk_http_reply *reply, const char *name);

/*
 * May this URL be used: https, or http to 'localhost' or a loopback or link-local address in
 * its usual form (fd00:ec2::254 counts as one)? INVALID if not, or with user:password@ in it.
 */
int souk_http_check_url(const char *url, struct souk_error *err);
/* Append the URL with the values of secret parameters redacted. */
int souk_http_add_safe_url(struct souk_buf *out, const char *url);

#endif
