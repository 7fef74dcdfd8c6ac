# SPDX-License-Identifier: Apache-2.0
"""gcpworld.py - a small Google Cloud: zones, machine types, GPUs, rates, and what each machine costs

The rates are kept by what they are for, and only then written down as SKUs, in Google's words and
among SKUs that are none of ours. offers() adds the rates up, with fractions and without reading a SKU:
what souk finds by reading them has to be the same.
"""
import fractions
import hashlib

PLACES = {
    "us-central1": ("Americas", "abcf"),
    "us-east1": ("Americas", "bcd"),
    "us-east4": ("Virginia", "abc"),
    "us-west1": ("Americas", "abc"),
    "europe-west1": ("Belgium", "bcd"),
    "europe-west4": ("Netherlands", "abc"),
    "europe-north1": ("Finland", "abc"),
    "asia-northeast1": ("Japan", "abc"),
    "asia-southeast1": ("Singapore", "abc"),
    "africa-south1": ("Johannesburg", "abc"),
}
ZONES = [f"{region}-{letter}" for region, (_, letters) in PLACES.items() for letter in letters]

# Series: the words of its SKUs, dollars for a vCPU and for a GiB, whether it is sold as spot.
SERIES = {
    "n1": ("N1 Predefined Instance", 0.031611, 0.004237, True),
    "e2": ("E2 Instance", 0.02181159, 0.00292353, True),
    "n2": ("N2 Instance", 0.031611, 0.004237, True),
    "n2d": ("N2D AMD Instance", 0.027502, 0.003686, True),
    "n4": ("N4 Instance", 0.030821, 0.003443, True),
    "n4a": ("N4A Instance", 0.027, 0.0031, True),
    "n4d": ("N4D Instance", 0.028, 0.0032, True),
    "t2d": ("T2D AMD Instance", 0.027502, 0.003686, True),
    "t2a": ("T2A Arm Instance", 0.0256, 0.0032, True),
    "c2": ("Compute optimized", 0.03398, 0.00455, True),
    "c2d": ("C2D AMD Instance", 0.029563, 0.003959, True),
    "c3": ("C3 Instance", 0.03398, 0.00456, True),
    "c3d": ("C3D Instance", 0.02956, 0.00396, True),
    "c4": ("C4 Instance", 0.0347, 0.00394, True),
    "c4a": ("C4A Arm Instance", 0.0309, 0.00351, True),
    "c4d": ("C4D Instance", 0.0327035, 0.003495578, True),
    "h3": ("H3 Instance", 0.04411, 0.00296, True),
    "z3": ("Z3 Instance", 0.0496, 0.00666, True),
    "m1": ("Memory-optimized Instance", 0.0348, 0.0051, True),
    "m3": ("M3 Memory-optimized Instance", 0.02969, 0.00519, True),
    "m4": ("M4 Instance", 0.031, 0.0054, True),
    "m4ultra": ("M4Ultramem224 Instance", 0.033, 0.0058, True),
    "g2": ("G2 Instance", 0.02498, 0.002927, True),
    "g4": ("G4 Instance", 0.0281, 0.0032, True),
    "a2": ("A2 Instance", 0.031611, 0.004237, True),
    "a3": ("A3 Instance", 0.029363, 0.002544, True),
    "a3mega": ("A3Plus Instance", 0.026924, 0.002344, True),
    "a3ultra": ("A3Ultra Instance", 0.0254, 0.0027, True),
}
M2_PREMIUM = (0.0048, 0.00073)

