/* SPDX-License-Identifier: Apache-2.0 */
/* test-runpod-pods.c - pods of RunPod: made, found, told of, ended */

#include <check.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pods.h"
#include "runpod.h"
#include "rent-fixture.h"

/* An account with at most one pod. */
struct world {
	struct json_object *env; /* of the pod; NULL: there is none */
	const char *status;
	const char *direct;	 /* "null", or where SSH is */
	int is_lost;		 /* the answer to the create is lost on its way */
	struct test_answer refusal; /* of the create; status 0: none */
	struct json_object *body;   /* of the last create */
	char answer[16384];
	unsigned creates;
};

static void write_pod(struct world *world, const char *head, const char *tail)
{
	snprintf(world->answer, sizeof(world->answer),
		 "%s{\"id\":\"7h9k2m4n6p\",\"name\":\"n\",\"image\":\"i\",\"args\":\"\",\"disk\":50,"
		 "\"ports\":[\"22/tcp\"],\"env\":%s,\"registry\":null,\"status\":\"%s\","
		 "\"actions\":[],\"mounts\":{},\"cloud\":\"SECURE\",\"dataCenterId\":\"US-KS-2\","
		 "\"cudaVersion\":null,\"ssh\":{\"proxy\":null,\"direct\":%s},\"template\":null,"
		 "\"cost\":0.44,\"locked\":false,\"globalNetworking\":{\"enabled\":false},"
		 "\"runtime\":null,\"createdAt\":\"2026-06-01T12:00:00Z\",\"startedAt\":null}%s",
		 head, json_object_to_json_string(world->env), world->status, world->direct, tail);
}

static void create(struct world *world, const struct souk_http_request *request,
		   struct test_answer *answer)
{
	struct json_object *env;

	world->creates++;
	json_object_put(world->body);
	world->body = json_tokener_parse(request->body);
	ck_assert_ptr_nonnull(world->body);
	if (world->refusal.status) {
		*answer = world->refusal;
		return;
	}
	ck_assert(json_object_object_get_ex(world->body, "env", &env));
	json_object_put(world->env);
	world->env = json_object_get(env);
	write_pod(world, "", "");
	answer->status = world->is_lost ? 0 : 201;
	answer->failure = SOUK_E_TIMEOUT;
	answer->body = world->answer;
}

static int respond(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	static const char gone[] = "{\"title\":\"Not Found\",\"status\":404,\"detail\":\"pod not found\"}";
	const char *path = strstr(request->url, "/v2/");
	struct world *world = arg;

	ck_assert_ptr_nonnull(path);
	*answer = (struct test_answer){ .status = 200, .body = world->answer };
	if (strcmp(path, "/v2/catalog/gpus") == 0) {
		answer->body = "{\"gpus\":[{\"id\":\"NVIDIA RTX 7000\"}]}";
	} else if (strcmp(path, "/v2/catalog/datacenters") == 0) {
		answer->body = "{\"dataCenters\":[{\"id\":\"US-KS-2\"},{\"id\":\"EU-RO-1\"},"
			       "{\"id\":\"US-TX-3\"}]}";
	} else if (request->method && strcmp(request->method, "POST") == 0) {
		ck_assert_str_eq(path, "/v2/pods");
		create(world, request, answer);
	} else if (request->method && strcmp(request->method, "DELETE") == 0) {
		answer->status = world->env ? 204 : 404;
		answer->body = world->env ? "" : gone;
		json_object_put(world->env);
		world->env = NULL;
	} else if (strcmp(path, "/v2/pods") == 0) {
		if (world->env)
			write_pod(world, "{\"pods\":[{\"id\":\"other\",\"status\":\"RUNNING\",\"env\":{}},",
				  "]}");
		else
			answer->body = "{\"pods\":[{\"id\":\"other\",\"status\":\"RUNNING\","
				       "\"env\":{}}]}";
	} else if (world->env && strcmp(path, "/v2/pods/7h9k2m4n6p") == 0) {
		write_pod(world, "", "");
	} else {
		answer->status = 404;
		answer->body = gone;
	}
	return 1;
}

static struct world world;
static void *self;

