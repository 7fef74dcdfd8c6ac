/* SPDX-License-Identifier: Apache-2.0 */
/* test-provider-cloud.c - what modules of clouds share: refusals, keys, endpoints, waiting */

#include <check.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <souk/provider.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* ---- Words ---- */

static const struct {
	const char *text;
	size_t size;
	const char *line;
} lines[] = {
	{ "It is so.", 40, "It is so" },
	{ "  no\n\t way. .", 40, "no way" },
	{ "a\x1b[31mb", 40, "a [31mb" },
	{ NULL, 40, "" },
	{ "...", 40, "" },
	{ "abcdef", 4, "abc" },
	{ "ab\xc3\xa9", 4, "ab" },	/* its last character would not fit */
	{ "ab\xc3\xa9", 5, "ab\xc3\xa9" },
	{ "abc", 1, "" },
};

START_TEST(words_become_a_line)
{
	char out[40];

	memset(out, 'x', sizeof(out));
	souk_text_line(out, lines[_i].size, lines[_i].text);
	ck_assert_str_eq(out, lines[_i].line);
}
END_TEST

START_TEST(a_line_of_no_room_is_left_alone)
{
	char out = 'x';

	souk_text_line(&out, 0, "text");
	ck_assert_int_eq(out, 'x');
}
END_TEST

START_TEST(texts_are_trimmed)
{
	char text[] = " \t a b\r\n ";
	char blank[] = " \n";

	ck_assert_str_eq(souk_text_trim(text), "a b");
	ck_assert_str_eq(souk_text_trim(blank), "");
}
END_TEST

/* ---- Refusals ---- */

static const struct {
	const char *reason, *message;
	const char *want;
} refusals[] = {
	{ "NoRoom", "none left", "cannot start it: none left" },
	{ "NoRoom", "", "cannot start it: NoRoom" },
	{ "NoRoom", NULL, "cannot start it: NoRoom" },
	{ NULL, NULL, "cannot start it: HTTP status 503" },
	{ "", "", "cannot start it: HTTP status 503" },
};

START_TEST(refusals_are_recorded)
{
	const struct souk_refusal refusal = {
		SOUK_REFUSAL_HEAD, .code = SOUK_E_CAPACITY, .scope = SOUK_SCOPE_ZONE, .status = 503,
		.retry_after_ms = 7000, .doing = "start it", .reason = refusals[_i].reason,
		.message = refusals[_i].message,
	};
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_int_eq(souk_error_refused(&err, &refusal), SOUK_E_CAPACITY);
	ck_assert_int_eq(err.code, SOUK_E_CAPACITY);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_ZONE);
	ck_assert_uint_eq(err.retry_after_ms, 7000);
	ck_assert_str_eq(err.message, refusals[_i].want);
	ck_assert_str_eq(err.reason, refusals[_i].reason ? refusals[_i].reason : "");
	ck_assert_int_eq(souk_error_refused(NULL, &refusal), SOUK_E_CAPACITY);
}
END_TEST

START_TEST(doubt_is_a_timeout)
{
	static const struct {
		int code;
		const char *reason;
		int want;
	} rows[] = {
		{ SOUK_E_INTERNAL, "", SOUK_E_TIMEOUT },
		{ SOUK_E_TRANSIENT, "500", SOUK_E_TIMEOUT },
		{ SOUK_E_TRANSIENT, "", SOUK_E_TRANSIENT }, /* it was never sent */
		{ SOUK_E_CAPACITY, "400", SOUK_E_CAPACITY },
		{ SOUK_E_TIMEOUT, "", SOUK_E_TIMEOUT },
	};
	struct souk_error err;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		err = (struct souk_error)SOUK_ERROR_INIT;
		souk_error_set(&err, rows[i].code, "so");
		souk_error_reason(&err, rows[i].reason);
		ck_assert_int_eq(souk_error_doubtful(&err), rows[i].want);
		ck_assert_int_eq(err.code, rows[i].want);
	}
	ck_assert_int_eq(souk_error_nomem(&err), SOUK_E_NOMEM);
}
END_TEST

/* ---- A host of the test's own ---- */

