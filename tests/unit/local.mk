# SPDX-License-Identifier: Apache-2.0
# tests/unit - one program per subject, with Check

TEST_CPPFLAGS = $(API_CPPFLAGS) -I$(top_srcdir)/core/include -I$(top_srcdir)/core \
	-I$(top_srcdir)/providers -I$(top_srcdir)/tests/unit $(CHECK_CFLAGS) \
	-DTEST_SRCDIR='"$(abs_top_srcdir)"' -DTEST_BUILDDIR='"$(abs_top_builddir)"' \
	-DSOUK_TEST_SUPERVISOR='"$(abs_top_builddir)/souk-local-machine"'
TEST_LIBS = libsouk.la libsouk-provider.la $(CHECK_LIBS)

if HAVE_CHECK
if BUILD_PROVIDER_AWS
check_PROGRAMS += tests/unit/test-aws-credentials
tests_unit_test_aws_credentials_SOURCES = %D%/test-aws-credentials.c %D%/test-host.c %D%/test-host.h
tests_unit_test_aws_credentials_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/aws $(PROVIDER_AWS_CFLAGS)
tests_unit_test_aws_credentials_LDADD = libprovider-aws.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_aws_credentials_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_AWS
check_PROGRAMS += tests/unit/test-aws-errors
tests_unit_test_aws_errors_SOURCES = %D%/test-aws-errors.c %D%/test-host.c %D%/test-host.h
tests_unit_test_aws_errors_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/aws $(PROVIDER_AWS_CFLAGS)
tests_unit_test_aws_errors_LDADD = libprovider-aws.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_aws_errors_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_AWS
check_PROGRAMS += tests/unit/test-aws-moto
tests_unit_test_aws_moto_SOURCES = %D%/test-aws-moto.c %D%/test-host.c %D%/test-host.h
tests_unit_test_aws_moto_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/aws $(PROVIDER_AWS_CFLAGS)
tests_unit_test_aws_moto_LDADD = libprovider-aws.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_aws_moto_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_AWS
check_PROGRAMS += tests/unit/test-aws-query
tests_unit_test_aws_query_SOURCES = %D%/test-aws-query.c %D%/test-host.c %D%/test-host.h
tests_unit_test_aws_query_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/aws $(PROVIDER_AWS_CFLAGS)
tests_unit_test_aws_query_LDADD = libprovider-aws.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_aws_query_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_AWS
check_PROGRAMS += tests/unit/test-aws-sign
tests_unit_test_aws_sign_SOURCES = %D%/test-aws-sign.c %D%/test-host.c %D%/test-host.h
tests_unit_test_aws_sign_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/aws $(PROVIDER_AWS_CFLAGS)
tests_unit_test_aws_sign_LDADD = libprovider-aws.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_aws_sign_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

check_PROGRAMS += tests/unit/test-base
tests_unit_test_base_SOURCES = %D%/test-base.c %D%/scratch.h
tests_unit_test_base_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_base_LDADD = $(TEST_LIBS)
tests_unit_test_base_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-fleet
tests_unit_test_fleet_SOURCES = %D%/test-fleet.c %D%/scratch.h
tests_unit_test_fleet_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_fleet_LDADD = libsouk-engine-parts.la $(TEST_LIBS)
tests_unit_test_fleet_LDFLAGS = $(AM_LDFLAGS) -no-install
EXTRA_tests_unit_test_fleet_DEPENDENCIES = tests/unit/modules/scripted.la

check_PROGRAMS += tests/unit/test-fs
tests_unit_test_fs_SOURCES = %D%/test-fs.c %D%/scratch.h
tests_unit_test_fs_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_fs_LDADD = $(TEST_LIBS)
tests_unit_test_fs_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-ignore
tests_unit_test_ignore_SOURCES = %D%/test-ignore.c %D%/scratch.h
tests_unit_test_ignore_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_ignore_LDADD = libsouk-engine-parts.la $(TEST_LIBS)
tests_unit_test_ignore_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-market
tests_unit_test_market_SOURCES = %D%/test-market.c %D%/scratch.h
tests_unit_test_market_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_market_LDADD = $(TEST_LIBS)
tests_unit_test_market_LDFLAGS = $(AM_LDFLAGS) -no-install

# Modules that the tests copy under the names that tell them what to be.
TEST_MODULE_LDFLAGS = $(PROVIDER_LINK) -rpath $(abs_top_builddir)/tests/unit/modules
check_LTLIBRARIES += tests/unit/modules/variant.la
tests_unit_modules_variant_la_SOURCES = %D%/modules/variant.c %D%/modules/own-name.h
tests_unit_modules_variant_la_CPPFLAGS = $(PROVIDER_CPPFLAGS)
tests_unit_modules_variant_la_CFLAGS = $(PROVIDER_CFLAGS)
tests_unit_modules_variant_la_LIBADD = libsouk-provider.la
tests_unit_modules_variant_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
check_LTLIBRARIES += tests/unit/modules/empty.la
tests_unit_modules_empty_la_SOURCES = %D%/modules/empty.c
tests_unit_modules_empty_la_CPPFLAGS = $(PROVIDER_CPPFLAGS)
tests_unit_modules_empty_la_CFLAGS = $(PROVIDER_CFLAGS)
tests_unit_modules_empty_la_LIBADD = libsouk-provider.la
tests_unit_modules_empty_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)

