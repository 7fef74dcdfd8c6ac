/* SPDX-License-Identifier: Apache-2.0 */
/* unit/test-ssh.c - the SSH transport against a real sshd, its loss and its impostors */
#include "ssh-fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/util.h"

/* ---- Keys ------------------------------------------------------------------------ */

/* The first line that a program prints. */
static void first_line(const char *command, char *line, size_t size)
{
	FILE *file = popen(command, "r");

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(fgets(line, (int)size, file));
	ck_assert_int_eq(pclose(file), 0);
	line[strcspn(line, "\n")] = '\0';
}

START_TEST(keys_are_those_of_openssh)
{
	char command[256], line[1024], *fingerprint;

	write_file("key", user_private);
	write_file("key.pub", user_public);
	snprintf(command, sizeof(command), "ssh-keygen -y -P '' -f %s/key", host.folder);
	first_line(command, line, sizeof(line));
	ck_assert_msg(strncmp(user_public, "ssh-ed25519 AAAA", 16) == 0, "%s", user_public);
	ck_assert_str_eq(strrchr(user_public, ' '), " user");
	ck_assert_int_eq(strncmp(line, user_public, strlen(user_public) - strlen(" user")), 0);
	snprintf(command, sizeof(command), "ssh-keygen -l -f %s/key.pub", host.folder);
	first_line(command, line, sizeof(line));
	ck_assert_int_eq(souk_ssh_fingerprint(user_public, &fingerprint, &err), SOUK_OK);
	ck_assert_int_eq(strncmp(fingerprint, "SHA256:", 7), 0);
	ck_assert_ptr_nonnull(strstr(line, fingerprint));
	free(fingerprint);
}
END_TEST

START_TEST(bad_keys_are_refused)
{
	static const char *const lines[] = { "",
					     "ssh-ed25519",
					     "ssh-ed25519 !!!!",
					     "nonsense AAAA",
					     "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==",
					     "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA==" };
	char *text;
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(lines); i++)
		ck_assert_int_eq(souk_ssh_fingerprint(lines[i], &text, &err), SOUK_E_INVALID);
	ck_assert_int_eq(souk_ssh_fingerprint(NULL, &text, &err), SOUK_E_INVALID);
	ck_assert_int_eq(souk_ssh_keygen("two\nlines", &text, &text, &err), SOUK_E_INVALID);
	target.host_key = "ssh-ed25519 garbage";
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_INVALID);
	target.host_key = host_public;
	target.private_key =
		"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n";
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_INVALID);
	target.private_key = NULL;
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_INVALID);
}
END_TEST

START_TEST(key_with_a_passphrase_is_refused_without_asking)
{
	static const char *const formats[] = { "", "-m PEM -t rsa -b 2048",
					       "-m PKCS8 -t rsa -b 2048" };
	char command[512], *path, *text;
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(formats); i++) {
		snprintf(command, sizeof(command),
			 "rm -f %s/locked && ssh-keygen -q %s -N secret -f %s/locked", host.folder,
			 *formats[i] ? formats[i] : "-t ed25519", host.folder);
		ck_assert_int_eq(pclose(popen(command, "w")), 0);
		path = in_folder("locked");
		ck_assert_int_eq(souk_fs_read(path, 65536, &text, NULL, &err), SOUK_OK);
		target.private_key = text;
		ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_INVALID);
		free(text);
		free(path);
	}
}
END_TEST

/* ---- Host keys ------------------------------------------------------------------- */

START_TEST(unknown_host_key_is_told)
{
	char *seen = NULL;

	target.host_key = NULL;
	ck_assert_int_eq(souk_ssh_connect(&target, 60000, NULL, &ssh, &seen, &err), SOUK_OK);
	ck_assert_ptr_nonnull(seen);
	ck_assert_int_eq(strncmp(seen, host_public, strlen(seen)), 0);
	souk_ssh_free(ssh);
	/* Given as expected, it is accepted, and told no more. */
	target.host_key = seen;
	must_connect();
	free(seen);
}
END_TEST

