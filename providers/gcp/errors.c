/* SPDX-License-Identifier: Apache-2.0 */
/* errors.c - what Google's error codes mean to souk, and how a refusal is read */

#include "errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gcp.h"

enum { MAX_FAULT_BODY = 256 * 1024 };

struct row {
	const char *code;
	int meaning;
	int scope;
};

/* In byte order. A quota is of a region, unless its name says otherwise (see by_message). */
static const struct row table[] = {
	{ "ACCESS_TOKEN_EXPIRED", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "ACCESS_TOKEN_SCOPE_INSUFFICIENT", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "ACCOUNT_STATE_INVALID", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "ALREADY_EXISTS", SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "BILLING_DISABLED", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "CONSUMER_INVALID", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "FAILED_PRECONDITION", SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "GPU_STOCKOUT", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "IAM_PERMISSION_DENIED", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "INTERNAL", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "INTERNAL_ERROR", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "INVALID_ARGUMENT", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "NOT_FOUND", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "PERMISSIONS_ERROR", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "PERMISSION_DENIED", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "QUOTA_EXCEEDED", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "RATE_LIMIT_EXCEEDED", SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER },
	{ "REGION_RESOURCE_POOL_EXHAUSTED", SOUK_E_CAPACITY, SOUK_SCOPE_REGION },
	{ "RESOURCE_ALREADY_EXISTS", SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "RESOURCE_EXHAUSTED", SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER },
	{ "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE", SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "RESOURCE_NOT_FOUND", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "RESOURCE_NOT_READY", SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "RESOURCE_OPERATION_RATE_EXCEEDED", SOUK_E_RATE_LIMIT, SOUK_SCOPE_OFFER },
	{ "RESOURCE_POOL_EXHAUSTED", SOUK_E_CAPACITY, SOUK_SCOPE_REGION },
	{ "SERVICE_DISABLED", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "UNAUTHENTICATED", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "UNAVAILABLE", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "UNSUPPORTED_OPERATION", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "USER_PROJECT_DENIED", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "VM_MIN_COUNT_NOT_REACHED", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "ZONE_RESOURCE_POOL_EXHAUSTED", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "accessNotConfigured", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "alreadyExists", SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "authError", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "backendError", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "badRequest", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "billingNotEnabled", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "conditionNotMet", SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "forbidden", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "insufficientCapacity", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "internalError", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "internal_failure", SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER },
	{ "invalid", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "invalidParameter", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "invalid_client", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "invalid_grant", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "notFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "quotaExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "rateLimitExceeded", SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER },
	{ "required", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "resourceInUseByAnotherResource", SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "resourceNotReady", SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "server_error", SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER },
	{ "unauthorized_client", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "userRateLimitExceeded", SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER },
};

static int compare_row(const void *key, const void *row)
{
	return strcmp(key, ((const struct row *)row)->code);
}

static const struct row *find(const char *code)
{
	return bsearch(code, table, GCP_ARRAY_SIZE(table), sizeof(table[0]), compare_row);
}

int gcp_error_known(const char *code)
{
	return find(code) != NULL;
}

int gcp_error_table_sorted(void)
{
	size_t i;

	for (i = 1; i < GCP_ARRAY_SIZE(table); i++)
		if (strcmp(table[i - 1].code, table[i].code) >= 0)
			return 0;
	return 1;
}

/* What only the words tell. 0 if they tell nothing. */
static int by_message(const char *code, const char *message, struct gcp_meaning *out)
{
	if ((strcmp(code, "QUOTA_EXCEEDED") == 0 || strcmp(code, "quotaExceeded") == 0) &&
	    strstr(message, "GPUS_ALL_REGIONS")) {
		*out = (struct gcp_meaning){ SOUK_E_QUOTA, SOUK_SCOPE_PROVIDER };
		return 1;
	}
	/* A type that the zone does not sell. */
	if ((strcmp(code, "notFound") == 0 || strcmp(code, "invalid") == 0) &&
	    (strstr(message, "machineTypes") || strstr(message, "acceleratorTypes"))) {
		*out = (struct gcp_meaning){ SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER };
		return 1;
	}
	/* A single zone is closed to the project. */
	if (strstr(message, "is not found or access is unauthorized")) {
		*out = (struct gcp_meaning){ SOUK_E_AUTH, SOUK_SCOPE_ZONE };
		return 1;
	}
	return 0;
}

struct gcp_meaning gcp_error_meaning(const char *code, const char *message, int status)
{
	const struct row *row = find(code);
	struct gcp_meaning out;

	if (by_message(code, message, &out))
		return out;
	if (row)
		return (struct gcp_meaning){ row->meaning, row->scope };
	if (status == 401 || status == 403)
		return (struct gcp_meaning){ SOUK_E_AUTH, SOUK_SCOPE_PROVIDER };
	if (status == 404)
		return (struct gcp_meaning){ SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION };
	if (status == 409 || status == 412)
		return (struct gcp_meaning){ SOUK_E_CONFLICT, SOUK_SCOPE_OFFER };
	if (status == 429)
		return (struct gcp_meaning){ SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER };
	if (status >= 500 || status == 408)
		return (struct gcp_meaning){ SOUK_E_TRANSIENT, SOUK_SCOPE_REGION };
	return (struct gcp_meaning){ SOUK_E_INVALID, SOUK_SCOPE_PROVIDER };
}

