#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_crash.py - the crash test itself: that it passes the careful and catches the careless"""

import http.client
import http.server
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
CC = shlex.split(os.environ.get("CC", "cc"))
MOTO = importlib.util.find_spec("moto")
CLIENT = """import http.client, sys
c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1]), timeout=20)
c.request('POST', '/', b'Action=X')
r = c.getresponse()
print(r.status, len(r.read()))
"""


class Upstream(http.server.BaseHTTPRequestHandler):
    """Counts what arrives, and answers ten bytes."""

    seen = []

    def log_message(self, format, *args):
        pass

    def do_POST(self):
        self.seen.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"0123456789")


class Proxy(unittest.TestCase):
    def setUp(self):
        Upstream.seen.clear()
        self.upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        self.addCleanup(self.upstream.server_close)
        threading.Thread(target=self.upstream.serve_forever, daemon=True).start()
        self.addCleanup(self.upstream.shutdown)
        self.proxy = subprocess.Popen(
            [sys.executable, "-B", os.path.join(HERE, "faultproxy.py"), "--upstream",
             f"http://127.0.0.1:{self.upstream.server_port}"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.proxy.stdout.close)
        self.addCleanup(self.proxy.wait)
        self.addCleanup(self.proxy.terminate)
        self.port = int(self.proxy.stdout.readline().split()[1])

    def control(self, given=None):
        data = None if given is None else json.dumps(given).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/_fault", data) as reply:
            return json.loads(reply.read())

    def client(self):
        done = subprocess.run([sys.executable, "-c", CLIENT, str(self.port)], text=True,
                              capture_output=True, timeout=60)
        error = done.stderr.strip().rpartition("\n")[2]
        return done.returncode, done.stdout.strip(), re.split("[:(]", error)[0]

    def test_every_fault(self):
        lost = "http.client.RemoteDisconnected"
        cases = {"kill-before": (-9, "", "", 0), "kill-after": (-9, "", "", 1),
                 "drop-before": (1, "", lost, 0), "drop-after": (1, "", lost, 1),
                 "repeat": (0, "200 10", "", 2), "late": (0, "200 10", "", 1),
                 "error-503": (0, "503 33", "", 0),
                 "truncate": (1, "", "http.client.IncompleteRead", 1)}
        for kind, (status, out, error, arrived) in cases.items():
            with self.subTest(kind=kind):
                Upstream.seen.clear()
                self.control({"at": 2, "do": kind, "ms": 50})
                self.assertEqual(self.client(), (0, "200 10", ""))
                self.assertEqual(self.client(), (status, out, error))
                self.assertEqual(len(Upstream.seen), 1 + arrived)
                report = self.control()
                self.assertEqual((report["count"], report["fired"]["n"]), (2, 2))
                self.assertEqual(report["log"][0]["action"], "X")

    def test_late_ends_when_the_client_gives_up(self):
        self.control({"at": 1, "do": "late", "ms": 600000})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=0.3)
        connection.request("POST", "/", b"Action=X")
        with self.assertRaises(TimeoutError):
            connection.getresponse()
        connection.close()
        self.assertEqual(self.client(), (0, "200 10", ""))
        self.assertEqual(len(Upstream.seen), 2)


