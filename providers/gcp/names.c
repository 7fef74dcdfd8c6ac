/* SPDX-License-Identifier: Apache-2.0 */
/* names.c - names, tags, labels and request ids that follow from what is asked for */

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "machines.h"

enum { LABEL_MAX = 63 };

void gcp_machine_name(const char *token, uint32_t index, char out[GCP_NAME_SIZE])
{
	snprintf(out, GCP_NAME_SIZE, "souk-%.40s-%u", token, index);
}

static int digest(const char *const *parts, size_t n, unsigned char out[32],
		  struct souk_error *err)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t i;
	int done = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	/* With their NULs, so that no two rows of parts are the same bytes. */
	for (i = 0; i < n && done; i++)
		done = EVP_DigestUpdate(ctx, parts[i], strlen(parts[i]) + 1) == 1;
	done = done && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return done ? SOUK_OK : gcp_nomem(err);
}

int gcp_cluster_tag(const char *owner, const char *cluster, char out[GCP_TAG_SIZE],
		    struct souk_error *err)
{
	const char *const parts[] = { owner, cluster };
	unsigned char hash[32];
	int ret = digest(parts, 2, hash, err);

	if (ret < 0)
		return ret;
	snprintf(out, GCP_TAG_SIZE, "souk-%.40s-%02x%02x%02x%02x", cluster, hash[0], hash[1],
		 hash[2], hash[3]);
	return SOUK_OK;
}

int gcp_is_label_value(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (i == LABEL_MAX ||
		    !(islower((unsigned char)text[i]) || isdigit((unsigned char)text[i]) ||
		      text[i] == '-' || text[i] == '_'))
			return 0;
	return 1;
}

int gcp_is_label_key(const char *text)
{
	return islower((unsigned char)text[0]) && gcp_is_label_value(text);
}

int gcp_label_value(const char *text, char out[GCP_TAG_SIZE], struct souk_error *err)
{
	unsigned char hash[32];
	size_t i;
	int ret;

	if (gcp_is_label_value(text)) {
		snprintf(out, GCP_TAG_SIZE, "%s", text);
		return SOUK_OK;
	}
	ret = digest(&text, 1, hash, err);
	if (ret < 0)
		return ret;
	snprintf(out, GCP_TAG_SIZE, "%.50s", text);
	for (i = 0; out[i]; i++) {
		unsigned char c = (unsigned char)out[i];

		out[i] = (char)(isupper(c) ? tolower(c) : islower(c) || isdigit(c) ? c : '-');
	}
	snprintf(out + i, GCP_TAG_SIZE - i, "-%02x%02x%02x%02x", hash[0], hash[1], hash[2],
		 hash[3]);
	return SOUK_OK;
}

int gcp_request_id(const char *token, const char *what, uint32_t index, char out[37],
		   struct souk_error *err)
{
	char number[16];
	const char *const parts[] = { token, what, number };
	unsigned char h[32];
	int ret;

	snprintf(number, sizeof(number), "%u", index);
	ret = digest(parts, 3, h, err);
	if (ret < 0)
		return ret;
	/* Version 8 of RFC 9562: the bits are our own. */
	h[6] = (unsigned char)((h[6] & 0x0f) | 0x80);
	h[8] = (unsigned char)((h[8] & 0x3f) | 0x80);
	snprintf(out, 37,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", h[0], h[1],
		 h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11], h[12], h[13], h[14],
		 h[15]);
	return SOUK_OK;
}

int gcp_request_salt(char out[GCP_SALT_SIZE], struct souk_error *err)
{
	unsigned char bytes[(GCP_SALT_SIZE - 1) / 2];
	size_t i;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return souk_error_set(err, SOUK_E_INTERNAL, "no random bytes for a request's id");
	for (i = 0; i < sizeof(bytes); i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
	return SOUK_OK;
}
