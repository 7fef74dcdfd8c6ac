/* SPDX-License-Identifier: Apache-2.0 */
/* security-group.c - who may reach the machines of a cluster */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "network.h"
#include "query.h"
#include "sign.h"

enum { MAX_RULES = 200, MAX_GROUPS_PER_REQUEST = 50 };

/* Admit 'peer', a network or a group, to a range of ports. */
struct rule {
	const char *protocol; /* "tcp", "-1" all */
	uint32_t first;
	uint32_t last;
	char peer[SOUK_NETWORK_SIZE];
};

struct rules {
	struct rule list[MAX_RULES];
	size_t n;
};

static int is_group(const struct rule *rule)
{
	return strncmp(rule->peer, "sg-", 3) == 0;
}

static int is_ipv6(const struct rule *rule)
{
	return strchr(rule->peer, ':') != NULL;
}

static int add_rule(struct rules *rules, const char *protocol, uint32_t first, uint32_t last,
		    const char *peer, struct souk_error *err)
{
	struct rule *rule = &rules->list[rules->n];

	if (rules->n == MAX_RULES)
		return souk_error_set(err, SOUK_E_INVALID, "more than %d rules of access",
				      MAX_RULES);
	rule->protocol = protocol;
	rule->first = first;
	rule->last = last;
	snprintf(rule->peer, sizeof(rule->peer), "%s", peer);
	rules->n++;
	return SOUK_OK;
}

static int add_ports(struct rules *rules, const struct souk_port_range *ports, uint32_t n,
		     struct souk_error *err)
{
	uint32_t i;
	int ret = SOUK_OK;

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		if (!ports[i].first || ports[i].last < ports[i].first)
			return souk_error_set(err, SOUK_E_INVALID, "not a range of ports: %u-%u",
					      ports[i].first, ports[i].last);
		ret = add_rule(rules, "tcp", ports[i].first, ports[i].last, "0.0.0.0/0", err);
	}
	return ret;
}

static int add_sources(struct rules *rules, const struct aws_client *client, const char *vpc_cidr,
		       struct souk_error *err)
{
	char sources[AWS_MAX_SOURCES][SOUK_NETWORK_SIZE];
	uint32_t n = 0;
	uint32_t i;
	int ret = aws_sources(client, vpc_cidr, sources, &n, err);

	for (i = 0; i < n && ret == SOUK_OK; i++)
		ret = add_rule(rules, "tcp", 22, 22, sources[i], err);
	return ret;
}

/* ---- What a group has already ------------------------------------------------------------ */

static int list_has(const xmlNode *list, const char *name, const char *value, const char *or_value)
{
	const xmlNode *item;

	for (item = aws_xml_first_item(list); item; item = aws_xml_next_item(item)) {
		const char *text = aws_xml_text(item, name);

		if (text && (strcmp(text, value) == 0 || (or_value && strcmp(text, or_value) == 0)))
			return 1;
	}
	return 0;
}

static int permission_covers(const xmlNode *permission, const struct rule *rule)
{
	const char *protocol = aws_xml_text(permission, "ipProtocol");
	int is_all = protocol && strcmp(protocol, "-1") == 0;

	if (!protocol || (!is_all && strcmp(protocol, rule->protocol) != 0))
		return 0;
	if (!is_all && (aws_xml_u64(permission, "fromPort", UINT32_MAX) > rule->first ||
			aws_xml_u64(permission, "toPort", 0) < rule->last))
		return 0;
	if (is_group(rule))
		return list_has(aws_xml_child(permission, "groups"), "groupId", rule->peer, NULL);
	if (is_ipv6(rule))
		return list_has(aws_xml_child(permission, "ipv6Ranges"), "cidrIpv6", rule->peer,
				"::/0");
	return list_has(aws_xml_child(permission, "ipRanges"), "cidrIp", rule->peer, "0.0.0.0/0");
}

