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

#endif
