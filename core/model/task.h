/* SPDX-License-Identifier: Apache-2.0 */
/* model/task.h - a task file as plain data: documents, tasks, requests */
#ifndef SOUK_MODEL_TASK_H
#define SOUK_MODEL_TASK_H

#include <stdint.h>

#include <souk/souk.h>

#include "base/strv.h"
#include "model/report.h"
#include "model/yaml.h"

/* A number that may be a lower bound: cpus "4+", memory "16+". In thousandths of a vCPU, or MiB. */
struct souk_amount {
	uint64_t value; /* 0: not given */
	int at_least;	/* 1: this or more; 0: exactly */
};

/* What an accelerator request says. */
struct souk_accelerator {
	char *name;	     /* as written; NULL: none asked for. With 'memory_mib': NULL and derived */
	uint32_t milli;	     /* thousandths of a device; 1000 is one */
	char *maker;	     /* memory forms: "nvidia", "amd" ...; NULL any */
	uint64_t memory_mib; /* memory forms "80GB", "MAKER:40GB+": memory of one device; 0: by name */
	int memory_at_least;
};

enum souk_wait_for { SOUK_WAIT_JOBS_AND_SSH, SOUK_WAIT_JOBS, SOUK_WAIT_NONE };

struct souk_autostop {
	int set;	  /* the file says something about it */
	int enabled;
	uint32_t idle_minutes;
	int down;	  /* tear down instead of stopping */
	enum souk_wait_for wait_for;
};

struct souk_local_disk {
	int set;
	int ssd_ok;	  /* mode "ssd": nvme satisfies it too; 0: nvme */
	uint64_t size_gib;
	int at_least;
};

struct souk_job_recovery {
	char *strategy;	  /* upper case; NULL: unset */
	uint32_t max_restarts_on_errors;
	int *exit_codes;
	size_t n_exit_codes;
};

/*
 * One alternative: what a machine must be. NULL and 0 members do not restrict. A task's
 * alternatives are expanded (any_of, ordered, accelerator lists and sets), so a request has
 * at most one accelerator.
 */
struct souk_request {
	struct souk_mark mark;
	unsigned rank;	     /* 'ordered' and accelerator lists: the first with an offer wins; else all 0 */
	char *provider;	     /* lower case */
	char *region;
	char *zone;
	char *instance_type;
	struct souk_amount cpus;   /* thousandths of a vCPU */
	struct souk_amount memory; /* MiB */
	struct souk_accelerator accelerator;
	struct souk_pairs accelerator_args;
	int use_spot;
	int use_spot_given; /* the task says so itself: it is not the default */
	uint64_t disk_size_gib; /* 0: not given */
	char *disk_tier;     /* "low" ... "best", lower case; NULL: not given */
	char *network_tier;  /* "standard", "best" */
	struct souk_local_disk local_disk;
	uint64_t ephemeral_storage_gib;
	int64_t max_hourly_micros; /* per node; 0: no limit */
	struct souk_port_range *ports; /* sorted, disjoint */
	size_t n_ports;
	struct souk_pairs labels;
	char *image;	     /* image_id as one text; NULL: none. "docker:IMAGE", "skypilot:TAG", or an id */
	struct souk_pairs images; /* image_id as a map region -> id; key "docker" is the container */
	struct souk_autostop autostop;
	struct souk_job_recovery recovery;
	int priority;
	char *priority_class;
};

/* envs: value NULL until the command line supplies it (then an error if it still is). */
/* secrets: an inline value, or a reference to a stored one (value NULL, name with its scope). */
struct souk_secret {
	char *name;
	char *value;	     /* NULL: a reference */
	struct souk_mark mark;
};

enum souk_mount_kind {
	SOUK_MOUNT_LOCAL,    /* a local file or folder, copied at launch */
	SOUK_MOUNT_URI,	     /* a bucket or key, copied */
	SOUK_MOUNT_STORAGE   /* a storage object */
};

struct souk_mount {
	struct souk_mark mark;
	enum souk_mount_kind kind;
	char *target;	     /* path on the node, as written */
	char *source;	     /* local path or URI; NULL: an empty bucket */
	struct souk_strv sources; /* storage object with several local sources */
	char *name;	     /* bucket */
	char *store;	     /* lower case */
	char *mode;	     /* "mount", "copy", "mount_cached" */
	char *type;
	int persistent;
};

