/* SPDX-License-Identifier: Apache-2.0 */
/* store/store-intent.c - notes of what is about to be created, durable before it is */
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"
#include "store/store-internal.h"

void souk_store_intent_fini(struct souk_store_intent *intent)
{
	if (!intent)
		return;
	free(intent->token);
	free(intent->cluster);
	free(intent->provider);
	free(intent->region);
	free(intent->zone);
	free(intent->instance_type);
	free(intent->accelerator);
	souk_store_price_fini(&intent->price);
	*intent = (struct souk_store_intent){ 0 };
}

static int put_row(struct souk_store *store, const struct souk_store_intent *intent,
		   struct souk_error *err)
{
	const struct souk_store_price *price = &intent->price;
	struct souk_db_value params[] = {
		SOUK_DB_TEXT(intent->token), SOUK_DB_TEXT(intent->cluster),
		SOUK_DB_TEXT(intent->provider), SOUK_DB_TEXT(intent->region),
		SOUK_DB_TEXT(intent->zone), SOUK_DB_TEXT(intent->instance_type),
		SOUK_DB_INT(intent->count), SOUK_DB_INT(intent->spot),
		SOUK_DB_INT(intent->created_at), SOUK_DB_INT(intent->closing_since),
		SOUK_DB_INT(intent->absences), SOUK_DB_INT(intent->absent_at),
		SOUK_DB_TEXT(intent->accelerator), SOUK_DB_INT(intent->accelerator_milli),
		SOUK_DB_INT(price->micros_per_hour), SOUK_DB_INT(price->disk_micros_per_hour),
		SOUK_DB_INT(price->address_micros_per_hour), SOUK_DB_TEXT(price->currency),
		SOUK_DB_TEXT(price->source), SOUK_DB_TEXT(price->date),
		SOUK_DB_INT(intent->noted_at ? intent->noted_at : souk_clock_billing_s()),
	};

	return store_write(store,
			   "INSERT INTO intents (token, cluster, provider, region, zone,"
			   " instance_type, count, spot, created_at, closing_since, absences,"
			   " absent_at, accelerator, accelerator_milli, " SOUK_STORE_PRICE_COLUMNS
			   ", noted_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
			   " $14, $15, $16, $17, $18, $19, $20, $21)"
			   " ON CONFLICT (token) DO UPDATE SET closing_since = excluded.closing_since,"
			   " absences = excluded.absences, absent_at = excluded.absent_at",
			   params, err);
}

int souk_store_intent_put(struct souk_store *store, const struct souk_store_intent *intent,
			  struct souk_error *err)
{
	int ret;

	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	ret = put_row(store, intent, err);
	if (ret == SOUK_OK && intent->closing_since)
		ret = souk_store_spells_intent_closing(store, intent->token, err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret;
}

int souk_store_intent_delete(struct souk_store *store, const char *token, struct souk_error *err)
{
	struct souk_db_value params[] = { SOUK_DB_TEXT(token) };
	int ret;

	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	ret = souk_store_spells_intent_delete(store, token, err);
	if (ret == SOUK_OK)
		ret = store_write(store, "DELETE FROM intents WHERE token = $1", params, err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret;
}

struct rows {
	struct souk_store_intent *items;
	size_t n;
};

static int read_intent(const struct souk_db_value *v, unsigned n, void *arg, struct souk_error *err)
{
	struct rows *rows = arg;
	struct souk_store_intent *intent;
	void *items = souk_array_grow(rows->items, rows->n, sizeof(*rows->items));

	(void)n;
	if (!items)
		return souk_error_nomem(err);
	rows->items = items;
	intent = &rows->items[rows->n++];
	*intent = (struct souk_store_intent){
		.count = (uint32_t)v[6].integer,
		.spot = (int)v[7].integer,
		.created_at = v[8].integer,
		.closing_since = v[9].integer,
		.absences = (uint32_t)v[10].integer,
		.absent_at = v[11].integer,
		.accelerator_milli = (uint32_t)v[13].integer,
		.noted_at = v[14 + SOUK_STORE_PRICE_N].integer,
	};
	if (souk_store_copy_text(&intent->token, &v[0], err) < 0 ||
	    souk_store_copy_text(&intent->cluster, &v[1], err) < 0 ||
	    souk_store_copy_text(&intent->provider, &v[2], err) < 0 ||
	    souk_store_copy_text(&intent->region, &v[3], err) < 0 ||
	    souk_store_copy_text(&intent->zone, &v[4], err) < 0 ||
	    souk_store_copy_text(&intent->instance_type, &v[5], err) < 0 ||
	    souk_store_copy_text(&intent->accelerator, &v[12], err) < 0 ||
	    souk_store_price_read(&intent->price, &v[14], err) < 0)
		return SOUK_E_NOMEM;
	return SOUK_OK;
}

int souk_store_intents(struct souk_store *store, const char *cluster,
		       struct souk_store_intent **intents_out, size_t *n_out, struct souk_error *err)
{
	struct souk_db_value params[] = { SOUK_DB_TEXT(cluster) };
	struct rows rows = { 0 };
	int ret;

	ret = store->db->ops->run(store->db,
				  "SELECT token, cluster, provider, region, zone, instance_type, count,"
				  " spot, created_at, closing_since, absences, absent_at, accelerator,"
				  " accelerator_milli, " SOUK_STORE_PRICE_COLUMNS ", noted_at FROM intents"
				  " WHERE CAST($1 AS TEXT) IS NULL OR cluster = $1"
				  " ORDER BY created_at, token",
				  params, 1, read_intent, &rows, NULL, err);
	if (ret < 0) {
		souk_store_intents_free(rows.items, rows.n);
		return ret;
	}
	*intents_out = rows.items;
	*n_out = rows.n;
	return SOUK_OK;
}

void souk_store_intents_free(struct souk_store_intent *intents, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		souk_store_intent_fini(&intents[i]);
	free(intents);
}
