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
