/* SPDX-License-Identifier: Apache-2.0 */
/* store/store.c - opening the store, its schema, transactions, locks */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"
#include "store/store-internal.h"

#define SCHEMA_VERSION 3
#define LOCK_POLL_MS 50

#define CREATE_SPELLS                                                                              \
	"CREATE TABLE spells ("                                                                    \
	"number BIGINT PRIMARY KEY, cluster TEXT NOT NULL, rank BIGINT NOT NULL,"                  \
	"machine TEXT NOT NULL, token TEXT, provider TEXT NOT NULL, region TEXT, zone TEXT,"       \
	"instance_type TEXT, accelerator TEXT, accelerator_milli BIGINT NOT NULL,"                 \
	"spot BIGINT NOT NULL, state BIGINT NOT NULL, started_at BIGINT NOT NULL,"                 \
	"ended_at BIGINT NOT NULL, end_asked_at BIGINT NOT NULL, start_asked_at BIGINT NOT NULL,"  \
	"micros_per_hour BIGINT NOT NULL, disk_micros_per_hour BIGINT NOT NULL,"                   \
	"address_micros_per_hour BIGINT NOT NULL, currency TEXT, price_source TEXT, price_date TEXT)"
#define INDEX_SPELLS "CREATE INDEX spells_machine ON spells (machine)"

/* One statement each: the common subset of SQLite and PostgreSQL has no scripts. */
static const char *const schema[] = {
	"CREATE TABLE clusters ("
	"name TEXT PRIMARY KEY, status BIGINT NOT NULL, owner TEXT, provider TEXT NOT NULL,"
	"region TEXT, zone TEXT, instance_type TEXT, arch TEXT, accelerator TEXT,"
	"accelerator_milli BIGINT NOT NULL, vcpus_milli BIGINT NOT NULL, memory_mib BIGINT NOT NULL,"
	"spot BIGINT NOT NULL, num_nodes BIGINT NOT NULL, micros_per_hour BIGINT NOT NULL,"
	"currency TEXT, launched_at BIGINT NOT NULL, billed_since BIGINT NOT NULL,"
	"cost_micros BIGINT NOT NULL, autostop_minutes BIGINT NOT NULL, autostop_down BIGINT NOT NULL,"
	"tearing_down BIGINT NOT NULL, absences BIGINT NOT NULL, absent_at BIGINT NOT NULL, token TEXT)",
	"CREATE TABLE nodes ("
	"cluster TEXT NOT NULL REFERENCES clusters(name) ON DELETE CASCADE, rank BIGINT NOT NULL,"
	"id TEXT NOT NULL, region TEXT, zone TEXT, status BIGINT NOT NULL, public_address TEXT,"
	"private_address TEXT, ssh_port BIGINT NOT NULL, ssh_user TEXT, host_key TEXT,"
	"shutdown_command TEXT, token TEXT, PRIMARY KEY (cluster, rank))",
	"CREATE TABLE intents ("
	"token TEXT PRIMARY KEY, cluster TEXT NOT NULL, provider TEXT NOT NULL, region TEXT NOT NULL,"
	"zone TEXT, instance_type TEXT, count BIGINT NOT NULL, spot BIGINT NOT NULL,"
	"created_at BIGINT NOT NULL, closing_since BIGINT NOT NULL, absences BIGINT NOT NULL,"
	"absent_at BIGINT NOT NULL, accelerator TEXT, accelerator_milli BIGINT NOT NULL DEFAULT 0,"
	"micros_per_hour BIGINT NOT NULL DEFAULT -1, disk_micros_per_hour BIGINT NOT NULL DEFAULT -1,"
	"address_micros_per_hour BIGINT NOT NULL DEFAULT -1, currency TEXT, price_source TEXT,"
	"price_date TEXT, noted_at BIGINT NOT NULL DEFAULT 0)",
	"CREATE TABLE jobs ("
	"cluster TEXT NOT NULL, id BIGINT NOT NULL, name TEXT, status BIGINT NOT NULL,"
	"submitted_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, exit_status BIGINT NOT NULL,"
	"PRIMARY KEY (cluster, id))",
	"CREATE TABLE attempts ("
	"provider TEXT NOT NULL, region TEXT NOT NULL, zone TEXT, instance_type TEXT NOT NULL,"
	"spot BIGINT NOT NULL, code BIGINT NOT NULL, scope BIGINT NOT NULL, reason TEXT,"
	"at BIGINT NOT NULL, accelerator TEXT, accelerator_milli BIGINT NOT NULL DEFAULT 0)",
	"CREATE INDEX attempts_at ON attempts (at)",
	"CREATE TABLE events (at BIGINT NOT NULL, cluster TEXT, text TEXT NOT NULL)",
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value BIGINT NOT NULL)",
	CREATE_SPELLS,
	INDEX_SPELLS,
	"INSERT INTO meta (key, value) VALUES ('schema', 3)",
};

/*
 * What a store of version 2 knows of the past of its clusters: since when they run, and what was paid
 * before that, which is so many hours of all nodes.
 */
