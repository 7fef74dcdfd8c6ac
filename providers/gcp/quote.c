/* SPDX-License-Identifier: Apache-2.0 */
/* quote.c - what a machine costs in full: computing, its disk, its address */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "market.h"

/* ---- The machine type ---- */

struct wanted {
	const struct souk_instance_spec *spec;
	struct gcp_type type;
	int found;
};

static int take_scope(struct wanted *wanted, const char *scope, struct json_object *value,
		      struct souk_error *err)
{
	const struct souk_instance_spec *spec = wanted->spec;
	const char *zone = gcp_basename(scope);
	size_t len = strlen(spec->region);
	struct gcp_types types = { 0 };
	GCP_AUTO_JSON struct json_object *page = json_object_new_object();
	struct json_object *list = NULL;
	int ret;

	if (!page)
		return gcp_nomem(err);
	/* "us-east1-b" is of "us-east1"; "us-east1-b" is not of "us-east1-b-x". */
	if (spec->zone ? strcmp(zone, spec->zone) != 0 :
			 (strncmp(zone, spec->region, len) != 0 || zone[len] != '-'))
		return SOUK_OK;
	ret = gcp_json_array(value, "machineTypes", &list, err);
	if (ret <= 0)
		return ret;
	if (json_object_object_add(page, "items", json_object_get(list)) < 0) {
		json_object_put(list);
		return gcp_nomem(err);
	}
	ret = gcp_types_take_page(&types, page, err);
	if (ret == SOUK_OK && types.n && strcmp(types.list[0].name, spec->instance_type) == 0) {
		wanted->type = types.list[0];
		wanted->found = 1;
	}
	gcp_types_fini(&types);
	return ret;
}

