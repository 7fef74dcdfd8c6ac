/* SPDX-License-Identifier: Apache-2.0 */
/* own-name.h - the name under which a module was copied, so that one file can be many modules */
#ifndef OWN_NAME_H
#define OWN_NAME_H

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

/* "good" for a module that was loaded from ".../souk-provider-good.so". */
static inline const char *own_name(void)
{
	static char name[64];
	Dl_info info;
	const char *file;

	if (name[0] || !dladdr((const void *)name, &info))
		return name;
	file = strrchr(info.dli_fname, '/');
	file = file ? file + 1 : info.dli_fname;
	snprintf(name, sizeof(name), "%s",
		 strncmp(file, "souk-provider-", 14) == 0 ? file + 14 : file);
	name[strcspn(name, ".")] = '\0';
	return name;
}

#endif
