/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/keys.c - the keys of a cluster, in its folder under the state folder */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/util.h"
#include "fleet/cluster.h"

#define KEY_MAX 65536

static char *folder_of(const struct souk_fleet *fleet, const char *cluster)
{
	char *folder = NULL;

	if (asprintf(&folder, "%s/clusters/%s", fleet->paths->state, cluster) < 0)
		return NULL;
	return folder;
}

static int make_pair(const char *folder, const char *name, const char *cluster, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, name);
	SOUK_AUTO_FREE char *public_path = NULL;
	SOUK_AUTO_FREE char *comment = NULL;
	char *private_key = NULL, *public_key = NULL;
	int ret;

	if (!path || asprintf(&public_path, "%s.pub", path) < 0) {
		public_path = NULL;
		return souk_error_nomem(err);
	}
	if (asprintf(&comment, "souk-%s", cluster) < 0) {
		comment = NULL;
		return souk_error_nomem(err);
	}
	ret = souk_ssh_keygen(comment, &private_key, &public_key, err);
	if (ret < 0)
		return ret;
	/* The private half comes last: while it is not there, there is no pair. */
	ret = souk_fs_write(public_path, public_key, strlen(public_key), 0600, err);
	if (ret == SOUK_OK)
		ret = souk_fs_write(path, private_key, strlen(private_key), 0600, err);
	souk_wipe(private_key, strlen(private_key));
	free(private_key);
	free(public_key);
	return ret;
}

static int load_pair(const char *folder, const char *name, const char *cluster, char **private_out,
		     char **public_out, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, name);
	SOUK_AUTO_FREE char *public_path = NULL;
	int ret = SOUK_OK;

	if (!path || asprintf(&public_path, "%s.pub", path) < 0) {
		public_path = NULL;
		return souk_error_nomem(err);
	}
	if (!souk_fs_is_file(path))
		ret = make_pair(folder, name, cluster, err);
	if (ret == SOUK_OK)
		ret = souk_fs_read(path, KEY_MAX, private_out, NULL, err);
	if (ret == SOUK_OK)
		ret = souk_fs_read(public_path, KEY_MAX, public_out, NULL, err);
	if (ret == SOUK_OK)
		(*public_out)[strcspn(*public_out, "\r\n")] = '\0';
	return ret;
}

int fleet_keys_load(struct souk_fleet *fleet, const char *cluster, struct fleet_keys *keys_out,
		    struct souk_error *err)
{
	struct fleet_keys keys = { .folder = folder_of(fleet, cluster) };
	int ret;

	if (!keys.folder)
		return souk_error_nomem(err);
	ret = souk_fs_mkdir(keys.folder, 0700, err);
	if (ret == SOUK_OK)
		ret = load_pair(keys.folder, "id_ed25519", cluster, &keys.private_key,
				&keys.public_key, err);
	if (ret == SOUK_OK)
		ret = load_pair(keys.folder, "host_ed25519", cluster, &keys.host_private,
				&keys.host_public, err);
	if (ret == SOUK_OK)
		ret = load_pair(keys.folder, "node_ed25519", cluster, &keys.node_private,
				&keys.node_public, err);
	if (ret < 0) {
		fleet_keys_fini(&keys);
		return ret;
	}
	*keys_out = keys;
	return SOUK_OK;
}

static void free_secret(char *text)
{
	if (text)
		souk_wipe(text, strlen(text));
	free(text);
}

void fleet_keys_fini(struct fleet_keys *keys)
{
	free(keys->folder);
	free_secret(keys->private_key);
	free(keys->public_key);
	free_secret(keys->host_private);
	free(keys->host_public);
	free_secret(keys->node_private);
	free(keys->node_public);
	*keys = (struct fleet_keys){ 0 };
}

int fleet_keys_remove(struct souk_fleet *fleet, const char *cluster, struct souk_error *err)
{
	SOUK_AUTO_FREE char *folder = folder_of(fleet, cluster);

	return folder ? souk_fs_remove(folder, err) : souk_error_nomem(err);
}
