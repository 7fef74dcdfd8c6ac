#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""crash-test.py - kills a launch at every request and every sync to disk, and counts machines

One clean launch counts the requests and the syncs. Then each crash point gets an empty cloud
and an empty SOUK_HOME: the launch runs and is killed or cheated at that point, 'souk status
--refresh' settles what is open, and the machines that the cloud holds must be those that the
store knows. The same launch again must end well and make no further machine, and 'souk down -a'
must leave none.
"""

import argparse
import collections
import contextlib
import json
import os
import queue
import random
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "scenarios"))

import workbench
from workbench import Trouble, plain

import awswire
import faultproxy

REQUEST_KINDS = ("kill-before", "kill-after", "drop-before", "drop-after", "repeat", "late",
                 "error-503")
SYNC_KINDS = ("before", "after")
# the first zone or region of each is sold out, so that failing over is under test too
DEFAULT_SERVER_ARGS = ["--sshd", "--scenario", os.path.join(HERE, "failover.json")]

Point = collections.namedtuple("Point", "kind number")


# ---- Servers ------------------------------------------------------------------------------------


class Simulated:
    """A cloud of tests/cloudsim"""

    def __init__(self, args, folder):
        self.name = args.server
        self.clouds = workbench.Clouds(folder, (self.name,), args.server_args)
        self.clouds.proxied = True
        self.plan, self.url = self.clouds.plan, self.clouds.urls[self.name]

    def stop(self):
        self.clouds.stop()

    def environment(self):
        return self.clouds.environment()

    def reset(self):
        self.clouds.post(self.name, "reset", {})

    def alive(self):
        state = self.clouds.state(self.name)
        return {plain(i["id"]): i["tags"] for i in state["instances"] if i["id"] in state["alive"]}

    def left(self):
        """What else is left of a cluster: groups, networks, rules, keys."""
        return self.clouds.state(self.name)["leftovers"]

    def bugs(self):
        """Requests that the server could not take: a gap in it, or a client that is wrong."""
        return [f"{r['action']}: {r['code']}" for r in self.clouds.state(self.name)["requests"]
                if r.get("code") in workbench.BUGS]


class Moto:
    """moto.server, which does not honour ClientToken"""

    def __init__(self, args, folder):
        argv = [sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0",
                *args.server_args]
        self.child = workbench.Child(argv, os.path.join(folder, "server.log"),
                                     r"Running on http://127\.0\.0\.1:(\d+)")
        self.url = f"http://127.0.0.1:{self.child.port}"
        self.regions = args.regions.split(",")
        self.plan = faultproxy.Plan()
        self.proxy = faultproxy.start(self.url, self.plan)

    def stop(self):
        self.proxy.shutdown()
        self.proxy.server_close()
        self.child.stop()

    def environment(self):
        return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.proxy.server_address[1]}",
                "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_REGION": self.regions[0], "AWS_EC2_METADATA_DISABLED": "true"}

    def reset(self):
        with urllib.request.urlopen(urllib.request.Request(
                self.url + "/moto-api/reset", data=b"", method="POST"), timeout=60) as reply:
            reply.read()

    def alive(self):
        out = {}
        for region in self.regions:
            out.update(self._alive_in(region))
        return out

    def _ask(self, region, action):
        body = f"Action={action}&Version=2016-11-15".encode()
        headers = awswire.sign("POST", self.url + "/", {
            "Content-Type": "application/x-www-form-urlencoded"}, body, "testing", "testing",
            region, "ec2")
        request = urllib.request.Request(self.url + "/", data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as reply:
            return xml.etree.ElementTree.fromstring(reply.read())

    def _alive_in(self, region):
        # any name space: moto leaves out the slash that ends AWS's
        tree = self._ask(region, "DescribeInstances")
        out = {}
        for item in tree.iterfind(".//{*}instancesSet/{*}item"):
            if item.findtext("{*}instanceState/{*}name") not in ("shutting-down", "terminated"):
                out[item.findtext("{*}instanceId")] = {
                    t.findtext("{*}key"): t.findtext("{*}value")
                    for t in item.iterfind("{*}tagSet/{*}item")}
        return out

    def left(self):
        out = []
        for region in self.regions:
            tree = self._ask(region, "DescribeSecurityGroups")
            out += [e.text for e in tree.iterfind(".//{*}securityGroupInfo/{*}item/{*}groupName")
                    if e.text != "default"]
        return out

    def bugs(self):
        return []


# ---- One launch and what is left of it -----------------------------------------------------------


class Bench:
    """A server, a proxy before it, and a folder: where crash points are tried one after another."""

    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        os.makedirs(folder)
        self.server = (Moto if args.server == "moto" else Simulated)(args, folder)
        self.plan = self.server.plan
        self.home = workbench.Home(args.souk, os.path.join(folder, "home"), args.timeout)
        self.cache = self.fetch_catalog() if args.server not in ("aws", "moto") else None

    def stop(self):
        self.home.sweep()
        self.server.stop()

    def fetch_catalog(self):
        """What the simulator sells, where that is not what souk is delivered with."""
        self.home.fresh()
        status, _, said = self.souk(["catalog", "update", self.args.server])
        if status != 0:
            raise Trouble(f"'souk catalog update' ended with {status}: {said}")
        cache = os.path.join(self.folder, "cache")
        os.rename(os.path.join(self.home.path, "souk", "cache"), cache)
        return cache

    def fresh(self):
        self.server.reset()
        self.plan.clear()
        self.home.fresh()
        if self.cache:
            os.mkdir(os.path.join(self.home.path, "souk"), 0o700)
            os.symlink(self.cache, os.path.join(self.home.path, "souk", "cache"))

    def environment(self):
        # our servers make up their minds at once: no minutes of patience with them
        env = {"SOUK_CONFIRM_MS": "20", "SOUK_SETTLE_MS": "0", **self.server.environment()}
        for pair in self.args.env:
            name, _, value = pair.partition("=")
            env[name] = value.replace("{endpoint}", self.server.url).replace("{dir}", self.folder)
        return env

    def souk(self, argv, **more):
        return self.home.run(argv, self.environment(), **more)

    def launch(self, **more):
        return self.souk(shlex.split(self.args.launch), **more)

    def victim(self, **more):
        """The command that is killed or cheated."""
        if self.args.victim == "launch":
            return self.launch(**more)
        return self.souk(["down", "-a", "-y"], **more)

    def prepare(self):
        """What comes before the command under test."""
        self.fresh()
        if self.args.victim == "launch":
            return
        status, _, _ = self.launch()
        if status != 0:
            raise AssertionError(f"the launch that comes before ended with {status}")
        self.plan.clear()

    def known(self):
        """The ids of the machines that the store knows."""
        status, out, _ = self.souk(["status", "--json"])
        if status != 0:
            raise AssertionError(f"'souk status --json' ended with {status}")
        try:
            clusters = json.loads(out)["clusters"]
            return sorted(plain(n["id"]) for c in clusters for n in c.get("nodes") or [])
        except (ValueError, KeyError, TypeError) as error:
            raise AssertionError(f"'souk status --json' is not as documented: {error!r}") from error

    # ---- the clean run, and a crash point

    def count(self):
        """(requests, syncs, machines): of the command, undisturbed, and after a launch."""
        self.prepare()
        machines = len(self.server.alive())
        file = os.path.join(self.home.path, "syncs")
        status, _, _ = self.victim(**self.sync_env(SOUK_KILLSYNC_COUNT=file))
        log = self.plan.report()["log"]
        syncs = 0
        if os.path.exists(file):
            with open(file, encoding="utf-8", errors="replace") as lines:
                syncs = max((int(line.split()[0]) for line in lines), default=0)
        machines = machines or len(self.server.alive())
        self.check_same("after the clean run", refresh=False)
        self.check_down()
        problems = []
        if status != 0:
            problems.append(f"it ended with {status}")
        if not machines:
            problems.append("it left no machine running")
        cloud = "aws" if self.args.server == "moto" else self.args.server
        needed = {"launch": workbench.CREATES, "down": workbench.ENDS}[self.args.victim][cloud]
        if not any(workbench.matches(needed, r["action"]) for r in log):
            problems.append(f"no '{needed}' came through the proxy")
        if not syncs:
            problems.append("it synced nothing to disk")
        if problems + self.server.bugs():
            raise Trouble(f"the clean {self.args.victim}: "
                          + "; ".join(problems + self.server.bugs()) + "\n"
                          + "\n".join(self.home.said))
        return [r["action"] for r in log], syncs, machines

    def sync_env(self, **more):
        return dict(more, LD_PRELOAD=self.args.killsync,
                    SOUK_KILLSYNC_PROGRAM=self.args.program, SOUK_KILLSYNC_RENAME="1")

    def try_point(self, point, machines):
        """None if the point was not reached, else the list of what went wrong."""
        try:
            self.prepare()
        except AssertionError as error:
            return [str(error)]
        where, _, kind = point.kind.partition(":")
        more = {}
        if where == "sync":
            more = self.sync_env(SOUK_KILLSYNC_AT=f"{point.number}:{kind}")
        else:
            self.plan.arm({"at": point.number, "do": kind, "ms": self.args.late_ms})
        status, _, _ = self.victim(**more)
        fired = status == -signal.SIGKILL
        if where == "request":
            entry = self.plan.report()["fired"]
            # whoever has given the request up cannot be found by it any more: a racer that lost
            fired = entry is not None and entry.get("killed") != []
            if fired and kind.startswith("kill") and status != -signal.SIGKILL:
                return [f"the proxy could not kill it (it ended with {status}): {entry}"]
        self.plan.clear()
        if not fired:
            return None
        return self.check(machines)

    def check(self, machines):
        problems = []
        for step in (self.check_settled, lambda: self.check_again(machines), self.check_down):
            try:
                step()
            except AssertionError as error:
                problems.append(str(error))
        return problems + self.server.bugs()

    def refresh(self, when):
        """Once; with --patience until no request is open, which the settle time may take."""
        for _ in range(1 + self.args.patience):
            status, _, _ = self.souk(["status", "--refresh"])
            if status != 0:
                raise AssertionError(f"{when}: 'souk status --refresh' ended with {status}")
            if not self.args.patience:
                return
            _, out, _ = self.souk(["status", "--json"])
            if not any("to be settled" in (c.get("note") or "")
                       for c in json.loads(out)["clusters"]):
                return
        raise AssertionError(f"{when}: requests are open after {self.args.patience} refreshes")

    def check_same(self, when, refresh=True):
        if refresh:
            self.refresh(when)
        cloud, store = self.server.alive(), self.known()
        leaked = {i: t for i, t in cloud.items() if i not in store}
        lost = [i for i in store if i not in cloud]
        if leaked or lost or len(set(store)) != len(store):
            raise AssertionError(f"{when}: the cloud holds {sorted(cloud)}, the store knows "
                                 f"{store}; LEAKED {leaked}, not there any more {lost}")

    def check_settled(self):
        self.check_same("after the crash and 'souk status --refresh'")

    def check_again(self, machines):
        if self.args.no_repeat:
            return
        status, _, _ = self.launch()
        if status != 0:
            raise AssertionError(f"the same launch again ended with {status}")
        if len(self.server.alive()) != machines:
            raise AssertionError(f"the same launch again: {len(self.server.alive())} machines are "
                                 f"alive, not {machines}")
        self.check_same("after the same launch again")

    def check_down(self):
        status, _, _ = self.souk(["down", "-a", "-y"])
        if status != 0:
            raise AssertionError(f"'souk down -a -y' ended with {status}")
        left = self.server.alive()
        if left:
            raise AssertionError(f"after 'souk down -a -y' there are alive: {left}")
        known = self.known()
        if known:
            raise AssertionError(f"after 'souk down -a -y' the store still knows {known}")
        groups = self.server.left()
        if groups:
            raise AssertionError(f"after 'souk down -a -y' there are left: {groups}")


# ---- All of it -----------------------------------------------------------------------------------


def all_points(actions, syncs):
    points = [Point(f"request:{kind}", n + 1) for n in range(len(actions))
              for kind in REQUEST_KINDS]
    return points + [Point(f"sync:{kind}", n + 1) for n in range(syncs) for kind in SYNC_KINDS]


def choose(points, actions, args):
    if args.only:
        points = [p for p in points if re.search(args.only, name(p))
                  or re.search(args.only, title(p, actions))]
    if args.sample and args.sample < len(points):
        points = random.Random(args.seed).sample(points, args.sample)
    return points


def name(point):
    return f"{point.kind}@{point.number}"


def title(point, actions):
    if point.kind.startswith("request:") and point.number <= len(actions):
        return f"{name(point)} ({actions[point.number - 1]})"
    return name(point)


class Runner:
    """Hands crash points to benches and collects what they found."""

    def __init__(self, args, points, actions, machines):
        self.args, self.actions, self.machines = args, actions, machines
        self.todo = queue.SimpleQueue()
        for point in points:
            self.todo.put(point)
        self.lock = threading.Lock()
        self.run = collections.Counter()
        self.missed, self.failures = [], []

    def work(self, bench):
        while True:
            try:
                point = self.todo.get_nowait()
            except queue.Empty:
                return
            try:
                problems = bench.try_point(point, self.machines)
            except (OSError, ValueError, urllib.error.URLError) as error:
                problems = [f"the test itself failed: {error!r}"]
            self.record(point, problems, bench)

    def record(self, point, problems, bench):
        with self.lock:
            if problems is None:
                self.missed.append(point)
                return
            self.run[point.kind] += 1
            if problems:
                self.failures.append(point)
                print(f"FAIL {title(point, self.actions)}")
                for problem in problems:
                    print(f"     {problem}")
                print("     | " + "\n".join(bench.home.said).replace("\n", "\n     | "), flush=True)
            elif self.args.verbose:
                print(f"ok   {title(point, self.actions)}", flush=True)

    def summary(self):
        total = sum(self.run.values())
        kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(self.run.items()))
        print(f"crash points run: {total} ({kinds})")
        print(f"not reached: {len(self.missed)}; failed: {len(self.failures)}")
        for point in self.failures:
            print(f"failed: {title(point, self.actions)}")
        if total <= len(self.missed):
            print(f"too few of the points were reached: the {self.args.victim} is not the same twice")
            return 1
        return 1 if self.failures else 0


def build_killsync(folder):
    out = os.path.join(folder, "killsync.so")
    argv = shlex.split(os.environ.get("CC", "cc")) + [
        "-std=gnu11", "-O2", "-shared", "-fPIC", os.path.join(HERE, "killsync.c"), "-o", out,
        "-ldl"]
    if subprocess.run(argv, check=False).returncode != 0:
        raise Trouble(f"'{shlex.join(argv)}' failed; give --killsync FILE.so")
    return out


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--souk", default=os.environ.get("SOUK", "souk"),
                        help="the command, with arguments if need be (SOUK)")
    parser.add_argument("--program", default="souk,lt-souk",
                        help="names of the process whose syncs count")
    parser.add_argument("--server", choices=(*workbench.ALL, "moto"), default="aws")
    parser.add_argument("--server-args", type=shlex.split, default=None,
                        help="for the server; default: --sshd --scenario failover.json")
    parser.add_argument("--launch", help="arguments of the launch")
    parser.add_argument("--victim", choices=("launch", "down"), default="launch",
                        help="what is killed: the launch, or 'down -a -y' after one")
    parser.add_argument("--regions", default="us-east-1", help="where to look for machines (moto)")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE",
                        help="for souk; {endpoint} and {dir} are put in")
    parser.add_argument("--killsync", default=os.environ.get("SOUK_KILLSYNC_LIB"),
                        help="the preload library (SOUK_KILLSYNC_LIB); built if not given")
    parser.add_argument("--jobs", type=int, default=2, help="points tried at once")
    parser.add_argument("--sample", type=int, help="try so many points, chosen by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="REGEX", help="try the points whose name or title matches")
    parser.add_argument("--list", action="store_true", help="print the points and try none")
    parser.add_argument("--no-repeat", action="store_true", help="do not launch again afterwards")
    parser.add_argument("--patience", type=int, default=0, metavar="N",
                        help="refresh until no request is open, N times at most; default: once")
    parser.add_argument("--late-ms", type=int, default=500, help="how long 'late' holds a reply")
    parser.add_argument("--timeout", type=int, default=180, help="seconds for one souk command")
    parser.add_argument("--keep", metavar="DIR", help="work here, and leave everything there")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the points that pass")
    args = parser.parse_args()
    args.souk = workbench.command(args.souk, parser)
    cloud = "aws" if args.server == "moto" else args.server
    args.launch = args.launch or (f"launch -y -d -c crash --providers {cloud} "
                                  f"{workbench.WHERE[cloud]} true")
    if args.server_args is None:
        args.server_args = [] if args.server == "moto" else DEFAULT_SERVER_ARGS
    return args


def run(args, folder, stack):
    args.killsync = os.path.abspath(args.killsync) if args.killsync else build_killsync(folder)
    first = Bench(args, os.path.join(folder, "bench-1"))
    stack.callback(first.stop)
    try:
        actions, syncs, machines = first.count()
    except AssertionError as error:
        raise Trouble(f"the clean {args.victim}: {error}\n" + "\n".join(first.home.said)) from error
    points = all_points(actions, syncs)
    chosen = choose(points, actions, args)
    print(f"clean {args.victim}: {len(actions)} requests, {syncs} syncs, {machines} machine(s); "
          f"{len(points)} crash points, {len(chosen)} to try", flush=True)
    if args.list:
        print("\n".join(title(p, actions) for p in chosen))
        return 0
    if not chosen:
        raise Trouble("there is no crash point to try")
    benches = [first]
    for n in range(2, min(args.jobs, len(chosen)) + 1):
        benches.append(Bench(args, os.path.join(folder, f"bench-{n}")))
        stack.callback(benches[-1].stop)
    runner = Runner(args, chosen, actions, machines)
    threads = [threading.Thread(target=runner.work, args=(bench,)) for bench in benches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return runner.summary()


def main():
    args = arguments()
    with contextlib.ExitStack() as stack:
        folder = args.keep
        if folder:
            os.makedirs(folder, exist_ok=True)
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="souk-crash-"))
        try:
            return run(args, os.path.abspath(folder), stack)
        except Trouble as error:
            print(f"crash-test: {error}", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
