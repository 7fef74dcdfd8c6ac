/* SPDX-License-Identifier: Apache-2.0 */
/* net/http.c - the HTTP client: what may be sent, how often, and when again */
#include "net/http-internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "base/util.h"

enum {
	ATTEMPTS_MAX = 8,
	ATTEMPTS_UNREACHABLE_MAX = 4,
	TIMEOUT_DEFAULT_MS = 30000,
	REPLY_DEFAULT_BYTES = 16 * 1024 * 1024,
	BACKOFF_FIRST_MS = 500,
	BACKOFF_MAX_MS = 20000,
	RETRY_AFTER_MAX_MS = 60000,
	HEADERS_MAX = 100,
	HEADER_LINE_MAX = 16 * 1024
};

static int set_path(char **slot, const char *value)
{
	return souk_strset(slot, value && *value ? value : NULL);
}

int souk_http_new(struct souk_http **http_out, struct souk_error *err)
{
	struct souk_http *http = calloc(1, sizeof(*http));
	const char *plan = getenv("SOUK_HTTP_PLAN");
	const char *ca_file = getenv("SSL_CERT_FILE");

	if (!http)
		return souk_error_nomem(err);
	if (!ca_file || !*ca_file)
		ca_file = getenv("CURL_CA_BUNDLE");
	pthread_mutex_init(&http->lock, NULL);
	souk_http_cache_init(&http->cache);
	http->plan = plan && *plan && strcmp(plan, "0") != 0;
	if (set_path(&http->record, getenv("SOUK_HTTP_RECORD")) < 0 ||
	    set_path(&http->replay, getenv("SOUK_HTTP_REPLAY")) < 0 ||
	    set_path(&http->ca_file, ca_file) < 0) {
		souk_http_free(http);
		return souk_error_nomem(err);
	}
	*http_out = http;
	return SOUK_OK;
}

void souk_http_free(struct souk_http *http)
{
	if (!http)
		return;
	souk_http_lines_free(http);
	souk_http_replay_free(http->replay_set);
	free(http->record);
	free(http->replay);
	free(http->ca_file);
	souk_http_cache_fini(&http->cache);
	pthread_mutex_destroy(&http->lock);
	free(http);
}

/* Could the text, in a header or a method, become more than it says? */
static int is_one_line(const char *text, size_t max)
{
	return strlen(text) <= max && !text[strcspn(text, "\r\n")];
}

static int check_request(const struct souk_http_request *request, struct souk_error *err)
{
	const char *const *header;
	const char *c;
	size_t n = 0;

	if (!request->what || !*request->what)
		return souk_error_set(err, SOUK_E_INVALID, "an HTTP request has no name ('what')");
	for (c = request->method; *c; c++)
		if (*c < 'A' || *c > 'Z')
			return souk_error_set(err, SOUK_E_INVALID,
					      "%s: not an HTTP method: '%.20s'", request->what,
					      request->method);
	if (c == request->method || c - request->method > 16)
		return souk_error_set(err, SOUK_E_INVALID, "%s: not an HTTP method: '%.20s'",
				      request->what, request->method);
	for (header = request->headers; header && *header; header++, n++) {
		if (!is_one_line(*header, HEADER_LINE_MAX) || !strchr(*header, ':') ||
		    **header == ':')
			return souk_error_set(err, SOUK_E_INVALID,
					      "%s: header %zu is not one line 'Name: value'",
					      request->what, n + 1);
		if (n >= HEADERS_MAX)
			return souk_error_set(err, SOUK_E_INVALID, "%s: more than %d headers",
					      request->what, HEADERS_MAX);
	}
	if (souk_http_check_url(request->url, err) < 0)
		return souk_error_prefix(err, "%s", request->what);
	return SOUK_OK;
}

