/* SPDX-License-Identifier: Apache-2.0 */
/* test-aws-offers.c - the market of EC2 as replies tell of it: whole or not at all; and quotes */

#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "market.h"
#include "products.h"
#include "test-host.h"

extern const struct souk_provider_ops *souk_provider_entry(void);

#define SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct souk_provider_ops *ops;
static void *self;
static struct souk_error err;
static struct souk_offer_list *offers;
static struct souk_quote_list *quote;

/* ---- A cloud of answers ---- */

/* The first rule that fits a request answers it; 'times' uses it up. */
struct rule {
	const char *what;   /* the request's name */
	const char *has;    /* in its body, or in a header; NULL: any */
	const char *lacks;  /* NULL: nothing */
	int status;
	const char *body;
	int times;	    /* 0: for ever */
};

static struct rule rules[64];
static size_t n_rules;
static uint32_t cache_seconds[256]; /* of each GetProducts */
static size_t n_prices;

static int is_there(const struct souk_http_request *request, const char *text)
{
	size_t i;

	if (strstr(request->body, text))
		return 1;
	for (i = 0; request->headers[i]; i++)
		if (strstr(request->headers[i], text))
			return 1;
	return 0;
}

static int play(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	size_t i;

	(void)arg;
	if (strcmp(request->what, "GetProducts") == 0 && n_prices < SIZE(cache_seconds))
		cache_seconds[n_prices++] = request->cache_seconds;
	else if (request->cache_seconds)
		abort(); /* what differs by account must not be kept */
	for (i = 0; i < n_rules; i++) {
		struct rule *rule = &rules[i];

		if (!rule->what || strcmp(rule->what, request->what) != 0 ||
		    (rule->has && !is_there(request, rule->has)) ||
		    (rule->lacks && is_there(request, rule->lacks)))
			continue;
		answer->status = rule->status;
		answer->body = rule->body;
		if (rule->times && --rule->times == 0)
			rule->what = NULL;
		return 1;
	}
	*answer = (struct test_answer){ .status = 400, .body = "no answer to this in the test" };
	return 1;
}

/* Put a rule before the others. */
static void rule_first(const char *what, const char *has, int status, const char *body, int times)
{
	ck_assert_uint_lt(n_rules, SIZE(rules));
	memmove(rules + 1, rules, n_rules++ * sizeof(rules[0]));
	rules[0] = (struct rule){ .what = what, .has = has, .status = status, .body = body,
				  .times = times };
}

static void rule_last(const char *what, const char *has, const char *body)
{
	ck_assert_uint_lt(n_rules, SIZE(rules));
	rules[n_rules++] = (struct rule){ .what = what, .has = has, .status = 200, .body = body };
}

#define TYPE(name, more)                                                                           \
	"<item><instanceType>" name "</instanceType><vCpuInfo><defaultVCpus>4</defaultVCpus>"      \
	"</vCpuInfo><memoryInfo><sizeInMiB>8192</sizeInMiB></memoryInfo><processorInfo>"           \
	"<supportedArchitectures><item>x86_64</item></supportedArchitectures></processorInfo>"     \
	"<supportedUsageClasses><item>on-demand</item><item>spot</item>" more                      \
	"</supportedUsageClasses></item>"
#define PLACE(name, zone)                                                                          \
	"<item><instanceType>" name "</instanceType><location>" zone "</location></item>"
#define SPOT(name, zone, price, when)                                                              \
	"<item><instanceType>" name "</instanceType><availabilityZone>" zone                       \
	"</availabilityZone><spotPrice>" price "</spotPrice><timestamp>" when                      \
	"</timestamp><productDescription>Linux/UNIX</productDescription></item>"
/* A product as a text in JSON. */
#define PRODUCT_OF(attributes, unit, currency, price)                                              \
	"\"{\\\"product\\\":{\\\"attributes\\\":{" attributes "}},\\\"publicationDate\\\":"        \
	"\\\"2026-11-01T00:00:00Z\\\",\\\"terms\\\":{\\\"OnDemand\\\":{\\\"a\\\":{"                \
	"\\\"priceDimensions\\\":{\\\"b\\\":{\\\"unit\\\":\\\"" unit "\\\",\\\"pricePerUnit\\\":{" \
	"\\\"" currency "\\\":\\\"" price "\\\"}}}}}}}\""
#define MACHINE(name, tenancy, price)                                                              \
	PRODUCT_OF("\\\"instanceType\\\":\\\"" name "\\\",\\\"operatingSystem\\\":\\\"Linux\\\","  \
		   "\\\"tenancy\\\":\\\"" tenancy "\\\"", "Hrs", "USD", price)
