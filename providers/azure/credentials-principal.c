/* SPDX-License-Identifier: Apache-2.0 */
/* credentials-principal.c - tokens for an application: by secret, certificate or federated token */

#include "credentials.h"

#include <string.h>
#include <time.h>

#include "json-read.h"

enum { MAX_FORM = 128 * 1024, MAX_FILE_TOKEN = 64 * 1024, LOGIN_TIMEOUT_MS = 15000 };

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/* Who asks for a token. */
struct principal {
	const char *tenant;
	const char *client_id;
	const char *source;
	struct souk_buf url;
};

static int check_ids(const struct principal *principal, struct souk_error *err)
{
	if (!azure_is_id(principal->tenant))
		return souk_error_set(err, SOUK_E_AUTH, "not a tenant: '%.128s'",
				      principal->tenant);
	if (!azure_is_id(principal->client_id))
		return souk_error_set(err, SOUK_E_AUTH, "not a client: '%.128s'",
				      principal->client_id);
	return SOUK_OK;
}

static int incomplete(const char *what, const char *missing, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_AUTH, "incomplete credentials: %s is set, %s is not", what,
		       missing);
	return souk_error_hint(err, "set both, or remove what is there");
}

/* 1 and the principal, 0 if there is none, or what is missing. */
static int find_principal(const struct azure_client *client, struct principal *out,
			  struct souk_error *err)
{
	int ret;

	out->tenant = azure_setting(client->call, "tenant", "AZURE_TENANT_ID");
	out->client_id = azure_setting(client->call, "client_id", "AZURE_CLIENT_ID");
	if (!out->client_id)
		return 0;
	if (!out->tenant)
		return incomplete("AZURE_CLIENT_ID", "AZURE_TENANT_ID", err);
	ret = check_ids(out, err);
	if (ret < 0)
		return ret;
	souk_buf_init(&out->url, 2 * AZURE_URL_SIZE + AZURE_ID_SIZE);
	souk_buf_printf(&out->url, "%s/%s/oauth2/v2.0/token",
			client->azure->urls[AZURE_HOST_LOGIN], out->tenant);
	ret = souk_buf_failed(&out->url, err);
	return ret < 0 ? ret : 1;
}

static void add_field(struct souk_buf *form, const char *name, const char *value)
{
	souk_buf_printf(form, "%s%s=", form->len ? "&" : "", name);
	souk_buf_urlencode(form, value);
}

static int post(const struct azure_client *client, const struct principal *principal,
		struct souk_buf *form, struct azure_token *out, struct souk_error *err)
{
	static const char *const headers[] = {
		"Content-Type: application/x-www-form-urlencoded", "Accept: application/json", NULL,
	};
	AZURE_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_BODY | SOUK_HTTP_SECRET_REPLY,
		.what = "token",
		.method = "POST",
		.url = principal->url.data,
		.headers = headers,
		.body = form->data,
		.body_size = form->len,
		.timeout_ms = LOGIN_TIMEOUT_MS,
		.max_reply_bytes = 2 * AZURE_MAX_TOKEN,
		.should_retry = azure_fault_should_retry,
	};
	struct azure_fault fault;
	struct json_object *object;
	const char *body;
	size_t size = 0;
	int ret;

	ret = souk_http_send(client->call, &request, &reply, err);
	if (ret < 0)
		return ret;
	if (souk_http_reply_status(reply) != 200) {
		azure_fault_of(reply, &fault);
		return azure_fault_error(&fault, "get an Azure token", err);
	}
	body = souk_http_reply_body(reply, &size);
	object = souk_json_parse(body, size);
	ret = object ? azure_token_read(object, principal->source, (int64_t)time(NULL), out, err) :
		       souk_error_set(err, SOUK_E_INTERNAL,
				      "cannot get an Azure token: the reply is not JSON");
	json_object_put(object);
	return ret;
}

