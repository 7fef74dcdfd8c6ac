#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""runpod.py - RunPod's REST API, version 2, on loopback: what is on sale, and pods

With --sshd the pods are real, with the keys that their start script would give them. A pod is seen
PROVISIONING, then STARTING, then RUNNING.

Stock is made up, but always the same, and told as the API tells it: for one number of GPUs in one
cloud at a time; the scenario's capacity takes from it. '--table' prints what is on sale as the server
knows it, without any of the API's forms, so that a test can work out for itself what souk ought to
list. README.md tells of the rest.
"""

import base64
import json
import re
import sys

sys.dont_write_bytecode = True

import simworld
from restsim import Refused, Rest
from simworld import ENDED, ENDING, PENDING, RUNNING, STOPPED, STOPPING

KEY = "rpa_TESTKEY0123456789"
READ_ONLY_KEY = "rpa_READONLY0123456789"

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


def left(center, what, count):
    """The same, as far as the scenario's capacity leaves it."""
    if not sim.world.has_room(center, "", what, "on-demand", 1):
        return 0
    return level(center, what, count)


class World(simworld.World):
    """Pods."""

    verbs = {"createPod": "create", "listPods": "list", "getPod": "get", "deletePod": "terminate",
             "listGpuTypes": "prices", "listCpuTypes": "prices", "listDataCenters": "prices",
             "podAction": "power"}

    def size_of(self, type_name):
        return {"vcpus": 1, "gpus": 1}      # of a pod it is what its configuration says

    def _size(self, type_name, unit):
        return 1

    def own_report(self):
        return {"pods": [told(pod) for pod in self.instances.values()
                         if pod.state not in (ENDING, ENDED)]}


def problem(status, title, detail, errors=None, headers=None):
    body = {"title": title, "status": status, "detail": detail}
    if errors:
        body["errors"] = errors
    return (status, {"Content-Type": "application/problem+json", **(headers or {})},
            json.dumps(body))


TITLES = {400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden",
          404: "Not Found", 409: "Conflict", 422: "Unprocessable Entity", 429: "Too Many Requests",
          500: "Internal Server Error"}


def word(error):
    """A fault's code is its title; the detail tells one 400 from the other."""
    if error.status == 429:
        return problem(429, TITLES[429], "rate limit exceeded for the minute window")
    return problem(error.status, TITLES.get(error.status, error.code), error.message)


sim = Rest("runpod", World, word)
sim.options.add_argument("--limit", type=int, default=0,
                         help="requests in 2 seconds; 0: any number")
sim.options.add_argument("--table", action="store_true", help="print what is on sale, and end")


def refused(request, known):
    """The refusal that a request has earned; None: none."""
    key = request.headers.get("authorization", "")
    if not key.startswith("Bearer "):
        return problem(401, "Unauthorized", "missing bearer token")
    if key[7:] not in (KEY, READ_ONLY_KEY):
        return problem(401, "Unauthorized", "invalid bearer token")
    if request.method != "GET" and key[7:] != KEY:
        return problem(403, "Forbidden", "access denied")
    for name in request.query:
        if name not in known:
            return problem(422, "Unprocessable Entity", "Request validation failed.",
                           [f"query: unknown parameter '{name}'"])
    return None


def route(method, pattern, action, *known, contract=True):
    """A route of the API: the key, the parameters, and the headers that tell of the rate limit."""
    def add(function):
        @sim.route(method, "/v2/" + pattern, action, contract)
        def answer(request):
            refusal = refused(request, known)
            if refusal:
                return refusal
            status, headers, body = function(request)
            return status, {**rates(), **headers}, body
        return answer
    return add


def rates():
    limit = sim.world.scenario["rate_limit"] or {"requests": 1000000, "seconds": 60}
    rest = limit["requests"] - len(sim.world.taken)
    return {"RateLimit": f'"minute";r={rest};t={limit["seconds"]}, "hour";r=2900;t=1812',
            "RateLimit-Policy": f'"minute";q={limit["requests"]};w=60, "hour";q=3000;w=3600'}


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


def with_stock(item, places):
    """Places: (center, name, level) where it is sold in that configuration."""
    item["availability"] = LEVELS[max([stock for _, _, stock in places], default=0)]
    found = [{"id": center, "name": name, "availability": LEVELS[stock]}
             for center, name, stock in places if stock]
    if found:
        item["dataCenters"] = found


