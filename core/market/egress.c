/* SPDX-License-Identifier: Apache-2.0 */
/* market/egress.c - what moving data between places costs, from the providers' transfer tables */
#include "market/egress.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/money.h"
#include "base/pattern.h"
#include "base/util.h"
#include "market/tariff.h"

#define HEADER "from_region,to,to_region,tier_from_gb,usd_per_gb"
#define DIRECTIVE "scheme"
#define MB_PER_GB 1000u
/* A million TB; larger numbers are typing errors, and this one cannot overflow anything. */
#define MAX_MB UINT64_C(1000000000000)
/* What a GB of unknown price counts as in a ranking where no table has a dearer one. */
#define UNKNOWN_MICROS_PER_GB 100000

struct tier {
	uint64_t from_mb;
	int64_t micros_per_gb;
};

struct rule {
	const char *from;
	const char *to;
	enum souk_transfer_kind kind;
	struct tier *tiers;
	size_t n_tiers;
	const char *source;
	const char *date;
};

struct table {
	char *provider;
	struct souk_tariff tariff;
	const char **schemes;
	size_t n_schemes;
	struct rule *rules;
	size_t n_rules;
};

struct souk_egress {
	struct table *tables;
	size_t n;
	struct souk_pairs buckets;
	int64_t dearest;	/* micros for a GB to the internet, of all tables */
};

/* ---- Reading tables ---- */

static int add_scheme(struct table *table, const struct souk_tariff_line *line,
		      struct souk_error *err)
{
	const char **schemes;

	if (line->n != 2 || line->fields[1][0] == '\0')
		return souk_tariff_bad(&table->tariff, line->line, err,
				       "a scheme is written 'scheme,PATTERN'");
	schemes = souk_array_grow(table->schemes, table->n_schemes, sizeof(*schemes));
	if (!schemes)
		return souk_error_nomem(err);
	table->schemes = schemes;
	schemes[table->n_schemes++] = line->fields[1];
	return SOUK_OK;
}

static int read_kind(const struct table *table, const struct souk_tariff_line *line,
		     enum souk_transfer_kind *kind_out, struct souk_error *err)
{
	static const struct {
		const char *name;
		enum souk_transfer_kind kind;
	} kinds[] = {
		{ "same-region", SOUK_TRANSFER_SAME_REGION },
		{ "same-provider", SOUK_TRANSFER_SAME_PROVIDER },
		{ "internet", SOUK_TRANSFER_INTERNET },
	};
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(kinds); i++) {
		if (strcmp(line->fields[1], kinds[i].name) == 0) {
			*kind_out = kinds[i].kind;
			return SOUK_OK;
		}
	}
	return souk_tariff_bad(&table->tariff, line->line, err,
			       "'to' must be same-region, same-provider or internet, not '%.40s'",
			       line->fields[1]);
}

static int read_tier(const struct table *table, const struct souk_tariff_line *line,
		     struct tier *tier_out, struct souk_error *err)
{
	struct souk_error why = SOUK_ERROR_INIT;
	uint64_t gb;

	if (souk_parse_u64("tier_from_gb", line->fields[3], &gb, &why) < 0 ||
	    souk_parse_micros("usd_per_gb", line->fields[4], &tier_out->micros_per_gb, &why) < 0)
		return souk_tariff_bad(&table->tariff, line->line, err, "%s", why.message);
	if (gb > MAX_MB / MB_PER_GB || tier_out->micros_per_gb < 0 ||
	    tier_out->micros_per_gb > INT64_C(1000000000))
		return souk_tariff_bad(&table->tariff, line->line, err,
				       "a number that is too large or below 0");
	tier_out->from_mb = gb * MB_PER_GB;
	return SOUK_OK;
}

/* Does the line go on with the rule before it? */
static int continues(const struct rule *rule, const struct souk_tariff_line *line,
		     enum souk_transfer_kind kind)
{
	return rule->kind == kind && strcmp(rule->from, line->fields[0]) == 0 &&
	       strcmp(rule->to, line->fields[2]) == 0;
}

static int add_tier(struct table *table, struct rule *rule, const struct souk_tariff_line *line,
		    struct souk_error *err)
{
	struct tier tier, *tiers;
	int ret = read_tier(table, line, &tier, err);

