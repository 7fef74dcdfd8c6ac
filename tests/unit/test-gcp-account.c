/* SPDX-License-Identifier: Apache-2.0 */
/* test-gcp-account.c - credentials, tokens, projects, and what is asked with them */

#include <check.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "market.h"
#include "test-host.h"

const struct souk_provider_ops *souk_provider_entry(void);

static char home[64];
static struct souk_error err;
static void *self;
static struct gcp_client client;

static const char *path_in_home(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", home, name);
	return path;
}

static void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_in_home(name), "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void set_up(void)
{
	static const char *const variables[] = {
		"GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG", "GOOGLE_CLOUD_PROJECT",
		"CLOUDSDK_CORE_PROJECT", "GCLOUD_PROJECT", "GCE_METADATA_HOST",
		"CLOUDSDK_ACTIVE_CONFIG_NAME",
	};
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(variables); i++)
		unsetenv(variables[i]);
	setenv("NO_GCE_CHECK", "true", 1);
	snprintf(home, sizeof(home), "/tmp/souk-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(home));
	setenv("HOME", home, 1);
	ck_assert_int_eq(mkdir(path_in_home(".config"), 0700), 0);
	ck_assert_int_eq(mkdir(path_in_home(".config/gcloud"), 0700), 0);
	ck_assert_int_eq(mkdir(path_in_home(".config/gcloud/configurations"), 0700), 0);
	test_host_reset();
	err = (struct souk_error)SOUK_ERROR_INIT;
	self = NULL;
}

static void tear_down(void)
{
	char command[128];

	if (self)
		souk_provider_entry()->close(self);
	snprintf(command, sizeof(command), "exec rm -rf -- '%s'", home);
	ck_assert_int_eq(system(command), 0);
}

static void open_account(void)
{
	ck_assert_msg(souk_provider_entry()->open(test_host_call(), &self, &err) == SOUK_OK, "%s",
		      err.message);
	client = (struct gcp_client){ self, test_host_call() };
}

#define ADC ".config/gcloud/application_default_credentials.json"
#define USER_FILE                                                                                  \
	"{\"type\":\"authorized_user\",\"client_id\":\"id&1\",\"client_secret\":\"s=2\","          \
	"\"refresh_token\":\"1//r\",\"quota_project_id\":\"quota-1\"}"

/* ---- Answers ---- */

struct answers {
	int token_status;
	const char *token;     /* NULL: "good" */
	int refuse_first;      /* so many requests with a token get 401 */
	const char *zones;     /* bodies; NULL: none */
	const char *types;
	const char *accelerators;
	const char *skus;
	const char *permissions;
	int types_status;
	unsigned n_refused;
};

static int answer(const struct souk_http_request *request, struct test_answer *out, void *arg)
{
	static char token[256];
	struct answers *a = arg;

	*out = (struct test_answer){ .status = 200 };
	if (strcmp(request->what, "token") == 0 || strcmp(request->what, "metadata") == 0) {
		out->status = a->token_status ? a->token_status : 200;
		snprintf(token, sizeof(token), "{\"access_token\":\"%s\",\"expires_in\":3600}",
			 a->token ? a->token : "good");
		out->body = out->status == 200 ? token :
						 "{\"error\":\"invalid_grant\",\"error_description\":"
						 "\"Token has been revoked.\"}";
		if (strstr(request->url, "project-id"))
			out->body = "machine-project";
		if (strstr(request->url, "/email"))
			out->body = "machine@example.com";
		return 1;
	}
	if (a->n_refused < (unsigned)a->refuse_first) {
		a->n_refused++;
		out->status = 401;
		out->body = "{\"error\":{\"code\":401,\"message\":\"expired\","
			    "\"status\":\"UNAUTHENTICATED\"}}";
		return 1;
	}
	if (strcmp(request->what, "zones.list") == 0)
		out->body = a->zones;
	else if (strcmp(request->what, "machineTypes.list") == 0)
		out->body = a->types;
	else if (strcmp(request->what, "acceleratorTypes.aggregatedList") == 0)
		out->body = a->accelerators;
	else if (strcmp(request->what, "skus.list") == 0)
		out->body = a->skus;
	else if (strcmp(request->what, "projects.testIamPermissions") == 0)
		out->body = a->permissions;
	else if (strcmp(request->what, "tokeninfo") == 0)
		out->body = "{\"email\":\"me@example.com\"}";
	if (strcmp(request->what, "machineTypes.list") == 0 && a->types_status)
		out->status = a->types_status;
	if (!out->body)
		out->body = "{}";
	return 1;
}

