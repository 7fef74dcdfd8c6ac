/* SPDX-License-Identifier: Apache-2.0 */
/* provider/stamp.c - a note that this very file was loaded without harm before */
#include "provider/stamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/util.h"

#define STAMP_MAX 8192

/* What identifies the file, as the stamp has it. The caller frees it; NULL: it cannot be told. */
static char *identity(const char *module_path)
{
	char *text = NULL;
	struct stat st;

	if (stat(module_path, &st) < 0 ||
	    asprintf(&text, "%llu %llu %lld %lld.%09ld %lld.%09ld %s\n", (unsigned long long)st.st_dev,
		     (unsigned long long)st.st_ino, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
		     st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
		     module_path) < 0)
		return NULL;
	return text;
}

int souk_stamp_matches(const char *folder, const char *module_path)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, souk_fs_basename(module_path));
	SOUK_AUTO_FREE char *now = identity(module_path);
	SOUK_AUTO_FREE char *then = NULL;

	return path && now && souk_fs_read(path, STAMP_MAX, &then, NULL, NULL) == 0 &&
	       strcmp(now, then) == 0;
}

void souk_stamp_write(const char *folder, const char *module_path)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, souk_fs_basename(module_path));
	SOUK_AUTO_FREE char *now = identity(module_path);

	if (path && now && souk_fs_mkdir(folder, 0700, NULL) == 0)
		souk_fs_write(path, now, strlen(now), 0600, NULL);
}
