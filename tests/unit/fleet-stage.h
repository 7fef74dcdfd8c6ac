/* SPDX-License-Identifier: Apache-2.0 */
/* fleet-stage.h - clouds that do what a script says, a store, and launches between them */
#ifndef FLEET_STAGE_H
#define FLEET_STAGE_H

#include <dirent.h>
#include <signal.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "fleet/provision.h"
#include "fleet/race.h"
#include "fleet/settle.h"
#include "market-fixture.h"
#include "scratch.h"

#define SCRIPTED TEST_BUILDDIR "/tests/unit/modules/.libs/scripted.so"

static struct souk_error err;
static struct souk_paths paths;
static struct souk_config config;
static struct souk_registry registry;
static struct souk_cancel cancel;
static struct souk_store *store;
static struct souk_fleet fleet;
static char events[16384], warnings[16384];
static struct souk_request request; /* of every task; any machine, if a test does not say otherwise */
static struct souk_launch_summary *summary; /* of the last failed launch */

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)

/* ---- The stage ---- */

static inline void take_line(int level, const char *line, void *arg)
{
	size_t len = strlen(warnings);

	(void)arg;
	if (level <= SOUK_LOG_WARNING)
		snprintf(warnings + len, sizeof(warnings) - len, "%s\n", line);
}

static inline void take_event(const struct souk_event *event, void *arg)
{
	size_t len = strlen(events);

	if (event->kind == SOUK_EVENT_FAILOVER || event->kind == SOUK_EVENT_NOTE)
		snprintf(events + len, sizeof(events) - len, "%s\n", event->text);
	/* Whoever gives a word to wait for is who presses Ctrl-C then. */
	if (arg && strstr(event->text, arg))
		souk_cancel_set(&cancel);
}

static inline void open_fleet(void)
{
	static const char *further[2];
	static char folder[512];

	snprintf(folder, sizeof(folder), "%s", scratch_path("modules"));
	further[0] = folder;
	OK(souk_paths_init(&paths, &err));
	OK(souk_cancel_init(&cancel, &err));
	OK(souk_registry_init(&registry, &paths, &config, NULL, further, &err));
	OK(souk_store_open(paths.state, 1, &store, &err));
	fleet = (struct souk_fleet){
		.paths = &paths, .config = &config, .store = store, .registry = &registry,
		.cancel = &cancel, .owner = "me",
	};
}

static inline void close_fleet(void)
{
	souk_store_close(store);
	souk_registry_fini(&registry);
	souk_cancel_fini(&cancel);
	souk_paths_fini(&paths);
}

static inline void begin(void)
{
	static const char *const clouds[] = { "alpha", "beta", "sure", "blind" };
	size_t i;

	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
	ck_assert_int_eq(setenv("SOUK_HOME", scratch, 1), 0);
	ck_assert_int_eq(setenv("SOUK_TEST_CLOUD", scratch_path("cloud"), 1), 0);
	ck_assert_int_eq(setenv("SOUK_CONFIRM_MS", "1", 1), 0);
	ck_assert_int_eq(setenv("SOUK_SETTLE_MS", "0", 1), 0);
	ck_assert_int_eq(unsetenv("SOUK_PROVIDER_PATH"), 0);
	scratch_mkdir(scratch_path("modules"));
	for (i = 0; i < SOUK_ARRAY_SIZE(clouds); i++) {
		scratch_copy(SCRIPTED, scratch_path("modules/souk-provider-%s.so", clouds[i]));
		scratch_mkdir(scratch_path("cloud/%s", clouds[i]));
	}
	request = (struct souk_request){ 0 };
	events[0] = warnings[0] = '\0';
	souk_log_set_sink(take_line, NULL);
	open_fleet();
}

static inline void end(void)
{
	souk_launch_summary_free(summary);
	summary = NULL;
	close_fleet();
	souk_log_set_sink(NULL, NULL);
	scratch_remove();
}

static inline void script(const char *cloud, const char *text)
{
	scratch_text(scratch_path("cloud/%s/script", cloud), text);
}

static inline size_t count_machines(const char *cloud)
{
	struct dirent *entry;
	DIR *dir = opendir(scratch_path("cloud/%s", cloud));
	size_t n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		n += strncmp(entry->d_name, "machine-", 8) == 0;
	closedir(dir);
	return n;
}

static inline int has_machine(const char *cloud, const char *id)
{
	return access(scratch_path("cloud/%s/machine-%s", cloud, id), F_OK) == 0;
}

/* How often an operation was called. */
static inline int count_calls(const char *cloud, const char *op)
{
	const char *path = scratch_path("cloud/%s/calls", cloud);
	char *text, *at, *rest, *line;
	int n = 0;

	if (access(path, F_OK) < 0)
		return 0;
	rest = text = scratch_read(path, NULL);
	while ((line = strsep(&rest, "\n")) != NULL) {
		at = strchr(line, ' ');
		n += at && (size_t)(at - line) == strlen(op) && strncmp(line, op, strlen(op)) == 0;
	}
	free(text);
	return n;
}

/* How many different tokens came with provision. */
static inline int count_tokens(const char *cloud)
{
	char seen[32][64], *text, *rest, *line;
	int n = 0, i;

	rest = text = scratch_read(scratch_path("cloud/%s/calls", cloud), NULL);
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (strncmp(line, "provision ", 10) != 0)
			continue;
		for (i = 0; i < n && strcmp(seen[i], line + 10) != 0; i++)
			;
		if (i == n && n < 32)
			snprintf(seen[n++], sizeof(seen[0]), "%s", line + 10);
	}
	free(text);
	return n;
}

