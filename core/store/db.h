/* SPDX-License-Identifier: Apache-2.0 */
/* store/db.h - a database behind one vtable: what every backend of the store can do */
#ifndef SOUK_STORE_DB_H
#define SOUK_STORE_DB_H

#include <stdint.h>

#include <souk/provider.h>

/* A parameter or a column: NULL, a number, or a text (borrowed). */
struct souk_db_value {
	enum { SOUK_DB_NULL, SOUK_DB_INT, SOUK_DB_TEXT } type;
	int64_t integer;
	const char *text;
};

#define SOUK_DB_INT(v) { SOUK_DB_INT, (v), NULL }
#define SOUK_DB_TEXT(v) { (v) ? SOUK_DB_TEXT : SOUK_DB_NULL, 0, (v) }

/* Gets one row of a result; its texts live until it returns. Not SOUK_OK ends the query. */
typedef int souk_db_row_fn(const struct souk_db_value *columns, unsigned n, void *arg,
			   struct souk_error *err);

struct souk_db;

/*
 * A backend. SQL is the part that SQLite and PostgreSQL share; parameters are $1, $2 ... in the
 * order in which they are first named.
 * 'changed_out' (may be NULL) counts the rows that a statement changed.
 */
struct souk_db_ops {
	void (*close)(struct souk_db *db);
	int (*run)(struct souk_db *db, const char *sql, const struct souk_db_value *params,
		   unsigned n_params, souk_db_row_fn *row, void *arg, int64_t *changed_out,
		   struct souk_error *err);
	/* Read all of it: INTERNAL, with the first fault, if it is damaged. */
	int (*verify)(struct souk_db *db, struct souk_error *err);
};

struct souk_db {
	const struct souk_db_ops *ops;
};

/*
 * Open the SQLite database in the file 'path' (WAL, synchronous FULL: what is committed is on
 * the disk). 'create' 0: NOT_FOUND if it is not there.
 */
int souk_db_sqlite_open(const char *path, int create, struct souk_db **db_out,
			struct souk_error *err);

#endif
