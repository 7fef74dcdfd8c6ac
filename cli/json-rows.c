/* SPDX-License-Identifier: Apache-2.0 */
/* json-rows.c - the rows of souk.h as JSON; the shapes are those of the man pages */
#include "cli.h"

void cli_json_accelerators(struct cli_json *json, struct json_object *in, const char *name,
			   uint32_t milli)
{
	struct json_object *object;

	if (!name) {
		cli_json_null(json, in, "accelerators");
		return;
	}
	object = cli_json_object(json, in, "accelerators");
	cli_json_milli(json, object, name, milli);
}

/* What an offer is, without its prices. */
static void add_machine(struct cli_json *json, struct json_object *in,
			const struct souk_offer_row *row)
{
	char text[CLI_TEXT_SIZE];

	cli_json_text(json, in, "provider", row->provider);
	cli_json_text(json, in, "region", row->region);
	cli_json_text(json, in, "zone", row->zone);
	cli_json_text(json, in, "instance_type", row->instance_type);
	cli_json_text(json, in, "arch", row->arch);
	cli_json_milli(json, in, "vcpus", row->vcpus_milli);
	cli_json_decimal(json, in, "memory_gib", cli_gib(row->memory_mib, text));
	cli_json_text(json, in, "gpu_name", row->accelerator);
	cli_json_milli(json, in, "gpu_count", row->accelerator ? row->accelerator_milli : 0);
	if (row->accelerator && row->accelerator_memory_mib)
		cli_json_decimal(json, in, "gpu_memory_gib",
				 cli_gib(row->accelerator_memory_mib, text));
	else
		cli_json_null(json, in, "gpu_memory_gib");
}

static void add_prices(struct cli_json *json, struct json_object *in,
		       const struct souk_offer_row *row)
{
	cli_json_money(json, in, "price_usd_hour", row->micros_per_hour);
	cli_json_money(json, in, "spot_price_usd_hour", row->spot_micros_per_hour);
	cli_json_text(json, in, "currency", row->currency);
	cli_json_text(json, in, "source", row->source);
	cli_json_text(json, in, "date", row->date);
}

void cli_json_candidate(struct cli_json *json, struct json_object *in, const char *key,
			const struct souk_offer_row *row)
{
	struct json_object *object = cli_json_object(json, in, key);

	add_machine(json, object, row);
	add_prices(json, object, row);
	cli_json_bool(json, object, "spot", row->spot);
	cli_json_int(json, object, "num_nodes", row->num_nodes);
	cli_json_money(json, object, "price_per_hour", row->total_micros_per_hour);
	cli_json_money(json, object, "compute_cost", row->compute_micros);
	cli_json_money(json, object, "preemption_cost", row->preemption_micros);
	cli_json_money(json, object, "transfer_cost", row->transfer_micros);
	cli_json_money(json, object, "expected_cost", row->cost_micros);
	cli_json_int(json, object, "expected_seconds", row->seconds);
	cli_json_int(json, object, "alternative", row->alternative);
	cli_json_bool(json, object, "cooling", row->cooling);
	cli_json_bool(json, object, "credentials", !row->unsure);
	cli_json_int(json, object, "behind", (int64_t)row->behind);
	cli_json_bool(json, object, "chosen", row->chosen);
	cli_json_text(json, object, "note", row->note);
}

static void add_node(struct cli_json *json, struct json_object *in, const struct souk_node_row *row)
{
	struct json_object *object = cli_json_object(json, in, NULL);

	cli_json_int(json, object, "rank", row->rank);
	cli_json_text(json, object, "id", row->id);
	cli_json_text(json, object, "zone", row->zone);
	cli_json_text(json, object, "public_address", row->public_address);
	cli_json_text(json, object, "private_address", row->private_address);
	cli_json_text(json, object, "status", row->status);
}

static void add_autostop(struct cli_json *json, struct json_object *in,
			 const struct souk_cluster_row *row)
{
	struct json_object *object;

	if (row->autostop_minutes < 0) {
		cli_json_null(json, in, "autostop");
		return;
	}
	object = cli_json_object(json, in, "autostop");
	cli_json_int(json, object, "idle_minutes", row->autostop_minutes);
	cli_json_bool(json, object, "down", row->autostop_down);
}

void cli_json_cluster(struct cli_json *json, struct json_object *in, const char *key,
		      const struct souk_cluster_row *row)
{
	struct json_object *object = cli_json_object(json, in, key), *nodes;
	char text[CLI_TEXT_SIZE];
	size_t i;

	cli_json_text(json, object, "name", row->name);
	cli_json_text(json, object, "status", souk_cluster_status_name(row->status));
	cli_json_text(json, object, "provider", row->provider);
	cli_json_text(json, object, "region", row->region);
	cli_json_text(json, object, "zone", row->zone);
	cli_json_text(json, object, "instance_type", row->instance_type);
	cli_json_accelerators(json, object, row->accelerator, row->accelerator_milli);
	cli_json_milli(json, object, "vcpus", row->vcpus_milli);
	cli_json_decimal(json, object, "memory_gib", cli_gib(row->memory_mib, text));
	cli_json_int(json, object, "num_nodes", row->num_nodes);
	cli_json_bool(json, object, "spot", row->spot);
	cli_json_money(json, object, "price_per_hour", row->micros_per_hour);
	cli_json_text(json, object, "currency", row->currency);
	cli_json_money(json, object, "cost", row->cost_micros);
	cli_json_time(json, object, "launched_at", row->launched_at);
	add_autostop(json, object, row);
	cli_json_text(json, object, "note", row->note);
	nodes = cli_json_array(json, object, "nodes");
	for (i = 0; i < row->n_nodes; i++)
		add_node(json, nodes, &row->nodes[i]);
}

void cli_json_job(struct cli_json *json, struct json_object *in, const struct souk_job_row *row)
{
	struct json_object *object = cli_json_object(json, in, NULL);

	cli_json_int(json, object, "id", row->id);
	cli_json_text(json, object, "name", row->name);
	cli_json_text(json, object, "user", row->user);
	cli_json_text(json, object, "status", souk_job_status_name(row->status));
	cli_json_time(json, object, "submitted_at", row->submitted_at);
	cli_json_time(json, object, "started_at", row->started_at);
	cli_json_time(json, object, "ended_at", row->ended_at);
	if (row->exit_status < 0)
		cli_json_null(json, object, "exit_status");
	else
		cli_json_int(json, object, "exit_status", row->exit_status);
	cli_json_int(json, object, "num_nodes", row->num_nodes);
	cli_json_milli(json, object, "accelerators_per_node", row->accelerator_milli);
	cli_json_text(json, object, "log_path", row->log_path);
}
