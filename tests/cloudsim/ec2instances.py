# SPDX-License-Identifier: Apache-2.0
"""ec2instances.py - the EC2 actions on instances: run, describe, start, stop, terminate, modify"""

import base64
import binascii
import gzip
import re
import zlib

import ec2market
from awswire import AwsError, numbered, structs, sub
from ec2calls import (check_filters, filters, flag, instance_item, matches, number, page,
                      stamp, tags_for)
from ec2placement import PlacementCalls
from ec2world import STATES, Instance, fault_error

_TAGGABLE = ("instance", "volume", "network-interface", "spot-instances-request")
USER_DATA_MAX = 16384
INSTANCE_FILTERS = frozenset("""
    instance-id instance-state-name client-token instance-state-code availability-zone
    instance-type image-id vpc-id subnet-id architecture key-name instance-lifecycle
    instance.group-id network-interface.group-id reservation-id ip-address private-ip-address
    spot-instance-request-id""".split())


def read_user_data(text):
    """The first-boot data as bytes, unpacked if it was gzip."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise AwsError("InvalidUserData.Malformed",
                       "Invalid BASE64 encoding of user data.") from None
    if len(data) > USER_DATA_MAX:
        raise AwsError("InvalidParameterValue", "User data is limited to 16384 bytes")
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            raise AwsError("InvalidUserData.Malformed", "user data is broken gzip") from None
    return data


class InstanceCalls(PlacementCalls):
    """All actions of the server."""

    # ---- RunInstances

    def RunInstances(self, region, params):
        token = params.get("ClientToken") or None
        if token and (len(token) > 64 or not token.isascii()):
            raise AwsError("InvalidParameterValue", "ClientToken: more than 64 ASCII characters")
        shape = {k: v for k, v in params.items() if k not in ("ClientToken", "Action", "Version")}
        if token and (region, token) in self.world.tokens:
            return self._replay(region, token, shape)
        plan = self._plan(region, params)
        reservation = self.world.make_id("r", region)
        made = [self._make(plan, n, token, reservation) for n in range(plan["count"])]
        if token:
            self.world.tokens[region, token] = {"params": shape, "ids": [i.id for i in made]}
        return self._reservation(reservation, made)

    def _replay(self, region, token, shape):
        before = self.world.tokens[region, token]
        if before["params"] != shape:
            changed = sorted(k for k in set(before["params"]) | set(shape)
                             if before["params"].get(k) != shape.get(k))
            raise AwsError("IdempotentParameterMismatch", "The client token '%s' was used with "
                           "other parameters: %s differ" % (token, ", ".join(changed)))
        made = [self.world.instances[i] for i in before["ids"] if i in self.world.instances]
        return self._reservation(made[0].reservation, made)

    def _reservation(self, reservation, rows):
        return {"reservationId": reservation, "ownerId": self.world.scenario["account"],
                "groupSet": [], "instancesSet": [instance_item(self.world, i) for i in rows]}

    def _plan(self, region, params):
        """Check a RunInstances request in full, and settle where it goes."""
        world = self.world
        low, high = number(params, "MinCount"), number(params, "MaxCount")
        if not 1 <= low <= high:
            raise AwsError("InvalidParameterValue", f"Invalid value '{low}' for min instance count")
        image = self._image(region, params["ImageId"])
        type_name = params.get("InstanceType", "m5.large")
        if type_name not in world.scenario["types"]:
            raise AwsError("InvalidParameterValue",
                           f"Invalid value '{type_name}' for InstanceType.")
        arch = world.scenario["types"][type_name]["arch"]
        if arch != image["arch"]:
            raise AwsError("InvalidParameterValue", f"The architecture '{arch}' of the specified "
                           f"instance type does not match the architecture '{image['arch']}' of "
                           "the specified AMI.")
        market, spot = self._market(params)
        net = self._network(region, params)
        net.update(self.check_reserved(region, params, type_name, market))
        tags = tags_for(params, _TAGGABLE)
        if "spot-instances-request" in tags and market != "spot":
            raise AwsError("InvalidParameterValue", "'spot-instances-request' is not a valid "
                           "taggable resource type for this operation.")
        shutdown = params.get("InstanceInitiatedShutdownBehavior", "stop")
        if shutdown not in ("stop", "terminate"):
            raise AwsError("InvalidParameterValue", f"Invalid value '{shutdown}' for shutdown "
                           "behavior")
        if "KeyName" in params and (region, params["KeyName"]) not in world.keys:
            raise AwsError("InvalidKeyPair.NotFound",
                           f"The key pair '{params['KeyName']}' does not exist")
        data = read_user_data(params["UserData"]) if "UserData" in params else b""
        plan = {"region": region, "image": image, "type": type_name, "market": market,
                "arch": arch, "tags": tags, "shutdown": shutdown, "user_data": data,
                "key_name": params.get("KeyName"), "metadata": sub(params, "MetadataOptions"),
                "protected": flag(params, "DisableApiTermination"),
                "disks": self._disks(params, image), **net}
        self._settle_place(plan, spot, low, high, flag(params, "DryRun"))
        return plan

    def _image(self, region, ami):
        if not re.fullmatch(r"ami-[0-9a-f]{8,17}", ami):
            raise AwsError("InvalidAMIID.Malformed",
                           f"Invalid id: \"{ami}\" (expecting \"ami-...\")")
        image = ec2market.images(region).get(ami)
        if image is None:
            raise AwsError("InvalidAMIID.NotFound", f"The image id '[{ami}]' does not exist")
        return image

    @staticmethod
    def _market(params):
        options = sub(params, "InstanceMarketOptions")
        if not options or options == {"MarketType": "capacity-block"}:
            return "on-demand", {}
        if options.get("MarketType") != "spot":
            raise AwsError("InvalidParameterValue", f"Invalid value '{options.get('MarketType')}' "
                           "for MarketType")
        spot = sub(options, "SpotOptions")
        kind = spot.get("SpotInstanceType", "one-time")
        ending = spot.get("InstanceInterruptionBehavior", "terminate")
        if (kind not in ("one-time", "persistent")
                or ending not in ("terminate", "stop", "hibernate")
                or kind == "one-time" and ending != "terminate"):
            raise AwsError("InvalidParameterCombination", f"Spot type '{kind}' does not go with "
                           f"interruption behavior '{ending}'")
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,9})?", spot.get("MaxPrice", "1")):
            raise AwsError("InvalidParameterValue",
                           f"Invalid value '{spot['MaxPrice']}' for MaxPrice")
        return "spot", dict(spot, kind=kind)

    def _network(self, region, params):
        cards = structs(params, "NetworkInterface")
        if cards and any(p.startswith(("SubnetId", "SecurityGroup", "PrivateIpAddress"))
                         for p in params):
            raise AwsError("InvalidParameterCombination",
                           "Network interfaces and an instance-level subnet ID or security groups "
                           "may not be specified on the same request")
        kinds = self.check_cards(params, cards)
        source = cards[0] if cards else params
        groups = numbered(source, "SecurityGroupId")
        for one in groups:
            self.find_group(region, {"GroupId": one})
        for name in numbered(params, "SecurityGroup"):
            groups.append(self.find_group(region, {"GroupName": name})["id"])
        zone = params.get("Placement.AvailabilityZone")
        zones = self.world.scenario["regions"][region]["zones"]
        if zone is not None and zone not in zones:
            raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{zone}]")
        subnet = source.get("SubnetId")
        if subnet:
            self._known([subnet], self.world.subnets, region, "InvalidSubnetID.NotFound",
                        "subnet ID")
            place = self.world.subnets[subnet]["zone"]
            if zone not in (None, place):
                raise AwsError("InvalidParameterValue", f"The availability zone '{zone}' does not "
                               f"match that of the subnet, '{place}'")
            zone = place
        vpc = self.world.subnets[subnet]["vpc"] if subnet else self.default_vpc(region)
        for one in groups:
            if self.world.groups[one]["vpc"] != vpc:
                raise AwsError("InvalidParameter", f"Security group {one} and the subnet belong to "
                               "different networks.")
        if not groups:
            groups = [g["id"] for g in self.world.groups.values()
                      if g["vpc"] == vpc and g["name"] == "default"]
        return {"zone": zone, "subnet": subnet, "vpc": vpc, "groups": groups,
                "interfaces": kinds or ["interface"],
                "public": flag(source, "AssociatePublicIpAddress",
                               False if len(cards) > 1 else None)}

    def _disks(self, params, image):
        disks = [{"device": image["root_device"], "gib": image["root_gib"], "type": "gp3",
                  "delete": True, "encrypted": False}]
        for row in structs(params, "BlockDeviceMapping"):
            device = row.get("DeviceName", "")
            if not re.fullmatch(r"(/dev/)?(sd|xvd)[a-z0-9]{1,3}", device):
                raise AwsError("InvalidBlockDeviceMapping", f"Invalid device name {device}")
            if device == image["root_device"]:
                disk = disks[0]
            else:
                disk = {"device": device, "gib": 8, "type": "gp3", "delete": True,
                        "encrypted": False}
                disks.append(disk)
            if "Ebs.VolumeSize" in row:
                size = number(row, "Ebs.VolumeSize")
                if disk is disks[0] and size < image["root_gib"]:
                    raise AwsError("InvalidBlockDeviceMapping", f"Volume of size {size}GB is "
                                   f"smaller than snapshot, expect size >= {image['root_gib']}GB")
                if not 1 <= size <= 65536:
                    raise AwsError("InvalidParameterValue", f"Volume size {size} is not valid")
                disk["gib"] = size
            disk["type"] = row.get("Ebs.VolumeType", disk["type"])
            if disk["type"] not in ("gp2", "gp3", "io1", "io2", "st1", "sc1", "standard"):
                raise AwsError("InvalidParameterValue", f"Invalid volume type '{disk['type']}'")
            disk["delete"] = flag(row, "Ebs.DeleteOnTermination", disk["delete"])
            disk["encrypted"] = flag(row, "Ebs.Encrypted", disk["encrypted"])
        return disks

    def _settle_place(self, plan, spot, low, high, dry):
        """Choose the zone where none was named; then all that can be refused there is refused."""
        world, region, name = self.world, plan["region"], plan["type"]
        zone, market = plan["zone"], plan["market"]
        if not self._sold(name, region):
            raise AwsError("Unsupported", f"Your requested instance type ({name}) is not supported "
                           "in this region.")
        if zone is None:
            sellers = [z for z in world.scenario["regions"][region]["zones"]
                       if ec2market.sold_in(world.scenario, name, z)]
            zone = next((z for z in sellers if world.has_room(region, z, name, market, low)
                         and not world.zone_is_barred("RunInstances", region, z, name, market)),
                        sellers[0])
        if not ec2market.sold_in(world.scenario, name, zone):
            raise AwsError("Unsupported", f"Your requested instance type ({name}) is not supported "
                           f"in your requested Availability Zone ({zone}).")
        if dry:
            raise AwsError("DryRunOperation",
                           "Request would have succeeded, but DryRun flag is set.", 412)
        fault = world.fault("RunInstances", region, True, zone=zone, type=name, market=market)
        if fault and fault.get("do", "error") == "error":
            raise fault_error(fault)
        price = ec2market.spot_price(world.scenario, zone, name)
        if market == "spot" and "MaxPrice" in spot and float(spot["MaxPrice"]) < price:
            raise AwsError("SpotMaxPriceTooLow", f"Your Spot request price of {spot['MaxPrice']} "
                           "is lower than the minimum required Spot request fulfillment price of "
                           f"{price}.")
        reserved = plan["reserved"]
        room = (self.reservation_free(reserved) if reserved
                else world.room(region, zone, name, market))
        count = high if room is None else min(high, room)
        if count < low and reserved:
            raise AwsError("ReservationCapacityExceeded", "The requested capacity reservation "
                           "does not have sufficient capacity.")
        if count < low:
            raise AwsError("InsufficientInstanceCapacity", "We currently do not have sufficient "
                           f"{name} capacity in the Availability Zone you requested ({zone}).", 500)
        if not reserved:
            world.check_quota(region, zone, name, market, count)
        if plan["subnet"] is None:
            plan["subnet"] = next(s["id"] for s in world.subnets.values() if s["zone"] == zone)
        if plan["public"] is None:
            plan["public"] = world.subnets[plan["subnet"]]["public"]
        plan.update(zone=zone, count=count, spot_kind=spot.get("kind"))

    def _make(self, plan, index, token, reservation):
        world = self.world
        tags = plan["tags"]
        image = plan["image"]
        i = Instance(
            id=world.make_id("i", plan["zone"]), region=plan["region"], zone=plan["zone"],
            type=plan["type"], arch=plan["arch"], image=image["id"], image_name=image["name"],
            root_device=image["root_device"], market=plan["market"], spot_kind=plan["spot_kind"],
            spot_request=world.make_id("sir", "x")[:12] if plan["market"] == "spot" else None,
            tags=dict(tags.get("instance", {})), resource_tags=tags, token=token,
            shutdown=plan["shutdown"], protected=plan["protected"], key_name=plan["key_name"],
            user_data=plan["user_data"].decode("utf-8", "replace"), metadata=plan["metadata"],
            groups=list(plan["groups"]), subnet=plan["subnet"], vpc=plan["vpc"],
            public=plan["public"], interfaces=plan["interfaces"], placement=plan["placement"],
            reserved=plan["reserved"]["id"] if plan["reserved"] else None, index=index, reservation=reservation,
            launched_at=world.now(), disks=[dict(d, volume=world.make_id("vol", "x"))
                                            for d in plan["disks"]])
        i.authorized = [world.keys[i.region, i.key_name]["public"]] if i.key_name else []
        try:
            world.add(i)
        except OSError as error:
            world.terminate(i)
            raise AwsError("InternalError", f"the machine does not start: {error}", 500) from error
        return i

    # ---- DescribeInstances

    def DescribeInstances(self, region, params):
        ids = numbered(params, "InstanceId")
        wanted = filters(params)
        check_filters(wanted, INSTANCE_FILTERS, True)
        if ids and "MaxResults" in params:
            raise AwsError("InvalidParameterCombination", "The parameter instancesSet cannot be "
                           "used with the parameter maxResults")
        if "NextToken" not in params:
            self.world.look(region, ids)
        self._find(region, ids)
        rows = [i for i in self.world.instances.values()
                if i.region == region and not i.hidden and (not ids or i.id in ids)
                and matches(wanted, self._attributes(i), i.tags)]
        rows, token = page(params, rows, 5, 1000)
        reservations = {}
        for i in rows:
            reservations.setdefault(i.reservation, []).append(i)
        return {"reservationSet": [self._reservation(r, v) for r, v in reservations.items()],
                "nextToken": token}

    @staticmethod
    def _attributes(i):
        return {"instance-id": i.id, "instance-state-name": i.state, "client-token": i.token,
                "instance-state-code": STATES[i.state], "availability-zone": i.zone,
                "instance-type": i.type, "image-id": i.image, "vpc-id": i.vpc,
                "subnet-id": i.subnet, "architecture": i.arch, "key-name": i.key_name,
                "instance-lifecycle": "spot" if i.market == "spot" else None,
                "instance.group-id": i.groups, "network-interface.group-id": i.groups,
                "reservation-id": i.reservation, "ip-address": i.ip,
                "private-ip-address": i.private_ip, "spot-instance-request-id": i.spot_request}

    def _find(self, region, ids):
        """The instances of these ids; all must be known."""
        found, lost = [], []
        for one in ids:
            if not re.fullmatch(r"i-[0-9a-f]{8,17}", one):
                raise AwsError("InvalidInstanceID.Malformed", f"Invalid id: \"{one}\"")
            i = self.world.instances.get(one)
            if i is None or i.region != region or i.hidden:
                lost.append(one)
            else:
                found.append(i)
        if lost:
            what = "ID" if len(lost) == 1 else "IDs"
            raise AwsError("InvalidInstanceID.NotFound", f"The instance {what} '{', '.join(lost)}' "
                           f"do{'es' if len(lost) == 1 else ''} not exist")
        return found

    # ---- what becomes of them

    @staticmethod
    def _change(i, before):
        return {"instanceId": i.id, "currentState": {"code": STATES[i.state], "name": i.state},
                "previousState": {"code": STATES[before], "name": before}}

    def StartInstances(self, region, params):
        rows = self._find(region, numbered(params, "InstanceId"))
        for i in rows:
            if i.state not in ("stopped", "running", "pending"):
                raise AwsError("IncorrectInstanceState", f"The instance '{i.id}' is not in a state "
                               "from which it can be started.")
        sleeping = [i for i in rows if i.state == "stopped"]
        for i in sleeping:
            fault = self.world.fault("StartInstances", region, True, zone=i.zone, type=i.type,
                                     market=i.market)
            if fault and fault.get("do", "error") == "error":
                raise fault_error(fault)
            room = self.world.room(region, i.zone, i.type, i.market)
            need = sum(1 for j in sleeping if (j.zone, j.type) == (i.zone, i.type))
            if room is not None and room < need:
                raise AwsError("InsufficientInstanceCapacity", f"There is no {i.type} capacity in "
                               f"{i.zone} to start '{i.id}' now.", 500)
        out = []
        for i in rows:
            before = i.state
            if before == "stopped":
                self.world.start(i)
            out.append(self._change(i, before))
        return {"instancesSet": out}

    def StopInstances(self, region, params):
        rows = self._find(region, numbered(params, "InstanceId"))
        for i in rows:
            if i.spot_kind == "one-time":
                raise AwsError("UnsupportedOperation", f"You can't stop the Spot Instance '{i.id}' "
                               "because it is associated with a one-time Spot Instance request.")
            if i.state in ("shutting-down", "terminated"):
                raise AwsError("IncorrectInstanceState",
                               f"This instance '{i.id}' is not in a state from which it can be "
                               "stopped.")
        out = []
        for i in rows:
            before = i.state
            if before in ("pending", "running"):
                self.world.stop(i)
            out.append(self._change(i, before))
        return {"instancesSet": out}

    def TerminateInstances(self, region, params):
        rows = self._find(region, numbered(params, "InstanceId"))
        for i in rows:
            if i.protected:
                raise AwsError("OperationNotPermitted", f"The instance '{i.id}' may not be "
                               "terminated. Modify its 'disableApiTermination' instance attribute "
                               "and try again.")
        out = []
        for i in rows:
            before = i.state
            self.world.terminate(i)
            out.append(self._change(i, before))
        return {"instancesSet": out}

    def ModifyInstanceAttribute(self, region, params):
        i = self._find(region, [params["InstanceId"]])[0]
        given = {k[:-6]: v for k, v in params.items() if k.endswith(".Value")}
        if "Attribute" in params:
            name = params["Attribute"]
            given[name[:1].upper() + name[1:]] = params.get("Value", "")
        groups = numbered(params, "GroupId")
        if len(given) + (1 if groups else 0) != 1:
            raise AwsError("InvalidParameterCombination",
                           "Specify exactly one attribute to modify")
        for one in groups:
            self.find_group(region, {"GroupId": one})
        if groups:
            i.groups = groups
        for name, value in given.items():
            self._modify(i, name, value)
        return {"return": True}

    def _modify(self, i, name, value):
        if name == "InstanceInitiatedShutdownBehavior":
            if value not in ("stop", "terminate"):
                raise AwsError("InvalidParameterValue", f"Invalid value '{value}' for "
                               "instanceInitiatedShutdownBehavior")
            if value == "stop" and i.spot_kind == "one-time":
                raise AwsError("UnsupportedOperation", "A one-time Spot Instance cannot be stopped")
            i.shutdown = value
        elif name == "DisableApiTermination":
            i.protected = value.lower() == "true"
        elif name in ("InstanceType", "UserData"):
            if i.state != "stopped":
                raise AwsError("IncorrectInstanceState", f"The instance '{i.id}' is not in the "
                               "'stopped' state.")
            if name == "UserData":
                i.user_data = read_user_data(value).decode("utf-8", "replace")
            elif value in self.world.scenario["types"]:
                i.type = value
            else:
                raise AwsError("InvalidParameterValue",
                               f"Invalid value '{value}' for InstanceType.")
        else:
            raise AwsError("InvalidParameterValue", f"Value ({name}) for parameter attribute is "
                           "invalid.")

    def GetConsoleOutput(self, region, params):
        i = self._find(region, [params["InstanceId"]])[0]
        lines = [f"[    0.000000] Linux on {i.type}, image {i.image_name}"]
        if i.state == "running":
            keys = i.machine.host_keys() if i.machine else []
            lines += ["-----BEGIN SSH HOST KEY KEYS-----", *keys,
                      "-----END SSH HOST KEY KEYS-----"]
        text = "\r\n".join(lines) + "\r\n"
        return {"instanceId": i.id, "timestamp": stamp(self.world.now()),
                "output": base64.b64encode(text.encode()).decode()}
