/* SPDX-License-Identifier: Apache-2.0 */
/* task-resources.c - the fields of 'resources', for one alternative */
#include "model/task-internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/util.h"

#define MAX_PAIRS 1000u
#define DOCKER_NEEDS "containers as images are not supported yet"

const char *const souk_task_disk_tiers[] = { "low", "medium", "high", "ultra", "best", NULL };
static const char *const network_tiers[] = { "standard", "best", NULL };
static const char *const storage_types[] = { "instance", "network", NULL };
static const char *const attach_modes[] = { "read_only", "read_write", NULL };

/* Set the provider, lower case, if there is one of that name. */
static int set_provider(struct souk_task_parser *p, const struct souk_task_value *value,
			const char *text, struct souk_request *request)
{
	const struct souk_task_context *context = p->context;
	const char *why = NULL, *names = NULL;
	int ret;

	ret = souk_task_set_lower(p, &request->provider, text);
	if (ret < 0)
		return ret;
	if (strcmp(request->provider, "k8s") == 0) {
		ret = souk_task_set(p, &request->provider, "kubernetes");
		if (ret < 0)
			return ret;
	}
	/* Which providers there are is the caller's knowledge; without any, every name will do. */
	if (!context || !context->provider_known ||
	    context->provider_known(request->provider, &why, context->arg))
		return SOUK_OK;
	if (context->provider_names)
		names = context->provider_names(context->arg);
	souk_task_bad(p, value->node ? value->node->mark : value->key,
		      "%s: no provider '%.60s'%s%s%s%s", value->path, text, why ? ": " : "",
		      why ? why : "", names ? "; installed: " : "", names ? names : "");
	return SOUK_OK;
}

/* A part of infra: NULL for "*". */
static int set_part(struct souk_task_parser *p, char **slot, const char *text, size_t size)
{
	char part[120];

	snprintf(part, sizeof(part), "%.*s", (int)size, text);
	return souk_task_set(p, slot, strcmp(part, "*") == 0 ? NULL : part);
}

static int bad_infra(struct souk_task_parser *p, const struct souk_task_value *value,
		     const char *text)
{
	souk_task_bad(p, value->node ? value->node->mark : value->key,
		      "%s: '%.60s' is not PROVIDER[/REGION[/ZONE]]; '*' stands for any",
		      value->path, text);
	return SOUK_OK;
}

/* Kubernetes contexts may contain slashes; pools of one's own hosts become a region. */
static int set_special(struct souk_task_parser *p, const struct souk_task_value *value,
		       const char *text, const char *rest, struct souk_request *request)
{
	int ssh = strncasecmp(text, "ssh", 3) == 0;
	char region[160];
	int ret;

	ret = set_provider(p, value, ssh ? "ssh" : "kubernetes", request);
	if (ret < 0 || !rest)
		return ret;
	if (*rest == '\0' || strlen(rest) > 120 || (ssh && strchr(rest, '/')))
		return bad_infra(p, value, text);
	snprintf(region, sizeof(region), "%s%s", ssh ? "ssh-" : "", rest);
	return souk_task_set(p, &request->region, region);
}

int souk_task_set_infra(struct souk_task_parser *p, const struct souk_task_value *value,
			const char *text, struct souk_request *request)
{
	char **slots[] = { &request->provider, &request->region, &request->zone };
	size_t first = strcspn(text, "/"), i;
	const char *part = text;
	int ret;

	for (i = 0; i < SOUK_ARRAY_SIZE(slots); i++) {
		ret = souk_task_set(p, slots[i], NULL);
		if (ret < 0)
			return ret;
	}
	if ((first == 3 &&
	     (strncasecmp(text, "k8s", 3) == 0 || strncasecmp(text, "ssh", 3) == 0)) ||
	    (first == 10 && strncasecmp(text, "kubernetes", 10) == 0))
		return set_special(p, value, text, text[first] ? text + first + 1 : NULL, request);
	for (i = 0; i < SOUK_ARRAY_SIZE(slots); i++) {
		size_t size = strcspn(part, "/");

		if (size == 0 || size > 100 || isspace((unsigned char)part[0]) ||
		    isspace((unsigned char)part[size - 1]))
			return bad_infra(p, value, text);
		ret = set_part(p, slots[i], part, size);
		if (ret < 0)
			return ret;
		part += size;
		if (*part == '\0')
			break;
		part++;
		if (i == 2)
			return bad_infra(p, value, text);
	}
	if (request->provider) {
		SOUK_AUTO_FREE char *name = souk_strdup(request->provider);

		return name ? set_provider(p, value, name, request) : souk_error_nomem(p->err);
	}
	return SOUK_OK;
}

