/* SPDX-License-Identifier: Apache-2.0 */
/* body.c - write JSON from a form and texts that are escaped */

#include <stdarg.h>
#include <string.h>

#include "machines.h"

static void add_text(struct souk_buf *out, const char *text)
{
	souk_buf_str(out, "\"");
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			souk_buf_printf(out, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			souk_buf_printf(out, "\\u%04x", c);
		else
			souk_buf_add(out, text, 1);
	}
	souk_buf_str(out, "\"");
}

void azure_body(struct souk_buf *out, const char *form, ...)
{
	va_list args;

	va_start(args, form);
	for (; *form; form++)
		switch (*form) {
		case '\'':
			souk_buf_str(out, "\"");
			break;
		case '$':
			add_text(out, va_arg(args, const char *));
			break;
		case '#':
			souk_buf_str(out, va_arg(args, const char *));
			break;
		default:
			souk_buf_add(out, form, 1);
		}
	va_end(args);
}