/* 'direction': "ipPermissions" (what comes in) or "ipPermissionsEgress". */
static int group_covers(const xmlNode *group, const char *direction, const struct rule *rule)
{
	const xmlNode *permission = aws_xml_first_item(aws_xml_child(group, direction));

	for (; permission; permission = aws_xml_next_item(permission))
		if (permission_covers(permission, rule))
			return 1;
	return 0;
}

/* ---- Authorizing ------------------------------------------------------------------------- */

static void write_rule(struct aws_query *query, unsigned index, const struct rule *rule)
{
	char number[16];

	aws_query_addf(query, rule->protocol, "IpPermissions.%u.IpProtocol", index);
	if (strcmp(rule->protocol, "-1") != 0) {
		snprintf(number, sizeof(number), "%u", rule->first);
		aws_query_addf(query, number, "IpPermissions.%u.FromPort", index);
		snprintf(number, sizeof(number), "%u", rule->last);
		aws_query_addf(query, number, "IpPermissions.%u.ToPort", index);
	}
	if (is_group(rule))
		aws_query_addf(query, rule->peer, "IpPermissions.%u.Groups.1.GroupId", index);
	else if (is_ipv6(rule))
		aws_query_addf(query, rule->peer, "IpPermissions.%u.Ipv6Ranges.1.CidrIpv6", index);
	else
		aws_query_addf(query, rule->peer, "IpPermissions.%u.IpRanges.1.CidrIp", index);
}

static const struct aws_operation authorize_ingress = {
	.action = "AuthorizeSecurityGroupIngress",
	.doing = "open ports in the security group",
	.flags = AWS_WRITE_AGAIN,
};

static const struct aws_operation authorize_egress = {
	.action = "AuthorizeSecurityGroupEgress",
	.doing = "let EFA out of the security group",
	.flags = AWS_WRITE_AGAIN,
};

static int authorize(const struct aws_client *client, const struct aws_operation *operation,
		     const char *group, const struct rule *rules, size_t n, struct souk_error *err)
{
	struct souk_error why = SOUK_ERROR_INIT;
	struct aws_fault fault;
	struct aws_query query;
	struct aws_xml xml = { 0 };
	size_t i;
	int ret;

	aws_query_init(&query, operation);
	aws_query_add(&query, "GroupId", group);
	for (i = 0; i < n; i++)
		write_rule(&query, (unsigned)i + 1, &rules[i]);
	ret = aws_query_send(client, operation, &query, &xml, &fault, &why);
	aws_query_fini(&query);
	aws_xml_fini(&xml);
	if (ret == SOUK_OK)
		return ret;
	if (!aws_fault_is(&fault, "InvalidPermission.Duplicate"))
		return souk_error_copy(&why, err);
	/* One that is there already has kept the others out. */
	for (i = 0, ret = SOUK_OK; n > 1 && i < n && ret == SOUK_OK; i++)
		ret = authorize(client, operation, group, &rules[i], 1, err);
	return ret;
}

/* Add what 'group', as described, does not have; NULL: a new one, which has nothing. */
static int add_missing(const struct aws_client *client, const char *id, const xmlNode *group,
		       const struct rules *rules, struct souk_error *err)
{
	AWS_AUTO_FREE struct rule *missing = calloc(MAX_RULES, sizeof(*missing));
	size_t n = 0;
	size_t i;

	if (!missing)
		return aws_nomem(err);
	for (i = 0; i < rules->n; i++)
		if (!group || !group_covers(group, "ipPermissions", &rules->list[i]))
			missing[n++] = rules->list[i];
	return n ? authorize(client, &authorize_ingress, id, missing, n, err) : SOUK_OK;
}

static struct rule all_of(const char *group)
{
	struct rule rule = { .protocol = "-1", .last = 65535 };

	snprintf(rule.peer, sizeof(rule.peer), "%s", group);
	return rule;
}