# GPUs: the words of their SKU, dollars, spot or not.
GPUS = {
    "nvidia-tesla-t4": ("Nvidia Tesla T4 GPU", 0.35, True),
    "nvidia-tesla-p4": ("Nvidia Tesla P4 GPU", 0.6, True),
    "nvidia-tesla-p100": ("Nvidia Tesla P100 GPU", 1.46, True),
    "nvidia-tesla-v100": ("Nvidia Tesla V100 GPU", 2.48, True),
    "nvidia-l4": ("Nvidia L4 GPU", 0.5600403, True),
    "nvidia-tesla-a100": ("Nvidia Tesla A100 GPU", 2.933908, True),
    "nvidia-a100-80gb": ("Nvidia Tesla A100 80GB GPU", 3.9277, True),
    "nvidia-h100-80gb": ("Nvidia H100 80GB GPU", 9.796551569, True),
    "nvidia-h100-mega-80gb": ("Nvidia H100 80GB Mega GPU", 10.344275712, True),
    "nvidia-h200-141gb": ("H200 141GB GPU", 10.2, True),
    "nvidia-rtx-pro-6000": ("RTX 6000 96GB", 4.5, True),
}
SLICE = 16.11
NAMES = {
    "nvidia-tesla-t4": ("T4", 16), "nvidia-tesla-p4": ("P4", 8),
    "nvidia-tesla-p100": ("P100", 16), "nvidia-tesla-v100": ("V100", 16),
    "nvidia-l4": ("L4", 24), "nvidia-tesla-a100": ("A100", 40),
    "nvidia-a100-80gb": ("A100-80GB", 80), "nvidia-h100-80gb": ("H100", 80),
    "nvidia-h100-mega-80gb": ("H100", 80), "nvidia-h200-141gb": ("H200", 141),
    "nvidia-b200": ("B200", 180), "nvidia-rtx-pro-6000": ("RTXPRO6000", 96),
}
# How many vCPUs and how much memory an N1 machine may have at most beside so many of a GPU.
N1_LIMITS = {
    "nvidia-tesla-t4": {1: (48, 312), 2: (48, 312), 4: (96, 624)},
    "nvidia-tesla-p4": {1: (24, 156), 2: (48, 312), 4: (96, 624)},
    "nvidia-tesla-p100": {1: (16, 104), 2: (32, 208), 4: (96, 624)},
    "nvidia-tesla-v100": {1: (12, 78), 2: (24, 156), 4: (48, 312), 8: (96, 624)},
}
OLD_P100 = {"us-east1-c", "europe-west1-d", "europe-west1-b"}
BILLED = {"e2-micro": "0.25", "e2-small": "0.5", "e2-medium": "1", "f1-micro": "0.2",
          "g1-small": "0.5"}
WHOLE = {"f1-micro": ("Micro Instance with burstable CPU", "F1Micro", 0.0076),
         "g1-small": ("Small Instance with 1 VCPU", "G1Small", 0.0257)}
DISKS = {"pd-standard": ("Storage PD Capacity", "PDStandard", 0.04),
         "pd-balanced": ("Balanced PD Capacity", "SSD", 0.1),
         "pd-ssd": ("SSD backed PD Capacity", "SSD", 0.17),
         "hyperdisk-balanced": ("Hyperdisk Balanced Capacity", "SSD", 0.08)}
OWN_SSD = {"c4": 0.16, "c4a": 0.15, "c4d": 0.16}
NOT_ON_DEMAND = ("a3-highgpu-1g", "a3-highgpu-2g", "a3-highgpu-4g", "a3-ultragpu-8g",
                 "a4-highgpu-8g")


def region_of(zone):
    return zone.rpartition("-")[0]


