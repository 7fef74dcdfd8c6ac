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
check_PROGRAMS += tests/unit/test-aws-offers
tests_unit_test_aws_offers_SOURCES = %D%/test-aws-offers.c %D%/test-host.c %D%/test-host.h
tests_unit_test_aws_offers_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/aws $(PROVIDER_AWS_CFLAGS)
tests_unit_test_aws_offers_LDADD = libprovider-aws.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_aws_offers_LDFLAGS = $(AM_LDFLAGS) -no-install
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

if BUILD_PROVIDER_RUNPOD
check_PROGRAMS += tests/unit/test-runpod
tests_unit_test_runpod_SOURCES = %D%/test-runpod.c %D%/test-host.c %D%/test-host.h
tests_unit_test_runpod_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/runpod $(PROVIDER_RUNPOD_CFLAGS)
tests_unit_test_runpod_LDADD = libprovider-runpod.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_runpod_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_RUNPOD
check_PROGRAMS += tests/unit/test-runpod-offers
tests_unit_test_runpod_offers_SOURCES = %D%/test-runpod-offers.c %D%/test-host.c %D%/test-host.h
tests_unit_test_runpod_offers_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/runpod $(PROVIDER_RUNPOD_CFLAGS)
tests_unit_test_runpod_offers_LDADD = libprovider-runpod.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_runpod_offers_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_RUNPOD
check_PROGRAMS += tests/unit/test-runpod-pods
tests_unit_test_runpod_pods_SOURCES = %D%/test-runpod-pods.c %D%/test-host.c %D%/test-host.h %D%/rent-fixture.h
tests_unit_test_runpod_pods_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/runpod $(PROVIDER_RUNPOD_CFLAGS)
tests_unit_test_runpod_pods_LDADD = libprovider-runpod.la libsouk-provider.la $(PROVIDER_RUNPOD_LIBS) $(CHECK_LIBS)
tests_unit_test_runpod_pods_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_LAMBDA
check_PROGRAMS += tests/unit/test-lambda
tests_unit_test_lambda_SOURCES = %D%/test-lambda.c %D%/test-host.c %D%/test-host.h
tests_unit_test_lambda_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/lambda $(PROVIDER_LAMBDA_CFLAGS)
tests_unit_test_lambda_LDADD = libprovider-lambda.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_lambda_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_LAMBDA
check_PROGRAMS += tests/unit/test-lambda-machines
tests_unit_test_lambda_machines_SOURCES = %D%/test-lambda-machines.c %D%/test-host.c %D%/test-host.h %D%/rent-fixture.h
tests_unit_test_lambda_machines_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/lambda $(PROVIDER_LAMBDA_CFLAGS)
tests_unit_test_lambda_machines_LDADD = libprovider-lambda.la libsouk-provider.la $(PROVIDER_LAMBDA_LIBS) $(CHECK_LIBS)
tests_unit_test_lambda_machines_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_GCP
check_PROGRAMS += tests/unit/test-gcp-errors
tests_unit_test_gcp_errors_SOURCES = %D%/test-gcp-errors.c %D%/test-host.c %D%/test-host.h
tests_unit_test_gcp_errors_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/gcp $(PROVIDER_GCP_CFLAGS)
tests_unit_test_gcp_errors_LDADD = libprovider-gcp.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_gcp_errors_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_GCP
check_PROGRAMS += tests/unit/test-gcp-machines
tests_unit_test_gcp_machines_SOURCES = %D%/test-gcp-machines.c %D%/test-host.c %D%/test-host.h
tests_unit_test_gcp_machines_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/gcp $(PROVIDER_GCP_CFLAGS)
tests_unit_test_gcp_machines_LDADD = libprovider-gcp.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_gcp_machines_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_GCP
check_PROGRAMS += tests/unit/test-gcp-market
tests_unit_test_gcp_market_SOURCES = %D%/test-gcp-market.c %D%/test-host.c %D%/test-host.h
tests_unit_test_gcp_market_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/gcp $(PROVIDER_GCP_CFLAGS)
tests_unit_test_gcp_market_LDADD = libprovider-gcp.la libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_gcp_market_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_GCP
check_PROGRAMS += tests/unit/test-gcp-account
tests_unit_test_gcp_account_SOURCES = %D%/test-gcp-account.c %D%/test-host.c %D%/test-host.h
tests_unit_test_gcp_account_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/gcp $(PROVIDER_GCP_CFLAGS)
tests_unit_test_gcp_account_LDADD = libprovider-gcp.la libsouk-provider.la $(CHECK_LIBS) -lcrypto
tests_unit_test_gcp_account_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

