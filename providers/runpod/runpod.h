/* SPDX-License-Identifier: Apache-2.0 */
/* runpod.h - one configured RunPod account, and the requests that are sent for it */
#ifndef SOUK_RUNPOD_H
#define SOUK_RUNPOD_H

#define SOUK_JSON_REPLY "RunPod's answer makes no sense: "

#include <souk/provider-json.h>

#include <pthread.h>
#include <stdint.h>

#define RUNPOD_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Storage that ends with its scope; initialise it where it is declared. */
#define RUNPOD_AUTO_BUF __attribute__((cleanup(souk_buf_fini)))
#define RUNPOD_AUTO_JSON __attribute__((cleanup(souk_json_auto_put)))

enum {
	RUNPOD_MAX_URL = 4096,
	RUNPOD_MAX_BODY = 256 * 1024,
	RUNPOD_MAX_REPLY = 16 * 1024 * 1024,
	RUNPOD_NAME_SIZE = 64,	 /* of a data centre, a country, a kind of GPU, with the NUL */
	RUNPOD_TYPE_SIZE = 96,	 /* of an instance type: "8x_H100-SXM_SECURE" */
	RUNPOD_MAX_GPUS = 16	 /* in one pod */
};

enum runpod_cloud { RUNPOD_SECURE = 0, RUNPOD_COMMUNITY = 1, RUNPOD_CLOUDS = 2 };

/* What open made. Any thread may use it; 'lock' is for not_before_ms. */
struct runpod {
	char *endpoint;	   /* without a slash at its end, and without "/v2" */
	char *key;	   /* wiped when it is freed */
	char scope[20];	   /* tells kept replies of one key from those of another */
	uint32_t clouds;   /* bit of each enum runpod_cloud whose offers are listed */
	pthread_mutex_t lock;
	int64_t not_before_ms; /* monotonic: the window of requests is used up until then */
	int is_rehearsed;      /* set by the first request of a rehearsal, which is the only thread there */
	char rehearsed_gpu[RUNPOD_NAME_SIZE]; /* the name of the one that is looked up */
};

static inline int runpod_nomem(struct souk_error *err)
{
	return souk_error_nomem(err);
}

/* gpus.c */
const char *runpod_cloud_name(enum runpod_cloud cloud);

/* credentials.c: the key of the account; freed with souk_secret_free() */
int runpod_key_find(struct souk_call *call, char **key_out, struct souk_error *err);
/* The key in the text of a config.toml, NUL-ended, cut in place; NULL: none. */
char *runpod_key_in_config(char *text);

/* limits.c: how long to wait by a RateLimit header; 0: not at all */
uint32_t runpod_limit_wait_ms(const char *header);

/* client.c: requests. 'doing' completes "cannot ...". */
struct runpod_request {
	const char *what;    /* "ListGpuTypes" */
	const char *doing;
	const char *method;  /* NULL: "GET" */
	const char *path;    /* "/v2/..." with its query */
	const char *body;    /* JSON; NULL: none */
	uint32_t flags;	     /* SOUK_HTTP_... */
	uint32_t cache_seconds;
	int is_create;	     /* a refusal is about one offer, not about the account */
};

/*
 * Send a request. SOUK_OK means a status of 2xx; a refusal becomes an error. *out is the reply's
 * object, which the caller puts; NULL if the reply has no body (204).
 */
int runpod_send(struct runpod *runpod, struct souk_call *call, const struct runpod_request *request,
		struct json_object **out, struct souk_error *err);

#endif
