/* SPDX-License-Identifier: Apache-2.0 */
/* test-proc.c - running local programs: ends, limits, streams, descriptors */
#include <signal.h>
#include <stdint.h>

#include "base/proc.h"
#include "base/util.h"
#include "scratch.h"

#define SH(script) (const char *const[]) { "sh", "-c", script, NULL }

static struct souk_error err;

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
}

static int run(const struct souk_proc_options *options, struct souk_proc_result *result)
{
	*result = (struct souk_proc_result){ 0 };
	return souk_proc_run(options, result, &err);
}

/* ---- Ends ---- */

static const struct {
	const char *script;
	int exit_status;
	const char *out, *errs;
} ends[] = {
	{ "exit 0", 0, "", "" },
	{ "exit 7", 7, "", "" },
	{ "exit 255", 255, "", "" },
	{ "kill -TERM $$", 128 + SIGTERM, "", "" },
	{ "kill -KILL $$", 128 + SIGKILL, "", "" },
	{ "echo out; echo err >&2; exit 3", 3, "out\n", "err\n" },
	{ "printf 'no newline'", 0, "no newline", "" },
	/* Closed streams are not the end of the program. */
	{ "exec >&- 2>&- </dev/null; exit 9", 9, "", "" },
	/* SIGPIPE is as a program expects it. */
	{ "yes | head -n 1; exit 4", 4, "y\n", "" },
	{ "cat; exit 5", 5, "", "" },
};

START_TEST(says_how_it_ended)
{
	struct souk_proc_options options = { .argv = SH(ends[_i].script) };
	struct souk_proc_result result;

	ck_assert_msg(run(&options, &result) == SOUK_OK, "%s", err.message);
	ck_assert_int_eq(result.exit_status, ends[_i].exit_status);
	ck_assert_str_eq(result.out.data, ends[_i].out);
	ck_assert_str_eq(result.errs.data, ends[_i].errs);
	souk_proc_result_fini(&result);
}
END_TEST

START_TEST(there_is_no_such_program)
{
	const char *const argv[] = { "souk-no-such-program", NULL };
	struct souk_proc_options options = { .argv = argv };
	struct souk_proc_result result;
	int before = scratch_count_fds();

	ck_assert_int_eq(run(&options, &result), SOUK_E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.message, "souk-no-such-program"));
	/* A file that is executable by its mode alone. */
	scratch_text(scratch_path("broken"), "\177ELF but not really");
	ck_assert_int_eq(chmod(scratch_path("broken"), 0755), 0);
	options.argv = (const char *const[]){ scratch_path("broken"), NULL };
	/* As posix_spawn() finds out: at once, or in the child, which then ends with 127. */
	if (run(&options, &result) == SOUK_OK) {
		ck_assert_int_eq(result.exit_status, 127);
		souk_proc_result_fini(&result);
	} else {
		ck_assert_ptr_nonnull(strstr(err.message, "broken"));
	}
	ck_assert_int_eq(scratch_count_fds(), before);
}
END_TEST

START_TEST(the_time_runs_out)
{
	struct souk_proc_options options = {
		.argv = SH("echo began; exec sleep 3600"),
		.timeout_ms = 50,
	};
	struct souk_proc_result result;

	ck_assert_int_eq(run(&options, &result), SOUK_E_TIMEOUT);
	ck_assert_str_eq(err.message, "'sh' did not end within 50 ms");
}
END_TEST

START_TEST(the_time_runs_out_for_the_stubborn)
{
	char script[600];
	struct souk_proc_options options = { .argv = SH(script), .timeout_ms = 300 };
	struct souk_proc_result result;
	char *pid;

	/* Deaf to TERM: it takes KILL. */
	snprintf(script, sizeof(script),
		 "trap '' TERM; echo $$ >%s; while :; do sleep 0.2; done", scratch_path("pid"));
	ck_assert_int_eq(run(&options, &result), SOUK_E_TIMEOUT);
	pid = scratch_read(scratch_path("pid"), NULL);
	ck_assert_int_eq(kill((pid_t)strtol(pid, NULL, 10), 0), -1);
	free(pid);
}
END_TEST

/* ---- Cancel ---- */

static int cancel_at_once(const char *data, size_t size, void *arg)
{
	(void)data;
	(void)size;
	souk_cancel_set(arg);
	return 0;
}

START_TEST(can_be_cancelled)
{
	struct souk_cancel cancel;
	struct souk_proc_options options = {
		.argv = SH("echo began; exec sleep 3600"),
		.cancel = &cancel,
		.on_output = cancel_at_once,
		.arg = &cancel,
	};
	struct souk_proc_result result;

	ck_assert_int_eq(souk_cancel_init(&cancel, &err), SOUK_OK);
	ck_assert_int_eq(run(&options, &result), SOUK_E_CANCELLED);
	/* Cancelled from the start. */
	options.on_output = NULL;
	ck_assert_int_eq(run(&options, &result), SOUK_E_CANCELLED);
	souk_cancel_fini(&cancel);
}
END_TEST

/* ---- Output ---- */

