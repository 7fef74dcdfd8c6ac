/* SPDX-License-Identifier: Apache-2.0 */
/* task-validate.c - what is checked against the world or at the end: paths, names, images */
#include "model/task-internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"

/* Letters and digits, with one or two of "._-" between them. */
int souk_name_check(const char *what, const char *name, size_t max, struct souk_error *err)
{
	size_t size = strlen(name), marks = 0, i;

	for (i = 0; i < size; i++) {
		if (isalnum((unsigned char)name[i]))
			marks = 0;
		else if (i == 0 || !strchr("._-", name[i]) || ++marks > 2)
			break;
	}
	if (size == 0 || i < size || marks > 0)
		return souk_error_set(
			err, SOUK_E_INVALID,
			"%s: '%.60s' is not a good name: letters and digits, with '.', '_' "
			"or '-' between them",
			what, name);
	if (size > max)
		return souk_error_set(err, SOUK_E_INVALID,
				      "%s: '%.60s' is too long: %zu characters, at most %zu", what,
				      name, size, max);
	return SOUK_OK;
}

/* Paths that are not below the parser's folder: absolute ones, the home's, addresses. */
static int stands_alone(const char *path)
{
	return path[0] == '/' || path[0] == '~' || path[0] == '\0' || strstr(path, "://");
}

static int join_folder(struct souk_task_parser *p, char **slot)
{
	char *joined;

	if (!p->folder || stands_alone(*slot))
		return SOUK_OK;
	joined = souk_fs_join(p->folder, *slot);
	if (!joined)
		return souk_error_nomem(p->err);
	free(*slot);
	*slot = joined;
	return SOUK_OK;
}

int souk_task_set_path(struct souk_task_parser *p, const struct souk_yaml *node, char **slot)
{
	int ret = souk_task_substitute(p, node->mark, node->text, slot);

	return ret < 0 ? ret : join_folder(p, slot);
}

static int check_path(struct souk_task_parser *p, struct souk_mark mark, const char *field,
		      const char *shown, const char *path, int folder)
{
	SOUK_AUTO_FREE char *expanded = souk_fs_expand(path);

	if (!expanded)
		return souk_error_nomem(p->err);
	if (access(expanded, F_OK) != 0)
		souk_task_bad(p, mark,
			      "%s: there is no '%.120s' here; relative paths begin at the %s",
			      field, shown, p->folder ? "file's folder" : "current folder");
	else if (folder && !souk_fs_is_dir(expanded))
		souk_task_bad(p, mark, "%s: '%.120s' is not a folder", field, shown);
	return SOUK_OK;
}

int souk_task_check_local(struct souk_task_parser *p, const char *field,
			  const struct souk_yaml *node, const char *path, int folder)
{
	return check_path(p, node->mark, field, node->text, path, folder);
}

static int apply_workdir(struct souk_task_parser *p)
{
	const char *workdir = p->overrides ? p->overrides->workdir : NULL;
	int ret;

	if (!workdir)
		return SOUK_OK;
	ret = souk_task_set(p, &p->task->workdir, workdir);
	if (ret == SOUK_OK)
		ret = join_folder(p, &p->task->workdir);
	if (ret < 0)
		return ret;
	return check_path(p, (struct souk_mark){ 0, 0 }, "--workdir", workdir, p->task->workdir, 1);
}

/* An image's id means something to one provider only. */
static void check_images(struct souk_task_parser *p)
{
	size_t i;

	for (i = 0; i < p->task->n_requests; i++) {
		const struct souk_request *request = &p->task->requests[i];

		if (request->image && !request->provider && !request->instance_type &&
		    strncmp(request->image, "docker:", 7) != 0 &&
		    strncmp(request->image, "skypilot:", 9) != 0)
			souk_task_bad(
				p, request->mark,
				"resources.image_id: '%.80s' belongs to one provider; name it with "
				"'infra'",
				request->image);
	}
}

static int check_override_name(struct souk_task_parser *p)
{
	struct souk_error why = SOUK_ERROR_INIT;

	if (p->overrides && p->overrides->name &&
	    souk_name_check("--name", p->overrides->name, 255, &why) < 0)
		souk_task_bad(p, (struct souk_mark){ 0, 0 }, "%s", why.message);
	return SOUK_OK;
}

int souk_task_validate(struct souk_task_parser *p)
{
	int ret;

	ret = apply_workdir(p);
	if (ret == SOUK_OK)
		ret = check_override_name(p);
	if (ret < 0)
		return ret;
	check_images(p);
	return souk_task_check_envs(p);
}
