/* SPDX-License-Identifier: Apache-2.0 */
/* base/banned.h - functions that are not to be used; included by the compiler line of the core */
#ifndef SOUK_BASE_BANNED_H
#define SOUK_BASE_BANNED_H

/* Headers that declare them come first, so that only our uses are hit. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf
#undef strtok
#undef gmtime
#undef localtime
#undef ctime
#undef asctime
#undef atoi
#undef atol
#undef atoll
#undef atof
#undef gets
#undef mktemp
#undef tmpnam
#undef system
#undef alloca
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf strtok gmtime localtime ctime asctime
#pragma GCC poison atoi atol atoll atof mktemp tmpnam alloca

#endif
