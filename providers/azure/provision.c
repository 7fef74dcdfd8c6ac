/* SPDX-License-Identifier: Apache-2.0 */
/* provision.c - make machines, once for each token: a group of their own, then a PUT each */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "credentials.h"
#include "json-read.h"
#include "machines.h"

enum {
	MAX_MACHINES = 500,
	MAX_CUSTOM_DATA = 65535, /* Azure's limit, before base64 */
	MAX_BODY = 256 * 1024,
	MAX_LABELS = 40,	 /* of 50 tags; the others are ours */
	MAX_TAG_KEY = 511,
	MAX_TAG_VALUE = 256,
	WIDTH = 8,
	LOOK_FIRST_MS = 125,	 /* for a failure that comes right after a machine was accepted */
	LOOK_MS = 4000,
	LOOKS_MS = 20000
};

/* All that a launch takes. */
struct order {
	const struct azure_client *client;
	const struct souk_instance_spec *spec;
	char subscription[AZURE_ID_SIZE];
	char group[AZURE_GROUP_SIZE];
	char user[64];
	char doing[160];
	struct souk_buf image;	     /* an imageReference */
	struct souk_buf custom_data; /* base64 */
	struct souk_buf tags;
};

static void order_fini(struct order *order)
{
	souk_buf_fini(&order->image);
	souk_buf_fini(&order->tags);
	if (order->custom_data.size)
		explicit_bzero(order->custom_data.data, order->custom_data.len);
	souk_buf_fini(&order->custom_data);
}

/* ---- Checking the spec ----------------------------------------------------------------------- */

static int bad_part(struct souk_error *err, int scope, const char *what, const char *value)
{
	souk_error_set(err, SOUK_E_INVALID, "%s: '%.100s'", what, value ? value : "");
	return souk_error_scope(err, scope);
}

static int bad_spec(struct souk_error *err, const char *what, const char *value)
{
	return bad_part(err, SOUK_SCOPE_PROVIDER, what, value);
}

static int is_word(const char *text, size_t max)
{
	size_t i;

	for (i = 0; text && text[i]; i++)
		if (i >= max || !(islower((unsigned char)text[i]) ||
				  isdigit((unsigned char)text[i]) || text[i] == '-'))
			return 0;
	return text && i > 0;
}

static int check_labels(const struct souk_instance_spec *spec, struct souk_error *err)
{
	static const char *const reserved[] = { "souk-", "microsoft", "azure", "windows" };
	uint32_t i;
	size_t k;

	if (spec->n_labels > MAX_LABELS)
		return souk_error_set(err, SOUK_E_INVALID, "more than %d labels", MAX_LABELS);
	for (i = 0; i < spec->n_labels; i++) {
		const struct souk_label *label = &spec->labels[i];

		if (!label->key || !*label->key || strlen(label->key) > MAX_TAG_KEY ||
		    strpbrk(label->key, "<>%&\\?/"))
			return bad_spec(err, "not a name for a label on Azure", label->key);
		for (k = 0; k < AZURE_ARRAY_SIZE(reserved); k++)
			if (strncasecmp(label->key, reserved[k], strlen(reserved[k])) == 0)
				return bad_spec(err, "not a name for a label on Azure", label->key);
		if (label->value && strlen(label->value) > MAX_TAG_VALUE)
			return bad_spec(err, "label too long for Azure", label->key);
	}
	return SOUK_OK;
}

static int check_spec(const struct souk_instance_spec *spec, struct souk_error *err)
{
	if (!spec->region || !azure_is_place(spec->region))
		return bad_part(err, SOUK_SCOPE_REGION, "not a region", spec->region);
	if (spec->zone && !azure_is_place(spec->zone))
		return bad_part(err, SOUK_SCOPE_ZONE, "not a zone", spec->zone);
	if (!spec->instance_type || !azure_is_size(spec->instance_type))
		return bad_part(err, SOUK_SCOPE_OFFER, "not a size", spec->instance_type);
	if (!is_word(spec->request_token, 40))
		return bad_spec(err, "not a request token", spec->request_token);
	if (!is_word(spec->cluster, 40))
		return bad_spec(err, "not a cluster name", spec->cluster);
	if (spec->owner && strlen(spec->owner) > MAX_TAG_VALUE)
		return bad_spec(err, "owner too long", spec->owner);
	if (spec->count < 1 || spec->count > MAX_MACHINES)
		return souk_error_set(err, SOUK_E_INVALID, "cannot start %u machines: 1 to %d",
				      spec->count, MAX_MACHINES);
	return check_labels(spec, err);
}

