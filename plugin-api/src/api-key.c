/* SPDX-License-Identifier: Apache-2.0 */
/* api-key.c - the key of an account that has no more than a key: where it is found, and what it must be */

#include <souk/provider.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 64 * 1024, MAX_KEY = 1024, MAX_PATH = 4096 };

/* A key goes into a header: nothing but what can be seen, and not without end. */
static int is_key(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (text[i] <= ' ' || text[i] > '~' || i >= MAX_KEY)
			return 0;
	return i > 0;
}

static int take(const struct souk_key_source *source, const char *text, const char *from,
		char **key_out, struct souk_error *err)
{
	char *copy;

	if (!is_key(text)) {
		souk_error_set(err, SOUK_E_AUTH, "%s holds no %s API key", from, source->title);
		return source->looks ? souk_error_hint(err, "%s", source->looks) : SOUK_E_AUTH;
	}
	copy = strdup(text);
	if (!copy)
		return souk_error_nomem(err);
	*key_out = copy;
	return SOUK_OK;
}

static int take_option(struct souk_call *call, const struct souk_key_source *source, char **key_out,
		       struct souk_error *err)
{
	char *secret = NULL;
	int ret = souk_call_secret(call, "api_key", &secret, err);

	if (ret == SOUK_OK)
		ret = take(source, secret, "the setting 'api_key'", key_out, err);
	souk_secret_free(secret);
	return ret;
}

/* A file that is not there is no failure: *key_out stays as it is. */
static int take_file(const struct souk_key_source *source, const char *path, char **key_out,
		     struct souk_error *err)
{
	struct souk_error why = SOUK_ERROR_INIT;
	struct souk_buf text;
	char *key = NULL;
	int ret = souk_read_file(path, MAX_FILE, &text, &why);

	if (ret == SOUK_E_NOT_FOUND)
		ret = SOUK_OK;
	else if (ret < 0)
		ret = souk_error_set(err, ret == SOUK_E_NOMEM ? ret : SOUK_E_AUTH, "%s", why.message);
	else if (text.len)
		key = source->in_file(text.data);
	if (key)
		ret = take(source, key, path, key_out, err);
	explicit_bzero(text.data, text.len);
	souk_buf_fini(&text);
	return ret;
}

static int take_home_file(const struct souk_key_source *source, char **key_out,
			  struct souk_error *err)
{
	struct souk_buf path;
	int ret;

	souk_buf_init(&path, MAX_PATH);
	/* Who has no home folder has no file there. */
	if (souk_home_dir(&path, NULL) < 0) {
		souk_buf_fini(&path);
		return SOUK_OK;
	}
	souk_buf_printf(&path, "/%s", source->file);
	ret = souk_buf_failed(&path, err);
	if (ret == SOUK_OK)
		ret = take_file(source, path.data, key_out, err);
	souk_buf_fini(&path);
	return ret;
}

/* The first that is there; one that is there and is no key is an error, and not passed over. */
static int look(struct souk_call *call, const struct souk_key_source *source, char **key_out,
		struct souk_error *err)
{
	const char *const *name;
	const char *value;

	if (souk_call_option(call, "api_key"))
		return take_option(call, source, key_out, err);
	for (name = source->variables; name && *name; name++) {
		value = souk_getenv(*name);
		if (value)
			return take(source, value, *name, key_out, err);
	}
	return source->file ? take_home_file(source, key_out, err) : SOUK_OK;
}

int souk_call_api_key(struct souk_call *call, const struct souk_key_source *source, char **key_out,
		      struct souk_error *err)
{
	char *key = NULL;
	int ret = look(call, source, &key, err);

	if (ret < 0)
		return ret;
	if (!key) {
		souk_error_set(err, SOUK_E_AUTH, "no %s API key found", source->title);
		return source->advice ? souk_error_hint(err, "%s", source->advice) : SOUK_E_AUTH;
	}
	*key_out = key;
	return SOUK_OK;
}

int souk_identity_set_key(struct souk_identity *identity, const char *key, struct souk_error *err)
{
	size_t len = strlen(key);
	char text[32];

	snprintf(text, sizeof(text), "API key ...%s", len >= 16 ? key + len - 4 : "");
	return souk_identity_set(identity, "principal", text, err);
}
