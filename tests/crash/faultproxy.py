#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""faultproxy.py - stands before an HTTP endpoint and, at one request, kills or cheats the client"""

import argparse
import http.client
import http.server
import json
import os
import re
import select
import signal
import socket
import sys
import threading
import urllib.parse

KINDS = ("kill-before", "kill-after", "drop-before", "drop-after", "repeat", "late", "error-503",
         "truncate", "after-502")
BODY_MAX = 4 << 20
HOP_BY_HOP = ("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
              "content-length")
_SCOPE = re.compile(r"Credential=[^/,]+/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")


# ---- Who is on the other end ----------------------------------------------------------------


def _hex_address(address):
    host, port = address
    return "%08X:%04X" % (int.from_bytes(socket.inet_aton(host), sys.byteorder), port)


def socket_inode(client, server):
    """The inode of the client's end of a loopback connection, or None."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        for line in file:
            fields = line.split()
            if fields[1:3] == [_hex_address(client), _hex_address(server)]:
                return fields[9]
    return None


def holders(inode):
    """The processes that hold the socket of this inode."""
    want, found = f"socket:[{inode}]", []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            fds = os.listdir(f"/proc/{entry}/fd")
            if any(_link(f"/proc/{entry}/fd/{fd}") == want for fd in fds):
                found.append(int(entry))
        except OSError:
            continue
    return found


def _link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ""


# ---- What is to happen, and what has happened --------------------------------------------------


class Plan:
    """The fault in force, the count of requests, and the log. Thread-safe."""

    def __init__(self, log_path=None):
        self.lock = threading.Lock()
        self.log_path = log_path
        self.clear()

    def clear(self):
        with self.lock:
            self.count, self.at, self.kind, self.ms, self.action = 0, 0, None, 1000, None
            self.fired = None
            self.log = []

    def arm(self, given):
        unknown = set(given) - {"at", "do", "ms", "action"}
        if unknown or given.get("do") not in KINDS:
            raise ValueError(f"takes at, do, ms, action; do is one of {', '.join(KINDS)}")
        with self.lock:
            self.at, self.kind = int(given.get("at", 1)), given["do"]
            self.ms, self.action = int(given.get("ms", 1000)), given.get("action")
            self.count, self.fired, self.log = 0, None, []

    def next(self, entry):
        """Number a request; its fault, if this is the one. With 'action', only those count."""
        with self.lock:
            entry["n"] = len(self.log) + 1
            self.log.append(entry)
            if self.action in (None, entry["action"]):
                self.count += 1
                if self.kind and self.count == self.at and not self.fired:
                    self.fired = entry
                    entry["fault"] = self.kind
                    return self.kind
        return None

    def done(self, entry):
        if self.log_path:
            with self.lock, open(self.log_path, "a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")

    def report(self):
        with self.lock:
            return {"count": len(self.log), "at": self.at, "do": self.kind, "fired": self.fired,
                    "log": list(self.log)}


def describe(method, headers, path, body):
    """What a request is, for the log: never its signature or its data."""
    scope = _SCOPE.search(headers.get("Authorization", ""))
    action = headers.get("X-Amz-Target", "").rpartition(".")[2]
    if not action:
        parts = urllib.parse.urlsplit(path)
        text = body.decode("utf-8", "replace") if body else parts.query
        action = dict(urllib.parse.parse_qsl(text)).get("Action", f"{method} {parts.path}")
    return {"action": action, "region": scope.group(1) if scope else "",
            "service": scope.group(2) if scope else ""}


# ---- HTTP --------------------------------------------------------------------------------------


class Gone(Exception):
    """Close the client's connection without another byte."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    plan = None
    upstream = None
    pid_file = None
    label = None        # of the upstream, in the log

    def log_message(self, format, *args):
        pass

    def _handle(self):
        try:
            size = int(self.headers.get("Content-Length", "0"))
            if not 0 <= size <= BODY_MAX:
                raise Gone
            body = self.rfile.read(size)
            if len(body) < size:
                raise Gone
            if self.path == "/_fault":
                self._control(body)
            else:
                self._proxy(body)
        except (Gone, ConnectionError, ValueError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _handle

    def _control(self, body):
        status, value = 200, None
        try:
            if self.command == "POST":
                self.plan.arm(json.loads(body))
            elif self.command == "DELETE":
                self.plan.clear()
            value = self.plan.report()
        except (ValueError, TypeError) as error:
            status, value = 400, {"error": str(error)}
        self._send(status, [("Content-Type", "application/json")], json.dumps(value).encode())

    def _proxy(self, body):
        entry = describe(self.command, self.headers, self.path, body)
        if self.label:
            entry["cloud"] = self.label
        kind = self.plan.next(entry)
        try:
            self._faulty(kind, body, entry)
        except Gone:
            entry.setdefault("status", 0)
            raise
        finally:
            self.plan.done(entry)

    def _faulty(self, kind, body, entry):
        if kind == "kill-before":
            self._kill(entry)
        if kind == "drop-before":
            raise Gone
        if kind == "error-503":
            entry["status"] = 503
            self._send(503, [("Content-Type", "text/html")], b"<h1>503 Service Unavailable</h1>\n")
            return
        status, headers, data = self._forward(body)
        entry["status"] = status
        if kind == "repeat":
            entry["second"] = self._forward(body)[0]
        elif kind == "kill-after":
            self._kill(entry)
        elif kind == "drop-after":
            raise Gone
        elif kind == "after-502":
            entry["status"] = 502
            self._send(502, [("Content-Type", "text/html")], b"<h1>502 Bad Gateway</h1>\n")
            return
        elif kind == "late":
            self._hold(entry)
        self._send(status, headers, data, len(data) // 2 if kind == "truncate" else None)
        if kind == "truncate":
            raise Gone

    def _forward(self, body):
        """The request as it came, Host and signature included."""
        connection = http.client.HTTPConnection(*self.upstream, timeout=120)
        try:
            connection.putrequest(self.command, self.path, skip_host=True,
                                  skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP and name.lower() != "expect":
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.putheader("Connection", "close")
            connection.endheaders(body)
            reply = connection.getresponse()
            return reply.status, reply.getheaders(), reply.read()
        except (OSError, http.client.HTTPException) as error:
            return 502, [("Content-Type", "text/plain")], f"upstream: {error}\n".encode()
        finally:
            connection.close()

    def _send(self, status, headers, data, cut=None):
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data if cut is None else data[:cut])
        self.wfile.flush()

    def _wait_for_close(self, ms):
        """True when the client's end is closed, false after 'ms'."""
        poll = select.poll()
        poll.register(self.connection, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
        return bool(poll.poll(ms))

    def _hold(self, entry):
        if self._wait_for_close(self.plan.ms):
            entry["gave_up"] = True
            raise Gone

    def _kill(self, entry):
        """kill -9 whoever sent this request; then wait until the kernel has closed its socket."""
        if self.pid_file:
            with open(self.pid_file, encoding="ascii") as file:
                pids = [int(file.read())]
        else:
            inode = socket_inode(self.client_address[:2], self.connection.getsockname()[:2])
            pids = holders(inode) if inode else []
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        entry["killed"] = pids
        if not self._wait_for_close(10000):
            entry["kill_failed"] = True
        raise Gone


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def address(url):
    """(host, port) of http://HOST:PORT; ValueError if it is none."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or not parts.port:
        raise ValueError(f"'{url}' is not http://HOST:PORT")
    return parts.hostname, parts.port


def start(upstream, plan, label=None, port=0, pid_file=None):
    """Serve in threads of this process: the server. Several may share a plan."""
    class Own(Handler):
        pass

    Own.plan, Own.upstream, Own.label, Own.pid_file = plan, address(upstream), label, pid_file
    server = Server(("127.0.0.1", port), Own)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def main():
    parser = argparse.ArgumentParser(description="An HTTP endpoint that fails on purpose.")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) chooses one")
    parser.add_argument("--upstream", required=True, metavar="URL", help="http://127.0.0.1:PORT")
    parser.add_argument("--log", metavar="FILE", help="append a JSON line for each request")
    parser.add_argument("--pid-file", metavar="FILE", help="whom to kill, instead of the sender")
    parser.add_argument("--at", type=int, default=0, metavar="N", help="the request to fail at")
    parser.add_argument("--do", choices=KINDS, help="what happens there")
    parser.add_argument("--ms", type=int, default=1000, help="how long 'late' holds a reply")
    args = parser.parse_args()
    plan = Plan(args.log)
    if args.do:
        plan.arm({"at": args.at, "do": args.do, "ms": args.ms})
    try:
        server = start(args.upstream, plan, None, args.port, args.pid_file)
    except ValueError as error:
        parser.error(f"--upstream: {error}")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print(f"listening {server.server_address[1]}", flush=True)
    stop.wait()
    server.shutdown()


if __name__ == "__main__":
    main()
