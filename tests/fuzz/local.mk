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
	%D%/corpus/catalog/crlf.csv \
	%D%/corpus/catalog/few-columns.csv \
	%D%/corpus/catalog/huge-gpu.csv \
	%D%/corpus/catalog/many-columns.csv \
	%D%/corpus/catalog/negative.csv \
	%D%/corpus/catalog/no-region.csv \
	%D%/corpus/catalog/nul.csv \
	%D%/corpus/catalog/seed.csv \
	%D%/corpus/catalog/wrong-header.csv \
	%D%/corpus/config/empty.yaml \
	%D%/corpus/config/full.yaml \
	%D%/corpus/config/set.yaml \
	%D%/corpus/config/two-documents.yaml \
	%D%/corpus/config/wrong-set.yaml \
	%D%/corpus/config/wrong.yaml \
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
tests_fuzz_fuzz_catalog_SOURCES = %D%/fuzz-catalog.c %D%/fuzz.h
tests_fuzz_fuzz_catalog_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_catalog_LDADD = tests/fuzz/libstandalone.la $(FUZZ_LIBS)
tests_fuzz_fuzz_catalog_LDFLAGS = $(FUZZ_LINK)

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
endif
