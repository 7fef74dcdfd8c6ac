/* SPDX-License-Identifier: Apache-2.0 */
/* cost.c - what the machines have cost, from the store's record of when each ran */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/money.h"
#include "base/util.h"
#include "context.h"

struct souk_cost {
	struct souk_store_spell *spells;
	size_t n_spells;
	struct souk_cost_row *rows;
	const struct souk_store_spell **of; /* of the rows */
	size_t n_rows;
	struct souk_cost_group *groups;
	size_t n_groups;
	struct souk_cost_group *totals;
	size_t n_totals;
	char **missing;
	size_t n_missing;
};

int64_t souk_cost_now(void)
{
	return souk_clock_billing_s();
}

/* ---- Rows ---- */

static const char *state_name(enum souk_spell_state state)
{
	static const char *const names[] = { "RUNNING", "STOPPED", "ENDED" };

	return (size_t)state < SOUK_ARRAY_SIZE(names) ? names[state] : "ENDED";
}

static const char *currency_of(const struct souk_store_price *price)
{
	return price->currency && *price->currency ? price->currency : "USD";
}

/* The seconds of a spell that lie between two moments. */
static int64_t overlap(const struct souk_store_spell *s, int64_t since, int64_t until)
{
	int64_t begin = s->started_at > since ? s->started_at : since;
	int64_t end = s->ended_at && s->ended_at < until ? s->ended_at : until;

	return end > begin ? end - begin : 0;
}

/* What is known of the hour's price, for so long; -1 if the machine's own is not. */
static int64_t cost_of(const struct souk_store_price *price, int64_t seconds)
{
	int64_t hourly = price->micros_per_hour;

	if (hourly < 0)
		return -1;
	if (price->disk_micros_per_hour > 0)
		hourly = souk_money_add(hourly, price->disk_micros_per_hour);
	if (price->address_micros_per_hour > 0)
		hourly = souk_money_add(hourly, price->address_micros_per_hour);
	return souk_money_scale(hourly, (uint64_t)seconds, 3600);
}

static void fill_row(struct souk_cost_row *row, const struct souk_store_spell *s, int64_t seconds)
{
	*row = (struct souk_cost_row){
		.cluster = s->cluster,
		.rank = s->rank,
		.machine = s->machine,
		.provider = s->provider,
		.region = s->region,
		.zone = s->zone,
		.instance_type = s->instance_type,
		.accelerator = s->accelerator,
		.accelerator_milli = s->accelerator_milli,
		.spot = s->spot,
		.state = state_name(s->state),
		.started_at = s->started_at,
		.ended_at = s->ended_at,
		.seconds = seconds,
		.micros_per_hour = s->price.micros_per_hour,
		.disk_micros_per_hour = s->price.disk_micros_per_hour,
		.address_micros_per_hour = s->price.address_micros_per_hour,
		.currency = currency_of(&s->price),
		.price_source = s->price.source,
		.price_date = s->price.date,
		.cost_micros = cost_of(&s->price, seconds),
	};
}

static int matches(const char *pattern, const char *name)
{
	return strcmp(pattern, name) == 0 || fnmatch(pattern, name, FNM_PERIOD) == 0;
}

/* Is the cluster asked about? Notes in 'met' which of the names it has. */
static int is_wanted(const struct souk_cost_query *query, const char *cluster, unsigned char *met)
{
	int wanted = query->n_clusters == 0;
	size_t i;

	for (i = 0; i < query->n_clusters; i++) {
		if (matches(query->clusters[i], cluster)) {
			met[i] = 1;
			wanted = 1;
		}
	}
	return wanted;
}

static int note_missing(struct souk *souk, struct souk_cost *cost,
			const struct souk_cost_query *query, const unsigned char *met,
			struct souk_error *err)
{
	size_t i;

	cost->missing = calloc(query->n_clusters + 1, sizeof(*cost->missing));
	if (!cost->missing)
		return souk_error_nomem(err);
	for (i = 0; i < query->n_clusters; i++) {
		/* One that has had no machine yet has cost nothing. */
		if (met[i] || souk_cluster_exists(souk, query->clusters[i]))
			continue;
		cost->missing[cost->n_missing] = strdup(query->clusters[i]);
		if (!cost->missing[cost->n_missing])
			return souk_error_nomem(err);
		cost->n_missing++;
	}
	return SOUK_OK;
}

