/* SPDX-License-Identifier: Apache-2.0 */
/* errors.c - what RunPod's refusals mean to souk */

#include "errors.h"

#include <json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "runpod.h"

enum { MAX_FAULT_BODY = 256 * 1024 };

void runpod_fault_parse(int status, const char *body, size_t size, struct runpod_fault *out)
{
	RUNPOD_AUTO_JSON struct json_object *object = NULL;
	struct json_object *list = NULL;
	const char *title = NULL, *detail = NULL, *first = NULL;
	char whole[sizeof(out->detail) * 2];

	*out = (struct runpod_fault){ .status = status };
	if (size <= MAX_FAULT_BODY)
		object = souk_json_parse(body, size);
	if (!object)
		return;
	(void)souk_json_text_opt(object, "", "title", &title, NULL);
	(void)souk_json_text_opt(object, "", "detail", &detail, NULL);
	if (souk_json_array_opt(object, "", "errors", &list, NULL) == SOUK_OK && list &&
	    json_object_is_type(json_object_array_get_idx(list, 0), json_type_string))
		first = json_object_get_string(json_object_array_get_idx(list, 0));
	souk_text_line(out->title, sizeof(out->title), title);
	(void)snprintf(whole, sizeof(whole), "%.390s", detail ? detail : "");
	souk_text_line(out->detail, sizeof(out->detail), whole);
	if (first) {
		(void)snprintf(whole, sizeof(whole), "%s%s%.390s", out->detail,
			       out->detail[0] ? ": " : "", first);
		souk_text_line(out->detail, sizeof(out->detail), whole);
	}
}

void runpod_fault_of(const struct souk_http_reply *reply, struct runpod_fault *out)
{
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);

	runpod_fault_parse(souk_http_reply_status(reply), body, size, out);
	out->retry_after_ms = souk_http_reply_retry_after_ms(reply);
}

/* Nothing to be had comes with no code, and in earlier versions of the API with a 500. */
static int is_out_of_stock(const char *detail)
{
	static const char *const texts[] = {
		"there are no longer any instances available",
		"there are no instances currently available",
		"does not have the resources to deploy your pod",
		"not enough free gpus",
		"no longer any instances available",
		"please try a different machine",
	};
	size_t i;

	for (i = 0; i < RUNPOD_ARRAY_SIZE(texts); i++)
		if (strcasestr(detail, texts[i]))
			return 1;
	return 0;
}

struct runpod_meaning runpod_fault_meaning(const struct runpod_fault *fault, int is_create)
{
	int scope = is_create ? SOUK_SCOPE_OFFER : SOUK_SCOPE_PROVIDER;

	if (is_out_of_stock(fault->detail))
		return (struct runpod_meaning){ SOUK_E_CAPACITY, SOUK_SCOPE_OFFER };
	switch (fault->status) {
	case 401:
		return (struct runpod_meaning){ SOUK_E_AUTH, SOUK_SCOPE_PROVIDER };
	case 402:
		return (struct runpod_meaning){ SOUK_E_QUOTA, SOUK_SCOPE_PROVIDER };
	case 403:
		return (struct runpod_meaning){ SOUK_E_AUTH, scope };
	case 404:
		return (struct runpod_meaning){ SOUK_E_NOT_FOUND, SOUK_SCOPE_OFFER };
	case 408:
		return (struct runpod_meaning){ SOUK_E_TIMEOUT, SOUK_SCOPE_PROVIDER };
	case 409:
		return (struct runpod_meaning){ SOUK_E_CONFLICT, SOUK_SCOPE_OFFER };
	case 422:
		return (struct runpod_meaning){ SOUK_E_INVALID, SOUK_SCOPE_PROVIDER };
	case 429:
		return (struct runpod_meaning){ SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER };
	default:
		break;
	}
	if (fault->status >= 500)
		return (struct runpod_meaning){ SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER };
	return (struct runpod_meaning){ SOUK_E_INVALID, scope };
}

int runpod_fault_error(const struct runpod_fault *fault, int is_create, const char *doing,
		       struct souk_error *err)
{
	struct runpod_meaning meaning = runpod_fault_meaning(fault, is_create);
	char status[16];
	const struct souk_refusal refusal = {
		SOUK_REFUSAL_HEAD,
		.code = meaning.code,
		.scope = meaning.scope,
		.status = fault->status,
		.retry_after_ms = fault->retry_after_ms,
		.doing = doing,
		.message = fault->detail[0] ? fault->detail : fault->title,
	};

	souk_error_refused(err, &refusal);
	(void)snprintf(status, sizeof(status), "%d", fault->status);
	souk_error_reason(err, status);
	switch (fault->status) {
	case 401:
		souk_error_hint(err, "check the API key: it may have been deleted or be of another "
				     "account");
		break;
	case 402:
		souk_error_hint(err, "add credit to the account in the RunPod console, under "
				     "Billing");
		break;
	case 403:
		souk_error_hint(err, "the API key lacks a permission; 'souk provider info runpod' "
				     "says which are needed");
		break;
	default:
		break;
	}
	return meaning.code;
}