#define USAGE(type, unit, price)                                                                   \
	PRODUCT_OF("\\\"usagetype\\\":\\\"" type "\\\"", unit, "USD", price)
#define PAGE(products) "{\"PriceList\":[" products "]}"
#define PAGE_BEFORE(next, products) "{\"PriceList\":[" products "],\"NextToken\":\"" next "\"}"
#define REFUSAL(code)                                                                              \
	"<Response><Errors><Error><Code>" code "</Code><Message>so it is</Message></Error>"        \
	"</Errors></Response>"
#define REFUSAL_JSON(code) "{\"__type\":\"" code "\",\"message\":\"so it is\"}"

#define OPEN(action) "<" action "Response>"
#define CLOSE(action) "</" action "Response>"

/* A region that sells two types, in two zones. */
#define EC2_REGION(region, type, extra)                                                            \
	do {                                                                                       \
		rule_last("DescribeInstanceTypes", "/" region "/ec2/",                             \
			  OPEN("DescribeInstanceTypes") "<instanceTypeSet>" TYPE(type, "") TYPE("m5.metal", "") \
			  TYPE(type, "") "</instanceTypeSet>" CLOSE("DescribeInstanceTypes"));     \
		rule_last("DescribeAvailabilityZones", "/" region "/ec2/",                         \
			  OPEN("DescribeAvailabilityZones") "<availabilityZoneInfo>"                       \
			  "<item><zoneName>" region "a</zoneName></item>"                          \
			  "<item><zoneName>" region "b</zoneName></item>"                          \
			  "<item><zoneName>" region "-lax-1a</zoneName><zoneType>local-zone"       \
			  "</zoneType></item></availabilityZoneInfo>" CLOSE("DescribeAvailabilityZones")); \
		rule_last("DescribeInstanceTypeOfferings", "/" region "/ec2/",                     \
			  OPEN("DescribeInstanceTypeOfferings") "<instanceTypeOfferingSet>" PLACE(type, region "b") \
			  PLACE(type, region "a") PLACE("m5.metal", region "a")                    \
			  PLACE(type, region "-lax-1a") PLACE(type, region "b")                    \
			  "</instanceTypeOfferingSet>" CLOSE("DescribeInstanceTypeOfferings"));    \
		rule_last("DescribeSpotPriceHistory", "/" region "/ec2/",                          \
			  OPEN("DescribeSpotPriceHistory") "<spotPriceHistorySet>"                 \
			  SPOT(type, region "a", "0.0100", "2026-11-22T10:00:00.000Z")             \
			  SPOT(type, region "a", "0.0300", "2026-11-22T12:00:00.000Z")             \
			  SPOT(type, region "a", "0.0200", "2026-11-22T11:00:00.000Z") extra       \
			  "</spotPriceHistorySet>" CLOSE("DescribeSpotPriceHistory"));             \
	} while (0)

static void make_market(void)
{
	n_rules = 0;
	n_prices = 0;
	EC2_REGION("us-east-1", "m5.large", SPOT("m5.large", "us-east-1b", "0.0250",
						 "2026-11-22T09:00:00.000Z"));
	EC2_REGION("eu-west-1", "c5.large", "");
	rule_last("GetProducts", "bare metal",
		  PAGE(MACHINE("m5.metal", "Dedicated", "4.6080000000")));
	rule_last("GetProducts", "\"NextToken\":\"two\"",
		  PAGE(MACHINE("m5.large", "Shared", "0.0960000000") ","
		       MACHINE("c5.large", "Shared", "0.0850000000")));
	rule_last("GetProducts", "\"Shared\"",
		  PAGE_BEFORE("two", MACHINE("c5.large", "Dedicated", "0.0100000000") ","
			      MACHINE("x9.huge", "Shared", "9.0000000000")));
}

static void set_up(void)
{
	test_host_reset();
	test_host_option("endpoint", "http://127.0.0.1:9");
	test_host_option("region", "us-east-1,eu-west-1");
	setenv("AWS_ACCESS_KEY_ID", "testing", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "testing", 1);
	setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	err = (struct souk_error)SOUK_ERROR_INIT;
	ops = souk_provider_entry();
	ck_assert_int_eq(ops->open(test_host_call(), &self, &err), SOUK_OK);
	make_market();
	test_host_responder(play, NULL);
	offers = test_offers_new();
	quote = test_quotes_new();
}

static void tear_down(void)
{
	test_offers_free(offers);
	test_quotes_free(quote);
	ops->close(self);
}

static int list(void)
{
	return ops->list_offers(self, test_host_call(), offers, &err);
}

/* ---- Offers ---------------------------------------------------------------------------------- */

