# SPDX-License-Identifier: Apache-2.0
"""gcpskus.py - the rates of gcpworld as Google's price list has them, among much else"""
import hashlib

import gcpworld as world


def sku(description, group, usage, regions, price, unit="h", family="Compute", tiers=None):
    digest = hashlib.sha256(f"{description}/{usage}/{regions}".encode()).hexdigest().upper()
    name = "-".join(digest[i:i + 4] for i in (0, 4, 8))
    rates = [{"startUsageAmount": start, "unitPrice": {
        "currencyCode": "USD", "units": str(value // 10 ** 9), "nanos": value % 10 ** 9}}
        for start, value in (tiers or [(0, price)])]
    return {
        "name": f"services/6F81-5844-456A/skus/{name}", "skuId": name,
        "description": description,
        "category": {"serviceDisplayName": "Compute Engine", "resourceFamily": family,
                     "resourceGroup": group, "usageType": usage},
        "serviceRegions": regions,
        "pricingInfo": [{
            "summary": "", "currencyConversionRate": 1, "effectiveTime": "2026-11-22T08:00:00Z",
            "pricingExpression": {"usageUnit": unit, "usageUnitDescription": unit,
                                  "displayQuantity": 1, "tieredRates": rates},
        }],
        "serviceProviderName": "Google",
        "geoTaxonomy": {"type": "REGIONAL", "regions": regions},
    }


def both(found, words, group, kind, name, region, unit="h", spot_words=None, family="Compute"):
    """The SKUs of one rate, on demand and as spot, as far as they are sold."""
    place = world.PLACES[region][0]
    for spot in (False, True):
        price = world.rate(kind, name, region, spot)
        if price is None:
            continue
        text = f"{words} running in {place}"
        if spot:
            text = (spot_words or f"Spot Preemptible {words} running in {{place}}").format(
                place=place)
        found.append(sku(text, group, "Preemptible" if spot else "OnDemand", [region], price, unit,
                         family))


def machine_skus(region):
    found = []
    for series, (words, *_) in world.SERIES.items():
        group = "N1Standard" if series == "n1" else None
        # Some places have other words for C2.
        if series == "c2" and region in ("africa-south1", "europe-north1"):
            words += " Instance"
        both(found, f"{words} Core", group or "CPU", "core", series, region)
        both(found, f"{words} Ram", group or "RAM", "ram", series, region, "GiBy.h")
    for gpu, (words, *_) in world.GPUS.items():
        if gpu == "nvidia-h100-mega-80gb" and region == "us-central1":
            words = "Nvidia H100 80GB Plus GPU"
        both(found, words, "GPU", "gpu", gpu, region,
             spot_words=f"{words} attached to Spot Preemptible VMs running in {{place}}")
    for name, (words, group, _) in world.WHOLE.items():
        both(found, words, group, "whole", name, region)
    place = world.PLACES[region][0]
    # Google files the spot price of a slice as on demand.
    for start, spot in (("", False), ("Spot Preemptible ", True)):
        found.append(sku(f"{start}A4 Nvidia B200 (1 gpu slice) running in {place}", "GPU",
                         "OnDemand", [region], world.rate("slice", "", region, spot)))
    premium = "Memory Optimized Upgrade Premium for Memory-optimized Instance"
    for part, group, unit in (("core", "CPU", "h"), ("ram", "RAM", "GiBy.h")):
        found.append(sku(f"{premium} {part.title()} running in {place}", group, "OnDemand",
                         [region], world.rate(f"premium {part}", "", region, False), unit))
    return found


def storage_skus(region):
    found = []
    place = world.PLACES[region][0]
    both(found, "SSD backed Local Storage", "LocalSSD", "ssd", "", region, "GiBy.mo",
         "SSD backed Local Storage attached to Spot Preemptible VMs running in {place}", "Storage")
    for series in world.OWN_SSD:
        words = world.SERIES[series][0].split()[0]
        both(found, f"{words} Instance Local SSD", "LocalSSD", "ssd", series, region, "GiBy.mo")
    for kind, (words, group, _) in world.DISKS.items():
        price = world.rate("disk", kind, region, False)
        # What is free, is free once for an account.
        tiers = [(0, 0), (30, price)] if kind == "pd-standard" else None
        found.append(sku(f"{words} in {place}", group, "OnDemand", [region], price, "GiBy.mo",
                         "Storage", tiers))
        found.append(sku(f"Regional {words} in {place}", group, "OnDemand", [region], 2 * price,
                         "GiBy.mo", "Storage"))
    return found


def other_skus(region):
    """None of these is the rate of a machine, however much it looks so."""
    place = world.PLACES[region][0]
    found = []
    for series, (words, core, _, _) in world.SERIES.items():
        short = words.split()[0]
        price = world.nanos(core, "other", series, region)
        for usage, years in (("Commit1Yr", "1 Year"), ("Commit3Yr", "3 Years")):
            found.append(sku(f"Commitment v1: {short} Cpu in {place} for {years}", "CPU", usage,
                             [region], price // 2))
        for text, usage, value in (
                (f"{words} Core running in {place}", "Commit1Mo", price // 3),
                (f"Sole Tenancy Premium for {words} Core running in {place}", "OnDemand",
                 price // 10),
                (f"{short} Custom Instance Core running in {place}", "OnDemand", price + 7),
                (f"{short} Custom Extended Instance Ram running in {place}", "OnDemand", price),
                (f"Spot Preemptible {short} Custom Instance Core running in {place}",
                 "Preemptible", price // 4),
                (f"Reserved {short} Core in {place}", "OnDemand", 0),
                (f"{short} Sole Tenancy Instance Core running in {place}", "OnDemand", price),
                (f"DWS Defined Duration {words} Core running in {place}", "OnDemand",
                 price // 2),
                (f"Licensing Fee for Windows Server on {short} (CPU cost)", "OnDemand",
                 40_000_000)):
            found.append(sku(text, "CPU", usage, [region], value))
    for gpu, (words, dollars, _) in world.GPUS.items():
        price = world.nanos(dollars, "other", gpu, region)
        for text, usage in (
                (f"Commitment v1: {words} in {place} for 1 Year", "Commit1Yr"),
                (f"Reserved {words} in {place} in Calendar Mode", "OnDemand"),
                (f"{words} attached to DWS Defined Duration VMs running in {place}", "OnDemand"),
                (f"{words} attached to Sole Tenancy VMs running in {place}", "OnDemand")):
            found.append(sku(text, "GPU", usage, [region], price // 2))
    for n in range(60):
        found.append(sku(f"Network Internet Data Transfer Out from {place} to place {n}",
                         "PremiumInternetEgress", "OnDemand", [region], 120_000_000, "GiBy",
                         "Network"))
    # A rate of 0, and one in a unit of its own: neither is a price by the hour.
    found.append(sku(f"X4 Instance Core running in {place}", "CPU", "OnDemand", [region], 0))
    found.append(sku(f"Q9 Instance Core running in {place}", "CPU", "OnDemand", [region],
                     30_000_000, "count"))
    found.append(sku(f"Tpu-v6e running in {place}", "TPU", "OnDemand", [region], 2_700_000_000))
    return found


def everywhere():
    return [
        sku("External IP Charge on a Standard VM", "IpAddress", "OnDemand", ["global"], 0,
            family="Network", tiers=[(0, 0), (744, world.rate("address", "", "global", False))]),
        sku("External IP Charge on a Spot Preemptible VM", "IpAddress", "OnDemand", ["global"], 0,
            family="Network", tiers=[(0, 0), (744, world.rate("address", "", "global", True))]),
    ]


def same_price(skus):
    """Google has one SKU for several regions where they cost the same: so do these here."""
    found = {}
    for entry in skus:
        key = (entry["description"], entry["category"]["usageType"],
               str(entry["pricingInfo"]))
        if key in found:
            regions = found[key]["serviceRegions"]
            regions += [r for r in entry["serviceRegions"] if r not in regions]
        else:
            found[key] = entry
    return list(found.values())


def all_skus():
    found = everywhere()
    for region in world.PLACES:
        found += machine_skus(region) + storage_skus(region) + other_skus(region)
    return same_price(found)
