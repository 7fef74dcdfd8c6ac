#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""ec2.py - an EC2, STS, SSM and price list server that remembers, for tests on loopback"""

import argparse
import http.server
import json
import math
import os
import select
import signal
import socket
import sys
import threading
import time
import traceback
import urllib.parse

sys.dont_write_bytecode = True

import awsother
import awswire
import ec2params
from awswire import AwsError
from ec2instances import InstanceCalls
from ec2market import check_fault, check_scenario
from ec2world import World, fault_error
from machine import Machines

BODY_MAX = 4 << 20
EC2_VERSIONS = ("2016-11-15",)
STS_VERSIONS = ("2011-06-15",)
SECRET_PARAMS = ("UserData", "PublicKeyMaterial")


class Vanish(Exception):
    """Close the connection without a reply."""


class Request:
    """One call on its way through the server."""

    def __init__(self, handler, body):
        parts = urllib.parse.urlsplit(handler.path)
        self.method, self.path, self.query, self.body = (handler.command, parts.path,
                                                         parts.query, body)
        self.headers = {k.lower(): v for k, v in handler.headers.items()}
        self.auth = awswire.Authorization.parse(self.headers.get("authorization"))
        self.service = self.auth.service if self.auth else "ec2"
        self.region = self.auth.region if self.auth else ""
        self.action = ""
        self.params = {}
        target = self.headers.get("x-amz-target", "")
        if target:
            prefix, _, self.action = target.rpartition(".")
            self.service = awsother.TARGETS.get(prefix, self.service)
        self.who = None

    def read_params(self):
        """Find out what is asked; the action is known first, so that faults can name it."""
        if self.service in ("ssm", "pricing", "servicequotas"):
            try:
                self.params = json.loads(self.body or b"{}")
            except ValueError:
                raise AwsError("SerializationException", "the body is not JSON") from None
            if not isinstance(self.params, dict):
                raise AwsError("SerializationException", "the body is not an object")
            return
        text = self.body.decode("utf-8", "replace") if self.method == "POST" else self.query
        self.action = dict(urllib.parse.parse_qsl(text)).get("Action", "")
        self.params = awswire.parse_form(text)

    def about(self):
        """The region that a request is about: of prices it is not the one that is asked."""
        return (awsother.price_region(self.params) if self.service == "pricing" else None
                ) or self.region


