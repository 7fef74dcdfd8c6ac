# SPDX-License-Identifier: Apache-2.0
# tests/fuzz - every fuzz target as a program that runs its corpus; CONTRIBUTING says how to fuzz

FUZZ_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/tests/fuzz
FUZZ_LIBS = libsouk.la libsouk-provider.la
# -fsanitize=fuzzer brings a main() with it; then that of the library is not taken.
FUZZ_ENGINE =
FUZZ_LINK = $(AM_LDFLAGS) $(FUZZ_ENGINE) -no-install

check_LTLIBRARIES += tests/fuzz/libstandalone.la
tests_fuzz_libstandalone_la_SOURCES = %D%/standalone.c %D%/fuzz.h
tests_fuzz_libstandalone_la_CPPFLAGS = $(FUZZ_CPPFLAGS)

EXTRA_DIST += \
	%D%/corpus/lambda/gpu.txt \
	%D%/corpus/lambda/keys.txt \
	%D%/corpus/lambda/machine.json \
	%D%/corpus/lambda/pace.txt \
	%D%/corpus/lambda/refusal.json \
	%D%/corpus/lambda/types.json \
	%D%/corpus/runpod/config.toml \
	%D%/corpus/runpod/cpus.json \
	%D%/corpus/runpod/gpus.json \
	%D%/corpus/runpod/limit.txt \
	%D%/corpus/runpod/pod.json \
	%D%/corpus/runpod/refusal.json \
	%D%/corpus/runpod/type.txt \
	%D%/corpus/aws-offers/address.json \
	%D%/corpus/aws-offers/devices.xml \
	%D%/corpus/aws-offers/disks.json \
	%D%/corpus/aws-offers/half.json \
	%D%/corpus/aws-offers/market.xml \
	%D%/corpus/aws-offers/prices-plain.json \
	%D%/corpus/aws-offers/prices.json \
	%D%/corpus/aws-offers/refusal.json \
	%D%/corpus/aws-offers/spot.xml \
	%D%/corpus/aws/config.ini \
	%D%/corpus/aws/doctype.xml \
	%D%/corpus/aws/empty-names.ini \
	%D%/corpus/aws/instances.xml \
	%D%/corpus/aws/long-key.ini \
	%D%/corpus/aws/open-header.ini \
	%D%/corpus/aws/price.json \
	%D%/corpus/aws/refusal.json \
	%D%/corpus/aws/refusal.xml \
	%D%/corpus/aws/sts.xml \
	%D%/corpus/aws/types.xml \
	%D%/corpus/azure/amount \
	%D%/corpus/azure/az.json \
	%D%/corpus/azure/claims \
	%D%/corpus/azure/link \
	%D%/corpus/azure/locations.json \
	%D%/corpus/azure/login.json \
	%D%/corpus/azure/machine-id \
	%D%/corpus/azure/network \
	%D%/corpus/azure/permissions.json \
	%D%/corpus/azure/price.json \
	%D%/corpus/azure/prices.json \
	%D%/corpus/azure/refusal.json \
	%D%/corpus/azure/sizes.json \
	%D%/corpus/azure/sku.json \
	%D%/corpus/azure/token.json \
	%D%/corpus/azure/vm.json \
	%D%/corpus/catalog/crlf.csv \
	%D%/corpus/catalog/few-columns.csv \
	%D%/corpus/catalog/further.csv \
	%D%/corpus/catalog/huge-gpu.csv \
	%D%/corpus/catalog/many-columns.csv \
	%D%/corpus/catalog/negative.csv \
	%D%/corpus/catalog/no-region.csv \
	%D%/corpus/catalog/nul.csv \
	%D%/corpus/catalog/seed.csv \
	%D%/corpus/catalog/skypilot.csv \
	%D%/corpus/catalog/wrong-header.csv \
	%D%/corpus/catalog-file/newer.catalog \
	%D%/corpus/catalog-file/one.catalog \
	%D%/corpus/catalog-file/several.catalog \
	%D%/corpus/catalog-file/truncated.catalog \
	%D%/corpus/csv/behind-quote.csv \
	%D%/corpus/csv/comments.csv \
	%D%/corpus/csv/crlf.csv \
	%D%/corpus/csv/line-break.csv \
	%D%/corpus/csv/many-fields.csv \
	%D%/corpus/csv/nul.csv \
	%D%/corpus/csv/numbers.csv \
	%D%/corpus/csv/open-quote.csv \
	%D%/corpus/csv/plain.csv \
	%D%/corpus/csv/quote-within.csv \
	%D%/corpus/csv/quotes-and-mark.csv \
	%D%/corpus/quote/charges.csv \
	%D%/corpus/quote/huge-disk.csv \
	%D%/corpus/quote/huge-prices.csv \
	%D%/corpus/quote/no-first-tier.csv \
	%D%/corpus/quote/nul.csv \
	%D%/corpus/quote/quote.json \
	%D%/corpus/quote/transfers.csv \
	%D%/corpus/quote/wrong-header.csv \
	%D%/corpus/quote/wrong-id.json \
	%D%/corpus/config/empty.yaml \
	%D%/corpus/config/full.yaml \
	%D%/corpus/config/set.yaml \
	%D%/corpus/config/two-documents.yaml \
	%D%/corpus/config/wrong-set.yaml \
	%D%/corpus/config/wrong.yaml \
	%D%/corpus/gcp/accelerators.json \
	%D%/corpus/gcp/config.ini \
	%D%/corpus/gcp/instance.json \
	%D%/corpus/gcp/key.json \
	%D%/corpus/gcp/network \
	%D%/corpus/gcp/refusal.json \
	%D%/corpus/gcp/skus.json \
	%D%/corpus/gcp/token.json \
	%D%/corpus/gcp/types.json \
	%D%/corpus/gcp/user.json \
	%D%/corpus/gcp/words \
	%D%/corpus/gcp/zones.json \
	%D%/corpus/ignore/all-below \
	%D%/corpus/ignore/class \
	%D%/corpus/ignore/class-like \
	%D%/corpus/ignore/double-star \
	%D%/corpus/ignore/escapes \
	%D%/corpus/ignore/many-folders \
	%D%/corpus/ignore/many-stars \
	%D%/corpus/ignore/name \
	%D%/corpus/ignore/open-class \
	%D%/corpus/jobs/few-fields \
	%D%/corpus/jobs/huge-numbers \
	%D%/corpus/jobs/large-count \
	%D%/corpus/jobs/not-a-job \
	%D%/corpus/jobs/queue \
	%D%/corpus/jobs/unknown-status \
	%D%/corpus/task/aliases.yaml \
	%D%/corpus/task/alternatives.yaml \
	%D%/corpus/task/group.yaml \
	%D%/corpus/task/not-utf8.yaml \
	%D%/corpus/task/scalars.yaml \
	%D%/corpus/task/tab.yaml \
	%D%/corpus/task/train.yaml \
	%D%/corpus/task/unsupported.yaml \
	%D%/corpus/task/wrong.yaml \
	%D%/corpus/url/backslash \
	%D%/corpus/url/decimal-address \
	%D%/corpus/url/escaped-host \
	%D%/corpus/url/http-in-clear \
	%D%/corpus/url/https \
	%D%/corpus/url/link-local-zone \
	%D%/corpus/url/localhost \
	%D%/corpus/url/loopback \
	%D%/corpus/url/loopback-lookalike \
	%D%/corpus/url/loopback-v6 \
	%D%/corpus/url/metadata-v6 \
	%D%/corpus/url/one-slash \
	%D%/corpus/url/one-slash-twice \
	%D%/corpus/url/other-scheme \
	%D%/corpus/url/short-address \
	%D%/corpus/url/upper-case \
	%D%/corpus/url/user-and-password

