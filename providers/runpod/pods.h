/* SPDX-License-Identifier: Apache-2.0 */
/* pods.h - machines: pods of RunPod */
#ifndef SOUK_RUNPOD_PODS_H
#define SOUK_RUNPOD_PODS_H

#include <json.h>

#include "runpod.h"

/* A pod has no tags; what it is for stands in its environment. */
#define RUNPOD_ENV_CLUSTER "SOUK_CLUSTER"
#define RUNPOD_ENV_OWNER "SOUK_OWNER"
#define RUNPOD_ENV_TOKEN "SOUK_TOKEN"
#define RUNPOD_ENV_REGION "SOUK_REGION"
#define RUNPOD_ENV_TYPE "SOUK_TYPE"
#define RUNPOD_ENV_USER "SOUK_USER"
#define RUNPOD_ENV_HOST_KEY "SOUK_HOST_KEY_PUBLIC"

/* Whether a filter wants a pod. A NULL filter wants all that is ours. */
struct runpod_wanted {
	const char *cluster, *owner, *token, *region;
	char *center; /* RUNPOD_NAME_SIZE: that of the last pod that was added; NULL: not asked for */
};

/* Add a pod of a reply to the list if it is one of ours that is wanted. 1: added. 0: not. */
int runpod_pod_add(struct json_object *pod, const struct runpod_wanted *wanted,
		   struct souk_instance_list *out, struct souk_error *err);
/* SOUK_INSTANCE_... of RunPod's word. */
int runpod_pod_status(const char *word);
/* Look through all pods of the account. Returns how many were added. */
int runpod_pods_find(struct runpod *runpod, struct souk_call *call,
		     const struct runpod_wanted *wanted, struct souk_instance_list *out,
		     struct souk_error *err);

int runpod_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		     struct souk_instance_list *out, struct souk_error *err);
int runpod_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		    uint32_t n, struct souk_instance_list *out, struct souk_error *err);
int runpod_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		    uint32_t n, struct souk_error *err);
/* rehearse.c */
int runpod_rehearse(void *self, struct souk_call *call, uint32_t scene,
		    const struct souk_http_request *request, int32_t *status_out,
		    struct souk_buf *body, struct souk_buf *permission, struct souk_error *err);
int runpod_policy(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
		  struct souk_error *err);

int runpod_list_instances(void *self, struct souk_call *call,
			  const struct souk_instance_filter *filter, struct souk_instance_list *out,
			  struct souk_error *err);

#endif
