/* SPDX-License-Identifier: Apache-2.0 */
/* test-store.c - the store: what goes in comes out, also after kill -9 and with two at once */
#include <dirent.h>
#include <signal.h>
#include <stdint.h>

#include "base/cancel.h"
#include "base/util.h"
#include "scratch.h"
#include "store/db.h"
#include "store/store.h"

static struct souk_error err;

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
}

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)

static struct souk_store *open_store(void)
{
	struct souk_store *store = NULL;

	OK(souk_store_open(scratch_path("state"), 1, &store, &err));
	return store;
}

/* A cluster in which every member is set, and to something of its own. */
static struct souk_store_cluster sample(const char *name, struct souk_store_node *nodes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		nodes[i] = (struct souk_store_node){
			.rank = (uint32_t)i,
			.id = (char *)(i % 2 ? "i-odd" : "i-even"),
			.region = (char *)"r1",
			.zone = i % 2 ? NULL : (char *)"r1-a",
			.status = SOUK_INSTANCE_RUNNING,
			.public_address = (char *)"192.0.2.1",
			.private_address = (char *)"10.0.0.1",
			.ssh_port = 2200 + (uint32_t)i,
			.ssh_user = (char *)"ubuntu",
			.host_key = (char *)"ssh-ed25519 AAAA 'quoted'",
			.shutdown_command = (char *)"sudo shutdown -h now; echo \"x\"",
			.token = (char *)"node-token",
		};
	return (struct souk_store_cluster){
		.name = (char *)name,
		.status = SOUK_CLUSTER_UP,
		.owner = (char *)"me-host",
		.provider = (char *)"aws",
		.region = (char *)"r1",
		.zone = (char *)"r1-a",
		.instance_type = (char *)"p5.48xlarge",
		.arch = (char *)"x86_64",
		.accelerator = (char *)"H100",
		.accelerator_milli = 8000,
		.vcpus_milli = UINT32_MAX,
		.memory_mib = INT64_MAX,
		.spot = 1,
		.num_nodes = (uint32_t)n,
		.micros_per_hour = INT64_MAX,
		.currency = (char *)"USD",
		.launched_at = 1783168200,
		.billed_since = 1783168201,
		.cost_micros = 123456789,
		.autostop_minutes = -1,
		.autostop_down = 1,
		.tearing_down = 1,
		.absences = 3,
		.absent_at = 1783168202000,
		.token = (char *)"token",
		.nodes = nodes,
		.n_nodes = n,
	};
}

static void same_text(const char *a, const char *b)
{
	ck_assert_msg(souk_streq(a, b), "'%s' is not '%s'", a ? a : "NULL", b ? b : "NULL");
}

static void same_node(const struct souk_store_node *a, const struct souk_store_node *b)
{
	ck_assert_uint_eq(a->rank, b->rank);
	same_text(a->id, b->id);
	same_text(a->region, b->region);
	same_text(a->zone, b->zone);
	ck_assert_int_eq(a->status, b->status);
	same_text(a->public_address, b->public_address);
	same_text(a->private_address, b->private_address);
	ck_assert_uint_eq(a->ssh_port, b->ssh_port);
	same_text(a->ssh_user, b->ssh_user);
	same_text(a->host_key, b->host_key);
	same_text(a->shutdown_command, b->shutdown_command);
	same_text(a->token, b->token);
}

static void same_cluster(const struct souk_store_cluster *a, const struct souk_store_cluster *b)
{
	size_t i;

	same_text(a->name, b->name);
	ck_assert_int_eq(a->status, b->status);
	same_text(a->owner, b->owner);
	same_text(a->provider, b->provider);
	same_text(a->region, b->region);
	same_text(a->zone, b->zone);
	same_text(a->instance_type, b->instance_type);
	same_text(a->arch, b->arch);
	same_text(a->accelerator, b->accelerator);
	ck_assert_uint_eq(a->accelerator_milli, b->accelerator_milli);
	ck_assert_uint_eq(a->vcpus_milli, b->vcpus_milli);
	ck_assert_uint_eq(a->memory_mib, b->memory_mib);
	ck_assert_int_eq(a->spot, b->spot);
	ck_assert_uint_eq(a->num_nodes, b->num_nodes);
	ck_assert_int_eq(a->micros_per_hour, b->micros_per_hour);
	same_text(a->currency, b->currency);
	ck_assert_int_eq(a->launched_at, b->launched_at);
	ck_assert_int_eq(a->billed_since, b->billed_since);
	ck_assert_int_eq(a->cost_micros, b->cost_micros);
	ck_assert_int_eq(a->autostop_minutes, b->autostop_minutes);
	ck_assert_int_eq(a->autostop_down, b->autostop_down);
	ck_assert_int_eq(a->tearing_down, b->tearing_down);
	ck_assert_uint_eq(a->absences, b->absences);
	ck_assert_int_eq(a->absent_at, b->absent_at);
	same_text(a->token, b->token);
	ck_assert_uint_eq(a->n_nodes, b->n_nodes);
	for (i = 0; i < a->n_nodes; i++)
		same_node(&a->nodes[i], &b->nodes[i]);
}

