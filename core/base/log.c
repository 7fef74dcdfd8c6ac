/* SPDX-License-Identifier: Apache-2.0 */
/* base/log.c - one log for the whole process, with secrets taken out */
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"

#define SECRETS_MAX 256

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int max_level = SOUK_LOG_WARNING;
static void (*log_sink)(int level, const char *line, void *arg);
static void *log_arg;
static char *secrets[SECRETS_MAX];
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
	size_t i;

	if (!value || strlen(value) < 4)
		return;
	pthread_mutex_lock(&lock);
	for (i = 0; i < n_secrets; i++)
		if (strcmp(secrets[i], value) == 0)
			break;
	if (i == n_secrets && n_secrets < SECRETS_MAX) {
		secrets[n_secrets] = strdup(value);
		if (secrets[n_secrets])
			n_secrets++;
	}
	pthread_mutex_unlock(&lock);
}

/* A secret of 4 bytes or more leaves room for a marker of at most its length. */
static void redact_one(char *text, const char *secret)
{
	static const char marker[] = "[redacted]";
	size_t secret_len = strlen(secret);
	size_t marker_len = secret_len < sizeof(marker) - 1 ? secret_len : sizeof(marker) - 1;
	char *at = text;

	while ((at = strstr(at, secret)) != NULL) {
		if (marker_len == sizeof(marker) - 1)
			memcpy(at, marker, marker_len);
		else
			memset(at, '*', marker_len);
		memmove(at + marker_len, at + secret_len, strlen(at + secret_len) + 1);
		at += marker_len;
	}
}

static void redact_locked(char *text)
{
	size_t i;

	for (i = 0; i < n_secrets; i++)
		redact_one(text, secrets[i]);
}

void souk_log_redact(char *text)
{
	pthread_mutex_lock(&lock);
	redact_locked(text);
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

	if (level > souk_log_level())
		return;
	vsnprintf(line, sizeof(line), fmt, args);
	/* A line is a line: what came from outside can neither break it nor move the cursor. */
	for (i = 0; line[i]; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	pthread_mutex_lock(&lock);
	redact_locked(line);
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
