#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""moto-ssh.py - a proxy_command that makes an instance of moto real: sshd on stdin and stdout

moto gives addresses that nobody listens on. This program finds the instance of that address,
makes a machine from its user data (host key, authorized keys, a home of its own) when it is
first asked for, and becomes 'sshd -i' for one connection. An address that is not of a running
instance is refused, as a network would.
"""

import argparse
import base64
import fcntl
import os
import sys
import types
import urllib.request
import xml.etree.ElementTree

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                                "cloudsim"))

import awswire
from machine import Builder


def ask(endpoint, region, text):
    body = text.encode()
    headers = awswire.sign("POST", endpoint + "/", {
        "Content-Type": "application/x-www-form-urlencoded"}, body, "testing", "testing", region,
        "ec2")
    request = urllib.request.Request(endpoint + "/", data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        return xml.etree.ElementTree.fromstring(reply.read())


def find(args):
    """(instance id, user data) of the running instance of that address."""
    for region in args.regions.split(","):
        tree = ask(args.endpoint, region, "Action=DescribeInstances&Version=2016-11-15")
        for item in tree.iterfind(".//{*}instancesSet/{*}item"):
            addresses = (item.findtext("{*}ipAddress"), item.findtext("{*}privateIpAddress"))
            if (args.host in addresses
                    and item.findtext("{*}instanceState/{*}name") == "running"):
                one = item.findtext("{*}instanceId")
                tree = ask(args.endpoint, region, "Action=DescribeInstanceAttribute&Version="
                           f"2016-11-15&Attribute=userData&InstanceId={one}")
                data = tree.findtext(".//{*}userData/{*}value") or ""
                return one, base64.b64decode(data).decode("utf-8", "replace")
    sys.exit(f"moto-ssh: no running instance has the address '{args.host}'")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--endpoint", required=True, help="http://127.0.0.1:PORT")
    parser.add_argument("--dir", required=True, help="where the machines' folders are")
    parser.add_argument("--regions", default="us-east-1", help="where to look, with commas")
    parser.add_argument("host", help="%%h")
    args = parser.parse_args()
    os.makedirs(args.dir, 0o700, exist_ok=True)
    builder = Builder(os.path.abspath(args.dir))
    one, user_data = find(args)
    folder = os.path.join(builder.folder, one)
    with open(os.path.join(builder.folder, "lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(folder):
            builder.first_boot(folder, types.SimpleNamespace(id=one, user_data=user_data,
                                                             authorized=[]))
            builder.configure(folder, "127.0.0.1", 22)
            # nobody listens for orders here: 'shutdown' shall not wait for a reader
            os.unlink(os.path.join(folder, "control"))
    os.execv(builder.sshd, [builder.sshd, "-i", "-f", os.path.join(folder, "sshd_config"), "-E",
                            os.path.join(folder, "sshd.log")])


if __name__ == "__main__":
    main()
