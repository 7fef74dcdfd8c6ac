/* SPDX-License-Identifier: Apache-2.0 */
/* yaml-scalar.c - what type a YAML 1.1 scalar has, and its value as Python prints it */
#include "model/yaml-internal.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/util.h"

#define DIGITS "0123456789"
#define DIGITS_ "0123456789_"
#define MAX_NUMBER 400 /* characters; every double fits */
#define TAG_PREFIX "tag:yaml.org,2002:"

struct resolver {
	struct souk_yaml_arena *arena;
	struct souk_yaml *node;
	struct souk_report *report;
	struct souk_error *err;
};

static int set_text(struct resolver *r, const char *text, size_t size)
{
	char *copy = souk_yaml_alloc(r->arena, size + 1);

	if (!copy)
		return souk_error_nomem(r->err);
	memcpy(copy, text, size);
	r->node->text = copy;
	return SOUK_OK;
}

static int bad(struct resolver *r, const char *what, const char *text)
{
	souk_report_add(r->report, r->node->mark, 0, "not %s: '%.80s'", what, text);
	r->node->type = SOUK_YAML_STR;
	return set_text(r, text, strlen(text));
}

static int is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(text, *words) == 0)
			return 1;
	}
	return 0;
}

static int is_null(const char *text)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };

	return is_one_of(text, words);
}

static int bool_value(const char *text)
{
	static const char *const yes[] = { "yes", "Yes", "YES", "true", "True", "TRUE",
					   "on",  "On",	 "ON",	NULL };
	static const char *const no[] = { "no",	 "No",	"NO",  "false", "False", "FALSE",
					  "off", "Off", "OFF", NULL };

	return is_one_of(text, yes) ? 1 : is_one_of(text, no) ? 0 : -1;
}

/* (":" one or two digits under 60), once or more; NULL if there is none. */
static const char *skip_sixties(const char *p)
{
	const char *start = p;

	while (*p == ':') {
		if (p[1] >= '0' && p[1] <= '5' && isdigit((unsigned char)p[2]))
			p += 3;
		else if (isdigit((unsigned char)p[1]))
			p += 2;
		else
			return NULL;
	}
	return p == start ? NULL : p;
}

static const char *skip_sign(const char *p)
{
	return *p == '-' || *p == '+' ? p + 1 : p;
}

static int is_int(const char *text)
{
	const char *p = skip_sign(text), *end;

	if (p[0] == '0' && p[1] == 'b')
		return p[2] && p[2 + strspn(p + 2, "01_")] == '\0';
	if (p[0] == '0' && p[1] == 'x')
		return p[2] && p[2 + strspn(p + 2, "0123456789abcdefABCDEF_")] == '\0';
	if (p[0] == '0')
		return p[1 + strspn(p + 1, "01234567_")] == '\0';
	if (!isdigit((unsigned char)p[0]))
		return 0;
	p += strspn(p, DIGITS_);
	if (*p == '\0')
		return 1;
	end = skip_sixties(p);
	return end && *end == '\0';
}

/* Nothing, or an exponent with its sign, to the end of the text. */
static int is_exponent(const char *p)
{
	if (*p == '\0')
		return 1;
	if ((*p != 'e' && *p != 'E') || (p[1] != '-' && p[1] != '+') || !p[2])
		return 0;
	return p[2 + strspn(p + 2, DIGITS)] == '\0';
}

static int is_float(const char *text)
{
	static const char *const infinite[] = { ".inf", ".Inf", ".INF", NULL };
	static const char *const nan[] = { ".nan", ".NaN", ".NAN", NULL };
	const char *p = skip_sign(text), *end;

	if (is_one_of(p, infinite) || is_one_of(text, nan))
		return 1;
	if (text[0] == '.')
		return isdigit((unsigned char)text[1]) &&
		       is_exponent(text + 1 + strspn(text + 1, DIGITS_));
	if (!isdigit((unsigned char)*p))
		return 0;
	p += strspn(p, DIGITS_);
	end = skip_sixties(p);
	if (end)
		return *end == '.' && end[1 + strspn(end + 1, DIGITS_)] == '\0';
	return *p == '.' && is_exponent(p + 1 + strspn(p + 1, DIGITS_));
}

/* The text without '_'; -1 if it is longer than a number can be. */
static int strip(const char *text, char out[MAX_NUMBER])
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == '_')
			continue;
		if (n + 1 >= MAX_NUMBER)
			return -1;
		out[n++] = *text;
	}
	out[n] = '\0';
	return 0;
}

