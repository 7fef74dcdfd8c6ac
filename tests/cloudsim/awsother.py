# SPDX-License-Identifier: Apache-2.0
"""awsother.py - the calls that are not EC2: STS identities, SSM public parameters, price list"""

import base64
import binascii
import hashlib
import json

import ec2market
from awswire import AwsError
from ec2calls import stamp

SESSION_SECONDS = (900, 43200)


# ---- STS ---------------------------------------------------------------------------------


def get_caller_identity(world, who, params):
    return {"Arn": who["arn"], "UserId": who.get("user_id", "AIDA" + who["access_key"][-16:]),
            "Account": world.scenario["account"]}


def assume_role(world, who, params):
    arn, name = params["RoleArn"], params["RoleSessionName"]
    parts = arn.split(":")
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        raise AwsError("ValidationError", f"{arn} is invalid")
    try:
        seconds = int(params.get("DurationSeconds", "3600"))
    except ValueError:
        raise AwsError("ValidationError", "DurationSeconds is not a number") from None
    if not SESSION_SECONDS[0] <= seconds <= SESSION_SECONDS[1]:
        raise AwsError("ValidationError", f"DurationSeconds {seconds} is out of range")
    world.serial += 1
    seed = hashlib.sha256(f"session/{name}/{world.serial}".encode()).hexdigest()
    role = parts[5].rsplit("/", 1)[-1]
    session = {"access_key": "ASIA" + seed[:16].upper(), "secret": seed[16:56],
               "token": base64.b64encode(bytes.fromhex(seed) * 2).decode(),
               "expires": world.now() + seconds,
               "arn": f"arn:aws:sts::{parts[4]}:assumed-role/{role}/{name}",
               "user_id": f"AROA{seed[:16].upper()}:{name}"}
    world.sessions[session["access_key"]] = session
    return {"Credentials": {"AccessKeyId": session["access_key"],
                            "SecretAccessKey": session["secret"],
                            "SessionToken": session["token"],
                            "Expiration": stamp(session["expires"])},
            "AssumedRoleUser": {"AssumedRoleId": session["user_id"], "Arn": session["arn"]}}


STS_CALLS = {"GetCallerIdentity": get_caller_identity, "AssumeRole": assume_role}


# ---- SSM ---------------------------------------------------------------------------------


def _parameter(region, name, value):
    return {"Name": name, "Type": "String", "Value": value, "Version": 1,
            "LastModifiedDate": 1793769151.0, "DataType": "aws:ec2:image",
            "ARN": f"arn:aws:ssm:{region}::parameter{name}"}


def get_parameter(world, region, body):
    name = body["Name"]
    table = ec2market.parameters(region)
    if not isinstance(name, str) or name not in table:
        raise AwsError("ParameterNotFound", f"{name} not found")
    return {"Parameter": _parameter(region, name, table[name])}


def get_parameters(world, region, body):
    names = body["Names"]
    if not isinstance(names, list) or not 1 <= len(names) <= 10:
        raise AwsError("ValidationException", "Names: between 1 and 10 are allowed")
    table = ec2market.parameters(region)
    return {"Parameters": [_parameter(region, n, table[n]) for n in names if n in table],
            "InvalidParameters": [n for n in names if n not in table]}


def get_parameters_by_path(world, region, body):
    path = body["Path"].rstrip("/") + "/"
    size = body.get("MaxResults", 10)
    if not isinstance(size, int) or not 1 <= size <= 10:
        raise AwsError("ValidationException", "MaxResults: between 1 and 10 are allowed")
    rows = [_parameter(region, n, v) for n, v in sorted(ec2market.parameters(region).items())
            if n.startswith(path) and (body.get("Recursive") or "/" not in n[len(path):])]
    start = _start(body)
    out = {"Parameters": rows[start:start + size]}
    if start + size < len(rows):
        out["NextToken"] = _token(start + size)
    return out


def _token(start):
    return base64.b64encode(str(start).encode()).decode()


def _start(body):
    if "NextToken" not in body:
        return 0
    try:
        return int(base64.b64decode(body["NextToken"], validate=True))
    except (ValueError, TypeError, binascii.Error):
        raise AwsError("InvalidNextToken", "the token is not valid") from None


# ---- Service Quotas ----


