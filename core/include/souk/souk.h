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
	int without_modules;		  /* 1: 'providers' may name those of which only prices are known */
};

/*
 * Read the configuration; touches neither the network nor the store. INVALID with
 * "FILE:LINE:COLUMN: message" if the configuration is wrong.
 */
int souk_new(const struct souk_settings *settings, struct souk **souk_out, struct souk_error *err);
void souk_free(struct souk *souk);

/* Make the running call return SOUK_E_CANCELLED soon. Async-signal-safe. */
void souk_interrupt(struct souk *souk);

/*
 * From now on say on stderr, before this process ends by SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT, which
 * provider module has crashed and in which operation, or that souk itself has. The process ends as it
 * would have. For programs that are souk's own; further calls do nothing.
 */
void souk_crash_tell(void);

const char *souk_version(void);

/* The exit status of sysexits.h that the command gives for a code: see souk(1). */
int souk_exit_status(int code);

/* A configuration error rather than a bad task file: exit status 78 instead of 65. Set by souk_new(). */
#define SOUK_REASON_CONFIG "Configuration"
/* Not souk's fault, but this computer's: a file or the store cannot be read or written, the disk is
 * full or read-only, too many files are open. Exit status 74 instead of 70. */
#define SOUK_REASON_SYSTEM "System"

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
/* The same as loading, but of any number of tasks: for what plans only. */
int souk_task_file_load_all(struct souk *souk, const char *source,
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
	uint64_t local_disk_mib;
	int64_t compute_micros;	    /* all nodes, for the time that was estimated */
	int64_t preemption_micros;  /* what losing spot machines is expected to cost */
	int64_t transfer_micros;    /* of the task's inputs and outputs; -1: not known */
	int64_t cost_micros;	    /* what it is ranked by: all of these together */
	int64_t seconds;	    /* of the run with its transfers */
	uint32_t alternative;	    /* of the task, from 1, that it satisfies */
	int cooling;		    /* 1: sold out a moment ago, tried last */
	int unsure;		    /* 1: its provider was named, and no sign of credentials is found here */
	size_t behind;		    /* of souk_plan_best_row(): how many more its provider has */
	/* of offers: */
	int32_t available;	    /* machines in stock; -1: not known */
	uint32_t marks;		    /* SOUK_PRICE_...: prices that cannot be right */
	int installed;		    /* 0: there is no module, it can be seen but not launched */
	uint32_t further_regions;   /* that the line stands for besides its own, at this price or a higher one */
};

/* souk_offer_row.marks: what is wrong with a price. Such a price is shown and never chosen. */
enum {
	SOUK_PRICE_NOT_POSITIVE = 1u << 0,   /* zero, and the machine is not free */
	SOUK_PRICE_FAR_BELOW = 1u << 1,	     /* on demand: below a tenth of the type's median */
	SOUK_PRICE_SPOT_NOT_POSITIVE = 1u << 2,
	SOUK_PRICE_SPOT_FAR_BELOW = 1u << 3, /* spot: below a tenth of the type's median spot price */
	SOUK_PRICE_SPOT_ABOVE = 1u << 4	     /* spot above on demand */
};

/* What offers are sorted by. Prices that are marked, or not known, come last; equals by price, then
 * by name. */
enum souk_offer_sort {
	SOUK_SORT_PRICE,     /* on demand; with 'spot', as spot */
	SOUK_SORT_SPOT,
	SOUK_SORT_GPU_PRICE, /* of one accelerator */
	SOUK_SORT_VCPUS,
	SOUK_SORT_MEMORY,
	SOUK_SORT_NAME	     /* provider, instance type, region, zone */
};

struct souk_offers;
struct souk_callbacks;

struct souk_offer_filter {
	const char *accelerator;    /* "H100", "H100:8", "80GB+"; NULL: any */
	const char *infra;	    /* "aws/us-*"; NULL: any. '*' stands for anything, here and below */
	const char *region;
	const char *instance_type;
	const char *arch;	    /* "x86_64", "arm64" */
	const char *cpus;	    /* "4", "4+" */
	const char *memory;	    /* "16", "16+" GiB */
	const char *max_price;	    /* dollars per hour */
	int spot;		    /* 1: only what is sold as spot, and sorted by that price */
	int all_regions;	    /* 0: one line per provider and instance type, the cheapest region */
	int zones;		    /* 1: one line per zone */
	uint32_t limit;		    /* 0: all */
	int summary;		    /* 1: only the accelerators are wanted; rows where there are none */
	enum souk_offer_sort sort;
};

