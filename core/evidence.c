/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.c - the capacity ledger, for the public face */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/pattern.h"
#include "base/util.h"
#include "market/accelerator.h"
#include "offers-internal.h"

/* The store keeps a week; everything in it is shown. */
#define SHOW_S (7 * 86400)

struct souk_evidence_list {
	struct souk_ledger ledger;
	struct souk_evidence_row *rows;
	size_t n;
};

/* The memory of an accelerator, as far as the table of names knows it. */
static uint32_t memory_of(const char *accelerator)
{
	const struct souk_accelerator_info *info = souk_accelerator_find(accelerator);

	return info ? info->memory_gib * 1024 : 0;
}

static int fits(const struct offers_filter *filter, const struct souk_store_attempt *a)
{
	if (filter->provider && !souk_pattern_matches(filter->provider, a->provider))
		return 0;
	if (filter->given->accelerator &&
	    (!a->accelerator ||
	     !offers_filter_accelerator(filter, a->accelerator, memory_of(a->accelerator)) ||
	     (filter->counted && a->accelerator_milli != filter->accelerator.milli)))
		return 0;
	if (filter->instance_type && !souk_pattern_matches(filter->instance_type, a->instance_type))
		return 0;
	return (!filter->given->spot || a->spot) && offers_filter_place(filter, a->region, a->zone);
}

static void fill_row(const struct souk_ledger *ledger, size_t i, struct souk_evidence_row *row)
{
	const struct souk_store_attempt *a = &ledger->attempts[i];
	int64_t until = souk_ledger_cooling_until(ledger, i);

	*row = (struct souk_evidence_row){
		.provider = a->provider,
		.region = a->region,
		.zone = a->zone,
		.instance_type = a->instance_type,
		.accelerator = a->accelerator,
		.accelerator_milli = a->accelerator_milli,
		.spot = a->spot,
		.code = a->code,
		.code_name = souk_code_name(a->code),
		.scope = souk_scope_name(a->code == SOUK_OK ? SOUK_SCOPE_OFFER : a->scope),
		.reason = a->reason,
		.at = a->at,
		.weight_milli = (uint32_t)souk_ledger_weight(ledger, i),
		.cooldown_left_s = until > ledger->now ? until - ledger->now : 0,
	};
}

static int load(struct souk *souk, struct souk_ledger *ledger, struct souk_error *err)
{
	struct souk_store_attempt *attempts;
	int64_t now = souk_clock_wall_s();
	size_t n;
	int ret;

	*ledger = (struct souk_ledger){ .now = now };
	ret = souk_need_store(souk, 0, err);
	if (ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	if (ret == SOUK_OK)
		ret = souk_store_attempts(souk->store, now - SHOW_S, &attempts, &n, err);
	return ret < 0 ? ret : souk_ledger_init(ledger, attempts, n, now, err);
}

static int make_rows(struct souk_evidence_list *list, const struct offers_filter *filter,
		     struct souk_error *err)
{
	size_t limit = filter->given->limit ? filter->given->limit : SIZE_MAX, i;

	list->rows = calloc(list->ledger.n + 1, sizeof(*list->rows));
	if (!list->rows)
		return souk_error_nomem(err);
	for (i = 0; i < list->ledger.n && list->n < limit; i++)
		if (fits(filter, &list->ledger.attempts[i]))
			fill_row(&list->ledger, i, &list->rows[list->n++]);
	return SOUK_OK;
}

int souk_evidence_find(struct souk *souk, const struct souk_offer_filter *given,
		       struct souk_evidence_list **list_out, struct souk_error *err)
{
	struct souk_evidence_list *list = calloc(1, sizeof(*list));
	struct offers_filter filter;
	int ret;

	if (!list)
		return souk_error_nomem(err);
	ret = offers_filter_init(&filter, given, err);
	if (ret == SOUK_OK)
		ret = load(souk, &list->ledger, err);
	if (ret == SOUK_OK)
		ret = make_rows(list, &filter, err);
	offers_filter_fini(&filter);
	if (ret < 0) {
		souk_evidence_free(list);
		return ret;
	}
	*list_out = list;
	return SOUK_OK;
}

void souk_evidence_free(struct souk_evidence_list *list)
{
	if (!list)
		return;
	free(list->rows);
	souk_ledger_fini(&list->ledger);
	free(list);
}

size_t souk_evidence_count(const struct souk_evidence_list *list)
{
	return list->n;
}

const struct souk_evidence_row *souk_evidence_row(const struct souk_evidence_list *list, size_t i)
{
	return i < list->n ? &list->rows[i] : NULL;
}
