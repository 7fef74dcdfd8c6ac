/* SPDX-License-Identifier: Apache-2.0 */
/* test-provider-api.c - libsouk-provider: errors, buffers, parsing, first-boot data, the table */

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
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

/* ---- Parsing ---- */

enum { FAILS = 1 };

static const struct {
	const char *text;
	int fails;
	uint64_t value;
} u32_cases[] = {
	{ "0", 0, 0 },
	{ "00012", 0, 12 },
	{ "4294967295", 0, UINT32_MAX },
	{ "4294967296", FAILS, 0 },
	{ "99999999999999999999999", FAILS, 0 },
	{ "", FAILS, 0 },
	{ NULL, FAILS, 0 },
	{ "-1", FAILS, 0 },
	{ "+1", FAILS, 0 },
	{ " 1", FAILS, 0 },
	{ "1 ", FAILS, 0 },
	{ "0x10", FAILS, 0 },
	{ "1.0", FAILS, 0 },
	{ "lots", FAILS, 0 },
};

START_TEST(parses_u32)
{
	struct souk_error err = SOUK_ERROR_INIT;
	uint32_t value = 77;
	int ret = souk_parse_u32("gpus", u32_cases[_i].text, &value, &err);

	ck_assert_int_eq(ret, u32_cases[_i].fails ? SOUK_E_INVALID : SOUK_OK);
	ck_assert_uint_eq(value, u32_cases[_i].fails ? 77 : u32_cases[_i].value);
	if (u32_cases[_i].fails)
		ck_assert_int_eq(strncmp(err.message, "gpus: ", 6), 0);
}
END_TEST

START_TEST(parses_u64)
{
	struct souk_error err = SOUK_ERROR_INIT;
	uint64_t value = 77;

	ck_assert_int_eq(souk_parse_u64("n", "18446744073709551615", &value, &err), SOUK_OK);
	ck_assert(value == UINT64_MAX);
	ck_assert_int_eq(souk_parse_u64("n", "18446744073709551616", &value, &err),
			 SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "n: '18446744073709551616' is too large: at most "
				      "18446744073709551615");
	ck_assert_int_eq(souk_parse_u64("gpus", "lots", &value, &err), SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "gpus: not a number: 'lots'");
	ck_assert(value == UINT64_MAX);
}
END_TEST

static const struct {
	const char *text;
	int fails;
	int64_t milli, micros;
} decimal_cases[] = {
	{ "0", 0, 0, 0 },
	{ "12", 0, 12000, 12000000 },
	{ "0.5", 0, 500, 500000 },
	{ ".5", 0, 500, 500000 },
	{ "3.06730", 0, 3067, 3067300 },
	{ "3.0673000000000000000000000000000000", 0, 3067, 3067300 },
	{ "0.0005", 0, 1, 500 },	/* to the nearest, halves up */
	{ "0.00049999", 0, 0, 500 },
	{ "0.0000004", 0, 0, 0 },
	{ "5.", FAILS, 0, 0 },
	{ ".", FAILS, 0, 0 },
	{ "", FAILS, 0, 0 },
	{ NULL, FAILS, 0, 0 },
	{ "-0.5", FAILS, 0, 0 },
	{ "1e3", FAILS, 0, 0 },
	{ "1,5", FAILS, 0, 0 },
	{ "1.5.5", FAILS, 0, 0 },
	{ "nan", FAILS, 0, 0 },
	{ "inf", FAILS, 0, 0 },
};

START_TEST(parses_decimals)
{
	struct souk_error err = SOUK_ERROR_INIT;
	uint32_t milli = 77;
	int64_t micros = 77;
	int fails = decimal_cases[_i].fails;
	int want = fails ? SOUK_E_INVALID : SOUK_OK;

	ck_assert_int_eq(souk_parse_milli("x", decimal_cases[_i].text, &milli, &err), want);
	ck_assert_int_eq(souk_parse_micros("x", decimal_cases[_i].text, &micros, &err), want);
	ck_assert_int_eq(milli, fails ? 77 : decimal_cases[_i].milli);
	ck_assert_int_eq(micros, fails ? 77 : decimal_cases[_i].micros);
}
END_TEST

