/* SPDX-License-Identifier: Apache-2.0 */
/* provision.c - make machines: all of them in one zone, or none */

#include <stdio.h>
#include <string.h>

#include "machines.h"
#include "market.h"

enum { MAX_ZONES = 32, MAX_USER_DATA = 64 * 1024,
       INSERT_BUDGET_MS = 90000, DELETE_BUDGET_MS = 90000,
       WIDTH = 8 };

/* ---- What can be asked for ---- */

static int invalid_label(const char *key, const char *value, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_INVALID, "not a label of Google Cloud: '%.64s: %.64s'", key,
		       value);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return souk_error_hint(err, "lower case letters, digits, '-' and '_', at most 63; a key "
				    "begins with a letter");
}

static int check_spec(const struct souk_instance_spec *spec, struct souk_error *err)
{
	uint32_t i;

	if (!spec->count || spec->count > GCP_MAX_MACHINES)
		return souk_error_set(err, SOUK_E_INVALID, "cannot make %u machines at once: at most "
				      "%d", spec->count, GCP_MAX_MACHINES);
	if (!gcp_is_name(spec->instance_type) || !gcp_is_name(spec->region) ||
	    (spec->zone && !gcp_is_name(spec->zone)))
		return souk_error_set(err, SOUK_E_INVALID,
				      "not a machine type in a region: '%.64s', '%.64s'",
				      spec->instance_type, spec->region);
	if (!gcp_is_label_value(spec->request_token) || !gcp_is_label_value(spec->cluster) ||
	    strlen(spec->request_token) > 40 || strlen(spec->cluster) > 40 ||
	    !spec->request_token[0] || !spec->cluster[0])
		return souk_error_set(err, SOUK_E_INVALID, "not a token or a cluster: '%.64s', "
				      "'%.64s'", spec->request_token, spec->cluster);
	for (i = 0; i < spec->n_labels; i++)
		if (!gcp_is_label_key(spec->labels[i].key) ||
		    !gcp_is_label_value(spec->labels[i].value))
			return invalid_label(spec->labels[i].key, spec->labels[i].value, err);
	if (!spec->ssh_public_key || strlen(spec->ssh_public_key) > 2048 ||
	    strchr(spec->ssh_public_key, '\n'))
		return souk_error_set(err, SOUK_E_INVALID, "the login key is not one line");
	return SOUK_OK;
}

/* Google's name of the GPU to be attached to an N1 machine; others have theirs built in. */
static int find_gpu(const struct souk_instance_spec *spec, const char **out,
		    struct souk_error *err)
{
	static const struct {
		const char *name, *type;
	} gpus[] = {
		{ "T4", "nvidia-tesla-t4" },	 { "P4", "nvidia-tesla-p4" },
		{ "P100", "nvidia-tesla-p100" }, { "V100", "nvidia-tesla-v100" },
	};
	size_t i;

	*out = NULL;
	if (!spec->accelerator || !spec->accelerator_milli ||
	    strncmp(spec->instance_type, "n1-", 3) != 0)
		return SOUK_OK;
	for (i = 0; i < GCP_ARRAY_SIZE(gpus); i++)
		if (strcmp(gpus[i].name, spec->accelerator) == 0 &&
		    spec->accelerator_milli % 1000 == 0) {
			*out = gpus[i].type;
			return SOUK_OK;
		}
	return souk_error_set(err, SOUK_E_UNSUPPORTED, "'%s' cannot have '%.32s'",
			      spec->instance_type, spec->accelerator);
}

/* ---- Machines that are there ---- */

struct seen {
	uint32_t n;
	char zone[GCP_NAME_SIZE];
	struct souk_instance_list *out;
};

static int take_seen(void *arg, struct json_object *object, struct souk_error *err)
{
	struct seen *seen = arg;
	const char *zone = souk_json_maybe_text(object, "zone");

	(void)err;
	seen->n++;
	if (zone && gcp_is_name(gcp_basename(zone)))
		snprintf(seen->zone, sizeof(seen->zone), "%s", gcp_basename(zone));
	return seen->out ? gcp_instance_add(object, seen->out, err) : SOUK_OK;
}

static int of_token(const struct gcp_client *client, const char *token, struct seen *seen,
		    struct souk_error *err)
{
	const struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .request_token = token,
	};

	return gcp_instances_each(client, &filter, take_seen, seen, err);
}

/* ---- Zones ---- */

struct zones {
	const struct souk_instance_spec *spec;
	char names[MAX_ZONES][GCP_NAME_SIZE];
	size_t n;
};