#define PAST_SPELLS                                                                                \
	"INSERT INTO spells (number, cluster, rank, machine, token, provider, region, zone,"       \
	" instance_type, accelerator, accelerator_milli, spot, state, started_at, ended_at,"       \
	" end_asked_at, start_asked_at, micros_per_hour, disk_micros_per_hour,"                    \
	" address_micros_per_hour, currency)"                                                      \
	" SELECT (SELECT COALESCE(MAX(number), 0) FROM spells)"                                    \
	" + ROW_NUMBER() OVER (ORDER BY c.name, n.rank), c.name, n.rank, n.id, n.token,"           \
	" c.provider, n.region, n.zone, c.instance_type, c.accelerator, c.accelerator_milli, c.spot,"
#define FROM_NODES                                                                                 \
	" 0, 0, c.micros_per_hour, -1, -1, c.currency"                                             \
	" FROM clusters c JOIN nodes n ON n.cluster = c.name"
/* Rounded, for the cost was rounded down. */
#define PAST_SECONDS                                                                               \
	"(c.cost_micros * 3600 / c.num_nodes + c.micros_per_hour / 2) / c.micros_per_hour"

/* What brings a store of version 'from' to the next one; the last statement says so. */
static const struct migration {
	int64_t from;
	const char *sql;
} migrations[] = {
	{ 1, "ALTER TABLE attempts ADD COLUMN accelerator TEXT" },
	{ 1, "ALTER TABLE attempts ADD COLUMN accelerator_milli BIGINT NOT NULL DEFAULT 0" },
	{ 1, "UPDATE meta SET value = 2 WHERE key = 'schema'" },
	{ 2, "ALTER TABLE intents ADD COLUMN accelerator TEXT" },
	{ 2, "ALTER TABLE intents ADD COLUMN accelerator_milli BIGINT NOT NULL DEFAULT 0" },
	{ 2, "ALTER TABLE intents ADD COLUMN micros_per_hour BIGINT NOT NULL DEFAULT -1" },
	{ 2, "ALTER TABLE intents ADD COLUMN disk_micros_per_hour BIGINT NOT NULL DEFAULT -1" },
	{ 2, "ALTER TABLE intents ADD COLUMN address_micros_per_hour BIGINT NOT NULL DEFAULT -1" },
	{ 2, "ALTER TABLE intents ADD COLUMN currency TEXT" },
	{ 2, "ALTER TABLE intents ADD COLUMN price_source TEXT" },
	{ 2, "ALTER TABLE intents ADD COLUMN price_date TEXT" },
	{ 2, "ALTER TABLE intents ADD COLUMN noted_at BIGINT NOT NULL DEFAULT 0" },
	{ 2, "UPDATE intents SET noted_at = created_at / 1000" },
	{ 2, CREATE_SPELLS },
	{ 2, INDEX_SPELLS },
	{ 2, PAST_SPELLS " CASE WHEN c.billed_since > 0 OR n.status IN (2, 3) THEN 1 ELSE 2 END,"
	     " c.launched_at, c.launched_at + " PAST_SECONDS "," FROM_NODES
	     " WHERE c.cost_micros > 0 AND c.num_nodes > 0 AND c.micros_per_hour > 0" },
	{ 2, PAST_SPELLS " 0, c.billed_since, 0," FROM_NODES
	     " WHERE c.billed_since > 0 AND n.status IN (0, 1)" },
	{ 2, "UPDATE meta SET value = 3 WHERE key = 'schema'" },
};

static int run(struct souk_store *store, const char *sql, struct souk_error *err)
{
	return store->db->ops->run(store->db, sql, NULL, 0, NULL, NULL, NULL, err);
}

int souk_store_copy_text(char **slot, const struct souk_db_value *value, struct souk_error *err)
{
	if (souk_strset(slot, value->type == SOUK_DB_TEXT ? value->text : NULL) < 0)
		return souk_error_nomem(err);
	return SOUK_OK;
}

static int read_version(const struct souk_db_value *columns, unsigned n, void *arg,
			struct souk_error *err)
{
	(void)n;
	(void)err;
	*(int64_t *)arg = columns[0].integer;
	return SOUK_OK;
}

static int schema_version(struct souk_store *store, int64_t *version_out, struct souk_error *err)
{
	return store->db->ops->run(store->db, "SELECT value FROM meta WHERE key = 'schema'", NULL, 0,
				   read_version, version_out, NULL, err);
}

