/* SPDX-License-Identifier: Apache-2.0 */
/* list.c - what carries our tags, or another tool's, in every region */

#include "instances.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "query.h"
#include "regions.h"

static const struct aws_operation describe_instances = {
	.action = "DescribeInstances", .doing = "look for machines", .flags = AWS_READ,
};

static const struct aws_operation describe_groups = {
	.action = "DescribeSecurityGroups", .doing = "look for security groups", .flags = AWS_READ,
};

/* A host of the past knows a shorter filter. */
static const char *const *tag_keys_of(const struct souk_instance_filter *filter)
{
	return filter->struct_size >= sizeof(*filter) ? filter->tag_keys : NULL;
}

static int wants_besides(const struct souk_instance_filter *filter)
{
	return filter->struct_size >= sizeof(*filter) && filter->besides;
}

/* ---- Asking a region ---------------------------------------------------------------------- */

/* Pages, kept until all regions have answered. */
struct pages {
	struct aws_xml *list;
	size_t n;
};

/* Of one region: of what carries our tags, of what carries others', of what else is ours. */
struct region_pages {
	struct pages ours;
	struct pages others;
	struct pages groups;
	struct pages placements;
};

struct listing {
	const struct souk_instance_filter *filter;
	struct region_pages *regions;
};

/* Keep a copy: the page itself ends with the request. */
static int keep_page(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct pages *kept = arg;
	struct aws_xml *larger = realloc(kept->list, (kept->n + 1) * sizeof(*larger));
	xmlDoc *copy;

	if (!larger)
		return aws_nomem(err);
	kept->list = larger;
	copy = xmlCopyDoc(root->doc, 1);
	if (!copy)
		return aws_nomem(err);
	kept->list[kept->n].doc = copy;
	kept->list[kept->n++].root = xmlDocGetRootElement(copy);
	return SOUK_OK;
}

static void pages_fini(struct pages *pages)
{
	while (pages->n)
		aws_xml_fini(&pages->list[--pages->n]);
	free(pages->list);
}

/* What carries our tags. */
static int ask_ours(const struct aws_client *client, const struct aws_operation *operation,
		    const struct souk_instance_filter *filter, struct pages *kept,
		    struct souk_error *err)
{
	struct aws_query query;
	int ret;

	aws_query_init(&query, operation);
	if (filter->cluster)
		aws_query_filter(&query, "tag:" AWS_TAG_CLUSTER, filter->cluster);
	if (filter->owner)
		aws_query_filter(&query, "tag:" AWS_TAG_OWNER, filter->owner);
	if (filter->request_token)
		aws_query_filter(&query, "tag:" AWS_TAG_TOKEN, filter->request_token);
	else
		aws_query_filter(&query, "tag-key", AWS_TAG_TOKEN);
	/* Of placement groups EC2 gives all at once. */
	if (operation != &aws_describe_placements)
		aws_query_add(&query, "MaxResults", "1000");
	ret = aws_query_pages(client, operation, &query, keep_page, kept, err);
	aws_query_fini(&query);
	return ret;
}

/* Where nothing tells that there may be placement groups, there are none. */
static int may_be_placed(const struct aws_client *client, const struct pages *groups)
{
	const char *given = souk_call_option(client->call, "security_group");
	const xmlNode *item;
	size_t i;

	for (i = 0; i < groups->n; i++) {
		item = aws_xml_first_item(aws_xml_child(groups->list[i].root, "securityGroupInfo"));
		for (; item; item = aws_xml_next_item(item))
			if (aws_xml_tag(item, AWS_TAG_PLACED))
				return 1;
	}
	return given && *given;
}

/* Machines that carry a tag of one of these keys. */
static int ask_others(const struct aws_client *client, const char *const *keys, struct pages *kept,
		      struct souk_error *err)
{
	struct aws_query query;
	int ret, n;

	aws_query_init(&query, &describe_instances);
	aws_query_filter(&query, "tag-key", keys[0]);
	for (n = 1; keys[n] && n < AWS_MAX_TAG_KEYS; n++)
		aws_query_filter_value(&query, keys[n]);
	aws_query_add(&query, "MaxResults", "1000");
	ret = aws_query_pages(client, &describe_instances, &query, keep_page, kept, err);
	aws_query_fini(&query);
	return ret;
}

static int list_region(const struct aws_client *client, size_t index, void *arg,
		       struct souk_error *err)
{
	const struct listing *listing = arg;
	const struct souk_instance_filter *filter = listing->filter;
	const char *const *keys = tag_keys_of(filter);
	struct region_pages *kept = &listing->regions[index];
	int ret;

