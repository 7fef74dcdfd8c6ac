#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""oracle.py - the answers of 200 random requests, computed by brute force over price lists

It reads the CSVs itself and follows docs/market.md and souk-offers(1), with nothing but the standard
library; it shares no code with souk. Each request is put to 'souk launch --dryrun' (for providers
that are installed) and to 'souk offers' (for all), and the first candidates, their order and their
prices have to be the same. Called by test-oracle.sh; by hand:

    SOUK_HOME=... SOUK=./souk tests/market/oracle.py FOLDER [--requests N] [--seed N]

The CSVs of FOLDER have to be imported already, each as the provider that it is named for. With
--generate NAME,NAME such files are made up, with everything in them that real ones have, and nothing
else is done.
"""
import argparse
import collections
import csv
import fnmatch
import glob
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from decimal import Decimal

SHOWN = 200  # candidates that are compared
OTHERS = 20  # offers, at most, of providers that keep no price list: this computer

# ---- Names of accelerators ---------------------------------------------------------------------

EMPTY = {"nvidia", "tesla", "geforce", "quadro", "amd", "instinct", "radeon", "intel", "habana", "aws",
         "amazon", "google", "tpu", "gpu", "gpus", "generation", "edition"}
# What the table of souk says of names that the price lists have, and of some that people use.
ALIASES = {"v520": "prov520", "gaudihl205": "gaudi", "a10040gb": "a100", "a100sxm480gb": "a10080gb",
           "h10080gb": "h100", "h10080gbhbm3": "h100", "trn1": "trainium", "inf2": "inferentia2",
           "a6000": "rtxa6000", "a4000": "rtxa4000", "v10016gb": "v100", "mi300xoam": "mi300x",
           "rtxpro6000blackwellserver": "rtxpro6000"}
SPELLINGS = {"H100": ["h100", "nvidia-h100-80gb", "H100-80GB", "NVIDIA H100 80GB HBM3"],
             "A100": ["a100", "A100-40GB", "nvidia-tesla-a100"],
             "A100-80GB": ["a100-80gb", "nvidia-a100-80gb", "A100-SXM4-80GB"],
             "T4": ["t4", "nvidia-tesla-t4", "Tesla T4"], "L4": ["l4", "nvidia-l4"],
             "RTX4090": ["rtx-4090", "NVIDIA GeForce RTX 4090"], "RTXA6000": ["A6000", "rtx-a6000"],
             "MI300X": ["mi300x", "AMD Instinct MI300X OAM"], "INFERENTIA2": ["Inferentia2", "inf2"],
             "TRAINIUM": ["Trainium", "trn1"], "V100": ["v100", "nvidia-tesla-v100", "V100-16GB"]}


def plain(name):
    words = re.findall(r"[a-z0-9]+", name.lower())
    key = "".join(word for word in words if word not in EMPTY)
    return ALIASES.get(key, key)


def maker(name):
    if name.startswith("mi") or name.startswith("prov"):
        return "amd"
    if name.startswith(("trainium", "inferentia")):
        return "amazon"
    if name.startswith("gaudi"):
        return "intel"
    if name.startswith("qaic"):
        return "qualcomm"
    return "nvidia"


# ---- The price lists -----------------------------------------------------------------------------

Type = collections.namedtuple("Type", "provider name arch vcpus memory gpu count gpu_memory rows")
Row = collections.namedtuple("Row", "region zone price spot")


def number(text, scale):
    return None if text == "" else int((Decimal(text) * scale).to_integral_value())


def median(values):
    values = sorted(value for value in values if value is not None and value > 0)
    if not values:
        return None
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) // 2


def read_list(path, provider):
    """The types of one price list; a price that cannot be right is told by its market's mark."""
    kinds = {}
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = (row["instance_type"], row["arch"] or "x86_64", number(row["vcpus"], 1000) or 0,
                   number(row["memory_gib"], 1024) or 0, plain(row["gpu_name"]),
                   number(row["gpu_count"], 1000) or 0 if row["gpu_name"] else 0,
                   number(row["gpu_memory_gib"], 1024) or 0 if row["gpu_name"] else 0)
            place = (row["region"] or "any", row["zone"] or None)
            kinds.setdefault(key, {})[place] = (number(row["price_usd_hour"], 10 ** 6),
                                                number(row["spot_price_usd_hour"], 10 ** 6))
    return [Type(provider, *key, rate(places)) for key, places in kinds.items()]


