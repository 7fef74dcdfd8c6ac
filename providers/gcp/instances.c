/* SPDX-License-Identifier: Apache-2.0 */
/* instances.c - what the cloud tells of machines: one, those of a cluster, those of an owner */

#include <stdio.h>
#include <string.h>

#include "machines.h"

enum { WIDTH = 8 };

int gcp_instance_status(const char *word)
{
	static const struct {
		const char *word;
		int status;
	} words[] = {
		{ "PENDING", SOUK_INSTANCE_PENDING },	    { "PROVISIONING", SOUK_INSTANCE_PENDING },
		{ "STAGING", SOUK_INSTANCE_PENDING },	    { "REPAIRING", SOUK_INSTANCE_PENDING },
		{ "RUNNING", SOUK_INSTANCE_RUNNING },	    { "PENDING_STOP", SOUK_INSTANCE_STOPPING },
		{ "STOPPING", SOUK_INSTANCE_STOPPING },	    { "SUSPENDING", SOUK_INSTANCE_STOPPING },
		{ "STOPPED", SOUK_INSTANCE_STOPPED },	    { "SUSPENDED", SOUK_INSTANCE_STOPPED },
		/* Google's word for a machine that is switched off; its disk stays. */
		{ "TERMINATED", SOUK_INSTANCE_STOPPED },
		{ "DEPROVISIONING", SOUK_INSTANCE_TERMINATING },
	};
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].status;
	return SOUK_INSTANCE_PENDING;
}

static struct json_object *first_of(struct json_object *object, const char *name)
{
	struct json_object *list = NULL;

	if (gcp_json_array(object, name, &list, NULL) <= 0 || !json_object_array_length(list))
		return NULL;
	return json_object_array_get_idx(list, 0);
}

const char *gcp_instance_meta(struct json_object *object, const char *key)
{
	struct json_object *metadata = NULL;
	struct json_object *items = NULL;
	size_t i;

	if (gcp_json_object(object, "metadata", &metadata, NULL) <= 0 ||
	    gcp_json_array(metadata, "items", &items, NULL) <= 0)
		return NULL;
	for (i = 0; i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		const char *name = souk_json_maybe_text(item, "key");

		if (name && strcmp(name, key) == 0)
			return souk_json_maybe_text(item, "value");
	}
	return NULL;
}

static const char *label(struct json_object *object, const char *key)
{
	struct json_object *labels = NULL;

	return gcp_json_object(object, "labels", &labels, NULL) > 0 ? souk_json_maybe_text(labels, key) :
								       NULL;
}

/* What was meant, if the metadata says it; else what the label has room for. */
static const char *told(struct json_object *object, const char *key)
{
	const char *text = gcp_instance_meta(object, key);

	return text ? text : label(object, key);
}

const char *gcp_instance_tag(struct json_object *object)
{
	struct json_object *tags = NULL;
	struct json_object *items = NULL;
	size_t i;

	if (gcp_json_object(object, "tags", &tags, NULL) <= 0 ||
	    gcp_json_array(tags, "items", &items, NULL) <= 0)
		return NULL;
	for (i = 0; i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);

		if (json_object_is_type(item, json_type_string) &&
		    strncmp(json_object_get_string(item), "souk-", 5) == 0 &&
		    gcp_is_name(json_object_get_string(item)))
			return json_object_get_string(item);
	}
	return NULL;
}

/* "us-east1-b" is of "us-east1"; 0 if it is no zone. */
static int region_of(const char *zone, char out[GCP_NAME_SIZE])
{
	const char *dash = strrchr(zone, '-');

	if (!gcp_is_name(zone) || !dash)
		return 0;
	snprintf(out, GCP_NAME_SIZE, "%.*s", (int)(dash - zone), zone);
	return 1;
}

