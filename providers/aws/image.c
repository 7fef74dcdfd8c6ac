/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - the machine image to start from */

#include "image.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json-call.h"
#include "query.h"

/* What kind of machine an image is for. */
enum { FOR_ANY = 0, FOR_NVIDIA = 1, FOR_NEURON = 2 };

/*
 * Where an image may be found, in the order of preference. In 'parameter', 'owner' and
 * 'pattern' @ is the architecture as the publisher spells it.
 */
struct source {
	int kind;
	const char *parameter; /* a public SSM parameter */
	const char *owner;     /* and otherwise a DescribeImages by owner and name */
	const char *pattern;
	const char *pattern_arm64; /* NULL: the same */
	const char *x86_64;
	const char *arm64;     /* NULL: not made for it */
	const char *user;
	const char *root_device;
};

static const struct source sources[] = {
	{ FOR_NVIDIA,
	  "/aws/service/deeplearning/ami/@/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id",
	  "amazon", "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) *",
	  "Deep Learning ARM64 Base OSS Nvidia Driver GPU AMI (Ubuntu 22.04) *", "x86_64", "arm64",
	  "ubuntu", "/dev/sda1" },
	{ FOR_NEURON, "/aws/service/neuron/dlami/base/ubuntu-22.04/latest/image_id", "amazon",
	  "Deep Learning Base Neuron AMI (Ubuntu 22.04) *", NULL, "x86_64", NULL, "ubuntu",
	  "/dev/sda1" },
	{ FOR_ANY, "/aws/service/canonical/ubuntu/server/24.04/stable/current/@/hvm/ebs-gp3/ami-id",
	  "099720109477", "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-@-server-*", NULL, "amd64",
	  "arm64", "ubuntu", "/dev/sda1" },
	{ FOR_ANY, "/aws/service/debian/release/12/latest/@", "136693071363", "debian-12-@-*", NULL,
	  "amd64", "arm64", "admin", "/dev/xvda" },
	{ FOR_ANY, "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-@", "amazon",
	  "al2023-ami-2023.*-@", NULL, "x86_64", "arm64", "ec2-user", "/dev/xvda" },
};

enum { MAX_TEXT = 256 };

const char *aws_image_user_by_name(const char *name)
{
	static const struct {
		const char *part;
		const char *user;
	} users[] = {
		{ "ubuntu", "ubuntu" },	    { "debian", "admin" },	{ "al2023", "ec2-user" },
		{ "amzn", "ec2-user" },	    { "amazon linux", "ec2-user" }, { "rhel", "ec2-user" },
		{ "suse", "ec2-user" },	    { "centos", "centos" },	{ "rocky", "rocky" },
		{ "almalinux", "ec2-user" }, { "fedora", "fedora" },	{ "flatcar", "core" },
	};
	size_t i;

	for (i = 0; i < AWS_ARRAY_SIZE(users); i++)
		if (strcasestr(name, users[i].part))
			return users[i].user;
	return NULL;
}

static int is_arm(const struct souk_instance_spec *spec)
{
	return spec->arch && strcmp(spec->arch, "arm64") == 0;
}

static int kind_of(const struct souk_instance_spec *spec)
{
	static const char *const neuron[] = { "Trainium", "Inferentia" };
	static const char *const other[] = { "V520", "Gaudi", "QAIC100", "U30" };
	size_t i;

	if (!spec->accelerator || !*spec->accelerator)
		return FOR_ANY;
	for (i = 0; i < AWS_ARRAY_SIZE(neuron); i++)
		if (strncasecmp(spec->accelerator, neuron[i], strlen(neuron[i])) == 0)
			return FOR_NEURON;
	for (i = 0; i < AWS_ARRAY_SIZE(other); i++)
		if (strcasestr(spec->accelerator, other[i]))
			return FOR_ANY;
	return FOR_NVIDIA;
}

