/* SPDX-License-Identifier: Apache-2.0 */
/* market.h - the operations that tell what Lambda sells and who we are to it */
#ifndef SOUK_LAMBDA_MARKET_H
#define SOUK_LAMBDA_MARKET_H

#include "lambda.h"

int lambda_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		       struct souk_error *err);
int lambda_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		 struct souk_quote_list *out, struct souk_error *err);

extern const char lambda_permissions[];
int lambda_check(void *self, struct souk_call *call, struct souk_identity *out,
		 struct souk_error *err);

/* The offers of a reply's "data". */
int lambda_offers_of(struct json_object *data, struct souk_offer_list *out, struct souk_error *err);

#endif
