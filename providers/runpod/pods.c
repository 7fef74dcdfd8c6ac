/* SPDX-License-Identifier: Apache-2.0 */
/* pods.c - find pods, tell of them, end them */

#include "pods.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "catalog.h"
#include "gpus.h"
#include "runpod.h"

int runpod_pod_status(const char *word)
{
	static const struct {
		const char *word;
		int status;
	} table[] = {
		{ "PROVISIONING", SOUK_INSTANCE_PENDING },  { "STARTING", SOUK_INSTANCE_PENDING },
		{ "RUNNING", SOUK_INSTANCE_RUNNING },	    { "EXITED", SOUK_INSTANCE_STOPPED },
		{ "ERROR", SOUK_INSTANCE_FAILED },	    { "TERMINATED", SOUK_INSTANCE_TERMINATED },
	};
	size_t i;

	for (i = 0; i < RUNPOD_ARRAY_SIZE(table); i++)
		if (strcmp(table[i].word, word) == 0)
			return table[i].status;
	/* A word that is new is no reason to think that it has ended. */
	return SOUK_INSTANCE_PENDING;
}

/* A variable of the pod's environment; NULL: not there, or empty. */
static const char *variable(struct json_object *env, const char *name)
{
	const char *value = NULL;

	if (!env || souk_json_text_opt(env, "env", name, &value, NULL) < 0)
		return NULL;
	return value && *value ? value : NULL;
}

static int differs(const char *wanted, const char *has)
{
	return wanted && (!has || strcmp(wanted, has) != 0);
}

/* An address that goes to SSH: a name or number, nothing that could be an option. */
static int is_address(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if ((!isalnum((unsigned char)text[i]) && !strchr(".:-", text[i])) || i > 253)
			return 0;
	return i > 0 && text[0] != '-';
}

/* Where sshd of the pod is reached without the proxy, which carries no files. */
static int read_ssh(struct json_object *pod, struct souk_instance *instance, struct souk_error *err)
{
	struct json_object *ssh, *direct;
	const char *host;
	uint32_t port;
	int ret = souk_json_object_opt(pod, "pods[]", "ssh", &ssh, err);

	if (ret < 0 || !ssh)
		return ret;
	ret = souk_json_object_opt(ssh, "pods[].ssh", "direct", &direct, err);
	if (ret < 0 || !direct)
		return ret;
	if ((ret = souk_json_text(direct, "pods[].ssh.direct", "host", &host, err)) < 0 ||
	    (ret = souk_json_count(direct, "pods[].ssh.direct", "port", 65535, &port, err)) < 0)
		return ret;
	if (!is_address(host) || !port)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "RunPod's answer makes no sense: SSH at '%.60s', port %u",
				      host, (unsigned)port);
	instance->public_address = host;
	instance->ssh_port = port;
	return SOUK_OK;
}

/* How siblings reach it: an address of RunPod's own network, if the pod was given one. */
static int read_private(struct json_object *pod, struct souk_instance *instance,
			struct souk_error *err)
{
	struct json_object *network;
	int ret = souk_json_object_opt(pod, "pods[]", "globalNetworking", &network, err);

	if (ret < 0 || !network)
		return ret;
	ret = souk_json_text_opt(network, "pods[].globalNetworking", "ip",
				 &instance->private_address, err);
	if (ret == SOUK_OK && instance->private_address && !is_address(instance->private_address))
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "RunPod's answer makes no sense: an address is '%.60s'",
				      instance->private_address);
	return ret;
}

static int read_place(struct json_object *pod, struct json_object *env,
		      char country[RUNPOD_NAME_SIZE], struct souk_instance *instance,
		      struct souk_error *err)
{
	int ret = souk_json_text_opt(pod, "pods[]", "dataCenterId", &instance->zone, err);

	if (ret < 0)
		return ret;
	instance->region = variable(env, RUNPOD_ENV_REGION);
	if (!instance->region)
		instance->region = instance->zone && runpod_country(instance->zone, country) ?
					   country : "any";
	return SOUK_OK;
}

int runpod_pod_add(struct json_object *pod, const struct runpod_wanted *wanted,
		   struct souk_instance_list *out, struct souk_error *err)
{
	struct souk_instance instance = { SOUK_INSTANCE_HEAD };
	struct json_object *env;
	char country[RUNPOD_NAME_SIZE];
	const char *status, *created;
	int ret = souk_json_object_opt(pod, "pods[]", "env", &env, err);

	if (ret < 0)
		return ret;
	instance.request_token = variable(env, RUNPOD_ENV_TOKEN);
	instance.cluster = variable(env, RUNPOD_ENV_CLUSTER);
	instance.owner = variable(env, RUNPOD_ENV_OWNER);
	if (wanted && (!instance.request_token || differs(wanted->token, instance.request_token) ||
		       differs(wanted->cluster, instance.cluster) ||
		       differs(wanted->owner, instance.owner)))
		return 0;
	if ((ret = souk_json_text(pod, "pods[]", "id", &instance.id, err)) < 0 ||
	    (ret = souk_json_text(pod, "pods[]", "status", &status, err)) < 0 ||
	    (ret = souk_json_text_opt(pod, "pods[]", "createdAt", &created, err)) < 0 ||
	    (ret = read_place(pod, env, country, &instance, err)) < 0 ||
	    (ret = read_private(pod, &instance, err)) < 0)
		return ret;
	if (wanted && differs(wanted->region, instance.region))
		return 0;
	instance.status = runpod_pod_status(status);
	if (instance.status == SOUK_INSTANCE_RUNNING) {
		ret = read_ssh(pod, &instance, err);
		if (ret < 0)
			return ret;
	} else if (instance.status != SOUK_INSTANCE_PENDING) {
		instance.status_reason = status;
	}
	instance.instance_type = variable(env, RUNPOD_ENV_TYPE);
	instance.ssh_user = variable(env, RUNPOD_ENV_USER);
	instance.host_key = variable(env, RUNPOD_ENV_HOST_KEY);
	if (created && souk_parse_time("createdAt", created, &instance.created_at, NULL) < 0)
		instance.created_at = 0;
	if (wanted && wanted->center && instance.zone)
		(void)snprintf(wanted->center, RUNPOD_NAME_SIZE, "%s", instance.zone);
	ret = souk_instance_list_add(out, &instance, err);
	return ret < 0 ? ret : 1;
}

