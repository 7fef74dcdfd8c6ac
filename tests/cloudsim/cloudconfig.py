# SPDX-License-Identifier: Apache-2.0
"""cloudconfig.py - the part of cloud-init's #cloud-config that simulated machines obey"""

import json
import re

_KEY = re.compile(r"""^("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_./-]+)\s*:(?:\s+(.*))?$""")


class CloudConfigError(ValueError):
    """The user data is not what a machine could obey."""


def _strip_comment(text):
    text = text.strip()
    if text[:1] in "\"'":
        return text
    return re.sub(r"(^|\s)#.*$", "", text).strip()


def _scalar(text, number):
    text = _strip_comment(text)
    if re.fullmatch(r"\[[A-Za-z0-9_., -]*\]", text):
        return [_scalar(part, number) for part in text[1:-1].split(",") if part.strip()]
    if text[:1] == '"' or text[:1] in "[{":
        try:
            return json.loads(text)
        except ValueError:
            raise CloudConfigError(f"line {number}: not understood: {text}") from None
    if text[:1] == "'":
        if len(text) < 2 or text[-1] != "'":
            raise CloudConfigError(f"line {number}: quote is not closed")
        return text[1:-1].replace("''", "'")
    if text[:1] in "&*!%@`":
        raise CloudConfigError(f"line {number}: not supported here: {text}")
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "null", "~"):
        return None
    return int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else text


class _Reader:
    """Block mappings, block sequences, literal blocks and plain, quoted or JSON scalars."""

    def __init__(self, text):
        self.lines = text.split("\n")
        self.at = 0

    def _peek(self):
        """(indent, text) of the next line that says something, or (-1, '')."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            bare = line.strip()
            if bare and not bare.startswith("#") and bare != "---":
                if "\t" in line[:len(line) - len(line.lstrip())]:
                    raise CloudConfigError(f"line {self.at + 1}: a tab in the indentation")
                return len(line) - len(line.lstrip(" ")), bare
            self.at += 1
        return -1, ""

    def node(self, indent):
        _, text = self._peek()
        return self._sequence(indent) if text == "-" or text.startswith("- ") \
            else self._mapping(indent)

    def _sequence(self, indent):
        out = []
        while True:
            here, text = self._peek()
            if here != indent or not (text == "-" or text.startswith("- ")):
                if here > indent:
                    raise CloudConfigError(f"line {self.at + 1}: bad indentation")
                return out
            rest = text[1:].strip()
            if not rest:
                self.at += 1
                out.append(self._below(indent))
            elif _KEY.match(rest) and rest[:1] not in "\"'{[" or rest.startswith("- "):
                inner = indent + len(text) - len(rest)
                self.lines[self.at] = " " * inner + rest
                out.append(self.node(inner))
            else:
                out.append(self._value(rest, indent))

    def _mapping(self, indent):
        out = {}
        while True:
            here, text = self._peek()
            if here != indent or text == "-" or text.startswith("- "):
                if here > indent:
                    raise CloudConfigError(f"line {self.at + 1}: bad indentation")
                return out
            match = _KEY.match(text)
            if not match:
                raise CloudConfigError(f"line {self.at + 1}: not 'key: value': {text}")
            key = str(_scalar(match.group(1), self.at + 1))
            if key in out:
                raise CloudConfigError(f"line {self.at + 1}: key '{key}' is given twice")
            rest = _strip_comment(match.group(2) or "")
            if rest:
                out[key] = self._value(rest, indent)
            else:
                self.at += 1
                out[key] = self._below(indent, True)

    def _below(self, indent, key=False):
        """What stands under a key or a dash; a sequence may begin in the column of its key."""
        here, text = self._peek()
        if here > indent or key and here == indent and (text == "-" or text.startswith("- ")):
            return self.node(here)
        return None

    def _value(self, rest, indent):
        number = self.at + 1
        self.at += 1
        if rest not in ("|", "|-", "|+"):
            return _scalar(rest, number)
        return self._literal(indent, rest)

    def _literal(self, indent, kind):
        rows, inner = [], None
        while self.at < len(self.lines):
            line = self.lines[self.at]
            if line.strip():
                here = len(line) - len(line.lstrip(" "))
                if here <= indent or inner is not None and here < inner:
                    break
                inner = here if inner is None else inner
            rows.append(line[inner or 0:])
            self.at += 1
        text = "\n".join(rows).rstrip("\n")
        return text if kind == "|-" else text + "\n"

    def end(self):
        here, text = self._peek()
        if here >= 0:
            raise CloudConfigError(f"line {self.at + 1}: not understood: {text}")


def load(text):
    """The text after '#cloud-config' as dicts, lists and scalars."""
    reader = _Reader(text.replace("\r\n", "\n"))
    indent, _ = reader._peek()
    value = reader.node(indent) if indent >= 0 else {}
    reader.end()
    return value


def ssh_settings(user_data):
    """(private host key or None, public host key or None, authorized keys) of user data."""
    if not user_data.startswith("#cloud-config"):
        return None, None, []
    config = load(user_data)
    if not isinstance(config, dict):
        raise CloudConfigError("#cloud-config is not a mapping")
    keys = config.get("ssh_keys") or {}
    if not isinstance(keys, dict):
        raise CloudConfigError("ssh_keys is not a mapping")
    users = config.get("users") or []
    rows = list(config.get("ssh_authorized_keys") or [])
    for user in users if isinstance(users, list) else []:
        if isinstance(user, dict):
            rows += user.get("ssh_authorized_keys") or user.get("ssh-authorized-keys") or []
    if not all(isinstance(r, str) for r in rows):
        raise CloudConfigError("ssh_authorized_keys is not a list of text")
    return keys.get("ed25519_private"), keys.get("ed25519_public"), rows
