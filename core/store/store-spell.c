/* SPDX-License-Identifier: Apache-2.0 */
/* store/store-spell.c - when each machine ran: written with what it follows from */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"
#include "store/store-internal.h"

#define IDENTITY_COLUMNS                                                                           \
	"cluster, rank, machine, token, provider, region, zone, instance_type, accelerator,"       \
	" accelerator_milli, spot"
#define TIME_COLUMNS "state, started_at, ended_at, end_asked_at, start_asked_at"
#define SELECT_SPELLS                                                                              \
	"SELECT number, " IDENTITY_COLUMNS ", " TIME_COLUMNS ", " SOUK_STORE_PRICE_COLUMNS        \
	" FROM spells"
/* The machine is no node of its cluster. */
#define NO_NODE                                                                                    \
	" AND NOT EXISTS (SELECT 1 FROM nodes n WHERE n.cluster = spells.cluster"                  \
	" AND n.id = spells.machine AND COALESCE(n.token, '') = COALESCE(spells.token, ''))"

/* ---- Prices ---- */

void souk_store_price_fini(struct souk_store_price *price)
{
	free(price->currency);
	free(price->source);
	free(price->date);
	*price = (struct souk_store_price){ 0 };
}

int souk_store_price_read(struct souk_store_price *price, const struct souk_db_value *v,
			  struct souk_error *err)
{
	price->micros_per_hour = v[0].integer;
	price->disk_micros_per_hour = v[1].integer;
	price->address_micros_per_hour = v[2].integer;
	if (souk_store_copy_text(&price->currency, &v[3], err) < 0 ||
	    souk_store_copy_text(&price->source, &v[4], err) < 0 ||
	    souk_store_copy_text(&price->date, &v[5], err) < 0)
		return SOUK_E_NOMEM;
	return SOUK_OK;
}

static int price_copy(struct souk_store_price *to, const struct souk_store_price *from,
		      struct souk_error *err)
{
	to->micros_per_hour = from->micros_per_hour;
	to->disk_micros_per_hour = from->disk_micros_per_hour;
	to->address_micros_per_hour = from->address_micros_per_hour;
	if (souk_strset(&to->currency, from->currency) < 0 ||
	    souk_strset(&to->source, from->source) < 0 || souk_strset(&to->date, from->date) < 0)
		return souk_error_nomem(err);
	return SOUK_OK;
}

/* ---- Reading ---- */

void souk_store_spell_fini(struct souk_store_spell *spell)
{
	if (!spell)
		return;
	free(spell->cluster);
	free(spell->machine);
	free(spell->token);
	free(spell->provider);
	free(spell->region);
	free(spell->zone);
	free(spell->instance_type);
	free(spell->accelerator);
	souk_store_price_fini(&spell->price);
	*spell = (struct souk_store_spell){ 0 };
}

struct rows {
	struct souk_store_spell *items;
	size_t n;
};

static int read_spell(const struct souk_db_value *v, unsigned n, void *arg, struct souk_error *err)
{
	struct rows *rows = arg;
	struct souk_store_spell *s;
	void *items = souk_array_grow(rows->items, rows->n, sizeof(*rows->items));

	(void)n;
	if (!items)
		return souk_error_nomem(err);
	rows->items = items;
	s = &rows->items[rows->n++];
	*s = (struct souk_store_spell){
		.number = v[0].integer,
		.rank = v[2].integer,
		.accelerator_milli = (uint32_t)v[10].integer,
		.spot = (int)v[11].integer,
		.state = (enum souk_spell_state)v[12].integer,
		.started_at = v[13].integer,
		.ended_at = v[14].integer,
		.end_asked_at = v[15].integer,
		.start_asked_at = v[16].integer,
	};
	if (souk_store_copy_text(&s->cluster, &v[1], err) < 0 ||
	    souk_store_copy_text(&s->machine, &v[3], err) < 0 ||
	    souk_store_copy_text(&s->token, &v[4], err) < 0 ||
	    souk_store_copy_text(&s->provider, &v[5], err) < 0 ||
	    souk_store_copy_text(&s->region, &v[6], err) < 0 ||
	    souk_store_copy_text(&s->zone, &v[7], err) < 0 ||
	    souk_store_copy_text(&s->instance_type, &v[8], err) < 0 ||
	    souk_store_copy_text(&s->accelerator, &v[9], err) < 0)
		return SOUK_E_NOMEM;
	return souk_store_price_read(&s->price, &v[17], err);
}

