# SPDX-License-Identifier: Apache-2.0
# providers/runpod - RunPod

if BUILD_PROVIDER_RUNPOD
# The parts are linked into the module and into its unit tests.
noinst_LTLIBRARIES += libprovider-runpod.la
libprovider_runpod_la_SOURCES = \
	%D%/catalog.c \
	%D%/check.c \
	%D%/client.c \
	%D%/credentials.c \
	%D%/errors.c \
	%D%/gpus.c \
	%D%/limits.c \
	%D%/offers.c \
	%D%/pods.c \
	%D%/provision.c \
	%D%/quote.c \
	%D%/rehearse.c \
	%D%/rows.c \
	%D%/runpod.c \
	%D%/volume.c \
	%D%/catalog.h \
	%D%/errors.h \
	%D%/gpus.h \
	%D%/market.h \
	%D%/pods.h \
	%D%/runpod.h \
	%D%/volume.h
libprovider_runpod_la_CPPFLAGS = $(PROVIDER_CPPFLAGS) $(PROVIDER_RUNPOD_CFLAGS)
libprovider_runpod_la_CFLAGS = $(PROVIDER_CFLAGS)
libprovider_runpod_la_LIBADD = $(PROVIDER_RUNPOD_LIBS)

provider_LTLIBRARIES += souk-provider-runpod.la
souk_provider_runpod_la_SOURCES =
souk_provider_runpod_la_LIBADD = libprovider-runpod.la libsouk-provider.la
souk_provider_runpod_la_LDFLAGS = $(PROVIDER_LINK)
EXTRA_souk_provider_runpod_la_DEPENDENCIES = $(PROVIDER_MAP)

MAN_PAGES += \
	%D%/souk-provider-runpod.7

nodist_catalog_DATA += catalog/runpod.catalog

nodist_transfer_DATA += transfer/runpod.csv
nodist_charges_DATA += charges/runpod.csv
endif
EXTRA_DIST += %D%/offers.csv %D%/transfer.csv %D%/charges.csv
