/* SPDX-License-Identifier: Apache-2.0 */
/* task-data.c - tasks and requests as data: free, copy, compare */
#include "model/task-internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

void souk_accelerator_fini(struct souk_accelerator *accelerator)
{
	if (!accelerator)
		return;
	free(accelerator->name);
	free(accelerator->maker);
	memset(accelerator, 0, sizeof(*accelerator));
}

void souk_request_fini(struct souk_request *request)
{
	if (!request)
		return;
	free(request->provider);
	free(request->region);
	free(request->zone);
	free(request->instance_type);
	souk_accelerator_fini(&request->accelerator);
	souk_pairs_fini(&request->accelerator_args);
	free(request->disk_tier);
	free(request->network_tier);
	free(request->ports);
	souk_pairs_fini(&request->labels);
	free(request->image);
	souk_pairs_fini(&request->images);
	free(request->recovery.strategy);
	free(request->recovery.exit_codes);
	free(request->priority_class);
	memset(request, 0, sizeof(*request));
}

/* A copy of n elements; NULL is none. -1 on no memory. */
static int copy_array(void *slot, const void *from, size_t n, size_t size)
{
	void *copy;

	*(void **)slot = NULL;
	if (n == 0)
		return 0;
	copy = calloc(n, size);
	if (!copy)
		return -1;
	memcpy(copy, from, n * size);
	*(void **)slot = copy;
	return 0;
}

/* The members that own memory; 'to' holds cleared ones. */
static int copy_owned(struct souk_request *to, const struct souk_request *from,
		      struct souk_error *err)
{
	if (souk_strset(&to->provider, from->provider) < 0 ||
	    souk_strset(&to->region, from->region) < 0 || souk_strset(&to->zone, from->zone) < 0 ||
	    souk_strset(&to->instance_type, from->instance_type) < 0 ||
	    souk_strset(&to->accelerator.name, from->accelerator.name) < 0 ||
	    souk_strset(&to->accelerator.maker, from->accelerator.maker) < 0 ||
	    souk_strset(&to->disk_tier, from->disk_tier) < 0 ||
	    souk_strset(&to->network_tier, from->network_tier) < 0 ||
	    souk_strset(&to->image, from->image) < 0 ||
	    souk_strset(&to->recovery.strategy, from->recovery.strategy) < 0 ||
	    souk_strset(&to->priority_class, from->priority_class) < 0 ||
	    copy_array(&to->ports, from->ports, from->n_ports, sizeof(*to->ports)) < 0 ||
	    copy_array(&to->recovery.exit_codes, from->recovery.exit_codes,
		       from->recovery.n_exit_codes, sizeof(*to->recovery.exit_codes)) < 0)
		return souk_error_nomem(err);
	if (souk_pairs_copy(&to->accelerator_args, &from->accelerator_args, err) < 0 ||
	    souk_pairs_copy(&to->labels, &from->labels, err) < 0 ||
	    souk_pairs_copy(&to->images, &from->images, err) < 0)
		return SOUK_E_NOMEM;
	return SOUK_OK;
}

static void clear_owned(struct souk_request *request)
{
	struct souk_pairs none = { NULL, 0 };

	request->provider = request->region = request->zone = request->instance_type = NULL;
	request->accelerator.name = request->accelerator.maker = NULL;
	request->disk_tier = request->network_tier = request->image = NULL;
	request->recovery.strategy = request->priority_class = NULL;
	request->ports = NULL;
	request->recovery.exit_codes = NULL;
	request->accelerator_args = request->labels = request->images = none;
}

int souk_request_copy(struct souk_request *to, const struct souk_request *from,
		      struct souk_error *err)
{
	int ret;

	*to = *from;
	clear_owned(to);
	ret = copy_owned(to, from, err);
	if (ret < 0)
		souk_request_fini(to);
	return ret;
}

static size_t pairs_size(const struct souk_pairs *pairs)
{
	size_t size = pairs->n * sizeof(*pairs->items), i;

	for (i = 0; i < pairs->n; i++)
		size += strlen(pairs->items[i].key) +
			(pairs->items[i].value ? strlen(pairs->items[i].value) : 0);
	return size;
}

/* About how much memory a copy takes: what can be long, and a lump for the rest. */
size_t souk_request_size(const struct souk_request *request)
{
	return sizeof(*request) + 1024 + pairs_size(&request->labels) +
	       pairs_size(&request->images) + pairs_size(&request->accelerator_args) +
	       request->n_ports * sizeof(*request->ports) +
	       (request->instance_type ? strlen(request->instance_type) : 0) +
	       (request->image ? strlen(request->image) : 0) +
	       (request->region ? strlen(request->region) : 0) +
	       (request->zone ? strlen(request->zone) : 0) +
	       (request->priority_class ? strlen(request->priority_class) : 0) +
	       (request->recovery.strategy ? strlen(request->recovery.strategy) : 0);
}

