/* SPDX-License-Identifier: Apache-2.0 */
/* gcp.h - one configured Google Cloud account, and the requests that are sent for it */
#ifndef SOUK_GCP_H
#define SOUK_GCP_H

#include <souk/provider.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "errors.h"
#include "json-value.h"

#define GCP_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Storage that ends with its scope; initialise it where it is declared. */
#define GCP_AUTO_FREE __attribute__((cleanup(gcp_auto_free)))
#define GCP_AUTO_BUF __attribute__((cleanup(souk_buf_fini)))
#define GCP_AUTO_REPLY __attribute__((cleanup(gcp_auto_reply)))
#define GCP_AUTO_JSON __attribute__((cleanup(souk_json_auto_put)))

static inline void gcp_auto_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void gcp_auto_reply(struct souk_http_reply **reply)
{
	if (*reply)
		souk_http_reply_free(*reply);
}

enum {
	GCP_NAME_SIZE = 64,		 /* names of machine types, regions, zones, with their NUL */
	GCP_MAX_URL = 8 * 1024,
	GCP_MAX_REPLY = 32 * 1024 * 1024,
	GCP_MAX_PAGES = 400,
	GCP_LIST_SECONDS = 3600		 /* how long a page of a list is good enough */
};

struct gcp_prices;

/* Where the right to act comes from. */
enum gcp_source {
	GCP_FROM_NOTHING = 0, /* not looked for yet */
	GCP_FROM_OPTION,      /* access_token */
	GCP_FROM_KEY,	      /* the key of a service account */
	GCP_FROM_USER,	      /* a refresh token of gcloud's */
	GCP_FROM_METADATA     /* the machine that souk runs on */
};

/* What the credentials file says; texts are owned, NULL if it lacks them. */
struct gcp_identity {
	enum gcp_source source;
	char *path;	     /* of the file */
	char *email;	     /* service account */
	char *key_id;
	char *private_key;   /* PEM; wiped */
	char *token_uri;
	char *client_id;     /* user */
	char *client_secret; /* wiped */
	char *refresh_token; /* wiped */
	char *project;	     /* of the key */
	char *quota_project;
};

/* What open made. Any thread may use it; each lock is for what stands below it. */
struct gcp {
	pthread_mutex_t lock;
	struct gcp_identity identity;
	char *token;	      /* of access; wiped */
	int64_t token_until;  /* seconds since the epoch */
	char *project;	      /* NULL: not looked for yet; stays as it is */
	pthread_mutex_t prices_lock;
	struct gcp_prices *prices;
	int64_t prices_at;
	atomic_int rehearses; /* gcp_rehearse() stands in for the cloud */
	char rehearsed_tag[GCP_NAME_SIZE]; /* of its machines; under 'lock' */
};

/* An account during one call. Borrowed pointers, cheap to copy. */
struct gcp_client {
	struct gcp *gcp;
	struct souk_call *call;
};

/* A request. 'doing' completes "cannot ...". */
struct gcp_request {
	const char *what;	  /* "machineTypes.list" */
	const char *doing;
	const char *permission;	  /* that it needs, for the hint; NULL: none */
	const char *method;	  /* NULL: GET */
	const char *url;
	const char *body;	  /* JSON; NULL: none */
	uint32_t flags;		  /* SOUK_HTTP_... */
	uint32_t timeout_ms;	  /* 0: the host's default */
	uint32_t cache_seconds;
	const char *cache_scope;
};

/* ---- endpoint.c: where each service is ---- */

enum gcp_service {
	GCP_COMPUTE,
	GCP_BILLING,
	GCP_RESOURCES,
	GCP_OAUTH,
	GCP_METADATA
};

/* Append the service's URL, without a slash at its end. */
int gcp_endpoint(struct souk_call *call, enum gcp_service service, struct souk_buf *url,
		 struct souk_error *err);
/* 1 if the user has said where the service is. */
int gcp_endpoint_is_set(struct souk_call *call, enum gcp_service service);
/* Begin the URL ".../compute/v1/projects/PROJECT/" of the client's project. */
int gcp_compute_url(const struct gcp_client *client, struct souk_buf *url,
		    struct souk_error *err);

/* ---- credentials.c: find them ---- */

