/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/racer.h - one candidate of a race, on a thread of its own, and what the race shares */
#ifndef SOUK_FLEET_RACER_H
#define SOUK_FLEET_RACER_H

#include <pthread.h>

#include "fleet/race.h"

/* What becomes of a racer that is done; the race says so once the store does. */
enum fleet_verdict {
	FLEET_RACER_OPEN,  /* it runs, or waits to be told */
	FLEET_RACER_KEPT,  /* it has won */
	FLEET_RACER_EMPTY, /* it has failed, and made nothing */
	FLEET_RACER_ENDED  /* its machines are ended: it has lost, or failed with something there */
};

/*
 * Calls that make or end machines of one cluster in one region share what is there (a security
 * group, a firewall rule): one at a time, or one removes what the other is about to use.
 */
struct fleet_place {
	const char *provider;
	const char *region;
	pthread_mutex_t lock;
};

struct fleet_racer {
	struct fleet_race *race;
	struct souk_candidate candidate;
	struct souk_provider *provider;
	struct fleet_place *place;
	struct souk_fleet fleet;	   /* with a cancel flag of its own, and without a store */
	struct souk_cancel cancel;
	struct souk_store_cluster cluster; /* as it would be if this one won */
	struct souk_store_intent intent;
	struct souk_instance_list instances;
	pthread_t thread;
	int doubtful;			   /* 1: something may be there that no answer told of */
	int64_t made_ms;		   /* when its machines were there; 0: never */
	int64_t ended_ms;		   /* when their end was asked for */
	/* Under the race's lock: */
	int done;			   /* 1: 'ret' and 'error' are final */
	uint64_t order;			   /* of being done */
	int ret;
	struct souk_error error;
	enum fleet_verdict verdict;
	int has_lost;			   /* 1: it did not fail; another one was first */
	int gone;			   /* 1: nothing of it is left, for certain */
};

struct fleet_race {
	struct souk_fleet *fleet;
	const struct souk_task *task;
	const struct souk_callbacks *callbacks;
	struct fleet_keys keys;
	struct fleet_racer **racers; /* as they began */
	size_t n_racers;
	struct fleet_place **places;
	size_t n_places;
	struct souk_store_cluster winner; /* a copy; its name is NULL if nobody has won */
	int wake;		     /* eventfd: a racer is done */
	pthread_mutex_t lock;
	pthread_cond_t changed;	     /* a verdict, or the end */
	uint64_t n_done;
	int is_over;		     /* no more machines are made */
	int is_won;
};

/* Begin: everything of the racer but the thread is set, and its intent is in the store. */
int fleet_racer_start(struct fleet_racer *racer, struct souk_error *err);

/* Tell a racer what becomes of it; what runs of it is cancelled. The lock is not held. */
void fleet_racer_judge(struct fleet_racer *racer, enum fleet_verdict verdict);

/* What its machines have cost, about, in millionths of its currency. */
int64_t fleet_racer_cost(const struct fleet_racer *racer);

#endif
