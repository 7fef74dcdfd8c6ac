/* SPDX-License-Identifier: Apache-2.0 */
/* test-fleet.c - failover, settling and teardown against clouds that do what a script says */
#include "fleet-stage.h"

/* ---- Failover ---- */

START_TEST(the_first_candidate_works)
{
	struct souk_store_cluster cluster;
	struct souk_store_attempt *attempts;
	size_t n;

	OK(provision());
	ck_assert_str_eq(where(), "alpha/r1/a");
	ck_assert_int_eq(get_cluster(&cluster), 1);
	ck_assert_int_eq(cluster.status, SOUK_CLUSTER_INIT);
	ck_assert_str_eq(cluster.owner, "me");
	ck_assert_str_eq(cluster.instance_type, "t");
	ck_assert_int_gt(cluster.billed_since, 0);
	ck_assert_int_eq(cluster.nodes[0].status, SOUK_INSTANCE_RUNNING);
	ck_assert_str_eq(cluster.nodes[0].public_address, "127.0.0.1");
	ck_assert_str_eq(cluster.nodes[0].ssh_user, "me");
	ck_assert_str_eq(cluster.nodes[0].token, cluster.token);
	souk_store_cluster_fini(&cluster);
	ck_assert_int_eq(count_calls("alpha", "provision"), 1);
	ck_assert_uint_eq(count_intents(NULL), 0);
	check_equal_sets();
	/* The ledger has it. */
	OK(souk_store_attempts(store, 0, &attempts, &n, &err));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(attempts[0].code, SOUK_OK);
	ck_assert_str_eq(attempts[0].zone, "a");
	souk_store_attempts_free(attempts, n);
	ck_assert_str_eq(events, "");
	ck_assert_str_eq(warnings, "");
}
END_TEST

static const struct {
	const char *script;	/* of alpha */
	const char *where;
	int provisions;		/* of alpha */
	const char *event;	/* a part of the events */
} failovers[] = {
	{ "provision r1/a 1 CAPACITY@zone\n", "alpha/r1/b", 2, "(Scripted); trying the next zone: alpha b t, " },
	{ "provision r1/a 1 CAPACITY@offer\n", "alpha/r1/b", 2, "trying the next zone" },
	{ "provision r1/a 1 QUOTA@region\n", "alpha/r2/a", 2, "trying the next region: alpha a t" },
	{ "provision r1/a 1 CAPACITY@region\n", "alpha/r2/a", 2, "trying the next region" },
	{ "provision * 1 AUTH\n", "beta/r1/a", 1, "trying the next provider: beta a t" },
	{ "provision * 1 AUTH@region\n", "alpha/r2/a", 2, "trying the next region" },
	{ "provision * 1 INVALID\n", "alpha/r1/b", 2, "trying the next zone" },
	{ "provision * 9 UNSUPPORTED@provider\n", "beta/r1/a", 1, "trying the next provider" },
	{ "provision r1 9 CAPACITY@zone\n", "alpha/r2/a", 3, "trying the next region" },
	{ "provision r1 9 CAPACITY@zone\nprovision r2 9 QUOTA@region\n", "beta/r1/a", 3,
	  "trying the next provider" },
	{ "provision * 2 RATE_LIMIT\n", "alpha/r1/a", 3, "trying again" },
	{ "provision * 2 TRANSIENT\n", "alpha/r1/a", 3, "trying again" },
	{ "provision r1/a 9 RATE_LIMIT\n", "alpha/r1/b", 5, "trying the next zone" },
	{ "open * 1 AUTH\n", "beta/r1/a", 0, "trying the next provider" },
	/* What fails after it was created. */
	{ "provision r1/a 1 made+doomed\n", "alpha/r1/b", 2,
	  "ended before it ran: doomed by the script; trying the next zone" },
	{ "describe r1/a 1 AUTH\n", "beta/r1/a", 1, "trying the next provider" },
	{ "describe * 2 TRANSIENT\n", "alpha/r1/a", 1, "" },
};

