/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.c - where each service is */

#include <stdio.h>

#include "gcp.h"

static const struct {
	const char *option;
	const char *url;
} services[] = {
	[GCP_COMPUTE] = { "compute_endpoint", "https://compute.googleapis.com" },
	[GCP_BILLING] = { "billing_endpoint", "https://cloudbilling.googleapis.com" },
	[GCP_RESOURCES] = { "resources_endpoint", "https://cloudresourcemanager.googleapis.com" },
	[GCP_OAUTH] = { "oauth_endpoint", "https://oauth2.googleapis.com" },
	[GCP_METADATA] = { "metadata_endpoint", NULL },
};

/* What the user has configured instead of Google's own address; NULL: nothing. */
static const char *configured(struct souk_call *call, enum gcp_service service)
{
	const char *url = souk_call_option(call, services[service].option);

	/* The metadata server is not one of the cloud's endpoints. */
	if ((!url || !*url) && service != GCP_METADATA)
		url = souk_call_option(call, "endpoint");
	return url && *url ? url : NULL;
}

int gcp_endpoint_is_set(struct souk_call *call, enum gcp_service service)
{
	return configured(call, service) != NULL;
}

int gcp_endpoint(struct souk_call *call, enum gcp_service service, struct souk_buf *url,
		 struct souk_error *err)
{
	static const char example[] = "https://compute.example.com";
	const char *given = configured(call, service);
	const char *host = souk_getenv("GCE_METADATA_HOST");
	char metadata[512];

	if (given)
		return souk_parse_endpoint(NULL, given, example, url, err);
	if (service == GCP_METADATA) {
		/* By its address: a name server could lie about metadata.google.internal. */
		snprintf(metadata, sizeof(metadata), "http://%s", host ? host : "169.254.169.254");
		return souk_parse_endpoint(NULL, metadata, example, url, err);
	}
	souk_buf_str(url, services[service].url);
	return souk_buf_failed(url, err);
}

int gcp_compute_url(const struct gcp_client *client, struct souk_buf *url, struct souk_error *err)
{
	const char *project;
	int ret;

	ret = gcp_project(client, &project, err);
	if (ret == SOUK_OK)
		ret = gcp_endpoint(client->call, GCP_COMPUTE, url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(url, "/compute/v1/projects/%s/", project);
	return souk_buf_failed(url, err);
}
