/* SPDX-License-Identifier: Apache-2.0 */
/*
 * concurrent-provisions.c - many launches at once in one process, over all providers that are named
 *
 *     concurrent-provisions MODULES THREADS PLACES
 *
 * MODULES is a folder of modules; a line of the file PLACES is PROVIDER REGION ZONE TYPE ACCELERATOR MILLI ("-" for
 * none). Thread i gets a machine in the i-th place, over and over again. When all of them have one
 * it writes "up N", waits for a line, then ends all, which is confirmed, and writes "down".
 * tests/e2e/test-concurrent.sh starts it with simulated clouds, and counts theirs.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "fleet/attempt.h"
#include "fleet/settle.h"

#define MAX_PLACES 32
#define MAX_THREADS 256

struct place {
	char provider[32], region[64], zone[64], type[64], accelerator[64];
	uint32_t accelerator_milli;
};

struct worker {
	const struct place *place;
	unsigned number;
	struct souk_error error;
	int ret;
};

static struct place places[MAX_PLACES];
static size_t n_places;
static struct souk_paths paths;
static struct souk_config config;
static struct souk_registry registry;
static struct souk_cancel cancel;
static struct worker workers[MAX_THREADS];

static int die(const char *what, const struct souk_error *err)
{
	fprintf(stderr, "%s: %s\n", what, err->message);
	return 1;
}

static int read_places(const char *path)
{
	FILE *file = fopen(path, "r");

	while (file && n_places < MAX_PLACES) {
		struct place *p = &places[n_places];

		if (fscanf(file, "%31s %63s %63s %63s %63s %u", p->provider, p->region, p->zone, p->type,
			   p->accelerator, &p->accelerator_milli) != 6)
			break;
		n_places++;
	}
	if (file)
		fclose(file);
	return n_places > 0 ? 0 : -1;
}

static const char *or_null(const char *text)
{
	return strcmp(text, "-") == 0 ? NULL : text;
}

/* As a launch does it: with a store of one's own thread, and the registry that all share. */
static int open_fleet(struct souk_fleet *fleet, struct souk_error *err)
{
	*fleet = (struct souk_fleet){
		.paths = &paths, .config = &config, .registry = &registry, .cancel = &cancel,
		.owner = "many",
	};
	return souk_store_open(paths.state, 1, &fleet->store, err);
}

static int get_machine(struct worker *worker, struct souk_fleet *fleet,
		       struct souk_store_cluster *cluster)
{
	const struct place *p = worker->place;
	struct souk_request request = { 0 };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_candidate candidate = {
		.provider = p->provider,
		.offer = {
			.struct_size = sizeof(struct souk_offer),
			.instance_type = p->type,
			.region = p->region,
			.zone = or_null(p->zone),
			.arch = "x86_64",
			.accelerator = or_null(p->accelerator),
			.accelerator_milli = p->accelerator_milli,
			.currency = "USD",
		},
		.request = &request,
		.micros_per_hour = 1000000,
		.total_micros_per_hour = 1000000,
	};
	struct fleet_launching launch = { .fleet = fleet, .task = &task, .cluster = cluster };
	int ret = fleet_keys_load(fleet, cluster->name, &launch.keys, &worker->error);

	if (ret == SOUK_OK)
		ret = fleet_attempt(&launch, &candidate, &worker->error);
	if (ret == SOUK_OK && cluster->n_nodes != 1)
		ret = souk_error_set(&worker->error, SOUK_E_INTERNAL, "%s has %zu nodes", cluster->name,
				     cluster->n_nodes);
	fleet_keys_fini(&launch.keys);
	return ret;
}

static void *bring_up(void *arg)
{
	struct worker *worker = arg;
	struct souk_store_cluster cluster = { .autostop_minutes = -1 };
	struct souk_fleet fleet;
	char *name = NULL;

	worker->error = (struct souk_error)SOUK_ERROR_INIT;
	worker->ret = open_fleet(&fleet, &worker->error);
	if (worker->ret < 0)
		return NULL;
	if (asprintf(&name, "many-%u", worker->number) < 0)
		worker->ret = souk_error_nomem(&worker->error);
	cluster.name = worker->ret == SOUK_OK ? name : NULL;
	if (worker->ret == SOUK_OK)
		worker->ret = get_machine(worker, &fleet, &cluster);
	souk_store_cluster_fini(&cluster);
	souk_store_close(fleet.store);
	return NULL;
}

static void *take_down(void *arg)
{
	struct worker *worker = arg;
	struct souk_fleet fleet;
	char name[32];

	if (worker->ret < 0)
		return NULL;
	snprintf(name, sizeof(name), "many-%u", worker->number);
	worker->ret = open_fleet(&fleet, &worker->error);
	if (worker->ret < 0)
		return NULL;
	worker->ret = fleet_down(&fleet, name, NULL, &worker->error);
	souk_store_close(fleet.store);
	return NULL;
}

/* Every worker on a thread of its own. How many have failed. */
static unsigned all_at_once(unsigned n, void *(*work)(void *))
{
	pthread_t threads[MAX_THREADS];
	unsigned i, failed = 0;

	for (i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0) {
			fprintf(stderr, "no thread %u\n", i);
			exit(1);
		}
	for (i = 0; i < n; i++) {
		pthread_join(threads[i], NULL);
		if (workers[i].ret == SOUK_OK)
			continue;
		fprintf(stderr, "many-%u on %s: %s\n", i, workers[i].place->provider,
			workers[i].error.message);
		failed++;
	}
	return failed;
}

static int run(unsigned n)
{
	char line[16];
	unsigned i, failed;

	for (i = 0; i < n; i++)
		workers[i] = (struct worker){ .place = &places[i % n_places], .number = i };
	failed = all_at_once(n, bring_up);
	printf("up %u\n", n - failed);
	fflush(stdout);
	/* Whoever counts says when. */
	if (!fgets(line, sizeof(line), stdin))
		fprintf(stderr, "nobody has counted\n");
	failed += all_at_once(n, take_down);
	printf("down\n");
	return failed > 0;
}

int main(int argc, char **argv)
{
	struct souk_error err = SOUK_ERROR_INIT;
	const char *further[2] = { NULL, NULL };
	struct souk_provider *provider;
	uint32_t n;
	size_t i;
	int status;

	if (argc != 4 || souk_parse_u32("threads", argv[2], &n, &err) < 0 || n == 0 || n > MAX_THREADS)
		return die("usage: concurrent-provisions MODULES THREADS PLACES", &err);
	further[0] = argv[1];
	if (read_places(argv[3]) < 0) {
		fprintf(stderr, "%s has no places\n", argv[3]);
		return 1;
	}
	if (souk_paths_init(&paths, &err) < 0 || souk_cancel_init(&cancel, &err) < 0 ||
	    souk_registry_init(&registry, &paths, &config, NULL, further, &err) < 0)
		return die("cannot begin", &err);
	/* The registry is for one thread: the others find everybody opened. */
	for (i = 0; i < n_places; i++)
		if (souk_registry_get(&registry, places[i].provider, &provider, &err) < 0)
			return die(places[i].provider, &err);
	status = run(n);
	souk_registry_fini(&registry);
	souk_cancel_fini(&cancel);
	souk_paths_fini(&paths);
	return status;
}
