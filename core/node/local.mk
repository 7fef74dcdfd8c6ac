# SPDX-License-Identifier: Apache-2.0
# core/node - what happens on a machine

node_sources = \
	%D%/ignore.c \
	%D%/remote.c \
	%D%/runtime.c \
	%D%/ssh-config.c \
	%D%/sync.c \
	%D%/ignore.h \
	%D%/remote.h \
	%D%/runtime-internal.h \
	%D%/runtime-text.h \
	%D%/runtime.h \
	%D%/ssh-config.h \
	%D%/sync.h

EXTRA_DIST += %D%/runtime.sh
node_built_sources = %D%/runtime-text.c
CLEANFILES += %D%/runtime-text.c
%D%/runtime-text.c: %D%/runtime.sh build-aux/embed
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SHELL) $(srcdir)/build-aux/embed souk_node_runtime \
		$(srcdir)/%D%/runtime.sh >$@.tmp && mv -f $@.tmp $@
