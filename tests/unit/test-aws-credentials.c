/* SPDX-License-Identifier: Apache-2.0 */
/* test-aws-credentials.c - where credentials are found, in which order, and when they are renewed */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "aws.h"
#include "query.h"
#include "sign.h"
#include "test-host.h"

extern const struct souk_provider_ops *souk_provider_entry(void);

#define IN_2037 "2037-01-01T00:00:00Z"
#define SECONDS_IN_2037 2114380800
#define PAST "2020-01-01T00:00:00Z"

static char home[] = "/tmp/souk-test-XXXXXX";
static struct aws *aws;
static struct souk_error err = SOUK_ERROR_INIT;

/* ---- The world a test lives in ------------------------------------------------------------------
 */

static const char *path_in_home(const char *name)
{
	static char path[512];

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
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
		"AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_PROFILE",
		"AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE",
		"AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE",
		"AWS_ROLE_SESSION_NAME", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
		"AWS_ENDPOINT_URL",
	};
	size_t i;

	for (i = 0; i < AWS_ARRAY_SIZE(variables); i++)
		unsetenv(variables[i]);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	snprintf(home, sizeof(home), "/tmp/souk-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(home));
	setenv("HOME", home, 1);
	ck_assert_int_eq(mkdir(path_in_home(".aws"), 0700), 0);
	ck_assert_int_eq(mkdir(path_in_home(".aws/sso"), 0700), 0);
	ck_assert_int_eq(mkdir(path_in_home(".aws/sso/cache"), 0700), 0);
	test_host_reset();
	err = (struct souk_error)SOUK_ERROR_INIT;
}

/* Only once all options are set. */
static void open_account(void)
{
	void *self;

	ck_assert_int_eq(souk_provider_entry()->open(test_host_call(), &self, &err), SOUK_OK);
	aws = self;
}

static void tear_down(void)
{
	char command[128];

	if (aws)
		souk_provider_entry()->close(aws);
	aws = NULL;
	snprintf(command, sizeof(command), "exec rm -rf -- '%s'", home);
	ck_assert_int_eq(system(command), 0);
}

/* Look for credentials: "KEY SECRET TOKEN", or the error's message. */
static const char *find(void)
{
	static char text[1024];
	struct aws_credentials found = { 0 };
	void *self;

	/* Where nothing hints at credentials, open itself refuses. */
	if (!aws && souk_provider_entry()->open(test_host_call(), &self, &err) < 0)
		return err.message;
	if (!aws)
		aws = self;
	if (aws_credentials_get(aws, test_host_call(), &found, &err) < 0) {
		ck_assert_int_ne(err.code, SOUK_OK);
		return err.message;
	}
	snprintf(text, sizeof(text), "%s %s %s", found.access_key, found.secret_key,
		 found.session_token ? found.session_token : "-");
	aws_credentials_fini(&found);
	return text;
}

/* Answers by the name of the request. */
struct reply {
	const char *what;
	struct test_answer answer;
};

static int answer_by_name(const struct souk_http_request *request, struct test_answer *answer,
			  void *arg)
{
	const struct reply *reply;

	for (reply = arg; reply->what; reply++)
		if (strcmp(reply->what, request->what) == 0) {
			*answer = reply->answer;
			return 1;
		}
	*answer = (struct test_answer){ .failure = SOUK_E_TRANSIENT };
	return 1;
}

#define STS_REPLY(action, key)                                                                     \
	"<" action "Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><" action         \
	"Result><Credentials><AccessKeyId>" key "</AccessKeyId><SecretAccessKey>" key              \
	"-secret</SecretAccessKey><SessionToken>" key "-token</SessionToken><Expiration>" IN_2037  \
	"</Expiration></Credentials></" action "Result></" action "Response>"

/* ---- Environment and files --------------------------------------------------------------------
 */

START_TEST(nothing_anywhere)
{
	ck_assert_str_eq(find(), "no AWS credentials found");
	ck_assert_int_eq(err.code, SOUK_E_AUTH);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_PROVIDER);
	ck_assert_ptr_nonnull(strstr(err.hint, "aws configure"));
	ck_assert_uint_eq(test_host_requests(NULL), 0);
}
END_TEST

