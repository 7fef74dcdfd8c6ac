/* SPDX-License-Identifier: Apache-2.0 */
/* instances.c - find machines and tell of them */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "credentials.h"
#include "json-read.h"
#include "machines.h"

#define VMS "/providers/Microsoft.Compute/virtualMachines"

/* ---- Lists ----------------------------------------------------------------------------------- */

static int take_all(void *arg, struct json_object *page, struct json_object *items,
		    struct souk_error *err)
{
	struct json_object *all = arg;
	size_t i;

	(void)page;
	for (i = 0; i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_get(json_object_array_get_idx(items, i));

		if (json_object_array_add(all, item) < 0) {
			json_object_put(item);
			return azure_nomem(err);
		}
	}
	return SOUK_OK;
}

int azure_list_all(const struct azure_client *client, const char *what, const char *doing,
		   const char *path, struct json_object **out, struct souk_error *err)
{
	struct json_object *all = json_object_new_array();
	const struct azure_listing listing = {
		.request = { .what = what, .doing = doing, .host = AZURE_HOST_MANAGEMENT,
			     .path = path },
		.items = "value", .next = "nextLink", .take = take_all, .arg = all,
	};
	int ret;

	*out = NULL;
	if (!all)
		return azure_nomem(err);
	ret = azure_list(client, &listing, err);
	if (ret < 0)
		json_object_put(all);
	else
		*out = all;
	return ret;
}

/* A list in a group; empty if the group is not there. */
static int list_inside(const struct azure_client *client, const char *what,
		       const char *subscription, const char *group, const char *inside,
		       const char *version, struct json_object **out, struct souk_error *err)
{
	struct souk_error why = SOUK_ERROR_INIT;
	char path[AZURE_PATH_SIZE];
	int ret;

	*out = NULL;
	ret = azure_group_path(subscription, group, inside, version, path, err);
	if (ret < 0)
		return ret;
	ret = azure_list_all(client, what, "look into a resource group", path, out, &why);
	if (ret == SOUK_E_NOT_FOUND) {
		*out = json_object_new_array();
		return *out ? SOUK_OK : azure_nomem(err);
	}
	return ret < 0 ? souk_error_copy(&why, err) : SOUK_OK;
}

int azure_group_vms(const struct azure_client *client, const char *subscription, const char *group,
		    struct json_object **out, struct souk_error *err)
{
	return list_inside(client, "VirtualMachines_List", subscription, group, VMS,
			   AZURE_COMPUTE_VERSION, out, err);
}

/* ---- Addresses ------------------------------------------------------------------------------- */

void azure_addresses_fini(struct azure_addresses *addresses)
{
	json_object_put(addresses->interfaces);
	json_object_put(addresses->addresses);
	*addresses = (struct azure_addresses){ 0 };
}

int azure_addresses_get(const struct azure_client *client, const struct azure_id *id,
			struct azure_addresses *out, struct souk_error *err)
{
	int ret = list_inside(client, "NetworkInterfaces_List", id->subscription, id->group,
			      "/providers/Microsoft.Network/networkInterfaces",
			      AZURE_NETWORK_VERSION, &out->interfaces, err);

	if (ret == SOUK_OK)
		ret = list_inside(client, "PublicIPAddresses_List", id->subscription, id->group,
				  "/providers/Microsoft.Network/publicIPAddresses",
				  AZURE_NETWORK_VERSION, &out->addresses, err);
	return ret;
}

static int same_text(const char *a, const char *b)
{
	return a && b && strcasecmp(a, b) == 0;
}

/* The ipConfiguration of the interface that the VM has. */
static struct json_object *find_configuration(const struct azure_addresses *addresses,
					      const char *vm_id)
{
	size_t i;

	for (i = 0; addresses->interfaces && i < json_object_array_length(addresses->interfaces);
	     i++) {
		struct json_object *properties = souk_json_maybe_object(
			json_object_array_get_idx(addresses->interfaces, i), "properties");
		struct json_object *list = souk_json_maybe_array(properties, "ipConfigurations");

		if (list && json_object_array_length(list) &&
		    same_text(souk_json_maybe_text(souk_json_maybe_object(properties, "virtualMachine"),
					      "id"), vm_id))
			return souk_json_maybe_object(json_object_array_get_idx(list, 0), "properties");
	}
	return NULL;
}