check_PROGRAMS += tests/fuzz/fuzz-yaml
tests_fuzz_fuzz_yaml_SOURCES = %D%/fuzz-yaml.c %D%/fuzz.h
tests_fuzz_fuzz_yaml_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_yaml_LDADD = tests/fuzz/libstandalone.la $(FUZZ_LIBS)
tests_fuzz_fuzz_yaml_LDFLAGS = $(FUZZ_LINK)

check_PROGRAMS += tests/fuzz/fuzz-task
tests_fuzz_fuzz_task_SOURCES = %D%/fuzz-task.c %D%/fuzz.h
tests_fuzz_fuzz_task_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_task_LDADD = tests/fuzz/libstandalone.la $(FUZZ_LIBS)
tests_fuzz_fuzz_task_LDFLAGS = $(FUZZ_LINK)

check_PROGRAMS += tests/fuzz/fuzz-catalog
tests_fuzz_fuzz_catalog_SOURCES = %D%/fuzz-catalog.c %D%/catalog-reader.h %D%/fuzz.h
tests_fuzz_fuzz_catalog_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_catalog_LDADD = tests/fuzz/libstandalone.la $(FUZZ_LIBS)
tests_fuzz_fuzz_catalog_LDFLAGS = $(FUZZ_LINK)

check_PROGRAMS += tests/fuzz/fuzz-catalog-file
tests_fuzz_fuzz_catalog_file_SOURCES = %D%/fuzz-catalog-file.c %D%/catalog-reader.h %D%/fuzz.h
tests_fuzz_fuzz_catalog_file_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_catalog_file_LDADD = tests/fuzz/libstandalone.la $(FUZZ_LIBS)
tests_fuzz_fuzz_catalog_file_LDFLAGS = $(FUZZ_LINK)

