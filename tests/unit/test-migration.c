/* SPDX-License-Identifier: Apache-2.0 */
/* test-migration.c - stores that older versions wrote become ours, with all that is in them */
#include <stdint.h>

#include "base/util.h"
#include "scratch.h"
#include "store/db.h"
#include "store/store.h"

static struct souk_error err;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
	scratch_mkdir(scratch_path("state"));
}

/* What souk 0.1.0 wrote. */
static const char *const version_1[] = {
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
	"absent_at BIGINT NOT NULL)",
	"CREATE TABLE jobs ("
	"cluster TEXT NOT NULL, id BIGINT NOT NULL, name TEXT, status BIGINT NOT NULL,"
	"submitted_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, exit_status BIGINT NOT NULL,"
	"PRIMARY KEY (cluster, id))",
	"CREATE TABLE attempts ("
	"provider TEXT NOT NULL, region TEXT NOT NULL, zone TEXT, instance_type TEXT NOT NULL,"
	"spot BIGINT NOT NULL, code BIGINT NOT NULL, scope BIGINT NOT NULL, reason TEXT,"
	"at BIGINT NOT NULL)",
	"CREATE INDEX attempts_at ON attempts (at)",
	"CREATE TABLE events (at BIGINT NOT NULL, cluster TEXT, text TEXT NOT NULL)",
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value BIGINT NOT NULL)",
	"INSERT INTO meta (key, value) VALUES ('schema', 1)",
	"INSERT INTO attempts VALUES ('p', 'r', 'z', 't', 1, -1, 1, 'SoldOut', 1000)",
	"INSERT INTO intents VALUES ('tok', 'c', 'p', 'r', NULL, 't', 2, 0, 900, 0, 0, 0)",
};

static void write_version_1(void)
{
	struct souk_db *db;
	size_t i;

	OK(souk_db_sqlite_open(scratch_path("state/souk.db"), 1, &db, &err));
	for (i = 0; i < SOUK_ARRAY_SIZE(version_1); i++)
		OK(db->ops->run(db, version_1[i], NULL, 0, NULL, NULL, NULL, &err));
	db->ops->close(db);
}

static int read_number(const struct souk_db_value *columns, unsigned n, void *arg,
		       struct souk_error *error)
{
	(void)n;
	(void)error;
	*(int64_t *)arg = columns[0].integer;
	return SOUK_OK;
}

static int64_t number(const char *sql)
{
	struct souk_db *db;
	int64_t value = -1;

	OK(souk_db_sqlite_open(scratch_path("state/souk.db"), 0, &db, &err));
	OK(db->ops->run(db, sql, NULL, 0, read_number, &value, NULL, &err));
	db->ops->close(db);
	return value;
}

/* Everything that was there is there, and the new columns take what they are for. */
static void check_store(struct souk_store *store)
{
	struct souk_store_attempt added = {
		.provider = (char *)"p", .region = (char *)"r", .instance_type = (char *)"t", .at = 2000,
		.accelerator = (char *)"T4", .accelerator_milli = 500,
	};
	struct souk_store_attempt *attempts;
	struct souk_store_intent *intents;
	size_t n;

	OK(souk_store_attempt_add(store, &added, &err));
	OK(souk_store_attempts(store, 0, &attempts, &n, &err));
	ck_assert_uint_eq(n, 2);
	ck_assert_str_eq(attempts[0].accelerator, "T4");
	ck_assert_uint_eq(attempts[0].accelerator_milli, 500);
	ck_assert_str_eq(attempts[1].zone, "z");
	ck_assert_str_eq(attempts[1].reason, "SoldOut");
	ck_assert_int_eq(attempts[1].spot, 1);
	ck_assert_ptr_null(attempts[1].accelerator);
	ck_assert_uint_eq(attempts[1].accelerator_milli, 0);
	souk_store_attempts_free(attempts, n);
	OK(souk_store_intents(store, NULL, &intents, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(intents[0].token, "tok");
	souk_store_intents_free(intents, n);
}

START_TEST(an_old_store_is_brought_up_to_date)
{
	struct souk_store *store;

	write_version_1();
	/* Also a command that would make no store. */
	OK(souk_store_open(scratch_path("state"), _i, &store, &err));
	check_store(store);
	souk_store_close(store);
	ck_assert_int_eq(number("SELECT value FROM meta WHERE key = 'schema'"), 3);
	OK(souk_store_open(scratch_path("state"), 0, &store, &err));
	souk_store_close(store);
}
END_TEST

/* The same tables as in a store that was made today. */
START_TEST(old_and_new_stores_have_the_same_columns)
{
	static const char count[] = "SELECT COUNT(*) FROM pragma_table_info('attempts')";
	struct souk_store *store;
	int64_t before;

	OK(souk_store_open(scratch_path("state"), 1, &store, &err));
	souk_store_close(store);
	before = number(count);
	OK(souk_fs_remove(scratch_path("state"), &err));
	scratch_mkdir(scratch_path("state"));
	write_version_1();
	ck_assert_int_lt(number(count), before);
	OK(souk_store_open(scratch_path("state"), 0, &store, &err));
	souk_store_close(store);
	ck_assert_int_eq(number(count), before);
}
END_TEST

/* Several at once: one does the work, the others find it done. */
START_TEST(several_at_once)
{
	struct souk_store *store;
	int pipes[2], status, i;
	pid_t pids[6];
	char byte;

	write_version_1();
	ck_assert_int_eq(pipe(pipes), 0);
	for (i = 0; i < 6; i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			close(pipes[1]);
			/* All begin when the other end is closed. */
			while (read(pipes[0], &byte, 1) > 0)
				;
			_exit(souk_store_open(scratch_path("state"), 0, &store, &err) == SOUK_OK ? 0 : 1);
		}
	}
	close(pipes[0]);
	close(pipes[1]);
	for (i = 0; i < 6; i++) {
		ck_assert_int_eq(waitpid(pids[i], &status, 0), pids[i]);
		ck_assert_int_eq(status, 0);
	}
	OK(souk_store_open(scratch_path("state"), 0, &store, &err));
	check_store(store);
	souk_store_close(store);
}
END_TEST

/* What goes wrong half way leaves the old store as it was, and says what it was about. */
START_TEST(a_migration_is_whole_or_not_at_all)
{
	struct souk_store *store = NULL;
	struct souk_db *db;

	write_version_1();
	OK(souk_db_sqlite_open(scratch_path("state/souk.db"), 0, &db, &err));
	OK(db->ops->run(db, "ALTER TABLE attempts ADD COLUMN accelerator_milli BIGINT", NULL, 0, NULL,
			NULL, NULL, &err));
	db->ops->close(db);
	ck_assert_int_lt(souk_store_open(scratch_path("state"), 0, &store, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.message, "cannot bring the store in '"));
	ck_assert_int_eq(number("SELECT value FROM meta WHERE key = 'schema'"), 1);
	ck_assert_int_eq(number("SELECT COUNT(*) FROM pragma_table_info('attempts')"
				" WHERE name = 'accelerator'"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("migration");
	TCase *tcase = tcase_create("store");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 120);
	tcase_add_checked_fixture(tcase, begin, scratch_remove);
	tcase_add_loop_test(tcase, an_old_store_is_brought_up_to_date, 0, 2);
	tcase_add_test(tcase, old_and_new_stores_have_the_same_columns);
	tcase_add_test(tcase, several_at_once);
	tcase_add_test(tcase, a_migration_is_whole_or_not_at_all);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