START_TEST(output_has_a_ceiling)
{
	struct souk_proc_options options = {
		.argv = SH("head -c 100000 /dev/zero | tr '\\0' x"),
		.output_ceiling = 100001,
	};
	struct souk_proc_result result;

	ck_assert_msg(run(&options, &result) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(result.out.len, 100000);
	ck_assert_uint_eq(strspn(result.out.data, "x"), 100000);
	souk_proc_result_fini(&result);
	options.output_ceiling = 5000;
	ck_assert_int_eq(run(&options, &result), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "printed more than 5000 bytes"));
	/* One that never ends. */
	options.argv = (const char *const[]){ "yes", NULL };
	ck_assert_int_eq(run(&options, &result), SOUK_E_INVALID);
}
END_TEST

START_TEST(of_stderr_the_end_is_kept)
{
	struct souk_proc_options options = {
		.argv = SH("i=0; while [ $i -lt 3000 ]; do echo \"line $i\"; i=$((i + 1)); done >&2; "
			   "echo last words >&2"),
	};
	struct souk_proc_result result;
	size_t len;

	ck_assert_int_eq(run(&options, &result), SOUK_OK);
	len = result.errs.len;
	ck_assert_uint_le(len, 8192);
	ck_assert_uint_gt(len, 4000);
	ck_assert_str_eq(result.errs.data + len - 21, "line 2999\nlast words\n");
	souk_proc_result_fini(&result);
}
END_TEST

struct counted {
	size_t size;
	size_t stop_at;
};

static int count_output(const char *data, size_t size, void *arg)
{
	struct counted *counted = arg;

	ck_assert_int_eq(data[0], 'x');
	counted->size += size;
	return counted->stop_at && counted->size >= counted->stop_at ? SOUK_E_QUOTA : 0;
}

START_TEST(output_as_it_comes)
{
	struct counted counted = { 0 };
	struct souk_proc_options options = {
		.argv = SH("head -c 3000000 /dev/zero | tr '\\0' x"),
		.on_output = count_output,
		.arg = &counted,
	};
	struct souk_proc_result result;

	ck_assert_int_eq(run(&options, &result), SOUK_OK);
	ck_assert_uint_eq(counted.size, 3000000);
	ck_assert_uint_eq(result.out.len, 0);
	souk_proc_result_fini(&result);
	counted = (struct counted){ .stop_at = 1000 };
	ck_assert_int_eq(run(&options, &result), SOUK_E_QUOTA);
	ck_assert_uint_lt(counted.size, 3000000);
}
END_TEST

/* What a program leaves running holds the streams open; it must not hold us. */
START_TEST(a_descendant_does_not_hold_us)
{
	static const char *const scripts[] = {
		"sleep 3600 & echo $! >%s; echo done",
		"yes >&2 & echo $! >%s; echo done",
		"(echo $(sh -c 'echo $PPID') >%s; exec yes done) &",
	};
	char script[600];
	struct souk_proc_options options = {
		.argv = SH(script),
		.output_ceiling = _i == 2 ? 64 : 1 << 16,
	};
	struct souk_proc_result result;
	char *pid;
	int ret;

	snprintf(script, sizeof(script), scripts[_i], scratch_path("pid"));
	ret = run(&options, &result);
	/* The flood on stdout breaks the ceiling, unless all of it came too late. */
	if (ret == SOUK_OK) {
		ck_assert_int_eq(result.exit_status, 0);
		ck_assert(_i == 2 || strcmp(result.out.data, "done\n") == 0);
		souk_proc_result_fini(&result);
	} else {
		ck_assert_int_eq(_i, 2);
		ck_assert_int_eq(ret, SOUK_E_INVALID);
	}
	pid = _i == 2 && access(scratch_path("pid"), F_OK) < 0 ? NULL :
								 scratch_read(scratch_path("pid"), NULL);
	if (pid && strtol(pid, NULL, 10) > 1)
		kill((pid_t)strtol(pid, NULL, 10), SIGKILL);
	free(pid);
}
END_TEST

/* ---- Input ---- */

START_TEST(input_larger_than_a_pipe)
{
	size_t size = 3000000, i;
	char *data = malloc(size);
	struct souk_proc_options options = {
		.argv = (const char *const[]){ "cat", NULL },
		.input = data,
		.input_size = size,
		.output_ceiling = 4000000,
	};
	struct souk_proc_result result;

	ck_assert_ptr_nonnull(data);
	for (i = 0; i < size; i++)
		data[i] = (char)(i * 31 + i / 251);
	ck_assert_int_eq(run(&options, &result), SOUK_OK);
	ck_assert_uint_eq(result.out.len, size);
	ck_assert_int_eq(memcmp(result.out.data, data, size), 0);
	souk_proc_result_fini(&result);
	/* A program that does not read it, or goes away in the middle. */
	options.argv = SH("exec <&-; echo closed");
	ck_assert_int_eq(run(&options, &result), SOUK_OK);
	ck_assert_str_eq(result.out.data, "closed\n");
	souk_proc_result_fini(&result);
	options.argv = SH("head -c 10 >/dev/null; exit 6");
	ck_assert_int_eq(run(&options, &result), SOUK_OK);
	ck_assert_int_eq(result.exit_status, 6);
	souk_proc_result_fini(&result);
	free(data);
}
END_TEST

