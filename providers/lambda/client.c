/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - requests to Lambda's Cloud API */

#include <stdio.h>
#include <string.h>

#include "errors.h"
#include "lambda.h"

/*
 * How often a request is sent at most: one that came too quick is held back, 10 s at first and then
 * longer, if Lambda does not say how long itself; one that was answered with no JSON is sent again.
 */
enum { TRIES = 6, TRIES_BROKEN = 3, HOLD_TURNS = 10, HOLD_MOST_MS = 100000 };

/* Being too quick is dealt with here, where the pace is known. */
static int should_retry(const struct souk_http_reply *reply, void *arg)
{
	struct lambda_fault fault;
	struct lambda_meaning meaning;

	(void)arg;
	lambda_fault_of(reply, &fault);
	meaning = lambda_fault_meaning(&fault);
	return meaning.code == SOUK_E_TRANSIENT || meaning.code == SOUK_E_TIMEOUT;
}

static int broken(const struct lambda_request *request, const char *what, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_INTERNAL, "cannot %s: %s", request->doing, what);
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

static int read_reply(const struct lambda_request *request, const struct souk_http_reply *reply,
		      struct json_object **out, struct json_object **data_out,
		      struct souk_error *err)
{
	int status = souk_http_reply_status(reply);
	struct lambda_fault fault;
	const char *body;
	size_t size = 0;

	if (status < 200 || status > 299) {
		lambda_fault_of(reply, &fault);
		return lambda_fault_error(&fault, request->doing, err);
	}
	body = souk_http_reply_body(reply, &size);
	*out = souk_json_parse(body, size);
	if (!*out)
		return broken(request, "the answer is not a JSON object", err);
	if (!json_object_object_get_ex(*out, "data", data_out)) {
		json_object_put(*out);
		*out = NULL;
		return broken(request, "the answer has no 'data'", err);
	}
	return SOUK_OK;
}

static int send_once(struct lambda *lambda, struct souk_call *call,
		     const struct lambda_request *request, const char *url,
		     struct json_object **out, struct json_object **data_out,
		     struct souk_error *err)
{
	char authorization[1200];
	const char *const headers[] = { authorization, "Accept: application/json",
					request->body ? "Content-Type: application/json" : NULL,
					NULL };
	const struct souk_http_request http = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = request->flags,
		.what = request->what,
		.method = request->method,
		.url = url,
		.headers = headers,
		.body = request->body,
		.body_size = request->body ? strlen(request->body) : 0,
		.max_reply_bytes = LAMBDA_MAX_REPLY,
		.should_retry = should_retry,
	};
	struct souk_http_reply *reply = NULL;
	int ret = lambda->rehearsed.is_on ? SOUK_OK :
					    lambda_pace_wait(&lambda->pace, call, request->is_launch, err);

	if (ret < 0)
		return ret;
	(void)snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s",
		       lambda->key);
	ret = souk_http_send(call, &http, &reply, err);
	if (ret < 0)
		return ret;
	ret = read_reply(request, reply, out, data_out, err);
	souk_http_reply_free(reply);
	return ret;
}

/* Who was too quick takes a later turn, and so do all others. 1: send it again. */
static int hold_back(struct lambda *lambda, struct souk_call *call, int i,
		     const struct souk_error *why)
{
	uint32_t ms = why->retry_after_ms;

	if (!ms)
		ms = HOLD_TURNS * lambda->pace.intervals.request_ms << i;
	if (!why->retry_after_ms && ms > HOLD_MOST_MS)
		ms = HOLD_MOST_MS;
	lambda_pace_hold(&lambda->pace, ms);
	return ms < souk_call_deadline_ms(call);
}

int lambda_send(struct lambda *lambda, struct souk_call *call, const struct lambda_request *request,
		struct json_object **out, struct json_object **data_out, struct souk_error *err)
{
	LAMBDA_AUTO_BUF struct souk_buf url = { 0 };
	struct souk_error why = SOUK_ERROR_INIT;
	int is_last, ret, i;

	souk_buf_init(&url, LAMBDA_MAX_URL);
	souk_buf_printf(&url, "%s/api/v1%s", lambda->endpoint, request->path);
	ret = souk_buf_failed(&url, err);
	for (i = 0; ret == SOUK_OK; i++) {
		why = (struct souk_error)SOUK_ERROR_INIT;
		ret = send_once(lambda, call, request, url.data, out, data_out, &why);
		is_last = i + 1 >= TRIES || souk_call_cancelled(call);
		if (ret == SOUK_OK)
			return SOUK_OK;
		/* A request that was refused for its pace has done nothing, whatever it is. A turn
		 * that does not come in time has no reason of Lambda's, and ends it. */
		if (ret == SOUK_E_RATE_LIMIT && !is_last && why.reason[0] &&
		    hold_back(lambda, call, i, &why))
			ret = SOUK_OK;
		else if (ret == SOUK_E_INTERNAL && (request->flags & SOUK_HTTP_RETRY) &&
			 i + 1 < TRIES_BROKEN)
			ret = SOUK_OK;
	}
	return why.code ? souk_error_copy(&why, err) : ret;
}
