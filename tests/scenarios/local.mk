# SPDX-License-Identifier: Apache-2.0
# tests/scenarios - random users, random faults, five clouds; and then the machines are counted

TESTS += \
	%D%/test-known-leaks.sh \
	%D%/test-scenarios.sh

EXTRA_DIST += \
	%D%/README.md \
	%D%/generate.py \
	%D%/known-leaks.py \
	%D%/scenario-test.py \
	%D%/scenarios.sh \
	%D%/test-known-leaks.sh \
	%D%/test-scenarios.sh \
	%D%/workbench.py