static const char *option_value; /* of the one that is asked for */
static const char *secret_value;
static char principal[64];

struct souk_http_reply {
	const char *name, *value;
};

static const char *option_of_test(const struct souk_call *call, const char *name)
{
	(void)call;
	if (strcmp(name, "api_key") == 0)
		return secret_value ? "fd:9" : NULL;
	return strcmp(name, "endpoint") == 0 ? option_value : NULL;
}

static int secret_of_test(struct souk_call *call, const char *name, char **secret_out,
			  struct souk_error *err)
{
	(void)call;
	(void)name;
	*secret_out = strdup(secret_value);
	return *secret_out ? SOUK_OK : souk_error_nomem(err);
}

static const char *header_of_test(const struct souk_http_reply *reply, const char *name)
{
	return strcmp(reply->name, name) == 0 ? reply->value : NULL;
}

static int identity_of_test(struct souk_identity *identity, const char *key, const char *value,
			    struct souk_error *err)
{
	(void)identity;
	(void)err;
	ck_assert_str_eq(key, "principal");
	snprintf(principal, sizeof(principal), "%s", value);
	return SOUK_OK;
}

static struct souk_lock *held; /* given back while somebody waits for it */
static const char *state_dir;

static const char *state_dir_of_test(const struct souk_call *call)
{
	(void)call;
	return state_dir;
}

static int sleep_of_test(struct souk_call *call, uint32_t ms, struct souk_error *err)
{
	(void)call;
	(void)ms;
	if (!held)
		return souk_error_set(err, SOUK_E_CANCELLED, "enough");
	souk_lock_free(held);
	held = NULL;
	return SOUK_OK;
}

static const struct souk_host host = {
	.abi = SOUK_PROVIDER_ABI,
	.struct_size = sizeof(struct souk_host),
	.call_option = option_of_test,
	.call_secret = secret_of_test,
	.call_state_dir = state_dir_of_test,
	.call_sleep = sleep_of_test,
	.http_reply_header = header_of_test,
	.identity_set = identity_of_test,
};

static char home[] = "/tmp/souk-test-XXXXXX";

static void set_up(void)
{
	souk_host_install(&host);
	option_value = secret_value = NULL;
	ck_assert_ptr_nonnull(mkdtemp(home));
	setenv("HOME", home, 1);
	unsetenv("ACME_KEY");
	unsetenv("ACME_TOKEN");
}

static void tear_down(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/keys", home);
	unlink(path);
	rmdir(home);
	memcpy(home + strlen(home) - 6, "XXXXXX", 6);
}

/* ---- Locks ---- */

START_TEST(locks_exclude)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_lock *second = NULL, *third = NULL;

	state_dir = home;
	ck_assert_int_eq(souk_call_lock(NULL, "token-1", &held, &err), SOUK_OK);
	ck_assert_ptr_nonnull(held);
	ck_assert_int_eq(souk_call_lock(NULL, "token-2", &third, &err), SOUK_OK);
	souk_lock_free(third);
	/* the second has it once the first one has given it back, and none without end */
	ck_assert_int_eq(souk_call_lock(NULL, "token-1", &second, &err), SOUK_OK);
	ck_assert_ptr_null(held);
	ck_assert_int_eq(souk_call_lock(NULL, "token-1", &third, &err), SOUK_E_CANCELLED);
	souk_lock_free(second);
	ck_assert_int_eq(souk_call_lock(NULL, "token-1", &second, &err), SOUK_OK);
	souk_lock_free(second);
	/* nothing is left of them, else the folder of the test could not be removed */
	ck_assert_int_eq(rmdir(home), 0);
	ck_assert_int_eq(souk_call_lock(NULL, "token-1", &second, &err), SOUK_OK);
	ck_assert_ptr_null(second);
	ck_assert_int_eq(souk_call_lock(NULL, "../up", &second, &err), SOUK_E_INVALID);
	state_dir = NULL;
	second = held;
	ck_assert_int_eq(souk_call_lock(NULL, "token-1", &second, &err), SOUK_OK);
	ck_assert_ptr_null(second);
	souk_lock_free(NULL);
}
END_TEST

