/* SPDX-License-Identifier: Apache-2.0 */
/* market/ledger.c - the capacity ledger's evidence about a place */
#include "market/ledger.h"

#include <string.h>

#include "base/error.h"
#include "base/util.h"

/* Failures are remembered by kind, for each keeps a place waiting for a time of its own. */
enum kind { SOLD_OUT, QUOTA, UNSOLD, KINDS, NO_KIND = KINDS };

#define NEVER SIZE_MAX

/*
 * What a failure reaches, and under which an attempt is found: the provider, the region, a zone of
 * it, or one machine there. An attempt in a zone is kept once more under ANY_ZONE, for those who
 * look without one; an attempt without a zone (NULL) tells of every zone.
 */
static const char any_zone[] = "*";

struct bucket {
	uint64_t hash;
	const struct souk_store_attempt *key; /* the texts; which of them count says 'scope' */
	const char *zone;		      /* NULL, a zone, or any_zone */
	int scope;
	size_t newest[KINDS];		      /* index of the newest failure of a kind; NEVER: none */
	unsigned quotas;		      /* failures by quota */
	size_t newest_success;
	int failures, successes;	      /* weights */
};

struct souk_ledger_index {
	struct bucket *buckets;
	uint32_t *slots; /* index of a bucket and 1; 0: empty */
	size_t n, mask;
	unsigned scopes; /* which scopes there are, by bit */
	uint64_t regions[16]; /* a bit for each provider and region that is told of: a filter */
};

/* ---- Keys ---- */

/* FNV-1a, with the NUL at the end of each text, so that "ab", "c" is not "a", "bc". */
static uint64_t hash_text(uint64_t hash, const char *text)
{
	const unsigned char *p = (const unsigned char *)(text ? text : "");

	do
		hash = (hash ^ *p) * UINT64_C(0x100000001b3);
	while (*p++);
	return hash;
}

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
	return (hash ^ number) * UINT64_C(0x100000001b3);
}

/* The hashes of a place, from the widest scope to the narrowest; the last two are of a zone. */
static uint64_t hash_provider(const char *provider)
{
	return hash_text(UINT64_C(0xcbf29ce484222325), provider);
}

static uint64_t hash_zone(uint64_t region, const char *zone)
{
	return hash_text(hash_number(region, zone ? 1 : 2), zone);
}

static uint64_t hash_machine(uint64_t zone, const char *type, const char *accelerator,
			     uint32_t milli, int spot)
{
	return hash_number(hash_text(hash_text(zone, type), accelerator),
			   (uint64_t)milli << 1 | (spot != 0));
}

static uint64_t hash_of(const struct souk_store_attempt *a, const char *zone, int scope)
{
	uint64_t hash = hash_provider(a->provider);

	if (scope <= SOUK_SCOPE_REGION)
		hash = hash_text(hash, a->region);
	if (scope <= SOUK_SCOPE_ZONE)
		hash = hash_zone(hash, zone);
	if (scope == SOUK_SCOPE_OFFER)
		hash = hash_machine(hash, a->instance_type, a->accelerator, a->accelerator_milli,
				    a->spot);
	return hash_number(hash, (uint64_t)scope);
}

static int is_same_machine(const struct souk_store_attempt *a, const struct souk_ledger_place *place)
{
	return strcmp(a->instance_type, place->instance_type) == 0 &&
	       souk_streq(a->accelerator, place->accelerator) &&
	       a->accelerator_milli == place->accelerator_milli && !a->spot == !place->spot;
}

static int is_key(const struct bucket *b, const struct souk_ledger_place *place, const char *zone,
		  int scope)
{
	return b->scope == scope && strcmp(b->key->provider, place->provider) == 0 &&
	       (scope > SOUK_SCOPE_REGION || strcmp(b->key->region, place->region) == 0) &&
	       (scope > SOUK_SCOPE_ZONE || souk_streq(b->zone, zone)) &&
	       (scope > SOUK_SCOPE_OFFER || is_same_machine(b->key, place));
}

