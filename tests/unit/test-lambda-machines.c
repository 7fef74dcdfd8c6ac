/* SPDX-License-Identifier: Apache-2.0 */
/* test-lambda-machines.c - machines of Lambda: launched, found, told of, ended, and their keys */

#include <check.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lambda.h"
#include "machines.h"
#include "rent-fixture.h"

enum { MAX_MACHINES = 8 };

/* An account: machines and keys, as the API tells of them. */
struct world {
	struct json_object *machines, *keys;
	struct json_object *body;   /* of the last launch */
	unsigned launches, made;
	unsigned lost_at;	    /* the answer to this launch is lost; 0: none */
	unsigned refused_at;	    /* this launch is refused ... */
	struct test_answer refusal; /* ... like this */
	const char *status;	    /* of new machines */
	int key_in_use;		    /* keys cannot be removed */
	char answer[65536];
};

static struct world world;
static void *self;

static void reply_with(struct test_answer *answer, struct json_object *data)
{
	snprintf(world.answer, sizeof(world.answer), "{\"data\":%s}",
		 json_object_to_json_string(data));
	answer->body = world.answer;
}

static const char *text_of(struct json_object *object, const char *name)
{
	struct json_object *value;

	return json_object_object_get_ex(object, name, &value) ? json_object_get_string(value) : "";
}

static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	json_object_object_get_ex(object, name, &value);
	return value;
}

static void launch(const struct souk_http_request *request, struct test_answer *answer)
{
	struct json_object *machine, *region;
	char id[32], text[200];
	size_t i;

	json_object_put(world.body);
	world.body = json_tokener_parse(request->body);
	ck_assert_ptr_nonnull(world.body);
	world.launches++;
	if (world.launches == world.refused_at) {
		*answer = world.refusal;
		return;
	}
	/* A launch needs a key that is registered. */
	for (i = 0; i < json_object_array_length(world.keys); i++)
		if (strcmp(text_of(json_object_array_get_idx(world.keys, i), "name"),
			   json_object_get_string(json_object_array_get_idx(
				   member(world.body, "ssh_key_names"), 0))) == 0)
			break;
	ck_assert_uint_lt(i, json_object_array_length(world.keys));
	snprintf(id, sizeof(id), "machine%u", ++world.made);
	machine = json_object_new_object();
	json_object_object_add(machine, "id", json_object_new_string(id));
	json_object_object_add(machine, "status", json_object_new_string(world.status));
	json_object_object_add(machine, "tags", json_object_get(member(world.body, "tags")));
	json_object_object_add(machine, "ssh_key_names",
			       json_object_get(member(world.body, "ssh_key_names")));
	region = json_object_new_object();
	json_object_object_add(region, "name",
			       json_object_get(member(world.body, "region_name")));
	json_object_object_add(machine, "region", region);
	json_object_array_add(world.machines, machine);
	snprintf(text, sizeof(text), "{\"data\":{\"instance_ids\":[\"%s\"]}}", id);
	snprintf(world.answer, sizeof(world.answer), "%s", text);
	answer->body = world.answer;
	if (world.launches == world.lost_at)
		*answer = (struct test_answer){ .failure = SOUK_E_TIMEOUT };
}

static void terminate(const struct souk_http_request *request, struct test_answer *answer)
{
	struct json_object *body = json_tokener_parse(request->body);
	struct json_object *ids = member(body, "instance_ids");
	size_t i, k;

	ck_assert_uint_gt(json_object_array_length(ids), 0);
	for (i = 0; i < json_object_array_length(ids); i++) {
		for (k = 0; k < json_object_array_length(world.machines); k++) {
			struct json_object *machine = json_object_array_get_idx(world.machines, k);

			if (strcmp(text_of(machine, "id"),
				   json_object_get_string(json_object_array_get_idx(ids, i))) == 0)
				json_object_object_add(machine, "status",
						       json_object_new_string("terminating"));
		}
	}
	json_object_put(body);
	answer->body = "{\"data\":{\"terminated_instances\":[]}}";
}

static void add_key(const struct souk_http_request *request, struct test_answer *answer)
{
	struct json_object *key = json_tokener_parse(request->body);

	ck_assert_ptr_nonnull(key);
	json_object_object_add(key, "id", json_object_new_string("key1"));
	json_object_array_add(world.keys, key);
	reply_with(answer, key);
}

