/* SPDX-License-Identifier: Apache-2.0 */
/* credentials-expected.c - is there any sign of credentials on this computer? */
#include "aws.h"
#include "credentials.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file that a variable names, else the one below ~/.aws. */
static int has_file(const char *variable, const char *name)
{
	const char *path = souk_getenv(variable);
	const char *home = souk_getenv("HOME");
	char own[4096];

	if (path)
		return access(path, R_OK) == 0;
	if (!home)
		return 0;
	(void)snprintf(own, sizeof(own), "%s/.aws/%s", home, name);
	return access(own, R_OK) == 0;
}

/* An EC2 machine says so in its firmware tables, which costs no request. */
static int is_on_ec2(void)
{
	char vendor[64] = "";
	FILE *file;

	if (souk_text_is_true(souk_getenv("AWS_EC2_METADATA_DISABLED")))
		return 0;
	if (souk_getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"))
		return 1;
	file = fopen("/sys/class/dmi/id/sys_vendor", "re");
	if (!file)
		return 0;
	if (!fgets(vendor, sizeof(vendor), file))
		vendor[0] = '\0';
	(void)fclose(file);
	return strncmp(vendor, "Amazon EC2", 10) == 0;
}

int aws_credentials_expected(const struct aws *aws, struct souk_error *err)
{
	static const char *const variables[] = {
		"AWS_ACCESS_KEY_ID",
		"AWS_PROFILE",
		"AWS_DEFAULT_PROFILE",
		"AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI",
	};
	size_t i;

	if (aws->profile || has_file("AWS_SHARED_CREDENTIALS_FILE", "credentials") ||
	    has_file("AWS_CONFIG_FILE", "config") || is_on_ec2())
		return SOUK_OK;
	for (i = 0; i < AWS_ARRAY_SIZE(variables); i++)
		if (souk_getenv(variables[i]))
			return SOUK_OK;
	return aws_no_credentials(err);
}

int aws_no_credentials(struct souk_error *err)
{
	souk_error_set(err, SOUK_E_AUTH, "no AWS credentials found");
	return souk_error_hint(err, "run 'aws configure' or 'aws sso login', or set "
				    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}