@route("GET", "catalog/gpus", "listGpuTypes", "include", "product", "count", "cloud", "countryCodes",
       "cudaVersions", "minCudaVersion")
def gpus(request):
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
            with_stock(item, [(center, label, left(center, id_, count))
                              for center, label, _ in CENTERS
                              if count <= most and sells(center, id_)])
        elif stock:
            item["availability"] = LEVELS[mix(id_, count) % 4 if count <= most_community else 0]
        found.append(item)
    return 200, {}, {"gpus": found}


# The public contract that the requests are held against does not have this path.
@route("GET", "catalog/cpus", "listCpuTypes", "include", "product", "vcpuCount", contract=False)
def cpus(request):
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
            with_stock(item, [(center, label, left(center, id_, vcpus // 8 + 1))
                              for center, label, _ in CENTERS
                              if least <= vcpus <= most and sells(center, id_)])
        found.append(item)
    return 200, {}, {"cpus": found}


@route("GET", "catalog/datacenters", "listDataCenters", "include", "regions", "networkVolumeTypes",
       "compliance", "globalNetwork")
def datacenters(request):
    include = [part for part in request.query.get("include", "").split(",") if part]
    if set(include) - {"GPU_AVAILABILITY", "CPU_AVAILABILITY"}:
        return problem(422, "Unprocessable Entity", "Request validation failed.",
                       ["include: not one of GPU_AVAILABILITY, CPU_AVAILABILITY"])
    found = []
    for id_, name, region in CENTERS:
        item = {"id": id_, "name": name, "region": region, "globalNetwork": True,
                "networkVolumeTypes": ["STANDARD"], "compliance": []}
        for member, table in (("GPU_AVAILABILITY", GPUS), ("CPU_AVAILABILITY", CPUS)):
            has = [{"id": row[0], "name": row[1], "availability": LEVELS[left(id_, row[0], 1)]}
                   for row in table if sells(id_, row[0]) and (table is CPUS or row[5])]
            if member in include and has:
                item["gpuAvailability" if table is GPUS else "cpuAvailability"] = has
        found.append(item)
    return 200, {}, {"dataCenters": found}


# ---- Pods -----------------------------------------------------------------------------------

CREATE = {"name", "image", "cloud", "cpu", "gpu", "dataCenterIds", "disk", "mounts", "ports", "env",
          "args", "registry", "globalNetworking", "startSsh", "startJupyter", "templateId"}
STATUS = {RUNNING: "RUNNING", STOPPING: "EXITED", STOPPED: "EXITED", ENDING: "TERMINATED",
          ENDED: "TERMINATED"}
NO_STOCK = ("There are no longer any instances available with the requested specifications. "
            "Please refresh and try again.")


class Pod(simworld.Instance):
    """A pod, with what its first boot needs, as the start script does it."""

    def __init__(self, **values):
        super().__init__(**values)
        env = self.body.get("env", {})
        self.authorized = [env["PUBLIC_KEY"]] if "PUBLIC_KEY" in env else []
        self.user_data = "#cloud-config\n"
        if "SOUK_HOST_KEY" in env:
            lines = base64.b64decode(env["SOUK_HOST_KEY"]).decode().splitlines()
            self.user_data += "ssh_keys:\n  ed25519_private: |\n" + "".join(
                f"    {line}\n" for line in lines)
            self.user_data += f"  ed25519_public: {env['SOUK_HOST_KEY_PUBLIC']}\n"


def status_of(pod):
    if pod.state == PENDING:
        return "STARTING" if pod.looks else "PROVISIONING"
    return STATUS[pod.state]


def network_of(pod):
    """The network in which pods reach each other."""
    if not pod.body.get("globalNetworking"):
        return {"enabled": False}
    return {"enabled": True, "ip": pod.private_ip or pod.ip or "10.65.0.1",
            "internalDns": f"{pod.id}.runpod.internal"}


def told(pod):
    body = pod.body
    direct = None
    if pod.state == RUNNING and pod.ip and "22/tcp" in body.get("ports", []):
        port = pod.machine.port if pod.machine else 22022
        direct = {"host": pod.ip, "port": port, "username": "root", "command": "ssh"}
    kind = "gpu" if "gpu" in body else "cpu"
    actions = ["start"] if pod.state in (STOPPING, STOPPED) else ["stop", "restart"]
    return {"id": pod.id, "name": body["name"], "image": body["image"],
            "args": body.get("args", ""), "disk": body.get("disk", 50),
            "ports": body.get("ports", []), "env": body.get("env", {}),
            "registry": None, "status": status_of(pod), "actions": [*actions, "terminate"],
            "mounts": body.get("mounts", {}), kind: body[kind],
            "cloud": body.get("cloud", "SECURE"), "dataCenterId": pod.region, "cudaVersion": None,
            "ssh": {"proxy": None, "direct": direct}, "template": None, "cost": 0.5,
            "locked": False, "globalNetworking": network_of(pod), "runtime": None,
            "createdAt": "2026-11-01T12:00:00Z", "startedAt": None}


def wrong_body(body):
    """What breaks the contract of a create."""
    if not isinstance(body, dict):
        return ["$: not an object"]
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
                 left(center, what, count)), None)