START_TEST(fails_over)
{
	script("alpha", failovers[_i].script);
	OK(provision());
	ck_assert_str_eq(where(), failovers[_i].where);
	ck_assert_int_eq(count_calls("alpha", "provision"), failovers[_i].provisions);
	/* Each try has a token of its own. */
	if (failovers[_i].provisions > 0)
		ck_assert_int_eq(count_tokens("alpha"), failovers[_i].provisions);
	ck_assert_msg(strstr(events, failovers[_i].event) != NULL, "%s", events);
	check_equal_sets();
	/* What was given back is settled and leaves no note behind. */
	refresh();
	refresh();
	ck_assert_uint_eq(count_intents(NULL), 0);
	check_equal_sets();
}
END_TEST

START_TEST(nothing_is_left_of_a_failure)
{
	struct souk_store_attempt *attempts;
	struct souk_store_cluster cluster;
	size_t n;

	script("alpha", "provision * 9 CAPACITY@zone\n");
	script("beta", "provision * 9 QUOTA@provider\n");
	ck_assert_int_eq(provision(), SOUK_E_CAPACITY);
	ck_assert_str_eq(err.message, "none of 4 candidates could be had; the first: "
				      "alpha: the script fails provision");
	ck_assert_str_eq(err.hint, "'--retry-until-up' keeps trying");
	ck_assert_int_eq(get_cluster(&cluster), 0);
	ck_assert_uint_eq(count_intents(NULL), 0);
	ck_assert_int_eq(access(scratch_path("state/clusters/c"), F_OK), -1);
	check_equal_sets();
	OK(souk_store_attempts(store, 0, &attempts, &n, &err));
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(attempts[0].code, SOUK_E_QUOTA);
	ck_assert_int_eq(attempts[0].scope, SOUK_SCOPE_PROVIDER);
	ck_assert_str_eq(attempts[3].reason, "Scripted");
	souk_store_attempts_free(attempts, n);
	/* One alone says it itself. */
	script("alpha", "provision * 9 QUOTA@region\n");
	ck_assert_int_eq(provision_on(offers, 2, 1, 0, NULL), SOUK_E_QUOTA);
	ck_assert_str_eq(err.message, "alpha: the script fails provision");
}
END_TEST

/* ---- Tokens ---- */

START_TEST(a_timeout_makes_no_second_machine)
{
	script("alpha", "provision * 1 made+TIMEOUT\n");
	OK(provision());
	ck_assert_str_eq(where(), "alpha/r1/a");
	ck_assert_uint_eq(count_machines("alpha"), 1);
	ck_assert_int_eq(count_calls("alpha", "provision"), 1);
	ck_assert_uint_eq(count_intents(NULL), 0);
}
END_TEST

START_TEST(a_timeout_without_effect_is_repeated)
{
	script("alpha", "provision * 2 TIMEOUT\n");
	OK(provision());
	ck_assert_str_eq(where(), "alpha/r1/a");
	ck_assert_int_eq(count_calls("alpha", "provision"), 3);
	ck_assert_int_eq(count_tokens("alpha"), 1);
	ck_assert_uint_eq(count_machines("alpha"), 1);
	ck_assert_uint_eq(count_intents(NULL), 0);
}
END_TEST

/* Made, but not seen yet; then a refusal that by itself would mean that nothing was made. */
START_TEST(a_refusal_after_a_timeout_proves_nothing)
{
	static const char *const codes[] = { "QUOTA@region", "CAPACITY@region", "RATE_LIMIT@region",
					     "INVALID@region", "CONFLICT@region" };
	char text[256];
	int i;

	snprintf(text, sizeof(text),
		 "provision r1 1 made+hidden3+TIMEOUT\nprovision r1 4 %s\n", codes[_i]);
	script("alpha", text);
	OK(provision());
	ck_assert_str_eq(where(), "alpha/r2/a");
	ck_assert_uint_eq(count_machines("alpha"), 2);
	/* It is on record until it has been seen, torn down, and twice not been seen again. */
	ck_assert_uint_eq(count_intents("c"), 1);
	for (i = 0; i < 4; i++)
		refresh();
	ck_assert_uint_eq(count_intents("c"), 0);
	check_equal_sets();
	ck_assert_str_eq(where(), "alpha/r2/a");
}
END_TEST

START_TEST(it_never_answers)
{
	script("alpha", "provision r1 99 TIMEOUT@region\nprovision r2 99 made+hidden9+TIMEOUT\n");
	OK(provision());
	ck_assert_str_eq(where(), "beta/r1/a");
	ck_assert_uint_eq(count_machines("alpha"), 1);
	ck_assert_uint_eq(count_machines("beta"), 1);
	ck_assert_uint_eq(count_intents("c"), 2);
}
END_TEST

