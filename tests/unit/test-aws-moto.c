/* SPDX-License-Identifier: Apache-2.0 */
/* test-aws-moto.c - the module from its table of operations on, against moto's EC2 on loopback */

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aws.h"
#include "network.h"
#include "test-host.h"

extern const struct souk_provider_ops *souk_provider_entry(void);

#define LOGIN_KEY                                                                                  \
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxvZ2luLWtleS1vZi1hLXRlc3QtMDAwMDAwMDAw login"
#define HOST_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGhvc3Qta2V5LW9mLWEtdGVzdC0wMDAwMDAwMDAw"
#define HOST_KEY_PRIVATE                                                                           \
	"-----BEGIN OPENSSH PRIVATE KEY-----\n"                                                    \
	"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n"                 \
	"-----END OPENSSH PRIVATE KEY-----\n"

static char endpoint[64];

static const struct souk_provider_ops *ops;
static void *self;
static struct souk_error err = SOUK_ERROR_INIT;

/* ---- The server ------------------------------------------------------------------------------ */

/* Somebody has to read what the server tells, or it will stand still. Ends with the server. */
static int start_drain(FILE *output)
{
	char line[4096];
	pid_t pid = fork();

	if (pid == 0) {
		while (fgets(line, sizeof(line), output))
			;
		_exit(0);
	}
	fclose(output);
	return pid > 0;
}

/* Start moto on a port of its choice; 0 if it is not installed. It ends when we do. */
static pid_t start_server(void)
{
	char line[4096];
	FILE *output;
	int fds[2];
	unsigned port = 0;
	pid_t pid;

	if (pipe(fds) < 0 || (pid = fork()) < 0)
		return 0;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		close(fds[1]);
		execlp("python3", "python3", "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p",
		       "0", (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	output = fdopen(fds[0], "r");
	while (output && fgets(line, sizeof(line), output)) {
		const char *at = strstr(line, "http://127.0.0.1:");

		if (at && sscanf(at, "http://127.0.0.1:%5u", &port) == 1)
			break;
	}
	if (!output || !start_drain(output) || !port) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return 0;
	}
	snprintf(endpoint, sizeof(endpoint), "http://127.0.0.1:%u", port);
	return pid;
}

/* Forget all that the server holds. */
static void reset_server(void)
{
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .what = "reset" };
	struct souk_http_reply *reply;
	char url[128];

	snprintf(url, sizeof(url), "%s/moto-api/reset", endpoint);
	request.method = "POST";
	request.url = url;
	ck_assert_int_eq(souk_http_send(test_host_call(), &request, &reply, &err), SOUK_OK);
	ck_assert_int_eq(souk_http_reply_status(reply), 200);
	souk_http_reply_free(reply);
}

static void open_provider(void)
{
	test_host_reset();
	test_host_option("endpoint", endpoint);
	setenv("AWS_ACCESS_KEY_ID", "testing", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "testing", 1);
	setenv("AWS_DEFAULT_REGION", "us-east-1", 1);
	setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	unsetenv("AWS_PROFILE");
	unsetenv("AWS_SESSION_TOKEN");
	ops = souk_provider_entry();
	err = (struct souk_error)SOUK_ERROR_INIT;
	reset_server();
	ck_assert_int_eq(ops->open(test_host_call(), &self, &err), SOUK_OK);
}

static void close_provider(void)
{
	ops->close(self);
}

static struct souk_instance_spec a_spec(const char *token)
{
	return (struct souk_instance_spec){
		.struct_size = sizeof(struct souk_instance_spec),
		.count = 1,
		.request_token = token,
		.cluster = "c1",
		.owner = "ada@example",
		.instance_type = "m5.large",
		.region = "us-east-1",
		.zone = "us-east-1b",
		.arch = "x86_64",
		.ssh_public_key = LOGIN_KEY,
		.host_key_private = HOST_KEY_PRIVATE,
		.host_key_public = HOST_KEY " comment",
	};
}

static struct souk_instance_ref ref_of(const struct souk_instance *instance)
{
	return (struct souk_instance_ref){
		.struct_size = sizeof(struct souk_instance_ref),
		.id = instance->id,
		.region = instance->region,
		.zone = instance->zone,
		.cluster = "c1",
		.request_token = instance->request_token,
	};
}

static struct souk_instance_list *provision(const struct souk_instance_spec *spec)
{
	struct souk_instance_list *list = test_instances_new();
	int ret = ops->provision(self, test_host_call(), spec, list, &err);

	ck_assert_msg(ret == SOUK_OK, "%s (%s)", err.message, err.reason);
	ck_assert_uint_eq(test_instances_count(list), spec->count);
	return list;
}

static struct souk_instance_list *describe(const struct souk_instance_ref *refs, uint32_t n)
{
	struct souk_instance_list *list = test_instances_new();

	ck_assert_msg(ops->describe(self, test_host_call(), refs, n, list, &err) == SOUK_OK, "%s",
		      err.message);
	return list;
}

