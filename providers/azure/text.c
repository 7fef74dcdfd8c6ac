/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - small things about texts and arrays */

#include <ctype.h>
#include <string.h>

#include "azure.h"

int azure_nomem(struct souk_error *err)
{
	return souk_error_nomem(err);
}

const char *azure_option(const struct souk_call *call, const char *name)
{
	const char *value = souk_call_option(call, name);

	return value && *value ? value : NULL;
}

const char *azure_setting(const struct souk_call *call, const char *option, const char *variable)
{
	const char *value = azure_option(call, option);

	return value ? value : souk_getenv(variable);
}

static int is_made_of(const char *text, const char *others, size_t size)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (i + 1 >= size ||
		    (!isalnum((unsigned char)text[i]) && !strchr(others, text[i])))
			return 0;
	return i > 0;
}

int azure_is_place(const char *text)
{
	return is_made_of(text, "", AZURE_REGION_SIZE);
}

int azure_is_id(const char *text)
{
	return is_made_of(text, "-_.", AZURE_ID_SIZE) && text[0] != '.';
}

int azure_is_size(const char *text)
{
	return is_made_of(text, "-_", 64);
}

int azure_is_clean(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
			return 0;
	return 1;
}

int azure_copy(char *out, size_t size, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len == 0 || len >= size)
		return 0;
	memcpy(out, text, len + 1);
	return 1;
}

int azure_grow(void **list, size_t n, size_t *size, size_t item, size_t max, const char *what,
	       struct souk_error *err)
{
	size_t larger = *size ? *size * 2 : 256;
	void *moved;

	if (n < *size)
		return SOUK_OK;
	if (n >= max)
		return souk_error_set(err, SOUK_E_INVALID, "Azure lists more than %zu %s", max,
				      what);
	moved = realloc(*list, larger * item);
	if (!moved)
		return azure_nomem(err);
	*list = moved;
	*size = larger;
	return SOUK_OK;
}

void azure_wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void azure_token_fini(struct azure_token *token)
{
	azure_wipe(&token->text);
	*token = (struct azure_token){ 0 };
}
