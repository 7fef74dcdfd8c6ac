/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/race.c - several candidates at once: who takes part, who has won, what the store knows of it */
#include "fleet/race.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/money.h"
#include "base/util.h"
#include "fleet/attempt.h"
#include "fleet/failover.h"
#include "fleet/provision.h"
#include "fleet/racer.h"

/* A place elsewhere is preferred if it costs no more than so many times the next of the plan. */
#define ELSEWHERE_FACTOR 2

/* ---- Callbacks, one at a time ---- */

static void serial_event(const struct souk_event *event, void *arg)
{
	struct fleet_serial *serial = arg;

	pthread_mutex_lock(&serial->lock);
	if (serial->inner->event)
		serial->inner->event(event, serial->inner->arg);
	pthread_mutex_unlock(&serial->lock);
}

static int serial_output(const char *data, size_t size, void *arg)
{
	struct fleet_serial *serial = arg;
	int ret;

	pthread_mutex_lock(&serial->lock);
	ret = serial->inner->output(data, size, serial->inner->arg);
	pthread_mutex_unlock(&serial->lock);
	return ret;
}

void fleet_serial_init(struct fleet_serial *serial, const struct souk_callbacks *inner)
{
	static const struct souk_callbacks none;

	serial->inner = inner ? inner : &none;
	serial->callbacks = (struct souk_callbacks){
		.event = serial_event,
		.output = serial->inner->output ? serial_output : NULL,
		.arg = serial,
	};
	pthread_mutex_init(&serial->lock, NULL);
}

void fleet_serial_fini(struct fleet_serial *serial)
{
	pthread_mutex_destroy(&serial->lock);
}

/* ---- The race itself ---- */

static void racer_free(struct fleet_racer *racer)
{
	if (!racer)
		return;
	souk_store_cluster_fini(&racer->cluster);
	souk_store_intent_fini(&racer->intent);
	souk_instance_list_fini(&racer->instances);
	souk_cancel_fini(&racer->cancel);
	free(racer);
}

static void race_free(struct fleet_race *race)
{
	size_t i;

	for (i = 0; i < race->n_racers; i++)
		racer_free(race->racers[i]);
	free(race->racers);
	for (i = 0; i < race->n_places; i++) {
		pthread_mutex_destroy(&race->places[i]->lock);
		free(race->places[i]);
	}
	free(race->places);
	souk_store_cluster_fini(&race->winner);
	fleet_keys_fini(&race->keys);
	if (race->wake >= 0)
		close(race->wake);
	pthread_cond_destroy(&race->changed);
	pthread_mutex_destroy(&race->lock);
	free(race);
}

static int race_new(const struct fleet_launching *launch, struct fleet_race **race_out,
		    struct souk_error *err)
{
	struct fleet_race *race = calloc(1, sizeof(*race));
	int ret;

	if (!race)
		return souk_error_nomem(err);
	race->fleet = launch->fleet;
	race->task = launch->task;
	race->callbacks = launch->callbacks;
	pthread_mutex_init(&race->lock, NULL);
	pthread_cond_init(&race->changed, NULL);
	race->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (race->wake < 0)
		ret = souk_error_errno(err, errno, "cannot make an eventfd");
	else
		ret = fleet_keys_load(launch->fleet, launch->cluster->name, &race->keys, err);
	if (ret < 0)
		race_free(race);
	else
		*race_out = race;
	return ret;
}

/* No more machines are made: those who wait for that go on. */
static void close_race(struct fleet_race *race, int is_won)
{
	pthread_mutex_lock(&race->lock);
	race->is_over = 1;
	race->is_won = is_won;
	pthread_cond_broadcast(&race->changed);
	pthread_mutex_unlock(&race->lock);
}

static int is_open(const struct fleet_racer *racer)
{
	return racer->verdict == FLEET_RACER_OPEN;
}

/* ---- Who is next ---- */

/* How much of its place two candidates share: 0 nothing, 1 the provider, 2 the region, 3 the zone. */
static unsigned nearness(const struct souk_candidate *a, const struct souk_candidate *b)
{
	if (strcmp(a->provider, b->provider) != 0)
		return 0;
	if (strcmp(a->offer.region, b->offer.region) != 0)
		return 1;
	return souk_streq(a->offer.zone, b->offer.zone) ? 3 : 2;
}

