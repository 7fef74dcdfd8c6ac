# SPDX-License-Identifier: Apache-2.0
# providers/lambda - Lambda Cloud

if BUILD_PROVIDER_LAMBDA
# The parts are linked into the module and into its unit tests.
noinst_LTLIBRARIES += libprovider-lambda.la
libprovider_lambda_la_SOURCES = \
	%D%/check.c \
	%D%/client.c \
	%D%/credentials.c \
	%D%/errors.c \
	%D%/firewall.c \
	%D%/keys.c \
	%D%/lambda.c \
	%D%/machines.c \
	%D%/offers.c \
	%D%/pace.c \
	%D%/provision.c \
	%D%/rehearse.c \
	%D%/types.c \
	%D%/errors.h \
	%D%/lambda.h \
	%D%/machines.h \
	%D%/market.h \
	%D%/pace.h \
	%D%/types.h
libprovider_lambda_la_CPPFLAGS = $(PROVIDER_CPPFLAGS) $(PROVIDER_LAMBDA_CFLAGS)
libprovider_lambda_la_CFLAGS = $(PROVIDER_CFLAGS)
libprovider_lambda_la_LIBADD = $(PROVIDER_LAMBDA_LIBS)

provider_LTLIBRARIES += souk-provider-lambda.la
souk_provider_lambda_la_SOURCES =
souk_provider_lambda_la_LIBADD = libprovider-lambda.la libsouk-provider.la
souk_provider_lambda_la_LDFLAGS = $(PROVIDER_LINK)
EXTRA_souk_provider_lambda_la_DEPENDENCIES = $(PROVIDER_MAP)

MAN_PAGES += \
	%D%/souk-provider-lambda.7

nodist_catalog_DATA += catalog/lambda.catalog

nodist_transfer_DATA += transfer/lambda.csv
nodist_charges_DATA += charges/lambda.csv
endif
EXTRA_DIST += %D%/offers.csv %D%/transfer.csv %D%/charges.csv