/* The network doubled the request, and the cloud took it for two. */
START_TEST(doubles_are_torn_down)
{
	struct souk_store_cluster cluster;

	script("alpha", _i ? "provision * 1 twice+made+TIMEOUT\n" : "provision * 1 twice\n");
	OK(provision());
	refresh();
	ck_assert_int_eq(get_cluster(&cluster), 1);
	ck_assert_uint_eq(cluster.n_nodes, 1);
	souk_store_cluster_fini(&cluster);
	ck_assert_uint_eq(count_machines("alpha"), 1);
	check_equal_sets();
	ck_assert_ptr_nonnull(strstr(warnings, "1 machines more than asked for were found"));
}
END_TEST

START_TEST(a_success_with_too_few_is_none)
{
	struct souk_store_cluster cluster;

	script("alpha", "provision r1/a 1 short\n");
	OK(provision_on(offers, 4, 3, 0, NULL));
	ck_assert_msg(strstr(events, "gave 2 of 3 machines and called it a success") != NULL, "%s",
		      events);
	ck_assert_int_eq(get_cluster(&cluster), 1);
	ck_assert_str_eq(cluster.zone, "b");
	ck_assert_uint_eq(cluster.n_nodes, 3);
	souk_store_cluster_fini(&cluster);
	check_equal_sets();
}
END_TEST

/* A failure that tells of machines means them: they are given back. */
START_TEST(a_failed_teardown_is_made_up_for)
{
	script("alpha", "provision r1/a 1 doomed\nteardown * 1 TRANSIENT\n");
	OK(provision());
	ck_assert_str_eq(where(), "alpha/r1/b");
	ck_assert_uint_eq(count_machines("alpha"), 2);
	ck_assert_uint_eq(count_intents("c"), 1);
	ck_assert_ptr_nonnull(strstr(warnings, "noted: 'souk status --refresh' tries again"));
	refresh();
	refresh();
	refresh();
	ck_assert_uint_eq(count_intents("c"), 0);
	check_equal_sets();
}
END_TEST

/* ---- Retrying and cancelling ---- */

START_TEST(retries_until_up)
{
	/* That the first provider has no credentials does not mean that the second is never free. */
	script("alpha", "provision * 99 AUTH\n");
	script("beta", "provision * 99 CAPACITY@zone\n");
	ck_assert_int_eq(provision_on(offers, 4, 1, 1, "; again in 30 s"), SOUK_E_CANCELLED);
	ck_assert_ptr_nonnull(strstr(events, "; again in 30 s"));
	check_equal_sets();
	/* Where nothing can get better, it ends. */
	souk_cancel_fini(&cancel);
	OK(souk_cancel_init(&cancel, &err));
	events[0] = '\0';
	script("beta", "provision * 99 INVALID\n");
	ck_assert_int_eq(provision_on(offers, 4, 1, 1, NULL), SOUK_E_AUTH);
	ck_assert_ptr_null(strstr(events, "again in"));
}
END_TEST

/* Ctrl-C while the cloud is creating: the call comes back CANCELLED, the machine is there. */
START_TEST(cancelled_while_creating)
{
	ck_assert_int_eq(provision_on(offers, 4, 1, 0, "alpha a t"), SOUK_E_CANCELLED);
	ck_assert_int_eq(count_calls("alpha", "provision"), 1);
	ck_assert_int_eq(count_calls("beta", "provision"), 0);
	ck_assert_uint_eq(count_machines("alpha"), 0);
	souk_cancel_fini(&cancel);
	OK(souk_cancel_init(&cancel, &err));
	refresh();
	refresh();
	refresh();
	ck_assert_str_eq(where(), "");
	ck_assert_uint_eq(count_intents(NULL), 0);
	check_equal_sets();
}
END_TEST

/* Ctrl-C while it starts: it stays, and is told of. */
START_TEST(cancelled_while_starting)
{
	script("alpha", "describe * 1 TRANSIENT\n");
	ck_assert_int_eq(provision_on(offers, 4, 1, 0, "waiting for 1 machine"), SOUK_E_CANCELLED);
	ck_assert_str_eq(where(), "alpha/r1/a");
	check_equal_sets();
}
END_TEST

