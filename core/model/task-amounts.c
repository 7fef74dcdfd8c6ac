/* SPDX-License-Identifier: Apache-2.0 */
/* task-amounts.c - the grammars of single values: vCPUs, memory, disks, ports, durations, prices */
#include "model/task-internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

#define MICRO 1000000u
#define MAX_RANGES 1000u
#define MAX_WHOLE 1000000000000u /* no amount of anything reaches this */

static const char *skip_blanks(const char *p)
{
	while (*p == ' ' || *p == '\t')
		p++;
	return p;
}

/* Digits with perhaps a fraction, in millionths; returns what follows, NULL if there are none
 * or too many. Digits past the sixth round the last one kept. */
static const char *take_decimal(const char *p, uint64_t *micros_out)
{
	uint64_t whole = 0, fraction = 0;
	const char *start = p;
	size_t n = 0;
	int up = 0;

	for (; isdigit((unsigned char)*p); p++) {
		whole = whole * 10 + (uint64_t)(*p - '0');
		if (whole > MAX_WHOLE)
			return NULL;
	}
	if (*p == '.') {
		for (p++; isdigit((unsigned char)*p); p++, n++) {
			if (n < 6)
				fraction = fraction * 10 + (uint64_t)(*p - '0');
			else if (n == 6)
				up = *p >= '5';
		}
	}
	for (; n < 6; n++)
		fraction *= 10;
	if (p == start || (p == start + 1 && *start == '.'))
		return NULL;
	*micros_out = whole * MICRO + fraction + (uint64_t)up;
	return p;
}

int souk_task_decimal(const char *text, uint64_t *micros_out)
{
	const char *end = take_decimal(skip_blanks(text), micros_out);

	return end && *skip_blanks(end) == '\0' ? 0 : -1;
}

/* "+" or nothing, up to the end. -1 if there is something else. */
static int take_plus(const char *p)
{
	p = skip_blanks(p);
	if (*p == '\0')
		return 0;
	return *p == '+' && *skip_blanks(p + 1) == '\0' ? 1 : -1;
}

int souk_parse_amount_cpus(const char *text, struct souk_amount *out, struct souk_error *err)
{
	uint64_t micros = 0;
	const char *end = take_decimal(skip_blanks(text), &micros);
	int plus = end ? take_plus(end) : -1;

	if (plus < 0)
		return souk_error_set(
			err, SOUK_E_INVALID,
			"not a number of vCPUs: '%.60s'; write N, or N+ for at least N", text);
	if (micros == 0 || micros / MICRO > 1000000)
		return souk_error_set(err, SOUK_E_INVALID,
				      "must be over 0 and at most 1000000: '%.60s'", text);
	out->value = (micros + 999) / 1000;
	out->at_least = plus;
	return SOUK_OK;
}

/* Units by their first letter: as a ratio to MiB. */
static const struct unit {
	char letter;
	uint64_t multiply, divide;
} units[] = {
	{ 'k', 1, 1024 },	      { 'm', 1, 1 },
	{ 'g', 1024, 1 },	      { 't', (uint64_t)1024 * 1024, 1 },
	{ 'p', (uint64_t)1024 * 1024 * 1024, 1 },
};

/* "GB", "gb", "Gb", "Gi" ...: two letters, lower case, upper case or capitalised. */
static const struct unit *take_unit(const char *p)
{
	size_t i;

	if (!isalpha((unsigned char)p[0]) || !isalpha((unsigned char)p[1]))
		return NULL;
	if (islower((unsigned char)p[0]) && isupper((unsigned char)p[1]))
		return NULL;
	if (tolower((unsigned char)p[1]) != 'b' && tolower((unsigned char)p[1]) != 'i')
		return NULL;
	for (i = 0; i < SOUK_ARRAY_SIZE(units); i++) {
		if (units[i].letter == tolower((unsigned char)p[0]))
			return &units[i];
	}
	return NULL;
}

