/* SPDX-License-Identifier: Apache-2.0 */
/* test-provider-local.c - machines of the local provider, as ssh, sftp and rsync meet them */
#include <souk/provider.h>

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs.h"
#include "local-fixture.h"
#include "local.h"
#include "machine.h"
#include "procs.h"

/* ---- Offers and identity ------------------------------------------------------------------- */

START_TEST(offers_the_computer)
{
	struct souk_offer_list *list = calloc(1, sizeof(*list));
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_ptr_nonnull(list);
	ck_assert_int_eq(setenv("PATH", "/usr/sbin:/sbin", 1), 0);
	must(ops()->list_offers(self, &call, list, &err), &err);
	ck_assert_uint_eq(list->n, 1);
	ck_assert_str_eq(list->at[0].type, "local");
	ck_assert_uint_gt(list->at[0].offer.vcpus_milli, 0);
	ck_assert_uint_gt(list->at[0].offer.memory_mib, 0);
	ck_assert_int_eq(list->at[0].offer.micros_per_hour, 0);
	ck_assert_int_eq(list->at[0].offer.spot_micros_per_hour, -1);
	ck_assert_uint_eq(list->at[0].offer.flags, SOUK_OFFER_FREE);
	free(list);
}
END_TEST

START_TEST(offers_gpus_by_count)
{
	struct souk_offer_list *list = calloc(1, sizeof(*list));
	struct souk_error err = SOUK_ERROR_INIT;
	char path[PATH_MAX];
	char output[64];

	ck_assert_ptr_nonnull(list);
	ck_assert_int_eq(sh(output, sizeof(output),
			    "mkdir -p %s/bin && cd %s/bin && printf '#!/bin/sh\\n"
			    "echo \"NVIDIA A100-SXM4-80GB, 81920\"\\necho \"NVIDIA A100-SXM4-80GB, "
			    "81920\"\\necho \"NVIDIA GB10, [N/A]\"\\n' >nvidia-smi && "
			    "chmod 755 nvidia-smi",
			    top, top),
			 0);
	(void)snprintf(path, sizeof(path), "%s/bin:/usr/bin:/bin:/usr/sbin", top);
	ck_assert_int_eq(setenv("PATH", path, 1), 0);
	must(ops()->list_offers(self, &call, list, &err), &err);
	ck_assert_uint_eq(list->n, 4);
	ck_assert_str_eq(list->at[1].type, "local-1xA100-SXM4-80GB");
	ck_assert_str_eq(list->at[2].type, "local-2xA100-SXM4-80GB");
	ck_assert_str_eq(list->at[2].accelerator, "A100-SXM4-80GB");
	ck_assert_uint_eq(list->at[2].offer.accelerator_milli, 2000);
	ck_assert_uint_eq(list->at[2].offer.accelerator_memory_mib, 81920);
	ck_assert_str_eq(list->at[3].accelerator, "GB10");
	ck_assert_uint_eq(list->at[3].offer.accelerator_memory_mib, 0);
	free(list);
}
END_TEST

START_TEST(tells_who_and_what)
{
	struct souk_identity identity = { .text = "" };
	struct souk_error err = SOUK_ERROR_INIT;

	must(ops()->check(self, &call, &identity, &err), &err);
	ck_assert_ptr_nonnull(strstr(identity.text, "principal="));
	ck_assert_ptr_nonnull(strstr(identity.text, "sshd=OpenSSH_"));
}
END_TEST

START_TEST(says_that_sshd_is_missing)
{
	struct souk_instance_list out;
	struct souk_error err = SOUK_ERROR_INIT;
	struct local *local = self;

	(void)snprintf(local->sshd, sizeof(local->sshd), "/nonexistent/sshd");
	ck_assert_int_eq(provision("nosshd", 1, 0, &out, &err), SOUK_E_UNSUPPORTED);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_PROVIDER);
	ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent/sshd"));
	ck_assert_uint_eq(count_found("nosshd", &out), 0);
}
END_TEST