static void expect_offer(const char *type, const char *zone, int64_t micros, int64_t spot)
{
	const struct souk_offer *offer = test_offer_find(offers, type, zone);

	ck_assert_msg(offer != NULL, "%s in %s is missing", type, zone);
	ck_assert_int_eq(offer->micros_per_hour, micros);
	ck_assert_int_eq(offer->spot_micros_per_hour, spot);
	ck_assert_str_eq(offer->currency, "USD");
}

START_TEST(market_is_listed_once)
{
	ck_assert_msg(list() == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_offers_count(offers), 6);
	expect_offer("m5.large", "us-east-1a", 96000, 30000);
	expect_offer("m5.large", "us-east-1b", 96000, 25000);
	expect_offer("m5.metal", "us-east-1a", 4608000, -1);
	expect_offer("c5.large", "eu-west-1a", 85000, 30000);
	expect_offer("c5.large", "eu-west-1b", 85000, -1);
	expect_offer("m5.metal", "eu-west-1a", 4608000, -1);
	ck_assert_uint_eq(test_host_requests("GetProducts"), 6);
}
END_TEST

START_TEST(progress_is_told)
{
	ck_assert_int_eq(list(), SOUK_OK);
	ck_assert_str_eq(test_host_progress()->what, "regions");
	ck_assert_uint_eq(test_host_progress()->done, 2);
	ck_assert_uint_eq(test_host_progress()->total, 2);
	ck_assert_uint_eq(test_host_progress()->n, 3);
}
END_TEST

START_TEST(prices_may_be_kept)
{
	size_t i;

	ck_assert_int_eq(list(), SOUK_OK);
	for (i = 0; i < n_prices; i++)
		ck_assert_uint_eq(cache_seconds[i], AWS_PRICES_KEPT_SECONDS);
}
END_TEST

/* What the list does not price is said to those who ask, and sold on the spot market only. */
START_TEST(types_without_a_price)
{
	rule_first("GetProducts", "bare metal", 200, PAGE(""), 0);
	ck_assert_int_eq(list(), SOUK_OK);
	ck_assert_uint_eq(test_offers_count(offers), 4);
	ck_assert_ptr_null(test_offer_find(offers, "m5.metal", "us-east-1a"));
	ck_assert_ptr_nonnull(strstr(test_host_log(SOUK_LOG_INFO),
				     "no price on demand for 1 of 2 instance types"));
}
END_TEST

/* The list has five digits, the spot market four. */
START_TEST(spot_is_not_dearer_by_rounding)
{
	rule_first("DescribeSpotPriceHistory", "/us-east-1/ec2/", 200,
		   OPEN("DescribeSpotPriceHistory") "<spotPriceHistorySet>"
		   SPOT("m5.large", "us-east-1a", "0.096099", "2026-11-22T12:00:00.000Z")
		   SPOT("m5.large", "us-east-1b", "0.096100", "2026-11-22T12:00:00.000Z")
		   "</spotPriceHistorySet>" CLOSE("DescribeSpotPriceHistory"), 0);
	ck_assert_int_eq(list(), SOUK_OK);
	expect_offer("m5.large", "us-east-1a", 96000, 96000);
	expect_offer("m5.large", "us-east-1b", 96000, 96100);
}
END_TEST