START_TEST(decimals_keep_their_range)
{
	struct souk_error err = SOUK_ERROR_INIT;
	uint32_t milli = 77;
	int64_t micros = 77;

	ck_assert_int_eq(souk_parse_milli("x", "4294967.295", &milli, &err), SOUK_OK);
	ck_assert_uint_eq(milli, UINT32_MAX);
	ck_assert_int_eq(souk_parse_milli("x", "4294967.2955", &milli, &err), SOUK_E_INVALID);
	ck_assert_int_eq(souk_parse_milli("x", "4294967.296", &milli, &err), SOUK_E_INVALID);
	ck_assert_int_eq(souk_parse_micros("x", "9223372036854.775807", &micros, &err), SOUK_OK);
	ck_assert(micros == INT64_MAX);
	ck_assert_int_eq(souk_parse_micros("x", "9223372036854.775808", &micros, &err),
			 SOUK_E_INVALID);
	ck_assert_int_eq(souk_parse_micros("x", "9223372036854.7758075", &micros, &err),
			 SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "x: '9223372036854.7758075' is too large: at most "
				      "9223372036854");
}
END_TEST

static const struct {
	const char *text;
	int fails;
	int64_t seconds;
} time_cases[] = {
	{ "1970-01-01T00:00:00Z", 0, 0 },
	{ "2026-07-04T12:30:00Z", 0, 1783168200 },
	{ "2026-07-04T12:30:00.123456Z", 0, 1783168200 },
	{ "2026-07-04t12:30:00z", 0, 1783168200 },
	{ "2026-07-04 12:30:00Z", 0, 1783168200 },
	{ "2026-07-04T14:30:00+02:00", 0, 1783168200 },
	{ "2026-07-04T05:00:00.5-07:30", 0, 1783168200 },
	{ "2000-02-29T23:59:59Z", 0, 951868799 },
	{ "1969-12-31T23:59:59Z", 0, -1 },
	{ "1900-03-01T00:00:00Z", 0, -2203891200 },
	{ "0000-01-01T00:00:00Z", 0, -62167219200 },
	{ "9999-12-31T23:59:59Z", 0, 253402300799 },
	{ "2016-12-31T23:59:60Z", 0, 1483228800 },
	{ "2026-07-04T12:30:00", FAILS, 0 },
	{ "2026-07-04T12:30:00.Z", FAILS, 0 },
	{ "2026-07-04", FAILS, 0 },
	{ "2026-02-29T00:00:00Z", FAILS, 0 },
	{ "1900-02-29T00:00:00Z", FAILS, 0 },
	{ "2026-13-01T00:00:00Z", FAILS, 0 },
	{ "2026-00-01T00:00:00Z", FAILS, 0 },
	{ "2026-01-00T00:00:00Z", FAILS, 0 },
	{ "2026-07-04T24:00:00Z", FAILS, 0 },
	{ "2026-07-04T12:60:00Z", FAILS, 0 },
	{ "2026-07-04T12:30:61Z", FAILS, 0 },
	{ "2026-07-04T12:30:00+0200", FAILS, 0 },
	{ "2026-07-04T12:30:00+24:00", FAILS, 0 },
	{ "2026-07-04T12:30:00Zx", FAILS, 0 },
	{ "26-07-04T12:30:00Z", FAILS, 0 },
	{ "", FAILS, 0 },
	{ NULL, FAILS, 0 },
};

START_TEST(parses_times)
{
	struct souk_error err = SOUK_ERROR_INIT;
	int64_t seconds = 77;
	int ret = souk_parse_time("created", time_cases[_i].text, &seconds, &err);

	ck_assert_int_eq(ret, time_cases[_i].fails ? SOUK_E_INVALID : SOUK_OK);
	ck_assert_int_eq(seconds, time_cases[_i].fails ? 77 : time_cases[_i].seconds);
}
END_TEST

/* ---- First-boot data ---- */