static const struct {
	const char *name;
	const char *token;
	const char *cluster;
	const char *owner;
	const char *key;
	const char *region;
	const char *type;
	uint32_t count;
	int code;
} bad_specs[] = {
	{ "no machines", "t", "c", "o", "k k", "local", "local", 0, SOUK_E_INVALID },
	{ "too many", "t", "c", "o", "k k", "local", "local", 100000, SOUK_E_INVALID },
	{ "path in the token", "../t", "c", "o", "k k", "local", "local", 1, SOUK_E_INVALID },
	{ "empty token", "", "c", "o", "k k", "local", "local", 1, SOUK_E_INVALID },
	{ "long cluster", "t", "ccccccccccccccccccccccccccccccccccccccccc", "o", "k k", "local",
	  "local", 1, SOUK_E_INVALID },
	{ "line in the owner", "t", "c", "o\nmark=x", "k k", "local", "local", 1, SOUK_E_INVALID },
	{ "no key", "t", "c", "o", NULL, "local", "local", 1, SOUK_E_INVALID },
	{ "two keys", "t", "c", "o", "k k\nk k", "local", "local", 1, SOUK_E_INVALID },
	{ "other region", "t", "c", "o", "k k", "mars", "local", 1, SOUK_E_NOT_FOUND },
	{ "other type", "t", "c", "o", "k k", "local", "p5.48xlarge", 1, SOUK_E_NOT_FOUND },
};

START_TEST(refuses_bad_specs)
{
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec),
		.count = bad_specs[_i].count,
		.request_token = bad_specs[_i].token,
		.cluster = bad_specs[_i].cluster,
		.owner = bad_specs[_i].owner,
		.ssh_public_key = bad_specs[_i].key,
		.region = bad_specs[_i].region,
		.instance_type = bad_specs[_i].type,
	};
	struct souk_instance_list out = { .n = 0 };
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_msg(ops()->provision(self, &call, &spec, &out, &err) == bad_specs[_i].code,
		      "%s: %d %s", bad_specs[_i].name, err.code, err.message);
	ck_assert_uint_eq(out.n, 0);
	ck_assert(err.message[0] != '\0');
}
END_TEST

/* ---- Life on a machine --------------------------------------------------------------------- */

START_TEST(gives_each_machine_its_home)
{
	struct souk_instance_list list;
	char home[PATH_MAX];
	char output[PATH_MAX];
	uint32_t i;

	make("home", 2, &list);
	ck_assert_str_ne(list.at[0].host, list.at[1].host);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(list.at[i].status, SOUK_INSTANCE_RUNNING);
		(void)snprintf(home, sizeof(home), "%s/machines/c-home-%u/home", top, (unsigned)i);
		ck_assert_int_eq(SSH(&list.at[i], output, "'echo $HOME'"), 0);
		ck_assert_str_eq(output, home);
		ck_assert_int_eq(SSH(&list.at[i], output, "pwd"), 0);
		ck_assert_str_eq(output, home);
	}
	ck_assert_int_eq(SSH(&list.at[0], output, "'echo \"a  b\"; exit 3'"), 3);
	ck_assert_str_eq(output, "a  b");
	/* A session without a command is a login shell. */
	ck_assert_int_eq(sh(output, sizeof(output),
			    "echo 'echo is:$HOME:$SSH_ORIGINAL_COMMAND; exit 7' | ssh %s %s 2>&1",
			    ssh_options(&list.at[1]), list.at[1].host),
			 7);
	ck_assert_ptr_nonnull(strstr(output, "machines/c-home-1/home:"));
	/* One machine can reach the other by its address. */
	ck_assert_int_eq(sh(output, sizeof(output),
			    "ssh %s %s 'ssh-keyscan -p %u %s 2>/dev/null' | wc -l",
			    ssh_options(&list.at[0]), list.at[0].host, (unsigned)list.at[1].port,
			    list.at[1].host),
			 0);
	ck_assert_str_eq(output, "1");
	apply(ops()->teardown, &list);
	assert_empty();
}
END_TEST

