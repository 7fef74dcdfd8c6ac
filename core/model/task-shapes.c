/* SPDX-License-Identifier: Apache-2.0 */
/* task-shapes.c - parts of a task file that are checked and have no effect yet: services, pools ...
 */
#include "model/task-internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

#define SECONDS (SOUK_FIELD_NUMBER | SOUK_FIELD_POSITIVE)
#define MANY INT32_MAX

/* "90", "30m", "1h": a number with a unit, or minutes. */
int souk_task_check_duration(struct souk_task_parser *p, const struct souk_task_value *value,
			     void *object)
{
	const char *text = value->node->text;
	size_t digits = strspn(text, "0123456789");

	(void)object;
	if (digits > 0 && digits <= 9 &&
	    (!text[digits] || (strchr("smhdwSMHDW", text[digits]) && !text[digits + 1])))
		return SOUK_OK;
	souk_task_bad(p, value->node->mark,
		      "%s: not a length of time: '%.60s'; write 90s, 30m, 12h, 2d or 1w",
		      value->path, text);
	return SOUK_OK;
}

int souk_task_check_disk(struct souk_task_parser *p, const struct souk_task_value *value,
			 void *object)
{
	struct souk_error why = SOUK_ERROR_INIT;
	uint64_t size;

	(void)object;
	return souk_parse_disk_gib(value->node->text, &size, &why) < 0 ?
		       souk_task_refuse(p, value, &why) :
		       SOUK_OK;
}

/* "64M": bytes of a cache. */
static int check_cache_size(struct souk_task_parser *p, const struct souk_task_value *value,
			    void *object)
{
	const char *text = value->node->text;
	size_t digits = strspn(text, "0123456789");

	(void)object;
	if (digits > 0 &&
	    (!text[digits] || (strchr("bkmgtpBKMGTP", text[digits]) && !text[digits + 1])))
		return SOUK_OK;
	souk_task_bad(p, value->node->mark, "%s: not a size: '%.60s'; write 64M or 10G",
		      value->path, text);
	return SOUK_OK;
}

/* "1h30m": numbers with units, one after the other. */
static int check_cache_time(struct souk_task_parser *p, const struct souk_task_value *value,
			    void *object)
{
	const char *text = value->node->text;

	(void)object;
	do {
		size_t digits = strspn(text, "0123456789.");

		text += digits;
		if (digits == 0 || !*text)
			break;
		text += strncmp(text, "ms", 2) == 0 ? 2 : strchr("smhdwMy", *text) ? 1 : 0;
		if (*text == '\0')
			return SOUK_OK;
	} while (isdigit((unsigned char)*text));
	souk_task_bad(p, value->node->mark, "%s: not a length of time: '%.60s'; write 10s or 1h30m",
		      value->path, value->node->text);
	return SOUK_OK;
}

static const struct souk_task_field mount_config_fields[] = {
	{ .name = "read_only", .types = SOUK_FIELD_BOOL },
	{ .name = "hf_mount_args", .types = SOUK_FIELD_LIST | SOUK_FIELD_STRINGS },
	{ .name = NULL },
};

static const struct souk_task_field mount_cached_fields[] = {
	{ .name = "transfers", .types = SOUK_FIELD_INT, .min = 1, .max = MANY },
	{ .name = "buffer_size", .types = SOUK_FIELD_STR, .read = check_cache_size },
	{ .name = "vfs_cache_max_size", .types = SOUK_FIELD_STR, .read = check_cache_size },
	{ .name = "vfs_cache_max_age", .types = SOUK_FIELD_STR, .read = check_cache_time },
	{ .name = "vfs_read_ahead", .types = SOUK_FIELD_STR, .read = check_cache_size },
	{ .name = "vfs_read_chunk_size", .types = SOUK_FIELD_STR, .read = check_cache_size },
	{ .name = "vfs_read_chunk_streams", .types = SOUK_FIELD_INT, .min = 0, .max = MANY },
	{ .name = "vfs_write_back", .types = SOUK_FIELD_STR, .read = check_cache_time },
	{ .name = "read_only", .types = SOUK_FIELD_BOOL },
	{ .name = NULL },
};

const struct souk_task_field souk_task_storage_config_fields[] = {
	{ .name = "mount", .types = SOUK_FIELD_MAP, .fields = mount_config_fields },
	{ .name = "mount_cached", .types = SOUK_FIELD_MAP, .fields = mount_cached_fields },
	{ .name = NULL },
};

/* ---- service ---- */

