/* SPDX-License-Identifier: Apache-2.0 */
/* unit/test-http-cache.c - replies that are kept, and how far a call is, against a real server */
/* Before the fixture, whose err its own would shadow. */
#include "scratch.h"

#include "http-fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "provider/host.h"

enum { HOUR = 3600, THREADS = 8 };

static struct souk_buf logged;
static struct souk_http_request request;
static unsigned n_kept; /* as on_kept tells */

static void note(int level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	souk_buf_printf(&logged, "%s\n", line);
}

static void count_kept(const char *path, void *arg)
{
	(void)arg;
	if (strstr(path, "/cache/http/"))
		bump(&n_kept);
}

static void set_up_cache(void)
{
	static char folder[128];

	scratch_make();
	snprintf(folder, sizeof(folder), "%s/cache/http", scratch);
	context.cache_dir = folder;
	context.on_kept = count_kept;
	n_kept = 0;
	souk_buf_init(&logged, 1 << 20);
	request = (struct souk_http_request){ SOUK_HTTP_REQUEST_HEAD, .what = "Ask",
					      .cache_seconds = HOUR };
}

static void tear_down_cache(void)
{
	souk_log_set_sink(NULL, NULL);
	souk_log_set_level(SOUK_LOG_WARNING);
	souk_buf_fini(&logged);
	scratch_remove();
}

/* ---- Looking at the folder ---- */

/* Call 'visit' (may be NULL) with the path of each file; how many there are. */
static unsigned each_file(void (*visit)(const char *path, void *arg), void *arg)
{
	DIR *dir = opendir(context.cache_dir);
	struct dirent *entry;
	unsigned n = 0;

	while (dir && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		if (visit)
			visit(scratch_path("cache/http/%s", entry->d_name), arg);
	}
	if (dir)
		closedir(dir);
	return n;
}

static unsigned files(void)
{
	return each_file(NULL, NULL);
}

