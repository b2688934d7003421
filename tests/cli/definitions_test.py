#!/usr/bin/env python3
"""Definitions in the registry, and files from one notation to another."""

import json
import os
import unittest

from program import ProgramTest, example
from workflows import APPROVAL, TWO_STEPS

TEMPLATE = """
name: "greet"
parameters:
  - {name: "who", type: "string", required: true}
  - {name: "times", type: "integer", default: 1}
steps:
  - id: "greet"
    type: "script"
    config: {runtime: "bash", script: "echo greeting='hello <<who>> <<times>>' >> outputs"}
"""
DIALECTS = ("processes", "steps", "nodes", "process_steps", "ordered_tasks", "canonical")


class Registering(ProgramTest):
    def test_versions_count_up_and_the_same_file_is_found_again(self):
        file = self.write("two.yml", TWO_STEPS)
        first, = self.json("definitions", "register", file, "--json")
        again, = self.json("definitions", "register", file, "--json")
        self.assertEqual((first["version"], first["new"]), (1, True))
        self.assertEqual((again["version"], again["new"]), (1, False))
        self.write("two.yml", TWO_STEPS.replace("hello", "bye"))
        self.assertIn("two version 2 is registered",
                      self.stele("definitions", "register", file).stdout)

    def test_faults_are_listed_and_nothing_is_registered(self):
        good = self.write("good.yml", TWO_STEPS)
        bad = self.write("bad.yml", TWO_STEPS.replace('"first"]', '"nobody"]'))
        for words in (("run", bad), ("definitions", "register", good, bad, "missing.yml")):
            told = json.loads(self.stele(*words, "--json", code=2).stderr)["error"]
            first = told["faults"][0]
            self.assertEqual((told["code"], first["file"]), (first["code"], bad))
            self.assertRegex(told["message"], r"bad\.yml: Expected")
            self.assertGreater(first["line"], 1)
            self.assertEqual(told["faults"][-1]["file"], words[-1])
        self.assertEqual(sorted(told["faults"][-1]), ["code", "file", "message"])
        missing = json.loads(self.stele("run", "missing.yml", "--json", code=2).stderr)["error"]
        self.assertEqual([fault["file"] for fault in missing["faults"]], ["missing.yml"])
        self.assertRegex(self.stele("definitions", "register", good, bad, code=2).stderr,
                         r"bad\.yml:\d+:\d+: STL01\d\d")
        self.assertFalse(os.path.exists(self.path("stele-data")))

    def test_a_draft_starts_when_it_is_activated(self):
        file = self.write("two.yml", TWO_STEPS)
        self.assertIn("(draft)", self.stele("definitions", "register", file, "--draft").stdout)
        self.assertIn("STL0411", self.stele("start", "two", code=1).stderr)
        self.stele("definitions", "activate", "two")
        self.stele("start", "two")
        self.stele("verify")

    def test_states_change_and_are_shown_with_their_reasons(self):
        self.stele("definitions", "register", self.write("two.yml", TWO_STEPS))
        self.stele("definitions", "pause", "two", "--reason", "stocktaking", "--by", "anna")
        listed, = self.json("definitions", "list", "--json")
        self.assertEqual((listed["state"], listed["reason"]), ("paused", "stocktaking"))
        self.assertIn("STL0411", self.stele("definitions", "pause", "two", code=1).stderr)
        self.stele("definitions", "retire", "two")
        self.assertIn("STL0411", self.stele("definitions", "draft", "two", code=1).stderr)
        self.assertIn("STL0407", self.stele("definitions", "activate", "three", code=2).stderr)
        self.assertIn("STL0407", self.stele("definitions", "activate", "two", "--version", "2",
                                            code=2).stderr)
        self.assertIn("retired", self.stele("definitions", "list").stdout)

    def test_an_older_version_starts_when_the_newest_is_paused(self):
        file = self.write("two.yml", TWO_STEPS)
        self.stele("definitions", "register", file)
        self.stele("definitions", "register",
                   self.write("two.yml", TWO_STEPS.replace("hello", "bye")))
        self.stele("definitions", "pause", "two", "--version", "2")
        self.stele("start", "two")
        self.assertEqual(self.json("status", "1", "--json")["version"], 1)

    def test_shows_text_document_and_source(self):
        self.stele("definitions", "register", self.write("a.yml", APPROVAL))
        shown = self.stele("definitions", "show", "expense").stdout
        for word in ("review", "approval", "amount", "active"):
            self.assertIn(word, shown)
        document = self.json("definitions", "show", "expense", "--json")
        self.assertEqual(document["canonical"]["name"], "expense")
        self.assertEqual(self.stele("definitions", "show", "expense", "--source").stdout, APPROVAL)
        self.assertIn("STL0407", self.stele("definitions", "show", "x", code=2).stderr)

    def test_differences_are_sentences_or_json(self):
        self.stele("definitions", "register", self.write("a.yml", APPROVAL))
        self.stele("definitions", "register",
                   self.write("a.yml", APPROVAL.replace("min_approvers: 2", "min_approvers: 1")))
        self.assertIn("min_approvers", self.stele("definitions", "diff", "expense", "1", "2").stdout)
        difference, = self.json("definitions", "diff", "expense", "1", "2", "--json")
        self.assertEqual((difference["before"], difference["after"]), (2, 1))
        self.assertIn("nothing differs",
                      self.stele("definitions", "diff", "expense", "1", "1").stdout)
        self.assertIn("STL0407", self.stele("definitions", "diff", "expense", "1", "3",
                                            code=2).stderr)


