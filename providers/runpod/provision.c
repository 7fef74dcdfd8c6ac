/* SPDX-License-Identifier: Apache-2.0 */
/* provision.c - make a pod whose sshd has our key, and the host key that we expect */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "gpus.h"
#include "runpod.h"
#include "pods.h"
#include "volume.h"

#define IMAGE_GPU "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"
#define IMAGE_GPU_CUDA "12.8" /* what the machine's driver has to be able to do for it */
#define IMAGE_CPU "runpod/base:1.0.2-ubuntu2404"

enum { MAX_DISK_GB = 100000, MAX_START = 16384 };

/*
 * What the container runs first: it gives sshd the one host key that souk knows, and lets souk in;
 * then the image's own start, or, in an image that has none, sshd alone. An image without sshd
 * gets one from its distribution. The environment has the keys; the private one is taken out of
 * it before anything else is started.
 */
static const char start_script[] =
	"umask 077\n"
	"mkdir -p /root/.ssh /etc/ssh /run/sshd\n"
	"chmod 755 /run/sshd /etc/ssh\n"
	"printf '%s\\n' \"$PUBLIC_KEY\" >>/root/.ssh/authorized_keys\n"
	"if ! command -v sshd >/dev/null && [ ! -x /usr/sbin/sshd ]; then\n"
	"  if command -v apt-get >/dev/null; then\n"
	"    apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y openssh-server sudo\n"
	"  elif command -v apk >/dev/null; then apk add openssh-server\n"
	"  elif command -v dnf >/dev/null; then dnf install -y openssh-server\n"
	"  fi\n"
	"fi\n"
	"if [ -n \"$SOUK_HOST_KEY\" ]; then\n"
	"  rm -f /etc/ssh/ssh_host_*\n"
	"  printf '%s' \"$SOUK_HOST_KEY\" | base64 -d >/etc/ssh/ssh_host_ed25519_key\n"
	"  printf '%s\\n' \"$SOUK_HOST_KEY_PUBLIC\" >/etc/ssh/ssh_host_ed25519_key.pub\n"
	"  { echo 'HostKey /etc/ssh/ssh_host_ed25519_key'; cat /etc/ssh/sshd_config; } "
	">/etc/ssh/sshd_config.souk\n"
	"  mv /etc/ssh/sshd_config.souk /etc/ssh/sshd_config\n"
	"fi\n"
	"unset SOUK_HOST_KEY SOUK_START\n"
	"umask 022\n"
	"[ ! -x /start.sh ] || exec /start.sh\n"
	"exec /usr/sbin/sshd -D -e\n";

struct order {
	struct runpod *runpod;
	struct souk_call *call;
	const struct souk_instance_spec *spec;
	struct runpod_type type;
	char gpu_id[256];
	struct runpod_volume volume;
	struct json_object *places; /* ids of data centres; NULL: anywhere */
};

static int put_base64(struct json_object *env, const char *name, const char *text)
{
	struct souk_buf coded;
	int ret = -1;

	souk_buf_init(&coded, 2 * MAX_START);
	souk_buf_base64(&coded, text, strlen(text));
	if (souk_buf_failed(&coded, NULL) == SOUK_OK)
		ret = souk_json_put_text(env, name, coded.data, NULL);
	souk_buf_fini(&coded);
	return ret;
}

/* A key as it stands in a file of keys: no line break at its end. */
static int put_line(struct json_object *env, const char *name, const char *text)
{
	return souk_json_put(env, name, json_object_new_string_len(text, (int)strcspn(text, "\r\n")), NULL);
}

static struct json_object *make_env(const struct order *order)
{
	const struct souk_instance_spec *spec = order->spec;
	struct json_object *env = json_object_new_object();

	if (!env)
		return NULL;
	if (souk_json_put_text(env, RUNPOD_ENV_CLUSTER, spec->cluster, NULL) < 0 ||
	    souk_json_put_text(env, RUNPOD_ENV_OWNER, spec->owner ? spec->owner : "", NULL) < 0 ||
	    souk_json_put_text(env, RUNPOD_ENV_TOKEN, spec->request_token, NULL) < 0 ||
	    souk_json_put_text(env, RUNPOD_ENV_REGION, spec->region, NULL) < 0 ||
	    souk_json_put_text(env, RUNPOD_ENV_TYPE, spec->instance_type, NULL) < 0 ||
	    souk_json_put_text(env, RUNPOD_ENV_USER, "root", NULL) < 0 ||
	    put_line(env, "PUBLIC_KEY", spec->ssh_public_key) < 0 ||
	    put_base64(env, "SOUK_START", start_script) < 0 ||
	    (spec->host_key_private && spec->host_key_public &&
	     (put_base64(env, "SOUK_HOST_KEY", spec->host_key_private) < 0 ||
	      put_line(env, RUNPOD_ENV_HOST_KEY, spec->host_key_public) < 0))) {
		json_object_put(env);
		return NULL;
	}
	return env;
}

