/* SPDX-License-Identifier: Apache-2.0 */
/* base/paths.h - where souk keeps things: XDG folders, or all under SOUK_HOME */
#ifndef SOUK_BASE_PATHS_H
#define SOUK_BASE_PATHS_H

#include <souk/provider.h>

struct souk_paths {
	char *config; /* $XDG_CONFIG_HOME/souk */
	char *state;  /* $XDG_STATE_HOME/souk: store, keys, logs */
	char *cache;  /* $XDG_CACHE_HOME/souk: catalogs */
	char *data;   /* $XDG_DATA_HOME/souk: the user's own provider modules */
	char *libdir; /* $libdir/souk: engine and provider modules; the build's when run from it */
	char *datadir; /* $datadir/souk: seed tables; likewise */
	char *builddir; /* the build tree, if the program stands in it; else NULL */
};

/* Fill in from the environment; makes nothing. */
int souk_paths_init(struct souk_paths *paths, struct souk_error *err);
void souk_paths_fini(struct souk_paths *paths);

/* Make paths->state (0700) and 'name' in it; *path_out is the caller's. */
int souk_paths_state_dir(const struct souk_paths *paths, const char *name, char **path_out,
			 struct souk_error *err);

#endif
