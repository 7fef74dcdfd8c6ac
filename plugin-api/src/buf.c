/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - a growing text with a ceiling */

#include <souk/provider.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SIZE = 64 };

/* What data points to while nothing is allocated (size 0); it is never written. */
static char nothing[1];

static int fail(struct souk_buf *buf, int code)
{
	if (buf->failed == SOUK_OK)
		buf->failed = code;
	return buf->failed;
}

void souk_buf_init(struct souk_buf *buf, size_t ceiling)
{
	memset(buf, 0, sizeof(*buf));
	buf->data = nothing;
	/* One byte is for the NUL, and a length has to fit into a ptrdiff_t. */
	buf->ceiling = ceiling < (size_t)PTRDIFF_MAX ? ceiling : (size_t)PTRDIFF_MAX - 1;
}

void souk_buf_fini(struct souk_buf *buf)
{
	if (!buf)
		return;
	if (buf->size)
		free(buf->data);
	souk_buf_init(buf, buf->ceiling);
}

void souk_buf_reset(struct souk_buf *buf)
{
	if (buf->size)
		buf->data[0] = '\0';
	else
		buf->data = nothing;
	buf->len = 0;
	buf->failed = SOUK_OK;
}

/* Make room for 'more' bytes and a NUL behind the text. */
static int grow(struct souk_buf *buf, size_t more)
{
	size_t size = buf->size ? buf->size : FIRST_SIZE;
	size_t need;
	char *data;

	if (!buf->data)
		buf->data = nothing;
	if (buf->failed != SOUK_OK)
		return buf->failed;
	if (buf->len > buf->ceiling || more > buf->ceiling - buf->len)
		return fail(buf, SOUK_E_INVALID);

	need = buf->len + more + 1;
	if (need <= buf->size)
		return SOUK_OK;
	while (size < need)
		size += size / 2 < need - size ? need - size : size / 2;
	data = realloc(buf->size ? buf->data : NULL, size);
	if (!data)
		return fail(buf, SOUK_E_NOMEM);
	buf->data = data;
	buf->data[buf->len] = '\0';
	buf->size = size;
	return SOUK_OK;
}

int souk_buf_add(struct souk_buf *buf, const void *data, size_t len)
{
	int ret;

	if (len == 0) {
		if (!buf->data)
			buf->data = nothing;
		return buf->failed;
	}
	ret = grow(buf, len);
	if (ret < 0)
		return ret;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
	return SOUK_OK;
}

int souk_buf_str(struct souk_buf *buf, const char *text)
{
	return souk_buf_add(buf, text, strlen(text));
}

int souk_buf_printf(struct souk_buf *buf, const char *fmt, ...)
{
	va_list args;
	int len;
	int ret;

	va_start(args, fmt);
	len = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (len < 0)
		return fail(buf, SOUK_E_INVALID);
	ret = grow(buf, (size_t)len);
	if (ret < 0)
		return ret;

	va_start(args, fmt);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)len;
	return SOUK_OK;
}

static int is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

int souk_buf_urlencode(struct souk_buf *buf, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *p;
	size_t len = 0;
	char *out;
	int ret;

	for (p = (const unsigned char *)text; *p; p++)
		len += is_unreserved(*p) ? 1 : 3;
	ret = grow(buf, len);
	if (ret < 0 || len == 0)
		return ret;

	out = buf->data + buf->len;
	for (p = (const unsigned char *)text; *p; p++) {
		if (is_unreserved(*p)) {
			*out++ = (char)*p;
		} else {
			*out++ = '%';
			*out++ = hex[*p >> 4];
			*out++ = hex[*p & 15];
		}
	}
	*out = '\0';
	buf->len += len;
	return SOUK_OK;
}

int souk_buf_base64(struct souk_buf *buf, const void *data, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				     "0123456789+/";
	const unsigned char *in = data;
	size_t i;
	char *out;
	int ret;

	if (len > SIZE_MAX / 2)
		return fail(buf, SOUK_E_INVALID);
	ret = grow(buf, (len + 2) / 3 * 4);
	if (ret < 0 || len == 0)
		return ret;

	out = buf->data + buf->len;
	for (i = 0; i < len; i += 3) {
		uint32_t n = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			n |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			n |= in[i + 2];
		*out++ = digits[n >> 18];
		*out++ = digits[n >> 12 & 63];
		*out++ = i + 1 < len ? digits[n >> 6 & 63] : '=';
		*out++ = i + 2 < len ? digits[n & 63] : '=';
	}
	*out = '\0';
	buf->len += (len + 2) / 3 * 4;
	return SOUK_OK;
}

int souk_buf_failed(const struct souk_buf *buf, struct souk_error *err)
{
	switch (buf->failed) {
	case SOUK_OK:
		return SOUK_OK;
	case SOUK_E_NOMEM:
		return souk_error_set(err, SOUK_E_NOMEM, "out of memory after %zu bytes of text",
				      buf->len);
	default:
		return souk_error_set(err, buf->failed, "text longer than %zu bytes", buf->ceiling);
	}
}

/* NULL if an append has failed: half a text is nobody's to use. */
char *souk_buf_steal(struct souk_buf *buf)
{
	char *text = NULL;

	if (buf->failed == SOUK_OK)
		text = buf->size ? buf->data : calloc(1, 1);
	if (text && buf->size)
		buf->size = 0;
	souk_buf_fini(buf);
	return text;
}

void souk_text_free(char *text)
{
	free(text);
}