static int respond(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	const char *path = strstr(request->url, "/api/v1/");
	const char *method = request->method ? request->method : "GET";

	(void)arg;
	ck_assert_ptr_nonnull(path);
	path += 7;
	*answer = (struct test_answer){ .status = 200 };
	if (strcmp(path, "/instances") == 0) {
		reply_with(answer, world.machines);
	} else if (strcmp(path, "/instance-operations/launch") == 0) {
		launch(request, answer);
	} else if (strcmp(path, "/instance-operations/terminate") == 0) {
		terminate(request, answer);
	} else if (strcmp(path, "/firewall-rulesets") == 0) {
		answer->body = "{\"data\":["
			       "{\"id\":\"f1\",\"name\":\"work\",\"region\":{\"name\":\"us-east-1\"}},"
			       "{\"id\":\"f2\",\"name\":\"work\",\"region\":{\"name\":\"us-west-1\"}},"
			       "{\"id\":\"f3\",\"name\":\"rest\",\"region\":{\"name\":\"us-west-1\"}}]}";
	} else if (strcmp(path, "/ssh-keys") == 0 && strcmp(method, "POST") == 0) {
		add_key(request, answer);
	} else if (strcmp(path, "/ssh-keys") == 0) {
		reply_with(answer, world.keys);
	} else if (strcmp(path, "/ssh-keys/key1") == 0 && strcmp(method, "DELETE") == 0) {
		if (world.key_in_use) {
			answer->status = 409;
			answer->body = "{\"error\":{\"code\":\"ssh-keys/key-in-use\",\"message\":\"m\"}}";
			return 1;
		}
		json_object_array_del_idx(world.keys, 0, 1);
		answer->body = "{\"data\":{}}";
	} else {
		ck_abort_msg("%s %s", method, path);
	}
	return 1;
}

static void set_up(void)
{
	struct souk_error err = SOUK_ERROR_INIT;

	test_host_reset();
	memset(&world, 0, sizeof(world));
	world.machines = json_object_new_array();
	world.keys = json_object_new_array();
	world.status = "booting";
	test_host_option("endpoint", "http://127.0.0.1:9");
	test_host_option("api_key", "secret_0123456789ABCDEF");
	test_host_option("request_ms", "0");
	test_host_option("launch_ms", "0");
	test_host_responder(respond, NULL);
	test_host_deadline(60000);
	ck_assert_msg(souk_provider_entry()->open(test_host_call(), &self, &err) == SOUK_OK, "%s",
		      err.message);
}

static void tear_down(void)
{
	souk_provider_entry()->close(self);
	json_object_put(world.machines);
	json_object_put(world.keys);
	json_object_put(world.body);
}

static struct souk_instance_spec spec_of(uint32_t count)
{
	struct souk_instance_spec spec = rent_spec("gpu_1x_a10", "us-west-1");

	spec.count = count;
	return spec;
}

static int provision(const struct souk_instance_spec *spec, struct souk_instance_list **out,
		     struct souk_error *err)
{
	return rent(self, spec, out, err);
}

START_TEST(a_machine_is_launched)
{
	struct souk_label label = { "team", "vision" };
	struct souk_instance_spec spec = spec_of(1);
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;
	const struct souk_instance *machine;
	struct json_object *tags;

	spec.labels = &label;
	spec.n_labels = 1;
	ck_assert_msg(provision(&spec, &list, &err) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_instances_count(list), 1);
	machine = test_instance(list, 0);
	ck_assert_str_eq(machine->id, "machine1");
	ck_assert_int_eq(machine->status, SOUK_INSTANCE_PENDING);
	ck_assert_str_eq(machine->region, "us-west-1");
	ck_assert_str_eq(machine->request_token, "token-1");
	ck_assert_str_eq(machine->ssh_user, "ubuntu");
	ck_assert_ptr_nonnull(machine->host_key);
	test_instances_free(list);

	ck_assert_str_eq(text_of(world.body, "region_name"), "us-west-1");
	ck_assert_str_eq(text_of(world.body, "instance_type_name"), "gpu_1x_a10");
	ck_assert_str_eq(text_of(world.body, "name"), "souk-train");
	ck_assert_str_eq(text_of(world.body, "image"), "");
	ck_assert_ptr_nonnull(strstr(text_of(world.body, "user_data"), "#cloud-config\n"));
	ck_assert_ptr_nonnull(strstr(text_of(world.body, "user_data"), "ed25519_private: |"));
	tags = member(world.body, "tags");
	ck_assert_uint_eq(json_object_array_length(tags), 5);
	ck_assert_str_eq(text_of(json_object_array_get_idx(tags, 4), "key"), "team");
	ck_assert_str_eq(text_of(json_object_array_get_idx(tags, 3), "value"), "ssh-ed25519 " RENT_BLOB);
	/* The key is registered without its comment, under a name with hashes. */
	ck_assert_uint_eq(json_object_array_length(world.keys), 1);
	ck_assert_str_eq(text_of(json_object_array_get_idx(world.keys, 0), "public_key"),
			 "ssh-ed25519 " RENT_BLOB);
	ck_assert_uint_eq(strlen(text_of(json_object_array_get_idx(world.keys, 0), "name")),
			  strlen("souk-train-01234567-01234567"));
}
END_TEST

