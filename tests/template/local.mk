# SPDX-License-Identifier: Apache-2.0
# tests/template - the template builds against an installed souk, and works

TESTS += %D%/test-template.sh
dist_check_SCRIPTS += %D%/test-template.sh
EXTRA_DIST += %D%/host.c %D%/fake-ssh
