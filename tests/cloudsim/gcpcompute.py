#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gcpcompute.py - gcpprices.py with machines: instances, operations, firewall rules, images

An operation is done when it is waited for; what it does to a machine is seen from then on, or when the
machine has been looked at often enough. README.md tells of the rest.
"""

import re
import sys
import time
import uuid

sys.dont_write_bytecode = True

import gcpprices
import gcpworld
import simworld
from gcpprices import (PROJECT, Refused, authorize, compute_url, environment, parameters,  # noqa: F401
                       refuse, sim)
from simworld import ENDED, ENDING, PENDING, RUNNING, STOPPED, STOPPING

IMAGES = {
    "ubuntu-os-cloud": {"ubuntu-2404-lts-amd64": ("ubuntu-2404-noble-amd64-v20261101", 10),
                        "ubuntu-2404-lts-arm64": ("ubuntu-2404-noble-arm64-v20261101", 10)},
    "deeplearning-platform-release": {
        "common-cu128-ubuntu-2204-nvidia-570": ("common-cu128-ubuntu-2204-v20260901", 50)},
    "debian-cloud": {"debian-12": ("debian-12-bookworm-v20261015", 10)},
}


STATUS = {RUNNING: "RUNNING", STOPPING: "STOPPING", STOPPED: "TERMINATED", ENDING: "STOPPING"}


class World(simworld.World):
    """Instances, firewall rules, operations."""

    verbs = {"instances.insert": "create", "instances.aggregatedList": "list",
             "instances.get": "get", "instances.delete": "terminate", "instances.stop": "stop",
             "instances.start": "start", "firewalls.insert": "network", "firewalls.get": "network",
             "firewalls.patch": "network", "firewalls.delete": "network", "images.get": "images",
             "services.skus.list": "prices", "machineTypes.list": "prices",
             "machineTypes.aggregatedList": "prices", "zones.list": "prices",
             "acceleratorTypes.aggregatedList": "prices"}

    def reset(self):
        super().reset()
        self.firewalls = {}
        self.operations = {}

    def size_of(self, type_name):
        entry = next(t for t in gcpworld.TYPES if t["name"] == type_name)
        return {"vcpus": entry["vcpus"], "gpus": max(1, int(float(entry["gpus"])))
                if "gpu" in entry else 0}

    def preempted(self, instance):
        if instance.body["scheduling"].get("instanceTerminationAction") == "DELETE":
            self.terminate(instance, "preempted")
            self.settle(instance)
        else:
            self.stop(instance, "preempted")

    def settle(self, instance):
        """What was asked of the machine is done."""
        if instance.state == ENDING:
            instance.set_state(ENDED, instance.reason)
        elif instance.state == STOPPING:
            instance.set_state(STOPPED, instance.reason)

    def leftovers(self):
        return [f"firewall rule {name}" for name in self.firewalls]

    def own_report(self):
        return {"machines": [dict(item(i), ip=i.ip, body=i.body, meta=i.meta) for i in
                             self.instances.values() if i.state != ENDED],
                "firewalls": dict(self.firewalls),
                "made": [(i.zone, i.name, i.meta.get("souk-token")) for i in self.ever]}


sim.make_world = World


def new_instance(zone, body, type_name, spot):
    meta = {i["key"]: i["value"] for i in body.get("metadata", {}).get("items", [])}
    return simworld.Instance(
        id=f"{zone}/{body['name']}", name=body["name"], zone=zone, type=type_name, body=body,
        region=gcpworld.region_of(zone), market="spot" if spot else "on-demand",
        tags={**{k: v for k, v in meta.items() if k.startswith("souk-")},
              **body.get("labels", {})},
        number=7000 + len(sim.world.ever), meta=meta, user_data=meta.get("user-data", ""),
        token=meta.get("souk-token"), created=sim.world.now(), on_shutdown="stop",
        public=bool(body["networkInterfaces"][0].get("accessConfigs")),
        authorized=[line.split(":", 1)[1] for line in meta.get("ssh-keys", "").split("\n")
                    if ":" in line])


def status_of(instance):
    if instance.state == PENDING:
        return "STAGING" if instance.looks > 1 else "PROVISIONING"
    return STATUS[instance.state]


def item(instance):
    body = instance.body
    answer = {key: body[key] for key in ("name", "labels", "tags", "metadata", "scheduling")
              if key in body}
    interface = {"network": "n", "networkIP": instance.private_ip or "10.0.0.2"}
    if instance.public:
        access = {"type": "ONE_TO_ONE_NAT", "name": "External NAT"}
        if instance.ip:
            access["natIP"] = instance.ip
        interface["accessConfigs"] = [access]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000-00:00", time.gmtime(instance.created))
    return dict(answer, kind="compute#instance", id=str(instance.number),
                status=status_of(instance), zone=compute_url(f"zones/{instance.zone}"),
                machineType=compute_url(body["machineType"]), creationTimestamp=stamp,
                networkInterfaces=[interface])


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

def operation(scope, error=None, about=None):
    world = sim.world
    name = f"operation-{uuid.uuid4().hex[:20]}"
    done = {"kind": "compute#operation", "name": name, "status": "DONE", "progress": 100,
            "targetLink": compute_url(f"{scope}/x"), "operationType": "x"}
    if error:
        code, message = error
        done["error"] = {"errors": [{"code": code, "message": message}]}
        done["httpErrorStatusCode"] = 503
    world.operations[scope, name] = done, about
    return dict({key: done[key] for key in ("kind", "name", "targetLink")}, status="RUNNING")


def compute_route(method, pattern, action, *known):
    def add(function):
        @sim.route(method, f"/compute/v1/projects/{PROJECT}/{pattern}", action)
        def answer(request):
            parameters(request, *known)
            authorize(request)
            return function(request)
        return answer
    return add


def body_of(request):
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refused(refuse(400, "parseError", "Parse Error"))
    return body


def need(body, *names):
    for name in names:
        if name not in body:
            raise Refused(refuse(400, "required", f"Required field 'resource.{name}' not specified"))


def serve_wait(request):
    at = request.match["scope"], request.match["name"]
    if at not in sim.world.operations:
        return not_found("operations", at[1])
    done, about = sim.world.operations[at]
    if about:
        sim.world.settle(about)
    return 200, {}, done


@compute_route("POST", r"(?P<scope>zones/(?P<zone>[^/]+))/operations/(?P<name>[^/]+)/wait",
               "zoneOperations.wait")
def wait_zone(request):
    return serve_wait(request)


@compute_route("POST", r"(?P<scope>global)/operations/(?P<name>[^/]+)/wait",
               "globalOperations.wait")
def wait_global(request):
    return serve_wait(request)


def not_found(kind, name):
    return refuse(404, "notFound", f"The resource 'projects/{PROJECT}/{kind}/{name}' was not found")


# ---- Instances ----

def why_none(action, zone, type_name, market):
    """(code, message) of the operation that fails to make or start such a machine; None: it works."""
    place = gcpworld.region_of(zone), zone, type_name, market
    fault = sim.world.fault(action, place[0], True, zone=zone, type=type_name, market=market)
    if fault and not fault["code"].isupper():
        raise sim.fault_error(fault)
    if fault:
        return fault["code"], fault.get("message", "by order of the scenario")
    if sim.world.broken_quota(*place, 1):
        return ("QUOTA_EXCEEDED", "Quota 'CPUS' exceeded.  Limit: 8.0 in region "
                f"{place[0]}.")
    if not sim.world.has_room(*place, 1):
        return ("ZONE_RESOURCE_POOL_EXHAUSTED", f"The zone 'projects/{PROJECT}/zones/{zone}' does "
                "not have enough resources available to fulfill the request.")
    return None


@compute_route("POST", "zones/(?P<zone>[^/]+)/instances", "instances.insert", "requestId")
def insert(request):
    world, zone, body = sim.world, request.match["zone"], body_of(request)
    token = request.query.get("requestId", "")
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", token):
        raise invalid("requestId")
    if token in world.tokens:
        return 200, {}, world.tokens[token]
    need(body, "name", "machineType", "disks", "networkInterfaces", "scheduling")
    name, spot = check_instance(zone, body)
    at = f"{zone}/{body['name']}"
    if at in world.instances and world.instances[at].state != ENDED:
        return refuse(409, "alreadyExists", f"The resource 'projects/{PROJECT}/zones/{zone}/"
                      f"instances/{body['name']}' already exists")
    error = why_none("instances.insert", zone, name, "spot" if spot else "on-demand")
    if not error:
        world.add(new_instance(zone, body, name, spot))
    world.tokens[token] = operation(f"zones/{zone}", error)
    return 200, {}, world.tokens[token]


def instance_route(method, action, suffix=""):
    def add(function):
        @compute_route(method, f"zones/(?P<zone>[^/]+)/instances/(?P<name>[^/]+){suffix}",
                       action, "requestId", "discardLocalSsd")
        def answer(request):
            zone, name = request.match["zone"], request.match["name"]
            instance = sim.world.find(f"{zone}/{name}")
            if not instance:
                return not_found(f"zones/{zone}/instances", name)
            return function(zone, instance)
        return answer
    return add


@instance_route("GET", "instances.get")
def get_instance(_, instance):
    return 200, {}, item(instance)


@instance_route("DELETE", "instances.delete")
def delete_instance(zone, instance):
    sim.world.terminate(instance)
    return 200, {}, operation(f"zones/{zone}", about=instance)


@instance_route("POST", "instances.stop", "/stop")
def stop_instance(zone, instance):
    if instance.state in (PENDING, RUNNING):
        sim.world.stop(instance)
    return 200, {}, operation(f"zones/{zone}", about=instance)


@instance_route("POST", "instances.start", "/start")
def start_instance(zone, instance):
    if instance.state in (PENDING, RUNNING):
        return 200, {}, operation(f"zones/{zone}")
    if instance.state != STOPPED:
        return refuse(400, "resourceNotReady", f"The resource '{instance.name}' is not ready")
    error = why_none("instances.start", zone, instance.type, instance.market)
    if not error:
        sim.world.start(instance)
    return 200, {}, operation(f"zones/{zone}", error)


def is_found(instance, terms):
    for term in terms:
        match = re.fullmatch(r'labels\.([a-z_-]+)(?:( = )"?([a-z0-9_-]*)"?|:\*)|name=([a-z0-9-]+)',
                             term)
        if not match:
            raise invalid(f"for field 'filter': '{term}'")
        label, equals, value, name = match.groups()
        labels = instance.body.get("labels", {})
        if name and name != instance.name or label and label not in labels or \
                equals and labels[label] != value:
            return False
    return True


@compute_route("GET", "aggregated/instances", "instances.aggregatedList", "filter", "maxResults",
               "pageToken")
def list_all(request):
    text = request.query.get("filter", "")
    choices = [re.findall(r"\(([^)]*)\)", part) if part.startswith("(") else [part] if part else []
               for part in text.split(" OR ")]
    pairs = [(instance.zone, item(instance)) for instance in
             sorted(sim.world.shown(), key=lambda i: i.id)
             if any(is_found(instance, terms) for terms in choices)]
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


@compute_route("POST", "global/firewalls", "firewalls.insert")
def insert_rule(request):
    body = body_of(request)
    check_rule(body)
    if body["name"] in sim.world.firewalls:
        return refuse(409, "alreadyExists", "The rule already exists")
    sim.world.firewalls[body["name"]] = body
    return 200, {}, operation("global")


@compute_route("GET", "global/firewalls/(?P<name>[^/]+)", "firewalls.get")
def get_rule(request):
    found = sim.world.firewalls.get(request.match["name"])
    return (200, {}, found) if found else not_found("global/firewalls", request.match["name"])


@compute_route("PATCH", "global/firewalls/(?P<name>[^/]+)", "firewalls.patch")
def patch_rule(request):
    body = body_of(request)
    check_rule(body)
    if request.match["name"] not in sim.world.firewalls:
        return not_found("global/firewalls", request.match["name"])
    sim.world.firewalls[request.match["name"]].update(body)
    return 200, {}, operation("global")


@compute_route("DELETE", "global/firewalls/(?P<name>[^/]+)", "firewalls.delete")
def delete_rule(request):
    if not sim.world.firewalls.pop(request.match["name"], None):
        return not_found("global/firewalls", request.match["name"])
    return 200, {}, operation("global")


# ---- Images ----

@sim.route("GET", r"/compute/v1/projects/(?P<project>[^/]+)/global/images/(?P<name>.+)", "images.get")
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


if __name__ == "__main__":
    gcpprices.main()
