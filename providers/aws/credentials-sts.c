/* SPDX-License-Identifier: Apache-2.0 */
/* credentials-sts.c - credentials of a role, which STS hands out */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "aws.h"
#include "query.h"

enum { MAX_TOKEN_FILE = 64 * 1024 };

static const char *get(const struct aws_chain *chain, const char *profile, const char *key)
{
	return aws_profiles_get(chain->profiles, AWS_SECTION_PROFILE, profile, key);
}

/* <XResult><Credentials><AccessKeyId>... */
static int take_credentials(const struct aws_xml *xml, const char *result, const char *source,
			    struct aws_credentials *out, struct souk_error *err)
{
	const xmlNode *node = aws_xml_child(aws_xml_child(xml->root, result), "Credentials");
	const char *access_key = aws_xml_text(node, "AccessKeyId");
	const char *secret_key = aws_xml_text(node, "SecretAccessKey");
	const char *expiration = aws_xml_text(node, "Expiration");
	int64_t expires_at = 0;
	int ret;

	if (!access_key || !secret_key || !expiration)
		return souk_error_set(err, SOUK_E_INTERNAL, "the reply of STS has no credentials");
	ret = souk_parse_time("expiration", expiration, &expires_at, err);
	if (ret == SOUK_OK)
		ret = aws_credentials_make(access_key, secret_key,
					   aws_xml_text(node, "SessionToken"), expires_at, source,
					   out, err);
	return ret < 0 ? ret : 1;
}

static int session_name(const char *given, char *out, size_t size)
{
	return given ? snprintf(out, size, "%s", given) :
		       snprintf(out, size, "souk-%lld", (long long)time(NULL));
}

static int ask_sts(struct aws_chain *chain, const struct aws_credentials *with,
		   const struct aws_operation *operation, struct aws_query *query,
		   struct aws_xml *xml, struct souk_error *err)
{
	struct aws_client client = { chain->aws, chain->call, NULL };
	char region[AWS_REGION_SIZE];
	int ret;

	ret = aws_default_region(chain->aws, region, err);
	if (ret < 0)
		return ret;
	client.region = region;
	return aws_query_send_as(&client, with, operation, query, xml, NULL, err);
}

/* ---- A role, by the credentials of a source ---------------------------------------------- */

static int from_source(struct aws_chain *chain, const char *profile, const char *source,
		       struct aws_credentials *out, struct souk_error *err)
{
	int ret;

	if (strcmp(source, "Environment") == 0)
		ret = aws_from_environment(chain, profile, out, err);
	else if (strcmp(source, "Ec2InstanceMetadata") == 0)
		ret = aws_from_metadata(chain, profile, out, err);
	else if (strcmp(source, "EcsContainer") == 0)
		ret = aws_from_container(chain, profile, out, err);
	else
		return souk_error_set(err, SOUK_E_AUTH,
				      "profile '%.100s': unknown credential_source '%.100s'",
				      profile, source);
	if (ret == 0)
		return souk_error_set(err, SOUK_E_AUTH,
				      "profile '%.100s': credential_source '%s' has no credentials",
				      profile, source);
	return ret;
}

static int has_static_keys(const struct aws_chain *chain, const char *profile)
{
	return get(chain, profile, "aws_access_key_id") ||
	       get(chain, profile, "aws_secret_access_key");
}

static int from_source_profile(struct aws_chain *chain, const char *profile, const char *source,
			       struct aws_credentials *out, struct souk_error *err)
{
	unsigned i;
	int ret;

	if (!aws_profiles_has(chain->profiles, AWS_SECTION_PROFILE, source))
		return souk_error_set(err, SOUK_E_AUTH,
				      "profile '%.100s': source_profile '%.100s' does not exist",
				      profile, source);
	/* A profile may name itself if it holds keys too. */
	for (i = 0; i < chain->n_visited; i++)
		if (strcmp(chain->visited[i], source) == 0 &&
		    (strcmp(profile, source) != 0 || !has_static_keys(chain, source)))
			return souk_error_set(err, SOUK_E_AUTH,
					      "profile '%.100s': source_profile leads in a circle",
					      source);
	if (has_static_keys(chain, source) || !get(chain, source, "role_arn") ||
	    get(chain, source, "web_identity_token_file"))
		ret = aws_from_profile(chain, source, out, err);
	else
		ret = aws_from_role(chain, source, out, err);
	if (ret == 0)
		return souk_error_set(
			err, SOUK_E_AUTH,
			"profile '%.100s': source_profile '%.100s' has no credentials", profile,
			source);
	return ret;
}

