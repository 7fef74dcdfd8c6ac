/* SPDX-License-Identifier: Apache-2.0 */
/* provision.c - make machines, once for each token */

#include <ctype.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "disk.h"
#include "image.h"
#include "instances.h"
#include "query.h"
#include "quota.h"
#include "reservation.h"

enum {
	MAX_MACHINES = 1000,
	MAX_USER_DATA = 16 * 1024, /* EC2's limit, before base64 */
	MAX_LABELS = 40,	   /* of 50 tags; the others are ours */
	MAX_TAG_KEY = 127,
	MAX_TAG_VALUE = 255,
	MAX_THROTTLED = 6,
	FIRST_WAIT_MS = 1000
};

/* All that a RunInstances takes. */
struct order {
	const struct aws_client *client;
	const struct souk_instance_spec *spec;
	struct aws_image image;
	struct aws_network network;
	struct aws_reservation reservation;
	struct souk_buf user_data; /* base64 */
	char doing[160];
};

/* ---- Checking the spec ------------------------------------------------------------------------
 */

static int bad_spec(struct souk_error *err, const char *what, const char *value)
{
	souk_error_set(err, SOUK_E_INVALID, "%s: '%.100s'", what, value ? value : "");
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

static int is_word(const char *text, size_t max)
{
	size_t i;

	for (i = 0; text && text[i]; i++)
		if (i >= max || !(islower((unsigned char)text[i]) ||
				  isdigit((unsigned char)text[i]) || text[i] == '-'))
			return 0;
	return text && i > 0;
}

static int is_type_name(const char *text)
{
	size_t i;

	for (i = 0; text && text[i]; i++)
		if (i >= 64 || !(isalnum((unsigned char)text[i]) || text[i] == '.' ||
				 text[i] == '-'))
			return 0;
	return text && i > 0;
}

static int check_labels(const struct souk_instance_spec *spec, struct souk_error *err)
{
	uint32_t i;

	if (spec->n_labels > MAX_LABELS)
		return souk_error_set(err, SOUK_E_INVALID, "more than %d labels", MAX_LABELS);
	for (i = 0; i < spec->n_labels; i++) {
		const struct souk_label *label = &spec->labels[i];

		if (!label->key || !*label->key || strlen(label->key) > MAX_TAG_KEY ||
		    strncasecmp(label->key, "aws:", 4) == 0 ||
		    strncmp(label->key, "souk-", 5) == 0)
			return bad_spec(err, "not a name for a label on AWS", label->key);
		if (label->value && strlen(label->value) > MAX_TAG_VALUE)
			return bad_spec(err, "label too long for AWS", label->key);
	}
	return SOUK_OK;
}

static int check_spec(const struct souk_instance_spec *spec, struct souk_error *err)
{
	if (!spec->region || !aws_is_place(spec->region))
		return bad_spec(err, "not a region", spec->region);
	if (spec->zone && !aws_is_place(spec->zone))
		return bad_spec(err, "not a zone", spec->zone);
	if (!is_type_name(spec->instance_type))
		return bad_spec(err, "not an instance type", spec->instance_type);
	if (!is_word(spec->request_token, 64))
		return bad_spec(err, "not a request token", spec->request_token);
	if (!is_word(spec->cluster, 40))
		return bad_spec(err, "not a cluster name", spec->cluster);
	if (spec->owner && strlen(spec->owner) > MAX_TAG_VALUE)
		return bad_spec(err, "owner too long", spec->owner);
	if (spec->count < 1 || spec->count > MAX_MACHINES)
		return souk_error_set(err, SOUK_E_INVALID, "cannot start %u machines: 1 to %d",
				      spec->count, MAX_MACHINES);
	return check_labels(spec, err);
}

/* ---- Tags --------------------------------------------------------------------------------------
 */

struct tagging {
	struct aws_query *query;
	unsigned resource;
	unsigned n;
};

static void add_tag(struct tagging *tagging, const char *key, const char *value)
{
	if (!value || !*value)
		return;
	tagging->n++;
	aws_query_addf(tagging->query, key, "TagSpecification.%u.Tag.%u.Key", tagging->resource,
		       tagging->n);
	aws_query_addf(tagging->query, value, "TagSpecification.%u.Tag.%u.Value",
		       tagging->resource, tagging->n);
}

/* Algorithm and key without the comment, if it fits into a tag. */
static int host_key_text(const struct souk_instance_spec *spec, char out[MAX_TAG_VALUE + 1])
{
	const char *key = spec->host_key_public;
	const char *blob = key ? strchr(key, ' ') : NULL;
	size_t len;

	if (!blob || !spec->host_key_private)
		return 0;
	len = (size_t)(blob - key) + 1 + strcspn(blob + 1, " \r\n");
	if (len > MAX_TAG_VALUE)
		return 0;
	memcpy(out, key, len);
	out[len] = '\0';
	return 1;
}

static void add_tags(struct aws_query *query, const struct order *order)
{
	static const char *const resources[] = { "instance", "volume", "network-interface",
						 "spot-instances-request" };
	const struct souk_instance_spec *spec = order->spec;
	size_t n = AWS_ARRAY_SIZE(resources) - (spec->spot ? 0 : 1);
	char host_key[MAX_TAG_VALUE + 1];
	size_t i;
	uint32_t k;

	for (i = 0; i < n; i++) {
		struct tagging tagging = { query, (unsigned)i + 1, 0 };
		int has_name = 0;

		aws_query_addf(query, resources[i], "TagSpecification.%u.ResourceType",
			       tagging.resource);
		add_tag(&tagging, AWS_TAG_CLUSTER, spec->cluster);
		add_tag(&tagging, AWS_TAG_OWNER, spec->owner);
		add_tag(&tagging, AWS_TAG_TOKEN, spec->request_token);
		for (k = 0; k < spec->n_labels; k++) {
			has_name |= strcmp(spec->labels[k].key, "Name") == 0;
			add_tag(&tagging, spec->labels[k].key, spec->labels[k].value);
		}
		if (!has_name)
			add_tag(&tagging, "Name", spec->cluster);
		if (i == 0) {
			add_tag(&tagging, AWS_TAG_USER, order->image.user);
			if (host_key_text(spec, host_key))
				add_tag(&tagging, AWS_TAG_HOST_KEY, host_key);
		}
	}
}

/* ---- The request --------------------------------------------------------------------------- */

static void add_disk(struct aws_query *query, const struct order *order)
{
	struct souk_call *call = order->client->call;
	int is_encrypted = souk_text_is_true(souk_call_option(call, "disk_encrypted"));
	struct aws_disk disk;

	aws_disk_choose(call, order->spec, order->image.root_gib, &disk);
	/* An image that could not be described, and no wish: the disk is as the image has it. */
	if (!disk.gib && !disk.iops && !is_encrypted)
		return;
	aws_query_add(query, "BlockDeviceMapping.1.DeviceName", order->image.root_device);
	if (disk.gib)
		aws_query_add_u64(query, "BlockDeviceMapping.1.Ebs.VolumeSize", disk.gib);
	aws_query_add(query, "BlockDeviceMapping.1.Ebs.VolumeType", disk.type);
	aws_query_add(query, "BlockDeviceMapping.1.Ebs.DeleteOnTermination", "true");
	if (is_encrypted)
		aws_query_add(query, "BlockDeviceMapping.1.Ebs.Encrypted", "true");
	if (disk.iops)
		aws_query_add_u64(query, "BlockDeviceMapping.1.Ebs.Iops", disk.iops);
	if (disk.throughput_mib)
		aws_query_add_u64(query, "BlockDeviceMapping.1.Ebs.Throughput",
				  disk.throughput_mib);
}

/*
 * The first interface is the machine's address, and an EFA interface where it is to have some; the
 * others, one on each further network card, are for EFA alone and take no address.
 */
static void add_interface(struct aws_query *query, const struct order *order, unsigned n)
{
	const struct aws_network *network = &order->network;
	char card[16];

	snprintf(card, sizeof(card), "%u", n - 1);
	aws_query_addf(query, n == 1 ? "0" : "1", "NetworkInterface.%u.DeviceIndex", n);
	if (network->efa_interfaces > 1)
		aws_query_addf(query, card, "NetworkInterface.%u.NetworkCardIndex", n);
	if (network->efa_interfaces)
		aws_query_addf(query, n == 1 ? "efa" : "efa-only",
			       "NetworkInterface.%u.InterfaceType", n);
	if (network->subnet[0])
		aws_query_addf(query, network->subnet, "NetworkInterface.%u.SubnetId", n);
	aws_query_addf(query, network->group, "NetworkInterface.%u.SecurityGroupId.1", n);
	aws_query_addf(query, "true", "NetworkInterface.%u.DeleteOnTermination", n);
}

static void add_network(struct aws_query *query, const struct order *order)
{
	int is_internal =
		souk_text_is_true(souk_call_option(order->client->call, "use_internal_ips"));
	unsigned interfaces = order->network.efa_interfaces ? order->network.efa_interfaces : 1;
	unsigned n;

	if (order->spec->zone)
		aws_query_add(query, "Placement.AvailabilityZone", order->spec->zone);
	if (order->network.placement[0])
		aws_query_add(query, "Placement.GroupName", order->network.placement);
	for (n = 1; n <= interfaces; n++)
		add_interface(query, order, n);
	/* Said of one of several it is refused, whatever it says: several have none. */
	if (interfaces == 1)
		aws_query_add(query, "NetworkInterface.1.AssociatePublicIpAddress",
			      is_internal ? "false" : "true");
}

static void add_reservation(struct aws_query *query, const struct aws_reservation *reservation)
{
	if (!reservation->id[0])
		return;
	if (reservation->is_block)
		aws_query_add(query, "InstanceMarketOptions.MarketType", "capacity-block");
	aws_query_add(query,
		      "CapacityReservationSpecification.CapacityReservationTarget."
		      "CapacityReservationId",
		      reservation->id);
}

static void add_market(struct aws_query *query, const struct souk_instance_spec *spec)
{
	char price[32];

	/* One-time requests end with their machine, which therefore cannot be stopped. */
	aws_query_add(query, "InstanceInitiatedShutdownBehavior",
		      spec->on_shutdown == SOUK_ON_SHUTDOWN_STOP && !spec->spot ? "stop" :
										  "terminate");
	if (!spec->spot)
		return;
	aws_query_add(query, "InstanceMarketOptions.MarketType", "spot");
	aws_query_add(query, "InstanceMarketOptions.SpotOptions.SpotInstanceType", "one-time");
	aws_query_add(query, "InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior",
		      "terminate");
	if (spec->max_micros_per_hour > 0) {
		snprintf(price, sizeof(price), "%" PRId64 ".%06" PRId64,
			 spec->max_micros_per_hour / 1000000, spec->max_micros_per_hour % 1000000);
		aws_query_add(query, "InstanceMarketOptions.SpotOptions.MaxPrice", price);
	}
}

static void write_order(struct aws_query *query, const struct aws_operation *operation,
			const struct order *order)
{
	const struct souk_instance_spec *spec = order->spec;
	struct souk_call *call = order->client->call;
	const char *key_pair = souk_call_option(call, "key_pair");
	const char *iam = souk_call_option(call, "iam_instance_profile");

	aws_query_init(query, operation);
	aws_query_add(query, "ImageId", order->image.id);
	aws_query_add(query, "InstanceType", spec->instance_type);
	aws_query_add_u64(query, "MinCount", spec->count);
	aws_query_add_u64(query, "MaxCount", spec->count);
	aws_query_add(query, "ClientToken", spec->request_token);
	aws_query_add(query, "UserData", order->user_data.data);
	if (key_pair && *key_pair)
		aws_query_add(query, "KeyName", key_pair);
	if (iam && *iam)
		aws_query_add(query,
			      strncmp(iam, "arn:", 4) == 0 ? "IamInstanceProfile.Arn" :
							     "IamInstanceProfile.Name", iam);
	add_network(query, order);
	add_disk(query, order);
	add_market(query, spec);
	add_reservation(query, &order->reservation);
	aws_query_add(query, "MetadataOptions.HttpTokens", "required");
	aws_query_add(query, "MetadataOptions.HttpEndpoint", "enabled");
	/* Two hops, so that a container on the machine reaches it too. */
	aws_query_add(query, "MetadataOptions.HttpPutResponseHopLimit", "2");
	add_tags(query, order);
}

/* ---- Sending it ---------------------------------------------------------------------------- */

/* A quarter more or less, so that many do not come back at once. */
static uint32_t jitter(uint32_t ms)
{
	unsigned char byte = 128;

	if (RAND_bytes(&byte, 1) != 1)
		byte = 128;
	return ms / 4 * 3 + (uint32_t)((uint64_t)ms / 2 * byte / 255);
}

/*
 * A lost reply, and an error of the server's own, may hide machines that were made. Only a
 * throttled request has certainly done nothing, and is sent again here.
 */
static int send_order(const struct aws_client *client, const struct aws_operation *operation,
		      struct aws_query *query, struct aws_xml *xml, struct aws_fault *fault,
		      struct souk_error *err)
{
	uint32_t wait_ms = FIRST_WAIT_MS;
	unsigned tries;
	int ret;

	for (tries = 1;; tries++) {
		struct souk_error why = SOUK_ERROR_INIT;
		uint32_t pause_ms;

		ret = aws_query_send(client, operation, query, xml, fault, &why);
		if (ret == SOUK_OK)
			return ret;
		pause_ms = why.retry_after_ms > wait_ms ? why.retry_after_ms : jitter(wait_ms);
		if (ret == SOUK_E_RATE_LIMIT && tries < MAX_THROTTLED &&
		    pause_ms < souk_call_deadline_ms(client->call) &&
		    souk_call_sleep(client->call, pause_ms, NULL) == SOUK_OK) {
			wait_ms *= 2;
			continue;
		}
		/* An answer that cannot be read comes from a request that was heard. */
		if ((ret == SOUK_E_TRANSIENT && fault->status >= 500) ||
		    (ret == SOUK_E_INTERNAL && !fault->status))
			why.code = SOUK_E_TIMEOUT;
		return souk_error_copy(&why, err);
	}
}

/* RunInstances has one code for many things; two of them are about the offer alone. */
static void narrow(const struct aws_fault *fault, struct souk_error *err)
{
	if (!err || !aws_fault_is(fault, "InvalidParameterValue"))
		return;
	if (strcasestr(fault->message, "InstanceType") ||
	    strcasestr(fault->message, "instance type") ||
	    strcasestr(fault->message, "availability zone") ||
	    strcasestr(fault->message, "availabilityZone")) {
		err->code = SOUK_E_UNSUPPORTED;
		souk_error_scope(err, SOUK_SCOPE_OFFER);
	}
}

static int add_machines(const struct aws_client *client, const struct aws_xml *xml,
			struct souk_instance_list *out, struct souk_error *err)
{
	const xmlNode *item = aws_xml_first_item(aws_xml_child(xml->root, "instancesSet"));
	int ret = SOUK_OK;

	if (!item)
		return souk_error_set(err, SOUK_E_TIMEOUT,
				      "the reply to RunInstances names no machine");
	for (; item && ret == SOUK_OK; item = aws_xml_next_item(item))
		ret = aws_instance_add(client, item, out, err);
	return ret;
}

static int run(struct order *order, struct souk_instance_list *out, struct souk_error *err)
{
	const struct aws_operation operation = {
		.action = "RunInstances",
		.doing = order->doing,
		.flags = AWS_WRITE | SOUK_HTTP_SECRET_BODY,
	};
	struct aws_query query;
	struct aws_xml xml = { 0 };
	struct aws_fault fault = { 0 };
	unsigned tries;
	int ret;

	for (tries = 1;; tries++) {
		struct souk_error why = SOUK_ERROR_INIT;

		write_order(&query, &operation, order);
		ret = send_order(order->client, &operation, &query, &xml, &fault, &why);
		aws_query_fini(&query);
		if (ret == SOUK_OK)
			break;
		/* Another launch for this cluster has failed and has taken the groups with it. */
		if (tries == 1 && (aws_fault_is(&fault, "InvalidGroup.NotFound") ||
				   (order->network.is_own_placement &&
				    aws_fault_is(&fault, "InvalidPlacementGroup.Unknown")))) {
			ret = aws_group_ensure(order->client, order->spec, &order->network, err);
			if (ret == SOUK_OK)
				ret = aws_placement_ensure(order->client, order->spec,
							   &order->network, err);
			if (ret < 0)
				return ret;
			continue;
		}
		narrow(&fault, &why);
		return souk_error_copy(&why, err);
	}
	ret = add_machines(order->client, &xml, out, err);
	aws_xml_fini(&xml);
	return ret;
}

/* ---- The op ---------------------------------------------------------------------------------- */

static int make_user_data(struct order *order, struct souk_error *err)
{
	struct souk_buf text;
	int ret;

	souk_buf_init(&text, MAX_USER_DATA);
	souk_buf_init(&order->user_data, 2 * MAX_USER_DATA);
	ret = souk_spec_cloud_config(order->spec, order->image.user, &text, err);
	if (ret == SOUK_OK) {
		souk_buf_base64(&order->user_data, text.data, text.len);
		ret = souk_buf_failed(&order->user_data, err);
	}
	if (text.size)
		explicit_bzero(text.data, text.len);
	souk_buf_fini(&text);
	return ret;
}

/* Whatever failed for certain leaves no group behind that nobody uses. */
static void clean_up(const struct order *order, int ret)
{
	struct souk_error why = SOUK_ERROR_INIT;

	if (ret == SOUK_OK || ret == SOUK_E_TIMEOUT || ret == SOUK_E_CANCELLED)
		return;
	/* The security group tells of the placement groups, and outlives them. */
	if (order->network.is_own_placement && order->network.group[0] &&
	    aws_placement_delete(order->client, order->network.placement, &why) < 0) {
		souk_call_log(order->client->call, SOUK_LOG_DEBUG,
			      "placement group '%s' is left in '%s': %s", order->network.placement,
			      order->client->region, why.message);
		return;
	}
	if (order->network.is_new_group &&
	    aws_group_delete(order->client, order->network.group, NULL) < 0)
		souk_call_log(order->client->call, SOUK_LOG_DEBUG,
			      "security group '%s' is left in '%s'", order->network.group,
			      order->client->region);
}

/* An earlier call with this token has made its machines: all or none, so that missing ones are
 * there too and are not shown yet. */
static int already_there(const struct souk_instance_spec *spec, uint32_t n, struct souk_error *err)
{
	if (n >= spec->count)
		return SOUK_OK;
	return souk_error_set(err, SOUK_E_TIMEOUT,
			      "only %u of %u machines of this request are seen yet", n,
			      spec->count);
}

/* Image, network and groups, until nothing but the machines is missing. */
static int prepare(struct order *order, struct souk_error *err)
{
	const struct aws_client *client = order->client;
	const struct souk_instance_spec *spec = order->spec;
	const struct aws_reservation *reservation = &order->reservation;
	int ret = SOUK_OK;

	/* What is reserved counts against the quota already. */
	if (!reservation->id[0])
		ret = aws_quota_check(client, spec, err);
	if (ret == SOUK_OK)
		ret = aws_image_find(client, spec, &order->image, err);
	if (ret == SOUK_OK)
		ret = make_user_data(order, err);
	if (ret == SOUK_OK)
		ret = aws_network_choose(client, spec, &order->network, err);
	if (ret == SOUK_OK)
		ret = aws_efa_choose(client, spec, &order->network, err);
	if (ret < 0)
		return ret;
	aws_placement_choose(client, spec, reservation->id[0] ? reservation->placement : NULL,
			     &order->network);
	ret = aws_group_ensure(client, spec, &order->network, err);
	return ret < 0 ? ret : aws_placement_ensure(client, spec, &order->network, err);
}

int aws_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		  struct souk_instance_list *out, struct souk_error *err)
{
	struct aws_client client = { self, call, spec->region };
	struct souk_instance_spec placed;
	struct order order = { .client = &client, .spec = spec };
	int ret;

	ret = check_spec(spec, err);
	if (ret < 0)
		return ret;
	snprintf(order.doing, sizeof(order.doing), "start %.64s in '%.32s'", spec->instance_type,
		 spec->zone ? spec->zone : spec->region);
	/* Not every EC2 honours ClientToken, and none for ever: the tag is what counts. */
	ret = aws_instances_of_token(&client, spec->request_token, out, err);
	if (ret != 0)
		return ret < 0 ? ret : already_there(spec, (uint32_t)ret, err);
	ret = aws_reservation_choose(&client, spec, &order.reservation, err);
	if (ret < 0)
		return ret;
	if (order.reservation.id[0]) {
		placed = *spec;
		placed.zone = order.reservation.zone;
		order.spec = &placed;
	}
	ret = prepare(&order, err);
	if (ret == SOUK_OK) {
		if (spec->spot && spec->on_shutdown == SOUK_ON_SHUTDOWN_STOP)
			souk_call_log(
				call, SOUK_LOG_INFO,
				"a spot machine ends when it is shut down: it cannot be stopped");
		ret = run(&order, out, err);
	}
	clean_up(&order, ret);
	if (order.user_data.size)
		explicit_bzero(order.user_data.data, order.user_data.len);
	souk_buf_fini(&order.user_data);
	return ret;
}
