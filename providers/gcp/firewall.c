/* SPDX-License-Identifier: Apache-2.0 */
/* firewall.c - the rules that let SSH, siblings and ports through to a cluster's machines */

#include <stdio.h>
#include <string.h>

#include "machines.h"

enum { RULE_BUDGET_MS = 60000, MAX_RANGES = 64 };

/* One rule: TAG-ssh, TAG-in or TAG-ports. */
struct rule {
	const char *tag;
	const char *part;
	char (*sources)[SOUK_NETWORK_SIZE]; /* NULL: from machines of the same tag */
	int n_sources;
	const struct souk_port_range *ports; /* NULL: everything */
	uint32_t n_ports;
};

int gcp_rules_managed(const struct gcp_client *client)
{
	const char *given = souk_call_option(client->call, "manage_firewall");

	return !given || !*given || souk_text_is_true(given);
}

static void rule_name(const char *tag, const char *part, char out[GCP_NAME_SIZE + 8])
{
	snprintf(out, GCP_NAME_SIZE + 8, "%s-%s", tag, part);
}

/* Add a member; the value is taken, whatever happens. */
static int set(struct json_object *object, const char *name, struct json_object *value)
{
	if (value && json_object_object_add(object, name, value) == 0)
		return 1;
	json_object_put(value);
	return 0;
}

static int push(struct json_object *list, struct json_object *value)
{
	if (value && json_object_array_add(list, value) == 0)
		return 1;
	json_object_put(value);
	return 0;
}

static struct json_object *list_of_tag(const char *tag)
{
	struct json_object *list = json_object_new_array();

	if (list && !push(list, json_object_new_string(tag))) {
		json_object_put(list);
		return NULL;
	}
	return list;
}

static struct json_object *ranges_of(const struct rule *rule)
{
	struct json_object *list = json_object_new_array();
	int i;

	for (i = 0; list && i < rule->n_sources; i++)
		if (!push(list, json_object_new_string(rule->sources[i]))) {
			json_object_put(list);
			return NULL;
		}
	return list;
}

/* [{"IPProtocol":"tcp","ports":["22","80-90"]}], or all protocols */
static struct json_object *allowed_of(const struct rule *rule)
{
	struct json_object *list = json_object_new_array();
	struct json_object *entry = json_object_new_object();
	struct json_object *ports = rule->ports ? json_object_new_array() : NULL;
	uint32_t i;
	int done = list && entry &&
		   set(entry, "IPProtocol", json_object_new_string(rule->ports ? "tcp" : "all"));

	for (i = 0; i < rule->n_ports && done; i++) {
		char text[16];

		snprintf(text, sizeof(text), rule->ports[i].first == rule->ports[i].last ? "%u" :
			 "%u-%u", rule->ports[i].first, rule->ports[i].last);
		done = ports && push(ports, json_object_new_string(text));
	}
	if (rule->ports)
		done = done && set(entry, "ports", json_object_get(ports));
	json_object_put(ports);
	done = done && push(list, json_object_get(entry));
	json_object_put(entry);
	if (done)
		return list;
	json_object_put(list);
	return NULL;
}

static int network_link(const struct gcp_client *client, struct souk_buf *out,
			struct souk_error *err)
{
	const char *network = souk_call_option(client->call, "network");

	if (!network || !*network)
		network = "default";
	if (strchr(network, '/'))
		souk_buf_str(out, network);
	else
		souk_buf_printf(out, "global/networks/%s", network);
	return souk_buf_failed(out, err);
}

static int rule_body(const struct gcp_client *client, const struct rule *rule,
		     struct json_object **out, struct souk_error *err)
{
	struct json_object *body = json_object_new_object();
	GCP_AUTO_BUF struct souk_buf network = { 0 };
	char name[GCP_NAME_SIZE + 8];
	int ret;

	souk_buf_init(&network, 512);
	ret = network_link(client, &network, err);
	rule_name(rule->tag, rule->part, name);
	if (ret == SOUK_OK && body && set(body, "name", json_object_new_string(name)) &&
	    set(body, "description", json_object_new_string("made by souk")) &&
	    set(body, "network", json_object_new_string(network.data)) &&
	    set(body, "direction", json_object_new_string("INGRESS")) &&
	    set(body, "allowed", allowed_of(rule)) &&
	    set(body, "targetTags", list_of_tag(rule->tag)) &&
	    set(body, rule->sources ? "sourceRanges" : "sourceTags",
		rule->sources ? ranges_of(rule) : list_of_tag(rule->tag))) {
		*out = body;
		return SOUK_OK;
	}
	json_object_put(body);
	return ret < 0 ? ret : gcp_nomem(err);
}

