/* SPDX-License-Identifier: Apache-2.0 */
/* priced.c - a cloud that has prices and no machines: what it sells stands in the catalogue */
#include <souk/provider.h>

#include <stdlib.h>
#include <string.h>

#include "own-name.h"

static int priced_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	(void)call;
	(void)err;
	*self_out = NULL;
	return SOUK_OK;
}

static void priced_close(void *self)
{
	(void)self;
}

static int priced_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
			      struct souk_error *err)
{
	(void)self;
	(void)call;
	(void)out;
	return souk_error_set(err, SOUK_E_TRANSIENT, "nobody is at home");
}

static int priced_provision(void *self, struct souk_call *call,
			    const struct souk_instance_spec *spec, struct souk_instance_list *out,
			    struct souk_error *err)
{
	(void)self;
	(void)call;
	(void)out;
	return souk_error_set(err, SOUK_E_CAPACITY, "no '%s' today", spec->instance_type);
}

static int priced_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			   uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	(void)self;
	(void)call;
	(void)refs;
	(void)n;
	(void)out;
	(void)err;
	return SOUK_OK;
}

static int priced_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			   uint32_t n, struct souk_error *err)
{
	(void)self;
	(void)call;
	(void)refs;
	(void)n;
	(void)err;
	return SOUK_OK;
}

/* SOUK_TEST_QUOTE=fail: an error. A quarter dollar of disk for each node, and a licence once. */
static int priced_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
			struct souk_quote_list *out, struct souk_error *err)
{
	struct souk_quote_line disk = { .struct_size = sizeof(disk), .per_hour = 1, .item = "disk",
					.note = "asked", .micros = 250000, .currency = "USD" };
	struct souk_quote_line licence = { .struct_size = sizeof(licence), .item = "licence",
					   .micros = 1500000, .currency = "USD" };
	const char *how = getenv("SOUK_TEST_QUOTE");
	int ret;

	(void)self;
	(void)call;
	if (how && strcmp(how, "fail") == 0)
		return souk_error_set(err, SOUK_E_TRANSIENT, "nobody answers");
	disk.micros *= spec->count;
	ret = souk_quote_list_add(out, &disk, err);
	return ret < 0 ? ret : souk_quote_list_add(out, &licence, err);
}

static struct souk_provider_ops table = {
	SOUK_PROVIDER_HEAD,
	.title = "A cloud of prices",
	.features = SOUK_FEATURE_SPOT | SOUK_FEATURE_MULTI_NODE | SOUK_FEATURE_DISK_SIZE |
		    SOUK_FEATURE_DISK_TIER,
	.open = priced_open,
	.close = priced_close,
	.list_offers = priced_list_offers,
	.provision = priced_provision,
	.describe = priced_describe,
	.teardown = priced_teardown,
	.quote = priced_quote,
};

SOUK_EXPORT const struct souk_provider_ops *souk_provider_entry(void);
SOUK_EXPORT const struct souk_provider_ops *souk_provider_entry(void)
{
	table.name = own_name();
	if (strcmp(own_name(), "mute") == 0)
		table.quote = NULL;
	return &table;
}
