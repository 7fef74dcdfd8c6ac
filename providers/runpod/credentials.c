/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - where the API key is found: the option, the environment, RunPod's own file */

#include "runpod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_CONFIG = 64 * 1024, MAX_KEY = 1024 };

void runpod_key_free(char *key)
{
	if (!key)
		return;
	explicit_bzero(key, strlen(key));
	free(key);
}

/* Cut white space off both ends. */
static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* The value of 'apikey = VALUE', in quotes or bare; NULL if the line is another one. */
static char *value_of_key(char *line)
{
	char *equals = strchr(line, '=');
	char *name, *value, *end;

	if (!equals)
		return NULL;
	*equals = '\0';
	name = trim(line);
	if (strcasecmp(name, "apikey") != 0 && strcasecmp(name, "api_key") != 0)
		return NULL;
	value = trim(equals + 1);
	if (*value == '"' || *value == '\'') {
		end = strchr(value + 1, *value);
		if (!end)
			return NULL;
		*end = '\0';
		return value + 1;
	}
	value[strcspn(value, "#")] = '\0';
	return trim(value);
}

/*
 * RunPod's command line writes "apikey" at the top of the file, its Python library "api_key" in a
 * table named for the profile, of which the one in use is [default].
 */
char *runpod_key_in_config(char *text)
{
	int is_default = 1;
	char *line, *rest = text, *value;

	while (rest) {
		line = rest;
		rest = strchr(line, '\n');
		if (rest)
			*rest++ = '\0';
		line = trim(line);
		if (*line == '[') {
			line[strcspn(line, "#")] = '\0';
			is_default = strcmp(trim(line), "[default]") == 0;
			continue;
		}
		if (*line == '#' || !is_default)
			continue;
		value = value_of_key(line);
		if (value && *value)
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
	souk_error_set(err, SOUK_E_AUTH, "%s holds no RunPod API key", from);
	return souk_error_hint(err, "a key looks like 'rpa_...'; make one in the RunPod console, "
				    "under Settings, API Keys");
}

static int take(const char *key, const char *from, char **key_out, struct souk_error *err)
{
	char *copy;
	int ret = check_key(key, from, err);

	if (ret < 0)
		return ret;
	copy = strdup(key);
	if (!copy)
		return runpod_nomem(err);
	*key_out = copy;
	return SOUK_OK;
}

static int key_in_file(char **key_out, struct souk_error *err)
{
	const char *home = souk_getenv("HOME");
	RUNPOD_AUTO_BUF struct souk_buf text = { 0 };
	struct souk_error why = SOUK_ERROR_INIT;
	char path[4096];
	char *key;
	int ret;

	if (!home)
		return SOUK_OK;
	(void)snprintf(path, sizeof(path), "%s/.runpod/config.toml", home);
	ret = souk_read_file(path, MAX_CONFIG, &text, &why);
	if (ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	if (ret < 0)
		return souk_error_set(err, ret == SOUK_E_NOMEM ? ret : SOUK_E_AUTH, "%s",
				      why.message);
	if (!text.len)
		return SOUK_OK;
	key = runpod_key_in_config(text.data);
	if (key)
		ret = take(key, path, key_out, err);
	explicit_bzero(text.data, text.len);
	return ret;
}

int runpod_key_find(struct souk_call *call, char **key_out, struct souk_error *err)
{
	const char *variable = souk_getenv("RUNPOD_API_KEY");
	char *key = NULL;
	char *secret = NULL;
	int ret;

	if (souk_call_option(call, "api_key")) {
		ret = souk_call_secret(call, "api_key", &secret, err);
		if (ret == SOUK_OK)
			ret = take(secret, "the setting 'api_key'", &key, err);
		souk_secret_free(secret);
	} else if (variable) {
		ret = take(variable, "RUNPOD_API_KEY", &key, err);
	} else {
		ret = key_in_file(&key, err);
	}
	if (ret < 0)
		return ret;
	if (!key) {
		souk_error_set(err, SOUK_E_AUTH, "no RunPod API key found");
		return souk_error_hint(err, "set RUNPOD_API_KEY, or run 'runpodctl config --apiKey "
					    "KEY', which writes ~/.runpod/config.toml");
	}
	*key_out = key;
	return SOUK_OK;
}