static int assume(struct aws_chain *chain, const char *profile, const struct aws_credentials *with,
		  struct aws_credentials *out, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.service = "sts",
		.action = "AssumeRole",
		.version = AWS_STS_VERSION,
		.doing = "assume the role of the profile",
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY,
	};
	const char *duration = get(chain, profile, "duration_seconds");
	const char *external_id = get(chain, profile, "external_id");
	struct aws_query query;
	struct aws_xml xml = { 0 };
	char name[128];
	int ret;

	session_name(get(chain, profile, "role_session_name"), name, sizeof(name));
	aws_query_init(&query, &operation);
	aws_query_add(&query, "RoleArn", get(chain, profile, "role_arn"));
	aws_query_add(&query, "RoleSessionName", name);
	if (duration)
		aws_query_add(&query, "DurationSeconds", duration);
	if (external_id)
		aws_query_add(&query, "ExternalId", external_id);
	ret = ask_sts(chain, with, &operation, &query, &xml, err);
	aws_query_fini(&query);
	if (ret == SOUK_OK)
		ret = take_credentials(&xml, "AssumeRoleResult", "an assumed role", out, err);
	aws_xml_fini(&xml);
	return ret;
}

int aws_from_role(struct aws_chain *chain, const char *profile, struct aws_credentials *out,
		  struct souk_error *err)
{
	struct aws_credentials with = { 0 };
	const char *source = get(chain, profile, "credential_source");
	const char *source_profile = get(chain, profile, "source_profile");
	int ret;

	if (!get(chain, profile, "role_arn") || get(chain, profile, "web_identity_token_file"))
		return 0;
	if (!source == !source_profile)
		return souk_error_set(err, SOUK_E_AUTH,
				      "profile '%.100s': role_arn needs either source_profile or "
				      "credential_source", profile);
	if (get(chain, profile, "mfa_serial")) {
		souk_error_set(err, SOUK_E_AUTH,
			       "profile '%.100s' asks for a code of a second device, which cannot "
			       "be typed here", profile);
		return souk_error_hint(err, "get a session with 'aws sts assume-role', or use a "
					    "credential_process");
	}
	if (chain->n_visited == AWS_ARRAY_SIZE(chain->visited))
		return souk_error_set(err, SOUK_E_AUTH, "too many profiles behind '%.100s'",
				      profile);
	chain->visited[chain->n_visited++] = profile;
	ret = source ? from_source(chain, profile, source, &with, err) :
		       from_source_profile(chain, profile, source_profile, &with, err);
	if (ret > 0)
		ret = assume(chain, profile, &with, out, err);
	aws_credentials_fini(&with);
	return ret;
}

/* ---- A role, by the token of an identity provider ------------------------------------------ */

/* The environment does not count for a profile that another one names as its source. */
static const char *web_setting(const struct aws_chain *chain, const char *profile,
			       const char *variable, const char *key)
{
	const char *value = NULL;

	if (!chain->aws->profile && chain->n_visited == 0)
		value = souk_getenv(variable);
	return value ? value : get(chain, profile, key);
}

int aws_from_web_identity(struct aws_chain *chain, const char *profile,
			  struct aws_credentials *out, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.service = "sts",
		.action = "AssumeRoleWithWebIdentity",
		.version = AWS_STS_VERSION,
		.doing = "assume the role by web identity",
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_BODY | SOUK_HTTP_SECRET_REPLY,
	};
	const char *path = web_setting(chain, profile, "AWS_WEB_IDENTITY_TOKEN_FILE",
				       "web_identity_token_file");
	const char *role = web_setting(chain, profile, "AWS_ROLE_ARN", "role_arn");
	AWS_AUTO_BUF struct souk_buf token = { 0 };
	AWS_AUTO_BUF struct souk_buf full = { 0 };
	struct aws_query query;
	struct aws_xml xml = { 0 };
	char name[128];
	int ret;

	if (!path)
		return 0;
	if (!role)
		return souk_error_set(err, SOUK_E_AUTH,
				      "a web identity token without a role: set AWS_ROLE_ARN");
	souk_buf_init(&full, 4096);
	ret = aws_expand_path(path, &full, err);
	if (ret == SOUK_OK)
		ret = souk_read_file(full.data, MAX_TOKEN_FILE, &token, err);
	if (ret < 0)
		return ret == SOUK_E_NOMEM ? ret :
					     souk_error_set(err, SOUK_E_AUTH,
							    "cannot read the web identity token "
							    "'%.200s'", path);
	while (token.len && (unsigned char)token.data[token.len - 1] <= ' ')
		token.data[--token.len] = '\0';
	session_name(web_setting(chain, profile, "AWS_ROLE_SESSION_NAME", "role_session_name"),
		     name, sizeof(name));
	aws_query_init(&query, &operation);
	aws_query_add(&query, "RoleArn", role);
	aws_query_add(&query, "RoleSessionName", name);
	aws_query_add(&query, "WebIdentityToken", token.data);
	ret = ask_sts(chain, NULL, &operation, &query, &xml, err);
	aws_query_fini(&query);
	if (ret == SOUK_OK)
		ret = take_credentials(&xml, "AssumeRoleWithWebIdentityResult", "a web identity",
				       out, err);
	aws_xml_fini(&xml);
	return ret;
}
