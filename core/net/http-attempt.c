/* SPDX-License-Identifier: Apache-2.0 */
/* net/http-attempt.c - one request on the wire, over libcurl, which a cancellation ends at once */
#include "net/http-internal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	KEPT_CONNECTIONS = 16, /* of one line */
	LINES_MAX = 64,	       /* idle ones */
	HOST_SIZE = 256
};

/*
 * Connections that were kept, with what libcurl knows about them. A line belongs to one thread
 * at a time: libcurl's way of sharing connections between threads is not safe
 * (CURL_LOCK_DATA_CONNECT), and a lock around a transfer would make it wait for another.
 */
struct souk_http_line {
	struct souk_http_line *next;
	CURLM *multi;
	char host[HOST_SIZE]; /* spoken to last */
};

struct transfer {
	CURL *easy;
	struct curl_slist *headers;
	struct souk_http_reply *reply;
	int is_sent;	  /* the request has begun to leave; before, nothing but handshakes has */
	int is_too_large; /* 1: the body, 2: the headers */
	int is_nomem;
	char message[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_state;

static void init_curl(void)
{
	curl_state = curl_global_init(CURL_GLOBAL_DEFAULT);
}

/* An idle line that last spoke to the host, or a new one, or any. */
static struct souk_http_line *line_take(struct souk_http *http, const char *host)
{
	struct souk_http_line **at, *line;

	pthread_mutex_lock(&http->lock);
	for (at = &http->idle; *at && strcmp((*at)->host, host) != 0; at = &(*at)->next)
		;
	if (!*at && http->n_idle >= LINES_MAX / 2)
		at = &http->idle;
	line = *at;
	if (line) {
		*at = line->next;
		http->n_idle--;
	}
	pthread_mutex_unlock(&http->lock);
	if (line)
		return line;

	line = calloc(1, sizeof(*line));
	if (!line)
		return NULL;
	line->multi = curl_multi_init();
	if (!line->multi) {
		free(line);
		return NULL;
	}
	curl_multi_setopt(line->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS);
	return line;
}

static void line_free(struct souk_http_line *line)
{
	curl_multi_cleanup(line->multi);
	free(line);
}

static void line_put(struct souk_http *http, struct souk_http_line *line, const char *host)
{
	snprintf(line->host, sizeof(line->host), "%s", host);
	pthread_mutex_lock(&http->lock);
	if (http->n_idle < LINES_MAX) {
		line->next = http->idle;
		http->idle = line;
		http->n_idle++;
		line = NULL;
	}
	pthread_mutex_unlock(&http->lock);
	if (line)
		line_free(line);
}

void souk_http_lines_free(struct souk_http *http)
{
	struct souk_http_line *line;

	while ((line = http->idle) != NULL) {
		http->idle = line->next;
		line_free(line);
	}
	http->n_idle = 0;
}

/* What is started beside has no business with our connections. */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg;
	(void)purpose;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	return CURL_SOCKOPT_OK;
}

/* The connection stands, the request comes next. */
static int on_ready(void *arg, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct transfer *transfer = arg;

	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	transfer->is_sent = 1;
	return CURL_PREREQFUNC_OK;
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *transfer = arg;
	int ret;

	(void)size; /* 1, by contract */
	/* A reply may follow another: "100 Continue". */
	if (n > 5 && memcmp(data, "HTTP/", 5) == 0) {
		souk_http_reply_reset_headers(transfer->reply);
		return n;
	}
	ret = souk_http_reply_add_header(transfer->reply, data, n);
	if (ret == SOUK_OK)
		return n;
	transfer->is_nomem = ret == SOUK_E_NOMEM;
	transfer->is_too_large = ret == SOUK_E_INVALID ? 2 : 0;
	return 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *transfer = arg;
	int ret;

	(void)size;
	ret = souk_buf_add(&transfer->reply->body, data, n);
	if (ret == SOUK_OK)
		return n;
	transfer->is_nomem = ret == SOUK_E_NOMEM;
	transfer->is_too_large = ret == SOUK_E_INVALID;
	/* Not n, also when n is 0. */
	return n + 1;
}

static int add_header(struct transfer *transfer, const char *line)
{
	struct curl_slist *list = curl_slist_append(transfer->headers, line);

	if (!list)
		return SOUK_E_NOMEM;
	transfer->headers = list;
	return SOUK_OK;
}

static int set_headers(struct transfer *transfer, const struct souk_http_request *request)
{
	const char *const *header;
	SOUK_AUTO_FREE char *empty = NULL;
	int has_type = 0;
	size_t len;

	for (header = request->headers; header && *header; header++) {
		len = strcspn(*header, ":");
		has_type |= len == 12 && strncasecmp(*header, "Content-Type", 12) == 0;
		if ((*header)[len] == ':' &&
		    !(*header)[len + 1 + strspn(*header + len + 1, " \t")]) {
			/* libcurl takes "Name:" for "leave it out" and "Name;" for an empty one. */
			free(empty);
			empty = strndup(*header, len + 1);
			if (!empty)
				return SOUK_E_NOMEM;
			empty[len] = ';';
			if (add_header(transfer, empty) < 0)
				return SOUK_E_NOMEM;
		} else if (add_header(transfer, *header) < 0) {
			return SOUK_E_NOMEM;
		}
	}
	/* No waiting for "100 Continue", no type that the module did not give. */
	if (add_header(transfer, "Expect:") < 0)
		return SOUK_E_NOMEM;
	if (!has_type && add_header(transfer, "Content-Type:") < 0)
		return SOUK_E_NOMEM;
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
	return SOUK_OK;
}

static void set_method(CURL *easy, const struct souk_http_request *request)
{
	const char *method = request->method;

	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (request->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
	    strcmp(method, "PATCH") == 0) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)(request->body ? request->body_size : 0));
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static void set_security(CURL *easy, const struct souk_http *http,
			 const struct souk_http_context *context,
			 const struct souk_http_request *request, int is_https)
{
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, is_https ? "https" : "http");
#else
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS, is_https ? CURLPROTO_HTTPS : CURLPROTO_HTTP);
#endif
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (http->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, http->ca_file);
		curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, http->ca_file);
	}
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	/* What is in clear does not leave the machine through a proxy either. */
	if (!is_https || (request->flags & SOUK_HTTP_NO_PROXY))
		curl_easy_setopt(easy, CURLOPT_PROXY, "");
	else if (context->proxy)
		curl_easy_setopt(easy, CURLOPT_PROXY, context->proxy);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