static size_t count_by_token(const char *token)
{
	struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .owner = "ada@example", .request_token = token,
	};
	struct souk_instance_list *list = test_instances_new();
	size_t n;

	ck_assert_msg(ops->list_instances(self, test_host_call(), &filter, list, &err) == SOUK_OK,
		      "%s", err.message);
	n = test_instances_count(list);
	test_instances_free(list);
	return n;
}

/* How many security groups of cluster c1 there are. */
static int count_groups(void)
{
	struct aws_client client = { self, test_host_call(), "us-east-1" };
	char groups[8][AWS_ID_SIZE];

	return aws_groups_of(&client, "c1", AWS_TAG_OWNER, "ada@example", groups, 8, NULL, &err);
}

static int body_has(const char *what, const char *part)
{
	return strstr(test_host_last_body(what), part) != NULL;
}

/* ---- Life of a cluster ----------------------------------------------------------------------- */

START_TEST(a_whole_life)
{
	struct souk_label labels[] = { { "team", "a b&c=d" } };
	struct souk_port_range ports[] = { { 8080, 8090 } };
	struct souk_instance_spec spec = a_spec("tok-1");
	struct souk_instance_list *made, *seen;
	struct souk_instance_ref refs[2];
	const struct souk_instance *one;
	int i;

	spec.count = 2;
	spec.labels = labels;
	spec.n_labels = 1;
	spec.ports = ports;
	spec.n_ports = 1;
	spec.disk_size_mib = 100 * 1024;
	made = provision(&spec);
	ck_assert(body_has("RunInstances", "&MinCount=2&MaxCount=2&ClientToken=tok-1&"));
	ck_assert(body_has("RunInstances", "MetadataOptions.HttpTokens=required"));
	ck_assert(body_has("RunInstances", "InstanceInitiatedShutdownBehavior=terminate"));
	ck_assert(body_has("RunInstances", "BlockDeviceMapping.1.Ebs.VolumeSize=100"));
	ck_assert(body_has("RunInstances", "a%20b%26c%3Dd"));
	ck_assert(!body_has("RunInstances", "InstanceMarketOptions"));
	ck_assert_str_eq(test_instance(made, 0)->host_key, HOST_KEY);

	refs[0] = ref_of(test_instance(made, 0));
	refs[1] = ref_of(test_instance(made, 1));
	seen = describe(refs, 2);
	ck_assert_uint_eq(test_instances_count(seen), 2);
	one = test_instance(seen, 0);
	ck_assert_int_eq(one->status, SOUK_INSTANCE_RUNNING);
	ck_assert_str_eq(one->zone, "us-east-1b");
	ck_assert_str_eq(one->instance_type, "m5.large");
	ck_assert_str_eq(one->cluster, "c1");
	ck_assert_str_eq(one->owner, "ada@example");
	ck_assert_str_eq(one->request_token, "tok-1");
	ck_assert_str_eq(one->ssh_user, "ec2-user");
	ck_assert_str_eq(one->host_key, HOST_KEY);
	ck_assert_ptr_nonnull(one->public_address);
	ck_assert_ptr_nonnull(one->private_address);
	ck_assert_uint_eq(one->spot, 0);
	ck_assert_int_gt(one->created_at, 0);
	test_instances_free(seen);
	ck_assert_uint_eq(count_by_token("tok-1"), 2);
	ck_assert_uint_eq(count_by_token("tok-2"), 0);
	ck_assert_int_eq(count_groups(), 1);

	for (i = 0; i < 2; i++)
		ck_assert_msg(ops->teardown(self, test_host_call(), refs, 2, &err) == SOUK_OK, "%s",
			      err.message);
	seen = describe(refs, 2);
	ck_assert_int_eq(test_instance(seen, 0)->status, SOUK_INSTANCE_TERMINATED);
	ck_assert_int_eq(test_instance(seen, 1)->status, SOUK_INSTANCE_TERMINATED);
	ck_assert_int_eq(count_groups(), 0);
	test_instances_free(seen);
	test_instances_free(made);
}
END_TEST

START_TEST(one_token_one_set)
{
	struct souk_instance_spec spec = a_spec("tok-same");
	struct souk_instance_list *first = provision(&spec);
	struct souk_instance_list *second = provision(&spec);

	ck_assert_str_eq(test_instance(first, 0)->id, test_instance(second, 0)->id);
	ck_assert_uint_eq(test_host_requests("RunInstances"), 1);
	ck_assert_uint_eq(count_by_token("tok-same"), 1);
	test_instances_free(first);
	test_instances_free(second);
}
END_TEST

