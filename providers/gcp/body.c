/* SPDX-License-Identifier: Apache-2.0 */
/* body.c - what a machine is to be, in the words of instances.insert */

#include <stdio.h>
#include <string.h>

#include "machines.h"
#include "market.h"

enum { MAX_BODY = 512 * 1024 };

/* Add a member; the value is taken, whatever happens. */
static int set(struct json_object *object, const char *name, struct json_object *value)
{
	if (object && value && json_object_object_add(object, name, value) == 0)
		return 1;
	json_object_put(value);
	return 0;
}

static int set_text(struct json_object *object, const char *name, const char *value)
{
	return set(object, name, json_object_new_string(value));
}

static int set_format(struct json_object *object, const char *name, const char *format,
		      const char *a, const char *b)
{
	char text[256];

	snprintf(text, sizeof(text), format, a, b);
	return set_text(object, name, text);
}

static int set_flag(struct json_object *object, const char *name, int value)
{
	return set(object, name, json_object_new_boolean(value));
}

/* A list of one; the value is taken. */
static struct json_object *list_of(struct json_object *value)
{
	struct json_object *list = json_object_new_array();

	if (list && value && json_object_array_add(list, value) == 0)
		return list;
	json_object_put(value);
	json_object_put(list);
	return NULL;
}

/* ---- Parts; each is NULL if memory is short ---- */

static struct json_object *labels_of(const struct souk_instance_spec *spec)
{
	struct json_object *labels = json_object_new_object();
	char owner[GCP_TAG_SIZE];
	uint32_t i;
	int done = labels && gcp_label_value(spec->owner ? spec->owner : "", owner, NULL) == SOUK_OK;

	for (i = 0; i < spec->n_labels && done; i++)
		done = set_text(labels, spec->labels[i].key, spec->labels[i].value);
	if (done && set_text(labels, GCP_LABEL_CLUSTER, spec->cluster) &&
	    set_text(labels, GCP_LABEL_OWNER, owner) &&
	    set_text(labels, GCP_LABEL_TOKEN, spec->request_token))
		return labels;
	json_object_put(labels);
	return NULL;
}

static struct json_object *disk_of(const struct gcp_order *order, const char *zone)
{
	const struct souk_instance_spec *spec = order->spec;
	struct json_object *disk = json_object_new_object();
	struct json_object *params = json_object_new_object();
	uint64_t gib = (spec->disk_size_mib + 1023) / 1024;
	char size[24];
	int done;

	if (gib < order->image.disk_gib)
		gib = order->image.disk_gib;
	snprintf(size, sizeof(size), "%llu", (unsigned long long)gib);
	done = set_text(params, "sourceImage", order->image.link) &&
	       set_format(params, "diskType", "zones/%s/diskTypes/%s", zone, order->disk_kind) &&
	       set(params, "labels", labels_of(spec)) &&
	       (!gib || set_text(params, "diskSizeGb", size));
	done = done && set_flag(disk, "boot", 1) && set_flag(disk, "autoDelete", 1) &&
	       set(disk, "initializeParams", json_object_get(params));
	json_object_put(params);
	if (done)
		return disk;
	json_object_put(disk);
	return NULL;
}

static struct json_object *interface_of(const struct gcp_order *order)
{
	struct souk_call *call = order->client->call;
	const char *network = souk_call_option(call, "network");
	const char *subnetwork = souk_call_option(call, "subnetwork");
	struct json_object *interface = json_object_new_object();
	int done = interface != NULL;

	if (!network || !*network)
		network = "default";
	if (subnetwork && *subnetwork)
		done = done && set_format(interface, "subnetwork",
					  strchr(subnetwork, '/') ? "%.0s%s" :
								    "regions/%s/subnetworks/%s",
					  order->spec->region, subnetwork);
	else
		done = done && set_format(interface, "network",
					  strchr(network, '/') ? "%s%s" : "global/networks/%s%s",
					  network, "");
	if (done && !souk_text_is_true(souk_call_option(call, "use_internal_ips"))) {
		struct json_object *access = json_object_new_object();

		done = set_text(access, "type", "ONE_TO_ONE_NAT") &&
		       set_text(access, "name", "External NAT") &&
		       set(interface, "accessConfigs", list_of(json_object_get(access)));
		json_object_put(access);
	}
	if (done)
		return interface;
	json_object_put(interface);
	return NULL;
}

static int add_item(struct json_object *items, const char *key, const char *value)
{
	struct json_object *item = json_object_new_object();

	if (set_text(item, "key", key) && set_text(item, "value", value) &&
	    json_object_array_add(items, item) == 0)
		return 1;
	json_object_put(item);
	return 0;
}

static struct json_object *metadata_of(const struct gcp_order *order)
{
	const struct souk_instance_spec *spec = order->spec;
	struct json_object *metadata = json_object_new_object();
	struct json_object *items = json_object_new_array();
	char keys[4096];
	int done;