/* ---- The request ----------------------------------------------------------------------------- */

static int prepare(struct order *order, struct souk_error *err)
{
	AZURE_AUTO_BUF struct souk_buf text = { 0 };
	int ret;

	souk_buf_init(&order->image, 4096);
	souk_buf_init(&order->tags, MAX_BODY);
	souk_buf_init(&order->custom_data, 2 * MAX_CUSTOM_DATA);
	ret = azure_image_choose(order->client, order->spec, &order->image, order->user, err);
	if (ret < 0)
		return ret;
	azure_tags_body(order->spec, order->user, &order->tags);
	souk_buf_init(&text, MAX_CUSTOM_DATA);
	ret = souk_spec_cloud_config(order->spec, order->user, &text, err);
	if (ret == SOUK_OK) {
		souk_buf_base64(&order->custom_data, text.data, text.len);
		ret = souk_buf_failed(&order->custom_data, err);
	}
	if (text.size)
		explicit_bzero(text.data, text.len);
	return ret < 0 ? ret : souk_buf_failed(&order->tags, err);
}

static const char *disk_kind(const struct souk_instance_spec *spec)
{
	const char *tier = spec->disk_tier;

	return tier && (strcmp(tier, "high") == 0 || strcmp(tier, "ultra") == 0 ||
			strcmp(tier, "best") == 0) ? "Premium_LRS" : "StandardSSD_LRS";
}

static void add_disk(const struct order *order, struct souk_buf *body)
{
	char size[48] = "";

	if (order->spec->disk_size_mib)
		snprintf(size, sizeof(size), "\"diskSizeGB\":%llu,",
			 (unsigned long long)((order->spec->disk_size_mib + 1023) / 1024));
	azure_body(body, "'storageProfile':{'imageReference':#,'osDisk':{"
			 "'createOption':'FromImage',#'deleteOption':'Delete',"
			 "'managedDisk':{'storageAccountType':$}}},",
		   order->image.data, size, disk_kind(order->spec));
}

static void add_login(const struct order *order, const char *name, struct souk_buf *body)
{
	char path[128];

	snprintf(path, sizeof(path), "/home/%s/.ssh/authorized_keys", order->user);
	azure_body(body, "'osProfile':{'computerName':$,'adminUsername':$,'customData':$,"
			 "'linuxConfiguration':{'disablePasswordAuthentication':true,'ssh':"
			 "{'publicKeys':[{'path':$,'keyData':$}]}}},",
		   name, order->user, order->custom_data.data, path, order->spec->ssh_public_key);
}

static void add_network(const struct order *order, struct souk_buf *body)
{
	const char *internal = azure_option(order->client->call, "use_internal_ips");
	char subnet[AZURE_PATH_SIZE];

	snprintf(subnet, sizeof(subnet), "/subscriptions/%s/resourceGroups/%s/providers/"
		 "Microsoft.Network/virtualNetworks/souk/subnets/default", order->subscription,
		 order->group);
	azure_body(body, "'networkProfile':{'networkApiVersion':'2020-11-01',"
			 "'networkInterfaceConfigurations':[{'name':'souk','properties':{"
			 "'primary':true,'deleteOption':'Delete','ipConfigurations':[{"
			 "'name':'souk','properties':{'primary':true,'subnet':{'id':$}", subnet);
	if (!internal || strcmp(internal, "true") != 0)
		azure_body(body, ",'publicIPAddressConfiguration':{'name':'souk','sku':{'name':"
				 "'Standard'},'properties':{'deleteOption':'Delete',"
				 "'publicIPAllocationMethod':'Static'}}");
	souk_buf_str(body, "}}]}}]}");
}

static void add_market(const struct souk_instance_spec *spec, struct souk_buf *body)
{
	char price[40] = "-1";

	if (!spec->spot)
		return;
	if (spec->max_micros_per_hour > 0)
		snprintf(price, sizeof(price), "%" PRId64 ".%06" PRId64,
			 spec->max_micros_per_hour / 1000000, spec->max_micros_per_hour % 1000000);
	azure_body(body, ",'priority':'Spot','evictionPolicy':$,'billingProfile':{'maxPrice':#}",
		   spec->on_shutdown == SOUK_ON_SHUTDOWN_STOP ? "Deallocate" : "Delete", price);
}