static struct json_object *make_compute(const struct order *order, int needs_cuda)
{
	struct json_object *compute = json_object_new_object();
	int bad;

	if (!compute)
		return NULL;
	if (order->type.gpus)
		bad = souk_json_put_text(compute, "id", order->gpu_id, NULL) < 0 ||
		      souk_json_put(compute, "count", json_object_new_int((int)order->type.gpus), NULL) < 0 ||
		      (needs_cuda && souk_json_put_text(compute, "minCudaVersion", IMAGE_GPU_CUDA, NULL) < 0);
	else
		bad = souk_json_put_text(compute, "id", order->type.flavor, NULL) < 0 ||
		      souk_json_put(compute, "vcpuCount", json_object_new_int((int)order->type.vcpus), NULL) < 0;
	if (!bad)
		return compute;
	json_object_put(compute);
	return NULL;
}

static struct json_object *make_ports(void)
{
	struct json_object *ports = json_object_new_array();

	if (souk_json_put_item(ports, json_object_new_string("22/tcp"), NULL) == SOUK_OK)
		return ports;
	json_object_put(ports);
	return NULL;
}

/* What runs without a wish of the user's. AMD's GPUs have no image that would do for all. */
static const char *choose_image(const struct order *order, int *needs_cuda, struct souk_error *err)
{
	const char *image = order->spec->image;

	*needs_cuda = 0;
	if (!image || !*image)
		image = souk_call_option(order->call, "image");
	if (image && *image)
		return image;
	if (!order->type.gpus)
		return IMAGE_CPU;
	if (strncmp(order->gpu_id, "AMD", 3) == 0) {
		souk_error_set(err, SOUK_E_INVALID, "no image is known for '%.60s'",
			       order->gpu_id);
		souk_error_hint(err, "name one: 'image_id' in the task, or --set runpod.image=...");
		return NULL;
	}
	*needs_cuda = 1;
	return IMAGE_GPU;
}

static struct json_object *make_body(const struct order *order, struct souk_error *err)
{
	const struct souk_instance_spec *spec = order->spec;
	struct json_object *body = json_object_new_object();
	uint64_t disk_gb = runpod_disk_gb(spec, &order->type);
	const char *image;
	char name[100];
	int needs_cuda;

	image = choose_image(order, &needs_cuda, err);
	if (!image) {
		json_object_put(body);
		return NULL;
	}
	(void)snprintf(name, sizeof(name), "souk-%.40s-%.40s", spec->cluster, spec->request_token);
	if (souk_json_put_text(body, "name", name, NULL) < 0 ||
	    souk_json_put_text(body, "image", image, NULL) < 0 ||
	    souk_json_put_text(body, "cloud", runpod_cloud_name(order->type.cloud), NULL) < 0 ||
	    souk_json_put(body, order->type.gpus ? "gpu" : "cpu", make_compute(order, needs_cuda), NULL) < 0 ||
	    souk_json_put(body, "disk", json_object_new_int64((int64_t)disk_gb), NULL) < 0 ||
	    souk_json_put(body, "ports", make_ports(), NULL) < 0 ||
	    souk_json_put(body, "env", make_env(order), NULL) < 0 ||
	    runpod_volume_put(&order->volume, body) < 0 ||
	    souk_json_put_text(body, "args",
		     "bash -c 'echo \"$SOUK_START\" | base64 -d >/tmp/.souk-start; "
		     "exec bash /tmp/.souk-start'", NULL) < 0 ||
	    (spec->count > 1 &&
	     souk_json_put(body, "globalNetworking", json_object_new_boolean(1), NULL) < 0) ||
	    (order->places &&
	     souk_json_put(body, "dataCenterIds", json_object_get(order->places), NULL) < 0)) {
		json_object_put(body);
		souk_error_nomem(err);
		return NULL;
	}
	return body;
}

/* ---- What has to be known first -------------------------------------------------------------- */