int runpod_pods_find(struct runpod *runpod, struct souk_call *call,
		     const struct runpod_wanted *wanted, struct souk_instance_list *out,
		     struct souk_error *err)
{
	/* The environment of a pod, which may hold anybody's secrets, comes with it. */
	static const struct runpod_request request = {
		.what = "ListPods",
		.doing = "list the pods",
		.path = "/v2/pods",
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY,
	};
	RUNPOD_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *list, *pod;
	size_t n, i;
	int found = 0;
	int ret = runpod_send(runpod, call, &request, &reply, err);

	if (ret == SOUK_OK)
		ret = souk_json_array(reply, "", "pods", &list, err);
	if (ret < 0)
		return ret;
	/* Not bounded as the catalogue is: what is not seen would be leaked. */
	n = json_object_array_length(list);
	for (i = 0; i < n; i++) {
		ret = souk_json_item(list, "pods[]", i, &pod, err);
		if (ret == SOUK_OK)
			ret = runpod_pod_add(pod, wanted, out, err);
		if (ret < 0)
			return ret;
		found += ret;
	}
	return found;
}

int runpod_list_instances(void *self, struct souk_call *call,
			  const struct souk_instance_filter *filter, struct souk_instance_list *out,
			  struct souk_error *err)
{
	const struct runpod_wanted wanted = {
		.cluster = filter->cluster,
		.owner = filter->owner,
		.token = filter->request_token,
		.region = filter->region,
	};
	int ret = runpod_pods_find(self, call, &wanted, out, err);

	return ret < 0 ? ret : SOUK_OK;
}

/* "/v2/pods/ID"; an id is a word. */
static int pod_path(const char *id, char path[200], struct souk_error *err)
{
	size_t i;

	for (i = 0; id[i]; i++)
		if ((!isalnum((unsigned char)id[i]) && !strchr("_-", id[i])) || i > 100)
			break;
	if (!i || id[i])
		return souk_error_set(err, SOUK_E_INVALID, "not the id of a pod: '%.60s'", id);
	(void)snprintf(path, 200, "/v2/pods/%s", id);
	return SOUK_OK;
}

static int describe_one(struct runpod *runpod, struct souk_call *call, const char *id,
			struct souk_instance_list *out, struct souk_error *err)
{
	RUNPOD_AUTO_JSON struct json_object *pod = NULL;
	char path[200];
	const struct runpod_request request = {
		.what = "GetPod",
		.doing = "look up a pod",
		.path = path,
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	int ret = pod_path(id, path, err);

	if (ret < 0)
		return ret;
	ret = runpod_send(runpod, call, &request, &pod, &why);
	if (ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	if (ret < 0)
		return souk_error_copy(&why, err);
	if (!pod)
		return souk_error_set(err, SOUK_E_INTERNAL, "RunPod's answer makes no sense: "
							    "nothing about a pod");
	ret = runpod_pod_add(pod, NULL, out, err);
	return ret < 0 ? ret : SOUK_OK;
}

int runpod_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		    uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	uint32_t i;
	int ret = SOUK_OK;

	for (i = 0; i < n && ret == SOUK_OK; i++)
		ret = describe_one(self, call, refs[i].id, out, err);
	return ret;
}

/* Deleting a pod takes its disks along; nothing else is made for one. */
static int end_one(struct runpod *runpod, struct souk_call *call, const char *id,
		   struct souk_error *err)
{
	RUNPOD_AUTO_JSON struct json_object *reply = NULL;
	char path[200];
	const struct runpod_request request = {
		.what = "DeletePod",
		.doing = "end a pod",
		.method = "DELETE",
		.path = path,
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_MUTATES,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	int ret = pod_path(id, path, err);

	if (ret < 0)
		return ret;
	ret = runpod_send(runpod, call, &request, &reply, &why);
	return ret == SOUK_OK || ret == SOUK_E_NOT_FOUND ? SOUK_OK : souk_error_copy(&why, err);
}

int runpod_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		    uint32_t n, struct souk_error *err)
{
	struct souk_error own;
	uint32_t i;
	int first = SOUK_OK;
	int ret;

	/* One that cannot be ended is no reason to leave the others. */
	for (i = 0; i < n; i++) {
		own = (struct souk_error)SOUK_ERROR_INIT;
		ret = end_one(self, call, refs[i].id, &own);
		if (ret < 0 && first == SOUK_OK)
			first = souk_error_copy(&own, err);
	}
	return first;
}
