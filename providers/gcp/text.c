/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - small things about texts */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "gcp.h"

int gcp_nomem(struct souk_error *err)
{
	return souk_error_nomem(err);
}

int gcp_set(char **slot, const char *value, struct souk_error *err)
{
	char *copy = NULL;

	if (value) {
		copy = strdup(value);
		if (!copy)
			return gcp_nomem(err);
	}
	free(*slot);
	*slot = copy;
	return SOUK_OK;
}

void gcp_wipe(char **slot)
{
	if (*slot)
		explicit_bzero(*slot, strlen(*slot));
	free(*slot);
	*slot = NULL;
}

int gcp_is_name(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (i + 1 >= GCP_NAME_SIZE ||
		    !(islower((unsigned char)text[i]) || (isdigit((unsigned char)text[i]) && i) ||
		      (text[i] == '-' && i)))
			return 0;
	return i > 0 && text[i - 1] != '-';
}

int gcp_is_project(const char *text)
{
	const char *colon = strrchr(text, ':');
	const char *p;

	if (strlen(text) > 128)
		return 0;
	for (p = text; colon && p < colon; p++)
		if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.')
			return 0;
	return colon != text && gcp_is_name(colon ? colon + 1 : text);
}

const char *gcp_basename(const char *url)
{
	const char *slash = strrchr(url, '/');

	return slash ? slash + 1 : url;
}
