/* SPDX-License-Identifier: Apache-2.0 */
/* lambda.h - one configured Lambda account, and the requests that are sent for it */
#ifndef SOUK_LAMBDA_H
#define SOUK_LAMBDA_H

#define SOUK_JSON_REPLY "Lambda's answer makes no sense: "

#include <souk/provider-json.h>

#include <pthread.h>
#include <stdint.h>

#include "pace.h"

#define LAMBDA_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Storage that ends with its scope; initialise it where it is declared. */
#define LAMBDA_AUTO_BUF __attribute__((cleanup(souk_buf_fini)))
#define LAMBDA_AUTO_JSON __attribute__((cleanup(souk_json_auto_put)))

enum {
	LAMBDA_MAX_URL = 4096,
	LAMBDA_MAX_REPLY = 16 * 1024 * 1024,
	LAMBDA_NAME_SIZE = 64,	   /* of a region, a GPU, with the NUL */
	LAMBDA_KEY_NAME_SIZE = 65  /* of a registered SSH key */
};

/* What is there in a rehearsal, which has one thread. */
struct lambda_rehearsed {
	int is_on; /* set by its first request: nothing is sent, and no turn is taken */
	char key[LAMBDA_KEY_NAME_SIZE]; /* the key that was registered last; "": none yet */
	int has_key;
	char region[LAMBDA_NAME_SIZE]; /* whose firewall ruleset is looked up */
};

/* What open made. Any thread may use it; the pace has a lock of its own. */
struct lambda {
	char *endpoint; /* without a slash at its end, and without "/api/v1" */
	char *key;	/* wiped when it is freed */
	struct lambda_pace pace;
	struct lambda_rehearsed rehearsed;
};

static inline int lambda_nomem(struct souk_error *err)
{
	return souk_error_nomem(err);
}

/* credentials.c: the key of the account; freed with souk_secret_free() */
int lambda_key_find(struct souk_call *call, char **key_out, struct souk_error *err);
/* The key in the text of ~/.lambda_cloud/lambda_keys, NUL-ended, cut in place; NULL: none. */
char *lambda_key_in_file(char *text);

/* client.c: requests. 'doing' completes "cannot ...". */
struct lambda_request {
	const char *what;   /* "ListInstanceTypes" */
	const char *doing;
	const char *method; /* NULL: "GET" */
	const char *path;   /* "/instance-types", behind "/api/v1" */
	const char *body;   /* JSON; NULL: none */
	uint32_t flags;	    /* SOUK_HTTP_... */
	int is_launch;	    /* has a pace of its own, and fails for one offer */
};

/*
 * Send a request, when its turn has come. SOUK_OK means a status of 2xx; a refusal becomes an
 * error, and one for being too quick is waited for and tried again. *out is the whole reply, which
 * the caller puts; *data_out, borrowed from it, is its member "data".
 */
int lambda_send(struct lambda *lambda, struct souk_call *call, const struct lambda_request *request,
		struct json_object **out, struct json_object **data_out, struct souk_error *err);

#endif
