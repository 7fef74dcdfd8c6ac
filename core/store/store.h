/* SPDX-License-Identifier: Apache-2.0 */
/* store/store.h - what souk must not forget: clusters, nodes, intents, jobs, capacity evidence */
#ifndef SOUK_STORE_STORE_H
#define SOUK_STORE_STORE_H

#include <stdint.h>

#include <souk/souk.h>

#include "base/strv.h"

struct souk_store;

/*
 * Open the store in the folder 'state_dir' (made with mode 0700 if it is not there). With
 * 'create' 0 a store that does not exist yet is SOUK_E_NOT_FOUND, and nothing is made.
 * A store written by a newer souk is refused. One store per thread.
 */
int souk_store_open(const char *state_dir, int create, struct souk_store **store_out,
		    struct souk_error *err);
void souk_store_close(struct souk_store *store);
/* Read all of it: INTERNAL, with the first fault, if it is damaged. */
int souk_store_verify(struct souk_store *store, struct souk_error *err);

/*
 * What is written between begin and commit happens whole or not at all; commit returns when
 * it is on the disk. A single write outside is a transaction of its own.
 */
int souk_store_begin(struct souk_store *store, struct souk_error *err);
int souk_store_commit(struct souk_store *store, struct souk_error *err);
void souk_store_rollback(struct souk_store *store);

/* ---- Clusters and nodes ---- */

struct souk_store_node {
	uint32_t rank;
	char *id;
	char *region;
	char *zone;
	int32_t status;		   /* SOUK_INSTANCE_... */
	char *public_address;
	char *private_address;
	uint32_t ssh_port;
	char *ssh_user;
	char *host_key;
	char *shutdown_command;
	char *token;		   /* the intent that made it */
	int seen;		   /* 1: the status is what the cloud has just said; not kept */
	int64_t seen_created_at;   /* and since when the machine is there; 0: it did not say; not kept */
};

struct souk_store_cluster {
	char *name;
	enum souk_cluster_status status;
	char *owner;
	char *provider;
	char *region;
	char *zone;
	char *instance_type;
	char *arch;
	char *accelerator;
	uint32_t accelerator_milli;
	uint32_t vcpus_milli;
	uint64_t memory_mib;
	int spot;
	uint32_t num_nodes;
	int64_t micros_per_hour;   /* one node */
	char *currency;
	int64_t launched_at;
	int64_t billed_since;	   /* 0: not running; cost_micros holds what was before */
	int64_t cost_micros;
	int64_t autostop_minutes;  /* -1: off */
	int autostop_down;
	int tearing_down;	   /* 1: 'down' was asked for and is not confirmed */
	uint32_t absences;	   /* how often in a row the provider has not known any node */
	int64_t absent_at;
	char *token;		   /* the intent that made it */
	struct souk_store_node *nodes;
	size_t n_nodes;
};

void souk_store_cluster_fini(struct souk_store_cluster *cluster);
void souk_store_node_fini(struct souk_store_node *node);
int souk_store_cluster_copy(struct souk_store_cluster *to, const struct souk_store_cluster *from,
			    struct souk_error *err);

/* Write a cluster with all its nodes, replacing what is there. One transaction. */
int souk_store_cluster_put(struct souk_store *store, const struct souk_store_cluster *cluster,
			   struct souk_error *err);
/* NOT_FOUND if there is none of that name. */
int souk_store_cluster_get(struct souk_store *store, const char *name,
			   struct souk_store_cluster *cluster_out, struct souk_error *err);
/* Forget a cluster: its nodes, its jobs and its intents. */
int souk_store_cluster_delete(struct souk_store *store, const char *name, struct souk_error *err);
/* All clusters by name; freed with souk_store_clusters_free(). */
int souk_store_clusters(struct souk_store *store, struct souk_store_cluster **clusters_out,
			size_t *n_out, struct souk_error *err);
void souk_store_clusters_free(struct souk_store_cluster *clusters, size_t n);

/* ---- Intents ---- */

/*
 * What an hour of one machine costs, as it was known when it was asked for. Amounts are millionths,
 * -1 where nobody has said.
 */
struct souk_store_price {
	int64_t micros_per_hour;
	int64_t disk_micros_per_hour;
	int64_t address_micros_per_hour;
	char *currency;		   /* NULL: nothing is known, whatever the amounts */
	char *source;		   /* "seed", "import" or "live"; NULL: not known */
	char *date;		   /* of the price; NULL: not known */
};

/* What is about to be created, or may have been. */
struct souk_store_intent {
	char *token;
	char *cluster;
	char *provider;
	char *region;
	char *zone;
	char *instance_type;
	uint32_t count;
	int spot;
	int64_t created_at;
	int64_t closing_since;	   /* not 0: it came to nothing and is being cleared away */
	uint32_t absences;	   /* how often in a row nothing was found under the token */
	int64_t absent_at;
	char *accelerator;	   /* canonical; NULL: none */
	uint32_t accelerator_milli;
	struct souk_store_price price; /* of one machine; without a currency it is the cluster's */
	int64_t noted_at;	   /* by souk_clock_billing_s(); set by the store when it is first put */
};

void souk_store_intent_fini(struct souk_store_intent *intent);
/* Insert, or replace the one with this token. On the disk when it returns. */
int souk_store_intent_put(struct souk_store *store, const struct souk_store_intent *intent,
			  struct souk_error *err);
