#!/usr/bin/env python3
"""What operators do to instances and steps, in the right state and in the wrong one."""

import os
import unittest

from program import ProgramTest
from workflows import APPROVAL, FAILS, MESSAGE, PARKS, SIGNAL, TWO_STEPS


class Pausing(ProgramTest):
    def test_an_instance_that_starts_paused_goes_step_by_step(self):
        done = self.stele("run", self.write("two.yml", TWO_STEPS), "--paused", code=3)
        self.assertIn("stele resume 1", done.stderr)
        document = self.json("step", "1", "--json", code=3)
        self.assertEqual(document["status"], "paused")
        self.assertEqual([s["state"] for s in document["steps"]], ["completed"])
        self.stele("step", "1", code=3)
        self.assertEqual(len(self.json("status", "1", "--json")["steps"]), 2)
        self.stele("resume", "1", "--reason", "all is well", "--by", "anna")
        resumed = [e for e in self.history() if e["event"] == "instance_resumed"]
        self.assertEqual((resumed[-1]["reason"], resumed[-1]["actor"]), ("all is well", "anna"))
        self.stele("verify")

    def test_steps_follow_one_another_as_far_as_there_are_some(self):
        file = self.write("two.yml", TWO_STEPS)
        self.stele("run", file, "--paused", code=3)
        self.stele("step", "1", "2", code=3)
        states = {s["step"]: s["state"] for s in self.json("status", "1", "--json")["steps"]}
        self.assertEqual(states, {"first": "completed", "second": "completed"})
        self.stele("run", file, "--paused", code=3)
        self.assertEqual(self.json("step", "2", "9", "--json")["status"], "completed")
        self.stele("run", self.write("a.yml", APPROVAL), "--paused", code=3)
        self.assertEqual(self.json("step", "3", "9", "--json", code=3)["status"], "paused")
        resumed = [e for e in self.history("3") if e["event"] == "instance_resumed"]
        self.assertEqual(len(resumed), 1, "behind the approval nothing is held")
        self.stele("verify")

    def test_several_held_steps_at_once(self):
        beside = TWO_STEPS.replace('    depends_on: ["first"]\n', "")
        self.stele("start", self.write("two.yml", beside), "--step-by-step", code=3)
        self.stele("step", "1", "2", code=3)
        states = [s["state"] for s in self.json("status", "1", "--json")["steps"]]
        self.assertEqual(states, ["completed", "completed"])
        self.assertIn("STL0701", self.stele("step", "1", "none", code=2).stderr)

    def test_a_waiting_instance_is_paused_and_resumed(self):
        self.stele("run", self.write("approval.yml", APPROVAL), code=3)
        self.assertIn("instance 1 is paused", self.stele("pause", "1").stdout)
        self.assertEqual(self.json("list", "--json")["instances"][0]["status"], "paused")
        self.assertIn("paused already", self.stele("pause", "1", code=1).stderr)
        self.assertIn("waits for", self.stele("resume", "1", code=3).stderr)
        self.assertIn("STL0405", self.stele("resume", "1", code=1).stderr)
        self.assertEqual(self.json("list", "--json")["instances"][0]["status"], "waiting")

    def test_each_of_several_is_done_or_refused_for_itself(self):
        file = self.write("approval.yml", APPROVAL)
        self.stele("run", file, code=3)
        self.stele("run", file, code=3)
        self.stele("pause", "2")
        done = self.stele("pause", "1", "2", "9", code=2)
        self.assertIn("instance 1 is paused", done.stdout)
        self.assertIn("found it paused already", done.stderr)
        self.assertIn("found no 9", done.stderr)


class Ending(ProgramTest):
    def test_cancels_with_and_without_compensation(self):
        undo = TWO_STEPS.replace(
            'depends_on: ["first"]\n    config: {runtime: "bash", script: "echo two=2 >> outputs"}',
            'depends_on: ["first"]\n    type: "approval"\n    config: {assignees: ["anna"]}')
        undo = undo.replace('type: "script"\n    depends_on: ["first"]\n    type: "approval"',
                            'type: "approval"\n    depends_on: ["first"]')
        undo = undo.replace('  - id: "first"\n', '  - id: "first"\n    compensation: "undo"\n')
        undo += """  - id: "undo"
    type: "script"
    config: {runtime: "bash", script: "touch $STELE_WORKSPACE/undone"}
"""
        file = self.write("undo.yml", undo)
        self.stele("run", file, code=3)
        self.stele("cancel", "1", "--reason", "changed my mind")
        self.assertFalse(os.path.exists(self.path("undone")))
        self.stele("run", file, code=3)
        undone = self.stele("cancel", "2", "--compensate").stdout
        self.assertIn("cancelled", undone)
        self.assertIn("undoing what was done\n", undone)
        self.assertTrue(os.path.exists(self.path("undone")))
        for words in (["cancel", "1"], ["pause", "1"], ["terminate", "1"], ["set", "1", "a=1"],
                      ["signal", "1", "go"], ["skip", "1", "first"]):
            with self.subTest(words):
                self.assertIn("STL0402", self.stele(*words, code=1).stderr)
        self.stele("verify")

    def test_terminates(self):
        self.stele("run", self.write("approval.yml", APPROVAL), code=3)
        self.assertIn("terminated", self.stele("terminate", "1", "--reason", "gone").stdout)
        self.assertEqual(self.history()[-1]["reason"], "gone")

    def test_an_unknown_instance_or_a_word_is_bad_usage(self):
        self.stele("run", self.write("two.yml", TWO_STEPS))
        for command in ("pause", "cancel", "terminate", "retry", "resume", "step"):
            self.assertIn("STL0401", self.stele(command, "9", code=2).stderr)
            self.assertIn("STL0701", self.stele(command, "x", code=2).stderr)
            self.assertIn("STL0306",
                          self.stele(command, "1", "--data", "elsewhere", code=2).stderr)
        self.assertFalse(os.path.exists(self.path("elsewhere")))


