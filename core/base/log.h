/* SPDX-License-Identifier: Apache-2.0 */
/* base/log.h - one log for the whole process: warnings for the user, -v, --debug */
#ifndef SOUK_BASE_LOG_H
#define SOUK_BASE_LOG_H

#include <souk/provider.h>

/* Show messages up to this level (SOUK_LOG_...). Default: WARNING. */
void souk_log_set_level(int level);
int souk_log_level(void);

/* Where lines go; NULL: stderr. The sink gets one line without newline, under a lock. */
void souk_log_set_sink(void (*sink)(int level, const char *line, void *arg), void *arg);

/* Write one line. Registered secrets in it are replaced by "[redacted]". Any thread. */
void souk_log(int level, const char *fmt, ...) SOUK_PRINTF(2, 3);
void souk_vlog(int level, const char *fmt, va_list args) SOUK_PRINTF(2, 0);

/* Register a value that no log line may show (copied; shorter than 4 bytes is ignored). */
void souk_log_add_secret(const char *value);

/* Replace every registered secret in text, in place. */
void souk_log_redact(char *text);

#endif
