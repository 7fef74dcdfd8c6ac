/* SPDX-License-Identifier: Apache-2.0 */
/* test-provider-parse.c - what a module parses with: numbers, times, and the first-boot data that it writes */

#include <check.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <souk/provider.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

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

int main(void)
{
	Suite *suite = suite_create("provider-parse");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, parse_tests());
	suite_add_tcase(suite, config_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
