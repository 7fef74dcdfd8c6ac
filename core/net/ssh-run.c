/* SPDX-License-Identifier: Apache-2.0 */
/* net/ssh-run.c - a command on an SSH connection: its input, output, end, or loss */
#include "net/ssh-internal.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <libssh/callbacks.h>
#include <libssh/server.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"

enum {
	KEEPALIVE_MS = 15000,
	KEEPALIVES_MAX = 3,
	INPUT_CHUNK = 64 * 1024,
	COMMAND_MAX = 128 * 1024, /* sshd takes packets of 256 KiB */
	FAREWELL_MS = 250
};

struct run {
	struct souk_ssh *ssh;
	const struct souk_ssh_command *command;
	ssh_channel channel;
	struct ssh_channel_callbacks_struct callbacks;
	int64_t end_ms;
	/* what the other side has said */
	int has_status;
	int exit_status;
	int is_eof;
	int is_closed;
	int abort_code; /* of a callback; 0: none */
	/* stdin */
	const char *input;
	size_t input_left;
	char *chunk;
	int is_input_over;
	/* signs of life */
	uint64_t heard_bytes;
	int64_t heard_ms;
	int64_t probed_ms;
};

/* ---- What libssh tells ----------------------------------------------------------- */

static int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
		   int is_stderr, void *arg)
{
	struct run *run = arg;

	(void)session;
	(void)channel;
	if (run->command->on_output && !run->abort_code && len > 0)
		run->abort_code = run->command->on_output(is_stderr ? 2 : 1, data, len,
							  run->command->arg);
	return (int)len;
}

static void on_eof(ssh_session session, ssh_channel channel, void *arg)
{
	(void)session;
	(void)channel;
	((struct run *)arg)->is_eof = 1;
}

static void on_close(ssh_session session, ssh_channel channel, void *arg)
{
	(void)session;
	(void)channel;
	((struct run *)arg)->is_closed = 1;
}

static void on_exit_status(ssh_session session, ssh_channel channel, int status, void *arg)
{
	struct run *run = arg;

	(void)session;
	(void)channel;
	run->has_status = 1;
	run->exit_status = status;
}

/* The names of RFC 4254, section 6.10; what has no name there is told by sshd as something else. */
static int signal_number(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "ABRT", SIGABRT }, { "ALRM", SIGALRM }, { "FPE", SIGFPE },   { "HUP", SIGHUP },
		{ "ILL", SIGILL },   { "INT", SIGINT },	  { "KILL", SIGKILL }, { "PIPE", SIGPIPE },
		{ "QUIT", SIGQUIT }, { "SEGV", SIGSEGV }, { "TERM", SIGTERM }, { "USR1", SIGUSR1 },
		{ "USR2", SIGUSR2 }, { "BUS", SIGBUS },	  { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },
	};
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(signals); i++)
		if (strcmp(signals[i].name, name) == 0)
			return signals[i].number;
	return 0;
}

static void on_exit_signal(ssh_session session, ssh_channel channel, const char *name, int core,
			   const char *message, const char *language, void *arg)
{
	struct run *run = arg;

	(void)session;
	(void)channel;
	(void)core;
	(void)message;
	(void)language;
	run->has_status = 1;
	run->exit_status = 128 + signal_number(name ? name : "");
}

/* ---- The loop -------------------------------------------------------------------- */

/* Ask for a sign of life. The first call takes the answer to the last question, if it is there. */
static void probe(struct souk_ssh *ssh)
{
	ssh_send_keepalive(ssh->session);
	ssh_send_keepalive(ssh->session);
}

/* Wait for anything. TRANSIENT also if the other side has been silent for too long. */
static int run_wait(struct run *run)
{
	struct souk_ssh *ssh = run->ssh;
	int64_t next = run->probed_ms + KEEPALIVE_MS;
	int64_t now;
	int ret;

	ret = souk_ssh_wait(ssh, next < run->end_ms ? next : run->end_ms, run->command->cancel);
	now = souk_clock_ms();
	if (ssh->counter.in_bytes != run->heard_bytes) {
		run->heard_bytes = ssh->counter.in_bytes;
		run->heard_ms = run->probed_ms = now;
	}
	if (ret != SOUK_E_TIMEOUT || now >= run->end_ms)
		return ret;
	if (now - run->heard_ms >= (int64_t)KEEPALIVE_MS * KEEPALIVES_MAX)
		return SOUK_E_TRANSIENT;
	run->probed_ms = now;
	probe(ssh);
	return SOUK_OK;
}