/* Put the publisher's word for the architecture in the place of '@'. */
static void fill_in(const char *pattern, const char *word, char out[MAX_TEXT])
{
	const char *at = strchr(pattern, '@');

	if (at)
		snprintf(out, MAX_TEXT, "%.*s%s%s", (int)(at - pattern), pattern, word, at + 1);
	else
		snprintf(out, MAX_TEXT, "%s", pattern);
}

static const char *arch_word(const struct source *source, const struct souk_instance_spec *spec)
{
	return is_arm(spec) ? source->arm64 : source->x86_64;
}

static int is_image_id(const char *text)
{
	size_t i;

	if (!text || strncmp(text, "ami-", 4) != 0)
		return 0;
	for (i = 4; text[i]; i++)
		if (!isalnum((unsigned char)text[i]))
			return 0;
	return i > 4 && i < 60;
}

/* ---- SSM ------------------------------------------------------------------------------ */

/* Does a failure mean that we look elsewhere? */
static int look_elsewhere(int ret, const struct aws_fault *fault)
{
	return ret == SOUK_E_NOT_FOUND || aws_fault_is(fault, "AccessDeniedException") ||
	       aws_fault_is(fault, "ValidationException") ||
	       aws_fault_is(fault, "ParameterNotFound");
}

/* The values of up to ten parameters in one request; "" for those that do not exist. */
static int get_parameters(const struct aws_client *client, char (*names)[MAX_TEXT], size_t n,
			  char (*values)[64], struct souk_error *err)
{
	struct json_object *body = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct json_object *reply = NULL;
	struct json_object *found;
	struct aws_fault fault = { 0 };
	size_t i, k;
	int ret;

	if (!body || !list) {
		json_object_put(body);
		json_object_put(list);
		return aws_nomem(err);
	}
	for (i = 0; i < n; i++) {
		values[i][0] = '\0';
		json_object_array_add(list, json_object_new_string(names[i]));
	}
	json_object_object_add(body, "Names", list);
	ret = aws_json_call(client, "ssm", "AmazonSSM.GetParameters", "look up an image", body,
			    &reply, &fault, err);
	json_object_put(body);
	if (ret < 0)
		return look_elsewhere(ret, &fault) ? SOUK_OK : ret;
	found = souk_json_maybe_array(reply, "Parameters");
	for (k = 0; found && k < json_object_array_length(found); k++) {
		struct json_object *parameter = json_object_array_get_idx(found, k);
		const char *name = souk_json_maybe_text(parameter, "Name");
		const char *value = souk_json_maybe_text(parameter, "Value");

		for (i = 0; i < n; i++)
			if (name && strcmp(names[i], name) == 0 && is_image_id(value))
				snprintf(values[i], sizeof(values[i]), "%s", value);
	}
	json_object_put(reply);
	return SOUK_OK;
}

/* ---- DescribeImages --------------------------------------------------------------------- */

static const struct aws_operation describe_images = {
	.action = "DescribeImages", .doing = "look up an image", .flags = AWS_READ,
};

/* Take device, size and user from what DescribeImages says. */
static int take_image(const xmlNode *item, struct aws_image *out, struct souk_error *err)
{
	const char *id = aws_xml_text(item, "imageId");
	const char *name = aws_xml_text(item, "name");
	const char *platform = aws_xml_text(item, "platform");
	const char *device = aws_xml_text(item, "rootDeviceName");
	const char *user;
	const xmlNode *disk;

	if (!is_image_id(id))
		return souk_error_set(err, SOUK_E_INTERNAL, "EC2 tells of an image without an id");
	if (platform && strcasecmp(platform, "windows") == 0)
		return souk_error_set(
			err, SOUK_E_UNSUPPORTED,
			"image '%s' is one of Windows; souk needs SSH and a POSIX shell", id);
	snprintf(out->id, sizeof(out->id), "%s", id);
	if (device)
		snprintf(out->root_device, sizeof(out->root_device), "%s", device);
	user = name ? aws_image_user_by_name(name) : NULL;
	if (user)
		snprintf(out->user, sizeof(out->user), "%s", user);
	disk = aws_xml_first_item(aws_xml_child(item, "blockDeviceMapping"));
	for (; disk && device; disk = aws_xml_next_item(disk)) {
		const char *at = aws_xml_text(disk, "deviceName");

		if (at && strcmp(at, device) == 0)
			out->root_gib = aws_xml_u64(disk, "ebs/volumeSize", 0);
	}
	return SOUK_OK;
}

