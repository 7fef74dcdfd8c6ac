# SPDX-License-Identifier: Apache-2.0
"""azureworld.py - a made-up Azure: what is on sale, and the lists in which Azure would tell of it

The truth is a list of sizes with their regions, zones and prices; skus() and prices() put it into
Azure's words, with everything around it that Azure has there too and that is not for sale to us.
offers() says what a broker should find. Prices are Decimals; nothing here is random.
"""
import datetime
import itertools
from decimal import Decimal

SUBSCRIPTION = "0b1f6471-1bf0-4dda-aec3-111122223333"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"

# name: (factor of prices, zones, kind)
REGIONS = {
    "eastus": (Decimal("1"), ["1", "2", "3"], "Physical"),
    "eastus2": (Decimal("1"), ["1", "2", "3"], "Physical"),
    "westus": (Decimal("1.17"), [], "Physical"),
    "westeurope": (Decimal("1.2"), ["1", "2", "3"], "Physical"),
    "swedencentral": (Decimal("1.06"), ["1", "2", "3"], "Physical"),
    "japaneast": (Decimal("1.31"), ["1", "2"], "Physical"),
    "jioindiacentral": (Decimal("1"), ["1"], "Physical"),   # closed to the subscription
    "unitedstates": (Decimal("1"), [], "Logical"),
}

# name: vCPUs, GiB, price, spot share, GPUs as Azure counts them, (accelerator, count, GiB of one), further
GPUS = {
    "Standard_NC4as_T4_v3": (4, "28", "0.526", "0.2", 1, ("T4", "1", 16), {"temp": 180 * 1024}),
    "Standard_NC64as_T4_v3": (64, "440", "4.352", "0.2", 4, ("T4", "4", 16), {"temp": 2880 * 1024}),
    "Standard_NC24ads_A100_v4": (24, "220", "3.673", "0.35", 1, ("A100-80GB", "1", 80),
                                 {"temp": 64 * 1024, "nvme": 915527}),
    "Standard_NC96ads_A100_v4": (96, "880", "14.692", "0.35", 4, ("A100-80GB", "4", 80),
                                 {"temp": 256 * 1024, "nvme": 3662109}),
    "Standard_ND96asr_v4": (96, "900", "27.197", "0.3", 8, ("A100", "8", 40), {}),
    "Standard_ND96amsr_A100_v4": (96, "1900", "32.77", "0.3", 8, ("A100-80GB", "8", 80), {}),
    "Standard_NC40ads_H100_v5": (40, "320", "6.98", "0.4", 1, ("H100-NVL", "1", 94), {}),
    "Standard_NC80adis_H100_v5": (80, "640", "13.96", "0.4", 2, ("H100-NVL", "2", 94), {}),
    "Standard_ND96isr_H100_v5": (96, "1900", "98.32", "0.18", 8, ("H100", "8", 80), {}),
    "Standard_ND96isr_H200_v5": (96, "1850", "84.8", "1", 8, ("H200", "8", 141), {}),
    "Standard_ND96isr_MI300X_v5": (96, "1850", "48", "0.5", 8, ("MI300X", "8", 192), {}),
    "Standard_NV6ads_A10_v5": (6, "55", "0.454", "0.2", 1, ("A10", "0.167", 4), {}),
    "Standard_NV12ads_A10_v5": (12, "110", "0.908", "0.2", 1, ("A10", "0.333", 8), {}),
    "Standard_NV18ads_A10_v5": (18, "220", "1.6", "0.2", 1, ("A10", "0.5", 12), {}),
    "Standard_NV36ads_A10_v5": (36, "440", "3.2", "0.2", 1, ("A10", "1", 24), {}),
    "Standard_NV72ads_A10_v5": (72, "880", "6.52", "0.2", 2, ("A10", "2", 24), {}),
    "Standard_NV4as_v4": (4, "14", "0.233", "0.15", 1, ("MI25", "0.125", 2), {}),
    "Standard_NV32as_v4": (32, "112", "1.864", "0.15", 1, ("MI25", "1", 16), {}),
    "Standard_NV12s_v3": (12, "112", "1.14", "0.2", 1, ("M60", "1", 8), {}),
    "Standard_NC6s_v3": (6, "112", "3.06", "0.25", 1, ("V100", "1", 16), {}),
    "Standard_ND40rs_v2": (40, "672", "22.032", "0.25", 8, ("V100-32GB", "8", 32), {}),
}