/* ---- Where credentials are ---- */

START_TEST(nothing_anywhere)
{
	ck_assert_int_eq(souk_provider_entry()->open(test_host_call(), &self, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "no Google Cloud credentials found");
	ck_assert_ptr_nonnull(strstr(err.hint, "gcloud auth application-default login"));
	self = NULL;
}
END_TEST

START_TEST(a_login_of_gcloud)
{
	struct answers a = { 0 };
	char *token = NULL;
	const char *project;

	write_file(ADC, USER_FILE);
	test_host_responder(answer, &a);
	open_account();
	ck_assert_int_eq(gcp_token_get(&client, &token, &err), SOUK_OK);
	ck_assert_str_eq(token, "good");
	gcp_wipe(&token);
	ck_assert_str_eq(test_host_last_body("token"),
			 "grant_type=refresh_token&client_id=id%261&client_secret=s%3D2&"
			 "refresh_token=1%2F%2Fr");
	/* It is kept. */
	ck_assert_int_eq(gcp_token_get(&client, &token, &err), SOUK_OK);
	gcp_wipe(&token);
	ck_assert_uint_eq(test_host_requests("token"), 1);
	ck_assert_int_eq(gcp_project(&client, &project, &err), SOUK_OK);
	ck_assert_str_eq(project, "quota-1");
}
END_TEST

START_TEST(another_folder_of_gcloud)
{
	char text[4096];
	struct gcp_identity found = { 0 };

	ck_assert_int_eq(mkdir(path_in_home("other"), 0700), 0);
	write_file("other/application_default_credentials.json", USER_FILE);
	snprintf(text, sizeof(text), "%s/other", home);
	setenv("CLOUDSDK_CONFIG", text, 1);
	ck_assert_int_eq(gcp_identity_find(test_host_call(), &found, &err), SOUK_OK);
	ck_assert_int_eq(found.source, GCP_FROM_USER);
	ck_assert_str_eq(found.quota_project, "quota-1");
	gcp_identity_fini(&found);
}
END_TEST

static const struct {
	const char *text;
	const char *says;
} files[] = {
	{ "not json", "not JSON" },
	{ "[]", "not JSON" },
	{ "{}", "no 'type' in it" },
	{ "{\"type\":7}", "no 'type' in it" },
	{ "{\"type\":\"service_account\"}", "no 'client_email' in it" },
	{ "{\"type\":\"service_account\",\"client_email\":\"e\"}", "no 'private_key' in it" },
	{ "{\"type\":\"service_account\",\"client_email\":\"e\",\"private_key\":\"k\"}",
	  "no 'token_uri' in it" },
	{ "{\"type\":\"service_account\",\"universe_domain\":\"example.com\"}",
	  "it is of another universe" },
	{ "{\"type\":\"authorized_user\",\"client_id\":\"c\"}", "no 'client_secret' in it" },
	{ "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":[]}",
	  "no 'client_secret' in it" },
	{ "{\"type\":\"external_account\"}", "the type 'external_account' is not supported" },
	{ "{\"type\":\"impersonated_service_account\"}",
	  "the type 'impersonated_service_account' is not supported" },
};

START_TEST(bad_files_are_named)
{
	struct gcp_identity found = { 0 };
	char says[512];

	write_file("key.json", files[_i].text);
	setenv("GOOGLE_APPLICATION_CREDENTIALS", path_in_home("key.json"), 1);
	ck_assert_int_eq(gcp_identity_find(test_host_call(), &found, &err), SOUK_E_AUTH);
	snprintf(says, sizeof(says), "credentials '%s': %s", path_in_home("key.json"), files[_i].says);
	ck_assert_msg(strncmp(err.message, says, strlen(says)) == 0, "%s", err.message);
	ck_assert_uint_ne(strlen(err.hint), 0);
}
END_TEST

