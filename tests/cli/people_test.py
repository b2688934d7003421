#!/usr/bin/env python3
"""Tasks for people: who may do what, in which order, and that nothing of it is lost."""

import unittest

from program import ProgramTest, interrupt
from workflows import APPROVAL, MANUAL


class Approvals(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("a.yml", APPROVAL), code=3)

    def test_enough_people_approve(self):
        done = self.stele("approve", "1", "review", "--by", "anna", "--comment", "fine", code=3)
        self.assertIn("1 of 2 approvals so far", done.stderr)
        self.assertIn("stele approve 1 review --by bo", done.stderr)
        self.assertIn("paid: yes", self.stele("approve", "1", "review", "--by", "carl", "--group",
                                              "ops").stdout)
        self.assertIn("anna approved: fine", self.stele("status", "1").stdout)
        self.stele("verify")

    def test_nobody_decides_twice_or_for_somebody_else(self):
        self.stele("approve", "1", "review", "--by", "anna", code=3)
        self.assertIn("STL0405", self.stele("approve", "1", "review", "--by", "anna", code=1).stderr)
        self.assertIn("STL0408", self.stele("approve", "1", "review", "--by", "eve", code=1).stderr)
        self.assertIn("STL0408", self.stele("approve", "1", "review", "--by", "eve", "--group",
                                            "sales", code=1).stderr)
        self.stele("approve", "1", "review", "--by", "eve", "--as-operator")

    def test_a_rejection_fails_the_step(self):
        done = self.stele("reject", "1", "review", "--by", "bo", "--comment", "too much", code=1)
        self.assertIn("too much", done.stderr)
        self.assertIn("STL0402", self.stele("approve", "1", "review", "--by", "anna",
                                            code=1).stderr)

    def test_a_claimed_task_is_one_persons_until_released_or_decided(self):
        self.stele("claim", "1", "review", "--by", "anna")
        self.stele("release", "1", "review", "--by", "anna")
        self.stele("claim", "1", "review", "--by", "anna")
        self.assertIn("STL0405", self.stele("claim", "1", "review", "--by", "bo", code=1).stderr)
        self.assertIn("STL0408", self.stele("approve", "1", "review", "--by", "bo", code=1).stderr)
        self.assertIn("STL0408", self.stele("release", "1", "review", "--by", "bo", code=1).stderr)
        self.assertIn("claimed by anna", self.stele("status", "1").stdout)
        # Who has decided holds it no more.
        done = self.stele("approve", "1", "review", "--by", "anna", code=3)
        self.assertIn("; stele approve 1 review --by bo", done.stderr)
        self.assertIn("STL0405", self.stele("release", "1", "review", "--by", "anna",
                                            code=1).stderr)
        self.stele("approve", "1", "review", "--by", "bo")
        self.stele("verify")

    def test_a_decision_while_paused_counts_when_resumed(self):
        self.stele("pause", "1")
        self.stele("approve", "1", "review", "--by", "anna", code=3)
        self.stele("approve", "1", "review", "--by", "bo", code=3)
        self.assertIn("paid: yes", self.stele("resume", "1").stdout)
        self.stele("verify")

    def test_an_approval_is_no_manual_task(self):
        self.assertIn("stele approve", self.stele("complete", "1", "review", "--by", "anna",
                                                  code=1).stderr)
        self.assertIn("STL0403", self.stele("approve", "1", "revue", "--by", "anna", code=2).stderr)
        self.assertIn("STL0405", self.stele("approve", "1", "pay", "--by", "anna", code=1).stderr)

    def test_recorded_only_it_goes_on_later(self):
        self.stele("approve", "1", "review", "--by", "anna", "--no-wait")
        self.assertIn('has "review" approved',
                      self.stele("approve", "1", "review", "--by", "bo", "--no-wait").stdout)
        self.assertIn("paid: yes", self.stele("resume").stdout)
        self.stele("verify")


