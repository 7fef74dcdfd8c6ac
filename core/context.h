/* SPDX-License-Identifier: Apache-2.0 */
/* context.h - what a struct souk holds; for the files of the public face only */
#ifndef SOUK_CONTEXT_H
#define SOUK_CONTEXT_H

#include "base/engine.h"
#include "fleet/fleet.h"

struct souk {
	struct souk_paths paths;
	struct souk_config config;
	struct souk_cancel cancel;
	struct souk_registry registry;
	struct souk_store *store;	/* NULL: not opened */
	char *owner;
	char *names;			/* of the providers installed, joined; for messages */
	struct souk_fleet fleet;
};

/* Open the store if it is not yet. With 'create' 0, one that does not exist is NOT_FOUND. */
int souk_need_store(struct souk *souk, int create, struct souk_error *err);

/* Load the engine, open the store: what reaches out begins with this. */
int souk_need_fleet(struct souk *souk, const struct souk_fleet_ops **ops_out,
		    struct souk_error *err);

struct souk_task_file {
	struct souk_dag *dag;		/* NULL: the file is not usable */
	struct souk_report report;
	struct souk_diagnostic_row *rows;
	char **texts;			/* of the rows */
	size_t n_rows;
	char **unsupported;		/* lines */
	size_t n_unsupported;
	char *path;
};

/* The one task that a launch takes. INVALID if the file has several. */
int souk_task_file_task(const struct souk_task_file *file, const struct souk_task **task_out,
			struct souk_error *err);

#endif