/* A module may know a shorter struct, or a longer one, than we do. */
static void take_request(struct souk_http_request *to, const struct souk_http_request *from)
{
	size_t size = from->struct_size < sizeof(*to) ? from->struct_size : sizeof(*to);

	memset(to, 0, sizeof(*to));
	memcpy(to, from, size);
	/* The members about keeping came together. */
	if (size < offsetof(struct souk_http_request, cache_scope) + sizeof(to->cache_scope)) {
		to->cache_seconds = 0;
		to->cache_scope = NULL;
	}
	if (!to->method)
		to->method = "GET";
	if (!to->timeout_ms)
		to->timeout_ms = TIMEOUT_DEFAULT_MS;
	if (!to->max_reply_bytes)
		to->max_reply_bytes = REPLY_DEFAULT_BYTES;
}

static int refuse_in_plan(const struct souk_http_context *context,
			  const struct souk_http_request *request, struct souk_error *err)
{
	struct souk_buf url;

	souk_buf_init(&url, 64 * 1024);
	souk_http_add_safe_url(&url, request->url);
	souk_log(SOUK_LOG_INFO, "plan: %s%s%s: %s %.2000s not sent",
		 context->who ? context->who : "", context->who ? ": " : "", request->what,
		 request->method, url.data);
	souk_buf_fini(&url);
	return souk_error_set(err, SOUK_E_UNSUPPORTED, "%s: not sent: plan mode", request->what);
}

static int is_worth_retrying(const struct souk_http_request *request,
			     const struct souk_http_reply *reply)
{
	if (request->should_retry)
		return reply->status >= 400 &&
		       request->should_retry(reply, request->should_retry_arg);
	switch (reply->status) {
	case 408:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return 1;
	default:
		return 0;
	}
}

/* min(20 s, 2^i * 0.5 s) * random(0.5, 1) */
static uint32_t backoff_ms(unsigned i)
{
	uint32_t full = i < 6 ? (uint32_t)BACKOFF_FIRST_MS << i : BACKOFF_MAX_MS;
	uint32_t random = 0;

	if (full > BACKOFF_MAX_MS)
		full = BACKOFF_MAX_MS;
	/* Without random bytes everybody waits the shortest time, which is no harm. */
	if (souk_random(&random, sizeof(random), NULL) < 0)
		random = 0;
	return full / 2 + random % (full / 2 + 1);
}

/* Milliseconds that are left; INT64_MAX without a deadline. */
static int64_t time_left(const struct souk_http_context *context)
{
	return context->deadline_ms ? context->deadline_ms - souk_clock_ms() : INT64_MAX;
}

/* Wait before attempt i + 1, as the reply asks (NULL: there is none). 1: it is not worth it. */
static int wait_for_next(const struct souk_http *http, const struct souk_http_context *context,
			 unsigned i, const struct souk_http_reply *reply, struct souk_error *err)
{
	int64_t ms = -1;

	if (http->replay)
		return SOUK_OK;
	if (reply)
		ms = souk_http_reply_retry_after(reply, souk_clock_wall_s());
	if (ms > RETRY_AFTER_MAX_MS)
		return 1;
	if (ms < 0)
		ms = backoff_ms(i);
	if (ms >= time_left(context))
		return 1;
	if (context->on_wait)
		return context->on_wait((uint32_t)ms, context->on_wait_arg, err);
	return souk_cancel_wait(context->cancel, (uint32_t)ms, err);
}

/* One attempt, traced and recorded. */
static int attempt(struct souk_http *http, const struct souk_http_context *context,
		   const struct souk_http_request *request, unsigned i,
		   struct souk_http_reply **reply_out, int *sent_out, int *again_out,
		   struct souk_error *err)
{
	int64_t start = souk_clock_ms();
	int64_t left = time_left(context);
	struct souk_http_reply *reply;
	int ret;