	if (ret < 0)
		return ret;
	if (rule->n_tiers == 0 && tier.from_mb != 0)
		return souk_tariff_bad(&table->tariff, line->line, err,
				       "the first tier begins at 0");
	if (rule->n_tiers > 0 && tier.from_mb <= rule->tiers[rule->n_tiers - 1].from_mb)
		return souk_tariff_bad(&table->tariff, line->line, err,
				       "a tier begins above the one before it");
	tiers = souk_array_grow(rule->tiers, rule->n_tiers, sizeof(*tiers));
	if (!tiers)
		return souk_error_nomem(err);
	rule->tiers = tiers;
	tiers[rule->n_tiers++] = tier;
	return SOUK_OK;
}

static int add_price(struct table *table, const struct souk_tariff_line *line,
		     struct souk_error *err)
{
	struct rule *rule = table->n_rules ? &table->rules[table->n_rules - 1] : NULL;
	enum souk_transfer_kind kind = SOUK_TRANSFER_NOTHING;
	int ret;

	if (line->n != 5)
		return souk_tariff_bad(&table->tariff, line->line, err, "%zu fields, not 5",
				       line->n);
	if (line->fields[0][0] == '\0' || line->fields[2][0] == '\0')
		return souk_tariff_bad(&table->tariff, line->line, err,
				       "a region is missing; '*' stands for any");
	ret = read_kind(table, line, &kind, err);
	if (ret < 0)
		return ret;
	if (!rule || !continues(rule, line, kind)) {
		rule = souk_array_grow(table->rules, table->n_rules, sizeof(*rule));
		if (!rule)
			return souk_error_nomem(err);
		table->rules = rule;
		rule += table->n_rules++;
		*rule = (struct rule){ .from = line->fields[0],
				       .to = line->fields[2],
				       .kind = kind,
				       .source = line->source,
				       .date = line->date };
	}
	return add_tier(table, rule, line, err);
}

static int read_rules(struct table *table, struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < table->tariff.n && ret == SOUK_OK; i++) {
		const struct souk_tariff_line *line = &table->tariff.lines[i];

		if (strcmp(line->fields[0], DIRECTIVE) == 0)
			ret = add_scheme(table, line, err);
		else
			ret = add_price(table, line, err);
	}
	return ret;
}

static void table_fini(struct table *table)
{
	size_t i;

	for (i = 0; i < table->n_rules; i++)
		free(table->rules[i].tiers);
	free(table->rules);
	free(table->schemes);
	free(table->provider);
	souk_tariff_fini(&table->tariff);
}

static void note_dearest(struct souk_egress *egress, const struct table *table)
{
	size_t i, j;

	for (i = 0; i < table->n_rules; i++)
		for (j = 0; j < table->rules[i].n_tiers; j++)
			if (table->rules[i].tiers[j].micros_per_gb > egress->dearest)
				egress->dearest = table->rules[i].tiers[j].micros_per_gb;
}

/* Take a parsed table over, also on failure. */
static int add_table(struct souk_egress *egress, const char *provider, struct souk_tariff *tariff,
		     struct souk_error *err)
{
	struct table table = { .provider = souk_strdup(provider), .tariff = *tariff };
	struct table *tables;
	int ret = SOUK_OK;

	*tariff = (struct souk_tariff){ 0 };
	tables = souk_array_grow(egress->tables, egress->n, sizeof(*tables));
	if (tables)
		egress->tables = tables;
	if (!tables || !table.provider)
		ret = souk_error_nomem(err);
	else
		ret = read_rules(&table, err);
	if (ret < 0) {
		table_fini(&table);
		return ret;
	}
	note_dearest(egress, &table);
	egress->tables[egress->n++] = table;
	return SOUK_OK;
}

struct souk_egress *souk_egress_new(struct souk_error *err)
{
	struct souk_egress *egress = calloc(1, sizeof(*egress));

	if (!egress) {
		souk_error_nomem(err);
		return NULL;
	}
	egress->dearest = UNKNOWN_MICROS_PER_GB;
	return egress;
}

void souk_egress_free(struct souk_egress *egress)
{
	size_t i;

	if (!egress)
		return;
	for (i = 0; i < egress->n; i++)
		table_fini(&egress->tables[i]);
	free(egress->tables);
	souk_pairs_fini(&egress->buckets);
	free(egress);
}

int souk_egress_add_text(struct souk_egress *egress, const char *provider, const char *path,
			 const char *text, size_t size, struct souk_error *err)
{
	struct souk_tariff tariff = { 0 };
	int ret = souk_tariff_parse(path, text, size, HEADER, DIRECTIVE, &tariff, err);

	return ret < 0 ? ret : add_table(egress, provider, &tariff, err);
}

int souk_egress_add_bucket(struct souk_egress *egress, const char *uri, const char *place,
			   struct souk_error *err)
{
	return souk_pairs_set(&egress->buckets, uri, place, err);
}