static void set_up(void)
{
	struct souk_error err = SOUK_ERROR_INIT;

	test_host_reset();
	memset(&world, 0, sizeof(world));
	world.status = "PROVISIONING";
	world.direct = "null";
	test_host_option("endpoint", "http://127.0.0.1:9");
	test_host_option("api_key", "rpa_0123456789ABCDEF");
	test_host_responder(respond, &world);
	test_host_deadline(60000);
	ck_assert_int_eq(souk_provider_entry()->open(test_host_call(), &self, &err), SOUK_OK);
}

static void tear_down(void)
{
	souk_provider_entry()->close(self);
	json_object_put(world.env);
	json_object_put(world.body);
}

static struct souk_instance_spec spec_of(const char *type, const char *region, const char *zone)
{
	struct souk_instance_spec spec = rent_spec(type, region);

	spec.zone = zone;
	spec.ssh_public_key = "ssh-ed25519 AAAAC3Nza souk-train\n";
	spec.host_key_private = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n";
	spec.host_key_public = "ssh-ed25519 AAAAHOST\n";
	return spec;
}

static int provision(const struct souk_instance_spec *spec, struct souk_instance_list **out,
		     struct souk_error *err)
{
	return rent(self, spec, out, err);
}

START_TEST(a_pod_is_made)
{
	struct souk_instance_spec spec = spec_of("2x_RTX4090_SECURE", "US", "US-KS-2");
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;
	const struct souk_instance *pod;

	spec.disk_size_mib = 100 * 1024;
	ck_assert_msg(provision(&spec, &list, &err) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_instances_count(list), 1);
	pod = test_instance(list, 0);
	ck_assert_str_eq(pod->id, "7h9k2m4n6p");
	ck_assert_int_eq(pod->status, SOUK_INSTANCE_PENDING);
	ck_assert_str_eq(pod->region, "US");
	ck_assert_str_eq(pod->zone, "US-KS-2");
	ck_assert_str_eq(pod->cluster, "train");
	ck_assert_str_eq(pod->owner, "ann@host");
	ck_assert_str_eq(pod->request_token, "token-1");
	ck_assert_str_eq(pod->instance_type, "2x_RTX4090_SECURE");
	ck_assert_str_eq(pod->host_key, "ssh-ed25519 AAAAHOST");
	ck_assert_str_eq(pod->ssh_user, "root");
	ck_assert_ptr_null(pod->public_address);
	ck_assert_int_eq(pod->created_at, 1780315200);
	test_instances_free(list);

	ck_assert_str_eq(rent_at(world.body, "name"), "souk-train-token-1");
	ck_assert_str_eq(rent_at(world.body, "gpu.id"), "NVIDIA GeForce RTX 4090");
	ck_assert_str_eq(rent_at(world.body, "gpu.count"), "2");
	ck_assert_str_eq(rent_at(world.body, "gpu.minCudaVersion"), "12.8");
	ck_assert_str_eq(rent_at(world.body, "cpu"), "(none)");
	ck_assert_str_eq(rent_at(world.body, "cloud"), "SECURE");
	ck_assert_str_eq(rent_at(world.body, "dataCenterIds"), "US-KS-2");
	ck_assert_str_eq(rent_at(world.body, "disk"), "100");
	ck_assert_str_eq(rent_at(world.body, "ports"), "22/tcp");
	ck_assert_ptr_nonnull(strstr(rent_at(world.body, "image"), "runpod/pytorch:"));
	ck_assert_str_eq(rent_at(world.body, "env.PUBLIC_KEY"), "ssh-ed25519 AAAAC3Nza souk-train");
	ck_assert_str_eq(rent_at(world.body, "env.SOUK_HOST_KEY"),
			 "LS0tLS1CRUdJTiBPUEVOU1NIIFBSSVZBVEUgS0VZLS0tLS0KQUFBQQo=");
}
END_TEST

