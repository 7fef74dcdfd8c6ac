/* SPDX-License-Identifier: Apache-2.0 */
/* test-accelerator.c - what accelerators are called, by clouds, catalogs and people */
#include <dirent.h>
#include <stdint.h>

#include "base/util.h"
#include "market/accelerator.h"
#include "scratch.h"

static const struct {
	const char *name, *canonical;
} names[] = {
	{ "H100", "H100" },
	{ "h100", "H100" },
	{ "H-100", "H100" },
	{ "nvidia-h100-80gb", "H100" },
	{ "nvidia-h100-mega-80gb", "H100" },
	{ "NVIDIA H100 80GB HBM3", "H100" },
	{ "NVIDIA H100 PCIe", "H100" },
	{ "H100 (80 GB SXM5)", "H100" },
	{ "H100-SXM", "H100-SXM" },
	{ "h100_sxm5", "H100-SXM" },
	{ "NVIDIA H100 NVL", "H100-NVL" },
	{ "NVIDIA H200", "H200" },
	{ "nvidia-h200-141gb", "H200" },
	{ "NVIDIA H200 NVL", "H200-NVL" },
	{ "NVIDIA B200", "B200" },
	{ "B200 (180 GB SXM6)", "B200" },
	{ "GH200 (96 GB)", "GH200" },
	{ "NVIDIA-Tesla-T4", "T4" },
	{ "Nvidia Tesla T4 GPU", "T4" },
	{ "NVIDIA_T4_GPUS", "T4" },
	{ "nvidia-l4", "L4" },
	{ "l40s", "L40S" },
	{ "nvidia-tesla-a100", "A100" },
	{ "A100-40GB", "A100" },
	{ "A100 (40 GB SXM4)", "A100" },
	{ "a100-80gb", "A100-80GB" },
	{ "nvidia-a100-80gb", "A100-80GB" },
	{ "NVIDIA A100-SXM4-80GB", "A100-80GB" },
	{ "NVIDIA A100 80GB PCIe", "A100-80GB" },
	{ "A100 (80 GB SXM4)", "A100-80GB" },
	{ "A100-80GB-SXM", "A100-80GB" },
	{ "A10 (24 GB PCIe)", "A10" },
	{ "Tesla V100-SXM2-32GB", "V100-32GB" },
	{ "Tesla V100-FHHL-16GB", "V100" },
	{ "V100 (16 GB)", "V100" },
	{ "NVIDIA GeForce RTX 4090", "RTX4090" },
	{ "NVIDIA GeForce RTX 3080TI", "RTX3080TI" },
	{ "NVIDIA GeForce RTX 4080 SUPER", "RTX4080SUPER" },
	{ "RTX4070Ti", "RTX4070TI" },
	{ "NVIDIA RTX 6000 Ada Generation", "RTX6000-Ada" },
	{ "RTX6000ADA", "RTX6000-Ada" },
	{ "Quadro RTX 6000", "RTX6000" },
	{ "RTX 6000 (24 GB)", "RTX6000" },
	{ "NVIDIA RTX 4000 SFF Ada Generation", "RTX4000-Ada-SFF" },
	{ "NVIDIA A5000 Ada", "RTX5000-Ada" },
	{ "NVIDIA RTX A6000", "RTXA6000" },
	{ "A6000 (48 GB)", "RTXA6000" },
	{ "NVIDIA  RTX A4500", "RTXA4500" },
	{ "NVIDIA RTX A30", "A30" },
	{ "NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTXPRO6000" },
	{ "NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "RTXPRO6000" },
	{ "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", "RTXPRO6000" },
	{ "nvidia-rtx-pro-6000", "RTXPRO6000" },
	{ "AMD Instinct MI300X OAM", "MI300X" },
	{ "V520", "Radeon-Pro-V520" },
	{ "Radeon Pro V520", "Radeon-Pro-V520" },
	{ "Gaudi-HL205", "Gaudi" },
	{ "INFERENTIA", "Inferentia" },
	{ "inf2", "Inferentia2" },
	{ "Trainium", "Trainium" },
	{ "TRAINIUM2", "Trainium2" },
	{ "tpu-v5e-8", "tpu-v5e-8" },
	{ "TPU-V5E-8", "tpu-v5e-8" },
	{ "v5litepod-8", "tpu-v5e-8" },
	{ "tpu-v5litepod-256", "tpu-v5e-256" },
	{ "ct5lp-hightpu-8t", "tpu-v5e-8" },
	{ "ct6e-standard-4t", "tpu-v6e-4" },
	{ "v6e-256", "tpu-v6e-256" },
	{ "ct5p-hightpu-4t", "tpu-v5p-8" },
	{ "tpu-v2-8", "tpu-v2-8" },
	{ "v3-2048", "tpu-v3-2048" },
	{ "v4-32", "tpu-v4-32" },
	/* What is in no table is its own name. */
	{ "Nobody-Knows-It", "Nobody-Knows-It" },
	{ "", "" },
	{ "nvidia", "nvidia" },
	{ "tesla", "tesla" },
	{ "--- () ---", "--- () ---" },
	{ "a100-40gb a100", "a100-40gb a100" },
	{ "H100\xc3\xa9", "H100\xc3\xa9" },
	{ "H1000", "H1000" },
	{ "tpu-v5e-7", "tpu-v5e-7" },
	{ "h100-h100-h100-h100-h100-h100-h100-h100-h100-h100-h100-h100-h100-h100",
	  "h100-h100-h100-h100-h100-h100-h100-h100-h100-h100-h100-h100-h100-h100" },
};

START_TEST(accelerators_have_one_name)
{
	ck_assert_str_eq(souk_accelerator_canonical(names[_i].name), names[_i].canonical);
}
END_TEST

/* Every alias finds its entry: so none stands twice, and none hides behind another name. */
START_TEST(the_table_is_sound)
{
	const struct souk_accelerator_info *table;
	size_t n, i, len, n_names = 0;

	table = souk_accelerator_table(&n);
	ck_assert_uint_gt(n, 100);
	for (i = 0; i < n; i++) {
		char alias[64];
		const char *at = table[i].aliases;

		ck_assert_msg(i == 0 || strcasecmp(table[i - 1].name, table[i].name) < 0, "%s",
			      table[i].name);
		ck_assert_uint_gt(table[i].memory_gib, 0);
		ck_assert_uint_eq(strcspn(table[i].maker, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
				  strlen(table[i].maker));
		ck_assert_uint_eq(strcspn(table[i].name, ",: *"), strlen(table[i].name));
		ck_assert_ptr_eq(souk_accelerator_find(table[i].name), &table[i]);
		n_names++;
		for (; at && *at; at += len + strspn(at + len, " ")) {
			len = strcspn(at, " ");
			snprintf(alias, sizeof(alias), "%.*s", (int)len, at);
			ck_assert_msg(souk_accelerator_find(alias) == &table[i], "%s of %s", alias,
				      table[i].name);
			ck_assert_uint_eq(strcspn(alias, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"), len);
			n_names++;
		}
	}
	ck_assert_uint_gt(n_names, 250);
}
END_TEST

/* The field of a line of CSV without quotes, as a copy in 'out'. */
static void field(const char *line, unsigned n, char *out, size_t size)
{
	for (; n > 0 && line; n--) {
		line = strchr(line, ',');
		line = line ? line + 1 : NULL;
	}
	snprintf(out, size, "%.*s", line ? (int)strcspn(line, ",\n") : 0, line ? line : "");
}

static size_t check_names_of(const char *path)
{
	char line[1024], name[128];
	FILE *file = fopen(path, "r");
	size_t n = 0;

	ck_assert_msg(file != NULL, "%s", path);
	ck_assert_msg(fgets(line, sizeof(line), file) != NULL, "%s", path);
	field(line, 7, name, sizeof(name));
	/* A table of something else beside the catalogs. */
	if (strcmp(name, "gpu_name") != 0) {
		fclose(file);
		return 0;
	}
	while (fgets(line, sizeof(line), file)) {
		field(line, 7, name, sizeof(name));
		if (!*name)
			continue;
		ck_assert_msg(souk_accelerator_find(name) != NULL, "%s: '%s'", path, name);
		n++;
	}
	fclose(file);
	return n;
}

START_TEST(real_catalogs_are_understood)
{
	const char *folder = getenv("SOUK_TEST_CATALOG");
	char path[4096];
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	if (!folder)
		folder = TEST_SRCDIR "/../shared/catalog";
	dir = opendir(folder);
	if (!dir) {
		fprintf(stderr, "no catalogs in '%s': nothing to compare with\n", folder);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);

		if (len < 5 || strcmp(entry->d_name + len - 4, ".csv") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		n += check_names_of(path);
	}
	closedir(dir);
	ck_assert_uint_gt(n, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("accelerator");
	TCase *tcase = tcase_create("names");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tcase, accelerators_have_one_name, 0, SOUK_ARRAY_SIZE(names));
	tcase_add_test(tcase, the_table_is_sound);
	tcase_add_test(tcase, real_catalogs_are_understood);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
