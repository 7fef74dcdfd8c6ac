/* SPDX-License-Identifier: Apache-2.0 */
/* unit/http-fixture.c - a client, a server and what the tests of the one by the other share */
#include "http-fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct souk_http *http;
struct http_server *server;
struct souk_http_context context;
struct souk_error err;
struct souk_http_reply *reply;
uint32_t waits[WAITS_MAX];
unsigned n_waits;

/* Counters of handlers, which run in the server's threads. */
void bump(unsigned *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

unsigned value(const unsigned *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static int count_wait(uint32_t ms, void *arg, struct souk_error *error)
{
	(void)arg;
	(void)error;
	ck_assert_uint_lt(n_waits, WAITS_MAX);
	waits[n_waits++] = ms;
	return SOUK_OK;
}

void open_client(void)
{
	ck_assert_int_eq(souk_http_new(&http, &err), SOUK_OK);
}

static void set_up(void)
{
	/* What the environment of the test says must not count. */
	static const char *const names[] = {
		"http_proxy",	    "https_proxy",	"HTTPS_PROXY",	 "all_proxy",
		"ALL_PROXY",	    "no_proxy",		"NO_PROXY",	 "SOUK_HTTP_PLAN",
		"SOUK_HTTP_RECORD", "SOUK_HTTP_REPLAY", "SSL_CERT_FILE", "CURL_CA_BUNDLE"
	};
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	err = (struct souk_error)SOUK_ERROR_INIT;
	context = (struct souk_http_context){ .who = "test", .on_wait = count_wait };
	n_waits = 0;
	reply = NULL;
}

static void tear_down(void)
{
	souk_http_reply_destroy(reply);
	souk_http_free(http);
	http_server_stop(server);
	http = NULL;
	server = NULL;
	reply = NULL;
}

void serve(http_handler handler, void *arg)
{
	server = http_server_start(0, handler, arg);
	if (!http)
		open_client();
}

/* What a handler uses may go afterwards. */
void stop_serving(void)
{
	http_server_stop(server);
	server = NULL;
}

/* The URL of a path on the server; good until the next call. */
const char *url(const char *path)
{
	static char text[4096];

	snprintf(text, sizeof(text), "%s%s", http_server_url(server), path);
	return text;
}

int perform(const struct souk_http_request *request)
{
	souk_http_reply_destroy(reply);
	reply = NULL;
	return souk_http_perform(http, &context, request, &reply, &err);
}

int get(const char *path, uint32_t flags)
{
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .flags = flags,
					     .what = "Get" };

	request.url = url(path);
	return perform(&request);
}

int post(const char *path, const char *body, uint32_t flags)
{
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .flags = flags, .what = "Post",
					     .method = "POST", .body = body };

	request.url = url(path);
	request.body_size = strlen(body);
	return perform(&request);
}

void echo(struct http_connection *connection, const struct http_request *request, void *arg)
{
	char *agent = http_header(request, "User-Agent");
	char *type = http_header(request, "Content-Type");
	char *expect = http_header(request, "Expect");
	char body[4096];

	(void)arg;
	snprintf(body, sizeof(body), "%s %s [%s] type=%s expect=%s body=%s", request->method,
		 request->target, agent ? agent : "", type ? type : "none",
		 expect ? expect : "none", request->body);
	free(agent);
	free(type);
	free(expect);
	http_reply(connection, 200, "X-One:  first \r\nx-one: second\r\nX-Empty:\r\n", body);
}

TCase *http_fixture_add_case(Suite *suite, const char *name)
{
	TCase *tcase = tcase_create(name);

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 120);
	suite_add_tcase(suite, tcase);
	return tcase;
}