START_TEST(the_token_is_known_again)
{
	struct souk_instance_spec spec = spec_of(3);
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;

	/* Of three, the second is made and its answer lost: two are found, and one is made. */
	world.lost_at = 2;
	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_E_TIMEOUT);
	ck_assert_uint_eq(test_instances_count(list), 1);
	test_instances_free(list);
	ck_assert_uint_eq(json_object_array_length(world.keys), 1);
	ck_assert_msg(provision(&spec, &list, &err) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_instances_count(list), 3);
	test_instances_free(list);
	ck_assert_uint_eq(world.made, 3);
	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_OK);
	ck_assert_uint_eq(test_instances_count(list), 3);
	test_instances_free(list);
	ck_assert_uint_eq(world.made, 3);
}
END_TEST

#define FAULT(code) "{\"error\":{\"code\":\"" code "\",\"message\":\"It is so.\"}}"

static const struct {
	struct test_answer answer;
	int code, scope;
	size_t keys; /* that are left */
} refusals[] = {
	{ { 400, 0, NULL, FAULT("instance-operations/launch/insufficient-capacity") },
	  SOUK_E_CAPACITY, SOUK_SCOPE_OFFER, 0 },
	{ { 400, 0, NULL, FAULT("global/quota-exceeded") }, SOUK_E_QUOTA, SOUK_SCOPE_PROVIDER, 0 },
	{ { 403, 0, NULL, FAULT("global/account-inactive") }, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER, 0 },
	/* Whether these have made one is not known, and they are not sent again. */
	{ { 500, 0, NULL, FAULT("global/internal-error") }, SOUK_E_TIMEOUT, SOUK_SCOPE_PROVIDER, 1 },
	{ { 200, 0, NULL, "{\"this is\": [not" }, SOUK_E_TIMEOUT, SOUK_SCOPE_PROVIDER, 1 },
	{ { 200, 0, NULL, "{\"data\":{\"instance_ids\":[]}}" }, SOUK_E_TIMEOUT, SOUK_SCOPE_OFFER, 1 },
	{ { 200, 0, NULL, "{\"data\":{\"instance_ids\":[7]}}" }, SOUK_E_TIMEOUT, SOUK_SCOPE_OFFER, 1 },
};

START_TEST(launches_that_fail)
{
	struct souk_instance_spec spec = spec_of(1);
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;
	int ret;

	world.refused_at = 1;
	world.refusal = refusals[_i].answer;
	ret = provision(&spec, &list, &err);
	ck_assert_msg(ret == refusals[_i].code && err.code == ret, "%d: %s", ret, err.message);
	ck_assert_msg(err.scope == refusals[_i].scope, "scope %d: %s", err.scope, err.message);
	ck_assert_uint_eq(world.launches, 1);
	ck_assert_uint_eq(test_instances_count(list), 0);
	ck_assert_uint_eq(json_object_array_length(world.keys), refusals[_i].keys);
	test_instances_free(list);
}
END_TEST

