/* SPDX-License-Identifier: Apache-2.0 */
/* node/runtime.h - the node runtime seen from here: jobs, logs, autostop of one cluster */
#ifndef SOUK_NODE_RUNTIME_H
#define SOUK_NODE_RUNTIME_H

#include <stdint.h>

#include <souk/souk.h>

#include "base/strv.h"
#include "node/remote.h"

/* A machine as its siblings and its own runtime know it. */
struct souk_runtime_node {
	const char *ip;		/* for SOUK_NODE_IPS */
	const char *host;	/* where the head's ssh reaches it */
	uint32_t port;
	const char *user;
	const char *host_key;	/* NULL: unknown; then the head cannot reach it */
	const char *shutdown_command;
};

struct souk_runtime_cluster {
	const char *name;
	const char *provider;
	const char *region;
	const char *zone;	/* may be NULL */
	uint32_t gpus;		/* per node */
	uint32_t cpus_milli;	/* per node */
	const struct souk_runtime_node *nodes;
	uint32_t n_nodes;
	const char *node_key;	/* private key with which the head reaches the others; NULL for one node */
};

/* Install the runtime if this version is not there, and tell the machine of rank 'rank' about
 * its cluster. Again is harmless. */
int souk_runtime_init(struct souk_remote *remote, const struct souk_runtime_cluster *cluster,
		      uint32_t rank, struct souk_error *err);

struct souk_runtime_job {
	const char *name;
	uint32_t num_nodes;
	uint32_t gpus_milli;	/* per node */
	const char *user;
	const char *token;	/* the same token is the same job */
	const char *task_id_prefix; /* the job's id is appended */
	const struct souk_pairs *env; /* exported to setup and run */
	const char *setup;	/* NULL: none */
	const char *run;
};

/* Queue a job on the head. *id_out is its number. */
int souk_runtime_submit(struct souk_remote *head, const struct souk_runtime_job *job,
			uint32_t *id_out, struct souk_error *err);

/*
 * Print a job's log from *offset, which counts on, until the job is final ('follow' 1) or as
 * far as it goes. TRANSIENT or TIMEOUT: the connection was lost; call again with the offset
 * on a new one and nothing is lost or doubled. What 'output' returns other than 0 ends it.
 */
int souk_runtime_log(struct souk_remote *head, uint32_t id, int follow, uint64_t *offset,
		     int (*output)(const char *data, size_t size, void *arg), void *arg,
		     struct souk_cancel *cancel, struct souk_error *err);

/* Lists of jobs as souk_queue() gives them. */
struct souk_jobs {
	struct souk_job_row *items; /* texts are the list's */
	size_t n;
};

int souk_runtime_queue(struct souk_remote *head, struct souk_jobs **jobs_out, struct souk_error *err);
void souk_jobs_destroy(struct souk_jobs *jobs);

/* One job; NOT_FOUND if there is none. id 0: the last one. *jobs_out has one row. */
int souk_runtime_status(struct souk_remote *head, uint32_t id, struct souk_jobs **jobs_out,
			struct souk_error *err);

/* Cancel a job, or all (0). Returns when its processes are gone. *n_out counts those cancelled. */
int souk_runtime_cancel(struct souk_remote *head, uint32_t id, uint32_t *n_out,
			struct souk_error *err);

/* Arm the idle watch of the head (minutes -1: disarm). */
int souk_runtime_autostop(struct souk_remote *head, int64_t minutes, int down,
			  const char *wait_for, struct souk_error *err);

#endif