static int set_up(struct transfer *transfer, const struct souk_http *http,
		  const struct souk_http_context *context, const struct souk_http_request *request,
		  uint32_t timeout_ms, int is_https)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->message);
	curl_easy_setopt(easy, CURLOPT_URL, request->url);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Resolving goes on in a thread that nobody waits for when the request is given up. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	/* HTTP/2 has ways to send again on its own, and one request at a time gains nothing by it.
	 */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "souk/" PACKAGE_VERSION);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			 (long)(timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS));
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)request->max_reply_bytes);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	/*
	 * libcurl sends a request again if a kept connection turns out to be dead, when the server
	 * may have read it. On a new connection it never does.
	 */
	if (!(request->flags & SOUK_HTTP_RETRY))
		curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	set_method(easy, request);
	set_security(easy, http, context, request, is_https);
	return set_headers(transfer, request);
}

/* Run until the transfer is over or cancelled. */
static int run(CURLM *multi, const struct souk_http_context *context, CURLcode *code_out)
{
	struct curl_waitfd cancel = { .fd = souk_cancel_fd(context->cancel),
				      .events = CURL_WAIT_POLLIN };
	struct CURLMsg *message;
	CURLMcode mcode;
	int n;

	for (;;) {
		if (souk_cancel_is_set(context->cancel))
			return SOUK_E_CANCELLED;
		mcode = curl_multi_perform(multi, &n);
		if (mcode != CURLM_OK)
			return mcode == CURLM_OUT_OF_MEMORY ? SOUK_E_NOMEM : SOUK_E_INTERNAL;
		while ((message = curl_multi_info_read(multi, &n)) != NULL) {
			if (message->msg != CURLMSG_DONE)
				continue;
			*code_out = message->data.result;
			return SOUK_OK;
		}
		mcode = curl_multi_poll(multi, &cancel, context->cancel ? 1 : 0, 60000, NULL);
		if (mcode != CURLM_OK)
			return mcode == CURLM_OUT_OF_MEMORY ? SOUK_E_NOMEM : SOUK_E_INTERNAL;
	}
}

static int is_certificate_fault(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
	       code == CURLE_SSL_ISSUER_ERROR || code == CURLE_SSL_CRL_BADFILE ||
	       code == CURLE_SSL_INVALIDCERTSTATUS || code == CURLE_SSL_PINNEDPUBKEYNOTMATCH;
}

/* libcurl has failed: what does that mean for the caller? */
static int judge(const struct transfer *transfer, const struct souk_http_request *request,
		 const char *host, uint32_t timeout_ms, CURLcode code, int *again_out,
		 struct souk_error *err)
{
	int sent = transfer->is_sent;
	const char *text = *transfer->message ? transfer->message : curl_easy_strerror(code);

