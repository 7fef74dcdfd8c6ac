/* SPDX-License-Identifier: Apache-2.0 */
/* project.c - which project machines are rented in */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "gcp.h"

enum { MAX_CONFIG = 256 * 1024, MAX_PROJECT = 256 };

/* ---- Files of gcloud: [section], key = value ---- */

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

static size_t trimmed(const char *p, size_t len)
{
	while (len && isspace((unsigned char)p[len - 1]))
		len--;
	return len;
}

static int is_text(const char *p, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(p, text, len) == 0;
}

int gcp_ini_value(const char *text, const char *section, const char *key, char **out,
		  struct souk_error *err)
{
	const char *line;
	const char *next;
	int is_here = 0;

	for (line = text; *line; line = next) {
		size_t len = strcspn(line, "\n");
		const char *p = skip_blanks(line);
		size_t left;
		const char *equals;

		next = line[len] ? line + len + 1 : line + len;
		if (p >= line + len || *p == '#' || *p == ';')
			continue;
		left = (size_t)(line + len - p);
		if (*p == '[') {
			const char *end = memchr(p, ']', left);

			is_here = end && is_text(p + 1, (size_t)(end - p - 1), section);
			continue;
		}
		equals = memchr(p, '=', left);
		if (!is_here || !equals || !is_text(p, trimmed(p, (size_t)(equals - p)), key))
			continue;
		p = skip_blanks(equals + 1);
		left = p < line + len ? trimmed(p, (size_t)(line + len - p)) : 0;
		if (!left)
			return 0;
		*out = strndup(p, left);
		return *out ? 1 : gcp_nomem(err);
	}
	return 0;
}

/* The configuration that gcloud uses; its name is safe in a path. */
static int active_config(const char *dir, char name[MAX_PROJECT], struct souk_error *err)
{
	const char *given = souk_getenv("CLOUDSDK_ACTIVE_CONFIG_NAME");
	GCP_AUTO_BUF struct souk_buf path = { 0 };
	GCP_AUTO_BUF struct souk_buf text = { 0 };
	size_t len;
	int ret;

	snprintf(name, MAX_PROJECT, "default");
	if (!given) {
		souk_buf_init(&path, 4096);
		souk_buf_printf(&path, "%s/active_config", dir);
		ret = souk_buf_failed(&path, err);
		if (ret < 0)
			return ret;
		if (souk_read_file(path.data, 1024, &text, NULL) < 0)
			return SOUK_OK;
		given = text.data;
	}
	given = skip_blanks(given);
	len = trimmed(given, strlen(given));
	if (len && len < MAX_PROJECT && !memchr(given, '/', len))
		snprintf(name, MAX_PROJECT, "%.*s", (int)len, given);
	return SOUK_OK;
}

/* "core/project" in gcloud's configuration; *out is left alone if there is none. */
static int from_gcloud(char **out, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf dir = { 0 };
	GCP_AUTO_BUF struct souk_buf path = { 0 };
	GCP_AUTO_BUF struct souk_buf text = { 0 };
	char name[MAX_PROJECT];
	int ret;

	souk_buf_init(&dir, 4096);
	if (gcp_config_dir(&dir, NULL) < 0)
		return SOUK_OK;
	ret = active_config(dir.data, name, err);
	if (ret < 0)
		return ret;
	souk_buf_init(&path, 8192);
	souk_buf_printf(&path, "%s/configurations/config_%s", dir.data, name);
	ret = souk_buf_failed(&path, err);
	if (ret < 0)
		return ret;
	if (souk_read_file(path.data, MAX_CONFIG, &text, NULL) < 0)
		return SOUK_OK;
	ret = gcp_ini_value(text.data, "core", "project", out, err);
	return ret < 0 ? ret : SOUK_OK;
}

/* ---- The project ---- */

static int from_machine(const struct gcp_client *client, char **out, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf text = { 0 };
	int ret;

	souk_buf_init(&text, MAX_PROJECT);
	ret = gcp_metadata_get(client->call, "project/project-id", &text, err);
	return ret < 0 ? ret : gcp_set(out, text.data, err);
}

static const char *from_environment(void)
{
	static const char *const names[] = { "GOOGLE_CLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT",
					     "GCLOUD_PROJECT" };
	const char *value = NULL;
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(names) && !value; i++)
		value = souk_getenv(names[i]);
	return value;
}

static int find(const struct gcp_client *client, char **out, struct souk_error *err)
{
	const char *given = souk_call_option(client->call, "project");
	const struct gcp_identity *identity;
	int ret;

	if (!given || !*given)
		given = from_environment();
	if (given)
		return gcp_set(out, given, err);
	ret = gcp_identity_get(client, &identity, err);
	if (ret < 0)
		return ret;
	if (identity->project)
		return gcp_set(out, identity->project, err);
	ret = from_gcloud(out, err);
	if (ret < 0 || *out)
		return ret;
	if (identity->quota_project)
		return gcp_set(out, identity->quota_project, err);
	if (identity->source == GCP_FROM_METADATA)
		return from_machine(client, out, err);
	souk_error_set(err, SOUK_E_AUTH, "no project is known");
	return souk_error_hint(err, "set GOOGLE_CLOUD_PROJECT, or say --set gcp.project=PROJECT");
}

int gcp_project(const struct gcp_client *client, const char **out, struct souk_error *err)
{
	struct gcp *gcp = client->gcp;
	GCP_AUTO_FREE char *project = NULL;
	int ret = SOUK_OK;

	pthread_mutex_lock(&gcp->lock);
	*out = gcp->project;
	pthread_mutex_unlock(&gcp->lock);
	if (*out)
		return SOUK_OK;
	ret = find(client, &project, err);
	if (ret < 0)
		return ret;
	if (!gcp_is_project(project)) {
		souk_error_set(err, SOUK_E_INVALID, "not the id of a project: '%.128s'", project);
		souk_error_scope(err, SOUK_SCOPE_PROVIDER);
		return souk_error_hint(err, "'gcloud projects list' shows the ids");
	}
	/* Two may look at once: the first to be done is who it stays with. */
	pthread_mutex_lock(&gcp->lock);
	if (!gcp->project) {
		gcp->project = project;
		project = NULL;
	}
	*out = gcp->project;
	pthread_mutex_unlock(&gcp->lock);
	return SOUK_OK;
}
