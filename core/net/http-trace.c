/* SPDX-License-Identifier: Apache-2.0 */
/* net/http-trace.c - requests and replies in the debug log, without secrets */
#include "net/http-internal.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/util.h"

enum {
	BODY_SHOWN = 2048,
	LINE_MAX_BYTES = 3500, /* the log cuts lines at 4 KiB */
	NAME_MAX_BYTES = 128
};

#define REDACTED "[redacted]"

/* Does the name (of 'len' bytes) contain one of the words? */
static int has_word(const char *name, size_t len, const char *const *words)
{
	char text[NAME_MAX_BYTES];

	/* A name that long is nobody's, so nothing is known about its value. */
	if (len >= sizeof(text))
		return 1;
	memcpy(text, name, len);
	text[len] = '\0';
	for (; *words; words++)
		if (strcasestr(text, *words))
			return 1;
	return 0;
}

int souk_http_is_secret_header(const char *name, size_t len)
{
	static const char *const words[] = { "authorization", "cookie",	   "token",
					     "key",	      "secret",	   "password",
					     "credential",    "signature", NULL };

	return has_word(name, len, words);
}

static int is_secret_parameter(const char *name, size_t len)
{
	static const char *const words[] = { "token",	   "key",	"secret",	 "password",
					     "credential", "signature", "authorization", NULL };

	return (len == 3 && strncasecmp(name, "sig", 3) == 0) ||
	       (len == 4 && strncasecmp(name, "code", 4) == 0) || has_word(name, len, words);
}

int souk_http_add_safe_url(struct souk_buf *out, const char *url)
{
	size_t len = strcspn(url, "?");
	const char *value;
	size_t name_len;

	souk_buf_add(out, url, len);
	url += len;
	while (*url) {
		souk_buf_add(out, url++, 1); /* '?' or '&' */
		len = strcspn(url, "&");
		value = memchr(url, '=', len);
		name_len = value ? (size_t)(value - url) : len;
		if (value && is_secret_parameter(url, name_len)) {
			souk_buf_add(out, url, name_len + 1);
			souk_buf_str(out, REDACTED);
		} else {
			souk_buf_add(out, url, len);
		}
		url += len;
	}
	return out->failed;
}

int souk_http_add_safe_header(struct souk_buf *out, const char *line)
{
	size_t len = strcspn(line, ":");

	if (!line[len] || !souk_http_is_secret_header(line, len))
		return souk_buf_str(out, line);
	souk_buf_add(out, line, len);
	return souk_buf_str(out, ": " REDACTED);
}

/* Write the line, without what is a registered secret, cut so that the log need not cut it. */
static void log_line(const struct souk_http_context *context, struct souk_buf *line)
{
	if (line->failed == SOUK_OK) {
		souk_log_redact(line->data);
		souk_log(SOUK_LOG_DEBUG, "%s%s%.*s", context->who ? context->who : "",
			 context->who ? ": " : "", LINE_MAX_BYTES, line->data);
	}
	souk_buf_reset(line);
}

/* The secrets are taken out of the whole body before it is cut: half a secret is one too. */
static void trace_body(const struct souk_http_context *context, const char *what, const char *mark,
		       const void *body, size_t size)
{
	struct souk_buf text, line;
	size_t i;

	if (size == 0)
		return;
	souk_buf_init(&text, size);
	souk_buf_init(&line, LINE_MAX_BYTES * 2);
	souk_buf_add(&text, body, size);
	for (i = 0; i < text.len; i++)
		if (!text.data[i])
			text.data[i] = '.';
	if (text.failed == SOUK_OK && size > 0) {
		souk_log_redact(text.data);
		souk_buf_printf(&line, "%s %s %.*s%s", mark, what, BODY_SHOWN, text.data,
				strlen(text.data) > BODY_SHOWN ? " ..." : "");
		log_line(context, &line);
	}
	souk_buf_fini(&text);
	souk_buf_fini(&line);
}

void souk_http_trace_request(const struct souk_http_context *context,
			     const struct souk_http_request *request, unsigned attempt)
{
	const char *const *header;
	struct souk_buf line;

	if (souk_log_level() < SOUK_LOG_DEBUG)
		return;
	souk_buf_init(&line, 64 * 1024);
	souk_buf_printf(&line, "> %s ", request->method);
	souk_http_add_safe_url(&line, request->url);
	souk_buf_printf(&line, " (%s, attempt %u)", request->what, attempt + 1);
	log_line(context, &line);
	for (header = request->headers; header && *header; header++) {
		souk_buf_printf(&line, "> %s ", request->what);
		souk_http_add_safe_header(&line, *header);
		log_line(context, &line);
	}
	souk_buf_fini(&line);
	if (!(request->flags & SOUK_HTTP_SECRET_BODY))
		trace_body(context, request->what, ">", request->body, request->body_size);
}

void souk_http_trace_reply(const struct souk_http_context *context,
			   const struct souk_http_request *request,
			   const struct souk_http_reply *reply, int64_t ms)
{
	const char *name = reply->headers.data;
	const char *end = name + reply->headers.len;
	const char *value;
	struct souk_buf line;

	if (souk_log_level() < SOUK_LOG_DEBUG)
		return;
	souk_buf_init(&line, 128 * 1024);
	souk_buf_printf(&line, "< %s %d, %zu bytes, %" PRId64 " ms", request->what, reply->status,
			reply->body.len, ms);
	log_line(context, &line);
	while (name < end) {
		value = name + strlen(name) + 1;
		souk_buf_printf(&line, "< %s %s: %s", request->what, name,
				souk_http_is_secret_header(name, strlen(name)) ? REDACTED : value);
		log_line(context, &line);
		name = value + strlen(value) + 1;
	}
	souk_buf_fini(&line);
	if (!(request->flags & SOUK_HTTP_SECRET_REPLY))
		trace_body(context, request->what, "<", reply->body.data, reply->body.len);
}
