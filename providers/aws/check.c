/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - are the credentials good, whose are they, and what may they do */

#include <stdio.h>
#include <string.h>

#include "image.h"
#include "instances.h"
#include "query.h"

const char aws_permissions[] =
	"{\n"
	"  \"Version\": \"2012-10-17\",\n"
	"  \"Statement\": [\n"
	"    {\n"
	"      \"Sid\": \"SoukLook\",\n"
	"      \"Effect\": \"Allow\",\n"
	"      \"Action\": [\n"
	"        \"ec2:DescribeAvailabilityZones\",\n"
	"        \"ec2:DescribeCapacityReservations\",\n"
	"        \"ec2:DescribeImages\",\n"
	"        \"ec2:DescribeInstances\",\n"
	"        \"ec2:DescribeInstanceTypeOfferings\",\n"
	"        \"ec2:DescribeInstanceTypes\",\n"
	"        \"ec2:DescribePlacementGroups\",\n"
	"        \"ec2:DescribeRegions\",\n"
	"        \"ec2:DescribeSecurityGroups\",\n"
	"        \"ec2:DescribeSpotPriceHistory\",\n"
	"        \"ec2:DescribeSubnets\",\n"
	"        \"ec2:DescribeVpcs\",\n"
	"        \"pricing:GetProducts\",\n"
	"        \"servicequotas:GetServiceQuota\",\n"
	"        \"ssm:GetParameters\"\n"
	"      ],\n"
	"      \"Resource\": \"*\"\n"
	"    },\n"
	"    {\n"
	"      \"Sid\": \"SoukMake\",\n"
	"      \"Effect\": \"Allow\",\n"
	"      \"Action\": [\n"
	"        \"ec2:CreatePlacementGroup\",\n"
	"        \"ec2:CreateSecurityGroup\",\n"
	"        \"ec2:CreateTags\",\n"
	"        \"ec2:RunInstances\"\n"
	"      ],\n"
	"      \"Resource\": \"*\"\n"
	"    },\n"
	"    {\n"
	"      \"Sid\": \"SoukChangeItsOwn\",\n"
	"      \"Effect\": \"Allow\",\n"
	"      \"Action\": [\n"
	"        \"ec2:AuthorizeSecurityGroupEgress\",\n"
	"        \"ec2:AuthorizeSecurityGroupIngress\",\n"
	"        \"ec2:DeletePlacementGroup\",\n"
	"        \"ec2:DeleteSecurityGroup\",\n"
	"        \"ec2:ModifyInstanceAttribute\",\n"
	"        \"ec2:StartInstances\",\n"
	"        \"ec2:StopInstances\",\n"
	"        \"ec2:TerminateInstances\"\n"
	"      ],\n"
	"      \"Resource\": \"*\",\n"
	"      \"Condition\": { \"StringLike\": { \"aws:ResourceTag/souk-cluster\": \"*\" } }\n"
	"    },\n"
	"    {\n"
	"      \"Sid\": \"SoukSpot\",\n"
	"      \"Effect\": \"Allow\",\n"
	"      \"Action\": \"iam:CreateServiceLinkedRole\",\n"
	"      \"Resource\": \"arn:*:iam::*:role/aws-service-role/spot.amazonaws.com/*\",\n"
	"      \"Condition\": { \"StringEquals\": "
	"{ \"iam:AWSServiceName\": \"spot.amazonaws.com\" } }\n"
	"    }\n"
	"  ]\n"
	"}\n";

static int who_is_it(const struct aws_client *client, struct souk_identity *out,
		     struct souk_error *err)
{
	static const struct aws_operation operation = {
		.service = "sts",
		.action = "GetCallerIdentity",
		.version = AWS_STS_VERSION,
		.doing = "use the credentials",
		.flags = AWS_READ,
	};
	struct aws_query query;
	struct aws_xml xml = { 0 };
	const xmlNode *result;
	const char *account;
	const char *arn;
	int ret;

	aws_query_init(&query, &operation);
	ret = aws_query_send(client, &operation, &query, &xml, NULL, err);
	aws_query_fini(&query);
	if (ret < 0)
		return ret;
	result = aws_xml_child(xml.root, "GetCallerIdentityResult");
	account = aws_xml_text(result, "Account");
	arn = aws_xml_text(result, "Arn");
	if (account)
		ret = souk_identity_set(out, "account", account, err);
	if (ret == SOUK_OK && arn)
		ret = souk_identity_set(out, "principal", arn, err);
	if (ret == SOUK_OK)
		ret = souk_identity_set(out, "region", client->region, err);
	aws_xml_fini(&xml);
	return ret;
}

/* An action that can be tried without doing it, and what it needs to be tried. */
struct trial {
	const char *action;
	void (*fill_in)(struct aws_query *query, const struct aws_image *image);
	const char *option; /* needed where this one is set; NULL: always */
};

static void fill_group(struct aws_query *query, const struct aws_image *image)
{
	(void)image;
	aws_query_add(query, "GroupName", "souk-check");
	aws_query_add(query, "GroupDescription", "never made");
}

static void fill_placement(struct aws_query *query, const struct aws_image *image)
{
	(void)image;
	aws_query_add(query, "GroupName", "souk-check");
	aws_query_add(query, "Strategy", "cluster");
}