static const struct {
	const char *gb, *network, *path, *type;
	int code;
	const char *member, *want;  /* of the body */
	const char *message;
} volumes[] = {
	{ NULL, NULL, NULL, "1x_L4_SECURE", SOUK_OK, "mounts", "(none)", NULL },
	{ "40", NULL, NULL, "1x_L4_SECURE", SOUK_OK, "mounts.persistent.size", "40", NULL },
	{ "40", NULL, NULL, "1x_L4_SECURE", SOUK_OK, "mounts.persistent.path", "/workspace", NULL },
	{ NULL, "vol_x", "/data", "1x_L4_SECURE", SOUK_OK, "mounts.network.volumeId", "vol_x", NULL },
	{ NULL, "vol_x", "/data", "cpu5c-4-8", SOUK_OK, "mounts.network.path", "/data", NULL },
	{ "40", "vol_x", NULL, "1x_L4_SECURE", SOUK_E_INVALID, NULL, NULL, "one volume" },
	{ "9", NULL, NULL, "1x_L4_SECURE", SOUK_E_INVALID, NULL, NULL, "10 to 100000 GB" },
	{ "x", NULL, NULL, "1x_L4_SECURE", SOUK_E_INVALID, NULL, NULL, "volume_gb" },
	{ "40", NULL, "data", "1x_L4_SECURE", SOUK_E_INVALID, NULL, NULL, "absolute" },
	{ "40", NULL, NULL, "cpu5c-4-8", SOUK_E_UNSUPPORTED, NULL, NULL, "without a GPU" },
};

START_TEST(volumes_are_mounted)
{
	struct souk_instance_spec spec = spec_of(volumes[_i].type, "US", "US-KS-2");
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;

	test_host_option("volume_gb", volumes[_i].gb);
	test_host_option("network_volume", volumes[_i].network);
	test_host_option("volume_path", volumes[_i].path);
	ck_assert_int_eq(provision(&spec, &list, &err), volumes[_i].code);
	test_instances_free(list);
	if (volumes[_i].member)
		ck_assert_str_eq(rent_at(world.body, volumes[_i].member), volumes[_i].want);
	else
		ck_assert_msg(strstr(err.message, volumes[_i].message) != NULL, "%s", err.message);
	ck_assert_uint_eq(world.creates, volumes[_i].member ? 1 : 0);
}
END_TEST

START_TEST(siblings_stand_together)
{
	struct souk_instance_spec spec = spec_of("1x_L4_SECURE", "US", NULL);
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;
	struct json_object *places;

	spec.count = 2;
	ck_assert_msg(provision(&spec, &list, &err) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(world.creates, 2);
	test_instances_free(list);
	/* the second where the first one is, and in the network of both */
	ck_assert(json_object_object_get_ex(world.body, "dataCenterIds", &places));
	ck_assert_uint_eq(json_object_array_length(places), 1);
	ck_assert_str_eq(rent_at(world.body, "dataCenterIds"), "US-KS-2");
	ck_assert_str_eq(rent_at(world.body, "globalNetworking"), "true");
	/* one is there (the account of this test has one at most): one more is made beside it */
	json_object_put(world.body);
	world.body = NULL;
	ck_assert_msg(provision(&spec, &list, &err) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(world.creates, 3);
	ck_assert_uint_eq(test_instances_count(list), 2);
	ck_assert_str_eq(rent_at(world.body, "dataCenterIds"), "US-KS-2");
	test_instances_free(list);
	spec.count = 1;
	spec.request_token = "token-2";
	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_OK);
	ck_assert_str_eq(rent_at(world.body, "globalNetworking"), "(none)");
	test_instances_free(list);
}
END_TEST

START_TEST(the_token_is_known_again)
{
	struct souk_instance_spec spec = spec_of("1x_L4_SECURE", "US", "US-KS-2");
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;

	world.is_lost = 1;
	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_E_TIMEOUT);
	ck_assert_uint_eq(test_instances_count(list), 0);
	test_instances_free(list);
	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_OK);
	ck_assert_uint_eq(test_instances_count(list), 1);
	test_instances_free(list);
	ck_assert_uint_eq(world.creates, 1);
}
END_TEST

