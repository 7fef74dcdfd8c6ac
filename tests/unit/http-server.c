/* SPDX-License-Identifier: Apache-2.0 */
/* unit/http-server.c - an HTTP server on loopback whose every byte the test decides */
#include "http-server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

enum { CONNECTIONS_MAX = 1024, REQUEST_MAX = 4 * 1024 * 1024 };

struct http_connection {
	struct http_server *server;
	pthread_t thread;
	int fd;
	SSL *ssl;
	unsigned number;
	int is_closing;
	int is_reset;
	char *data; /* received and not used yet */
	size_t len;
	size_t size;
};

struct http_server {
	int fd;
	int stop_fds[2];
	char url[64];
	http_handler handler;
	void *arg;
	SSL_CTX *tls;
	char *certificate;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	unsigned n_requests;
	unsigned n_connections;
	struct http_connection *connections[CONNECTIONS_MAX];
};

static void die(const char *what)
{
	perror(what);
	abort();
}

/* ---- Bytes ----------------------------------------------------------------------- */

/* Wait for input; 0 if the server is to stop. */
static int wait_input(struct http_connection *connection)
{
	struct pollfd fds[2] = { { .fd = connection->fd, .events = POLLIN },
				 { .fd = connection->server->stop_fds[0], .events = POLLIN } };

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			die("poll");
	return fds[1].revents == 0;
}

/* Receive more; 0 at the end. */
static int receive(struct http_connection *connection)
{
	ssize_t n;

	if (connection->len + 1 >= connection->size) {
		connection->size = connection->size ? connection->size * 2 : 16384;
		if (connection->size > REQUEST_MAX)
			return 0;
		connection->data = realloc(connection->data, connection->size);
		if (!connection->data)
			die("realloc");
	}
	if (!(connection->ssl && SSL_pending(connection->ssl) > 0) && !wait_input(connection))
		return 0;
	if (connection->ssl)
		n = SSL_read(connection->ssl, connection->data + connection->len,
			     (int)(connection->size - connection->len - 1));
	else
		n = recv(connection->fd, connection->data + connection->len,
			 connection->size - connection->len - 1, 0);
	if (n <= 0)
		return 0;
	connection->len += (size_t)n;
	connection->data[connection->len] = '\0';
	return 1;
}

int http_send(struct http_connection *connection, const void *data, size_t size)
{
	const char *at = data;
	ssize_t n;

	while (size > 0) {
		if (connection->ssl)
			n = SSL_write(connection->ssl, at, (int)size);
		else
			n = send(connection->fd, at, size, MSG_NOSIGNAL);
		if (n <= 0) {
			connection->is_closing = 1;
			return 0;
		}
		at += n;
		size -= (size_t)n;
	}
	return 1;
}

void http_reply(struct http_connection *connection, int status, const char *headers,
		const char *body)
{
	char head[4096];
	int n;

	n = snprintf(head, sizeof(head), "HTTP/1.1 %d Reason\r\nContent-Length: %zu\r\n%s\r\n",
		     status, strlen(body), headers ? headers : "");
	if (http_send(connection, head, (size_t)n))
		http_send(connection, body, strlen(body));
}

void http_close(struct http_connection *connection, int reset)
{
	connection->is_closing = 1;
	connection->is_reset = reset;
}

void http_hang(struct http_connection *connection)
{
	while (receive(connection))
		connection->len = 0;
	connection->is_closing = 1;
}

char *http_header(const struct http_request *request, const char *name)
{
	const char *line, *end;
	size_t len = strlen(name);

	for (line = request->headers; *line; line = end + 2) {
		end = strstr(line, "\r\n");
		if (!end)
			break;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			line += len + 1;
			line += strspn(line, " ");
			return strndup(line, (size_t)(end - line));
		}
	}
	return NULL;
}

/* ---- Connections ----------------------------------------------------------------- */

/* Receive a request, hand it over, drop it. 0: the connection is over. */
static int serve_one(struct http_connection *connection, unsigned nth)
{
	struct http_request request = { .connection = connection->number, .nth = nth };
	char *end = NULL, *length, *body, *headers;
	size_t head_size, need;

	connection->len = 0;
	do {
		if (!receive(connection))
			return 0;
		end = strstr(connection->data, "\r\n\r\n");
	} while (!end);
	head_size = (size_t)(end - connection->data) + 4;
	if (sscanf(connection->data, "%15s %2047s", request.method, request.target) != 2)
		return 0;
	headers = strndup(connection->data, head_size - 2);
	if (!headers)
		die("strndup");
	request.headers = strstr(headers, "\r\n") + 2;
	length = http_header(&request, "Content-Length");
	need = length ? strtoul(length, NULL, 10) : 0;
	free(length);
	while (connection->len < head_size + need)
		if (!receive(connection)) {
			free(headers);
			return 0;
		}
	body = strndup(connection->data + head_size, need);
	request.body = body;
	request.body_size = need;
	pthread_mutex_lock(&connection->server->lock);
	request.serial = ++connection->server->n_requests;
	pthread_mutex_unlock(&connection->server->lock);
	connection->server->handler(connection, &request, connection->server->arg);
	free(body);
	free(headers);
	return !connection->is_closing;
}

