/* SPDX-License-Identifier: Apache-2.0 */
/* reservation.c - capacity that the account has reserved, by the ids in the settings */

#include "reservation.h"

#include <stdio.h>
#include <string.h>

#include "query.h"

struct choosing {
	const struct souk_instance_spec *spec;
	const char *ids;
	struct aws_reservation best;
	uint64_t best_free;
	/* of those that do not do */
	char full_id[AWS_ID_SIZE];
	uint64_t full_free;
	char elsewhere_id[AWS_ID_SIZE];
	char elsewhere[AWS_REGION_SIZE];
};

/* What may be used by us: it is there now, for plain Linux on shared hardware. */
static int is_usable(const xmlNode *item)
{
	const char *state = aws_xml_text(item, "state");
	const char *platform = aws_xml_text(item, "instancePlatform");
	const char *tenancy = aws_xml_text(item, "tenancy");

	return state && strcmp(state, "active") == 0 &&
	       (!platform || strcmp(platform, "Linux/UNIX") == 0) &&
	       (!tenancy || strcmp(tenancy, "default") == 0);
}

/* The name in "arn:aws:ec2:REGION:ACCOUNT:placement-group/NAME". */
static const char *placement_of(const xmlNode *item)
{
	const char *arn = aws_xml_text(item, "placementGroupArn");
	const char *slash = arn ? strchr(arn, '/') : NULL;

	return slash ? slash + 1 : "";
}

/* The smallest one that is large enough, so that large ones stay for large clusters. */
static void consider(struct choosing *choosing, const xmlNode *item, const char *id,
		     const char *zone)
{
	const char *kind = aws_xml_text(item, "reservationType");
	uint64_t n_free = aws_xml_u64(item, "availableInstanceCount", 0);

	if (choosing->spec->zone && strcmp(zone, choosing->spec->zone) != 0) {
		snprintf(choosing->elsewhere_id, sizeof(choosing->elsewhere_id), "%s", id);
		snprintf(choosing->elsewhere, sizeof(choosing->elsewhere), "%s", zone);
		return;
	}
	if (n_free < choosing->spec->count) {
		snprintf(choosing->full_id, sizeof(choosing->full_id), "%s", id);
		choosing->full_free = n_free;
		return;
	}
	if (choosing->best.id[0] &&
	    (n_free > choosing->best_free ||
	     (n_free == choosing->best_free && strcmp(id, choosing->best.id) >= 0)))
		return;
	choosing->best_free = n_free;
	choosing->best.is_block = kind && strcmp(kind, "capacity-block") == 0;
	snprintf(choosing->best.id, sizeof(choosing->best.id), "%s", id);
	snprintf(choosing->best.zone, sizeof(choosing->best.zone), "%s", zone);
	snprintf(choosing->best.placement, sizeof(choosing->best.placement), "%s",
		 placement_of(item));
}

static int take_reservations(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct choosing *choosing = arg;
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "capacityReservationSet"));

	(void)err;
	for (; item; item = aws_xml_next_item(item)) {
		const char *id = aws_xml_text(item, "capacityReservationId");
		const char *type = aws_xml_text(item, "instanceType");
		const char *zone = aws_xml_text(item, "availabilityZone");

		if (id && type && zone && souk_list_has(choosing->ids, id) &&
		    strcmp(type, choosing->spec->instance_type) == 0 && is_usable(item))
			consider(choosing, item, id, zone);
	}
	return SOUK_OK;
}

/* None was chosen: is that a failure? */
static int judge(const struct aws_client *client, const struct choosing *choosing,
		 struct souk_error *err)
{
	const struct souk_instance_spec *spec = choosing->spec;

	if (choosing->full_id[0]) {
		souk_error_set(err, SOUK_E_CAPACITY,
			       "capacity reservation '%s' has %u of %u machines free",
			       choosing->full_id, (unsigned)choosing->full_free, spec->count);
		souk_error_scope(err, SOUK_SCOPE_OFFER);
		return souk_error_reason(err, "ReservationCapacityExceeded");
	}
	if (choosing->elsewhere_id[0]) {
		souk_error_set(err, SOUK_E_UNSUPPORTED,
			       "%s is reserved in '%s' ('%s'), not in '%s'", spec->instance_type,
			       choosing->elsewhere, choosing->elsewhere_id, spec->zone);
		souk_error_scope(err, SOUK_SCOPE_OFFER);
		return souk_error_hint(err, "name the zone in the task, or leave the reservation out "
					    "of aws.capacity_reservation");
	}
	souk_call_log(client->call, SOUK_LOG_WARNING,
		      "no capacity reservation of the settings is for %s in '%s': the machines are "
		      "started outside of it",
		      spec->instance_type, client->region);
	return SOUK_OK;
}

int aws_reservation_choose(const struct aws_client *client, const struct souk_instance_spec *spec,
			   struct aws_reservation *out, struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DescribeCapacityReservations",
		.doing = "look up the capacity reservations",
		.flags = AWS_READ,
	};
	struct choosing choosing = {
		.spec = spec, .ids = souk_call_option(client->call, "capacity_reservation"),
	};
	struct aws_query query;
	int ret;

	*out = (struct aws_reservation){ 0 };
	if (spec->spot || !choosing.ids || !*choosing.ids)
		return SOUK_OK;
	/* By filter, not by id: ids of other regions are then just not there. */
	aws_query_init(&query, &operation);
	aws_query_filter(&query, "instance-type", spec->instance_type);
	aws_query_filter(&query, "state", "active");
	ret = aws_query_pages(client, &operation, &query, take_reservations, &choosing, err);
	aws_query_fini(&query);
	if (ret < 0)
		return ret;
	if (!choosing.best.id[0])
		return judge(client, &choosing, err);
	*out = choosing.best;
	return SOUK_OK;
}
