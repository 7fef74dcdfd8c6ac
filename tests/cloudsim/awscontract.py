# SPDX-License-Identifier: Apache-2.0
"""awscontract.py - requests against AWS's service models

Query requests (EC2, STS) are lists of names with dots, which are made a tree and held against the shape of
the operation's input; the others are JSON. Operations that the models at hand leave out, and the simulator
has, are not judged.
"""

import glob
import json
import os
import re
import urllib.parse

import awsother
import awswire
import ec2params

# by the name under which requests are signed: the file's beginning
FILES = {"ec2": "ec2-", "sts": "sts-", "ssm": "ssm-", "pricing": "pricing-",
         "servicequotas": "service-quotas-"}
OPEN_ENUMS = ("InstanceType",)


def wire_name(service, member, spec):
    """What a member is called in a query."""
    if service != "ec2":
        return spec.get("locationName", member)
    if "queryName" in spec:
        return spec["queryName"]
    name = spec.get("locationName", member)
    return name[0].upper() + name[1:]


def tree(pairs):
    """{"A.1.B": v} as {"A": {"1": {"B": v}}}; ValueError if a name is a value and a branch."""
    root = {}
    for name, value in pairs:
        at = root
        *branches, leaf = name.split(".")
        for branch in branches:
            at = at.setdefault(branch, {})
            if not isinstance(at, dict):
                raise ValueError(f"'{name}' is below a value")
        if leaf in at:
            raise ValueError(f"'{name}' is there twice")
        at[leaf] = value
    return root


class Model:
    """The shapes of one service."""

    def __init__(self, path, service):
        with open(path, encoding="utf-8") as file:
            self.document = json.load(file)
        self.shapes, self.service = self.document["shapes"], service
        self.is_query = service in ("ec2", "sts")

    def check(self, value, name, where):
        shape = self.shapes[name]
        kind = shape["type"]
        if kind == "structure":
            return self._structure(value, shape, where)
        if kind == "list":
            return self._list(value, shape, where)
        if isinstance(value, (dict, list)):
            return [f"{where}: not one value"]
        return self._scalar(value, name, shape, where)

    def _structure(self, value, shape, where):
        if not isinstance(value, dict):
            return [f"{where}: not a structure"]
        members = {wire_name(self.service, member, spec) if self.is_query else member: (member, spec)
                   for member, spec in shape["members"].items()}
        given = {members[name][0] for name in value if name in members}
        out = [f"{where}: '{name}' is missing" for name in shape.get("required", [])
               if name not in given]
        for name, inner in value.items():
            if name not in members:
                out.append(f"{where}: there is no '{name}'")
            else:
                out += self.check(inner, members[name][1]["shape"], f"{where}.{name}")
        return out

    def _list(self, value, shape, where):
        if self.is_query and self.service != "ec2" and isinstance(value, dict):
            value = value.get("member", {})
        if self.is_query:
            if not isinstance(value, dict) or sorted(value) != sorted(
                    str(n) for n in range(1, len(value) + 1)):
                return [f"{where}: not a list that counts from 1"]
            value = list(value.values())
        if not isinstance(value, list):
            return [f"{where}: not a list"]
        out = []
        if not shape.get("min", 0) <= len(value) <= shape.get("max", len(value)):
            out.append(f"{where}: has {len(value)} entries")
        for n, inner in enumerate(value, 1):
            out += self.check(inner, shape["member"]["shape"], f"{where}.{n}")
        return out

    def _scalar(self, value, name, shape, where):
        kind = shape["type"]
        if kind in ("integer", "long", "float", "double", "boolean") and self.is_query:
            pattern = {"boolean": "true|false", "integer": r"-?\d+", "long": r"-?\d+"}.get(
                kind, r"-?\d+(\.\d+)?")
            if not re.fullmatch(pattern, value):
                return [f"{where}: {value[:60]!r} is no {kind}"]
            return self._range(float(value), shape, where) if kind != "boolean" else []
        types = {"string": str, "boolean": bool, "integer": int, "long": int, "blob": str,
                 "timestamp": (str, int, float)}
        if not isinstance(value, types.get(kind, (int, float))) or (
                kind != "boolean" and isinstance(value, bool)):
            return [f"{where}: not of type {kind}"]
        if kind != "string":
            return self._range(value, shape, where) if isinstance(value, (int, float)) else []
        out = self._range(len(value), shape, where)
        if "enum" in shape and value not in shape["enum"] and name not in OPEN_ENUMS:
            out.append(f"{where}: {value[:60]!r} is none of {shape['enum'][:12]}")
        if "pattern" in shape and not re.search(shape["pattern"], value):
            out.append(f"{where}: {value[:60]!r} does not match {shape['pattern']}")
        return out

    @staticmethod
    def _range(number, shape, where):
        if not shape.get("min", number) <= number <= shape.get("max", number):
            return [f"{where}: {number:g} is out of range"]
        return []


class Aws:
    """The service models of a folder."""

    def __init__(self, folder):
        self.models = {}
        for service, start in FILES.items():
            found = sorted(glob.glob(os.path.join(folder, "aws", start + "[0-9]*.json")))
            if not found:
                raise FileNotFoundError(f"no file {start}*.json in '{folder}/aws'")
            self.models[service] = Model(found[-1], service)

    def violations(self, req):
        target = req.headers.get("x-amz-target", "")
        if target:
            prefix, _, action = target.rpartition(".")
            service = awsother.TARGETS.get(prefix, "")
            return self._json(service, action, req.body)
        auth = awswire.Authorization.parse(req.headers.get("authorization"))
        query = req.body.decode("utf-8", "replace") if req.method == "POST" else req.query
        pairs = urllib.parse.parse_qsl(query, keep_blank_values=True)
        return self._query(auth.service if auth else "ec2", pairs)

    def _judged(self, service, action):
        """(model, input shape, what is wrong): no model if the operation cannot be judged."""
        model = self.models.get(service)
        if not model:
            return None, None, [f"there is no service '{service}'"]
        row = model.document["operations"].get(action)
        own = {"ec2": ec2params.EC2, "sts": ec2params.STS}.get(
            service, {name: 1 for place, name in ec2params.JSON if place == service})
        if row is None:
            return None, None, [] if action in own else [f"{service} has no '{action}'"]
        return model, row.get("input", {}).get("shape"), []

    def _query(self, service, pairs):
        try:
            given = tree(pairs)
        except ValueError as error:
            return [str(error)]
        action, version = given.pop("Action", ""), given.pop("Version", "")
        model, shape, wrong = self._judged(service, action)
        if not model:
            return wrong
        if version != model.document["metadata"]["apiVersion"]:
            wrong = [f"{action}: '{version}' is not the version"]
        return wrong + (model.check(given, shape, action) if shape else [])

    def _json(self, service, action, body):
        model, shape, wrong = self._judged(service, action)
        if not model:
            return wrong
        try:
            given = json.loads(body or b"{}")
        except ValueError as error:
            return [f"{action}: the body is not JSON: {error}"]
        return model.check(given, shape, action) if shape else []