static int read_infra(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct souk_task_draft *draft = object;

	draft->infra = value->key;
	return souk_task_set_infra(p, value, value->node->text, &draft->request);
}

static int read_cloud(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct souk_task_draft *draft = object;

	draft->place = value->key;
	return set_provider(p, value, value->node->text, &draft->request);
}

static int read_place(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct souk_task_draft *draft = object;
	size_t size = strlen(value->path);
	int zone = size >= 5 && strcmp(value->path + size - 5, ".zone") == 0;

	draft->place = value->key;
	if (value->node->text[0] == '\0' || strchr(value->node->text, '/')) {
		souk_task_bad(p, value->node->mark, "%s: '%.60s' is not the name of a %s",
			      value->path, value->node->text, zone ? "zone" : "region");
		return SOUK_OK;
	}
	return souk_task_set(p, zone ? &draft->request.zone : &draft->request.region,
			     value->node->text);
}

static int read_amount(struct souk_task_parser *p, const struct souk_task_value *value,
		       struct souk_amount *amount,
		       int (*parse)(const char *text, struct souk_amount *out,
				    struct souk_error *err))
{
	struct souk_error why = SOUK_ERROR_INIT;

	return parse(value->node->text, amount, &why) < 0 ? souk_task_refuse(p, value, &why) :
							    SOUK_OK;
}

static int read_cpus(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct souk_task_draft *draft = object;

	return read_amount(p, value, &draft->request.cpus, souk_parse_amount_cpus);
}

static int read_memory(struct souk_task_parser *p, const struct souk_task_value *value,
		       void *object)
{
	struct souk_task_draft *draft = object;

	return read_amount(p, value, &draft->request.memory, souk_parse_amount_memory);
}

static int read_accelerators(struct souk_task_parser *p, const struct souk_task_value *value,
			     void *object)
{
	struct souk_task_draft *draft = object;

	if (draft->first_accelerators.line) {
		souk_task_bad(p, value->key,
			      "%s: 'accelerators' and 'gpus' are one field; remove one of them",
			      value->path);
		return SOUK_OK;
	}
	draft->first_accelerators = value->key;
	draft->accelerators_ordered = value->node->type == SOUK_YAML_LIST;
	return souk_task_read_accelerators(p, value, &draft->accelerators, &draft->n_accelerators);
}

static int read_instance_type(struct souk_task_parser *p, const struct souk_task_value *value,
			      void *object)
{
	struct souk_task_draft *draft = object;

	if (value->node->text[0] == '\0') {
		souk_task_bad(p, value->node->mark, "%s: is empty", value->path);
		return SOUK_OK;
	}
	return souk_task_set(p, &draft->request.instance_type, value->node->text);
}

static int read_use_spot(struct souk_task_parser *p, const struct souk_task_value *value,
			 void *object)
{
	struct souk_task_draft *draft = object;

	(void)p;
	draft->request.use_spot = value->node->integer != 0;
	draft->request.use_spot_given = 1;
	return SOUK_OK;
}

static int read_disk_size(struct souk_task_parser *p, const struct souk_task_value *value,
			  void *object)
{
	struct souk_task_draft *draft = object;
	struct souk_error why = SOUK_ERROR_INIT;

	return souk_parse_disk_gib(value->node->text, &draft->request.disk_size_gib, &why) < 0 ?
		       souk_task_refuse(p, value, &why) :
		       SOUK_OK;
}

static int read_ephemeral_storage(struct souk_task_parser *p, const struct souk_task_value *value,
				  void *object)
{
	struct souk_task_draft *draft = object;
	struct souk_error why = SOUK_ERROR_INIT;

	return souk_parse_disk_gib(value->node->text, &draft->request.ephemeral_storage_gib, &why) <
			       0 ?
		       souk_task_refuse(p, value, &why) :
		       SOUK_OK;
}

static int read_disk_tier(struct souk_task_parser *p, const struct souk_task_value *value,
			  void *object)
{
	struct souk_task_draft *draft = object;

	return souk_task_set_lower(p, &draft->request.disk_tier, value->node->text);
}