def get_service_quota(world, region, body):
    if body["ServiceCode"] != "ec2":
        raise AwsError("NoSuchResourceException", "there is no such service here")
    quotas = world.scenario["service_quotas"]
    value = quotas.get(f"{region}/{body['QuotaCode']}", quotas.get(body["QuotaCode"]))
    if value is None:
        raise AwsError("NoSuchResourceException", "The request failed because the specified quota "
                       "does not exist.")
    return {"Quota": {"ServiceCode": "ec2", "QuotaCode": body["QuotaCode"], "Value": float(value),
                      "Adjustable": True, "GlobalQuota": False, "Unit": "None",
                      "QuotaAppliedAtLevel": "ACCOUNT"}}


# ---- Price list ----------------------------------------------------------------------------


# The service is in few regions; each has the whole list, but China has one of its own.
PRICE_REGIONS = ("us-east-1", "eu-central-1", "ap-south-1", "cn-northwest-1")


def _product(region, family, attributes, unit, cost):
    """One product of the list, with the reservations that come along with each price."""
    attributes = {"regionCode": region, "locationType": "AWS Region", **attributes}
    seed = json.dumps([family, attributes], sort_keys=True)
    sku = hashlib.sha256(seed.encode()).hexdigest()[:16].upper()
    money = ec2market.currency(region)

    def term(code, price, unit, more):
        rate = f"{sku}.{code}.6YS6EN2CT7"
        return {f"{sku}.{code}": {
            "priceDimensions": {rate: {
                "unit": unit, "beginRange": "0", "endRange": "Inf", "rateCode": rate,
                "description": f"{price:.10f} {money} per {unit}", "appliesTo": [],
                "pricePerUnit": {money: f"{price:.10f}"}}},
            "sku": sku, "effectiveDate": "2026-11-01T00:00:00Z", "offerTermCode": code,
            "termAttributes": more}}

    terms = {"OnDemand": term("JRTCKXETXF", cost, unit, {})}
    if unit == "Hrs" and cost:
        terms["Reserved"] = term("4NA7Y494T4", cost * 0.6, unit, {
            "LeaseContractLength": "1yr", "OfferingClass": "standard",
            "PurchaseOption": "No Upfront"})
    return attributes, {
        "product": {"productFamily": family, "attributes": attributes, "sku": sku},
        "serviceCode": attributes["servicecode"], "terms": terms,
        "version": "20261101000000", "publicationDate": "2026-11-01T00:00:00Z"}


def _machine_products(world, region, name):
    """What the list has of one instance type: plain Linux, and much else."""
    row = world.scenario["types"][name]
    cost = ec2market.price(world.scenario, region, name)
    metal = ec2market.is_metal(name)
    family = "Compute Instance (bare metal)" if metal else "Compute Instance"
    plain = {
        "servicecode": "AmazonEC2", "servicename": "Amazon Elastic Compute Cloud",
        "instanceType": name, "operatingSystem": "Linux",
        "tenancy": "Dedicated" if metal else "Shared",
        "capacitystatus": "Used", "preInstalledSw": "NA",
        "licenseModel": "No License required", "marketoption": "OnDemand",
        "vcpu": str(row["vcpus"]), "memory": f"{row['memory_mib'] / 1024:g} GiB",
        "currentGeneration": "Yes", "operation": "RunInstances"}
    if row["gpu"]:
        plain["gpu"] = str(row["gpu"]["count"])
    if "on-demand" in row["usage"] and name not in world.scenario["unpriced"]:
        yield _product(region, family, plain, "Hrs", cost)
        yield _product(region, family, dict(plain, operatingSystem="Windows",
                                            operation="RunInstances:0002"), "Hrs", cost * 1.5)
        yield _product(region, family, dict(plain, preInstalledSw="SQL Web",
                                            operation="RunInstances:0200"), "Hrs", cost * 0.5)
        yield _product(region, family, dict(plain, tenancy="Host"), "Hrs", 0)
        yield _product(region, family, dict(plain, capacitystatus="UnusedCapacityReservation",
                                            operation="RunInstances"), "Hrs", cost * 0.4)
    if "capacity-block" in row["usage"]:
        yield _product(region, family, dict(plain, marketoption="CapacityBlock",
                                            operation="RunInstances:CB"), "Hrs", cost * 0.1)


