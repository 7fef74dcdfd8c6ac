/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle.c - end, stop and start machines, and what was made for them */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "credentials.h"
#include "json-read.h"
#include "machines.h"

/* ---- One action on one machine --------------------------------------------------------------- */

struct action {
	const char *what;
	const char *method;
	const char *suffix; /* of the machine's path */
	const char *doing;
};

static const struct action deallocating = {
	/* A machine that is merely powered off is charged on. */
	"VirtualMachines_Deallocate", "POST", "/deallocate", "stop a machine",
};
static const struct action starting = {
	"VirtualMachines_Start", "POST", "/start", "start a machine again",
};
static const struct action deleting = {
	"VirtualMachines_Delete", "DELETE", "?forceDeletion=true", "end a machine",
};

static int act(const struct azure_client *client, const struct azure_id *id,
	       const struct action *action, struct souk_error *err)
{
	char path[AZURE_PATH_SIZE], inside[AZURE_VM_SIZE + 128];
	const struct azure_request request = {
		.what = action->what, .doing = action->doing, .host = AZURE_HOST_MANAGEMENT, .method = action->method,
		.path = path, .flags = SOUK_HTTP_RETRY | SOUK_HTTP_MUTATES,
	};
	AZURE_AUTO_REPLY struct souk_http_reply *reply = NULL;
	int ret;

	snprintf(inside, sizeof(inside), "/providers/Microsoft.Compute/virtualMachines/%s%s",
		 id->vm, action->suffix);
	ret = azure_group_path(id->subscription, id->group, inside, AZURE_COMPUTE_VERSION, path,
			       err);
	return ret < 0 ? ret : azure_send(client, &request, &reply, NULL, err);
}

/* Do it to all, and tell of the first failure. */
static int act_on_all(const struct azure_client *client, const struct souk_instance_ref *refs,
		      uint32_t n, const struct action *action, struct souk_error *err)
{
	struct souk_error first = SOUK_ERROR_INIT;
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct souk_error why = SOUK_ERROR_INIT;
		struct azure_id id;
		int ret = azure_id_parse(refs[i].id, &id, &why);

		if (ret == SOUK_OK)
			ret = act(client, &id, action, &why);
		if (ret < 0 && first.code == SOUK_OK)
			first = why;
	}
	return first.code == SOUK_OK ? SOUK_OK : souk_error_copy(&first, err);
}

int azure_stop(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	       struct souk_error *err)
{
	const struct azure_client client = { self, call };

	return act_on_all(&client, refs, n, &deallocating, err);
}

int azure_start(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		uint32_t n, struct souk_error *err)
{
	const struct azure_client client = { self, call };
	struct souk_error why = SOUK_ERROR_INIT;
	struct azure_id last = { 0 };
	struct azure_id id;
	uint32_t i;
	int ret;

	ret = act_on_all(&client, refs, n, &starting, err);
	/* Whoever starts them may be elsewhere than whoever made them. */
	for (i = 0; ret == SOUK_OK && i < n; i++) {
		if (azure_id_parse(refs[i].id, &id, &why) < 0 || azure_same_group(&id, &last))
			continue;
		last = id;
		if (azure_network_admit(&client, &id, &why) < 0)
			souk_call_log(call, SOUK_LOG_WARNING,
				      "SSH may not be admitted from here: %s", why.message);
	}
	return ret;
}

/* ---- Ending ---------------------------------------------------------------------------------- */

