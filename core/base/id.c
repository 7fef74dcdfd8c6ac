/* SPDX-License-Identifier: Apache-2.0 */
/* base/id.c - random names for tokens, and bytes as text */
#include "base/id.h"

#include <errno.h>
#include <sys/random.h>

#include "base/error.h"

int souk_random(void *data, size_t size, struct souk_error *err)
{
	char *at = data;

	while (size > 0) {
		ssize_t n = getrandom(at, size, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return souk_error_errno(err, errno, "cannot get random bytes");
		at += n;
		size -= (size_t)n;
	}
	return SOUK_OK;
}

int souk_id_new(char id[SOUK_ID_SIZE], unsigned n, struct souk_error *err)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	unsigned char random[64];
	unsigned i = 0, used = sizeof(random);
	int ret;

	if (n >= SOUK_ID_SIZE)
		return souk_error_set(err, SOUK_E_INTERNAL, "an id of %u characters is too long", n);
	while (i < n) {
		if (used == sizeof(random)) {
			ret = souk_random(random, sizeof(random), err);
			if (ret < 0)
				return ret;
			used = 0;
		}
		/* 252 is 7 times 36: what is above would favour the first letters. */
		if (random[used] < 252)
			id[i++] = digits[random[used] % 36];
		used++;
	}
	id[n] = '\0';
	return SOUK_OK;
}

void souk_hex(const void *data, size_t size, char *hex)
{
	static const char digits[] = "0123456789abcdef";
	const unsigned char *bytes = data;
	size_t i;

	for (i = 0; i < size; i++) {
		hex[2 * i] = digits[bytes[i] >> 4];
		hex[2 * i + 1] = digits[bytes[i] & 15];
	}
	hex[2 * size] = '\0';
}
