/* SPDX-License-Identifier: Apache-2.0 */
/* test-cost.c - spells: when each machine ran, by what the store was told of it */
#include "base/clock.h"
#include "base/util.h"
#include "scratch.h"
#include "store/db.h"
#include "store/store.h"

#define T 1000000000

static struct souk_error err;
static struct souk_store *store;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)

static void clock_text(const char *text)
{
	scratch_write(scratch_path("clock"), text, strlen(text));
}

/* So many seconds after T. */
static void at(int64_t seconds)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld\n", (long long)(T + seconds));
	clock_text(text);
}

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
	setenv("SOUK_TEST_CLOCK", scratch_path("clock"), 1);
	at(0);
	OK(souk_store_open(scratch_path("state"), 1, &store, &err));
}

static void end(void)
{
	souk_store_close(store);
	unsetenv("SOUK_TEST_CLOCK");
	scratch_remove();
}

/* ---- What happens to a cluster 'c' ---- */

static struct souk_store_node nodes[3];
static struct souk_store_cluster cluster;

/* A cluster of n machines "m0", "m1" ... in a state. */
static void make(size_t n, int32_t status)
{
	static const char *const ids[] = { "m0", "m1", "m2" };
	size_t i;

	for (i = 0; i < n; i++)
		nodes[i] = (struct souk_store_node){
			.rank = (uint32_t)i, .id = (char *)ids[i], .region = (char *)"r",
			.zone = (char *)"z", .status = status, .token = (char *)"t", .seen = 1,
		};
	cluster = (struct souk_store_cluster){
		.name = (char *)"c", .status = SOUK_CLUSTER_UP, .provider = (char *)"p",
		.region = (char *)"r", .instance_type = (char *)"big", .num_nodes = (uint32_t)n,
		.micros_per_hour = 3600000, .currency = (char *)"USD", .token = (char *)"t",
		.nodes = nodes, .n_nodes = n,
	};
}

static void put(void)
{
	OK(souk_store_cluster_put(store, &cluster, &err));
}

static void put_intent(int64_t closing_since)
{
	struct souk_store_intent intent = {
		.token = (char *)"t", .cluster = (char *)"c", .provider = (char *)"p",
		.region = (char *)"r", .instance_type = (char *)"big", .count = 1, .created_at = 1,
		.closing_since = closing_since, .spot = 1,
		.price = { 7200000, 10, 20, (char *)"EUR", (char *)"seed", (char *)"2026-07-20" },
	};

	OK(souk_store_intent_put(store, &intent, &err));
}

static void found(const char *id, int32_t status, int ending)
{
	struct souk_instance machine = {
		SOUK_INSTANCE_HEAD, .id = id, .status = status, .region = "r",
	};

	OK(souk_store_machines_found(store, "c", "t", &machine, id ? 1 : 0, ending, &err));
}

/* "m0 0-100 STOPPED, m0 200- RUNNING": all spells by their beginning. */
static void is(const char *expected)
{
	static const char *const names[] = { "RUNNING", "STOPPED", "ENDED" };
	struct souk_store_spell *spells;
	char text[512] = "", last[32];
	size_t n, i, len;

	OK(souk_store_spells(store, 0, &spells, &n, &err));
	for (i = 0; i < n; i++) {
		len = strlen(text);
		snprintf(last, sizeof(last), "%lld", (long long)(spells[i].ended_at - T));
		snprintf(text + len, sizeof(text) - len, "%s%s %lld-%s %s", i ? ", " : "",
			 spells[i].machine, (long long)(spells[i].started_at - T),
			 spells[i].ended_at ? last : "", names[spells[i].state]);
	}
	souk_store_spells_free(spells, n);
	ck_assert_str_eq(text, expected);
}

/* ---- Nodes ---- */

START_TEST(runs_stops_starts_and_goes)
{
	make(2, SOUK_INSTANCE_PENDING);
	put();
	at(50);
	nodes[0].status = nodes[1].status = SOUK_INSTANCE_RUNNING;
	put();
	is("m0 0- RUNNING, m1 0- RUNNING");
	/* The end counts from when it was asked for. */
	at(100);
	OK(souk_store_ask_end(store, "c", &err));
	at(130);
	nodes[0].status = SOUK_INSTANCE_STOPPED;
	nodes[1].status = SOUK_INSTANCE_STOPPING;
	put();
	is("m0 0-100 STOPPED, m1 0-100 STOPPED");
	at(200);
	OK(souk_store_ask_start(store, "c", &err));
	at(250);
	nodes[0].status = nodes[1].status = SOUK_INSTANCE_RUNNING;
	put();
	is("m0 0-100 STOPPED, m1 0-100 STOPPED, m0 200- RUNNING, m1 200- RUNNING");
	at(300);
	cluster.tearing_down = 1;
	put();
	at(400);
	OK(souk_store_cluster_delete(store, "c", &err));
	is("m0 0-100 ENDED, m1 0-100 ENDED, m0 200-300 ENDED, m1 200-300 ENDED");
}
END_TEST

