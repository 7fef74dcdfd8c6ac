/* SPDX-License-Identifier: Apache-2.0 */
/* unit/test-http.c - the HTTP client against a server that does what servers should not */
#include "http-fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/util.h"

/* ---- URLs ------------------------------------------------------------------------ */

static const struct {
	const char *url;
	int is_good;
} urls[] = {
	{ "https://ec2.us-east-1.amazonaws.com/", 1 },
	{ "https://example.com:8443/a/../b?c=d@e", 1 },
	{ "https://EXAMPLE.com", 1 },
	{ "http://127.0.0.1:8080/", 1 },
	{ "http://127.9.9.9/", 1 },
	{ "http://localhost/", 1 },
	{ "http://LocalHost:1/", 1 },
	{ "http://[::1]:80/", 1 },
	{ "http://[fe80::1]/", 1 },
	{ "http://[fe80::1%25eth0]/", 1 },
	{ "http://169.254.169.254/latest/meta-data/", 1 },
	{ "http://[fd00:ec2::254]/latest/", 1 },
	{ "http://127.0.0.1/p@th", 1 },
	{ "http://example.com/", 0 },
	{ "http://127.0.0.1.evil.com/", 0 },
	{ "http://localhost.evil.com/", 0 },
	{ "http://evil.com#127.0.0.1", 0 },
	{ "http://127.0.0.1@evil.com/", 0 },
	{ "https://user:secret@example.com/", 0 },
	{ "https://user@example.com/", 0 },
	{ "https://@example.com/", 0 },
	{ "http://2130706433/", 0 },
	{ "http://0x7f000001/", 0 },
	{ "http://0177.0.0.1/", 0 },
	{ "http://127.1/", 0 },
	{ "http://%6cocalhost/", 0 },
	{ "http://10.0.0.1/", 0 },
	{ "http://0.0.0.0/", 0 },
	{ "http://169.253.1.1/", 0 },
	{ "http://[fd00:ec2::255]/", 0 },
	{ "http://[::ffff:10.0.0.1]/", 0 },
	{ "http://[::2]/", 0 },
	{ "http://[::1/", 0 },
	{ "http://127.0.0.1:99999/", 0 },
	{ "http://127.0.0.1\\@evil.com/", 0 },
	{ "ftp://127.0.0.1/", 0 },
	{ "file:///etc/passwd", 0 },
	{ "https:///x", 0 },
	{ "http:/127.0.0.1?x://127.0.0.1/y", 0 },
	{ "https://", 0 },
	{ "127.0.0.1/", 0 },
	{ "https://exa mple.com/", 0 },
	{ "https://example.com/\r\nX: y", 0 },
	{ "", 0 },
};

START_TEST(url_is_judged)
{
	int ret = souk_http_check_url(urls[_i].url, &err);

	ck_assert_msg(ret == (urls[_i].is_good ? SOUK_OK : SOUK_E_INVALID), "%s: %d", urls[_i].url,
		      ret);
	if (ret < 0) {
		ck_assert_str_ne(err.message, "");
		ck_assert_ptr_null(strstr(err.message, "secret"));
	}
}
END_TEST

/* ---- Plain requests -------------------------------------------------------------- */