static void must_not_have_tried_to_log_in(void)
{
	char *log = finished_log();

	ck_assert_ptr_nonnull(strstr(log, "Connection from 127.0.0.1"));
	ck_assert_ptr_null(strstr(log, "userauth"));
	ck_assert_ptr_null(strstr(log, "Accepted"));
	ck_assert_ptr_null(strstr(log, "Failed"));
	free(log);
}

START_TEST(impostor_is_refused_before_login)
{
	char *other_private, *other_public, *expected, *seen;

	ck_assert_int_eq(souk_ssh_keygen(NULL, &other_private, &other_public, &err), SOUK_OK);
	target.host_key = other_public;
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_CONFLICT);
	ck_assert_int_eq(souk_ssh_fingerprint(other_public, &expected, &err), SOUK_OK);
	ck_assert_int_eq(souk_ssh_fingerprint(host_public, &seen, &err), SOUK_OK);
	ck_assert_ptr_nonnull(strstr(err.message, "'t-0' at 127.0.0.1"));
	ck_assert_ptr_nonnull(strstr(err.message, "intercepting"));
	ck_assert_ptr_nonnull(strstr(err.message, expected));
	ck_assert_ptr_nonnull(strstr(err.message, seen));
	must_not_have_tried_to_log_in();
	free(other_private);
	free(other_public);
	free(expected);
	free(seen);
}
END_TEST

START_TEST(impostor_with_another_type_of_key_is_refused)
{
	char command[256], line[1024], *seen;

	snprintf(command, sizeof(command), "ssh-keygen -q -t ecdsa -N '' -f %s/other", host.folder);
	ck_assert_int_eq(pclose(popen(command, "w")), 0);
	snprintf(command, sizeof(command), "cat %s/other.pub", host.folder);
	first_line(command, line, sizeof(line));
	target.host_key = line;
	ck_assert_int_eq(souk_ssh_fingerprint(host_public, &seen, &err), SOUK_OK);
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.message, "intercepting"));
	ck_assert_ptr_nonnull(strstr(err.message, seen));
	free(seen);
	must_not_have_tried_to_log_in();
}
END_TEST

/* sshd has several keys, of which it would choose another: the one that is known is asked for. */
START_TEST(known_type_of_key_is_preferred)
{
	char command[512], line[2048];

	snprintf(command, sizeof(command),
		 "cd %s && ssh-keygen -q -t rsa -b 3072 -N '' -f other && "
		 "echo HostKey %s/other >>sshd_config",
		 host.folder, host.folder);
	ck_assert_int_eq(pclose(popen(command, "w")), 0);
	snprintf(command, sizeof(command), "cat %s/other.pub", host.folder);
	first_line(command, line, sizeof(line));
	target.host_key = line;
	must_connect();
	souk_ssh_free(ssh);
	ssh = NULL;
	target.host_key = host_public;
	must_connect();
}
END_TEST

/* Host keys of the other types that clouds give to machines. */
static const char *const key_types[] = { "-t rsa -b 3072", "-t ecdsa -b 256", "-t ecdsa -b 521" };

START_TEST(other_types_of_host_keys_work)
{
	char command[512], line[2048];
	int status;

	snprintf(command, sizeof(command),
		 "cd %s && rm -f host_key && ssh-keygen -q %s -N '' -f host_key", host.folder,
		 key_types[_i]);
	ck_assert_int_eq(pclose(popen(command, "w")), 0);
	snprintf(command, sizeof(command), "cat %s/host_key.pub", host.folder);
	first_line(command, line, sizeof(line));
	target.host_key = line;
	must_connect();
	ck_assert_int_eq(
		souk_ssh_run(ssh, &(struct souk_ssh_command){ .command = "exit 4" }, &status, &err),
		SOUK_OK);
	ck_assert_int_eq(status, 4);
}
END_TEST

/* ---- Logging in ------------------------------------------------------------------ */

