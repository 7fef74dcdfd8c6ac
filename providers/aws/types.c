/* SPDX-License-Identifier: Apache-2.0 */
/* types.c - instance types, their accelerators, and the zones that sell them */

#include <stdio.h>
#include <string.h>

#include "market.h"
#include "query.h"

enum { MAX_TYPES = 20000, MAX_PLACES = 200000, MAX_ZONES = 64, MAX_DEVICES = 1000 };

/* How EC2 names a device, and how it is called. Memory in MiB, of a whole one, where EC2's figure is
 * not what the device is sold with: it leaves out what error correction takes. */
struct device {
	const char *ec2;
	const char *name;
	uint32_t memory_mib;
};

static const struct device devices[] = {
	{ "A10G", "A10G", 24 * 1024 },
	{ "L4", "L4", 24 * 1024 },
	{ "L40S", "L40S", 48 * 1024 },
	{ "Gaudi HL-205", "Gaudi-HL205", 0 },
	{ "Qualcomm AI100", "QAIC100", 0 },
	{ "RTX PRO 6000", "RTXPRO6000", 0 },
	{ "RTX PRO Server 6000", "RTXPRO6000", 0 },
	{ "RTX PRO Server 4500", "RTXPRO4500", 0 },
	{ "Radeon Pro V520", "V520", 0 },
	{ "Trainium2", "Trainium2", 96 * 1024 },
};

static const struct device *find_device(const char *ec2)
{
	size_t i;

	for (i = 0; i < AWS_ARRAY_SIZE(devices); i++)
		if (strcmp(devices[i].ec2, ec2) == 0)
			return &devices[i];
	return NULL;
}

/* Devices of one name that are sold with different memory carry it in their name. */
static const char *with_memory(const char *name, uint64_t mib)
{
	if (strcmp(name, "A100") == 0 && mib > 60000)
		return "A100-80GB";
	if (strcmp(name, "V100") == 0 && mib > 24000)
		return "V100-32GB";
	return name;
}

static int copy_name(char *out, size_t size, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (len == 0 || len >= size)
		return 0;
	memcpy(out, text, len + 1);
	return 1;
}

static void set_device(struct aws_type *type, const char *ec2, uint64_t milli, uint64_t mib)
{
	const struct device *device = ec2 ? find_device(ec2) : NULL;

	if (!ec2 || milli == 0 || milli > 1000000 || mib > UINT32_MAX)
		return;
	if (device && device->memory_mib && milli % 1000 == 0)
		mib = device->memory_mib;
	if (!copy_name(type->accelerator, sizeof(type->accelerator),
		       with_memory(device ? device->name : ec2, mib)))
		return;
	type->accelerator_milli = (uint32_t)milli;
	type->accelerator_memory_mib = (uint32_t)mib;
}

/* A slice of a GPU: its size if EC2 says it, else what its memory is of a whole one. */
static uint64_t slice_milli(const xmlNode *gpu, uint64_t mib)
{
	const char *size = aws_xml_text(gpu, "gpuPartitionSize");
	uint32_t milli;
	uint64_t logical = aws_xml_u64(gpu, "logicalGpuCount", 1);

	if (size && souk_parse_milli("gpuPartitionSize", size, &milli, NULL) == SOUK_OK && milli &&
	    milli < 1000 && logical <= MAX_DEVICES)
		return milli * (logical ? logical : 1);
	/* An L4 is the only one that is sold in slices; a whole one has 22888 MiB. */
	if (mib && mib < 22888 / 2 + 1)
		return (mib * 1000 + 11444) / 22888;
	return 0;
}

/* How many, in thousandths; 0 if it is not said. More than a machine can have stays too many. */
static uint64_t count_milli(const xmlNode *device)
{
	uint64_t count = aws_xml_u64(device, "count", 0);

	return count <= MAX_DEVICES ? count * 1000 : UINT64_MAX;
}

static void read_gpus(const xmlNode *gpus, struct aws_type *type)
{
	const xmlNode *gpu = aws_xml_first_item(gpus);
	const char *name = aws_xml_text(gpu, "name");
	uint64_t mib = aws_xml_u64(gpu, "memoryInfo/sizeInMiB", 0);
	const char *size = aws_xml_text(gpu, "gpuPartitionSize");
	uint64_t milli = count_milli(gpu);
	int is_slice = size && strncmp(size, "0.", 2) == 0;

	if (!gpu)
		return;
	if (milli == 0 || is_slice || (name && strcmp(name, "L4") == 0 && mib && mib < 16000))
		milli = slice_milli(gpu, mib);
	set_device(type, name, milli, mib);
}

static void read_devices(const xmlNode *list, struct aws_type *type)
{
	const xmlNode *device = aws_xml_first_item(list);

	if (!device) /* inferenceAcceleratorInfo names its items differently */
		device = aws_xml_child(list, "member");
	if (device)
		set_device(type, aws_xml_text(device, "name"),
			   count_milli(device), aws_xml_u64(device, "memoryInfo/sizeInMiB", 0));
}

