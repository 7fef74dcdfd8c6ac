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
import traceback
import urllib.parse

sys.dont_write_bytecode = True

from machine import Machines
from simworld import SimError

BODY_MAX = 16 << 20


class Vanish(Exception):
    """Close the connection without a reply."""


class Request:
    """One call on its way through the server. A cloud's read() sets action, region and log."""

    def __init__(self, handler, body):
        parts = urllib.parse.urlsplit(handler.path)
        self.method, self.path, self.query, self.body = (handler.command, parts.path,
                                                         parts.query, body)
        self.params = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.headers = {k.lower(): v for k, v in handler.headers.items()}
        self.action = ""
        self.region = ""
        self.note = {}      # what the request log tells besides; never a secret
        self.number = 0

    def json(self):
        """The body as JSON; SimError if it is none."""
        try:
            return json.loads(self.body) if self.body else {}
        except ValueError as error:
            raise SimError("invalid", f"the body is no JSON: {error}", 400) from None


class Cloud:
    """Answers requests. All methods are called under the lock of the world."""

    name = "cloud"

    def __init__(self, world):
        self.world = world

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

    def serve(self, req, client):
        with self.world.lock:
            req.number = len(self.world.requests) + 1
            log = {"n": req.number, "client": client, "at": self.world.now(),
                   "method": req.method, "path": req.path}
            self.world.requests.append(log)
            status, kind, headers, body, ending = self._decide(req, log)
            log["status"] = status
            return status, kind, headers, body, ending

    def _decide(self, req, log):
        fault = None
        try:
            try:
                self.read(req)
            finally:
                log.update(action=req.action, region=req.region, **req.note)
            self.authenticate(req)
            fault = self.world.fault(req.action, region=req.region)
            how = fault.get("do", "error") if fault else None
            if how:
                log["fault"] = how
            if how == "error":
                raise self.fault_error(fault)
            if how in ("drop-before", "half-close", "hang"):
                return 0, "", {}, b"", how
            if how == "unavailable":
                return (fault.get("status", 503), "text/html", retry_after(fault),
                        b"<html><body><h1>503 Service Unavailable</h1></body></html>\n", None)
            status, kind, headers, body = self.perform(req)
            log["code"] = "ok"
            ending = how if how in ("drop-after", "truncate") else None
            if how == "delay":
                ending = ("delay", fault["ms"])
            return status, kind, headers, body, ending
        except SimError as error:
            log["code"] = error.code
            kind, body = self.error(req, error)
            return error.status, kind, {**error.headers, **retry_after(fault)}, body, None
        except Exception:  # a bug of this server must not look like an answer of the cloud
            traceback.print_exc()
            log["code"] = "SimulatorBug"
            return 501, "text/plain", {}, traceback.format_exc().encode(), None


def retry_after(fault):
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
        self.world.load(given)

    def do_reset(self, given):
        self.world.reset()

    def do_faults(self, given):
        """Add faults to those of the scenario; "replace": true drops the others first."""
        for fault in given["faults"]:
            self.world.check_fault(fault)
        if given.get("replace"):
            self.world.faults.clear()
        self.world.faults += [dict(f, hits=0) for f in given["faults"]]

    def do_capacity(self, given):
        self.world.check({"capacity": given["capacity"]})
        self.world.scenario["capacity"] = given["capacity"]

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
        if status != 204:
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


def main(description, make_cloud):
    """Serve until SIGTERM. make_cloud(args, scenario, machines) gives the Cloud."""
    args = arguments(description).parse_args()
    scenario = {}
    if args.scenario:
        with open(args.scenario, encoding="utf-8") as file:
            scenario = json.load(file)

    class Own(Handler):
        pass

    server = Server(("127.0.0.1", args.port), Own)
    port = server.server_address[1]
    machines = Machines(port, args.ssh_port, args.impostor) if args.sshd else None
    cloud = make_cloud(args, scenario, machines)
    Own.cloud, Own.control = cloud, Control(cloud.world)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"listening {port}", flush=True)
    stop.wait()
    server.shutdown()
    if machines:
        with cloud.world.lock:
            machines.close()
