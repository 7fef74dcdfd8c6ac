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

/* Copy with each run of control characters as one space, and without a full stop at the end. */
static void copy_text(char *to, size_t size, const char *from)
{
	size_t n = 0;

	for (; from && *from && n + 1 < size; from++) {
		unsigned char c = (unsigned char)*from;

		if (c > 0x20 && c != 0x7f)
			to[n++] = (char)c;
		else if (n && to[n - 1] != ' ')
			to[n++] = ' ';
	}
	/* Not half a character of UTF-8. */
	if (from && *from) {
		while (n && ((unsigned char)to[n - 1] & 0xc0) == 0x80)
			n--;
		if (n && (unsigned char)to[n - 1] >= 0xc0)
			n--;
	}
	while (n && (to[n - 1] == ' ' || to[n - 1] == '.'))
		n--;
	to[n] = '\0';
}

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
		copy_text(out->code, sizeof(out->code), text);
	if (souk_json_text_opt(error, "", "message", &text, NULL) == SOUK_OK)
		copy_text(out->message, sizeof(out->message), text);
	if (souk_json_text_opt(error, "", "suggestion", &text, NULL) == SOUK_OK)
		copy_text(out->suggestion, sizeof(out->suggestion), text);
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

	if (fault->message[0])
		souk_error_set(err, meaning.code, "cannot %s: %s", doing, fault->message);
	else if (fault->code[0])
		souk_error_set(err, meaning.code, "cannot %s: %s", doing, fault->code);
	else
		souk_error_set(err, meaning.code, "cannot %s: HTTP status %d", doing,
			       fault->status);
	souk_error_scope(err, meaning.scope);
	(void)snprintf(status, sizeof(status), "%d", fault->status);
	souk_error_reason(err, fault->code[0] ? fault->code : status);
	if (fault->suggestion[0])
		souk_error_hint(err, "%s", fault->suggestion);
	else if (fault->status == 401)
		souk_error_hint(err, "check the API key at https://cloud.lambda.ai/api-keys");
	return meaning.code;
}