/* ---- Waiting ---- */

static const struct {
	const char *name, *value;
	uint32_t ms;
} delays[] = {
	{ "Retry-After", "7", 7000 },
	{ "Retry-After", "0", 0 },
	{ "Retry-After", "soon", 0 },
	{ "Retry-After", "4294967295", UINT32_MAX },
	{ "Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT", 0 }, /* is over */
	{ "Retry-After", "Sun, 06 Foo 2994 08:49:37 GMT", 0 },
	{ "Retry-After", "Sun, 06 Nov 2994 08:49:37 GMT", UINT32_MAX },
	{ "x-amz-retry-after", "30", 30 },
	{ "retry-after-ms", "250", 250 },
	{ "x-ms-retry-after-ms", "99", 99 },
	{ "Date", "7", 0 },
};

START_TEST(delays_are_read)
{
	const struct souk_http_reply reply = { delays[_i].name, delays[_i].value };

	ck_assert_uint_eq(souk_http_reply_retry_after_ms(&reply), delays[_i].ms);
}
END_TEST

START_TEST(dates_are_read)
{
	static const char *const bad[] = {
		"", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 ovD 1994 08:49:37 GMT",
		"Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT and more",
	};
	struct souk_error err = SOUK_ERROR_INIT;
	int64_t seconds = -1;
	size_t i;

	ck_assert_int_eq(souk_parse_http_date("d", "Sun, 06 Nov 1994 08:49:37 GMT", &seconds, &err),
			 SOUK_OK);
	ck_assert_int_eq(seconds, 784111777);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		ck_assert_int_eq(souk_parse_http_date("d", bad[i], &seconds, &err), SOUK_E_INVALID);
		ck_assert_int_eq(seconds, 784111777);
	}
}
END_TEST

/* ---- Endpoints ---- */

static const struct {
	const char *given;
	const char *want; /* NULL: refused */
} endpoints[] = {
	{ NULL, "https://api.example.com" },
	{ "", "https://api.example.com" },
	{ "http://127.0.0.1:80//", "http://127.0.0.1:80" },
	{ "http://127.0.0.1:80/v2", "http://127.0.0.1:80" },
	{ "http://127.0.0.1:80/v2/", "http://127.0.0.1:80" },
	{ "http://127.0.0.1:80/av2", "http://127.0.0.1:80/av2" },
	{ "https://x@y/", NULL },
	{ "nonsense", NULL },
};

START_TEST(endpoints_are_bases)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_buf out;
	int ret;

	option_value = endpoints[_i].given;
	souk_buf_init(&out, 200);
	ret = souk_call_endpoint(NULL, "https://api.example.com", "/v2", &out, &err);
	if (endpoints[_i].want) {
		ck_assert_int_eq(ret, SOUK_OK);
		ck_assert_str_eq(out.data, endpoints[_i].want);
		ck_assert_uint_eq(out.len, strlen(endpoints[_i].want));
	} else {
		ck_assert_int_eq(ret, SOUK_E_INVALID);
		ck_assert_ptr_nonnull(strstr(err.message, "endpoint"));
	}
	souk_buf_fini(&out);
}
END_TEST

/* ---- Keys ---- */

static char *whole_file(char *text)
{
	text = souk_text_trim(text);
	return *text ? text : NULL;
}

static const char *const variables[] = { "ACME_KEY", "ACME_TOKEN", NULL };
static const struct souk_key_source source = {
	SOUK_KEY_SOURCE_HEAD, .title = "Acme", .variables = variables, .file = "keys",
	.in_file = whole_file, .looks = "a key looks like 'a_...'", .advice = "set ACME_KEY",
};

