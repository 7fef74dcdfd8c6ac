/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.h - find, keep and renew the keys that requests are signed with */
#ifndef SOUK_AWS_CREDENTIALS_H
#define SOUK_AWS_CREDENTIALS_H

#include <souk/provider.h>

#include <stdint.h>

struct aws;
struct aws_client;
struct aws_profiles;
struct json_object;

/* Owned by whoever holds it; _fini wipes. */
struct aws_credentials {
	char *access_key;
	char *secret_key;
	char *session_token;   /* NULL: none */
	int64_t expires_at;    /* seconds since the epoch; 0: never */
	const char *source;    /* static text: where they are from */
};

void aws_credentials_fini(struct aws_credentials *credentials);
int aws_credentials_copy(const struct aws_credentials *from, struct aws_credentials *out,
			 struct souk_error *err);
/* Copies. 'session_token' may be NULL or empty. */
int aws_credentials_make(const char *access_key, const char *secret_key, const char *session_token,
			 int64_t expires_at, const char *source, struct aws_credentials *out,
			 struct souk_error *err);

/* A copy of the account's credentials: found when first needed, renewed before they expire. */
int aws_credentials_get(struct aws *aws, struct souk_call *call, struct aws_credentials *out,
			struct souk_error *err);
/* Look again at the next need; 'used' is what was refused, so that newer ones are kept. */
void aws_credentials_forget(struct aws *aws, const struct aws_credentials *used);

/* AUTH if nothing on this computer hints at credentials. Asks nobody: for open(), so that souk
 * leaves a cloud out that its user has no account of. */
int aws_credentials_expected(const struct aws *aws, struct souk_error *err);
/* The error for that. Returns AUTH. */
int aws_no_credentials(struct souk_error *err);

/* 1 if they should be renewed at 'now'. */
int aws_credentials_stale(const struct aws_credentials *credentials, int64_t now);

/* ---- Within credentials*.c --------------------------------------------------------- */

/* A look through the chain: where, and which profiles were passed on the way. */
struct aws_chain {
	struct aws *aws;
	struct souk_call *call;
	const struct aws_profiles *profiles;
	const char *visited[16];
	unsigned n_visited;
};

/*
 * A place where credentials may be: 1 found, 0 nothing there, or a negative code if something
 * is there and does not work.
 */
typedef int (*aws_credential_source)(struct aws_chain *chain, const char *profile,
				     struct aws_credentials *out, struct souk_error *err);

int aws_credentials_resolve(struct aws_chain *chain, struct aws_credentials *out,
			    struct souk_error *err);
int aws_from_environment(struct aws_chain *chain, const char *profile,
			 struct aws_credentials *out, struct souk_error *err);
int aws_from_profile(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		     struct souk_error *err);
int aws_from_role(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		  struct souk_error *err);
int aws_from_web_identity(struct aws_chain *chain, const char *profile,
			  struct aws_credentials *out, struct souk_error *err);
int aws_from_sso(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		 struct souk_error *err);
int aws_from_container(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		       struct souk_error *err);
int aws_from_metadata(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		      struct souk_error *err);

/* Credentials from a JSON object whose members are so named. */
struct aws_json_names {
	const char *access_key, *secret_key, *session_token, *expiration;
};
int aws_credentials_from_json(struct json_object *object, const struct aws_json_names *names,
			      const char *source, struct aws_credentials *out,
			      struct souk_error *err);

#endif
