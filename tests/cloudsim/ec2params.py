# SPDX-License-Identifier: Apache-2.0
"""ec2params.py - which parameters each action takes, and their comparison with a service model"""

import json
import os
import re

from awswire import AwsError, pattern

_FILTERS = "DryRun Filter.#.Name Filter.#.Value.#"
_PAGE = "MaxResults NextToken"
_TAGSPEC = ("TagSpecification.#.ResourceType TagSpecification.#.Tag.#.Key "
            "TagSpecification.#.Tag.#.Value")

_RUN = f"""
    ImageId InstanceType MinCount MaxCount KeyName UserData ClientToken DryRun EbsOptimized
    InstanceInitiatedShutdownBehavior DisableApiTermination SubnetId PrivateIpAddress
    SecurityGroup.# SecurityGroupId.# Monitoring.Enabled
    Placement.AvailabilityZone Placement.Tenancy Placement.GroupName
    IamInstanceProfile.Arn IamInstanceProfile.Name
    BlockDeviceMapping.#.DeviceName BlockDeviceMapping.#.Ebs.VolumeSize
    BlockDeviceMapping.#.Ebs.VolumeType BlockDeviceMapping.#.Ebs.DeleteOnTermination
    BlockDeviceMapping.#.Ebs.Encrypted BlockDeviceMapping.#.Ebs.Iops
    BlockDeviceMapping.#.Ebs.Throughput
    InstanceMarketOptions.MarketType InstanceMarketOptions.SpotOptions.MaxPrice
    InstanceMarketOptions.SpotOptions.SpotInstanceType
    InstanceMarketOptions.SpotOptions.InstanceInterruptionBehavior
    MetadataOptions.HttpTokens MetadataOptions.HttpPutResponseHopLimit
    MetadataOptions.HttpEndpoint MetadataOptions.InstanceMetadataTags
    NetworkInterface.#.DeviceIndex NetworkInterface.#.SubnetId
    NetworkInterface.#.AssociatePublicIpAddress NetworkInterface.#.SecurityGroupId.#
    NetworkInterface.#.DeleteOnTermination NetworkInterface.#.Description
    NetworkInterface.#.PrivateIpAddress NetworkInterface.#.NetworkCardIndex
    NetworkInterface.#.InterfaceType
    CapacityReservationSpecification.CapacityReservationPreference
    CapacityReservationSpecification.CapacityReservationTarget.CapacityReservationId
    {_TAGSPEC}"""

_INGRESS = f"""
    GroupId GroupName DryRun CidrIp FromPort ToPort IpProtocol
    IpPermissions.#.IpProtocol IpPermissions.#.FromPort IpPermissions.#.ToPort
    IpPermissions.#.IpRanges.#.CidrIp IpPermissions.#.IpRanges.#.Description
    IpPermissions.#.Ipv6Ranges.#.CidrIpv6 IpPermissions.#.Ipv6Ranges.#.Description
    IpPermissions.#.Groups.#.GroupId IpPermissions.#.Groups.#.UserId
    IpPermissions.#.Groups.#.Description {_TAGSPEC}"""

_MODIFY = """
    InstanceId DryRun Attribute Value GroupId.# InstanceType.Value UserData.Value
    InstanceInitiatedShutdownBehavior.Value DisableApiTermination.Value"""

# action: (parameters it takes, parameters it must have)
EC2 = {
    "DescribeRegions": (f"{_FILTERS} RegionName.# AllRegions", ""),
    "DescribeAvailabilityZones": (f"{_FILTERS} ZoneName.# ZoneId.# AllAvailabilityZones", ""),
    "DescribeInstanceTypes": (f"{_FILTERS} {_PAGE} InstanceType.#", ""),
    "DescribeInstanceTypeOfferings": (f"{_FILTERS} {_PAGE} LocationType", ""),
    "DescribeSpotPriceHistory": (f"{_FILTERS} {_PAGE} InstanceType.# ProductDescription.# "
                                 "AvailabilityZone StartTime EndTime", ""),
    "DescribeImages": (f"{_FILTERS} {_PAGE} ImageId.# Owner.# IncludeDeprecated", ""),
    "DescribeVpcs": (f"{_FILTERS} {_PAGE} VpcId.#", ""),
    "DescribeSubnets": (f"{_FILTERS} {_PAGE} SubnetId.#", ""),
    "CreateSecurityGroup": (f"GroupName GroupDescription VpcId DryRun {_TAGSPEC}",
                            "GroupName GroupDescription"),
    "DescribeSecurityGroups": (f"{_FILTERS} {_PAGE} GroupId.# GroupName.#", ""),
    "AuthorizeSecurityGroupIngress": (_INGRESS, ""),
    "AuthorizeSecurityGroupEgress": (_INGRESS, "GroupId"),
    "CreatePlacementGroup": (f"GroupName Strategy DryRun {_TAGSPEC}", ""),
    "DescribePlacementGroups": (f"{_FILTERS} GroupName.# GroupId.#", ""),
    "DeletePlacementGroup": ("GroupName DryRun", "GroupName"),
    "DescribeCapacityReservations": (f"{_FILTERS} {_PAGE} CapacityReservationId.#", ""),
    "DeleteSecurityGroup": ("GroupId GroupName DryRun", ""),
    "ImportKeyPair": (f"KeyName PublicKeyMaterial DryRun {_TAGSPEC}",
                      "KeyName PublicKeyMaterial"),
    "DescribeKeyPairs": (f"{_FILTERS} KeyName.# KeyPairId.# IncludePublicKey", ""),
    "DeleteKeyPair": ("KeyName KeyPairId DryRun", ""),
    "RunInstances": (_RUN, "ImageId MinCount MaxCount"),
    "DescribeInstances": (f"{_FILTERS} {_PAGE} InstanceId.#", ""),
    "CreateTags": ("ResourceId.# Tag.#.Key Tag.#.Value DryRun", "ResourceId.# Tag.#.Key"),
    "StartInstances": ("InstanceId.# DryRun", "InstanceId.#"),
    "StopInstances": ("InstanceId.# Force Hibernate DryRun", "InstanceId.#"),
    "TerminateInstances": ("InstanceId.# Force DryRun", "InstanceId.#"),
    "ModifyInstanceAttribute": (_MODIFY, "InstanceId"),
    "GetConsoleOutput": ("InstanceId Latest DryRun", "InstanceId"),
}