check_PROGRAMS += tests/fuzz/fuzz-csv
tests_fuzz_fuzz_csv_SOURCES = %D%/fuzz-csv.c %D%/fuzz.h
tests_fuzz_fuzz_csv_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_csv_LDADD = tests/fuzz/libstandalone.la $(FUZZ_LIBS)
tests_fuzz_fuzz_csv_LDFLAGS = $(FUZZ_LINK)

check_PROGRAMS += tests/fuzz/fuzz-quote
tests_fuzz_fuzz_quote_SOURCES = %D%/fuzz-quote.c %D%/fuzz.h
tests_fuzz_fuzz_quote_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_quote_LDADD = tests/fuzz/libstandalone.la $(FUZZ_LIBS)
tests_fuzz_fuzz_quote_LDFLAGS = $(FUZZ_LINK)

check_PROGRAMS += tests/fuzz/fuzz-config
tests_fuzz_fuzz_config_SOURCES = %D%/fuzz-config.c %D%/fuzz.h
tests_fuzz_fuzz_config_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_config_LDADD = tests/fuzz/libstandalone.la $(FUZZ_LIBS)
tests_fuzz_fuzz_config_LDFLAGS = $(FUZZ_LINK)

check_PROGRAMS += tests/fuzz/fuzz-ignore
tests_fuzz_fuzz_ignore_SOURCES = %D%/fuzz-ignore.c %D%/fuzz.h
tests_fuzz_fuzz_ignore_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_ignore_LDADD = tests/fuzz/libstandalone.la libsouk-engine-parts.la $(FUZZ_LIBS)
tests_fuzz_fuzz_ignore_LDFLAGS = $(FUZZ_LINK)

check_PROGRAMS += tests/fuzz/fuzz-jobs
tests_fuzz_fuzz_jobs_SOURCES = %D%/fuzz-jobs.c %D%/fuzz.h
tests_fuzz_fuzz_jobs_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_jobs_LDADD = tests/fuzz/libstandalone.la libsouk-engine-parts.la $(FUZZ_LIBS)
tests_fuzz_fuzz_jobs_LDFLAGS = $(FUZZ_LINK)

check_PROGRAMS += tests/fuzz/fuzz-url
tests_fuzz_fuzz_url_SOURCES = %D%/fuzz-url.c %D%/fuzz.h
tests_fuzz_fuzz_url_CPPFLAGS = $(FUZZ_CPPFLAGS) $(CURL_CFLAGS)
tests_fuzz_fuzz_url_LDADD = tests/fuzz/libstandalone.la libsouk-engine-parts.la $(FUZZ_LIBS) $(CURL_LIBS)
tests_fuzz_fuzz_url_LDFLAGS = $(FUZZ_LINK)

