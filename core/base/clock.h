/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock.h - time: monotonic for waits, wall clock for records */
#ifndef SOUK_BASE_CLOCK_H
#define SOUK_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Milliseconds that never go back; only differences mean something. */
int64_t souk_clock_ms(void);

/* Milliseconds and seconds since the epoch. */
int64_t souk_clock_wall_ms(void);
int64_t souk_clock_wall_s(void);

/*
 * Seconds since the epoch for records of what machines cost: the wall clock. For tests the variable
 * SOUK_TEST_CLOCK names a file: a number of seconds since the epoch, at which this clock stands then,
 * or "+N", so many seconds ahead of the wall clock. Nothing else goes by it. A file that says neither
 * is told of, and counts for nothing.
 */
int64_t souk_clock_billing_s(void);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110) to seconds since the epoch. 0, or -1 if it is not one. */
int souk_clock_parse_http(const char *text, int64_t *seconds_out);

#define SOUK_TIME_TEXT_SIZE 32
/* "2026-07-04T12:30:00Z" of seconds since the epoch; "-" for 0. Returns text. */
const char *souk_time_text(int64_t seconds, char text[SOUK_TIME_TEXT_SIZE]);

/* "42s", "3m 5s", "2h 7m", "5d 1h": the two-unit form of a length of time. Returns text. */
const char *souk_duration_text(int64_t seconds, char text[SOUK_TIME_TEXT_SIZE]);

#endif