check_PROGRAMS += tests/unit/test-accelerator
tests_unit_test_accelerator_SOURCES = %D%/test-accelerator.c %D%/scratch.h
tests_unit_test_accelerator_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_accelerator_LDADD = $(TEST_LIBS)
tests_unit_test_accelerator_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-ledger
tests_unit_test_ledger_SOURCES = %D%/test-ledger.c %D%/scratch.h
tests_unit_test_ledger_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_ledger_LDADD = $(TEST_LIBS)
tests_unit_test_ledger_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-migration
tests_unit_test_migration_SOURCES = %D%/test-migration.c %D%/scratch.h
tests_unit_test_migration_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_migration_LDADD = $(TEST_LIBS)
tests_unit_test_migration_LDFLAGS = $(AM_LDFLAGS) -no-install

if BUILD_PROVIDER_AZURE
check_PROGRAMS += tests/unit/test-azure-credentials
tests_unit_test_azure_credentials_SOURCES = %D%/test-azure-credentials.c %D%/test-host.c %D%/test-host.h
tests_unit_test_azure_credentials_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/azure $(PROVIDER_AZURE_CFLAGS)
tests_unit_test_azure_credentials_LDADD = libprovider-azure.la libsouk-provider.la $(PROVIDER_AZURE_LIBS) $(CHECK_LIBS)
tests_unit_test_azure_credentials_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_AZURE
check_PROGRAMS += tests/unit/test-azure-errors
tests_unit_test_azure_errors_SOURCES = %D%/test-azure-errors.c %D%/test-host.c %D%/test-host.h
tests_unit_test_azure_errors_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/azure $(PROVIDER_AZURE_CFLAGS)
tests_unit_test_azure_errors_LDADD = libprovider-azure.la libsouk-provider.la $(PROVIDER_AZURE_LIBS) $(CHECK_LIBS)
tests_unit_test_azure_errors_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_AZURE
check_PROGRAMS += tests/unit/test-azure-machines
tests_unit_test_azure_machines_SOURCES = %D%/test-azure-machines.c %D%/azure-fake.c %D%/azure-fake.h \
	%D%/test-host.c %D%/test-host.h
tests_unit_test_azure_machines_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/azure $(PROVIDER_AZURE_CFLAGS)
tests_unit_test_azure_machines_LDADD = libprovider-azure.la libsouk-provider.la $(PROVIDER_AZURE_LIBS) $(CHECK_LIBS)
tests_unit_test_azure_machines_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

if BUILD_PROVIDER_AZURE
check_PROGRAMS += tests/unit/test-azure-offers
tests_unit_test_azure_offers_SOURCES = %D%/test-azure-offers.c %D%/test-host.c %D%/test-host.h
tests_unit_test_azure_offers_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/providers/azure $(PROVIDER_AZURE_CFLAGS)
tests_unit_test_azure_offers_LDADD = libprovider-azure.la libsouk-provider.la $(PROVIDER_AZURE_LIBS) $(CHECK_LIBS)
tests_unit_test_azure_offers_LDFLAGS = $(AM_LDFLAGS) -no-install
endif

