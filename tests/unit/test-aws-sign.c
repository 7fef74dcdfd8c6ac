/* SPDX-License-Identifier: Apache-2.0 */
/* test-aws-sign.c - request signatures, held to the test vectors that AWS publishes */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "sign.h"
#include "test-host.h"

#define TIMESTAMP "20150830T123600Z"
#define STS_TOKEN \
	"AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKW" \
	"HGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4" \
	"IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE" \
	"8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yj" \
	"c8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="

/* A case of aws-sig-v4-test-suite. Host and X-Amz-Date are added to the headers of all. */
struct vector {
	const char *name;
	const char *method;
	const char *path;
	const char *query;
	struct aws_header headers[6];
	const char *body;
	const char *token;
	unsigned flags;
	const char *signature;
};

static const struct vector vectors[] = {
	{
		.name = "get-header-key-duplicate",
		.method = "GET",
		.path = "/",
		.headers = {
			{ "My-Header1", "value2" },
			{ "My-Header1", "value2" },
			{ "My-Header1", "value1" },
		},
		.signature = "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
	},
	{
		.name = "get-header-value-multiline",
		.method = "GET",
		.path = "/",
		.headers = { { "My-Header1", "value1\n  value2\n     value3" } },
		.signature = "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd",
	},
	{
		.name = "get-header-value-order",
		.method = "GET",
		.path = "/",
		.headers = {
			{ "My-Header1", "value4" },
			{ "My-Header1", "value1" },
			{ "My-Header1", "value3" },
			{ "My-Header1", "value2" },
		},
		.signature = "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
	},
	{
		.name = "get-header-value-trim",
		.method = "GET",
		.path = "/",
		.headers = { { "My-Header1", " value1" }, { "My-Header2", " \"a   b   c\"" } },
		.signature = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
	},
	{
		.name = "get-relative-normalized",
		.method = "GET",
		.path = "/example/..",
		.signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		.name = "get-relative-relative-normalized",
		.method = "GET",
		.path = "/example1/example2/../..",
		.signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		.name = "get-relative-relative-unnormalized",
		.method = "GET",
		.path = "/example1/example2/../..",
		.flags = AWS_SIGN_RAW_PATH,
		.signature = "dc33e0856fd4baca4d7aa2146c38958283844764f38c74252a333df5e613003b",
	},
	{
		.name = "get-relative-unnormalized",
		.method = "GET",
		.path = "/example/..",
		.flags = AWS_SIGN_RAW_PATH,
		.signature = "eca7ead57bb5aa5c8e28007acd4ff04e1ff9a0ff3b237ec1554a184887ff9282",
	},
	{
		.name = "get-slash-dot-slash-normalized",
		.method = "GET",
		.path = "/./",
		.signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		.name = "get-slash-dot-slash-unnormalized",
		.method = "GET",
		.path = "/./",
		.flags = AWS_SIGN_RAW_PATH,
		.signature = "68714168e6557f8f2de0ef956fc24dc2593a4bd2961f8df51898d8a134695145",
	},
	{
		.name = "get-slash-normalized",
		.method = "GET",
		.path = "//",
		.signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		.name = "get-slash-pointless-dot-normalized",
		.method = "GET",
		.path = "/./example",
		.signature = "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
	},
	{
		.name = "get-slash-pointless-dot-unnormalized",
		.method = "GET",
		.path = "/./example",
		.flags = AWS_SIGN_RAW_PATH,
		.signature = "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff",
	},
	{
		.name = "get-slash-unnormalized",
		.method = "GET",
		.path = "//",
		.flags = AWS_SIGN_RAW_PATH,
		.signature = "c88bcd3d312d75078c0cd961d6deae3f4c754924b01669efcfcb439fd5e5b76e",
	},
	{
		.name = "get-slashes-normalized",
		.method = "GET",
		.path = "//example//",
		.signature = "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
	},
	{
		.name = "get-slashes-unnormalized",
		.method = "GET",
		.path = "//example//",
		.flags = AWS_SIGN_RAW_PATH,
		.signature = "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5",
	},
	{
		.name = "get-space-normalized",
		.method = "GET",
		.path = "/example space/",
		.signature = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
	},
	{
		.name = "get-space-unnormalized",
		.method = "GET",
		.path = "/example space/",
		.flags = AWS_SIGN_RAW_PATH,
		.signature = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
	},
	{
		.name = "get-unreserved",
		.method = "GET",
		.path = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		.signature = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
	},
	{
		.name = "get-utf8",
		.method = "GET",
		.path = "/\341\210\264",
		.signature = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
	},
	{
		.name = "get-vanilla",
		.method = "GET",
		.path = "/",
		.signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		.name = "get-vanilla-empty-query-key",
		.method = "GET",
		.path = "/",
		.query = "Param1=value1",
		.signature = "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
	},
	{
		.name = "get-vanilla-query",
		.method = "GET",
		.path = "/",
		.signature = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		.name = "get-vanilla-query-order-encoded",
		.method = "GET",
		.path = "/",
		.query = "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
		.signature = "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
	},
	{
		.name = "get-vanilla-query-order-key-case",
		.method = "GET",
		.path = "/",
		.query = "Param2=value2&Param1=value1",
		.signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
	},
	{
		.name = "get-vanilla-query-unreserved",
		.method = "GET",
		.path = "/",
		.query = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._"
			"~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
		.signature = "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
	},
	{
		.name = "get-vanilla-utf8-query",
		.method = "GET",
		.path = "/",
		.query = "\341\210\264=bar",
		.signature = "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
	},
	{
		.name = "get-vanilla-with-session-token",
		.method = "GET",
		.path = "/",
		.token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267",
		.signature = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
	},
	{
		.name = "post-header-key-case",
		.method = "POST",
		.path = "/",
		.signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	},
	{
		.name = "post-header-key-sort",
		.method = "POST",
		.path = "/",
		.headers = { { "My-Header1", "value1" } },
		.signature = "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
	},
	{
		.name = "post-header-value-case",
		.method = "POST",
		.path = "/",
		.headers = { { "My-Header1", "VALUE1" } },
		.signature = "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
	},
	{
		.name = "post-sts-header-after",
		.method = "POST",
		.path = "/",
		.signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	},
	{
		.name = "post-sts-header-before",
		.method = "POST",
		.path = "/",
		.token = STS_TOKEN,
		.signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
	},
	{
		.name = "post-vanilla",
		.method = "POST",
		.path = "/",
		.signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	},
	{
		.name = "post-vanilla-empty-query-value",
		.method = "POST",
		.path = "/",
		.query = "Param1=value1",
		.signature = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
	},
	{
		.name = "post-vanilla-query",
		.method = "POST",
		.path = "/",
		.query = "Param1=value1",
		.signature = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
	},
	{
		.name = "post-x-www-form-urlencoded",
		.method = "POST",
		.path = "/",
		.headers = {
			{ "Content-Type", "application/x-www-form-urlencoded" },
			{ "Content-Length", "13" },
			{ "X-Amz-Content-Sha256",
			  "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e" },
		},
		.body = "Param1=value1",
		.signature = "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
	},
	{
		.name = "post-x-www-form-urlencoded-parameters",
		.method = "POST",
		.path = "/",
		.headers = {
			{ "Content-Type", "application/x-www-form-urlencoded; charset=utf-8" },
			{ "Content-Length", "13" },
			{ "X-Amz-Content-Sha256",
			  "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e" },
		},
		.body = "Param1=value1",
		.signature = "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
	},
};

