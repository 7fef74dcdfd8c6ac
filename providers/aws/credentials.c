/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - find, keep and renew the keys that requests are signed with */

#include "credentials.h"

#include <errno.h>
#include <json.h>
#include <string.h>
#include <time.h>

#include "aws.h"

/* Renew so long before the end, and use what is left if that fails. */
enum { RENEW_SECONDS = 300, LAST_SECONDS = 15, MAX_PROCESS_OUTPUT = 64 * 1024 };

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void aws_credentials_fini(struct aws_credentials *credentials)
{
	wipe(&credentials->access_key);
	wipe(&credentials->secret_key);
	wipe(&credentials->session_token);
	credentials->expires_at = 0;
}

/* What goes into a header must not end it. */
static int is_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return 0;
	return 1;
}

int aws_credentials_make(const char *access_key, const char *secret_key, const char *session_token,
			 int64_t expires_at, const char *source, struct aws_credentials *out,
			 struct souk_error *err)
{
	struct aws_credentials made = { .expires_at = expires_at, .source = source };

	if (session_token && !*session_token)
		session_token = NULL;
	if (!is_clean(access_key) || !is_clean(secret_key) ||
	    (session_token && !is_clean(session_token)))
		return souk_error_set(err, SOUK_E_AUTH,
				      "credentials from %s contain characters that none can have",
				      source);
	made.access_key = strdup(access_key);
	made.secret_key = strdup(secret_key);
	made.session_token = session_token ? strdup(session_token) : NULL;
	if (!made.access_key || !made.secret_key || (session_token && !made.session_token)) {
		aws_credentials_fini(&made);
		return aws_nomem(err);
	}
	*out = made;
	return SOUK_OK;
}

int aws_credentials_copy(const struct aws_credentials *from, struct aws_credentials *out,
			 struct souk_error *err)
{
	return aws_credentials_make(from->access_key, from->secret_key, from->session_token,
				    from->expires_at, from->source, out, err);
}

int aws_credentials_stale(const struct aws_credentials *credentials, int64_t now)
{
	return credentials->expires_at && credentials->expires_at - now < RENEW_SECONDS;
}

/* ---- Simple places ------------------------------------------------------------------- */

static int incomplete(const char *where, const char *what, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_AUTH, "incomplete credentials in %s: no %s", where, what);
	return souk_error_hint(err, "set both, or remove what is there");
}

int aws_from_environment(struct aws_chain *chain, const char *profile,
			 struct aws_credentials *out, struct souk_error *err)
{
	const char *access_key = souk_getenv("AWS_ACCESS_KEY_ID");
	const char *secret_key = souk_getenv("AWS_SECRET_ACCESS_KEY");
	const char *token = souk_getenv("AWS_SESSION_TOKEN");
	const char *expiration = souk_getenv("AWS_CREDENTIAL_EXPIRATION");
	int64_t expires_at = 0;
	int ret;

	(void)chain;
	(void)profile;
	if (!access_key)
		return 0;
	if (!secret_key)
		return incomplete("the environment", "AWS_SECRET_ACCESS_KEY", err);
	if (!token)
		token = souk_getenv("AWS_SECURITY_TOKEN");
	if (expiration) {
		ret = souk_parse_time("AWS_CREDENTIAL_EXPIRATION", expiration, &expires_at, err);
		if (ret < 0)
			return ret;
	}
	ret = aws_credentials_make(access_key, secret_key, token, expires_at, "the environment",
				   out, err);
	return ret < 0 ? ret : 1;
}

static int from_static_keys(struct aws_chain *chain, const char *profile,
			    struct aws_credentials *out, struct souk_error *err)
{
	const struct aws_profiles *profiles = chain->profiles;
	const char *access_key =
		aws_profiles_get(profiles, AWS_SECTION_PROFILE, profile, "aws_access_key_id");
	const char *secret_key =
		aws_profiles_get(profiles, AWS_SECTION_PROFILE, profile, "aws_secret_access_key");
	const char *token =
		aws_profiles_get(profiles, AWS_SECTION_PROFILE, profile, "aws_session_token");
	int ret;