START_TEST(a_named_file_that_is_not_there)
{
	struct gcp_identity found = { 0 };

	write_file(ADC, USER_FILE);
	test_host_option("credentials", "/nonexistent/key.json");
	ck_assert_int_eq(gcp_identity_find(test_host_call(), &found, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message,
			 "credentials '/nonexistent/key.json': the file cannot be read");
}
END_TEST

START_TEST(a_token_of_the_user)
{
	struct answers a = { .zones = "{}" };
	char *token = NULL;

	test_host_option("access_token", "ya29.mine");
	test_host_responder(answer, &a);
	open_account();
	ck_assert_int_eq(gcp_token_get(&client, &token, &err), SOUK_OK);
	ck_assert_str_eq(token, "ya29.mine");
	gcp_wipe(&token);
	ck_assert_uint_eq(test_host_requests(NULL), 0);
	gcp_token_forget(self, "ya29.mine");
	test_host_option("access_token", "bad token");
	ck_assert_int_eq(gcp_token_get(&client, &token, &err), SOUK_E_AUTH);
}
END_TEST

START_TEST(the_machine_itself)
{
	struct answers a = { 0 };
	char *token = NULL;
	const char *project;

	unsetenv("NO_GCE_CHECK");
	setenv("GCE_METADATA_HOST", "127.0.0.1:1", 1);
	test_host_responder(answer, &a);
	open_account();
	ck_assert_int_eq(gcp_token_get(&client, &token, &err), SOUK_OK);
	ck_assert_str_eq(token, "good");
	gcp_wipe(&token);
	ck_assert_str_eq(test_host_last_header("metadata", "Metadata-Flavor"), "Google");
	ck_assert_int_eq(gcp_project(&client, &project, &err), SOUK_OK);
	ck_assert_str_eq(project, "machine-project");
}
END_TEST

/* ---- Service accounts ---- */

/* A key of its own for each run, as a file. */
static EVP_PKEY *make_key(const char *name)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	BIO *bio = BIO_new(BIO_s_mem());
	struct json_object *file = json_object_new_object();
	char *pem;
	long size;

	ck_assert(key && bio && file);
	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	size = BIO_get_mem_data(bio, &pem);
	json_object_object_add(file, "type", json_object_new_string("service_account"));
	json_object_object_add(file, "client_email", json_object_new_string("robot@example.com"));
	json_object_object_add(file, "private_key_id", json_object_new_string("key-7"));
	json_object_object_add(file, "private_key", json_object_new_string_len(pem, (int)size));
	json_object_object_add(file, "project_id", json_object_new_string("key-project"));
	json_object_object_add(file, "token_uri",
			       json_object_new_string("https://oauth2.example.com/token"));
	write_file(name, json_object_to_json_string(file));
	json_object_put(file);
	BIO_free(bio);
	return key;
}

