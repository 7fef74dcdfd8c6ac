/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/run.c - each test in a process of its own, so that a crash is a finding */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <souk/souk.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/util.h"
#include "conformance/conform.h"
#include "conformance/process.h"
#include "conformance/watch.h"
#include "context.h"

enum {
	OP_MS = 60000,		/* of one call */
	TEST_MS = 300000,	/* of one test */
	LONG_TEST_MS = 1800000,
	OUTPUT_MAX = 400
};

static const struct {
	const char *id, *what, *fix;
} rules[CONFORM_RULES] = {
	[CONFORM_ERRORS] = { "always.errors", "each failure has a code, a scope and a message",
			     "return souk_error_set(err, SOUK_E_..., \"what failed, with which input\")" },
	[CONFORM_INSTANCES] = { "always.instances", "what is told of machines makes sense, and once",
				"see struct souk_instance in souk/provider.h" },
	[CONFORM_REQUESTS] = { "always.requests", "HTTP requests are named and have their size",
			       "begin with SOUK_HTTP_REQUEST_HEAD and set .what" },
	[CONFORM_SECRETS_KEPT] = { "always.secrets", "no secret in messages, logs, URLs and traces",
				   "keep secrets to Authorization headers and SOUK_HTTP_SECRET_BODY" },
	[CONFORM_OUTPUT] = { "always.silent", "nothing is written to stdout and stderr",
			     "use souk_call_log()" },
	[CONFORM_PROCESS] = { "always.process",
			      "environment, folder, locale, umask, signals and threads are left alone",
			      "a module is a guest in the process; join your threads in close" },
};

struct run {
	struct souk *souk;
	const struct souk_conformance *asked;
	struct conform_settings settings;
	struct conform_shared *shared;
	struct souk_module *module;
	struct souk_paths paths; /* the user's, with state and cache of the run's own */
	char *folder;
	char owner[32];
	struct souk_conformance_result result;
};

/* ---- In the child ---- */

static int begin_session(struct conform *t)
{
	struct souk_error err = SOUK_ERROR_INIT;

	if (souk_module_load(t->module, &err) < 0)
		return conform_skip(t, "the module cannot be used: %s", err.message);
	if (souk_provider_open(t->module, t->config, t->paths, &t->provider, &err) < 0)
		return conform_fail(t, "open failed: %s%s%.200s", err.message, err.hint[0] ? "; " : "",
				    err.hint);
	t->ops = souk_provider_ops(t->provider);
	watch_begin(t);
	return conform_open(t, &t->main);
}

static void in_child(struct run *run, const struct conform_test *test)
{
	struct conform t = {
		.settings = &run->settings,
		.shared = run->shared,
		.module = run->module,
		.config = &run->souk->config,
		.paths = &run->paths,
		.owner = run->owner,
		.deadline_ms = OP_MS,
	};
	struct process_state state;

	pthread_mutex_init(&t.lock, NULL);
	if (souk_cancel_init(&t.cancel, NULL) < 0) {
		conform_skip(&t, "no pipe could be made");
		return;
	}
	process_state_take(&state);
	if (test->flags & CONFORM_RAW) {
		test->run(&t);
	} else {
		if (begin_session(&t) == 0) {
			test->run(&t);
			watch_arm(WATCH_NONE, 0);
			conform_close(&t, &t.main);
		}
		souk_provider_close(t.provider);
		process_state_compare(&t, &state, 1);
	}
	process_state_fini(&state);
}

static void child(struct run *run, const struct conform_test *test, int fd, pid_t parent)
{
	const struct rlimit no_core = { 0, 0 };
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	setrlimit(RLIMIT_CORE, &no_core);
	if (null >= 0)
		dup2(null, 0);
	dup2(fd, 1);
	dup2(fd, 2);
	/* What the core says of its own accord is not the module's output. */
	souk_log_set_level(-1);
	in_child(run, test);
	fflush(NULL);
	_exit(0);
}

/* ---- In the parent ---- */

