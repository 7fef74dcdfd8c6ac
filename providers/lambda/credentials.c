/* SPDX-License-Identifier: Apache-2.0 */
/* credentials.c - where the API key is found: the option, the environment, ~/.lambda_cloud */

#include "lambda.h"

#include <string.h>

/* Without the white space and one pair of quotes around it. */
static char *value_of(char *text)
{
	size_t len;

	text = souk_text_trim(text);
	len = strlen(text);
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
		value = value_of(equals + 1);
		if (strcmp(value_of(line), "api_key") == 0 && *value)
			return value;
	}
	return NULL;
}

int lambda_key_find(struct souk_call *call, char **key_out, struct souk_error *err)
{
	static const char *const variables[] = {
		"LAMBDA_API_KEY", "LAMBDA_CLOUD_API_TOKEN", "LAMBDA_CLOUD_TOKEN", "LAMBDA_API_TOKEN",
		NULL,
	};
	static const struct souk_key_source source = {
		SOUK_KEY_SOURCE_HEAD,
		.title = "Lambda",
		.variables = variables,
		.file = ".lambda_cloud/lambda_keys",
		.in_file = lambda_key_in_file,
		.looks = "make one at https://cloud.lambda.ai/api-keys",
		.advice = "set LAMBDA_API_KEY, or write 'api_key = KEY' into "
			  "~/.lambda_cloud/lambda_keys",
	};

	return souk_call_api_key(call, &source, key_out, err);
}
