/* SPDX-License-Identifier: Apache-2.0 */
/* test-aws-errors.c - what AWS's error codes come to, and how refusals are read */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "errors.h"
#include "quota.h"
#include "test-host.h"

static const struct {
	const char *code;
	int status;
	int meaning;
	int scope;
} meanings[] = {
	{ "InsufficientInstanceCapacity", 500, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "Server.InsufficientInstanceCapacity", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "UnfulfillableCapacity", 400, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "SpotMaxPriceTooLow", 400, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "VcpuLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "MaxSpotInstanceCountExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "InstanceLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "InsufficientFreeAddressesInSubnet", 400, SOUK_E_QUOTA, SOUK_SCOPE_ZONE },
	{ "AuthFailure", 401, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "UnauthorizedOperation", 403, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "OptInRequired", 401, SOUK_E_AUTH, SOUK_SCOPE_REGION },
	{ "RequestLimitExceeded", 503, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "Throttling", 400, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "InternalError", 500, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "PendingVerification", 400, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "Unsupported", 400, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "IdempotentParameterMismatch", 400, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "InvalidAMIID.NotFound", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "DependencyViolation", 400, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidParameterValue", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	/* Codes that nobody has seen yet: by their form, then by the status. */
	{ "InsufficientQuantumCapacity", 500, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "QubitLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "InvalidQubit.NotFound", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidQubit.Malformed", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidQubit.Duplicate", 400, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "Whatever", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "Whatever", 403, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "", 429, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "", 503, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
};

START_TEST(each_code_means)
{
	struct aws_meaning meaning = aws_error_meaning(meanings[_i].code, meanings[_i].status);

	ck_assert_msg(meaning.code == meanings[_i].meaning, "%s: %d", meanings[_i].code,
		      meaning.code);
	ck_assert_msg(meaning.scope == meanings[_i].scope, "%s: scope %d", meanings[_i].code,
		      meaning.scope);
}
END_TEST

/* What is documented, or was seen: code, status (0: it comes without one), meaning and scope. */
static const struct documented {
	const char *code;
	int status;
	int meaning;
	int scope;
} documented[] = {
	{ "AccessDenied", 403, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "AccessDeniedException", 403, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "AddressLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "AuthFailure", 0, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "BandwidthLimitExceeded", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "Blocked", 0, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "DefaultVpcDoesNotExist", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "DependencyViolation", 400, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "EC2ThrottledException", 503, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "ExpiredToken", 0, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "ExpiredTokenException", 0, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "IdempotentParameterMismatch", 400, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "IncompleteSignature", 0, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "IncorrectInstanceState", 400, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "IncorrectState", 400, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "InstanceLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "InstanceTypeNotSupported", 400, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "InsufficientCapacity", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "InsufficientCapacityOnHost", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	/* a subnet is in one zone, and whatever the type it has no address for it */
	{ "InsufficientFreeAddressesInSubnet", 400, SOUK_E_QUOTA, SOUK_SCOPE_ZONE },
	{ "InsufficientHostCapacity", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "InsufficientInstanceCapacity", 500, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "InsufficientReservedInstanceCapacity", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "InternalError", 0, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "InternalFailure", 0, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "InvalidAMIID.NotFound", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidAMIID.Unavailable", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidBlockDeviceMapping", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidClientTokenId", 0, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "InvalidGroup.Duplicate", 400, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidGroup.NotFound", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidInstanceID.NotFound", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_OFFER },
	{ "InvalidInstanceType.NotFound", 400, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "InvalidKeyPair.Duplicate", 400, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidKeyPair.NotFound", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidParameter", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidParameterCombination", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidParameterValue", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidPermission.Duplicate", 400, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidSnapshot.NotFound", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidSubnetID.NotFound", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidUserData.Malformed", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidVpcID.NotFound", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "LimitExceededException", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "MaxIOPSLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "MaxSpotInstanceCountExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "MissingAuthenticationToken", 0, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "MissingInput", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "MissingParameter", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "OptInRequired", 403, SOUK_E_AUTH, SOUK_SCOPE_REGION },
	{ "PendingVerification", 400, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "PriorRequestNotComplete", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "RequestExpired", 400, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "RequestLimitExceeded", 503, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "RequestThrottled", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "RequestThrottledException", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "RequestTimeout", 0, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "RequestTimeoutException", 0, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "ReservationCapacityExceeded", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "ResourceLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "RulesPerSecurityGroupLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "SecurityGroupLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "Server.InsufficientInstanceCapacity", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "Server.SpotInstanceShutdown", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "Server.SpotInstanceTermination", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "ServerInternal", 0, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "ServiceUnavailable", 0, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "SignatureDoesNotMatch", 0, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "SlowDown", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "SpotMaxPriceTooLow", 400, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "ThrottledException", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "Throttling", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "ThrottlingException", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "TooManyRequestsException", 0, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "UnauthorizedOperation", 403, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "Unavailable", 0, SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "UnfulfillableCapacity", 0, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "UnknownParameter", 400, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "UnrecognizedClientException", 0, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "Unsupported", 400, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "UnsupportedOperation", 400, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "VPCIdNotSpecified", 400, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "VcpuLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "VolumeLimitExceeded", 400, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
};

START_TEST(each_documented_code_means)
{
	const struct documented *row = &documented[_i];
	struct aws_meaning meaning = aws_error_meaning(row->code, row->status);
	struct aws_meaning alone = aws_error_meaning(row->code, 0);

	ck_assert_msg(meaning.code == row->meaning, "%s: %d", row->code, meaning.code);
	ck_assert_msg(meaning.scope == row->scope, "%s: scope %d", row->code, meaning.scope);
	/* By the code and not by the status: that of a sold-out type is 500. */
	ck_assert_msg(alone.code == meaning.code && alone.scope == meaning.scope, "%s", row->code);
}
END_TEST

static const struct {
	const char *type;
	int is_spot;
	const char *code; /* NULL: not known */
} quotas[] = {
	{ "m5.large", 0, "L-1216C47A" },     { "m5.large", 1, "L-34B43A08" },
	{ "c7gn.medium", 0, "L-1216C47A" },  { "is4gen.large", 0, "L-1216C47A" },
	{ "t3.micro", 1, "L-34B43A08" },     { "z1d.large", 0, "L-1216C47A" },
	{ "g5.xlarge", 0, "L-DB2E81BA" },    { "g5.xlarge", 1, "L-3819A6DF" },
	{ "gr6.4xlarge", 0, "L-DB2E81BA" },  { "vt1.3xlarge", 0, "L-DB2E81BA" },
	{ "p3.2xlarge", 0, "L-417A185B" },   { "p5.48xlarge", 0, "L-417A185B" },
	{ "p4d.24xlarge", 1, "L-7212CCBC" }, { "p5en.48xlarge", 1, "L-C4BD4855" },
	{ "p6-b200.48xlarge", 1, NULL },     { "inf2.xlarge", 0, "L-1945791B" },
	{ "trn1.2xlarge", 1, "L-6B0D517C" }, { "x2gd.medium", 0, "L-7295265B" },
	{ "u-6tb1.metal", 0, "L-43DA4232" }, { "u-6tb1.metal", 1, NULL },
	{ "dl1.24xlarge", 0, "L-6E869C2A" }, { "d3.xlarge", 0, "L-1216C47A" },
	{ "f1.2xlarge", 0, "L-74FC7D96" },   { "hpc7g.4xlarge", 0, "L-F7808C92" },
	{ "h1.2xlarge", 0, "L-1216C47A" },   { "quantum1.large", 0, NULL },
	{ "m", 0, NULL },		     { "", 0, NULL },
};

START_TEST(quotas_of_families)
{
	const char *code = aws_quota_code(quotas[_i].type, quotas[_i].is_spot);

	if (quotas[_i].code)
		ck_assert_str_eq(code, quotas[_i].code);
	else
		ck_assert_ptr_null(code);
}
END_TEST

START_TEST(the_table_is_in_order)
{
	ck_assert(aws_error_table_sorted());
	ck_assert(aws_error_known("AccessDenied"));
	ck_assert(aws_error_known("VolumeLimitExceeded"));
	ck_assert(!aws_error_known("NoSuchCode"));
	ck_assert(!aws_error_known(""));
}
END_TEST

static const struct {
	const char *body;
	const char *code;
	const char *message;
} bodies[] = {
	{ "<?xml "
	  "version=\"1.0\"?>\n<Response><Errors><Error><Code>VcpuLimitExceeded</Code><Message>"
	  "You have &lt;0&gt; &amp; need 8.</Message></Error></Errors></Response>",
	  "VcpuLimitExceeded", "You have <0> & need 8" },
	{ "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender"
	  "</Type><Code>AccessDenied</Code><Message>no\n way</Message></Error></ErrorResponse>",
	  "AccessDenied", "no way" },
	{ "{\"__type\":\"com.amazonaws.ssm#ParameterNotFound\",\"message\":\"none\"}",
	  "ParameterNotFound", "none" },
	{ "{\"__type\":\"ThrottlingException\",\"Message\":\"slow\"}", "ThrottlingException",
	  "slow" },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"old\"}", "invalid_grant", "old" },
	{ "{\"__type\":7,\"message\":[]}", "", "" },
	{ "{\"__type\":", "", "" },
	{ "<Response><Errors>", "", "" },
	{ "<!DOCTYPE x [<!ENTITY a \"b\">]><Response><Errors><Error><Code>&a;</Code></Error>"
	  "</Errors></Response>",
	  "", "" },
	{ "<Response><Errors><Error><Code>A\033[31mB</Code></Error></Errors></Response>", "", "" },
	{ "{\"__type\":\"A\",\"message\":\"x\\u001b[31my\\u0007\"}", "A", "x [31my" },
	{ "", "", "" },
	{ "plain text", "", "" },
};

START_TEST(refusals_are_read)
{
	struct aws_fault fault;

	aws_fault_parse(400, bodies[_i].body, strlen(bodies[_i].body), &fault);
	ck_assert_int_eq(fault.status, 400);
	ck_assert_str_eq(fault.code, bodies[_i].code);
	ck_assert_str_eq(fault.message, bodies[_i].message);
}
END_TEST

START_TEST(long_messages_are_cut)
{
	struct aws_fault fault;
	struct souk_buf body;
	size_t i;

	souk_buf_init(&body, 1 << 20);
	souk_buf_str(&body, "{\"__type\":\"A\",\"message\":\"");
	for (i = 0; i < 400; i++)
		souk_buf_str(&body, "\303\244"); /* two bytes each: a cut may fall between them */
	souk_buf_str(&body, "\"}");
	aws_fault_parse(400, body.data, body.len, &fault);
	ck_assert_uint_lt(strlen(fault.message), sizeof(fault.message));
	ck_assert_uint_gt(strlen(fault.message), sizeof(fault.message) - 8);
	ck_assert_uint_eq(strlen(fault.message) % 2, 0);
	souk_buf_fini(&body);
}
END_TEST

/* A reply as the host gives it, with headers. */
static struct test_answer next_answer;

static int answer_all(const struct souk_http_request *request, struct test_answer *answer,
		      void *arg)
{
	(void)request;
	(void)arg;
	*answer = next_answer;
	return 1;
}

static struct souk_http_reply *get_reply(int status, const char *headers, const char *body)
{
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD, .what = "x", .url = "http://127.0.0.1/",
	};
	struct souk_http_reply *reply = NULL;

	next_answer = (struct test_answer){ .status = status, .headers = headers, .body = body };
	test_host_responder(answer_all, NULL);
	ck_assert_int_eq(souk_http_send(test_host_call(), &request, &reply, NULL), SOUK_OK);
	return reply;
}

START_TEST(headers_of_refusals)
{
	struct souk_http_reply *reply;
	struct aws_fault fault;

	reply = get_reply(503, "Retry-After: 3\r\nDate: Sun, 22 Nov 2026 14:00:05 GMT\r\n", "");
	aws_fault_of(reply, &fault);
	ck_assert_uint_eq(fault.retry_after_ms, 3000);
	ck_assert_int_eq(fault.server_time, 1795356005);
	souk_http_reply_free(reply);
	reply = get_reply(429, "x-amz-retry-after: 250\r\nDate: yesterday\r\n"
			       "x-amzn-ErrorType: UnauthorizedException:http://x/\r\n", "{}");
	aws_fault_of(reply, &fault);
	ck_assert_uint_eq(fault.retry_after_ms, 250);
	ck_assert_int_eq(fault.server_time, 0);
	ck_assert_str_eq(fault.code, "UnauthorizedException");
	souk_http_reply_free(reply);
	reply = get_reply(503, "Retry-After: soon\r\n", "");
	aws_fault_of(reply, &fault);
	ck_assert_uint_eq(fault.retry_after_ms, 0);
	souk_http_reply_free(reply);
}
END_TEST

static const struct {
	int status;
	const char *code;
	int again;
} retries[] = {
	{ 500, "InsufficientInstanceCapacity", 0 }, { 503, "InsufficientInstanceCapacity", 0 },
	{ 503, "RequestLimitExceeded", 1 },	    { 400, "ThrottlingException", 1 },
	{ 500, "InternalError", 1 },		    { 400, "PendingVerification", 0 },
	{ 400, "InvalidParameterValue", 0 },	    { 403, "UnauthorizedOperation", 0 },
	{ 502, "", 1 },				    { 404, "", 0 },
};

START_TEST(retries_by_code)
{
	struct souk_http_reply *reply;
	char body[256];

	snprintf(body, sizeof(body), "<Response><Errors><Error><Code>%s</Code></Error></Errors>"
				     "</Response>", retries[_i].code);
	reply = get_reply(retries[_i].status, NULL, body);
	ck_assert_int_eq(aws_fault_should_retry(reply, NULL), retries[_i].again);
	souk_http_reply_free(reply);
}
END_TEST

START_TEST(errors_say_it_all)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct aws_fault fault = {
		.status = 403, .code = "UnauthorizedOperation",
		.message = "You are not authorized. Encoded authorization failure message: AAAA",
	};

	ck_assert_int_eq(aws_fault_error(&fault, "ec2:RunInstances", "start x", &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "cannot start x: You are not authorized");
	ck_assert_str_eq(err.reason, "UnauthorizedOperation");
	ck_assert_ptr_nonnull(strstr(err.hint, "ec2:RunInstances"));
	ck_assert_int_eq(err.scope, SOUK_SCOPE_PROVIDER);

	fault = (struct aws_fault){ .status = 502 };
	ck_assert_int_eq(aws_fault_error(&fault, "ec2:X", "x", &err), SOUK_E_TRANSIENT);
	ck_assert_str_eq(err.message, "cannot x: HTTP status 502");

	fault = (struct aws_fault){ .status = 503, .code = "RequestLimitExceeded",
				    .retry_after_ms = 1500 };
	ck_assert_int_eq(aws_fault_error(&fault, "ec2:X", "x", &err), SOUK_E_RATE_LIMIT);
	ck_assert_uint_eq(err.retry_after_ms, 1500);
	ck_assert_int_eq(aws_fault_error(&fault, "ec2:X", "x", NULL), SOUK_E_RATE_LIMIT);
}
END_TEST

START_TEST(errors_are_handed_on)
{
	struct souk_error from = SOUK_ERROR_INIT;
	struct souk_error to = SOUK_ERROR_INIT;

	souk_error_set(&from, SOUK_E_QUOTA, "no %s", "more");
	souk_error_scope(&from, SOUK_SCOPE_REGION);
	souk_error_reason(&from, "R");
	souk_error_hint(&from, "100%% sure");
	souk_error_retry_after(&from, 9);
	ck_assert_int_eq(souk_error_copy(&from, &to), SOUK_E_QUOTA);
	ck_assert_str_eq(to.message, "no more");
	ck_assert_str_eq(to.hint, "100% sure");
	ck_assert_str_eq(to.reason, "R");
	ck_assert_int_eq(to.scope, SOUK_SCOPE_REGION);
	ck_assert_uint_eq(to.retry_after_ms, 9);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("aws-errors");
	TCase *tc = tcase_create("errors");
	SRunner *runner;
	int failed;

	test_host_reset();
	tcase_add_loop_test(tc, each_code_means, 0, (int)AWS_ARRAY_SIZE(meanings));
	tcase_add_loop_test(tc, each_documented_code_means, 0, (int)AWS_ARRAY_SIZE(documented));
	tcase_add_loop_test(tc, quotas_of_families, 0, (int)AWS_ARRAY_SIZE(quotas));
	tcase_add_test(tc, the_table_is_in_order);
	tcase_add_loop_test(tc, refusals_are_read, 0, (int)AWS_ARRAY_SIZE(bodies));
	tcase_add_test(tc, long_messages_are_cut);
	tcase_add_test(tc, headers_of_refusals);
	tcase_add_loop_test(tc, retries_by_code, 0, (int)AWS_ARRAY_SIZE(retries));
	tcase_add_test(tc, errors_say_it_all);
	tcase_add_test(tc, errors_are_handed_on);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