START_TEST(too_quick_is_sent_again)
{
	struct souk_instance_spec spec = spec_of(1);
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;

	world.refused_at = 1;
	world.refusal = (struct test_answer){ 429, 0, "Retry-After: 1\r\n", "" };
	ck_assert_msg(provision(&spec, &list, &err) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(world.launches, 2);
	ck_assert_uint_eq(world.made, 1);
	test_instances_free(list);
}
END_TEST

START_TEST(some_of_several)
{
	struct souk_instance_spec spec = spec_of(3);
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;

	world.refused_at = 3;
	world.refusal = refusals[0].answer;
	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_E_CAPACITY);
	/* The core gives back those that were made; their key goes with them. */
	ck_assert_uint_eq(test_instances_count(list), 2);
	ck_assert_uint_eq(json_object_array_length(world.keys), 1);
	test_instances_free(list);
}
END_TEST

START_TEST(a_ruleset_is_attached)
{
	struct souk_instance_spec spec = spec_of(1);
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;

	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_OK);
	test_instances_free(list);
	ck_assert_ptr_null(member(world.body, "firewall_rulesets"));
	ck_assert_uint_eq(test_host_requests("ListFirewallRulesets"), 0);
	/* that of the launch's own region */
	test_host_option("firewall", "work");
	spec.request_token = "token-2";
	ck_assert_msg(provision(&spec, &list, &err) == SOUK_OK, "%s", err.message);
	test_instances_free(list);
	ck_assert_str_eq(rent_at(world.body, "firewall_rulesets.id"), "f2");
	/* where there is none, nothing is launched behind other rules */
	spec.request_token = "token-3";
	spec.region = "us-south-1";
	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_E_NOT_FOUND);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_REGION);
	ck_assert_ptr_nonnull(strstr(err.message, "no firewall ruleset 'work' in 'us-south-1'"));
	ck_assert_uint_eq(world.launches, 2);
	test_instances_free(list);
}
END_TEST

static const struct {
	uint32_t spot, n_ports, n_labels;
	uint64_t disk_mib;
	struct souk_label label;
	const char *key;
	int code;
	const char *message;
} bad_specs[] = {
	{ 1, 0, 0, 0, { 0 }, NULL, SOUK_E_UNSUPPORTED, "no spot" },
	{ 0, 1, 0, 0, { 0 }, NULL, SOUK_E_UNSUPPORTED, "no ports" },
	{ 0, 0, 0, 1, { 0 }, NULL, SOUK_E_UNSUPPORTED, "disk" },
	{ 0, 0, 1, 0, { "Team", "x" }, NULL, SOUK_E_INVALID, "'Team'" },
	{ 0, 0, 1, 0, { "1team", "x" }, NULL, SOUK_E_INVALID, "'1team'" },
	{ 0, 0, 0, 0, { 0 }, "not a key", SOUK_E_INVALID, "login key" },
};

