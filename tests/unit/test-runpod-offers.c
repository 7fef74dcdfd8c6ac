/* SPDX-License-Identifier: Apache-2.0 */
/* test-runpod-offers.c - what RunPod's module asks, and what it makes of the answers */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runpod.h"
#include "test-host.h"

const struct souk_provider_ops *souk_provider_entry(void);

/* What the answers are, by the request's path. */
struct world {
	const char *fault_path; /* this path ... */
	int fault_times;	/* ... so often: ... */
	struct test_answer fault;
	const char *headers;
	char target[512];	/* of the last request */
	unsigned kept;		/* requests that may be answered from what was kept */
};

/* 4090: in two places, of which one is out of stock for two. H100: out of stock everywhere. One that
 * is new, one that is in the community cloud alone. */
#define GPU_LIST(r4090)                                                                            \
	"{\"gpus\":["                                                                              \
	"{\"id\":\"NVIDIA GeForce RTX 4090\",\"name\":\"RTX 4090\",\"pool\":null,"                 \
	"\"manufacturer\":\"NVIDIA\",\"memory\":24,\"secure\":true,\"community\":true,"            \
	"\"price\":{\"secure\":0.59,\"community\":0.34},"                                          \
	"\"maxCount\":{\"secure\":2,\"community\":1}," r4090 "},"                                  \
	"{\"id\":\"NVIDIA H100 80GB HBM3\",\"name\":\"H100 SXM\",\"memory\":80,\"secure\":true,"   \
	"\"community\":false,\"price\":{\"secure\":2.69,\"community\":0},"                         \
	"\"maxCount\":{\"secure\":1,\"community\":0},\"availability\":\"NONE\"},"                  \
	"{\"id\":\"NVIDIA RTX 7000\",\"name\":\"RTX 7000\",\"memory\":64,\"secure\":true,"         \
	"\"community\":false,\"price\":{\"secure\":1.005,\"community\":null},"                     \
	"\"maxCount\":{\"secure\":1,\"community\":0},\"availability\":\"NONE\"},"                  \
	"{\"id\":\"NVIDIA A30\",\"name\":\"A30\",\"memory\":24,\"secure\":false,"                  \
	"\"community\":true,\"price\":{\"secure\":0,\"community\":0.11},"                          \
	"\"maxCount\":{\"secure\":0,\"community\":1},\"availability\":\"LOW\"}]}"

static const char one_gpu[] =
	GPU_LIST("\"availability\":\"HIGH\",\"dataCenters\":["
		 "{\"id\":\"US-TX-3\",\"name\":\"x\",\"availability\":\"HIGH\"},"
		 "{\"id\":\"EU-RO-1\",\"name\":\"x\",\"availability\":\"LOW\"},"
		 "{\"id\":\"EU-RO-1\",\"name\":\"x\",\"availability\":\"LOW\"}]");
static const char two_gpus[] =
	GPU_LIST("\"availability\":\"LOW\",\"dataCenters\":["
		 "{\"id\":\"EU-RO-1\",\"name\":\"x\",\"availability\":\"LOW\"}]");
static const char community[] = GPU_LIST("\"availability\":\"MEDIUM\"");

static const char centers[] =
	"{\"dataCenters\":["
	"{\"id\":\"US-TX-3\",\"name\":\"x\",\"region\":\"NORTH_AMERICA\",\"gpuAvailability\":["
	"{\"id\":\"NVIDIA GeForce RTX 4090\",\"name\":\"x\",\"availability\":\"HIGH\"},"
	"{\"id\":\"NVIDIA H100 80GB HBM3\",\"name\":\"x\",\"availability\":\"NONE\"}],"
	"\"cpuAvailability\":[{\"id\":\"cpu5c-2-4\",\"name\":\"x\",\"availability\":\"NONE\"}]},"
	"{\"id\":\"EU-RO-1\",\"name\":\"x\",\"region\":\"EUROPE\",\"gpuAvailability\":["
	"{\"id\":\"NVIDIA GeForce RTX 4090\",\"name\":\"x\",\"availability\":\"HIGH\"}]}]}";

