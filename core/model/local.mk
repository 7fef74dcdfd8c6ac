# SPDX-License-Identifier: Apache-2.0
# core/model - tasks, offers, requests: plain data

model_sources = \
	%D%/config.c \
	%D%/report.c \
	%D%/task-accelerators.c \
	%D%/task-alternatives.c \
	%D%/task-amounts.c \
	%D%/task-data.c \
	%D%/task-envs.c \
	%D%/task-fields.c \
	%D%/task-mounts.c \
	%D%/task-overrides.c \
	%D%/task-resources.c \
	%D%/task-runtime.c \
	%D%/task-shapes.c \
	%D%/task-top.c \
	%D%/task-validate.c \
	%D%/task.c \
	%D%/yaml-map.c \
	%D%/yaml-scalar.c \
	%D%/yaml-text.c \
	%D%/yaml-tree.c \
	%D%/yaml.c \
	%D%/config.h \
	%D%/report.h \
	%D%/task-internal.h \
	%D%/task.h \
	%D%/yaml-internal.h \
	%D%/yaml.h