static int pairs_equal(const struct souk_pairs *a, const struct souk_pairs *b)
{
	size_t i;

	if (a->n != b->n)
		return 0;
	for (i = 0; i < a->n; i++) {
		const struct souk_pair *other = souk_pairs_find(b, a->items[i].key);

		if (!other || !souk_streq(a->items[i].value, other->value))
			return 0;
	}
	return 1;
}

static int amount_equal(struct souk_amount a, struct souk_amount b)
{
	return a.value == b.value && a.at_least == b.at_least;
}

static int accelerator_equal(const struct souk_accelerator *a, const struct souk_accelerator *b)
{
	return souk_streq(a->name, b->name) && a->milli == b->milli &&
	       souk_streq(a->maker, b->maker) && a->memory_mib == b->memory_mib &&
	       a->memory_at_least == b->memory_at_least;
}

static int disk_equal(const struct souk_request *a, const struct souk_request *b)
{
	return a->disk_size_gib == b->disk_size_gib && souk_streq(a->disk_tier, b->disk_tier) &&
	       a->local_disk.set == b->local_disk.set &&
	       a->local_disk.ssd_ok == b->local_disk.ssd_ok &&
	       a->local_disk.size_gib == b->local_disk.size_gib &&
	       a->local_disk.at_least == b->local_disk.at_least &&
	       a->ephemeral_storage_gib == b->ephemeral_storage_gib;
}

static int ports_equal(const struct souk_request *a, const struct souk_request *b)
{
	size_t i;

	if (a->n_ports != b->n_ports)
		return 0;
	for (i = 0; i < a->n_ports; i++) {
		if (a->ports[i].first != b->ports[i].first || a->ports[i].last != b->ports[i].last)
			return 0;
	}
	return 1;
}

/* Do both ask for the same machine? Place in the file, rank, and what all alternatives of a
 * task share (autostop, recovery, priority) do not matter. */
int souk_request_equal(const struct souk_request *a, const struct souk_request *b)
{
	return souk_streq(a->provider, b->provider) && souk_streq(a->region, b->region) &&
	       souk_streq(a->zone, b->zone) && souk_streq(a->instance_type, b->instance_type) &&
	       amount_equal(a->cpus, b->cpus) && amount_equal(a->memory, b->memory) &&
	       accelerator_equal(&a->accelerator, &b->accelerator) &&
	       pairs_equal(&a->accelerator_args, &b->accelerator_args) &&
	       a->use_spot == b->use_spot && disk_equal(a, b) &&
	       souk_streq(a->network_tier, b->network_tier) &&
	       a->max_hourly_micros == b->max_hourly_micros && ports_equal(a, b) &&
	       pairs_equal(&a->labels, &b->labels) && souk_streq(a->image, b->image) &&
	       pairs_equal(&a->images, &b->images);
}

static void mount_fini(struct souk_mount *mount)
{
	free(mount->target);
	free(mount->source);
	souk_strv_fini(&mount->sources);
	free(mount->name);
	free(mount->store);
	free(mount->mode);
	free(mount->type);
}

static void wipe_free(char *text)
{
	if (text)
		souk_wipe(text, strlen(text));
	free(text);
}

void souk_task_fini(struct souk_task *task)
{
	size_t i;

	if (!task)
		return;
	free(task->name);
	free(task->workdir);
	free(task->git.url);
	free(task->git.ref);
	free(task->setup);
	free(task->run);
	souk_pairs_fini(&task->envs);
	for (i = 0; i < task->n_secrets; i++) {
		free(task->secrets[i].name);
		wipe_free(task->secrets[i].value);
	}
	free(task->secrets);
	for (i = 0; i < task->n_mounts; i++)
		mount_fini(&task->mounts[i]);
	free(task->mounts);
	for (i = 0; i < task->n_volumes; i++) {
		free(task->volumes[i].target);
		free(task->volumes[i].name);
		free(task->volumes[i].sub_path);
	}
	free(task->volumes);
	free(task->event_callback);
	free(task->inputs_uri);
	free(task->outputs_uri);
	for (i = 0; i < task->n_requests; i++)
		souk_request_fini(&task->requests[i]);
	free(task->requests);
	for (i = 0; i < task->n_unsupported; i++) {
		free(task->unsupported[i].field);
		free(task->unsupported[i].needs);
	}
	free(task->unsupported);
	memset(task, 0, sizeof(*task));
}

void souk_dag_free(struct souk_dag *dag)
{
	size_t i;

	if (!dag)
		return;
	for (i = 0; i < dag->n_tasks; i++)
		souk_task_fini(&dag->tasks[i]);
	free(dag->tasks);
	free(dag->name);
	souk_strv_fini(&dag->primary_tasks);
	free(dag);
}
