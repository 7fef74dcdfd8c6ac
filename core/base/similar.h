/* SPDX-License-Identifier: Apache-2.0 */
/* base/similar.h - the nearest known name for one that is not known */
#ifndef SOUK_BASE_SIMILAR_H
#define SOUK_BASE_SIMILAR_H

#include <stddef.h>

/* How alike two texts are, 0 to 1000: 2 * matches / total length over the longest common
 * blocks, case-insensitive (Ratcliff and Obershelp, "Pattern Matching: The Gestalt Approach",
 * Dr. Dobb's Journal, July 1988; what Python's difflib computes). */
unsigned souk_similar(const char *a, const char *b);

/* The best of n names if it reaches 600, else NULL. Ties: the first. Borrowed. */
const char *souk_similar_best(const char *name, const char *const *names, size_t n);

#endif