int souk_store_intent_delete(struct souk_store *store, const char *token, struct souk_error *err);
/* All open intents, oldest first; with 'cluster' only those of one. */
int souk_store_intents(struct souk_store *store, const char *cluster,
		       struct souk_store_intent **intents_out, size_t *n_out, struct souk_error *err);
void souk_store_intents_free(struct souk_store_intent *intents, size_t n);

/* ---- Spells: when each machine ran, and for how much an hour ---- */

enum souk_spell_state {
	SOUK_SPELL_RUNNING,	   /* as far as is known */
	SOUK_SPELL_STOPPED,	   /* it is over; the machine is there and can start again */
	SOUK_SPELL_ENDED	   /* it is over, and the machine is gone or going */
};

/*
 * A stretch of time in which a machine ran. The store writes them by itself, in the transaction of
 * what they follow from: the nodes of a cluster that is put or deleted, an intent that closes or is
 * deleted; and from what souk_store_machines_found() is told. Times are of souk_clock_billing_s().
 *
 * It begins when the cloud says that the machine was created, if that lies between the moment when
 * souk asked for it and now, else when souk asked. It ends when souk asked for the end, unless the
 * cloud has said since that the machine runs; where nobody had asked, when its end was first seen.
 */
struct souk_store_spell {
	int64_t number;
	char *cluster;
	int64_t rank;		   /* -1: it was no node, and was given back */
	char *machine;		   /* the cloud's id; with 'provider' and 'token' it names the machine */
	char *token;
	char *provider;
	char *region;
	char *zone;
	char *instance_type;
	char *accelerator;
	uint32_t accelerator_milli;
	int spot;
	enum souk_spell_state state;
	int64_t started_at;
	int64_t ended_at;	   /* 0: it runs */
	int64_t end_asked_at;	   /* 0: nobody has asked */
	int64_t start_asked_at;	   /* of the next one; 0: nobody has asked */
	struct souk_store_price price;
};

void souk_store_spell_fini(struct souk_store_spell *spell);
/* Those that ran at or after 'since', by their beginning; freed with souk_store_spells_free(). */
int souk_store_spells(struct souk_store *store, int64_t since, struct souk_store_spell **spells_out,
		      size_t *n_out, struct souk_error *err);
void souk_store_spells_free(struct souk_store_spell *spells, size_t n);

/*
 * Note, before it is sent, that the machines of a cluster are asked to stop, or to start again. Being
 * torn down is noted by putting the cluster, or the closing intent.
 */
int souk_store_ask_end(struct souk_store *store, const char *cluster, struct souk_error *err);
int souk_store_ask_start(struct souk_store *store, const char *cluster, struct souk_error *err);
/* *asked_out is 1 if either was asked for and its outcome was not seen: look before asking again. */
int souk_store_is_asked(struct souk_store *store, const char *cluster, int *asked_out,
			struct souk_error *err);

/*
 * Note what a search by the token of a cluster's intent has found, or what provision has given: those
 * that are no nodes of the cluster run, or do not, for somebody has to pay for them. With 'ending' 1
 * they are torn down next.
 */
int souk_store_machines_found(struct souk_store *store, const char *cluster, const char *token,
			      const struct souk_instance *machines, size_t n, int ending,
			      struct souk_error *err);

/* ---- Jobs ---- */

/* A job as last seen; the node's own record is the truth while there is a node. */
struct souk_store_job {
	char *cluster;
	uint32_t id;
	char *name;
	enum souk_job_status status;
	int64_t submitted_at;
	int64_t ended_at;
	int exit_status;	   /* -1: not ended */
};

int souk_store_job_put(struct souk_store *store, const struct souk_store_job *job,
		       struct souk_error *err);

/* ---- The capacity ledger ---- */

/* One attempt to get a machine, and how it went. */
struct souk_store_attempt {
	char *provider;
	char *region;
	char *zone;		   /* NULL: the provider chose */
	char *instance_type;
	int spot;
	int32_t code;		   /* SOUK_OK, or why it failed */
	int32_t scope;
	char *reason;		   /* the cloud's own code */
	int64_t at;
	char *accelerator;	   /* canonical; NULL: none */
	uint32_t accelerator_milli;
};

void souk_store_attempt_fini(struct souk_store_attempt *attempt);
/* Add one. Attempts of over a week ago, and events of over 90 days, are forgotten with it. */
int souk_store_attempt_add(struct souk_store *store, const struct souk_store_attempt *attempt,
			   struct souk_error *err);
/* Those since a moment, newest first, at most 10,000. */
int souk_store_attempts(struct souk_store *store, int64_t since,
			struct souk_store_attempt **attempts_out, size_t *n_out,
			struct souk_error *err);
void souk_store_attempts_free(struct souk_store_attempt *attempts, size_t n);

/* ---- The record ---- */

/* Write one step down: what happened to which cluster. For 'what was it doing' after a crash. */
int souk_store_event(struct souk_store *store, const char *cluster, const char *text,
		     struct souk_error *err);

/* ---- Locks ---- */

/*
 * Hold the lock of a cluster: whoever changes it or settles its intents holds it, and the
 * kernel gives it back when the process dies. 'wait' 0: CONFLICT at once if another has it,
 * else wait until it is free (or cancelled). *fd_out is closed with souk_store_unlock().
 */
struct souk_cancel;
int souk_store_lock(struct souk_store *store, const char *cluster, int wait,
		    struct souk_cancel *cancel, int *fd_out, struct souk_error *err);
void souk_store_unlock(int fd);

#endif
