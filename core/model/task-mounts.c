/* SPDX-License-Identifier: Apache-2.0 */
/* task-mounts.c - file_mounts and volumes: local files, buckets, storage objects, disks */
#include "model/task-internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"

#define MAX_MOUNTS 1000u
#define MAX_SOURCES 1000u
#define BUCKET_NEEDS "bucket mounts are not supported yet"

static const char *const store_names[] = {
	"s3", "gcs", "azure", "r2", "ibm", "oci", "nebius", "coreweave", "vastdata", "hf", "volume",
	NULL,
};
static const char *const modes[] = { "MOUNT", "COPY", "MOUNT_CACHED", NULL };
static const char *const kinds[] = { "MODEL_CHECKPOINT_RO", "MODEL_CHECKPOINT_RW", "DATASET_RO",
				     "DATASET_RW", NULL };

/* A mount being read, with what its checks need from the file. */
struct mount_draft {
	struct souk_mount mount;
	const struct souk_yaml *source;
	struct souk_mark name, type;
};

static void draft_fini(struct mount_draft *draft)
{
	free(draft->mount.target);
	free(draft->mount.source);
	souk_strv_fini(&draft->mount.sources);
	free(draft->mount.name);
	free(draft->mount.store);
	free(draft->mount.mode);
	free(draft->mount.type);
}

static int has_scheme(const char *text)
{
	return strstr(text, "://") != NULL;
}

/* A bucket's address that souk knows: by its scheme, or an Azure container. */
static int is_bucket(const char *uri)
{
	static const char *const schemes[] = { "s3", "gs", "r2", "cos", "oci",
					       "nebius", "cw", "vastdata", "hf" };
	const char *end = strstr(uri, "://"), *host;
	size_t i, size = end ? (size_t)(end - uri) : 0;

	for (i = 0; i < SOUK_ARRAY_SIZE(schemes); i++) {
		if (size == strlen(schemes[i]) && strncmp(uri, schemes[i], size) == 0)
			return end[3] != '\0';
	}
	if (size != 5 || strncmp(uri, "https", 5) != 0)
		return 0;
	host = end + 3;
	size = strcspn(host, "/");
	return size > 22 && strncmp(host + size - 22, ".blob.core.windows.net", 22) == 0 &&
	       host[size] == '/' && host[size + 1] != '\0';
}

static void bad_uri(struct souk_task_parser *p, const char *path, const struct souk_yaml *node)
{
	souk_task_bad(
		p, node->mark,
		"%s: '%.80s' is not a bucket: the schemes are s3, gs, r2, cos, oci, nebius, cw, "
		"vastdata, hf, and https for Azure",
		path, node->text);
}

static int read_name(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct mount_draft *draft = object;
	int ret;

	draft->name = value->key;
	ret = souk_task_substitute(p, value->node->mark, value->node->text, &draft->mount.name);
	if (ret == SOUK_OK && (draft->mount.name[0] == '\0' || has_scheme(draft->mount.name)))
		souk_task_bad(p, value->node->mark,
			      "%s: a bucket's name is a plain name; a URI goes into 'source'",
			      value->path);
	return ret;
}

static int read_sources(struct souk_task_parser *p, const struct souk_task_value *value,
			struct mount_draft *draft)
{
	size_t i;
	int ret;

	if (value->node->n == 0 || value->node->n > MAX_SOURCES) {
		souk_task_bad(p, value->node->mark, "%s: must name 1 to %u local paths",
			      value->path, MAX_SOURCES);
		return SOUK_OK;
	}
	for (i = 0; i < value->node->n; i++) {
		const struct souk_yaml *item = value->node->items[i];
		SOUK_AUTO_FREE char *path = NULL;
		size_t j;

		ret = souk_task_set_path(p, item, &path);
		if (ret < 0)
			return ret;
		for (j = 0; j < draft->mount.sources.n; j++) {
			if (strcmp(souk_fs_basename(draft->mount.sources.items[j]),
				   souk_fs_basename(path)) == 0)
				souk_task_bad(p, item->mark,
					      "%s: two paths have the same last part: '%.60s'",
					      value->path, item->text);
		}
		if (has_scheme(path))
			souk_task_bad(p, item->mark, "%s: a list holds local paths only: '%.60s'",
				      value->path, item->text);
		else if (souk_task_check_local(p, value->path, item, path, 0) < 0)
			return SOUK_E_NOMEM;
		if (souk_strv_add(&draft->mount.sources, path, p->err) < 0)
			return SOUK_E_NOMEM;
	}
	return SOUK_OK;
}