/* An sshd that is not root can give out terminals only where they belong to the group tty. */
static int has_terminals(void)
{
	struct group *group = getgrnam("tty");
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int usable;

	usable = fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0 && stat(ptsname(fd), &st) == 0 &&
		 (geteuid() == 0 || !group || st.st_gid == group->gr_gid);
	if (fd >= 0)
		(void)close(fd);
	return usable;
}

START_TEST(a_terminal_reads_its_own_start_up_files)
{
	struct souk_instance_list list;
	char output[PATH_MAX];

	if (!has_terminals())
		return;
	make("tty", 1, &list);
	ck_assert_int_eq(sh(output, sizeof(output),
			    "cd %s/machines/%s/home && for f in .profile .bash_profile .zprofile "
			    ".bashrc; do echo 'from=own' >$f; done; "
			    "printf 'echo is:$from:$PWD; exit 5\\n' | ssh -tt %s %s 2>&1",
			    top, list.at[0].id, ssh_options(&list.at[0]), list.at[0].host),
			 5);
	ck_assert_ptr_nonnull(strstr(output, "is:own:"));
	apply(ops()->teardown, &list);
	assert_empty();
}
END_TEST

START_TEST(knows_its_host_key)
{
	struct souk_instance_list list;
	char output[4096];

	make("key", 1, &list);
	/* Another key in known_hosts, and ssh must not log in. */
	(void)snprintf(list.at[0].key, sizeof(list.at[0].key), "%.*s",
		       (int)strcspn(strchr(public_key, ' ') + 1, " \n") +
			       (int)(strchr(public_key, ' ') + 1 - public_key),
		       public_key);
	ck_assert_int_eq(SSH(&list.at[0], output, "echo inside"), 255);
	ck_assert_ptr_null(strstr(output, "inside"));
	apply(ops()->teardown, &list);
}
END_TEST

START_TEST(makes_a_host_key_where_none_is_given)
{
	struct souk_instance_spec spec = { .struct_size = sizeof(spec),
					   .count = 1,
					   .request_token = "ownkey",
					   .cluster = "c",
					   .owner = "me@here",
					   .instance_type = "local",
					   .ssh_public_key = public_key };
	struct souk_instance_list out = { .n = 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	char output[1024];

	must(ops()->provision(self, &call, &spec, &out, &err), &err);
	ck_assert_uint_eq(out.n, 1);
	ck_assert_str_ne(out.at[0].key, "");
	ck_assert_int_eq(SSH(&out.at[0], output, "echo in"), 0);
	ck_assert_str_eq(output, "in");
	apply(ops()->teardown, &out);
}
END_TEST

START_TEST(copies_with_sftp)
{
	struct souk_instance_list list;
	char output[4096];

	make("sftp", 1, &list);
	ck_assert_int_eq(
		sh(output, sizeof(output),
		   "cd %s && echo text >up && printf 'pwd\\nput up there\\nget there down\\n' | "
		   "sftp -b - %s %s 2>&1 && cat down",
		   top, ssh_options(&list.at[0]), list.at[0].host),
		0);
	ck_assert_ptr_nonnull(strstr(output, "machines/c-sftp-0/home"));
	ck_assert_ptr_nonnull(strstr(output, "\ntext"));
	ck_assert_int_eq(sh(output, sizeof(output), "cat %s/machines/c-sftp-0/home/there", top), 0);
	ck_assert_str_eq(output, "text");
	apply(ops()->teardown, &list);
}
END_TEST

START_TEST(copies_with_rsync)
{
	struct souk_instance_list list;
	char output[4096];

	if (sh(output, sizeof(output), "command -v rsync") != 0)
		return;
	make("rsync", 1, &list);
	ck_assert_int_eq(sh(output, sizeof(output),
			    "cd %s && mkdir -p src/a && echo x >'src/a/b c' && ln -s a src/l && "
			    "rsync -a -e \"ssh %s\" src/ %s:dst/ 2>&1 && "
			    "rsync -a -e \"ssh %s\" %s:dst/ back/ 2>&1 && diff -r src back && "
			    "test -L machines/c-rsync-0/home/dst/l",
			    top, ssh_options(&list.at[0]), list.at[0].host,
			    ssh_options(&list.at[0]), list.at[0].host),
			 0);
	apply(ops()->teardown, &list);
}
END_TEST

/* ---- Tokens -------------------------------------------------------------------------------- */

START_TEST(makes_one_set_for_one_token)
{
	struct souk_instance_list first;
	struct souk_instance_list second;
	pid_t pids[2];
	uint32_t i;

	make("once", 2, &first);
	for (i = 0; i < 2; i++)
		pids[i] = supervisor_of(&first.at[i]);
	make("once", 2, &second);
	for (i = 0; i < 2; i++) {
		ck_assert_str_eq(first.at[i].id, second.at[i].id);
		ck_assert_uint_eq(first.at[i].port, second.at[i].port);
		ck_assert_int_eq(supervisor_of(&second.at[i]), pids[i]);
	}
	ck_assert_uint_eq(count_found("once", &second), 2);
	ck_assert_uint_eq(count_found("never", &second), 0);
	apply(ops()->teardown, &first);
	apply(ops()->teardown, &first);
	ck_assert_int_eq(status_of(first.at[0].id, NULL), -1);
	assert_empty();
}
END_TEST

START_TEST(two_calls_at_once_make_one_set)
{
	struct souk_instance_list list;
	pid_t pids[4];
	int status;
	size_t i;

	for (i = 0; i < 4; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			struct souk_error err = SOUK_ERROR_INIT;
			int ret = provision("race", 2, 0, &list, &err);

			_exit(ret == SOUK_OK && list.n == 2 &&
					      list.at[1].status == SOUK_INSTANCE_RUNNING
				      ? 0
				      : 1);
		}
	}
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert_uint_eq(count_found("race", &list), 2);
	apply(ops()->teardown, &list);
	assert_empty();
}
END_TEST