static int write_machine(const struct order *order, const char *name, struct souk_buf *body,
			 struct souk_error *err)
{
	const struct souk_instance_spec *spec = order->spec;

	souk_buf_init(body, MAX_BODY);
	azure_body(body, "{'location':$,'tags':#,", spec->region, order->tags.data);
	if (spec->zone)
		azure_body(body, "'zones':[$],", spec->zone);
	azure_body(body, "'properties':{'hardwareProfile':{'vmSize':$},", spec->instance_type);
	add_disk(order, body);
	add_login(order, name, body);
	add_network(order, body);
	add_market(spec, body);
	souk_buf_str(body, "}}");
	return souk_buf_failed(body, err);
}

/* ---- Sending it ------------------------------------------------------------------------------ */

static void name_machine(const struct order *order, uint32_t i, struct azure_id *out)
{
	snprintf(out->subscription, sizeof(out->subscription), "%s", order->subscription);
	snprintf(out->group, sizeof(out->group), "%s", order->group);
	snprintf(out->vm, sizeof(out->vm), "%s-%u", order->spec->cluster, i);
}

static int put_machine(void *arg, uint32_t i, struct souk_error *err)
{
	const struct order *order = arg;
	AZURE_AUTO_BUF struct souk_buf body = { 0 };
	AZURE_AUTO_REPLY struct souk_http_reply *reply = NULL;
	char path[AZURE_PATH_SIZE], inside[AZURE_VM_SIZE + 64];
	struct azure_request request = {
		.what = "VirtualMachines_CreateOrUpdate", .doing = order->doing,
		.host = AZURE_HOST_MANAGEMENT, .method = "PUT", .path = path,
		/* One that is there, by this token's name, was made by an earlier call. */
		.header = "If-None-Match: *",
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_MUTATES | SOUK_HTTP_SECRET_BODY,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct azure_fault fault = { 0 };
	struct azure_id id;
	int ret;

	name_machine(order, i, &id);
	ret = write_machine(order, id.vm, &body, err);
	if (ret < 0)
		return ret;
	snprintf(inside, sizeof(inside), "/providers/Microsoft.Compute/virtualMachines/%s", id.vm);
	ret = azure_group_path(id.subscription, id.group, inside, AZURE_COMPUTE_VERSION, path, err);
	if (ret < 0)
		return ret;
	request.body = body.data;
	ret = azure_send(order->client, &request, &reply, &fault, &why);
	explicit_bzero(body.data, body.len);
	if (ret == SOUK_OK || fault.status == 412)
		return SOUK_OK;
	/* It may have been heard all the same. */
	if (ret == SOUK_E_TRANSIENT && fault.status >= 500)
		why.code = SOUK_E_TIMEOUT;
	return souk_error_copy(&why, err);
}

/* The worst of several failures: one that may have taken effect, else the first. */
static int judge(const struct souk_error *errors, uint32_t n, struct souk_error *err)
{
	const struct souk_error *worst = NULL;
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (errors[i].code == SOUK_OK)
			continue;
		if (errors[i].code == SOUK_E_CANCELLED || errors[i].code == SOUK_E_TIMEOUT)
			return souk_error_copy(&errors[i], err);
		if (!worst)
			worst = &errors[i];
	}
	return worst ? souk_error_copy(worst, err) : SOUK_OK;
}

static int put_machines(struct order *order, struct souk_error *err)
{
	uint32_t n = order->spec->count;
	struct souk_error *errors = calloc(n, sizeof(*errors));
	int ret;

	if (!errors)
		return azure_nomem(err);
	souk_call_parallel(order->client->call, n, WIDTH, put_machine, order, errors);
	ret = judge(errors, n, err);
	free(errors);
	return ret;
}

/* ---- What comes right after ------------------------------------------------------------------ */

/* 1 if the machine is still being made, 0 if it is made, or why it cannot be. */
static int look(const struct order *order, uint32_t i, struct souk_error *err)
{
	struct json_object *vm = NULL;
	struct azure_fault fault = { 0 };
	struct azure_id id;
	int status, ret;

	name_machine(order, i, &id);
	ret = azure_vm_get(order->client, &id, &vm, err);
	if (ret < 0 || !vm)
		return ret < 0 ? ret : 1;
	status = azure_vm_status(vm, fault.code, sizeof(fault.code), fault.message,
				 sizeof(fault.message));
	json_object_put(vm);
	if (status == SOUK_INSTANCE_FAILED)
		return azure_fault_error(&fault, order->doing, err);
	return status == SOUK_INSTANCE_PENDING;
}

