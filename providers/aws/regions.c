/* SPDX-License-Identifier: Apache-2.0 */
/* regions.c - the regions of an account, and work that is done in many of them at once */

#include "regions.h"

#include <stdio.h>
#include <string.h>

#include "query.h"

enum { MAX_REGIONS = 256 };

void aws_regions_fini(struct aws_regions *regions)
{
	free(regions->names);
	regions->names = NULL;
	regions->n = 0;
}

static int add_region(struct aws_regions *regions, const char *name, struct souk_error *err)
{
	void *larger;
	size_t i;

	if (!aws_is_place(name))
		return souk_error_set(err, SOUK_E_INVALID, "not a region: '%.64s'", name);
	for (i = 0; i < regions->n; i++)
		if (strcmp(regions->names[i], name) == 0)
			return SOUK_OK;
	if (regions->n == MAX_REGIONS)
		return souk_error_set(err, SOUK_E_INVALID, "more than %d regions", MAX_REGIONS);
	larger = realloc(regions->names, (regions->n + 1) * sizeof(regions->names[0]));
	if (!larger)
		return aws_nomem(err);
	regions->names = larger;
	snprintf(regions->names[regions->n++], AWS_REGION_SIZE, "%s", name);
	return SOUK_OK;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

int aws_regions_enabled(struct aws *aws, struct souk_call *call, struct aws_regions *out,
			struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DescribeRegions", .doing = "list regions", .flags = AWS_READ,
	};
	struct aws_client client = { aws, call, NULL };
	struct aws_regions found = { 0 };
	struct aws_query query;
	struct aws_xml xml = { 0 };
	const xmlNode *item;
	const char *name;
	char region[AWS_REGION_SIZE];
	int ret;

	ret = aws_default_region(aws, region, err);
	if (ret < 0)
		return ret;
	client.region = region;
	aws_query_init(&query, &operation);
	ret = aws_query_send(&client, &operation, &query, &xml, NULL, err);
	aws_query_fini(&query);
	item = aws_xml_first_item(aws_xml_child(xml.root, "regionInfo"));
	for (; ret == SOUK_OK && item; item = aws_xml_next_item(item)) {
		const char *status = aws_xml_text(item, "optInStatus");

		name = aws_xml_text(item, "regionName");
		if (name && (!status || strcmp(status, "not-opted-in") != 0))
			ret = add_region(&found, name, err);
	}
	aws_xml_fini(&xml);
	if (ret == SOUK_OK && !found.n)
		ret = souk_error_set(err, SOUK_E_INTERNAL, "EC2 names no region");
	if (ret < 0) {
		aws_regions_fini(&found);
		return ret;
	}
	qsort(found.names, found.n, sizeof(found.names[0]), by_name);
	*out = found;
	return SOUK_OK;
}

int aws_regions_wanted(struct aws *aws, struct souk_call *call, struct aws_regions *out,
		       struct souk_error *err)
{
	const char *list = souk_call_option(call, "region");
	struct aws_regions found = { 0 };
	int ret;

	for (;;) {
		AWS_AUTO_FREE char *item = NULL;

		ret = aws_next_item(&list, &item, err);
		if (ret > 0)
			ret = add_region(&found, item, err);
		else if (ret == 0)
			break;
		if (ret < 0)
			break;
	}
	if (ret < 0) {
		aws_regions_fini(&found);
		return ret;
	}
	if (!found.n)
		return aws_regions_enabled(aws, call, out, err);
	*out = found;
	return SOUK_OK;
}

/* What the pieces share. */
struct work {
	struct aws *aws;
	struct souk_call *call;
	const struct aws_regions *regions;
	aws_region_work run;
	void *arg;
};

static int work_in_region(void *arg, uint32_t i, struct souk_error *err)
{
	const struct work *work = arg;
	struct aws_client client = { work->aws, work->call, work->regions->names[i] };

	return work->run(&client, i, work->arg, err);
}

size_t aws_regions_each(struct aws *aws, struct souk_call *call, const struct aws_regions *regions,
			aws_region_work run, void *arg, struct souk_error *errors)
{
	struct work work = { aws, call, regions, run, arg };

	return souk_call_parallel(call, (uint32_t)regions->n, 0, work_in_region, &work, errors);
}
