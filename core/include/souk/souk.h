/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk/souk.h - the public face of libsouk: plans, clusters and jobs for a program
 *
 * The command `souk` is written against this header alone. Functions return SOUK_OK or a
 * negative SOUK_E_ code (souk/provider.h) and fill the struct souk_error; outputs are
 * untouched on failure. Texts are UTF-8, money is in millionths, times are seconds since the
 * epoch, what a list holds is borrowed until the list is freed. A struct souk is used by one
 * thread at a time; souk_interrupt() alone may be called from anywhere.
 */
#ifndef SOUK_SOUK_H
#define SOUK_SOUK_H

#include <stddef.h>
#include <stdint.h>

#include <souk/provider.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- The context -------------------------------------------------------------------- */

struct souk;

struct souk_settings {
	const char *const *providers;	  /* names that take part, ended by NULL; NULL: those configured */
	const char *const *provider_path; /* further folders of modules, ended by NULL; may be NULL */
	const char *const *set;		  /* "NAME.KEY=VALUE", ended by NULL; may be NULL */
	int log_level;			  /* SOUK_LOG_...; warnings are the least that makes sense */
};

/*
 * Read the configuration; touches neither the network nor the store. INVALID with
 * "FILE:LINE:COLUMN: message" if the configuration is wrong.
 */
int souk_new(const struct souk_settings *settings, struct souk **souk_out, struct souk_error *err);
void souk_free(struct souk *souk);

/* Make the running call return SOUK_E_CANCELLED soon. Async-signal-safe. */
void souk_interrupt(struct souk *souk);

const char *souk_version(void);

/* The exit status of sysexits.h that the command gives for a code: see souk(1). */
int souk_exit_status(int code);

/* A configuration error rather than a bad task file: exit status 78 instead of 65. Set by souk_new(). */
#define SOUK_REASON_CONFIG "Configuration"

/* The best of n names for one that is not known, for a hint; NULL if none is near. Borrowed. */
const char *souk_nearest_name(const char *name, const char *const *names, size_t n);

/* Where warnings and log lines go, one line without newline at a time, SOUK_LOG_... says how
 * bad it is; NULL: stderr. Called from any thread. */
void souk_log_set_sink(void (*sink)(int level, const char *line, void *arg), void *arg);

/* ---- Task files ---------------------------------------------------------------------- */

/* What the command line adds to or puts over a file. NULL and 0 mean not given. */
struct souk_overrides {
	const char *name;
	const char *workdir;
	const char *const *env;	    /* "NAME=value", or "NAME" to copy ours; ended by NULL */
	const char *env_file;	    /* lines NAME=value */
	const char *const *secret;  /* "NAME=value", or "NAME" to copy ours; ended by NULL */
	const char *secret_file;
	const char *infra;	    /* "none" clears, here and below */
	const char *accelerators;
	const char *cpus;
	const char *memory;
	const char *instance_type;
	const char *disk_size;
	const char *disk_tier;
	const char *image_id;
	const char *ports;
	const char *max_hourly_cost;
	uint32_t num_nodes;
	int use_spot;		    /* 1 on, -1 off */
};

struct souk_task_file;

struct souk_diagnostic_row {
	unsigned line;		    /* from 1; 0: unknown */
	unsigned column;
	int warning;		    /* 1: the file can still be used */
	const char *message;
	const char *text;	    /* "FILE:LINE:COLUMN: message" */
};

/*
 * Read a task file, or take 'source' as a shell command if no file of that name exists and
 * it does not look like one (no .yaml or .yml at its end). *file_out is set even with
 * INVALID, so that the diagnostics can be shown; it is freed with souk_task_file_free().
 */
int souk_task_file_load(struct souk *souk, const char *source,
			const struct souk_overrides *overrides, struct souk_task_file **file_out,
			struct souk_error *err);
/* The same, but 'source' is always a file; what has no effect yet is not refused (validate). */
int souk_task_file_check(struct souk *souk, const char *source,
			 const struct souk_overrides *overrides, struct souk_task_file **file_out,
			 struct souk_error *err);
