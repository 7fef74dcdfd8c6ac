/* SPDX-License-Identifier: Apache-2.0 */
/* test-azure-machines.c - machines of Azure: made once, told of, stopped, ended */

#include <check.h>
#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "azure-fake.h"
#include "azure.h"
#include "machines.h"
#include "test-host.h"

#define VM_PATH(token, vm)                                                                         \
	"/subscriptions/sub/resourcegroups/souk-dev-" token                                           \
	"/providers/microsoft.compute/virtualmachines/" vm

extern const struct souk_provider_ops *souk_provider_entry(void);

static const struct souk_provider_ops *ops;
static void *self;
static struct souk_instance_list *list;
static struct souk_error err;

static struct souk_instance_spec a_spec(void)
{
	return (struct souk_instance_spec){
		.struct_size = sizeof(struct souk_instance_spec), .count = 1, .request_token = "tok1",
		.cluster = "dev", .owner = "me@here", .instance_type = "Standard_NC4as_T4_v3",
		.region = "eastus", .zone = "2", .arch = "x86_64", .accelerator = "T4",
		.ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPuvxYlUqCzVGTe3xOIxP5q4w2eqzXbN"
				  "H3J0bcE4tuTg me",
	};
}

static int provision(const struct souk_instance_spec *spec)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	test_instances_free(list);
	list = test_instances_new();
	return ops->provision(self, test_host_call(), spec, list, &err);
}

static void provision_well(const struct souk_instance_spec *spec)
{
	ck_assert_msg(provision(spec) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_instances_count(list), spec->count);
}

static struct souk_instance_ref a_ref(const char *id)
{
	return (struct souk_instance_ref){ .struct_size = sizeof(struct souk_instance_ref), .id = id,
					   .region = "eastus", .cluster = "dev" };
}

static size_t describe(const char *id)
{
	struct souk_instance_ref ref = a_ref(id);

	test_instances_free(list);
	list = test_instances_new();
	ck_assert_msg(ops->describe(self, test_host_call(), &ref, 1, list, &err) == SOUK_OK, "%s",
		      err.message);
	return test_instances_count(list);
}

/* ---- Making ---- */

START_TEST(a_machine_is_made)
{
	struct souk_instance_spec spec = a_spec();
	const struct souk_instance *instance;
	const char *body;

	provision_well(&spec);
	ck_assert_str_eq(azure_fake_complaint(), "");
	ck_assert_uint_eq(azure_fake_count("/virtualmachines/"), 1);
	ck_assert_uint_eq(azure_fake_count("/networksecuritygroups/souk"), 1);
	ck_assert_uint_eq(azure_fake_count("/virtualnetworks/souk"), 1);
	body = azure_fake_body("/virtualmachines/dev-0");
	ck_assert_ptr_nonnull(strstr(body, "\"zones\":[\"2\"]"));
	ck_assert_ptr_nonnull(strstr(body, "\"vmSize\":\"Standard_NC4as_T4_v3\""));
	ck_assert_ptr_nonnull(strstr(body, "\"offer\":\"ubuntu-hpc\""));
	ck_assert_ptr_nonnull(strstr(body, "\"souk-token\":\"tok1\""));
	ck_assert_ptr_nonnull(strstr(body, "publicIPAddressConfiguration"));
	ck_assert_ptr_null(strstr(body, "\"priority\":\"Spot\""));
	ck_assert_ptr_null(strstr(body, "diskSizeGB"));
	body = azure_fake_body("/networksecuritygroups/souk");
	ck_assert_ptr_nonnull(strstr(body, "\"sourceAddressPrefixes\":[\"198.51.100.9/32\"]"));

	ck_assert_uint_eq(describe(VM_PATH("tok1", "dev-0")), 1);
	instance = test_instance(list, 0);
	ck_assert_int_eq(instance->status, SOUK_INSTANCE_RUNNING);
	ck_assert_str_eq(instance->public_address, "203.0.113.7");
	ck_assert_str_eq(instance->private_address, "10.0.0.4");
	ck_assert_str_eq(instance->region, "eastus");
	ck_assert_str_eq(instance->zone, "2");
	ck_assert_str_eq(instance->instance_type, "Standard_NC4as_T4_v3");
	ck_assert_str_eq(instance->cluster, "dev");
	ck_assert_str_eq(instance->owner, "me@here");
	ck_assert_str_eq(instance->request_token, "tok1");
	ck_assert_str_eq(instance->ssh_user, "azureuser");
	ck_assert_uint_eq(describe(VM_PATH("tok1", "dev-9")), 0);
	ck_assert_uint_eq(describe(VM_PATH("other", "dev-0")), 0);
}
END_TEST

