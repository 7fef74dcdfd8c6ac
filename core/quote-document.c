/* SPDX-License-Identifier: Apache-2.0 */
/* quote-document.c - a quote as a JSON document whose id is the hash of what it says */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/money.h"
#include "base/util.h"
#include "quotes.h"

#define MAX_DEPTH 16
#define MAX_TEXT ((size_t)64 << 10)
/* Attempts of the ledger that a quote names: the newest at its place. */
#define MAX_EVIDENCE 20u
/* Runners-up, with --all. */
#define MAX_OTHERS 10000u
#define STYLE (JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

/* ---- Making JSON: the first failure sticks. Keys are literals, which need no copy. ---- */

#define KEY_IS_LITERAL JSON_C_OBJECT_KEY_IS_CONSTANT

struct maker {
	int failed;
};

static struct json_object *put(struct maker *m, struct json_object *in, const char *key,
			       struct json_object *value)
{
	int ret = -1;

	if (value && in && !m->failed)
		ret = key ? json_object_object_add_ex(in, key, value, KEY_IS_LITERAL)
			  : json_object_array_add(in, value);
	if (ret == 0)
		return value;
	json_object_put(value);
	m->failed = 1;
	return NULL;
}

static struct json_object *put_object(struct maker *m, struct json_object *in, const char *key)
{
	return put(m, in, key, json_object_new_object());
}

static struct json_object *put_array(struct maker *m, struct json_object *in, const char *key)
{
	return put(m, in, key, json_object_new_array());
}

/* NULL and "" are null, which json-c keeps as NULL. */
static void put_text(struct maker *m, struct json_object *in, const char *key, const char *text)
{
	if (text && text[0])
		put(m, in, key, json_object_new_string(text));
	else if (!in || m->failed ||
		 json_object_object_add_ex(in, key, NULL, KEY_IS_LITERAL) != 0)
		m->failed = 1;
}

static void put_int(struct maker *m, struct json_object *in, const char *key, int64_t value)
{
	put(m, in, key, json_object_new_int64(value));
}

static void put_bool(struct maker *m, struct json_object *in, const char *key, int value)
{
	put(m, in, key, json_object_new_boolean(value != 0));
}

/* Millionths as a number, exactly; null if negative. */
static void put_money(struct maker *m, struct json_object *in, const char *key, int64_t micros)
{
	char text[SOUK_MONEY_TEXT_SIZE];

	souk_money_text(micros, text);
	if (micros < 0)
		put_text(m, in, key, NULL);
	else
		put(m, in, key, json_object_new_double_s(strtod(text, NULL), text));
}

/* Thousandths likewise, without zeros at the end. */
static void put_milli(struct maker *m, struct json_object *in, const char *key, uint64_t milli)
{
	char text[32];
	size_t len;

	snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, milli / 1000, milli % 1000);
	for (len = strlen(text); text[len - 1] == '0'; len--)
		text[len - 1] = '\0';
	if (text[len - 1] == '.')
		text[len - 1] = '\0';
	put(m, in, key, json_object_new_double_s(strtod(text, NULL), text));
}

static void put_time(struct maker *m, struct json_object *in, const char *key, int64_t when)
{
	char text[SOUK_TIME_TEXT_SIZE];

	put_text(m, in, key, souk_time_text(when, text));
}

static void put_hash(struct maker *m, struct json_object *in, const char *key,
		     const uint8_t hash[16])
{
	char text[SOUK_HEX_SIZE(16)];

	souk_hex(hash, 16, text);
	put_text(m, in, key, text);
}

/* The digest of a text; of none it is null. */
static void put_digest(struct maker *m, struct json_object *in, const char *key, const char *text)
{
	XXH128_canonical_t canonical;

	if (!text) {
		put_text(m, in, key, NULL);
		return;
	}
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(text, strlen(text)));
	put_hash(m, in, key, canonical.digest);
}

/* ---- The task ---- */