# family, letters, price of a vCPU, GiB of a vCPU, sizes, further
FAMILIES = [
    ("D{}s_v5", "0.048", 4, (2, 4, 8, 16, 32, 48, 64, 96), {}),
    ("D{}ads_v5", "0.0515", 4, (2, 4, 8, 16, 32, 48, 64, 96), {"disk": 37.5}),
    ("D{}ps_v5", "0.0385", 4, (2, 4, 8, 16, 32, 48, 64), {"arm": True}),
    ("D{}s_v6", "0.0506", 4, (2, 4, 8, 16, 32, 48, 64, 96, 128), {"nvme": 55}),
    ("E{}s_v5", "0.063", 8, (2, 4, 8, 16, 20, 32, 48, 64, 96), {}),
    ("E{}pds_v5", "0.0595", 8, (2, 4, 8, 16, 20, 32), {"arm": True, "disk": 37.5}),
    ("F{}s_v2", "0.0423", 2, (2, 4, 8, 16, 32, 48, 64, 72), {"disk": 8}),
    ("B{}s_v2", "0.0416", 4, (2, 4, 8, 16, 32), {"burst": True}),
    ("L{}s_v3", "0.078", 8, (8, 16, 32, 48, 64, 80), {"disk": 10, "nvme": 228881}),
]


def sizes():
    """Every size: name -> dict of what it has."""
    all_sizes = {}
    for name, (vcpus, gib, price, share, gpus, accelerator, more) in GPUS.items():
        all_sizes[name] = {"vcpus": vcpus, "gib": Decimal(gib), "price": Decimal(price),
                           "share": Decimal(share), "gpus": gpus, "accelerator": accelerator, **more}
    for form, price, ratio, counts, more in FAMILIES:
        for n in counts:
            size = {"vcpus": n, "gib": Decimal(n * ratio), "price": Decimal(price) * n,
                    "share": Decimal("0.21"), "gpus": 0, "accelerator": None}
            if more.get("arm"):
                size["arm"] = True
            if more.get("disk"):
                size["temp"] = int(more["disk"] * 1024 * n)
            if more.get("nvme"):
                size["nvme"] = int(more["nvme"] * n)
            all_sizes["Standard_" + form.format(n)] = size
    # A size with fewer vCPUs than its machine, a tiny price, and one that is not sold as spot.
    all_sizes["Standard_E8-4s_v5"] = {"vcpus": 8, "available": 4, "gib": Decimal(64),
                                      "price": Decimal("0.504"), "share": Decimal("0.2"), "gpus": 0,
                                      "accelerator": None}
    all_sizes["Standard_B1ls"] = {"vcpus": 1, "gib": Decimal("0.5"), "price": Decimal("0.0052"),
                                  "share": None, "gpus": 0, "accelerator": None, "temp": 4096}
    return all_sizes


SIZES = sizes()


def order(name):
    return list(SIZES).index(name)


def sold_in(name, region):
    """Is the size in the region's list, and if so how: None, "good", "location" or "zone"."""
    factor, zones, kind = REGIONS[region]
    if kind != "Physical":
        return None
    if region == "jioindiacentral":
        return "location"
    n = order(name) + list(REGIONS).index(region)
    if SIZES[name]["gpus"] and n % 3 == 2:
        return None
    if n % 23 == 7:
        return "location"
    if zones and n % 11 == 3:
        return "zone"
    return "good"


def zones_of(name, region):
    """The zones that the list names, of which sold_in() may say that one is restricted."""
    zones = REGIONS[region][1]
    if not SIZES[name]["gpus"] or len(zones) < 2:
        return zones
    return [zones[0], zones[-1]] if order(name) % 2 else zones[:1]


def price_of(name, region):
    """(on demand, spot) as Decimals with six places; None: not sold so."""
    size = SIZES[name]
    price = (size["price"] * REGIONS[region][0]).quantize(Decimal("0.000001")).normalize()
    if order(name) % 29 == 5:
        return price, None
    if size["share"] is None:
        return price, None
    spot = (price * size["share"]).quantize(Decimal("0.000001")).normalize()
    return price, spot


def is_priced(name, region):
    return (order(name) + len(region)) % 31 != 4


def offers(regions=None):
    """What a broker should find: dicts with the columns of a catalogue."""
    found = []
    for region, name in itertools.product(REGIONS, SIZES):
        size = SIZES[name]
        how = sold_in(name, region)
        if how not in ("good", "zone") or not is_priced(name, region):
            continue
        if regions and region not in regions:
            continue
        zones = list(zones_of(name, region))
        if how == "zone":
            zones = zones[1:]
        price, spot = price_of(name, region)
        if spot is not None and spot >= price:
            spot = None
        gpu, count, memory = size["accelerator"] or (None, None, None)
        for zone in zones or [None]:
            found.append({
                "region": region, "zone": zone, "instance_type": name,
                "arch": "arm64" if size.get("arm") else "x86_64",
                "vcpus": size.get("available", size["vcpus"]), "memory_gib": size["gib"],
                "gpu_name": gpu, "gpu_count": count and Decimal(count), "gpu_memory_gib": memory,
                "local_disk_mib": size.get("temp", 0) + size.get("nvme", 0),
                "price": price, "spot": spot,
            })
    return found


