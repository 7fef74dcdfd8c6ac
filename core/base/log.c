/* SPDX-License-Identifier: Apache-2.0 */
/* base/log.c - one log for the whole process, with secrets taken out */
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int max_level = SOUK_LOG_WARNING;
static void (*log_sink)(int level, const char *line, void *arg);
static void *log_arg;
static char **secrets; /* for the life of the process */
static size_t n_secrets;

void souk_log_set_level(int level)
{
	__atomic_store_n(&max_level, level, __ATOMIC_RELAXED);
}

int souk_log_level(void)
{
	return __atomic_load_n(&max_level, __ATOMIC_RELAXED);
}

void souk_log_set_sink(void (*sink)(int level, const char *line, void *arg), void *arg)
{
	pthread_mutex_lock(&lock);
	log_sink = sink;
	log_arg = arg;
	pthread_mutex_unlock(&lock);
}

void souk_log_add_secret(const char *value)
{
	char **larger;
	size_t i;

	if (!value || strlen(value) < 4)
		return;
	pthread_mutex_lock(&lock);
	for (i = 0; i < n_secrets; i++)
		if (strcmp(secrets[i], value) == 0)
			break;
	if (i == n_secrets && (larger = souk_array_grow(secrets, n_secrets, sizeof(*secrets)))) {
		secrets = larger;
		secrets[n_secrets] = strdup(value);
		if (secrets[n_secrets])
			n_secrets++;
	}
	pthread_mutex_unlock(&lock);
}

static int is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/*
 * The length of the secret if it stands at 'text', else 0. Its line breaks may have become
 * blanks on the way. With 'cut' the text was cut off, perhaps inside the secret.
 */
static size_t secret_at(const char *text, const char *secret, int cut)
{
	size_t i;

	for (i = 0; secret[i]; i++)
		if (text[i] != secret[i] && !(is_control(secret[i]) && text[i] == ' '))
			return cut && !text[i] ? i : 0;
	return i;
}

/* The end of the longest secret that begins at 'text'; 'text' itself if none does. */
static const char *secret_end(const char *text, int cut)
{
	size_t longest = 0, i;

	for (i = 0; i < n_secrets; i++) {
		size_t len = secret_at(text, secrets[i], cut);

		longest = len > longest ? len : longest;
	}
	return text + longest;
}

/*
 * Secrets can overlap, and one can be a part of another: what any of them covers is one stretch
 * and gets one marker. The marker is never longer than the stretch, so this is done in place.
 */
static void redact_locked(char *text, int cut)
{
	static const char marker[] = "[redacted]";
	const char *at = text, *end, *next;
	char *out = text;
	size_t covered;

	if (n_secrets == 0)
		return;
	while (*at) {
		end = secret_end(at, cut);
		if (end == at) {
			*out++ = *at++;
			continue;
		}
		for (covered = 0; at < end; at++, covered++) {
			next = secret_end(at, cut);
			end = next > end ? next : end;
		}
		if (covered >= sizeof(marker) - 1) {
			out = mempcpy(out, marker, sizeof(marker) - 1);
		} else {
			memset(out, '*', covered);
			out += covered;
		}
	}
	*out = '\0';
}

void souk_log_redact(char *text)
{
	pthread_mutex_lock(&lock);
	redact_locked(text, 0);
	pthread_mutex_unlock(&lock);
}

static const char *level_prefix(int level)
{
	switch (level) {
	case SOUK_LOG_ERROR:
		return "error: ";
	case SOUK_LOG_WARNING:
		return "warning: ";
	case SOUK_LOG_DEBUG:
		return "debug: ";
	default:
		return "";
	}
}

void souk_vlog(int level, const char *fmt, va_list args)
{
	char line[4096];
	size_t i;
	int len;

	if (level > souk_log_level())
		return;
	len = vsnprintf(line, sizeof(line), fmt, args);
	pthread_mutex_lock(&lock);
	redact_locked(line, len < 0 || (size_t)len >= sizeof(line));
	/* A line is a line: what came from outside can neither break it nor move the cursor. */
	for (i = 0; line[i]; i++)
		if (is_control(line[i]))
			line[i] = ' ';
	if (log_sink)
		log_sink(level, line, log_arg);
	else
		fprintf(stderr, "%s%s\n", level_prefix(level), line);
	pthread_mutex_unlock(&lock);
}

void souk_log(int level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	souk_vlog(level, fmt, args);
	va_end(args);
}
