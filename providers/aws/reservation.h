/* SPDX-License-Identifier: Apache-2.0 */
/* reservation.h - capacity that the account has reserved, by the ids in the settings */
#ifndef SOUK_AWS_RESERVATION_H
#define SOUK_AWS_RESERVATION_H

#include "network.h"

/* The one that machines are put into; id "": none. */
struct aws_reservation {
	char id[AWS_ID_SIZE];
	char zone[AWS_REGION_SIZE];
	char placement[AWS_PLACEMENT_SIZE]; /* the placement group that it was made in; "": none */
	int is_block;			    /* a capacity block, which is paid for in advance */
};

/*
 * Choose among the reservations of the option 'capacity_reservation' that are of the spec's type
 * and in its region: in its zone, with as many machines free. None of them is of that type and
 * there: nothing is chosen. None has room: CAPACITY; none is in the zone: UNSUPPORTED. Spot
 * machines go into no reservation.
 */
int aws_reservation_choose(const struct aws_client *client, const struct souk_instance_spec *spec,
			   struct aws_reservation *out, struct souk_error *err);

#endif
