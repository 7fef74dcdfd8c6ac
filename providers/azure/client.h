/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - requests to Azure, and lists that come in pages */
#ifndef SOUK_AZURE_CLIENT_H
#define SOUK_AZURE_CLIENT_H

#include "azure.h"
#include "errors.h"

struct json_object;

/* An account during one call. Borrowed pointers, cheap to copy. */
struct azure_client {
	struct azure *azure;
	struct souk_call *call;
};

/* A request. 'doing' completes "cannot ...". */
struct azure_request {
	const char *what;	  /* for traces: "ResourceSkus_List" */
	const char *doing;
	enum azure_host host;	  /* MANAGEMENT with the account's token, PRICES without */
	const char *method;	  /* NULL: GET */
	const char *path;	  /* below the host, with its query */
	const char *body;	  /* JSON; NULL: none */
	const char *header;	  /* one more line; NULL: none */
	uint32_t flags;		  /* SOUK_HTTP_... */
	uint32_t timeout_ms;
	uint32_t cache_seconds;
	const char *cache_scope;
};

/*
 * Send it and check the reply's status. SOUK_OK means 2xx. A refusal by the service fills
 * *fault_out too, which may be NULL. A token that has expired is renewed, once.
 */
int azure_send(const struct azure_client *client, const struct azure_request *request,
	       struct souk_http_reply **reply_out, struct azure_fault *fault_out,
	       struct souk_error *err);

/* The same, with the reply's JSON object, which the caller puts. */
int azure_send_json(const struct azure_client *client, const struct azure_request *request,
		    struct json_object **out, struct azure_fault *fault_out,
		    struct souk_error *err);

/* A list: what it is called in a page, and how its next page is. */
struct azure_listing {
	struct azure_request request;
	const char *items;	  /* "value" */
	const char *next;	  /* "nextLink" */
	/* Is given each page's list. */
	int (*take)(void *arg, struct json_object *page, struct json_object *items,
		    struct souk_error *err);
	void *arg;
};

int azure_list(const struct azure_client *client, const struct azure_listing *listing,
	       struct souk_error *err);

#endif
