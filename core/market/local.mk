# SPDX-License-Identifier: Apache-2.0
# core/market - catalog, optimizer, ledger

market_sources = \
	%D%/accelerator.c \
	%D%/catalog-columns.c \
	%D%/catalog-file.c \
	%D%/catalog-find.c \
	%D%/catalog-hash.c \
	%D%/catalog-image.c \
	%D%/catalog-import.c \
	%D%/catalog-layout.c \
	%D%/catalog-pool.c \
	%D%/catalog-price.c \
	%D%/catalog-verify.c \
	%D%/market.c \
	%D%/egress.c \
	%D%/pipeline.c \
	%D%/quote.c \
	%D%/tariff.c \
	%D%/ledger.c \
	%D%/optimizer-cost.c \
	%D%/optimizer-explain.c \
	%D%/optimizer-match.c \
	%D%/optimizer.c \
	%D%/accelerator.h \
	%D%/catalog-build.h \
	%D%/catalog-columns.h \
	%D%/catalog-file.h \
	%D%/catalog-format.h \
	%D%/catalog-import.h \
	%D%/catalog-internal.h \
	%D%/catalog-pool.h \
	%D%/market.h \
	%D%/egress.h \
	%D%/pipeline.h \
	%D%/quote.h \
	%D%/tariff.h \
	%D%/ledger.h \
	%D%/optimizer-internal.h \
	%D%/optimizer.h
