/* SPDX-License-Identifier: Apache-2.0 */
/* launch-requests.c - the requests that a launch may send, for the public face */
#include <stdint.h>
#include <stdlib.h>

#include "plan.h"

int souk_launch_requests(struct souk *souk, const struct souk_task_file *file, struct souk_plan *plan,
			 const char *cluster, size_t limit, struct souk_requests **requests_out,
			 struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	const struct souk_task *task;
	int ret;

	ret = souk_task_file_task(file, &task, err);
	if (ret == SOUK_OK)
		ret = souk_need_fleet(souk, &ops, err);
	if (ret < 0)
		return ret;
	return ops->rehearse(&souk->fleet, task, &plan->result, cluster ? cluster : "new-cluster",
			     limit ? limit : SIZE_MAX, requests_out, err);
}

void souk_requests_free(struct souk_requests *requests)
{
	size_t i;

	if (!requests)
		return;
	for (i = 0; i < requests->n_texts; i++)
		free(requests->texts[i]);
	free(requests->texts);
	free(requests->rows);
	free(requests->accounts);
	free(requests);
}
