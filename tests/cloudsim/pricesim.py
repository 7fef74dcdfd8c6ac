# SPDX-License-Identifier: Apache-2.0
"""pricesim.py - what the price servers of the tests share: routes, faults on request, a log

A server of a cloud makes a Sim, adds its routes with @sim.route(METHOD, PATTERN), and calls
sim.main(). Pattern is a regular expression over the path; the function gets a Request and returns
(status, headers, body): a body that is not bytes or text is sent as JSON.

Faults are given by --faults JSON or POST /_sim/faults: a list of
{"path": REGEX, "after": N, "times": N, "do": "STATUS"|"garbage"|"cut"|"drop"|"slow", ...} that
hold requests number after+1 .. after+times of that path (times -1: for ever). "status" has
"status", "body" and "headers"; "slow" has "ms". GET /_sim/requests tells what was asked.
"""
import argparse
import hashlib
import http.server
import json
import re
import socket
import sys
import threading
import time
import urllib.parse


class Request:
    def __init__(self, handler, body):
        parts = urllib.parse.urlsplit(handler.path)
        self.method = handler.command
        self.path = parts.path
        self.target = handler.path
        self.query = {k: v[-1] for k, v in
                      urllib.parse.parse_qs(parts.query, keep_blank_values=True).items()}
        self.headers = {k.lower(): v for k, v in handler.headers.items()}
        self.body = body
        self.match = None

    def json(self):
        return json.loads(self.body or b"null")


class Sim:
    def __init__(self, name):
        self.name = name
        self.routes = []
        self.faults = []
        self.requests = []
        self.lock = threading.Lock()
        self.on_listen = None
        self.options = argparse.ArgumentParser(description=name)
        self.options.add_argument("--port", type=int, default=0)
        self.options.add_argument("--faults", default="[]")
        self.options.add_argument("--no-etag", action="store_true")
        self.args = None

    def route(self, method, pattern):
        def add(function):
            self.routes.append((method, re.compile(pattern + r"\Z"), function))
            return function
        return add

    def set_faults(self, text):
        self.faults = [dict(fault, seen=0) for fault in json.loads(text)]

    def fault_of(self, request):
        with self.lock:
            for fault in self.faults:
                if not re.search(fault["path"], request.target):
                    continue
                fault["seen"] += 1
                first = fault.get("after", 0)
                times = fault.get("times", 1)
                if fault["seen"] > first and (times < 0 or fault["seen"] <= first + times):
                    return fault
        return None

    def serve(self, request):
        for method, pattern, function in self.routes:
            request.match = pattern.match(request.path)
            if request.match and method == request.method:
                return function(request)
        return 404, {}, {"error": f"no such thing: {request.method} {request.path}"}

    def main(self):
        self.args = self.options.parse_args()
        self.set_faults(self.args.faults)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", self.args.port),
                                                 make_handler(self))
        server.daemon_threads = True
        if self.on_listen:
            self.on_listen(server.server_address[1])
        print(f"listening {server.server_address[1]}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            sys.exit(0)


def make_handler(sim):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format, *args):
            pass

        def reply(self, status, headers, body, cut=False):
            if not isinstance(body, (bytes, str)):
                headers = {"Content-Type": "application/json", **headers}
                body = json.dumps(body)
            if isinstance(body, str):
                body = body.encode()
            if status == 200 and self.command == "GET" and not sim.args.no_etag:
                etag = '"' + hashlib.sha256(body).hexdigest()[:24] + '"'
                headers = {"ETag": etag, **headers}
                if self.headers.get("If-None-Match") == etag:
                    status, body = 304, b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:len(body) // 2] if cut else body)
            if cut:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            return status

        def control(self, body):
            if self.path == "/_sim/faults":
                sim.set_faults(body.decode())
            elif self.path == "/_sim/forget":
                sim.requests.clear()
            with sim.lock:
                self.reply(200, {}, {"requests": list(sim.requests)})

        def handle_one(self):
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size) if size else b""
            if self.path.startswith("/_sim/"):
                return self.control(body)
            request = Request(self, body)
            entry = {"method": request.method, "target": request.target, "status": 0,
                     "conditional": "if-none-match" in request.headers}
            with sim.lock:
                sim.requests.append(entry)
            fault = sim.fault_of(request)
            kind = fault["do"] if fault else ""
            if kind == "drop":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return None
            if kind == "slow":
                time.sleep(fault.get("ms", 1000) / 1000)
            if kind == "status":
                status, headers, answer = (fault["status"], fault.get("headers", {}),
                                           fault.get("body", ""))
            elif kind == "garbage":
                status, headers, answer = 200, {}, '{"this is": [not what was asked'
            else:
                status, headers, answer = sim.serve(request)
            entry["status"] = self.reply(status, dict(headers), answer, cut=kind == "cut")
            return None

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_one

    return Handler