START_TEST(places_and_kinds)
{
	struct souk_instance_spec spec = spec_of("cpu5c-4-8", "US", NULL);
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;
	struct json_object *places;

	ck_assert_msg(provision(&spec, &list, &err) == SOUK_OK, "%s", err.message);
	test_instances_free(list);
	ck_assert(json_object_object_get_ex(world.body, "dataCenterIds", &places));
	ck_assert_uint_eq(json_object_array_length(places), 2);
	ck_assert_str_eq(rent_at(world.body, "cpu.id"), "cpu5c");
	ck_assert_str_eq(rent_at(world.body, "cpu.vcpuCount"), "4");
	ck_assert_str_eq(rent_at(world.body, "gpu"), "(none)");
	ck_assert_ptr_nonnull(strstr(rent_at(world.body, "image"), "runpod/base:"));

	/* A GPU that is new, in the community, anywhere, with an image of the task's. */
	spec = spec_of("1x_RTX-7000_COMMUNITY", "any", NULL);
	spec.request_token = "token-2";
	spec.image = "ubuntu:24.04";
	ck_assert_msg(provision(&spec, &list, &err) == SOUK_OK, "%s", err.message);
	test_instances_free(list);
	ck_assert_str_eq(rent_at(world.body, "gpu.id"), "NVIDIA RTX 7000");
	ck_assert_str_eq(rent_at(world.body, "gpu.minCudaVersion"), "(none)");
	ck_assert_str_eq(rent_at(world.body, "cloud"), "COMMUNITY");
	ck_assert_str_eq(rent_at(world.body, "image"), "ubuntu:24.04");
	ck_assert_str_eq(rent_at(world.body, "dataCenterIds"), "(none)");
}
END_TEST

static const struct {
	const char *type, *region;
	uint32_t count, spot, n_ports;
	struct test_answer refusal;
	int code, scope;
	const char *message;
	unsigned creates;
} refusals[] = {
	{ "cpu5c-4-8", "US", 2, 0, 0, { 0 }, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER,
	  "do not reach each other", 0 },
	{ "1x_A30_COMMUNITY", "any", 2, 0, 0, { 0 }, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER,
	  "secure cloud", 0 },
	{ "1x_L4_SECURE", "US", 1, 1, 0, { 0 }, SOUK_E_UNSUPPORTED, SOUK_SCOPE_PROVIDER, "no spot", 0 },
	{ "1x_L4_SECURE", "US", 1, 0, 1, { 0 }, SOUK_E_UNSUPPORTED, SOUK_SCOPE_PROVIDER, "ports", 0 },
	{ "m5.large", "US", 1, 0, 0, { 0 }, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER, "'m5.large'", 0 },
	{ "1x_NEW_SECURE", "US", 1, 0, 0, { 0 }, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER, "'NEW'", 0 },
	{ "1x_L4_SECURE", "ZZ", 1, 0, 0, { 0 }, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION, "'ZZ'", 0 },
	{ "1x_MI300X_SECURE", "US", 1, 0, 0, { 0 }, SOUK_E_INVALID, SOUK_SCOPE_OFFER, "no image", 0 },
	{ "1x_L4_SECURE", "US", 1, 0, 0,
	  { 400, 0, NULL, "{\"title\":\"B\",\"detail\":\"There are no longer any instances available\"}" },
	  SOUK_E_CAPACITY, SOUK_SCOPE_OFFER, "cannot start 1x_L4_SECURE in 'US'", 1 },
	{ "1x_L4_SECURE", "US", 1, 0, 0, { 402, 0, NULL, "{\"title\":\"Payment Required\"}" },
	  SOUK_E_QUOTA, SOUK_SCOPE_PROVIDER, "Payment Required", 1 },
	{ "1x_L4_SECURE", "US", 1, 0, 0, { 403, 0, NULL, "{\"title\":\"Forbidden\"}" }, SOUK_E_AUTH,
	  SOUK_SCOPE_OFFER, "Forbidden", 1 },
	{ "1x_L4_SECURE", "US", 1, 0, 0, { 429, 0, "Retry-After: 3\r\n", "" }, SOUK_E_RATE_LIMIT,
	  SOUK_SCOPE_PROVIDER, "429", 1 },
	/* Whether these have made one is not known, and they are not sent again. */
	{ "1x_L4_SECURE", "US", 1, 0, 0, { 503, 0, NULL, "" }, SOUK_E_TIMEOUT, SOUK_SCOPE_PROVIDER,
	  "503", 1 },
	{ "1x_L4_SECURE", "US", 1, 0, 0, { 201, 0, NULL, "{\"this is\": [not" }, SOUK_E_TIMEOUT,
	  SOUK_SCOPE_PROVIDER, "not a JSON object", 1 },
	{ "1x_L4_SECURE", "US", 1, 0, 0, { 201, 0, NULL, "{}" }, SOUK_E_TIMEOUT, SOUK_SCOPE_OFFER,
	  "'pods[].id' is missing", 1 },
	{ "1x_L4_SECURE", "US", 1, 0, 0, { 204, 0, NULL, "" }, SOUK_E_TIMEOUT, SOUK_SCOPE_OFFER,
	  "no pod in the answer", 1 },
};