check_LTLIBRARIES += tests/unit/modules/scripted.la
tests_unit_modules_scripted_la_SOURCES = %D%/modules/scripted.c %D%/modules/own-name.h
tests_unit_modules_scripted_la_CPPFLAGS = $(PROVIDER_CPPFLAGS)
tests_unit_modules_scripted_la_CFLAGS = $(PROVIDER_CFLAGS)
tests_unit_modules_scripted_la_LIBADD = libsouk-provider.la
tests_unit_modules_scripted_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)

check_PROGRAMS += tests/unit/test-modules
tests_unit_test_modules_SOURCES = %D%/test-modules.c %D%/scratch.h
tests_unit_test_modules_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_modules_LDADD = $(TEST_LIBS)
tests_unit_test_modules_LDFLAGS = $(AM_LDFLAGS) -no-install
EXTRA_tests_unit_test_modules_DEPENDENCIES = tests/unit/modules/variant.la tests/unit/modules/empty.la

check_PROGRAMS += tests/unit/test-proc
tests_unit_test_proc_SOURCES = %D%/test-proc.c %D%/scratch.h
tests_unit_test_proc_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_proc_LDADD = $(TEST_LIBS)
tests_unit_test_proc_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-config
tests_unit_test_config_SOURCES = %D%/test-config.c
tests_unit_test_config_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_config_LDADD = $(TEST_LIBS)
tests_unit_test_config_LDFLAGS = $(AM_LDFLAGS) -no-install

# A client, and a server with TLS of its own.
http_fixture_sources = %D%/http-fixture.c %D%/http-fixture.h %D%/http-server.c %D%/http-server.h

check_PROGRAMS += tests/unit/test-http-secrecy
tests_unit_test_http_secrecy_SOURCES = %D%/test-http-secrecy.c $(http_fixture_sources)
tests_unit_test_http_secrecy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_http_secrecy_LDADD = libsouk-engine-parts.la $(TEST_LIBS) -lssl -lcrypto
tests_unit_test_http_secrecy_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-http
tests_unit_test_http_SOURCES = %D%/test-http.c $(http_fixture_sources)
tests_unit_test_http_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_http_LDADD = libsouk-engine-parts.la $(TEST_LIBS) -lssl -lcrypto
tests_unit_test_http_LDFLAGS = $(AM_LDFLAGS) -no-install

if BUILD_PROVIDER_LOCAL
check_PROGRAMS += tests/unit/test-provider-local
tests_unit_test_provider_local_SOURCES = %D%/test-provider-local.c %D%/local-fixture.c \
	%D%/local-fixture.h
tests_unit_test_provider_local_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/local $(PROVIDER_LOCAL_CFLAGS)
tests_unit_test_provider_local_LDADD = libprovider-local.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_provider_local_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

check_PROGRAMS += tests/unit/test-ssh
tests_unit_test_ssh_SOURCES = %D%/test-ssh.c %D%/ssh-fixture.c %D%/ssh-fixture.h
tests_unit_test_ssh_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_ssh_LDADD = libsouk-engine-parts.la $(TEST_LIBS)
tests_unit_test_ssh_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-store
tests_unit_test_store_SOURCES = %D%/test-store.c %D%/scratch.h
tests_unit_test_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_store_LDADD = $(TEST_LIBS)
tests_unit_test_store_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-task
tests_unit_test_task_SOURCES = %D%/test-task.c %D%/task-golden.h
tests_unit_test_task_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_task_LDADD = $(TEST_LIBS)
tests_unit_test_task_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-yaml
tests_unit_test_yaml_SOURCES = %D%/test-yaml.c
tests_unit_test_yaml_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_yaml_LDADD = $(TEST_LIBS)
tests_unit_test_yaml_LDFLAGS = $(AM_LDFLAGS) -no-install

# Linked with the library's own sources, so that realloc() can be made to fail in them.
check_PROGRAMS += tests/unit/test-provider-api
tests_unit_test_provider_api_SOURCES = %D%/test-provider-api.c $(libsouk_provider_parts_la_SOURCES)
tests_unit_test_provider_api_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_provider_api_LDADD = $(CHECK_LIBS)
tests_unit_test_provider_api_LDFLAGS = $(AM_LDFLAGS) -no-install -Wl,--wrap=realloc

endif
