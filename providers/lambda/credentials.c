/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - where the API key is found: the option, the environment, ~/.lambda_cloud */

#include "lambda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 64 * 1024, MAX_KEY = 1024 };

void lambda_key_free(char *key)
{
	if (!key)
		return;
	explicit_bzero(key, strlen(key));
	free(key);
}

/* Cut white space and one pair of quotes off both ends. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	if (len >= 2 && (*text == '"' || *text == '\'') && text[len - 1] == *text) {
		text[len - 1] = '\0';
		text++;
	}
	return text;
}

/* Lines of "NAME = VALUE", of which "api_key" is ours. */
char *lambda_key_in_file(char *text)
{
	char *line, *equals, *value, *rest = text;

	while (rest) {
		line = rest;
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		equals = strchr(line, '=');
		if (!equals)
			continue;
		*equals = '\0';
		value = trim(equals + 1);
		if (strcmp(trim(line), "api_key") == 0 && *value)
			return value;
	}
	return NULL;
}

/* A key goes into a header: nothing but what can be seen, and not without end. */
static int check_key(const char *key, const char *from, struct souk_error *err)
{
	size_t i;

	for (i = 0; key[i]; i++)
		if (key[i] <= ' ' || key[i] > '~' || i >= MAX_KEY)
			break;
	if (i && !key[i])
		return SOUK_OK;
	souk_error_set(err, SOUK_E_AUTH, "%s holds no Lambda API key", from);
	return souk_error_hint(err, "make one at https://cloud.lambda.ai/api-keys");
}

static int take(const char *key, const char *from, char **key_out, struct souk_error *err)
{
	char *copy;
	int ret = check_key(key, from, err);

	if (ret < 0)
		return ret;
	copy = strdup(key);
	if (!copy)
		return lambda_nomem(err);
	*key_out = copy;
	return SOUK_OK;
}

static int key_of_file(char **key_out, struct souk_error *err)
{
	const char *home = souk_getenv("HOME");
	LAMBDA_AUTO_BUF struct souk_buf text = { 0 };
	struct souk_error why = SOUK_ERROR_INIT;
	char path[4096];
	char *key;
	int ret;

	if (!home)
		return SOUK_OK;
	(void)snprintf(path, sizeof(path), "%s/.lambda_cloud/lambda_keys", home);
	ret = souk_read_file(path, MAX_FILE, &text, &why);
	if (ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	if (ret < 0)
		return souk_error_set(err, ret == SOUK_E_NOMEM ? ret : SOUK_E_AUTH, "%s",
				      why.message);
	if (!text.len)
		return SOUK_OK;
	key = lambda_key_in_file(text.data);
	if (key)
		ret = take(key, path, key_out, err);
	explicit_bzero(text.data, text.len);
	return ret;
}

static const char *const variables[] = {
	"LAMBDA_API_KEY", "LAMBDA_CLOUD_API_TOKEN", "LAMBDA_CLOUD_TOKEN", "LAMBDA_API_TOKEN",
};

static int key_of_environment(char **key_out, struct souk_error *err)
{
	const char *value;
	size_t i;

	for (i = 0; i < LAMBDA_ARRAY_SIZE(variables); i++) {
		value = souk_getenv(variables[i]);
		if (value)
			return take(value, variables[i], key_out, err);
	}
	return SOUK_OK;
}

int lambda_key_find(struct souk_call *call, char **key_out, struct souk_error *err)
{
	char *key = NULL;
	char *secret = NULL;
	int ret;

	if (souk_call_option(call, "api_key")) {
		ret = souk_call_secret(call, "api_key", &secret, err);
		if (ret == SOUK_OK)
			ret = take(secret, "the setting 'api_key'", &key, err);
		souk_secret_free(secret);
	} else {
		ret = key_of_environment(&key, err);
		if (ret == SOUK_OK && !key)
			ret = key_of_file(&key, err);
	}
	if (ret < 0)
		return ret;
	if (!key) {
		souk_error_set(err, SOUK_E_AUTH, "no Lambda API key found");
		return souk_error_hint(err, "set LAMBDA_API_KEY, or write 'api_key = KEY' into "
					    "~/.lambda_cloud/lambda_keys");
	}
	*key_out = key;
	return SOUK_OK;
}