START_TEST(matches_the_suite)
{
	const struct vector *v = &vectors[_i];
	struct aws_header headers[10];
	struct aws_sign_request request = {
		.method = v->method,
		.path = v->path,
		.query = v->query,
		.headers = headers,
		.body = v->body,
		.body_size = v->body ? strlen(v->body) : 0,
		.region = "us-east-1",
		.service = "service",
		.timestamp = TIMESTAMP,
		.flags = v->flags,
	};
	struct aws_credentials credentials = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_buf out;
	const char *signature;
	size_t i;

	headers[request.n_headers++] = (struct aws_header){ "Host", "example.amazonaws.com" };
	for (i = 0; v->headers[i].name; i++)
		headers[request.n_headers++] = v->headers[i];
	headers[request.n_headers++] = (struct aws_header){ "X-Amz-Date", TIMESTAMP };
	if (v->token)
		headers[request.n_headers++] =
			(struct aws_header){ "X-Amz-Security-Token", v->token };
	ck_assert_int_eq(aws_credentials_make("AKIDEXAMPLE",
					      "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", v->token,
					      0, "a test", &credentials, &err), SOUK_OK);
	souk_buf_init(&out, 8192);
	ck_assert_msg(aws_sign(&request, &credentials, &out, &err) == SOUK_OK, "%s: %s", v->name,
		      err.message);
	signature = strstr(out.data, "Signature=");
	ck_assert_ptr_nonnull(signature);
	ck_assert_msg(strcmp(signature + 10, v->signature) == 0, "%s: %s", v->name, out.data);
	ck_assert_ptr_nonnull(strstr(out.data, "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/"
					       "us-east-1/service/aws4_request, SignedHeaders="));
	souk_buf_fini(&out);
	aws_credentials_fini(&credentials);
}
END_TEST

