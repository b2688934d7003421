#!/usr/bin/env python3
"""`stele serve`: goes on with what is open, fires timers, stops in order, and survives a kill."""

import os
import signal
import unittest

from program import ManagedTest
from workflows import APPROVAL, MESSAGE

STEPS = """
name: "served"
steps:
  - id: "pause"
    type: "delay"
    config: {duration: "20ms"}
  - id: "act"
    type: "script"
    depends_on: ["pause"]
    config: {runtime: "bash", script: "echo > $STELE_WORKSPACE/acted; until [[ -e $STELE_WORKSPACE/go ]]; do read -t 0.01 <> <(:); done; echo went=yes >> outputs"}
    retry_policy: {max_attempts: 5, backoff_strategy: "fixed", initial_delay: "0s"}
"""

PAYMENT = """
name: "payment"
steps:
  - id: "pay"
    type: "script"
    config: {runtime: "bash", script: "echo paid >> $STELE_WORKSPACE/ledger; echo > $STELE_WORKSPACE/acted; until [[ -e $STELE_WORKSPACE/go ]]; do read -t 0.01 <> <(:); done; true"}
  - id: "ship"
    type: "script"
    depends_on: ["pay"]
    config: {runtime: "bash", script: "echo shipped >> $STELE_WORKSPACE/ledger"}
"""


class Serve(ManagedTest):
    def serve(self, *words, **variables):
        child = self.start("serve", *words, **variables)
        return child, self.wait_for_line(child, "stele serves")

    def tells(self, name):
        """A pipe that a step of the served engine writes to."""
        os.mkfifo(self.path(name))

    def wait_for(self, name):
        with open(self.path(name), encoding="utf-8") as told:
            told.read()
        os.unlink(self.path(name))

    def stop(self, child, code=0):
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(timeout=60), code)

    def test_says_one_line_and_stops_with_0(self):
        child, line = self.serve()
        self.assertRegex(line, r"^stele serves \./stele-data with 0 open instances; process \d+$")
        self.stop(child)
        self.assertEqual(child.stdout.read(), "")
        self.assertEqual(child.stderr.read(), "")

    def test_holds_the_directory(self):
        self.stele("run", self.write("a.yml", APPROVAL), code=3)
        child, line = self.serve()
        self.assertIn("1 open instance;", line)
        refused = self.stele("list", code=2).stderr
        self.assertIn("STL0303", refused)
        self.assertIn(f"process {child.pid} (stele)", refused)
        self.stop(child)
        self.stele("list")

    def test_goes_on_and_fires_timers(self):
        self.tells("acted")
        self.stele("start", self.write("s.yml", STEPS), "--no-wait")
        child, _ = self.serve("--drain-timeout", "50ms")
        self.wait_for("acted")
        self.stop(child)
        self.write("go", "")
        self.assertIn("went: yes", self.stele("resume").stdout)
        self.stele("verify")

    def pay(self, *words, **variables):
        """A server whose payment is under way: it has written its line, and waits for `go`."""
        self.tells("acted")
        self.stele("start", self.write("p.yml", PAYMENT), "--no-wait")
        child, _ = self.serve(*words, **variables)
        self.wait_for("acted")
        return child

    def ledger(self):
        with open(self.path("ledger"), encoding="utf-8") as file:
            return file.read().split()

    def test_waits_for_what_runs_at_its_end(self):
        child = self.pay("--drain-timeout", "10m", NOTIFY_SOCKET=self.manage())
        child.send_signal(signal.SIGTERM)
        # It goes on only when the end has begun.
        self.told("STOPPING=1")
        self.assertIsNone(child.poll())
        self.write("go", "")
        self.assertEqual(child.wait(timeout=60), 0)
        self.assertEqual(self.ledger(), ["paid"])
        self.stele("resume")
        self.assertEqual(self.ledger(), ["paid", "shipped"])
        self.assertEqual(self.json("status", "1", "--json")["status"], "completed")
        self.stele("verify")

    def test_what_it_cuts_off_is_not_done_twice(self):
        self.stop(self.pay("--drain-timeout", "50ms"))
        self.write("go", "")
        self.stele("resume", code=1)
        self.assertEqual(self.ledger(), ["paid"])
        self.assertIn("interrupted", self.stele("status", "1").stdout)
        self.stele("verify")

    def test_what_a_kill_leaves_goes_on(self):
        self.tells("acted")
        self.stele("start", self.write("s.yml", STEPS), "--no-wait")
        self.stele("run", self.write("m.yml", MESSAGE), code=3)
        child, _ = self.serve()
        self.wait_for("acted")
        child.kill()
        child.wait()
        self.write("go", "")
        self.assertIn("thanked: yes", self.stele("publish", "payment", "--key", "A-17").stdout)
        self.stele("resume")
        self.assertEqual([i["status"] for i in self.json("list", "--json")["instances"]],
                         ["completed", "completed"])
        self.stele("verify")


if __name__ == "__main__":
    unittest.main()
