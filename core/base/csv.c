/* SPDX-License-Identifier: Apache-2.0 */
/* base/csv.c - tables as RFC 4180 has them, read where they lie in memory */
#include "base/csv.h"

#include <string.h>

#include "base/error.h"

/* More digits than these cannot change what is rounded to millionths. */
#define DIGITS_MAX 30
#define EXPONENT_MAX 40

void souk_csv_init(struct souk_csv *csv, char *text, size_t size)
{
	*csv = (struct souk_csv){ .text = text, .size = size, .next_line = 1 };
	if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		csv->at = 3;
	text[size] = '\0';
}

/* ---- Lines ---- */

/* Where the line that 'at' is in ends: at its '\n', or at the end of the text. */
static size_t line_end(const struct souk_csv *csv, size_t at)
{
	const char *end = memchr(csv->text + at, '\n', csv->size - at);

	return end ? (size_t)(end - csv->text) : csv->size;
}

/* Pass over the line that begins at 'at', which may be a comment. */
static void skip_line(struct souk_csv *csv, size_t at)
{
	size_t end = line_end(csv, at);

	csv->at = end < csv->size ? end + 1 : end;
	csv->next_line++;
	if (csv->text[at] != '#' || csv->comment)
		return;
	if (end > at + 1 && csv->text[end - 1] == '\r')
		end--;
	csv->text[end] = '\0';
	csv->comment = csv->text + at + 1;
}

static int is_empty_line(const struct souk_csv *csv)
{
	const char *at = csv->text + csv->at;
	size_t left = csv->size - csv->at;

	return at[0] == '\n' || (at[0] == '\r' && left > 1 && at[1] == '\n');
}

/* ---- Fields ---- */

/* A record: where its fields are, before anything is changed in the text. */
struct record {
	size_t begin;
	size_t start[SOUK_CSV_FIELDS_MAX];
	size_t end[SOUK_CSV_FIELDS_MAX];
	unsigned char quotes[SOUK_CSV_FIELDS_MAX]; /* has doubled quotes */
	unsigned n;
	unsigned lines;	/* line breaks inside */
	size_t at;
};

static int invalid(struct souk_error *err, const char *what)
{
	return souk_error_set(err, SOUK_E_INVALID, "%s", what);
}

/* From behind the opening quote to behind the closing one. */
static int scan_quoted(const struct souk_csv *csv, struct record *r, struct souk_error *err)
{
	size_t limit = csv->size - r->begin > SOUK_CSV_RECORD_MAX ? r->begin + SOUK_CSV_RECORD_MAX
								  : csv->size;

	r->start[r->n] = ++r->at;
	for (;; r->at++) {
		if (r->at >= limit)
			return invalid(err, limit < csv->size ? "longer than 64 KiB" :
								"a quote is opened and not closed");
		if (csv->text[r->at] == '\n') {
			r->lines++;
		} else if (csv->text[r->at] == '\0') {
			return invalid(err, "a NUL character");
		} else if (csv->text[r->at] == '"') {
			if (csv->text[r->at + 1] != '"')
				break;
			r->quotes[r->n] = 1;
			r->at++;
		}
	}
	r->end[r->n] = r->at++;
	return SOUK_OK;
}

static int scan_plain(const struct souk_csv *csv, struct record *r, struct souk_error *err)
{
	const char *text = csv->text;

	r->start[r->n] = r->at;
	for (; r->at < csv->size; r->at++) {
		char c = text[r->at];

		if (c == ',' || c == '\n' || (c == '\r' && text[r->at + 1] == '\n'))
			break;
		if (c == '"')
			return invalid(err, "a quote within a field that does not begin with one");
		if (c == '\0')
			return invalid(err, "a NUL character");
	}
	r->end[r->n] = r->at;
	return SOUK_OK;
}

/* Behind a field: 1 another one follows, 0 the record ends. */
static int scan_end(const struct souk_csv *csv, struct record *r, struct souk_error *err)
{
	if (r->at >= csv->size)
		return 0;
	if (csv->text[r->at] == ',') {
		r->at++;
		return 1;
	}
	if (csv->text[r->at] == '\r' && csv->text[r->at + 1] == '\n')
		r->at++;
	if (csv->text[r->at] != '\n')
		return invalid(err, "text behind a closing quote");
	r->at++;
	r->lines++;
	return 0;
}

