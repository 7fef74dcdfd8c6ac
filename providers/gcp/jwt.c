/* SPDX-License-Identifier: Apache-2.0 */
/* jwt.c - the signed statement that a service account gets a token for */

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "gcp.h"

enum { LIFE_SECONDS = 3600 };

/* Base64 in the alphabet of URLs, without padding (RFC 7515). */
static int add_base64url(struct souk_buf *out, const void *data, size_t size,
			 struct souk_error *err)
{
	size_t from = out->len;
	size_t i;

	souk_buf_base64(out, data, size);
	if (souk_buf_failed(out, err) < 0)
		return out->failed;
	for (i = from; i < out->len; i++) {
		if (out->data[i] == '+')
			out->data[i] = '-';
		else if (out->data[i] == '/')
			out->data[i] = '_';
	}
	while (out->len > from && out->data[out->len - 1] == '=')
		out->data[--out->len] = '\0';
	return SOUK_OK;
}

static int add_json(struct souk_buf *out, struct json_object *object, struct souk_error *err)
{
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE);

	return text ? add_base64url(out, text, strlen(text), err) : gcp_nomem(err);
}

static int set(struct json_object *object, const char *name, struct json_object *value)
{
	if (value && json_object_object_add(object, name, value) == 0)
		return 1;
	json_object_put(value);
	return 0;
}

static int add_header(const struct gcp_identity *identity, struct souk_buf *out,
		      struct souk_error *err)
{
	GCP_AUTO_JSON struct json_object *header = json_object_new_object();

	if (!header || !set(header, "alg", json_object_new_string("RS256")) ||
	    !set(header, "typ", json_object_new_string("JWT")) ||
	    (identity->key_id &&
	     !set(header, "kid", json_object_new_string(identity->key_id))))
		return gcp_nomem(err);
	return add_json(out, header, err);
}

static int add_claims(const struct gcp_identity *identity, int64_t now, struct souk_buf *out,
		      struct souk_error *err)
{
	static const char scope[] = "https://www.googleapis.com/auth/cloud-platform";
	GCP_AUTO_JSON struct json_object *claims = json_object_new_object();

	if (!claims || !set(claims, "iss", json_object_new_string(identity->email)) ||
	    !set(claims, "scope", json_object_new_string(scope)) ||
	    !set(claims, "aud", json_object_new_string(identity->token_uri)) ||
	    !set(claims, "iat", json_object_new_int64(now)) ||
	    !set(claims, "exp", json_object_new_int64(now + LIFE_SECONDS)))
		return gcp_nomem(err);
	return add_json(out, claims, err);
}

static EVP_PKEY *read_key(const char *pem)
{
	BIO *bio = BIO_new_mem_buf(pem, -1);
	EVP_PKEY *key = NULL;

	/* An empty passphrase, so that an encrypted key fails and nobody is asked on the terminal. */
	if (bio)
		key = PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"");
	BIO_free(bio);
	if (key && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	return key;
}

/* RSASSA-PKCS1-v1_5 with SHA-256; *signature_out is freed with free(). */
static int sign(EVP_PKEY *key, const char *text, size_t size, unsigned char **signature_out,
		size_t *size_out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char *signature = NULL;
	size_t len = 0;
	int done = 0;

	if (ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
	    EVP_DigestSign(ctx, NULL, &len, (const unsigned char *)text, size) == 1) {
		signature = malloc(len);
		done = signature && EVP_DigestSign(ctx, signature, &len,
						   (const unsigned char *)text, size) == 1;
	}
	EVP_MD_CTX_free(ctx);
	if (!done) {
		free(signature);
		return 0;
	}
	*signature_out = signature;
	*size_out = len;
	return 1;
}

static int bad_key(const struct gcp_identity *identity, const char *why, struct souk_error *err)
{
	ERR_clear_error();
	souk_error_set(err, SOUK_E_AUTH, "credentials '%s': %s", identity->path, why);
	return souk_error_hint(err, "make a new key of the service account");
}

int gcp_jwt(const struct gcp_identity *identity, int64_t now, struct souk_buf *out,
	    struct souk_error *err)
{
	GCP_AUTO_FREE unsigned char *signature = NULL;
	EVP_PKEY *key;
	size_t start = out->len;
	size_t size = 0;
	int done;
	int ret;

	ret = add_header(identity, out, err);
	if (ret == SOUK_OK && souk_buf_str(out, ".") == SOUK_OK)
		ret = add_claims(identity, now, out, err);
	if (ret < 0 || souk_buf_failed(out, err) < 0)
		return ret < 0 ? ret : out->failed;
	key = read_key(identity->private_key);
	if (!key)
		return bad_key(identity, "'private_key' is not an RSA key", err);
	done = sign(key, out->data + start, out->len - start, &signature, &size);
	EVP_PKEY_free(key);
	if (!done)
		return bad_key(identity, "cannot sign with 'private_key'", err);
	souk_buf_str(out, ".");
	return add_base64url(out, signature, size, err);
}