int souk_parse_amount_memory(const char *text, struct souk_amount *out, struct souk_error *err)
{
	const struct unit *unit = &units[2];
	uint64_t micros = 0, scaled;
	const char *end = take_decimal(skip_blanks(text), &micros);
	int plus = -1;

	if (end) {
		end = skip_blanks(end);
		if (*end == 'x' && take_plus(end + 1) >= 0)
			return souk_error_set(
				err, SOUK_E_INVALID,
				"memory per vCPU is not supported: '%.60s'; write the "
				"memory itself, such as 16GB",
				text);
		if (isalpha((unsigned char)*end)) {
			unit = take_unit(end);
			end = unit ? end + 2 : end;
		}
		plus = unit ? take_plus(end) : -1;
	}
	if (plus < 0)
		return souk_error_set(err, SOUK_E_INVALID,
				      "not an amount of memory: '%.60s'; write 16, 16GB or 16GB+",
				      text);
	if (__builtin_mul_overflow(micros, unit->multiply, &scaled))
		return souk_error_set(err, SOUK_E_INVALID, "too much memory: '%.60s'", text);
	scaled = (scaled / unit->divide + MICRO / 2) / MICRO;
	if (micros > 0 && scaled == 0)
		scaled = 1;
	if (scaled == 0)
		return souk_error_set(err, SOUK_E_INVALID, "must be over 0: '%.60s'", text);
	out->value = scaled;
	out->at_least = plus;
	return SOUK_OK;
}

