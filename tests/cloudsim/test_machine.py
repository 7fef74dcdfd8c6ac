#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_machine.py - instances with a real sshd: first boot, login, shutdown, end, impostor"""

import base64
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from simclient import Sim, encode

HERE = os.path.dirname(os.path.abspath(__file__))
SSHD = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
TOOLS = SSHD and shutil.which("ssh") and shutil.which("ssh-keygen")


@unittest.skipUnless(TOOLS, "OpenSSH is not installed")
class Machine(unittest.TestCase):
    arguments = []

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="souk-machine-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.sim = Sim("--sshd", *self.arguments)
        self.addCleanup(self.sim.stop)
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f",
                            self.path(name)], check=True, stdin=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def user_data(self):
        private = "".join(f"    {line}\n" for line in self.read("host").splitlines())
        return encode("#cloud-config\nssh_deletekeys: true\nssh_keys:\n  ed25519_private: |\n"
                      f"{private}  ed25519_public: {self.read('host.pub')}"
                      f"ssh_authorized_keys:\n  - {self.read('user.pub')}")

    def boot(self, count=1, **more):
        made = self.sim.run(count=count, UserData=self.user_data(), **more)
        self.assertEqual(made.status, 200, made.body)
        return self.wait_until_running()

    def wait_until_running(self):
        """Describe until all instances run; each look passes time, so this ends or fails."""
        waiting = threading.Event()
        for _ in range(600):
            reply = self.sim.describe()
            states = [e.text for e in reply.tree.iterfind(".//{*}instanceState/{*}name")]
            if all(s == "running" for s in states):
                return reply.texts("instanceId"), reply.texts("ipAddress")
            waiting.wait(0.05)
        self.fail(f"the machines do not come up: {states}; {self.sim.state()['instances']}")

    def ssh(self, address, command, stdin=None, user=None):
        with open(self.path("known"), "w", encoding="utf-8") as file:
            file.write(f"{address} {self.read('host.pub')}")
        port = self.sim.state()["instances"][0]["ssh"]["port"]
        relay = f"ProxyCommand={sys.executable} -B {HERE}/machine.py connect %h {port}"
        return subprocess.run(
            ["ssh", "-F", "none", "-i", self.path("user"), "-o", "IdentitiesOnly=yes", "-o",
             f"UserKnownHostsFile={self.path('known')}", "-o", "StrictHostKeyChecking=yes", "-o",
             "BatchMode=yes", "-o", relay, address, command], input=stdin, capture_output=True,
            stdin=subprocess.DEVNULL if stdin is None else None, text=True, timeout=60)

    def record(self, n=0):
        return self.sim.state()["instances"][n]


class Real(Machine):
    arguments = ["--ssh-port", "2222"]

    def test_login_and_home(self):
        _, addresses = self.boot(2)
        self.assertNotEqual(*addresses)
        homes = []
        for address in addresses:
            done = self.ssh(address, "echo \"$HOME\"; pwd; echo err >&2; exit 7")
            self.assertEqual((done.returncode, done.stderr), (7, "err\n"))
            home, here = done.stdout.split()
            self.assertEqual(home, here)
            homes.append(home)
        self.assertNotEqual(*homes)
        self.assertEqual(self.ssh(addresses[0], "cat >f; wc -c <f", "x" * 100000).stdout.strip(),
                         "100000")
        self.assertEqual(self.record()["ssh"]["logins"], 2)

    def test_another_key_is_refused(self):
        _, (address,) = self.boot()
        os.rename(self.path("user"), self.path("real"))
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path("user")],
                       check=True, stdin=subprocess.DEVNULL)
        self.assertEqual(self.ssh(address, "true").returncode, 255)
        self.assertEqual(self.record()["ssh"]["logins"], 0)

    def test_the_end_takes_every_process(self):
        (one,), (address,) = self.boot()
        done = self.ssh(address, "setsid sh -c 'echo $$ >pid; exec env -i sleep 1000' "
                        ">/dev/null 2>&1 </dev/null & while ! [ -s pid ]; do :; done; cat pid")
        pid = int(done.stdout)
        os.kill(pid, 0)
        self.sim.call("TerminateInstances", {"InstanceId.1": one})
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)
        self.assertFalse(os.path.exists(self.record()["ssh"]["folder"]))
        self.assertEqual(self.ssh(address, "true").returncode, 255)

    def test_stop_keeps_the_home(self):
        (one,), (address,) = self.boot()
        self.ssh(address, "echo kept >file")
        self.sim.call("StopInstances", {"InstanceId.1": one})
        self.sim.describe()
        self.sim.describe()
        self.assertEqual(self.record()["state"], "stopped")
        self.sim.call("StartInstances", {"InstanceId.1": one})
        _, (second,) = self.wait_until_running()
        self.assertNotEqual(second, address)
        self.assertEqual(self.ssh(second, "cat file").stdout, "kept\n")

    def test_shutdown_from_inside(self):
        self.boot(InstanceInitiatedShutdownBehavior="terminate")
        address = self.record()["ip"]
        self.ssh(address, "bash -lc 'sudo -n shutdown -h now'; sleep 60")
        self.assertEqual(self.sim.state()["alive"], [])
        self.assertEqual(self.record()["reason"][0], "Client.InstanceInitiatedShutdown")

    def test_nothing_outlives_the_server(self):
        _, (address,) = self.boot()
        done = self.ssh(address, "setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!")
        folder = self.record()["ssh"]["folder"]
        self.assertEqual(self.sim.stop(), 0)
        with self.assertRaises(ProcessLookupError):
            os.kill(int(done.stdout), 0)
        self.assertFalse(os.path.exists(folder))

    def test_console_tells_the_host_key(self):
        (one,), _ = self.boot()
        text = base64.b64decode(self.sim.call("GetConsoleOutput", {"InstanceId": one}).text(
            "output")).decode()
        self.assertIn(self.read("host.pub").split()[1], text)


class Impostor(Machine):
    arguments = ["--ssh-port", "2222", "--impostor"]

    def test_verified_connection_gives_nothing_away(self):
        _, (address,) = self.boot()
        done = self.ssh(address, "true")
        self.assertEqual(done.returncode, 255)
        self.assertIn("verification failed", done.stderr)
        seen = self.record()["ssh"]
        self.assertEqual((seen["auth_attempts"], seen["logins"]), (0, 0))
        self.assertGreater(seen["connections"], 0)

    def test_careless_connection_is_seen(self):
        _, (address,) = self.boot()
        shutil.copy(os.path.join(self.record()["ssh"]["folder"], "host_key.pub"),
                    self.path("host.pub"))
        self.assertEqual(self.ssh(address, "true").returncode, 0)
        seen = self.record()["ssh"]
        self.assertGreater(seen["auth_attempts"], 0)
        self.assertEqual(seen["logins"], 1)


@unittest.skipUnless(os.geteuid() == 0, "port 22 of a loopback address needs root")
class PortTwentyTwo(Machine):
    def test_port_22(self):
        _, (address,) = self.boot()
        port = self.record()["ssh"]["port"]
        if port != 22:
            self.skipTest("something else listens on port 22 of every address")
        self.assertEqual(self.ssh(address, "echo yes").stdout, "yes\n")


if __name__ == "__main__":
    unittest.main()
