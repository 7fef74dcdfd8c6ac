/* SPDX-License-Identifier: Apache-2.0 */
/* node/sync.h - copying the user's files to a machine */
#ifndef SOUK_NODE_SYNC_H
#define SOUK_NODE_SYNC_H

#include "node/remote.h"

struct souk_sync {
	struct souk_remote *remote;
	const char *ssh_config;	    /* of the cluster, for rsync; NULL: never rsync */
	const char *alias;	    /* of the node in it */
	int compress;
	struct souk_cancel *cancel;
};

/*
 * Copy the contents of a local folder into the remote folder 'target' (made if need be; "~/x"
 * and relative paths are below HOME), by the rules of its ignore files. Files that are only
 * there stay. By rsync if both ends have it, else by tar.
 */
int souk_sync_folder(const struct souk_sync *sync, const char *folder, const char *target,
		     struct souk_error *err);

/* Copy one local file to the remote path 'target'. */
int souk_sync_file(const struct souk_sync *sync, const char *file, const char *target,
		   struct souk_error *err);

/* Clone a git repository into the workdir, at a branch, tag or commit (NULL: its default).
 * 'token' (may be NULL) is for https and reaches the machine on stdin alone. */
int souk_sync_git(const struct souk_sync *sync, const char *url, const char *ref,
		  const char *token, struct souk_error *err);

#endif