static void note_output(struct run *run, const char *id, const char *data, size_t size)
{
	char line[OUTPUT_MAX];
	size_t i, n = size < sizeof(line) - 1 ? size : sizeof(line) - 1;

	for (i = 0; i < n; i++)
		line[i] = data[i] >= ' ' && data[i] < 127 ? data[i] : ' ';
	line[n] = '\0';
	if (run->shared->rules[CONFORM_OUTPUT].count++ == 0)
		snprintf(run->shared->rules[CONFORM_OUTPUT].text,
			 sizeof(run->shared->rules[CONFORM_OUTPUT].text), "in %.60s: '%s'", id, line);
}

/* 0: the child has ended, 2: it goes on. The first lines are enough to know it by. */
static int take_output(const struct pollfd fds[3], struct souk_buf *output)
{
	char data[4096];
	ssize_t n = -1;

	if (fds[0].revents & (POLLIN | POLLHUP)) {
		n = read(fds[0].fd, data, sizeof(data));
		if (n > 0 && output->len < OUTPUT_MAX)
			souk_buf_add(output, data, (size_t)n);
		return n == 0 || (n < 0 && errno != EINTR) ? 0 : 2;
	}
	return fds[2].revents & POLLIN ? 0 : 2;
}

/*
 * Take what the child writes until its end, which a machine that it started and that has its
 * stdout may outlive. 0; 1: it took too long; -1: we are interrupted.
 */
static int follow(struct run *run, const struct conform_test *test, pid_t pid, int fd,
		  struct souk_buf *output)
{
	int64_t end = souk_clock_ms() + (test->flags & CONFORM_LONG ? LONG_TEST_MS : TEST_MS);
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), ret;
	struct pollfd fds[3] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = souk_cancel_fd(&run->souk->cancel), .events = POLLIN },
		{ .fd = pidfd, .events = POLLIN },
	};

	do {
		int64_t left = end - souk_clock_ms();
		int n = left > 0 ? poll(fds, 3, (int)left) : 0;

		if (souk_cancel_is_set(&run->souk->cancel))
			ret = -1;
		else if (n == 0 || (n < 0 && errno != EINTR))
			ret = 1;
		else
			ret = n < 0 ? 2 : take_output(fds, output);
	} while (ret == 2);
	if (pidfd >= 0)
		close(pidfd);
	return ret;
}

static void judge_end(struct run *run, int status, int late)
{
	struct conform_shared *shared = run->shared;
	const char *op = shared->op[0] ? shared->op : "no operation";

	if (late > 0) {
		shared->outcome = CONFORM_NOT_OK;
		snprintf(shared->reason, sizeof(shared->reason), "it hangs in %s", op);
	} else if (WIFSIGNALED(status)) {
		shared->outcome = CONFORM_NOT_OK;
		snprintf(shared->reason, sizeof(shared->reason), "it crashed in %s (%s)", op,
			 strsignal(WTERMSIG(status)));
	} else if (WEXITSTATUS(status) != 0) {
		shared->outcome = CONFORM_NOT_OK;
		snprintf(shared->reason, sizeof(shared->reason), "it ended the process in %s (status %d)",
			 op, WEXITSTATUS(status));
	} else if (shared->op[0] && shared->outcome == CONFORM_OK) {
		shared->outcome = CONFORM_NOT_OK;
		snprintf(shared->reason, sizeof(shared->reason), "it ended the process in %s", op);
	}
}