static int read_source(struct souk_task_parser *p, const struct souk_task_value *value,
		       void *object)
{
	struct mount_draft *draft = object;

	draft->source = value->node;
	if (value->node->type == SOUK_YAML_LIST)
		return read_sources(p, value, draft);
	return souk_task_set_path(p, value->node, &draft->mount.source);
}

static int read_store(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct mount_draft *draft = object;

	return souk_task_set_lower(p, &draft->mount.store, value->node->text);
}

static int read_mode(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct mount_draft *draft = object;

	return souk_task_set_lower(p, &draft->mount.mode, value->node->text);
}

static int read_type(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct mount_draft *draft = object;

	draft->type = value->key;
	return souk_task_set_lower(p, &draft->mount.type, value->node->text);
}

static int read_persistent(struct souk_task_parser *p, const struct souk_task_value *value,
			   void *object)
{
	struct mount_draft *draft = object;

	(void)p;
	draft->mount.persistent = value->node->integer != 0;
	return SOUK_OK;
}

static const struct souk_task_field storage_fields[] = {
	{ .name = "name", .types = SOUK_FIELD_STR, .read = read_name },
	{ .name = "source", .types = SOUK_FIELD_STR | SOUK_FIELD_LIST | SOUK_FIELD_STRINGS,
	  .read = read_source },
	{ .name = "store", .types = SOUK_FIELD_STR, .choices = store_names, .read = read_store },
	{ .name = "persistent", .types = SOUK_FIELD_BOOL, .read = read_persistent },
	{ .name = "mode", .types = SOUK_FIELD_STR, .choices = modes, .read = read_mode },
	{ .name = "type", .types = SOUK_FIELD_STR, .choices = kinds, .read = read_type },
	{ .name = "config", .types = SOUK_FIELD_MAP | SOUK_FIELD_OPEN,
	  .fields = souk_task_storage_config_fields },
	{ .name = NULL },
};

/* A key below the bucket can only be mounted where the store itself can do that. */
static int is_below_bucket(const char *uri)
{
	const char *key = strchr(strstr(uri, "://") + 3, '/');

	if (strncmp(uri, "hf:", 3) == 0 || strncmp(uri, "https:", 6) == 0)
		return 0;
	return key && key[1] != '\0';
}

static int check_source(struct souk_task_parser *p, const char *path, struct mount_draft *draft)
{
	const struct souk_mount *mount = &draft->mount;
	struct souk_mark mark = draft->source->mark;
	size_t size = strlen(mount->source);

	if (!has_scheme(mount->source)) {
		if (!mount->name)
			souk_task_bad(p, mark, "%s: a local source needs the 'name' of a bucket",
				      path);
		if (size > 1 && mount->source[size - 1] == '/')
			souk_task_bad(p, mark, "%s.source: must not end in '/': '%.80s'", path,
				      draft->source->text);
		return souk_task_check_local(p, path, draft->source, mount->source, 1);
	}
	if (!is_bucket(mount->source)) {
		bad_uri(p, path, draft->source);
		return SOUK_OK;
	}
	if (mount->name)
		souk_task_bad(p, draft->name,
			      "%s: the source names the bucket already; remove 'name'", path);
	if (strcmp(mount->mode, "mount") == 0 && is_below_bucket(mount->source))
		souk_task_bad(
			p, mark,
			"%s: only a whole bucket can be mounted; use mode COPY for what is in it",
			path);
	return SOUK_OK;
}

static int check_storage(struct souk_task_parser *p, const char *path, struct mount_draft *draft,
			 const struct souk_yaml *map)
{
	const struct souk_mount *mount = &draft->mount;
	size_t size = strlen(mount->target);

	if (size > 1 && mount->target[size - 1] == '/')
		souk_task_bad(p, map->mark, "%s: the place of a bucket must not end in '/'", path);
	if (mount->type && strcmp(mount->mode, "mount_cached") != 0)
		souk_task_bad(p, draft->type, "%s: 'type' goes with mode MOUNT_CACHED only", path);
	if (mount->source)
		return check_source(p, path, draft);
	if (!mount->name)
		souk_task_bad(p, map->mark, "%s: needs the 'name' of a bucket%s", path,
			      mount->sources.n ? "" : ", or a 'source'");
	return SOUK_OK;
}

static int read_storage(struct souk_task_parser *p, const struct souk_task_value *value,
			struct mount_draft *draft)
{
	size_t errors = p->report->n_errors;
	int ret;

	draft->mount.kind = SOUK_MOUNT_STORAGE;
	draft->mount.persistent = 1;
	ret = souk_task_set(p, &draft->mount.mode, "mount");
	if (ret == SOUK_OK)
		ret = souk_task_read_fields(p, value, storage_fields, 0, draft);
	if (ret == SOUK_OK && p->report->n_errors == errors)
		ret = check_storage(p, value->path, draft, value->node);
	return ret;
}

