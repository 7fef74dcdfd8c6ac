/* SPDX-License-Identifier: Apache-2.0 */
/* test-runpod.c - RunPod's names, numbers, limits, keys and refusals */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "errors.h"
#include "gpus.h"
#include "runpod.h"
#include "test-host.h"

/* ---- Names ---- */

START_TEST(gpus_are_told_apart)
{
	const struct runpod_gpu *gpu, *other;
	char name[RUNPOD_NAME_SIZE];
	char type[RUNPOD_TYPE_SIZE];
	struct runpod_type parsed;
	size_t i, k;

	for (i = 0; (gpu = runpod_gpu_at(i)); i++) {
		for (k = 0; k < i; k++) {
			other = runpod_gpu_at(k);
			ck_assert_msg(strcmp(gpu->id, other->id) != 0, "%s", gpu->id);
			ck_assert_msg(strcmp(gpu->name, other->name) != 0, "%s", gpu->name);
		}
		ck_assert_ptr_eq(runpod_gpu_by_id(gpu->id), gpu);
		ck_assert_ptr_eq(runpod_gpu_by_name(gpu->name), gpu);
		ck_assert(runpod_gpu_name(gpu->id, name));
		ck_assert_str_eq(name, gpu->name);
		runpod_type_gpu(type, 8, name, RUNPOD_COMMUNITY);
		ck_assert_msg(runpod_type_parse(type, &parsed), "%s", type);
		ck_assert_uint_eq(parsed.gpus, 8);
		ck_assert_str_eq(parsed.gpu, gpu->name);
		ck_assert_int_eq(parsed.cloud, RUNPOD_COMMUNITY);
		ck_assert(gpu->milli > 0 && gpu->milli <= 1000);
		ck_assert_msg(!gpu->vcpus == !gpu->memory_gib, "%s", gpu->name);
	}
	ck_assert_uint_gt(i, 40);
	ck_assert_ptr_null(runpod_gpu_by_id("NVIDIA"));
	ck_assert_ptr_null(runpod_gpu_by_name(""));
}
END_TEST

static const struct {
	const char *id;
	const char *name; /* NULL: none can be made */
} new_gpus[] = {
	{ "NVIDIA RTX PRO 9000 Blackwell", "RTX-PRO-9000-Blackwell" },
	{ "NVIDIA GeForce RTX 6090", "RTX-6090" },
	{ "AMD Instinct MI400X", "MI400X" },
	{ "X_1 (2) ", "X-1-2" },
	{ "", NULL },
	{ "NVIDIA ", NULL },
	{ "___", NULL },
	/* It would pass for the H100 by PCIe. */
	{ "AMD H100", NULL },
	{ "0123456789012345678901234567890123456789012345678901234567890123", NULL },
	{ "012345678901234567890123456789012345678901234567890123456789012",
	  "012345678901234567890123456789012345678901234567890123456789012" },
};

START_TEST(new_gpus_get_a_name)
{
	char name[RUNPOD_NAME_SIZE];
	int ok = runpod_gpu_name(new_gpus[_i].id, name);

	ck_assert_msg(ok == (new_gpus[_i].name != NULL), "%s", new_gpus[_i].id);
	if (ok)
		ck_assert_str_eq(name, new_gpus[_i].name);
}
END_TEST

