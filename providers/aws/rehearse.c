/* SPDX-License-Identifier: Apache-2.0 */
/* rehearse.c - AWS as it would answer, for launches that send nothing; and the policy they need */

#include <json.h>
#include <stdio.h>
#include <string.h>

#include "aws.h"
#include "instances.h"
#include "json-call.h"

/* A request, as far as the answer depends on it. Texts are whole: body ends with NUL. */
struct question {
	uint32_t scene;
	const char *what;
	const char *body;
	struct aws *aws;
	struct souk_call *call;
	char region[AWS_REGION_SIZE]; /* "": it is not signed */
};

typedef int (*answer_fn)(const struct question *question, struct souk_buf *out,
			 struct souk_error *err);

/* ---- Answers --------------------------------------------------------------------------------- */

/* Enough for whatever is asked for. */
static int answer_quota(const struct question *question, struct souk_buf *out, struct souk_error *err)
{
	(void)question;
	(void)err;
	return souk_buf_str(out, "{\"Quota\":{\"ServiceCode\":\"ec2\",\"Value\":1000000.0}}");
}

static int answer_empty(const struct question *question, struct souk_buf *out, struct souk_error *err)
{
	(void)err;
	return souk_buf_printf(out, "<%sResponse><return>true</return></%sResponse>",
			       question->what, question->what);
}

/* The one machine that there is. */
static void add_instance(struct souk_buf *out)
{
	souk_buf_str(out,
		     "<instancesSet><item><instanceId>i-INSTANCE</instanceId>"
		     "<instanceState><code>16</code><name>running</name></instanceState>"
		     "<instanceType>TYPE</instanceType><privateIpAddress>172.31.0.4</privateIpAddress>"
		     "<ipAddress>198.51.100.4</ipAddress>"
		     "<groupSet><item><groupId>sg-GROUP</groupId></item></groupSet>"
		     "<tagSet><item><key>" AWS_TAG_OWNER "</key><value>OWNER</value></item></tagSet>"
		     "</item></instancesSet>");
}

/* By its id it is there; by a token there is none yet. */
/* Where all is in order the type has EFA; where something was found it has none: both ways are there. */
static int answer_types(const struct question *question, struct souk_buf *out, struct souk_error *err)
{
	const char *at = strstr(question->body, "Filter.1.Value.1=");
	const char *type = at ? at + strlen("Filter.1.Value.1=") : "";
	int has_efa = question->scene == SOUK_SCENE_NEW || question->scene == SOUK_SCENE_REFUSED;

	(void)err;
	return souk_buf_printf(out,
			       "<DescribeInstanceTypesResponse><instanceTypeSet><item>"
			       "<instanceType>%.*s</instanceType><networkInfo>"
			       "<efaSupported>%s</efaSupported></networkInfo></item>"
			       "</instanceTypeSet></DescribeInstanceTypesResponse>",
			       (int)strcspn(type, "&"), type, has_efa ? "true" : "false");
}

static int answer_placement(const struct question *question, struct souk_buf *out,
			    struct souk_error *err)
{
	if (question->aws)
		atomic_store(&question->aws->rehearsed_placement, 1);
	return answer_empty(question, out, err);
}

static int answer_placements(const struct question *question, struct souk_buf *out,
			     struct souk_error *err)
{
	(void)question;
	(void)err;
	return souk_buf_str(out, "<DescribePlacementGroupsResponse><placementGroupSet><item>"
				 "<groupName>souk-CLUSTER-request-token</groupName><state>available</state>"
				 "</item></placementGroupSet></DescribePlacementGroupsResponse>");
}

/* Each of the settings has room, in whichever zone; none is there where something is missing. */
static int answer_reservations(const struct question *question, struct souk_buf *out,
			       struct souk_error *err)
{
	const char *at = strstr(question->body, "Filter.1.Value.1=");
	const char *type = at ? at + strlen("Filter.1.Value.1=") : "";
	const char *ids = souk_call_option(question->call, "capacity_reservation");
	const char *id;
	size_t len;
	char zone;

	(void)err;
	souk_buf_str(out, "<DescribeCapacityReservationsResponse><capacityReservationSet>");
	while (question->scene != SOUK_SCENE_BARE && (id = souk_list_next(&ids, &len)) != NULL)
		for (zone = 'a'; zone <= 'z'; zone++)
			souk_buf_printf(out,
					"<item><capacityReservationId>%.*s</capacityReservationId>"
					"<instanceType>%.*s</instanceType><state>active</state>"
					"<availabilityZone>%s%c</availabilityZone>"
					"<availableInstanceCount>1000</availableInstanceCount></item>",
					(int)len, id, (int)strcspn(type, "&"), type, question->region,
					zone);
	return souk_buf_str(out, "</capacityReservationSet></DescribeCapacityReservationsResponse>");
}

