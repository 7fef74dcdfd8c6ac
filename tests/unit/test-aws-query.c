/* SPDX-License-Identifier: Apache-2.0 */
/* test-aws-query.c - requests and replies of the query protocol: encoding, hostile XML, paging */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "image.h"
#include "instances.h"
#include "json-call.h"
#include "market.h"
#include "network.h"
#include "products.h"
#include "query.h"
#include "test-host.h"

extern const struct souk_provider_ops *souk_provider_entry(void);

static const struct aws_operation operation = {
	.action = "DescribeThings", .doing = "look at things", .flags = AWS_READ,
};

static void *self;
static struct souk_error err = SOUK_ERROR_INIT;

static void open_provider(void)
{
	test_host_reset();
	test_host_option("endpoint", "http://127.0.0.1:9");
	setenv("AWS_ACCESS_KEY_ID", "testing", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "testing", 1);
	setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	ck_assert_int_eq(souk_provider_entry()->open(test_host_call(), &self, &err), SOUK_OK);
}

static void close_provider(void)
{
	souk_provider_entry()->close(self);
}

/* ---- Requests -------------------------------------------------------------------------------- */

START_TEST(requests_are_encoded)
{
	struct aws_query query;

	aws_query_init(&query, &operation);
	aws_query_add(&query, "Name", "a b&c=d/\303\244~");
	aws_query_filter(&query, "tag:souk-token", "t");
	aws_query_filter_value(&query, "u");
	aws_query_filter(&query, "state", "x");
	aws_query_add_u64(&query, "N", 18446744073709551615u);
	ck_assert_str_eq(query.body.data,
			 "Action=DescribeThings&Version=2016-11-15&Name=a%20b%26c%3Dd%2F%C3%A4~"
			 "&Filter.1.Name=tag%3Asouk-token&Filter.1.Value.1=t&Filter.1.Value.2=u"
			 "&Filter.2.Name=state&Filter.2.Value.1=x&N=18446744073709551615");
	aws_query_fini(&query);
}
END_TEST

START_TEST(requests_have_a_ceiling)
{
	struct aws_client client = { self, test_host_call(), "us-east-1" };
	struct aws_query query;
	struct aws_xml xml = { 0 };
	int i;

	aws_query_init(&query, &operation);
	for (i = 0; i < 40000; i++)
		aws_query_add(&query, "Name", "0123456789");
	ck_assert_int_eq(aws_query_send(&client, &operation, &query, &xml, NULL, &err),
			 SOUK_E_INVALID);
	ck_assert_uint_eq(test_host_requests(NULL), 0);
	aws_query_fini(&query);
}
END_TEST

/* ---- Replies ----------------------------------------------------------------------------------
 */

static const char *const hostile[] = {
	"",
	" ",
	"not XML",
	"<a>",
	"<a></b>",
	"<a/><b/>",
	"{\"a\":1}",
	"<?xml version=\"1.0\"?>",
	"<!DOCTYPE a><a/>",
	"<!DOCTYPE a SYSTEM \"http://127.0.0.1:9/x.dtd\"><a/>",
	"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
	"<!DOCTYPE a [<!ENTITY x \"lol\"><!ENTITY y \"&x;&x;&x;&x;&x;&x;&x;&x;\">]><a>&y;</a>",
	"<a>&undefined;</a>",
	"<a b=\"1\" b=\"2\"/>",
	"\377\376<a/>",
};

START_TEST(hostile_xml_is_refused)
{
	struct aws_xml xml = { 0 };
	struct souk_error why = SOUK_ERROR_INIT;

	ck_assert_int_eq(aws_xml_parse(hostile[_i], strlen(hostile[_i]), "X", &xml, &why),
			 SOUK_E_INTERNAL);
	ck_assert_str_eq(why.message, "the reply to X is not XML");
	ck_assert_ptr_null(xml.doc);
}
END_TEST

