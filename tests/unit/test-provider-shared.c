/* SPDX-License-Identifier: Apache-2.0 */
/* test-provider-shared.c - what libsouk-provider has for settings, files, networks and URLs */

#include <souk/provider.h>

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test-host.h"

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct souk_error err;
static char folder[] = "/tmp/souk-shared-XXXXXX";
static char path[sizeof(folder) + 8];

static void set_up(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	test_host_reset();
	memcpy(strrchr(folder, '-'), "-XXXXXX", sizeof("-XXXXXX"));
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/file", folder);
}

static void tear_down(void)
{
	unlink(path);
	rmdir(path);
	rmdir(folder);
}

/* ---- Errors ---- */

START_TEST(errors_are_handed_on)
{
	struct souk_error from = SOUK_ERROR_INIT;

	souk_error_set(&from, SOUK_E_RATE_LIMIT, "too many: 100%%");
	souk_error_scope(&from, SOUK_SCOPE_REGION);
	souk_error_reason(&from, "Throttling");
	souk_error_hint(&from, "wait %d%%", 5);
	souk_error_retry_after(&from, 77);
	ck_assert_int_eq(souk_error_copy(&from, &err), SOUK_E_RATE_LIMIT);
	ck_assert_int_eq(err.code, SOUK_E_RATE_LIMIT);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_REGION);
	ck_assert_uint_eq(err.retry_after_ms, 77);
	ck_assert_str_eq(err.message, "too many: 100%");
	ck_assert_str_eq(err.hint, "wait 5%");
	ck_assert_str_eq(err.reason, "Throttling");
	ck_assert_int_eq(souk_error_copy(&from, NULL), SOUK_E_RATE_LIMIT);
}
END_TEST

/* ---- Settings ---- */

START_TEST(variables_that_are_empty_are_none)
{
	setenv("SOUK_TEST_SHARED", "x", 1);
	ck_assert_str_eq(souk_getenv("SOUK_TEST_SHARED"), "x");
	setenv("SOUK_TEST_SHARED", "", 1);
	ck_assert_ptr_null(souk_getenv("SOUK_TEST_SHARED"));
	unsetenv("SOUK_TEST_SHARED");
	ck_assert_ptr_null(souk_getenv("SOUK_TEST_SHARED"));
}
END_TEST

START_TEST(truth_has_few_words)
{
	ck_assert(souk_text_is_true("true") && souk_text_is_true("True") && souk_text_is_true("1"));
	ck_assert(!souk_text_is_true(NULL) && !souk_text_is_true("") && !souk_text_is_true("false"));
	ck_assert(!souk_text_is_true("10") && !souk_text_is_true("yes"));
}
END_TEST

static const struct {
	const char *list;
	const char *items; /* joined by bars */
} lists[] = {
	{ NULL, "" },	     { "", "" },	      { " , ,", "" },
	{ "a", "a|" },	     { "a,b", "a|b|" },	      { " a , b\t,,c ", "a|b|c|" },
	{ "a b\nc", "a|b|c|" },
};

START_TEST(lists_are_walked)
{
	const char *list = lists[_i].list;
	const char *item;
	char joined[64];
	size_t len;
	size_t n = 0;

	joined[0] = '\0';
	while ((item = souk_list_next(&list, &len)))
		n += (size_t)snprintf(joined + n, sizeof(joined) - n, "%.*s|", (int)len, item);
	ck_assert_str_eq(joined, lists[_i].items);
	ck_assert_ptr_null(souk_list_next(&list, &len));
}
END_TEST

START_TEST(lists_are_searched)
{
	ck_assert(souk_list_has("eastus, WestUS2", "westus2") && souk_list_has("a", "a"));
	ck_assert(!souk_list_has("ab,c", "a") && !souk_list_has("a", "ab"));
	ck_assert(!souk_list_has("", "a") && !souk_list_has(NULL, "a"));
}
END_TEST

/* ---- Files ---- */