START_TEST(requests_arrive_as_given)
{
	static const char *const headers[] = { "Content-Type: text/plain", NULL };
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD, .what = "Put", .method = "PUT",
		.headers = headers,	.body = "abc", .body_size = 3
	};
	size_t size;

	serve(echo, NULL);
	ck_assert_int_eq(get("/a/../b?x=1", 0), SOUK_OK);
	ck_assert_int_eq(souk_http_reply_get_status(reply), 200);
	ck_assert_str_eq(souk_http_reply_get_body(reply, &size),
			 "GET /a/../b?x=1 [souk/" PACKAGE_VERSION "] type=none expect=none body=");
	ck_assert_uint_eq(size, strlen(souk_http_reply_get_body(reply, NULL)));
	ck_assert_str_eq(souk_http_reply_get_header(reply, "x-ONE"), "first");
	ck_assert_str_eq(souk_http_reply_get_header(reply, "X-Empty"), "");
	ck_assert_ptr_null(souk_http_reply_get_header(reply, "X-None"));

	request.url = url("/p");
	ck_assert_int_eq(perform(&request), SOUK_OK);
	ck_assert_ptr_nonnull(strstr(souk_http_reply_get_body(reply, NULL), "PUT /p "));
	ck_assert_ptr_nonnull(strstr(souk_http_reply_get_body(reply, NULL),
				     "type=text/plain expect=none body=abc"));
	request.method = "DELETE";
	request.body = NULL;
	ck_assert_int_eq(perform(&request), SOUK_OK);
	ck_assert_ptr_nonnull(strstr(souk_http_reply_get_body(reply, NULL), "DELETE /p "));
	request.method = "HEAD";
	ck_assert_int_eq(perform(&request), SOUK_OK);
	ck_assert_str_eq(souk_http_reply_get_body(reply, &size), "");
	ck_assert_int_eq(post("/q", "", 0), SOUK_OK);
	ck_assert_ptr_nonnull(strstr(souk_http_reply_get_body(reply, NULL), "type=none"));
}
END_TEST

START_TEST(large_bodies_go_both_ways)
{
	size_t size = 2 * 1024 * 1024;
	char *body = malloc(size + 1);

	ck_assert_ptr_nonnull(body);
	memset(body, 'x', size);
	body[size] = '\0';
	serve(echo, NULL);
	ck_assert_int_eq(post("/", body, 0), SOUK_OK);
	ck_assert_uint_eq(http_server_requests(server), 1);
	free(body);
}
END_TEST

START_TEST(bad_requests_are_refused)
{
	static const char *const split[] = { "X: a\r\nEvil: b", NULL };
	static const char *const nameless[] = { ": a", NULL };
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .what = "Bad" };
	struct souk_http_request empty = { 0 };

	serve(echo, NULL);
	request.url = url("/");
	request.headers = split;
	ck_assert_int_eq(perform(&request), SOUK_E_INVALID);
	request.headers = nameless;
	ck_assert_int_eq(perform(&request), SOUK_E_INVALID);
	request.headers = NULL;
	request.method = "GET / HTTP/1.1\r\nX: y";
	ck_assert_int_eq(perform(&request), SOUK_E_INVALID);
	request.method = "";
	ck_assert_int_eq(perform(&request), SOUK_E_INVALID);
	request.method = NULL;
	request.url = "http://example.com/";
	ck_assert_int_eq(perform(&request), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "Bad: http to 'example.com'"));
	ck_assert_int_eq(perform(&empty), SOUK_E_INVALID);
	ck_assert_uint_eq(http_server_requests(server), 0);
}
END_TEST

/* A request as an older module knows it: its struct ends before max_reply_bytes. */
START_TEST(short_struct_is_taken)
{
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .what = "Old" };

	serve(echo, NULL);
	request.url = url("/");
	request.max_reply_bytes = 1;
	request.struct_size = offsetof(struct souk_http_request, max_reply_bytes);
	ck_assert_int_eq(perform(&request), SOUK_OK);
	ck_assert_uint_gt(reply->body.len, 1);
}
END_TEST

static void redirect(struct http_connection *connection, const struct http_request *request,
		     void *arg)
{
	(void)request;
	(void)arg;
	http_reply(connection, 302, "Location: /elsewhere\r\n", "");
}

START_TEST(redirects_are_not_followed)
{
	serve(redirect, NULL);
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(reply->status, 302);
	ck_assert_uint_eq(http_server_requests(server), 1);
}
END_TEST

static void chunked(struct http_connection *connection, const struct http_request *request,
		    void *arg)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
				   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
				   "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Trailer: t\r\n\r\n";
	size_t i;

	(void)request;
	(void)arg;
	for (i = 0; i < sizeof(text) - 1; i++)
		http_send(connection, text + i, 1);
}

