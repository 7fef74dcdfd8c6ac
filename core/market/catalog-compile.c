/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-compile.c - makes a provider's table of offers a catalogue file, in the build */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "market/catalog-import.h"

/* Any problem is a failure: what souk is shipped with has none. */
static int compile(const char *provider, const char *table, const char *output)
{
	const struct souk_catalog_import_options options = { .provider = provider,
							     .source = "seed" };
	struct souk_catalog_import import = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	int ret, status = EXIT_FAILURE;
	size_t i;

	ret = souk_catalog_import_file(table, &options, &import, &err);
	for (i = 0; i < import.problems.n; i++)
		fprintf(stderr, "souk-catalog-compile: %s\n", import.problems.items[i]);
	if (ret == SOUK_OK && import.image)
		ret = souk_catalog_file_write_to(output, import.image, import.size, &err);
	if (ret < 0)
		fprintf(stderr, "souk-catalog-compile: %s\n", err.message);
	else if (import.image)
		status = EXIT_SUCCESS;
	souk_catalog_import_fini(&import);
	return status;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fprintf(stderr, "usage: souk-catalog-compile PROVIDER TABLE.csv FILE.catalog\n");
		return 64;
	}
	return compile(argv[1], argv[2], argv[3]);
}