static struct bucket *find_bucket(const struct souk_ledger_index *index, uint64_t hash,
				  const struct souk_ledger_place *place, const char *zone, int scope)
{
	size_t slot = (size_t)(hash ^ hash >> 32) & index->mask;

	for (; index->slots[slot]; slot = (slot + 1) & index->mask) {
		struct bucket *b = &index->buckets[index->slots[slot] - 1];

		if (b->hash == hash && is_key(b, place, zone, scope))
			return b;
	}
	return NULL;
}

/* ---- The index ---- */

/* The filter's bit for a region. */
static unsigned region_bit(uint64_t region_hash)
{
	return (unsigned)(region_hash ^ region_hash >> 20 ^ region_hash >> 40) & 1023;
}

static enum kind kind_of(const struct souk_store_attempt *a)
{
	if (a->code == SOUK_E_CAPACITY)
		return SOLD_OUT;
	if (a->code == SOUK_E_QUOTA)
		return QUOTA;
	/* Only if the cloud said so of this machine; else it may be the image that is unknown. */
	if ((a->code == SOUK_E_UNSUPPORTED || a->code == SOUK_E_NOT_FOUND) &&
	    a->scope == SOUK_SCOPE_OFFER && a->reason && *a->reason)
		return UNSOLD;
	return NO_KIND;
}

static int scope_of(const struct souk_store_attempt *a)
{
	if (a->code == SOUK_OK || a->scope < SOUK_SCOPE_OFFER || a->scope > SOUK_SCOPE_PROVIDER)
		return SOUK_SCOPE_OFFER;
	return a->scope;
}

static struct bucket *need_bucket(struct souk_ledger_index *index, const struct souk_store_attempt *a,
				  const char *zone, int scope)
{
	struct souk_ledger_place place = {
		a->provider, a->region, zone, a->instance_type, a->accelerator, a->accelerator_milli,
		a->spot,
	};
	uint64_t hash = hash_of(a, zone, scope);
	size_t slot = (size_t)(hash ^ hash >> 32) & index->mask;
	struct bucket *b = find_bucket(index, hash, &place, zone, scope);

	if (b)
		return b;
	while (index->slots[slot])
		slot = (slot + 1) & index->mask;
	b = &index->buckets[index->n];
	*b = (struct bucket){ .hash = hash, .key = a, .zone = zone, .scope = scope,
			      .newest = { NEVER, NEVER, NEVER }, .newest_success = NEVER };
	index->slots[slot] = (uint32_t)++index->n;
	return b;
}

static void count(const struct souk_ledger *ledger, size_t i, const char *zone)
{
	const struct souk_store_attempt *a = &ledger->attempts[i];
	struct bucket *b = need_bucket(ledger->index, a, zone, scope_of(a));
	enum kind kind = kind_of(a);
	int weight = souk_ledger_weight(ledger, i);

	if (a->code == SOUK_OK) {
		b->successes += weight;
		if (b->newest_success == NEVER)
			b->newest_success = i;
		return;
	}
	if (kind == SOLD_OUT)
		b->failures += weight;
	/* A quota that was short before something worked, or days ago, is another story. */
	if (kind == QUOTA && b->newest_success == NEVER &&
	    ledger->now - a->at <= SOUK_LEDGER_HORIZON_S)
		b->quotas++;
	if (b->newest[kind] == NEVER)
		b->newest[kind] = i;
}

static void index_attempt(struct souk_ledger *ledger, size_t i)
{
	const struct souk_store_attempt *a = &ledger->attempts[i];
	int scope = scope_of(a);
	unsigned bit = region_bit(hash_text(hash_provider(a->provider), a->region));

	if (a->code != SOUK_OK && kind_of(a) == NO_KIND)
		return;
	ledger->index->scopes |= 1u << scope;
	ledger->index->regions[bit / 64] |= UINT64_C(1) << bit % 64;
	if (scope > SOUK_SCOPE_ZONE) {
		count(ledger, i, NULL);
		return;
	}
	count(ledger, i, a->zone);
	count(ledger, i, any_zone);
}

