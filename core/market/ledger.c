/* SPDX-License-Identifier: Apache-2.0 */
/* market/ledger.c - the capacity ledger's evidence about a place */
#include "market/ledger.h"

#include <string.h>

#include "base/util.h"

int souk_ledger_load(struct souk_store *store, int64_t now, struct souk_ledger *ledger_out,
		     struct souk_error *err)
{
	struct souk_ledger ledger = { .now = now };
	int ret;

	ret = souk_store_attempts(store, now - SOUK_LEDGER_HORIZON_S, &ledger.attempts, &ledger.n, err);
	if (ret == SOUK_OK)
		*ledger_out = ledger;
	return ret;
}

void souk_ledger_fini(struct souk_ledger *ledger)
{
	souk_store_attempts_free(ledger->attempts, ledger->n);
	*ledger = (struct souk_ledger){ 0 };
}

/* Does an attempt, with the scope of its failure, say something about the place? */
static int covers(const struct souk_store_attempt *a, const char *provider, const char *region,
		  const char *zone, const char *instance_type, int spot)
{
	int scope = a->code == SOUK_OK ? SOUK_SCOPE_OFFER : a->scope;

	if (strcmp(a->provider, provider) != 0)
		return 0;
	if (scope == SOUK_SCOPE_PROVIDER)
		return 1;
	if (strcmp(a->region, region) != 0)
		return 0;
	if (scope == SOUK_SCOPE_REGION)
		return 1;
	if (a->zone && zone && strcmp(a->zone, zone) != 0)
		return 0;
	if (scope == SOUK_SCOPE_ZONE)
		return 1;
	return strcmp(a->instance_type, instance_type) == 0 && a->spot == spot;
}

struct souk_evidence souk_ledger_evidence(const struct souk_ledger *ledger, const char *provider,
					  const char *region, const char *zone,
					  const char *instance_type, int spot)
{
	struct souk_evidence evidence = { 0 };
	int worked_since = 0;
	size_t i;

	for (i = 0; i < ledger->n; i++) {
		const struct souk_store_attempt *a = &ledger->attempts[i];
		int64_t hours = (ledger->now - a->at) / 3600;
		int weight = hours < 0 ? 1000 : hours > 9 ? 0 : 1000 >> hours;

		if ((a->code != SOUK_OK && a->code != SOUK_E_CAPACITY) ||
		    !covers(a, provider, region, zone, instance_type, spot))
			continue;
		if (a->code == SOUK_OK) {
			worked_since = 1;
			evidence.score += weight;
			evidence.successes += weight;
			continue;
		}
		evidence.score -= weight;
		evidence.failures += weight;
		if (!worked_since && a->at > evidence.exhausted_at)
			evidence.exhausted_at = a->at;
	}
	if (evidence.exhausted_at > 0 && ledger->now - evidence.exhausted_at < SOUK_LEDGER_COOLDOWN_S)
		evidence.cooling_until = evidence.exhausted_at + SOUK_LEDGER_COOLDOWN_S;
	return evidence;
}