def _disk_products(world, region):
    factor = world.scenario["regions"][region].get("price_factor", 1.0)
    for kind, cost in sorted(world.scenario["disk_prices"].items()):
        base = {"servicecode": "AmazonEC2", "volumeApiName": kind}
        yield _product(region, "Storage", dict(base, usagetype=f"EBS:VolumeUsage.{kind}"),
                       "GB-Mo", round(cost * factor, 4))
        if kind == "gp3":
            yield _product(region, "System Operation",
                           dict(base, usagetype="EBS:VolumeP-IOPS.gp3", group="EBS IOPS"),
                           "IOPS-Mo", round(0.005 * factor, 4))
            yield _product(region, "Provisioned Throughput",
                           dict(base, usagetype="EBS:VolumeP-Throughput.gp3",
                                group="EBS Throughput"), "GiBps-mo", round(40.96 * factor, 4))
        if kind == "io2":
            for tier, price in (("", 0.065), (".tier2", 0.0455), (".tier3", 0.03185)):
                yield _product(region, "System Operation",
                               dict(base, usagetype="EBS:VolumeP-IOPS.io2" + tier), "IOPS-Mo",
                               round(price * factor, 5))


def _address_products(world, region):
    for use in ("InUseAddress", "IdleAddress"):
        yield _product(region, "VpcPublicIPv4Address", {
            "servicecode": "AmazonVPC", "group": "VPCPublicIPv4Address",
            "usagetype": f"PublicIPv4:{use}"}, "Hrs", world.scenario["address_price"])


def _products(world, region, service):
    if service == "AmazonVPC":
        yield from _address_products(world, region)
        return
    for name in sorted(world.scenario["types"]):
        if any(ec2market.sold_in(world.scenario, name, z)
               for z in world.scenario["regions"][region]["zones"]):
            yield from _machine_products(world, region, name)
    yield from _disk_products(world, region)


def _price_list(world, region, service):
    """The products of a region as (what filters see, text); made once."""
    if (region, service) not in world.price_lists:
        world.price_lists[region, service] = [
            (dict(attributes, productFamily=product["product"]["productFamily"]),
             json.dumps(product)) for attributes, product in _products(world, region, service)]
    return world.price_lists[region, service]


def _wanted(body):
    wanted = body.get("Filters", [])
    for row in wanted:
        if row.get("Type") != "TERM_MATCH" or not {"Field", "Value"} <= set(row):
            raise AwsError("InvalidParameterException", f"a filter that is not understood: {row}")
    return wanted


def price_region(body):
    """Which region a request for prices is about; None: it does not say."""
    try:
        return next((f["Value"] for f in body.get("Filters", []) if f["Field"] == "regionCode"),
                    None)
    except (TypeError, KeyError, AttributeError):
        return None


def _price_start(world, body):
    """Where a page of prices begins. Tokens of an older generation have expired."""
    if "NextToken" not in body:
        return 0
    try:
        generation, start = base64.b64decode(body["NextToken"], validate=True).split(b"/")
        if int(generation) == world.price_tokens:
            return int(start)
    except (ValueError, TypeError, binascii.Error):
        raise AwsError("InvalidNextTokenException", "the token is not valid") from None
    raise AwsError("ExpiredNextTokenException", "Pagination token is expired")


def get_products(world, region, body):
    if region not in PRICE_REGIONS:
        raise AwsError("UnknownOperationException", f"there is no price list service in {region}")
    if body["ServiceCode"] not in ("AmazonEC2", "AmazonVPC"):
        raise AwsError("InvalidParameterException", f"no service '{body['ServiceCode']}'")
    size = body.get("MaxResults", 100)
    if not isinstance(size, int) or not 1 <= size <= 100:
        raise AwsError("InvalidParameterException", "MaxResults is between 1 and 100")
    wanted = _wanted(body)
    rows = []
    for place in sorted(world.scenario["regions"]):
        if place.startswith("cn-") != region.startswith("cn-"):
            continue
        if price_region(body) not in (None, place):
            continue
        rows += [text for have, text in _price_list(world, place, body["ServiceCode"])
                 if all(have.get(f["Field"], "").lower() == f["Value"].lower() for f in wanted)]
    start = _price_start(world, body)
    overlap = 0
    if world.scenario["page_size"]:
        size = min(size, world.scenario["page_size"])
        overlap = min(world.scenario["page_overlap"], size - 1)
    out = {"FormatVersion": "aws_v1", "PriceList": rows[start:start + size]}
    if start + size < len(rows):
        token = f"{world.price_tokens}/{start + size - overlap}"
        out["NextToken"] = base64.b64encode(token.encode()).decode()
    return out


JSON_CALLS = {("ssm", "GetParameter"): get_parameter, ("ssm", "GetParameters"): get_parameters,
              ("ssm", "GetParametersByPath"): get_parameters_by_path,
              ("servicequotas", "GetServiceQuota"): get_service_quota,
              ("pricing", "GetProducts"): get_products}
TARGETS = {"AmazonSSM": "ssm", "AWSPriceListService": "pricing",
           "ServiceQuotasV20190624": "servicequotas"}