static const char *find_public(const struct azure_addresses *addresses, const char *id)
{
	size_t i;

	for (i = 0; addresses->addresses && i < json_object_array_length(addresses->addresses);
	     i++) {
		struct json_object *item = json_object_array_get_idx(addresses->addresses, i);

		if (same_text(souk_json_maybe_text(item, "id"), id))
			return souk_json_maybe_text(souk_json_maybe_object(item, "properties"), "ipAddress");
	}
	return NULL;
}

/* ---- One machine ----------------------------------------------------------------------------- */

/* The rest of a status code behind its kind: "running" of "PowerState/running"; NULL: none. */
static const char *status_code(struct json_object *vm, const char *kind, const char **message_out)
{
	struct json_object *view =
		souk_json_maybe_object(souk_json_maybe_object(vm, "properties"), "instanceView");
	struct json_object *list = souk_json_maybe_array(view, "statuses");
	size_t len = strlen(kind);
	size_t i;

	for (i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *code = souk_json_maybe_text(item, "code");

		if (code && strncasecmp(code, kind, len) == 0 && code[len] == '/') {
			if (message_out)
				*message_out = souk_json_maybe_text(item, "message");
			return code + len + 1;
		}
	}
	return NULL;
}

static int power_status(const char *power)
{
	static const struct {
		const char *power;
		int status;
	} states[] = {
		{ "running", SOUK_INSTANCE_RUNNING },	    { "starting", SOUK_INSTANCE_PENDING },
		{ "deallocating", SOUK_INSTANCE_STOPPING },
		{ "deallocated", SOUK_INSTANCE_STOPPED },
		{ "stopping", SOUK_INSTANCE_STOPPING },
		/* Shut down from inside: it costs as if it ran. */
		{ "stopped", SOUK_INSTANCE_STOPPING },
	};
	size_t i;

	for (i = 0; power && i < AZURE_ARRAY_SIZE(states); i++)
		if (strcasecmp(power, states[i].power) == 0)
			return states[i].status;
	return power ? SOUK_INSTANCE_PENDING : SOUK_INSTANCE_RUNNING;
}

int azure_vm_status(struct json_object *vm, char *code, size_t code_size, char *reason,
		    size_t reason_size)
{
	const char *state =
		souk_json_maybe_text(souk_json_maybe_object(vm, "properties"), "provisioningState");
	const char *power = status_code(vm, "PowerState", NULL);
	const char *message = NULL;
	const char *failed = status_code(vm, "ProvisioningState", &message);

	reason[0] = '\0';
	code[0] = '\0';
	if (state && strcasecmp(state, "Deleting") == 0)
		return SOUK_INSTANCE_TERMINATING;
	if (state && strcasecmp(state, "Failed") == 0) {
		/* "failed/AllocationFailed" */
		if (failed && strchr(failed, '/'))
			azure_fault_text(code, code_size, strchr(failed, '/') + 1);
		azure_fault_text(reason, reason_size, message);
		if (!reason[0])
			azure_fault_text(reason, reason_size, "Azure says no more than Failed");
		return SOUK_INSTANCE_FAILED;
	}
	if (state && strcasecmp(state, "Creating") == 0)
		return SOUK_INSTANCE_PENDING;
	if (power && strcasecmp(power, "stopped") == 0)
		azure_fault_text(reason, reason_size,
				 "shut down from inside: charged until it is stopped or ended");
	return power_status(power);
}

/* The tags of those keys that it has. */
static uint32_t tags_of(struct json_object *vm, const char *const *keys,
			struct souk_label tags[AZURE_MAX_TAG_KEYS])
{
	uint32_t n = 0;
	size_t i;

	for (i = 0; keys && keys[i] && i < AZURE_MAX_TAG_KEYS; i++) {
		const char *value = azure_tag(vm, keys[i]);

		if (value)
			tags[n++] = (struct souk_label){ keys[i], value };
	}
	return n;
}

int azure_vm_add(const struct azure_client *client, struct json_object *vm,
		 const struct azure_addresses *addresses, struct souk_instance_list *out,
		 struct souk_error *err)
{
	return azure_vm_add_tagged(client, vm, addresses, NULL, out, err);
}

int azure_vm_add_tagged(const struct azure_client *client, struct json_object *vm,
			const struct azure_addresses *addresses, const char *const *keys,
			struct souk_instance_list *out, struct souk_error *err)
{
	struct souk_instance instance = { SOUK_INSTANCE_HEAD };
	struct souk_label tags[AZURE_MAX_TAG_KEYS];
	struct json_object *properties = souk_json_maybe_object(vm, "properties");
	struct json_object *zones = souk_json_maybe_array(vm, "zones");
	struct json_object *zone = zones ? json_object_array_get_idx(zones, 0) : NULL;
	const char *created = souk_json_maybe_text(properties, "timeCreated");
	const char *internal = azure_option(client->call, "use_internal_ips");
	struct json_object *configuration;
	char code[80], reason[400];