/*
 * What is on sale, cheapest first, at every provider of which prices are known, be there a module
 * for it or not. Providers that fail are a warning each. CAPACITY if the accelerator that is
 * asked for is sold by none of them; the hint names those that come nearest.
 */
int souk_offers_find(struct souk *souk, const struct souk_offer_filter *filter,
		     struct souk_offers **offers_out, struct souk_error *err);
void souk_offers_free(struct souk_offers *offers);
size_t souk_offers_count(const struct souk_offers *offers);
/* Borrowed until the next call. NULL past the end. */
const struct souk_offer_row *souk_offers_row(struct souk_offers *offers, size_t i);

/* The accelerators on sale, with their best prices. */
struct souk_accelerator_row {
	const char *accelerator;
	uint32_t memory_mib;
	uint32_t providers;
	uint32_t regions;
	int64_t micros_per_hour;    /* lowest for one device, on-demand; -1: none */
	int64_t spot_micros_per_hour;
	const char *currency;	    /* of both; USD if anybody sells it for dollars */
};
size_t souk_offers_accelerators(const struct souk_offers *offers);
const struct souk_accelerator_row *souk_offers_accelerator(const struct souk_offers *offers,
							   size_t i);

/* An attempt to get a machine, and what it is worth now: the capacity ledger. */
struct souk_evidence_row {
	const char *provider;
	const char *region;
	const char *zone;	    /* NULL: the provider chose */
	const char *instance_type;
	const char *accelerator;    /* NULL: none */
	uint32_t accelerator_milli;
	int spot;
	int code;		    /* SOUK_OK, or why it failed */
	const char *code_name;	    /* "OK", "CAPACITY", "QUOTA" ... */
	const char *scope;	    /* how far the failure reaches: "offer", "zone", "region", "provider" */
	const char *reason;	    /* the cloud's own code; NULL: none */
	int64_t at;
	uint32_t weight_milli;	    /* what it counts now, in 1/1000 */
	int64_t cooldown_left_s;    /* for so long what it reaches is tried last; 0: no more */
};

struct souk_evidence_list;

/* The attempts of the last week, newest first; of the filter accelerator, infra, region,
 * instance_type, spot and limit count. No store yet is an empty list. */
int souk_evidence_find(struct souk *souk, const struct souk_offer_filter *filter,
		       struct souk_evidence_list **list_out, struct souk_error *err);
void souk_evidence_free(struct souk_evidence_list *list);
size_t souk_evidence_count(const struct souk_evidence_list *list);
const struct souk_evidence_row *souk_evidence_row(const struct souk_evidence_list *list, size_t i);

/* What is known of a provider's offers, and since when. */
struct souk_catalogs_row {
	const char *provider;
	size_t offers;		    /* a machine type in a zone or region; 0 too where source is "" */
	size_t regions;
	size_t accelerators;	    /* kinds */
	const char *source;	    /* "seed", "import", "live"; "": nothing is known */
	const char *date;	    /* of the prices, "2026-07-01"; "": unknown */
	const char *path;	    /* NULL: no file */
	const char *problem;	    /* why it was not updated, or cannot be read; NULL: none */
	int code;		    /* SOUK_E_... of the problem */
	int skipped;		    /* 1: not updated as nobody asked for it and it has no credentials */
	int asked_each_time;	    /* 1: keeps no file, as asking it needs no network */
	size_t types;		    /* kinds of machine */
	size_t marked;		    /* offers with a price that cannot be right */
	uint64_t bytes;		    /* of the file */
	int64_t made_at;	    /* when the file was made; 0 unknown */
	int64_t age_days;	    /* of the prices, or of the file if they have no date; -1: unknown */
	int stale;		    /* 1: older than the configuration's catalog: stale_days */
	int installed;		    /* 0: there is no module: can be looked at, not launched */
	int removed;		    /* 1: souk_catalogs_remove() has removed a file */
	const char *note;	    /* where the prices are from, for people; may be "" */
	char hash[33];		    /* of the offers, hexadecimal; "": no file */
};

struct souk_catalogs;

