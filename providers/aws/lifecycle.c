/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle.c - end, stop and start machines, and change who reaches them */

#include <stdio.h>
#include <string.h>

#include "instances.h"
#include "query.h"

enum { MAX_IDS = 100, MAX_GROUPS = 32 };

/* ---- One action on many machines ------------------------------------------------------------ */

static int act_once(const struct aws_client *client, const struct aws_operation *operation,
		    const struct souk_instance_ref *refs, uint32_t n, struct aws_fault *fault,
		    struct souk_error *err)
{
	struct aws_query query;
	struct aws_xml xml = { 0 };
	uint32_t i;
	int ret;

	aws_query_init(&query, operation);
	for (i = 0; i < n; i++)
		aws_query_addf(&query, refs[i].id, "InstanceId.%u", i + 1);
	ret = aws_query_send(client, operation, &query, &xml, fault, err);
	aws_query_fini(&query);
	aws_xml_fini(&xml);
	return ret;
}

static int is_unknown(const struct aws_fault *fault)
{
	return aws_fault_is(fault, "InvalidInstanceID.NotFound") ||
	       aws_fault_is(fault, "InvalidInstanceID.Malformed");
}

/*
 * EC2 refuses the whole request for one id that it does not know, so that they are then named
 * one by one. 'gone_is_fine': an unknown one is no failure.
 */
static int act(const struct aws_client *client, const struct aws_operation *operation,
	       const struct souk_instance_ref *refs, uint32_t n, int gone_is_fine,
	       struct souk_error *err)
{
	struct souk_error first = SOUK_ERROR_INIT;
	uint32_t at, i;

	for (at = 0; at < n; at += MAX_IDS) {
		uint32_t some = n - at < MAX_IDS ? n - at : MAX_IDS;
		struct souk_error why = SOUK_ERROR_INIT;
		struct aws_fault fault;

		if (act_once(client, operation, refs + at, some, &fault, &why) == SOUK_OK)
			continue;
		if (!is_unknown(&fault)) {
			if (first.code == SOUK_OK)
				first = why;
			continue;
		}
		for (i = at; i < at + some; i++) {
			why = (struct souk_error)SOUK_ERROR_INIT;
			if (act_once(client, operation, refs + i, 1, &fault, &why) == SOUK_OK ||
			    (gone_is_fine && is_unknown(&fault)))
				continue;
			if (first.code == SOUK_OK)
				first = why;
		}
	}
	return first.code == SOUK_OK ? SOUK_OK : souk_error_copy(&first, err);
}

/* ---- Security groups of machines --------------------------------------------------------------
 */

/* Groups that are found at machines, each once. */
struct groups {
	char ids[MAX_GROUPS][AWS_ID_SIZE];
	size_t n;
	int placed;	     /* there may be placement groups */
	int placements_left; /* so many are in use */
};

static void add_group(struct groups *groups, const char *id)
{
	size_t i;

	for (i = 0; i < groups->n; i++)
		if (strcmp(groups->ids[i], id) == 0)
			return;
	if (groups->n < MAX_GROUPS)
		snprintf(groups->ids[groups->n++], AWS_ID_SIZE, "%s", id);
}

static void add_group_set(struct groups *groups, const xmlNode *holder)
{
	const xmlNode *group = aws_xml_first_item(aws_xml_child(holder, "groupSet"));

	for (; group; group = aws_xml_next_item(group)) {
		const char *id = aws_xml_text(group, "groupId");

		if (id)
			add_group(groups, id);
	}
}

static int take_groups(void *arg, const xmlNode *item, struct souk_error *err)
{
	struct groups *groups = arg;
	const xmlNode *interface =
		aws_xml_first_item(aws_xml_child(item, "networkInterfaceSet"));

	(void)err;
	add_group_set(groups, item);
	for (; interface; interface = aws_xml_next_item(interface))
		add_group_set(groups, interface);
	return SOUK_OK;
}

/*
 * The groups of a cluster that carry a tag; of its placement groups, which nobody else is in, those
 * that no machine is in are deleted. A security group outlives them, as it is what tells of them.
 * In one that is not ours nothing does.
 */
