/* SPDX-License-Identifier: Apache-2.0 */
/* placement.c - how close to each other machines stand, and the fast network between them (EFA) */

#include <stdio.h>
#include <string.h>

#include "network.h"

enum { MAX_INTERFACES = 32 };

/* ---- EFA --------------------------------------------------------------------------------------- */

struct fabric {
	const char *type;
	uint64_t interfaces; /* that a machine may have; 0: it has no EFA */
	uint64_t cards;
};

static int take_fabric(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct fabric *fabric = arg;
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "instanceTypeSet"));

	(void)err;
	for (; item; item = aws_xml_next_item(item)) {
		const char *name = aws_xml_text(item, "instanceType");

		if (!name || strcmp(name, fabric->type) != 0 ||
		    !aws_xml_true(item, "networkInfo/efaSupported"))
			continue;
		fabric->interfaces =
			aws_xml_u64(item, "networkInfo/efaInfo/maximumEfaInterfaces", 1);
		fabric->cards = aws_xml_u64(item, "networkInfo/maximumNetworkCards", 1);
	}
	return SOUK_OK;
}

int aws_efa_choose(const struct aws_client *client, const struct souk_instance_spec *spec,
		   struct aws_network *network, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DescribeInstanceTypes", .doing = "look up the network of a type",
		.flags = AWS_READ,
	};
	struct fabric fabric = { .type = spec->instance_type };
	struct aws_query query;
	uint64_t most;
	int ret;

	network->efa_interfaces = 0;
	if (spec->count < 2 || !souk_text_is_true(souk_call_option(client->call, "efa")))
		return SOUK_OK;
	/* By filter: a type that the region does not know is then for RunInstances to refuse. */
	aws_query_init(&query, &operation);
	aws_query_filter(&query, "instance-type", spec->instance_type);
	ret = aws_query_pages(client, &operation, &query, take_fabric, &fabric, err);
	aws_query_fini(&query);
	if (ret < 0 || !fabric.interfaces)
		return ret;
	most = fabric.interfaces < fabric.cards ? fabric.interfaces : fabric.cards;
	if (most > MAX_INTERFACES)
		most = MAX_INTERFACES;
	/* EC2 gives public addresses to machines with a single interface alone. */
	if (most > 1 && !souk_text_is_true(souk_call_option(client->call, "use_internal_ips"))) {
		souk_call_log(client->call, SOUK_LOG_WARNING,
			      "%s: one EFA interface of %u: a machine with several has no public "
			      "address, see use_internal_ips in souk-provider-aws(7)",
			      spec->instance_type, (unsigned)most);
		most = 1;
	}
	network->efa_interfaces = most ? (uint32_t)most : 1;
	return SOUK_OK;
}

/* ---- Placement groups ---------------------------------------------------------------------- */

/* One for each provision call: those of a race are in several zones, and a group is in one. */
void aws_placement_choose(const struct aws_client *client, const struct souk_instance_spec *spec,
			  const char *reserved, struct aws_network *network)
{
	const char *given = souk_call_option(client->call, "placement_group");

	network->placement[0] = '\0';
	network->is_own_placement = 0;
	if (given && *given) {
		if (strcmp(given, "none") != 0)
			snprintf(network->placement, sizeof(network->placement), "%s", given);
	} else if (reserved) {
		/* What is reserved stands where it stands: in its own group, or in none. */
		snprintf(network->placement, sizeof(network->placement), "%s", reserved);
	} else if (network->efa_interfaces) {
		snprintf(network->placement, sizeof(network->placement), "souk-%s-%s", spec->cluster,
			 spec->request_token);
		network->is_own_placement = 1;
	}
}

int aws_placement_ensure(const struct aws_client *client, const struct souk_instance_spec *spec,
			 struct aws_network *network, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "CreatePlacementGroup", .doing = "make a placement group",
		.flags = AWS_WRITE_AGAIN, /* its name is unique in the region */
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct aws_fault fault;
	struct aws_query query;
	struct aws_xml xml = { 0 };
	int ret;

	if (!network->is_own_placement)
		return SOUK_OK;
	aws_query_init(&query, &operation);
	aws_query_add(&query, "GroupName", network->placement);
	aws_query_add(&query, "Strategy", "cluster");
	aws_query_add(&query, "TagSpecification.1.ResourceType", "placement-group");
	aws_query_add(&query, "TagSpecification.1.Tag.1.Key", AWS_TAG_CLUSTER);
	aws_query_add(&query, "TagSpecification.1.Tag.1.Value", spec->cluster);
	aws_query_add(&query, "TagSpecification.1.Tag.2.Key", AWS_TAG_TOKEN);
	aws_query_add(&query, "TagSpecification.1.Tag.2.Value", spec->request_token);
	if (spec->owner && *spec->owner) {
		aws_query_add(&query, "TagSpecification.1.Tag.3.Key", AWS_TAG_OWNER);
		aws_query_add(&query, "TagSpecification.1.Tag.3.Value", spec->owner);
	}
	ret = aws_query_send(client, &operation, &query, &xml, &fault, &why);
	aws_query_fini(&query);
	aws_xml_fini(&xml);
	/* The answer to an earlier request of this call was lost. */
	if (ret == SOUK_OK || aws_fault_is(&fault, "InvalidPlacementGroup.Duplicate"))
		return SOUK_OK;
	return souk_error_copy(&why, err);
}

int aws_placement_delete(const struct aws_client *client, const char *name, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DeletePlacementGroup", .doing = "delete the placement group",
		.flags = AWS_WRITE_AGAIN,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct aws_query query;
	struct aws_xml xml = { 0 };
	int ret;

	aws_query_init(&query, &operation);
	aws_query_add(&query, "GroupName", name);
	ret = aws_query_send(client, &operation, &query, &xml, NULL, &why);
	aws_query_fini(&query);
	aws_xml_fini(&xml);
	if (ret == SOUK_OK || ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	return souk_error_copy(&why, err);
}

int aws_placement_is_own(const char *name)
{
	return name && strncmp(name, "souk-", 5) == 0;
}

/* ---- Of a cluster ---------------------------------------------------------------------------- */

const struct aws_operation aws_describe_placements = {
	.action = "DescribePlacementGroups", .doing = "look up placement groups", .flags = AWS_READ,
};

struct deleting {
	const struct aws_client *client;
	int left;
};

static int delete_listed(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct deleting *deleting = arg;
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "placementGroupSet"));

	(void)err;
	for (; item; item = aws_xml_next_item(item)) {
		const char *name = aws_xml_text(item, "groupName");
		const char *state = aws_xml_text(item, "state");
		struct souk_error why = SOUK_ERROR_INIT;

		if (!name || (state && strcmp(state, "deleted") == 0) ||
		    aws_placement_delete(deleting->client, name, &why) == SOUK_OK)
			continue;
		deleting->left++;
		souk_call_log(deleting->client->call, SOUK_LOG_DEBUG,
			      "placement group '%s' stays for now: %s", name, why.message);
	}
	return SOUK_OK;
}

int aws_placements_delete(const struct aws_client *client, const char *cluster, const char *tag,
			  const char *value, struct souk_error *err)
{
	struct deleting deleting = { client, 0 };
	struct aws_query query;
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "tag:%s", tag);
	aws_query_init(&query, &aws_describe_placements);
	aws_query_filter(&query, "tag:" AWS_TAG_CLUSTER, cluster);
	aws_query_filter(&query, name, value);
	ret = aws_query_pages(client, &aws_describe_placements, &query, delete_listed, &deleting, err);
	aws_query_fini(&query);
	return ret < 0 ? ret : deleting.left;
}
