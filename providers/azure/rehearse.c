/* SPDX-License-Identifier: Apache-2.0 */
/* rehearse.c - Azure as it would answer, for launches that send nothing; and the role they need */

#include <stdio.h>
#include <string.h>

#include "machines.h"

/* A request, as far as the answer depends on it. */
struct question {
	struct azure *azure; /* NULL while it is opened */
	uint32_t scene;
	const char *path; /* from "/subscriptions/" on; "": it is for another host */
};

typedef void (*answer_fn)(const struct question *question, int32_t *status_out,
			  struct souk_buf *out);

/* ---- Answers --------------------------------------------------------------------------------- */

static void answer_token(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	azure_body(out, "{'access_token':'TOKEN','expires_in':3600}");
}

static void answer_address(const struct question *question, int32_t *status_out,
			   struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	souk_buf_str(out, "192.0.2.1\n");
}

static void answer_subscriptions(const struct question *question, int32_t *status_out,
				 struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	azure_body(out, "{'value':[{'subscriptionId':'SUBSCRIPTION','state':'Enabled'}]}");
}

static void answer_ready(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	azure_body(out, "{'properties':{'provisioningState':'Succeeded'}}");
}

/* What is being made is looked at until it is there. */
static void answer_updating(const struct question *question, int32_t *status_out,
			    struct souk_buf *out)
{
	(void)question;
	*status_out = 201;
	azure_body(out, "{'properties':{'provisioningState':'Updating'}}");
}

static void answer_accepted(const struct question *question, int32_t *status_out,
			    struct souk_buf *out)
{
	(void)question;
	(void)out;
	*status_out = 202;
}

static void answer_empty(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	azure_body(out, "{'value':[]}");
}

/* It is ours, as its tags say. */
static void answer_group(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	azure_body(out, "{'tags':{'" AZURE_TAG_TOKEN "':'TOKEN'},"
			"'properties':{'provisioningState':'Succeeded'}}");
}

static void add_vm(const char *id, struct souk_buf *out)
{
	azure_body(out, "{'id':$,'location':'REGION','tags':{'" AZURE_TAG_TOKEN "':'TOKEN'},"
			"'properties':{'provisioningState':'Succeeded','instanceView':{'statuses':["
			"{'code':'ProvisioningState/succeeded'},{'code':'PowerState/running'}]}}}", id);
}

/* Of several that are made at once, the first by its name stands for all. */
static void remember_vm(struct azure *azure, const char *path)
{
	char id[AZURE_VM_PATH_SIZE];
	const char *slash = strrchr(azure->rehearsed_vm, '/');
	size_t prefix = slash ? (size_t)(slash - azure->rehearsed_vm) : 0;

	snprintf(id, sizeof(id), "%.*s", (int)strcspn(path, "?"), path);
	if (!prefix || strncmp(id, azure->rehearsed_vm, prefix) != 0 ||
	    strcmp(id, azure->rehearsed_vm) < 0)
		snprintf(azure->rehearsed_vm, sizeof(azure->rehearsed_vm), "%s", id);
}

static void answer_new_vm(const struct question *question, int32_t *status_out,
			  struct souk_buf *out)
{
	if (question->scene == SOUK_SCENE_REFUSED) {
		*status_out = 409;
		azure_body(out, "{'error':{'code':'SkuNotAvailable',"
				"'message':'sold out, in a rehearsal'}}");
		return;
	}
	*status_out = 201;
	if (question->azure) {
		pthread_mutex_lock(&question->azure->lock);
		remember_vm(question->azure, question->path);
		pthread_mutex_unlock(&question->azure->lock);
	}
	souk_buf_str(out, "{}");
}

static void answer_vm(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	char id[AZURE_VM_PATH_SIZE];

	(void)status_out;
	snprintf(id, sizeof(id), "%.*s", (int)strcspn(question->path, "?"), question->path);
	add_vm(id, out);
}

/* The machines of a group; one is enough. */
static void answer_vms(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	char id[AZURE_VM_PATH_SIZE] = "";

	(void)status_out;
	if (question->azure) {
		pthread_mutex_lock(&question->azure->lock);
		memcpy(id, question->azure->rehearsed_vm, sizeof(id));
		pthread_mutex_unlock(&question->azure->lock);
	}
	souk_buf_str(out, "{\"value\":[");
	if (id[0])
		add_vm(id, out);
	souk_buf_str(out, "]}");
}

/* ---- The table ------------------------------------------------------------------------------- */

#define COMPUTE "Microsoft.Compute/"
#define GROUPS "Microsoft.Resources/subscriptions/resourceGroups/"
#define NETWORK "Microsoft.Network/"

