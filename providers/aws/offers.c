/* SPDX-License-Identifier: Apache-2.0 */
/* offers.c - the offers of all regions */

#include <string.h>

#include "market.h"
#include "regions.h"

static int ask_region(const struct aws_client *client, size_t index, void *arg,
		      struct souk_error *err)
{
	struct aws_market *market = (struct aws_market *)arg + index;
	int ret;

	ret = aws_market_types(client, market, err);
	if (ret == SOUK_OK)
		ret = aws_market_prices(client, market, err);
	if (ret == SOUK_OK)
		ret = aws_market_spot(client, market, err);
	return ret;
}

static int add_place(const char *region, const struct aws_market *market,
		     const struct aws_place *place, struct souk_offer_list *out,
		     struct souk_error *err)
{
	const struct aws_type *type = aws_market_type(market, place->type);
	struct souk_offer offer = { SOUK_OFFER_HEAD };

	if (!type)
		return SOUK_OK;
	offer.micros_per_hour = type->on_demand ? type->micros_per_hour : -1;
	offer.spot_micros_per_hour = type->spot ? place->spot_micros_per_hour : -1;
	if (offer.micros_per_hour < 0 && offer.spot_micros_per_hour < 0)
		return SOUK_OK;
	offer.instance_type = type->name;
	offer.region = region;
	offer.zone = place->zone;
	offer.arch = type->is_arm ? "arm64" : "x86_64";
	if (type->accelerator[0]) {
		offer.accelerator = type->accelerator;
		offer.accelerator_milli = type->accelerator_milli;
		offer.accelerator_memory_mib = type->accelerator_memory_mib;
	}
	offer.flags = type->flags;
	offer.vcpus_milli = type->vcpus_milli;
	offer.memory_mib = type->memory_mib;
	offer.local_disk_mib = type->local_disk_mib;
	memcpy(offer.currency, market->currency, sizeof(offer.currency));
	return souk_offer_list_add(out, &offer, err);
}

static int add_region(const char *region, const struct aws_market *market,
		      struct souk_offer_list *out, struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < market->places.n && ret == SOUK_OK; i++)
		ret = add_place(region, market, &market->places.list[i], out, err);
	return ret;
}

/* One region that fails is said and left out; if all do, the first says why. */
static int add_all(struct souk_call *call, const struct aws_regions *regions,
		   const struct aws_market *markets, const struct souk_error *errors,
		   size_t failed, struct souk_offer_list *out, struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	if (failed == regions->n)
		return aws_error_pass(&errors[0], err);
	for (i = 0; i < regions->n && ret == SOUK_OK; i++) {
		if (errors[i].code == SOUK_E_CANCELLED || errors[i].code == SOUK_E_NOMEM)
			return aws_error_pass(&errors[i], err);
		if (errors[i].code != SOUK_OK)
			souk_call_log(call, SOUK_LOG_WARNING, "left out '%s': %s",
				      regions->names[i], errors[i].message);
		else
			ret = add_region(regions->names[i], &markets[i], out, err);
	}
	return ret;
}

int aws_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		    struct souk_error *err)
{
	struct aws_regions regions = { 0 };
	struct aws_market *markets = NULL;
	struct souk_error *errors = NULL;
	size_t failed;
	size_t i;
	int ret;

	ret = aws_regions_wanted(self, call, &regions, err);
	if (ret < 0)
		return ret;
	markets = calloc(regions.n, sizeof(*markets));
	errors = calloc(regions.n, sizeof(*errors));
	if (markets && errors) {
		failed = aws_regions_each(self, call, &regions, ask_region, markets, errors);
		ret = add_all(call, &regions, markets, errors, failed, out, err);
	} else {
		ret = aws_nomem(err);
	}
	for (i = 0; markets && i < regions.n; i++)
		aws_market_fini(&markets[i]);
	free(markets);
	free(errors);
	aws_regions_fini(&regions);
	return ret;
}