	*sent_out = *again_out = 0;
	if (souk_cancel_is_set(context->cancel))
		return souk_error_set(err, SOUK_E_CANCELLED, "%s: cancelled before it was sent",
				      request->what);
	if (left <= 0)
		return souk_error_set(err, SOUK_E_TRANSIENT,
				      "%s: not sent: the time for it is over", request->what);
	souk_http_trace_request(context, request, i);
	if (http->replay)
		ret = souk_http_replay(http, request, &reply, err);
	else
		ret = souk_http_attempt(http, context, request,
					left < request->timeout_ms ? (uint32_t)left
								   : request->timeout_ms,
					&reply, sent_out, again_out, err);
	if (ret < 0) {
		souk_log(SOUK_LOG_DEBUG, "%s%s< %s failed after %" PRId64 " ms: %s",
			 context->who ? context->who : "", context->who ? ": " : "", request->what,
			 souk_clock_ms() - start, err ? err->message : souk_code_name(ret));
		return ret;
	}
	souk_http_trace_reply(context, request, reply, souk_clock_ms() - start);
	if (http->record && !http->replay) {
		struct souk_error record_err = SOUK_ERROR_INIT;

		/* The reply counts more than its record. */
		if (souk_http_record(http, request, reply, &record_err) < 0)
			souk_log(SOUK_LOG_WARNING, "%s", record_err.message);
	}
	*reply_out = reply;
	return SOUK_OK;
}

static int attempts(struct souk_http *http, const struct souk_http_context *context,
		    const struct souk_http_request *request, struct souk_http_reply **reply_out,
		    struct souk_error *err)
{
	struct souk_http_reply *reply = NULL;
	struct souk_error wait_err = SOUK_ERROR_INIT;
	struct souk_error last;
	unsigned max = request->flags & SOUK_HTTP_RETRY ? ATTEMPTS_MAX : 1;
	unsigned most;
	int ever_sent = 0, sent, again, ret, waited;
	unsigned i;

	for (i = 0;; i++) {
		ret = attempt(http, context, request, i, &reply, &sent, &again, err);
		ever_sent |= sent;
		if (ret == SOUK_OK)
			again = max > 1 && is_worth_retrying(request, reply);
		most = ever_sent || http->replay ? ATTEMPTS_MAX : ATTEMPTS_UNREACHABLE_MAX;
		if (!again || i + 1 >= (max < most ? max : most))
			break;
		waited = wait_for_next(http, context, i, ret == SOUK_OK ? reply : NULL, &wait_err);
		if (waited > 0)
			break;
		if (ret == SOUK_OK)
			souk_http_reply_destroy(reply);
		if (waited < 0)
			return souk_error_set(err, waited, "%s: %s, waiting for attempt %u",
					      request->what, wait_err.message, i + 2);
	}
	if (ret == SOUK_OK) {
		*reply_out = reply;
	} else if (ret == SOUK_E_TRANSIENT && ever_sent) {
		/* This attempt did not arrive; one before it may have. */
		last = *err;
		ret = souk_error_set(err, SOUK_E_TIMEOUT,
				     "%s; an earlier attempt may have taken effect", last.message);
	}
	return ret;
}

/* ---- Replies that are kept ---- */

/* The headers of the request and the conditions under which the kept reply is not sent again. */
struct conditional {
	struct souk_buf etag;
	struct souk_buf date;
	const char *headers[HEADERS_MAX + 3];
};

static void conditional_fini(struct conditional *conditional)
{
	souk_buf_fini(&conditional->etag);
	souk_buf_fini(&conditional->date);
}

/* A POST is always asked in full: what a condition means for it is nowhere said. */
static void make_conditional(struct conditional *conditional, const struct souk_http_reply *kept,
			     struct souk_http_request *request)
{
	const char *etag = souk_http_reply_get_header(kept, "ETag");
	const char *date = souk_http_reply_get_header(kept, "Last-Modified");
	size_t n = 0;

	if (strcmp(request->method, "GET") != 0)
		return;
	for (; request->headers && request->headers[n] && n < HEADERS_MAX; n++)
		conditional->headers[n] = request->headers[n];
	souk_buf_init(&conditional->etag, HEADER_LINE_MAX);
	souk_buf_init(&conditional->date, HEADER_LINE_MAX);
	if (etag && *etag &&
	    souk_buf_printf(&conditional->etag, "If-None-Match: %s", etag) == SOUK_OK)
		conditional->headers[n++] = conditional->etag.data;
	if (date && *date &&
	    souk_buf_printf(&conditional->date, "If-Modified-Since: %s", date) == SOUK_OK)
		conditional->headers[n++] = conditional->date.data;
	request->headers = conditional->headers;
}

