/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - requests with the account's token, and lists of many pages */

#include <stdio.h>
#include <string.h>

#include "gcp.h"

enum { MAX_HEADERS = 4, MAX_LINE = 16 * 1024 };

/* The headers of a request; those that are texts of their own end with it. */
struct head {
	struct souk_buf authorization;
	struct souk_buf quota_project;
	const char *lines[MAX_HEADERS + 1];
};

static void head_fini(struct head *head)
{
	if (head->authorization.size)
		explicit_bzero(head->authorization.data, head->authorization.len);
	souk_buf_fini(&head->authorization);
	souk_buf_fini(&head->quota_project);
}

static int head_make(struct head *head, const char *token, const struct gcp_identity *identity,
		     int has_body, struct souk_error *err)
{
	size_t n = 0;
	int ret;

	souk_buf_init(&head->authorization, MAX_LINE);
	souk_buf_init(&head->quota_project, 512);
	souk_buf_printf(&head->authorization, "Authorization: Bearer %s", token);
	ret = souk_buf_failed(&head->authorization, err);
	if (ret < 0)
		return ret;
	head->lines[n++] = head->authorization.data;
	/* What a user's requests count against; a service account has a project of its own. */
	if (identity->quota_project && identity->source == GCP_FROM_USER &&
	    gcp_is_project(identity->quota_project)) {
		souk_buf_printf(&head->quota_project, "x-goog-user-project: %s",
				identity->quota_project);
		ret = souk_buf_failed(&head->quota_project, err);
		if (ret < 0)
			return ret;
		head->lines[n++] = head->quota_project.data;
	}
	if (has_body)
		head->lines[n++] = "Content-Type: application/json";
	head->lines[n] = NULL;
	return SOUK_OK;
}

static int send_with(const struct gcp_client *client, const struct gcp_request *request,
		     const char *token, struct souk_http_reply **reply_out,
		     struct souk_error *err)
{
	const struct gcp_identity *identity;
	struct head head = { 0 };
	struct souk_http_request http = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = request->flags,
		.what = request->what,
		.method = request->method,
		.url = request->url,
		.body = request->body,
		.body_size = request->body ? strlen(request->body) : 0,
		.timeout_ms = request->timeout_ms,
		.max_reply_bytes = GCP_MAX_REPLY,
		.should_retry = gcp_fault_should_retry,
		.cache_seconds = request->cache_seconds,
		.cache_scope = request->cache_scope,
	};
	int ret;

	ret = gcp_identity_get(client, &identity, err);
	if (ret == SOUK_OK)
		ret = head_make(&head, token, identity, request->body != NULL, err);
	http.headers = head.lines;
	if (ret == SOUK_OK)
		ret = souk_http_send(client->call, &http, reply_out, err);
	head_fini(&head);
	return ret;
}

int gcp_send(const struct gcp_client *client, const struct gcp_request *request,
	     struct souk_http_reply **reply_out, struct gcp_fault *fault_out,
	     struct souk_error *err)
{
	struct gcp_fault fault = { 0 };
	unsigned tries;
	int ret = SOUK_OK;

	if (fault_out)
		*fault_out = fault;
	for (tries = 0; tries < 2; tries++) {
		GCP_AUTO_REPLY struct souk_http_reply *reply = NULL;
		char *token = NULL;

		ret = gcp_token_get(client, &token, err);
		if (ret < 0)
			return ret;
		ret = send_with(client, request, token, &reply, err);
		if (ret == SOUK_OK && souk_http_reply_status(reply) == 401)
			gcp_token_forget(client->gcp, token);
		gcp_wipe(&token);
		if (ret < 0)
			return ret;
		if (souk_http_reply_status(reply) / 100 == 2) {
			*reply_out = reply;
			reply = NULL;
			return SOUK_OK;
		}
		gcp_fault_of(reply, &fault);
		if (fault.status != 401)
			break;
	}
	if (fault_out)
		*fault_out = fault;
	return gcp_fault_error(&fault, request->permission, request->doing, err);
}

