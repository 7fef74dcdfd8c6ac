# SPDX-License-Identifier: Apache-2.0
# core/store - durable state

store_sources = \
	%D%/sqlite.c \
	%D%/store-cluster.c \
	%D%/store-intent.c \
	%D%/store-ledger.c \
	%D%/store-spell.c \
	%D%/store.c \
	%D%/db.h \
	%D%/store-internal.h \
	%D%/store.h