static int answer_instances(const struct question *question, struct souk_buf *out,
			    struct souk_error *err)
{
	(void)err;
	souk_buf_str(out, "<DescribeInstancesResponse><reservationSet>");
	if (strstr(question->body, "=instance-id")) {
		souk_buf_str(out, "<item>");
		add_instance(out);
		souk_buf_str(out, "</item>");
	}
	return souk_buf_str(out, "</reservationSet></DescribeInstancesResponse>");
}

static int answer_run(const struct question *question, struct souk_buf *out, struct souk_error *err)
{
	(void)question;
	(void)err;
	souk_buf_str(out, "<RunInstancesResponse>");
	add_instance(out);
	return souk_buf_str(out, "</RunInstancesResponse>");
}

static int answer_images(const struct question *question, struct souk_buf *out,
			 struct souk_error *err)
{
	(void)err;
	souk_buf_str(out, "<DescribeImagesResponse><imagesSet>");
	if (question->scene != SOUK_SCENE_BARE)
		souk_buf_str(out,
			     "<item><imageId>ami-IMAGE</imageId><rootDeviceName>/dev/sda1</rootDeviceName>"
			     "<blockDeviceMapping><item><deviceName>/dev/sda1</deviceName>"
			     "<ebs><volumeSize>8</volumeSize></ebs></item></blockDeviceMapping></item>");
	return souk_buf_str(out, "</imagesSet></DescribeImagesResponse>");
}

static int answer_vpcs(const struct question *question, struct souk_buf *out, struct souk_error *err)
{
	(void)question;
	(void)err;
	return souk_buf_str(out, "<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-VPC</vpcId>"
				 "<cidrBlock>172.31.0.0/16</cidrBlock></item></vpcSet>"
				 "</DescribeVpcsResponse>");
}

/* One in each zone that the region may have: the request does not say which is wanted. */
static int answer_subnets(const struct question *question, struct souk_buf *out,
			  struct souk_error *err)
{
	char zone;

	(void)err;
	souk_buf_str(out, "<DescribeSubnetsResponse><subnetSet>");
	for (zone = 'a'; zone <= 'z'; zone++)
		souk_buf_printf(out,
				"<item><subnetId>subnet-SUBNET</subnetId><vpcId>vpc-VPC</vpcId>"
				"<availabilityZone>%s%c</availabilityZone>"
				"<availableIpAddressCount>99</availableIpAddressCount>"
				"<defaultForAz>true</defaultForAz>"
				"<mapPublicIpOnLaunch>true</mapPublicIpOnLaunch></item>",
				question->region, zone);
	return souk_buf_str(out, "</subnetSet></DescribeSubnetsResponse>");
}

/* The cluster that a group's name "souk-CLUSTER-DIGEST" tells of, in a filter by it. */
static void cluster_of_group(const char *body, char *out, size_t size)
{
	const char *at = strstr(body, "=souk-");
	size_t len;

	out[0] = '\0';
	if (!at)
		return;
	at += strlen("=souk-");
	len = strcspn(at, "&");
	while (len && at[len - 1] != '-')
		len--;
	if (len)
		snprintf(out, size, "%.*s", (int)len - 1, at);
}

/* By name it is there only if an earlier launch has left it; whoever asks by tags has made it. */
static int answer_groups(const struct question *question, struct souk_buf *out,
			 struct souk_error *err)
{
	int by_name = strstr(question->body, "=group-name") != NULL;
	int is_placed = !by_name && question->aws &&
			atomic_load(&question->aws->rehearsed_placement);
	char cluster[AWS_ID_SIZE];

	(void)err;
	cluster_of_group(question->body, cluster, sizeof(cluster));
	souk_buf_str(out, "<DescribeSecurityGroupsResponse><securityGroupInfo>");
	if (!by_name || question->scene == SOUK_SCENE_FOUND)
		souk_buf_printf(out,
				"<item><groupId>sg-GROUP</groupId><tagSet><item><key>" AWS_TAG_CLUSTER
				"</key><value>%s</value></item>%s</tagSet></item>",
				by_name ? cluster : "CLUSTER", is_placed ?
				"<item><key>" AWS_TAG_PLACED "</key><value>true</value></item>" : "");
	return souk_buf_str(out, "</securityGroupInfo></DescribeSecurityGroupsResponse>");
}

