# SPDX-License-Identifier: Apache-2.0
"""simworld.py - the state of a simulated account: machines, capacity, quota, faults, clock

What the protocols of all clouds have in common. A cloud's own world is a subclass, which adds its
networks, groups and disks in reset(), and its words for what is refused in the methods that raise.
Nothing happens by the clock: a call that looks at machines moves them on.
"""

import fnmatch
import hashlib
import threading
import time

PENDING, RUNNING, STOPPING, STOPPED, ENDING, ENDED = (
    "pending", "running", "stopping", "stopped", "ending", "ended")
USED = (PENDING, RUNNING)
PLACE = ("region", "zone", "type", "market")
FAULT_KEYS = {"action", "skip", "times", "do", "code", "message", "status", "ms", "retry_after",
              *PLACE}
FAULT_KINDS = {"error", "unavailable", "drop-before", "drop-after", "half-close", "hang",
               "truncate", "delay"}
COMMON = {
    "capacity": [],
    "quotas": [],
    "faults": [],
    "latency_ms": 0,
    "lifecycle": {"visible_after": 0, "boot_after": 1, "stop_after": 1, "terminate_after": 1,
                  "forget_after": 20},
}


class SimError(Exception):
    """A refusal in the cloud's own words."""

    def __init__(self, code, message, status=400, headers=None, **more):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status
        self.headers = headers or {}
        self.more = more


class Instance:
    """One machine, with all that the API tells of it."""

    def __init__(self, **values):
        self.state = PENDING
        self.looks = 0            # times it could have been seen since its state was entered
        self.seen = 0             # times it was looked for while it could not yet be found
        self.hidden = False
        self.reason = ""          # why it is in its state: "user", "preempted", "inside", "failed"
        self.runs = 0
        self.billed = 0.0
        self.started_at = None
        self.tags = {}
        self.machine = None
        self.ip = self.private_ip = None
        self.public = True
        self.user_data = ""       # #cloud-config, for real machines
        self.authorized = []      # public keys that may log in besides
        self.on_shutdown = "terminate"
        self.market = "on-demand"
        self.__dict__.update(values)

    def set_state(self, state, reason=""):
        self.state = state
        self.looks = 0
        self.reason = reason


