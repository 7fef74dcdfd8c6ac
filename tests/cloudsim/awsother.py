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


# ---- Price list ----------------------------------------------------------------------------


def _product(world, region, name):
    row = world.scenario["types"][name]
    attributes = {
        "servicecode": "AmazonEC2", "servicename": "Amazon Elastic Compute Cloud",
        "instanceType": name, "regionCode": region, "operatingSystem": "Linux",
        "tenancy": "Shared", "capacitystatus": "Used", "preInstalledSw": "NA",
        "licenseModel": "No License required", "marketoption": "OnDemand",
        "vcpu": str(row["vcpus"]), "memory": f"{row['memory_mib'] / 1024:g} GiB",
        "currentGeneration": "Yes", "operation": "RunInstances", "locationType": "AWS Region"}
    if row["gpu"]:
        attributes["gpu"] = str(row["gpu"]["count"])
    sku = hashlib.sha256(f"{region}/{name}".encode()).hexdigest()[:16].upper()
    cost = ec2market.price(world.scenario, region, name)
    rate = f"{sku}.JRTCKXETXF.6YS6EN2CT7"
    return attributes, {
        "product": {"productFamily": "Compute Instance", "attributes": attributes, "sku": sku},
        "serviceCode": "AmazonEC2",
        "terms": {"OnDemand": {f"{sku}.JRTCKXETXF": {
            "priceDimensions": {rate: {
                "unit": "Hrs", "beginRange": "0", "endRange": "Inf", "rateCode": rate,
                "description": f"${cost:.10f} per On Demand Linux {name} Instance Hour",
                "appliesTo": [], "pricePerUnit": {"USD": f"{cost:.10f}"}}},
            "sku": sku, "effectiveDate": "2026-11-01T00:00:00Z",
            "offerTermCode": "JRTCKXETXF", "termAttributes": {}}}},
        "version": "20261101000000", "publicationDate": "2026-11-01T00:00:00Z"}


def get_products(world, region, body):
    if region not in ("us-east-1", "eu-central-1", "ap-south-1"):
        raise AwsError("UnknownOperationException", f"there is no price list service in {region}")
    if body["ServiceCode"] != "AmazonEC2":
        raise AwsError("InvalidParameterException", f"no service '{body['ServiceCode']}'")
    size = body.get("MaxResults", 100)
    if not isinstance(size, int) or not 1 <= size <= 100:
        raise AwsError("InvalidParameterException", "MaxResults is between 1 and 100")
    wanted = body.get("Filters", [])
    for row in wanted:
        if row.get("Type") != "TERM_MATCH" or not {"Field", "Value"} <= set(row):
            raise AwsError("InvalidParameterException", f"a filter that is not understood: {row}")
    rows = []
    for place, where in sorted(world.scenario["regions"].items()):
        for name in sorted(world.scenario["types"]):
            if not any(ec2market.sold_in(world.scenario, name, z) for z in where["zones"]):
                continue
            attributes, product = _product(world, place, name)
            if all(attributes.get(f["Field"], "").lower() == f["Value"].lower() for f in wanted):
                rows.append(json.dumps(product))
    start = _start(body)
    out = {"FormatVersion": "aws_v1", "PriceList": rows[start:start + size]}
    if start + size < len(rows):
        out["NextToken"] = _token(start + size)
    return out


JSON_CALLS = {("ssm", "GetParameter"): get_parameter, ("ssm", "GetParameters"): get_parameters,
              ("ssm", "GetParametersByPath"): get_parameters_by_path,
              ("pricing", "GetProducts"): get_products}
TARGETS = {"AmazonSSM": "ssm", "AWSPriceListService": "pricing"}
