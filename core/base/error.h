/* SPDX-License-Identifier: Apache-2.0 */
/* base/error.h - errors as the core uses them; the functions are those of souk/provider.h */
#ifndef SOUK_BASE_ERROR_H
#define SOUK_BASE_ERROR_H

#include <souk/provider.h>

/* Record errno: "cannot open 'PATH': No such file or directory", with the code INTERNAL, or
 * NOT_FOUND for ENOENT, AUTH for EACCES and EPERM, NOMEM for ENOMEM; the reason of INTERNAL is
 * SOUK_REASON_SYSTEM. Returns the code. */
int souk_error_errno(struct souk_error *err, int errnum, const char *fmt, ...) SOUK_PRINTF(3, 4);

/* Put "prefix: " before the message. Returns err's code. */
int souk_error_prefix(struct souk_error *err, const char *fmt, ...) SOUK_PRINTF(2, 3);

/* The message without "name: " at its head, for a line that begins with the name. Borrowed. */
const char *souk_error_without(const struct souk_error *err, const char *name);

/* "CAPACITY", "zone" ... for logs, the ledger and JSON. Static text. */
const char *souk_code_name(int code);
const char *souk_scope_name(int scope);

/* The exit status of sysexits.h for a code: 65, 69, 75, 77, 78 (souk(1), EXIT STATUS). */
int souk_code_exit_status(int code);

#endif
