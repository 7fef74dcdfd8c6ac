/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock.c - time */
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"

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

int64_t souk_clock_billing_s(void)
{
	const char *path = getenv("SOUK_TEST_CLOCK");
	int64_t now = souk_clock_wall_s();
	long long seconds = 0;
	char sign[2] = "";
	FILE *file;
	int n;

	if (!path || !*path)
		return now;
	file = fopen(path, "re");
	n = file ? fscanf(file, " %1[+]", sign) : EOF;
	if (file && n != EOF)
		n = fscanf(file, "%18lld", &seconds);
	if (file)
		fclose(file);
	if (n != 1 || seconds < 0) {
		souk_log(SOUK_LOG_ERROR, "SOUK_TEST_CLOCK: '%s' holds no number of seconds", path);
		return now;
	}
	return sign[0] ? now + seconds : seconds;
}

int souk_clock_parse_http(const char *text, int64_t *seconds_out)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct tm tm = { 0 };
	char month[4], zone[4];
	const char *found;
	int64_t seconds;

	if (sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]", &tm.tm_mday, month,
		   &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone) != 7)
		return -1;
	found = strstr(months, month);
	if (!found || strlen(month) != 3 || (found - months) % 3 != 0 || strcmp(zone, "GMT") != 0 ||
	    tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60 ||
	    tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0 || tm.tm_year < 1970)
		return -1;
	tm.tm_mon = (int)(found - months) / 3;
	tm.tm_year -= 1900;
	seconds = (int64_t)timegm(&tm);
	if (seconds < 0)
		return -1;
	*seconds_out = seconds;
	return 0;
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