class Mending(ProgramTest):
    def test_a_failed_instance_is_retried(self):
        self.stele("run", self.write("fails.yml", FAILS), code=1)
        self.stele("retry", "1", code=1)
        self.write("mended", "")
        self.assertIn("done: yes", self.stele("retry", "1", "--reason", "mended").stdout)
        self.assertIn("STL0405", self.stele("retry", "1", code=1).stderr)
        self.stele("verify")

    def test_a_parked_step_is_retried_resolved_or_skipped(self):
        file = self.write("parks.yml", PARKS)
        done = self.stele("run", file, code=3)
        self.assertIn("stele resolve 1 first retry|skip|fail", done.stderr)
        self.stele("run", file, code=3)
        self.stele("run", file, code=3)
        self.assertEqual([i["status"] for i in self.json("list", "--json")["instances"]], ["parked"] * 3)
        self.stele("retry", "1", "first", code=3)
        self.write("mended", "")
        self.stele("retry", "1", "first")
        self.stele("resolve", "2", "first", "skip")
        self.stele("resolve", "3", "first", "fail", code=1)
        self.assertIn("STL0701", self.stele("resolve", "3", "first", "perhaps", code=2).stderr)
        self.assertIn("STL0402", self.stele("resolve", "2", "first", "skip", code=1).stderr)
        self.stele("verify")

    def test_only_an_optional_step_is_skipped(self):
        optional = APPROVAL.replace('type: "approval"', 'type: "approval"\n    optional: true')
        self.stele("run", self.write("a.yml", optional), code=3)
        self.stele("run", self.write("b.yml", APPROVAL), code=3)
        self.assertIn("paid: yes", self.stele("skip", "1", "review").stdout)
        self.assertIn("STL0405", self.stele("skip", "2", "review", code=1).stderr)
        self.assertIn("STL0405", self.stele("skip", "2", "pay", code=1).stderr)
        self.assertIn("STL0403", self.stele("skip", "2", "nothing", code=2).stderr)
        self.stele("verify")

    def test_goes_back_to_an_earlier_step(self):
        back = TWO_STEPS.replace(
            'type: "script"\n    depends_on: ["first"]',
            'type: "approval"\n    depends_on: ["first"]').replace(
            '"echo two=2 >> outputs"}', '"x", assignees: ["anna"]}').replace(
            '{runtime: "bash", script: "x", ', "{")
        self.stele("run", self.write("back.yml", back), code=3)
        self.stele("rollback", "1", "first", "--from", "second", "--reason", "again", code=3)
        started = [e["step"] for e in self.history() if e["event"] == "step_activated"]
        self.assertEqual(started, ["first", "second", "first", "second"])
        self.assertIn("STL0403", self.stele("rollback", "1", "none", code=2).stderr)
        self.stele("approve", "1", "second", "--by", "anna")
        self.assertIn("STL0402", self.stele("rollback", "1", "first", code=1).stderr)
        self.stele("verify")

    def test_a_step_that_is_open_more_than_once_is_named_with_its_run(self):
        loop = """
name: "each"
variables:
  numbers: [1, 2]
steps:
  - id: "all"
    type: "loop"
    items: "variables.numbers"
    max_concurrent: 2
    steps:
      - id: "ask"
        type: "approval"
        config: {assignees: ["anna"]}
"""
        done = self.stele("run", self.write("each.yml", loop), code=3)
        self.assertRegex(done.stderr, r"stele approve 1 ask#\d+ --by anna")
        refused = self.stele("approve", "1", "ask", "--by", "anna", code=1).stderr
        runs = [w["run"] for w in self.json("status", "1", "--json")["waiting_for"]]
        for run in runs:
            self.assertIn(f"ask#{run} (ask[", refused)
        self.stele("approve", "1", f"ask#{runs[0]}", "--by", "anna", code=3)
        self.assertIn("STL0405", self.stele("approve", "1", f"ask#{runs[0]}", "--by", "anna",
                                            code=1).stderr)
        self.stele("approve", "1", f"#{runs[1]}", "--by", "anna")
        self.stele("verify")


