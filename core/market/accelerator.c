/* SPDX-License-Identifier: Apache-2.0 */
/* market/accelerator.c - the canonical names of accelerators */
#include "market/accelerator.h"

#include <ctype.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/util.h"

/*
 * Of a maker's, a cloud's or a person's spelling only the letters and digits count, and words that
 * name a maker or a family count for nothing (see 'plain'). So the aliases need not have
 * "nvidia-tesla-t4" or "NVIDIA GeForce RTX 4090": they are T4 and RTX4090 already.
 *
 * Memory is of one device; of TPUs, which are sold as slices of many chips, of one chip.
 */
static const struct souk_accelerator_info table[] = {
	{ "A10", "nvidia", 24, "a10-24gb-pcie" },
	{ "A100", "nvidia", 40,
	  "a100-40gb a100-40g a100-sxm a100-sxm4 a100-pcie a100-sxm4-40gb "
	  "a100-40gb-sxm4 a100-pcie-40gb a100-40gb-pcie" },
	{ "A100-80GB", "nvidia", 80,
	  "a100-80g a100-80gb-sxm a100-80gb-sxm4 a100-sxm4-80gb a100-80gb-pcie "
	  "a100-pcie-80gb a100-80gb-nvlink" },
	{ "A10G", "nvidia", 24, NULL },
	{ "A16", "nvidia", 16, NULL },
	{ "A2", "nvidia", 16, NULL },
	{ "A30", "nvidia", 24, "rtx-a30" },
	{ "A40", "nvidia", 48, NULL },
	{ "B200", "nvidia", 180, "b200-180gb b200-sxm b200-sxm6 b200-180gb-sxm6" },
	{ "B300", "nvidia", 288, "b300-sxm b300-sxm6" },
	{ "Gaudi", "intel", 32, "gaudi-hl-205 hl-205" },
	{ "Gaudi2", "intel", 96, "gaudi-hl-225 hl-225 gaudi-2" },
	{ "Gaudi3", "intel", 128, "gaudi-hl-325 hl-325 gaudi-3" },
	{ "GB200", "nvidia", 186, NULL },
	{ "GB300", "nvidia", 288, NULL },
	{ "GH200", "nvidia", 96, "gh200-96gb" },
	{ "GTX1060", "nvidia", 6, NULL },
	{ "GTX1070", "nvidia", 8, NULL },
	{ "GTX1070TI", "nvidia", 8, NULL },
	{ "GTX1080", "nvidia", 8, NULL },
	{ "GTX1080TI", "nvidia", 11, NULL },
	{ "H100", "nvidia", 80,
	  "h100-80gb h100-80gb-hbm3 h100-80gb-sxm5 h100-pcie h100-80gb-pcie "
	  "h100-pcie-80gb h100-mega h100-mega-80gb h100-80gb-mega h100-80gb-plus" },
	{ "H100-NVL", "nvidia", 94, "h100-94gb h100-nvl-94gb" },
	{ "H100-SXM", "nvidia", 80, "h100-sxm5 h100-sxm5-80gb h100-80gb-sxm" },
	{ "H20", "nvidia", 96, NULL },
	{ "H200", "nvidia", 141, "h200-141gb h200-hbm3e" },
	{ "H200-NVL", "nvidia", 141, "h200-nvl-141gb" },
	{ "H200-SXM", "nvidia", 141, "h200-sxm5 h200-141gb-sxm" },
	{ "Inferentia", "amazon", 8, "inf1 inferentia1" },
	{ "Inferentia2", "amazon", 32, "inf2 inferentia-2" },
	{ "K80", "nvidia", 12, NULL },
	{ "L20", "nvidia", 48, NULL },
	{ "L4", "nvidia", 24, NULL },
	{ "L40", "nvidia", 48, NULL },
	{ "L40S", "nvidia", 48, NULL },
	{ "M4000", "nvidia", 8, NULL },
	{ "M60", "nvidia", 8, NULL },
	{ "MI100", "amd", 32, NULL },
	{ "MI210", "amd", 64, NULL },
	{ "MI25", "amd", 16, NULL },
	{ "MI250", "amd", 128, "mi250x" },
	{ "MI300X", "amd", 192, "mi300x-oam mi300" },
	{ "MI325X", "amd", 256, "mi325" },
	{ "MI350X", "amd", 288, "mi350" },
	{ "MI355X", "amd", 288, "mi355" },
	{ "P100", "nvidia", 16, "p100-pcie p100-16gb p100-pcie-16gb" },
	{ "P4", "nvidia", 8, NULL },
	{ "P40", "nvidia", 24, NULL },
	{ "P4000", "nvidia", 8, NULL },
	{ "P5000", "nvidia", 16, NULL },
	{ "P6000", "nvidia", 24, NULL },
	{ "QAIC100", "qualcomm", 16, "aic100 qualcomm-aic100 cloud-ai-100 qualcomm-cloud-ai-100" },
	{ "Radeon-Pro-V520", "amd", 8, "v520" },
	{ "Radeon-Pro-V620", "amd", 32, "v620" },
	{ "Radeon-Pro-V710", "amd", 28, "v710" },
	{ "RTX2000-Ada", "nvidia", 16, NULL },
	{ "RTX2080TI", "nvidia", 11, NULL },
	{ "RTX3060", "nvidia", 12, NULL },
	{ "RTX3060TI", "nvidia", 8, NULL },
	{ "RTX3070", "nvidia", 8, NULL },
	{ "RTX3070TI", "nvidia", 8, NULL },
	{ "RTX3080", "nvidia", 10, NULL },
	{ "RTX3080TI", "nvidia", 12, NULL },
	{ "RTX3090", "nvidia", 24, NULL },
	{ "RTX3090TI", "nvidia", 24, NULL },
	{ "RTX4000", "nvidia", 8, NULL },
	{ "RTX4000-Ada", "nvidia", 20, NULL },
	{ "RTX4000-Ada-SFF", "nvidia", 20, "rtx-4000-sff-ada" },
	{ "RTX4060", "nvidia", 8, NULL },
	{ "RTX4060TI", "nvidia", 16, NULL },
	{ "RTX4070", "nvidia", 12, NULL },
	{ "RTX4070SUPER", "nvidia", 12, NULL },
	{ "RTX4070TI", "nvidia", 12, NULL },
	{ "RTX4070TISUPER", "nvidia", 16, "rtx4070s-ti" },
	{ "RTX4080", "nvidia", 16, NULL },
	{ "RTX4080SUPER", "nvidia", 16, "rtx4080s" },
	{ "RTX4090", "nvidia", 24, "4090" },
	{ "RTX4090D", "nvidia", 24, NULL },
	{ "RTX4500-Ada", "nvidia", 24, NULL },
	{ "RTX5000", "nvidia", 16, NULL },
	{ "RTX5000-Ada", "nvidia", 32, "a5000-ada" },
	{ "RTX5060TI", "nvidia", 16, NULL },
	{ "RTX5070", "nvidia", 12, NULL },
	{ "RTX5070TI", "nvidia", 16, NULL },
	{ "RTX5080", "nvidia", 16, NULL },
	{ "RTX5090", "nvidia", 32, "5090" },
	{ "RTX5880-Ada", "nvidia", 48, NULL },
	{ "RTX6000", "nvidia", 24, "rtx-6000-24gb" },
	{ "RTX6000-Ada", "nvidia", 48, NULL },
	{ "RTX8000", "nvidia", 48, NULL },
	{ "RTXA2000", "nvidia", 12, "a2000" },
	{ "RTXA4000", "nvidia", 16, "a4000" },
	{ "RTXA4500", "nvidia", 20, "a4500" },
	{ "RTXA5000", "nvidia", 24, "a5000" },
	{ "RTXA5500", "nvidia", 24, "a5500" },
	{ "RTXA6000", "nvidia", 48, "a6000 a6000-48gb rtx-a6000-48gb" },
	{ "RTXPRO4000", "nvidia", 24, "rtx-pro-4000-blackwell" },
	{ "RTXPRO4500", "nvidia", 32, "rtx-pro-4500-blackwell rtx-pro-4500-blackwell-server" },
	{ "RTXPRO5000", "nvidia", 48, "rtx-pro-5000-blackwell" },
	{ "RTXPRO6000", "nvidia", 96,
	  "rtxpro6000-se rtxpro6000-wk rtxpro6000-mq rtx-pro-server-6000 "
	  "rtx-pro-6000-server rtx-pro-6000-blackwell rtx-pro-6000-blackwell-server "
	  "rtx-pro-6000-blackwell-workstation "
	  "rtx-pro-6000-blackwell-max-q-workstation" },
	{ "T4", "nvidia", 16, NULL },
	{ "T4g", "nvidia", 16, NULL },
	{ "tpu-v2-128", "google", 16, NULL },
	{ "tpu-v2-256", "google", 16, NULL },
	{ "tpu-v2-32", "google", 16, NULL },
	{ "tpu-v2-512", "google", 16, NULL },
	{ "tpu-v2-8", "google", 16, "ct2-hightpu-4t" },
	{ "tpu-v3-1024", "google", 32, NULL },
	{ "tpu-v3-128", "google", 32, NULL },
	{ "tpu-v3-2048", "google", 32, NULL },
	{ "tpu-v3-256", "google", 32, NULL },
	{ "tpu-v3-32", "google", 32, NULL },
	{ "tpu-v3-512", "google", 32, NULL },
	{ "tpu-v3-64", "google", 32, NULL },
	{ "tpu-v3-8", "google", 32, "ct3-hightpu-4t" },
	{ "tpu-v4-1024", "google", 32, NULL },
	{ "tpu-v4-128", "google", 32, NULL },
	{ "tpu-v4-16", "google", 32, NULL },
	{ "tpu-v4-2048", "google", 32, NULL },
	{ "tpu-v4-256", "google", 32, NULL },
	{ "tpu-v4-32", "google", 32, NULL },
	{ "tpu-v4-4096", "google", 32, NULL },
	{ "tpu-v4-512", "google", 32, NULL },
	{ "tpu-v4-64", "google", 32, NULL },
	{ "tpu-v4-8", "google", 32, "ct4p-hightpu-4t" },
	{ "tpu-v5e-1", "google", 16, "v5litepod-1 ct5lp-hightpu-1t" },
	{ "tpu-v5e-128", "google", 16, "v5litepod-128" },
	{ "tpu-v5e-16", "google", 16, "v5litepod-16" },
	{ "tpu-v5e-256", "google", 16, "v5litepod-256" },
	{ "tpu-v5e-32", "google", 16, "v5litepod-32" },
	{ "tpu-v5e-4", "google", 16, "v5litepod-4 ct5lp-hightpu-4t" },
	{ "tpu-v5e-64", "google", 16, "v5litepod-64" },
	{ "tpu-v5e-8", "google", 16, "v5litepod-8 ct5lp-hightpu-8t" },
	{ "tpu-v5p-1024", "google", 95, NULL },
	{ "tpu-v5p-128", "google", 95, NULL },
	{ "tpu-v5p-16", "google", 95, NULL },
	{ "tpu-v5p-2", "google", 95, "ct5p-hightpu-1t" },
	{ "tpu-v5p-2048", "google", 95, NULL },
	{ "tpu-v5p-256", "google", 95, NULL },
	{ "tpu-v5p-32", "google", 95, NULL },
	{ "tpu-v5p-4", "google", 95, "ct5p-hightpu-2t" },
	{ "tpu-v5p-4096", "google", 95, NULL },
	{ "tpu-v5p-512", "google", 95, NULL },
	{ "tpu-v5p-64", "google", 95, NULL },
	{ "tpu-v5p-8", "google", 95, "ct5p-hightpu-4t" },
	{ "tpu-v6e-1", "google", 32, "ct6e-standard-1t" },
	{ "tpu-v6e-128", "google", 32, NULL },
	{ "tpu-v6e-16", "google", 32, NULL },
	{ "tpu-v6e-256", "google", 32, NULL },
	{ "tpu-v6e-32", "google", 32, NULL },
	{ "tpu-v6e-4", "google", 32, "ct6e-standard-4t" },
	{ "tpu-v6e-64", "google", 32, NULL },
	{ "tpu-v6e-8", "google", 32, "ct6e-standard-8t" },
	{ "Trainium", "amazon", 32, "trn1 trn1n trainium1" },
	{ "Trainium2", "amazon", 96, "trn2 trainium-2" },
	{ "Trainium3", "amazon", 144, "trn3 trainium-3" },
	{ "V100", "nvidia", 16,
	  "v100-16gb v100-pcie v100-sxm2 v100-16gb-pcie v100-pcie-16gb "
	  "v100-16gb-sxm2 v100-sxm2-16gb v100-fhhl-16gb v100-16gb-fhhl" },
	{ "V100-32GB", "nvidia", 32,
	  "v100-32g v100-32gb-sxm2 v100-sxm2-32gb v100-32gb-sxm3 v100-sxm3-32gb "
	  "v100-32gb-pcie v100-pcie-32gb" },
};

