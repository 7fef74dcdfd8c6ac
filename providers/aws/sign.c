/* SPDX-License-Identifier: Apache-2.0 */
/* sign.c - AWS request signatures, version 4 */

#include "sign.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"

enum { SHA256_SIZE = 32, MAX_PARTS = 256, MAX_CANONICAL = 1024 * 1024 };

static void to_hex(const unsigned char *data, size_t size, char *out)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < size; i++) {
		out[2 * i] = digits[data[i] >> 4];
		out[2 * i + 1] = digits[data[i] & 15];
	}
	out[2 * size] = '\0';
}

static int digest_hex(const EVP_MD *kind, const void *data, size_t size, char *out,
		      struct souk_error *err)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len;

	if (!EVP_Digest(size ? data : "", size, digest, &len, kind, NULL))
		return souk_error_set(err, SOUK_E_INTERNAL, "cannot compute a digest");
	to_hex(digest, len, out);
	return SOUK_OK;
}

int aws_sha256_hex(const void *data, size_t size, char out[65], struct souk_error *err)
{
	return digest_hex(EVP_sha256(), data, size, out, err);
}

int aws_sha1_hex(const void *data, size_t size, char out[41], struct souk_error *err)
{
	return digest_hex(EVP_sha1(), data, size, out, err);
}

static int hmac(const void *key, size_t key_size, const char *text, unsigned char out[SHA256_SIZE],
		struct souk_error *err)
{
	unsigned len = SHA256_SIZE;

	if (!HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, strlen(text), out,
		  &len))
		return souk_error_set(err, SOUK_E_INTERNAL, "cannot compute an HMAC");
	return SOUK_OK;
}

/* Append a path segment with all but the unreserved characters encoded. */
static int encode_range(struct souk_buf *out, const char *text, size_t len)
{
	AWS_AUTO_FREE char *copy = strndup(text, len);

	if (!copy)
		return SOUK_E_NOMEM;
	return souk_buf_urlencode(out, copy);
}

/* Segments of the path, without empty ones, "." and what ".." takes back. */
static int normalise_path(const char *path, struct souk_buf *out, struct souk_error *err)
{
	struct {
		const char *text;
		size_t len;
	} parts[MAX_PARTS];
	const char *p = path;
	size_t n = 0;
	size_t i;
	int slash_at_end = 1;

	while (*p) {
		size_t len = strcspn(p, "/");

		slash_at_end = len == 0 || (len == 1 && p[0] == '.') ||
			       (len == 2 && p[0] == '.' && p[1] == '.') || p[len] == '/';
		if (len == 2 && p[0] == '.' && p[1] == '.') {
			if (n)
				n--;
		} else if (len && !(len == 1 && p[0] == '.')) {
			if (n == MAX_PARTS)
				return souk_error_set(err, SOUK_E_INVALID, "path too deep to sign");
			parts[n].text = p;
			parts[n++].len = len;
		}
		p += len;
		p += *p == '/';
	}
	for (i = 0; i < n; i++) {
		souk_buf_str(out, "/");
		if (encode_range(out, parts[i].text, parts[i].len) == SOUK_E_NOMEM)
			return aws_nomem(err);
	}
	if (n == 0 || slash_at_end)
		souk_buf_str(out, "/");
	return SOUK_OK;
}

static int raw_path(const char *path, struct souk_buf *out, struct souk_error *err)
{
	const char *p = path;

	if (*p != '/')
		souk_buf_str(out, "/");
	while (*p) {
		size_t len = strcspn(p, "/");

		if (encode_range(out, p, len) == SOUK_E_NOMEM)
			return aws_nomem(err);
		p += len;
		if (*p) {
			souk_buf_str(out, "/");
			p++;
		}
	}
	return SOUK_OK;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What a part of a query says, encoded again in the one way that is canonical. */
static char *recode(const char *text, size_t len)
{
	AWS_AUTO_FREE char *plain = strndup(text, len);
	struct souk_buf out;
	char *result = NULL;
	size_t from, to = 0;

	if (!plain)
		return NULL;
	for (from = 0; from < len; from++, to++) {
		if (plain[from] == '%' && from + 2 < len && hex_value(plain[from + 1]) >= 0 &&
		    hex_value(plain[from + 2]) >= 0) {
			plain[to] = (char)(hex_value(plain[from + 1]) * 16 +
					   hex_value(plain[from + 2]));
			from += 2;
		} else {
			plain[to] = plain[from];
		}
	}
	plain[to] = '\0';
	souk_buf_init(&out, MAX_CANONICAL);
	souk_buf_urlencode(&out, plain);
	if (souk_buf_failed(&out, NULL) == SOUK_OK)
		result = strdup(out.data);
	souk_buf_fini(&out);
	return result;
}

struct pair {
	char *name;
	char *value;
};

static int compare_pairs(const void *left, const void *right)
{
	const struct pair *a = left;
	const struct pair *b = right;
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->value, b->value);
}

