/* SPDX-License-Identifier: Apache-2.0 */
/* participants.c - which providers take part in a plan, without loading them */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "plan.h"
#include "provider/signs.h"

/* Does the task ask for this provider by name? 2: it does; 0: it names others only. */
static int asks_for(const struct souk_task *task, const char *name)
{
	size_t named = 0, free_choice = 0, i;

	for (i = 0; task && i < task->n_requests; i++) {
		if (!task->requests[i].provider)
			free_choice++;
		else if (strcmp(task->requests[i].provider, name) == 0)
			named++;
	}
	if (named)
		return 2;
	return free_choice || !task ? 1 : 0;
}

int souk_participant_is_explicit(const struct souk *souk, const struct souk_task *task,
				 const char *name)
{
	return souk_strv_has(&souk->registry.wanted, name) || asks_for(task, name) == 2 ||
	       souk_config_has_provider(&souk->config, name);
}

int souk_participant_is_quick(struct souk *souk, const char *name)
{
	struct souk_module *module = souk_modules_get(&souk->registry.modules, name);
	const struct souk_module_facts *facts;

	return module && souk_module_facts(module, &facts, NULL) == SOUK_OK &&
	       (facts->features & SOUK_FEATURE_QUICK_OFFERS) != 0;
}

/* The search for participants: the last failure is told of as the error if nobody can take part. */
struct search {
	struct souk *souk;
	const struct souk_task *task;
	int open;
	struct souk_participants all;
	struct souk_error last;
	const char *last_name;
};

/* Loud if the user asked for it, or if it is not simply a cloud without an account. */
static void warn_skipped(const struct search *search, const char *name, const struct souk_error *why)
{
	int loud = souk_participant_is_explicit(search->souk, search->task, name) ||
		   why->code != SOUK_E_AUTH;

	souk_log(loud ? SOUK_LOG_WARNING : SOUK_LOG_INFO, "%s: skipped: %s", name,
		 souk_error_without(why, name));
}

static void note_failure(struct search *search, struct souk_market_provider *provider,
			 const struct souk_error *why)
{
	if (search->last.code)
		warn_skipped(search, search->last_name, &search->last);
	search->last = *why;
	search->last_name = provider->name;
	provider->standing = why->code == SOUK_E_AUTH ? SOUK_STANDS_NO_CREDENTIALS : SOUK_STANDS_BROKEN;
}

/* What can be said of a module without an account. */
static int judge(struct search *search, struct souk_module *module, struct souk_error *err)
{
	struct souk_market_provider *provider = &search->all.items[search->all.n++];
	const struct souk_module_facts *facts;
	struct souk_error own = SOUK_ERROR_INIT;
	enum souk_sign sign;
	int explicit;

	*provider = (struct souk_market_provider){ .name = module->name };
	provider->standing = SOUK_STANDS_NOT_ALLOWED;
	if (!souk_registry_allows(&search->souk->registry, module->name) ||
	    asks_for(search->task, module->name) == 0)
		return SOUK_OK;
	if (souk_module_facts(module, &facts, &own) < 0) {
		if (own.code == SOUK_E_NOMEM) {
			*err = own;
			return own.code;
		}
		note_failure(search, provider, &own);
		return SOUK_OK;
	}
	explicit = souk_participant_is_explicit(search->souk, search->task, module->name);
	sign = souk_signs_look(facts, module->name, &search->souk->config);
	provider->features = facts->features;
	provider->can_stop = (facts->ops & SOUK_MODULE_STOP) != 0;
	provider->unsure = sign == SOUK_SIGN_MISSING;
	provider->standing = sign == SOUK_SIGN_MISSING && !explicit ? SOUK_STANDS_NO_CREDENTIALS :
								     SOUK_STANDS_IN;
	if (provider->standing != SOUK_STANDS_IN)
		souk_log(SOUK_LOG_INFO, "%s: skipped: no sign of credentials", module->name);
	return SOUK_OK;
}

/* Those who do not take part are named nowhere, so what installed ones could do is asked as well,
 * as far as their stamps know. */
static void learn_features(struct search *search)
{
	size_t i;

	for (i = 0; i < search->all.n; i++) {
		struct souk_market_provider *provider = &search->all.items[i];
		struct souk_module *module = search->souk->registry.modules.items[i];

		if (provider->standing != SOUK_STANDS_NOT_ALLOWED)
			continue;
		provider->features = module->has_facts ? module->facts.features : UINT64_MAX;
		provider->can_stop = !module->has_facts || (module->facts.ops & SOUK_MODULE_STOP) != 0;
	}
}

