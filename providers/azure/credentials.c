/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - the token that requests carry: where it is from, how long it is kept */

#include "credentials.h"

#include <string.h>
#include <time.h>

#include "json-read.h"

/* Renew so long before the end, and use what is left if that fails. */
enum { RENEW_SECONDS = 300, LAST_SECONDS = 15, MAX_CLI_OUTPUT = 256 * 1024 };
enum { MIN_LIFE_SECONDS = 60, CLI_LIFE_SECONDS = 300 };

int azure_token_stale(const struct azure_token *token, int64_t now)
{
	return token->expires_at - now < RENEW_SECONDS;
}

/* ---- Replies --------------------------------------------------------------------------------- */

/* A number, or a text that is one. -1: there is none. */
static int64_t number_of(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;
	uint64_t parsed;

	if (!json_object_object_get_ex(object, name, &value))
		return -1;
	if (json_object_is_type(value, json_type_int))
		return json_object_get_int64(value);
	if (json_object_is_type(value, json_type_string) &&
	    souk_parse_u64(name, json_object_get_string(value), &parsed, NULL) == SOUK_OK &&
	    parsed < INT64_MAX)
		return (int64_t)parsed;
	return -1;
}

static int make_token(const char *text, int64_t expires_at, const char *source,
		      struct azure_token *out, struct souk_error *err)
{
	if (!text || !*text || strlen(text) > AZURE_MAX_TOKEN)
		return souk_error_set(err, SOUK_E_AUTH, "%s gave no access token", source);
	if (!azure_is_clean(text))
		return souk_error_set(err, SOUK_E_AUTH,
				      "the token from %s has characters that none can have",
				      source);
	*out = (struct azure_token){ .expires_at = expires_at, .source = source };
	out->text = strdup(text);
	return out->text ? 1 : azure_nomem(err);
}

int azure_token_read(struct json_object *object, const char *source, int64_t now,
		     struct azure_token *out, struct souk_error *err)
{
	int64_t life = number_of(object, "expires_in");
	int64_t expires_at = number_of(object, "expires_on");

	if (life > INT32_MAX)
		life = INT32_MAX;
	if (life >= 0)
		expires_at = now + life;
	else if (expires_at < 0)
		expires_at = now + MIN_LIFE_SECONDS;
	return make_token(souk_json_maybe_text(object, "access_token"), expires_at, source, out, err);
}

int azure_token_read_cli(struct json_object *object, int64_t now, struct azure_token *out,
			 struct souk_error *err)
{
	const char *subscription = souk_json_maybe_text(object, "subscription");
	int64_t expires_at = number_of(object, "expires_on");
	int ret;

	/* Old versions give a local time alone: ask them again soon. */
	if (expires_at < 0)
		expires_at = now + CLI_LIFE_SECONDS + RENEW_SECONDS;
	ret = make_token(souk_json_maybe_text(object, "accessToken"), expires_at, "the az command", out,
			 err);
	if (ret > 0 && subscription && azure_is_id(subscription))
		azure_copy(out->subscription, sizeof(out->subscription), subscription);
	return ret;
}

/* ---- The az command -------------------------------------------------------------------------- */

static int run_az(const struct azure_client *client, char *output, struct souk_error *err)
{
	const char *subscription =
		azure_setting(client->call, "subscription", "AZURE_SUBSCRIPTION_ID");
	const char *argv[12] = { "az", "account", "get-access-token", "--output", "json",
				 "--resource", client->azure->resource, NULL };
	struct souk_error why = SOUK_ERROR_INIT;
	int32_t status = 0;
	size_t n = 7;
	int ret;

	if (subscription && azure_is_id(subscription) && subscription[0] != '-') {
		argv[n++] = "--subscription";
		argv[n++] = subscription;
	}
	argv[n] = NULL;
	ret = souk_call_run(client->call, argv, output, MAX_CLI_OUTPUT, &status, &why);
	if (ret == SOUK_E_CANCELLED || ret == SOUK_E_NOMEM || ret == SOUK_E_TIMEOUT ||
	    ret == SOUK_E_UNSUPPORTED)
		return souk_error_copy(&why, err);
	if (ret < 0 || status == 126 || status == 127) {
		souk_call_log(client->call, SOUK_LOG_DEBUG, "no az command: %s", why.message);
		return 0;
	}
	if (status != 0) {
		souk_error_set(err, SOUK_E_AUTH,
			       "the az command has no token for us (exit status %d)", (int)status);
		return souk_error_hint(err, "'az login'; 'az account show' tells if it works");
	}
	return 1;
}

int azure_from_cli(const struct azure_client *client, struct azure_token *out,
		   struct souk_error *err)
{
	AZURE_AUTO_FREE char *output = calloc(1, MAX_CLI_OUTPUT);
	struct souk_error why = SOUK_ERROR_INIT;
	struct json_object *object;
	int ret;

