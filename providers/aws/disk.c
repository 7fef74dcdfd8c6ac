/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c - which root disk a spec means */

#include "disk.h"

#include <string.h>

/* What a tier of disk is here. IOPS 0: what the type gives without extra cost. */
struct tier {
	const char *name;
	const char *type; /* NULL: the option 'disk_type' */
	uint32_t iops;
	uint32_t throughput_mib;
	uint32_t iops_per_gib; /* at most */
};

static const struct tier tiers[] = {
	{ "low", "gp3", 0, 0, 0 },	    { "medium", NULL, 0, 0, 0 },
	{ "high", "gp3", 7000, 437, 500 },  { "ultra", "io2", 20000, 0, 500 },
	{ "best", "io2", 20000, 0, 500 },
};

static const struct tier *find_tier(const char *name)
{
	size_t i;

	for (i = 0; name && i < AWS_ARRAY_SIZE(tiers); i++)
		if (strcmp(tiers[i].name, name) == 0)
			return &tiers[i];
	return &tiers[1];
}

void aws_disk_choose(const struct souk_call *call, const struct souk_instance_spec *spec,
		     uint64_t root_gib, struct aws_disk *out)
{
	const struct tier *tier = find_tier(spec->disk_tier);
	const char *type = tier->type ? tier->type : souk_call_option(call, "disk_type");
	uint64_t gib = (spec->disk_size_mib + 1023) / 1024;
	uint64_t iops = tier->iops;

	*out = (struct aws_disk){ .type = type && *type ? type : "gp3" };
	out->gib = gib < root_gib ? root_gib : gib;
	if (out->gib && iops > out->gib * tier->iops_per_gib)
		iops = out->gib * tier->iops_per_gib;
	if (tier->throughput_mib && iops < 3000)
		return; /* gp3 gives 3000 IOPS and 125 MiB/s in any case */
	out->iops = iops;
	out->throughput_mib = tier->throughput_mib < iops / 4 ? tier->throughput_mib : iops / 4;
}
