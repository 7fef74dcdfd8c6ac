/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-url.c - any text as a URL: what is accepted goes where it says, and not in clear */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "fuzz.h"
#include "net/http-internal.h"

const char fuzz_corpus[] = "url";

static int starts(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

/* By its letters, is the host one that plain HTTP may go to? */
static int looks_near(const struct souk_http_parts *parts)
{
	static const char *const names[] = { "localhost", "localhost:" };
	const char *host = parts->host;

	if (starts(host, names[0]) && parts->host_len == 9)
		return 1;
	return starts(host, names[1]) || starts(host, "127.") || starts(host, "169.254.") ||
	       starts(host, "[::1]") || starts(host, "[fe8") || starts(host, "[fe9") ||
	       starts(host, "[fea") || starts(host, "[feb") || starts(host, "[fd00:") ||
	       starts(host, "[0") || starts(host, "[::");
}

/* The host that a request would go to is the one that stands in the URL. */
static void check_host(const char *url, const struct souk_http_parts *parts)
{
	CURLU *parsed = curl_url();
	char *host = NULL, *path = NULL;

	if (!parsed)
		abort();
	if (curl_url_set(parsed, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(parsed, CURLUPART_PATH, &path, 0) != CURLUE_OK)
		abort();
	/* A zone stands in the brackets and is not part of curl's host. */
	if (strncasecmp(parts->host, host, strlen(host) - (host[0] == '[')) != 0)
		abort();
	if (path[0] != '/' || (parts->path_len > 0 && parts->path[0] != '/'))
		abort();
	curl_free(host);
	curl_free(path);
	curl_url_cleanup(parsed);
}

static void check_accepted(const char *url)
{
	struct souk_http_parts parts;
	struct souk_buf safe;
	int i;

	souk_http_split(url, &parts);
	if (parts.is_https ? !starts(url, "https://") : !starts(url, "http://"))
		abort();
	if (parts.host_len <= 0 || (!parts.is_https && !looks_near(&parts)))
		abort();
	for (i = 0; i < parts.host_len; i++) {
		unsigned char c = (unsigned char)parts.host[i];

		if (c <= ' ' || c == 0x7f || strchr("@\\/?#", c))
			abort();
	}
	check_host(url, &parts);
	souk_buf_init(&safe, (size_t)1 << 20);
	if (souk_http_add_safe_url(&safe, url) < 0 || !starts(safe.data, "http"))
		abort();
	souk_buf_fini(&safe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct souk_error err = SOUK_ERROR_INIT;
	char *url = strndup(size ? (const char *)data : "", size);
	int ret;

	if (!url)
		abort();
	ret = souk_http_check_url(url, &err);
	if (ret == SOUK_OK)
		check_accepted(url);
	else if (ret != SOUK_E_INVALID || !err.message[0])
		abort();
	free(url);
	return 0;
}
