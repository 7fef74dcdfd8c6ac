/* SPDX-License-Identifier: Apache-2.0 */
/* test-azure-credentials.c - where tokens for Azure are from, how long they are kept */

#include <check.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "azure.h"
#include "credentials.h"
#include "json-read.h"
#include "market.h"
#include "test-host.h"

extern const struct souk_provider_ops *souk_provider_entry(void);

static char folder[] = "/tmp/souk-azure-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
	const char *path = path_of(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* ---- A cloud that gives tokens ---- */

struct login {
	int status;	   /* 0: 200 */
	const char *body;  /* NULL: a token that differs each time */
	const char *permissions;
	unsigned n;
	unsigned refusals; /* of requests with a token, as expired */
	char text[256];
	char url[512];
};

static int answer_as(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	struct login *login = arg;

	answer->status = 200;
	if (strcmp(request->what, "token") == 0 || strcmp(request->what, "managed identity") == 0) {
		snprintf(login->url, sizeof(login->url), "%s", request->url);
		/* {"appid":"app-1"} */
		snprintf(login->text, sizeof(login->text),
			 "{\"access_token\":\"h.eyJhcHBpZCI6ImFwcC0xIn0.%u\",\"expires_in\":\"3600\"}",
			 ++login->n);
		answer->status = login->status ? login->status : 200;
		answer->body = login->body ? login->body : login->text;
	} else if (login->refusals) {
		login->refusals--;
		answer->status = 401;
		answer->body = "{\"error\":{\"code\":\"ExpiredAuthenticationToken\",\"message\":\"old\"}}";
	} else if (strstr(request->url, "permissions")) {
		answer->body = login->permissions;
	} else if (strstr(request->url, "/subscriptions/")) {
		answer->body = "{\"displayName\":\"Research\",\"tenantId\":\"ten\",\"state\":\"Enabled\"}";
	} else {
		answer->body = "{\"value\":[{\"subscriptionId\":\"only\",\"state\":\"Enabled\"},"
			       "{\"subscriptionId\":\"old\",\"state\":\"Disabled\"}]}";
	}
	return 1;
}

static struct azure_client client;
static struct login login;

static void open_account(void)
{
	struct souk_error err = SOUK_ERROR_INIT;
	void *self = NULL;

	test_host_responder(answer_as, &login);
	ck_assert_msg(souk_provider_entry()->open(test_host_call(), &self, &err) == SOUK_OK, "%s",
		      err.message);
	client = (struct azure_client){ self, test_host_call() };
}

static void expect_token(const char *source)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct azure_token token = { 0 };

	ck_assert_msg(azure_token_get(&client, &token, &err) == SOUK_OK, "%s", err.message);
	ck_assert_str_eq(token.source, source);
	azure_token_fini(&token);
}

static void expect_none(int code, const char *words)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct azure_token token = { 0 };

	ck_assert_int_eq(azure_token_get(&client, &token, &err), code);
	ck_assert_msg(strstr(err.message, words) != NULL, "%s", err.message);
	if (code == SOUK_E_AUTH)
		ck_assert_int_eq(err.scope, SOUK_SCOPE_PROVIDER);
}

/* ---- Places ---- */

START_TEST(a_secret)
{
	setenv("AZURE_TENANT_ID", "ten", 1);
	setenv("AZURE_CLIENT_ID", "cli", 1);
	setenv("AZURE_CLIENT_SECRET", "a&b =", 1);
	open_account();
	expect_token("the application's secret");
	ck_assert_str_eq(login.url, "https://login.microsoftonline.com/ten/oauth2/v2.0/token");
	ck_assert_str_eq(test_host_last_body("token"),
			 "grant_type=client_credentials&client_id=cli&"
			 "scope=https%3A%2F%2Fmanagement.azure.com%2F.default&client_secret=a%26b%20%3D");
	/* It is kept. */
	expect_token("the application's secret");
	ck_assert_uint_eq(test_host_requests("token"), 1);
}
END_TEST

