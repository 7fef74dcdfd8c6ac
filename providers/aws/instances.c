/* SPDX-License-Identifier: Apache-2.0 */
/* instances.c - find machines and tell of them */

#include "instances.h"

#include <stdio.h>
#include <string.h>

#include "query.h"
#include "regions.h"

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

int aws_instance_add(const struct aws_client *client, const xmlNode *item,
		     struct souk_instance_list *out, struct souk_error *err)
{
	struct souk_instance instance = { SOUK_INSTANCE_HEAD };
	const char *lifecycle = aws_xml_text(item, "instanceLifecycle");
	const char *launched = aws_xml_text(item, "launchTime");
	int is_internal = aws_is_true(souk_call_option(client->call, "use_internal_ips"));
	char reason[512];

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

struct walk {
	aws_instance_fn fn;
	void *arg;
};

static int walk_page(void *arg, const xmlNode *root, struct souk_error *err)
{
	const struct walk *walk = arg;
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
	struct walk walk = { fn, arg };
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
		ret = aws_query_pages(client, &describe_instances, &query, walk_page, &walk, err);
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
	struct walk walk = { add_one, &adding };
	struct aws_query query;
	int ret;

	aws_query_init(&query, &describe_instances);
	aws_query_filter(&query, "tag:" AWS_TAG_TOKEN, token);
	aws_query_add(&query, "MaxResults", "1000");
	ret = aws_query_pages(client, &describe_instances, &query, walk_page, &walk, err);
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

/* The pages of one region, kept until all regions have answered. */
struct region_pages {
	struct aws_xml *pages;
	size_t n;
};

struct listing {
	const struct souk_instance_filter *filter;
	struct region_pages *regions;
};

/* Keep a copy: the page itself ends with the request. */
static int keep_page(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct region_pages *kept = arg;
	struct aws_xml *larger = realloc(kept->pages, (kept->n + 1) * sizeof(*larger));
	xmlDoc *copy;

	if (!larger)
		return aws_nomem(err);
	kept->pages = larger;
	copy = xmlCopyDoc(root->doc, 1);
	if (!copy)
		return aws_nomem(err);
	kept->pages[kept->n].doc = copy;
	kept->pages[kept->n++].root = xmlDocGetRootElement(copy);
	return SOUK_OK;
}

static int list_region(const struct aws_client *client, size_t index, void *arg,
		       struct souk_error *err)
{
	const struct listing *listing = arg;
	const struct souk_instance_filter *filter = listing->filter;
	struct aws_query query;
	int ret;

	aws_query_init(&query, &describe_instances);
	if (filter->cluster)
		aws_query_filter(&query, "tag:" AWS_TAG_CLUSTER, filter->cluster);
	if (filter->owner)
		aws_query_filter(&query, "tag:" AWS_TAG_OWNER, filter->owner);
	if (filter->request_token)
		aws_query_filter(&query, "tag:" AWS_TAG_TOKEN, filter->request_token);
	else
		aws_query_filter(&query, "tag-key", AWS_TAG_TOKEN);
	aws_query_add(&query, "MaxResults", "1000");
	ret = aws_query_pages(client, &describe_instances, &query, keep_page,
			      &listing->regions[index], err);
	aws_query_fini(&query);
	return ret;
}

/* Denied here, by a policy or because the region does not take this kind of session. */
static int is_denied(const struct souk_error *err)
{
	static const char *const reasons[] = { "UnauthorizedOperation", "OptInRequired",
					       "AccessDenied", "AuthFailure" };
	size_t i;

	for (i = 0; err->code == SOUK_E_AUTH && i < AWS_ARRAY_SIZE(reasons); i++)
		if (strcmp(err->reason, reasons[i]) == 0)
			return 1;
	return 0;
}

/*
 * What is denied in a region cannot have been made there by us, so that it is left out; any
 * other failure could hide machines, and fails the whole.
 */
static int judge(struct souk_call *call, const struct aws_regions *regions,
		 const struct souk_error *errors, struct souk_error *err)
{
	size_t denied = 0;
	size_t i;

	for (i = 0; i < regions->n; i++) {
		if (errors[i].code == SOUK_OK)
			continue;
		if (!is_denied(&errors[i]))
			return aws_error_pass(&errors[i], err);
		denied++;
	}
	if (denied == regions->n)
		return aws_error_pass(&errors[0], err);
	for (i = 0; denied && i < regions->n; i++)
		if (errors[i].code != SOUK_OK)
			souk_call_log(call, SOUK_LOG_INFO, "left out '%s': %s", regions->names[i],
				      errors[i].message);
	return SOUK_OK;
}

/* The answers of all regions into one list. */
static int collect(struct aws *aws, struct souk_call *call, const struct aws_regions *regions,
		   const struct region_pages *kept, struct souk_instance_list *out,
		   struct souk_error *err)
{
	struct aws_client client = { aws, call, NULL };
	struct adding adding = { &client, out, 0 };
	struct walk walk = { add_one, &adding };
	size_t i, k;
	int ret = SOUK_OK;

	for (i = 0; i < regions->n; i++) {
		client.region = regions->names[i];
		for (k = 0; k < kept[i].n && ret == SOUK_OK; k++)
			ret = walk_page(&walk, kept[i].pages[k].root, err);
	}
	return ret;
}

static int list_regions(struct aws *aws, struct souk_call *call, const struct aws_regions *regions,
			const struct souk_instance_filter *filter, struct souk_instance_list *out,
			struct souk_error *err)
{
	struct souk_error *errors = calloc(regions->n, sizeof(*errors));
	struct region_pages *kept = calloc(regions->n, sizeof(*kept));
	struct listing listing = { filter, kept };
	size_t i;
	int ret;

	if (errors && kept) {
		aws_regions_each(aws, call, regions, list_region, &listing, errors);
		ret = judge(call, regions, errors, err);
		if (ret == SOUK_OK)
			ret = collect(aws, call, regions, kept, out, err);
		for (i = 0; i < regions->n; i++) {
			while (kept[i].n)
				aws_xml_fini(&kept[i].pages[--kept[i].n]);
			free(kept[i].pages);
		}
	} else {
		ret = aws_nomem(err);
	}
	free(errors);
	free(kept);
	return ret;
}

int aws_list_instances(void *self, struct souk_call *call,
		       const struct souk_instance_filter *filter, struct souk_instance_list *out,
		       struct souk_error *err)
{
	struct aws_regions regions = { 0 };
	int ret = SOUK_OK;

	if (filter->region) {
		regions.names = calloc(1, sizeof(regions.names[0]));
		if (!regions.names)
			return aws_nomem(err);
		if (!aws_is_place(filter->region))
			ret = souk_error_set(err, SOUK_E_INVALID, "not a region: '%.64s'",
					     filter->region);
		else
			snprintf(regions.names[0], AWS_REGION_SIZE, "%s", filter->region);
		regions.n = 1;
	} else {
		/* All of them, whatever the option 'region' says now: it may have said otherwise.
		 */
		ret = aws_regions_enabled(self, call, &regions, err);
	}
	if (ret == SOUK_OK)
		ret = list_regions(self, call, &regions, filter, out, err);
	aws_regions_fini(&regions);
	return ret;
}