static int wait_child(struct run *run, const struct conform_test *test, pid_t pid, int fd)
{
	struct souk_buf output;
	int late, status = 0;

	souk_buf_init(&output, 65536);
	late = follow(run, test, pid, fd, &output);
	/* The group: a module may have started programs. */
	if (late != 0)
		kill(-pid, SIGKILL);
	if (late != 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (output.len > 0 && late == 0 && !WIFSIGNALED(status))
		note_output(run, test->id, output.data, output.len);
	souk_buf_fini(&output);
	judge_end(run, status, late);
	return late < 0 ? SOUK_E_CANCELLED : SOUK_OK;
}

static int run_test(struct run *run, const struct conform_test *test, struct souk_error *err)
{
	pid_t parent = getpid(), pid;
	int fds[2], ret;

	run->shared->outcome = CONFORM_OK;
	run->shared->reason[0] = '\0';
	run->shared->op[0] = '\0';
	if (pipe2(fds, O_CLOEXEC) < 0)
		return souk_error_errno(err, errno, "cannot make a pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return souk_error_errno(err, errno, "cannot start a process");
	}
	if (pid == 0) {
		close(fds[0]);
		child(run, test, fds[1], parent);
	}
	close(fds[1]);
	ret = wait_child(run, test, pid, fds[0]);
	close(fds[0]);
	if (ret == SOUK_E_CANCELLED)
		return souk_error_set(err, ret, "interrupted");
	return ret;
}

/* ---- What is told ---- */

static int is_wanted(const struct run *run, const char *id)
{
	return !run->asked->only || fnmatch(run->asked->only, id, 0) == 0;
}

static void tell(struct run *run, const char *id, const char *what, const char *fix, int outcome,
		 const char *reason, int64_t took_ms)
{
	const struct souk_conformance_row row = {
		.id = id,
		.what = what,
		.outcome = outcome,
		.reason = outcome == CONFORM_OK ? NULL : reason,
		.fix = outcome == CONFORM_NOT_OK ? fix : NULL,
		.took_ms = took_ms,
	};

	run->result.passed += outcome == CONFORM_OK;
	run->result.failed += outcome == CONFORM_NOT_OK;
	run->result.skipped += outcome == CONFORM_SKIP;
	if (run->asked->on_row)
		run->asked->on_row(&row, run->asked->arg);
}

static int try_test(struct run *run, const struct conform_test *test, struct souk_error *err)
{
	int64_t begun = souk_clock_ms();
	int ret = SOUK_OK;

	if (!is_wanted(run, test->id))
		return SOUK_OK;
	if (run->asked->list_only) {
		tell(run, test->id, test->what, NULL, CONFORM_OK, NULL, 0);
		return SOUK_OK;
	}
	run->shared->outcome = CONFORM_OK;
	if ((test->flags & CONFORM_MACHINES) && !run->settings.machines) {
		run->shared->outcome = CONFORM_SKIP;
		snprintf(run->shared->reason, sizeof(run->shared->reason),
			 "it rents machines; say --machines");
	} else {
		ret = run_test(run, test, err);
	}
	if (ret == SOUK_OK)
		tell(run, test->id, test->what, test->fix, run->shared->outcome, run->shared->reason,
		     souk_clock_ms() - begun);
	return ret;
}

static int try_table(struct run *run, const struct conform_test *tests, struct souk_error *err)
{
	int ret = SOUK_OK;

	for (; tests->id && ret == SOUK_OK; tests++)
		ret = try_test(run, tests, err);
	return ret;
}

static void tell_rules(struct run *run)
{
	int i;

	for (i = 0; i < CONFORM_RULES; i++) {
		if (!is_wanted(run, rules[i].id))
			continue;
		tell(run, rules[i].id, rules[i].what, rules[i].fix,
		     run->shared->rules[i].count && !run->asked->list_only ? CONFORM_NOT_OK : CONFORM_OK,
		     run->shared->rules[i].text, 0);
	}
}

/* ---- The run ---- */

static const struct conform_test prepare = { "prepare", "", "", 0, conform_prepare };
static const struct conform_test clear = {
	"cleanup.nothing-left", "when all has ended no machine of the tests is left",
	"tear down for good, with everything that was created", CONFORM_MACHINES, conform_clear,
};

/* A host key for the machines; without ssh-keygen they make their own. */
static void make_host_key(struct run *run)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(run->folder, "host_key");
	SOUK_AUTO_FREE char *public_path = souk_fs_join(run->folder, "host_key.pub");
	const char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path, NULL };
	struct souk_proc_options options = { .argv = argv, .timeout_ms = 20000 };
	struct souk_proc_result result;
	char *private_text = NULL, *public_text = NULL;

	if (!path || !public_path || souk_proc_run(&options, &result, NULL) < 0)
		return;
	souk_proc_result_fini(&result);
	if (souk_fs_read(path, CONFORM_KEY - 1, &private_text, NULL, NULL) == SOUK_OK &&
	    souk_fs_read(public_path, CONFORM_KEY - 1, &public_text, NULL, NULL) == SOUK_OK) {
		public_text[strcspn(public_text, "\n")] = '\0';
		snprintf(run->shared->host_key_private, CONFORM_KEY, "%s", private_text);
		snprintf(run->shared->host_key_public, CONFORM_KEY, "%s", public_text);
	}
	free(private_text);
	free(public_text);
}