#define PUBLIC "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBwQjJ6nZ7oH3N0b6C5j0p1k2q3r4s5t6u7v8w9x0y1z"
#define BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----\n"
#define END "-----END OPENSSH PRIVATE KEY-----\n"
#define PRIVATE BEGIN "b3BlbnNzaC1rZXktdjEAAAAA\nAAAAC3NzaC1lZDI1NTE5/+==\n" END

static const char head[] = "#cloud-config\nssh_deletekeys: true\nssh_genkeytypes: [ed25519]\n";
static const char keys[] = "ssh_keys:\n  ed25519_private: |\n"
			   "    -----BEGIN OPENSSH PRIVATE KEY-----\n"
			   "    b3BlbnNzaC1rZXktdjEAAAAA\n    AAAAC3NzaC1lZDI1NTE5/+==\n"
			   "    -----END OPENSSH PRIVATE KEY-----\n"
			   "  ed25519_public: " PUBLIC "\n";
static const char login[] = "users:\n  - default\n  - name: 'ubuntu'\n    shell: /bin/bash\n"
			    "    lock_passwd: true\n    sudo: 'ALL=(ALL) NOPASSWD:ALL'\n"
			    "    ssh_authorized_keys:\n      - " PUBLIC "\n";
static const char root_login[] = "disable_root: false\nssh_authorized_keys:\n  - " PUBLIC "\n";
static const char own_login[] = "ssh_authorized_keys:\n  - " PUBLIC "\n";

static const struct {
	const char *user, *public, *host_private, *host_public;
	const char *parts[3];
} config_cases[] = {
	{ "ubuntu", PUBLIC, PRIVATE, PUBLIC, { head, keys, login } },
	{ "ubuntu", PUBLIC " me: it's # mine\n", PRIVATE, PUBLIC " host\n", { head, keys, login } },
	{ "ubuntu", PUBLIC, NULL, NULL, { head, login, "" } },
	{ "root", PUBLIC, PRIVATE, PUBLIC, { head, keys, root_login } },
	{ NULL, PUBLIC, NULL, NULL, { head, own_login, "" } },
};

START_TEST(cloud_config_is_written)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec),
		.ssh_public_key = config_cases[_i].public,
		.host_key_private = config_cases[_i].host_private,
		.host_key_public = config_cases[_i].host_public,
	};
	char want[2048];
	struct souk_buf buf;

	souk_buf_init(&buf, 16384);
	ck_assert_int_eq(souk_spec_cloud_config(&spec, config_cases[_i].user, &buf, &err), SOUK_OK);
	snprintf(want, sizeof(want), "%s%s%s", config_cases[_i].parts[0],
		 config_cases[_i].parts[1], config_cases[_i].parts[2]);
	ck_assert_str_eq(buf.data, want);
	souk_buf_fini(&buf);
}
END_TEST

static const struct {
	const char *name, *user, *public, *host_private, *host_public;
} hostile_cases[] = {
	{ "no key", "a", NULL, NULL, NULL },
	{ "key with a second line", "a", PUBLIC " x\nruncmd: [reboot]", NULL, NULL },
	{ "key with a carriage return", "a", PUBLIC " x\rruncmd: [reboot]", NULL, NULL },
	{ "key that is YAML", "a", "ssh-ed25519 {a: b}", NULL, NULL },
	{ "key with options", "a", "command=\"x\" " PUBLIC, NULL, NULL },
	{ "key without data", "a", "ssh-ed25519 ", NULL, NULL },
	{ "key that is no key", "a", "hello AAAAC3NzaC1lZDI1NTE5", NULL, NULL },
	{ "user with a line", "a\nruncmd: []", PUBLIC, NULL, NULL },
	{ "user with a quote", "a'b", PUBLIC, NULL, NULL },
	{ "user with a blank", "a b", PUBLIC, NULL, NULL },
	{ "empty user", "", PUBLIC, NULL, NULL },
	{ "long user", "abcdefghijklmnopqrstuvwxyzabcdefg", PUBLIC, NULL, NULL },
	{ "user like an option", "-a", PUBLIC, NULL, NULL },
	{ "half a host key", "a", PUBLIC, PRIVATE, NULL },
	{ "the other half", "a", PUBLIC, NULL, PUBLIC },
	{ "private key with more behind", "a", PUBLIC, PRIVATE "runcmd:\n", PUBLIC },
	{ "private key with YAML inside", "a", PUBLIC, BEGIN "abcd\nruncmd: []\n" END, PUBLIC },
	{ "private key with an empty line", "a", PUBLIC, BEGIN "abcd\n\nabcd\n" END, PUBLIC },
	{ "private key without lines", "a", PUBLIC, BEGIN END, PUBLIC },
	{ "private key without end", "a", PUBLIC, BEGIN "abcd\n", PUBLIC },
	{ "private key, cut", "a", PUBLIC, BEGIN "abcd", PUBLIC },
	{ "private key in PEM", "a", PUBLIC, "-----BEGIN RSA PRIVATE KEY-----\nabcd\n", PUBLIC },
	{ "host key of a kind unknown", "a", PUBLIC, PRIVATE, "ssh-dss AAAAB3NzaC1kc3MAAACBA" },
};

