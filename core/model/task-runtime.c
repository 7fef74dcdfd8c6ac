/* SPDX-License-Identifier: Apache-2.0 */
/* task-runtime.c - what becomes of machines and jobs over time: autostop, job_recovery */
#include "model/task-internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/util.h"

#define DEFAULT_IDLE_MINUTES 5u

static const char *const wait_choices[] = { "jobs_and_ssh", "jobs", "none", NULL };

static int read_idle(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct souk_task_draft *draft = object;

	(void)p;
	draft->request.autostop.idle_minutes = (uint32_t)value->node->number;
	return SOUK_OK;
}

static int read_down(struct souk_task_parser *p, const struct souk_task_value *value, void *object)
{
	struct souk_task_draft *draft = object;

	(void)p;
	draft->request.autostop.down = value->node->integer != 0;
	return SOUK_OK;
}

static int read_wait_for(struct souk_task_parser *p, const struct souk_task_value *value,
			 void *object)
{
	struct souk_task_draft *draft = object;

	(void)p;
	draft->request.autostop.wait_for =
		strcasecmp(value->node->text, "none") == 0 ? SOUK_WAIT_NONE :
		strcasecmp(value->node->text, "jobs") == 0 ? SOUK_WAIT_JOBS :
							     SOUK_WAIT_JOBS_AND_SSH;
	return SOUK_OK;
}

#define HOOK_NEEDS "hooks are not supported yet"

static const struct souk_task_field autostop_fields[] = {
	{ .name = "idle_minutes", .types = SOUK_FIELD_INT, .min = 0, .max = UINT32_MAX,
	  .read = read_idle },
	{ .name = "down", .types = SOUK_FIELD_BOOL, .read = read_down },
	{ .name = "wait_for", .types = SOUK_FIELD_STR, .choices = wait_choices,
	  .read = read_wait_for },
	{ .name = "hook", .types = SOUK_FIELD_STR, .needs = HOOK_NEEDS },
	{ .name = "hook_timeout", .types = SOUK_FIELD_INT, .min = 1, .max = UINT32_MAX,
	  .needs = HOOK_NEEDS },
	{ .name = NULL },
};

int souk_task_read_autostop(struct souk_task_parser *p, const struct souk_task_value *value,
			    void *object)
{
	struct souk_task_draft *draft = object;
	struct souk_autostop *autostop = &draft->request.autostop;
	struct souk_error why = SOUK_ERROR_INIT;

	autostop->set = 1;
	autostop->enabled = 1;
	autostop->idle_minutes = DEFAULT_IDLE_MINUTES;
	switch (value->node->type) {
	case SOUK_YAML_BOOL:
		autostop->enabled = value->node->integer != 0;
		return SOUK_OK;
	case SOUK_YAML_MAP:
		return souk_task_read_fields(p, value, autostop_fields, 0, object);
	case SOUK_YAML_STR:
		return souk_parse_duration_minutes(value->node->text, &autostop->idle_minutes,
						   &why) < 0 ?
			       souk_task_refuse(p, value, &why) :
			       SOUK_OK;
	default:
		break;
	}
	if (value->node->number < 0 || value->node->number > UINT32_MAX)
		souk_task_bad(p, value->node->mark, "%s: minutes cannot be %.40s", value->path,
			      value->node->text);
	else
		autostop->idle_minutes = (uint32_t)value->node->number;
	return SOUK_OK;
}

/* "none" as it stands, and in any other case too, leaves it unset. */
static int read_strategy(struct souk_task_parser *p, const struct souk_task_value *value,
			 void *object)
{
	struct souk_task_draft *draft = object;
	char *c;
	int ret;

	if (strcasecmp(value->node->text, "none") == 0)
		return SOUK_OK;
	if (value->node->text[0] == '\0') {
		souk_task_bad(p, value->node->mark, "%s: is empty", value->path);
		return SOUK_OK;
	}
	ret = souk_task_set(p, &draft->request.recovery.strategy, value->node->text);
	if (ret < 0)
		return ret;
	for (c = draft->request.recovery.strategy; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	return SOUK_OK;
}

static int read_restarts(struct souk_task_parser *p, const struct souk_task_value *value,
			 void *object)
{
	struct souk_task_draft *draft = object;

	(void)p;
	draft->request.recovery.max_restarts_on_errors = (uint32_t)value->node->number;
	return SOUK_OK;
}

static int add_exit_code(struct souk_task_parser *p, const struct souk_task_value *value,
			 const struct souk_yaml *node, struct souk_job_recovery *recovery)
{
	int code = (int)node->number;
	size_t i;
	int ret;

	for (i = 0; i < recovery->n_exit_codes; i++) {
		if (recovery->exit_codes[i] == code) {
			souk_task_bad(p, node->mark, "%s: %d stands there twice", value->path,
				      code);
			return SOUK_OK;
		}
	}
	ret = souk_task_grow(p, &recovery->exit_codes, recovery->n_exit_codes, sizeof(int));
	if (ret < 0)
		return ret;
	recovery->exit_codes[recovery->n_exit_codes++] = code;
	return SOUK_OK;
}

static int read_exit_codes(struct souk_task_parser *p, const struct souk_task_value *value,
			   void *object)
{
	struct souk_task_draft *draft = object;
	size_t i;
	int ret;

	if (value->node->type != SOUK_YAML_LIST)
		return add_exit_code(p, value, value->node, &draft->request.recovery);
	for (i = 0; i < value->node->n; i++) {
		ret = add_exit_code(p, value, value->node->items[i], &draft->request.recovery);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static const struct souk_task_field recovery_fields[] = {
	{ .name = "strategy", .types = SOUK_FIELD_STR, .read = read_strategy },
	{ .name = "max_restarts_on_errors", .types = SOUK_FIELD_INT, .min = 0, .max = UINT32_MAX,
	  .read = read_restarts },
	{ .name = "recover_on_exit_codes",
	  .types = SOUK_FIELD_INT | SOUK_FIELD_LIST | SOUK_FIELD_INTS, .min = 0, .max = 255,
	  .read = read_exit_codes },
	{ .name = NULL },
};

int souk_task_read_recovery(struct souk_task_parser *p, const struct souk_task_value *value,
			    void *object)
{
	struct souk_task_draft *draft = object;
	const struct souk_job_recovery *recovery = &draft->request.recovery;
	int ret;

	ret = value->node->type == SOUK_YAML_MAP ?
		      souk_task_read_fields(p, value, recovery_fields, 0, object) :
		      read_strategy(p, value, object);
	if (ret < 0)
		return ret;
	if (!recovery->strategy && recovery->max_restarts_on_errors == 0 &&
	    recovery->n_exit_codes == 0)
		return SOUK_OK;
	return souk_task_unsupported(p, value->key, value->path,
				     "jobs that souk recovers are not supported yet");
}