class Data(ProgramTest):
    def test_variables_are_set_with_their_types(self):
        typed = APPROVAL.replace("amount: 10", "amount: {type: integer, default: 10}")
        self.stele("run", self.write("a.yml", typed), code=3)
        self.stele("set", "1", "amount=12", "note=urgent", 'more={"a": [1]}', "--by", "anna")
        variables = self.json("status", "1", "--json")["variables"]
        self.assertEqual(variables, {"amount": 12, "note": "urgent", "more": {"a": [1]}})
        self.assertIn("STL0406", self.stele("set", "1", "amount=many", code=2).stderr)
        self.assertIn("STL0701", self.stele("set", "1", "amount", code=2).stderr)
        self.assertIn("STL0701", self.stele("set", "1", code=2).stderr)
        self.assertIn("STL0406", self.stele("set", "1", b"amount=\xff", code=2).stderr)
        self.stele("verify")

    def test_a_signal_goes_on_and_an_early_one_is_kept(self):
        file = self.write("gate.yml", SIGNAL)
        self.stele("run", file, code=3)
        self.assertIn("walked: yes", self.stele("signal", "1", "go", "--payload", "[1]").stdout)
        self.stele("run", file, "--paused", code=3)
        self.stele("signal", "2", "go", code=3)
        self.assertIn("walked: yes", self.stele("resume", "2").stdout)
        self.stele("verify")

    def test_live_lines_name_the_steps_as_the_new_version_does(self):
        self.stele("run", self.write("gate.yml", SIGNAL), code=3)
        renamed = SIGNAL.replace('"open"', '"door"')
        self.stele("definitions", "register", self.write("gate2.yml", renamed))
        self.stele("migrate", "1", "--to", "2", "--plan", '{"open": "door"}')
        said = self.stele("signal", "1", "go").stdout
        self.assertIn("✓ door completed", said)
        self.assertNotIn("open", said)
        self.assertEqual([s["label"] for s in self.json("status", "1", "--json")["steps"]],
                         ["door", "walk"])
        self.stele("verify")

    def test_a_message_reaches_one_that_waits_and_is_kept_for_one_that_does_not_yet(self):
        file = self.write("payment.yml", MESSAGE)
        self.stele("run", file, code=3)
        self.assertIn("nobody waits for it yet",
                      self.stele("publish", "payment", "--key", "other").stdout)
        document = self.json("publish", "payment", "--key", "A-17", "--payload", '{"sum": 3}',
                             "--json")
        self.assertEqual((document["instance"], document["status"]), (1, "completed"))
        self.stele("publish", "payment", "--key", "B", "--id", "M-1")
        self.stele("publish", "payment", "--key", "B", "--id", "M-1")
        self.stele("run", file, "--var", "order=B")
        self.stele("run", file, "--var", "order=B", code=3)
        self.stele("verify")

    def test_what_is_no_payload_or_time_is_refused(self):
        self.stele("run", self.write("gate.yml", SIGNAL), code=3)
        self.assertIn("STL0001", self.stele("signal", "1", "go", "--payload", "{", code=2).stderr)
        self.assertIn("STL0109", self.stele("publish", "m", "--ttl", "long", code=2).stderr)
        self.assertIn("STL0406", self.stele("publish", "", code=2).stderr)

    def test_migrates_to_another_version_or_lists_why_not(self):
        file = self.write("a.yml", APPROVAL)
        self.stele("run", file, code=3)
        self.stele("definitions", "register",
                   self.write("a.yml", APPROVAL.replace("paid=yes", "paid=twice")))
        self.stele("definitions", "register",
                   self.write("a.yml", APPROVAL.replace("review", "check")))
        self.assertIn("can be migrated", self.stele("migrate", "1", "--to", "2", "--dry-run").stdout)
        refused = self.stele("migrate", "1", "--to", "3", "--dry-run", code=1).stderr
        self.assertIn('STL0409: instance 1: Expected a place for "review"', refused)
        self.assertEqual(self.json("status", "1", "--json")["version"], 1)
        self.assertIn("STL0409", self.stele("migrate", "1", "--to", "3", code=1).stderr)
        self.assertIn("STL0407", self.stele("migrate", "1", "--to", "4", code=2).stderr)
        self.assertIn("STL0701", self.stele("migrate", "1", code=2).stderr)
        self.stele("definitions", "retire", "expense", "--version", "2")
        for more in ([], ["--dry-run"]):
            self.assertIn("STL0411", self.stele("migrate", "1", "--to", "2", *more, code=1).stderr)
        self.stele("migrate", "1", "--to", "3", "--plan", '{"review": "check"}')
        self.assertEqual(self.json("status", "1", "--json")["version"], 3)
        self.assertIn("check", self.stele("status", "1").stdout)
        self.stele("approve", "1", "check", "--by", "anna", code=3)
        self.assertIn("paid: yes", self.stele("approve", "1", "check", "--by", "bo").stdout)
        self.assertEqual(self.history()[-1]["event"], "instance_completed")
        self.stele("verify")


if __name__ == "__main__":
    unittest.main()