static const struct {
	const char *name;
	int ok;
	uint32_t gpus;
	const char *gpu;
	int cloud;
	const char *flavor;
	uint32_t vcpus;
} types[] = {
	{ "1x_L4_SECURE", 1, 1, "L4", RUNPOD_SECURE, "", 0 },
	{ "16x_A_B_COMMUNITY", 1, 16, "A_B", RUNPOD_COMMUNITY, "", 0 },
	{ "cpu5c-4-8", 1, 0, "", RUNPOD_SECURE, "cpu5c", 4 },
	{ "cpu3c-2-2.5", 1, 0, "", RUNPOD_SECURE, "cpu3c", 2 },
	{ "0x_L4_SECURE", 0, 0, "", 0, "", 0 },
	{ "17x_L4_SECURE", 0, 0, "", 0, "", 0 },
	{ "99999x_L4_SECURE", 0, 0, "", 0, "", 0 },
	{ "1x_L4_PRIVATE", 0, 0, "", 0, "", 0 },
	{ "1x_SECURE", 0, 0, "", 0, "", 0 },
	{ "1x__SECURE", 0, 0, "", 0, "", 0 },
	{ "x_L4_SECURE", 0, 0, "", 0, "", 0 },
	{ "1L4_SECURE", 0, 0, "", 0, "", 0 },
	{ "cpu5c", 0, 0, "", 0, "", 0 },
	{ "cpu5c-4", 0, 0, "", 0, "", 0 },
	{ "cpu5c-0-8", 0, 0, "", 0, "", 0 },
	{ "cpu5c-4-x", 0, 0, "", 0, "", 0 },
	{ "cpu 5c-4-8", 0, 0, "", 0, "", 0 },
	{ "", 0, 0, "", 0, "", 0 },
};

START_TEST(types_are_read)
{
	struct runpod_type type;

	ck_assert_msg(runpod_type_parse(types[_i].name, &type) == types[_i].ok, "%s",
		      types[_i].name);
	if (!types[_i].ok)
		return;
	ck_assert_uint_eq(type.gpus, types[_i].gpus);
	ck_assert_str_eq(type.gpu, types[_i].gpu);
	ck_assert_int_eq((int)type.cloud, types[_i].cloud);
	ck_assert_str_eq(type.flavor, types[_i].flavor);
	ck_assert_uint_eq(type.vcpus, types[_i].vcpus);
}
END_TEST

START_TEST(cpu_types_have_names)
{
	char type[RUNPOD_TYPE_SIZE];
	char flavor[RUNPOD_NAME_SIZE];

	runpod_type_cpu(type, "cpu5c", 4, 8000);
	ck_assert_str_eq(type, "cpu5c-4-8");
	runpod_type_cpu(type, "cpu3c", 2, 2500);
	ck_assert_str_eq(type, "cpu3c-2-2.5");
	runpod_type_cpu(type, "cpu3c", 1, 1250);
	ck_assert_str_eq(type, "cpu3c-1-1.25");
	runpod_type_cpu(type, "cpu3c", 1, 1005);
	ck_assert_str_eq(type, "cpu3c-1-1.005");
	ck_assert(runpod_flavor_of("cpu3c-2-4", flavor));
	ck_assert_str_eq(flavor, "cpu3c");
	ck_assert(runpod_flavor_of("cpu5c", flavor));
	ck_assert_str_eq(flavor, "cpu5c");
	ck_assert(!runpod_flavor_of("gpu5c", flavor));
	ck_assert(!runpod_flavor_of("cpu5c-large", flavor));
	ck_assert(!runpod_flavor_of("cpu_5c", flavor));
}
END_TEST

static const struct {
	const char *center;
	const char *country; /* NULL: not the id of one */
} centers[] = {
	{ "US-TX-3", "US" },	{ "CA-MTL-1", "CA" },	{ "EU-RO-1", "RO" },
	{ "EUR-IS-2", "IS" },	{ "EUR-NO-1", "NO" },	{ "EU-SE-1", "SE" },
	{ "AP-JP-1", "JP" },	{ "OC-AU-1", "AU" },	{ "SEA-SG-1", "SG" },
	{ "IN-MH-1", "IN" },	{ "EU-EAST-1", "EU" },	{ "US", "US" },
	{ "EU", "EU" },		{ "", NULL },		{ "-US", NULL },
	{ "US TX", NULL },	{ "US,TX", NULL },	{ "US\nTX", NULL },
	{ "0123456789012345678901234567890123456789012345678901234567890123", NULL },
};

