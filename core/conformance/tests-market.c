/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/tests-market.c - opening, offers, identity, and questions about what never was */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "conformance/conform.h"
#include "conformance/watch.h"

#define MAX_MICROS 10000000000LL /* 10,000 an hour */

/* ---- Opening ---- */

static int open_twice(struct conform *t)
{
	struct conform_self first, second;

	if (conform_open(t, &first) < 0)
		return -1;
	if (conform_open(t, &second) < 0)
		return -1;
	conform_close(t, &first);
	conform_close(t, &second);
	return 0;
}

static int open_sends_nothing(struct conform *t)
{
	struct conform_self self;

	watch_arm(WATCH_NONE, 0);
	if (conform_open(t, &self) < 0)
		return -1;
	conform_close(t, &self);
	if (watch_requests() > 0)
		return conform_fail(t, "open sent %d HTTP requests", watch_requests());
	return 0;
}

/* ---- Offers ---- */

static int list_offers(struct conform *t, struct souk_offer_list *list)
{
	char words[CONFORM_TEXT];
	struct conform_op op;

	if (CONFORM_CALL(t, &t->main, &op, list_offers, list) == SOUK_OK)
		return 0;
	return conform_fail(t, "list_offers failed: %s", conform_words(op.ret, &op.err, words));
}

static int is_word(const char *text)
{
	const char *p;

	for (p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 127)
			return 0;
	return p != text;
}

static int judge_price(struct conform *t, const struct souk_offer *o)
{
	const int64_t prices[] = { o->micros_per_hour, o->spot_micros_per_hour };
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(prices); i++) {
		if (prices[i] < -1 || prices[i] > MAX_MICROS)
			return conform_fail(t, "'%s' in '%s' costs %lld millionths an hour",
					    o->instance_type, o->region, (long long)prices[i]);
		if (prices[i] == 0 && !(o->flags & SOUK_OFFER_FREE))
			return conform_fail(t, "'%s' in '%s' costs nothing and has no SOUK_OFFER_FREE",
					    o->instance_type, o->region);
		if (prices[i] > 0 && (o->flags & SOUK_OFFER_FREE))
			return conform_fail(t, "'%s' in '%s' has SOUK_OFFER_FREE and a price",
					    o->instance_type, o->region);
	}
	if (prices[0] < 0 && prices[1] < 0)
		return conform_fail(t, "'%s' in '%s' is sold neither on demand nor as spot",
				    o->instance_type, o->region);
	if (prices[1] >= 0 && !(t->ops->features & SOUK_FEATURE_SPOT))
		return conform_fail(t, "'%s' in '%s' has a spot price, and the module has no SOUK_FEATURE_SPOT",
				    o->instance_type, o->region);
	if (o->currency[0] && (!isupper((unsigned char)o->currency[0]) ||
			       !isupper((unsigned char)o->currency[1]) ||
			       !isupper((unsigned char)o->currency[2]) || o->currency[3]))
		return conform_fail(t, "'%s' in '%s' is priced in the currency '%.3s'", o->instance_type,
				    o->region, o->currency);
	return 0;
}

static int is_size_optional(const struct souk_offer *o)
{
	return (o->flags & SOUK_OFFER_FREE) || o->accelerator_milli > 0;
}

static int judge_offer(struct conform *t, const struct souk_offer *o)
{
	if (!is_word(o->instance_type) || !is_word(o->region) || (o->zone && !is_word(o->zone)))
		return conform_fail(t, "'%s' in '%s', '%s': a name is empty or has blanks",
				    o->instance_type, o->region, o->zone ? o->zone : "");
	if (o->arch && strcmp(o->arch, "x86_64") != 0 && strcmp(o->arch, "arm64") != 0)
		return conform_fail(t, "'%s' has the arch '%s'", o->instance_type, o->arch);
	if (!o->accelerator != !o->accelerator_milli)
		return conform_fail(t, "'%s': the accelerator '%s' and its number %u do not agree",
				    o->instance_type, o->accelerator ? o->accelerator : "",
				    (unsigned)o->accelerator_milli);
	if (o->accelerator_milli > 1024000)
		return conform_fail(t, "'%s' has %u thousandths of '%s'", o->instance_type,
				    (unsigned)o->accelerator_milli, o->accelerator);
	/* Of hosts of one's own, and of what comes with devices, the size may be unknown. */
	if ((o->vcpus_milli == 0 && !is_size_optional(o)) || o->vcpus_milli > 4096000)
		return conform_fail(t, "'%s' has %u thousandths of a vCPU", o->instance_type,
				    (unsigned)o->vcpus_milli);
	if ((o->memory_mib == 0 && !is_size_optional(o)) || o->memory_mib > 64 * 1024 * 1024)
		return conform_fail(t, "'%s' has %llu MiB of memory", o->instance_type,
				    (unsigned long long)o->memory_mib);
	if (o->available < -1)
		return conform_fail(t, "'%s' in '%s' has %d machines in stock", o->instance_type,
				    o->region, (int)o->available);
	return judge_price(t, o);
}