def rate(places):
    """Rows with their prices as (micros, marked), or None where it is not sold so."""
    typical = median(price for price, _ in places.values())
    typical_spot = median(spot for _, spot in places.values())
    rows = []
    for (region, zone), (price, spot) in places.items():
        marked = price is not None and (price <= 0 or price * 10 < typical)
        wrong = spot is not None and (spot <= 0 or spot * 10 < typical_spot or
                                      (price is not None and price > 0 and spot > price))
        rows.append(Row(region, zone, None if price is None else (price, marked),
                        None if spot is None else (spot, wrong)))
    return rows


def device_memory(types):
    """The memory of a whole device in MiB, by name: parts of one have less."""
    memory = {}
    for kind in types:
        if kind.gpu:
            memory[kind.gpu] = max(memory.get(kind.gpu, 0), kind.gpu_memory)
    return memory


# ---- Requests ------------------------------------------------------------------------------------


def random_amount(rng, values):
    return f"{rng.choice(values)}{rng.choice(['', '+', '+'])}"


def random_accelerator(rng, names):
    if rng.random() < 0.2:
        form = rng.choice(["80GB", "40GB+", "16GB", "24GB", "nvidia:80GB", "nvidia:24GB+", "amd:16GB+",
                           "48GB+", "32GB", "141GB", "amazon:32GB", "96GB+"])
        return form + rng.choice(["", "", ":1", ":8", ":4"])
    name = rng.choice(names)
    if rng.random() < 0.4:
        name = rng.choice(SPELLINGS.get(name, [name, name.lower()]))
    return name + rng.choice(["", ":1", ":2", ":4", ":8", ":8", ":16", ":0.5", ":1.5", ":3"])


def random_infra(rng, providers, types):
    kind = rng.choice(types)
    row = rng.choice(kind.rows)
    start = row.region.split("-")[0][:2]
    forms = [kind.provider, f"*/{row.region}", f"{kind.provider}/{row.region}",
             f"{kind.provider}/{start}*", f"*/*{row.region[-3:]}", rng.choice(providers)]
    if row.zone:
        forms += [f"{kind.provider}/{row.region}/{row.zone}", f"{kind.provider}/*/{row.zone}"]
    return rng.choice(forms)


def random_alternative(rng, providers, types, names):
    request = {}
    if rng.random() < 0.65:
        request["accelerators"] = random_accelerator(rng, names)
        sizes = 0.2
    else:
        sizes = 0.8
    if rng.random() < sizes:
        request["cpus"] = random_amount(rng, [1, 2, 4, 4, 8, 16, 26, 30, 32, 64, 96, 192])
    if rng.random() < sizes:
        request["memory"] = random_amount(rng, [0.5, 2, 4, 8, 15, 16, 32, 64, 117, 240, 256, 1024])
    if rng.random() < 0.12:
        name = rng.choice(types).name
        request["instance_type"] = rng.choice([name, name.upper(), name.lower()])
    if rng.random() < 0.4:
        request["infra"] = random_infra(rng, providers, types)
    if rng.random() < 0.3:
        request["use_spot"] = rng.random() < 0.8
    if rng.random() < 0.25:
        request["max_hourly_cost"] = rng.choice([0.05, 0.5, 1, 2.5, 4, 10, 33.33, 98.32, 120])
    return request


def random_request(rng, providers, types, names):
    """Common fields, and how the alternatives stand: alone, any_of, ordered, a list or a set of names."""
    one = random_alternative(rng, providers, types, names)
    shape = rng.choice(["one", "one", "any_of", "any_of", "ordered", "list", "set"])
    if shape == "one":
        return {"shape": shape, "alternatives": [one]}
    if shape in ("any_of", "ordered"):
        others = [random_alternative(rng, providers, types, names) for _ in range(rng.randint(1, 3))]
        return {"shape": shape, "alternatives": [one] + others}
    one["accelerators"] = [random_accelerator(rng, names) for _ in range(rng.randint(2, 5))]
    return {"shape": shape, "alternatives": [one]}


