/* SPDX-License-Identifier: Apache-2.0 */
/* cli/provider-test.h - what cmd-provider.c and provider-test.c share */
#ifndef SOUK_CLI_PROVIDER_TEST_H
#define SOUK_CLI_PROVIDER_TEST_H

#include "cli.h"

struct cli_provider_options {
	const char *endpoint;
	const char *only;
	const char *instance_type;
	const char *region;
	const char *dir;
	uint32_t calls;
	uint32_t grace_ms;
	int machines;
	int list;
};

/* souk provider test and new; each returns the exit status. 'text' may be NULL. */
int cli_provider_test(struct cli *cli, const struct cli_provider_options *options, const char *text);
int cli_provider_new(struct cli *cli, const struct cli_provider_options *options, const char *name);

#endif
