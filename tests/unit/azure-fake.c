/* SPDX-License-Identifier: Apache-2.0 */
/* azure-fake.c - a small Resource Manager for unit tests: groups and machines with state */

#include "azure-fake.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_RESOURCES = 256, PATH_SIZE = 512 };

struct resource {
	char path[PATH_SIZE];	     /* lower case */
	struct json_object *object;  /* as it was PUT */
	char *body;
	char power[64];
	unsigned looks;		     /* until it is made */
};

static struct {
	struct resource items[MAX_RESOURCES];
	size_t n;
	struct azure_fake_fault fault;
	struct souk_buf reply;
	char body[65536];
	char complaint[1024];
} fake;

static void complain(const char *what, const char *path)
{
	if (!fake.complaint[0])
		snprintf(fake.complaint, sizeof(fake.complaint), "%s: %s", what, path);
}

static void drop(size_t i)
{
	json_object_put(fake.items[i].object);
	free(fake.items[i].body);
	fake.items[i] = fake.items[--fake.n];
}

void azure_fake_reset(void)
{
	while (fake.n)
		drop(0);
	souk_buf_fini(&fake.reply);
	memset(&fake, 0, sizeof(fake));
	souk_buf_init(&fake.reply, 1 << 20);
}

void azure_fake_fault(const struct azure_fake_fault *fault)
{
	fake.fault = *fault;
}

size_t azure_fake_count(const char *part)
{
	size_t n = 0, i;

	for (i = 0; i < fake.n; i++)
		n += strcasestr(fake.items[i].path, part) != NULL;
	return n;
}

static struct resource *find_part(const char *part)
{
	size_t i = fake.n;

	while (i-- > 0)
		if (strcasestr(fake.items[i].path, part))
			return &fake.items[i];
	return NULL;
}

const char *azure_fake_body(const char *part)
{
	const struct resource *found = find_part(part);

	snprintf(fake.body, sizeof(fake.body), "%s", found ? found->body : "");
	return fake.body;
}

void azure_fake_power(const char *part, const char *power)
{
	struct resource *found = find_part(part);

	if (found && strcmp(power, "Deleted") == 0)
		drop((size_t)(found - fake.items));
	else if (found)
		snprintf(found->power, sizeof(found->power), "%s", power);
}

const char *azure_fake_complaint(void)
{
	return fake.complaint;
}

/* ---- Answers --------------------------------------------------------------------------------- */

static struct resource *find(const char *path)
{
	size_t i;

	for (i = 0; i < fake.n; i++)
		if (strcmp(fake.items[i].path, path) == 0)
			return &fake.items[i];
	return NULL;
}

static int refuse(struct test_answer *answer, int status, const char *code, const char *message)
{
	souk_buf_reset(&fake.reply);
	souk_buf_printf(&fake.reply, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}", code,
			message ? message : "no");
	answer->status = status;
	answer->body = fake.reply.data;
	return 1;
}

static int is_vm(const char *path)
{
	const char *at = strstr(path, "/virtualmachines/");

	return at && !strchr(at + strlen("/virtualmachines/"), '/');
}

static int fault_holds(const char *path)
{
	size_t len = fake.fault.vm ? strlen(fake.fault.vm) : 0;
	size_t whole = strlen(path);

	return fake.fault.code && is_vm(path) &&
	       (!len || (whole >= len && strcmp(path + whole - len, fake.fault.vm) == 0));
}

/* The resource as Azure shows it, with what it adds to what it was told. */
static void show(const struct resource *resource, int with_view)
{
	struct json_object *copy = NULL;
	struct json_object *properties;
	int failed = fault_holds(resource->path) && !fake.fault.status;
	const char *state = resource->looks ? "Creating" : failed ? "Failed" : "Succeeded";
	char view[512];

	if (json_object_deep_copy(resource->object, &copy, NULL) < 0)
		abort();
	json_object_object_add(copy, "id", json_object_new_string(resource->path));
	json_object_object_add(copy, "name",
			       json_object_new_string(strrchr(resource->path, '/') + 1));
	if (!json_object_object_get_ex(copy, "properties", &properties)) {
		properties = json_object_new_object();
		json_object_object_add(copy, "properties", properties);
	}
	json_object_object_add(properties, "provisioningState", json_object_new_string(state));
	if (with_view && is_vm(resource->path)) {
		snprintf(view, sizeof(view), "{\"statuses\":[{\"code\":\"ProvisioningState/%s%s%s\","
			 "\"message\":\"%s\"},{\"code\":\"%s\"}]}", failed ? "failed" : "succeeded",
			 failed ? "/" : "", failed ? fake.fault.code : "",
			 failed && fake.fault.message ? fake.fault.message : "",
			 failed ? "" : resource->power);
		json_object_object_add(properties, "instanceView", json_tokener_parse(view));
	}
	souk_buf_str(&fake.reply, json_object_to_json_string(copy));
	json_object_put(copy);
}