	if (!output)
		return azure_nomem(err);
	ret = run_az(client, output, &why);
	if (ret == SOUK_E_UNSUPPORTED) {
		/* A rehearsal runs no program: that of the user's login is taken to be there. */
		return make_token("TOKEN", (int64_t)time(NULL) + CLI_LIFE_SECONDS + RENEW_SECONDS,
				  "the az command", out, err);
	}
	if (ret < 0)
		souk_error_copy(&why, err);
	if (ret > 0) {
		object = souk_json_parse(output, strlen(output));
		ret = object ? azure_token_read_cli(object, (int64_t)time(NULL), out, err) :
			       souk_error_set(err, SOUK_E_AUTH,
					      "'az account get-access-token' printed no JSON");
		json_object_put(object);
	}
	explicit_bzero(output, MAX_CLI_OUTPUT);
	return ret;
}

/* ---- The chain ------------------------------------------------------------------------------- */

struct named_source {
	const char *name;	/* in the option 'credential' */
	azure_token_source source;
};

static const struct named_source sources[] = {
	{ "principal", azure_from_principal },
	{ "workload", azure_from_workload },
	{ "managed", azure_from_managed_identity },
	{ "cli", azure_from_cli },
};

static int no_credentials(struct souk_error *err)
{
	souk_error_set(err, SOUK_E_AUTH, "no Azure credentials found");
	return souk_error_hint(err, "run 'az login', or set AZURE_TENANT_ID, AZURE_CLIENT_ID and "
				    "AZURE_CLIENT_SECRET");
}

static int resolve(const struct azure_client *client, struct azure_token *out,
		   struct souk_error *err)
{
	const char *only = azure_option(client->call, "credential");
	int known = 0;
	int ret = 0;
	size_t i;

	for (i = 0; i < AZURE_ARRAY_SIZE(sources) && ret == 0; i++) {
		if (only && strcmp(only, "auto") != 0 && strcmp(only, sources[i].name) != 0)
			continue;
		known = 1;
		ret = sources[i].source(client, out, err);
	}
	if (!known) {
		souk_error_set(err, SOUK_E_INVALID, "credential: no such place: '%.40s'", only);
		souk_error_hint(err, "auto, principal, workload, managed or cli");
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	if (ret == 0)
		return no_credentials(err);
	if (ret < 0 && err && err->code == SOUK_E_AUTH)
		souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	if (ret > 0)
		souk_call_log(client->call, SOUK_LOG_DEBUG, "a token from %s", out->source);
	return ret < 0 ? ret : SOUK_OK;
}

/* Another thread may be asking the network; wait for it no longer than this call may. */
static int lock(const struct azure_client *client, struct souk_error *err)
{
	struct souk_call *call = client->call;
	struct timespec until;

	while (!souk_call_cancelled(call) && souk_call_deadline_ms(call) > 0) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += 1;
		if (pthread_mutex_timedlock(&client->azure->lock, &until) == 0)
			return SOUK_OK;
	}
	return souk_error_set(err, souk_call_cancelled(call) ? SOUK_E_CANCELLED : SOUK_E_TRANSIENT,
			      "no credentials in time");
}

static int copy_token(const struct azure_token *from, struct azure_token *out,
		      struct souk_error *err)
{
	*out = *from;
	out->text = strdup(from->text);
	return out->text ? SOUK_OK : azure_nomem(err);
}

int azure_token_get(const struct azure_client *client, struct azure_token *out,
		    struct souk_error *err)
{
	struct azure_token *kept = &client->azure->token;
	int64_t now = (int64_t)time(NULL);
	struct azure_token fresh = { 0 };
	struct souk_error why = SOUK_ERROR_INIT;
	int ret;

	ret = lock(client, err);
	if (ret < 0)
		return ret;
	if (!kept->text || azure_token_stale(kept, now)) {
		ret = resolve(client, &fresh, &why);
		if (ret == SOUK_OK) {
			azure_token_fini(kept);
			*kept = fresh;
		} else if (kept->text && kept->expires_at - now > LAST_SECONDS) {
			souk_call_log(client->call, SOUK_LOG_WARNING,
				      "cannot renew the token, which ends soon: %s", why.message);
			ret = SOUK_OK;
		} else {
			souk_error_copy(&why, err);
		}
	}
	if (ret == SOUK_OK)
		ret = copy_token(kept, out, err);
	pthread_mutex_unlock(&client->azure->lock);
	return ret;
}

void azure_token_forget(struct azure *azure, const struct azure_token *used)
{
	pthread_mutex_lock(&azure->lock);
	if (azure->token.text && strcmp(azure->token.text, used->text) == 0)
		azure_token_fini(&azure->token);
	pthread_mutex_unlock(&azure->lock);
}
