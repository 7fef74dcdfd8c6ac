/* SPDX-License-Identifier: Apache-2.0 */
/* launch-requests.c - souk launch --plan: the requests that a launch may send, and the policy they need */
#include "cli.h"

#include <string.h>

/* Values longer than this are told by their length. */
enum { SHOWN_BYTES = 100 };

static const struct {
	const char *name;
	const char *text;
} steps[] = {
	{ "open", "to log in" },
	{ "provision", "to make the machines" },
	{ "wait", "until they run, again and again; and to confirm that they are gone" },
	{ "open-ports", "to open ports" },
	{ "autostop", "for autostop, and at 'souk autostop'" },
	{ "stop", "at 'souk stop'" },
	{ "start", "at 'souk start'" },
	{ "down", "to end them: what was not wanted, and at 'souk down'" },
	{ "settle", "after a reply that was lost, and at 'souk status --refresh'" },
	{ "sweep", "when no machine is left" },
};

static const char *step_text(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(steps[i].name, name) == 0)
			return steps[i].text;
	return name;
}

static const char *scene_text(const char *name)
{
	if (strcmp(name, "found") == 0)
		return ", if an earlier launch has left something";
	if (strcmp(name, "bare") == 0)
		return ", if what is looked up is missing";
	return strcmp(name, "refused") == 0 ? ", if it is sold out" : "";
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Print a parameter of a form, decoded; a long one is cut. */
static void print_parameter(FILE *file, const char *text, size_t len)
{
	struct souk_buf line;
	size_t i;

	souk_buf_init(&line, 8192);
	for (i = 0; i < len && line.len < SHOWN_BYTES; i++) {
		char c = text[i];

		if (c == '%' && i + 2 < len && hex(text[i + 1]) >= 0 && hex(text[i + 2]) >= 0) {
			c = (char)(hex(text[i + 1]) * 16 + hex(text[i + 2]));
			i += 2;
		}
		souk_buf_add(&line, c ? &c : " ", 1);
	}
	fputs("        ", file);
	cli_text_print(file, line.data);
	if (i < len)
		fprintf(file, "... (%zu bytes)", len);
	fputc('\n', file);
	souk_buf_fini(&line);
}

/* A form is shown by its parameters; anything else line by line. */
static void print_body(FILE *file, const char *body)
{
	const char *ends = body[0] == '{' || body[0] == '[' || body[0] == '<' ? "\n" : "&\n";
	size_t len;

	while (*body) {
		len = strcspn(body, ends);
		if (len > 0)
			print_parameter(file, body, len);
		body += len;
		body += *body != '\0';
	}
}

static void print_candidate(FILE *file, struct souk_plan *plan, uint32_t candidate)
{
	const struct souk_offer_row *row = souk_plan_row(plan, candidate - 1);
	char infra[160], price[CLI_TEXT_SIZE];

	if (!row)
		return;
	fprintf(file, "%s%u. ", candidate > 1 ? "\n" : "", candidate);
	cli_text_print(file, cli_infra(row->provider, row->region, row->zone, infra, sizeof(infra)));
	fputs(" ", file);
	cli_text_print(file, row->instance_type);
	fprintf(file, "%s, %s/h%s\n", row->spot ? " (spot)" : "",
		cli_money_currency(row->total_micros_per_hour, row->currency, price),
		candidate > 1 ? ", if none before it is to be had" : "");
}

static void print_rows(FILE *file, struct souk_plan *plan, const struct souk_requests *requests)
{
	const struct souk_request_row *row, *before = NULL;
	size_t i;

	for (i = 0; i < requests->n; i++, before = row) {
		row = &requests->rows[i];
		if (!before || before->candidate != row->candidate) {
			print_candidate(file, plan, row->candidate);
			before = NULL;
		}
		if (!before || strcmp(before->step, row->step) != 0 || strcmp(before->scene, row->scene) != 0)
			fprintf(file, "  %s%s:\n", step_text(row->step), scene_text(row->scene));
		fprintf(file, "    %s ", row->method);
		cli_text_print(file, row->url);
		fputs(" (", file);
		cli_text_print(file, row->what);
		fputs(row->permission ? "; needs " : "", file);
		cli_text_print(file, row->permission ? row->permission : "");
		fputs(")\n", file);
		if (row->body)
			print_body(file, row->body);
	}
}

static int print_text(struct souk_plan *plan, const struct souk_requests *requests)
{
	const struct souk_request_account *account;
	size_t i;

	print_rows(stdout, plan, requests);
	for (i = 0; i < requests->n_accounts; i++) {
		account = &requests->accounts[i];
		if (account->policy)
			printf("\nThe policy that %s needs for these:\n%s", account->provider,
			       account->policy);
		if (account->problem)
			cli_warning("the requests of %s are not all in the list: %s", account->provider,
				    account->problem);
	}
	return cli_finish_output(0);
}

static int print_json(const struct souk_requests *requests, size_t total)
{
	struct json_object *list, *object;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	cli_json_int(&json, json.root, "total", (int64_t)total);
	list = cli_json_array(&json, json.root, "requests");
	for (i = 0; i < requests->n; i++) {
		const struct souk_request_row *row = &requests->rows[i];

		object = cli_json_object(&json, list, NULL);
		cli_json_int(&json, object, "candidate", row->candidate);
		cli_json_text(&json, object, "step", row->step);
		cli_json_text(&json, object, "scene", row->scene);
		cli_json_text(&json, object, "what", row->what);
		cli_json_text(&json, object, "method", row->method);
		cli_json_text(&json, object, "url", row->url);
		cli_json_text(&json, object, "body", row->body);
		cli_json_text(&json, object, "permission", row->permission);
		cli_json_bool(&json, object, "changes", row->changes);
	}
	list = cli_json_array(&json, json.root, "providers");
	for (i = 0; i < requests->n_accounts; i++) {
		object = cli_json_object(&json, list, NULL);
		cli_json_text(&json, object, "provider", requests->accounts[i].provider);
		cli_json_text(&json, object, "policy", requests->accounts[i].policy);
		cli_json_text(&json, object, "problem", requests->accounts[i].problem);
	}
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

int cli_launch_requests(struct cli *cli, const struct souk_task_file *file, struct souk_plan *plan,
			const char *cluster, size_t limit)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_requests *requests = NULL;
	size_t total = souk_plan_count(plan);
	int status;

	if (souk_launch_requests(cli->souk, file, plan, cluster, limit, &requests, &err) < 0)
		return cli_fail(&err);
	status = cli->common.json ? print_json(requests, total) : print_text(plan, requests);
	if (status == 0 && limit < total)
		cli_say("%zu more candidates ('--all' shows their requests too)", total - limit);
	souk_requests_free(requests);
	return status;
}