struct souk_volume {
	struct souk_mark mark;
	char *target;
	char *name;	     /* NULL: ephemeral */
	char *sub_path;
	uint64_t size_gib;
};

struct souk_git {
	char *url;
	char *ref;	     /* may be NULL */
};

/* A field that was given, is valid, and has no effect yet: a launch refuses it by name. */
struct souk_unsupported {
	struct souk_mark mark;
	char *field;	     /* "service", "file_mounts./data" */
	char *needs;	     /* what it waits for: "bucket mounts are not supported yet" */
};

struct souk_task {
	struct souk_mark mark;
	char *name;	     /* NULL: none */
	char *workdir;	     /* local folder as written (substituted); NULL: none */
	struct souk_git git; /* workdir as a repository */
	uint32_t num_nodes;
	char *setup;
	char *run;
	struct souk_pairs envs;
	struct souk_secret *secrets;
	size_t n_secrets;
	struct souk_mount *mounts;
	size_t n_mounts;
	struct souk_volume *volumes;
	size_t n_volumes;
	char *event_callback;
	char *inputs_uri, *outputs_uri;
	double inputs_gb, outputs_gb;
	int64_t provision_timeout_s; /* config.ssh.provision_timeout; 0: not given */
	struct souk_request *requests; /* never empty: alternatives in the order of the file */
	size_t n_requests;
	struct souk_unsupported *unsupported;
	size_t n_unsupported;
};

enum souk_execution { SOUK_EXECUTION_SERIAL, SOUK_EXECUTION_PARALLEL };

/* A whole file. One task without a header is the usual case. */
struct souk_dag {
	char *name;
	enum souk_execution execution;
	int has_header;
	struct souk_task *tasks;
	size_t n_tasks;
	struct souk_strv primary_tasks;
};

/* What the parser may ask of the world; all may be NULL. */
struct souk_task_context {
	/* Is there a provider of that name? NULL: every name will do. Known ones that are not
	 * installed get a message in *why_out (static or owned by the context), e.g. "install the
	 * package souk-provider-x". */
	int (*provider_known)(const char *name, const char **why_out, void *arg);
	/* The names of those installed, joined with ", ", for messages; owned by the context. */
	const char *(*provider_names)(void *arg);
	void *arg;
};

/*
 * Read, check, override and expand. Follows TASK phases: parse, merge flags and envs,
 * substitute, expand alternatives, validate (local paths must exist). Everything that is wrong
 * is in the report; INVALID then. *dag_out is freed with souk_dag_free(). The report is a zeroed
 * one, or one that souk_report_init() has named. Relative paths begin at the current folder.
 */
int souk_dag_load(const char *path, const struct souk_overrides *overrides,
		  const struct souk_task_context *context, struct souk_dag **dag_out,
		  struct souk_report *report, struct souk_error *err);

/* The same for text in memory; relative paths are put under 'folder' (NULL: left as they are). */
int souk_dag_parse(const char *text, size_t size, const char *folder,
		   const struct souk_overrides *overrides, const struct souk_task_context *context,
		   struct souk_dag **dag_out, struct souk_report *report, struct souk_error *err);

/* A dag of one task that runs a shell command (souk launch 'nvidia-smi'). */
int souk_dag_command(const char *command, const struct souk_overrides *overrides,
		     const struct souk_task_context *context, struct souk_dag **dag_out,
		     struct souk_report *report, struct souk_error *err);
void souk_dag_free(struct souk_dag *dag);

/* Refuse what has no effect yet: the first unsupported field, by name and place (INVALID). */
int souk_task_check_supported(const struct souk_task *task, const char *file,
			      struct souk_error *err);

/* The same for a whole file, which may hold one task only. */
int souk_dag_check_launch(const struct souk_dag *dag, const char *file, struct souk_error *err);

/* Is a name good for clusters and jobs? (A3 name rule for tasks; clusters: the same, at most 40.) */
int souk_name_check(const char *what, const char *name, size_t max, struct souk_error *err);

/* Normal forms of single values, for flags and tests; each INVALID with a clear message. */
int souk_parse_accelerator(const char *text, struct souk_accelerator *out, struct souk_error *err);
void souk_accelerator_fini(struct souk_accelerator *accelerator);
int souk_parse_amount_cpus(const char *text, struct souk_amount *out, struct souk_error *err);
int souk_parse_amount_memory(const char *text, struct souk_amount *out, struct souk_error *err);
int souk_parse_duration_minutes(const char *text, uint32_t *out, struct souk_error *err);

#endif
