# SPDX-License-Identifier: Apache-2.0
# tests - what 'make check' runs; nothing here needs a network beyond loopback

include %D%/unit/local.mk
include %D%/abi/local.mk
include %D%/template/local.mk
include %D%/e2e/local.mk
include %D%/cloudsim/local.mk
include %D%/conformance/local.mk
include %D%/crash/local.mk
include %D%/scenarios/local.mk
include %D%/fuzz/local.mk
include %D%/market/local.mk
include %D%/bench/local.mk

TESTS += $(check_PROGRAMS)
TESTS += %D%/check-floors %D%/check-style
dist_check_SCRIPTS += %D%/check-floors %D%/check-style

if HAVE_PYTHON
TESTS += \
	%D%/cloudsim/test_ec2.py \
	%D%/cloudsim/test_machine.py
endif

# What the tests are told: where the sources are, which program and compiler to use.
AM_TESTS_ENVIRONMENT = \
	SOUK='$(abs_top_builddir)/souk'; export SOUK; \
	SOUK_TEST_SRCDIR='$(abs_top_srcdir)'; export SOUK_TEST_SRCDIR; \
	SOUK_TEST_BUILDDIR='$(abs_top_builddir)'; export SOUK_TEST_BUILDDIR; \
	SOUK_TEST_CC='$(CC)'; CC='$(CC)'; export SOUK_TEST_CC CC; \
	SOUK_TEST_PYTHON='$(PYTHON)'; export SOUK_TEST_PYTHON; \
	SOUK_TEST_SANITIZER='$(SANITIZER_FLAGS)'; export SOUK_TEST_SANITIZER; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE; \
	unset SOUK_HOME SOUK_PROVIDER_PATH NO_COLOR XDG_CONFIG_HOME XDG_STATE_HOME XDG_CACHE_HOME \
		XDG_DATA_HOME;
TEST_EXTENSIONS = .sh .py
# A test that hangs fails; it does not hold up the others.
TEST_TIMEOUT = 900
LIMIT = timeout -k 10 $(TEST_TIMEOUT)
LOG_COMPILER = $(LIMIT)
SH_LOG_COMPILER = $(LIMIT) $(SHELL)
PY_LOG_COMPILER = $(LIMIT) $(PYTHON)
