#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_contract.py - the validator of requests: what was recorded is good, what we break is found

    test_contract.py SPECS FILE.jsonl

FILE holds requests of all clouds that are good, as cloudsim.py --record has written them.
"""

import copy
import json
import os
import sys
import unittest
import urllib.parse

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import contract
import schema

ENOUGH = 10
specs = file = None


def recorded():
    """{cloud: requests, in their order}."""
    out = {}
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            out.setdefault(row["cloud"], []).append(row)
    return out


def changed(row, **values):
    return {**row, **values}


def with_body(row, change):
    """The request with 'change' done to its body."""
    body = json.loads(row["body"])
    change(body)
    return changed(row, body=json.dumps(body))


def paths(value, at=()):
    """Where each value is in a body."""
    if at:
        yield at
    for key, inner in (value.items() if isinstance(value, dict) else
                       enumerate(value) if isinstance(value, list) else ()):
        yield from paths(inner, (*at, key))


def put(body, at, value):
    for key in at[:-1]:
        body = body[key]
    body[at[-1]] = value


def mistakes_in_json(row):
    """(what, request) of a request whose body is an object."""
    body = json.loads(row["body"])
    first = next(iter(body))
    target = row["target"]
    mark = "&" if "?" in target else "?"
    yield "an unknown member", with_body(row, lambda b: b.update(noSuchMember="x"))
    yield "a member in other letters", with_body(row, lambda b: b.update({first.upper(): b[first]}))
    yield "a list for a body", changed(row, body="[]")
    yield "a text for a body", changed(row, body='"x"')
    yield "no JSON", changed(row, body=row["body"][:-1])
    yield "no body", changed(row, body="")
    yield "an unknown parameter", changed(row, target=f"{target}{mark}noSuchParameter=1")
    yield "another path", changed(row, target=target.replace("?", "s/none?") if "?" in target
                                  else target + "s/none")
    yield "another method", changed(row, method="HEAD")
    for at in list(paths(body)):
        inner = body
        for key in at:
            inner = inner[key]
        where = ".".join(map(str, at))
        if isinstance(inner, dict) and inner and not is_map(at):
            yield f"an unknown member of {where}", with_body(
                row, lambda b, at=at: put(b, (*at, "noSuchMember"), "x"))
        if isinstance(inner, (dict, list)):
            yield f"a number for {where}", with_body(row, lambda b, at=at: put(b, at, 7))
        else:
            yield f"an object for {where}", with_body(
                row, lambda b, at=at: put(b, at, {"no": "such"}))


def is_map(at):
    """Objects that may have members of any name."""
    return at[-1] in ("labels", "tags", "env")


def mistakes_in_query(row):
    """The same of AWS's query requests."""
    pairs = urllib.parse.parse_qsl(row["body"], keep_blank_values=True)

    def form(more):
        return changed(row, body=urllib.parse.urlencode(more))

    names = [name for name, _ in pairs]
    without = [pair for pair in pairs if pair[0] not in ("MinCount", "MaxCount")]
    yield "an unknown parameter", form([*pairs, ("NoSuchParameter", "1")])
    yield "one that is too deep", form([*pairs, ("MinCount.1", "1")])
    yield "a parameter twice", form([*pairs, ("MinCount", "2")])
    yield "no MinCount", form([*without, ("MaxCount", "1")])
    yield "no MaxCount", form([*without, ("MinCount", "1")])
    yield "no number", form([*without, ("MinCount", "one"), ("MaxCount", "1")])
    yield "no truth", form([*pairs, ("EbsOptimized", "perhaps")])
    yield "a list without numbers", form([*pairs, ("SecurityGroup", "sg-1")])
    yield "a list that begins at 0", form([*pairs, ("Ipv6Address.0.Ipv6Address", "::1")])
    yield "a list with a gap", form([*pairs, ("LicenseSpecification.2.LicenseConfigurationArn",
                                              "x")])
    yield "a word that is none", form([*pairs, ("InstanceInitiatedShutdownBehavior.x", "stop")]
                                      if "InstanceInitiatedShutdownBehavior" not in names else
                                      [("InstanceInitiatedShutdownBehavior", "explode")
                                       if name == "InstanceInitiatedShutdownBehavior"
                                       else (name, value) for name, value in pairs])
    yield "another version", form([(n, "2014-01-01" if n == "Version" else v) for n, v in pairs])
    yield "another action", form([(n, "RunInstance" if n == "Action" else v) for n, v in pairs])
    yield "a query for a body", changed(row, body="{}")
    for n, (name, _) in enumerate(pairs):
        if name not in ("Action", "Version"):
            yield f"{name} misspelt", form([*pairs[:n], (name + "x", "1"), *pairs[n + 1:]])


def creation(cloud, rows):
    """The request that makes a machine."""
    def is_one(row):
        where = row["target"].partition("?")[0]
        return {"aws": "Action=RunInstances" in row["body"],
                "gcp": row["method"] == "POST" and where.endswith("/instances"),
                "azure": row["method"] == "PUT" and "/virtualMachines/" in where,
                "runpod": row["method"] == "POST" and where == "/v2/pods",
                "lambda": where.endswith("/launch")}[cloud]

    return next(row for row in rows if is_one(row))


