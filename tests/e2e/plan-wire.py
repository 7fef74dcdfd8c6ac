#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plan-wire.py - is every request that was recorded (SOUK_HTTP_RECORD) one of 'souk launch --plan --json'?

    plan-wire.py PLAN.json FOLDER

A name in capitals stands for anything that has its form; the token and the names that the server gave are
the launch's own. Each recorded request must be in the plan: what, method, URL, and body by its parameters (that of
a request whose body is a secret was not recorded). Prints what is not, and how many were looked at.
"""
import json
import os
import re
import sys
import urllib.parse

NAMES = {
    "i-INSTANCE": r"i-[0-9a-f]+", "sg-GROUP": r"sg-[0-9a-f]+", "vpc-VPC": r"vpc-[0-9a-f]+",
    "subnet-SUBNET": r"subnet-[0-9a-f]+", "ami-IMAGE": r"ami-[0-9a-f]+",
    "request-token": r"[a-z0-9-]{8,40}",
}


def pattern(text):
    out = re.escape(text)
    for name, form in NAMES.items():
        out = out.replace(re.escape(name), form)
    return out


def parameters(body):
    return dict(urllib.parse.parse_qsl(body, keep_blank_values=True))


def same_body(planned, seen):
    if planned is None or not seen:
        return not planned and not seen
    if planned.startswith("{"):
        return re.fullmatch(pattern(planned), seen) is not None
    planned, seen = parameters(planned), parameters(seen)
    # as many machines as there are, and one example of them in the plan
    for key in list(seen):
        if re.fullmatch(r"(InstanceId|Filter\.1\.Value)\.([2-9]|\d\d+)", key):
            del seen[key]
    return planned.keys() == seen.keys() and all(
        re.fullmatch(pattern(planned[key]), seen[key]) for key in planned)


def recorded(folder):
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".http"):
            continue
        with open(os.path.join(folder, name), "rb") as f:
            data = f.read()
        fields, at = {}, 0
        while at < len(data):
            end = data.index(b"\n", at)
            key, _, value = data[at:end].partition(b": ")
            at = end + 1
            if key in (b"request-body", b"reply-body"):
                size = value.decode()
                fields[key.decode()] = None
                if size.isdigit():
                    fields[key.decode()] = data[at:at + int(size)].decode("utf-8", "replace")
                    at += int(size) + 1
            else:
                fields.setdefault(key.decode(), value.decode())
        yield name, fields


def main(plan, folder):
    with open(plan) as f:
        rows = json.load(f)["requests"]
    outside = seen = 0
    for name, fields in recorded(folder):
        seen += 1
        body = fields.get("request-body")
        hidden = not body  # or there is none: then method and path say it all
        if any(row["what"] == fields["what"] and row["method"] == fields["method"]
               and urllib.parse.urlsplit(row["url"]).path == fields["path"]
               and (hidden or same_body(row["body"], body)) for row in rows):
            continue
        outside += 1
        print(f"{name}: not in the plan: {fields['what']} {fields['method']} {fields['path']} {body}")
    print(f"{seen} requests, {outside} outside the plan")
    return 1 if outside or not seen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