check_PROGRAMS += tests/unit/test-base
tests_unit_test_base_SOURCES = %D%/test-base.c %D%/scratch.h
tests_unit_test_base_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_base_LDADD = $(TEST_LIBS)
tests_unit_test_base_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-egress
tests_unit_test_egress_SOURCES = %D%/test-egress.c %D%/scratch.h
tests_unit_test_egress_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_egress_LDADD = $(TEST_LIBS)
tests_unit_test_egress_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-pipeline
tests_unit_test_pipeline_SOURCES = %D%/test-pipeline.c %D%/scratch.h
tests_unit_test_pipeline_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_pipeline_LDADD = $(TEST_LIBS)
tests_unit_test_pipeline_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-catalog-file
tests_unit_test_catalog_file_SOURCES = %D%/test-catalog-file.c %D%/scratch.h
tests_unit_test_catalog_file_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_catalog_file_LDADD = $(TEST_LIBS)
tests_unit_test_catalog_file_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-quote
tests_unit_test_quote_SOURCES = %D%/test-quote.c %D%/scratch.h
tests_unit_test_quote_CPPFLAGS = $(TEST_CPPFLAGS) $(JSON_CFLAGS)
tests_unit_test_quote_LDADD = $(TEST_LIBS) $(JSON_LIBS)
tests_unit_test_quote_LDFLAGS = $(AM_LDFLAGS) -no-install
EXTRA_tests_unit_test_quote_DEPENDENCIES = tests/unit/modules/priced.la

check_PROGRAMS += tests/unit/test-nomem
tests_unit_test_nomem_SOURCES = %D%/test-nomem.c %D%/scratch.h
tests_unit_test_nomem_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_nomem_LDADD = $(TEST_LIBS)
tests_unit_test_nomem_LDFLAGS = $(AM_LDFLAGS) -no-install
EXTRA_tests_unit_test_nomem_DEPENDENCIES = tests/unit/modules/priced.la

check_PROGRAMS += tests/unit/test-catalog-import
tests_unit_test_catalog_import_SOURCES = %D%/test-catalog-import.c %D%/scratch.h
tests_unit_test_catalog_import_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_catalog_import_LDADD = $(TEST_LIBS)
tests_unit_test_catalog_import_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-failover
tests_unit_test_failover_SOURCES = %D%/test-failover.c %D%/fleet-stage.h %D%/market-fixture.h %D%/scratch.h
tests_unit_test_failover_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_failover_LDADD = libsouk-engine-parts.la $(TEST_LIBS)
tests_unit_test_failover_LDFLAGS = $(AM_LDFLAGS) -no-install
EXTRA_tests_unit_test_failover_DEPENDENCIES = tests/unit/modules/scripted.la

# No test by itself: tests/e2e/test-concurrent.sh starts it, with the clouds that it needs.
EXTRA_PROGRAMS = tests/unit/concurrent-provisions
check_DATA = tests/unit/concurrent-provisions$(EXEEXT)
CLEANFILES += tests/unit/concurrent-provisions$(EXEEXT)
tests_unit_concurrent_provisions_SOURCES = %D%/concurrent-provisions.c
tests_unit_concurrent_provisions_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_concurrent_provisions_LDADD = libsouk-engine-parts.la $(TEST_LIBS)
tests_unit_concurrent_provisions_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-fleet
tests_unit_test_fleet_SOURCES = %D%/test-fleet.c %D%/fleet-stage.h %D%/market-fixture.h %D%/scratch.h
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

check_PROGRAMS += tests/unit/test-optimizer
tests_unit_test_optimizer_SOURCES = %D%/test-optimizer.c %D%/market-fixture.h
tests_unit_test_optimizer_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_optimizer_LDADD = $(TEST_LIBS)
tests_unit_test_optimizer_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-optimizer-order
tests_unit_test_optimizer_order_SOURCES = %D%/test-optimizer-order.c %D%/market-fixture.h
tests_unit_test_optimizer_order_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_optimizer_order_LDADD = $(TEST_LIBS)
tests_unit_test_optimizer_order_LDFLAGS = $(AM_LDFLAGS) -no-install

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