/* Does anything on this computer hint at credentials? Asks nobody. AUTH if not. */
int gcp_credentials_expected(struct souk_call *call, struct souk_error *err);
int gcp_no_credentials(struct souk_error *err);
/* Read a credentials file; for tests, from text. */
int gcp_identity_parse(const char *path, const char *text, size_t size, struct gcp_identity *out,
		       struct souk_error *err);
int gcp_identity_find(struct souk_call *call, struct gcp_identity *out, struct souk_error *err);
void gcp_identity_fini(struct gcp_identity *identity);
/* gcloud's folder of settings: $CLOUDSDK_CONFIG or ~/.config/gcloud. */
int gcp_config_dir(struct souk_buf *out, struct souk_error *err);
/* 1 if souk may ask the metadata server of the machine that it runs on. */
int gcp_on_google(void);

/* ---- token.c: turn them into a token ---- */

/* A copy of the token, which the caller gives to gcp_wipe(). */
int gcp_token_get(const struct gcp_client *client, char **token_out, struct souk_error *err);
/* Take another one at the next need, unless that has happened. */
void gcp_token_forget(struct gcp *gcp, const char *token);
/* The identity, found when first needed; borrowed, unchanged until close. */
int gcp_identity_get(const struct gcp_client *client, const struct gcp_identity **out,
		     struct souk_error *err);
/* A value of the metadata server, such as "project/project-id". */
int gcp_metadata_get(struct souk_call *call, const char *path, struct souk_buf *out,
		     struct souk_error *err);
/* Append "header.claims.signature" for a service account. */
int gcp_jwt(const struct gcp_identity *identity, int64_t now, struct souk_buf *out,
	    struct souk_error *err);

/* ---- project.c ---- */

/* The project that machines are rented in; borrowed until close. */
int gcp_project(const struct gcp_client *client, const char **out, struct souk_error *err);
/* The value of a key in a section of a file in gcloud's format, copied. 1 found, 0 not. */
int gcp_ini_value(const char *text, const char *section, const char *key, char **out,
		  struct souk_error *err);

/* ---- client.c: requests ---- */

/*
 * Send a request with the account's token and check the reply's status. SOUK_OK means 2xx. A
 * refusal fills *fault_out too, which may be NULL. A token that has expired is renewed once.
 */
int gcp_send(const struct gcp_client *client, const struct gcp_request *request,
	     struct souk_http_reply **reply_out, struct gcp_fault *fault_out,
	     struct souk_error *err);
/* The same, and parse the reply: a JSON object, which the caller puts. */
int gcp_call(const struct gcp_client *client, const struct gcp_request *request,
	     struct json_object **out, struct gcp_fault *fault_out, struct souk_error *err);
/*
 * Ask for a list to its end. 'request->url' is that of the first page; each page is given to
 * take(arg, page, err). A page that cannot be read is asked for once more, past the cache.
 */
int gcp_pages(const struct gcp_client *client, const struct gcp_request *request,
	      int (*take)(void *arg, struct json_object *page, struct souk_error *err), void *arg,
	      struct souk_error *err);

/* ---- text.c: small things ---- */

int gcp_nomem(struct souk_error *err);
/* Replace a copied text. */
int gcp_set(char **slot, const char *value, struct souk_error *err);
/* Wipe and free. */
void gcp_wipe(char **slot);
/* 1 if 'text' may be the name of a region, zone, machine type or accelerator type. */
int gcp_is_name(const char *text);
/* 1 if it may be the id of a project, such as "my-project" or "example.com:my-project". */
int gcp_is_project(const char *text);
/* What follows the last slash. */
const char *gcp_basename(const char *url);

/* ---- The operations ---- */

extern const char gcp_permissions[];

int gcp_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		    struct souk_error *err);
int gcp_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
	      struct souk_quote_list *out, struct souk_error *err);
int gcp_check(void *self, struct souk_call *call, struct souk_identity *out,
	      struct souk_error *err);
int gcp_rehearse(void *self, struct souk_call *call, uint32_t scene,
		 const struct souk_http_request *request, int32_t *status_out,
		 struct souk_buf *body, struct souk_buf *permission, struct souk_error *err);
int gcp_policy(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
	       struct souk_error *err);

#endif