static const char *what_of(const char *method)
{
	return strcmp(method, "GET") == 0    ? "firewalls.get" :
	       strcmp(method, "POST") == 0   ? "firewalls.insert" :
	       strcmp(method, "DELETE") == 0 ? "firewalls.delete" : "firewalls.patch";
}

/* Send about firewall rules: 'name' is NULL for a new one. */
static int send_rule(const struct gcp_client *client, const char *method, const char *name,
		     struct json_object *body, const char *doing, const char *permission,
		     struct json_object **out, struct gcp_fault *fault, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	struct gcp_request request = {
		.what = what_of(method),
		.doing = doing,
		.permission = permission,
		.method = method,
		.flags = SOUK_HTTP_RETRY,
	};
	int ret;

	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_compute_url(client, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_str(&url, "global/firewalls");
	if (name)
		souk_buf_printf(&url, "/%s", name);
	ret = souk_buf_failed(&url, err);
	if (ret < 0)
		return ret;
	request.url = url.data;
	if (body)
		request.body = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (strcmp(method, "GET") == 0)
		return gcp_call(client, &request, out, fault, err);
	return gcp_operate(client, &request, out, fault, err);
}

static int has_text(struct json_object *list, const char *text)
{
	size_t i;

	for (i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);

		if (json_object_is_type(entry, json_type_string) &&
		    strcmp(json_object_get_string(entry), text) == 0)
			return 1;
	}
	return 0;
}

/* What the rule that is there lacks of the new one goes into 'body': 1 if there is anything. */
static int merge(struct json_object *there, const struct rule *rule, struct json_object *body)
{
	const char *member = "sourceRanges";
	struct json_object *old = NULL;
	struct json_object *wanted = NULL;
	size_t i;
	int changed = 0;

	if (!rule->sources)
		return 0;
	if (gcp_json_array(there, member, &old, NULL) <= 0 ||
	    gcp_json_array(body, member, &wanted, NULL) <= 0)
		return 1;
	for (i = 0; i < json_object_array_length(wanted); i++)
		if (!has_text(old, json_object_get_string(json_object_array_get_idx(wanted, i))))
			changed = 1;
	for (i = 0; i < json_object_array_length(old) && i < MAX_RANGES; i++) {
		struct json_object *entry = json_object_array_get_idx(old, i);

		if (json_object_is_type(entry, json_type_string) &&
		    !has_text(wanted, json_object_get_string(entry)))
			push(wanted, json_object_get(entry));
	}
	/* Other ports than before: the new ones are what is wanted now, with the old. */
	if (rule->ports && gcp_json_array(there, "allowed", &old, NULL) > 0 &&
	    gcp_json_array(body, "allowed", &wanted, NULL) > 0 && !json_object_equal(old, wanted)) {
		for (i = 0; i < json_object_array_length(old) && i < MAX_RANGES; i++)
			push(wanted, json_object_get(json_object_array_get_idx(old, i)));
		changed = 1;
	}
	return changed;
}

/* Let an existing rule admit what this one does, too. */
static int widen(const struct gcp_client *client, const struct rule *rule,
		 struct json_object *body, struct souk_error *err)
{
	GCP_AUTO_JSON struct json_object *there = NULL;
	GCP_AUTO_JSON struct json_object *operation = NULL;
	char name[GCP_NAME_SIZE + 8];
	struct gcp_fault fault;
	int ret;

	rule_name(rule->tag, rule->part, name);
	ret = send_rule(client, "GET", name, NULL, "look at a firewall rule",
			"compute.firewalls.get", &there, &fault, err);
	if (ret < 0 || !merge(there, rule, body))
		return ret;
	ret = send_rule(client, "PATCH", name, body, "change a firewall rule",
			"compute.firewalls.update", &operation, &fault, err);
	if (ret < 0)
		return ret;
	return gcp_operation_wait(client, "global", operation, "change a firewall rule",
				  RULE_BUDGET_MS, err);
}