class Requests(unittest.TestCase):
    """Of each cloud that was asked."""

    def setUp(self):
        self.rows = recorded()
        self.assertTrue(self.rows)

    def wrong(self, row):
        call = contract.Call(row["method"], row["target"], row["headers"], row["body"])
        return self.contract.violations(call)

    def test_what_was_sent_is_good(self):
        for cloud, rows in self.rows.items():
            self.contract = contract.contract_of(cloud, specs)
            with self.subTest(cloud=cloud):
                self.assertGreater(len(rows), 5)
                self.assertEqual([wrong for row in rows for wrong in self.wrong(row)], [])

    def test_mistakes_are_found(self):
        for cloud, rows in self.rows.items():
            self.contract = contract.contract_of(cloud, specs)
            row = creation(cloud, rows)
            make = mistakes_in_query if cloud == "aws" else mistakes_in_json
            found = 0
            for what, broken in make(copy.deepcopy(row)):
                with self.subTest(cloud=cloud, mistake=what):
                    self.assertNotEqual(self.wrong(broken), [])
                    found += 1
            self.assertGreaterEqual(found, ENOUGH, cloud)
            print(f"ok: {cloud}: {found} broken requests are found", flush=True)

    def test_a_version_that_is_none(self):
        if "azure" not in self.rows:
            self.skipTest("azure was not asked")
        self.contract = contract.contract_of("azure", specs)
        row = creation("azure", self.rows["azure"])
        for target in (row["target"].partition("?")[0], row["target"][:-1] + "9"):
            self.assertNotEqual(self.wrong(changed(row, target=target)), [])
        body = json.loads(row["body"])
        body["id"] = "/subscriptions/x"
        self.assertNotEqual(self.wrong(changed(row, body=json.dumps(body))), [])


class Schemas(unittest.TestCase):
    """The validator by itself: (schema, what fits, what does not)."""

    CASES = [
        ({"type": "integer", "minimum": 1, "maximum": 3}, [1, 3, 2.0], [0, 4, 1.5, "1", True, None]),
        ({"type": "string", "minLength": 1, "maxLength": 2, "pattern": "^a"}, ["a", "ab"],
         ["", "abc", "b", 1]),
        ({"type": ["string", "null"]}, ["x", None], [1, []]),
        ({"type": "boolean"}, [True], [1, "true"]),
        ({"enum": ["a", "b"]}, ["a"], ["c", 1]),
        ({"enum": ["a"], "x-ms-enum": {"modelAsString": True}}, ["a", "c"], []),
        ({"const": 1}, [1], [2]),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2,
          "uniqueItems": True}, [["a"], ["a", "b"]], [[], ["a", "a"], [1], ["a", "b", "c"], "a"]),
        ({"properties": {"a": {"type": "string"}}, "required": ["a"], "type": "object"},
         [{"a": ""}], [{}, {"a": 1}, {"a": "", "b": 1}, []]),
        ({"type": "object", "additionalProperties": {"type": "string"}}, [{}, {"x": "y"}],
         [{"x": 1}]),
        ({"type": "object", "properties": {"a": {}}, "additionalProperties": False}, [{"a": 1}],
         [{"b": 1}]),
        ({"allOf": [{"properties": {"a": {"type": "string"}}}, {"$ref": "#/b"}]},
         [{"a": "", "b": 1}], [{"a": 1}, {"b": "x"}, {"c": 1}]),
        ({"oneOf": [{"required": ["a"], "properties": {"a": {}}},
                    {"required": ["b"], "properties": {"b": {}}}]}, [{"a": 1}, {"b": 1}],
         [{}, {"a": 1, "b": 1}]),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, ["a", 1], [1.5, None]),
        ({"not": {"required": ["a"]}, "properties": {"a": {}, "b": {}}}, [{"b": 1}], [{"a": 1}]),
        ({"properties": {"a": {"readOnly": True}, "b": {}}}, [{"b": 1}], [{"a": 1}]),
        ({"type": "string", "format": "int64"}, ["12", 12, "-1"], ["x", 1.5, None]),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}, "properties": {"a": {}, "b": {}}},
         [{}, {"b": 1}, {"a": 1, "b": 1}], [{"a": 1}]),
    ]

    def test_cases(self):
        document = {"b": {"properties": {"b": {"type": "integer"}}}}
        for rules, good, bad in self.CASES:
            for value in good:
                with self.subTest(rules=rules, good=value):
                    self.assertEqual(schema.Schemas(document).check(value, rules), [])
            for value in bad:
                with self.subTest(rules=rules, bad=value):
                    self.assertNotEqual(schema.Schemas(document).check(value, rules), [])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        specs, file = sys.argv[1:]
        unittest.main(argv=sys.argv[:1])
    else:
        # without descriptions there is the validator itself
        unittest.main(argv=sys.argv[:1], defaultTest="Schemas")
