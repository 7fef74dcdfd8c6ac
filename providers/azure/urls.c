/* SPDX-License-Identifier: Apache-2.0 */
/* urls.c - where Azure is asked: its hosts, and the links from page to page */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "azure.h"

struct host {
	const char *option;
	const char *variable; /* NULL: none */
	const char *usual;
};

static const struct host hosts[AZURE_N_HOSTS] = {
	[AZURE_HOST_MANAGEMENT] = { "endpoint", NULL, "https://management.azure.com" },
	[AZURE_HOST_LOGIN] = { "login_endpoint", "AZURE_AUTHORITY_HOST",
			       "https://login.microsoftonline.com" },
	[AZURE_HOST_PRICES] = { "prices_endpoint", NULL, "https://prices.azure.com" },
	[AZURE_HOST_METADATA] = { "metadata_endpoint", "AZURE_POD_IDENTITY_AUTHORITY_HOST",
				  "http://169.254.169.254" },
};

const char *azure_usual_url(enum azure_host host)
{
	return hosts[host].usual;
}

static int set_url(const struct souk_call *call, const struct host *host, char *out, int *given_out,
		   struct souk_error *err)
{
	const char *value = azure_option(call, host->option);
	AZURE_AUTO_BUF struct souk_buf url = { 0 };
	int ret;

	if (!value && host->variable)
		value = souk_getenv(host->variable);
	/* The setting's own default is no sign that somebody has set it. */
	*given_out = value && strcmp(value, host->usual) != 0;
	if (!value)
		value = host->usual;
	souk_buf_init(&url, AZURE_URL_SIZE - 1);
	ret = souk_parse_endpoint(host->option, value, host->usual, &url, err);
	if (ret == SOUK_OK)
		memcpy(out, url.data, url.len + 1);
	return ret;
}

int azure_urls_init(struct azure *azure, const struct souk_call *call, struct souk_error *err)
{
	const char *management = azure->urls[AZURE_HOST_MANAGEMENT];
	int given[AZURE_N_HOSTS];
	int i;
	int ret;

	for (i = 0; i < AZURE_N_HOSTS; i++) {
		ret = set_url(call, &hosts[i], azure->urls[i], &given[i], err);
		if (ret < 0)
			return ret;
	}
	azure->metadata_given = given[AZURE_HOST_METADATA];
	/* Tokens are for a cloud by its own name, whatever way leads there from here. */
	snprintf(azure->resource, sizeof(azure->resource), "%s",
		 souk_url_is_local(management) ? hosts[AZURE_HOST_MANAGEMENT].usual : management);
	return SOUK_OK;
}

/* Length of "scheme://host[:port]", without a port that the scheme implies in *plain_out. */
static size_t origin(const char *url, size_t *plain_out)
{
	const char *host = strstr(url, "://") + 3;
	size_t len = (size_t)(host - url) + strcspn(host, "/?#");
	const char *port = strncasecmp(url, "https", 5) == 0 ? ":443" : ":80";
	size_t tail = strlen(port);

	*plain_out = len;
	if (strncmp(url + len - tail, port, tail) == 0)
		*plain_out = len - tail;
	return len;
}

static int same_origin(const char *a, const char *b)
{
	size_t a_len, b_len;

	origin(a, &a_len);
	origin(b, &b_len);
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}

/* What links hold as it is though a URL cannot. */
static void add_encoded(struct souk_buf *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}#", c))
			souk_buf_printf(out, "%%%02X", c);
		else
			souk_buf_add(out, text, 1);
	}
}

int azure_next_path(const char *base, const char *usual_base, const char *path, const char *link,
		    struct souk_buf *out, struct souk_error *err)
{
	const char *link_path;
	size_t path_len = strcspn(path, "?");
	size_t unused;
	const char *base_path;

	if (strncasecmp(link, "https://", 8) != 0 && strncasecmp(link, "http://", 7) != 0)
		goto bad;
	if (!same_origin(link, base) && !same_origin(link, usual_base))
		goto bad;
	link_path = link + origin(link, &unused);
	base_path = base + origin(base, &unused);
	/* A base may have a path of its own, which its server puts into links or not. */
	if (*base_path && strncmp(link_path, base_path, strlen(base_path)) == 0)
		link_path += strlen(base_path);
	if (strncasecmp(link_path, path, path_len) != 0 || link_path[path_len] != '?')
		goto bad;
	souk_buf_add(out, path, path_len);
	add_encoded(out, link_path + path_len);
	return souk_buf_failed(out, err);
bad:
	return souk_error_set(err, SOUK_E_INTERNAL, "the next page is somewhere else: '%.200s'",
			      link);
}