check_LTLIBRARIES += tests/unit/modules/priced.la
tests_unit_modules_priced_la_SOURCES = %D%/modules/priced.c %D%/modules/own-name.h
tests_unit_modules_priced_la_CPPFLAGS = $(PROVIDER_CPPFLAGS)
tests_unit_modules_priced_la_CFLAGS = $(PROVIDER_CFLAGS)
tests_unit_modules_priced_la_LIBADD = libsouk-provider.la
tests_unit_modules_priced_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)

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

check_PROGRAMS += tests/unit/test-stamp
tests_unit_test_stamp_SOURCES = %D%/test-stamp.c %D%/scratch.h
tests_unit_test_stamp_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_stamp_LDADD = $(TEST_LIBS)
tests_unit_test_stamp_LDFLAGS = $(AM_LDFLAGS) -no-install
EXTRA_tests_unit_test_stamp_DEPENDENCIES = tests/unit/modules/variant.la

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

check_PROGRAMS += tests/unit/test-http-cache
tests_unit_test_http_cache_SOURCES = %D%/test-http-cache.c %D%/scratch.h $(http_fixture_sources)
tests_unit_test_http_cache_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_http_cache_LDADD = libsouk-engine-parts.la $(TEST_LIBS) -lssl -lcrypto
tests_unit_test_http_cache_LDFLAGS = $(AM_LDFLAGS) -no-install

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

check_PROGRAMS += tests/unit/test-cost
tests_unit_test_cost_SOURCES = %D%/test-cost.c %D%/scratch.h
tests_unit_test_cost_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_cost_LDADD = $(TEST_LIBS)
tests_unit_test_cost_LDFLAGS = $(AM_LDFLAGS) -no-install

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

check_PROGRAMS += tests/unit/test-provider-json
tests_unit_test_provider_json_SOURCES = %D%/test-provider-json.c
tests_unit_test_provider_json_CPPFLAGS = $(TEST_CPPFLAGS) $(JSON_CFLAGS)
tests_unit_test_provider_json_LDADD = libsouk-provider.la $(JSON_LIBS) $(CHECK_LIBS)
tests_unit_test_provider_json_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-provider-shared
tests_unit_test_provider_shared_SOURCES = %D%/test-provider-shared.c %D%/test-host.c %D%/test-host.h
tests_unit_test_provider_shared_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_provider_shared_LDADD = libsouk-provider.la $(CHECK_LIBS)
tests_unit_test_provider_shared_LDFLAGS = $(AM_LDFLAGS) -no-install

# Linked with the library's own sources, so that realloc() can be made to fail in them.
check_PROGRAMS += tests/unit/test-provider-api
tests_unit_test_provider_api_SOURCES = %D%/test-provider-api.c $(libsouk_provider_parts_la_SOURCES)
tests_unit_test_provider_api_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_provider_api_LDADD = $(CHECK_LIBS)
tests_unit_test_provider_api_LDFLAGS = $(AM_LDFLAGS) -no-install -Wl,--wrap=realloc

check_PROGRAMS += tests/unit/test-provider-host
tests_unit_test_provider_host_SOURCES = %D%/test-provider-host.c $(libsouk_provider_parts_la_SOURCES)
tests_unit_test_provider_host_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_provider_host_LDADD = $(CHECK_LIBS)
tests_unit_test_provider_host_LDFLAGS = $(AM_LDFLAGS) -no-install -Wl,--wrap=pthread_create

check_PROGRAMS += tests/unit/test-provider-parse
tests_unit_test_provider_parse_SOURCES = %D%/test-provider-parse.c $(libsouk_provider_parts_la_SOURCES)
tests_unit_test_provider_parse_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_provider_parse_LDADD = $(CHECK_LIBS)
tests_unit_test_provider_parse_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/unit/test-provider-cloud
tests_unit_test_provider_cloud_SOURCES = %D%/test-provider-cloud.c $(libsouk_provider_parts_la_SOURCES)
tests_unit_test_provider_cloud_CPPFLAGS = $(TEST_CPPFLAGS)
tests_unit_test_provider_cloud_LDADD = $(CHECK_LIBS)
tests_unit_test_provider_cloud_LDFLAGS = $(AM_LDFLAGS) -no-install

endif
