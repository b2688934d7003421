#!/usr/bin/env python3
"""Histories decided again, by this build and with a changed definition."""

import json
import re
import unittest

from served import ServedTest

LOAN = """
name: loan
variables: {amount: 0}
steps:
  - {id: check, type: script, config: {script: echo checked}}
  - {id: small, type: script, depends_on: [check], condition: variables.amount < 5000, config: {script: echo paid}}
  - {id: review, type: script, depends_on: [check], condition: variables.amount >= 5000, config: {script: echo reviewed}}
"""
STRICTER = LOAN.replace("5000", "2000")
OTHER = """
name: other
steps:
  - {id: a, type: script, config: {script: exit 1}}
"""


class Replay(ServedTest):
    def setUp(self):
        super().setUp()
        self.loan = self.write("loan.yml", LOAN)
        for amount in ("800", "3000", "9000", "4000"):
            self.stele("run", self.loan, "--var", f"amount={amount}", "--data", "data")
        self.stele("run", self.write("other.yml", OTHER), "--data", "data", code=1)
        self.stele("retry", "5", "--data", "data", code=1)

    def replay(self, *words, code=0):
        return self.stele("replay", *words, "--data", "data", code=code)

    def replayed(self, *words, code=0):
        return json.loads(self.replay(*words, "--json", code=code).stdout)

    def test_this_build_decides_the_same(self):
        said = self.replay().stdout
        self.assertRegex(said, r"^replayed: \d+ records with \d+ events of 5 instances\n  5 the same\n$")
        verified = self.stele("verify", "--data", "data").stdout
        one, four = self.replayed("--jobs", "1"), self.replayed("--jobs", "4")
        self.assertEqual(one, four)
        self.assertEqual((one["same"], one["different"], one["differences"]), (5, 0, []))
        # Those of the registry are not decided.
        self.assertGreater(int(re.search(r"verified: (\d+)", verified)[1]), one["records"])

    def test_a_changed_definition_differs_where_it_has_an_effect(self):
        said = self.replay("--definition", self.write("stricter.yml", STRICTER), code=1).stdout
        self.assertIn("of 4 instances\n  2 the same\n  2 different\n", said)
        self.assertIn("small: step_activated → step_skipped   2 instances\n  instance 2, seq ", said)
        found = self.replayed("--definition", "stricter.yml", code=1)
        (group,) = found["differences"]
        self.assertEqual((group["kind"], group["step"], group["recorded"], group["now"]),
                         ("consequence", "small", "step_activated", "step_skipped"))
        self.assertEqual([place["instance"] for place in group["first"]], [2, 4])
        first = group["first"][0]
        history = [json.loads(line) for line in
                   self.stele("history", "2", "--json", "--data", "data").stdout.splitlines()]
        event = next(event for event in history if event["seq"] == first["seq"])
        self.assertEqual((event["event"], event["step"]), ("step_activated", "small"))
        self.assertEqual(event["position"], first["position"])

    def test_a_task_that_is_asked_something_else_is_told_on_its_own(self):
        changed = self.write("changed.yml", LOAN.replace("echo checked", "echo seen"))
        said = self.replay("--definition", changed, code=1).stdout
        self.assertIn("  4 the same, but tasks would be asked something else\n", said)
        self.assertIn("check: is asked something else (config.script)   4 instances\n", said)
        self.assertIn('- {"config.script":"echo checked"}\n', said)
        self.assertIn('+ {"config.script":"echo seen"}\n', said)

    def test_registered_versions_are_named(self):
        self.stele("definitions", "register", self.write("loan.yml", STRICTER), "--data", "data")
        for words in (("loan@1",), ("loan", "--version", "1")):
            self.assertEqual(self.replayed("--definition", *words)["same"], 4)
        for words in (("loan@2",), ("loan",)):
            self.assertEqual(self.replayed("--definition", *words, code=1)["different"], 2)

    def test_a_query_says_which_instances(self):
        self.assertEqual(self.replayed("--instances", "definition:other")["instances"], 1)
        self.assertEqual(self.replayed("--instances", "status:completed")["instances"], 4)
        self.stele("definitions", "register", self.write("stricter.yml", STRICTER), "--data", "data")
        found = self.replayed("--instances", "var.amount=9000", "--definition", "stricter.yml")
        self.assertEqual((found["instances"], found["same"]), (1, 1))
        nothing = self.replay("--instances", "definition:none")
        self.assertIn("no instance fits", nothing.stderr)

    def test_a_definition_of_another_name_compares_nothing_and_fails(self):
        misnamed = self.write("misnamed.yml", LOAN.replace("name: loan", "name: loam"))
        for words in ((), ("--instances", "status:completed")):
            refused = self.replay("--definition", misnamed, *words, code=2).stderr
            self.assertIn("STL0407", refused)
            self.assertIn('did you mean "loan"?', refused)
        # A name that is known, and of which nothing has run.
        self.stele("definitions", "register", self.write("idle.yml", OTHER.replace("name: other", "name: idle")),
                   "--data", "data")
        self.assertIn("no instance fits", self.replay("--definition", "idle").stderr)

    def test_what_cannot_be_done_is_said(self):
        for words, said in ((("--version", "1"), "--definition"),
                            (("--definition", "none"), "STL0407"),
                            (("--definition", "missing.yml"), "missing.yml"),
                            (("--definition", self.write("bad.yml", "steps: [{id: a}]")), "bad.yml:1"),
                            (("--instances", "status:"), "Expected"),
                            (("--jobs", "0"), "--jobs")):
            with self.subTest(words):
                self.assertIn(said, self.replay(*words, code=2).stderr)
        self.stele("replay", "--data", "nowhere", code=2)

    def test_a_server_is_asked_for_the_records(self):
        stricter = self.write("stricter.yml", STRICTER)
        alone = [self.replayed(), self.replayed("--definition", stricter, code=1),
                 self.replayed("--definition", "loan@1", "--instances", "var.amount>1000")]
        child = self.start("serve", "--data", "data", "--rpc", "127.0.0.1:0", "--dev", "--http", "127.0.0.1:0")
        server = re.search(r"rpc at (\S+)", self.wait_for_line(child, "rpc at"))[1]
        served = [json.loads(self.stele("replay", *words, "--json", "--server", server, code=code).stdout)
                  for words, code in (((), 0), (("--definition", stricter), 1),
                                      (("--definition", "loan@1", "--instances", "var.amount>1000"), 0))]
        self.stop(child)
        self.assertEqual(served, alone)


if __name__ == "__main__":
    unittest.main()