static int read_text(struct souk_task_parser *p, const struct souk_task_value *value,
		     struct mount_draft *draft)
{
	struct souk_mount *mount = &draft->mount;
	int ret;

	ret = souk_task_set_path(p, value->node, &mount->source);
	if (ret < 0)
		return ret;
	if (mount->source[0] == '\0') {
		souk_task_bad(p, value->node->mark, "%s: is empty", value->path);
		return SOUK_OK;
	}
	if (has_scheme(mount->source)) {
		mount->kind = SOUK_MOUNT_URI;
		if (!is_bucket(mount->source))
			bad_uri(p, value->path, value->node);
		return SOUK_OK;
	}
	return souk_task_check_local(p, value->path, value->node, mount->source, 0);
}

/* Places that belong to the workdir. */
static void check_target(struct souk_task_parser *p, const struct souk_task_value *value,
			 const char *target)
{
	static const char *const workdirs[] = { "~/souk_workdir", "~/sky_workdir", ".", "./" };
	size_t size = strlen(target), i;

	while (size > 1 && target[size - 1] == '/')
		size--;
	if (size == 0 || has_scheme(target))
		souk_task_bad(p, value->key, "%s: a file mount begins with its path on the node",
			      value->path);
	for (i = 0; i < SOUK_ARRAY_SIZE(workdirs); i++) {
		if ((p->task->workdir || p->task->git.url) && strlen(workdirs[i]) == size &&
		    strncmp(workdirs[i], target, size) == 0)
			souk_task_bad(p, value->key,
				      "%s: is the workdir itself; remove one of them", value->path);
	}
}

static int push_mount(struct souk_task_parser *p, const struct souk_task_value *value,
		      struct mount_draft *draft)
{
	struct souk_task *task = p->task;
	int ret;

	check_target(p, value, draft->mount.target);
	if (draft->mount.kind != SOUK_MOUNT_LOCAL) {
		ret = souk_task_unsupported(p, value->key, value->path, BUCKET_NEEDS);
		if (ret < 0)
			return ret;
	}
	ret = souk_task_grow(p, &task->mounts, task->n_mounts, sizeof(*task->mounts));
	if (ret < 0)
		return ret;
	task->mounts[task->n_mounts++] = draft->mount;
	memset(&draft->mount, 0, sizeof(draft->mount));
	return SOUK_OK;
}

static int read_mount(struct souk_task_parser *p, const struct souk_task_value *value,
		      const struct souk_yaml *key)
{
	struct mount_draft draft = { .mount = { .mark = key->mark } };
	int ret;

	if (key->type != SOUK_YAML_STR) {
		souk_task_bad(p, key->mark, "%s: the path must be a string, not %s", value->path,
			      souk_yaml_type_name(key));
		return SOUK_OK;
	}
	if (value->node->type != SOUK_YAML_STR && value->node->type != SOUK_YAML_MAP) {
		souk_task_bad(p, value->node->mark,
			      "%s: must be a local path, a bucket's URI or a map, not %s",
			      value->path, souk_yaml_type_name(value->node));
		return SOUK_OK;
	}
	ret = souk_task_substitute(p, key->mark, key->text, &draft.mount.target);
	if (ret == SOUK_OK)
		ret = value->node->type == SOUK_YAML_MAP ? read_storage(p, value, &draft) :
							   read_text(p, value, &draft);
	if (ret == SOUK_OK)
		ret = push_mount(p, value, &draft);
	draft_fini(&draft);
	return ret;
}

