/* SPDX-License-Identifier: Apache-2.0 */
/* task.c - task files: their documents, as one task, a pipeline or a group */
#include "model/task.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"
#include "model/task-internal.h"

#define MAX_TASKS 1000u

static const struct souk_mark start_of_file = { 1, 1 };
static const struct souk_mark nowhere = { 0, 0 };

/* Read, check and expand one task. 'map' NULL: one that the caller filled in. */
static int finish_task(struct souk_task_parser *p, const struct souk_yaml *map)
{
	int ret = SOUK_OK;

	if (map)
		ret = souk_task_read(p, map);
	if (ret == SOUK_OK && p->task->n_requests == 0)
		ret = souk_task_default_request(p);
	if (ret == SOUK_OK && p->overrides)
		ret = souk_task_apply_overrides(p);
	if (ret == SOUK_OK)
		ret = souk_task_validate(p);
	return ret;
}

static int is_text(const struct souk_yaml *node, const char *text)
{
	return node && node->type == SOUK_YAML_STR && strcmp(node->text, text) == 0;
}

static int is_group(const struct souk_yaml_stream *stream)
{
	return stream->n >= 2 &&
	       is_text(souk_yaml_get(stream->documents[0], "execution"), "parallel");
}

/* Exactly {name}, or {name, execution}. */
static int is_header(const struct souk_yaml *document)
{
	if (document->type != SOUK_YAML_MAP || !souk_yaml_get(document, "name"))
		return 0;
	return document->n == 1 || (document->n == 2 && souk_yaml_get(document, "execution"));
}

static int set_dag_name(struct souk_task_parser *p, struct souk_dag *dag,
			const struct souk_yaml *header)
{
	const struct souk_yaml *name = souk_yaml_get(header, "name");
	struct souk_error why = SOUK_ERROR_INIT;

	if (!name || name->type != SOUK_YAML_STR) {
		souk_task_bad(p, name ? name->mark : header->mark,
			      "name: the header of several tasks needs a name, a string");
		return SOUK_OK;
	}
	if (souk_name_check("name", name->text, 255, &why) < 0)
		souk_task_bad(p, name->mark, "%s", why.message);
	return souk_task_set(p, &dag->name, name->text);
}

static int read_header(struct souk_task_parser *p, struct souk_dag *dag,
		       const struct souk_yaml *header, size_t documents)
{
	const struct souk_yaml *execution = souk_yaml_get(header, "execution");

	dag->has_header = 1;
	dag->execution = SOUK_EXECUTION_SERIAL;
	if (execution && is_text(execution, "parallel") && documents < 2)
		souk_task_bad(p, execution->mark,
			      "execution: 'parallel' needs the tasks as further documents");
	else if (execution && execution->type != SOUK_YAML_NULL && !is_text(execution, "serial"))
		souk_task_bad(p, execution->mark,
			      "execution: must be 'serial' or 'parallel', not %s%.60s",
			      execution->text ? "" : souk_yaml_type_name(execution),
			      execution->text ? execution->text : "");
	return set_dag_name(p, dag, header);
}

/* Seconds, or a number with s, m, h, d or w in either case. */
static int is_delay(const struct souk_yaml *node)
{
	size_t digits;

	if (node->type == SOUK_YAML_INT)
		return node->integer >= 0;
	if (node->type != SOUK_YAML_STR)
		return 0;
	digits = strspn(node->text, "0123456789");
	return digits > 0 && (!node->text[digits] || (strchr("smhdwSMHDW", node->text[digits]) &&
						      !node->text[digits + 1]));
}

static int has_task(const struct souk_dag *dag, const char *name)
{
	size_t i;

	for (i = 0; i < dag->n_tasks; i++) {
		if (souk_streq(dag->tasks[i].name, name))
			return 1;
	}
	return 0;
}