/* The nearest of those that run. */
static unsigned nearest(const struct fleet_race *race, const struct souk_candidate *c)
{
	unsigned most = 0, near;
	size_t i;

	for (i = 0; i < race->n_racers; i++) {
		near = is_open(race->racers[i]) ? nearness(&race->racers[i]->candidate, c) : 0;
		most = near > most ? near : most;
	}
	return most;
}

/* What has been begun must be found again after a crash, while others are under way. One that cannot be
 * opened takes part, and fails. */
static int can_race(const struct fleet_launching *launch, const struct souk_candidate *c)
{
	struct souk_provider *provider;

	return souk_registry_get(launch->fleet->registry, c->provider, &provider, NULL) < 0 ||
	       souk_provider_ops(provider)->list_instances;
}

static int costs_too_much(const struct souk_candidate *first, const struct souk_candidate *c)
{
	return strcmp(first->offer.currency, c->offer.currency) != 0 ||
	       c->total_micros_per_hour / ELSEWHERE_FACTOR > first->total_micros_per_hour;
}

/*
 * The candidate to begin next: the first of the plan at another provider than those that run, else in
 * another region, else in another zone, unless that is far dearer than the plan's own next.
 * 1 and *at_out, its place in the plan; 0 if there is none.
 */
static int pick(const struct fleet_race *race, const struct fleet_launching *launch,
		struct souk_candidate *candidate, size_t *at_out, struct souk_error *err)
{
	struct souk_candidate c, first;
	unsigned best = 4, near;
	size_t at;
	int ret;

	for (at = 0; at < launch->plan->n && best > 0; at++) {
		if (fleet_has_raced(launch, at))
			continue;
		ret = souk_plan_result_get(launch->plan, at, &c, err);
		if (ret < 0)
			return ret;
		if (fleet_attempts_cover(&launch->attempts, &c) || !can_race(launch, &c))
			continue;
		near = nearest(race, &c);
		if (best == 4)
			first = c;
		else if (near >= best || costs_too_much(&first, &c))
			continue;
		best = near;
		*candidate = c;
		*at_out = at;
	}
	return best < 4;
}

/* ---- Starting ---- */

static struct fleet_place *place_of(struct fleet_race *race, const struct souk_candidate *c,
				    struct souk_error *err)
{
	struct fleet_place **places, *place;
	size_t i;

	for (i = 0; i < race->n_places; i++)
		if (strcmp(race->places[i]->provider, c->provider) == 0 &&
		    strcmp(race->places[i]->region, c->offer.region) == 0)
			return race->places[i];
	places = souk_array_grow(race->places, race->n_places, sizeof(*places));
	if (places)
		race->places = places;
	place = places ? calloc(1, sizeof(*place)) : NULL;
	if (!place) {
		souk_error_nomem(err);
		return NULL;
	}
	place->provider = c->provider;
	place->region = c->offer.region;
	pthread_mutex_init(&place->lock, NULL);
	places[race->n_places++] = place;
	return place;
}

static int racer_new(struct fleet_race *race, const struct fleet_launching *launch,
		     const struct souk_candidate *c, struct fleet_racer **racer_out,
		     struct souk_error *err)
{
	struct fleet_racer *racer = calloc(1, sizeof(*racer));
	int ret;

	if (!racer)
		return souk_error_nomem(err);
	ret = souk_cancel_init(&racer->cancel, err);
	if (ret < 0) {
		free(racer);
		return ret;
	}
	racer->race = race;
	racer->candidate = *c;
	racer->fleet = *race->fleet;
	racer->fleet.store = NULL;
	racer->fleet.cancel = &racer->cancel;
	racer->cluster.name = strdup(launch->cluster->name);
	racer->place = place_of(race, c, err);
	ret = !racer->cluster.name ? souk_error_nomem(err) : racer->place ? SOUK_OK : SOUK_E_NOMEM;
	if (ret == SOUK_OK)
		ret = souk_registry_get(race->fleet->registry, c->provider, &racer->provider, err);
	if (ret == SOUK_OK)
		ret = fleet_describe_cluster(launch, c, &racer->cluster, err);
	if (ret == SOUK_OK)
		ret = fleet_intent_init(launch, c, &racer->intent, err);
	if (ret < 0)
		racer_free(racer);
	else
		*racer_out = racer;
	return ret;
}

