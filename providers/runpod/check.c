/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - is the key good, and what may it do */

#include "market.h"

const char runpod_permissions[] =
	"An API key with the permission 'All', or a 'Restricted' one that may read and write pods, made\n"
	"in the RunPod console under Settings, API Keys. A 'Read Only' key is enough for\n"
	"'souk catalog update'. These are the requests that souk sends:\n"
	"  GET    /v2/catalog/gpus, /v2/catalog/cpus, /v2/catalog/datacenters\n"
	"  GET    /v2/pods, /v2/pods/ID\n"
	"  POST   /v2/pods\n"
	"  DELETE /v2/pods/ID\n";

static int try_reading(struct runpod *runpod, struct souk_call *call, const char *what,
		       const char *path, const char *doing, struct souk_error *err)
{
	RUNPOD_AUTO_JSON struct json_object *reply = NULL;
	const struct runpod_request request = {
		.what = what, .doing = doing, .path = path, .flags = SOUK_HTTP_RETRY,
	};

	return runpod_send(runpod, call, &request, &reply, err);
}

/* A body without a name, an image and a GPU is refused by every key: one that may create pods is
 * told what is wrong with it (400, 422), one that may not is told so (403). Nothing is made. */
static int try_creating(struct runpod *runpod, struct souk_call *call, struct souk_error *err)
{
	RUNPOD_AUTO_JSON struct json_object *reply = NULL;
	const struct runpod_request request = {
		.what = "CreatePod",
		.doing = "create pods",
		.method = "POST",
		.path = "/v2/pods",
		.body = "{}",
	};
	struct souk_error why = SOUK_ERROR_INIT;
	int ret = runpod_send(runpod, call, &request, &reply, &why);

	if (ret == SOUK_OK)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "RunPod has accepted a request for a pod without a name");
	if (ret != SOUK_E_AUTH)
		return SOUK_OK;
	souk_error_set(err, SOUK_E_AUTH, "the API key may read, but not create pods");
	souk_error_reason(err, why.reason);
	return souk_error_hint(err, "make a key with the permission 'All' in the RunPod console; "
				    "'souk provider info runpod' says what is needed");
}

/* RunPod tells nobody whose a key is. */
int runpod_check(void *self, struct souk_call *call, struct souk_identity *out,
		 struct souk_error *err)
{
	struct runpod *runpod = self;
	int ret = souk_identity_set_key(out, runpod->key, err);

	if (ret == SOUK_OK)
		ret = try_reading(runpod, call, "ListPods", "/v2/pods", "list the pods", err);
	if (ret == SOUK_OK)
		ret = try_reading(runpod, call, "ListGpuTypes", "/v2/catalog/gpus",
				  "list what is on sale", err);
	if (ret == SOUK_OK)
		ret = try_creating(runpod, call, err);
	return ret;
}