START_TEST(a_setting_comes_before_the_environment)
{
	setenv("AZURE_TENANT_ID", "ten", 1);
	setenv("AZURE_CLIENT_ID", "cli", 1);
	setenv("AZURE_CLIENT_SECRET", "one", 1);
	test_host_option("client_secret", "two");
	test_host_option("tenant", "other");
	test_host_option("endpoint", "https://management.usgovcloudapi.net/");
	test_host_option("login_endpoint", "https://login.microsoftonline.us");
	open_account();
	expect_token("the application's secret");
	ck_assert_str_eq(login.url, "https://login.microsoftonline.us/other/oauth2/v2.0/token");
	ck_assert_ptr_nonnull(strstr(test_host_last_body("token"), "client_secret=two"));
	ck_assert_ptr_nonnull(strstr(test_host_last_body("token"), "usgovcloudapi.net%2F.default"));
}
END_TEST

START_TEST(what_is_incomplete_is_said)
{
	setenv("AZURE_CLIENT_ID", "cli", 1);
	setenv("AZURE_CLIENT_SECRET", "x", 1);
	open_account();
	expect_none(SOUK_E_AUTH, "AZURE_TENANT_ID is not");
	setenv("AZURE_TENANT_ID", "../ten", 1);
	expect_none(SOUK_E_AUTH, "not a tenant: '../ten'");
}
END_TEST

START_TEST(a_refusal_is_said)
{
	setenv("AZURE_TENANT_ID", "ten", 1);
	setenv("AZURE_CLIENT_ID", "cli", 1);
	setenv("AZURE_CLIENT_SECRET", "x", 1);
	login.status = 401;
	login.body = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: no.\\r\\nT\"}";
	open_account();
	expect_none(SOUK_E_AUTH, "cannot get an Azure token: AADSTS7000215: no");
	login.status = 200;
	login.body = "{\"expires_in\":3600}";
	expect_none(SOUK_E_AUTH, "gave no access token");
	login.body = "{\"access_token\":\"a\\r\\nX-Evil: 1\",\"expires_in\":3600}";
	expect_none(SOUK_E_AUTH, "characters that none can have");
	login.body = "[]";
	expect_none(SOUK_E_INTERNAL, "not JSON");
}
END_TEST

START_TEST(a_federated_token)
{
	setenv("AZURE_TENANT_ID", "ten", 1);
	setenv("AZURE_CLIENT_ID", "cli", 1);
	setenv("AZURE_FEDERATED_TOKEN_FILE", path_of("federated"), 1);
	open_account();
	expect_none(SOUK_E_AUTH, "cannot read the federated token");
	write_file("federated", "a.b.c\n", 0600);
	expect_token("the federated token");
	ck_assert_ptr_nonnull(strstr(test_host_last_body("token"), "&client_assertion=a.b.c"));
	ck_assert_ptr_nonnull(strstr(test_host_last_body("token"), "&client_assertion_type=urn%3Aietf"));
}
END_TEST

START_TEST(a_managed_identity)
{
	test_host_option("metadata_endpoint", "http://127.0.0.1:9");
	setenv("AZURE_CLIENT_ID", "mine", 1);
	open_account();
	expect_token("the managed identity");
	ck_assert_str_eq(login.url, "http://127.0.0.1:9/metadata/identity/oauth2/token?"
				    "api-version=2018-02-01&resource=https%3A%2F%2Fmanagement.azure.com"
				    "%2F&client_id=mine");
	ck_assert_str_eq(test_host_last_header("managed identity", "Metadata"), "true");
	azure_token_fini(&client.azure->token);
	setenv("IDENTITY_ENDPOINT", "http://127.0.0.1:9/x", 1);
	setenv("IDENTITY_HEADER", "sesame", 1);
	expect_token("the managed identity");
	ck_assert_str_eq(test_host_last_header("managed identity", "X-IDENTITY-HEADER"), "sesame");
	/* A machine that has none is no error. */
	azure_token_fini(&client.azure->token);
	login.status = 400;
	expect_none(SOUK_E_AUTH, "no Azure credentials found");
}
END_TEST

static void install_az(const char *script)
{
	char path[4096];

	write_file("az", script, 0755);
	snprintf(path, sizeof(path), "%s:%s", folder, "/usr/bin:/bin");
	setenv("PATH", path, 1);
}

