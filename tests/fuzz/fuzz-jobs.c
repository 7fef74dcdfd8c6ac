/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-jobs.c - any bytes as what a machine says of its jobs: rows are whole and can be shown */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "node/runtime-internal.h"

const char fuzz_corpus[] = "jobs";

#define YEAR_10000 INT64_C(253402300800)

static void check_time(int64_t when)
{
	if (when < 0 || when >= YEAR_10000)
		abort();
}

static void check_row(const struct souk_job_row *row)
{
	if (row->id == 0 || !row->name || !row->user || !row->log_path)
		abort();
	if (strchr(row->name, ' ') || strchr(row->user, ' ') || strchr(row->log_path, '\n'))
		abort();
	if ((int)row->status < SOUK_JOB_INIT || row->status > SOUK_JOB_CANCELLED)
		abort();
	if (row->exit_status < -1 || row->exit_status > 255)
		abort();
	check_time(row->submitted_at);
	check_time(row->started_at);
	check_time(row->ended_at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_jobs *jobs = NULL;
	char *text = strndup(size ? (const char *)data : "", size);
	size_t i, lines = 1;
	int ret;

	if (!text)
		abort();
	for (i = 0; text[i]; i++)
		lines += text[i] == '\n';
	ret = souk_jobs_parse(text, &jobs, &err);
	if ((ret == SOUK_OK) != (jobs != NULL) || ret == SOUK_E_NOMEM || (ret < 0 && !err.message[0]))
		abort();
	if (jobs && jobs->n > lines)
		abort();
	for (i = 0; jobs && i < jobs->n; i++)
		check_row(&jobs->items[i]);
	souk_jobs_destroy(jobs);
	free(text);
	return 0;
}