static int load_tables(struct souk_egress *egress, const struct souk_paths *paths,
		       struct souk_error *err)
{
	struct souk_strv names = { 0 };
	size_t i;
	int ret;

	ret = souk_tariff_names(paths, "transfer", &names, err);
	for (i = 0; i < names.n && ret == SOUK_OK; i++) {
		struct souk_tariff tariff = { 0 };

		ret = souk_tariff_open(paths, "transfer", names.items[i], HEADER, DIRECTIVE,
				       &tariff, err);
		if (ret == SOUK_OK)
			ret = add_table(egress, names.items[i], &tariff, err);
		/* Taken away since the folder was read. */
		else if (ret == SOUK_E_NOT_FOUND)
			ret = SOUK_OK;
	}
	souk_strv_fini(&names);
	return ret;
}

int souk_egress_load(const struct souk_paths *paths, const struct souk_config *config,
		     struct souk_egress **egress_out, struct souk_error *err)
{
	struct souk_egress *egress = souk_egress_new(err);
	int ret = SOUK_OK;

	if (!egress)
		return SOUK_E_NOMEM;
	if (paths)
		ret = load_tables(egress, paths, err);
	if (ret == SOUK_OK && config)
		ret = souk_pairs_copy(&egress->buckets, &config->buckets, err);
	if (ret < 0) {
		souk_egress_free(egress);
		return ret;
	}
	*egress_out = egress;
	return SOUK_OK;
}

size_t souk_egress_count(const struct souk_egress *egress)
{
	return egress->n;
}

void souk_egress_table(const struct souk_egress *egress, size_t i, struct souk_egress_table *out)
{
	const struct table *table = &egress->tables[i];

	*out = (struct souk_egress_table){
		.provider = table->provider,
		.path = table->tariff.path,
		.source = table->n_rules ? table->rules[0].source : "",
		.date = table->n_rules ? table->rules[0].date : "",
	};
}

/* ---- Prices ---- */

static const struct table *find_table(const struct souk_egress *egress, const char *provider)
{
	size_t i;

	for (i = 0; provider && i < egress->n; i++)
		if (strcasecmp(egress->tables[i].provider, provider) == 0)
			return &egress->tables[i];
	return NULL;
}

static int is_known(const char *region)
{
	return region && region[0];
}

static enum souk_transfer_kind kind_of(const struct souk_place *from, const struct souk_place *to)
{
	if (!from->provider || !to->provider || strcasecmp(from->provider, to->provider) != 0)
		return SOUK_TRANSFER_INTERNET;
	/* One does not put a bucket somewhere and the work elsewhere without knowing. */
	if (!is_known(from->region) || !is_known(to->region) ||
	    strcasecmp(from->region, to->region) == 0)
		return SOUK_TRANSFER_SAME_REGION;
	return SOUK_TRANSFER_SAME_PROVIDER;
}

static const struct rule *find_rule(const struct table *table, enum souk_transfer_kind kind,
				    const char *from, const char *to)
{
	size_t i;

	for (i = 0; i < table->n_rules; i++)
		if (table->rules[i].kind == kind &&
		    souk_tariff_matches(table->rules[i].from, from) &&
		    souk_tariff_matches(table->rules[i].to, to))
			return &table->rules[i];
	return NULL;
}

/* The tiers add up in millionths of a micro, which are rounded once. */
static int64_t add_tiers(const struct rule *rule, uint64_t mb, int allowance)
{
	__int128 sum = 0;
	size_t i;

	for (i = 0; i < rule->n_tiers && rule->tiers[i].from_mb < mb; i++) {
		uint64_t end = i + 1 < rule->n_tiers ? rule->tiers[i + 1].from_mb : mb;
		int64_t price = rule->tiers[i].micros_per_gb;

		if (!allowance && i == 0 && price == 0 && rule->n_tiers > 1)
			price = rule->tiers[1].micros_per_gb;
		sum += (__int128)((end < mb ? end : mb) - rule->tiers[i].from_mb) * price;
	}
	sum = (sum + MB_PER_GB / 2) / MB_PER_GB;
	return sum > INT64_MAX ? INT64_MAX : (int64_t)sum;
}

static int64_t seconds_of(enum souk_transfer_kind kind, uint64_t mb)
{
	uint64_t speed = kind == SOUK_TRANSFER_SAME_REGION   ? SOUK_TRANSFER_REGION_MB_PER_S :
			 kind == SOUK_TRANSFER_SAME_PROVIDER ? SOUK_TRANSFER_PROVIDER_MB_PER_S :
							       SOUK_TRANSFER_INTERNET_MB_PER_S;

	return (int64_t)((mb + speed - 1) / speed);
}