static struct json_object *first_of(struct json_object *object, const char *name)
{
	struct json_object *list = NULL;

	if (gcp_json_array(object, name, &list, NULL) <= 0 || !json_object_array_length(list))
		return NULL;
	return json_object_array_get_idx(list, 0);
}

/* The reason in an ErrorInfo among the details; NULL: none. */
static const char *detailed_reason(struct json_object *error)
{
	struct json_object *list = NULL;
	size_t i;

	if (gcp_json_array(error, "details", &list, NULL) <= 0)
		return NULL;
	for (i = 0; i < json_object_array_length(list) && i < 32; i++) {
		const char *reason = souk_json_maybe_text(json_object_array_get_idx(list, i), "reason");

		if (reason && gcp_error_known(reason))
			return reason;
	}
	return NULL;
}

/* {"error":{"code","message","errors":[{"reason"}],"status","details":[...]}} */
static void take_api(struct json_object *error, struct gcp_fault *out)
{
	const char *code = detailed_reason(error);
	struct json_object *first = first_of(error, "errors");

	if (!code)
		code = souk_json_maybe_text(first, "reason");
	if (!code)
		code = souk_json_maybe_text(error, "status");
	souk_text_line(out->code, sizeof(out->code), code);
	souk_text_line(out->message, sizeof(out->message), souk_json_maybe_text(error, "message"));
}

void gcp_fault_parse(int status, const char *body, size_t size, struct gcp_fault *out)
{
	GCP_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *error = NULL;

	memset(out, 0, sizeof(*out));
	out->status = status;
	if (!body || size > MAX_FAULT_BODY)
		return;
	reply = souk_json_parse(body, size);
	if (!reply)
		return;
	if (gcp_json_object(reply, "error", &error, NULL) > 0) {
		take_api(error, out);
		return;
	}
	/* The token service: {"error":"invalid_grant","error_description":"..."} */
	souk_text_line(out->code, sizeof(out->code), souk_json_maybe_text(reply, "error"));
	souk_text_line(out->message, sizeof(out->message),
		  souk_json_maybe_text(reply, "error_description"));
}

void gcp_fault_of(const struct souk_http_reply *reply, struct gcp_fault *out)
{
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);

	gcp_fault_parse(souk_http_reply_status(reply), body, size, out);
	out->retry_after_ms = souk_http_reply_retry_after_ms(reply);
}

int gcp_fault_is(const struct gcp_fault *fault, const char *code)
{
	return strcmp(fault->code, code) == 0;
}

int gcp_fault_should_retry(const struct souk_http_reply *reply, void *arg)
{
	struct gcp_fault fault;
	struct gcp_meaning meaning;

	(void)arg;
	gcp_fault_of(reply, &fault);
	meaning = gcp_error_meaning(fault.code, fault.message, fault.status);
	return meaning.code == SOUK_E_TRANSIENT || meaning.code == SOUK_E_RATE_LIMIT;
}

static void add_hint(const struct gcp_fault *fault, const char *permission,
		     const struct gcp_meaning *meaning, struct souk_error *err)
{
	if (gcp_fault_is(fault, "invalid_grant"))
		souk_error_hint(err, "log in again: 'gcloud auth application-default login'; or set "
				     "this computer's clock");
	else if (gcp_fault_is(fault, "SERVICE_DISABLED") ||
		 gcp_fault_is(fault, "accessNotConfigured"))
		souk_error_hint(err, "enable it: 'gcloud services enable compute.googleapis.com "
				     "cloudbilling.googleapis.com'");
	else if (gcp_fault_is(fault, "BILLING_DISABLED") ||
		 gcp_fault_is(fault, "billingNotEnabled"))
		souk_error_hint(err, "link a billing account to the project");
	else if (gcp_fault_is(fault, "ACCESS_TOKEN_SCOPE_INSUFFICIENT"))
		souk_error_hint(err, "the credentials need the scope "
				     "'https://www.googleapis.com/auth/cloud-platform'");
	else if (gcp_fault_is(fault, "USER_PROJECT_DENIED"))
		souk_error_hint(err, "grant 'serviceusage.services.use' on the quota project");
	else if (meaning->code == SOUK_E_QUOTA)
		souk_error_hint(err, "ask for more under IAM & Admin, Quotas");
	else if (meaning->code == SOUK_E_AUTH && fault->status == 401)
		souk_error_hint(err, "check the credentials: 'gcloud auth application-default "
				     "print-access-token'");
	else if (meaning->code == SOUK_E_AUTH && permission)
		souk_error_hint(err, "grant '%s'; 'souk provider info gcp' prints the role",
				permission);
}

int gcp_fault_error(const struct gcp_fault *fault, const char *permission, const char *doing,
		    struct souk_error *err)
{
	struct gcp_meaning meaning =
		gcp_error_meaning(fault->code, fault->message, fault->status);
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
	add_hint(fault, permission, &meaning, err);
	return meaning.code;
}