static void index_free(struct souk_ledger_index *index)
{
	if (!index)
		return;
	free(index->buckets);
	free(index->slots);
	free(index);
}

int souk_ledger_init(struct souk_ledger *ledger_out, struct souk_store_attempt *attempts, size_t n,
		     int64_t now, struct souk_error *err)
{
	struct souk_ledger ledger = { .attempts = attempts, .n = n, .now = now };
	struct souk_ledger_index *index;
	size_t i, room;

	if (n == 0) {
		souk_store_attempts_free(attempts, n);
		*ledger_out = (struct souk_ledger){ .now = now };
		return SOUK_OK;
	}
	/* At most two buckets an attempt, the table at most half full. */
	for (room = 16; room < 4 * n; room *= 2)
		;
	index = calloc(1, sizeof(*index));
	if (index) {
		index->buckets = calloc(2 * n, sizeof(*index->buckets));
		index->slots = calloc(room, sizeof(*index->slots));
		index->mask = room - 1;
	}
	ledger.index = index;
	if (!index || !index->buckets || !index->slots) {
		souk_ledger_fini(&ledger);
		return souk_error_nomem(err);
	}
	for (i = 0; i < n; i++)
		index_attempt(&ledger, i);
	*ledger_out = ledger;
	return SOUK_OK;
}

int souk_ledger_load(struct souk_store *store, int64_t now, struct souk_ledger *ledger_out,
		     struct souk_error *err)
{
	struct souk_store_attempt *attempts;
	size_t n;
	int ret;

	ret = souk_store_attempts(store, now - SOUK_LEDGER_HORIZON_S, &attempts, &n, err);
	return ret < 0 ? ret : souk_ledger_init(ledger_out, attempts, n, now, err);
}

void souk_ledger_fini(struct souk_ledger *ledger)
{
	souk_store_attempts_free(ledger->attempts, ledger->n);
	index_free(ledger->index);
	*ledger = (struct souk_ledger){ 0 };
}

/* ---- Looking things up ---- */

int souk_ledger_weight(const struct souk_ledger *ledger, size_t i)
{
	int64_t halves = (ledger->now - ledger->attempts[i].at) / SOUK_LEDGER_HALF_LIFE_S;

	return halves < 0 ? 1000 : halves > 9 ? 0 : 1000 >> halves;
}

static int64_t cooldown(const struct bucket *b, enum kind kind, int spot)
{
	int64_t quota = SOUK_LEDGER_COOLDOWN_QUOTA_S;
	unsigned i;

	switch (kind) {
	case SOLD_OUT:
		return spot ? SOUK_LEDGER_COOLDOWN_SPOT_S : SOUK_LEDGER_COOLDOWN_S;
	case UNSOLD:
		return SOUK_LEDGER_COOLDOWN_UNSOLD_S;
	case QUOTA:
		for (i = 1; i < b->quotas && quota < SOUK_LEDGER_COOLDOWN_QUOTA_MAX_S; i++)
			quota *= 2;
		return quota < SOUK_LEDGER_COOLDOWN_QUOTA_MAX_S ? quota :
								  SOUK_LEDGER_COOLDOWN_QUOTA_MAX_S;
	default:
		return 0;
	}
}

/* When a cooldown began: not later than now, whatever clock the attempt was written by. */
static int64_t began(const struct souk_ledger *ledger, const struct souk_store_attempt *a)
{
	return a->at < ledger->now ? a->at : ledger->now;
}

/* A lookup: the buckets that cover a place. */
struct look {
	const struct souk_ledger *ledger;
	const struct bucket *found[6];
	size_t n;
	size_t newest_success;
};

