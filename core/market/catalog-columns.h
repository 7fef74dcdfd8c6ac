/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-columns.h - which columns a table of offers may have, and what their fields say */
#ifndef SOUK_MARKET_CATALOG_COLUMNS_H
#define SOUK_MARKET_CATALOG_COLUMNS_H

#include <souk/provider.h>

enum catalog_column {
	COLUMN_PROVIDER, COLUMN_REGION, COLUMN_ZONE, COLUMN_INSTANCE_TYPE, COLUMN_ARCH, COLUMN_VCPUS,
	COLUMN_MEMORY, COLUMN_GPU_NAME, COLUMN_GPU_COUNT, COLUMN_GPU_MEMORY, COLUMN_GPU_INFO,
	COLUMN_PRICE, COLUMN_SPOT_PRICE, COLUMN_LOCAL_DISK, COLUMN_FLAGS, COLUMN_CURRENCY,
	COLUMN_AVAILABLE, CATALOG_N_COLUMNS
};

/* Which field of a record is which column; -1: there is no such column. */
struct catalog_columns {
	int field[CATALOG_N_COLUMNS];
	int n_fields;
};

/* Read the header. INVALID: a column is missing, or there twice. */
int souk_catalog_columns_read(char *const *fields, int n, struct catalog_columns *columns_out,
			      struct souk_error *err);

/* The text of a column; "" if there is none. */
static inline const char *souk_catalog_column(const struct catalog_columns *columns,
					      char *const *fields, enum catalog_column column)
{
	return columns->field[column] < 0 ? "" : fields[columns->field[column]];
}

/* An offer of a record; its texts are the fields'. INVALID: what is wrong with it. */
int souk_catalog_columns_offer(const struct catalog_columns *columns, char *const *fields,
			       struct souk_offer *offer_out, struct souk_error *err);

#endif