/*
 * A size that is sold out is accepted first and fails a little later: known here, that is
 * evidence of capacity, and the machine is given back before anybody waits for it.
 */
static int watch(const struct order *order, struct souk_error *err)
{
	uint32_t pause_ms = LOOK_FIRST_MS;
	uint32_t spent_ms;
	uint32_t i;

	for (spent_ms = 0; spent_ms < LOOKS_MS; spent_ms += pause_ms / 2) {
		uint32_t pending = 0;

		for (i = 0; i < order->spec->count; i++) {
			struct souk_error why = SOUK_ERROR_INIT;
			int ret = look(order, i, &why);

			if (ret == SOUK_E_TRANSIENT || ret == SOUK_E_RATE_LIMIT)
				return SOUK_OK; /* it is accepted; describe will tell */
			if (ret < 0)
				return souk_error_copy(&why, err);
			pending += (uint32_t)ret;
		}
		if (!pending || souk_call_deadline_ms(order->client->call) < 2 * LOOK_MS)
			return SOUK_OK;
		if (souk_call_sleep(order->client->call, pause_ms, err) < 0)
			return err && err->code == SOUK_E_TIMEOUT ? SOUK_E_TIMEOUT :
								    SOUK_E_CANCELLED;
		pause_ms = pause_ms < LOOK_MS ? 2 * pause_ms : LOOK_MS;
	}
	return SOUK_OK;
}

/* ---- The op ---------------------------------------------------------------------------------- */

static int add_machines(const struct order *order, struct souk_instance_list *out,
			struct souk_error *err)
{
	struct json_object *vms = NULL;
	size_t i;
	int ret;

	ret = azure_group_vms(order->client, order->subscription, order->group, &vms, err);
	for (i = 0; ret == SOUK_OK && i < json_object_array_length(vms); i++)
		ret = azure_vm_add(order->client, json_object_array_get_idx(vms, i), NULL, out,
				   err);
	json_object_put(vms);
	return ret;
}

/* Whatever failed for certain leaves nothing behind; what cannot be undone is told of. */
static void clean_up(const struct order *order, int ret, struct souk_instance_list *out)
{
	struct souk_error why = SOUK_ERROR_INIT;

	if (ret == SOUK_OK || ret == SOUK_E_TIMEOUT || ret == SOUK_E_CANCELLED || !order->group[0])
		return;
	if (azure_group_delete(order->client, order->subscription, order->group, &why) == SOUK_OK)
		return;
	souk_call_log(order->client->call, SOUK_LOG_INFO, "resource group '%s' is left: %s",
		      order->group, why.message);
	(void)add_machines(order, out, NULL);
}

static int make(struct order *order, struct souk_instance_list *out, struct souk_error *err)
{
	int ret = prepare(order, err);

	if (ret == SOUK_OK)
		ret = azure_group_name(order->spec->cluster, order->spec->request_token,
				       order->group, err);
	if (ret == SOUK_OK)
		ret = azure_network_ensure(order->client, order->subscription, order->group,
					   order->spec, err);
	if (ret == SOUK_OK)
		ret = put_machines(order, err);
	if (ret == SOUK_OK)
		ret = watch(order, err);
	if (ret == SOUK_OK) {
		/* They are made: not to see them now is no failure that may end them. */
		ret = add_machines(order, out, err);
		if (ret < 0 && ret != SOUK_E_CANCELLED) {
			ret = SOUK_E_TIMEOUT;
			if (err)
				err->code = SOUK_E_TIMEOUT;
		}
	}
	return ret;
}

int azure_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		    struct souk_instance_list *out, struct souk_error *err)
{
	const struct azure_client client = { self, call };
	struct order order = { .client = &client, .spec = spec };
	int ret;

	ret = check_spec(spec, err);
	if (ret == SOUK_OK)
		ret = azure_subscription(&client, order.subscription, err);
	if (ret < 0)
		return ret;
	snprintf(order.doing, sizeof(order.doing), "start %.64s in '%.48s%s%.8s'",
		 spec->instance_type, spec->region, spec->zone ? "/" : "",
		 spec->zone ? spec->zone : "");
	ret = make(&order, out, err);
	clean_up(&order, ret, out);
	order_fini(&order);
	return ret;
}
