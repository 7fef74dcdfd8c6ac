/* SPDX-License-Identifier: Apache-2.0 */
/* token.c - tokens of access: got from the token service or the machine, kept until they end */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gcp.h"

enum { MAX_FORM = 16 * 1024, MAX_ANSWER = 64 * 1024, EARLY_SECONDS = 300, MAX_LIFE = 86400 };

/* ---- The answer ---- */

struct token {
	char *text;
	int64_t until;
};

static int bad_answer(struct souk_error *err)
{
	souk_error_set(err, SOUK_E_INTERNAL, "the token service's answer has no token");
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

/* A token goes into a header: nothing but printing characters. */
static int is_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return 0;
	return 1;
}

static int read_answer(const struct souk_http_reply *reply, struct token *out,
		       struct souk_error *err)
{
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);
	GCP_AUTO_JSON struct json_object *answer = souk_json_parse(body, size);
	const char *text = souk_json_maybe_text(answer, "access_token");
	uint64_t seconds = 0;

	if (!text || !*text || !is_clean(text) ||
	    gcp_json_count(answer, "expires_in", MAX_LIFE, &seconds, NULL) < 0)
		return bad_answer(err);
	out->text = strdup(text);
	if (!out->text)
		return gcp_nomem(err);
	out->until = (int64_t)time(NULL) + (int64_t)seconds;
	return SOUK_OK;
}

/* ---- From the token service ---- */

static int ask(struct souk_call *call, const char *what, const char *url, const struct souk_buf *form,
	       struct token *out, struct souk_error *err)
{
	static const char *const headers[] = {
		"Content-Type: application/x-www-form-urlencoded", NULL
	};
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_BODY | SOUK_HTTP_SECRET_REPLY,
		.what = what,
		.method = "POST",
		.url = url,
		.headers = headers,
		.body = form->data,
		.body_size = form->len,
		.max_reply_bytes = MAX_ANSWER,
		.should_retry = gcp_fault_should_retry,
	};
	GCP_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct gcp_fault fault;
	int ret;

	ret = souk_http_send(call, &request, &reply, err);
	if (ret < 0)
		return ret;
	if (souk_http_reply_status(reply) == 200)
		return read_answer(reply, out, err);
	gcp_fault_of(reply, &fault);
	/* Whatever is wrong with a request for a token is wrong with the credentials. */
	if (souk_http_reply_status(reply) / 100 == 4 &&
	    gcp_error_meaning(fault.code, fault.message, fault.status).code == SOUK_E_INVALID)
		fault.status = 401;
	return gcp_fault_error(&fault, NULL, "get a token", err);
}

/* Where tokens are given: where the user says, else where the file says, else at Google's. */
static int token_url(struct souk_call *call, const struct gcp_identity *identity,
		     struct souk_buf *url, struct souk_error *err)
{
	int ret;

	if (identity->token_uri && !gcp_endpoint_is_set(call, GCP_OAUTH)) {
		souk_buf_str(url, identity->token_uri);
		return souk_buf_failed(url, err);
	}
	ret = gcp_endpoint(call, GCP_OAUTH, url, err);
	if (ret < 0)
		return ret;
	souk_buf_str(url, "/token");
	return souk_buf_failed(url, err);
}

static int form_of_key(const struct gcp_identity *identity, struct souk_buf *form,
		       struct souk_error *err)
{
	souk_buf_str(form, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
			   "&assertion=");
	return gcp_jwt(identity, (int64_t)time(NULL), form, err);
}

static int form_of_user(const struct gcp_identity *identity, struct souk_buf *form,
			struct souk_error *err)
{
	souk_buf_str(form, "grant_type=refresh_token&client_id=");
	souk_buf_urlencode(form, identity->client_id);
	souk_buf_str(form, "&client_secret=");
	souk_buf_urlencode(form, identity->client_secret);
	souk_buf_str(form, "&refresh_token=");
	souk_buf_urlencode(form, identity->refresh_token);
	return souk_buf_failed(form, err);
}

static int from_service(struct souk_call *call, const struct gcp_identity *identity,
			struct token *out, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	struct souk_buf form = { 0 };
	int ret;

	souk_buf_init(&url, 2048);
	souk_buf_init(&form, MAX_FORM);
	ret = token_url(call, identity, &url, err);
	if (ret == SOUK_OK)
		ret = identity->source == GCP_FROM_KEY ? form_of_key(identity, &form, err) :
							 form_of_user(identity, &form, err);
	if (ret == SOUK_OK)
		ret = ask(call, "token", url.data, &form, out, err);
	if (form.size)
		explicit_bzero(form.data, form.len);
	souk_buf_fini(&form);
	return ret;
}

/* ---- From the machine ---- */