static int canonical_query(const char *query, struct souk_buf *out, struct souk_error *err)
{
	struct pair pairs[MAX_PARTS];
	const char *p = query ? query : "";
	size_t n = 0;
	size_t i;
	int ret = SOUK_OK;

	for (; *p && ret == SOUK_OK; p += *p == '&') {
		size_t len = strcspn(p, "&");
		size_t name = strcspn(p, "=&");
		const char *value = p + name + (p[name] == '=');

		if (n == MAX_PARTS) {
			ret = souk_error_set(err, SOUK_E_INVALID, "query too long to sign");
			break;
		}
		if (len) {
			pairs[n].name = recode(p, name);
			pairs[n].value = recode(value, (size_t)(p + len - value));
			if (!pairs[n].name || !pairs[n].value)
				ret = aws_nomem(err);
			n++;
		}
		p += len;
	}
	if (ret == SOUK_OK)
		qsort(pairs, n, sizeof(pairs[0]), compare_pairs);
	for (i = 0; i < n; i++) {
		if (ret == SOUK_OK)
			souk_buf_printf(out, "%s%s=%s", i ? "&" : "", pairs[i].name,
					pairs[i].value);
		free(pairs[i].name);
		free(pairs[i].value);
	}
	return ret;
}

/* Trimmed, and runs of white space (a folded line too) made one space. */
static void add_value(struct souk_buf *out, const char *value)
{
	const char *p = value;

	while (isspace((unsigned char)*p))
		p++;
	while (*p) {
		size_t len = 0;

		while (p[len] && !isspace((unsigned char)p[len]))
			len++;
		souk_buf_add(out, p, len);
		p += len;
		while (isspace((unsigned char)*p))
			p++;
		if (*p)
			souk_buf_str(out, " ");
	}
}

/* The order of header names; stable among those of one name, by the place in the array. */
static int compare_headers(const void *left, const void *right)
{
	const struct aws_header *a = *(const struct aws_header *const *)left;
	const struct aws_header *b = *(const struct aws_header *const *)right;
	const char *x = a->name;
	const char *y = b->name;

	while (*x && tolower((unsigned char)*x) == tolower((unsigned char)*y)) {
		x++;
		y++;
	}
	if (*x || *y)
		return tolower((unsigned char)*x) - tolower((unsigned char)*y);
	return a < b ? -1 : a > b;
}

static int same_name(const struct aws_header *a, const struct aws_header *b)
{
	size_t i;

	for (i = 0; a->name[i] && b->name[i]; i++)
		if (tolower((unsigned char)a->name[i]) != tolower((unsigned char)b->name[i]))
			return 0;
	return a->name[i] == b->name[i];
}

static int canonical_headers(const struct aws_sign_request *request, struct souk_buf *out,
			     struct souk_buf *names, struct souk_error *err)
{
	const struct aws_header *sorted[MAX_PARTS];
	size_t i, k;

	if (request->n_headers > MAX_PARTS)
		return souk_error_set(err, SOUK_E_INVALID, "too many headers to sign");
	for (i = 0; i < request->n_headers; i++)
		sorted[i] = &request->headers[i];
	qsort(sorted, request->n_headers, sizeof(sorted[0]), compare_headers);
	for (i = 0; i < request->n_headers; i++) {
		if (i && same_name(sorted[i - 1], sorted[i])) {
			souk_buf_str(out, ",");
		} else {
			if (i) {
				souk_buf_str(out, "\n");
				souk_buf_str(names, ";");
			}
			for (k = 0; sorted[i]->name[k]; k++) {
				char c = (char)tolower((unsigned char)sorted[i]->name[k]);

				souk_buf_add(out, &c, 1);
				souk_buf_add(names, &c, 1);
			}
			souk_buf_str(out, ":");
		}
		add_value(out, sorted[i]->value);
	}
	souk_buf_str(out, "\n");
	return SOUK_OK;
}

