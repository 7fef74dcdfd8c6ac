/* SPDX-License-Identifier: Apache-2.0 */
/* market/accelerator.c - the canonical names of accelerators */
#include "market/accelerator.h"

#include <string.h>
#include <strings.h>

#include "base/util.h"

static const struct souk_accelerator_info table[] = {
	{ "A10", "nvidia", 24, "nvidia-a10" },
	{ "A100", "nvidia", 40, "a100-40gb nvidia-tesla-a100 nvidia-a100 a100-sxm4 a100-40g" },
	{ "A100-80GB", "nvidia", 80,
	  "nvidia-a100-80gb a100-80gb-sxm a100-80g a100-sxm4-80gb a100-80gb-pcie a100-pcie-80gb" },
	{ "A10G", "nvidia", 24, "nvidia-a10g" },
	{ "A16", "nvidia", 16, "nvidia-a16" },
	{ "A2", "nvidia", 16, "nvidia-a2" },
	{ "A30", "nvidia", 24, "nvidia-a30" },
	{ "A40", "nvidia", 48, "nvidia-a40" },
	{ "A4000", "nvidia", 16, "rtxa4000 rtx-a4000 nvidia-rtx-a4000" },
	{ "A4500", "nvidia", 20, "rtxa4500 rtx-a4500 nvidia-rtx-a4500" },
	{ "A5000", "nvidia", 24, "rtxa5000 rtx-a5000 nvidia-rtx-a5000" },
	{ "A6000", "nvidia", 48, "rtxa6000 rtx-a6000 nvidia-rtx-a6000" },
	{ "B200", "nvidia", 180, "nvidia-b200 b200-sxm" },
	{ "B300", "nvidia", 288, "nvidia-b300 b300-sxm" },
	{ "Gaudi", "intel", 32, "gaudi-hl-205 gaudi-hl205 hl-205" },
	{ "Gaudi2", "intel", 96, "gaudi-hl-225 hl-225" },
	{ "GB200", "nvidia", 186, "nvidia-gb200" },
	{ "GB300", "nvidia", 288, "nvidia-gb300" },
	{ "GH200", "nvidia", 96, "nvidia-gh200" },
	{ "H100", "nvidia", 80, "nvidia-h100-80gb h100-80gb nvidia-h100 h100-pcie h100-80gb-hbm3" },
	{ "H100-MEGA", "nvidia", 80, "nvidia-h100-mega-80gb h100-mega-80gb" },
	{ "H100-NVL", "nvidia", 94, "nvidia-h100-nvl" },
	{ "H100-SXM", "nvidia", 80, "h100-sxm5 h100sxm h100-80gb-sxm" },
	{ "H200", "nvidia", 141, "nvidia-h200-141gb h200-141gb nvidia-h200" },
	{ "H200-NVL", "nvidia", 141, "nvidia-h200-nvl" },
	{ "H200-SXM", "nvidia", 141, "h200-sxm5" },
	{ "Inferentia", "amazon", 8, "inf1" },
	{ "Inferentia2", "amazon", 32, "inf2" },
	{ "K80", "nvidia", 12, "nvidia-tesla-k80 tesla-k80" },
	{ "L20", "nvidia", 48, "nvidia-l20" },
	{ "L4", "nvidia", 24, "nvidia-l4" },
	{ "L40", "nvidia", 48, "nvidia-l40" },
	{ "L40S", "nvidia", 48, "nvidia-l40s" },
	{ "M60", "nvidia", 8, "nvidia-tesla-m60 tesla-m60" },
	{ "MI100", "amd", 32, "amd-mi100 instinct-mi100" },
	{ "MI210", "amd", 64, "amd-mi210 instinct-mi210" },
	{ "MI25", "amd", 16, "amd-mi25 instinct-mi25" },
	{ "MI250", "amd", 128, "amd-mi250 instinct-mi250" },
	{ "MI300X", "amd", 192, "amd-mi300x instinct-mi300x" },
	{ "MI325X", "amd", 256, "amd-mi325x instinct-mi325x" },
	{ "MI355X", "amd", 288, "amd-mi355x instinct-mi355x" },
	{ "P100", "nvidia", 16, "nvidia-tesla-p100 tesla-p100" },
	{ "P4", "nvidia", 8, "nvidia-tesla-p4 tesla-p4" },
	{ "P40", "nvidia", 24, "nvidia-tesla-p40 tesla-p40" },
	{ "QAIC100", "qualcomm", 16, "aic100 qualcomm-aic100" },
	{ "Radeon-Pro-V520", "amd", 8, "radeon-v520 v520 radeon-pro-v520" },
	{ "Radeon-Pro-V710", "amd", 28, "radeon-v710 v710" },
	{ "RTX2000-Ada", "nvidia", 16, "rtx2000ada nvidia-rtx-2000-ada" },
	{ "RTX3060", "nvidia", 12, "rtx-3060" },
	{ "RTX3070", "nvidia", 8, "rtx-3070" },
	{ "RTX3080", "nvidia", 10, "rtx-3080" },
	{ "RTX3090", "nvidia", 24, "rtx-3090 nvidia-geforce-rtx-3090" },
	{ "RTX4000-Ada", "nvidia", 20, "rtx4000ada nvidia-rtx-4000-ada" },
	{ "RTX4080", "nvidia", 16, "rtx-4080" },
	{ "RTX4090", "nvidia", 24, "rtx-4090 nvidia-geforce-rtx-4090" },
	{ "RTX5080", "nvidia", 16, "rtx-5080" },
	{ "RTX5090", "nvidia", 32, "rtx-5090 nvidia-geforce-rtx-5090" },
	{ "RTX6000", "nvidia", 24, "quadro-rtx-6000 rtx-6000" },
	{ "RTX6000-Ada", "nvidia", 48, "rtx6000ada rtx-6000-ada nvidia-rtx-6000-ada" },
	{ "RTXPRO6000", "nvidia", 96,
	  "rtx-pro-6000 rtxpro6000-se nvidia-rtx-pro-6000 rtx-pro-server-6000" },
	{ "T4", "nvidia", 16, "nvidia-tesla-t4 tesla-t4" },
	{ "T4g", "nvidia", 16, "nvidia-t4g" },
	{ "Trainium", "amazon", 32, "trn1 trainium1" },
	{ "Trainium2", "amazon", 96, "trn2" },
	{ "V100", "nvidia", 16, "nvidia-tesla-v100 tesla-v100 v100-16gb" },
	{ "V100-32GB", "nvidia", 32, "v100-32g tesla-v100-32gb" },
};

/* Is 'name' one of the words of 'aliases'? */
static int is_alias(const char *aliases, const char *name)
{
	size_t len = strlen(name);
	const char *at = aliases;

	while (at && *at) {
		size_t word = strcspn(at, " ");

		if (word == len && strncasecmp(at, name, len) == 0)
			return 1;
		at += word;
		at += strspn(at, " ");
	}
	return 0;
}

const struct souk_accelerator_info *souk_accelerator_find(const char *name)
{
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(table); i++)
		if (strcasecmp(table[i].name, name) == 0)
			return &table[i];
	for (i = 0; i < SOUK_ARRAY_SIZE(table); i++)
		if (is_alias(table[i].aliases, name))
			return &table[i];
	return NULL;
}

const char *souk_accelerator_canonical(const char *name)
{
	const struct souk_accelerator_info *info = souk_accelerator_find(name);

	return info ? info->name : name;
}

const struct souk_accelerator_info *souk_accelerator_table(size_t *n_out)
{
	*n_out = SOUK_ARRAY_SIZE(table);
	return table;
}
