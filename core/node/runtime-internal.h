/* SPDX-License-Identifier: Apache-2.0 */
/* node/runtime-internal.h - what runtime.c shows to its tests */
#ifndef SOUK_NODE_RUNTIME_INTERNAL_H
#define SOUK_NODE_RUNTIME_INTERNAL_H

#include "node/runtime.h"

/* Parse what the runtime says of jobs, one on a line; the text is cut into pieces. INTERNAL if a
 * line is not a job's. *jobs_out is ended with souk_jobs_destroy(). */
int souk_jobs_parse(char *text, struct souk_jobs **jobs_out, struct souk_error *err);

#endif
