/* SPDX-License-Identifier: Apache-2.0 */
/* test-provider-api.c - errors and growing texts of libsouk-provider */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <souk/provider.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- An allocator that fails on request (linked with --wrap=realloc) ---- */

static int fail_after = -1; /* fail every realloc() but so many first ones; -1: none fails */

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_realloc(void *old, size_t size)
{
	if (fail_after == 0)
		return NULL;
	if (fail_after > 0)
		fail_after--;
	return __real_realloc(old, size);
}

static void reset_allocator(void)
{
	fail_after = -1;
}

/* ---- Errors ---- */

static const struct {
	int given, code, scope;
} code_cases[] = {
	{ SOUK_E_CAPACITY, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ SOUK_E_AUTH, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ SOUK_E_CANCELLED, SOUK_E_CANCELLED, SOUK_SCOPE_OFFER },
	{ SOUK_OK, SOUK_E_INTERNAL, SOUK_SCOPE_OFFER }, /* a failure cannot be OK */
	{ 7, SOUK_E_INTERNAL, SOUK_SCOPE_OFFER },
};

START_TEST(error_has_code_and_scope)
{
	struct souk_error err = SOUK_ERROR_INIT;

	err.retry_after_ms = 5;
	snprintf(err.hint, sizeof(err.hint), "old");
	snprintf(err.reason, sizeof(err.reason), "old");
	ck_assert_int_eq(souk_error_set(&err, code_cases[_i].given, "no '%s'", "x"),
			 code_cases[_i].code);
	ck_assert_int_eq(err.code, code_cases[_i].code);
	ck_assert_int_eq(err.scope, code_cases[_i].scope);
	ck_assert_str_eq(err.message, "no 'x'");
	ck_assert_str_eq(err.hint, "");
	ck_assert_str_eq(err.reason, "");
	ck_assert_uint_eq(err.retry_after_ms, 0);
}
END_TEST

START_TEST(error_is_added_to)
{
	struct souk_error err = SOUK_ERROR_INIT;

	souk_error_set(&err, SOUK_E_QUOTA, "too many");
	ck_assert_int_eq(souk_error_scope(&err, SOUK_SCOPE_REGION), SOUK_E_QUOTA);
	ck_assert_int_eq(souk_error_reason(&err, "VcpuLimitExceeded"), SOUK_E_QUOTA);
	ck_assert_int_eq(souk_error_hint(&err, "ask for %d more", 8), SOUK_E_QUOTA);
	ck_assert_int_eq(souk_error_retry_after(&err, 1500), SOUK_E_QUOTA);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_REGION);
	ck_assert_str_eq(err.reason, "VcpuLimitExceeded");
	ck_assert_str_eq(err.hint, "ask for 8 more");
	ck_assert_uint_eq(err.retry_after_ms, 1500);
	ck_assert_str_eq(err.message, "too many");
	souk_error_scope(&err, 99);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_REGION);
	souk_error_reason(&err, NULL);
	ck_assert_str_eq(err.reason, "");
}
END_TEST

START_TEST(error_may_be_null)
{
	ck_assert_int_eq(souk_error_set(NULL, SOUK_E_AUTH, "x"), SOUK_E_AUTH);
	ck_assert_int_lt(souk_error_scope(NULL, SOUK_SCOPE_ZONE), 0);
	ck_assert_int_lt(souk_error_reason(NULL, "x"), 0);
	ck_assert_int_lt(souk_error_hint(NULL, "x"), 0);
	ck_assert_int_lt(souk_error_retry_after(NULL, 1), 0);
}
END_TEST

/* A struct that is smaller than the oldest one there is must not be written. */
START_TEST(error_too_small_is_left_alone)
{
	struct souk_error err;
	struct souk_error before;

	memset(&err, 0x5a, sizeof(err));
	err.struct_size = 16;
	before = err;
	ck_assert_int_eq(souk_error_set(&err, SOUK_E_QUOTA, "x"), SOUK_E_QUOTA);
	souk_error_hint(&err, "x");
	souk_error_reason(&err, "x");
	souk_error_scope(&err, SOUK_SCOPE_ZONE);
	souk_error_retry_after(&err, 1);
	ck_assert_mem_eq(&err, &before, sizeof(err));
}
END_TEST

START_TEST(error_message_may_quote_itself)
{
	struct souk_error err = SOUK_ERROR_INIT;

	souk_error_set(&err, SOUK_E_INVALID, "inner");
	souk_error_hint(&err, "try");
	souk_error_set(&err, SOUK_E_INVALID, "outer: %s (%s)", err.message, err.hint);
	ck_assert_str_eq(err.message, "outer: inner (try)");
}
END_TEST