START_TEST(completes_a_half_made_set)
{
	struct souk_instance_list list;
	struct souk_instance_list found;
	char output[256];
	pid_t pid;

	/* As if it had been killed after the folder of the second got its name. */
	make("half", 2, &list);
	pid = supervisor_of(&list.at[1]);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	await_end(pid);
	ck_assert_int_eq(sh(output, sizeof(output), "rm %s/machines/%s/run/*", top, list.at[1].id),
			 0);
	ck_assert_uint_eq(count_found("half", &found), 2);
	ck_assert_int_eq(status_of(list.at[1].id, NULL), SOUK_INSTANCE_FAILED);
	pid = supervisor_of(&list.at[0]);
	make("half", 2, &found);
	ck_assert_int_eq(found.at[1].status, SOUK_INSTANCE_RUNNING);
	ck_assert_int_eq(supervisor_of(&list.at[0]), pid);
	ck_assert_int_eq(SSH(&found.at[1], output, "true"), 0);
	apply(ops()->teardown, &found);
	assert_empty();
}
END_TEST

/* Kill a provision at many instants: what it leaves is found by its token, and completed. */
START_TEST(survives_kill_at_any_instant)
{
	struct timespec after = { .tv_nsec = _i * 1500000L };
	struct souk_instance_list list;
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list found;
	char token[16];
	uint32_t i;
	pid_t pid;

	(void)snprintf(token, sizeof(token), "kill%d", _i);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(provision(token, 2, 0, &list, &err) == SOUK_OK ? 0 : 1);
	(void)nanosleep(&after, NULL);
	(void)kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	(void)count_found(token, &found);
	for (i = 0; i < found.n; i++)
		ck_assert_str_eq(found.at[i].token, token);
	if (_i % 2) {
		make(token, 2, &found);
		for (i = 0; i < 2; i++) {
			/* One that was on its way when the call was killed may still be. */
			while (status_of(found.at[i].id, &found.at[i]) == SOUK_INSTANCE_PENDING)
				(void)sched_yield();
			ck_assert_int_eq(found.at[i].status, SOUK_INSTANCE_RUNNING);
		}
	}
	apply(ops()->teardown, &found);
	ck_assert_uint_eq(count_found(token, &found), 0);
	assert_empty();
}
END_TEST