/* ---- Clusters ---- */

START_TEST(a_cluster_comes_back_whole)
{
	struct souk_store_node nodes[9];
	struct souk_store_cluster in = sample("c1", nodes, 9), out, copy = { 0 };
	struct souk_store *store = open_store();

	OK(souk_store_cluster_put(store, &in, &err));
	OK(souk_store_cluster_get(store, "c1", &out, &err));
	same_cluster(&in, &out);
	OK(souk_store_cluster_copy(&copy, &out, &err));
	same_cluster(&in, &copy);
	ck_assert(copy.nodes[0].id != out.nodes[0].id);
	souk_store_cluster_fini(&out);
	souk_store_cluster_fini(&copy);
	souk_store_close(store);
	/* And in another life. */
	store = open_store();
	OK(souk_store_cluster_get(store, "c1", &out, &err));
	same_cluster(&in, &out);
	souk_store_cluster_fini(&out);
	souk_store_cluster_fini(NULL);
	souk_store_node_fini(NULL);
	souk_store_close(store);
	souk_store_close(NULL);
}
END_TEST

START_TEST(a_cluster_is_replaced)
{
	struct souk_store_node nodes[4];
	struct souk_store_cluster in = sample("c1", nodes, 4), out;
	struct souk_store *store = open_store();

	OK(souk_store_cluster_put(store, &in, &err));
	in.n_nodes = 1;
	in.zone = in.accelerator = in.currency = in.token = NULL;
	in.status = SOUK_CLUSTER_STOPPED;
	in.tearing_down = 0;
	in.cost_micros++;
	nodes[0].public_address = NULL;
	nodes[0].status = SOUK_INSTANCE_STOPPED;
	OK(souk_store_cluster_put(store, &in, &err));
	OK(souk_store_cluster_get(store, "c1", &out, &err));
	same_cluster(&in, &out);
	souk_store_cluster_fini(&out);
	in.n_nodes = 0;
	in.nodes = NULL;
	OK(souk_store_cluster_put(store, &in, &err));
	OK(souk_store_cluster_get(store, "c1", &out, &err));
	same_cluster(&in, &out);
	souk_store_cluster_fini(&out);
	souk_store_close(store);
}
END_TEST

START_TEST(names_are_no_sql)
{
	static const char *const names[] = { "c'; DROP TABLE clusters; --", "c\"x", "c%", "c_", "C" };
	struct souk_store_cluster *clusters;
	struct souk_store *store = open_store();
	struct souk_store_node node;
	size_t i, n;

	for (i = 0; i < SOUK_ARRAY_SIZE(names); i++) {
		struct souk_store_cluster in = sample(names[i], &node, 1), out;

		OK(souk_store_cluster_put(store, &in, &err));
		OK(souk_store_cluster_get(store, names[i], &out, &err));
		same_text(out.name, names[i]);
		souk_store_cluster_fini(&out);
	}
	OK(souk_store_clusters(store, &clusters, &n, &err));
	ck_assert_uint_eq(n, SOUK_ARRAY_SIZE(names));
	for (i = 1; i < n; i++)
		ck_assert_int_lt(strcmp(clusters[i - 1].name, clusters[i].name), 0);
	souk_store_clusters_free(clusters, n);
	OK(souk_store_cluster_delete(store, "c%", &err));
	OK(souk_store_clusters(store, &clusters, &n, &err));
	ck_assert_uint_eq(n, SOUK_ARRAY_SIZE(names) - 1);
	souk_store_clusters_free(clusters, n);
	souk_store_close(store);
}
END_TEST