START_TEST(spot)
{
	struct souk_instance_spec spec = a_spec("tok-spot");
	struct souk_instance_list *made;

	spec.spot = 1;
	spec.max_micros_per_hour = 1234560;
	spec.on_shutdown = SOUK_ON_SHUTDOWN_STOP;
	made = provision(&spec);
	ck_assert_uint_eq(test_instance(made, 0)->spot, 1);
	ck_assert(body_has("RunInstances", "InstanceMarketOptions.SpotOptions.MaxPrice=1.234560"));
	ck_assert(body_has("RunInstances", "SpotInstanceType=one-time"));
	ck_assert(body_has("RunInstances", "InstanceInitiatedShutdownBehavior=terminate"));
	test_instances_free(made);
}
END_TEST

START_TEST(stop_start_and_ports)
{
	struct souk_instance_spec spec = a_spec("tok-stop");
	struct souk_port_range ports[] = { { 443, 443 }, { 9000, 9010 } };
	struct souk_instance_list *made, *seen;
	struct souk_instance_ref ref;
	int i;

	spec.on_shutdown = SOUK_ON_SHUTDOWN_STOP;
	made = provision(&spec);
	ref = ref_of(test_instance(made, 0));
	ck_assert(body_has("RunInstances", "InstanceInitiatedShutdownBehavior=stop"));
	for (i = 0; i < 2; i++) {
		ck_assert_msg(ops->stop(self, test_host_call(), &ref, 1, &err) == SOUK_OK, "%s",
			      err.message);
		seen = describe(&ref, 1);
		ck_assert_int_eq(test_instance(seen, 0)->status, SOUK_INSTANCE_STOPPED);
		test_instances_free(seen);
	}
	ck_assert_msg(ops->start(self, test_host_call(), &ref, 1, &err) == SOUK_OK, "%s",
		      err.message);
	ck_assert_str_eq(test_host_log(SOUK_LOG_WARNING), "");
	seen = describe(&ref, 1);
	ck_assert_int_eq(test_instance(seen, 0)->status, SOUK_INSTANCE_RUNNING);
	test_instances_free(seen);
	for (i = 0; i < 2; i++)
		ck_assert_msg(ops->open_ports(self, test_host_call(), &ref, 1, ports, 2, &err) ==
				      SOUK_OK, "%s", err.message);
	ck_assert(body_has("AuthorizeSecurityGroupIngress", "FromPort=9000"));
	ck_assert_uint_eq(test_host_requests("AuthorizeSecurityGroupIngress"), 2);
	ck_assert_msg(ops->set_on_shutdown(self, test_host_call(), &ref, 1,
					   SOUK_ON_SHUTDOWN_TERMINATE, &err) == SOUK_OK, "%s",
		      err.message);
	ck_assert_int_eq(ops->teardown(self, test_host_call(), &ref, 1, &err), SOUK_OK);
	test_instances_free(made);
}
END_TEST

START_TEST(what_is_gone)
{
	struct souk_instance_spec spec = a_spec("tok-gone");
	struct souk_instance_list *made = provision(&spec);
	struct souk_instance_ref refs[] = {
		ref_of(test_instance(made, 0)), ref_of(test_instance(made, 0)),
	};
	struct souk_instance_list *seen;

	refs[0].id = "i-0123456789abcdef0";
	seen = describe(refs, 2);
	ck_assert_uint_eq(test_instances_count(seen), 1);
	ck_assert_str_eq(test_instance(seen, 0)->id, refs[1].id);
	test_instances_free(seen);
	ck_assert_int_eq(ops->stop(self, test_host_call(), refs, 1, &err), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.reason, "InvalidInstanceID.NotFound");
	/* The unknown one does not keep the other from being ended. */
	ck_assert_int_eq(ops->teardown(self, test_host_call(), refs, 2, &err), SOUK_OK);
	seen = describe(refs + 1, 1);
	ck_assert_int_eq(test_instance(seen, 0)->status, SOUK_INSTANCE_TERMINATED);
	test_instances_free(seen);
	test_instances_free(made);
}
END_TEST

/* ---- Access ---------------------------------------------------------------------------------- */

START_TEST(one_group_for_a_cluster)
{
	struct souk_instance_spec spec = a_spec("tok-g1");
	struct souk_instance_list *made;
	struct souk_instance_ref refs[2];
	struct souk_instance_list *first;

	test_host_option("ssh_from", "203.0.113.9, 198.51.100.77/24");
	first = provision(&spec);
	ck_assert(body_has("AuthorizeSecurityGroupIngress", "CidrIp=203.0.113.9%2F32"));
	ck_assert(body_has("AuthorizeSecurityGroupIngress", "CidrIp=198.51.100.0%2F24"));
	ck_assert(body_has("AuthorizeSecurityGroupIngress", "IpProtocol=-1"));
	spec.request_token = "tok-g2";
	spec.zone = "us-east-1c";
	made = provision(&spec);
	ck_assert_int_eq(count_groups(), 1);
	ck_assert_uint_eq(test_host_requests("CreateSecurityGroup"), 1);
	/* Nothing was missing the second time. */
	ck_assert_uint_eq(test_host_requests("AuthorizeSecurityGroupIngress"), 1);
	refs[0] = ref_of(test_instance(first, 0));
	refs[1] = ref_of(test_instance(made, 0));
	ck_assert_int_eq(ops->teardown(self, test_host_call(), refs, 2, &err), SOUK_OK);
	ck_assert_int_eq(count_groups(), 0);
	test_instances_free(made);
	test_instances_free(first);
}
END_TEST

