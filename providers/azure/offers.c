/* SPDX-License-Identifier: Apache-2.0 */
/* offers.c - the offers of all regions: sizes put together with their prices */

#include <stdatomic.h>
#include <string.h>

#include "account.h"
#include "credentials.h"
#include "market.h"

enum { WIDTH = 8 };

struct region {
	struct azure_sizes sizes;
	struct azure_rates rates;
};

struct survey {
	struct azure_client client;
	char subscription[AZURE_ID_SIZE];
	struct azure_regions regions;
	struct region *found;	/* one for each region */
	struct souk_error *errors;
	atomic_uint done;
};

static int ask_region(void *arg, uint32_t i, struct souk_error *err)
{
	struct survey *survey = arg;
	struct region *region = &survey->found[i];
	const char *name = survey->regions.names[i];
	int ret;

	ret = azure_sizes_list(&survey->client, survey->subscription, name, &region->sizes, err);
	/* Where nothing can be had, prices do not matter. */
	if (ret == SOUK_OK && region->sizes.n)
		ret = azure_rates_list(&survey->client, name, NULL, &region->rates, err);
	souk_call_progress(survey->client.call, "regions", atomic_fetch_add(&survey->done, 1) + 1,
			   (uint32_t)survey->regions.n);
	return ret;
}

int64_t azure_spot_price(int64_t micros, int64_t spot_micros)
{
	return micros >= 0 && spot_micros >= micros ? -1 : spot_micros;
}

static int add_size(const struct region *region, const struct azure_size *size,
		    struct souk_offer_list *out, struct souk_error *err)
{
	struct souk_offer offer = { SOUK_OFFER_HEAD };
	size_t i;
	int ret = SOUK_OK;

	offer.micros_per_hour = azure_rates_get(&region->rates, size->name, 0);
	offer.spot_micros_per_hour = -1;
	if (size->spot)
		offer.spot_micros_per_hour =
			azure_spot_price(offer.micros_per_hour,
					 azure_rates_get(&region->rates, size->name, 1));
	if (offer.micros_per_hour < 0 && offer.spot_micros_per_hour < 0)
		return SOUK_OK;
	offer.instance_type = size->name;
	offer.region = region->sizes.region;
	offer.arch = size->is_arm ? "arm64" : "x86_64";
	if (size->device) {
		offer.accelerator = size->device->name;
		offer.accelerator_milli = size->accelerator_milli;
		offer.accelerator_memory_mib = size->device->memory_mib;
	}
	offer.flags = size->flags;
	offer.vcpus_milli = size->vcpus_milli;
	offer.memory_mib = size->memory_mib;
	offer.local_disk_mib = size->local_disk_mib;
	memcpy(offer.currency, "USD", sizeof(offer.currency));
	if (!size->n_zones)
		return souk_offer_list_add(out, &offer, err);
	for (i = 0; i < size->n_zones && ret == SOUK_OK; i++) {
		offer.zone = size->zones[i];
		ret = souk_offer_list_add(out, &offer, err);
	}
	return ret;
}

static int add_region(struct souk_call *call, const struct region *region,
		      struct souk_offer_list *out, struct souk_error *err)
{
	const struct azure_sizes *sizes = &region->sizes;
	size_t i;
	int ret = SOUK_OK;

	if (!sizes->n)
		souk_call_log(call, SOUK_LOG_WARNING, "left out '%s': %s", sizes->region,
			      sizes->restricted ? "the subscription may use none of its sizes" :
						  "it has no sizes");
	else if (!region->rates.n)
		souk_call_log(call, SOUK_LOG_WARNING, "left out '%s': it has no prices",
			      sizes->region);
	if (sizes->unknown)
		souk_call_log(call, SOUK_LOG_INFO,
			      "left out %zu sizes of '%s' of which it is not clear what they have, "
			      "such as '%s'", sizes->unknown, sizes->region, sizes->unknown_name);
	for (i = 0; i < sizes->n && ret == SOUK_OK; i++)
		ret = add_size(region, &sizes->list[i], out, err);
	return ret;
}

/* May this region be missing? Not one that could not be read, lest good offers be lost for bad. */
static int is_closed(const struct souk_error *error)
{
	return error->scope == SOUK_SCOPE_REGION &&
	       (error->code == SOUK_E_AUTH || error->code == SOUK_E_UNSUPPORTED ||
		error->code == SOUK_E_NOT_FOUND);
}

static int add_all(const struct survey *survey, struct souk_offer_list *out, struct souk_error *err)
{
	size_t closed = 0;
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < survey->regions.n; i++) {
		if (survey->errors[i].code != SOUK_OK && !is_closed(&survey->errors[i]))
			return souk_error_copy(&survey->errors[i], err);
		closed += survey->errors[i].code != SOUK_OK;
	}
	if (closed == survey->regions.n)
		return souk_error_copy(&survey->errors[0], err);
	for (i = 0; i < survey->regions.n && ret == SOUK_OK; i++) {
		if (survey->errors[i].code == SOUK_OK)
			ret = add_region(survey->client.call, &survey->found[i], out, err);
		else
			souk_call_log(survey->client.call, SOUK_LOG_WARNING, "left out '%s': %s",
				      survey->regions.names[i], survey->errors[i].message);
	}
	return ret;
}

static void survey_free(struct survey *survey)
{
	size_t i;

	for (i = 0; survey->found && i < survey->regions.n; i++) {
		azure_sizes_fini(&survey->found[i].sizes);
		azure_rates_fini(&survey->found[i].rates);
	}
	free(survey->found);
	free(survey->errors);
	free(survey);
}

int azure_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		      struct souk_error *err)
{
	struct survey *survey = calloc(1, sizeof(*survey));
	int ret;

	if (!survey)
		return azure_nomem(err);
	survey->client = (struct azure_client){ self, call };
	atomic_init(&survey->done, 0);
	ret = azure_subscription(&survey->client, survey->subscription, err);
	if (ret == SOUK_OK)
		ret = azure_regions_wanted(&survey->client, survey->subscription, &survey->regions,
					   err);
	if (ret == SOUK_OK) {
		survey->found = calloc(survey->regions.n, sizeof(*survey->found));
		survey->errors = calloc(survey->regions.n, sizeof(*survey->errors));
		if (!survey->found || !survey->errors)
			ret = azure_nomem(err);
	}
	if (ret == SOUK_OK) {
		souk_call_parallel(call, (uint32_t)survey->regions.n, WIDTH, ask_region, survey,
				   survey->errors);
		ret = add_all(survey, out, err);
	}
	survey_free(survey);
	return ret;
}
