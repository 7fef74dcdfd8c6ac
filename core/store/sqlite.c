/* SPDX-License-Identifier: Apache-2.0 */
/* store/sqlite.c - the store's database as a SQLite file */
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <souk/souk.h>

#include "base/error.h"
#include "base/util.h"

#define BUSY_TIMEOUT_MS 30000
#define CACHE_MAX 48

struct statement {
	const char *sql; /* the caller's static text: compared by address */
	sqlite3_stmt *stmt;
};

struct sqlite_db {
	struct souk_db db;
	sqlite3 *handle;
	struct statement cache[CACHE_MAX];
	unsigned n_cached;
};

static int fail(struct sqlite_db *db, const char *what, struct souk_error *err)
{
	int code = sqlite3_errcode(db->handle);

	if (code == SQLITE_NOMEM)
		return souk_error_nomem(err);
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return souk_error_set(err, SOUK_E_TRANSIENT, "the store is busy: %s",
				      sqlite3_errmsg(db->handle));
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) {
		souk_error_set(err, SOUK_E_INTERNAL, "the store '%s' is damaged: %s",
			       sqlite3_db_filename(db->handle, "main"), sqlite3_errmsg(db->handle));
		return souk_error_hint(err, "move the file away, then 'souk status --refresh' finds "
					    "the machines by their tags");
	}
	if (code == SQLITE_FULL || code == SQLITE_IOERR || code == SQLITE_CANTOPEN ||
	    code == SQLITE_READONLY) {
		souk_error_set(err, SOUK_E_INTERNAL, "the store '%s' cannot be read or written: %s",
			       sqlite3_db_filename(db->handle, "main"), sqlite3_errmsg(db->handle));
		if (code == SQLITE_FULL)
			souk_error_hint(err, "make room on the disk");
		return souk_error_reason(err, SOUK_REASON_SYSTEM);
	}
	return souk_error_set(err, SOUK_E_INTERNAL, "the store: %s: %s", what,
			      sqlite3_errmsg(db->handle));
}

static int prepare(struct sqlite_db *db, const char *sql, sqlite3_stmt **stmt_out,
		   struct souk_error *err)
{
	unsigned i;

	for (i = 0; i < db->n_cached; i++) {
		if (db->cache[i].sql == sql) {
			*stmt_out = db->cache[i].stmt;
			return SOUK_OK;
		}
	}
	if (sqlite3_prepare_v2(db->handle, sql, -1, stmt_out, NULL) != SQLITE_OK)
		return fail(db, sql, err);
	if (db->n_cached < CACHE_MAX)
		db->cache[db->n_cached++] = (struct statement){ sql, *stmt_out };
	return SOUK_OK;
}

static int is_cached(const struct sqlite_db *db, const sqlite3_stmt *stmt)
{
	unsigned i;

	for (i = 0; i < db->n_cached; i++)
		if (db->cache[i].stmt == stmt)
			return 1;
	return 0;
}

static int bind(sqlite3_stmt *stmt, const struct souk_db_value *params, unsigned n)
{
	unsigned i;
	int ret = SQLITE_OK;

	for (i = 0; i < n && ret == SQLITE_OK; i++) {
		if (params[i].type == SOUK_DB_INT)
			ret = sqlite3_bind_int64(stmt, (int)i + 1, params[i].integer);
		else if (params[i].type == SOUK_DB_TEXT)
			ret = sqlite3_bind_text(stmt, (int)i + 1, params[i].text, -1, SQLITE_STATIC);
		else
			ret = sqlite3_bind_null(stmt, (int)i + 1);
	}
	return ret;
}

#define COLUMNS_MAX 40

static unsigned read_columns(sqlite3_stmt *stmt, struct souk_db_value *columns)
{
	unsigned n = (unsigned)sqlite3_column_count(stmt), i;

	for (i = 0; i < n && i < COLUMNS_MAX; i++) {
		int type = sqlite3_column_type(stmt, (int)i);

		columns[i] = (struct souk_db_value){ SOUK_DB_NULL, 0, NULL };
		if (type == SQLITE_INTEGER) {
			columns[i].type = SOUK_DB_INT;
			columns[i].integer = sqlite3_column_int64(stmt, (int)i);
		} else if (type != SQLITE_NULL) {
			columns[i].type = SOUK_DB_TEXT;
			columns[i].text = (const char *)sqlite3_column_text(stmt, (int)i);
		}
	}
	return i;
}

static int step(struct sqlite_db *db, sqlite3_stmt *stmt, souk_db_row_fn *row, void *arg,
		struct souk_error *err)
{
	struct souk_db_value columns[COLUMNS_MAX];
	unsigned n;
	int ret;

	for (;;) {
		ret = sqlite3_step(stmt);
		if (ret == SQLITE_DONE)
			return SOUK_OK;
		if (ret != SQLITE_ROW)
			return fail(db, sqlite3_sql(stmt), err);
		if (!row)
			continue;
		n = read_columns(stmt, columns);
		ret = row(columns, n, arg, err);
		if (ret < 0)
			return ret;
	}
}