static void write_file(const char *text, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(text, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 9999, 10000 };

START_TEST(files_are_read_whole)
{
	size_t size = sizes[_i];
	char *text = malloc(size + 1);
	struct souk_buf out;

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', size);
	if (size)
		text[size - 1] = 'y';
	write_file(text, size);
	ck_assert_int_eq(souk_read_file(path, 10000, &out, &err), SOUK_OK);
	ck_assert_uint_eq(out.len, size);
	ck_assert_mem_eq(out.data, text, size);
	ck_assert_int_eq(out.data[size], '\0');
	souk_buf_fini(&out);
	free(text);
}
END_TEST

START_TEST(files_that_are_none)
{
	struct souk_buf out;

	ck_assert_int_eq(souk_read_file(path, 10, &out, &err), SOUK_E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.message, path));
	souk_buf_fini(&out);
	write_file("0123456789a", 11);
	ck_assert_int_eq(souk_read_file(path, 10, &out, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "is too large"));
	souk_buf_fini(&out);
	unlink(path);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(souk_read_file(path, 10, &out, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "is not a regular file"));
	souk_buf_fini(&out);
	rmdir(path);
	/* Nobody writes to it: to wait for that would be for ever. */
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(souk_read_file(path, 10, &out, &err), SOUK_E_INVALID);
	souk_buf_fini(&out);
}
END_TEST

START_TEST(files_of_no_size_are_read)
{
	struct souk_buf out;

	/* What the kernel writes as it is read has no size before. */
	ck_assert_int_eq(souk_read_file("/proc/self/status", 65536, &out, &err), SOUK_OK);
	ck_assert_ptr_nonnull(strstr(out.data, "Pid:"));
	souk_buf_fini(&out);
	ck_assert_int_eq(souk_read_file("/proc/self/status", 16, &out, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "is too large"));
	souk_buf_fini(&out);
}
END_TEST

START_TEST(home_is_found)
{
	struct souk_buf out;

	souk_buf_init(&out, 4096);
	setenv("HOME", "/home/of/somebody", 1);
	ck_assert_int_eq(souk_home_dir(&out, &err), SOUK_OK);
	ck_assert_str_eq(out.data, "/home/of/somebody");
	souk_buf_fini(&out);
}
END_TEST

/* ---- Networks and URLs ---- */

static const struct {
	const char *text;
	const char *network; /* NULL: refused */
} networks[] = {
	{ "203.0.113.9", "203.0.113.9/32" },	  { "203.0.113.77/24", "203.0.113.0/24" },
	{ "203.0.113.177/25", "203.0.113.128/25" }, { "0.0.0.0/0", "0.0.0.0/0" },
	{ "2001:DB8::1", "2001:db8::1/128" },	  { "2001:db8:1:2::1/33", "2001:db8::/33" },
	{ "1.2.3", NULL },			  { "1.2.3.4/33", NULL },
	{ "1.2.3.4/", NULL },			  { "1.2.3.4/-1", NULL },
	{ "1.2.3.4/8 ", NULL },			  { "::1/129", NULL },
	{ "", NULL },				  { "host", NULL },
	{ "0000000000000000000000000000000000000000000000000000000000000000000000", NULL },
};

START_TEST(networks_are_checked)
{
	char out[SOUK_NETWORK_SIZE] = "";
	int ret = souk_parse_network(networks[_i].text, out, &err);

	ck_assert_msg((ret == SOUK_OK) == (networks[_i].network != NULL), "'%s': %s",
		      networks[_i].text, out);
	if (networks[_i].network)
		ck_assert_str_eq(out, networks[_i].network);
	else
		ck_assert_ptr_nonnull(strstr(err.message, "not an address or a network: '"));
}
END_TEST

static const struct {
	const char *url;
	const char *endpoint; /* NULL: refused */
	int is_local;
} urls[] = {
	{ "https://api.example.com", "https://api.example.com", 0 },
	{ "https://api.example.com//", "https://api.example.com", 0 },
	{ "HTTP://127.0.0.1:80/x/", "HTTP://127.0.0.1:80/x", 1 },
	{ "http://localhost:8080", "http://localhost:8080", 1 },
	{ "http://[::1]:80", "http://[::1]:80", 1 },
	{ "http://localhost.example.com", "http://localhost.example.com", 0 },
	{ "http://127.0.0.1.example.com", "http://127.0.0.1.example.com", 0 },
	{ NULL, NULL, 0 },
	{ "", NULL, 0 },
	{ "api.example.com", NULL, 0 },
	{ "ftp://127.0.0.1", NULL, 1 },
	{ "https://", NULL, 0 },
	{ "https:///x", NULL, 0 },
	{ "https://a b", NULL, 0 },
	{ "https://user@host", NULL, 0 },
	{ "https://host?x", NULL, 0 },
	{ "https://host#x", NULL, 0 },
	{ "https://h\"x", NULL, 0 },
};