static struct resource *add(const char *path, const char *body)
{
	struct resource *made = &fake.items[fake.n];

	if (fake.n == MAX_RESOURCES)
		abort();
	memset(made, 0, sizeof(*made));
	snprintf(made->path, sizeof(made->path), "%s", path);
	made->object = json_tokener_parse(body);
	made->body = strdup(body);
	if (!made->object || !made->body) {
		complain("not JSON", body);
		made->object = json_object_new_object();
	}
	fake.n++;
	return made;
}

/* The interface and the address that a machine brings with it. */
static void add_parts(const char *vm)
{
	char group[PATH_SIZE], path[2 * PATH_SIZE], body[4 * PATH_SIZE];
	const char *name = strrchr(vm, '/') + 1;

	snprintf(group, sizeof(group), "%.*s", (int)(strstr(vm, "/providers/") - vm), vm);
	snprintf(path, sizeof(path), "%s/providers/microsoft.network/publicipaddresses/ip-%s", group,
		 name);
	add(path, "{\"properties\":{\"ipAddress\":\"203.0.113.7\"}}");
	snprintf(body, sizeof(body), "{\"properties\":{\"virtualMachine\":{\"id\":\"%s\"},"
		 "\"ipConfigurations\":[{\"properties\":{\"privateIPAddress\":\"10.0.0.4\","
		 "\"publicIPAddress\":{\"id\":\"%s\"}}}]}}", vm, path);
	snprintf(path, sizeof(path), "%s/providers/microsoft.network/networkinterfaces/nic-%s", group,
		 name);
	add(path, body);
}

static const char *header_of(const struct souk_http_request *request, const char *name)
{
	size_t i;

	for (i = 0; request->headers && request->headers[i]; i++)
		if (strncasecmp(request->headers[i], name, strlen(name)) == 0)
			return request->headers[i];
	return NULL;
}

static int put(const struct souk_http_request *request, const char *path,
	       struct test_answer *answer)
{
	struct resource *made = find(path);
	int is_new = !made;
	char group[PATH_SIZE];
	const char *inside = strstr(path, "/providers/");
	char *body = strndup(request->body, request->body_size);

	snprintf(group, sizeof(group), "%.*s", inside ? (int)(inside - path) : 0, path);
	if (inside && !find(group)) {
		free(body);
		return refuse(answer, 404, "ResourceGroupNotFound", "no group");
	}
	if (is_vm(path) && fake.fault.status && fault_holds(path) && fake.fault.times) {
		fake.fault.times--;
		if (fake.fault.status > 0) {
			free(body);
			return refuse(answer, fake.fault.status, fake.fault.code, fake.fault.message);
		}
	}
	if (is_vm(path) && !header_of(request, "If-None-Match: *"))
		complain("a machine that may be replaced", path);
	if (is_vm(path) && made && header_of(request, "If-None-Match: *")) {
		free(body);
		return refuse(answer, 412, "PreconditionFailed", "it is there");
	}
	if (is_vm(path) && !strstr(body, "subnets/default"))
		complain("a machine without a network", path);
	if (made)
		drop((size_t)(made - fake.items));
	made = add(path, body);
	free(body);
	snprintf(made->power, sizeof(made->power), "PowerState/running");
	made->looks = strstr(path, "/networksecuritygroups/") || is_vm(path) ? 1 : 0;
	souk_buf_reset(&fake.reply);
	show(made, 0);
	if (is_vm(path) && is_new)
		add_parts(path);
	if (is_vm(path) && fake.fault.status < 0 && fault_holds(path)) {
		answer->failure = SOUK_E_TIMEOUT;
		return 1;
	}
	answer->status = is_new ? 201 : 200;
	answer->body = fake.reply.data;
	return 1;
}

