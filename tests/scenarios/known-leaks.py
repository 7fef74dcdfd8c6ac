#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""known-leaks.py - the four ways in which brokers lose machines, each on five clouds

They are those that dstack's issue 3453 lists: a crash between the create call and the record of
what it made; a create call that reports an error though the machine was made; an end that is
given up because the provider's API is down; and a bug, whatever it is, which leaves machines that
the store knows nothing of.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import workbench


class KnownLeaks(unittest.TestCase):
    """Each test goes over all clouds: simulators, souk and the folder are the class's."""

    souk = None
    clouds = None
    home = None

    def run_souk(self, *argv, **more):
        env = {"SOUK_CONFIRM_MS": "20", "SOUK_SETTLE_MS": "0", "SOUK_RETRY_MS": "50",
               **self.clouds.environment(), **more}
        return self.home.run(list(argv), env)

    def said(self):
        return "\n".join(self.home.said)

    def begin(self, cloud):
        self.home.fresh()
        self.clouds.plan.clear()
        self.clouds.post(cloud, "scenario", {})
        status, _, _ = self.run_souk("catalog", "update", cloud)
        self.assertEqual(status, 0, self.said())

    def launch(self, cloud):
        return self.run_souk("launch", "-y", "-d", "-c", "leak",
                             *workbench.WHERE[cloud].split(), "true")[0]

    def alive(self, cloud):
        return self.clouds.state(cloud)["alive"]

    def known(self):
        status, out, _ = self.run_souk("status", "--json")
        self.assertEqual(status, 0, self.said())
        return [n["id"] for c in json.loads(out)["clusters"] for n in c["nodes"]]

    def refresh(self):
        self.assertEqual(self.run_souk("status", "--refresh")[0], 0, self.said())

    def gone(self, cloud):
        """Nothing is left: neither there, nor in the store."""
        self.assertEqual(self.run_souk("down", "-a", "-y")[0], 0, self.said())
        self.assertEqual(self.alive(cloud), [], self.said())
        self.assertEqual(self.known(), [], self.said())
        self.assertEqual(self.clouds.state(cloud)["leftovers"], [], self.said())

    def each(self, work):
        for cloud in self.clouds.names:
            with self.subTest(cloud=cloud):
                self.begin(cloud)
                work(cloud)

    def create_call(self, cloud):
        """Which request of a launch makes the machine: counted in one that nothing happens to."""
        self.clouds.plan.arm({"at": 1 << 30, "do": "kill-after"})
        self.assertEqual(self.launch(cloud), 0, self.said())
        log = self.clouds.plan.report()["log"]
        self.clouds.plan.clear()
        self.gone(cloud)
        for number, entry in enumerate(log, 1):
            if workbench.matches(workbench.CREATES[cloud], entry["action"]):
                return number
        self.fail(f"no call that makes a machine among {[e['action'] for e in log]}")

    def test_1_crash_between_the_create_call_and_its_record(self):
        def work(cloud):
            number = self.create_call(cloud)
            self.clouds.plan.arm({"at": number, "do": "kill-after"})
            self.assertEqual(self.launch(cloud), -signal.SIGKILL, self.said())
            self.clouds.plan.clear()
            self.assertEqual(len(self.alive(cloud)), 1, "the crash came too early to leak")
            self.refresh()
            self.assertEqual(len(self.alive(cloud)), len(self.known()), self.said())
            self.assertEqual(self.launch(cloud), 0, self.said())
            self.assertEqual(len(self.alive(cloud)), 1, self.said())
            self.gone(cloud)
        self.each(work)

    def test_2_an_error_for_a_machine_that_was_made(self):
        def work(cloud):
            # 502 from a gateway behind which the call went through, on every try
            self.clouds.plan.arm({"at": self.create_call(cloud), "do": "after-502"})
            status = self.launch(cloud)
            self.assertTrue(self.clouds.plan.report()["fired"])
            self.clouds.plan.clear()
            self.refresh()
            self.assertEqual(len(self.alive(cloud)), len(self.known()), self.said())
            self.assertLessEqual(len(self.alive(cloud)), 1, self.said())
            if status == 0:
                self.assertEqual(len(self.alive(cloud)), 1, self.said())
            self.gone(cloud)
        self.each(work)

    def test_3_an_end_while_the_api_is_down(self):
        def work(cloud):
            self.assertEqual(self.launch(cloud), 0, self.said())
            self.clouds.post(cloud, "faults", {"faults": [
                {"action": "*", "times": -1, "do": "unavailable"}]})
            ended = threading.Thread(target=self.run_souk, args=("down", "-y", "leak"))
            ended.start()
            # it does not give up, so that the user does: the outage outlives souk
            self.wait_for(lambda: any(r.get("fault") for r in self.clouds.state(cloud)["requests"]))
            self.home.sweep()
            ended.join()
            self.assertEqual(len(self.alive(cloud)), 1)
            self.assertEqual(len(self.known()), 1, self.said())
            self.run_souk("status")
            self.clouds.post(cloud, "faults", {"faults": [], "replace": True})
            self.refresh()
            self.assertEqual(self.alive(cloud), [], self.said())
            self.gone(cloud)
        self.each(work)

    def test_4_machines_that_the_store_knows_nothing_of(self):
        def work(cloud):
            self.assertEqual(self.launch(cloud), 0, self.said())
            # the worst bug there can be: the store is gone
            shutil.rmtree(os.path.join(self.home.path, "souk", "state"))
            self.assertEqual(self.known(), [])
            self.assertEqual(len(self.alive(cloud)), 1)
            _, out, _ = self.run_souk("doctor", "--providers", cloud)
            self.assertIn("leak", out, self.said())
            self.run_souk("doctor", "--providers", cloud, "--tear-down", "-y")
            self.assertEqual(self.alive(cloud), [], self.said())
        self.each(work)

    def wait_for(self, condition):
        event = threading.Event()
        for _ in range(2400):
            if condition():
                return
            event.wait(0.05)
        self.fail(f"waited in vain\n{self.said()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--souk", default=os.environ.get("SOUK", "souk"))
    parser.add_argument("--clouds", default=",".join(workbench.ALL))
    parser.add_argument("-k", dest="pattern", action="append", help="only tests with this in the name")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="souk-leaks-"))
        KnownLeaks.clouds = workbench.Clouds(folder, args.clouds.split(","))
        stack.callback(KnownLeaks.clouds.stop)
        KnownLeaks.home = workbench.Home(workbench.command(args.souk, parser),
                                         os.path.join(folder, "home"), 180)
        stack.callback(KnownLeaks.home.sweep)
        loader = unittest.TestLoader()
        if args.pattern:
            loader.testNamePatterns = [f"*{p}*" for p in args.pattern]
        suite = loader.loadTestsFromTestCase(KnownLeaks)
        result = unittest.TextTestRunner(verbosity=2).run(suite)
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
