/* SPDX-License-Identifier: Apache-2.0 */
/* accelerators.c - which devices sizes have: the list of SKUs has their number alone */

#include <fnmatch.h>

#include "market.h"

#define GIB 1024

/* The first pattern that fits is taken. */
static const struct azure_device devices[] = {
	/* Sizes that say it in their name. */
	{ "Standard_NC*_T4_v3", "T4", 16 * GIB, 0 },
	{ "Standard_NC*_A100_v4", "A100-80GB", 80 * GIB, 0 },
	{ "Standard_ND96am*_A100_v4", "A100-80GB", 80 * GIB, 0 },
	{ "Standard_NC*_H100_v5", "H100-NVL", 94 * GIB, 0 },
	{ "Standard_ND*_H100_v5", "H100", 80 * GIB, 0 },
	{ "Standard_ND*_H200_v5", "H200", 141 * GIB, 0 },
	{ "Standard_ND*_MI300X_v5", "MI300X", 192 * GIB, 0 },
	{ "Standard_ND*_GB200_v6", "GB200", 186 * GIB, 0 },
	{ "Standard_ND*_GB300_v6", "GB300", 279 * GIB, 0 },
	{ "Standard_NC*_RTXPRO6000BSE_v6", "RTXPRO6000", 96 * GIB, 0 },
	{ "Standard_NC*_A10_v4", "A10", 24 * GIB, 0 },
	{ "Standard_NV6ads_A10_v5", "A10", 4 * GIB, 167 },
	{ "Standard_NV12ads_A10_v5", "A10", 8 * GIB, 333 },
	{ "Standard_NV18ads_A10_v5", "A10", 12 * GIB, 500 },
	{ "Standard_NV36ad*s_A10_v5", "A10", 24 * GIB, 1000 },
	{ "Standard_NV72ads_A10_v5", "A10", 24 * GIB, 2000 },
	{ "Standard_NV4ads_V710_v5", "V710", 4 * GIB, 167 },
	{ "Standard_NV8ads_V710_v5", "V710", 8 * GIB, 333 },
	{ "Standard_NV12ads_V710_v5", "V710", 12 * GIB, 500 },
	{ "Standard_NV24ads_V710_v5", "V710", 24 * GIB, 1000 },
	{ "Standard_NV28adms_V710_v5", "V710", 24 * GIB, 1000 },
	{ "Standard_NG8ads_V620_v1", "V620", 8 * GIB, 250 },
	{ "Standard_NG16ads_V620_v1", "V620", 16 * GIB, 500 },
	{ "Standard_NG32ad*s_V620_v1", "V620", 32 * GIB, 1000 },
	/* Older ones, of which one has to know it. */
	{ "Standard_ND96as*_v4", "A100", 40 * GIB, 0 },
	{ "Standard_ND40*s_v2", "V100-32GB", 32 * GIB, 0 },
	{ "Standard_NC*s_v3", "V100", 16 * GIB, 0 },
	{ "Standard_NC*s_v2", "P100", 16 * GIB, 0 },
	{ "Standard_ND6s", "P40", 24 * GIB, 0 },
	{ "Standard_ND12s", "P40", 24 * GIB, 0 },
	{ "Standard_ND24*s", "P40", 24 * GIB, 0 },
	{ "Standard_NV4as_v4", "MI25", 2 * GIB, 125 },
	{ "Standard_NV8as_v4", "MI25", 4 * GIB, 250 },
	{ "Standard_NV16as_v4", "MI25", 8 * GIB, 500 },
	{ "Standard_NV32as_v4", "MI25", 16 * GIB, 1000 },
	{ "Standard_NV12s_v3", "M60", 8 * GIB, 1000 },
	{ "Standard_NV24s_v3", "M60", 8 * GIB, 2000 },
	{ "Standard_NV48s_v3", "M60", 8 * GIB, 4000 },
	{ "Standard_NP*s", "U250", 64 * GIB, 0 },
};

const struct azure_device *azure_device_find(const char *size)
{
	size_t i;

	for (i = 0; i < AZURE_ARRAY_SIZE(devices); i++)
		if (fnmatch(devices[i].pattern, size, 0) == 0)
			return &devices[i];
	return NULL;
}
