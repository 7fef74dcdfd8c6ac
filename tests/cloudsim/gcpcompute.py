#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gcpcompute.py - gcpprices.py with machines: instances, operations, firewall rules, images

With --sshd each instance is a real sshd (machine.py). GET /state tells what there is; POST /scenario
{"sold_out": ["TYPE@ZONE", "TYPE@ZONE@SPOT"], "quota": ["TYPE@REGION"], "lost": N} changes what comes of
requests: "lost" answers to instances.insert are not sent, though what they ask for is done.
"""
import datetime
import fnmatch
import re
import socket
import sys
import threading
import uuid

import gcpprices
import gcpworld
from gcpprices import PROJECT, Refused, authorize, compute_url, parameters, refuse, sim

lock = threading.RLock()
instances = {}		# (zone, name) -> Instance
firewalls = {}
operations = {}
requests = {}		# requestId -> operation
scenario = {"sold_out": [], "quota": [], "lost": 0}
machines = None
made = []		# every instance that ever was: (zone, name, token)
IMAGES = {
    "ubuntu-os-cloud": {"ubuntu-2404-lts-amd64": ("ubuntu-2404-noble-amd64-v20261101", 10),
                        "ubuntu-2404-lts-arm64": ("ubuntu-2404-noble-arm64-v20261101", 10)},
    "deeplearning-platform-release": {
        "common-cu128-ubuntu-2204-nvidia-570": ("common-cu128-ubuntu-2204-v20260901", 50)},
    "debian-cloud": {"debian-12": ("debian-12-bookworm-v20261015", 10)},
}


class Instance:
    def __init__(self, zone, body):
        self.zone, self.body, self.id = zone, body, body["name"]
        self.status, self.machine, self.ip = "PROVISIONING", None, None
        self.created = datetime.datetime.now(datetime.timezone.utc).isoformat()
        meta = {i["key"]: i["value"] for i in body.get("metadata", {}).get("items", [])}
        self.meta = meta
        self.user_data = meta.get("user-data", "")
        self.authorized = [line.split(":", 1)[1] for line in meta.get("ssh-keys", "").split("\n")
                           if ":" in line]
        self.serial = len(made)

    def on(self):
        self.status = "PROVISIONING"
        if machines:
            self.machine = machines.start(self, lambda me: me.off("TERMINATED"))
            self.ip = self.machine.address
        else:
            self.ip = f"203.0.113.{self.serial % 250 + 1}"

    def off(self, status):
        if self.machine:
            self.machine.end(keep=True)
            self.machine = None
        self.status, self.ip = status, None

    def look(self):
        if self.status in ("PROVISIONING", "STAGING") and \
                (not self.machine or self.machine.up()):
            self.status = "RUNNING"

    def item(self):
        self.look()
        answer = {key: self.body[key] for key in ("name", "labels", "tags", "metadata",
                                                  "scheduling") if key in self.body}
        interface = {"network": "n", "networkIP": self.ip or "10.0.0.2"}
        if self.body["networkInterfaces"][0].get("accessConfigs"):
            access = {"type": "ONE_TO_ONE_NAT", "name": "External NAT"}
            if self.ip:
                access["natIP"] = self.ip
            interface["accessConfigs"] = [access]
        return dict(answer, kind="compute#instance", id=str(7000 + self.serial),
                    status=self.status, zone=compute_url(f"zones/{self.zone}"),
                    machineType=compute_url(self.body["machineType"]),
                    creationTimestamp=self.created, networkInterfaces=[interface])


# ---- What a request may have ----

FIELDS = {
    "": {"name", "machineType", "labels", "tags", "disks", "networkInterfaces", "metadata",
         "scheduling", "guestAccelerators", "serviceAccounts"},
    "disks": {"boot", "autoDelete", "initializeParams"},
    "initializeParams": {"sourceImage", "diskType", "diskSizeGb", "labels"},
    "networkInterfaces": {"network", "subnetwork", "accessConfigs"},
    "accessConfigs": {"type", "name"},
    "metadata": {"items"}, "items": {"key", "value"}, "tags": {"items"},
    "scheduling": {"provisioningModel", "automaticRestart", "onHostMaintenance",
                   "instanceTerminationAction", "maxRunDuration"},
    "maxRunDuration": {"seconds"},
    "guestAccelerators": {"acceleratorType", "acceleratorCount"},
    "serviceAccounts": {"email", "scopes"},
}


def invalid(message):
    return Refused(refuse(400, "invalid", f"Invalid value: {message}"))


def check_fields(value, where=""):
    if isinstance(value, list):
        for entry in value:
            check_fields(entry, where)
    elif isinstance(value, dict) and where != "labels":
        for name, inner in value.items():
            if name not in FIELDS.get(where, {name}):
                raise Refused(refuse(400, "invalid", f'Invalid JSON payload received. Unknown name '
                                     f'"{name}" at \'{where}\': Cannot find field.'))
            check_fields(inner, name)


def check_labels(labels):
    for key, value in labels.items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key) or \
                not re.fullmatch(r"[a-z0-9_-]{0,63}", value):
            raise invalid(f"label '{key}': '{value}'")


def type_of(zone, body):
    match = re.fullmatch(rf"zones/{zone}/machineTypes/([a-z0-9-]+)", body["machineType"])
    found = [t for t in gcpworld.types_of(zone) if match and t["name"] == match[1]]
    if not found:
        raise invalid(f"for field 'resource.machineType': '{body['machineType']}'")
    return found[0]


def check_instance(zone, body):
    check_fields(body)
    if not re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", body["name"]):
        raise invalid("the name")
    check_labels(body.get("labels", {}))
    entry = type_of(zone, body)
    disk = body["disks"][0]["initializeParams"]
    check_labels(disk.get("labels", {}))
    if not disk["diskType"].startswith(f"zones/{zone}/diskTypes/"):
        raise invalid("the kind of disk")
    if disk["sourceImage"].split("/")[-1] not in [
            image for families in IMAGES.values() for image, _ in families.values()]:
        raise invalid(f"the image '{disk['sourceImage']}'")
    scheduling = body["scheduling"]
    spot = scheduling["provisioningModel"] == "SPOT"
    if spot and (scheduling["automaticRestart"] or scheduling["onHostMaintenance"] != "TERMINATE"):
        raise invalid("a spot machine cannot move or start again")
    if ("gpu" in entry or "guestAccelerators" in body) and \
            scheduling["onHostMaintenance"] != "TERMINATE":
        raise invalid("machines with accelerators cannot migrate")
    for gpu in body.get("guestAccelerators", []):
        match = re.fullmatch(rf"zones/{zone}/acceleratorTypes/([a-z0-9-]+)",
                             gpu["acceleratorType"])
        if not match or match[1] not in gcpworld.attachable(zone):
            raise invalid(f"'{gpu['acceleratorType']}'")
    return entry["name"], spot


# ---- Operations ----

def operation(scope, error=None, target=""):
    name = f"operation-{uuid.uuid4().hex[:20]}"
    done = {"kind": "compute#operation", "name": name, "status": "DONE", "progress": 100,
            "targetLink": target, "operationType": "x"}
    if error:
        code, message = error
        done["error"] = {"errors": [{"code": code, "message": message}]}
        done["httpErrorStatusCode"] = 503
    operations[scope, name] = done
    return dict({key: done[key] for key in ("kind", "name", "targetLink")}, status="RUNNING")


def compute_route(method, pattern, *known):
    def add(function):
        @sim.route(method, f"/compute/v1/projects/{PROJECT}/{pattern}")
        def answer(request):
            parameters(request, *known)
            authorize(request)
            with lock:
                return function(request)
        return answer
    return add


@compute_route("POST", r"(?P<scope>zones/[^/]+|global)/operations/(?P<name>[^/]+)/wait")
def wait_route(request):
    found = operations.get((request.match["scope"], request.match["name"]))
    return (200, {}, found) if found else not_found("operations", request.match["name"])


def not_found(kind, name):
    return refuse(404, "notFound", f"The resource 'projects/{PROJECT}/{kind}/{name}' was not found")


# ---- Instances ----

def matches(rules, *what):
    return any(fnmatch.fnmatchcase("@".join(what), rule) for rule in rules)


@compute_route("POST", "zones/(?P<zone>[^/]+)/instances", "requestId")
def insert(request):
    zone, body = request.match["zone"], request.json()
    token = request.query.get("requestId", "")
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", token):
        raise invalid("requestId")
    if token in requests:
        return 200, {}, requests[token]
    name, spot = check_instance(zone, body)
    if (zone, body["name"]) in instances:
        return refuse(409, "alreadyExists", f"The resource 'projects/{PROJECT}/zones/{zone}/"
                      f"instances/{body['name']}' already exists")
    error = None
    model = ["SPOT"] if spot else []
    if matches(scenario["sold_out"], name, zone, *model):
        error = ("ZONE_RESOURCE_POOL_EXHAUSTED", f"The zone 'projects/{PROJECT}/zones/{zone}' does "
                 "not have enough resources available to fulfill the request.")
    elif matches(scenario["quota"], name, gcpworld.region_of(zone)):
        error = ("QUOTA_EXCEEDED", "Quota 'CPUS' exceeded.  Limit: 8.0 in region "
                 f"{gcpworld.region_of(zone)}.")
    else:
        instance = Instance(zone, body)
        instances[zone, body["name"]] = instance
        made.append((zone, body["name"], instance.meta.get("souk-token")))
        instance.on()
    requests[token] = operation(f"zones/{zone}", error)
    if scenario["lost"]:
        scenario["lost"] -= 1
        return refuse(502, "backendError", "lost on the way")
    return 200, {}, requests[token]


def instance_route(method, suffix=""):
    def add(function):
        @compute_route(method, f"zones/(?P<zone>[^/]+)/instances/(?P<name>[^/]+){suffix}",
                       "requestId", "discardLocalSsd")
        def answer(request):
            at = request.match["zone"], request.match["name"]
            if at not in instances:
                return not_found(f"zones/{at[0]}/instances", at[1])
            return function(at[0], instances[at])
        return answer
    return add


@instance_route("GET")
def get_instance(_, instance):
    return 200, {}, instance.item()


@instance_route("DELETE")
def delete_instance(zone, instance):
    del instances[zone, instance.id]
    if instance.machine:
        instance.machine.end(keep=False)
    return 200, {}, operation(f"zones/{zone}")


@instance_route("POST", "/stop")
def stop_instance(zone, instance):
    instance.off("TERMINATED")
    return 200, {}, operation(f"zones/{zone}")


@instance_route("POST", "/start")
def start_instance(zone, instance):
    name = instance.body["machineType"].split("/")[-1]
    if matches(scenario["sold_out"], name, zone):
        return 200, {}, operation(f"zones/{zone}", ("ZONE_RESOURCE_POOL_EXHAUSTED", "no room"))
    if not instance.ip:
        instance.on()
    return 200, {}, operation(f"zones/{zone}")


def is_found(instance, terms):
    for term in terms:
        match = re.fullmatch(r'labels\.([a-z-]+)(?:( = )"?([a-z0-9_-]*)"?|:\*)|name=([a-z0-9-]+)',
                             term)
        if not match:
            raise invalid(f"for field 'filter': '{term}'")
        label, equals, value, name = match.groups()
        labels = instance.body.get("labels", {})
        if name and name != instance.id or label and label not in labels or \
                equals and labels[label] != value:
            return False
    return True


@compute_route("GET", "aggregated/instances", "filter", "maxResults", "pageToken")
def list_all(request):
    text = request.query.get("filter", "")
    terms = re.findall(r"\(([^)]*)\)", text) if text.startswith("(") else [text] if text else []
    pairs = [(zone, instance.item()) for (zone, _), instance in sorted(instances.items())
             if is_found(instance, terms)]
    size = min(gcpprices.number(request, "maxResults", 500, 500), sim.args.page)
    return gcpprices.aggregated(request, size, pairs, "instances", f"instances {text}")


# ---- Firewall rules ----

RULE = {"name", "description", "network", "direction", "allowed", "targetTags", "sourceRanges",
        "sourceTags"}


def check_rule(body):
    if set(body) - RULE or body.get("direction") != "INGRESS":
        raise invalid(f"a rule with {sorted(set(body) - RULE)}")
    if not re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", body["name"]):
        raise invalid("the rule's name")


@compute_route("POST", "global/firewalls")
def insert_rule(request):
    body = request.json()
    check_rule(body)
    if body["name"] in firewalls:
        return refuse(409, "alreadyExists", "The rule already exists")
    firewalls[body["name"]] = body
    return 200, {}, operation("global")


@compute_route("GET", "global/firewalls/(?P<name>[^/]+)")
def get_rule(request):
    found = firewalls.get(request.match["name"])
    return (200, {}, found) if found else not_found("global/firewalls", request.match["name"])


@compute_route("PATCH", "global/firewalls/(?P<name>[^/]+)")
def patch_rule(request):
    body = request.json()
    check_rule(body)
    if request.match["name"] not in firewalls:
        return not_found("global/firewalls", request.match["name"])
    firewalls[request.match["name"]].update(body)
    return 200, {}, operation("global")


@compute_route("DELETE", "global/firewalls/(?P<name>[^/]+)")
def delete_rule(request):
    if not firewalls.pop(request.match["name"], None):
        return not_found("global/firewalls", request.match["name"])
    return 200, {}, operation("global")


# ---- Images ----

@sim.route("GET", r"/compute/v1/projects/(?P<project>[^/]+)/global/images/(?P<name>.+)")
def get_image(request):
    parameters(request)
    authorize(request)
    families = IMAGES.get(request.match["project"], {})
    name = request.match["name"]
    for family, (image, size) in families.items():
        if name in (f"family/{family}", image):
            link = f"projects/{request.match['project']}/global/images/{image}"
            return 200, {}, {"name": image, "family": family, "diskSizeGb": str(size),
                             "selfLink": f"https://www.googleapis.com/compute/v1/{link}"}
    return not_found("global/images", name)


# ---- What tests ask ----

@sim.route("GET", "/state")
def state(_):
    with lock:
        rows = [dict(instance.item(), ip=instance.ip, body=instance.body, meta=instance.meta,
                     ssh=instance.machine.report() if instance.machine else None)
                for instance in instances.values()]
        return 200, {}, {"instances": rows, "firewalls": dict(firewalls), "made": list(made),
                         "ssh_port": machines.port if machines else 0}


@sim.route("POST", "/scenario")
def set_scenario(request):
    with lock:
        scenario.update({"sold_out": [], "quota": [], "lost": 0}, **request.json())
    return 200, {}, {}


@sim.route("POST", "/preempt")
def preempt(request):
    """A spot machine is taken away, as it was asked to be."""
    with lock:
        for at, instance in list(instances.items()):
            if instance.id == request.json()["name"]:
                if instance.machine:
                    instance.machine.end(keep=False)
                del instances[at]
    return 200, {}, {}


def main():
    global machines
    sim.options.add_argument("--sshd", action="store_true")
    if "--sshd" in sys.argv:
        from machine import Machines
        # A port of our own, for as long as we live, stands for addresses of our own.
        holder = socket.socket()
        holder.bind(("127.0.0.1", 0))
        machines = Machines(holder.getsockname()[1])
    try:
        gcpprices.main()
    finally:
        if machines:
            machines.close()


if __name__ == "__main__":
    main()