static const char cpus[] =
	"{\"cpus\":[{\"id\":\"cpu5c\",\"name\":\"Compute-Optimized\",\"group\":\"Gen 5\","
	"\"vcpu\":{\"min\":2,\"max\":4},\"ramGbPerVcpu\":2,\"price\":{\"securePerVcpu\":0.035,"
	"\"serverlessPerVcpu\":0.03},\"availability\":\"HIGH\",\"dataCenters\":["
	"{\"id\":\"EU-RO-1\",\"name\":\"x\",\"availability\":\"HIGH\"}]},"
	"{\"id\":\"strange one\",\"name\":\"x\",\"group\":\"x\",\"vcpu\":{\"min\":2,\"max\":2},"
	"\"ramGbPerVcpu\":2.5,\"price\":{\"securePerVcpu\":1,\"serverlessPerVcpu\":1}}]}";

static int respond(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	struct world *world = arg;
	const char *path = strstr(request->url, "/v2/");

	ck_assert_ptr_nonnull(path);
	snprintf(world->target, sizeof(world->target), "%s", path);
	world->kept += request->cache_seconds > 0 && request->cache_scope;
	*answer = (struct test_answer){ .status = 200, .headers = world->headers };
	if (world->fault_path && world->fault_times && strstr(path, world->fault_path)) {
		world->fault_times--;
		*answer = world->fault;
		return 1;
	}
	if (request->method && strcmp(request->method, "POST") == 0) {
		answer->status = 422;
		answer->body = "{\"title\":\"Unprocessable Entity\",\"status\":422,\"detail\":\"no\"}";
	} else if (strstr(path, "/datacenters")) {
		answer->body = centers;
	} else if (strstr(path, "/cpus")) {
		answer->body = cpus;
	} else if (strstr(path, "/pods")) {
		answer->body = "{\"pods\":[]}";
	} else if (strstr(path, "cloud=COMMUNITY")) {
		answer->body = community;
	} else {
		answer->body = strstr(path, "count=2") ? two_gpus : one_gpu;
	}
	return 1;
}

