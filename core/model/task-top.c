/* SPDX-License-Identifier: Apache-2.0 */
/* task-top.c - the top level of a task */
#include "model/task-internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

#define MAX_NODES 100000

static int read_name(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct souk_error why = SOUK_ERROR_INIT;

	(void)object;
	if (souk_name_check("name", value->node->text, 255, &why) < 0)
		souk_task_bad(p, value->node->mark, "%s", why.message);
	return souk_task_set(p, &p->task->name, value->node->text);
}

static int read_git_url(struct souk_task_parser *p, const struct souk_task_value *value,
			void *object)
{
	int ret;

	(void)object;
	ret = souk_task_substitute(p, value->node->mark, value->node->text, &p->task->git.url);
	/* What begins with '-' would be an option of git. */
	if (ret == SOUK_OK && (p->task->git.url[0] == '\0' || p->task->git.url[0] == '-'))
		souk_task_bad(p, value->node->mark, "%s: not the address of a repository: '%.80s'",
			      value->path, value->node->text);
	return ret;
}

static int read_git_ref(struct souk_task_parser *p, const struct souk_task_value *value,
			void *object)
{
	const char *c;
	int ret;

	(void)object;
	ret = souk_task_substitute(p, value->node->mark, value->node->text, &p->task->git.ref);
	if (ret < 0)
		return ret;
	c = p->task->git.ref;
	if (*c == '-' || *c == '\0')
		c = " ";
	while (*c && !isspace((unsigned char)*c) && !iscntrl((unsigned char)*c))
		c++;
	if (*c)
		souk_task_bad(p, value->node->mark, "%s: not a branch, tag or commit: '%.80s'",
			      value->path, value->node->text);
	return SOUK_OK;
}

static const struct souk_task_field git_fields[] = {
	{ .name = "url", .types = SOUK_FIELD_STR | SOUK_FIELD_REQUIRED, .read = read_git_url },
	{ .name = "ref", .types = SOUK_FIELD_STR, .read = read_git_ref },
	{ .name = NULL },
};

/* A --workdir takes the place of either form. */
static int read_workdir(struct souk_task_parser *p, const struct souk_task_value *value,
			void *object)
{
	int ret;

	if (p->overrides && p->overrides->workdir)
		return SOUK_OK;
	if (value->node->type == SOUK_YAML_MAP)
		return souk_task_read_fields(p, value, git_fields, 0, object);
	ret = souk_task_set_path(p, value->node, &p->task->workdir);
	return ret < 0 ? ret :
			 souk_task_check_local(p, value->path, value->node, p->task->workdir, 1);
}

static int read_num_nodes(struct souk_task_parser *p, const struct souk_task_value *value,
			  void *object)
{
	(void)object;
	p->task->num_nodes = (uint32_t)value->node->integer;
	return SOUK_OK;
}

static int read_setup(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	(void)object;
	return souk_task_set(p, &p->task->setup, value->node->text);
}

static int read_run(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	(void)object;
	return souk_task_set(p, &p->task->run, value->node->text);
}

static int read_event_callback(struct souk_task_parser *p, const struct souk_task_value *value,
			       void *object)
{
	(void)object;
	return souk_task_set(p, &p->task->event_callback, value->node->text);
}

/* One address with its size in GB. */
static int is_bucket_address(const char *text)
{
	static const char *const schemes[] = { "s3://", "gs://", "cos://", "r2://", "https://" };
	size_t i, len;

	for (i = 0; i < SOUK_ARRAY_SIZE(schemes); i++) {
		len = strlen(schemes[i]);
		if (strncmp(text, schemes[i], len) == 0)
			return text[len] != '\0';
	}
	return 0;
}

static int read_transfer(struct souk_task_parser *p, const struct souk_task_value *value,
			 char **uri, double *gb)
{
	const struct souk_yaml *map = value->node, *key, *size;

	if (map->n == 0)
		return SOUK_OK;
	key = map->entries[0].key;
	size = map->entries[0].value;
	if (map->n > 1)
		souk_task_bad(p, map->entries[1].key->mark, "%s: only one address is allowed",
			      value->path);
	/* Whose bucket it is, and what its traffic costs, the market knows. */
	if (!is_bucket_address(key->text))
		souk_task_bad(p, key->mark,
			      "%s: '%.80s' is not the address of a bucket, such as s3://NAME",
			      value->path, key->text);
	if ((size->type != SOUK_YAML_INT && size->type != SOUK_YAML_FLOAT) || !(size->number >= 0))
		souk_task_bad(p, size->mark, "%s: the size must be a number of GB", value->path);
	*gb = size->number;
	return souk_task_set(p, uri, key->text);
}