/* The next bytes of stdin into run->input; none left: is_input_over. */
static void refill(struct run *run)
{
	const struct souk_ssh_command *command = run->command;
	int64_t n;

	if (run->input_left > 0)
		return;
	n = command->on_input ? command->on_input(run->chunk, INPUT_CHUNK, command->arg) : 0;
	if (n < 0)
		run->abort_code = (int)n;
	else if (n > 0)
		run->input_left = n < INPUT_CHUNK ? (size_t)n : INPUT_CHUNK;
	else
		run->is_input_over = 1;
	run->input = run->chunk;
}

/* Send what the window and the socket take of stdin. */
static void feed(struct run *run)
{
	uint32_t size;
	int n;

	while (!run->is_input_over && !run->abort_code && !run->is_closed) {
		if (ssh_get_poll_flags(run->ssh->session) & SSH_WRITE_PENDING)
			return;
		if (run->input_left > 0 && ssh_channel_window_size(run->channel) == 0)
			return;
		refill(run);
		if (run->abort_code)
			return;
		if (run->is_input_over) {
			ssh_channel_send_eof(run->channel);
			return;
		}
		size = run->input_left < INPUT_CHUNK ? (uint32_t)run->input_left : INPUT_CHUNK;
		n = ssh_channel_write(run->channel, run->input, size);
		if (n < 0) {
			/* It is closed or lost; the wait will tell which. */
			run->is_input_over = 1;
			return;
		}
		run->input += n;
		run->input_left -= (size_t)n;
		if (n == 0)
			return;
	}
}

/* Open the channel and start the command. SOUK_OK, or the code of the wait, or INTERNAL. */
static int start(struct run *run)
{
	int rc, ret;

	while ((rc = ssh_channel_open_session(run->channel)) == SSH_AGAIN) {
		ret = run_wait(run);
		if (ret < 0)
			return ret;
	}
	if (rc != SSH_OK)
		return ssh_is_connected(run->ssh->session) ? SOUK_E_INTERNAL : SOUK_E_TRANSIENT;
	ssh_callbacks_init(&run->callbacks);
	if (ssh_set_channel_callbacks(run->channel, &run->callbacks) != SSH_OK)
		return SOUK_E_NOMEM;
	while ((rc = ssh_channel_request_exec(run->channel, run->command->command)) == SSH_AGAIN) {
		ret = run_wait(run);
		if (ret < 0)
			return ret;
	}
	if (rc != SSH_OK)
		return ssh_is_connected(run->ssh->session) ? SOUK_E_INTERNAL : SOUK_E_TRANSIENT;
	return SOUK_OK;
}

static int follow(struct run *run)
{
	int ret;

	while (!run->is_closed && !run->abort_code) {
		feed(run);
		if (run->abort_code || run->is_closed)
			break;
		ret = run_wait(run);
		/* All that it had to say may have come with the end of the connection. */
		if (ret == SOUK_E_TRANSIENT && (run->is_closed || run->is_eof) && run->has_status)
			return SOUK_OK;
		if (ret < 0)
			return ret;
	}
	if (run->abort_code)
		return run->abort_code;
	return run->has_status ? SOUK_OK : SOUK_E_TRANSIENT;
}

static int fail(const struct run *run, int code, struct souk_error *err)
{
	struct souk_ssh *ssh = run->ssh;
	const char *why;

	if (run->abort_code) {
		if (!err || err->code != code)
			souk_error_set(err, code, "the command on %s was stopped by who reads it",
				       ssh->where);
		return code;
	}
	switch (code) {
	case SOUK_E_NOMEM:
		return souk_error_nomem(err);
	case SOUK_E_CANCELLED:
		return souk_error_set(err, code, "the command on %s was cancelled", ssh->where);
	case SOUK_E_TIMEOUT:
		return souk_error_set(err, code,
				      "the command on %s has not ended in %" PRIu32 " ms",
				      ssh->where, run->command->timeout_ms);
	case SOUK_E_TRANSIENT:
		why = ssh_is_connected(ssh->session) ? "" : ssh_get_error(ssh->session);
		if (run->is_closed)
			why = "the command was closed without an exit status";
		else if (!*why)
			why = "it does not answer";
		return souk_error_set(err, code, "connection lost: %s: %s", ssh->where, why);
	default:
		return souk_error_set(err, code, "%s refused to run a command: %s", ssh->where,
				      ssh_get_error(ssh->session));
	}
}

