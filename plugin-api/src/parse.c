/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c - numbers and times from text, with the range checked and the field named */

#include <souk/provider.h>

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int not_a_number(const char *what, const char *text, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INVALID, "%s: not a number: '%.80s'", what, text);
}

static int too_large(const char *what, const char *text, uint64_t max, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INVALID, "%s: '%.80s' is too large: at most %" PRIu64,
			      what, text, max);
}

static int no_value(const char *what, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INVALID, "%s: no value", what);
}

/* Append a decimal digit to *value; 0 if that passes max. */
static int push_digit(uint64_t *value, char digit, uint64_t max)
{
	uint64_t n = (uint64_t)(digit - '0');

	if (*value > (max - n) / 10)
		return 0;
	*value = *value * 10 + n;
	return 1;
}

static int parse_unsigned(const char *what, const char *text, uint64_t max, uint64_t *value_out,
			  struct souk_error *err)
{
	uint64_t value = 0;
	const char *p;

	if (!text || !*text)
		return no_value(what, err);
	for (p = text; *p; p++)
		if (!is_digit(*p))
			return not_a_number(what, text, err);
	for (p = text; *p; p++)
		if (!push_digit(&value, *p, max))
			return too_large(what, text, max, err);
	*value_out = value;
	return SOUK_OK;
}

int souk_parse_u32(const char *what, const char *text, uint32_t *value_out, struct souk_error *err)
{
	uint64_t value;
	int ret = parse_unsigned(what, text, UINT32_MAX, &value, err);

	if (ret == SOUK_OK)
		*value_out = (uint32_t)value;
	return ret;
}

int souk_parse_u64(const char *what, const char *text, uint64_t *value_out, struct souk_error *err)
{
	return parse_unsigned(what, text, UINT64_MAX, value_out, err);
}

/* "12", "0.5" or ".5": digits, and digits behind a point. */
static int looks_decimal(const char *text)
{
	const char *p = text;

	while (is_digit(*p))
		p++;
	if (!*p)
		return p != text;
	if (*p++ != '.' || !is_digit(*p))
		return 0;
	while (is_digit(*p))
		p++;
	return !*p;
}

/* Text to a number of units of 10^-places. What is behind the last place is rounded to it. */
static int parse_decimal(const char *what, const char *text, int places, uint64_t max,
			 uint64_t *value_out, struct souk_error *err)
{
	uint64_t value = 0;
	uint64_t scale = 1;
	const char *p;
	int i;

	if (!text || !*text)
		return no_value(what, err);
	if (!looks_decimal(text))
		return not_a_number(what, text, err);

	for (i = 0; i < places; i++)
		scale *= 10;
	for (p = text; is_digit(*p); p++)
		if (!push_digit(&value, *p, max))
			return too_large(what, text, max / scale, err);
	if (*p == '.')
		p++;
	for (i = 0; i < places; i++) {
		if (!push_digit(&value, is_digit(*p) ? *p : '0', max))
			return too_large(what, text, max / scale, err);
		p += is_digit(*p);
	}
	if (*p >= '5' && value++ == max)
		return too_large(what, text, max / scale, err);
	*value_out = value;
	return SOUK_OK;
}

int souk_parse_milli(const char *what, const char *text, uint32_t *value_out,
		     struct souk_error *err)
{
	uint64_t value;
	int ret = parse_decimal(what, text, 3, UINT32_MAX, &value, err);

	if (ret == SOUK_OK)
		*value_out = (uint32_t)value;
	return ret;
}

int souk_parse_micros(const char *what, const char *text, int64_t *value_out,
		      struct souk_error *err)
{
	uint64_t value;
	int ret = parse_decimal(what, text, 6, INT64_MAX, &value, err);

	if (ret == SOUK_OK)
		*value_out = (int64_t)value;
	return ret;
}

enum { MAX_DIGITS = 64, MAX_SHIFT = 64 };

/*
 * Move the point of "1.25E-3" to where it stands without the exponent: "0.00125". 'out' has room
 * for the digits, as many zeros, a point and the NUL. 0 if it is no such number.
 */