static int answer_address(const struct souk_http_request *request, struct test_answer *answer,
			  void *arg)
{
	if (strcmp(request->what, "public address") != 0)
		return 0;
	*answer = (struct test_answer){ .status = 200, .body = arg };
	return 1;
}

START_TEST(the_callers_address)
{
	static const struct {
		const char *answer;
		int code;
		const char *rule;
	} cases[] = {
		{ "203.0.113.50\n", SOUK_OK, "CidrIp=203.0.113.50%2F32" },
		{ "2001:db8::1", SOUK_OK, "CidrIpv6=2001%3Adb8%3A%3A1%2F128" },
		{ "0.0.0.0/0", SOUK_E_TRANSIENT, NULL },
		{ "<html>", SOUK_E_TRANSIENT, NULL },
		{ "", SOUK_E_TRANSIENT, NULL },
		{ "203.0.113.50.1", SOUK_E_TRANSIENT, NULL },
	};
	struct souk_instance_spec spec = a_spec("tok-ip");
	struct souk_instance_list *list = test_instances_new();
	int ret;

	test_host_option("checkip_endpoint", "http://127.0.0.1:1/");
	test_host_responder(answer_address, (void *)cases[_i].answer);
	ret = ops->provision(self, test_host_call(), &spec, list, &err);
	ck_assert_msg(ret == cases[_i].code, "%s: %s", cases[_i].answer, err.message);
	if (cases[_i].rule)
		ck_assert(body_has("AuthorizeSecurityGroupIngress", cases[_i].rule));
	else
		ck_assert_ptr_nonnull(strstr(err.hint, "ssh_from"));
	test_instances_free(list);
}
END_TEST

START_TEST(private_networks)
{
	struct souk_instance_spec spec = a_spec("tok-int");
	struct souk_instance_list *made;
	struct souk_instance_list *seen;
	struct souk_instance_ref ref;

	test_host_option("use_internal_ips", "true");
	made = provision(&spec);
	ck_assert(body_has("RunInstances", "AssociatePublicIpAddress=false"));
	ck_assert(body_has("AuthorizeSecurityGroupIngress", "CidrIp=172.31.0.0%2F16"));
	ref = ref_of(test_instance(made, 0));
	seen = describe(&ref, 1);
	ck_assert_str_eq(test_instance(seen, 0)->public_address,
			 test_instance(seen, 0)->private_address);
	test_instances_free(seen);
	test_instances_free(made);
}
END_TEST

START_TEST(a_group_of_the_users)
{
	struct souk_port_range ports[] = { { 8080, 8080 } };
	struct souk_instance_spec spec = a_spec("tok-own");
	struct souk_instance_list *made = provision(&spec);
	struct souk_instance_list *list = test_instances_new();
	struct souk_instance_ref ref = ref_of(test_instance(made, 0));
	struct aws_client client = { self, test_host_call(), "us-east-1" };
	char groups[1][AWS_ID_SIZE];

	/* Borrow the first cluster's group as if it were somebody's own. */
	ck_assert_int_eq(aws_groups_of(&client, "c1", AWS_TAG_OWNER, "ada@example", groups, 1,
				       NULL, &err), 1);
	test_host_option("security_group", groups[0]);
	spec.request_token = "tok-own2";
	spec.ports = ports;
	spec.n_ports = 1;
	ck_assert_int_eq(ops->provision(self, test_host_call(), &spec, list, &err),
			 SOUK_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.message, "8080"));
	ck_assert_int_eq(ops->open_ports(self, test_host_call(), &ref, 1, ports, 1, &err), SOUK_OK);
	test_instances_free(list);
	list = provision(&spec);
	ck_assert_uint_eq(test_host_requests("CreateSecurityGroup"), 1);
	test_instances_free(list);
	test_instances_free(made);
}
END_TEST

/* ---- Images ------------------------------------------------------------------------------------
 */

START_TEST(images)
{
	struct souk_instance_spec spec = a_spec("tok-img");
	struct souk_instance_list *made;

	spec.image = "ami-1e749f67"; /* one of Ubuntu, among those that moto knows */
	made = provision(&spec);
	ck_assert_str_eq(test_instance(made, 0)->ssh_user, "ubuntu");
	ck_assert(body_has("RunInstances", "ImageId=ami-1e749f67&"));
	ck_assert_uint_eq(test_host_requests("GetParameters"), 0);
	test_instances_free(made);

	spec.image = NULL;
	spec.request_token = "tok-img-gpu";
	spec.instance_type = "g4dn.xlarge";
	spec.accelerator = "T4";
	spec.accelerator_milli = 1000;
	made = provision(&spec);
	ck_assert_ptr_nonnull(strstr(test_host_log(SOUK_LOG_WARNING), "no image with a driver"));
	test_instances_free(made);

	test_host_option("image", "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-"
				  "arm64");
	test_host_option("image_user", "admin");
	spec.request_token = "tok-img-ssm";
	spec.accelerator = NULL;
	spec.arch = "arm64";
	spec.instance_type = "m7g.large";
	made = provision(&spec);
	ck_assert_str_eq(test_instance(made, 0)->ssh_user, "admin");
	test_instances_free(made);
}
END_TEST

