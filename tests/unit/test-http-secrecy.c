/* SPDX-License-Identifier: Apache-2.0 */
/* unit/test-http-secrecy.c - what the HTTP client lets out: to servers, proxies, logs and files */
#include "http-fixture.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/util.h"

/* ---- TLS and proxies ------------------------------------------------------------- */

static void make_folder(char *path)
{
	ck_assert_ptr_nonnull(mkdtemp(path));
}

START_TEST(certificates_are_verified)
{
	char folder[] = "/tmp/souk-test-http-XXXXXX";
	char *file;

	make_folder(folder);
	file = souk_fs_join(folder, "ca.pem");
	server = http_server_start(1, echo, NULL);
	open_client();
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "nothing was sent"));
	ck_assert_uint_eq(n_waits, 0);
	ck_assert_uint_eq(http_server_requests(server), 0);
	souk_http_free(http);

	ck_assert_int_eq(souk_fs_write(file, http_server_certificate(server),
				       strlen(http_server_certificate(server)), 0600, &err),
			 SOUK_OK);
	setenv("SSL_CERT_FILE", file, 1);
	open_client();
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_uint_eq(http_server_connections(server), 2);
	ck_assert_int_eq(post("/", "create", 0), SOUK_OK);
	ck_assert_uint_eq(http_server_connections(server), 3);
	free(file);
	souk_fs_remove(folder, NULL);
}
END_TEST

static void refuse_proxying(struct http_connection *connection, const struct http_request *request,
			    void *arg)
{
	snprintf(arg, 16, "%s", request->method);
	http_reply(connection, 403, NULL, "");
	http_close(connection, 0);
}

START_TEST(proxies_get_only_what_is_encrypted)
{
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .what = "Proxied" };
	struct http_server *proxy;
	char method[16] = "";

	serve(echo, NULL);
	proxy = http_server_start(0, refuse_proxying, method);
	setenv("http_proxy", http_server_url(proxy), 1);
	setenv("https_proxy", http_server_url(proxy), 1);
	ck_assert_int_eq(get("/", 0), SOUK_OK);
	ck_assert_int_eq(reply->status, 200);
	ck_assert_uint_eq(http_server_requests(proxy), 0);

	request.url = "https://cloud.invalid/";
	ck_assert_int_eq(perform(&request), SOUK_E_TRANSIENT);
	ck_assert_str_eq(method, "CONNECT");
	ck_assert_uint_eq(http_server_requests(proxy), 1);
	request.flags = SOUK_HTTP_NO_PROXY;
	ck_assert_int_eq(perform(&request), SOUK_E_TRANSIENT);
	ck_assert_uint_eq(http_server_requests(proxy), 1);
	unsetenv("https_proxy");
	request.flags = 0;
	context.proxy = http_server_url(proxy);
	ck_assert_int_eq(perform(&request), SOUK_E_TRANSIENT);
	ck_assert_uint_eq(http_server_requests(proxy), 2);
	http_server_stop(proxy);
}
END_TEST

/* ---- Traces ---------------------------------------------------------------------- */

static struct souk_buf logged;

static void keep_line(int level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	souk_buf_str(&logged, line);
	souk_buf_str(&logged, "\n");
}

static void log_to_buffer(int level)
{
	souk_buf_init(&logged, 1024 * 1024);
	souk_log_set_sink(keep_line, NULL);
	souk_log_set_level(level);
}

static void log_to_stderr(void)
{
	souk_log_set_level(SOUK_LOG_WARNING);
	souk_log_set_sink(NULL, NULL);
	souk_buf_fini(&logged);
}

static void tell_secrets(struct http_connection *connection, const struct http_request *request,
			 void *arg)
{
	(void)request;
	(void)arg;
	http_reply(
		connection, 200,
		"Set-Cookie: session=hush01\r\nX-Amz-Security-Token: hush02\r\nX-Plain: seen01\r\n",
		"{\"said\": \"seen02\", \"registered\": \"hush03\"}\n\033[2Jline two");
}