static void add_amount(struct souk_buf *buf, const char *name, const struct souk_amount *amount)
{
	if (amount->value)
		souk_buf_printf(buf, " %s=%" PRIu64 "%s", name, amount->value,
				amount->at_least ? "+" : "");
}

static void add_word(struct souk_buf *buf, const char *name, const char *value)
{
	if (value)
		souk_buf_printf(buf, " %s='%s'", name, value);
}

static void add_number(struct souk_buf *buf, const char *name, uint64_t value)
{
	if (value)
		souk_buf_printf(buf, " %s=%" PRIu64, name, value);
}

/* One alternative as one line: what decides about place, machine and price. */
static void put_request(struct maker *m, struct json_object *list,
			const struct souk_request *request)
{
	const struct souk_accelerator *accelerator = &request->accelerator;
	struct souk_buf buf;
	size_t i;

	souk_buf_init(&buf, MAX_TEXT);
	souk_buf_printf(&buf, "rank=%u", request->rank);
	add_word(&buf, "provider", request->provider);
	add_word(&buf, "region", request->region);
	add_word(&buf, "zone", request->zone);
	add_word(&buf, "instance_type", request->instance_type);
	add_amount(&buf, "cpus_milli", &request->cpus);
	add_amount(&buf, "memory_mib", &request->memory);
	add_word(&buf, "accelerator", accelerator->name);
	add_word(&buf, "maker", accelerator->maker);
	add_number(&buf, "accelerator_milli", accelerator->milli);
	add_number(&buf, "accelerator_memory_mib", accelerator->memory_mib);
	add_number(&buf, "accelerator_memory_at_least", (uint64_t)accelerator->memory_at_least);
	add_number(&buf, "use_spot", (uint64_t)request->use_spot);
	add_number(&buf, "disk_size_gib", request->disk_size_gib);
	add_word(&buf, "disk_tier", request->disk_tier);
	add_word(&buf, "network_tier", request->network_tier);
	add_number(&buf, "local_disk_gib",
		   request->local_disk.set ? request->local_disk.size_gib + 1 : 0);
	add_number(&buf, "local_disk_at_least", (uint64_t)request->local_disk.at_least);
	add_number(&buf, "max_hourly_micros", (uint64_t)request->max_hourly_micros);
	add_word(&buf, "image", request->image);
	for (i = 0; i < request->images.n; i++)
		add_word(&buf, request->images.items[i].key, request->images.items[i].value);
	for (i = 0; i < request->n_ports; i++)
		souk_buf_printf(&buf, " port=%u-%u", request->ports[i].first,
				request->ports[i].last);
	if (souk_buf_failed(&buf, NULL) < 0)
		m->failed = 1;
	else
		put(m, list, NULL, json_object_new_string(buf.data));
	souk_buf_fini(&buf);
}

static void put_bucket(struct maker *m, struct json_object *in, const char *key, const char *uri,
		       double gb)
{
	struct json_object *object;

	if (!uri) {
		put_text(m, in, key, NULL);
		return;
	}
	object = put_object(m, in, key);
	put_text(m, object, "uri", uri);
	put_milli(m, object, "gb", souk_egress_mb(gb));
}

struct json_object *souk_quote_task_json(const struct souk_task *task)
{
	struct json_object *object = json_object_new_object(), *requests;
	struct maker m = { object == NULL };
	size_t i;

	put_text(&m, object, "name", task->name);
	put_int(&m, object, "num_nodes", task->num_nodes);
	put_digest(&m, object, "setup_digest", task->setup);
	put_digest(&m, object, "run_digest", task->run);
	put_bucket(&m, object, "inputs", task->inputs_uri, task->inputs_gb);
	put_bucket(&m, object, "outputs", task->outputs_uri, task->outputs_gb);
	requests = put_array(&m, object, "requests");
	for (i = 0; i < task->n_requests; i++)
		put_request(&m, requests, &task->requests[i]);
	if (!m.failed)
		return object;
	json_object_put(object);
	return NULL;
}

