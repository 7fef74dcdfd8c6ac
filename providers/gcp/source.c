/* SPDX-License-Identifier: Apache-2.0 */
/* source.c - which addresses SSH is admitted from */

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "machines.h"

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

static int bad_network(const char *text, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_INVALID, "not an address or a network: '%.64s'", text);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return souk_error_hint(err, "write '203.0.113.0/24', or 'auto'");
}

int gcp_cidr_parse(const char *text, char out[GCP_CIDR_SIZE], struct souk_error *err)
{
	unsigned char address[16];
	char plain[GCP_CIDR_SIZE];
	char shown[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	int family = memchr(text, ':', len) ? AF_INET6 : AF_INET;
	uint32_t longest = family == AF_INET6 ? 128 : 32;
	uint32_t prefix = longest;

	if (len >= sizeof(plain))
		return bad_network(text, err);
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (inet_pton(family, plain, address) != 1 ||
	    (text[len] && souk_parse_u32("prefix", text + len + 1, &prefix, NULL) < 0) ||
	    prefix > longest)
		return bad_network(text, err);
	mask(address, longest / 8, prefix);
	if (!inet_ntop(family, address, shown, sizeof(shown)))
		return bad_network(text, err);
	snprintf(out, GCP_CIDR_SIZE, "%s/%u", shown, prefix);
	return SOUK_OK;
}

static int is_local(const char *url)
{
	const char *host = strstr(url, "://");
	size_t len;

	if (!host)
		return 0;
	host += 3;
	len = strcspn(host, ":/");
	return strncmp(host, "[::1]", 5) == 0 || (len == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	       (len >= 7 && strncmp(host, "127.", 4) == 0);
}

static int unknown_address(const char *why, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_TRANSIENT, "cannot find out this computer's public address: %s",
		       why);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return souk_error_hint(err, "say it with --set gcp.ssh_from=ADDRESS/32");
}

static int ask_address(const struct gcp_client *client, const char *url, char out[GCP_CIDR_SIZE],
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
	GCP_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct souk_error why = SOUK_ERROR_INIT;
	char text[GCP_CIDR_SIZE];
	size_t size = 0;
	const char *body;
	int ret;

	ret = souk_http_send(client->call, &request, &reply, &why);
	if (ret == SOUK_E_CANCELLED || ret == SOUK_E_NOMEM)
		return gcp_error_pass(&why, err);
	if (ret < 0)
		return unknown_address(why.message, err);
	body = souk_http_reply_body(reply, &size);
	if (souk_http_reply_status(reply) != 200)
		return unknown_address("no answer", err);
	while (isspace((unsigned char)*body))
		body++;
	size = strcspn(body, " \t\r\n");
	if (size >= sizeof(text) || memchr(body, '/', size))
		return unknown_address("the answer is not an address", err);
	memcpy(text, body, size);
	text[size] = '\0';
	if (gcp_cidr_parse(text, out, NULL) < 0)
		return unknown_address("the answer is not an address", err);
	return SOUK_OK;
}

/* "auto": who sees us how? */
static int caller(const struct gcp_client *client, char out[GCP_CIDR_SIZE],
		  struct souk_error *err)
{
	const char *url = souk_call_option(client->call, "checkip_endpoint");
	GCP_AUTO_BUF struct souk_buf compute = { 0 };
	int ret;

	souk_buf_init(&compute, 2048);
	ret = gcp_endpoint(client->call, GCP_COMPUTE, &compute, err);
	if (ret < 0)
		return ret;
	/* A cloud on this very machine sees us come from here. */
	if (is_local(compute.data) && (!url || !is_local(url)))
		return gcp_cidr_parse("127.0.0.1", out, err);
	return ask_address(client, url && *url ? url : "https://checkip.amazonaws.com/", out, err);
}

int gcp_sources(const struct gcp_client *client, char (*out)[GCP_CIDR_SIZE],
		struct souk_error *err)
{
	const char *list = souk_call_option(client->call, "ssh_from");
	int n = 0;
	int ret = SOUK_OK;

	if (!list || !*list)
		list = "auto";
	while (*list && ret == SOUK_OK) {
		char item[GCP_CIDR_SIZE];
		size_t len;

		list += strspn(list, ", \t");
		len = strcspn(list, ", \t");
		if (!len)
			break;
		if (n == GCP_MAX_SOURCES)
			return souk_error_set(err, SOUK_E_INVALID, "ssh_from: more than %d networks",
					      GCP_MAX_SOURCES);
		snprintf(item, sizeof(item), "%.*s", (int)(len < sizeof(item) ? len : 0), list);
		list += len;
		ret = strcasecmp(item, "auto") == 0 ? caller(client, out[n], err) :
						      gcp_cidr_parse(item, out[n], err);
		n++;
	}
	return ret < 0 ? ret : n;
}
