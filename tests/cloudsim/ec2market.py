# SPDX-License-Identifier: Apache-2.0
"""ec2market.py - what is on sale unless a scenario says otherwise, and the scenario's shape"""

import hashlib
import re

# name: vCPUs, MiB, architecture, us-east-1 dollars per hour, GPU (name, maker, count, MiB each),
# local disk GB, letters of the zones that sell it (None: all of them)
_TYPES = """
t3.micro        2     1024 x86_64  0.0104  -                     0     -
t3.medium       2     4096 x86_64  0.0416  -                     0     -
t3.large        2     8192 x86_64  0.0832  -                     0     -
m5.large        2     8192 x86_64  0.0960  -                     0     -
m5.xlarge       4    16384 x86_64  0.1920  -                     0     -
m6i.large       2     8192 x86_64  0.0960  -                     0     -
m6i.2xlarge     8    32768 x86_64  0.3840  -                     0     -
m6i.4xlarge    16    65536 x86_64  0.7680  -                     0     -
c6i.large       2     4096 x86_64  0.0850  -                     0     -
c6i.xlarge      4     8192 x86_64  0.1700  -                     0     -
r6i.large       2    16384 x86_64  0.1260  -                     0     -
t4g.small       2     2048 arm64   0.0168  -                     0     -
m7g.large       2     8192 arm64   0.0816  -                     0     -
m7g.xlarge      4    16384 arm64   0.1632  -                     0     -
g4dn.xlarge     4    16384 x86_64  0.5260  T4/NVIDIA/1/16384     125   -
g5.xlarge       4    16384 x86_64  1.0060  A10G/NVIDIA/1/22888   250   ab
g5.12xlarge    48   196608 x86_64  5.6720  A10G/NVIDIA/4/22888   3800  ab
g6.xlarge       4    16384 x86_64  0.8048  L4/NVIDIA/1/22888     250   ab
p3.2xlarge      8    62464 x86_64  3.0600  V100/NVIDIA/1/16384   0     ab
p4d.24xlarge   96  1179648 x86_64 21.9576  A100/NVIDIA/8/40960   8000  a
p5.48xlarge   192  2097152 x86_64 55.0400  H100/NVIDIA/8/81920   30400 b
"""


# EFA interfaces and network cards of the types that have EFA
_FABRICS = {"g5.12xlarge": (1, 1), "p4d.24xlarge": (4, 4), "p5.48xlarge": (32, 32)}


def _types():
    out = {}
    for line in _TYPES.split("\n"):
        if not line.strip():
            continue
        name, vcpus, mib, arch, price, gpu, disk, zones = line.split()
        row = {"vcpus": int(vcpus), "memory_mib": int(mib), "arch": arch, "price": float(price),
               "disk_gb": int(disk), "zones": None if zones == "-" else list(zones), "gpu": None}
        if gpu != "-":
            device, maker, count, each = gpu.split("/")
            row["gpu"] = {"name": device, "manufacturer": maker, "count": int(count),
                          "memory_mib": int(each)}
        out[name] = row
    for name, (interfaces, cards) in _FABRICS.items():
        out[name]["efa"] = {"interfaces": interfaces, "cards": cards}
    return out


def _region(name, letters, factor, **more):
    row = {"zones": [name + c for c in letters], "price_factor": factor,
           "opt_in": "opt-in-not-required", "default_vpc": True, "map_public_ip": True}
    return dict(row, **more)


def defaults():
    """A fresh scenario; what a scenario file gives replaces the member of that name."""
    return {
        "account": "123456789012",
        "credentials": [{"access_key": "testing", "secret": "testing", "token": None,
                         "arn": "arn:aws:iam::123456789012:user/tester"}],
        "regions": {
            "us-east-1": _region("us-east-1", "abc", 1.0),
            "us-west-2": _region("us-west-2", "abc", 1.0),
            "eu-west-1": _region("eu-west-1", "ab", 1.115),
            "eu-south-1": _region("eu-south-1", "ab", 1.17, opt_in="not-opted-in"),
        },
        "types": _types(),
        "spot_ratio": 0.31,
        "spot_history": 0,
        "page_size": 0,
        "page_overlap": 0,
        "disk_prices": {"gp3": 0.08, "gp2": 0.1, "io2": 0.125},
        "address_price": 0.005,
        "unpriced": [],
        "spot_prices": [],
        "capacity": [],
        "reservations": [],
        "quotas": [],
        "service_quotas": {},
        "faults": [],
        "latency_ms": 0,
        "lifecycle": {"visible_after": 0, "boot_after": 1, "stop_after": 1,
                      "terminate_after": 1, "forget_after": 20},
    }


# ---- Images and their public parameters -----------------------------------------------

_OWNERS = {"canonical": "099720109477", "amazon": "137112412989", "dlami": "898082745236",
           "debian": "136693071363"}
_ARCH2 = {"x86_64": "amd64", "arm64": "arm64"}
_DATE = "20261104"


def image_id(region, name):
    return "ami-" + hashlib.sha256(f"{region}/{name}".encode()).hexdigest()[:17]