static int not_json(const struct gcp_request *request, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INTERNAL, "the reply to %s is not JSON", request->what);
}

int gcp_call(const struct gcp_client *client, const struct gcp_request *request,
	     struct json_object **out, struct gcp_fault *fault_out, struct souk_error *err)
{
	GCP_AUTO_REPLY struct souk_http_reply *reply = NULL;
	const char *body;
	size_t size = 0;
	int ret;

	ret = gcp_send(client, request, &reply, fault_out, err);
	if (ret < 0)
		return ret;
	body = souk_http_reply_body(reply, &size);
	*out = souk_json_parse(body, size);
	return *out ? SOUK_OK : not_json(request, err);
}

/* ---- Pages ---- */

/* What is wrong with a page, with the name of the request before it. */
static int bad_page(const struct gcp_request *request, const struct souk_error *why,
		    struct souk_error *err)
{
	souk_error_set(err, why->code, "the reply to %s makes no sense: %s", request->what,
		       why->message);
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

/*
 * One page, and the token of the next one, which the caller frees ("": none). What is not even
 * JSON may have been kept by the cache: it is asked for once more, past it.
 */
static int get_page(const struct gcp_client *client, const struct gcp_request *request,
		    int (*take)(void *arg, struct json_object *page, struct souk_error *err),
		    void *arg, char **next_out, struct souk_error *err)
{
	GCP_AUTO_JSON struct json_object *page = NULL;
	struct gcp_request again = *request;
	struct souk_error why = SOUK_ERROR_INIT;
	const char *next = "";
	int ret;

	ret = gcp_call(client, request, &page, NULL, err);
	if (ret == SOUK_E_INTERNAL) {
		souk_call_log(client->call, SOUK_LOG_INFO, "%s: not JSON; asking again",
			      request->what);
		again.cache_seconds = 0;
		ret = gcp_call(client, &again, &page, NULL, err);
	}
	if (ret < 0)
		return ret;
	ret = gcp_json_text(page, "nextPageToken", &next, &why);
	if (ret >= 0)
		ret = take(arg, page, &why);
	if (ret == SOUK_E_NOMEM)
		return souk_error_copy(&why, err);
	if (ret < 0)
		return bad_page(request, &why, err);
	return gcp_set(next_out, next, err);
}

static int page_url(const char *first, const char *token, struct souk_buf *url,
		    struct souk_error *err)
{
	souk_buf_reset(url);
	souk_buf_str(url, first);
	if (*token) {
		souk_buf_str(url, strchr(first, '?') ? "&pageToken=" : "?pageToken=");
		souk_buf_urlencode(url, token);
	}
	return souk_buf_failed(url, err);
}

int gcp_pages(const struct gcp_client *client, const struct gcp_request *request,
	      int (*take)(void *arg, struct json_object *page, struct souk_error *err), void *arg,
	      struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	GCP_AUTO_FREE char *token = strdup("");
	struct gcp_request page = *request;
	unsigned n;
	int ret;

	if (!token)
		return gcp_nomem(err);
	souk_buf_init(&url, GCP_MAX_URL);
	for (n = 0; n < GCP_MAX_PAGES; n++) {
		GCP_AUTO_FREE char *next = NULL;

		ret = page_url(request->url, token, &url, err);
		page.url = url.data;
		if (ret == SOUK_OK)
			ret = get_page(client, &page, take, arg, &next, err);
		if (ret < 0 || !*next)
			return ret;
		if (strcmp(next, token) == 0)
			return souk_error_set(err, SOUK_E_INTERNAL,
					      "%s: the next page is the same page", request->what);
		free(token);
		token = next;
		next = NULL;
	}
	return souk_error_set(err, SOUK_E_INTERNAL, "%s does not end", request->what);
}
