/* SPDX-License-Identifier: Apache-2.0 */
/* task-overrides.c - what the command line puts over a task: every flag, "none" clears */
#include "model/task-internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/util.h"

/* A flag: 'apply' puts its text (NULL for "none") over one request. */
struct flag {
	const char *name;
	const char *text;
	int (*apply)(struct souk_task_parser *p, const struct souk_task_value *value,
		     const char *text, struct souk_request *request);
};

static int apply_infra(struct souk_task_parser *p, const struct souk_task_value *value,
		       const char *text, struct souk_request *request)
{
	return souk_task_set_infra(p, value, text ? text : "*", request);
}

static int apply_accelerators(struct souk_task_parser *p, const struct souk_task_value *value,
			      const char *text, struct souk_request *request)
{
	struct souk_error why = SOUK_ERROR_INIT;

	souk_accelerator_fini(&request->accelerator);
	souk_pairs_fini(&request->accelerator_args);
	if (!text)
		return SOUK_OK;
	if (souk_parse_accelerator(text, &request->accelerator, &why) < 0)
		return souk_task_refuse(p, value, &why);
	return SOUK_OK;
}

static int apply_amount(struct souk_task_parser *p, const struct souk_task_value *value,
			const char *text, struct souk_amount *amount,
			int (*parse)(const char *text, struct souk_amount *out,
				     struct souk_error *err))
{
	struct souk_error why = SOUK_ERROR_INIT;

	memset(amount, 0, sizeof(*amount));
	return text && parse(text, amount, &why) < 0 ? souk_task_refuse(p, value, &why) : SOUK_OK;
}

static int apply_cpus(struct souk_task_parser *p, const struct souk_task_value *value,
		      const char *text, struct souk_request *request)
{
	return apply_amount(p, value, text, &request->cpus, souk_parse_amount_cpus);
}

static int apply_memory(struct souk_task_parser *p, const struct souk_task_value *value,
			const char *text, struct souk_request *request)
{
	return apply_amount(p, value, text, &request->memory, souk_parse_amount_memory);
}

static int apply_instance_type(struct souk_task_parser *p, const struct souk_task_value *value,
			       const char *text, struct souk_request *request)
{
	(void)value;
	return souk_task_set(p, &request->instance_type, text);
}

static int apply_disk_size(struct souk_task_parser *p, const struct souk_task_value *value,
			   const char *text, struct souk_request *request)
{
	struct souk_error why = SOUK_ERROR_INIT;

	request->disk_size_gib = 0;
	return text && souk_parse_disk_gib(text, &request->disk_size_gib, &why) < 0 ?
		       souk_task_refuse(p, value, &why) :
		       SOUK_OK;
}

static int apply_disk_tier(struct souk_task_parser *p, const struct souk_task_value *value,
			   const char *text, struct souk_request *request)
{
	size_t i;

	if (!text)
		return souk_task_set(p, &request->disk_tier, NULL);
	for (i = 0; souk_task_disk_tiers[i]; i++) {
		if (strcasecmp(souk_task_disk_tiers[i], text) == 0)
			return souk_task_set(p, &request->disk_tier, souk_task_disk_tiers[i]);
	}
	souk_task_bad(p, value->key,
		      "%s: '%.60s' is not one of: low, medium, high, ultra, best, none",
		      value->path, text);
	return SOUK_OK;
}

static int apply_image_id(struct souk_task_parser *p, const struct souk_task_value *value,
			  const char *text, struct souk_request *request)
{
	if (text)
		return souk_task_set_image(p, value, text, request);
	souk_pairs_fini(&request->images);
	return souk_task_set(p, &request->image, NULL);
}

static int apply_ports(struct souk_task_parser *p, const struct souk_task_value *value,
		       const char *text, struct souk_request *request)
{
	struct souk_error why = SOUK_ERROR_INIT;

	free(request->ports);
	request->ports = NULL;
	request->n_ports = 0;
	if (text && souk_parse_ports(text, &request->ports, &request->n_ports, &why) < 0)
		return souk_task_refuse(p, value, &why);
	souk_ports_normalise(request->ports, &request->n_ports);
	return SOUK_OK;
}

static int apply_max_hourly_cost(struct souk_task_parser *p, const struct souk_task_value *value,
				 const char *text, struct souk_request *request)
{
	struct souk_error why = SOUK_ERROR_INIT;

	request->max_hourly_micros = 0;
	return text && souk_parse_hourly(text, &request->max_hourly_micros, &why) < 0 ?
		       souk_task_refuse(p, value, &why) :
		       SOUK_OK;
}

static int apply_flag(struct souk_task_parser *p, const struct flag *flag)
{
	struct souk_task_value value = { .path = flag->name };
	const char *text = strcasecmp(flag->text, "none") == 0 ? NULL : flag->text;
	size_t i;
	int ret;

	for (i = 0; i < p->task->n_requests; i++) {
		ret = flag->apply(p, &value, text, &p->task->requests[i]);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

/* A flag can make alternatives equal that differed in the file: the first is kept. */
static void drop_equal(struct souk_task *task)
{
	size_t i, j, kept = 0;

	for (i = 0; i < task->n_requests; i++) {
		for (j = 0; j < kept; j++) {
			if (souk_request_equal(&task->requests[j], &task->requests[i]))
				break;
		}
		if (j < kept)
			souk_request_fini(&task->requests[i]);
		else
			task->requests[kept++] = task->requests[i];
	}
	task->n_requests = kept;
}

static int apply_task_flags(struct souk_task_parser *p)
{
	const struct souk_overrides *o = p->overrides;
	struct souk_task *task = p->task;
	size_t i;
	int ret;

	if (o->num_nodes > 0)
		task->num_nodes = o->num_nodes;
	for (i = 0; o->use_spot && i < task->n_requests; i++) {
		task->requests[i].use_spot = o->use_spot > 0;
		task->requests[i].use_spot_given = 1;
	}
	if (o->name) {
		ret = souk_task_set(p, &task->name, o->name);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

int souk_task_apply_overrides(struct souk_task_parser *p)
{
	const struct souk_overrides *o = p->overrides;
	const struct flag flags[] = {
		{ "--infra", o->infra, apply_infra },
		{ "--gpus", o->accelerators, apply_accelerators },
		{ "--cpus", o->cpus, apply_cpus },
		{ "--memory", o->memory, apply_memory },
		{ "--instance-type", o->instance_type, apply_instance_type },
		{ "--disk-size", o->disk_size, apply_disk_size },
		{ "--disk-tier", o->disk_tier, apply_disk_tier },
		{ "--image-id", o->image_id, apply_image_id },
		{ "--ports", o->ports, apply_ports },
		{ "--max-hourly-cost", o->max_hourly_cost, apply_max_hourly_cost },
	};
	size_t i;
	int ret;

	if (o->image_id)
		souk_task_drop_unsupported(p->task, "image_id");
	if (o->accelerators)
		souk_task_drop_unsupported(p->task, "accelerator_args");
	for (i = 0; i < SOUK_ARRAY_SIZE(flags); i++) {
		ret = flags[i].text ? apply_flag(p, &flags[i]) : SOUK_OK;
		if (ret < 0)
			return ret;
	}
	ret = apply_task_flags(p);
	if (ret == SOUK_OK)
		drop_equal(p->task);
	return ret;
}