/* ---- Plain names ---- */

#define PLAIN_MAX 48

static const char *const empty_words[] = {
	"nvidia", "tesla", "geforce", "quadro", "amd", "instinct", "radeon", "intel", "habana", "aws",
	"amazon", "google", "tpu", "gpu", "gpus", "generation", "edition",
};

static int is_empty_word(const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(empty_words); i++)
		if (strlen(empty_words[i]) == len && strncasecmp(empty_words[i], word, len) == 0)
			return 1;
	return 0;
}

/* What is not ASCII is no mere punctuation: it makes another name. */
static int is_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* The letters and digits of a name of 'len' bytes in lower case, without empty words. Returns the
 * length; 0: nothing is left, or too much. */
static size_t plain(const char *name, size_t len, char out[PLAIN_MAX])
{
	size_t at = 0, n = 0, i;

	while (at < len) {
		size_t word = 0;

		while (at + word < len && is_word(name[at + word]))
			word++;
		if (word > 0 && !is_empty_word(name + at, word)) {
			if (n + word > PLAIN_MAX)
				return 0;
			for (i = 0; i < word; i++)
				out[n++] = (char)tolower((unsigned char)name[at + i]);
		}
		at += word ? word : 1;
	}
	return n;
}

/* ---- The index: a hash table of all plain names, made when the first one is looked up ---- */