static void fill_run(struct aws_query *query, const struct aws_image *image)
{
	aws_query_add(query, "ImageId", image->id);
	aws_query_add(query, "InstanceType", "t3.micro");
	aws_query_add(query, "MinCount", "1");
	aws_query_add(query, "MaxCount", "1");
}

static const struct trial trials[] = {
	{ "DescribeCapacityReservations", NULL, "capacity_reservation" },
	{ "DescribeImages", NULL, NULL },
	{ "DescribeInstances", NULL, NULL },
	{ "DescribeInstanceTypeOfferings", NULL, NULL },
	{ "DescribeInstanceTypes", NULL, NULL },
	{ "DescribePlacementGroups", NULL, "efa" },
	{ "DescribeSecurityGroups", NULL, NULL },
	{ "DescribeSpotPriceHistory", NULL, NULL },
	{ "DescribeSubnets", NULL, NULL },
	{ "DescribeVpcs", NULL, NULL },
	{ "CreatePlacementGroup", fill_placement, "efa" },
	{ "CreateSecurityGroup", fill_group, NULL },
	{ "RunInstances", fill_run, NULL },
};

/* A text, or a boolean that is not false. */
static int is_set(const struct souk_call *call, const char *option)
{
	const char *value = souk_call_option(call, option);

	return value && *value && strcmp(value, "false") != 0;
}

/* 1 if it is allowed, 0 if not; what cannot be told counts as allowed. */
static int is_allowed(const struct aws_client *client, const struct trial *trial,
		      const struct aws_image *image, struct souk_error *err)
{
	const struct aws_operation operation = {
		.action = trial->action,
		.doing = "try an action",
		/* what not every EC2 has is asked for once */
		.flags = trial->option ? 0 : AWS_READ,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct aws_fault fault;
	struct aws_query query;
	struct aws_xml xml = { 0 };
	int ret;

	aws_query_init(&query, &operation);
	aws_query_add(&query, "DryRun", "true");
	if (trial->fill_in)
		trial->fill_in(&query, image);
	ret = aws_query_send(client, &operation, &query, &xml, &fault, &why);
	aws_query_fini(&query);
	aws_xml_fini(&xml);
	if (ret == SOUK_OK || aws_fault_is(&fault, "DryRunOperation"))
		return 1;
	if (aws_fault_is(&fault, "UnauthorizedOperation"))
		return 0;
	if (!fault.status)
		return souk_error_copy(&why, err);
	souk_call_log(client->call, SOUK_LOG_DEBUG, "a dry run of %s says: %s", trial->action,
		      why.message);
	return 1;
}

/* The statement that is missing, where it fits into a hint; else where the whole is. */
static void hint_policy(const struct souk_buf *missing, struct souk_error *err)
{
	struct souk_buf text;
	const char *list = missing->data;
	char *action = NULL;

	souk_buf_init(&text, SOUK_ERROR_HINT_SIZE - 1);
	souk_buf_str(&text, "allow it with { \"Effect\": \"Allow\", \"Resource\": \"*\", \"Action\": [");
	while (aws_next_item(&list, &action, NULL) > 0) {
		souk_buf_printf(&text, "%s \"%s\"", text.data[text.len - 1] == '[' ? "" : ",", action);
		free(action);
		action = NULL;
	}
	souk_buf_str(&text, " ] }");
	if (souk_buf_failed(&text, NULL) < 0)
		souk_error_hint(err, "'souk provider info aws' prints the policy that is needed");
	else
		souk_error_hint(err, "%s", text.data);
	souk_buf_fini(&text);
}

static int what_may_it(const struct aws_client *client, struct souk_error *err)
{
	const struct souk_instance_spec spec = {
		.struct_size = sizeof(spec), .region = client->region,
	};
	struct aws_image image = { 0 };
	struct souk_buf missing;
	struct souk_error why = SOUK_ERROR_INIT;
	size_t i;
	int ret = SOUK_OK;

	souk_buf_init(&missing, 400);
	if (aws_image_find(client, &spec, &image, &why) < 0)
		souk_call_log(client->call, SOUK_LOG_WARNING, "%s", why.message);
	for (i = 0; i < AWS_ARRAY_SIZE(trials) && ret >= 0; i++) {
		if ((trials[i].fill_in == fill_run && !image.id[0]) ||
		    (trials[i].option && !is_set(client->call, trials[i].option)))
			continue;
		ret = is_allowed(client, &trials[i], &image, err);
		if (ret == 0)
			souk_buf_printf(&missing, "%sec2:%s", missing.len ? ", " : "",
					trials[i].action);
	}
	if (ret >= 0 && missing.len) {
		ret = souk_error_set(err, SOUK_E_AUTH, "the policy does not allow %s",
				     missing.data);
		souk_error_reason(err, "UnauthorizedOperation");
		hint_policy(&missing, err);
	}
	souk_buf_fini(&missing);
	return ret < 0 ? ret : SOUK_OK;
}

int aws_check(void *self, struct souk_call *call, struct souk_identity *out,
	      struct souk_error *err)
{
	struct aws_client client = { self, call, NULL };
	char region[AWS_REGION_SIZE];
	int ret;

	ret = aws_default_region(self, region, err);
	if (ret < 0)
		return ret;
	client.region = region;
	ret = who_is_it(&client, out, err);
	return ret < 0 ? ret : what_may_it(&client, err);
}