/* By id: 1 if EC2 knows it, 0 if not. */
static int describe(const struct aws_client *client, const char *id, struct aws_image *out,
		    struct souk_error *err)
{
	struct souk_error unknown = SOUK_ERROR_INIT;
	struct aws_query query;
	struct aws_xml xml = { 0 };
	const xmlNode *item;
	int ret;

	aws_query_init(&query, &describe_images);
	aws_query_add(&query, "ImageId.1", id);
	ret = aws_query_send(client, &describe_images, &query, &xml, NULL, &unknown);
	aws_query_fini(&query);
	if (ret == SOUK_E_NOT_FOUND)
		return 0;
	if (ret < 0)
		return souk_error_copy(&unknown, err);
	item = aws_xml_first_item(aws_xml_child(xml.root, "imagesSet"));
	ret = item ? take_image(item, out, err) : 0;
	aws_xml_fini(&xml);
	return ret < 0 ? ret : item != NULL;
}

struct newest {
	struct aws_image *image;
	char date[40];
	int found;
};

static int take_newest(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct newest *newest = arg;
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "imagesSet"));
	int ret;

	for (; item; item = aws_xml_next_item(item)) {
		const char *date = aws_xml_text(item, "creationDate");

		if (newest->found && strcmp(date ? date : "", newest->date) <= 0)
			continue;
		ret = take_image(item, newest->image, err);
		if (ret < 0)
			return ret;
		snprintf(newest->date, sizeof(newest->date), "%s", date ? date : "");
		newest->found = 1;
	}
	return SOUK_OK;
}

/* The newest by owner and name: 1 if there is one, 0 if not. */
static int search(const struct aws_client *client, const struct source *source,
		  const struct souk_instance_spec *spec, struct aws_image *out,
		  struct souk_error *err)
{
	const char *pattern = is_arm(spec) && source->pattern_arm64 ? source->pattern_arm64 :
								       source->pattern;
	struct newest newest = { .image = out };
	struct aws_query query;
	char name[MAX_TEXT];
	int ret;

	fill_in(pattern, arch_word(source, spec), name);
	aws_query_init(&query, &describe_images);
	aws_query_add(&query, "Owner.1", source->owner);
	aws_query_filter(&query, "name", name);
	aws_query_filter(&query, "state", "available");
	aws_query_filter(&query, "architecture", is_arm(spec) ? "arm64" : "x86_64");
	ret = aws_query_pages(client, &describe_images, &query, take_newest, &newest, err);
	aws_query_fini(&query);
	return ret < 0 ? ret : newest.found;
}

/* ---- The choice ----------------------------------------------------------------------- */

static void set_defaults(const struct source *source, struct aws_image *out)
{
	snprintf(out->user, sizeof(out->user), "%s", source->user);
	snprintf(out->root_device, sizeof(out->root_device), "%s", source->root_device);
}

/* The image that the user names: an id, or a parameter, which is good for every region. */
static int find_named(const struct aws_client *client, const char *named, struct aws_image *out,
		      struct souk_error *err)
{
	char names[1][MAX_TEXT];
	char values[1][64];
	const char *id = named;
	int ret;

