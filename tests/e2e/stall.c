/* SPDX-License-Identifier: Apache-2.0 */
/* stall.c - a cloud whose only business is to list offers, or not: its setting 'lists' says how */
#include <string.h>

#include <souk/provider.h>

static int stall_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	static int self;

	if (strcmp(souk_call_option(call, "lists"), "closed") == 0) {
		souk_error_set(err, SOUK_E_AUTH, "no key to the stall");
		return souk_error_hint(err, "find the key");
	}
	*self_out = &self;
	return SOUK_OK;
}

static void stall_close(void *self)
{
	(void)self;
}

static int stall_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
			     struct souk_error *err)
{
	const char *lists = souk_call_option(call, "lists");
	struct souk_offer offer = {
		SOUK_OFFER_HEAD, .instance_type = "table", .region = "lane", .vcpus_milli = 2000,
		.memory_mib = 4096, .micros_per_hour = 10000, .spot_micros_per_hour = -1,
	};

	(void)self;
	if (strcmp(lists, "nothing") == 0)
		return SOUK_OK;
	if (strcmp(lists, "denied") == 0)
		return souk_error_set(err, SOUK_E_AUTH, "the key has expired");
	if (strcmp(lists, "break") == 0)
		offer.instance_type = "table\nchair";
	return souk_offer_list_add(out, &offer, err);
}

/* Nothing is ever rented here. */
static int stall_provision(void *self, struct souk_call *call,
			   const struct souk_instance_spec *spec, struct souk_instance_list *out,
			   struct souk_error *err)
{
	(void)self, (void)call, (void)spec, (void)out;
	return souk_error_set(err, SOUK_E_CAPACITY, "nothing is for rent");
}

static int stall_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			  uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	(void)self, (void)call, (void)refs, (void)n, (void)out, (void)err;
	return SOUK_OK;
}

static int stall_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			  uint32_t n, struct souk_error *err)
{
	(void)self, (void)call, (void)refs, (void)n, (void)err;
	return SOUK_OK;
}

static const struct souk_option stall_options[] = {
	{ "lists", "something, nothing, break, denied, closed", "something", SOUK_OPT_STRING, 0 },
	{ NULL, NULL, NULL, 0, 0 },
};

static const struct souk_provider_ops stall_ops = {
	SOUK_PROVIDER_HEAD,
	.name = "stall",
	.options = stall_options,
	.open = stall_open,
	.close = stall_close,
	.list_offers = stall_list_offers,
	.provision = stall_provision,
	.describe = stall_describe,
	.teardown = stall_teardown,
};
SOUK_PROVIDER_REGISTER(stall_ops);
