/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - text for people: columns of UTF-8, safe for terminals; money, sizes, times */
#include "cli.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define REPLACEMENT 0xfffdu

struct range {
	uint32_t first;
	uint32_t last;
};

/* Unicode 15: what takes no column of its own (combining marks, variation selectors). */
static const struct range zero_width[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x0610, 0x061a },
	{ 0x064b, 0x065f }, { 0x0900, 0x0902 }, { 0x093a, 0x093a }, { 0x093c, 0x093c },
	{ 0x0941, 0x0948 }, { 0x094d, 0x094d }, { 0x0e31, 0x0e31 }, { 0x0e34, 0x0e3a },
	{ 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff },
	{ 0x302a, 0x302d }, { 0x3099, 0x309a }, { 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

/* East Asian wide and fullwidth, and emoji. */
static const struct range double_width[] = {
	{ 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x23e9, 0x23ec },	  { 0x25fd, 0x25fe },
	{ 0x2614, 0x2615 },   { 0x267f, 0x267f },   { 0x26a1, 0x26a1 },	  { 0x2705, 0x2705 },
	{ 0x274c, 0x274c },   { 0x2e80, 0x303e },   { 0x3041, 0x33ff },	  { 0x3400, 0x4dbf },
	{ 0x4e00, 0x9fff },   { 0xa000, 0xa4cf },   { 0xac00, 0xd7a3 },	  { 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },	  { 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

/* Controls of C0 and C1, zero-width spaces and joiners, marks that change direction, tags. */
static const struct range unsafe[] = {
	{ 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad },   { 0x061c, 0x061c },
	{ 0x180e, 0x180e }, { 0x200b, 0x200f }, { 0x2028, 0x202e },   { 0x2060, 0x206f },
	{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe0fff },
};

static int in_ranges(uint32_t code, const struct range *ranges, size_t n)
{
	size_t i;

	for (i = 0; i < n && code >= ranges[i].first; i++)
		if (code <= ranges[i].last)
			return 1;
	return 0;
}

/* The length that a first byte announces, and the bits it carries; 0: not a first byte. */
static size_t sequence_length(unsigned char first, uint32_t *bits_out)
{
	if (first < 0x80) {
		*bits_out = first;
		return 1;
	}
	if (first >= 0xc2 && first <= 0xdf) {
		*bits_out = first & 0x1fu;
		return 2;
	}
	if (first >= 0xe0 && first <= 0xef) {
		*bits_out = first & 0x0fu;
		return 3;
	}
	if (first >= 0xf0 && first <= 0xf4) {
		*bits_out = first & 0x07u;
		return 4;
	}
	return 0;
}

size_t cli_utf8_decode(const char *text, uint32_t *code_out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint32_t code = 0;
	size_t len = sequence_length((unsigned char)text[0], &code), i;

	for (i = 1; i < len; i++) {
		unsigned char next = (unsigned char)text[i];

		if ((next & 0xc0) != 0x80)
			break;
		code = code << 6 | (next & 0x3fu);
	}
	if (len == 0 || i < len || code < least[len] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff)) {
		*code_out = REPLACEMENT;
		return 1;
	}
	*code_out = code;
	return len;
}

int cli_char_width(uint32_t code)
{
	if (code >= 0x20 && code < 0x7f)
		return 1;
	if (in_ranges(code, unsafe, CLI_ARRAY_SIZE(unsafe)))
		return -1;
	if (in_ranges(code, zero_width, CLI_ARRAY_SIZE(zero_width)))
		return 0;
	return in_ranges(code, double_width, CLI_ARRAY_SIZE(double_width)) ? 2 : 1;
}

size_t cli_text_add_safe(struct souk_buf *buf, const char *text, size_t max_columns)
{
	size_t columns = 0, marks = 0;

	while (*text) {
		uint32_t code;
		size_t len = cli_utf8_decode(text, &code);
		int width = cli_char_width(code);
		int replaced = width < 0 || code == REPLACEMENT;
		size_t wide = replaced ? 1 : (size_t)width;

		/* A cut text ends in an ellipsis, which needs the last column. */
		if (max_columns && columns + wide >= max_columns && text[len]) {
			souk_buf_str(buf, "\xe2\x80\xa6");
			return columns + 1;
		}
		/* A tower of combining marks reaches into other lines. */
		marks = wide == 0 ? marks + 1 : 0;
		if (replaced)
			souk_buf_str(buf, "?");
		else if (marks <= 4)
			souk_buf_add(buf, text, len);
		columns += wide;
		text += len;
	}
	return columns;
}

size_t cli_text_width(const char *safe)
{
	size_t columns = 0;

	while (*safe) {
		uint32_t code;
		int width;

		safe += cli_utf8_decode(safe, &code);
		width = cli_char_width(code);
		columns += width > 0 ? (size_t)width : 0;
	}
	return columns;
}

void cli_text_print(FILE *file, const char *text)
{
	while (*text) {
		uint32_t code;
		size_t len = cli_utf8_decode(text, &code);

		if (cli_char_width(code) < 0 || code == REPLACEMENT)
			fputc('?', file);
		else
			fwrite(text, 1, len, file);
		text += len;
	}
}

/* ---- Numbers ---------------------------------------------------------------------------- */

/* value / 10^places with at least 'least' decimals. */
static const char *decimal(uint64_t value, int places, int least, char text[CLI_TEXT_SIZE])
{
	uint64_t unit = 1;
	int i;
	size_t len;

	for (i = 0; i < places; i++)
		unit *= 10;
	snprintf(text, CLI_TEXT_SIZE, "%" PRIu64 ".%0*" PRIu64, value / unit, places, value % unit);
	len = strlen(text);
	for (i = places; i > least && text[len - 1] == '0'; i--)
		text[--len] = '\0';
	if (text[len - 1] == '.')
		text[len - 1] = '\0';
	return text;
}

const char *cli_money(int64_t micros, char text[CLI_TEXT_SIZE])
{
	if (micros < 0) {
		snprintf(text, CLI_TEXT_SIZE, "-");
		return text;
	}
	return decimal((uint64_t)micros, 6, 2, text);
}

static int is_dollar(const char *currency)
{
	return !currency || !*currency || strcmp(currency, "USD") == 0;
}

/* Put an amount and its currency together. */
static const char *with_currency(const char *amount, const char *currency, char text[CLI_TEXT_SIZE])
{
	if (is_dollar(currency))
		snprintf(text, CLI_TEXT_SIZE, "$%s", amount);
	else
		snprintf(text, CLI_TEXT_SIZE, "%.40s %.8s", amount, currency);
	return text;
}

const char *cli_money_currency(int64_t micros, const char *currency, char text[CLI_TEXT_SIZE])
{
	char amount[CLI_TEXT_SIZE];

	return with_currency(cli_money(micros, amount), currency, text);
}

const char *cli_money_cents(int64_t micros, const char *currency, char text[CLI_TEXT_SIZE])
{
	char amount[CLI_TEXT_SIZE], plain[CLI_TEXT_SIZE];
	int64_t cents;

	if (micros < 0)
		return cli_money(micros, text);
	cents = micros / 10000 + (micros % 10000 >= 5000);
	if (micros > 0 && cents == 0) {
		snprintf(text, CLI_TEXT_SIZE, "<%s", with_currency("0.01", currency, plain));
		return text;
	}
	return with_currency(decimal((uint64_t)cents, 2, 2, amount), currency, text);
}

const char *cli_milli(uint64_t milli, char text[CLI_TEXT_SIZE])
{
	return decimal(milli, 3, 0, text);
}

const char *cli_gib(uint64_t mib, char text[CLI_TEXT_SIZE])
{
	uint64_t whole = mib / 1024, rest = mib % 1024;

	/* Rounded to thousandths: 1023 MiB are 0.999. */
	return cli_milli(whole * 1000 + rest * 1000 / 1024, text);
}

/* ---- Times -------------------------------------------------------------------------------- */

const char *cli_duration(int64_t seconds, char text[CLI_TEXT_SIZE])
{
	if (seconds < 0)
		seconds = 0;
	if (seconds < 60)
		snprintf(text, CLI_TEXT_SIZE, "%" PRId64 "s", seconds);
	else if (seconds < 3600)
		snprintf(text, CLI_TEXT_SIZE, "%" PRId64 "m %" PRId64 "s", seconds / 60, seconds % 60);
	else if (seconds < 86400)
		snprintf(text, CLI_TEXT_SIZE, "%" PRId64 "h %" PRId64 "m", seconds / 3600,
			 seconds % 3600 / 60);
	else
		snprintf(text, CLI_TEXT_SIZE, "%" PRId64 "d %" PRId64 "h", seconds / 86400,
			 seconds % 86400 / 3600);
	return text;
}

const char *cli_ago(int64_t when, char text[CLI_TEXT_SIZE])
{
	char duration[CLI_TEXT_SIZE];

	if (when <= 0)
		snprintf(text, CLI_TEXT_SIZE, "-");
	else
		snprintf(text, CLI_TEXT_SIZE, "%.40s ago",
			 cli_duration((int64_t)time(NULL) - when, duration));
	return text;
}

const char *cli_time(int64_t when, char text[CLI_TEXT_SIZE])
{
	time_t seconds = (time_t)when;
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(text, CLI_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(text, CLI_TEXT_SIZE, "-");
	return text;
}

/* ---- Parts of offers ------------------------------------------------------------------------ */

const char *cli_accelerator(const char *name, uint32_t milli, char text[CLI_TEXT_SIZE])
{
	char count[CLI_TEXT_SIZE];

	if (!name || !*name)
		snprintf(text, CLI_TEXT_SIZE, "-");
	else
		snprintf(text, CLI_TEXT_SIZE, "%.40s:%.20s", name, cli_milli(milli, count));
	return text;
}

const char *cli_infra(const char *provider, const char *region, const char *zone, char *text,
		      size_t size)
{
	snprintf(text, size, "%s%s%s%s%s", provider ? provider : "-", region ? "/" : "",
		 region ? region : "", region && zone ? "/" : "", region && zone ? zone : "");
	return text;
}

int cli_parse_minutes(const struct souk_cmd *cmd, const char *flag, const char *text,
		      int64_t *minutes_out)
{
	static const struct {
		char letter;
		uint32_t minutes;
	} units[] = { { 'm', 1 }, { 'h', 60 }, { 'd', 1440 }, { 'w', 10080 } };
	struct souk_error err = SOUK_ERROR_INIT;
	char number[16];
	uint32_t value, unit = 1;
	size_t len = strlen(text), i;

	for (i = 0; len && i < CLI_ARRAY_SIZE(units); i++) {
		if ((text[len - 1] | 0x20) == units[i].letter) {
			unit = units[i].minutes;
			len--;
			break;
		}
	}
	snprintf(number, sizeof(number), "%.*s", (int)(len < 15 ? len : 15), text);
	if (len == 0 || len > 9 || souk_parse_u32(flag, number, &value, &err) < 0) {
		cli_usage(cmd, "--%s: not a number of minutes: '%.40s'", flag, text);
		return -1;
	}
	*minutes_out = (int64_t)value * unit;
	return 0;
}
