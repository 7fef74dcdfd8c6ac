/* SPDX-License-Identifier: Apache-2.0 */
/* base/pattern.h - names of places with '*' in them */
#ifndef SOUK_BASE_PATTERN_H
#define SOUK_BASE_PATTERN_H

/* Does 'text' match the pattern, in which '*' stands for any run of characters? In any case. */
int souk_pattern_matches(const char *pattern, const char *text);

#endif