class Files(ProgramTest):
    def test_every_notation_is_exported_and_read_again(self):
        self.stele("definitions", "register", self.write("two.yml", TWO_STEPS))
        for dialect in DIALECTS:
            for form in ("yaml", "json"):
                with self.subTest((dialect, form)):
                    text = self.stele("definitions", "export", "two", "--dialect", dialect,
                                      "--format", form).stdout
                    if form == "json":
                        json.loads(text)
                    file = self.write("again." + form, text)
                    self.assertEqual(self.json("run", file, "--json")["output"]["two"], "2")

    def test_an_example_is_converted_to_a_new_file(self):
        self.stele("convert", example("order-saga.yml"), "--dialect", "nodes", "--out", "out.yml")
        self.assertIn("tracking: T-A-1001", self.stele("run", "out.yml").stdout)
        self.assertIn("STL0003", self.stele("convert", example("order-saga.yml"), "--dialect",
                                            "nodes", "--out", "out.yml", code=2).stderr)

    def test_a_notation_must_be_named_and_known(self):
        file = self.write("two.yml", TWO_STEPS)
        self.assertIn("process_steps", self.stele("convert", file, code=2).stderr)
        self.assertIn("STL0701", self.stele("convert", file, "--dialect", "x", code=2).stderr)
        self.assertIn("STL0701", self.stele("convert", file, "--dialect", "nodes", "--format",
                                            "toml", code=2).stderr)
        self.assertIn("STL0003", self.stele("convert", "none.yml", "--dialect", "nodes",
                                            code=2).stderr)
        self.assertEqual(os.listdir(self.directory), ["two.yml"])


class Templates(ProgramTest):
    def test_a_template_and_values_make_a_definition(self):
        file = self.write("greet.yml", TEMPLATE)
        self.stele("definitions", "instantiate", file, "--name", "greet-anna", "--set", "who=Anna",
                   "--set", "times=2")
        self.assertEqual(self.json("start", "greet-anna", "--json")["output"]["greeting"],
                         "hello Anna 2")

    def test_values_that_miss_or_do_not_fit_are_faults(self):
        file = self.write("greet.yml", TEMPLATE)
        for words in ([], ["--set", "who=Anna", "--set", "times=often"],
                      ["--set", "who=Anna", "--set", "hwo=Bo"]):
            with self.subTest(words):
                refused = self.stele("definitions", "instantiate", file, *words, code=2).stderr
                self.assertRegex(refused, r"greet\.yml:.*STL01\d\d")
        self.assertFalse(os.path.exists(self.path("stele-data")))

    def test_is_printed_in_a_notation(self):
        text = self.stele("definitions", "instantiate", self.write("greet.yml", TEMPLATE), "--set",
                          "who=Bo", "--dialect", "steps").stdout
        self.assertIn("hello Bo 1", text)
        self.assertNotIn("<<", text)


