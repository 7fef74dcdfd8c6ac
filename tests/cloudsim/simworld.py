# SPDX-License-Identifier: Apache-2.0
"""simworld.py - the state of a simulated account: machines, capacity, quota, faults, clock

What the protocols of all clouds have in common. A cloud's own world is a subclass, which adds its
networks, groups and disks in reset(), and its words for what is refused in the methods that raise.
Nothing happens by the clock: a call that looks at machines moves them on.
"""

import fnmatch
import hashlib
import re
import threading
import time

PENDING, RUNNING, STOPPING, STOPPED, ENDING, ENDED = (
    "pending", "running", "stopping", "stopped", "shutting-down", "terminated")
USED = (PENDING, RUNNING)
PLACE = ("region", "zone", "type", "market")
FAULT_KEYS = {"action", "path", "skip", "times", "do", "code", "message", "status", "body",
              "headers", "ms", "retry_after", *PLACE}
FAULT_KINDS = {"error", "unavailable", "drop-before", "drop-after", "half-close", "hang",
               "truncate", "garbage", "delay"}
CLOCKS = ("real", "manual")


def common():
    """What the scenario of every cloud may have, with its defaults."""
    return {
        "clock": "real",
        "capacity": [],
        "quotas": [],
        "faults": [],
        "latency_ms": 0,
        "rate_limit": None,
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
        self.zone = ""
        self.name = self.token = None
        self.__dict__.update(values)

    def set_state(self, state, reason=""):
        self.state = state
        self.looks = 0
        self.reason = reason


class World:
    """Everything the server remembers. One lock guards it; callers hold it."""

    # What the cloud calls a thing to what a scenario may call it for any cloud.
    verbs = {}

    def __init__(self, scenario, machines=None):
        self.lock = threading.RLock()
        self.machines = machines
        self.offset = 0.0
        self.load(scenario)

    # ---- scenario

    def defaults(self):
        return {**common(), **self.own_defaults()}

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
        if given.get("clock", "real") not in CLOCKS:
            raise ValueError(f"scenario: 'clock' is '{given['clock']}', not one of {CLOCKS}")
        for fault in given.get("faults", []):
            self.check_fault(fault)
        for row in given.get("capacity", []):
            if set(row) - {*PLACE, "count"} or "count" not in row:
                raise ValueError(f"scenario: capacity takes {', '.join(PLACE)}, count: {row}")
        for row in given.get("quotas", []):
            if set(row) - {*PLACE, "vcpus", "count", "gpus"} or len(set(row) - {*PLACE}) != 1:
                raise ValueError(f"scenario: quotas take {', '.join(PLACE)} and one of vcpus, "
                                 f"gpus and count: {row}")
        for name in given.get("lifecycle", {}):
            if name not in known["lifecycle"]:
                raise ValueError(f"scenario: lifecycle: unknown member '{name}'")
        limit = given.get("rate_limit")
        if limit is not None and set(limit) != {"requests", "seconds"}:
            raise ValueError("scenario: rate_limit takes requests and seconds")

    def check_fault(self, fault):
        for name in fault:
            if name not in FAULT_KEYS:
                raise ValueError(f"fault: unknown member '{name}'")
        how = fault.get("do", "error")
        if how not in FAULT_KINDS:
            raise ValueError(f"fault: 'do' is '{how}', not one of {sorted(FAULT_KINDS)}")
        if how == "error" and not re.fullmatch(r"[A-Za-z0-9._/-]+", fault.get("code", "")):
            raise ValueError(f"fault: an error needs 'code': {fault}")
        if how == "delay" and "ms" not in fault:
            raise ValueError(f"fault: a delay needs 'ms': {fault}")
        if self._is_bound(fault) and how != "error":
            raise ValueError(f"fault: zone, type and market go with errors only: {fault}")

    @staticmethod
    def _is_bound(fault):
        return any(k in fault for k in ("zone", "type", "market"))

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
        self.began = time.time()
        self.serial = 0
        self.instances = {}
        self.ever = []
        self.tokens = {}
        self.faults = [dict(fault, hits=0) for fault in self.scenario["faults"]]
        self.requests = []
        self.violations = []
        self.taken = []

    def make_id(self, kind, seed):
        return f"{kind}-{self.make_hex(f'{kind}/{seed}')[:17]}"

    def make_hex(self, seed):
        self.serial += 1
        return hashlib.sha256(f"{seed}/{self.serial}".encode()).hexdigest()

    def now(self):
        true = self.began if self.scenario["clock"] == "manual" else time.time()
        return true + self.offset

    def advance(self, seconds):
        if seconds < 0:
            raise ValueError("time only goes forward")
        self.offset += seconds

    # ---- faults

    def fault(self, action, region, resource, path="", **place):
        """
        The fault that applies now, or None. The server asks once for each request with
        'resource' false, for faults that name no zone, type or market; a call that creates or
        starts machines asks again with 'resource' true, when these are known. A fault counts as
        used only here.
        """
        for fault in self.faults:
            if self._is_bound(fault) != resource or not self._fits(fault, action, region, path,
                                                                   place):
                continue
            fault["hits"] += 1
            if self._is_on(fault, fault["hits"]):
                return fault
        return None

    @staticmethod
    def _is_on(fault, hits):
        done = hits - fault.get("skip", 0)
        times = fault.get("times", 1)
        return done > 0 and (times < 0 or done <= times)

    def zone_is_barred(self, action, region, zone, type_name, market):
        """Would a fault that names this zone apply now? Asked without using it up."""
        place = {"zone": zone, "type": type_name, "market": market}
        return any("zone" in fault and self._fits(fault, action, region, "", place)
                   and self._is_on(fault, fault["hits"] + 1) for fault in self.faults)

    def _fits(self, fault, action, region, path, place):
        names = (action, self.verbs.get(action, action))
        if not any(fnmatch.fnmatchcase(name, fault.get("action", "*")) for name in names):
            return False
        if "path" in fault and not re.search(fault["path"], path):
            return False
        place = {**place, "region": region}
        return all(fnmatch.fnmatchcase(place.get(k) or "", fault[k]) for k in PLACE if k in fault)

    def too_many(self):
        """Seconds to wait if this request is over the rate limit; 0: it is not."""
        limit = self.scenario["rate_limit"]
        if not limit:
            return 0
        now = time.monotonic()
        self.taken = [when for when in self.taken if now - when < limit["seconds"]]
        if len(self.taken) < limit["requests"]:
            self.taken.append(now)
            return 0
        return int(limit["seconds"] - (now - self.taken[0])) + 1

    # ---- capacity and quota

    @staticmethod
    def _matching(row, region, zone, type_name, market):
        place = (region, zone, type_name, market)
        return all(fnmatch.fnmatchcase(value or "", row.get(key, "*"))
                   for key, value in zip(PLACE, place))

    def _used(self, row):
        return [i for i in self.instances.values() if i.state in USED
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

    def size_of(self, type_name):
        """{"vcpus": N, "gpus": N} of a machine of that type."""
        raise NotImplementedError

    def broken_quota(self, region, zone, type_name, market, count):
        """The quota that so many more machines would break, or None."""
        for row in self.scenario["quotas"]:
            if not self._matching(row, region, zone, type_name, market):
                continue
            unit = next(u for u in ("vcpus", "gpus", "count") if u in row)
            used = sum(self._size(i.type, unit) for i in self._used(row))
            if used + self._size(type_name, unit) * count > row[unit]:
                return row
        return None

    def _size(self, type_name, unit):
        return 1 if unit == "count" else self.size_of(type_name)[unit]

    # ---- machines

    def add(self, instance):
        """A new machine, which is switched on."""
        instance.hidden = self.scenario["lifecycle"]["visible_after"] > 0
        self.instances[instance.id] = instance
        self.ever.append(instance)
        self.start(instance)

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
            instance.private_ip = f"172.31.{n // 250 % 250}.{n % 250 + 4}"
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

    def shown(self, region=None):
        """The machines that a list has, of clouds that do not list what has ended."""
        self.look(region)
        return [i for i in self.instances.values() if not i.hidden and i.state != ENDED
                and (region is None or i.region == region)]

    def find(self, identity):
        """The machine of that id as a request sees it, or None."""
        self.look(ids=[identity])
        instance = self.instances.get(identity)
        return None if not instance or instance.hidden or instance.state == ENDED else instance

    # ---- for the tests

    def report(self):
        with self.lock:
            return {
                "now": self.now(),
                "instances": [self.row(i) for i in self.instances.values()],
                "alive": sorted(i.id for i in self.instances.values()
                                if i.state not in (ENDING, ENDED)),
                "ever": [{"id": i.id, "name": i.name, "token": self.token(i), "type": i.type,
                          "market": i.market, "region": i.region, "zone": i.zone, "runs": i.runs,
                          "state": i.state, "billed": self.billed(i)} for i in self.ever],
                "leftovers": self.leftovers(),
                "faults": self.faults,
                "requests": self.requests,
                "violations": self.violations,
                "ssh_port": self.machines.port if self.machines else None,
                "billed_seconds": sum(self.billed(i) for i in self.ever),
                **self.own_report(),
            }

    def leftovers(self):
        """Names of what was made besides machines and is still there: groups, disks, addresses."""
        return []

    def own_report(self):
        """What only this cloud has."""
        return {}

    @staticmethod
    def token(instance):
        return instance.tags.get("souk-token") or instance.token

    def row(self, i):
        row = {k: getattr(i, k) for k in ("id", "name", "state", "region", "zone", "type", "market",
                                          "tags", "runs", "ip", "private_ip", "on_shutdown",
                                          "reason", "user_data")}
        row["token"] = self.token(i)
        row["owner"] = i.tags.get("souk-owner")
        row["billed"] = row["billed_seconds"] = self.billed(i)
        row["ssh"] = i.machine.report() if i.machine else None
        return row