static int read_network_tier(struct souk_task_parser *p, const struct souk_task_value *value,
			     void *object)
{
	struct souk_task_draft *draft = object;
	int ret;

	ret = souk_task_set_lower(p, &draft->request.network_tier, value->node->text);
	if (ret < 0 || strcmp(draft->request.network_tier, "standard") == 0)
		return ret;
	return souk_task_unsupported(p, value->key, value->path,
				     "networks of a higher tier are not supported yet");
}

static int read_local_disk(struct souk_task_parser *p, const struct souk_task_value *value,
			   void *object)
{
	struct souk_task_draft *draft = object;
	struct souk_error why = SOUK_ERROR_INIT;

	return souk_parse_local_disk(value->node->text, &draft->request.local_disk, &why) < 0 ?
		       souk_task_refuse(p, value, &why) :
		       SOUK_OK;
}

static int read_max_hourly_cost(struct souk_task_parser *p, const struct souk_task_value *value,
				void *object)
{
	struct souk_task_draft *draft = object;
	struct souk_error why = SOUK_ERROR_INIT;

	return souk_parse_hourly(value->node->text, &draft->request.max_hourly_micros, &why) < 0 ?
		       souk_task_refuse(p, value, &why) :
		       SOUK_OK;
}

static int add_ports(struct souk_task_parser *p, const struct souk_task_value *value,
		     struct souk_request *request)
{
	struct souk_error why = SOUK_ERROR_INIT;
	char text[32];
	const char *ports = value->node->text;

	/* A list lets 8080.0 pass as an integer; the grammar of ports has no fractions. */
	if (value->node->type == SOUK_YAML_FLOAT) {
		snprintf(text, sizeof(text), "%.0f", value->node->number);
		ports = text;
	}
	return souk_parse_ports(ports, &request->ports, &request->n_ports, &why) < 0 ?
		       souk_task_refuse(p, value, &why) :
		       SOUK_OK;
}

static int read_ports(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct souk_task_draft *draft = object;
	struct souk_request *request = &draft->request;
	char path[SOUK_TASK_PATH_SIZE];
	size_t i;
	int ret;

	if (value->node->type != SOUK_YAML_LIST) {
		ret = add_ports(p, value, request);
		if (ret < 0)
			return ret;
	}
	for (i = 0; value->node->type == SOUK_YAML_LIST && i < value->node->n; i++) {
		const struct souk_yaml *item = value->node->items[i];
		struct souk_task_value inner = { path, item->mark, item };

		snprintf(path, sizeof(path), "%s[%zu]", value->path, i);
		ret = add_ports(p, &inner, request);
		if (ret < 0)
			return ret;
	}
	souk_ports_normalise(request->ports, &request->n_ports);
	return SOUK_OK;
}

/* Maps of strings become lists of pairs, which are searched in a row. */
static int too_many(struct souk_task_parser *p, const struct souk_task_value *value)
{
	if (value->node->n <= MAX_PAIRS)
		return 0;
	souk_task_bad(p, value->node->mark, "%s: too many: over %u", value->path, MAX_PAIRS);
	return 1;
}

static int read_labels(struct souk_task_parser *p, const struct souk_task_value *value,
		       void *object)
{
	struct souk_task_draft *draft = object;
	size_t i;

	for (i = 0; i < value->node->n && !too_many(p, value); i++) {
		const struct souk_yaml_entry *entry = &value->node->entries[i];

		if (souk_pairs_set(&draft->request.labels, entry->key->text, entry->value->text,
				   p->err) < 0)
			return SOUK_E_NOMEM;
	}
	return SOUK_OK;
}

int souk_task_set_image(struct souk_task_parser *p, const struct souk_task_value *value,
			const char *text, struct souk_request *request)
{
	struct souk_mark mark = value->node ? value->node->mark : value->key;

	if (text[0] == '\0' || strcmp(text, "docker:") == 0) {
		souk_task_bad(p, mark, "%s: '%.60s' names no image", value->path, text);
		return SOUK_OK;
	}
	if (strncmp(text, "docker:", 7) == 0 &&
	    souk_task_unsupported(p, value->key, value->path, DOCKER_NEEDS) < 0)
		return SOUK_E_NOMEM;
	souk_pairs_fini(&request->images);
	return souk_task_set(p, &request->image, text);
}

static int read_image_map(struct souk_task_parser *p, const struct souk_task_value *value,
			  struct souk_request *request)
{
	const struct souk_yaml *docker = souk_yaml_get(value->node, "docker");
	int container = docker != NULL;
	size_t i;