static void fill_in(struct json_object *object, struct souk_instance *out)
{
	struct json_object *interface = first_of(object, "networkInterfaces");
	struct json_object *scheduling = NULL;
	const char *type = souk_json_maybe_text(object, "machineType");
	const char *model;

	out->instance_type = type ? gcp_basename(type) : NULL;
	out->cluster = told(object, GCP_LABEL_CLUSTER);
	out->owner = told(object, GCP_LABEL_OWNER);
	out->request_token = told(object, GCP_LABEL_TOKEN);
	out->private_address = souk_json_maybe_text(interface, "networkIP");
	out->public_address = souk_json_maybe_text(first_of(interface, "accessConfigs"), "natIP");
	/* Without a public address it is reached from within. */
	if (!out->public_address && !first_of(interface, "accessConfigs"))
		out->public_address = out->private_address;
	out->ssh_user = gcp_instance_meta(object, GCP_META_USER);
	out->host_key = gcp_instance_meta(object, GCP_META_HOST_KEY);
	out->status_reason = souk_json_maybe_text(object, "statusMessage");
	if (gcp_json_object(object, "scheduling", &scheduling, NULL) > 0) {
		model = souk_json_maybe_text(scheduling, "provisioningModel");
		out->spot = model && strcmp(model, "SPOT") == 0;
	}
}

/* The labels of those keys that it has. */
static uint32_t labels_of(struct json_object *object, const char *const *keys,
			  struct souk_label labels[GCP_MAX_LABEL_KEYS])
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; keys && keys[i] && i < GCP_MAX_LABEL_KEYS; i++) {
		const char *value = label(object, keys[i]);

		if (value)
			labels[n++] = (struct souk_label){ keys[i], value };
	}
	return n;
}

int gcp_instance_add(struct json_object *object, struct souk_instance_list *out,
		     struct souk_error *err)
{
	return gcp_instance_add_labelled(object, NULL, out, err);
}

int gcp_instance_add_labelled(struct json_object *object, const char *const *keys,
			      struct souk_instance_list *out, struct souk_error *err)
{
	struct souk_instance instance = { SOUK_INSTANCE_HEAD };
	struct souk_label labels[GCP_MAX_LABEL_KEYS];
	const char *name = souk_json_maybe_text(object, "name");
	const char *zone = souk_json_maybe_text(object, "zone");
	const char *status = souk_json_maybe_text(object, "status");
	const char *created = souk_json_maybe_text(object, "creationTimestamp");
	char region[GCP_NAME_SIZE];

	if (!name || !zone || !status || !region_of(gcp_basename(zone), region))
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "a machine in the reply lacks its name, zone or status");
	instance.id = name;
	instance.zone = gcp_basename(zone);
	instance.region = region;
	instance.status = gcp_instance_status(status);
	fill_in(object, &instance);
	instance.tags = labels;
	instance.n_tags = labels_of(object, keys, labels);
	if (created && souk_parse_time("created", created, &instance.created_at, NULL) < 0)
		instance.created_at = 0;
	return souk_instance_list_add(out, &instance, err);
}

/* ---- One ---- */