/* ---- Offers and prices ---- */

static void put_machine(struct maker *m, struct json_object *object, const struct souk_candidate *c)
{
	const struct souk_offer *offer = &c->offer;

	put_text(m, object, "provider", c->provider);
	put_text(m, object, "region", offer->region);
	put_text(m, object, "zone", offer->zone);
	put_text(m, object, "instance_type", offer->instance_type);
	put_bool(m, object, "spot", c->spot);
	put_money(m, object, "price_hour", c->micros_per_hour);
	put_text(m, object, "currency", offer->currency);
}

static void put_offer(struct maker *m, struct json_object *in, const struct souk_quote_stage *stage)
{
	const struct souk_candidate *c = &stage->chosen;
	struct json_object *object = put_object(m, in, "offer");

	put_machine(m, object, c);
	put_int(m, object, "num_nodes", stage->task->num_nodes);
	put_text(m, object, "arch", c->offer.arch);
	put_milli(m, object, "vcpus", c->offer.vcpus_milli);
	put_milli(m, object, "memory_gib", c->offer.memory_mib * 1000 / 1024);
	put_text(m, object, "gpu_name", c->offer.accelerator);
	put_milli(m, object, "gpu_count", c->offer.accelerator ? c->offer.accelerator_milli : 0);
	put_text(m, object, "source", c->source);
	put_text(m, object, "date", c->date);
	put_int(m, object, "alternative", c->request - stage->task->requests + 1);
}

static void put_items(struct maker *m, struct json_object *in, const struct souk_quote_sheet *sheet)
{
	struct json_object *list = put_array(m, in, "items"), *object;
	size_t i;

	for (i = 0; i < sheet->n; i++) {
		const struct souk_quote_item *item = &sheet->items[i];

		object = put_object(m, list, NULL);
		put_text(m, object, "item", item->item);
		put_text(m, object, "per", item->per_hour ? "hour" : "once");
		put_money(m, object, "price", item->micros);
		put_text(m, object, "currency", item->currency);
		put_text(m, object, "note", item->note);
		put_text(m, object, "source", item->source);
		put_text(m, object, "date", item->date);
	}
}

static void put_total(struct maker *m, struct json_object *in, const struct souk_quote_sheet *sheet,
		      uint32_t hours_milli)
{
	struct json_object *object = put_object(m, in, "total");

	put_money(m, object, "hour", sheet->hour_micros);
	put_money(m, object, "once", sheet->once_micros);
	put_milli(m, object, "hours", hours_milli);
	put_money(m, object, "total", sheet->total_micros);
	put_text(m, object, "currency", sheet->currency);
	put_bool(m, object, "complete", sheet->complete);
}

/* ---- Evidence and runners-up ---- */

static void put_evidence(struct maker *m, struct json_object *in,
			 const struct souk_quote_stage *stage)
{
	struct json_object *list = put_array(m, in, "evidence"), *object;
	const struct souk_ledger *ledger = &stage->plan->ledger;
	const struct souk_candidate *c = &stage->chosen;
	size_t i, n = 0;

	for (i = 0; i < ledger->n && n < MAX_EVIDENCE; i++) {
		const struct souk_store_attempt *attempt = &ledger->attempts[i];

		if (!souk_streq(attempt->provider, c->provider) ||
		    !souk_streq(attempt->region, c->offer.region))
			continue;
		n++;
		object = put_object(m, list, NULL);
		put_time(m, object, "at", attempt->at);
		put_text(m, object, "zone", attempt->zone);
		put_text(m, object, "instance_type", attempt->instance_type);
		put_bool(m, object, "spot", attempt->spot);
		put_text(m, object, "result", souk_code_name(attempt->code));
		put_text(m, object, "reason", attempt->reason);
	}
}

static int is_same(const struct souk_candidate *a, const struct souk_candidate *b)
{
	return a->file == b->file && a->row == b->row && a->spot == b->spot;
}

