# SPDX-License-Identifier: Apache-2.0
"""workbench.py - simulated clouds behind a proxy that can kill, and a souk with a home of its own

What scenario-test.py, known-leaks.py and ../crash/crash-test.py have in common.
"""

import getpass
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
CLOUDSIM = os.path.join(os.path.dirname(HERE), "cloudsim")
CRASH = os.path.join(os.path.dirname(HERE), "crash")
sys.path[:0] = [CLOUDSIM, CRASH]

import faultproxy

ALL = ("aws", "gcp", "azure", "runpod", "lambda")
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS",
        "TSAN_OPTIONS", "USER", "LOGNAME", "SHELL", "SOUK_PROVIDER_PATH")
# Requests that the simulator could not take: a gap in it, or a client that is wrong.
BUGS = ("SimulatorBug", "NotModelled", "ContractViolation", "UnknownParameter", "MissingParameter",
        "InvalidAction", "IdempotentParameterMismatch", "SignatureDoesNotMatch")


class Trouble(Exception):
    """The test cannot be run at all."""


# where a launch of the tests goes, and the calls that make and end a machine, in a proxy's log
WHERE = {
    "aws": "--infra aws/us-east-1 --instance-type m5.large",
    "gcp": "--infra gcp/us-central1 --instance-type e2-standard-4",
    "azure": "--infra azure/eastus --instance-type Standard_D2s_v5",
    "runpod": "--infra runpod --instance-type cpu5c-4-8",
    "lambda": "--infra lambda/us-west-1 --instance-type gpu_1x_a10",
}
CREATES = {
    "aws": r"^RunInstances$", "gcp": r"^POST .*/zones/[^/]+/instances$",
    "azure": r"^PUT .*/virtual[Mm]achines/[^/]+$", "runpod": r"^POST .*/pods$",
    "lambda": r"^POST .*/instance-operations/launch$",
}
ENDS = {
    "aws": r"^TerminateInstances$", "gcp": r"^DELETE .*/instances/[^/]+$",
    "azure": r"^DELETE .*/resource[Gg]roups/[^/]+$", "runpod": r"^DELETE .*/pods/[^/]+$",
    "lambda": r"^POST .*/instance-operations/terminate$",
}


def plain(one):
    """An id without what clouds and souk write differently: case, and the zone before a name."""
    one = one.lower()
    return one if one.startswith("/") else one.rpartition("/")[2]


def matches(pattern, action):
    return re.search(pattern, action) is not None


def http(method, url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return json.loads(reply.read() or b"null")
    except urllib.error.HTTPError as error:
        raise Trouble(f"{method} {url}: {error.code}: {error.read(2000)!r}") from None


class Child:
    """A server of ours that says on a line of stdout when it can be used."""

    def __init__(self, argv, log, ready=r"^listening (\d+)$"):
        self.log = open(log, "ab")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, start_new_session=True)
        self.ready = self._wait(ready, argv)
        threading.Thread(target=self._drain, daemon=True).start()

    @property
    def port(self):
        return int(self.ready)

    def _wait(self, ready, argv):
        for line in self.process.stdout:
            self.log.write(line)
            match = re.search(ready, line.decode("utf-8", "replace"))
            if match:
                return match.group(1)
        raise Trouble(f"'{shlex.join(argv)}' did not start; see {self.log.name}")

    def _drain(self):
        for line in self.process.stdout:
            self.log.write(line)
            self.log.flush()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Clouds:
    """cloudsim.py with all its clouds, each behind a proxy; one plan counts the requests of all."""

    program = os.path.join(CLOUDSIM, "cloudsim.py")

    def __init__(self, folder, names=ALL, arguments=("--sshd",)):
        argv = [sys.executable, "-B", self.program, "--clouds", ",".join(names), "--env",
                os.path.join(folder, "env"), *arguments]
        self.folder = folder
        self.child = Child(argv, os.path.join(folder, "cloudsim.log"), r"^(\{.*\})$")
        self.urls = json.loads(self.child.ready)
        self.names = [name for name in names if name in self.urls]
        self.plan = faultproxy.Plan()
        self.proxied = False        # stand between also when nothing is armed, to count
        self.proxies = {name: faultproxy.start(self.urls[name], self.plan, name)
                        for name in self.names}
        self.ssh_port = self.state(self.names[0])["ssh_port"]
        self.exports = self._exports(os.path.join(folder, "env", "env"))

    def stop(self):
        for proxy in self.proxies.values():
            proxy.shutdown()
            proxy.server_close()
        self.child.stop()

    def post(self, name, what, given):
        return http("POST", f"{self.urls[name]}/_sim/{what}", given)

    def state(self, name):
        return http("GET", f"{self.urls[name]}/_sim/state")

    @staticmethod
    def _exports(path):
        out = {}
        with open(path, encoding="utf-8") as file:
            for line in file:
                name, _, value = line.removeprefix("export ").strip().partition("=")
                out[name] = shlex.split(value)[0] if value else ""
        return out

    def _by_proxy(self, name, value):
        """A value of the environment, if it is an endpoint, or a file of ours that names one."""
        own = f"http://127.0.0.1:{self.proxies[name].server_address[1]}"
        if value == self.urls[name]:
            return own
        if not value.startswith(self.folder + os.sep) or not os.path.isfile(value):
            return value
        with open(value, encoding="utf-8") as file:
            text = file.read()
        if self.urls[name] not in text:
            return value
        with open(value + ".by-proxy", "w", encoding="utf-8") as file:
            file.write(text.replace(self.urls[name], own))
        return value + ".by-proxy"

    def environment(self):
        """
        What souk needs to take the simulators for the clouds. The proxies stand between only
        when one of their faults is armed: those of the simulators are the better ones.
        """
        env = {"NO_GCE_CHECK": "true", "AWS_EC2_METADATA_DISABLED": "true",
               "AWS_REGION": "us-east-1", "SOUK_AZURE_REGION": "eastus,swedencentral",
               "SOUK_LAMBDA_REQUEST_MS": "0", "SOUK_LAMBDA_LAUNCH_MS": "0", **self.exports}
        if self.proxied or self.plan.kind:
            for name in self.names:
                env = {k: self._by_proxy(name, v) for k, v in env.items()}
        for name in self.names:
            if name != "runpod":            # where one logs in as root, by a port of the pod's own
                env[f"SOUK_{name.upper()}_IMAGE_USER"] = getpass.getuser()
                if self.ssh_port not in (None, 22):
                    env[f"SOUK_{name.upper()}_PROXY_COMMAND"] = (
                        f"{sys.executable} {os.path.join(CLOUDSIM, 'machine.py')} connect %h "
                        f"{self.ssh_port}")
        return env


