/* SPDX-License-Identifier: Apache-2.0 */
/* test-gcp-errors.c - what Google's error codes come to, and how refusals are read */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "gcp.h"
#include "test-host.h"

static const struct {
	const char *code;
	const char *message;
	int status;
	int meaning;
	int scope;
} meanings[] = {
	{ "ZONE_RESOURCE_POOL_EXHAUSTED", "", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", "", 503, SOUK_E_CAPACITY,
	  SOUK_SCOPE_OFFER },
	{ "REGION_RESOURCE_POOL_EXHAUSTED", "", 0, SOUK_E_CAPACITY, SOUK_SCOPE_REGION },
	{ "RESOURCE_POOL_EXHAUSTED", "", 0, SOUK_E_CAPACITY, SOUK_SCOPE_REGION },
	{ "insufficientCapacity", "", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "UNSUPPORTED_OPERATION", "", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "VM_MIN_COUNT_NOT_REACHED", "", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "QUOTA_EXCEEDED", "Quota 'NVIDIA_L4_GPUS' exceeded.  Limit: 1.0 in region us-east1.", 403,
	  SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "QUOTA_EXCEEDED", "Quota 'GPUS_ALL_REGIONS' exceeded.  Limit: 0.0 globally.", 403,
	  SOUK_E_QUOTA, SOUK_SCOPE_PROVIDER },
	{ "quotaExceeded", "Quota 'GPUS_ALL_REGIONS' exceeded", 403, SOUK_E_QUOTA,
	  SOUK_SCOPE_PROVIDER },
	{ "rateLimitExceeded", "", 403, SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER },
	{ "userRateLimitExceeded", "", 403, SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER },
	{ "RESOURCE_OPERATION_RATE_EXCEEDED", "", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_OFFER },
	{ "resourceNotReady", "", 400, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "notFound", "The resource 'projects/p/zones/z/machineTypes/t' was not found", 404,
	  SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "notFound", "The resource 'projects/p' was not found", 404, SOUK_E_NOT_FOUND,
	  SOUK_SCOPE_REGION },
	{ "invalid", "Invalid value: 'zones/z/acceleratorTypes/x'", 400, SOUK_E_UNSUPPORTED,
	  SOUK_SCOPE_OFFER },
	{ "forbidden", "Permission denied on 'locations/us-x1' is not found or access is "
		       "unauthorized", 403, SOUK_E_AUTH, SOUK_SCOPE_ZONE },
	{ "forbidden", "no", 403, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "alreadyExists", "", 409, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "SERVICE_DISABLED", "", 403, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "invalid_grant", "", 400, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "badRequest", "", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "backendError", "", 503, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	/* Codes that nobody has seen yet: by the status. */
	{ "whatever", "", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "whatever", "", 401, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "", "", 404, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "", "", 412, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "", "", 429, SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER },
	{ "", "", 502, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
};

START_TEST(each_code_means)
{
	struct gcp_meaning meaning = gcp_error_meaning(meanings[_i].code, meanings[_i].message,
						       meanings[_i].status);

	ck_assert_msg(meaning.code == meanings[_i].meaning, "%s: %d", meanings[_i].code,
		      meaning.code);
	ck_assert_msg(meaning.scope == meanings[_i].scope, "%s: scope %d", meanings[_i].code,
		      meaning.scope);
}
END_TEST

START_TEST(the_table_is_in_order)
{
	ck_assert(gcp_error_table_sorted());
	ck_assert(gcp_error_known("ACCESS_TOKEN_EXPIRED"));
	ck_assert(gcp_error_known("userRateLimitExceeded"));
	ck_assert(!gcp_error_known(""));
	ck_assert(!gcp_error_known("userRateLimitExceeded2"));
}
END_TEST

static const struct {
	const char *body;
	const char *code;
	const char *message;
} bodies[] = {
	{ "{\"error\":{\"code\":403,\"message\":\"No.\",\"errors\":[{\"reason\":\"forbidden\"}],"
	  "\"status\":\"PERMISSION_DENIED\"}}", "forbidden", "No" },
	{ "{\"error\":{\"code\":403,\"message\":\"off\",\"errors\":[{\"reason\":\"forbidden\"}],"
	  "\"status\":\"PERMISSION_DENIED\",\"details\":[{\"reason\":\"Other\"},"
	  "{\"reason\":\"SERVICE_DISABLED\"}]}}", "SERVICE_DISABLED", "off" },
	{ "{\"error\":{\"code\":401,\"message\":\"m\",\"status\":\"UNAUTHENTICATED\"}}",
	  "UNAUTHENTICATED", "m" },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"Bad\\n Request\"}", "invalid_grant",
	  "Bad Request" },
	{ "{\"error\":{\"message\":7,\"errors\":{},\"details\":3,\"status\":[]}}", "", "" },
	{ "{\"error\":{\"errors\":[7],\"message\":\"x\"}}", "", "x" },
	{ "{\"error\":5}", "", "" },
	{ "[1]", "", "" },
	{ "<html>502</html>", "", "" },
	{ "", "", "" },
};

START_TEST(refusals_are_read)
{
	struct gcp_fault fault;

	gcp_fault_parse(403, bodies[_i].body, strlen(bodies[_i].body), &fault);
	ck_assert_int_eq(fault.status, 403);
	ck_assert_str_eq(fault.code, bodies[_i].code);
	ck_assert_str_eq(fault.message, bodies[_i].message);
}
END_TEST

START_TEST(long_messages_are_cut)
{
	char body[2048];
	char message[1200] = "";
	struct gcp_fault fault;
	size_t i;

	for (i = 0; i + 2 < 1000; i += 2)
		memcpy(message + i, "\xc3\xa4", 3);
	snprintf(body, sizeof(body), "{\"error\":{\"message\":\"x%s\"}}", message);
	gcp_fault_parse(400, body, strlen(body), &fault);
	ck_assert_uint_lt(strlen(fault.message), sizeof(fault.message));
	ck_assert_uint_gt(strlen(fault.message), sizeof(fault.message) - 4);
	/* No half of a character at the end. */
	ck_assert_uint_eq(strlen(fault.message) % 2, 1);
}
END_TEST

static const struct {
	const char *code;
	int status;
	const char *says;
	const char *hint;
} errors[] = {
	{ "invalid_grant", 400, "cannot do it: words", "gcloud auth application-default login" },
	{ "SERVICE_DISABLED", 403, "cannot do it: words", "gcloud services enable" },
	{ "BILLING_DISABLED", 403, "cannot do it: words", "billing account" },
	{ "QUOTA_EXCEEDED", 403, "cannot do it: words", "Quotas" },
	{ "forbidden", 403, "cannot do it: words", "grant 'compute.x.y'" },
	{ "", 401, "cannot do it: words", "print-access-token" },
};

START_TEST(errors_say_what_to_do)
{
	struct gcp_fault fault = { .status = errors[_i].status, .retry_after_ms = 7000,
				   .message = "words" };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_error copy = SOUK_ERROR_INIT;

	snprintf(fault.code, sizeof(fault.code), "%s", errors[_i].code);
	ck_assert_int_lt(gcp_fault_error(&fault, "compute.x.y", "do it", &err), 0);
	ck_assert_str_eq(err.message, errors[_i].says);
	ck_assert_ptr_nonnull(strstr(err.hint, errors[_i].hint));
	ck_assert_str_eq(err.reason, errors[_i].code);
	ck_assert_uint_eq(err.retry_after_ms, 7000);
	ck_assert_int_eq(souk_error_copy(&err, &copy), err.code);
	ck_assert_str_eq(copy.message, err.message);
	ck_assert_str_eq(copy.hint, err.hint);
	ck_assert_str_eq(copy.reason, err.reason);
	ck_assert_int_eq(copy.scope, err.scope);
}
END_TEST

START_TEST(errors_without_words)
{
	struct gcp_fault fault = { .status = 502 };
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_int_eq(gcp_fault_error(&fault, NULL, "do it", &err), SOUK_E_TRANSIENT);
	ck_assert_str_eq(err.message, "cannot do it: HTTP status 502");
	snprintf(fault.code, sizeof(fault.code), "backendError");
	gcp_fault_error(&fault, NULL, "do it", &err);
	ck_assert_str_eq(err.message, "cannot do it: backendError");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gcp-errors");
	TCase *tc = tcase_create("errors");
	SRunner *runner;
	int failed;

	test_host_reset();
	tcase_add_loop_test(tc, each_code_means, 0, (int)GCP_ARRAY_SIZE(meanings));
	tcase_add_test(tc, the_table_is_in_order);
	tcase_add_loop_test(tc, refusals_are_read, 0, (int)GCP_ARRAY_SIZE(bodies));
	tcase_add_test(tc, long_messages_are_cut);
	tcase_add_loop_test(tc, errors_say_what_to_do, 0, (int)GCP_ARRAY_SIZE(errors));
	tcase_add_test(tc, errors_without_words);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
