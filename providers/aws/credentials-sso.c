/* SPDX-License-Identifier: Apache-2.0 */
/* credentials-sso.c - credentials by single sign-on, from the cache that 'aws sso login' fills */

#include <fcntl.h>
#include <json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "aws.h"
#include "sign.h"

enum { MAX_CACHE_FILE = 256 * 1024, MAX_TEXT = 16 * 1024, RENEW_SECONDS = 300 };

/* What a profile says of single sign-on. Borrowed from the settings. */
struct sso {
	const char *key;	/* what the cache file is named after: session, or start URL */
	const char *region;
	const char *account;
	const char *role;
	int is_legacy;		/* no [sso-session]: no way to renew the token */
};

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

/* 1 if the profile uses single sign-on. */
static int read_profile(const struct aws_chain *chain, const char *profile, struct sso *out,
			struct souk_error *err)
{
	const struct aws_profiles *p = chain->profiles;
	const char *session = aws_profiles_get(p, AWS_SECTION_PROFILE, profile, "sso_session");
	const char *url;

	out->account = aws_profiles_get(p, AWS_SECTION_PROFILE, profile, "sso_account_id");
	out->role = aws_profiles_get(p, AWS_SECTION_PROFILE, profile, "sso_role_name");
	url = aws_profiles_get(p, AWS_SECTION_PROFILE, profile, "sso_start_url");
	if (!session && !url)
		return 0;
	if (!out->account || !out->role)
		return souk_error_set(err, SOUK_E_AUTH,
				      "profile '%.100s': single sign-on needs sso_account_id and "
				      "sso_role_name", profile);
	if (session) {
		if (!aws_profiles_has(p, AWS_SECTION_SSO_SESSION, session))
			return souk_error_set(err, SOUK_E_AUTH,
					      "profile '%.100s': there is no [sso-session %.100s]",
					      profile, session);
		out->key = session;
		out->region = aws_profiles_get(p, AWS_SECTION_SSO_SESSION, session, "sso_region");
	} else {
		out->key = url;
		out->is_legacy = 1;
		out->region = aws_profiles_get(p, AWS_SECTION_PROFILE, profile, "sso_region");
	}
	if (!out->region)
		return souk_error_set(err, SOUK_E_AUTH,
				      "profile '%.100s': single sign-on needs sso_region", profile);
	return 1;
}

static int cache_path(const struct sso *sso, struct souk_buf *out, struct souk_error *err)
{
	char digest[41];
	int ret = aws_sha1_hex(sso->key, strlen(sso->key), digest, err);

	if (ret == SOUK_OK)
		ret = souk_home_dir(out, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(out, "/.aws/sso/cache/%s.json", digest);
	return souk_buf_failed(out, err);
}

static int login_needed(const char *profile, const char *why, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_AUTH, "%s", why);
	return souk_error_hint(err, "aws sso login --profile %.100s", profile);
}

/* Replace the file in one step, readable by nobody else. */
static void write_cache(struct aws_chain *chain, const char *path, struct json_object *object)
{
	const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE);
	AWS_AUTO_BUF struct souk_buf temporary = { 0 };
	size_t len = text ? strlen(text) : 0;
	int done = 0;
	int fd;

	souk_buf_init(&temporary, 4096);
	souk_buf_printf(&temporary, "%s.%ld.tmp", path, (long)getpid());
	if (!text || souk_buf_failed(&temporary, NULL) < 0)
		return;
	fd = open(temporary.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0) {
		done = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
		done = close(fd) == 0 && done;
		if (!done || rename(temporary.data, path) < 0) {
			unlink(temporary.data);
			done = 0;
		}
	}
	if (!done)
		souk_call_log(chain->call, SOUK_LOG_DEBUG,
			      "the renewed SSO token could not be kept in '%s'", path);
}

static struct json_object *parse_reply(const struct souk_http_reply *reply)
{
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);
	struct json_object *object = body ? json_tokener_parse(body) : NULL;

	if (json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

/* Ask OIDC for a new token by the refresh token; put it into the cache object. */
static int renew(struct aws_chain *chain, const struct sso *sso, struct json_object *cache,
		 struct souk_error *err)
{
	static const char *const names[] = { "clientId", "clientSecret", "refreshToken" };
	const char *headers[] = { "Content-Type: application/json", NULL };
	AWS_AUTO_BUF struct souk_buf url = { 0 };
	AWS_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct json_object *body = json_object_new_object();
	struct json_object *answer = NULL;
	struct json_object *seconds;
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_SECRET_BODY | SOUK_HTTP_SECRET_REPLY,
		.what = "CreateToken",
		.method = "POST",
		.headers = headers,
		.max_reply_bytes = MAX_CACHE_FILE,
	};
	char expires[21];
	size_t i;
	int ret;

	souk_buf_init(&url, 2048);
	ret = body ? aws_endpoint(chain->aws, chain->call, "sso-oidc", sso->region, &url, err) :
		     aws_nomem(err);
	for (i = 0; ret == SOUK_OK && i < AWS_ARRAY_SIZE(names); i++)
		json_object_object_add(body, names[i],
				       json_object_new_string(text_of(cache, names[i])));
	if (ret == SOUK_OK) {
		json_object_object_add(body, "grantType", json_object_new_string("refresh_token"));
		souk_buf_str(&url, "/token");
		request.url = url.data;
		request.body = json_object_to_json_string(body);
		request.body_size = request.body ? strlen(request.body) : 0;
		ret = souk_buf_failed(&url, err);
	}
	if (ret == SOUK_OK)
		ret = souk_http_send(chain->call, &request, &reply, err);
	json_object_put(body);
	if (ret < 0)
		return ret;
	answer = souk_http_reply_status(reply) == 200 ? parse_reply(reply) : NULL;
	if (!text_of(answer, "accessToken") ||
	    !json_object_object_get_ex(answer, "expiresIn", &seconds)) {
		json_object_put(answer);
		return souk_error_set(err, SOUK_E_AUTH, "the SSO token could not be renewed");
	}
	aws_extended_time((int64_t)time(NULL) + json_object_get_int(seconds), expires);
	json_object_object_add(cache, "accessToken",
			       json_object_new_string(text_of(answer, "accessToken")));
	json_object_object_add(cache, "expiresAt", json_object_new_string(expires));
	if (text_of(answer, "refreshToken"))
		json_object_object_add(cache, "refreshToken",
				       json_object_new_string(text_of(answer, "refreshToken")));
	json_object_put(answer);
	return SOUK_OK;
}

