/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-task.c - any bytes as a task file: accepted ones are whole, refused ones say why */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model/task.h"

const char fuzz_corpus[] = "task";

static void check_task(const struct souk_task *task)
{
	size_t i, j;

	if (task->n_requests == 0 || task->num_nodes == 0)
		abort();
	for (i = 0; i < task->n_requests; i++) {
		const struct souk_request *request = &task->requests[i];

		for (j = 0; j < request->n_ports; j++) {
			if (request->ports[j].first < 1 ||
			    request->ports[j].first > request->ports[j].last ||
			    (j > 0 && request->ports[j].first <= request->ports[j - 1].last))
				abort();
		}
		if (request->max_hourly_micros < 0 || (request->accelerator.name &&
						       request->accelerator.milli == 0))
			abort();
	}
	for (i = 0; i < task->envs.n; i++) {
		if (!task->envs.items[i].value)
			abort();
	}
	for (i = 0; i < task->n_unsupported; i++) {
		if (!task->unsupported[i].field[0] || !task->unsupported[i].needs[0])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Flags that make substitution and merging do something. */
	static const char *const env[] = { "A=$B", "B=/tmp", NULL };
	static const char *const secret[] = { "S=secret", NULL };
	struct souk_overrides overrides = { .env = env, .secret = secret };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_dag *dag = NULL;
	size_t i;
	int ret;

	if (size > 0 && data[0] & 1)
		overrides.accelerators = "H100:2";
	ret = souk_dag_parse((const char *)data, size, NULL, &overrides, NULL, &dag, &report, &err);
	if (ret == SOUK_OK && (report.n_errors > 0 || !dag || dag->n_tasks == 0))
		abort();
	if (ret == SOUK_E_INVALID && report.n_errors == 0)
		abort();
	for (i = 0; ret == SOUK_OK && i < dag->n_tasks; i++)
		check_task(&dag->tasks[i]);
	souk_dag_free(dag);
	souk_report_fini(&report);
	return 0;
}