START_TEST(chunks_are_joined)
{
	serve(chunked, NULL);
	ck_assert_int_eq(get("/", 0), SOUK_OK);
	ck_assert_str_eq(souk_http_reply_get_body(reply, NULL), "hello world");
	ck_assert_ptr_null(souk_http_reply_get_header(reply, "X-Early"));
}
END_TEST

/* ---- Retries --------------------------------------------------------------------- */

/* Fails 'arg' times, then succeeds. */
static void fail_first(struct http_connection *connection, const struct http_request *request,
		       void *arg)
{
	if (request->serial <= *(unsigned *)arg)
		http_reply(connection, 503, NULL, "busy");
	else
		http_reply(connection, 200, NULL, "ok");
}

START_TEST(retries_are_counted_and_spaced)
{
	unsigned failures = 7, i;
	uint32_t full;

	serve(fail_first, &failures);
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(reply->status, 200);
	ck_assert_uint_eq(http_server_requests(server), 8);
	ck_assert_uint_eq(n_waits, 7);
	for (i = 0, full = 500; i<7; i++, full = full * 2> 20000 ? 20000 : full * 2) {
		ck_assert_uint_ge(waits[i], full / 2);
		ck_assert_uint_le(waits[i], full);
	}
}
END_TEST

START_TEST(retries_end)
{
	unsigned failures = 1000;

	serve(fail_first, &failures);
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(reply->status, 503);
	ck_assert_uint_eq(http_server_requests(server), 8);
	ck_assert_int_eq(get("/", 0), SOUK_OK);
	ck_assert_int_eq(reply->status, 503);
	ck_assert_uint_eq(http_server_requests(server), 9);
}
END_TEST

static int never_for_capacity(const struct souk_http_reply *seen, void *arg)
{
	++*(unsigned *)arg;
	return !strstr(souk_http_reply_get_body(seen, NULL), "busy");
}

static void teapot_then_busy(struct http_connection *connection, const struct http_request *request,
			     void *arg)
{
	(void)arg;
	http_reply(connection, request->serial == 1 ? 418 : 503, NULL,
		   request->serial == 1 ? "again" : "busy");
}

START_TEST(module_decides_what_is_retried)
{
	unsigned asked = 0;
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .flags = SOUK_HTTP_RETRY,
					     .what = "Ask", .should_retry = never_for_capacity,
					     .should_retry_arg = &asked };

	serve(teapot_then_busy, NULL);
	request.url = url("/");
	ck_assert_int_eq(perform(&request), SOUK_OK);
	ck_assert_int_eq(reply->status, 503);
	ck_assert_uint_eq(http_server_requests(server), 2);
	ck_assert_uint_eq(asked, 2);
}
END_TEST

static void ask_to_wait(struct http_connection *connection, const struct http_request *request,
			void *arg)
{
	if (request->serial == 1)
		http_reply(connection, 429, arg, "");
	else
		http_reply(connection, 200, NULL, "");
}

START_TEST(retry_after_is_honoured)
{
	char seconds[] = "Retry-After: 7\r\n";

	serve(ask_to_wait, seconds);
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(reply->status, 200);
	ck_assert_uint_eq(n_waits, 1);
	ck_assert_uint_eq(waits[0], 7000);
}
END_TEST

START_TEST(long_retry_after_is_left_to_the_caller)
{
	char hour[] = "Retry-After: 3600\r\n";

	serve(ask_to_wait, hour);
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(reply->status, 429);
	ck_assert_uint_eq(n_waits, 0);
}
END_TEST

START_TEST(retry_after_past_the_deadline_is_not_waited_for)
{
	char seconds[] = "Retry-After: 50\r\n";

	serve(ask_to_wait, seconds);
	context.deadline_ms = souk_clock_ms() + 40000;
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(reply->status, 429);
	ck_assert_uint_eq(n_waits, 0);
}
END_TEST