START_TEST(images_that_are_not)
{
	static const struct {
		const char *image;
		int code;
		const char *message;
	} cases[] = {
		{ "ami-0000000000000000f", SOUK_E_NOT_FOUND, "no image 'ami-0000000000000000f'" },
		{ "/no/such/parameter", SOUK_E_NOT_FOUND, "no such parameter" },
		{ "ubuntu", SOUK_E_INVALID, "not an image: 'ubuntu'" },
		{ "ami-56ec3e2f", SOUK_E_UNSUPPORTED, "Windows" },
	};
	struct souk_instance_spec spec = a_spec("tok-bad-image");
	struct souk_instance_list *list = test_instances_new();

	spec.image = cases[_i].image;
	ck_assert_int_eq(ops->provision(self, test_host_call(), &spec, list, &err),
			 cases[_i].code);
	ck_assert_msg(strstr(err.message, cases[_i].message) != NULL, "%s", err.message);
	ck_assert_uint_eq(test_instances_count(list), 0);
	ck_assert_int_eq(count_groups(), 0);
	test_instances_free(list);
}
END_TEST

/* ---- Failures
 * ------------------------------------------------------------------------------------ */

#define REFUSAL(code, message)                                                                     \
	"<?xml version=\"1.0\"?><Response><Errors><Error><Code>" code "</Code><Message>" message   \
	"</Message></Error></Errors><RequestID>x</RequestID></Response>"

/* What the first 'times' RunInstances are answered. */
struct refusal {
	int times;
	struct test_answer answer;
};

static int refuse(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	struct refusal *refusal = arg;

	if (strcmp(request->what, "RunInstances") != 0 || refusal->times-- <= 0)
		return 0;
	*answer = refusal->answer;
	return 1;
}

static const struct {
	struct test_answer answer;
	int code;
	int scope;
	const char *reason;
	const char *message;
	int group_stays;
} failures[] = {
	{ { .status = 500, .body = REFUSAL("InsufficientInstanceCapacity", "We are sold out.") },
	  SOUK_E_CAPACITY,
	  SOUK_SCOPE_OFFER,
	  "InsufficientInstanceCapacity",
	  "cannot start m5.large in 'us-east-1b': We are sold out",
	  0 },
	{ { .status = 503, .body = REFUSAL("InsufficientInstanceCapacity", "None.") },
	  SOUK_E_CAPACITY,
	  SOUK_SCOPE_OFFER,
	  "InsufficientInstanceCapacity",
	  "None",
	  0 },
	{ { .status = 400, .body = REFUSAL("VcpuLimitExceeded", "limit of 0") },
	  SOUK_E_QUOTA,
	  SOUK_SCOPE_REGION,
	  "VcpuLimitExceeded",
	  "limit of 0",
	  0 },
	{ { .status = 403,
	    .body = REFUSAL("UnauthorizedOperation",
			    "You may not. Encoded authorization failure message: X") },
	  SOUK_E_AUTH,
	  SOUK_SCOPE_PROVIDER,
	  "UnauthorizedOperation",
	  "You may not",
	  0 },
	{ { .status = 403,
	    .body = REFUSAL("UnauthorizedOperation", "denied by a service control policy") },
	  SOUK_E_AUTH,
	  SOUK_SCOPE_REGION,
	  "UnauthorizedOperation",
	  "service control policy",
	  0 },
	{ { .status = 400, .body = REFUSAL("SpotMaxPriceTooLow", "too low") },
	  SOUK_E_CAPACITY,
	  SOUK_SCOPE_OFFER,
	  "SpotMaxPriceTooLow",
	  "too low",
	  0 },
	{ { .status = 400,
	    .body = REFUSAL("InvalidParameterValue", "Invalid value 'x' for InstanceType.") },
	  SOUK_E_UNSUPPORTED,
	  SOUK_SCOPE_OFFER,
	  "InvalidParameterValue",
	  "InstanceType",
	  0 },
	{ { .status = 503, .body = REFUSAL("RequestLimitExceeded", "slow down") },
	  SOUK_E_RATE_LIMIT,
	  SOUK_SCOPE_REGION,
	  "RequestLimitExceeded",
	  "slow down",
	  0 },
	{ { .status = 500, .body = REFUSAL("InternalError", "oops") },
	  SOUK_E_TIMEOUT,
	  SOUK_SCOPE_REGION,
	  "InternalError",
	  "oops",
	  1 },
	{ { .status = 502, .body = "<html>bad gateway" },
	  SOUK_E_TIMEOUT,
	  SOUK_SCOPE_REGION,
	  "",
	  "HTTP status 502",
	  1 },
	{ { .status = 200, .body = "not XML" },
	  SOUK_E_TIMEOUT,
	  SOUK_SCOPE_OFFER,
	  "",
	  "not XML",
	  1 },
	{ { .failure = SOUK_E_TIMEOUT }, SOUK_E_TIMEOUT, SOUK_SCOPE_OFFER, "", "", 1 },
	{ { .failure = SOUK_E_TRANSIENT }, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER, "", "", 0 },
};

