/* SPDX-License-Identifier: Apache-2.0 */
/* market.h - the operations that tell what RunPod sells and who we are to it */
#ifndef SOUK_RUNPOD_MARKET_H
#define SOUK_RUNPOD_MARKET_H

#include "runpod.h"

int runpod_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		       struct souk_error *err);
int runpod_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		 struct souk_quote_list *out, struct souk_error *err);

extern const char runpod_permissions[];
int runpod_check(void *self, struct souk_call *call, struct souk_identity *out,
		 struct souk_error *err);

#endif
