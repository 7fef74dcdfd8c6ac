# SPDX-License-Identifier: Apache-2.0
# tests/template - the template builds against an installed souk, and works

TESTS += %D%/test-template.sh
dist_check_SCRIPTS += %D%/test-template.sh
EXTRA_DIST += %D%/host.c %D%/fake-ssh

# It installs, for which libtool links the build's own libraries anew: for a moment they are away.
# So it comes after all others.
%D%/test-template.log: $(TEST_LOGS:%D%/test-template.log=)