class Cloud:
    """Answers requests: signature, parameters, faults, action."""

    def __init__(self, world, model=None):
        self.world = world
        self.model = model
        self.calls = InstanceCalls(world)

    # ---- who is asking

    def _credential(self, key_id):
        for row in self.world.scenario["credentials"]:
            if row["access_key"] == key_id:
                return row
        return self.world.sessions.get(key_id)

    def authenticate(self, req):
        service = req.service
        if req.auth is None:
            code = {"ec2": "AuthFailure"}.get(service, "MissingAuthenticationToken")
            raise AwsError(code, "Request is missing Authentication Token", 401
                           if service == "ec2" else 403)
        if req.auth.service != service:
            raise self._refusal(service, "signature",
                                f"Credential should be scoped to correct service: '{service}'.")
        who = self._credential(req.auth.key_id)
        token = req.headers.get("x-amz-security-token")
        if who is None or (who.get("token") or None) != token:
            raise self._refusal(service, "unknown", "AWS was not able to validate the provided "
                                "access credentials" if service == "ec2" else
                                "The security token included in the request is invalid.")
        why = awswire.check_signature(req.auth, who["secret"], req.method, req.path, req.query,
                                      req.headers, req.body, time.time())
        if why:
            raise self._refusal(service, why, {
                "signature": "The request signature we calculated does not match the signature you "
                             "provided. Check your AWS Secret Access Key and signing method.",
                "body": "The body does not have the hash that x-amz-content-sha256 says.",
                "expired": "The time stamp of the request is more than five minutes off.",
                "incomplete": "The headers host and x-amz-* must be signed, in order, and "
                              "x-amz-date must agree with the credential's date."}[why])
        if who.get("expires", math.inf) < self.world.now():
            raise self._refusal(service, "stale", "The security token included in the request is "
                                "expired")
        req.who = who
        self._check_region(req)

    @staticmethod
    def _refusal(service, why, message):
        """Each service has its own words for the same refusal."""
        names = {
            "unknown": (("AuthFailure", 401), ("InvalidClientTokenId", 403),
                        ("UnrecognizedClientException", 400)),
            "signature": (("SignatureDoesNotMatch", 403), ("SignatureDoesNotMatch", 403),
                          ("InvalidSignatureException", 400)),
            "expired": (("RequestExpired", 400), ("SignatureDoesNotMatch", 403),
                        ("InvalidSignatureException", 400)),
            "stale": (("RequestExpired", 400), ("ExpiredToken", 403),
                      ("ExpiredTokenException", 400)),
            "incomplete": (("IncompleteSignature", 400), ("IncompleteSignature", 400),
                           ("IncompleteSignatureException", 400)),
        }
        names["body"] = names["signature"]
        column = {"ec2": 0, "sts": 1}.get(service, 2)
        code, status = names[why][column]
        return AwsError(code, message, status)

    def _check_region(self, req):
        row = self.world.scenario["regions"].get(req.region)
        if req.service in ("sts", "pricing"):
            return
        if row is None:
            raise AwsError("AuthFailure", f"Credential should be scoped to a valid region, not "
                           f"'{req.region}'", 401)
        if row["opt_in"] == "not-opted-in":
            raise AwsError("OptInRequired",
                           f"You are not subscribed to region '{req.region}'.", 403)

    # ---- what is asked

    def _check_version(self, req):
        known = EC2_VERSIONS if req.service == "ec2" else STS_VERSIONS
        version = req.params.get("Version")
        table = ec2params.EC2 if req.service == "ec2" else ec2params.STS
        if not req.action:
            raise AwsError("MissingAction", "The request must contain an action")
        if version not in known or req.action not in table:
            raise AwsError("InvalidAction", f"The action {req.action} is not valid for version "
                           f"{version} of this web service.")
        if self.model:
            self.model.refuse_unmodelled(req.service, req.action, req.params)
        ec2params.check(table, req.action, req.params)

    def perform(self, req):
        """The answer as (content type, bytes) to a request that is good."""
        rid = self.request_id(req)
        if req.service == "ec2":
            self._check_version(req)
            dry = req.params.get("DryRun", "false").lower() == "true"
            if dry and req.action != "RunInstances":
                raise AwsError("DryRunOperation",
                               "Request would have succeeded, but DryRun flag is set.", 412)
            value = getattr(self.calls, req.action)(req.region, req.params)
            return "text/xml;charset=UTF-8", awswire.ec2_answer(req.action, rid, value)
        if req.service == "sts":
            self._check_version(req)
            value = awsother.STS_CALLS[req.action](self.world, req.who, req.params)
            return "text/xml", awswire.sts_answer(req.action, rid, value)
        call = awsother.JSON_CALLS.get((req.service, req.action))
        if call is None:
            raise AwsError("UnknownOperationException", f"{req.service} has no '{req.action}' here")
        takes, needs = ec2params.JSON[req.service, req.action]
        for name in req.params:
            if name not in takes.split():
                raise AwsError("SerializationException", f"unknown member '{name}'")
        for name in needs.split():
            if name not in req.params:
                raise AwsError("ValidationException", f"member '{name}' must not be null")
        value = call(self.world, req.region, req.params)
        return "application/x-amz-json-1.1", json.dumps(value).encode()

    def error(self, req, error):
        rid = self.request_id(req)
        if req.service == "sts":
            return "text/xml", awswire.sts_error(error, rid)
        if req.service in ("ssm", "pricing", "servicequotas"):
            return "application/x-amz-json-1.1", json.dumps(
                {"__type": error.code, "message": error.message}).encode()
        return "text/xml;charset=UTF-8", awswire.ec2_error(error, rid)

    def request_id(self, req):
        return f"5a6b0000-0000-4000-8000-{req.number:012x}"

    # ---- a request from its arrival to its answer

    def serve(self, req, client):
        """(status, content type, headers, body, how it ends) under the lock of the world."""
        with self.world.lock:
            req.number = len(self.world.requests) + 1
            log = {"n": req.number, "service": req.service, "region": req.region,
                   "action": req.action, "client": client, "at": self.world.now()}
            self.world.requests.append(log)
            status, kind, headers, body, ending = self._decide(req, log)
            log["status"] = status
            return status, kind, headers, body, ending

    def _decide(self, req, log):
        fault = None
        try:
            try:
                req.read_params()
            finally:
                log["action"] = req.action
                log["about"] = req.about()
                log["params"] = {k: "..." if k in SECRET_PARAMS else v
                                 for k, v in req.params.items()}
            self.authenticate(req)
            fault = self.world.fault(req.action, req.about(), False)
            how = fault.get("do", "error") if fault else None
            if how:
                log["fault"] = how
            if how == "error":
                raise fault_error(fault)
            if how in ("drop-before", "half-close", "hang"):
                return 0, "", {}, b"", how
            if how == "unavailable":
                return (fault.get("status", 503), "text/html", self._retry_after(fault),
                        b"<html><body><h1>503 Service Unavailable</h1></body></html>\n", None)
            kind, body = self.perform(req)
            log["code"] = "ok"
            if how in ("drop-after", "truncate"):
                return 200, kind, {}, body, how
            if how == "garbage":
                return 200, kind, {}, body[:len(body) // 3] + b"<<{[", None
            return 200, kind, {}, body, ("delay", fault["ms"]) if how == "delay" else None
        except AwsError as error:
            log["code"] = error.code
            kind, body = self.error(req, error)
            return error.status, kind, self._retry_after(fault), body, None
        except Exception:  # a bug of this server must not look like an answer of the cloud
            traceback.print_exc()
            log["code"] = "SimulatorBug"
            kind, body = self.error(req, AwsError("SimulatorBug", traceback.format_exc(), 501))
            return 501, kind, {}, body, None

    @staticmethod
    def _retry_after(fault):
        if not fault or "retry_after" not in fault:
            return {}
        return {"Retry-After": str(fault["retry_after"])}


class Control:
    """What tests ask of the server itself, under /_sim/."""

    def __init__(self, world):
        self.world = world

    def serve(self, method, path, body):
        given = json.loads(body) if body else {}
        name = path[len("/_sim/"):]
        if method == "GET" and name == "state":
            return self.world.report()
        call = getattr(self, "do_" + name.replace("-", "_"), None)
        if method != "POST" or call is None:
            raise KeyError(name)
        with self.world.lock:
            return call(given) or {"ok": True}

    def do_scenario(self, given):
        check_scenario(given)
        self.world.load(given)

    def do_reset(self, given):
        self.world.reset()

    def do_faults(self, given):
        """Add faults to those of the scenario; "replace": true drops the others first."""
        for fault in given["faults"]:
            check_fault(fault)
        if given.get("replace"):
            self.world.faults.clear()
        self.world.faults += [dict(f, hits=0) for f in given["faults"]]

    def do_capacity(self, given):
        check_scenario({"capacity": given["capacity"]})
        self.world.scenario["capacity"] = given["capacity"]

    def do_expire_price_tokens(self, given):
        """Pages of the price list that are under way cannot be gone on with."""
        self.world.price_tokens += 1

    def do_forget(self, given):
        """What was asked so far."""
        self.world.requests.clear()

    def do_advance(self, given):
        self.world.advance(float(given["seconds"]))

    def _instances(self, given):
        rows = list(self.world.instances.values())
        if "instance" in given:
            rows = [i for i in rows if i.id == given["instance"]]
        elif "tag" in given:
            key, _, value = given["tag"].partition("=")
            rows = [i for i in rows if i.tags.get(key) == value]
        else:
            raise ValueError("'instance' or 'tag' (KEY=VALUE) says which")
        if not rows:
            raise ValueError(f"no such instance: {given}")
        return rows

    def do_preempt(self, given):
        rows = [i for i in self._instances(given)
                if "instance" in given or i.state in ("pending", "running")]
        for instance in rows:
            self.world.preempt(instance)
        return {"preempted": [i.id for i in rows]}

    def do_shutdown(self, given):
        for instance in self._instances(given):
            self.world.shut_down_from_inside(instance)

    def do_clock(self, given):
        """What the Date of replies is off by; signatures are judged by the true time."""
        Handler.date_offset = int(given["seconds"])

    def do_impostor(self, given):
        if not self.world.machines:
            raise ValueError("the server runs without --sshd")
        self.world.machines.impostor = bool(given["on"])


class Handler(http.server.BaseHTTPRequestHandler):
    """HTTP for Cloud and Control."""

    protocol_version = "HTTP/1.1"
    server_version = "AmazonEC2"
    sys_version = ""
    disable_nagle_algorithm = True
    cloud = None
    control = None
    date_offset = 0

    def log_message(self, format, *args):
        pass

    def date_time_string(self, timestamp=None):
        return super().date_time_string((timestamp or time.time()) + self.date_offset)

    def _body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            raise ValueError("a chunked body is not taken")
        size = int(self.headers.get("Content-Length", "0"))
        if not 0 <= size <= BODY_MAX:
            raise ValueError(f"a body of {size} bytes is not taken")
        data = self.rfile.read(size)
        if len(data) != size:
            raise Vanish("the client left in the middle of its body")
        return data

    def _reply(self, status, kind, body, headers=None, cut=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        self.wfile.flush()

    def _wait_for_client(self, ms=None):
        """Until the client closes its side, or 'ms' have gone by."""
        poll = select.poll()
        poll.register(self.connection, select.POLLIN | select.POLLRDHUP)
        poll.poll(ms)

    def _handle(self):
        try:
            body = self._body()
            if self.path.startswith("/_sim/"):
                self._control(body)
            else:
                self._cloud(body)
        except Vanish:
            self.close_connection = True
        except ValueError as error:
            self.close_connection = True
            self._reply(400, "text/plain", f"{error}\n".encode())

    do_GET = do_POST = do_PUT = do_DELETE = _handle

    def _control(self, body):
        try:
            value, status = self.control.serve(self.command, self.path, body), 200
        except KeyError as error:
            value = {"error": f"{self.command} {self.path}: missing or unknown: {error}"}
            status = 404
        except (ValueError, TypeError) as error:
            value, status = {"error": str(error)}, 400
        self._reply(status, "application/json", json.dumps(value, default=list).encode())

    def _cloud(self, body):
        req = Request(self, body)
        latency = self.cloud.world.scenario["latency_ms"]
        if latency:
            self._wait_for_client(latency)
        client = "%s:%d" % self.client_address[:2]
        status, kind, headers, answer, ending = self.cloud.serve(req, client)
        if ending == "half-close":
            self.connection.shutdown(socket.SHUT_WR)
        if ending in ("half-close", "hang"):
            self._wait_for_client()
        if ending in ("drop-before", "drop-after", "half-close", "hang"):
            raise Vanish(ending)
        if ending == "truncate":
            self._reply(status, kind, answer, headers, len(answer) // 2)
            raise Vanish(ending)
        if isinstance(ending, tuple):
            self._wait_for_client(ending[1])
        self._reply(status, kind, answer, headers)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, client_address)


def arguments():
    parser = argparse.ArgumentParser(description="A simulated EC2 on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) chooses one")
    parser.add_argument("--scenario", metavar="FILE", help="JSON; see README.md")
    parser.add_argument("--specs", metavar="DIR", default=os.environ.get("SOUK_SPECS"),
                        help="service models to hold parameters against (SOUK_SPECS)")
    parser.add_argument("--sshd", action="store_true", help="instances get a real sshd")
    parser.add_argument("--ssh-port", type=int, help="where it listens (22 if it can be had)")
    parser.add_argument("--impostor", action="store_true",
                        help="every sshd has another host key than its user data says")
    return parser.parse_args()


def main():
    args = arguments()
    scenario = {}
    if args.scenario:
        with open(args.scenario, encoding="utf-8") as file:
            scenario = json.load(file)
    model = ec2params.Model(args.specs) if args.specs else None
    if model and model.strangers():
        sys.exit("ec2: parameters that the service model does not have: "
                 + ", ".join(model.strangers()))
    server = Server(("127.0.0.1", args.port), Handler)
    port = server.server_address[1]
    machines = Machines(port, args.ssh_port, args.impostor) if args.sshd else None
    world = World(scenario, machines)
    Handler.cloud, Handler.control = Cloud(world, model), Control(world)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening {port}", flush=True)
    stop.wait()
    server.shutdown()
    if machines:
        with world.lock:
            machines.close()


if __name__ == "__main__":
    main()