/* ---- kill -9 ---- */

static const struct {
	const char *script;	/* of alpha; and beta */
	const char *beta;
	size_t machines;	/* in the end */
	size_t nodes;		/* asked for */
} kills[] = {
	{ "provision * 1 kill\n", "", 0, 1 },
	{ "provision * 1 made+kill\n", "", 1, 1 },
	{ "provision * 1 made+kill\n", "", 3, 3 },
	{ "provision * 1 made+hidden3+kill\n", "", 1, 1 },
	/* Half of them, and more than were asked for: neither is a cluster. */
	{ "provision * 1 made+short+kill\n", "", 0, 2 },
	{ "provision * 1 made+twice+kill\n", "", 0, 1 },
	/* After the answer was written down, while the machines start. */
	{ "describe * 1 kill\n", "", 1, 1 },
	{ "provision * 1 made+TIMEOUT\nlist * 1 kill\n", "", 1, 1 },
	/* While the first candidate is given back, before and after. */
	{ "provision * 1 doomed\nteardown * 1 kill\n", "", 0, 1 },
	{ "provision * 1 doomed\nteardown * 1 made+kill\n", "", 0, 1 },
	/* At the second candidate, with the first one still open. */
	{ "provision r1/a 9 TIMEOUT@provider\n", "provision * 1 made+kill\n", 1, 1 },
	{ "provision r1/a 9 made+hidden9+TIMEOUT@provider\n", "provision * 1 made+kill\n", 1, 1 },
};

/* Provision in a child that the script kills, then open the fleet again. */
static void provision_killed(size_t nodes)
{
	pid_t pid;
	int status;

	close_fleet();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		open_fleet();
		provision_on(offers, 4, (uint32_t)nodes, 0, NULL);
		_exit(0);
	}
	status = scratch_wait(pid);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "it was not killed: %d", status);
	open_fleet();
}

START_TEST(killed_then_refreshed)
{
	size_t i;

	/* An intent that is young is not given up because its machine is not seen. */
	if (strstr(kills[_i].script, "hidden"))
		ck_assert_int_eq(setenv("SOUK_SETTLE_MS", "3600000", 1), 0);
	script("alpha", kills[_i].script);
	script("beta", kills[_i].beta);
	provision_killed(kills[_i].nodes);
	refresh();
	if (!strstr(kills[_i].script, "hidden"))
		check_equal_sets();
	for (i = 0; i < 12; i++)
		refresh();
	check_equal_sets();
	ck_assert_uint_eq(count_machines("alpha") + count_machines("beta"), kills[_i].machines);
	ck_assert_int_eq(setenv("SOUK_SETTLE_MS", "0", 1), 0);
	refresh();
	refresh();
	ck_assert_uint_eq(count_intents(NULL), 0);
	ck_assert_int_eq(where()[0] != '\0', kills[_i].machines > 0);
	check_equal_sets();
	/* And what is left can be torn down. */
	if (kills[_i].machines > 0)
		OK(down());
	ck_assert_uint_eq(count_machines("alpha") + count_machines("beta"), 0);
}
END_TEST

START_TEST(killed_then_down)
{
	struct souk_store_cluster cluster;

	script("alpha", kills[_i].script);
	script("beta", kills[_i].beta);
	provision_killed(kills[_i].nodes);
	ck_assert_int_eq(get_cluster(&cluster), 1);
	souk_store_cluster_fini(&cluster);
	OK(down());
	if (!strstr(kills[_i].script, "hidden"))
		ck_assert_uint_eq(count_machines("alpha"), 0);
	ck_assert_uint_eq(count_machines("beta"), 0);
	ck_assert_int_eq(get_cluster(&cluster), 0);
	ck_assert_uint_eq(count_intents(NULL), 0);
	ck_assert_int_eq(access(scratch_path("state/clusters/c"), F_OK), -1);
}
END_TEST

/* ---- Down ---- */

START_TEST(down_is_confirmed_twice)
{
	struct souk_store_cluster cluster;
	int before;

	OK(provision_on(_i ? &sure_offer : offers, 1, 1, 0, NULL));
	before = count_calls(_i ? "sure" : "alpha", "describe");
	OK(down());
	/* One cloud has to be asked twice, the other shows at once what it has. */
	ck_assert_int_eq(count_calls(_i ? "sure" : "alpha", "describe") - before, _i ? 1 : 2);
	ck_assert_int_eq(get_cluster(&cluster), 0);
	check_equal_sets();
	ck_assert_int_eq(down(), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "there is no cluster 'c'");
}
END_TEST

