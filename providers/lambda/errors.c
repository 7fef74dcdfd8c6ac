/* SPDX-License-Identifier: Apache-2.0 */
/* errors.c - what Lambda's error codes mean to souk */

#include "errors.h"

#include <json.h>
#include <stdio.h>
#include <string.h>

#include "lambda.h"

enum { MAX_FAULT_BODY = 256 * 1024 };

static const struct {
	const char *code;
	struct lambda_meaning meaning;
} table[] = {
	{ "filesystems/filesystem-in-use", { SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER } },
	{ "firewall-rulesets/firewall-ruleset-in-use", { SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER } },
	{ "global/account-inactive", { SOUK_E_AUTH, SOUK_SCOPE_PROVIDER } },
	{ "global/conflict", { SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER } },
	{ "global/duplicate", { SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER } },
	{ "global/forbidden", { SOUK_E_AUTH, SOUK_SCOPE_PROVIDER } },
	{ "global/internal-error", { SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER } },
	{ "global/invalid-address", { SOUK_E_AUTH, SOUK_SCOPE_PROVIDER } },
	{ "global/invalid-api-key", { SOUK_E_AUTH, SOUK_SCOPE_PROVIDER } },
	{ "global/invalid-parameters", { SOUK_E_INVALID, SOUK_SCOPE_PROVIDER } },
	{ "global/not-found", { SOUK_E_NOT_FOUND, SOUK_SCOPE_PROVIDER } },
	{ "global/object-does-not-exist", { SOUK_E_NOT_FOUND, SOUK_SCOPE_PROVIDER } },
	{ "global/quota-exceeded", { SOUK_E_QUOTA, SOUK_SCOPE_PROVIDER } },
	{ "global/unknown", { SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER } },
	{ "instance-operations/launch/file-system-in-wrong-region",
	  { SOUK_E_INVALID, SOUK_SCOPE_REGION } },
	{ "instance-operations/launch/insufficient-capacity",
	  { SOUK_E_CAPACITY, SOUK_SCOPE_OFFER } },
	{ "ssh-keys/key-in-use", { SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER } },
};

void lambda_fault_parse(int status, const char *body, size_t size, struct lambda_fault *out)
{
	LAMBDA_AUTO_JSON struct json_object *object = NULL;
	struct json_object *error = NULL;
	const char *text = NULL;

	*out = (struct lambda_fault){ .status = status };
	if (size <= MAX_FAULT_BODY)
		object = souk_json_parse(body, size);
	if (!object || souk_json_object_opt(object, "", "error", &error, NULL) < 0 || !error)
		return;
	if (souk_json_text_opt(error, "", "code", &text, NULL) == SOUK_OK)
		souk_text_line(out->code, sizeof(out->code), text);
	if (souk_json_text_opt(error, "", "message", &text, NULL) == SOUK_OK)
		souk_text_line(out->message, sizeof(out->message), text);
	if (souk_json_text_opt(error, "", "suggestion", &text, NULL) == SOUK_OK)
		souk_text_line(out->suggestion, sizeof(out->suggestion), text);
}

void lambda_fault_of(const struct souk_http_reply *reply, struct lambda_fault *out)
{
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);

	lambda_fault_parse(souk_http_reply_status(reply), body, size, out);
	out->retry_after_ms = souk_http_reply_retry_after_ms(reply);
}

static struct lambda_meaning by_status(int status)
{
	static const struct lambda_meaning invalid = { SOUK_E_INVALID, SOUK_SCOPE_PROVIDER };
	static const struct {
		int status;
		struct lambda_meaning meaning;
	} known[] = {
		{ 401, { SOUK_E_AUTH, SOUK_SCOPE_PROVIDER } },
		{ 403, { SOUK_E_AUTH, SOUK_SCOPE_PROVIDER } },
		{ 404, { SOUK_E_NOT_FOUND, SOUK_SCOPE_PROVIDER } },
		{ 408, { SOUK_E_TIMEOUT, SOUK_SCOPE_PROVIDER } },
		{ 409, { SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER } },
		{ 429, { SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER } },
	};
	size_t i;

	for (i = 0; i < LAMBDA_ARRAY_SIZE(known); i++)
		if (known[i].status == status)
			return known[i].meaning;
	if (status >= 500)
		return (struct lambda_meaning){ SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER };
	return invalid;
}

static int ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);
	size_t tail = strlen(end);

	return len >= tail && strcmp(text + len - tail, end) == 0;
}

struct lambda_meaning lambda_fault_meaning(const struct lambda_fault *fault)
{
	size_t i;

	/* Being too quick has no code of its own. */
	if (fault->status == 429)
		return by_status(429);
	for (i = 0; i < LAMBDA_ARRAY_SIZE(table); i++)
		if (strcmp(table[i].code, fault->code) == 0)
			return table[i].meaning;
	/* From whoever runs the region for Lambda. */
	if (strncmp(fault->code, "provider/", 9) == 0)
		return (struct lambda_meaning){ SOUK_E_TRANSIENT, SOUK_SCOPE_REGION };
	if (ends_with(fault->code, "/insufficient-capacity"))
		return (struct lambda_meaning){ SOUK_E_CAPACITY, SOUK_SCOPE_OFFER };
	if (ends_with(fault->code, "/quota-exceeded"))
		return (struct lambda_meaning){ SOUK_E_QUOTA, SOUK_SCOPE_PROVIDER };
	if (ends_with(fault->code, "-in-use"))
		return (struct lambda_meaning){ SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER };
	return by_status(fault->status);
}

int lambda_fault_error(const struct lambda_fault *fault, const char *doing, struct souk_error *err)
{
	struct lambda_meaning meaning = lambda_fault_meaning(fault);
	char status[16];
	const struct souk_refusal refusal = {
		SOUK_REFUSAL_HEAD,
		.code = meaning.code,
		.scope = meaning.scope,
		.status = fault->status,
		.retry_after_ms = fault->retry_after_ms,
		.doing = doing,
		.reason = fault->code,
		.message = fault->message,
	};

	souk_error_refused(err, &refusal);
	(void)snprintf(status, sizeof(status), "%d", fault->status);
	if (!fault->code[0])
		souk_error_reason(err, status);
	if (fault->suggestion[0])
		souk_error_hint(err, "%s", fault->suggestion);
	else if (fault->status == 401)
		souk_error_hint(err, "check the API key at https://cloud.lambda.ai/api-keys");
	return meaning.code;
}
