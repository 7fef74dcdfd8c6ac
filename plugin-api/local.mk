# SPDX-License-Identifier: Apache-2.0
# plugin-api - what a provider author sees: the header, the library, the template

soukinclude_HEADERS += \
	%D%/include/souk/provider-json.h \
	%D%/include/souk/provider.h
pkgconfig_DATA += %D%/souk-provider.pc

# The parts are also linked into a program that is not to load a library for them.
noinst_LTLIBRARIES += libsouk-provider-parts.la
libsouk_provider_parts_la_SOURCES = \
	%D%/src/api-key.c \
	%D%/src/buf.c \
	%D%/src/cloud-config.c \
	%D%/src/error.c \
	%D%/src/host.c \
	%D%/src/lock.c \
	%D%/src/network.c \
	%D%/src/parallel.c \
	%D%/src/parse.c \
	%D%/src/refusal.c \
	%D%/src/settings.c
libsouk_provider_parts_la_CPPFLAGS = $(API_CPPFLAGS)
libsouk_provider_parts_la_CFLAGS = $(AM_CFLAGS) $(LIBRARY_CFLAGS)

lib_LTLIBRARIES += libsouk-provider.la
libsouk_provider_la_SOURCES =
libsouk_provider_la_LIBADD = libsouk-provider-parts.la
libsouk_provider_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 \
	-Wl,--version-script=$(srcdir)/%D%/libsouk-provider.map
EXTRA_libsouk_provider_la_DEPENDENCIES = %D%/libsouk-provider.map

EXTRA_DIST += %D%/libsouk-provider.map %D%/provider.map

# What 'souk provider new' copies.
dist_template_DATA += \
	%D%/template/Makefile.am \
	%D%/template/README.md \
	%D%/template/acme.c \
	%D%/template/configure.ac
