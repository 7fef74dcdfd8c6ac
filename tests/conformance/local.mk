# SPDX-License-Identifier: Apache-2.0
# tests/conformance - the conformance suite on a good module, on spoiled ones, and on our own

check_LTLIBRARIES += tests/conformance/souk-provider-toy.la
tests_conformance_souk_provider_toy_la_SOURCES = %D%/toy.c
tests_conformance_souk_provider_toy_la_CPPFLAGS = $(PROVIDER_CPPFLAGS)
tests_conformance_souk_provider_toy_la_CFLAGS = $(PROVIDER_CFLAGS)
tests_conformance_souk_provider_toy_la_LIBADD = libsouk-provider.la
tests_conformance_souk_provider_toy_la_LDFLAGS = $(PROVIDER_LINK) \
	-rpath $(abs_top_builddir)/tests/conformance

EXTRA_DIST += %D%/lib.sh %D%/test_mutants.py %D%/toycloud.py
dist_check_SCRIPTS += \
	%D%/test-conformance-aws.sh \
	%D%/test-conformance-azure.sh \
	%D%/test-conformance-gcp.sh \
	%D%/test-conformance-lambda.sh \
	%D%/test-conformance-runpod.sh \
	%D%/test-conformance.sh \
	%D%/test-provider-new.sh

TESTS += \
	%D%/test-conformance-aws.sh \
	%D%/test-conformance-azure.sh \
	%D%/test-conformance-gcp.sh \
	%D%/test-conformance-lambda.sh \
	%D%/test-conformance-runpod.sh \
	%D%/test-conformance.sh \
	%D%/test-provider-new.sh
if HAVE_PYTHON
TESTS += %D%/test_mutants.py
endif