/* Open the account if there will be a launch, or if there is no other way to the offers. */
static int open_one(struct search *search, struct souk_market_provider *provider,
		    struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_provider *opened;
	int ret;

	if (!search->open && !(provider->features & SOUK_FEATURE_QUICK_OFFERS) &&
	    souk_catalog_file_exists(&search->souk->paths, provider->name))
		return SOUK_OK;
	ret = souk_registry_get(&search->souk->registry, provider->name, &opened, &own);
	if (ret == SOUK_OK) {
		provider->standing = SOUK_STANDS_IN;
		return SOUK_OK;
	}
	if (ret == SOUK_E_NOMEM || strcmp(own.reason, SOUK_REASON_CONFIG) == 0) {
		*err = own;
		return ret;
	}
	note_failure(search, provider, &own);
	return SOUK_OK;
}

static size_t count_in(const struct souk_participants *all)
{
	size_t i, n = 0;

	for (i = 0; i < all->n; i++)
		n += all->items[i].standing == SOUK_STANDS_IN;
	return n;
}

/* Open those of a standing that are, or are not, of last resort. */
static int open_all(struct search *search, enum souk_standing standing, int last_resort,
		    struct souk_error *err)
{
	int ret = SOUK_OK;
	size_t i;

	for (i = 0; i < search->all.n && ret == SOUK_OK; i++) {
		struct souk_market_provider *provider = &search->all.items[i];

		if (provider->standing == standing &&
		    ((provider->features & SOUK_FEATURE_DEFAULT) != 0) == last_resort)
			ret = open_one(search, provider, err);
	}
	return ret;
}

/* Providers of last resort step back when another can be used and they were not asked for. */
static void step_back(struct search *search)
{
	struct souk_participants *all = &search->all;
	size_t i, others = 0;

	for (i = 0; i < all->n; i++)
		others += all->items[i].standing == SOUK_STANDS_IN &&
			  !(all->items[i].features & SOUK_FEATURE_DEFAULT);
	for (i = 0; i < all->n && others > 0; i++)
		if (all->items[i].standing == SOUK_STANDS_IN &&
		    (all->items[i].features & SOUK_FEATURE_DEFAULT) &&
		    !souk_participant_is_explicit(search->souk, search->task, all->items[i].name))
			all->items[i].standing = SOUK_STANDS_BACK;
}

static int search_all(struct search *search, struct souk_error *err)
{
	const struct souk_modules *modules = &search->souk->registry.modules;
	int ret = SOUK_OK;
	size_t i;

	for (i = 0; i < modules->n && ret == SOUK_OK; i++)
		ret = judge(search, modules->items[i], err);
	if (ret == SOUK_OK)
		ret = open_all(search, SOUK_STANDS_IN, 0, err);
	if (ret < 0)
		return ret;
	step_back(search);
	ret = open_all(search, SOUK_STANDS_IN, 1, err);
	/* Signs are signs: before a launch fails for want of anybody, those without are tried, too. */
	if (ret == SOUK_OK && search->open && count_in(&search->all) == 0 && !search->last.code)
		ret = open_all(search, SOUK_STANDS_NO_CREDENTIALS, 0, err);
	return ret;
}

static int nobody(const struct search *search, struct souk_error *err)
{
	if (search->last.code) {
		*err = search->last;
		return err->code;
	}
	souk_error_set(err, SOUK_E_CAPACITY, "no provider takes part");
	souk_error_reason(err, SOUK_REASON_CONFIG);
	return souk_error_hint(err, "'souk provider list' shows those installed, --providers and "
				    "allowed_providers choose among them");
}

int souk_participants_find(struct souk *souk, const struct souk_task *task, int open,
			   struct souk_participants *all_out, struct souk_error *err)
{
	struct search search = { .souk = souk, .task = task, .open = open, .last = SOUK_ERROR_INIT };
	int ret;

	search.all.items = calloc(souk->registry.modules.n + 1, sizeof(*search.all.items));
	if (!search.all.items)
		return souk_error_nomem(err);
	ret = search_all(&search, err);
	search.all.n_in = count_in(&search.all);
	if (ret == SOUK_OK && search.all.n_in == 0 && (open || search.last.code))
		ret = nobody(&search, err);
	else if (ret == SOUK_OK && search.last.code)
		warn_skipped(&search, search.last_name, &search.last);
	if (ret < 0) {
		souk_participants_fini(&search.all);
		return ret;
	}
	learn_features(&search);
	*all_out = search.all;
	return SOUK_OK;
}

void souk_participants_fini(struct souk_participants *all)
{
	free(all->items);
	*all = (struct souk_participants){ 0 };
}

const struct souk_market_provider *souk_participants_get(const struct souk_participants *all,
							 const char *name)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (strcmp(all->items[i].name, name) == 0)
			return &all->items[i];
	return NULL;
}
