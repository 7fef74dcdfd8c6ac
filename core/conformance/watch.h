/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/watch.h - the host functions with an eye on the module, and with faults on request */
#ifndef SOUK_CONFORMANCE_WATCH_H
#define SOUK_CONFORMANCE_WATCH_H

#include "conformance/conform.h"

enum watch_fault {
	WATCH_NONE,
	WATCH_CANCEL_BEFORE, /* at the n-th host call the user gives up, before it does anything */
	WATCH_CANCEL_AFTER,  /* the same after it was done: a reply is lost */
	WATCH_LOSE,	     /* the n-th request arrives, its reply does not: TIMEOUT */
	WATCH_REFUSE,	     /* the n-th request does not arrive: TRANSIENT */
	WATCH_PLAN,	     /* requests that change something are not sent */
	WATCH_ANSWER	     /* each request gets the same reply, and is not sent */
};

/* Put the watching table in place of the core's. One session a process. */
void watch_begin(struct conform *t);

/* The fault of the calls that follow, and the counters at 0. */
void watch_arm(enum watch_fault fault, int at);
void watch_answer(int status, const char *body); /* for WATCH_ANSWER; borrowed */

int watch_fired(void);	    /* has the fault happened? */
int64_t watch_fired_ms(void); /* when the call was cancelled; 0: it was not */
int watch_calls(void);	    /* host calls since watch_arm() */
int watch_requests(void);   /* HTTP requests among them */
int watch_mutations(void);  /* those that change something */
int watch_runs(void);	    /* programs and SSH commands */

/* A text that the module gives away: a finding if a secret is in it. */
void watch_text(const char *where, const char *text);

#endif