static int scan(const struct souk_csv *csv, struct record *r, struct souk_error *err)
{
	int more;

	do {
		if (r->n == SOUK_CSV_FIELDS_MAX)
			return invalid(err, "more than 256 fields");
		r->quotes[r->n] = 0;
		more = csv->text[r->at] == '"' && r->at < csv->size ? scan_quoted(csv, r, err)
								    : scan_plain(csv, r, err);
		if (more == SOUK_OK)
			more = scan_end(csv, r, err);
		if (more < 0)
			return more;
		r->n++;
		if (r->at - r->begin > SOUK_CSV_RECORD_MAX)
			return invalid(err, "longer than 64 KiB");
	} while (more);
	return SOUK_OK;
}

static void halve_quotes(char *text)
{
	char *to = text;

	for (; *text; *to++ = *text++)
		if (text[0] == '"' && text[1] == '"')
			text++;
	*to = '\0';
}

int souk_csv_next(struct souk_csv *csv, char **fields, struct souk_error *err)
{
	struct record r;
	unsigned i;
	int ret;

	while (csv->at < csv->size && (csv->text[csv->at] == '#' || is_empty_line(csv)))
		skip_line(csv, csv->at);
	csv->line = csv->next_line;
	if (csv->at >= csv->size)
		return 0;
	r.begin = r.at = csv->at;
	r.n = r.lines = 0;
	ret = scan(csv, &r, err);
	if (ret < 0) {
		csv->at = line_end(csv, r.begin);
		csv->at += csv->at < csv->size;
		csv->next_line++;
		return ret;
	}
	for (i = 0; i < r.n; i++) {
		fields[i] = csv->text + r.start[i];
		csv->text[r.end[i]] = '\0';
		if (r.quotes[i])
			halve_quotes(fields[i]);
	}
	csv->at = r.at;
	csv->next_line += r.lines;
	return (int)r.n;
}

/* ---- Numbers ---- */

/* Digits as a number, and by which power of ten it is to be multiplied. NULL: not a number. */
static const char *read_digits(const char *at, unsigned __int128 *digits_out, int *exponent_out)
{
	unsigned __int128 digits = 0;
	int n = 0, seen = 0, exponent = 0, after_point = 0;

	for (;; at++) {
		if (*at == '.' && !after_point) {
			after_point = 1;
			continue;
		}
		if (*at < '0' || *at > '9')
			break;
		seen = 1;
		if (n == DIGITS_MAX) {
			exponent += !after_point;
			if (exponent > EXPONENT_MAX)
				return NULL;
			continue;
		}
		digits = digits * 10 + (unsigned)(*at - '0');
		n += digits != 0;
		exponent -= after_point;
	}
	*digits_out = digits;
	*exponent_out = exponent;
	return seen ? at : NULL;
}

static const char *read_exponent(const char *at, int *exponent)
{
	int negative, value = 0;

	if (*at != 'e' && *at != 'E')
		return at;
	at++;
	negative = *at == '-';
	at += *at == '-' || *at == '+';
	if (*at < '0' || *at > '9')
		return NULL;
	for (; *at >= '0' && *at <= '9'; at++)
		if (value < 10000)
			value = value * 10 + (*at - '0');
	*exponent += negative ? -value : value;
	return at;
}

/* digits times 10 to the exponent, rounded; -1 if that is above max. */
static int scale(unsigned __int128 digits, int exponent, uint64_t max, uint64_t *value_out)
{
	for (; exponent > 0 && digits <= max; exponent--) {
		if (digits == 0)
			break;
		digits *= 10;
	}
	for (; exponent < -1 && digits > 0; exponent++)
		digits /= 10;
	if (exponent < 0)
		digits = digits / 10 + (digits % 10 >= 5);
	if (digits > max)
		return -1;
	*value_out = (uint64_t)digits;
	return 0;
}

int souk_parse_decimal(const char *what, const char *text, unsigned places, uint64_t max,
		       uint64_t *value_out, struct souk_error *err)
{
	unsigned __int128 digits;
	int exponent;
	const char *at = read_digits(text + (text[0] == '+'), &digits, &exponent);

	if (at)
		at = read_exponent(at, &exponent);
	if (!at || *at)
		return souk_error_set(err, SOUK_E_INVALID, "%s: not a number: '%.60s'", what, text);
	if (scale(digits, exponent + (int)places, max, value_out) < 0)
		return souk_error_set(err, SOUK_E_INVALID, "%s: too large: '%.60s'", what, text);
	return SOUK_OK;
}