START_TEST(run_fails)
{
	struct souk_instance_spec spec = a_spec("tok-fail");
	struct souk_instance_list *list = test_instances_new();
	struct refusal refusal = { 100, failures[_i].answer };
	int throttled = failures[_i].code == SOUK_E_RATE_LIMIT;

	test_host_responder(refuse, &refusal);
	ck_assert_msg(ops->provision(self, test_host_call(), &spec, list, &err) ==
			      failures[_i].code, "%d: %d %s", _i, err.code, err.message);
	ck_assert_int_eq(err.code, failures[_i].code);
	ck_assert_int_eq(err.scope, failures[_i].scope);
	ck_assert_str_eq(err.reason, failures[_i].reason);
	ck_assert_msg(strstr(err.message, failures[_i].message) != NULL, "%s", err.message);
	ck_assert_ptr_null(strstr(err.message, "Encoded"));
	ck_assert_uint_eq(test_instances_count(list), 0);
	/* Nothing but throttling is ever sent again. */
	ck_assert_uint_eq(test_host_requests("RunInstances"), throttled ? 6 : 1);
	ck_assert_int_eq(count_groups(), failures[_i].group_stays);
	test_instances_free(list);
}
END_TEST

START_TEST(throttled_then_served)
{
	struct souk_instance_spec spec = a_spec("tok-slow");
	struct refusal refusal = {
		2, { .status = 503, .headers = "Retry-After: 7\r\n",
		     .body = REFUSAL("RequestLimitExceeded", "slow down") },
	};
	struct souk_instance_list *made;

	test_host_responder(refuse, &refusal);
	made = provision(&spec);
	ck_assert_uint_eq(test_host_requests("RunInstances"), 3);
	ck_assert_uint_ge(test_host_slept_ms(), 14000);
	test_instances_free(made);
}
END_TEST

START_TEST(a_group_that_vanished)
{
	struct souk_instance_spec spec = a_spec("tok-vanish");
	struct refusal refusal = {
		1, { .status = 400, .body = REFUSAL("InvalidGroup.NotFound", "gone") },
	};
	struct souk_instance_list *made;

	test_host_responder(refuse, &refusal);
	made = provision(&spec);
	ck_assert_uint_eq(test_host_requests("RunInstances"), 2);
	test_instances_free(made);
}
END_TEST

static const struct {
	const char *what;
	size_t member;
	const char *value;
} wrong[] = {
	{ "not a region", offsetof(struct souk_instance_spec, region), "evil.example.com/" },
	{ "not a zone", offsetof(struct souk_instance_spec, zone), "us east" },
	{ "not an instance type", offsetof(struct souk_instance_spec, instance_type), "m5 large" },
	{ "not a request token", offsetof(struct souk_instance_spec, request_token), "A B" },
	{ "not a cluster name", offsetof(struct souk_instance_spec, cluster), "" },
	{ "login key", offsetof(struct souk_instance_spec, ssh_public_key), "rubbish" },
};

START_TEST(wrong_specs)
{
	struct souk_instance_spec spec = a_spec("tok-wrong");
	struct souk_instance_list *list = test_instances_new();

	*(const char **)((char *)&spec + wrong[_i].member) = wrong[_i].value;
	ck_assert_int_eq(ops->provision(self, test_host_call(), &spec, list, &err),
			 SOUK_E_INVALID);
	ck_assert_msg(strstr(err.message, wrong[_i].what) != NULL, "%s", err.message);
	ck_assert_uint_eq(test_host_requests("RunInstances"), 0);
	test_instances_free(list);
}
END_TEST

/* ---- The account, and the market
 * ------------------------------------------------------------------ */

START_TEST(check_tells_who)
{
	struct souk_identity *identity = test_identity_new();

	ck_assert_msg(ops->check(self, test_host_call(), identity, &err) == SOUK_OK, "%s",
		      err.message);
	ck_assert_str_eq(test_identity(identity, "account"), "123456789012");
	ck_assert_ptr_nonnull(strstr(test_identity(identity, "principal"), "arn:aws:"));
	test_identity_free(identity);
}
END_TEST

static int deny_run(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	(void)arg;
	if (strcmp(request->what, "RunInstances") != 0)
		return 0;
	*answer = (struct test_answer){ .status = 403,
					.body = REFUSAL("UnauthorizedOperation", "no") };
	return 1;
}

