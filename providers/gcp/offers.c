/* SPDX-License-Identifier: Apache-2.0 */
/* offers.c - every machine that every zone sells, at the sum of its parts */

#include <stdio.h>
#include <string.h>

#include "market.h"

enum { MAX_LEFT_OUT = 64, ZONE_WIDTH = 8 };

/* ---- What is left out, and why ---- */

struct left_out {
	char family[GCP_NAME_SIZE];
	const char *why;     /* static text */
	const char *missing; /* likewise, what has no price; NULL: it is not that */
	uint32_t n;
};

struct listing {
	const struct gcp_client *client;
	const char *project;
	struct gcp_market market;
	const struct gcp_prices *prices;
	struct souk_offer_list *out;
	struct left_out left_out[MAX_LEFT_OUT];
	size_t n_left_out;
	uint32_t done;		  /* zones; under 'lock' */
	pthread_mutex_t lock;
};

static void leave_out(struct listing *listing, const char *type, const char *why,
		      const char *missing)
{
	struct left_out *entry;
	char family[GCP_NAME_SIZE];
	size_t i;

	snprintf(family, sizeof(family), "%.*s", (int)strcspn(type, "-"), type);
	for (i = 0; i < listing->n_left_out; i++) {
		entry = &listing->left_out[i];
		if (strcmp(entry->family, family) == 0 && entry->why == why &&
		    entry->missing == missing) {
			entry->n++;
			return;
		}
	}
	if (listing->n_left_out == MAX_LEFT_OUT)
		return;
	entry = &listing->left_out[listing->n_left_out++];
	snprintf(entry->family, sizeof(entry->family), "%s", family);
	entry->why = why;
	entry->missing = missing;
	entry->n = 1;
}

static const char no_price[] = "no price for ";
static const char not_sold[] = "sold neither on demand nor as spot";
static const char no_tpus[] = "TPUs are not rented by souk";
static const char unknown_gpu[] = "a kind of accelerator that is not known";

static void tell_left_out(const struct listing *listing)
{
	size_t i;

	for (i = 0; i < listing->n_left_out; i++)
		souk_call_log(listing->client->call, SOUK_LOG_INFO,
			      "left out %u of '%s': %s%s", listing->left_out[i].n,
			      listing->left_out[i].family, listing->left_out[i].why,
			      listing->left_out[i].missing ? listing->left_out[i].missing : "");
}

/* ---- Offers ---- */

static int64_t price_of(struct listing *listing, const struct gcp_machine *machine, int spot,
			const char **missing)
{
	const char *type = machine->type->name;
	struct gcp_cost cost;

	if (!(spot ? gcp_sold_as_spot(type) : gcp_sold_on_demand(type)))
		return -1;
	return gcp_cost(listing->prices, machine, spot, &cost, missing) ? cost.total : -1;
}

static int add_machine(struct listing *listing, const struct gcp_zone *zone,
		       const struct gcp_machine *machine, struct souk_error *err)
{
	const struct gcp_type *type = machine->type;
	struct souk_offer offer = { SOUK_OFFER_HEAD };
	const char *missing = NULL;
	uint64_t gib = 0;

	offer.spot_micros_per_hour = price_of(listing, machine, 1, &missing);
	offer.micros_per_hour = price_of(listing, machine, 0, &missing);
	if (offer.micros_per_hour < 0 && offer.spot_micros_per_hour < 0) {
		leave_out(listing, type->name, missing ? no_price : not_sold, missing);
		return SOUK_OK;
	}
	offer.instance_type = type->name;
	offer.region = zone->region;
	offer.zone = zone->name;
	offer.arch = type->is_arm ? "arm64" : "x86_64";
	if (machine->gpu_milli) {
		const struct gcp_gpu *gpu = gcp_gpu_find(machine->gpu);

		offer.accelerator = gpu->name;
		offer.accelerator_milli = machine->gpu_milli;
		offer.accelerator_memory_mib = gpu->memory_mib;
		/* A part of a GPU has a part of its memory. */
		if (machine->gpu_milli < 1000)
			offer.accelerator_memory_mib =
				gpu->memory_mib * machine->gpu_milli / 1000;
	}
	if (type->is_shared)
		offer.flags |= SOUK_OFFER_BURSTABLE;
	offer.vcpus_milli = gcp_billed_milli(type);
	if (!offer.vcpus_milli)
		offer.vcpus_milli = type->vcpus * 1000;
	offer.memory_mib = type->memory_mib;
	if (gcp_local_ssd_gib(type, &gib))
		offer.local_disk_mib = gib * 1024;
	memcpy(offer.currency, "USD", 4);
	return souk_offer_list_add(listing->out, &offer, err);
}

