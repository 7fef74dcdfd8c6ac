# SPDX-License-Identifier: Apache-2.0
"""simserver.py - a simulated cloud as an HTTP server: faults on the wire, questions of the tests

A cloud subclasses Cloud (read, authenticate, perform, error) over a World of simworld, and calls
main(). README.md tells of the command line and of /_sim/.
"""

import argparse
import http.server
import json
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

from machine import Machines
from simworld import USED, SimError

BODY_MAX = 16 << 20


class Vanish(Exception):
    """Close the connection without a reply."""


class Request:
    """One call on its way through the server. A cloud's read() sets action, region and log."""

    def __init__(self, handler, body):
        parts = urllib.parse.urlsplit(handler.path)
        self.method, self.target, self.path, self.query, self.body = (
            handler.command, handler.path, parts.path, parts.query, body)
        self.headers = {k.lower(): v for k, v in handler.headers.items()}
        self.action = ""
        self.region = ""
        self.note = {}      # what the request log tells besides; never a secret
        self.number = 0

    def about(self):
        """The region that the request is about, where that is not the one that is asked."""
        return self.region


class Cloud:
    """Answers requests. All methods are called under the lock of the world."""

    name = "cloud"
    contract = None     # of contract.py: what requests are held against
    record = None       # is given each request that a contract could tell of

    def __init__(self, world):
        self.world = world

    def request(self, handler, body):
        return Request(handler, body)

    def read(self, req):
        """Find out what is asked: set req.action, req.region, req.note."""

    def authenticate(self, req):
        """Raise a SimError if the credentials are not good."""

    def perform(self, req):
        """Do it: (status, content type, headers, bytes)."""
        raise NotImplementedError

    def error(self, req, error):
        """A SimError in the cloud's own shape: (content type, bytes)."""
        raise NotImplementedError

    def fault_error(self, fault):
        """The SimError of a scenario's fault, with the status and words that belong to its code."""
        return SimError(fault["code"], fault.get("message", "by order of the scenario"),
                        fault.get("status", 400))

    def throttled(self, seconds):
        """The SimError of one request too many."""
        return SimError("TooManyRequests", "the rate limit is exceeded", 429,
                        {"Retry-After": str(seconds)})

    def serve(self, req, client):
        """(status, content type, headers, body, how it ends, log): under the lock of the world."""
        with self.world.lock:
            req.number = len(self.world.requests) + 1
            log = {"n": req.number, "client": client, "at": self.world.now(),
                   "method": req.method, "path": req.path, "target": req.target,
                   "conditional": "if-none-match" in req.headers, "status": 0}
            self.world.requests.append(log)
            return (*self._decide(req, log), log)

    def hold_against(self, req):
        """What the contract has against the request: a list of sentences, empty if it is good."""
        if self.record:
            self.record(req)
        return self.contract.violations(req) if self.contract else []

    def _violation(self, req, log):
        found = self.hold_against(req)
        if not found:
            return None
        self.world.violations += [{"n": req.number, "method": req.method, "target": req.target,
                                   "action": req.action, "why": why} for why in found]
        log["code"] = "ContractViolation"
        body = json.dumps({"error": "ContractViolation", "violations": found}).encode()
        return 501, "application/json", {}, body, None

    def _decide(self, req, log):
        fault = None
        try:
            try:
                self.read(req)
            finally:
                log.update(action=req.action, region=req.region, **req.note)
            self.authenticate(req)
            violation = self._violation(req, log)
            if violation:
                return violation
            wait = self.world.too_many()
            if wait:
                raise self.throttled(wait)
            fault = self.world.fault(req.action, req.about(), False, req.target)
            if fault:
                log["fault"] = fault.get("do", "error")
            return self._perform(req, log, fault)
        except SimError as error:
            log["code"] = error.code
            kind, body = self.error(req, error)
            return error.status, kind, {**error.headers, **retry_after(fault)}, body, None
        except Exception:  # a bug of this server must not look like an answer of the cloud
            traceback.print_exc()
            log["code"] = "SimulatorBug"
            kind, body = self.error(req, SimError("SimulatorBug", traceback.format_exc(), 501))
            return 501, kind, {}, body, None

    def _perform(self, req, log, fault):
        how = fault.get("do", "error") if fault else None
        if how == "error":
            raise self.fault_error(fault)
        if how in ("drop-before", "half-close", "hang"):
            return 0, "", {}, b"", how
        if how == "unavailable":
            page = fault.get("body", "<html><body><h1>503 Service Unavailable</h1></body></html>\n")
            return (fault.get("status", 503), "text/html",
                    {**fault.get("headers", {}), **retry_after(fault)}, page.encode(), None)
        status, kind, headers, body = self.perform(req)
        log["code"] = "ok" if status < 400 else str(status)
        if how == "garbage":
            return 200, kind, {}, body[:len(body) // 3] + b"<<{[", None
        ending = how if how in ("drop-after", "truncate") else None
        if how == "delay":
            ending = ("delay", fault["ms"])
        return status, kind, headers, body, ending


def retry_after(fault):
    if not fault or "retry_after" not in fault:
        return {}
    return {"Retry-After": str(fault["retry_after"])}


class Control:
    """What tests ask of the server itself, under /_sim/."""

    def __init__(self, world, handler):
        self.world = world
        self.handler = handler

    def serve(self, method, path, body):
        given = json.loads(body) if body else {}
        name = path[len("/_sim/"):]
        if method == "GET" and name == "state":
            return self.world.report()
        if method == "GET" and name == "requests":
            with self.world.lock:
                return {"requests": list(self.world.requests)}
        call = getattr(self, "do_" + name.replace("-", "_"), None)
        if method != "POST" or call is None:
            raise KeyError(name)
        with self.world.lock:
            return call(given) or {"ok": True}

    def do_scenario(self, given):
        self.world.load(given)

    def do_reset(self, given):
        self.world.reset()

    def do_faults(self, given):
        """Add faults to those of the scenario; "replace": true drops the others first."""
        if isinstance(given, list):
            given = {"faults": given, "replace": True}
        for fault in given["faults"]:
            self.world.check_fault(fault)
        if given.get("replace"):
            self.world.faults.clear()
        self.world.faults += [dict(f, hits=0) for f in given["faults"]]

    def do_capacity(self, given):
        self.world.check({"capacity": given["capacity"]})
        self.world.scenario["capacity"] = given["capacity"]

    def do_quotas(self, given):
        self.world.check({"quotas": given["quotas"]})
        self.world.scenario["quotas"] = given["quotas"]

    def do_forget(self, given):
        """What was asked so far, and what was wrong with it."""
        self.world.requests.clear()
        self.world.violations.clear()

    def do_advance(self, given):
        self.world.advance(float(given["seconds"]))

    def _instances(self, given):
        rows = list(self.world.instances.values())
        if "instance" in given:
            rows = [i for i in rows if i.id == given["instance"]]
        elif "tag" in given:
            key, _, value = given["tag"].partition("=")
            rows = [i for i in rows if i.tags.get(key) == value]
        elif "name" in given:
            rows = [i for i in rows if i.name == given["name"]]
        else:
            raise ValueError("'instance', 'name' or 'tag' (KEY=VALUE) says which")
        if not rows:
            raise ValueError(f"no such instance: {given}")
        return rows

    def do_preempt(self, given):
        rows = [i for i in self._instances(given)
                if "instance" in given or i.state in USED]
        for instance in rows:
            self.world.preempt(instance)
        return {"preempted": [i.id for i in rows]}

    def do_shutdown(self, given):
        for instance in self._instances(given):
            self.world.shut_down_from_inside(instance)

    def do_clock(self, given):
        """What the Date of replies is off by."""
        self.handler.date_offset = int(given["seconds"])

    def do_impostor(self, given):
        if not self.world.machines:
            raise ValueError("the server runs without --sshd")
        self.world.machines.impostor = bool(given["on"])


class Handler(http.server.BaseHTTPRequestHandler):
    """HTTP for Cloud and Control."""

    protocol_version = "HTTP/1.1"
    sys_version = ""
    disable_nagle_algorithm = True
    cloud = None
    control = None
    date_offset = 0

    def date_time_string(self, timestamp=None):
        return super().date_time_string((timestamp or time.time()) + self.date_offset)

    def log_message(self, format, *args):
        pass

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
        if kind:
            self.send_header("Content-Type", kind)
        if status not in (204, 304):
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

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _handle

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
        req = self.cloud.request(self, body)
        latency = self.cloud.world.scenario["latency_ms"]
        if latency:
            self._wait_for_client(latency)
        client = "%s:%d" % self.client_address[:2]
        status, kind, headers, answer, ending, log = self.cloud.serve(req, client)
        if ending == "half-close":
            self.connection.shutdown(socket.SHUT_WR)
        if ending in ("half-close", "hang"):
            self._wait_for_client()
        if ending in ("drop-before", "drop-after", "half-close", "hang"):
            raise Vanish(ending)
        if ending == "truncate":
            log["status"] = status
            self._reply(status, kind, answer, headers, len(answer) // 2)
            raise Vanish(ending)
        if isinstance(ending, tuple):
            self._wait_for_client(ending[1])
        self._reply(status, kind, answer, headers)
        log["status"] = status


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (BrokenPipeError, ConnectionResetError)):
            super().handle_error(request, client_address)


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--port", type=int, default=0, help="0 (the default) chooses one")
    parser.add_argument("--scenario", metavar="FILE", help="JSON; see README.md")
    parser.add_argument("--specs", metavar="DIR", default=os.environ.get("SOUK_SPECS"),
                        help="the clouds' API contracts to hold requests against (SOUK_SPECS)")
    parser.add_argument("--sshd", action="store_true", help="machines get a real sshd")
    parser.add_argument("--ssh-port", type=int, help="where it listens (22 if it can be had)")
    parser.add_argument("--impostor", action="store_true",
                        help="every sshd has another host key than its user data says")
    return parser


class Serving:
    """One cloud that listens. make_cloud(args, scenario, machines) gives the Cloud."""

    def __init__(self, args, make_cloud, scenario=None, control=Control):
        if scenario is None:
            scenario = read_scenario(args.scenario)

        class Own(Handler):
            pass

        self.server = Server(("127.0.0.1", args.port), Own)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.machines = Machines(self.port, args.ssh_port, args.impostor) if args.sshd else None
        try:
            self.cloud = make_cloud(args, scenario, self.machines)
        except Exception:
            self.server.server_close()
            raise
        Own.server_version = self.cloud.name
        Own.cloud, Own.control = self.cloud, control(self.cloud.world, Own)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        if self.machines:
            with self.cloud.world.lock:
                self.machines.close()


def read_scenario(path):
    if not path:
        return {}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def until_stopped():
    """Returns at SIGTERM and SIGINT. To be called before anything that has to be closed is open."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def main(args, make_cloud, control=Control):
    """Serve one cloud until SIGTERM."""
    stop = until_stopped()
    serving = Serving(args, make_cloud, control=control)
    print(f"listening {serving.port}", flush=True)
    stop.wait()
    serving.close()
