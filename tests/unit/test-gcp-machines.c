/* SPDX-License-Identifier: Apache-2.0 */
/* test-gcp-machines.c - names, bodies and answers about machines, and what provision does with them */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machines.h"
#include "market.h"
#include "test-host.h"

const struct souk_provider_ops *souk_provider_entry(void);

static struct souk_error err;
static struct gcp_client client;
static void *self;

/* ---- A cloud that answers from a script ---- */

static struct {
	const char *operation;	  /* the state of every operation; NULL: done and well */
	const char *insert_error; /* the answer to insert; NULL: an operation */
	int insert_status;
	const char *listed;	  /* instances.aggregatedList */
	const char *instance;	  /* instances.get; NULL: 404 */
	unsigned inserts, deletes, rules_made, rules_deleted;
	unsigned fail_insert;	  /* the insert of that number fails, if not 0 */
} cloud;

#define DONE "{\"name\":\"operation-1\",\"status\":\"DONE\"}"
#define SOLD_OUT                                                                                   \
	"{\"name\":\"operation-1\",\"status\":\"DONE\",\"httpErrorStatusCode\":503,\"error\":{"    \
	"\"errors\":[{\"code\":\"ZONE_RESOURCE_POOL_EXHAUSTED\",\"message\":\"no room\"}]}}"
#define RUNNING "{\"name\":\"operation-1\",\"status\":\"RUNNING\"}"
#define MACHINE                                                                                    \
	"{\"name\":\"souk-tok-0\",\"zone\":\"https://x/zones/us-east1-b\",\"status\":\"RUNNING\"," \
	"\"machineType\":\"https://x/machineTypes/n2-standard-4\",\"creationTimestamp\":"          \
	"\"2026-11-22T08:00:00.000-08:00\",\"labels\":{\"souk-cluster\":\"c\",\"souk-owner\":"     \
	"\"me-there-12345678\",\"souk-token\":\"tok\"},\"tags\":{\"items\":[\"other\","             \
	"\"souk-c-0a1b2c3d\"]},\"metadata\":{\"items\":[{\"key\":\"souk-owner\",\"value\":"         \
	"\"Me@There\"},{\"key\":\"souk-token\",\"value\":\"tok\"},{\"key\":\"souk-user\","          \
	"\"value\":\"ubuntu\"},{\"key\":\"souk-host-key\",\"value\":\"ssh-ed25519 AAAA\"}]},"       \
	"\"networkInterfaces\":[{\"networkIP\":\"10.0.0.9\",\"accessConfigs\":[{\"natIP\":"         \
	"\"203.0.113.7\"}]}],\"scheduling\":{\"provisioningModel\":\"SPOT\"}}"

static int answer(const struct souk_http_request *request, struct test_answer *out, void *arg)
{
	(void)arg;
	*out = (struct test_answer){ .status = 200, .body = "{}" };
	if (strcmp(request->what, "instances.insert") == 0) {
		cloud.inserts++;
		out->body = cloud.insert_error ? cloud.insert_error : RUNNING;
		if (cloud.insert_status)
			out->status = cloud.insert_status;
		if (cloud.fail_insert && cloud.inserts == cloud.fail_insert)
			out->body = SOLD_OUT;
	} else if (strstr(request->what, "Operations.wait")) {
		out->body = cloud.operation ? cloud.operation : DONE;
	} else if (strcmp(request->what, "instances.aggregatedList") == 0) {
		if (cloud.listed)
			out->body = cloud.listed;
	} else if (strcmp(request->what, "instances.get") == 0) {
		out->status = cloud.instance ? 200 : 404;
		if (cloud.instance)
			out->body = cloud.instance;
	} else if (strcmp(request->what, "instances.delete") == 0) {
		cloud.deletes++;
		out->body = DONE;
	} else if (strcmp(request->what, "images.get") == 0) {
		out->body = "{\"selfLink\":\"https://x/compute/v1/projects/ubuntu-os-cloud/global/images/"
			    "ubuntu-2404-v1\",\"diskSizeGb\":\"10\"}";
	} else if (strncmp(request->what, "firewalls.", 10) == 0) {
		cloud.rules_made += strcmp(request->method, "POST") == 0;
		cloud.rules_deleted += strcmp(request->method, "DELETE") == 0;
		out->body = DONE;
	} else if (strcmp(request->what, "machineTypes.aggregatedList") == 0) {
		out->body = "{\"items\":{\"zones/us-east1-c\":{\"machineTypes\":[{\"name\":\"n2\"}]},"
			    "\"zones/us-east1-b\":{\"machineTypes\":[{\"name\":\"n2\"}]},"
			    "\"zones/us-east1-d\":{\"warning\":{}},"
			    "\"zones/us-east10-b\":{\"machineTypes\":[{\"name\":\"n2\"}]}}}";
	}
	return 1;
}