static void check_delay(struct souk_task_parser *p, const struct souk_dag *dag,
			const struct souk_yaml *delay)
{
	size_t i;

	if (!delay || delay->type == SOUK_YAML_NULL)
		return;
	if (delay->type != SOUK_YAML_MAP) {
		if (!is_delay(delay))
			souk_task_bad(
				p, delay->mark,
				"termination_delay: must be seconds, or a text such as 5m, 1h");
		return;
	}
	for (i = 0; i < delay->n; i++) {
		const struct souk_yaml *key = delay->entries[i].key;

		if (strcmp(key->text, "default") != 0 && !has_task(dag, key->text))
			souk_task_bad(p, key->mark, "termination_delay: there is no task '%.60s'",
				      key->text);
		if (!is_delay(delay->entries[i].value))
			souk_task_bad(p, delay->entries[i].value->mark,
				      "termination_delay.%.60s: must be seconds, or a text such as "
				      "5m, 1h",
				      key->text);
	}
}

static int read_primary_tasks(struct souk_task_parser *p, struct souk_dag *dag,
			      const struct souk_yaml *list)
{
	size_t i;

	if (!list || list->type == SOUK_YAML_NULL)
		return SOUK_OK;
	if (list->type != SOUK_YAML_LIST || list->n > MAX_TASKS) {
		souk_task_bad(p, list->mark, "primary_tasks: must be a list of names of tasks");
		return SOUK_OK;
	}
	for (i = 0; i < list->n; i++) {
		const struct souk_yaml *item = list->items[i];

		if (item->type != SOUK_YAML_STR || !has_task(dag, item->text)) {
			souk_task_bad(p, item->mark, "primary_tasks[%zu]: there is no task '%.60s'",
				      i, item->text ? item->text : "");
			continue;
		}
		if (souk_strv_add(&dag->primary_tasks, item->text, p->err) < 0)
			return SOUK_E_NOMEM;
	}
	return SOUK_OK;
}

/* In a group every task has a name of its own, fit for a host name. */
static void check_group_names(struct souk_task_parser *p, const struct souk_dag *dag)
{
	size_t i, j;

	for (i = 0; i < dag->n_tasks; i++) {
		const struct souk_task *task = &dag->tasks[i];
		const char *c = task->name ? task->name : "";

		while (isalnum((unsigned char)*c) || *c == '_' || *c == '-')
			c++;
		if (!task->name || !task->name[0] || *c)
			souk_task_bad(p, task->mark,
				      "name: a task of a group needs a name of letters, digits, "
				      "'_' and '-'%s%.60s",
				      task->name ? ", not " : "", task->name ? task->name : "");
		for (j = 0; j < i && task->name; j++) {
			if (souk_streq(dag->tasks[j].name, task->name))
				souk_task_bad(p, task->mark, "name: there are two tasks '%.60s'",
					      task->name);
		}
	}
}

static int read_group_header(struct souk_task_parser *p, struct souk_dag *dag,
			     const struct souk_yaml *header)
{
	static const char *const known[] = { "name", "execution", "primary_tasks",
					     "termination_delay" };
	size_t i, j;
	int ret;

	dag->has_header = 1;
	dag->execution = SOUK_EXECUTION_PARALLEL;
	for (i = 0; i < header->n; i++) {
		const struct souk_yaml *key = header->entries[i].key;

		for (j = 0; j < SOUK_ARRAY_SIZE(known) && strcmp(known[j], key->text) != 0; j++)
			;
		if (j == SOUK_ARRAY_SIZE(known))
			souk_report_add(p->report, key->mark, 1,
					"'%.60s' has no effect in the header of a group",
					key->text);
	}
	check_group_names(p, dag);
	check_delay(p, dag, souk_yaml_get(header, "termination_delay"));
	ret = read_primary_tasks(p, dag, souk_yaml_get(header, "primary_tasks"));
	return ret < 0 ? ret : set_dag_name(p, dag, header);
}

