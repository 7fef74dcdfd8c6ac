/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/racer.c - one candidate of a race, on a thread of its own: from its first request to its end */
#include "fleet/racer.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/money.h"
#include "base/util.h"
#include "fleet/attempt.h"
#include "fleet/failover.h"
#include "fleet/provision.h"
#include "fleet/settle.h"

#define ANSWER_PATIENCE_MS 300000
#define END_PATIENCE_MS 900000
#define END_PAUSE_MAX_MS 5000

/* ---- To machines that answer ---- */

static int request(struct fleet_racer *racer, struct souk_error *err)
{
	struct fleet_race *race = racer->race;
	SOUK_AUTO_FREE struct souk_label *labels = fleet_labels(racer->candidate.request);
	struct souk_instance_spec spec;
	int ret;

	if (!labels)
		return souk_error_nomem(err);
	fleet_fill_spec(&racer->fleet, race->task, &racer->candidate, racer->cluster.name,
			racer->intent.token, &race->keys, labels, &spec);
	pthread_mutex_lock(&racer->place->lock);
	if (souk_cancel_is_set(&racer->cancel))
		ret = souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
	else
		ret = fleet_request_machines(&racer->fleet, racer->provider, &spec, &racer->intent,
					     &racer->instances, &racer->doubtful, err);
	pthread_mutex_unlock(&racer->place->lock);
	/* Who was cut off does not know what the cloud has done. */
	racer->doubtful |= ret == SOUK_E_CANCELLED;
	if (racer->instances.n > 0)
		racer->made_ms = souk_clock_wall_ms();
	return ret;
}

/* The cloud asks for patience: under the same token, for nothing has taken effect. */
static int request_patiently(struct fleet_racer *racer, struct souk_error *err)
{
	uint32_t pause_ms;
	unsigned i;
	int ret;

	for (i = 0;; i++) {
		ret = request(racer, err);
		pause_ms = racer->instances.n == 0 ? fleet_patience_ms(ret, i, err) : 0;
		if (!pause_ms)
			return ret;
		ret = souk_cancel_wait(&racer->cancel, pause_ms, err);
		if (ret < 0)
			return ret;
	}
}

/* A machine that nobody can log in to has won nothing. */
static int check_answer(struct fleet_racer *racer, uint32_t rank, struct souk_error *err)
{
	struct souk_store_node *node = &racer->cluster.nodes[rank];
	SOUK_AUTO_FREE char *seen = NULL;
	struct souk_remote *remote;
	int ret;

	ret = fleet_connect_seen(&racer->fleet, &racer->cluster, rank, ANSWER_PATIENCE_MS, &remote, &seen,
				 err);
	if (ret == SOUK_OK) {
		souk_remote_close(remote);
		if (seen && souk_strset(&node->host_key, seen) < 0)
			ret = souk_error_nomem(err);
	}
	/* It says nothing of the account, whatever its code. */
	return ret < 0 ? souk_error_scope(err, SOUK_SCOPE_OFFER) : ret;
}

static int run(struct fleet_racer *racer, struct souk_error *err)
{
	uint32_t rank;
	int ret;

	ret = request_patiently(racer, err);
	if (ret == SOUK_OK)
		ret = fleet_nodes_adopt(&racer->cluster, &racer->instances, racer->intent.token, err);
	if (ret == SOUK_OK)
		ret = fleet_wait_running(&racer->fleet, racer->provider, &racer->cluster,
					 racer->race->task->provision_timeout_s * 1000, err);
	if (ret == SOUK_OK)
		ret = fleet_check_one_zone(&racer->cluster, err);
	for (rank = 0; rank < racer->cluster.n_nodes && ret == SOUK_OK; rank++)
		ret = check_answer(racer, rank, err);
	return ret;
}

/* ---- To the end of what has lost ---- */

int64_t fleet_racer_cost(const struct fleet_racer *racer)
{
	int64_t hourly = racer->candidate.total_micros_per_hour;

	if (!racer->made_ms || racer->ended_ms <= racer->made_ms || hourly <= 0)
		return 0;
	return souk_money_scale(hourly, (uint64_t)(racer->ended_ms - racer->made_ms), 3600000);
}

