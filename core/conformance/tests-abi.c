/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/tests-abi.c - what a module says of itself, before anything is opened */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "conformance/conform.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define NAME_CHARACTERS LETTERS "0123456789_"
/* The last one, and all before it. */
#define KNOWN_FEATURES ((SOUK_FEATURE_TAG_KEYS << 1) - 1)

enum { MAX_OPTIONS = 256 };

typedef const struct souk_provider_ops *entry_fn(void);

/* The module's own table, as it is; NULL after a finding. */
static const struct souk_provider_ops *raw(struct conform *t)
{
	void *handle = dlopen(t->module->path, RTLD_NOW | RTLD_LOCAL);
	const struct souk_provider_ops *ops;
	entry_fn *entry;

	if (!handle) {
		conform_fail(t, "it cannot be loaded: %s", dlerror());
		return NULL;
	}
	*(void **)&entry = dlsym(handle, "souk_provider_entry");
	if (!entry) {
		conform_fail(t, "it has no symbol souk_provider_entry");
		return NULL;
	}
	ops = entry();
	if (!ops)
		conform_fail(t, "souk_provider_entry() gives NULL");
	else if (ops != entry())
		conform_fail(t, "souk_provider_entry() gives another table each time");
	else
		return ops;
	return NULL;
}

/* The table in our size: what the module does not know is 0. 0, or -1 after a finding. */
static int adopt(struct conform *t, struct souk_provider_ops *ops)
{
	const struct souk_provider_ops *theirs = raw(t);

	memset(ops, 0, sizeof(*ops));
	if (!theirs)
		return -1;
	if (theirs->abi != SOUK_PROVIDER_ABI)
		return conform_skip(t, "the ABI is another");
	memcpy(ops, theirs, theirs->struct_size < sizeof(*ops) ? theirs->struct_size : sizeof(*ops));
	return 0;
}

static int abi_entry(struct conform *t)
{
	const struct souk_provider_ops *ops = raw(t);

	if (!ops)
		return -1;
	if (ops->abi != SOUK_PROVIDER_ABI)
		return conform_fail(t, "it was built for the ABI %u, this souk has %d",
				    (unsigned)ops->abi, SOUK_PROVIDER_ABI);
	return 0;
}

static int has_sane_options(const struct souk_provider_ops *ops)
{
	return ops->option_size >= offsetof(struct souk_option, reserved) && ops->option_size <= 4096 &&
	       ops->option_size % sizeof(void *) == 0;
}

static int abi_sizes(struct conform *t)
{
	struct souk_provider_ops ops;

	if (adopt(t, &ops) < 0)
		return -1;
	if (ops.struct_size < offsetof(struct souk_provider_ops, quote))
		return conform_fail(t, "struct_size is %u: the required operations do not fit in it",
				    (unsigned)ops.struct_size);
	if (ops.struct_size > 65536 || ops.struct_size % sizeof(void *) != 0)
		return conform_fail(t, "struct_size is %u, which no table has", (unsigned)ops.struct_size);
	if (!has_sane_options(&ops))
		return conform_fail(t, "option_size is %u, which no entry has", (unsigned)ops.option_size);
	return 0;
}

static int abi_required(struct conform *t)
{
	struct souk_provider_ops ops;
	const char *missing;

	if (adopt(t, &ops) < 0)
		return -1;
	missing = !ops.open	   ? "open"
		  : !ops.close	   ? "close"
		  : !ops.list_offers ? "list_offers"
		  : !ops.provision ? "provision"
		  : !ops.describe  ? "describe"
		  : !ops.teardown  ? "teardown"
				   : NULL;
	return missing ? conform_fail(t, "the required operation '%s' is NULL", missing) : 0;
}

static int abi_name(struct conform *t)
{
	struct souk_provider_ops ops;

	if (adopt(t, &ops) < 0)
		return -1;
	if (!ops.name || strcmp(ops.name, t->module->name) != 0)
		return conform_fail(t, "it calls itself '%s', and its file 'souk-provider-%s.so'",
				    ops.name ? ops.name : "", t->module->name);
	if (!strchr(LETTERS, ops.name[0]) || ops.name[strspn(ops.name, NAME_CHARACTERS)])
		return conform_fail(t, "the name '%s' is not [a-z][a-z0-9_]*", ops.name);
	if (!ops.title || !*ops.title || strchr(ops.title, '\n'))
		return conform_fail(t, "the title is empty, or has several lines");
	return 0;
}

static int judge_option(struct conform *t, const struct souk_option *option)
{
	const char *name = option->name;
	uint64_t number;

	if (!*name || !strchr(LETTERS, *name) || name[strspn(name, NAME_CHARACTERS)])
		return conform_fail(t, "the option '%s' is not [a-z][a-z0-9_]*", name);
	if (strcmp(name, "endpoint") == 0 || strcmp(name, "proxy_command") == 0)
		return conform_fail(t, "the option '%s' is one that every provider has", name);
	if (!option->help || !*option->help || strchr(option->help, '\n'))
		return conform_fail(t, "the help of the option '%s' is not one line", name);
	if (option->type < SOUK_OPT_STRING || option->type > SOUK_OPT_LIST)
		return conform_fail(t, "the option '%s' has the type %d, which is none", name,
				    (int)option->type);
	if (option->reserved != 0)
		return conform_fail(t, "the option '%s' has something in 'reserved'", name);
	if (!option->default_value)
		return 0;
	if (option->type == SOUK_OPT_INTEGER &&
	    souk_parse_u64(name, option->default_value, &number, NULL) < 0)
		return conform_fail(t, "the default of the option '%s' is no number: '%s'", name,
				    option->default_value);
	if (option->type == SOUK_OPT_BOOLEAN && strcmp(option->default_value, "true") != 0 &&
	    strcmp(option->default_value, "false") != 0)
		return conform_fail(t, "the default of the option '%s' is not true or false: '%s'", name,
				    option->default_value);
	if (option->type == SOUK_OPT_SECRET)
		return conform_fail(t, "the option '%s' is a secret with a default", name);
	return 0;
}