START_TEST(the_az_command)
{
	char subscription[AZURE_ID_SIZE];
	struct souk_error err = SOUK_ERROR_INIT;

	open_account();
	install_az("#!/bin/sh\necho \"$*\" >\"${0%az}args\"\n"
		   "echo '{\"accessToken\":\"from-az\",\"expires_on\":4000000000,"
		   "\"subscription\":\"sub-az\",\"tenant\":\"t\"}'\n");
	expect_token("the az command");
	ck_assert_int_eq(azure_subscription(&client, subscription, &err), SOUK_OK);
	ck_assert_str_eq(subscription, "sub-az");
	azure_token_fini(&client.azure->token);
	setenv("AZURE_SUBSCRIPTION_ID", "chosen", 1);
	expect_token("the az command");
	{
		struct souk_buf args;

		ck_assert_int_eq(souk_read_file(path_of("args"), 4096, &args, &err), SOUK_OK);
		ck_assert_str_eq(args.data, "account get-access-token --output json --resource "
					    "https://management.azure.com --subscription chosen\n");
		souk_buf_fini(&args);
	}
	azure_token_fini(&client.azure->token);
	install_az("#!/bin/sh\nexit 1\n");
	expect_none(SOUK_E_AUTH, "the az command has no token for us (exit status 1)");
	install_az("#!/bin/sh\necho hello\n");
	expect_none(SOUK_E_AUTH, "printed no JSON");
}
END_TEST

START_TEST(one_place_can_be_named)
{
	install_az("#!/bin/sh\necho '{\"accessToken\":\"x\"}'\n");
	setenv("AZURE_TENANT_ID", "ten", 1);
	setenv("AZURE_CLIENT_ID", "cli", 1);
	setenv("AZURE_CLIENT_SECRET", "x", 1);
	test_host_option("credential", "cli");
	open_account();
	expect_token("the az command");
	azure_token_fini(&client.azure->token);
	test_host_option("credential", "workload");
	expect_none(SOUK_E_AUTH, "no Azure credentials found");
	test_host_option("credential", "magic");
	expect_none(SOUK_E_INVALID, "no such place: 'magic'");
}
END_TEST

