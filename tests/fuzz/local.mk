# SPDX-License-Identifier: Apache-2.0
# tests/fuzz - every fuzz target as a program that runs its corpus; CONTRIBUTING says how to fuzz

FUZZ_CPPFLAGS = $(TEST_CPPFLAGS) -I$(top_srcdir)/tests/fuzz
FUZZ_LIBS = libsouk.la libsouk-provider.la

EXTRA_DIST += \
	%D%/corpus/task/aliases.yaml \
	%D%/corpus/task/alternatives.yaml \
	%D%/corpus/task/group.yaml \
	%D%/corpus/task/not-utf8.yaml \
	%D%/corpus/task/scalars.yaml \
	%D%/corpus/task/tab.yaml \
	%D%/corpus/task/train.yaml \
	%D%/corpus/task/unsupported.yaml \
	%D%/corpus/task/wrong.yaml

check_PROGRAMS += tests/fuzz/fuzz-yaml
tests_fuzz_fuzz_yaml_SOURCES = %D%/fuzz-yaml.c %D%/standalone.c %D%/fuzz.h
tests_fuzz_fuzz_yaml_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_yaml_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_yaml_LDFLAGS = $(AM_LDFLAGS) -no-install

check_PROGRAMS += tests/fuzz/fuzz-task
tests_fuzz_fuzz_task_SOURCES = %D%/fuzz-task.c %D%/standalone.c %D%/fuzz.h
tests_fuzz_fuzz_task_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_task_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_task_LDFLAGS = $(AM_LDFLAGS) -no-install
