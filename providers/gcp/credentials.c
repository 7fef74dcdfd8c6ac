/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - where the right to act is found: a setting, a file, the machine itself */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gcp.h"

enum { MAX_FILE = 64 * 1024 };

void gcp_identity_fini(struct gcp_identity *identity)
{
	gcp_wipe(&identity->private_key);
	gcp_wipe(&identity->client_secret);
	gcp_wipe(&identity->refresh_token);
	free(identity->path);
	free(identity->email);
	free(identity->key_id);
	free(identity->token_uri);
	free(identity->client_id);
	free(identity->project);
	free(identity->quota_project);
	memset(identity, 0, sizeof(*identity));
}

int gcp_no_credentials(struct souk_error *err)
{
	souk_error_set(err, SOUK_E_AUTH, "no Google Cloud credentials found");
	return souk_error_hint(err, "run 'gcloud auth application-default login', or set "
				    "GOOGLE_APPLICATION_CREDENTIALS to the file of a key");
}

int gcp_config_dir(struct souk_buf *out, struct souk_error *err)
{
	const char *given = souk_getenv("CLOUDSDK_CONFIG");
	int ret;

	if (given) {
		souk_buf_str(out, given);
	} else {
		ret = souk_home_dir(out, err);
		if (ret < 0)
			return ret;
		souk_buf_str(out, "/.config/gcloud");
	}
	return souk_buf_failed(out, err);
}

/* A machine of Google's says so in its firmware tables, which costs no request. */
int gcp_on_google(void)
{
	char vendor[64] = "";
	FILE *file;

	if (souk_text_is_true(souk_getenv("NO_GCE_CHECK")))
		return 0;
	if (souk_getenv("GCE_METADATA_HOST"))
		return 1;
	file = fopen("/sys/class/dmi/id/sys_vendor", "re");
	if (!file)
		return 0;
	if (!fgets(vendor, sizeof(vendor), file))
		vendor[0] = '\0';
	(void)fclose(file);
	return strncmp(vendor, "Google", 6) == 0;
}

/* The file that the user names; NULL: none. */
static const char *named_file(struct souk_call *call)
{
	const char *path = souk_call_option(call, "credentials");

	return path && *path ? path : souk_getenv("GOOGLE_APPLICATION_CREDENTIALS");
}

static int default_file(struct souk_buf *out, struct souk_error *err)
{
	int ret = gcp_config_dir(out, err);

	if (ret < 0)
		return ret;
	souk_buf_str(out, "/application_default_credentials.json");
	return souk_buf_failed(out, err);
}

static int has_token_option(struct souk_call *call)
{
	const char *given = souk_call_option(call, "access_token");

	return given && *given;
}

int gcp_credentials_expected(struct souk_call *call, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf path = { 0 };

	if (has_token_option(call) || named_file(call) || gcp_on_google())
		return SOUK_OK;
	souk_buf_init(&path, 4096);
	if (default_file(&path, NULL) == SOUK_OK && access(path.data, R_OK) == 0)
		return SOUK_OK;
	return gcp_no_credentials(err);
}

/* ---- Files ---- */

static int bad_file(const char *path, const char *why, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_AUTH, "credentials '%s': %s", path, why);
	return souk_error_hint(err, "make them anew: 'gcloud auth application-default login', or a "
				    "key of the service account");
}

/* Copy a member that has to be there. */
static int take(struct json_object *file, const char *name, char **slot, const char *path,
		struct souk_error *err)
{
	const char *text = souk_json_maybe_text(file, name);
	char why[96];

	if (!text || !*text) {
		snprintf(why, sizeof(why), "no '%s' in it", name);
		return bad_file(path, why, err);
	}
	return gcp_set(slot, text, err);
}

static int take_optional(struct json_object *file, const char *name, char **slot,
			 struct souk_error *err)
{
	const char *text = souk_json_maybe_text(file, name);

	return text && *text ? gcp_set(slot, text, err) : SOUK_OK;
}

