/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-hash.c - checksums of a catalogue file, and how its names compare */
#include "market/catalog-format.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"

uint64_t souk_catalog_block_sum(const uint8_t *data, size_t size)
{
	return XXH3_64bits(data, size);
}

uint64_t souk_catalog_header_sum(const uint8_t *header, uint32_t n_blocks)
{
	return XXH3_64bits_withSeed(header + CATALOG_HEADER_BYTES, (size_t)n_blocks * 8,
				    XXH3_64bits(header, HEADER_CHECKSUM));
}

int souk_catalog_content_hash(const uint8_t *file, size_t size, uint8_t hash_out[16],
			      struct souk_error *err)
{
	size_t data = (size_t)catalog_get64(file + HEADER_DATA);
	uint8_t header[CATALOG_HEADER_BYTES];
	XXH128_canonical_t canonical;
	XXH3_state_t *state = XXH3_createState();

	if (!state)
		return souk_error_nomem(err);
	memcpy(header, file, sizeof(header));
	memset(header + HEADER_MADE_AT, 0, 8);
	memset(header + HEADER_HASH, 0, 16);
	memset(header + HEADER_CHECKSUM, 0, 8);
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, header, sizeof(header));
	XXH3_128bits_update(state, file + data, size - data);
	XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state));
	XXH3_freeState(state);
	memcpy(hash_out, canonical.digest, 16);
	return SOUK_OK;
}

static unsigned lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A' + 'a') : (unsigned char)c;
}

int souk_catalog_casecmp(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return (int)lower(*a) - (int)lower(*b);
}

int souk_catalog_is_provider(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len < HEADER_PROVIDER_BYTES && name[0] >= 'a' && name[0] <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

int souk_catalog_is_date(const char *date)
{
	static const char form[] = "dddd-dd-dd";
	size_t i;

	if (!date[0])
		return 1;
	if (strlen(date) != sizeof(form) - 1)
		return 0;
	for (i = 0; form[i]; i++)
		if (form[i] == 'd' ? date[i] < '0' || date[i] > '9' : date[i] != form[i])
			return 0;
	return strncmp(date + 5, "00", 2) > 0 && strncmp(date + 5, "13", 2) < 0 &&
	       strncmp(date + 8, "00", 2) > 0 && strncmp(date + 8, "32", 2) < 0;
}