/* An FPGA is named for its family, with the chip in brackets: the chip is what people say. */
static void read_fpgas(const xmlNode *list, struct aws_type *type)
{
	const xmlNode *fpga = aws_xml_first_item(list);
	const char *name = aws_xml_text(fpga, "name");
	const char *chip = name ? strstr(name, "VU") : NULL;
	char text[AWS_ACCELERATOR_SIZE];
	size_t len = chip ? strspn(chip, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") : 0;

	if (len > 2 && len < sizeof(text)) {
		memcpy(text, chip, len);
		text[len] = '\0';
		name = text;
	}
	if (fpga)
		set_device(type, name, count_milli(fpga),
			   aws_xml_u64(fpga, "memoryInfo/sizeInMiB", 0));
}

static void read_accelerators(const xmlNode *item, struct aws_type *type)
{
	read_gpus(aws_xml_find(item, "gpuInfo/gpus"), type);
	if (!type->accelerator[0])
		read_devices(aws_xml_find(item, "neuronInfo/neuronDevices"), type);
	if (!type->accelerator[0])
		read_devices(aws_xml_find(item, "inferenceAcceleratorInfo/accelerators"), type);
	if (!type->accelerator[0])
		read_devices(aws_xml_find(item, "mediaAcceleratorInfo/accelerators"), type);
	if (!type->accelerator[0])
		read_fpgas(aws_xml_find(item, "fpgaInfo/fpgas"), type);
}

int aws_type_read(const xmlNode *item, struct aws_type *out)
{
	const xmlNode *archs = aws_xml_find(item, "processorInfo/supportedArchitectures");
	const xmlNode *classes = aws_xml_child(item, "supportedUsageClasses");
	uint64_t vcpus = aws_xml_u64(item, "vCpuInfo/defaultVCpus", 0);
	struct aws_type type = { .micros_per_hour = -1 };

	if (!copy_name(type.name, sizeof(type.name), aws_xml_text(item, "instanceType")))
		return 0;
	type.memory_mib = aws_xml_u64(item, "memoryInfo/sizeInMiB", 0);
	if (vcpus == 0 || vcpus > 100000 || type.memory_mib == 0)
		return 0;
	/* Macs are rented by the day, on a host of one's own. */
	if (aws_xml_has_item(archs, "x86_64_mac") || aws_xml_has_item(archs, "arm64_mac"))
		return 0;
	if (aws_xml_has_item(archs, "arm64"))
		type.is_arm = 1;
	else if (!aws_xml_has_item(archs, "x86_64"))
		return 0;
	type.vcpus_milli = (uint32_t)vcpus * 1000;
	type.on_demand = !classes || aws_xml_has_item(classes, "on-demand");
	type.spot = aws_xml_has_item(classes, "spot");
	type.local_disk_mib =
		aws_xml_u64(item, "instanceStorageInfo/totalSizeInGB", 0) % 10000000 * 1000000000 /
		1048576;
	if (aws_xml_true(item, "burstablePerformanceSupported"))
		type.flags |= SOUK_OFFER_BURSTABLE;
	read_accelerators(item, &type);
	*out = type;
	return 1;
}

void aws_market_fini(struct aws_market *market)
{
	free(market->types.list);
	free(market->places.list);
	*market = (struct aws_market){ 0 };
}

static int compare_types(const void *a, const void *b)
{
	return strcmp(((const struct aws_type *)a)->name, ((const struct aws_type *)b)->name);
}

static int compare_places(const void *left, const void *right)
{
	const struct aws_place *a = left;
	const struct aws_place *b = right;
	int order = strcmp(a->type, b->type);

	return order ? order : strcmp(a->zone, b->zone);
}

struct aws_type *aws_market_type(const struct aws_market *market, const char *name)
{
	struct aws_type key;

	if (!market->types.n || !copy_name(key.name, sizeof(key.name), name))
		return NULL;
	return bsearch(&key, market->types.list, market->types.n, sizeof(key), compare_types);
}

struct aws_place *aws_market_place(const struct aws_market *market, const char *type,
				   const char *zone)
{
	struct aws_place key;

	if (!market->places.n || !copy_name(key.type, sizeof(key.type), type) ||
	    !copy_name(key.zone, sizeof(key.zone), zone))
		return NULL;
	return bsearch(&key, market->places.list, market->places.n, sizeof(key), compare_places);
}

static int grow(void **list, size_t n, size_t *size, size_t item, size_t max,
		struct souk_error *err)
{
	size_t larger = *size ? *size * 2 : 256;
	void *moved;

	if (n < *size)
		return SOUK_OK;
	if (n >= max)
		return souk_error_set(err, SOUK_E_INVALID, "EC2 lists more than %zu things", max);
	moved = realloc(*list, larger * item);
	if (!moved)
		return aws_nomem(err);
	*list = moved;
	*size = larger;
	return SOUK_OK;
}

static int take_types(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct aws_types *types = &((struct aws_market *)arg)->types;
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "instanceTypeSet"));
	int ret = SOUK_OK;

	for (; item && ret == SOUK_OK; item = aws_xml_next_item(item)) {
		ret = grow((void **)&types->list, types->n, &types->size, sizeof(types->list[0]),
			   MAX_TYPES, err);
		if (ret == SOUK_OK && aws_type_read(item, &types->list[types->n]))
			types->n++;
	}
	return ret;
}