static void set_up(struct world *world)
{
	test_host_reset();
	memset(world, 0, sizeof(*world));
	test_host_option("endpoint", "http://127.0.0.1:9/v2/");
	test_host_option("api_key", "rpa_0123456789ABCDEF");
	test_host_responder(respond, world);
	test_host_deadline(60000);
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

static void offer_is(const struct souk_offer_list *offers, const char *type, const char *region,
		     const char *zone, int64_t micros, int available)
{
	const struct souk_offer *offer = test_offer_find(offers, type, zone);

	ck_assert_msg(offer != NULL, "no '%s' in '%s'", type, zone);
	ck_assert_str_eq(offer->region, region);
	ck_assert_msg(offer->micros_per_hour == micros, "%s: %lld", type,
		      (long long)offer->micros_per_hour);
	ck_assert_int_eq(offer->spot_micros_per_hour, -1);
	ck_assert_msg(offer->available == available, "%s in %s: %d", type, zone,
		      offer->available);
	ck_assert_str_eq(offer->currency, "USD");
}

START_TEST(all_is_listed)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *offers;
	const struct souk_offer *offer;
	struct world world;

	set_up(&world);
	ck_assert_msg(list(&offers, &err) == SOUK_OK, "%s", err.message);
	offer_is(offers, "1x_RTX4090_SECURE", "US", "US-TX-3", 590000, -1);
	offer_is(offers, "1x_RTX4090_SECURE", "RO", "EU-RO-1", 590000, -1);
	offer_is(offers, "2x_RTX4090_SECURE", "US", "US-TX-3", 1180000, 0);
	offer_is(offers, "2x_RTX4090_SECURE", "RO", "EU-RO-1", 1180000, -1);
	offer_is(offers, "1x_H100-SXM_SECURE", "US", "US-TX-3", 2690000, 0);
	offer_is(offers, "1x_RTX-7000_SECURE", "any", "", 1005000, 0);
	offer_is(offers, "cpu5c-2-4", "RO", "EU-RO-1", 70000, -1);
	offer_is(offers, "cpu5c-2-4", "US", "US-TX-3", 70000, 0);
	offer_is(offers, "cpu5c-4-8", "RO", "EU-RO-1", 140000, -1);
	offer_is(offers, "cpu5c-4-8", "US", "US-TX-3", 140000, 0);
	ck_assert_uint_eq(test_offers_count(offers), 10);

	offer = test_offer_find(offers, "2x_RTX4090_SECURE", "EU-RO-1");
	ck_assert_str_eq(offer->accelerator, "RTX4090");
	ck_assert_uint_eq(offer->accelerator_milli, 2000);
	ck_assert_uint_eq(offer->accelerator_memory_mib, 24 * 1024);
	ck_assert_uint_eq(offer->vcpus_milli, 10000);
	ck_assert_uint_eq(offer->memory_mib, 58 * 1024);
	offer = test_offer_find(offers, "1x_RTX-7000_SECURE", "");
	ck_assert_str_eq(offer->accelerator, "RTX7000");
	ck_assert_uint_eq(offer->vcpus_milli, 0);
	offer = test_offer_find(offers, "cpu5c-4-8", "EU-RO-1");
	ck_assert_ptr_null(offer->accelerator);
	ck_assert_uint_eq(offer->vcpus_milli, 4000);
	ck_assert_uint_eq(offer->memory_mib, 8 * 1024);
	test_offers_free(offers);

	/* One and two GPUs, two and four vCPUs, the data centres; each may be kept. */
	ck_assert_uint_eq(test_host_requests(NULL), 5);
	ck_assert_uint_eq(world.kept, 5);
	ck_assert_str_eq(test_host_last_header("ListGpuTypes", "Authorization"),
			 "Bearer rpa_0123456789ABCDEF");
	ck_assert_uint_eq(test_host_progress()->n, 5);
}
END_TEST

START_TEST(the_community_is_asked_for)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *offers;
	struct world world;

	set_up(&world);
	test_host_option("cloud", "community,Secure");
	ck_assert_msg(list(&offers, &err) == SOUK_OK, "%s", err.message);
	offer_is(offers, "1x_RTX4090_COMMUNITY", "any", "", 340000, -1);
	offer_is(offers, "1x_A30_COMMUNITY", "any", "", 110000, -1);
	ck_assert_uint_eq(test_offers_count(offers), 12);
	test_offers_free(offers);

	set_up(&world);
	test_host_option("cloud", "community");
	ck_assert_msg(list(&offers, &err) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_offers_count(offers), 2);
	test_offers_free(offers);

	set_up(&world);
	test_host_option("cloud", "secure,public");
	ck_assert_int_eq(list(&offers, &err), SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "cloud: 'public' is neither 'secure' nor 'community'");
	test_offers_free(offers);
}
END_TEST

static const struct {
	const char *path;
	int times;
	struct test_answer answer;
	int code; /* SOUK_OK: it heals */
	const char *message;
} breaks[] = {
	{ "count=2", 1, { 503, 0, NULL, "" }, SOUK_OK, NULL },
	{ "count=2", 1, { 429, 0, "Retry-After: 1\r\n", "" }, SOUK_OK, NULL },
	{ "count=2", 1, { 200, 0, NULL, "{\"this is\": [not" }, SOUK_OK, NULL },
	{ "/datacenters", 2, { 200, 0, NULL, "[]" }, SOUK_OK, NULL },
	{ "count=2", -1, { 503, 0, NULL, "" }, SOUK_E_TRANSIENT, "HTTP status 503" },
	{ "count=2", -1, { 200, 0, NULL, "{\"this is\": [not" }, SOUK_E_INTERNAL,
	  "the answer is not a JSON object" },
	{ "count=2", -1, { 200, 0, NULL, "{\"gpus\":[{}]}" }, SOUK_E_INTERNAL,
	  "'gpus[].id' is missing" },
	{ "count=1", -1, { 200, 0, NULL, "{\"gpus\":7}" }, SOUK_E_INTERNAL,
	  "'gpus' is not a list" },
	{ "/cpus", -1, { 401, 0, NULL, "{\"title\":\"Unauthorized\"}" }, SOUK_E_AUTH,
	  "Unauthorized" },
	{ "/datacenters", -1, { 0, SOUK_E_TIMEOUT, NULL, NULL }, SOUK_E_TIMEOUT, "as the test says" },
	{ "/datacenters", -1, { 429, 0, "Retry-After: 7\r\n", "{\"title\":\"Slow\"}" },
	  SOUK_E_RATE_LIMIT, "Slow" },
	{ "/datacenters", -1, { 200, 0, NULL, "{\"dataCenters\":[7]}" }, SOUK_E_INTERNAL,
	  "'dataCenters[]' is not an object" },
};

