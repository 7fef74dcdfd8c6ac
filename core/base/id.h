/* SPDX-License-Identifier: Apache-2.0 */
/* base/id.h - random names for tokens, and bytes as text */
#ifndef SOUK_BASE_ID_H
#define SOUK_BASE_ID_H

#include <stddef.h>

#include <souk/provider.h>

/* Fill with random bytes from the kernel. */
int souk_random(void *data, size_t size, struct souk_error *err);

#define SOUK_ID_SIZE 33
/* 'n' (at most 32) random characters of [a-z0-9], ended by NUL. */
int souk_id_new(char id[SOUK_ID_SIZE], unsigned n, struct souk_error *err);

#define SOUK_HEX_SIZE(n) (2 * (n) + 1)
/* Bytes as small hexadecimal digits, ended by NUL: 'hex' has room for SOUK_HEX_SIZE(size). */
void souk_hex(const void *data, size_t size, char *hex);

#endif