static int check_spec(const struct souk_instance_spec *spec, struct souk_error *err)
{
	const char *what = NULL;

	if (!spec->count)
		return souk_error_set(err, SOUK_E_INVALID, "no pods are asked for");
	if (spec->spot)
		what = "this API of RunPod has no spot machines";
	else if (spec->n_ports)
		what = "ports of a pod are mapped to others, which souk does not do yet";
	else if (spec->disk_size_mib > (uint64_t)MAX_DISK_GB * 1024)
		what = "no disk is that large";
	if (!spec->ssh_public_key)
		return souk_error_set(err, SOUK_E_INVALID, "login key: no value");
	if (!what)
		return SOUK_OK;
	souk_error_set(err, SOUK_E_UNSUPPORTED, "%s", what);
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

/* Pods reach each other in RunPod's own network alone, which is for these. */
static int check_network(const struct order *order, struct souk_error *err)
{
	if (order->spec->count == 1 || (order->type.gpus && order->type.cloud == RUNPOD_SECURE &&
					strncmp(order->gpu_id, "AMD", 3) != 0))
		return SOUK_OK;
	return souk_error_set(err, SOUK_E_UNSUPPORTED,
			      "pods of '%.90s' do not reach each other: several nodes take NVIDIA's GPUs "
			      "in the secure cloud", order->spec->instance_type);
}

/* A GPU that is new has a name made of its id, so that its id has to be looked up. */
static int look_up_gpu(struct order *order, struct souk_error *err)
{
	static const struct runpod_request request = {
		.what = "ListGpuTypes",
		.doing = "look up a GPU",
		.path = "/v2/catalog/gpus",
		.flags = SOUK_HTTP_RETRY,
	};
	const struct runpod_gpu *known = runpod_gpu_by_name(order->type.gpu);
	RUNPOD_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *list, *item;
	char name[RUNPOD_NAME_SIZE];
	const char *id = "";
	size_t n, i;
	int ret;

	if (known) {
		(void)snprintf(order->gpu_id, sizeof(order->gpu_id), "%s", known->id);
		return SOUK_OK;
	}
	if (order->runpod->is_rehearsed)
		(void)snprintf(order->runpod->rehearsed_gpu, RUNPOD_NAME_SIZE, "%s",
			       order->type.gpu);
	ret = runpod_send(order->runpod, order->call, &request, &reply, err);
	if (ret == SOUK_OK)
		ret = runpod_list(reply, "gpus", &list, &n, err);
	for (i = 0; ret == SOUK_OK && i < n; i++) {
		ret = souk_json_item(list, "gpus[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = souk_json_text(item, "gpus[]", "id", &id, err);
		if (ret < 0 || !runpod_gpu_name(id, name) || strcmp(name, order->type.gpu) != 0)
			continue;
		(void)snprintf(order->gpu_id, sizeof(order->gpu_id), "%s", id);
		return SOUK_OK;
	}
	if (ret < 0)
		return ret;
	return souk_error_set(err, SOUK_E_UNSUPPORTED, "RunPod has no GPU named '%.60s'",
			      order->type.gpu);
}

static int add_place(struct order *order, const char *id, struct souk_error *err)
{
	if (!order->places)
		order->places = json_object_new_array();
	return souk_json_put_item(order->places, json_object_new_string(id), err);
}

/* A country without a data centre is all its data centres; RunPod takes no countries here. */
static int look_up_places(struct order *order, struct souk_error *err)
{
	static const struct runpod_request request = {
		.what = "ListDataCenters",
		.doing = "list the data centres",
		.path = "/v2/catalog/datacenters",
		.flags = SOUK_HTTP_RETRY,
	};
	RUNPOD_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *list, *item;
	char country[RUNPOD_NAME_SIZE];
	const char *id;
	size_t n, i;
	int ret;

	if (order->spec->zone)
		return add_place(order, order->spec->zone, err);
	if (strcmp(order->spec->region, "any") == 0)
		return SOUK_OK;
	ret = runpod_send(order->runpod, order->call, &request, &reply, err);
	if (ret == SOUK_OK)
		ret = runpod_list(reply, "dataCenters", &list, &n, err);
	for (i = 0; ret == SOUK_OK && i < n; i++) {
		ret = souk_json_item(list, "dataCenters[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = souk_json_text(item, "dataCenters[]", "id", &id, err);
		if (ret == SOUK_OK && runpod_country(id, country) &&
		    strcmp(country, order->spec->region) == 0)
			ret = add_place(order, id, err);
	}
	if (ret == SOUK_OK && !order->places) {
		souk_error_set(err, SOUK_E_NOT_FOUND, "RunPod has no data centre in '%.60s'",
			       order->spec->region);
		ret = souk_error_scope(err, SOUK_SCOPE_REGION);
	}
	return ret;
}

/* ---- The op ---------------------------------------------------------------------------------- */

/* The siblings of a pod stand where it does. */
static int stay_at(struct order *order, const char *center, struct souk_error *err)
{
	if (!center || !center[0])
		return SOUK_OK;
	json_object_put(order->places);
	order->places = NULL;
	return add_place(order, center, err);
}

static int create(struct order *order, struct souk_instance_list *out, struct souk_error *err)
{
	RUNPOD_AUTO_JSON struct json_object *body = make_body(order, err);
	RUNPOD_AUTO_JSON struct json_object *pod = NULL;
	struct souk_error why = SOUK_ERROR_INIT;
	char doing[200];
	struct runpod_request request = {
		.what = "CreatePod",
		.doing = doing,
		.method = "POST",
		.path = "/v2/pods",
		.flags = SOUK_HTTP_MUTATES | SOUK_HTTP_SECRET_BODY | SOUK_HTTP_SECRET_REPLY,
		.is_create = 1,
	};
	int ret;

	if (!body)
		return err ? err->code : SOUK_E_NOMEM;
	request.body = souk_json_body(body);
	if (!request.body)
		return souk_error_nomem(err);
	(void)snprintf(doing, sizeof(doing), "start %.90s in '%.60s'", order->spec->instance_type,
		       order->spec->zone ? order->spec->zone : order->spec->region);
	ret = runpod_send(order->runpod, order->call, &request, &pod, &why);
	if (ret == SOUK_OK)
		ret = pod ? runpod_pod_add(pod, NULL, out, &why) :
			    souk_error_set(&why, SOUK_E_INTERNAL, "cannot %s: no pod in the answer",
					   doing);
	if (ret >= 0)
		return order->spec->count > 1 ?
			       stay_at(order, souk_json_maybe_text(pod, "dataCenterId"), err) : SOUK_OK;
	/* By an answer that is lost, or that cannot be read, it may be there. */
	souk_error_doubtful(&why);
	return souk_error_copy(&why, err);
}

static int read_order(struct order *order, struct souk_error *err)
{
	const struct souk_instance_spec *spec = order->spec;
	int ret = check_spec(spec, err);

	if (ret == SOUK_OK && !runpod_type_parse(spec->instance_type, &order->type))
		ret = souk_error_set(err, SOUK_E_UNSUPPORTED, "RunPod sells no '%.90s'",
				     spec->instance_type);
	if (ret == SOUK_OK)
		ret = runpod_volume_read(order->call, &order->volume, err);
	if (ret == SOUK_OK && order->volume.gb && !order->type.gpus)
		ret = souk_error_set(err, SOUK_E_UNSUPPORTED,
				     "volume_gb: RunPod gives pods without a GPU no volume of their own");
	return ret;
}

/* RunPod takes no token: who asks again is told of the pods that have it. With the token's lock. */
static int provision(struct order *order, struct souk_instance_list *out, struct souk_error *err)
{
	char center[RUNPOD_NAME_SIZE] = "";
	const struct runpod_wanted wanted = { .token = order->spec->request_token, .center = center };
	uint32_t made;
	int ret = runpod_pods_find(order->runpod, order->call, &wanted, out, err);

	if (ret < 0)
		return ret;
	made = (uint32_t)ret;
	if (made >= order->spec->count)
		return SOUK_OK;
	ret = order->type.gpus ? look_up_gpu(order, err) : SOUK_OK;
	if (ret == SOUK_OK)
		ret = check_network(order, err);
	if (ret == SOUK_OK)
		ret = center[0] ? stay_at(order, center, err) : look_up_places(order, err);
	/* All or none: those that were made are in 'out', and the core gives them back. */
	for (; ret == SOUK_OK && made < order->spec->count; made++)
		ret = create(order, out, err);
	json_object_put(order->places);
	return ret;
}

int runpod_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		     struct souk_instance_list *out, struct souk_error *err)
{
	struct order order = { .runpod = self, .call = call, .spec = spec };
	struct souk_lock *lock = NULL;
	int ret = read_order(&order, err);

	/* Who asks at the same time must find what is made here. */
	if (ret == SOUK_OK)
		ret = souk_call_lock(call, spec->request_token, &lock, err);
	if (ret == SOUK_OK)
		ret = provision(&order, out, err);
	souk_lock_free(lock);
	return ret;
}
