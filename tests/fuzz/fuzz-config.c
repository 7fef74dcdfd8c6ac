/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-config.c - any bytes as a configuration: what it holds is found, what it refuses is told */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model/config.h"

const char fuzz_corpus[] = "config";

#define SET "#set "
#define SET_SIZE (sizeof(SET) - 1)

/* A comment "#set NAME.KEY=VALUE" in the first line is a --set. NULL if there is none. */
static char *take_set(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;

	if (!end || (size_t)(end - data) < SET_SIZE || memcmp(data, SET, SET_SIZE) != 0)
		return NULL;
	return strndup((const char *)data + SET_SIZE, (size_t)(end - data) - SET_SIZE);
}

static void check_provider(const struct souk_config *config, const struct souk_config_provider *p)
{
	size_t i;

	if (!souk_config_has_provider(config, p->name))
		abort();
	for (i = 0; i < p->settings.n; i++) {
		const char *key = p->settings.items[i].key;

		if (!key[0] || !p->settings.items[i].value || !souk_config_get(config, p->name, key))
			abort();
	}
}

static void check_config(const struct souk_config *config)
{
	size_t i;

	for (i = 0; i < config->n_providers; i++)
		check_provider(config, &config->providers[i]);
	for (i = 0; i < config->allowed.n; i++) {
		if (!config->allowed.items[i][0] ||
		    !souk_config_has_provider(config, config->allowed.items[i]))
			abort();
	}
	for (i = 0; i < config->sets.n; i++) {
		char *key = strdup(config->sets.items[i].key);
		char *dot = key ? strchr(key, '.') : NULL;

		if (!dot)
			abort();
		*dot = '\0';
		if (souk_config_get(config, key, dot + 1) != config->sets.items[i].value)
			abort();
		free(key);
	}
	if (config->owner && !config->owner[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_config config = { 0 };
	char *set = take_set(data, size);
	const char *const sets[] = { set, NULL };
	int ret;

	ret = souk_config_read("config.yaml", size ? (const char *)data : "", size, sets, &config,
			       &report, &err);
	if ((ret == SOUK_OK) != (report.n_errors == 0) || (ret < 0 && !err.message[0]))
		abort();
	if (ret == SOUK_OK)
		check_config(&config);
	souk_config_fini(&config);
	souk_report_fini(&report);
	free(set);
	return 0;
}