/* Ask with a form to which the proof was added, which is wiped. */
static int ask(const struct azure_client *client, const struct principal *principal,
	       const char *proof_name, const char *proof, struct azure_token *out,
	       struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf form = { 0 };
	AZURE_AUTO_BUF struct souk_buf scope = { 0 };
	int ret;

	souk_buf_init(&form, MAX_FORM);
	souk_buf_init(&scope, 2 * AZURE_URL_SIZE);
	souk_buf_printf(&scope, "%s/.default", client->azure->resource);
	add_field(&form, "grant_type", "client_credentials");
	add_field(&form, "client_id", principal->client_id);
	add_field(&form, "scope", scope.data);
	if (strcmp(proof_name, "client_assertion") == 0)
		add_field(&form, "client_assertion_type", ASSERTION_TYPE);
	add_field(&form, proof_name, proof);
	ret = souk_buf_failed(&scope, err);
	if (ret == SOUK_OK)
		ret = souk_buf_failed(&form, err);
	if (ret == SOUK_OK)
		ret = post(client, principal, &form, out, err);
	if (form.size)
		explicit_bzero(form.data, form.len);
	return ret;
}

/* ---- Secret and certificate ------------------------------------------------------------------ */

static int by_certificate(const struct azure_client *client, struct principal *principal,
			  const char *path, struct azure_token *out, struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf assertion = { 0 };
	const struct azure_assertion what = {
		.path = path,
		.password = souk_getenv("AZURE_CLIENT_CERTIFICATE_PASSWORD"),
		.client_id = principal->client_id,
		.audience = principal->url.data,
		.now = (int64_t)time(NULL),
	};
	int ret;

	principal->source = "the application's certificate";
	ret = azure_assertion_make(&what, &assertion, err);
	if (ret == SOUK_OK)
		ret = ask(client, principal, "client_assertion", assertion.data, out, err);
	return ret;
}

/* What find_secret() finds, which is freed accordingly; 0 is nothing. */
enum { OF_THE_HOST = 1, OF_OURS = 2 };

/* The secret of the setting, else of the environment. */
static int find_secret(const struct azure_client *client, char **out, struct souk_error *err)
{
	const char *secret = souk_getenv("AZURE_CLIENT_SECRET");
	int ret;

	if (azure_option(client->call, "client_secret")) {
		ret = souk_call_secret(client->call, "client_secret", out, err);
		return ret < 0 ? ret : OF_THE_HOST;
	}
	if (!secret)
		return 0;
	*out = strdup(secret);
	return *out ? OF_OURS : azure_nomem(err);
}

int azure_from_principal(const struct azure_client *client, struct azure_token *out,
			 struct souk_error *err)
{
	const char *certificate = azure_setting(client->call, "client_certificate",
						"AZURE_CLIENT_CERTIFICATE_PATH");
	struct principal principal = { .source = "the application's secret" };
	char *secret = NULL;
	int found;
	int ret;

	/* AZURE_CLIENT_ID alone is for another place. */
	found = find_secret(client, &secret, err);
	if (found < 0 || (found == 0 && !certificate))
		return found;
	ret = find_principal(client, &principal, err);
	if (ret > 0 && found)
		ret = ask(client, &principal, "client_secret", secret, out, err);
	else if (ret > 0)
		ret = by_certificate(client, &principal, certificate, out, err);
	if (found == OF_THE_HOST)
		souk_secret_free(secret);
	else
		azure_wipe(&secret);
	souk_buf_fini(&principal.url);
	return ret;
}

/* ---- Federated token ------------------------------------------------------------------------- */

int azure_from_workload(const struct azure_client *client, struct azure_token *out,
			struct souk_error *err)
{
	const char *path = souk_getenv("AZURE_FEDERATED_TOKEN_FILE");
	struct principal principal = { .source = "the federated token" };
	AZURE_AUTO_BUF struct souk_buf text = { 0 };
	int ret;

	if (!path)
		return 0;
	ret = find_principal(client, &principal, err);
	if (ret == 0)
		ret = incomplete("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", err);
	if (ret > 0) {
		/* Whoever writes the file changes it often: read it each time. */
		ret = souk_read_file(path, MAX_FILE_TOKEN, &text, err);
		if (ret == SOUK_E_NOT_FOUND || ret == SOUK_E_INVALID)
			ret = souk_error_set(err, SOUK_E_AUTH,
					     "cannot read the federated token '%.300s'", path);
		while (text.len && (unsigned char)text.data[text.len - 1] <= ' ')
			text.data[--text.len] = '\0';
		if (ret == SOUK_OK && (!text.len || !azure_is_clean(text.data)))
			ret = souk_error_set(err, SOUK_E_AUTH,
					     "the federated token '%.300s' is not one word", path);
		if (ret == SOUK_OK)
			ret = ask(client, &principal, "client_assertion", text.data, out, err);
		if (text.size)
			explicit_bzero(text.data, text.len);
	}
	souk_buf_fini(&principal.url);
	return ret;
}