# ---- In Azure's words ----------------------------------------------------------------------------

def capabilities(name):
    size = SIZES[name]
    caps = {
        "MaxResourceVolumeMB": str(size.get("temp", 0)), "OSVhdSizeMB": "1047552",
        "vCPUs": str(size["vcpus"]), "MemoryPreservingMaintenanceSupported": "True",
        "HyperVGenerations": "V2" if size["gpus"] > 1 else "V1,V2", "MemoryGB": str(size["gib"]),
        "MaxDataDiskCount": "32", "CpuArchitectureType": "Arm64" if size.get("arm") else "x64",
        "LowPriorityCapable": "False" if size["share"] is None else "True",
        "PremiumIO": "True", "vCPUsAvailable": str(size.get("available", size["vcpus"])),
        "EphemeralOSDiskSupported": "True", "AcceleratedNetworkingEnabled": "True",
        "RdmaEnabled": "False", "MaxNetworkInterfaces": "8",
    }
    if size["gpus"]:
        caps["GPUs"] = str(size["gpus"])
    if size.get("nvme"):
        caps["NvmeDiskSizeInMiB"] = str(size["nvme"])
    return [{"name": key, "value": value} for key, value in caps.items()]


def sku(name, region):
    how = sold_in(name, region)
    zones = zones_of(name, region)
    restrictions = []
    if how == "location":
        restrictions.append({"type": "Location", "values": [region], "restrictionInfo":
                             {"locations": [region]}, "reasonCode": "NotAvailableForSubscription"})
    if how == "zone":
        restrictions.append({"type": "Zone", "values": [region], "restrictionInfo":
                             {"locations": [region], "zones": zones[:1]},
                             "reasonCode": "NotAvailableForSubscription"})
    return {"resourceType": "virtualMachines", "name": name, "tier": "Standard",
            "size": name.split("_", 1)[1], "family": "standardFamily", "locations": [region],
            "locationInfo": [{"location": region, "zones": list(reversed(zones)), "zoneDetails": []}],
            "capabilities": capabilities(name), "restrictions": restrictions}


def odd_skus(region):
    """What stands in the list and is not for us."""
    model = sku("Standard_D4s_v5", region)
    place = {"locations": [region], "locationInfo": [{"location": region, "zones": []}],
             "restrictions": []}
    extra = [
        {"resourceType": "disks", "name": "Premium_LRS", "tier": "Premium", "size": "P10", **place},
        {"resourceType": "hostGroups/hosts", "name": "DSv3-Type1", "tier": "Standard", **place},
        {"resourceType": "availabilitySets", "name": "Aligned", "capabilities": [], **place},
        # A confidential machine, one with a GPU that nobody knows yet, one without numbers.
        {**model, **place, "name": "Standard_NCC40ads_H100_v5",
         "capabilities": model["capabilities"] + [{"name": "ConfidentialComputingType", "value": "SNP"},
                                                  {"name": "GPUs", "value": "1"}]},
        {**model, **place, "name": "Standard_NZ8_Future_v9",
         "capabilities": model["capabilities"] + [{"name": "GPUs", "value": "2"}]},
        {**model, **place, "name": "Standard_Odd", "capabilities": []},
        # Sold elsewhere alone.
        {**model, **place, "name": "Standard_D2_v5",
         "locationInfo": [{"location": "elsewhere", "zones": ["1"]}]},
    ]
    return extra


def skus(region):
    listed = [sku(name, region) for name in SIZES if sold_in(name, region)]
    return odd_skus(region) + listed


def item(name, region, price, **changes):
    series = name.split("_", 1)[1]
    words = series.replace("_", " ")
    made = {
        "currencyCode": "USD", "tierMinimumUnits": 0.0, "retailPrice": price, "unitPrice": price,
        "armRegionName": region, "location": region.upper(),
        "effectiveStartDate": "2024-03-01T00:00:00Z", "meterId": f"m-{name}-{region}",
        "meterName": words, "productId": "DZH318Z0BQPS", "skuId": f"DZH318Z0BQPS/{order(name):04d}",
        "productName": f"Virtual Machines {series[0]} Series", "skuName": words,
        "serviceName": "Virtual Machines", "serviceId": "DZH313Z7MMC8", "serviceFamily": "Compute",
        "unitOfMeasure": "1 Hour", "type": "Consumption", "isPrimaryMeterRegion": True,
        "armSkuName": name,
    }
    made.update(changes)
    return made


