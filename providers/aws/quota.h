/* SPDX-License-Identifier: Apache-2.0 */
/* quota.h - may the account have so many vCPUs at all */
#ifndef SOUK_AWS_QUOTA_H
#define SOUK_AWS_QUOTA_H

#include "aws.h"

/* The Service Quotas code that an instance type is counted by; NULL: not known. */
const char *aws_quota_code(const char *type, int is_spot);

/*
 * QUOTA, for the offer, if what the spec asks for is more than the account may have at all, be
 * nothing else running. Asked once for each quota and region; what cannot be asked is no limit.
 */
int aws_quota_check(const struct aws_client *client, const struct souk_instance_spec *spec,
		    struct souk_error *err);

#endif