static const struct {
	const char *what;
	const char *has;
	int status;
	const char *body;
	int code;
	const char *message;
} lost[] = {
	{ "DescribeInstanceTypes", "/eu-west-1/ec2/", 400, REFUSAL("InvalidParameterValue"),
	  SOUK_E_INVALID, "'eu-west-1': cannot list instance types" },
	{ "DescribeSpotPriceHistory", "/eu-west-1/ec2/", 503, REFUSAL("RequestLimitExceeded"),
	  SOUK_E_RATE_LIMIT, "'eu-west-1': cannot get spot prices" },
	{ "DescribeInstanceTypeOfferings", "/us-east-1/ec2/", 500, REFUSAL("InternalError"),
	  SOUK_E_TRANSIENT, "'us-east-1': " },
	{ "GetProducts", "\"eu-west-1\"", 400, REFUSAL_JSON("AccessDeniedException"), SOUK_E_AUTH,
	  "'eu-west-1': cannot get the price list" },
	{ "DescribeInstanceTypes", "/eu-west-1/ec2/", 400, REFUSAL("ExpiredToken"), SOUK_E_AUTH,
	  "'eu-west-1': " },
	{ "GetProducts", "\"eu-west-1\"", 200, "{\"PriceList\":[", SOUK_E_INTERNAL,
	  "'eu-west-1': the reply to GetProducts is not JSON" },
	{ "GetProducts", "\"eu-west-1\"", 200, "{\"PriceList\":{}}", SOUK_E_INTERNAL,
	  "the price list is not a list" },
	{ "GetProducts", "\"eu-west-1\"", 200, PAGE("\"{\""), SOUK_E_INTERNAL,
	  "product 1 of the page is not JSON" },
	{ "GetProducts", "\"eu-west-1\"", 200, PAGE_BEFORE("same", ""), SOUK_E_INTERNAL,
	  "the next page is the same page" },
	{ "GetProducts", "\"eu-west-1\"", 200, PAGE(""), SOUK_E_INTERNAL,
	  "no price for any of 2 instance types" },
	{ "DescribeSpotPriceHistory", "/us-east-1/ec2/", 200, "<r><spot", SOUK_E_INTERNAL,
	  "'us-east-1': the reply to DescribeSpotPriceHistory is not XML" },
	{ "DescribeInstanceTypes", "/us-east-1/ec2/", 200, "<DescribeInstanceTypesResponse/>",
	  SOUK_E_INTERNAL, "'us-east-1': EC2 lists no instance type there" },
	{ "DescribeAvailabilityZones", "/us-east-1/ec2/", 200,
	  "<DescribeAvailabilityZonesResponse/>", SOUK_E_INTERNAL,
	  "'us-east-1': EC2 lists no zone that sells anything there" },
	{ "DescribeAvailabilityZones", "/us-east-1/ec2/", 200, "<html/>", SOUK_E_INTERNAL,
	  "'us-east-1': the reply to DescribeAvailabilityZones is that to something else" },
};

START_TEST(a_region_that_fails_fails_all)
{
	rule_first(lost[_i].what, lost[_i].has, lost[_i].status, lost[_i].body, 0);
	ck_assert_int_eq(list(), lost[_i].code);
	ck_assert_int_eq(err.code, lost[_i].code);
	ck_assert_msg(strstr(err.message, lost[_i].message) != NULL, "%s", err.message);
	ck_assert_uint_eq(test_offers_count(offers), 0);
}
END_TEST

/* What makes no sense is told before what may pass: the host forgets the replies by it. */
START_TEST(nonsense_comes_first)
{
	rule_first("DescribeInstanceTypes", "/eu-west-1/ec2/", 200, "<r", 0);
	rule_first("DescribeInstanceTypes", "/us-east-1/ec2/", 500, REFUSAL("InternalError"), 0);
	ck_assert_int_eq(list() == SOUK_E_INTERNAL || err.code == SOUK_E_TRANSIENT, 1);
	/* If both had begun before one had failed, it is the nonsense that is told. */
	if (test_host_requests("DescribeInstanceTypes") > 3)
		ck_assert_int_eq(err.code, SOUK_E_INTERNAL);
}
END_TEST

static const struct {
	int status;
	const char *body;
} closed[] = {
	{ 403, REFUSAL("OptInRequired") },
	{ 401, REFUSAL("AuthFailure") },
	{ 403, REFUSAL("UnauthorizedOperation") },
	{ 403, "<Response><Errors><Error><Code>X</Code><Message>denied by a service control policy"
	       "</Message></Error></Errors></Response>" },
};

START_TEST(a_region_that_is_closed_is_left_out)
{
	rule_first("DescribeInstanceTypes", "/eu-west-1/ec2/", closed[_i].status, closed[_i].body,
		   0);
	ck_assert_msg(list() == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_offers_count(offers), 3);
	ck_assert_ptr_nonnull(strstr(test_host_log(SOUK_LOG_WARNING),
				     "left out 'eu-west-1', which this account may not use"));
}
END_TEST

START_TEST(all_closed_is_a_failure)
{
	rule_first("DescribeInstanceTypes", NULL, 403, REFUSAL("OptInRequired"), 0);
	ck_assert_int_eq(list(), SOUK_E_AUTH);
	ck_assert_uint_eq(test_offers_count(offers), 0);
}
END_TEST

START_TEST(no_price_list_in_some_parts)
{
	test_host_option("region", "us-gov-west-1");
	EC2_REGION("us-gov-west-1", "m5.large", "");
	ck_assert_int_eq(list(), SOUK_E_UNSUPPORTED);
	ck_assert_ptr_nonnull(strstr(err.hint, "souk catalog import"));
	ck_assert_uint_eq(test_host_requests("GetProducts"), 0);
}
END_TEST

START_TEST(cancelled)
{
	test_host_cancel(1);
	ck_assert_int_eq(list(), SOUK_E_CANCELLED);
	ck_assert_uint_eq(test_offers_count(offers), 0);
}
END_TEST

/* ---- Pages ----------------------------------------------------------------------------------- */