START_TEST(centers_have_countries)
{
	char country[RUNPOD_NAME_SIZE] = "";
	int ok = runpod_country(centers[_i].center, country);

	ck_assert_msg(ok == (centers[_i].country != NULL), "%s", centers[_i].center);
	if (ok)
		ck_assert_str_eq(country, centers[_i].country);
}
END_TEST

/* ---- Numbers ---- */

static const struct {
	const char *text;
	int64_t micros; /* -1: not a number */
} decimals[] = {
	{ "0", 0 },
	{ "0.44", 440000 },
	{ "0.439999997615814", 440000 },
	{ "5", 5000000 },
	{ "5.", 5000000 },
	{ "12.3456784", 12345678 },
	{ "12.3456785", 12345679 },
	{ "4.4e-1", 440000 },
	{ "4.4E-01", 440000 },
	{ "44e-2", 440000 },
	{ "0.0044e2", 440000 },
	{ "1e-05", 10 },
	{ "1e-7", 0 },
	{ "5e-7", 1 },
	{ "1e3", 1000000000 },
	{ "1.5e+1", 15000000 },
	{ "123456789012.5", 123456789012500000 },
	{ "-1", -1 },
	{ "", -1 },
	{ ".", -1 },
	{ "e5", -1 },
	{ "1e", -1 },
	{ "1e99999", -1 },
	{ "1e60", -1 },
	{ "1x", -1 },
	{ "0x10", -1 },
	{ "NaN", -1 },
	{ "Infinity", -1 },
	{ "1.2.3", -1 },
	{ "99999999999999999999", -1 },
	{ "0.00000000000000000000000000000000000000000000000000000000000000000001", -1 },
};

START_TEST(numbers_keep_their_digits)
{
	struct souk_error err = SOUK_ERROR_INIT;
	int64_t micros = -7;
	int ret = souk_parse_json_micros("price", decimals[_i].text, &micros, &err);

	if (decimals[_i].micros < 0) {
		ck_assert_msg(ret == SOUK_E_INVALID, "%s: %d", decimals[_i].text, ret);
		ck_assert_ptr_nonnull(strstr(err.message, "price"));
		return;
	}
	ck_assert_msg(ret == SOUK_OK, "%s: %s", decimals[_i].text, err.message);
	ck_assert_msg(micros == decimals[_i].micros, "%s: %lld", decimals[_i].text,
		      (long long)micros);
}
END_TEST

/* ---- Limits and keys ---- */

static const struct {
	const char *header;
	uint32_t wait_ms;
} limits[] = {
	{ NULL, 0 },
	{ "", 0 },
	{ "\"minute\";r=0;t=12, \"hour\";r=2800;t=1812, \"day\";r=49500;t=45012", 12000 },
	{ "\"minute\";r=59;t=12, \"hour\";r=2800;t=1812", 0 },
	{ "\"minute\"; t=7; r=0", 7000 },
	{ "\"hour\";r=0;t=1812", 0 },
	{ "\"minute\";r=0;t=5,\"second\";r=0;t=9", 9000 },
	{ "\"minute\";r=0", 0 },
	{ "\"minute\";r=x;t=5", 0 },
	{ "\"minute\";r=0;t=99999999999999999999", 0 },
	{ ";r=;t=", 0 },
};

START_TEST(limits_are_read)
{
	ck_assert_uint_eq(runpod_limit_wait_ms(limits[_i].header), limits[_i].wait_ms);
}
END_TEST

static const struct {
	const char *text;
	const char *key; /* NULL: none */
} configs[] = {
	{ "apikey = \"rpa_1\"\n", "rpa_1" },
	{ "apiKey = 'rpa_1'", "rpa_1" },
	{ "# apikey = \"no\"\napiurl = \"https://x\"\napikey=\"rpa_1\"\r\n", "rpa_1" },
	{ "[default]\napi_key = \"rpa_2\" # mine\n", "rpa_2" },
	{ "[other]\napi_key = \"no\"\n[default] # this\napi_key = rpa_2 # mine\n", "rpa_2" },
	{ "[other]\napi_key = \"no\"\n", NULL },
	{ "apikey = \"\"\n", NULL },
	{ "apikey = \"open\n", NULL },
	{ "apikey\n=\n[\n", NULL },
	{ "", NULL },
};

