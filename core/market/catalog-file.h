/* SPDX-License-Identifier: Apache-2.0 */
/*
 * market/catalog-file.h - the offers of one provider: one file, mapped, checked, indexed
 *
 * The format is described in docs/catalog-format.md. Kinds of machine ("types") are sorted by
 * accelerator (none last), number of them, vCPUs, memory, name; the rows of a type, one a place,
 * stand together. So "this accelerator, any place" is one range of types and one of rows, and
 * "at least N vCPUs" is found by halving the range of types without an accelerator. All texts
 * are borrowed from the file until it is closed. A file is read by any number of threads.
 */
#ifndef SOUK_MARKET_CATALOG_FILE_H
#define SOUK_MARKET_CATALOG_FILE_H

#include <stddef.h>

#include "base/paths.h"
#include "provider/lists.h"

struct souk_catalog_file;

struct souk_catalog_head {
	const char *provider;
	const char *source;	/* "seed", "import" or "live" */
	const char *date;	/* of the prices, "2026-07-20"; "": unknown */
	const char *note;	/* where they are from, for people; may be "" */
	const char *path;	/* "": in memory */
	const char *currency;	/* of lowest prices: USD if any row is in it, else the first */
	int64_t made_at;	/* seconds since the epoch */
	uint32_t n_rows;
	uint32_t n_types;
	uint32_t n_regions;
	uint32_t n_accelerators;
	uint64_t bytes;
	uint8_t hash[16];	/* of all that is in it but made_at: same offers, same hash */
};

/* An accelerator, whatever number of them in a machine. */
struct souk_catalog_accelerator {
	const char *name;	/* canonical */
	uint32_t memory_mib;	/* of one device; 0 unknown */
	uint32_t first_type, n_types;
	uint32_t first_row, n_rows;
	uint32_t n_regions;	/* that sell it */
	int64_t micros_each;	/* lowest unmarked price of one whole device; -1: not sold so */
	int64_t spot_micros_each;
};

/* A kind of machine, wherever it is sold. */
struct souk_catalog_type {
	const char *name;
	const char *arch;	/* never NULL */
	const char *accelerator; /* canonical; NULL: none */
	uint32_t accelerator_milli;
	uint32_t accelerator_memory_mib;
	uint32_t vcpus_milli;
	uint32_t flags;		/* SOUK_OFFER_... */
	uint64_t memory_mib;
	uint64_t local_disk_mib;
	uint32_t first_row, n_rows; /* sorted by price, spot price, region, zone */
	int64_t lowest_micros;	/* of the unmarked rows in the head's currency; -1: none */
	int64_t lowest_spot_micros;
	int64_t median_micros;	/* of the positive prices in the head's currency; -1: none */
	int64_t median_spot_micros;
};

/* Why a price cannot be right; such a row is shown with its mark and never chosen. */
enum {
	SOUK_MARK_NOT_POSITIVE = 1u << 0,   /* zero or less, and the machine is not free */
	SOUK_MARK_FAR_BELOW = 1u << 1,	    /* on demand: below a tenth of the type's median */
	SOUK_MARK_SPOT_NOT_POSITIVE = 1u << 2,
	SOUK_MARK_SPOT_FAR_BELOW = 1u << 3, /* spot: below a tenth of the type's median spot price */
	SOUK_MARK_SPOT_ABOVE = 1u << 4	    /* spot above on demand */
};
#define SOUK_MARKS_ON_DEMAND (SOUK_MARK_NOT_POSITIVE | SOUK_MARK_FAR_BELOW)
#define SOUK_MARKS_SPOT                                                                            \
	(SOUK_MARK_SPOT_NOT_POSITIVE | SOUK_MARK_SPOT_FAR_BELOW | SOUK_MARK_SPOT_ABOVE)

/* A type in a place, at a price. */
struct souk_catalog_row {
	const char *region;
	const char *zone;	/* NULL: none, or the provider chooses */
	const char *currency;	/* never NULL or "" */
	int64_t micros;		/* per hour; -1: not sold so */
	int64_t spot_micros;
	int32_t available;	/* in stock; -1: not known */
	uint32_t marks;		/* SOUK_MARK_... */
};

/* What opening and reading have cost, for the benchmarks. */
struct souk_catalog_work {
	uint64_t rows;		/* rows read */
	uint64_t types;
	uint64_t bytes;		/* bytes of the file that were checked */
};

/*
 * Map a file and check its head. INVALID with the path and what is wrong if it is damaged,
 * truncated, or of a newer version; NOT_FOUND. Blocks are checked when they are first read: a
 * damaged one makes the read fail with INVALID.
 */
int souk_catalog_file_open(const char *path, struct souk_catalog_file **file_out,
			   struct souk_error *err);
void souk_catalog_file_close(struct souk_catalog_file *file);

