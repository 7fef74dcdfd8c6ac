#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""aws-state.py - what an EC2 has, without ids, addresses and times: for comparing one with another

    aws-state.py CLOUDSIM-FOLDER [end TAG=VALUE]

Asks the server at $AWS_ENDPOINT_URL with requests of its own, not by souk. With 'end', the machines
of that tag are ended first, as somebody would in the console.
"""
import json
import os
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree as tree

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import awswire

REGIONS = ("us-east-1", "us-west-2")
# a new token and a new host key for each launch
SECRET = {"souk-token": "TOKEN", "souk-host-key": "HOST KEY"}


def ask(region, action, **params):
    url = os.environ["AWS_ENDPOINT_URL"] + "/"
    body = urllib.parse.urlencode({"Action": action, "Version": "2016-11-15", **params}).encode()
    headers = awswire.sign("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, body,
                           "testing", "testing", region, "ec2")
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as reply:
        return tree.fromstring(reply.read())


def tags(item):
    found = {t.findtext("{*}key"): t.findtext("{*}value") for t in item.iterfind("{*}tagSet/{*}item")}
    return {key: SECRET.get(key, value) for key, value in sorted(found.items())}


def machines(region):
    for item in ask(region, "DescribeInstances").iterfind(".//{*}instancesSet/{*}item"):
        yield {"region": region, "type": item.findtext("{*}instanceType"),
               "zone": item.findtext("{*}placement/{*}availabilityZone"),
               "state": item.findtext("{*}instanceState/{*}name"),
               "lifecycle": item.findtext("{*}instanceLifecycle"),
               "tags": tags(item)}


def peer(range_item):
    return range_item.findtext("{*}cidrIp") or range_item.findtext("{*}cidrIpv6") or "a group"


def groups(region):
    for item in ask(region, "DescribeSecurityGroups").iterfind(".//{*}securityGroupInfo/{*}item"):
        if item.findtext("{*}groupName") == "default":
            continue
        rules = []
        for rule in item.iterfind("{*}ipPermissions/{*}item"):
            peers = [*rule.iterfind("{*}ipRanges/{*}item"), *rule.iterfind("{*}groups/{*}item"),
                     *rule.iterfind("{*}ipv6Ranges/{*}item")]
            ports = [rule.findtext("{*}fromPort"), rule.findtext("{*}toPort")]
            protocol = rule.findtext("{*}ipProtocol")
            rules += [[protocol, *(ports if protocol != "-1" else []), peer(p)] for p in peers]
        yield {"region": region, "name": item.findtext("{*}groupName"), "rules": sorted(rules),
               "tags": tags(item)}


def end(tag, value):
    for region in REGIONS:
        found = ask(region, "DescribeInstances", **{
            "Filter.1.Name": f"tag:{tag}", "Filter.1.Value.1": value,
            "Filter.2.Name": "instance-state-name", "Filter.2.Value.1": "running"})
        for one in found.iterfind(".//{*}instancesSet/{*}item/{*}instanceId"):
            ask(region, "TerminateInstances", **{"InstanceId.1": one.text})


if sys.argv[2:3] == ["end"]:
    end(*sys.argv[3].split("="))
for place in REGIONS:
    for row in sorted(map(json.dumps, (m for m in machines(place)
                                       if m["state"] not in ("shutting-down", "terminated")))):
        print("machine", row)
    for row in sorted(map(json.dumps, groups(place))):
        print("group", row)
