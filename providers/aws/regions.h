/* SPDX-License-Identifier: Apache-2.0 */
/* regions.h - the regions of an account, and work that is done in many of them at once */
#ifndef SOUK_AWS_REGIONS_H
#define SOUK_AWS_REGIONS_H

#include "aws.h"

struct aws_regions {
	char (*names)[AWS_REGION_SIZE];
	size_t n;
};

void aws_regions_fini(struct aws_regions *regions);
/* Those that the account may use, in byte order. */
int aws_regions_enabled(struct aws *aws, struct souk_call *call, struct aws_regions *out,
			struct souk_error *err);
/* Those of the option 'region', else those that are enabled. */
int aws_regions_wanted(struct aws *aws, struct souk_call *call, struct aws_regions *out,
		       struct souk_error *err);

/* What is done in one region, on any thread. 'index' is that of the region. */
typedef int (*aws_region_work)(const struct aws_client *client, size_t index, void *arg,
			       struct souk_error *err);

/*
 * Do it in all regions, several at once, and wait for the end. errors[i].code tells of region
 * i; the caller gives room for one per region. Returns how many have failed.
 */
size_t aws_regions_each(struct aws *aws, struct souk_call *call, const struct aws_regions *regions,
			aws_region_work work, void *arg, struct souk_error *errors);

#endif