START_TEST(urls_are_checked)
{
	struct souk_buf out;
	int ret;

	souk_buf_init(&out, 64);
	ret = souk_parse_endpoint(_i % 2 ? "endpoint" : NULL, urls[_i].url, "https://x.example", &out,
				  &err);
	ck_assert_int_eq(ret, urls[_i].endpoint ? SOUK_OK : SOUK_E_INVALID);
	ck_assert_str_eq(out.data, urls[_i].endpoint ? urls[_i].endpoint : "");
	if (ret < 0) {
		ck_assert_int_eq(strncmp(err.message, _i % 2 ? "endpoint: not" : "not an endpoint", 13),
				 0);
		ck_assert_ptr_nonnull(strstr(err.hint, "https://x.example"));
	}
	ck_assert_int_eq(souk_url_is_local(urls[_i].url), urls[_i].is_local);
	souk_buf_fini(&out);
}
END_TEST

/* ---- Where SSH comes from ---- */

static struct test_answer answer;

static int respond(const struct souk_http_request *request, struct test_answer *out, void *arg)
{
	(void)arg;
	ck_assert_str_eq(request->what, "public address");
	*out = answer;
	return 1;
}

static const struct {
	const char *name;
	const char *ssh_from, *inside, *endpoint, *checkip;
	struct test_answer answer;
	int want;
	const char *networks; /* joined by bars, or a part of the message */
	unsigned asked; /* also again, where that may help */
} sources[] = {
	{ "listed", "10.1.2.3/8 , 2001:db8::1", NULL, "https://c.example", NULL, { 0 }, SOUK_OK,
	  "10.0.0.0/8|2001:db8::1/128|", 0 },
	{ "asked", NULL, NULL, "https://c.example", NULL, { 200, 0, NULL, " 198.51.100.7\n" }, SOUK_OK,
	  "198.51.100.7/32|", 1 },
	{ "empty", "", NULL, "https://c.example", NULL, { 200, 0, NULL, "2600::7" }, SOUK_OK,
	  "2600::7/128|", 1 },
	{ "both", "Auto,10.0.0.1", NULL, "https://c.example", NULL, { 200, 0, NULL, "198.51.100.7" },
	  SOUK_OK, "198.51.100.7/32|10.0.0.1/32|", 1 },
	{ "inside", NULL, "10.9.0.0/16", "https://c.example", NULL, { 0 }, SOUK_OK, "10.9.0.0/16|", 0 },
	{ "local", NULL, "", "http://127.0.0.1:1", NULL, { 0 }, SOUK_OK, "127.0.0.1/32|", 0 },
	{ "local, and told", NULL, NULL, "http://127.0.0.1:1", "http://127.0.0.1:2/",
	  { 200, 0, NULL, "127.0.0.9" }, SOUK_OK, "127.0.0.9/32|", 1 },
	{ "private", NULL, NULL, "https://c.example", NULL, { 200, 0, NULL, "192.168.0.1" },
	  SOUK_E_TRANSIENT, "not a public address", 1 },
	{ "private, IPv6", NULL, NULL, "https://c.example", NULL, { 200, 0, NULL, "fe80::1" },
	  SOUK_E_TRANSIENT, "not a public address", 1 },
	{ "a page", NULL, NULL, "https://c.example", NULL, { 200, 0, NULL, "<html>" },
	  SOUK_E_TRANSIENT, "not an address", 1 },
	{ "a network", NULL, NULL, "https://c.example", NULL, { 200, 0, NULL, "198.51.100.7/8" },
	  SOUK_E_TRANSIENT, "not an address", 1 },
	{ "refused", NULL, NULL, "https://c.example", NULL, { 503, 0, NULL, "198.51.100.7" },
	  SOUK_E_TRANSIENT, "no answer", 3 },
	{ "no network", NULL, NULL, "https://c.example", NULL, { 0, SOUK_E_TIMEOUT, NULL, NULL },
	  SOUK_E_TRANSIENT, "cannot find out this computer's public address", 3 },
	{ "cancelled", NULL, NULL, "https://c.example", NULL, { 0, SOUK_E_CANCELLED, NULL, NULL },
	  SOUK_E_CANCELLED, "", 3 },
	{ "no address", "10.0.0.1,home", NULL, "https://c.example", NULL, { 0 }, SOUK_E_INVALID,
	  "not an address or a network: 'home'", 0 },
	{ "a long item", "111111111111111111111111111111111111111111111111111111111111111111,1", NULL,
	  "https://c.example", NULL, { 0 }, SOUK_E_INVALID, "not an address or a network: '1", 0 },
	{ "too many", "10.0.0.1,10.0.0.2,10.0.0.3,10.0.0.4", NULL, "https://c.example", NULL, { 0 },
	  SOUK_E_INVALID, "ssh_from: more than 3 networks", 0 },
};