STS = {
    "GetCallerIdentity": ("", ""),
    "AssumeRole": ("RoleArn RoleSessionName DurationSeconds ExternalId",
                   "RoleArn RoleSessionName"),
}

# JSON services: (service, operation): (members it takes, members it must have)
JSON = {
    ("ssm", "GetParameter"): ("Name WithDecryption", "Name"),
    ("ssm", "GetParameters"): ("Names WithDecryption", "Names"),
    ("ssm", "GetParametersByPath"): ("Path Recursive MaxResults NextToken WithDecryption",
                                     "Path"),
    ("servicequotas", "GetServiceQuota"): ("ServiceCode QuotaCode ContextId",
                                           "ServiceCode QuotaCode"),
    ("pricing", "GetProducts"): ("ServiceCode Filters FormatVersion MaxResults NextToken",
                                 "ServiceCode"),
}


def check(table, action, params):
    """Raise what the query API answers to an unknown or a missing parameter."""
    takes, needs = (set(text.split()) for text in table[action])
    given = {pattern(name) for name in params} - {"Action", "Version"}
    for name in sorted(given - takes):
        raise AwsError("UnknownParameter",
                       f"The parameter {name.replace('#', 'N')} is not recognized")
    for name in sorted(needs):
        if name not in given:
            raise AwsError("MissingParameter",
                           f"The request must contain the parameter {name.split('.')[0]}")
    for name in params:
        if any(part.isdigit() and int(part) not in range(1, 1001) for part in name.split(".")):
            raise AwsError("InvalidParameter", f"The list index in {name} is out of range")


class Model:
    """The service models of a folder of specs: what the real service would take."""

    def __init__(self, folder):
        self.ec2 = self._load(folder, r"ec2-[0-9-]+\.json", self._wire_ec2)
        self.sts = self._load(folder, r"sts-[0-9-]+\.json", self._wire_query)

    @staticmethod
    def _load(folder, name, wire):
        for base in (folder, os.path.join(folder, "aws")):
            if not os.path.isdir(base):
                continue
            for entry in sorted(os.listdir(base)):
                if re.fullmatch(name, entry):
                    with open(os.path.join(base, entry), encoding="utf-8") as file:
                        return Model._flatten(json.load(file), wire)
        raise FileNotFoundError(f"no file {name} in '{folder}'")

    @staticmethod
    def _wire_ec2(member, spec):
        if "queryName" in spec:
            return spec["queryName"]
        name = spec.get("locationName", member)
        return name[0].upper() + name[1:]

    @staticmethod
    def _wire_query(member, spec):
        return spec.get("locationName", member)

    @staticmethod
    def _flatten(model, wire):
        shapes = model["shapes"]

        def walk(shape, prefix, seen, out):
            spec = shapes[shape]
            if spec["type"] == "structure" and shape not in seen:
                for member, sub in spec["members"].items():
                    walk(sub["shape"], prefix + [wire(member, sub)], seen | {shape}, out)
            elif spec["type"] == "list":
                walk(spec["member"]["shape"], prefix + ["#"], seen, out)
            elif spec["type"] != "structure":
                out.add(".".join(prefix))

        actions = {}
        for name, operation in model["operations"].items():
            actions[name] = set()
            if "input" in operation:
                walk(operation["input"]["shape"], [], frozenset(), actions[name])
        return actions

    def refuse_unmodelled(self, service, action, params):
        """A parameter that AWS takes and this server does not is a gap here, not a client's bug."""
        own = {"ec2": EC2, "sts": STS}[service]
        real = {"ec2": self.ec2, "sts": self.sts}[service].get(action)
        if real is None:
            return
        takes = set(own[action][0].split())
        for name in sorted({pattern(p) for p in params} - {"Action", "Version"} - takes):
            if name in real:
                raise AwsError("NotModelled", f"'{name}' of {action} is real, but this server does "
                               "not act on it: extend it", 501)

    def strangers(self):
        """Parameters in our tables that the models do not have; empty when all is well."""
        out = []
        for own, real in ((EC2, self.ec2), (STS, self.sts)):
            for action, (takes, _) in own.items():
                if action in real:
                    out += [f"{action}: {p}" for p in takes.split() if p not in real[action]]
        return out