static int move_point(const char *text, char out[2 * MAX_DIGITS + MAX_SHIFT])
{
	size_t len = strcspn(text, "eE");
	long point = (long)strcspn(text, ".eE");
	size_t n = 0;
	size_t i;
	long at = 0;
	long shift;
	char *end;

	if (!len || len > MAX_DIGITS || isspace((unsigned char)text[len + 1]))
		return 0;
	shift = strtol(text + len + 1, &end, 10);
	if (end == text + len + 1 || *end || shift < -MAX_SHIFT || shift > MAX_SHIFT)
		return 0;
	point += shift;
	if (point <= 0) {
		out[n++] = '0';
		out[n++] = '.';
		for (; point < 0; point++)
			out[n++] = '0';
		point = -1;
	}
	for (i = 0; i < len; i++) {
		if (text[i] == '.')
			continue;
		if (at++ == point)
			out[n++] = '.';
		out[n++] = text[i];
	}
	for (; at < point; at++)
		out[n++] = '0';
	out[n] = '\0';
	return 1;
}

int souk_parse_json_micros(const char *what, const char *text, int64_t *value_out,
			   struct souk_error *err)
{
	char plain[2 * MAX_DIGITS + MAX_SHIFT];
	char mantissa[MAX_DIGITS + 1];
	size_t len = text ? strcspn(text, "eE") : 0;
	int has_exponent = len && text[len];

	if (!len)
		return souk_parse_micros(what, text, value_out, err);
	if (len > MAX_DIGITS)
		return not_a_number(what, text, err);
	memcpy(mantissa, text, len);
	/* "5." is no JSON, but passes for it. */
	mantissa[text[len - 1] == '.' ? len - 1 : len] = '\0';
	if (!looks_decimal(mantissa) || (has_exponent && !move_point(text, plain)))
		return not_a_number(what, text, err);
	return souk_parse_micros(what, has_exponent ? plain : mantissa, value_out, err);
}

/* Take exactly 'digits' digits from *p, or -1. */
static int take(const char **p, int digits)
{
	int value = 0;

	while (digits-- > 0) {
		if (!is_digit(**p))
			return -1;
		value = value * 10 + (*(*p)++ - '0');
	}
	return value;
}

/* Take one character of a set. */
static int take_one(const char **p, const char *set)
{
	if (!**p || !strchr(set, **p))
		return -1;
	(*p)++;
	return 0;
}

static int days_in(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01. A year begins in March here, so that the leap day is its last. */
static int64_t days_since_epoch(int year, int month, int day)
{
	int64_t y = year - (month <= 2) + 400; /* never negative; 400 years have 146097 days */
	int64_t m = month <= 2 ? month + 9 : month - 3;

	/* 153 days are five months from March on; 719468 days lie before 1970-01-01. */
	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468 - 146097;
}

struct civil {
	int year, month, day, hour, minute, second;
};

/* Seconds east of Greenwich from "Z", "+hh:mm" or "-hh:mm", or -1 for anything else. */
static int take_offset(const char **p, int *offset_out)
{
	int sign = **p == '-' ? -1 : 1;
	int hours, minutes;

	if (take_one(p, "Zz") == 0) {
		*offset_out = 0;
		return 0;
	}
	if (take_one(p, "+-") < 0)
		return -1;
	hours = take(p, 2);
	if (take_one(p, ":") < 0)
		return -1;
	minutes = take(p, 2);
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return -1;
	*offset_out = sign * (hours * 3600 + minutes * 60);
	return 0;
}

static int take_civil(const char **p, struct civil *c)
{
	if ((c->year = take(p, 4)) < 0 || take_one(p, "-") < 0 ||
	    (c->month = take(p, 2)) < 1 || c->month > 12 || take_one(p, "-") < 0 ||
	    (c->day = take(p, 2)) < 1 || c->day > days_in(c->year, c->month) ||
	    take_one(p, "Tt ") < 0 || (c->hour = take(p, 2)) < 0 || c->hour > 23 ||
	    take_one(p, ":") < 0 || (c->minute = take(p, 2)) < 0 || c->minute > 59 ||
	    take_one(p, ":") < 0 || (c->second = take(p, 2)) < 0 || c->second > 60)
		return -1;
	if (**p != '.')
		return 0;
	(*p)++;
	if (!is_digit(**p))
		return -1;
	while (is_digit(**p))
		(*p)++;
	return 0;
}

int souk_parse_time(const char *what, const char *text, int64_t *value_out, struct souk_error *err)
{
	const char *p = text;
	struct civil c;
	int offset;

	if (!text || !*text)
		return no_value(what, err);
	if (take_civil(&p, &c) < 0 || take_offset(&p, &offset) < 0 || *p)
		return souk_error_set(err, SOUK_E_INVALID, "%s: not a time: '%.80s'", what, text);
	*value_out = days_since_epoch(c.year, c.month, c.day) * 86400 + c.hour * 3600 +
		     c.minute * 60 + c.second - offset;
	return SOUK_OK;
}
