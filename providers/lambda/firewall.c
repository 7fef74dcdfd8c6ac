/* SPDX-License-Identifier: Apache-2.0 */
/* firewall.c - the account's firewall ruleset that new machines are put behind */

#include <stdio.h>
#include <string.h>

#include "lambda.h"
#include "machines.h"

static int no_ruleset(const char *name, const char *region, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_NOT_FOUND, "no firewall ruleset '%.64s' in '%.40s'", name, region);
	souk_error_hint(err, "make one of that name in the region at https://cloud.lambda.ai/firewall, "
			     "or leave the setting 'firewall' out");
	return souk_error_scope(err, SOUK_SCOPE_REGION);
}

/* 1: it is the one that is meant. */
static int is_meant(struct json_object *item, const char *name, const char *region, const char **id,
		    struct souk_error *err)
{
	struct json_object *place;
	const char *has_name, *has_region;
	int ret;

	if ((ret = souk_json_text(item, "data[]", "name", &has_name, err)) < 0 ||
	    (ret = souk_json_text(item, "data[]", "id", id, err)) < 0 ||
	    (ret = souk_json_object(item, "data[]", "region", &place, err)) < 0 ||
	    (ret = souk_json_text(place, "data[].region", "name", &has_region, err)) < 0)
		return ret;
	return strcmp(has_name, name) == 0 && strcmp(has_region, region) == 0;
}

int lambda_ruleset_find(struct lambda *lambda, struct souk_call *call, const char *region,
			char id[LAMBDA_RULESET_ID_SIZE], struct souk_error *err)
{
	static const struct lambda_request request = {
		.what = "ListFirewallRulesets",
		.doing = "list the firewall rulesets",
		.path = "/firewall-rulesets",
		.flags = SOUK_HTTP_RETRY,
	};
	const char *name = souk_call_option(call, "firewall");
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *list, *item;
	const char *found = NULL;
	size_t i;
	int ret;

	id[0] = '\0';
	if (!name || !*name)
		return SOUK_OK;
	if (lambda->rehearsed.is_on)
		(void)snprintf(lambda->rehearsed.region, sizeof(lambda->rehearsed.region), "%s", region);
	ret = lambda_send(lambda, call, &request, &reply, &list, err);
	if (ret == SOUK_OK && !json_object_is_type(list, json_type_array))
		ret = souk_error_set(err, SOUK_E_INTERNAL, "Lambda's answer makes no sense: 'data' is "
							   "not a list of firewall rulesets");
	for (i = 0; ret == SOUK_OK && i < json_object_array_length(list); i++) {
		ret = souk_json_item(list, "data[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = is_meant(item, name, region, &found, err);
	}
	if (ret <= 0)
		return ret < 0 ? ret : no_ruleset(name, region, err);
	if (snprintf(id, LAMBDA_RULESET_ID_SIZE, "%s", found) >= LAMBDA_RULESET_ID_SIZE)
		return souk_error_set(err, SOUK_E_INTERNAL, "Lambda's answer makes no sense: a ruleset's "
							    "id is '%.60s'", found);
	return SOUK_OK;
}
