/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - where a machine is put in the account's network */

#include "network.h"

#include <stdio.h>
#include <string.h>

#include "query.h"

/* A subnet that may do. */
struct subnet {
	char id[AWS_ID_SIZE];
	char vpc[AWS_ID_SIZE];
	char zone[AWS_REGION_SIZE];
	uint64_t free_addresses;
	int is_default; /* of its zone */
	int is_public;	/* gives public addresses by itself */
};

/* The best one so far. */
struct choice {
	const char *zone;     /* NULL: any */
	int wants_public;
	struct subnet best;
	int found;
};

static int is_better(const struct choice *choice, const struct subnet *a, const struct subnet *b)
{
	int a_fits = a->is_public == choice->wants_public;
	int b_fits = b->is_public == choice->wants_public;

	if (a->is_default != b->is_default)
		return a->is_default;
	if (a_fits != b_fits)
		return a_fits;
	if (a->free_addresses != b->free_addresses)
		return a->free_addresses > b->free_addresses;
	return strcmp(a->id, b->id) < 0;
}

static int take_subnets(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct choice *choice = arg;
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "subnetSet"));

	(void)err;
	for (; item; item = aws_xml_next_item(item)) {
		const char *id = aws_xml_text(item, "subnetId");
		const char *vpc = aws_xml_text(item, "vpcId");
		const char *zone = aws_xml_text(item, "availabilityZone");
		struct subnet subnet = { 0 };

		if (!id || !vpc || !zone || (choice->zone && strcmp(zone, choice->zone) != 0))
			continue;
		snprintf(subnet.id, sizeof(subnet.id), "%s", id);
		snprintf(subnet.vpc, sizeof(subnet.vpc), "%s", vpc);
		snprintf(subnet.zone, sizeof(subnet.zone), "%s", zone);
		subnet.free_addresses = aws_xml_u64(item, "availableIpAddressCount", 0);
		subnet.is_default = aws_xml_true(item, "defaultForAz");
		subnet.is_public = aws_xml_true(item, "mapPublicIpOnLaunch");
		if (!choice->found || is_better(choice, &subnet, &choice->best))
			choice->best = subnet;
		choice->found = 1;
	}
	return SOUK_OK;
}

static int find_subnet(const struct aws_client *client, const char *vpc, const char *ids,
		       struct choice *choice, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DescribeSubnets", .doing = "look up a subnet", .flags = AWS_READ,
	};
	struct aws_query query;
	unsigned n = 0;
	int ret = SOUK_OK;

	aws_query_init(&query, &operation);
	if (vpc)
		aws_query_filter(&query, "vpc-id", vpc);
	while (ids && ret == SOUK_OK) {
		AWS_AUTO_FREE char *id = NULL;

		ret = aws_next_item(&ids, &id, err);
		if (ret <= 0)
			break;
		/* By filter: ids of other regions are then just not there. */
		if (n++ == 0)
			aws_query_filter(&query, "subnet-id", id);
		else
			aws_query_filter_value(&query, id);
		ret = SOUK_OK;
	}
	if (ret == SOUK_OK)
		ret = aws_query_pages(client, &operation, &query, take_subnets, choice, err);
	aws_query_fini(&query);
	return ret;
}

/* The VPC that the option names, or the default one. */
static int find_vpc(const struct aws_client *client, const char *id, struct aws_network *out,
		    struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DescribeVpcs", .doing = "look up the VPC", .flags = AWS_READ,
	};
	struct aws_query query;
	struct aws_xml xml = { 0 };
	const xmlNode *item;
	const char *found;
	const char *cidr;
	int ret;

	aws_query_init(&query, &operation);
	if (id)
		aws_query_filter(&query, "vpc-id", id);
	else
		aws_query_filter(&query, "is-default", "true");
	ret = aws_query_send(client, &operation, &query, &xml, NULL, err);
	aws_query_fini(&query);
	if (ret < 0)
		return ret;
	item = aws_xml_first_item(aws_xml_child(xml.root, "vpcSet"));
	found = aws_xml_text(item, "vpcId");
	cidr = aws_xml_text(item, "cidrBlock");
	if (found) {
		snprintf(out->vpc, sizeof(out->vpc), "%s", found);
		snprintf(out->vpc_cidr, sizeof(out->vpc_cidr), "%s", cidr ? cidr : "");
	} else {
		ret = id ? souk_error_set(err, SOUK_E_NOT_FOUND, "no VPC '%.64s' in '%s'", id,
					  client->region) :
			   souk_error_set(err, SOUK_E_NOT_FOUND, "no default VPC in '%s'",
					  client->region);
		souk_error_scope(err, SOUK_SCOPE_REGION);
		souk_error_reason(err, id ? "InvalidVpcID.NotFound" : "DefaultVpcDoesNotExist");
		souk_error_hint(err,
				"run 'aws ec2 create-default-vpc --region %s', or name one with "
				"--set aws.vpc=vpc-...",
				client->region);
	}
	aws_xml_fini(&xml);
	return ret;
}

static int no_subnet(const struct aws_client *client, const struct choice *choice,
		     struct souk_error *err)
{
	souk_error_set(err, SOUK_E_NOT_FOUND, "no subnet in '%s'",
		       choice->zone ? choice->zone : client->region);
	souk_error_scope(err, choice->zone ? SOUK_SCOPE_ZONE : SOUK_SCOPE_REGION);
	return souk_error_hint(err,
			       "make one there, or name others with --set aws.subnet=subnet-...");
}

int aws_network_choose(const struct aws_client *client, const struct souk_instance_spec *spec,
		       struct aws_network *out, struct souk_error *err)
{
	const char *subnets = souk_call_option(client->call, "subnet");
	const char *vpc = souk_call_option(client->call, "vpc");
	struct choice choice = {
		.zone = spec->zone,
		.wants_public = !souk_text_is_true(souk_call_option(client->call, "use_internal_ips")),
	};
	int ret = SOUK_OK;

	memset(out, 0, sizeof(*out));
	if (vpc && !*vpc)
		vpc = NULL;
	if (subnets && *subnets) {
		ret = find_subnet(client, vpc, subnets, &choice, err);
		if (ret < 0)
			return ret;
		if (!choice.found)
			return no_subnet(client, &choice, err);
		ret = find_vpc(client, choice.best.vpc, out, err);
	} else {
		ret = find_vpc(client, vpc, out, err);
		/* In a default VPC EC2 itself finds the zone that has room, if it may. */
		if (ret < 0 || (!vpc && !spec->zone))
			return ret;
		ret = find_subnet(client, out->vpc, NULL, &choice, err);
		if (ret == SOUK_OK && !choice.found)
			return no_subnet(client, &choice, err);
	}
	if (ret == SOUK_OK)
		snprintf(out->subnet, sizeof(out->subnet), "%s", choice.best.id);
	return ret;
}
