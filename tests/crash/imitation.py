#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""imitation.py - a small imitation of souk with chosen faults: what crash-test.py is tried on

IMITATION=careful does as souk must; 'no-intent' notes nothing before it creates; 'no-token'
retries without a ClientToken; 'forgetful' takes one machine of a doubled request for all.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.parse
import urllib.request

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "cloudsim"))

import awswire

MODE = os.environ.get("IMITATION", "careful")
URL = os.environ["AWS_ENDPOINT_URL"] + "/"
STORE = os.path.join(os.environ["SOUK_HOME"], "store.json")


def load():
    try:
        with open(STORE, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {"intents": [], "machines": {}}


def save(store):
    with open(STORE + ".new", "w", encoding="utf-8") as file:
        json.dump(store, file)
        file.flush()
        os.fsync(file.fileno())
    os.rename(STORE + ".new", STORE)


def call(action, params, tries=4):
    body = urllib.parse.urlencode(dict(params, Action=action, Version="2016-11-15")).encode()
    why = None
    for _ in range(tries):
        headers = awswire.sign("POST", URL, {"Content-Type": "application/x-www-form-urlencoded"},
                               body, "testing", "testing", "us-east-1", "ec2")
        try:
            with urllib.request.urlopen(urllib.request.Request(URL, body, headers),
                                        timeout=20) as reply:
                return reply.read().decode()
        except urllib.error.HTTPError as error:
            why = error.read().decode()
            if error.code != 503:
                break
        except OSError as error:
            why = error
    sys.exit(f"{action}: {why}")


def machines_of(token):
    return re.findall("<instanceId>(.*?)<", call("DescribeInstances", {
        "Filter.1.Name": "tag:souk-token", "Filter.1.Value.1": token,
        "Filter.2.Name": "instance-state-name", "Filter.2.Value.1": "pending",
        "Filter.2.Value.2": "running"}))


def settle(store):
    for token in list(store["intents"]):
        found = machines_of(token)
        store["machines"].update({one: token for one in found[:1]})
        for one in [] if MODE == "forgetful" else found[1:]:
            call("TerminateInstances", {"InstanceId.1": one})
        store["intents"].remove(token)
        save(store)


def launch(store):
    settle(store)
    if store["machines"]:
        return
    token = os.urandom(8).hex()
    if MODE != "no-intent":
        store["intents"].append(token)
        save(store)
    image = re.search("<imageId>(.*?)<", call("DescribeImages", {
        "Filter.1.Name": "architecture", "Filter.1.Value.1": "x86_64"})).group(1)
    spec = {"ImageId": image, "InstanceType": "m5.large", "MinCount": 1, "MaxCount": 1,
            "TagSpecification.1.ResourceType": "instance",
            "TagSpecification.1.Tag.1.Key": "souk-token", "TagSpecification.1.Tag.1.Value": token}
    if MODE != "no-token":
        spec["ClientToken"] = token
    reply = call("RunInstances", spec, 1 if MODE == "careful" else 3)
    if MODE == "careful":
        settle(store)
        return
    store["machines"].update({i: token for i in re.findall("<instanceId>(.*?)<", reply)})
    store["intents"] = []
    save(store)


def main():
    os.makedirs(os.environ["SOUK_HOME"], 0o700, exist_ok=True)
    store, verb = load(), sys.argv[1]
    if verb == "launch":
        launch(store)
    elif verb == "status":
        if "--refresh" in sys.argv:
            settle(store)
        nodes = [{"id": one} for one in store["machines"]]
        print(json.dumps({"clusters": [{"name": "crash", "status": "UP", "nodes": nodes}]
                          if nodes else []}))
    elif verb == "down":
        settle(store)
        for one in list(store["machines"]):
            call("TerminateInstances", {"InstanceId.1": one})
            del store["machines"][one]
            save(store)


if __name__ == "__main__":
    main()