static void age_file(const char *path, void *arg)
{
	const int64_t *seconds = arg;
	struct timespec times[2] = { { .tv_sec = (time_t)(souk_clock_wall_s() - *seconds) } };

	times[1] = times[0];
	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* As if so many seconds had passed since the replies were kept. */
static void pass_time(int64_t seconds)
{
	each_file(age_file, &seconds);
}

static int ask(const char *path)
{
	request.url = url(path);
	return perform(&request);
}

static const char *body(void)
{
	return souk_http_reply_get_body(reply, NULL);
}

static void asks(const char *path, const char *want)
{
	ck_assert_msg(ask(path) == SOUK_OK, "%s: %s", path, err.message);
	ck_assert_int_eq(souk_http_reply_get_status(reply), 200);
	ck_assert_msg(strcmp(body(), want) == 0, "%s: '%s', not '%s'", path, body(), want);
}

/* ---- A server that counts, and knows what has changed ---- */

static struct {
	const char *etag;	   /* NULL: it gives none */
	const char *modified;
	int status;		   /* 0: 200 */
	const char *more;	   /* header lines */
	const char *text;	   /* the body; NULL: what was asked, and a number */
	unsigned n_full;	   /* replies with a body */
	char conditions[256];	   /* of the last request */
} cloud;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the conditions */

static void answer(struct http_connection *connection, const struct http_request *got, void *arg)
{
	char *none_match = http_header(got, "If-None-Match");
	char *since = http_header(got, "If-Modified-Since");
	char headers[512], text[4096];

	(void)arg;
	pthread_mutex_lock(&lock);
	snprintf(cloud.conditions, sizeof(cloud.conditions), "%s|%s", none_match ? none_match : "",
		 since ? since : "");
	pthread_mutex_unlock(&lock);
	snprintf(headers, sizeof(headers), "%s%s%s%s%s%s%s", cloud.etag ? "ETag: " : "",
		 cloud.etag ? cloud.etag : "", cloud.etag ? "\r\n" : "",
		 cloud.modified ? "Last-Modified: " : "", cloud.modified ? cloud.modified : "",
		 cloud.modified ? "\r\n" : "", cloud.more ? cloud.more : "");
	if ((none_match && cloud.etag && strcmp(none_match, cloud.etag) == 0) ||
	    (!none_match && since && cloud.modified && strcmp(since, cloud.modified) == 0)) {
		http_reply(connection, 304, headers, "");
	} else {
		bump(&cloud.n_full);
		snprintf(text, sizeof(text), "%.1000s %.1000s #%u", got->target, got->body,
			 value(&cloud.n_full));
		http_reply(connection, cloud.status ? cloud.status : 200, headers,
			   cloud.text ? cloud.text : text);
	}
	free(none_match);
	free(since);
}

static void start(void)
{
	memset(&cloud, 0, sizeof(cloud));
	serve(answer, NULL);
}

/* ---- Young replies ---- */

START_TEST(young_reply_is_given_without_asking)
{
	struct stat st;

	start();
	cloud.more = "X-Next: /page2\r\nSet-Cookie: session=1\r\n";
	asks("/a", "/a  #1");
	asks("/a", "/a  #1");
	ck_assert_str_eq(souk_http_reply_get_header(reply, "x-next"), "/page2");
	ck_assert_ptr_null(souk_http_reply_get_header(reply, "Set-Cookie"));
	asks("/b", "/b  #2");
	pass_time(HOUR - 100);
	asks("/a", "/a  #1");
	ck_assert_uint_eq(http_server_requests(server), 2);
	ck_assert_uint_eq(files(), 2);
	ck_assert_uint_eq(value(&n_kept), 4); /* two that were kept, two that were given */
	ck_assert_int_eq(stat(context.cache_dir, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
}
END_TEST

static void check_file(const char *path, void *arg)
{
	size_t size;
	char *text = scratch_read(path, &size);
	struct stat st;

	(void)arg;
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_uint_eq(strlen(strrchr(path, '/') + 1), 64);
	/* Neither where it was asked for, nor what was asked, nor whose it is. */
	ck_assert_ptr_null(strstr(text, "127.0.0.1"));
	ck_assert_ptr_null(strstr(text, "api_key"));
	ck_assert_ptr_null(strstr(text, "account-7"));
	free(text);
}

START_TEST(files_tell_nothing_of_the_request)
{
	start();
	cloud.text = "an answer";
	request.method = "POST";
	request.body = "api_key=x";
	request.body_size = 9;
	request.cache_scope = "account-7";
	ck_assert_int_eq(ask("/a?api_key=y"), SOUK_OK);
	ck_assert_uint_eq(each_file(check_file, NULL), 1);
}
END_TEST

/* What makes two requests different. */
static void vary(struct souk_http_request *r, int i)
{
	static const char *const headers[] = { "X-Other: 1", NULL };

	switch (i) {
	case 0:
		r->url = url("/a?x");
		break;
	case 1:
		r->method = "POST";
		break;
	case 2:
		r->method = "POST";
		r->body = "p=1";
		r->body_size = 3;
		break;
	case 3:
		r->cache_scope = "account-1";
		break;
	case 4:
		r->cache_scope = "";
		break;
	default:
		r->headers = headers; /* is no difference */
	}
}

START_TEST(key_is_of_scope_method_url_and_body)
{
	struct souk_http_request other;
	int i, round;

	start();
	ck_assert_int_eq(ask("/a"), SOUK_OK);
	for (round = 0; round < 2; round++)
		for (i = 0; i < 6; i++) {
			other = request;
			vary(&other, i);
			ck_assert_int_eq(perform(&other), SOUK_OK);
		}
	ck_assert_uint_eq(http_server_requests(server), 6);
	ck_assert_uint_eq(files(), 6);
}
END_TEST

/* ---- Old replies ---- */

START_TEST(old_reply_is_asked_for_with_conditions)
{
	start();
	cloud.etag = "\"one\"";
	asks("/a", "/a  #1");
	ck_assert_str_eq(cloud.conditions, "|");
	pass_time(HOUR);
	asks("/a", "/a  #1");
	ck_assert_str_eq(cloud.conditions, "\"one\"|");
	ck_assert_uint_eq(http_server_requests(server), 2);
	/* Renewed: it is young again. */
	asks("/a", "/a  #1");
	ck_assert_uint_eq(http_server_requests(server), 2);
	pass_time(2 * HOUR);
	cloud.etag = "\"two\"";
	asks("/a", "/a  #2");
	pass_time(2 * HOUR);
	asks("/a", "/a  #2");
	ck_assert_str_eq(cloud.conditions, "\"two\"|");
	ck_assert_uint_eq(files(), 1);
}
END_TEST

START_TEST(date_is_a_condition_too)
{
	start();
	cloud.modified = "Sun, 01 Nov 2026 00:00:00 GMT";
	asks("/a", "/a  #1");
	pass_time(HOUR);
	asks("/a", "/a  #1");
	ck_assert_str_eq(cloud.conditions, "|Sun, 01 Nov 2026 00:00:00 GMT");
	cloud.etag = "\"x\"";
	cloud.modified = "Mon, 02 Nov 2026 00:00:00 GMT";
	pass_time(HOUR);
	asks("/a", "/a  #2");
	pass_time(HOUR);
	asks("/a", "/a  #2");
	ck_assert_str_eq(cloud.conditions, "\"x\"|Mon, 02 Nov 2026 00:00:00 GMT");
}
END_TEST

START_TEST(old_reply_without_etag_or_of_post_is_asked_for_in_full)
{
	start();
	asks("/a", "/a  #1");
	pass_time(HOUR);
	asks("/a", "/a  #2");
	ck_assert_str_eq(cloud.conditions, "|");
	cloud.etag = "\"one\"";
	request.method = "POST";
	asks("/a", "/a  #3");
	pass_time(HOUR);
	asks("/a", "/a  #4");
	ck_assert_str_eq(cloud.conditions, "|");
	asks("/a", "/a  #4");
}
END_TEST

START_TEST(reply_from_the_future_is_old)
{
	start();
	asks("/a", "/a  #1");
	pass_time(-2 * HOUR);
	asks("/a", "/a  #2");
}
END_TEST

START_TEST(failures_leave_what_is_kept)
{
	start();
	cloud.etag = "\"one\"";
	asks("/a", "/a  #1");
	pass_time(HOUR);
	cloud.etag = NULL;
	cloud.status = 503;
	ck_assert_int_eq(ask("/a"), SOUK_OK);
	ck_assert_int_eq(souk_http_reply_get_status(reply), 503);
	ck_assert_int_eq(ask("/b"), SOUK_OK); /* not kept */
	ck_assert_uint_eq(files(), 1);
	cloud.status = 0;
	cloud.etag = "\"one\"";
	asks("/a", "/a  #1");
}
END_TEST

/* ---- What is never kept ---- */

static void refuse(struct souk_http_request *r, int i)
{
	static const char *const condition[] = { "If-None-Match: \"mine\"", NULL };
	static const char *const part[] = { "Range: bytes=0-1", NULL };

	switch (i) {
	case 0:
		r->cache_seconds = 0;
		break;
	case 1:
		r->flags = SOUK_HTTP_SECRET_REPLY;
		break;
	case 2:
		r->flags = SOUK_HTTP_SECRET_BODY;
		break;
	case 3:
		r->flags = SOUK_HTTP_MUTATES;
		break;
	case 4:
		r->method = "PUT";
		break;
	case 5:
		r->headers = condition;
		break;
	case 6:
		r->headers = part;
		break;
	case 7: /* as a module knows it that was built before */
		r->struct_size = offsetof(struct souk_http_request, cache_seconds);
		break;
	case 8:
		cloud.more = "X-Auth-Token: abc\r\n";
		break;
	case 9:
		souk_log_add_secret("#1"); /* too short to be one */
		souk_log_add_secret("/hush-hush");
		r->url = url("/hush-hush");
		break;
	default:
		context.cache_dir = NULL;
	}
}

START_TEST(never_kept)
{
	struct souk_http_request other;
	char *folder;

	start();
	request.url = url("/a");
	folder = (char *)(uintptr_t)context.cache_dir;
	other = request;
	refuse(&other, _i);
	ck_assert_int_eq(perform(&other), SOUK_OK);
	ck_assert_int_eq(perform(&other), SOUK_OK);
	ck_assert_uint_eq(http_server_requests(server), 2);
	context.cache_dir = folder;
	ck_assert_uint_eq(files(), 0);
	ck_assert_uint_eq(value(&n_kept), 0);
}
END_TEST

START_TEST(recording_and_replay_go_past_the_cache)
{
	char folder[128];

	start();
	asks("/a", "/a  #1");
	snprintf(folder, sizeof(folder), "%s/record", scratch);
	souk_http_free(http);
	setenv("SOUK_HTTP_RECORD", folder, 1);
	open_client();
	asks("/a", "/a  #2");
	souk_http_free(http);
	unsetenv("SOUK_HTTP_RECORD");
	setenv("SOUK_HTTP_REPLAY", folder, 1);
	open_client();
	asks("/a", "/a  #2");
	ck_assert_int_eq(ask("/a"), SOUK_E_INVALID);
	souk_http_free(http);
	unsetenv("SOUK_HTTP_REPLAY");
	setenv("SOUK_HTTP_PLAN", "1", 1);
	open_client();
	asks("/a", "/a  #1");
	asks("/b", "/b  #3");
	request.flags = SOUK_HTTP_MUTATES;
	request.method = "POST";
	ck_assert_int_eq(ask("/a"), SOUK_E_UNSUPPORTED);
	unsetenv("SOUK_HTTP_PLAN");
}
END_TEST

START_TEST(traces_are_redacted)
{
	souk_log_set_level(SOUK_LOG_DEBUG);
	souk_log_set_sink(note, NULL);
	start();
	ck_assert_int_eq(ask("/a?api_key=hush1&x=seen"), SOUK_OK);
	ck_assert_int_eq(ask("/a?api_key=hush1&x=seen"), SOUK_OK);
	ck_assert_ptr_nonnull(strstr(logged.data, "= Ask: the reply of "));
	ck_assert_ptr_nonnull(strstr(logged.data, "x=seen"));
	ck_assert_ptr_null(strstr(strstr(logged.data, "= Ask"), "hush1"));
}
END_TEST

START_TEST(cancelled_call_is_given_nothing)
{
	struct souk_cancel cancel;

	start();
	asks("/a", "/a  #1");
	ck_assert_int_eq(souk_cancel_init(&cancel, &err), SOUK_OK);
	souk_cancel_set(&cancel);
	context.cancel = &cancel;
	ck_assert_int_eq(ask("/a"), SOUK_E_CANCELLED);
	context.cancel = NULL;
	souk_cancel_fini(&cancel);
}
END_TEST

/* ---- Damage ---- */

static const char *damaged;


static void find_file(const char *path, void *arg)
{
	(void)arg;
	damaged = path;
}

static void asks_again(unsigned *n)
{
	char want[32];

	snprintf(want, sizeof(want), "/a  #%u", ++*n);
	asks("/a", want);
	asks("/a", want);
	ck_assert_uint_eq(files(), 1);
}

START_TEST(damaged_file_is_no_reply)
{
	char path[512];
	size_t size, at;
	unsigned n = 1;
	char *text;

	start();
	cloud.etag = "\"one\"";
	asks("/a", "/a  #1");
	ck_assert_uint_eq(each_file(find_file, NULL), 1);
	snprintf(path, sizeof(path), "%s", damaged);
	text = scratch_read(path, &size);
	for (at = 0; at < size; at++) { /* one bit anywhere */
		text[at] ^= 1;
		scratch_write(path, text, size);
		asks_again(&n);
		ck_assert_str_eq(cloud.conditions, "|");
		free(text);
		text = scratch_read(path, &size);
	}
	for (at = 0; at < size; at += 1 + at / 7) { /* torn anywhere */
		scratch_write(path, text, at);
		asks_again(&n);
	}
	free(text);
}
END_TEST

/* A whole file under the name of another request. */
START_TEST(file_of_another_request_is_no_reply)
{
	char path[512];
	size_t size;
	char *text;

	start();
	asks("/b", "/b  #1");
	each_file(find_file, NULL);
	text = scratch_read(damaged, &size);
	ck_assert_int_eq(unlink(damaged), 0);
	asks("/a", "/a  #2");
	each_file(find_file, NULL);
	snprintf(path, sizeof(path), "%s", damaged);
	scratch_write(path, text, size);
	asks("/a", "/a  #3");
	free(text);
}
END_TEST

START_TEST(folder_that_cannot_be_used_costs_no_reply)
{
	scratch_mkdir(scratch_path("cache"));
	scratch_text(scratch_path("cache/http"), "a file");
	start();
	asks("/a", "/a  #1");
	asks("/a", "/a  #2");
	ck_assert_uint_eq(value(&n_kept), 0);
}
END_TEST

START_TEST(reply_that_is_too_large_for_the_caller_is_asked_for)
{
	start();
	asks("/a", "/a  #1");
	request.max_reply_bytes = 3;
	ck_assert_int_eq(ask("/a"), SOUK_E_INVALID);
	ck_assert_uint_eq(http_server_requests(server), 2);
}
END_TEST

/* ---- Bounds ---- */

static int has_page(int i)
{
	unsigned before = http_server_requests(server);
	char path[32];

	snprintf(path, sizeof(path), "/%d", i);
	ck_assert_int_eq(ask(path), SOUK_OK);
	return http_server_requests(server) == before;
}

/* Ask for /0 .. /n-1, each of them older than the next. */
static void ask_pages(int n)
{
	int64_t second = 1;
	char path[32];
	int i;

	for (i = 0; i < n; i++) {
		struct souk_http_kept kept = { 0 };

		snprintf(path, sizeof(path), "/%d", i);
		ck_assert_int_eq(ask(path), SOUK_OK);
		request.method = "GET";
		request.max_reply_bytes = 1 << 20;
		ck_assert_int_eq(souk_http_cache_look(&context, &request, &kept, &err), SOUK_OK);
		second = n - i;
		if (kept.reply)
			age_file(kept.path, &second);
		souk_http_kept_fini(&kept);
		request.method = NULL;
		request.max_reply_bytes = 0;
	}
}

START_TEST(oldest_goes_when_there_are_too_many)
{
	start();
	http->cache.files_max = 16;
	ask_pages(40);
	ck_assert_uint_le(files(), 16);
	ck_assert_uint_ge(files(), 13);
	ck_assert(has_page(39));
	ck_assert(has_page(30));
	ck_assert(!has_page(0));
	ck_assert(!has_page(20));
}
END_TEST

static void add_size(const char *path, void *arg)
{
	struct stat st;

	ck_assert_int_eq(stat(path, &st), 0);
	*(uint64_t *)arg += (uint64_t)st.st_size;
}

START_TEST(oldest_goes_when_they_are_too_large)
{
	uint64_t bytes = 0;

	start();
	ck_assert_int_eq(ask("/x"), SOUK_OK);
	each_file(add_size, &bytes);
	http->cache.bytes_max = 10 * bytes;
	ask_pages(40);
	bytes = 0;
	each_file(add_size, &bytes);
	ck_assert_uint_le(bytes, http->cache.bytes_max);
	ck_assert_uint_ge(files(), 6);
	ck_assert(has_page(39));
	ck_assert(!has_page(0));
	/* One that would take the place of all others is not kept. */
	http->cache.bytes_max = 400;
	ck_assert(!has_page(50));
	ck_assert(!has_page(50));
}
END_TEST

START_TEST(what_others_wrote_counts_and_what_is_not_ours_stays)
{
	int64_t seconds = 2 * HOUR;
	unsigned i;

	start();
	scratch_mkdir(context.cache_dir);
	scratch_text(scratch_path("cache/http/README"), "not a reply");
	for (i = 0; i < 30; i++)
		scratch_text(scratch_path("cache/http/%064u", i), "of another process");
	scratch_text(scratch_path("cache/http/%064u.abc.tmp", 1), "its writer has died");
	pass_time(seconds);
	scratch_text(scratch_path("cache/http/%064u.abd.tmp", 2), "its writer lives");
	http->cache.files_max = 16;
	asks("/a", "/a  #1");
	ck_assert_uint_le(files(), 17);
	ck_assert(souk_fs_is_file(scratch_path("cache/http/README")));
	ck_assert(!souk_fs_is_file(scratch_path("cache/http/%064u.abc.tmp", 1)));
	ck_assert(souk_fs_is_file(scratch_path("cache/http/%064u.abd.tmp", 2)));
	asks("/a", "/a  #1");
}
END_TEST

/* ---- Threads ---- */

static void *ask_many(void *arg)
{
	struct souk_http_request own = { SOUK_HTTP_REQUEST_HEAD, .what = "Ask", .cache_seconds = HOUR };
	struct souk_error own_err = SOUK_ERROR_INIT;
	struct souk_http_reply *own_reply;
	char text[128], want[32];
	int i, bad = 0;

	for (i = 0; i < 60; i++) {
		snprintf(text, sizeof(text), "%s/%d", (const char *)arg, i % 12);
		snprintf(want, sizeof(want), "/%d  #", i % 12);
		own.url = text;
		own_reply = NULL;
		if (souk_http_perform(http, &context, &own, &own_reply, &own_err) < 0 ||
		    strncmp(souk_http_reply_get_body(own_reply, NULL), want, strlen(want)) != 0)
			bad++;
		souk_http_reply_destroy(own_reply);
	}
	return bad ? arg : NULL;
}

START_TEST(threads_share_it)
{
	pthread_t threads[THREADS];
	char base[64];
	void *bad;
	int i;

	start();
	http->cache.files_max = 8;
	snprintf(base, sizeof(base), "%s", http_server_url(server));
	for (i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, ask_many, base), 0);
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &bad);
		ck_assert_ptr_null(bad);
	}
	ck_assert_uint_le(files(), 8 + THREADS);
}
END_TEST