/* Leave a command that still runs. It is told, but not waited for longer than a moment. */
static void abandon(struct run *run)
{
	int64_t end = souk_clock_ms() + FAREWELL_MS;

	if (!ssh_is_connected(run->ssh->session) || !ssh_channel_is_open(run->channel))
		return;
	ssh_channel_request_send_signal(run->channel, "TERM");
	ssh_channel_close(run->channel);
	while (ssh_get_poll_flags(run->ssh->session) & SSH_WRITE_PENDING)
		if (souk_ssh_wait(run->ssh, end, NULL) < 0)
			break;
}

static int prepare(struct run *run, const struct souk_ssh_command *command, struct souk_error *err)
{
	if (!command->command || !*command->command || strlen(command->command) > COMMAND_MAX) {
		souk_error_set(err, SOUK_E_INVALID, "a command for %s is %s", run->ssh->where,
			       command->command && *command->command ? "too long" : "empty");
		return souk_error_hint(err, "send a long script through its standard input");
	}
	if (!ssh_is_connected(run->ssh->session))
		return fail(run, SOUK_E_TRANSIENT, err);
	run->command = command;
	run->input = command->input;
	run->input_left = command->input ? command->input_size : 0;
	run->heard_ms = run->probed_ms = souk_clock_ms();
	run->heard_bytes = run->ssh->counter.in_bytes;
	run->end_ms = command->timeout_ms ? run->heard_ms + command->timeout_ms : INT64_MAX;
	run->callbacks.userdata = run;
	run->callbacks.channel_data_function = on_data;
	run->callbacks.channel_eof_function = on_eof;
	run->callbacks.channel_close_function = on_close;
	run->callbacks.channel_exit_status_function = on_exit_status;
	run->callbacks.channel_exit_signal_function = on_exit_signal;
	run->chunk = malloc(INPUT_CHUNK);
	run->channel = ssh_channel_new(run->ssh->session);
	if (!run->chunk || !run->channel || souk_ssh_watch(run->ssh, command->cancel) < 0)
		return souk_error_nomem(err);
	return SOUK_OK;
}

int souk_ssh_run(struct souk_ssh *ssh, const struct souk_ssh_command *command, int *exit_status_out,
		 struct souk_error *err)
{
	struct run run = { .ssh = ssh };
	int ret;

	ret = prepare(&run, command, err);
	if (ret == SOUK_OK) {
		ret = start(&run);
		if (ret == SOUK_OK)
			ret = follow(&run);
		souk_ssh_unwatch(ssh, command->cancel);
		if (ret == SOUK_OK) {
			*exit_status_out = run.exit_status;
		} else {
			ret = fail(&run, ret, err);
			abandon(&run);
		}
	}
	if (run.channel) {
		/* libssh may keep the channel until the other side has closed it too. */
		ssh_remove_channel_callbacks(run.channel, &run.callbacks);
		ssh_channel_free(run.channel);
	}
	free(run.chunk);
	return ret;
}

/* ---- Keeping the output ---------------------------------------------------------- */

struct capture {
	struct souk_buf *out;
	struct souk_ssh_tail tail;
};

static int on_capture(int fd, const char *data, size_t size, void *arg)
{
	struct capture *capture = arg;
	size_t room;

	if (fd != 1) {
		souk_ssh_tail_add(&capture->tail, data, size);
		return 0;
	}
	room = capture->out->ceiling - capture->out->len;
	return souk_buf_add(capture->out, data, size < room ? size : room);
}

int souk_ssh_capture(struct souk_ssh *ssh, const char *command, const void *input,
		     size_t input_size, uint32_t timeout_ms, struct souk_cancel *cancel,
		     struct souk_buf *out, int *exit_status_out, struct souk_error *err)
{
	struct capture capture = { .out = out };
	const struct souk_ssh_command run = {
		.command = command,
		.input = input,
		.input_size = input_size,
		.on_output = on_capture,
		.arg = &capture,
		.timeout_ms = timeout_ms,
		.cancel = cancel,
	};
	const char *said;
	int status, ret;

	ret = souk_ssh_run(ssh, &run, &status, err);
	if (ret < 0)
		return ret;
	*exit_status_out = status;
	if (status != 0) {
		said = souk_ssh_tail_text(&capture.tail);
		souk_error_set(err, SOUK_E_INTERNAL, "a command on %s ended with status %d%s%s",
			       ssh->where, status, *said ? ": " : "", said);
	}
	return SOUK_OK;
}