START_TEST(what_is_not_there)
{
	struct souk_store_cluster out = { .name = (char *)"untouched" }, *clusters;
	struct souk_store *store = open_store();
	size_t n = 77;

	ck_assert_int_eq(souk_store_cluster_get(store, "none", &out, &err), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "there is no cluster 'none'");
	ck_assert_str_eq(err.hint, "'souk status' lists the clusters");
	same_text(out.name, "untouched");
	OK(souk_store_cluster_delete(store, "none", &err));
	OK(souk_store_intent_delete(store, "none", &err));
	OK(souk_store_clusters(store, &clusters, &n, &err));
	ck_assert_uint_eq(n, 0);
	souk_store_clusters_free(clusters, n);
	souk_store_close(store);
}
END_TEST

/* ---- Intents ---- */

static struct souk_store_intent intent(const char *token, const char *cluster, int64_t created_at)
{
	return (struct souk_store_intent){
		.token = (char *)token,
		.cluster = (char *)cluster,
		.provider = (char *)"aws",
		.region = (char *)"r1",
		.zone = (char *)"r1-a",
		.instance_type = (char *)"t",
		.count = 3,
		.spot = 1,
		.created_at = created_at,
	};
}

static size_t count_intents(struct souk_store *store, const char *cluster, const char *first)
{
	struct souk_store_intent *intents;
	size_t n;

	OK(souk_store_intents(store, cluster, &intents, &n, &err));
	if (first)
		same_text(n ? intents[0].token : NULL, first);
	souk_store_intents_free(intents, n);
	return n;
}

START_TEST(intents_oldest_first)
{
	struct souk_store *store = open_store();
	struct souk_store_intent in[] = { intent("b", "c1", 20), intent("a", "c2", 10),
					  intent("d", "c1", 5), intent("c", "c1", 20) };
	struct souk_store_intent *out;
	size_t i, n;

	in[1].zone = NULL;
	for (i = 0; i < SOUK_ARRAY_SIZE(in); i++)
		OK(souk_store_intent_put(store, &in[i], &err));
	OK(souk_store_intents(store, NULL, &out, &n, &err));
	ck_assert_uint_eq(n, 4);
	same_text(out[0].token, "d");
	same_text(out[1].token, "a");
	same_text(out[2].token, "b");
	same_text(out[3].token, "c");
	same_text(out[1].zone, NULL);
	same_text(out[1].cluster, "c2");
	same_text(out[2].zone, "r1-a");
	same_text(out[2].region, "r1");
	same_text(out[2].provider, "aws");
	same_text(out[2].instance_type, "t");
	ck_assert_uint_eq(out[2].count, 3);
	ck_assert_int_eq(out[2].spot, 1);
	ck_assert_int_eq(out[2].created_at, 20);
	ck_assert_int_eq(out[2].closing_since, 0);
	souk_store_intents_free(out, n);
	ck_assert_uint_eq(count_intents(store, "c1", "d"), 3);
	ck_assert_uint_eq(count_intents(store, "c", NULL), 0);
	/* Closing one keeps what it was about. */
	in[2].closing_since = 99;
	in[2].absences = 1;
	in[2].absent_at = 100;
	in[2].count = 55;
	OK(souk_store_intent_put(store, &in[2], &err));
	OK(souk_store_intents(store, "c1", &out, &n, &err));
	ck_assert_int_eq(out[0].closing_since, 99);
	ck_assert_uint_eq(out[0].absences, 1);
	ck_assert_int_eq(out[0].absent_at, 100);
	ck_assert_uint_eq(out[0].count, 3);
	souk_store_intents_free(out, n);
	OK(souk_store_intent_delete(store, "d", &err));
	ck_assert_uint_eq(count_intents(store, NULL, "a"), 3);
	souk_store_intent_fini(NULL);
	souk_store_close(store);
}
END_TEST

START_TEST(a_forgotten_cluster_takes_all_with_it)
{
	struct souk_store *store = open_store();
	struct souk_store_node node;
	struct souk_store_cluster c1 = sample("c1", &node, 1), c2 = sample("c2", &node, 1), out;
	struct souk_store_intent i1 = intent("t1", "c1", 1), i2 = intent("t2", "c2", 2);
	struct souk_store_job job = { .cluster = (char *)"c1", .id = 1, .name = (char *)"j",
				      .status = SOUK_JOB_RUNNING, .exit_status = -1 };

	OK(souk_store_cluster_put(store, &c1, &err));
	OK(souk_store_cluster_put(store, &c2, &err));
	OK(souk_store_intent_put(store, &i1, &err));
	OK(souk_store_intent_put(store, &i2, &err));
	OK(souk_store_job_put(store, &job, &err));
	job.status = SOUK_JOB_SUCCEEDED;
	OK(souk_store_job_put(store, &job, &err));
	OK(souk_store_cluster_delete(store, "c1", &err));
	ck_assert_int_eq(souk_store_cluster_get(store, "c1", &out, &err), SOUK_E_NOT_FOUND);
	ck_assert_uint_eq(count_intents(store, NULL, "t2"), 1);
	OK(souk_store_cluster_get(store, "c2", &out, &err));
	ck_assert_uint_eq(out.n_nodes, 1);
	souk_store_cluster_fini(&out);
	/* One of the same name begins without the old one's nodes. */
	c1.n_nodes = 0;
	OK(souk_store_cluster_put(store, &c1, &err));
	OK(souk_store_cluster_get(store, "c1", &out, &err));
	ck_assert_uint_eq(out.n_nodes, 0);
	souk_store_cluster_fini(&out);
	souk_store_close(store);
}
END_TEST

