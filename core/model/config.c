/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - the configuration file, the environment and --set, in one place to ask */
#include "model/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <souk/souk.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/similar.h"
#include "base/util.h"
#include "model/yaml.h"

#define MAX_CONFIG ((size_t)1 << 20)
#define MAX_ENTRIES 1000u
#define MAX_VARIABLE 128

static const struct souk_mark nowhere = { 0, 0 };

struct reader {
	struct souk_config *config;
	struct souk_report *report;
	struct souk_error *err;
};

static int is_map(struct reader *r, const char *what, const struct souk_yaml *node)
{
	if (node->type != SOUK_YAML_MAP)
		souk_report_add(r->report, node->mark, 0, "%s: must be a map, not %s", what,
				souk_yaml_type_name(node));
	else if (node->n > MAX_ENTRIES)
		souk_report_add(r->report, node->mark, 0, "%s: too many entries: over %u", what,
				MAX_ENTRIES);
	else
		return 1;
	return 0;
}

/* Names of providers and of their settings: what can be part of a variable's name. */
static int is_word(const char *text)
{
	const char *c;

	for (c = text; *c; c++) {
		if (!isalnum((unsigned char)*c) && *c != '_' && *c != '-')
			return 0;
	}
	return c != text && c - text <= 60 && isalpha((unsigned char)text[0]);
}

static const char *scalar_text(const struct souk_yaml *node)
{
	if (node->type == SOUK_YAML_BOOL)
		return node->integer ? "true" : "false";
	return node->text;
}

static int list_text(struct reader *r, const char *what, const struct souk_yaml *list,
		     struct souk_buf *out)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		const struct souk_yaml *item = list->items[i];

		if (!item->text || item->type == SOUK_YAML_NULL || strchr(item->text, ',')) {
			souk_report_add(r->report, item->mark, 0,
					"%s[%zu]: must be a text without commas, or a number", what,
					i);
			return 1;
		}
		souk_buf_printf(out, "%s%s", i ? "," : "", scalar_text(item));
	}
	return souk_buf_failed(out, r->err);
}

static int read_setting(struct reader *r, struct souk_config_provider *provider,
			const struct souk_yaml_entry *entry)
{
	struct souk_buf list;
	char what[160];
	int ret;

	snprintf(what, sizeof(what), "providers.%.60s.%.60s", provider->name, entry->key->text);
	if (entry->key->type != SOUK_YAML_STR || !is_word(entry->key->text)) {
		souk_report_add(r->report, entry->key->mark, 0,
				"%s: '%.60s' is not the name of a setting", what, entry->key->text);
		return SOUK_OK;
	}
	if (entry->value->type == SOUK_YAML_NULL)
		return SOUK_OK;
	if (entry->value->type == SOUK_YAML_MAP) {
		souk_report_add(r->report, entry->value->mark, 0,
				"%s: must be a text, a number, true, false or a list, not a map",
				what);
		return SOUK_OK;
	}
	if (entry->value->type != SOUK_YAML_LIST)
		return souk_pairs_set(&provider->settings, entry->key->text,
				      scalar_text(entry->value), r->err);
	souk_buf_init(&list, MAX_CONFIG);
	ret = list_text(r, what, entry->value, &list);
	if (ret == SOUK_OK)
		ret = souk_pairs_set(&provider->settings, entry->key->text, list.data, r->err);
	souk_buf_fini(&list);
	return ret < 0 ? ret : SOUK_OK;
}

static int add_provider(struct reader *r, const char *name,
			struct souk_config_provider **provider_out)
{
	struct souk_config *config = r->config;
	struct souk_config_provider *providers;

	providers = souk_array_grow(config->providers, config->n_providers, sizeof(*providers));
	if (!providers)
		return souk_error_nomem(r->err);
	config->providers = providers;
	memset(&providers[config->n_providers], 0, sizeof(*providers));
	providers[config->n_providers].name = souk_strdup(name);
	if (!providers[config->n_providers].name)
		return souk_error_nomem(r->err);
	*provider_out = &providers[config->n_providers++];
	return SOUK_OK;
}

