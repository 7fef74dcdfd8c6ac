#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""runpodprices.py - RunPod's REST API, version 2, on loopback: what is on sale, and pods

With --sshd the pods are real: each is an sshd on a loopback address of its own, with the keys that
its start script would give it. A pod is seen PROVISIONING, then STARTING, then RUNNING.

Stock is made up, but always the same, and told as the API tells it: for one number of GPUs in one
cloud at a time. A request that the API would refuse is refused with its problem objects. 'table'
prints what is on sale as the server knows it, without any of the API's forms, so that a test can
work out for itself what souk ought to list.
"""
import atexit
import base64
import json
import os
import re
import signal
import sys
import time

from machine import Machines
from pricesim import Sim

KEY = "rpa_TESTKEY0123456789"
READ_ONLY_KEY = "rpa_READONLY0123456789"

sim = Sim("runpodprices")
sim.options.add_argument("--limit", type=int, default=0,
                         help="requests in 2 seconds; 0: any number")
sim.options.add_argument("--sshd", action="store_true", help="pods are real")
sim.options.add_argument("--table", action="store_true", help="print what is on sale, and end")

CENTERS = [
    ("US-TX-3", "US Texas 3", "NORTH_AMERICA"), ("US-KS-2", "US Kansas 2", "NORTH_AMERICA"),
    ("US-CA-2", "US California 2", "NORTH_AMERICA"), ("US-GA-1", "US Georgia 1", "NORTH_AMERICA"),
    ("CA-MTL-1", "CA Montreal 1", "NORTH_AMERICA"), ("CA-MTL-3", "CA Montreal 3", "NORTH_AMERICA"),
    ("EU-RO-1", "EU Romania 1", "EUROPE"), ("EU-SE-1", "EU Sweden 1", "EUROPE"),
    ("EU-CZ-1", "EU Czechia 1", "EUROPE"), ("EUR-IS-1", "EUR Iceland 1", "EUROPE"),
    ("EUR-NO-1", "EUR Norway 1", "EUROPE"), ("AP-JP-1", "AP Japan 1", "ASIA"),
    ("OC-AU-1", "OC Australia 1", "OCEANIA"),
]

# id, name, GB, dollars of one in the secure and the community cloud, the most of them in a machine
GPUS = [
    ("AMD Instinct MI300X OAM", "MI300X", 192, 2.69, 0, 8, 0),
    ("NVIDIA A100 80GB PCIe", "A100 PCIe", 80, 1.39, 1.19, 8, 4),
    ("NVIDIA A100-SXM4-80GB", "A100 SXM", 80, 1.49, 1.39, 8, 8),
    ("NVIDIA A30", "A30", 24, 0, 0.22, 0, 2),
    ("NVIDIA A40", "A40", 48, 0.4, 0.35, 8, 2),
    ("NVIDIA B200", "B200", 180, 5.89, 0, 8, 0),
    ("NVIDIA GeForce RTX 3090", "RTX 3090", 24, 0.46, 0.22, 4, 8),
    ("NVIDIA GeForce RTX 4090", "RTX 4090", 24, 0.59, 0.34, 6, 8),
    ("NVIDIA GeForce RTX 5090", "RTX 5090", 32, 0.89, 0.69, 8, 4),
    ("NVIDIA H100 80GB HBM3", "H100 SXM", 80, 3.29, 2.69, 8, 8),
    ("NVIDIA H100 NVL", "H100 NVL", 94, 2.79, 2.59, 8, 1),
    ("NVIDIA H100 PCIe", "H100 PCIe", 80, 2.39, 1.99, 8, 1),
    ("NVIDIA H200", "H200 SXM", 141, 3.59, 0, 8, 0),
    ("NVIDIA L4", "L4", 24, 0.39, 0, 4, 0),
    ("NVIDIA L40S", "L40S", 48, 0.86, 0.79, 8, 4),
    ("NVIDIA RTX 2000 Ada Generation", "RTX 2000 Ada", 16, 0.24, 0, 1, 0),
    ("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada", 48, 0.77, 0.74, 5, 4),
    ("NVIDIA RTX A6000", "RTX A6000", 48, 0.49, 0.33, 4, 8),
    ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000", 96, 1.69, 0, 8, 0),
    ("NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb", "PRO 6000 MIG 24GB", 24, 0.47,
     0, 2, 0),
    ("NVIDIA RTX PRO 8000 Rubin", "RTX PRO 8000", 128, 2.205, 0, 2, 0),
    ("Tesla V100-SXM2-32GB", "V100 SXM2 32GB", 32, 0.29, 0.23, 1, 1),
]

# id, name, group, fewest and most vCPUs, GB for each, dollars for each
CPUS = [
    ("cpu3c", "Compute-Optimized", "Gen 3", 2, 32, 2, 0.03),
    ("cpu3g", "General Purpose", "Gen 3", 2, 16, 4, 0.04),
    ("cpu5c", "Compute-Optimized", "Gen 5", 2, 32, 2, 0.035),
    ("cpu5m", "Memory-Optimized", "Gen 5", 4, 32, 8, 0.065),
]

LEVELS = ["NONE", "LOW", "MEDIUM", "HIGH"]


def mix(*parts):
    """A number that is the same every time and looks like none in particular."""
    value = 2166136261
    for char in "|".join(str(part) for part in parts):
        value = (value ^ ord(char)) * 16777619 % 2**32
    return value >> 7


def sells(center, what):
    """Does a data centre sell a GPU or a CPU at all?"""
    if what == "NVIDIA RTX 2000 Ada Generation":
        return center == "EU-RO-1"
    if what in ("NVIDIA H100 NVL", "Tesla V100-SXM2-32GB"):
        return False        # only where RunPod chooses; and out of stock
    return mix(center, what) % 3 != 0


def level(center, what, count):
    """What is in stock of 'count' in one machine: there is less of more."""
    if not sells(center, what) or what == "NVIDIA B200":
        return 0
    return max(0, mix(center, what, "stock") % 4 - (count - 1) // 3)


def problem(status, title, detail, errors=None):
    body = {"title": title, "status": status, "detail": detail}
    if errors:
        body["errors"] = errors
    return (status, {"Content-Type": "application/problem+json"}, json.dumps(body))


def refused(request, known):
    """The refusal that a request has earned; None: none."""
    key = request.headers.get("authorization", "")
    if not key.startswith("Bearer "):
        return problem(401, "Unauthorized", "missing bearer token")
    if key[7:] not in (KEY, READ_ONLY_KEY):
        return problem(401, "Unauthorized", "invalid bearer token")
    if request.method == "POST" and key[7:] != KEY:
        return problem(403, "Forbidden", "access denied")
    for name in request.query:
        if name not in known:
            return problem(422, "Unprocessable Entity", "Request validation failed.",
                           [f"query: unknown parameter '{name}'"])
    return None


def wants_stock(request, products):
    """(refusal, does it ask for stock); the rules that hold filters and 'include' together."""
    query = request.query
    if "include" not in query:
        for name in ("product", "count", "cloud", "vcpuCount"):
            if name in query:
                return problem(400, "Bad Request",
                               f"{name} is valid only with include=AVAILABILITY"), False
        return None, False
    if query["include"] != "AVAILABILITY":
        return problem(422, "Unprocessable Entity", "Request validation failed.",
                       ["include: not one of AVAILABILITY"]), False
    if "product" not in query:
        return problem(400, "Bad Request", "product is required with include=AVAILABILITY"), False
    if query["product"] not in products:
        return problem(422, "Unprocessable Entity", "Request validation failed.",
                       ["product: not one of " + ", ".join(products)]), False
    return None, True


def number(request, name, default, least):
    text = request.query.get(name, str(default))
    if not text.isdigit() or int(text) < least:
        return None
    return int(text)


WINDOW = 2
taken = []


def counted(answer):
    """The headers that tell how many requests are left, or the refusal of one too many."""
    status, headers, body = answer
    limit = sim.args.limit or 1000000
    now = time.monotonic()
    with sim.lock:
        taken[:] = [when for when in taken if now - when < WINDOW]
        wait = int(WINDOW - (now - taken[0])) + 1 if taken else WINDOW
        too_many = len(taken) >= limit
        if not too_many:
            taken.append(now)
        left = limit - len(taken)
    if too_many:
        status, headers, body = problem(429, "Too Many Requests",
                                        "rate limit exceeded for the minute window")
        headers["Retry-After"] = str(wait)
    headers = {"RateLimit": f'"minute";r={left};t={wait}, "hour";r=2900;t=1812',
               "RateLimit-Policy": f'"minute";q={limit};w=60, "hour";q=3000;w=3600', **headers}
    return status, headers, body


def with_stock(item, places):
    """Places: (center, name, level) where it is sold in that configuration."""
    item["availability"] = LEVELS[max([stock for _, _, stock in places], default=0)]
    found = [{"id": center, "name": name, "availability": LEVELS[stock]}
             for center, name, stock in places if stock]
    if found:
        item["dataCenters"] = found


@sim.route("GET", "/v2/catalog/gpus")
def gpus(request):
    answer = refused(request, ("include", "product", "count", "cloud", "countryCodes",
                               "cudaVersions", "minCudaVersion"))
    if answer:
        return answer
    answer, stock = wants_stock(request, ("POD", "CLUSTER", "SERVERLESS"))
    if answer:
        return answer
    count = number(request, "count", 1, 1)
    cloud = request.query.get("cloud", "SECURE")
    if count is None or cloud not in ("SECURE", "COMMUNITY"):
        return problem(422, "Unprocessable Entity", "Request validation failed.",
                       ["count or cloud: not valid"])
    found = []
    for id_, name, memory, secure, community, most, most_community in GPUS:
        item = {"id": id_, "name": name, "pool": None,
                "manufacturer": "AMD" if id_.startswith("AMD") else "NVIDIA", "memory": memory,
                "secure": most > 0, "community": most_community > 0,
                "price": {"secure": secure, "community": community},
                "maxCount": {"secure": most, "community": most_community}}
        if stock and cloud == "SECURE":
            with_stock(item, [(center, label, level(center, id_, count))
                              for center, label, _ in CENTERS
                              if count <= most and sells(center, id_)])
        elif stock:
            item["availability"] = LEVELS[mix(id_, count) % 4 if count <= most_community else 0]
        found.append(item)
    return counted((200, {}, {"gpus": found}))


@sim.route("GET", "/v2/catalog/cpus")
def cpus(request):
    answer = refused(request, ("include", "product", "vcpuCount"))
    if answer:
        return answer
    answer, stock = wants_stock(request, ("POD", "SERVERLESS"))
    if answer:
        return answer
    vcpus = number(request, "vcpuCount", 2, 2)
    if vcpus is None or vcpus & (vcpus - 1):
        return problem(422, "Unprocessable Entity", "Request validation failed.",
                       ["vcpuCount: not a power of two"])
    found = []
    for id_, name, group, least, most, memory, price in CPUS:
        item = {"id": id_, "name": name, "group": group, "vcpu": {"min": least, "max": most},
                "ramGbPerVcpu": memory,
                "price": {"securePerVcpu": price, "serverlessPerVcpu": price}}
        if stock:
            with_stock(item, [(center, label, level(center, id_, vcpus // 8 + 1))
                              for center, label, _ in CENTERS
                              if least <= vcpus <= most and sells(center, id_)])
        found.append(item)
    return counted((200, {}, {"cpus": found}))


@sim.route("GET", "/v2/catalog/datacenters")
def datacenters(request):
    answer = refused(request, ("include", "regions", "networkVolumeTypes", "compliance",
                               "globalNetwork"))
    if answer:
        return answer
    include = [part for part in request.query.get("include", "").split(",") if part]
    if set(include) - {"GPU_AVAILABILITY", "CPU_AVAILABILITY"}:
        return problem(422, "Unprocessable Entity", "Request validation failed.",
                       ["include: not one of GPU_AVAILABILITY, CPU_AVAILABILITY"])
    found = []
    for id_, name, region in CENTERS:
        item = {"id": id_, "name": name, "region": region, "globalNetwork": True,
                "networkVolumeTypes": ["STANDARD"], "compliance": []}
        for member, table in (("GPU_AVAILABILITY", GPUS), ("CPU_AVAILABILITY", CPUS)):
            has = [{"id": row[0], "name": row[1], "availability": LEVELS[level(id_, row[0], 1)]}
                   for row in table if sells(id_, row[0]) and (table is CPUS or row[5])]
            if member in include and has:
                item["gpuAvailability" if table is GPUS else "cpuAvailability"] = has
        found.append(item)
    return counted((200, {}, {"dataCenters": found}))


# ---- Pods -----------------------------------------------------------------------------------

CREATE = {"name", "image", "cloud", "cpu", "gpu", "dataCenterIds", "disk", "mounts", "ports", "env",
          "args", "registry", "globalNetworking", "startSsh", "startJupyter", "templateId"}
NEXT = {"PROVISIONING": "STARTING", "STARTING": "RUNNING"}
NO_STOCK = ("There are no longer any instances available with the requested specifications. "
            "Please refresh and try again.")

all_pods = []
real = []       # of Machines: one, or none


class Pod:
    def __init__(self, number, body, center):
        self.id = f"pod{number:07d}"
        self.body = body
        self.center = center
        self.status = "PROVISIONING"
        self.machine = None
        # what first boot needs, as the start script does it
        env = body.get("env", {})
        self.authorized = [env["PUBLIC_KEY"]] if "PUBLIC_KEY" in env else []
        self.user_data = "#cloud-config\n"
        if "SOUK_HOST_KEY" in env:
            lines = base64.b64decode(env["SOUK_HOST_KEY"]).decode().splitlines()
            self.user_data += "ssh_keys:\n  ed25519_private: |\n" + "".join(
                f"    {line}\n" for line in lines)
            self.user_data += f"  ed25519_public: {env['SOUK_HOST_KEY_PUBLIC']}\n"

    def told(self):
        direct = None
        if self.status == "RUNNING" and self.machine and "22/tcp" in self.body.get("ports", []):
            direct = {"host": self.machine.address, "port": self.machine.port, "username": "root",
                      "command": "ssh"}
        kind = "gpu" if "gpu" in self.body else "cpu"
        return {"id": self.id, "name": self.body["name"], "image": self.body["image"],
                "args": self.body.get("args", ""), "disk": self.body.get("disk", 50),
                "ports": self.body.get("ports", []), "env": self.body.get("env", {}),
                "registry": None, "status": self.status, "actions": ["terminate"], "mounts": {},
                kind: self.body[kind], "cloud": self.body.get("cloud", "SECURE"),
                "dataCenterId": self.center, "cudaVersion": None,
                "ssh": {"proxy": None, "direct": direct}, "template": None, "cost": 0.5,
                "locked": False, "globalNetworking": {"enabled": False}, "runtime": None,
                "createdAt": "2026-11-01T12:00:00Z", "startedAt": None}

    def look(self):
        told = self.told()
        if not (self.status == "STARTING" and self.machine and not self.machine.up()):
            self.status = NEXT.get(self.status, self.status)
        return told


def wrong_body(body):
    """What breaks the contract of a create."""
    wrong = [f"$: additional properties '{name}' not allowed" for name in set(body) - CREATE]
    wrong += [f"$: missing property '{name}'" for name in ("name", "image") if not body.get(name)]
    if not isinstance(body.get("env", {}), dict) or not all(
            isinstance(value, str) for value in body.get("env", {}).values()):
        wrong.append("env: not texts")
    for name, inner in (("gpu", {"id", "count", "minCudaVersion", "allowedCudaVersions"}),
                        ("cpu", {"id", "vcpuCount"})):
        if name in body and set(body[name]) - inner:
            wrong.append(f"{name}: additional properties not allowed")
    if not all(re.match(r"\d+/(tcp|http)\Z", port) for port in body.get("ports", [])):
        wrong.append("ports: not PORT/PROTOCOL")
    if not isinstance(body.get("disk", 1), int) or body.get("disk", 1) < 1:
        wrong.append("disk: not a number of GB")
    return wrong


def place(body):
    """The first data centre of those wanted that has it; None: none."""
    known = [center for center, _, _ in CENTERS]
    wanted = body.get("dataCenterIds") or known
    if "gpu" in body:
        what, count = body["gpu"]["id"], body["gpu"].get("count", 1)
    else:
        what, count = body["cpu"]["id"], body["cpu"]["vcpuCount"] // 8 + 1
    return next((center for center in wanted if center in known and
                 level(center, what, count)), None)


@sim.route("GET", "/v2/pods")
def pods(request):
    return refused(request, ("includeClusterPods",)) or counted(
        (200, {}, {"pods": [pod.look() for pod in all_pods if pod.status != "TERMINATED"]}))


@sim.route("GET", "/v2/pods/(?P<id>[a-z0-9]+)")
def get_pod(request):
    answer = refused(request, ())
    pod = next((pod for pod in all_pods if pod.id == request.match["id"] and
                pod.status != "TERMINATED"), None)
    if answer or not pod:
        return answer or problem(404, "Not Found", "pod not found")
    return counted((200, {}, pod.look()))


@sim.route("POST", "/v2/pods")
def create(request):
    answer = refused(request, ())
    if answer:
        return answer
    body = request.json() or {}
    wrong = wrong_body(body)
    if wrong:
        return problem(422, "Unprocessable Entity", "Request validation failed.", wrong)
    if ("gpu" in body) == ("cpu" in body):
        return problem(400, "Bad Request", "exactly one of gpu or cpu must be set")
    center = place(body)
    if not center:
        return problem(400, "Bad Request", NO_STOCK)
    pod = Pod(len(all_pods) + 1, body, center)
    if real:
        pod.machine = real[0].start(pod, lambda _: None)
    all_pods.append(pod)
    return counted((201, {}, pod.told()))


@sim.route("DELETE", "/v2/pods/(?P<id>[a-z0-9]+)")
def delete(request):
    answer = refused(request, ())
    pod = next((pod for pod in all_pods if pod.id == request.match["id"] and
                pod.status != "TERMINATED"), None)
    if answer or not pod:
        return answer or problem(404, "Not Found", "pod not found")
    if pod.machine:
        pod.machine.end(keep=False)
    pod.status = "TERMINATED"
    return 204, {}, ""


@sim.route("GET", "/state")
def state(_):
    """What is there, for the tests: asked without a key."""
    return 200, {}, {"alive": [pod.told() for pod in all_pods if pod.status != "TERMINATED"],
                     "ever": len(all_pods), "ssh_port": real[0].port if real else None}


def table():
    """What is on sale: cloud, GPU or CPU, how many, where (None: nowhere in particular), dollars, stock."""
    rows = []
    for id_, _, memory, secure, community, most, most_community in GPUS:
        for count in range(1, most + 1):
            places = [center for center, _, _ in CENTERS if sells(center, id_)]
            for center in places or [None]:
                stock = level(center, id_, count) if center else 0
                rows.append(["SECURE", id_, count, center, secure, memory, stock > 0])
        for count in range(1, most_community + 1):
            rows.append(["COMMUNITY", id_, count, None, community, memory,
                         mix(id_, count) % 4 > 0])
    for id_, _, _, least, most, memory, price in CPUS:
        vcpus = least
        while vcpus <= most:
            for center, _, _ in CENTERS:
                if sells(center, id_):
                    rows.append(["CPU", id_, vcpus, center, price, memory,
                                 level(center, id_, vcpus // 8 + 1) > 0])
            vcpus *= 2
    return rows


def main():
    if "--table" in sys.argv:
        json.dump(table(), sys.stdout)
        return
    if "--sshd" in sys.argv:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        real.append(Machines(os.getpid() % 65000 + 256))
        atexit.register(real[0].close)
    sim.main()


if __name__ == "__main__":
    main()
