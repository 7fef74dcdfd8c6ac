# SPDX-License-Identifier: Apache-2.0
# core - libsouk, and libsouk-engine with the floors that reach out

include %D%/base/local.mk
include %D%/model/local.mk
include %D%/store/local.mk
include %D%/provider/local.mk
include %D%/market/local.mk
include %D%/net/local.mk
include %D%/node/local.mk
include %D%/fleet/local.mk

core_sources = \
	%D%/catalogs.c \
	%D%/catalogs-import.c \
	%D%/catalogs-stale.c \
	%D%/catalogs-update.c \
	%D%/clusters.c \
	%D%/conformance/calls.c \
	%D%/conformance/findings.c \
	%D%/conformance/process.c \
	%D%/conformance/rent.c \
	%D%/conformance/run.c \
	%D%/conformance/tests-abi.c \
	%D%/conformance/tests-faults.c \
	%D%/conformance/tests-load.c \
	%D%/conformance/tests-machines.c \
	%D%/conformance/tests-market.c \
	%D%/conformance/watch.c \
	%D%/conformance/conform.h \
	%D%/conformance/process.h \
	%D%/conformance/watch.h \
	%D%/cost.c \
	%D%/doctor.c \
	%D%/doctor-clouds.c \
	%D%/doctor-host.c \
	%D%/doctor-internal.h \
	%D%/evidence.c \
	%D%/launch-requests.c \
	%D%/launch-summary.c \
	%D%/offers.c \
	%D%/offers-accelerators.c \
	%D%/offers-filter.c \
	%D%/offers-market.c \
	%D%/offers-scan.c \
	%D%/offers-internal.h \
	%D%/participants.c \
	%D%/plan-explain.c \
	%D%/plan-rows.c \
	%D%/plan.c \
	%D%/provider-new.c \
	%D%/providers.c \
	%D%/quote-choose.c \
	%D%/quote-document.c \
	%D%/quotes.c \
	%D%/souk.c \
	%D%/task-file.c \
	%D%/catalogs-internal.h \
	%D%/context.h \
	%D%/plan.h \
	%D%/quotes.h

soukinclude_HEADERS += %D%/include/souk/souk.h

pkgconfig_DATA += %D%/souk.pc
EXTRA_DIST += %D%/libsouk.map %D%/libsouk-engine.map

lib_LTLIBRARIES += libsouk.la
libsouk_la_SOURCES = $(base_sources) $(model_sources) $(store_sources) $(provider_sources) \
	$(market_sources) $(core_sources)
libsouk_la_CPPFLAGS = $(CORE_CPPFLAGS) $(YAML_CFLAGS) $(JSON_CFLAGS) $(SQLITE_CFLAGS) $(XXHASH_CFLAGS)
libsouk_la_CFLAGS = $(AM_CFLAGS) $(LIBRARY_CFLAGS)
libsouk_la_LIBADD = libsouk-provider.la $(YAML_LIBS) $(JSON_LIBS) $(SQLITE_LIBS)
libsouk_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 \
	-Wl,--version-script=$(srcdir)/%D%/libsouk.map
EXTRA_libsouk_la_DEPENDENCIES = %D%/libsouk.map

# The engine is loaded when a command first needs it. Its parts are linked into unit tests.
noinst_LTLIBRARIES += libsouk-engine-parts.la
libsouk_engine_parts_la_SOURCES = $(net_sources) $(node_sources) $(fleet_sources)
nodist_libsouk_engine_parts_la_SOURCES = $(node_built_sources)
libsouk_engine_parts_la_CPPFLAGS = $(CORE_CPPFLAGS) $(YAML_CFLAGS) $(JSON_CFLAGS) \
	$(CURL_CFLAGS) $(SSH_CFLAGS) $(CRYPTO_CFLAGS)
libsouk_engine_parts_la_CFLAGS = $(AM_CFLAGS) $(LIBRARY_CFLAGS)
libsouk_engine_parts_la_LIBADD = $(JSON_LIBS) $(CURL_LIBS) $(SSH_LIBS) $(CRYPTO_LIBS)

pkglib_LTLIBRARIES += libsouk-engine.la
libsouk_engine_la_SOURCES =
libsouk_engine_la_LIBADD = libsouk-engine-parts.la libsouk.la libsouk-provider.la
libsouk_engine_la_LDFLAGS = $(AM_LDFLAGS) $(MODULE_LINK_FLAGS) -module -avoid-version -shared \
	-Wl,--version-script=$(srcdir)/%D%/libsouk-engine.map
EXTRA_libsouk_engine_la_DEPENDENCIES = %D%/libsouk-engine.map

# Compiles the seeds of the providers; see Makefile.am.
souk_catalog_compile_SOURCES = %D%/market/catalog-compile.c
souk_catalog_compile_CPPFLAGS = $(CORE_CPPFLAGS)
souk_catalog_compile_LDADD = libsouk.la libsouk-provider.la
souk_catalog_compile_LDFLAGS = $(AM_LDFLAGS) -no-install
