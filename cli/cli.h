/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli/cli.h - what the files of the command share: commands, flags, messages, tables
 *
 * Names of the program begin with cli_, not souk_, so that none of them can take the place of
 * a symbol of libsouk at run time. Only the table of commands is named for what it is.
 */
#ifndef SOUK_CLI_H
#define SOUK_CLI_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sysexits.h>

#include <souk/souk.h>

#define CLI_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The exit status after a first SIGINT or SIGTERM, or a second one at once. */
#define CLI_EXIT_INTERRUPTED 130
/* The user answered no. */
#define CLI_EXIT_DECLINED 1

/* ---- Flags and commands ------------------------------------------------------------ */

/* Texts of a flag that may be repeated, ended by NULL; borrowed from argv, but for CLI_SECRETS. */
struct cli_list {
	const char **items;
	size_t n;
};

enum cli_flag_type {
	CLI_SWITCH, /* int: becomes 'value' */
	CLI_TEXT,   /* const char *: the last one given */
	CLI_NUMBER, /* uint32_t, at least 1 */
	CLI_LIST,   /* struct cli_list */
	CLI_SECRETS /* the same; the value behind "NAME=" is moved out of argv, so that ps has no sight of it */
};

/* A flag. 'offset' says where in the command's options its value goes. A table ends with an
 * entry whose name is NULL; parsing and help are made from it. */
struct cli_flag {
	const char *name;
	char letter;	 /* 0: none */
	const char *arg; /* what the help calls the value; NULL for a switch */
	enum cli_flag_type type;
	size_t offset;
	int value;
	int hidden;
	const char *help;
};

/* The flags that every command takes. */
struct cli_common {
	const char *providers;
	struct cli_list provider_path;
	struct cli_list set;
	int json;
	int yes;
	int verbose;
	int debug;
	int help;
	int version;
};

struct souk_cmd;

struct cli {
	const struct souk_cmd *cmd;
	struct cli_common common;
	struct cli_list providers; /* common.providers, cut at the commas */
	char *provider_text;	   /* what 'providers' points into */
	struct souk *souk;
};

struct souk_cmd {
	const char *name;
	const char *group;	 /* heading in 'souk --help'; NULL: not listed, no page */
	const char *summary;
	const char *const *usage; /* what stands behind the name, a line each, ended by NULL */
	const char *description; /* paragraphs for --help */
	const char *examples;	 /* lines for --help */
	const struct cli_flag *flags; /* NULL: none but the common ones */
	size_t options_size;
	int min_args;
	int max_args;		 /* -1: any number */
	int without_modules;	 /* 1: --providers may name those of which only prices are known */
	/* Returns the exit status. args: what is left after the flags, ended by NULL. */
	int (*run)(struct cli *cli, const void *options, int n_args, char **args);
};

extern const struct souk_cmd *const cli_commands[]; /* ended by NULL */
const struct souk_cmd *cli_command_find(const char *name);
/* Say that there is no such command, with the nearest one. Returns 64. */
int cli_command_unknown(const char *name);

extern const struct cli_flag cli_common_flags[];

/*
 * args.c: take the flags out of argv (argv[0] is skipped). *n_args_out and *args_out are what
 * remains, in argv itself. 'options' is zeroed storage of cmd->options_size. With 'cmd' NULL only the
 * common flags are known and parsing ends at the first word. 0, or an exit status after the
 * error was shown.
 */
int cli_args_parse(struct cli *cli, const struct souk_cmd *cmd, void *options, int argc,
		   char **argv, int *n_args_out, char ***args_out);
/* Free the lists inside an options struct, and wipe its secrets. */
void cli_args_fini(const struct cli_flag *flags, void *options);
/* Append to a list. 0, or -1 on no memory. */
int cli_list_add(struct cli_list *list, const char *text);

/* help.c */
void cli_help_main(FILE *file);
void cli_help_command(const struct souk_cmd *cmd, FILE *file);

/* ---- The context (context.c) -------------------------------------------------------- */

/* Make cli->souk from the common flags, and catch signals. 0, or an exit status. */
int cli_open(struct cli *cli);
void cli_close(struct cli *cli);
/* 1 after the first SIGINT or SIGTERM. */
int cli_interrupted(void);

/* ---- Messages on stderr (message.c); texts are made safe for a terminal -------------- */