	instance.id = souk_json_maybe_text(vm, "id");
	instance.region = souk_json_maybe_text(vm, "location");
	if (!instance.id || !instance.region)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "Azure tells of a machine without an id or a location");
	instance.status = azure_vm_status(vm, code, sizeof(code), reason, sizeof(reason));
	instance.status_reason = reason[0] ? reason : NULL;
	if (json_object_is_type(zone, json_type_string))
		instance.zone = json_object_get_string(zone);
	instance.instance_type =
		souk_json_maybe_text(souk_json_maybe_object(properties, "hardwareProfile"), "vmSize");
	instance.tags = tags;
	instance.n_tags = tags_of(vm, keys, tags);
	instance.cluster = azure_tag(vm, AZURE_TAG_CLUSTER);
	instance.owner = azure_tag(vm, AZURE_TAG_OWNER);
	instance.request_token = azure_tag(vm, AZURE_TAG_TOKEN);
	instance.ssh_user = azure_tag(vm, AZURE_TAG_USER);
	instance.host_key = azure_tag(vm, AZURE_TAG_HOST_KEY);
	instance.spot = same_text(souk_json_maybe_text(properties, "priority"), "Spot");
	if (created && souk_parse_time("timeCreated", created, &instance.created_at, NULL) < 0)
		instance.created_at = 0;
	configuration = addresses ? find_configuration(addresses, instance.id) : NULL;
	if (configuration) {
		instance.private_address = souk_json_maybe_text(configuration, "privateIPAddress");
		instance.public_address = find_public(
			addresses, souk_json_maybe_text(souk_json_maybe_object(configuration,
								     "publicIPAddress"), "id"));
	}
	if (internal && strcmp(internal, "true") == 0)
		instance.public_address = instance.private_address;
	return souk_instance_list_add(out, &instance, err);
}

int azure_vm_get(const struct azure_client *client, const struct azure_id *id,
		 struct json_object **out, struct souk_error *err)
{
	char path[AZURE_PATH_SIZE], inside[AZURE_VM_SIZE + 96];
	const struct azure_request request = {
		.what = "VirtualMachines_Get", .doing = "look at a machine",
		.host = AZURE_HOST_MANAGEMENT, .path = path, .flags = SOUK_HTTP_RETRY,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	int ret;

	*out = NULL;
	snprintf(inside, sizeof(inside), VMS "/%s?$expand=instanceView", id->vm);
	ret = azure_group_path(id->subscription, id->group, inside, AZURE_COMPUTE_VERSION, path,
			       err);
	if (ret < 0)
		return ret;
	ret = azure_send_json(client, &request, out, NULL, &why);
	if (ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	return ret < 0 ? souk_error_copy(&why, err) : SOUK_OK;
}

/* ---- The ops --------------------------------------------------------------------------------- */

/* The group whose addresses are known, while one goes through machines of several. */
struct telling {
	const struct azure_client *client;
	struct azure_id group;
	struct azure_addresses addresses;
	int has_group;
	const char *const *keys; /* of tags that are told of; NULL: none */
	struct souk_instance_list *out;
};

static int tell(struct telling *telling, const struct azure_id *id, struct souk_error *err)
{
	struct json_object *vm = NULL;
	int ret;

	ret = azure_vm_get(telling->client, id, &vm, err);
	if (ret == SOUK_OK && vm &&
	    (!telling->has_group || !azure_same_group(&telling->group, id))) {
		azure_addresses_fini(&telling->addresses);
		ret = azure_addresses_get(telling->client, id, &telling->addresses, err);
		telling->group = *id;
		telling->has_group = ret == SOUK_OK;
	}
	if (ret == SOUK_OK && vm)
		ret = azure_vm_add_tagged(telling->client, vm, &telling->addresses, telling->keys,
					  telling->out, err);
	json_object_put(vm);
	return ret;
}

int azure_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	const struct azure_client client = { self, call };
	struct telling telling = { .client = &client, .out = out };
	struct azure_id id;
	uint32_t i;
	int ret = SOUK_OK;

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = azure_id_parse(refs[i].id, &id, err);
		if (ret == SOUK_OK)
			ret = tell(&telling, &id, err);
	}
	azure_addresses_fini(&telling.addresses);
	return ret;
}