static int by_place(const void *left, const void *right)
{
	const struct souk_offer *a = left, *b = right;
	int order = strcmp(a->instance_type, b->instance_type);

	if (order == 0)
		order = strcmp(a->region, b->region);
	return order ? order : souk_strcmp(a->zone, b->zone);
}

/* One type may be sold with devices and without. */
static int by_place_and_devices(const void *left, const void *right)
{
	const struct souk_offer *a = left, *b = right;
	int order = by_place(a, b);

	if (order == 0)
		order = souk_strcmp(a->accelerator, b->accelerator);
	if (order == 0 && a->accelerator_milli != b->accelerator_milli)
		order = a->accelerator_milli < b->accelerator_milli ? -1 : 1;
	return order;
}

static int offers_list(struct conform *t)
{
	struct souk_offer_list list = { 0 };
	int ret = list_offers(t, &list);

	if (ret == 0 && list.n == 0)
		ret = conform_fail(t, "list_offers succeeded with nothing on sale");
	souk_offer_list_fini(&list);
	return ret;
}

static int offers_sane(struct conform *t)
{
	struct souk_offer_list list = { 0 };
	int ret = list_offers(t, &list);
	size_t i;

	for (i = 0; ret == 0 && i < list.n; i++)
		ret = judge_offer(t, &list.items[i]);
	souk_offer_list_fini(&list);
	return ret;
}

static int offers_unique(struct conform *t)
{
	struct souk_offer_list list = { 0 };
	int ret = list_offers(t, &list);
	size_t i;

	if (ret == 0 && list.n > 0)
		qsort(list.items, list.n, sizeof(*list.items), by_place_and_devices);
	for (i = 1; ret == 0 && i < list.n; i++)
		if (by_place_and_devices(&list.items[i - 1], &list.items[i]) == 0)
			ret = conform_fail(t, "'%s' in '%s', '%s' is there twice",
					   list.items[i].instance_type, list.items[i].region,
					   list.items[i].zone ? list.items[i].zone : "");
	souk_offer_list_fini(&list);
	return ret;
}

static int offers_quick(struct conform *t)
{
	struct souk_offer_list list = { 0 };
	int ret;

	if (!(t->ops->features & SOUK_FEATURE_QUICK_OFFERS))
		return conform_skip(t, "it has no SOUK_FEATURE_QUICK_OFFERS");
	watch_arm(WATCH_NONE, 0);
	ret = list_offers(t, &list);
	souk_offer_list_fini(&list);
	if (ret == 0 && watch_requests() > 0)
		ret = conform_fail(t, "list_offers sent %d HTTP requests, and SOUK_FEATURE_QUICK_OFFERS "
				      "says that it needs no network", watch_requests());
	return ret;
}

static int offers_read_only(struct conform *t)
{
	struct souk_offer_list list = { 0 };
	int ret;

	watch_arm(WATCH_NONE, 0);
	ret = list_offers(t, &list);
	souk_offer_list_fini(&list);
	if (ret == 0 && watch_mutations() > 0)
		ret = conform_fail(t, "list_offers sent requests marked SOUK_HTTP_MUTATES");
	return ret;
}

/* ---- Identity ---- */

static int check_identity(struct conform *t)
{
	struct souk_identity identity = { { 0 } };
	char words[CONFORM_TEXT];
	struct conform_op op;
	int ret = 0;

	if (!t->ops->check)
		return conform_skip(t, "it has no check");
	watch_arm(WATCH_NONE, 0);
	if (CONFORM_CALL(t, &t->main, &op, check, &identity) < 0)
		ret = conform_fail(t, "check failed: %s", conform_words(op.ret, &op.err, words));
	else if (!souk_pairs_get(&identity.pairs, "account") &&
		 !souk_pairs_get(&identity.pairs, "principal"))
		ret = conform_fail(t, "check tells neither 'account' nor 'principal'");
	else if (watch_mutations() > 0)
		ret = conform_fail(t, "check sent requests marked SOUK_HTTP_MUTATES");
	souk_identity_fini(&identity);
	return ret;
}

/* ---- What never was ---- */