void cli_error(const char *fmt, ...) SOUK_PRINTF(1, 2);
void cli_warning(const char *fmt, ...) SOUK_PRINTF(1, 2);
void cli_hint(const char *fmt, ...) SOUK_PRINTF(1, 2); /* silent if SOUK_NO_HINTS is set */
void cli_say(const char *fmt, ...) SOUK_PRINTF(1, 2);
/* The exit status for a library's error. */
int cli_status(const struct souk_error *err);
/* Show a library's error. Returns the exit status for it. */
int cli_fail(const struct souk_error *err);
/* Show a usage error of the command, or of souk if it is NULL. Returns 64. */
int cli_usage(const struct souk_cmd *cmd, const char *fmt, ...) SOUK_PRINTF(2, 3);
/* "error: out of memory". Returns the exit status. */
int cli_nomem(void);

/* Flush stdout. 'status', or 74 if the output could not be written. */
int cli_finish_output(int status);

/* ---- Questions (confirm.c) ------------------------------------------------------------ */

/*
 * Ask on the terminal; -y answers yes. 0: go on. Else the exit status: declined, interrupted,
 * or 64 where there is no terminal to ask on.
 */
int cli_confirm(const struct cli *cli, const char *fmt, ...) SOUK_PRINTF(2, 3);

/* ---- Text (text.c) -------------------------------------------------------------------- */

#define CLI_TEXT_SIZE 64

/* Decode one UTF-8 character of at least one byte; returns its length. What is not UTF-8
 * is U+FFFD of one byte. */
size_t cli_utf8_decode(const char *text, uint32_t *code_out);
/* Columns on a terminal, 0 to 2; -1 for what must not reach one (controls, bidi overrides). */
int cli_char_width(uint32_t code);
/* Append text with all that could move a cursor replaced; at most max_columns columns (0: no
 * limit). Returns the columns added. */
size_t cli_text_add_safe(struct souk_buf *buf, const char *text, size_t max_columns);
size_t cli_text_width(const char *safe);
/* Print text made safe. */
void cli_text_print(FILE *file, const char *text);

/* "12.34", "0.0034": exact, two to six decimals; "-" if negative. Returns text. */
const char *cli_money(int64_t micros, char text[CLI_TEXT_SIZE]);
/* "$12.34", or "12.34 EUR" in another currency. */
const char *cli_money_currency(int64_t micros, const char *currency, char text[CLI_TEXT_SIZE]);
/* An amount that was spent, to cents: "$0.42", "<$0.01". */
const char *cli_money_cents(int64_t micros, const char *currency, char text[CLI_TEXT_SIZE]);
/* Thousandths: "8", "0.5". */
const char *cli_milli(uint64_t milli, char text[CLI_TEXT_SIZE]);
/* MiB as GiB, at most three decimals: "16", "0.5". */
const char *cli_gib(uint64_t mib, char text[CLI_TEXT_SIZE]);
/* "45s", "12m", "3h 5m", "2d 4h" */
const char *cli_duration(int64_t seconds, char text[CLI_TEXT_SIZE]);
/* The same since 'when': "3h 5m ago"; "-" for 0. */
const char *cli_ago(int64_t when, char text[CLI_TEXT_SIZE]);
/* "2026-07-04T12:30:00Z" */
const char *cli_time(int64_t when, char text[CLI_TEXT_SIZE]);
/* "H100:8"; "-" for none. */
const char *cli_accelerator(const char *name, uint32_t milli, char text[CLI_TEXT_SIZE]);

/* Minutes: "90", or with a unit "90m", "2h", "1d", "1w". 0, or -1 after the usage error was shown. */
int cli_parse_minutes(const struct souk_cmd *cmd, const char *flag, const char *text,
		      int64_t *minutes_out);

/* ---- Tables (table.c) ------------------------------------------------------------------ */

enum cli_align { CLI_LEFT, CLI_RIGHT, CLI_DECIMAL /* right, padded with zeros to equal decimals */ };

struct cli_column {
	const char *title;
	enum cli_align align;
};

struct cli_table {
	const struct cli_column *columns;
	size_t n_columns;
	char **cells; /* row by row */
	size_t n_cells;
	size_t room;
	int failed;   /* no memory */
};

