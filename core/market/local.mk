# SPDX-License-Identifier: Apache-2.0
# core/market - catalog, optimizer, ledger

market_sources = \
	%D%/accelerator.c \
	%D%/catalog.c \
	%D%/ledger.c \
	%D%/optimizer.c \
	%D%/accelerator.h \
	%D%/catalog.h \
	%D%/ledger.h \
	%D%/optimizer.h
