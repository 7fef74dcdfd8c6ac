# SPDX-License-Identifier: Apache-2.0
"""schema.py - JSON values against the schemas that API descriptions are made of

The part of JSON Schema that OpenAPI 3.1, Swagger 2.0 and Google's discovery documents use. It is
stricter than they are: an object may have the members that its schema names and no others, unless that
says so; and a request may not set what the service alone sets.
"""

import re

TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}
# what may be anything that looks like a name, whatever values a description lists today
OPEN_ENUMS = ("PublicRegionCode", "provisioningModel", "status")


def is_a(value, kind):
    """Is it of that JSON type?"""
    if kind == "null":
        return value is None
    if kind in ("integer", "number"):
        if isinstance(value, bool):
            return False
        return isinstance(value, int) or (isinstance(value, float)
                                          and (kind == "number" or value.is_integer()))
    return isinstance(value, TYPES.get(kind, object))


class Schemas:
    """The schemas of one document. check() gives sentences, none of them if the value is good."""

    def __init__(self, document):
        self.document = document

    def find(self, reference):
        """Of '#/a/b', or of the bare name of a schema in a discovery document."""
        if not reference.startswith("#/"):
            return self.document["schemas"][reference]
        found = self.document
        for part in reference[2:].split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        return found

    # ---- what an object may have

    def members(self, schema):
        """(names, may there be others) of an object: what it has together with all its parts."""
        names, is_open = set(schema.get("properties", {})), False
        more = schema.get("additionalProperties")
        is_open = more is not None and more is not False
        parts = [part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, [])]
        parts += [schema[key] for key in ("then", "else") if key in schema]
        if "$ref" in schema:
            parts.append(self.find(schema["$ref"]))
        for part in parts:
            inner, inner_open = self.members(part)
            names |= inner
            is_open = is_open or inner_open
        return names, is_open

    def check(self, value, schema, where="the body", whole=True, name=""):
        """'whole' false: the schema is a part, others name members too."""
        out = []
        if "$ref" in schema:
            target = schema["$ref"]
            out += self.check(value, self.find(target), where, False, target.rpartition("/")[2])
        if self._is_output(schema):
            return [f"{where}: only the service sets it"]
        kinds = schema.get("type") or ("object" if "properties" in schema else None)
        if kinds and not self._has_type(value, schema, kinds):
            return out + [f"{where}: not of type {kinds}: {str(value)[:60]!r}"]
        if isinstance(value, dict):
            out += self._object(value, schema, where, whole)
        elif isinstance(value, list):
            out += self._array(value, schema, where)
        else:
            out += self._scalar(value, schema, where, name)
        return out + self._combined(value, schema, where)

    @staticmethod
    def _is_output(schema):
        return schema.get("readOnly") is True or schema.get(
            "description", "").startswith("[Output Only]")

    @staticmethod
    def _has_type(value, schema, kinds):
        if value is None and schema.get("nullable"):
            return True
        if schema.get("format") in ("int64", "uint64") and kinds == "string":
            # Google writes these as text, and takes numbers too
            return is_a(value, "integer") or (isinstance(value, str)
                                              and re.fullmatch(r"-?\d+", value) is not None)
        return any(is_a(value, kind) for kind in (kinds if isinstance(kinds, list) else [kinds]))

    def _object(self, value, schema, where, whole):
        out = [f"{where}: '{name}' is missing" for name in schema.get("required", [])
               if name not in value]
        if len(value) < schema.get("minProperties", 0):
            out.append(f"{where}: too few members")
        if len(value) > schema.get("maxProperties", len(value)):
            out.append(f"{where}: too many members")
        properties = schema.get("properties", {})
        more = schema.get("additionalProperties")
        for name, inner in value.items():
            if name in properties:
                out += self.check(inner, properties[name], f"{where}.{name}", name=name)
            elif isinstance(more, dict):
                out += self.check(inner, more, f"{where}.{name}")
            elif more is False and whole:
                out.append(f"{where}: there is no member '{name}'")
        if whole and more is None:
            names, is_open = self.members(schema)
            if not is_open and names:
                out += [f"{where}: there is no member '{name}'" for name in value
                        if name not in names]
        return out

    def _array(self, value, schema, where):
        out = []
        if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems",
                                                                             len(value)):
            out.append(f"{where}: has {len(value)} entries")
        if schema.get("uniqueItems") and len({str(v) for v in value}) < len(value):
            out.append(f"{where}: an entry is there twice")
        for n, entry in enumerate(value):
            out += self.check(entry, schema.get("items", {}), f"{where}[{n}]")
        return out

    @staticmethod
    def _scalar(value, schema, where, name):
        out = []
        is_open = name in OPEN_ENUMS or schema.get("x-ms-enum", {}).get("modelAsString")
        if "enum" in schema and value not in schema["enum"] and not is_open:
            out.append(f"{where}: {str(value)[:60]!r} is none of {schema['enum'][:12]}")
        if "const" in schema and value != schema["const"]:
            out.append(f"{where}: not {schema['const']!r}")
        if isinstance(value, str):
            if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
                out.append(f"{where}: has {len(value)} characters")
            if "pattern" in schema and not re.search(schema["pattern"], value):
                out.append(f"{where}: {value[:60]!r} does not match {schema['pattern']}")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            # Google writes these as text
            low, high = (float(schema.get(k, value)) for k in ("minimum", "maximum"))
            if not low <= value <= high:
                out.append(f"{where}: {value} is out of range")
        return out

    def _combined(self, value, schema, where):
        out = []
        for part in schema.get("allOf", []):
            out += self.check(value, part, where, False)
        for key in ("anyOf", "oneOf"):
            tries = [self.check(value, part, where) for part in schema.get(key, [])]
            good = sum(not wrong for wrong in tries)
            if tries and not good:
                out += min(tries, key=len)
            elif key == "oneOf" and good > 1:
                out.append(f"{where}: fits {good} of the forms, of which one is allowed")
        if "not" in schema and not self.check(value, schema["not"], where, False):
            out.append(f"{where}: what is there must not be")
        if "if" in schema:
            then = "else" if self.check(value, schema["if"], where, False) else "then"
            out += self.check(value, schema.get(then, {}), where, False)
        return out