static const struct {
	const char *script;
	int teardowns; /* at least */
} stubborn[] = {
	{ "teardown * 2 TRANSIENT\n", 3 },
	{ "teardown * 2 made+TIMEOUT\n", 3 },
	{ "teardown * 1 RATE_LIMIT\nteardown * 1 CONFLICT\n", 3 },
	{ "describe * 2 TIMEOUT\n", 3 },
	{ "list * 1 TRANSIENT\n", 2 },
};

START_TEST(down_does_not_give_up)
{
	OK(provision());
	script("alpha", stubborn[_i].script);
	OK(down());
	ck_assert_int_ge(count_calls("alpha", "teardown"), stubborn[_i].teardowns);
	check_equal_sets();
	ck_assert_str_eq(where(), "");
}
END_TEST

START_TEST(down_that_is_refused_goes_on_later)
{
	struct souk_store_cluster cluster;

	OK(provision());
	script("alpha", "teardown * 1 AUTH\n");
	ck_assert_int_eq(down(), SOUK_E_AUTH);
	ck_assert_int_eq(get_cluster(&cluster), 1);
	ck_assert_int_eq(cluster.tearing_down, 1);
	souk_store_cluster_fini(&cluster);
	check_equal_sets();
	refresh();
	ck_assert_int_eq(get_cluster(&cluster), 0);
	check_equal_sets();
}
END_TEST

/* An intent whose cluster the store does not have: what is found under it is nobody's. */
START_TEST(an_orphan_is_torn_down)
{
	struct souk_store_intent intent = {
		.token = (char *)"orphan", .cluster = (char *)"gone", .provider = (char *)"alpha",
		.region = (char *)"r1", .instance_type = (char *)"t", .count = 1, .created_at = 1,
	};
	struct souk_store_cluster cluster;

	/* The store has another cluster, which is left alone. */
	OK(provision());
	OK(souk_store_intent_put(store, &intent, &err));
	scratch_text(scratch_path("cloud/alpha/machine-x"), "x r1 a t gone me orphan 1 0 0\n");
	refresh();
	ck_assert_int_eq(has_machine("alpha", "x"), 0);
	refresh();
	refresh();
	ck_assert_uint_eq(count_intents(NULL), 0);
	ck_assert_int_eq(get_cluster(&cluster), 1);
	souk_store_cluster_fini(&cluster);
	check_equal_sets();
}
END_TEST

/* What one provider still owes an answer about does not keep another's machines running. */
START_TEST(down_is_not_held_up_by_another_provider)
{
	struct souk_store_cluster cluster;

	script("alpha", "provision * 9 TIMEOUT@provider\nlist * 999 AUTH\n");
	OK(provision());
	ck_assert_str_eq(where(), "beta/r1/a");
	ck_assert_uint_eq(count_intents("c"), 1);
	ck_assert_int_eq(down(), SOUK_E_AUTH);
	ck_assert_uint_eq(count_machines("beta"), 0);
	ck_assert_int_eq(get_cluster(&cluster), 1);
	souk_store_cluster_fini(&cluster);
	ck_assert_uint_eq(count_intents("c"), 1);
	script("alpha", "");
	OK(down());
	ck_assert_uint_eq(count_intents(NULL), 0);
	ck_assert_int_eq(get_cluster(&cluster), 0);
}
END_TEST

/* ---- Refresh ---- */