void souk_store_spells_free(struct souk_store_spell *spells, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		souk_store_spell_fini(&spells[i]);
	free(spells);
}

/* 'sql' is static: statements are kept by its address. */
static int query(struct souk_store *store, const char *sql, const struct souk_db_value *params,
		 unsigned n_params, struct rows *rows, struct souk_error *err)
{
	int ret = store->db->ops->run(store->db, sql, params, n_params, read_spell, rows, NULL, err);

	if (ret < 0) {
		souk_store_spells_free(rows->items, rows->n);
		*rows = (struct rows){ 0 };
	}
	return ret;
}

int souk_store_spells(struct souk_store *store, int64_t since, struct souk_store_spell **spells_out,
		      size_t *n_out, struct souk_error *err)
{
	struct souk_db_value params[] = { SOUK_DB_INT(since) };
	struct rows rows = { 0 };
	int ret;

	ret = query(store, SELECT_SPELLS " WHERE ended_at = 0 OR ended_at >= $1"
					 " ORDER BY started_at, number", params, 1, &rows, err);
	if (ret < 0)
		return ret;
	*spells_out = rows.items;
	*n_out = rows.n;
	return SOUK_OK;
}

/* The latest spell of a machine. *found_out is 0 if it has none. */
static int last_spell(struct souk_store *store, const struct souk_store_spell *of,
		      struct souk_store_spell *spell_out, int *found_out, struct souk_error *err)
{
	struct souk_db_value params[] = {
		SOUK_DB_TEXT(of->machine), SOUK_DB_TEXT(of->provider), SOUK_DB_TEXT(of->token),
	};
	struct rows rows = { 0 };
	int ret;

	/* Some clouds give the machines of a cluster of the same name the same ids again. */
	ret = query(store, SELECT_SPELLS " WHERE machine = $1 AND provider = $2"
					 " AND COALESCE(token, '') = COALESCE(CAST($3 AS TEXT), '')"
					 " ORDER BY number DESC LIMIT 1", params, 3, &rows, err);
	if (ret < 0)
		return ret;
	*found_out = rows.n > 0;
	if (rows.n > 0)
		*spell_out = rows.items[0];
	free(rows.items);
	return SOUK_OK;
}

/* ---- Writing ---- */

static int insert(struct souk_store *store, const struct souk_store_spell *s, struct souk_error *err)
{
	const struct souk_store_price *p = &s->price;
	struct souk_db_value params[] = {
		SOUK_DB_TEXT(s->cluster), SOUK_DB_INT(s->rank), SOUK_DB_TEXT(s->machine),
		SOUK_DB_TEXT(s->token), SOUK_DB_TEXT(s->provider), SOUK_DB_TEXT(s->region),
		SOUK_DB_TEXT(s->zone), SOUK_DB_TEXT(s->instance_type), SOUK_DB_TEXT(s->accelerator),
		SOUK_DB_INT(s->accelerator_milli), SOUK_DB_INT(s->spot), SOUK_DB_INT(s->state),
		SOUK_DB_INT(s->started_at), SOUK_DB_INT(s->ended_at), SOUK_DB_INT(s->end_asked_at),
		SOUK_DB_INT(s->start_asked_at), SOUK_DB_INT(p->micros_per_hour),
		SOUK_DB_INT(p->disk_micros_per_hour), SOUK_DB_INT(p->address_micros_per_hour),
		SOUK_DB_TEXT(p->currency), SOUK_DB_TEXT(p->source), SOUK_DB_TEXT(p->date),
	};

	return store_write(store,
			   "INSERT INTO spells (number, " IDENTITY_COLUMNS ", " TIME_COLUMNS ", "
			   SOUK_STORE_PRICE_COLUMNS ")"
			   " VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM spells), $1, $2, $3, $4, $5,"
			   " $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,"
			   " $22)",
			   params, err);
}

