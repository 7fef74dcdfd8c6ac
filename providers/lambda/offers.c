/* SPDX-License-Identifier: Apache-2.0 */
/* offers.c - what Lambda has: one list of all types, with the regions that have some */

#include <string.h>

#include "market.h"
#include "lambda.h"
#include "types.h"

static const char list_path[] = "/instance-types";

static int ask(struct lambda *lambda, struct souk_call *call, struct json_object **reply,
	       struct json_object **data, struct souk_error *err)
{
	static const struct lambda_request request = {
		.what = "ListInstanceTypes",
		.doing = "list what is on sale",
		.path = list_path,
		.flags = SOUK_HTTP_RETRY,
	};

	return lambda_send(lambda, call, &request, reply, data, err);
}

static int check_data(struct json_object *data, struct souk_error *err)
{
	if (!json_object_is_type(data, json_type_object) ||
	    json_object_object_length(data) > LAMBDA_MAX_TYPES)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "Lambda's answer makes no sense: 'data' is not a list of "
				      "instance types");
	return SOUK_OK;
}

/* All regions that a reply names. */
static int collect_regions(struct json_object *data, struct lambda_regions *regions,
			   struct souk_error *err)
{
	struct json_object_iterator it = json_object_iter_begin(data);
	struct json_object_iterator end = json_object_iter_end(data);
	struct lambda_type type;
	const char *name;
	size_t i;
	int ret = SOUK_OK;

	for (; ret == SOUK_OK && !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		ret = lambda_type_read(json_object_iter_peek_value(&it), &type, err);
		for (i = 0; ret == SOUK_OK && i < json_object_array_length(type.regions); i++) {
			ret = lambda_region_read(&type, i, &name, err);
			if (ret == SOUK_OK)
				ret = lambda_regions_add(regions, name, err);
		}
	}
	return ret;
}

static int has_some(const struct lambda_type *type, const char *region, struct souk_error *err)
{
	const char *name;
	size_t i;
	int ret;

	for (i = 0; i < json_object_array_length(type->regions); i++) {
		ret = lambda_region_read(type, i, &name, err);
		if (ret < 0)
			return ret;
		if (strcmp(name, region) == 0)
			return 1;
	}
	return 0;
}

/* A type is priced everywhere alike, and only its regions come and go: so it is listed in all of
 * them, with nothing available where Lambda names none. */
static int add_type(const struct lambda_type *type, const struct lambda_regions *regions,
		    struct souk_offer_list *out, struct souk_error *err)
{
	struct souk_offer offer = {
		SOUK_OFFER_HEAD,
		.instance_type = type->name,
		.arch = type->is_arm ? "arm64" : "x86_64",
		.vcpus_milli = type->vcpus * 1000,
		.memory_mib = (uint64_t)type->memory_gib * 1024,
		.local_disk_mib = (uint64_t)type->storage_gib * 1024,
		.micros_per_hour = type->micros,
		.spot_micros_per_hour = -1,
		.currency = "USD",
	};
	size_t i;
	int ret = SOUK_OK;

	if (type->gpus) {
		offer.accelerator = type->accelerator;
		offer.accelerator_milli = type->gpus * 1000;
		offer.accelerator_memory_mib = type->accelerator_memory_gib * 1024;
	}
	for (i = 0; i < regions->n && ret == SOUK_OK; i++) {
		int some = has_some(type, regions->names[i], err);

		if (some < 0)
			return some;
		offer.region = regions->names[i];
		offer.available = some ? -1 : 0;
		ret = souk_offer_list_add(out, &offer, err);
	}
	return ret;
}

int lambda_offers_of(struct json_object *data, struct souk_offer_list *out, struct souk_error *err)
{
	struct json_object_iterator it, end;
	struct lambda_regions regions = { 0 };
	struct lambda_type type;
	int ret = check_data(data, err);

	if (ret < 0)
		return ret;
	ret = lambda_regions_init(&regions, err);
	if (ret == SOUK_OK)
		ret = collect_regions(data, &regions, err);
	it = json_object_iter_begin(data);
	end = json_object_iter_end(data);
	for (; ret == SOUK_OK && !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
		ret = lambda_type_read(json_object_iter_peek_value(&it), &type, err);
		if (ret == SOUK_OK && strcmp(type.name, json_object_iter_peek_name(&it)) != 0)
			ret = souk_error_set(err, SOUK_E_INTERNAL,
					     "Lambda's answer makes no sense: '%.60s' stands under "
					     "'%.60s'",
					     type.name, json_object_iter_peek_name(&it));
		if (ret == SOUK_OK && type.micros > 0)
			ret = add_type(&type, &regions, out, err);
	}
	lambda_regions_fini(&regions);
	return ret;
}

int lambda_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		       struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *data = NULL;
	int ret = ask(self, call, &reply, &data, err);

	return ret < 0 ? ret : lambda_offers_of(data, out, err);
}

static int add_line(struct souk_quote_list *out, const char *item, int64_t micros, const char *note,
		    struct souk_error *err)
{
	const struct souk_quote_line line = {
		.struct_size = sizeof(line),
		.per_hour = 1,
		.item = item,
		.note = note,
		.micros = micros,
		.currency = "USD",
	};

	return souk_quote_list_add(out, &line, err);
}

int lambda_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		 struct souk_quote_list *out, struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *data = NULL, *item = NULL;
	uint32_t count = spec->count ? spec->count : 1;
	struct lambda_type type;
	int ret = ask(self, call, &reply, &data, err);

	if (ret == SOUK_OK)
		ret = check_data(data, err);
	if (ret < 0)
		return ret;
	if (!json_object_object_get_ex(data, spec->instance_type, &item)) {
		souk_error_set(err, SOUK_E_NOT_FOUND, "Lambda sells no '%.60s'",
			       spec->instance_type);
		return souk_error_hint(err, "'souk catalog update lambda' asks what it sells now");
	}
	ret = lambda_type_read(item, &type, err);
	if (ret == SOUK_OK && count > 10000)
		ret = souk_error_set(err, SOUK_E_INVALID, "%u machines are too many",
				     (unsigned)count);
	if (ret == SOUK_OK)
		ret = add_line(out, "compute", type.micros * count, "Lambda's list, asked now",
			       err);
	if (ret == SOUK_OK)
		ret = add_line(out, "disk", 0, "the machine's own disk is in its price", err);
	if (ret == SOUK_OK)
		ret = add_line(out, "address", 0, "a public address is in the price", err);
	return ret;
}