/* An N1 machine with each set of GPUs that the zone has and the machine may carry. */
static int add_attached(struct listing *listing, const struct gcp_zone *zone,
			const struct gcp_type *type, struct souk_error *err)
{
	struct gcp_machine machine = { .type = type, .region = zone->region };
	uint32_t count;
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < listing->market.n_attachables && ret == SOUK_OK; i++) {
		const struct gcp_attachable *entry = &listing->market.attachables[i];

		if (strcmp(entry->zone, zone->name) != 0)
			continue;
		machine.gpu = entry->name;
		for (count = 1; count <= 8 && count <= entry->most && ret == SOUK_OK; count *= 2) {
			if (!gcp_n1_may_have(type, entry->name, count, zone->name))
				continue;
			machine.gpu_milli = count * 1000;
			ret = add_machine(listing, zone, &machine, err);
		}
	}
	return ret;
}

static int add_type(struct listing *listing, const struct gcp_zone *zone,
		    const struct gcp_type *type, struct souk_error *err)
{
	struct gcp_machine machine = { .type = type, .region = zone->region };
	int ret;

	if (gcp_is_tpu(type->name)) {
		leave_out(listing, type->name, no_tpus, NULL);
		return SOUK_OK;
	}
	if (type->accelerators) {
		if (!gcp_gpu_find(type->accelerator)) {
			leave_out(listing, type->name, unknown_gpu, NULL);
			return SOUK_OK;
		}
		machine.gpu = type->accelerator;
		machine.gpu_milli = gcp_built_in_milli(type);
	}
	ret = add_machine(listing, zone, &machine, err);
	if (ret == SOUK_OK && !type->accelerators && strncmp(type->name, "n1-", 3) == 0)
		ret = add_attached(listing, zone, type, err);
	return ret;
}

static int add_all(struct listing *listing, struct souk_error *err)
{
	const struct gcp_market *market = &listing->market;
	size_t i, k;
	int ret = SOUK_OK;

	for (i = 0; i < market->n_zones && ret == SOUK_OK; i++)
		for (k = 0; k < market->zones[i].types.n && ret == SOUK_OK; k++)
			ret = add_type(listing, &market->zones[i], &market->zones[i].types.list[k],
				       err);
	return ret;
}

/* ---- Asking ---- */

static int get_list(struct listing *listing, const char *what, const char *doing,
		    const char *permission, const char *path,
		    int (*take)(void *arg, struct json_object *page, struct souk_error *err),
		    void *arg, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	struct gcp_request request = {
		.what = what,
		.doing = doing,
		.permission = permission,
		.flags = SOUK_HTTP_RETRY,
		.timeout_ms = 60000,
		.cache_seconds = GCP_LIST_SECONDS,
		.cache_scope = listing->project,
	};
	int ret;

	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_compute_url(listing->client, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "%s?maxResults=500&prettyPrint=false", path);
	ret = souk_buf_failed(&url, err);
	if (ret < 0)
		return ret;
	request.url = url.data;
	return gcp_pages(listing->client, &request, take, arg, err);
}

static int get_zone(void *arg, uint32_t i, struct souk_error *err)
{
	struct listing *listing = arg;
	struct gcp_zone *zone = &listing->market.zones[i];
	char path[GCP_NAME_SIZE + 32];
	char doing[GCP_NAME_SIZE + 48];
	int ret;

	snprintf(path, sizeof(path), "zones/%s/machineTypes", zone->name);
	snprintf(doing, sizeof(doing), "list the machine types of '%s'", zone->name);
	ret = get_list(listing, "machineTypes.list", doing, "compute.machineTypes.list", path,
		       gcp_types_take_page, &zone->types, err);
	pthread_mutex_lock(&listing->lock);
	listing->done++;
	souk_call_progress(listing->client->call, "zones", listing->done,
			   (uint32_t)listing->market.n_zones);
	pthread_mutex_unlock(&listing->lock);
	return ret;
}