static int read_inputs(struct souk_task_parser *p, const struct souk_task_value *value,
		       void *object)
{
	(void)object;
	return read_transfer(p, value, &p->task->inputs_uri, &p->task->inputs_gb);
}

static int read_outputs(struct souk_task_parser *p, const struct souk_task_value *value,
			void *object)
{
	(void)object;
	return read_transfer(p, value, &p->task->outputs_uri, &p->task->outputs_gb);
}

static int read_server_access(struct souk_task_parser *p, const struct souk_task_value *value,
			      void *object)
{
	(void)object;
	if (!value->node->integer)
		return SOUK_OK;
	return souk_task_unsupported(p, value->key, value->path,
				     "jobs cannot call souk yet; remove it");
}

static const struct souk_task_field managed_secret_fields[] = {
	{ .name = "mount_path", .types = SOUK_FIELD_STR },
	{ .name = NULL },
};

static int read_managed_secrets(struct souk_task_parser *p, const struct souk_task_value *value,
				void *object)
{
	char path[SOUK_TASK_PATH_SIZE];
	size_t i;
	int ret;

	for (i = 0; value->node->type == SOUK_YAML_LIST && i < value->node->n; i++) {
		const struct souk_yaml *item = value->node->items[i];

		if (item->type != SOUK_YAML_STR)
			souk_task_bad(p, item->mark, "%s[%zu]: must be a string, not %s",
				      value->path, i, souk_yaml_type_name(item));
	}
	for (i = 0; value->node->type == SOUK_YAML_MAP && i < value->node->n; i++) {
		const struct souk_yaml_entry *entry = &value->node->entries[i];
		struct souk_task_value inner = { path, entry->key->mark, entry->value };

		snprintf(path, sizeof(path), "%s.%.60s", value->path, entry->key->text);
		if (entry->value->type == SOUK_YAML_NULL)
			continue;
		ret = souk_task_read_fields(p, &inner, managed_secret_fields, 0, object);
		if (ret < 0)
			return ret;
	}
	if (value->node->n == 0)
		return SOUK_OK;
	return souk_task_unsupported(p, value->key, value->path,
				     "stored secrets are not supported yet; use 'secrets'");
}

static int check_array(struct souk_task_parser *p, const struct souk_task_value *value,
		       void *object)
{
	size_t i;

	(void)object;
	if (value->node->type != SOUK_YAML_LIST)
		return SOUK_OK;
	if (value->node->n == 0)
		souk_task_bad(p, value->node->mark, "%s: is empty", value->path);
	for (i = 0; i < value->node->n; i++) {
		const struct souk_yaml *item = value->node->items[i];

		if (item->type == SOUK_YAML_LIST || item->type == SOUK_YAML_MAP)
			souk_task_bad(p, item->mark, "%s[%zu]: must be a text or a number, not %s",
				      value->path, i, souk_yaml_type_name(item));
	}
	return SOUK_OK;
}

/* A moment, which YAML has read as a date, or how long from now. */
static int check_deadline(struct souk_task_parser *p, const struct souk_task_value *value,
			  void *object)
{
	struct souk_error why = SOUK_ERROR_INIT;
	int64_t when;

	switch (value->node->type) {
	case SOUK_YAML_DATE:
		return SOUK_OK;
	case SOUK_YAML_STR:
		if (souk_parse_time(value->path, value->node->text, &when, &why) == SOUK_OK)
			return SOUK_OK;
		return souk_task_check_duration(p, value, object);
	case SOUK_YAML_INT:
		return souk_task_check_duration(p, value, object);
	default:
		souk_task_bad(p, value->node->mark,
			      "%s: must be a time or a length of time, not %s", value->path,
			      souk_yaml_type_name(value->node));
		return SOUK_OK;
	}
}