START_TEST(cloud_config_cannot_be_injected)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec),
		.ssh_public_key = hostile_cases[_i].public,
		.host_key_private = hostile_cases[_i].host_private,
		.host_key_public = hostile_cases[_i].host_public,
	};
	struct souk_buf buf;

	souk_buf_init(&buf, 16384);
	souk_buf_str(&buf, "before");
	ck_assert_msg(souk_spec_cloud_config(&spec, hostile_cases[_i].user, &buf, &err) < 0, "%s",
		      hostile_cases[_i].name);
	ck_assert_int_lt(err.code, 0);
	ck_assert_str_ne(err.message, "");
	ck_assert_str_eq(buf.data, "before");
	souk_buf_fini(&buf);
}
END_TEST

/* EC2 takes 16 KiB of user data; a ceiling that is too low is an error, not a cut text. */
START_TEST(cloud_config_keeps_the_ceiling)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec),
		.ssh_public_key = PUBLIC,
	};
	struct souk_buf buf;

	souk_buf_init(&buf, 100);
	ck_assert_int_eq(souk_spec_cloud_config(&spec, "a", &buf, &err), SOUK_E_INVALID);
	ck_assert_str_eq(buf.data, "");
	souk_buf_fini(&buf);
}
END_TEST

/* ---- The table ---- */

static const char *option_of_test(const struct souk_call *call, const char *name)
{
	return !call && strcmp(name, "region") == 0 ? "here" : NULL;
}

static int sleep_of_test(struct souk_call *call, uint32_t ms, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_TIMEOUT, "%u ms of %d", ms, call ? 1 : 0);
}

static char logged[100];

static void vlog_of_test(struct souk_call *call, int level, const char *fmt, va_list args)
	SOUK_PRINTF(3, 0);

static void vlog_of_test(struct souk_call *call, int level, const char *fmt, va_list args)
{
	int n = snprintf(logged, sizeof(logged), "%d:%d:", call ? 1 : 0, level);

	vsnprintf(logged + n, sizeof(logged) - (size_t)n, fmt, args);
}