START_TEST(check_tells_what_is_missing)
{
	struct souk_identity *identity = test_identity_new();

	test_host_responder(deny_run, NULL);
	ck_assert_int_eq(ops->check(self, test_host_call(), identity, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "the policy does not allow ec2:RunInstances");
	test_identity_free(identity);
}
END_TEST

#define PRODUCT(type, price)                                                                       \
	"\"{\\\"product\\\":{\\\"attributes\\\":{\\\"instanceType\\\":\\\"" type                   \
	"\\\",\\\"operatingSystem\\\":\\\"Linux\\\"}},\\\"terms\\\":{\\\"OnDemand\\\":{\\\"a\\\":" \
	"{"                                                                                        \
	"\\\"priceDimensions\\\":{\\\"b\\\":{\\\"unit\\\":\\\"Hrs\\\",\\\"pricePerUnit\\\":{"      \
	"\\\"USD\\\":\\\"" price "\\\"}}}}}}}\""

static int is_for_region(const struct souk_http_request *request, const char *region)
{
	char scope[64];
	size_t i;

	snprintf(scope, sizeof(scope), "/%s/ec2/", region);
	for (i = 0; request->headers[i]; i++)
		if (strstr(request->headers[i], scope))
			return 1;
	return 0;
}

/* Two pages of prices; one region is not open to the account, the price list of another is denied. */
static int answer_prices(const struct souk_http_request *request, struct test_answer *answer,
			 void *arg)
{
	const char *body = request->body;

	(void)arg;
	answer->status = 200;
	if (strcmp(request->what, "DescribeInstanceTypes") == 0 &&
	    is_for_region(request, "eu-west-3")) {
		answer->status = 403;
		answer->body = REFUSAL("OptInRequired", "not subscribed");
		return 1;
	}
	if (strcmp(request->what, "GetProducts") != 0)
		return 0;
	if (strstr(body, "eu-west-1")) {
		answer->status = 400;
		answer->body = "{\"__type\":\"AccessDeniedException\",\"Message\":\"not for you\"}";
	} else if (strstr(body, "\"NextToken\":\"page2\"")) {
		answer->body = "{\"PriceList\":[" PRODUCT("g6f.large", "0.2020000000") ","
			       PRODUCT("t3.large", "0.0832000000") "]}";
	} else {
		answer->body = "{\"PriceList\":[" PRODUCT("m5.large", "0.0960000000") ","
			       PRODUCT("p4de.24xlarge", "27.4470500000") "],"
			       "\"NextToken\":\"page2\"}";
	}
	return 1;
}

START_TEST(offers)
{
	struct souk_offer_list *list = test_offers_new();
	const struct souk_offer *offer;
	size_t i;
	int ret;

	test_host_option("region", "us-east-1,eu-west-3");
	test_host_responder(answer_prices, NULL);
	ret = ops->list_offers(self, test_host_call(), list, &err);
	ck_assert_msg(ret == SOUK_OK, "%s", err.message);
	ck_assert_ptr_nonnull(
		strstr(test_host_log(SOUK_LOG_WARNING),
		       "left out 'eu-west-3', which this account may not use: cannot list "
		       "instance types: not subscribed"));
	offer = test_offer_find(list, "m5.large", "us-east-1a");
	ck_assert_ptr_nonnull(offer);
	ck_assert_int_eq(offer->micros_per_hour, 96000);
	ck_assert_int_eq(offer->spot_micros_per_hour, 10);
	ck_assert_uint_eq(offer->vcpus_milli, 2000);
	ck_assert_uint_eq(offer->memory_mib, 8192);
	ck_assert_str_eq(offer->arch, "x86_64");
	ck_assert_ptr_null(offer->accelerator);
	ck_assert_str_eq(offer->currency, "USD");
	ck_assert_uint_eq(offer->flags, 0);
	offer = test_offer_find(list, "t3.large", "us-east-1a");
	ck_assert_uint_eq(offer->flags, SOUK_OFFER_BURSTABLE);
	for (i = 0; i < test_offers_count(list); i++) {
		offer = test_offer(list, i);
		ck_assert_str_eq(offer->region, "us-east-1");
		if (strcmp(offer->instance_type, "p4de.24xlarge") == 0) {
			ck_assert_str_eq(offer->accelerator, "A100-80GB");
			ck_assert_uint_eq(offer->accelerator_milli, 8000);
			ck_assert_int_eq(offer->micros_per_hour, 27447050);
			ck_assert_uint_eq(offer->local_disk_mib, 8000000000000 / 1048576);
		} else if (strcmp(offer->instance_type, "g6f.large") == 0) {
			ck_assert_str_eq(offer->accelerator, "L4");
			ck_assert_uint_eq(offer->accelerator_milli, 125);
			ck_assert_uint_eq(offer->accelerator_memory_mib, 2861);
		}
	}
	test_offers_free(list);
}
END_TEST

START_TEST(offers_without_prices)
{
	struct souk_offer_list *list = test_offers_new();

	test_host_option("region", "us-east-1,eu-west-1");
	test_host_responder(answer_prices, NULL);
	ck_assert_int_eq(ops->list_offers(self, test_host_call(), list, &err), SOUK_E_AUTH);
	ck_assert_ptr_nonnull(strstr(err.message, "'eu-west-1': cannot get the price list"));
	ck_assert_ptr_nonnull(strstr(err.hint, "pricing:GetProducts"));
	ck_assert_uint_eq(test_offers_count(list), 0);
	test_offers_free(list);
}
END_TEST

/* One region answers what the test says. */
static int answer_region(const struct souk_http_request *request, struct test_answer *answer,
			 void *arg)
{
	size_t i;

	for (i = 0; strcmp(request->what, "DescribeInstances") == 0 && request->headers[i]; i++)
		if (strstr(request->headers[i], "/eu-west-3/ec2/")) {
			*answer = *(struct test_answer *)arg;
			return 1;
		}
	return 0;
}

START_TEST(a_search_hides_nothing)
{
	static const struct {
		struct test_answer answer;
		int code;
	} cases[] = {
		{ { .status = 403, .body = REFUSAL("UnauthorizedOperation", "no") }, SOUK_OK },
		{ { .status = 400, .body = REFUSAL("ExpiredToken", "old") }, SOUK_E_AUTH },
		{ { .status = 500, .body = REFUSAL("InternalError", "x") }, SOUK_E_TRANSIENT },
		{ { .failure = SOUK_E_TIMEOUT }, SOUK_E_TIMEOUT },
		{ { .status = 200, .body = "<r" }, SOUK_E_INTERNAL },
	};
	struct souk_instance_spec spec = a_spec("tok-all");
	struct souk_instance_filter filter = { .struct_size = sizeof(filter), .cluster = "c1" };
	struct souk_instance_list *made = provision(&spec);
	size_t i;

	for (i = 0; i < AWS_ARRAY_SIZE(cases); i++) {
		struct souk_instance_list *list = test_instances_new();

		test_host_responder(answer_region, (void *)&cases[i].answer);
		ck_assert_int_eq(ops->list_instances(self, test_host_call(), &filter, list, &err),
				 cases[i].code);
		ck_assert_uint_eq(test_instances_count(list), cases[i].code == SOUK_OK);
		test_instances_free(list);
	}
	test_instances_free(made);
}
END_TEST

START_TEST(cancelled_calls)
{
	struct souk_instance_spec spec = a_spec("tok-cancel");
	struct souk_instance_list *list = test_instances_new();
	struct souk_instance_filter filter = { .struct_size = sizeof(filter) };

	test_host_cancel(1);
	ck_assert_int_eq(ops->provision(self, test_host_call(), &spec, list, &err),
			 SOUK_E_CANCELLED);
	ck_assert_int_eq(ops->list_instances(self, test_host_call(), &filter, list, &err),
			 SOUK_E_CANCELLED);
	test_host_cancel(0);
	ck_assert_uint_eq(count_by_token("tok-cancel"), 0);
	test_instances_free(list);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("aws-moto");
	TCase *tc = tcase_create("moto");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, open_provider, close_provider);
	tcase_add_test(tc, a_whole_life);
	tcase_add_test(tc, one_token_one_set);
	tcase_add_test(tc, spot);
	tcase_add_test(tc, stop_start_and_ports);
	tcase_add_test(tc, what_is_gone);
	tcase_add_test(tc, one_group_for_a_cluster);
	tcase_add_loop_test(tc, the_callers_address, 0, 6);
	tcase_add_test(tc, private_networks);
	tcase_add_test(tc, a_group_of_the_users);
	tcase_add_test(tc, images);
	tcase_add_loop_test(tc, images_that_are_not, 0, 4);
	tcase_add_loop_test(tc, run_fails, 0, (int)AWS_ARRAY_SIZE(failures));
	tcase_add_test(tc, throttled_then_served);
	tcase_add_test(tc, a_group_that_vanished);
	tcase_add_loop_test(tc, wrong_specs, 0, (int)AWS_ARRAY_SIZE(wrong));
	tcase_add_test(tc, check_tells_who);
	tcase_add_test(tc, check_tells_what_is_missing);
	tcase_add_test(tc, offers);
	tcase_add_test(tc, offers_without_prices);
	tcase_add_test(tc, a_search_hides_nothing);
	tcase_add_test(tc, cancelled_calls);
	suite_add_tcase(suite, tc);
	return suite;
}

int main(void)
{
	pid_t server = start_server();
	SRunner *runner;
	int failed;

	if (!server) {
		puts("skipped: moto is not installed (pip install 'moto[server]')");
		return 77;
	}
	runner = srunner_create(make_suite());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	kill(server, SIGTERM);
	waitpid(server, NULL, 0);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