/* Several tasks: variables apply to all, the rest would be ambiguous. */
static void limit_overrides(struct souk_task_parser *p, struct souk_overrides *limited)
{
	const struct souk_overrides *o = p->overrides;

	if (o->workdir || o->infra || o->accelerators || o->cpus || o->memory || o->instance_type ||
	    o->disk_size || o->disk_tier || o->image_id || o->ports || o->max_hourly_cost ||
	    o->num_nodes || o->use_spot)
		souk_report_add(
			p->report, nowhere, 1,
			"the file has several tasks: flags other than --env, --secret and --name "
			"are ignored");
	*limited = (struct souk_overrides){ .env = o->env, .env_file = o->env_file,
					    .secret = o->secret, .secret_file = o->secret_file };
	p->overrides = limited;
}

static int read_tasks(struct souk_task_parser *p, struct souk_dag *dag,
		      const struct souk_yaml_stream *stream, size_t first)
{
	size_t i;
	int ret;

	if (stream->n - first > MAX_TASKS) {
		souk_task_bad(p, stream->documents[first + MAX_TASKS]->mark,
			      "too many tasks: over %u", MAX_TASKS);
		return SOUK_OK;
	}
	for (i = first; i < stream->n; i++) {
		ret = souk_task_grow(p, &dag->tasks, dag->n_tasks, sizeof(*dag->tasks));
		if (ret < 0)
			return ret;
		p->task = &dag->tasks[dag->n_tasks++];
		ret = finish_task(p, stream->documents[i]);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

/* A header without tasks is one task that does nothing. */
static int add_empty_task(struct souk_task_parser *p, struct souk_dag *dag)
{
	int ret;

	ret = souk_task_grow(p, &dag->tasks, 0, sizeof(*dag->tasks));
	if (ret < 0)
		return ret;
	dag->n_tasks = 1;
	p->task = &dag->tasks[0];
	p->task->mark = start_of_file;
	p->task->num_nodes = 1;
	if (dag->name) {
		ret = souk_task_set(p, &p->task->name, dag->name);
		if (ret < 0)
			return ret;
	}
	ret = souk_task_read_envs(p, NULL);
	return ret < 0 ? ret : finish_task(p, NULL);
}

static int read_documents(struct souk_task_parser *p, struct souk_dag *dag,
			  const struct souk_yaml_stream *stream)
{
	const struct souk_overrides *overrides = p->overrides;
	struct souk_overrides limited;
	int group = is_group(stream), ret = SOUK_OK;
	size_t first;

	if (stream->n == 0) {
		souk_task_bad(p, start_of_file, "the file is empty; a task needs at least 'run'");
		return SOUK_OK;
	}
	first = group || is_header(stream->documents[0]);
	if (overrides && stream->n - first > 1)
		limit_overrides(p, &limited);
	if (first && !group)
		ret = read_header(p, dag, stream->documents[0], stream->n);
	if (ret == SOUK_OK)
		ret = first == stream->n ? add_empty_task(p, dag)
					 : read_tasks(p, dag, stream, first);
	if (ret == SOUK_OK && group)
		ret = read_group_header(p, dag, stream->documents[0]);
	if (ret == SOUK_OK && overrides && overrides->name && (dag->has_header || dag->n_tasks > 1))
		ret = souk_task_set(p, &dag->name, overrides->name);
	p->overrides = overrides;
	return ret;
}

/* Give out the dag, or what is wrong with the file. */
static int conclude(struct souk_task_parser *p, int ret, struct souk_dag *dag,
		    struct souk_dag **dag_out)
{
	souk_report_sort(p->report);
	if (ret == SOUK_OK)
		ret = souk_report_error(p->report, p->err);
	if (ret < 0) {
		souk_dag_free(dag);
		return ret;
	}
	*dag_out = dag;
	return SOUK_OK;
}

static int name_report(struct souk_report *report, const char *file, struct souk_error *err)
{
	if (report->file)
		return SOUK_OK;
	return souk_strset(&report->file, file) < 0 ? souk_error_nomem(err) : SOUK_OK;
}

int souk_dag_parse(const char *text, size_t size, const char *folder,
		   const struct souk_overrides *overrides, const struct souk_task_context *context,
		   struct souk_dag **dag_out, struct souk_report *report, struct souk_error *err)
{
	struct souk_task_parser p = { .report = report, .context = context, .overrides = overrides,
				      .folder = folder, .err = err };
	struct souk_yaml_stream stream;
	struct souk_dag *dag;
	int ret;

	ret = souk_yaml_parse(text, size, &stream, report, err);
	if (ret < 0) {
		souk_report_sort(report);
		return ret;
	}
	dag = calloc(1, sizeof(*dag));
	ret = dag ? read_documents(&p, dag, &stream) : souk_error_nomem(err);
	souk_yaml_stream_fini(&stream);
	return conclude(&p, ret, dag, dag_out);
}

int souk_dag_load(const char *path, const struct souk_overrides *overrides,
		  const struct souk_task_context *context, struct souk_dag **dag_out,
		  struct souk_report *report, struct souk_error *err)
{
	struct souk_error why = SOUK_ERROR_INIT;
	char *text = NULL;
	size_t size = 0;
	int ret;

	ret = name_report(report, path, err);
	if (ret < 0)
		return ret;
	ret = souk_fs_read(path, SOUK_YAML_MAX_BYTES, &text, &size, &why);
	if (ret < 0) {
		if (ret == SOUK_E_INVALID)
			souk_error_set(&why, ret,
				       "too large: over %u MiB; a task file holds no data",
				       SOUK_YAML_MAX_BYTES >> 20);
		souk_report_add(report, nowhere, 0, "%s", why.message);
		if (err)
			*err = why;
		return ret;
	}
	ret = souk_dag_parse(text, size, NULL, overrides, context, dag_out, report, err);
	souk_wipe(text, size);
	free(text);
	return ret;
}

int souk_dag_command(const char *command, const struct souk_overrides *overrides,
		     const struct souk_task_context *context, struct souk_dag **dag_out,
		     struct souk_report *report, struct souk_error *err)
{
	struct souk_task_parser p = { .report = report, .context = context, .overrides = overrides,
				      .err = err };
	struct souk_dag *dag;
	int ret;

	ret = name_report(report, "command line", err);
	if (ret < 0)
		return ret;
	dag = calloc(1, sizeof(*dag));
	if (!dag)
		return souk_error_nomem(err);
	ret = add_empty_task(&p, dag);
	if (ret == SOUK_OK)
		ret = souk_task_set(&p, &dag->tasks[0].run, command);
	return conclude(&p, ret, dag, dag_out);
}

static int refuse_unsupported(const struct souk_unsupported *entry, const char *file,
			      struct souk_error *err)
{
	char place[32] = "";

	/* What a flag asks for has no place in the file. */
	if (entry->mark.line)
		snprintf(place, sizeof(place), ":%u:%u", entry->mark.line, entry->mark.column);
	souk_error_set(err, SOUK_E_INVALID, "%s%s: '%s' cannot be used: %s", file ? file : "-", place,
		       entry->field, entry->needs);
	souk_error_hint(err, "remove the field, or wait for a version that has the feature");
	return SOUK_E_INVALID;
}

int souk_task_check_supported(const struct souk_task *task, const char *file,
			      struct souk_error *err)
{
	return task->n_unsupported > 0 ? refuse_unsupported(&task->unsupported[0], file, err) :
					 SOUK_OK;
}

int souk_dag_check_launch(const struct souk_dag *dag, const char *file, struct souk_error *err)
{
	if (dag->n_tasks != 1) {
		souk_error_set(err, SOUK_E_INVALID,
			       "%s: a launch takes exactly one task, and the file has %zu",
			       file ? file : "-", dag->n_tasks);
		souk_error_hint(err,
				"pipelines and groups of tasks are not supported yet; write each "
				"task into a file of its own");
		return SOUK_E_INVALID;
	}
	return souk_task_check_supported(&dag->tasks[0], file, err);
}