/* EFA passes by the network's addresses: its way out, too, is admitted by group alone. */
static int let_efa_out(const struct aws_client *client, const char *id, const xmlNode *group,
		       const struct aws_network *network, struct souk_error *err)
{
	const struct rule rule = all_of(id);

	if (!network->efa_interfaces || (group && group_covers(group, "ipPermissionsEgress", &rule)))
		return SOUK_OK;
	return authorize(client, &authorize_egress, id, &rule, 1, err);
}

/* ---- Finding, making, deleting ------------------------------------------------------------- */

static const struct aws_operation describe_groups = {
	.action = "DescribeSecurityGroups", .doing = "look up a security group", .flags = AWS_READ,
};

int aws_group_name(const char *cluster, const char *owner, char *out, size_t size,
		   struct souk_error *err)
{
	char digest[65];
	const char *who = owner ? owner : "";
	int ret = aws_sha256_hex(who, strlen(who), digest, err);

	if (ret == SOUK_OK)
		snprintf(out, size, "souk-%s-%.8s", cluster, digest);
	return ret;
}

static int create(const struct aws_client *client, const struct souk_instance_spec *spec,
		  const char *name, const char *vpc, char out[AWS_ID_SIZE],
		  struct aws_fault *fault, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "CreateSecurityGroup", .doing = "make a security group",
		.flags = AWS_WRITE_AGAIN, /* its name is unique in the VPC */
	};
	const struct souk_label tags[] = {
		{ "Name", name },
		{ AWS_TAG_CLUSTER, spec->cluster },
		{ AWS_TAG_OWNER, spec->owner },
		{ AWS_TAG_TOKEN, spec->request_token },
	};
	struct aws_query query;
	struct aws_xml xml = { 0 };
	const char *id;
	unsigned n = 0;
	size_t i;
	int ret;

	aws_query_init(&query, &operation);
	aws_query_add(&query, "GroupName", name);
	aws_query_add(&query, "GroupDescription", "machines of one souk cluster");
	aws_query_add(&query, "VpcId", vpc);
	aws_query_add(&query, "TagSpecification.1.ResourceType", "security-group");
	for (i = 0; i < AWS_ARRAY_SIZE(tags); i++) {
		if (!tags[i].value || !*tags[i].value)
			continue;
		n++;
		aws_query_addf(&query, tags[i].key, "TagSpecification.1.Tag.%u.Key", n);
		aws_query_addf(&query, tags[i].value, "TagSpecification.1.Tag.%u.Value", n);
	}
	ret = aws_query_send(client, &operation, &query, &xml, fault, err);
	aws_query_fini(&query);
	if (ret < 0)
		return ret;
	id = aws_xml_text(xml.root, "groupId");
	if (id)
		snprintf(out, AWS_ID_SIZE, "%s", id);
	else
		ret = souk_error_set(err, SOUK_E_INTERNAL, "the new security group has no id");
	aws_xml_fini(&xml);
	return ret;
}

/* Give the group a tag, if it, as described, does not have it. NULL: a new one. */
static int set_tag(const struct aws_client *client, const xmlNode *group, const char *id,
		   const char *key, const char *value, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "CreateTags", .doing = "tag the security group", .flags = AWS_WRITE_AGAIN,
	};
	const char *held = group ? aws_xml_tag(group, key) : NULL;
	struct aws_query query;
	struct aws_xml xml = { 0 };
	int ret;

	if (held && strcmp(held, value) == 0)
		return SOUK_OK;
	aws_query_init(&query, &operation);
	aws_query_add(&query, "ResourceId.1", id);
	aws_query_add(&query, "Tag.1.Key", key);
	aws_query_add(&query, "Tag.1.Value", value);
	ret = aws_query_send(client, &operation, &query, &xml, NULL, err);
	aws_query_fini(&query);
	aws_xml_fini(&xml);
	return ret;
}

