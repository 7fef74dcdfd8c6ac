/* SPDX-License-Identifier: Apache-2.0 */
/* offers.c - what RunPod has: GPUs and CPUs by number, cloud and data centre */

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "market.h"

/*
 * Stock is told for one number of GPUs in one cloud at a time, so there is a question for each. An
 * answer is good for as long as it takes to begin anew after an interruption, and not for longer:
 * stock changes.
 */
enum { MAX_QUESTIONS = 64, KEPT_SECONDS = 120, WIDTH = 4 };

enum kind { ASK_GPUS, ASK_CPUS, ASK_CENTERS };

struct question {
	enum kind kind;
	enum runpod_cloud cloud;
	uint32_t count; /* GPUs, or vCPUs */
	struct json_object *reply;
};

struct survey {
	struct runpod *runpod;
	struct souk_call *call;
	struct question list[MAX_QUESTIONS];
	struct souk_error errors[MAX_QUESTIONS];
	uint32_t n;
	uint32_t first; /* of those that are asked at this time */
	atomic_uint done;
};

static void add_question(struct survey *survey, enum kind kind, enum runpod_cloud cloud,
			 uint32_t count)
{
	if (survey->n < MAX_QUESTIONS)
		survey->list[survey->n++] = (struct question){ kind, cloud, count, NULL };
}

static int ask(void *arg, uint32_t i, struct souk_error *err)
{
	struct survey *survey = arg;
	struct question *question = &survey->list[survey->first + i];
	char path[200];
	struct runpod_request request = {
		.doing = "list what is on sale",
		.path = path,
		.flags = SOUK_HTTP_RETRY,
		.cache_seconds = KEPT_SECONDS,
	};
	int ret;

	switch (question->kind) {
	case ASK_GPUS:
		request.what = "ListGpuTypes";
		(void)snprintf(path, sizeof(path),
			       "/v2/catalog/gpus?include=AVAILABILITY&product=POD&count=%u&cloud=%s",
			       (unsigned)question->count, runpod_cloud_name(question->cloud));
		break;
	case ASK_CPUS:
		request.what = "ListCpuTypes";
		(void)snprintf(path, sizeof(path),
			       "/v2/catalog/cpus?include=AVAILABILITY&product=POD&vcpuCount=%u",
			       (unsigned)question->count);
		break;
	default:
		request.what = "ListDataCenters";
		(void)snprintf(path, sizeof(path),
			       "/v2/catalog/datacenters?include=GPU_AVAILABILITY,CPU_AVAILABILITY");
		break;
	}
	ret = runpod_send(survey->runpod, survey->call, &request, &question->reply, err);
	if (ret == SOUK_OK)
		souk_call_progress(survey->call, "lists", atomic_fetch_add(&survey->done, 1) + 1,
				   survey->n);
	return ret;
}

/* Ask what has not been asked yet. A list that lacks a part would pass for the whole, so that one
 * question without an answer is the end of all. */
static int ask_all(struct survey *survey, uint32_t first, struct souk_error *err)
{
	uint32_t i;

	survey->first = first;
	if (!souk_call_parallel(survey->call, survey->n - first, WIDTH, ask, survey,
				survey->errors + first))
		return SOUK_OK;
	/* Not the cancelled ones, if there is one that says why. */
	for (i = first; i < survey->n; i++)
		if (survey->errors[i].code && survey->errors[i].code != SOUK_E_CANCELLED)
			return souk_error_copy(&survey->errors[i], err);
	return souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
}

/* The first cloud of which offers are wanted. */
static enum runpod_cloud first_cloud(const struct runpod *runpod)
{
	return runpod->clouds & (1u << RUNPOD_SECURE) ? RUNPOD_SECURE : RUNPOD_COMMUNITY;
}