/*
 * The catalogs of the providers that may take part, be a module of theirs installed or not, or of
 * the n named. With 'verify' the whole of each file is checked. No network; a module is loaded
 * only if there is no file of its offers.
 */
int souk_catalogs_info(struct souk *souk, const char *const *names, size_t n, int verify,
		       struct souk_catalogs **catalogs_out, struct souk_error *err);

/*
 * Ask these providers themselves, several at a time, and keep the answers. One that fails keeps its
 * old file, says so in its row and is a warning; if none could be updated that is the call's own
 * failure. 'callbacks' may be NULL.
 */
int souk_catalogs_update(struct souk *souk, const char *const *names, size_t n,
			 const struct souk_callbacks *callbacks,
			 struct souk_catalogs **catalogs_out, struct souk_error *err);

/* Forget what these n have said or what was imported for them; a row tells what counts from now on. */
int souk_catalogs_remove(struct souk *souk, const char *const *names, size_t n,
			 struct souk_catalogs **catalogs_out, struct souk_error *err);
void souk_catalogs_free(struct souk_catalogs *catalogs);
size_t souk_catalogs_count(const struct souk_catalogs *catalogs);
const struct souk_catalogs_row *souk_catalogs_row(const struct souk_catalogs *catalogs, size_t i);

/* How to import a table of offers. Zeroed: into the cache, if every row is good. */
struct souk_import_options {
	const char *provider;	    /* whose offers they are; NULL: as the file's column says */
	const char *date;	    /* of the prices, "2026-07-20"; NULL: as its first comment says */
	const char *note;	    /* where they are from, for people; NULL: likewise */
	const char *output;	    /* write a seed to this path; NULL: into the cache */
	int dry_run;		    /* 1: write nothing */
	int skip_bad;		    /* 1: leave out the rows that are wrong */
};

struct souk_import_row {
	const char *provider;
	const char *path;	    /* of the file that was written; NULL: none was */
	size_t rows;		    /* good ones */
	size_t bad;
	size_t offers;		    /* what they are once doubles are merged, as the next five; 0: not known */
	size_t types;
	size_t regions;
	size_t accelerators;
	size_t marked;
	const char *date;
	int installed;
};

struct souk_import;

/*
 * Import a CSV file ("-": the standard input). INVALID if it cannot be read as a whole. Rows that
 * are wrong are told of by souk_import_problem(): with any of them nothing is written, unless they
 * are to be left out.
 */
int souk_catalogs_import(struct souk *souk, const char *file,
			 const struct souk_import_options *options, struct souk_import **import_out,
			 struct souk_error *err);
void souk_import_free(struct souk_import *import);
const struct souk_import_row *souk_import_row(const struct souk_import *import);
/* The first hundred, "FILE:LINE: what is wrong". */
size_t souk_import_problems(const struct souk_import *import);
const char *souk_import_problem(const struct souk_import *import, size_t i);

struct souk_plan;

/* How to plan. Zeroed: as before a launch, cheapest first, for one hour. */
struct souk_plan_options {
	const char *optimize;	    /* "cost" or "time"; NULL: as configured, else "cost" */
	uint32_t hours_milli;	    /* the time that the task is expected to take; 0: one hour */
	int dryrun;		    /* 1: nothing will be launched: open no account */
	int explain;		    /* 1: find out why the others lost */
};

/*
 * Rank every offer that fits the task. CAPACITY if none does; the message says what came closest.
 * The file has to outlive the plan. Options may be NULL. Without 'dryrun' the accounts of all
 * providers that take part are opened, and those that cannot be used are skipped.
 */
int souk_plan_make_with(struct souk *souk, const struct souk_task_file *file,
			const struct souk_plan_options *options, struct souk_plan **plan_out,
			struct souk_error *err);
int souk_plan_make(struct souk *souk, const struct souk_task_file *file, struct souk_plan **plan_out,
		   struct souk_error *err);
void souk_plan_free(struct souk_plan *plan);

/* The candidates in the order in which they are tried. Sorted and made as far as somebody asks;
 * NULL past the end, on no memory, or if the prices turn out to be damaged there. */
size_t souk_plan_count(const struct souk_plan *plan);
const struct souk_offer_row *souk_plan_row(struct souk_plan *plan, size_t i);

/* The best candidates of each provider and of each alternative, in order: what a table shows. */
size_t souk_plan_best_count(const struct souk_plan *plan);
const struct souk_offer_row *souk_plan_best_row(const struct souk_plan *plan, size_t i);