	for (i = 0; i < value->node->n && !too_many(p, value); i++) {
		const struct souk_yaml_entry *entry = &value->node->entries[i];
		int is_docker = strncmp(entry->value->text, "docker:", 7) == 0;

		if (docker && is_docker) {
			souk_task_bad(p, entry->value->mark,
				      "%s.%.60s: a container is named by the key 'docker' already",
				      value->path, entry->key->text);
			return SOUK_OK;
		}
		container |= is_docker;
		if (souk_pairs_set(&request->images, entry->key->text, entry->value->text, p->err) <
		    0)
			return SOUK_E_NOMEM;
	}
	return container ? souk_task_unsupported(p, value->key, value->path, DOCKER_NEEDS)
			 : SOUK_OK;
}

static int read_image_id(struct souk_task_parser *p, const struct souk_task_value *value,
			 void *object)
{
	struct souk_task_draft *draft = object;

	if (value->node->type == SOUK_YAML_MAP)
		return read_image_map(p, value, &draft->request);
	return souk_task_set_image(p, value, value->node->text, &draft->request);
}

static int read_priority(struct souk_task_parser *p, const struct souk_task_value *value,
			 void *object)
{
	struct souk_task_draft *draft = object;

	draft->priority = value->key;
	draft->request.priority = (int)value->node->number;
	if (draft->request.priority == 0)
		return SOUK_OK;
	return souk_task_unsupported(p, value->key, value->path,
				     "priorities are not supported yet");
}

static int read_priority_class(struct souk_task_parser *p, const struct souk_task_value *value,
			       void *object)
{
	struct souk_task_draft *draft = object;

	draft->priority_class = value->key;
	return souk_task_set(p, &draft->request.priority_class, value->node->text);
}

static int read_accelerator_args(struct souk_task_parser *p, const struct souk_task_value *value,
				 void *object)
{
	struct souk_task_draft *draft = object;
	size_t i;

	for (i = 0; i < value->node->n; i++) {
		const struct souk_yaml_entry *entry = &value->node->entries[i];

		if (entry->value->text && entry->value->type != SOUK_YAML_NULL &&
		    souk_pairs_set(&draft->request.accelerator_args, entry->key->text,
				   entry->value->text, p->err) < 0)
			return SOUK_E_NOMEM;
	}
	return SOUK_OK;
}

static int read_extra_disks(struct souk_task_parser *p, const struct souk_task_value *value,
			    void *object)
{
	size_t i;

	(void)object;
	for (i = 0; i < value->node->n; i++) {
		const struct souk_yaml *item = value->node->items[i];
		const struct souk_yaml *type = souk_yaml_get(item, "storage_type");
		const struct souk_yaml *name = souk_yaml_get(item, "name");
		int network = !type || type->type != SOUK_YAML_STR ||
			      strcasecmp(type->text, "network") == 0;

		if (network && (!name || name->type == SOUK_YAML_NULL))
			souk_task_bad(p, item->mark, "%s[%zu]: a network disk needs a 'name'",
				      value->path, i);
	}
	return SOUK_OK;
}

static const struct souk_task_field accelerator_args_fields[] = {
	{ .name = "runtime_version", .types = SOUK_FIELD_STR },
	{ .name = "tpu_name", .types = SOUK_FIELD_STR },
	{ .name = "tpu_vm", .types = SOUK_FIELD_BOOL },
	{ .name = "gcp_queued_resource", .types = SOUK_FIELD_BOOL },
	{ .name = NULL },
};

static const struct souk_task_field extra_disk_fields[] = {
	{ .name = "path", .types = SOUK_FIELD_STR },
	{ .name = "name", .types = SOUK_FIELD_STR },
	{ .name = "disk_size",
	  .types = SOUK_FIELD_INT | SOUK_FIELD_STR,
	  .read = souk_task_check_disk },
	{ .name = "disk_tier", .types = SOUK_FIELD_STR, .choices = souk_task_disk_tiers },
	{ .name = "auto_delete", .types = SOUK_FIELD_BOOL },
	{ .name = "storage_type", .types = SOUK_FIELD_STR, .choices = storage_types },
	{ .name = "attach_mode", .types = SOUK_FIELD_STR, .choices = attach_modes },
	{ .name = NULL },
};

#define SIZE (SOUK_FIELD_INT | SOUK_FIELD_STR)
#define AMOUNT (SOUK_FIELD_NUMBER | SOUK_FIELD_STR)
#define DEVICES (SOUK_FIELD_STR | SOUK_FIELD_LIST | SOUK_FIELD_MAP)