/* By the first answers, which further ones are to be asked for. */
static int plan_rest(struct survey *survey, struct souk_error *err)
{
	enum runpod_cloud first = first_cloud(survey->runpod);
	enum runpod_cloud cloud;
	uint32_t most, count;
	int ret;

	for (cloud = RUNPOD_SECURE; cloud < RUNPOD_CLOUDS; cloud++) {
		if (!(survey->runpod->clouds & (1u << cloud)))
			continue;
		ret = runpod_most_gpus(survey->list[0].reply, cloud, &most, err);
		if (ret < 0)
			return ret;
		for (count = cloud == first ? 2 : 1; count <= most; count++)
			add_question(survey, ASK_GPUS, cloud, count);
	}
	if (survey->list[2].kind != ASK_CPUS || survey->n < 3)
		return SOUK_OK;
	ret = runpod_most_vcpus(survey->list[2].reply, &most, err);
	for (count = 4; ret == SOUK_OK && count <= most; count *= 2)
		add_question(survey, ASK_CPUS, RUNPOD_SECURE, count);
	return ret;
}

static int add_offer(const struct runpod_row *row, struct souk_offer_list *out,
		     struct souk_error *err)
{
	struct souk_offer offer = {
		SOUK_OFFER_HEAD,
		.instance_type = row->type,
		.region = row->region,
		.zone = row->zone[0] ? row->zone : NULL,
		.accelerator = row->accelerator[0] ? row->accelerator : NULL,
		.accelerator_milli = row->accelerator_milli,
		.accelerator_memory_mib = row->accelerator_memory_mib,
		.vcpus_milli = row->vcpus_milli,
		.memory_mib = row->memory_mib,
		.micros_per_hour = row->micros,
		.spot_micros_per_hour = -1,
		.currency = "USD",
	};

	/* How many there are is not told, only whether there are any. */
	if (!row->is_available)
		offer.available = 0;
	return souk_offer_list_add(out, &offer, err);
}

static int collect(struct survey *survey, struct souk_offer_list *out, struct souk_error *err)
{
	struct json_object *centers = survey->list[1].reply;
	struct runpod_rows rows = { 0 };
	uint32_t i;
	size_t k;
	int ret = SOUK_OK;

	for (i = 0; i < survey->n && ret == SOUK_OK; i++) {
		const struct question *question = &survey->list[i];

		if (question->kind == ASK_GPUS)
			ret = runpod_rows_gpus(&rows, survey->call, question->reply, centers,
					       question->cloud, question->count, err);
		else if (question->kind == ASK_CPUS)
			ret = runpod_rows_cpus(&rows, survey->call, question->reply, centers,
					       question->count, err);
	}
	if (ret == SOUK_OK)
		runpod_rows_settle(&rows, survey->call);
	for (k = 0; k < rows.n && ret == SOUK_OK; k++)
		ret = add_offer(&rows.list[k], out, err);
	runpod_rows_fini(&rows);
	return ret;
}

int runpod_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		       struct souk_error *err)
{
	struct survey *survey = calloc(1, sizeof(*survey));
	struct runpod *runpod = self;
	uint32_t asked, i;
	int ret;

	if (!survey)
		return runpod_nomem(err);
	survey->runpod = runpod;
	survey->call = call;
	atomic_init(&survey->done, 0);
	for (i = 0; i < MAX_QUESTIONS; i++)
		survey->errors[i].struct_size = sizeof(survey->errors[i]);
	add_question(survey, ASK_GPUS, first_cloud(runpod), 1);
	add_question(survey, ASK_CENTERS, RUNPOD_SECURE, 0);
	if (runpod->clouds & (1u << RUNPOD_SECURE))
		add_question(survey, ASK_CPUS, RUNPOD_SECURE, 2);
	ret = ask_all(survey, 0, err);
	asked = survey->n;
	if (ret == SOUK_OK)
		ret = plan_rest(survey, err);
	if (ret == SOUK_OK && survey->n > asked)
		ret = ask_all(survey, asked, err);
	if (ret == SOUK_OK)
		ret = collect(survey, out, err);
	for (i = 0; i < survey->n; i++)
		json_object_put(survey->list[i].reply);
	free(survey);
	return ret;
}
