# SPDX-License-Identifier: Apache-2.0
"""generate.py - from a seed to a scenario: clouds, what they lack, what a user does, what goes wrong

A pure function of the seed: no clock, no state. What a cloud sells and the words that it refuses
with are in the table below, which has one row for a cloud.
"""

import collections
import random

from workbench import ALL

Cloud = collections.namedtuple("Cloud", "sold spot multi errors passing auth throttle")

# sold: (infra, type) that the simulator has; errors: (code, status) that a call which makes machines
# is refused with; passing: those of them that pass by themselves; auth, throttle: as errors, for any
# call
CLOUDS = {
    "aws": Cloud(
        [("aws/us-east-1", "m5.large"), ("aws/us-west-2", "m5.large"), ("aws/eu-west-1", "m5.large"),
         ("aws", "t3.medium"), ("aws", "g5.xlarge")],
        True, True,
        [("InsufficientInstanceCapacity", 500), ("VcpuLimitExceeded", 400), ("InternalError", 500),
         ("InvalidParameterValue", 400), ("UnauthorizedOperation", 403), ("Unsupported", 400)],
        {"InternalError"}, ("AuthFailure", 401), ("RequestLimitExceeded", 503)),
    "gcp": Cloud(
        [("gcp/us-central1", "e2-standard-4"), ("gcp/us-east1", "e2-standard-4"),
         ("gcp/us-west1", "e2-standard-2"), ("gcp", "n2-standard-4"), ("gcp", "c3-standard-8")],
        True, True,
        [("ZONE_RESOURCE_POOL_EXHAUSTED", 503), ("quotaExceeded", 403), ("backendError", 503),
         ("invalid", 400), ("forbidden", 403)],
        {"backendError"}, ("authError", 401), ("rateLimitExceeded", 403)),
    "azure": Cloud(
        [("azure/eastus", "Standard_D2s_v5"), ("azure/swedencentral", "Standard_D2s_v5"),
         ("azure", "Standard_D2s_v5")],
        True, True,
        [("SkuNotAvailable", 409), ("AllocationFailed", 409), ("QuotaExceeded", 409),
         ("InternalServerError", 500), ("AuthorizationFailed", 403), ("InvalidParameter", 400)],
        {"InternalServerError"}, ("InvalidAuthenticationToken", 401), ("TooManyRequests", 429)),
    "runpod": Cloud(
        [("runpod", "cpu5c-4-8"), ("runpod", "1x_RTX4090_SECURE")],
        False, False,
        [("no-capacity", 400), ("internal", 500), ("insufficient-balance", 402)],
        {"internal"}, ("unauthorized", 401), ("rate-limited", 429)),
    "lambda": Cloud(
        [("lambda/us-west-1", "gpu_1x_a10"), ("lambda/us-east-1", "gpu_1x_a10"),
         ("lambda", "gpu_1x_h100_sxm5"), ("lambda", "cpu_4x_general")],
        False, True,
        [("instance-operations/launch/insufficient-capacity", 400), ("global/quota-exceeded", 400),
         ("global/internal-error", 500), ("global/invalid-parameters", 400)],
        {"global/internal-error"}, ("global/invalid-api-key", 401), ("global/rate-limited", 429)),
}
# What can go wrong on the wire, and how often each is drawn. A call that hangs is left out: only
# time ends it.
WIRE = (["unavailable"] * 3 + ["drop-before"] * 3 + ["drop-after"] * 4 + ["half-close"]
        + ["truncate"] * 2 + ["delay"])
STEPS = (["launch"] * 5 + ["again"] * 3 + ["exec"] * 2 + ["stop"] * 2 + ["start"] * 2
         + ["refresh"] * 3 + ["preempt"] * 2 + ["advance"] * 3 + ["down"] * 2)