void cli_table_init(struct cli_table *table, const struct cli_column *columns, size_t n_columns);
void cli_table_fini(struct cli_table *table);
/* Add the next cell of the row; NULL and "" are shown as "-". A failure sticks. */
void cli_table_add(struct cli_table *table, const char *text);
void cli_table_printf(struct cli_table *table, const char *fmt, ...) SOUK_PRINTF(2, 3);
/* Print it. Colours only on a terminal. 0, or an exit status. */
int cli_table_print(const struct cli_table *table, FILE *file);

/* 1 if the cursor can be moved there: a terminal that is not dumb. */
int cli_terminal_moves(FILE *file);
/* 1 if colours are wanted there too: NO_COLOR is not set. */
int cli_terminal_colour(FILE *file);
/* Columns and rows of a terminal; 80 and 24 if not known. */
void cli_terminal_size(FILE *file, unsigned *columns_out, unsigned *rows_out);

/* ---- JSON (json.c) ----------------------------------------------------------------------- */

struct json_object;

/* A document being made. The first failure sticks and is reported when it is printed. */
struct cli_json {
	struct json_object *root;
	int failed;
};

void cli_json_init(struct cli_json *json);
void cli_json_fini(struct cli_json *json);
/* Print the document on stdout, with a newline. 0, or an exit status. */
int cli_json_print(struct cli_json *json);
/* New members of an object, or of an array with 'key' NULL. 'object' may be NULL after a failure. */
struct json_object *cli_json_object(struct cli_json *json, struct json_object *in, const char *key);
struct json_object *cli_json_array(struct cli_json *json, struct json_object *in, const char *key);
void cli_json_null(struct cli_json *json, struct json_object *in, const char *key);
void cli_json_text(struct cli_json *json, struct json_object *in, const char *key, const char *text);
void cli_json_int(struct cli_json *json, struct json_object *in, const char *key, int64_t value);
void cli_json_bool(struct cli_json *json, struct json_object *in, const char *key, int value);
/* A number whose text is given exactly. */
void cli_json_decimal(struct cli_json *json, struct json_object *in, const char *key, const char *text);
/* Millionths; null if negative. */
void cli_json_money(struct cli_json *json, struct json_object *in, const char *key, int64_t micros);
/* Thousandths. */
void cli_json_milli(struct cli_json *json, struct json_object *in, const char *key, uint64_t milli);
/* Seconds since the epoch as RFC 3339; null for 0. */
void cli_json_time(struct cli_json *json, struct json_object *in, const char *key, int64_t when);

/* The member "accelerators": { name: count }, or null for NULL. */
void cli_json_accelerators(struct cli_json *json, struct json_object *in, const char *name,
			   uint32_t milli);

/* Rows (json-rows.c), each added to an array or, with a key, to an object. */
void cli_json_candidate(struct cli_json *json, struct json_object *in, const char *key,
			const struct souk_offer_row *row);
void cli_json_cluster(struct cli_json *json, struct json_object *in, const char *key,
		      const struct souk_cluster_row *row);
void cli_json_job(struct cli_json *json, struct json_object *in, const struct souk_job_row *row);

/*
 * A document that is written as it is made (json-stream.c), for lists of thousands: lists stand in
 * the document, objects in lists, values in objects.
 */
struct cli_json_stream {
	FILE *file;
	int in_list;
	int in_object;
	size_t members; /* of what is open, so far */
	size_t lists;	/* of the document, while a list is open */
	size_t objects; /* of the list, while an object is open */
};

void cli_stream_json_begin(struct cli_json_stream *json, FILE *file);
int cli_stream_json_end(struct cli_json_stream *json); /* 0: an exit status */
void cli_stream_json_list(struct cli_json_stream *json, const char *key);
void cli_stream_json_list_end(struct cli_json_stream *json);
void cli_stream_json_object(struct cli_json_stream *json);
void cli_stream_json_object_end(struct cli_json_stream *json);
/* A number as text, exactly as it is given; null for NULL. */
void cli_stream_json_decimal(struct cli_json_stream *json, const char *key, const char *number);
void cli_stream_json_text(struct cli_json_stream *json, const char *key, const char *text);
void cli_stream_json_int(struct cli_json_stream *json, const char *key, int64_t value);
void cli_stream_json_bool(struct cli_json_stream *json, const char *key, int value);
/* Millionths; null if negative. */
void cli_stream_json_money(struct cli_json_stream *json, const char *key, int64_t micros);
void cli_stream_json_words(struct cli_json_stream *json, const char *key, const char *const *words,
			   size_t n);

