/* SPDX-License-Identifier: Apache-2.0 */
/* provider/lists.h - the core objects that a module fills: offers, instances, quotes, identity */
#ifndef SOUK_PROVIDER_LISTS_H
#define SOUK_PROVIDER_LISTS_H

#include <souk/provider.h>

#include "base/strv.h"

/* Every text of an item belongs to the list. Zero-initialise; empty with the _fini function. */
struct souk_offer_list {
	struct souk_offer *items;
	size_t n;
};

struct souk_instance_list {
	struct souk_instance *items;
	size_t n;
};

struct souk_quote_list {
	struct souk_quote_line *items;
	size_t n;
};

struct souk_identity {
	struct souk_pairs pairs;
};

int souk_offers_add(struct souk_offer_list *list, const struct souk_offer *offer,
		    struct souk_error *err);
void souk_offer_list_fini(struct souk_offer_list *list);
int souk_instances_add(struct souk_instance_list *list, const struct souk_instance *instance,
		       struct souk_error *err);
void souk_instance_list_fini(struct souk_instance_list *list);
int souk_quotes_add(struct souk_quote_list *list, const struct souk_quote_line *line,
		    struct souk_error *err);
void souk_quote_list_fini(struct souk_quote_list *list);
void souk_identity_fini(struct souk_identity *identity);

#endif
