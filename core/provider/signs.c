/* SPDX-License-Identifier: Apache-2.0 */
/* provider/signs.c - is there any sign of a provider's credentials on this computer? */
#include "provider/signs.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/util.h"

/* Where the kernel says who made the computer's firmware. */
#define VENDOR_FILE "/sys/class/dmi/id/sys_vendor"
#define VENDOR_MAX 4096
#define NAME_SIZE 128

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

/* "~/x", "$NAME" or "$NAME/x" filled in; NULL if the variable is not set, or on no memory. */
static char *fill_in(const char *path)
{
	char name[NAME_SIZE], *filled = NULL;
	const char *value;
	size_t len = 0;

	if (path[0] != '$')
		return souk_fs_expand(path);
	while (isalnum((unsigned char)path[1 + len]) || path[1 + len] == '_')
		len++;
	if (len == 0 || len >= sizeof(name))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)len, path + 1);
	value = variable(name);
	if (!value || asprintf(&filled, "%s%s", value, path + 1 + len) < 0)
		return NULL;
	return filled;
}

static int file_shows(const char *path)
{
	SOUK_AUTO_FREE char *filled = fill_in(path);

	return filled && filled[0] == '/' && access(filled, F_OK) == 0;
}

static int vendor_shows(const char *wanted)
{
	SOUK_AUTO_FREE char *vendor = NULL;

	return souk_fs_read(VENDOR_FILE, VENDOR_MAX, &vendor, NULL, NULL) == SOUK_OK &&
	       strncmp(vendor, wanted, strlen(wanted)) == 0;
}

static int option_shows(const char *name, const char *provider, const struct souk_config *config)
{
	const char *value = souk_config_get(config, provider, name);

	return value && value[0];
}

int souk_sign_shows(const char *sign, const char *provider, const struct souk_config *config)
{
	if (strncmp(sign, "env:", 4) == 0)
		return variable(sign + 4) != NULL;
	if (strncmp(sign, "file:", 5) == 0)
		return file_shows(sign + 5);
	if (strncmp(sign, "vendor:", 7) == 0)
		return sign[7] && vendor_shows(sign + 7);
	if (strncmp(sign, "option:", 7) == 0)
		return option_shows(sign + 7, provider, config);
	return 0;
}

enum souk_sign souk_signs_look(const struct souk_module_facts *facts, const char *provider,
			       const struct souk_config *config)
{
	size_t i;

	if (!facts->needs_credentials)
		return SOUK_SIGN_NOT_NEEDED;
	if (option_shows("endpoint", provider, config))
		return SOUK_SIGN_FOUND;
	for (i = 0; i < facts->signs.n; i++)
		if (souk_sign_shows(facts->signs.items[i], provider, config))
			return SOUK_SIGN_FOUND;
	return SOUK_SIGN_MISSING;
}