START_TEST(an_end_that_nobody_asked_for)
{
	make(2, SOUK_INSTANCE_RUNNING);
	put();
	at(100);
	nodes[1].status = SOUK_INSTANCE_TERMINATED;
	put();
	is("m0 0- RUNNING, m1 0-100 ENDED");
	/* It was not gone after all. */
	at(150);
	nodes[1].status = SOUK_INSTANCE_RUNNING;
	put();
	is("m0 0- RUNNING, m1 0- RUNNING");
}
END_TEST

START_TEST(what_was_asked_and_did_not_happen)
{
	int asked = 0;

	make(1, SOUK_INSTANCE_RUNNING);
	put();
	at(100);
	OK(souk_store_ask_end(store, "c", &err));
	OK(souk_store_is_asked(store, "c", &asked, &err));
	ck_assert_int_eq(asked, 1);
	/* Not looked at, it may have ended; seen to run, it has not. */
	nodes[0].seen = 0;
	put();
	OK(souk_store_is_asked(store, "c", &asked, &err));
	ck_assert_int_eq(asked, 1);
	nodes[0].seen = 1;
	put();
	OK(souk_store_is_asked(store, "c", &asked, &err));
	ck_assert_int_eq(asked, 0);
	at(200);
	nodes[0].status = SOUK_INSTANCE_STOPPED;
	put();
	is("m0 0-200 STOPPED");
	/* The same of a start. */
	OK(souk_store_ask_start(store, "c", &err));
	put();
	at(300);
	OK(souk_store_ask_start(store, "c", &err));
	nodes[0].status = SOUK_INSTANCE_RUNNING;
	at(310);
	put();
	is("m0 0-200 STOPPED, m0 300- RUNNING");
}
END_TEST

START_TEST(the_cloud_says_since_when)
{
	static const struct {
		int64_t created_at, started_at;
	} cases[] = { { T + 30, 30 }, { T - 1, 20 }, { T + 51, 20 }, { 0, 20 }, { T + 50, 50 } };

	at(20);
	put_intent(0);
	at(50);
	make(1, SOUK_INSTANCE_RUNNING);
	nodes[0].seen_created_at = cases[_i].created_at;
	put();
	is(_i == 0 ? "m0 30- RUNNING" : _i == 4 ? "m0 50- RUNNING" : "m0 20- RUNNING");
}
END_TEST