START_TEST(what_is_refused)
{
	struct souk_instance_spec spec = spec_of(refusals[_i].type, refusals[_i].region, NULL);
	struct souk_port_range port = { 80, 80 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;
	int ret;

	spec.count = refusals[_i].count;
	spec.spot = refusals[_i].spot;
	spec.ports = &port;
	spec.n_ports = refusals[_i].n_ports;
	world.refusal = refusals[_i].refusal;
	ret = provision(&spec, &list, &err);
	ck_assert_msg(ret == refusals[_i].code && err.code == ret, "%d: %s", ret, err.message);
	ck_assert_msg(err.scope == refusals[_i].scope, "scope %d: %s", err.scope, err.message);
	ck_assert_msg(strstr(err.message, refusals[_i].message) != NULL, "%s", err.message);
	ck_assert_uint_eq(world.creates, refusals[_i].creates);
	ck_assert_uint_eq(test_instances_count(list), 0);
	test_instances_free(list);
}
END_TEST

static const struct {
	const char *status, *direct;
	int want;
	const char *address;
	uint32_t port;
} states[] = {
	{ "PROVISIONING", "null", SOUK_INSTANCE_PENDING, NULL, 0 },
	{ "STARTING", "null", SOUK_INSTANCE_PENDING, NULL, 0 },
	{ "RUNNING", "null", SOUK_INSTANCE_RUNNING, NULL, 0 },
	{ "RUNNING", "{\"host\":\"195.26.233.3\",\"port\":34446,\"username\":\"root\"}",
	  SOUK_INSTANCE_RUNNING, "195.26.233.3", 34446 },
	{ "EXITED", "null", SOUK_INSTANCE_STOPPED, NULL, 0 },
	{ "ERROR", "null", SOUK_INSTANCE_FAILED, NULL, 0 },
	{ "TERMINATED", "null", SOUK_INSTANCE_TERMINATED, NULL, 0 },
	{ "HIBERNATING", "null", SOUK_INSTANCE_PENDING, NULL, 0 },
};

START_TEST(states_are_told)
{
	const struct souk_provider_ops *ops = souk_provider_entry();
	const struct souk_instance_ref ref = { .struct_size = sizeof(ref), .id = "7h9k2m4n6p",
					       .region = "US" };
	struct souk_instance_spec spec = spec_of("1x_L4_SECURE", "US", "US-KS-2");
	struct souk_instance_list *list;
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_OK);
	test_instances_free(list);
	world.status = states[_i].status;
	world.direct = states[_i].direct;
	list = test_instances_new();
	ck_assert_msg(ops->describe(self, test_host_call(), &ref, 1, list, &err) == SOUK_OK, "%s",
		      err.message);
	ck_assert_uint_eq(test_instances_count(list), 1);
	ck_assert_int_eq(test_instance(list, 0)->status, states[_i].want);
	if (states[_i].address)
		ck_assert_str_eq(test_instance(list, 0)->public_address, states[_i].address);
	else
		ck_assert_ptr_null(test_instance(list, 0)->public_address);
	ck_assert_uint_eq(test_instance(list, 0)->ssh_port, states[_i].port);
	test_instances_free(list);
}
END_TEST