static int put_other(struct maker *m, struct json_object *list, struct souk_quote_draft *draft,
		     const struct souk_quote_stage *stage, const struct souk_candidate *candidate,
		     struct souk_error *err)
{
	struct souk_quote_query query = {
		.candidate = candidate,
		.task = &stage->moved,
		.egress = draft->egress,
		.hours_milli = draft->options.hours_milli,
		.egress_mb = draft->options.egress_mb,
	};
	struct json_object *object = put_object(m, list, NULL);
	struct souk_quote_sheet sheet;
	int ret;

	ret = souk_quote_draft_charges(draft, candidate->provider, &query.charges, err);
	if (ret < 0)
		return ret;
	souk_quote_sheet_make(&query, &sheet);
	put_machine(m, object, candidate);
	put_money(m, object, "hour", sheet.hour_micros);
	put_money(m, object, "total", sheet.total_micros);
	put_bool(m, object, "complete", sheet.complete);
	put_bool(m, object, "cooling", candidate->cooling);
	return SOUK_OK;
}

/* The first candidates behind the chosen one, in the order of the plan. */
static int put_first_others(struct maker *m, struct json_object *list,
			    struct souk_quote_draft *draft, struct souk_quote_stage *stage,
			    size_t limit, struct souk_error *err)
{
	struct souk_candidate candidate;
	int ret = SOUK_OK;
	size_t i, n = 0;

	for (i = 0; i < stage->plan->result.n && n < limit && ret == SOUK_OK; i++) {
		ret = souk_plan_result_get(&stage->plan->result, i, &candidate, err);
		if (ret < 0 || is_same(&candidate, &stage->chosen))
			continue;
		ret = put_other(m, list, draft, stage, &candidate, err);
		n++;
	}
	return ret;
}

static int put_best_others(struct maker *m, struct json_object *list,
			   struct souk_quote_draft *draft, struct souk_quote_stage *stage,
			   struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_plan_best *best = NULL;
	size_t n = 0, i;
	int ret;

	ret = souk_plan_result_best(&stage->plan->result, &best, &n, err);
	for (i = 0; i < n && ret == SOUK_OK; i++)
		if (!is_same(&best[i].candidate, &stage->chosen))
			ret = put_other(m, list, draft, stage, &best[i].candidate, err);
	return ret;
}

static int put_others(struct maker *m, struct json_object *in, struct souk_quote_draft *draft,
		      struct souk_quote_stage *stage, struct souk_error *err)
{
	size_t limit = draft->options.all ? MAX_OTHERS : draft->options.limit;
	struct json_object *list = put_array(m, in, "others");

	put_int(m, in, "candidates", (int64_t)stage->plan->result.n);
	return limit > 0 ? put_first_others(m, list, draft, stage, limit, err) :
			   put_best_others(m, list, draft, stage, err);
}

/* ---- The document ---- */

static void put_settings(struct maker *m, struct json_object *in,
			 const struct souk_quote_draft *draft)
{
	const struct souk_participants *all = &draft->stages[0].plan->participants;
	struct json_object *object = put_object(m, in, "settings"), *list;
	size_t i;

	put_text(m, object, "optimize",
		 draft->stages[0].plan->result.query.by_time ? "time" : "cost");
	put_milli(m, object, "hours", draft->options.hours_milli);
	put_milli(m, object, "egress_gb", draft->options.egress_mb);
	put_bool(m, object, "live", draft->options.live);
	list = put_array(m, object, "providers");
	for (i = 0; i < all->n; i++)
		if (all->items[i].standing == SOUK_STANDS_IN)
			put(m, list, NULL, json_object_new_string(all->items[i].name));
}

