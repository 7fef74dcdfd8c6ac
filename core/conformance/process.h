/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/process.h - what a module has no business to change: environment, folder, signals */
#ifndef SOUK_CONFORMANCE_PROCESS_H
#define SOUK_CONFORMANCE_PROCESS_H

#include <signal.h>
#include <sys/types.h>

#include "conformance/conform.h"

enum { PROCESS_SIGNALS = 65 };

struct process_state {
	char *environment;
	char *folder;
	char *locale;
	mode_t mask;
	int threads;
	struct sigaction actions[PROCESS_SIGNALS];
};

void process_state_take(struct process_state *state);
/* Note what differs now. With 'threads', also those that still run. */
void process_state_compare(struct conform *t, const struct process_state *state, int threads);
void process_state_fini(struct process_state *state);

#endif
