/* SPDX-License-Identifier: Apache-2.0 */
/* credentials-metadata.c - credentials that the machine or the container we run in is given */

#include <json.h>
#include <string.h>
#include <strings.h>

#include "aws.h"

enum { METADATA_TIMEOUT_MS = 1000, CONTAINER_TIMEOUT_MS = 2000, MAX_REPLY = 64 * 1024 };

static const struct aws_json_names json_names = { "AccessKeyId", "SecretAccessKey", "Token",
						  "Expiration" };

static int from_reply(const struct souk_http_reply *reply, const char *source,
		      struct aws_credentials *out, struct souk_error *err)
{
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);
	struct json_object *object = body ? json_tokener_parse(body) : NULL;
	int ret;

	if (!json_object_is_type(object, json_type_object))
		ret = souk_error_set(err, SOUK_E_INTERNAL, "%s answered no credentials", source);
	else
		ret = aws_credentials_from_json(object, &json_names, source, out, err);
	json_object_put(object);
	return ret < 0 ? ret : 1;
}

/* ---- The metadata service of EC2 --------------------------------------------------------- */

static int metadata_url(const char *path, struct souk_buf *url, struct souk_error *err)
{
	const char *endpoint = souk_getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
	const char *mode = souk_getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE");
	size_t len;

	if (!endpoint)
		endpoint = mode && strcasecmp(mode, "ipv6") == 0 ? "http://[fd00:ec2::254]" :
								   "http://169.254.169.254";
	len = strlen(endpoint);
	while (len && endpoint[len - 1] == '/')
		len--;
	souk_buf_add(url, endpoint, len);
	souk_buf_str(url, path);
	return souk_buf_failed(url, err);
}

/* One request; 0 if nobody answers there. A status other than 200 is nothing there either. */
static int ask_metadata(struct aws_chain *chain, const char *method, const char *path,
			const char *header, struct souk_http_reply **reply_out,
			struct souk_error *err)
{
	AWS_AUTO_BUF struct souk_buf url = { 0 };
	AWS_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct souk_error unreachable = SOUK_ERROR_INIT;
	const char *headers[] = { header, NULL };
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_NO_PROXY | SOUK_HTTP_SECRET_REPLY,
		.what = "instance metadata",
		.method = method,
		.headers = headers,
		.timeout_ms = METADATA_TIMEOUT_MS,
		.max_reply_bytes = MAX_REPLY,
	};
	int ret;

	souk_buf_init(&url, 2048);
	ret = metadata_url(path, &url, err);
	if (ret < 0)
		return ret;
	request.url = url.data;
	ret = souk_http_send(chain->call, &request, &reply, &unreachable);
	if (ret == SOUK_E_CANCELLED || ret == SOUK_E_NOMEM)
		return souk_error_copy(&unreachable, err);
	if (ret < 0) {
		souk_call_log(chain->call, SOUK_LOG_DEBUG, "no instance metadata: %s",
			      unreachable.message);
		return 0;
	}
	if (souk_http_reply_status(reply) != 200)
		return 0;
	*reply_out = reply;
	reply = NULL;
	return 1;
}

/* The reply's body as one word: a token, or the name of a role. */
static int one_word(const struct souk_http_reply *reply, const char *before, struct souk_buf *out,
		    struct souk_error *err)
{
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);
	size_t len = body ? strcspn(body, " \t\r\n") : 0;

	souk_buf_init(out, MAX_REPLY);
	souk_buf_str(out, before);
	souk_buf_add(out, body ? body : "", len);
	return len ? souk_buf_failed(out, err) : SOUK_E_NOT_FOUND;
}

int aws_from_metadata(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		      struct souk_error *err)
{
	static const char roles[] = "/latest/meta-data/iam/security-credentials/";
	AWS_AUTO_REPLY struct souk_http_reply *token_reply = NULL;
	AWS_AUTO_REPLY struct souk_http_reply *role_reply = NULL;
	AWS_AUTO_REPLY struct souk_http_reply *reply = NULL;
	AWS_AUTO_BUF struct souk_buf token = { 0 };
	AWS_AUTO_BUF struct souk_buf path = { 0 };
	int ret;

	(void)profile;
	if (souk_text_is_true(souk_getenv("AWS_EC2_METADATA_DISABLED")))
		return 0;
	ret = ask_metadata(chain, "PUT", "/latest/api/token",
			   "X-aws-ec2-metadata-token-ttl-seconds: 21600", &token_reply, err);
	if (ret <= 0)
		return ret;
	ret = one_word(token_reply, "X-aws-ec2-metadata-token: ", &token, err);
	if (ret == SOUK_OK)
		ret = ask_metadata(chain, "GET", roles, token.data, &role_reply, err);
	if (ret <= 0)
		return ret == SOUK_E_NOT_FOUND ? 0 : ret;
	ret = one_word(role_reply, roles, &path, err);
	if (ret == SOUK_OK)
		ret = ask_metadata(chain, "GET", path.data, token.data, &reply, err);
	if (ret <= 0)
		return ret == SOUK_E_NOT_FOUND ? 0 : ret;
	return from_reply(reply, "the instance's role", out, err);
}