/* Prices that cannot be right, and would have been candidates. */
size_t souk_plan_marked(const struct souk_plan *plan);

/* Why something is not the first. */
struct souk_plan_reason {
	const char *provider;	    /* of the example */
	const char *reason;	    /* a word for programs: "cooling", "marked_price" */
	const char *text;	    /* the same for people: "was sold out 3m ago" */
	size_t offers;		    /* how many offers; a type in a place in a market counts once */
	const struct souk_offer_row *example; /* the candidate, or the cheapest of the offers; NULL: none */
};

/* With 'explain': for each other provider, why its best candidate is not the first. */
size_t souk_plan_lost_count(const struct souk_plan *plan);
const struct souk_plan_reason *souk_plan_lost(const struct souk_plan *plan, size_t i);

/* With 'explain': what ruled out the offers that cost less an hour than the first candidate. */
size_t souk_plan_ruled_out_count(const struct souk_plan *plan);
const struct souk_plan_reason *souk_plan_ruled_out(const struct souk_plan *plan, size_t i);

/* ---- Quotes ---------------------------------------------------------------------------- */

/*
 * An itemised price with its evidence: a JSON document, described in docs/market.md, whose id is
 * the hash of all that it says. A kept one is never changed.
 */
struct souk_quote;
struct souk_quotes;

struct souk_quote_options {
	const char *optimize;	    /* as in struct souk_plan_options */
	uint32_t hours_milli;	    /* 0: one hour */
	uint64_t egress_mb;	    /* that will leave the machines for the internet besides the outputs */
	uint32_t limit;		    /* runners-up: the next so many; 0: the best of each provider */
	int all;		    /* 1: all runners-up, at most 10,000 */
	int live;		    /* 1: ask the chosen provider, too; this loads its module and takes network */
	int keep;		    /* 1: keep it, so that it can be shown and launched */
};

/*
 * Price the best plan for a file. Of several tasks, which hand their outputs on, all places are
 * chosen together. No account is opened and, without 'live', nothing is asked.
 */
int souk_quote_make(struct souk *souk, const struct souk_task_file *file,
		    const struct souk_quote_options *options, struct souk_quote **quote_out,
		    struct souk_error *err);
/* One that was kept. NOT_FOUND; INVALID if it is damaged. */
int souk_quote_load(struct souk *souk, const char *id, struct souk_quote **quote_out,
		    struct souk_error *err);
void souk_quote_free(struct souk_quote *quote);
const char *souk_quote_id(const struct souk_quote *quote);
/* The document, ended by a newline: the same bytes as long as it is kept. */
const char *souk_quote_json(const struct souk_quote *quote);
int souk_quote_remove(struct souk *souk, const char *id, struct souk_error *err);

/* The ids of those that are kept. */
int souk_quotes_list(struct souk *souk, struct souk_quotes **quotes_out, struct souk_error *err);
void souk_quotes_free(struct souk_quotes *quotes);
size_t souk_quotes_count(const struct souk_quotes *quotes);
const char *souk_quotes_id(const struct souk_quotes *quotes, size_t i);

/*
 * The plan that a quote was made for: its offer and no other. INVALID if the file's task is another
 * one; CONFLICT if the quote has expired, the price is another one, or the place is cooling; CAPACITY if the
 * offer is gone. The file has to outlive the plan.
 */
int souk_quote_plan(struct souk *souk, const struct souk_task_file *file, const char *id, int dryrun,
		    struct souk_plan **plan_out, struct souk_error *err);

/* ---- Launch and jobs --------------------------------------------------------------------- */

enum souk_event_kind {
	SOUK_EVENT_ATTEMPT,   /* a candidate is tried */
	SOUK_EVENT_FAILOVER,  /* it failed: 'text' says why and what comes next, in one line */
	SOUK_EVENT_PROGRESS,  /* a step has begun: "waiting for SSH" */
	SOUK_EVENT_DONE,      /* a step has ended */
	SOUK_EVENT_NOTE,      /* something worth knowing */
	SOUK_EVENT_ADVANCE    /* how far the step has come: "aws: 12 of 33 regions" */
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
	/* Where to put what was tried when no machine was to be had (else it stays as it is); NULL: nowhere */
	struct souk_launch_summary **summary_out;
	/* So many candidates are tried at once, and the first whose machines all run and answer is kept:
	 * 1 is one after the other, 0 as the configuration says, at most SOUK_RACE_MAX. Callbacks then come from
	 * several threads, one at a time. */
	uint32_t race;
	/* Where to put what became of each of them when one was kept (else it stays as it is); NULL: nowhere */
	struct souk_race **race_out;
};

