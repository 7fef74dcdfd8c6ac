/* SPDX-License-Identifier: Apache-2.0 */
/* standalone.c - runs a fuzz target on files, for builds without a fuzzing engine */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

#define MAX_FILE ((size_t)16 << 20)

static unsigned files_run;

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;

	if (!file) {
		perror(path);
		return -1;
	}
	data = malloc(MAX_FILE);
	if (!data) {
		fclose(file);
		return -1;
	}
	size = fread(data, 1, MAX_FILE, file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	files_run++;
	return 0;
}

static int run_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	char name[4096];
	int ret = 0;

	if (!folder) {
		perror(path);
		return -1;
	}
	while ((entry = readdir(folder)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (snprintf(name, sizeof(name), "%s/%s", path, entry->d_name) >=
			    (int)sizeof(name) ||
		    run_file(name) < 0)
			ret = -1;
	}
	closedir(folder);
	return ret;
}

/* Files and folders; without any, the target's own corpus in the source tree. */
int main(int argc, char **argv)
{
	const char *sources = getenv("SOUK_TEST_SRCDIR");
	struct stat about;
	char corpus[4096];
	int i, ret = 0;

	if (argc < 2) {
		snprintf(corpus, sizeof(corpus), "%s/tests/fuzz/corpus/%s", sources ? sources : ".",
			 fuzz_corpus);
		ret = run_folder(corpus);
	}
	for (i = 1; i < argc; i++) {
		if (stat(argv[i], &about) == 0 && S_ISDIR(about.st_mode))
			ret |= run_folder(argv[i]);
		else
			ret |= run_file(argv[i]);
	}
	printf("%u files\n", files_run);
	return ret < 0 || files_run == 0;
}