START_TEST(the_price_is_what_was_asked_for)
{
	struct souk_store_spell *spells;
	size_t n;

	put_intent(0);
	make(1, SOUK_INSTANCE_RUNNING);
	put();
	OK(souk_store_intent_delete(store, "t", &err));
	OK(souk_store_spells(store, 0, &spells, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(spells[0].price.micros_per_hour, 7200000);
	ck_assert_int_eq(spells[0].price.disk_micros_per_hour, 10);
	ck_assert_int_eq(spells[0].price.address_micros_per_hour, 20);
	ck_assert_str_eq(spells[0].price.currency, "EUR");
	ck_assert_str_eq(spells[0].price.source, "seed");
	ck_assert_str_eq(spells[0].price.date, "2026-07-20");
	ck_assert_int_eq(spells[0].spot, 1);
	ck_assert_int_eq(spells[0].rank, 0);
	ck_assert_str_eq(spells[0].zone, "z");
	souk_store_spells_free(spells, n);
	is("m0 0- RUNNING");
}
END_TEST

/* ---- Machines that are no nodes ---- */

START_TEST(what_is_found_is_given_back)
{
	at(10);
	put_intent(0);
	at(100);
	found("m0", SOUK_INSTANCE_RUNNING, 0);
	put_intent(1);
	is("m0 10- RUNNING");
	at(200);
	found("m0", SOUK_INSTANCE_TERMINATING, 0);
	is("m0 10-100 ENDED");
	OK(souk_store_intent_delete(store, "t", &err));
	is("m0 10-100 ENDED");
}
END_TEST

START_TEST(what_is_found_becomes_a_node)
{
	at(10);
	put_intent(0);
	at(100);
	found("m0", SOUK_INSTANCE_RUNNING, 0);
	make(1, SOUK_INSTANCE_RUNNING);
	put();
	OK(souk_store_intent_delete(store, "t", &err));
	is("m0 10- RUNNING");
	/* The others of its token are more than was asked for. */
	found("m1", SOUK_INSTANCE_RUNNING, 1);
	is("m0 10- RUNNING, m1 100- RUNNING");
	at(150);
	found(NULL, 0, 0);
	is("m0 10- RUNNING, m1 100-100 ENDED");
}
END_TEST

START_TEST(nodes_that_are_given_up)
{
	put_intent(0);
	make(2, SOUK_INSTANCE_PENDING);
	put();
	at(60);
	cluster.n_nodes = 0;
	put();
	put_intent(1);
	at(90);
	is("m0 0- RUNNING, m1 0- RUNNING");
	OK(souk_store_intent_delete(store, "t", &err));
	is("m0 0-60 ENDED, m1 0-60 ENDED");
}
END_TEST

START_TEST(all_or_nothing)
{
	make(1, SOUK_INSTANCE_RUNNING);
	OK(souk_store_begin(store, &err));
	put();
	is("m0 0- RUNNING");
	souk_store_rollback(store);
	is("");
}
END_TEST

/* ---- A store of the version before ---- */

static void sql(struct souk_db *db, const char *text)
{
	ck_assert_msg(db->ops->run(db, text, NULL, 0, NULL, NULL, NULL, &err) == SOUK_OK, "%s: %s", text,
		      err.message);
}

static const char *const version_2[] = {
	"CREATE TABLE clusters (name TEXT PRIMARY KEY, status BIGINT NOT NULL, owner TEXT,"
	" provider TEXT NOT NULL, region TEXT, zone TEXT, instance_type TEXT, arch TEXT, accelerator TEXT,"
	" accelerator_milli BIGINT NOT NULL, vcpus_milli BIGINT NOT NULL, memory_mib BIGINT NOT NULL,"
	" spot BIGINT NOT NULL, num_nodes BIGINT NOT NULL, micros_per_hour BIGINT NOT NULL, currency TEXT,"
	" launched_at BIGINT NOT NULL, billed_since BIGINT NOT NULL, cost_micros BIGINT NOT NULL,"
	" autostop_minutes BIGINT NOT NULL, autostop_down BIGINT NOT NULL, tearing_down BIGINT NOT NULL,"
	" absences BIGINT NOT NULL, absent_at BIGINT NOT NULL, token TEXT)",
	"CREATE TABLE nodes (cluster TEXT NOT NULL REFERENCES clusters(name) ON DELETE CASCADE,"
	" rank BIGINT NOT NULL, id TEXT NOT NULL, region TEXT, zone TEXT, status BIGINT NOT NULL,"
	" public_address TEXT, private_address TEXT, ssh_port BIGINT NOT NULL, ssh_user TEXT,"
	" host_key TEXT, shutdown_command TEXT, token TEXT, PRIMARY KEY (cluster, rank))",
	"CREATE TABLE intents (token TEXT PRIMARY KEY, cluster TEXT NOT NULL, provider TEXT NOT NULL,"
	" region TEXT NOT NULL, zone TEXT, instance_type TEXT, count BIGINT NOT NULL,"
	" spot BIGINT NOT NULL, created_at BIGINT NOT NULL, closing_since BIGINT NOT NULL,"
	" absences BIGINT NOT NULL, absent_at BIGINT NOT NULL)",
	"CREATE TABLE jobs (cluster TEXT NOT NULL, id BIGINT NOT NULL, name TEXT, status BIGINT NOT NULL,"
	" submitted_at BIGINT NOT NULL, ended_at BIGINT NOT NULL, exit_status BIGINT NOT NULL,"
	" PRIMARY KEY (cluster, id))",
	"CREATE TABLE attempts (provider TEXT NOT NULL, region TEXT NOT NULL, zone TEXT,"
	" instance_type TEXT NOT NULL, spot BIGINT NOT NULL, code BIGINT NOT NULL, scope BIGINT NOT NULL,"
	" reason TEXT, at BIGINT NOT NULL, accelerator TEXT, accelerator_milli BIGINT NOT NULL DEFAULT 0)",
	"CREATE INDEX attempts_at ON attempts (at)",
	"CREATE TABLE events (at BIGINT NOT NULL, cluster TEXT, text TEXT NOT NULL)",
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value BIGINT NOT NULL)",
	"INSERT INTO meta (key, value) VALUES ('schema', 2)",
	/* It ran for 100 s, stopped, and runs since 500: two nodes at 3.6 an hour. */
	("INSERT INTO clusters VALUES ('c', 1, 'me', 'p', 'r', 'z', 'big', 'x86_64', 'H100', 8000, 1, 1, 1,"
	 " 2, 3600000, 'USD', 1000000000, 1000000500, 200000, -1, 0, 0, 0, 0, 't')"),
	"INSERT INTO nodes VALUES ('c', 0, 'm0', 'r', 'z', 1, NULL, NULL, 22, NULL, NULL, NULL, 't')",
	"INSERT INTO nodes VALUES ('c', 1, 'm1', 'r', 'z', 1, NULL, NULL, 22, NULL, NULL, NULL, 't')",
	"INSERT INTO intents VALUES ('u', 'd', 'p', 'r', NULL, 'small', 1, 0, 1000000000000, 0, 0, 0)",
	"INSERT INTO events VALUES (1, 'c', 'kept')",
};

START_TEST(a_store_of_version_2)
{
	struct souk_store_cluster got;
	struct souk_store_intent *intents;
	struct souk_db *db;
	size_t i, n;

	souk_store_close(store);
	OK(souk_fs_remove(scratch_path("state"), &err));
	OK(souk_fs_mkdir(scratch_path("state"), 0700, &err));
	OK(souk_db_sqlite_open(scratch_path("state/souk.db"), 1, &db, &err));
	for (i = 0; i < SOUK_ARRAY_SIZE(version_2); i++)
		sql(db, version_2[i]);
	db->ops->close(db);
	OK(souk_store_open(scratch_path("state"), 1, &store, &err));
	is("m0 0-100 STOPPED, m1 0-100 STOPPED, m0 500- RUNNING, m1 500- RUNNING");
	OK(souk_store_cluster_get(store, "c", &got, &err));
	ck_assert_uint_eq(got.n_nodes, 2);
	ck_assert_int_eq(got.cost_micros, 200000);
	souk_store_cluster_fini(&got);
	OK(souk_store_intents(store, NULL, &intents, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(intents[0].token, "u");
	ck_assert_int_eq(intents[0].noted_at, T);
	ck_assert_int_eq(intents[0].price.micros_per_hour, -1);
	ck_assert_ptr_null(intents[0].price.currency);
	souk_store_intents_free(intents, n);
	/* What follows goes on from there. */
	at(600);
	make(2, SOUK_INSTANCE_RUNNING);
	cluster.tearing_down = 1;
	put();
	OK(souk_store_cluster_delete(store, "c", &err));
	is("m0 0-100 ENDED, m1 0-100 ENDED, m0 500-600 ENDED, m1 500-600 ENDED");
}
END_TEST

/* ---- The clock ---- */

START_TEST(the_clock_of_a_test)
{
	int64_t wall = souk_clock_wall_s();

	clock_text(" 12345\n");
	ck_assert_int_eq(souk_clock_billing_s(), 12345);
	clock_text("+1000000");
	ck_assert_int_ge(souk_clock_billing_s(), wall + 1000000);
	ck_assert_int_lt(souk_clock_billing_s(), wall + 1000000 + 3600);
	clock_text("noon");
	ck_assert_int_ge(souk_clock_billing_s(), wall);
	ck_assert_int_lt(souk_clock_billing_s(), wall + 3600);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cost");
	TCase *tc = tcase_create("cost");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, runs_stops_starts_and_goes);
	tcase_add_test(tc, an_end_that_nobody_asked_for);
	tcase_add_test(tc, what_was_asked_and_did_not_happen);
	tcase_add_loop_test(tc, the_cloud_says_since_when, 0, 5);
	tcase_add_test(tc, the_price_is_what_was_asked_for);
	tcase_add_test(tc, what_is_found_is_given_back);
	tcase_add_test(tc, what_is_found_becomes_a_node);
	tcase_add_test(tc, nodes_that_are_given_up);
	tcase_add_test(tc, all_or_nothing);
	tcase_add_test(tc, a_store_of_version_2);
	tcase_add_test(tc, the_clock_of_a_test);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
