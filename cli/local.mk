# SPDX-License-Identifier: Apache-2.0
# cli - the command souk: one file per command

CLI_CPPFLAGS = $(API_CPPFLAGS) -I$(top_srcdir)/core/include \
	$(BANNED)

noinst_LTLIBRARIES += libsouk-cli.la
libsouk_cli_la_SOURCES = \
	%D%/args.c \
	%D%/cmd-autostop.c \
	%D%/cmd-cancel.c \
	%D%/cmd-catalog.c \
	%D%/cmd-check.c \
	%D%/cmd-cost.c \
	%D%/cmd-doctor.c \
	%D%/cmd-down.c \
	%D%/cmd-exec.c \
	%D%/cmd-help.c \
	%D%/cmd-launch.c \
	%D%/cmd-logs.c \
	%D%/cmd-offers.c \
	%D%/cmd-provider.c \
	%D%/cmd-queue.c \
	%D%/cmd-quote.c \
	%D%/cmd-ssh.c \
	%D%/cmd-start.c \
	%D%/cmd-status.c \
	%D%/cmd-stop.c \
	%D%/cmd-validate.c \
	%D%/confirm.c \
	%D%/context.c \
	%D%/help.c \
	%D%/job.c \
	%D%/json-rows.c \
	%D%/json-stream.c \
	%D%/json.c \
	%D%/launch-requests.c \
	%D%/launch-summary.c \
	%D%/message.c \
	%D%/names.c \
	%D%/offers-print.c \
	%D%/pager.c \
	%D%/plan-explain.c \
	%D%/plan-json.c \
	%D%/plan-table.c \
	%D%/progress.c \
	%D%/provider-test.c \
	%D%/provider-test.h \
	%D%/quote-table.c \
	%D%/table.c \
	%D%/task-flags.c \
	%D%/text.c \
	%D%/cli.h
libsouk_cli_la_CPPFLAGS = $(CLI_CPPFLAGS) $(JSON_CFLAGS)

# bin/souk is the one that is installed. ./souk is the same, linked for the build tree, so that
# no wrapper script stands between a test, or a stopwatch, and the program.
bin_PROGRAMS += bin/souk
bin_souk_SOURCES = %D%/main.c
bin_souk_CPPFLAGS = $(CLI_CPPFLAGS)
bin_souk_LDADD = libsouk-cli.la libsouk.la libsouk-provider.la $(JSON_LIBS)

noinst_PROGRAMS += souk
souk_SOURCES = %D%/main.c
souk_CPPFLAGS = $(CLI_CPPFLAGS)
souk_LDADD = $(bin_souk_LDADD)
souk_LDFLAGS = $(AM_LDFLAGS) -no-install

zshcompletion_DATA += %D%/completion/_souk
bashcompletion_DATA += %D%/completion/souk.bash
EXTRA_DIST += %D%/completion/_souk %D%/completion/souk.bash