/* The catalogues that all of it was chosen from; those of one moment, for all stages. */
static void put_catalogs(struct maker *m, struct json_object *in, const struct souk_market *market)
{
	struct json_object *list = put_array(m, in, "catalogs"), *object;
	size_t i;

	for (i = 0; i < market->n; i++) {
		const struct souk_catalog_head *head = souk_catalog_file_head(market->files[i]);

		object = put_object(m, list, NULL);
		put_text(m, object, "provider", head->provider);
		put_text(m, object, "source", head->source);
		put_text(m, object, "date", head->date);
		put_hash(m, object, "hash", head->hash);
	}
}

static int put_stages(struct maker *m, struct json_object *in, struct souk_quote_draft *draft,
		      struct souk_error *err)
{
	struct json_object *list = put_array(m, in, "stages"), *object;
	int ret = SOUK_OK;
	size_t i;

	for (i = 0; i < draft->n_stages && ret == SOUK_OK; i++) {
		struct souk_quote_stage *stage = &draft->stages[i];

		object = put_object(m, list, NULL);
		put(m, object, "task", souk_quote_task_json(stage->task));
		put_offer(m, object, stage);
		put_items(m, object, &stage->sheet);
		put_total(m, object, &stage->sheet, draft->options.hours_milli);
		put_catalogs(m, object, &stage->plan->market);
		put_evidence(m, object, stage);
		ret = put_others(m, object, draft, stage, err);
	}
	return ret;
}

static void put_transfers(struct maker *m, struct json_object *in,
			  const struct souk_quote_draft *draft)
{
	static const char *const kinds[] = { "nothing", "same-region", "same-provider",
					     "internet" };
	struct json_object *list = put_array(m, in, "transfers"), *object;
	size_t i;

	for (i = 0; i < draft->pipeline.n_edges; i++) {
		const struct souk_transfer *transfer = &draft->pipeline.transfers[i];

		object = put_object(m, list, NULL);
		put_int(m, object, "from", (int64_t)draft->edges[i].from + 1);
		put_int(m, object, "to", (int64_t)draft->edges[i].to + 1);
		put_milli(m, object, "gb", transfer->mb);
		put_text(m, object, "kind", kinds[transfer->kind]);
		put_money(m, object, "price", transfer->micros);
		put_text(m, object, "currency", "USD");
		put_text(m, object, "source", transfer->source);
		put_text(m, object, "date", transfer->date);
	}
}

/* Of all stages and what goes between them. */
static void put_sum(struct maker *m, struct json_object *in, const struct souk_quote_draft *draft)
{
	struct souk_quote_sheet sum = draft->stages[0].sheet;
	size_t i;

	for (i = 1; i < draft->n_stages; i++) {
		const struct souk_quote_sheet *sheet = &draft->stages[i].sheet;

		if (strcmp(sheet->currency, sum.currency) != 0) {
			sum.complete = 0;
			continue;
		}
		sum.once_micros = souk_money_add(sum.once_micros, sheet->once_micros);
		sum.total_micros = souk_money_add(sum.total_micros, sheet->total_micros);
		sum.hour_micros = souk_money_add(sum.hour_micros, sheet->hour_micros);
		sum.complete &= sheet->complete;
	}
	for (i = 0; i < draft->pipeline.n_edges; i++) {
		int64_t micros = draft->pipeline.transfers[i].micros;

		if (micros < 0 || (micros > 0 && strcmp(sum.currency, "USD") != 0)) {
			sum.complete = 0;
			continue;
		}
		sum.once_micros = souk_money_add(sum.once_micros, micros);
		sum.total_micros = souk_money_add(sum.total_micros, micros);
	}
	/* Stages follow each other: what all of them cost an hour nobody pays. */
	if (draft->n_stages > 1)
		sum.hour_micros = sum.once_micros = -1;
	put_total(m, in, &sum, draft->options.hours_milli);
}

static int fill(struct maker *m, struct json_object *doc, struct souk_quote_draft *draft,
		struct souk_error *err)
{
	int ret;