void souk_task_file_free(struct souk_task_file *file);

size_t souk_task_file_diagnostics(const struct souk_task_file *file);
const struct souk_diagnostic_row *souk_task_file_diagnostic(const struct souk_task_file *file,
							    size_t i);
/* Of a file that was loaded: its task's name (may be NULL) and number of nodes, and how many tasks. */
const char *souk_task_file_name(const struct souk_task_file *file);
uint32_t souk_task_file_num_nodes(const struct souk_task_file *file);
size_t souk_task_file_tasks(const struct souk_task_file *file);
/* The fields that parse but that a launch refuses, one line each with its place. */
size_t souk_task_file_unsupported(const struct souk_task_file *file);
const char *souk_task_file_unsupported_text(const struct souk_task_file *file, size_t i);

/* ---- Offers and plans ------------------------------------------------------------------ */

/* An offer, or a candidate of a plan. */
struct souk_offer_row {
	const char *provider;
	const char *region;
	const char *zone;	    /* NULL: none */
	const char *instance_type;
	const char *arch;
	const char *accelerator;    /* canonical; NULL: none */
	uint32_t accelerator_milli;
	uint32_t accelerator_memory_mib;
	uint32_t vcpus_milli;
	uint64_t memory_mib;
	int64_t micros_per_hour;    /* on-demand, one machine; -1: not sold so */
	int64_t spot_micros_per_hour;
	const char *currency;
	const char *source;	    /* where the price is from: "seed", "import", "live" */
	const char *date;	    /* of the price, "2026-07-01" */
	/* of candidates only: */
	int spot;		    /* 1: a spot machine is meant */
	int chosen;		    /* 1: the first to be tried */
	int64_t total_micros_per_hour; /* what the plan pays per hour, all nodes */
	uint32_t num_nodes;
	const char *note;	    /* why it stands where it stands; may be NULL */
};

struct souk_offers;
struct souk_callbacks;

struct souk_offer_filter {
	const char *accelerator;    /* "H100", "H100:8"; NULL: any */
	const char *infra;	    /* "aws/us-east-1"; NULL: any */
	const char *region;
	const char *instance_type;
	const char *cpus;	    /* "4", "4+" */
	const char *memory;	    /* "16", "16+" GiB */
	const char *max_price;	    /* dollars per hour */
	int spot;		    /* 1: only what is sold as spot, and sorted by that price */
	int all_regions;	    /* 0: one line per provider and instance type, the cheapest region */
	int zones;		    /* 1: one line per zone */
	uint32_t limit;		    /* 0: all */
	int summary;		    /* 1: only the accelerators are wanted, no rows */
};

/* What is on sale, cheapest first. Providers that fail are a warning each. */
int souk_offers_find(struct souk *souk, const struct souk_offer_filter *filter,
		     struct souk_offers **offers_out, struct souk_error *err);
void souk_offers_free(struct souk_offers *offers);
size_t souk_offers_count(const struct souk_offers *offers);
const struct souk_offer_row *souk_offers_row(const struct souk_offers *offers, size_t i);

/* The accelerators on sale, with their best prices. */
struct souk_accelerator_row {
	const char *accelerator;
	uint32_t memory_mib;
	uint32_t providers;
	uint32_t regions;
	int64_t micros_per_hour;    /* lowest for one device, on-demand; -1: none */
	int64_t spot_micros_per_hour;
};
size_t souk_offers_accelerators(const struct souk_offers *offers);
const struct souk_accelerator_row *souk_offers_accelerator(const struct souk_offers *offers,
							   size_t i);