static int create_schema(struct souk_store *store, struct souk_error *err)
{
	int64_t version = 0;
	size_t i;
	int ret;

	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	/* Another process may have been quicker. */
	if (schema_version(store, &version, NULL) == SOUK_OK && version > 0) {
		souk_store_rollback(store);
		return SOUK_OK;
	}
	for (i = 0; i < SOUK_ARRAY_SIZE(schema) && ret == SOUK_OK; i++)
		ret = run(store, schema[i], err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret;
}

/* An older store becomes one of ours, whole or not at all. */
static int migrate(struct souk_store *store, struct souk_error *err)
{
	int64_t version = 0;
	size_t i;
	int ret;

	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	/* Another process may have been quicker. */
	ret = schema_version(store, &version, err);
	for (i = 0; i < SOUK_ARRAY_SIZE(migrations) && ret == SOUK_OK; i++)
		if (migrations[i].from >= version)
			ret = run(store, migrations[i].sql, err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret < 0 ? souk_error_prefix(err, "cannot bring the store in '%s' up to date",
					   store->state_dir) : SOUK_OK;
}

static int check_schema(struct souk_store *store, struct souk_error *err)
{
	int64_t version = 0;

	if (schema_version(store, &version, NULL) < 0 || version == 0)
		return create_schema(store, err);
	if (version < SCHEMA_VERSION)
		return migrate(store, err);
	if (version > SCHEMA_VERSION) {
		souk_error_set(err, SOUK_E_UNSUPPORTED,
			       "the store in '%s' has the format %lld, this souk knows %d",
			       store->state_dir, (long long)version, SCHEMA_VERSION);
		return souk_error_hint(err, "it was written by a newer souk: use that one");
	}
	return SOUK_OK;
}

int souk_store_open(const char *state_dir, int create, struct souk_store **store_out,
		    struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(state_dir, "souk.db");
	struct souk_store *store;
	int ret;

	if (!path)
		return souk_error_nomem(err);
	if (create) {
		ret = souk_fs_mkdir(state_dir, 0700, err);
		if (ret < 0)
			return ret;
	}
	store = calloc(1, sizeof(*store));
	if (!store || !(store->state_dir = strdup(state_dir))) {
		free(store);
		return souk_error_nomem(err);
	}
	ret = souk_db_sqlite_open(path, create, &store->db, err);
	if (ret == SOUK_OK)
		ret = check_schema(store, err);
	if (ret < 0) {
		souk_store_close(store);
		return ret;
	}
	*store_out = store;
	return SOUK_OK;
}

void souk_store_close(struct souk_store *store)
{
	if (!store)
		return;
	souk_store_rollback(store);
	if (store->db)
		store->db->ops->close(store->db);
	free(store->state_dir);
	free(store);
}

int souk_store_verify(struct souk_store *store, struct souk_error *err)
{
	return store->db->ops->verify(store->db, err);
}

int souk_store_begin(struct souk_store *store, struct souk_error *err)
{
	int ret;

	if (store->in_transaction++ > 0)
		return SOUK_OK;
	/* IMMEDIATE is SQLite's way to wait for the writer before us and not after our reads. */
	ret = run(store, "BEGIN IMMEDIATE", err);
	if (ret < 0)
		store->in_transaction = 0;
	return ret;
}

int souk_store_commit(struct souk_store *store, struct souk_error *err)
{
	int ret;

	if (store->in_transaction > 1) {
		store->in_transaction--;
		return SOUK_OK;
	}
	ret = run(store, "COMMIT", err);
	if (ret == SOUK_OK)
		store->in_transaction = 0;
	return ret;
}

void souk_store_rollback(struct souk_store *store)
{
	if (store->in_transaction == 0)
		return;
	run(store, "ROLLBACK", NULL);
	store->in_transaction = 0;
}

int souk_store_event(struct souk_store *store, const char *cluster, const char *text,
		     struct souk_error *err)
{
	struct souk_db_value params[] = {
		SOUK_DB_INT(souk_clock_wall_ms()), SOUK_DB_TEXT(cluster), SOUK_DB_TEXT(text),
	};

	return store_write(store, "INSERT INTO events (at, cluster, text) VALUES ($1, $2, $3)",
			   params, err);
}

static int lock_fd(const struct souk_store *store, const char *cluster, int *fd_out,
		   struct souk_error *err)
{
	SOUK_AUTO_FREE char *folder = souk_fs_join(store->state_dir, "locks");
	SOUK_AUTO_FREE char *path = folder ? souk_fs_join(folder, cluster) : NULL;
	int ret;

	if (!path)
		return souk_error_nomem(err);
	ret = souk_fs_mkdir(folder, 0700, err);
	if (ret < 0)
		return ret;
	/* The file stays: a lock on a file that is removed while others wait locks nothing. */
	*fd_out = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (*fd_out < 0)
		return souk_error_errno(err, errno, "cannot open the lock '%s'", path);
	return SOUK_OK;
}

int souk_store_lock(struct souk_store *store, const char *cluster, int wait,
		    struct souk_cancel *cancel, int *fd_out, struct souk_error *err)
{
	int fd = -1, ret;

	ret = lock_fd(store, cluster, &fd, err);
	if (ret < 0)
		return ret;
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			ret = souk_error_errno(err, errno, "cannot lock the cluster '%s'", cluster);
		else if (!wait)
			ret = souk_error_set(err, SOUK_E_CONFLICT,
					     "another souk is working on the cluster '%s'", cluster);
		else
			ret = souk_cancel_wait(cancel, LOCK_POLL_MS, err);
		if (ret < 0) {
			close(fd);
			return ret;
		}
	}
	*fd_out = fd;
	return SOUK_OK;
}

void souk_store_unlock(int fd)
{
	if (fd >= 0)
		close(fd);
}