START_TEST(a_page_without_sense_is_asked_for_again)
{
	rule_first("GetProducts", "\"NextToken\":\"two\"", 200, "{\"PriceList\":[", 2);
	rule_first("DescribeSpotPriceHistory", NULL, 200, "<r><nextToken>", 2);
	test_host_option("region", "us-east-1");
	ck_assert_msg(list() == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_offers_count(offers), 3);
	ck_assert_uint_eq(n_prices, 5);
	/* Not the kept one again, which is the same nonsense. */
	ck_assert_uint_eq(cache_seconds[1], AWS_PRICES_KEPT_SECONDS);
	ck_assert_uint_eq(cache_seconds[2], 1);
	ck_assert_uint_eq(cache_seconds[3], 1);
	ck_assert_uint_eq(test_host_slept_ms(), 2 * (2000 + 4000));
}
END_TEST

START_TEST(a_page_without_sense_is_not_asked_for_for_ever)
{
	rule_first("GetProducts", "\"NextToken\":\"two\"", 200, "{}", 0);
	test_host_option("region", "us-east-1");
	ck_assert_int_eq(list(), SOUK_E_INTERNAL);
	ck_assert_uint_eq(n_prices, 1 + AWS_UNREADABLE_TRIES);
}
END_TEST

START_TEST(an_expired_token_begins_anew)
{
	rule_first("GetProducts", "\"NextToken\":\"two\"", 400,
		   REFUSAL_JSON("ExpiredNextTokenException"), 1);
	test_host_option("region", "us-east-1");
	ck_assert_msg(list() == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_offers_count(offers), 3);
	ck_assert_uint_eq(n_prices, 5);
	ck_assert_uint_eq(cache_seconds[2], 1);
	ck_assert_uint_eq(cache_seconds[3], 1);
	/* Twice is once too often. */
	rule_first("GetProducts", "\"NextToken\":\"two\"", 400,
		   REFUSAL_JSON("InvalidNextTokenException"), 0);
	ck_assert_int_lt(list(), 0);
	ck_assert_uint_eq(n_prices, 9);
}
END_TEST

/* ---- Products -------------------------------------------------------------------------------- */

static const struct {
	const char *attributes, *unit, *currency, *price;
	int64_t micros; /* -1: not ours */
} products[] = {
	{ "'instanceType':'m5.large'", "Hrs", "USD", "0.0960000000", 96000 },
	{ "'instanceType':'m5.large'", "hrs", "USD", "0.0960004", 96000 },
	{ "'instanceType':'m5.large'", "Hrs", "CNY", "0.0960000000", -1 },
	{ "'instanceType':'m5.large'", "Quantity", "USD", "0.096", -1 },
	{ "'instanceType':'m5.large'", "Hrs", "USD", "0.0000000000", -1 },
	{ "'instanceType':'m5.large'", "Hrs", "USD", "-1", -1 },
	{ "'instanceType':'m5.large'", "Hrs", "USD", "free", -1 },
	{ "'instanceType':'m5.large','tenancy':'Dedicated'", "Hrs", "USD", "1", -1 },
	{ "'instanceType':'m5.metal','tenancy':'Dedicated'", "Hrs", "USD", "1", 1000000 },
	{ "'instanceType':'c7i.metal-24xl','tenancy':'Dedicated'", "Hrs", "USD", "1", 1000000 },
	{ "'instanceType':'metal','tenancy':'Dedicated'", "Hrs", "USD", "1", -1 },
	{ "'instanceType':'m5.metal','tenancy':'Host'", "Hrs", "USD", "1", -1 },
	{ "'instanceType':'m5.large','operatingSystem':'Windows'", "Hrs", "USD", "1", -1 },
	{ "'instanceType':'m5.large','preInstalledSw':'SQL Web'", "Hrs", "USD", "1", -1 },
	{ "'instanceType':'m5.large','capacitystatus':'AllocatedHost'", "Hrs", "USD", "1", -1 },
	{ "'instanceType':'m5.large','marketoption':'CapacityBlock'", "Hrs", "USD", "1", -1 },
	{ "'instanceType':'m5.large','locationType':'AWS Local Zone'", "Hrs", "USD", "1", -1 },
	{ "'instanceType':'m5.large','operation':'RunInstances:0202'", "Hrs", "USD", "1", -1 },
	{ "'volumeApiName':'gp3'", "Hrs", "USD", "1", -1 },
};

/* JSON of a product whose quotes are single ones here. */
static struct json_object *parse_product(size_t i)
{
	struct json_object *product;
	struct souk_buf text;
	char *at;