static int make_folder(struct run *run, struct souk_error *err)
{
	const char *base = getenv("TMPDIR");

	if (asprintf(&run->folder, "%s/souk-conformance-XXXXXX", base && *base ? base : "/tmp") < 0) {
		run->folder = NULL;
		return souk_error_nomem(err);
	}
	if (!mkdtemp(run->folder)) {
		souk_error_errno(err, errno, "cannot make the folder '%s'", run->folder);
		free(run->folder);
		run->folder = NULL;
		return err->code;
	}
	run->paths = run->souk->paths;
	run->paths.state = souk_fs_join(run->folder, "state");
	run->paths.cache = souk_fs_join(run->folder, "cache");
	return run->paths.state && run->paths.cache ? SOUK_OK : souk_error_nomem(err);
}

static int run_begin(struct run *run, struct souk_error *err)
{
	char id[SOUK_ID_SIZE];
	int ret;

	run->shared = mmap(NULL, sizeof(*run->shared), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run->shared == MAP_FAILED) {
		run->shared = NULL;
		return souk_error_errno(err, errno, "cannot share memory with the tests");
	}
	run->shared->good_pick = -1;
	ret = souk_id_new(id, 8, err);
	if (ret < 0)
		return ret;
	snprintf(run->owner, sizeof(run->owner), "conform-%.8s", id);
	ret = make_folder(run, err);
	if (ret == SOUK_OK && run->settings.machines)
		make_host_key(run);
	return ret;
}

static void run_end(struct run *run)
{
	if (run->folder)
		souk_fs_remove(run->folder, NULL);
	if (run->folder) {
		free(run->paths.state);
		free(run->paths.cache);
	}
	free(run->folder);
	if (run->shared) {
		souk_wipe(run->shared->host_key_private, CONFORM_KEY);
		munmap(run->shared, sizeof(*run->shared));
	}
}

static int run_all(struct run *run, struct souk_error *err)
{
	const struct conform_test *const tables[] = {
		conform_tests_market, conform_tests_machines, conform_tests_faults, conform_tests_load,
	};
	size_t i;
	int ret;

	ret = try_table(run, conform_tests_abi, err);
	/* What others need; if it fails, offers.list says why. */
	if (ret == SOUK_OK && !run->asked->list_only)
		ret = run_test(run, &prepare, err);
	for (i = 0; i < SOUK_ARRAY_SIZE(tables) && ret == SOUK_OK; i++)
		ret = try_table(run, tables[i], err);
	if (ret == SOUK_E_CANCELLED && run->settings.machines) {
		/* What is under way has to be given back all the same: the flag has done its work. */
		souk_cancel_fini(&run->souk->cancel);
		if (souk_cancel_init(&run->souk->cancel, NULL) == SOUK_OK)
			run_test(run, &clear, NULL);
	}
	if (ret == SOUK_OK)
		ret = try_test(run, &clear, err);
	if (ret == SOUK_OK)
		tell_rules(run);
	return ret;
}

int souk_conformance_run(struct souk *souk, const struct souk_conformance *asked,
			 struct souk_conformance_result *result_out, struct souk_error *err)
{
	struct run run = {
		.souk = souk,
		.asked = asked,
		.settings = {
			.calls = asked->calls ? asked->calls : 1000,
			.grace_ms = asked->grace_ms ? asked->grace_ms : 1000,
			.instance_type = asked->instance_type,
			.region = asked->region,
			.machines = asked->machines,
		},
	};
	int ret;

	if (!asked->list_only)
		run.module = souk_modules_get(&souk->registry.modules, asked->provider);
	if (!run.module && !asked->list_only)
		return souk_registry_missing(&souk->registry, asked->provider, err);
	ret = run_begin(&run, err);
	if (ret == SOUK_OK)
		ret = run_all(&run, err);
	if (ret == SOUK_OK && result_out)
		*result_out = run.result;
	run_end(&run);
	return ret;
}
