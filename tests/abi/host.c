/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - a small host that loads module.c and checks what crosses the border */

#include <souk/provider.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);    \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static const char *mode = "good";
static int offers, instances, lines;

static const char *call_option(const struct souk_call *call, const char *name)
{
	(void)call;
	return strcmp(name, "mode") == 0 ? mode : NULL;
}

static void call_vlog(struct souk_call *call, int level, const char *fmt, va_list args)
	SOUK_PRINTF(3, 0);

static void call_vlog(struct souk_call *call, int level, const char *fmt, va_list args)
{
	char text[32];

	(void)call;
	vsnprintf(text, sizeof(text), fmt, args);
	CHECK(level == SOUK_LOG_DEBUG && strcmp(text, "listing") == 0);
	lines++;
}

static int offer_list_add(struct souk_offer_list *list, const struct souk_offer *offer,
			  struct souk_error *err)
{
	(void)err;
	CHECK(list == (void *)&offers);
	CHECK(offer->struct_size > 0 && offer->struct_size <= sizeof(*offer));
	CHECK(strcmp(offer->instance_type, "old.large") == 0);
	CHECK(strcmp(offer->region, "there") == 0 && !offer->zone);
	CHECK(offer->vcpus_milli == 2000 && offer->memory_mib == 4096);
	CHECK(offer->micros_per_hour == 123456 && offer->spot_micros_per_hour == -1);
	CHECK(strcmp(offer->currency, "USD") == 0 && offer->available == -1);
	offers++;
	return SOUK_OK;
}

static int instance_list_add(struct souk_instance_list *list, const struct souk_instance *instance,
			     struct souk_error *err)
{
	(void)err;
	CHECK(list == (void *)&instances);
	CHECK(instance->struct_size > 0 && instance->struct_size <= sizeof(*instance));
	CHECK(strcmp(instance->id, "i-token-1") == 0);
	CHECK(strcmp(instance->request_token, "token-1") == 0);
	CHECK(instance->status == SOUK_INSTANCE_PENDING && !instance->host_key);
	instances++;
	return SOUK_OK;
}

static void use(const struct souk_provider_ops *ops)
{
	const struct souk_instance_spec spec = {
		.struct_size = sizeof(spec), .count = 1, .request_token = "token-1",
	};
	const struct souk_instance_ref ref = {
		.struct_size = sizeof(ref), .id = "i-token-1", .region = "there",
	};
	struct souk_error err = SOUK_ERROR_INIT;
	void *self = NULL;

	mode = "bad";
	CHECK(ops->open(NULL, &self, &err) == SOUK_E_AUTH);
	CHECK(err.scope == SOUK_SCOPE_PROVIDER && !self);
	CHECK(strcmp(err.message, "mode: not 'good': 'bad'") == 0);
	mode = "good";
	CHECK(ops->open(NULL, &self, &err) == SOUK_OK && self);
	CHECK(ops->list_offers(self, NULL, (void *)&offers, &err) == SOUK_OK);
	CHECK(offers == 1 && lines == 1);
	CHECK(ops->provision(self, NULL, &spec, (void *)&instances, &err) == SOUK_OK);
	CHECK(instances == 1);
	CHECK(ops->teardown(self, NULL, &ref, 1, &err) == SOUK_E_QUOTA);
	CHECK(err.scope == SOUK_SCOPE_REGION && strcmp(err.hint, "wait") == 0);
	ops->close(self);
}

int main(int argc, char **argv)
{
	static const struct souk_host host = {
		.abi = SOUK_PROVIDER_ABI,
		.struct_size = sizeof(host),
		.call_option = call_option,
		.call_vlog = call_vlog,
		.offer_list_add = offer_list_add,
		.instance_list_add = instance_list_add,
	};
	const struct souk_provider_ops *(*entry)(void);
	const struct souk_provider_ops *theirs;
	struct souk_provider_ops ops;
	void *module;

	CHECK(argc == 2);
	souk_host_install(&host);
	module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
	if (!module)
		fprintf(stderr, "%s\n", dlerror());
	CHECK(module);
	*(void **)&entry = dlsym(module, "souk_provider_entry");
	CHECK(entry);
	theirs = entry();
	CHECK(theirs->abi == SOUK_PROVIDER_ABI);
	CHECK(theirs->struct_size <= sizeof(ops));
	CHECK(theirs->option_size <= sizeof(struct souk_option));
	memset(&ops, 0, sizeof(ops));
	memcpy(&ops, theirs, theirs->struct_size);
	CHECK(strcmp(ops.name, "old") == 0 && !ops.quote && !ops.set_on_shutdown);
	use(&ops);
	return 0;
}
