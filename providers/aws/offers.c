/* SPDX-License-Identifier: Apache-2.0 */
/* offers.c - the offers of all regions: all of them, or none */

#include <string.h>

#include "market.h"
#include "regions.h"

/* A list that is under way. */
struct listing {
	struct souk_call *call;
	struct aws_market *markets; /* one a region */
	uint32_t total;
	atomic_uint done;
	atomic_int is_lost; /* a region has failed: no other need begin */
};

/*
 * Has this region nothing to do with the account: not enabled, or denied by a policy? EC2
 * answers AuthFailure where the session is not valid in the region.
 */
static int is_closed(const struct souk_error *err)
{
	return err->code == SOUK_E_AUTH &&
	       (err->scope == SOUK_SCOPE_REGION || strcmp(err->reason, "AuthFailure") == 0 ||
		strcmp(err->reason, "UnauthorizedOperation") == 0);
}

static int ask_region(const struct aws_client *client, size_t index, void *arg,
		      struct souk_error *err)
{
	struct listing *listing = arg;
	struct aws_market *market = &listing->markets[index];
	int ret;

	if (atomic_load(&listing->is_lost))
		return souk_error_set(err, SOUK_E_CANCELLED, "given up: another region has failed");
	ret = aws_market_types(client, market, err);
	if (ret == SOUK_OK)
		ret = aws_market_prices(client, market, err);
	if (ret == SOUK_OK)
		ret = aws_market_spot(client, market, err);
	if (ret < 0 && !is_closed(err))
		atomic_store(&listing->is_lost, 1);
	souk_call_progress(listing->call, "regions", atomic_fetch_add(&listing->done, 1) + 1,
			   listing->total);
	return ret;
}

/* EC2 tells spot prices to four digits, the list to five: what is the same must not look dearer. */
static int64_t spot_of(const struct aws_type *type, const struct aws_place *place)
{
	int64_t above = place->spot_micros_per_hour - type->micros_per_hour;

	if (!type->spot)
		return -1;
	return type->on_demand && type->micros_per_hour > 0 && above > 0 && above < 100 ?
		       type->micros_per_hour :
		       place->spot_micros_per_hour;
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
	offer.spot_micros_per_hour = spot_of(type, place);
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

/*
 * How much a region's failure says about all of it. What makes no sense comes first, so that the
 * host forgets the replies that it has kept of it; what was given up says nothing.
 */
static int weight(const struct souk_error *err)
{
	if (err->code == SOUK_OK || is_closed(err))
		return 0;
	switch (err->code) {
	case SOUK_E_CANCELLED:
		return 1;
	case SOUK_E_INVALID:
		return 3;
	case SOUK_E_INTERNAL:
		return 4;
	case SOUK_E_NOMEM:
		return 5;
	default:
		return 2;
	}
}

/* A list without one of its regions would take offers away that are still there. */
static int fail_by(const char *region, const struct souk_error *from, struct souk_error *err)
{
	struct souk_error own = *from;

	souk_error_set(err, own.code, "'%s': %s", region, own.message);
	souk_error_scope(err, own.scope);
	souk_error_reason(err, own.reason);
	souk_error_retry_after(err, own.retry_after_ms);
	return own.hint[0] ? souk_error_hint(err, "%s", own.hint) : own.code;
}

static int conclude(struct souk_call *call, const struct aws_regions *regions,
		    const struct souk_error *errors, struct souk_error *err)
{
	size_t worst = 0, closed = 0, i;

	if (souk_call_cancelled(call))
		return souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
	for (i = 0; i < regions->n; i++) {
		closed += is_closed(&errors[i]);
		if (weight(&errors[i]) > weight(&errors[worst]))
			worst = i;
	}
	if (weight(&errors[worst]) > 0)
		return fail_by(regions->names[worst], &errors[worst], err);
	if (closed == regions->n)
		return souk_error_copy(&errors[0], err);
	for (i = 0; i < regions->n; i++)
		if (is_closed(&errors[i]))
			souk_call_log(call, SOUK_LOG_WARNING,
				      "left out '%s', which this account may not use: %s",
				      regions->names[i], errors[i].message);
	return SOUK_OK;
}

static int list_regions(struct aws *aws, struct souk_call *call, const struct aws_regions *regions,
			struct listing *listing, struct souk_error *errors,
			struct souk_offer_list *out, struct souk_error *err)
{
	size_t i;
	int ret;

	souk_call_progress(call, "regions", 0, listing->total);
	aws_regions_each(aws, call, regions, ask_region, listing, errors);
	ret = conclude(call, regions, errors, err);
	for (i = 0; i < regions->n && ret == SOUK_OK; i++)
		if (errors[i].code == SOUK_OK)
			ret = add_region(regions->names[i], &listing->markets[i], out, err);
	return ret;
}

int aws_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		    struct souk_error *err)
{
	struct listing listing = { .call = call };
	struct aws_regions regions = { 0 };
	struct souk_error *errors = NULL;
	size_t i;
	int ret;

	ret = aws_regions_wanted(self, call, &regions, err);
	if (ret < 0)
		return ret;
	listing.total = (uint32_t)regions.n;
	listing.markets = calloc(regions.n, sizeof(*listing.markets));
	errors = calloc(regions.n, sizeof(*errors));
	if (listing.markets && errors)
		ret = list_regions(self, call, &regions, &listing, errors, out, err);
	else
		ret = aws_nomem(err);
	for (i = 0; listing.markets && i < regions.n; i++)
		aws_market_fini(&listing.markets[i]);
	free(listing.markets);
	free(errors);
	aws_regions_fini(&regions);
	return ret;
}