START_TEST(wrong_key_is_refused)
{
	char *other_private, *other_public, *log;

	ck_assert_int_eq(souk_ssh_keygen(NULL, &other_private, &other_public, &err), SOUK_OK);
	target.private_key = other_private;
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_AUTH);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_OFFER);
	ck_assert_ptr_nonnull(strstr(err.message, user));
	/* So the log shows an attempt where there is one. */
	log = finished_log();
	ck_assert_ptr_nonnull(strstr(log, "userauth-request for user"));
	free(log);
	free(other_private);
	free(other_public);
}
END_TEST

START_TEST(silence_is_not_reachable)
{
	host.service = SERVE_SILENCE;
	ck_assert_int_eq(connect_now(200, NULL), SOUK_E_TRANSIENT);
}
END_TEST

START_TEST(closing_is_not_reachable)
{
	host.service = _i ? SERVE_RESET : SERVE_CLOSE;
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(err.message, "'t-0' at 127.0.0.1"));
}
END_TEST

START_TEST(names_are_resolved)
{
	target.address = "localhost";
	must_connect();
	souk_ssh_free(ssh);
	ssh = NULL;
	target.address = "no-such-host.invalid";
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_TRANSIENT);
	target.address = "127.0.0.1";
	target.port = 1;
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(err.message, "refused"));
	target.port = 0;
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_INVALID);
}
END_TEST

START_TEST(connecting_can_be_cancelled)
{
	struct souk_cancel cancel;

	ck_assert_int_eq(souk_cancel_init(&cancel, &err), SOUK_OK);
	host.cancel = &cancel;
	host.service = SERVE_SILENCE;
	ck_assert_int_eq(connect_now(600000, &cancel), SOUK_E_CANCELLED);
	ck_assert_int_eq(connect_now(600000, &cancel), SOUK_E_CANCELLED);
	pthread_mutex_lock(&host.lock);
	host.cancel = NULL;
	pthread_mutex_unlock(&host.lock);
	souk_cancel_fini(&cancel);
}
END_TEST

/* ---- Commands -------------------------------------------------------------------- */

struct output {
	struct souk_buf out;
	struct souk_buf errs;
	uint64_t n; /* bytes of stdout, kept or not */
	uint64_t sum;
	struct souk_cancel *cancel; /* set at the first output */
	int abort_code;
};

static int keep(int fd, const char *data, size_t size, void *arg)
{
	struct output *output = arg;

	souk_buf_add(fd == 1 ? &output->out : &output->errs, data, size);
	if (output->cancel)
		souk_cancel_set(output->cancel);
	return output->abort_code;
}

static int count(int fd, const char *data, size_t size, void *arg)
{
	struct output *output = arg;
	size_t i;

	if (fd != 1)
		return 0;
	output->n += size;
	for (i = 0; i < size; i++)
		output->sum += (unsigned char)data[i];
	return 0;
}

static void output_init(struct output *output)
{
	memset(output, 0, sizeof(*output));
	souk_buf_init(&output->out, 1024 * 1024);
	souk_buf_init(&output->errs, 1024 * 1024);
}

static void output_fini(struct output *output)
{
	souk_buf_fini(&output->out);
	souk_buf_fini(&output->errs);
}

START_TEST(commands_have_input_output_and_status)
{
	struct output output;
	struct souk_ssh_command command = { .command = "cat; echo oops >&2; exit 3",
					    .input = "hello\n",
					    .input_size = 6,
					    .on_output = keep,
					    .arg = &output };
	int status = -1;

	must_connect();
	output_init(&output);
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_OK);
	ck_assert_int_eq(status, 3);
	ck_assert_str_eq(output.out.data, "hello\n");
	ck_assert_str_eq(output.errs.data, "oops\n");
	output_fini(&output);
	/* The connection can be used again, also without callbacks and input. */
	command = (struct souk_ssh_command){ .command = "read x; test -z \"$x\"; echo dropped" };
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_OK);
	ck_assert_int_eq(status, 0);
	command.command = "";
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_E_INVALID);
}
END_TEST

