# SPDX-License-Identifier: Apache-2.0
# tests/bench - times, as ratios


EXTRA_DIST += \
	%D%/run
