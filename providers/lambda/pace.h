/* SPDX-License-Identifier: Apache-2.0 */
/* pace.h - not more requests than Lambda admits, whoever on this computer sends them */
#ifndef SOUK_LAMBDA_PACE_H
#define SOUK_LAMBDA_PACE_H

#include <souk/provider.h>

#include <pthread.h>
#include <stdint.h>

enum {
	LAMBDA_REQUEST_MS = 1000,  /* one request in so long, and ... */
	LAMBDA_LAUNCH_MS = 12000,  /* ... one launch in so long, if the settings say nothing else */
	LAMBDA_LONGEST_MS = 600000 /* a turn farther off than this was written by a wrong clock */
};

/* When the next request and the next launch may be sent, in milliseconds since the epoch. */
struct lambda_turns {
	int64_t request_ms;
	int64_t launch_ms;
};

struct lambda_intervals {
	uint32_t request_ms;
	uint32_t launch_ms;
};

/* Zero-initialise, then lambda_pace_init(). */
struct lambda_pace {
	pthread_mutex_t lock;
	struct lambda_intervals intervals;
	char *path;		   /* of the file that all processes share; NULL: there is none */
	struct lambda_turns turns; /* without a file */
	int64_t had_ms, took_ms;   /* the next request's turn before and after the last one was taken */
};

int lambda_pace_init(struct lambda_pace *pace, const char *dir, struct souk_error *err);
void lambda_pace_fini(struct lambda_pace *pace);

/* Take the next turn and wait for it. RATE_LIMIT if it does not come before the deadline. */
int lambda_pace_wait(struct lambda_pace *pace, struct souk_call *call, int is_launch,
		     struct souk_error *err);
/* The turn that was taken last was not needed: unless somebody has taken one since, it is as before. */
void lambda_pace_give_back(struct lambda_pace *pace);
/* Lambda has refused a request for being too quick: nobody sends one for so long. */
void lambda_pace_hold(struct lambda_pace *pace, uint32_t ms);

/* 1: a turn is taken at 'now_ms', which comes at *turn_out. 0: a launch has to look again then. */
int lambda_turn_take(struct lambda_turns *turns, const struct lambda_intervals *intervals,
		     int64_t now_ms, int is_launch, int64_t *turn_out);
void lambda_turn_hold(struct lambda_turns *turns, int64_t now_ms, uint32_t ms);
/* The text of the file, and back. 0 if it is not one of ours. */
int lambda_turns_read(const char *text, struct lambda_turns *out);
int lambda_turns_write(const struct lambda_turns *turns, char *text, size_t size);

#endif