class Home:
    """souk with a SOUK_HOME of its own; everything that it said."""

    def __init__(self, command, path, timeout):
        self.command, self.path, self.timeout = command, path, timeout
        self.said = []

    def fresh(self):
        self.sweep()
        shutil.rmtree(self.path, ignore_errors=True)
        os.makedirs(self.path, 0o700)
        self.said = []

    def environment(self, env, more):
        out = {k: os.environ[k] for k in KEPT if k in os.environ}
        out.update(HOME=self.path, SOUK_HOME=os.path.join(self.path, "souk"), NO_COLOR="1")
        out.update(env)
        out.update(more)
        return out

    def run(self, argv, env, **more):
        """Run souk; (exit status, stdout, stderr), the status negative if a signal ended it."""
        # files, not pipes: what a killed launch leaves behind would hold a pipe open
        names = [os.path.join(self.path, name) for name in ("stdout", "stderr")]
        begun = time.monotonic()
        with open(names[0], "wb") as out, open(names[1], "wb") as err:
            process = subprocess.Popen(
                self.command + argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                start_new_session=True, cwd=self.path, env=self.environment(env, more))
            try:
                status, note = process.wait(self.timeout), ""
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                status, note = -signal.SIGALRM, f"\n(ended by the test after {self.timeout} s)"
        if status == 128 + signal.SIGKILL:      # by way of a shell
            status = -signal.SIGKILL
        texts = []
        for name in names:
            with open(name, encoding="utf-8", errors="replace") as file:
                texts.append(file.read(1 << 20))
        self.said.append(f"$ souk {shlex.join(argv)}\n{texts[0]}{texts[1]}{note}[exit {status}, "
                         f"{time.monotonic() - begun:.1f} s]")
        return status, texts[0], texts[1] + note

    def sweep(self):
        """End what earlier commands have left running: whatever has this SOUK_HOME."""
        mark = f"SOUK_HOME={os.path.join(self.path, 'souk')}".encode()
        for entry in os.listdir("/proc"):
            try:
                with open(f"/proc/{entry}/environ", "rb") as file:
                    if mark in file.read().split(b"\0"):
                        os.kill(int(entry), signal.SIGKILL)
            except (OSError, ValueError):
                continue


def command(text, parser):
    """The --souk of a command line, split, with its program found."""
    words = shlex.split(text)
    if not words or shutil.which(words[0]) is None:
        parser.error(f"no command '{text}': give --souk or SOUK")
    return [os.path.abspath(shutil.which(words[0])), *words[1:]]
