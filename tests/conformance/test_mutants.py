#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_mutants.py - the conformance suite finds each fault of a module, and none in the good one

toy.c is a good module, which can be spoiled in one way at a time. Of each way the rule stands
below that has to find it; where a fault breaks others too, they follow.
"""
import concurrent.futures
import fnmatch
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request

SRC = os.environ.get("SOUK_TEST_SRCDIR") or os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BUILD = os.environ.get("SOUK_TEST_BUILDDIR", SRC)
SOUK = os.environ.get("SOUK", os.path.join(BUILD, "souk"))
MODULE = os.path.join(BUILD, "tests/conformance/.libs/souk-provider-toy.so")
SECRET = "toy-secret-0123456789"

# fault: the rules that it breaks, as patterns; the first has to be among those that are found.
# What a table breaks keeps the module from being loaded; the other tests are skipped then.
ABI = {
    "abi-number": "abi.entry", "abi-small": "abi.sizes abi.required", "abi-option-size": "abi.sizes",
    "abi-required": "abi.required", "abi-name": "abi.name", "abi-title": "abi.name",
    "abi-threads": "abi.features", "abi-features": "abi.features", "abi-start": "abi.features",
    "abi-option": "abi.options", "abi-option-twice": "abi.options",
    "abi-credentials": "abi.credentials",
}
MARKET = {
    "open-sends": "open.silent leaks.errors", "offers-none": "offers.list", "offers-twice": "offers.unique",
    "offers-mutate": "offers.read-only",
    "offer-price": "offers.sane", "offer-free": "offers.sane", "offer-currency": "offers.sane",
    "offer-spot": "offers.sane", "offer-vcpus": "offers.sane", "offer-accelerator": "offers.sane",
    "offer-arch": "offers.sane", "offer-name": "offers.sane always.instances *", "quick-network": "offers.quick",
    "check-nobody": "check.identity",
    "check-crash": "check.identity cancel.* deadline.* answers.* threads.* leaks.*",
    "check-exit": "check.identity cancel.* deadline.* answers.* threads.* leaks.*",
}
MACHINES = {
    "token-ignored": "provision.again provision.at-once provision.count lost.* cancel.* refused.*",
    "count-ignored": "provision.count lost.* refused.*",
    "one-by-one": "refused.provision lost.* plan.* provision.count",
    "create-unmarked": "plan.provision provision.makes",
    "type-ignored": "provision.unknown",
    "unknown-as-transient": "provision.unknown", "scope-provider": "provision.unknown",
    "tag-cluster": "provision.makes describe.runs provision.count tags.*",
    "tag-owner": "provision.makes describe.runs provision.count tags.*",
    "tag-token": "provision.makes describe.runs provision.count tags.*",
    "filter-owner": "tags.others nothing.listed", "filter-cluster": "tags.others tags.found",
    "filter-token": "tags.others *",
    "first-only": "provision.count lost.* refused.* cleanup.* tags.*",
    "never-runs": "describe.runs stop.*", "describe-all": "describe.unknown *",
    "gone-is-error": "teardown.twice *", "teardown-idle": "teardown.twice *",
    "stop-once": "stop.start", "stop-idle": "stop.start",
}
FAULTS = {
    "cancel-ignored": "cancel.questions cancel.*",
    "cancel-as-transient": "cancel.questions cancel.*",
    "deadline-ignored": "deadline.provision",
    "timeout-as-transient": "lost.provision",
    "auth-as-transient": "answers.questions answers.*", "rate-as-invalid": "answers.questions answers.*",
    "status-ignored": "answers.questions *",
    "errors-swallowed": "answers.questions answers.machine", "nonsense-ignored": "answers.questions answers.*",
}
ALWAYS = {
    "auth-scope-offer": "always.errors", "scope-unknown": "always.errors",
    "message-empty": "always.errors", "message-stop": "always.errors", "message-lines": "always.errors",
    "code-mismatch": "always.errors", "code-unknown": "always.errors",
    "status-unknown": "always.instances describe.runs stop.*", "region-other": "always.instances *",
    "double-emit": "always.instances *",
    "nameless": "always.requests *", "message-secret": "always.secrets", "log-secret": "always.secrets",
    "url-secret": "always.secrets", "body-secret": "always.secrets",
    "stdout": "always.silent", "stderr": "always.silent",
    "environment": "always.process", "folder": "always.process", "umask": "always.process",
    "signal": "always.process", "thread": "always.process",
    "leak-fd": "leaks.calls leaks.errors", "leak-memory": "leaks.calls leaks.errors",
    "leak-error": "leaks.errors",
}
# They wait, or ask, until the time of the test is up: these tests alone are made.
ONLY = {"never-runs": "describe.runs", "stop-idle": "stop.start", "teardown-idle": "teardown.twice",
        "cancel-ignored": "cancel.questions", "first-only": "provision.*", "filter-token": "tags.*",
        "deadline-ignored": "deadline.*", "status-unknown": "[ap]*", "describe-all": "describe.unknown",
        "region-other": "[ap]*", "status-ignored": "answers.questions", "gone-is-error": "teardown.twice"}


class Tester:
    def __init__(self, folder, port):
        self.folder = folder
        self.port = port

    def run(self, mutant=None, only=None):
        """The ids that are not ok, and those that are."""
        env = dict(os.environ, SOUK_HOME=os.path.join(self.folder, mutant or "good"), TOY_KEY=SECRET)
        env.pop("TOY_MUTANT", None)
        if mutant:
            env["TOY_MUTANT"] = mutant
        command = [SOUK, "provider", "test", MODULE, "--endpoint", "http://127.0.0.1:%d" % self.port,
                   "--set", "key=env:TOY_KEY", "--machines", "--json",
                   "--calls", "300" if mutant and mutant.startswith("leak") else "20",
                   "--grace-ms", "5000"]
        if only:
            command += ["--only", only]
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        try:
            tests = json.loads(done.stdout)["tests"]
        except ValueError:
            sys.exit("%s: no JSON: %s %s" % (mutant, done.stdout[:400], done.stderr[:2000]))
        bad = {t["id"]: t["reason"] for t in tests if t["outcome"] == "not ok"}
        if done.returncode != (1 if bad else 0):
            sys.exit("%s: exit status %d" % (mutant, done.returncode))
        return bad, [t["id"] for t in tests if t["outcome"] == "ok"]


def start():
    cloud = subprocess.Popen([sys.executable, os.path.join(SRC, "tests/conformance/toycloud.py")],
                             stdout=subprocess.PIPE, text=True)
    return cloud, int(cloud.stdout.readline().split()[1])


def good(folder):
    """The module as it is has no fault, by file and by name, with a pattern and without."""
    cloud, port = start()
    try:
        bad, well = Tester(folder, port).run()
    finally:
        cloud.terminate()
        cloud.wait()
    if bad or len(well) < 40:
        print("not ok: the good module:", bad, len(well))
        return 1
    print("ok: the good module passes %d tests" % len(well))
    return 0


def interrupted(folder):
    """Ctrl-C in the midst of it: what was rented is given back, and the status says so."""
    cloud, port = start()
    try:
        run = subprocess.Popen(
            [SOUK, "provider", "test", MODULE, "--endpoint", "http://127.0.0.1:%d" % port,
             "--set", "key=env:TOY_KEY", "--machines", "--calls", "1000000"],
            env=dict(os.environ, SOUK_HOME=os.path.join(folder, "interrupted"), TOY_KEY=SECRET),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in run.stdout:
            if "provision.makes" in line:
                run.send_signal(signal.SIGINT)
        said = run.stderr.read()
        status = run.wait()
        with urllib.request.urlopen("http://127.0.0.1:%d/_state" % port, data=b"") as reply:
            state = reply.read().decode()
    finally:
        cloud.terminate()
        cloud.wait()
    if status != 130 or "interrupted" not in said or not state.endswith("alive 0\n"):
        print("not ok: interrupted: status %d, %s, %s" % (status, said, state))
        return 1
    print("ok: interrupted: nothing is left alive")
    return 0


def spoiled(folder, mutant, rules):
    """(1, words) unless the fault is found by its rule, and by none that has nothing to do with it."""
    patterns = rules.split()
    cloud, port = start()       # of its own: what a mutant leaves there is not the next one's
    try:
        bad, _ = Tester(folder, port).run(mutant, ONLY.get(mutant))
    finally:
        cloud.terminate()
        cloud.wait()
    if patterns[0] not in bad:
        return 1, "not ok: %s: not found by %s, but by %s" % (mutant, patterns[0], bad or "none")
    others = [rule for rule in bad if not any(fnmatch.fnmatch(rule, p) for p in patterns)]
    if others:
        return 1, "not ok: %s: also found by %s" % (mutant, {k: bad[k] for k in others})
    return 0, "ok: %s: %s: %s" % (mutant, patterns[0], bad[patterns[0]])


def main():
    if os.environ.get("SOUK_TEST_SANITIZER"):
        # Some faults are what a sanitizer ends the process for.
        print("skipped: the faults of the modules would be the sanitizer's")
        return 77
    chosen = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        failed = 0 if chosen else good(folder) + interrupted(folder)
        faults = [(mutant, rules) for table in (ABI, MARKET, MACHINES, FAULTS, ALWAYS)
                  for mutant, rules in table.items() if not chosen or mutant in chosen]
        # They wait more than they work.
        with concurrent.futures.ThreadPoolExecutor(max_workers=4) as pool:
            for verdict, words in pool.map(lambda fault: spoiled(folder, *fault), faults):
                failed += verdict
                print(words, flush=True)
        count = len(faults)
    print("%d faults, %d not as expected" % (count, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
