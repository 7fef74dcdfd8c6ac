/* SPDX-License-Identifier: Apache-2.0 */
/* rehearse.c - RunPod as it would answer, for launches that send nothing; and the key they need */

#include <string.h>

#include "pods.h"
#include "runpod.h"

typedef int (*answer_fn)(const struct runpod *runpod, struct souk_buf *out);

/* The one pod that there is. It has no token, so that no launch takes it for its own. */
static int answer_pod(const struct runpod *runpod, struct souk_buf *out)
{
	(void)runpod;
	return souk_buf_str(out, "{\"id\":\"POD\",\"name\":\"NAME\",\"status\":\"RUNNING\","
				 "\"env\":{\"" RUNPOD_ENV_USER "\":\"root\"},"
				 "\"dataCenterId\":\"CENTER\","
				 "\"globalNetworking\":{\"enabled\":true,\"ip\":\"10.0.0.4\"},"
				 "\"ssh\":{\"proxy\":null,\"direct\":{\"host\":\"198.51.100.4\","
				 "\"port\":40022,\"username\":\"root\"}}}");
}

static int answer_pods(const struct runpod *runpod, struct souk_buf *out)
{
	souk_buf_str(out, "{\"pods\":[");
	answer_pod(runpod, out);
	return souk_buf_str(out, "]}");
}

static int answer_nothing(const struct runpod *runpod, struct souk_buf *out)
{
	(void)runpod;
	return souk_buf_str(out, "");
}

/* One in each country that there may be: the request does not say which is wanted. */
static int answer_centers(const struct runpod *runpod, struct souk_buf *out)
{
	char a, b;

	(void)runpod;
	souk_buf_str(out, "{\"dataCenters\":[");
	for (a = 'A'; a <= 'Z'; a++)
		for (b = 'A'; b <= 'Z'; b++)
			souk_buf_printf(out, "%s{\"id\":\"%c%c-CENTER\",\"name\":\"\"}",
					a == 'A' && b == 'A' ? "" : ",", a, b);
	return souk_buf_str(out, "]}");
}

/* A GPU that is new has a name that is made of its id, and is one itself. */
static int answer_gpus(const struct runpod *runpod, struct souk_buf *out)
{
	return souk_buf_printf(out, "{\"gpus\":[{\"id\":\"%s\",\"name\":\"\"}]}",
			       runpod->rehearsed_gpu);
}

/* Permissions: what a key's "Restricted" can be told to have, and how much of it. */
static const struct {
	const char *what;
	const char *permission;
	int32_t status;
	answer_fn answer;
} requests[] = {
	{ "CreatePod", "pods:write", 201, answer_pod },
	{ "DeletePod", "pods:write", 204, answer_nothing },
	{ "GetPod", "pods:read", 200, answer_pod },
	{ "ListDataCenters", "catalog:read", 200, answer_centers },
	{ "ListGpuTypes", "catalog:read", 200, answer_gpus },
	{ "ListPods", "pods:read", 200, answer_pods },
};

static int sold_out(int32_t *status_out, struct souk_buf *out)
{
	*status_out = 400;
	return souk_buf_str(out, "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"There are no "
				 "longer any instances available, in a rehearsal\"}");
}

int runpod_rehearse(void *self, struct souk_call *call, uint32_t scene,
		    const struct souk_http_request *request, int32_t *status_out,
		    struct souk_buf *body, struct souk_buf *permission, struct souk_error *err)
{
	struct runpod *runpod = self;
	size_t i;

	(void)call;
	runpod->is_rehearsed = 1;
	for (i = 0; i < RUNPOD_ARRAY_SIZE(requests); i++)
		if (strcmp(requests[i].what, request->what) == 0)
			break;
	if (i == RUNPOD_ARRAY_SIZE(requests)) {
		souk_error_set(err, SOUK_E_UNSUPPORTED, "no rehearsal of '%s'", request->what);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	souk_buf_str(permission, requests[i].permission);
	*status_out = requests[i].status;
	if (scene == SOUK_SCENE_REFUSED && strcmp(request->what, "CreatePod") == 0)
		sold_out(status_out, body);
	else
		requests[i].answer(runpod, body);
	return souk_buf_failed(body, err);
}

/* "pods:read", "pods:write": of a kind, sorted, the last one says how much is needed. */
int runpod_policy(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
		  struct souk_error *err)
{
	size_t len;
	uint32_t i;

	(void)self;
	souk_buf_str(out, "An API key, made in the RunPod console under Settings, API Keys, with the "
			  "permission 'Restricted' and of it:\n");
	for (i = 0; i < n; i++) {
		len = strcspn(permissions[i], ":");
		if (i + 1 < n && strncmp(permissions[i], permissions[i + 1], len + 1) == 0)
			continue;
		souk_buf_printf(out, "  %.*s: %s\n", (int)len, permissions[i],
				strcmp(permissions[i] + len, ":write") == 0 ? "read and write" : "read");
	}
	souk_buf_str(out, "One with 'All' has these.\n");
	return souk_buf_failed(out, err);
}
