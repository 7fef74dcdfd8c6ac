/* SPDX-License-Identifier: Apache-2.0 */
/* model/report.h - what is wrong with a file: all of it, each with its place */
#ifndef SOUK_MODEL_REPORT_H
#define SOUK_MODEL_REPORT_H

#include <stddef.h>

#include <souk/provider.h>

/* A place in a file; line and column count from 1, 0 is unknown. */
struct souk_mark {
	unsigned line;
	unsigned column;
};

struct souk_diagnostic {
	struct souk_mark mark;
	int warning; /* 1: the file can still be used */
	char *message;
};

/* The diagnostics of one file, in the order in which they were found. */
struct souk_report {
	char *file; /* as the user named it */
	struct souk_diagnostic *items;
	size_t n;
	size_t n_errors;
	size_t dropped; /* beyond the first 100 */
};

int souk_report_init(struct souk_report *report, const char *file, struct souk_error *err);
void souk_report_fini(struct souk_report *report);

/* Add an error or a warning. Never fails: without memory it counts only. */
void souk_report_add(struct souk_report *report, struct souk_mark mark, int warning,
		     const char *fmt, ...) SOUK_PRINTF(4, 5);

/* Sort by place. */
void souk_report_sort(struct souk_report *report);

/* If there are errors, record the first as "FILE:LINE:COLUMN: message" (INVALID), else SOUK_OK. */
int souk_report_error(const struct souk_report *report, struct souk_error *err);

/* "FILE:LINE:COLUMN: message" of one diagnostic; the caller frees it; NULL on no memory. */
char *souk_report_line(const struct souk_report *report, size_t i);

#endif
