/* SPDX-License-Identifier: Apache-2.0 */
/* base/proc.h - running local programs */
#ifndef SOUK_BASE_PROC_H
#define SOUK_BASE_PROC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cancel.h"

struct souk_proc_options {
	const char *const *argv;    /* argv[0] is looked up in PATH */
	const char *const *env;	    /* "NAME=value" to add or replace, ended by NULL; may be NULL */
	const void *input;	    /* for its stdin; NULL: /dev/null */
	size_t input_size;
	int input_fd;		    /* used as its stdin instead of 'input' if over 0 */
	size_t output_ceiling;	    /* bytes of stdout kept; 0: 1 MiB */
	uint32_t timeout_ms;	    /* 0: none; then TERM, and KILL 2 s later: SOUK_E_TIMEOUT */
	struct souk_cancel *cancel; /* may be NULL */
	/* Gets stdout as it comes instead of keeping it; may be NULL. Not 0 ends the program. */
	int (*on_output)(const char *data, size_t size, void *arg);
	void *arg;
};

struct souk_proc_result {
	int exit_status;      /* 128 + N if signal N ended it */
	struct souk_buf out;  /* stdout */
	struct souk_buf errs; /* stderr, its last 8 KiB */
};

/*
 * Run a program and wait for it. SOUK_OK if it ran, whatever its exit status. The result is
 * filled in then, and emptied with souk_proc_result_fini(). NOT_FOUND: no such program.
 * SIGPIPE is no danger; the caller's descriptors are not inherited.
 */
int souk_proc_run(const struct souk_proc_options *options, struct souk_proc_result *result_out,
		  struct souk_error *err);
void souk_proc_result_fini(struct souk_proc_result *result);

#endif
