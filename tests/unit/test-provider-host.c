/* SPDX-License-Identifier: Apache-2.0 */
/* test-provider-host.c - host functions: the table behind them, and pieces of work at once */

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

static TCase *host_tests(void)
{
	TCase *tc = tcase_create("host");

	tcase_add_test(tc, host_functions_need_a_host);
	tcase_add_test(tc, host_functions_call_the_table);
	tcase_add_test(tc, older_hosts_have_shorter_tables);
	tcase_add_test(tc, secrets_are_freed);
	return tc;
}

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

int main(void)
{
	Suite *suite = suite_create("provider-host");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, host_tests());
	suite_add_tcase(suite, parallel_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