static int answer_new_group(const struct question *question, struct souk_buf *out,
			    struct souk_error *err)
{
	(void)question;
	(void)err;
	return souk_buf_str(out, "<CreateSecurityGroupResponse><groupId>sg-GROUP</groupId>"
				 "</CreateSecurityGroupResponse>");
}

/* Each parameter that was asked for holds an image. */
static int answer_parameters(const struct question *question, struct souk_buf *out,
			     struct souk_error *err)
{
	struct json_object *body = json_tokener_parse(question->body);
	struct json_object *names = body ? souk_json_maybe_array(body, "Names") : NULL;
	size_t n = names && question->scene != SOUK_SCENE_BARE ? json_object_array_length(names) : 0;
	size_t i;

	(void)err;
	souk_buf_str(out, "{\"Parameters\":[");
	for (i = 0; i < n; i++)
		souk_buf_printf(out, "%s{\"Name\":%s,\"Value\":\"ami-IMAGE\"}", i ? "," : "",
				json_object_to_json_string(json_object_array_get_idx(names, i)));
	json_object_put(body);
	return souk_buf_str(out, "]}");
}

static int answer_address(const struct question *question, struct souk_buf *out,
			  struct souk_error *err)
{
	(void)question;
	(void)err;
	return souk_buf_str(out, "192.0.2.1\n");
}

static int answer_role(const struct question *question, struct souk_buf *out, struct souk_error *err)
{
	(void)err;
	return souk_buf_printf(out,
			       "<%sResponse><%sResult><Credentials><AccessKeyId>KEY</AccessKeyId>"
			       "<SecretAccessKey>SECRET</SecretAccessKey><SessionToken>TOKEN</SessionToken>"
			       "<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials></%sResult>"
			       "</%sResponse>", question->what, question->what, question->what,
			       question->what);
}

/* ---- The table ------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	const char *permission; /* "": none */
	answer_fn answer;
} actions[] = {
	{ "AssumeRole", "sts:AssumeRole", answer_role },
	{ "AssumeRoleWithWebIdentity", "", answer_role },
	{ "AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupEgress", answer_empty },
	{ "AuthorizeSecurityGroupIngress", "ec2:AuthorizeSecurityGroupIngress", answer_empty },
	/* tags that are given while something is made take a permission of their own */
	{ "CreatePlacementGroup", "ec2:CreatePlacementGroup ec2:CreateTags", answer_placement },
	{ "CreateSecurityGroup", "ec2:CreateSecurityGroup ec2:CreateTags", answer_new_group },
	{ "CreateTags", "ec2:CreateTags", answer_empty },
	{ "DeletePlacementGroup", "ec2:DeletePlacementGroup", answer_empty },
	{ "DeleteSecurityGroup", "ec2:DeleteSecurityGroup", answer_empty },
	{ "DescribeCapacityReservations", "ec2:DescribeCapacityReservations", answer_reservations },
	{ "DescribeImages", "ec2:DescribeImages", answer_images },
	{ "DescribeInstanceTypes", "ec2:DescribeInstanceTypes", answer_types },
	{ "DescribeInstances", "ec2:DescribeInstances", answer_instances },
	{ "DescribePlacementGroups", "ec2:DescribePlacementGroups", answer_placements },
	{ "DescribeSecurityGroups", "ec2:DescribeSecurityGroups", answer_groups },
	{ "DescribeSubnets", "ec2:DescribeSubnets", answer_subnets },
	{ "DescribeVpcs", "ec2:DescribeVpcs", answer_vpcs },
	{ "GetParameters", "ssm:GetParameters", answer_parameters },
	{ "GetServiceQuota", "servicequotas:GetServiceQuota", answer_quota },
	{ "ModifyInstanceAttribute", "ec2:ModifyInstanceAttribute", answer_empty },
	{ "RunInstances", "ec2:RunInstances ec2:CreateTags", answer_run },
	{ "StartInstances", "ec2:StartInstances", answer_empty },
	{ "StopInstances", "ec2:StopInstances", answer_empty },
	{ "TerminateInstances", "ec2:TerminateInstances", answer_empty },
	{ "public address", "", answer_address },
};