/* Digits of a base to a number; -1 if there are none or they do not fit. */
static int parse_digits(const char *digits, unsigned base, uint64_t *value_out)
{
	uint64_t value = 0;

	if (!*digits)
		return -1;
	for (; *digits; digits++) {
		unsigned digit = isdigit((unsigned char)*digits) ?
					 (unsigned)(*digits - '0') :
					 (unsigned)(tolower((unsigned char)*digits) - 'a') + 10;

		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return -1;
	}
	*value_out = value;
	return 0;
}

/* "1:30:00" counts in sixties. */
static int parse_sixties(const char *text, uint64_t *value_out)
{
	uint64_t value = 0;

	while (*text) {
		uint64_t part = 0;

		for (; *text && *text != ':'; text++) {
			if (__builtin_mul_overflow(part, 10, &part) ||
			    __builtin_add_overflow(part, (uint64_t)(*text - '0'), &part))
				return -1;
		}
		if (__builtin_mul_overflow(value, 60, &value) ||
		    __builtin_add_overflow(value, part, &value))
			return -1;
		text += *text == ':';
	}
	*value_out = value;
	return 0;
}

/* Integers over 64 bits keep their text, which is why decimal ones are not converted back. */
static int set_decimal(struct resolver *r, const char *digits, int negative)
{
	char text[MAX_NUMBER + 1];
	uint64_t value = 0;

	digits += strspn(digits, "0");
	if (!*digits) {
		digits = "0";
		negative = 0;
	}
	if (parse_digits(digits, 10, &value) < 0)
		value = UINT64_MAX;
	if (negative)
		r->node->integer = value > (uint64_t)INT64_MAX ? INT64_MIN : -(int64_t)value;
	else
		r->node->integer = value > (uint64_t)INT64_MAX ? INT64_MAX : (int64_t)value;
	snprintf(text, sizeof(text), "%s%s", negative ? "-" : "", digits);
	r->node->number = strtod(text, NULL);
	return set_text(r, text, strlen(text));
}

static int resolve_int(struct resolver *r, const char *text)
{
	char clean[MAX_NUMBER], decimal[32];
	uint64_t value = 0;
	const char *p;
	int ret;

	r->node->type = SOUK_YAML_INT;
	if (strip(text, clean) < 0)
		return bad(r, "an integer of a usable size", text);
	p = skip_sign(clean);
	if (strchr(p, ':'))
		ret = parse_sixties(p, &value);
	else if (p[0] == '0' && p[1] == 'b')
		ret = parse_digits(p + 2, 2, &value);
	else if (p[0] == '0' && p[1] == 'x')
		ret = parse_digits(p + 2, 16, &value);
	else if (p[0] == '0' && p[1])
		ret = parse_digits(p + 1, 8, &value);
	else
		return set_decimal(r, p, clean[0] == '-');
	if (ret < 0)
		return bad(r, "an integer of a usable size", text);
	snprintf(decimal, sizeof(decimal), "%llu", (unsigned long long)value);
	return set_decimal(r, decimal, clean[0] == '-');
}

/* Of 16 digits the nearest may not read back although a neighbour does. Takes what
 * "%.15e" has printed; 1 if a neighbour was put in its place. */
static int nudge(double number, char *digits, size_t size)
{
	long long mantissa = digits[0] - '0', other;
	int exponent, i, step;
	char text[40];

	for (i = 0; i < 15; i++)
		mantissa = mantissa * 10 + (digits[2 + i] - '0');
	exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
	for (step = -1; step <= 1; step += 2) {
		other = mantissa + step;
		snprintf(text, sizeof(text), "%llde%d", other, exponent - 15);
		if (strtod(text, NULL) != number || other < 1000000000000000LL ||
		    other > 9999999999999999LL)
			continue;
		snprintf(digits, size, "%lld.%015llde%+03d", other / 1000000000000000LL,
			 other % 1000000000000000LL, exponent);
		return 1;
	}
	return 0;
}

/* The fewest digits, in the form "d.ddde+dd", that read back as the number. */
static void shortest(double number, char *digits, size_t size)
{
	int precision;

	for (precision = 0; precision < 17; precision++) {
		snprintf(digits, size, "%.*e", precision, number);
		if (strtod(digits, NULL) == number ||
		    (precision == 15 && nudge(number, digits, size)))
			return;
	}
}