static int take_page(void *arg, struct json_object *page, struct souk_error *err)
{
	struct wanted *wanted = arg;
	struct json_object *items = NULL;
	int ret = gcp_json_object(page, "items", &items, err);

	if (ret <= 0)
		return ret;
	json_object_object_foreach(items, scope, value)
	{
		if (wanted->found)
			break;
		ret = take_scope(wanted, scope, value, err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

/* One request for all zones: the zone may be left to the provider. */
static int find_type(const struct gcp_client *client, struct wanted *wanted,
		     struct souk_error *err)
{
	const struct souk_instance_spec *spec = wanted->spec;
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	struct gcp_request request = {
		.what = "machineTypes.aggregatedList",
		.doing = "look the machine type up",
		.permission = "compute.machineTypes.list",
		.flags = SOUK_HTTP_RETRY,
		.cache_seconds = GCP_LIST_SECONDS,
	};
	int ret;

	if (!gcp_is_name(spec->instance_type) || !gcp_is_name(spec->region) ||
	    (spec->zone && !gcp_is_name(spec->zone)))
		return souk_error_set(err, SOUK_E_INVALID, "not a machine type in a region: '%.64s', "
				      "'%.64s'", spec->instance_type, spec->region);
	ret = gcp_project(client, &request.cache_scope, err);
	souk_buf_init(&url, GCP_MAX_URL);
	if (ret == SOUK_OK)
		ret = gcp_compute_url(client, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "aggregated/machineTypes?maxResults=500&prettyPrint=false"
			"&filter=name%%3D%s", spec->instance_type);
	ret = souk_buf_failed(&url, err);
	if (ret < 0)
		return ret;
	request.url = url.data;
	ret = gcp_pages(client, &request, take_page, wanted, err);
	if (ret < 0 || wanted->found)
		return ret;
	return souk_error_set(err, SOUK_E_UNSUPPORTED, "'%s' is not sold in '%s'",
			      spec->instance_type, spec->zone ? spec->zone : spec->region);
}

/* Google's name of the GPU that the spec asks for on top of the type; "" if that is not sold. */
static const char *attached_gpu(const struct gcp_type *type, const struct souk_instance_spec *spec)
{
	static const char *const names[] = { "nvidia-tesla-t4", "nvidia-tesla-p4",
					     "nvidia-tesla-p100", "nvidia-tesla-v100" };
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(names); i++)
		if (strcasecmp(gcp_gpu_find(names[i])->name, spec->accelerator) == 0 &&
		    spec->accelerator_milli % 1000 == 0 &&
		    gcp_n1_may_have(type, names[i], spec->accelerator_milli / 1000,
				    spec->zone ? spec->zone : ""))
			return names[i];
	return "";
}

static int machine_of(const struct wanted *wanted, struct gcp_machine *out,
		      struct souk_error *err)
{
	const struct souk_instance_spec *spec = wanted->spec;

	*out = (struct gcp_machine){ .type = &wanted->type, .region = spec->region };
	if (wanted->type.accelerators) {
		out->gpu = wanted->type.accelerator;
		out->gpu_milli = gcp_built_in_milli(&wanted->type);
	} else if (spec->accelerator && spec->accelerator_milli) {
		out->gpu = attached_gpu(&wanted->type, spec);
		out->gpu_milli = spec->accelerator_milli;
		if (!*out->gpu)
			return souk_error_set(err, SOUK_E_UNSUPPORTED,
					      "'%s' cannot have %u.%03u of '%.32s'",
					      spec->instance_type, spec->accelerator_milli / 1000,
					      spec->accelerator_milli % 1000, spec->accelerator);
	}
	return SOUK_OK;
}

/* ---- The lines ---- */

static int add_line(struct souk_quote_list *out, const struct souk_instance_spec *spec,
		    const char *item, const char *note, int64_t micros, struct souk_error *err)
{
	struct souk_quote_line line = {
		.struct_size = sizeof(line), .per_hour = 1, .item = item, .note = note,
		.micros = micros * (spec->count ? spec->count : 1), .currency = "USD",
	};

	return souk_quote_list_add(out, &line, err);
}

/* "2 x n1-standard-4, Cloud Billing price list: vCPUs 0.13 memory 0.06": what each is made of. */
static void compute_note(const struct souk_instance_spec *spec, const struct gcp_cost *cost,
			 char *out, size_t size)
{
	const struct {
		const char *what;
		int64_t micros;
	} parts[] = {
		{ "vCPUs", cost->cores },
		{ "memory", cost->memory },
		{ "GPUs", cost->gpus },
		{ "local disks", cost->local_ssd },
	};
	size_t len = (size_t)snprintf(out, size, "%u x %s, Cloud Billing price list:",
				      spec->count ? spec->count : 1, spec->instance_type);
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(parts) && len < size; i++)
		if (parts[i].micros)
			len += (size_t)snprintf(out + len, size - len, " %s %lld.%06lld",
						parts[i].what,
						(long long)(parts[i].micros / 1000000),
						(long long)(parts[i].micros % 1000000));
}

static int quote_compute(const struct gcp_prices *prices, const struct wanted *wanted,
			 const struct gcp_machine *machine, struct souk_quote_list *out,
			 struct souk_error *err)
{
	const struct souk_instance_spec *spec = wanted->spec;
	const char *missing = "that";
	struct gcp_cost cost;
	char note[256];

	if (!(spec->spot ? gcp_sold_as_spot : gcp_sold_on_demand)(spec->instance_type) ||
	    !gcp_cost(prices, machine, (int)spec->spot, &cost, &missing))
		return souk_error_set(err, SOUK_E_UNSUPPORTED,
				      "'%s' is not sold %s in '%s': no price for %s",
				      spec->instance_type, spec->spot ? "as spot" : "on demand",
				      spec->region, missing);
	compute_note(spec, &cost, note, sizeof(note));
	return add_line(out, spec, "compute", note, cost.total, err);
}

static int quote_disk(const struct gcp_client *client, const struct gcp_prices *prices,
		      const struct souk_instance_spec *spec, struct souk_quote_list *out,
		      struct souk_error *err)
{
	const char *kind = gcp_disk_kind(spec->instance_type, spec->disk_tier);
	char note[128];
	int64_t nanos;

	/* The image's own size is not known before the image is. */
	if (!spec->disk_size_mib)
		return SOUK_OK;
	if (!gcp_prices_find(prices, GCP_RATE_DISK, kind, spec->region, 0, &nanos)) {
		souk_call_log(client->call, SOUK_LOG_WARNING,
			      "the price list has no '%s' disk in '%s'", kind, spec->region);
		return SOUK_OK;
	}
	snprintf(note, sizeof(note), "%u x %llu GiB of %s, Cloud Billing price list",
		 spec->count ? spec->count : 1, (unsigned long long)(spec->disk_size_mib / 1024),
		 kind);
	return add_line(out, spec, "disk", note,
			gcp_storage_micros(nanos, spec->disk_size_mib), err);
}

static int quote_address(const struct gcp_client *client, const struct gcp_prices *prices,
			 const struct souk_instance_spec *spec, struct souk_quote_list *out,
			 struct souk_error *err)
{
	int64_t nanos;

	if (souk_text_is_true(souk_call_option(client->call, "use_internal_ips")))
		return SOUK_OK;
	if (!gcp_prices_find(prices, GCP_RATE_ADDRESS, "", "global", (int)spec->spot, &nanos)) {
		souk_call_log(client->call, SOUK_LOG_WARNING,
			      "the price list has no public address");
		return SOUK_OK;
	}
	return add_line(out, spec, "address", "Cloud Billing price list: a public IPv4 in use",
			(nanos + 500) / 1000, err);
}

int gcp_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
	      struct souk_quote_list *out, struct souk_error *err)
{
	struct gcp_client client = { self, call };
	struct wanted wanted = { .spec = spec };
	const struct gcp_prices *prices;
	struct gcp_machine machine;
	int ret;

	ret = find_type(&client, &wanted, err);
	if (ret == SOUK_OK)
		ret = machine_of(&wanted, &machine, err);
	if (ret == SOUK_OK)
		ret = gcp_prices_lock(&client, &prices, err);
	if (ret < 0)
		return ret;
	ret = quote_compute(prices, &wanted, &machine, out, err);
	if (ret == SOUK_OK)
		ret = quote_disk(&client, prices, spec, out, err);
	if (ret == SOUK_OK)
		ret = quote_address(&client, prices, spec, out, err);
	gcp_prices_unlock(&client);
	return ret;
}
