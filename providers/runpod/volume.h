/* SPDX-License-Identifier: Apache-2.0 */
/* volume.h - what a pod is given besides its container disk */
#ifndef SOUK_RUNPOD_VOLUME_H
#define SOUK_RUNPOD_VOLUME_H

#include <json.h>

#include "runpod.h"

#define RUNPOD_VOLUME_PATH "/workspace"

/* By the settings; the texts are the settings'. Neither: there is none. */
struct runpod_volume {
	uint32_t gb;	     /* of one on the pod's own machine, which goes with the pod */
	const char *network; /* the id of one that is there already, and stays */
	const char *path;    /* where the pod sees it */
};

/* Settings that contradict each other, or that RunPod cannot do, are INVALID. */
int runpod_volume_read(const struct souk_call *call, struct runpod_volume *out,
		       struct souk_error *err);
/* Add it to the body of a create. */
int runpod_volume_put(const struct runpod_volume *volume, struct json_object *body);

#endif
