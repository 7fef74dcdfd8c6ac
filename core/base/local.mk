# SPDX-License-Identifier: Apache-2.0
# core/base - memory, text, files, processes, time

base_sources = \
	%D%/cancel.c \
	%D%/clock.c \
	%D%/csv.c \
	%D%/engine.c \
	%D%/error.c \
	%D%/fs.c \
	%D%/id.c \
	%D%/log.c \
	%D%/money.c \
	%D%/paths.c \
	%D%/pattern.c \
	%D%/proc.c \
	%D%/similar.c \
	%D%/strv.c \
	%D%/util.c \
	%D%/banned.h \
	%D%/cancel.h \
	%D%/clock.h \
	%D%/csv.h \
	%D%/engine.h \
	%D%/error.h \
	%D%/fs.h \
	%D%/id.h \
	%D%/log.h \
	%D%/money.h \
	%D%/paths.h \
	%D%/pattern.h \
	%D%/proc.h \
	%D%/similar.h \
	%D%/strv.h \
	%D%/util.h