static const struct {
	const char *option, *first, *second, *file;
	const char *want;    /* NULL: refused */
	const char *message; /* part of it */
	const char *hint;
} keys[] = {
	{ "a_1", "a_2", "a_3", "a_4", "a_1", NULL, NULL },
	{ NULL, "a_2", "a_3", "a_4", "a_2", NULL, NULL },
	{ NULL, NULL, "a_3", "a_4", "a_3", NULL, NULL },
	{ NULL, "", "a_3", "a_4", "a_3", NULL, NULL },
	{ NULL, NULL, NULL, " a_4\n", "a_4", NULL, NULL },
	{ NULL, NULL, NULL, "\n", NULL, "no Acme API key found", "set ACME_KEY" },
	{ NULL, NULL, NULL, NULL, NULL, "no Acme API key found", "set ACME_KEY" },
	/* what is there and no key is not passed over */
	{ "", "a_2", NULL, NULL, NULL, "the setting 'api_key' holds no Acme API key", "a_..." },
	{ NULL, "a\nb", "a_3", NULL, NULL, "ACME_KEY holds no Acme API key", "a_..." },
	{ NULL, "caf\xc3\xa9", NULL, NULL, NULL, "ACME_KEY holds no Acme API key", "a_..." },
	{ NULL, NULL, NULL, "a b", NULL, "keys holds no Acme API key", "a_..." },
};

static void write_file(const char *text)
{
	char path[64];
	FILE *f;

	if (!text)
		return;
	snprintf(path, sizeof(path), "%s/keys", home);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

START_TEST(keys_are_found)
{
	struct souk_error err = SOUK_ERROR_INIT;
	char *key = NULL;
	int ret;

	secret_value = keys[_i].option;
	if (keys[_i].first)
		setenv("ACME_KEY", keys[_i].first, 1);
	if (keys[_i].second)
		setenv("ACME_TOKEN", keys[_i].second, 1);
	write_file(keys[_i].file);
	ret = souk_call_api_key(NULL, &source, &key, &err);
	if (keys[_i].want) {
		ck_assert_int_eq(ret, SOUK_OK);
		ck_assert_str_eq(key, keys[_i].want);
	} else {
		ck_assert_int_eq(ret, SOUK_E_AUTH);
		ck_assert_ptr_null(key);
		ck_assert_ptr_nonnull(strstr(err.message, keys[_i].message));
		ck_assert_ptr_nonnull(strstr(err.hint, keys[_i].hint));
	}
	souk_secret_free(key);
}
END_TEST

START_TEST(keys_have_an_end)
{
	struct souk_error err = SOUK_ERROR_INIT;
	char text[1100];
	char *key = NULL;

	memset(text, 'k', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	setenv("ACME_KEY", text, 1);
	ck_assert_int_eq(souk_call_api_key(NULL, &source, &key, &err), SOUK_E_AUTH);
	setenv("ACME_KEY", text + sizeof(text) - 1 - 1024, 1);
	ck_assert_int_eq(souk_call_api_key(NULL, &source, &key, &err), SOUK_OK);
	ck_assert_uint_eq(strlen(key), 1024);
	souk_secret_free(key);
}
END_TEST

START_TEST(who_has_a_key_is_told_by_its_end)
{
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_int_eq(souk_identity_set_key(NULL, "a_0123456789abcdef", &err), SOUK_OK);
	ck_assert_str_eq(principal, "API key ...cdef");
	/* of a short one it would tell too much */
	ck_assert_int_eq(souk_identity_set_key(NULL, "a_012345", &err), SOUK_OK);
	ck_assert_str_eq(principal, "API key ...");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("provider-cloud");
	TCase *tc = tcase_create("cloud");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, words_become_a_line, 0, ARRAY_SIZE(lines));
	tcase_add_test(tc, a_line_of_no_room_is_left_alone);
	tcase_add_test(tc, texts_are_trimmed);
	tcase_add_loop_test(tc, refusals_are_recorded, 0, ARRAY_SIZE(refusals));
	tcase_add_test(tc, doubt_is_a_timeout);
	tcase_add_loop_test(tc, delays_are_read, 0, ARRAY_SIZE(delays));
	tcase_add_test(tc, locks_exclude);
	tcase_add_test(tc, dates_are_read);
	tcase_add_loop_test(tc, endpoints_are_bases, 0, ARRAY_SIZE(endpoints));
	tcase_add_loop_test(tc, keys_are_found, 0, ARRAY_SIZE(keys));
	tcase_add_test(tc, keys_have_an_end);
	tcase_add_test(tc, who_has_a_key_is_told_by_its_end);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
