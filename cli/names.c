/* SPDX-License-Identifier: Apache-2.0 */
/* names.c - clusters by name and shell pattern, and what is done to one after the other */
#include "cli.h"

#include <fnmatch.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

static int is_pattern(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

static int has_row(const struct cli_names *names, const struct souk_cluster_row *row)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		if (names->rows[i] == row)
			return 1;
	return 0;
}

/* Take the clusters that 'pattern' names. Returns how many it names. */
static size_t take_matches(struct cli_names *names, const char *pattern)
{
	size_t i, n = 0;

	for (i = 0; i < souk_clusters_count(names->clusters); i++) {
		const struct souk_cluster_row *row = souk_clusters_row(names->clusters, i);

		if (pattern && strcmp(pattern, row->name) != 0 &&
		    fnmatch(pattern, row->name, FNM_PERIOD) != 0)
			continue;
		n++;
		if (!has_row(names, row))
			names->rows[names->n++] = row;
	}
	return n;
}

static void say_missing(const struct cli_names *names, const char *pattern)
{
	size_t n = souk_clusters_count(names->clusters), i;
	const char **known = calloc(n + 1, sizeof(*known));
	const char *nearest = NULL;

	if (is_pattern(pattern)) {
		cli_error("no cluster matches '%.60s'", pattern);
	} else {
		cli_error("no such cluster: '%.60s'", pattern);
		for (i = 0; known && i < n; i++)
			known[i] = souk_clusters_row(names->clusters, i)->name;
		nearest = known ? souk_nearest_name(pattern, known, n) : NULL;
	}
	if (nearest)
		cli_hint("did you mean '%s'?", nearest);
	else
		cli_hint("'souk status' lists the clusters");
	free(known);
}

int cli_names_find(struct cli *cli, char **args, int n_args, int all, struct cli_names *names_out)
{
	struct souk_error err = SOUK_ERROR_INIT;
	int i;

	memset(names_out, 0, sizeof(*names_out));
	if (souk_status(cli->souk, NULL, 0, 0, &names_out->clusters, &err) < 0)
		return cli_fail(&err);
	names_out->rows = calloc(souk_clusters_count(names_out->clusters) + 1,
				 sizeof(const struct souk_cluster_row *));
	if (!names_out->rows) {
		cli_names_fini(names_out);
		return cli_nomem();
	}
	if (all)
		take_matches(names_out, NULL);
	for (i = 0; i < n_args; i++) {
		if (take_matches(names_out, args[i]) == 0) {
			say_missing(names_out, args[i]);
			names_out->missing = 1;
		}
	}
	return 0;
}

void cli_names_fini(struct cli_names *names)
{
	souk_clusters_free(names->clusters);
	free(names->rows);
	memset(names, 0, sizeof(*names));
}

/* ---- Start, stop, down -------------------------------------------------------------------- */

/* "stop 't' (aws/us-east-1, 2 x p4d.24xlarge)?" or "stop 5 clusters: a, b, c?" */
static int ask(const struct cli *cli, const struct cli_cluster_action *action,
	       const struct cli_names *names)
{
	char list[320] = "", infra[128], price[CLI_TEXT_SIZE], cost[96] = "";
	int64_t micros = 0;
	size_t i, len = 0;

	for (i = 0; i < names->n; i++) {
		int n = snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
				 names->rows[i]->name);

		if (n > 0 && (size_t)n < sizeof(list) - len)
			len += (size_t)n;
		micros += names->rows[i]->micros_per_hour > 0 ? names->rows[i]->micros_per_hour : 0;
	}
	if (action->show_price && names->n > 0)
		snprintf(cost, sizeof(cost), " for %s/h",
			 cli_money_currency(micros, names->rows[0]->currency, price));
	if (names->n == 1)
		return cli_confirm(cli, "%s cluster '%s' (%s, %u x %s)%s?", action->verb,
				   names->rows[0]->name,
				   cli_infra(names->rows[0]->provider, names->rows[0]->region,
					     names->rows[0]->zone, infra, sizeof(infra)),
				   names->rows[0]->num_nodes, names->rows[0]->instance_type, cost);
	return cli_confirm(cli, "%s %zu clusters (%s)%s?", action->verb, names->n, list, cost);
}

/* One cluster. Returns an exit status; adds its row to the JSON. */
static int act_on_one(struct cli *cli, const struct cli_cluster_action *action, const char *name,
		      struct cli_json *json, struct json_object *rows)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct json_object *row = cli_json_object(json, rows, NULL);
	struct cli_stream stream;
	int ret, status = 0;

	cli_stream_begin(&stream, cli);
	ret = action->call(cli->souk, name, &stream.callbacks, &err);
	cli_stream_end(&stream, ret == SOUK_OK);
	if (ret == SOUK_OK)
		cli_say("%s: %s", name, action->done);
	else
		status = cli_fail(&err);
	cli_json_text(json, row, "name", name);
	cli_json_text(json, row, "result", ret == SOUK_OK ? action->done : "failed");
	cli_json_text(json, row, "message", ret == SOUK_OK ? NULL : err.message);
	return status;
}

static int act_on_all(struct cli *cli, const struct cli_cluster_action *action,
		      const struct cli_names *names)
{
	struct cli_json json;
	struct json_object *rows;
	int status = names->missing ? EX_UNAVAILABLE : 0, one;
	size_t i;

	cli_json_init(&json);
	rows = cli_json_array(&json, json.root, "clusters");
	for (i = 0; i < names->n && !cli_interrupted(); i++) {
		one = act_on_one(cli, action, names->rows[i]->name, &json, rows);
		if (one && (status == 0 || one == CLI_EXIT_INTERRUPTED))
			status = one;
	}
	if (i < names->n) {
		cli_error("interrupted: %zu of %zu clusters were not looked at", names->n - i,
			  names->n);
		status = CLI_EXIT_INTERRUPTED;
	}
	if (cli->common.json && (one = cli_json_print(&json)) != 0)
		status = one;
	cli_json_fini(&json);
	return status;
}

int cli_cluster_act(struct cli *cli, const struct cli_cluster_action *action, int all, int n_args,
		    char **args)
{
	struct cli_names names;
	int status;

	if (all && n_args > 0)
		return cli_usage(cli->cmd, "souk %s: either names or --all, not both",
				 cli->cmd->name);
	if (!all && n_args == 0)
		return cli_usage(cli->cmd, "souk %s: which cluster? give names, or --all",
				 cli->cmd->name);
	status = cli_open(cli);
	if (status)
		return status;
	status = cli_names_find(cli, args, n_args, all, &names);
	if (status)
		return status;
	if (names.n == 0 && !names.missing)
		cli_say("no clusters");
	if (names.n > 0)
		status = ask(cli, action, &names);
	if (status == 0)
		status = act_on_all(cli, action, &names);
	cli_names_fini(&names);
	return status;
}
