/* SPDX-License-Identifier: Apache-2.0 */
/* unit/http-fixture.h - a client, a server and what the tests of the one by the other share */
#ifndef SOUK_TESTS_HTTP_FIXTURE_H
#define SOUK_TESTS_HTTP_FIXTURE_H

#include <check.h>

#include "http-server.h"
#include "net/http-internal.h"

enum { WAITS_MAX = 32, DISTANT_MS = 600000 };

extern struct souk_http *http;
extern struct http_server *server;
extern struct souk_http_context context; /* its waits are counted, not waited for */
extern struct souk_error err;
extern struct souk_http_reply *reply; /* of the last request */
extern uint32_t waits[WAITS_MAX];
extern unsigned n_waits;

/* A test case whose tests begin without a proxy or a setting, and end without client and server. */
TCase *http_fixture_add_case(Suite *suite, const char *name);

void open_client(void);
/* Start the server, and the client if there is none. */
void serve(http_handler handler, void *arg);
/* What a handler uses may go afterwards. */
void stop_serving(void);
/* The URL of a path on the server; good until the next call. */
const char *url(const char *path);

int perform(const struct souk_http_request *request);
int get(const char *path, uint32_t flags);
int post(const char *path, const char *body, uint32_t flags);

/* Counters of handlers, which run in the server's threads. */
void bump(unsigned *counter);
unsigned value(const unsigned *counter);

/* A handler that tells what it was sent. */
void echo(struct http_connection *connection, const struct http_request *request, void *arg);

#endif