static void *connection_main(void *arg)
{
	struct http_connection *connection = arg;
	const struct linger linger = { .l_onoff = 1 };
	unsigned nth = 1;
	int is_open = 1;
	sigset_t pipe;

	/* OpenSSL writes to sockets that may be closed; the test itself must not need this. */
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, NULL);
	if (connection->ssl) {
		SSL_set_fd(connection->ssl, connection->fd);
		is_open = SSL_accept(connection->ssl) == 1;
	}
	while (is_open && serve_one(connection, nth))
		nth++;
	if (connection->ssl) {
		if (is_open)
			SSL_shutdown(connection->ssl);
		SSL_free(connection->ssl);
	}
	if (connection->is_reset)
		setsockopt(connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(connection->fd);
	free(connection->data);
	return NULL;
}

static void *server_main(void *arg)
{
	struct http_server *server = arg;
	struct pollfd fds[2] = { { .fd = server->fd, .events = POLLIN },
				 { .fd = server->stop_fds[0], .events = POLLIN } };
	struct http_connection *connection;
	int fd, one = 1;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[1].revents)
			return NULL;
		fd = accept(server->fd, NULL, NULL);
		if (fd < 0)
			continue;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		connection = calloc(1, sizeof(*connection));
		if (!connection)
			die("calloc");
		connection->server = server;
		connection->fd = fd;
		if (server->tls)
			connection->ssl = SSL_new(server->tls);
		pthread_mutex_lock(&server->lock);
		if (server->n_connections >= CONNECTIONS_MAX)
			die("connections");
		server->connections[server->n_connections++] = connection;
		connection->number = server->n_connections;
		pthread_mutex_unlock(&server->lock);
		if (pthread_create(&connection->thread, NULL, connection_main, connection))
			die("pthread_create");
	}
}

/* ---- TLS ------------------------------------------------------------------------- */

/* A key and a certificate for 127.0.0.1, signed by itself. */
static void make_tls(struct http_server *server)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_NAME *name = X509_get_subject_name(certificate);
	X509_EXTENSION *extension;
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem;
	long size;

	X509_set_version(certificate, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1,
				   0);
	X509_set_issuer_name(certificate, name);
	extension = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
	X509_add_ext(certificate, extension, -1);
	X509_EXTENSION_free(extension);
	if (!X509_sign(certificate, key, EVP_sha256()))
		die("X509_sign");
	PEM_write_bio_X509(bio, certificate);
	size = BIO_get_mem_data(bio, &pem);
	server->certificate = strndup(pem, (size_t)size);
	BIO_free(bio);
	server->tls = SSL_CTX_new(TLS_server_method());
	if (!server->tls || SSL_CTX_use_certificate(server->tls, certificate) != 1 ||
	    SSL_CTX_use_PrivateKey(server->tls, key) != 1)
		die("SSL_CTX");
	X509_free(certificate);
	EVP_PKEY_free(key);
}

/* ---- The server ------------------------------------------------------------------ */

struct http_server *http_server_start(int use_tls, http_handler handler, void *arg)
{
	struct http_server *server = calloc(1, sizeof(*server));
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);

	if (!server)
		die("calloc");
	server->handler = handler;
	server->arg = arg;
	pthread_mutex_init(&server->lock, NULL);
	if (use_tls)
		make_tls(server);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->fd < 0 || bind(server->fd, (struct sockaddr *)&address, size) < 0 ||
	    listen(server->fd, 128) < 0 ||
	    getsockname(server->fd, (struct sockaddr *)&address, &size) < 0 ||
	    pipe(server->stop_fds) < 0)
		die("server");
	snprintf(server->url, sizeof(server->url), "%s://127.0.0.1:%u", use_tls ? "https" : "http",
		 (unsigned)ntohs(address.sin_port));
	if (pthread_create(&server->thread, NULL, server_main, server))
		die("pthread_create");
	return server;
}

void http_server_stop(struct http_server *server)
{
	unsigned i;

	if (!server)
		return;
	if (write(server->stop_fds[1], "", 1) != 1)
		die("write");
	pthread_join(server->thread, NULL);
	for (i = 0; i < server->n_connections; i++) {
		pthread_join(server->connections[i]->thread, NULL);
		free(server->connections[i]);
	}
	SSL_CTX_free(server->tls);
	free(server->certificate);
	close(server->fd);
	close(server->stop_fds[0]);
	close(server->stop_fds[1]);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

const char *http_server_url(const struct http_server *server)
{
	return server->url;
}

const char *http_server_certificate(const struct http_server *server)
{
	return server->certificate;
}

unsigned http_server_requests(struct http_server *server)
{
	unsigned n;

	pthread_mutex_lock(&server->lock);
	n = server->n_requests;
	pthread_mutex_unlock(&server->lock);
	return n;
}

unsigned http_server_connections(struct http_server *server)
{
	unsigned n;

	pthread_mutex_lock(&server->lock);
	n = server->n_connections;
	pthread_mutex_unlock(&server->lock);
	return n;
}
