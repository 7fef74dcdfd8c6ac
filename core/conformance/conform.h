/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/conform.h - what the tests of the conformance suite share: session, calls, findings */
#ifndef SOUK_CONFORMANCE_CONFORM_H
#define SOUK_CONFORMANCE_CONFORM_H

#include <pthread.h>
#include <stdint.h>

#include <souk/provider.h>

#include "base/cancel.h"
#include "base/paths.h"
#include "model/config.h"
#include "provider/host.h"
#include "provider/lists.h"
#include "provider/provider.h"

enum { CONFORM_TEXT = 512, CONFORM_PICKS = 8, CONFORM_KEY = 1024, CONFORM_SECRETS = 32 };

/* Rules that hold in every call. What breaks one is noted where it happens, and told at the end. */
enum conform_rule {
	CONFORM_ERRORS,	     /* code, scope and message of each failure */
	CONFORM_INSTANCES,   /* what is told of a machine */
	CONFORM_REQUESTS,    /* marks and headers of HTTP requests */
	CONFORM_SECRETS_KEPT, /* no secret in messages, logs, URLs */
	CONFORM_OUTPUT,	     /* nothing on stdout and stderr */
	CONFORM_PROCESS,     /* environment, folder, signals, umask, threads */
	CONFORM_RULES
};

enum conform_outcome { CONFORM_OK, CONFORM_NOT_OK, CONFORM_SKIP };

/* An offer to try to rent. */
struct conform_pick {
	char type[128], region[64], zone[64], arch[16], accelerator[64];
	uint32_t accelerator_milli, vcpus_milli;
	uint64_t memory_mib;
	int64_t micros_per_hour;
};

/* Shared by the processes of a run: the parent reads what a child has left, however it ended. */
struct conform_shared {
	struct conform_pick picks[CONFORM_PICKS];
	int n_picks;
	int good_pick;	/* index of one that could be rented; -1: not known */
	char host_key_private[CONFORM_KEY], host_key_public[CONFORM_KEY];
	struct {
		int count;
		char text[CONFORM_TEXT]; /* of the first */
	} rules[CONFORM_RULES];
	int outcome;
	char reason[CONFORM_TEXT];
	char op[64];	/* that is under way; "" none */
	unsigned tokens; /* given out so far */
};

/* What a run was asked for. */
struct conform_settings {
	uint32_t calls;	   /* of the search for leaks */
	uint32_t grace_ms; /* how soon a cancelled call returns */
	const char *instance_type, *region; /* NULL: any */
	int machines;
};

/* One opened instance, with the lock that its thread model asks for. */
struct conform_self {
	void *self;
	pthread_mutex_t lock;
};

/* One test, in its own process. */
struct conform {
	const struct conform_settings *settings;
	struct conform_shared *shared;
	struct souk_module *module;
	const struct souk_config *config;
	const struct souk_paths *paths;
	const char *owner;
	struct souk_provider *provider; /* for settings and folders */
	const struct souk_provider_ops *ops;
	struct conform_self main;
	struct souk_cancel cancel;
	uint32_t deadline_ms; /* of the calls that follow; 0: none is left */
	pthread_mutex_t lock; /* of shared */
};

/* ---- Findings (findings.c) ---- */

/* The test has found a fault: kept unless there is one already. Returns -1. */
int conform_fail(struct conform *t, const char *fmt, ...) SOUK_PRINTF(2, 3);
/* The test cannot be made. Returns -1. */
int conform_skip(struct conform *t, const char *fmt, ...) SOUK_PRINTF(2, 3);
/* A standing rule was broken. Any thread. */
void conform_note(struct conform *t, enum conform_rule rule, const char *fmt, ...) SOUK_PRINTF(3, 4);
/* The error of an op, for a finding: "CODE: message". Returns text. */
const char *conform_words(int ret, const struct souk_error *err, char text[CONFORM_TEXT]);

/* ---- Calls (calls.c) ---- */

struct conform_op {
	const char *name;
	struct souk_call call;
	struct souk_error err;
	struct conform_self *self;
	int64_t begun_ms;
	int64_t took_ms;
	int64_t late_ms; /* after the cancel flag was set, or the deadline had passed; 0: neither */
	int ret;
};

/* One more instance; the main one is open already. 0, or -1 after a finding. */
int conform_open(struct conform *t, struct conform_self *self);
void conform_close(struct conform *t, struct conform_self *self);

void conform_begin(struct conform *t, struct conform_self *self, const char *name,
		   struct conform_op *op);
int conform_end(struct conform *t, struct conform_op *op, int ret);

/* Call an op as the core would: deadline, thread model. 'op' has the rest; it is the code. */
#define CONFORM_CALL(t_, self_, op_, name_, ...)                                                   \
	(conform_begin(t_, self_, #name_, op_),                                                    \
	 conform_end(t_, op_, (t_)->ops->name_((self_)->self, &(op_)->call, __VA_ARGS__, &(op_)->err)))

/* Machines of a call: what it told of, checked. */
void conform_check_instances(struct conform *t, const char *op, const char *region,
			     const struct souk_instance_list *list);

/* ---- Machines (rent.c) ---- */

struct conform_names {
	char token[41], cluster[41];
};

/* A token and a cluster that were never used. */
void conform_names(struct conform *t, struct conform_names *names);
/* What is to be rented; borrows from names and from the session. */
struct souk_instance_spec conform_spec(struct conform *t, const struct conform_names *names,
				       uint32_t count);
int conform_provision(struct conform *t, struct conform_self *self,
		      const struct souk_instance_spec *spec, struct souk_instance_list *out,
		      struct conform_op *op);
/* Provision, going through the picks until one is to be had. 0, or -1 after a finding. */
int conform_rent(struct conform *t, const struct conform_names *names, uint32_t count,
		 struct souk_instance_list *out);
/* Those that list_instances tells of and that are not over yet. 0, or -1 after a finding. */
int conform_list(struct conform *t, const struct souk_instance_filter *filter,
		 struct souk_instance_list *out);
/* Look for a token, again if need be until 'want' are seen, as a cloud may show them late. */
int conform_find(struct conform *t, const char *token, size_t want, struct souk_instance_list *out);
/* End all that carries the token, and see it gone. 0, or -1 after a finding. */
int conform_end_token(struct conform *t, const struct conform_names *names, const char *region,
		      const struct souk_instance_list *known);
struct souk_instance_ref conform_ref(const struct souk_instance *instance);
int conform_is_over(const struct souk_instance *instance);
int conform_has_id(const struct souk_instance_list *list, const char *id);

/* ---- The tests ---- */

enum {
	CONFORM_RAW = 1,      /* the module is not opened for it */
	CONFORM_MACHINES = 2, /* rents */
	CONFORM_LONG = 4      /* many calls */
};

struct conform_test {
	const char *id;
	const char *what;
	const char *fix;
	unsigned flags;
	int (*run)(struct conform *t); /* 0, or -1 after a finding */
};

/* Tables that end with an entry whose id is NULL. */
extern const struct conform_test conform_tests_abi[];
extern const struct conform_test conform_tests_market[];
extern const struct conform_test conform_tests_machines[];
extern const struct conform_test conform_tests_faults[];
extern const struct conform_test conform_tests_load[];

/* Not tests: list the offers for the others; end all that the run has left. */
int conform_prepare(struct conform *t);
int conform_clear(struct conform *t);

#endif