/* any_of and ordered are taken out before; they are here for the nearest name. */
static const struct souk_task_field resources_fields[] = {
	{ .name = "infra", .types = SOUK_FIELD_STR, .read = read_infra },
	{ .name = "cloud", .types = SOUK_FIELD_STR, .read = read_cloud },
	{ .name = "region", .types = SOUK_FIELD_STR, .read = read_place },
	{ .name = "zone", .types = SOUK_FIELD_STR, .read = read_place },
	{ .name = "cpus", .types = AMOUNT, .read = read_cpus },
	{ .name = "memory", .types = AMOUNT, .read = read_memory },
	{ .name = "accelerators", .types = DEVICES, .read = read_accelerators },
	{ .name = "gpus", .types = DEVICES, .read = read_accelerators },
	{ .name = "accelerator_args", .types = SOUK_FIELD_MAP, .fields = accelerator_args_fields,
	  .read = read_accelerator_args, .needs = "settings of TPUs are not supported yet" },
	{ .name = "instance_type", .types = SOUK_FIELD_STR, .read = read_instance_type },
	{ .name = "use_spot", .types = SOUK_FIELD_BOOL, .read = read_use_spot },
	{ .name = "job_recovery", .types = SOUK_FIELD_STR | SOUK_FIELD_MAP,
	  .read = souk_task_read_recovery },
	{ .name = "disk_size", .types = SIZE, .read = read_disk_size },
	{ .name = "ephemeral_storage", .types = SIZE, .read = read_ephemeral_storage,
	  .needs = "it belongs to Kubernetes, which is not supported yet" },
	{ .name = "disk_tier", .types = SOUK_FIELD_STR, .choices = souk_task_disk_tiers,
	  .read = read_disk_tier },
	{ .name = "network_tier", .types = SOUK_FIELD_STR, .choices = network_tiers,
	  .read = read_network_tier },
	{ .name = "local_disk", .types = SOUK_FIELD_STR, .read = read_local_disk },
	{ .name = "max_hourly_cost", .types = SOUK_FIELD_NUMBER | SOUK_FIELD_POSITIVE,
	  .read = read_max_hourly_cost },
	{ .name = "ports", .types = SOUK_FIELD_INT | SOUK_FIELD_STR | SOUK_FIELD_LIST |
				    SOUK_FIELD_INTS | SOUK_FIELD_STRINGS, .read = read_ports },
	{ .name = "labels", .types = SOUK_FIELD_MAP | SOUK_FIELD_STRINGS, .read = read_labels },
	{ .name = "image_id", .types = SOUK_FIELD_STR | SOUK_FIELD_MAP | SOUK_FIELD_STRINGS,
	  .read = read_image_id },
	{ .name = "autostop", .types = SOUK_FIELD_BOOL | SOUK_FIELD_INT | SOUK_FIELD_STR |
				       SOUK_FIELD_MAP, .read = souk_task_read_autostop },
	{ .name = "priority", .types = SOUK_FIELD_INT, .min = -1000, .max = 1000,
	  .read = read_priority },
	{ .name = "priority_class", .types = SOUK_FIELD_STR, .read = read_priority_class,
	  .needs = "priorities are not supported yet" },
	{ .name = "volumes", .types = SOUK_FIELD_LIST, .fields = extra_disk_fields,
	  .read = read_extra_disks, .needs = "extra disks are not supported yet" },
	{ .name = "any_of", .types = SOUK_FIELD_LIST },
	{ .name = "ordered", .types = SOUK_FIELD_LIST },
	{ .name = NULL },
};

int souk_task_read_draft(struct souk_task_parser *p, const struct souk_task_value *map,
			 struct souk_task_draft *draft)
{
	int ret;

	ret = souk_task_read_fields(p, map, resources_fields, 0, draft);
	if (ret < 0)
		return ret;
	if (draft->infra.line && draft->place.line)
		souk_task_bad(
			p, draft->place,
			"%s: 'infra' says provider, region and zone already; remove the others",
			map->path);
	if (draft->priority.line && draft->priority_class.line)
		souk_task_bad(p, draft->priority_class,
			      "%s: either 'priority' or 'priority_class', not both", map->path);
	return SOUK_OK;
}

void souk_task_draft_fini(struct souk_task_draft *draft)
{
	size_t i;

	souk_request_fini(&draft->request);
	for (i = 0; i < draft->n_accelerators; i++)
		souk_accelerator_fini(&draft->accelerators[i]);
	free(draft->accelerators);
}