static int gather(const struct aws_client *client, const char *cluster, const char *tag,
		  const char *value, struct groups *out, struct souk_error *err)
{
	const char *given = souk_call_option(client->call, "security_group");
	char found[MAX_GROUPS][AWS_ID_SIZE];
	struct souk_error why = SOUK_ERROR_INIT;
	int placed = out->placed || (given && *given);
	int n, k, left;

	n = aws_groups_of(client, cluster, tag, value, found, MAX_GROUPS, &placed, err);
	for (k = 0; k < n; k++)
		add_group(out, found[k]);
	if (n < 0 || !placed)
		return n < 0 ? n : SOUK_OK;
	left = aws_placements_delete(client, cluster, tag, value, &why);
	if (left > 0)
		out->placements_left += left;
	/* Who may not look for them has not been allowed to make them. */
	if (left == SOUK_E_AUTH)
		souk_call_log(client->call, SOUK_LOG_INFO, "%s", why.message);
	return left < 0 && left != SOUK_E_AUTH ? souk_error_copy(&why, err) : SOUK_OK;
}

/*
 * The groups that a cluster's teardown is to delete: those that carry its name and either the
 * token of one of its machines, or their owner. A terminated machine may no longer say what
 * its group was.
 */
static int cluster_groups(const struct aws_client *client, const struct souk_instance_ref *refs,
			  uint32_t n, const char *owner, struct groups *out, struct souk_error *err)
{
	uint32_t i;
	int ret = SOUK_OK;

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		if (!refs[i].cluster || !refs[i].request_token ||
		    (i && refs[i - 1].request_token &&
		     strcmp(refs[i].request_token, refs[i - 1].request_token) == 0))
			continue;
		ret = gather(client, refs[i].cluster, AWS_TAG_TOKEN, refs[i].request_token, out, err);
	}
	if (ret == SOUK_OK && n && refs[0].cluster && owner[0])
		ret = gather(client, refs[0].cluster, AWS_TAG_OWNER, owner, out, err);
	return ret;
}

/* What is to be ended: refs without those that are known to have ended. */
struct ending {
	struct souk_instance_ref *refs;
	uint32_t n;
	int placed; /* some are in a placement group of ours */
	char owner[256];
};

/*
 * As long as a machine is on its way out, its groups are in use and stay; teardown is called
 * again. A group that cannot be deleted costs nothing and must not keep a machine's teardown
 * from being told as done.
 */
static int delete_groups(const struct aws_client *client, const struct souk_instance_ref *refs,
			 uint32_t n, const struct ending *ending, struct souk_error *err)
{
	AWS_AUTO_FREE struct groups *ours = calloc(1, sizeof(*ours));
	size_t i;
	int ret;

	if (!ours)
		return aws_nomem(err);
	ours->placed = ending->placed;
	ret = cluster_groups(client, refs, n, ending->owner, ours, err);
	for (i = 0; ret == SOUK_OK && !ours->placements_left && i < ours->n; i++) {
		struct souk_error why = SOUK_ERROR_INIT;

		if (aws_group_delete(client, ours->ids[i], &why) < 0)
			souk_call_log(client->call, SOUK_LOG_DEBUG,
				      "security group '%s' stays for now: %s", ours->ids[i],
				      why.message);
	}
	return ret;
}

static int drop_ended(void *arg, const xmlNode *item, struct souk_error *err)
{
	struct ending *ending = arg;
	const char *id = aws_xml_text(item, "instanceId");
	const char *owner = aws_xml_tag(item, AWS_TAG_OWNER);
	uint32_t i;

	(void)err;
	ending->placed |= aws_placement_is_own(aws_xml_text(item, "placement/groupName"));
	if (owner && !ending->owner[0])
		snprintf(ending->owner, sizeof(ending->owner), "%s", owner);
	if (!id || aws_instance_status(aws_xml_u64(item, "instanceState/code", 0)) !=
			   SOUK_INSTANCE_TERMINATED)
		return SOUK_OK;
	for (i = 0; i < ending->n; i++)
		if (strcmp(ending->refs[i].id, id) == 0)
			ending->refs[i--] = ending->refs[--ending->n];
	return SOUK_OK;
}

/* ---- The ops ----------------------------------------------------------------------------------
 */

int aws_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		 uint32_t n, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "TerminateInstances", .doing = "end the machines",
		.flags = AWS_WRITE_AGAIN,
	};
	struct aws_client client = { self, call, n ? refs[0].region : NULL };
	struct ending ending = { .n = n };
	int ret;

	if (!n)
		return SOUK_OK;
	ending.refs = calloc(n, sizeof(*ending.refs));
	if (!ending.refs)
		return aws_nomem(err);
	memcpy(ending.refs, refs, n * sizeof(*refs));
	ret = aws_instances_each(&client, refs, n, drop_ended, &ending, err);
	/* Those that EC2 does not show may be too new to be shown: they are ended too. */
	if (ret == SOUK_OK)
		ret = act(&client, &operation, ending.refs, ending.n, 1, err);
	if (ret == SOUK_OK)
		ret = delete_groups(&client, refs, n, &ending, err);
	free(ending.refs);
	return ret;
}