/* A number in Python's form. */
static void float_text(double number, char *out, size_t size)
{
	char digits[40], shown[24], *mark;
	int exponent, n = 0, point, i;

	if (isnan(number) || isinf(number)) {
		snprintf(out, size, "%s", isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
		return;
	}
	shortest(fabs(number), digits, sizeof(digits));
	mark = strchr(digits, 'e');
	exponent = (int)strtol(mark + 1, NULL, 10);
	for (i = 0; digits + i < mark; i++) {
		if (digits[i] != '.')
			shown[n++] = digits[i];
	}
	while (n > 1 && shown[n - 1] == '0')
		n--;
	shown[n] = '\0';
	mark = out;
	if (signbit(number)) {
		*mark++ = '-';
		size--;
	}
	point = exponent + 1;
	if (exponent < -4 || exponent >= 16)
		snprintf(mark, size, "%c%s%se%c%02d", shown[0], n > 1 ? "." : "", shown + 1,
			 exponent < 0 ? '-' : '+', abs(exponent));
	else if (point <= 0)
		snprintf(mark, size, "0.%.*s%s", -point, "0000", shown);
	else if (n <= point)
		snprintf(mark, size, "%s%.*s.0", shown, point - n, "0000000000000000");
	else
		snprintf(mark, size, "%.*s.%s", point, shown, shown + point);
}

/* "1:30.5" counts in sixties too. */
static double sixties(const char *text)
{
	double value = 0;

	while (*text) {
		char *end;
		double part = strtod(text, &end);

		value = value * 60 + part;
		text = *end == ':' ? end + 1 : end + strlen(end);
	}
	return value;
}

static int resolve_float(struct resolver *r, const char *text)
{
	char clean[MAX_NUMBER], shown[48];
	double number;
	const char *p;

	r->node->type = SOUK_YAML_FLOAT;
	if (strip(text, clean) < 0)
		return bad(r, "a number of a usable size", text);
	p = skip_sign(clean);
	if (strcasecmp(p, ".inf") == 0)
		number = INFINITY;
	else if (strcasecmp(p, ".nan") == 0)
		number = NAN;
	else
		number = strchr(p, ':') ? sixties(p) : strtod(p, NULL);
	r->node->number = clean[0] == '-' ? -number : number;
	float_text(r->node->number, shown, sizeof(shown));
	return set_text(r, shown, strlen(shown));
}

struct date {
	unsigned year, month, day, hour, minute, second, micros;
	int has_time, has_zone, zone_minutes;
};

/* Read min to max digits; NULL if there are fewer. */
static const char *take(const char *p, int min, int max, unsigned *value_out)
{
	unsigned value = 0;
	int n = 0;

	while (n < max && isdigit((unsigned char)*p)) {
		value = value * 10 + (unsigned)(*p++ - '0');
		n++;
	}
	*value_out = value;
	return n < min ? NULL : p;
}

static const char *take_after(const char *p, char before, int min, unsigned *value_out)
{
	return p && *p == before ? take(p + 1, min, 2, value_out) : NULL;
}

static const char *take_fraction(const char *p, unsigned *micros_out)
{
	unsigned digit = 100000;

	*micros_out = 0;
	if (*p != '.')
		return p;
	for (p++; isdigit((unsigned char)*p); p++) {
		*micros_out += (unsigned)(*p - '0') * digit;
		digit /= 10;
	}
	return p;
}

static const char *take_zone(const char *p, struct date *date)
{
	unsigned hours = 0, minutes = 0;
	int sign = *p == '-' ? -1 : 1;

	date->has_zone = 1;
	if (*p == 'Z')
		return p + 1;
	if (*p != '-' && *p != '+')
		return NULL;
	p = take(p + 1, 1, 2, &hours);
	if (p && *p == ':')
		p = take_after(p, ':', 2, &minutes);
	date->zone_minutes = sign * (int)(hours * 60 + minutes);
	return p;
}

/* 0 if the text does not have the form of a date or of a date and time. */
static int is_date(const char *text, struct date *date)
{
	const char *p;

	memset(date, 0, sizeof(*date));
	p = take(text, 4, 4, &date->year);
	p = take_after(p, '-', 1, &date->month);
	p = take_after(p, '-', 1, &date->day);
	if (!p)
		return 0;
	if (*p == '\0')
		return p - text == 10;
	date->has_time = 1;
	if (*p == 'T' || *p == 't')
		p++;
	else if (*p == ' ' || *p == '\t')
		p += strspn(p, " \t");
	else
		return 0;
	p = take(p, 1, 2, &date->hour);
	p = take_after(p, ':', 2, &date->minute);
	p = take_after(p, ':', 2, &date->second);
	if (!p)
		return 0;
	p = take_fraction(p, &date->micros);
	if (*p == '\0')
		return 1;
	p = take_zone(p + strspn(p, " \t"), date);
	return p && *p == '\0';
}

static int date_exists(const struct date *date)
{
	static const unsigned days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int leap = (date->year % 4 == 0 && date->year % 100 != 0) || date->year % 400 == 0;

	if (date->year < 1 || date->month < 1 || date->month > 12 || date->day < 1)
		return 0;
	return date->day <= days[date->month - 1] + (date->month == 2 && leap) &&
	       date->hour < 24 && date->minute < 60 && date->second < 60 &&
	       abs(date->zone_minutes) < 24 * 60;
}

static int resolve_date(struct resolver *r, const struct date *date, const char *text)
{
	char shown[96];
	int n;

	r->node->type = SOUK_YAML_DATE;
	if (!date_exists(date))
		return bad(r, "a date that exists (quote it to make it a string)", text);
	n = snprintf(shown, sizeof(shown), "%04u-%02u-%02u", date->year, date->month, date->day);
	if (date->has_time)
		n += snprintf(shown + n, sizeof(shown) - (size_t)n, "T%02u:%02u:%02u", date->hour,
			      date->minute, date->second);
	if (date->micros)
		n += snprintf(shown + n, sizeof(shown) - (size_t)n, ".%06u", date->micros);
	if (date->has_zone)
		n += snprintf(shown + n, sizeof(shown) - (size_t)n, "%c%02d:%02d",
			      date->zone_minutes < 0 ? '-' : '+', abs(date->zone_minutes) / 60,
			      abs(date->zone_minutes) % 60);
	return set_text(r, shown, (size_t)n);
}

static int resolve_bool(struct resolver *r, int value)
{
	r->node->type = SOUK_YAML_BOOL;
	r->node->integer = value;
	return set_text(r, value ? "True" : "False", value ? 4 : 5);
}

static int resolve_null(struct resolver *r)
{
	r->node->type = SOUK_YAML_NULL;
	return set_text(r, "None", 4);
}

static int resolve_text(struct resolver *r, const struct souk_yaml_raw *raw)
{
	r->node->type = SOUK_YAML_STR;
	return set_text(r, raw->text, raw->size);
}

static int resolve_plain(struct resolver *r, const struct souk_yaml_raw *raw)
{
	struct date date;

	if (is_null(raw->text))
		return resolve_null(r);
	if (bool_value(raw->text) >= 0)
		return resolve_bool(r, bool_value(raw->text));
	if (is_float(raw->text))
		return resolve_float(r, raw->text);
	if (is_int(raw->text))
		return resolve_int(r, raw->text);
	if (is_date(raw->text, &date))
		return resolve_date(r, &date, raw->text);
	return resolve_text(r, raw);
}

/* A tag asks for a type, and the text must have its form. */
static int resolve_tag(struct resolver *r, const struct souk_yaml_raw *raw, const char *type)
{
	struct date date;

	if (strcmp(type, "str") == 0)
		return resolve_text(r, raw);
	if (strcmp(type, "null") == 0)
		return resolve_null(r);
	if (strcmp(type, "bool") == 0)
		return bool_value(raw->text) < 0 ? bad(r, "a boolean", raw->text) :
						   resolve_bool(r, bool_value(raw->text));
	if (strcmp(type, "int") == 0)
		return is_int(raw->text) ? resolve_int(r, raw->text) :
					   bad(r, "an integer", raw->text);
	if (strcmp(type, "float") == 0)
		return is_float(raw->text) || (is_int(raw->text) && !strpbrk(raw->text, "xb")) ?
			       resolve_float(r, raw->text) :
			       bad(r, "a number", raw->text);
	if (strcmp(type, "timestamp") == 0)
		return is_date(raw->text, &date) ? resolve_date(r, &date, raw->text) :
						   bad(r, "a date", raw->text);
	souk_report_add(r->report, r->node->mark, 0,
			"tag '!!%.80s' is not allowed: a file holds plain data; remove the tag",
			type);
	return resolve_text(r, raw);
}

int souk_yaml_resolve(struct souk_yaml_arena *arena, const struct souk_yaml_raw *raw,
		      struct souk_yaml *node, struct souk_report *report, struct souk_error *err)
{
	struct resolver r = { arena, node, report, err };

	if (!raw->tag || strcmp(raw->tag, "!") == 0)
		return raw->plain ? resolve_plain(&r, raw) : resolve_text(&r, raw);
	if (strncmp(raw->tag, TAG_PREFIX, strlen(TAG_PREFIX)) == 0)
		return resolve_tag(&r, raw, raw->tag + strlen(TAG_PREFIX));
	souk_report_add(report, node->mark, 0,
			"tag '%.80s' is not allowed: a file holds plain data; remove the tag",
			raw->tag);
	return resolve_text(&r, raw);
}
