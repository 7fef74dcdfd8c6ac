/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - the RateLimit header: is a window of requests used up, and until when */

#include "runpod.h"

#include <stdlib.h>
#include <string.h>

/* A minute's window is worth waiting for; who has used up a day's is told so by a 429. */
enum { LONGEST_SECONDS = 120 };

/* The whole number behind "KEY=" among the parameters of one member; -1: there is none. */
static long parameter(const char *member, size_t len, char key)
{
	const char *end = member + len;
	const char *p = member;

	while ((p = memchr(p, ';', (size_t)(end - p)))) {
		p++;
		while (p < end && *p == ' ')
			p++;
		if (end - p >= 3 && p[0] == key && p[1] == '=' && p[2] >= '0' && p[2] <= '9')
			return strtol(p + 2, NULL, 10);
	}
	return -1;
}

/* "minute";r=0;t=12, "hour";r=2800;t=1812: what remains (r), and when it begins anew (t). */
uint32_t runpod_limit_wait_ms(const char *header)
{
	long wait = 0;

	while (header && *header) {
		size_t len = strcspn(header, ",");
		long seconds = parameter(header, len, 't');

		if (parameter(header, len, 'r') == 0 && seconds > wait &&
		    seconds <= LONGEST_SECONDS)
			wait = seconds;
		header += len;
		header += *header == ',';
	}
	return (uint32_t)wait * 1000;
}
