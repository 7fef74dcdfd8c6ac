# SPDX-License-Identifier: Apache-2.0
# tests/bench - how long things take; 'make bench' prints it, nothing is asserted

EXTRA_DIST += \
	%D%/market.py \
	%D%/pipeline.py \
	%D%/run
