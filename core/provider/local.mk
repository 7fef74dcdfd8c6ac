# SPDX-License-Identifier: Apache-2.0
# core/provider - find, verify and call provider modules

provider_sources = \
	%D%/crash.c \
	%D%/host.c \
	%D%/lists.c \
	%D%/module.c \
	%D%/provider.c \
	%D%/registry.c \
	%D%/signs.c \
	%D%/stamp.c \
	%D%/crash.h \
	%D%/host.h \
	%D%/lists.h \
	%D%/module.h \
	%D%/provider.h \
	%D%/registry.h \
	%D%/signs.h \
	%D%/stamp.h