int gcp_instance_get(const struct gcp_client *client, const char *zone, const char *name,
		     struct json_object **out, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	struct gcp_request request = {
		.what = "instances.get",
		.doing = "look at a machine",
		.permission = "compute.instances.get",
		/* The first-boot data, with the host key in it, is among the metadata. */
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct gcp_fault fault;
	int ret;

	if (!gcp_is_name(zone) || !gcp_is_name(name))
		return souk_error_set(err, SOUK_E_INVALID, "not a machine: '%.64s' in '%.64s'", name,
				      zone);
	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_compute_url(client, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "zones/%s/instances/%s", zone, name);
	ret = souk_buf_failed(&url, err);
	if (ret < 0)
		return ret;
	request.url = url.data;
	ret = gcp_call(client, &request, out, &fault, &why);
	if (ret == SOUK_OK)
		return 1;
	return fault.status == 404 ? 0 : souk_error_copy(&why, err);
}

/* ---- Many ---- */

struct search {
	const struct souk_instance_filter *filter;
	int (*take)(void *arg, struct json_object *object, struct souk_error *err);
	void *arg;
};

/* The label may stand for more than one text: only what is really meant counts. */
static int is_wanted(const struct search *search, struct json_object *object)
{
	const struct souk_instance_filter *filter = search->filter;
	const char *zone = souk_json_maybe_text(object, "zone");
	const char *owner = told(object, GCP_LABEL_OWNER);
	char region[GCP_NAME_SIZE];

	if (filter->owner && (!owner || strcmp(owner, filter->owner) != 0))
		return 0;
	if (!filter->region)
		return 1;
	return zone && region_of(gcp_basename(zone), region) &&
	       strcmp(region, filter->region) == 0;
}

static int take_page(void *arg, struct json_object *page, struct souk_error *err)
{
	struct search *search = arg;
	struct json_object *items = NULL;
	int ret = gcp_json_object(page, "items", &items, err);

	if (ret <= 0)
		return ret;
	json_object_object_foreach(items, scope, value)
	{
		struct json_object *list = NULL;
		size_t i;

		(void)scope;
		ret = gcp_json_array(value, "instances", &list, err);
		for (i = 0; ret >= 0 && list && i < json_object_array_length(list); i++) {
			struct json_object *object = json_object_array_get_idx(list, i);

			if (is_wanted(search, object))
				ret = search->take(search->arg, object, err);
		}
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int add_term(struct souk_buf *filter, const char *key, const char *value,
		    struct souk_error *err)
{
	char text[GCP_TAG_SIZE];
	int ret;

	if (!value)
		return SOUK_OK;
	ret = gcp_label_value(value, text, err);
	if (ret == SOUK_OK)
		souk_buf_printf(filter, "%s(labels.%s = \"%s\")", filter->len ? " " : "", key, text);
	return ret;
}

/* Ask for all that a filter of Google's finds. */
static int find_all(const struct gcp_client *client, const struct souk_buf *terms,
		    struct search *search, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	struct gcp_request request = {
		.what = "instances.aggregatedList",
		.doing = "list the machines",
		.permission = "compute.instances.list",
		/* The first-boot data, with the host key in it, is among the metadata. */
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY,
	};
	int ret = souk_buf_failed(terms, err);

	souk_buf_init(&url, GCP_MAX_URL);
	if (ret == SOUK_OK)
		ret = gcp_compute_url(client, &url, err);
	if (ret < 0)
		return ret;
	/* Without returnPartialSuccess: a zone that does not answer may have a machine of ours. */
	souk_buf_str(&url, "aggregated/instances?maxResults=500&filter=");
	souk_buf_urlencode(&url, terms->data);
	ret = souk_buf_failed(&url, err);
	if (ret < 0)
		return ret;
	request.url = url.data;
	return gcp_pages(client, &request, take_page, search, err);
}

int gcp_instances_each(const struct gcp_client *client, const struct souk_instance_filter *filter,
		       int (*take)(void *arg, struct json_object *object, struct souk_error *err),
		       void *arg, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf terms = { 0 };
	struct search search = { filter, take, arg };
	int ret;

	souk_buf_init(&terms, 1024);
	ret = add_term(&terms, GCP_LABEL_TOKEN, filter->request_token, err);
	if (ret == SOUK_OK)
		ret = add_term(&terms, GCP_LABEL_CLUSTER, filter->cluster, err);
	if (ret == SOUK_OK)
		ret = add_term(&terms, GCP_LABEL_OWNER, filter->owner, err);
	if (ret < 0)
		return ret;
	if (!terms.len)
		souk_buf_str(&terms, "labels." GCP_LABEL_TOKEN ":*");
	return find_all(client, &terms, &search, err);
}

/* Machines of other tools that carry a label of one of these keys. */
static int each_labelled(const struct gcp_client *client, const char *const *keys,
			 const struct souk_instance_filter *place,
			 int (*take)(void *arg, struct json_object *object, struct souk_error *err),
			 void *arg, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf terms = { 0 };
	struct search search = { place, take, arg };
	size_t i;

	souk_buf_init(&terms, 4096);
	for (i = 0; keys[i] && i < GCP_MAX_LABEL_KEYS; i++)
		if (gcp_is_label_key(keys[i]))
			souk_buf_printf(&terms, "%s(labels.%s:*)", terms.len ? " OR " : "", keys[i]);
	return terms.len ? find_all(client, &terms, &search, err) : souk_buf_failed(&terms, err);
}

/* ---- By refs ---- */

/* Where a machine of that name is, asked of all zones. */
static int find_zone(void *arg, struct json_object *object, struct souk_error *err)
{
	const char *zone = souk_json_maybe_text(object, "zone");
	char *out = arg;

	(void)err;
	if (zone && gcp_is_name(gcp_basename(zone)))
		snprintf(out, GCP_NAME_SIZE, "%s", gcp_basename(zone));
	return SOUK_OK;
}

int gcp_ref_zone(const struct gcp_client *client, const struct souk_instance_ref *ref,
		 char out[GCP_NAME_SIZE], struct souk_error *err)
{
	const struct souk_instance_filter everything = { .struct_size = sizeof(everything) };
	struct search search = { &everything, find_zone, out };
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	struct gcp_request request = {
		.what = "instances.aggregatedList",
		.doing = "look for a machine",
		.permission = "compute.instances.list",
		/* The first-boot data, with the host key in it, is among the metadata. */
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY,
	};
	int ret;

	out[0] = '\0';
	if (ref->zone) {
		snprintf(out, GCP_NAME_SIZE, "%s", ref->zone);
		return 1;
	}
	if (!gcp_is_name(ref->id))
		return 0;
	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_compute_url(client, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "aggregated/instances?maxResults=500&filter=name%%3D%s", ref->id);
	request.url = url.data;
	ret = gcp_pages(client, &request, take_page, &search, err);
	return ret < 0 ? ret : out[0] != '\0';
}

struct looks {
	const struct gcp_client *client;
	const struct souk_instance_ref *refs;
	struct json_object **found;
};

static int look(void *arg, uint32_t i, struct souk_error *err)
{
	struct looks *looks = arg;
	char zone[GCP_NAME_SIZE];
	int ret = gcp_ref_zone(looks->client, &looks->refs[i], zone, err);

	if (ret > 0)
		ret = gcp_instance_get(looks->client, zone, looks->refs[i].id, &looks->found[i],
				       err);
	return ret < 0 ? ret : SOUK_OK;
}

int gcp_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		 uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	struct gcp_client client = { self, call };
	struct looks looks = { .client = &client, .refs = refs };
	GCP_AUTO_FREE struct souk_error *errors = NULL;
	uint32_t i;
	int ret = SOUK_OK;

	if (!n)
		return SOUK_OK;
	errors = calloc(n, sizeof(*errors));
	looks.found = calloc(n, sizeof(*looks.found));
	if (errors && looks.found)
		souk_call_parallel(call, n, WIDTH, look, &looks, errors);
	else
		ret = gcp_nomem(err);
	for (i = 0; looks.found && i < n; i++) {
		if (ret == SOUK_OK && errors && errors[i].code != SOUK_OK)
			ret = souk_error_copy(&errors[i], err);
		if (ret == SOUK_OK && looks.found[i])
			ret = gcp_instance_add(looks.found[i], out, err);
		json_object_put(looks.found[i]);
	}
	free(looks.found);
	return ret;
}

struct listing {
	const char *const *keys; /* NULL: none */
	struct souk_instance_list *out;
};

static int add_found(void *arg, struct json_object *object, struct souk_error *err)
{
	const struct listing *listing = arg;

	return gcp_instance_add_labelled(object, listing->keys, listing->out, err);
}

/* Those that are ours too are among ours, or were not asked for. */
static int add_other(void *arg, struct json_object *object, struct souk_error *err)
{
	return told(object, GCP_LABEL_TOKEN) ? SOUK_OK : add_found(arg, object, err);
}

int gcp_list_instances(void *self, struct souk_call *call,
		       const struct souk_instance_filter *filter, struct souk_instance_list *out,
		       struct souk_error *err)
{
	struct gcp_client client = { self, call };
	struct souk_instance_filter place = {
		.struct_size = sizeof(place), .region = filter->region,
	};
	struct listing listing = { .out = out };
	int ret;

	if (filter->struct_size >= sizeof(*filter))
		listing.keys = filter->tag_keys;
	ret = gcp_instances_each(&client, filter, add_found, &listing, err);
	if (ret == SOUK_OK && listing.keys)
		ret = each_labelled(&client, listing.keys, &place, add_other, &listing, err);
	return ret;
}
