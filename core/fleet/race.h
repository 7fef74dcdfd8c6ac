/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/race.h - several candidates at once: the first whose machines run and answer is kept */
#ifndef SOUK_FLEET_RACE_H
#define SOUK_FLEET_RACE_H

#include <pthread.h>

#include "fleet/launching.h"

/* A race, which goes on with ending the losers' machines when it has been won. */
struct fleet_race;

/*
 * Race 'width' candidates for the machines of launch->cluster. The intent of each is in the store
 * before its first request. A failed one's place is taken by the next. *race_out is set if the race
 * was won, and always ended with fleet_race_end(). What cannot be searched for by its token does
 * not race: fleet_go_down_plan() tries it afterwards.
 */
int fleet_race_run(struct fleet_launching *launch, uint32_t width, struct fleet_race **race_out,
		   struct souk_error *err);

/*
 * Wait until the losers are confirmed gone (or the fleet is cancelled: then closing intents are
 * left for the next refresh), tell what they cost, and free the race. 'result_out' (may be NULL)
 * gets what became of each racer. NULL: nothing.
 */
void fleet_race_end(struct fleet_race *race, struct souk_race **result_out);

/*
 * Callbacks that are called by one thread at a time, whoever calls them. '*serial' must outlive
 * whatever uses serial->callbacks, and is finished with fleet_serial_fini().
 */
struct fleet_serial {
	struct souk_callbacks callbacks;
	const struct souk_callbacks *inner;
	pthread_mutex_t lock;
};

void fleet_serial_init(struct fleet_serial *serial, const struct souk_callbacks *inner);
void fleet_serial_fini(struct fleet_serial *serial);

#endif