if BUILD_PROVIDER_AWS
check_PROGRAMS += tests/fuzz/fuzz-aws
tests_fuzz_fuzz_aws_SOURCES = %D%/fuzz-aws.c %D%/fuzz.h \
	tests/unit/test-host.c tests/unit/test-host.h
tests_fuzz_fuzz_aws_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/providers/aws \
	$(PROVIDER_AWS_CFLAGS)
tests_fuzz_fuzz_aws_LDADD = tests/fuzz/libstandalone.la libprovider-aws.la libsouk-provider.la
tests_fuzz_fuzz_aws_LDFLAGS = $(FUZZ_LINK)

check_PROGRAMS += tests/fuzz/fuzz-aws-offers
tests_fuzz_fuzz_aws_offers_SOURCES = %D%/fuzz-aws-offers.c %D%/fuzz.h \
	tests/unit/test-host.c tests/unit/test-host.h
tests_fuzz_fuzz_aws_offers_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/providers/aws \
	$(PROVIDER_AWS_CFLAGS)
tests_fuzz_fuzz_aws_offers_LDADD = tests/fuzz/libstandalone.la libprovider-aws.la libsouk-provider.la
tests_fuzz_fuzz_aws_offers_LDFLAGS = $(FUZZ_LINK)
endif

if BUILD_PROVIDER_AZURE
check_PROGRAMS += tests/fuzz/fuzz-azure
tests_fuzz_fuzz_azure_SOURCES = %D%/fuzz-azure.c %D%/fuzz.h \
	tests/unit/test-host.c tests/unit/test-host.h
tests_fuzz_fuzz_azure_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/providers/azure \
	$(PROVIDER_AZURE_CFLAGS)
tests_fuzz_fuzz_azure_LDADD = tests/fuzz/libstandalone.la libprovider-azure.la libsouk-provider.la
tests_fuzz_fuzz_azure_LDFLAGS = $(FUZZ_LINK)
endif

if BUILD_PROVIDER_RUNPOD
check_PROGRAMS += tests/fuzz/fuzz-runpod
tests_fuzz_fuzz_runpod_SOURCES = %D%/fuzz-runpod.c %D%/fuzz.h \
	tests/unit/test-host.c tests/unit/test-host.h
tests_fuzz_fuzz_runpod_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/providers/runpod \
	$(PROVIDER_RUNPOD_CFLAGS)
tests_fuzz_fuzz_runpod_LDADD = tests/fuzz/libstandalone.la libprovider-runpod.la libsouk-provider.la
tests_fuzz_fuzz_runpod_LDFLAGS = $(FUZZ_LINK)
endif

if BUILD_PROVIDER_LAMBDA
check_PROGRAMS += tests/fuzz/fuzz-lambda
tests_fuzz_fuzz_lambda_SOURCES = %D%/fuzz-lambda.c %D%/fuzz.h \
	tests/unit/test-host.c tests/unit/test-host.h
tests_fuzz_fuzz_lambda_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/providers/lambda \
	$(PROVIDER_LAMBDA_CFLAGS)
tests_fuzz_fuzz_lambda_LDADD = tests/fuzz/libstandalone.la libprovider-lambda.la libsouk-provider.la
tests_fuzz_fuzz_lambda_LDFLAGS = $(FUZZ_LINK)
endif

if BUILD_PROVIDER_GCP
check_PROGRAMS += tests/fuzz/fuzz-gcp
tests_fuzz_fuzz_gcp_SOURCES = %D%/fuzz-gcp.c %D%/fuzz.h \
	tests/unit/test-host.c tests/unit/test-host.h
tests_fuzz_fuzz_gcp_CPPFLAGS = $(FUZZ_CPPFLAGS) -I$(top_srcdir)/providers/gcp \
	$(PROVIDER_GCP_CFLAGS)
tests_fuzz_fuzz_gcp_LDADD = tests/fuzz/libstandalone.la libprovider-gcp.la libsouk-provider.la
tests_fuzz_fuzz_gcp_LDFLAGS = $(FUZZ_LINK)
endif