/* More places at once than anybody should pay for. */
#define SOUK_RACE_MAX 16

/* A candidate of a race. */
struct souk_race_row {
	char *provider;
	char *region;
	char *zone;		    /* NULL: none, or the provider chose */
	char *instance_type;
	int spot;
	const char *outcome;	    /* "won", "lost", "failed" */
	const char *code;	    /* why it failed: "CAPACITY" ...; else NULL */
	char *message;		    /* likewise */
	int64_t price_micros;	    /* per hour, all nodes */
	int64_t cost_micros;	    /* about what its machines have cost by their end; -1: they run */
	char currency[4];
	int gone;		    /* 1: nothing of it is left, for certain */
};

struct souk_race {
	struct souk_race_row *rows; /* as they began */
	size_t n;
};
void souk_race_free(struct souk_race *race); /* NULL: nothing */

/* Candidates that failed alike: of one provider and market, by one reason, in one region; of a
 * refused quota or login, in any. */
struct souk_tried_row {
	const char *provider;
	const char *region;	    /* of the first of them */
	uint32_t regions;
	int spot;
	uint32_t count;		    /* candidates that were asked for */
	uint32_t skipped;	    /* those that were not, as they would have failed alike */
	const char *code;	    /* "CAPACITY", "QUOTA", "AUTH" ... */
	const char *scope;	    /* how far the first of them reached: "offer", "zone", "region", "provider" */
	const char *reason;	    /* the cloud's own word; NULL: it gave none */
	const char *message;	    /* of the first of them */
	const char *hint;	    /* NULL: none */
};

/* Something to do next, and what it would lead to. */
struct souk_advice_row {
	const char *kind;	    /* "place", "market", "accelerator", "retry", "quota", "credentials" */
	const char *text;	    /* for people, in one line */
	const char *flag;	    /* to add to the same launch; NULL: that is not how it is done */
	const char *provider;	    /* where the machine is; NULL: not known */
	const char *region;
	const char *zone;	    /* NULL: none, or the provider chooses */
	const char *instance_type;
	int spot;
	int64_t price_micros;	    /* per hour, all nodes; -1: not known */
	const char *currency;
};

/* Why a launch has got no machine. Freed with souk_launch_summary_free(). */
struct souk_launch_summary {
	struct souk_tried_row *tried; /* as they came */
	size_t n_tried;
	struct souk_advice_row *advice; /* the cheapest first */
	size_t n_advice;
	char **texts;		    /* all of the above are in */
	size_t n_texts;
};
void souk_launch_summary_free(struct souk_launch_summary *summary);

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
int souk_launch(struct souk *souk, const struct souk_task_file *file, struct souk_plan *plan,
		const struct souk_launch_options *options, struct souk_launch_result *result_out,
		struct souk_error *err);

/* A request that a launch may send, with names in capitals for what is not known before. */
struct souk_request_row {
	uint32_t candidate;	    /* for which, by its place in the plan, from 1 */
	const char *step;	    /* "open" "provision" "wait" "open-ports" "autostop" "stop" "start" "down"
				     * "settle" "sweep" */
	const char *scene;	    /* "new": all goes well; "found": something is left of an earlier launch;
				     * "bare": what is looked up is missing; "refused": sold out */
	const char *what;
	const char *method;
	const char *url;
	const char *body;	    /* NULL: none */
	const char *permission;	    /* what it needs, blanks between; NULL: nothing */
	int changes;		    /* 1: it creates, changes or destroys */
};

/* A provider of the candidates. */
struct souk_request_account {
	const char *provider;
	const char *policy;	    /* the smallest that has all permissions, in the cloud's form; NULL: none needed */
	const char *problem;	    /* why its requests are not, or not all, in the list; NULL: they are */
};

struct souk_requests {
	struct souk_request_row *rows; /* by candidate, in the order of sending; each once a step */
	size_t n;
	struct souk_request_account *accounts;
	size_t n_accounts;
	char **texts;
	size_t n_texts;
};

