/* SPDX-License-Identifier: Apache-2.0 */
/* base/paths.c - where souk keeps things */
#include "base/paths.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"

/* $XDG_NAME/souk, or $HOME/FALLBACK/souk; under SOUK_HOME: $SOUK_HOME/LEAF. */
static int xdg_folder(const char *variable, const char *fallback, const char *leaf, char **path_out,
		      struct souk_error *err)
{
	const char *souk_home = getenv("SOUK_HOME");
	const char *base = getenv(variable);
	const char *home = getenv("HOME");
	int n;

	if (souk_home && souk_home[0]) {
		n = asprintf(path_out, "%s/%s", souk_home, leaf);
	} else if (base && base[0] == '/') {
		n = asprintf(path_out, "%s/souk", base);
	} else if (home && home[0]) {
		n = asprintf(path_out, "%s/%s/souk", home, fallback);
	} else {
		souk_error_set(err, SOUK_E_INVALID, "neither SOUK_HOME nor HOME is set");
		return souk_error_hint(err, "set HOME to your home folder");
	}
	if (n < 0) {
		*path_out = NULL;
		return souk_error_nomem(err);
	}
	return SOUK_OK;
}

/* Does the running program stand in the build tree? Then its parts are taken from there. */
static int in_build_tree(void)
{
	char real[PATH_MAX], build[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", real, sizeof(real) - 1);
	size_t len;

	if (n <= 0 || !realpath(SOUK_BUILDDIR, build))
		return 0;
	real[n] = '\0';
	len = strlen(build);
	return strncmp(real, build, len) == 0 && real[len] == '/';
}

/* The build tree has lib/souk and share/souk like an installed souk. */
static int installed_folders(struct souk_paths *paths, struct souk_error *err)
{
	if (in_build_tree()) {
		paths->builddir = strdup(SOUK_BUILDDIR);
		paths->libdir = strdup(SOUK_BUILDDIR "/lib/souk");
		paths->datadir = strdup(SOUK_BUILDDIR "/share/souk");
		if (!paths->builddir)
			return souk_error_nomem(err);
	} else {
		paths->libdir = strdup(SOUK_LIBDIR);
		paths->datadir = strdup(SOUK_DATADIR);
	}
	return paths->libdir && paths->datadir ? SOUK_OK : souk_error_nomem(err);
}

int souk_paths_init(struct souk_paths *paths, struct souk_error *err)
{
	int ret;

	*paths = (struct souk_paths){ 0 };
	ret = xdg_folder("XDG_CONFIG_HOME", ".config", "config", &paths->config, err);
	if (ret == SOUK_OK)
		ret = xdg_folder("XDG_STATE_HOME", ".local/state", "state", &paths->state, err);
	if (ret == SOUK_OK)
		ret = xdg_folder("XDG_CACHE_HOME", ".cache", "cache", &paths->cache, err);
	if (ret == SOUK_OK)
		ret = xdg_folder("XDG_DATA_HOME", ".local/share", "data", &paths->data, err);
	if (ret == SOUK_OK)
		ret = installed_folders(paths, err);
	if (ret < 0)
		souk_paths_fini(paths);
	return ret;
}

void souk_paths_fini(struct souk_paths *paths)
{
	if (!paths)
		return;
	free(paths->config);
	free(paths->state);
	free(paths->cache);
	free(paths->data);
	free(paths->libdir);
	free(paths->datadir);
	free(paths->builddir);
	*paths = (struct souk_paths){ 0 };
}

int souk_paths_state_dir(const struct souk_paths *paths, const char *name, char **path_out,
			 struct souk_error *err)
{
	char *path = souk_fs_join(paths->state, name);
	int ret;

	if (!path)
		return souk_error_nomem(err);
	ret = souk_fs_mkdir(path, 0700, err);
	if (ret < 0)
		free(path);
	else
		*path_out = path;
	return ret;
}