/* Each function, asked without a table, with what says that it has refused. */
static void expect_no_host(const char *why)
{
	struct souk_error err = SOUK_ERROR_INIT;
	const char *const argv[] = { "true", NULL };
	struct souk_http_reply *reply = NULL;
	char output[8];
	char *secret = NULL;
	int32_t status;
	size_t size = 7;

#define REFUSES(call)                                                                              \
	do {                                                                                       \
		ck_assert_int_eq(call, SOUK_E_INTERNAL);                                           \
		ck_assert_ptr_nonnull(strstr(err.message, why));                                   \
		memset(err.message, 0, sizeof(err.message));                                       \
	} while (0)
	REFUSES(souk_call_sleep(NULL, 1, &err));
	REFUSES(souk_call_secret(NULL, "x", &secret, &err));
	REFUSES(souk_offer_list_add(NULL, NULL, &err));
	REFUSES(souk_instance_list_add(NULL, NULL, &err));
	REFUSES(souk_quote_list_add(NULL, NULL, &err));
	REFUSES(souk_identity_set(NULL, "x", "y", &err));
	REFUSES(souk_http_send(NULL, NULL, &reply, &err));
	REFUSES(souk_call_ssh(NULL, NULL, "x", output, sizeof(output), &status, &err));
	REFUSES(souk_call_run(NULL, argv, output, sizeof(output), &status, &err));
#undef REFUSES
	ck_assert_uint_eq(souk_call_deadline_ms(NULL), 0);
	ck_assert_int_eq(souk_call_cancelled(NULL), 1);
	ck_assert_ptr_null(souk_call_option(NULL, "region"));
	ck_assert_ptr_null(souk_call_state_dir(NULL));
	ck_assert_int_eq(souk_http_reply_status(NULL), 0);
	ck_assert_str_eq(souk_http_reply_body(NULL, &size), "");
	ck_assert_uint_eq(size, 0);
	ck_assert_ptr_null(souk_http_reply_header(NULL, "x"));
	ck_assert_int_eq(souk_stream_read(NULL, output, 1), SOUK_E_INTERNAL);
	ck_assert_int_eq(souk_stream_write(NULL, 1, output, 1), SOUK_E_INTERNAL);
	souk_http_reply_free(NULL);
	souk_call_log(NULL, SOUK_LOG_ERROR, "nobody hears this");
	souk_call_progress(NULL, "regions", 1, 2);
	ck_assert_ptr_null(secret);
	ck_assert_ptr_null(reply);
}

START_TEST(host_functions_need_a_host)
{
	const struct souk_host other = { .abi = 99, .struct_size = sizeof(other) };
	const struct souk_host empty = { .abi = SOUK_PROVIDER_ABI, .struct_size = sizeof(empty) };

	souk_host_install(NULL);
	expect_no_host("before a host was installed");
	souk_host_install(&other);
	expect_no_host("ABI 99");
	souk_host_install(&empty);
	expect_no_host("does not have it");
	souk_host_install(NULL);
}
END_TEST

START_TEST(host_functions_call_the_table)
{
	const struct souk_host host = {
		.abi = SOUK_PROVIDER_ABI,
		.struct_size = sizeof(host),
		.call_option = option_of_test,
		.call_sleep = sleep_of_test,
		.call_vlog = vlog_of_test,
	};
	struct souk_error err = SOUK_ERROR_INIT;

	souk_host_install(&host);
	ck_assert_str_eq(souk_call_option(NULL, "region"), "here");
	ck_assert_ptr_null(souk_call_option(NULL, "zone"));
	ck_assert_int_eq(souk_call_sleep(NULL, 25, &err), SOUK_E_TIMEOUT);
	ck_assert_str_eq(err.message, "25 ms of 0");
	souk_call_log(NULL, SOUK_LOG_INFO, "%d of %s", 3, "it");
	ck_assert_str_eq(logged, "0:2:3 of it");
	souk_host_install(NULL);
}
END_TEST

/* A host that was built when the table was shorter: what it does not have stays NULL. */
START_TEST(older_hosts_have_shorter_tables)
{
	struct souk_host host;

	memset(&host, 0xff, sizeof(host));
	host.abi = SOUK_PROVIDER_ABI;
	host.struct_size = offsetof(struct souk_host, call_secret);
	host.call_option = option_of_test;
	host.call_sleep = sleep_of_test;
	host.call_deadline_ms = NULL;
	host.call_cancelled = NULL;
	souk_host_install(&host);
	ck_assert_str_eq(souk_call_option(NULL, "region"), "here");
	ck_assert_ptr_null(souk_call_state_dir(NULL));
	ck_assert_int_eq(souk_http_reply_status(NULL), 0);
	souk_host_install(NULL);
}
END_TEST

START_TEST(secrets_are_freed)
{
	char *secret = strdup("hush");

	ck_assert_ptr_nonnull(secret);
	souk_secret_free(secret);
	souk_secret_free(NULL);
	souk_text_free(NULL);
}
END_TEST