START_TEST(deep_xml_is_refused)
{
	struct souk_buf text;
	struct aws_xml xml = { 0 };
	int i;

	souk_buf_init(&text, 1 << 20);
	for (i = 0; i < 20000; i++)
		souk_buf_str(&text, "<a>");
	for (i = 0; i < 20000; i++)
		souk_buf_str(&text, "</a>");
	ck_assert_int_eq(aws_xml_parse(text.data, text.len, "X", &xml, NULL), SOUK_E_INTERNAL);
	souk_buf_fini(&text);
}
END_TEST

START_TEST(xml_is_read)
{
	static const char text[] =
		"<r xmlns=\"urn:x\"><a><b>one</b><b>two</b></a><n>42</n><t>true</t><e/>"
		"<c><![CDATA[<x>]]></c><neg>-1</neg><big>99999999999999999999</big>"
		"<list><item><k>1</k></item>\n<other/><item>x</item></list>"
		"<tagSet><item><key>a</key><value>1</value></item><item><key>b</key></item></"
		"tagSet>"
		"<mixed>a<i/>b</mixed></r>";
	struct aws_xml xml = { 0 };
	const xmlNode *item;

	ck_assert_int_eq(aws_xml_parse(text, strlen(text), "X", &xml, &err), SOUK_OK);
	ck_assert_str_eq(aws_xml_text(xml.root, "a/b"), "one");
	ck_assert_ptr_null(aws_xml_text(xml.root, "a/c"));
	ck_assert_ptr_null(aws_xml_text(xml.root, "a"));
	ck_assert_ptr_null(aws_xml_text(xml.root, "e"));
	ck_assert_ptr_null(aws_xml_text(xml.root, "mixed"));
	ck_assert_ptr_null(aws_xml_text(NULL, "a"));
	ck_assert_str_eq(aws_xml_text(xml.root, "c"), "<x>");
	ck_assert_uint_eq(aws_xml_u64(xml.root, "n", 7), 42);
	ck_assert_uint_eq(aws_xml_u64(xml.root, "neg", 7), 7);
	ck_assert_uint_eq(aws_xml_u64(xml.root, "big", 7), 7);
	ck_assert_uint_eq(aws_xml_u64(xml.root, "none", 7), 7);
	ck_assert(aws_xml_true(xml.root, "t"));
	ck_assert(!aws_xml_true(xml.root, "n"));
	item = aws_xml_first_item(aws_xml_child(xml.root, "list"));
	ck_assert_str_eq(aws_xml_text(item, "k"), "1");
	item = aws_xml_next_item(item);
	ck_assert_str_eq(aws_xml_text(item, ""), "x");
	ck_assert_ptr_null(aws_xml_next_item(item));
	ck_assert(aws_xml_has_item(aws_xml_child(xml.root, "list"), "x"));
	ck_assert(!aws_xml_has_item(aws_xml_child(xml.root, "list"), "y"));
	ck_assert_str_eq(aws_xml_tag(xml.root, "a"), "1");
	ck_assert_ptr_null(aws_xml_tag(xml.root, "b"));
	ck_assert_ptr_null(aws_xml_tag(xml.root, "c"));
	aws_xml_fini(&xml);
}
END_TEST

/* ---- Paging -------------------------------------------------------------------------------------
 */

/* Answers one body after the other; the last one again and again. */
struct script {
	const char *const *bodies;
	int at;
};

static int play(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	struct script *script = arg;

	(void)request;
	*answer = (struct test_answer){ .status = 200, .body = script->bodies[script->at] };
	if (script->bodies[script->at + 1])
		script->at++;
	return 1;
}

static int count_items(void *arg, const xmlNode *root, struct souk_error *why)
{
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "set"));

	(void)why;
	for (; item; item = aws_xml_next_item(item))
		++*(int *)arg;
	return SOUK_OK;
}

#define REPLY(text) "<DescribeThingsResponse>" text "</DescribeThingsResponse>"

static int run_pages(const char *const *bodies, int *items)
{
	struct aws_client client = { self, test_host_call(), "us-east-1" };
	struct script script = { bodies, 0 };
	struct aws_query query;
	int ret;

	test_host_responder(play, &script);
	aws_query_init(&query, &operation);
	aws_query_add(&query, "MaxResults", "2");
	ret = aws_query_pages(&client, &operation, &query, count_items, items, &err);
	aws_query_fini(&query);
	return ret;
}