/* What machines with EFA, and with a placement group of ours, take of their security group. */
static int prepare_placement(const struct aws_client *client, const xmlNode *group, const char *id,
			     const struct aws_network *network, struct souk_error *err)
{
	int ret = let_efa_out(client, id, group, network, err);

	if (ret == SOUK_OK && network->is_own_placement)
		ret = set_tag(client, group, id, AWS_TAG_PLACED, "true", err);
	return ret;
}

/* The described group of that name; *xml_out holds it. NULL in *group_out: none. */
static int find_by_name(const struct aws_client *client, const char *name, const char *vpc,
			struct aws_xml *xml_out, const xmlNode **group_out,
			struct souk_error *err)
{
	struct aws_query query;
	int ret;

	aws_query_init(&query, &describe_groups);
	aws_query_filter(&query, "group-name", name);
	aws_query_filter(&query, "vpc-id", vpc);
	ret = aws_query_send(client, &describe_groups, &query, xml_out, NULL, err);
	aws_query_fini(&query);
	if (ret == SOUK_OK)
		*group_out = aws_xml_first_item(aws_xml_child(xml_out->root, "securityGroupInfo"));
	return ret;
}

/* Use the group that is there; 0 if there is none. */
static int use_existing(const struct aws_client *client, const struct souk_instance_spec *spec,
			const char *name, struct rules *rules, struct aws_network *network,
			struct souk_error *err)
{
	struct aws_xml xml = { 0 };
	const xmlNode *group = NULL;
	const char *id;
	const char *cluster;
	int ret;

	ret = find_by_name(client, name, network->vpc, &xml, &group, err);
	id = aws_xml_text(group, "groupId");
	if (ret < 0 || !id) {
		aws_xml_fini(&xml);
		return ret;
	}
	cluster = aws_xml_tag(group, AWS_TAG_CLUSTER);
	if (!cluster || strcmp(cluster, spec->cluster) != 0) {
		ret = souk_error_set(err, SOUK_E_CONFLICT,
				     "security group '%s' is there, but does not carry souk's tags",
				     name);
		souk_error_scope(err, SOUK_SCOPE_REGION);
		souk_error_hint(err, "delete it, or name another cluster");
	} else {
		snprintf(network->group, sizeof(network->group), "%s", id);
		/* It serves this provision call, so that its teardown finds it. */
		ret = set_tag(client, group, id, AWS_TAG_TOKEN, spec->request_token, err);
		if (ret == SOUK_OK)
			ret = add_rule(rules, "-1", 0, 65535, id, err);
		if (ret == SOUK_OK)
			ret = add_missing(client, id, group, rules, err);
		if (ret == SOUK_OK)
			ret = prepare_placement(client, group, id, network, err);
	}
	aws_xml_fini(&xml);
	return ret < 0 ? ret : 1;
}

/* EFA needs a group whose members may send each other anything. */
static void check_for_efa(const struct aws_client *client, const xmlNode *group, const char *id,
			  struct aws_network *network)
{
	const struct rule rule = all_of(id);

	if (!network->efa_interfaces || (group_covers(group, "ipPermissions", &rule) &&
					 group_covers(group, "ipPermissionsEgress", &rule)))
		return;
	souk_call_log(client->call, SOUK_LOG_WARNING,
		      "no EFA: security group '%s' does not admit all traffic to and from itself", id);
	network->efa_interfaces = 0;
}

/* The group of the option: it has to have what the task needs, and is left as it is. */
static int use_given(const struct aws_client *client, const char *id, const struct rules *ports,
		     struct aws_network *network, struct souk_error *err)
{
	struct aws_query query;
	struct aws_xml xml = { 0 };
	const xmlNode *group;
	size_t i;
	int ret;