/* ---- Attempts ---- */

START_TEST(attempts_newest_first)
{
	struct souk_store *store = open_store();
	struct souk_store_attempt in = { .provider = (char *)"p", .region = (char *)"r",
					 .instance_type = (char *)"t", .scope = SOUK_SCOPE_ZONE };
	struct souk_store_attempt *out;
	size_t n, i;
	int order[] = { 100, 300, 200, 300 };

	for (i = 0; i < SOUK_ARRAY_SIZE(order); i++) {
		in.at = order[i];
		/* Two in one second: the later is told by its code. */
		in.code = i == 3 ? SOUK_OK : SOUK_E_CAPACITY;
		in.zone = i == 0 ? NULL : (char *)"z";
		in.reason = i == 0 ? (char *)"InsufficientInstanceCapacity" : NULL;
		in.spot = i == 0;
		in.accelerator = i == 0 ? (char *)"H100" : NULL;
		in.accelerator_milli = i == 0 ? 8000 : 0;
		OK(souk_store_attempt_add(store, &in, &err));
	}
	OK(souk_store_attempts(store, 0, &out, &n, &err));
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(out[0].at, 300);
	ck_assert_int_eq(out[0].code, SOUK_OK);
	ck_assert_int_eq(out[1].at, 300);
	ck_assert_int_eq(out[1].code, SOUK_E_CAPACITY);
	ck_assert_int_eq(out[3].at, 100);
	same_text(out[3].zone, NULL);
	same_text(out[3].reason, "InsufficientInstanceCapacity");
	same_text(out[3].accelerator, "H100");
	same_text(out[0].accelerator, NULL);
	ck_assert_uint_eq(out[3].accelerator_milli, 8000);
	ck_assert_int_eq(out[3].spot, 1);
	ck_assert_int_eq(out[3].scope, SOUK_SCOPE_ZONE);
	souk_store_attempts_free(out, n);
	OK(souk_store_attempts(store, 200, &out, &n, &err));
	ck_assert_uint_eq(n, 3);
	souk_store_attempts_free(out, n);
	OK(souk_store_attempts(store, 301, &out, &n, &err));
	ck_assert_uint_eq(n, 0);
	souk_store_attempts_free(out, n);
	souk_store_attempt_fini(NULL);
	souk_store_close(store);
}
END_TEST

START_TEST(attempts_are_bounded)
{
	struct souk_store *store = open_store();
	struct souk_store_attempt in = { .provider = (char *)"p", .region = (char *)"r",
					 .instance_type = (char *)"t" };
	struct souk_store_attempt *out;
	size_t n;

	OK(souk_store_begin(store, &err));
	for (in.at = 1; in.at <= 10050; in.at++)
		OK(souk_store_attempt_add(store, &in, &err));
	OK(souk_store_commit(store, &err));
	OK(souk_store_attempts(store, 0, &out, &n, &err));
	ck_assert_uint_eq(n, 10000);
	ck_assert_int_eq(out[0].at, 10050);
	souk_store_attempts_free(out, n);
	souk_store_close(store);
}
END_TEST

/* ---- Transactions ---- */

static int has_cluster(struct souk_store *store, const char *name)
{
	struct souk_store_cluster out;

	if (souk_store_cluster_get(store, name, &out, NULL) < 0)
		return 0;
	souk_store_cluster_fini(&out);
	return 1;
}