/*
 * Which requests would souk_launch() send for the first 'limit' candidates (0: all) of a plan, and
 * then to wait, stop, start, tear down and settle? None is sent. 'cluster' may be NULL.
 */
int souk_launch_requests(struct souk *souk, const struct souk_task_file *file, struct souk_plan *plan,
			 const char *cluster, size_t limit, struct souk_requests **requests_out,
			 struct souk_error *err);
void souk_requests_free(struct souk_requests *requests);

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

/* ---- Costs ---------------------------------------------------------------------------------- */

enum souk_cost_by {
	SOUK_COST_BY_CLUSTER,	    /* and by place, type and market within one */
	SOUK_COST_BY_PROVIDER,
	SOUK_COST_BY_REGION,
	SOUK_COST_BY_TYPE,
	SOUK_COST_BY_MARKET
};

struct souk_cost_query {
	const char *const *clusters; /* names or shell patterns */
	size_t n_clusters;	    /* 0: all, also those that are gone */
	int64_t since;		    /* seconds since the epoch; 0: since the first machine */
	int64_t until;		    /* 0: until now */
	enum souk_cost_by by;	    /* what the groups have in common */
};

/* A stretch of time in which a machine ran: from the store's record, of machines that are gone too. */
struct souk_cost_row {
	const char *cluster;
	int64_t rank;		    /* -1: it was no node, and was given back */
	const char *machine;	    /* the cloud's id */
	const char *provider;
	const char *region;
	const char *zone;	    /* NULL: not known */
	const char *instance_type;
	const char *accelerator;    /* NULL: none */
	uint32_t accelerator_milli;
	int spot;
	const char *state;	    /* "RUNNING", "STOPPED", "ENDED" */
	int64_t started_at;
	int64_t ended_at;	    /* 0: it runs */
	int64_t seconds;	    /* of it in the time asked about */
	int64_t micros_per_hour;    /* the machine's; -1: not known */
	int64_t disk_micros_per_hour; /* as quoted when it was asked for; -1: not known */
	int64_t address_micros_per_hour; /* likewise */
	const char *currency;
	const char *price_source;   /* "seed", "import", "live"; NULL: not known */
	const char *price_date;	    /* NULL: not known */
	int64_t cost_micros;	    /* of these seconds, all that is known; -1: the price is not */
};

/* What rows of one currency have in common: the members that are not NULL. */
struct souk_cost_group {
	const char *cluster;
	const char *provider;
	const char *region;
	const char *instance_type;
	const char *accelerator;
	uint32_t accelerator_milli;
	const char *market;	    /* "on-demand", "spot" */
	const char *state;	    /* RUNNING if a machine runs, else STOPPED if one could start again */
	size_t machines;
	size_t spells;
	int64_t first_at;	    /* when the first of them started */
	int64_t seconds;	    /* machine-seconds */
	int64_t unpriced_seconds;   /* of these, whose price is not known */
	int64_t cost_micros;
	const char *currency;
};

struct souk_cost;

/*
 * What the machines have cost that souk rented. No network. A store that does not exist yet is an
 * empty report.
 */
int souk_cost_find(struct souk *souk, const struct souk_cost_query *query, struct souk_cost **cost_out,
		   struct souk_error *err);
void souk_cost_free(struct souk_cost *cost);
/* Each is NULL past the last: rows by their beginning; groups; sums, one for each currency. */
const struct souk_cost_row *souk_cost_row(const struct souk_cost *cost, size_t i);
const struct souk_cost_group *souk_cost_group(const struct souk_cost *cost, size_t i);
const struct souk_cost_group *souk_cost_total(const struct souk_cost *cost, size_t i);
/* The names and patterns of the query that no machine's cluster has, whatever the time. */
const char *souk_cost_missing(const struct souk_cost *cost, size_t i);
/* Seconds since the epoch, as costs count them. */
int64_t souk_cost_now(void);

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

/* Make the folder 'dir' with the template of a module, under the name of the provider-to-be. */
int souk_provider_new(struct souk *souk, const char *name, const char *dir, struct souk_error *err);

/* ---- Conformance: does a module keep the promises of souk/provider.h? -------------------- */

/* souk_conformance_row.outcome */
enum { SOUK_CONFORMANCE_OK = 0, SOUK_CONFORMANCE_NOT_OK = 1, SOUK_CONFORMANCE_SKIP = 2 };

