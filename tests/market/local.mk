# SPDX-License-Identifier: Apache-2.0
# tests/market - the market's answers, computed by other means

TESTS += %D%/test-oracle.sh

EXTRA_DIST += \
	%D%/oracle.py \
	%D%/test-oracle.sh
