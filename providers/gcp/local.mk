# SPDX-License-Identifier: Apache-2.0
# providers/gcp - Google Compute Engine

if BUILD_PROVIDER_GCP
# The parts are linked into the module and into its unit tests.
noinst_LTLIBRARIES += libprovider-gcp.la
libprovider_gcp_la_SOURCES = \
	%D%/body.c \
	%D%/check.c \
	%D%/client.c \
	%D%/cost.c \
	%D%/credentials.c \
	%D%/endpoint.c \
	%D%/errors.c \
	%D%/firewall.c \
	%D%/gcp.c \
	%D%/image.c \
	%D%/instances.c \
	%D%/json-value.c \
	%D%/jwt.c \
	%D%/lifecycle.c \
	%D%/names.c \
	%D%/offers.c \
	%D%/operations.c \
	%D%/prices.c \
	%D%/project.c \
	%D%/provision.c \
	%D%/quote.c \
	%D%/rehearse.c \
	%D%/shapes.c \
	%D%/sku.c \
	%D%/source.c \
	%D%/text.c \
	%D%/token.c \
	%D%/types.c \
	%D%/errors.h \
	%D%/gcp.h \
	%D%/json-value.h \
	%D%/machines.h \
	%D%/market.h
libprovider_gcp_la_CPPFLAGS = $(PROVIDER_CPPFLAGS) $(PROVIDER_GCP_CFLAGS)
libprovider_gcp_la_CFLAGS = $(PROVIDER_CFLAGS)
libprovider_gcp_la_LIBADD = $(PROVIDER_GCP_LIBS)

provider_LTLIBRARIES += souk-provider-gcp.la
souk_provider_gcp_la_SOURCES =
souk_provider_gcp_la_LIBADD = libprovider-gcp.la libsouk-provider.la
souk_provider_gcp_la_LDFLAGS = $(PROVIDER_LINK)
EXTRA_souk_provider_gcp_la_DEPENDENCIES = $(PROVIDER_MAP)

MAN_PAGES += \
	%D%/souk-provider-gcp.7

nodist_catalog_DATA += catalog/gcp.catalog

nodist_transfer_DATA += transfer/gcp.csv
nodist_charges_DATA += charges/gcp.csv
endif
EXTRA_DIST += %D%/offers.csv %D%/transfer.csv %D%/charges.csv
