#!/usr/bin/env python3
"""What answers say of waits for a moment, of undoing, of unknown names, of what is wrong."""

import json
import os
import unittest

from program import ProgramTest, interrupt
from workflows import MANUAL, TWO_STEPS

REST = """
name: "rest"
steps:
  - {id: "rest", type: "delay", config: {duration: "3h"}}
"""
UNDOES = """
name: "undoes"
timeout: "1s"
error_handling: "compensate"
steps:
  - {id: "book", type: "script", compensation: "cancel_booking", config: {script: "exit 0"}}
  - {id: "cancel_booking", type: "script", config: {script: "exit 1"}}
  - {id: "rest", type: "delay", depends_on: ["book"], config: {duration: "3h"}}
"""
FAILS = """
name: "fails"
steps:
  - {id: "break", type: "script", config: {script: "exit 1"}}
"""
SCHEDULED = """
name: "report"
steps:
  - {id: "write", type: "script", config: {script: "exit 0"}}
triggers:
  - {type: schedule, name: nightly, cron: "30 2 * * *"}
"""
UNTIL = r"until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \(step rest\)"


class Delays(ProgramTest):
    def rest(self):
        child = self.start("run", self.write("rest.yml", REST))
        line = child.stderr.readline()
        self.assertIn("leaves it", line)
        interrupt(child)
        return child.communicate()[1], child.wait()

    def test_that_are_left_are_waits_with_their_moment(self):
        said, code = self.rest()
        self.assertRegex(said, f"instance 1 waits {UNTIL}; stele resume\n")
        self.assertEqual(code, 3)

    def test_are_waiting_wherever_it_is_told(self):
        self.rest()
        for command in ("list", "active"):
            for query in ("", "status:waiting", "waiting:delay"):
                told = self.stele(command, query).stdout.splitlines()
                self.assertRegex(told[1], f" waiting .*{UNTIL}", (command, query))
            row, = self.json(command, "--json")["instances"]
            wait, = row["waiting_for"]
            self.assertEqual((row["status"], row["waits_open"]), ("waiting", 1))
            self.assertEqual((wait["for"], wait["label"]), ("delay", "rest"))
            self.assertEqual(wait["due"] - wait["since"], 3 * 3600 * 1_000_000)
        self.assertEqual(self.stele("list", "status:running").stdout, "nothing fits\n")
        self.assertRegex(self.stele("status", "1").stdout,
                         f"status +waiting\n(.*\n)*waits for +{UNTIL}")
        document = self.json("status", "1", "--json")
        self.assertEqual((document["status"], document["waiting_for"][0]["for"]),
                         ("waiting", "delay"))
        self.assertRegex(self.stele("stats").stdout, "now +1 open: .* 1 waiting")


class Undoing(ProgramTest):
    def test_tells_why_while_it_is_not_done(self):
        self.stele("run", self.write("undoes.yml", UNDOES), code=3)
        for query in ("error:deadline", "error:exit", "has:error"):
            self.assertIn(" parked ", self.stele("list", query).stdout, query)
        row, = self.json("active", "--json")["instances"]
        self.assertEqual((row["status"], row["error"]["kind"], row["progress"]),
                         ("parked", "deadline", 50))
        self.assertIn(" 50 % ", self.stele("active").stdout)
        self.assertRegex(self.stele("status", "1").stdout, "error +deadline: ")
        self.assertEqual(self.json("status", "1", "--json")["error"]["kind"], "deadline")


class Names(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("two.yml", TWO_STEPS))
        self.stele("run", self.write("parcel.yml", MANUAL), code=3)

    def nothing(self, *words):
        told = self.stele(*words)
        self.assertRegex(told.stdout,
                         "^(nothing (is under way that )?fits|there are no triggers)\n$")
        return told.stderr

    def test_of_definitions_that_nothing_has_are_told(self):
        for command in ("list", "active", "tasks"):
            told = self.nothing(command, "definition:parcl")
            self.assertIn('no definition is called "parcl"; did you mean "parcel"?', told)
            self.assertIn('"none such"', self.nothing(command, 'definition:"none such",none*'))
            self.assertEqual(self.nothing(command, "definition:none*"), "")
        self.assertEqual(self.stele("list", "definition:two").stderr, "")
        both = self.stele("list", "definition:two,towo")
        self.assertIn(" two ", both.stdout)
        self.assertIn('"towo"; did you mean "two"?', both.stderr)
        self.assertIn('"twoo"', self.stele("list", "--json", "-definition:twoo").stderr)

    def test_of_steps_that_nothing_has_are_told(self):
        for command in ("list", "active", "tasks"):
            told = self.nothing(command, "step:pck")
            self.assertIn('no step of a definition is called "pck"; did you mean "pack"?', told)
        self.assertEqual(self.stele("tasks", "step:pack").stderr, "")

    def test_of_figures_that_nothing_has_are_refused_with_the_nearest(self):
        for words in (["towo"], ["towo", "--by", "day"]):
            refused = self.stele("stats", *words, code=2).stderr
            self.assertRegex(refused, 'STL0407.*did you mean "two"')

    def test_of_triggers_may_be_those_that_kinds_are_written_in(self):
        self.stele("definitions", "register", self.write("report.yml", SCHEDULED))
        for kind in ("cron", "Schedule", "interval"):
            told = self.stele("triggers", "list", "--kind", kind)
            self.assertIn("nightly", told.stdout)
            self.assertEqual(told.stderr, "")
        told = self.nothing("triggers", "list", "--kind", "shedule")
        self.assertIn('no kind of triggers is called "shedule"; did you mean "schedule"?', told)
        told = self.nothing("triggers", "list", "--definition", "reprot")
        self.assertIn('no definition is called "reprot"; did you mean "report"?', told)
        self.assertEqual(self.stele("triggers", "list", "--kind", "webhook").stderr, "")