class World:
    """Everything the server remembers. One lock guards it; callers hold it."""

    # What a scenario may hold besides the common members: name to default.
    own = {}

    def __init__(self, scenario, machines=None):
        self.lock = threading.RLock()
        self.machines = machines
        self.offset = 0.0
        self.load(scenario)

    # ---- scenario

    def defaults(self):
        return {**{k: (dict(v) if isinstance(v, dict) else list(v) if isinstance(v, list) else v)
                   for k, v in COMMON.items()}, **self.own_defaults()}

    def own_defaults(self):
        """The cloud's own part of a scenario: regions, types, credentials ... with defaults."""
        return {}

    def check(self, given):
        """Raise ValueError if a scenario has a member that means nothing."""
        if not isinstance(given, dict):
            raise ValueError("a scenario is a JSON object")
        known = self.defaults()
        for name in given:
            if name not in known:
                raise ValueError(f"scenario: unknown member '{name}'; known: "
                                 + ", ".join(sorted(known)))
        for fault in given.get("faults", []):
            self.check_fault(fault)
        for row in given.get("capacity", []):
            if set(row) - {*PLACE, "count"} or "count" not in row:
                raise ValueError(f"scenario: capacity takes {', '.join(PLACE)}, count: {row}")
        for row in given.get("quotas", []):
            if set(row) - {*PLACE, "vcpus", "count", "gpus"}:
                raise ValueError(f"scenario: quotas take {', '.join(PLACE)} and vcpus, gpus or "
                                 f"count: {row}")
        for name in given.get("lifecycle", {}):
            if name not in known["lifecycle"]:
                raise ValueError(f"scenario: lifecycle: unknown member '{name}'")

    def check_fault(self, fault):
        for name in fault:
            if name not in FAULT_KEYS:
                raise ValueError(f"fault: unknown member '{name}'")
        if fault.get("do", "error") not in FAULT_KINDS:
            raise ValueError(f"fault: 'do' is '{fault['do']}', not one of {sorted(FAULT_KINDS)}")
        if fault.get("do", "error") == "error" and not fault.get("code"):
            raise ValueError(f"fault: an error needs 'code': {fault}")

    def load(self, scenario):
        self.check(scenario)
        self.given = scenario
        self.scenario = self.defaults()
        for name, value in scenario.items():
            if name in ("lifecycle", "types") and isinstance(value, dict):
                self.scenario[name] = {**self.scenario[name], **value}
            else:
                self.scenario[name] = value
        self.reset()

    def reset(self):
        if self.machines:
            self.machines.end_all()
        self.offset = 0.0
        self.serial = 0
        self.instances = {}
        self.tokens = {}
        self.faults = [dict(fault, hits=0) for fault in self.scenario["faults"]]
        self.requests = []

    def make_id(self, seed, length=17):
        self.serial += 1
        return hashlib.sha256(f"{seed}/{self.serial}".encode()).hexdigest()[:length]

    def now(self):
        return time.time() + self.offset

    def advance(self, seconds):
        if seconds < 0:
            raise ValueError("time only goes forward")
        self.offset += seconds

    # ---- faults

    def fault(self, action, resource=False, **place):
        """
        The fault that applies now, or None. The server asks once for each request with
        'resource' false, for faults that name no zone, type or market; a call that creates or
        starts machines asks again with 'resource' true, when these are known.
        """
        for fault in self.faults:
            bound = any(k in fault for k in ("zone", "type", "market"))
            if bound != resource or not self._fits(fault, action, place):
                continue
            fault["hits"] += 1
            done = fault["hits"] - fault.get("skip", 0)
            times = fault.get("times", 1)
            if done > 0 and (times < 0 or done <= times):
                return fault
        return None

    @staticmethod
    def _fits(row, action, place):
        if not fnmatch.fnmatchcase(action, row.get("action", "*")):
            return False
        return all(fnmatch.fnmatchcase(place.get(k) or "", row[k]) for k in PLACE if k in row)

    # ---- capacity and quota

    def _matching(self, row, **place):
        return all(fnmatch.fnmatchcase(place.get(k) or "", row.get(k, "*")) for k in PLACE)

    def _used(self, row):
        return [i for i in self.instances.values() if i.state in USED
                and self._matching(row, region=i.region, zone=i.zone, type=i.type,
                                   market=i.market)]

    def room(self, **place):
        """How many more machines there are; None: without end."""
        left = None
        for row in self.scenario["capacity"]:
            if self._matching(row, **place):
                have = max(0, row["count"] - len(self._used(row)))
                left = have if left is None else min(left, have)
        return left

    def has_room(self, count, **place):
        left = self.room(**place)
        return left is None or left >= count

    def broken_quota(self, count, **place):
        """The quota that so many more machines would break, or None."""
        types = self.scenario["types"]
        for row in self.scenario["quotas"]:
            if not self._matching(row, **place):
                continue
            for unit, size in (("vcpus", lambda t: types[t]["vcpus"]),
                               ("gpus", lambda t: (types[t].get("gpu") or {"count": 0})["count"]),
                               ("count", lambda t: 1)):
                if unit in row and (sum(size(i.type) for i in self._used(row))
                                    + size(place["type"]) * count > row[unit]):
                    return row
        return None

    # ---- machines

    def start(self, instance):
        """Switch on: at creation, and after a stop."""
        instance.runs += 1
        instance.started_at = self.now()
        instance.set_state(PENDING)
        instance.ip = instance.private_ip = None
        if self.machines:
            instance.machine = self.machines.start(instance, self._shut_down_from_inside)
            instance.private_ip = instance.machine.address
            instance.ip = instance.private_ip if instance.public else None
        else:
            self.serial += 1
            n = self.serial
            instance.private_ip = f"10.0.{n // 250 % 250}.{n % 250 + 4}"
            instance.ip = f"203.0.113.{n % 250 + 1}" if instance.public else None

    def _bill(self, instance):
        if instance.started_at is not None:
            instance.billed += self.now() - instance.started_at
            instance.started_at = None

    def billed(self, instance):
        running = self.now() - instance.started_at if instance.started_at is not None else 0
        return instance.billed + running

    def stop(self, instance, reason="user"):
        self._bill(instance)
        if instance.machine:
            instance.machine.end(keep=True)
        instance.set_state(STOPPING, reason)
        instance.ip = None

    def terminate(self, instance, reason="user"):
        if instance.state in (ENDING, ENDED):
            return
        self._bill(instance)
        if instance.machine:
            instance.machine.end(keep=False)
        instance.set_state(ENDING, reason)
        instance.ip = instance.private_ip = None

    def preempt(self, instance):
        if instance.market != "spot":
            raise ValueError(f"'{instance.id}' is not a spot machine")
        if instance.state not in USED:
            raise ValueError(f"'{instance.id}' is {instance.state}")
        self.preempted(instance)

    def preempted(self, instance):
        """What becomes of a machine that is taken away; some clouds stop it instead."""
        self.terminate(instance, "preempted")

    def shut_down_from_inside(self, instance):
        if instance.state not in USED:
            return
        if instance.on_shutdown == "terminate":
            self.terminate(instance, "inside")
        else:
            self.stop(instance, "inside")

    def _shut_down_from_inside(self, instance):
        with self.lock:
            self.shut_down_from_inside(instance)

    def look(self, region=None, ids=None):
        """A call passes over the machines of a region (None: all), or over those named."""
        life = self.scenario["lifecycle"]
        for instance in list(self.instances.values()):
            if (region and instance.region != region) or (ids and instance.id not in ids):
                continue
            instance.hidden = instance.seen < life["visible_after"]
            instance.seen += instance.hidden
            instance.looks += 1
            if instance.state == PENDING and instance.looks > life["boot_after"]:
                if not instance.machine or instance.machine.up():
                    instance.set_state(RUNNING)
            elif instance.state == STOPPING and instance.looks > life["stop_after"]:
                instance.set_state(STOPPED, instance.reason)
            elif instance.state == ENDING and instance.looks > life["terminate_after"]:
                instance.set_state(ENDED, instance.reason)
            elif instance.state == ENDED and instance.looks > life["forget_after"] >= 0:
                self.forget(instance)

    def forget(self, instance):
        del self.instances[instance.id]
        for token, ids in list(self.tokens.items()):
            if all(i not in self.instances for i in ids):
                del self.tokens[token]

    def visible(self, region=None):
        return [i for i in self.instances.values()
                if not i.hidden and (region is None or i.region == region)]

    # ---- for the tests

    def report(self):
        with self.lock:
            return {
                "now": self.now(),
                "instances": [self.row(i) for i in self.instances.values()],
                "alive": sorted(i.id for i in self.instances.values()
                                if i.state not in (ENDING, ENDED)),
                "leftovers": self.leftovers(),
                "faults": self.faults,
                "requests": self.requests,
                "ssh_port": self.machines.port if self.machines else None,
                "billed_seconds": sum(self.billed(i) for i in self.instances.values()),
            }

    def leftovers(self):
        """Names of what was made besides machines and is still there: groups, disks, addresses."""
        return []

    def row(self, i):
        row = {k: getattr(i, k) for k in ("id", "state", "region", "zone", "type", "market", "tags",
                                          "runs", "ip", "private_ip", "on_shutdown", "reason",
                                          "user_data")}
        row["name"] = getattr(i, "name", None)
        row["token"] = getattr(i, "token", None)
        row["billed_seconds"] = self.billed(i)
        row["ssh"] = i.machine.report() if i.machine else None
        return row
