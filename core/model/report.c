/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - collecting what is wrong with a file */
#include "model/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

#define REPORT_MAX 100
#define MESSAGE_SIZE 600

int souk_report_init(struct souk_report *report, const char *file, struct souk_error *err)
{
	memset(report, 0, sizeof(*report));
	report->file = souk_strdup(file);
	return file && !report->file ? souk_error_nomem(err) : SOUK_OK;
}

void souk_report_fini(struct souk_report *report)
{
	size_t i;

	if (!report)
		return;
	for (i = 0; i < report->n; i++)
		free(report->items[i].message);
	free(report->items);
	free(report->file);
	memset(report, 0, sizeof(*report));
}

/* The length of the UTF-8 character at text; 0 if it is cut short or not UTF-8. */
static size_t utf8_length(const unsigned char *text)
{
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 :
			text[0] < 0xf0 ? 3 : text[0] < 0xf5 ? 4 : 0;
	size_t i;

	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	}
	return length;
}

/* Values from a file end up in messages: keep each on one line, and away from the terminal. */
static void clean(char *text)
{
	unsigned char *from = (unsigned char *)text, *to = from;

	while (*from) {
		size_t length = utf8_length(from);

		if (length == 0) {
			from++;
			continue;
		}
		if (*from < 0x20 || *from == 0x7f || (*from == 0xc2 && from[1] < 0xa0)) {
			*to++ = '?';
		} else {
			memmove(to, from, length);
			to += length;
		}
		from += length;
	}
	*to = '\0';
}

/* Alternatives share fields, so that one mistake can be met several times. */
static int known(const struct souk_report *report, struct souk_mark mark, const char *message)
{
	size_t i;

	for (i = 0; i < report->n; i++) {
		const struct souk_diagnostic *item = &report->items[i];

		if (item->mark.line == mark.line && item->mark.column == mark.column &&
		    strcmp(item->message, message) == 0)
			return 1;
	}
	return 0;
}

void souk_report_add(struct souk_report *report, struct souk_mark mark, int warning,
		     const char *fmt, ...)
{
	struct souk_diagnostic *items;
	char message[MESSAGE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	clean(message);
	if (known(report, mark, message))
		return;
	report->n_errors += !warning;
	if (report->n >= REPORT_MAX) {
		report->dropped++;
		return;
	}
	items = souk_array_grow(report->items, report->n, sizeof(*items));
	if (!items) {
		report->dropped++;
		return;
	}
	report->items = items;
	items[report->n].message = souk_strdup(message);
	if (!items[report->n].message) {
		report->dropped++;
		return;
	}
	items[report->n].mark = mark;
	items[report->n].warning = warning != 0;
	report->n++;
}

/* An insertion sort: stable, and there are at most REPORT_MAX. */
void souk_report_sort(struct souk_report *report)
{
	size_t i, j;

	for (i = 1; i < report->n; i++) {
		struct souk_diagnostic item = report->items[i];

		for (j = i; j > 0; j--) {
			const struct souk_mark *before = &report->items[j - 1].mark;

			if (before->line < item.mark.line ||
			    (before->line == item.mark.line && before->column <= item.mark.column))
				break;
			report->items[j] = report->items[j - 1];
		}
		report->items[j] = item;
	}
}

static int format_line(const struct souk_report *report, const struct souk_diagnostic *item,
		       char *text, size_t size)
{
	const char *file = report->file ? report->file : "-";

	if (item->mark.line == 0)
		return snprintf(text, size, "%s: %s", file, item->message);
	return snprintf(text, size, "%s:%u:%u: %s", file, item->mark.line, item->mark.column,
			item->message);
}

int souk_report_error(const struct souk_report *report, struct souk_error *err)
{
	char text[SOUK_ERROR_MESSAGE_SIZE];
	size_t i;

	if (report->n_errors == 0)
		return SOUK_OK;
	for (i = 0; i < report->n; i++) {
		if (!report->items[i].warning) {
			format_line(report, &report->items[i], text, sizeof(text));
			return souk_error_set(err, SOUK_E_INVALID, "%s", text);
		}
	}
	return souk_error_set(err, SOUK_E_INVALID, "%s: %zu errors, too many to keep",
			      report->file ? report->file : "-", report->n_errors);
}

char *souk_report_line(const struct souk_report *report, size_t i)
{
	char *text;
	int size;

	if (i >= report->n)
		return NULL;
	size = format_line(report, &report->items[i], NULL, 0);
	if (size < 0)
		return NULL;
	text = malloc((size_t)size + 1);
	if (text)
		format_line(report, &report->items[i], text, (size_t)size + 1);
	return text;
}