static int read_provider(struct reader *r, const struct souk_yaml_entry *entry)
{
	struct souk_config_provider *provider = NULL;
	char what[80];
	size_t i;
	int ret;

	if (entry->key->type != SOUK_YAML_STR || !is_word(entry->key->text)) {
		souk_report_add(r->report, entry->key->mark, 0,
				"providers: '%.60s' is not the name of a provider",
				entry->key->text);
		return SOUK_OK;
	}
	ret = add_provider(r, entry->key->text, &provider);
	if (ret < 0 || entry->value->type == SOUK_YAML_NULL)
		return ret;
	snprintf(what, sizeof(what), "providers.%.60s", entry->key->text);
	if (!is_map(r, what, entry->value))
		return SOUK_OK;
	for (i = 0; i < entry->value->n; i++) {
		ret = read_setting(r, provider, &entry->value->entries[i]);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int read_providers(struct reader *r, const struct souk_yaml *map)
{
	size_t i;
	int ret;

	if (!is_map(r, "providers", map))
		return SOUK_OK;
	for (i = 0; i < map->n; i++) {
		ret = read_provider(r, &map->entries[i]);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int read_allowed(struct reader *r, const struct souk_yaml *list)
{
	size_t i;
	int ret;

	if (list->type != SOUK_YAML_LIST || list->n > MAX_ENTRIES) {
		souk_report_add(r->report, list->mark, 0,
				"allowed_providers: must be a list of names, such as [NAME, NAME]");
		return SOUK_OK;
	}
	for (i = 0; i < list->n; i++) {
		const struct souk_yaml *item = list->items[i];

		if (item->type != SOUK_YAML_STR || !is_word(item->text)) {
			souk_report_add(
				r->report, item->mark, 0,
				"allowed_providers[%zu]: must be the name of a provider, not %s", i,
				item->type == SOUK_YAML_STR ? "something else"
							    : souk_yaml_type_name(item));
			continue;
		}
		ret = souk_strv_add(&r->config->allowed, item->text, r->err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int read_optimize(struct reader *r, const struct souk_yaml *node)
{
	if (node->type != SOUK_YAML_STR ||
	    (strcmp(node->text, "cost") != 0 && strcmp(node->text, "time") != 0)) {
		souk_report_add(r->report, node->mark, 0, "optimize: must be cost or time");
		return SOUK_OK;
	}
	return souk_strset(&r->config->optimize, node->text) < 0 ? souk_error_nomem(r->err) : SOUK_OK;
}

static int read_owner(struct reader *r, const struct souk_yaml *node)
{
	const char *c = node->type == SOUK_YAML_STR ? node->text : "";

	while (isalnum((unsigned char)*c) || (*c && strchr("._-@", *c)))
		c++;
	if (node->type != SOUK_YAML_STR || *c || !node->text[0] || strlen(node->text) > 60) {
		souk_report_add(
			r->report, node->mark, 0,
			"owner: must be a text of 1 to 60 letters, digits and '.', '_', '-', '@'");
		return SOUK_OK;
	}
	return souk_strset(&r->config->owner, node->text) < 0 ? souk_error_nomem(r->err) : SOUK_OK;
}

/* Where buckets are: their addresses do not tell. */
static int read_buckets(struct reader *r, const struct souk_yaml *map)
{
	size_t i;
	int ret;

	if (!is_map(r, "buckets", map))
		return SOUK_OK;
	for (i = 0; i < map->n; i++) {
		const struct souk_yaml_entry *entry = &map->entries[i];

		if (entry->value->type != SOUK_YAML_STR || !is_word(entry->value->text) ||
		    !strstr(entry->key->text, "://")) {
			souk_report_add(r->report, entry->key->mark, 0,
					"buckets: must be addresses with their region, such as "
					"SCHEME://NAME: REGION");
			continue;
		}
		ret = souk_pairs_set(&r->config->buckets, entry->key->text, entry->value->text, r->err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

/* When prices are old. */
static int read_catalog(struct reader *r, const struct souk_yaml *map)
{
	size_t i;

	if (!is_map(r, "catalog", map))
		return SOUK_OK;
	for (i = 0; i < map->n; i++) {
		const struct souk_yaml_entry *entry = &map->entries[i];
		const struct souk_yaml *days = entry->value;

		if (strcmp(entry->key->text, "stale_days") != 0)
			souk_report_add(r->report, entry->key->mark, 0,
					"catalog: unknown field '%.60s'; there is 'stale_days'",
					entry->key->text);
		else if (days->type != SOUK_YAML_INT || days->integer < 0 || days->integer > 36500)
			souk_report_add(r->report, days->mark, 0,
					"catalog.stale_days: must be a number of days, 0 to 36500 (0: never)");
		else
			r->config->stale_days = days->integer;
	}
	return SOUK_OK;
}

static int read_race(struct reader *r, const struct souk_yaml *node)
{
	if (node->type != SOUK_YAML_INT || node->integer < 1 || node->integer > SOUK_RACE_MAX)
		souk_report_add(r->report, node->mark, 0, "race: must be a number from 1 to %d",
				SOUK_RACE_MAX);
	else
		r->config->race = (uint32_t)node->integer;
	return SOUK_OK;
}

static const struct {
	const char *name;
	int (*read)(struct reader *r, const struct souk_yaml *node);
} keys[] = {
	{ "allowed_providers", read_allowed },
	{ "buckets", read_buckets },
	{ "catalog", read_catalog },
	{ "optimize", read_optimize },
	{ "owner", read_owner },
	{ "providers", read_providers },
	{ "race", read_race },
};

static void unknown_key(struct reader *r, const struct souk_yaml *key)
{
	const char *names[SOUK_ARRAY_SIZE(keys)], *best = NULL;
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(keys); i++)
		names[i] = keys[i].name;
	if (strlen(key->text) <= 60)
		best = souk_similar_best(key->text, names, SOUK_ARRAY_SIZE(names));
	souk_report_add(r->report, key->mark, 0, "unknown field '%.60s' in the configuration%s%s%s",
			key->text, best ? "; did you mean '" : "", best ? best : "",
			best ? "'?" : "");
}

static int read_document(struct reader *r, const struct souk_yaml *map)
{
	size_t i, j;
	int ret;

	if (!is_map(r, "the configuration", map))
		return SOUK_OK;
	for (i = 0; i < map->n; i++) {
		const struct souk_yaml_entry *entry = &map->entries[i];

		for (j = 0; j < SOUK_ARRAY_SIZE(keys); j++) {
			if (strcmp(keys[j].name, entry->key->text) == 0)
				break;
		}
		if (j == SOUK_ARRAY_SIZE(keys)) {
			unknown_key(r, entry->key);
			continue;
		}
		if (entry->value->type == SOUK_YAML_NULL)
			continue;
		ret = keys[j].read(r, entry->value);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int read_text(struct reader *r, const char *text, size_t size)
{
	struct souk_yaml_stream stream;
	int ret;

	ret = souk_yaml_parse(text, size, &stream, r->report, r->err);
	if (ret == SOUK_E_INVALID)
		return SOUK_OK;
	if (ret < 0)
		return ret;
	if (stream.n > 1)
		souk_report_add(r->report, stream.documents[1]->mark, 0,
				"the configuration is one document; remove '---'");
	else if (stream.n == 1)
		ret = read_document(r, stream.documents[0]);
	souk_yaml_stream_fini(&stream);
	return ret;
}

static int read_file(struct reader *r)
{
	struct souk_error why = SOUK_ERROR_INIT;
	char *text = NULL;
	size_t size = 0;
	int ret;

	ret = souk_fs_read(r->config->path, MAX_CONFIG, &text, &size, &why);
	if (ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	r->config->exists = 1;
	if (ret == SOUK_E_NOMEM)
		return souk_error_nomem(r->err);
	if (ret < 0) {
		souk_report_add(r->report, nowhere, 0, "%s", why.message);
		return SOUK_OK;
	}
	ret = read_text(r, text, size);
	souk_wipe(text, size);
	free(text);
	return ret;
}

/* "NAME.KEY=VALUE". The value may be a secret's reference, and stays out of the message. */
static int read_set(struct reader *r, const char *text)
{
	const char *equals = strchr(text, '='), *dot = strchr(text, '.');
	SOUK_AUTO_FREE char *key = NULL;
	size_t size = equals ? (size_t)(equals - text) : strlen(text);

	key = strndup(text, size);
	if (!key)
		return souk_error_nomem(r->err);
	if (equals && dot && dot < equals && is_word(key + (dot - text) + 1)) {
		key[dot - text] = '\0';
		if (is_word(key)) {
			key[dot - text] = '.';
			return souk_pairs_set(&r->config->sets, key, equals + 1, r->err);
		}
	}
	souk_report_add(r->report, nowhere, 0, "--set: '%.80s' is not NAME.KEY=VALUE; 'souk "
					       "provider info NAME' lists a provider's keys", key);
	return SOUK_OK;
}

/* What --set says, and then what was wrong with all of it. */
static int read_sets(struct reader *r, const char *const *sets)
{
	int ret = SOUK_OK;

	for (; ret == SOUK_OK && sets && *sets; sets++)
		ret = read_set(r, *sets);
	if (ret < 0)
		return ret;
	souk_report_sort(r->report);
	return souk_report_error(r->report, r->err);
}

/* Read the text, or the file if it is NULL. */
static int load(const char *path, const char *text, size_t size, const char *const *sets,
		struct souk_config *config_out, struct souk_report *report, struct souk_error *err)
{
	struct souk_config config = { .path = souk_strdup(path), .stale_days = 7 };
	struct reader r = { &config, report, err };
	int ret;

	if (!config.path || (!report->file && souk_strset(&report->file, config.path) < 0))
		ret = souk_error_nomem(err);
	else
		ret = text ? read_text(&r, text, size) : read_file(&r);
	if (ret == SOUK_OK)
		ret = read_sets(&r, sets);
	if (ret < 0) {
		souk_config_fini(&config);
		return ret;
	}
	*config_out = config;
	return SOUK_OK;
}

int souk_config_load(const char *config_dir, const char *const *sets,
		     struct souk_config *config_out, struct souk_report *report,
		     struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(config_dir, "config.yaml");

	if (!path)
		return souk_error_nomem(err);
	return load(path, NULL, 0, sets, config_out, report, err);
}

int souk_config_read(const char *path, const char *text, size_t size, const char *const *sets,
		     struct souk_config *config_out, struct souk_report *report,
		     struct souk_error *err)
{
	return load(path, text, size, sets, config_out, report, err);
}

void souk_config_fini(struct souk_config *config)
{
	size_t i;

	if (!config)
		return;
	free(config->path);
	souk_strv_fini(&config->allowed);
	for (i = 0; i < config->n_providers; i++) {
		free(config->providers[i].name);
		souk_pairs_fini(&config->providers[i].settings);
	}
	free(config->providers);
	souk_pairs_fini(&config->sets);
	free(config->owner);
	free(config->optimize);
	souk_pairs_fini(&config->buckets);
	memset(config, 0, sizeof(*config));
}

/* SOUK_AWS_REGION of "aws" and "region". -1 if the names are too long to be any. */
static int variable_name(const char *provider, const char *key, char name[MAX_VARIABLE])
{
	int n = snprintf(name, MAX_VARIABLE, "SOUK_%s_%s", provider, key);
	char *c;

	if (n < 0 || n >= MAX_VARIABLE)
		return -1;
	for (c = name; *c; c++)
		*c = (char)(*c == '-' ? '_' : toupper((unsigned char)*c));
	return 0;
}

static const struct souk_config_provider *find_provider(const struct souk_config *config,
							const char *name)
{
	size_t i;

	for (i = 0; i < config->n_providers; i++) {
		if (strcmp(config->providers[i].name, name) == 0)
			return &config->providers[i];
	}
	return NULL;
}

const char *souk_config_get(const struct souk_config *config, const char *provider, const char *key)
{
	const struct souk_config_provider *section = find_provider(config, provider);
	char name[MAX_VARIABLE];
	const char *value;
	int n;

	n = snprintf(name, sizeof(name), "%s.%s", provider, key);
	if (n < 0 || n >= (int)sizeof(name))
		return NULL;
	value = souk_pairs_get(&config->sets, name);
	if (value)
		return value;
	if (variable_name(provider, key, name) == 0)
		value = getenv(name);
	if (value)
		return value;
	return section ? souk_pairs_get(&section->settings, key) : NULL;
}

int souk_config_has_provider(const struct souk_config *config, const char *provider)
{
	size_t size = strlen(provider), i;

	if (find_provider(config, provider) || souk_strv_has(&config->allowed, provider))
		return 1;
	for (i = 0; i < config->sets.n; i++) {
		const char *key = config->sets.items[i].key;

		if (strncmp(key, provider, size) == 0 && key[size] == '.')
			return 1;
	}
	return 0;
}
