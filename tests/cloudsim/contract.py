#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""contract.py - requests against the clouds' public API descriptions

    contract.py [--specs DIR] --check FILE.jsonl

DIR (or SOUK_SPECS) holds the descriptions: aws/ (service models), gcp/ (discovery documents and what has been
added since), azure/ (Swagger 2.0), runpod/ and lambda/ (OpenAPI 3.1). A line of FILE is
{"cloud": NAME, "method": M, "target": PATH?QUERY, "headers": {...}, "body": TEXT}, as cloudsim.py --record
writes it. Prints what is wrong; status 1 if anything is.
"""

import argparse
import glob
import json
import os
import re
import sys
import urllib.parse

sys.dont_write_bytecode = True

import awscontract
from schema import Schemas


class Call:
    """A request as it was sent."""

    def __init__(self, method, target, headers=None, body=b""):
        self.method, self.target = method, target
        self.path, _, self.query = target.partition("?")
        self.headers = {k.lower(): v for k, v in (headers or {}).items()}
        self.body = body.encode() if isinstance(body, str) else body

    @classmethod
    def of(cls, req):
        """Of a request that a server has got."""
        return cls(req.method, req.target, req.headers, req.body)


class Operation:
    """One method on one path: its parameters {(place, name): (schema, required)} and its body."""

    def __init__(self, identity, method, path, parameters, body, body_required, base=""):
        self.id, self.method = identity, method
        self.parameters, self.body, self.body_required = parameters, body, body_required
        self.names = re.findall(r"\{\+?([^}]+)\}", path)
        # {name} stands for one part of the path, {+name} for several
        parts = re.split(r"\{\+?[^}]+\}", path)
        holes = ["(.+)" if hole == "+" else "([^/]+)" for hole in re.findall(r"\{(\+?)[^}]+\}", path)]
        text = "".join(re.escape(part) + hole for part, hole in zip(parts, [*holes, ""]))
        self.pattern = re.compile(re.escape(base) + text + r"\Z", re.IGNORECASE)
        self.fixed = sum(len(part) for part in parts)


def load(folder, *path):
    with open(os.path.join(folder, *path), encoding="utf-8") as file:
        return json.load(file)


class Contract:
    """The operations of one cloud."""

    # query parameters that any request may have
    common = ()

    def __init__(self):
        self.operations = []    # (Operation, Schemas)

    def operation(self, call):
        """The one whose path fits best, and its match; None if there is none."""
        found = [(op, schemas, op.pattern.match(call.path)) for op, schemas in self.operations
                 if op.method == call.method]
        found = [entry for entry in found if entry[2] and self.is_version(entry[0], call)]
        return max(found, key=lambda entry: entry[0].fixed, default=None)

    def is_version(self, operation, call):
        return True

    def violations(self, req):
        call = Call.of(req)
        found = self.operation(call)
        if not found:
            return [f"there is no {call.method} {call.target}"]
        operation, schemas, match = found
        out = self._parameters(operation, schemas, match, call)
        return [f"{operation.id}: {wrong}" for wrong in out + self._body(operation, schemas, call)]

    def _parameters(self, operation, schemas, match, call):
        out = []
        given = {("path", name): urllib.parse.unquote(value)
                 for name, value in zip(operation.names, match.groups())}
        for name, value in urllib.parse.parse_qsl(call.query, keep_blank_values=True):
            if ("query", name) in given:
                out.append(f"the parameter '{name}' is there twice")
            given["query", name] = value
        for place, name in given:
            if place == "query" and (place, name) not in operation.parameters \
                    and name not in self.common:
                out.append(f"there is no parameter '{name}'")
        for (place, name), (schema, required) in operation.parameters.items():
            if place == "header":
                value = call.headers.get(name.lower())
            else:
                value = given.get((place, name))
            if value is None:
                out += [f"the parameter '{name}' is missing"] if required else []
            else:
                out += schemas.check(self._typed(value, schema, schemas), schema, f"'{name}'",
                                     name=name)
        return out

    @staticmethod
    def _typed(value, schema, schemas):
        """A parameter's text as the type that its schema has, where it is one of that."""
        while "$ref" in schema:
            schema = schemas.find(schema["$ref"])
        kinds = schema.get("type")
        if kinds == "array":
            return value.split(",")
        try:
            if kinds in ("integer", "number"):
                return json.loads(value)
        except ValueError:
            return value
        if kinds == "boolean" and value in ("true", "false"):
            return value == "true"
        return value

    @staticmethod
    def _body(operation, schemas, call):
        if operation.body is None:
            return ["it has a body, and takes none"] if call.body.strip() not in (b"", b"{}") else []
        if not call.body:
            return ["the body is missing"] if operation.body_required else []
        try:
            value = json.loads(call.body)
        except ValueError as error:
            return [f"the body is not JSON: {error}"]
        return schemas.check(value, operation.body)


