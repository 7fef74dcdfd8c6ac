/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - networks, URLs, and which addresses SSH is to be admitted from */

#include <souk/provider.h>

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { ADDRESS_TIMEOUT_MS = 10000, ADDRESS_REPLY = 1024 };

/* ---- URLs ---- */

static int is_endpoint(const char *url)
{
	const char *p;

	if (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0)
		return 0;
	p = strstr(url, "://") + 3;
	if (!*p || *p == '/')
		return 0;
	for (; *p; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f || strchr("?#@\"\\", *p))
			return 0;
	return 1;
}

int souk_parse_endpoint(const char *what, const char *url, const char *example,
			struct souk_buf *out, struct souk_error *err)
{
	size_t len = url ? strlen(url) : 0;

	if (!url || !is_endpoint(url)) {
		souk_error_set(err, SOUK_E_INVALID, "%s%snot an endpoint: '%.200s'",
			       what ? what : "", what ? ": " : "", url ? url : "");
		souk_error_scope(err, SOUK_SCOPE_PROVIDER);
		return souk_error_hint(err, "an endpoint is a URL such as '%s'", example);
	}
	while (url[len - 1] == '/')
		len--;
	souk_buf_add(out, url, len);
	return souk_buf_failed(out, err);
}

int souk_call_endpoint(const struct souk_call *call, const char *usual, const char *tail,
		       struct souk_buf *out, struct souk_error *err)
{
	const char *given = souk_call_option(call, "endpoint");
	size_t len = tail ? strlen(tail) : 0;
	int ret = souk_parse_endpoint("endpoint", given && *given ? given : usual, usual, out, err);

	if (ret == SOUK_OK && len && out->len > len &&
	    strcmp(out->data + out->len - len, tail) == 0) {
		out->len -= len;
		out->data[out->len] = '\0';
	}
	return ret;
}

int souk_url_is_local(const char *url)
{
	const char *host = url ? strstr(url, "://") : NULL;
	size_t len;

	if (!host)
		return 0;
	host += 3;
	if (strncmp(host, "[::1]", 5) == 0)
		return 1;
	len = strcspn(host, ":/");
	return (len == 9 && strncasecmp(host, "localhost", 9) == 0) ||
	       (len >= 7 && strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") >= len);
}

/* ---- Networks ---- */

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

static int bad_network(const char *text, size_t len, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_INVALID, "not an address or a network: '%.*s'",
		       len < 64 ? (int)len : 64, text);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return souk_error_hint(err, "write '203.0.113.0/24', or 'auto'");
}

int souk_parse_network(const char *text, char out[SOUK_NETWORK_SIZE], struct souk_error *err)
{
	unsigned char address[16];
	char plain[INET6_ADDRSTRLEN];
	char shown[INET6_ADDRSTRLEN];
	size_t len = strcspn(text, "/");
	int family = memchr(text, ':', len) ? AF_INET6 : AF_INET;
	uint32_t longest = family == AF_INET6 ? 128 : 32;
	uint32_t prefix = longest;

	if (len >= sizeof(plain))
		return bad_network(text, strlen(text), err);
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (inet_pton(family, plain, address) != 1 ||
	    (text[len] && souk_parse_u32("prefix", text + len + 1, &prefix, NULL) < 0) ||
	    prefix > longest)
		return bad_network(text, strlen(text), err);
	mask(address, longest / 8, prefix);
	if (!inet_ntop(family, address, shown, sizeof(shown)))
		return bad_network(text, strlen(text), err);
	snprintf(out, SOUK_NETWORK_SIZE, "%s/%u", shown, prefix);
	return SOUK_OK;
}

/* Does it mean the same everywhere? */
static int is_public(const char *network)
{
	unsigned char a[4];
	char plain[SOUK_NETWORK_SIZE];

	snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(network, "/"), network);
	if (inet_pton(AF_INET, plain, a) != 1)
		return (strtol(plain, NULL, 16) & 0xe000) == 0x2000; /* 2000::/3 */
	return !(a[0] == 0 || a[0] == 10 || a[0] == 127 || a[0] >= 224 ||
		 (a[0] == 169 && a[1] == 254) || (a[0] == 172 && (a[1] & 0xf0) == 16) ||
		 (a[0] == 192 && a[1] == 168) || (a[0] == 100 && (a[1] & 0xc0) == 64));
}

