/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.h - find, keep and renew the token that requests carry, and the subscription */
#ifndef SOUK_AZURE_CREDENTIALS_H
#define SOUK_AZURE_CREDENTIALS_H

#include "azure.h"
#include "client.h"

struct json_object;

/* A copy of the account's token: asked for when first needed, renewed before it expires. */
int azure_token_get(const struct azure_client *client, struct azure_token *out,
		    struct souk_error *err);
/* Ask anew at the next need; 'used' is what was refused, so that a newer one is kept. */
void azure_token_forget(struct azure *azure, const struct azure_token *used);
/* 1 if it should be renewed at 'now'. */
int azure_token_stale(const struct azure_token *token, int64_t now);

/* The subscription that is paid from, and a check that it can stand in a path. */
int azure_subscription(const struct azure_client *client, char out[AZURE_ID_SIZE],
		       struct souk_error *err);

/*
 * A claim of a token that Azure itself has given us, such as whose it is. It is read, not verified:
 * it is shown to the user and nothing hangs on it. Copies into 'out'; 0 if there is none.
 */
int azure_token_claim(const char *token, const char *claim, char *out, size_t size);

/* ---- Within credentials*.c ------------------------------------------------------------------- */

/*
 * A place where credentials may be: 1 found, 0 nothing there, or a negative code if something is
 * there and does not work.
 */
typedef int (*azure_token_source)(const struct azure_client *client, struct azure_token *out,
				  struct souk_error *err);

int azure_from_principal(const struct azure_client *client, struct azure_token *out,
			 struct souk_error *err);
int azure_from_workload(const struct azure_client *client, struct azure_token *out,
			struct souk_error *err);
int azure_from_managed_identity(const struct azure_client *client, struct azure_token *out,
				struct souk_error *err);
int azure_from_cli(const struct azure_client *client, struct azure_token *out,
		   struct souk_error *err);

/* What an Azure token endpoint answers, at 'now'. */
int azure_token_read(struct json_object *object, const char *source, int64_t now,
		     struct azure_token *out, struct souk_error *err);
/* The same of what the az command prints. */
int azure_token_read_cli(struct json_object *object, int64_t now, struct azure_token *out,
			 struct souk_error *err);

/* assertion.c: a signed statement that we are the client whose certificate is in this file. */
struct azure_assertion {
	const char *path;	/* PEM with key and certificate, or PKCS #12 */
	const char *password;	/* NULL: none */
	const char *client_id;
	const char *audience;	/* the URL that the token is asked of */
	int64_t now;
};
int azure_assertion_make(const struct azure_assertion *what, struct souk_buf *out,
			 struct souk_error *err);

/* base64url without padding, as JWTs have it. */
int azure_base64url(const void *data, size_t size, struct souk_buf *out);

#endif