START_TEST(refresh_sees_what_happened)
{
	struct souk_store_cluster cluster;
	char path[512];

	OK(provision_on(offers, 4, 2, 0, NULL));
	OK(souk_fleet_ops.stop(&fleet, "c", NULL, &err));
	ck_assert_int_eq(get_cluster(&cluster), 1);
	ck_assert_int_eq(cluster.status, SOUK_CLUSTER_STOPPED);
	ck_assert_int_eq(cluster.billed_since, 0);
	ck_assert_ptr_null(cluster.nodes[0].public_address);
	/* One of the two was taken away behind our back, then the other. */
	snprintf(path, sizeof(path), "%s", scratch_path("cloud/alpha/machine-%s", cluster.nodes[0].id));
	ck_assert_int_eq(unlink(path), 0);
	refresh();
	snprintf(path, sizeof(path), "%s", scratch_path("cloud/alpha/machine-%s", cluster.nodes[1].id));
	souk_store_cluster_fini(&cluster);
	ck_assert_int_eq(get_cluster(&cluster), 1);
	ck_assert_int_eq(cluster.nodes[0].status, SOUK_INSTANCE_TERMINATED);
	ck_assert_int_eq(cluster.nodes[1].status, SOUK_INSTANCE_STOPPED);
	souk_store_cluster_fini(&cluster);
	ck_assert_int_eq(unlink(path), 0);
	refresh();
	ck_assert_int_eq(get_cluster(&cluster), 0);
}
END_TEST

/* Not seen once is not gone. */
START_TEST(refresh_is_not_hasty)
{
	struct souk_store_cluster cluster;
	char path[512], *text, hidden[600];
	size_t size;

	OK(provision());
	ck_assert_int_eq(get_cluster(&cluster), 1);
	snprintf(path, sizeof(path), "%s", scratch_path("cloud/alpha/machine-%s", cluster.nodes[0].id));
	souk_store_cluster_fini(&cluster);
	text = scratch_read(path, &size);
	/* "... STATUS HIDDEN DOOMED": not seen by the first look, and by the search behind it. */
	snprintf(hidden, sizeof(hidden), "%.*s2 0\n", (int)size - 4, text);
	scratch_text(path, hidden);
	free(text);
	refresh();
	ck_assert_str_eq(where(), "alpha/r1/a");
	check_equal_sets();
	ck_assert_int_eq(get_cluster(&cluster), 1);
	ck_assert_int_eq(cluster.nodes[0].status, SOUK_INSTANCE_RUNNING);
	ck_assert_uint_eq(cluster.absences, 0);
	souk_store_cluster_fini(&cluster);
}
END_TEST

START_TEST(a_cluster_that_is_busy_is_left_alone)
{
	int lock, before;

	OK(provision());
	before = count_calls("alpha", "describe");
	OK(souk_store_lock(store, "c", 0, NULL, &lock, &err));
	refresh();
	ck_assert_ptr_nonnull(strstr(warnings, "c: not refreshed: another souk is working on"));
	ck_assert_int_eq(count_calls("alpha", "describe"), before);
	souk_store_unlock(lock);
	refresh();
	ck_assert_int_gt(count_calls("alpha", "describe"), before);
}
END_TEST

/* A provider whose module has gone keeps its records, and the status says so. */
START_TEST(a_provider_that_is_gone)
{
	struct souk_clusters *clusters;
	struct souk_store_cluster cluster;
	struct souk *souk;
	const struct souk_cluster_row *row;
	const char *module = scratch_path("modules/souk-provider-alpha.so");

	OK(provision());
	close_fleet();
	ck_assert_int_eq(rename(module, scratch_path("kept.so")), 0);
	open_fleet();
	refresh();
	ck_assert_msg(strstr(warnings, "c: cannot be settled: no module for the provider 'alpha'") != NULL,
		      "%s", warnings);
	ck_assert_int_eq(down(), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "no module for the provider 'alpha' is installed");
	ck_assert_str_eq(where(), "alpha/r1/a");
	OK(souk_new(NULL, &souk, &err));
	OK(souk_status(souk, NULL, 0, 0, &clusters, &err));
	ck_assert_uint_eq(souk_clusters_count(clusters), 1);
	row = souk_clusters_row(clusters, 0);
	ck_assert_str_eq(row->note,
			 "cannot be settled: no module for the provider 'alpha' is installed");
	ck_assert_uint_eq(row->n_nodes, 1);
	souk_clusters_free(clusters);
	souk_free(souk);
	/* It comes back: what was asked for is done. */
	close_fleet();
	ck_assert_int_eq(rename(scratch_path("kept.so"), scratch_path("modules/souk-provider-alpha.so")),
			 0);
	open_fleet();
	refresh();
	ck_assert_int_eq(get_cluster(&cluster), 0);
	check_equal_sets();
}
END_TEST