/* What is known of a provider's offers, and since when. */
struct souk_catalog_row {
	const char *provider;
	size_t offers;		    /* a machine type in a zone or region; 0 too where source is "" */
	size_t regions;
	size_t accelerators;	    /* kinds */
	const char *source;	    /* "seed", "live"; "": nothing is known */
	const char *date;	    /* of the prices, "2026-07-01"; "": unknown */
	const char *path;	    /* NULL: no file */
	const char *problem;	    /* why it was not updated, or cannot be read; NULL: none */
	int code;		    /* SOUK_E_... of the problem */
	int skipped;		    /* 1: not updated as nobody asked for it and it has no credentials */
	int asked_each_time;	    /* 1: keeps no file, as asking it needs no network */
};

struct souk_catalogs;

/*
 * The catalogs of the providers that may take part, or of the n named. No network; a module is
 * loaded only if there is no file of its offers.
 */
int souk_catalogs_info(struct souk *souk, const char *const *names, size_t n,
		       struct souk_catalogs **catalogs_out, struct souk_error *err);

/*
 * Ask these providers themselves and keep the answers. One that fails keeps its old file, says so
 * in its row and is a warning; if none could be updated that is the call's own failure.
 * 'callbacks' may be NULL.
 */
int souk_catalogs_update(struct souk *souk, const char *const *names, size_t n,
			 const struct souk_callbacks *callbacks,
			 struct souk_catalogs **catalogs_out, struct souk_error *err);
void souk_catalogs_free(struct souk_catalogs *catalogs);
size_t souk_catalogs_count(const struct souk_catalogs *catalogs);
const struct souk_catalog_row *souk_catalogs_row(const struct souk_catalogs *catalogs, size_t i);

struct souk_plan;

/* Rank every offer that fits the task. CAPACITY if none does; the message says what came closest. */
int souk_plan_make(struct souk *souk, const struct souk_task_file *file, struct souk_plan **plan_out,
		   struct souk_error *err);
void souk_plan_free(struct souk_plan *plan);
size_t souk_plan_count(const struct souk_plan *plan);
const struct souk_offer_row *souk_plan_row(const struct souk_plan *plan, size_t i);

/* ---- Launch and jobs --------------------------------------------------------------------- */

enum souk_event_kind {
	SOUK_EVENT_ATTEMPT,   /* a candidate is tried */
	SOUK_EVENT_FAILOVER,  /* it failed: 'text' says why and what comes next, in one line */
	SOUK_EVENT_PROGRESS,  /* a step has begun: "waiting for SSH" */
	SOUK_EVENT_DONE,      /* a step has ended */
	SOUK_EVENT_NOTE       /* something worth knowing */
};

struct souk_event {
	enum souk_event_kind kind;
	const char *cluster;
	const char *text;
};

/* How a long call talks to the program. Any member may be NULL. */
struct souk_callbacks {
	void (*event)(const struct souk_event *event, void *arg);
	/* Raw bytes of a job's log. Not 0 stops following. */
	int (*output)(const char *data, size_t size, void *arg);
	void *arg;
};

enum souk_job_status {
	SOUK_JOB_INIT, SOUK_JOB_PENDING, SOUK_JOB_SETTING_UP, SOUK_JOB_RUNNING,
	SOUK_JOB_SUCCEEDED, SOUK_JOB_FAILED, SOUK_JOB_FAILED_SETUP, SOUK_JOB_FAILED_DRIVER,
	SOUK_JOB_CANCELLED
};
const char *souk_job_status_name(enum souk_job_status status);
int souk_job_status_is_final(enum souk_job_status status);

struct souk_launch_options {
	const char *cluster;	    /* NULL: a new name is made */
	int detach;		    /* 1: return once the job is submitted */
	int down;		    /* 1: tear the cluster down when the job has ended (with idle_minutes: then) */
	int64_t idle_minutes;	    /* autostop after so long idle; -1: as the task says */
	int retry_until_up;	    /* 1: begin again when every candidate has failed */
	int no_setup;		    /* 1: skip setup */
	const struct souk_callbacks *callbacks;
};

struct souk_launch_result {
	char cluster[64];
	uint32_t job;		    /* 0: the task has nothing to run */
	enum souk_job_status status;
	int exit_status;	    /* of the job, once its status is final */
};