/* ---- How far a call is ---- */

static struct {
	unsigned n;
	char what[64];
	uint32_t done, total;
} heard;

static void hear(const char *what, uint32_t done, uint32_t total, void *arg)
{
	ck_assert_ptr_eq(arg, &heard);
	heard.n++;
	snprintf(heard.what, sizeof(heard.what), "%s", what);
	heard.done = done;
	heard.total = total;
}

static void begin_call(struct souk_call *call)
{
	souk_provider_host_install();
	memset(&heard, 0, sizeof(heard));
	souk_call_init(call, NULL);
	call->progress = hear;
	call->progress_arg = &heard;
}

START_TEST(first_and_last_progress_are_heard)
{
	struct souk_call call;
	int64_t begun = souk_clock_ms();
	uint32_t i;

	begin_call(&call);
	souk_call_progress(&call, "pages", 0, 10000);
	ck_assert_uint_eq(heard.n, 1);
	for (i = 1; i <= 10000; i++)
		souk_call_progress(&call, "pages", i, 10000);
	souk_call_fini(&call, SOUK_OK);
	ck_assert_str_eq(heard.what, "pages");
	ck_assert_uint_eq(heard.done, 10000);
	ck_assert_uint_eq(heard.total, 10000);
	/* However slow this machine is: one each tenth of a second, and the last. */
	ck_assert_uint_le(heard.n, 2 + (souk_clock_ms() - begun) / 100);
}
END_TEST