static const struct {
	const char *header;
	int64_t ms;
} delays[] = {
	{ "Retry-After: 0", 0 },
	{ "Retry-After: 120", 120000 },
	{ "retry-after:12", 12000 },
	{ "Retry-After: Thu, 01 Jan 2026 00:00:30 GMT", 30000 },
	{ "Retry-After: Wed, 31 Dec 2025 23:59:59 GMT", 0 },
	{ "Retry-After: Thursday, 01-Jan-26 00:00:30 GMT", 30000 },
	{ "Retry-After: Thu Jan  1 00:00:30 2026", 30000 },
	{ "Retry-After: soon", -1 },
	{ "Retry-After: -5", -1 },
	{ "Retry-After:", -1 },
	{ "Retry-After: 99999999999999999999999", (int64_t)(INT32_MAX / 1000) * 1000 },
	{ "x-amz-retry-after: 1500", 1500 },
	{ "Retry-After-Ms: 250", 250 },
	{ "X-Other: 1", -1 },
};

START_TEST(retry_after_is_read)
{
	struct souk_http_reply *made = souk_http_reply_create(1);

	ck_assert_ptr_nonnull(made);
	souk_http_reply_add_header(made, delays[_i].header, strlen(delays[_i].header));
	/* 2026-01-01T00:00:00Z */
	ck_assert_int_eq(souk_http_reply_retry_after(made, 1767225600), delays[_i].ms);
	souk_http_reply_destroy(made);
}
END_TEST

/* ---- One request, one transmission ----------------------------------------------- */

static void close_on_post(struct http_connection *connection, const struct http_request *request,
			  void *arg)
{
	if (strcmp(request->method, "POST") == 0) {
		bump(arg);
		http_close(connection, 0);
	} else {
		http_reply(connection, 200, NULL, "");
	}
}

START_TEST(lost_answer_is_not_asked_for_again)
{
	unsigned posts = 0;

	serve(close_on_post, &posts);
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(post("/", "create", 0), SOUK_E_TIMEOUT);
	ck_assert_uint_eq(value(&posts), 1);
	ck_assert_ptr_nonnull(strstr(err.message, "may have taken effect"));
	ck_assert_uint_eq(n_waits, 0);
}
END_TEST

struct counts {
	unsigned gets, posts, dropped;
};

/* Reads the second request on a connection and closes without an answer, as a server does whose
 * idle time is over while the request is under way. */
static void drop_second(struct http_connection *connection, const struct http_request *request,
			void *arg)
{
	struct counts *counts = arg;

	if (strcmp(request->method, "POST") == 0)
		bump(&counts->posts);
	else
		bump(&counts->gets);
	if (request->nth > 1) {
		bump(&counts->dropped);
		http_close(connection, 0);
	} else {
		http_reply(connection, 200, NULL, "");
	}
}

START_TEST(dead_connection_repeats_only_what_may_be_repeated)
{
	struct counts counts = { 0 };

	serve(drop_second, &counts);
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(post("/", "create", SOUK_HTTP_MUTATES), SOUK_OK);
	ck_assert_int_eq(reply->status, 200);
	ck_assert_uint_eq(value(&counts.posts), 1);
	ck_assert_uint_eq(value(&counts.dropped), 0);
	/* This one goes over a kept connection, is dropped, and comes again. */
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(reply->status, 200);
	ck_assert_uint_ge(value(&counts.dropped), 1);
	ck_assert_uint_eq(value(&counts.gets), 2 + value(&counts.dropped));
	ck_assert_uint_eq(value(&counts.posts), 1);
}
END_TEST

static void close_silently(struct http_connection *connection, const struct http_request *request,
			   void *arg)
{
	(void)request;
	(void)arg;
	http_reply(connection, 200, NULL, "");
	http_close(connection, 0);
}

START_TEST(idle_connections_may_be_closed)
{
	unsigned i;

	serve(close_silently, NULL);
	for (i = 0; i < 5; i++) {
		ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
		ck_assert_int_eq(post("/", "create", 0), SOUK_OK);
	}
	/* A GET may have met the dying connection and gone twice; a POST never does. */
	ck_assert_uint_ge(http_server_requests(server), 10);
	ck_assert_uint_eq(http_server_connections(server), http_server_requests(server));
}
END_TEST