static const struct {
	const char *command;
	int status;
} ends[] = {
	{ "true", 0 },
	{ "exit 255", 255 },
	{ "kill -KILL $$", 128 + SIGKILL },
	{ "kill -TERM $$", 128 + SIGTERM },
	{ "kill -USR1 $$", 128 + SIGUSR1 },
	{ "no-such-command-anywhere 2>/dev/null", 127 },
};

START_TEST(ends_are_told_apart)
{
	struct souk_ssh_command command = { .command = ends[_i].command };
	int status = -1;

	must_connect();
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_OK);
	ck_assert_int_eq(status, ends[_i].status);
}
END_TEST

struct supply {
	struct output output; /* first, for count() */
	uint64_t left;
	uint64_t sum;
};

static int64_t supply(void *data, size_t size, void *arg)
{
	struct supply *source = arg;
	unsigned char *bytes = data;
	size_t i;

	if (size > source->left)
		size = (size_t)source->left;
	for (i = 0; i < size; i++) {
		bytes[i] = (unsigned char)((source->left - i) * 31 >> 3);
		source->sum += bytes[i];
	}
	source->left -= size;
	return (int64_t)size;
}

START_TEST(much_goes_both_ways_at_once)
{
	static const uint64_t size = 10 * 1024 * 1024;
	struct supply source = { .left = size };
	struct souk_ssh_command command = {
		.command = "cat", .on_input = supply, .on_output = count, .arg = &source
	};
	int status = -1;

	must_connect();
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_OK);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(source.output.n, size);
	ck_assert_uint_eq(source.output.sum, source.sum);
}
END_TEST

START_TEST(input_in_memory_may_be_large)
{
	static const size_t size = 10 * 1024 * 1024;
	struct output output = { 0 };
	struct souk_ssh_command command = {
		.command = "wc -c", .on_output = keep, .arg = &output, .input_size = size
	};
	char *data = calloc(1, size);
	int status = -1;

	ck_assert_ptr_nonnull(data);
	command.input = data;
	must_connect();
	output_init(&output);
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_OK);
	ck_assert_uint_eq(strtoul(output.out.data, NULL, 10), size);
	output_fini(&output);
	free(data);
}
END_TEST

START_TEST(input_that_nobody_reads_does_not_hold_up)
{
	struct supply source = { .left = UINT64_MAX };
	struct souk_ssh_command command = { .command = "head -c 5 >/dev/null; exit 6",
					    .on_input = supply,
					    .arg = &source };
	int status = -1;

	must_connect();
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_OK);
	ck_assert_int_eq(status, 6);
}
END_TEST

START_TEST(much_output_comes)
{
	struct output output = { 0 };
	struct souk_ssh_command command = { .command = "head -c 104857600 /dev/zero; echo x >&2",
					    .on_output = count,
					    .arg = &output };
	int status = -1;

	must_connect();
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_OK);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(output.n, 104857600);
	ck_assert_uint_eq(output.sum, 0);
}
END_TEST

START_TEST(output_is_captured_up_to_the_ceiling)
{
	struct souk_buf out;
	int status = -1;

	must_connect();
	souk_buf_init(&out, 10);
	ck_assert_int_eq(
		souk_ssh_capture(ssh, "seq 1 100000; cat", "in", 2, 0, NULL, &out, &status, &err),
		SOUK_OK);
	ck_assert_int_eq(status, 0);
	ck_assert_str_eq(out.data, "1\n2\n3\n4\n5\n");
	souk_buf_reset(&out);
	ck_assert_int_eq(souk_ssh_capture(ssh, "echo no disk >&2; exit 9", NULL, 0, 0, NULL, &out,
					  &status, &err),
			 SOUK_OK);
	ck_assert_int_eq(status, 9);
	ck_assert_ptr_nonnull(strstr(err.message, "status 9: no disk"));
	souk_buf_fini(&out);
}
END_TEST

/* A command that goes on until nobody listens to it; SIGTERM leaves a mark. */
static const char *marked_sleep(void)
{
	static char command[256];

	snprintf(command, sizeof(command),
		 "trap 'touch %s/marked; exit' TERM; while echo running; do sleep 0.05; done",
		 host.folder);
	return command;
}