static const struct {
	const char *what;
	const char *permission; /* "": none */
	answer_fn answer;
} actions[] = {
	{ "NetworkInterfaces_List", NETWORK "networkInterfaces/read", answer_empty },
	{ "NetworkSecurityGroups_CreateOrUpdate", NETWORK "networkSecurityGroups/write",
	  answer_updating },
	{ "NetworkSecurityGroups_Get", NETWORK "networkSecurityGroups/read", answer_ready },
	{ "PublicIPAddresses_List", NETWORK "publicIPAddresses/read", answer_empty },
	{ "ResourceGroups_CreateOrUpdate", GROUPS "write", answer_ready },
	/* what is in it goes with it, by a permission each */
	{ "ResourceGroups_Delete",
	  GROUPS "delete " COMPUTE "virtualMachines/delete " COMPUTE "disks/delete " NETWORK
	  "networkInterfaces/delete " NETWORK "publicIPAddresses/delete " NETWORK
	  "virtualNetworks/delete " NETWORK "networkSecurityGroups/delete",
	  answer_accepted },
	{ "ResourceGroups_Get", GROUPS "read", answer_group },
	{ "ResourceGroups_List", GROUPS "read", answer_empty },
	{ "SecurityRules_CreateOrUpdate", NETWORK "networkSecurityGroups/securityRules/write",
	  answer_updating },
	{ "SecurityRules_Get", NETWORK "networkSecurityGroups/securityRules/read", answer_ready },
	{ "Subscriptions_List", "Microsoft.Resources/subscriptions/read", answer_subscriptions },
	/* so is what comes with a machine, and what it joins */
	{ "VirtualMachines_CreateOrUpdate",
	  COMPUTE "virtualMachines/write " COMPUTE "disks/write " NETWORK
	  "networkInterfaces/write " NETWORK "networkInterfaces/join/action " NETWORK
	  "publicIPAddresses/write " NETWORK "publicIPAddresses/join/action " NETWORK
	  "virtualNetworks/subnets/join/action",
	  answer_new_vm },
	{ "VirtualMachines_Deallocate", COMPUTE "virtualMachines/deallocate/action",
	  answer_accepted },
	{ "VirtualMachines_Delete", COMPUTE "virtualMachines/delete", answer_accepted },
	{ "VirtualMachines_Get", COMPUTE "virtualMachines/read", answer_vm },
	{ "VirtualMachines_List", COMPUTE "virtualMachines/read", answer_vms },
	{ "VirtualMachines_ListAll", COMPUTE "virtualMachines/read", answer_empty },
	{ "VirtualMachines_Start", COMPUTE "virtualMachines/start/action", answer_accepted },
	{ "VirtualNetworks_CreateOrUpdate",
	  NETWORK "virtualNetworks/write " NETWORK "networkSecurityGroups/join/action",
	  answer_updating },
	{ "VirtualNetworks_Get", NETWORK "virtualNetworks/read", answer_ready },
	{ "managed identity", "", answer_token },
	{ "public address", "", answer_address },
	{ "token", "", answer_token },
};

/* The subscription of "/subscriptions/ID/...", for the role. */
static void remember_account(struct azure *azure, const char *path)
{
	const char *at = path + strlen("/subscriptions/");

	if (!azure || strncmp(path, "/subscriptions/", strlen("/subscriptions/")) != 0)
		return;
	pthread_mutex_lock(&azure->lock);
	snprintf(azure->rehearsed_account, sizeof(azure->rehearsed_account), "%.*s",
		 (int)strcspn(at, "/?"), at);
	pthread_mutex_unlock(&azure->lock);
}

int azure_rehearse(void *self, struct souk_call *call, uint32_t scene,
		   const struct souk_http_request *request, int32_t *status_out,
		   struct souk_buf *body, struct souk_buf *permission, struct souk_error *err)
{
	const char *path = strstr(request->url, "/subscriptions/");
	struct question question = { .azure = self, .scene = scene, .path = path ? path : "" };
	size_t i;

	(void)call;
	for (i = 0; i < AZURE_ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].what, request->what) == 0)
			break;
	if (i == AZURE_ARRAY_SIZE(actions)) {
		souk_error_set(err, SOUK_E_UNSUPPORTED, "no rehearsal of '%s'", request->what);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	/* A token is asked for under the lock, and has no such path. */
	remember_account(self, question.path);
	*status_out = 200;
	souk_buf_str(permission, actions[i].permission);
	actions[i].answer(&question, status_out, body);
	return souk_buf_failed(body, err);
}

/* ---- The role -------------------------------------------------------------------------------- */

int azure_policy(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
		 struct souk_error *err)
{
	struct azure *azure = self;
	uint32_t i;

	souk_buf_str(out, "{\n  \"Name\": \"souk\",\n  \"IsCustom\": true,\n"
			  "  \"Description\": \"What souk asks for in these launches\",\n"
			  "  \"Actions\": [\n");
	for (i = 0; i < n; i++)
		souk_buf_printf(out, "    \"%s\"%s\n", permissions[i], i + 1 < n ? "," : "");
	pthread_mutex_lock(&azure->lock);
	souk_buf_printf(out, "  ],\n  \"NotActions\": [],\n"
			"  \"AssignableScopes\": [ \"/subscriptions/%s\" ]\n}\n",
			azure->rehearsed_account[0] ? azure->rehearsed_account : "SUBSCRIPTION");
	pthread_mutex_unlock(&azure->lock);
	return souk_buf_failed(out, err);
}
