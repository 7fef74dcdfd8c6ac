/* SPDX-License-Identifier: Apache-2.0 */
/* error.c - record what went wrong, without allocating and without control characters */

#include <souk/provider.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * Every struct souk_error there has ever been is at least as large as that of version 1. One
 * that was merely zeroed has no size and counts as that.
 */
static int too_small(const struct souk_error *err)
{
	return err->struct_size != 0 && err->struct_size < sizeof(*err);
}

/* Is the n bytes at 'text' the start of a C1 control (U+0080 to U+009F) in UTF-8? */
static int is_c1(const unsigned char *text)
{
	return text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f;
}

/* The words of a cloud end up on a terminal: nothing in them may steer it. */
static void disarm(char *text)
{
	unsigned char *p;

	for (p = (unsigned char *)text; *p; p++) {
		if (is_c1(p))
			p[0] = p[1] = ' ';
		else if (*p < 0x20 || *p == 0x7f)
			*p = ' ';
	}
}

/* Take away a character of UTF-8 that was cut off at the end, and show that more followed. */
static void mark_cut(char *text, size_t size)
{
	size_t end = size - 1 - strlen("...");

	while (end > 0 && ((unsigned char)text[end] & 0xc0) == 0x80)
		end--;
	memcpy(text + end, "...", sizeof("..."));
}

static void format(char *text, size_t size, const char *fmt, va_list args) SOUK_PRINTF(3, 0);

static void format(char *text, size_t size, const char *fmt, va_list args)
{
	int len = vsnprintf(text, size, fmt, args);

	if (len < 0)
		snprintf(text, size, "a message that cannot be formatted");
	else if ((size_t)len >= size)
		mark_cut(text, size);
	disarm(text);
}

int souk_error_vset(struct souk_error *err, int code, const char *fmt, va_list args)
{
	char message[SOUK_ERROR_MESSAGE_SIZE]; /* the arguments may point into *err */

	if (code >= SOUK_OK)
		code = SOUK_E_INTERNAL;
	if (!err || too_small(err))
		return code;

	format(message, sizeof(message), fmt, args);
	memcpy(err->message, message, sizeof(message));
	err->code = code;
	err->scope = code == SOUK_E_AUTH ? SOUK_SCOPE_PROVIDER : SOUK_SCOPE_OFFER;
	err->retry_after_ms = 0;
	err->hint[0] = '\0';
	err->reason[0] = '\0';
	return code;
}

int souk_error_set(struct souk_error *err, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	code = souk_error_vset(err, code, fmt, args);
	va_end(args);
	return code;
}

/* The code to return from the functions below; without an error to add to it is not known. */
static int code_of(const struct souk_error *err)
{
	if (!err || too_small(err))
		return SOUK_E_INTERNAL;
	return err->code;
}

int souk_error_scope(struct souk_error *err, int scope)
{
	if (err && !too_small(err) && scope >= SOUK_SCOPE_OFFER && scope <= SOUK_SCOPE_PROVIDER)
		err->scope = scope;
	return code_of(err);
}

int souk_error_reason(struct souk_error *err, const char *reason)
{
	char text[SOUK_ERROR_REASON_SIZE];

	if (!err || too_small(err))
		return code_of(err);
	if (snprintf(text, sizeof(text), "%s", reason ? reason : "") >= (int)sizeof(text))
		mark_cut(text, sizeof(text));
	disarm(text);
	memcpy(err->reason, text, sizeof(text));
	return err->code;
}

int souk_error_hint(struct souk_error *err, const char *fmt, ...)
{
	char hint[SOUK_ERROR_HINT_SIZE];
	va_list args;

	if (!err || too_small(err))
		return code_of(err);
	va_start(args, fmt);
	format(hint, sizeof(hint), fmt, args);
	va_end(args);
	memcpy(err->hint, hint, sizeof(hint));
	return err->code;
}

int souk_error_retry_after(struct souk_error *err, uint32_t retry_after_ms)
{
	if (err && !too_small(err))
		err->retry_after_ms = retry_after_ms;
	return code_of(err);
}

int souk_error_copy(const struct souk_error *from, struct souk_error *err)
{
	souk_error_set(err, from->code, "%s", from->message);
	souk_error_scope(err, from->scope);
	souk_error_reason(err, from->reason);
	souk_error_hint(err, "%s", from->hint);
	souk_error_retry_after(err, from->retry_after_ms);
	return from->code;
}

int souk_error_nomem(struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_NOMEM, "out of memory");
}