	if (strncmp(named, "ssm:", 4) == 0)
		named += 4;
	if (named[0] == '/') {
		snprintf(names[0], sizeof(names[0]), "%s", named);
		ret = get_parameters(client, names, 1, values, err);
		if (ret < 0)
			return ret;
		id = values[0];
	}
	if (!*id || (ret = is_image_id(id)) == 0) {
		souk_error_set(err, *id ? SOUK_E_INVALID : SOUK_E_NOT_FOUND,
			       *id ? "not an image: '%.200s'" : "no such parameter: '%.200s'",
			       named);
		souk_error_scope(err, *id ? SOUK_SCOPE_PROVIDER : SOUK_SCOPE_REGION);
		return souk_error_hint(err, "name an image as 'ami-...', or an SSM parameter that "
					    "holds one as '/aws/service/...'");
	}
	snprintf(out->user, sizeof(out->user), "ec2-user");
	ret = describe(client, id, out, err);
	if (ret == 0) {
		souk_error_set(err, SOUK_E_NOT_FOUND, "no image '%s' in '%s'", id, client->region);
		souk_error_scope(err, SOUK_SCOPE_REGION);
		return souk_error_hint(err, "an image id is good for one region");
	}
	return ret < 0 ? ret : SOUK_OK;
}

/* Sources of one kind: all parameters in one request, then one search after the other. */
static int find_kind(const struct aws_client *client, const struct souk_instance_spec *spec,
		     int kind, struct aws_image *out, struct souk_error *err)
{
	const struct source *wanted[AWS_ARRAY_SIZE(sources)];
	char names[AWS_ARRAY_SIZE(sources)][MAX_TEXT];
	char values[AWS_ARRAY_SIZE(sources)][64];
	size_t n = 0;
	size_t i;
	int ret;

	for (i = 0; i < AWS_ARRAY_SIZE(sources); i++)
		if (sources[i].kind == kind && arch_word(&sources[i], spec)) {
			wanted[n] = &sources[i];
			fill_in(sources[i].parameter, arch_word(&sources[i], spec), names[n++]);
		}
	ret = n ? get_parameters(client, names, n, values, err) : SOUK_OK;
	for (i = 0; ret == SOUK_OK && i < n; i++) {
		if (!values[i][0])
			continue;
		set_defaults(wanted[i], out);
		snprintf(out->id, sizeof(out->id), "%.63s", values[i]);
		ret = describe(client, values[i], out, err);
		/* Some accounts may start what they may not describe. */
		return ret < 0 ? ret : 1;
	}
	for (i = 0; ret == SOUK_OK && i < n; i++) {
		set_defaults(wanted[i], out);
		ret = search(client, wanted[i], spec, out, err);
	}
	return ret;
}

static int find_default(const struct aws_client *client, const struct souk_instance_spec *spec,
			struct aws_image *out, struct souk_error *err)
{
	int kind = kind_of(spec);
	int ret = find_kind(client, spec, kind, out, err);

	if (ret == 0 && kind != FOR_ANY) {
		souk_call_log(client->call, SOUK_LOG_WARNING,
			      "no image with a driver for %s in '%s': the plain one is used",
			      spec->accelerator, client->region);
		ret = find_kind(client, spec, FOR_ANY, out, err);
	}
	if (ret == 0) {
		souk_error_set(err, SOUK_E_NOT_FOUND, "no image for %s in '%s'",
			       is_arm(spec) ? "arm64" : "x86_64", client->region);
		souk_error_scope(err, SOUK_SCOPE_REGION);
		return souk_error_hint(err, "name one with --set aws.image=ami-...");
	}
	return ret < 0 ? ret : SOUK_OK;
}

int aws_image_find(const struct aws_client *client, const struct souk_instance_spec *spec,
		   struct aws_image *out, struct souk_error *err)
{
	const char *named = spec->image ? spec->image : souk_call_option(client->call, "image");
	const char *user = souk_call_option(client->call, "image_user");
	struct aws_image image = { 0 };
	int ret;

	ret = named && *named ? find_named(client, named, &image, err) :
				find_default(client, spec, &image, err);
	if (ret < 0)
		return ret;
	if (user && *user)
		snprintf(image.user, sizeof(image.user), "%s", user);
	if (!image.root_device[0])
		snprintf(image.root_device, sizeof(image.root_device), "/dev/sda1");
	*out = image;
	return SOUK_OK;
}