START_TEST(environment)
{
	write_file(".aws/credentials", "[default]\naws_access_key_id=F\naws_secret_access_key=f\n");
	setenv("AWS_ACCESS_KEY_ID", "E", 1);
	ck_assert_str_eq(find(), "incomplete credentials in the environment: no "
				 "AWS_SECRET_ACCESS_KEY");
	setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
	setenv("AWS_SECURITY_TOKEN", "old", 1);
	ck_assert_str_eq(find(), "E e old");
	souk_provider_entry()->close(aws);
	aws = NULL;
	setenv("AWS_SESSION_TOKEN", "new", 1);
	ck_assert_str_eq(find(), "E e new");
}
END_TEST

START_TEST(an_explicit_profile_beats_the_environment)
{
	setenv("AWS_ACCESS_KEY_ID", "E", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
	write_file(".aws/credentials", "[dev]\naws_access_key_id=D\naws_secret_access_key=d\n");
	test_host_option("profile", "dev");
	ck_assert_str_eq(find(), "D d -");
}
END_TEST

START_TEST(the_profile_of_the_environment_does_not)
{
	setenv("AWS_ACCESS_KEY_ID", "E", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
	setenv("AWS_PROFILE", "dev", 1);
	write_file(".aws/credentials", "[dev]\naws_access_key_id=D\naws_secret_access_key=d\n");
	ck_assert_str_eq(find(), "E e -");
}
END_TEST

START_TEST(a_profile_that_is_not_there)
{
	setenv("AWS_PROFILE", "nobody", 1);
	ck_assert_str_eq(find(), "profile 'nobody' is neither in ~/.aws/config nor in "
				 "~/.aws/credentials");
	ck_assert_int_eq(err.code, SOUK_E_AUTH);
}
END_TEST

START_TEST(the_credentials_file_beats_the_configuration)
{
	write_file(".aws/config", "[default]\nregion = eu-west-3\naws_access_key_id = C\n"
				  "aws_secret_access_key = c\n");
	write_file(".aws/credentials", "# mine\n[default]\n  \naws_access_key_id=F\n"
				       "aws_secret_access_key = f/+=\n; the end\n");
	ck_assert_str_eq(find(), "F f/+= -");
}
END_TEST

START_TEST(named_files)
{
	write_file("conf", "[profile \"two words\"]\nregion = eu-west-3\n");
	write_file("cred", "[two words]\naws_access_key_id=T\naws_secret_access_key=t\n"
			   "aws_session_token=x\n");
	setenv("AWS_CONFIG_FILE", "~/conf", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", path_in_home("cred"), 1);
	setenv("AWS_PROFILE", "two words", 1);
	ck_assert_str_eq(find(), "T t x");
}
END_TEST

static const struct {
	const char *text;
	const char *message; /* NULL: it can be read */
} files[] = {
	{ "[default\nx=1\n", ":1: ']' is missing" },
	{ "[default]\nnonsense\n", ":2: neither a section nor a setting" },
	{ "stray = 1\n[plugins]\nwhatever\n", NULL },
	{ "[default]\r\nregion = x\r\n", NULL },
	{ "[default]\ns3 =\n  addressing_style = path\n  nonsense\nregion=x\n", NULL },
	{ "[default]\nregion = a\n  continued\n", NULL },
};

START_TEST(files_are_parsed)
{
	struct aws_profiles *profiles = aws_profiles_new();
	int ret = aws_profiles_parse(profiles, "F", files[_i].text, 0, &err);

	if (files[_i].message) {
		ck_assert_int_eq(ret, SOUK_E_INVALID);
		ck_assert_ptr_nonnull(strstr(err.message, files[_i].message));
	} else {
		ck_assert_int_eq(ret, SOUK_OK);
	}
	aws_profiles_free(profiles);
}
END_TEST

START_TEST(blocks_and_sections)
{
	static const char text[] = "[profile a]\nServices = s\nempty =\n[services s]\nec2 =\n  "
				   "Endpoint_URL = http://x\n"
				   "\n  # c\n  other=1\nsts =\n\tendpoint_url = "
				   "http://y\n[sso-session a]\nsso_region=r\n"
				   "[profile a]\nregion = again\n";
	struct aws_profiles *p = aws_profiles_new();

	ck_assert_int_eq(aws_profiles_parse(p, "F", text, 0, &err), SOUK_OK);
	ck_assert_str_eq(aws_profiles_get(p, AWS_SECTION_PROFILE, "a", "services"), "s");
	ck_assert_str_eq(aws_profiles_get(p, AWS_SECTION_PROFILE, "a", "region"), "again");
	ck_assert_ptr_null(aws_profiles_get(p, AWS_SECTION_PROFILE, "a", "empty"));
	ck_assert_ptr_null(aws_profiles_get(p, AWS_SECTION_PROFILE, "b", "region"));
	ck_assert_str_eq(aws_profiles_get(p, AWS_SECTION_SERVICES, "s", "ec2.endpoint_url"),
			 "http://x");
	ck_assert_str_eq(aws_profiles_get(p, AWS_SECTION_SERVICES, "s", "ec2.other"), "1");
	ck_assert_str_eq(aws_profiles_get(p, AWS_SECTION_SERVICES, "s", "sts.endpoint_url"),
			 "http://y");
	ck_assert_str_eq(aws_profiles_get(p, AWS_SECTION_SSO_SESSION, "a", "sso_region"), "r");
	ck_assert(aws_profiles_has(p, AWS_SECTION_SSO_SESSION, "a"));
	ck_assert(!aws_profiles_has(p, AWS_SECTION_SSO_SESSION, "s"));
	aws_profiles_free(p);
}
END_TEST

START_TEST(settings_of_a_profile)
{
	struct souk_buf url;
	char region[AWS_REGION_SIZE];

	write_file(".aws/config", "[profile p]\nregion = eu-west-3\nservices = s\n"
				  "endpoint_url = http://127.0.0.1:7\n[services s]\nec2 =\n"
				  "  endpoint_url = http://127.0.0.1:8\n");
	setenv("AWS_PROFILE", "p", 1);
	open_account();
	ck_assert_int_eq(aws_default_region(aws, region, &err), SOUK_OK);
	ck_assert_str_eq(region, "eu-west-3");
	souk_buf_init(&url, 256);
	ck_assert_int_eq(aws_endpoint(aws, test_host_call(), "ec2", region, &url, &err), SOUK_OK);
	ck_assert_str_eq(url.data, "http://127.0.0.1:8");
	souk_buf_reset(&url);
	ck_assert_int_eq(aws_endpoint(aws, test_host_call(), "sts", region, &url, &err), SOUK_OK);
	ck_assert_str_eq(url.data, "http://127.0.0.1:7");
	souk_buf_fini(&url);
	setenv("AWS_DEFAULT_REGION", "us-east-2", 1);
	ck_assert_int_eq(aws_default_region(aws, region, &err), SOUK_OK);
	ck_assert_str_eq(region, "us-east-2");
	setenv("AWS_REGION", "us-west-1", 1);
	ck_assert_int_eq(aws_default_region(aws, region, &err), SOUK_OK);
	ck_assert_str_eq(region, "us-west-1");
	setenv("AWS_REGION", "../etc", 1);
	ck_assert_int_eq(aws_default_region(aws, region, &err), SOUK_E_INVALID);
}
END_TEST

START_TEST(keys_that_would_end_a_header)
{
	setenv("AWS_ACCESS_KEY_ID", "A\r\nHost: evil", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "s", 1);
	ck_assert_ptr_nonnull(strstr(find(), "characters that none can have"));
	ck_assert_int_eq(err.code, SOUK_E_AUTH);
}
END_TEST

/* ---- Roles
 * --------------------------------------------------------------------------------------- */

START_TEST(a_role_by_its_source_profile)
{
	static const struct reply replies[] = {
		{ "AssumeRole", { .status = 200, .body = STS_REPLY("AssumeRole", "ROLE") } },
		{ NULL, { 0 } },
	};

	write_file(".aws/config",
		   "[profile dev]\nrole_arn = arn:aws:iam::1:role/dev\nsource_profile = base\n"
		   "external_id = x y\nduration_seconds = 1800\nrole_session_name = me\n"
		   "region = eu-west-1\n");
	write_file(".aws/credentials", "[base]\naws_access_key_id=B\naws_secret_access_key=b\n");
	setenv("AWS_PROFILE", "dev", 1);
	test_host_responder(answer_by_name, (void *)replies);
	ck_assert_str_eq(find(), "ROLE ROLE-secret ROLE-token");
	ck_assert_str_eq(test_host_last_body("AssumeRole"),
			 "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3A"
			 "role%2Fdev&RoleSessionName=me&DurationSeconds=1800&ExternalId=x%20y");
	ck_assert_ptr_nonnull(strstr(test_host_last_header("AssumeRole", "Authorization"),
				     "Credential=B/"));
	ck_assert_ptr_nonnull(strstr(test_host_last_header("AssumeRole", "Authorization"),
				     "/eu-west-1/sts/aws4_request"));
	/* Kept until it is about to expire. */
	find();
	ck_assert_uint_eq(test_host_requests("AssumeRole"), 1);
}
END_TEST

START_TEST(a_chain_of_roles)
{
	static const struct reply replies[] = {
		{ "AssumeRole", { .status = 200, .body = STS_REPLY("AssumeRole", "ROLE") } },
		{ NULL, { 0 } },
	};

	write_file(".aws/config",
		   "[profile a]\nrole_arn=A\nsource_profile=b\n[profile b]\nrole_arn=B\n"
		   "source_profile=c\n[profile c]\naws_access_key_id=C\naws_secret_access_key=c\n");
	setenv("AWS_PROFILE", "a", 1);
	test_host_responder(answer_by_name, (void *)replies);
	ck_assert_str_eq(find(), "ROLE ROLE-secret ROLE-token");
	ck_assert_uint_eq(test_host_requests("AssumeRole"), 2);
	ck_assert_ptr_nonnull(strstr(test_host_last_header("AssumeRole", "Authorization"),
				     "Credential=ROLE/"));
}
END_TEST

static const struct {
	const char *config;
	const char *message;
} bad_roles[] = {
	{ "[profile p]\nrole_arn=R\nsource_profile=q\n[profile q]\nrole_arn=Q\nsource_profile=p\n",
	  "leads in a circle" },
	{ "[profile p]\nrole_arn=R\nsource_profile=p\n", "leads in a circle" },
	{ "[profile p]\nrole_arn=R\n", "either source_profile or credential_source" },
	{ "[profile p]\nrole_arn=R\nsource_profile=q\ncredential_source=Environment\n",
	  "either source_profile or credential_source" },
	{ "[profile p]\nrole_arn=R\nsource_profile=gone\n", "'gone' does not exist" },
	{ "[profile p]\nrole_arn=R\nsource_profile=q\n[profile q]\nregion=x\n",
	  "'q' has no credentials" },
	{ "[profile p]\nrole_arn=R\ncredential_source=Nowhere\n", "unknown credential_source" },
	{ "[profile p]\nrole_arn=R\ncredential_source=Environment\n", "has no credentials" },
	{ "[profile p]\nrole_arn=R\nsource_profile=q\nmfa_serial=1\n", "second device" },
	{ "[profile p]\nweb_identity_token_file=/nonexistent\nrole_arn=R\n",
	  "cannot read the web identity token" },
	{ "[profile p]\nweb_identity_token_file=/nonexistent\n", "without a role" },
	{ "[profile p]\ncredential_process = exit 3\n", "ended with status 3" },
	{ "[profile p]\ncredential_process = echo no\n", "no credentials of version 1" },
	{ "[profile p]\ncredential_process = echo '{\"Version\":1,\"AccessKeyId\":\"A\"}'\n",
	  "no SecretAccessKey" },
	{ "[profile p]\naws_secret_access_key=x\n", "no aws_access_key_id" },
	{ "[profile p]\nsso_session=s\nsso_account_id=1\nsso_role_name=r\n",
	  "no [sso-session s]" },
	{ "[profile p]\nsso_start_url=u\nsso_region=r\n", "needs sso_account_id" },
	{ "[profile p]\nsso_start_url=u\nsso_region=r\nsso_account_id=1\nsso_role_name=r\n",
	  "not logged in" },
};

START_TEST(profiles_that_do_not_work)
{
	write_file(".aws/config", bad_roles[_i].config);
	setenv("AWS_PROFILE", "p", 1);
	ck_assert_msg(strstr(find(), bad_roles[_i].message) != NULL, "%s", err.message);
	ck_assert_int_eq(err.code, SOUK_E_AUTH);
	ck_assert_int_eq(err.scope, SOUK_SCOPE_PROVIDER);
	ck_assert_uint_eq(test_host_requests(NULL), 0);
}
END_TEST

START_TEST(a_role_by_the_environment)
{
	static const struct reply replies[] = {
		{ "AssumeRole", { .status = 200, .body = STS_REPLY("AssumeRole", "ROLE") } },
		{ NULL, { 0 } },
	};

	write_file(".aws/config", "[profile p]\nrole_arn=R\ncredential_source=Environment\n");
	setenv("AWS_ACCESS_KEY_ID", "E", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
	test_host_option("profile", "p");
	test_host_responder(answer_by_name, (void *)replies);
	ck_assert_str_eq(find(), "ROLE ROLE-secret ROLE-token");
}
END_TEST

START_TEST(a_role_that_is_denied)
{
	static const struct reply replies[] = {
		{ "AssumeRole",
		  { .status = 403,
		    .body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>"
			    "not you</Message></Error></ErrorResponse>" } },
		{ NULL, { 0 } },
	};

	write_file(".aws/config", "[default]\nrole_arn=R\nsource_profile=default\n"
				  "aws_access_key_id=C\naws_secret_access_key=c\n");
	test_host_responder(answer_by_name, (void *)replies);
	ck_assert_str_eq(find(), "cannot assume the role of the profile: not you");
	ck_assert_int_eq(err.code, SOUK_E_AUTH);
	ck_assert_str_eq(err.reason, "AccessDenied");
}
END_TEST

START_TEST(web_identity)
{
	static const struct reply replies[] = {
		{ "AssumeRoleWithWebIdentity",
		  { .status = 200, .body = STS_REPLY("AssumeRoleWithWebIdentity", "WEB") } },
		{ NULL, { 0 } },
	};

	write_file("token", "jwt.of.me\n");
	setenv("AWS_WEB_IDENTITY_TOKEN_FILE", path_in_home("token"), 1);
	setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/web", 1);
	setenv("AWS_ROLE_SESSION_NAME", "pod", 1);
	test_host_responder(answer_by_name, (void *)replies);
	ck_assert_str_eq(find(), "WEB WEB-secret WEB-token");
	ck_assert_ptr_nonnull(strstr(test_host_last_body("AssumeRoleWithWebIdentity"),
				     "&RoleSessionName=pod&WebIdentityToken=jwt.of.me"));
	/* The token is the credential: nothing is signed. */
	ck_assert_ptr_null(test_host_last_header("AssumeRoleWithWebIdentity", "Authorization"));
}
END_TEST

START_TEST(credential_process)
{
	write_file(".aws/config",
		   "[default]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"P\", "
		   "\"SecretAccessKey\": \"p\", \"SessionToken\": \"t\", \"Expiration\": "
		   "\"" IN_2037 "\"}'\n");
	ck_assert_str_eq(find(), "P p t");
	ck_assert_int_eq(aws->credentials.expires_at, SECONDS_IN_2037);
}
END_TEST

/* ---- Single sign-on
 * ------------------------------------------------------------------------------ */

#define ROLE_CREDENTIALS                                                                           \
	"{\"roleCredentials\":{\"accessKeyId\":\"S\",\"secretAccessKey\":\"s\","                   \
	"\"sessionToken\":\"st\",\"expiration\":2114380800000}}"

/* The cache file of a session, named as the AWS tools name it. */
static const char *cache_file(const char *key)
{
	static char name[128];
	char digest[41];

	ck_assert_int_eq(aws_sha1_hex(key, strlen(key), digest, NULL), SOUK_OK);
	snprintf(name, sizeof(name), ".aws/sso/cache/%s.json", digest);
	return name;
}

START_TEST(sso)
{
	static const struct reply replies[] = {
		{ "GetRoleCredentials", { .status = 200, .body = ROLE_CREDENTIALS } },
		{ NULL, { 0 } },
	};

	write_file(".aws/config", "[default]\nsso_session = work\nsso_account_id = 123\n"
				  "sso_role_name = Dev & Ops\n[sso-session work]\n"
				  "sso_region = eu-west-1\nsso_start_url = https://x/start\n");
	write_file(cache_file("work"),
		   "{\"accessToken\":\"tok\",\"expiresAt\":\"" IN_2037 "\"}");
	test_host_responder(answer_by_name, (void *)replies);
	ck_assert_str_eq(find(), "S s st");
	ck_assert_int_eq(aws->credentials.expires_at, SECONDS_IN_2037);
	ck_assert_str_eq(test_host_last_header("GetRoleCredentials", "x-amz-sso_bearer_token"),
			 "tok");
	ck_assert_uint_eq(test_host_requests("CreateToken"), 0);
}
END_TEST

START_TEST(sso_is_renewed)
{
	static const struct reply replies[] = {
		{ "GetRoleCredentials", { .status = 200, .body = ROLE_CREDENTIALS } },
		{ "CreateToken",
		  { .status = 200, .body = "{\"accessToken\":\"new\",\"expiresIn\":28800,"
					   "\"refreshToken\":\"next\"}" } },
		{ NULL, { 0 } },
	};
	struct souk_buf text;
	struct stat st;

	write_file(".aws/config",
		   "[default]\nsso_session = work\nsso_account_id = 123\n"
		   "sso_role_name = Dev\n[sso-session work]\nsso_region = eu-west-1\n");
	write_file(cache_file("work"),
		   "{\"accessToken\":\"old\",\"expiresAt\":\"" PAST "\",\"refreshToken\":\"r\","
		   "\"clientId\":\"i\",\"clientSecret\":\"c\",\"registrationExpiresAt\":\"" IN_2037
		   "\",\"startUrl\":\"kept\"}");
	test_host_responder(answer_by_name, (void *)replies);
	ck_assert_str_eq(find(), "S s st");
	ck_assert_str_eq(test_host_last_header("GetRoleCredentials", "x-amz-sso_bearer_token"),
			 "new");
	ck_assert_ptr_nonnull(strstr(test_host_last_body("CreateToken"), "\"refresh_token\""));
	ck_assert_int_eq(souk_read_file(path_in_home(cache_file("work")), 4096, &text, &err),
			 SOUK_OK);
	ck_assert_ptr_nonnull(strstr(text.data, "\"accessToken\":\"new\""));
	ck_assert_ptr_nonnull(strstr(text.data, "\"refreshToken\":\"next\""));
	ck_assert_ptr_nonnull(strstr(text.data, "\"startUrl\":\"kept\""));
	souk_buf_fini(&text);
	ck_assert_int_eq(stat(path_in_home(cache_file("work")), &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
}
END_TEST

START_TEST(sso_that_is_over)
{
	static const struct reply replies[] = {
		{ "CreateToken", { .status = 400, .body = "{\"error\":\"invalid_grant\"}" } },
		{ "GetRoleCredentials", { .status = 401, .body = "{\"message\":\"no\"}" } },
		{ NULL, { 0 } },
	};

	write_file(".aws/config", "[default]\nsso_start_url = https://x/start\nsso_region = r-1\n"
				  "sso_account_id = 123\nsso_role_name = Dev\n");
	write_file(cache_file("https://x/start"),
		   "{\"accessToken\":\"old\",\"expiresAt\":\"" PAST "\"}");
	test_host_responder(answer_by_name, (void *)replies);
	ck_assert_str_eq(find(), "the single sign-on session has expired");
	ck_assert_str_eq(err.hint, "aws sso login --profile default");
	ck_assert_uint_eq(test_host_requests(NULL), 0);
	write_file(cache_file("https://x/start"),
		   "{\"accessToken\":\"old\",\"expiresAt\":\"" IN_2037 "\"}");
	ck_assert_str_eq(find(), "the single sign-on session is not accepted");
	write_file(cache_file("https://x/start"), "{\"accessToken\":");
	ck_assert_str_eq(find(), "not logged in by single sign-on");
}
END_TEST

/* ---- Containers and machines
 * ----------------------------------------------------------------------- */

#define MACHINE_KEYS                                                                               \
	"{\"Code\":\"Success\",\"AccessKeyId\":\"M\",\"SecretAccessKey\":\"m\",\"Token\":\"mt\","  \
	"\"Expiration\":\"" IN_2037 "\"}"

START_TEST(container)
{
	static const struct reply replies[] = {
		{ "container credentials", { .status = 200, .body = MACHINE_KEYS } },
		{ NULL, { 0 } },
	};

	write_file("token", "secret\n");
	setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials", 1);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", path_in_home("token"), 1);
	test_host_responder(answer_by_name, (void *)replies);
	ck_assert_str_eq(find(), "M m mt");
	ck_assert_str_eq(test_host_last_header("container credentials", "Authorization"), "secret");
}
END_TEST

static const struct {
	const char *variable;
	const char *value;
	const char *message;
} bad_containers[] = {
	{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example.com/", "neither https" },
	{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.2.evil.com/", "neither https" },
	{ "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1.evil.com/", "neither https" },
	{ "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".evil.com/", "does not begin with '/'" },
};

START_TEST(a_containers_token_goes_nowhere_else)
{
	setenv(bad_containers[_i].variable, bad_containers[_i].value, 1);
	setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "secret", 1);
	ck_assert_msg(strstr(find(), bad_containers[_i].message) != NULL, "%s", err.message);
	ck_assert_uint_eq(test_host_requests(NULL), 0);
}
END_TEST

static int play_metadata(const struct souk_http_request *request, struct test_answer *answer,
			 void *arg)
{
	int *has_role = arg;

	ck_assert(request->flags & SOUK_HTTP_NO_PROXY);
	answer->status = 200;
	if (strstr(request->url, "/latest/api/token")) {
		ck_assert_str_eq(request->method, "PUT");
		answer->body = "imds-token";
		return 1;
	}
	ck_assert_str_eq(request->headers[0], "X-aws-ec2-metadata-token: imds-token");
	if (strstr(request->url, "/security-credentials/the-role"))
		answer->body = MACHINE_KEYS;
	else if (*has_role)
		answer->body = "the-role\n";
	else
		answer->status = 404;
	return 1;
}

START_TEST(instance_metadata)
{
	int has_role = 0;

	unsetenv("AWS_EC2_METADATA_DISABLED");
	setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9/", 1);
	test_host_responder(play_metadata, &has_role);
	ck_assert_str_eq(find(), "no AWS credentials found");
	has_role = 1;
	ck_assert_str_eq(find(), "M m mt");
}
END_TEST

/* ---- Renewal
 * --------------------------------------------------------------------------------------- */

START_TEST(when_they_are_stale)
{
	struct aws_credentials credentials = { .expires_at = 10000 };

	ck_assert(!aws_credentials_stale(&credentials, 9000));
	ck_assert(aws_credentials_stale(&credentials, 9701));
	ck_assert(aws_credentials_stale(&credentials, 20000));
	credentials.expires_at = 0;
	ck_assert(!aws_credentials_stale(&credentials, INT64_MAX));
}
END_TEST

/* A process that counts its calls in its answer. */
static void use_counting_process(const char *expiration)
{
	char text[1024];

	write_file("n", "");
	snprintf(text, sizeof(text),
		 "[default]\ncredential_process = echo x >>'%s/n'; echo '{\"Version\":1,"
		 "\"AccessKeyId\":\"K'$(grep -c x '%s/n')'\",\"SecretAccessKey\":\"s\","
		 "\"Expiration\":\"%s\"}'\n", home, home, expiration);
	write_file(".aws/config", text);
}

START_TEST(stale_ones_are_renewed)
{
	char soon[21];

	aws_extended_time((int64_t)time(NULL) + 120, soon);
	use_counting_process(soon);
	ck_assert_str_eq(find(), "K1 s -");
	ck_assert_str_eq(find(), "K2 s -");
	/* What still holds is used if there is nothing newer. */
	write_file(".aws/config", "[default]\ncredential_process = exit 1\n");
	ck_assert_str_eq(find(), "K2 s -");
	ck_assert_ptr_nonnull(strstr(test_host_log(SOUK_LOG_WARNING), "cannot renew"));
	aws->credentials.expires_at = (int64_t)time(NULL) - 1;
	ck_assert_str_eq(find(), "the credential process ended with status 1");
}
END_TEST

static int refuse_first_key(const struct souk_http_request *request, struct test_answer *answer,
			    void *arg)
{
	size_t i;

	(void)arg;
	*answer = (struct test_answer){ .status = 200, .body = "<XResponse/>" };
	for (i = 0; request->headers[i]; i++)
		if (strstr(request->headers[i], "Credential=K1/"))
			*answer = (struct test_answer){
				.status = 400,
				.body = "<Response><Errors><Error><Code>ExpiredToken</Code></Error>"
					"</Errors></Response>",
			};
	return 1;
}

START_TEST(refused_ones_are_renewed_once)
{
	static const struct aws_operation operation = { .action = "X", .doing = "x" };
	struct aws_client client = { NULL, test_host_call(), "us-east-1" };
	struct aws_query query;
	struct aws_xml xml = { 0 };

	use_counting_process(IN_2037);
	open_account();
	client.aws = aws;
	test_host_responder(refuse_first_key, NULL);
	aws_query_init(&query, &operation);
	ck_assert_msg(aws_query_send(&client, &operation, &query, &xml, NULL, &err) == SOUK_OK,
		      "%s", err.message);
	aws_query_fini(&query);
	aws_xml_fini(&xml);
	ck_assert_uint_eq(test_host_requests("X"), 2);
	ck_assert_str_eq(find(), "K2 s -");
}
END_TEST

START_TEST(deadlines_and_cancelling)
{
	struct aws_credentials found = { 0 };

	setenv("AWS_ACCESS_KEY_ID", "E", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "e", 1);
	open_account();
	test_host_cancel(1);
	ck_assert_int_eq(aws_credentials_get(aws, test_host_call(), &found, &err),
			 SOUK_E_CANCELLED);
	test_host_cancel(0);
	test_host_deadline(0);
	ck_assert_int_eq(aws_credentials_get(aws, test_host_call(), &found, &err),
			 SOUK_E_TRANSIENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("aws-credentials");
	TCase *tc = tcase_create("credentials");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, nothing_anywhere);
	tcase_add_test(tc, environment);
	tcase_add_test(tc, an_explicit_profile_beats_the_environment);
	tcase_add_test(tc, the_profile_of_the_environment_does_not);
	tcase_add_test(tc, a_profile_that_is_not_there);
	tcase_add_test(tc, the_credentials_file_beats_the_configuration);
	tcase_add_test(tc, named_files);
	tcase_add_loop_test(tc, files_are_parsed, 0, (int)AWS_ARRAY_SIZE(files));
	tcase_add_test(tc, blocks_and_sections);
	tcase_add_test(tc, settings_of_a_profile);
	tcase_add_test(tc, keys_that_would_end_a_header);
	tcase_add_test(tc, a_role_by_its_source_profile);
	tcase_add_test(tc, a_chain_of_roles);
	tcase_add_loop_test(tc, profiles_that_do_not_work, 0, (int)AWS_ARRAY_SIZE(bad_roles));
	tcase_add_test(tc, a_role_by_the_environment);
	tcase_add_test(tc, a_role_that_is_denied);
	tcase_add_test(tc, web_identity);
	tcase_add_test(tc, credential_process);
	tcase_add_test(tc, sso);
	tcase_add_test(tc, sso_is_renewed);
	tcase_add_test(tc, sso_that_is_over);
	tcase_add_test(tc, container);
	tcase_add_loop_test(tc, a_containers_token_goes_nowhere_else, 0,
			    (int)AWS_ARRAY_SIZE(bad_containers));
	tcase_add_test(tc, instance_metadata);
	tcase_add_test(tc, when_they_are_stale);
	tcase_add_test(tc, stale_ones_are_renewed);
	tcase_add_test(tc, refused_ones_are_renewed_once);
	tcase_add_test(tc, deadlines_and_cancelling);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
