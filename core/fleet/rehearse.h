/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/rehearse.h - the requests that a launch may send, told by the modules without sending any */
#ifndef SOUK_FLEET_REHEARSE_H
#define SOUK_FLEET_REHEARSE_H

#include "fleet/cluster.h"

/*
 * Let the modules of the plan's first 'limit' candidates rehearse a launch of 'cluster': what they
 * would send to get the machines, to wait for them, to settle a request whose fate is unknown, to
 * stop, start and end them. Nothing is sent. *requests_out is freed with souk_requests_free().
 */
int fleet_rehearse(struct souk_fleet *fleet, const struct souk_task *task,
		   struct souk_plan_result *plan, const char *cluster, size_t limit,
		   struct souk_requests **requests_out, struct souk_error *err);

#endif
