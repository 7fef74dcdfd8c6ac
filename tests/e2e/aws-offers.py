# SPDX-License-Identifier: Apache-2.0
"""aws-offers.py - a market for the simulated EC2, and what it must look like in 'souk offers'

    aws-offers.py scenario [MEMBER=JSON...]        print the scenario
    aws-offers.py compare SCENARIO OFFERS [REGION...]
        exit 1 unless the offers (JSON of souk) are those of the scenario, each once; without the
        regions named
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cloudsim"))
sys.dont_write_bytecode = True

import ec2market

# What souk calls the devices that EC2 calls so, and what one of them holds, in GiB.
DEVICES = {"T4": ("T4", 16), "A10G": ("A10G", 24), "L4": ("L4", 24), "V100": ("V100", 16),
           "A100": ("A100", 40), "H100": ("H100", 80), "Gaudi HL-205": ("Gaudi", 32),
           "Inferentia2": ("Inferentia2", 32), "Trainium2": ("Trainium2", 96),
           "Virtex UltraScale+ (VU47P)": ("VU47P", 80),
           "RTX PRO Server 6000": ("RTXPRO6000", 96)}


def machine(vcpus, gib, price, **more):
    return dict({"vcpus": vcpus, "memory_mib": int(gib * 1024), "price": price}, **more)


def gpu(name, count, mib, partition=1):
    return {"name": name, "manufacturer": "NVIDIA", "count": count, "memory_mib": mib,
            "partition": partition}


def types():
    out = {}
    for n in range(230):  # more than two pages of anything
        arch = "arm64" if n % 3 == 0 else "x86_64"
        out[f"s{n}.large"] = machine(2 + n % 7, 4 + n % 5 * 3.5, round(0.05 + n * 0.0113, 4),
                                     arch=arch, zones=[["a"], ["b"], None][n % 3])
    out["g6f.large"] = machine(2, 8, 0.202, gpu=gpu("L4", 1, 2861, 0.125))
    out["g6f.4xlarge"] = machine(16, 64, 1.2352, gpu=gpu("L4", 1, 11444, 0.5))
    out["g7e.12xlarge"] = machine(48, 512, 9.11, gpu=gpu("RTX PRO Server 6000", 2, 98304))
    out["dl1.24xlarge"] = machine(96, 768, 13.10904, disk_gb=4000,
                                  gpu=gpu("Gaudi HL-205", 8, 32768))
    out["inf2.24xlarge"] = machine(96, 384, 6.49063, neuron={
        "name": "Inferentia2", "count": 6, "memory_mib": 32768})
    out["trn2.48xlarge"] = machine(192, 2048, 21.5, zones=["a"], disk_gb=7600, neuron={
        "name": "Trainium2", "count": 16, "memory_mib": 524288})
    out["f2.6xlarge"] = machine(24, 256, 1.98, fpga={
        "name": "Virtex UltraScale+ (VU47P)", "count": 1, "memory_mib": 81920})
    out["m7i.metal-24xl"] = machine(96, 384, 4.8384)
    out["c6g.metal"] = machine(64, 128, 2.176, arch="arm64")
    out["u7i.odonly"] = machine(448, 12288, 113.568, usage=["on-demand"])
    out["p9.blocks"] = machine(192, 2048, 63.0, usage=["capacity-block"],
                               gpu=gpu("H100", 8, 81920))
    out["p9.spotonly"] = machine(192, 2048, 63.0, usage=["spot", "capacity-block"],
                                 gpu=gpu("H100", 8, 81920))
    out["z1.unpriced"] = machine(4, 16, 0.5)
    return out


def scenario(given):
    out = {
        "regions": {
            "us-east-1": {"zones": ["us-east-1a", "us-east-1b", "us-east-1c"]},
            "us-west-2": {"zones": ["us-west-2a", "us-west-2b"], "price_factor": 1.1},
            "eu-west-1": {"zones": ["eu-west-1a", "eu-west-1b"], "price_factor": 1.115},
            "ap-south-1": {"zones": ["ap-south-1a"], "price_factor": 1.05},
            "eu-south-1": {"zones": ["eu-south-1a"], "opt_in": "not-opted-in"},
        },
        "types": types(), "unpriced": ["z1.unpriced"], "page_size": 60, "page_overlap": 3,
        "spot_history": 2,
    }
    for text in given:
        key, _, value = text.partition("=")
        out[key] = json.loads(value)
    return out


def device(row):
    """(name, number, GiB of one) of the accelerator; Nones: there is none."""
    one = row["gpu"] or row["neuron"] or row["fpga"]
    if not one:
        return None, None, None
    name, gib = DEVICES[one["name"]]
    part = one.get("partition", 1)
    return name, one["count"] * part, gib if part == 1 else one["memory_mib"] / 1024


def expected(world, without):
    out = {}
    for region, place in world["regions"].items():
        if place["opt_in"] == "not-opted-in" or region in without:
            continue
        for zone in place["zones"]:
            for name, row in world["types"].items():
                if not ec2market.sold_in(world, name, zone):
                    continue
                price = spot = None
                if "on-demand" in row["usage"] and name not in world["unpriced"]:
                    price = ec2market.price(world, region, name)
                if "spot" in row["usage"]:
                    spot = ec2market.spot_price(world, zone, name)
                if price is None and spot is None:
                    continue
                gpu_name, count, gib = device(row)
                out[region, zone, name] = {
                    "provider": "aws", "arch": row["arch"], "vcpus": row["vcpus"],
                    "memory_gib": row["memory_mib"] / 1024, "gpu_name": gpu_name,
                    "gpu_count": count, "gpu_memory_gib": gib, "price_usd_hour": price,
                    "spot_price_usd_hour": spot, "currency": ec2market.currency(region)}
    return out


def same(key, want, got):
    if want is None or key == "gpu_count" and not want:
        return not got
    if isinstance(want, str):
        return str(got).lower() == want.lower()
    # souk shows GiB with a few digits; prices are exact
    slack = 0.06 if key == "gpu_memory_gib" else 1e-9
    return got is not None and abs(float(got) - want) <= slack


def compare(world, offers, without):
    want = expected(world, without)
    got, wrong = {}, []
    for row in offers:
        key = row["region"], row["zone"], row["instance_type"]
        if key in got:
            wrong.append(f"twice: {key}")
        got[key] = row
    wrong += [f"missing: {key}" for key in sorted(set(want) - set(got))]
    wrong += [f"not on sale: {key}" for key in sorted(set(got) - set(want), key=str)]
    for key in sorted(set(got) & set(want)):
        for name, value in want[key].items():
            if name == "currency" and name not in got[key]:
                continue
            if not same(name, value, got[key].get(name)):
                wrong.append(f"{key}: {name} is {got[key].get(name)!r}, not {value!r}")
    for line in wrong[:20]:
        print(line)
    print(f"{len(want)} offers expected, {len(offers)} listed, {len(wrong)} wrong")
    return 1 if wrong or not want else 0


def main():
    if sys.argv[1] == "scenario":
        print(json.dumps(scenario(sys.argv[2:])))
        return 0
    with open(sys.argv[2], encoding="utf-8") as file:
        world = ec2market.merge(json.load(file))
    with open(sys.argv[3], encoding="utf-8") as file:
        given = json.load(file)
    return compare(world, given["offers"], sys.argv[4:])


if __name__ == "__main__":
    sys.exit(main())