START_TEST(all_pages_are_read)
{
	static const char *const bodies[] = {
		REPLY("<set><item/><item/></set><nextToken>a/b+c=</nextToken>"),
		REPLY("<set><item/><item/></set><nextToken>second</nextToken>"),
		REPLY("<set><item/></set><nextToken/>"), NULL,
	};
	int items = 0;

	ck_assert_int_eq(run_pages(bodies, &items), SOUK_OK);
	ck_assert_int_eq(items, 5);
	ck_assert_uint_eq(test_host_requests("DescribeThings"), 3);
	ck_assert_str_eq(test_host_last_body("DescribeThings"),
			 "Action=DescribeThings&Version=2016-11-15&MaxResults=2&NextToken=second");
}
END_TEST

START_TEST(a_page_that_follows_itself)
{
	static const char *const bodies[] = { REPLY("<nextToken>same</nextToken>"), NULL };
	int items = 0;

	ck_assert_int_eq(run_pages(bodies, &items), SOUK_E_INTERNAL);
	ck_assert_uint_eq(test_host_requests("DescribeThings"), 2);
}
END_TEST

START_TEST(a_bad_page_fails_all)
{
	static const char *const bodies[] = { REPLY("<nextToken>x</nextToken>"), "<r", NULL };
	int items = 0;

	ck_assert_int_eq(run_pages(bodies, &items), SOUK_E_INTERNAL);
}
END_TEST

/* ---- Signed requests on the wire ----------------------------------------------------------------
 */

static int refuse_then_serve(const struct souk_http_request *request, struct test_answer *answer,
			     void *arg)
{
	int *times = arg;

	(void)request;
	if (--*times >= 0)
		*answer = (struct test_answer){
			.status = 400, .headers = "Date: Sun, 22 Nov 2037 14:00:00 GMT\r\n",
			.body = "<Response><Errors><Error><Code>RequestExpired</Code></Error>"
				"</Errors></Response>",
		};
	else
		*answer = (struct test_answer){ .status = 200, .body = REPLY("") };
	return 1;
}

START_TEST(a_wrong_clock_is_allowed_for)
{
	struct aws_client client = { self, test_host_call(), "us-east-1" };
	struct aws_query query;
	struct aws_xml xml = { 0 };
	int times = 1;

	test_host_responder(refuse_then_serve, &times);
	aws_query_init(&query, &operation);
	ck_assert_msg(aws_query_send(&client, &operation, &query, &xml, NULL, &err) == SOUK_OK,
		      "%s", err.message);
	aws_xml_fini(&xml);
	ck_assert_uint_eq(test_host_requests("DescribeThings"), 2);
	ck_assert_int_eq(strncmp(test_host_last_header("DescribeThings", "X-Amz-Date"), "20371122",
				 8), 0);
	/* But only once. */
	times = 10;
	ck_assert_int_eq(aws_query_send(&client, &operation, &query, &xml, NULL, &err),
			 SOUK_E_AUTH);
	ck_assert_uint_eq(test_host_requests("DescribeThings"), 3);
	aws_query_fini(&query);
}
END_TEST

static const struct {
	const char *option; /* 'endpoint' */
	const char *general;
	const char *specific;
	const char *ignore;
	const char *region;
	const char *url; /* NULL: refused */
} endpoints[] = {
	{ NULL, NULL, NULL, NULL, "eu-west-1", "https://ec2.eu-west-1.amazonaws.com" },
	{ NULL, NULL, NULL, NULL, "cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn" },
	{ NULL, NULL, NULL, NULL, "us-gov-west-1", "https://ec2.us-gov-west-1.amazonaws.com" },
	{ NULL, "http://127.0.0.1:1/", NULL, NULL, "x", "http://127.0.0.1:1" },
	{ NULL, "http://127.0.0.1:1", "http://127.0.0.1:2/a/", NULL, "x", "http://127.0.0.1:2/a" },
	{ "http://127.0.0.1:3", "http://127.0.0.1:1", "http://127.0.0.1:2", NULL, "x",
	  "http://127.0.0.1:3" },
	{ NULL, "http://127.0.0.1:1", NULL, "true", "eu-west-1",
	  "https://ec2.eu-west-1.amazonaws.com" },
	{ "ftp://x", NULL, NULL, NULL, "x", NULL },
	{ "https://", NULL, NULL, NULL, "x", NULL },
	{ "https://a b", NULL, NULL, NULL, "x", NULL },
	{ "https://user@host", NULL, NULL, NULL, "x", NULL },
	{ NULL, NULL, NULL, NULL, "evil.example.com#", NULL },
	{ NULL, NULL, NULL, NULL, "", NULL },
};

