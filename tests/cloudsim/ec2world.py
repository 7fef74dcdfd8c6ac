# SPDX-License-Identifier: Apache-2.0
"""ec2world.py - the state of the simulated account: instances, groups, capacity, clock, faults"""

import ec2market
import simworld
from awswire import AwsError

STATES = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64,
          "stopped": 80}
ALIVE = ("pending", "running", "stopping", "stopped", "shutting-down")

_FAULT_DEFAULTS = {
    "InsufficientInstanceCapacity": (500, "We currently do not have sufficient capacity in the "
                                     "zone you asked for. Other zones may have it."),
    "UnfulfillableCapacity": (500, "There is no capacity that fits the request."),
    "VcpuLimitExceeded": (400, "You have requested more vCPU capacity than your current limit."),
    "MaxSpotInstanceCountExceeded": (400, "Max spot instance count exceeded"),
    "RequestLimitExceeded": (503, "Request limit exceeded."),
    "AuthFailure": (401, "AWS was not able to validate the provided access credentials"),
    "UnauthorizedOperation": (403, "You are not authorized to perform this operation."),
    "OptInRequired": (403, "You are not subscribed to this service."),
    "InternalError": (500, "An internal error has occurred"),
    "Unavailable": (503, "The server is overloaded and can't handle the request."),
    "Unsupported": (400, "The requested configuration is currently not supported."),
}


def fault_error(fault):
    status, message = _FAULT_DEFAULTS.get(fault["code"], (400, "by order of the scenario"))
    return AwsError(fault["code"], fault.get("message", message), fault.get("status", status))


class Instance(simworld.Instance):
    """A machine, with why it is in its state in EC2's words: 'reason' is (code, message)."""

    def __init__(self, **values):
        super().__init__()
        self.reason = ("", "")
        self.transition = ""
        self.protected = False
        self.interfaces = []
        self.placement = None     # the placement group that it is in
        self.reserved = None      # the capacity reservation that it is in
        self.__dict__.update(values)

    def set_state(self, state, reason=("", "")):
        super().set_state(state, reason)

    @property
    def on_shutdown(self):
        return self.shutdown

    @on_shutdown.setter
    def on_shutdown(self, value):
        self.shutdown = value


# why a machine is stopped or ended: EC2's code, its sentence, and what the API tells of it
_WHY = {
    "user": ("Client.UserInitiatedShutdown", "User initiated shutdown", "User initiated"),
    "inside": ("Client.InstanceInitiatedShutdown", "Instance initiated shutdown",
               "Instance initiated shutdown"),
    "preempted": ("Server.SpotInstanceTermination", "Spot instance termination",
                  "Spot instance termination"),
}


class World(simworld.World):
    """The account: besides machines its networks, groups and keys."""

    verbs = {"RunInstances": "create", "DescribeInstances": "list", "StartInstances": "start",
             "StopInstances": "stop", "TerminateInstances": "terminate", "GetProducts": "prices",
             "CreateSecurityGroup": "network", "AuthorizeSecurityGroupIngress": "network",
             "DeleteSecurityGroup": "network", "AuthorizeSecurityGroupEgress": "network",
             "CreatePlacementGroup": "network", "DeletePlacementGroup": "network",
             "ImportKeyPair": "keys", "DeleteKeyPair": "keys"}

    # ---- life of the world itself

    def own_defaults(self):
        return ec2market.defaults()

    def check_fault(self, fault):
        super().check_fault(fault)
        if self._is_bound(fault) and fault.get("action") not in ("RunInstances", "StartInstances",
                                                                 "create", "start"):
            raise ValueError("fault: zone, type and market go with errors of RunInstances and "
                             f"StartInstances only: {fault}")

    def load(self, scenario):
        self.check(scenario)
        self.scenario = {**simworld.common(), **ec2market.merge(scenario)}
        self.price_lists = {}
        self.given = scenario
        self.reset()

    def reset(self):
        super().reset()
        self.sessions = {}
        self.price_tokens = 0
        self.keys = {}
        self.groups = {}
        self.placements = {}
        self.vpcs = {}
        self.subnets = {}
        for region, row in self.scenario["regions"].items():
            if row["default_vpc"]:
                self._make_vpc(region, row)

    def _make_vpc(self, region, row):
        vpc = self.make_id("vpc", region)
        self.vpcs[vpc] = {"id": vpc, "region": region, "cidr": "172.31.0.0/16"}
        for n, zone in enumerate(row["zones"]):
            subnet = self.make_id("subnet", zone)
            self.subnets[subnet] = {"id": subnet, "region": region, "zone": zone, "vpc": vpc,
                                    "cidr": f"172.31.{16 * n}.0/20", "public": row["map_public_ip"]}
        self.make_group(region, vpc, "default", "default VPC security group", {})

    def make_group(self, region, vpc, name, description, tags):
        group = self.make_id("sg", region)
        self.groups[group] = {"id": group, "region": region, "vpc": vpc, "name": name,
                              "description": description, "tags": dict(tags), "ingress": [],
                              "egress": []}
        return self.groups[group]

    # ---- quota

    def size_of(self, type_name):
        row = self.scenario["types"][type_name]
        return {"vcpus": row["vcpus"], "gpus": (row["gpu"] or {"count": 0})["count"]}

    def check_quota(self, region, zone, type_name, market, count):
        row = self.broken_quota(region, zone, type_name, market, count)
        if row and market == "spot":
            raise AwsError("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
        if row:
            raise AwsError("VcpuLimitExceeded", "You have requested more vCPU capacity than your "
                           f"current vCPU limit of {row.get('vcpus')} allows for the instance "
                           "bucket that the specified instance type belongs to.")

    # ---- instances

    def start(self, instance):
        instance.transition = ""
        super().start(instance)

    def stop(self, instance, reason="user"):
        code, why, _ = _WHY[reason]
        super().stop(instance, (code, f"{code}: {why}"))
        instance.transition = "User initiated"

    def terminate(self, instance, reason="user"):
        code, why, told = _WHY.get(reason, reason)
        if instance.state not in (simworld.ENDING, simworld.ENDED):
            super().terminate(instance, (code, f"{code}: {why}"))
            instance.transition = told

    def forget(self, instance):
        super().forget(instance)
        for key, entry in list(self.tokens.items()):
            if all(i not in self.instances for i in entry["ids"]):
                del self.tokens[key]

    # ---- for the tests

    def leftovers(self):
        return ([f"{g['region']}: group {g['name']}" for g in self.groups.values()
                 if g["name"] != "default"]
                + [f"{p['region']}: placement group {p['name']}"
                   for p in self.placements.values()]
                + [f"{k['region']}: key {k['name']}" for k in self.keys.values()])

    def own_report(self):
        return {"account": self.scenario["account"], "groups": list(self.groups.values()),
                "placements": list(self.placements.values()),
                "keys": list(self.keys.values())}

    def row(self, i):
        row = super().row(i)
        row.update({k: getattr(i, k) for k in ("image", "shutdown", "groups", "launched_at",
                                               "resource_tags", "metadata", "disks", "interfaces",
                                               "placement", "reserved")})
        row["name"] = i.tags.get("Name")
        return row
