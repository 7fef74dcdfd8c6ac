# SPDX-License-Identifier: Apache-2.0
# providers/local - this computer as a cloud

if BUILD_PROVIDER_LOCAL
# The parts are linked into the module and into its unit tests.
noinst_LTLIBRARIES += libprovider-local.la
libprovider_local_la_SOURCES = \
	%D%/control.c \
	%D%/folder.c \
	%D%/fs.c \
	%D%/local.c \
	%D%/machine.c \
	%D%/offers.c \
	%D%/power.c \
	%D%/procs.c \
	%D%/programs.c \
	%D%/provision.c \
	%D%/store.c \
	%D%/fs.h \
	%D%/local.h \
	%D%/machine.h \
	%D%/procs.h
libprovider_local_la_CPPFLAGS = $(PROVIDER_CPPFLAGS) $(PROVIDER_LOCAL_CFLAGS)
libprovider_local_la_CFLAGS = $(PROVIDER_CFLAGS)
libprovider_local_la_LIBADD = $(PROVIDER_LOCAL_LIBS)

provider_LTLIBRARIES += souk-provider-local.la
souk_provider_local_la_SOURCES =
souk_provider_local_la_LIBADD = libprovider-local.la libsouk-provider.la
souk_provider_local_la_LDFLAGS = $(PROVIDER_LINK)
EXTRA_souk_provider_local_la_DEPENDENCIES = $(PROVIDER_MAP)

pkglibexec_PROGRAMS += souk-local-machine
souk_local_machine_SOURCES = %D%/supervisor.c
souk_local_machine_CPPFLAGS = $(PROVIDER_CPPFLAGS)
souk_local_machine_CFLAGS = $(PROVIDER_CFLAGS)
souk_local_machine_LDADD = libprovider-local.la libsouk-provider-parts.la

MAN_PAGES += \
	%D%/souk-provider-local.7

nodist_transfer_DATA += transfer/local.csv
endif
EXTRA_DIST += %D%/transfer.csv