/* The canonical form of what the suite has no case for. */
static const struct {
	const char *path;
	const char *query;
	unsigned flags;
	const char *start;
} forms[] = {
	{ "", NULL, 0, "GET\n/\n\n" },
	{ "/a/../b/./c", NULL, 0, "GET\n/b/c\n\n" },
	{ "/../../a", NULL, 0, "GET\n/a\n\n" },
	{ "/a/b/..", NULL, 0, "GET\n/a/\n\n" },
	{ "/a%20b", NULL, 0, "GET\n/a%2520b\n\n" },
	{ "/a//b", NULL, AWS_SIGN_RAW_PATH, "GET\n/a//b\n\n" },
	{ "/", "a&b=", 0, "GET\n/\na=&b=\n" },
	{ "/", "a=%7E&a=%2b&%zz=1", 0, "GET\n/\n%25zz=1&a=%2B&a=~\n" },
	{ "/", "b=2&&a=1&", 0, "GET\n/\na=1&b=2\n" },
	{ "/", "x=a=b", 0, "GET\n/\nx=a%3Db\n" },
};

START_TEST(canonical_forms)
{
	const struct aws_header headers[] = { { "Host", "h" } };
	struct aws_sign_request request = {
		.method = "GET", .path = forms[_i].path, .query = forms[_i].query,
		.headers = headers, .n_headers = 1, .region = "r", .service = "s",
		.timestamp = TIMESTAMP, .flags = forms[_i].flags,
	};
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_buf canonical, names;

	souk_buf_init(&canonical, 8192);
	souk_buf_init(&names, 8192);
	ck_assert_int_eq(aws_sign_canonical(&request, &canonical, &names, &err), SOUK_OK);
	ck_assert_msg(strncmp(canonical.data, forms[_i].start, strlen(forms[_i].start)) == 0, "%s",
		      canonical.data);
	ck_assert_str_eq(names.data, "host");
	souk_buf_fini(&canonical);
	souk_buf_fini(&names);
}
END_TEST

START_TEST(refuses_what_it_cannot_sign)
{
	struct aws_sign_request request = {
		.method = "GET", .path = "/", .region = "r", .service = "s", .timestamp = "now",
	};
	struct aws_credentials credentials = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_buf out, deep;
	int i;

	ck_assert_int_eq(aws_credentials_make("A", "B", NULL, 0, "a test", &credentials, &err),
			 SOUK_OK);
	souk_buf_init(&out, 8192);
	ck_assert_int_eq(aws_sign(&request, &credentials, &out, &err), SOUK_E_INTERNAL);
	souk_buf_init(&deep, 8192);
	for (i = 0; i < 300; i++)
		souk_buf_str(&deep, "/a");
	request.timestamp = TIMESTAMP;
	request.path = deep.data;
	ck_assert_int_eq(aws_sign(&request, &credentials, &out, &err), SOUK_E_INVALID);
	souk_buf_reset(&deep);
	for (i = 0; i < 300; i++)
		souk_buf_str(&deep, "a=1&");
	request.path = "/";
	request.query = deep.data;
	ck_assert_int_eq(aws_sign(&request, &credentials, &out, &err), SOUK_E_INVALID);
	souk_buf_fini(&deep);
	souk_buf_fini(&out);
	aws_credentials_fini(&credentials);
}
END_TEST

START_TEST(digests)
{
	char sha256[65];
	char sha1[41];

	ck_assert_int_eq(aws_sha256_hex("abc", 3, sha256, NULL), SOUK_OK);
	ck_assert_str_eq(sha256,
			 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	ck_assert_int_eq(aws_sha1_hex("abc", 3, sha1, NULL), SOUK_OK);
	ck_assert_str_eq(sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
	ck_assert_int_eq(aws_sha256_hex(NULL, 0, sha256, NULL), SOUK_OK);
	ck_assert_str_eq(sha256,
			 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("aws-sign");
	TCase *tc = tcase_create("sign");
	SRunner *runner;
	int failed;

	test_host_reset();
	tcase_add_loop_test(tc, matches_the_suite, 0, (int)AWS_ARRAY_SIZE(vectors));
	tcase_add_loop_test(tc, canonical_forms, 0, (int)AWS_ARRAY_SIZE(forms));
	tcase_add_test(tc, refuses_what_it_cannot_sign);
	tcase_add_test(tc, digests);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
