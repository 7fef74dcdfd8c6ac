/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - the resource group of a launch, its network, and who may reach into it */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json-read.h"
#include "machines.h"

enum { MAX_BODY = 64 * 1024, POLL_FIRST_MS = 125, POLL_MS = 4000, POLLS_MS = 120000, SSH_PRIORITY = 1000 };

#define NSG "/providers/Microsoft.Network/networkSecurityGroups/souk"
#define VNET "/providers/Microsoft.Network/virtualNetworks/souk"

/* ---- Making things --------------------------------------------------------------------------- */

/* 1 if it is ready, 0 if it is being made. */
static int is_ready(struct json_object *resource, const char *doing, struct souk_error *err)
{
	struct json_object *properties = souk_json_maybe_object(resource, "properties");
	const char *state = souk_json_maybe_text(properties, "provisioningState");

	if (!state || strcasecmp(state, "Succeeded") == 0)
		return 1;
	if (strcasecmp(state, "Failed") == 0 || strcasecmp(state, "Canceled") == 0)
		return souk_error_set(err, SOUK_E_TRANSIENT, "cannot %s: its state is %.40s", doing,
				      state);
	return 0;
}

static int wait_for(const struct azure_client *client, const char *kind, const char *path,
		    const char *doing, struct souk_error *err)
{
	char what[64];
	const struct azure_request request = {
		.what = what, .doing = doing, .host = AZURE_HOST_MANAGEMENT, .path = path,
		.flags = SOUK_HTTP_RETRY,
	};
	uint32_t pause_ms = POLL_FIRST_MS;
	uint32_t spent_ms;
	int ret;

	snprintf(what, sizeof(what), "%s_Get", kind);
	for (spent_ms = 0; spent_ms < POLLS_MS; spent_ms += pause_ms) {
		struct json_object *resource = NULL;

		ret = souk_call_sleep(client->call, pause_ms, err);
		if (ret == SOUK_OK)
			ret = azure_send_json(client, &request, &resource, NULL, err);
		if (ret == SOUK_OK)
			ret = is_ready(resource, doing, err);
		json_object_put(resource);
		if (ret != 0)
			return ret < 0 ? ret : SOUK_OK;
		pause_ms = pause_ms < POLL_MS ? 2 * pause_ms : POLL_MS;
	}
	return souk_error_set(err, SOUK_E_TRANSIENT, "cannot %s: it is not ready after %d s", doing,
			      POLLS_MS / 1000);
}

int azure_put_and_wait(const struct azure_client *client, const char *kind, const char *path,
		       const char *body, const char *doing, struct souk_error *err)
{
	char what[64];
	const struct azure_request request = {
		.what = what, .doing = doing, .host = AZURE_HOST_MANAGEMENT, .method = "PUT",
		.path = path, .body = body,
		/* What is put twice is there once. */
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_MUTATES,
	};
	struct json_object *resource = NULL;
	int ret;

	snprintf(what, sizeof(what), "%s_CreateOrUpdate", kind);
	ret = azure_send_json(client, &request, &resource, NULL, err);
	if (ret == SOUK_OK)
		ret = is_ready(resource, doing, err);
	json_object_put(resource);
	if (ret == 0)
		return wait_for(client, kind, path, doing, err);
	return ret < 0 ? ret : SOUK_OK;
}

/* ---- The group ------------------------------------------------------------------------------- */

static void add_tag(struct souk_buf *out, const char *key, const char *value)
{
	if (value && *value)
		azure_body(out, out->len > 1 ? ",$:$" : "$:$", key, value);
}