/* A zone that is closed to this project, while others are open: it has no offers for it. */
static int is_closed(const struct souk_error *error)
{
	return (error->code == SOUK_E_AUTH && error->scope == SOUK_SCOPE_ZONE) ||
	       error->code == SOUK_E_NOT_FOUND;
}

static int judge_zones(struct listing *listing, const struct souk_error *errors,
		       struct souk_error *err)
{
	struct gcp_market *market = &listing->market;
	size_t closed = 0;
	size_t i;

	for (i = 0; i < market->n_zones; i++) {
		if (errors[i].code == SOUK_OK)
			continue;
		/* Half a list would hide what the other half sells. */
		if (!is_closed(&errors[i]))
			return souk_error_copy(&errors[i], err);
		souk_call_log(listing->client->call, SOUK_LOG_WARNING, "left out '%s': %s",
			      market->zones[i].name, errors[i].message);
		gcp_types_fini(&market->zones[i].types);
		if (++closed == market->n_zones)
			return souk_error_copy(&errors[i], err);
	}
	return SOUK_OK;
}

static int get_zones(struct listing *listing, struct souk_error *err)
{
	struct gcp_market *market = &listing->market;
	GCP_AUTO_FREE struct souk_error *errors = NULL;
	int ret;

	ret = get_list(listing, "zones.list", "list the zones", "compute.zones.list", "zones",
		       gcp_zones_take_page, market, err);
	if (ret < 0)
		return ret;
	if (!market->n_zones) {
		souk_error_set(err, SOUK_E_NOT_FOUND, "there is no zone in the regions asked for");
		souk_error_scope(err, SOUK_SCOPE_PROVIDER);
		return souk_error_hint(err, "see the option 'region'");
	}
	errors = calloc(market->n_zones, sizeof(*errors));
	if (!errors)
		return gcp_nomem(err);
	if (souk_call_parallel(listing->client->call, (uint32_t)market->n_zones, ZONE_WIDTH,
			       get_zone, listing, errors))
		return judge_zones(listing, errors, err);
	return SOUK_OK;
}

/* The lists that do not depend on each other. */
static int get_part(void *arg, uint32_t i, struct souk_error *err)
{
	struct listing *listing = arg;
	int ret;

	if (i == 0)
		return get_list(listing, "acceleratorTypes.aggregatedList",
				"list the accelerator types", "compute.acceleratorTypes.list",
				"aggregated/acceleratorTypes", gcp_attachables_take_page,
				&listing->market, err);
	if (i == 1)
		return get_zones(listing, err);
	/* So that they are there when they are needed. */
	ret = gcp_prices_lock(listing->client, &listing->prices, err);
	if (ret == SOUK_OK)
		gcp_prices_unlock(listing->client);
	return ret;
}

static int get_and_add(struct listing *listing, struct souk_error *err)
{
	struct souk_error errors[3];
	uint32_t i;
	int ret;

	ret = gcp_project(listing->client, &listing->project, err);
	if (ret < 0)
		return ret;
	if (souk_call_parallel(listing->client->call, 3, 3, get_part, listing, errors))
		for (i = 0; i < 3; i++)
			if (errors[i].code != SOUK_OK)
				return souk_error_copy(&errors[i], err);
	ret = gcp_prices_lock(listing->client, &listing->prices, err);
	if (ret < 0)
		return ret;
	ret = add_all(listing, err);
	gcp_prices_unlock(listing->client);
	if (ret == SOUK_OK)
		tell_left_out(listing);
	return ret;
}

int gcp_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		    struct souk_error *err)
{
	struct gcp_client client = { self, call };
	const char *regions = souk_call_option(call, "region");
	struct listing *listing = calloc(1, sizeof(*listing));
	int ret;

	if (!listing)
		return gcp_nomem(err);
	pthread_mutex_init(&listing->lock, NULL);
	listing->client = &client;
	listing->out = out;
	listing->market.regions = regions && *regions ? regions : NULL;
	ret = get_and_add(listing, err);
	gcp_market_fini(&listing->market);
	pthread_mutex_destroy(&listing->lock);
	free(listing);
	return ret;
}