START_TEST(connections_are_kept)
{
	unsigned i;

	serve(echo, NULL);
	for (i = 0; i < 10; i++)
		ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_uint_eq(http_server_connections(server), 1);
	ck_assert_uint_eq(http_server_requests(server), 10);
}
END_TEST

/* ---- Bounds ---------------------------------------------------------------------- */

static void oversize(struct http_connection *connection, const struct http_request *request,
		     void *arg)
{
	char chunk[1024];

	(void)arg;
	memset(chunk, 'x', sizeof(chunk));
	if (strcmp(request->target, "/length") == 0) {
		http_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", 48);
	} else if (strcmp(request->target, "/headers") == 0) {
		http_send(connection, "HTTP/1.1 200 OK\r\n", 17);
		memcpy(chunk, "X-Long: ", 8);
		memcpy(chunk + sizeof(chunk) - 2, "\r\n", 2);
	} else {
		http_send(connection, "HTTP/1.1 200 OK\r\n\r\n", 19);
	}
	/* Endless, until the client has had enough. */
	while (http_send(connection, chunk, sizeof(chunk)))
		;
}

START_TEST(endless_replies_are_cut)
{
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .flags = SOUK_HTTP_RETRY,
					     .what = "Big", .max_reply_bytes = 5000 };

	serve(oversize, NULL);
	request.url = url("/length");
	ck_assert_int_eq(perform(&request), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "larger than 5000 bytes"));
	request.url = url("/endless");
	ck_assert_int_eq(perform(&request), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "larger than 5000 bytes"));
	request.url = url("/headers");
	ck_assert_int_eq(perform(&request), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "headers"));
	ck_assert_uint_eq(http_server_requests(server), 3);
}
END_TEST

START_TEST(reply_of_the_very_size_fits)
{
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .what = "Fit",
					     .max_reply_bytes = 11 };

	serve(chunked, NULL);
	request.url = url("/");
	ck_assert_int_eq(perform(&request), SOUK_OK);
	request.max_reply_bytes = 10;
	ck_assert_int_eq(perform(&request), SOUK_E_INVALID);
}
END_TEST

static void cut_short(struct http_connection *connection, const struct http_request *request,
		      void *arg)
{
	(void)arg;
	if (strcmp(request->target, "/partial") == 0)
		http_send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 43);
	else if (strcmp(request->target, "/garbage") == 0)
		http_send(connection, "SSH-2.0-surprise\r\n", 18);
	http_close(connection, strcmp(request->target, "/reset") == 0);
}

START_TEST(truncated_replies_may_have_taken_effect)
{
	static const char *const paths[] = { "/partial", "/empty", "/reset", "/garbage" };
	size_t i;

	serve(cut_short, NULL);
	for (i = 0; i < SOUK_ARRAY_SIZE(paths); i++) {
		ck_assert_int_eq(post(paths[i], "create", SOUK_HTTP_MUTATES), SOUK_E_TIMEOUT);
		ck_assert_int_eq(err.code, SOUK_E_TIMEOUT);
		ck_assert_ptr_nonnull(strstr(err.message, "may have taken effect"));
		ck_assert_uint_eq(http_server_requests(server), i + 1);
	}
	/* What may be repeated is, and says in the end that it may have arrived. */
	ck_assert_int_eq(get("/partial", SOUK_HTTP_RETRY), SOUK_E_TIMEOUT);
	ck_assert_uint_eq(http_server_requests(server), SOUK_ARRAY_SIZE(paths) + 8);
}
END_TEST

/* ---- Waiting, cancelling --------------------------------------------------------- */

struct hanging {
	struct souk_cancel *cancel; /* set when a request has come; NULL: not */
	unsigned n;
};

static void hang(struct http_connection *connection, const struct http_request *request, void *arg)
{
	struct hanging *hanging = arg;

	if (strcmp(request->target, "/warm") == 0) {
		http_reply(connection, 200, NULL, "");
		return;
	}
	bump(&hanging->n);
	if (hanging->cancel)
		souk_cancel_set(hanging->cancel);
	http_hang(connection);
}