def chance(*what):
    """A number from 0 to 1 that is the same in every run."""
    digest = hashlib.sha256("/".join(map(str, what)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2 ** 48


def nanos(dollars, *what, spot=False):
    """The rate of something in a region: Google's list has up to nine digits."""
    factor = 0.9 + 0.5 * chance(*what)
    if spot:
        factor *= 0.2 + 0.5 * chance("spot", *what)
    return max(1, round(dollars * factor * 1_000_000_000))


# ---- Rates ----

def series_sold(series, region):
    """Newer and odder ones are not everywhere."""
    if series in ("n1", "e2", "n2", "c3", "g2", "a2", "c4", "m1"):
        return True
    return chance("sold", series, region) < 0.75


def rate(kind, name, region, spot):
    """Billionths of a dollar, or None: not sold so."""
    if kind in ("core", "ram"):
        if not series_sold(name, region):
            return None
        # One that has no spot price, and one of which a part is missing.
        if spot and name == "h3" or (kind == "ram" and name == "n4d" and region == "us-east4"):
            return None
        return nanos(SERIES[name][1 if kind == "core" else 2], kind, name, region, spot=spot)
    if kind == "premium core" or kind == "premium ram":
        return None if spot else nanos(M2_PREMIUM[kind == "premium ram"], kind, region)
    if kind == "gpu":
        if name == "nvidia-tesla-p4" and region == "europe-north1":
            return None
        return nanos(GPUS[name][1], kind, name, region, spot=spot)
    if kind == "slice":
        return nanos(SLICE, kind, region, spot=spot)
    if kind == "whole":
        return nanos(WHOLE[name][2], kind, name, region, spot=spot)
    if kind == "ssd":
        if name and not series_sold(name, region):
            return None
        return nanos(OWN_SSD.get(name, 0.08), kind, name, region, spot=spot)
    if kind == "disk":
        return None if spot else nanos(DISKS[name][2], kind, name, region)
    if kind == "address":
        return 2_500_000 if spot else 5_000_000
    raise ValueError(kind)


# ---- Machine types ----

def machine(name, vcpus, gib, series, **more):
    return {"name": name, "vcpus": vcpus, "mib": round(gib * 1024), "series": series, **more}


def general_types():
    found = []
    shapes = {
        "n1": (("standard", 3.75), ("highmem", 6.5), ("highcpu", 0.9)),
        "n2": (("standard", 4), ("highmem", 8), ("highcpu", 1)),
        "n2d": (("standard", 4), ("highmem", 8), ("highcpu", 1)),
        "e2": (("standard", 4), ("highmem", 8), ("highcpu", 1)),
        "n4": (("standard", 4), ("highmem", 8), ("highcpu", 2)),
        "n4a": (("standard", 4),),
        "n4d": (("standard", 4),),
        "t2d": (("standard", 4),),
        "t2a": (("standard", 4),),
        "c2": (("standard", 4),),
        "c2d": (("standard", 4), ("highcpu", 2)),
        "c3": (("standard", 4), ("highmem", 8), ("highcpu", 2)),
        "c3d": (("standard", 4),),
        "c4": (("standard", 3.75), ("highmem", 7.75), ("highcpu", 2)),
        "c4a": (("standard", 4), ("highcpu", 2)),
        "c4d": (("standard", 3.875),),
    }
    sizes = {"e2": (2, 4, 8, 16, 32), "n1": (1, 2, 4, 8, 16, 32, 64, 96), "c2": (4, 8, 16, 30, 60),
             "c3": (4, 8, 22, 44, 88, 176), "t2a": (1, 2, 4, 8, 16, 32, 48)}
    for series, kinds in shapes.items():
        arm = series in ("t2a", "c4a", "n4a")
        for kind, ratio in kinds:
            for size in sizes.get(series, (2, 4, 8, 16, 32, 48)):
                if series == "n1" and size == 1 and kind != "standard":
                    continue
                found.append(machine(f"{series}-{kind}-{size}", size, size * ratio, series,
                                     arm=arm))
    for series, partitions in (("c3", {4: 1, 8: 2, 22: 4, 44: 8}), ("c4", {8: 1, 16: 2}),
                               ("c4a", {8: 2, 16: 4}), ("c4d", {8: 1})):
        for size, n in partitions.items():
            found.append(machine(f"{series}-standard-{size}-lssd", size, size * 4, series,
                                 arm=series == "c4a", partitions=n, ssd=375 * n))
    return found


def special_types():
    found = [
        machine("e2-micro", 2, 1, "e2", shared=True), machine("e2-small", 2, 2, "e2", shared=True),
        machine("e2-medium", 2, 4, "e2", shared=True),
        machine("f1-micro", 1, 0.6, "f1", shared=True),
        machine("g1-small", 1, 1.7, "g1", shared=True),
        machine("h3-standard-88", 88, 352, "h3"),
        machine("z3-highmem-88-highlssd", 88, 704, "z3", partitions=12, ssd=36000),
        machine("m1-ultramem-40", 40, 961, "m1"), machine("m2-ultramem-208", 208, 5888, "m2"),
        machine("m3-megamem-64", 64, 976, "m3"), machine("m4-megamem-28", 28, 372, "m4"),
        machine("m4-ultramem-224", 224, 5952, "m4ultra"),
        # No price list has these, or not by these names.
        machine("x4-megamem-960-metal", 960, 16384, None),
        machine("n1-megamem-96", 96, 1433.6, None), machine("q9-standard-8", 8, 32, None),
        machine("ct6e-standard-4t", 180, 720, None),
        machine("a3-edgegpu-8g", 208, 1872, None, gpu="nvidia-h100-80gb", gpus=8),
        machine("a4x-highgpu-4g", 140, 884, None, arm=True, gpu="nvidia-gb200", gpus=4),
        machine("a9-futuregpu-1g", 8, 64, None, gpu="nvidia-unheard-of", gpus=1),
        machine("n2-standard-128", 128, 512, None, state="OBSOLETE"),
        machine("c9-standard-8-lssd", 8, 32, None),
    ]
    for n, vcpus, gib in ((1, 12, 85), (2, 24, 170), (4, 48, 340), (8, 96, 680)):
        found.append(machine(f"a2-highgpu-{n}g", vcpus, gib, "a2", gpu="nvidia-tesla-a100",
                             gpus=n))
        # The API is silent about these disks.
        found.append(machine(f"a2-ultragpu-{n}g", vcpus, 2 * gib, "a2", gpu="nvidia-a100-80gb",
                             gpus=n, ssd=375 * n))
        found.append(machine(f"a3-highgpu-{n}g", 26 * n, 234 * n, "a3", gpu="nvidia-h100-80gb",
                             gpus=n, partitions=2 * n, ssd=750 * n))
    found += [
        machine("a2-megagpu-16g", 96, 1360, "a2", gpu="nvidia-tesla-a100", gpus=16),
        machine("a3-megagpu-8g", 208, 1872, "a3mega", gpu="nvidia-h100-mega-80gb", gpus=8,
                partitions=16, ssd=6000),
        machine("a3-ultragpu-8g", 224, 2952, "a3ultra", gpu="nvidia-h200-141gb", gpus=8,
                partitions=32, ssd=12000),
        machine("a4-highgpu-8g", 224, 3968, "slice", gpu="nvidia-b200", gpus=8, partitions=32,
                ssd=12000),
    ]
    for vcpus, n in ((4, 1), (8, 1), (12, 1), (16, 1), (24, 2), (32, 1), (48, 4), (96, 8)):
        found.append(machine(f"g2-standard-{vcpus}", vcpus, 4 * vcpus, "g2", gpu="nvidia-l4",
                             gpus=n))
    for vcpus, n in ((6, "0.125"), (12, "0.25"), (24, "0.5"), (48, 1), (96, 2), (384, 8)):
        found.append(machine(f"g4-standard-{vcpus}", vcpus, 3.75 * vcpus, "g4",
                             gpu="nvidia-rtx-pro-6000", gpus=n))
    return found


TYPES = general_types() + special_types()


def types_of(zone):
    """Common types are everywhere, rare ones here and there."""
    found = []
    for entry in TYPES:
        common = entry["series"] in ("n1", "e2", "n2") or "gpu" not in entry and \
            chance(entry["series"], region_of(zone)) < 0.8
        if common or chance("has", entry["name"], zone) < 0.45:
            found.append(entry)
    return found


def attachable(zone):
    """The GPUs that the zone has for N1 machines, and how many at most."""
    most = {"nvidia-tesla-t4": 4, "nvidia-tesla-p4": 4, "nvidia-tesla-p100": 4,
            "nvidia-tesla-v100": 8}
    return {gpu: n for gpu, n in most.items() if chance("attach", gpu, zone) < 0.6}


# ---- What a machine costs: the answer that souk has to find ----

def cost(entry, region, spot, gpu=None, gpus=0):
    """Billionths of a dollar per hour, exactly; None: not sold so."""
    series = entry["series"]
    if series is None or "state" in entry:
        return None
    if not spot and entry["name"] in NOT_ON_DEMAND or spot and series == "m2":
        return None
    if entry["name"] in WHOLE:
        return rate("whole", entry["name"], region, spot)
    if series == "slice":
        return rate("slice", "", region, spot) * 8
    vcpus = fractions.Fraction(BILLED.get(entry["name"], entry["vcpus"]))
    gib = fractions.Fraction(entry["mib"], 1024)
    base = "m1" if series == "m2" else series
    parts = [(rate("core", base, region, spot), vcpus), (rate("ram", base, region, spot), gib)]
    if series == "m2":
        parts += [(rate("premium core", "", region, spot), vcpus),
                  (rate("premium ram", "", region, spot), gib)]
    if gpus:
        parts.append((rate("gpu", gpu, region, spot), fractions.Fraction(gpus)))
    if entry.get("ssd"):
        own = series if series in OWN_SSD else ""
        parts.append((rate("ssd", own, region, spot), fractions.Fraction(entry["ssd"], 730)))
    if any(price is None for price, _ in parts):
        return None
    return sum(price * amount for price, amount in parts)


def micros(exact):
    return None if exact is None else int((exact + 500) // 1000)


def offer(entry, zone, gpu=None, gpus=0):
    region = region_of(zone)
    prices = [micros(cost(entry, region, spot, gpu, gpus)) for spot in (False, True)]
    if prices == [None, None]:
        return None
    name, memory = NAMES[gpu] if gpus else ("", 0)
    count = fractions.Fraction(gpus)
    return {
        "region": region, "zone": zone, "instance_type": entry["name"],
        "arch": "arm64" if entry.get("arm") else "x86_64",
        "vcpus": float(BILLED.get(entry["name"], entry["vcpus"])),
        "memory_gib": entry["mib"] / 1024, "gpu_name": name, "gpu_count": float(count),
        "gpu_memory_gib": float(memory * min(count, 1)) if gpus else 0.0,
        "price_micros": prices[0], "spot_micros": prices[1],
        "local_disk_gib": float(entry.get("ssd", 0)),
    }


def offers(regions=None, closed=()):
    """All offers, in order of type, zone and GPUs."""
    found = []
    for zone in ZONES:
        if regions and region_of(zone) not in regions or zone in closed:
            continue
        for entry in types_of(zone):
            found.append(offer(entry, zone, entry.get("gpu"), entry.get("gpus", 0)))
            if entry["series"] != "n1":
                continue
            for gpu, most in attachable(zone).items():
                for n, (vcpus, gib) in N1_LIMITS[gpu].items():
                    if gpu == "nvidia-tesla-p100" and n == 4 and zone in OLD_P100:
                        vcpus, gib = 64, 208
                    if n <= most and entry["vcpus"] <= vcpus and entry["mib"] <= gib * 1024:
                        found.append(offer(entry, zone, gpu, n))
    found = [entry for entry in found if entry]
    return sorted(found, key=lambda o: (o["instance_type"], o["zone"], o["gpu_name"],
                                        o["gpu_count"]))