static int take_key(struct json_object *file, struct gcp_identity *out, struct souk_error *err)
{
	const char *universe = souk_json_maybe_text(file, "universe_domain");
	int ret;

	if (universe && *universe && strcmp(universe, "googleapis.com") != 0)
		return bad_file(out->path, "it is of another universe than googleapis.com", err);
	out->source = GCP_FROM_KEY;
	ret = take(file, "client_email", &out->email, out->path, err);
	if (ret == SOUK_OK)
		ret = take(file, "private_key", &out->private_key, out->path, err);
	if (ret == SOUK_OK)
		ret = take(file, "token_uri", &out->token_uri, out->path, err);
	if (ret == SOUK_OK)
		ret = take_optional(file, "private_key_id", &out->key_id, err);
	if (ret == SOUK_OK)
		ret = take_optional(file, "project_id", &out->project, err);
	return ret;
}

static int take_user(struct json_object *file, struct gcp_identity *out, struct souk_error *err)
{
	int ret;

	out->source = GCP_FROM_USER;
	ret = take(file, "client_id", &out->client_id, out->path, err);
	if (ret == SOUK_OK)
		ret = take(file, "client_secret", &out->client_secret, out->path, err);
	if (ret == SOUK_OK)
		ret = take(file, "refresh_token", &out->refresh_token, out->path, err);
	return ret;
}

static int unknown_type(const char *path, const char *type, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_AUTH,
		       "credentials '%s': the type '%.64s' is not supported", path, type);
	return souk_error_hint(err,
			       "TOKEN=$(gcloud auth application-default print-access-token), and "
			       "--set gcp.access_token=env:TOKEN");
}

int gcp_identity_parse(const char *path, const char *text, size_t size, struct gcp_identity *out,
		       struct souk_error *err)
{
	GCP_AUTO_JSON struct json_object *file = souk_json_parse(text, size);
	struct gcp_identity identity = { 0 };
	const char *type;
	int ret;

	if (!file)
		return bad_file(path, "not JSON", err);
	type = souk_json_maybe_text(file, "type");
	if (!type)
		return bad_file(path, "no 'type' in it", err);
	ret = gcp_set(&identity.path, path, err);
	if (ret == SOUK_OK && strcmp(type, "service_account") == 0)
		ret = take_key(file, &identity, err);
	else if (ret == SOUK_OK && strcmp(type, "authorized_user") == 0)
		ret = take_user(file, &identity, err);
	else if (ret == SOUK_OK)
		ret = unknown_type(path, type, err);
	if (ret == SOUK_OK)
		ret = take_optional(file, "quota_project_id", &identity.quota_project, err);
	if (ret < 0) {
		gcp_identity_fini(&identity);
		return ret;
	}
	*out = identity;
	return SOUK_OK;
}

static int read_identity(const char *path, struct gcp_identity *out, struct souk_error *err)
{
	struct souk_buf text = { 0 };
	int ret = souk_read_file(path, MAX_FILE, &text, err);

	if (ret == SOUK_OK)
		ret = gcp_identity_parse(path, text.data, text.len, out, err);
	if (text.size)
		explicit_bzero(text.data, text.len);
	souk_buf_fini(&text);
	return ret;
}

int gcp_identity_find(struct souk_call *call, struct gcp_identity *out, struct souk_error *err)
{
	const char *named = named_file(call);
	GCP_AUTO_BUF struct souk_buf path = { 0 };
	int ret;

	if (has_token_option(call)) {
		out->source = GCP_FROM_OPTION;
		return SOUK_OK;
	}
	if (named) {
		ret = read_identity(named, out, err);
		if (ret == SOUK_E_NOT_FOUND || ret == SOUK_E_INVALID)
			return bad_file(named, "the file cannot be read", err);
		return ret;
	}
	souk_buf_init(&path, 4096);
	ret = default_file(&path, NULL);
	if (ret == SOUK_OK) {
		ret = read_identity(path.data, out, err);
		if (ret == SOUK_OK || (ret != SOUK_E_NOT_FOUND && ret != SOUK_E_INVALID))
			return ret;
		if (ret == SOUK_E_INVALID)
			return bad_file(path.data, "the file cannot be read", err);
	}
	if (!gcp_on_google())
		return gcp_no_credentials(err);
	out->source = GCP_FROM_METADATA;
	return SOUK_OK;
}