@route("GET", "pods", "listPods", "includeClusterPods")
def pods(_):
    found = [told(pod) for pod in sim.world.instances.values()
             if not pod.hidden and pod.state not in (ENDING, ENDED)]
    sim.world.look()
    return 200, {}, {"pods": found}


def named(request):
    """The pod of that id."""
    pod = sim.world.instances.get(request.match["id"])
    if not pod or pod.hidden or pod.state in (ENDING, ENDED):
        sim.world.look(ids=[request.match["id"]])
        raise Refused(problem(404, "Not Found", "pod not found"))
    return pod


@route("GET", "pods/(?P<id>[a-z0-9]+)", "getPod")
def get_pod(request):
    pod = named(request)
    answer = told(pod)
    sim.world.look(ids=[pod.id])
    return 200, {}, answer


# An empty order is how a client asks whether it may order: the API refuses it, and makes nothing.
@route("POST", "pods", "createPod", contract=lambda request: request.body.strip() != b"{}")
def create(request):
    world = sim.world
    try:
        body = request.json() or {}
    except ValueError:
        return problem(400, "Bad Request", "the body is not JSON")
    wrong = wrong_body(body)
    if wrong:
        return problem(422, "Unprocessable Entity", "Request validation failed.", wrong)
    if ("gpu" in body) == ("cpu" in body):
        return problem(400, "Bad Request", "exactly one of gpu or cpu must be set")
    what = body.get("gpu", body.get("cpu"))["id"]
    center = place(body)
    asked = center or (body.get("dataCenterIds") or [""])[0]
    fault = world.fault("createPod", asked, True, type=what, zone="", market="on-demand")
    if fault:
        raise sim.fault_error(fault)
    if world.broken_quota(asked, "", what, "on-demand", 1):
        return problem(402, "Payment Required", "insufficient balance to create this pod")
    if not center:
        return problem(400, "Bad Request", NO_STOCK)
    pod = Pod(id="pod" + world.make_hex("pod")[:11], body=body, region=center, type=what,
              name=body["name"], token=body["name"].rpartition("-")[2], on_shutdown="stop")
    world.add(pod)
    return 201, {}, told(pod)


@route("POST", "pods/(?P<id>[a-z0-9]+)/action", "podAction")
def act(request):
    body = request.json()
    if not isinstance(body, dict) or body.get("action") not in ("start", "stop", "restart"):
        return problem(422, "Unprocessable Entity", "Request validation failed.",
                       ["action: not one of start, stop, restart"])
    pod, world = named(request), sim.world
    if body["action"] == "stop" and pod.state in (PENDING, RUNNING):
        world.stop(pod)
    elif body["action"] == "start" and pod.state in (STOPPING, STOPPED):
        if not world.has_room(pod.region, "", pod.type, pod.market, 1):
            return problem(400, "Bad Request", NO_STOCK)
        world.start(pod)
    elif body["action"] != "restart":
        return problem(409, "Conflict", f"the pod is {status_of(pod)}")
    return 200, {}, told(pod)


@route("DELETE", "pods/(?P<id>[a-z0-9]+)", "deletePod")
def delete(request):
    sim.world.terminate(named(request))
    return 204, {}, ""


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


def environment(_url, _folder):
    """What a client needs besides the endpoint."""
    return {"RUNPOD_API_KEY": KEY}


def open_world(args, scenario, machines):
    if args.limit:
        scenario = dict(scenario, rate_limit={"requests": args.limit, "seconds": 2})
    return Rest.open(sim, args, scenario, machines)


sim.open = open_world

if __name__ == "__main__":
    sim.print_only("--table", table) or sim.main()