static int ask_metadata(struct souk_call *call, const char *path, struct souk_http_reply **reply_out,
			struct souk_error *err)
{
	static const char *const headers[] = { "Metadata-Flavor: Google", NULL };
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY | SOUK_HTTP_NO_PROXY,
		.what = "metadata",
		.headers = headers,
		.timeout_ms = 3000,
		.max_reply_bytes = MAX_ANSWER,
	};
	int status;
	int ret;

	souk_buf_init(&url, 2048);
	ret = gcp_endpoint(call, GCP_METADATA, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "/computeMetadata/v1/%s", path);
	ret = souk_buf_failed(&url, err);
	if (ret < 0)
		return ret;
	request.url = url.data;
	ret = souk_http_send(call, &request, reply_out, err);
	if (ret < 0)
		return ret;
	status = souk_http_reply_status(*reply_out);
	if (status == 200)
		return SOUK_OK;
	souk_http_reply_free(*reply_out);
	*reply_out = NULL;
	souk_error_set(err, status == 404 ? SOUK_E_NOT_FOUND : SOUK_E_AUTH,
		       "the metadata server answers '%s' with status %d", path, status);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return souk_error_hint(err, "give this machine a service account with the scope "
				    "cloud-platform");
}

int gcp_metadata_get(struct souk_call *call, const char *path, struct souk_buf *out,
		     struct souk_error *err)
{
	GCP_AUTO_REPLY struct souk_http_reply *reply = NULL;
	const char *body;
	size_t size = 0;
	int ret;

	ret = ask_metadata(call, path, &reply, err);
	if (ret < 0)
		return ret;
	body = souk_http_reply_body(reply, &size);
	souk_buf_add(out, body, size);
	return souk_buf_failed(out, err);
}

static int from_metadata(struct souk_call *call, struct token *out, struct souk_error *err)
{
	GCP_AUTO_REPLY struct souk_http_reply *reply = NULL;
	int ret = ask_metadata(call, "instance/service-accounts/default/token", &reply, err);

	return ret < 0 ? ret : read_answer(reply, out, err);
}

static int from_option(struct souk_call *call, struct token *out, struct souk_error *err)
{
	char *secret = NULL;
	int ret = souk_call_secret(call, "access_token", &secret, err);

	if (ret < 0)
		return ret;
	if (*secret && is_clean(secret)) {
		out->text = strdup(secret);
		/* How long it lasts nobody says: it is read anew once it has been refused. */
		out->until = (int64_t)time(NULL) + MAX_LIFE;
		ret = out->text ? SOUK_OK : gcp_nomem(err);
	} else {
		ret = souk_error_set(err, SOUK_E_AUTH, "access_token: not a token");
	}
	souk_secret_free(secret);
	return ret;
}

/* ---- The account ---- */

static int find_locked(const struct gcp_client *client, struct souk_error *err)
{
	struct gcp *gcp = client->gcp;

	if (gcp->identity.source != GCP_FROM_NOTHING)
		return SOUK_OK;
	return gcp_identity_find(client->call, &gcp->identity, err);
}

int gcp_identity_get(const struct gcp_client *client, const struct gcp_identity **out,
		     struct souk_error *err)
{
	struct gcp *gcp = client->gcp;
	int ret;

	pthread_mutex_lock(&gcp->lock);
	ret = find_locked(client, err);
	*out = &gcp->identity;
	pthread_mutex_unlock(&gcp->lock);
	return ret;
}

static int renew_locked(const struct gcp_client *client, struct souk_error *err)
{
	struct gcp *gcp = client->gcp;
	struct token token = { 0 };
	int ret = find_locked(client, err);

	if (ret < 0)
		return ret;
	if (gcp->identity.source == GCP_FROM_OPTION)
		ret = from_option(client->call, &token, err);
	else if (gcp->identity.source == GCP_FROM_METADATA)
		ret = from_metadata(client->call, &token, err);
	else
		ret = from_service(client->call, &gcp->identity, &token, err);
	if (ret < 0)
		return ret;
	gcp_wipe(&gcp->token);
	gcp->token = token.text;
	gcp->token_until = token.until;
	return SOUK_OK;
}

int gcp_token_get(const struct gcp_client *client, char **token_out, struct souk_error *err)
{
	struct gcp *gcp = client->gcp;
	int64_t now = (int64_t)time(NULL);
	int ret = SOUK_OK;

	/* Others wait here while one asks: they need the same token. */
	pthread_mutex_lock(&gcp->lock);
	if (!gcp->token || gcp->token_until - EARLY_SECONDS <= now)
		ret = renew_locked(client, err);
	if (ret == SOUK_OK) {
		*token_out = strdup(gcp->token);
		if (!*token_out)
			ret = gcp_nomem(err);
	}
	pthread_mutex_unlock(&gcp->lock);
	return ret;
}

void gcp_token_forget(struct gcp *gcp, const char *token)
{
	pthread_mutex_lock(&gcp->lock);
	if (gcp->token && strcmp(gcp->token, token) == 0)
		gcp_wipe(&gcp->token);
	pthread_mutex_unlock(&gcp->lock);
}
