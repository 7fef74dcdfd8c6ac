/* SPDX-License-Identifier: Apache-2.0 */
/* model/config.h - the configuration file, with SOUK_NAME_KEY variables and --set over it */
#ifndef SOUK_MODEL_CONFIG_H
#define SOUK_MODEL_CONFIG_H

#include "base/strv.h"
#include "model/report.h"

struct souk_config_provider {
	char *name;
	struct souk_pairs settings; /* lists are joined with commas, booleans "true" or "false" */
};

struct souk_config {
	char *path;		    /* of the file, whether it exists or not */
	int exists;
	struct souk_strv allowed;   /* 'allowed_providers': only these take part; empty: all */
	struct souk_config_provider *providers; /* those with a section in the file */
	size_t n_providers;
	struct souk_pairs sets;	    /* --set "NAME.KEY" -> value */
	char *owner;		    /* 'owner': who the machines belong to; NULL: the user's name */
	char *optimize;		    /* 'optimize': "cost" or "time"; NULL: not given */
	uint32_t race;		    /* 'race': so many candidates of a launch at once; 0: not given, as 1 */
	int64_t stale_days;	    /* 'catalog: stale_days': prices that are older are said to be; 0: never */
	struct souk_pairs buckets;  /* 'buckets': address of a bucket -> the region it is in */
};

/*
 * Read config.yaml from the folder 'config_dir'; one that is not there is an empty one.
 * 'sets' are "NAME.KEY=VALUE" texts ended by NULL (may be NULL).
 * The report is a zeroed one, or one that souk_report_init() has named.
 */
int souk_config_load(const char *config_dir, const char *const *sets, struct souk_config *config_out,
		     struct souk_report *report, struct souk_error *err);
/* The same of a text that is not in a file; 'path' names it. */
int souk_config_read(const char *path, const char *text, size_t size, const char *const *sets,
		     struct souk_config *config_out, struct souk_report *report,
		     struct souk_error *err);
void souk_config_fini(struct souk_config *config);

/* The value of a provider's setting: --set, then the environment's SOUK_NAME_KEY, then the
 * file; NULL if none. Borrowed. */
const char *souk_config_get(const struct souk_config *config, const char *provider,
			    const char *key);

/* 1 if the user configured this provider: a section in the file, a --set, or being listed. */
int souk_config_has_provider(const struct souk_config *config, const char *provider);

#endif
