/* SPDX-License-Identifier: Apache-2.0 */
/* model/task-internal.h - what the files that read a task file share */
#ifndef SOUK_MODEL_TASK_INTERNAL_H
#define SOUK_MODEL_TASK_INTERNAL_H

#include "model/task.h"
#include "model/yaml.h"

#define SOUK_TASK_PATH_SIZE 200

/* One reading of a file. */
struct souk_task_parser {
	struct souk_report *report;
	const struct souk_task_context *context; /* may be NULL */
	const struct souk_overrides *overrides;	 /* may be NULL */
	const char *folder;			 /* of relative paths; NULL: the current one */
	struct souk_task *task;			 /* the one being read */
	size_t substituted;			 /* bytes of text, before and after, so far */
	size_t requested;			 /* bytes of all requests so far, of all tasks */
	struct souk_error *err;
};

/* A value and where it stands: "resources.any_of[1].cpus". */
struct souk_task_value {
	const char *path;
	struct souk_mark key;
	const struct souk_yaml *node;
};

/* What a field may be. */
enum {
	SOUK_FIELD_BOOL = 1u << 0,
	SOUK_FIELD_INT = 1u << 1,	/* 2.0 passes, as in JSON schemas */
	SOUK_FIELD_EXACT_INT = 1u << 2, /* 2.0 does not */
	SOUK_FIELD_NUMBER = 1u << 3,
	SOUK_FIELD_STR = 1u << 4,
	SOUK_FIELD_LIST = 1u << 5,
	SOUK_FIELD_MAP = 1u << 6,
	SOUK_FIELD_ANY = 1u << 7,
	SOUK_FIELD_REQUIRED = 1u << 8,	/* of its map */
	SOUK_FIELD_STRINGS = 1u << 9,	/* the values of the map, or items of the list, are strings */
	SOUK_FIELD_INTS = 1u << 10,	/* items are integers, bounded by min and max */
	SOUK_FIELD_OPEN = 1u << 11,	/* the map may have other keys than 'fields' */
	SOUK_FIELD_NULL = 1u << 12,	/* 'read' wants to see null too */
	SOUK_FIELD_POSITIVE = 1u << 13	/* numbers over 0 */
};

/*
 * A field of a map: its types, bounds, choices and inner fields are checked in that order,
 * then 'read' gets it. null counts as not given. Tables end with a NULL name.
 */
struct souk_task_field {
	const char *name;
	unsigned types;
	int64_t min, max;		      /* of integers, if max > min */
	const char *const *choices;	      /* of strings, in any case; ended by NULL */
	const struct souk_task_field *fields; /* of a map, or of a list's items */
	int (*read)(struct souk_task_parser *p, const struct souk_task_value *value, void *object);
	const char *needs; /* valid, but without effect yet: recorded as unsupported with this */
};

/* All return SOUK_OK or NOMEM; what is wrong with the file goes to the report. */

/* task-fields.c */
int souk_task_read_fields(struct souk_task_parser *p, const struct souk_task_value *map,
			  const struct souk_task_field *fields, unsigned types, void *object);
void souk_task_bad(struct souk_task_parser *p, struct souk_mark mark, const char *fmt, ...)
	SOUK_PRINTF(3, 4);
/* A report line "PATH: message" from a failed parse function; NOMEM is passed on. */
int souk_task_refuse(struct souk_task_parser *p, const struct souk_task_value *value,
		     const struct souk_error *why);
int souk_task_unsupported(struct souk_task_parser *p, struct souk_mark mark, const char *field,
			  const char *needs);
void souk_task_drop_unsupported(struct souk_task *task, const char *field);
int souk_task_set(struct souk_task_parser *p, char **slot, const char *text);
int souk_task_set_lower(struct souk_task_parser *p, char **slot, const char *text);
int souk_task_grow(struct souk_task_parser *p, void *array, size_t n, size_t size);
int souk_task_is_env_name(const char *name, size_t size);

/* task-data.c */
void souk_task_fini(struct souk_task *task);
void souk_request_fini(struct souk_request *request);
int souk_request_copy(struct souk_request *to, const struct souk_request *from,
		      struct souk_error *err);
size_t souk_request_size(const struct souk_request *request);
int souk_request_equal(const struct souk_request *a, const struct souk_request *b);