static void set_or_unset(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

START_TEST(endpoints_are_chosen)
{
	struct souk_buf url;
	int ret;

	test_host_option("endpoint", endpoints[_i].option);
	set_or_unset("AWS_ENDPOINT_URL", endpoints[_i].general);
	set_or_unset("AWS_ENDPOINT_URL_EC2", endpoints[_i].specific);
	set_or_unset("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", endpoints[_i].ignore);
	souk_buf_init(&url, 1024);
	ret = aws_endpoint(self, test_host_call(), "ec2", endpoints[_i].region, &url, &err);
	ck_assert_int_eq(ret, endpoints[_i].url ? SOUK_OK : SOUK_E_INVALID);
	if (endpoints[_i].url)
		ck_assert_str_eq(url.data, endpoints[_i].url);
	souk_buf_fini(&url);
}
END_TEST

/* Each service, where AWS has it in each partition. */
static const struct {
	const char *service;
	const char *region;
	const char *url;
} partitions[] = {
	{ "ec2", "us-east-1", "https://ec2.us-east-1.amazonaws.com" },
	{ "sts", "us-east-1", "https://sts.us-east-1.amazonaws.com" },
	{ "ssm", "ap-south-2", "https://ssm.ap-south-2.amazonaws.com" },
	{ "servicequotas", "us-east-1", "https://servicequotas.us-east-1.amazonaws.com" },
	{ "pricing", "us-east-1", "https://api.pricing.us-east-1.amazonaws.com" },
	{ "sso", "eu-west-1", "https://portal.sso.eu-west-1.amazonaws.com" },
	{ "sso-oidc", "eu-west-1", "https://oidc.eu-west-1.amazonaws.com" },
	{ "ec2", "cn-north-1", "https://ec2.cn-north-1.amazonaws.com.cn" },
	{ "sts", "cn-northwest-1", "https://sts.cn-northwest-1.amazonaws.com.cn" },
	{ "ssm", "cn-north-1", "https://ssm.cn-north-1.amazonaws.com.cn" },
	{ "servicequotas", "cn-north-1", "https://servicequotas.cn-north-1.amazonaws.com.cn" },
	{ "pricing", "cn-northwest-1", "https://api.pricing.cn-northwest-1.amazonaws.com.cn" },
	{ "sso", "cn-north-1", "https://portal.sso.cn-north-1.amazonaws.com.cn" },
	{ "sso-oidc", "cn-north-1", "https://oidc.cn-north-1.amazonaws.com.cn" },
	{ "ec2", "us-gov-west-1", "https://ec2.us-gov-west-1.amazonaws.com" },
	{ "sts", "us-gov-east-1", "https://sts.us-gov-east-1.amazonaws.com" },
	{ "ssm", "us-gov-west-1", "https://ssm.us-gov-west-1.amazonaws.com" },
	{ "servicequotas", "us-gov-west-1", "https://servicequotas.us-gov-west-1.amazonaws.com" },
	{ "ec2", "eusc-de-east-1", "https://ec2.eusc-de-east-1.amazonaws.eu" },
};

START_TEST(partitions_have_their_own)
{
	struct souk_buf url;

	test_host_option("endpoint", NULL);
	unsetenv("AWS_ENDPOINT_URL");
	unsetenv("AWS_ENDPOINT_URL_EC2");
	unsetenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
	souk_buf_init(&url, 1024);
	ck_assert_msg(aws_endpoint(self, test_host_call(), partitions[_i].service,
				   partitions[_i].region, &url, &err) == SOUK_OK,
		      "%s", err.message);
	ck_assert_str_eq(url.data, partitions[_i].url);
	souk_buf_fini(&url);
	ck_assert_str_eq(aws_pricing_region("cn-north-1"), "cn-northwest-1");
	ck_assert_str_eq(aws_pricing_region("eu-west-3"), "eu-central-1");
	ck_assert_str_eq(aws_pricing_region("ap-east-1"), "ap-south-1");
	ck_assert_str_eq(aws_pricing_region("sa-east-1"), "us-east-1");
}
END_TEST

/* The service-linked role is named in whichever partition the account is. */
START_TEST(the_policy_is_for_each_partition)
{
	ck_assert_ptr_nonnull(strstr(aws_permissions, "\"arn:*:iam::*:role/aws-service-role/"));
	ck_assert_ptr_null(strstr(aws_permissions, "arn:aws:"));
}
END_TEST

/* ---- What replies say ---------------------------------------------------------------------------
 */

static const struct {
	const char *xml;
	int is_sold;
	const char *accelerator;
	uint32_t milli;
	uint32_t memory_mib;
} types[] = {
#define BASE(arch)                                                                                 \
	"<instanceType>x.large</instanceType><vCpuInfo><defaultVCpus>4</defaultVCpus></vCpuInfo>"  \
	"<memoryInfo><sizeInMiB>16384</sizeInMiB></memoryInfo><processorInfo>"                     \
	"<supportedArchitectures><item>" arch "</item></supportedArchitectures></processorInfo>"
#define GPU(name, count, mib, more)                                                                \
	"<item>" BASE("x86_64") "<gpuInfo><gpus><item><name>" name "</name><count>" count          \
	"</count>" more "<memoryInfo><sizeInMiB>" mib                                              \
	"</sizeInMiB></memoryInfo></item></gpus></gpuInfo></item>"
	{ "<item>" BASE("x86_64") "</item>", 1, "", 0, 0 },
	{ "<item>" BASE("arm64") "</item>", 1, "", 0, 0 },
	{ "<item>" BASE("i386") "</item>", 0, "", 0, 0 },
	{ "<item>" BASE("x86_64_mac") "</item>", 0, "", 0, 0 },
	{ "<item/>", 0, "", 0, 0 },
	{ "<item><instanceType>x</instanceType></item>", 0, "", 0, 0 },
	{ GPU("A100", "8", "40960", ""), 1, "A100", 8000, 40960 },
	{ GPU("A100", "8", "81920", ""), 1, "A100-80GB", 8000, 81920 },
	{ GPU("V100", "8", "16384", ""), 1, "V100", 8000, 16384 },
	{ GPU("V100", "8", "32768", ""), 1, "V100-32GB", 8000, 32768 },
	{ GPU("L4", "1", "22888", "<gpuPartitionSize>1.0</gpuPartitionSize>"), 1, "L4", 1000,
	  24576 },
	{ GPU("A10G", "4", "22888", ""), 1, "A10G", 4000, 24576 },
	{ GPU("L4", "0", "2861", "<gpuPartitionSize>0.125</gpuPartitionSize>"), 1, "L4", 125,
	  2861 },
	{ GPU("L4", "1", "11444", ""), 1, "L4", 500, 11444 },
	{ GPU("L4", "1", "5722", ""), 1, "L4", 250, 5722 },
	{ GPU("RTX PRO Server 6000", "2", "98304", ""), 1, "RTXPRO6000", 2000, 98304 },
	{ GPU("Gaudi HL-205", "8", "32768", ""), 1, "Gaudi-HL205", 8000, 32768 },
	{ GPU("Radeon Pro V520", "1", "8192", ""), 1, "V520", 1000, 8192 },
	{ GPU("X9000", "99999999", "1", ""), 1, "", 0, 0 },
	{ GPU("X9000", "18446744073709552", "8192", ""), 1, "", 0, 0 }, /* 384, times 1000 */
	{ "<item>" BASE("x86_64") "<neuronInfo><neuronDevices><item><count>16</count>"
				  "<name>Trainium2</name><memoryInfo><sizeInMiB>524288</"
				  "sizeInMiB></memoryInfo></item>"
				  "</neuronDevices></neuronInfo></item>",
	  1, "Trainium2", 16000, 98304 },
	{ "<item>" BASE("x86_64") "<inferenceAcceleratorInfo><accelerators><member><count>4</count>"
				  "<name>Inferentia</name><memoryInfo><sizeInMiB>8192</sizeInMiB></"
				  "memoryInfo></member>"
				  "</accelerators></inferenceAcceleratorInfo></item>",
	  1, "Inferentia", 4000, 8192 },
#define FPGA(name)                                                                                 \
	"<item>" BASE("x86_64") "<fpgaInfo><fpgas><item><name>" name "</name><count>2</count>"     \
	"<memoryInfo><sizeInMiB>81920</sizeInMiB></memoryInfo></item></fpgas></fpgaInfo></item>"
	{ FPGA("Virtex UltraScale+ (VU47P)"), 1, "VU47P", 2000, 81920 },
	{ FPGA("Agilex"), 1, "Agilex", 2000, 81920 },
	{ FPGA("VUVUVUVUVUVUVUVUVUVUVUVUVUVUVUVUVUVUVUVUVU"), 1, "", 0, 0 },
};

START_TEST(types_are_read)
{
	struct aws_xml xml = { 0 };
	struct aws_type type = { .name = "untouched" };
	int ret;

	ck_assert_int_eq(aws_xml_parse(types[_i].xml, strlen(types[_i].xml), "X", &xml, &err),
			 SOUK_OK);
	ret = aws_type_read(xml.root, &type);
	ck_assert_int_eq(ret, types[_i].is_sold);
	if (ret) {
		ck_assert_str_eq(type.name, "x.large");
		ck_assert_uint_eq(type.vcpus_milli, 4000);
		ck_assert_uint_eq(type.memory_mib, 16384);
		ck_assert_str_eq(type.accelerator, types[_i].accelerator);
		ck_assert_uint_eq(type.accelerator_milli, types[_i].milli);
		ck_assert_uint_eq(type.accelerator_memory_mib, types[_i].memory_mib);
	} else {
		ck_assert_str_eq(type.name, "untouched");
	}
	aws_xml_fini(&xml);
}
END_TEST

#define PRICED(attributes, unit, price)                                                            \
	"{\"product\":{\"attributes\":{\"instanceType\":\"m5.large\"" attributes                   \
	"}},\"terms\":{\"OnDemand\":{\"s\":{\"priceDimensions\":{\"d\":{\"unit\":\"" unit          \
	"\",\"pricePerUnit\":{\"USD\":\"" price "\"}}}}}}}"

static const struct {
	const char *json;
	int64_t micros; /* -1: not ours */
} products[] = {
	{ PRICED("", "Hrs", "0.0960000000"), 96000 },
	{ PRICED(",\"operatingSystem\":\"Linux\",\"tenancy\":\"Shared\"", "Hrs", "12.24"),
	  12240000 },
	{ PRICED("", "Hrs", "0.0000005000"), 1 },
	{ PRICED("", "Hrs", "0.0000000000"), -1 },
	{ PRICED("", "Hrs", "-1"), -1 },
	{ PRICED("", "Quantity", "0.096"), -1 },
	{ PRICED(",\"operatingSystem\":\"Windows\"", "Hrs", "0.1"), -1 },
	{ PRICED(",\"tenancy\":\"Dedicated\"", "Hrs", "0.1"), -1 },
	{ PRICED(",\"preInstalledSw\":\"SQL Std\"", "Hrs", "0.1"), -1 },
	{ PRICED(",\"marketoption\":\"CapacityBlock\"", "Hrs", "0.1"), -1 },
	{ "{\"product\":{},\"terms\":{}}", -1 },
	{ "{\"product\":[],\"terms\":7}", -1 },
	{ "{}", -1 },
};

START_TEST(products_are_read)
{
	struct json_object *product = souk_json_parse(products[_i].json, strlen(products[_i].json));
	const char *type = NULL;
	int64_t micros = -1;

	ck_assert_ptr_nonnull(product);
	ck_assert_int_eq(aws_product_read(product, "USD", &type, &micros),
			 products[_i].micros >= 0);
	ck_assert_int_eq(micros, products[_i].micros);
	json_object_put(product);
}
END_TEST

static const struct {
	const char *text;
	const char *cidr; /* NULL: refused */
} cidrs[] = {
	{ "203.0.113.9", "203.0.113.9/32" },	{ "203.0.113.77/24", "203.0.113.0/24" },
	{ "203.0.113.77/25", "203.0.113.0/25" }, { "203.0.113.177/25", "203.0.113.128/25" },
	{ "0.0.0.0/0", "0.0.0.0/0" },		{ "2001:db8::1", "2001:db8::1/128" },
	{ "2001:db8:1:2::1/33", "2001:db8::/33" }, { "1.2.3", NULL },
	{ "1.2.3.4/33", NULL },			{ "1.2.3.4/", NULL },
	{ "1.2.3.4/-1", NULL },			{ "1.2.3.4/8 ", NULL },
	{ "::1/129", NULL },			{ "", NULL },
	{ "host", NULL },
	{ "00000000000000000000000000000000000000000000000000000000000000000000", NULL },
};

START_TEST(networks_are_checked)
{
	char out[SOUK_NETWORK_SIZE] = "";
	int ret = souk_parse_network(cidrs[_i].text, out, &err);

	ck_assert_msg((ret == SOUK_OK) == (cidrs[_i].cidr != NULL), "'%s': %s", cidrs[_i].text,
		      out);
	if (cidrs[_i].cidr)
		ck_assert_str_eq(out, cidrs[_i].cidr);
}
END_TEST

START_TEST(names_tell_users)
{
	ck_assert_str_eq(aws_image_user_by_name("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04"),
			 "ubuntu");
	ck_assert_str_eq(aws_image_user_by_name("Deep Learning Base OSS Nvidia Driver GPU AMI "
						"(Ubuntu 22.04) 20260101"), "ubuntu");
	ck_assert_str_eq(aws_image_user_by_name("debian-12-amd64-20260101-1"), "admin");
	ck_assert_str_eq(aws_image_user_by_name("al2023-ami-2023.5-kernel-6.1-x86_64"), "ec2-user");
	ck_assert_ptr_null(aws_image_user_by_name("my-image"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("aws-query");
	TCase *tc = tcase_create("query");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, open_provider, close_provider);
	tcase_add_test(tc, requests_are_encoded);
	tcase_add_test(tc, requests_have_a_ceiling);
	tcase_add_loop_test(tc, hostile_xml_is_refused, 0, (int)AWS_ARRAY_SIZE(hostile));
	tcase_add_test(tc, deep_xml_is_refused);
	tcase_add_test(tc, xml_is_read);
	tcase_add_test(tc, all_pages_are_read);
	tcase_add_test(tc, a_page_that_follows_itself);
	tcase_add_test(tc, a_bad_page_fails_all);
	tcase_add_test(tc, a_wrong_clock_is_allowed_for);
	tcase_add_loop_test(tc, partitions_have_their_own, 0, (int)AWS_ARRAY_SIZE(partitions));
	tcase_add_test(tc, the_policy_is_for_each_partition);
	tcase_add_loop_test(tc, endpoints_are_chosen, 0, (int)AWS_ARRAY_SIZE(endpoints));
	tcase_add_loop_test(tc, types_are_read, 0, (int)AWS_ARRAY_SIZE(types));
	tcase_add_loop_test(tc, products_are_read, 0, (int)AWS_ARRAY_SIZE(products));
	tcase_add_loop_test(tc, networks_are_checked, 0, (int)AWS_ARRAY_SIZE(cidrs));
	tcase_add_test(tc, names_tell_users);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
