/* SPDX-License-Identifier: Apache-2.0 */
/* account.h - the regions that a subscription has */
#ifndef SOUK_AZURE_ACCOUNT_H
#define SOUK_AZURE_ACCOUNT_H

#include "client.h"

struct json_object;

enum { AZURE_MAX_REGIONS = 256 };

struct azure_regions {
	char names[AZURE_MAX_REGIONS][AZURE_REGION_SIZE];
	size_t n;
};

/* Read one entry of the list of locations: 1 if it is a region with machines, 0 if not. */
int azure_location_read(struct json_object *location, const char **name_out,
			struct souk_error *err);

/* The regions of the subscription, as far as the setting 'region' wants them. At least one. */
int azure_regions_wanted(const struct azure_client *client, const char *subscription,
			 struct azure_regions *out, struct souk_error *err);

#endif