/* ---- Parallel work ---- */

enum { PIECES = 400 };

static int threads_left = -1; /* pthread_create() fails after so many; -1: never */
static unsigned threads_made;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*run)(void *), void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
			  void *(*run)(void *), void *arg)
{
	if (threads_left == 0)
		return EAGAIN;
	if (threads_left > 0)
		threads_left--;
	threads_made++;
	return __real_pthread_create(thread, attributes, run, arg);
}

static struct {
	atomic_uint done[PIECES];
	atomic_uint running, most;
	pthread_barrier_t together; /* the first pieces wait for each other */
	uint32_t n_together;
	uint32_t cancel_at; /* the piece that cancels the call */
	atomic_int cancelled;
} work;

static int cancelled_of_test(const struct souk_call *call)
{
	(void)call;
	return atomic_load(&work.cancelled);
}

static void parallel_set_up(void)
{
	static const struct souk_host host = {
		.abi = SOUK_PROVIDER_ABI,
		.struct_size = sizeof(host),
		.call_cancelled = cancelled_of_test,
	};

	memset(&work, 0, sizeof(work));
	work.cancel_at = UINT32_MAX;
	threads_left = -1;
	threads_made = 0;
	souk_host_install(&host);
}

static void parallel_tear_down(void)
{
	souk_host_install(NULL);
}

/* Piece 7 fails without a word, every tenth of the others with one. */
static int do_piece(void *arg, uint32_t i, struct souk_error *err)
{
	unsigned running = atomic_fetch_add(&work.running, 1) + 1;
	unsigned most = atomic_load(&work.most);

	while (running > most && !atomic_compare_exchange_weak(&work.most, &most, running))
		;
	if (i < work.n_together)
		pthread_barrier_wait(&work.together);
	atomic_fetch_add((atomic_uint *)arg + i, 1);
	if (i == work.cancel_at)
		atomic_store(&work.cancelled, 1);
	while (i > work.cancel_at && !atomic_load(&work.cancelled))
		sched_yield();
	atomic_fetch_sub(&work.running, 1);
	if (i == 7)
		return SOUK_E_QUOTA;
	return i % 10 == 0 ? souk_error_set(err, SOUK_E_CAPACITY, "none in %u", i) : SOUK_OK;
}

static uint32_t do_all(uint32_t n, uint32_t width, struct souk_error *errors)
{
	return souk_call_parallel(NULL, n, width, do_piece, work.done, errors);
}

static void check_pieces(const struct souk_error *errors, uint32_t n)
{
	char text[32];
	uint32_t i;

	for (i = 0; i < n; i++) {
		ck_assert_uint_eq(atomic_load(&work.done[i]), 1);
		ck_assert_uint_eq(errors[i].struct_size, sizeof(errors[i]));
		ck_assert_int_eq(errors[i].code, i == 7	       ? SOUK_E_QUOTA :
						 i % 10 == 0 ? SOUK_E_CAPACITY :
							       SOUK_OK);
		snprintf(text, sizeof(text), "none in %u", i);
		ck_assert_str_eq(errors[i].message, i % 10 == 0 ? text : "");
	}
}

static const struct {
	uint32_t n, width, most;
} parallel_cases[] = {
	{ PIECES, 0, 8 },  { PIECES, 1, 1 }, { PIECES, 5, 5 },
	{ PIECES, 32, 32 }, { PIECES, 1000, 32 }, { 3, 8, 3 },
};

START_TEST(parallel_does_each_piece_once)
{
	uint32_t n = parallel_cases[_i].n;
	static struct souk_error errors[PIECES];

	memset(errors, 0xff, sizeof(errors));
	ck_assert_uint_eq(do_all(n, parallel_cases[_i].width, errors),
			  n == PIECES ? PIECES / 10 + 1 : 1);
	check_pieces(errors, n);
	ck_assert_uint_eq(threads_made, parallel_cases[_i].most - 1);
	ck_assert_uint_le(atomic_load(&work.most), parallel_cases[_i].most);
}
END_TEST