START_TEST(cancel_ends_a_request)
{
	struct souk_cancel cancel;
	struct hanging hanging = { .cancel = &cancel };

	ck_assert_int_eq(souk_cancel_init(&cancel, &err), SOUK_OK);
	serve(hang, &hanging);
	context.cancel = &cancel;
	context.deadline_ms = souk_clock_ms() + DISTANT_MS;
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_E_CANCELLED);
	ck_assert_ptr_nonnull(strstr(err.message, "may have taken effect"));
	/* Once more: it is not sent at all. */
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_E_CANCELLED);
	ck_assert_uint_eq(value(&hanging.n), 1);
	stop_serving();
	souk_cancel_fini(&cancel);
}
END_TEST

static void busy_and_cancel(struct http_connection *connection, const struct http_request *request,
			    void *arg)
{
	(void)request;
	http_reply(connection, 503, "Retry-After: 59\r\n", "");
	souk_cancel_set(arg);
}

START_TEST(cancel_ends_the_wait_for_another_attempt)
{
	struct souk_cancel cancel;

	ck_assert_int_eq(souk_cancel_init(&cancel, &err), SOUK_OK);
	serve(busy_and_cancel, &cancel);
	context.cancel = &cancel;
	context.on_wait = NULL;
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_E_CANCELLED);
	ck_assert_uint_eq(http_server_requests(server), 1);
	stop_serving();
	souk_cancel_fini(&cancel);
}
END_TEST

START_TEST(deadline_ends_a_request)
{
	struct hanging hanging = { 0 };

	/* The first request of a process takes longer. */
	serve(hang, &hanging);
	ck_assert_int_eq(get("/warm", SOUK_HTTP_RETRY), SOUK_OK);
	context.deadline_ms = souk_clock_ms() + 1000;
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_E_TIMEOUT);
	ck_assert_uint_eq(value(&hanging.n), 1);
	context.deadline_ms = souk_clock_ms() - 1;
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_E_TRANSIENT);
	ck_assert_uint_eq(value(&hanging.n), 1);
}
END_TEST

START_TEST(attempts_have_a_time_limit)
{
	struct hanging hanging = { 0 };
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .flags = SOUK_HTTP_RETRY,
					     .what = "Slow", .timeout_ms = 300 };

	serve(hang, &hanging);
	ck_assert_int_eq(get("/warm", SOUK_HTTP_RETRY), SOUK_OK);
	request.url = url("/");
	ck_assert_int_eq(perform(&request), SOUK_E_TIMEOUT);
	ck_assert_uint_eq(value(&hanging.n), 8);
}
END_TEST

/* A port on which nobody listens. */
static unsigned closed_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

START_TEST(unreachable_is_certainly_not_sent)
{
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .what = "Lost" };
	char text[64];

	open_client();
	snprintf(text, sizeof(text), "http://127.0.0.1:%u/", closed_port());
	request.url = text;
	ck_assert_int_eq(perform(&request), SOUK_E_TRANSIENT);
	ck_assert_uint_eq(n_waits, 0);
	request.flags = SOUK_HTTP_RETRY;
	ck_assert_int_eq(perform(&request), SOUK_E_TRANSIENT);
	ck_assert_uint_eq(n_waits, 3);
	request.url = "https://no-such-host.invalid/";
	request.flags = 0;
	ck_assert_int_eq(perform(&request), SOUK_E_TRANSIENT);
}
END_TEST

START_TEST(silence_in_the_handshake_is_not_sent)
{
	struct hanging hanging = { 0 };
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .what = "Shake",
					     .method = "POST", .timeout_ms = 100 };
	char text[64];

	/* It speaks no TLS, and waits for the end of a head that will not come. */
	serve(hang, &hanging);
	snprintf(text, sizeof(text), "https%s/", http_server_url(server) + 4);
	request.url = text;
	ck_assert_int_eq(perform(&request), SOUK_E_TRANSIENT);
	ck_assert_uint_eq(http_server_requests(server), 0);
}
END_TEST