int souk_parse_disk_gib(const char *text, uint64_t *gib_out, struct souk_error *err)
{
	const struct unit *unit = &units[2];
	uint64_t value = 0, gib;
	const char *p = text;

	for (; isdigit((unsigned char)*p) && value <= MAX_WHOLE; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	if (p != text && *p) {
		unit = take_unit(p);
		p = unit ? p + 2 : p;
	}
	if (p == text || *p || !unit)
		return souk_error_set(err, SOUK_E_INVALID,
				      "not a disk size: '%.60s'; write whole GB: 100, 100GB or 1TB",
				      text);
	if (__builtin_mul_overflow(value, unit->multiply, &gib))
		return souk_error_set(err, SOUK_E_INVALID, "too large a disk: '%.60s'", text);
	if (gib % (unit->divide * 1024) != 0)
		return souk_error_set(err, SOUK_E_INVALID,
				      "not a whole number of GB: '%.60s' (1GB is 1024MB)", text);
	gib /= unit->divide * 1024;
	if (gib > MICRO)
		return souk_error_set(err, SOUK_E_INVALID, "too large a disk: '%.60s'", text);
	if (gib == 0)
		return souk_error_set(err, SOUK_E_INVALID, "must be at least 1 GB: '%.60s'", text);
	*gib_out = gib;
	return SOUK_OK;
}

int souk_parse_local_disk(const char *text, struct souk_local_disk *out, struct souk_error *err)
{
	struct souk_local_disk disk = { .set = 1, .size_gib = 100, .at_least = 1 };
	const char *p = text;
	uint64_t size = 0;

	if (strncmp(text, "nvme", 4) == 0 || strncmp(text, "ssd", 3) == 0) {
		disk.ssd_ok = text[0] == 's';
		p = text + (disk.ssd_ok ? 3 : 4);
		if (*p == '\0') {
			*out = disk;
			return SOUK_OK;
		}
		p = *p == ':' ? p + 1 : "";
	}
	if (!isdigit((unsigned char)*p))
		goto bad;
	for (; isdigit((unsigned char)*p) && size <= MAX_WHOLE; p++)
		size = size * 10 + (uint64_t)(*p - '0');
	disk.at_least = *p == '+';
	if (p[disk.at_least] != '\0' || size == 0 || size > MICRO)
		goto bad;
	disk.size_gib = size;
	*out = disk;
	return SOUK_OK;
bad:
	return souk_error_set(
		err, SOUK_E_INVALID,
		"not a local disk: '%.60s'; write nvme, ssd, or [nvme:|ssd:]SIZE[+] in GB", text);
}

int souk_parse_hourly(const char *text, int64_t *micros_out, struct souk_error *err)
{
	uint64_t micros = 0;

	if (souk_task_decimal(text, &micros) < 0)
		return souk_error_set(err, SOUK_E_INVALID,
				      "not a price in dollars per hour: '%.60s'", text);
	if (micros == 0)
		return souk_error_set(err, SOUK_E_INVALID, "must be over 0: '%.60s'", text);
	*micros_out = (int64_t)micros;
	return SOUK_OK;
}

int souk_parse_duration_minutes(const char *text, uint32_t *out, struct souk_error *err)
{
	static const struct {
		char letter;
		uint64_t minutes;
	} suffixes[] = { { '\0', 1 }, { 'm', 1 }, { 'h', 60 }, { 'd', 1440 }, { 'w', 10080 } };
	uint64_t value = 0;
	const char *p = text;
	size_t i;

	for (; isdigit((unsigned char)*p) && value <= UINT32_MAX; p++)
		value = value * 10 + (uint64_t)(*p - '0');
	for (i = 0; p != text && i < SOUK_ARRAY_SIZE(suffixes); i++) {
		if (suffixes[i].letter != tolower((unsigned char)*p) || (*p && p[1]))
			continue;
		value *= suffixes[i].minutes;
		if (value > UINT32_MAX)
			return souk_error_set(err, SOUK_E_INVALID, "too long a time: '%.60s'",
					      text);
		*out = (uint32_t)value;
		return SOUK_OK;
	}
	return souk_error_set(err, SOUK_E_INVALID,
			      "not a time in minutes: '%.60s'; write N, Nm, Nh, Nd or Nw", text);
}

static const char *take_port(const char *p, uint32_t *port_out)
{
	uint32_t port = 0;
	const char *start = p;

	for (; isdigit((unsigned char)*p) && port <= 65535; p++)
		port = port * 10 + (uint32_t)(*p - '0');
	*port_out = port;
	return p == start ? NULL : skip_blanks(p);
}

/* "8080", "9000-9010", or several with commas, added to the list. */
int souk_parse_ports(const char *text, struct souk_port_range **ports, size_t *n,
		     struct souk_error *err)
{
	const char *p = text;

	for (;;) {
		struct souk_port_range *grown;
		uint32_t first = 0, last = 0;

		p = take_port(skip_blanks(p), &first);
		last = first;
		if (p && *p == '-')
			p = take_port(skip_blanks(p + 1), &last);
		if (!p || (*p && *p != ','))
			return souk_error_set(
				err, SOUK_E_INVALID,
				"not a port: '%.60s'; write 8080, 9000-9010 or 80,443", text);
		if (first < 1 || last > 65535 || first > 65535)
			return souk_error_set(err, SOUK_E_INVALID,
					      "ports go from 1 to 65535: '%.60s'", text);
		if (first > last)
			return souk_error_set(err, SOUK_E_INVALID,
					      "a range ends before it begins: '%.60s'", text);
		if (*n >= MAX_RANGES)
			return souk_error_set(err, SOUK_E_INVALID, "too many ports: over %u ranges",
					      MAX_RANGES);
		grown = souk_array_grow(*ports, *n, sizeof(**ports));
		if (!grown)
			return souk_error_nomem(err);
		*ports = grown;
		grown[*n].first = (uint16_t)first;
		grown[*n].last = (uint16_t)last;
		++*n;
		if (*p == '\0')
			return SOUK_OK;
		p++;
	}
}

static int by_first(const void *left, const void *right)
{
	const struct souk_port_range *a = left, *b = right;

	return a->first < b->first ? -1 : a->first > b->first;
}

/* Sort, and join what touches: 8081, 8080 and 8082-8090 become 8080-8090. */
void souk_ports_normalise(struct souk_port_range *ports, size_t *n)
{
	size_t i, kept = 0;

	if (*n == 0)
		return;
	qsort(ports, *n, sizeof(*ports), by_first);
	for (i = 1; i < *n; i++) {
		if (ports[i].first > (uint32_t)ports[kept].last + 1)
			ports[++kept] = ports[i];
		else if (ports[i].last > ports[kept].last)
			ports[kept].last = ports[i].last;
	}
	*n = kept + 1;
}