/* If they did not run at the same time, they would wait for ever. */
START_TEST(parallel_is_parallel)
{
	static struct souk_error errors[PIECES];

	work.n_together = 6;
	ck_assert_int_eq(pthread_barrier_init(&work.together, NULL, 6), 0);
	do_all(PIECES, 6, errors);
	check_pieces(errors, PIECES);
	ck_assert_uint_eq(atomic_load(&work.most), 6);
	pthread_barrier_destroy(&work.together);
}
END_TEST

START_TEST(parallel_does_without_threads)
{
	static struct souk_error errors[PIECES];

	threads_left = _i;
	ck_assert_uint_eq(do_all(PIECES, 8, errors), PIECES / 10 + 1);
	check_pieces(errors, PIECES);
	ck_assert_uint_eq(threads_made, (unsigned)_i);
}
END_TEST

START_TEST(parallel_begins_nothing_after_a_cancellation)
{
	static struct souk_error errors[PIECES];
	uint32_t begun = 0, failed, i;

	work.cancel_at = 25;
	failed = do_all(PIECES, 4, errors);
	for (i = 0; i < PIECES; i++) {
		unsigned done = atomic_load(&work.done[i]);

		begun += done;
		ck_assert_uint_le(done, 1);
		ck_assert_msg(done || errors[i].code == SOUK_E_CANCELLED, "%u", i);
		ck_assert_msg(done || strcmp(errors[i].message, "cancelled") == 0, "%u", i);
	}
	/* Those before it, it, and three that may have run beside it. */
	ck_assert_uint_ge(begun, 26);
	ck_assert_uint_le(begun, 29);
	ck_assert_uint_ge(failed, PIECES - begun);
}
END_TEST

START_TEST(parallel_of_nothing)
{
	ck_assert_uint_eq(souk_call_parallel(NULL, 0, 0, do_piece, work.done, NULL), 0);
	ck_assert_uint_eq(threads_made, 0);
}
END_TEST

static TCase *parallel_tests(void)
{
	TCase *tc = tcase_create("parallel");

	tcase_add_checked_fixture(tc, parallel_set_up, parallel_tear_down);
	tcase_add_loop_test(tc, parallel_does_each_piece_once, 0, ARRAY_SIZE(parallel_cases));
	tcase_add_test(tc, parallel_is_parallel);
	tcase_add_loop_test(tc, parallel_does_without_threads, 0, 3);
	tcase_add_test(tc, parallel_begins_nothing_after_a_cancellation);
	tcase_add_test(tc, parallel_of_nothing);
	return tc;
}

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

static TCase *parse_tests(void)
{
	TCase *tc = tcase_create("parse");

	tcase_add_loop_test(tc, parses_u32, 0, ARRAY_SIZE(u32_cases));
	tcase_add_test(tc, parses_u64);
	tcase_add_loop_test(tc, parses_decimals, 0, ARRAY_SIZE(decimal_cases));
	tcase_add_test(tc, decimals_keep_their_range);
	tcase_add_loop_test(tc, parses_times, 0, ARRAY_SIZE(time_cases));
	return tc;
}

static TCase *config_tests(void)
{
	TCase *tc = tcase_create("cloud-config");

	tcase_add_loop_test(tc, cloud_config_is_written, 0, ARRAY_SIZE(config_cases));
	tcase_add_loop_test(tc, cloud_config_cannot_be_injected, 0, ARRAY_SIZE(hostile_cases));
	tcase_add_test(tc, cloud_config_keeps_the_ceiling);
	return tc;
}

static TCase *host_tests(void)
{
	TCase *tc = tcase_create("host");

	tcase_add_test(tc, host_functions_need_a_host);
	tcase_add_test(tc, host_functions_call_the_table);
	tcase_add_test(tc, older_hosts_have_shorter_tables);
	tcase_add_test(tc, secrets_are_freed);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("provider-api");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, error_tests());
	suite_add_tcase(suite, buf_tests());
	suite_add_tcase(suite, parse_tests());
	suite_add_tcase(suite, config_tests());
	suite_add_tcase(suite, host_tests());
	suite_add_tcase(suite, parallel_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
