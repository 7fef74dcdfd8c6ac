/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - requests to Azure, and lists that come in pages */

#include "client.h"

#include <stdio.h>
#include <string.h>

#include "credentials.h"
#include "json-read.h"

enum { MAX_URL = 16 * 1024, PAGE_TIMEOUT_MS = 60000, MAX_TRIES = 3, RETRY_MS = 250 };

static int send_with(const struct azure_client *client, const struct azure_request *request,
		     const char *authorization, struct souk_http_reply **reply_out,
		     struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf url = { 0 };
	const char *headers[5];
	struct souk_http_request http = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = request->flags,
		.what = request->what,
		.method = request->method,
		.headers = headers,
		.body = request->body,
		.body_size = request->body ? strlen(request->body) : 0,
		.timeout_ms = request->timeout_ms,
		.max_reply_bytes = AZURE_MAX_REPLY,
		.should_retry = azure_fault_should_retry,
		.cache_seconds = request->cache_seconds,
		.cache_scope = request->cache_scope,
	};
	size_t n = 0;
	int ret;

	souk_buf_init(&url, MAX_URL);
	souk_buf_str(&url, client->azure->urls[request->host]);
	souk_buf_str(&url, request->path);
	ret = souk_buf_failed(&url, err);
	if (ret < 0)
		return ret;
	http.url = url.data;
	headers[n++] = "Accept: application/json";
	if (request->body)
		headers[n++] = "Content-Type: application/json";
	if (authorization)
		headers[n++] = authorization;
	if (request->header)
		headers[n++] = request->header;
	headers[n] = NULL;
	return souk_http_send(client->call, &http, reply_out, err);
}

static int check(struct souk_http_reply **reply, const struct azure_request *request,
		 struct souk_http_reply **reply_out, struct azure_fault *fault,
		 struct souk_error *err)
{
	*fault = (struct azure_fault){ 0 };
	if (souk_http_reply_status(*reply) / 100 == 2) {
		*reply_out = *reply;
		*reply = NULL;
		return SOUK_OK;
	}
	azure_fault_of(*reply, fault);
	return azure_fault_error(fault, request->doing, err);
}

static int send_as(const struct azure_client *client, const struct azure_request *request,
		   struct azure_token *token, struct souk_http_reply **reply_out,
		   struct azure_fault *fault, struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf authorization = { 0 };
	AZURE_AUTO_REPLY struct souk_http_reply *reply = NULL;
	int ret;

	souk_buf_init(&authorization, AZURE_MAX_TOKEN + 32);
	souk_buf_printf(&authorization, "Authorization: Bearer %s", token->text);
	ret = souk_buf_failed(&authorization, err);
	if (ret == SOUK_OK)
		ret = send_with(client, request, authorization.data, &reply, err);
	if (authorization.size)
		explicit_bzero(authorization.data, authorization.len);
	return ret < 0 ? ret : check(&reply, request, reply_out, fault, err);
}

static int send_signed(const struct azure_client *client, const struct azure_request *request,
		       struct souk_http_reply **reply_out, struct azure_fault *fault,
		       struct souk_error *err)
{
	struct azure_token token = { 0 };
	struct azure_token newer = { 0 };
	int ret;

	ret = azure_token_get(client, &token, err);
	if (ret < 0)
		return ret;
	ret = send_as(client, request, &token, reply_out, fault, err);
	/* A refused token has done nothing, so that sending again is safe. */
	if (ret == SOUK_E_AUTH && fault->status == 401) {
		azure_token_forget(client->azure, &token);
		if (azure_token_get(client, &newer, NULL) == SOUK_OK &&
		    strcmp(token.text, newer.text) != 0)
			ret = send_as(client, request, &newer, reply_out, fault, err);
	}
	azure_token_fini(&token);
	azure_token_fini(&newer);
	return ret;
}

int azure_send(const struct azure_client *client, const struct azure_request *request,
	       struct souk_http_reply **reply_out, struct azure_fault *fault_out,
	       struct souk_error *err)
{
	AZURE_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct azure_fault fault = { 0 };
	int ret;