/* task-amounts.c: value grammars; INVALID with a message that does not name the field */
int souk_task_decimal(const char *text, uint64_t *micros_out);
int souk_parse_disk_gib(const char *text, uint64_t *gib_out, struct souk_error *err);
int souk_parse_local_disk(const char *text, struct souk_local_disk *out, struct souk_error *err);
int souk_parse_hourly(const char *text, int64_t *micros_out, struct souk_error *err);
int souk_parse_ports(const char *text, struct souk_port_range **ports, size_t *n,
		     struct souk_error *err);
void souk_ports_normalise(struct souk_port_range *ports, size_t *n);

/* task-accelerators.c */
int souk_task_read_accelerators(struct souk_task_parser *p, const struct souk_task_value *value,
				struct souk_accelerator **list, size_t *n);

/* task-resources.c: one alternative, before its accelerators are spread */
struct souk_task_draft {
	struct souk_request request;
	struct souk_accelerator *accelerators;
	size_t n_accelerators;
	int accelerators_ordered; /* given as a list */
	struct souk_mark infra, place, first_accelerators, priority, priority_class;
};

int souk_task_read_draft(struct souk_task_parser *p, const struct souk_task_value *map,
			 struct souk_task_draft *draft);
void souk_task_draft_fini(struct souk_task_draft *draft);
int souk_task_set_infra(struct souk_task_parser *p, const struct souk_task_value *value,
			const char *text, struct souk_request *request);
int souk_task_set_image(struct souk_task_parser *p, const struct souk_task_value *value,
			const char *text, struct souk_request *request);
extern const char *const souk_task_disk_tiers[];

/* task-runtime.c: autostop and job_recovery */
int souk_task_read_autostop(struct souk_task_parser *p, const struct souk_task_value *value,
			    void *object);
int souk_task_read_recovery(struct souk_task_parser *p, const struct souk_task_value *value,
			    void *object);

/* task-alternatives.c */
int souk_task_read_resources(struct souk_task_parser *p, const struct souk_task_value *value,
			     void *object);
int souk_task_default_request(struct souk_task_parser *p);

/* task-overrides.c */
int souk_task_apply_overrides(struct souk_task_parser *p);

/* task-envs.c: read first, since the rest is substituted with them */
int souk_task_read_envs(struct souk_task_parser *p, const struct souk_yaml *map);
int souk_task_check_envs(struct souk_task_parser *p);
/* $NAME, ${NAME} and ${NAME:-default} in a text, put into *slot in place of what it held. */
int souk_task_substitute(struct souk_task_parser *p, struct souk_mark mark, const char *text,
			 char **slot);

/* task-mounts.c */
int souk_task_read_mounts(struct souk_task_parser *p, const struct souk_task_value *value,
			  void *object);
int souk_task_read_volumes(struct souk_task_parser *p, const struct souk_task_value *value,
			   void *object);

/* task-shapes.c: what is checked and then not used */
extern const struct souk_task_field souk_task_service_fields[];
extern const struct souk_task_field souk_task_pool_fields[];
extern const struct souk_task_field souk_task_config_fields[];
extern const struct souk_task_field souk_task_storage_config_fields[];
extern const struct souk_task_field souk_task_limits_fields[];
extern const struct souk_task_field souk_task_retry_fields[];
int souk_task_check_duration(struct souk_task_parser *p, const struct souk_task_value *value,
			     void *object);
int souk_task_check_disk(struct souk_task_parser *p, const struct souk_task_value *value,
			 void *object);

/* task-validate.c */
int souk_task_validate(struct souk_task_parser *p);
/* Substitute a local path into *slot; one that is relative is put under the parser's folder. */
int souk_task_set_path(struct souk_task_parser *p, const struct souk_yaml *node, char **slot);
/* Report a local path that is not there, as the file has it: values of secrets stay unseen. */
int souk_task_check_local(struct souk_task_parser *p, const char *field,
			  const struct souk_yaml *node, const char *path, int folder);
int souk_task_check_hooks(struct souk_task_parser *p, const struct souk_task_value *value,
			  void *object);

/* task-top.c */
int souk_task_read(struct souk_task_parser *p, const struct souk_yaml *map);

#endif
