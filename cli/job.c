/* SPDX-License-Identifier: Apache-2.0 */
/* job.c - how a job ended: its exit status, what to say, what to do next */
#include "cli.h"

#include <json-c/json.h>
#include <signal.h>
#include <string.h>

int cli_job_exit_status(const struct souk_launch_result *result)
{
	if (result->job == 0 || result->status == SOUK_JOB_SUCCEEDED)
		return 0;
	if (!souk_job_status_is_final(result->status))
		return EX_TEMPFAIL;
	if (result->exit_status > 0 && result->exit_status < 256)
		return result->exit_status;
	return result->status == SOUK_JOB_CANCELLED ? 128 + SIGTERM : 1;
}

/* The cluster as it stands now; null once it is gone. */
static void add_placement(struct cli_json *json, struct souk *souk, const char *cluster)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_clusters *clusters = NULL;

	if (*cluster && souk_cluster_exists(souk, cluster) == 1 &&
	    souk_status(souk, &cluster, 1, 0, &clusters, &err) == SOUK_OK &&
	    souk_clusters_count(clusters) > 0)
		cli_json_cluster(json, json->root, "placement", souk_clusters_row(clusters, 0));
	else
		cli_json_null(json, json->root, "placement");
	souk_clusters_free(clusters);
}

static void add_race(struct cli_json *json, const struct souk_race *race)
{
	struct json_object *rows = cli_json_array(json, json->root, "race"), *row;
	size_t i;

	for (i = 0; i < race->n; i++) {
		const struct souk_race_row *r = &race->rows[i];

		row = cli_json_object(json, rows, NULL);
		cli_json_text(json, row, "outcome", r->outcome);
		cli_json_text(json, row, "provider", r->provider);
		cli_json_text(json, row, "region", r->region);
		cli_json_text(json, row, "zone", r->zone);
		cli_json_text(json, row, "instance_type", r->instance_type);
		cli_json_bool(json, row, "spot", r->spot);
		cli_json_money(json, row, "price_per_hour", r->price_micros);
		cli_json_money(json, row, "cost", r->cost_micros);
		cli_json_text(json, row, "currency", r->currency);
		cli_json_text(json, row, "code", r->code);
		cli_json_text(json, row, "message", r->message);
		cli_json_bool(json, row, "gone", r->gone);
	}
}

static int print_json(const struct cli_job_report *report)
{
	const struct souk_launch_result *result = report->result;
	struct cli_json json;
	int status;

	cli_json_init(&json);
	cli_json_text(&json, json.root, "cluster", result->cluster);
	if (result->job) {
		cli_json_int(&json, json.root, "job", result->job);
		cli_json_text(&json, json.root, "status", souk_job_status_name(result->status));
	} else {
		cli_json_null(&json, json.root, "job");
		cli_json_null(&json, json.root, "status");
	}
	if (result->job && souk_job_status_is_final(result->status))
		cli_json_int(&json, json.root, "exit_status", cli_job_exit_status(result));
	else
		cli_json_null(&json, json.root, "exit_status");
	if (report->candidate)
		cli_json_candidate(&json, json.root, "candidate", report->candidate);
	else if (report->placement)
		cli_json_null(&json, json.root, "candidate");
	if (report->placement)
		add_placement(&json, report->cli->souk, result->cluster);
	if (report->summary)
		cli_launch_summary_json(&json, report->summary, report->err);
	if (report->race)
		add_race(&json, report->race);
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

static void show_hints(const struct cli_job_report *report)
{
	const struct souk_launch_result *result = report->result;
	const char *name = result->cluster;

	if (!report->hints || !*name || report->torn_down)
		return;
	if (result->job && report->detached)
		cli_hint("'souk logs %s %u' follows the job", name, result->job);
	else if (result->job)
		cli_hint("'souk logs %s %u' shows the log again", name, result->job);
	cli_hint("'souk ssh %s' logs in", name);
	cli_hint("'souk down %s' ends it", name);
}

/* No machine was to be had, if there is a summary. Before the error comes what it sums up. */
static int finish_without_machine(const struct cli_job_report *report)
{
	int status;

	cli_launch_summary_print(report->summary);
	status = cli_fail(report->err);
	cli_launch_summary_hints(report->summary, report->err->hint);
	if (report->summary && report->cli->common.json)
		print_json(report);
	return status;
}

/* The call failed, was interrupted, or its log could not be written. */
static int finish_failed(const struct cli_job_report *report)
{
	const struct souk_launch_result *result = report->result;
	const char *name = result->cluster[0] ? result->cluster : report->stream->cluster;

	if (report->ret != SOUK_E_CANCELLED && !report->stream->write_errno)
		return finish_without_machine(report);
	if (report->stream->write_errno)
		cli_error("cannot write the log: %s", strerror(report->stream->write_errno));
	if (result->job || report->stream->saw_output) {
		cli_say("%s: no longer following; the job goes on", name);
		cli_hint("'souk logs %s' follows it again, 'souk cancel %s -a' ends it", name, name);
	} else {
		cli_say("interrupted before the job was submitted");
		if (*name)
			cli_hint("'souk status --refresh' shows what there is, 'souk down %s' ends it",
				 name);
		else
			cli_hint("'souk status --refresh' shows what there is");
	}
	return report->stream->write_errno ? EX_IOERR : CLI_EXIT_INTERRUPTED;
}

int cli_job_finish(const struct cli_job_report *report)
{
	const struct souk_launch_result *result = report->result;
	int status, json_status = 0;

	if (report->ret != SOUK_OK || report->stream->write_errno)
		return finish_failed(report);
	if (result->job == 0) {
		cli_say("%s: nothing to run", result->cluster);
		status = 0;
	} else if (report->detached || !souk_job_status_is_final(result->status)) {
		cli_say("%s: job %u is %s", result->cluster, result->job,
			souk_job_status_name(result->status));
		status = 0;
	} else {
		status = cli_job_exit_status(result);
		if (result->status == SOUK_JOB_SUCCEEDED)
			cli_say("%s: job %u SUCCEEDED", result->cluster, result->job);
		else
			cli_say("%s: job %u %s (exit status %d)", result->cluster, result->job,
				souk_job_status_name(result->status), status);
	}
	show_hints(report);
	if (report->cli->common.json)
		json_status = print_json(report);
	return json_status ? json_status : status;
}
