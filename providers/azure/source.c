/* SPDX-License-Identifier: Apache-2.0 */
/* source.c - which addresses SSH is admitted from */

#include "machines.h"

int azure_sources(const struct azure_client *client, struct souk_buf *out, struct souk_error *err)
{
	const struct souk_ssh_from from = {
		SOUK_SSH_FROM_HEAD,
		.provider = "azure",
		.endpoint = client->azure->urls[AZURE_HOST_MANAGEMENT],
		.checkip = "https://checkip.amazonaws.com/",
	};
	char networks[AZURE_MAX_SOURCES][SOUK_NETWORK_SIZE];
	uint32_t i, n;
	int ret = souk_call_ssh_from(client->call, &from, networks, AZURE_MAX_SOURCES, &n, err);

	if (ret < 0)
		return ret;
	souk_buf_str(out, "[");
	for (i = 0; i < n; i++)
		azure_body(out, i ? ",$" : "$", networks[i]);
	souk_buf_str(out, "]");
	return souk_buf_failed(out, err);
}