static int make_rows(struct souk *souk, struct souk_cost *cost, const struct souk_cost_query *query,
		     struct souk_error *err)
{
	SOUK_AUTO_FREE unsigned char *met = calloc(query->n_clusters + 1, 1);
	int64_t now = souk_clock_billing_s();
	int64_t until = query->until && query->until < now ? query->until : now;
	size_t i;

	cost->rows = calloc(cost->n_spells + 1, sizeof(*cost->rows));
	cost->of = calloc(cost->n_spells + 1, sizeof(*cost->of));
	if (!met || !cost->rows || !cost->of)
		return souk_error_nomem(err);
	for (i = 0; i < cost->n_spells; i++) {
		const struct souk_store_spell *s = &cost->spells[i];

		if (!is_wanted(query, s->cluster, met) || s->started_at > until ||
		    (s->ended_at && s->ended_at < query->since))
			continue;
		cost->of[cost->n_rows] = s;
		fill_row(&cost->rows[cost->n_rows++], s, overlap(s, query->since, until));
	}
	return note_missing(souk, cost, query, met, err);
}

/* ---- Groups ---- */

/* What is compared, in this order; a member that a group does not go by is left alone. */
struct keys {
	int cluster, provider, region, type, market;
};

static const struct keys keys_by[] = {
	[SOUK_COST_BY_CLUSTER] = { 1, 1, 1, 1, 1 },
	[SOUK_COST_BY_PROVIDER] = { .provider = 1 },
	[SOUK_COST_BY_REGION] = { .provider = 1, .region = 1 },
	[SOUK_COST_BY_TYPE] = { .provider = 1, .type = 1 },
	[SOUK_COST_BY_MARKET] = { .market = 1 },
};
static const struct keys no_keys;

static int compare_keys(const struct keys *by, const struct souk_cost_row *a,
			const struct souk_cost_row *b)
{
	int order = 0;

	if (by->cluster)
		order = souk_strcmp(a->cluster, b->cluster);
	if (order == 0 && by->provider)
		order = souk_strcmp(a->provider, b->provider);
	if (order == 0 && by->region)
		order = souk_strcmp(a->region, b->region);
	if (order == 0 && by->type)
		order = souk_strcmp(a->instance_type, b->instance_type);
	if (order == 0 && by->market)
		order = a->spot - b->spot;
	return order ? order : souk_strcmp(a->currency, b->currency);
}

struct sorted {
	const struct keys *by;
	const struct souk_cost_row *row;
	const struct souk_store_spell *of;
};

static int same_machine(const struct souk_store_spell *a, const struct souk_store_spell *b)
{
	return souk_streq(a->machine, b->machine) && souk_streq(a->provider, b->provider) &&
	       souk_streq(a->token, b->token);
}

/* By group, then the spells of each machine together, the latest last. */
static int compare(const void *left, const void *right)
{
	const struct sorted *a = left, *b = right;
	int order = compare_keys(a->by, a->row, b->row);

	if (order == 0)
		order = souk_strcmp(a->of->provider, b->of->provider);
	if (order == 0)
		order = souk_strcmp(a->of->machine, b->of->machine);
	if (order == 0)
		order = souk_strcmp(a->of->token, b->of->token);
	return order ? order : a->of->number < b->of->number ? -1 : 1;
}

static void begin_group(struct souk_cost_group *group, const struct keys *by,
			const struct souk_cost_row *row)
{
	*group = (struct souk_cost_group){
		.cluster = by->cluster ? row->cluster : NULL,
		.provider = by->provider ? row->provider : NULL,
		.region = by->region ? row->region : NULL,
		.instance_type = by->type ? row->instance_type : NULL,
		.accelerator = by->type ? row->accelerator : NULL,
		.accelerator_milli = by->type ? row->accelerator_milli : 0,
		.market = !by->market ? NULL : row->spot ? "spot" : "on-demand",
		.state = "ENDED",
		.first_at = row->started_at,
		.currency = row->currency,
	};
}