static const char *const bad_addresses[] = {
	"{\"host\":\"-oProxyCommand=x\",\"port\":22}", "{\"host\":\"a b\",\"port\":22}",
	"{\"host\":\"\",\"port\":22}",		       "{\"host\":\"1.2.3.4\",\"port\":0}",
	"{\"host\":\"1.2.3.4\",\"port\":70000}",       "{\"host\":7,\"port\":22}", "[]",
};

START_TEST(addresses_are_checked)
{
	const struct souk_provider_ops *ops = souk_provider_entry();
	const struct souk_instance_ref ref = { .struct_size = sizeof(ref), .id = "7h9k2m4n6p",
					       .region = "US" };
	struct souk_instance_list *list = test_instances_new();
	struct souk_error err = SOUK_ERROR_INIT;

	world.env = json_object_new_object();
	world.status = "RUNNING";
	world.direct = bad_addresses[_i];
	ck_assert_int_eq(ops->describe(self, test_host_call(), &ref, 1, list, &err),
			 SOUK_E_INTERNAL);
	test_instances_free(list);
}
END_TEST

static size_t found(const struct souk_instance_filter *filter)
{
	struct souk_instance_list *list = test_instances_new();
	struct souk_error err = SOUK_ERROR_INIT;
	size_t n;

	ck_assert_msg(souk_provider_entry()->list_instances(self, test_host_call(), filter, list,
							    &err) == SOUK_OK,
		      "%s", err.message);
	n = test_instances_count(list);
	test_instances_free(list);
	return n;
}

START_TEST(pods_are_found_and_ended)
{
	const struct souk_provider_ops *ops = souk_provider_entry();
	const struct souk_instance_ref refs[] = {
		{ .struct_size = sizeof(refs[0]), .id = "bad/../id", .region = "US" },
		{ .struct_size = sizeof(refs[0]), .id = "7h9k2m4n6p", .region = "US" },
	};
	struct souk_instance_filter filter = { .struct_size = sizeof(filter) };
	struct souk_instance_spec spec = spec_of("1x_L4_SECURE", "US", "US-KS-2");
	struct souk_instance_list *list;
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_uint_eq(found(&filter), 0);
	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_OK);
	test_instances_free(list);
	ck_assert_uint_eq(found(&filter), 1);
	filter = (struct souk_instance_filter){
		.struct_size = sizeof(filter), .owner = "ann@host", .cluster = "train",
		.request_token = "token-1", .region = "US",
	};
	ck_assert_uint_eq(found(&filter), 1);
	filter.region = "RO";
	ck_assert_uint_eq(found(&filter), 0);
	filter = (struct souk_instance_filter){
		.struct_size = sizeof(filter), .owner = "bob",
	};
	ck_assert_uint_eq(found(&filter), 0);

	/* One that is no id does not keep the other. */
	ck_assert_int_eq(ops->teardown(self, test_host_call(), refs, 2, &err), SOUK_E_INVALID);
	ck_assert_ptr_null(world.env);
	ck_assert_int_eq(ops->teardown(self, test_host_call(), refs + 1, 1, &err), SOUK_OK);
	list = test_instances_new();
	ck_assert_int_eq(ops->describe(self, test_host_call(), refs + 1, 1, list, &err), SOUK_OK);
	ck_assert_uint_eq(test_instances_count(list), 0);
	test_instances_free(list);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("runpod-pods");
	TCase *tc = tcase_create("pods");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_pod_is_made);
	tcase_add_loop_test(tc, volumes_are_mounted, 0, RUNPOD_ARRAY_SIZE(volumes));
	tcase_add_test(tc, siblings_stand_together);
	tcase_add_test(tc, the_token_is_known_again);
	tcase_add_test(tc, places_and_kinds);
	tcase_add_loop_test(tc, what_is_refused, 0, (int)RUNPOD_ARRAY_SIZE(refusals));
	tcase_add_loop_test(tc, states_are_told, 0, (int)RUNPOD_ARRAY_SIZE(states));
	tcase_add_loop_test(tc, addresses_are_checked, 0, (int)RUNPOD_ARRAY_SIZE(bad_addresses));
	tcase_add_test(tc, pods_are_found_and_ended);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