START_TEST(all_or_nothing)
{
	struct souk_store *store = open_store(), *other = open_store();
	struct souk_store_node node;
	struct souk_store_cluster c1 = sample("c1", &node, 1), c2 = sample("c2", &node, 1);

	OK(souk_store_begin(store, &err));
	OK(souk_store_cluster_put(store, &c1, &err));
	ck_assert_int_eq(has_cluster(store, "c1"), 1);
	ck_assert_int_eq(has_cluster(other, "c1"), 0);
	souk_store_rollback(store);
	ck_assert_int_eq(has_cluster(store, "c1"), 0);
	/* An inner one ends with the outer. */
	OK(souk_store_begin(store, &err));
	OK(souk_store_begin(store, &err));
	OK(souk_store_cluster_put(store, &c1, &err));
	OK(souk_store_commit(store, &err));
	OK(souk_store_event(store, "c1", "between", &err));
	ck_assert_int_eq(has_cluster(other, "c1"), 0);
	OK(souk_store_cluster_put(store, &c2, &err));
	OK(souk_store_commit(store, &err));
	ck_assert_int_eq(has_cluster(other, "c1"), 1);
	ck_assert_int_eq(has_cluster(other, "c2"), 1);
	/* What failed inside undoes all of it, and the outer commit says so. */
	OK(souk_store_begin(store, &err));
	OK(souk_store_cluster_delete(store, "c2", &err));
	c1.nodes[0].id = NULL;
	ck_assert_int_lt(souk_store_cluster_put(store, &c1, &err), 0);
	ck_assert_int_lt(souk_store_commit(store, &err), 0);
	souk_store_rollback(store);
	ck_assert_int_eq(has_cluster(other, "c2"), 1);
	/* And a transaction that is open when the store is closed never was. */
	OK(souk_store_begin(store, &err));
	OK(souk_store_cluster_delete(store, "c2", &err));
	souk_store_close(store);
	ck_assert_int_eq(has_cluster(other, "c2"), 1);
	souk_store_close(other);
}
END_TEST

/* In a child: write two clusters in one transaction, and die before or after its end. */
static void write_and_die(int with_commit)
{
	struct souk_store_node node;
	struct souk_store_cluster c1 = sample("c1", &node, 1), c2 = sample("c2", &node, 1);
	struct souk_store *store;

	c1.cost_micros = c2.cost_micros = 2;
	if (souk_store_open(scratch_path("state"), 1, &store, NULL) < 0 ||
	    souk_store_begin(store, NULL) < 0 || souk_store_cluster_put(store, &c1, NULL) < 0 ||
	    souk_store_cluster_put(store, &c2, NULL) < 0)
		_exit(1);
	if (with_commit && souk_store_commit(store, NULL) < 0)
		_exit(1);
	raise(SIGKILL);
}

START_TEST(killed_in_a_transaction)
{
	struct souk_store_node node;
	struct souk_store_cluster c1 = sample("c1", &node, 1), out;
	struct souk_store *store = open_store();
	pid_t pid;
	int status;

	c1.cost_micros = 1;
	OK(souk_store_cluster_put(store, &c1, &err));
	souk_store_close(store);
	pid = fork();
	if (pid == 0)
		write_and_die(_i);
	status = scratch_wait(pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	store = open_store();
	OK(souk_store_cluster_get(store, "c1", &out, &err));
	ck_assert_int_eq(out.cost_micros, _i ? 2 : 1);
	ck_assert_uint_eq(out.n_nodes, 1);
	souk_store_cluster_fini(&out);
	ck_assert_int_eq(has_cluster(store, "c2"), _i);
	souk_store_close(store);
}
END_TEST

/* In a child: raise the cost of both clusters together, for ever, telling of each commit. */
static void count_for_ever(int fd)
{
	struct souk_store_node node;
	struct souk_store_cluster c1 = sample("c1", &node, 1), c2 = sample("c2", &node, 1);
	struct souk_store *store;

	if (souk_store_open(scratch_path("state"), 1, &store, NULL) < 0)
		_exit(1);
	for (c1.cost_micros = c2.cost_micros = 1;; c2.cost_micros = ++c1.cost_micros)
		if (souk_store_begin(store, NULL) < 0 ||
		    souk_store_cluster_put(store, &c1, NULL) < 0 ||
		    souk_store_cluster_put(store, &c2, NULL) < 0 ||
		    souk_store_commit(store, NULL) < 0 ||
		    write(fd, &c1.cost_micros, sizeof(c1.cost_micros)) < 0)
			_exit(1);
}

START_TEST(killed_at_any_moment)
{
	int64_t told = 0, count;
	struct souk_store_cluster c1, c2;
	struct souk_store *store;
	int fds[2], i;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0)
		count_for_ever(fds[1]);
	close(fds[1]);
	/* A different number of commits each time, and then in the middle of whatever it does. */
	for (i = 0; i < 3 + _i; i++)
		ck_assert_int_eq(read(fds[0], &told, sizeof(told)), sizeof(told));
	kill(pid, SIGKILL);
	scratch_wait(pid);
	while (read(fds[0], &count, sizeof(count)) == sizeof(count))
		told = count;
	close(fds[0]);
	store = open_store();
	OK(souk_store_cluster_get(store, "c1", &c1, &err));
	OK(souk_store_cluster_get(store, "c2", &c2, &err));
	ck_assert_int_eq(c1.cost_micros, c2.cost_micros);
	/* What was told of is there; at most the next was finished and not told. */
	ck_assert_int_ge(c1.cost_micros, told);
	ck_assert_int_le(c1.cost_micros, told + 1);
	souk_store_cluster_fini(&c1);
	souk_store_cluster_fini(&c2);
	souk_store_close(store);
}
END_TEST