/* ---- Zones ----------------------------------------------------------------------------------- */

struct zones {
	struct aws_market *market;
	char names[MAX_ZONES][AWS_REGION_SIZE];
	size_t n;
};

static int take_zones(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct zones *zones = arg;
	const xmlNode *item =
		aws_xml_first_item(aws_xml_child(root, "availabilityZoneInfo"));

	(void)err;
	for (; item && zones->n < MAX_ZONES; item = aws_xml_next_item(item)) {
		const char *name = aws_xml_text(item, "zoneName");
		const char *kind = aws_xml_text(item, "zoneType");

		/* Local and Wavelength zones have prices and rules of their own. */
		if (name && aws_is_place(name) && (!kind || strcmp(kind, "availability-zone") == 0))
			snprintf(zones->names[zones->n++], AWS_REGION_SIZE, "%s", name);
	}
	return SOUK_OK;
}

static int knows_zone(const struct zones *zones, const char *name)
{
	size_t i;

	for (i = 0; i < zones->n; i++)
		if (strcmp(zones->names[i], name) == 0)
			return 1;
	return 0;
}

static int take_places(void *arg, const xmlNode *root, struct souk_error *err)
{
	const struct zones *zones = arg;
	struct aws_places *places = &zones->market->places;
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "instanceTypeOfferingSet"));
	int ret = SOUK_OK;

	for (; item && ret == SOUK_OK; item = aws_xml_next_item(item)) {
		struct aws_place place = { .spot_micros_per_hour = -1 };
		const char *zone = aws_xml_text(item, "location");

		if (!zone || !knows_zone(zones, zone) ||
		    !copy_name(place.zone, sizeof(place.zone), zone) ||
		    !copy_name(place.type, sizeof(place.type), aws_xml_text(item, "instanceType")))
			continue;
		ret = grow((void **)&places->list, places->n, &places->size,
			   sizeof(places->list[0]), MAX_PLACES, err);
		if (ret == SOUK_OK)
			places->list[places->n++] = place;
	}
	return ret;
}

static int ask_zones(const struct aws_client *client, struct zones *zones, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DescribeAvailabilityZones", .doing = "list zones", .flags = AWS_READ,
	};
	struct aws_query query;
	int ret;

	aws_query_init(&query, &operation);
	aws_query_filter(&query, "state", "available");
	ret = aws_query_pages(client, &operation, &query, take_zones, zones, err);
	aws_query_fini(&query);
	return ret;
}

static int ask_places(const struct aws_client *client, struct zones *zones, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DescribeInstanceTypeOfferings", .doing = "list what zones sell",
		.flags = AWS_READ,
	};
	struct aws_query query;
	int ret;

	aws_query_init(&query, &operation);
	aws_query_add(&query, "LocationType", "availability-zone");
	aws_query_add(&query, "MaxResults", "1000");
	ret = aws_query_pages(client, &operation, &query, take_places, zones, err);
	aws_query_fini(&query);
	return ret;
}

/* Sort, and drop what stands there twice: a list that changes between two pages repeats itself. */
static size_t sort_once(void *list, size_t n, size_t size,
			int (*compare)(const void *a, const void *b))
{
	char *items = list;
	size_t kept = 1, i;

	qsort(items, n, size, compare);
	for (i = 1; i < n; i++) {
		if (compare(items + (kept - 1) * size, items + i * size) == 0)
			continue;
		if (kept != i)
			memcpy(items + kept * size, items + i * size, size);
		kept++;
	}
	return kept;
}

int aws_market_types(const struct aws_client *client, struct aws_market *market,
		     struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DescribeInstanceTypes", .doing = "list instance types",
		.flags = AWS_READ,
	};
	AWS_AUTO_FREE struct zones *zones = calloc(1, sizeof(*zones));
	struct aws_query query;
	int ret;

	if (!zones)
		return aws_nomem(err);
	zones->market = market;
	aws_query_init(&query, &operation);
	aws_query_add(&query, "MaxResults", "100");
	ret = aws_query_pages(client, &operation, &query, take_types, market, err);
	aws_query_fini(&query);
	if (ret == SOUK_OK)
		ret = ask_zones(client, zones, err);
	if (ret == SOUK_OK)
		ret = ask_places(client, zones, err);
	if (ret == SOUK_OK && market->types.n)
		market->types.n = sort_once(market->types.list, market->types.n,
					    sizeof(market->types.list[0]), compare_types);
	if (ret == SOUK_OK && market->places.n)
		market->places.n = sort_once(market->places.list, market->places.n,
					     sizeof(market->places.list[0]), compare_places);
	if (ret == SOUK_OK && (!market->types.n || !market->places.n))
		ret = souk_error_set(err, SOUK_E_INTERNAL, "EC2 lists no %s there",
				     market->types.n ? "zone that sells anything" : "instance type");
	return ret;
}
