# SPDX-License-Identifier: Apache-2.0
# tests/abi - the header stands alone, and what was built against a released one still works

TESTS += %D%/test-abi.sh
dist_check_SCRIPTS += %D%/test-abi.sh
EXTRA_DIST += \
	%D%/README.md \
	%D%/host.c \
	%D%/module.c \
	%D%/v1/souk/provider.h
