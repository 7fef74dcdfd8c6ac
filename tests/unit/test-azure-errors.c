/* SPDX-License-Identifier: Apache-2.0 */
/* test-azure-errors.c - what Azure's error codes come to, and how refusals and links are read */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "azure.h"
#include "errors.h"
#include "json-read.h"
#include "test-host.h"

static const struct {
	const char *code;
	const char *message;
	int status;
	int meaning;
	int scope;
} meanings[] = {
	{ "OperationNotAllowed", "limit of LowPriorityCores", 409, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "OperationNotAllowed", "exceeding approved standardNCFamily Cores quota", 409, SOUK_E_QUOTA,
	  SOUK_SCOPE_REGION },
	{ "OperationNotAllowed", "exceeding approved Total Regional Cores quota", 409, SOUK_E_QUOTA,
	  SOUK_SCOPE_REGION },
	{ "OperationNotAllowed", "the Max Price is too low", 409, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "OperationNotAllowed", "the VM is deallocated", 409, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "PublicIPCountLimitReached", "", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "SkuNotAvailable", "", 409, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "ZonalAllocationFailed", "", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "AllocationFailed", "", 0, SOUK_E_CAPACITY, SOUK_SCOPE_REGION },
	{ "OverconstrainedZonalAllocationRequest", "", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "OverconstrainedAllocationRequest", "", 0, SOUK_E_CAPACITY, SOUK_SCOPE_REGION },
	{ "SubscriptionNotFound", "", 404, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "ReadOnlyDisabledSubscription", "", 409, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "ExpiredAuthenticationToken", "", 401, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "invalid_client", "", 401, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "AuthorizationFailed", "", 403, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "RequestDisallowedByPolicy", "allowed locations", 403, SOUK_E_AUTH, SOUK_SCOPE_REGION },
	{ "RequestDisallowedByPolicy", "no tags", 403, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "MissingSubscriptionRegistration", "", 409, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "TooManyRequests", "", 429, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "OperationNotAllowedThrottled", "", 429, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "NicReservedForAnotherVm", "", 400, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "ResourceGroupBeingDeleted", "", 409, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "resourcenotfound", "", 404, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "ImageNotFound", "", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidParameter", "", 400, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "LocationNotAvailableForResourceType", "", 400, SOUK_E_UNSUPPORTED, SOUK_SCOPE_REGION },
	{ "OSProvisioningTimedOut", "", 0, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "InternalServerError", "", 500, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	/* Codes that nobody has seen yet. */
	{ "Whatever", "", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "Whatever", "", 401, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "Whatever", "", 404, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "Whatever", "", 412, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "", "", 429, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "", "", 502, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
};

START_TEST(each_code_means)
{
	struct azure_meaning meaning = azure_error_meaning(meanings[_i].code, meanings[_i].message,
							   meanings[_i].status);

	ck_assert_msg(meaning.code == meanings[_i].meaning, "%s %s: %d", meanings[_i].code,
		      meanings[_i].message, meaning.code);
	ck_assert_msg(meaning.scope == meanings[_i].scope, "%s %s: scope %d", meanings[_i].code,
		      meanings[_i].message, meaning.scope);
}
END_TEST

static const struct {
	const char *body;
	const char *code;
	const char *message;
} bodies[] = {
	{ "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"The client may not.\"}}",
	  "AuthorizationFailed", "The client may not" },
	/* The reason is inside. */
	{ "{\"error\":{\"code\":\"BadRequest\",\"message\":\"failed\",\"details\":[{\"code\":\"X\","
	  "\"message\":\"x\",\"details\":[{\"code\":\"SkuNotAvailable\",\"message\":\"sold out\"}]}]}}",
	  "SkuNotAvailable", "sold out" },
	{ "{\"error\":{\"code\":\"Odd\",\"message\":\"outer\",\"details\":[{\"code\":\"Odder\"}]}}",
	  "Odd", "outer" },
	{ "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid secret.\\r\\n"
	  "Trace ID: 1\",\"error_codes\":[7000215]}",
	  "invalid_client", "AADSTS7000215: Invalid secret" },
	{ "{\"Message\":\"Invalid OData parameters supplied\"}", "",
	  "Invalid OData parameters supplied" },
	{ "{\"error\":{\"code\":5,\"message\":[\"no\"]}}", "", "" },
	{ "{\"error\":[1,2]}", "", "" },
	{ "<html>502</html>", "", "" },
	{ "{\"error\":{\"code\":\"A\\u0007B\",\"message\":\"bell\\u0007\"}}", "A B", "bell" },
	{ "", "", "" },
};

START_TEST(refusals_are_read)
{
	struct azure_fault fault;

	azure_fault_parse(400, bodies[_i].body, strlen(bodies[_i].body), &fault);
	ck_assert_str_eq(fault.code, bodies[_i].code);
	ck_assert_str_eq(fault.message, bodies[_i].message);
	ck_assert_int_eq(fault.status, 400);
}
END_TEST

START_TEST(a_long_message_is_cut_between_characters)
{
	struct azure_fault fault;
	struct souk_buf body;
	int i;

	souk_buf_init(&body, 65536);
	souk_buf_str(&body, "{\"error\":{\"code\":\"X\",\"message\":\"");
	for (i = 0; i < 1000; i++)
		souk_buf_str(&body, "\xc3\xa9");
	souk_buf_str(&body, "\"}}");
	azure_fault_parse(400, body.data, body.len, &fault);
	ck_assert_uint_gt(strlen(fault.message), 300);
	ck_assert_uint_eq(strlen(fault.message) % 2, 0);
	souk_buf_fini(&body);
}
END_TEST

START_TEST(an_error_says_what_to_do)
{
	struct azure_fault fault = { .status = 403, .code = "AuthorizationFailed",
				     .message = "no", .retry_after_ms = 7000 };
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_int_eq(azure_fault_error(&fault, "list sizes", &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "cannot list sizes: no");
	ck_assert_str_eq(err.reason, "AuthorizationFailed");
	ck_assert_uint_eq(err.retry_after_ms, 7000);
	ck_assert_ptr_nonnull(strstr(err.hint, "souk provider info azure"));

	fault = (struct azure_fault){ .status = 418 };
	ck_assert_int_eq(azure_fault_error(&fault, "do it", &err), SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "cannot do it: HTTP status 418");
}
END_TEST

/* ---- Links from page to page ---- */

#define BASE "https://prices.azure.com"
#define PATH "/api/retail/prices?api-version=1&$filter=a%20eq%20%27b%27"

static const struct {
	const char *base;
	const char *path;
	const char *link;
	const char *next; /* NULL: refused */
} links[] = {
	{ BASE, PATH, BASE "/api/retail/prices?x=1&$skip=100", "/api/retail/prices?x=1&$skip=100" },
	{ BASE, PATH, "https://prices.azure.com:443/api/retail/prices?$skip=1",
	  "/api/retail/prices?$skip=1" },
	{ BASE, PATH, "HTTPS://Prices.Azure.COM/api/retail/prices?$skip=1",
	  "/api/retail/prices?$skip=1" },
	/* Through another host of ours, links still name Azure's own. */
	{ "http://127.0.0.1:81", PATH, BASE "/api/retail/prices?$skip=1", "/api/retail/prices?$skip=1" },
	{ "http://127.0.0.1:81", PATH, "http://127.0.0.1:81/api/retail/prices?$skip=1",
	  "/api/retail/prices?$skip=1" },
	{ "http://127.0.0.1:81/p", PATH, "http://127.0.0.1:81/p/api/retail/prices?$skip=1",
	  "/api/retail/prices?$skip=1" },
	{ BASE, PATH, BASE "/api/retail/prices?$filter=a eq 'b'", "/api/retail/prices?$filter=a%20eq%20'b'" },
	{ BASE, PATH, BASE "/api/retail/prices?a\nb", "/api/retail/prices?a%0Ab" },
	{ BASE, PATH, "https://prices.azure.com.evil.example/api/retail/prices?$skip=1", NULL },
	{ BASE, PATH, "https://prices.azure.com@evil.example/api/retail/prices?$skip=1", NULL },
	{ BASE, PATH, "http://prices.azure.com/api/retail/prices?$skip=1", NULL },
	{ BASE, PATH, "https://prices.azure.com:8443/api/retail/prices?$skip=1", NULL },
	{ BASE, PATH, BASE "/api/other?$skip=1", NULL },
	{ BASE, PATH, BASE "/api/retail/prices", NULL },
	{ BASE, PATH, "/api/retail/prices?$skip=1", NULL },
	{ BASE, PATH, "file:///etc/passwd", NULL },
};

START_TEST(links_stay_where_they_are)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_buf next;
	int ret;

	souk_buf_init(&next, 4096);
	ret = azure_next_path(links[_i].base, BASE, links[_i].path, links[_i].link, &next, &err);
	if (links[_i].next) {
		ck_assert_msg(ret == SOUK_OK, "%s: %s", links[_i].link, err.message);
		ck_assert_str_eq(next.data, links[_i].next);
	} else {
		ck_assert_msg(ret == SOUK_E_INTERNAL, "%s: %s", links[_i].link, next.data);
	}
	souk_buf_fini(&next);
}
END_TEST

/* ---- Amounts ---- */

static const struct {
	const char *text;
	int64_t micros; /* -1: refused */
} amounts[] = {
	{ "0.526", 526000 },	 { "98.32", 98320000 },	   { "0", 0 },
	{ "0.0000005", 1 },	 { "0.0000004", 0 },	   { "1E-05", 10 },
	{ "4.5E-05", 45 },	 { "1.25e-3", 1250 },	   { "1.5E1", 15000000 },
	{ "12E+2", 1200000000 }, { "12.34e0", 12340000 },  { "1.23456789E2", 123456789 },
	{ "0.1E1", 1000000 },	 { "-1", -1 },		   { "-1E-3", -1 },
	{ "1E", -1 },		 { "E5", -1 },		   { "1E99", -1 },
	{ "1e5x", -1 },		 { "NaN", -1 },		   { "", -1 },
	{ "1,5", -1 },
};

START_TEST(amounts_are_exact)
{
	struct souk_error err = SOUK_ERROR_INIT;
	int64_t micros = -7;
	int ret = azure_parse_micros("price", amounts[_i].text, &micros, &err);

	if (amounts[_i].micros >= 0) {
		ck_assert_msg(ret == SOUK_OK, "%s: %s", amounts[_i].text, err.message);
		ck_assert_int_eq(micros, amounts[_i].micros);
	} else {
		ck_assert_msg(ret == SOUK_E_INTERNAL, "%s is taken", amounts[_i].text);
		ck_assert_int_eq(micros, -7);
	}
}
END_TEST

static void set_up(void)
{
	test_host_reset();
}

int main(void)
{
	Suite *suite = suite_create("azure-errors");
	TCase *tc = tcase_create("errors");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_loop_test(tc, each_code_means, 0, AZURE_ARRAY_SIZE(meanings));
	tcase_add_loop_test(tc, refusals_are_read, 0, AZURE_ARRAY_SIZE(bodies));
	tcase_add_test(tc, a_long_message_is_cut_between_characters);
	tcase_add_test(tc, an_error_says_what_to_do);
	tcase_add_loop_test(tc, links_stay_where_they_are, 0, AZURE_ARRAY_SIZE(links));
	tcase_add_loop_test(tc, amounts_are_exact, 0, AZURE_ARRAY_SIZE(amounts));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
