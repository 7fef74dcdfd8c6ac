/* SPDX-License-Identifier: Apache-2.0 */
/* store/store-internal.h - what the files of the store share */
#ifndef SOUK_STORE_INTERNAL_H
#define SOUK_STORE_INTERNAL_H

#include "store/db.h"
#include "store/store.h"

struct souk_store {
	struct souk_db *db;
	char *state_dir;
	int in_transaction;
};

/* Run a statement whose parameters are an array in scope, without a result. */
#define store_write(store, sql, params, err)                                                       \
	(store)->db->ops->run((store)->db, sql, params, SOUK_ARRAY_SIZE(params), NULL, NULL, NULL, err)

/* Copy a text column; NULL stays NULL. */
int souk_store_copy_text(char **slot, const struct souk_db_value *value, struct souk_error *err);

/* The price of a machine: its columns, in the order of the struct, for lists in SQL. */
#define SOUK_STORE_PRICE_COLUMNS                                                                   \
	"micros_per_hour, disk_micros_per_hour, address_micros_per_hour, currency, price_source,"  \
	" price_date"
#define SOUK_STORE_PRICE_N 6
int souk_store_price_read(struct souk_store_price *price, const struct souk_db_value *v,
			  struct souk_error *err);
void souk_store_price_fini(struct souk_store_price *price);

/* The spells' part of the transactions in which these things happen (store-spell.c). */
int souk_store_spells_cluster_put(struct souk_store *store, const struct souk_store_cluster *cluster,
				  struct souk_error *err);
int souk_store_spells_cluster_delete(struct souk_store *store, const char *name,
				     struct souk_error *err);
int souk_store_spells_intent_closing(struct souk_store *store, const char *token,
				     struct souk_error *err);
int souk_store_spells_intent_delete(struct souk_store *store, const char *token,
				    struct souk_error *err);

#endif
