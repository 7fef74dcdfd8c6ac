/* SPDX-License-Identifier: Apache-2.0 */
/* refusal.c - what a cloud refuses with: its words for people, how long to wait, and the error that it becomes */

#include <souk/provider.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Is the byte a blank or a control character? */
static int is_blank(unsigned char c)
{
	return c <= 0x20 || c == 0x7f;
}

/* Take away what the end has of a character of UTF-8 with several bytes: it may lack some. */
static size_t without_cut(const char *text, size_t n)
{
	while (n && ((unsigned char)text[n - 1] & 0xc0) == 0x80)
		n--;
	return n && (unsigned char)text[n - 1] >= 0xc0 ? n - 1 : n;
}

void souk_text_line(char *out, size_t size, const char *text)
{
	size_t n = 0;

	if (!size)
		return;
	for (; text && *text && n + 1 < size; text++)
		if (!is_blank((unsigned char)*text))
			out[n++] = *text;
		else if (n && out[n - 1] != ' ')
			out[n++] = ' ';
	if (text && *text)
		n = without_cut(out, n);
	while (n && (out[n - 1] == ' ' || out[n - 1] == '.'))
		n--;
	out[n] = '\0';
}

char *souk_text_trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	len = strlen(text);
	while (len && strchr(" \t\r\n", text[len - 1]))
		text[--len] = '\0';
	return text;
}

int souk_error_refused(struct souk_error *err, const struct souk_refusal *refusal)
{
	const char *reason = refusal->reason ? refusal->reason : "";
	const char *words = refusal->message && refusal->message[0] ? refusal->message : reason;

	if (words[0])
		souk_error_set(err, refusal->code, "cannot %s: %s", refusal->doing, words);
	else
		souk_error_set(err, refusal->code, "cannot %s: HTTP status %d", refusal->doing,
			       (int)refusal->status);
	souk_error_scope(err, refusal->scope);
	souk_error_reason(err, reason);
	souk_error_retry_after(err, refusal->retry_after_ms);
	return refusal->code;
}

int souk_error_doubtful(struct souk_error *err)
{
	if (err->code == SOUK_E_INTERNAL || (err->code == SOUK_E_TRANSIENT && err->reason[0]))
		err->code = SOUK_E_TIMEOUT;
	return err->code;
}

int souk_parse_http_date(const char *what, const char *text, int64_t *value_out,
			 struct souk_error *err)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int day, year, hour, minute, second, end = 0;
	char month[4], rfc3339[32];
	const char *found;

	if (sscanf(text, "%*3s, %2d %3s %4d %2d:%2d:%2d GMT%n", &day, month, &year, &hour, &minute,
		   &second, &end) == 6 && end && !text[end] && strlen(month) == 3) {
		found = strstr(months, month);
		if (found && (found - months) % 3 == 0) {
			snprintf(rfc3339, sizeof(rfc3339), "%04d-%02d-%02dT%02d:%02d:%02dZ", year,
				 (int)((found - months) / 3 + 1), day, hour, minute, second);
			if (souk_parse_time(what, rfc3339, value_out, NULL) == SOUK_OK)
				return SOUK_OK;
		}
	}
	return souk_error_set(err, SOUK_E_INVALID, "%s: not a date: '%.64s'", what, text);
}

uint32_t souk_http_reply_retry_after_ms(const struct souk_http_reply *reply)
{
	static const char *const in_ms[] = { "x-amz-retry-after", "retry-after-ms",
					     "x-ms-retry-after-ms" };
	const char *text;
	uint32_t value;
	int64_t until, ms;
	size_t i;

	for (i = 0; i < sizeof(in_ms) / sizeof(in_ms[0]); i++) {
		text = souk_http_reply_header(reply, in_ms[i]);
		if (text && souk_parse_u32("retry", text, &value, NULL) == SOUK_OK)
			return value;
	}
	text = souk_http_reply_header(reply, "Retry-After");
	if (!text)
		return 0;
	if (souk_parse_u32("retry", text, &value, NULL) == SOUK_OK)
		ms = (int64_t)value * 1000;
	else if (souk_parse_http_date("retry", text, &until, NULL) == SOUK_OK)
		ms = (until - (int64_t)time(NULL)) * 1000;
	else
		return 0;
	return ms < 0 ? 0 : ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}