START_TEST(keys_are_found)
{
	char *text = strdup(configs[_i].text);
	const char *key;

	ck_assert_ptr_nonnull(text);
	key = runpod_key_in_config(text);
	if (configs[_i].key)
		ck_assert_str_eq(key ? key : "(none)", configs[_i].key);
	else
		ck_assert_ptr_null(key);
	free(text);
}
END_TEST

/* ---- Refusals ---- */

static const struct {
	int status;
	const char *body;
	int is_create;
	int code;
	int scope;
	const char *message;
} faults[] = {
	{ 400,
	  "{\"title\":\"Bad Request\",\"status\":400,\"detail\":\"There are no longer any instances "
	  "available with the requested specifications. Please refresh and try again.\"}",
	  1, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER,
	  "cannot x: There are no longer any instances available with the requested "
	  "specifications. Please refresh and try again" },
	{ 500, "{\"title\":\"E\",\"detail\":\"This machine does not have the resources to deploy your pod.\"}",
	  1, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER,
	  "cannot x: This machine does not have the resources to deploy your pod" },
	{ 400, "{\"title\":\"E\",\"detail\":\"There are no instances currently available.\"}", 1,
	  SOUK_E_CAPACITY, SOUK_SCOPE_OFFER,
	  "cannot x: There are no instances currently available" },
	{ 500, "{\"title\":\"E\",\"detail\":\"Not enough free GPUs on the host machine to start this pod.\"}", 1,
	  SOUK_E_CAPACITY, SOUK_SCOPE_OFFER,
	  "cannot x: Not enough free GPUs on the host machine to start this pod" },
	{ 400,
	  "{\"title\":\"E\",\"detail\":\"There are no longer any instances available with enough disk "
	  "space.\"}", 1,
	  SOUK_E_CAPACITY, SOUK_SCOPE_OFFER,
	  "cannot x: There are no longer any instances available with enough disk space" },
	{ 500, "{\"title\":\"E\",\"detail\":\"This machine is full. Please try a different machine.\"}", 1,
	  SOUK_E_CAPACITY, SOUK_SCOPE_OFFER,
	  "cannot x: This machine is full. Please try a different machine" },
	{ 500, "{\"title\":\"Internal\",\"status\":500,\"detail\":\"Something went wrong.\"}", 1,
	  SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER, "cannot x: Something went wrong" },
	{ 400, "{\"title\":\"Bad Request\",\"detail\":\"no\"}", 1, SOUK_E_INVALID, SOUK_SCOPE_OFFER,
	  "cannot x: no" },
	{ 400, "{\"title\":\"Bad Request\",\"detail\":\"no\"}", 0, SOUK_E_INVALID,
	  SOUK_SCOPE_PROVIDER, "cannot x: no" },
	{ 401, "{\"title\":\"Unauthorized\",\"status\":401,\"detail\":\"missing bearer token\"}", 1,
	  SOUK_E_AUTH, SOUK_SCOPE_PROVIDER, "cannot x: missing bearer token" },
	{ 402, "{\"title\":\"Payment Required\"}", 1, SOUK_E_QUOTA, SOUK_SCOPE_PROVIDER,
	  "cannot x: Payment Required" },
	{ 403, "{\"title\":\"Forbidden\",\"detail\":\"access denied\"}", 1, SOUK_E_AUTH,
	  SOUK_SCOPE_OFFER, "cannot x: access denied" },
	{ 403, "{\"title\":\"Forbidden\",\"detail\":\"access denied\"}", 0, SOUK_E_AUTH,
	  SOUK_SCOPE_PROVIDER, "cannot x: access denied" },
	{ 404, "", 0, SOUK_E_NOT_FOUND, SOUK_SCOPE_OFFER, "cannot x: HTTP status 404" },
	{ 409, "[]", 0, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER, "cannot x: HTTP status 409" },
	{ 422,
	  "{\"title\":\"Unprocessable Entity\",\"detail\":\"Request validation failed.\","
	  "\"errors\":[\"$: additional properties 'bogus' not allowed\", \"more\"]}",
	  1, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER,
	  "cannot x: Request validation failed: $: additional properties 'bogus' not allowed" },
	{ 429, "{\"title\":\"Too Many Requests\",\"detail\":7}", 0, SOUK_E_RATE_LIMIT,
	  SOUK_SCOPE_PROVIDER, "cannot x: Too Many Requests" },
	{ 503, "<html>", 0, SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER, "cannot x: HTTP status 503" },
	{ 418, "{\"title\":\"a\\u001b[31mb\",\"detail\":null,\"errors\":[1]}", 0, SOUK_E_INVALID,
	  SOUK_SCOPE_PROVIDER, "cannot x: a [31mb" },
};

