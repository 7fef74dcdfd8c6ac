# SPDX-License-Identifier: Apache-2.0
# core/fleet - clusters: provision, failover, reconcile

fleet_sources = \
	%D%/bring-up.c \
	%D%/cluster.c \
	%D%/doctor.c \
	%D%/keys.c \
	%D%/launch.c \
	%D%/operations.c \
	%D%/provision.c \
	%D%/rehearse.c \
	%D%/settle.c \
	%D%/summary.c \
	%D%/summary-advice.c \
	%D%/cluster.h \
	%D%/doctor.h \
	%D%/fleet.h \
	%D%/launch.h \
	%D%/provision.h \
	%D%/rehearse.h \
	%D%/settle.h \
	%D%/summary.h