START_TEST(what_it_cannot_do)
{
	struct souk_port_range port = { 80, 80 };
	struct souk_instance_spec spec = spec_of(1);
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_instance_list *list;
	int ret;

	spec.spot = bad_specs[_i].spot;
	spec.ports = &port;
	spec.n_ports = bad_specs[_i].n_ports;
	spec.labels = &bad_specs[_i].label;
	spec.n_labels = bad_specs[_i].n_labels;
	spec.disk_size_mib = bad_specs[_i].disk_mib;
	if (bad_specs[_i].key)
		spec.ssh_public_key = bad_specs[_i].key;
	ret = provision(&spec, &list, &err);
	ck_assert_msg(ret == bad_specs[_i].code, "%d: %s", ret, err.message);
	ck_assert_msg(strstr(err.message, bad_specs[_i].message) != NULL, "%s", err.message);
	ck_assert_uint_eq(world.launches, 0);
	ck_assert_uint_eq(json_object_array_length(world.keys), 0);
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

START_TEST(machines_are_found_and_ended)
{
	const struct souk_provider_ops *ops = souk_provider_entry();
	const struct souk_instance_ref refs[] = {
		{ .struct_size = sizeof(refs[0]), .id = "machine1", .region = "us-west-1" },
		{ .struct_size = sizeof(refs[0]), .id = "machine9", .region = "us-west-1" },
	};
	struct souk_instance_filter filter = { .struct_size = sizeof(filter) };
	struct souk_instance_spec spec = spec_of(1);
	struct souk_instance_list *list;
	struct souk_error err = SOUK_ERROR_INIT;

	json_object_array_add(world.machines,
			      json_tokener_parse("{\"id\":\"other\",\"status\":\"active\","
						 "\"region\":{\"name\":\"us-west-1\"}}"));
	ck_assert_uint_eq(found(&filter), 0);
	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_OK);
	test_instances_free(list);
	ck_assert_uint_eq(found(&filter), 1);
	filter = (struct souk_instance_filter){
		.struct_size = sizeof(filter), .owner = "ann@host", .cluster = "train",
		.request_token = "token-1", .region = "us-west-1",
	};
	ck_assert_uint_eq(found(&filter), 1);
	filter.owner = "bob";
	ck_assert_uint_eq(found(&filter), 0);

	world.key_in_use = 1;
	ck_assert_msg(ops->teardown(self, test_host_call(), refs, 2, &err) == SOUK_OK, "%s",
		      err.message);
	list = test_instances_new();
	ck_assert_int_eq(ops->describe(self, test_host_call(), refs, 2, list, &err), SOUK_OK);
	ck_assert_uint_eq(test_instances_count(list), 1);
	ck_assert_int_eq(test_instance(list, 0)->status, SOUK_INSTANCE_TERMINATING);
	test_instances_free(list);
	/* The second time it is not ended once more, and its key can go. */
	ck_assert_uint_eq(json_object_array_length(world.keys), 1);
	world.key_in_use = 0;
	ck_assert_int_eq(ops->teardown(self, test_host_call(), refs, 2, &err), SOUK_OK);
	ck_assert_uint_eq(test_host_requests("TerminateInstances"), 1);
	ck_assert_uint_eq(json_object_array_length(world.keys), 0);
	ck_assert_int_eq(ops->teardown(self, test_host_call(), refs + 1, 1, &err), SOUK_OK);
	ck_assert_uint_eq(test_host_requests("TerminateInstances"), 1);
}
END_TEST

START_TEST(keys_in_use_stay)
{
	const struct souk_provider_ops *ops = souk_provider_entry();
	const struct souk_instance_ref ref = { .struct_size = sizeof(ref), .id = "machine1",
					       .region = "us-west-1" };
	struct souk_instance_filter filter = { .struct_size = sizeof(filter), .cluster = "train",
					       .owner = "ann@host" };
	struct souk_instance_spec spec = spec_of(2);
	struct souk_instance_list *list;
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_int_eq(provision(&spec, &list, &err), SOUK_OK);
	test_instances_free(list);
	ck_assert_int_eq(ops->teardown(self, test_host_call(), &ref, 1, &err), SOUK_OK);
	ck_assert_uint_eq(json_object_array_length(world.keys), 1);
	ck_assert_int_eq(ops->sweep(self, test_host_call(), &filter, &err), SOUK_OK);
	ck_assert_uint_eq(json_object_array_length(world.keys), 1);
	/* Not another's, and not another cluster's whose name begins alike. */
	json_object_array_del_idx(world.machines, 0, 2);
	filter.owner = "bob";
	ck_assert_int_eq(ops->sweep(self, test_host_call(), &filter, &err), SOUK_OK);
	filter = (struct souk_instance_filter){ .struct_size = sizeof(filter), .cluster = "tra",
						.owner = "ann@host" };
	ck_assert_int_eq(ops->sweep(self, test_host_call(), &filter, &err), SOUK_OK);
	ck_assert_uint_eq(json_object_array_length(world.keys), 1);
	filter.cluster = "train";
	ck_assert_int_eq(ops->sweep(self, test_host_call(), &filter, &err), SOUK_OK);
	ck_assert_uint_eq(json_object_array_length(world.keys), 0);
}
END_TEST