START_TEST(refusals_mean)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct runpod_fault fault;
	char status[16];

	runpod_fault_parse(faults[_i].status, faults[_i].body, strlen(faults[_i].body), &fault);
	ck_assert_int_eq(runpod_fault_error(&fault, faults[_i].is_create, "x", &err),
			 faults[_i].code);
	ck_assert_int_eq(err.code, faults[_i].code);
	ck_assert_int_eq(err.scope, faults[_i].scope);
	ck_assert_str_eq(err.message, faults[_i].message);
	snprintf(status, sizeof(status), "%d", faults[_i].status);
	ck_assert_str_eq(err.reason, status);
	if (faults[_i].status == 401 || faults[_i].status == 402 || faults[_i].status == 403)
		ck_assert_str_ne(err.hint, "");
}
END_TEST

/* ---- Elements of lists ---- */

#define GPU(more) "{\"id\":\"G\",\"name\":\"g\",\"memory\":24,\"secure\":true,\"community\":false," more "}"
#define PRICES "\"price\":{\"secure\":0.5,\"community\":0.25},"
#define COUNTS "\"maxCount\":{\"secure\":8,\"community\":4}"

static const struct {
	const char *json;
	const char *wrong; /* what the error says; NULL: none */
} gpus[] = {
	{ GPU(PRICES COUNTS), NULL },
	{ GPU(PRICES COUNTS ",\"availability\":null,\"dataCenters\":null"), NULL },
	{ GPU("\"price\":{\"secure\":null}," COUNTS), NULL },
	{ "{}", "'gpus[].id' is missing" },
	{ "{\"id\":\"\"}", "'gpus[].id' is ''" },
	{ "{\"id\":7}", "'gpus[].id' is not a text" },
	{ "{\"id\":\"a\\u0000b\"}", "'gpus[].id' has a NUL in it" },
	{ "{\"id\":\"G\",\"name\":\"g\",\"memory\":\"24\"}", "'gpus[].memory' is not a whole number" },
	{ "{\"id\":\"G\",\"name\":\"g\",\"memory\":-1}", "'gpus[].memory' is out of range" },
	{ "{\"id\":\"G\",\"name\":\"g\",\"memory\":1e3}", "'gpus[].memory' is not a whole number" },
	{ "{\"id\":\"G\",\"name\":\"g\",\"memory\":24,\"secure\":1}",
	  "'gpus[].secure' is not true or false" },
	{ GPU("\"price\":[]"), "'gpus[].price' is not an object" },
	{ GPU("\"price\":{\"secure\":\"0.5\"}"), "'gpus[].price.secure' is not a number" },
	{ GPU("\"price\":{\"secure\":-0.5}"), "'gpus[].price.secure' is out of range" },
	{ GPU("\"price\":{\"secure\":1e9}"), "'gpus[].price.secure' is out of range" },
	{ GPU("\"price\":{\"secure\":1,\"community\":true}"),
	  "'gpus[].price.community' is not a number" },
	{ GPU(PRICES "\"maxCount\":8"), "'gpus[].maxCount' is not an object" },
	{ GPU(PRICES "\"maxCount\":{\"secure\":8}"), "'gpus[].maxCount.community' is missing" },
	{ GPU(PRICES COUNTS ",\"availability\":3"), "'gpus[].availability' is not a text" },
	{ GPU(PRICES COUNTS ",\"dataCenters\":{}"), "'gpus[].dataCenters' is not a list" },
};