/* 1 if it is another tool's, by the keys of its tags, and in the region that is asked for. */
static int is_others(struct json_object *vm, const char *const *keys,
		     const struct souk_instance_filter *filter)
{
	const char *location = souk_json_maybe_text(vm, "location");
	struct souk_label tags[AZURE_MAX_TAG_KEYS];

	return !azure_tag(vm, AZURE_TAG_TOKEN) && tags_of(vm, keys, tags) > 0 &&
	       (!filter->region || same_text(location, filter->region));
}

static int tell_fitting(struct telling *telling, struct json_object *vms,
			const struct souk_instance_filter *filter, struct souk_error *err)
{
	struct azure_id id;
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < json_object_array_length(vms) && ret == SOUK_OK; i++) {
		struct json_object *vm = json_object_array_get_idx(vms, i);
		const char *text = souk_json_maybe_text(vm, "id");

		if (!text ||
		    (!azure_tags_fit(vm, filter) && !is_others(vm, telling->keys, filter)))
			continue;
		ret = azure_id_parse(text, &id, err);
		if (ret == SOUK_OK)
			ret = tell(telling, &id, err);
	}
	return ret;
}

/* What groups of ours there are, be they of machines or left behind; not those on their way out. */
static int tell_groups(const struct telling *telling, const char *subscription,
		       const struct souk_instance_filter *filter, struct souk_error *err)
{
	char path[AZURE_ID_SIZE + 80];
	struct json_object *groups = NULL;
	size_t i;
	int ret;

	snprintf(path, sizeof(path), "/subscriptions/%s/resourcegroups?api-version="
		 AZURE_RESOURCES_VERSION, subscription);
	ret = azure_list_all(telling->client, "ResourceGroups_List", "list resource groups", path,
			     &groups, err);
	for (i = 0; ret == SOUK_OK && i < json_object_array_length(groups); i++) {
		struct json_object *group = json_object_array_get_idx(groups, i);
		struct json_object *properties = souk_json_maybe_object(group, "properties");
		struct souk_instance row = {
			SOUK_INSTANCE_HEAD,
			.kind = "resource group",
			.status = SOUK_INSTANCE_RUNNING,
			.id = souk_json_maybe_text(group, "id"),
			.region = souk_json_maybe_text(group, "location"),
			.cluster = azure_tag(group, AZURE_TAG_CLUSTER),
			.owner = azure_tag(group, AZURE_TAG_OWNER),
			.request_token = azure_tag(group, AZURE_TAG_TOKEN),
		};

		if (row.id && row.region && azure_tags_fit(group, filter) &&
		    !same_text(souk_json_maybe_text(properties, "provisioningState"), "Deleting"))
			ret = souk_instance_list_add(telling->out, &row, err);
	}
	json_object_put(groups);
	return ret;
}

int azure_list_instances(void *self, struct souk_call *call,
			 const struct souk_instance_filter *filter, struct souk_instance_list *out,
			 struct souk_error *err)
{
	const struct azure_client client = { self, call };
	int is_asked_more = filter->struct_size >= sizeof(*filter);
	struct telling telling = {
		.client = &client, .keys = is_asked_more ? filter->tag_keys : NULL, .out = out,
	};
	char subscription[AZURE_ID_SIZE], group[AZURE_GROUP_SIZE], path[AZURE_ID_SIZE + 128];
	struct json_object *vms = NULL;
	int ret;

	ret = azure_subscription(&client, subscription, err);
	if (ret < 0)
		return ret;
	if (filter->cluster && filter->request_token && !telling.keys) {
		/* The group's own list shows at once what the subscription's shows later. */
		ret = azure_group_name(filter->cluster, filter->request_token, group, err);
		if (ret == SOUK_OK)
			ret = azure_group_vms(&client, subscription, group, &vms, err);
	} else {
		snprintf(path, sizeof(path), "/subscriptions/%s" VMS "?api-version="
			 AZURE_COMPUTE_VERSION, subscription);
		ret = azure_list_all(&client, "VirtualMachines_ListAll", "list machines", path,
				     &vms, err);
	}
	if (ret == SOUK_OK)
		ret = tell_fitting(&telling, vms, filter, err);
	if (ret == SOUK_OK && is_asked_more && filter->besides)
		ret = tell_groups(&telling, subscription, filter, err);
	azure_addresses_fini(&telling.addresses);
	json_object_put(vms);
	return ret;
}
