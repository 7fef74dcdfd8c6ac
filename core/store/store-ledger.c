/* SPDX-License-Identifier: Apache-2.0 */
/* store/store-ledger.c - every attempt to get a machine, and how it went */
#include <stdlib.h>

#include "base/error.h"
#include "base/util.h"
#include "store/store-internal.h"

#define ATTEMPTS_KEEP_S (7 * 86400)
#define EVENTS_KEEP_S (90 * 86400)

void souk_store_attempt_fini(struct souk_store_attempt *attempt)
{
	if (!attempt)
		return;
	free(attempt->provider);
	free(attempt->region);
	free(attempt->zone);
	free(attempt->instance_type);
	free(attempt->reason);
	free(attempt->accelerator);
	*attempt = (struct souk_store_attempt){ 0 };
}

static int add_attempt(struct souk_store *store, const struct souk_store_attempt *attempt,
		       struct souk_error *err)
{
	struct souk_db_value params[] = {
		SOUK_DB_TEXT(attempt->provider), SOUK_DB_TEXT(attempt->region),
		SOUK_DB_TEXT(attempt->zone), SOUK_DB_TEXT(attempt->instance_type),
		SOUK_DB_INT(attempt->spot), SOUK_DB_INT(attempt->code), SOUK_DB_INT(attempt->scope),
		SOUK_DB_TEXT(attempt->reason), SOUK_DB_INT(attempt->at),
		SOUK_DB_TEXT(attempt->accelerator), SOUK_DB_INT(attempt->accelerator_milli),
	};

	return store_write(store,
			   "INSERT INTO attempts (provider, region, zone, instance_type, spot, code,"
			   " scope, reason, at, accelerator, accelerator_milli)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
			   params, err);
}

/* What is older than anybody asks for goes, so that neither table grows for ever. The latest
 * attempt says what time it is. */
static int prune(struct souk_store *store, int64_t now, struct souk_error *err)
{
	struct souk_db_value attempts[] = { SOUK_DB_INT(now - ATTEMPTS_KEEP_S) };
	struct souk_db_value events[] = { SOUK_DB_INT((now - EVENTS_KEEP_S) * 1000) };
	int ret;

	ret = store_write(store, "DELETE FROM attempts WHERE at < $1", attempts, err);
	if (ret == SOUK_OK)
		ret = store_write(store, "DELETE FROM events WHERE at < $1", events, err);
	return ret;
}

int souk_store_attempt_add(struct souk_store *store, const struct souk_store_attempt *attempt,
			   struct souk_error *err)
{
	int ret;

	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	ret = add_attempt(store, attempt, err);
	if (ret == SOUK_OK)
		ret = prune(store, attempt->at, err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret;
}

struct rows {
	struct souk_store_attempt *items;
	size_t n;
};

static int read_attempt(const struct souk_db_value *v, unsigned n, void *arg, struct souk_error *err)
{
	struct rows *rows = arg;
	struct souk_store_attempt *attempt;
	void *items = souk_array_grow(rows->items, rows->n, sizeof(*rows->items));

	(void)n;
	if (!items)
		return souk_error_nomem(err);
	rows->items = items;
	attempt = &rows->items[rows->n++];
	*attempt = (struct souk_store_attempt){
		.spot = (int)v[4].integer,
		.code = (int32_t)v[5].integer,
		.scope = (int32_t)v[6].integer,
		.at = v[8].integer,
		.accelerator_milli = (uint32_t)v[10].integer,
	};
	if (souk_store_copy_text(&attempt->provider, &v[0], err) < 0 ||
	    souk_store_copy_text(&attempt->region, &v[1], err) < 0 ||
	    souk_store_copy_text(&attempt->zone, &v[2], err) < 0 ||
	    souk_store_copy_text(&attempt->instance_type, &v[3], err) < 0 ||
	    souk_store_copy_text(&attempt->reason, &v[7], err) < 0 ||
	    souk_store_copy_text(&attempt->accelerator, &v[9], err) < 0)
		return SOUK_E_NOMEM;
	return SOUK_OK;
}

int souk_store_attempts(struct souk_store *store, int64_t since,
			struct souk_store_attempt **attempts_out, size_t *n_out,
			struct souk_error *err)
{
	struct souk_db_value params[] = { SOUK_DB_INT(since) };
	struct rows rows = { 0 };
	int ret;

	ret = store->db->ops->run(store->db,
				  "SELECT provider, region, zone, instance_type, spot, code, scope,"
				  " reason, at, accelerator, accelerator_milli FROM attempts"
				  " WHERE at >= $1 ORDER BY at DESC LIMIT 10000",
				  params, 1, read_attempt, &rows, NULL, err);
	if (ret < 0) {
		souk_store_attempts_free(rows.items, rows.n);
		return ret;
	}
	*attempts_out = rows.items;
	*n_out = rows.n;
	return SOUK_OK;
}

void souk_store_attempts_free(struct souk_store_attempt *attempts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		souk_store_attempt_fini(&attempts[i]);
	free(attempts);
}