START_TEST(one_list_that_fails)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *offers;
	struct world world;
	int ret;

	set_up(&world);
	world.fault_path = breaks[_i].path;
	world.fault_times = breaks[_i].times;
	world.fault = breaks[_i].answer;
	ret = list(&offers, &err);
	ck_assert_msg(ret == breaks[_i].code, "%d: %s", ret, err.message);
	if (ret == SOUK_OK)
		ck_assert_uint_eq(test_offers_count(offers), 10);
	else
		ck_assert_msg(strstr(err.message, breaks[_i].message) != NULL, "%s", err.message);
	if (ret == SOUK_E_RATE_LIMIT)
		ck_assert_uint_eq(err.retry_after_ms, 7000);
	test_offers_free(offers);
}
END_TEST

START_TEST(a_used_up_minute_is_waited_for)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *offers;
	struct world world;

	set_up(&world);
	world.headers = "RateLimit: \"minute\";r=0;t=20, \"hour\";r=2;t=1800\r\n";
	ck_assert_int_eq(list(&offers, &err), SOUK_OK);
	test_offers_free(offers);
	/* Of five requests at least the two of the second round come behind an answer. */
	ck_assert_uint_ge(test_host_slept_ms(), 2 * 15000);

	set_up(&world);
	world.headers = "RateLimit: \"minute\";r=0;t=100\r\n";
	ck_assert_int_eq(list(&offers, &err), SOUK_E_RATE_LIMIT);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_PROVIDER);
	ck_assert_uint_ge(err.retry_after_ms, 60000);
	test_offers_free(offers);
}
END_TEST

START_TEST(names_that_clash_are_said)
{
	static const char two[] =
		"{\"gpus\":["
		"{\"id\":\"NVIDIA X 1\",\"name\":\"a\",\"memory\":1,\"secure\":true,\"community\":false,"
		"\"price\":{\"secure\":1},\"maxCount\":{\"secure\":1,\"community\":0}},"
		"{\"id\":\"NVIDIA X-1\",\"name\":\"b\",\"memory\":1,\"secure\":true,\"community\":false,"
		"\"price\":{\"secure\":2},\"maxCount\":{\"secure\":1,\"community\":0}},"
		"{\"id\":\"AMD L4\",\"name\":\"b\",\"memory\":1,\"secure\":true,\"community\":false,"
		"\"price\":{\"secure\":2},\"maxCount\":{\"secure\":1,\"community\":0},"
		"\"dataCenters\":[{\"id\":\"no place\",\"availability\":\"LOW\"}]},"
		"{\"id\":\"NVIDIA L4\",\"name\":\"b\",\"memory\":24,\"secure\":true,"
		"\"community\":false,\"price\":{\"secure\":2},"
		"\"maxCount\":{\"secure\":1,\"community\":0},"
		"\"dataCenters\":[{\"id\":\"no place\",\"availability\":\"LOW\"}]}]}";
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *offers;
	struct world world;

	set_up(&world);
	world.fault_path = "/gpus";
	world.fault_times = -1;
	world.fault = (struct test_answer){ .status = 200, .body = two };
	ck_assert_msg(list(&offers, &err) == SOUK_OK, "%s", err.message);
	offer_is(offers, "1x_X-1_SECURE", "any", "", 1000000, 0);
	offer_is(offers, "1x_L4_SECURE", "any", "", 2000000, 0);
	ck_assert_uint_eq(test_offers_count(offers), 6);
	ck_assert_ptr_nonnull(strstr(test_host_log(SOUK_LOG_WARNING), "left out 'NVIDIA X-1'"));
	ck_assert_ptr_nonnull(strstr(test_host_log(SOUK_LOG_WARNING), "left out 'AMD L4'"));
	ck_assert_ptr_nonnull(strstr(test_host_log(SOUK_LOG_WARNING), "data centre 'no place'"));
	test_offers_free(offers);
}
END_TEST