START_TEST(all_that_a_spec_says_is_asked_for)
{
	static const struct souk_label labels[] = { { "team", "a\"b\\c" } };
	static const struct souk_port_range ports[] = { { 8080, 8080 }, { 9000, 9010 } };
	struct souk_instance_spec spec = a_spec();
	struct json_object *parsed;
	const char *body;

	spec.zone = NULL;
	spec.spot = 1;
	spec.max_micros_per_hour = 1230000;
	spec.disk_size_mib = 100 * 1024 + 1;
	spec.disk_tier = "best";
	spec.image = "Canonical:ubuntu-24_04-lts:server:24.04.1";
	spec.labels = labels;
	spec.n_labels = 1;
	spec.ports = ports;
	spec.n_ports = 2;
	provision_well(&spec);
	body = azure_fake_body("/virtualmachines/dev-0");
	parsed = json_tokener_parse(body);
	ck_assert_ptr_nonnull(parsed);
	json_object_put(parsed);
	ck_assert_ptr_null(strstr(body, "zones"));
	ck_assert_ptr_nonnull(strstr(body, "\"priority\":\"Spot\",\"evictionPolicy\":\"Delete\","
					   "\"billingProfile\":{\"maxPrice\":1.230000}"));
	ck_assert_ptr_nonnull(strstr(body, "\"diskSizeGB\":101"));
	ck_assert_ptr_nonnull(strstr(body, "Premium_LRS"));
	ck_assert_ptr_nonnull(strstr(body, "\"version\":\"24.04.1\""));
	ck_assert_ptr_nonnull(strstr(body, "\"team\":\"a\\\"b\\\\c\""));
	ck_assert_ptr_nonnull(strstr(azure_fake_body("/networksecuritygroups/souk"),
				     "\"destinationPortRanges\":[\"8080\",\"9000-9010\"]"));
	ck_assert_uint_eq(describe(VM_PATH("tok1", "dev-0")), 1);
	ck_assert_uint_eq(test_instance(list, 0)->spot, 1);
}
END_TEST

START_TEST(the_same_token_makes_one_set)
{
	struct souk_instance_spec spec = a_spec();

	spec.count = 3;
	provision_well(&spec);
	provision_well(&spec);
	ck_assert_uint_eq(azure_fake_count("/virtualmachines/"), 3);
	/* What a call that died in between has left out is added. */
	azure_fake_power("/virtualmachines/dev-1", "Deleted");
	provision_well(&spec);
	ck_assert_uint_eq(azure_fake_count("/virtualmachines/"), 3);
	spec.request_token = "tok2";
	provision_well(&spec);
	ck_assert_uint_eq(azure_fake_count("/virtualmachines/"), 6);
}
END_TEST