	if (!access_key && !secret_key)
		return 0;
	if (!access_key || !secret_key)
		return incomplete("the profile",
				  access_key ? "aws_secret_access_key" : "aws_access_key_id", err);
	if (!token)
		token = aws_profiles_get(profiles, AWS_SECTION_PROFILE, profile,
					 "aws_security_token");
	ret = aws_credentials_make(access_key, secret_key, token, 0, "a profile", out, err);
	return ret < 0 ? ret : 1;
}

static const char *json_text(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string) ||
	    !json_object_get_string_len(value))
		return NULL;
	return json_object_get_string(value);
}

int aws_credentials_from_json(struct json_object *object, const struct aws_json_names *names,
			      const char *source, struct aws_credentials *out,
			      struct souk_error *err)
{
	const char *access_key = json_text(object, names->access_key);
	const char *secret_key = json_text(object, names->secret_key);
	struct json_object *expiration;
	int64_t expires_at = 0;
	int ret;

	if (!access_key || !secret_key)
		return incomplete(source, access_key ? names->secret_key : names->access_key, err);
	if (json_object_object_get_ex(object, names->expiration, &expiration)) {
		if (json_object_is_type(expiration, json_type_int)) {
			expires_at = json_object_get_int64(expiration) / 1000; /* SSO: ms */
		} else if (json_text(object, names->expiration)) {
			ret = souk_parse_time("expiration", json_object_get_string(expiration),
					      &expires_at, err);
			if (ret < 0)
				return ret;
		}
	}
	return aws_credentials_make(access_key, secret_key, json_text(object, names->session_token),
				    expires_at, source, out, err);
}

/* What a credential process prints. */
static int parse_process_output(const char *text, const char *source, struct aws_credentials *out,
				struct souk_error *err)
{
	static const struct aws_json_names names = { "AccessKeyId", "SecretAccessKey",
						     "SessionToken", "Expiration" };
	struct json_object *object = json_tokener_parse(text);
	struct json_object *version;
	int ret;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, "Version", &version) ||
	    json_object_get_int(version) != 1) {
		json_object_put(object);
		return souk_error_set(err, SOUK_E_AUTH,
				      "%s printed no credentials of version 1", source);
	}
	ret = aws_credentials_from_json(object, &names, source, out, err);
	json_object_put(object);
	return ret < 0 ? ret : 1;
}

static int from_command(struct aws_chain *chain, const char *const *argv, const char *source,
			struct aws_credentials *out, struct souk_error *err)
{
	AWS_AUTO_FREE char *output = calloc(1, MAX_PROCESS_OUTPUT);
	int32_t status = 0;
	int ret;

	if (!output)
		return aws_nomem(err);
	ret = souk_call_run(chain->call, argv, output, MAX_PROCESS_OUTPUT, &status, err);
	if (ret == SOUK_OK && status != 0)
		ret = souk_error_set(err, SOUK_E_AUTH, "%s ended with status %d", source,
				     (int)status);
	if (ret == SOUK_OK)
		ret = parse_process_output(output, source, out, err);
	explicit_bzero(output, MAX_PROCESS_OUTPUT);
	return ret;
}

static int from_process(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
			struct souk_error *err)
{
	const char *command = aws_profiles_get(chain->profiles, AWS_SECTION_PROFILE, profile,
					       "credential_process");
	const char *argv[] = { "sh", "-c", command, NULL };

	if (!command)
		return 0;
	return from_command(chain, argv, "the credential process", out, err);
}

/* 'aws login' binds its tokens to a key; the AWS command line alone knows how. */
static int from_login(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		      struct souk_error *err)
{
	const char *argv[] = { "aws",	   "configure", "export-credentials", "--profile",
			       profile, "--format",  "process",	      NULL };

	if (!aws_profiles_get(chain->profiles, AWS_SECTION_PROFILE, profile, "login_session"))
		return 0;
	return from_command(chain, argv, "'aws configure export-credentials'", out, err);
}

/* ---- The chain ------------------------------------------------------------------------ */

static int try_all(struct aws_chain *chain, const char *profile,
		   const aws_credential_source *sources, size_t n, struct aws_credentials *out,
		   struct souk_error *err)
{
	size_t i;
	int ret;

	for (i = 0; i < n; i++) {
		ret = sources[i](chain, profile, out, err);
		if (ret != 0)
			return ret;
	}
	return 0;
}

