# SPDX-License-Identifier: Apache-2.0
"""restsim.py - a simulated cloud whose API is a set of paths: routes, entity tags, options

A module of a cloud makes one Rest, adds its routes with @sim.route(METHOD, PATTERN, ACTION), and
calls sim.main(). Pattern is a regular expression over the path. The function gets a Request and
returns (status, headers, body), or raises Refused with that; a body that is not bytes or text is
sent as JSON. It is called under the lock of the world.
"""

import hashlib
import json
import re
import sys
import urllib.parse

import contract
import simserver


class Refused(Exception):
    """An answer (status, headers, body) that ends the call."""

    def __init__(self, answer):
        super().__init__(answer)
        self.answer = answer


class Request(simserver.Request):
    """With its parameters, and the groups of the route's pattern as 'match'."""

    def __init__(self, handler, body):
        super().__init__(handler, body)
        self.query_text = self.query
        self.query = {k: v[-1] for k, v in
                      urllib.parse.parse_qs(self.query, keep_blank_values=True).items()}
        self.match = self.function = None

    def json(self):
        return json.loads(self.body or b"null")


class Rest(simserver.Cloud):
    """The cloud of a module. open() makes its world, which a module reaches as sim.world."""

    def __init__(self, name, make_world, word):
        """'word' makes (status, headers, body) of a SimError, as the cloud writes it."""
        super().__init__(None)
        self.name = name
        self.make_world = make_world
        self.word = word
        self.routes = []
        self.statuses = {}      # of the codes of faults; others are 400
        self.region_of = lambda req: req.match.groupdict().get("region") or ""
        self.args = None
        self.options = simserver.arguments(f"{name}, simulated on 127.0.0.1.")
        self.options.add_argument("--faults", default="[]", metavar="JSON")
        self.options.add_argument("--no-etag", action="store_true")

    def route(self, method, pattern, action=None, contract=True):
        """'contract' false, or false for a request: what the API's contract does not tell of."""
        def add(function):
            self.routes.append((method, re.compile(pattern + r"\Z"), function,
                                action or function.__name__, contract))
            return function
        return add

    def open(self, args, scenario, machines):
        self.args = args
        given = json.loads(args.faults)
        if given:
            scenario = dict(scenario, faults=[*scenario.get("faults", []), *given])
        self.world = self.make_world(scenario, machines)
        self.contract = contract.contract_of(self.name, args.specs) if args.specs else None
        return self

    # ---- what Cloud asks for

    def request(self, handler, body):
        return Request(handler, body)

    def read(self, req):
        for method, pattern, function, action, contract in self.routes:
            match = pattern.match(req.path)
            if match and method == req.method:
                req.match, req.function, req.action = match, function, action
                req.has_contract = contract(req) if callable(contract) else contract
                req.region = self.region_of(req)
                return
        req.action = f"{req.method} {req.path}"
        req.has_contract = True

    def hold_against(self, req):
        return super().hold_against(req) if req.has_contract else []

    def perform(self, req):
        try:
            if not req.function:
                answer = 404, {}, {"error": f"no such thing: {req.method} {req.path}"}
            else:
                answer = req.function(req)
        except Refused as refusal:
            answer = refusal.answer
        return self.shaped(*answer)

    @staticmethod
    def shaped(status, headers, body):
        kind = headers.get("Content-Type", "text/plain")
        if not isinstance(body, (bytes, str)):
            kind = headers.get("Content-Type", "application/json")
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        return status, kind, {k: v for k, v in headers.items() if k != "Content-Type"}, body

    def error(self, req, error):
        _, kind, headers, body = self.shaped(*self.word(error))
        error.headers = {**headers, **error.headers}
        return kind, body

    def fault_error(self, fault):
        error = super().fault_error(fault)
        error.status = fault.get("status", self.statuses.get(fault["code"], 400))
        return error

    def serve(self, req, client):
        """What has not changed since the client has last asked is not sent again."""
        status, kind, headers, body, ending, log = super().serve(req, client)
        if status == 200 and req.method == "GET" and not self.args.no_etag:
            tag = '"' + hashlib.sha256(body).hexdigest()[:24] + '"'
            headers = {"ETag": tag, **headers}
            if req.headers.get("if-none-match") == tag and not ending:
                status, kind, body = 304, "", b""
        return status, kind, headers, body, ending, log

    # ---- the program

    def main(self, control=simserver.Control):
        simserver.main(self.options.parse_args(), self.open, control)

    def print_only(self, flag, give):
        """With that flag the program prints what it has, and ends; whether it was given."""
        if flag in sys.argv:
            json.dump(give(), sys.stdout)
            return True
        return False