/*
 * Get a cluster (reuse the named one if it fits, else go down the plan until a candidate
 * works), sync, run, follow. SOUK_OK if the job was submitted and, unless detached, followed
 * to its end, whatever that was. 'plan' may be NULL if the named cluster has machines.
 */
int souk_launch(struct souk *souk, const struct souk_task_file *file, const struct souk_plan *plan,
		const struct souk_launch_options *options, struct souk_launch_result *result_out,
		struct souk_error *err);

/* 1 if a cluster of that name is in the store (whatever its state), 0 if not. */
int souk_cluster_exists(struct souk *souk, const char *name);

/* Run a task on a cluster that is UP: sync the workdir, no mounts, no setup. */
int souk_exec(struct souk *souk, const char *cluster, const struct souk_task_file *file,
	      const struct souk_launch_options *options, struct souk_launch_result *result_out,
	      struct souk_error *err);

/* The log of a job (0: the last one), to its end if 'follow', else as far as it goes. */
int souk_logs(struct souk *souk, const char *cluster, uint32_t job, int follow,
	      const struct souk_callbacks *callbacks, struct souk_launch_result *result_out,
	      struct souk_error *err);

struct souk_job_row {
	uint32_t id;
	const char *name;
	const char *user;
	enum souk_job_status status;
	int64_t submitted_at;
	int64_t started_at;	    /* 0: not yet */
	int64_t ended_at;	    /* 0: not yet */
	int exit_status;	    /* -1: not ended */
	uint32_t num_nodes;
	uint32_t accelerator_milli; /* per node */
	const char *log_path;	    /* on the node */
};

struct souk_jobs;
int souk_queue(struct souk *souk, const char *cluster, struct souk_jobs **jobs_out,
	       struct souk_error *err);
void souk_jobs_free(struct souk_jobs *jobs);
size_t souk_jobs_count(const struct souk_jobs *jobs);
const struct souk_job_row *souk_jobs_row(const struct souk_jobs *jobs, size_t i);

/* Cancel n jobs, or all that are not final if n is 0. *cancelled_out counts those that were. */
int souk_cancel(struct souk *souk, const char *cluster, const uint32_t *jobs, size_t n,
		uint32_t *cancelled_out, struct souk_error *err);

/* ---- Clusters ------------------------------------------------------------------------------ */

enum souk_cluster_status { SOUK_CLUSTER_INIT, SOUK_CLUSTER_UP, SOUK_CLUSTER_STOPPED };
const char *souk_cluster_status_name(enum souk_cluster_status status);

struct souk_node_row {
	uint32_t rank;
	const char *id;		    /* the cloud's */
	const char *zone;	    /* NULL: none */
	const char *public_address; /* NULL: none */
	const char *private_address;
	const char *status;	    /* "PENDING" "RUNNING" "STOPPING" "STOPPED" "TERMINATING" "FAILED" */
};

struct souk_cluster_row {
	const char *name;
	enum souk_cluster_status status;
	const char *provider;
	const char *region;
	const char *zone;	    /* NULL: none, or several */
	const char *instance_type;
	const char *accelerator;    /* NULL: none */
	uint32_t accelerator_milli;
	uint32_t vcpus_milli;
	uint64_t memory_mib;
	int spot;
	int64_t micros_per_hour;    /* all nodes */
	const char *currency;
	int64_t launched_at;
	int64_t cost_micros;	    /* so far, computing alone */
	int64_t autostop_minutes;   /* -1: off */
	int autostop_down;
	const char *note;	    /* "being torn down", "settling", "provider 'x' is not installed"; NULL */
	const struct souk_node_row *nodes;
	size_t n_nodes;
	uint32_t num_nodes;	    /* asked for */
};

struct souk_clusters;

/* What the store knows of all clusters, or of those named (n over 0). With 'refresh', ask the
 * clouds first and settle what was left open; failures there are warnings. Without, no network. */