/* ---- Progress and logs of jobs (progress.c) ------------------------------------------------ */

/* A long call: its events go to stderr, the log of its job to stdout (stderr with --json). */
struct cli_stream {
	struct souk_callbacks callbacks;
	int fd;		  /* where the log goes */
	int saw_output;
	int write_errno;  /* the log could not be written */
	char cluster[64]; /* of the last event */
};

void cli_stream_begin(struct cli_stream *stream, const struct cli *cli);
/* End the line that is being updated, if there is one. Always after begin, before messages. */
void cli_stream_end(struct cli_stream *stream, int succeeded);

/* ---- Shared by commands ---------------------------------------------------------------------- */

/* Send stdout through $PAGER while a table of so many lines is printed (pager.c). */
struct cli_pager {
	FILE *file; /* where to print */
	long pid;   /* 0: no pager, file is stdout */
};
void cli_pager_open(struct cli_pager *pager, size_t lines);
void cli_pager_close(struct cli_pager *pager);

/* Clusters by name and by shell pattern (names.c). */
struct cli_names {
	struct souk_clusters *clusters;
	const struct souk_cluster_row **rows;
	size_t n;
	int missing; /* 1: some were not found, which was said */
};
/* 0, or an exit status. With 'all' every cluster; n_args 0 is then expected. */
int cli_names_find(struct cli *cli, char **args, int n_args, int all, struct cli_names *names_out);
void cli_names_fini(struct cli_names *names);

/* Start, stop and down: ask once, call one after the other (names.c). */
struct cli_cluster_action {
	const char *verb;   /* "stop" */
	const char *done;   /* "stopped" */
	int show_price;	    /* the question names what it will cost */
	int (*call)(struct souk *souk, const char *cluster, const struct souk_callbacks *callbacks,
		    struct souk_error *err);
};
int cli_cluster_act(struct cli *cli, const struct cli_cluster_action *action, int all, int n_args,
		    char **args);

/* The flags of launch and exec that stand over a task file (task-flags.c). */
struct cli_task_options {
	const char *name;
	const char *workdir;
	struct cli_list env;
	const char *env_file;
	struct cli_list secret;
	const char *secret_file;
	const char *infra;
	const char *gpus;
	const char *cpus;
	const char *memory;
	const char *instance_type;
	const char *disk_size;
	const char *disk_tier;
	const char *image_id;
	const char *ports;
	const char *max_hourly_cost;
	uint32_t num_nodes;
	int use_spot;
};

#define CLI_TASK_FLAG(struct_, member, name_, letter_, type_, arg_, help_)                         \
	{ .name = name_, .letter = letter_, .arg = arg_, .type = type_,                            \
	  .offset = offsetof(struct_, task.member), .help = help_ }

/* What exec takes; a struct with a member 'task' is expected. */
#define CLI_TASK_FLAGS_COMMON(s)                                                                   \
	CLI_TASK_FLAG(s, name, "name", 'n', CLI_TEXT, "NAME", "name of the job"),                  \
	CLI_TASK_FLAG(s, workdir, "workdir", 0, CLI_TEXT, "DIR", "folder to copy to the nodes"),   \
	CLI_TASK_FLAG(s, env, "env", 0, CLI_LIST, "NAME=VALUE",                                    \
		      "set a variable; NAME alone copies ours"),                       \
	CLI_TASK_FLAG(s, env_file, "env-file", 0, CLI_TEXT, "FILE",                                \
		      "read variables from lines NAME=VALUE"),                                     \
	CLI_TASK_FLAG(s, secret, "secret", 0, CLI_SECRETS, "NAME=VALUE",                              \
		      "the same for a value that is shown nowhere"),                               \
	CLI_TASK_FLAG(s, secret_file, "secret-file", 0, CLI_TEXT, "FILE",                          \
		      "read secrets from lines NAME=VALUE"),                                       \
	CLI_TASK_FLAG(s, gpus, "gpus", 0, CLI_TEXT, "NAME[:N]", "accelerators of one node"),       \
	CLI_TASK_FLAG(s, cpus, "cpus", 0, CLI_TEXT, "N[+]", "vCPUs of one node"),                  \
	CLI_TASK_FLAG(s, memory, "memory", 0, CLI_TEXT, "GIB[+]", "memory of one node"),           \
	CLI_TASK_FLAG(s, num_nodes, "num-nodes", 0, CLI_NUMBER, "N", "number of nodes")

