/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - requests to RunPod's REST API, version 2 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "errors.h"
#include "runpod.h"

/* How often an answer that is no JSON is asked for again, and how soon. */
enum { TRIES = 3, TRY_AGAIN_MS = 500 };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait until RunPod counts our requests anew, if the last answer said that none is left. */
static int keep_to_limit(struct runpod *runpod, struct souk_call *call, struct souk_error *err)
{
	int64_t wait;

	pthread_mutex_lock(&runpod->lock);
	wait = runpod->not_before_ms - now_ms();
	pthread_mutex_unlock(&runpod->lock);
	if (wait <= 0)
		return SOUK_OK;
	if (wait >= (int64_t)souk_call_deadline_ms(call)) {
		souk_error_set(err, SOUK_E_RATE_LIMIT, "RunPod admits no more requests for %d s",
			       (int)(wait / 1000 + 1));
		souk_error_retry_after(err, (uint32_t)wait);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	souk_call_log(call, SOUK_LOG_INFO, "waiting %d s: RunPod's requests per minute are used up",
		      (int)(wait / 1000 + 1));
	return souk_call_sleep(call, (uint32_t)wait, err);
}

static void note_limit(struct runpod *runpod, const struct souk_http_reply *reply)
{
	uint32_t wait = runpod_limit_wait_ms(souk_http_reply_header(reply, "RateLimit"));
	int64_t until;

	if (!wait)
		return;
	until = now_ms() + wait;
	pthread_mutex_lock(&runpod->lock);
	if (until > runpod->not_before_ms)
		runpod->not_before_ms = until;
	pthread_mutex_unlock(&runpod->lock);
}

/* Out of stock may come as a 500; asking again at once would not help. */
static int should_retry(const struct souk_http_reply *reply, void *arg)
{
	const struct runpod_request *request = arg;
	struct runpod_fault fault;
	struct runpod_meaning meaning;

	runpod_fault_of(reply, &fault);
	meaning = runpod_fault_meaning(&fault, request->is_create);
	return meaning.code == SOUK_E_TRANSIENT || meaning.code == SOUK_E_RATE_LIMIT ||
	       meaning.code == SOUK_E_TIMEOUT;
}

static int read_reply(const struct runpod_request *request, const struct souk_http_reply *reply,
		      struct json_object **out, struct souk_error *err)
{
	int status = souk_http_reply_status(reply);
	struct runpod_fault fault;
	const char *body;
	size_t size = 0;

	if (status < 200 || status > 299) {
		runpod_fault_of(reply, &fault);
		return runpod_fault_error(&fault, request->is_create, request->doing, err);
	}
	*out = NULL;
	if (status == 204)
		return SOUK_OK;
	body = souk_http_reply_body(reply, &size);
	*out = souk_json_parse(body, size);
	if (*out)
		return SOUK_OK;
	souk_error_set(err, SOUK_E_INTERNAL, "cannot %s: the answer is not a JSON object",
		       request->doing);
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

static int send_once(struct runpod *runpod, struct souk_call *call,
		     const struct runpod_request *request, const char *url, int use_kept,
		     struct json_object **out, struct souk_error *err)
{
	char authorization[1200];
	const char *const headers[] = { authorization, "Accept: application/json",
					request->body ? "Content-Type: application/json" : NULL,
					NULL };
	struct souk_http_request http = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = request->flags,
		.what = request->what,
		.method = request->method,
		.url = url,
		.headers = headers,
		.body = request->body,
		.body_size = request->body ? strlen(request->body) : 0,
		.max_reply_bytes = RUNPOD_MAX_REPLY,
		.should_retry = should_retry,
		.should_retry_arg = (void *)request,
		.cache_seconds = use_kept ? request->cache_seconds : 0,
		.cache_scope = runpod->scope,
	};
	struct souk_http_reply *reply = NULL;
	int ret;

	(void)snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s",
		       runpod->key);
	ret = keep_to_limit(runpod, call, err);
	if (ret < 0)
		return ret;
	ret = souk_http_send(call, &http, &reply, err);
	if (ret < 0)
		return ret;
	note_limit(runpod, reply);
	ret = read_reply(request, reply, out, err);
	souk_http_reply_free(reply);
	return ret;
}

int runpod_send(struct runpod *runpod, struct souk_call *call, const struct runpod_request *request,
		struct json_object **out, struct souk_error *err)
{
	RUNPOD_AUTO_BUF struct souk_buf url = { 0 };
	int ret, i;

	souk_buf_init(&url, RUNPOD_MAX_URL);
	souk_buf_printf(&url, "%s%s", runpod->endpoint, request->path);
	ret = souk_buf_failed(&url, err);
	for (i = 0; ret == SOUK_OK && i < TRIES; i++) {
		ret = send_once(runpod, call, request, url.data, i == 0, out, err);
		if (ret != SOUK_E_INTERNAL || !(request->flags & SOUK_HTTP_RETRY) || i + 1 == TRIES)
			break;
		/* What a broken proxy answers once, it need not answer twice. */
		ret = souk_call_sleep(call, TRY_AGAIN_MS, err);
	}
	return ret;
}