/* Everything right below a path: "/.../virtualmachines". */
static int list(const char *path, struct test_answer *answer)
{
	size_t len = strlen(path);
	const char *inside = strstr(path, "/providers/");
	char group[PATH_SIZE];
	const char *kind = strrchr(path, '/');
	int all = !strstr(path, "/resourcegroups/");
	size_t i, n = 0;

	snprintf(group, sizeof(group), "%.*s", inside ? (int)(inside - path) : 0, path);
	if (!all && !find(group))
		return refuse(answer, 404, "ResourceGroupNotFound", "no group");
	souk_buf_reset(&fake.reply);
	souk_buf_str(&fake.reply, "{\"value\":[");
	for (i = 0; i < fake.n; i++) {
		const char *own = strstr(fake.items[i].path, kind);
		int fits = all ? own && !strchr(own + strlen(kind) + 1, '/') :
				 strncmp(fake.items[i].path, path, len) == 0 &&
					 fake.items[i].path[len] == '/';

		if (!fits)
			continue;
		souk_buf_str(&fake.reply, n++ ? "," : "");
		show(&fake.items[i], 0);
	}
	souk_buf_str(&fake.reply, "]}");
	answer->status = 200;
	answer->body = fake.reply.data;
	return 1;
}

static int get(const char *path, const char *query, struct test_answer *answer)
{
	static const char *const kinds[] = { "/virtualmachines", "/networkinterfaces",
					     "/publicipaddresses", "/resourcegroups" };
	struct resource *found = find(path);
	size_t i;

	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strlen(path) > strlen(kinds[i]) &&
		    strcmp(path + strlen(path) - strlen(kinds[i]), kinds[i]) == 0)
			return list(path, answer);
	if (!found)
		return refuse(answer, 404, "ResourceNotFound", "nothing there");
	souk_buf_reset(&fake.reply);
	show(found, strstr(query, "instanceView") != NULL);
	if (found->looks)
		found->looks--;
	answer->status = 200;
	answer->body = fake.reply.data;
	return 1;
}

static int remove_below(const char *path, struct test_answer *answer)
{
	size_t len = strlen(path);
	int found = find(path) != NULL;
	size_t i;

	for (i = fake.n; i-- > 0;)
		if (strncmp(fake.items[i].path, path, len) == 0 &&
		    (!fake.items[i].path[len] || fake.items[i].path[len] == '/'))
			drop(i);
	answer->status = found ? 202 : is_vm(path) ? 204 : 404;
	answer->body = found || is_vm(path) ?
			       "" : "{\"error\":{\"code\":\"ResourceGroupNotFound\"}}";
	return 1;
}

static int post(char *path, struct test_answer *answer)
{
	char *action = strrchr(path, '/');
	struct resource *vm;

	*action++ = '\0';
	vm = find(path);
	if (!vm)
		return refuse(answer, 404, "ResourceNotFound", "nothing there");
	snprintf(vm->power, sizeof(vm->power), "PowerState/%s",
		 strcmp(action, "start") == 0 ? "running" : "deallocated");
	answer->status = 202;
	answer->body = "";
	return 1;
}

int azure_fake_answer(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	const char *method = request->method ? request->method : "GET";
	const char *at = strstr(request->url, "://") + 3;
	const char *query;
	char path[PATH_SIZE];
	size_t i;

	(void)arg;
	if (strcmp(request->what, "token") == 0) {
		answer->status = 200;
		answer->body = "{\"access_token\":\"t\",\"expires_in\":3600}";
		return 1;
	}
	if (strcmp(request->what, "public address") == 0) {
		answer->status = 200;
		answer->body = "198.51.100.9\n";
		return 1;
	}
	at += strcspn(at, "/");
	query = at + strcspn(at, "?");
	snprintf(path, sizeof(path), "%.*s", (int)(query - at), at);
	for (i = 0; path[i]; i++)
		path[i] = path[i] >= 'A' && path[i] <= 'Z' ? (char)(path[i] + 32) : path[i];
	if (!header_of(request, "Authorization: Bearer t"))
		complain("no token", path);
	if (!strstr(query, "api-version=20"))
		complain("no api-version", path);
	if (strcmp(method, "GET") != 0 && !(request->flags & SOUK_HTTP_MUTATES))
		complain("a change that does not say so", path);
	if (strcmp(method, "PUT") == 0)
		return put(request, path, answer);
	if (strcmp(method, "DELETE") == 0)
		return remove_below(path, answer);
	if (strcmp(method, "POST") == 0)
		return post(path, answer);
	return get(path, query, answer);
}
