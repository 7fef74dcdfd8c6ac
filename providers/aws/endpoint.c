/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.c - where each service of a region is */

#include <string.h>

#include "aws.h"

/* A service: its host name, its name in AWS_ENDPOINT_URL_X, and in a [services] section. */
struct service {
	const char *name;
	const char *host;
	const char *variable;
	const char *section;
};

static const struct service services[] = {
	{ "ec2", "ec2", "AWS_ENDPOINT_URL_EC2", "ec2.endpoint_url" },
	{ "sts", "sts", "AWS_ENDPOINT_URL_STS", "sts.endpoint_url" },
	{ "ssm", "ssm", "AWS_ENDPOINT_URL_SSM", "ssm.endpoint_url" },
	{ "servicequotas", "servicequotas", "AWS_ENDPOINT_URL_SERVICE_QUOTAS",
	  "service_quotas.endpoint_url" },
	{ "pricing", "api.pricing", "AWS_ENDPOINT_URL_PRICING", "pricing.endpoint_url" },
	{ "sso", "portal.sso", "AWS_ENDPOINT_URL_SSO", "sso.endpoint_url" },
	{ "sso-oidc", "oidc", "AWS_ENDPOINT_URL_SSO_OIDC", "sso_oidc.endpoint_url" },
};

static const struct {
	const char *prefix;
	const char *domain;
} partitions[] = {
	{ "cn-", "amazonaws.com.cn" },	 { "us-iso-", "c2s.ic.gov" },
	{ "us-isob-", "sc2s.sgov.gov" }, { "us-isof-", "csp.hci.ic.gov" },
	{ "eu-isoe-", "cloud.adc-e.uk" }, { "eusc-", "amazonaws.eu" },
};

static const struct service *find_service(const char *name)
{
	size_t i;

	for (i = 0; i < AWS_ARRAY_SIZE(services); i++)
		if (strcmp(services[i].name, name) == 0)
			return &services[i];
	return NULL;
}

static const char *domain_of(const char *region)
{
	size_t i;

	for (i = 0; i < AWS_ARRAY_SIZE(partitions); i++)
		if (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) == 0)
			return partitions[i].domain;
	return "amazonaws.com";
}

const char *aws_pricing_region(const char *region)
{
	if (strncmp(region, "cn-", 3) == 0)
		return "cn-northwest-1";
	if (strncmp(region, "ap-", 3) == 0)
		return "ap-south-1";
	if (strncmp(region, "eu-", 3) == 0)
		return "eu-central-1";
	return "us-east-1";
}

/* What the user has configured instead of AWS's own address; NULL: nothing. */
static int configured(struct aws *aws, struct souk_call *call, const struct service *service,
		      const char **out, struct souk_error *err)
{
	const char *profile = aws_profile_name(aws);
	const struct aws_profiles *settings;
	const char *section;
	int ret;

	/* The option of souk is for all services, and over all else. */
	*out = souk_call_option(call, "endpoint");
	if (*out && **out)
		return SOUK_OK;
	*out = NULL;
	if (souk_text_is_true(souk_getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")))
		return SOUK_OK;
	*out = souk_getenv(service->variable);
	if (!*out)
		*out = souk_getenv("AWS_ENDPOINT_URL");
	if (*out)
		return SOUK_OK;
	ret = aws_settings(aws, &settings, err);
	if (ret < 0)
		return ret;
	if (souk_text_is_true(aws_profiles_get(settings, AWS_SECTION_PROFILE, profile,
					 "ignore_configured_endpoint_urls")))
		return SOUK_OK;
	section = aws_profiles_get(settings, AWS_SECTION_PROFILE, profile, "services");
	if (section)
		*out = aws_profiles_get(settings, AWS_SECTION_SERVICES, section, service->section);
	if (!*out)
		*out = aws_profiles_get(settings, AWS_SECTION_PROFILE, profile, "endpoint_url");
	return SOUK_OK;
}

int aws_endpoint(struct aws *aws, struct souk_call *call, const char *service_name,
		 const char *region, struct souk_buf *url, struct souk_error *err)
{
	const struct service *service = find_service(service_name);
	const char *given;
	int ret;

	if (!service)
		return souk_error_set(err, SOUK_E_INTERNAL, "no service '%s'", service_name);
	if (!aws_is_place(region))
		return souk_error_set(err, SOUK_E_INVALID, "not a region: '%.64s'", region);
	ret = configured(aws, call, service, &given, err);
	if (ret < 0)
		return ret;
	if (given)
		return souk_parse_endpoint(NULL, given, "https://ec2.example.com", url, err);
	souk_buf_printf(url, "https://%s.%s.%s", service->host, region, domain_of(region));
	return souk_buf_failed(url, err);
}
