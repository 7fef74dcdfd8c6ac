/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/findings.c - what a test leaves for the parent to tell */
#include "conformance/conform.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

static void set_outcome(struct conform *t, enum conform_outcome outcome, const char *fmt, va_list args)
	SOUK_PRINTF(3, 0);

static void set_outcome(struct conform *t, enum conform_outcome outcome, const char *fmt, va_list args)
{
	pthread_mutex_lock(&t->lock);
	if (t->shared->outcome == CONFORM_OK) {
		t->shared->outcome = outcome;
		vsnprintf(t->shared->reason, sizeof(t->shared->reason), fmt, args);
	}
	pthread_mutex_unlock(&t->lock);
}

int conform_fail(struct conform *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set_outcome(t, CONFORM_NOT_OK, fmt, args);
	va_end(args);
	return -1;
}

int conform_skip(struct conform *t, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	set_outcome(t, CONFORM_SKIP, fmt, args);
	va_end(args);
	return -1;
}

void conform_note(struct conform *t, enum conform_rule rule, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	pthread_mutex_lock(&t->lock);
	if (t->shared->rules[rule].count++ == 0)
		vsnprintf(t->shared->rules[rule].text, sizeof(t->shared->rules[rule].text), fmt, args);
	pthread_mutex_unlock(&t->lock);
	va_end(args);
}

const char *conform_words(int ret, const struct souk_error *err, char text[CONFORM_TEXT])
{
	snprintf(text, CONFORM_TEXT, "%s: %.400s", ret < SOUK_E_CANCELLED || ret > 0 ? "?" : souk_code_name(ret),
		 err->message);
	return text;
}