static void look_into(struct look *look, uint64_t hash, const struct souk_ledger_place *place,
		      const char *zone, int scope)
{
	const struct souk_ledger_index *index = look->ledger->index;
	const struct bucket *b;

	if (!(index->scopes & 1u << scope))
		return;
	b = find_bucket(index, hash_number(hash, (uint64_t)scope), place, zone, scope);
	if (!b)
		return;
	look->found[look->n++] = b;
	if (b->newest_success < look->newest_success)
		look->newest_success = b->newest_success;
}

/* A zone, and the machine in it. */
static void look_into_zone(struct look *look, uint64_t region, const struct souk_ledger_place *place,
			   const char *zone)
{
	uint64_t hash = hash_zone(region, zone);

	look_into(look, hash, place, zone, SOUK_SCOPE_ZONE);
	look_into(look, hash_machine(hash, place->instance_type, place->accelerator,
				     place->accelerator_milli, place->spot),
		  place, zone, SOUK_SCOPE_OFFER);
}

/* The failure that keeps the place waiting longest, unless something worked since. */
static void take_failures(const struct look *look, const struct bucket *b,
			  struct souk_evidence *evidence)
{
	int kind;

	for (kind = 0; kind < KINDS; kind++) {
		size_t i = b->newest[kind];
		const struct souk_store_attempt *a;
		int64_t until;

		if (i == NEVER || i > look->newest_success)
			continue;
		a = &look->ledger->attempts[i];
		until = began(look->ledger, a) + cooldown(b, (enum kind)kind, a->spot);
		if (evidence->code != SOUK_OK && until <= evidence->cooling_until)
			continue;
		evidence->exhausted_at = a->at;
		evidence->cooling_until = until;
		evidence->code = a->code;
		evidence->reason = a->reason;
	}
}

struct souk_evidence souk_ledger_evidence(const struct souk_ledger *ledger,
					  const struct souk_ledger_place *place)
{
	struct look look = { .ledger = ledger, .newest_success = NEVER };
	struct souk_evidence evidence = { 0 };
	uint64_t provider, region;
	unsigned bit;
	size_t i;

	if (!ledger->index)
		return evidence;
	provider = hash_provider(place->provider);
	region = hash_text(provider, place->region);
	look_into(&look, provider, place, NULL, SOUK_SCOPE_PROVIDER);
	bit = region_bit(region);
	if (ledger->index->regions[bit / 64] & UINT64_C(1) << bit % 64) {
		look_into(&look, region, place, NULL, SOUK_SCOPE_REGION);
		look_into_zone(&look, region, place, place->zone ? place->zone : any_zone);
		if (place->zone)
			look_into_zone(&look, region, place, NULL);
	}
	for (i = 0; i < look.n; i++) {
		const struct bucket *b = look.found[i];

		evidence.score += b->successes - b->failures;
		if (b->scope == SOUK_SCOPE_OFFER) {
			evidence.successes += b->successes;
			evidence.failures += b->failures;
		}
		take_failures(&look, b, &evidence);
	}
	if (evidence.cooling_until <= ledger->now)
		evidence.cooling_until = 0;
	return evidence;
}

int64_t souk_ledger_cooling_until(const struct souk_ledger *ledger, size_t i)
{
	const struct souk_store_attempt *a = &ledger->attempts[i];
	enum kind kind = kind_of(a);
	int scope = scope_of(a);
	const char *zone = scope > SOUK_SCOPE_ZONE ? NULL : a->zone;
	struct souk_ledger_place place = {
		a->provider, a->region, zone, a->instance_type, a->accelerator, a->accelerator_milli,
		a->spot,
	};
	const struct bucket *b;
	int64_t until;

	if (!ledger->index || a->code == SOUK_OK || kind == NO_KIND)
		return 0;
	b = find_bucket(ledger->index, hash_of(a, zone, scope), &place, zone, scope);
	if (!b || i > b->newest_success)
		return 0;
	until = began(ledger, a) + cooldown(b, kind, a->spot);
	return until > ledger->now ? until : 0;
}