/* Of "Authorization: AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ...". */
static void take_region(const struct souk_http_request *request, char region[AWS_REGION_SIZE])
{
	const char *const *header = request->headers;
	const char *at = NULL;
	int i;

	region[0] = '\0';
	for (; header && *header && !at; header++)
		if (strncmp(*header, "Authorization: ", 15) == 0)
			at = strstr(*header, "Credential=");
	for (i = 0; at && i < 2; i++) {
		at = strchr(at, '/');
		at = at ? at + 1 : NULL;
	}
	if (at)
		snprintf(region, AWS_REGION_SIZE, "%.*s", (int)strcspn(at, "/,"), at);
}

static int sold_out(int32_t *status_out, struct souk_buf *out)
{
	*status_out = 500;
	return souk_buf_str(out, "<Response><Errors><Error><Code>InsufficientInstanceCapacity</Code>"
				 "<Message>sold out, in a rehearsal</Message></Error></Errors></Response>");
}

/* What else RunInstances needs by what is in it. */
static void add_further(const char *body, struct souk_buf *permission)
{
	if (strstr(body, "IamInstanceProfile."))
		souk_buf_str(permission, " iam:PassRole");
	if (strstr(body, "MarketType=spot"))
		souk_buf_str(permission, " iam:CreateServiceLinkedRole");
}

int aws_rehearse(void *self, struct souk_call *call, uint32_t scene,
		 const struct souk_http_request *request, int32_t *status_out,
		 struct souk_buf *body, struct souk_buf *permission, struct souk_error *err)
{
	AWS_AUTO_BUF struct souk_buf text = { 0 };
	struct question question = { .scene = scene, .what = request->what, .aws = self,
				     .call = call };
	size_t i;
	int ret;

	souk_buf_init(&text, 1024 * 1024);
	souk_buf_add(&text, request->body ? request->body : "", request->body ? request->body_size : 0);
	ret = souk_buf_failed(&text, err);
	if (ret < 0)
		return ret;
	question.body = text.data;
	take_region(request, question.region);
	for (i = 0; i < AWS_ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].what, request->what) == 0)
			break;
	if (i == AWS_ARRAY_SIZE(actions)) {
		souk_error_set(err, SOUK_E_UNSUPPORTED, "no rehearsal of '%s'", request->what);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	*status_out = 200;
	souk_buf_str(permission, actions[i].permission);
	if (actions[i].answer == answer_run) {
		add_further(question.body, permission);
		if (scene == SOUK_SCENE_REFUSED)
			return sold_out(status_out, body);
	}
	return actions[i].answer(&question, body, err);
}

/* ---- The policy ------------------------------------------------------------------------------ */

/* Can it be granted for what carries our tag alone? */
static int is_of_own(const char *permission)
{
	static const char *const own[] = {
		"ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress",
		"ec2:DeletePlacementGroup",	    "ec2:DeleteSecurityGroup",
		"ec2:ModifyInstanceAttribute",	    "ec2:StartInstances",
		"ec2:StopInstances",		    "ec2:TerminateInstances",
	};
	size_t i;

	for (i = 0; i < AWS_ARRAY_SIZE(own); i++)
		if (strcmp(own[i], permission) == 0)
			return 1;
	return 0;
}

/* A statement of those permissions that are 'own' or not; none, no statement. */
static int add_statement(const char *const *permissions, uint32_t n, int own, int is_first,
			 struct souk_buf *out)
{
	uint32_t i, added = 0;

	for (i = 0; i < n; i++) {
		if (is_of_own(permissions[i]) != own)
			continue;
		souk_buf_printf(out, "%s        \"%s\"",
				added++ ? ",\n" :
				is_first ? "    {\n      \"Effect\": \"Allow\",\n      \"Action\": [\n" :
					   ",\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": [\n",
				permissions[i]);
	}
	if (added)
		souk_buf_printf(out, "\n      ],\n      \"Resource\": \"*\"%s\n    }",
				own ? ",\n      \"Condition\": { \"StringLike\": "
				      "{ \"aws:ResourceTag/" AWS_TAG_CLUSTER "\": \"*\" } }" :
				      "");
	return added > 0;
}

int aws_policy(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
	       struct souk_error *err)
{
	int any;

	(void)self;
	souk_buf_str(out, "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n");
	any = add_statement(permissions, n, 0, 1, out);
	add_statement(permissions, n, 1, !any, out);
	souk_buf_str(out, "\n  ]\n}\n");
	return souk_buf_failed(out, err);
}
