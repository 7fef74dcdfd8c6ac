#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""plan-wire.py - is every request that was recorded (SOUK_HTTP_RECORD) one of 'souk launch --plan --json'?

    plan-wire.py PLAN.json FOLDER [NAME=FORM...]

A NAME in the plan stands for anything of that form, a regular expression; the token and the keys are the
launch's own. Each recorded request must be in the plan: what, method, URL by its parts, and body by its
parameters, or by its members if it is JSON (that of a request whose body is a secret was not recorded).
Prints what is not, and how many were looked at.
"""
import json
import os
import re
import sys
import urllib.parse

NAMES = {
    "request-token": r"[a-z0-9-]{8,40}",
    "AAAAPUBLICKEY": r"[A-Za-z0-9+/=]+",
    "AAAAHOSTPUBLICKEY": r"[A-Za-z0-9+/=]+",
}


def pattern(text):
    out = re.escape(text)
    for name, form in NAMES.items():
        out = out.replace(re.escape(name), form)
    return out


def matches(planned, seen):
    return re.fullmatch(pattern(planned), seen) is not None


def parameters(body):
    return dict(urllib.parse.parse_qsl(body, keep_blank_values=True))


def same_parameters(planned, seen):
    planned, seen = parameters(planned), parameters(seen)
    # as many machines as there are, and one example of them in the plan
    for key in list(seen):
        if re.fullmatch(r"(InstanceId|Filter\.1\.Value)\.([2-9]|\d\d+)", key):
            del seen[key]
    return planned.keys() == seen.keys() and all(matches(planned[key], seen[key]) for key in planned)


def same_value(planned, seen):
    if isinstance(planned, str):
        return isinstance(seen, str) and matches(planned, seen)
    if isinstance(planned, dict):
        return isinstance(seen, dict) and planned.keys() == seen.keys() and all(
            same_value(planned[key], seen[key]) for key in planned)
    if isinstance(planned, list):  # one example stands for as many as there are
        return isinstance(seen, list) and (
            bool(seen) and all(same_value(planned[0], s) for s in seen) if len(planned) == 1 else
            len(planned) == len(seen) and all(map(same_value, planned, seen)))
    return type(planned) is type(seen) and planned == seen


def same_body(planned, seen):
    if planned is None or not seen:
        return not planned and not seen
    if planned.startswith(("{", "[")):
        try:
            return same_value(json.loads(planned), json.loads(seen))
        except ValueError:
            return False
    return same_parameters(planned, seen)


def same_url(planned, seen):
    planned, seen = urllib.parse.urlsplit(planned), urllib.parse.urlsplit(seen)
    return (planned[:2] == seen[:2] and matches(planned.path, seen.path)
            and same_parameters(planned.query, seen.query))


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


def main(plan, folder, *names):
    # those that were given first: they may hold one of the others
    given = dict(name.split("=", 1) for name in names)
    for name, form in list(NAMES.items()):
        del NAMES[name]
        given.setdefault(name, form)
    NAMES.update(given)
    with open(plan) as f:
        rows = json.load(f)["requests"]
    outside = seen = 0
    for name, fields in recorded(folder):
        seen += 1
        body = fields.get("request-body")
        hidden = not body  # or there is none: then method and URL say it all
        if any(row["what"] == fields["what"] and row["method"] == fields["method"]
               and same_url(row["url"], fields["url"])
               and (hidden or same_body(row["body"], body)) for row in rows):
            continue
        outside += 1
        print(f"{name}: not in the plan: {fields['what']} {fields['method']} {fields['url']} {body}")
    print(f"{seen} requests, {outside} outside the plan")
    return 1 if outside or not seen else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