START_TEST(input_from_a_descriptor)
{
	struct souk_proc_options options = { .argv = (const char *const[]){ "cat", NULL } };
	struct souk_proc_result result;

	scratch_text(scratch_path("in"), "from a file");
	options.input_fd = open(scratch_path("in"), O_RDONLY | O_CLOEXEC);
	ck_assert_int_gt(options.input_fd, 0);
	ck_assert_int_eq(run(&options, &result), SOUK_OK);
	ck_assert_str_eq(result.out.data, "from a file");
	souk_proc_result_fini(&result);
	close(options.input_fd);
}
END_TEST

/* ---- What is inherited ---- */

START_TEST(the_environment)
{
	const char *const env[] = { "SOUK_T=new", "SOUK_T_MORE=a=b c", NULL };
	struct souk_proc_options options = {
		.argv = SH("echo \"$SOUK_T|$SOUK_T_MORE|$SOUK_TT|$HOME\"; env | grep -c ^SOUK_T="),
		.env = env,
	};
	struct souk_proc_result result;

	ck_assert_int_eq(setenv("SOUK_T", "old", 1), 0);
	ck_assert_int_eq(setenv("SOUK_TT", "kept", 1), 0);
	ck_assert_int_eq(setenv("HOME", "/h", 1), 0);
	ck_assert_int_eq(run(&options, &result), SOUK_OK);
	ck_assert_str_eq(result.out.data, "new|a=b c|kept|/h\n1\n");
	souk_proc_result_fini(&result);
	ck_assert_str_eq(getenv("SOUK_T"), "old");
}
END_TEST

START_TEST(no_descriptor_leaks)
{
	struct souk_proc_options options = {
		.argv = SH("for fd in 3 4 5 6 7 8 9; do [ ! -e /proc/self/fd/$fd ] || "
			   "readlink /proc/self/fd/$fd; done"),
	};
	struct souk_proc_result result;
	int before = scratch_count_fds(), kept[4], i;

	/* Without CLOEXEC: they must still not get there. */
	for (i = 0; i < 4; i++)
		kept[i] = open("/dev/null", O_RDONLY);
	for (i = 0; i < 20; i++) {
		ck_assert_int_eq(run(&options, &result), SOUK_OK);
		ck_assert_str_eq(result.out.data, "");
		souk_proc_result_fini(&result);
	}
	options.output_ceiling = 1;
	options.argv = SH("echo too much");
	ck_assert_int_eq(run(&options, &result), SOUK_E_INVALID);
	for (i = 0; i < 4; i++)
		close(kept[i]);
	ck_assert_int_eq(scratch_count_fds(), before);
}
END_TEST

START_TEST(the_signal_mask_is_clear)
{
	struct souk_proc_options options = { .argv = SH("grep ^SigBlk: /proc/self/status") };
	struct souk_proc_result result;
	sigset_t all;

	sigfillset(&all);
	ck_assert_int_eq(sigprocmask(SIG_BLOCK, &all, NULL), 0);
	ck_assert_int_eq(run(&options, &result), SOUK_OK);
	ck_assert_str_eq(result.out.data, "SigBlk:\t0000000000000000\n");
	souk_proc_result_fini(&result);
}
END_TEST

/* A daemon may have closed its own. */
START_TEST(without_streams_of_our_own)
{
	struct souk_proc_options options = { .argv = SH("cat; echo out; echo err >&2"),
					     .input = "in ", .input_size = 3 };
	struct souk_proc_result result;
	pid_t pid = fork();
	int i;

	if (pid == 0) {
		for (i = 0; i < 3; i++)
			if (_i & (1 << i))
				close(i);
		_exit(souk_proc_run(&options, &result, NULL) == SOUK_OK && result.exit_status == 0 &&
			      strcmp(result.out.data, "in out\n") == 0 &&
			      strcmp(result.errs.data, "err\n") == 0 ? 0 : 1);
	}
	ck_assert_int_eq(scratch_wait(pid), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("proc");
	TCase *tc = tcase_create("proc");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, begin, scratch_remove);
	tcase_add_loop_test(tc, says_how_it_ended, 0, SOUK_ARRAY_SIZE(ends));
	tcase_add_test(tc, there_is_no_such_program);
	tcase_add_test(tc, the_time_runs_out);
	tcase_add_test(tc, the_time_runs_out_for_the_stubborn);
	tcase_add_test(tc, can_be_cancelled);
	tcase_add_test(tc, output_has_a_ceiling);
	tcase_add_test(tc, of_stderr_the_end_is_kept);
	tcase_add_test(tc, output_as_it_comes);
	tcase_add_loop_test(tc, a_descendant_does_not_hold_us, 0, 3);
	tcase_add_test(tc, input_larger_than_a_pipe);
	tcase_add_test(tc, input_from_a_descriptor);
	tcase_add_test(tc, the_environment);
	tcase_add_test(tc, no_descriptor_leaks);
	tcase_add_test(tc, the_signal_mask_is_clear);
	tcase_add_loop_test(tc, without_streams_of_our_own, 0, 8);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