START_TEST(traces_hold_no_secret)
{
	static const char *const headers[] = {
		"Authorization: Bearer hush04", "x-api-key: hush05",	"Cookie: a=hush06",
		"X-Vault-Token: hush07",	"Content-Type: seen03", NULL
	};
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD,
					     .what = "Tell",
					     .method = "POST",
					     .headers = headers,
					     .body = "hush08",
					     .body_size = 6,
					     .flags = SOUK_HTTP_SECRET_BODY };
	struct souk_http_request hidden = { SOUK_HTTP_REQUEST_HEAD, .what = "Hide",
					    .flags = SOUK_HTTP_SECRET_REPLY };

	serve(tell_secrets, NULL);
	souk_log_add_secret("hush03");
	log_to_buffer(SOUK_LOG_DEBUG);
	request.url = url("/p?Action=seen04&X-Amz-Signature=hush09&sig=hush10&access_token=hush11"
			  "&api_key=hush12&X-Amz-Credential=hush13&code=hush14");
	ck_assert_int_eq(perform(&request), SOUK_OK);
	ck_assert_ptr_nonnull(strstr(logged.data, "seen01"));
	ck_assert_ptr_nonnull(strstr(logged.data, "seen02"));
	ck_assert_ptr_nonnull(strstr(logged.data, "seen03"));
	ck_assert_ptr_nonnull(strstr(logged.data, "Action=seen04&X-Amz-Signature=[redacted]"));
	ck_assert_ptr_nonnull(strstr(logged.data, "POST http://127.0.0.1"));
	ck_assert_ptr_nonnull(strstr(logged.data, "Tell 200"));
	ck_assert_ptr_nonnull(strstr(logged.data, "attempt 1"));
	ck_assert_ptr_null(strstr(logged.data, "hush"));
	ck_assert_ptr_null(strchr(logged.data, '\033'));

	souk_buf_reset(&logged);
	hidden.url = url("/");
	ck_assert_int_eq(perform(&hidden), SOUK_OK);
	ck_assert_ptr_nonnull(strstr(logged.data, "seen01"));
	ck_assert_ptr_null(strstr(logged.data, "seen02"));
	ck_assert_ptr_null(strstr(logged.data, "hush"));
	log_to_stderr();
}
END_TEST

/* A secret that lies across the place where the trace of a body is cut. */
START_TEST(traces_hold_no_half_of_a_secret)
{
	char body[8192], *at;
	unsigned shift;

	serve(echo, NULL);
	souk_log_add_secret("hushhushhushhush");
	for (shift = 0; shift < 64; shift += 3) {
		memset(body, 'x', sizeof(body));
		body[sizeof(body) - 1] = '\0';
		memcpy(body + 2048 - shift, "hushhushhushhush", 16);
		log_to_buffer(SOUK_LOG_DEBUG);
		ck_assert_int_eq(post("/", body, SOUK_HTTP_SECRET_REPLY), SOUK_OK);
		ck_assert_ptr_null(strstr(logged.data, "hu"));
		at = strstr(logged.data, "xxxxxxxx");
		ck_assert_ptr_nonnull(at);
		ck_assert_uint_le(strcspn(at, "\n"), 2048 + 8);
		log_to_stderr();
	}
}
END_TEST

/* ---- Plan, record, replay -------------------------------------------------------- */

START_TEST(plan_mode_sends_nothing_that_mutates)
{
	setenv("SOUK_HTTP_PLAN", "1", 1);
	serve(echo, NULL);
	log_to_buffer(SOUK_LOG_INFO);
	ck_assert_int_eq(post("/create?token=hush", "body", SOUK_HTTP_MUTATES), SOUK_E_UNSUPPORTED);
	ck_assert_str_eq(err.message, "Post: not sent: plan mode");
	ck_assert_ptr_nonnull(strstr(logged.data, "plan: test: Post: POST http://127.0.0.1"));
	ck_assert_ptr_null(strstr(logged.data, "hush"));
	ck_assert_uint_eq(http_server_requests(server), 0);
	ck_assert_int_eq(get("/", 0), SOUK_OK);
	ck_assert_uint_eq(http_server_requests(server), 1);
	log_to_stderr();
}
END_TEST

static void count_up(struct http_connection *connection, const struct http_request *request,
		     void *arg)
{
	char body[64];

	(void)arg;
	if (request->serial == 2) {
		http_reply(connection, 503, "Retry-After: 1\r\nX-Token: hush1\r\n", "busy");
		return;
	}
	snprintf(body, sizeof(body), "reply %u hush2\n\nto %s", request->serial, request->method);
	http_reply(connection, 200, "X-Kept: yes\r\n", body);
}

/* All that is in the files of a folder. */
static void read_folder(const char *folder, struct souk_buf *out)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	char *path, *text;
	size_t size;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		path = souk_fs_join(folder, entry->d_name);
		ck_assert_int_eq(souk_fs_read(path, 1024 * 1024, &text, &size, &err), SOUK_OK);
		souk_buf_add(out, text, size);
		free(text);
		free(path);
	}
	closedir(dir);
}

