/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - signed requests to the services of a region */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "aws.h"
#include "sign.h"

enum { MAX_HEADERS = 8, MAX_LINE = 32 * 1024, MAX_SKEW_SECONDS = 240 };

/* A request ready for the wire. */
struct message {
	struct aws_header headers[MAX_HEADERS];
	size_t n_headers;
	struct souk_buf host;
	struct souk_buf authorization;
	char timestamp[17];
};

static void message_fini(struct message *message)
{
	souk_buf_fini(&message->host);
	souk_buf_fini(&message->authorization);
}

static void add_header(struct message *message, const char *name, const char *value)
{
	message->headers[message->n_headers].name = name;
	message->headers[message->n_headers++].value = value;
}

/* The Host header as a client sends it: without the port that the scheme implies. */
static int host_of(const char *url, struct souk_buf *out, struct souk_error *err)
{
	const char *host = strstr(url, "://") + 3;
	size_t len = strcspn(host, "/?#");
	const char *port = strncmp(url, "https", 5) == 0 ? ":443" : ":80";
	size_t tail = strlen(port);

	if (len > tail && strncmp(host + len - tail, port, tail) == 0)
		len -= tail;
	souk_buf_add(out, host, len);
	return souk_buf_failed(out, err);
}

/* The headers that are signed, and the signature over them; without credentials none. */
static int prepare(const struct aws_client *client, const struct aws_credentials *credentials,
		   const struct aws_request *request, const char *url, struct message *message,
		   struct souk_error *err)
{
	struct aws_sign_request to_sign = {
		.method = "POST",
		.headers = message->headers,
		.body = request->body,
		.body_size = request->body_size,
		.region = client->region,
		.service = request->service,
		.timestamp = message->timestamp,
	};
	int64_t now = (int64_t)time(NULL) + atomic_load(&client->aws->skew_seconds);
	int ret;

	souk_buf_init(&message->host, 1024);
	souk_buf_init(&message->authorization, 8192);
	ret = host_of(url, &message->host, err);
	if (ret < 0)
		return ret;
	aws_basic_time(now, message->timestamp);
	to_sign.path = strstr(url, "://") + 3;
	to_sign.path += strcspn(to_sign.path, "/");

	add_header(message, "Host", message->host.data);
	add_header(message, "Content-Type", request->content_type);
	if (request->target)
		add_header(message, "X-Amz-Target", request->target);
	if (!credentials)
		return SOUK_OK;
	add_header(message, "X-Amz-Date", message->timestamp);
	if (credentials->session_token)
		add_header(message, "X-Amz-Security-Token", credentials->session_token);
	to_sign.n_headers = message->n_headers;
	ret = aws_sign(&to_sign, credentials, &message->authorization, err);
	if (ret == SOUK_OK)
		add_header(message, "Authorization", message->authorization.data);
	return ret;
}

static int send_message(const struct aws_client *client, const struct aws_request *request,
			const char *url, const struct message *message,
			struct souk_http_reply **reply_out, struct souk_error *err)
{
	struct souk_buf lines[MAX_HEADERS];
	const char *headers[MAX_HEADERS + 1];
	struct souk_http_request http = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = request->flags,
		.what = request->action,
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = request->body,
		.body_size = request->body_size,
		.timeout_ms = request->timeout_ms,
		.max_reply_bytes = AWS_MAX_REPLY,
		.should_retry = aws_fault_should_retry,
		.cache_seconds = request->cache_seconds,
	};
	size_t n = 0;
	size_t i;
	int ret = SOUK_OK;

	/* Host is signed but not sent: the HTTP client writes it from the URL. */
	for (i = 0; i < message->n_headers; i++) {
		if (strcmp(message->headers[i].name, "Host") == 0)
			continue;
		souk_buf_init(&lines[n], MAX_LINE);
		souk_buf_printf(&lines[n], "%s: %s", message->headers[i].name,
				message->headers[i].value);
		if (ret == SOUK_OK)
			ret = souk_buf_failed(&lines[n], err);
		headers[n] = lines[n].data;
		n++;
	}
	headers[n] = NULL;
	if (ret == SOUK_OK)
		ret = souk_http_send(client->call, &http, reply_out, err);
	for (i = 0; i < n; i++) {
		if (lines[i].size)
			explicit_bzero(lines[i].data, lines[i].len);
		souk_buf_fini(&lines[i]);
	}
	return ret;
}

