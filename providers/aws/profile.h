/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - the files ~/.aws/config and ~/.aws/credentials */
#ifndef SOUK_AWS_PROFILE_H
#define SOUK_AWS_PROFILE_H

#include <souk/provider.h>

struct aws_profiles;

/* Which kind of section: [profile x] (and [x] in the credentials file), [sso-session x], [services
 * x]. */
enum { AWS_SECTION_PROFILE = 0, AWS_SECTION_SSO_SESSION = 1, AWS_SECTION_SERVICES = 2 };

/* Empty settings, and the two files read into them. A file that is not there is empty. */
struct aws_profiles *aws_profiles_new(void);
void aws_profiles_free(struct aws_profiles *profiles);
int aws_profiles_load(struct aws_profiles **out, struct souk_error *err);

/*
 * Add the text of a file named 'path'. In the credentials file every section is a profile.
 * A setting that is there already is replaced.
 */
int aws_profiles_parse(struct aws_profiles *profiles, const char *path, const char *text,
		       int is_credentials_file, struct souk_error *err);

/*
 * A setting, NULL if there is none or it is empty. The settings below an indented block are
 * named "block.key". Borrowed while 'profiles' lives.
 */
const char *aws_profiles_get(const struct aws_profiles *profiles, int section, const char *name,
			     const char *key);
/* 1 if there is such a section. */
int aws_profiles_has(const struct aws_profiles *profiles, int section, const char *name);

#endif
