/* SPDX-License-Identifier: Apache-2.0 */
/* test-lambda.c - Lambda's types, keys, refusals and pace, and what its module asks */

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "errors.h"
#include "lambda.h"
#include "market.h"
#include "test-host.h"
#include "types.h"

const struct souk_provider_ops *souk_provider_entry(void);

/* ---- GPUs ---- */

static const struct {
	const char *description;
	const char *name;
	uint32_t memory_gib;
} gpus[] = {
	{ "H100 (80 GB SXM5)", "H100", 80 },
	{ "H100 (94 GB NVL)", "H100-NVL", 94 },
	{ "A100 (40 GB SXM4)", "A100", 40 },
	{ "A100 (80 GB SXM4)", "A100-80GB", 80 },
	{ "Tesla V100 (16 GB)", "V100", 16 },
	{ "V100 (32GB)", "V100-32GB", 32 },
	{ "RTX A6000 (48 GB)", "RTXA6000", 48 },
	{ "Quadro RTX 6000 (24 GB)", "RTX6000", 24 },
	{ "NVIDIA RTX PRO 6000 (96 GB)", "RTXPRO6000", 96 },
	{ "GH200 (96 GB)", "GH200", 96 },
	{ "B200 (180 GiB SXM6)", "B200", 180 },
	{ "B200", "B200", 0 },
	{ "B200 (SXM6)", "B200", 0 },
	{ "N/A", "NA", 0 },
	{ "", "", 0 },
	{ "(", "", 0 },
	{ "X (99999999 GB)", "X", 0 },
	{ "X (80 TB)", "X", 0 },
};

START_TEST(gpus_are_read)
{
	char name[LAMBDA_NAME_SIZE];
	uint32_t memory_gib = 7;

	lambda_gpu_read(gpus[_i].description, name, &memory_gib);
	ck_assert_str_eq(name, gpus[_i].name);
	ck_assert_uint_eq(memory_gib, gpus[_i].memory_gib);
}
END_TEST

START_TEST(long_descriptions_are_cut)
{
	char text[400];
	char name[LAMBDA_NAME_SIZE];
	uint32_t memory_gib;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	lambda_gpu_read(text, name, &memory_gib);
	ck_assert_uint_eq(strlen(name), LAMBDA_NAME_SIZE - 1);
}
END_TEST

/* ---- Keys ---- */

static const struct {
	const char *text;
	const char *key; /* NULL: none */
} files[] = {
	{ "api_key = secret_1\n", "secret_1" },
	{ "api_key=secret_1", "secret_1" },
	{ "other = x\r\n api_key =  \"secret_1\" \r\n", "secret_1" },
	{ "api_key =\napi_key = 2\n", "2" },
	{ "apikey = x\n", NULL },
	{ "api_key\n", NULL },
	{ "", NULL },
};

START_TEST(keys_are_found)
{
	char *text = strdup(files[_i].text);
	const char *key;

	ck_assert_ptr_nonnull(text);
	key = lambda_key_in_file(text);
	if (files[_i].key)
		ck_assert_str_eq(key ? key : "(none)", files[_i].key);
	else
		ck_assert_ptr_null(key);
	free(text);
}
END_TEST

/* ---- Refusals ---- */

#define FAULT(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"It is so.\"}}"

