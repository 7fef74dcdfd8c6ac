/* SPDX-License-Identifier: Apache-2.0 */
/* base/error.c - errors as the core uses them */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <souk/souk.h>

#include "base/util.h"

static int code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
		return SOUK_E_NOT_FOUND;
	case EACCES:
	case EPERM:
		return SOUK_E_AUTH;
	case ENOMEM:
		return SOUK_E_NOMEM;
	default:
		return SOUK_E_INTERNAL;
	}
}

int souk_error_errno(struct souk_error *err, int errnum, const char *fmt, ...)
{
	char text[SOUK_ERROR_MESSAGE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	souk_error_set(err, code_of_errno(errnum), "%s: %s", text, strerror(errnum));
	if (code_of_errno(errnum) == SOUK_E_INTERNAL)
		souk_error_reason(err, SOUK_REASON_SYSTEM);
	return code_of_errno(errnum);
}

int souk_error_prefix(struct souk_error *err, const char *fmt, ...)
{
	char text[SOUK_ERROR_MESSAGE_SIZE];
	va_list args;
	size_t prefix, room;

	if (!err)
		return SOUK_E_INTERNAL;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	prefix = strlen(text);
	if (prefix + 3 >= sizeof(err->message))
		return err->code;
	room = sizeof(err->message) - prefix - 3;
	err->message[room < sizeof(err->message) ? room : 0] = '\0';
	memmove(err->message + prefix + 2, err->message, strlen(err->message) + 1);
	memcpy(err->message, text, prefix);
	memcpy(err->message + prefix, ": ", 2);
	return err->code;
}

const char *souk_error_without(const struct souk_error *err, const char *name)
{
	size_t len = strlen(name);

	return strncmp(err->message, name, len) == 0 && strncmp(err->message + len, ": ", 2) == 0 ?
		       err->message + len + 2 : err->message;
}

const char *souk_code_name(int code)
{
	static const char *const names[] = {
		"OK", "CAPACITY", "QUOTA", "AUTH", "RATE_LIMIT", "INVALID", "NOT_FOUND", "CONFLICT",
		"TIMEOUT", "TRANSIENT", "UNSUPPORTED", "NOMEM", "INTERNAL", "CANCELLED",
	};

	return code <= 0 && (size_t)-code < SOUK_ARRAY_SIZE(names) ? names[-code] : "INTERNAL";
}

const char *souk_scope_name(int scope)
{
	static const char *const names[] = { "offer", "zone", "region", "provider" };

	return scope >= 0 && (size_t)scope < SOUK_ARRAY_SIZE(names) ? names[scope] : "offer";
}

int souk_code_exit_status(int code)
{
	switch (code) {
	case SOUK_OK:
		return EX_OK;
	case SOUK_E_INVALID:
		return EX_DATAERR;
	case SOUK_E_CAPACITY:
	case SOUK_E_QUOTA:
	case SOUK_E_UNSUPPORTED:
	case SOUK_E_NOT_FOUND:
		return EX_UNAVAILABLE;
	case SOUK_E_AUTH:
		return EX_NOPERM;
	case SOUK_E_RATE_LIMIT:
	case SOUK_E_TIMEOUT:
	case SOUK_E_TRANSIENT:
	case SOUK_E_CONFLICT:
		return EX_TEMPFAIL;
	case SOUK_E_CANCELLED:
		return 130;
	default:
		return EX_SOFTWARE;
	}
}