int souk_task_read_mounts(struct souk_task_parser *p, const struct souk_task_value *value,
			  void *object)
{
	char path[SOUK_TASK_PATH_SIZE];
	size_t i;
	int ret;

	(void)object;
	if (value->node->n > MAX_MOUNTS) {
		souk_task_bad(p, value->node->mark, "%s: too many: over %u", value->path,
			      MAX_MOUNTS);
		return SOUK_OK;
	}
	for (i = 0; i < value->node->n; i++) {
		const struct souk_yaml_entry *entry = &value->node->entries[i];
		struct souk_task_value inner = { path, entry->key->mark, entry->value };

		snprintf(path, sizeof(path), "%s.%.100s", value->path, entry->key->text);
		ret = read_mount(p, &inner, entry->key);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int is_sub_path(const char *text)
{
	const char *c;

	if (!isalnum((unsigned char)text[0]) && !strchr("._-", text[0]))
		return 0;
	for (c = text; *c; c++) {
		if (!isalnum((unsigned char)*c) && !strchr("._-/", *c))
			return 0;
	}
	return text[0] != '\0' && !strstr(text, "..");
}

static int read_volume_name(struct souk_task_parser *p, const struct souk_task_value *value,
			    void *object)
{
	struct souk_volume *volume = object;

	return souk_task_substitute(p, value->node->mark, value->node->text, &volume->name);
}

static int read_sub_path(struct souk_task_parser *p, const struct souk_task_value *value,
			 void *object)
{
	struct souk_volume *volume = object;
	int ret;

	ret = souk_task_substitute(p, value->node->mark, value->node->text, &volume->sub_path);
	if (ret == SOUK_OK && !is_sub_path(volume->sub_path))
		souk_task_bad(p, value->node->mark,
			      "%s: must be a relative path without '..': '%.60s'", value->path,
			      value->node->text);
	return ret;
}

static int read_volume_size(struct souk_task_parser *p, const struct souk_task_value *value,
			    void *object)
{
	struct souk_volume *volume = object;
	struct souk_error why = SOUK_ERROR_INIT;

	return souk_parse_disk_gib(value->node->text, &volume->size_gib, &why) < 0 ?
		       souk_task_refuse(p, value, &why) :
		       SOUK_OK;
}

static const struct souk_task_field volume_fields[] = {
	{ .name = "name", .types = SOUK_FIELD_STR, .read = read_volume_name },
	{ .name = "sub_path", .types = SOUK_FIELD_STR, .read = read_sub_path },
	{ .name = "size", .types = SOUK_FIELD_INT | SOUK_FIELD_STR, .read = read_volume_size },
	{ .name = NULL },
};

static int read_volume_map(struct souk_task_parser *p, const struct souk_task_value *value,
			   struct souk_volume *volume)
{
	int ret;

	ret = souk_task_read_fields(p, value, volume_fields, SOUK_FIELD_OPEN, volume);
	if (ret < 0)
		return ret;
	if (!volume->name && volume->size_gib == 0)
		souk_task_bad(p, value->node->mark,
			      "%s: needs the 'name' of a volume, or a 'size' for one of its own",
			      value->path);
	else if (volume->name && volume->size_gib)
		souk_task_bad(p, value->node->mark, "%s: either 'name' or 'size', not both",
			      value->path);
	else if (!volume->name && volume->sub_path)
		souk_task_bad(p, value->node->mark, "%s: 'sub_path' goes with 'name' only",
			      value->path);
	return SOUK_OK;
}

static int read_volume(struct souk_task_parser *p, const struct souk_task_value *value,
		       const struct souk_yaml *key, struct souk_volume *volume)
{
	int ret;

	volume->mark = key->mark;
	ret = souk_task_substitute(p, key->mark, key->text, &volume->target);
	if (ret < 0)
		return ret;
	if (volume->target[0] != '/' && strncmp(volume->target, "~/", 2) != 0)
		souk_task_bad(p, key->mark, "%s: a volume's place is an absolute path or ~/...",
			      value->path);
	if (value->node->type == SOUK_YAML_MAP) {
		ret = read_volume_map(p, value, volume);
	} else if (value->node->type == SOUK_YAML_STR && value->node->text[0]) {
		ret = read_volume_name(p, value, volume);
	} else {
		souk_task_bad(p, value->node->mark,
			      "%s: must be the name of a volume or a map, not %s", value->path,
			      value->node->type == SOUK_YAML_STR
				      ? "empty"
				      : souk_yaml_type_name(value->node));
	}
	return ret < 0 ? ret :
			 souk_task_unsupported(p, key->mark, value->path,
					       "volumes are not supported yet");
}

int souk_task_read_volumes(struct souk_task_parser *p, const struct souk_task_value *value,
			   void *object)
{
	struct souk_task *task = p->task;
	char path[SOUK_TASK_PATH_SIZE];
	size_t i;
	int ret;

	(void)object;
	if (value->node->n > MAX_MOUNTS) {
		souk_task_bad(p, value->node->mark, "%s: too many: over %u", value->path,
			      MAX_MOUNTS);
		return SOUK_OK;
	}
	for (i = 0; i < value->node->n; i++) {
		const struct souk_yaml_entry *entry = &value->node->entries[i];
		struct souk_task_value inner = { path, entry->key->mark, entry->value };

		snprintf(path, sizeof(path), "%s.%.100s", value->path, entry->key->text);
		ret = souk_task_grow(p, &task->volumes, task->n_volumes, sizeof(*task->volumes));
		if (ret < 0)
			return ret;
		ret = read_volume(p, &inner, entry->key, &task->volumes[task->n_volumes++]);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}