int aws_sign_canonical(const struct aws_sign_request *request, struct souk_buf *canonical,
		       struct souk_buf *signed_headers, struct souk_error *err)
{
	char body_hash[65];
	int ret;

	souk_buf_printf(canonical, "%s\n", request->method);
	ret = request->flags & AWS_SIGN_RAW_PATH ? raw_path(request->path, canonical, err) :
						   normalise_path(request->path, canonical, err);
	if (ret < 0)
		return ret;
	souk_buf_str(canonical, "\n");
	ret = canonical_query(request->query, canonical, err);
	if (ret < 0)
		return ret;
	souk_buf_str(canonical, "\n");
	ret = canonical_headers(request, canonical, signed_headers, err);
	if (ret < 0)
		return ret;
	ret = aws_sha256_hex(request->body, request->body_size, body_hash, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(canonical, "\n%s\n%s", signed_headers->data, body_hash);
	ret = souk_buf_failed(signed_headers, err);
	return ret < 0 ? ret : souk_buf_failed(canonical, err);
}

/* The key of a day, a region and a service, from the secret. */
static int signing_key(const struct aws_sign_request *request, const char *secret,
		       unsigned char key[SHA256_SIZE], struct souk_error *err)
{
	struct souk_buf first;
	char date[9];
	int ret;

	memcpy(date, request->timestamp, 8);
	date[8] = '\0';
	souk_buf_init(&first, 4096);
	souk_buf_printf(&first, "AWS4%s", secret);
	ret = souk_buf_failed(&first, err);
	if (ret == SOUK_OK)
		ret = hmac(first.data, first.len, date, key, err);
	if (ret == SOUK_OK)
		ret = hmac(key, SHA256_SIZE, request->region, key, err);
	if (ret == SOUK_OK)
		ret = hmac(key, SHA256_SIZE, request->service, key, err);
	if (ret == SOUK_OK)
		ret = hmac(key, SHA256_SIZE, "aws4_request", key, err);
	if (first.size)
		OPENSSL_cleanse(first.data, first.len);
	souk_buf_fini(&first);
	return ret;
}

int aws_sign(const struct aws_sign_request *request, const struct aws_credentials *credentials,
	     struct souk_buf *authorization, struct souk_error *err)
{
	AWS_AUTO_BUF struct souk_buf canonical = { 0 };
	AWS_AUTO_BUF struct souk_buf names = { 0 };
	AWS_AUTO_BUF struct souk_buf to_sign = { 0 };
	unsigned char key[SHA256_SIZE];
	unsigned char mac[SHA256_SIZE];
	char hex[65];
	int ret;

	if (strlen(request->timestamp) != 16)
		return souk_error_set(err, SOUK_E_INTERNAL, "not a time to sign with: '%s'",
				      request->timestamp);
	souk_buf_init(&canonical, MAX_CANONICAL);
	souk_buf_init(&names, 4096);
	souk_buf_init(&to_sign, 4096);
	ret = aws_sign_canonical(request, &canonical, &names, err);
	if (ret < 0)
		return ret;
	ret = aws_sha256_hex(canonical.data, canonical.len, hex, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&to_sign, "AWS4-HMAC-SHA256\n%s\n%.8s/%s/%s/aws4_request\n%s",
			request->timestamp, request->timestamp, request->region, request->service,
			hex);
	ret = souk_buf_failed(&to_sign, err);
	if (ret < 0)
		return ret;
	ret = signing_key(request, credentials->secret_key, key, err);
	if (ret == SOUK_OK)
		ret = hmac(key, sizeof(key), to_sign.data, mac, err);
	OPENSSL_cleanse(key, sizeof(key));
	if (ret < 0)
		return ret;
	to_hex(mac, sizeof(mac), hex);
	souk_buf_printf(authorization,
			"AWS4-HMAC-SHA256 Credential=%s/%.8s/%s/%s/aws4_request, "
			"SignedHeaders=%s, Signature=%s",
			credentials->access_key, request->timestamp, request->region,
			request->service, names.data, hex);
	return souk_buf_failed(authorization, err);
}