/* ---- Where SSH comes from ---- */

static int unknown_address(const char *provider, const char *why, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_TRANSIENT, "cannot find out this computer's public address: %s",
		       why);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return souk_error_hint(err, "say it with --set %s.ssh_from=ADDRESS/32", provider);
}

/* NULL, or what is wrong with the answer. */
static const char *read_address(const struct souk_http_reply *reply, const char *url,
				char out[SOUK_NETWORK_SIZE])
{
	char text[SOUK_NETWORK_SIZE];
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);

	if (souk_http_reply_status(reply) != 200 || !body)
		return "no answer";
	while (isspace((unsigned char)*body))
		body++;
	size = strcspn(body, " \t\r\n");
	if (size >= sizeof(text) || memchr(body, '/', size))
		return "the answer is not an address";
	memcpy(text, body, size);
	text[size] = '\0';
	if (souk_parse_network(text, out, NULL) < 0)
		return "the answer is not an address";
	/* On loopback a service may answer what it sees; from outside that would be a lie. */
	if (!is_public(out) && !souk_url_is_local(url))
		return "the answer is not a public address";
	return NULL;
}

static int ask_address(struct souk_call *call, const struct souk_ssh_from *from, const char *url,
		       char out[SOUK_NETWORK_SIZE], struct souk_error *err)
{
	const struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_RETRY,
		.what = "public address",
		.url = url,
		.timeout_ms = ADDRESS_TIMEOUT_MS,
		.max_reply_bytes = ADDRESS_REPLY,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct souk_http_reply *reply = NULL;
	const char *wrong;
	int ret = souk_http_send(call, &request, &reply, &why);

	if (ret == SOUK_E_CANCELLED || ret == SOUK_E_NOMEM)
		return souk_error_copy(&why, err);
	if (ret < 0)
		return unknown_address(from->provider, why.message, err);
	wrong = read_address(reply, url, out);
	souk_http_reply_free(reply);
	return wrong ? unknown_address(from->provider, wrong, err) : SOUK_OK;
}

/* "auto": who sees us how? */
static int own_network(struct souk_call *call, const struct souk_ssh_from *from,
		       char out[SOUK_NETWORK_SIZE], struct souk_error *err)
{
	const char *url = souk_call_option(call, "checkip_endpoint");

	if (from->inside && *from->inside)
		return souk_parse_network(from->inside, out, err);
	if (!url || !*url)
		url = from->checkip;
	/* A cloud on this very machine sees us come from here. */
	if (souk_url_is_local(from->endpoint) && !souk_url_is_local(url))
		return souk_parse_network("127.0.0.1", out, err);
	return ask_address(call, from, url, out, err);
}

int souk_call_ssh_from(struct souk_call *call, const struct souk_ssh_from *from,
		       char (*out)[SOUK_NETWORK_SIZE], uint32_t max, uint32_t *n_out,
		       struct souk_error *err)
{
	const char *list = souk_call_option(call, "ssh_from");
	char text[SOUK_NETWORK_SIZE];
	const char *item;
	uint32_t n = 0;
	size_t len;
	int ret;

	if (!list || !*list)
		list = "auto";
	while ((item = souk_list_next(&list, &len))) {
		if (n == max)
			return souk_error_set(err, SOUK_E_INVALID, "ssh_from: more than %u networks",
					      (unsigned)max);
		if (len >= sizeof(text))
			return bad_network(item, len, err);
		memcpy(text, item, len);
		text[len] = '\0';
		ret = strcasecmp(text, "auto") == 0 ? own_network(call, from, out[n], err) :
						      souk_parse_network(text, out[n], err);
		if (ret < 0)
			return ret;
		n++;
	}
	*n_out = n;
	return SOUK_OK;
}
