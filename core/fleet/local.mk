# SPDX-License-Identifier: Apache-2.0
# core/fleet - clusters: provision, failover, reconcile

fleet_sources = \
	%D%/bring-up.c \
	%D%/cluster.c \
	%D%/keys.c \
	%D%/launch.c \
	%D%/operations.c \
	%D%/provision.c \
	%D%/settle.c \
	%D%/cluster.h \
	%D%/fleet.h \
	%D%/launch.h \
	%D%/provision.h \
	%D%/settle.h
