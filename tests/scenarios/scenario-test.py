#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scenario-test.py - random users, random faults, five clouds; and then the machines are counted

Each scenario has a seed of its own, which repeats it (--only SEED). At its end, when souk has
settled what was open: the machines in the simulated clouds are those in the store, the
machine-hours billed there are those of 'souk cost', none has leaked and none was made twice; and
'souk down -a' leaves nothing.
"""

import argparse
import collections
import contextlib
import json
import os
import queue
import signal
import sys
import tempfile
import threading
import traceback

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import generate
import workbench
from workbench import plain

# sysexits that souk has for what went wrong outside of it; 70 would be a fault of its own
HONEST = (0, 1, 64, 65, 69, 73, 74, 75, 77, 78)
SETTLE_MS = 3000        # for users: 'down' waits for it when a request is open; over at the end
LOOKS = 3               # so many before it is over
PATIENCE = 12
EPOCH = 1000000000      # when scenarios begin: before all that the simulators tell by a real clock


class Failed(Exception):
    """What was to be shown is not so."""


class Bench:
    """Simulators, and a souk: where scenarios are played one after another."""

    def __init__(self, args, folder, cache=None):
        self.args, self.folder = args, folder
        os.makedirs(folder)
        self.clouds = workbench.Clouds(folder)
        self.home = workbench.Home(args.souk, os.path.join(folder, "home"), args.timeout)
        self.clock = os.path.join(folder, "clock")
        self.cache = cache or self.fetch_catalogs()

    def stop(self):
        self.home.sweep()
        self.clouds.stop()

    def fetch_catalogs(self):
        """What the simulators sell; it is the same for all of them."""
        self.home.fresh()
        self.set_clock(EPOCH)
        status, _, said = self.souk(["catalog", "update"])
        if status != 0:
            raise workbench.Trouble(f"'souk catalog update' ended with {status}: {said}")
        cache = os.path.join(self.folder, "cache")
        os.rename(os.path.join(self.home.path, "souk", "cache"), cache)
        return cache

    # ---- souk and the clock

    def souk(self, argv, settle_ms=SETTLE_MS):
        env = {"SOUK_CONFIRM_MS": "20", "SOUK_SETTLE_MS": str(settle_ms), "SOUK_RETRY_MS": "50",
               "SOUK_TEST_CLOCK": self.clock, **self.clouds.environment()}
        return self.home.run(argv, env)

    def set_clock(self, now):
        """The clock that souk's bills go by; it stands still otherwise, as those of the clouds do."""
        self.now = now
        with open(self.clock + ".new", "w", encoding="ascii") as file:
            file.write(f"{now}\n")
        os.rename(self.clock + ".new", self.clock)

    def advance(self, seconds):
        self.set_clock(self.now + seconds)
        for name in self.clouds.names:
            self.clouds.post(name, "advance", {"seconds": seconds})

    # ---- a scenario

    def play(self, scenario):
        """The list of what went wrong; [] if all is well."""
        self.scenario = scenario
        self.clean = True       # nothing has gone wrong so far that a user would see
        self.hours = 0
        self.home.fresh()
        self.clouds.plan.clear()
        for name in self.clouds.names:
            self.clouds.post(name, "scenario",
                             dict(scenario["worlds"].get(name, {}), clock="manual"))
        souk = os.path.join(self.home.path, "souk")
        os.makedirs(souk, 0o700)
        os.symlink(self.cache, os.path.join(souk, "cache"))
        self.set_clock(EPOCH)
        problems = []
        for work in (self.act, self.settle, self.check, self.check_again, self.check_down,
                     self.check_bugs):
            try:
                work()
            except Failed as error:
                problems.append(str(error))
        return problems

    def act(self):
        for number, step in enumerate(self.scenario["steps"]):
            self.home.said.append(f"# step {number}: {json.dumps(step)}")
            self.arm(step)
            try:
                getattr(self, "do_" + step["do"])(step)
            finally:
                self.disarm(step)

    def arm(self, step):
        for name, faults in step.get("faults", {}).items():
            self.clouds.post(name, "faults", {"faults": faults})
        if "kill" in step:
            self.clouds.plan.arm(step["kill"])

    def disarm(self, step):
        self.fired = self.clouds.plan.report()["fired"]
        self.clouds.plan.clear()
        if not step.get("linger"):
            self.clear_faults()

    def clear_faults(self):
        for name in self.clouds.names:
            self.clouds.post(name, "faults", {"faults": [], "replace": True})

    def user(self, step, argv):
        """What a user types; the exit status, which has to be an honest one."""
        status, _, err = self.souk(argv)
        killed = status == -signal.SIGKILL and self.clouds.plan.report()["fired"]
        if status not in HONEST and not killed:
            raise Failed(f"'souk {' '.join(argv)}' ended with {status}: {err[-400:]}")
        if status != 0 or "faults" in step or "kill" in step:
            self.clean = False
        return status

    # ---- what users do

    def launch(self, step, name, must_work=False):
        cluster = self.scenario["clusters"][name]
        path = os.path.join(self.home.path, f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"num_nodes": cluster["nodes"], "run": "true", "resources": {
                "use_spot": cluster["spot"],
                "any_of": [{"infra": infra, "instance_type": kind}
                           for infra, kind in cluster["any_of"]]}}, file)
        must_work |= self.clean and self.scenario["clean"]
        status = self.user(step, ["launch", "-y", "-d", "-c", name, "--providers",
                                  ",".join(self.scenario["clouds"]), path])
        if status != 0 and must_work:
            raise Failed(f"nothing is wrong, but 'souk launch -c {name}' ended with {status}")

    def do_launch(self, step):
        self.launch(step, step["cluster"])

    do_again = do_launch

    def do_exec(self, step):
        more = [["-d"], []][step["pick"] % 2]
        self.user(step, ["exec", *more, step["cluster"], "true"])

    def do_stop(self, step):
        self.user(step, ["stop", "-y", step["cluster"]])

    def do_start(self, step):
        self.user(step, ["start", "-y", step["cluster"]])

    def do_refresh(self, step):
        self.user(step, ["status", "--refresh"])

    def do_down(self, step):
        self.user(step, ["down", "-y", *(["-a"] if step["pick"] % 3 == 0 else [step["cluster"]])])

    def do_preempt(self, step):
        """A spot machine goes; the user finds out at once, as a bill is only known to the minute."""
        running = [(name, i["id"]) for name in self.scenario["clouds"]
                   for i in self.clouds.state(name)["instances"]
                   if i["market"] == "spot" and i["state"] in ("pending", "running")]
        if not running:
            return
        name, one = running[step["pick"] % len(running)]
        self.home.said.append(f"# {name} takes {one} away")
        self.clouds.post(name, "preempt", {"instance": one})
        self.user(step, ["status", "--refresh"])

    def do_advance(self, step):
        """Time passes for all. What is open is settled first: nobody can know when it ended."""
        self.clear_faults()
        self.settle()
        self.advance(step["seconds"])

    # ---- what must be so at the end

    def status(self):
        status, out, err = self.souk(["status", "--json"])
        if status != 0:
            raise Failed(f"'souk status --json' ended with {status}: {err}")
        return json.loads(out)["clusters"]

    def refresh(self, settle_ms):
        status, _, err = self.souk(["status", "--refresh"], settle_ms)
        if status != 0:
            raise Failed(f"'souk status --refresh' ended with {status}: {err}")

    def settle(self):
        """Until nothing is open: looks first, for what is shown late; then it is late enough."""
        self.clear_faults()
        for look in range(PATIENCE):
            self.refresh(SETTLE_MS if look < LOOKS else 0)
            if not self.is_unsettled() and (self.same() or look == PATIENCE - 1):
                return
        raise Failed(f"after {PATIENCE} refreshes requests are open: {self.status()}")

    def is_unsettled(self):
        return any("to be settled" in (c.get("note") or "") for c in self.status())

    def there(self):
        return sorted(plain(one) for name in self.clouds.names
                      for one in self.clouds.state(name)["alive"])

    def known(self):
        return sorted(plain(n["id"]) for c in self.status() for n in c.get("nodes") or []
                      if n["status"] != "TERMINATED")

    def same(self):
        return self.there() == self.known()

    def difference(self):
        there, known = self.there(), self.known()
        leaked = {i["id"]: i["tags"] for name in self.clouds.names
                  for i in self.clouds.state(name)["instances"]
                  if plain(i["id"]) in there and plain(i["id"]) not in known}
        return (f"the clouds hold {there}, the store knows {known}; LEAKED {leaked}, "
                f"not there any more {[i for i in known if i not in there]}")

    def check(self):
        if not self.same():
            raise Failed(self.difference())
        self.check_twice()
        self.check_hours()
        self.hours += sum(i["billed"] for name in self.clouds.names
                          for i in self.clouds.state(name)["ever"]) / 3600

    def machines(self):
        """How many there were."""
        return sum(len(self.clouds.state(name)["ever"]) for name in self.clouds.names)

    def check_twice(self):
        asked = max(c["nodes"] for c in self.scenario["clusters"].values())
        for name in self.clouds.names:
            tokens = collections.defaultdict(set)
            for i in self.clouds.state(name)["ever"]:
                tokens[i["token"]].add(i["id"])
            if None in tokens or "" in tokens:
                raise Failed(f"{name}: machines without a token: {tokens.get(None)}")
            for token, ids in tokens.items():
                if len(ids) > asked:
                    raise Failed(f"{name}: created twice: token {token} has {sorted(ids)}, "
                                 f"{asked} were asked for")

    def check_hours(self):
        """The seconds that the clouds have billed for each machine are those of 'souk cost'."""
        billed = {(name, plain(i["id"])): round(i["billed"]) for name in self.clouds.names
                  for i in self.clouds.state(name)["ever"]}
        status, out, err = self.souk(["cost", "--all", "--json"])
        if status != 0:
            raise Failed(f"'souk cost --all --json' ended with {status}: {err}")
        cost = json.loads(out)
        counted = collections.Counter()
        for spell in cost["spells"]:
            counted[spell["provider"], plain(spell["machine"])] += spell["seconds"]
        differ = {key: (seconds, counted[key]) for key, seconds in billed.items()
                  if seconds != counted[key]}
        total = sum(t["seconds"] for t in cost["totals"])
        if differ or total != sum(billed.values()):
            self.home.said.append(json.dumps(cost["spells"]))
            raise Failed(f"billed {sum(billed.values())} s, 'souk cost' has {total} s; "
                         f"machines (billed, counted): {differ}")

    def check_again(self):
        """When the clouds have all that they sell, and nothing goes wrong, a launch works."""
        worlds = self.scenario["worlds"].values()
        broken = any(n["status"] == "TERMINATED" for c in self.status() for n in c["nodes"])
        if len(self.scenario["steps"]) % 2 or broken or any(w.get("quotas") for w in worlds):
            return
        for name in self.clouds.names:
            self.clouds.post(name, "capacity", {"capacity": []})
        self.launch({}, "c0", must_work=True)
        self.check()

    def check_down(self):
        status, _, err = self.souk(["down", "-a", "-y"])
        if status != 0:
            raise Failed(f"'souk down -a -y' ended with {status}: {err[-800:]}")
        self.settle()
        left = self.there()
        if left:
            raise Failed(f"after 'souk down -a -y' there are alive: {left}")
        if self.status():
            raise Failed(f"after 'souk down -a -y' the store still knows {self.status()}")
        things = {name: self.clouds.state(name)["leftovers"] for name in self.clouds.names}
        if any(things.values()):
            raise Failed(f"after 'souk down -a -y' there are left: {things}")

    def check_bugs(self):
        bugs = [f"{name}: {r['action']}: {r['code']}" for name in self.clouds.names
                for r in self.clouds.state(name)["requests"] if r.get("code") in workbench.BUGS]
        if bugs:
            raise Failed(f"requests that the simulator could not take: {bugs[:5]}")


