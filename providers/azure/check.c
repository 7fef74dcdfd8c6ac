/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - are the credentials good, whose are they, and what may they do */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "credentials.h"
#include "json-read.h"
#include "market.h"

enum { MAX_PERMISSIONS = 1000, MAX_ACTIONS = 5000 };

/* What the module does, for 'check' and for the role below. */
static const char *const actions[] = {
	"Microsoft.Resources/subscriptions/read",
	"Microsoft.Resources/subscriptions/locations/read",
	"Microsoft.Resources/subscriptions/resourceGroups/read",
	"Microsoft.Resources/subscriptions/resourceGroups/write",
	"Microsoft.Resources/subscriptions/resourceGroups/delete",
	"Microsoft.Compute/skus/read",
	"Microsoft.Compute/virtualMachines/read",
	"Microsoft.Compute/virtualMachines/write",
	"Microsoft.Compute/virtualMachines/delete",
	"Microsoft.Compute/virtualMachines/start/action",
	"Microsoft.Compute/virtualMachines/deallocate/action",
	"Microsoft.Compute/disks/read",
	"Microsoft.Compute/disks/write",
	"Microsoft.Compute/disks/delete",
	"Microsoft.Network/networkSecurityGroups/read",
	"Microsoft.Network/networkSecurityGroups/write",
	"Microsoft.Network/networkSecurityGroups/delete",
	"Microsoft.Network/networkSecurityGroups/join/action",
	"Microsoft.Network/networkSecurityGroups/securityRules/read",
	"Microsoft.Network/networkSecurityGroups/securityRules/write",
	"Microsoft.Network/virtualNetworks/read",
	"Microsoft.Network/virtualNetworks/write",
	"Microsoft.Network/virtualNetworks/delete",
	"Microsoft.Network/virtualNetworks/subnets/read",
	"Microsoft.Network/virtualNetworks/subnets/join/action",
	"Microsoft.Network/publicIPAddresses/read",
	"Microsoft.Network/publicIPAddresses/write",
	"Microsoft.Network/publicIPAddresses/delete",
	"Microsoft.Network/publicIPAddresses/join/action",
	"Microsoft.Network/networkInterfaces/read",
	"Microsoft.Network/networkInterfaces/write",
	"Microsoft.Network/networkInterfaces/delete",
	"Microsoft.Network/networkInterfaces/join/action",
};

const char azure_permissions[] =
	"{\n"
	"  \"Name\": \"souk\",\n"
	"  \"Description\": \"What souk does in a subscription\",\n"
	"  \"Actions\": [\n"
	"    \"Microsoft.Resources/subscriptions/read\",\n"
	"    \"Microsoft.Resources/subscriptions/locations/read\",\n"
	"    \"Microsoft.Resources/subscriptions/resourceGroups/read\",\n"
	"    \"Microsoft.Resources/subscriptions/resourceGroups/write\",\n"
	"    \"Microsoft.Resources/subscriptions/resourceGroups/delete\",\n"
	"    \"Microsoft.Compute/skus/read\",\n"
	"    \"Microsoft.Compute/virtualMachines/read\",\n"
	"    \"Microsoft.Compute/virtualMachines/write\",\n"
	"    \"Microsoft.Compute/virtualMachines/delete\",\n"
	"    \"Microsoft.Compute/virtualMachines/start/action\",\n"
	"    \"Microsoft.Compute/virtualMachines/deallocate/action\",\n"
	"    \"Microsoft.Compute/disks/read\",\n"
	"    \"Microsoft.Compute/disks/write\",\n"
	"    \"Microsoft.Compute/disks/delete\",\n"
	"    \"Microsoft.Network/networkSecurityGroups/read\",\n"
	"    \"Microsoft.Network/networkSecurityGroups/write\",\n"
	"    \"Microsoft.Network/networkSecurityGroups/delete\",\n"
	"    \"Microsoft.Network/networkSecurityGroups/join/action\",\n"
	"    \"Microsoft.Network/networkSecurityGroups/securityRules/read\",\n"
	"    \"Microsoft.Network/networkSecurityGroups/securityRules/write\",\n"
	"    \"Microsoft.Network/virtualNetworks/read\",\n"
	"    \"Microsoft.Network/virtualNetworks/write\",\n"
	"    \"Microsoft.Network/virtualNetworks/delete\",\n"
	"    \"Microsoft.Network/virtualNetworks/subnets/read\",\n"
	"    \"Microsoft.Network/virtualNetworks/subnets/join/action\",\n"
	"    \"Microsoft.Network/publicIPAddresses/read\",\n"
	"    \"Microsoft.Network/publicIPAddresses/write\",\n"
	"    \"Microsoft.Network/publicIPAddresses/delete\",\n"
	"    \"Microsoft.Network/publicIPAddresses/join/action\",\n"
	"    \"Microsoft.Network/networkInterfaces/read\",\n"
	"    \"Microsoft.Network/networkInterfaces/write\",\n"
	"    \"Microsoft.Network/networkInterfaces/delete\",\n"
	"    \"Microsoft.Network/networkInterfaces/join/action\"\n"
	"  ],\n"
	"  \"AssignableScopes\": [ \"/subscriptions/SUBSCRIPTION\" ]\n"
	"}\n";

