/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-runpod.c - any bytes as what RunPod answers of its market and of pods, and as the file with its key */
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "errors.h"
#include "fuzz.h"
#include "gpus.h"
#include "runpod.h"
#include "pods.h"
#include "test-host.h"

const char fuzz_corpus[] = "runpod";

static void check_text(const char *text, size_t size)
{
	const char *c;

	if (!memchr(text, '\0', size))
		abort();
	for (c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			abort();
}

static void try_fault(const char *text, size_t size, int status, int is_create)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct runpod_fault fault;

	runpod_fault_parse(status, text, size, &fault);
	check_text(fault.title, sizeof(fault.title));
	check_text(fault.detail, sizeof(fault.detail));
	if (runpod_fault_error(&fault, is_create, "do it", &err) >= 0 ||
	    strncmp(err.message, "cannot do it: ", 14) != 0 || !err.message[14])
		abort();
}

/* Whatever was listed makes sense, and once only. */
static void check_rows(const struct runpod_rows *rows)
{
	struct runpod_type type;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		const struct runpod_row *row = &rows->list[i];

		if (!runpod_type_parse(row->type, &type) || !row->region[0] || row->micros <= 0)
			abort();
		if (!type.gpus != !row->accelerator[0] || !type.gpus != !row->accelerator_milli)
			abort();
		if (i && strcmp(rows->list[i - 1].type, row->type) == 0 &&
		    strcmp(rows->list[i - 1].region, row->region) == 0 &&
		    strcmp(rows->list[i - 1].zone, row->zone) == 0)
			abort();
	}
}

static void try_lists(struct json_object *object)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_call *call = test_host_call();
	struct runpod_rows rows = { 0 };
	uint32_t most;
	int ret;

	ret = runpod_rows_gpus(&rows, call, object, object, RUNPOD_SECURE, 2, &err);
	if (ret < 0 && !err.message[0])
		abort();
	ret = runpod_rows_gpus(&rows, call, object, object, RUNPOD_COMMUNITY, 1, &err);
	if (ret < 0 && !err.message[0])
		abort();
	ret = runpod_rows_cpus(&rows, call, object, object, 4, &err);
	if (ret < 0 && !err.message[0])
		abort();
	runpod_rows_settle(&rows, call);
	check_rows(&rows);
	runpod_rows_fini(&rows);
	if (runpod_most_gpus(object, RUNPOD_SECURE, &most, &err) == SOUK_OK &&
	    most > RUNPOD_MAX_GPUS)
		abort();
	if (runpod_most_vcpus(object, &most, &err) == SOUK_OK && most > RUNPOD_MAX_VCPUS)
		abort();
}

static void try_pod(struct json_object *object)
{
	const struct runpod_wanted all = { 0 };
	struct souk_instance_list *list = test_instances_new();
	struct souk_error err = SOUK_ERROR_INIT;
	const struct souk_instance *pod;
	size_t i;

	if (runpod_pod_add(object, NULL, list, &err) < 0 && !err.message[0])
		abort();
	runpod_pod_add(object, &all, list, &err);
	for (i = 0; (pod = test_instance(list, i)); i++)
		if (!pod->id || !pod->region || pod->status < 0 ||
		    (pod->public_address && (pod->public_address[0] == '-' || !pod->ssh_port)))
			abort();
	test_instances_free(list);
}

static void try_texts(char *text)
{
	struct runpod_type type;
	char name[RUNPOD_NAME_SIZE];
	char again[RUNPOD_TYPE_SIZE];
	int64_t micros = -1;
	const char *key;

	if (souk_parse_json_micros("x", text, &micros, NULL) == SOUK_OK && micros < 0)
		abort();
	if (runpod_type_parse(text, &type) && type.gpus) {
		runpod_type_gpu(again, type.gpus, type.gpu, type.cloud);
		if (text[0] != '0' && strcmp(again, text) != 0)
			abort();
	}
	if (runpod_gpu_name(text, name) && !name[0])
		abort();
	if (runpod_country(text, name) && !name[0])
		abort();
	if (runpod_limit_wait_ms(text) > 120000)
		abort();
	key = runpod_key_in_config(text);
	if (key && (!*key || strchr(key, '\n')))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int n;
	struct json_object *object;
	char *text = malloc(size + 1);

	/* Its log is bounded, and what is said is of no interest here. */
	if (n++ % 64 == 0)
		test_host_reset();
	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	try_fault(text, size, 400, 1);
	try_fault(text, size, 503, 0);
	object = souk_json_parse(text, size);
	if (object) {
		try_lists(object);
		try_pod(object);
	}
	json_object_put(object);
	try_texts(text);
	free(text);
	return 0;
}
