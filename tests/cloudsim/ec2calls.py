# SPDX-License-Identifier: Apache-2.0
"""ec2calls.py - the EC2 actions but RunInstances: what each does to the world and answers"""

import base64
import binascii
import fnmatch
import hashlib
import time

import ec2market
from awswire import AwsError, numbered, structs
from ec2world import STATES


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def filters(params):
    out = []
    for row in structs(params, "Filter"):
        values = numbered(row, "Value")
        if "Name" not in row or not values:
            raise AwsError("InvalidParameterValue", "a filter needs a name and values")
        out.append((row["Name"], values))
    return out


def check_filters(wanted, names, tagged=False):
    for name, _ in wanted:
        if name not in names and not (tagged and (name.startswith("tag:") or name == "tag-key")):
            raise AwsError("InvalidParameterValue", f"The filter '{name}' is invalid")


def matches(wanted, have, tags=None):
    """Does a thing pass all filters? 'have' maps filter names to lists of its values."""
    check_filters(wanted, have, tags is not None)
    for name, values in wanted:
        if name.startswith("tag:"):
            mine = [tags[name[4:]]] if name[4:] in tags else []
        elif name == "tag-key":
            mine = list(tags)
        else:
            mine = have[name] if isinstance(have[name], list) else [have[name]]
        mine = [str(m) for m in mine if m is not None]
        if not any(fnmatch.fnmatchcase(m, v.replace("[", "[[]")) for m in mine for v in values):
            return False
    return True


def page(params, rows, low, high, scenario=None):
    """One page of rows and the token of the next; the token is where it begins.

    The scenario may make pages smaller than asked for, and let each begin again with the last
    rows of the one before it, as when the list has changed meanwhile.
    """
    start = 0
    if "NextToken" in params:
        try:
            start = int(base64.b64decode(params["NextToken"], validate=True))
        except (ValueError, binascii.Error):
            raise AwsError("InvalidParameterValue", "Unable to parse pagination token") from None
    if "MaxResults" not in params:
        return rows[start:], None
    size = number(params, "MaxResults")
    if not low <= size <= high:
        raise AwsError("InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is "
                       f"invalid. Expecting a value between {low} and {high}.")
    overlap = 0
    if scenario and scenario["page_size"]:
        size = min(size, scenario["page_size"])
        overlap = min(scenario["page_overlap"], size - 1)
    token = None
    if start + size < len(rows):
        token = base64.b64encode(str(start + size - overlap).encode()).decode()
    return rows[start:start + size], token


def number(params, name):
    try:
        return int(params[name])
    except ValueError:
        raise AwsError("InvalidParameterValue",
                       f"Invalid value '{params[name]}' for {name}. It must be an integer."
                       ) from None


def flag(params, name, default=False):
    value = params.get(name)
    if value is None:
        return default
    if value.lower() not in ("true", "false"):
        raise AwsError("InvalidParameterValue", f"'{value}' is not a valid boolean for {name}")
    return value.lower() == "true"


def tag_items(tags):
    return [{"key": k, "value": v} for k, v in sorted(tags.items())] or None