static int update(struct souk_store *store, const struct souk_store_spell *s, struct souk_error *err)
{
	struct souk_db_value params[] = {
		SOUK_DB_INT(s->rank), SOUK_DB_INT(s->state), SOUK_DB_INT(s->ended_at),
		SOUK_DB_INT(s->end_asked_at), SOUK_DB_INT(s->start_asked_at), SOUK_DB_INT(s->number),
	};

	return store_write(store,
			   "UPDATE spells SET rank = $1, state = $2, ended_at = $3, end_asked_at = $4,"
			   " start_asked_at = $5 WHERE number = $6",
			   params, err);
}

/* ---- What the cloud says of a machine ---- */

struct sight {
	struct souk_store_spell as; /* whose it is and what it costs; 'started_at': when it was asked for */
	int32_t status;
	int64_t created_at;	    /* 0: the cloud does not say */
	int fresh;		    /* the cloud has just said so; 0: it may have said it long ago */
};

static int is_running(int32_t status)
{
	return status == SOUK_INSTANCE_RUNNING || status == SOUK_INSTANCE_PENDING;
}

/* The moment from which a machine that is seen to run has run. */
static int64_t begin_of(const struct sight *sight, const struct souk_store_spell *last, int64_t now)
{
	int64_t asked = last ? last->start_asked_at : sight->as.started_at;
	int64_t least = last && last->ended_at > asked ? last->ended_at : asked;

	if (sight->created_at > 0 && sight->created_at >= least && sight->created_at <= now)
		return sight->created_at;
	return asked > 0 && asked >= least && asked <= now ? asked : now;
}

static int64_t end_of(const struct souk_store_spell *spell, int64_t now)
{
	return spell->end_asked_at >= spell->started_at ? spell->end_asked_at : now;
}

/* A spell begins: the first, or another of a machine that had stopped and costs what it did. */
static int begin_spell(struct souk_store *store, const struct sight *sight,
		       const struct souk_store_spell *last, int64_t now, struct souk_error *err)
{
	struct souk_store_spell spell = last ? *last : sight->as;

	spell.state = SOUK_SPELL_RUNNING;
	spell.started_at = begin_of(sight, last, now);
	spell.ended_at = spell.end_asked_at = spell.start_asked_at = 0;
	spell.rank = sight->as.rank;
	return insert(store, &spell, err);
}

/* Make of the latest spell what follows from a sight of its machine. 1: it has changed. */
static int follow(struct souk_store_spell *last, const struct sight *sight, int64_t now)
{
	struct souk_store_spell old = *last;
	int stopped = sight->status == SOUK_INSTANCE_STOPPED || sight->status == SOUK_INSTANCE_STOPPING;

	last->rank = sight->as.rank >= 0 ? sight->as.rank : last->rank;
	if (is_running(sight->status)) {
		/* It was not gone after all, or nothing came of what was asked. */
		if (sight->fresh || last->state == SOUK_SPELL_ENDED)
			last->end_asked_at = 0;
		last->state = SOUK_SPELL_RUNNING;
		last->ended_at = 0;
	} else {
		if (last->state == SOUK_SPELL_RUNNING)
			last->ended_at = end_of(last, now);
		last->state = stopped ? SOUK_SPELL_STOPPED : SOUK_SPELL_ENDED;
		if (sight->fresh)
			last->start_asked_at = 0;
	}
	return last->rank != old.rank || last->state != old.state || last->ended_at != old.ended_at ||
	       last->end_asked_at != old.end_asked_at || last->start_asked_at != old.start_asked_at;
}