/* Look, end, and look again until it is confirmed that nothing is there. 1: it is. */
static int end_all(struct fleet_racer *racer, struct souk_fleet *fleet, struct souk_error *err)
{
	const struct souk_store_cluster *winner = &racer->race->winner;
	int64_t end = souk_clock_ms() + END_PATIENCE_MS;
	uint32_t pause_ms = fleet_confirm_ms(racer->provider);
	int settled = 0, adopted, ret;

	for (;;) {
		struct souk_store_cluster kept = *winner;

		pthread_mutex_lock(&racer->place->lock);
		ret = fleet_settle_intent(fleet, racer->provider, &racer->intent, &kept, &settled,
					  &adopted, err);
		pthread_mutex_unlock(&racer->place->lock);
		if (ret == SOUK_OK && settled)
			return 1;
		if (ret == SOUK_E_AUTH || ret == SOUK_E_NOMEM || souk_clock_ms() >= end ||
		    souk_cancel_wait(fleet->cancel, pause_ms, err) < 0)
			return 0;
		if (pause_ms < END_PAUSE_MAX_MS)
			pause_ms += pause_ms / 4 + 50;
	}
}

static void tell_end(struct fleet_racer *racer)
{
	char place[256], cost[SOUK_MONEY_TEXT_SIZE];

	fleet_describe_candidate(&racer->candidate, place, sizeof(place));
	if (!racer->gone)
		fleet_event(racer->race->callbacks, SOUK_EVENT_NOTE, racer->intent.cluster,
			    "%s: not yet confirmed gone; 'souk status --refresh' goes on with it", place);
	else if (racer->made_ms)
		fleet_event(racer->race->callbacks, SOUK_EVENT_NOTE, racer->intent.cluster,
			    "%s: gone; it ran %lld s, about %s", place,
			    (long long)((racer->ended_ms - racer->made_ms + 999) / 1000),
			    souk_money_currency(fleet_racer_cost(racer), racer->candidate.offer.currency,
						cost));
	else
		fleet_event(racer->race->callbacks, SOUK_EVENT_NOTE, racer->intent.cluster,
			    "%s: gone; no machine was made", place);
}

/* End what is there at once, and when the race is won, until it is sure. The intent is closing. */
static void clear_away(struct fleet_racer *racer)
{
	struct fleet_race *race = racer->race;
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_fleet fleet = *race->fleet;
	int is_won, gone;

	/* A store is for one thread. */
	if (souk_store_open(fleet.paths->state, 0, &fleet.store, &own) < 0) {
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
		return;
	}
	pthread_mutex_lock(&racer->place->lock);
	if (fleet_discard(&fleet, racer->provider, &racer->intent, &racer->instances, &own) < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
	pthread_mutex_unlock(&racer->place->lock);
	racer->ended_ms = souk_clock_wall_ms();
	pthread_mutex_lock(&race->lock);
	while (!race->is_over)
		pthread_cond_wait(&race->changed, &race->lock);
	is_won = race->is_won;
	pthread_mutex_unlock(&race->lock);
	if (is_won) {
		gone = end_all(racer, &fleet, &own);
		pthread_mutex_lock(&race->lock);
		racer->gone = gone;
		pthread_mutex_unlock(&race->lock);
		tell_end(racer);
	}
	souk_store_close(fleet.store);
}

/* ---- The thread ---- */

static void *racer_thread(void *arg)
{
	struct fleet_racer *racer = arg;
	struct fleet_race *race = racer->race;
	struct souk_error error = SOUK_ERROR_INIT;
	const uint64_t one = 1;
	enum fleet_verdict verdict;
	int ret = run(racer, &error);

	pthread_mutex_lock(&race->lock);
	racer->ret = ret;
	racer->error = error;
	racer->done = 1;
	racer->order = ++race->n_done;
	/* It can only be full if it is readable, which is all that is wanted. */
	if (write(race->wake, &one, sizeof(one)) < 0)
		souk_log(SOUK_LOG_DEBUG, "%s: a racer's end was told before", racer->intent.cluster);
	while (racer->verdict == FLEET_RACER_OPEN)
		pthread_cond_wait(&race->changed, &race->lock);
	verdict = racer->verdict;
	pthread_mutex_unlock(&race->lock);
	if (verdict == FLEET_RACER_ENDED)
		clear_away(racer);
	return NULL;
}

int fleet_racer_start(struct fleet_racer *racer, struct souk_error *err)
{
	int code = pthread_create(&racer->thread, NULL, racer_thread, racer);

	return code ? souk_error_errno(err, code, "cannot start a thread") : SOUK_OK;
}

void fleet_racer_judge(struct fleet_racer *racer, enum fleet_verdict verdict)
{
	struct fleet_race *race = racer->race;

	pthread_mutex_lock(&race->lock);
	racer->verdict = verdict;
	pthread_cond_broadcast(&race->changed);
	pthread_mutex_unlock(&race->lock);
	souk_cancel_set(&racer->cancel);
}
