/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/price.c - what an hour of a candidate's machine costs, for the store's record */
#include "fleet/price.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "market/quote.h"

/* What one machine pays of an item of all of them; -1: not known, or in another currency. */
static int64_t share_of(const struct souk_quote_sheet *sheet, const char *name, uint32_t num_nodes)
{
	size_t i;

	for (i = 0; i < sheet->n; i++)
		if (strcmp(sheet->items[i].item, name) == 0 && sheet->items[i].per_hour &&
		    sheet->items[i].micros >= 0 && num_nodes > 0 &&
		    strcmp(sheet->items[i].currency, sheet->currency) == 0)
			return sheet->items[i].micros / num_nodes;
	return -1;
}

static void add_besides(const struct fleet_launching *launch, const struct souk_candidate *c,
			struct souk_store_price *price)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_charges *charges = NULL;
	struct souk_quote_query query = {
		.candidate = c, .task = launch->task, .hours_milli = 1000,
	};
	struct souk_egress *egress;
	struct souk_quote_sheet sheet;

	/* Without tables: what moving data costs is not asked here. */
	egress = souk_egress_new(&own);
	if (!egress || souk_charges_load(launch->fleet->paths, c->provider, &charges, &own) < 0) {
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
		souk_egress_free(egress);
		return;
	}
	query.egress = egress;
	query.charges = charges;
	souk_quote_sheet_make(&query, &sheet);
	price->disk_micros_per_hour = share_of(&sheet, "disk", launch->task->num_nodes);
	price->address_micros_per_hour = share_of(&sheet, "address", launch->task->num_nodes);
	souk_charges_free(charges);
	souk_egress_free(egress);
}

int fleet_price(const struct fleet_launching *launch, const struct souk_candidate *c,
		struct souk_store_price *price, struct souk_error *err)
{
	price->micros_per_hour = c->micros_per_hour;
	price->disk_micros_per_hour = price->address_micros_per_hour = -1;
	if (souk_strset(&price->currency, c->offer.currency) < 0 ||
	    souk_strset(&price->source, c->source) < 0 || souk_strset(&price->date, c->date) < 0)
		return souk_error_nomem(err);
	add_besides(launch, c, price);
	return SOUK_OK;
}