class Manual(ProgramTest):
    def test_is_completed_with_what_was_filled_in(self):
        self.stele("run", self.write("m.yml", MANUAL), code=3)
        self.assertIn("stele approve", self.stele("--help").stdout)
        self.assertIn("stele complete", self.stele("approve", "1", "pack", "--by", "anna",
                                                   code=1).stderr)
        done = self.stele("complete", "1", "pack", "--by", "anna", "--var", "parcel=P-1")
        self.assertIn("P-1", done.stdout)

    def test_is_failed_with_a_kind(self):
        self.stele("run", self.write("m.yml", MANUAL), code=3)
        document = self.json("fail", "1", "pack", "--by", "anna", "--kind", "no_stock", "--comment",
                             "none left", "--json", code=1)
        self.assertEqual(document["error"]["kind"], "no_stock")
        self.assertIn("none left", document["error"]["message"])


class Tasks(ProgramTest):
    def test_lists_what_waits_for_whom(self):
        self.assertIn("STL0306", self.stele("tasks", code=2).stderr)
        self.stele("run", self.write("a.yml", APPROVAL), code=3)
        self.stele("run", self.write("m.yml", MANUAL), code=3)
        self.assertIn("Check the bill", self.stele("tasks").stdout)
        listed = lambda *words: [t["instance"] for t in self.json("tasks", "--json", "--sort",
                                                                  "created", *words)["tasks"]]
        self.assertEqual(listed(), [1, 2])
        self.assertEqual(listed("--assignee", "bo"), [1])
        self.assertEqual(listed("--assignee", "anna"), [1, 2])
        self.assertEqual(listed("--group", "ops"), [1])
        self.assertEqual(listed("--assignee", "nobody"), [])
        self.assertEqual(listed("--definition", "parcel"), [2])
        self.stele("complete", "2", "pack", "--by", "anna", "--var", "parcel=P")
        self.stele("claim", "1", "review", "--by", "carl", "--group", "ops")
        self.assertEqual(listed("--assignee", "carl"), [1])
        self.stele("terminate", "1")
        self.assertIn("nothing waits", self.stele("tasks").stdout)

    def test_two_data_directories_know_nothing_of_each_other(self):
        self.stele("run", self.write("a.yml", APPROVAL), "--data", "one", code=3)
        self.stele("run", self.write("m.yml", MANUAL), "--data", "two", code=3)
        self.assertEqual(self.json("tasks", "--data", "one", "--json")["tasks"][0]["step"], "review")
        self.assertEqual(self.json("tasks", "--data", "two", "--json")["tasks"][0]["step"], "pack")
        self.stele("complete", "1", "pack", "--by", "anna", "--data", "one", code=2)
        self.stele("complete", "1", "pack", "--by", "anna", "--var", "parcel=P", "--data",
                   "two")


class Killed(ProgramTest):
    HELD = APPROVAL + """  - id: "beside"
    type: "script"
    config: {runtime: "bash", script: "until [[ -e $STELE_WORKSPACE/go ]]; do read -t 0.01 <> <(:); done"}
    retry_policy: {max_attempts: 3, backoff_strategy: "fixed", initial_delay: "0s"}
"""

    def test_a_run_that_is_killed_while_a_task_waits_goes_on(self):
        child = self.start("run", self.write("held.yml", self.HELD))
        self.wait_for_line(child, "beside started", "review waits for")
        child.kill()
        child.communicate()
        self.stele("claim", "1", "review", "--by", "anna")
        self.stele("approve", "1", "review", "--by", "anna", "--no-wait")
        child = self.start("approve", "1", "review", "--by", "bo", "--as-operator")
        self.wait_for_line(child, "pay completed")
        interrupt(child)
        _, errors = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 3, errors)
        self.write("go", "")
        self.assertIn('"paid":"yes"', self.stele("resume").stdout)
        self.stele("verify")


if __name__ == "__main__":
    unittest.main()