def prices_of(name, region):
    """Everything that the price list has about a size in a region; prices are Decimals."""
    price, spot = price_of(name, region)
    words = name.split("_", 1)[1].replace("_", " ")
    future = (datetime.date.today() + datetime.timedelta(days=40)).isoformat() + "T00:00:00Z"
    rows = []
    if is_priced(name, region):
        rows.append(item(name, region, price))
        if spot is not None:
            rows.append(item(name, region, spot, skuName=words + " Spot", meterName=words + " Spot"))
        elif SIZES[name]["share"] is None:
            # The size is not capable of it, whatever the price list says.
            rows.append(item(name, region, price / 10, skuName=words + " Spot"))
    n = order(name)
    cheap = price / 3
    rows.append(item(name, region, price * 2, productName="Virtual Machines D Series Windows"))
    rows.append(item(name, region, cheap, skuName=words + " Low Priority"))
    rows.append(item(name, region, cheap, productName="D Series Cloud Services"))
    if is_priced(name, region):
        if n % 4 == 0:
            rows.append(item(name, region, cheap, isPrimaryMeterRegion=False))
        if n % 4 == 1:
            rows.append(item(name, region, cheap, effectiveStartDate="2020-01-01T00:00:00Z"))
        if n % 4 == 2:
            rows.append(item(name, region, cheap, effectiveStartDate=future))
        if n % 4 == 3:
            rows.append(item(name, region, cheap, effectiveEndDate="2021-01-01T00:00:00Z"))
        if n % 5 == 0:
            rows.append(item(name, region, Decimal(0)))
        if n % 7 == 0:
            rows.append(item(name, region, cheap, tierMinimumUnits=1000.0))
        if n % 9 == 0:
            rows.append(item(name, region, price))  # the same again
    if n % 6 == 0:
        rows.append(item(name, region, price * 5, type="DevTestConsumption"))
        rows.append(item(name, region, price * 4000, type="Reservation", unitOfMeasure="1 Hour",
                         reservationTerm="1 Year"))
    return rows


DISKS = {"E4": "2.4", "E6": "4.8", "E10": "9.6", "E15": "19.2", "E20": "38.4", "E30": "76.8",
         "P4": "5.28", "P6": "10.21", "P10": "19.71", "P15": "38.01", "P20": "73.22", "P30": "135.17"}


def other_prices(region):
    """Disks and addresses."""
    factor = REGIONS[region][0]
    rows = []
    for name, price in DISKS.items():
        product = "Premium SSD Managed Disks" if name[0] == "P" else "Standard SSD Managed Disks"
        shared = {"serviceName": "Storage", "productName": product, "skuName": name + " LRS",
                  "armSkuName": "", "serviceFamily": "Storage"}
        rows.append(item("Standard_B1ls", region, Decimal(price) * factor,
                         meterName=name + " LRS Disk", unitOfMeasure="1/Month", **shared))
        rows.append(item("Standard_B1ls", region, Decimal("0.002"),
                         meterName=name + " LRS Disk Operations", unitOfMeasure="10K", **shared))
        rows.append(item("Standard_B1ls", region, Decimal("0.1"),
                         meterName=name + " LRS Disk Mount", unitOfMeasure="1/Month", **shared))
    shared = {"serviceName": "Virtual Network", "productName": "IP Addresses", "armSkuName": "",
              "serviceFamily": "Networking"}
    rows.append(item("Standard_B1ls", region, Decimal("0.005"), skuName="Standard",
                     meterName="Standard IPv4 Static Public IP", **shared))
    rows.append(item("Standard_B1ls", region, Decimal("0.004"), skuName="Basic",
                     meterName="Basic IPv4 Static Public IP", **shared))
    return rows


def prices():
    rows = []
    for region in REGIONS:
        for name in SIZES:
            if sold_in(name, region):
                rows += prices_of(name, region)
        rows += other_prices(region)
    # Of a size that is nowhere in the lists of sizes, and of no size at all.
    rows.append(item("Standard_D2s_v5", "eastus", Decimal("0.001"), armSkuName="Standard_D2_Ghost"))
    rows.append(item("Standard_D2s_v5", "eastus", Decimal("0.001"), armSkuName=""))
    return rows
