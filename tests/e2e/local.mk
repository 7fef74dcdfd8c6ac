# SPDX-License-Identifier: Apache-2.0
# tests/e2e - the command, and its parts, as a user runs them

TESTS += \
	%D%/test-cli-docs.sh \
	%D%/test-cli.sh \
	%D%/test-embeddings.sh \
	%D%/test-local-launch.sh \
	%D%/test-runtime.sh

EXTRA_DIST += \
	%D%/lib.sh \
	%D%/runtime/cases.sh \
	%D%/runtime/machines.sh \
	%D%/test-cli-docs.sh \
	%D%/test-cli.sh \
	%D%/test-embeddings.sh \
	%D%/test-local-launch.sh \
	%D%/test-runtime.sh