# ---- All of it -----------------------------------------------------------------------------------


class Runner:
    """Hands seeds to benches and collects what they found."""

    def __init__(self, args, seeds):
        self.args = args
        self.todo = queue.SimpleQueue()
        for seed in seeds:
            self.todo.put(seed)
        self.lock = threading.Lock()
        self.done = collections.Counter()
        self.failures = []

    def work(self, bench):
        while True:
            try:
                seed = self.todo.get_nowait()
            except queue.Empty:
                return
            scenario = generate.scenario(seed)
            try:
                problems = bench.play(scenario)
            except (OSError, ValueError, KeyError, TypeError, workbench.Trouble):
                problems = [f"the test itself failed: {traceback.format_exc()}"]
            self.record(scenario, problems, bench)

    def record(self, scenario, problems, bench):
        with self.lock:
            self.done["scenarios"] += 1
            self.done["clean"] += scenario["clean"]
            for step in scenario["steps"]:
                self.done["steps"] += 1
                self.done["with faults"] += "faults" in step
                self.done["killed"] += "kill" in step
            for name in scenario["clouds"]:
                self.done[name] += 1
            self.done["machines"] += bench.machines()
            self.done["machine-hours"] += round(bench.hours)
            if problems:
                self.failures.append(scenario["seed"])
                print(f"FAIL {scenario['seed']}: {', '.join(scenario['clouds'])}")
                for problem in problems:
                    print(f"     {problem}")
            elif self.args.verbose:
                print(f"ok   {scenario['seed']}: {', '.join(scenario['clouds'])}", flush=True)
            if problems or self.args.tell:
                print("     | " + "\n".join(bench.home.said).replace("\n", "\n     | "), flush=True)

    def summary(self):
        print("; ".join(f"{what} {n}" for what, n in self.done.items()))
        print(f"scenarios run: {self.done['scenarios']}; failed: {len(self.failures)}")
        for seed in self.failures:
            print(f"failed: repeat it with --only {seed}")
        return 1 if self.failures else 0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--souk", default=os.environ.get("SOUK", "souk"),
                        help="the command, with arguments if need be (SOUK)")
    parser.add_argument("--count", type=int, default=50, help="how many scenarios")
    parser.add_argument("--seed", type=int, default=1, help="of the first; the others follow it")
    parser.add_argument("--only", type=int, action="append", metavar="SEED", help="just this one")
    parser.add_argument("--jobs", type=int, default=2, help="scenarios played at once")
    parser.add_argument("--timeout", type=int, default=180, help="seconds for one souk command")
    parser.add_argument("--show", action="store_true", help="print the scenarios and play none")
    parser.add_argument("--keep", metavar="DIR", help="work here, and leave everything there")
    parser.add_argument("-v", "--verbose", action="store_true", help="print those that pass")
    parser.add_argument("--tell", action="store_true", help="print what souk said in all of them")
    args = parser.parse_args()
    args.souk = workbench.command(args.souk, parser)
    return args


def run(args, folder, stack):
    seeds = args.only or range(args.seed, args.seed + args.count)
    if args.show:
        for seed in seeds:
            print(json.dumps(generate.scenario(seed), indent=1))
        return 0
    print(f"seeds {seeds[0]} to {seeds[-1]}", flush=True)
    runner = Runner(args, seeds)
    threads, cache = [], None
    for n in range(min(args.jobs, len(seeds))):
        bench = Bench(args, os.path.join(folder, f"bench-{n + 1}"), cache)
        stack.callback(bench.stop)
        cache = bench.cache
        threads.append(threading.Thread(target=runner.work, args=(bench,), daemon=True))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return runner.summary()


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with contextlib.ExitStack() as stack:
        folder = args.keep
        if folder:
            os.makedirs(folder, exist_ok=True)
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="souk-scenarios-"))
        try:
            return run(args, os.path.abspath(folder), stack)
        except workbench.Trouble as error:
            print(f"scenario-test: {error}", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main())
