/* SPDX-License-Identifier: Apache-2.0 */
/* provision.c - make a pod whose sshd has our key, and the host key that we expect */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "gpus.h"
#include "runpod.h"
#include "pods.h"

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
	struct json_object *places; /* ids of data centres; NULL: anywhere */
};

static int put(struct json_object *object, const char *name, struct json_object *value)
{
	if (!value)
		return -1;
	if (json_object_object_add(object, name, value) < 0) {
		json_object_put(value);
		return -1;
	}
	return 0;
}

static int put_text(struct json_object *object, const char *name, const char *value)
{
	return put(object, name, json_object_new_string(value));
}

static int put_base64(struct json_object *env, const char *name, const char *text)
{
	struct souk_buf coded;
	int ret = -1;

	souk_buf_init(&coded, 2 * MAX_START);
	souk_buf_base64(&coded, text, strlen(text));
	if (souk_buf_failed(&coded, NULL) == SOUK_OK)
		ret = put_text(env, name, coded.data);
	souk_buf_fini(&coded);
	return ret;
}

/* A key as it stands in a file of keys: no line break at its end. */
static int put_line(struct json_object *env, const char *name, const char *text)
{
	return put(env, name, json_object_new_string_len(text, (int)strcspn(text, "\r\n")));
}

static struct json_object *make_env(const struct order *order)
{
	const struct souk_instance_spec *spec = order->spec;
	struct json_object *env = json_object_new_object();

	if (!env)
		return NULL;
	if (put_text(env, RUNPOD_ENV_CLUSTER, spec->cluster) < 0 ||
	    put_text(env, RUNPOD_ENV_OWNER, spec->owner ? spec->owner : "") < 0 ||
	    put_text(env, RUNPOD_ENV_TOKEN, spec->request_token) < 0 ||
	    put_text(env, RUNPOD_ENV_REGION, spec->region) < 0 ||
	    put_text(env, RUNPOD_ENV_TYPE, spec->instance_type) < 0 ||
	    put_text(env, RUNPOD_ENV_USER, "root") < 0 ||
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
		bad = put_text(compute, "id", order->gpu_id) < 0 ||
		      put(compute, "count", json_object_new_int((int)order->type.gpus)) < 0 ||
		      (needs_cuda && put_text(compute, "minCudaVersion", IMAGE_GPU_CUDA) < 0);
	else
		bad = put_text(compute, "id", order->type.flavor) < 0 ||
		      put(compute, "vcpuCount", json_object_new_int((int)order->type.vcpus)) < 0;
	if (!bad)
		return compute;
	json_object_put(compute);
	return NULL;
}

static struct json_object *make_ports(void)
{
	struct json_object *ports = json_object_new_array();
	struct json_object *ssh = json_object_new_string("22/tcp");

	if (ports && ssh && json_object_array_add(ports, ssh) == 0)
		return ports;
	json_object_put(ssh);
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
	if (!body || put_text(body, "name", name) < 0 || put_text(body, "image", image) < 0 ||
	    put_text(body, "cloud", runpod_cloud_name(order->type.cloud)) < 0 ||
	    put(body, order->type.gpus ? "gpu" : "cpu", make_compute(order, needs_cuda)) < 0 ||
	    put(body, "disk", json_object_new_int64((int64_t)disk_gb)) < 0 ||
	    put(body, "ports", make_ports()) < 0 || put(body, "env", make_env(order)) < 0 ||
	    put_text(body, "args",
		     "bash -c 'echo \"$SOUK_START\" | base64 -d >/tmp/.souk-start; "
		     "exec bash /tmp/.souk-start'") < 0 ||
	    (order->places && put(body, "dataCenterIds", json_object_get(order->places)) < 0)) {
		json_object_put(body);
		runpod_nomem(err);
		return NULL;
	}
	return body;
}

/* ---- What has to be known first -------------------------------------------------------------- */

static int check_spec(const struct souk_instance_spec *spec, struct souk_error *err)
{
	const char *what = NULL;

	if (spec->count != 1)
		what = "pods do not reach each other: one node only";
	else if (spec->spot)
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
	const char *id;
	size_t n, i;
	int ret;

	if (known) {
		(void)snprintf(order->gpu_id, sizeof(order->gpu_id), "%s", known->id);
		return SOUK_OK;
	}
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
	struct json_object *text = json_object_new_string(id);

	if (!order->places)
		order->places = json_object_new_array();
	if (text && order->places && json_object_array_add(order->places, text) == 0)
		return SOUK_OK;
	json_object_put(text);
	return runpod_nomem(err);
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

/* An answer that is lost, or that cannot be read, may be that of a pod that was made. */
static int doubtful(int code, const struct souk_error *why)
{
	return code == SOUK_E_INTERNAL || (code == SOUK_E_TRANSIENT && why->reason[0]);
}

static int create(const struct order *order, struct souk_instance_list *out, struct souk_error *err)
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
	request.body = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!request.body)
		return runpod_nomem(err);
	(void)snprintf(doing, sizeof(doing), "start %.90s in '%.60s'", order->spec->instance_type,
		       order->spec->zone ? order->spec->zone : order->spec->region);
	ret = runpod_send(order->runpod, order->call, &request, &pod, &why);
	if (ret == SOUK_OK)
		ret = pod ? runpod_pod_add(pod, NULL, out, &why) :
			    souk_error_set(&why, SOUK_E_INTERNAL, "cannot %s: no pod in the answer",
					   doing);
	if (ret >= 0)
		return SOUK_OK;
	if (doubtful(ret, &why))
		why.code = SOUK_E_TIMEOUT;
	return souk_error_copy(&why, err);
}

int runpod_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		     struct souk_instance_list *out, struct souk_error *err)
{
	struct order order = { .runpod = self, .call = call, .spec = spec };
	const struct runpod_wanted wanted = { .token = spec->request_token };
	int ret = check_spec(spec, err);

	if (ret == SOUK_OK && !runpod_type_parse(spec->instance_type, &order.type))
		ret = souk_error_set(err, SOUK_E_UNSUPPORTED, "RunPod sells no '%.90s'",
				     spec->instance_type);
	if (ret < 0)
		return ret;
	/* RunPod takes no token: who asks again is told of the pod that has it. */
	ret = runpod_pods_find(self, call, &wanted, out, err);
	if (ret != 0)
		return ret < 0 ? ret : SOUK_OK;
	if (order.type.gpus)
		ret = look_up_gpu(&order, err);
	if (ret == SOUK_OK)
		ret = look_up_places(&order, err);
	if (ret == SOUK_OK)
		ret = create(&order, out, err);
	json_object_put(order.places);
	return ret;
}