/* ---- Several processes ---- */

static void add_up(int who, int ready, int go)
{
	struct souk_store_node node;
	struct souk_store_cluster seen, shared = sample("shared", &node, 0), own;
	struct souk_store *store;
	char name[16], byte = 0;
	int i;

	snprintf(name, sizeof(name), "own-%d", who);
	own = sample(name, &node, 1);
	if (write(ready, "", 1) != 1 || read(go, &byte, 1) != 0 ||
	    souk_store_open(scratch_path("state"), 1, &store, &err) < 0) {
		fprintf(stderr, "%s\n", err.message);
		_exit(1);
	}
	for (i = 0; i < 10; i++) {
		if (souk_store_begin(store, &err) < 0)
			break;
		shared.cost_micros = 1;
		if (souk_store_cluster_get(store, "shared", &seen, NULL) == SOUK_OK) {
			shared.cost_micros = seen.cost_micros + 1;
			souk_store_cluster_fini(&seen);
		}
		if (souk_store_cluster_put(store, &shared, &err) < 0 ||
		    souk_store_cluster_put(store, &own, &err) < 0 || souk_store_commit(store, &err) < 0)
			break;
	}
	if (i < 10)
		fprintf(stderr, "%s\n", err.message);
	souk_store_close(store);
	_exit(i < 10);
}

/* Of a store that does not exist yet: to make it is part of the race. */
START_TEST(several_write_at_once)
{
	enum { N = 6 };
	int ready[2], go[2], i, status;
	struct souk_store_cluster out;
	struct souk_store *store;
	pid_t pids[N];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(go), 0);
	for (i = 0; i < N; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			close(go[1]);
			add_up(i, ready[1], go[0]);
		}
	}
	for (i = 0; i < N; i++)
		ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(go[1]);
	for (i = 0; i < N; i++) {
		status = scratch_wait(pids[i]);
		ck_assert_msg(status == 0, "process %d: %d", i, status);
	}
	close(go[0]);
	close(ready[0]);
	close(ready[1]);
	store = open_store();
	OK(souk_store_cluster_get(store, "shared", &out, &err));
	ck_assert_int_eq(out.cost_micros, N * 10);
	souk_store_cluster_fini(&out);
	ck_assert_int_eq(has_cluster(store, "own-0"), 1);
	ck_assert_int_eq(has_cluster(store, "own-5"), 1);
	souk_store_close(store);
}
END_TEST

/* ---- Opening ---- */

