/* SPDX-License-Identifier: Apache-2.0 */
/* task-file.c - task files for the public face */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"
#include "context.h"

static int provider_known(const char *name, const char **why_out, void *arg)
{
	struct souk *souk = arg;

	*why_out = "install the package souk-provider-NAME of that provider";
	return souk_modules_get(&souk->registry.modules, name) != NULL;
}

static const char *provider_names(void *arg)
{
	struct souk *souk = arg;

	if (!souk->names)
		souk->names = souk_registry_names(&souk->registry);
	return souk->names && souk->names[0] ? souk->names : "none";
}

static int make_rows(struct souk_task_file *file, struct souk_error *err)
{
	const struct souk_report *report = &file->report;
	size_t i;

	file->rows = calloc(report->n + 1, sizeof(*file->rows));
	file->texts = calloc(report->n + 1, sizeof(*file->texts));
	if (!file->rows || !file->texts)
		return souk_error_nomem(err);
	for (i = 0; i < report->n; i++) {
		file->texts[i] = souk_report_line(report, i);
		if (!file->texts[i])
			return souk_error_nomem(err);
		file->rows[i] = (struct souk_diagnostic_row){
			.line = report->items[i].mark.line,
			.column = report->items[i].mark.column,
			.warning = report->items[i].warning,
			.message = report->items[i].message,
			.text = file->texts[i],
		};
		file->n_rows++;
	}
	return SOUK_OK;
}

static int note_unsupported(struct souk_task_file *file, const struct souk_unsupported *field,
			    struct souk_error *err)
{
	void *items = souk_array_grow(file->unsupported, file->n_unsupported,
				      sizeof(*file->unsupported));

	if (!items)
		return souk_error_nomem(err);
	file->unsupported = items;
	if (asprintf(&file->unsupported[file->n_unsupported], "%s:%u:%u: '%s' %s", file->path,
		     field->mark.line, field->mark.column, field->field, field->needs) < 0)
		return souk_error_nomem(err);
	file->n_unsupported++;
	return SOUK_OK;
}

static int list_unsupported(struct souk_task_file *file, struct souk_error *err)
{
	size_t i, j;
	int ret = SOUK_OK;

	for (i = 0; file->dag && i < file->dag->n_tasks; i++)
		for (j = 0; j < file->dag->tasks[i].n_unsupported && ret == SOUK_OK; j++)
			ret = note_unsupported(file, &file->dag->tasks[i].unsupported[j], err);
	return ret;
}

static int looks_like_file(const char *source)
{
	size_t len = strlen(source);

	return (len > 5 && strcmp(source + len - 5, ".yaml") == 0) ||
	       (len > 4 && strcmp(source + len - 4, ".yml") == 0) || souk_fs_is_file(source);
}

static int load(struct souk *souk, const char *source, int is_command,
		const struct souk_overrides *overrides, struct souk_task_file **file_out,
		struct souk_error *err)
{
	struct souk_task_context context = { provider_known, provider_names, souk };
	struct souk_task_file *file = calloc(1, sizeof(*file));
	int ret, rows;

	if (!file || !(file->path = strdup(is_command ? "command line" : source))) {
		free(file);
		return souk_error_nomem(err);
	}
	ret = souk_report_init(&file->report, file->path, err);
	if (ret < 0) {
		souk_task_file_free(file);
		return ret;
	}
	if (is_command)
		ret = souk_dag_command(source, overrides, &context, &file->dag, &file->report, err);
	else
		ret = souk_dag_load(source, overrides, &context, &file->dag, &file->report, err);
	rows = make_rows(file, err);
	if (rows == SOUK_OK)
		rows = list_unsupported(file, err);
	*file_out = file;
	return rows < 0 ? rows : ret;
}

int souk_task_file_check(struct souk *souk, const char *source,
			 const struct souk_overrides *overrides, struct souk_task_file **file_out,
			 struct souk_error *err)
{
	return load(souk, source, 0, overrides, file_out, err);
}

int souk_task_file_load_all(struct souk *souk, const char *source,
			    const struct souk_overrides *overrides, struct souk_task_file **file_out,
			    struct souk_error *err)
{
	const struct souk_dag *dag;
	int ret;

	ret = load(souk, source, !looks_like_file(source), overrides, file_out, err);
	dag = *file_out ? (*file_out)->dag : NULL;
	/* Of several nothing is launched. */
	if (ret == SOUK_OK && dag && dag->n_tasks == 1)
		ret = souk_task_check_supported(&dag->tasks[0], (*file_out)->path, err);
	return ret;
}

int souk_task_file_load(struct souk *souk, const char *source,
			const struct souk_overrides *overrides, struct souk_task_file **file_out,
			struct souk_error *err)
{
	const struct souk_task *task;
	int ret;

	ret = load(souk, source, !looks_like_file(source), overrides, file_out, err);
	if (ret == SOUK_OK)
		ret = souk_task_file_task(*file_out, &task, err);
	if (ret == SOUK_OK)
		ret = souk_task_check_supported(task, (*file_out)->path, err);
	return ret;
}

void souk_task_file_free(struct souk_task_file *file)
{
	size_t i;

	if (!file)
		return;
	souk_dag_free(file->dag);
	souk_report_fini(&file->report);
	for (i = 0; i < file->n_rows; i++)
		free(file->texts[i]);
	for (i = 0; i < file->n_unsupported; i++)
		free(file->unsupported[i]);
	free(file->rows);
	free(file->texts);
	free(file->unsupported);
	free(file->path);
	free(file);
}

int souk_task_file_task(const struct souk_task_file *file, const struct souk_task **task_out,
			struct souk_error *err)
{
	if (!file->dag || file->dag->n_tasks == 0)
		return souk_error_set(err, SOUK_E_INVALID, "%s: there is no task in it", file->path);
	if (file->dag->n_tasks > 1) {
		souk_error_set(err, SOUK_E_INVALID, "%s: a launch takes one task, this file has %zu",
			       file->path, file->dag->n_tasks);
		return souk_error_hint(err, "pipelines and job groups are for managed jobs");
	}
	*task_out = &file->dag->tasks[0];
	return SOUK_OK;
}

size_t souk_task_file_diagnostics(const struct souk_task_file *file)
{
	return file->n_rows;
}

const struct souk_diagnostic_row *souk_task_file_diagnostic(const struct souk_task_file *file,
							    size_t i)
{
	return i < file->n_rows ? &file->rows[i] : NULL;
}

const char *souk_task_file_name(const struct souk_task_file *file)
{
	return file->dag && file->dag->n_tasks > 0 ? file->dag->tasks[0].name : NULL;
}

uint32_t souk_task_file_num_nodes(const struct souk_task_file *file)
{
	return file->dag && file->dag->n_tasks > 0 ? file->dag->tasks[0].num_nodes : 0;
}

size_t souk_task_file_tasks(const struct souk_task_file *file)
{
	return file->dag ? file->dag->n_tasks : 0;
}

size_t souk_task_file_unsupported(const struct souk_task_file *file)
{
	return file->n_unsupported;
}

const char *souk_task_file_unsupported_text(const struct souk_task_file *file, size_t i)
{
	return i < file->n_unsupported ? file->unsupported[i] : NULL;
}
