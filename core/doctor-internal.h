/* SPDX-License-Identifier: Apache-2.0 */
/* doctor-internal.h - what the files behind 'souk doctor' share */
#ifndef SOUK_DOCTOR_INTERNAL_H
#define SOUK_DOCTOR_INTERNAL_H

#include "context.h"

/* A finding, and what it takes to end it. Texts belong to the doctor. */
struct doctor_finding {
	struct souk_finding_row row;
	const char *token;
};

/* What the store knew at a moment. */
struct doctor_snapshot {
	struct souk_store_cluster *clusters;
	size_t n_clusters;
	struct souk_store_intent *intents;
	size_t n_intents;
};

struct souk_doctor {
	struct souk *souk;
	const struct souk_doctor_options *options; /* while it looks */
	struct doctor_finding *items;
	size_t n;
	struct souk_strv texts;
	int blind;			/* 1: the store cannot be read */
};

/* doctor.c: add a finding; its texts are copied. */
int doctor_add(struct souk_doctor *doctor, const struct souk_finding_row *row, const char *token,
	       struct souk_error *err);

/* Add a check: 'standing' is "ok", "note" or "problem", which counts; hint and provider may be NULL. */
int doctor_check(struct souk_doctor *doctor, const char *name, const char *standing,
		 const char *provider, const char *hint, struct souk_error *err, const char *fmt, ...)
	SOUK_PRINTF(7, 8);

/* What the store knows now; empty if there is none. */
int doctor_snapshot_take(struct souk_doctor *doctor, struct doctor_snapshot *out,
			 struct souk_error *err);
void doctor_snapshot_fini(struct doctor_snapshot *snapshot);
const struct souk_store_cluster *doctor_snapshot_cluster(const struct doctor_snapshot *snapshot,
							 const char *name);
int doctor_snapshot_uses(const struct doctor_snapshot *snapshot, const char *provider);

/* doctor-host.c: what can be wrong on this computer. Finds out whether the store can be read. */
int doctor_look_at_store(struct souk_doctor *doctor, struct souk_error *err);
int doctor_look_at_host(struct souk_doctor *doctor, struct souk_error *err);

/* doctor-clouds.c: what the accounts have. */
int doctor_look_at_clouds(struct souk_doctor *doctor, struct souk_error *err);

#endif