START_TEST(gpus_are_checked)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct runpod_gpu_item item;
	struct json_object *object = souk_json_parse(gpus[_i].json, strlen(gpus[_i].json));
	int ret;

	ck_assert_ptr_nonnull(object);
	ret = runpod_gpu_item_read(object, &item, &err);
	json_object_put(object);
	if (!gpus[_i].wrong) {
		ck_assert_msg(ret == SOUK_OK, "%s", err.message);
		return;
	}
	ck_assert_int_eq(ret, SOUK_E_INTERNAL);
	ck_assert_msg(strstr(err.message, gpus[_i].wrong) != NULL, "%s", err.message);
}
END_TEST

START_TEST(replies_are_bounded)
{
	char *deep = malloc(300);
	struct souk_buf list;
	struct souk_error err = SOUK_ERROR_INIT;
	struct json_object *object, *found;
	size_t n, i;

	ck_assert_ptr_nonnull(deep);
	memset(deep, '[', 100);
	memcpy(deep, "{\"a\":", 5);
	ck_assert_ptr_null(souk_json_parse(deep, 100));
	ck_assert_ptr_null(souk_json_parse("[]", 2));
	ck_assert_ptr_null(souk_json_parse("{", 1));
	ck_assert_ptr_null(souk_json_parse("", 0));
	ck_assert_ptr_null(souk_json_parse(NULL, 0));

	souk_buf_init(&list, 1 << 20);
	souk_buf_str(&list, "{\"gpus\":[1");
	for (i = 0; i < RUNPOD_MAX_ITEMS; i++)
		souk_buf_str(&list, ",1");
	souk_buf_str(&list, "]}");
	object = souk_json_parse(list.data, list.len);
	souk_buf_fini(&list);
	ck_assert_ptr_nonnull(object);
	ck_assert_int_eq(runpod_list(object, "gpus", &found, &n, &err), SOUK_E_INTERNAL);
	ck_assert_ptr_nonnull(strstr(err.message, "'gpus' has 2001 elements"));
	json_object_put(object);
	free(deep);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runpod");
	TCase *tc = tcase_create("runpod");
	SRunner *runner;
	int failed;

	test_host_reset();
	tcase_add_test(tc, gpus_are_told_apart);
	tcase_add_loop_test(tc, new_gpus_get_a_name, 0, (int)RUNPOD_ARRAY_SIZE(new_gpus));
	tcase_add_loop_test(tc, types_are_read, 0, (int)RUNPOD_ARRAY_SIZE(types));
	tcase_add_test(tc, cpu_types_have_names);
	tcase_add_loop_test(tc, centers_have_countries, 0, (int)RUNPOD_ARRAY_SIZE(centers));
	tcase_add_loop_test(tc, numbers_keep_their_digits, 0, (int)RUNPOD_ARRAY_SIZE(decimals));
	tcase_add_loop_test(tc, limits_are_read, 0, (int)RUNPOD_ARRAY_SIZE(limits));
	tcase_add_loop_test(tc, keys_are_found, 0, (int)RUNPOD_ARRAY_SIZE(configs));
	tcase_add_loop_test(tc, refusals_mean, 0, (int)RUNPOD_ARRAY_SIZE(faults));
	tcase_add_loop_test(tc, gpus_are_checked, 0, (int)RUNPOD_ARRAY_SIZE(gpus));
	tcase_add_test(tc, replies_are_bounded);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
