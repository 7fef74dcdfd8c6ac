# SPDX-License-Identifier: Apache-2.0
"""ec2world.py - the state of the simulated account: instances, groups, capacity, clock, faults"""

import fnmatch
import hashlib
import threading
import time

import ec2market
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


class Instance:
    """One machine, with all that the API tells of it."""

    def __init__(self, **values):
        self.state = "pending"
        self.looks = 0            # times it could have been seen since its state was entered
        self.seen = 0             # times it was looked for while it could not yet be found
        self.hidden = False
        self.reason = ("", "")
        self.transition = ""
        self.runs = 0
        self.billed = 0.0
        self.started_at = None
        self.tags = {}
        self.machine = None
        self.ip = None
        self.protected = False
        self.__dict__.update(values)

    def set_state(self, state, code="", message=""):
        self.state = state
        self.looks = 0
        self.reason = (code, message)


class World:
    """Everything the server remembers. One lock guards it; callers hold it."""

    def __init__(self, scenario, machines=None):
        self.lock = threading.RLock()
        self.machines = machines
        self.offset = 0.0
        self.load(scenario)

    # ---- life of the world itself

    def load(self, scenario):
        self.scenario = ec2market.merge(scenario)
        self.price_lists = {}
        self.given = scenario
        self.reset()

    def reset(self):
        if self.machines:
            self.machines.end_all()
        self.offset = 0.0
        self.serial = 0
        self.instances = {}
        self.tokens = {}
        self.sessions = {}
        self.faults = [dict(f) for f in self.scenario["faults"]]
        for fault in self.faults:
            fault["hits"] = 0
        self.requests = []
        self.price_tokens = 0
        self.keys = {}
        self.groups = {}
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
                              "description": description, "tags": dict(tags), "ingress": []}
        return self.groups[group]

    def make_id(self, kind, seed):
        self.serial += 1
        digest = hashlib.sha256(f"{kind}/{seed}/{self.serial}".encode()).hexdigest()
        return f"{kind}-{digest[:17]}"

    def now(self):
        return time.time() + self.offset

    def advance(self, seconds):
        if seconds < 0:
            raise ValueError("time only goes forward")
        self.offset += seconds

    # ---- faults

    def fault(self, action, region, resource, **place):
        """
        The fault that applies now, or None. The server asks once for each request with
        'resource' false, for faults that name no zone, type or market; RunInstances and
        StartInstances ask again with 'resource' true, when zone, type and market are known.
        A fault counts as used only here.
        """
        for fault in self.faults:
            bound = any(k in fault for k in ("zone", "type", "market"))
            if bound != resource or not self._fits(fault, action, region, place):
                continue
            fault["hits"] += 1
            done = fault["hits"] - fault.get("skip", 0)
            times = fault.get("times", 1)
            if done > 0 and (times < 0 or done <= times):
                return fault
        return None

    def zone_is_barred(self, action, region, zone, type_name, market):
        """Would a fault that names this zone apply now? Asked without using it up."""
        for fault in self.faults:
            if "zone" in fault and self._fits(fault, action, region, {
                    "zone": zone, "type": type_name, "market": market}):
                done = fault["hits"] + 1 - fault.get("skip", 0)
                if done > 0 and (fault.get("times", 1) < 0 or done <= fault.get("times", 1)):
                    return True
        return False

    @staticmethod
    def _fits(fault, action, region, place):
        if not fnmatch.fnmatchcase(action, fault.get("action", "*")):
            return False
        if not fnmatch.fnmatchcase(region, fault.get("region", "*")):
            return False
        return all(fnmatch.fnmatchcase(place.get(k) or "", fault[k])
                   for k in ("zone", "type", "market") if k in fault)

    # ---- capacity and quota

    def _matching(self, row, region, zone, type_name, market):
        return (fnmatch.fnmatchcase(region, row.get("region", "*"))
                and fnmatch.fnmatchcase(zone, row.get("zone", "*"))
                and fnmatch.fnmatchcase(type_name, row.get("type", "*"))
                and fnmatch.fnmatchcase(market, row.get("market", "*")))

    def _used(self, row):
        return [i for i in self.instances.values() if i.state in ("pending", "running")
                and self._matching(row, i.region, i.zone, i.type, i.market)]

    def room(self, region, zone, type_name, market):
        """How many more machines there are; None: without end."""
        left = None
        for row in self.scenario["capacity"]:
            if self._matching(row, region, zone, type_name, market):
                have = max(0, row["count"] - len(self._used(row)))
                left = have if left is None else min(left, have)
        return left

    def has_room(self, region, zone, type_name, market, count):
        left = self.room(region, zone, type_name, market)
        return left is None or left >= count

    def check_quota(self, region, zone, type_name, market, count):
        more = self.scenario["types"][type_name]["vcpus"] * count
        for row in self.scenario["quotas"]:
            if not self._matching(row, region, zone, type_name, market):
                continue
            used = sum(self.scenario["types"][i.type]["vcpus"] for i in self._used(row))
            if used + more > row["vcpus"]:
                if market == "spot":
                    raise AwsError("MaxSpotInstanceCountExceeded",
                                   "Max spot instance count exceeded")
                raise AwsError("VcpuLimitExceeded", f"You have requested more vCPU capacity than "
                               f"your current vCPU limit of {row['vcpus']} allows for the instance "
                               "bucket that the specified instance type belongs to.")

    # ---- instances

    def start(self, instance):
        """Switch on: at launch, and after a stop."""
        instance.runs += 1
        instance.started_at = self.now()
        instance.set_state("pending")
        instance.transition = ""
        instance.ip = instance.private_ip = None
        if self.machines:
            instance.machine = self.machines.start(instance, self._shut_down_from_inside)
            instance.private_ip = instance.machine.address
            instance.ip = instance.private_ip if instance.public else None
        else:
            self.serial += 1
            n = self.serial
            instance.private_ip = f"172.31.{n // 250 % 250}.{n % 250 + 4}"
            instance.ip = f"203.0.113.{n % 250 + 1}" if instance.public else None

    def _bill(self, instance):
        if instance.started_at is not None:
            instance.billed += self.now() - instance.started_at
            instance.started_at = None

    def billed(self, instance):
        running = self.now() - instance.started_at if instance.started_at is not None else 0
        return instance.billed + running

    def stop(self, instance, code="Client.UserInitiatedShutdown", why="User initiated shutdown"):
        self._bill(instance)
        if instance.machine:
            instance.machine.end(keep=True)
        instance.set_state("stopping", code, f"{code}: {why}")
        instance.transition = "User initiated"
        instance.ip = None

    def terminate(self, instance, code="Client.UserInitiatedShutdown",
                  why="User initiated shutdown"):
        if instance.state in ("shutting-down", "terminated"):
            return
        self._bill(instance)
        if instance.machine:
            instance.machine.end(keep=False)
        instance.set_state("shutting-down", code, f"{code}: {why}")
        instance.transition = "User initiated" if code.startswith("Client.U") else why
        instance.ip = instance.private_ip = None

    def preempt(self, instance):
        if instance.market != "spot":
            raise ValueError(f"'{instance.id}' is not a spot instance")
        if instance.state not in ("pending", "running"):
            raise ValueError(f"'{instance.id}' is {instance.state}")
        self.terminate(instance, "Server.SpotInstanceTermination", "Spot instance termination")

    def shut_down_from_inside(self, instance):
        if instance.state not in ("pending", "running"):
            return
        code = "Client.InstanceInitiatedShutdown"
        if instance.shutdown == "terminate":
            self.terminate(instance, code, "Instance initiated shutdown")
        else:
            self.stop(instance, code, "Instance initiated shutdown")

    def _shut_down_from_inside(self, instance):
        with self.lock:
            self.shut_down_from_inside(instance)

    def look(self, region, ids):
        """A describe call passes over a region's instances, or over those named: time goes on."""
        life = self.scenario["lifecycle"]
        for instance in list(self.instances.values()):
            if instance.region != region or (ids and instance.id not in ids):
                continue
            instance.hidden = instance.seen < life["visible_after"]
            instance.seen += instance.hidden
            instance.looks += 1
            if instance.state == "pending" and instance.looks > life["boot_after"]:
                if not instance.machine or instance.machine.up():
                    instance.set_state("running")
            elif instance.state == "stopping" and instance.looks > life["stop_after"]:
                code, why = instance.reason
                instance.set_state("stopped", code, why)
            elif instance.state == "shutting-down" and instance.looks > life["terminate_after"]:
                code, why = instance.reason
                instance.set_state("terminated", code, why)
            elif instance.state == "terminated" and instance.looks > life["forget_after"] >= 0:
                self._forget(instance)

    def _forget(self, instance):
        del self.instances[instance.id]
        for key, entry in list(self.tokens.items()):
            if all(i not in self.instances for i in entry["ids"]):
                del self.tokens[key]

    # ---- for the tests

    def report(self):
        with self.lock:
            return {
                "now": self.now(),
                "account": self.scenario["account"],
                "instances": [self._row(i) for i in self.instances.values()],
                "alive": sorted(i.id for i in self.instances.values()
                                if i.state not in ("shutting-down", "terminated")),
                "groups": list(self.groups.values()),
                "keys": list(self.keys.values()),
                "faults": self.faults,
                "requests": self.requests,
                "ssh_port": self.machines.port if self.machines else None,
                "billed_seconds": sum(self.billed(i) for i in self.instances.values()),
            }

    def _row(self, i):
        row = {k: getattr(i, k) for k in (
            "id", "state", "region", "zone", "type", "market", "image", "tags", "runs", "ip",
            "private_ip", "shutdown", "token", "groups", "launched_at", "reason", "user_data",
            "resource_tags", "metadata", "disks")}
        row["billed_seconds"] = self.billed(i)
        row["ssh"] = i.machine.report() if i.machine else None
        return row