	aws_query_init(&query, &describe_groups);
	aws_query_add(&query, "GroupId.1", id);
	ret = aws_query_send(client, &describe_groups, &query, &xml, NULL, err);
	aws_query_fini(&query);
	if (ret < 0)
		return ret;
	group = aws_xml_first_item(aws_xml_child(xml.root, "securityGroupInfo"));
	for (i = 0; i < ports->n && ret == SOUK_OK; i++) {
		if (group_covers(group, "ipPermissions", &ports->list[i]))
			continue;
		ret = souk_error_set(err, SOUK_E_UNSUPPORTED,
				     "security group '%.64s' does not admit ports %u-%u", id,
				     ports->list[i].first, ports->list[i].last);
		souk_error_scope(err, SOUK_SCOPE_REGION);
		souk_error_hint(err, "souk does not change a group that is not its own: open the "
				     "ports in it, or leave out aws.security_group");
	}
	if (ret == SOUK_OK)
		check_for_efa(client, group, id, network);
	aws_xml_fini(&xml);
	if (ret == SOUK_OK)
		snprintf(network->group, sizeof(network->group), "%s", id);
	return ret;
}

static int make_or_find(const struct aws_client *client, const struct souk_instance_spec *spec,
			struct rules *rules, struct aws_network *network, struct souk_error *err)
{
	struct souk_error why = SOUK_ERROR_INIT;
	struct aws_fault fault;
	char name[AWS_ID_SIZE + 16];
	int ret;

	ret = aws_group_name(spec->cluster, spec->owner, name, sizeof(name), err);
	if (ret == SOUK_OK)
		ret = use_existing(client, spec, name, rules, network, err);
	if (ret != 0)
		return ret < 0 ? ret : SOUK_OK;
	ret = create(client, spec, name, network->vpc, network->group, &fault, &why);
	if (ret < 0 && aws_fault_is(&fault, "InvalidGroup.Duplicate")) {
		/* Somebody was quicker, or the answer to our first request was lost. */
		ret = use_existing(client, spec, name, rules, network, err);
		if (ret == 0)
			ret = souk_error_copy(&why, err);
		return ret < 0 ? ret : SOUK_OK;
	}
	if (ret < 0)
		return souk_error_copy(&why, err);
	network->is_new_group = 1;
	ret = add_rule(rules, "-1", 0, 65535, network->group, err);
	if (ret == SOUK_OK)
		ret = add_missing(client, network->group, NULL, rules, err);
	return ret < 0 ? ret : prepare_placement(client, NULL, network->group, network, err);
}

int aws_group_ensure(const struct aws_client *client, const struct souk_instance_spec *spec,
		     struct aws_network *network, struct souk_error *err)
{
	const char *given = souk_call_option(client->call, "security_group");
	AWS_AUTO_FREE struct rules *rules = calloc(1, sizeof(*rules));
	int ret;

	if (!rules)
		return aws_nomem(err);
	network->is_new_group = 0;
	ret = add_ports(rules, spec->ports, spec->n_ports, err);
	if (ret < 0)
		return ret;
	if (given && *given)
		return use_given(client, given, rules, network, err);
	ret = add_sources(rules, client, network->vpc_cidr, err);
	return ret < 0 ? ret : make_or_find(client, spec, rules, network, err);
}