	put_int(m, doc, "version", 1);
	put_time(m, doc, "valid_until", draft->valid_until);
	put_text(m, doc, "validity", draft->validity);
	put_settings(m, doc, draft);
	ret = put_stages(m, doc, draft, err);
	put_transfers(m, doc, draft);
	put_sum(m, doc, draft);
	if (ret == SOUK_OK && m->failed)
		ret = souk_error_nomem(err);
	return ret;
}

/* ---- The id ---- */

/* The hash of everything but the id itself and the moment. 0, or -1 on no memory. */
static int id_of(struct json_object *doc, char id[SOUK_QUOTE_ID_SIZE])
{
	XXH128_canonical_t canonical;
	const char *text;

	json_object_object_del(doc, "id");
	json_object_object_del(doc, "created_at");
	text = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN |
							   JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		return -1;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(text, strlen(text)));
	souk_hex(canonical.digest, sizeof(canonical.digest), id);
	return 0;
}

static int finish(struct souk_quote *quote, int64_t now, struct souk_error *err)
{
	struct maker m = { 0 };
	const char *text;

	if (id_of(quote->doc, quote->id) < 0)
		return souk_error_nomem(err);
	put_text(&m, quote->doc, "id", quote->id);
	put_time(&m, quote->doc, "created_at", now);
	text = m.failed ? NULL : json_object_to_json_string_ext(quote->doc, STYLE);
	if (!text || asprintf(&quote->text, "%s\n", text) < 0) {
		quote->text = NULL;
		return souk_error_nomem(err);
	}
	return SOUK_OK;
}

int souk_quote_document(struct souk_quote_draft *draft, struct souk_quote **quote_out,
			struct souk_error *err)
{
	struct souk_quote *quote = calloc(1, sizeof(*quote));
	struct maker m = { 0 };
	int ret;

	if (!quote || !(quote->doc = json_object_new_object())) {
		free(quote);
		return souk_error_nomem(err);
	}
	ret = fill(&m, quote->doc, draft, err);
	if (ret == SOUK_OK)
		ret = finish(quote, draft->now, err);
	if (ret < 0) {
		souk_quote_free(quote);
		return ret;
	}
	*quote_out = quote;
	return SOUK_OK;
}

int souk_quote_is_id(const char *id)
{
	return strlen(id) == SOUK_QUOTE_ID_SIZE - 1 &&
	       strspn(id, "0123456789abcdef") == SOUK_QUOTE_ID_SIZE - 1;
}

/* Does the text say what its id is the hash of? */
static int check_id(const char *id, struct json_object *doc)
{
	struct json_object *own;
	char found[SOUK_QUOTE_ID_SIZE];

	return json_object_is_type(doc, json_type_object) &&
	       json_object_object_get_ex(doc, "id", &own) &&
	       strcmp(json_object_get_string(own), id) == 0 && id_of(doc, found) == 0 &&
	       strcmp(found, id) == 0;
}

static struct json_object *parse(const char *text)
{
	struct json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
	struct json_object *doc = NULL;

	if (!tokener)
		return NULL;
	doc = json_tokener_parse_ex(tokener, text, -1);
	json_tokener_free(tokener);
	return doc;
}

int souk_quote_parse(const char *id, const char *text, struct souk_quote **quote_out,
		     struct souk_error *err)
{
	struct souk_quote *quote = calloc(1, sizeof(*quote));
	struct json_object *checked = parse(text);

	if (!quote || !(quote->text = strdup(text))) {
		json_object_put(checked);
		souk_quote_free(quote);
		return souk_error_nomem(err);
	}
	snprintf(quote->id, sizeof(quote->id), "%s", id);
	/* Checking takes members out; the document itself is read once more. */
	if (checked && check_id(id, checked))
		quote->doc = parse(text);
	json_object_put(checked);
	if (!quote->doc) {
		souk_quote_free(quote);
		return souk_error_set(err, SOUK_E_INVALID, "the quote '%s' is damaged", id);
	}
	*quote_out = quote;
	return SOUK_OK;
}