	snprintf(keys, sizeof(keys), "%s:%s", order->image.user, spec->ssh_public_key);
	done = metadata && items && add_item(items, "ssh-keys", keys) &&
	       add_item(items, "block-project-ssh-keys", "TRUE") &&
	       add_item(items, "enable-oslogin", "FALSE") &&
	       add_item(items, GCP_LABEL_CLUSTER, spec->cluster) &&
	       add_item(items, GCP_LABEL_OWNER, spec->owner ? spec->owner : "") &&
	       add_item(items, GCP_LABEL_TOKEN, spec->request_token) &&
	       add_item(items, GCP_META_USER, order->image.user);
	if (done && order->user_data)
		done = add_item(items, "user-data", order->user_data);
	if (done && order->user_data && spec->host_key_public)
		done = add_item(items, GCP_META_HOST_KEY, spec->host_key_public);
	if (done && spec->accelerator)
		done = add_item(items, "install-nvidia-driver", "True");
	done = done && set(metadata, "items", json_object_get(items));
	json_object_put(items);
	if (done)
		return metadata;
	json_object_put(metadata);
	return NULL;
}

/* A duration, as in {"seconds":"3600"}. */
static struct json_object *seconds_of(uint64_t seconds)
{
	struct json_object *duration = json_object_new_object();
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)seconds);
	if (set_text(duration, "seconds", text))
		return duration;
	json_object_put(duration);
	return NULL;
}

static struct json_object *scheduling_of(const struct souk_instance_spec *spec)
{
	struct json_object *scheduling = json_object_new_object();
	/* A machine with GPUs, or one that may be taken away, cannot move elsewhere. */
	int stays = spec->spot || spec->accelerator_milli ||
		    !gcp_can_migrate(spec->instance_type);
	int done = set_text(scheduling, "provisioningModel", spec->spot ? "SPOT" : "STANDARD") &&
		   set_flag(scheduling, "automaticRestart", 0) &&
		   set_text(scheduling, "onHostMaintenance", stays ? "TERMINATE" : "MIGRATE");

	if (spec->spot || spec->max_run_seconds)
		done = done && set_text(scheduling, "instanceTerminationAction",
					spec->spot && !spec->max_run_seconds &&
							spec->on_shutdown == SOUK_ON_SHUTDOWN_STOP ?
						"STOP" : "DELETE");
	if (spec->max_run_seconds)
		done = done && set(scheduling, "maxRunDuration", seconds_of(spec->max_run_seconds));
	if (done)
		return scheduling;
	json_object_put(scheduling);
	return NULL;
}

static struct json_object *gpu_of(const struct gcp_order *order, const char *zone)
{
	struct json_object *gpu = json_object_new_object();

	if (set_format(gpu, "acceleratorType", "zones/%s/acceleratorTypes/%s", zone, order->gpu) &&
	    set(gpu, "acceleratorCount",
		json_object_new_int((int32_t)(order->spec->accelerator_milli / 1000))))
		return gpu;
	json_object_put(gpu);
	return NULL;
}

static struct json_object *account_of(const char *email)
{
	struct json_object *account = json_object_new_object();

	if (set_text(account, "email", email) &&
	    set(account, "scopes", list_of(json_object_new_string(
					   "https://www.googleapis.com/auth/cloud-platform"))))
		return account;
	json_object_put(account);
	return NULL;
}

static struct json_object *tags_of(const char *tag)
{
	struct json_object *tags = json_object_new_object();

	if (set(tags, "items", list_of(json_object_new_string(tag))))
		return tags;
	json_object_put(tags);
	return NULL;
}

int gcp_order_body(const struct gcp_order *order, const char *zone, const char *name, char **out,
		   struct souk_error *err)
{
	const char *account = souk_call_option(order->client->call, "service_account");
	GCP_AUTO_JSON struct json_object *body = json_object_new_object();
	struct souk_buf text;
	const char *plain;
	int done;
	int ret;

	done = set_text(body, "name", name) &&
	       set_format(body, "machineType", "zones/%s/machineTypes/%s", zone,
			  order->spec->instance_type) &&
	       set(body, "labels", labels_of(order->spec)) &&
	       set(body, "tags", tags_of(order->tag)) &&
	       set(body, "disks", list_of(disk_of(order, zone))) &&
	       set(body, "networkInterfaces", list_of(interface_of(order))) &&
	       set(body, "metadata", metadata_of(order)) &&
	       set(body, "scheduling", scheduling_of(order->spec));
	if (order->gpu)
		done = done && set(body, "guestAccelerators", list_of(gpu_of(order, zone)));
	if (account && *account)
		done = done && set(body, "serviceAccounts", list_of(account_of(account)));
	plain = done ? json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN |
						      JSON_C_TO_STRING_NOSLASHESCAPE) : NULL;
	if (!plain)
		return gcp_nomem(err);
	souk_buf_init(&text, MAX_BODY);
	souk_buf_str(&text, plain);
	ret = souk_buf_failed(&text, err);
	if (ret == SOUK_OK)
		*out = souk_buf_steal(&text);
	souk_buf_fini(&text);
	return ret;
}