struct souk_conformance_row {
	const char *id;		/* "provision.again" */
	const char *what;	/* one line */
	int outcome;		/* SOUK_CONFORMANCE_... */
	const char *reason;	/* what was found, or why it was not tried; NULL if ok */
	const char *fix;	/* what to do about a fault; else NULL */
	int64_t took_ms;
};

struct souk_conformance {
	const char *provider;	/* the name of a module that is found */
	const char *only;	/* shell pattern of ids; NULL: all */
	const char *instance_type; /* rent only these; NULL: the cheapest */
	const char *region;
	uint32_t calls;		/* of the search for leaks; 0: 1,000 */
	uint32_t grace_ms;	/* how soon a cancelled call has to return; 0: 1,000 */
	int machines;		/* 1: also the tests that rent machines */
	int list_only;		/* 1: tell of the tests, make none; no module is needed */
	void (*on_row)(const struct souk_conformance_row *row, void *arg); /* may be NULL */
	void *arg;
};

struct souk_conformance_result {
	uint32_t passed;
	uint32_t failed;
	uint32_t skipped;
};

/*
 * Try a module, each test in a process of its own. State and cache are the run's own and go with
 * it; machines that a test has left are torn down at the end, also after souk_interrupt(). It
 * fails only if the tests could not be made; faults of the module are in the result.
 */
int souk_conformance_run(struct souk *souk, const struct souk_conformance *asked,
			 struct souk_conformance_result *result_out, struct souk_error *err);

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

/* ---- Doctor ----------------------------------------------------------------------------------- */

/* What to look at. Zeroed: every provider that takes part, or that the store knows machines of. */
struct souk_doctor_options {
	const char *const *names;   /* providers; n 0: see above */
	size_t n;
	const char *region;	    /* only there; NULL: everywhere */
	int others;		    /* 1: what belongs to others counts, and can be torn down */
	const struct souk_callbacks *callbacks; /* may be NULL */
};

/* How a finding stands: a word for programs. Machines and leftovers: "known" to the store; "settling",
 * of a request that is not settled; "missing", of which the store knows and the cloud does not;
 * "orphan", ours, and the store does not know it; "other", of another owner of souk's; "foreign",
 * another tool's; "unclear", as the store cannot be read. Checks: "ok", "note", "problem". */
struct souk_finding_row {
	const char *kind;	    /* "machine", "leftover", "check" */
	const char *standing;
	int counts;		    /* 1: something was found */
	int can_end;		    /* 1: souk_doctor_end() may be called for it */
	const char *provider;	    /* NULL: none */
	const char *region;
	const char *zone;
	const char *id;		    /* the cloud's; of a check its name: "store", "clock", "program" ... */
	const char *what;	    /* the machine's type, or the kind of leftover; NULL: unknown */
	const char *status;	    /* of a machine: "RUNNING" ...; NULL */
	const char *cluster;
	const char *owner;
	const char *tool;	    /* whose it is by its tags: "souk", "SkyPilot" ... */
	int spot;
	int64_t micros_per_hour;    /* -1: not known */
	const char *currency;
	int64_t created_at;	    /* 0: not known */
	const char *message;	    /* of a check, and of what could not be ended; NULL: none */
	const char *hint;	    /* NULL: none */
};

struct souk_doctor;
/*
 * Compare the store with what every account has, and look at the store, the folders, the clock, the
 * programs and the catalogues of this computer. Changes nothing. A provider that cannot be asked is
 * a finding, not a failure.
 */
int souk_doctor_look(struct souk *souk, const struct souk_doctor_options *options,
		     struct souk_doctor **doctor_out, struct souk_error *err);
void souk_doctor_free(struct souk_doctor *doctor);
size_t souk_doctor_count(const struct souk_doctor *doctor);
const struct souk_finding_row *souk_doctor_row(const struct souk_doctor *doctor, size_t i);
/*
 * End what finding i is, for good; returns when the provider has confirmed twice that it is gone.
 * CONFLICT if it has become known meanwhile, or is still in use.
 */
int souk_doctor_end(struct souk_doctor *doctor, size_t i, const struct souk_callbacks *callbacks,
		    struct souk_error *err);

#ifdef __cplusplus
}
#endif

#endif