static struct souk_instance_spec spec;

static void set_up(void)
{
	static const struct souk_instance_spec plain = {
		.struct_size = sizeof(plain), .count = 1, .request_token = "tok", .cluster = "c",
		.owner = "Me@There", .instance_type = "n2-standard-4", .region = "us-east1",
		.zone = "us-east1-b", .arch = "x86_64",
		.ssh_public_key = "ssh-ed25519 "
			"AAAAC3NzaC1lZDI1NTE5AAAAIJTyZdXMTd0MCs7aPqq8z1fwYyVhCvTzPGr3lHjDn1Gd",
	};

	test_host_reset();
	setenv("NO_GCE_CHECK", "true", 1);
	test_host_option("access_token", "ya29.x");
	test_host_option("project", "p-1");
	test_host_option("ssh_from", "203.0.113.9");
	test_host_responder(answer, NULL);
	memset(&cloud, 0, sizeof(cloud));
	spec = plain;
	err = (struct souk_error)SOUK_ERROR_INIT;
	ck_assert_int_eq(souk_provider_entry()->open(test_host_call(), &self, &err), SOUK_OK);
	client = (struct gcp_client){ self, test_host_call() };
}

static void tear_down(void)
{
	souk_provider_entry()->close(self);
}

/* ---- Names ---- */

START_TEST(names)
{
	char name[GCP_NAME_SIZE];
	char tag[GCP_TAG_SIZE], other[GCP_TAG_SIZE];
	char id[37], again[37];

	gcp_machine_name("0123456789012345678901234567890123456789", 63, name);
	ck_assert_str_eq(name, "souk-0123456789012345678901234567890123456789-63");
	ck_assert(gcp_is_name(name));
	ck_assert_int_eq(gcp_cluster_tag("me", "c1", tag, &err), SOUK_OK);
	ck_assert_int_eq(gcp_cluster_tag("you", "c1", other, &err), SOUK_OK);
	ck_assert_int_eq(strncmp(tag, "souk-c1-", 8), 0);
	ck_assert_uint_eq(strlen(tag), 16);
	ck_assert_str_ne(tag, other);
	ck_assert(gcp_is_name(tag));
	/* "a" and "bc" are not "ab" and "c". */
	gcp_cluster_tag("a", "c", tag, &err);
	gcp_cluster_tag("", "c", other, &err);
	ck_assert_str_ne(tag, other);
	ck_assert_int_eq(gcp_request_id("t", "z", 0, id, &err), SOUK_OK);
	ck_assert_uint_eq(strlen(id), 36);
	ck_assert(id[8] == '-' && id[13] == '-' && id[14] == '8' && strchr("89ab", id[19]));
	gcp_request_id("t", "z", 0, again, &err);
	ck_assert_str_eq(id, again);
	gcp_request_id("t", "z", 1, again, &err);
	ck_assert_str_ne(id, again);
}
END_TEST