START_TEST(a_cancelled_call_leaves_nothing)
{
	struct souk_instance_list list;
	struct souk_error err = SOUK_ERROR_INIT;

	call.cancelled = 1;
	ck_assert_int_eq(provision("cancel", 2, 0, &list, &err), SOUK_E_CANCELLED);
	call.cancelled = 0;
	ck_assert_uint_eq(count_found("cancel", &list), 0);
	assert_empty();
}
END_TEST

START_TEST(a_refused_configuration_leaves_nothing)
{
	struct souk_instance_list list;
	struct souk_error err = SOUK_ERROR_INIT;
	struct local *local = self;

	/* A program that fails is an sshd that refuses to start. */
	(void)snprintf(local->sshd, sizeof(local->sshd), "/bin/false");
	ck_assert_int_eq(provision("refused", 2, 0, &list, &err), SOUK_E_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.message, "sshd refuses to start"));
	ck_assert_uint_eq(list.n, 0);
	assert_empty();
}
END_TEST

/* ---- Ends ---------------------------------------------------------------------------------- */

START_TEST(teardown_ends_every_process_and_no_other)
{
	struct souk_instance_list list;
	struct souk_instance_list first = { .n = 1 };
	struct machine neighbour;
	char output[256];
	pid_t supervisor;
	pid_t stubborn;
	pid_t daemon;
	pid_t other;

	make("end", 2, &list);
	first.at[0] = list.at[0];
	neighbour = list.at[1];
	supervisor = supervisor_of(&list.at[0]);
	daemon = start_daemon(&list.at[0]);
	other = start_daemon(&neighbour);
	ck_assert_int_eq(SSH(&list.at[0], output,
			     "\"sh -c 'trap \\\"\\\" TERM HUP; while :; do sleep 1000; done' "
			     "</dev/null >/dev/null 2>&1 & echo \\$!\""),
			 0);
	stubborn = (pid_t)strtol(output, NULL, 10);
	ck_assert(is_alive(stubborn));
	apply(ops()->teardown, &first);
	ck_assert(!is_alive(daemon));
	ck_assert(!is_alive(stubborn));
	ck_assert(!is_alive(supervisor));
	ck_assert_int_eq(status_of(list.at[0].id, NULL), -1);
	assert_closed(&list.at[0]);
	ck_assert(is_alive(other));
	ck_assert_int_eq(SSH(&neighbour, output, "echo on"), 0);
	ck_assert_str_eq(output, "on");
	apply(ops()->teardown, &list);
	ck_assert(!is_alive(other));
	assert_empty();
}
END_TEST

START_TEST(stops_and_starts)
{
	struct souk_instance_list list;
	struct machine again;
	char output[256];
	pid_t daemon;

	make("stop", 1, &list);
	ck_assert_int_eq(SSH(&list.at[0], output, "'echo kept >file'"), 0);
	daemon = start_daemon(&list.at[0]);
	apply(ops()->stop, &list);
	apply(ops()->stop, &list);
	ck_assert(!is_alive(daemon));
	ck_assert_int_eq(status_of(list.at[0].id, NULL), SOUK_INSTANCE_STOPPED);
	assert_closed(&list.at[0]);
	apply(ops()->start, &list);
	apply(ops()->start, &list);
	ck_assert_int_eq(status_of(list.at[0].id, &again), SOUK_INSTANCE_RUNNING);
	ck_assert_str_eq(again.host, list.at[0].host);
	ck_assert_int_eq(SSH(&again, output, "cat file"), 0);
	ck_assert_str_eq(output, "kept");
	apply(ops()->teardown, &list);
	assert_empty();
}
END_TEST