START_TEST(progress_that_was_overtaken_is_not_heard)
{
	struct souk_call call;

	begin_call(&call);
	souk_call_progress(&call, "regions", 5, 9);
	souk_call_progress(&call, "regions", 7, 9);
	souk_call_progress(&call, "regions", 6, 9);
	souk_call_fini(&call, SOUK_OK);
	ck_assert_uint_eq(heard.done, 7);
	begin_call(&call);
	souk_call_progress(&call, "regions", 9, 9);
	souk_call_progress(&call, "zones", 1, 9);
	souk_call_fini(&call, SOUK_E_AUTH);
	ck_assert_str_eq(heard.what, "zones");
	begin_call(&call);
	call.progress = NULL;
	souk_call_progress(&call, "regions", 9, 9);
	souk_call_fini(&call, SOUK_OK);
	ck_assert_uint_eq(heard.n, 0);
}
END_TEST

static int report(void *arg, uint32_t i, struct souk_error *error)
{
	(void)error;
	souk_call_progress(arg, "pieces", i + 1, 500);
	return SOUK_OK;
}

START_TEST(progress_comes_from_threads)
{
	static struct souk_error errors[500];
	struct souk_cancel cancel;
	struct souk_call call;

	ck_assert_int_eq(souk_cancel_init(&cancel, &err), SOUK_OK);
	begin_call(&call);
	call.cancel = &cancel;
	ck_assert_uint_eq(souk_call_parallel(&call, 500, THREADS, report, &call, errors), 0);
	souk_call_fini(&call, SOUK_OK);
	ck_assert_uint_eq(heard.done, 500);
	souk_cancel_fini(&cancel);
}
END_TEST