void azure_tags_body(const struct souk_instance_spec *spec, const char *user, struct souk_buf *out)
{
	char host_key[257];
	const char *blob = spec->host_key_public ? strchr(spec->host_key_public, ' ') : NULL;
	uint32_t i;

	souk_buf_str(out, "{");
	add_tag(out, AZURE_TAG_CLUSTER, spec->cluster);
	add_tag(out, AZURE_TAG_OWNER, spec->owner);
	add_tag(out, AZURE_TAG_TOKEN, spec->request_token);
	for (i = 0; i < spec->n_labels; i++)
		add_tag(out, spec->labels[i].key, spec->labels[i].value);
	add_tag(out, AZURE_TAG_USER, user);
	/* Algorithm and key without the comment. */
	if (user && blob && spec->host_key_private) {
		size_t len = (size_t)(blob - spec->host_key_public) + 1 +
			     strcspn(blob + 1, " \r\n");

		if (len < sizeof(host_key)) {
			memcpy(host_key, spec->host_key_public, len);
			host_key[len] = '\0';
			add_tag(out, AZURE_TAG_HOST_KEY, host_key);
		}
	}
	souk_buf_str(out, "}");
}

static int ensure_group(const struct azure_client *client, const char *subscription,
			const char *group, const struct souk_instance_spec *spec,
			const char *tags, struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf body = { 0 };
	char path[AZURE_PATH_SIZE];
	int ret;

	souk_buf_init(&body, MAX_BODY);
	azure_body(&body, "{'location':$,'tags':#}", spec->region, tags);
	ret = souk_buf_failed(&body, err);
	if (ret == SOUK_OK)
		ret = azure_group_path(subscription, group, "", AZURE_RESOURCES_VERSION, path, err);
	return ret < 0 ? ret : azure_put_and_wait(client, "ResourceGroups", path, body.data,
						  "make a resource group", err);
}

int azure_group_delete(const struct azure_client *client, const char *subscription,
		       const char *group, struct souk_error *err)
{
	char path[AZURE_PATH_SIZE];
	const struct azure_request request = {
		.what = "ResourceGroups_Delete", .doing = "delete a resource group",
		.host = AZURE_HOST_MANAGEMENT, .method = "DELETE", .path = path,
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_MUTATES,
	};
	AZURE_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct souk_error why = SOUK_ERROR_INIT;
	struct azure_fault fault = { 0 };
	int ret;

	ret = azure_group_path(subscription, group,
			       "?forceDeletionTypes=Microsoft.Compute/virtualMachines",
			       AZURE_RESOURCES_VERSION, path, err);
	if (ret < 0)
		return ret;
	ret = azure_send(client, &request, &reply, &fault, &why);
	if (ret == SOUK_E_NOT_FOUND || azure_fault_is(&fault, "ResourceGroupBeingDeleted"))
		return SOUK_OK;
	return ret < 0 ? souk_error_copy(&why, err) : SOUK_OK;
}

/* ---- Rules ----------------------------------------------------------------------------------- */

static int add_ssh_rule(const struct azure_client *client, struct souk_buf *out,
			struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf sources = { 0 };
	char priority[16];
	int ret;

	souk_buf_init(&sources, 4096);
	ret = azure_sources(client, &sources, err);
	if (ret < 0)
		return ret;
	snprintf(priority, sizeof(priority), "%d", SSH_PRIORITY);
	azure_body(out,
		   "{'name':'souk-ssh','properties':{'priority':#,'direction':'Inbound',"
		   "'access':'Allow','protocol':'Tcp','sourceAddressPrefixes':#,"
		   "'sourcePortRange':'*','destinationAddressPrefix':'*',"
		   "'destinationPortRange':'22'}}", priority, sources.data);
	return souk_buf_failed(out, err);
}