START_TEST(shuts_itself_down)
{
	struct souk_instance_list list;
	struct souk_instance_ref ref = { .struct_size = sizeof(ref), .region = "local" };
	struct souk_error err = SOUK_ERROR_INIT;
	char output[1024];
	pid_t supervisor;
	pid_t daemon;

	must(provision("self", 1, SOUK_ON_SHUTDOWN_STOP, &list, &err), &err);
	daemon = start_daemon(&list.at[0]);
	supervisor = supervisor_of(&list.at[0]);
	(void)SSH(&list.at[0], output, list.at[0].command);
	await_end(supervisor);
	ck_assert(!is_alive(daemon));
	ck_assert_int_eq(status_of(list.at[0].id, NULL), SOUK_INSTANCE_STOPPED);
	apply(ops()->start, &list);
	ref.id = list.at[0].id;
	must(ops()->set_on_shutdown(self, &call, &ref, 1, SOUK_ON_SHUTDOWN_TERMINATE, &err), &err);
	daemon = start_daemon(&list.at[0]);
	supervisor = supervisor_of(&list.at[0]);
	(void)SSH(&list.at[0], output, list.at[0].command);
	await_end(supervisor);
	ck_assert(!is_alive(daemon));
	ck_assert_int_eq(status_of(list.at[0].id, NULL), -1);
	assert_empty();
}
END_TEST

START_TEST(outlives_a_killed_supervisor)
{
	struct souk_instance_list list;
	char output[256];
	pid_t supervisor;
	pid_t marked;

	make("crash", 1, &list);
	ck_assert_int_eq(SSH(&list.at[0], output,
			     "'setsid sleep 100000 </dev/null >/dev/null 2>&1 & echo $!'"),
			 0);
	marked = (pid_t)strtol(output, NULL, 10);
	supervisor = supervisor_of(&list.at[0]);
	ck_assert_int_eq(kill(supervisor, SIGKILL), 0);
	await_end(supervisor);
	ck_assert(is_alive(marked));
	ck_assert_int_eq(status_of(list.at[0].id, NULL), SOUK_INSTANCE_STOPPED);
	apply(ops()->start, &list);
	ck_assert(!is_alive(marked));
	ck_assert_int_eq(status_of(list.at[0].id, &list.at[0]), SOUK_INSTANCE_RUNNING);
	ck_assert_int_eq(SSH(&list.at[0], output, "true"), 0);
	supervisor = supervisor_of(&list.at[0]);
	ck_assert_int_eq(kill(supervisor, SIGKILL), 0);
	await_end(supervisor);
	apply(ops()->teardown, &list);
	assert_empty();
}
END_TEST

START_TEST(ends_with_its_folder)
{
	struct souk_instance_list list;
	char output[256];
	pid_t supervisor;
	pid_t daemon;

	make("vanish", 1, &list);
	daemon = start_daemon(&list.at[0]);
	supervisor = supervisor_of(&list.at[0]);
	ck_assert_int_eq(sh(output, sizeof(output), "rm -rf %s/machines/%s", top, list.at[0].id),
			 0);
	await_end(supervisor);
	ck_assert(!is_alive(daemon));
	apply(ops()->teardown, &list);
	assert_empty();
}
END_TEST

START_TEST(is_not_ended_from_inside)
{
	struct souk_instance_list list;
	struct souk_instance_ref ref = { .struct_size = sizeof(ref), .region = "local" };
	struct souk_error err = SOUK_ERROR_INIT;
	struct local_record record;
	int fd;

	make("inside", 1, &list);
	ref.id = list.at[0].id;
	fd = machine_dir(ref.id);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(local_record_read(fd, &record), 0);
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(setenv(LOCAL_MARK_VARIABLE, record.mark, 1), 0);
	local_record_fini(&record);
	ck_assert_int_eq(ops()->teardown(self, &call, &ref, 1, &err), SOUK_E_CONFLICT);
	ck_assert_int_eq(status_of(ref.id, NULL), SOUK_INSTANCE_RUNNING);
	ck_assert_int_eq(unsetenv(LOCAL_MARK_VARIABLE), 0);
	apply(ops()->teardown, &list);
}
END_TEST

