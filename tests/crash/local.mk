# SPDX-License-Identifier: Apache-2.0
# tests/crash - a launch killed at every request and every sync, and the machines counted

TESTS += \
	%D%/test-crash-clouds.sh \
	%D%/test-crash-down.sh \
	%D%/test-crash-ec2.sh \
	%D%/test-crash-late.sh \
	%D%/test-crash-moto.sh \
	%D%/test-crash-parts.sh \
	%D%/test-crash-race.sh

EXTRA_DIST += \
	%D%/README.md \
	%D%/crash-test.py \
	%D%/crash.sh \
	%D%/failover.json \
	%D%/faultproxy.py \
	%D%/imitation.py \
	%D%/killsync.c \
	%D%/moto-ssh.py \
	%D%/test-crash-clouds.sh \
	%D%/test-crash-down.sh \
	%D%/test-crash-ec2.sh \
	%D%/test-crash-late.sh \
	%D%/test-crash-moto.sh \
	%D%/test-crash-parts.sh \
	%D%/test-crash-race.sh \
	%D%/test_crash.py