START_TEST(an_expired_token_is_renewed_once)
{
	struct souk_identity *identity = test_identity_new();
	struct souk_error err = SOUK_ERROR_INIT;

	setenv("AZURE_TENANT_ID", "ten", 1);
	setenv("AZURE_CLIENT_ID", "cli", 1);
	setenv("AZURE_CLIENT_SECRET", "x", 1);
	login.permissions = "{\"value\":[{\"actions\":[\"*\"],\"notActions\":[]}]}";
	login.refusals = 1;
	open_account();
	ck_assert_msg(souk_provider_entry()->check(client.azure, client.call, identity, &err) ==
			      SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(login.n, 2);
	ck_assert_str_eq(test_identity(identity, "account"), "only");
	ck_assert_str_eq(test_identity(identity, "project"), "Research");
	ck_assert_str_eq(test_identity(identity, "principal"), "app-1");
	test_identity_free(identity);
	identity = test_identity_new();
	login.refusals = 100;
	ck_assert_int_eq(souk_provider_entry()->check(client.azure, client.call, identity, &err),
			 SOUK_E_AUTH);
	test_identity_free(identity);
}
END_TEST

START_TEST(a_token_is_stale_before_it_ends)
{
	const struct azure_token token = { .expires_at = 1000 };

	ck_assert(!azure_token_stale(&token, 700));
	ck_assert(azure_token_stale(&token, 701));
}
END_TEST

/* ---- Rights ---- */

START_TEST(what_is_missing_is_said)
{
	struct souk_identity *identity = test_identity_new();
	struct souk_error err = SOUK_ERROR_INIT;

	setenv("AZURE_TENANT_ID", "ten", 1);
	setenv("AZURE_CLIENT_ID", "cli", 1);
	setenv("AZURE_CLIENT_SECRET", "x", 1);
	login.permissions = "{\"value\":[{\"actions\":[\"*/read\",\"Microsoft.Network/*\","
			    "\"Microsoft.Resources/*\",\"Microsoft.Compute/*\"],"
			    "\"notActions\":[\"Microsoft.Compute/virtualMachines/Write\"]}]}";
	open_account();
	ck_assert_int_eq(souk_provider_entry()->check(client.azure, client.call, identity, &err),
			 SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "the role does not allow Microsoft.Compute/virtualMachines/write");
	test_identity_free(identity);
}
END_TEST

static const struct {
	const char *pattern;
	const char *action;
	int matches;
} patterns[] = {
	{ "*", "A/b/c", 1 },	  { "A/*", "A/b/c", 1 },    { "a/B/C", "A/b/c", 1 },
	{ "*/c", "A/b/c", 1 },	  { "A/*/c", "A/b/x/c", 1 }, { "*/read", "A/b/write", 0 },
	{ "A", "A/b", 0 },	  { "A/b/c/d", "A/b/c", 0 }, { "", "A", 0 },
	{ "A/*/c*", "A/b/cc", 1 }, { "**", "A", 1 },	    { "*b*", "abc", 1 },
	{ "*b*d", "abc", 0 },
};

START_TEST(patterns_match)
{
	ck_assert_msg(azure_action_matches(patterns[_i].pattern, patterns[_i].action) ==
			      patterns[_i].matches, "%s %s", patterns[_i].pattern,
		      patterns[_i].action);
}
END_TEST

START_TEST(the_role_has_all_that_is_checked)
{
	struct json_object *role = souk_json_parse(azure_permissions, strlen(azure_permissions));
	struct json_object *list = souk_json_maybe_array(role, "Actions");
	struct souk_identity *identity = test_identity_new();
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_buf text;

	ck_assert_ptr_nonnull(list);
	souk_buf_init(&text, 65536);
	souk_buf_printf(&text, "{\"value\":[{\"actions\":%s}]}", json_object_to_json_string(list));
	setenv("AZURE_TENANT_ID", "ten", 1);
	setenv("AZURE_CLIENT_ID", "cli", 1);
	setenv("AZURE_CLIENT_SECRET", "x", 1);
	login.permissions = text.data;
	open_account();
	ck_assert_msg(souk_provider_entry()->check(client.azure, client.call, identity, &err) ==
			      SOUK_OK, "%s", err.message);
	test_identity_free(identity);
	souk_buf_fini(&text);
	json_object_put(role);
}
END_TEST

/* ---- Certificates ---- */

static EVP_PKEY *key;
static X509 *certificate;

static void make_certificate(void)
{
	FILE *file;

	key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	certificate = X509_new();
	ck_assert(key && certificate);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_set_pubkey(certificate, key);
	ck_assert_int_gt(X509_sign(certificate, key, EVP_sha256()), 0);
	file = fopen(path_of("cert.pem"), "w");
	ck_assert_ptr_nonnull(file);
	PEM_write_X509(file, certificate);
	PEM_write_PrivateKey(file, key, EVP_aes_128_cbc(), NULL, 0, NULL, (void *)"sesame");
	ck_assert_int_eq(fclose(file), 0);
}

/* From base64url. */
static size_t decode(const char *text, size_t len, unsigned char *out, size_t size)
{
	char padded[2048];
	size_t i;

	ck_assert_uint_lt(len + 4, sizeof(padded));
	for (i = 0; i < len; i++)
		padded[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	while (i % 4)
		padded[i++] = '=';
	ck_assert_uint_le(i / 4 * 3, size);
	ck_assert_int_ge(EVP_DecodeBlock(out, (const unsigned char *)padded, (int)i), 0);
	return len * 3 / 4;
}

static void check_signature(const char *jwt)
{
	const char *dot = strrchr(jwt, '.');
	unsigned char signature[1024];
	size_t len = decode(dot + 1, strlen(dot + 1), signature, sizeof(signature));
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	EVP_PKEY_CTX *padding;

	ck_assert_int_eq(EVP_DigestVerifyInit(context, &padding, EVP_sha256(), NULL, key), 1);
	EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING);
	EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST);
	ck_assert_int_eq(EVP_DigestVerify(context, signature, len, (const unsigned char *)jwt,
					  (size_t)(dot - jwt)), 1);
	EVP_MD_CTX_free(context);
}

