/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.c - a long call as it goes: events on stderr, the log of its job on stdout
 *
 * On a terminal a step that takes longer than a second is one line with its elapsed time,
 * redrawn by a thread of its own (the library is inside its call); the line ends in "done".
 * Elsewhere each event is a plain line. What the library logs meanwhile goes above the line.
 */
#include "cli.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CLEAR_LINE "\r\033[K"

/* One line of stderr, so one state for the process. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	pthread_t ticker;
	int has_ticker;
	int stop;
	int terminal;
	int quiet;	   /* how far a step has come is nobody's business */
	int active;	   /* a step is running */
	int shown;	   /* its line stands on the terminal */
	int64_t began_ms;
	int64_t told_ms;   /* elsewhere: when a line last said how far; 0: none has */
	char step[256];
} progress = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Text, cut so that it does not reach the second line of the terminal. */
static void print_cut(const char *text, size_t columns)
{
	struct souk_buf buf;

	souk_buf_init(&buf, 8192);
	cli_text_add_safe(&buf, text, columns);
	fputs(buf.data, stderr);
	souk_buf_fini(&buf);
}

static void draw(void)
{
	char duration[CLI_TEXT_SIZE];
	unsigned columns, rows;

	cli_terminal_size(stderr, &columns, &rows);
	fputs(CLEAR_LINE, stderr);
	print_cut(progress.step, columns > 40 ? columns - 20 : 20);
	fprintf(stderr, " ... %s", cli_duration((now_ms() - progress.began_ms) / 1000, duration));
	fflush(stderr);
	progress.shown = 1;
}

static void clear_line(void)
{
	if (progress.shown)
		fputs(CLEAR_LINE, stderr);
	progress.shown = 0;
}

/* The running step is over. A line that was shown stays, with "done". */
static void end_step(int done)
{
	char duration[CLI_TEXT_SIZE];

	if (progress.active && progress.shown) {
		fputs(CLEAR_LINE, stderr);
		cli_text_print(stderr, progress.step);
		fprintf(stderr, " ... %s (%s)\n", done ? "done" : "stopped",
			cli_duration((now_ms() - progress.began_ms) / 1000, duration));
	}
	progress.active = 0;
	progress.shown = 0;
}

static void *tick(void *arg)
{
	struct timespec until;

	(void)arg;
	pthread_mutex_lock(&progress.lock);
	while (!progress.stop) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec++;
		if (pthread_cond_timedwait(&progress.wake, &progress.lock, &until) == ETIMEDOUT &&
		    progress.active && now_ms() - progress.began_ms >= 1000)
			draw();
	}
	pthread_mutex_unlock(&progress.lock);
	return NULL;
}

/* Without the thread steps are plain lines; nothing is lost but the clock. */
static void start_ticker(void)
{
	pthread_condattr_t attributes;
	sigset_t all, old;

	if (progress.has_ticker)
		return;
	if (pthread_condattr_init(&attributes) != 0) {
		progress.terminal = 0;
		return;
	}
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	progress.stop = 0;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	if (pthread_cond_init(&progress.wake, &attributes) == 0) {
		if (pthread_create(&progress.ticker, NULL, tick, NULL) == 0)
			progress.has_ticker = 1;
		else
			pthread_cond_destroy(&progress.wake);
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_condattr_destroy(&attributes);
	if (!progress.has_ticker)
		progress.terminal = 0;
}

static void print_line(const char *prefix, const char *cluster, const char *text)
{
	fputs(prefix, stderr);
	if (cluster && *cluster) {
		cli_text_print(stderr, cluster);
		fputs(": ", stderr);
	}
	cli_text_print(stderr, text);
	fputc('\n', stderr);
}

static void begin_step(const struct souk_event *event)
{
	end_step(1);
	snprintf(progress.step, sizeof(progress.step), "%s%s%s", event->cluster ? event->cluster : "",
		 event->cluster ? ": " : "", event->text ? event->text : "");
	progress.active = 1;
	progress.began_ms = now_ms();
	start_ticker();
	if (!progress.terminal) {
		progress.active = 0;
		print_line("", NULL, progress.step);
	}
}

/* On a terminal the step's line says it, elsewhere a line, but not more than one a second. */
static void advance(const struct souk_event *event)
{
	int64_t now = now_ms();

	if (progress.quiet || !event->text)
		return;
	if (progress.active) {
		snprintf(progress.step, sizeof(progress.step), "%s", event->text);
		if (progress.shown)
			draw();
	} else if (!progress.terminal && (!progress.told_ms || now - progress.told_ms >= 1000)) {
		progress.told_ms = now;
		print_line("", NULL, event->text);
	}
}

static void on_event(const struct souk_event *event, void *arg)
{
	struct cli_stream *stream = arg;

	pthread_mutex_lock(&progress.lock);
	if (event->cluster && *event->cluster)
		snprintf(stream->cluster, sizeof(stream->cluster), "%s", event->cluster);
	if (event->kind == SOUK_EVENT_ADVANCE) {
		advance(event);
	} else if (event->kind == SOUK_EVENT_DONE) {
		end_step(1);
	} else if (event->kind == SOUK_EVENT_PROGRESS && progress.terminal) {
		begin_step(event);
	} else {
		end_step(event->kind != SOUK_EVENT_FAILOVER);
		print_line("", event->cluster, event->text ? event->text : "");
	}
	pthread_mutex_unlock(&progress.lock);
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

static int on_output(const char *data, size_t size, void *arg)
{
	struct cli_stream *stream = arg;
	int ret;

	pthread_mutex_lock(&progress.lock);
	end_step(1);
	stream->saw_output = 1;
	ret = write_all(stream->fd, data, size);
	if (ret < 0)
		stream->write_errno = errno;
	pthread_mutex_unlock(&progress.lock);
	return ret;
}

static void on_log(int level, const char *line, void *arg)
{
	static const char *const prefixes[] = { "error: ", "warning: ", "", "debug: " };

	(void)arg;
	pthread_mutex_lock(&progress.lock);
	clear_line();
	print_line(level >= 0 && level < 4 ? prefixes[level] : "", NULL, line);
	pthread_mutex_unlock(&progress.lock);
}

void cli_stream_begin(struct cli_stream *stream, const struct cli *cli)
{
	memset(stream, 0, sizeof(*stream));
	stream->fd = cli->common.json ? STDERR_FILENO : STDOUT_FILENO;
	stream->callbacks.event = on_event;
	stream->callbacks.output = on_output;
	stream->callbacks.arg = stream;
	fflush(stdout);
	pthread_mutex_lock(&progress.lock);
	progress.terminal = cli_terminal_moves(stderr);
	progress.quiet = cli->common.json;
	progress.told_ms = 0;
	pthread_mutex_unlock(&progress.lock);
	souk_log_set_sink(on_log, NULL);
}

void cli_stream_end(struct cli_stream *stream, int succeeded)
{
	(void)stream;
	souk_log_set_sink(NULL, NULL);
	pthread_mutex_lock(&progress.lock);
	end_step(succeeded);
	progress.stop = 1;
	if (progress.has_ticker)
		pthread_cond_signal(&progress.wake);
	pthread_mutex_unlock(&progress.lock);
	if (progress.has_ticker) {
		pthread_join(progress.ticker, NULL);
		pthread_cond_destroy(&progress.wake);
		progress.has_ticker = 0;
	}
}