START_TEST(a_spoilt_record_can_be_torn_down)
{
	struct souk_instance_list list;
	struct souk_instance_list found;
	char output[256];

	make("spoilt", 1, &list);
	apply(ops()->stop, &list);
	ck_assert_int_eq(
		sh(output, sizeof(output), ": >%s/machines/%s/machine", top, list.at[0].id), 0);
	ck_assert_uint_eq(count_found("spoilt", &found), 0);
	apply(ops()->teardown, &list);
	assert_empty();
}
END_TEST

START_TEST(ids_are_no_paths)
{
	struct souk_instance_list list = { .n = 1 };
	char output[256];

	ck_assert_int_eq(sh(output, sizeof(output), "mkdir -p %s/machines %s/precious", top, top),
			 0);
	(void)snprintf(list.at[0].id, sizeof(list.at[0].id), "%s", "../precious");
	apply(ops()->teardown, &list);
	ck_assert_int_eq(sh(output, sizeof(output), "test -d %s/precious", top), 0);
}
END_TEST

/* ---- Trees --------------------------------------------------------------------------------- */

START_TEST(removes_any_tree)
{
	char output[256];
	char path[PATH_MAX];
	int topfd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int at;
	int i;

	ck_assert_int_ge(topfd, 0);
	ck_assert_int_eq(sh(output, sizeof(output),
			    "cd %s && mkdir -p out tree/ro/sub tree/none && echo x >out/kept && "
			    "ln -s ../out tree/link && ln -s /nowhere tree/dangling && "
			    "mkfifo tree/fifo && touch tree/ro/sub/f tree/none/g tree/.~0 && "
			    "chmod 500 tree/ro/sub tree/ro && chmod 0 tree/none",
			    top),
			 0);
	/* Deeper than a path can be long. */
	(void)snprintf(path, sizeof(path), "%s/tree", top);
	at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (i = 0; i < 3000; i++) {
		int next;

		ck_assert_int_eq(mkdirat(at, "deeper", 0700), 0);
		ck_assert_int_eq(mkdirat(at, "beside", 0700), 0);
		next = openat(at, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(next, 0);
		ck_assert_int_eq(close(at), 0);
		at = next;
	}
	ck_assert_int_eq(close(at), 0);
	ck_assert_int_eq(local_remove_tree(topfd, "tree"), 0);
	ck_assert_int_eq(faccessat(topfd, "tree", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	ck_assert_int_eq(faccessat(topfd, "out/kept", F_OK, 0), 0);
	ck_assert_int_eq(local_remove_tree(topfd, "tree"), 0);
	ck_assert_int_eq(close(topfd), 0);
}
END_TEST

/* What is mounted on a machine does not belong to it: teardown unmounts it and spares it. */
START_TEST(spares_what_is_mounted)
{
	struct souk_instance_list list;
	char output[256];
	int topfd;

	if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
		return; /* mounting is for root, and not even for root everywhere */
	topfd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(topfd, 0);
	make("mount", 1, &list);
	ck_assert_int_eq(
		sh(output, sizeof(output),
		   "cd %s && mkdir -p data machines/%s/home/a/b tree2/m && echo x >data/kept && "
		   "mount -t tmpfs none data && echo x >data/kept && "
		   "mount --bind data machines/%s/home/a/b && mount --bind data tree2/m",
		   top, list.at[0].id, list.at[0].id),
		0);
	ck_assert_int_eq(local_remove_tree(topfd, "tree2"), -EXDEV);
	apply(ops()->teardown, &list);
	ck_assert_int_eq(faccessat(topfd, "data/kept", F_OK, 0), 0);
	assert_empty();
	ck_assert_int_eq(close(topfd), 0);
}
END_TEST

START_TEST(files_are_replaced_whole)
{
	char *text = NULL;
	struct stat st;
	int topfd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(local_write_file(topfd, "whole", 0600, "one\n"), 0);
	ck_assert_int_eq(local_write_file(topfd, "whole", 0640, "two\n"), 0);
	ck_assert_int_eq(fstatat(topfd, "whole", &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0640);
	ck_assert_int_eq(local_read_file(topfd, "whole", 3, &text), -EFBIG);
	ck_assert_int_eq(local_read_file(topfd, "whole", 4, &text), 0);
	ck_assert_str_eq(text, "two\n");
	free(text);
	ck_assert_int_eq(local_read_file(topfd, "nothing", 4, &text), -ENOENT);
	ck_assert_int_eq(close(topfd), 0);
}
END_TEST

/* ---- Main ---------------------------------------------------------------------------------- */

static void make_key(const char *name, char *private_text, size_t private_size, char *public_text,
		     size_t public_size)
{
	char junk[256];

	ck_assert_int_eq(sh(junk, sizeof(junk), "ssh-keygen -q -t ed25519 -N '' -C test -f %s/%s",
			    top, name),
			 0);
	ck_assert_int_eq(sh(private_text, private_size, "cat %s/%s", top, name), 0);
	ck_assert_int_eq(sh(public_text, public_size, "cat %s/%s.pub", top, name), 0);
}

static void make_top(void)
{
	char unused[8192];

	(void)snprintf(top, sizeof(top), "/tmp/souk-test-local-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	make_key("user", unused, sizeof(unused), public_key, sizeof(public_key));
	make_key("host", host_private, sizeof(host_private), host_public, sizeof(host_public));
}

static void remove_top(void)
{
	char output[256];

	open_provider();
	end_all();
	ops()->close(self);
	ck_assert_int_eq(sh(output, sizeof(output), "rm -rf %s", top), 0);
}

static Suite *suite(void)
{
	Suite *s = suite_create("provider-local");
	TCase *tc = tcase_create("machines");

	tcase_add_unchecked_fixture(tc, make_top, remove_top);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, offers_the_computer);
	tcase_add_test(tc, offers_gpus_by_count);
	tcase_add_test(tc, tells_who_and_what);
	tcase_add_test(tc, says_that_sshd_is_missing);
	tcase_add_loop_test(tc, refuses_bad_specs, 0, sizeof(bad_specs) / sizeof(*bad_specs));
	tcase_add_test(tc, gives_each_machine_its_home);
	tcase_add_test(tc, a_terminal_reads_its_own_start_up_files);
	tcase_add_test(tc, knows_its_host_key);
	tcase_add_test(tc, makes_a_host_key_where_none_is_given);
	tcase_add_test(tc, copies_with_sftp);
	tcase_add_test(tc, copies_with_rsync);
	tcase_add_test(tc, makes_one_set_for_one_token);
	tcase_add_test(tc, two_calls_at_once_make_one_set);
	tcase_add_test(tc, completes_a_half_made_set);
	tcase_add_loop_test(tc, survives_kill_at_any_instant, 0, 24);
	tcase_add_test(tc, a_cancelled_call_leaves_nothing);
	tcase_add_test(tc, a_refused_configuration_leaves_nothing);
	tcase_add_test(tc, teardown_ends_every_process_and_no_other);
	tcase_add_test(tc, stops_and_starts);
	tcase_add_test(tc, shuts_itself_down);
	tcase_add_test(tc, outlives_a_killed_supervisor);
	tcase_add_test(tc, ends_with_its_folder);
	tcase_add_test(tc, is_not_ended_from_inside);
	tcase_add_test(tc, a_spoilt_record_can_be_torn_down);
	tcase_add_test(tc, ids_are_no_paths);
	tcase_add_test(tc, removes_any_tree);
	tcase_add_test(tc, spares_what_is_mounted);
	tcase_add_test(tc, files_are_replaced_whole);
	suite_add_tcase(s, tc);
	return s;
}

int main(void)
{
	struct local_programs programs;
	struct local none = { .supervisor = SOUK_TEST_SUPERVISOR };
	struct souk_error err = SOUK_ERROR_INIT;
	SRunner *runner;
	int failed;

	if (local_programs_find(&none, &programs, &err) != SOUK_OK) {
		(void)fprintf(stderr, "skipped: %s\n", err.message);
		return 77;
	}
	runner = srunner_create(suite());
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
