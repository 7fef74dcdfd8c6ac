/* SPDX-License-Identifier: Apache-2.0 */
/* net/http-reply.c - a reply: status, headers, body, and what they say about waiting */
#include "net/http-internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

enum { HEADERS_MAX = 64 * 1024 };

struct souk_http_reply *souk_http_reply_create(size_t max_body)
{
	struct souk_http_reply *reply = calloc(1, sizeof(*reply));

	if (!reply)
		return NULL;
	souk_buf_init(&reply->headers, HEADERS_MAX);
	souk_buf_init(&reply->body, max_body);
	return reply;
}

struct souk_http_reply *souk_http_reply_make(int status, const void *body, size_t size)
{
	struct souk_http_reply *reply = souk_http_reply_create(size + 1);

	if (!reply)
		return NULL;
	reply->status = status;
	if (souk_buf_add(&reply->body, body, size) < 0) {
		souk_http_reply_destroy(reply);
		return NULL;
	}
	return reply;
}

void souk_http_reply_destroy(struct souk_http_reply *reply)
{
	if (!reply)
		return;
	souk_buf_fini(&reply->headers);
	souk_buf_fini(&reply->body);
	free(reply);
}

int souk_http_reply_get_status(const struct souk_http_reply *reply)
{
	return reply->status;
}

const char *souk_http_reply_get_body(const struct souk_http_reply *reply, size_t *size_out)
{
	if (size_out)
		*size_out = reply->body.len;
	return reply->body.data;
}

const char *souk_http_reply_get_header(const struct souk_http_reply *reply, const char *name)
{
	const char *at = reply->headers.data;
	const char *end = at + reply->headers.len;
	const char *value;

	while (at < end) {
		value = at + strlen(at) + 1;
		if (strcasecmp(at, name) == 0)
			return value;
		at = value + strlen(value) + 1;
	}
	return NULL;
}

void souk_http_reply_reset_headers(struct souk_http_reply *reply)
{
	souk_buf_reset(&reply->headers);
}

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int souk_http_reply_add_header(struct souk_http_reply *reply, const char *line, size_t size)
{
	const char *colon = memchr(line, ':', size);
	const char *value, *end = line + size;

	/* A NUL would break the list; a line that begins with a blank continues another. */
	if (!colon || colon == line || is_blank(*line) || memchr(line, '\0', size))
		return SOUK_OK;
	value = colon + 1;
	while (value < end && is_blank(*value))
		value++;
	while (end > value && is_blank(end[-1]))
		end--;
	souk_buf_add(&reply->headers, line, (size_t)(colon - line));
	souk_buf_add(&reply->headers, "", 1);
	souk_buf_add(&reply->headers, value, (size_t)(end - value));
	return souk_buf_add(&reply->headers, "", 1);
}

/* Digits only, at most 'max'; -1: something else. */
static int64_t digits(const char *text, int64_t max)
{
	int64_t n = 0;

	if (!text || !*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -1;
		n = n * 10 + (*text - '0');
		if (n > max)
			n = max;
	}
	return n;
}

int64_t souk_http_reply_retry_after(const struct souk_http_reply *reply, int64_t wall_s)
{
	static const char *const in_ms[] = { "x-amz-retry-after", "retry-after-ms",
					     "x-ms-retry-after-ms" };
	const char *text;
	int64_t n;
	time_t date;
	size_t i;

	for (i = 0; i < sizeof(in_ms) / sizeof(in_ms[0]); i++) {
		n = digits(souk_http_reply_get_header(reply, in_ms[i]), INT32_MAX);
		if (n >= 0)
			return n;
	}
	text = souk_http_reply_get_header(reply, "Retry-After");
	if (!text)
		return -1;
	n = digits(text, INT32_MAX / 1000);
	if (n >= 0)
		return n * 1000;
	date = curl_getdate(text, NULL);
	if (date == (time_t)-1)
		return -1;
	if ((int64_t)date <= wall_s)
		return 0;
	n = (int64_t)date - wall_s;
	return (n > INT32_MAX / 1000 ? INT32_MAX / 1000 : n) * 1000;
}