/* ---- Threads --------------------------------------------------------------------- */

enum { THREADS = 8, REQUESTS_OF_EACH = 40 };

static void *request_often(void *arg)
{
	struct souk_error own_err = SOUK_ERROR_INIT;
	struct souk_http_context own = { .who = "thread" };
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .flags = SOUK_HTTP_RETRY,
					     .what = "Many" };
	struct souk_http_reply *own_reply;
	unsigned *good = arg;
	char path[128], expected[256];
	unsigned i;

	for (i = 0; i < REQUESTS_OF_EACH; i++) {
		snprintf(path, sizeof(path), "%s/%p/%u", http_server_url(server), arg, i);
		snprintf(expected, sizeof(expected), "GET /%p/%u ", arg, i);
		request.url = path;
		if (souk_http_perform(http, &own, &request, &own_reply, &own_err) < 0)
			continue;
		if (strncmp(souk_http_reply_get_body(own_reply, NULL), expected,
			    strlen(expected)) == 0)
			++*good;
		souk_http_reply_destroy(own_reply);
	}
	return NULL;
}

START_TEST(threads_share_a_client)
{
	pthread_t threads[THREADS];
	unsigned good[THREADS] = { 0 };
	unsigned i;

	serve(echo, NULL);
	for (i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, request_often, &good[i]), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_uint_eq(good[i], REQUESTS_OF_EACH);
	}
	ck_assert_uint_eq(http_server_requests(server), THREADS * REQUESTS_OF_EACH);
	ck_assert_uint_le(http_server_connections(server), THREADS);
}
END_TEST

/* ---------------------------------------------------------------------------------- */

static void add_requests(Suite *suite)
{
	TCase *tcase = http_fixture_add_case(suite, "requests");

	tcase_add_loop_test(tcase, url_is_judged, 0, SOUK_ARRAY_SIZE(urls));
	tcase_add_test(tcase, requests_arrive_as_given);
	tcase_add_test(tcase, large_bodies_go_both_ways);
	tcase_add_test(tcase, bad_requests_are_refused);
	tcase_add_test(tcase, short_struct_is_taken);
	tcase_add_test(tcase, redirects_are_not_followed);
	tcase_add_test(tcase, chunks_are_joined);
	tcase_add_test(tcase, endless_replies_are_cut);
	tcase_add_test(tcase, reply_of_the_very_size_fits);
	tcase_add_test(tcase, truncated_replies_may_have_taken_effect);
	tcase_add_test(tcase, threads_share_a_client);
}

static void add_attempts(Suite *suite)
{
	TCase *tcase = http_fixture_add_case(suite, "attempts");

	tcase_add_test(tcase, retries_are_counted_and_spaced);
	tcase_add_test(tcase, retries_end);
	tcase_add_test(tcase, module_decides_what_is_retried);
	tcase_add_test(tcase, retry_after_is_honoured);
	tcase_add_test(tcase, long_retry_after_is_left_to_the_caller);
	tcase_add_test(tcase, retry_after_past_the_deadline_is_not_waited_for);
	tcase_add_loop_test(tcase, retry_after_is_read, 0, SOUK_ARRAY_SIZE(delays));
	tcase_add_test(tcase, lost_answer_is_not_asked_for_again);
	tcase_add_test(tcase, dead_connection_repeats_only_what_may_be_repeated);
	tcase_add_test(tcase, idle_connections_may_be_closed);
	tcase_add_test(tcase, connections_are_kept);
	tcase_add_test(tcase, cancel_ends_a_request);
	tcase_add_test(tcase, cancel_ends_the_wait_for_another_attempt);
	tcase_add_test(tcase, deadline_ends_a_request);
	tcase_add_test(tcase, attempts_have_a_time_limit);
	tcase_add_test(tcase, unreachable_is_certainly_not_sent);
	tcase_add_test(tcase, silence_in_the_handshake_is_not_sent);
}

int main(void)
{
	Suite *suite = suite_create("http");
	SRunner *runner;
	int failed;

	add_requests(suite);
	add_attempts(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