static const struct souk_task_field probe_fields[] = {
	{ .name = "path", .types = SOUK_FIELD_STR | SOUK_FIELD_REQUIRED },
	{ .name = "initial_delay_seconds", .types = SOUK_FIELD_NUMBER },
	{ .name = "timeout_seconds", .types = SECONDS },
	{ .name = "endpoint_probe_interval_seconds", .types = SECONDS },
	{ .name = "consecutive_failure_threshold_timeout", .types = SECONDS },
	{ .name = "post_data", .types = SOUK_FIELD_STR | SOUK_FIELD_MAP },
	{ .name = "headers", .types = SOUK_FIELD_MAP | SOUK_FIELD_STRINGS },
	{ .name = NULL },
};

/* One number, or one for each accelerator: {H100: 4, "A100:8": 20}. */
static int check_qps(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	size_t i;

	(void)object;
	for (i = 0; value->node->type == SOUK_YAML_MAP && i < value->node->n; i++) {
		const struct souk_yaml *key = value->node->entries[i].key;
		const struct souk_yaml *number = value->node->entries[i].value;
		size_t name = strspn(key->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
		const char *rest = key->text + name;
		size_t count = *rest == ':' ? strspn(rest + 1, "0123456789") + 1 : 0;

		if (name == 0 || count == 1 || rest[count])
			souk_task_bad(p, key->mark,
				      "%s: '%.60s' is not an accelerator; write H100 or H100:8",
				      value->path, key->text);
		if (number->type != SOUK_YAML_INT && number->type != SOUK_YAML_FLOAT)
			souk_task_bad(p, number->mark, "%s.%.60s: must be a number, not %s",
				      value->path, key->text, souk_yaml_type_name(number));
	}
	return SOUK_OK;
}

static int check_replica_policy(struct souk_task_parser *p, const struct souk_task_value *value,
				void *object)
{
	const struct souk_yaml *min = souk_yaml_get(value->node, "min_replicas");
	const struct souk_yaml *max = souk_yaml_get(value->node, "max_replicas");
	const struct souk_yaml *qps = souk_yaml_get(value->node, "target_qps_per_replica");

	(void)object;
	if (!min || !max || max->type == SOUK_YAML_NULL)
		return SOUK_OK;
	if (max->number < min->number)
		souk_task_bad(p, max->mark, "%s: max_replicas is under min_replicas", value->path);
	else if (max->number > min->number && (!qps || qps->type == SOUK_YAML_NULL))
		souk_task_bad(p, max->mark,
			      "%s: max_replicas over min_replicas needs target_qps_per_replica",
			      value->path);
	return SOUK_OK;
}

static const struct souk_task_field replica_policy_fields[] = {
	{ .name = "min_replicas", .types = SOUK_FIELD_INT | SOUK_FIELD_REQUIRED, .min = 0,
	  .max = MANY },
	{ .name = "max_replicas", .types = SOUK_FIELD_INT, .min = 0, .max = MANY },
	{ .name = "num_overprovision", .types = SOUK_FIELD_INT, .min = 0, .max = MANY },
	{ .name = "target_qps_per_replica",
	  .types = SOUK_FIELD_NUMBER | SOUK_FIELD_POSITIVE | SOUK_FIELD_MAP, .read = check_qps },
	{ .name = "dynamic_ondemand_fallback", .types = SOUK_FIELD_BOOL },
	{ .name = "base_ondemand_fallback_replicas", .types = SOUK_FIELD_INT, .min = 0,
	  .max = MANY },
	{ .name = "spot_placer", .types = SOUK_FIELD_STR },
	{ .name = "upscale_delay_seconds", .types = SOUK_FIELD_NUMBER },
	{ .name = "downscale_delay_seconds", .types = SOUK_FIELD_NUMBER },
	{ .name = NULL },
};

static const struct souk_task_field load_balancer_fields[] = {
	{ .name = "stream_timeout_seconds", .types = SECONDS },
	{ .name = NULL },
};

static const struct souk_task_field tls_fields[] = {
	{ .name = "keyfile", .types = SOUK_FIELD_STR | SOUK_FIELD_REQUIRED },
	{ .name = "certfile", .types = SOUK_FIELD_STR | SOUK_FIELD_REQUIRED },
	{ .name = NULL },
};

const struct souk_task_field souk_task_service_fields[] = {
	{ .name = "readiness_probe", .types = SOUK_FIELD_STR | SOUK_FIELD_MAP | SOUK_FIELD_REQUIRED,
	  .fields = probe_fields },
	{ .name = "replicas", .types = SOUK_FIELD_INT, .min = 0, .max = MANY },
	{ .name = "replica_policy", .types = SOUK_FIELD_MAP, .fields = replica_policy_fields,
	  .read = check_replica_policy },
	{ .name = "ports", .types = SOUK_FIELD_INT, .min = 1, .max = 65535 },
	{ .name = "load_balancing_policy", .types = SOUK_FIELD_STR },
	{ .name = "load_balancer", .types = SOUK_FIELD_MAP, .fields = load_balancer_fields },
	{ .name = "tls", .types = SOUK_FIELD_MAP, .fields = tls_fields },
	{ .name = NULL },
};

const struct souk_task_field souk_task_pool_fields[] = {
	{ .name = "workers", .types = SOUK_FIELD_INT, .min = 0, .max = MANY },
	{ .name = "min_workers", .types = SOUK_FIELD_INT, .min = 0, .max = MANY },
	{ .name = "max_workers", .types = SOUK_FIELD_INT, .min = 0, .max = MANY },
	{ .name = "queue_length_threshold", .types = SOUK_FIELD_INT, .min = 1, .max = MANY },
	{ .name = "upscale_delay_seconds", .types = SOUK_FIELD_NUMBER },
	{ .name = "downscale_delay_seconds", .types = SOUK_FIELD_NUMBER },
	{ .name = NULL },
};

/* ---- config ---- */

static const char *const hook_events[] = { "stop", "preemption", "down", NULL };

static int check_hook_run(struct souk_task_parser *p, const struct souk_task_value *value,
			  void *object)
{
	size_t size = strlen(value->node->text);

	(void)object;
	if (size < 1 || size > 16384)
		souk_task_bad(p, value->node->mark, "%s: must have 1 to 16384 characters",
			      value->path);
	return SOUK_OK;
}

static int check_hook_events(struct souk_task_parser *p, const struct souk_task_value *value,
			     void *object)
{
	const struct souk_yaml *list = value->node;
	size_t i, j;

	(void)object;
	if (list->n == 0)
		souk_task_bad(p, list->mark, "%s: is empty", value->path);
	for (i = 0; i < list->n && list->n < 64; i++) {
		for (j = 0; j < i; j++) {
			if (strcmp(list->items[i]->text, list->items[j]->text) == 0)
				souk_task_bad(p, list->items[i]->mark,
					      "%s: '%.60s' stands there twice", value->path,
					      list->items[i]->text);
		}
	}
	return SOUK_OK;
}

int souk_task_check_hooks(struct souk_task_parser *p, const struct souk_task_value *value,
			  void *object)
{
	(void)object;
	if (value->node->n > 32)
		souk_task_bad(p, value->node->mark, "%s: too many hooks: over 32", value->path);
	return SOUK_OK;
}

static const struct souk_task_field hook_fields[] = {
	{ .name = "run", .types = SOUK_FIELD_STR | SOUK_FIELD_REQUIRED, .read = check_hook_run },
	{ .name = "events", .types = SOUK_FIELD_LIST | SOUK_FIELD_STRINGS, .choices = hook_events,
	  .read = check_hook_events },
	{ .name = "timeout", .types = SOUK_FIELD_INT, .min = 1, .max = MANY },
	{ .name = NULL },
};

static int read_provision_timeout(struct souk_task_parser *p, const struct souk_task_value *value,
				  void *object)
{
	(void)object;
	p->task->provision_timeout_s = (int64_t)value->node->number;
	return SOUK_OK;
}

static const struct souk_task_field docker_fields[] = {
	{ .name = "run_options", .types = SOUK_FIELD_STR | SOUK_FIELD_LIST | SOUK_FIELD_STRINGS,
	  .needs = "containers as images are not supported yet" },
	{ .name = NULL },
};

static const struct souk_task_field nvidia_fields[] = {
	{ .name = "disable_ecc", .types = SOUK_FIELD_BOOL,
	  .needs = "switching ECC off is not supported yet" },
	{ .name = NULL },
};

#define KUBERNETES_NEEDS "it belongs to Kubernetes, which is not supported yet"

static const struct souk_task_field ssh_fields[] = {
	{ .name = "provision_timeout", .types = SOUK_FIELD_INT, .min = 1, .max = 604800,
	  .read = read_provision_timeout },
	{ .name = "custom_metadata", .types = SOUK_FIELD_MAP, .needs = KUBERNETES_NEEDS },
	{ .name = "pod_config", .types = SOUK_FIELD_MAP, .needs = KUBERNETES_NEEDS },
	{ .name = NULL },
};

static const struct souk_task_field kubernetes_fields[] = {
	{ .name = "custom_metadata", .types = SOUK_FIELD_MAP },
	{ .name = "pod_config", .types = SOUK_FIELD_MAP },
	{ .name = "provision_timeout", .types = SOUK_FIELD_INT, .min = -1, .max = MANY },
	{ .name = "dws", .types = SOUK_FIELD_MAP },
	{ .name = "kueue", .types = SOUK_FIELD_MAP },
	{ .name = "quota", .types = SOUK_FIELD_ANY },
	{ .name = "remote_identity", .types = SOUK_FIELD_ANY },
	{ .name = "enable_docker", .types = SOUK_FIELD_BOOL },
	{ .name = "set_pod_resource_limits", .types = SOUK_FIELD_BOOL | SOUK_FIELD_NUMBER },
	{ .name = NULL },
};

static const struct souk_task_field azure_fields[] = {
	{ .name = "remote_identity", .types = SOUK_FIELD_ANY },
	{ .name = "vpc_name", .types = SOUK_FIELD_STR },
	{ .name = NULL },
};

static const struct souk_task_field instance_group_fields[] = {
	{ .name = "run_duration", .types = SOUK_FIELD_INT, .min = 600, .max = 604800 },
	{ .name = NULL },
};

static const struct souk_task_field gcp_fields[] = {
	{ .name = "vpc_name", .types = SOUK_FIELD_STR },
	{ .name = "subnet_names", .types = SOUK_FIELD_STR | SOUK_FIELD_LIST | SOUK_FIELD_STRINGS },
	{ .name = "managed_instance_group", .types = SOUK_FIELD_MAP | SOUK_FIELD_OPEN,
	  .fields = instance_group_fields },
	{ .name = "enable_gvnic", .types = SOUK_FIELD_BOOL },
	{ .name = "enable_gpu_direct", .types = SOUK_FIELD_BOOL },
	{ .name = "placement_policy", .types = SOUK_FIELD_STR },
	{ .name = NULL },
};

static const struct souk_task_field vast_fields[] = {
	{ .name = "datacenter_only", .types = SOUK_FIELD_BOOL },
	{ .name = "create_instance_kwargs", .types = SOUK_FIELD_MAP },
	{ .name = NULL },
};

static const struct souk_task_field slurm_fields[] = {
	{ .name = "sbatch_options", .types = SOUK_FIELD_MAP },
	{ .name = "cpu_partition", .types = SOUK_FIELD_STR },
	{ .name = NULL },
};

#define CONFIG_NEEDS "settings of a provider inside a task are not supported yet; use config.yaml"

const struct souk_task_field souk_task_config_fields[] = {
	{ .name = "docker", .types = SOUK_FIELD_MAP, .fields = docker_fields },
	{ .name = "nvidia_gpus", .types = SOUK_FIELD_MAP, .fields = nvidia_fields },
	{ .name = "ssh", .types = SOUK_FIELD_MAP, .fields = ssh_fields },
	{ .name = "kubernetes", .types = SOUK_FIELD_MAP, .fields = kubernetes_fields,
	  .needs = KUBERNETES_NEEDS },
	{ .name = "azure", .types = SOUK_FIELD_MAP, .fields = azure_fields, .needs = CONFIG_NEEDS },
	{ .name = "gcp", .types = SOUK_FIELD_MAP, .fields = gcp_fields, .needs = CONFIG_NEEDS },
	{ .name = "vast", .types = SOUK_FIELD_MAP, .fields = vast_fields, .needs = CONFIG_NEEDS },
	{ .name = "slurm", .types = SOUK_FIELD_MAP, .fields = slurm_fields, .needs = CONFIG_NEEDS },
	{ .name = "active_workspace", .types = SOUK_FIELD_STR,
	  .needs = "workspaces are not supported yet" },
	{ .name = "hooks", .types = SOUK_FIELD_LIST, .fields = hook_fields,
	  .read = souk_task_check_hooks, .needs = "hooks are not supported yet" },
	{ .name = NULL },
};

/* ---- what souk adds ---- */

#define DURATION (SOUK_FIELD_INT | SOUK_FIELD_STR)

const struct souk_task_field souk_task_limits_fields[] = {
	{ .name = "time", .types = DURATION, .read = souk_task_check_duration },
	{ .name = "cost", .types = SOUK_FIELD_NUMBER | SOUK_FIELD_POSITIVE },
	{ .name = "idle", .types = DURATION, .read = souk_task_check_duration },
	{ .name = NULL },
};

const struct souk_task_field souk_task_retry_fields[] = {
	{ .name = "attempts", .types = SOUK_FIELD_INT, .min = 1, .max = MANY },
	{ .name = "on_exit_codes", .types = SOUK_FIELD_INT | SOUK_FIELD_LIST | SOUK_FIELD_INTS,
	  .min = 0, .max = 255 },
	{ .name = "backoff", .types = DURATION, .read = souk_task_check_duration },
	{ .name = NULL },
};