static void add_port_rule(const struct souk_instance_spec *spec, struct souk_buf *out)
{
	char range[16];
	uint32_t i;

	if (!spec->n_ports)
		return;
	azure_body(out, ",{'name':'souk-ports','properties':{'priority':1100,"
			"'direction':'Inbound','access':'Allow','protocol':'Tcp',"
			"'sourceAddressPrefix':'*','sourcePortRange':'*',"
			"'destinationAddressPrefix':'*','destinationPortRanges':[");
	for (i = 0; i < spec->n_ports; i++) {
		const struct souk_port_range *ports = &spec->ports[i];

		if (ports->first == ports->last)
			snprintf(range, sizeof(range), "%u", ports->first);
		else
			snprintf(range, sizeof(range), "%u-%u", ports->first, ports->last);
		azure_body(out, i ? ",$" : "$", range);
	}
	souk_buf_str(out, "]}}");
}

static int ensure_rules(const struct azure_client *client, const char *subscription,
			const char *group, const struct souk_instance_spec *spec,
			const char *tags, struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf body = { 0 };
	char path[AZURE_PATH_SIZE];
	int ret;

	souk_buf_init(&body, MAX_BODY);
	azure_body(&body, "{'location':$,'tags':#,'properties':{'securityRules':[", spec->region,
		   tags);
	ret = add_ssh_rule(client, &body, err);
	if (ret < 0)
		return ret;
	add_port_rule(spec, &body);
	souk_buf_str(&body, "]}}");
	ret = souk_buf_failed(&body, err);
	if (ret == SOUK_OK)
		ret = azure_group_path(subscription, group, NSG, AZURE_NETWORK_VERSION, path, err);
	return ret < 0 ? ret : azure_put_and_wait(client, "NetworkSecurityGroups", path, body.data,
						  "make a network security group", err);
}

static int ensure_network(const struct azure_client *client, const char *subscription,
			  const char *group, const struct souk_instance_spec *spec,
			  const char *tags, struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf body = { 0 };
	char path[AZURE_PATH_SIZE];
	char rules[AZURE_PATH_SIZE];
	int ret;

	souk_buf_init(&body, MAX_BODY);
	snprintf(rules, sizeof(rules), "/subscriptions/%s/resourceGroups/%s" NSG, subscription,
		 group);
	azure_body(&body,
		   "{'location':$,'tags':#,'properties':{'addressSpace':{'addressPrefixes':"
		   "['10.0.0.0/16']},'subnets':[{'name':'default','properties':{'addressPrefix':"
		   "'10.0.0.0/20','networkSecurityGroup':{'id':$}}}]}}",
		   spec->region, tags, rules);
	ret = souk_buf_failed(&body, err);
	if (ret == SOUK_OK)
		ret = azure_group_path(subscription, group, VNET, AZURE_NETWORK_VERSION, path, err);
	return ret < 0 ? ret : azure_put_and_wait(client, "VirtualNetworks", path, body.data,
						  "make a network", err);
}

int azure_network_ensure(const struct azure_client *client, const char *subscription,
			 const char *group, const struct souk_instance_spec *spec,
			 struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf tags = { 0 };
	int ret;

	souk_buf_init(&tags, MAX_BODY);
	azure_tags_body(spec, NULL, &tags);
	ret = souk_buf_failed(&tags, err);
	if (ret == SOUK_OK)
		ret = ensure_group(client, subscription, group, spec, tags.data, err);
	if (ret == SOUK_OK)
		ret = ensure_rules(client, subscription, group, spec, tags.data, err);
	if (ret == SOUK_OK)
		ret = ensure_network(client, subscription, group, spec, tags.data, err);
	return ret;
}

int azure_network_admit(const struct azure_client *client, const struct azure_id *id,
			struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf body = { 0 };
	char path[AZURE_PATH_SIZE];
	int ret;

	souk_buf_init(&body, MAX_BODY);
	ret = add_ssh_rule(client, &body, err);
	if (ret == SOUK_OK)
		ret = azure_group_path(id->subscription, id->group, NSG "/securityRules/souk-ssh",
				       AZURE_NETWORK_VERSION, path, err);
	return ret < 0 ? ret : azure_put_and_wait(client, "SecurityRules", path, body.data,
						  "admit SSH from here", err);
}