static const struct {
	const char *json;
	int status;	  /* -1: refused */
	const char *what; /* the address, or what the error says */
} machines[] = {
	{ "{\"id\":\"m\",\"status\":\"active\",\"region\":{\"name\":\"r\"},\"ip\":\"198.51.100.2\","
	  "\"private_ip\":\"10.0.2.100\"}",
	  SOUK_INSTANCE_RUNNING, "198.51.100.2" },
	{ "{\"id\":\"m\",\"status\":\"booting\",\"region\":{\"name\":\"r\"},\"ip\":null}",
	  SOUK_INSTANCE_PENDING, NULL },
	{ "{\"id\":\"m\",\"status\":\"unhealthy\",\"region\":{\"name\":\"r\"}}",
	  SOUK_INSTANCE_RUNNING, NULL },
	{ "{\"id\":\"m\",\"status\":\"terminated\",\"region\":{\"name\":\"r\"}}",
	  SOUK_INSTANCE_TERMINATED, NULL },
	{ "{\"id\":\"m\",\"status\":\"preempted\",\"region\":{\"name\":\"r\"}}",
	  SOUK_INSTANCE_TERMINATED, NULL },
	{ "{\"id\":\"m\",\"status\":\"dreaming\",\"region\":{\"name\":\"r\"}}",
	  SOUK_INSTANCE_PENDING, NULL },
	{ "{\"id\":\"m\",\"status\":\"active\",\"region\":{\"name\":\"r\"},\"ip\":\"-oX\"}", -1,
	  "'data[].ip' is '-oX'" },
	{ "{\"id\":7}", -1, "'data[].id' is not a text" },
	{ "{\"id\":\"m\",\"status\":\"active\",\"region\":\"r\"}", -1, "'data[].region' is not an object" },
	{ "7", -1, "'data[]' is not an object" },
};

START_TEST(machines_are_read)
{
	const struct souk_instance_ref ref = { .struct_size = sizeof(ref), .id = "m", .region = "r" };
	struct souk_instance_list *list = test_instances_new();
	struct souk_error err = SOUK_ERROR_INIT;
	const struct souk_instance *machine;
	int ret;

	json_object_array_add(world.machines, json_tokener_parse(machines[_i].json));
	ret = souk_provider_entry()->describe(self, test_host_call(), &ref, 1, list, &err);
	if (machines[_i].status < 0) {
		ck_assert_int_eq(ret, SOUK_E_INTERNAL);
		ck_assert_msg(strstr(err.message, machines[_i].what) != NULL, "%s", err.message);
	} else {
		ck_assert_msg(ret == SOUK_OK, "%s", err.message);
		machine = test_instance(list, 0);
		ck_assert_int_eq(machine->status, machines[_i].status);
		if (machines[_i].what)
			ck_assert_str_eq(machine->public_address, machines[_i].what);
		else
			ck_assert_ptr_null(machine->public_address);
	}
	test_instances_free(list);
}
END_TEST

START_TEST(names_of_keys)
{
	char a[LAMBDA_KEY_NAME_SIZE], b[LAMBDA_KEY_NAME_SIZE];

	lambda_key_name(a, "0123456789012345678901234567890123456789", "ann", "ssh-ed25519 A x");
	ck_assert_uint_eq(strlen(a), 63);
	lambda_key_name(b, "0123456789012345678901234567890123456789", "ann", "ssh-ed25519 A\n");
	ck_assert_str_eq(a, b);
	lambda_key_name(b, "0123456789012345678901234567890123456789", "ann", "ssh-ed25519 B\n");
	ck_assert_str_ne(a, b);
	lambda_key_name(b, "0123456789012345678901234567890123456789", "bob", "ssh-ed25519 A\n");
	ck_assert_str_ne(a, b);
	lambda_key_name(b, "0123456789012345678901234567890123456789", "ann", NULL);
	ck_assert(strncmp(a, b, strlen(b)) == 0 && strlen(b) == 55);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lambda-machines");
	TCase *tc = tcase_create("machines");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_machine_is_launched);
	tcase_add_test(tc, the_token_is_known_again);
	tcase_add_loop_test(tc, launches_that_fail, 0, (int)LAMBDA_ARRAY_SIZE(refusals));
	tcase_add_test(tc, too_quick_is_sent_again);
	tcase_add_test(tc, some_of_several);
	tcase_add_test(tc, a_ruleset_is_attached);
	tcase_add_loop_test(tc, what_it_cannot_do, 0, (int)LAMBDA_ARRAY_SIZE(bad_specs));
	tcase_add_test(tc, machines_are_found_and_ended);
	tcase_add_test(tc, keys_in_use_stay);
	tcase_add_loop_test(tc, machines_are_read, 0, (int)LAMBDA_ARRAY_SIZE(machines));
	tcase_add_test(tc, names_of_keys);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
