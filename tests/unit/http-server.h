/* SPDX-License-Identifier: Apache-2.0 */
/* unit/http-server.h - an HTTP server on loopback whose every byte the test decides */
#ifndef SOUK_TESTS_HTTP_SERVER_H
#define SOUK_TESTS_HTTP_SERVER_H

#include <stddef.h>

struct http_server;
struct http_connection;

/* A request as it came. Borrowed until the handler returns. */
struct http_request {
	unsigned serial;     /* of all requests, from 1 */
	unsigned connection; /* which it came on, from 1 */
	unsigned nth;	     /* on that connection, from 1 */
	char method[16];
	char target[2048];
	const char *headers; /* all lines, with "\r\n" */
	const char *body;    /* ended by NUL */
	size_t body_size;
};

/* Answer a request with the functions below; called from the thread of its connection. */
typedef void (*http_handler)(struct http_connection *connection, const struct http_request *request,
			     void *arg);

/* A server on a free port of 127.0.0.1; with TLS it has a certificate that nobody has signed. */
struct http_server *http_server_start(int use_tls, http_handler handler, void *arg);
/* Ends every connection, also those that hang. */
void http_server_stop(struct http_server *server);

/* "http://127.0.0.1:PORT" */
const char *http_server_url(const struct http_server *server);
unsigned http_server_requests(struct http_server *server);
unsigned http_server_connections(struct http_server *server);
/* The certificate, as PEM, of a server with TLS. */
const char *http_server_certificate(const struct http_server *server);

/* A whole reply with Content-Length. 'headers' are lines with "\r\n"; NULL: none. */
void http_reply(struct http_connection *connection, int status, const char *headers,
		const char *body);
/* Bytes as they are; 0 if the client is gone. */
int http_send(struct http_connection *connection, const void *data, size_t size);
/* Close after the handler; with 'reset' by RST. */
void http_close(struct http_connection *connection, int reset);
/* Wait until the client closes the connection, or the server is stopped. */
void http_hang(struct http_connection *connection);
/* The value of a header in 'text', copied; NULL: none. The caller frees it. */
char *http_header(const struct http_request *request, const char *name);

#endif