/* envs and secrets are read beforehand; they are here for the nearest name. */
static const struct souk_task_field top_fields[] = {
	{ .name = "name", .types = SOUK_FIELD_STR, .read = read_name },
	{ .name = "workdir", .types = SOUK_FIELD_STR | SOUK_FIELD_MAP, .read = read_workdir },
	{ .name = "num_nodes", .types = SOUK_FIELD_EXACT_INT, .min = 1, .max = MAX_NODES,
	  .read = read_num_nodes },
	{ .name = "resources", .types = SOUK_FIELD_MAP, .read = souk_task_read_resources },
	{ .name = "setup", .types = SOUK_FIELD_STR, .read = read_setup },
	{ .name = "run", .types = SOUK_FIELD_STR, .read = read_run },
	{ .name = "envs", .types = SOUK_FIELD_ANY },
	{ .name = "secrets", .types = SOUK_FIELD_ANY },
	{ .name = "managed_secrets", .types = SOUK_FIELD_LIST | SOUK_FIELD_MAP,
	  .read = read_managed_secrets },
	{ .name = "file_mounts", .types = SOUK_FIELD_MAP, .read = souk_task_read_mounts },
	{ .name = "volumes", .types = SOUK_FIELD_MAP, .read = souk_task_read_volumes },
	{ .name = "config", .types = SOUK_FIELD_MAP, .fields = souk_task_config_fields },
	{ .name = "service", .types = SOUK_FIELD_MAP, .fields = souk_task_service_fields,
	  .needs = "services are not supported" },
	{ .name = "pool", .types = SOUK_FIELD_MAP, .fields = souk_task_pool_fields,
	  .needs = "pools of workers are not supported" },
	{ .name = "event_callback", .types = SOUK_FIELD_STR, .read = read_event_callback,
	  .needs = "jobs that souk recovers are not supported yet" },
	{ .name = "inputs", .types = SOUK_FIELD_MAP, .read = read_inputs },
	{ .name = "outputs", .types = SOUK_FIELD_MAP, .read = read_outputs },
	{ .name = "api_server_access", .types = SOUK_FIELD_BOOL, .read = read_server_access },
	{ .name = "artifacts", .types = SOUK_FIELD_LIST | SOUK_FIELD_STRINGS,
	  .needs = "bringing files back is not supported yet" },
	{ .name = "limits", .types = SOUK_FIELD_MAP, .fields = souk_task_limits_fields,
	  .needs = "limits of time and cost are not supported yet" },
	{ .name = "retry", .types = SOUK_FIELD_MAP, .fields = souk_task_retry_fields,
	  .needs = "repeating a job is not supported yet" },
	{ .name = "queue", .types = SOUK_FIELD_STR, .needs = "queues are not supported yet" },
	{ .name = "depends_on", .types = SOUK_FIELD_LIST | SOUK_FIELD_STRINGS,
	  .needs = "dependencies between jobs are not supported yet" },
	{ .name = "array", .types = SOUK_FIELD_INT | SOUK_FIELD_LIST, .min = 1, .max = 1000000,
	  .read = check_array, .needs = "arrays of jobs are not supported yet" },
	{ .name = "max_parallel", .types = SOUK_FIELD_INT, .min = 1, .max = 1000000,
	  .needs = "arrays of jobs are not supported yet" },
	{ .name = "deadline", .types = SOUK_FIELD_ANY, .read = check_deadline,
	  .needs = "deadlines are not supported yet" },
	{ .name = "file_mounts_mapping", .types = SOUK_FIELD_ANY },
	{ .name = "volume_mounts", .types = SOUK_FIELD_ANY },
	{ .name = "_metadata", .types = SOUK_FIELD_ANY },
	{ .name = NULL },
};

int souk_task_read(struct souk_task_parser *p, const struct souk_yaml *map)
{
	struct souk_task_value value = { "", map->mark, map };
	int ret;

	p->task->mark = map->mark;
	p->task->num_nodes = 1;
	if (map->type != SOUK_YAML_MAP) {
		souk_task_bad(p, map->mark, "a task is a map with fields such as 'run', not %s",
			      souk_yaml_type_name(map));
		return SOUK_OK;
	}
	ret = souk_task_read_envs(p, map);
	if (ret == SOUK_OK)
		ret = souk_task_read_fields(p, &value, top_fields, 0, NULL);
	if (ret == SOUK_OK && souk_yaml_get(map, "service") && souk_yaml_get(map, "pool"))
		souk_task_bad(p, souk_yaml_key(map, "pool")->mark,
			      "either 'service' or 'pool', not both");
	return ret;
}
