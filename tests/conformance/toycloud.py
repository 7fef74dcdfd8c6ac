#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""toycloud.py - the smallest cloud that can be rented from, for the tests of the conformance suite

Lines of text over HTTP: "id type region zone status cluster owner token". It prints "listening PORT".
"""
import http.server
import sys
import threading
import urllib.parse

SECRET = "toy-secret-0123456789"
TYPES = {"toy.small", "toy.big"}


class Cloud:
    def __init__(self):
        self.lock = threading.Lock()
        self.machines = {}
        self.made = 0

    def create(self, query):
        """One request makes all of its machines; a token that is known gives the same ones."""
        if query["type"] not in TYPES:
            return 400, "unknown-type\n"
        count = int(query["count"])
        with self.lock:
            same = [m for m in self.machines.values() if query["idempotent"] == "1"
                    and m["token"] == query["token"] and m["status"] != "ended"]
            if not same:
                for _ in range(count):
                    self.made += 1
                    key = "m-%06d" % self.made
                    self.machines[key] = {
                        "id": key, "type": query["type"], "region": "toyland", "zone": "toyland-1",
                        "status": "pending", "cluster": query["cluster"], "owner": query["owner"],
                        "token": query["token"]}
                    same.append(self.machines[key])
            return 200, self.show(same)

    @staticmethod
    def show(machines):
        keys = ("id", "type", "region", "zone", "status", "cluster", "owner", "token")
        lines = [" ".join(m[k] or "-" for k in keys) for m in machines]
        return "machines %d\n" % len(lines) + "".join(line + "\n" for line in lines)

    def find(self, query):
        with self.lock:
            found = []
            for machine in self.machines.values():
                if machine["status"] == "ended" or any(
                        query.get(k) and machine[k] != query[k] for k in ("owner", "cluster", "token", "id")):
                    continue
                found.append(dict(machine))
                if machine["status"] == "pending":
                    machine["status"] = "running"
            return 200, self.show(found)

    def change(self, query, status):
        with self.lock:
            machine = self.machines.get(query["id"])
            if not machine or machine["status"] == "ended":
                return 404, "no-such-machine\n"
            machine["status"] = status
            return 200, "done\n"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536    # a reply is one write
    cloud = Cloud()

    def log_message(self, *_):
        pass

    def reply(self, status, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_POST(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if url.path == "/_state":
            with self.cloud.lock:
                alive = [m for m in self.cloud.machines.values() if m["status"] != "ended"]
            self.reply(200, "made %d alive %d\n" % (self.cloud.made, len(alive)))
            return
        if self.headers.get("Authorization") != "Bearer " + SECRET:
            self.reply(401, "who-are-you\n")
            return
        calls = {
            "/who": lambda: (200, "account toy-account\n"),
            "/offers": lambda: (200, "offers 2\ntoy.small 1 1024 10000\ntoy.big 8 8192 80000\n"),
            "/create": lambda: self.cloud.create(query),
            "/find": lambda: self.cloud.find(query),
            "/end": lambda: self.cloud.change(query, "ended"),
            "/stop": lambda: self.cloud.change(query, "stopped"),
            "/start": lambda: self.cloud.change(query, "running"),
        }
        if url.path not in calls:
            self.reply(404, "no-such-call\n")
            return
        self.reply(*calls[url.path]())


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client may go away in the midst of it: that is what the tests are for."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def main():
    server = Server(("127.0.0.1", 0), Handler)
    print("listening", server.server_address[1], flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
