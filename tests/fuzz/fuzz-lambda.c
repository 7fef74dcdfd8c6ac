/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-lambda.c - any bytes as what Lambda answers, as the file with its key, as the file of turns */
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "fuzz.h"
#include "lambda.h"
#include "machines.h"
#include "market.h"
#include "pace.h"
#include "test-host.h"
#include "types.h"

const char fuzz_corpus[] = "lambda";

static void check_text(const char *text, size_t size)
{
	const char *c;

	if (!memchr(text, '\0', size))
		abort();
	for (c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			abort();
}

static void try_fault(const char *text, size_t size, int status)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct lambda_fault fault;

	lambda_fault_parse(status, text, size, &fault);
	check_text(fault.code, sizeof(fault.code));
	check_text(fault.message, sizeof(fault.message));
	check_text(fault.suggestion, sizeof(fault.suggestion));
	if (lambda_fault_error(&fault, "do it", &err) >= 0 ||
	    strncmp(err.message, "cannot do it: ", 14) != 0 || !err.message[14])
		abort();
}

static void try_offers(struct json_object *reply)
{
	struct souk_offer_list *list = test_offers_new();
	struct souk_error err = SOUK_ERROR_INIT;
	struct json_object *data = NULL;
	const struct souk_offer *offer;
	size_t i;

	if (json_object_object_get_ex(reply, "data", &data) &&
	    lambda_offers_of(data, list, &err) < 0 && !err.message[0])
		abort();
	for (i = 0; (offer = test_offer(list, i)); i++)
		if (offer->micros_per_hour <= 0 || offer->available > 0 || offer->zone ||
		    !offer->accelerator != !offer->accelerator_milli ||
		    (offer->accelerator && !offer->accelerator[0]))
			abort();
	test_offers_free(list);
}

static void try_machine(struct json_object *object)
{
	const struct lambda_wanted all = { 0 };
	struct souk_instance_list *list = test_instances_new();
	struct souk_error err = SOUK_ERROR_INIT;
	const struct souk_instance *machine;
	size_t i;

	if (lambda_machine_add(object, &all, list, &err) < 0 && !err.message[0])
		abort();
	for (i = 0; (machine = test_instance(list, i)); i++)
		if (!machine->id || !machine->region || !machine->request_token ||
		    (machine->public_address && machine->public_address[0] == '-'))
			abort();
	test_instances_free(list);
}

static void try_texts(char *text)
{
	static const struct lambda_intervals usual = { LAMBDA_REQUEST_MS, LAMBDA_LAUNCH_MS };
	struct lambda_turns turns;
	char name[LAMBDA_NAME_SIZE];
	uint32_t memory_gib;
	int64_t turn;
	const char *key;

	lambda_gpu_read(text, name, &memory_gib);
	if (strlen(name) >= sizeof(name) || memory_gib > 99999)
		abort();
	if (lambda_turns_read(text, &turns)) {
		/* A launch looks again until its turn has come. */
		lambda_turn_take(&turns, &usual, 1000000, 1, &turn);
		if (turn < 1000000 || turn > 1000000 + LAMBDA_LONGEST_MS)
			abort();
	}
	key = lambda_key_in_file(text);
	if (key && (!*key || strchr(key, '\n')))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int n;
	struct json_object *object;
	char *text = malloc(size + 1);

	if (n++ % 64 == 0)
		test_host_reset();
	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	try_fault(text, size, 400);
	try_fault(text, size, 429);
	object = souk_json_parse(text, size);
	if (object) {
		try_offers(object);
		try_machine(object);
	}
	json_object_put(object);
	try_texts(text);
	free(text);
	return 0;
}