/*
 * The mark comes some time after the signal has; the timeout of the test is the limit. sshd does
 * not send signals for root, who has no separated process that could.
 */
static void wait_for_mark(void)
{
	char *path;

	if (getuid() == 0)
		return;
	path = in_folder("marked");

	while (!souk_fs_is_file(path))
		poll(NULL, 0, 10);
	free(path);
}

START_TEST(commands_can_be_cancelled)
{
	struct souk_cancel cancel;
	struct output output;
	struct souk_ssh_command command = {
		.command = marked_sleep(), .on_output = keep, .arg = &output, .cancel = &cancel
	};
	int status = -1;

	must_connect();
	ck_assert_int_eq(souk_cancel_init(&cancel, &err), SOUK_OK);
	output_init(&output);
	output.cancel = &cancel;
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_E_CANCELLED);
	ck_assert_int_eq(strncmp(output.out.data, "running\n", 8), 0);
	ck_assert_int_eq(status, -1);
	wait_for_mark();
	/* The connection is as good as before. */
	command = (struct souk_ssh_command){ .command = "exit 7" };
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_OK);
	ck_assert_int_eq(status, 7);
	output_fini(&output);
	souk_cancel_fini(&cancel);
}
END_TEST

START_TEST(commands_have_a_time_limit)
{
	struct souk_ssh_command command = { .command = marked_sleep(), .timeout_ms = 300 };
	int status = -1;

	must_connect();
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_E_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(err.message, "300 ms"));
}
END_TEST

static int64_t fail_supply(void *data, size_t size, void *arg)
{
	(void)data;
	(void)size;
	(void)arg;
	return SOUK_E_QUOTA;
}

START_TEST(callbacks_can_abort)
{
	struct output output;
	struct souk_ssh_command command = { .command = marked_sleep(),
					    .on_output = keep,
					    .arg = &output };
	int status = -1;

	must_connect();
	output_init(&output);
	output.abort_code = SOUK_E_CAPACITY;
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_E_CAPACITY);
	wait_for_mark();
	command = (struct souk_ssh_command){ .command = "cat", .on_input = fail_supply };
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_E_QUOTA);
	output_fini(&output);
}
END_TEST

/* ---- Loss ------------------------------------------------------------------------ */

static int kill_on_output(int fd, const char *data, size_t size, void *arg)
{
	(void)fd;
	(void)data;
	(void)size;
	(void)arg;
	kill_children();
	return 0;
}

START_TEST(lost_connections_are_told)
{
	struct supply source = { .left = UINT64_MAX };
	struct souk_ssh_command command = { .command = "echo running; exec cat >/dev/null",
					    .on_output = kill_on_output,
					    .arg = &source };
	int status = -1;

	/* While both are silent, and while input is on its way. */
	if (_i)
		command.on_input = supply;
	else
		command.command = "echo running; exec sleep 3";

	must_connect();
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_E_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(err.message, "connection lost"));
	ck_assert_int_eq(status, -1);
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_E_TRANSIENT);
}
END_TEST

/* ---- Proxy commands -------------------------------------------------------------- */

/* This program, started by itself: carries its standard input and output to a port. */
static int carry(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	struct pollfd fds[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .events = POLLIN } };
	char data[65536];
	ssize_t n;
	int i;

	fds[1].fd = socket(AF_INET, SOCK_STREAM, 0);
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(fds[1].fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return EXIT_FAILURE;
	for (;;) {
		poll(fds, 2, -1);
		for (i = 0; i < 2; i++) {
			if (!fds[i].revents)
				continue;
			n = read(fds[i].fd, data, sizeof(data));
			if (n <= 0 || write(i ? STDOUT_FILENO : fds[1].fd, data, (size_t)n) != n)
				return EXIT_SUCCESS;
		}
	}
}

static const char *self_as_proxy(void)
{
	static char command[4200];
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	ck_assert_int_gt(n, 0);
	self[n] = '\0';
	snprintf(command, sizeof(command), "'%s' --carry %%h %%p", self);
	return command;
}