	if (code == CURLE_OUT_OF_MEMORY || transfer->is_nomem)
		return souk_error_nomem(err);
	if (transfer->is_too_large == 2)
		return souk_error_set(err, SOUK_E_INVALID,
				      "%s: the headers of the reply from '%s' are too large",
				      request->what, host);
	if (transfer->is_too_large || code == CURLE_FILESIZE_EXCEEDED)
		return souk_error_set(err, SOUK_E_INVALID,
				      "%s: the reply from '%s' is larger than %" PRIu32 " bytes",
				      request->what, host, request->max_reply_bytes);
	if (!sent && is_certificate_fault(code)) {
		souk_error_set(
			err, SOUK_E_INVALID,
			"%s: the certificate of '%s' cannot be verified: %s; nothing was sent",
			request->what, host, text);
		return souk_error_hint(
			err, "if the network has a certificate authority of its own, name "
			     "its file in SSL_CERT_FILE");
	}
	if (!sent && (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL))
		return souk_error_set(err, SOUK_E_INVALID, "%s: %s", request->what, text);
	*again_out = 1;
	if (!sent)
		return souk_error_set(err, SOUK_E_TRANSIENT, "%s: no connection to '%s': %s",
				      request->what, host, text);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return souk_error_set(err, SOUK_E_TIMEOUT,
				      "%s: no answer from '%s' in %" PRIu32
				      " ms; it may have taken effect",
				      request->what, host, timeout_ms);
	return souk_error_set(err, SOUK_E_TIMEOUT,
			      "%s: the answer from '%s' was lost: %s; it may have taken effect",
			      request->what, host, text);
}

/* The transfer on the line, which has the easy handle for the time of it. */
static int transfer_run(struct transfer *transfer, struct souk_http_line *line,
			const struct souk_http_context *context,
			const struct souk_http_request *request, const char *host,
			uint32_t timeout_ms, int *sent_out, int *again_out, struct souk_error *err)
{
	CURLcode code = CURLE_OK;
	long status = 0;
	int ret;

	if (curl_multi_add_handle(line->multi, transfer->easy) != CURLM_OK)
		return souk_error_nomem(err);
	ret = run(line->multi, context, &code);
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	*sent_out = transfer->is_sent;
	curl_multi_remove_handle(line->multi, transfer->easy);
	if (ret == SOUK_E_CANCELLED)
		return souk_error_set(err, SOUK_E_CANCELLED, "%s: cancelled%s", request->what,
				      *sent_out ? "; it may have taken effect"
						: " before it was sent");
	if (ret == SOUK_E_NOMEM)
		return souk_error_nomem(err);
	if (ret < 0)
		return souk_error_set(err, SOUK_E_INTERNAL, "%s: libcurl cannot wait for '%s'",
				      request->what, host);
	if (code != CURLE_OK)
		return judge(transfer, request, host, timeout_ms, code, again_out, err);
	transfer->reply->status = (int)status;
	return SOUK_OK;
}

int souk_http_attempt(struct souk_http *http, const struct souk_http_context *context,
		      const struct souk_http_request *request, uint32_t timeout_ms,
		      struct souk_http_reply **reply_out, int *sent_out, int *again_out,
		      struct souk_error *err)
{
	struct transfer transfer = { 0 };
	struct souk_http_line *line = NULL;
	struct souk_http_parts parts;
	char host[HOST_SIZE];
	int ret = SOUK_E_NOMEM;

	*sent_out = *again_out = 0;
	pthread_once(&curl_once, init_curl);
	if (curl_state != CURLE_OK)
		return souk_error_set(err, SOUK_E_INTERNAL, "cannot start libcurl: %s",
				      curl_easy_strerror(curl_state));
	souk_http_split(request->url, &parts);
	snprintf(host, sizeof(host), "%.*s", parts.host_len, parts.host);

	transfer.easy = curl_easy_init();
	transfer.reply = souk_http_reply_create(request->max_reply_bytes);
	line = line_take(http, host);
	if (transfer.easy && transfer.reply && line)
		ret = set_up(&transfer, http, context, request, timeout_ms, parts.is_https);
	if (ret < 0)
		souk_error_nomem(err);
	else
		ret = transfer_run(&transfer, line, context, request, host, timeout_ms, sent_out,
				   again_out, err);
	if (line)
		line_put(http, line, host);
	curl_easy_cleanup(transfer.easy);
	curl_slist_free_all(transfer.headers);
	if (ret < 0) {
		souk_http_reply_destroy(transfer.reply);
		return ret;
	}
	*reply_out = transfer.reply;
	return SOUK_OK;
}