#define SLOTS 1024 /* a power of two, at least twice as many as there are names */

static struct slot {
	const char *name; /* not ended by NUL */
	uint16_t len;	  /* 0: empty */
	uint16_t entry;
} slots[SLOTS];
static size_t n_names;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static uint32_t hash(const char *text, size_t len)
{
	uint32_t value = 2166136261u;
	size_t i;

	for (i = 0; i < len; i++)
		value = (value ^ (unsigned char)text[i]) * 16777619u;
	return value ^ value >> 15;
}

/* The slot of a plain name, or the empty one where it belongs. */
static struct slot *find_slot(const char *name, size_t len)
{
	uint32_t i = hash(name, len);
	char other[PLAIN_MAX];

	for (;; i++) {
		struct slot *slot = &slots[i & (SLOTS - 1)];

		if (slot->len == 0 || (plain(slot->name, slot->len, other) == len &&
				       memcmp(other, name, len) == 0))
			return slot;
	}
}

static void add_name(const char *name, size_t len, size_t entry)
{
	char key[PLAIN_MAX];
	size_t n = plain(name, len, key);
	struct slot *slot = n ? find_slot(key, n) : NULL;

	/* A full table would be searched for ever. */
	if (!slot || slot->len > 0 || n_names >= SLOTS / 2)
		return;
	*slot = (struct slot){ name, (uint16_t)len, (uint16_t)entry };
	n_names++;
}

static void make_index(void)
{
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(table); i++)
		add_name(table[i].name, strlen(table[i].name), i);
	for (i = 0; i < SOUK_ARRAY_SIZE(table); i++) {
		const char *at = table[i].aliases;

		while (at && *at) {
			size_t len = strcspn(at, " ");

			add_name(at, len, i);
			at += len;
			at += strspn(at, " ");
		}
	}
}

/* ---- Looking names up ---- */

const struct souk_accelerator_info *souk_accelerator_find(const char *name)
{
	char key[PLAIN_MAX];
	size_t len = plain(name, strlen(name), key);
	const struct slot *slot;

	if (len == 0)
		return NULL;
	pthread_once(&once, make_index);
	slot = find_slot(key, len);
	return slot->len ? &table[slot->entry] : NULL;
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