/* The cluster, as the first racer would have it, and the intent are on the disk before its request. */
static int commit_start(const struct fleet_launching *launch, const struct fleet_race *race,
			const struct fleet_racer *racer, struct souk_error *err)
{
	struct souk_store *store = launch->fleet->store;
	int ret = souk_store_begin(store, err);

	if (ret < 0)
		return ret;
	if (race->n_racers == 0)
		ret = souk_store_cluster_put(store, &racer->cluster, err);
	if (ret == SOUK_OK)
		ret = souk_store_intent_put(store, &racer->intent, err);
	if (ret == SOUK_OK)
		ret = souk_store_event(store, racer->cluster.name, "provision, in a race", err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret;
}

static int start(struct fleet_race *race, const struct fleet_launching *launch,
		 const struct souk_candidate *c, struct souk_error *err)
{
	struct fleet_racer **racers, *racer = NULL;
	int ret;

	racers = souk_array_grow(race->racers, race->n_racers, sizeof(*racers));
	if (!racers)
		return souk_error_nomem(err);
	race->racers = racers;
	ret = racer_new(race, launch, c, &racer, err);
	if (ret < 0)
		return ret;
	ret = commit_start(launch, race, racer, err);
	if (ret == SOUK_OK) {
		ret = fleet_racer_start(racer, err);
		if (ret < 0)
			souk_store_intent_delete(launch->fleet->store, racer->intent.token, NULL);
	}
	if (ret < 0)
		racer_free(racer);
	else
		racers[race->n_racers++] = racer;
	return ret;
}

static size_t count_open(const struct fleet_race *race)
{
	size_t n = 0, i;

	for (i = 0; i < race->n_racers; i++)
		n += is_open(race->racers[i]);
	return n;
}

static int note_raced(struct fleet_launching *launch, size_t at, struct souk_error *err)
{
	size_t *raced = souk_array_grow(launch->raced, launch->n_raced, sizeof(*raced));

	if (!raced)
		return souk_error_nomem(err);
	launch->raced = raced;
	raced[launch->n_raced++] = at;
	return SOUK_OK;
}

/*
 * Begin the next candidate that can be begun; one whose provider refuses to be opened has failed.
 * 'failed' is 1 if the last failure is not told yet. 1 if one has begun, 0 if there is none.
 */
static int begin_next(struct fleet_race *race, struct fleet_launching *launch, int failed,
		      struct souk_error *err)
{
	struct souk_error failure;
	struct souk_candidate c;
	char text[256];
	size_t at = 0;
	int ret;

	for (;;) {
		ret = pick(race, launch, &c, &at, err);
		if (ret < 0)
			return ret;
		launch->under_way = count_open(race);
		if (failed)
			fleet_tell_failure(launch, ret ? &c : NULL);
		if (ret == 0)
			return 0;
		fleet_describe_candidate(&c, text, sizeof(text));
		if (!failed)
			fleet_event(launch->callbacks, SOUK_EVENT_ATTEMPT, launch->cluster->name,
				    "racing: %s", text);
		failure = (struct souk_error)SOUK_ERROR_INIT;
		ret = note_raced(launch, at, err);
		if (ret == SOUK_OK)
			ret = start(race, launch, &c, &failure);
		if (ret == SOUK_OK)
			return 1;
		if (fleet_ends_launch(ret)) {
			*err = failure;
			return ret;
		}
		ret = fleet_note_failure(launch, &c, &failure, err);
		if (ret < 0)
			return ret;
		failed = 1;
	}
}

/* ---- Ends ---- */

/* All others are to be ended, and the winner's machines are the cluster's: one step. */
static int commit_win(struct fleet_race *race, struct fleet_racer *winner, struct souk_error *err)
{
	struct souk_store *store = race->fleet->store;
	int64_t now = souk_clock_wall_ms();
	size_t i;
	int ret = souk_store_begin(store, err);

	if (ret < 0)
		return ret;
	if (winner) {
		ret = souk_store_cluster_put(store, &winner->cluster, err);
		if (ret == SOUK_OK)
			ret = souk_store_intent_delete(store, winner->intent.token, err);
	}
	for (i = 0; i < race->n_racers && ret == SOUK_OK; i++) {
		struct fleet_racer *racer = race->racers[i];

		if (!is_open(racer) || racer == winner)
			continue;
		racer->intent.closing_since = now;
		ret = souk_store_intent_put(store, &racer->intent, err);
	}
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret;
}

static void end_others(struct fleet_race *race, const struct fleet_racer *winner)
{
	size_t i;

	for (i = 0; i < race->n_racers; i++)
		if (is_open(race->racers[i]) && race->racers[i] != winner) {
			race->racers[i]->has_lost = 1;
			fleet_racer_judge(race->racers[i], FLEET_RACER_ENDED);
		}
}

static int crown(struct fleet_race *race, struct fleet_launching *launch, struct fleet_racer *winner,
		 struct souk_error *err)
{
	size_t losers = count_open(race) - 1;
	char place[256];
	int ret;

	fleet_bill(&winner->cluster, winner->made_ms / 1000);
	ret = commit_win(race, winner, err);
	if (ret == SOUK_OK)
		ret = souk_store_cluster_copy(&race->winner, &winner->cluster, err);
	if (ret < 0)
		return ret;
	souk_store_cluster_fini(launch->cluster);
	*launch->cluster = winner->cluster;
	winner->cluster = (struct souk_store_cluster){ 0 };
	fleet_tell_hushed(launch, NULL);
	fleet_record_attempt(launch, &winner->candidate, SOUK_OK, NULL);
	fleet_describe_candidate(&winner->candidate, place, sizeof(place));
	fleet_event(launch->callbacks, SOUK_EVENT_NOTE, launch->cluster->name,
		    losers > 1 ? "first: %s; ending the other %zu" :
		    losers ? "first: %s; ending the other one" : "first: %s", place, losers);
	end_others(race, winner);
	fleet_racer_judge(winner, FLEET_RACER_KEPT);
	close_race(race, 1);
	return SOUK_OK;
}

/* A racer has failed: what the store says of it, and what becomes of it. */
static void drop(struct fleet_race *race, struct fleet_racer *racer)
{
	struct souk_store *store = race->fleet->store;
	struct souk_error own = SOUK_ERROR_INIT;
	int is_empty = racer->instances.n == 0 && !racer->doubtful && fleet_is_clean(racer->ret);
	int ret;

	if (is_empty) {
		ret = souk_store_intent_delete(store, racer->intent.token, &own);
	} else {
		racer->intent.closing_since = souk_clock_wall_ms();
		ret = souk_store_intent_put(store, &racer->intent, &own);
	}
	if (ret < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
	racer->gone = is_empty;
	fleet_racer_judge(racer, is_empty ? FLEET_RACER_EMPTY : FLEET_RACER_ENDED);
}

/* The user's wish, or a failure of ours: everything is ended once, and goes on being at the next refresh. */
static void give_up(struct fleet_race *race)
{
	struct souk_error own = SOUK_ERROR_INIT;

	if (count_open(race) > 0 && commit_win(race, NULL, &own) < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
	end_others(race, NULL);
	close_race(race, 0);
}

/* ---- The course ---- */

/* The one that was done first of those that nothing was said of; NULL: none. */
static struct fleet_racer *next_done(struct fleet_race *race)
{
	struct fleet_racer *first = NULL;
	size_t i;

	pthread_mutex_lock(&race->lock);
	for (i = 0; i < race->n_racers; i++) {
		struct fleet_racer *racer = race->racers[i];

		if (is_open(racer) && racer->done && (!first || racer->order < first->order))
			first = racer;
	}
	pthread_mutex_unlock(&race->lock);
	return first;
}

static int await_done(struct fleet_race *race, struct fleet_racer **racer_out, struct souk_error *err)
{
	struct pollfd fds[2] = {
		{ .fd = race->wake, .events = POLLIN },
		{ .fd = souk_cancel_fd(race->fleet->cancel), .events = POLLIN },
	};
	uint64_t count;

	for (;;) {
		if (souk_cancel_is_set(race->fleet->cancel))
			return souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
		*racer_out = next_done(race);
		if (*racer_out)
			return SOUK_OK;
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return souk_error_errno(err, errno, "cannot wait for the race");
		if (read(race->wake, &count, sizeof(count)) < 0 && errno != EAGAIN && errno != EINTR)
			return souk_error_errno(err, errno, "cannot wait for the race");
	}
}

/* 1 when a racer has won, 0 when none is left. */
static int run_race(struct fleet_race *race, struct fleet_launching *launch, uint32_t width,
		    struct souk_error *err)
{
	struct fleet_racer *racer = NULL;
	int ret = 1;

	while (count_open(race) < width && ret > 0)
		ret = begin_next(race, launch, 0, err);
	while (ret >= 0 && count_open(race) > 0) {
		ret = await_done(race, &racer, err);
		if (ret == SOUK_OK && racer->ret == SOUK_OK) {
			ret = crown(race, launch, racer, err);
			return ret < 0 ? ret : 1;
		}
		if (ret < 0)
			break;
		fleet_record_attempt(launch, &racer->candidate, racer->ret, &racer->error);
		ret = fleet_note_failure(launch, &racer->candidate, &racer->error, err);
		drop(race, racer);
		if (ret == SOUK_OK)
			ret = begin_next(race, launch, 1, err);
	}
	return ret < 0 ? ret : 0;
}

int fleet_race_run(struct fleet_launching *launch, uint32_t width, struct fleet_race **race_out,
		   struct souk_error *err)
{
	struct fleet_race *race = NULL;
	int ret;

	*race_out = NULL;
	ret = race_new(launch, &race, err);
	if (ret < 0)
		return ret;
	ret = run_race(race, launch, width > SOUK_RACE_MAX ? SOUK_RACE_MAX : width, err);
	if (ret == 1) {
		*race_out = race;
		return SOUK_OK;
	}
	give_up(race);
	fleet_race_end(race, NULL);
	return ret < 0 ? ret : fleet_go_down_plan(launch, err);
}

/* ---- The end ---- */

static const char *outcome(const struct fleet_racer *racer)
{
	if (racer->verdict == FLEET_RACER_KEPT)
		return "won";
	return racer->has_lost ? "lost" : "failed";
}

static int add_row(struct souk_race *result, const struct fleet_racer *racer)
{
	const struct souk_offer *o = &racer->candidate.offer;
	struct souk_race_row *row = &result->rows[result->n];
	int failed = racer->ret < 0 && !racer->has_lost;

	*row = (struct souk_race_row){
		.provider = souk_strdup(racer->candidate.provider),
		.region = souk_strdup(o->region),
		.zone = souk_strdup(o->zone),
		.instance_type = souk_strdup(o->instance_type),
		.spot = racer->candidate.spot,
		.outcome = outcome(racer),
		.code = failed ? souk_code_name(racer->ret) : NULL,
		.message = failed ? souk_strdup(racer->error.message) : NULL,
		.price_micros = racer->candidate.total_micros_per_hour,
		.cost_micros = racer->verdict == FLEET_RACER_KEPT ? -1 : fleet_racer_cost(racer),
		.gone = racer->gone,
	};
	memcpy(row->currency, o->currency, sizeof(row->currency));
	result->n++;
	return !row->provider || !row->region || !row->instance_type || (o->zone && !row->zone) ||
			       (failed && !row->message) ? -1 : 0;
}

static struct souk_race *make_result(const struct fleet_race *race)
{
	struct souk_race *result = calloc(1, sizeof(*result));
	size_t i;
	int ret = result ? 0 : -1;

	if (result) {
		result->rows = calloc(race->n_racers + 1, sizeof(*result->rows));
		ret = result->rows ? 0 : -1;
	}
	for (i = 0; i < race->n_racers && ret == 0; i++)
		ret = add_row(result, race->racers[i]);
	if (ret < 0) {
		souk_log(SOUK_LOG_WARNING, "out of memory: no report of the race");
		souk_race_free(result);
		return NULL;
	}
	return result;
}

/* Is there one whose end is still to be confirmed? */
static int is_ending(struct fleet_race *race)
{
	size_t i;
	int ending = 0;

	pthread_mutex_lock(&race->lock);
	for (i = 0; i < race->n_racers; i++)
		ending |= race->is_won && race->racers[i]->verdict == FLEET_RACER_ENDED &&
			  !race->racers[i]->gone;
	pthread_mutex_unlock(&race->lock);
	return ending;
}

void fleet_race_end(struct fleet_race *race, struct souk_race **result_out)
{
	size_t i;

	if (!race)
		return;
	if (is_ending(race))
		fleet_event(race->callbacks, SOUK_EVENT_PROGRESS, race->winner.name,
			    "waiting until the others are gone");
	for (i = 0; i < race->n_racers; i++)
		pthread_join(race->racers[i]->thread, NULL);
	if (result_out)
		*result_out = make_result(race);
	race_free(race);
}