int aws_from_profile(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		     struct souk_error *err)
{
	static const aws_credential_source sources[] = {
		aws_from_web_identity, aws_from_sso, from_static_keys, from_login, from_process,
	};

	return try_all(chain, profile, sources, AWS_ARRAY_SIZE(sources), out, err);
}

int aws_credentials_resolve(struct aws_chain *chain, struct aws_credentials *out,
			    struct souk_error *err)
{
	static const aws_credential_source sources[] = {
		aws_from_environment, aws_from_role,	  aws_from_profile,
		aws_from_container,   aws_from_metadata,
	};
	const char *profile = aws_profile_name(chain->aws);
	int is_named = chain->aws->profile || strcmp(profile, "default") != 0;
	/* A profile named in the settings of souk is meant, whatever the environment says. */
	size_t first = chain->aws->profile ? 1 : 0;
	int ret;

	if (is_named && !aws_profiles_has(chain->profiles, AWS_SECTION_PROFILE, profile)) {
		souk_error_set(err, SOUK_E_AUTH,
			       "profile '%.100s' is neither in ~/.aws/config nor in "
			       "~/.aws/credentials", profile);
		return souk_error_hint(err, "'aws configure list-profiles' lists them");
	}
	ret = try_all(chain, profile, sources + first, AWS_ARRAY_SIZE(sources) - first, out, err);
	if (ret == 0)
		return aws_no_credentials(err);
	if (ret < 0 && err && err->code == SOUK_E_AUTH)
		souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return ret < 0 ? ret : SOUK_OK;
}

static int resolve(struct aws *aws, struct souk_call *call, struct aws_credentials *out,
		   struct souk_error *err)
{
	struct aws_profiles *profiles = NULL;
	struct aws_chain chain = { .aws = aws, .call = call };
	int ret;

	/* Read again each time: whoever logs in while the daemon runs is not kept waiting. */
	ret = aws_profiles_load(&profiles, err);
	if (ret < 0)
		return ret;
	chain.profiles = profiles;
	ret = aws_credentials_resolve(&chain, out, err);
	if (ret == SOUK_OK)
		souk_call_log(call, SOUK_LOG_DEBUG, "credentials from %s", out->source);
	aws_profiles_free(profiles);
	return ret;
}

/* Another thread may be asking the network; wait for it no longer than this call may. */
static int lock(struct aws *aws, struct souk_call *call, struct souk_error *err)
{
	struct timespec until;

	while (!souk_call_cancelled(call) && souk_call_deadline_ms(call) > 0) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		if (pthread_mutex_timedlock(&aws->lock, &until) == 0)
			return SOUK_OK;
	}
	return souk_error_set(err, souk_call_cancelled(call) ? SOUK_E_CANCELLED : SOUK_E_TRANSIENT,
			      "no credentials in time");
}

int aws_credentials_get(struct aws *aws, struct souk_call *call, struct aws_credentials *out,
			struct souk_error *err)
{
	int64_t now = (int64_t)time(NULL) + atomic_load(&aws->skew_seconds);
	struct aws_credentials fresh = { 0 };
	struct souk_error why = SOUK_ERROR_INIT;
	int ret;

	ret = lock(aws, call, err);
	if (ret < 0)
		return ret;
	if (!aws->credentials.access_key || aws_credentials_stale(&aws->credentials, now)) {
		ret = resolve(aws, call, &fresh, &why);
		if (ret == SOUK_OK) {
			aws_credentials_fini(&aws->credentials);
			aws->credentials = fresh;
		} else if (aws->credentials.access_key &&
			   aws->credentials.expires_at - now > LAST_SECONDS) {
			souk_call_log(call, SOUK_LOG_WARNING,
				      "cannot renew the credentials, which end soon: %s",
				      why.message);
			ret = SOUK_OK;
		} else {
			souk_error_copy(&why, err);
		}
	}
	if (ret == SOUK_OK)
		ret = aws_credentials_copy(&aws->credentials, out, err);
	pthread_mutex_unlock(&aws->lock);
	return ret;
}

void aws_credentials_forget(struct aws *aws, const struct aws_credentials *used)
{
	pthread_mutex_lock(&aws->lock);
	if (aws->credentials.access_key &&
	    strcmp(aws->credentials.access_key, used->access_key) == 0)
		aws_credentials_fini(&aws->credentials);
	pthread_mutex_unlock(&aws->lock);
}