	if (request->host == AZURE_HOST_MANAGEMENT) {
		ret = send_signed(client, request, reply_out, &fault, err);
	} else {
		ret = send_with(client, request, NULL, &reply, err);
		if (ret == SOUK_OK)
			ret = check(&reply, request, reply_out, &fault, err);
	}
	if (fault_out)
		*fault_out = fault;
	return ret;
}

static int send_json_once(const struct azure_client *client, const struct azure_request *request,
			  struct json_object **out, struct azure_fault *fault_out,
			  struct souk_error *err)
{
	AZURE_AUTO_REPLY struct souk_http_reply *reply = NULL;
	const char *body;
	size_t size = 0;
	int ret;

	ret = azure_send(client, request, &reply, fault_out, err);
	if (ret < 0)
		return ret;
	body = souk_http_reply_body(reply, &size);
	*out = souk_json_parse(body, size);
	return SOUK_OK;
}

int azure_send_json(const struct azure_client *client, const struct azure_request *request,
		    struct json_object **out, struct azure_fault *fault_out,
		    struct souk_error *err)
{
	struct azure_request again = *request;
	unsigned tries = request->flags & SOUK_HTTP_RETRY ? MAX_TRIES : 1;
	unsigned i;
	int ret;

	*out = NULL;
	for (i = 0; i < tries; i++) {
		ret = i ? souk_call_sleep(client->call, i * RETRY_MS, err) : SOUK_OK;
		if (ret == SOUK_OK)
			ret = send_json_once(client, &again, out, fault_out, err);
		if (ret < 0 || *out)
			return ret;
		/* What was kept is broken too. */
		again.cache_seconds = 0;
	}
	souk_error_set(err, SOUK_E_INTERNAL, "cannot %s: the reply is not a JSON object",
		       request->doing);
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

/* ---- Pages ----------------------------------------------------------------------------------- */

/* Hand the page's list on, and leave the path of the next page in 'next'; 1 if there is one. */
static int take_page(const struct azure_client *client, const struct azure_listing *listing,
		     const char *path, struct json_object *page, struct souk_buf *next,
		     struct souk_error *err)
{
	const struct azure_request *request = &listing->request;
	struct json_object *items;
	const char *link;
	int ret;

	ret = azure_json_get(page, request->what, listing->items, json_type_array, &items, err);
	if (ret == SOUK_OK && !items)
		ret = souk_error_set(err, SOUK_E_INTERNAL, "cannot %s: the reply has no '%s'",
				     request->doing, listing->items);
	if (ret == SOUK_OK)
		ret = listing->take(listing->arg, page, items, err);
	if (ret == SOUK_OK)
		ret = azure_json_get_text(page, request->what, listing->next, &link, err);
	if (ret < 0 || !link || !*link)
		return ret;
	souk_buf_init(next, MAX_URL);
	ret = azure_next_path(client->azure->urls[request->host], azure_usual_url(request->host),
			      path, link, next, err);
	if (ret == SOUK_OK && strcmp(next->data, path) == 0)
		ret = souk_error_set(err, SOUK_E_INTERNAL,
				     "cannot %s: the next page is the same page", request->doing);
	return ret < 0 ? ret : 1;
}

int azure_list(const struct azure_client *client, const struct azure_listing *listing,
	       struct souk_error *err)
{
	AZURE_AUTO_FREE char *path = strdup(listing->request.path);
	struct azure_request request = listing->request;
	unsigned pages;
	int ret = path ? 1 : azure_nomem(err);

	request.flags |= SOUK_HTTP_RETRY;
	if (!request.timeout_ms)
		request.timeout_ms = PAGE_TIMEOUT_MS;
	for (pages = 0; ret > 0 && pages < AZURE_MAX_PAGES; pages++) {
		AZURE_AUTO_BUF struct souk_buf next = { 0 };
		struct json_object *page = NULL;

		request.path = path;
		ret = azure_send_json(client, &request, &page, NULL, err);
		if (ret == SOUK_OK)
			ret = take_page(client, listing, path, page, &next, err);
		json_object_put(page);
		if (ret > 0) {
			free(path);
			path = strdup(next.data);
			if (!path)
				ret = azure_nomem(err);
		}
	}
	if (ret > 0)
		return souk_error_set(err, SOUK_E_INTERNAL, "cannot %s: the list does not end",
				      request.doing);
	return ret;
}
