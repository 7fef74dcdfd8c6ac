/* SPDX-License-Identifier: Apache-2.0 */
/* credentials-managed.c - tokens for the identity of the machine or the service that we run in */

#include "credentials.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json-read.h"

enum { METADATA_TIMEOUT_MS = 3000 };

/* An Azure machine says so in its firmware tables, which costs no request. */
static int is_on_azure(void)
{
	static const char tag[] = "7783-7084-3265-9085-8269-3286-77";
	char text[64] = "";
	FILE *file = fopen("/sys/class/dmi/id/chassis_asset_tag", "re");

	if (file) {
		if (!fgets(text, sizeof(text), file))
			text[0] = '\0';
		(void)fclose(file);
	}
	return strncmp(text, tag, sizeof(tag) - 1) == 0;
}

/* The URL and the header of the service that gives tokens; 0 if there is none here. */
static int find_service(const struct azure_client *client, struct souk_buf *url,
			struct souk_buf *header, struct souk_error *err)
{
	const char *endpoint = souk_getenv("IDENTITY_ENDPOINT");
	const char *secret = souk_getenv("IDENTITY_HEADER");
	const char *client_id = azure_setting(client->call, "client_id", "AZURE_CLIENT_ID");
	int ret;

	souk_buf_init(url, 4096);
	souk_buf_init(header, 4096);
	if (endpoint && secret) {
		if (!azure_is_clean(endpoint) || !azure_is_clean(secret))
			return souk_error_set(err, SOUK_E_AUTH,
					      "IDENTITY_ENDPOINT or IDENTITY_HEADER has characters "
					      "that none can have");
		souk_buf_printf(url, "%s%capi-version=2019-08-01", endpoint,
				strchr(endpoint, '?') ? '&' : '?');
		souk_buf_printf(header, "X-IDENTITY-HEADER: %s", secret);
	} else {
		if (!client->azure->metadata_given && !is_on_azure())
			return 0;
		souk_buf_printf(url, "%s/metadata/identity/oauth2/token?api-version=2018-02-01",
				client->azure->urls[AZURE_HOST_METADATA]);
		souk_buf_str(header, "Metadata: true");
	}
	souk_buf_str(url, "&resource=");
	souk_buf_urlencode(url, client->azure->resource);
	souk_buf_str(url, "%2F");
	if (client_id) {
		souk_buf_str(url, "&client_id=");
		souk_buf_urlencode(url, client_id);
	}
	ret = souk_buf_failed(url, err);
	if (ret == SOUK_OK)
		ret = souk_buf_failed(header, err);
	return ret < 0 ? ret : 1;
}

/* The service answers 404 or 410 while it is being renewed. */
static int should_retry(const struct souk_http_reply *reply, void *arg)
{
	int status = souk_http_reply_status(reply);

	(void)arg;
	return status == 404 || status == 410 || status == 429 || status >= 500;
}

static int read_reply(const struct souk_http_reply *reply, struct azure_token *out,
		      struct souk_error *err)
{
	struct azure_fault fault;
	struct json_object *object;
	const char *body;
	size_t size = 0;
	int ret;

	if (souk_http_reply_status(reply) != 200) {
		azure_fault_of(reply, &fault);
		return azure_fault_error(&fault, "get a token for the managed identity", err);
	}
	body = souk_http_reply_body(reply, &size);
	object = souk_json_parse(body, size);
	ret = object ? azure_token_read(object, "the managed identity", (int64_t)time(NULL), out,
					err) :
		       souk_error_set(err, SOUK_E_INTERNAL,
				      "the managed identity's token is not JSON");
	json_object_put(object);
	return ret;
}

int azure_from_managed_identity(const struct azure_client *client, struct azure_token *out,
				struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf url = { 0 };
	AZURE_AUTO_BUF struct souk_buf header = { 0 };
	AZURE_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct souk_error why = SOUK_ERROR_INIT;
	const char *headers[] = { NULL, NULL };
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_NO_PROXY | SOUK_HTTP_SECRET_REPLY,
		.what = "managed identity",
		.headers = headers,
		.timeout_ms = METADATA_TIMEOUT_MS,
		.max_reply_bytes = 2 * AZURE_MAX_TOKEN,
		.should_retry = should_retry,
	};
	int ret;

	ret = find_service(client, &url, &header, err);
	if (ret <= 0)
		return ret;
	request.url = url.data;
	headers[0] = header.data;
	ret = souk_http_send(client->call, &request, &reply, &why);
	if (ret == SOUK_E_CANCELLED || ret == SOUK_E_NOMEM)
		return souk_error_copy(&why, err);
	/* A machine without an identity says 400; the user may still have logged in on it. */
	if (ret < 0 || souk_http_reply_status(reply) == 400) {
		souk_call_log(client->call, SOUK_LOG_DEBUG, "no managed identity: %s",
			      ret < 0 ? why.message : "the machine has none");
		return 0;
	}
	return read_reply(reply, out, err);
}