static const struct {
	const char *given, *kept;
} disarm_cases[] = {
	{ "a\033[2Jb", "a [2Jb" },
	{ "one\ntwo\r\tthree\177", "one two  three " },
	{ "csi \302\233 is gone", "csi    is gone" },
	{ "gr\303\274n \342\202\254 \302\240 stay", "gr\303\274n \342\202\254 \302\240 stay" },
};

START_TEST(error_cannot_steer_a_terminal)
{
	struct souk_error err = SOUK_ERROR_INIT;

	souk_error_set(&err, SOUK_E_INVALID, "%s", disarm_cases[_i].given);
	ck_assert_str_eq(err.message, disarm_cases[_i].kept);
	souk_error_reason(&err, disarm_cases[_i].given);
	ck_assert_str_eq(err.reason, disarm_cases[_i].kept);
	souk_error_hint(&err, "%s", disarm_cases[_i].given);
	ck_assert_str_eq(err.hint, disarm_cases[_i].kept);
}
END_TEST

/* Too long a text is cut between two characters, wherever the cut falls into them. */
START_TEST(error_is_cut_between_characters)
{
	struct souk_error err = SOUK_ERROR_INIT;
	char text[4 * SOUK_ERROR_MESSAGE_SIZE];
	size_t i, n = (size_t)_i;

	memset(text, 'x', n);
	for (i = n; i + 4 < sizeof(text); i += 3)
		memcpy(text + i, "\342\202\254", 4);
	souk_error_set(&err, SOUK_E_INVALID, "%s", text);
	n = strlen(err.message);
	ck_assert_uint_lt(n, sizeof(err.message));
	ck_assert_str_eq(err.message + n - 3, "...");
	ck_assert_uint_eq((n - 3 - (size_t)_i) % 3, 0);
}
END_TEST

/* ---- Buffers ---- */

START_TEST(buf_grows)
{
	struct souk_buf buf;
	size_t i;

	souk_buf_init(&buf, 100000);
	ck_assert_str_eq(buf.data, "");
	for (i = 0; i < 1000; i++) {
		souk_buf_str(&buf, "ab");
		souk_buf_printf(&buf, "%03zu", i);
		souk_buf_add(&buf, "\0x", 2);
	}
	ck_assert_int_eq(souk_buf_failed(&buf, NULL), SOUK_OK);
	ck_assert_uint_eq(buf.len, 7000);
	ck_assert_mem_eq(buf.data + 6993, "ab999\0x", 8);
	souk_buf_reset(&buf);
	ck_assert_str_eq(buf.data, "");
	ck_assert_uint_eq(buf.len, 0);
	souk_buf_fini(&buf);
	souk_buf_fini(&buf);
	souk_buf_fini(NULL);
}
END_TEST

START_TEST(buf_keeps_its_ceiling)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_buf buf;

	souk_buf_init(&buf, 5);
	ck_assert_int_eq(souk_buf_str(&buf, "12345"), SOUK_OK);
	ck_assert_int_eq(souk_buf_add(&buf, "6", 1), SOUK_E_INVALID);
	ck_assert_str_eq(buf.data, "12345");
	ck_assert_int_eq(souk_buf_add(&buf, "", 0), SOUK_E_INVALID);
	ck_assert_int_eq(souk_buf_failed(&buf, &err), SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "text longer than 5 bytes");
	ck_assert_ptr_null(souk_buf_steal(&buf));
	ck_assert_int_eq(buf.failed, SOUK_OK);
	souk_buf_fini(&buf);
}
END_TEST

/* The first failure sticks: what would still fit comes no more. */
START_TEST(buf_failure_sticks)
{
	struct souk_buf buf;

	souk_buf_init(&buf, 4);
	souk_buf_printf(&buf, "%s", "12");
	ck_assert_int_eq(souk_buf_printf(&buf, "%s", "345"), SOUK_E_INVALID);
	ck_assert_int_eq(souk_buf_printf(&buf, "%s", "3"), SOUK_E_INVALID);
	ck_assert_int_eq(souk_buf_urlencode(&buf, "3"), SOUK_E_INVALID);
	ck_assert_int_eq(souk_buf_base64(&buf, "3", 1), SOUK_E_INVALID);
	ck_assert_str_eq(buf.data, "12");
	souk_buf_reset(&buf);
	ck_assert_int_eq(souk_buf_str(&buf, "1234"), SOUK_OK);
	souk_buf_fini(&buf);
}
END_TEST

START_TEST(buf_zeroed_is_empty)
{
	struct souk_buf buf = { 0 };

	ck_assert_int_eq(souk_buf_add(&buf, "", 0), SOUK_OK);
	ck_assert_str_eq(buf.data, "");
	ck_assert_int_eq(souk_buf_str(&buf, "x"), SOUK_E_INVALID);
	ck_assert_str_eq(buf.data, "");
	souk_buf_fini(&buf);
}
END_TEST