	souk_buf_init(&text, 4096);
	souk_buf_printf(&text,
			"{'publicationDate':'2026-11-01T00:00:00Z','product':{'attributes':{%s}},"
			"'terms':{'OnDemand':{'a':{'priceDimensions':{'b':{'unit':'%s',"
			"'pricePerUnit':{'%s':'%s'}}}}}}}",
			products[i].attributes, products[i].unit, products[i].currency,
			products[i].price);
	for (at = text.data; *at; at++)
		if (*at == '\'')
			*at = '"';
	product = json_tokener_parse(text.data);
	ck_assert_ptr_nonnull(product);
	souk_buf_fini(&text);
	return product;
}

START_TEST(products_are_judged)
{
	struct json_object *product = parse_product((size_t)_i);
	const char *type = NULL;
	int64_t micros = -1;
	char date[11];

	ck_assert_int_eq(aws_product_read(product, "USD", &type, &micros),
			 products[_i].micros >= 0);
	ck_assert_int_eq(micros, products[_i].micros);
	ck_assert_int_eq(type != NULL, products[_i].micros >= 0);
	aws_product_date(product, date);
	ck_assert_str_eq(date, "2026-11-01");
	json_object_put(product);
}
END_TEST

static const struct {
	const char *json, *date;
} dates[] = {
	{ "{\"publicationDate\":\"2026-11-01T00:00:00Z\"}", "2026-11-01" },
	{ "{\"publicationDate\":\"2026-11-01\"}", "2026-11-01" },
	{ "{\"publicationDate\":\"2026-11\"}", "" },
	{ "{\"publicationDate\":\"yesterday, at noon\"}", "" },
	{ "{\"publicationDate\":20261101}", "" },
	{ "{}", "" },
};

START_TEST(dates_are_read)
{
	struct json_object *product = json_tokener_parse(dates[_i].json);
	char date[11];

	aws_product_date(product, date);
	ck_assert_str_eq(date, dates[_i].date);
	json_object_put(product);
}
END_TEST

static const struct {
	const char *xml;
	int64_t micros; /* -1: no price */
	int64_t at;
} spots[] = {
	{ SPOT("m5.large", "us-east-1a", "0.0312", "2026-11-22T12:00:00.000Z"), 31200, 1795348800 },
	{ SPOT("m5.large", "us-east-1a", "0.0312", "lately"), 31200, 0 },
	{ SPOT("m5.large", "us-east-1a", "0.0", "2026-11-22T12:00:00Z"), -1, 0 },
	{ SPOT("m5.large", "us-east-1a", "-0.1", "2026-11-22T12:00:00Z"), -1, 0 },
	{ SPOT("m5.large", "us-east-1a", "cheap", "2026-11-22T12:00:00Z"), -1, 0 },
	{ "<item><instanceType>m5.large</instanceType><spotPrice>1</spotPrice></item>", -1, 0 },
	{ "<item><availabilityZone>a</availabilityZone><spotPrice>1</spotPrice></item>", -1, 0 },
	{ "<item><instanceType>x</instanceType><availabilityZone>a</availabilityZone>"
	  "<spotPrice>1</spotPrice><productDescription>Windows</productDescription></item>",
	  -1, 0 },
	{ "<item><instanceType>x</instanceType><availabilityZone>a</availabilityZone><spotPrice>1"
	  "</spotPrice><productDescription>Linux/UNIX (Amazon VPC)</productDescription></item>",
	  1000000, 0 },
	{ "<item/>", -1, 0 },
};

START_TEST(spot_prices_are_read)
{
	struct aws_xml xml = { 0 };
	struct aws_spot spot;

	ck_assert_int_eq(aws_xml_parse(spots[_i].xml, strlen(spots[_i].xml), "X", &xml, &err),
			 SOUK_OK);
	ck_assert_int_eq(aws_spot_read(xml.root, &spot), spots[_i].micros >= 0);
	if (spots[_i].micros >= 0) {
		ck_assert_int_eq(spot.micros_per_hour, spots[_i].micros);
		ck_assert_int_eq(spot.at, spots[_i].at);
	}
	aws_xml_fini(&xml);
}
END_TEST

/* ---- Quotes ---------------------------------------------------------------------------------- */

#define GP3                                                                                        \
	USAGE("EBS:VolumeUsage.gp3", "GB-Mo", "0.0800000000") ","                                  \
	USAGE("EBS:VolumeP-IOPS.gp3", "IOPS-Mo", "0.0050000000") ","                               \
	USAGE("EBS:VolumeP-Throughput.gp3", "GiBps-mo", "40.9600000000")
