/* SPDX-License-Identifier: Apache-2.0 */
/* net/http-url.c - which URLs may be used, and their parts */
#include "net/http-internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/error.h"

enum { URL_MAX = 16 * 1024 };

void souk_http_split(const char *url, struct souk_http_parts *parts_out)
{
	const char *host = strstr(url, "://");

	host = host ? host + 3 : url;
	parts_out->is_https = strncasecmp(url, "https:", 6) == 0;
	parts_out->host = host;
	parts_out->host_len = (int)strcspn(host, "/?#");
	parts_out->path = host + parts_out->host_len;
	parts_out->path_len = (int)strcspn(parts_out->path, "?#");
}

/* 127.0.0.0/8, 169.254.0.0/16; inet_pton takes the dotted form alone. */
static int is_near_v4(const char *host)
{
	struct in_addr address;
	uint32_t n;

	if (inet_pton(AF_INET, host, &address) != 1)
		return 0;
	n = ntohl(address.s_addr);
	return n >> 24 == 127 || n >> 16 == 0xa9fe;
}

/* ::1, fe80::/10, and fd00:ec2::254, where EC2 has its metadata. Host is in brackets. */
static int is_near_v6(const char *host)
{
	static const unsigned char metadata[16] = {
		0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54
	};
	struct in6_addr address;
	char text[INET6_ADDRSTRLEN];
	size_t len = strlen(host);

	if (len < 4 || host[0] != '[' || host[len - 1] != ']' || len - 2 >= sizeof(text))
		return 0;
	memcpy(text, host + 1, len - 2);
	text[len - 2] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1)
		return 0;
	return IN6_IS_ADDR_LOOPBACK(&address) || IN6_IS_ADDR_LINKLOCAL(&address) ||
	       memcmp(address.s6_addr, metadata, sizeof(metadata)) == 0;
}

/*
 * libcurl's reading of the host must be what stands in the URL, to the letter: then nothing
 * (user information, %-escapes, 0x7f000001, a decimal number) can make two readers differ.
 */
static int is_plain_authority(const char *url, const char *host, const char *zone, const char *port)
{
	struct souk_http_parts parts;
	char expected[512];
	size_t len = strlen(host);
	int n;

	if (zone && len > 2 && len < sizeof(expected) / 2)
		n = snprintf(expected, sizeof(expected), "%.*s%%25%s]", (int)len - 1, host, zone);
	else
		n = snprintf(expected, sizeof(expected), "%s", host);
	if (n < 0 || (size_t)n >= sizeof(expected))
		return 0;
	souk_http_split(url, &parts);
	/* libcurl also reads "https:/host"; then "://" may stand anywhere. */
	if (parts.host != url + strcspn(url, ":") + 3)
		return 0;
	if (parts.host_len < n || strncasecmp(parts.host, expected, (size_t)n) != 0)
		return 0;
	if (parts.host_len == n)
		return !port;
	return parts.host[n] == ':' && port && strlen(port) == (size_t)(parts.host_len - n - 1) &&
	       strncmp(parts.host + n + 1, port, strlen(port)) == 0;
}

static int check_parts(const char *url, CURLU *parsed, struct souk_error *err)
{
	char *scheme = NULL, *host = NULL, *zone = NULL, *port = NULL, *user = NULL;
	int ret = SOUK_OK;

	/* Absent parts leave their pointer NULL. */
	curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0);
	curl_url_get(parsed, CURLUPART_HOST, &host, 0);
	curl_url_get(parsed, CURLUPART_ZONEID, &zone, 0);
	curl_url_get(parsed, CURLUPART_PORT, &port, 0);
	curl_url_get(parsed, CURLUPART_USER, &user, 0);
	if (!scheme || !host)
		ret = souk_error_set(err, SOUK_E_INVALID, "the URL has no host");
	else if (user)
		ret = souk_error_set(err, SOUK_E_INVALID,
				     "a URL must not hold a user name or password (host '%.100s')",
				     host);
	else if (strcmp(scheme, "https") != 0 && strcmp(scheme, "http") != 0)
		ret = souk_error_set(err, SOUK_E_INVALID, "the URL's scheme is '%.20s', not https",
				     scheme);
	else if (!is_plain_authority(url, host, zone, port))
		ret = souk_error_set(err, SOUK_E_INVALID,
				     "the URL's host '%.100s' is not in its usual form", host);
	else if (strcmp(scheme, "http") == 0 && strcasecmp(host, "localhost") != 0 &&
		 !is_near_v4(host) && !is_near_v6(host))
		ret = souk_error_set(err, SOUK_E_INVALID,
				     "http to '%.100s' would go over the network in clear", host);
	if (ret < 0 && scheme && host && strcmp(scheme, "http") == 0)
		souk_error_hint(err, "use https; http is for loopback and link-local addresses");
	curl_free(scheme);
	curl_free(host);
	curl_free(zone);
	curl_free(port);
	curl_free(user);
	return ret;
}

int souk_http_check_url(const char *url, struct souk_error *err)
{
	CURLU *parsed;
	CURLUcode code;
	int ret;

	if (!url || !*url)
		return souk_error_set(err, SOUK_E_INVALID, "the URL is empty");
	if (strlen(url) > URL_MAX)
		return souk_error_set(err, SOUK_E_INVALID, "the URL is longer than %d bytes",
				      URL_MAX);
	parsed = curl_url();
	if (!parsed)
		return souk_error_nomem(err);
	/* Schemes are judged by us, with a better message. */
	code = curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	if (code == CURLUE_OUT_OF_MEMORY)
		ret = souk_error_nomem(err);
	else if (code != CURLUE_OK)
		ret = souk_error_set(err, SOUK_E_INVALID, "not a URL: %s", curl_url_strerror(code));
	else
		ret = check_parts(url, parsed, err);
	curl_url_cleanup(parsed);
	return ret;
}