class Generator:
    """Draws one scenario. All that is random comes from self.random, in one order."""

    def __init__(self, seed):
        self.random = random.Random(f"scenario {seed}")
        self.seed = seed

    def scenario(self):
        r = self.random
        clouds = sorted(r.sample(ALL, min(len(ALL), r.choice((1, 1, 2, 2, 3, 3, 4, 5)))), key=ALL.index)
        clean = r.random() < 0.12
        clusters = {f"c{n}": self.cluster(clouds) for n in range(r.choice((1, 2, 2, 3)))}
        worlds = {name: {} if clean else self.world(name, clusters) for name in clouds}
        steps = [self.step("launch", "c0", clouds, clean)]
        for _ in range(r.randint(3, 8)):
            steps.append(self.step(r.choice(STEPS), r.choice(sorted(clusters)), clouds, clean))
        return {"seed": self.seed, "clouds": clouds, "clean": clean, "clusters": clusters,
                "worlds": worlds, "steps": steps}

    def cluster(self, clouds):
        """What a cluster asks for: places, nodes, market."""
        r = self.random
        spot = r.random() < 0.4 and any(CLOUDS[c].spot for c in clouds)
        nodes = r.choice((1, 1, 1, 2, 2, 3))
        fit = [c for c in clouds if CLOUDS[c].spot or not spot]
        if not any(CLOUDS[c].multi for c in fit):
            nodes = 1
        fit = [c for c in fit if CLOUDS[c].multi or nodes == 1]
        places = [(c, place) for c in fit for place in CLOUDS[c].sold]
        chosen = r.sample(places, min(len(places), r.randint(1, 4)))
        return {"nodes": nodes, "spot": spot, "any_of": [list(place) for _, place in chosen]}

    def world(self, name, clusters):
        """What a cloud lacks, and how late it shows what it has."""
        r = self.random
        world = {"lifecycle": {"boot_after": r.randint(0, 2), "terminate_after": r.randint(0, 3),
                               "stop_after": r.randint(0, 2), "visible_after": 0,
                               "forget_after": -1}}
        if r.random() < 0.35:
            # more than the looks that confirm an absence is what the settle time is for: tests/crash
            world["lifecycle"]["visible_after"] = 1
        wanted = [place for c in clusters.values() for place in c["any_of"]
                  if place[0].split("/")[0] == name]
        if wanted and r.random() < 0.4:
            infra, kind = r.choice(wanted)
            row = {"type": kind, "count": r.randint(0, 2)}
            if "/" in infra:
                row["region"] = infra.split("/")[1]
            world["capacity"] = [row]
        if wanted and r.random() < 0.15:
            world["quotas"] = [{"type": r.choice(wanted)[1], "count": r.randint(0, 2)}]
        return world

    def step(self, do, cluster, clouds, clean):
        r = self.random
        step = {"do": do, "cluster": cluster}
        if do == "advance":
            step["seconds"] = r.choice((1800, 3600, 7200, 36000))
        if do in ("exec", "preempt", "down"):
            step["pick"] = r.randrange(1000)
        if clean or do in ("advance", "preempt"):
            return step
        chance = r.random()
        if chance < 0.18:
            step["kill"] = {"at": r.randint(1, 30), "do": r.choice(("kill-before", "kill-after"))}
        elif chance < 0.62:
            step["faults"] = self.faults(clouds)
            step["linger"] = r.random() < 0.15
        return step

    def faults(self, clouds):
        """Cloud to the faults that are armed for a step."""
        r = self.random
        out = {}
        for _ in range(r.choice((1, 1, 2, 3))):
            name = r.choice(clouds)
            out.setdefault(name, []).append(self.fault(CLOUDS[name]))
        return out

    def fault(self, cloud):
        r = self.random
        chance = r.random()
        if chance < 0.08:
            code, status = cloud.auth
            return {"action": "*", "times": -1, "code": code, "status": status}
        if chance < 0.2:
            code, status = cloud.throttle
            return {"action": "*", "skip": r.randint(0, 10), "times": r.randint(1, 2), "code": code,
                    "status": status, "retry_after": 1}
        if chance < 0.45:
            code, status = r.choice(cloud.errors)
            times = r.choice((1, 1, 2, -1))
            if code in cloud.passing:     # where patience is right, and takes time
                times = 1
            return {"action": "create", "times": times, "code": code, "status": status}
        fault = {"action": r.choice(("*", "create")), "do": r.choice(WIRE), "times": 1}
        if fault["action"] == "*":
            fault["skip"] = r.randint(0, 12)
            fault["times"] = r.choice((1, 1, 2))
        if fault["do"] == "delay":
            fault["ms"] = 100
        return fault


def scenario(seed):
    return Generator(seed).scenario()
