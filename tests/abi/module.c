/* SPDX-License-Identifier: Apache-2.0 */
/* module.c - a small module that a test builds against an old header and loads into a new host */

#include <souk/provider.h>

#include <stdlib.h>
#include <string.h>

static int old_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	const char *mode = souk_call_option(call, "mode");

	if (!mode || strcmp(mode, "good") != 0)
		return souk_error_set(err, SOUK_E_AUTH, "mode: not 'good': '%s'",
				      mode ? mode : "none");
	*self_out = malloc(1);
	return *self_out ? SOUK_OK : souk_error_set(err, SOUK_E_NOMEM, "out of memory");
}

static void old_close(void *self)
{
	free(self);
}

static int old_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
			   struct souk_error *err)
{
	const struct souk_offer offer = {
		SOUK_OFFER_HEAD,
		.instance_type = "old.large",
		.region = "there",
		.vcpus_milli = 2000,
		.memory_mib = 4096,
		.micros_per_hour = 123456,
		.spot_micros_per_hour = -1,
		.currency = "USD",
	};

	(void)self;
	souk_call_log(call, SOUK_LOG_DEBUG, "%s", "listing");
	return souk_offer_list_add(out, &offer, err);
}

static int old_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
			 struct souk_instance_list *out, struct souk_error *err)
{
	struct souk_buf id;
	struct souk_instance instance = {
		SOUK_INSTANCE_HEAD,
		.status = SOUK_INSTANCE_PENDING,
		.region = "there",
		.request_token = spec->request_token,
	};
	int ret;

	(void)self;
	(void)call;
	souk_buf_init(&id, 64);
	souk_buf_printf(&id, "i-%s", spec->request_token);
	ret = souk_buf_failed(&id, err);
	if (ret == SOUK_OK) {
		instance.id = id.data;
		ret = souk_instance_list_add(out, &instance, err);
	}
	souk_buf_fini(&id);
	return ret;
}

static int old_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
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

static int old_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			uint32_t n, struct souk_error *err)
{
	(void)self;
	(void)call;
	(void)refs;
	souk_error_set(err, SOUK_E_QUOTA, "cannot tear %u down", n);
	souk_error_scope(err, SOUK_SCOPE_REGION);
	return souk_error_hint(err, "wait");
}

static const struct souk_provider_ops old = {
	SOUK_PROVIDER_HEAD,
	.name = "old",
	.title = "A module of the past",
	.open = old_open,
	.close = old_close,
	.list_offers = old_list_offers,
	.provision = old_provision,
	.describe = old_describe,
	.teardown = old_teardown,
};
SOUK_PROVIDER_REGISTER(old);