@unittest.skipUnless(shutil.which(CC[0]), "no C compiler")
class KillSync(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="souk-killsync-")
        cls.library = os.path.join(cls.folder, "killsync.so")
        subprocess.run([*CC, "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                        os.path.join(HERE, "killsync.c"), "-o", cls.library, "-ldl"], check=True)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def run_sync(self, program="sync", argv=("sync",), **more):
        files = [os.path.join(self.folder, name) for name in "abc"]
        for name in files:
            with open(name, "w", encoding="ascii"):
                pass
        count = os.path.join(self.folder, "count")
        with open(count, "w", encoding="ascii"):
            pass
        env = dict(os.environ, LD_PRELOAD=self.library, SOUK_KILLSYNC_PROGRAM=program,
                   SOUK_KILLSYNC_COUNT=count, **more)
        status = subprocess.run([*argv, *files], env=env, stderr=subprocess.PIPE).returncode
        with open(count, encoding="ascii") as file:
            return status, [line.split()[0] for line in file]

    def test_counts(self):
        self.assertEqual(self.run_sync(), (0, ["1", "2", "3"]))
        self.assertEqual(self.run_sync("other,sync"), (0, ["1", "2", "3"]))

    def test_kills(self):
        self.assertEqual(self.run_sync(SOUK_KILLSYNC_AT="2"), (-9, ["1", "2"]))
        self.assertEqual(self.run_sync(SOUK_KILLSYNC_AT="3:after"), (-9, ["1", "2", "3"]))
        self.assertEqual(self.run_sync(SOUK_KILLSYNC_AT="4"), (0, ["1", "2", "3"]))

    def test_leaves_others_alone(self):
        self.assertEqual(self.run_sync("souk", SOUK_KILLSYNC_AT="1"), (0, []))

    def test_refuses_nonsense(self):
        for text in ("0", "x", "1:later", "-1", ""):
            with self.subTest(text=text):
                self.assertEqual(self.run_sync(SOUK_KILLSYNC_AT=text)[0], -6)

    def test_rename(self):
        def move(at, **more):
            with open(os.path.join(self.folder, "from"), "w", encoding="ascii"):
                pass
            target = os.path.join(self.folder, "to")
            if os.path.exists(target):
                os.unlink(target)
            env = dict(os.environ, LD_PRELOAD=self.library, SOUK_KILLSYNC_PROGRAM="python-x",
                       SOUK_KILLSYNC_AT=at, **more)
            name = os.path.join(self.folder, "python-x")
            if not os.path.exists(name):
                os.symlink(sys.executable, name)
            done = subprocess.run([name, "-c", "import os, sys; os.rename(*sys.argv[1:])",
                                   os.path.join(self.folder, "from"), target], env=env)
            return done.returncode, os.path.exists(target)
        self.assertEqual(move("1"), (0, True))
        self.assertEqual(move("1", SOUK_KILLSYNC_RENAME="1"), (-9, False))
        self.assertEqual(move("1:after", SOUK_KILLSYNC_RENAME="1"), (-9, True))


@unittest.skipUnless(shutil.which(CC[0]), "no C compiler")
class Driver(unittest.TestCase):
    def drive(self, mode, *more):
        done = subprocess.run(
            [sys.executable, "-B", os.path.join(HERE, "crash-test.py"), "--souk",
             f"{sys.executable} -B {os.path.join(HERE, 'imitation.py')}", "--program",
             os.path.basename(sys.executable), "--env", f"IMITATION={mode}", "--server-args=",
             *more], text=True, capture_output=True, timeout=600)
        failed = re.findall(r"^failed: (\S+)", done.stdout, re.MULTILINE)
        return done.returncode, failed, done.stdout + done.stderr

    def test_careful(self):
        status, failed, said = self.drive("careful")
        self.assertEqual((status, failed), (0, []), said)
        self.assertIn("not reached: 0; failed: 0", said)

    def test_no_intent(self):
        status, failed, said = self.drive("no-intent", "--only", "kill|sync|repeat")
        self.assertEqual(status, 1, said)
        self.assertIn("request:kill-after@2", failed)
        self.assertNotIn("request:kill-before@2", failed)
        self.assertNotIn("request:repeat@2", failed)
        self.assertIn("sync:before@1", failed)
        self.assertIn("LEAKED", said)

    def test_no_token(self):
        status, failed, said = self.drive("no-token", "--only", "request")
        self.assertEqual((status, sorted(failed)),
                         (1, ["request:drop-after@2", "request:repeat@2"]), said)

    @unittest.skipUnless(MOTO, "moto is not installed")
    def test_moto(self):
        status, failed, said = self.drive("careful", "--server", "moto", "--only", "@2$")
        self.assertEqual((status, failed), (0, []), said)
        status, failed, said = self.drive("forgetful", "--server", "moto", "--only", "repeat@2$")
        self.assertEqual((status, failed), (1, ["request:repeat@2"]), said)

    def test_broken_from_the_start(self):
        status, _, said = self.drive("careful", "--launch", "nothing")
        self.assertEqual(status, 2, said)
        self.assertIn("it left no machine running", said)

    def test_list_and_sample(self):
        _, _, whole = self.drive("careful", "--list")
        self.assertRegex(whole, r"request:kill-after@2 \(RunInstances\)")
        _, _, one = self.drive("careful", "--list", "--sample", "3", "--seed", "7")
        _, _, two = self.drive("careful", "--list", "--sample", "3", "--seed", "7")
        self.assertEqual(one, two)
        self.assertEqual(len(re.findall("@", one)), 3)


if __name__ == "__main__":
    unittest.main()
