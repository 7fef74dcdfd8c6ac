# SPDX-License-Identifier: Apache-2.0
# tests/crash - a launch killed at every request and every sync, and the machines counted

dist_check_SCRIPTS += %D%/test_crash.py
EXTRA_DIST += \
	%D%/README.md \
	%D%/crash-test.py \
	%D%/failover.json \
	%D%/faultproxy.py \
	%D%/imitation.py \
	%D%/killsync.c \
	%D%/moto-ssh.py