static void add_reply_tests(Suite *suite)
{
	TCase *tcase = http_fixture_add_case(suite, "replies");

	tcase_add_checked_fixture(tcase, set_up_cache, tear_down_cache);
	tcase_add_test(tcase, young_reply_is_given_without_asking);
	tcase_add_test(tcase, files_tell_nothing_of_the_request);
	tcase_add_test(tcase, key_is_of_scope_method_url_and_body);
	tcase_add_test(tcase, old_reply_is_asked_for_with_conditions);
	tcase_add_test(tcase, date_is_a_condition_too);
	tcase_add_test(tcase, old_reply_without_etag_or_of_post_is_asked_for_in_full);
	tcase_add_test(tcase, reply_from_the_future_is_old);
	tcase_add_test(tcase, failures_leave_what_is_kept);
	tcase_add_loop_test(tcase, never_kept, 0, 11);
	tcase_add_test(tcase, recording_and_replay_go_past_the_cache);
	tcase_add_test(tcase, traces_are_redacted);
	tcase_add_test(tcase, cancelled_call_is_given_nothing);
}

static void add_file_tests(Suite *suite)
{
	TCase *tcase = http_fixture_add_case(suite, "files");

	tcase_add_checked_fixture(tcase, set_up_cache, tear_down_cache);
	tcase_add_test(tcase, damaged_file_is_no_reply);
	tcase_add_test(tcase, file_of_another_request_is_no_reply);
	tcase_add_test(tcase, folder_that_cannot_be_used_costs_no_reply);
	tcase_add_test(tcase, reply_that_is_too_large_for_the_caller_is_asked_for);
	tcase_add_test(tcase, oldest_goes_when_there_are_too_many);
	tcase_add_test(tcase, oldest_goes_when_they_are_too_large);
	tcase_add_test(tcase, what_others_wrote_counts_and_what_is_not_ours_stays);
	tcase_add_test(tcase, threads_share_it);
}

int main(void)
{
	Suite *suite = suite_create("http-cache");
	TCase *tcase;
	SRunner *runner;
	int failed;

	add_reply_tests(suite);
	add_file_tests(suite);
	tcase = http_fixture_add_case(suite, "progress");
	tcase_add_test(tcase, first_and_last_progress_are_heard);
	tcase_add_test(tcase, progress_that_was_overtaken_is_not_heard);
	tcase_add_test(tcase, progress_comes_from_threads);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