static int can_renew(const struct sso *sso, struct json_object *cache, int64_t now)
{
	const char *registration = text_of(cache, "registrationExpiresAt");
	int64_t until;

	return !sso->is_legacy && text_of(cache, "refreshToken") && text_of(cache, "clientId") &&
	       text_of(cache, "clientSecret") && registration &&
	       souk_parse_time("registration", registration, &until, NULL) == SOUK_OK &&
	       until > now;
}

/* The cached token, renewed if need be, as an object that the caller puts. */
static int load_token(struct aws_chain *chain, const char *profile, const struct sso *sso,
		      struct json_object **out, struct souk_error *err)
{
	AWS_AUTO_BUF struct souk_buf path = { 0 };
	AWS_AUTO_BUF struct souk_buf text = { 0 };
	struct json_object *cache;
	int64_t now = (int64_t)time(NULL);
	int64_t expires_at = 0;
	int ret;

	souk_buf_init(&path, 4096);
	ret = cache_path(sso, &path, err);
	if (ret < 0)
		return ret;
	ret = souk_read_file(path.data, MAX_CACHE_FILE, &text, err);
	if (ret == SOUK_E_NOMEM)
		return ret;
	cache = ret == SOUK_OK ? json_tokener_parse(text.data) : NULL;
	explicit_bzero(text.data, text.len);
	if (!text_of(cache, "accessToken") || !text_of(cache, "expiresAt")) {
		json_object_put(cache);
		return login_needed(profile, "not logged in by single sign-on", err);
	}
	if (souk_parse_time("expiresAt", text_of(cache, "expiresAt"), &expires_at, NULL) < 0)
		expires_at = 0;
	if (expires_at - now < RENEW_SECONDS && can_renew(sso, cache, now) &&
	    renew(chain, sso, cache, err) == SOUK_OK) {
		write_cache(chain, path.data, cache);
		expires_at = INT64_MAX;
	}
	if (expires_at <= now) {
		json_object_put(cache);
		return login_needed(profile, "the single sign-on session has expired", err);
	}
	*out = cache;
	return SOUK_OK;
}

static int role_credentials(struct aws_chain *chain, const char *profile, const struct sso *sso,
			    const char *token, struct aws_credentials *out, struct souk_error *err)
{
	static const struct aws_json_names names = { "accessKeyId", "secretAccessKey",
						     "sessionToken", "expiration" };
	AWS_AUTO_BUF struct souk_buf url = { 0 };
	AWS_AUTO_BUF struct souk_buf header = { 0 };
	AWS_AUTO_REPLY struct souk_http_reply *reply = NULL;
	const char *headers[] = { NULL, NULL };
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY,
		.what = "GetRoleCredentials",
		.headers = headers,
		.max_reply_bytes = MAX_CACHE_FILE,
		.should_retry = aws_fault_should_retry,
	};
	struct json_object *answer;
	struct json_object *role = NULL;
	struct aws_fault fault;
	int ret;

	souk_buf_init(&url, 2048);
	souk_buf_init(&header, MAX_TEXT);
	ret = aws_endpoint(chain->aws, chain->call, "sso", sso->region, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_str(&url, "/federation/credentials?role_name=");
	souk_buf_urlencode(&url, sso->role);
	souk_buf_str(&url, "&account_id=");
	souk_buf_urlencode(&url, sso->account);
	souk_buf_printf(&header, "x-amz-sso_bearer_token: %s", token);
	ret = souk_buf_failed(&url, err) < 0 ? url.failed : souk_buf_failed(&header, err);
	if (ret < 0)
		return ret;
	request.url = url.data;
	headers[0] = header.data;
	ret = souk_http_send(chain->call, &request, &reply, err);
	explicit_bzero(header.data, header.len);
	if (ret < 0)
		return ret;
	if (souk_http_reply_status(reply) == 401)
		return login_needed(profile, "the single sign-on session is not accepted", err);
	if (souk_http_reply_status(reply) != 200) {
		aws_fault_of(reply, &fault);
		return aws_fault_error(&fault, "sso:GetRoleCredentials",
				       "get credentials by single sign-on", err);
	}
	answer = parse_reply(reply);
	if (json_object_object_get_ex(answer, "roleCredentials", &role))
		ret = aws_credentials_from_json(role, &names, "single sign-on", out, err);
	else
		ret = souk_error_set(err, SOUK_E_INTERNAL, "no credentials in the reply of SSO");
	json_object_put(answer);
	return ret;
}

int aws_from_sso(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		 struct souk_error *err)
{
	struct sso sso = { 0 };
	struct json_object *cache = NULL;
	int ret = read_profile(chain, profile, &sso, err);

	if (ret <= 0)
		return ret;
	ret = load_token(chain, profile, &sso, &cache, err);
	if (ret < 0)
		return ret;
	ret = role_credentials(chain, profile, &sso, text_of(cache, "accessToken"), out, err);
	json_object_put(cache);
	return ret < 0 ? ret : 1;
}