START_TEST(ssh_comes_from)
{
	const struct souk_ssh_from from = {
		SOUK_SSH_FROM_HEAD,
		.provider = "acme",
		.endpoint = sources[_i].endpoint,
		.checkip = "https://ip.example/",
		.inside = sources[_i].inside,
	};
	char out[3][SOUK_NETWORK_SIZE];
	char joined[256] = "";
	uint32_t i, n = 99;
	int ret;

	answer = sources[_i].answer;
	test_host_responder(respond, NULL);
	test_host_option("ssh_from", sources[_i].ssh_from);
	test_host_option("checkip_endpoint", sources[_i].checkip);
	ret = souk_call_ssh_from(test_host_call(), &from, out, 3, &n, &err);
	ck_assert_msg(ret == sources[_i].want, "%s: %d: %s", sources[_i].name, ret, err.message);
	ck_assert_uint_eq(test_host_requests("public address"), sources[_i].asked);
	if (ret < 0) {
		ck_assert_msg(strstr(err.message, sources[_i].networks) != NULL, "%s: %s",
			      sources[_i].name, err.message);
		ck_assert_uint_eq(n, 99);
		if (ret == SOUK_E_TRANSIENT)
			ck_assert_ptr_nonnull(strstr(err.hint, "--set acme.ssh_from="));
		return;
	}
	for (i = 0; i < n; i++) {
		size_t len = strlen(joined);

		snprintf(joined + len, sizeof(joined) - len, "%s|", out[i]);
	}
	ck_assert_str_eq(joined, sources[_i].networks);
}
END_TEST

/* ---- Amounts ---- */

static const struct {
	const char *text;
	int64_t micros; /* -1: refused */
} amounts[] = {
	{ "0.44", 440000 },	  { "4.4e-1", 440000 },	 { "4.5E-05", 45 },   { "1e3", 1000000000 },
	{ "1.25E+2", 125000000 }, { "12.5e0", 12500000 }, { "0", 0 },	      { "0e5", 0 },
	{ "5.", 5000000 },	  { "5.e1", 50000000 },	 { "125e-3", 125000 }, { "1e-60", 0 },
	{ "1e65", -1 },		  { "1e60", -1 },	 { "1e", -1 },	      { "e5", -1 },
	{ "1e 5", -1 },		  { "1e5x", -1 },	 { "-1", -1 },	      { "-1e3", -1 },
	{ ".", -1 },		  { "", -1 },		 { "nan", -1 },	      { "1.2.3e1", -1 },
	{ NULL, -1 },
	{ "0.00000000000000000000000000000000000000000000000000000000000000000001", -1 },
};

START_TEST(amounts_keep_their_digits)
{
	int64_t micros = 77;
	int ret = souk_parse_json_micros("price", amounts[_i].text, &micros, &err);

	ck_assert_int_eq(ret, amounts[_i].micros < 0 ? SOUK_E_INVALID : SOUK_OK);
	ck_assert_int_eq(micros, amounts[_i].micros < 0 ? 77 : amounts[_i].micros);
	if (ret < 0)
		ck_assert_int_eq(strncmp(err.message, "price: ", 7), 0);
}
END_TEST

static TCase *shared_tests(void)
{
	TCase *tc = tcase_create("shared");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, errors_are_handed_on);
	tcase_add_test(tc, variables_that_are_empty_are_none);
	tcase_add_test(tc, truth_has_few_words);
	tcase_add_loop_test(tc, lists_are_walked, 0, ARRAY_SIZE(lists));
	tcase_add_test(tc, lists_are_searched);
	tcase_add_loop_test(tc, files_are_read_whole, 0, ARRAY_SIZE(sizes));
	tcase_add_test(tc, files_that_are_none);
	tcase_add_test(tc, files_of_no_size_are_read);
	tcase_add_test(tc, home_is_found);
	tcase_add_loop_test(tc, networks_are_checked, 0, ARRAY_SIZE(networks));
	tcase_add_loop_test(tc, urls_are_checked, 0, ARRAY_SIZE(urls));
	tcase_add_loop_test(tc, ssh_comes_from, 0, ARRAY_SIZE(sources));
	tcase_add_loop_test(tc, amounts_keep_their_digits, 0, ARRAY_SIZE(amounts));
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("provider-shared");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, shared_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