/*
 * Open a provider's file: the cache's unless a seed, which came with souk or lies in the user's own
 * $data/catalog, is of a later date, else the seed. A file of the cache that is damaged or newer
 * than we read is set aside (renamed to NAME.catalog.damaged), said in a warning, and the seed is
 * opened. NOT_FOUND if there is none.
 */
int souk_catalog_file_find(const struct souk_paths *paths, const char *provider,
			   struct souk_catalog_file **file_out, struct souk_error *err);
/* Is there a file, as far as its name goes? */
int souk_catalog_file_exists(const struct souk_paths *paths, const char *provider);
/* The names of all providers that have a file, in the cache or as a seed, sorted. */
int souk_catalog_file_names(const struct souk_paths *paths, struct souk_strv *names_out,
			    struct souk_error *err);
/* After a read has failed: set the file aside if it is of the cache. 1 if it was. */
int souk_catalog_file_set_aside(const struct souk_paths *paths, struct souk_catalog_file *file);

/* Read every block: INVALID if one is damaged. */
int souk_catalog_file_verify(struct souk_catalog_file *file, struct souk_error *err);

const struct souk_catalog_head *souk_catalog_file_head(const struct souk_catalog_file *file);
struct souk_catalog_work souk_catalog_file_work(const struct souk_catalog_file *file);

/* Reading, each with an index below the head's count. INVALID: that part of the file is damaged. */
int souk_catalog_accelerator(struct souk_catalog_file *file, uint32_t i,
			     struct souk_catalog_accelerator *out, struct souk_error *err);
int souk_catalog_type(struct souk_catalog_file *file, uint32_t i, struct souk_catalog_type *out,
		      struct souk_error *err);
int souk_catalog_row(struct souk_catalog_file *file, uint32_t i, struct souk_catalog_row *out,
		     struct souk_error *err);
/* Which type a row belongs to. */
int souk_catalog_type_of_row(struct souk_catalog_file *file, uint32_t row, uint32_t *type_out,
			     struct souk_error *err);

/* The types without an accelerator that have at least so many vCPUs: [*first_out, n_types). */
int souk_catalog_first_by_cpus(struct souk_catalog_file *file, uint32_t vcpus_milli,
			       uint32_t *first_out, struct souk_error *err);
/* The accelerator of that name, canonical or not; *i_out is n_accelerators if it is not sold here. */
int souk_catalog_find_accelerator(struct souk_catalog_file *file, const char *name, uint32_t *i_out,
				  struct souk_error *err);
/* The types of that name (case-insensitive): positions [*first_out, *first_out + *n_out) of the index
 * by name, each read with souk_catalog_by_name(). */
int souk_catalog_find_name(struct souk_catalog_file *file, const char *name, uint32_t *first_out,
			   uint32_t *n_out, struct souk_error *err);
int souk_catalog_by_name(struct souk_catalog_file *file, uint32_t position, uint32_t *type_out,
			 struct souk_error *err);
/* The regions, ascending. */
int souk_catalog_region(struct souk_catalog_file *file, uint32_t i, const char **name_out,
			struct souk_error *err);
/* The regions of an accelerator, as indexes of regions, ascending. 'out' has room for n_regions. */
int souk_catalog_accelerator_regions(struct souk_catalog_file *file, uint32_t accelerator,
				     uint32_t *out, struct souk_error *err);

/* A type and a row of it as an offer; the texts are the file's. */
void souk_catalog_offer(const struct souk_catalog_type *type, const struct souk_catalog_row *row,
			struct souk_offer *offer_out);

/* ---- Making files -------------------------------------------------------------------- */

struct souk_catalog_origin {
	const char *provider;
	const char *source;
	const char *date;
	const char *note;	/* may be NULL */
};

/*
 * Make the file's bytes of offers: accelerators become canonical, doubles (the same type and
 * place) are merged, the cheaper price kept, prices that cannot be right are marked. INVALID if
 * a text is not UTF-8, is longer than 255 bytes or has control characters. The image is freed
 * with free().
 */
int souk_catalog_image(const struct souk_catalog_origin *origin, const struct souk_offer *offers,
		       size_t n, void **image_out, size_t *size_out, struct souk_error *err);

/* Open an image in memory, which belongs to the file from now on, also on failure. */
int souk_catalog_file_open_image(void *image, size_t size, struct souk_catalog_file **file_out,
				 struct souk_error *err);

/* Write an image as a provider's file of the cache, or to a path; atomic, the last writer wins. */
int souk_catalog_file_write(const struct souk_paths *paths, const char *provider, const void *image,
			    size_t size, struct souk_error *err);
/* The path of a provider's file of the cache, be it there or not. The caller frees it; NULL on no
 * memory. */
char *souk_catalog_file_path(const struct souk_paths *paths, const char *provider);
int souk_catalog_file_remove(const struct souk_paths *paths, const char *provider, int *removed_out,
			     struct souk_error *err); /* from the cache; the seed counts again */
int souk_catalog_file_write_to(const char *path, const void *image, size_t size,
			       struct souk_error *err);

#endif