static int take_zones(void *arg, struct json_object *page, struct souk_error *err)
{
	struct zones *zones = arg;
	struct json_object *items = NULL;
	size_t len = strlen(zones->spec->region);
	int ret = gcp_json_object(page, "items", &items, err);

	if (ret <= 0)
		return ret;
	json_object_object_foreach(items, scope, value)
	{
		const char *zone = gcp_basename(scope);
		struct json_object *list = NULL;

		if (strncmp(zone, zones->spec->region, len) != 0 || zone[len] != '-' ||
		    strchr(zone + len + 1, '-') || !gcp_is_name(zone) || zones->n == MAX_ZONES ||
		    gcp_json_array(value, "machineTypes", &list, NULL) <= 0 ||
		    !json_object_array_length(list))
			continue;
		snprintf(zones->names[zones->n++], GCP_NAME_SIZE, "%s", zone);
	}
	return SOUK_OK;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The zone that is asked for, or all of the region that sell the type, by name. */
static int find_zones(const struct gcp_client *client, struct zones *zones,
		      struct souk_error *err)
{
	const struct souk_instance_spec *spec = zones->spec;
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	struct gcp_request request = {
		.what = "machineTypes.aggregatedList",
		.doing = "look for zones",
		.permission = "compute.machineTypes.list",
		.flags = SOUK_HTTP_RETRY,
	};
	int ret;

	if (spec->zone) {
		snprintf(zones->names[zones->n++], GCP_NAME_SIZE, "%s", spec->zone);
		return SOUK_OK;
	}
	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_compute_url(client, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "aggregated/machineTypes?maxResults=500&filter=name%%3D%s",
			spec->instance_type);
	request.url = url.data;
	ret = gcp_pages(client, &request, take_zones, zones, err);
	if (ret < 0)
		return ret;
	qsort(zones->names, zones->n, sizeof(zones->names[0]), compare_names);
	if (zones->n)
		return SOUK_OK;
	return souk_error_set(err, SOUK_E_UNSUPPORTED, "'%s' is not sold in '%s'",
			      spec->instance_type, spec->region);
}

/* ---- Making them ---- */

struct batch {
	const struct gcp_order *order;
	const char *zone;
	char doing[160];
};

/* The id by which the cloud knows a request that it is sent again. */
static int name_request(const struct batch *batch, uint32_t i, char id[37], struct souk_error *err)
{
	if (atomic_load(&batch->order->client->gcp->rehearses)) {
		snprintf(id, 37, "REQUEST-ID");
		return SOUK_OK;
	}
	return gcp_request_id(batch->order->salt, batch->zone, i, id, err);
}

/* A machine of that name: ours if it carries the token and is not on its way out. */
static int adopt(const struct batch *batch, const char *name, struct souk_error *err)
{
	GCP_AUTO_JSON struct json_object *object = NULL;
	const char *token, *status;
	int ret = gcp_instance_get(batch->order->client, batch->zone, name, &object, err);

	if (ret <= 0)
		return ret < 0 ? ret : souk_error_set(err, SOUK_E_TRANSIENT,
						      "'%s' is there and is not shown yet", name);
	token = gcp_instance_meta(object, GCP_LABEL_TOKEN);
	if (!token || strcmp(token, batch->order->spec->request_token) != 0)
		return souk_error_set(err, SOUK_E_CONFLICT, "another machine is named '%s'", name);
	status = souk_json_maybe_text(object, "status");
	if (status && (gcp_instance_status(status) == SOUK_INSTANCE_PENDING ||
		       gcp_instance_status(status) == SOUK_INSTANCE_RUNNING))
		return SOUK_OK;
	return souk_error_set(err, SOUK_E_TRANSIENT, "'%s' of an earlier call is still on its way out",
			      name);
}

static int insert(void *arg, uint32_t i, struct souk_error *err)
{
	const struct batch *batch = arg;
	const struct gcp_client *client = batch->order->client;
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	GCP_AUTO_JSON struct json_object *operation = NULL;
	struct gcp_request request = {
		.what = "instances.insert",
		.doing = batch->doing,
		.permission = "compute.instances.create",
		.method = "POST",
		/* The request's id makes it safe to send it again. */
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_BODY,
		.timeout_ms = 60000,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	char name[GCP_NAME_SIZE];
	char scope[GCP_NAME_SIZE + 8];
	char id[37];
	char *body = NULL;
	int ret;

	gcp_machine_name(batch->order->spec->request_token, i, name);
	snprintf(scope, sizeof(scope), "zones/%s", batch->zone);
	souk_buf_init(&url, GCP_MAX_URL);
	ret = name_request(batch, i, id, err);
	if (ret == SOUK_OK)
		ret = gcp_compute_url(client, &url, err);
	if (ret == SOUK_OK)
		ret = gcp_order_body(batch->order, batch->zone, name, &body, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "%s/instances?requestId=%s", scope, id);
	request.url = url.data;
	request.body = body;
	ret = gcp_operate(client, &request, &operation, NULL, &why);
	explicit_bzero(body, strlen(body));
	souk_text_free(body);
	if (ret == SOUK_E_CONFLICT)
		return adopt(batch, name, err);
	if (ret < 0)
		return souk_error_copy(&why, err);
	return gcp_operation_wait(client, scope, operation, batch->doing, INSERT_BUDGET_MS, err);
}

/* Waited for: until it is gone its name is taken, and the same token could not have it again. */
static int remove_one(void *arg, uint32_t i, struct souk_error *err)
{
	const struct batch *batch = arg;
	const struct gcp_client *client = batch->order->client;
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	GCP_AUTO_JSON struct json_object *operation = NULL;
	struct gcp_request request = {
		.what = "instances.delete",
		.doing = "give a machine back",
		.permission = "compute.instances.delete",
		.method = "DELETE",
		.flags = SOUK_HTTP_RETRY,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct gcp_fault fault;
	char name[GCP_NAME_SIZE];
	char scope[GCP_NAME_SIZE + 8];
	int ret;

	gcp_machine_name(batch->order->spec->request_token, i, name);
	snprintf(scope, sizeof(scope), "zones/%s", batch->zone);
	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_compute_url(client, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "%s/instances/%s", scope, name);
	request.url = url.data;
	ret = gcp_operate(client, &request, &operation, &fault, &why);
	if (ret < 0)
		return fault.status == 404 ? SOUK_OK : souk_error_copy(&why, err);
	return gcp_operation_wait(client, scope, operation, request.doing, DELETE_BUDGET_MS, err);
}

/* Some were made and some were not: none is to be left. What stays is told of in 'out'. */
static void give_back(const struct batch *batch, struct souk_instance_list *out)
{
	const struct souk_instance_spec *spec = batch->order->spec;
	struct souk_error errors[GCP_MAX_MACHINES];
	uint32_t i;

	if (!souk_call_parallel(batch->order->client->call, spec->count, WIDTH, remove_one,
				(void *)batch, errors))
		return;
	for (i = 0; i < spec->count; i++) {
		struct souk_instance left = { SOUK_INSTANCE_HEAD };
		char name[GCP_NAME_SIZE];

		if (errors[i].code == SOUK_OK)
			continue;
		gcp_machine_name(spec->request_token, i, name);
		souk_call_log(batch->order->client->call, SOUK_LOG_WARNING,
			      "cannot give '%s' back yet: %s", name, errors[i].message);
		left.id = name;
		left.region = spec->region;
		left.zone = batch->zone;
		left.cluster = spec->cluster;
		left.request_token = spec->request_token;
		left.status = SOUK_INSTANCE_FAILED;
		souk_instance_list_add(out, &left, NULL);
	}
}

/* What decides about the whole: not to be known comes first, then what is not of this place alone. */
static const struct souk_error *worst(const struct souk_error *errors, uint32_t n)
{
	const struct souk_error *found = NULL;
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (errors[i].code == SOUK_OK)
			continue;
		if (errors[i].code == SOUK_E_TIMEOUT || errors[i].code == SOUK_E_CANCELLED)
			return &errors[i];
		if (!found || errors[i].scope > found->scope)
			found = &errors[i];
	}
	return found;
}

static int make_in(const struct gcp_order *order, const char *zone, struct souk_instance_list *out,
		   struct souk_error *err)
{
	struct batch batch = { .order = order, .zone = zone };
	struct souk_error errors[GCP_MAX_MACHINES];
	uint32_t failed;

	snprintf(batch.doing, sizeof(batch.doing), "start %.64s in '%.32s'",
		 order->spec->instance_type, zone);
	failed = souk_call_parallel(order->client->call, order->spec->count, WIDTH, insert, &batch,
				    errors);
	if (failed) {
		const struct souk_error *why = worst(errors, order->spec->count);

		/* What may still come into being is looked for by the core. */
		if (why->code != SOUK_E_TIMEOUT && why->code != SOUK_E_CANCELLED)
			give_back(&batch, out);
		return souk_error_copy(why, err);
	}
	return SOUK_OK;
}

static int tell(const struct gcp_order *order, const char *zone, struct souk_instance_list *out,
		struct souk_error *err)
{
	const struct souk_instance_spec *spec = order->spec;
	uint32_t i;
	int ret = SOUK_OK;

	for (i = 0; i < spec->count && ret == SOUK_OK; i++) {
		GCP_AUTO_JSON struct json_object *object = NULL;
		struct souk_instance made = { SOUK_INSTANCE_HEAD };
		struct souk_error why = SOUK_ERROR_INIT;
		char name[GCP_NAME_SIZE];

		gcp_machine_name(spec->request_token, i, name);
		if (gcp_instance_get(order->client, zone, name, &object, &why) > 0) {
			ret = gcp_instance_add(object, out, err);
			continue;
		}
		/* It is accepted, and not shown yet. */
		made.id = name;
		made.region = spec->region;
		made.zone = zone;
		made.instance_type = spec->instance_type;
		made.cluster = spec->cluster;
		made.owner = spec->owner;
		made.request_token = spec->request_token;
		made.ssh_user = order->image.user;
		made.spot = spec->spot;
		made.host_key = order->user_data ? spec->host_key_public : NULL;
		made.status = SOUK_INSTANCE_PENDING;
		ret = souk_instance_list_add(out, &made, err);
	}
	return ret;
}

/* ---- The whole ---- */

static int make(struct gcp_order *order, struct zones *zones, struct souk_instance_list *out,
		struct souk_error *err)
{
	struct souk_error why = SOUK_ERROR_INIT;
	struct gcp_rules rules = { .tag = order->tag };
	size_t i;
	int ret = gcp_rules_ensure(order->client, order->spec, &rules, err);

	if (ret < 0)
		return ret;
	ret = SOUK_E_CAPACITY;
	for (i = 0; i < zones->n && ret == SOUK_E_CAPACITY; i++) {
		why = (struct souk_error)SOUK_ERROR_INIT;
		ret = make_in(order, zones->names[i], out, &why);
		if (ret == SOUK_OK)
			return tell(order, zones->names[i], out, err);
	}
	/* Whatever failed for certain leaves no rule behind that nobody uses. */
	if (rules.is_new && ret != SOUK_E_TIMEOUT && ret != SOUK_E_CANCELLED)
		gcp_rules_delete(order->client, order->tag, NULL);
	return souk_error_copy(&why, err);
}

static int make_user_data(struct gcp_order *order, struct souk_buf *text, struct souk_error *err)
{
	int ret;

	if (!order->image.has_cloud_init)
		return SOUK_OK;
	ret = souk_spec_cloud_config(order->spec, order->image.user, text, err);
	if (ret == SOUK_OK)
		order->user_data = text->data;
	return ret;
}

int gcp_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		  struct souk_instance_list *out, struct souk_error *err)
{
	struct gcp_client client = { self, call };
	struct gcp_order order = { .client = &client, .spec = spec };
	struct zones zones = { .spec = spec };
	struct seen seen = { 0 };
	struct souk_buf text;
	char tag[GCP_TAG_SIZE];
	int ret;

	ret = check_spec(spec, err);
	if (ret == SOUK_OK)
		ret = find_gpu(spec, &order.gpu, err);
	if (ret == SOUK_OK)
		ret = gcp_cluster_tag(spec->owner ? spec->owner : "", spec->cluster, tag, err);
	if (ret == SOUK_OK)
		ret = of_token(&client, spec->request_token, &seen, err);
	if (ret < 0)
		return ret;
	if (seen.n >= spec->count) {
		seen = (struct seen){ .out = out };
		return of_token(&client, spec->request_token, &seen, err);
	}
	/* An earlier call got part of the way: the rest goes to the same zone. */
	if (seen.n)
		snprintf(zones.names[zones.n++], GCP_NAME_SIZE, "%s", seen.zone);
	else
		ret = find_zones(&client, &zones, err);
	if (ret == SOUK_OK)
		ret = gcp_image_find(&client, spec, &order.image, err);
	if (ret == SOUK_OK)
		ret = gcp_request_salt(order.salt, err);
	if (ret < 0)
		return ret;
	souk_buf_init(&text, MAX_USER_DATA);
	order.tag = tag;
	order.disk_kind = gcp_disk_kind(spec->instance_type, spec->disk_tier);
	ret = make_user_data(&order, &text, err);
	if (ret == SOUK_OK)
		ret = make(&order, &zones, out, err);
	if (text.size)
		explicit_bzero(text.data, text.len);
	souk_buf_fini(&text);
	return ret;
}