static int take(struct souk_store *store, const struct sight *sight, struct souk_error *err)
{
	struct souk_store_spell last = { 0 };
	int64_t now = souk_clock_billing_s();
	int found = 0, ret;

	ret = last_spell(store, &sight->as, &last, &found, err);
	if (ret < 0)
		return ret;
	if (!found && is_running(sight->status)) {
		ret = begin_spell(store, sight, NULL, now, err);
	} else if (found && last.state == SOUK_SPELL_STOPPED && is_running(sight->status)) {
		ret = begin_spell(store, sight, &last, now, err);
		last.start_asked_at = 0;
		if (ret == SOUK_OK)
			ret = update(store, &last, err);
	} else if (found && follow(&last, sight, now)) {
		ret = update(store, &last, err);
	}
	souk_store_spell_fini(&last);
	return ret;
}

/* ---- Whose a machine is, and what it costs ---- */

static int describe(struct souk_store_spell *spell, const char *cluster, const char *provider,
		    const char *region, const char *zone, const char *instance_type,
		    struct souk_error *err)
{
	if (souk_strset(&spell->cluster, cluster) < 0 || souk_strset(&spell->provider, provider) < 0 ||
	    souk_strset(&spell->region, region) < 0 || souk_strset(&spell->zone, zone) < 0 ||
	    souk_strset(&spell->instance_type, instance_type) < 0)
		return souk_error_nomem(err);
	return SOUK_OK;
}

static int by_cluster(struct souk_store_spell *spell, const struct souk_store_cluster *c,
		      struct souk_error *err)
{
	struct souk_store_price price = {
		.micros_per_hour = c->micros_per_hour, .disk_micros_per_hour = -1,
		.address_micros_per_hour = -1, .currency = c->currency,
	};
	int ret;

	ret = describe(spell, c->name, c->provider, c->region, c->zone, c->instance_type, err);
	if (ret == SOUK_OK && souk_strset(&spell->accelerator, c->accelerator) < 0)
		ret = souk_error_nomem(err);
	spell->accelerator_milli = c->accelerator_milli;
	spell->spot = c->spot;
	return ret < 0 ? ret : price_copy(&spell->price, &price, err);
}

/* What was to be made knows best; what it does not say of the price stays the cluster's. */
static int by_intent(struct souk_store_spell *spell, const struct souk_store_intent *intent,
		     struct souk_error *err)
{
	int same = souk_streq(spell->provider, intent->provider) &&
		   souk_streq(spell->instance_type, intent->instance_type) &&
		   spell->spot == intent->spot;
	int ret;

	spell->started_at = intent->noted_at;
	if (!intent->price.currency && same)
		return describe(spell, intent->cluster, intent->provider, intent->region, intent->zone,
				intent->instance_type, err);
	ret = describe(spell, intent->cluster, intent->provider, intent->region, intent->zone,
		       intent->instance_type, err);
	if (ret == SOUK_OK && souk_strset(&spell->accelerator, intent->accelerator) < 0)
		ret = souk_error_nomem(err);
	spell->accelerator_milli = intent->accelerator_milli;
	spell->spot = intent->spot;
	return ret < 0 ? ret : price_copy(&spell->price, &intent->price, err);
}

/*
 * Describe the machines that were made under a token: by the cluster (may be NULL), and by the intent
 * if it is still there. Without either 'provider' stays NULL.
 */
static int describe_token(struct souk_store *store, const struct souk_store_cluster *cluster,
			  const char *name, const char *token, struct souk_store_spell *spell,
			  struct souk_error *err)
{
	struct souk_store_intent *intents = NULL;
	size_t n = 0, i;
	int ret = SOUK_OK;

	spell->rank = -1;
	if (cluster)
		ret = by_cluster(spell, cluster, err);
	if (ret == SOUK_OK && souk_strset(&spell->token, token) < 0)
		ret = souk_error_nomem(err);
	if (ret == SOUK_OK)
		ret = souk_store_intents(store, name, &intents, &n, err);
	for (i = 0; i < n && ret == SOUK_OK; i++)
		if (token && strcmp(intents[i].token, token) == 0)
			ret = by_intent(spell, &intents[i], err);
	souk_store_intents_free(intents, n);
	return ret;
}

/* ---- Nodes ---- */