static const struct {
	struct azure_fake_fault fault;
	int code;
	int scope;
} faults[] = {
	{ { NULL, 409, "SkuNotAvailable", "sold out", 9 }, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ { "-1", 409, "OperationNotAllowed", "exceeding approved Total Regional Cores quota", 9 },
	  SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ { NULL, 403, "AuthorizationFailed", "no", 9 }, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ { NULL, 400, "InvalidParameter", "vmSize", 9 }, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	/* Accepted, and failed a moment later. */
	{ { "-1", 0, "AllocationFailed", "no room", 0 }, SOUK_E_CAPACITY, SOUK_SCOPE_REGION },
	{ { NULL, 0, "ZonalAllocationFailed", "no room", 0 }, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
};

START_TEST(what_fails_leaves_nothing)
{
	struct souk_instance_spec spec = a_spec();

	spec.count = 2;
	azure_fake_fault(&faults[_i].fault);
	ck_assert_msg(provision(&spec) == faults[_i].code, "%d: %s", err.code, err.message);
	ck_assert_int_eq(err.scope, faults[_i].scope);
	ck_assert_str_eq(err.reason, faults[_i].fault.code);
	ck_assert_ptr_nonnull(strstr(err.message, "cannot start Standard_NC4as_T4_v3 in 'eastus/2'"));
	ck_assert_uint_eq(azure_fake_count("/resourcegroups/"), 0);
	ck_assert_uint_eq(test_instances_count(list), 0);
}
END_TEST

START_TEST(a_lost_reply_may_have_taken_effect)
{
	static const struct azure_fake_fault lost = { NULL, -1, "x", NULL, 0 };
	static const struct azure_fake_fault broken = { NULL, 500, "InternalServerError", "x", 9 };
	struct souk_instance_filter filter = { .struct_size = sizeof(filter), .cluster = "dev",
					       .request_token = "tok1" };
	struct souk_instance_spec spec = a_spec();

	/* Sent again it is found to be there. */
	azure_fake_fault(&lost);
	provision_well(&spec);
	ck_assert_uint_eq(azure_fake_count("/virtualmachines/"), 1);
	test_instances_free(list);
	list = test_instances_new();
	ck_assert_int_eq(ops->list_instances(self, test_host_call(), &filter, list, &err), SOUK_OK);
	ck_assert_uint_eq(test_instances_count(list), 1);

	azure_fake_reset();
	azure_fake_fault(&broken);
	ck_assert_int_eq(provision(&spec), SOUK_E_TIMEOUT);
	ck_assert_uint_eq(azure_fake_count("/resourcegroups/"), 3);
}
END_TEST

START_TEST(a_wrong_spec_is_refused)
{
	static const struct souk_label reserved[] = { { "souk-token", "x" } };
	struct souk_instance_spec spec = a_spec();

	spec.region = "east us";
	ck_assert_int_eq(provision(&spec), SOUK_E_INVALID);
	spec = a_spec();
	spec.cluster = "../x";
	ck_assert_int_eq(provision(&spec), SOUK_E_INVALID);
	spec = a_spec();
	spec.request_token = "A";
	ck_assert_int_eq(provision(&spec), SOUK_E_INVALID);
	spec = a_spec();
	spec.count = 0;
	ck_assert_int_eq(provision(&spec), SOUK_E_INVALID);
	spec = a_spec();
	spec.labels = reserved;
	spec.n_labels = 1;
	ck_assert_int_eq(provision(&spec), SOUK_E_INVALID);
	spec = a_spec();
	spec.image = "ubuntu";
	ck_assert_int_eq(provision(&spec), SOUK_E_INVALID);
	ck_assert_uint_eq(test_host_requests("NetworkSecurityGroups_CreateOrUpdate"), 0);
}
END_TEST

/* ---- Finding ---- */

static size_t list_for(const char *cluster, const char *owner, const char *region)
{
	const struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .cluster = cluster, .owner = owner, .region = region,
	};

	test_instances_free(list);
	list = test_instances_new();
	ck_assert_msg(ops->list_instances(self, test_host_call(), &filter, list, &err) == SOUK_OK,
		      "%s", err.message);
	return test_instances_count(list);
}

START_TEST(machines_are_found_by_their_tags)
{
	struct souk_instance_spec spec = a_spec();

	provision_well(&spec);
	spec.cluster = "other";
	spec.region = "westus";
	spec.count = 2;
	provision_well(&spec);
	ck_assert_uint_eq(list_for(NULL, NULL, NULL), 3);
	ck_assert_uint_eq(list_for("other", NULL, NULL), 2);
	ck_assert_uint_eq(list_for(NULL, "me@here", "eastus"), 1);
	ck_assert_uint_eq(list_for(NULL, "you", NULL), 0);
	ck_assert_str_eq(azure_fake_complaint(), "");
}
END_TEST

static const struct {
	const char *power;
	int status;
} powers[] = {
	{ "PowerState/running", SOUK_INSTANCE_RUNNING },
	{ "PowerState/starting", SOUK_INSTANCE_PENDING },
	{ "PowerState/deallocating", SOUK_INSTANCE_STOPPING },
	{ "PowerState/deallocated", SOUK_INSTANCE_STOPPED },
	{ "PowerState/stopped", SOUK_INSTANCE_STOPPING },
	{ "PowerState/newfangled", SOUK_INSTANCE_PENDING },
};

START_TEST(power_is_told)
{
	struct souk_instance_spec spec = a_spec();

	provision_well(&spec);
	azure_fake_power("/virtualmachines/dev-0", powers[_i].power);
	ck_assert_uint_eq(describe(VM_PATH("tok1", "dev-0")), 1);
	ck_assert_int_eq(test_instance(list, 0)->status, powers[_i].status);
	if (strstr(powers[_i].power, "stopped"))
		ck_assert_ptr_nonnull(strstr(test_instance(list, 0)->status_reason, "charged"));
}
END_TEST

/* ---- Ending, stopping ---- */

static int teardown(const char *first, const char *second)
{
	struct souk_instance_ref refs[] = { a_ref(first), a_ref(second ? second : "") };

	return ops->teardown(self, test_host_call(), refs, second ? 2 : 1, &err);
}

START_TEST(the_last_machine_takes_the_group_with_it)
{
	struct souk_instance_spec spec = a_spec();

	spec.count = 3;
	provision_well(&spec);
	ck_assert_msg(teardown(VM_PATH("tok1", "dev-1"), NULL) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(azure_fake_count("/virtualmachines/"), 2);
	ck_assert_uint_eq(azure_fake_count("/virtualnetworks/"), 1);
	ck_assert_int_eq(teardown(VM_PATH("tok1", "dev-0"), VM_PATH("tok1", "dev-2")), SOUK_OK);
	ck_assert_uint_eq(azure_fake_count(""), 0);
	/* What is gone can be ended again. */
	ck_assert_int_eq(teardown(VM_PATH("tok1", "dev-0"), VM_PATH("tok9", "dev-2")), SOUK_OK);
	ck_assert_str_eq(azure_fake_complaint(), "");
}
END_TEST

START_TEST(a_group_that_is_not_ours_stays)
{
	static const char path[] = "https://management.azure.com/subscriptions/sub/resourcegroups/theirs";
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD, .what = "x", .method = "PUT", .body = "{}", .body_size = 2,
		.flags = SOUK_HTTP_MUTATES,
	};
	struct test_answer answer = { 0 };
	char url[512];

	snprintf(url, sizeof(url), "%s?api-version=2024", path);
	request.url = url;
	azure_fake_answer(&request, &answer, NULL);
	ck_assert_int_eq(teardown("/subscriptions/sub/resourceGroups/theirs/providers/"
				  "Microsoft.Compute/virtualMachines/x", NULL), SOUK_OK);
	ck_assert_uint_eq(azure_fake_count("/resourcegroups/theirs"), 1);
	ck_assert_int_eq(teardown("i-12345", NULL), SOUK_E_INVALID);
	ck_assert_int_eq(teardown("/subscriptions/sub/resourceGroups/a?b/providers/"
				  "Microsoft.Compute/virtualMachines/x", NULL), SOUK_E_INVALID);
}
END_TEST

START_TEST(stopped_and_started)
{
	struct souk_instance_spec spec = a_spec();
	struct souk_instance_ref ref = a_ref(VM_PATH("tok1", "dev-0"));

	provision_well(&spec);
	ck_assert_int_eq(ops->stop(self, test_host_call(), &ref, 1, &err), SOUK_OK);
	describe(ref.id);
	ck_assert_int_eq(test_instance(list, 0)->status, SOUK_INSTANCE_STOPPED);
	test_host_option("ssh_from", "10.1.2.3/8, 2001:db8::1");
	ck_assert_int_eq(ops->start(self, test_host_call(), &ref, 1, &err), SOUK_OK);
	describe(ref.id);
	ck_assert_int_eq(test_instance(list, 0)->status, SOUK_INSTANCE_RUNNING);
	ck_assert_ptr_nonnull(strstr(azure_fake_body("securityrules/souk-ssh"),
				     "[\"10.0.0.0/8\",\"2001:db8::1/128\"]"));
	ref = a_ref(VM_PATH("tok1", "dev-5"));
	ck_assert_int_eq(ops->stop(self, test_host_call(), &ref, 1, &err), SOUK_E_NOT_FOUND);
}
END_TEST

START_TEST(what_has_no_machine_is_swept)
{
	struct souk_instance_filter filter = { .struct_size = sizeof(filter), .cluster = "dev",
					       .owner = "me@here", .region = "eastus" };
	struct souk_instance_spec spec = a_spec();

	provision_well(&spec);
	ck_assert_msg(ops->sweep(self, test_host_call(), &filter, &err) == SOUK_OK, "%s",
		      err.message);
	ck_assert_uint_eq(azure_fake_count("/virtualmachines/"), 1);
	azure_fake_power("/virtualmachines/dev-0", "Deleted");
	filter.owner = "you";
	ck_assert_int_eq(ops->sweep(self, test_host_call(), &filter, &err), SOUK_OK);
	ck_assert_uint_eq(azure_fake_count("/virtualnetworks/"), 1);
	filter.owner = "me@here";
	ck_assert_int_eq(ops->sweep(self, test_host_call(), &filter, &err), SOUK_OK);
	ck_assert_uint_eq(azure_fake_count(""), 0);
}
END_TEST

/* ---- Images ---- */

static const struct {
	const char *size, *arch, *accelerator, *sku;
} images[] = {
	{ "Standard_D4s_v5", "x86_64", NULL, "server" },
	{ "Standard_D4ps_v5", "arm64", NULL, "server-arm64" },
	{ "Standard_D2_v2", "x86_64", NULL, "server-gen1" },
	{ "Standard_A2_v2", NULL, NULL, "server-gen1" },
	{ "Standard_ND96isr_H100_v5", "x86_64", "H100", "2204" },
	{ "Standard_ND96isr_MI300X_v5", "x86_64", "MI300X", "2204-rocm" },
	{ "Standard_NV6ads_A10_v5", "x86_64", "A10", "server" },
	{ "Standard_NV4as_v4", "x86_64", "MI25", "server-gen1" },
};

START_TEST(the_image_fits_the_size)
{
	struct azure_client client = { self, test_host_call() };
	struct souk_instance_spec spec = a_spec();
	struct souk_buf reference;
	char user[64], want[64];

	spec.instance_type = images[_i].size;
	spec.arch = images[_i].arch;
	spec.accelerator = images[_i].accelerator;
	souk_buf_init(&reference, 4096);
	ck_assert_int_eq(azure_image_choose(&client, &spec, &reference, user, &err), SOUK_OK);
	snprintf(want, sizeof(want), "\"sku\":\"%s\"", images[_i].sku);
	ck_assert_msg(strstr(reference.data, want) != NULL, "%s: %s", images[_i].size,
		      reference.data);
	souk_buf_fini(&reference);
}
END_TEST

static void set_up(void)
{
	test_host_reset();
	azure_fake_reset();
	test_host_responder(azure_fake_answer, NULL);
	test_host_option("subscription", "sub");
	test_host_option("tenant", "ten");
	test_host_option("client_id", "cli");
	test_host_option("client_secret", "sec");
	err = (struct souk_error)SOUK_ERROR_INIT;
	ops = souk_provider_entry();
	list = test_instances_new();
	ck_assert_int_eq(ops->open(test_host_call(), &self, &err), SOUK_OK);
}

static void tear_down(void)
{
	ops->close(self);
	test_instances_free(list);
	azure_fake_reset();
}

int main(void)
{
	Suite *suite = suite_create("azure-machines");
	TCase *tc = tcase_create("machines");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_machine_is_made);
	tcase_add_test(tc, all_that_a_spec_says_is_asked_for);
	tcase_add_test(tc, the_same_token_makes_one_set);
	tcase_add_loop_test(tc, what_fails_leaves_nothing, 0, AZURE_ARRAY_SIZE(faults));
	tcase_add_test(tc, a_lost_reply_may_have_taken_effect);
	tcase_add_test(tc, a_wrong_spec_is_refused);
	tcase_add_test(tc, machines_are_found_by_their_tags);
	tcase_add_loop_test(tc, power_is_told, 0, AZURE_ARRAY_SIZE(powers));
	tcase_add_test(tc, the_last_machine_takes_the_group_with_it);
	tcase_add_test(tc, a_group_that_is_not_ours_stays);
	tcase_add_test(tc, stopped_and_started);
	tcase_add_test(tc, what_has_no_machine_is_swept);
	tcase_add_loop_test(tc, the_image_fits_the_size, 0, AZURE_ARRAY_SIZE(images));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
