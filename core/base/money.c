/* SPDX-License-Identifier: Apache-2.0 */
/* base/money.c - amounts in millionths, as text */
#include "base/money.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *souk_money_text(int64_t micros, char text[SOUK_MONEY_TEXT_SIZE])
{
	size_t len;

	if (micros < 0) {
		snprintf(text, SOUK_MONEY_TEXT_SIZE, "-");
		return text;
	}
	snprintf(text, SOUK_MONEY_TEXT_SIZE, "%" PRId64 ".%06" PRId64, micros / 1000000,
		 micros % 1000000);
	len = strlen(text);
	while (text[len - 1] == '0' && text[len - 4] != '.')
		text[--len] = '\0';
	if (text[len - 1] == '0' && text[len - 4] == '.')
		text[--len] = '\0';
	return text;
}

int64_t souk_money_scale(int64_t micros, uint64_t multiply, uint64_t divide)
{
	__int128 product = (__int128)micros * (__int128)multiply / (__int128)(divide ? divide : 1);

	return product > INT64_MAX ? INT64_MAX : product < INT64_MIN ? INT64_MIN : (int64_t)product;
}
