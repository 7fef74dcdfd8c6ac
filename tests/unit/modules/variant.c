/* SPDX-License-Identifier: Apache-2.0 */
/* variant.c - a module that is good, or wrong in one way: its file's name says which */
#include <souk/provider.h>

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "own-name.h"

/* A struct that begins like ours and goes on: what a later souk might have. */
struct later_ops {
	struct souk_provider_ops ops;
	int (*teleport)(void *self);
	uint64_t more[8];
};

struct later_option {
	struct souk_option option;
	const char *since;
	uint64_t more;
};

static const struct souk_option plain_options[] = {
	{ "region", "where", "here", SOUK_OPT_STRING, 0 },
	{ "retries", "how often", NULL, SOUK_OPT_INTEGER, 0 },
	{ "quiet", "or not", NULL, SOUK_OPT_BOOLEAN, 0 },
	{ "key", "a secret", NULL, SOUK_OPT_SECRET, 0 },
	{ NULL, NULL, NULL, 0, 0 },
};

static const struct later_option later_options[] = {
	{ { "first", "the first", "1", SOUK_OPT_STRING, 0 }, "2.0", 7 },
	{ { "second", "the second", NULL, SOUK_OPT_STRING, 0 }, "2.0", 7 },
	{ { NULL, NULL, NULL, 0, 0 }, NULL, 0 },
};

static int is(const char *name)
{
	return strcmp(own_name(), name) == 0;
}

/* ---- The operations: in order, unless the name says otherwise ---- */

static int variant_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	const char *region = souk_call_option(call, "region");

	if (is("locked"))
		return souk_error_set(err, SOUK_E_AUTH, "no credentials");
	*self_out = strdup(region ? region : "none");
	return *self_out ? SOUK_OK : souk_error_set(err, SOUK_E_NOMEM, "out of memory");
}

static void variant_close(void *self)
{
	free(self);
}

/* An offer in the region that open was given. */
static int variant_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
			       struct souk_error *err)
{
	struct souk_offer offer = { SOUK_OFFER_HEAD, .instance_type = own_name(), .region = self };

	if (is("rude"))
		return -99;
	souk_call_log(call, SOUK_LOG_WARNING, "listing");
	return souk_offer_list_add(out, &offer, err);
}

static int variant_provision(void *self, struct souk_call *call,
			     const struct souk_instance_spec *spec, struct souk_instance_list *out,
			     struct souk_error *err)
{
	(void)self;
	(void)call;
	(void)spec;
	(void)out;
	(void)err;
	return SOUK_E_QUOTA; /* without a word */
}

static int variant_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			    uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	(void)self;
	(void)call;
	(void)refs;
	(void)n;
	(void)out;
	/* Not ended, and longer than it may be. */
	memset(err->message, 'm', sizeof(err->message));
	memset(err->hint, 'h', sizeof(err->hint));
	memset(err->reason, 'r', sizeof(err->reason));
	err->code = SOUK_E_CONFLICT;
	return SOUK_E_CONFLICT;
}

static int variant_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			    uint32_t n, struct souk_error *err)
{
	(void)self;
	(void)call;
	(void)refs;
	(void)n;
	souk_error_set(err, SOUK_E_AUTH, "one thing");
	return SOUK_E_INVALID; /* and another */
}

static int variant_list_instances(void *self, struct souk_call *call,
				  const struct souk_instance_filter *filter,
				  struct souk_instance_list *out, struct souk_error *err)
{
	(void)self;
	(void)filter;
	(void)out;
	(void)err;
	/* A failure that was got over before the end. */
	souk_error_set(err, SOUK_E_TRANSIENT, "forgotten");
	return souk_call_deadline_ms(call) > 0 && !souk_call_cancelled(call) ? 5 : SOUK_E_INTERNAL;
}

static struct later_ops table = {
	.ops = {
		SOUK_PROVIDER_HEAD,
		.title = "Variant",
		.options = plain_options,
		.open = variant_open,
		.close = variant_close,
		.list_offers = variant_list_offers,
		.provision = variant_provision,
		.describe = variant_describe,
		.teardown = variant_teardown,
		.list_instances = variant_list_instances,
	},
};

static void leave_out(const char *op)
{
	if (strcmp(op, "open") == 0)
		table.ops.open = NULL;
	else if (strcmp(op, "close") == 0)
		table.ops.close = NULL;
	else if (strcmp(op, "list_offers") == 0)
		table.ops.list_offers = NULL;
	else if (strcmp(op, "provision") == 0)
		table.ops.provision = NULL;
	else if (strcmp(op, "describe") == 0)
		table.ops.describe = NULL;
	else if (strcmp(op, "teardown") == 0)
		table.ops.teardown = NULL;
}

static const char *const signs[] = { "env:SIGNS_KEY", "file:~/.signs/key", NULL };

SOUK_EXPORT const struct souk_provider_ops *souk_provider_entry(void);
SOUK_EXPORT const struct souk_provider_ops *souk_provider_entry(void)
{
	struct souk_provider_ops *ops = &table.ops;

	ops->name = own_name();
	if (is("nothing"))
		return NULL;
	if (is("liar"))
		ops->name = "other";
	if (is("nameless"))
		ops->name = NULL;
	if (is("abi2"))
		ops->abi = SOUK_PROVIDER_ABI + 1;
	if (is("tiny"))
		ops->struct_size = sizeof(uint32_t) * 2;
	if (is("badoptions"))
		ops->option_size = 4;
	if (strncmp(own_name(), "no_", 3) == 0)
		leave_out(own_name() + 3);
	/* From before there was list_instances: what is behind the end is not to be looked at. */
	if (is("older"))
		ops->struct_size = offsetof(struct souk_provider_ops, list_instances);
	if (is("later")) {
		ops->struct_size = sizeof(table);
		ops->options = &later_options[0].option;
		ops->option_size = sizeof(later_options[0]);
	}
	if (is("signs")) {
		ops->title = "The signs\nof the times";
		ops->credential_signs = signs;
	}
	if (is("late_crash"))
		raise(SIGSEGV);
	return ops;
}

__attribute__((constructor)) static void begin(void)
{
	if (is("crash"))
		raise(SIGSEGV);
	if (is("abort"))
		abort();
	if (is("killed"))
		raise(SIGKILL);
	if (is("exit0"))
		exit(0);
	if (is("exit3"))
		exit(3);
	if (is("quit0"))
		_exit(0);
}