START_TEST(recorded_exchanges_can_be_replayed)
{
	static const char *const headers[] = { "Authorization: hush4", "X-Seen: seen", NULL };
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD,
					     .what = "Make",
					     .method = "POST",
					     .headers = headers,
					     .body = "hush5",
					     .body_size = 5,
					     .flags = SOUK_HTTP_SECRET_BODY | SOUK_HTTP_MUTATES };
	char folder[] = "/tmp/souk-test-http-XXXXXX";
	struct souk_buf all;

	make_folder(folder);
	setenv("SOUK_HTTP_RECORD", folder, 1);
	serve(count_up, NULL);
	ck_assert_int_eq(get("/a?api_key=hush3", SOUK_HTTP_RETRY), SOUK_OK); /* 1 */
	ck_assert_int_eq(get("/a", SOUK_HTTP_RETRY), SOUK_OK);		     /* 2, 3 */
	request.url = url("/a");
	ck_assert_int_eq(perform(&request), SOUK_OK);					/* 4 */
	ck_assert_int_eq(get("/b", SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY), SOUK_OK); /* 5 */
	souk_buf_init(&all, 1024 * 1024);
	read_folder(folder, &all);
	ck_assert_ptr_nonnull(strstr(all.data, "X-Seen: seen"));
	ck_assert_ptr_nonnull(strstr(all.data, "X-Kept: yes"));
	ck_assert_ptr_null(strstr(all.data, "hush1"));
	ck_assert_ptr_null(strstr(all.data, "hush3"));
	ck_assert_ptr_null(strstr(all.data, "hush4"));
	ck_assert_ptr_null(strstr(all.data, "hush5"));
	ck_assert_ptr_null(strstr(all.data, "reply 5"));
	souk_buf_fini(&all);
	souk_http_free(http);
	http_server_stop(server);
	server = http_server_start(0, echo, NULL);

	unsetenv("SOUK_HTTP_RECORD");
	setenv("SOUK_HTTP_REPLAY", folder, 1);
	open_client();
	n_waits = 0;
	ck_assert_int_eq(get("/a?other=1", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_str_eq(souk_http_reply_get_body(reply, NULL), "reply 1 hush2\n\nto GET");
	ck_assert_str_eq(souk_http_reply_get_header(reply, "x-kept"), "yes");
	ck_assert_int_eq(get("/a", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_str_eq(souk_http_reply_get_body(reply, NULL), "reply 3 hush2\n\nto GET");
	ck_assert_uint_eq(n_waits, 0);
	request.url = url("/a");
	ck_assert_int_eq(perform(&request), SOUK_OK);
	ck_assert_str_eq(souk_http_reply_get_body(reply, NULL), "reply 4 hush2\n\nto POST");
	ck_assert_int_eq(get("/b", SOUK_HTTP_RETRY), SOUK_OK);
	ck_assert_int_eq(reply->status, 200);
	ck_assert_str_eq(souk_http_reply_get_body(reply, NULL), "");
	ck_assert_int_eq(get("/a", SOUK_HTTP_RETRY), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "no recorded reply is left for 'Get'"));
	ck_assert_uint_eq(http_server_requests(server), 0);
	souk_fs_remove(folder, NULL);
}
END_TEST

static const char *const bad_exchanges[] = {
	"",
	"nonsense",
	"souk-http-exchange: 1\n",
	"souk-http-exchange: 1\nwhat: Get\nmethod: GET\npath: /\n",
	"souk-http-exchange: 1\nwhat: Get\nmethod: GET\npath: /\nstatus: abc\n",
	"souk-http-exchange: 1\nwhat: Get\nmethod: GET\npath: /\nstatus: 99999\nreply-body: 0\n\n",
	"souk-http-exchange: 1\nwhat: Get\nmethod: GET\npath: /\nstatus: 200\nreply-body: 5\nabc\n",
	"souk-http-exchange: 1\nwhat: Get\nmethod: GET\npath: /\nstatus: 200\nreply-body: 2\nabc\n",
	("souk-http-exchange: 1\nwhat: Get\nmethod: GET\npath: /\nstatus: 200\n"
	 "reply-body: 18446744073709551615\nabc\n"),
	"souk-http-exchange: 1\nwhat: Get\nmethod: GET\npath: /\nstatus: 200\nreply-body: 3\nabc",
};

START_TEST(damaged_exchanges_are_refused)
{
	char folder[] = "/tmp/souk-test-http-XXXXXX";
	char *file;

	make_folder(folder);
	file = souk_fs_join(folder, "000001.http");
	ck_assert_int_eq(
		souk_fs_write(file, bad_exchanges[_i], strlen(bad_exchanges[_i]), 0600, &err),
		SOUK_OK);
	setenv("SOUK_HTTP_REPLAY", folder, 1);
	serve(echo, NULL);
	ck_assert_int_eq(get("/", SOUK_HTTP_RETRY), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "000001.http"));
	free(file);
	souk_fs_remove(folder, NULL);
}
END_TEST

static void add_secrecy(Suite *suite)
{
	TCase *tcase = http_fixture_add_case(suite, "secrecy");

	tcase_add_test(tcase, certificates_are_verified);
	tcase_add_test(tcase, proxies_get_only_what_is_encrypted);
	tcase_add_test(tcase, traces_hold_no_secret);
	tcase_add_test(tcase, traces_hold_no_half_of_a_secret);
	tcase_add_test(tcase, plan_mode_sends_nothing_that_mutates);
	tcase_add_test(tcase, recorded_exchanges_can_be_replayed);
	tcase_add_loop_test(tcase, damaged_exchanges_are_refused, 0,
			    SOUK_ARRAY_SIZE(bad_exchanges));
}

int main(void)
{
	Suite *suite = suite_create("http-secrecy");
	SRunner *runner;
	int failed;

	add_secrecy(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
