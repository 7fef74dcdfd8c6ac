/* SPDX-License-Identifier: Apache-2.0 */
/* source.c - which addresses SSH is admitted from */

#include "machines.h"

int gcp_sources(const struct gcp_client *client, char (*out)[SOUK_NETWORK_SIZE],
		struct souk_error *err)
{
	struct souk_ssh_from from = {
		SOUK_SSH_FROM_HEAD,
		.provider = "gcp",
		.checkip = "https://checkip.amazonaws.com/",
	};
	GCP_AUTO_BUF struct souk_buf compute = { 0 };
	uint32_t n = 0;
	int ret;

	souk_buf_init(&compute, 2048);
	ret = gcp_endpoint(client->call, GCP_COMPUTE, &compute, err);
	if (ret < 0)
		return ret;
	from.endpoint = compute.data;
	ret = souk_call_ssh_from(client->call, &from, out, GCP_MAX_SOURCES, &n, err);
	return ret < 0 ? ret : (int)n;
}