START_TEST(cancelling_ends_it)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *offers;
	struct world world;

	set_up(&world);
	test_host_cancel(1);
	ck_assert_int_eq(list(&offers, &err), SOUK_E_CANCELLED);
	ck_assert_uint_eq(test_host_requests(NULL), 0);
	test_offers_free(offers);
}
END_TEST

START_TEST(without_a_key)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offer_list *offers;
	struct world world;

	set_up(&world);
	test_host_option("api_key", NULL);
	unsetenv("RUNPOD_API_KEY");
	setenv("HOME", "/nonexistent", 1);
	ck_assert_int_eq(list(&offers, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "no RunPod API key found");
	ck_assert_ptr_nonnull(strstr(err.hint, "RUNPOD_API_KEY"));
	test_offers_free(offers);

	setenv("RUNPOD_API_KEY", "two words", 1);
	ck_assert_int_eq(list(&offers, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "RUNPOD_API_KEY holds no RunPod API key");
	test_offers_free(offers);

	setenv("RUNPOD_API_KEY", "rpa_of_the_environment", 1);
	ck_assert_int_eq(list(&offers, &err), SOUK_OK);
	ck_assert_str_eq(test_host_last_header("ListGpuTypes", "Authorization"),
			 "Bearer rpa_of_the_environment");
	test_offers_free(offers);
	ck_assert_uint_eq(test_host_requests(NULL), 5);
}
END_TEST

/* ---- Quotes, and who we are ---- */

static const struct {
	const char *type;
	uint32_t count;
	uint64_t disk_mib;
	int code;
	int64_t compute, disk;
} quotes[] = {
	{ "1x_RTX4090_SECURE", 1, 0, SOUK_OK, 590000, 50 * 100000 / 730 },
	{ "2x_RTX4090_SECURE", 3, 100 * 1024, SOUK_OK, 3540000, 100 * 100000 / 730 * 3 },
	{ "1x_RTX4090_COMMUNITY", 1, 1, SOUK_OK, 340000, 100000 / 730 },
	{ "cpu5c-4-8", 1, 0, SOUK_OK, 140000, 20 * 100000 / 730 },
	{ "4x_RTX4090_SECURE", 1, 0, SOUK_E_NOT_FOUND, 0, 0 },
	{ "1x_A30_SECURE", 1, 0, SOUK_E_NOT_FOUND, 0, 0 },
	{ "1x_T4_SECURE", 1, 0, SOUK_E_NOT_FOUND, 0, 0 },
	{ "cpu5c-8-16", 1, 0, SOUK_E_NOT_FOUND, 0, 0 },
	{ "m5.large", 1, 0, SOUK_E_NOT_FOUND, 0, 0 },
	{ "1x_RTX4090_SECURE", 1, UINT64_MAX / 2, SOUK_E_INVALID, 0, 0 },
};

START_TEST(quotes_are_itemised)
{
	const struct souk_provider_ops *ops = souk_provider_entry();
	const struct souk_instance_spec spec = {
		.struct_size = sizeof(spec),
		.count = quotes[_i].count,
		.instance_type = quotes[_i].type,
		.region = "US",
		.disk_size_mib = quotes[_i].disk_mib,
	};
	struct souk_quote_list *lines = test_quotes_new();
	struct souk_error err = SOUK_ERROR_INIT;
	struct world world;
	void *self = NULL;
	int ret;

	set_up(&world);
	ck_assert_int_eq(ops->open(test_host_call(), &self, &err), SOUK_OK);
	ret = ops->quote(self, test_host_call(), &spec, lines, &err);
	ops->close(self);
	ck_assert_msg(ret == quotes[_i].code, "%d: %s", ret, err.message);
	if (ret == SOUK_OK) {
		ck_assert_uint_eq(test_quotes_count(lines), 3);
		ck_assert_str_eq(test_quote(lines, 0)->item, "compute");
		ck_assert_int_eq(test_quote(lines, 0)->micros, quotes[_i].compute);
		ck_assert_str_eq(test_quote(lines, 1)->item, "disk");
		ck_assert_int_eq(test_quote(lines, 1)->micros, quotes[_i].disk);
		ck_assert_str_eq(test_quote(lines, 2)->item, "address");
		ck_assert_int_eq(test_quote(lines, 2)->micros, 0);
		ck_assert_uint_eq(test_quote(lines, 1)->per_hour, 1);
	}
	test_quotes_free(lines);
}
END_TEST

static int check_account(struct souk_identity *who, struct souk_error *err)
{
	const struct souk_provider_ops *ops = souk_provider_entry();
	void *self = NULL;
	int ret = ops->open(test_host_call(), &self, err);

	if (ret < 0)
		return ret;
	ret = ops->check(self, test_host_call(), who, err);
	ops->close(self);
	return ret;
}

START_TEST(check_says_what_is_missing)
{
	struct souk_identity *who = test_identity_new();
	struct souk_error err = SOUK_ERROR_INIT;
	struct world world;

	set_up(&world);
	ck_assert_msg(check_account(who, &err) == SOUK_OK, "%s", err.message);
	ck_assert_str_eq(test_identity(who, "principal"), "API key ...CDEF");
	ck_assert_str_eq(test_host_last_body("CreatePod"), "{}");
	test_identity_free(who);

	who = test_identity_new();
	set_up(&world);
	world.fault_path = "/v2/pods";
	world.fault_times = 1;
	world.fault = (struct test_answer){ .status = 403, .body = "{\"title\":\"Forbidden\"}" };
	ck_assert_int_eq(check_account(who, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "cannot list the pods: Forbidden");
	test_identity_free(who);
}
END_TEST

/* Reading is allowed and creating is not. */
static int respond_read_only(const struct souk_http_request *request, struct test_answer *answer,
			     void *arg)
{
	respond(request, answer, arg);
	if (request->method && strcmp(request->method, "POST") == 0)
		*answer = (struct test_answer){ .status = 403,
						.body = "{\"title\":\"Forbidden\"}" };
	return 1;
}

START_TEST(check_knows_read_only_keys)
{
	struct souk_identity *who = test_identity_new();
	struct souk_error err = SOUK_ERROR_INIT;
	struct world world;

	set_up(&world);
	test_host_responder(respond_read_only, &world);
	ck_assert_int_eq(check_account(who, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "the API key may read, but not create pods");
	ck_assert_ptr_nonnull(strstr(err.hint, "'All'"));
	test_identity_free(who);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runpod-offers");
	TCase *tc = tcase_create("offers");
	SRunner *runner;
	int failed;

	tcase_add_test(tc, all_is_listed);
	tcase_add_test(tc, the_community_is_asked_for);
	tcase_add_loop_test(tc, one_list_that_fails, 0, (int)RUNPOD_ARRAY_SIZE(breaks));
	tcase_add_test(tc, a_used_up_minute_is_waited_for);
	tcase_add_test(tc, names_that_clash_are_said);
	tcase_add_test(tc, cancelling_ends_it);
	tcase_add_test(tc, without_a_key);
	tcase_add_loop_test(tc, quotes_are_itemised, 0, (int)RUNPOD_ARRAY_SIZE(quotes));
	tcase_add_test(tc, check_says_what_is_missing);
	tcase_add_test(tc, check_knows_read_only_keys);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