/* Is the group one of ours, by its tags? -1 says that there is none. */
static int is_ours(const struct azure_client *client, const struct azure_id *id, int *ours_out,
		   struct souk_error *err)
{
	char path[AZURE_PATH_SIZE];
	const struct azure_request request = {
		.what = "ResourceGroups_Get", .doing = "look at a resource group",
		.host = AZURE_HOST_MANAGEMENT, .path = path, .flags = SOUK_HTTP_RETRY,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct json_object *group = NULL;
	int ret;

	ret = azure_group_path(id->subscription, id->group, "", AZURE_RESOURCES_VERSION, path, err);
	if (ret < 0)
		return ret;
	ret = azure_send_json(client, &request, &group, NULL, &why);
	if (ret == SOUK_E_NOT_FOUND)
		*ours_out = -1;
	else if (ret < 0)
		return souk_error_copy(&why, err);
	else
		*ours_out = azure_tag(group, AZURE_TAG_TOKEN) != NULL;
	json_object_put(group);
	return SOUK_OK;
}

static int is_named(const char *vm_id, const struct souk_instance_ref *refs, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (strcasecmp(vm_id, refs[i].id) == 0)
			return 1;
	return 0;
}

/* 1 if the group has a machine that is not to be ended. */
static int has_others(const struct azure_client *client, const struct azure_id *id,
		      const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	struct json_object *vms = NULL;
	int others = 0;
	size_t i;
	int ret = azure_group_vms(client, id->subscription, id->group, &vms, err);

	for (i = 0; ret == SOUK_OK && i < json_object_array_length(vms); i++) {
		const char *vm = souk_json_maybe_text(json_object_array_get_idx(vms, i), "id");

		others |= vm && !is_named(vm, refs, n);
	}
	json_object_put(vms);
	return ret < 0 ? ret : others;
}

static int end_machines(const struct azure_client *client, const struct azure_id *group,
			const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	struct souk_error first = SOUK_ERROR_INIT;
	uint32_t i;

	for (i = 0; i < n; i++) {
		struct souk_error why = SOUK_ERROR_INIT;
		struct azure_id id;
		int ret;

		if (azure_id_parse(refs[i].id, &id, &why) < 0 || !azure_same_group(&id, group))
			continue;
		ret = act(client, &id, &deleting, &why);
		if (ret < 0 && ret != SOUK_E_NOT_FOUND && first.code == SOUK_OK)
			first = why;
	}
	return first.code == SOUK_OK ? SOUK_OK : souk_error_copy(&first, err);
}

/* The machines of one group: with the group, unless somebody else is in it. */
static int end_group(const struct azure_client *client, const struct azure_id *id,
		     const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	int ours = 0;
	int ret;

	ret = is_ours(client, id, &ours, err);
	if (ret < 0 || ours < 0)
		return ret;
	ret = ours ? has_others(client, id, refs, n, err) : 1;
	if (ret < 0)
		return ret;
	return ret ? end_machines(client, id, refs, n, err) :
		     azure_group_delete(client, id->subscription, id->group, err);
}

int azure_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, struct souk_error *err)
{
	const struct azure_client client = { self, call };
	struct souk_error first = SOUK_ERROR_INIT;
	struct azure_id id, before;
	uint32_t i, k;

	for (i = 0; i < n; i++) {
		struct souk_error why = SOUK_ERROR_INIT;
		int is_done = 0;
		int ret = azure_id_parse(refs[i].id, &id, &why);

		for (k = 0; ret == SOUK_OK && k < i && !is_done; k++)
			is_done = azure_id_parse(refs[k].id, &before, NULL) == SOUK_OK &&
				  azure_same_group(&id, &before);
		if (ret == SOUK_OK && !is_done)
			ret = end_group(&client, &id, refs, n, &why);
		if (ret < 0 && first.code == SOUK_OK)
			first = why;
	}
	return first.code == SOUK_OK ? SOUK_OK : souk_error_copy(&first, err);
}

/* ---- What is left without machines ----------------------------------------------------------- */

static int sweep_group(const struct azure_client *client, const char *subscription,
		       struct json_object *group, struct souk_error *err)
{
	const char *name = souk_json_maybe_text(group, "name");
	struct json_object *vms = NULL;
	size_t n;
	int ret;

	/* Ours are made of such characters alone. */
	if (!name || !azure_is_id(name))
		return SOUK_OK;
	ret = azure_group_vms(client, subscription, name, &vms, err);
	if (ret < 0)
		return ret;
	n = json_object_array_length(vms);
	json_object_put(vms);
	return n ? SOUK_OK : azure_group_delete(client, subscription, name, err);
}

int azure_sweep(void *self, struct souk_call *call, const struct souk_instance_filter *filter,
		struct souk_error *err)
{
	const struct azure_client client = { self, call };
	AZURE_AUTO_BUF struct souk_buf path = { 0 };
	char subscription[AZURE_ID_SIZE];
	struct json_object *groups = NULL;
	size_t i;
	int ret;

	if (!filter->region || !filter->cluster || !filter->owner)
		return souk_error_set(err, SOUK_E_INVALID,
				      "sweep: needs a cluster, an owner and a region");
	ret = azure_subscription(&client, subscription, err);
	if (ret < 0)
		return ret;
	souk_buf_init(&path, 2048);
	souk_buf_printf(&path, "/subscriptions/%s/resourcegroups?api-version="
			AZURE_RESOURCES_VERSION "&$filter=", subscription);
	souk_buf_urlencode(&path, "tagName eq '" AZURE_TAG_CLUSTER "' and tagValue eq '");
	souk_buf_urlencode(&path, filter->cluster);
	souk_buf_urlencode(&path, "'");
	ret = souk_buf_failed(&path, err);
	if (ret == SOUK_OK)
		ret = azure_list_all(&client, "ResourceGroups_List", "list resource groups",
				     path.data, &groups, err);
	for (i = 0; ret == SOUK_OK && i < json_object_array_length(groups); i++) {
		struct json_object *group = json_object_array_get_idx(groups, i);

		if (azure_tags_fit(group, filter))
			ret = sweep_group(&client, subscription, group, err);
	}
	json_object_put(groups);
	return ret;
}
