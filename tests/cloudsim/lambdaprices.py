#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""lambdaprices.py - Lambda's Cloud API on loopback: what is on sale, machines and SSH keys

With --sshd the machines are real: each is an sshd on a loopback address of its own. A machine is
booting when it is first seen, and active from then on. '--table' prints what is on sale, without
the API's forms.
"""
import atexit
import json
import os
import re
import signal
import sys

from machine import Machines
from pricesim import Sim

KEY = "secret_souk_TESTKEY0123456789"

sim = Sim("lambdaprices")
sim.options.add_argument("--sshd", action="store_true", help="machines are real")
sim.options.add_argument("--table", action="store_true", help="print what is on sale, and end")

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


def error(status, code, message, suggestion=None):
    body = {"code": code, "message": message}
    if suggestion:
        body["suggestion"] = suggestion
    return status, {}, {"error": body}


def refused(request):
    """The refusal that a request has earned; None: none."""
    if request.headers.get("authorization") != "Bearer " + KEY:
        return error(401, "global/invalid-api-key", "API key was invalid, expired, or deleted.",
                     "Check your API key or create a new one, then try again.")
    if request.query and request.path != "/api/v1/instances":
        return error(400, "global/invalid-parameters", "Unknown query parameter.")
    return None


def instance_type_of(row):
    name, gpu, gpus, vcpus, memory, disk, cents, _ = row
    return {"name": name, "description": f"{gpus}x {gpu}" if gpus else "General purpose",
            "gpu_description": gpu, "price_cents_per_hour": cents,
            "specs": {"vcpus": vcpus, "memory_gib": memory, "storage_gib": disk, "gpus": gpus}}


@sim.route("GET", "/api/v1/instance-types")
def instance_types(request):
    data = {row[0]: {"instance_type": instance_type_of(row),
                     "regions_with_capacity_available": [region_of(name) for name in row[7]]}
            for row in TYPES}
    return refused(request) or (200, {}, {"data": data})


# ---- Machines and keys ----------------------------------------------------------------------

LAUNCH = {"region_name", "instance_type_name", "ssh_key_names", "file_system_names",
          "file_system_mounts", "hostname", "name", "image", "user_data", "tags",
          "firewall_rulesets"}
TAG_KEY = re.compile(r"[a-z][a-z0-9-:]+\Z")

keys = []
instances = []
real = []       # of Machines: one, or none


class Instance:
    def __init__(self, number, body):
        self.id = f"{number:032x}"
        self.body = body
        self.status = "booting"
        self.machine = None
        # what first boot needs
        self.user_data = body.get("user_data", "")
        self.authorized = []

    def told(self):
        type_ = next(row for row in TYPES if row[0] == self.body["instance_type_name"])
        told = {
            "id": self.id, "name": self.body.get("name", ""), "status": self.status,
            "ssh_key_names": self.body["ssh_key_names"], "file_system_names": [],
            "region": region_of(self.body["region_name"]),
            "instance_type": instance_type_of(type_), "tags": self.body.get("tags", []),
            "jupyter_token": "secret-of-a-notebook",
            "actions": {name: {"available": True} for name in
                        ("migrate", "rebuild", "restart", "cold_reboot", "terminate")}}
        if self.status == "active" and self.machine:
            told["ip"] = told["private_ip"] = self.machine.address
        return told


def region_of(name):
    return {"name": name, "description": REGIONS[name]}


def refused_launch(body):
    """Why a launch is refused, as far as the form of its body goes; None: it is not."""
    tags = body.get("tags", [])
    names = body.get("ssh_key_names")
    if set(body) - LAUNCH or not all(isinstance(body.get(name), str) for name in
                                     ("region_name", "instance_type_name")):
        return "unknown or missing field"
    if not isinstance(names, list) or len(names) != 1:
        return "exactly one SSH key must be specified"
    if len(body.get("name", "")) > 64 or len(body.get("user_data", "")) > 1 << 20:
        return "name or user_data too long"
    for tag in tags:
        if (set(tag) != {"key", "value"} or not TAG_KEY.match(tag["key"]) or
                len(tag["key"]) > 55 or len(tag["value"]) > 128):
            return f"not a tag: {tag}"
    if "image" in body and set(body["image"]) not in ({"id"}, {"family"}):
        return "not an image"
    return None


@sim.route("GET", "/api/v1/instances")
def list_instances(request):
    answer = refused(request)
    if answer:
        return answer
    told = [instance.told() for instance in instances if instance.status != "terminated"]
    for instance in instances:
        if instance.status == "booting" and (not instance.machine or instance.machine.up()):
            instance.status = "active"
        elif instance.status == "terminating":
            instance.status = "terminated"
    return 200, {}, {"data": told}


@sim.route("POST", "/api/v1/instance-operations/launch")
def launch(request):
    answer = refused(request)
    if answer:
        return answer
    body = request.json()
    wrong = refused_launch(body)
    if wrong:
        return error(400, "global/invalid-parameters", wrong)
    row = next((row for row in TYPES if row[0] == body["instance_type_name"]), None)
    key = next((key for key in keys if key["name"] == body["ssh_key_names"][0]), None)
    if not row or not key:
        return error(400, "global/object-does-not-exist", "Specified object does not exist.",
                     "Check the name.")
    if body["region_name"] not in row[7]:
        return error(400, "instance-operations/launch/insufficient-capacity",
                     "Not enough capacity to fulfill launch request.")
    instance = Instance(len(instances) + 1, body)
    instance.authorized.append(key["public_key"])
    if real:
        instance.machine = real[0].start(instance, lambda _: None)
    instances.append(instance)
    return 200, {}, {"data": {"instance_ids": [instance.id]}}


@sim.route("POST", "/api/v1/instance-operations/terminate")
def terminate(request):
    answer = refused(request)
    if answer:
        return answer
    wanted = request.json()["instance_ids"]
    found = [instance for instance in instances if instance.id in wanted and
             instance.status != "terminated"]
    if len(found) != len(wanted):
        return error(404, "global/object-does-not-exist", "Specified instance does not exist.")
    for instance in found:
        if instance.machine:
            instance.machine.end(keep=False)
            instance.machine = None
        instance.status = "terminating"
    return 200, {}, {"data": {"terminated_instances": [i.told() for i in found]}}


@sim.route("GET", "/api/v1/ssh-keys")
def list_keys(request):
    return refused(request) or (200, {}, {"data": keys})


@sim.route("POST", "/api/v1/ssh-keys")
def add_key(request):
    answer = refused(request)
    if answer:
        return answer
    body = request.json()
    if set(body) != {"name", "public_key"} or not 0 < len(body["name"]) <= 64:
        return error(400, "global/invalid-parameters", "Not an SSH key.")
    if any(key["name"] == body["name"] for key in keys):
        return error(400, "global/duplicate", "An SSH key of that name exists.")
    keys.append(dict(body, id=f"{len(sim.requests):032x}"))
    return 200, {}, {"data": keys[-1]}


@sim.route("DELETE", "/api/v1/ssh-keys/(?P<id>[0-9a-f]+)")
def delete_key(request):
    answer = refused(request)
    if answer:
        return answer
    for key in keys:
        if key["id"] == request.match["id"]:
            keys.remove(key)
            return 200, {}, {"data": {}}
    return error(404, "global/object-does-not-exist", "Specified SSH key does not exist.")


@sim.route("GET", "/state")
def state(_):
    """What is there, for the tests: asked without a key."""
    return 200, {}, {"alive": [i.told() for i in instances
                               if i.status not in ("terminating", "terminated")],
                     "ever": len(instances), "keys": [key["name"] for key in keys],
                     "ssh_port": real[0].port if real else None}


def main():
    if "--table" in sys.argv:
        json.dump([list(row) for row in TYPES], sys.stdout)
        return
    if "--sshd" in sys.argv:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        real.append(Machines(os.getpid() % 65000 + 256))
        atexit.register(real[0].close)
    sim.main()


if __name__ == "__main__":
    main()