class OpenApi(Contract):
    """OpenAPI 3.1 and Swagger 2.0."""

    def add(self, document):
        schemas = Schemas(document)
        for path, methods in document["paths"].items():
            for method, row in methods.items():
                if method in ("get", "head", "put", "post", "patch", "delete"):
                    self.operations.append((self._read(schemas, path, method, row, methods),
                                            schemas))

    @staticmethod
    def _read(schemas, path, method, row, shared):
        parameters, body, required = {}, None, False
        for entry in [*shared.get("parameters", []), *row.get("parameters", [])]:
            if "$ref" in entry:
                entry = schemas.find(entry["$ref"])
            if entry["in"] == "body":
                body, required = entry["schema"], entry.get("required", False)
                continue
            schema = entry.get("schema") or {k: v for k, v in entry.items() if k != "required"}
            parameters[entry["in"], entry["name"]] = schema, entry.get("required", False)
        content = row.get("requestBody", {}).get("content", {}).get("application/json")
        if content:
            body, required = content["schema"], row["requestBody"].get("required", False)
        return Operation(row.get("operationId", path), method.upper(), path, parameters, body,
                         required)


class Azure(OpenApi):
    """Swagger documents, each of which is one api-version."""

    # of links to the next page, which a service makes as it likes
    common = ("$skiptoken",)

    def __init__(self, folder):
        super().__init__()
        for path in sorted(glob.glob(os.path.join(folder, "azure", "*.json"))):
            document = load(path)
            first = len(self.operations)
            self.add(document)
            for operation, _ in self.operations[first:]:
                operation.version = document["info"]["version"]

    def is_version(self, operation, call):
        query = dict(urllib.parse.parse_qsl(call.query))
        return query.get("api-version") == operation.version


class RunPod(OpenApi):
    def __init__(self, folder):
        super().__init__()
        self.add(load(folder, "runpod", "openapi.json"))


class Lambda(OpenApi):
    def __init__(self, folder):
        super().__init__()
        self.add(load(folder, "lambda", "openapi.json"))


class Google(Contract):
    """Discovery documents, with the members that were added to them since."""

    common = ("alt", "fields", "key", "prettyPrint", "quotaUser", "$.xgafv")

    def __init__(self, folder):
        super().__init__()
        compute = load(folder, "gcp", "compute-v1.discovery.json")
        self._add_fields(compute, load(folder, "gcp", "compute-v1.additions-2026.json"))
        self.add(compute, "/compute/v1/")
        self.add(load(folder, "gcp", "cloudbilling-v1.discovery.json"), "/")

    @staticmethod
    def _add_fields(document, additions):
        """Members as a protocol buffer has them: their type is known as far as it is a plain one."""
        plain = {"string": {"type": "string"}, "bool": {"type": "boolean"},
                 "int32": {"type": "integer"}, "int64": {"type": "string", "format": "int64"},
                 "Duration": {"type": "object", "properties": {
                     "seconds": {"type": "string", "format": "int64"},
                     "nanos": {"type": "integer"}}}}
        for name, fields in additions["added_fields"].items():
            for field, row in fields.items():
                kind = row["type"].split()
                schema = plain.get(kind[-1], {})
                if kind[0] == "repeated":
                    schema = {"type": "array", "items": schema}
                elif kind[0].startswith("map"):
                    schema = {"type": "object", "additionalProperties": {}}
                document["schemas"][name].setdefault("properties", {})[field] = schema
        for name, fields in additions["added_enum_values"].items():
            for field, values in fields.items():
                schema = document["schemas"][name]["properties"][field]
                schema.get("items", schema)["enum"] = [
                    *schema.get("items", schema).get("enum", []), *values]

    def add(self, document, base):
        schemas = Schemas(document)

        def walk(resources):
            for resource in resources.values():
                for row in resource.get("methods", {}).values():
                    self.operations.append((self._read(row, base), schemas))
                walk(resource.get("resources", {}))

        walk(document["resources"])

    @staticmethod
    def _read(row, base):
        parameters = {}
        for name, entry in row.get("parameters", {}).items():
            schema = {k: v for k, v in entry.items() if k != "required"}
            if "pattern" in schema:
                schema["pattern"] = rf"\A(?:{schema['pattern']})\Z"
            if entry.get("repeated"):
                schema = {"type": "array", "items": schema}
            parameters[entry["location"], name] = schema, entry.get("required", False)
        path = row["path"]
        body = row.get("request")
        return Operation(row["id"], row["httpMethod"], path, parameters, body, body is not None,
                         base)


MAKERS = {"aws": awscontract.Aws, "gcp": Google, "azure": Azure, "runpod": RunPod,
          "lambda": Lambda}


def contract_of(cloud, folder):
    """What the requests of that cloud are held against; an OSError if the folder has it not."""
    return MAKERS[cloud](folder)


def check_file(path, folder):
    """Sentences about the requests of a file."""
    contracts, out = {}, []
    with open(path, encoding="utf-8") as file:
        for n, line in enumerate(file, 1):
            row = json.loads(line)
            cloud = row["cloud"]
            if cloud not in contracts:
                contracts[cloud] = contract_of(cloud, folder)
            call = Call(row["method"], row["target"], row.get("headers"), row.get("body", ""))
            out += [f"{path}:{n}: {cloud}: {wrong}" for wrong in contracts[cloud].violations(call)]
    return out


def main():
    parser = argparse.ArgumentParser(description="Requests against public API descriptions.")
    parser.add_argument("--specs", metavar="DIR", default=os.environ.get("SOUK_SPECS"))
    parser.add_argument("--check", metavar="FILE", required=True)
    args = parser.parse_args()
    if not args.specs:
        parser.error("--specs DIR or SOUK_SPECS has to say where the descriptions are")
    found = check_file(args.check, args.specs)
    print("".join(line + "\n" for line in found), end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
