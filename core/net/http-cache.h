/* SPDX-License-Identifier: Apache-2.0 */
/* net/http-cache.h - replies that are kept in the user's cache, to be given again */
#ifndef SOUK_NET_HTTP_CACHE_H
#define SOUK_NET_HTTP_CACHE_H

#include <pthread.h>
#include <stdint.h>

#include "net/http.h"

/*
 * One file a reply, named by the SHA-256 of scope, method, URL and body: nothing of them can be
 * read there. Its modification time is when the server last said that the reply is good. The sum
 * at its end is over all before it, so that a torn or altered file is known for one; it is
 * removed. Replies that hold a secret (a header or a registered value) are not kept.
 */
struct souk_http_cache {
	pthread_mutex_t lock; /* of what follows */
	/* What the folder holds as far as we know: others write there too, so it is counted now
	 * and then. */
	uint64_t files;
	uint64_t bytes;
	unsigned since_count; /* files written since; 0: not counted yet */
	/* set by souk_http_cache_init(); a test may lower them */
	uint64_t files_max;
	uint64_t bytes_max;
};

void souk_http_cache_init(struct souk_http_cache *cache);
void souk_http_cache_fini(struct souk_http_cache *cache);

/* Where the reply of a request is kept, and what is there. Zero-initialise. */
struct souk_http_kept {
	char *path;
	char key[65];
	struct souk_http_reply *reply; /* NULL: none, or none that is whole */
	int64_t age_s;		       /* of the reply; never negative */
};

/* May the reply to this request be kept at all? */
int souk_http_cache_takes(const struct souk_http_context *context,
			  const struct souk_http_request *request);

/* Look. That nothing is there is no failure. */
int souk_http_cache_look(const struct souk_http_context *context,
			 const struct souk_http_request *request, struct souk_http_kept *kept,
			 struct souk_error *err);
void souk_http_kept_fini(struct souk_http_kept *kept);

/* Keep a reply with status 200, and make room for it. UNSUPPORTED if it must not be kept. */
int souk_http_cache_keep(struct souk_http_cache *cache, const struct souk_http_context *context,
			 const struct souk_http_kept *kept, const struct souk_http_reply *reply,
			 struct souk_error *err);

/* The server has said that it is still good. */
void souk_http_cache_renew(const struct souk_http_kept *kept);

#endif
