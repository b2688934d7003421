#!/usr/bin/env python3
"""What `stele triggers fire` and `deliver` say of what they start, and of what refuses."""

import unittest

from program import ProgramTest

FAILS = """
name: hasty
steps:
  - {id: a, type: delay, config: {duration: "${input.wait}"}}
triggers:
  - {type: manual, name: by-hand}
"""
HOOKS = """
name: hooks
steps:
  - {id: a, type: script, config: {script: "true"}}
triggers:
  - {type: webhook, name: plain, path: /in}
  - {type: webhook, name: signed, path: /signed, secret: "{{ secrets.NOT_THERE }}"}
"""


class Firing(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("definitions", "register", self.write("hasty.yml", FAILS))
        self.json("triggers", "add", "hasty", "--kind", "manual", "--name", "mine", "--json")
        self.id = str({t["name"]: t["trigger"]
                       for t in self.json("triggers", "list", "--json")}["mine"])

    def test_one_that_fails_at_once_is_told_with_its_end_and_exit_code(self):
        fired = self.stele("triggers", "fire", self.id, "--input", '{"wait": "soon"}', code=1)
        self.assertIn("failed", fired.stdout)
        self.assertIn("Expected instance 1 to complete but it failed", fired.stderr)
        self.assertNotIn("before", fired.stdout + fired.stderr)

    def test_one_that_ends_at_once_is_told_with_its_end(self):
        fired = self.stele("triggers", "fire", self.id, "--input", '{"wait": "0s"}')
        self.assertIn("instance 1 completed", fired.stdout)
        self.assertNotIn("before", fired.stdout + fired.stderr)

    def test_a_known_key_is_noted_and_the_end_told_again(self):
        words = ("triggers", "fire", self.id, "--key", "k", "--input", '{"wait": "soon"}')
        self.stele(*words, code=1)
        again = self.stele(*words, code=1)
        self.assertIn("instance 1 was started by the same key before", again.stderr)
        self.assertIn("failed", again.stdout)
        self.assertEqual(len(self.json("list", "--json")["instances"]), 1)

    def test_a_delay_that_is_too_long_is_refused_with_its_bound(self):
        fired = self.stele("triggers", "fire", self.id, "--input", '{"wait": "4000d"}', code=1)
        self.assertIn("of at most 10 years", fired.stderr)

    def test_a_trigger_that_is_not_there_has_one_code(self):
        for words in (("show", "99"), ("next", "99"), ("fire", "99"), ("pause", "99")):
            with self.subTest(words=words):
                refused = self.stele("triggers", *words, code=2)
                self.assertIn("STL0904: Expected a trigger but found no 99", refused.stderr)

    def test_a_firing_that_waits_for_its_definition_is_shown_as_one(self):
        self.stele("definitions", "pause", "hasty")
        fired = self.stele("triggers", "fire", self.id, "--input", '{"wait": "0s"}')
        self.assertIn("starts later", fired.stdout)
        self.stele("definitions", "retire", "hasty")
        self.assertRegex(self.stele("triggers", "list").stdout,
                         "mine .* fired; no version of its definition is active")
        self.assertRegex(self.stele("triggers", "show", self.id).stdout,
                         "last_outcome +fired; no version of its definition is active")


class Delivering(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("definitions", "register", self.write("hooks.yml", HOOKS))

    def test_a_trigger_that_refuses_exits_1(self):
        bad = self.write("bad.json", "{")
        refused = self.stele("triggers", "deliver", "--path", "/in", "--body", bad, code=1)
        self.assertIn("with status 400", refused.stdout)
        good = self.write("good.json", "{}")
        refused = self.stele("triggers", "deliver", "--path", "/signed", "--body", good, code=1)
        self.assertIn("with status 503", refused.stdout)

    def test_what_no_trigger_listens_for_exits_2(self):
        self.assertIn("STL0901", self.stele("triggers", "deliver", "--path", "/no", code=2).stderr)
        refused = self.stele("triggers", "deliver", "--path", "/in", "--method", "PUT", code=2)
        self.assertIn("STL0902", refused.stderr)


if __name__ == "__main__":
    unittest.main()