static void give_kept(const struct souk_http_context *context,
		      const struct souk_http_request *request, struct souk_http_kept *kept,
		      struct souk_http_reply **reply_out)
{
	souk_log(SOUK_LOG_DEBUG,
		 "%s%s= %s: the reply of %" PRId64 " s ago is given again, %zu bytes",
		 context->who ? context->who : "", context->who ? ": " : "", request->what,
		 kept->age_s, kept->reply->body.len);
	if (context->on_kept)
		context->on_kept(kept->path, context->on_kept_arg);
	*reply_out = kept->reply;
	kept->reply = NULL;
}

/* The reply counts more than its place in the cache. */
static void keep(struct souk_http *http, const struct souk_http_context *context,
		 const struct souk_http_request *request, const struct souk_http_kept *kept,
		 const struct souk_http_reply *reply)
{
	struct souk_error err = SOUK_ERROR_INIT;

	if (souk_http_cache_keep(&http->cache, context, kept, reply, &err) < 0)
		souk_log(SOUK_LOG_DEBUG, "the reply to %s is not kept: %s", request->what,
			 err.message);
	else if (context->on_kept)
		context->on_kept(kept->path, context->on_kept_arg);
}

static int ask_again(struct souk_http *http, const struct souk_http_context *context,
		     const struct souk_http_request *request, struct souk_http_kept *kept,
		     struct souk_http_reply **reply_out, struct souk_error *err)
{
	struct conditional conditional = { 0 };
	struct souk_http_request asked = *request;
	struct souk_http_reply *reply;
	int ret;

	if (kept->reply)
		make_conditional(&conditional, kept->reply, &asked);
	ret = attempts(http, context, &asked, &reply, err);
	conditional_fini(&conditional);
	if (ret < 0)
		return ret;
	if (reply->status == 304 && kept->reply) {
		souk_http_reply_destroy(reply);
		souk_http_cache_renew(kept);
		give_kept(context, request, kept, reply_out);
		return SOUK_OK;
	}
	if (reply->status == 200)
		keep(http, context, request, kept, reply);
	*reply_out = reply;
	return SOUK_OK;
}

static int perform_kept(struct souk_http *http, const struct souk_http_context *context,
			const struct souk_http_request *request, struct souk_http_reply **reply_out,
			struct souk_error *err)
{
	struct souk_http_kept kept = { 0 };
	int ret;

	ret = souk_http_cache_look(context, request, &kept, err);
	if (ret == SOUK_OK && kept.reply && kept.age_s < (int64_t)request->cache_seconds) {
		/* Who goes through many kept pages must be able to stop there. */
		if (souk_cancel_is_set(context->cancel))
			ret = souk_error_set(err, SOUK_E_CANCELLED, "%s: cancelled", request->what);
		else
			give_kept(context, request, &kept, reply_out);
	} else if (ret == SOUK_OK) {
		ret = ask_again(http, context, request, &kept, reply_out, err);
	}
	souk_http_kept_fini(&kept);
	return ret;
}

int souk_http_perform(struct souk_http *http, const struct souk_http_context *context,
		      const struct souk_http_request *request, struct souk_http_reply **reply_out,
		      struct souk_error *err)
{
	struct souk_error own_err = SOUK_ERROR_INIT;
	struct souk_http_request taken;
	int ret;

	if (!err)
		err = &own_err;
	take_request(&taken, request);
	ret = check_request(&taken, err);
	if (ret < 0)
		return ret;
	if (http->plan && (taken.flags & SOUK_HTTP_MUTATES))
		return refuse_in_plan(context, &taken, err);
	if (!http->record && !http->replay && souk_http_cache_takes(context, &taken))
		return perform_kept(http, context, &taken, reply_out, err);
	return attempts(http, context, &taken, reply_out, err);
}