/*
 * Load the task that 'args' name: a file, or the words of a command. Shows its diagnostics.
 * 0, or an exit status; *file_out is set with 0 only.
 */
int cli_task_load(struct cli *cli, const struct cli_task_options *options, int n_args, char **args,
		  struct souk_task_file **file_out);
/* The same, but of any number of tasks: for what plans only. */
int cli_task_load_all(struct cli *cli, const struct cli_task_options *options, int n_args, char **args,
		      struct souk_task_file **file_out);
/* One line for each diagnostic. Returns how many are errors. */
size_t cli_task_show_diagnostics(const struct souk_task_file *file, const char *name);
/* Is this word a task file by its name (.yaml, .yml)? */
int cli_task_is_file_name(const char *word);

/* The exit status for a job that has ended (job.c): its own. */
int cli_job_exit_status(const struct souk_launch_result *result);
/* After a launch, exec or logs: messages, JSON, the exit status. 'ret' and 'err' are the library's. */
struct cli_job_report {
	struct cli *cli;
	const struct cli_stream *stream;
	const struct souk_launch_result *result;
	const struct souk_error *err;
	int ret;
	int detached;
	int torn_down;			      /* no hints for a cluster that is gone */
	int hints;
	const struct souk_offer_row *candidate; /* NULL: none */
	int placement;			      /* 1: the JSON says where it runs */
	const struct souk_launch_summary *summary; /* of a launch that got no machine; NULL: none */
	const struct souk_race *race;	      /* of one that has raced for it; NULL: none */
};
/* The requests that a launch may send for the first 'limit' candidates (launch-requests.c). An exit status. */
int cli_launch_requests(struct cli *cli, const struct souk_task_file *file, struct souk_plan *plan,
			const char *cluster, size_t limit);
/* What was tried, as a table on stderr, and what to do next, but for the hint that was 'said' already. */
int cli_launch_summary_print(const struct souk_launch_summary *summary);
void cli_launch_summary_hints(const struct souk_launch_summary *summary, const char *said);
/* Both, as the member "failure" of a document. */
void cli_launch_summary_json(struct cli_json *json, const struct souk_launch_summary *summary,
			     const struct souk_error *err);
int cli_job_finish(const struct cli_job_report *report);

/* What 'souk offers' prints (offers-print.c). Each returns an exit status. */
int cli_offers_table(struct souk_offers *offers);
int cli_offers_accelerators(const struct souk_offers *offers);
int cli_offers_json(struct souk_offers *offers);
int cli_offers_csv(struct souk_offers *offers);
/* The words for SOUK_PRICE_..., for JSON and CSV; returns how many. */
#define CLI_MARKS 5
size_t cli_marks(uint32_t marks, const char *words[CLI_MARKS]);
int cli_evidence_table(const struct souk_evidence_list *list);
int cli_evidence_json(const struct souk_evidence_list *list);

/* The table of candidates (plan-table.c): with limit 0 the best of each provider, else the first. */
int cli_plan_print(struct souk_plan *plan, size_t limit, FILE *file);
const struct souk_offer_row *cli_plan_chosen(const struct souk_plan *plan);
/* Why the others lost (plan-explain.c). */
void cli_plan_print_reasons(const struct souk_plan *plan, FILE *file);
/* The same as a JSON document (plan-json.c); plan NULL: the cluster exists. */
int cli_plan_print_json(const char *cluster, struct souk_plan *plan, size_t limit, int explain);

/* A quote for people (quote-table.c); 'head': with its id and how long it is valid. */
int cli_quote_print(const struct souk_quote *quote, int head, FILE *file);
int cli_quote_list_add(struct cli_table *table, const struct souk_quote *quote);
int cli_quote_list_json(struct cli_json *json, struct json_object *in, const struct souk_quote *quote);

/* Add the location of an offer: "aws/us-east-1/us-east-1a". Returns text. */
const char *cli_infra(const char *provider, const char *region, const char *zone, char *text,
		      size_t size);

#endif
