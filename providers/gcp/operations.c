/* SPDX-License-Identifier: Apache-2.0 */
/* operations.c - what the cloud has accepted and does later: waited for, and judged */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "machines.h"

/* The failure that an operation has ended with; SOUK_OK if it has none. */
static int judge(struct json_object *operation, const char *doing, struct souk_error *err)
{
	struct json_object *error = NULL;
	struct json_object *list = NULL;
	struct json_object *first;
	struct gcp_fault fault = { 0 };
	uint64_t status = 0;
	const char *text;

	if (gcp_json_object(operation, "error", &error, NULL) <= 0)
		return SOUK_OK;
	if (gcp_json_array(error, "errors", &list, NULL) <= 0 || !json_object_array_length(list))
		return souk_error_set(err, SOUK_E_INTERNAL, "cannot %s: it has failed", doing);
	first = json_object_array_get_idx(list, 0);
	gcp_json_count(operation, "httpErrorStatusCode", 999, &status, NULL);
	fault.status = (int)status;
	text = souk_json_maybe_text(first, "code");
	snprintf(fault.code, sizeof(fault.code), "%s", text ? text : "");
	text = souk_json_maybe_text(first, "message");
	snprintf(fault.message, sizeof(fault.message), "%s", text ? text : "");
	return gcp_fault_error(&fault, NULL, doing, err);
}

static int is_done(struct json_object *operation)
{
	const char *status = souk_json_maybe_text(operation, "status");

	return status && strcmp(status, "DONE") == 0;
}

static int64_t now_ms(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One look, which the cloud answers once the operation is done or two minutes have passed. */
static int look(const struct gcp_client *client, const char *scope, const char *name,
		uint32_t timeout_ms, struct json_object **out, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	int is_global = strcmp(scope, "global") == 0;
	struct gcp_request request = {
		.what = is_global ? "globalOperations.wait" : "zoneOperations.wait",
		.doing = "wait for an operation",
		.permission = is_global ? "compute.globalOperations.get" :
					  "compute.zoneOperations.get",
		.method = "POST",
		.flags = SOUK_HTTP_RETRY,
		.timeout_ms = timeout_ms,
	};
	int ret;

	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_compute_url(client, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "%s/operations/%s/wait", scope, name);
	ret = souk_buf_failed(&url, err);
	if (ret < 0)
		return ret;
	request.url = url.data;
	return gcp_call(client, &request, out, NULL, err);
}

/*
 * SOUK_OK also if it is not done within the budget: it is accepted, and what comes of it is seen
 * at the machines themselves.
 */
int gcp_operation_wait(const struct gcp_client *client, const char *scope,
		       struct json_object *operation, const char *doing, uint32_t budget_ms,
		       struct souk_error *err)
{
	const char *given = souk_json_maybe_text(operation, "name");
	int64_t end = now_ms() + budget_ms;
	char name[128];
	int ret;

	if (is_done(operation))
		return judge(operation, doing, err);
	snprintf(name, sizeof(name), "%s", given ? given : "");
	if (!*name || strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
			      strlen(name))
		return souk_error_set(err, SOUK_E_INTERNAL, "cannot %s: no operation in the reply",
				      doing);
	while (now_ms() < end) {
		GCP_AUTO_JSON struct json_object *state = NULL;
		struct souk_error why = SOUK_ERROR_INIT;

		ret = look(client, scope, name, (uint32_t)(end - now_ms()) + 1000, &state, &why);
		if (ret == SOUK_E_TIMEOUT && !souk_call_cancelled(client->call))
			continue;
		if (ret < 0)
			return souk_error_copy(&why, err);
		if (is_done(state))
			return judge(state, doing, err);
		/* A cloud that answers at once must not be asked without end. */
		ret = souk_call_sleep(client->call, 500, err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

int gcp_operate(const struct gcp_client *client, const struct gcp_request *request,
		struct json_object **out, struct gcp_fault *fault_out, struct souk_error *err)
{
	struct gcp_request mutating = *request;

	mutating.flags |= SOUK_HTTP_MUTATES;
	return gcp_call(client, &mutating, out, fault_out, err);
}