static const struct {
	int status;
	const char *body;
	int code;
	int scope;
	const char *message;
	const char *reason;
} faults[] = {
	{ 400, FAULT("instance-operations/launch/insufficient-capacity"), SOUK_E_CAPACITY,
	  SOUK_SCOPE_OFFER, "cannot x: It is so", "instance-operations/launch/insufficient-capacity" },
	{ 400, FAULT("global/quota-exceeded"), SOUK_E_QUOTA, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/quota-exceeded" },
	{ 401, FAULT("global/invalid-api-key"), SOUK_E_AUTH, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/invalid-api-key" },
	{ 403, FAULT("global/account-inactive"), SOUK_E_AUTH, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/account-inactive" },
	{ 400, FAULT("global/invalid-parameters"), SOUK_E_INVALID, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/invalid-parameters" },
	{ 400, FAULT("instance-operations/launch/file-system-in-wrong-region"), SOUK_E_INVALID,
	  SOUK_SCOPE_REGION, "cannot x: It is so",
	  "instance-operations/launch/file-system-in-wrong-region" },
	{ 400, FAULT("global/object-does-not-exist"), SOUK_E_NOT_FOUND, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/object-does-not-exist" },
	{ 409, FAULT("global/duplicate"), SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/duplicate" },
	{ 403, FAULT("global/invalid-address"), SOUK_E_AUTH, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/invalid-address" },
	{ 403, FAULT("global/forbidden"), SOUK_E_AUTH, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/forbidden" },
	{ 404, FAULT("global/object-does-not-exist"), SOUK_E_NOT_FOUND, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/object-does-not-exist" },
	{ 404, FAULT("global/not-found"), SOUK_E_NOT_FOUND, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/not-found" },
	{ 400, FAULT("global/not-found"), SOUK_E_NOT_FOUND, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/not-found" },
	{ 409, FAULT("global/conflict"), SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/conflict" },
	{ 409, FAULT("ssh-keys/key-in-use"), SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "ssh-keys/key-in-use" },
	{ 409, FAULT("filesystems/filesystem-in-use"), SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "filesystems/filesystem-in-use" },
	{ 409, FAULT("firewall-rulesets/firewall-ruleset-in-use"), SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "firewall-rulesets/firewall-ruleset-in-use" },
	{ 503, FAULT("provider/internal-unavailable"), SOUK_E_TRANSIENT, SOUK_SCOPE_REGION,
	  "cannot x: It is so", "provider/internal-unavailable" },
	{ 500, FAULT("global/unknown"), SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/unknown" },
	{ 409, FAULT("volumes/volume-in-use"), SOUK_E_CONFLICT, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "volumes/volume-in-use" },
	{ 400, FAULT("provider/internal-unavailable"), SOUK_E_TRANSIENT, SOUK_SCOPE_REGION,
	  "cannot x: It is so", "provider/internal-unavailable" },
	{ 400, FAULT("clusters/insufficient-capacity"), SOUK_E_CAPACITY, SOUK_SCOPE_OFFER,
	  "cannot x: It is so", "clusters/insufficient-capacity" },
	{ 400, FAULT("teams/quota-exceeded"), SOUK_E_QUOTA, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "teams/quota-exceeded" },
	{ 400, FAULT("what/ever"), SOUK_E_INVALID, SOUK_SCOPE_PROVIDER, "cannot x: It is so",
	  "what/ever" },
	{ 500, FAULT("global/internal-error"), SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/internal-error" },
	{ 429, FAULT("global/quota-exceeded"), SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER,
	  "cannot x: It is so", "global/quota-exceeded" },
	{ 429, "", SOUK_E_RATE_LIMIT, SOUK_SCOPE_PROVIDER, "cannot x: HTTP status 429", "429" },
	{ 403, "<html>", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER, "cannot x: HTTP status 403", "403" },
	{ 404, "{\"error\":7}", SOUK_E_NOT_FOUND, SOUK_SCOPE_PROVIDER, "cannot x: HTTP status 404",
	  "404" },
	{ 502, "{\"error\":{\"code\":7,\"message\":{}}}", SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER,
	  "cannot x: HTTP status 502", "502" },
	{ 418, "{\"error\":{\"code\":\"a\\u001b[31mb\"}}", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER,
	  "cannot x: a [31mb", "a [31mb" },
};

START_TEST(refusals_mean)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct lambda_fault fault;

	lambda_fault_parse(faults[_i].status, faults[_i].body, strlen(faults[_i].body), &fault);
	ck_assert_int_eq(lambda_fault_error(&fault, "x", &err), faults[_i].code);
	ck_assert_int_eq(err.scope, faults[_i].scope);
	ck_assert_str_eq(err.message, faults[_i].message);
	ck_assert_str_eq(err.reason, faults[_i].reason);
}
END_TEST

START_TEST(suggestions_are_hints)
{
	static const char body[] = "{\"error\":{\"code\":\"c\",\"message\":\"m\","
				   "\"suggestion\":\"Do 100% of this.\"}}";
	struct souk_error err = SOUK_ERROR_INIT;
	struct lambda_fault fault;

	lambda_fault_parse(400, body, sizeof(body) - 1, &fault);
	lambda_fault_error(&fault, "x", &err);
	ck_assert_str_eq(err.hint, "Do 100% of this");
}
END_TEST

/* ---- The pace ---- */

static const struct lambda_intervals usual = { LAMBDA_REQUEST_MS, LAMBDA_LAUNCH_MS };

START_TEST(turns_are_taken)
{
	struct lambda_turns turns = { 0 };
	int64_t turn;

	ck_assert(lambda_turn_take(&turns, &usual, 1000000, 0, &turn));
	ck_assert_int_eq(turn, 1000000);
	ck_assert(lambda_turn_take(&turns, &usual, 1000100, 0, &turn));
	ck_assert_int_eq(turn, 1001000);
	ck_assert(lambda_turn_take(&turns, &usual, 1000200, 0, &turn));
	ck_assert_int_eq(turn, 1002000);
	/* A launch is a request too, */
	ck_assert(lambda_turn_take(&turns, &usual, 1000300, 1, &turn));
	ck_assert_int_eq(turn, 1003000);
	/* and the next one has to look again 12 seconds later, while requests go on. */
	ck_assert(!lambda_turn_take(&turns, &usual, 1003500, 1, &turn));
	ck_assert_int_eq(turn, 1015000);
	ck_assert(lambda_turn_take(&turns, &usual, 1014900, 0, &turn));
	ck_assert_int_eq(turn, 1014900);
	ck_assert(lambda_turn_take(&turns, &usual, 1015000, 1, &turn));
	ck_assert_int_eq(turn, 1015900);
	ck_assert_int_eq(turns.launch_ms, 1027900);
	/* Who comes late does not wait. */
	ck_assert(lambda_turn_take(&turns, &usual, 2000000, 0, &turn));
	ck_assert_int_eq(turn, 2000000);
}
END_TEST

START_TEST(turns_of_a_wrong_clock)
{
	struct lambda_turns turns = { .request_ms = 90000000, .launch_ms = 90000000 };
	int64_t turn;

	ck_assert(lambda_turn_take(&turns, &usual, 1000, 1, &turn));
	ck_assert_int_eq(turn, 1000);
	turns = (struct lambda_turns){ 0 };
	lambda_turn_hold(&turns, 1000, 10000);
	ck_assert(lambda_turn_take(&turns, &usual, 1000, 0, &turn));
	ck_assert_int_eq(turn, 11000);
	ck_assert(!lambda_turn_take(&turns, &usual, 1000, 1, &turn));
	ck_assert_int_eq(turn, 11000);
	lambda_turn_hold(&turns, 1000, UINT32_MAX);
	ck_assert_int_eq(turns.request_ms, 1000 + LAMBDA_LONGEST_MS);
}
END_TEST

static const struct {
	const char *text;
	int ok;
} turn_texts[] = {
	{ "request 1\nlaunch 2\n", 1 },
	{ "request 1\nlaunch 2\nmore", 0 },
	{ "request 1\n", 0 },
	{ "request -1\nlaunch 2\n", 0 },
	{ "request 9999999999999999999\nlaunch 2\n", 0 },
	{ "", 0 },
	{ "\x7f\x45\x4c\x46", 0 },
};

START_TEST(turns_are_read)
{
	struct lambda_turns turns;
	char text[100];

	ck_assert_int_eq(lambda_turns_read(turn_texts[_i].text, &turns), turn_texts[_i].ok);
	if (!turn_texts[_i].ok)
		return;
	ck_assert_int_gt(lambda_turns_write(&turns, text, sizeof(text)), 0);
	ck_assert_str_eq(text, turn_texts[_i].text);
}
END_TEST

enum { PROCESSES = 4, TURNS = 25 };

static void read_turns(const char *dir, struct lambda_turns *turns)
{
	char path[200], text[200];
	FILE *file;
	size_t n;

	snprintf(path, sizeof(path), "%s/pace", dir);
	file = fopen(path, "r");
	ck_assert_ptr_nonnull(file);
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	ck_assert_msg(lambda_turns_read(text, turns), "%s", text);
}

/* Several processes, each with the test host, which does not really sleep: what the file says in the
 * end is that every one of them has taken a turn of its own. */
START_TEST(processes_share_the_pace)
{
	char dir[] = "/tmp/souk-test-lambda-XXXXXX";
	struct lambda_pace pace = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct lambda_turns turns;
	struct timespec now;
	int64_t first;
	struct stat st;
	char path[200];
	int status, i, k;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(lambda_pace_init(&pace, dir, &err), SOUK_OK);
	test_host_deadline(10 * 60 * 1000);
	clock_gettime(CLOCK_REALTIME, &now);
	first = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	for (i = 0; i < PROCESSES; i++) {
		if (fork() == 0) {
			for (k = 0; k < TURNS; k++)
				if (lambda_pace_wait(&pace, test_host_call(), 0, NULL) < 0)
					_exit(1);
			_exit(0);
		}
	}
	for (i = 0; i < PROCESSES; i++) {
		ck_assert_int_gt(wait(&status), 0);
		ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
	read_turns(dir, &turns);
	ck_assert_int_ge(turns.request_ms, first + PROCESSES * TURNS * LAMBDA_REQUEST_MS);
	/* The mode of the file, and what cannot be waited for takes no turn. */
	snprintf(path, sizeof(path), "%s/pace", dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	test_host_deadline(1000);
	first = turns.request_ms;
	ck_assert_int_eq(lambda_pace_wait(&pace, test_host_call(), 0, &err), SOUK_E_RATE_LIMIT);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_PROVIDER);
	ck_assert_uint_gt(err.retry_after_ms, 1000);
	read_turns(dir, &turns);
	ck_assert_int_eq(turns.request_ms, first);
	unlink(path);
	rmdir(dir);
	lambda_pace_fini(&pace);
}
END_TEST

START_TEST(the_pace_needs_no_file)
{
	struct lambda_pace pace = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	int i;

	ck_assert_int_eq(lambda_pace_init(&pace, "/nonexistent", &err), SOUK_OK);
	test_host_deadline(60000);
	for (i = 0; i < 3; i++)
		ck_assert_int_eq(lambda_pace_wait(&pace, test_host_call(), 0, &err), SOUK_OK);
	/* Almost one second, then almost two: the test itself takes some time. */
	ck_assert_uint_gt(test_host_slept_ms(), 0);
	ck_assert_uint_le(test_host_slept_ms(), 3000);
	lambda_pace_hold(&pace, 70000);
	ck_assert_int_eq(lambda_pace_wait(&pace, test_host_call(), 0, &err), SOUK_E_RATE_LIMIT);
	lambda_pace_fini(&pace);
}
END_TEST

/* ---- Offers ---- */

struct world {
	int fault_times; /* so many requests are answered by ... */
	struct test_answer fault;
	const char *body;
};

#define TYPE(name, gpu, cents, specs, regions)                                                     \
	"\"" name "\":{\"instance_type\":{\"name\":\"" name "\",\"description\":\"d\","            \
	"\"gpu_description\":\"" gpu "\",\"price_cents_per_hour\":" cents ",\"specs\":{" specs     \
	"}},\"regions_with_capacity_available\":[" regions "]}"
#define SPECS(gpus) "\"vcpus\":26,\"memory_gib\":225,\"storage_gib\":2816,\"gpus\":" gpus
#define REGION(name) "{\"name\":\"" name "\",\"description\":\"Somewhere\"}"

static const char two_types[] = "{\"data\":{" TYPE("gpu_1x_h100_sxm5", "H100 (80 GB SXM5)", "429",
						   SPECS("1"), REGION("us-east-1") "," REGION("mars-1"))
	"," TYPE("gpu_1x_gh200", "GH200 (96 GB)", "229", SPECS("1"), "")
	"," TYPE("cpu_4x_general", "N/A", "20", SPECS("0"), REGION("us-east-1"))
	"," TYPE("free", "N/A", "0", SPECS("0"), "") "}}";

static int respond(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	struct world *world = arg;

	*answer = (struct test_answer){ .status = 200, .body = world->body };
	if (strcmp(request->url, "http://127.0.0.1:9/api/v1/instance-types") != 0 &&
	    strcmp(request->url, "http://127.0.0.1:9/api/v1/instances") != 0)
		ck_abort_msg("%s", request->url);
	if (world->fault_times) {
		world->fault_times--;
		*answer = world->fault;
	}
	return 1;
}

static void set_up(struct world *world, const char *body)
{
	test_host_reset();
	memset(world, 0, sizeof(*world));
	world->body = body;
	test_host_option("endpoint", "http://127.0.0.1:9/api/v1");
	test_host_option("api_key", "secret_0123456789ABCDEF");
	test_host_responder(respond, world);
	test_host_deadline(600000);
}

static int list(struct souk_offer_list **out, struct souk_error *err)
{
	const struct souk_provider_ops *ops = souk_provider_entry();
	void *self = NULL;
	int ret = ops->open(test_host_call(), &self, err);

	*out = test_offers_new();
	if (ret < 0)
		return ret;
	ret = ops->list_offers(self, test_host_call(), *out, err);
	ops->close(self);
	return ret;
}

static const struct souk_offer *in_region(const struct souk_offer_list *offers, const char *type,
					  const char *region)
{
	const struct souk_offer *found = NULL;
	const struct souk_offer *offer;
	size_t i;

	for (i = 0; (offer = test_offer(offers, i)); i++)
		if (strcmp(offer->instance_type, type) == 0 && strcmp(offer->region, region) == 0) {
			ck_assert_msg(!found, "twice: %s in %s", type, region);
			found = offer;
		}
	ck_assert_msg(found != NULL, "no %s in %s", type, region);
	return found;
}

START_TEST(all_is_listed)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *offers;
	const struct souk_offer *offer;
	struct world world;

	set_up(&world, two_types);
	ck_assert_msg(list(&offers, &err) == SOUK_OK, "%s", err.message);
	/* 18 known regions and one more; what costs nothing is not for sale. */
	ck_assert_uint_eq(test_offers_count(offers), 3 * 19);
	offer = in_region(offers, "gpu_1x_h100_sxm5", "us-east-1");
	ck_assert_int_eq(offer->available, -1);
	ck_assert_int_eq(offer->micros_per_hour, 4290000);
	ck_assert_int_eq(offer->spot_micros_per_hour, -1);
	ck_assert_str_eq(offer->accelerator, "H100");
	ck_assert_uint_eq(offer->accelerator_milli, 1000);
	ck_assert_uint_eq(offer->accelerator_memory_mib, 80 * 1024);
	ck_assert_uint_eq(offer->vcpus_milli, 26000);
	ck_assert_uint_eq(offer->memory_mib, 225 * 1024);
	ck_assert_uint_eq(offer->local_disk_mib, 2816 * 1024);
	ck_assert_str_eq(offer->arch, "x86_64");
	ck_assert_ptr_null(offer->zone);
	ck_assert_int_eq(in_region(offers, "gpu_1x_h100_sxm5", "mars-1")->available, -1);
	ck_assert_int_eq(in_region(offers, "gpu_1x_h100_sxm5", "us-west-1")->available, 0);
	offer = in_region(offers, "gpu_1x_gh200", "mars-1");
	ck_assert_int_eq(offer->available, 0);
	ck_assert_str_eq(offer->arch, "arm64");
	offer = in_region(offers, "cpu_4x_general", "us-east-1");
	ck_assert_int_eq(offer->available, -1);
	ck_assert_ptr_null(offer->accelerator);
	ck_assert_int_eq(offer->micros_per_hour, 200000);
	test_offers_free(offers);
	ck_assert_uint_eq(test_host_requests(NULL), 1);
	ck_assert_str_eq(test_host_last_header("ListInstanceTypes", "Authorization"),
			 "Bearer secret_0123456789ABCDEF");
}
END_TEST

static const struct {
	int times;
	struct test_answer answer;
	int code; /* SOUK_OK: it heals */
	unsigned requests;
	const char *message;
} breaks[] = {
	{ 1, { 503, 0, NULL, "" }, SOUK_OK, 2, NULL },
	{ 2, { 429, 0, NULL, "" }, SOUK_OK, 3, NULL },
	{ 2, { 429, 0, "Retry-After: 2\r\n", "" }, SOUK_OK, 3, NULL },
	{ 2, { 200, 0, NULL, "{\"this is\": [not" }, SOUK_OK, 3, NULL },
	{ 1, { 200, 0, NULL, "{}" }, SOUK_OK, 2, NULL },
	{ -1, { 429, 0, "Retry-After: 2\r\n", "" }, SOUK_E_RATE_LIMIT, 6, "HTTP status 429" },
	{ -1, { 429, 0, "Retry-After: 3600\r\n", "" }, SOUK_E_RATE_LIMIT, 1, "HTTP status 429" },
	{ -1, { 503, 0, NULL, FAULT("global/unknown") }, SOUK_E_TRANSIENT, 3, "It is so" },
	{ -1, { 200, 0, NULL, "{\"this is\": [not" }, SOUK_E_INTERNAL, 3, "not a JSON object" },
	{ -1, { 200, 0, NULL, "{}" }, SOUK_E_INTERNAL, 3, "has no 'data'" },
	{ -1, { 401, 0, NULL, FAULT("global/invalid-api-key") }, SOUK_E_AUTH, 1, "It is so" },
	{ -1, { 0, SOUK_E_TRANSIENT, NULL, NULL }, SOUK_E_TRANSIENT, 3, "as the test says" },
	{ -1, { 200, 0, NULL, "{\"data\":null}" }, SOUK_E_INTERNAL, 1, "'data' is not a list" },
	{ -1, { 200, 0, NULL, "{\"data\":[]}" }, SOUK_E_INTERNAL, 1, "'data' is not a list" },
	{ -1, { 200, 0, NULL, "{\"data\":{\"a\":7}}" }, SOUK_E_INTERNAL, 1,
	  "'data{}.instance_type' is missing" },
	{ -1, { 200, 0, NULL, "{\"data\":{\"a\":" "{\"instance_type\":[]}}}" }, SOUK_E_INTERNAL, 1,
	  "'data{}.instance_type' is not an object" },
	{ -1, { 200, 0, NULL, "{\"data\":{" TYPE("a b", "", "1", SPECS("0"), "") "}}" },
	  SOUK_E_INTERNAL, 1, "'instance_type.name' is 'a b'" },
	{ -1, { 200, 0, NULL, "{\"data\":{" TYPE("a", "", "1.5", SPECS("0"), "") "}}" },
	  SOUK_E_INTERNAL, 1, "price_cents_per_hour' is not a whole number" },
	{ -1, { 200, 0, NULL, "{\"data\":{" TYPE("a", "", "-1", SPECS("0"), "") "}}" },
	  SOUK_E_INTERNAL, 1, "price_cents_per_hour' is out of range" },
	{ -1, { 200, 0, NULL, "{\"data\":{" TYPE("a", "N/A", "1", SPECS("1"), "") "}}" },
	  SOUK_E_INTERNAL, 1, "gpu_description' is 'N/A'" },
	{ -1, { 200, 0, NULL, "{\"data\":{" TYPE("a", "", "1", SPECS("0"), "7") "}}" },
	  SOUK_E_INTERNAL, 1, "'regions_with_capacity_available[]' is not an object" },
	{ -1, { 200, 0, NULL, "{\"data\":{" TYPE("a", "", "1", SPECS("0"), REGION("a,b")) "}}" },
	  SOUK_E_INTERNAL, 1, "[].name' is 'a,b'" },
	{ -1, { 200, 0, NULL, "{\"data\":{\"b\":{\"instance_type\":{\"name\":\"a\","
	  "\"gpu_description\":\"\",\"price_cents_per_hour\":1,\"specs\":{" SPECS("0") "}},"
	  "\"regions_with_capacity_available\":[]}}}" },
	  SOUK_E_INTERNAL, 1, "'a' stands under 'b'" },
};

START_TEST(answers_that_fail)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *offers;
	struct world world;
	int ret;

	set_up(&world, two_types);
	world.fault_times = breaks[_i].times;
	world.fault = breaks[_i].answer;
	ret = list(&offers, &err);
	ck_assert_msg(ret == breaks[_i].code, "%d: %s", ret, err.message);
	if (ret == SOUK_OK)
		ck_assert_uint_eq(test_offers_count(offers), 3 * 19);
	else
		ck_assert_msg(strstr(err.message, breaks[_i].message) != NULL, "%s", err.message);
	ck_assert_uint_eq(test_host_requests(NULL), breaks[_i].requests);
	if (breaks[_i].answer.status == 429 && ret == SOUK_OK)
		ck_assert_uint_ge(test_host_slept_ms(), breaks[_i].answer.headers ? 2000 : 10000);
	test_offers_free(offers);
}
END_TEST

START_TEST(without_a_key)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *offers;
	struct world world;

	set_up(&world, two_types);
	test_host_option("api_key", NULL);
	unsetenv("LAMBDA_API_KEY");
	unsetenv("LAMBDA_CLOUD_API_TOKEN");
	unsetenv("LAMBDA_CLOUD_TOKEN");
	unsetenv("LAMBDA_API_TOKEN");
	setenv("HOME", "/nonexistent", 1);
	ck_assert_int_eq(list(&offers, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "no Lambda API key found");
	test_offers_free(offers);
	setenv("LAMBDA_API_TOKEN", "of_the_token", 1);
	setenv("LAMBDA_CLOUD_API_TOKEN", "of_the_cloud", 1);
	ck_assert_int_eq(list(&offers, &err), SOUK_OK);
	ck_assert_str_eq(test_host_last_header("ListInstanceTypes", "Authorization"),
			 "Bearer of_the_cloud");
	test_offers_free(offers);
	setenv("LAMBDA_API_KEY", "bad\nkey", 1);
	ck_assert_int_eq(list(&offers, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "LAMBDA_API_KEY holds no Lambda API key");
	test_offers_free(offers);
}
END_TEST

/* ---- Quotes, and who we are ---- */

START_TEST(quotes_are_itemised)
{
	const struct souk_provider_ops *ops = souk_provider_entry();
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec), .count = 2, .instance_type = "gpu_1x_h100_sxm5",
		.region = "us-east-1",
	};
	struct souk_quote_list *lines = test_quotes_new();
	struct souk_error err = SOUK_ERROR_INIT;
	struct world world;
	void *self = NULL;

	set_up(&world, two_types);
	ck_assert_int_eq(ops->open(test_host_call(), &self, &err), SOUK_OK);
	ck_assert_int_eq(ops->quote(self, test_host_call(), &spec, lines, &err), SOUK_OK);
	ck_assert_uint_eq(test_quotes_count(lines), 3);
	ck_assert_str_eq(test_quote(lines, 0)->item, "compute");
	ck_assert_int_eq(test_quote(lines, 0)->micros, 8580000);
	ck_assert_str_eq(test_quote(lines, 1)->item, "disk");
	ck_assert_int_eq(test_quote(lines, 1)->micros, 0);
	ck_assert_str_eq(test_quote(lines, 2)->item, "address");
	spec.instance_type = "gpu_1x_t4";
	ck_assert_int_eq(ops->quote(self, test_host_call(), &spec, lines, &err), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "Lambda sells no 'gpu_1x_t4'");
	ops->close(self);
	test_quotes_free(lines);
}
END_TEST

START_TEST(check_asks_for_machines)
{
	const struct souk_provider_ops *ops = souk_provider_entry();
	struct souk_identity *who = test_identity_new();
	struct souk_error err = SOUK_ERROR_INIT;
	struct world world;
	void *self = NULL;

	set_up(&world, "{\"data\":[]}");
	ck_assert_int_eq(ops->open(test_host_call(), &self, &err), SOUK_OK);
	ck_assert_msg(ops->check(self, test_host_call(), who, &err) == SOUK_OK, "%s", err.message);
	ck_assert_str_eq(test_identity(who, "principal"), "API key ...CDEF");
	world.fault_times = 1;
	world.fault = (struct test_answer){ .status = 403,
					    .body = FAULT("global/account-inactive") };
	ck_assert_int_eq(ops->check(self, test_host_call(), who, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "cannot use the API key: It is so");
	ops->close(self);
	test_identity_free(who);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lambda");
	TCase *tc = tcase_create("lambda");
	SRunner *runner;
	int failed;

	test_host_reset();
	tcase_add_loop_test(tc, gpus_are_read, 0, (int)LAMBDA_ARRAY_SIZE(gpus));
	tcase_add_test(tc, long_descriptions_are_cut);
	tcase_add_loop_test(tc, keys_are_found, 0, (int)LAMBDA_ARRAY_SIZE(files));
	tcase_add_loop_test(tc, refusals_mean, 0, (int)LAMBDA_ARRAY_SIZE(faults));
	tcase_add_test(tc, suggestions_are_hints);
	tcase_add_test(tc, turns_are_taken);
	tcase_add_test(tc, turns_of_a_wrong_clock);
	tcase_add_loop_test(tc, turns_are_read, 0, (int)LAMBDA_ARRAY_SIZE(turn_texts));
	tcase_add_test(tc, processes_share_the_pace);
	tcase_add_test(tc, the_pace_needs_no_file);
	tcase_add_test(tc, all_is_listed);
	tcase_add_loop_test(tc, answers_that_fail, 0, (int)LAMBDA_ARRAY_SIZE(breaks));
	tcase_add_test(tc, without_a_key);
	tcase_add_test(tc, quotes_are_itemised);
	tcase_add_test(tc, check_asks_for_machines);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
