# SPDX-License-Identifier: Apache-2.0
# core/fleet - clusters: provision, failover, reconcile

fleet_sources = \
	%D%/attempt.c \
	%D%/bring-up.c \
	%D%/cluster.c \
	%D%/doctor.c \
	%D%/failover.c \
	%D%/keys.c \
	%D%/launch.c \
	%D%/operations.c \
	%D%/price.c \
	%D%/provision.c \
	%D%/race.c \
	%D%/racer.c \
	%D%/rehearse.c \
	%D%/settle.c \
	%D%/summary.c \
	%D%/summary-advice.c \
	%D%/wait.c \
	%D%/attempt.h \
	%D%/cluster.h \
	%D%/doctor.h \
	%D%/failover.h \
	%D%/fleet.h \
	%D%/launch.h \
	%D%/launching.h \
	%D%/price.h \
	%D%/provision.h \
	%D%/race.h \
	%D%/racer.h \
	%D%/rehearse.h \
	%D%/settle.h \
	%D%/summary.h