static int sqlite_run(struct souk_db *base, const char *sql, const struct souk_db_value *params,
		      unsigned n_params, souk_db_row_fn *row, void *arg, int64_t *changed_out,
		      struct souk_error *err)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	sqlite3_stmt *stmt;
	int ret;

	ret = prepare(db, sql, &stmt, err);
	if (ret < 0)
		return ret;
	if (bind(stmt, params, n_params) != SQLITE_OK)
		ret = fail(db, sql, err);
	else
		ret = step(db, stmt, row, arg, err);
	sqlite3_reset(stmt);
	sqlite3_clear_bindings(stmt);
	if (ret == SOUK_OK && changed_out)
		*changed_out = sqlite3_changes64(db->handle);
	if (!is_cached(db, stmt))
		sqlite3_finalize(stmt);
	return ret;
}

/* Its first row is "ok", or the first fault. */
static int read_verdict(const struct souk_db_value *columns, unsigned n, void *arg,
			struct souk_error *err)
{
	const char *verdict = n && columns[0].type == SOUK_DB_TEXT ? columns[0].text : "no verdict";

	(void)arg;
	if (strcmp(verdict, "ok") == 0)
		return SOUK_OK;
	return souk_error_set(err, SOUK_E_INTERNAL, "the store is damaged: %.200s", verdict);
}

static int sqlite_verify(struct souk_db *base, struct souk_error *err)
{
	return sqlite_run(base, "PRAGMA integrity_check(1)", NULL, 0, read_verdict, NULL, NULL, err);
}

static void sqlite_close(struct souk_db *base)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	unsigned i;

	for (i = 0; i < db->n_cached; i++)
		sqlite3_finalize(db->cache[i].stmt);
	sqlite3_close(db->handle);
	free(db);
}

static const struct souk_db_ops sqlite_ops = {
	.close = sqlite_close, .run = sqlite_run, .verify = sqlite_verify,
};

static int set_up(struct sqlite_db *db, int create, struct souk_error *err)
{
	sqlite3_extended_result_codes(db->handle, 0);
	sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
	/* The mode stays in the file; to ask for it again would cost every reader a lock. */
	if (create && sqlite3_exec(db->handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK)
		return fail(db, "journal_mode", err);
	if (sqlite3_exec(db->handle, "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON", NULL, NULL,
			 NULL) != SQLITE_OK)
		return fail(db, "set-up", err);
	return SOUK_OK;
}

static int is_empty_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

/* Not there yet, or empty: its maker died before it could write the first page. */
static int is_blank(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 || st.st_size == 0;
}

/*
 * Changing the mode is the one step that SQLite does not wait for when several do it at once, so
 * who makes the file holds a lock on its folder. Where folders cannot be locked it is -1.
 */
static int lock_folder(const char *path)
{
	SOUK_AUTO_FREE char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;
	int fd;

	if (!slash)
		return -1;
	slash[slash == folder ? 1 : 0] = '\0';
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
		;
	return fd;
}

static int fail_to_open(struct sqlite_db *db, const char *path, struct souk_error *err)
{
	int errnum = sqlite3_system_errno(db->handle);

	if (errnum)
		return souk_error_errno(err, errnum, "cannot open the store '%s'", path);
	souk_error_set(err, SOUK_E_INTERNAL, "cannot open the store '%s': %s", path,
		       sqlite3_errmsg(db->handle));
	return souk_error_reason(err, SOUK_REASON_SYSTEM);
}

static int open_file(const char *path, int flags, int create, struct souk_db **db_out,
		     struct souk_error *err)
{
	struct sqlite_db *db = calloc(1, sizeof(*db));
	int ret;

	if (!db)
		return souk_error_nomem(err);
	db->db.ops = &sqlite_ops;
	if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK) {
		ret = db->handle ? fail_to_open(db, path, err) : souk_error_nomem(err);
		sqlite_close(&db->db);
		return ret;
	}
	if (create)
		chmod(path, 0600);
	ret = set_up(db, create, err);
	if (ret < 0) {
		sqlite_close(&db->db);
		return ret;
	}
	*db_out = &db->db;
	return SOUK_OK;
}

int souk_db_sqlite_open(const char *path, int create, struct souk_db **db_out,
			struct souk_error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
	int lock = -1, ret;

	/* Who only reads has no use for a file that nobody has written anything into yet. */
	if (!create && (access(path, F_OK) < 0 || is_empty_file(path)))
		return souk_error_set(err, SOUK_E_NOT_FOUND, "there is no store at '%s'", path);
	if (is_blank(path))
		lock = lock_folder(path);
	ret = open_file(path, flags, is_blank(path), db_out, err);
	if (lock >= 0)
		close(lock);
	return ret;
}