static int take_node(struct souk_store *store, const struct souk_store_cluster *cluster,
		     const struct souk_store_node *node, struct souk_error *err)
{
	struct sight sight = {
		.status = node->status, .created_at = node->seen_created_at, .fresh = node->seen,
	};
	int ret;

	ret = describe_token(store, cluster, cluster->name, node->token, &sight.as, err);
	if (ret == SOUK_OK &&
	    (souk_strset(&sight.as.machine, node->id) < 0 ||
	     souk_strset(&sight.as.region, node->region) < 0 ||
	     (node->zone && souk_strset(&sight.as.zone, node->zone) < 0)))
		ret = souk_error_nomem(err);
	sight.as.rank = node->rank;
	if (ret == SOUK_OK)
		ret = take(store, &sight, err);
	souk_store_spell_fini(&sight.as);
	return ret;
}

/* Write the moment, $1, into spells that 'sql' chooses by $2. */
static int ask(struct souk_store *store, const char *sql, const char *by, struct souk_error *err)
{
	struct souk_db_value params[] = { SOUK_DB_INT(souk_clock_billing_s()), SOUK_DB_TEXT(by) };

	return store_write(store, sql, params, err);
}

#define ASK_END                                                                                    \
	"UPDATE spells SET end_asked_at = $1 WHERE state = 0 AND end_asked_at = 0"

int souk_store_spells_cluster_put(struct souk_store *store, const struct souk_store_cluster *cluster,
				  struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < cluster->n_nodes && ret == SOUK_OK; i++)
		ret = take_node(store, cluster, &cluster->nodes[i], err);
	/* What was a node and is none any more is on its way back. */
	if (ret == SOUK_OK)
		ret = ask(store, ASK_END " AND cluster = $2 AND rank >= 0" NO_NODE, cluster->name, err);
	if (ret == SOUK_OK && cluster->tearing_down)
		ret = ask(store, ASK_END " AND cluster = $2", cluster->name, err);
	return ret;
}

#define END_SPELLS                                                                                 \
	"UPDATE spells SET state = 2, ended_at ="                                                  \
	" CASE WHEN end_asked_at >= started_at THEN end_asked_at ELSE $1 END WHERE state = 0"

/* The cluster is known to be gone. */
int souk_store_spells_cluster_delete(struct souk_store *store, const char *name,
				     struct souk_error *err)
{
	int ret = ask(store, END_SPELLS " AND cluster = $2", name, err);
	struct souk_db_value params[] = { SOUK_DB_TEXT(name) };

	return ret < 0 ? ret : store_write(store, "UPDATE spells SET state = 2, start_asked_at = 0"
						  " WHERE cluster = $1 AND state = 1", params, err);
}

/* ---- Machines that are no nodes ---- */

int souk_store_spells_intent_closing(struct souk_store *store, const char *token,
				     struct souk_error *err)
{
	return ask(store, ASK_END " AND token = $2" NO_NODE, token, err);
}

/* It has become the cluster's nodes, or nothing is left of it. */
int souk_store_spells_intent_delete(struct souk_store *store, const char *token,
				    struct souk_error *err)
{
	return ask(store, END_SPELLS " AND token = $2" NO_NODE, token, err);
}

static int is_node(const struct souk_store_cluster *cluster, const char *machine)
{
	size_t i;

	for (i = 0; cluster && i < cluster->n_nodes; i++)
		if (strcmp(cluster->nodes[i].id, machine) == 0)
			return 1;
	return 0;
}

static int take_machine(struct souk_store *store, struct souk_store_spell *as,
			const struct souk_instance *machine, struct souk_error *err)
{
	struct sight sight = {
		.status = machine->status, .created_at = machine->created_at, .fresh = 1,
	};

	if (souk_strset(&as->machine, machine->id) < 0 ||
	    souk_strset(&as->region, machine->region) < 0 ||
	    (machine->zone && souk_strset(&as->zone, machine->zone) < 0))
		return souk_error_nomem(err);
	sight.as = *as;
	return take(store, &sight, err);
}

