/* SPDX-License-Identifier: Apache-2.0 */
/* source.c - which addresses SSH is admitted from */

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "network.h"

/* Clear the bits behind the prefix. */
static void mask(unsigned char *address, size_t size, uint32_t prefix)
{
	size_t i;

	for (i = 0; i < size; i++) {
		uint32_t bits = prefix > 8 * i ? prefix - (uint32_t)(8 * i) : 0;

		if (bits < 8)
			address[i] &= (unsigned char)(0xff00u >> bits);
	}
}

int aws_cidr_parse(const char *text, char out[AWS_CIDR_SIZE], struct souk_error *err)
{
	unsigned char address[16];
	char plain[AWS_CIDR_SIZE];
	char shown[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	int family = memchr(text, ':', len) ? AF_INET6 : AF_INET;
	uint32_t longest = family == AF_INET6 ? 128 : 32;
	uint32_t prefix = longest;

	if (len >= sizeof(plain))
		goto bad;
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (inet_pton(family, plain, address) != 1)
		goto bad;
	if (slash && souk_parse_u32("prefix", slash + 1, &prefix, NULL) < 0)
		goto bad;
	if (prefix > longest)
		goto bad;
	mask(address, longest / 8, prefix);
	if (!inet_ntop(family, address, shown, sizeof(shown)))
		goto bad;
	snprintf(out, AWS_CIDR_SIZE, "%s/%u", shown, prefix);
	return SOUK_OK;
bad:
	souk_error_set(err, SOUK_E_INVALID, "not an address or a network: '%.64s'", text);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return souk_error_hint(err, "write '203.0.113.0/24', or 'auto'");
}

static int is_public(const char *cidr)
{
	unsigned char a[4];
	char plain[AWS_CIDR_SIZE];

	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(cidr, "/"), cidr);
	if (inet_pton(AF_INET, plain, a) != 1)
		return (strtol(plain, NULL, 16) & 0xe000) == 0x2000; /* 2000::/3 */
	return !(a[0] == 0 || a[0] == 10 || a[0] == 127 || a[0] >= 224 ||
		 (a[0] == 169 && a[1] == 254) || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
		 (a[0] == 192 && a[1] == 168) || (a[0] == 100 && (a[1] & 0xc0) == 64));
}

static int unknown_address(const char *why, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_TRANSIENT, "cannot find out this computer's public address: %s",
		       why);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return souk_error_hint(err, "say it with --set aws.ssh_from=ADDRESS/32");
}

static int ask_address(const struct aws_client *client, const char *url, char out[AWS_CIDR_SIZE],
		       struct souk_error *err)
{
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_RETRY,
		.what = "public address",
		.url = url,
		.timeout_ms = 10000,
		.max_reply_bytes = 1024,
	};
	AWS_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct souk_error why = SOUK_ERROR_INIT;
	char text[AWS_CIDR_SIZE];
	size_t size = 0;
	const char *body;
	int ret;

	ret = souk_http_send(client->call, &request, &reply, &why);
	if (ret == SOUK_E_CANCELLED || ret == SOUK_E_NOMEM)
		return aws_error_pass(&why, err);
	if (ret < 0)
		return unknown_address(why.message, err);
	body = souk_http_reply_body(reply, &size);
	if (souk_http_reply_status(reply) != 200 || !body)
		return unknown_address("no answer", err);
	while (isspace((unsigned char)*body))
		body++;
	size = strcspn(body, " \t\r\n");
	if (size >= sizeof(text) || memchr(body, '/', size))
		return unknown_address("the answer is not an address", err);
	memcpy(text, body, size);
	text[size] = '\0';
	if (aws_cidr_parse(text, out, NULL) < 0)
		return unknown_address("the answer is not an address", err);
	/* On loopback a service may answer what it sees; from outside that would be a lie. */
	if (!is_public(out) && !aws_endpoint_is_local(url))
		return unknown_address("the answer is not a public address", err);
	return SOUK_OK;
}

/* "auto": who sees us how? */
static int caller(const struct aws_client *client, const char *vpc_cidr, char out[AWS_CIDR_SIZE],
		  struct souk_error *err)
{
	const char *url = souk_call_option(client->call, "checkip_endpoint");
	AWS_AUTO_BUF struct souk_buf ec2 = { 0 };
	int ret;

	/* By its private address a machine is reached from within, through a bastion or a VPN. */
	if (aws_is_true(souk_call_option(client->call, "use_internal_ips")) && vpc_cidr[0])
		return aws_cidr_parse(vpc_cidr, out, err);
	souk_buf_init(&ec2, 2048);
	ret = aws_endpoint(client->aws, client->call, "ec2", client->region, &ec2, err);
	if (ret < 0)
		return ret;
	/* A cloud on this very machine sees us come from here. */
	if (aws_endpoint_is_local(ec2.data) && (!url || !aws_endpoint_is_local(url)))
		return aws_cidr_parse("127.0.0.1", out, err);
	return ask_address(client, url && *url ? url : "https://checkip.amazonaws.com/", out, err);
}

int aws_sources(const struct aws_client *client, const char *vpc_cidr,
		char (*out)[AWS_CIDR_SIZE], size_t *n_out, struct souk_error *err)
{
	const char *list = souk_call_option(client->call, "ssh_from");
	size_t n = 0;
	int ret;

	if (!list || !*list)
		list = "auto";
	for (;;) {
		AWS_AUTO_FREE char *item = NULL;

		ret = aws_next_item(&list, &item, err);
		if (ret <= 0)
			break;
		if (n == AWS_MAX_SOURCES)
			return souk_error_set(err, SOUK_E_INVALID,
					      "ssh_from: more than %d networks", AWS_MAX_SOURCES);
		ret = strcasecmp(item, "auto") == 0 ? caller(client, vpc_cidr, out[n], err) :
						      aws_cidr_parse(item, out[n], err);
		if (ret < 0)
			break;
		n++;
	}
	if (ret == 0)
		*n_out = n;
	return ret;
}
