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

int64_t souk_money_add(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return a > 0 ? INT64_MAX : INT64_MIN;
}

const char *souk_money_currency(int64_t micros, const char *currency,
				char text[SOUK_MONEY_TEXT_SIZE])
{
	char amount[SOUK_MONEY_TEXT_SIZE];

	souk_money_text(micros, amount);
	if (!currency || !currency[0] || strcmp(currency, "USD") == 0)
		snprintf(text, SOUK_MONEY_TEXT_SIZE, "$%.22s", amount);
	else
		snprintf(text, SOUK_MONEY_TEXT_SIZE, "%.22s %.3s", amount, currency);
	return text;
}
