/* SPDX-License-Identifier: Apache-2.0 */
/* aws.h - one configured AWS account, and the signed requests that are sent for it */
#ifndef SOUK_AWS_H
#define SOUK_AWS_H

#include <souk/provider.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "credentials.h"
#include "errors.h"
#include "profile.h"

#define AWS_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Storage that ends with its scope; initialise it where it is declared. */
#define AWS_AUTO_FREE __attribute__((cleanup(aws_auto_free)))
#define AWS_AUTO_BUF __attribute__((cleanup(souk_buf_fini)))
#define AWS_AUTO_REPLY __attribute__((cleanup(aws_auto_reply)))

static inline void aws_auto_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void aws_auto_reply(struct souk_http_reply **reply)
{
	if (*reply)
		souk_http_reply_free(*reply);
}

enum {
	AWS_REGION_SIZE = 32,	      /* names of regions and zones, with their NUL */
	AWS_MAX_BODY = 256 * 1024,    /* of a request */
	AWS_MAX_REPLY = 32 * 1024 * 1024,
	AWS_MAX_PAGES = 2000
};

/* Tags that everything carries. */
#define AWS_TAG_CLUSTER "souk-cluster"
#define AWS_TAG_OWNER "souk-owner"
#define AWS_TAG_TOKEN "souk-token"
#define AWS_TAG_USER "souk-user"	 /* who logs in: it follows from the image */
#define AWS_TAG_HOST_KEY "souk-host-key" /* the public half of the key in the user data */
/* On a cluster's security group, before its first placement group is made: there may be some. Whoever
 * cleans up need not look for them everywhere. */
#define AWS_TAG_PLACED "souk-placed"

/* A quota that was looked up. */
struct aws_quota {
	char region[AWS_REGION_SIZE];
	char code[16];
	double vcpus; /* infinite: not told */
};

/* What open made. Any thread may use it; 'lock' is for credentials, 'settings_lock' for settings.
 */
struct aws {
	char *profile;		    /* named by the option; NULL: none */
	pthread_mutex_t lock;
	struct aws_credentials credentials;
	pthread_mutex_t settings_lock;
	struct aws_profiles *settings; /* read when first needed, unchanged from then on */
	struct aws_quota quotas[64];   /* under the same lock; the oldest make room */
	size_t n_quotas;	       /* ever kept */
	atomic_int rehearsed_placement; /* a rehearsal has made a placement group */
	atomic_llong skew_seconds;  /* what to add to our clock to have that of AWS */
};

/* An account as seen from one region, during one call. Borrowed pointers, cheap to copy. */
struct aws_client {
	struct aws *aws;
	struct souk_call *call;
	const char *region;
};

/* A request to a service. 'doing' completes "cannot ...". */
struct aws_request {
	const char *service;	  /* "ec2", "sts", "ssm", "pricing" */
	const char *action;	  /* "RunInstances" */
	const char *doing;
	const char *content_type;
	const char *target;	  /* X-Amz-Target of a JSON service; NULL: none */
	const char *body;
	size_t body_size;
	uint32_t flags;		  /* SOUK_HTTP_... */
	uint32_t timeout_ms;	  /* 0: the host's default */
	uint32_t cache_seconds;	  /* everybody gets the same reply, for so long; 0: no */
};

/* aws.c: the account */

/* The profile in use, and the region for calls that are the same from every region. */
const char *aws_profile_name(const struct aws *aws);
int aws_settings(struct aws *aws, const struct aws_profiles **out, struct souk_error *err);
int aws_default_region(struct aws *aws, char region[AWS_REGION_SIZE], struct souk_error *err);

/* endpoint.c: append the URL of a service, without a slash at its end */
int aws_endpoint(struct aws *aws, struct souk_call *call, const char *service, const char *region,
		 struct souk_buf *url, struct souk_error *err);
/* Where the price list of this region is asked for. */
const char *aws_pricing_region(const char *region);

/* client.c: requests */

/*
 * Sign a request, send it and check the reply's status. SOUK_OK means 2xx. A refusal by the
 * service fills *fault_out too, which may be NULL. Credentials that have expired are renewed,
 * and a clock that is wrong is allowed for, once.
 */
int aws_client_send(const struct aws_client *client, const struct aws_request *request,
		    struct souk_http_reply **reply_out, struct aws_fault *fault_out,
		    struct souk_error *err);
/* The same with credentials of the caller's; NULL sends it unsigned. */
int aws_client_send_as(const struct aws_client *client, const struct aws_credentials *credentials,
		       const struct aws_request *request, struct souk_http_reply **reply_out,
		       struct aws_fault *fault_out, struct souk_error *err);

/* text.c: small things */

int aws_nomem(struct souk_error *err);
/* Replace a copied text. */
int aws_set(char **slot, const char *value, struct souk_error *err);
/* A path with '~' at its start made absolute. */
int aws_expand_path(const char *path, struct souk_buf *out, struct souk_error *err);
/* 1 if 'text' looks like a region or zone name, which then is safe inside a host name. */
int aws_is_place(const char *text);
/* UTC as "YYYYMMDDTHHMMSSZ", or as RFC 3339. */
void aws_basic_time(int64_t seconds, char out[17]);
void aws_extended_time(int64_t seconds, char out[21]);
/* Walk a list; *item is a copy, which the caller frees. 0 at the end. */
int aws_next_item(const char **list, char **item_out, struct souk_error *err);

#endif
