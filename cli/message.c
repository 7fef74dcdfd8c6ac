/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - errors, warnings and hints on stderr, and the exit statuses that go with them */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void print_line(const char *prefix, const char *fmt, va_list args)
{
	char line[2048];

	vsnprintf(line, sizeof(line), fmt, args);
	fputs(prefix, stderr);
	cli_text_print(stderr, line);
	fputc('\n', stderr);
}

void cli_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line("error: ", fmt, args);
	va_end(args);
}

void cli_warning(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line("warning: ", fmt, args);
	va_end(args);
}

void cli_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line("", fmt, args);
	va_end(args);
}

void cli_hint(const char *fmt, ...)
{
	const char *off = getenv("SOUK_NO_HINTS");
	va_list args;

	if (off && *off)
		return;
	va_start(args, fmt);
	print_line("hint: ", fmt, args);
	va_end(args);
}

int cli_status(const struct souk_error *err)
{
	if (err->code == SOUK_E_CANCELLED)
		return CLI_EXIT_INTERRUPTED;
	if (strcmp(err->reason, SOUK_REASON_CONFIG) == 0)
		return EX_CONFIG;
	if (strcmp(err->reason, SOUK_REASON_SYSTEM) == 0)
		return EX_IOERR;
	return souk_exit_status(err->code);
}

int cli_fail(const struct souk_error *err)
{
	cli_error("%s", err->message[0] ? err->message : "unknown failure");
	if (err->hint[0])
		cli_hint("%s", err->hint);
	return cli_status(err);
}

int cli_usage(const struct souk_cmd *cmd, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	print_line("error: ", fmt, args);
	va_end(args);
	cli_hint("'souk %s%s--help' shows how it is used", cmd ? cmd->name : "", cmd ? " " : "");
	return EX_USAGE;
}

int cli_nomem(void)
{
	cli_error("out of memory");
	return souk_exit_status(SOUK_E_NOMEM);
}

int cli_finish_output(int status)
{
	int failed = fflush(stdout) != 0;

	if (!failed && !ferror(stdout))
		return status;
	if (failed && errno == EPIPE) {
		/* The reader has gone: end as a program does that never ignored the signal. */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	cli_error("cannot write the output: %s", failed ? strerror(errno) : "an earlier write failed");
	return EX_IOERR;
}
