/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock.c - time */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t souk_clock_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t souk_clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

int64_t souk_clock_wall_s(void)
{
	return souk_clock_wall_ms() / 1000;
}

const char *souk_time_text(int64_t seconds, char text[SOUK_TIME_TEXT_SIZE])
{
	time_t time = (time_t)seconds;
	struct tm tm;

	if (seconds == 0 || !gmtime_r(&time, &tm) ||
	    strftime(text, SOUK_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(text, SOUK_TIME_TEXT_SIZE, "-");
	return text;
}

const char *souk_duration_text(int64_t seconds, char text[SOUK_TIME_TEXT_SIZE])
{
	long long s = seconds < 0 ? 0 : (long long)seconds;

	if (s < 60)
		snprintf(text, SOUK_TIME_TEXT_SIZE, "%llds", s);
	else if (s < 3600)
		snprintf(text, SOUK_TIME_TEXT_SIZE, "%lldm %llds", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, SOUK_TIME_TEXT_SIZE, "%lldh %lldm", s / 3600, s % 3600 / 60);
	else
		snprintf(text, SOUK_TIME_TEXT_SIZE, "%lldd %lldh", s / 86400, s % 86400 / 3600);
	return text;
}
