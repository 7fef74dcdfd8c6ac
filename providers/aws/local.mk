# SPDX-License-Identifier: Apache-2.0
# providers/aws - Amazon EC2

if BUILD_PROVIDER_AWS
# The parts are linked into the module and into its unit tests.
noinst_LTLIBRARIES += libprovider-aws.la
libprovider_aws_la_SOURCES = \
	%D%/aws.c \
	%D%/check.c \
	%D%/client.c \
	%D%/credentials-expected.c \
	%D%/credentials-metadata.c \
	%D%/credentials-sso.c \
	%D%/credentials-sts.c \
	%D%/credentials.c \
	%D%/disk.c \
	%D%/endpoint.c \
	%D%/errors.c \
	%D%/image.c \
	%D%/instances.c \
	%D%/json-call.c \
	%D%/lifecycle.c \
	%D%/list.c \
	%D%/network.c \
	%D%/offers.c \
	%D%/placement.c \
	%D%/prices.c \
	%D%/products.c \
	%D%/profile.c \
	%D%/provision.c \
	%D%/query.c \
	%D%/quota.c \
	%D%/quote.c \
	%D%/regions.c \
	%D%/rehearse.c \
	%D%/reservation.c \
	%D%/security-group.c \
	%D%/sign.c \
	%D%/source.c \
	%D%/spot.c \
	%D%/text.c \
	%D%/types.c \
	%D%/xml.c \
	%D%/aws.h \
	%D%/credentials.h \
	%D%/disk.h \
	%D%/errors.h \
	%D%/image.h \
	%D%/instances.h \
	%D%/json-call.h \
	%D%/market.h \
	%D%/network.h \
	%D%/products.h \
	%D%/profile.h \
	%D%/query.h \
	%D%/quota.h \
	%D%/regions.h \
	%D%/reservation.h \
	%D%/sign.h \
	%D%/xml.h
libprovider_aws_la_CPPFLAGS = $(PROVIDER_CPPFLAGS) $(PROVIDER_AWS_CFLAGS)
libprovider_aws_la_CFLAGS = $(PROVIDER_CFLAGS)
libprovider_aws_la_LIBADD = $(PROVIDER_AWS_LIBS)

provider_LTLIBRARIES += souk-provider-aws.la
souk_provider_aws_la_SOURCES =
souk_provider_aws_la_LIBADD = libprovider-aws.la libsouk-provider.la
souk_provider_aws_la_LDFLAGS = $(PROVIDER_LINK)
EXTRA_souk_provider_aws_la_DEPENDENCIES = $(PROVIDER_MAP)

MAN_PAGES += \
	%D%/souk-provider-aws.7

nodist_catalog_DATA += catalog/aws.catalog

nodist_transfer_DATA += transfer/aws.csv
nodist_charges_DATA += charges/aws.csv
endif
EXTRA_DIST += %D%/offers.csv %D%/transfer.csv %D%/charges.csv
