/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - where the API key is found: the option, the environment, RunPod's own file */

#include "runpod.h"

#include <string.h>
#include <strings.h>

/* The value of 'apikey = VALUE', in quotes or bare; NULL if the line is another one. */
static char *value_of_key(char *line)
{
	char *equals = strchr(line, '=');
	char *name, *value, *end;

	if (!equals)
		return NULL;
	*equals = '\0';
	name = souk_text_trim(line);
	if (strcasecmp(name, "apikey") != 0 && strcasecmp(name, "api_key") != 0)
		return NULL;
	value = souk_text_trim(equals + 1);
	if (*value == '"' || *value == '\'') {
		end = strchr(value + 1, *value);
		if (!end)
			return NULL;
		*end = '\0';
		return value + 1;
	}
	value[strcspn(value, "#")] = '\0';
	return souk_text_trim(value);
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
		line = souk_text_trim(line);
		if (*line == '[') {
			line[strcspn(line, "#")] = '\0';
			is_default = strcmp(souk_text_trim(line), "[default]") == 0;
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

int runpod_key_find(struct souk_call *call, char **key_out, struct souk_error *err)
{
	static const char *const variables[] = { "RUNPOD_API_KEY", NULL };
	static const struct souk_key_source source = {
		SOUK_KEY_SOURCE_HEAD,
		.title = "RunPod",
		.variables = variables,
		.file = ".runpod/config.toml",
		.in_file = runpod_key_in_config,
		.looks = "a key looks like 'rpa_...'; make one in the RunPod console, under "
			 "Settings, API Keys",
		.advice = "set RUNPOD_API_KEY, or run 'runpodctl config --apiKey KEY', which "
			  "writes ~/.runpod/config.toml",
	};

	return souk_call_api_key(call, &source, key_out, err);
}