KIT = """
name: "kit"
parameters: {greeting: "hello"}
templates:
  greet:
    parameters: [{name: "who"}]
    step:
      type: "script"
      config: {runtime: "bash", script: "echo said='WORD <<who>>' >> outputs"}
steps: [{id: "self", use: "greet", with: {who: "<<greeting>>"}}]
"""
USER = """
name: "user"
steps: [{id: "a", use: "NAME", with: {who: "you"}}]
"""


class SharedTemplates(ProgramTest):
    """Step templates and workflow templates that are registered."""

    def said(self, use):
        file = self.write("user.yml", USER.replace("NAME", use))
        return self.json("run", file, "--json")["output"]["said"]

    def setUp(self):
        super().setUp()
        for word in ("one", "two"):
            self.stele("definitions", "register", self.write("kit.yml", KIT.replace("WORD", word)))

    def test_are_used_by_name_and_version(self):
        self.assertEqual(self.said("kit/greet"), "two you")
        self.assertEqual(self.said("kit@1/greet"), "one you")
        self.stele("verify")

    def test_are_those_that_new_instances_start_with(self):
        self.stele("definitions", "pause", "kit", "--version", "2")
        self.assertEqual(self.said("kit/greet"), "one you")
        self.assertEqual(self.said("kit@2/greet"), "two you")

    def test_what_uses_one_keeps_its_steps(self):
        self.stele("definitions", "register", self.write("user.yml",
                                                         USER.replace("NAME", "kit/greet")))
        self.stele("definitions", "register", self.write("kit.yml", KIT.replace("WORD", "three")))
        self.assertEqual(self.json("start", "user", "--json")["output"]["said"], "two you")
        self.assertEqual(self.said("kit/greet"), "three you")

    def test_one_that_is_not_there_is_a_fault(self):
        for use in ("kit/great", "kit@3/greet", "kat/greet", "greet"):
            with self.subTest(use):
                file = self.write("user.yml", USER.replace("NAME", use))
                self.assertRegex(self.stele("definitions", "register", file, code=2).stderr,
                                 "user.yml:3:24: STL0110: .*found \"" + use)

    def test_a_registered_template_is_instantiated_by_name(self):
        self.stele("definitions", "instantiate", "kit", "--name", "kit-bye", "--set",
                   "greeting=bye")
        self.assertEqual(self.json("start", "kit-bye", "--json")["output"]["said"], "two bye")
        self.stele("definitions", "instantiate", "kit", "--version", "1", "--name", "kit-old")
        self.assertEqual(self.json("start", "kit-old", "--json")["output"]["said"], "one hello")
        self.assertIn("STL0407", self.stele("definitions", "instantiate", "kat", code=2).stderr)


class Usage(ProgramTest):
    def test_a_group_tells_its_commands(self):
        self.assertIn("stele definitions diff NAME V1 V2", self.stele("definitions", "help").stdout)
        self.assertIn("stele types list", self.stele("help", "types").stdout)
        self.assertIn("one of register, list", self.stele("definitions", code=2).stderr)
        self.assertIn('found "frob"', self.stele("definitions", "frob", code=2).stderr)
        self.assertIn('did you mean "publish"?', self.stele("publsh", code=2).stderr)
        self.assertIn('found only "42"', self.stele("approve", "42", code=2).stderr)

    def test_every_command_has_help_with_an_example(self):
        overview = self.stele("help").stdout
        for line in overview.splitlines():
            if not line.startswith("  stele "):
                continue
            words = line.split("  ")[1].split()[1:]
            name = [w for w in words if w.islower() and w.isalpha()][:2]
            with self.subTest(name):
                help_of = self.stele(*name, "--help").stdout
                self.assertIn("\n  stele " + " ".join(name), help_of)


if __name__ == "__main__":
    unittest.main()