START_TEST(buf_is_stolen)
{
	struct souk_buf buf;
	char *text;

	souk_buf_init(&buf, 10);
	text = souk_buf_steal(&buf);
	ck_assert_str_eq(text, "");
	souk_text_free(text);
	souk_buf_str(&buf, "mine");
	text = souk_buf_steal(&buf);
	ck_assert_str_eq(text, "mine");
	ck_assert_uint_eq(buf.len, 0);
	ck_assert_str_eq(buf.data, "");
	souk_buf_str(&buf, "again");
	ck_assert_str_eq(buf.data, "again");
	ck_assert_str_eq(text, "mine");
	souk_text_free(text);
	souk_buf_fini(&buf);
}
END_TEST

/* Fail the first, second, third ... allocation: each time NOMEM, and the text as it was. */
START_TEST(buf_survives_no_memory)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_buf buf;
	int i, n;

	for (n = 0; n < 100; n++) {
		souk_buf_init(&buf, 1 << 20);
		fail_after = n;
		for (i = 0; i < 400 && souk_buf_str(&buf, "0123456789") == SOUK_OK; i++)
			;
		reset_allocator();
		ck_assert_uint_eq(buf.len, (size_t)i * 10);
		ck_assert_uint_eq(strlen(buf.data), buf.len);
		if (i == 400)
			break;
		ck_assert_int_eq(souk_buf_failed(&buf, &err), SOUK_E_NOMEM);
		ck_assert_ptr_null(souk_buf_steal(&buf));
		souk_buf_fini(&buf);
	}
	ck_assert_int_gt(n, 2);
	ck_assert_int_lt(n, 100);
	souk_buf_fini(&buf);
}
END_TEST

static const struct {
	const char *text, *encoded;
} url_cases[] = {
	{ "", "" },
	{ "AZaz09-._~", "AZaz09-._~" },
	{ "a b/c?d=e&f+g%", "a%20b%2Fc%3Fd%3De%26f%2Bg%25" },
	{ "\303\251\001\377", "%C3%A9%01%FF" },
};

START_TEST(buf_encodes_for_urls)
{
	struct souk_buf buf;

	souk_buf_init(&buf, 1000);
	ck_assert_int_eq(souk_buf_urlencode(&buf, url_cases[_i].text), SOUK_OK);
	ck_assert_str_eq(buf.data, url_cases[_i].encoded);
	souk_buf_fini(&buf);
}
END_TEST

/* The vectors of RFC 4648, section 10, and bytes that use the last two digits. */
static const struct {
	const char *text, *encoded;
} base64_cases[] = {
	{ "", "" },	      { "f", "Zg==" },	       { "fo", "Zm8=" },
	{ "foo", "Zm9v" },    { "foob", "Zm9vYg==" },  { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }, { "\373\377\376", "+//+" },
};

START_TEST(buf_encodes_base64)
{
	struct souk_buf buf;

	souk_buf_init(&buf, 1000);
	ck_assert_int_eq(souk_buf_base64(&buf, base64_cases[_i].text, strlen(base64_cases[_i].text)),
			 SOUK_OK);
	ck_assert_str_eq(buf.data, base64_cases[_i].encoded);
	souk_buf_fini(&buf);
}
END_TEST

static TCase *error_tests(void)
{
	TCase *tc = tcase_create("error");

	tcase_add_loop_test(tc, error_has_code_and_scope, 0, ARRAY_SIZE(code_cases));
	tcase_add_test(tc, error_is_added_to);
	tcase_add_test(tc, error_may_be_null);
	tcase_add_test(tc, error_too_small_is_left_alone);
	tcase_add_test(tc, error_message_may_quote_itself);
	tcase_add_loop_test(tc, error_cannot_steer_a_terminal, 0, ARRAY_SIZE(disarm_cases));
	tcase_add_loop_test(tc, error_is_cut_between_characters, 0, 6);
	return tc;
}

static TCase *buf_tests(void)
{
	TCase *tc = tcase_create("buf");

	tcase_add_test(tc, buf_grows);
	tcase_add_test(tc, buf_keeps_its_ceiling);
	tcase_add_test(tc, buf_failure_sticks);
	tcase_add_test(tc, buf_zeroed_is_empty);
	tcase_add_test(tc, buf_is_stolen);
	tcase_add_test(tc, buf_survives_no_memory);
	tcase_add_loop_test(tc, buf_encodes_for_urls, 0, ARRAY_SIZE(url_cases));
	tcase_add_loop_test(tc, buf_encodes_base64, 0, ARRAY_SIZE(base64_cases));
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("provider-api");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, error_tests());
	suite_add_tcase(suite, buf_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