/* ---- The endpoint of a container -------------------------------------------------------- */

/* The token must not go to anybody: TLS, or one of the addresses where such an endpoint is. */
static int is_container_url(const char *url)
{
	static const char *const prefixes[] = {
		"http://169.254.170.2", "http://169.254.170.23", "http://[fd00:ec2::23]",
	};
	size_t i;
	size_t len;

	if (strncasecmp(url, "https://", 8) == 0 || souk_url_is_local(url))
		return 1;
	for (i = 0; i < AWS_ARRAY_SIZE(prefixes); i++) {
		len = strlen(prefixes[i]);
		if (strncmp(url, prefixes[i], len) == 0 &&
		    (url[len] == '/' || url[len] == ':' || !url[len]))
			return 1;
	}
	return 0;
}

static int container_url(struct souk_buf *url, struct souk_error *err)
{
	const char *relative = souk_getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = souk_getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI");

	if (!relative && !full)
		return 0;
	if (relative) {
		if (relative[0] != '/')
			return souk_error_set(err, SOUK_E_AUTH,
					      "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not "
					      "begin with '/'");
		souk_buf_printf(url, "http://169.254.170.2%s", relative);
	} else {
		if (!is_container_url(full))
			return souk_error_set(err, SOUK_E_AUTH,
					      "AWS_CONTAINER_CREDENTIALS_FULL_URI is neither https "
					      "nor a container endpoint: '%.200s'", full);
		souk_buf_str(url, full);
	}
	return souk_buf_failed(url, err) < 0 ? url->failed : 1;
}

/* "Authorization: TOKEN", or nothing. */
static int authorization(struct souk_buf *out, struct souk_error *err)
{
	const char *path = souk_getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	const char *token = souk_getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	AWS_AUTO_BUF struct souk_buf text = { 0 };
	int ret;

	if (path) {
		ret = souk_read_file(path, MAX_REPLY / 2, &text, err);
		if (ret < 0)
			return ret == SOUK_E_NOMEM ? ret :
						     souk_error_set(err, SOUK_E_AUTH,
								    "cannot read the container's "
								    "token '%.200s'", path);
		while (text.len && (unsigned char)text.data[text.len - 1] <= ' ')
			text.data[--text.len] = '\0';
		token = text.data;
	}
	if (!token)
		return 0;
	if (strpbrk(token, "\r\n"))
		return souk_error_set(err, SOUK_E_AUTH, "the container's token is not one line");
	souk_buf_printf(out, "Authorization: %s", token);
	return souk_buf_failed(out, err) < 0 ? out->failed : 1;
}

int aws_from_container(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		       struct souk_error *err)
{
	AWS_AUTO_BUF struct souk_buf url = { 0 };
	AWS_AUTO_BUF struct souk_buf header = { 0 };
	AWS_AUTO_REPLY struct souk_http_reply *reply = NULL;
	const char *headers[] = { "Accept: application/json", NULL, NULL };
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_NO_PROXY | SOUK_HTTP_SECRET_REPLY | SOUK_HTTP_RETRY,
		.what = "container credentials",
		.headers = headers,
		.timeout_ms = CONTAINER_TIMEOUT_MS,
		.max_reply_bytes = MAX_REPLY,
	};
	int ret;

	(void)profile;
	souk_buf_init(&url, 4096);
	souk_buf_init(&header, MAX_REPLY);
	ret = container_url(&url, err);
	if (ret <= 0)
		return ret;
	ret = authorization(&header, err);
	if (ret < 0)
		return ret;
	if (ret > 0)
		headers[1] = header.data;
	request.url = url.data;
	ret = souk_http_send(chain->call, &request, &reply, err);
	if (ret < 0)
		return ret;
	if (souk_http_reply_status(reply) != 200)
		return souk_error_set(err, SOUK_E_AUTH,
				      "the container's credentials: HTTP status %d",
				      souk_http_reply_status(reply));
	return from_reply(reply, "the container", out, err);
}