/* At the ends that matter for the price, is a region not known? */
static int region_unknown(const struct souk_transfer *transfer)
{
	if (!is_known(transfer->from.region))
		return 1;
	return transfer->kind != SOUK_TRANSFER_INTERNET && !is_known(transfer->to.region);
}

void souk_egress_price(const struct souk_egress *egress, const struct souk_place *from,
		       const struct souk_place *to, uint64_t mb, int allowance,
		       struct souk_transfer *out)
{
	const struct table *table = find_table(egress, from->provider);
	const struct rule *rule = NULL;

	if (mb > MAX_MB)
		mb = MAX_MB;
	*out = (struct souk_transfer){
		.from = *from, .to = *to, .mb = mb, .source = "", .date = ""
	};
	if (mb == 0)
		return;
	out->kind = kind_of(from, to);
	out->seconds = seconds_of(out->kind, mb);
	out->region_unknown = region_unknown(out);
	if (table)
		rule = find_rule(table, out->kind, from->region, to->region);
	if (!rule) {
		out->micros = -1;
		out->rank_micros = souk_money_scale(egress->dearest, mb, MB_PER_GB);
		return;
	}
	out->micros = add_tiers(rule, mb, allowance);
	out->rank_micros = out->micros;
	out->source = rule->source;
	out->date = rule->date;
}

/* ---- Buckets and tasks ---- */

uint64_t souk_egress_mb(double gb)
{
	double mb = gb * MB_PER_GB;
	uint64_t whole;

	if (!(mb > 0))
		return 0;
	if (mb >= (double)MAX_MB)
		return MAX_MB;
	whole = (uint64_t)mb;
	return (double)whole < mb ? whole + 1 : whole;
}

/* Is 'uri' the address 'key', or something below it? */
static int is_below(const char *uri, const char *key)
{
	size_t len = strlen(key);

	while (len > 0 && key[len - 1] == '/')
		len--;
	return len > 0 && strncmp(uri, key, len) == 0 && (uri[len] == '\0' || uri[len] == '/');
}

/* The most exact entry of the configuration; NULL: none. */
static const char *configured_region(const struct souk_egress *egress, const char *uri)
{
	const struct souk_pair *best = NULL;
	size_t i;

	for (i = 0; i < egress->buckets.n; i++) {
		const struct souk_pair *pair = &egress->buckets.items[i];

		if (is_below(uri, pair->key) && (!best || strlen(pair->key) > strlen(best->key)))
			best = pair;
	}
	return best ? best->value : NULL;
}

void souk_egress_bucket(const struct souk_egress *egress, const char *uri,
			struct souk_place *place_out)
{
	size_t i, j;

	*place_out = (struct souk_place){ NULL, NULL };
	for (i = 0; uri && i < egress->n; i++) {
		for (j = 0; j < egress->tables[i].n_schemes; j++) {
			if (!souk_pattern_matches(egress->tables[i].schemes[j], uri))
				continue;
			place_out->provider = egress->tables[i].provider;
			place_out->region = configured_region(egress, uri);
			return;
		}
	}
}

int souk_egress_is_needed(const struct souk_task *task)
{
	return (task->inputs_uri && task->inputs_gb > 0) ||
	       (task->outputs_uri && task->outputs_gb > 0);
}

void souk_egress_task(const struct souk_egress *egress, const struct souk_task *task,
		      const char *provider, const char *region, struct souk_task_transfer *out)
{
	struct souk_place here = { provider, region }, bucket;

	*out = (struct souk_task_transfer){ .known = 1 };
	souk_egress_bucket(egress, task->inputs_uri, &bucket);
	souk_egress_price(egress, &bucket, &here,
			  task->inputs_uri ? souk_egress_mb(task->inputs_gb) : 0, 1, &out->inputs);
	souk_egress_bucket(egress, task->outputs_uri, &bucket);
	souk_egress_price(egress, &here, &bucket,
			  task->outputs_uri ? souk_egress_mb(task->outputs_gb) : 0, 1,
			  &out->outputs);
	out->known = out->inputs.micros >= 0 && out->outputs.micros >= 0;
	out->micros = souk_money_add(out->inputs.micros > 0 ? out->inputs.micros : 0,
				     out->outputs.micros > 0 ? out->outputs.micros : 0);
	out->rank_micros = souk_money_add(out->inputs.rank_micros, out->outputs.rank_micros);
	out->seconds = out->inputs.seconds + out->outputs.seconds;
}