def task_text(request):
    """The request as a task file; JSON is YAML."""
    alternatives = [dict(item) for item in request["alternatives"]]
    if request["shape"] in ("any_of", "ordered"):
        resources = {request["shape"]: alternatives}
    else:
        resources = alternatives[0]
    if request["shape"] == "set":
        resources["accelerators"] = {name: None for name in resources["accelerators"]}
        for name in list(resources["accelerators"]):
            # A set's names carry their number behind a colon; one without has one.
            if not re.search(r":[0-9.]+$", name):
                resources["accelerators"][name + ":1"] = resources["accelerators"].pop(name)
    return json.dumps({"name": "oracle", "resources": resources, "run": "true"})


def spread(request):
    """Alternatives with one accelerator each, and their ranks."""
    if request["shape"] in ("list", "set"):
        one = request["alternatives"][0]
        names = list(dict.fromkeys(one["accelerators"]))
        return [(index if request["shape"] == "list" else 0, {**one, "accelerators": name})
                for index, name in enumerate(names)]
    return [(index if request["shape"] == "ordered" else 0, item)
            for index, item in enumerate(request["alternatives"])]


# ---- What fits -----------------------------------------------------------------------------------


def parse_accelerator(text):
    """(name, maker, MiB, at least, thousandths, counted)"""
    parts = text.split(":")
    match = None
    owner = None
    if re.fullmatch(r"[0-9]+GB\+?", parts[0]):
        match = parts.pop(0)
    elif len(parts) > 1 and re.fullmatch(r"[0-9]+GB\+?", parts[1]):
        owner, match = parts.pop(0).lower(), parts.pop(0)
    name = None if match else plain(parts.pop(0))
    milli = int(Decimal(parts[0]) * 1000) if parts else 1000
    size = int(match.rstrip("+")[:-2]) * 1024 if match else 0
    return name, owner, size, bool(match and match.endswith("+")), milli, bool(parts)


def accelerator_fits(kind, wanted, memory):
    name, owner, size, at_least, _, _ = wanted
    if not kind.gpu:
        return False
    if name is not None:
        return kind.gpu == name
    have, slack = memory[kind.gpu], size // 20
    if owner and maker(kind.gpu) != owner:
        return False
    return have + slack >= size and (at_least or have <= size + slack)


def amount(text, scale):
    at_least = text.endswith("+")
    return int(Decimal(text.rstrip("+")) * scale), at_least


def cpus_fit(kind, text):
    wanted, at_least = amount(text, 1000)
    return kind.vcpus >= wanted if at_least else kind.vcpus == wanted


def memory_fits(kind, text):
    wanted, at_least = amount(text, 1024)
    return kind.memory >= wanted if at_least else wanted - 512 < kind.memory < wanted + 512