def _catalogue():
    """(owner, name, arch, root device, root GiB, SSM parameter names)"""
    rows = []
    for arch, deb in _ARCH2.items():
        for release, code, disk in (("22.04", "jammy", "ebs-gp2"), ("24.04", "noble", "ebs-gp3")):
            kind = "hvm-ssd" if disk == "ebs-gp2" else "hvm-ssd-gp3"
            base = "/aws/service/canonical/ubuntu/server"
            ssm = [f"{base}/{n}/stable/current/{deb}/hvm/{disk}/ami-id" for n in (release, code)]
            rows.append(("canonical", f"ubuntu/images/{kind}/ubuntu-{code}-{release}-{deb}-server-"
                         f"{_DATE}", arch, "/dev/sda1", 8, ssm))
            cpu = "" if arch == "x86_64" else "ARM64 "
            name = f"Deep Learning {cpu}Base OSS Nvidia Driver GPU AMI (Ubuntu {release}) {_DATE}"
            ssm = [f"/aws/service/deeplearning/ami/{arch}/base-oss-nvidia-driver-gpu-ubuntu-"
                   f"{release}/latest/ami-id"]
            rows.append(("dlami", name, arch, "/dev/sda1", 45, ssm))
        for number, code in (("12", "bookworm"), ("13", "trixie")):
            ssm = [f"/aws/service/debian/release/{n}/latest/{deb}" for n in (number, code)]
            rows.append(("debian", f"debian-{number}-{deb}-{_DATE}-1912", arch, "/dev/xvda", 8,
                         ssm))
        ssm = [f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-{k}-{arch}"
               for k in ("default", "6.1")]
        rows.append(("amazon", f"al2023-ami-2023.9.{_DATE}.0-kernel-6.1-{arch}", arch, "/dev/xvda",
                     8, ssm))
    return rows


def images(region):
    """The images of a region by id."""
    out = {}
    for owner, name, arch, device, gib, ssm in _catalogue():
        ami = image_id(region, name)
        out[ami] = {"id": ami, "owner": _OWNERS[owner], "name": name, "arch": arch,
                    "alias": None if owner == "canonical" or owner == "debian" else "amazon",
                    "root_device": device, "root_gib": gib, "ssm": ssm,
                    "created": "2026-11-04T05:12:31.000Z"}
    return out


def parameters(region):
    """The SSM public parameters of a region: name to image id."""
    return {name: ami for ami, image in images(region).items() for name in image["ssm"]}


# ---- Prices -----------------------------------------------------------------------------


def price(scenario, region, type_name):
    return round(scenario["types"][type_name]["price"]
                 * scenario["regions"][region].get("price_factor", 1.0), 4)


def spot_price(scenario, zone, type_name):
    for row in scenario["spot_prices"]:
        if row["type"] == type_name and row["zone"] == zone:
            return round(float(row["price"]), 6)
    region = next(r for r, v in scenario["regions"].items() if zone in v["zones"])
    digest = hashlib.sha256(f"{zone}/{type_name}".encode()).digest()[0]
    return round(price(scenario, region, type_name) * scenario["spot_ratio"]
                 * (0.9 + digest / 1280), 6)


def spot_history(scenario, zone, type_name):
    """(hours ago, price): the price that holds, and so many that held before, cheaper or dearer."""
    now = spot_price(scenario, zone, type_name)
    return [(hours, round(now * (0.7, 1.4, 0.9)[hours % 3], 6) if hours else now)
            for hours in range(scenario["spot_history"] + 1)]


def currency(region):
    return "CNY" if region.startswith("cn-") else "USD"


def is_metal(type_name):
    return type_name.partition(".")[2].startswith("metal")


def sold_in(scenario, type_name, zone):
    """Does this zone sell the type at all?"""
    row = scenario["types"].get(type_name)
    if row is None:
        return False
    places = row.get("zones")
    return places is None or any(p in (zone, zone[-1]) for p in places)


# ---- Shape of a scenario ---------------------------------------------------------------


def merge(given):
    """A whole scenario from what was given; a region may be a plain list of zones."""
    needs = {"id", "type", "region", "zone", "count"}
    for row in given.get("reservations", []):
        if not needs <= set(row) or set(row) - needs - {"kind", "state", "placement"}:
            raise ValueError("scenario: reservations take id, type, region, zone, count, kind, "
                             f"state, placement: {row}")
    out = defaults()
    for key, value in given.items():
        if key in ("lifecycle", "types") and isinstance(value, dict):
            out[key].update(value)
        else:
            out[key] = value
    for name, region in list(out["regions"].items()):
        if isinstance(region, list):
            region = {"zones": region}
        out["regions"][name] = dict(_region(name, "", 1.0), **region)
    for name, row in out["types"].items():
        base = {"arch": "x86_64", "disk_gb": 0, "zones": None, "gpu": None, "neuron": None,
                "fpga": None, "usage": ["on-demand", "spot"], "burstable": name[0] == "t",
                "efa": None}
        out["types"][name] = dict(base, **row)
    return out
