/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h - which root disk a spec means */
#ifndef SOUK_AWS_DISK_H
#define SOUK_AWS_DISK_H

#include "aws.h"

struct aws_disk {
	const char *type;	 /* "gp3", borrowed */
	uint64_t gib;		 /* 0: as the image has it */
	uint64_t iops;		 /* 0: what the type gives without extra cost */
	uint64_t throughput_mib; /* a second; 0: likewise */
};

/* 'root_gib' is what the image needs: a smaller disk is refused. */
void aws_disk_choose(const struct souk_call *call, const struct souk_instance_spec *spec,
		     uint64_t root_gib, struct aws_disk *out);

#endif
