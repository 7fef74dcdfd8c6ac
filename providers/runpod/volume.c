/* SPDX-License-Identifier: Apache-2.0 */
/* volume.c - what a pod is given besides its container disk: a volume of its own, or one on the network */

#include "volume.h"

#include <stdio.h>
#include <string.h>

/* RunPod makes none smaller. */
enum { LEAST_GB = 10, MOST_GB = 100000 };

static const char *option(const struct souk_call *call, const char *name)
{
	const char *value = souk_call_option(call, name);

	return value && *value ? value : NULL;
}

static int wrong(struct souk_error *err, const char *what)
{
	souk_error_set(err, SOUK_E_INVALID, "%s", what);
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

int runpod_volume_read(const struct souk_call *call, struct runpod_volume *out,
		       struct souk_error *err)
{
	const char *gb = option(call, "volume_gb");
	const char *path = option(call, "volume_path");
	int ret;

	*out = (struct runpod_volume){ .network = option(call, "network_volume") };
	out->path = path ? path : RUNPOD_VOLUME_PATH;
	if (gb && out->network)
		return wrong(err, "volume_gb and network_volume: a pod has one volume");
	if (out->path[0] != '/' || !out->path[1])
		return wrong(err, "volume_path: not an absolute path of a folder");
	if (!gb)
		return SOUK_OK;
	ret = souk_parse_u32("volume_gb", gb, &out->gb, err);
	if (ret < 0)
		return ret;
	if (out->gb < LEAST_GB || out->gb > MOST_GB)
		return wrong(err, "volume_gb: RunPod makes volumes of 10 to 100000 GB");
	return SOUK_OK;
}

static struct json_object *make_network(const struct runpod_volume *volume)
{
	struct json_object *list = json_object_new_array();
	struct json_object *mount = json_object_new_object();

	if (souk_json_put_text(mount, "volumeId", volume->network, NULL) == SOUK_OK &&
	    souk_json_put_text(mount, "path", volume->path, NULL) == SOUK_OK) {
		if (souk_json_put_item(list, mount, NULL) == SOUK_OK)
			return list;
		mount = NULL;
	}
	json_object_put(mount);
	json_object_put(list);
	return NULL;
}

static struct json_object *make_own(const struct runpod_volume *volume)
{
	struct json_object *mount = json_object_new_object();

	if (souk_json_put(mount, "size", json_object_new_int((int)volume->gb), NULL) == SOUK_OK &&
	    souk_json_put_text(mount, "path", volume->path, NULL) == SOUK_OK)
		return mount;
	json_object_put(mount);
	return NULL;
}

int runpod_volume_put(const struct runpod_volume *volume, struct json_object *body)
{
	struct json_object *mounts;
	int ret;

	if (!volume->gb && !volume->network)
		return SOUK_OK;
	mounts = json_object_new_object();
	ret = volume->network ? souk_json_put(mounts, "network", make_network(volume), NULL) :
				souk_json_put(mounts, "persistent", make_own(volume), NULL);
	if (ret < 0) {
		json_object_put(mounts);
		return ret;
	}
	return souk_json_put(body, "mounts", mounts, NULL);
}
