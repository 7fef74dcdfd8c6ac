/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-yaml.c - any bytes as YAML: every tree is walked, every refusal has its line */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "model/yaml.h"

const char fuzz_corpus[] = "task";

static size_t walk(const struct souk_yaml *node)
{
	size_t i, n = 1;

	switch (node->type) {
	case SOUK_YAML_LIST:
		for (i = 0; i < node->n; i++)
			n += walk(node->items[i]);
		return n;
	case SOUK_YAML_MAP:
		for (i = 0; i < node->n; i++) {
			const struct souk_yaml_entry *entry = &node->entries[i];

			if (entry->key->type == SOUK_YAML_STR &&
			    souk_yaml_get(node, entry->key->text) != entry->value)
				abort();
			n += walk(entry->value) + strlen(entry->key->text);
		}
		return n;
	default:
		return n + strlen(node->text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_yaml_stream stream;
	struct souk_report report = { 0 };
	size_t i;
	int ret;

	ret = souk_yaml_parse((const char *)data, size, &stream, &report, &err);
	if ((ret == SOUK_OK) != (report.n_errors == 0) && ret != SOUK_E_NOMEM)
		abort();
	if (ret == SOUK_OK) {
		for (i = 0; i < stream.n; i++) {
			if (walk(stream.documents[i]) == 0)
				abort();
		}
		souk_yaml_stream_fini(&stream);
	}
	souk_report_fini(&report);
	return 0;
}
