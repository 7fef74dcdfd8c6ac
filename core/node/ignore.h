/* SPDX-License-Identifier: Apache-2.0 */
/* node/ignore.h - the files of a folder that are to be copied, by the rules of ignore files */
#ifndef SOUK_NODE_IGNORE_H
#define SOUK_NODE_IGNORE_H

#include "base/strv.h"

/*
 * The paths below 'folder' that are to be copied, relative to it, folders before what is in
 * them, each ended by NUL in 'out' (initialised by the caller). A .soukignore or .skyignore at the
 * top decides alone; else every .gitignore on the way, and .git/info/exclude. The patterns are
 * those of gitignore(5). Symbolic links are listed, not followed. *n_out counts the paths.
 */
int souk_ignore_list(const char *folder, struct souk_buf *out, size_t *n_out,
		     struct souk_error *err);

/* Does one gitignore(5) pattern match a path relative to the pattern's folder? Pure; for tests. */
int souk_ignore_match(const char *pattern, const char *path, int is_dir);

#endif
