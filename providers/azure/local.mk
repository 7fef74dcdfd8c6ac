# SPDX-License-Identifier: Apache-2.0
# providers/azure - Microsoft Azure

if BUILD_PROVIDER_AZURE
# The parts are linked into the module and into its unit tests.
noinst_LTLIBRARIES += libprovider-azure.la
libprovider_azure_la_SOURCES = \
	%D%/accelerators.c \
	%D%/account.c \
	%D%/assertion.c \
	%D%/azure.c \
	%D%/body.c \
	%D%/check.c \
	%D%/client.c \
	%D%/credentials-managed.c \
	%D%/credentials-principal.c \
	%D%/credentials.c \
	%D%/errors.c \
	%D%/image.c \
	%D%/instances.c \
	%D%/json-read.c \
	%D%/lifecycle.c \
	%D%/names.c \
	%D%/network.c \
	%D%/offers.c \
	%D%/prices.c \
	%D%/provision.c \
	%D%/quote.c \
	%D%/rehearse.c \
	%D%/sizes.c \
	%D%/source.c \
	%D%/text.c \
	%D%/urls.c \
	%D%/account.h \
	%D%/azure.h \
	%D%/client.h \
	%D%/credentials.h \
	%D%/errors.h \
	%D%/json-read.h \
	%D%/machines.h \
	%D%/market.h
libprovider_azure_la_CPPFLAGS = $(PROVIDER_CPPFLAGS) $(PROVIDER_AZURE_CFLAGS)
libprovider_azure_la_CFLAGS = $(PROVIDER_CFLAGS)
libprovider_azure_la_LIBADD = $(PROVIDER_AZURE_LIBS)

provider_LTLIBRARIES += souk-provider-azure.la
souk_provider_azure_la_SOURCES =
souk_provider_azure_la_LIBADD = libprovider-azure.la libsouk-provider.la
souk_provider_azure_la_LDFLAGS = $(PROVIDER_LINK)
EXTRA_souk_provider_azure_la_DEPENDENCIES = $(PROVIDER_MAP)

MAN_PAGES += \
	%D%/souk-provider-azure.7

nodist_catalog_DATA += catalog/azure.catalog

nodist_transfer_DATA += transfer/azure.csv
nodist_charges_DATA += charges/azure.csv
endif
EXTRA_DIST += %D%/offers.csv %D%/transfer.csv %D%/charges.csv