static int nothing_listed(struct conform *t)
{
	struct souk_instance_list list = { 0 };
	struct souk_instance_filter filter = { .struct_size = sizeof(filter) };
	struct conform_names names;
	int ret, i;

	if (!t->ops->list_instances)
		return conform_skip(t, "it has no list_instances");
	conform_names(t, &names);
	for (i = 0; i < 3; i++) {
		filter.owner = i == 0 ? names.cluster : t->owner;
		filter.cluster = i == 1 ? names.cluster : NULL;
		filter.request_token = i == 2 ? names.token : NULL;
		watch_arm(WATCH_NONE, 0);
		ret = conform_list(t, &filter, &list);
		if (ret == 0 && list.n > 0)
			ret = conform_fail(t, "by %s that nobody has, list_instances finds '%s'",
					   i == 0 ? "an owner" : i == 1 ? "a cluster" : "a token",
					   list.items[0].id);
		if (ret == 0 && watch_mutations() > 0)
			ret = conform_fail(t, "list_instances sent requests marked SOUK_HTTP_MUTATES");
		souk_instance_list_fini(&list);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int nothing_swept(struct conform *t)
{
	struct souk_instance_filter filter = { .struct_size = sizeof(filter), .owner = t->owner };
	struct conform_names names;
	char words[CONFORM_TEXT];
	struct conform_op op;
	int i;

	if (!t->ops->sweep)
		return conform_skip(t, "it has no sweep");
	if (t->shared->n_picks == 0)
		return conform_skip(t, "there is no offer that names a region");
	conform_names(t, &names);
	filter.cluster = names.cluster;
	filter.region = t->shared->picks[0].region;
	for (i = 0; i < 2; i++)
		if (CONFORM_CALL(t, &t->main, &op, sweep, &filter) < 0)
			return conform_fail(t, "sweep of a cluster that never was failed: %s",
					    conform_words(op.ret, &op.err, words));
	return 0;
}

/* ---- For the other tests ---- */

static int is_wanted(const struct conform *t, const struct souk_offer *o)
{
	const struct conform_settings *s = t->settings;

	return o->micros_per_hour >= 0 && o->available != 0 &&
	       (!s->instance_type || strcmp(s->instance_type, o->instance_type) == 0) &&
	       (!s->region || strcmp(s->region, o->region) == 0);
}

static void fill_pick(struct conform_pick *pick, const struct souk_offer *o)
{
	*pick = (struct conform_pick){
		.accelerator_milli = o->accelerator_milli,
		.vcpus_milli = o->vcpus_milli,
		.memory_mib = o->memory_mib,
		.micros_per_hour = o->micros_per_hour,
	};
	snprintf(pick->type, sizeof(pick->type), "%s", o->instance_type);
	snprintf(pick->region, sizeof(pick->region), "%s", o->region);
	snprintf(pick->zone, sizeof(pick->zone), "%s", o->zone ? o->zone : "");
	snprintf(pick->arch, sizeof(pick->arch), "%s", o->arch ? o->arch : "");
	snprintf(pick->accelerator, sizeof(pick->accelerator), "%s", o->accelerator ? o->accelerator : "");
}

static int by_price(const void *left, const void *right)
{
	const struct souk_offer *a = left, *b = right;

	if (a->micros_per_hour != b->micros_per_hour)
		return a->micros_per_hour < b->micros_per_hour ? -1 : 1;
	return by_place(a, b);
}

/* The cheapest offers are those that the tests rent; of one type there is one, so that they differ. */
int conform_prepare(struct conform *t)
{
	struct conform_shared *shared = t->shared;
	struct souk_offer_list list = { 0 };
	int ret = list_offers(t, &list);
	size_t i;

	if (ret == 0 && list.n > 0)
		qsort(list.items, list.n, sizeof(*list.items), by_price);
	for (i = 0; ret == 0 && i < list.n && shared->n_picks < CONFORM_PICKS; i++) {
		int j, known = 0;

		for (j = 0; j < shared->n_picks; j++)
			known |= strcmp(shared->picks[j].type, list.items[i].instance_type) == 0;
		if (!known && is_wanted(t, &list.items[i]))
			fill_pick(&shared->picks[shared->n_picks++], &list.items[i]);
	}
	souk_offer_list_fini(&list);
	return ret;
}

const struct conform_test conform_tests_market[] = {
	{ "open.twice", "two instances can be open at once",
	  "keep all state in self, none in globals", 0, open_twice },
	{ "open.silent", "open sends nothing", "leave requests to the first op that needs them", 0,
	  open_sends_nothing },
	{ "offers.list", "list_offers finds something", "a price list that cannot be read is an error", 0,
	  offers_list },
	{ "offers.sane", "sizes, prices and names of the offers make sense",
	  "see struct souk_offer in souk/provider.h", 0, offers_sane },
	{ "offers.unique", "no instance type with the same devices is twice in one place",
	  "one offer has both prices, on-demand and spot", 0, offers_unique },
	{ "offers.quick", "quick offers need no network", "take SOUK_FEATURE_QUICK_OFFERS away", 0,
	  offers_quick },
	{ "offers.read-only", "list_offers changes nothing",
	  "SOUK_HTTP_MUTATES is for requests that create, change or destroy", 0, offers_read_only },
	{ "check.identity", "check says whose the credentials are",
	  "set account and principal with souk_identity_set()", 0, check_identity },
	{ "nothing.listed", "list_instances by tags that nobody has finds nothing",
	  "honour each member of struct souk_instance_filter", 0, nothing_listed },
	{ "nothing.swept", "sweep of a cluster that never was succeeds",
	  "having nothing to remove is no failure", 0, nothing_swept },
	{ NULL, NULL, NULL, 0, NULL },
};