START_TEST(labels)
{
	char value[GCP_TAG_SIZE], other[GCP_TAG_SIZE];
	char text[200];

	ck_assert_int_eq(gcp_label_value("plain_text-1", value, &err), SOUK_OK);
	ck_assert_str_eq(value, "plain_text-1");
	gcp_label_value("Me@There", value, &err);
	ck_assert_int_eq(strncmp(value, "me-there-", 9), 0);
	ck_assert_uint_eq(strlen(value), 17);
	gcp_label_value("me@there", other, &err);
	ck_assert_str_ne(value, other);
	memset(text, 'A', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	gcp_label_value(text, value, &err);
	ck_assert(gcp_is_label_value(value));
	ck_assert_uint_eq(strlen(value), 59);
	ck_assert(gcp_is_label_key("team") && !gcp_is_label_key("1a") && !gcp_is_label_key("") &&
		  !gcp_is_label_key("Team") && gcp_is_label_value("") && !gcp_is_label_value("a b"));
}
END_TEST

static const struct {
	const char *text;
	const char *cidr; /* NULL: refused */
} networks[] = {
	{ "203.0.113.9", "203.0.113.9/32" },  { "203.0.113.9/24", "203.0.113.0/24" },
	{ "0.0.0.0/0", "0.0.0.0/0" },	      { "2001:db8::1/48", "2001:db8::/48" },
	{ "::1", "::1/128" },		      { "203.0.113.9/33", NULL },
	{ "203.0.113/24", NULL },	      { "x", NULL },
	{ "", NULL },			      { "1.2.3.4/x", NULL },
	{ "1.2.3.4/", NULL },
};

START_TEST(networks_are_read)
{
	char cidr[SOUK_NETWORK_SIZE];
	int ret = souk_parse_network(networks[_i].text, cidr, &err);

	ck_assert_int_eq(ret == SOUK_OK, networks[_i].cidr != NULL);
	if (ret == SOUK_OK)
		ck_assert_str_eq(cidr, networks[_i].cidr);
}
END_TEST

/* ---- Answers ---- */

START_TEST(machines_are_read)
{
	struct souk_instance_list *list = test_instances_new();
	struct json_object *object = souk_json_parse(MACHINE, strlen(MACHINE));
	const struct souk_instance *found;

	ck_assert_int_eq(gcp_instance_add(object, list, &err), SOUK_OK);
	found = test_instance(list, 0);
	ck_assert_str_eq(found->id, "souk-tok-0");
	ck_assert_str_eq(found->region, "us-east1");
	ck_assert_str_eq(found->zone, "us-east1-b");
	ck_assert_str_eq(found->instance_type, "n2-standard-4");
	ck_assert_str_eq(found->cluster, "c");
	ck_assert_str_eq(found->owner, "Me@There");
	ck_assert_str_eq(found->public_address, "203.0.113.7");
	ck_assert_str_eq(found->private_address, "10.0.0.9");
	ck_assert_str_eq(found->ssh_user, "ubuntu");
	ck_assert_str_eq(found->host_key, "ssh-ed25519 AAAA");
	ck_assert_uint_eq(found->spot, 1);
	ck_assert_int_eq(found->status, SOUK_INSTANCE_RUNNING);
	ck_assert_int_eq(found->created_at, 1795363200);
	ck_assert_str_eq(gcp_instance_tag(object), "souk-c-0a1b2c3d");
	json_object_put(object);
	test_instances_free(list);
}
END_TEST

static const char *const bad_machines[] = {
	"{}", "{\"name\":\"a\",\"status\":\"RUNNING\"}",
	"{\"name\":\"a\",\"zone\":\"z\",\"status\":\"RUNNING\"}",
	"{\"name\":\"a\",\"zone\":\"us-east1-b\"}",
	"{\"name\":7,\"zone\":\"us-east1-b\",\"status\":\"RUNNING\"}",
};

START_TEST(bad_machines_are_refused)
{
	struct souk_instance_list *list = test_instances_new();
	struct json_object *object = souk_json_parse(bad_machines[_i], strlen(bad_machines[_i]));

	ck_assert_int_eq(gcp_instance_add(object, list, &err), SOUK_E_INTERNAL);
	ck_assert_uint_eq(test_instances_count(list), 0);
	json_object_put(object);
	test_instances_free(list);
}
END_TEST

static const struct {
	const char *word;
	int status;
} states[] = {
	{ "PROVISIONING", SOUK_INSTANCE_PENDING }, { "STAGING", SOUK_INSTANCE_PENDING },
	{ "RUNNING", SOUK_INSTANCE_RUNNING },	   { "STOPPING", SOUK_INSTANCE_STOPPING },
	{ "PENDING_STOP", SOUK_INSTANCE_STOPPING }, { "TERMINATED", SOUK_INSTANCE_STOPPED },
	{ "SUSPENDED", SOUK_INSTANCE_STOPPED },	   { "DEPROVISIONING", SOUK_INSTANCE_TERMINATING },
	{ "SOMETHING_NEW", SOUK_INSTANCE_PENDING },
};

START_TEST(states_mean)
{
	ck_assert_int_eq(gcp_instance_status(states[_i].word), states[_i].status);
}
END_TEST

/* ---- Bodies ---- */

static const char *text_at(struct json_object *object, const char *const *path)
{
	for (; *path; path++) {
		if (json_object_is_type(object, json_type_array))
			object = json_object_array_get_idx(object, 0);
		ck_assert_msg(json_object_object_get_ex(object, *path, &object), "no '%s'", *path);
	}
	return json_object_get_string(object);
}

#define AT(object, ...) text_at(object, (const char *const[]){ __VA_ARGS__, NULL })

START_TEST(bodies)
{
	const struct souk_label team = { "team", "market" };
	struct gcp_order order = {
		.client = &client, .spec = &spec, .tag = "souk-c-1", .user_data = "#cloud-config\n",
		.gpu = "nvidia-tesla-t4", .disk_kind = "pd-ssd",
		.image = { .link = "projects/x/global/images/y", .user = "ubuntu", .disk_gib = 50 },
	};
	struct json_object *body;
	char *text = NULL;

	spec.labels = &team;
	spec.n_labels = 1;
	spec.accelerator = "T4";
	spec.accelerator_milli = 2000;
	spec.spot = 1;
	spec.disk_size_mib = 20 * 1024;
	spec.max_run_seconds = 3600;
	test_host_option("service_account", "robot@example.com");
	test_host_option("subnetwork", "sub-1");
	ck_assert_int_eq(gcp_order_body(&order, "us-east1-b", "souk-tok-0", &text, &err), SOUK_OK);
	body = souk_json_parse(text, strlen(text));
	ck_assert_ptr_nonnull(body);
	ck_assert_str_eq(AT(body, "machineType"), "zones/us-east1-b/machineTypes/n2-standard-4");
	/* Never smaller than the image. */
	ck_assert_str_eq(AT(body, "disks", "initializeParams", "diskSizeGb"), "50");
	ck_assert_str_eq(AT(body, "disks", "initializeParams", "diskType"),
			 "zones/us-east1-b/diskTypes/pd-ssd");
	ck_assert_str_eq(AT(body, "disks", "autoDelete"), "true");
	ck_assert_str_eq(AT(body, "labels", "team"), "market");
	ck_assert_str_eq(AT(body, "labels", "souk-token"), "tok");
	ck_assert_str_eq(AT(body, "guestAccelerators", "acceleratorCount"), "2");
	ck_assert_str_eq(AT(body, "scheduling", "provisioningModel"), "SPOT");
	ck_assert_str_eq(AT(body, "scheduling", "instanceTerminationAction"), "DELETE");
	ck_assert_str_eq(AT(body, "scheduling", "maxRunDuration", "seconds"), "3600");
	ck_assert_str_eq(AT(body, "scheduling", "onHostMaintenance"), "TERMINATE");
	ck_assert_str_eq(AT(body, "serviceAccounts", "email"), "robot@example.com");
	ck_assert_str_eq(AT(body, "networkInterfaces", "subnetwork"),
			 "regions/us-east1/subnetworks/sub-1");
	ck_assert_str_eq(AT(body, "networkInterfaces", "accessConfigs", "type"), "ONE_TO_ONE_NAT");
	ck_assert_ptr_nonnull(strstr(text, "\"ubuntu:ssh-ed25519 AAAA"));
	ck_assert_ptr_nonnull(strstr(text, "{\"key\":\"souk-owner\",\"value\":\"Me@There\"}"));
	ck_assert_ptr_nonnull(strstr(text, "{\"key\":\"enable-oslogin\",\"value\":\"FALSE\"}"));
	json_object_put(body);
	souk_text_free(text);

	test_host_option("subnetwork", "projects/p/regions/r/subnetworks/s");
	test_host_option("use_internal_ips", "true");
	spec.spot = 0;
	spec.accelerator_milli = 0;
	spec.max_run_seconds = 0;
	order.gpu = NULL;
	ck_assert_int_eq(gcp_order_body(&order, "us-east1-b", "souk-tok-0", &text, &err), SOUK_OK);
	body = souk_json_parse(text, strlen(text));
	ck_assert_str_eq(AT(body, "networkInterfaces", "subnetwork"),
			 "projects/p/regions/r/subnetworks/s");
	ck_assert_ptr_null(strstr(text, "accessConfigs"));
	ck_assert_ptr_null(strstr(text, "guestAccelerators"));
	ck_assert_ptr_null(strstr(text, "instanceTerminationAction"));
	ck_assert_str_eq(AT(body, "scheduling", "onHostMaintenance"), "MIGRATE");
	json_object_put(body);
	souk_text_free(text);
}
END_TEST

/* ---- Provision ---- */

static int provision(struct souk_instance_list *out)
{
	return souk_provider_entry()->provision(self, test_host_call(), &spec, out, &err);
}

START_TEST(one_machine)
{
	struct souk_instance_list *out = test_instances_new();

	cloud.instance = MACHINE;
	ck_assert_msg(provision(out) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_instances_count(out), 1);
	ck_assert_uint_eq(cloud.inserts, 1);
	ck_assert_uint_eq(cloud.rules_made, 1);
	ck_assert_uint_eq(cloud.deletes + cloud.rules_deleted, 0);
	test_instances_free(out);
}
END_TEST

START_TEST(what_is_there_is_not_made_again)
{
	struct souk_instance_list *out = test_instances_new();

	cloud.listed = "{\"items\":{\"zones/us-east1-b\":{\"instances\":[" MACHINE "]}}}";
	ck_assert_int_eq(provision(out), SOUK_OK);
	ck_assert_uint_eq(test_instances_count(out), 1);
	ck_assert_uint_eq(cloud.inserts + cloud.rules_made, 0);
	test_instances_free(out);
}
END_TEST

START_TEST(sold_out_leaves_nothing)
{
	struct souk_instance_list *out = test_instances_new();

	cloud.operation = SOLD_OUT;
	ck_assert_int_eq(provision(out), SOUK_E_CAPACITY);
	ck_assert_str_eq(err.message, "cannot start n2-standard-4 in 'us-east1-b': no room");
	ck_assert_str_eq(err.reason, "ZONE_RESOURCE_POOL_EXHAUSTED");
	ck_assert_int_eq(err.scope, SOUK_SCOPE_OFFER);
	ck_assert_uint_eq(test_instances_count(out), 0);
	ck_assert_uint_eq(cloud.deletes, 1);
	ck_assert_uint_eq(cloud.rules_deleted, 3);
	test_instances_free(out);
}
END_TEST

START_TEST(all_or_none)
{
	struct souk_instance_list *out = test_instances_new();

	spec.count = 3;
	cloud.fail_insert = 2;
	ck_assert_int_eq(provision(out), SOUK_E_CAPACITY);
	ck_assert_uint_eq(cloud.inserts, 3);
	ck_assert_uint_eq(cloud.deletes, 3);
	ck_assert_uint_eq(test_instances_count(out), 0);
	test_instances_free(out);
}
END_TEST

START_TEST(zones_of_a_region_in_turn)
{
	struct souk_instance_list *out = test_instances_new();

	spec.zone = NULL;
	cloud.fail_insert = 1;
	cloud.instance = MACHINE;
	ck_assert_msg(provision(out) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(cloud.inserts, 2);
	ck_assert_uint_eq(test_instances_count(out), 1);
	ck_assert_ptr_nonnull(strstr(test_host_last_body("instances.insert"),
				     "zones/us-east1-c/machineTypes"));
	test_instances_free(out);
}
END_TEST

START_TEST(a_name_that_is_taken)
{
	struct souk_instance_list *out = test_instances_new();

	cloud.insert_status = 409;
	cloud.insert_error = "{\"error\":{\"code\":409,\"message\":\"exists\",\"errors\":[{\"reason\":"
			     "\"alreadyExists\"}]}}";
	cloud.instance = MACHINE;
	ck_assert_msg(provision(out) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_instances_count(out), 1);
	cloud.instance = "{\"name\":\"souk-tok-0\",\"zone\":\"us-east1-b\",\"status\":\"RUNNING\"}";
	ck_assert_int_eq(provision(out), SOUK_E_CONFLICT);
	test_instances_free(out);
}
END_TEST

static const struct {
	const char *what;
	int ret;
} wrong[] = {
	{ "label", SOUK_E_INVALID },   { "token", SOUK_E_INVALID }, { "count", SOUK_E_INVALID },
	{ "region", SOUK_E_INVALID },  { "key", SOUK_E_INVALID },   { "gpu", SOUK_E_UNSUPPORTED },
	{ "network", SOUK_E_INVALID }, { "image", SOUK_E_INVALID },
};

START_TEST(wrong_orders_are_refused)
{
	const struct souk_label bad = { "Team", "x" };
	struct souk_instance_list *out = test_instances_new();

	switch (_i) {
	case 0:
		spec.labels = &bad;
		spec.n_labels = 1;
		break;
	case 1:
		spec.request_token = "TOKEN";
		break;
	case 2:
		spec.count = 65;
		break;
	case 3:
		spec.region = "../us";
		break;
	case 4:
		spec.ssh_public_key = "a\nb";
		break;
	case 5:
		spec.instance_type = "n1-standard-4";
		spec.accelerator = "H100";
		spec.accelerator_milli = 1000;
		break;
	case 6:
		test_host_option("ssh_from", "everywhere");
		break;
	default:
		spec.image = "../../x?y";
	}
	ck_assert_msg(provision(out) == wrong[_i].ret, "%s: %s", wrong[_i].what, err.message);
	ck_assert_uint_eq(cloud.inserts, 0);
	ck_assert_uint_eq(test_instances_count(out), 0);
	test_instances_free(out);
}
END_TEST

START_TEST(teardown_of_what_is_gone)
{
	struct souk_instance_ref refs[2] = {
		{ .struct_size = sizeof(refs[0]), .id = "souk-tok-0", .region = "us-east1",
		  .zone = "us-east1-b", .cluster = "c" },
		{ .struct_size = sizeof(refs[0]), .id = "Not A Name", .region = "us-east1",
		  .zone = "us-east1-b", .cluster = "c" },
	};

	ck_assert_int_eq(souk_provider_entry()->teardown(self, test_host_call(), refs, 2, &err),
			 SOUK_OK);
	ck_assert_uint_eq(cloud.deletes + cloud.rules_deleted, 0);
	/* The last machine takes the rules along. */
	cloud.instance = MACHINE;
	ck_assert_int_eq(souk_provider_entry()->teardown(self, test_host_call(), refs, 1, &err),
			 SOUK_OK);
	ck_assert_uint_eq(cloud.deletes, 1);
	ck_assert_uint_eq(cloud.rules_deleted, 3);
	/* While there is another one, they stay. */
	cloud.listed = "{\"items\":{\"zones/us-east1-b\":{\"instances\":[{\"name\":\"souk-x-1\","
		       "\"zone\":\"us-east1-b\",\"status\":\"RUNNING\"}]}}}";
	ck_assert_int_eq(souk_provider_entry()->teardown(self, test_host_call(), refs, 1, &err),
			 SOUK_OK);
	ck_assert_uint_eq(cloud.rules_deleted, 3);
	ck_assert_int_eq(souk_provider_entry()->stop(self, test_host_call(), refs + 1, 1, &err),
			 SOUK_E_NOT_FOUND);
}
END_TEST

START_TEST(only_those_that_are_meant)
{
	struct souk_instance_filter filter = { .struct_size = sizeof(filter), .owner = "Me@There" };
	struct souk_instance_list *out = test_instances_new();

	cloud.listed = "{\"items\":{\"zones/us-east1-b\":{\"instances\":[" MACHINE "]},"
		       "\"zones/us-west1-a\":{\"warning\":{\"code\":\"NO_RESULTS_ON_PAGE\"}}}}";
	ck_assert_int_eq(souk_provider_entry()->list_instances(self, test_host_call(), &filter, out,
							       &err), SOUK_OK);
	ck_assert_uint_eq(test_instances_count(out), 1);
	filter.region = "us-west1";
	souk_provider_entry()->list_instances(self, test_host_call(), &filter, out, &err);
	filter.region = NULL;
	filter.owner = "somebody else";
	souk_provider_entry()->list_instances(self, test_host_call(), &filter, out, &err);
	ck_assert_uint_eq(test_instances_count(out), 1);
	test_instances_free(out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gcp-machines");
	TCase *tc = tcase_create("machines");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, names);
	tcase_add_test(tc, labels);
	tcase_add_loop_test(tc, networks_are_read, 0, (int)GCP_ARRAY_SIZE(networks));
	tcase_add_test(tc, machines_are_read);
	tcase_add_loop_test(tc, bad_machines_are_refused, 0, (int)GCP_ARRAY_SIZE(bad_machines));
	tcase_add_loop_test(tc, states_mean, 0, (int)GCP_ARRAY_SIZE(states));
	tcase_add_test(tc, bodies);
	tcase_add_test(tc, one_machine);
	tcase_add_test(tc, what_is_there_is_not_made_again);
	tcase_add_test(tc, sold_out_leaves_nothing);
	tcase_add_test(tc, all_or_none);
	tcase_add_test(tc, zones_of_a_region_in_turn);
	tcase_add_test(tc, a_name_that_is_taken);
	tcase_add_loop_test(tc, wrong_orders_are_refused, 0, (int)GCP_ARRAY_SIZE(wrong));
	tcase_add_test(tc, teardown_of_what_is_gone);
	tcase_add_test(tc, only_those_that_are_meant);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
