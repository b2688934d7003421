#!/usr/bin/env python3
"""Lists: what a terminal shows of them, how what they list is named, and what is asked of them."""

import unittest

from program import ProgramTest

ROUNDS = """
name: "rounds"
variables: {people: ["a", "b", "c"], none: ""}
steps:
  - id: "each"
    type: "loop"
    items: "variables.people"
    max_concurrent: 3
    steps:
      - {id: "ask", type: "manual", config: {assignees: ["anna"]}}
      - {id: "say", type: "script", depends_on: ["ask"], config: {script: "echo said"}}
"""
KEY = "order-" + "7" * 60
MOMENT = r"\d{4}-\d\d-\d\d \d\d:\d\d"


class Lists(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("rounds.yml", ROUNDS), code=3)


class Tables(Lists):
    def test_keep_ids_moments_and_statuses_whole(self):
        head, row = self.lines_on_a_terminal(80, "list")
        self.assertRegex(row, f"^1   rounds      waiting  {MOMENT}(:| |$)")
        self.assertLessEqual(max(len(head), len(row)), 80)
        self.assertNotIn("…", head)
        self.assertNotIn("KEY", head)
        self.assertIn("WAITS FOR", head)
        self.assertIn("…", row)
        for columns in (60, 20):
            head, row = self.lines_on_a_terminal(columns, "list")
            self.assertRegex(row, f"^1   rounds      waiting  {MOMENT} ")
            self.assertNotIn("…", head)

    def test_cut_long_texts_before_moments(self):
        self.stele("run", self.path("rounds.yml"), "--business-key", KEY, code=3)
        head, row = self.lines_on_a_terminal(107, "list", "key:*")
        self.assertRegex(row, MOMENT + r":\d\d")
        self.assertIn("order-777", row)
        self.assertIn("…", row)
        self.assertIn("KEY", head)
        self.assertLessEqual(len(row), 107)

    def test_are_whole_where_there_is_room_or_no_terminal(self):
        for lines in (self.lines_on_a_terminal(200, "list"), self.stele("list").stdout.splitlines()):
            self.assertRegex(lines[1], MOMENT + r":\d\d\.\d{3} ")
            self.assertIn("KEY", lines[0])
            self.assertIn('completion of "ask[0]" by anna', lines[1])

    def test_take_the_width_of_the_environment_where_the_terminal_tells_none(self):
        _, row = self.lines_on_a_terminal(0, "list", COLUMNS="200")
        self.assertIn('completion of "ask[0]" by anna', row)
        _, row = self.lines_on_a_terminal(0, "list")
        self.assertLessEqual(len(row), 80)


class Active(Lists):
    def test_is_sorted_by_how_long_it_has_been(self):
        self.stele("run", self.path("rounds.yml"), code=3)
        listed = lambda *words: [
            row["instance"] for row in self.json("active", "--json", *words)["instances"]]
        self.assertEqual(listed("--sort", "-duration"), [1, 2])
        self.assertEqual(listed("--sort", "duration"), [2, 1])


class Labels(Lists):
    def test_name_a_run_of_a_loop(self):
        refused = self.stele("complete", "1", "ask[7]", "--by", "anna", code=1).stderr
        self.assertIn("found no open run", refused)
        refused = self.stele("complete", "1", "asked[0]", "--by", "anna", code=2).stderr
        self.assertIn("Expected one of the steps each, ask, say", refused)
        task, = (one for one in self.json("tasks", "--json")["tasks"] if one["label"] == "ask[0]")
        self.stele("complete", "1", f"ask[0]#{task['run']}", "--by", "anna", code=3)
        self.stele("complete", "1", "ask[1]", "--by", "anna", code=3)
        log, = self.json("logs", "1", "--step", "say[1]", "--json")
        self.assertEqual(log["label"], "say[1]")
        again = self.json("logs", "1", "--step", f"say#{log['run']}", "--json")
        self.assertEqual(again, [log])
        self.assertEqual(len(self.json("logs", "1", "--step", "say", "--json")), 2)
        self.stele("logs", "1", "--step", "say[9]", code=2)


class Queries(Lists):
    def test_find_an_empty_text(self):
        self.assertEqual(len(self.json("list", 'var.none:""', "--json")["instances"]), 1)
        refused = self.stele("list", 'key:""', code=2).stderr
        self.assertIn("-key:* is none", refused)
        refused = self.stele("tasks", "id:1", code=2).stderr
        self.assertIn("the instance and run of one (42-3)", refused)


if __name__ == "__main__":
    unittest.main()