START_TEST(proxy_commands_carry_connections)
{
	struct supply source = { .left = 3 * 1024 * 1024 };
	struct souk_ssh_command command = {
		.command = "cat; exit 5", .on_input = supply, .on_output = count, .arg = &source
	};
	int status = -1;

	target.proxy_command = self_as_proxy();
	must_connect();
	ck_assert_int_eq(souk_ssh_run(ssh, &command, &status, &err), SOUK_OK);
	ck_assert_int_eq(status, 5);
	ck_assert_uint_eq(source.output.n, 3 * 1024 * 1024);
	ck_assert_uint_eq(source.output.sum, source.sum);
}
END_TEST

static int stop_proxy(int fd, const char *data, size_t size, void *arg)
{
	char *path = in_folder("pid"), *text;

	(void)fd;
	(void)data;
	(void)size;
	(void)arg;
	ck_assert_int_eq(souk_fs_read(path, 64, &text, NULL, &err), SOUK_OK);
	kill((pid_t)strtol(text, NULL, 10), SIGSTOP);
	free(text);
	free(path);
	return 0;
}

/* What it is given fills the socket, which must not hold up the time limit. */
START_TEST(proxy_that_stops_reading_does_not_hold_up)
{
	struct supply source = { .left = UINT64_MAX };
	struct souk_ssh_command run = { .command = "echo running; exec cat >/dev/null",
					.on_input = supply,
					.on_output = stop_proxy,
					.arg = &source,
					.timeout_ms = 2000 };
	char command[8192];
	int status = -1;

	snprintf(command, sizeof(command), "sh -c \"echo \\$\\$ >%s/pid; exec %s\"", host.folder,
		 self_as_proxy());
	target.proxy_command = command;
	must_connect();
	ck_assert_int_eq(souk_ssh_run(ssh, &run, &status, &err), SOUK_E_TIMEOUT);
}
END_TEST

START_TEST(impostor_behind_a_proxy_is_refused)
{
	char *other_private, *other_public;

	ck_assert_int_eq(souk_ssh_keygen(NULL, &other_private, &other_public, &err), SOUK_OK);
	target.host_key = other_public;
	target.proxy_command = self_as_proxy();
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_CONFLICT);
	must_not_have_tried_to_log_in();
	free(other_private);
	free(other_public);
}
END_TEST

START_TEST(proxy_commands_that_fail_are_quoted)
{
	target.proxy_command = "sh -c 'echo no route to %h as %r, 100%%, port %p >&2; exit 1'";
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(err.message, "no route to 127.0.0.1 as "));
	ck_assert_ptr_nonnull(strstr(err.message, ", 100%, port "));
	/* Chatter does not stop it, and its end is kept. */
	target.proxy_command = "sh -c 'seq 100000 >&2; echo the end >&2'";
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_TRANSIENT);
	ck_assert_ptr_nonnull(strstr(err.message, "the end"));
	target.proxy_command = "/no/such/program";
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_TRANSIENT);
}
END_TEST

/* Also one that ignores SIGTERM, and what it has started. Each holds the FIFO while it lives. */
static const char *const silent_proxies[] = {
	"exec sleep 600",
	"sleep 600 & wait",
	"trap \"\" TERM; sleep 600; sleep 600",
};

START_TEST(proxy_commands_are_ended)
{
	char command[512], byte, *fifo = in_folder("fifo");
	int fd;

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	snprintf(command, sizeof(command), "sh -c 'exec 9>%s; %s'", fifo, silent_proxies[_i]);
	target.proxy_command = command;
	ck_assert_int_eq(connect_now(500, NULL), SOUK_E_TRANSIENT);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
	ck_assert_int_eq(errno, ECHILD);
	/* The end comes when nobody has it open any more. */
	fcntl(fd, F_SETFL, 0);
	ck_assert_int_eq(read(fd, &byte, 1), 0);
	close(fd);
	free(fifo);
}
END_TEST

