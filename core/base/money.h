/* SPDX-License-Identifier: Apache-2.0 */
/* base/money.h - amounts in millionths, as text */
#ifndef SOUK_BASE_MONEY_H
#define SOUK_BASE_MONEY_H

#include <stddef.h>
#include <stdint.h>

#define SOUK_MONEY_TEXT_SIZE 32
/* "12.34", "0.0034" (two to six decimals, no trailing zeros past two); "-" if negative.
 * The same in every locale. Returns text. */
const char *souk_money_text(int64_t micros, char text[SOUK_MONEY_TEXT_SIZE]);

/* micros * milli / 1000, and micros_per_hour * seconds / 3600, without overflow: INT64_MAX at most. */
int64_t souk_money_scale(int64_t micros, uint64_t multiply, uint64_t divide);

/* a + b, at most INT64_MAX and at least INT64_MIN. */
int64_t souk_money_add(int64_t a, int64_t b);

/* "$12.34", or "12.34 EUR" in another currency (NULL and "": USD). Returns text. */
const char *souk_money_currency(int64_t micros, const char *currency,
				char text[SOUK_MONEY_TEXT_SIZE]);

#endif