/* One that cannot search: the user is told where to look, and the record is not kept for ever. */
START_TEST(a_provider_that_cannot_search)
{
	script("blind", "provision * 9 TIMEOUT\n");
	ck_assert_int_eq(provision_on(&blind_offer, 1, 1, 0, NULL), SOUK_E_TIMEOUT);
	ck_assert_int_eq(count_calls("blind", "provision"), 3);
	ck_assert_int_eq(count_tokens("blind"), 1);
	refresh();
	ck_assert_msg(strstr(warnings, "'blind' cannot search for machines: look there for '") != NULL,
		      "%s", warnings);
	refresh();
	ck_assert_str_eq(where(), "");
	ck_assert_uint_eq(count_intents(NULL), 0);
}
END_TEST

/* ---- Cost ---- */

START_TEST(cost_counts_while_it_runs)
{
	struct souk_store_node nodes[2] = { { .status = SOUK_INSTANCE_RUNNING },
					    { .status = SOUK_INSTANCE_STOPPED } };
	struct souk_store_cluster c = { .micros_per_hour = 3600000, .num_nodes = 2, .nodes = nodes,
					.n_nodes = 2 };

	fleet_bill(&c, 1000);
	ck_assert_int_eq(c.billed_since, 1000);
	ck_assert_int_eq(c.cost_micros, 0);
	fleet_bill(&c, 1060);
	ck_assert_int_eq(c.cost_micros, 60 * 2000);
	ck_assert_int_eq(c.billed_since, 1060);
	/* A clock that was set back costs nothing. */
	fleet_bill(&c, 1000);
	ck_assert_int_eq(c.cost_micros, 60 * 2000);
	nodes[0].status = SOUK_INSTANCE_STOPPED;
	fleet_bill(&c, 1010);
	ck_assert_int_eq(c.cost_micros, 70 * 2000);
	ck_assert_int_eq(c.billed_since, 0);
	fleet_bill(&c, 999999);
	ck_assert_int_eq(c.cost_micros, 70 * 2000);
	nodes[1].status = SOUK_INSTANCE_PENDING;
	c.micros_per_hour = INT64_MAX;
	fleet_bill(&c, 1);
	fleet_bill(&c, 2);
	ck_assert_int_gt(c.cost_micros, 0);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, the_first_candidate_works);
	tcase_add_loop_test(tc, fails_over, 0, SOUK_ARRAY_SIZE(failovers));
	tcase_add_test(tc, nothing_is_left_of_a_failure);
	tcase_add_test(tc, a_timeout_makes_no_second_machine);
	tcase_add_test(tc, a_timeout_without_effect_is_repeated);
	tcase_add_loop_test(tc, a_refusal_after_a_timeout_proves_nothing, 0, 5);
	tcase_add_test(tc, it_never_answers);
	tcase_add_loop_test(tc, doubles_are_torn_down, 0, 2);
	tcase_add_test(tc, a_success_with_too_few_is_none);
	tcase_add_test(tc, a_failed_teardown_is_made_up_for);
	tcase_add_test(tc, retries_until_up);
	tcase_add_test(tc, cancelled_while_creating);
	tcase_add_test(tc, cancelled_while_starting);
	tcase_add_loop_test(tc, killed_then_refreshed, 0, SOUK_ARRAY_SIZE(kills));
	tcase_add_loop_test(tc, killed_then_down, 0, SOUK_ARRAY_SIZE(kills));
	tcase_add_loop_test(tc, down_is_confirmed_twice, 0, 2);
	tcase_add_loop_test(tc, down_does_not_give_up, 0, SOUK_ARRAY_SIZE(stubborn));
	tcase_add_test(tc, down_that_is_refused_goes_on_later);
	tcase_add_test(tc, down_is_not_held_up_by_another_provider);
	tcase_add_test(tc, an_orphan_is_torn_down);
	tcase_add_test(tc, refresh_sees_what_happened);
	tcase_add_test(tc, refresh_is_not_hasty);
	tcase_add_test(tc, a_cluster_that_is_busy_is_left_alone);
	tcase_add_test(tc, a_provider_that_is_gone);
	tcase_add_test(tc, a_provider_that_cannot_search);
	tcase_add_test(tc, cost_counts_while_it_runs);
}

int main(void)
{
	Suite *suite = suite_create("fleet");
	TCase *tc = tcase_create("fleet");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 180);
	tcase_add_checked_fixture(tc, begin, end);
	add_tests(tc);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