/* The entry; NULL at the end, and where the size of one cannot be. */
static const struct souk_option *option_at(const struct souk_provider_ops *ops, size_t i)
{
	const struct souk_option *option;

	if (!ops->options || !has_sane_options(ops) || i > MAX_OPTIONS)
		return NULL;
	option = (const struct souk_option *)((const char *)ops->options + i * ops->option_size);
	return option->name ? option : NULL;
}

static int abi_options(struct conform *t)
{
	struct souk_provider_ops ops;
	size_t i, j;

	if (adopt(t, &ops) < 0)
		return -1;
	for (i = 0; option_at(&ops, i); i++) {
		if (i == MAX_OPTIONS)
			return conform_fail(t, "the table of options does not end");
		if (judge_option(t, option_at(&ops, i)) < 0)
			return -1;
		for (j = 0; j < i; j++)
			if (strcmp(option_at(&ops, i)->name, option_at(&ops, j)->name) == 0)
				return conform_fail(t, "the option '%s' is there twice",
						    option_at(&ops, i)->name);
	}
	return 0;
}

static int abi_features(struct conform *t)
{
	struct souk_provider_ops ops;

	if (adopt(t, &ops) < 0)
		return -1;
	if (ops.threads > SOUK_THREADS_PARALLEL)
		return conform_fail(t, "'threads' is %u, which is none of the three models",
				    (unsigned)ops.threads);
	if (ops.features & ~(uint64_t)KNOWN_FEATURES)
		return conform_fail(t, "'features' has bits that this souk does not know: 0x%llx",
				    (unsigned long long)(ops.features & ~(uint64_t)KNOWN_FEATURES));
	if (!ops.stop != !ops.start)
		return conform_fail(t, "it has '%s' without '%s'", ops.stop ? "stop" : "start",
				    ops.stop ? "start" : "stop");
	if (!ops.put != !ops.get)
		return conform_fail(t, "it has '%s' without '%s'", ops.put ? "put" : "get",
				    ops.put ? "get" : "put");
	if (ops.set_on_shutdown && !(ops.features & SOUK_FEATURE_SELF_SHUTDOWN))
		return conform_fail(t, "it has set_on_shutdown without SOUK_FEATURE_SELF_SHUTDOWN");
	if (ops.sweep && !ops.list_instances)
		return conform_fail(t, "it has sweep without list_instances");
	return 0;
}

static int sign_is_good(const struct souk_provider_ops *ops, const char *sign)
{
	size_t i;

	if (strncmp(sign, "env:", 4) == 0)
		return sign[4] != '\0';
	if (strncmp(sign, "file:", 5) == 0)
		return sign[5] == '/' || sign[5] == '$' || strncmp(sign + 5, "~/", 2) == 0;
	if (strncmp(sign, "vendor:", 7) == 0)
		return sign[7] != '\0';
	if (strncmp(sign, "option:", 7) != 0)
		return 0;
	for (i = 0; option_at(ops, i); i++)
		if (strcmp(option_at(ops, i)->name, sign + 7) == 0)
			return 1;
	return 0;
}

static int abi_credentials(struct conform *t)
{
	struct souk_provider_ops ops;
	size_t i;
	int secret = 0;

	if (adopt(t, &ops) < 0)
		return -1;
	for (i = 0; option_at(&ops, i); i++)
		secret |= option_at(&ops, i)->type == SOUK_OPT_SECRET;
	for (i = 0; ops.credential_signs && ops.credential_signs[i]; i++)
		if (!sign_is_good(&ops, ops.credential_signs[i]))
			return conform_fail(t, "no sign of credentials that souk can look for: '%s'",
					    ops.credential_signs[i]);
	if ((secret || i > 0) && (!ops.credentials || !*ops.credentials))
		return conform_fail(t, "it needs credentials, and 'credentials' does not say how they are found");
	return 0;
}

const struct conform_test conform_tests_abi[] = {
	{ "abi.entry", "souk_provider_entry() gives one table, of this ABI",
	  "end the module with SOUK_PROVIDER_REGISTER(ops), and begin ops with SOUK_PROVIDER_HEAD",
	  CONFORM_RAW, abi_entry },
	{ "abi.sizes", "the sizes of the table and of its options make sense",
	  "begin ops with SOUK_PROVIDER_HEAD, which fills them in", CONFORM_RAW, abi_sizes },
	{ "abi.required", "the required operations are there",
	  "fill in open, close, list_offers, provision, describe and teardown", CONFORM_RAW,
	  abi_required },
	{ "abi.name", "name and title", "name the file souk-provider-NAME.so and set .name = \"NAME\"",
	  CONFORM_RAW, abi_name },
	{ "abi.options", "the table of options", "see struct souk_option in souk/provider.h", CONFORM_RAW,
	  abi_options },
	{ "abi.features", "features, thread model and operations do not contradict each other",
	  "take away the one, or add the other", CONFORM_RAW, abi_features },
	{ "abi.credentials", "where credentials are found is said",
	  "see credentials and credential_signs in souk/provider.h", CONFORM_RAW, abi_credentials },
	{ NULL, NULL, NULL, 0, NULL },
};
