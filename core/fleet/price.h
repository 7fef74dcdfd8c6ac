/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/price.h - what an hour of a candidate's machine costs, for the store's record */
#ifndef SOUK_FLEET_PRICE_H
#define SOUK_FLEET_PRICE_H

#include "fleet/launching.h"

/*
 * Fill a zeroed price: the machine's own, and the disk's and the address's as far as the tables of
 * charges know them. A table that cannot be read is told of, and leaves these unknown.
 */
int fleet_price(const struct fleet_launching *launch, const struct souk_candidate *c,
		struct souk_store_price *price, struct souk_error *err);

#endif