/* What base64url says; -1 if it is not that. */
static int decode(const char *text, size_t len, unsigned char *out, size_t size)
{
	char plain[4096];
	int n;
	size_t i;

	ck_assert_uint_lt(len + 4, sizeof(plain));
	ck_assert_uint_ge(size, sizeof(plain));
	for (i = 0; i < len; i++) {
		ck_assert(text[i] != '+' && text[i] != '/' && text[i] != '=');
		plain[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	}
	while (i % 4)
		plain[i++] = '=';
	n = EVP_DecodeBlock(out, (unsigned char *)plain, (int)i);
	ck_assert_int_ge(n, 0);
	return n - (int)(i - len);
}

START_TEST(statements_are_signed)
{
	static unsigned char part[4096];
	EVP_PKEY *key = make_key("key.json");
	struct gcp_identity identity = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct json_object *json;
	struct souk_buf jwt;
	const char *dot, *end;
	int n;

	setenv("GOOGLE_APPLICATION_CREDENTIALS", path_in_home("key.json"), 1);
	ck_assert_int_eq(gcp_identity_find(test_host_call(), &identity, &err), SOUK_OK);
	souk_buf_init(&jwt, 65536);
	ck_assert_int_eq(gcp_jwt(&identity, 1700000000, &jwt, &err), SOUK_OK);
	dot = strchr(jwt.data, '.');
	end = strrchr(jwt.data, '.');
	n = decode(jwt.data, (size_t)(dot - jwt.data), part, sizeof(part));
	part[n] = '\0';
	ck_assert_str_eq((char *)part, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"key-7\"}");
	n = decode(dot + 1, (size_t)(end - dot - 1), part, sizeof(part));
	json = souk_json_parse((char *)part, (size_t)n);
	ck_assert_str_eq(souk_json_maybe_text(json, "iss"), "robot@example.com");
	ck_assert_str_eq(souk_json_maybe_text(json, "aud"), "https://oauth2.example.com/token");
	ck_assert_str_eq(souk_json_maybe_text(json, "scope"),
			 "https://www.googleapis.com/auth/cloud-platform");
	ck_assert_int_eq(json_object_get_int64(json_object_object_get(json, "exp")), 1700003600);
	json_object_put(json);
	n = decode(end + 1, strlen(end + 1), part, sizeof(part));
	ck_assert_int_eq(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	ck_assert_int_eq(EVP_DigestVerify(ctx, part, (size_t)n, (unsigned char *)jwt.data,
					  (size_t)(end - jwt.data)), 1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	souk_buf_fini(&jwt);
	gcp_identity_fini(&identity);
}
END_TEST

static const char *const bad_keys[] = {
	"", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
	/* An EC key is none. */
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2\n"
	"OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r\n"
	"1RTwjmYSi9R/zpBnuQ4EiMnCqfMPWiZqB4QdbAd0E7oH50VpuZ1P087G\n"
	"-----END PRIVATE KEY-----\n",
};

START_TEST(keys_that_cannot_sign)
{
	struct gcp_identity identity = {
		.path = (char *)"key.json", .email = (char *)"e", .token_uri = (char *)"u",
		.private_key = (char *)bad_keys[_i],
	};
	struct souk_buf jwt;

	souk_buf_init(&jwt, 65536);
	ck_assert_int_eq(gcp_jwt(&identity, 1700000000, &jwt, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "credentials 'key.json': 'private_key' is not an RSA key");
	souk_buf_fini(&jwt);
}
END_TEST

START_TEST(a_token_for_a_key)
{
	static const char form[] = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
				   "&assertion=eyJ";
	struct answers a = { 0 };
	char *token = NULL;
	const char *project;

	EVP_PKEY_free(make_key("key.json"));
	test_host_option("credentials", path_in_home("key.json"));
	test_host_responder(answer, &a);
	open_account();
	ck_assert_int_eq(gcp_token_get(&client, &token, &err), SOUK_OK);
	gcp_wipe(&token);
	ck_assert_ptr_eq(strstr(test_host_last_body("token"), form), test_host_last_body("token"));
	ck_assert_int_eq(gcp_project(&client, &project, &err), SOUK_OK);
	ck_assert_str_eq(project, "key-project");
}
END_TEST

/* ---- Tokens ---- */

START_TEST(a_login_that_has_ended)
{
	struct answers a = { .token_status = 400 };
	char *token = NULL;

	write_file(ADC, USER_FILE);
	test_host_responder(answer, &a);
	open_account();
	ck_assert_int_eq(gcp_token_get(&client, &token, &err), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "cannot get a token: Token has been revoked");
	ck_assert_str_eq(err.reason, "invalid_grant");
	ck_assert_int_eq(err.scope, SOUK_SCOPE_PROVIDER);
	ck_assert_ptr_nonnull(strstr(err.hint, "login"));
}
END_TEST

START_TEST(answers_without_a_token)
{
	struct answers a = { .token = "two words" };
	char *token = NULL;

	write_file(ADC, USER_FILE);
	test_host_responder(answer, &a);
	open_account();
	ck_assert_int_eq(gcp_token_get(&client, &token, &err), SOUK_E_INTERNAL);
	a.token = "";
	ck_assert_int_eq(gcp_token_get(&client, &token, &err), SOUK_E_INTERNAL);
	a.token = "x\\u0007y";
	ck_assert_int_eq(gcp_token_get(&client, &token, &err), SOUK_E_INTERNAL);
	ck_assert_ptr_null(token);
}
END_TEST

static int get_zones(void)
{
	struct gcp_request request = { .what = "zones.list", .doing = "list", .url = "https://x/y" };
	struct json_object *reply = NULL;
	int ret = gcp_call(&client, &request, &reply, NULL, &err);

	json_object_put(reply);
	return ret;
}

START_TEST(a_token_that_is_refused_is_renewed_once)
{
	struct answers a = { .refuse_first = 1 };

	write_file(ADC, USER_FILE);
	test_host_responder(answer, &a);
	open_account();
	ck_assert_int_eq(get_zones(), SOUK_OK);
	ck_assert_uint_eq(test_host_requests("token"), 2);
	ck_assert_str_eq(test_host_last_header("zones.list", "x-goog-user-project"), "quota-1");
	a.n_refused = 0;
	a.refuse_first = 99;
	ck_assert_int_eq(get_zones(), SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "cannot list: expired");
	ck_assert_uint_eq(test_host_requests("token"), 3);
}
END_TEST

/* ---- Projects ---- */

START_TEST(where_the_project_is_from)
{
	const char *project = NULL;

	write_file(ADC, USER_FILE);
	write_file(".config/gcloud/active_config", "work\n");
	write_file(".config/gcloud/configurations/config_work",
		   "[compute]\nproject = wrong\n\n# x\n[core]\naccount = a\nproject = from-config \n");
	open_account();
	ck_assert_int_eq(gcp_project(&client, &project, &err), SOUK_OK);
	ck_assert_str_eq(project, "from-config");
	souk_provider_entry()->close(self);
	setenv("CLOUDSDK_CORE_PROJECT", "from-core", 1);
	open_account();
	ck_assert_int_eq(gcp_project(&client, &project, &err), SOUK_OK);
	ck_assert_str_eq(project, "from-core");
	souk_provider_entry()->close(self);
	setenv("GOOGLE_CLOUD_PROJECT", "from-env", 1);
	open_account();
	ck_assert_int_eq(gcp_project(&client, &project, &err), SOUK_OK);
	ck_assert_str_eq(project, "from-env");
	souk_provider_entry()->close(self);
	test_host_option("project", "from-option");
	open_account();
	ck_assert_int_eq(gcp_project(&client, &project, &err), SOUK_OK);
	ck_assert_str_eq(project, "from-option");
	souk_provider_entry()->close(self);
	test_host_option("project", "not/a project");
	open_account();
	ck_assert_int_eq(gcp_project(&client, &project, &err), SOUK_E_INVALID);
}
END_TEST

static const struct {
	const char *text;
	const char *value; /* NULL: none */
} inis[] = {
	{ "[core]\nproject=p\n", "p" },
	{ "[core]\n  project\t=\t p q \r\n", "p q" },
	{ "[core]\n;project=a\n#project=b\nproject=c", "c" },
	{ "[core]\nprojects=p\n", NULL },
	{ "project=p\n[core]\n", NULL },
	{ "[core\nproject=p\n", NULL },
	{ "[core]\nproject\n", NULL },
	{ "[core]\nproject=\n", NULL },
	{ "[core]\nproject=   ", NULL },
	{ "", NULL },
};

START_TEST(settings_of_gcloud)
{
	char *value = NULL;
	int found = gcp_ini_value(inis[_i].text, "core", "project", &value, &err);

	ck_assert_int_eq(found, inis[_i].value != NULL);
	if (found)
		ck_assert_str_eq(value, inis[_i].value);
	free(value);
}
END_TEST

/* ---- Offers ---- */

#define ZONE(name, region)                                                                         \
	"{\"name\":\"" name "\",\"status\":\"UP\",\"region\":\"https://x/regions/" region "\"}"
#define SKU(words, region, unit, nanos)                                                            \
	"{\"description\":\"" words "\",\"category\":{\"usageType\":\"OnDemand\"},"                \
	"\"serviceRegions\":[\"" region "\"],\"pricingInfo\":[{\"pricingExpression\":{"            \
	"\"usageUnit\":\"" unit "\",\"tieredRates\":[{\"unitPrice\":{\"currencyCode\":\"USD\","    \
	"\"units\":\"0\",\"nanos\":" nanos "}}]}}]}"

static const struct answers market = {
	.zones = "{\"items\":[" ZONE("us-east1-b", "us-east1") "," ZONE("us-west1-a", "us-west1")
		 ",{\"name\":\"us-dead1-a\",\"status\":\"DOWN\",\"region\":\"us-dead1\"}]}",
	.types = "{\"items\":[{\"name\":\"n1-standard-4\",\"guestCpus\":4,\"memoryMb\":15360},"
		 "{\"name\":\"n1-standard-4\",\"guestCpus\":4,\"memoryMb\":15360},"
		 "{\"name\":\"q1-standard-4\",\"guestCpus\":4,\"memoryMb\":16384},"
		 "{\"name\":\"q1-standard-8\",\"guestCpus\":8,\"memoryMb\":16384},"
		 "{\"name\":\"ct5p-hightpu-4t\",\"guestCpus\":208,\"memoryMb\":458752}]}",
	.accelerators = "{\"items\":{\"zones/us-east1-b\":{\"acceleratorTypes\":[{\"name\":"
			"\"nvidia-tesla-t4\",\"maximumCardsPerInstance\":2},{\"name\":"
			"\"nvidia-tesla-t4-vws\",\"maximumCardsPerInstance\":2}]},"
			"\"global\":{\"warning\":{}}}}",
	.skus = "{\"skus\":[" SKU("N1 Predefined Instance Core running in X", "us-east1", "h",
				  "31611000") ","
		SKU("N1 Predefined Instance Ram running in X", "us-east1", "GiBy.h", "4237000") ","
		SKU("Nvidia Tesla T4 GPU running in X", "us-east1", "h", "350000000") ","
		SKU("Balanced PD Capacity in X", "us-east1", "GiBy.mo", "100000000") ","
		SKU("External IP Charge on a Standard VM", "global", "h", "5000000") "]}",
};

static int list(struct answers *a, struct souk_offer_list *out)
{
	write_file(ADC, USER_FILE);
	test_host_responder(answer, a);
	open_account();
	return souk_provider_entry()->list_offers(self, test_host_call(), out, &err);
}

START_TEST(offers_are_put_together)
{
	struct souk_offer_list *out = test_offers_new();
	struct answers a = market;
	const struct souk_offer *offer;

	ck_assert_msg(list(&a, out) == SOUK_OK, "%s", err.message);
	/* Plain, and with one and two T4; us-west1 has no prices. */
	ck_assert_uint_eq(test_offers_count(out), 3);
	offer = test_offer(out, 0);
	ck_assert_str_eq(offer->instance_type, "n1-standard-4");
	ck_assert_str_eq(offer->zone, "us-east1-b");
	ck_assert_str_eq(offer->region, "us-east1");
	ck_assert_int_eq(offer->micros_per_hour, 189999);
	ck_assert_int_eq(offer->spot_micros_per_hour, -1);
	ck_assert_ptr_null(offer->accelerator);
	offer = test_offer(out, 2);
	ck_assert_str_eq(offer->accelerator, "T4");
	ck_assert_uint_eq(offer->accelerator_milli, 2000);
	ck_assert_uint_eq(offer->accelerator_memory_mib, 16384);
	ck_assert_int_eq(offer->micros_per_hour, 889999);
	ck_assert_ptr_nonnull(strstr(test_host_log(SOUK_LOG_INFO),
				     "left out 4 of 'q1': no price for the vCPUs"));
	ck_assert_ptr_nonnull(strstr(test_host_log(SOUK_LOG_INFO), "'ct5p'"));
	ck_assert_uint_eq(test_host_requests("machineTypes.list"), 2);
	ck_assert_str_eq(test_host_progress()->what, "zones");
	ck_assert_uint_eq(test_host_progress()->done, 2);
	test_offers_free(out);
}
END_TEST

START_TEST(regions_that_are_asked_for)
{
	struct souk_offer_list *out = test_offers_new();
	struct answers a = market;

	test_host_option("region", "us-west1,us-south1");
	ck_assert_int_eq(list(&a, out), SOUK_OK);
	ck_assert_uint_eq(test_offers_count(out), 0);
	ck_assert_uint_eq(test_host_requests("machineTypes.list"), 1);
	souk_provider_entry()->close(self);
	test_host_option("region", "moon1");
	open_account();
	ck_assert_int_eq(souk_provider_entry()->list_offers(self, test_host_call(), out, &err),
			 SOUK_E_NOT_FOUND);
	test_offers_free(out);
}
END_TEST

START_TEST(half_a_list_is_none)
{
	struct souk_offer_list *out = test_offers_new();
	struct answers a = market;

	a.types_status = 500;
	ck_assert_int_eq(list(&a, out), SOUK_E_TRANSIENT);
	ck_assert_uint_eq(test_offers_count(out), 0);
	a = market;
	a.skus = "{\"skus\":[";
	souk_provider_entry()->close(self);
	open_account();
	ck_assert_int_eq(souk_provider_entry()->list_offers(self, test_host_call(), out, &err),
			 SOUK_E_INTERNAL);
	ck_assert_str_eq(err.message, "the reply to skus.list is not JSON");
	a = market;
	a.types = "{\"items\":[{\"name\":3}]}";
	ck_assert_int_eq(souk_provider_entry()->list_offers(self, test_host_call(), out, &err),
			 SOUK_E_INTERNAL);
	ck_assert_str_eq(err.message,
			 "the reply to machineTypes.list makes no sense: 'name' is not a text");
	a = market;
	a.zones = "{\"items\":[],\"nextPageToken\":\"x\"}";
	ck_assert_int_eq(souk_provider_entry()->list_offers(self, test_host_call(), out, &err),
			 SOUK_E_INTERNAL);
	ck_assert_str_eq(err.message, "zones.list: the next page is the same page");
	ck_assert_uint_eq(test_offers_count(out), 0);
	test_offers_free(out);
}
END_TEST

/* ---- Quotes and checks ---- */

static int answer_quote(const struct souk_http_request *request, struct test_answer *out,
			void *arg)
{
	if (strcmp(request->what, "machineTypes.aggregatedList") == 0) {
		*out = (struct test_answer){ .status = 200 };
		out->body = "{\"items\":{\"zones/us-east1-b\":{\"machineTypes\":[{\"name\":"
			    "\"n1-standard-4\",\"guestCpus\":4,\"memoryMb\":15360}]},"
			    "\"zones/us-east4-a\":{\"warning\":{}}}}";
		return 1;
	}
	return answer(request, out, arg);
}

START_TEST(quotes_have_all_items)
{
	struct souk_quote_list *out = test_quotes_new();
	struct answers a = market;
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec), .count = 2, .instance_type = "n1-standard-4",
		.region = "us-east1", .accelerator = "T4", .accelerator_milli = 1000,
		.disk_size_mib = 100 * 1024, .disk_tier = "medium",
	};

	write_file(ADC, USER_FILE);
	test_host_responder(answer_quote, &a);
	open_account();
	ck_assert_msg(souk_provider_entry()->quote(self, test_host_call(), &spec, out, &err) ==
		      SOUK_OK, "%s", err.message);
	ck_assert_uint_eq(test_quotes_count(out), 3);
	ck_assert_str_eq(test_quote(out, 0)->item, "compute");
	ck_assert_int_eq(test_quote(out, 0)->micros, 2 * 539999);
	ck_assert_str_eq(test_quote(out, 0)->note, "2 x n1-standard-4, Cloud Billing price list: "
			 "vCPUs 0.126444 memory 0.063555 GPUs 0.350000");
	ck_assert_str_eq(test_quote(out, 1)->item, "disk");
	ck_assert_int_eq(test_quote(out, 1)->micros, 2 * 13699);
	ck_assert_str_eq(test_quote(out, 2)->item, "address");
	ck_assert_int_eq(test_quote(out, 2)->micros, 2 * 5000);
	spec.spot = 1;
	ck_assert_int_eq(souk_provider_entry()->quote(self, test_host_call(), &spec, out, &err),
			 SOUK_E_UNSUPPORTED);
	ck_assert_str_eq(err.message, "'n1-standard-4' is not sold as spot in 'us-east1': no price "
				      "for the vCPUs");
	spec.spot = 0;
	spec.accelerator = "H100";
	ck_assert_int_eq(souk_provider_entry()->quote(self, test_host_call(), &spec, out, &err),
			 SOUK_E_UNSUPPORTED);
	spec.region = "us-east4";
	ck_assert_int_eq(souk_provider_entry()->quote(self, test_host_call(), &spec, out, &err),
			 SOUK_E_UNSUPPORTED);
	ck_assert_str_eq(err.message, "'n1-standard-4' is not sold in 'us-east4'");
	spec.region = "../x";
	ck_assert_int_eq(souk_provider_entry()->quote(self, test_host_call(), &spec, out, &err),
			 SOUK_E_INVALID);
	/* One price list is enough for an hour. */
	ck_assert_uint_eq(test_host_requests("skus.list"), 1);
	test_quotes_free(out);
}
END_TEST

START_TEST(checks_say_who_and_what_is_missing)
{
	struct souk_identity *who = test_identity_new();
	struct answers a = market;

	a.permissions = "{\"permissions\":[\"compute.zones.list\",7]}";
	write_file(ADC, USER_FILE);
	test_host_responder(answer, &a);
	open_account();
	ck_assert_int_eq(souk_provider_entry()->check(self, test_host_call(), who, &err),
			 SOUK_E_AUTH);
	ck_assert_str_eq(test_identity(who, "principal"), "me@example.com");
	ck_assert_str_eq(test_identity(who, "project"), "quota-1");
	ck_assert_ptr_nonnull(strstr(err.message, "compute.acceleratorTypes.list, "));
	ck_assert_ptr_nonnull(strstr(err.message, " more"));
	ck_assert_ptr_null(strstr(err.message, "compute.zones.list"));
	test_identity_free(who);
}
END_TEST

START_TEST(every_permission_is_documented)
{
	struct json_object *body;
	struct json_object *asked;
	struct souk_identity *who = test_identity_new();
	struct answers a = market;
	size_t i;

	write_file(ADC, USER_FILE);
	test_host_responder(answer, &a);
	open_account();
	souk_provider_entry()->check(self, test_host_call(), who, &err);
	body = json_tokener_parse(test_host_last_body("projects.testIamPermissions"));
	asked = json_object_object_get(body, "permissions");
	ck_assert_uint_gt(json_object_array_length(asked), 10);
	for (i = 0; i < json_object_array_length(asked); i++) {
		char line[128];

		snprintf(line, sizeof(line), "- %s\n",
			 json_object_get_string(json_object_array_get_idx(asked, i)));
		ck_assert_msg(strstr(souk_provider_entry()->permissions, line) != NULL, "%s", line);
	}
	json_object_put(body);
	test_identity_free(who);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("gcp-account");
	TCase *tc = tcase_create("account");
	SRunner *runner;
	int failed;

	/* RSA keys are made, which takes its time under valgrind. */
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, nothing_anywhere);
	tcase_add_test(tc, a_login_of_gcloud);
	tcase_add_test(tc, another_folder_of_gcloud);
	tcase_add_loop_test(tc, bad_files_are_named, 0, (int)GCP_ARRAY_SIZE(files));
	tcase_add_test(tc, a_named_file_that_is_not_there);
	tcase_add_test(tc, a_token_of_the_user);
	tcase_add_test(tc, the_machine_itself);
	tcase_add_test(tc, statements_are_signed);
	tcase_add_loop_test(tc, keys_that_cannot_sign, 0, (int)GCP_ARRAY_SIZE(bad_keys));
	tcase_add_test(tc, a_token_for_a_key);
	tcase_add_test(tc, a_login_that_has_ended);
	tcase_add_test(tc, answers_without_a_token);
	tcase_add_test(tc, a_token_that_is_refused_is_renewed_once);
	tcase_add_test(tc, where_the_project_is_from);
	tcase_add_loop_test(tc, settings_of_gcloud, 0, (int)GCP_ARRAY_SIZE(inis));
	tcase_add_test(tc, offers_are_put_together);
	tcase_add_test(tc, regions_that_are_asked_for);
	tcase_add_test(tc, half_a_list_is_none);
	tcase_add_test(tc, quotes_have_all_items);
	tcase_add_test(tc, checks_say_who_and_what_is_missing);
	tcase_add_test(tc, every_permission_is_documented);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