class Figures(ProgramTest):
    def test_of_what_is_not_recorded_say_so_as_json_too(self):
        self.stele("run", self.write("two.yml", TWO_STEPS))
        self.assertFalse(self.json("stats", "--from", "2099-01-01", "--json")["recorded"])
        self.assertTrue(self.json("stats", "--from", "1h", "--json")["recorded"])
        self.assertTrue(self.json("stats", "--json")["recorded"])

    def test_as_of_a_position_count_what_was_read_in_words(self):
        self.stele("run", self.write("two.yml", TWO_STEPS))
        self.assertIn("; 1 record was read for it", self.stele("list", "--as-of", "1").stderr)
        self.assertIn("; nothing was read for it", self.stele("list", "--as-of", "1").stderr)
        self.assertIn("; 2 records were read for it", self.stele("list", "--as-of", "2").stderr)


class Rows(ProgramTest):
    def test_have_variables_of_their_kinds(self):
        flow = 'name: kinds\nvariables: {n: 0, text: "0", yes: true}\nsteps: '
        self.stele("run", self.write("kinds.yml",
                                     flow + "[{id: a, type: script, config: {script: exit 0}}]"))
        row, = self.json("list", "--json")["instances"]
        self.assertEqual(row["variables"], {"n": 0, "text": "0", "yes": True})


class Views(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("two.yml", TWO_STEPS))

    def test_that_are_no_directory_are_refused_with_what_to_do(self):
        with open(self.path("stele-data/views"), "w", encoding="utf-8") as file:
            file.write("mine")
        for words in (["list"], ["projections", "rebuild"], ["list", "--as-of", "1"]):
            refused = self.stele(*words, code=2).stderr
            self.assertRegex(refused, "STL0310: .*stele-data/views but found a file; take it away")
            self.assertNotIn("make room", refused)
        os.remove(self.path("stele-data/views"))
        os.symlink(self.path("gone"), self.path("stele-data/views"))
        self.assertIn("a link that leads nowhere", self.stele("list", code=2).stderr)
        os.mkdir(self.path("gone"))
        self.assertIn(" two ", self.stele("list").stdout)

    def test_take_away_what_a_killed_comparison_left(self):
        left = self.path("stele-data/views/verify/0-instances")
        os.makedirs(left)
        self.stele("run", self.path("two.yml"))
        self.stele("list")
        self.assertFalse(os.path.exists(left))
        os.makedirs(left)
        self.stele("retention", "--instance", "1")
        self.assertFalse(os.path.exists(left))


class Refusals(ProgramTest):
    def test_are_documents_where_documents_are_asked_for(self):
        self.stele("run", self.write("two.yml", TWO_STEPS))
        for words, code in ((["list", "--definition", "towo"], "STL0407"),
                            (["list", "staus:failed"], "STL0108"), (["list", "--none"], "STL0701"),
                            (["sttatus"], "STL0701"), (["status", "9"], "STL0401"),
                            (["list", "--data", "none"], "STL0306")):
            refused = self.stele(*words, "--json", code=2)
            self.assertEqual(refused.stdout, "")
            told = json.loads(refused.stderr)["error"]
            self.assertEqual((set(told), told["code"]), ({"code", "message"}, code), words)
            text = f"stele: {code}: {told['message']}"
            self.assertTrue(self.stele(*words, code=2).stderr.startswith(text), words)
        self.assertIn("stele: STL0306", self.stele("status", "--data", "none", "--", "1",
                                                   code=2).stderr)


class Quietly(ProgramTest):
    def test_goes_what_is_only_recorded(self):
        self.stele("run", self.write("parcel.yml", MANUAL), code=3)
        for words in (["set", "1", "n=1"], ["pause", "1"]):
            self.assertEqual(self.stele(*words, "--quiet").stdout, "", words)
        self.assertEqual(self.json("status", "1", "--json")["status"], "paused")
        self.assertIn("resume it: it is paused, and 1 more", self.stele("list").stdout)

    def test_logs_of_what_prints_nothing_say_so(self):
        self.stele("run", self.write("parcel.yml", MANUAL), code=3)
        told = self.stele("logs", "1", "--step", "pack")
        self.assertEqual(told.stdout, "")
        self.assertIn('no attempt of "pack" has begun', told.stderr)


if __name__ == "__main__":
    unittest.main()