START_TEST(a_certificate)
{
	const char *form;
	char jwt[4096];
	unsigned char claims[2048] = "";
	const char *first;

	make_certificate();
	setenv("AZURE_TENANT_ID", "ten", 1);
	setenv("AZURE_CLIENT_ID", "cli", 1);
	setenv("AZURE_CLIENT_CERTIFICATE_PATH", path_of("cert.pem"), 1);
	open_account();
	expect_none(SOUK_E_AUTH, "has no private key with its certificate");
	setenv("AZURE_CLIENT_CERTIFICATE_PASSWORD", "sesame", 1);
	expect_token("the application's certificate");
	form = strstr(test_host_last_body("token"), "client_assertion=");
	ck_assert_ptr_nonnull(form);
	snprintf(jwt, sizeof(jwt), "%s", form + strlen("client_assertion="));
	jwt[strcspn(jwt, "&")] = '\0';
	check_signature(jwt);
	first = strchr(jwt, '.');
	claims[decode(first + 1, strcspn(first + 1, "."), claims, sizeof(claims) - 1)] = '\0';
	ck_assert_ptr_nonnull(strstr((char *)claims, "\"iss\":\"cli\",\"sub\":\"cli\""));
	ck_assert_ptr_nonnull(strstr((char *)claims,
				     "\"aud\":\"https://login.microsoftonline.com/ten/oauth2/v2.0/token\""));
	setenv("AZURE_CLIENT_CERTIFICATE_PATH", path_of("nothing"), 1);
	azure_token_fini(&client.azure->token);
	expect_none(SOUK_E_AUTH, "cannot read the certificate");
	EVP_PKEY_free(key);
	X509_free(certificate);
}
END_TEST

/* ---- Claims ---- */

START_TEST(claims_are_read)
{
	char text[32];

	/* {"oid":"o-1","n":5} */
	ck_assert(azure_token_claim("h.eyJvaWQiOiJvLTEiLCJuIjo1fQ.s", "oid", text, sizeof(text)));
	ck_assert_str_eq(text, "o-1");
	ck_assert(!azure_token_claim("h.eyJvaWQiOiJvLTEiLCJuIjo1fQ.s", "n", text, sizeof(text)));
	ck_assert(!azure_token_claim("h.eyJvaWQiOiJvLTEiLCJuIjo1fQ.s", "oid", text, 3));
	ck_assert(!azure_token_claim("opaque", "oid", text, sizeof(text)));
	ck_assert(!azure_token_claim("h.!!!.s", "oid", text, sizeof(text)));
	ck_assert(!azure_token_claim("..", "oid", text, sizeof(text)));
}
END_TEST

static void clear_environment(void)
{
	static const char *const names[] = {
		"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET",
		"AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PASSWORD",
		"AZURE_FEDERATED_TOKEN_FILE", "AZURE_AUTHORITY_HOST", "AZURE_SUBSCRIPTION_ID",
		"IDENTITY_ENDPOINT", "IDENTITY_HEADER", "AZURE_POD_IDENTITY_AUTHORITY_HOST",
	};
	size_t i;

	for (i = 0; i < AZURE_ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
	setenv("PATH", "/nonexistent", 1);
}

static void set_up(void)
{
	test_host_reset();
	clear_environment();
	login = (struct login){ 0 };
	client = (struct azure_client){ 0 };
	snprintf(folder, sizeof(folder), "/tmp/souk-azure-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void tear_down(void)
{
	static const char *const names[] = { "federated", "az", "args", "cert.pem" };
	size_t i;

	souk_provider_entry()->close(client.azure);
	for (i = 0; i < AZURE_ARRAY_SIZE(names); i++)
		unlink(path_of(names[i]));
	rmdir(folder);
}

int main(void)
{
	Suite *suite = suite_create("azure-credentials");
	TCase *tc = tcase_create("credentials");
	SRunner *runner;
	int failed;

	/* RSA keys are made, which takes its time under valgrind. */
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_secret);
	tcase_add_test(tc, a_setting_comes_before_the_environment);
	tcase_add_test(tc, what_is_incomplete_is_said);
	tcase_add_test(tc, a_refusal_is_said);
	tcase_add_test(tc, a_federated_token);
	tcase_add_test(tc, a_managed_identity);
	tcase_add_test(tc, the_az_command);
	tcase_add_test(tc, one_place_can_be_named);
	tcase_add_test(tc, an_expired_token_is_renewed_once);
	tcase_add_test(tc, a_token_is_stale_before_it_ends);
	tcase_add_test(tc, what_is_missing_is_said);
	tcase_add_loop_test(tc, patterns_match, 0, AZURE_ARRAY_SIZE(patterns));
	tcase_add_test(tc, the_role_has_all_that_is_checked);
	tcase_add_test(tc, a_certificate);
	tcase_add_test(tc, claims_are_read);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
