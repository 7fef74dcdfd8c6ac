# SPDX-License-Identifier: Apache-2.0
"""ec2placement.py - the EC2 actions on placement groups and capacity reservations"""

from awswire import AwsError, numbered
from ec2calls import Calls, filters, matches, page, tag_items, tags_for


def placement_item(group):
    return {"groupName": group["name"], "groupId": group["id"], "state": "available",
            "strategy": group["strategy"], "tagSet": tag_items(group["tags"])}


class PlacementCalls(Calls):
    """Where machines may stand."""

    # ---- placement groups

    def CreatePlacementGroup(self, region, params):
        tags = tags_for(params, ("placement-group",)).get("placement-group", {})
        name, strategy = params.get("GroupName", ""), params.get("Strategy", "cluster")
        if not 0 < len(name) <= 255 or not name.isascii():
            raise AwsError("InvalidParameterValue", f"Invalid placement group name '{name}'")
        if strategy not in ("cluster", "spread"):
            raise AwsError("InvalidParameterValue", f"Invalid value '{strategy}' for strategy")
        if (region, name) in self.world.placements:
            raise AwsError("InvalidPlacementGroup.Duplicate",
                           f"The Placement Group '{name}' already exists.")
        group = {"id": self.world.make_id("pg", region), "name": name, "region": region,
                 "strategy": strategy, "tags": tags}
        self.world.placements[region, name] = group
        return {"return": True, "placementGroup": placement_item(group)}

    def find_placement(self, region, name):
        if (region, name) not in self.world.placements:
            raise AwsError("InvalidPlacementGroup.Unknown",
                           f"The Placement Group '{name}' is unknown.")
        return self.world.placements[region, name]

    def DescribePlacementGroups(self, region, params):
        names, ids = numbered(params, "GroupName"), numbered(params, "GroupId")
        for name in names:
            self.find_placement(region, name)
        rows = []
        for group in self.world.placements.values():
            have = {"group-name": group["name"], "state": "available",
                    "strategy": group["strategy"]}
            if (group["region"] == region and (not names or group["name"] in names)
                    and (not ids or group["id"] in ids)
                    and matches(filters(params), have, group["tags"])):
                rows.append(placement_item(group))
        return {"placementGroupSet": rows}

    def DeletePlacementGroup(self, region, params):
        group = self.find_placement(region, params["GroupName"])
        if any(i.placement == group["name"] and i.region == region and i.state != "terminated"
               for i in self.world.instances.values()):
            raise AwsError("InvalidPlacementGroup.InUse", f"The placement group "
                           f"'{group['name']}' is in use and may not be deleted.")
        del self.world.placements[region, group["name"]]
        return {"return": True}

    # ---- capacity reservations

    def reservation(self, region, wanted):
        for row in self.world.scenario["reservations"]:
            if row["id"] == wanted and row["region"] == region:
                return row
        raise AwsError("InvalidCapacityReservationId.NotFound",
                       f"The capacity reservation ID '{wanted}' does not exist")

    def reservation_free(self, row):
        return row["count"] - sum(1 for i in self.world.instances.values()
                                  if i.reserved == row["id"] and i.state in ("pending", "running"))

    def DescribeCapacityReservations(self, region, params):
        ids = numbered(params, "CapacityReservationId")
        for one in ids:
            self.reservation(region, one)
        account = self.world.scenario["account"]
        rows = []
        for row in self.world.scenario["reservations"]:
            have = {"instance-type": row["type"], "state": row.get("state", "active"),
                    "tenancy": "default", "availability-zone": row["zone"],
                    "instance-platform": "Linux/UNIX", "owner-id": account}
            if (row["region"] != region or ids and row["id"] not in ids
                    or not matches(filters(params), have)):
                continue
            item = {"capacityReservationId": row["id"], "ownerId": account,
                    "instanceType": row["type"], "instancePlatform": "Linux/UNIX",
                    "availabilityZone": row["zone"], "tenancy": "default",
                    "totalInstanceCount": row["count"], "state": have["state"],
                    "availableInstanceCount": self.reservation_free(row),
                    "reservationType": row.get("kind", "default")}
            if "placement" in row:
                item["placementGroupArn"] = (f"arn:aws:ec2:{region}:{account}:placement-group/"
                                             + row["placement"])
            rows.append(item)
        rows, token = page(params, rows, 1, 1000, self.world.scenario)
        return {"capacityReservationSet": rows, "nextToken": token}

    def check_reserved(self, region, params, type_name, market):
        """The placement group and the capacity reservation of a RunInstances."""
        wanted = params.get("CapacityReservationSpecification.CapacityReservationTarget."
                            "CapacityReservationId")
        block = params.get("InstanceMarketOptions.MarketType") == "capacity-block"
        group = params.get("Placement.GroupName")
        if group is not None:
            self.find_placement(region, group)
        if wanted is None:
            if block:
                raise AwsError("InvalidParameterCombination", "a capacity block is to be named")
            return {"placement": group, "reserved": None}
        row = self.reservation(region, wanted)
        zone = params.get("Placement.AvailabilityZone")
        if (market == "spot" or row["type"] != type_name or row.get("state", "active") != "active"
                or zone not in (None, row["zone"])
                or block != (row.get("kind") == "capacity-block")):
            raise AwsError("InvalidParameterCombination", "the capacity reservation does not match "
                           "the type, the zone or the market")
        return {"placement": group, "reserved": row}

    # ---- network interfaces

    def check_cards(self, params, cards):
        """Each network interface at a place of its own, and EFA as far as the type has it."""
        if cards and (cards[0].get("DeviceIndex") != "0"
                      or cards[0].get("NetworkCardIndex", "0") != "0"):
            raise AwsError("InvalidParameterValue", "the first network interface is device 0 of "
                           "card 0")
        efa = self.world.scenario["types"][params.get("InstanceType", "m5.large")]["efa"]
        kinds = [c.get("InterfaceType", "interface") for c in cards]
        fast = [k for k in kinds if k in ("efa", "efa-only")]
        if set(kinds) - {"interface", "efa", "efa-only"} or kinds[:1] == ["efa-only"]:
            raise AwsError("InvalidParameterValue", f"Invalid interface types: {kinds}")
        if fast and not efa:
            raise AwsError("Unsupported", "EFA interfaces are not supported on this type")
        n_cards = efa["cards"] if efa else 1
        if fast and len(fast) > efa["interfaces"] or any(
                c.get("NetworkCardIndex", "0") not in map(str, range(n_cards)) for c in cards):
            raise AwsError("InvalidParameterValue", "more EFA interfaces or network cards than "
                           "the type has")
        if len({(c.get("NetworkCardIndex", "0"), c.get("DeviceIndex"))
                for c in cards}) != len(cards):
            raise AwsError("InvalidParameterValue", "two network interfaces at one place")
        if len(cards) > 1 and any("AssociatePublicIpAddress" in c for c in cards):
            raise AwsError("InvalidParameterCombination", "The associatePublicIPAddress parameter "
                           "cannot be specified when launching with multiple network interfaces.")
        if any(c.get("SubnetId") != cards[0].get("SubnetId") for c in cards):
            raise AwsError("InvalidParameterCombination",
                           "Network interfaces are in different subnets")
        return kinds