int souk_status(struct souk *souk, const char *const *names, size_t n, int refresh,
		struct souk_clusters **clusters_out, struct souk_error *err);
void souk_clusters_free(struct souk_clusters *clusters);
size_t souk_clusters_count(const struct souk_clusters *clusters);
const struct souk_cluster_row *souk_clusters_row(const struct souk_clusters *clusters, size_t i);

int souk_start(struct souk *souk, const char *cluster, const struct souk_callbacks *callbacks,
	       struct souk_error *err);
int souk_stop(struct souk *souk, const char *cluster, const struct souk_callbacks *callbacks,
	      struct souk_error *err);
/* Tear down; returns when the provider has confirmed twice that nothing is left. */
int souk_down(struct souk *souk, const char *cluster, const struct souk_callbacks *callbacks,
	      struct souk_error *err);
/* idle_minutes -1 switches autostop off. */
int souk_autostop(struct souk *souk, const char *cluster, int64_t idle_minutes, int down,
		  struct souk_error *err);

/*
 * Make the SSH configuration of a cluster's nodes: *config_out is the path of an ssh_config
 * file, *host_out the host alias of node 'rank' in it. Both are freed with souk_text_free().
 */
int souk_ssh_config(struct souk *souk, const char *cluster, uint32_t rank, char **config_out,
		    char **host_out, struct souk_error *err);

/* ---- Providers ------------------------------------------------------------------------------ */

struct souk_provider_row {
	const char *name;
	const char *path;	    /* of the module */
	const char *problem;	    /* why it was refused; NULL: it is good (or was not loaded) */
	int enabled;		    /* takes part in a launch without --providers */
};

struct souk_providers;
/* The modules that are installed, by name. With 'verify' each is loaded, and refused ones tell why. */
int souk_providers_list(struct souk *souk, int verify, struct souk_providers **providers_out,
			struct souk_error *err);
void souk_providers_free(struct souk_providers *providers);
size_t souk_providers_count(const struct souk_providers *providers);
const struct souk_provider_row *souk_providers_row(const struct souk_providers *providers, size_t i);

struct souk_option_row {
	const char *name;
	const char *help;
	const char *default_value;  /* NULL: none */
	const char *type;	    /* "string" "integer" "boolean" "secret" "list" */
	const char *variable;	    /* "SOUK_AWS_REGION" */
	const char *value;	    /* as configured; NULL: not set; secrets never shown */
};

struct souk_provider_info {
	const char *name;
	const char *title;
	const char *version;
	const char *path;
	uint32_t abi;
	const char *threads;	    /* "serial" "per-instance" "parallel" */
	const char *const *features; /* ended by NULL: "spot", "stop", "list-instances" ... */
	const char *const *missing; /* features it does not have, with what follows from it */
	const char *credentials;    /* NULL: none needed */
	const char *permissions;    /* NULL: none */
	const struct souk_option_row *options;
	size_t n_options;
};

/* Load one module and describe it. *info_out is freed with souk_provider_info_free(). */
int souk_provider_info_get(struct souk *souk, const char *name, struct souk_provider_info **info_out,
			   struct souk_error *err);
void souk_provider_info_free(struct souk_provider_info *info);

struct souk_check_row {
	const char *provider;
	int ok;
	const char *account;	    /* NULL: unknown */
	const char *principal;
	const char *detail;	    /* further keys as "key: value, ..."; NULL: none */
	const char *message;	    /* if not ok: what is wrong */
	const char *hint;	    /* NULL: none */
	int code;
};

struct souk_checks;
/* Ask every provider (or the n named) whose credentials it has. */
int souk_check(struct souk *souk, const char *const *names, size_t n, struct souk_checks **checks_out,
	       struct souk_error *err);
void souk_checks_free(struct souk_checks *checks);
size_t souk_checks_count(const struct souk_checks *checks);
const struct souk_check_row *souk_checks_row(const struct souk_checks *checks, size_t i);

#ifdef __cplusplus
}
#endif

#endif