/* 'last': no later spell of the same machine is in the group. */
static void add_row(struct souk_cost_group *group, const struct sorted *item, int last)
{
	const struct souk_cost_row *row = item->row;

	group->spells++;
	group->machines += last ? 1 : 0;
	group->seconds = souk_money_add(group->seconds, row->seconds);
	if (row->cost_micros < 0)
		group->unpriced_seconds = souk_money_add(group->unpriced_seconds, row->seconds);
	else
		group->cost_micros = souk_money_add(group->cost_micros, row->cost_micros);
	if (row->started_at < group->first_at)
		group->first_at = row->started_at;
	if (item->of->state == SOUK_SPELL_RUNNING ||
	    (last && item->of->state == SOUK_SPELL_STOPPED && strcmp(group->state, "ENDED") == 0))
		group->state = row->state;
}

static int make_groups(const struct souk_cost *cost, const struct keys *by,
		       struct souk_cost_group **groups_out, size_t *n_out, struct souk_error *err)
{
	SOUK_AUTO_FREE struct sorted *sorted = calloc(cost->n_rows + 1, sizeof(*sorted));
	struct souk_cost_group *groups = calloc(cost->n_rows + 1, sizeof(*groups));
	size_t i, n = 0;

	if (!sorted || !groups) {
		free(groups);
		return souk_error_nomem(err);
	}
	for (i = 0; i < cost->n_rows; i++)
		sorted[i] = (struct sorted){ by, &cost->rows[i], cost->of[i] };
	if (cost->n_rows > 1)
		qsort(sorted, cost->n_rows, sizeof(*sorted), compare);
	for (i = 0; i < cost->n_rows; i++) {
		int more = i + 1 < cost->n_rows &&
			   compare_keys(by, sorted[i].row, sorted[i + 1].row) == 0;

		if (i == 0 || compare_keys(by, sorted[i - 1].row, sorted[i].row) != 0)
			begin_group(&groups[n++], by, sorted[i].row);
		add_row(&groups[n - 1], &sorted[i], !more || !same_machine(sorted[i].of, sorted[i + 1].of));
	}
	*groups_out = groups;
	*n_out = n;
	return SOUK_OK;
}

/* ---- The report ---- */

int souk_cost_find(struct souk *souk, const struct souk_cost_query *query, struct souk_cost **cost_out,
		   struct souk_error *err)
{
	struct souk_cost *cost;
	int ret;

	ret = souk_need_store(souk, 0, err);
	if (ret < 0 && ret != SOUK_E_NOT_FOUND)
		return ret;
	cost = calloc(1, sizeof(*cost));
	if (!cost)
		return souk_error_nomem(err);
	ret = SOUK_OK;
	/* Whether a name is missing depends on all that there ever was. */
	if (souk->store)
		ret = souk_store_spells(souk->store, query->n_clusters ? 0 : query->since, &cost->spells,
					&cost->n_spells, err);
	if (ret == SOUK_OK)
		ret = make_rows(souk, cost, query, err);
	if (ret == SOUK_OK)
		ret = make_groups(cost, &keys_by[query->by], &cost->groups, &cost->n_groups, err);
	if (ret == SOUK_OK)
		ret = make_groups(cost, &no_keys, &cost->totals, &cost->n_totals, err);
	if (ret < 0) {
		souk_cost_free(cost);
		return ret;
	}
	*cost_out = cost;
	return SOUK_OK;
}

void souk_cost_free(struct souk_cost *cost)
{
	size_t i;

	if (!cost)
		return;
	for (i = 0; i < cost->n_missing; i++)
		free(cost->missing[i]);
	free(cost->missing);
	free(cost->totals);
	free(cost->groups);
	free(cost->of);
	free(cost->rows);
	souk_store_spells_free(cost->spells, cost->n_spells);
	free(cost);
}

const struct souk_cost_row *souk_cost_row(const struct souk_cost *cost, size_t i)
{
	return i < cost->n_rows ? &cost->rows[i] : NULL;
}

const struct souk_cost_group *souk_cost_group(const struct souk_cost *cost, size_t i)
{
	return i < cost->n_groups ? &cost->groups[i] : NULL;
}

const struct souk_cost_group *souk_cost_total(const struct souk_cost *cost, size_t i)
{
	return i < cost->n_totals ? &cost->totals[i] : NULL;
}

const char *souk_cost_missing(const struct souk_cost *cost, size_t i)
{
	return i < cost->n_missing ? cost->missing[i] : NULL;
}