/* ---- What it may do -------------------------------------------------------------------------- */

int azure_action_matches(const char *pattern, const char *action)
{
	const char *star = NULL;
	const char *retry = NULL;

	/* Only '*' is special, and it matches slashes too. */
	while (*action) {
		if (*pattern == '*') {
			star = ++pattern;
			retry = action;
		} else if (strncasecmp(pattern, action, 1) == 0 && *pattern) {
			pattern++;
			action++;
		} else if (star) {
			pattern = star;
			action = ++retry;
		} else {
			return 0;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static int any_matches(struct json_object *patterns, const char *action)
{
	size_t i;

	for (i = 0; patterns && i < json_object_array_length(patterns) && i < MAX_ACTIONS; i++) {
		struct json_object *pattern = json_object_array_get_idx(patterns, i);

		if (json_object_is_type(pattern, json_type_string) &&
		    azure_action_matches(json_object_get_string(pattern), action))
			return 1;
	}
	return 0;
}

int azure_action_allowed(struct json_object *permissions, const char *action)
{
	size_t i;

	for (i = 0; i < json_object_array_length(permissions) && i < MAX_PERMISSIONS; i++) {
		struct json_object *entry = json_object_array_get_idx(permissions, i);

		if (any_matches(souk_json_maybe_array(entry, "actions"), action) &&
		    !any_matches(souk_json_maybe_array(entry, "notActions"), action))
			return 1;
	}
	return 0;
}

/* All permissions there are, gathered from the pages. */
static int take_permissions(void *arg, struct json_object *page, struct json_object *items,
			    struct souk_error *err)
{
	struct json_object *all = arg;
	size_t i;

	(void)page;
	for (i = 0; i < json_object_array_length(items); i++) {
		struct json_object *item =
			json_object_get(json_object_array_get_idx(items, i));

		if (json_object_array_add(all, item) < 0) {
			json_object_put(item);
			return azure_nomem(err);
		}
	}
	return SOUK_OK;
}

static int say_missing(struct json_object *permissions, struct souk_error *err)
{
	struct souk_buf missing;
	size_t n = 0;
	size_t i;

	souk_buf_init(&missing, 320);
	for (i = 0; i < AZURE_ARRAY_SIZE(actions); i++)
		if (!azure_action_allowed(permissions, actions[i])) {
			n++;
			souk_buf_printf(&missing, "%s%s", missing.len ? ", " : "", actions[i]);
		}
	if (n) {
		souk_error_set(err, SOUK_E_AUTH, "the role does not allow %s%s", missing.data,
			       missing.failed ? ", and more" : "");
		souk_error_reason(err, "AuthorizationFailed");
		souk_error_hint(err, "'souk provider info azure' prints the role that is needed");
	}
	souk_buf_fini(&missing);
	return n ? SOUK_E_AUTH : SOUK_OK;
}

static int what_may_it(const struct azure_client *client, const char *subscription,
		       struct souk_error *err)
{
	struct json_object *all = json_object_new_array();
	struct souk_error why = SOUK_ERROR_INIT;
	char path[AZURE_ID_SIZE + 120];
	const struct azure_listing listing = {
		.request = { .what = "Permissions_List", .doing = "list permissions",
			     .host = AZURE_HOST_MANAGEMENT, .path = path },
		.items = "value", .next = "nextLink", .take = take_permissions, .arg = all,
	};
	int ret;

	if (!all)
		return azure_nomem(err);
	snprintf(path, sizeof(path),
		 "/subscriptions/%s/providers/Microsoft.Authorization/permissions"
		 "?api-version=2022-04-01", subscription);
	ret = azure_list(client, &listing, &why);
	if (ret == SOUK_OK)
		ret = say_missing(all, err);
	else if (ret == SOUK_E_AUTH || ret == SOUK_E_NOT_FOUND || ret == SOUK_E_INVALID) {
		/* Who may not ask what he may do, may still do it. */
		souk_call_log(client->call, SOUK_LOG_INFO, "not known what is allowed: %s",
			      why.message);
		ret = SOUK_OK;
	} else {
		souk_error_copy(&why, err);
	}
	json_object_put(all);
	return ret;
}

/* ---- Whose it is ----------------------------------------------------------------------------- */

static int set_principal(const struct azure_client *client, struct souk_identity *out,
			 struct souk_error *err)
{
	static const char *const claims[] = { "upn", "unique_name", "appid", "azp", "oid" };
	struct azure_token token = { 0 };
	char text[256];
	size_t i;
	int ret;

	ret = azure_token_get(client, &token, err);
	for (i = 0; ret == SOUK_OK && i < AZURE_ARRAY_SIZE(claims); i++)
		if (azure_token_claim(token.text, claims[i], text, sizeof(text))) {
			ret = souk_identity_set(out, "principal", text, err);
			break;
		}
	if (ret == SOUK_OK)
		ret = souk_identity_set(out, "credentials", token.source, err);
	azure_token_fini(&token);
	return ret;
}

static int set_subscription(const struct azure_client *client, const char *subscription,
			    struct souk_identity *out, struct souk_error *err)
{
	char path[AZURE_ID_SIZE + 64];
	const struct azure_request request = {
		.what = "Subscriptions_Get", .doing = "look at the subscription",
		.host = AZURE_HOST_MANAGEMENT, .path = path, .flags = SOUK_HTTP_RETRY,
	};
	struct json_object *object = NULL;
	const char *name, *tenant, *state;
	int ret;

	snprintf(path, sizeof(path), "/subscriptions/%s?api-version=2022-12-01", subscription);
	ret = azure_send_json(client, &request, &object, NULL, err);
	if (ret < 0)
		return ret;
	name = souk_json_maybe_text(object, "displayName");
	tenant = souk_json_maybe_text(object, "tenantId");
	state = souk_json_maybe_text(object, "state");
	ret = souk_identity_set(out, "account", subscription, err);
	if (ret == SOUK_OK && name)
		ret = souk_identity_set(out, "project", name, err);
	if (ret == SOUK_OK && tenant)
		ret = souk_identity_set(out, "tenant", tenant, err);
	if (ret == SOUK_OK && state && strcasecmp(state, "Enabled") != 0 &&
	    strcasecmp(state, "Warned") != 0) {
		souk_error_set(err, SOUK_E_AUTH, "the subscription '%s' is not enabled: %.40s",
			       subscription, state);
		souk_error_hint(err, "'az account list' shows the state of each");
		ret = SOUK_E_AUTH;
	}
	json_object_put(object);
	return ret;
}

int azure_check(void *self, struct souk_call *call, struct souk_identity *out,
		struct souk_error *err)
{
	const struct azure_client client = { self, call };
	char subscription[AZURE_ID_SIZE];
	int ret;

	ret = azure_subscription(&client, subscription, err);
	if (ret == SOUK_OK)
		ret = set_principal(&client, out, err);
	if (ret == SOUK_OK)
		ret = set_subscription(&client, subscription, out, err);
	return ret == SOUK_OK ? what_may_it(&client, subscription, err) : ret;
}
