#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lambda_.py - Lambda's Cloud API on loopback: what is on sale, machines and SSH keys

With --sshd the machines are real. '--table' prints what is on sale, without the API's forms.
README.md tells of the rest.
"""

import re
import sys

sys.dont_write_bytecode = True

import simworld
from restsim import Refused, Rest
from simworld import ENDING, PENDING, RUNNING, STOPPED, STOPPING

KEY = "secret_souk_TESTKEY0123456789"

REGIONS = {
    "us-east-1": "Virginia, USA", "us-west-1": "California, USA", "us-south-1": "Texas, USA",
    "us-midwest-1": "Illinois, USA", "europe-central-1": "Germany", "asia-northeast-1": "Japan",
    "us-mountain-9": "a region that is new",
}

# name, description of the GPU, GPUs, vCPUs, GiB, GiB of disk, cents, regions with some
TYPES = [
    ("cpu_4x_general", "N/A", 0, 4, 16, 512, 20, ["us-east-1", "us-west-1"]),
    ("gpu_1x_a10", "A10 (24 GB PCIe)", 1, 30, 200, 1400, 129, ["us-west-1", "us-east-1"]),
    ("gpu_1x_a100_sxm4", "A100 (40 GB SXM4)", 1, 30, 200, 512, 199, []),
    ("gpu_8x_a100_80gb_sxm4", "A100 (80 GB SXM4)", 8, 240, 1800, 20480, 2232, ["us-midwest-1"]),
    ("gpu_1x_a6000", "RTX A6000 (48 GB)", 1, 14, 100, 200, 109, []),
    ("gpu_1x_rtx6000", "Quadro RTX 6000 (24 GB)", 1, 14, 46, 512, 69, []),
    ("gpu_8x_v100_n", "Tesla V100 (16 GB)", 8, 88, 448, 5939, 632, []),
    ("gpu_1x_gh200", "GH200 (96 GB)", 1, 64, 432, 4096, 229, ["us-mountain-9"]),
    ("gpu_1x_h100_pcie", "H100 (80 GB PCIe)", 1, 26, 200, 1024, 329, ["us-west-1"]),
    ("gpu_1x_h100_sxm5", "H100 (80 GB SXM5)", 1, 26, 225, 2816, 429,
     ["us-south-1", "europe-central-1"]),
    ("gpu_8x_h100_sxm5", "H100 (80 GB SXM5)", 8, 208, 1800, 22528, 3192, ["us-south-1"]),
    ("gpu_8x_b200_sxm6", "B200 (180 GB SXM6)", 8, 208, 2900, 22528, 5352, []),
]
ROWS = {row[0]: row for row in TYPES}
STATUS = {PENDING: "booting", RUNNING: "active", ENDING: "terminating",
          STOPPING: "unhealthy", STOPPED: "unhealthy"}
STATUSES = {"global/invalid-api-key": 401, "global/account-inactive": 403,
            "global/quota-exceeded": 400, "global/internal-error": 500,
            "instance-operations/launch/insufficient-capacity": 400}


def region_of(name):
    return {"name": name, "description": REGIONS[name]}


class World(simworld.World):
    """Machines and SSH keys."""

    verbs = {"launchInstance": "create", "listInstances": "list", "terminateInstance": "terminate",
             "listSSHKeys": "keys", "addSSHKey": "keys", "deleteSSHKey": "keys",
             "listInstanceTypes": "prices"}

    def reset(self):
        super().reset()
        self.keys = []

    def size_of(self, type_name):
        return {"vcpus": ROWS[type_name][3], "gpus": ROWS[type_name][2]}

    def has_some(self, row, region):
        return region in row[7] and self.has_room(region, "", row[0], "on-demand", 1)

    def leftovers(self):
        return [f"key {key['name']}" for key in self.keys]

    def own_report(self):
        return {"machines": [told(i) for i in self.instances.values() if i.state in
                             (PENDING, RUNNING)], "keys": [key["name"] for key in self.keys]}


def error(status, code, message, suggestion=None, headers=None):
    body = {"code": code, "message": message}
    if suggestion:
        body["suggestion"] = suggestion
    return status, headers or {}, {"error": body}


def word(refusal):
    code = "global/too-many-requests" if refusal.status == 429 else refusal.code
    return error(refusal.status, code, refusal.message)


sim = Rest("lambda", World, word)
sim.statuses = STATUSES
sim.options.add_argument("--table", action="store_true", help="print what is on sale, and end")


def route(method, pattern, action, *known):
    """A route of the API: the key and the parameters are seen to."""
    def add(function):
        @sim.route(method, "/api/v1/" + pattern, action)
        def answer(request):
            if request.headers.get("authorization") != "Bearer " + KEY:
                return error(401, "global/invalid-api-key", "API key was invalid, expired, or "
                             "deleted.", "Check your API key or create a new one, then try again.")
            if set(request.query) - set(known):
                return error(400, "global/invalid-parameters", "Unknown query parameter.")
            return function(request)
        return answer
    return add


def invalid(message):
    return Refused(error(400, "global/invalid-parameters", message))


def body_of(request, required, known):
    """The object that the body is; refused if it has not these members."""
    try:
        body = request.json()
    except ValueError:
        raise invalid("the body is not JSON") from None
    if not isinstance(body, dict) or set(required) - set(body) or set(body) - set(known):
        raise invalid("unknown or missing field")
    return body


def instance_type_of(row):
    name, gpu, gpus, vcpus, memory, disk, cents, _ = row
    return {"name": name, "description": f"{gpus}x {gpu}" if gpus else "General purpose",
            "gpu_description": gpu, "price_cents_per_hour": cents,
            "specs": {"vcpus": vcpus, "memory_gib": memory, "storage_gib": disk, "gpus": gpus}}


@route("GET", "instance-types", "listInstanceTypes")
def instance_types(_):
    return 200, {}, {"data": {
        row[0]: {"instance_type": instance_type_of(row),
                 "regions_with_capacity_available": [region_of(name) for name in row[7]
                                                     if sim.world.has_some(row, name)]}
        for row in TYPES}}


# ---- Machines -------------------------------------------------------------------------------

LAUNCH = {"region_name", "instance_type_name", "ssh_key_names", "file_system_names",
          "file_system_mounts", "hostname", "name", "image", "user_data", "tags",
          "firewall_rulesets"}
TAG_KEY = re.compile(r"[a-z][a-z0-9-:]+\Z")


def told(instance):
    body = instance.body
    out = {
        "id": instance.id, "name": body.get("name", ""), "status": STATUS[instance.state],
        "ssh_key_names": body["ssh_key_names"], "file_system_names": [],
        "region": region_of(instance.region),
        "instance_type": instance_type_of(ROWS[instance.type]), "tags": body.get("tags", []),
        "jupyter_token": "secret-of-a-notebook",
        "actions": {name: {"available": True} for name in
                    ("migrate", "rebuild", "restart", "cold_reboot", "terminate")}}
    if instance.state == RUNNING and instance.ip:
        out["ip"], out["private_ip"] = instance.ip, instance.private_ip
    return out


def check_launch(body):
    """Refuse a launch, as far as the form of its body goes."""
    names = body["ssh_key_names"]
    if not all(isinstance(body[name], str) for name in ("region_name", "instance_type_name")):
        raise invalid("unknown or missing field")
    if not isinstance(names, list) or len(names) != 1:
        raise invalid("exactly one SSH key must be specified")
    if len(body.get("name", "")) > 64 or len(body.get("user_data", "")) > 1 << 20:
        raise invalid("name or user_data too long")
    for tag in body.get("tags", []):
        if (set(tag) != {"key", "value"} or not TAG_KEY.match(tag["key"]) or
                len(tag["key"]) > 55 or len(tag["value"]) > 128):
            raise invalid(f"not a tag: {tag}")
    known = [{"id": id_} for id_, _, region in RULESETS if region == body["region_name"]]
    if any(entry not in known for entry in body.get("firewall_rulesets", [])):
        raise invalid("not a firewall ruleset of the region")
    if "image" in body and set(body["image"]) not in ({"id"}, {"family"}):
        raise invalid("not an image")


@route("GET", "instances", "listInstances", "cluster_id")
def list_instances(_):
    found = [told(instance) for instance in sim.world.instances.values()
             if not instance.hidden and instance.state in STATUS]
    sim.world.look()
    return 200, {}, {"data": found}


def no_capacity():
    return error(400, "instance-operations/launch/insufficient-capacity",
                 "Not enough capacity to fulfill launch request.")


@route("POST", "instance-operations/launch", "launchInstance")
def launch(request):
    world = sim.world
    body = body_of(request, ("region_name", "instance_type_name", "ssh_key_names"), LAUNCH)
    check_launch(body)
    region, row = body["region_name"], ROWS.get(body["instance_type_name"])
    key = next((key for key in world.keys if key["name"] == body["ssh_key_names"][0]), None)
    if not row or not key:
        return error(400, "global/object-does-not-exist", "Specified object does not exist.",
                     "Check the name.")
    place = region, "", row[0], "on-demand"
    fault = world.fault("launchInstance", region, True, type=row[0], zone="", market="on-demand")
    if fault:
        raise sim.fault_error(fault)
    if world.broken_quota(*place, 1):
        return error(400, "global/quota-exceeded", "Quota exceeded.",
                     "Contact Support to increase your quota.")
    if not world.has_some(row, region):
        return no_capacity()
    instance = simworld.Instance(
        id=world.make_hex("instance")[:32], body=body, region=region, type=row[0],
        name=body.get("name"), tags={tag["key"]: tag["value"] for tag in body.get("tags", [])},
        user_data=body.get("user_data", ""), authorized=[key["public_key"]], on_shutdown="stop")
    world.add(instance)
    return 200, {}, {"data": {"instance_ids": [instance.id]}}


@route("POST", "instance-operations/terminate", "terminateInstance")
def terminate(request):
    wanted = body_of(request, ["instance_ids"], ["instance_ids"])["instance_ids"]
    found = [instance for instance in sim.world.instances.values() if instance.id in wanted and
             not instance.hidden and instance.state in STATUS]
    if len(found) != len(wanted):
        return error(404, "global/object-does-not-exist", "Specified instance does not exist.")
    for instance in found:
        sim.world.terminate(instance)
    return 200, {}, {"data": {"terminated_instances": [told(i) for i in found]}}


# ---- Firewalls ------------------------------------------------------------------------------

RULESETS = [("0" * 31 + str(n), name, region) for n, (name, region) in enumerate(
    [("rest", "us-west-1"), ("work", "us-west-1"), ("work", "europe-central-1")])]


@route("GET", "firewall-rulesets", "firewallRulesetsList")
def list_rulesets(_):
    return 200, {}, {"data": [
        {"id": id_, "name": name, "region": region_of(region), "rules": [],
         "created": "2026-11-01T12:00:00Z", "instance_ids": []} for id_, name, region in RULESETS]}


# ---- Keys -----------------------------------------------------------------------------------

@route("GET", "ssh-keys", "listSSHKeys")
def list_keys(_):
    return 200, {}, {"data": sim.world.keys}


@route("POST", "ssh-keys", "addSSHKey")
def add_key(request):
    body = body_of(request, ("name", "public_key"), ("name", "public_key"))
    if not 0 < len(body["name"]) <= 64:
        raise invalid("Not an SSH key.")
    if any(key["name"] == body["name"] for key in sim.world.keys):
        return error(400, "global/duplicate", "An SSH key of that name exists.")
    sim.world.keys.append(dict(body, id=sim.world.make_hex("key")[:32]))
    return 200, {}, {"data": sim.world.keys[-1]}


@route("DELETE", "ssh-keys/(?P<id>[0-9a-f]+)", "deleteSSHKey")
def delete_key(request):
    for key in sim.world.keys:
        if key["id"] == request.match["id"]:
            sim.world.keys.remove(key)
            return 200, {}, {"data": {}}
    return error(404, "global/object-does-not-exist", "Specified SSH key does not exist.")


def environment(_url, _folder):
    """What a client needs besides the endpoint."""
    return {"LAMBDA_API_KEY": KEY}


if __name__ == "__main__":
    sim.print_only("--table", lambda: [list(row) for row in TYPES]) or sim.main()