	ret = ask_ours(client, &describe_instances, filter, &kept->ours, err);
	if (ret == SOUK_OK && keys && keys[0])
		ret = ask_others(client, keys, &kept->others, err);
	if (ret == SOUK_OK && wants_besides(filter))
		ret = ask_ours(client, &describe_groups, filter, &kept->groups, err);
	if (ret == SOUK_OK && wants_besides(filter) && may_be_placed(client, &kept->groups))
		ret = ask_ours(client, &aws_describe_placements, filter, &kept->placements, err);
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
			return souk_error_copy(&errors[i], err);
		denied++;
	}
	if (denied == regions->n)
		return souk_error_copy(&errors[0], err);
	for (i = 0; denied && i < regions->n; i++)
		if (errors[i].code != SOUK_OK)
			souk_call_log(call, SOUK_LOG_INFO, "left out '%s': %s", regions->names[i],
				      errors[i].message);
	return SOUK_OK;
}

/* ---- The answers ---------------------------------------------------------------------------- */

struct adding {
	const struct aws_client *client;
	const char *const *keys;
	struct souk_instance_list *out;
};

static int add_ours(void *arg, const xmlNode *item, struct souk_error *err)
{
	const struct adding *adding = arg;

	return aws_instance_add_tagged(adding->client, item, adding->keys, adding->out, err);
}

/* Those that carry our tags too are among ours, or were not asked for. */
static int add_other(void *arg, const xmlNode *item, struct souk_error *err)
{
	return aws_xml_tag(item, AWS_TAG_TOKEN) ? SOUK_OK : add_ours(arg, item, err);
}

/* What there is besides machines, of a page. */
struct besides {
	const char *kind;
	const char *set;
	const char *id;
};

static int add_besides(const struct adding *adding, const struct besides *besides,
		       const struct pages *pages, size_t index, struct souk_error *err)
{
	const xmlNode *item =
		aws_xml_first_item(aws_xml_child(pages->list[index].root, besides->set));
	int ret = SOUK_OK;

	for (; item && ret == SOUK_OK; item = aws_xml_next_item(item)) {
		struct souk_instance group = {
			SOUK_INSTANCE_HEAD,
			.kind = besides->kind,
			.status = SOUK_INSTANCE_RUNNING,
			.id = aws_xml_text(item, besides->id),
			.region = adding->client->region,
			.cluster = aws_xml_tag(item, AWS_TAG_CLUSTER),
			.owner = aws_xml_tag(item, AWS_TAG_OWNER),
			.request_token = aws_xml_tag(item, AWS_TAG_TOKEN),
		};

		if (group.id)
			ret = souk_instance_list_add(adding->out, &group, err);
	}
	return ret;
}

static int collect_region(const struct adding *adding, const struct region_pages *kept,
			  struct souk_error *err)
{
	static const struct besides group = { "security group", "securityGroupInfo", "groupId" };
	static const struct besides placement = { "placement group", "placementGroupSet",
						  "groupName" };
	struct aws_walk ours = { add_ours, (void *)adding };
	struct aws_walk others = { add_other, (void *)adding };
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < kept->ours.n && ret == SOUK_OK; i++)
		ret = aws_instances_walk(&ours, kept->ours.list[i].root, err);
	for (i = 0; i < kept->others.n && ret == SOUK_OK; i++)
		ret = aws_instances_walk(&others, kept->others.list[i].root, err);
	for (i = 0; i < kept->groups.n && ret == SOUK_OK; i++)
		ret = add_besides(adding, &group, &kept->groups, i, err);
	for (i = 0; i < kept->placements.n && ret == SOUK_OK; i++)
		ret = add_besides(adding, &placement, &kept->placements, i, err);
	return ret;
}

static int list_regions(struct aws *aws, struct souk_call *call, const struct aws_regions *regions,
			const struct souk_instance_filter *filter, struct souk_instance_list *out,
			struct souk_error *err)
{
	struct souk_error *errors = calloc(regions->n, sizeof(*errors));
	struct region_pages *kept = calloc(regions->n, sizeof(*kept));
	struct aws_client client = { aws, call, NULL };
	struct adding adding = { &client, tag_keys_of(filter), out };
	struct listing listing = { filter, kept };
	size_t i;
	int ret;

	if (errors && kept) {
		aws_regions_each(aws, call, regions, list_region, &listing, errors);
		ret = judge(call, regions, errors, err);
		for (i = 0; i < regions->n && ret == SOUK_OK; i++) {
			client.region = regions->names[i];
			ret = collect_region(&adding, &kept[i], err);
		}
		for (i = 0; i < regions->n; i++) {
			pages_fini(&kept[i].ours);
			pages_fini(&kept[i].others);
			pages_fini(&kept[i].groups);
			pages_fini(&kept[i].placements);
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