static int count_files(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int n = 0;

	while (dir && (entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

START_TEST(looking_makes_nothing)
{
	struct souk_store *store = NULL;

	ck_assert_int_eq(souk_store_open(scratch_path("state"), 0, &store, &err), SOUK_E_NOT_FOUND);
	ck_assert_ptr_null(store);
	ck_assert_int_eq(count_files(scratch), 0);
	scratch_mkdir(scratch_path("state"));
	ck_assert_int_eq(souk_store_open(scratch_path("state"), 0, &store, &err), SOUK_E_NOT_FOUND);
	ck_assert_int_eq(count_files(scratch_path("state")), 0);
	souk_store_close(open_store());
	OK(souk_store_open(scratch_path("state"), 0, &store, &err));
	souk_store_close(store);
}
END_TEST

START_TEST(the_store_is_private)
{
	mode_t before = umask(0);
	struct souk_store *store = open_store();
	struct souk_store_node node;
	struct souk_store_cluster c1 = sample("c1", &node, 1);
	static const char *const files[] = { "souk.db", "souk.db-wal", "souk.db-shm" };
	struct stat st;
	size_t i;

	OK(souk_store_cluster_put(store, &c1, &err));
	umask(before);
	ck_assert_int_eq(stat(scratch_path("state"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	for (i = 0; i < SOUK_ARRAY_SIZE(files); i++)
		if (stat(scratch_path("state/%s", files[i]), &st) == 0)
			ck_assert_msg((st.st_mode & 0777) == 0600, "%s: %o", files[i],
				      (unsigned)st.st_mode & 0777);
	souk_store_close(store);
}
END_TEST

/* As a later souk would leave it. */
static void set_version(int64_t version)
{
	struct souk_db_value params[] = { SOUK_DB_INT(version) };
	struct souk_db *db;

	OK(souk_db_sqlite_open(scratch_path("state/souk.db"), 0, &db, &err));
	OK(db->ops->run(db, "UPDATE meta SET value = $1 WHERE key = 'schema'", params, 1, NULL, NULL,
			NULL, &err));
	db->ops->close(db);
}

START_TEST(a_newer_store_is_refused)
{
	struct souk_store *store = NULL;

	souk_store_close(open_store());
	set_version(4);
	ck_assert_int_eq(souk_store_open(scratch_path("state"), 1, &store, &err), SOUK_E_UNSUPPORTED);
	ck_assert_ptr_null(store);
	ck_assert_ptr_nonnull(strstr(err.message, "has the format 4, this souk knows 3"));
	ck_assert_str_eq(err.hint, "it was written by a newer souk: use that one");
	set_version(3);
	store = open_store();
	souk_store_close(store);
}
END_TEST

/* Overwrite or cut the file, without its log. */
static void damage(int how)
{
	const char *path = scratch_path("state/souk.db");
	char *data;
	size_t size;

	data = scratch_read(path, &size);
	ck_assert_uint_gt(size, 8192);
	if (how == 0)
		memset(data, 'x', 512);
	else if (how == 1)
		memset(data + 100, 0xa5, size - 100);
	scratch_write(path, data, how == 2 ? size / 2 : size);
	free(data);
}

START_TEST(a_damaged_store_is_told_of)
{
	struct souk_store *store = open_store();
	struct souk_store_node node;
	struct souk_store_cluster c1 = sample("c1", &node, 1), *clusters;
	size_t n;
	int ret;

	OK(souk_store_cluster_put(store, &c1, &err));
	souk_store_close(store);
	damage(_i);
	store = NULL;
	ret = souk_store_open(scratch_path("state"), 1, &store, &err);
	if (ret == SOUK_OK)
		ret = souk_store_clusters(store, &clusters, &n, &err);
	ck_assert_int_eq(ret, SOUK_E_INTERNAL);
	ck_assert_msg(strstr(err.message, "is damaged") && strstr(err.message, "souk.db"), "%s",
		      err.message);
	ck_assert_ptr_nonnull(strstr(err.hint, "move the file away"));
	souk_store_close(store);
}
END_TEST

START_TEST(places_that_cannot_be)
{
	struct souk_store *store = NULL;

	scratch_text(scratch_path("file"), "x");
	ck_assert_int_lt(souk_store_open(scratch_path("file"), 1, &store, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.message, "file"));
	ck_assert_int_lt(souk_store_open(scratch_path("file/state"), 1, &store, &err), 0);
	scratch_mkdir(scratch_path("state/souk.db"));
	ck_assert_int_lt(souk_store_open(scratch_path("state"), 1, &store, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.message, "souk.db"));
	ck_assert_ptr_null(store);
	/* An empty file is what a maker that died early leaves. */
	scratch_mkdir(scratch_path("state2"));
	scratch_text(scratch_path("state2/souk.db"), "");
	ck_assert_int_eq(souk_store_open(scratch_path("state2"), 0, &store, &err), SOUK_E_NOT_FOUND);
	OK(souk_store_open(scratch_path("state2"), 1, &store, &err));
	souk_store_close(store);
}
END_TEST

/* ---- Locks ---- */

/* A child that takes the lock, says so and dies when it is told to. */
static pid_t lock_in_child(const char *cluster, int said[2], int die[2])
{
	struct souk_store *store;
	char byte = 0;
	pid_t pid;
	int fd;

	ck_assert_int_eq(pipe(said), 0);
	ck_assert_int_eq(pipe(die), 0);
	pid = fork();
	if (pid == 0) {
		close(die[1]);
		if (souk_store_open(scratch_path("state"), 1, &store, NULL) < 0 ||
		    souk_store_lock(store, cluster, 0, NULL, &fd, NULL) < 0 ||
		    write(said[1], "", 1) != 1 || read(die[0], &byte, 1) < 0)
			_exit(1);
		raise(SIGKILL);
	}
	close(die[0]);
	close(said[1]);
	ck_assert_int_eq(read(said[0], &byte, 1), 1);
	close(said[0]);
	return pid;
}

START_TEST(one_holds_the_lock)
{
	struct souk_store *store = open_store();
	int said[2], die[2], fd = -1, other = -1;
	pid_t pid = lock_in_child("c1", said, die);

	ck_assert_int_eq(souk_store_lock(store, "c1", 0, NULL, &fd, &err), SOUK_E_CONFLICT);
	ck_assert_str_eq(err.message, "another souk is working on the cluster 'c1'");
	ck_assert_int_eq(fd, -1);
	/* Another cluster's is free. */
	OK(souk_store_lock(store, "c2", 0, NULL, &other, &err));
	souk_store_unlock(other);
	/* It goes with the process, whatever ended it; whoever waits gets it. */
	close(die[1]);
	OK(souk_store_lock(store, "c1", 1, NULL, &fd, &err));
	scratch_wait(pid);
	/* A second one of the same process is another's too. */
	ck_assert_int_eq(souk_store_lock(store, "c1", 0, NULL, &other, &err), SOUK_E_CONFLICT);
	souk_store_unlock(fd);
	OK(souk_store_lock(store, "c1", 0, NULL, &fd, &err));
	souk_store_unlock(fd);
	souk_store_unlock(-1);
	souk_store_close(store);
}
END_TEST

START_TEST(waiting_for_a_lock_can_be_cancelled)
{
	struct souk_store *store = open_store();
	struct souk_cancel cancel;
	int said[2], die[2], fd = -1;
	pid_t pid = lock_in_child("c1", said, die);

	OK(souk_cancel_init(&cancel, &err));
	souk_cancel_set(&cancel);
	ck_assert_int_eq(souk_store_lock(store, "c1", 1, &cancel, &fd, &err), SOUK_E_CANCELLED);
	ck_assert_int_eq(fd, -1);
	close(die[1]);
	scratch_wait(pid);
	souk_cancel_fini(&cancel);
	souk_store_close(store);
}
END_TEST

/* A program that is started while the lock is held must not keep it. */
START_TEST(the_lock_is_not_inherited)
{
	struct souk_store *store = open_store();
	char byte;
	int fds[2], fd = -1;
	pid_t pid;

	OK(souk_store_lock(store, "c1", 0, NULL, &fd, &err));
	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		execlp("sh", "sh", "-c", "echo; exec sleep 3600", (char *)NULL);
		_exit(127);
	}
	ck_assert_int_eq(read(fds[0], &byte, 1), 1);
	souk_store_unlock(fd);
	OK(souk_store_lock(store, "c1", 0, NULL, &fd, &err));
	souk_store_unlock(fd);
	kill(pid, SIGKILL);
	scratch_wait(pid);
	souk_store_close(store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tc = tcase_create("store");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 180);
	tcase_add_checked_fixture(tc, begin, scratch_remove);
	tcase_add_test(tc, a_cluster_comes_back_whole);
	tcase_add_test(tc, a_cluster_is_replaced);
	tcase_add_test(tc, names_are_no_sql);
	tcase_add_test(tc, what_is_not_there);
	tcase_add_test(tc, intents_oldest_first);
	tcase_add_test(tc, a_forgotten_cluster_takes_all_with_it);
	tcase_add_test(tc, attempts_newest_first);
	tcase_add_test(tc, attempts_are_bounded);
	tcase_add_test(tc, all_or_nothing);
	tcase_add_loop_test(tc, killed_in_a_transaction, 0, 2);
	tcase_add_loop_test(tc, killed_at_any_moment, 0, 12);
	tcase_add_loop_test(tc, several_write_at_once, 0, 10);
	tcase_add_test(tc, looking_makes_nothing);
	tcase_add_test(tc, the_store_is_private);
	tcase_add_test(tc, a_newer_store_is_refused);
	tcase_add_loop_test(tc, a_damaged_store_is_told_of, 0, 3);
	tcase_add_test(tc, places_that_cannot_be);
	tcase_add_test(tc, one_holds_the_lock);
	tcase_add_test(tc, waiting_for_a_lock_can_be_cancelled);
	tcase_add_test(tc, the_lock_is_not_inherited);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