def type_fits(kind, request, memory):
    named = request.get("instance_type")
    if named and kind.name.lower() != named.lower():
        return False
    if "accelerators" in request:
        wanted = parse_accelerator(request["accelerators"])
        if not accelerator_fits(kind, wanted, memory) or kind.count != -(-wanted[4] // 1000) * 1000:
            return False
    elif kind.gpu and not named:
        return False
    by_name = "accelerators" in request and parse_accelerator(request["accelerators"])[0] is not None
    if kind.arch != "x86_64" and not named and not by_name:
        return False
    if not any(key in request for key in ("cpus", "memory", "accelerators", "instance_type")):
        return kind.vcpus >= 8000 and kind.memory >= kind.vcpus * 4096 // 1000
    return (("cpus" not in request or cpus_fit(kind, request["cpus"])) and
            ("memory" not in request or memory_fits(kind, request["memory"])))


def pattern_fits(pattern, text):
    return text is not None and fnmatch.fnmatchcase(text.lower(), pattern.lower())


def place_fits(kind, row, infra):
    parts = (infra.split("/") + ["*", "*"])[:3]
    if parts[0] != "*" and kind.provider != parts[0]:
        return False
    if parts[1] != "*" and not pattern_fits(parts[1], row.region):
        return False
    return parts[2] == "*" or pattern_fits(parts[2], row.zone)


def candidates(types, request, memory, spot_providers):
    """{(place, machine, spot): (rank, price)} for a whole request, the best rank of each."""
    found = {}
    for rank, one in spread(request):
        spot = bool(one.get("use_spot"))
        limit = one.get("max_hourly_cost")
        limit = None if limit is None else int(Decimal(str(limit)) * 10 ** 6)
        for kind in types:
            if (spot and kind.provider not in spot_providers) or not type_fits(kind, one, memory):
                continue
            for row in kind.rows:
                price = row.spot if spot else row.price
                if price is None or price[1] or (limit is not None and price[0] > limit):
                    continue
                if "infra" in one and not place_fits(kind, row, one["infra"]):
                    continue
                key = (kind.provider, row.region, row.zone or "", kind.name, kind.gpu, kind.count, spot)
                if key not in found or rank < found[key][0]:
                    found[key] = (rank, price[0])
    return found


# ---- What souk says --------------------------------------------------------------------------------


class Souk:
    def __init__(self, program):
        self.program = program

    def run(self, *args):
        done = subprocess.run([self.program, *args], stdin=subprocess.DEVNULL, capture_output=True,
                              check=False, timeout=120)
        if done.returncode not in (0, 69):
            sys.exit(f"souk {' '.join(args)}: exit status {done.returncode}\n"
                     f"{done.stderr.decode(errors='replace')}")
        return json.loads(done.stdout, parse_float=Decimal) if done.returncode == 0 else None

    def installed(self):
        listed = self.run("provider", "list", "--json")
        return {row["name"] for row in listed["providers"]}

    def spot_providers(self, names):
        return {name for name in names
                if "spot" in self.run("provider", "info", name, "--json")["features"]}


def micros(value):
    return int(Decimal(value) * 10 ** 6)


def key_of(row, spot):
    return (row["provider"], row["region"], row["zone"] or "", row["instance_type"],
            plain(row["gpu_name"] or ""), int(Decimal(row["gpu_count"]) * 1000), spot)


def check_order(said, expected, what):
    """'said' is a list of (key, rank class, price); the first SHOWN of 'expected' have to be the same."""
    order = sorted(expected.items(), key=lambda item: (item[1], item[0]))
    wanted = [value for _, value in order[:SHOWN]]
    if [value for _, value in said] != wanted:
        for i, pair in enumerate(zip([value for _, value in said] + [None] * SHOWN, wanted)):
            if pair[0] != pair[1]:
                return f"{what}: at {i} souk has {said[i] if i < len(said) else None}, not {order[i]}"
        return f"{what}: souk has {len(said)} lines, not {len(wanted)}"
    # The last price may be that of more than are shown; of all before it everybody has to be there.
    for key, value in said:
        if expected.get(key) != value:
            return f"{what}: souk has {key} at {value}, which is {expected.get(key)}"
    if len({key for key, _ in said}) != len(said):
        return f"{what}: a line stands twice"
    return None


def check_launch(souk, request, expected, providers, folder):
    path = os.path.join(folder, "task.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(task_text(request))
    plan = souk.run("launch", "--dryrun", "--json", "--limit", str(SHOWN), "-c", "oracle", "--providers",
                    ",".join(providers), path)
    said = []
    ranks = {key: value[0] for key, value in expected.items()}
    for row in plan["candidates"] if plan else []:
        key = key_of(row, row["spot"])
        price = row["spot_price_usd_hour"] if row["spot"] else row["price_usd_hour"]
        said.append((key, (ranks.get(key, -1), micros(price))))
    problem = check_order(said, expected, "launch")
    if problem is None and plan and plan["total"] != len(expected):
        problem = f"launch: souk has {plan['total']} candidates, not {len(expected)}"
    # Among equals the names decide, byte by byte.
    if problem is None and [key[:4] for key, _ in said] != [
            key[:4] for key, _ in sorted(expected.items(), key=by_name)[:SHOWN]]:
        problem = "launch: equal prices are not in the order of their names"
    return problem


def by_name(item):
    (provider, region, zone, name, gpu, count, spot), (rank, price) = item
    return (rank, price, provider.encode(), region.encode(), zone.encode(), name.encode(), gpu, count, spot)


def offers_of(types, one, memory):
    """All rows that 'souk offers' has to show for one alternative, with the class of their price."""
    spot = bool(one.get("use_spot"))
    limit = one.get("max_hourly_cost")
    wanted = parse_accelerator(one["accelerators"]) if "accelerators" in one else None
    found = {}
    for kind in types:
        if wanted and not (accelerator_fits(kind, wanted, memory) and
                           (not wanted[5] or kind.count == wanted[4])):
            continue
        if ("instance_type" in one and kind.name.lower() != one["instance_type"].lower()) or \
                ("cpus" in one and not cpus_fit(kind, one["cpus"])) or \
                ("memory" in one and not memory_fits(kind, one["memory"])):
            continue
        for row in kind.rows:
            price = row.spot if spot else row.price
            if "infra" in one and not place_fits(kind, row, one["infra"]):
                continue
            if limit is not None and (price is None or price[0] > Decimal(str(limit)) * 10 ** 6):
                continue
            if spot and price is None:
                continue
            # Credible prices, then those that cannot be right, then none.
            value = (2, -1) if price is None else (1 if price[1] else 0, price[0])
            found[(kind.provider, row.region, row.zone or "", kind.name, kind.gpu, kind.count,
                   spot)] = value
    return found


def offers_flags(one):
    flags = ["offers", "--json", "--zones", "--limit", str(SHOWN + OTHERS)]
    for key, flag in (("cpus", "--cpus"), ("memory", "--memory"), ("infra", "--infra"),
                      ("instance_type", "--instance-type"), ("max_hourly_cost", "--max-price")):
        if key in one:
            flags += [flag, str(one[key])]
    if one.get("use_spot"):
        flags.append("--spot")
    if "accelerators" in one:
        flags += ["--", one["accelerators"]]
    return flags


def check_offers(souk, one, types, memory):
    known = {kind.provider for kind in types}
    expected = offers_of(types, one, memory)
    answer = souk.run(*offers_flags(one))
    said = []
    for row in answer["offers"] if answer else []:
        spot = bool(one.get("use_spot"))
        price = row["spot_price_usd_hour"] if spot else row["price_usd_hour"]
        marked = [word for word in row["marks"] if word.startswith("spot-") == spot]
        said.append((key_of(row, spot),
                     (2, -1) if price is None else (1 if marked else 0, micros(price))))
    said = [pair for pair in said if pair[0][0] in known]
    return check_order(said[:SHOWN], expected, "offers")


# ---- Price lists that are made up ---------------------------------------------------------------

HEADER = ("provider,region,zone,instance_type,arch,vcpus,memory_gib,gpu_name,gpu_count,gpu_memory_gib,"
          "price_usd_hour,spot_price_usd_hour").split(",")
DEVICES = [("H100", 80), ("A100", 40), ("A100-80GB", 80), ("T4", 16), ("L4", 24), ("RTX4090", 24),
           ("RTXA6000", 48), ("MI300X", 192), ("INFERENTIA2", 32), ("V100", 16), ("GH200", 96)]


def made_up_types(rng):
    """(name, arch, vcpus, memory, device, count, device memory, price); prices repeat on purpose."""
    for size in (1, 2, 4, 8, 16, 32, 64):
        for per_cpu in (2, 4, 8):
            for arch in ("x86_64", "arm64"):
                yield (f"c{per_cpu}{arch[0]}.{size}", arch, size, size * per_cpu, "", "", "",
                       Decimal(size * per_cpu) / rng.choice([100, 128, 160]))
    for device, memory in rng.sample(DEVICES, 8):
        arch = "arm64" if device == "GH200" else "x86_64"
        each = Decimal(rng.choice([memory, memory + 10])) / 32
        for count in ("0.5", "1", "2", "4", "8"):
            number_of = Decimal(count)
            for size in (8, 24):
                cpus = int(size * number_of) or 1
                yield (f"g.{device.lower()}.{count}x{size}", arch, cpus, cpus * 6, device, count,
                       int(memory * min(number_of, 1)), each * number_of + Decimal(cpus) / 64)
    # One machine with different accelerators, as where these are put into it.
    for device, memory in (("T4", 16), ("V100", 16)):
        yield "mix-4", "x86_64", 4, 15, device, "1", memory, Decimal(memory) / 20
    yield "mix-4", "x86_64", 4, 15, "", "", "", Decimal("0.19")
    yield "unknown", "", "", "", "", "", "", Decimal("0.5")


def made_up_rows(rng, provider):
    regions = {f"{land}-{side}-{i}": [f"{land}-{side}-{i}{zone}" for zone in "abc"[:rng.randint(0, 3)]]
               for land in ("us", "eu", "ap") for side in ("east", "west") for i in (1, 2)}
    for name, arch, cpus, memory, device, count, device_memory, price in made_up_types(rng):
        for region in rng.sample(sorted(regions), rng.randint(1, len(regions))):
            here = price * rng.choice([1, 1, Decimal("1.1"), Decimal("1.25")])
            for zone in regions[region] or [""]:
                spot = here * rng.choice([Decimal("0.3"), Decimal("0.3"), Decimal("0.6"), 1])
                odd = rng.random()
                told = {"price": here, "spot": spot}
                for limit, change in ((0.01, {"price": Decimal(0)}), (0.02, {"price": here / 11}),
                                      (0.03, {"spot": here * 2}), (0.04, {"spot": Decimal(0)}),
                                      (0.05, {"spot": spot / 11}), (0.1, {"price": None}),
                                      (0.2, {"spot": None})):
                    if odd < limit:
                        told.update(change)
                        break
                yield [provider, region, zone, name, arch, cpus, memory, device, count, device_memory,
                       *("" if told[key] is None else f"{told[key]:.6f}" for key in ("price", "spot"))]


def generate(folder, providers, seed):
    for provider in providers:
        rng = random.Random(f"{seed} {provider}")
        with open(os.path.join(folder, provider + ".csv"), "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows(made_up_rows(rng, provider))


# ---- All of them -----------------------------------------------------------------------------------


def read_all(folder):
    types = []
    for path in sorted(glob.glob(os.path.join(folder, "*.csv"))):
        with open(path, encoding="utf-8") as file:
            if "gpu_name" in file.readline():
                types += read_list(path, os.path.splitext(os.path.basename(path))[0])
    return types


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--generate", metavar="NAME,NAME")
    options = parser.parse_args()
    if options.generate:
        generate(options.folder, options.generate.split(","), options.seed)
        return
    rng = random.Random(options.seed)
    souk = Souk(os.environ.get("SOUK", "souk"))
    types = read_all(options.folder)
    memory = device_memory(types)
    providers = sorted({kind.provider for kind in types} & souk.installed())
    own = [kind for kind in types if kind.provider in providers]
    spot_providers = souk.spot_providers(providers)
    failures = answered = rows = 0
    with tempfile.TemporaryDirectory() as folder:
        for number_of in range(options.requests):
            # Half of them with names that launchable providers sell.
            pool = own if own and number_of % 2 else types
            names = sorted({row for kind in pool for row in [kind.gpu] if row})
            names = [name for name in SPELLINGS if plain(name) in names] + names
            request = random_request(rng, providers or ["*"], own or types, names)
            problems = [check_offers(souk, one, types, memory) for _, one in spread(request)]
            if providers:
                expected = candidates(own, request, memory, spot_providers)
                problems.append(check_launch(souk, request, expected, providers, folder))
                answered += bool(expected)
                rows += len(expected)
            problems = [problem for problem in problems if problem]
            failures += bool(problems)
            for problem in problems:
                print(f"not ok: request {number_of}: {task_text(request)}\n  {problem}")
    print(f"{options.requests} requests over {len(types)} types, "
          f"{sum(len(kind.rows) for kind in types)} rows: {failures} answered differently; "
          f"{answered} have {rows} candidates at {', '.join(providers) or 'nobody'}")
    # A test of requests that nothing fits would show nothing.
    if providers and answered * 2 < options.requests:
        sys.exit("not ok: most requests have no candidate")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
