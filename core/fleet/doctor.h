/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/doctor.h - ending what no cluster of the store has */
#ifndef SOUK_FLEET_DOCTOR_H
#define SOUK_FLEET_DOCTOR_H

#include "fleet/fleet.h"

/*
 * End a machine that the store does not know, for good: with a closing intent before, if it has a
 * token, so that an interrupted end goes on with the next 'status --refresh'. Returns when the
 * provider has confirmed twice that it is gone. CONFLICT if the store knows it by now.
 */
int fleet_end_orphan(struct souk_fleet *fleet, const char *provider,
		     const struct souk_instance_ref *ref, const char *owner,
		     const struct souk_callbacks *callbacks, struct souk_error *err);

/* Remove what is left of a cluster that the store does not know, besides machines. CONFLICT if the
 * store knows the cluster by now, or 'ref->id' is still there. */
int fleet_end_leftover(struct souk_fleet *fleet, const char *provider,
		       const struct souk_instance_ref *ref, const char *owner,
		       struct souk_error *err);

#endif