int aws_client_send_as(const struct aws_client *client, const struct aws_credentials *credentials,
		       const struct aws_request *request, struct souk_http_reply **reply_out,
		       struct aws_fault *fault_out, struct souk_error *err)
{
	AWS_AUTO_BUF struct souk_buf url = { 0 };
	AWS_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct message message = { 0 };
	struct aws_fault fault = { 0 };
	char action[96];
	int ret;

	souk_buf_init(&url, 2048);
	ret = aws_endpoint(client->aws, client->call, request->service, client->region, &url, err);
	if (ret < 0)
		return ret;
	if (!strchr(strstr(url.data, "://") + 3, '/'))
		souk_buf_str(&url, "/");
	ret = souk_buf_failed(&url, err);
	if (ret == SOUK_OK)
		ret = prepare(client, credentials, request, url.data, &message, err);
	if (ret == SOUK_OK)
		ret = send_message(client, request, url.data, &message, &reply, err);
	message_fini(&message);
	if (ret < 0) {
		if (fault_out)
			*fault_out = fault;
		return ret;
	}
	if (souk_http_reply_status(reply) / 100 == 2) {
		*reply_out = reply;
		reply = NULL;
		return SOUK_OK;
	}
	aws_fault_of(reply, &fault);
	if (fault_out)
		*fault_out = fault;
	snprintf(action, sizeof(action), "%s:%s", request->service, request->action);
	return aws_fault_error(&fault, action, request->doing, err);
}

/* Is it the credentials that are too old? Those that never expire are not. */
static int is_expired(const struct aws_fault *fault)
{
	return aws_fault_is(fault, "ExpiredToken") ||
	       aws_fault_is(fault, "ExpiredTokenException") ||
	       aws_fault_is(fault, "RequestExpired") || aws_fault_is(fault, "AuthFailure") ||
	       aws_fault_is(fault, "InvalidClientTokenId") ||
	       aws_fault_is(fault, "UnrecognizedClientException") ||
	       aws_fault_is(fault, "SignatureDoesNotMatch");
}

/* Take over the server's clock if ours is so far off that signatures are refused. */
static int correct_clock(struct aws *aws, const struct aws_fault *fault)
{
	long long skew;

	if (!fault->server_time)
		return 0;
	skew = (long long)(fault->server_time - (int64_t)time(NULL));
	if (skew - atomic_load(&aws->skew_seconds) < MAX_SKEW_SECONDS &&
	    atomic_load(&aws->skew_seconds) - skew < MAX_SKEW_SECONDS)
		return 0;
	atomic_store(&aws->skew_seconds, skew);
	return 1;
}

static int different(const struct aws_credentials *a, const struct aws_credentials *b)
{
	const char *left = a->session_token ? a->session_token : "";
	const char *right = b->session_token ? b->session_token : "";

	return strcmp(a->access_key, b->access_key) != 0 || strcmp(left, right) != 0;
}

int aws_client_send(const struct aws_client *client, const struct aws_request *request,
		    struct souk_http_reply **reply_out, struct aws_fault *fault_out,
		    struct souk_error *err)
{
	struct aws_credentials credentials = { 0 };
	struct aws_credentials newer = { 0 };
	struct aws_fault fault = { 0 };
	int ret;

	ret = aws_credentials_get(client->aws, client->call, &credentials, err);
	if (ret < 0)
		return ret;
	ret = aws_client_send_as(client, &credentials, request, reply_out, &fault, err);
	/* A refused signature has done nothing, so that sending again is safe. */
	if (ret == SOUK_E_AUTH && is_expired(&fault)) {
		int again = correct_clock(client->aws, &fault);

		aws_credentials_forget(client->aws, &credentials);
		if (aws_credentials_get(client->aws, client->call, &newer, NULL) == SOUK_OK &&
		    (again || different(&credentials, &newer)))
			ret = aws_client_send_as(client, &newer, request, reply_out, &fault, err);
	}
	aws_credentials_fini(&credentials);
	aws_credentials_fini(&newer);
	if (ret < 0 && fault_out)
		*fault_out = fault;
	return ret;
}
