/* SPDX-License-Identifier: Apache-2.0 */
/* assertion.c - the signed statement by which a client with a certificate shows who it is */

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "credentials.h"

enum { MAX_FILE = 256 * 1024, MAX_ASSERTION = 32 * 1024, LIFE_SECONDS = 600, MAX_SIGNATURE = 2048 };

struct identity {
	EVP_PKEY *key;
	X509 *certificate;
};

static void identity_fini(struct identity *identity)
{
	EVP_PKEY_free(identity->key);
	X509_free(identity->certificate);
}

int azure_base64url(const void *data, size_t size, struct souk_buf *out)
{
	AZURE_AUTO_BUF struct souk_buf text = { 0 };
	size_t i;

	souk_buf_init(&text, 2 * size + 16);
	if (souk_buf_base64(&text, data, size) < 0)
		return SOUK_E_NOMEM;
	for (i = 0; i < text.len && text.data[i] != '='; i++)
		if (text.data[i] == '+')
			text.data[i] = '-';
		else if (text.data[i] == '/')
			text.data[i] = '_';
	return souk_buf_add(out, text.data, i);
}

static int give_password(char *out, int size, int writing, void *password)
{
	size_t len = password ? strlen(password) : 0;

	(void)writing;
	if (!password || size < 0 || len > (size_t)size)
		return -1;
	memcpy(out, password, len);
	return (int)len;
}

/* The key, and the certificate that is the key's; a chain may stand beside it. */
static void read_pem(const struct souk_buf *file, const char *password, struct identity *out)
{
	BIO *bio = BIO_new_mem_buf(file->data, (int)file->len);
	X509 *certificate;

	if (!bio)
		return;
	out->key = PEM_read_bio_PrivateKey(bio, NULL, give_password, (void *)password);
	(void)BIO_reset(bio);
	while (out->key && !out->certificate &&
	       (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		if (X509_check_private_key(certificate, out->key) == 1)
			out->certificate = certificate;
		else
			X509_free(certificate);
	}
	BIO_free(bio);
}

static void read_pkcs12(const struct souk_buf *file, const char *password, struct identity *out)
{
	const unsigned char *data = (const unsigned char *)file->data;
	PKCS12 *store = d2i_PKCS12(NULL, &data, (long)file->len);

	if (!store)
		return;
	if (PKCS12_parse(store, password ? password : "", &out->key, &out->certificate, NULL) != 1)
		*out = (struct identity){ 0 };
	PKCS12_free(store);
}

static int load(const struct azure_assertion *what, struct identity *out, struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf file = { 0 };
	int ret;

	ret = souk_read_file(what->path, MAX_FILE, &file, err);
	if (ret == SOUK_E_NOT_FOUND || ret == SOUK_E_INVALID)
		return souk_error_set(err, SOUK_E_AUTH, "cannot read the certificate '%.300s'",
				      what->path);
	if (ret < 0)
		return ret;
	if (strstr(file.data, "-----BEGIN"))
		read_pem(&file, what->password, out);
	else
		read_pkcs12(&file, what->password, out);
	explicit_bzero(file.data, file.len);
	ERR_clear_error();
	if (!out->key || !out->certificate) {
		souk_error_set(err, SOUK_E_AUTH, "'%.300s' has no private key with its certificate",
			       what->path);
		return souk_error_hint(err, "a PEM file with both, or PKCS #12; its password is in "
					    "AZURE_CLIENT_CERTIFICATE_PASSWORD");
	}
	if (EVP_PKEY_get_base_id(out->key) != EVP_PKEY_RSA)
		return souk_error_set(err, SOUK_E_AUTH, "the key in '%.300s' is not an RSA key",
				      what->path);
	return SOUK_OK;
}

/* RSASSA-PSS with SHA-256, the salt as long as the digest: PS256 of RFC 7518. */
static int sign(EVP_PKEY *key, const char *text, size_t size, struct souk_buf *out,
		struct souk_error *err)
{
	unsigned char signature[MAX_SIGNATURE];
	size_t len = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding = NULL;
	int good;

	if (!context)
		return azure_nomem(err);
	good = EVP_PKEY_get_size(key) <= MAX_SIGNATURE &&
	       EVP_DigestSignInit(context, &padding, EVP_sha256(), NULL, key) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1 &&
	       EVP_DigestSign(context, signature, &len, (const unsigned char *)text, size) == 1;
	EVP_MD_CTX_free(context);
	ERR_clear_error();
	if (!good)
		return souk_error_set(err, SOUK_E_AUTH, "cannot sign with the certificate's key");
	souk_buf_str(out, ".");
	azure_base64url(signature, len, out);
	return souk_buf_failed(out, err);
}

/* {"alg":"PS256","typ":"JWT","x5t#S256":"digest of the certificate"} */
static int add_head(X509 *certificate, struct souk_buf *out, struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf head = { 0 };
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned len = sizeof(digest);
	int ret;

	if (X509_digest(certificate, EVP_sha256(), digest, &len) != 1)
		return souk_error_set(err, SOUK_E_AUTH, "cannot take the certificate's digest");
	souk_buf_init(&head, 1024);
	souk_buf_str(&head, "{\"alg\":\"PS256\",\"typ\":\"JWT\",\"x5t#S256\":\"");
	azure_base64url(digest, len, &head);
	souk_buf_str(&head, "\"}");
	ret = souk_buf_failed(&head, err);
	if (ret == SOUK_OK)
		azure_base64url(head.data, head.len, out);
	return ret;
}

/* Ids and URLs were checked: they have nothing that JSON would escape. */
static int add_claims(const struct azure_assertion *what, struct souk_buf *out,
		      struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf claims = { 0 };
	unsigned char random[16];
	size_t i;
	int ret;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return souk_error_set(err, SOUK_E_INTERNAL, "no random numbers");
	souk_buf_init(&claims, 8192);
	souk_buf_printf(&claims, "{\"aud\":\"%s\",\"iss\":\"%s\",\"sub\":\"%s\",\"jti\":\"",
			what->audience, what->client_id, what->client_id);
	for (i = 0; i < sizeof(random); i++)
		souk_buf_printf(&claims, "%02x", random[i]);
	souk_buf_printf(&claims, "\",\"iat\":%lld,\"nbf\":%lld,\"exp\":%lld}",
			(long long)what->now, (long long)what->now,
			(long long)(what->now + LIFE_SECONDS));
	ret = souk_buf_failed(&claims, err);
	if (ret == SOUK_OK) {
		souk_buf_str(out, ".");
		azure_base64url(claims.data, claims.len, out);
	}
	return ret;
}

int azure_assertion_make(const struct azure_assertion *what, struct souk_buf *out,
			 struct souk_error *err)
{
	struct identity identity = { 0 };
	int ret;

	souk_buf_init(out, MAX_ASSERTION);
	ret = load(what, &identity, err);
	if (ret == SOUK_OK)
		ret = add_head(identity.certificate, out, err);
	if (ret == SOUK_OK)
		ret = add_claims(what, out, err);
	if (ret == SOUK_OK)
		ret = souk_buf_failed(out, err);
	if (ret == SOUK_OK)
		ret = sign(identity.key, out->data, out->len, out, err);
	identity_fini(&identity);
	return ret;
}
