/* SPDX-License-Identifier: Apache-2.0 */
/* source.c - which addresses SSH is admitted from */

#include "network.h"

int aws_sources(const struct aws_client *client, const char *vpc_cidr,
		char (*out)[SOUK_NETWORK_SIZE], uint32_t *n_out, struct souk_error *err)
{
	struct souk_ssh_from from = {
		SOUK_SSH_FROM_HEAD,
		.provider = "aws",
		.checkip = "https://checkip.amazonaws.com/",
	};
	AWS_AUTO_BUF struct souk_buf ec2 = { 0 };
	int ret;

	/* By its private address a machine is reached from within, through a bastion or a VPN. */
	if (souk_text_is_true(souk_call_option(client->call, "use_internal_ips")))
		from.inside = vpc_cidr;
	souk_buf_init(&ec2, 2048);
	ret = aws_endpoint(client->aws, client->call, "ec2", client->region, &ec2, err);
	if (ret < 0)
		return ret;
	from.endpoint = ec2.data;
	return souk_call_ssh_from(client->call, &from, out, AWS_MAX_SOURCES, n_out, err);
}