#define IO2                                                                                        \
	USAGE("EBS:VolumeUsage.io2", "GB-Mo", "0.1250000000") ","                                  \
	USAGE("EBS:VolumeP-IOPS.io2", "IOPS-Mo", "0.0650000000") ","                               \
	USAGE("EBS:VolumeP-IOPS.io2.tier2", "IOPS-Mo", "0.0455000000")

static void make_quote_market(void)
{
	rule_first("GetProducts", "VPCPublicIPv4Address", 200,
		   PAGE(USAGE("PublicIPv4:IdleAddress", "Hrs", "0.0010000000") ","
			USAGE("USW2-PublicIPv4:InUseAddress", "Hrs", "0.0050000000")), 0);
	rule_first("GetProducts", "\"Value\":\"gp3\"", 200, PAGE(GP3), 0);
	rule_first("GetProducts", "\"Value\":\"io2\"", 200, PAGE(IO2), 0);
	rule_first("GetProducts", "\"Value\":\"m5.large\"", 200,
		   PAGE(MACHINE("m5.large", "Shared", "0.0960000000") ","
			MACHINE("m5.large.not", "Shared", "0.0010000000")), 0);
}

static struct souk_instance_spec a_spec(void)
{
	return (struct souk_instance_spec){
		.struct_size = sizeof(struct souk_instance_spec), .count = 1,
		.instance_type = "m5.large", .region = "us-east-1",
	};
}

static int ask(const struct souk_instance_spec *spec)
{
	return ops->quote(self, test_host_call(), spec, quote, &err);
}

/* The line of that name: what it costs an hour, and a part of its note. */
static void expect_line(const char *item, int64_t micros, const char *note)
{
	size_t i;

	for (i = 0; i < test_quotes_count(quote); i++) {
		const struct souk_quote_line *line = test_quote(quote, i);

		if (strcmp(line->item, item) != 0)
			continue;
		ck_assert_msg(line->micros == micros, "%s: %" PRId64 ", not %" PRId64, item,
			      line->micros, micros);
		ck_assert_uint_eq(line->per_hour, 1);
		ck_assert_str_eq(line->currency, "USD");
		ck_assert_msg(strstr(line->note, note) != NULL, "%s: %s", item, line->note);
		return;
	}
	ck_assert_msg(0, "no line '%s'", item);
}

START_TEST(quote_has_machine_disk_and_address)
{
	struct souk_instance_spec spec = a_spec();

	make_quote_market();
	spec.count = 3;
	spec.disk_size_mib = 100 * 1024;
	ck_assert_msg(ask(&spec) == SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_quotes_count(quote), 3);
	expect_line("compute", 3 * 96000,
		    "3 x m5.large at 0.096; price list of 2026-11-01 for us-east-1");
	expect_line("disk", 3 * 10959,
		    "3 x 100 GiB of gp3 at 0.08 a GiB and month of 730 hours; price list of");
	expect_line("address", 3 * 5000, "3 x public IPv4 address at 0.005; price list of");
}
END_TEST

START_TEST(quote_without_disk_and_address)
{
	struct souk_instance_spec spec = a_spec();

	make_quote_market();
	test_host_option("use_internal_ips", "true");
	ck_assert_int_eq(ask(&spec), SOUK_OK);
	ck_assert_uint_eq(test_quotes_count(quote), 1);
	expect_line("compute", 96000, "m5.large");
}
END_TEST

static const struct {
	const char *tier;
	uint64_t gib;
	int64_t micros; /* an hour */
	const char *note;
} disks[] = {
	{ "low", 1, 110, "gp3" },
	{ "medium", 1000, 109589, "gp3" },
	/* 200 x 0.08, 4000 IOPS above 3000 x 0.005, 312 MiB/s above 125 x 0.04, over 730 hours */
	{ "high", 200, (16000000 + 20000000 + 12480000 + 365) / 730, "7000 IOPS" },
	/* 5 GiB may have 2500 IOPS: no more than what gp3 has anyway */
	{ "high", 5, (400000 + 365) / 730, "gp3" },
	{ "ultra", 100, (12500000 + 1300000000LL + 365) / 730, "20000 IOPS" },
	{ "best", 10, (1250000 + 325000000 + 365) / 730, "5000 IOPS" },
};

START_TEST(quote_of_disks)
{
	struct souk_instance_spec spec = a_spec();

	make_quote_market();
	spec.disk_tier = disks[_i].tier;
	spec.disk_size_mib = disks[_i].gib * 1024;
	ck_assert_msg(ask(&spec) == SOUK_OK, "%s", err.message);
	expect_line("disk", disks[_i].micros, disks[_i].note);
}
END_TEST