/* Those that were asked to end, and that the search does not find any more, have ended. */
static int end_missing(struct souk_store *store, const char *token,
		       const struct souk_instance *machines, size_t n, struct souk_error *err)
{
	struct souk_db_value params[] = { SOUK_DB_TEXT(token) };
	struct rows rows = { 0 };
	size_t i, j;
	int ret;

	ret = query(store, SELECT_SPELLS " WHERE state = 0 AND end_asked_at > 0 AND token = $1" NO_NODE,
		    params, 1, &rows, err);
	for (i = 0; i < rows.n && ret == SOUK_OK; i++) {
		for (j = 0; j < n; j++)
			if (strcmp(machines[j].id, rows.items[i].machine) == 0)
				break;
		if (j < n)
			continue;
		rows.items[i].state = SOUK_SPELL_ENDED;
		rows.items[i].ended_at = end_of(&rows.items[i], rows.items[i].end_asked_at);
		ret = update(store, &rows.items[i], err);
	}
	souk_store_spells_free(rows.items, rows.n);
	return ret;
}

/* Inside a transaction. */
static int take_machines(struct souk_store *store, const struct souk_store_cluster *cluster,
			 const char *name, const char *token, const struct souk_instance *machines,
			 size_t n, struct souk_error *err)
{
	struct souk_store_spell as = { 0 };
	size_t i;
	int ret;

	ret = describe_token(store, cluster, name, token, &as, err);
	for (i = 0; i < n && ret == SOUK_OK && as.provider; i++)
		if (!machines[i].kind && !is_node(cluster, machines[i].id))
			ret = take_machine(store, &as, &machines[i], err);
	souk_store_spell_fini(&as);
	return ret < 0 ? ret : end_missing(store, token, machines, n, err);
}

int souk_store_machines_found(struct souk_store *store, const char *cluster, const char *token,
			      const struct souk_instance *machines, size_t n, int ending,
			      struct souk_error *err)
{
	struct souk_store_cluster stored = { 0 };
	struct souk_error own = SOUK_ERROR_INIT;
	int ret, there;

	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	ret = souk_store_cluster_get(store, cluster, &stored, &own);
	there = ret == SOUK_OK;
	if (ret == SOUK_OK || ret == SOUK_E_NOT_FOUND)
		ret = take_machines(store, there ? &stored : NULL, cluster, token, machines, n, err);
	else
		souk_error_copy(&own, err);
	if (ret == SOUK_OK && ending)
		ret = souk_store_spells_intent_closing(store, token, err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	souk_store_cluster_fini(&stored);
	return ret;
}

/* ---- What is asked of a cluster ---- */

int souk_store_ask_end(struct souk_store *store, const char *cluster, struct souk_error *err)
{
	return ask(store, ASK_END " AND cluster = $2", cluster, err);
}

int souk_store_ask_start(struct souk_store *store, const char *cluster, struct souk_error *err)
{
	/* The latest of each machine that is a node: an earlier one was followed by another. */
	return ask(store,
		   "UPDATE spells SET start_asked_at = $1 WHERE state = 1 AND cluster = $2"
		   " AND start_asked_at = 0"
		   " AND EXISTS (SELECT 1 FROM nodes n WHERE n.cluster = $2 AND n.id = spells.machine"
		   " AND COALESCE(n.token, '') = COALESCE(spells.token, ''))"
		   " AND NOT EXISTS (SELECT 1 FROM spells s WHERE s.machine = spells.machine"
		   " AND s.provider = spells.provider AND COALESCE(s.token, '') ="
		   " COALESCE(spells.token, '') AND s.number > spells.number)",
		   cluster, err);
}

static int read_count(const struct souk_db_value *columns, unsigned n, void *arg,
		      struct souk_error *err)
{
	(void)n;
	(void)err;
	*(int *)arg = columns[0].integer > 0;
	return SOUK_OK;
}

int souk_store_is_asked(struct souk_store *store, const char *cluster, int *asked_out,
			struct souk_error *err)
{
	struct souk_db_value params[] = { SOUK_DB_TEXT(cluster) };

	return store->db->ops->run(store->db,
				   "SELECT COUNT(*) FROM spells WHERE cluster = $1 AND"
				   " ((state = 0 AND end_asked_at > 0) OR start_asked_at > 0)",
				   params, 1, read_count, asked_out, NULL, err);
}