START_TEST(proxy_commands_get_only_safe_words)
{
	static const char *const bad[] = { "127.0.0.1;touch x",
					   "$(id)",
					   "-oProxyCommand=x",
					   "a b",
					   "`id`",
					   "a\nb",
					   "a'b",
					   "a\"b",
					   "a|b",
					   "a&b",
					   "a>b",
					   "a\\b" };
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(bad); i++) {
		target.proxy_command = "false %h";
		target.address = bad[i];
		ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_INVALID);
		target.address = "127.0.0.1";
		target.user = bad[i];
		ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_INVALID);
		target.user = user;
	}
	target.proxy_command = "false %x";
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_INVALID);
	target.proxy_command = "false %";
	ck_assert_int_eq(connect_now(60000, NULL), SOUK_E_INVALID);
	target.proxy_command = "none";
	must_connect();
}
END_TEST

/* ---------------------------------------------------------------------------------- */

static void add_connections(Suite *suite)
{
	TCase *tcase = ssh_fixture_add_case(suite, "connections");

	tcase_add_test(tcase, keys_are_those_of_openssh);
	tcase_add_test(tcase, bad_keys_are_refused);
	tcase_add_test(tcase, key_with_a_passphrase_is_refused_without_asking);
	tcase_add_test(tcase, unknown_host_key_is_told);
	tcase_add_test(tcase, impostor_is_refused_before_login);
	tcase_add_test(tcase, impostor_with_another_type_of_key_is_refused);
	tcase_add_test(tcase, known_type_of_key_is_preferred);
	tcase_add_loop_test(tcase, other_types_of_host_keys_work, 0, SOUK_ARRAY_SIZE(key_types));
	tcase_add_test(tcase, wrong_key_is_refused);
	tcase_add_test(tcase, silence_is_not_reachable);
	tcase_add_loop_test(tcase, closing_is_not_reachable, 0, 2);
	tcase_add_test(tcase, names_are_resolved);
	tcase_add_test(tcase, connecting_can_be_cancelled);
}

static void add_commands(Suite *suite)
{
	TCase *tcase = ssh_fixture_add_case(suite, "commands");

	tcase_add_test(tcase, commands_have_input_output_and_status);
	tcase_add_loop_test(tcase, ends_are_told_apart, 0, SOUK_ARRAY_SIZE(ends));
	tcase_add_test(tcase, much_goes_both_ways_at_once);
	tcase_add_test(tcase, input_in_memory_may_be_large);
	tcase_add_test(tcase, input_that_nobody_reads_does_not_hold_up);
	tcase_add_test(tcase, much_output_comes);
	tcase_add_test(tcase, output_is_captured_up_to_the_ceiling);
	tcase_add_test(tcase, commands_can_be_cancelled);
	tcase_add_test(tcase, commands_have_a_time_limit);
	tcase_add_test(tcase, callbacks_can_abort);
	tcase_add_loop_test(tcase, lost_connections_are_told, 0, 2);
}

static void add_proxies(Suite *suite)
{
	TCase *tcase = ssh_fixture_add_case(suite, "proxies");

	tcase_add_test(tcase, proxy_commands_carry_connections);
	tcase_add_test(tcase, proxy_that_stops_reading_does_not_hold_up);
	tcase_add_test(tcase, impostor_behind_a_proxy_is_refused);
	tcase_add_test(tcase, proxy_commands_that_fail_are_quoted);
	tcase_add_loop_test(tcase, proxy_commands_are_ended, 0, SOUK_ARRAY_SIZE(silent_proxies));
	tcase_add_test(tcase, proxy_commands_get_only_safe_words);
}

int main(int argc, char **argv)
{
	Suite *suite = suite_create("ssh");
	SRunner *runner;
	int failed;

	if (argc == 4 && strcmp(argv[1], "--carry") == 0)
		return carry(argv[2], argv[3]);
	if (!ssh_fixture_find_sshd()) {
		fprintf(stderr, "skipped: there is no sshd or no ssh-keygen\n");
		return 77;
	}
	add_connections(suite);
	add_commands(suite);
	add_proxies(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
