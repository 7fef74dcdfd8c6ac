/* SPDX-License-Identifier: Apache-2.0 */
/* azure.h - one configured Azure account, and the small things that all files here use */
#ifndef SOUK_AZURE_H
#define SOUK_AZURE_H

#include <souk/provider.h>

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#define AZURE_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Storage that ends with its scope; initialise it where it is declared. */
#define AZURE_AUTO_FREE __attribute__((cleanup(azure_auto_free)))
#define AZURE_AUTO_BUF __attribute__((cleanup(souk_buf_fini)))
#define AZURE_AUTO_REPLY __attribute__((cleanup(azure_auto_reply)))

static inline void azure_auto_free(void *pointer)
{
	free(*(void **)pointer);
}

static inline void azure_auto_reply(struct souk_http_reply **reply)
{
	if (*reply)
		souk_http_reply_free(*reply);
}

enum {
	AZURE_REGION_SIZE = 48,	      /* names of regions, with their NUL */
	AZURE_ID_SIZE = 128,	      /* subscriptions, tenants, clients */
	AZURE_URL_SIZE = 256,
	AZURE_VM_PATH_SIZE = 384,
	AZURE_MAX_TOKEN = 64 * 1024,
	AZURE_MAX_REPLY = 32 * 1024 * 1024,
	AZURE_MAX_PAGES = 5000
};

/* The hosts that are asked. */
enum azure_host {
	AZURE_HOST_MANAGEMENT,
	AZURE_HOST_LOGIN,
	AZURE_HOST_PRICES,
	AZURE_HOST_METADATA,
	AZURE_N_HOSTS
};

/* An access token. Owned by whoever holds it; _fini wipes. */
struct azure_token {
	char *text;
	int64_t expires_at;	/* seconds since the epoch */
	const char *source;	/* static text: where it is from */
	char subscription[AZURE_ID_SIZE]; /* that the source named; "": none */
};

/* What open made. Any thread may use it; 'lock' is for what follows it. */
struct azure {
	char urls[AZURE_N_HOSTS][AZURE_URL_SIZE]; /* without a slash at the end */
	int metadata_given;	/* the metadata service was configured: it is there */
	char resource[AZURE_URL_SIZE]; /* what tokens are for, without a slash at the end */
	pthread_mutex_t lock;
	struct azure_token token;
	char subscription[AZURE_ID_SIZE]; /* "": not yet known */
	char rehearsed_vm[AZURE_VM_PATH_SIZE]; /* the first machine that a rehearsal has made */
	char rehearsed_account[AZURE_ID_SIZE]; /* the subscription that it was made in */
};

/* ---- text.c ---------------------------------------------------------------------------------- */

int azure_nomem(struct souk_error *err);
/* A setting, NULL also if it is empty. */
const char *azure_option(const struct souk_call *call, const char *name);
/* A setting, else an environment variable. */
const char *azure_setting(const struct souk_call *call, const char *option, const char *variable);
/* 1 if 'text' can be a region, and is safe inside a path and a filter. */
int azure_is_place(const char *text);
/* 1 if 'text' can be the id or name of a subscription, tenant or client, and is safe in a path. */
int azure_is_id(const char *text);
/* 1 if 'text' can be the name of a size, and is safe inside a filter. */
int azure_is_size(const char *text);
/* 1 if 'text' can stand in a header. */
int azure_is_clean(const char *text);
/* Copy if it fits: 0 if it is NULL, empty, or too long. */
int azure_copy(char *out, size_t size, const char *text);
/* Make room for one more item in an array that grows, of at most 'max' items. */
int azure_grow(void **list, size_t n, size_t *size, size_t item, size_t max, const char *what,
	       struct souk_error *err);
void azure_wipe(char **text);
void azure_token_fini(struct azure_token *token);

/* ---- urls.c ---------------------------------------------------------------------------------- */

/* Fill in azure->urls and ->resource from settings and environment. */
int azure_urls_init(struct azure *azure, const struct souk_call *call, struct souk_error *err);
/*
 * The link to a next page, as path and query below 'base': INTERNAL if it leads to another host or
 * path than the page that it was found on ('path', which may have a query).
 */
int azure_next_path(const char *base, const char *usual_base, const char *path, const char *link,
		    struct souk_buf *out, struct souk_error *err);
/* The address of a host in Azure's public cloud. */
const char *azure_usual_url(enum azure_host host);

#endif
