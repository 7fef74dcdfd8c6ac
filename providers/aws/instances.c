/* SPDX-License-Identifier: Apache-2.0 */
/* instances.c - find machines and tell of them */

#include "instances.h"

#include <stdio.h>
#include <string.h>

#include "query.h"

enum { MAX_IDS = 100 };

static const struct aws_operation describe_instances = {
	.action = "DescribeInstances", .doing = "look up machines", .flags = AWS_READ,
};

int aws_instance_status(uint64_t code)
{
	/* The high byte is for EC2's own use. */
	switch (code & 0xff) {
	case 0:
		return SOUK_INSTANCE_PENDING;
	case 16:
		return SOUK_INSTANCE_RUNNING;
	case 32:
		return SOUK_INSTANCE_TERMINATING;
	case 48:
		return SOUK_INSTANCE_TERMINATED;
	case 64:
		return SOUK_INSTANCE_STOPPING;
	case 80:
		return SOUK_INSTANCE_STOPPED;
	default:
		return SOUK_INSTANCE_PENDING;
	}
}

/* "spot interruption: MESSAGE", or the message alone. */
static const char *reason_of(const xmlNode *item, char *out, size_t size)
{
	const char *code = aws_xml_text(item, "stateReason/code");
	const char *message = aws_xml_text(item, "stateReason/message");
	int is_spot = code && (strcmp(code, "Server.SpotInstanceTermination") == 0 ||
			       strcmp(code, "Server.SpotInstanceShutdown") == 0);

	if (!message)
		message = code;
	if (!message)
		message = aws_xml_text(item, "reason");
	if (!message)
		return NULL;
	snprintf(out, size, "%s%s", is_spot ? "spot interruption: " : "", message);
	return out;
}

/* Those of its tags whose keys are asked for. Returns how many. */
static uint32_t tags_of(const xmlNode *item, const char *const *keys, struct souk_label *tags,
			uint32_t max)
{
	uint32_t n = 0;

	for (; keys && *keys && n < max; keys++) {
		tags[n].key = *keys;
		tags[n].value = aws_xml_tag(item, *keys);
		n += tags[n].value != NULL;
	}
	return n;
}

int aws_instance_add(const struct aws_client *client, const xmlNode *item,
		     struct souk_instance_list *out, struct souk_error *err)
{
	return aws_instance_add_tagged(client, item, NULL, out, err);
}

int aws_instance_add_tagged(const struct aws_client *client, const xmlNode *item,
			    const char *const *keys, struct souk_instance_list *out,
			    struct souk_error *err)
{
	struct souk_instance instance = { SOUK_INSTANCE_HEAD };
	const char *lifecycle = aws_xml_text(item, "instanceLifecycle");
	const char *launched = aws_xml_text(item, "launchTime");
	int is_internal = souk_text_is_true(souk_call_option(client->call, "use_internal_ips"));
	struct souk_label tags[AWS_MAX_TAG_KEYS];
	char reason[512];

	instance.tags = tags;
	instance.n_tags = tags_of(item, keys, tags, AWS_MAX_TAG_KEYS);
	instance.id = aws_xml_text(item, "instanceId");
	if (!instance.id)
		return souk_error_set(err, SOUK_E_INTERNAL, "EC2 tells of a machine without an id");
	instance.status =
		aws_instance_status(aws_xml_u64(item, "instanceState/code", 0));
	instance.region = client->region;
	instance.zone = aws_xml_text(item, "placement/availabilityZone");
	instance.instance_type = aws_xml_text(item, "instanceType");
	instance.cluster = aws_xml_tag(item, AWS_TAG_CLUSTER);
	instance.owner = aws_xml_tag(item, AWS_TAG_OWNER);
	instance.request_token = aws_xml_tag(item, AWS_TAG_TOKEN);
	instance.private_address = aws_xml_text(item, "privateIpAddress");
	instance.public_address = is_internal ? instance.private_address :
						aws_xml_text(item, "ipAddress");
	instance.ssh_user = aws_xml_tag(item, AWS_TAG_USER);
	instance.spot = lifecycle && strcmp(lifecycle, "spot") == 0;
	instance.host_key = aws_xml_tag(item, AWS_TAG_HOST_KEY);
	if (instance.status != SOUK_INSTANCE_PENDING && instance.status != SOUK_INSTANCE_RUNNING)
		instance.status_reason = reason_of(item, reason, sizeof(reason));
	if (launched && souk_parse_time("launchTime", launched, &instance.created_at, NULL) < 0)
		instance.created_at = 0;
	return souk_instance_list_add(out, &instance, err);
}

/* ---- Going through a reply ----------------------------------------------------------------- */

int aws_instances_walk(void *arg, const xmlNode *root, struct souk_error *err)
{
	const struct aws_walk *walk = arg;
	const xmlNode *reservation =
		aws_xml_first_item(aws_xml_child(root, "reservationSet"));
	const xmlNode *item;
	int ret = SOUK_OK;

	for (; reservation; reservation = aws_xml_next_item(reservation)) {
		item = aws_xml_first_item(aws_xml_child(reservation, "instancesSet"));
		for (; item && ret == SOUK_OK; item = aws_xml_next_item(item))
			ret = walk->fn(walk->arg, item, err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

int aws_instances_each(const struct aws_client *client, const struct souk_instance_ref *refs,
		       uint32_t n, aws_instance_fn fn, void *arg, struct souk_error *err)
{
	struct aws_walk walk = { fn, arg };
	uint32_t first, i;
	int ret = SOUK_OK;

	for (first = 0; first < n && ret == SOUK_OK; first += MAX_IDS) {
		struct aws_query query;

		/* By filter: an id that EC2 does not know is then no error. */
		aws_query_init(&query, &describe_instances);
		for (i = first; i < n && i < first + MAX_IDS; i++)
			if (i == first)
				aws_query_filter(&query, "instance-id", refs[i].id);
			else
				aws_query_filter_value(&query, refs[i].id);
		aws_query_add(&query, "MaxResults", "1000");
		ret = aws_query_pages(client, &describe_instances, &query, aws_instances_walk, &walk, err);
		aws_query_fini(&query);
	}
	return ret;
}

/* ---- By token, by tags ------------------------------------------------------------------------
 */

struct adding {
	const struct aws_client *client;
	struct souk_instance_list *out;
	int n;
};

static int add_one(void *arg, const xmlNode *item, struct souk_error *err)
{
	struct adding *adding = arg;

	adding->n++;
	return aws_instance_add(adding->client, item, adding->out, err);
}

int aws_instances_of_token(const struct aws_client *client, const char *token,
			   struct souk_instance_list *out, struct souk_error *err)
{
	struct adding adding = { client, out, 0 };
	struct aws_walk walk = { add_one, &adding };
	struct aws_query query;
	int ret;

	aws_query_init(&query, &describe_instances);
	aws_query_filter(&query, "tag:" AWS_TAG_TOKEN, token);
	aws_query_add(&query, "MaxResults", "1000");
	ret = aws_query_pages(client, &describe_instances, &query, aws_instances_walk, &walk, err);
	aws_query_fini(&query);
	return ret < 0 ? ret : adding.n;
}

int aws_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		 uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	struct aws_client client = { self, call, n ? refs[0].region : NULL };
	struct adding adding = { &client, out, 0 };

	return aws_instances_each(&client, refs, n, add_one, &adding, err);
}
