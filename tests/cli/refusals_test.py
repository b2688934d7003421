#!/usr/bin/env python3
"""What is refused leaves nothing behind, and says what was expected and what was found."""

import os
import unittest

from program import ProgramTest
from workflows import APPROVAL, MANUAL, MESSAGE, TWO_STEPS

TYPED = TWO_STEPS.replace('word: "hello"', "count: {type: integer, default: 1}")
TRIGGERED = """
name: "timed"
triggers:
  - {id: "never", type: "schedule", config: {cron: "61 * * * *"}}
steps:
  - {id: "a", type: "nonsense"}
  - {id: "b", type: "script", depends_on: ["zz"], config: {script: "true"}}
"""
BY_HAND = """
name: "asked"
triggers:
  - {id: "by-hand", type: "manual", conditions: ["input.day == 'monday'"]}
steps:
  - {id: "a", type: "script", config: {script: "true"}}
"""


class Publishing(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("definitions", "register", self.write("m.yml", MESSAGE))

    def test_an_id_that_is_known_is_said_with_its_place(self):
        words = ("publish", "payment", "--key", "B", "--id", "M-1", "--payload", '{"sum": 3}')
        first = self.json(*words, "--json")
        self.assertFalse(first["known"])
        again = self.json(*words, "--json")
        self.assertEqual((again["known"], again["position"]), (True, first["position"]))
        said = self.stele(*words)
        self.assertIn(f"at position {first['position']}", said.stderr)
        self.assertNotIn("is published", said.stdout)
        self.stele("verify")

    def test_another_message_under_a_known_id_is_refused(self):
        self.stele("publish", "payment", "--key", "B", "--id", "M-1", "--payload", "1")
        for words, difference in ((("payment", "--key", "B", "--payload", "2"), "its payload"),
                                  (("payment", "--key", "C", "--payload", "1"), 'the key "B"'),
                                  (("other", "--key", "B", "--payload", "1"), "the name")):
            refused = self.stele("publish", *words, "--id", "M-1", code=1)
            self.assertIn("STL0410", refused.stderr)
            self.assertIn(difference, refused.stderr)

    def test_keys_have_a_limit(self):
        long = "k" * 1025
        for words in (("--key", long), ("--id", long)):
            refused = self.stele("publish", "payment", *words, code=2)
            self.assertIn("at most 1024 bytes but found 1025", refused.stderr)
        for option in ("--business-key", "--idempotency-key", "--tag"):
            refused = self.stele("start", "payment", option, long, code=2)
            self.assertIn("at most 1024 bytes but found 1025", refused.stderr)
        self.assertEqual(self.json("list", "--json")["instances"], [])


class AtAServer(ProgramTest):
    def test_what_works_on_files_needs_none(self):
        for command in ("validate", "convert", "config"):
            refused = self.stele(command, "--server", "127.0.0.1:7421", code=2).stderr
            self.assertIn("works on files of this machine and needs no server", refused)
            self.assertNotIn("data directory", refused)
        self.assertIn("needs a data directory", self.stele("restore", "--server", "a:1", code=2).stderr)


class Starting(ProgramTest):
    def test_a_refused_start_registers_nothing_and_uses_up_no_number(self):
        file = self.write("typed.yml", TYPED)
        for words in (("--var", "count=many"), ("--input", "[1]"), ("--var", "count=1e400")):
            self.stele("run", file, *words, code=2)
        self.assertFalse(os.path.exists(self.path("stele-data")))
        self.stele("run", self.write("two.yml", TWO_STEPS))
        self.stele("run", file, "--var", "count=many", code=2)
        self.assertNotIn("typed", self.stele("definitions", "list").stdout)
        self.assertEqual(self.json("run", file, "--json")["instance"], 2)

    def test_an_idempotency_key_of_another_start_is_refused(self):
        file = self.write("typed.yml", TYPED)
        other = self.write("other.yml", TWO_STEPS.replace('name: "two"', 'name: "other"'))
        self.stele("run", file, "--idempotency-key", "k")
        again = self.stele("run", file, "--idempotency-key", "k")
        self.assertIn("same idempotency key", again.stderr)
        for words, what in (((other,), "definition"), ((file, "--input", '{"a": 1}'), "input"),
                            ((file, "--business-key", "b"), "business key"),
                            ((file, "--var", "count=many"), "value of a variable")):
            for more in ((), ("--no-wait",)):
                refused = self.stele("run", *words, "--idempotency-key", "k", *more, code=1)
                self.assertIn("STL0410: Expected a new idempotency key for this start but instance "
                              f'1 was started with "k" and another {what}', refused.stderr)
                self.assertEqual(refused.stdout, "")
        self.assertNotIn("other", self.stele("definitions", "list").stdout)
        known = self.json("run", file, "--idempotency-key", "k", "--no-wait", "--json")
        self.assertEqual((known["instance"], known["known"]), (1, True))

    def test_a_unique_key_that_is_taken_leaves_no_new_version(self):
        self.stele("run", self.write("a.yml", APPROVAL), "--business-key", "K", code=3)
        changed = self.write("b.yml", APPROVAL.replace("Check the bill", "Look at the bill"))
        refused = self.stele("run", changed, "--business-key", "K", "--unique", code=1)
        self.assertIn("STL0410", refused.stderr)
        self.assertEqual(len(self.json("definitions", "list", "--json")), 1)


MANY = """
name: "many"
steps:
  - id: "a"
    type: "http"
    config: {method: 5, url: "https://x/{{ 1 + }}/{{ * 2 }}"}
    output_mapping: {x: "1 +"}
  - {id: "b", type: "script", depends_on: ["zz"], config: {script: "{{ loop.item }}"}}
  - {id: "c", type: "script", config: {runtime: "bash"}}
  - {id: "d", type: "http", config: {timeouts: 5}}
  - {id: "e", type: "nonsense", config: {}}
"""


class Validating(ProgramTest):
    def test_every_fault_is_told_in_one_go(self):
        self.write("many.yml", MANY)
        told = self.stele("validate", "many.yml", code=2).stderr.splitlines()
        for place, code, words in ((4, 505, "method"), (6, 201, "`}`"), (6, 201, "`*`"),
                                   (7, 201, "the end"), (8, 104, "zz"), (8, 110, "loop.item"),
                                   (9, 505, "script"), (10, 505, "`url` but"),
                                   (10, 505, "`timeouts`"), (11, 107, "nonsense")):
            with self.subTest(words, place=place):
                found = [line for line in told if words in line
                         and line.startswith(f"many.yml:{place}:") and f" STL{code:04}: " in line]
                self.assertEqual(len(found), 1, told)
        self.assertEqual(len([line for line in told if ":4:" in line]), 1, "method alone")


class Words(ProgramTest):
    def test_empty_texts_are_refused(self):
        file = self.write("two.yml", TWO_STEPS)
        for option in ("--idempotency-key", "--business-key", "--tag", "--data", "--by"):
            refused = self.stele("run", file, option, "", code=2)
            self.assertRegex(refused.stderr, f"Expected .* behind {option} but found an empty text")
        self.stele("run", file, "--var", "word=")

    def test_what_is_no_file_is_named_as_what_it_is(self):
        os.mkfifo(self.path("pipe"))
        os.mkdir(self.path("folder"))
        for command in (("validate",), ("run",), ("definitions", "register"),
                        ("convert", "--dialect", "steps")):
            self.assertIn("a pipe", self.stele(*command, "pipe", code=2).stderr)
            self.assertIn("a directory", self.stele(*command, "./folder", code=2).stderr)
        refused = self.stele("run", self.write("two.yml", TWO_STEPS), "--input", "@folder", code=2)
        self.assertIn("found a directory", refused.stderr)

    def test_numbers_and_depths_beyond_what_is_kept_are_named(self):
        file = self.write("two.yml", TWO_STEPS)
        self.assertIn("1.8e308", self.stele("run", file, "--var", "x=1e400", code=2).stderr)
        self.write("deep.json", "[" * 50_000)
        refused = self.stele("run", file, "--input", "@deep.json", code=2)
        self.assertIn("at most 128 arrays and objects in each other", refused.stderr)
        self.stele("run", file, "--var", "x=007", "--var", "y=1e")

    def test_a_definition_that_nobody_registered_is_unknown(self):
        self.stele("run", self.write("two.yml", TWO_STEPS))
        for command in ("list", "tasks"):
            refused = self.stele(command, "--definition", "nope", code=2)
            self.assertIn("STL0407", refused.stderr)
            self.assertIn("registered: two", refused.stderr)


class Directories(ProgramTest):
    def test_faulty_settings_are_told_by_every_command(self):
        self.stele("run", self.write("two.yml", TWO_STEPS))
        self.write("stele-data/settings.json", '{"max_outputbytes": 1}')
        for words in (("list",), ("verify",), ("status", "1"), ("logs", "1"), ("history", "1"),
                      ("tasks",), ("pause", "1"), ("definitions", "list"), ("types", "list"),
                      ("triggers", "list"), ("resume",)):
            with self.subTest(words):
                self.assertIn("max_output_bytes", self.stele(*words, code=2).stderr)

    def test_types_of_the_default_directory_count_in_validate(self):
        self.write("schema.json", '{"type": "object", "required": ["size"]}')
        self.stele("types", "register", "resize", "--schema", "schema.json", "--url",
                   "http://localhost:1/resize")
        file = self.write("own.yml", "name: own\nsteps:\n  - {id: a, type: 'custom:resize', "
                                     "config: {size: 3}}\n")
        self.stele("validate", file)


class Triggers(ProgramTest):
    def test_their_faults_are_told_with_those_of_steps(self):
        file = self.write("timed.yml", TRIGGERED)
        for command in (("validate",), ("definitions", "register"), ("run",)):
            faults = self.stele(*command, file, code=2).stderr
            for place in ("timed.yml:4:", "timed.yml:6:", "timed.yml:7:"):
                self.assertIn(place, faults)
        self.assertFalse(os.path.exists(self.path("stele-data")))

    def test_a_condition_that_does_not_hold_refuses(self):
        self.stele("definitions", "register", self.write("asked.yml", BY_HAND))
        self.stele("triggers", "add", "asked", "--kind", "manual", "--config",
                   '{"conditions": ["input.day == 1"]}', "--name", "second")
        number = str(max(t["trigger"] for t in self.json("triggers", "list", "--json")
                         if t["trigger"]))
        refused = self.stele("triggers", "fire", number, "--input", '{"day": 2}', code=1)
        self.assertIn("does not hold", refused.stderr)


class People(ProgramTest):
    def test_who_may_not_complete_a_task_may_not_fail_it(self):
        self.stele("run", self.write("m.yml", MANUAL), code=3)
        for command in ("complete", "fail"):
            refused = self.stele(command, "1", "pack", "--by", "mallory", code=1)
            self.assertIn("STL0408", refused.stderr)
        self.stele("claim", "1", "pack", "--by", "anna")
        refused = self.stele("fail", "1", "pack", "--by", "bo", "--as-operator", code=1)
        self.assertIn("Failed by bo", refused.stderr)


if __name__ == "__main__":
    unittest.main()