static int ensure(const struct gcp_client *client, const struct rule *rule, int *is_new,
		  struct souk_error *err)
{
	GCP_AUTO_JSON struct json_object *body = NULL;
	GCP_AUTO_JSON struct json_object *operation = NULL;
	struct souk_error why = SOUK_ERROR_INIT;
	struct gcp_fault fault;
	int ret;

	ret = rule_body(client, rule, &body, err);
	if (ret < 0)
		return ret;
	ret = send_rule(client, "POST", NULL, body, "make a firewall rule",
			"compute.firewalls.create", &operation, &fault, &why);
	if (ret == SOUK_E_CONFLICT)
		return widen(client, rule, body, err);
	if (ret < 0)
		return souk_error_copy(&why, err);
	*is_new = 1;
	return gcp_operation_wait(client, "global", operation, "make a firewall rule",
				  RULE_BUDGET_MS, err);
}

static int ensure_ssh(const struct gcp_client *client, const char *tag, int *is_new,
		      struct souk_error *err)
{
	static const struct souk_port_range ssh = { 22, 22 };
	char sources[GCP_MAX_SOURCES][SOUK_NETWORK_SIZE];
	struct rule rule = { .tag = tag, .part = "ssh", .sources = sources, .ports = &ssh,
			     .n_ports = 1 };

	rule.n_sources = gcp_sources(client, sources, err);
	return rule.n_sources < 0 ? rule.n_sources : ensure(client, &rule, is_new, err);
}

static int ensure_ports(const struct gcp_client *client, const char *tag,
			const struct souk_port_range *ports, uint32_t n, int *is_new,
			struct souk_error *err)
{
	char world[1][SOUK_NETWORK_SIZE] = { "0.0.0.0/0" };
	struct rule rule = { .tag = tag, .part = "ports", .sources = world, .n_sources = 1,
			     .ports = ports, .n_ports = n };

	return n ? ensure(client, &rule, is_new, err) : SOUK_OK;
}

int gcp_rules_ensure(const struct gcp_client *client, const struct souk_instance_spec *spec,
		     struct gcp_rules *rules, struct souk_error *err)
{
	struct rule inside = { .tag = rules->tag, .part = "in" };
	int ret;

	if (!gcp_rules_managed(client))
		return SOUK_OK;
	ret = ensure_ssh(client, rules->tag, &rules->is_new, err);
	if (ret == SOUK_OK && spec->count > 1)
		ret = ensure(client, &inside, &rules->is_new, err);
	if (ret == SOUK_OK)
		ret = ensure_ports(client, rules->tag, spec->ports, spec->n_ports, &rules->is_new,
				   err);
	return ret;
}

int gcp_rules_admit(const struct gcp_client *client, const char *tag, struct souk_error *err)
{
	int is_new = 0;

	return gcp_rules_managed(client) ? ensure_ssh(client, tag, &is_new, err) : SOUK_OK;
}

int gcp_rules_open(const struct gcp_client *client, const char *tag,
		   const struct souk_port_range *ports, uint32_t n, struct souk_error *err)
{
	int is_new = 0;

	return ensure_ports(client, tag, ports, n, &is_new, err);
}

int gcp_rules_delete(const struct gcp_client *client, const char *tag, struct souk_error *err)
{
	static const char *const parts[] = { "ssh", "in", "ports" };
	struct souk_error first = SOUK_ERROR_INIT;
	size_t i;

	if (!gcp_rules_managed(client))
		return SOUK_OK;
	for (i = 0; i < GCP_ARRAY_SIZE(parts); i++) {
		GCP_AUTO_JSON struct json_object *operation = NULL;
		struct souk_error why = SOUK_ERROR_INIT;
		struct gcp_fault fault;
		char name[GCP_NAME_SIZE + 8];

		rule_name(tag, parts[i], name);
		if (send_rule(client, "DELETE", name, NULL, "delete a firewall rule",
			      "compute.firewalls.delete", &operation, &fault, &why) < 0 &&
		    fault.status != 404 && first.code == SOUK_OK)
			first = why;
	}
	return first.code == SOUK_OK ? SOUK_OK : souk_error_copy(&first, err);
}