static inline size_t count_intents(const char *cluster)
{
	struct souk_store_intent *intents;
	size_t n;

	OK(souk_store_intents(store, cluster, &intents, &n, &err));
	souk_store_intents_free(intents, n);
	return n;
}

/* The cluster 'c' as the store has it; 0: it has none. */
static inline int get_cluster(struct souk_store_cluster *cluster)
{
	*cluster = (struct souk_store_cluster){ 0 };
	return souk_store_cluster_get(store, "c", cluster, NULL) == SOUK_OK;
}

/* The machines in the clouds are those that the store knows of: the one rule behind all others. */
static inline void check_equal_sets(void)
{
	static const char *const clouds[] = { "alpha", "beta", "sure" };
	struct souk_store_cluster *clusters;
	size_t n, i, j, nodes = 0, machines = 0;

	OK(souk_store_clusters(store, &clusters, &n, &err));
	for (i = 0; i < n; i++)
		for (j = 0; j < clusters[i].n_nodes; j++, nodes++)
			ck_assert_msg(has_machine(clusters[i].provider, clusters[i].nodes[j].id),
				      "%s: %s is not there", clusters[i].provider,
				      clusters[i].nodes[j].id);
	souk_store_clusters_free(clusters, n);
	for (i = 0; i < SOUK_ARRAY_SIZE(clouds); i++)
		machines += count_machines(clouds[i]);
	ck_assert_msg(machines == nodes, "%zu machines, %zu nodes in the store", machines, nodes);
}

/* ---- Plans: alpha r1-a, r1-b, r2-a, then beta r1-a ---- */

#define OFFER(provider_, region_, zone_)                                                           \
	{ .provider = provider_,                                                                   \
	  .offer = { SOUK_OFFER_HEAD, .instance_type = "t", .region = region_, .zone = zone_,      \
		     .arch = "x86_64", .vcpus_milli = 8000, .memory_mib = 32768,                   \
		     .micros_per_hour = 3600000, .spot_micros_per_hour = -1, .currency = "USD" } }

static const struct souk_market_provider market_providers[] = {
	{ "alpha", ALL_FEATURES, 1, SOUK_STANDS_IN, 0 }, { "beta", ALL_FEATURES, 1, SOUK_STANDS_IN, 0 },
	{ "blind", ALL_FEATURES, 1, SOUK_STANDS_IN, 0 }, { "sure", ALL_FEATURES, 1, SOUK_STANDS_IN, 0 },
};
static const struct fixture_offer offers[] = {
	OFFER("alpha", "r1", "a"), OFFER("alpha", "r1", "b"), OFFER("alpha", "r2", "a"),
	OFFER("beta", "r1", "a"),
};
static const struct fixture_offer sure_offer = OFFER("sure", "r1", "a");
static const struct fixture_offer blind_offer = OFFER("blind", "r1", "a");

/* Provision the cluster 'c' with n nodes; a word of an event at which to cancel, or NULL. */
static inline int provision_on(const struct fixture_offer *of, size_t n_of, uint32_t n, int retry,
			const char *cancel_at)
{
	struct souk_task task = { .num_nodes = n, .requests = &request,
				  .n_requests = 1 };
	struct souk_market market = fixture_market(of, n_of);
	struct souk_plan_query query = { .market = &market, .providers = market_providers,
					 .n_providers = 4, .task = &task };
	struct souk_callbacks callbacks = { .event = take_event, .arg = (char *)cancel_at };
	struct souk_launch_options options = { .retry_until_up = retry, .callbacks = &callbacks,
					       .summary_out = &summary };
	struct souk_store_cluster cluster = { .autostop_minutes = -1 };
	struct fleet_race *race = NULL;
	struct souk_plan_result plan;
	int ret;

	souk_launch_summary_free(summary);
	summary = NULL;

	OK(souk_optimizer_plan(&query, &plan, &err));
	if (!request.region && !request.use_spot && !request.accelerator.name)
		ck_assert_uint_eq(plan.n, n_of);
	cluster.name = strdup("c");
	ck_assert_ptr_nonnull(cluster.name);
	ret = fleet_provision(&fleet, &task, &plan, &options, &cluster, &race, &err);
	fleet_race_end(race, NULL);
	souk_store_cluster_fini(&cluster);
	souk_plan_result_fini(&plan);
	souk_market_fini(&market);
	return ret;
}

static inline int provision(void)
{
	return provision_on(offers, 4, 1, 0, NULL);
}

/* Looks count as two if the clock has moved between them. */
static inline void refresh(void)
{
	int64_t before = souk_clock_wall_ms();

	while (souk_clock_wall_ms() <= before + 1)
		souk_cancel_wait(NULL, 1, NULL);
	OK(souk_fleet_ops.refresh(&fleet, NULL, 0, &err));
}

static inline int down(void)
{
	return souk_fleet_ops.down(&fleet, "c", NULL, &err);
}

/* Where the cluster's machine is, by provider, region and zone; "" if there is no cluster. */
static inline const char *where(void)
{
	static char text[128];
	struct souk_store_cluster cluster;

	text[0] = '\0';
	if (get_cluster(&cluster) && cluster.n_nodes > 0)
		snprintf(text, sizeof(text), "%s/%s/%s", cluster.provider, cluster.region, cluster.zone);
	souk_store_cluster_fini(&cluster);
	return text;
}

#endif