int aws_group_delete(const struct aws_client *client, const char *group, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DeleteSecurityGroup", .doing = "delete the security group",
		.flags = AWS_WRITE_AGAIN,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct aws_query query;
	struct aws_xml xml = { 0 };
	int ret;

	aws_query_init(&query, &operation);
	aws_query_add(&query, "GroupId", group);
	ret = aws_query_send(client, &operation, &query, &xml, NULL, &why);
	aws_query_fini(&query);
	aws_xml_fini(&xml);
	if (ret == SOUK_OK || ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	return souk_error_copy(&why, err);
}

/* ---- Groups of machines that run ----------------------------------------------------------- */

int aws_groups_of(const struct aws_client *client, const char *cluster, const char *tag,
		  const char *value, char (*groups)[AWS_ID_SIZE], size_t max, int *placed_out,
		  struct souk_error *err)
{
	struct aws_query query;
	struct aws_xml xml = { 0 };
	const xmlNode *item;
	size_t n = 0;
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "tag:%s", tag);
	aws_query_init(&query, &describe_groups);
	aws_query_filter(&query, "tag:" AWS_TAG_CLUSTER, cluster);
	aws_query_filter(&query, name, value);
	ret = aws_query_send(client, &describe_groups, &query, &xml, NULL, err);
	aws_query_fini(&query);
	if (ret < 0)
		return ret;
	item = aws_xml_first_item(aws_xml_child(xml.root, "securityGroupInfo"));
	for (; item && n < max; item = aws_xml_next_item(item)) {
		const char *id = aws_xml_text(item, "groupId");

		if (id)
			snprintf(groups[n++], AWS_ID_SIZE, "%s", id);
		if (placed_out && aws_xml_tag(item, AWS_TAG_PLACED))
			*placed_out = 1;
	}
	aws_xml_fini(&xml);
	return (int)n;
}

/* Add rules to those of the groups that are souk's. Returns how many those are. */
static int add_to_groups(const struct aws_client *client, char (*groups)[AWS_ID_SIZE], size_t n,
			 const struct rules *rules, struct souk_error *err)
{
	struct aws_query query;
	struct aws_xml xml = { 0 };
	const xmlNode *item;
	int ours = 0;
	size_t i;
	int ret;

	if (n == 0 || n > MAX_GROUPS_PER_REQUEST)
		return 0;
	aws_query_init(&query, &describe_groups);
	aws_query_filter(&query, "group-id", groups[0]);
	for (i = 1; i < n; i++)
		aws_query_filter_value(&query, groups[i]);
	ret = aws_query_send(client, &describe_groups, &query, &xml, NULL, err);
	aws_query_fini(&query);
	item = aws_xml_first_item(aws_xml_child(xml.root, "securityGroupInfo"));
	for (; ret == SOUK_OK && item; item = aws_xml_next_item(item)) {
		const char *id = aws_xml_text(item, "groupId");

		if (!id || !aws_xml_tag(item, AWS_TAG_CLUSTER))
			continue;
		ours++;
		ret = add_missing(client, id, item, rules, err);
	}
	aws_xml_fini(&xml);
	return ret < 0 ? ret : ours;
}

int aws_groups_open(const struct aws_client *client, char (*groups)[AWS_ID_SIZE], size_t n,
		    const struct souk_port_range *ports, uint32_t n_ports, struct souk_error *err)
{
	AWS_AUTO_FREE struct rules *rules = calloc(1, sizeof(*rules));
	int ret;

	if (!rules)
		return aws_nomem(err);
	ret = add_ports(rules, ports, n_ports, err);
	if (ret == SOUK_OK)
		ret = add_to_groups(client, groups, n, rules, err);
	if (ret == 0) {
		souk_error_set(err, SOUK_E_UNSUPPORTED,
			       "the machines are in no security group of souk's");
		return souk_error_hint(err, "open the ports in the group that they are in");
	}
	return ret < 0 ? ret : SOUK_OK;
}

int aws_groups_admit_caller(const struct aws_client *client, char (*groups)[AWS_ID_SIZE], size_t n,
			    struct souk_error *err)
{
	AWS_AUTO_FREE struct rules *rules = calloc(1, sizeof(*rules));
	int ret;

	if (!rules)
		return aws_nomem(err);
	/* Who reaches machines from within their VPC was admitted when they were made. */
	if (souk_text_is_true(souk_call_option(client->call, "use_internal_ips")))
		return SOUK_OK;
	ret = add_sources(rules, client, "", err);
	if (ret == SOUK_OK)
		ret = add_to_groups(client, groups, n, rules, err);
	return ret < 0 ? ret : SOUK_OK;
}