START_TEST(quote_of_spot)
{
	struct souk_instance_spec spec = a_spec();

	make_quote_market();
	test_host_option("use_internal_ips", "true");
	spec.spot = 1;
	spec.zone = "us-east-1b";
	ck_assert_msg(ask(&spec) == SOUK_OK, "%s", err.message);
	expect_line("compute", 25000, "in us-east-1b at 0.025; spot price since 2026-11-22T09:00:00Z");
	test_quotes_free(quote);
	quote = test_quotes_new();
	/* Nobody knows which zone it will be: the dearest of what holds now. */
	spec.zone = NULL;
	ck_assert_int_eq(ask(&spec), SOUK_OK);
	expect_line("compute", 30000, "in us-east-1a at 0.03; spot price since 2026-11-22T12:00:00Z");
	spec.zone = "us-east-1f";
	ck_assert_int_eq(ask(&spec), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "AWS has no spot price for 'm5.large' in 'us-east-1f'");
}
END_TEST

START_TEST(quote_of_whole_machines)
{
	struct souk_instance_spec spec = a_spec();

	make_quote_market();
	test_host_option("use_internal_ips", "true");
	rule_first("GetProducts", "\"Value\":\"m5.metal\"", 200, PAGE(""), 1);
	rule_last("GetProducts", "\"Dedicated\"", PAGE(MACHINE("m5.metal", "Dedicated", "4.6")));
	spec.instance_type = "m5.metal";
	ck_assert_msg(ask(&spec) == SOUK_OK, "%s", err.message);
	expect_line("compute", 4600000, "m5.metal at 4.60;");
}
END_TEST

START_TEST(quote_that_cannot_be_made)
{
	struct souk_instance_spec spec = a_spec();

	make_quote_market();
	spec.instance_type = "m9.large";
	rule_first("GetProducts", "\"Value\":\"m9.large\"", 200, PAGE(""), 0);
	ck_assert_int_eq(ask(&spec), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "AWS has no list price for 'm9.large' in 'us-east-1'");
	spec = a_spec();
	spec.disk_size_mib = 1024;
	rule_first("GetProducts", "\"Value\":\"gp3\"", 200, PAGE(""), 0);
	ck_assert_int_eq(ask(&spec), SOUK_E_NOT_FOUND);
	spec.region = "evil.example.com/";
	ck_assert_int_eq(ask(&spec), SOUK_E_INVALID);
	spec = a_spec();
	rule_first("GetProducts", "VPCPublicIPv4Address", 400,
		   REFUSAL_JSON("AccessDeniedException"), 0);
	ck_assert_int_eq(ask(&spec), SOUK_E_AUTH);
}
END_TEST

static void add_offer_tests(Suite *suite)
{
	TCase *tc = tcase_create("offers");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, market_is_listed_once);
	tcase_add_test(tc, progress_is_told);
	tcase_add_test(tc, prices_may_be_kept);
	tcase_add_test(tc, types_without_a_price);
	tcase_add_test(tc, spot_is_not_dearer_by_rounding);
	tcase_add_loop_test(tc, a_region_that_fails_fails_all, 0, SIZE(lost));
	tcase_add_test(tc, nonsense_comes_first);
	tcase_add_loop_test(tc, a_region_that_is_closed_is_left_out, 0, SIZE(closed));
	tcase_add_test(tc, all_closed_is_a_failure);
	tcase_add_test(tc, no_price_list_in_some_parts);
	tcase_add_test(tc, cancelled);
	tcase_add_test(tc, a_page_without_sense_is_asked_for_again);
	tcase_add_test(tc, a_page_without_sense_is_not_asked_for_for_ever);
	tcase_add_test(tc, an_expired_token_begins_anew);
	suite_add_tcase(suite, tc);
}

static void add_quote_tests(Suite *suite)
{
	TCase *tc = tcase_create("quotes");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, quote_has_machine_disk_and_address);
	tcase_add_test(tc, quote_without_disk_and_address);
	tcase_add_loop_test(tc, quote_of_disks, 0, SIZE(disks));
	tcase_add_test(tc, quote_of_spot);
	tcase_add_test(tc, quote_of_whole_machines);
	tcase_add_test(tc, quote_that_cannot_be_made);
	suite_add_tcase(suite, tc);
}

int main(void)
{
	Suite *suite = suite_create("aws-offers");
	TCase *tc = tcase_create("replies");
	SRunner *runner;
	int failed;

	aws_xml_init();
	tcase_add_loop_test(tc, products_are_judged, 0, SIZE(products));
	tcase_add_loop_test(tc, dates_are_read, 0, SIZE(dates));
	tcase_add_loop_test(tc, spot_prices_are_read, 0, SIZE(spots));
	suite_add_tcase(suite, tc);
	add_offer_tests(suite);
	add_quote_tests(suite);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