int aws_stop(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	     struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "StopInstances", .doing = "stop the machines", .flags = AWS_WRITE_AGAIN,
	};
	struct aws_client client = { self, call, n ? refs[0].region : NULL };

	return n ? act(&client, &operation, refs, n, 0, err) : SOUK_OK;
}

int aws_start(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	      struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "StartInstances", .doing = "start the machines again",
		.flags = AWS_WRITE_AGAIN,
	};
	struct aws_client client = { self, call, n ? refs[0].region : NULL };
	struct souk_error why = SOUK_ERROR_INIT;
	struct groups *groups;
	int ret;

	if (!n)
		return SOUK_OK;
	ret = act(&client, &operation, refs, n, 0, err);
	if (ret < 0)
		return ret;
	/* Whoever starts them may be elsewhere than whoever made them. */
	groups = calloc(1, sizeof(*groups));
	if (!groups)
		return aws_nomem(err);
	ret = aws_instances_each(&client, refs, n, take_groups, groups, &why);
	if (ret == SOUK_OK)
		ret = aws_groups_admit_caller(&client, groups->ids, groups->n, &why);
	free(groups);
	if (ret < 0)
		souk_call_log(call, SOUK_LOG_WARNING, "SSH may not be admitted from here: %s",
			      why.message);
	return SOUK_OK;
}

int aws_open_ports(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, const struct souk_port_range *ports, uint32_t n_ports,
		   struct souk_error *err)
{
	struct aws_client client = { self, call, n ? refs[0].region : NULL };
	struct groups *groups;
	int ret;

	if (!n || !n_ports)
		return SOUK_OK;
	groups = calloc(1, sizeof(*groups));
	if (!groups)
		return aws_nomem(err);
	ret = aws_instances_each(&client, refs, n, take_groups, groups, err);
	if (ret == SOUK_OK)
		ret = aws_groups_open(&client, groups->ids, groups->n, ports, n_ports, err);
	free(groups);
	return ret;
}

int aws_set_on_shutdown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			uint32_t n, uint32_t on_shutdown, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "ModifyInstanceAttribute", .doing = "set what a shutdown does",
		.flags = AWS_WRITE_AGAIN,
	};
	struct aws_client client = { self, call, n ? refs[0].region : NULL };
	uint32_t i;
	int ret = SOUK_OK;

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		struct aws_query query;
		struct aws_xml xml = { 0 };

		aws_query_init(&query, &operation);
		aws_query_add(&query, "InstanceId", refs[i].id);
		aws_query_add(&query, "Attribute", "instanceInitiatedShutdownBehavior");
		aws_query_add(&query, "Value",
			      on_shutdown == SOUK_ON_SHUTDOWN_STOP ? "stop" : "terminate");
		ret = aws_query_send(&client, &operation, &query, &xml, NULL, err);
		aws_query_fini(&query);
		aws_xml_fini(&xml);
	}
	return ret;
}

int aws_sweep(void *self, struct souk_call *call, const struct souk_instance_filter *filter,
	      struct souk_error *err)
{
	struct aws_client client = { self, call, filter->region };
	AWS_AUTO_FREE struct groups *ours = calloc(1, sizeof(*ours));
	size_t i;
	int ret;

	if (!ours)
		return aws_nomem(err);
	if (!filter->region || !filter->cluster || !filter->owner)
		return souk_error_set(err, SOUK_E_INVALID,
				      "sweep: needs a cluster, an owner and a region");
	ret = gather(&client, filter->cluster, AWS_TAG_OWNER, filter->owner, ours, err);
	if (ret < 0)
		return ret;
	for (i = 0; !ours->placements_left && i < ours->n; i++) {
		struct souk_error why = SOUK_ERROR_INIT;

		ret = aws_group_delete(&client, ours->ids[i], &why);
		if (ret == SOUK_E_CONFLICT)
			souk_call_log(call, SOUK_LOG_DEBUG, "security group '%s' stays: %s",
				      ours->ids[i], why.message);
		else if (ret < 0)
			return souk_error_copy(&why, err);
	}
	return SOUK_OK;
}