def check_tags(pairs):
    tags = {}
    for row in pairs:
        key, value = row.get("Key", ""), row.get("Value", "")
        if not 0 < len(key) <= 128 or len(value) > 256 or key.startswith("aws:"):
            raise AwsError("InvalidParameterValue", f"Tag key '{key}' or its value is not valid")
        if key in tags:
            raise AwsError("InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        tags[key] = value
    if len(tags) > 50:
        raise AwsError("TagLimitExceeded", "More than 50 tags specified")
    return tags


def tags_for(params, allowed):
    """Tags by resource type from TagSpecification.N."""
    out = {}
    for row in structs(params, "TagSpecification"):
        kind = row.get("ResourceType", "")
        if kind not in allowed:
            raise AwsError("InvalidParameterValue",
                           f"'{kind}' is not a valid taggable resource type for this operation.")
        if kind in out:
            raise AwsError("InvalidParameterValue", f"'{kind}' is given twice")
        out[kind] = check_tags(structs(row, "Tag"))
    return out


def instance_item(world, i):
    """The <item> of an instance in RunInstances and DescribeInstances."""
    code, why = i.reason
    return {
        "instanceId": i.id, "imageId": i.image,
        "instanceState": {"code": STATES[i.state], "name": i.state},
        "privateDnsName": f"ip-{(i.private_ip or '').replace('.', '-')}.ec2.internal"
                          if i.private_ip else "",
        "dnsName": f"ec2-{i.ip.replace('.', '-')}.compute.amazonaws.com"
                   if i.ip and i.state == "running" else "",
        "reason": i.transition, "keyName": i.key_name, "amiLaunchIndex": i.index,
        "instanceType": i.type, "launchTime": stamp(i.launched_at),
        "placement": {"availabilityZone": i.zone, "groupName": i.placement or "",
                      "tenancy": "default"},
        "monitoring": {"state": "disabled"}, "subnetId": i.subnet, "vpcId": i.vpc,
        "privateIpAddress": i.private_ip,
        "ipAddress": i.ip if i.state == "running" else None,
        "sourceDestCheck": True,
        "groupSet": [{"groupId": g, "groupName": world.groups[g]["name"]}
                     for g in i.groups if g in world.groups],
        "stateReason": {"code": code, "message": why} if code else
                       ({"code": "pending", "message": "pending"}
                        if i.state == "pending" else None),
        "architecture": i.arch, "rootDeviceType": "ebs", "rootDeviceName": i.root_device,
        "blockDeviceMapping": [{"deviceName": d["device"], "ebs": {
            "volumeId": d["volume"], "status": "attached", "attachTime": stamp(i.launched_at),
            "deleteOnTermination": d["delete"]}} for d in i.disks]
        if i.state != "terminated" else [],
        "virtualizationType": "hvm", "hypervisor": "xen", "clientToken": i.token or "",
        "instanceLifecycle": "spot" if i.market == "spot" else None,
        "spotInstanceRequestId": i.spot_request,
        "tagSet": tag_items(i.tags),
        "metadataOptions": {
            "state": "applied", "httpTokens": i.metadata.get("HttpTokens", "optional"),
            "httpPutResponseHopLimit": i.metadata.get("HttpPutResponseHopLimit", "1"),
            "httpEndpoint": i.metadata.get("HttpEndpoint", "enabled")},
    }


class Calls:
    """One method for each action: method(region, params) -> the members of the answer."""

    def __init__(self, world):
        self.world = world

    # ---- places and types

    def _regions(self):
        return self.world.scenario["regions"]

    def DescribeRegions(self, region, params):
        names = numbered(params, "RegionName")
        wanted = filters(params)
        rows = []
        for name in names:
            if name not in self._regions():
                raise AwsError("InvalidParameterValue", f"Invalid region name: '{name}'")
        for name, row in sorted(self._regions().items()):
            if row["opt_in"] == "not-opted-in" and not flag(params, "AllRegions"):
                continue
            endpoint = f"ec2.{name}.amazonaws.com"
            if (not names or name in names) and matches(wanted, {
                    "region-name": name, "endpoint": endpoint, "opt-in-status": row["opt_in"]}):
                rows.append({"regionName": name, "regionEndpoint": endpoint,
                             "optInStatus": row["opt_in"]})
        return {"regionInfo": rows}

    def DescribeAvailabilityZones(self, region, params):
        names = numbered(params, "ZoneName")
        ids = numbered(params, "ZoneId")
        zones = self._regions()[region]["zones"]
        for name in names:
            if name not in zones:
                raise AwsError("InvalidParameterValue", f"Invalid availability zone: [{name}]")
        rows = []
        for n, zone in enumerate(zones):
            zone_id = "".join(p[0] for p in region.split("-")[:-1]) + region[-1] + f"-az{n + 1}"
            row = {"zoneName": zone, "zoneState": "available", "regionName": region,
                   "zoneId": zone_id, "zoneType": "availability-zone", "groupName": region,
                   "networkBorderGroup": region, "optInStatus": "opt-in-not-required",
                   "messageSet": []}
            have = {"zone-name": zone, "zone-id": zone_id, "state": "available",
                    "zone-type": "availability-zone", "region-name": region, "group-name": region,
                    "opt-in-status": "opt-in-not-required"}
            if ((not names or zone in names) and (not ids or zone_id in ids)
                    and matches(filters(params), have)):
                rows.append(row)
        return {"availabilityZoneInfo": rows}

    def _type_item(self, name):
        row = self.world.scenario["types"][name]
        gpu = row["gpu"]
        item = {
            "instanceType": name, "currentGeneration": True, "freeTierEligible": False,
            "supportedUsageClasses": row["usage"],
            "supportedRootDeviceTypes": ["ebs"], "supportedVirtualizationTypes": ["hvm"],
            "bareMetal": ec2market.is_metal(name), "hypervisor": "nitro",
            "processorInfo": {"supportedArchitectures": [row["arch"]],
                              "sustainedClockSpeedInGhz": 3.1},
            "vCpuInfo": {"defaultVCpus": row["vcpus"], "defaultCores": max(1, row["vcpus"] // 2),
                         "defaultThreadsPerCore": 2 if row["arch"] == "x86_64" else 1},
            "memoryInfo": {"sizeInMiB": row["memory_mib"]},
            "instanceStorageSupported": row["disk_gb"] > 0,
        }
        if row["disk_gb"]:
            item["instanceStorageInfo"] = {"totalSizeInGB": row["disk_gb"],
                                           "nvmeSupport": "required"}
        if gpu:
            part = gpu.get("partition", 1)
            item["gpuInfo"] = {
                "gpus": [{"name": gpu["name"], "manufacturer": gpu["manufacturer"],
                          "count": gpu["count"] if part == 1 else 0,
                          "logicalGpuCount": gpu["count"], "gpuPartitionSize": part,
                          "memoryInfo": {"sizeInMiB": gpu["memory_mib"]}}],
                "totalGpuMemoryInMiB": gpu["count"] * gpu["memory_mib"]}
        if row["neuron"]:
            item["neuronInfo"] = {"neuronDevices": [self._device(row["neuron"])]}
        if row["fpga"]:
            item["fpgaInfo"] = {"fpgas": [self._device(row["fpga"])]}
        item["networkInfo"] = {"maximumNetworkCards": 1, "efaSupported": row["efa"] is not None}
        if row["efa"]:
            item["networkInfo"].update(maximumNetworkCards=row["efa"]["cards"], efaInfo={
                "maximumEfaInterfaces": row["efa"]["interfaces"]})
        item["burstablePerformanceSupported"] = row["burstable"]
        return item

    @staticmethod
    def _device(row):
        return {"name": row["name"], "count": row["count"],
                "memoryInfo": {"sizeInMiB": row["memory_mib"]}}

    def DescribeInstanceTypes(self, region, params):
        types = self.world.scenario["types"]
        names = numbered(params, "InstanceType")
        for name in names:
            if name not in types or not self._sold(name, region):
                raise AwsError("InvalidInstanceType", "The following supplied instance types do "
                               f"not exist: [{name}]")
        rows = []
        for name, row in sorted(types.items()):
            have = {"instance-type": name, "current-generation": "true", "bare-metal": "false",
                    "supported-usage-class": ["on-demand", "spot"], "hypervisor": "nitro",
                    "processor-info.supported-architecture": row["arch"],
                    "vcpu-info.default-vcpus": row["vcpus"],
                    "memory-info.size-in-mib": row["memory_mib"],
                    "burstable-performance-supported": str(row["burstable"]).lower(),
                    "supported-virtualization-type": "hvm", "supported-root-device-type": "ebs",
                    "instance-storage-supported": str(row["disk_gb"] > 0).lower()}
            if (self._sold(name, region) and (not names or name in names)
                    and matches(filters(params), have)):
                rows.append(self._type_item(name))
        rows, token = page(params, rows, 5, 100, self.world.scenario)
        return {"instanceTypeSet": rows, "nextToken": token}

    def _sold(self, name, region):
        return any(ec2market.sold_in(self.world.scenario, name, zone)
                   for zone in self._regions()[region]["zones"])

    def DescribeInstanceTypeOfferings(self, region, params):
        kind = params.get("LocationType", "region")
        zones = self._regions()[region]["zones"]
        places = {"region": [region], "availability-zone": zones}.get(kind)
        if places is None:
            raise AwsError("InvalidParameterValue", f"Invalid value '{kind}' for locationType")
        rows = []
        for place in places:
            for name in sorted(self.world.scenario["types"]):
                sold = (self._sold(name, region) if kind == "region"
                        else ec2market.sold_in(self.world.scenario, name, place))
                if sold and matches(filters(params), {"location": place, "instance-type": name}):
                    rows.append({"instanceType": name, "locationType": kind, "location": place})
        rows, token = page(params, rows, 5, 1000, self.world.scenario)
        return {"instanceTypeOfferingSet": rows, "nextToken": token}

    def DescribeSpotPriceHistory(self, region, params):
        names = numbered(params, "InstanceType")
        products = numbered(params, "ProductDescription") or ["Linux/UNIX"]
        zone_only = params.get("AvailabilityZone")
        rows = []
        for zone in self._regions()[region]["zones"]:
            for name in sorted(self.world.scenario["types"]):
                if names and name not in names or zone_only not in (None, zone):
                    continue
                if (not ec2market.sold_in(self.world.scenario, name, zone)
                        or "spot" not in self.world.scenario["types"][name]["usage"]
                        or not {"Linux/UNIX", "Linux/UNIX (Amazon VPC)"} & set(products)):
                    continue
                for hours, cost in ec2market.spot_history(self.world.scenario, zone, name):
                    have = {"availability-zone": zone, "instance-type": name,
                            "product-description": "Linux/UNIX", "spot-price": f"{cost:.6f}"}
                    if not matches(filters(params), have):
                        continue
                    # in no order that a client could rely on
                    place = hashlib.sha256(f"{zone}/{name}/{hours}".encode()).digest()
                    rows.append((place, {
                        "instanceType": name, "productDescription": "Linux/UNIX",
                        "spotPrice": f"{cost:.6f}", "availabilityZone": zone,
                        "timestamp": stamp(self.world.now() - 3600 * hours)}))
        rows = [row for _, row in sorted(rows, key=lambda pair: pair[0])]
        rows, token = page(params, rows, 1, 1000, self.world.scenario)
        return {"spotPriceHistorySet": rows, "nextToken": token or ""}

    def DescribeImages(self, region, params):
        ids = numbered(params, "ImageId")
        owners = numbered(params, "Owner")
        have = ec2market.images(region)
        for ami in ids:
            if ami not in have:
                raise AwsError("InvalidAMIID.NotFound", f"The image id '[{ami}]' does not exist")
        rows = []
        for ami, image in sorted(have.items()):
            fits = matches(filters(params), {
                "name": image["name"], "state": "available", "architecture": image["arch"],
                "owner-id": image["owner"], "owner-alias": image["alias"], "image-id": ami,
                "image-type": "machine", "is-public": "true", "root-device-type": "ebs",
                "virtualization-type": "hvm", "root-device-name": image["root_device"]})
            if not fits or ids and ami not in ids:
                continue
            if owners and image["owner"] not in owners and image["alias"] not in owners:
                continue
            rows.append({
                "imageId": ami, "imageLocation": f"{image['owner']}/{image['name']}",
                "imageState": "available", "imageOwnerId": image["owner"],
                "creationDate": image["created"], "isPublic": True,
                "architecture": image["arch"], "imageType": "machine", "name": image["name"],
                "imageOwnerAlias": image["alias"],
                "rootDeviceType": "ebs", "rootDeviceName": image["root_device"],
                "blockDeviceMapping": [{"deviceName": image["root_device"], "ebs": {
                    "snapshotId": "snap-" + ami[4:], "volumeSize": image["root_gib"],
                    "deleteOnTermination": True, "volumeType": "gp3", "encrypted": False}}],
                "virtualizationType": "hvm", "hypervisor": "xen", "enaSupport": True})
        rows, token = page(params, rows, 1, 1000)
        return {"imagesSet": rows, "nextToken": token}

    # ---- network

    def DescribeVpcs(self, region, params):
        ids = numbered(params, "VpcId")
        self._known(ids, self.world.vpcs, region, "InvalidVpcID.NotFound", "vpc ID")
        rows = []
        for vpc in self.world.vpcs.values():
            have = {"vpc-id": vpc["id"], "is-default": "true", "isDefault": "true",
                    "state": "available", "cidr": vpc["cidr"], "cidrBlock": vpc["cidr"],
                    "owner-id": self.world.scenario["account"]}
            if (vpc["region"] == region and (not ids or vpc["id"] in ids)
                    and matches(filters(params), have, {})):
                rows.append({"vpcId": vpc["id"], "state": "available", "cidrBlock": vpc["cidr"],
                             "isDefault": True, "ownerId": self.world.scenario["account"],
                             "instanceTenancy": "default"})
        rows, token = page(params, rows, 5, 1000)
        return {"vpcSet": rows, "nextToken": token}

    @staticmethod
    def _known(ids, table, region, code, what):
        for one in ids:
            if one not in table or table[one]["region"] != region:
                raise AwsError(code, f"The {what} '{one}' does not exist")

    def DescribeSubnets(self, region, params):
        ids = numbered(params, "SubnetId")
        self._known(ids, self.world.subnets, region, "InvalidSubnetID.NotFound", "subnet ID")
        rows = []
        for net in self.world.subnets.values():
            have = {"subnet-id": net["id"], "vpc-id": net["vpc"], "availability-zone": net["zone"],
                    "availabilityZone": net["zone"], "default-for-az": "true",
                    "defaultForAz": "true", "state": "available", "cidr-block": net["cidr"],
                    "map-public-ip-on-launch": str(net["public"]).lower()}
            if (net["region"] == region and (not ids or net["id"] in ids)
                    and matches(filters(params), have, {})):
                rows.append({"subnetId": net["id"], "state": "available", "vpcId": net["vpc"],
                             "cidrBlock": net["cidr"], "availableIpAddressCount": 4091,
                             "availabilityZone": net["zone"], "defaultForAz": True,
                             "mapPublicIpOnLaunch": net["public"]})
        rows, token = page(params, rows, 5, 1000)
        return {"subnetSet": rows, "nextToken": token}

    def CreateSecurityGroup(self, region, params):
        tags = tags_for(params, ("security-group",)).get("security-group", {})
        name, about = params["GroupName"], params["GroupDescription"]
        vpc = params.get("VpcId") or self.default_vpc(region)
        self._known([vpc], self.world.vpcs, region, "InvalidVpcID.NotFound", "vpc ID")
        if not name or len(name) > 255 or name.startswith("sg-") or not about or len(about) > 255:
            raise AwsError("InvalidParameterValue", "Invalid security group name or description")
        if any(g["name"] == name and g["vpc"] == vpc for g in self.world.groups.values()):
            raise AwsError("InvalidGroup.Duplicate",
                           f"The security group '{name}' already exists for VPC '{vpc}'")
        group = self.world.make_group(region, vpc, name, about, tags)
        return {"return": True, "groupId": group["id"], "tagSet": tag_items(tags)}

    def default_vpc(self, region):
        for vpc in self.world.vpcs.values():
            if vpc["region"] == region:
                return vpc["id"]
        raise AwsError("VPCIdNotSpecified", "No default VPC for this user")

    def find_group(self, region, params):
        if "GroupId" in params:
            group = self.world.groups.get(params["GroupId"])
            if group and group["region"] == region:
                return group
            raise AwsError("InvalidGroup.NotFound",
                           f"The security group '{params['GroupId']}' does not exist")
        if "GroupName" in params:
            vpc = self.default_vpc(region)
            for group in self.world.groups.values():
                if group["name"] == params["GroupName"] and group["vpc"] == vpc:
                    return group
            raise AwsError("InvalidGroup.NotFound", f"The security group '{params['GroupName']}' "
                           "does not exist in default VPC")
        raise AwsError("MissingParameter",
                       "The request must contain the parameter groupName or groupId")

    def DescribeSecurityGroups(self, region, params):
        ids, names = numbered(params, "GroupId"), numbered(params, "GroupName")
        for one in ids:
            self.find_group(region, {"GroupId": one})
        for one in names:
            self.find_group(region, {"GroupName": one})
        rows = []
        for group in self.world.groups.values():
            have = {"group-id": group["id"], "group-name": group["name"], "vpc-id": group["vpc"],
                    "description": group["description"],
                    "owner-id": self.world.scenario["account"]}
            if (group["region"] == region and (not ids or group["id"] in ids)
                    and (not names or group["name"] in names)
                    and matches(filters(params), have, group["tags"])):
                rows.append({"ownerId": self.world.scenario["account"], "groupId": group["id"],
                             "groupName": group["name"], "groupDescription": group["description"],
                             "vpcId": group["vpc"], "tagSet": tag_items(group["tags"]),
                             "ipPermissions": [self._permission(r) for r in group["ingress"]],
                             "ipPermissionsEgress": [self._permission(r)
                                                     for r in group["egress"]]})
        rows, token = page(params, rows, 5, 1000)
        return {"securityGroupInfo": rows, "nextToken": token}

    def _permission(self, rule):
        account = self.world.scenario["account"]
        item = {"ipProtocol": rule["protocol"]}
        if rule["protocol"] != "-1":
            item.update(fromPort=rule["from"], toPort=rule["to"])
        item["groups"] = [{"userId": account, "groupId": rule["source"]}] \
            if rule["source"].startswith("sg-") else []
        item["ipRanges"] = [{"cidrIp": rule["source"]}] if "." in rule["source"] else []
        item["ipv6Ranges"] = [{"cidrIpv6": rule["source"]}] if ":" in rule["source"] else []
        return item

    def AuthorizeSecurityGroupIngress(self, region, params):
        return self._authorize(region, params, "ingress")

    def AuthorizeSecurityGroupEgress(self, region, params):
        return self._authorize(region, params, "egress")

    def _authorize(self, region, params, way):
        group = self.find_group(region, params)
        asked = structs(params, "IpPermissions")
        if "IpProtocol" in params:
            flat = {k: params[k] for k in ("IpProtocol", "FromPort", "ToPort") if k in params}
            asked.append(dict(flat, **{"IpRanges.1.CidrIp": params.get("CidrIp", "")}))
        new = [rule for row in asked for rule in self._rules(region, row)]
        if not new:
            raise AwsError("MissingParameter",
                           "The request must contain the parameter ipPermissions")
        for rule in new:
            if rule in group[way]:
                raise AwsError("InvalidPermission.Duplicate",
                               f"the specified rule \"peer: {rule['source']}, {rule['protocol']}, "
                               f"from port: {rule['from']}, to port: {rule['to']}, ALLOW\" already "
                               "exists")
        if len(group[way]) + len(new) > 60:
            raise AwsError("RulesPerSecurityGroupLimitExceeded",
                           "The maximum number of rules per security group has been reached.")
        group[way] += new
        return {"return": True}

    def _rules(self, region, row):
        protocol = row.get("IpProtocol")
        if protocol not in ("tcp", "udp", "icmp", "icmpv6", "-1", "6", "17"):
            raise AwsError("InvalidParameterValue", f"Invalid value '{protocol}' for IP protocol.")
        low = high = -1
        if protocol != "-1":
            for name in ("FromPort", "ToPort"):
                if name not in row:
                    raise AwsError("MissingParameter", f"The request must contain {name}")
            low, high = number(row, "FromPort"), number(row, "ToPort")
            if not -1 <= low <= high <= 65535:
                raise AwsError("InvalidParameterValue", f"Invalid port range {low}-{high}")
        sources = [r.get("CidrIp", "") for r in structs(row, "IpRanges")]
        sources += [r.get("CidrIpv6", "") for r in structs(row, "Ipv6Ranges")]
        for source in sources:
            if "/" not in source or not source[0].isalnum() and source[0] != ":":
                raise AwsError("InvalidParameterValue", f"CIDR block {source} is malformed")
        for r in structs(row, "Groups"):
            sources.append(self.find_group(region, {"GroupId": r.get("GroupId", "")})["id"])
        return [{"protocol": protocol, "from": low, "to": high, "source": s} for s in sources]

    def DeleteSecurityGroup(self, region, params):
        group = self.find_group(region, params)
        if group["name"] == "default":
            raise AwsError("CannotDelete", f"the specified group: \"{group['id']}\" name: "
                           "\"default\" cannot be deleted by a user")
        users = [i.id for i in self.world.instances.values()
                 if group["id"] in i.groups and i.state != "terminated"]
        others = [g["id"] for g in self.world.groups.values() if g is not group
                  and any(r["source"] == group["id"] for r in g["ingress"])]
        if users or others:
            raise AwsError("DependencyViolation", f"resource {group['id']} has a dependent object")
        del self.world.groups[group["id"]]
        return {"return": True, "groupId": group["id"]}

    # ---- keys and tags

    def ImportKeyPair(self, region, params):
        tags = tags_for(params, ("key-pair",)).get("key-pair", {})
        name = params["KeyName"]
        try:
            text = base64.b64decode(params["PublicKeyMaterial"], validate=True).decode()
            kind, blob = text.split()[:2]
            raw = base64.b64decode(blob, validate=True)
        except (ValueError, binascii.Error):
            raise AwsError("InvalidKey.Format", "Key is not in valid OpenSSH public key format") \
                from None
        if kind not in ("ssh-ed25519", "ssh-rsa") or not name or len(name) > 255:
            raise AwsError("InvalidKey.Format", "Key is not in valid OpenSSH public key format")
        if (region, name) in self.world.keys:
            raise AwsError("InvalidKeyPair.Duplicate", f"The keypair '{name}' already exists.")
        key = {"id": self.world.make_id("key", region), "name": name, "region": region,
               "public": text.strip(), "tags": tags,
               "fingerprint": base64.b64encode(hashlib.sha256(raw).digest()).decode()}
        self.world.keys[region, name] = key
        return {"keyName": name, "keyPairId": key["id"], "keyFingerprint": key["fingerprint"],
                "tagSet": tag_items(tags)}

    def DescribeKeyPairs(self, region, params):
        names, ids = numbered(params, "KeyName"), numbered(params, "KeyPairId")
        check_filters(filters(params), ("key-name", "key-pair-id", "fingerprint"), True)
        mine = [k for k in self.world.keys.values() if k["region"] == region]
        for name in names:
            if all(k["name"] != name for k in mine):
                raise AwsError("InvalidKeyPair.NotFound", f"The key pair '{name}' does not exist")
        rows = []
        for key in mine:
            have = {"key-name": key["name"], "key-pair-id": key["id"],
                    "fingerprint": key["fingerprint"]}
            if ((not names or key["name"] in names) and (not ids or key["id"] in ids)
                    and matches(filters(params), have, key["tags"])):
                rows.append({"keyPairId": key["id"], "keyName": key["name"],
                             "keyFingerprint": key["fingerprint"],
                             "keyType": "ed25519" if "ed25519" in key["public"] else "rsa",
                             "tagSet": tag_items(key["tags"]),
                             "publicKey": key["public"] if flag(params, "IncludePublicKey")
                             else None})
        return {"keySet": rows}

    def DeleteKeyPair(self, region, params):
        for place, key in list(self.world.keys.items()):
            if key["region"] == region and (key["name"] == params.get("KeyName")
                                            or key["id"] == params.get("KeyPairId")):
                del self.world.keys[place]
        return {"return": True}

    def CreateTags(self, region, params):
        tags = check_tags(structs(params, "Tag"))
        targets = []
        for one in numbered(params, "ResourceId"):
            if one in self.world.groups and self.world.groups[one]["region"] == region:
                targets.append(self.world.groups[one]["tags"])
                continue
            found = [k["tags"] for k in self.world.keys.values()
                     if k["id"] == one and k["region"] == region]
            if found:
                targets += found
                continue
            instance = self.world.instances.get(one)
            if not instance or instance.region != region or instance.hidden:
                raise AwsError("InvalidID" if not one.startswith("i-")
                               else "InvalidInstanceID.NotFound", f"The ID '{one}' does not exist")
            targets.append(instance.tags)
        for target in targets:
            target.update(tags)
        return {"return": True}
