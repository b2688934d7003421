#!/usr/bin/env python3
"""The past of an instance: show, diff, bisect, timeline, on a data directory."""

import datetime
import json
import os
import unittest
import xml.etree.ElementTree

from program import ProgramTest

ORDER = """
name: "order"
variables: {total: 0, note: "none"}
steps:
  - {id: "price", type: "script", config: {script: "echo price"}, outputs: {total: "{{ outputs.sum }}"}}
  - {id: "charge", type: "script", depends_on: ["price"], config: {script: "exit 1"}, compensation: "refund",
     retry_policy: {max_attempts: 2, initial_delay: "100ms"}}
  - {id: "refund", type: "script", config: {script: "exit 0"}}
  - {id: "check", type: "approval", depends_on: ["charge"], config: {assignees: ["ann"]}}
"""
# What a terminal obeys, or shows as another text than there is.
OBEYED = "".join(map(chr, (0x1b, 0x7f, 0x9b, 0x61c, 0x200e, 0x200f, *range(0x202a, 0x202f), *range(0x2066, 0x206a),
                           0x2028, 0x2029, 0xfeff)))
PRINTS = """
name: "prints"
variables: {note: "none"}
steps:
  - id: "say"
    type: "script"
    config: {script: "printf 'a\\u202eb\\u2028c\\ufeffd\\u061ce\\u0085f'"}
    outputs: {note: "{{ outputs.stdout }}"}
"""
LOOP = """
name: "rounds"
variables: {total: 0}
steps:
  - id: "each"
    type: "loop"
    items: "[1, 2, 3, 4, 5, 6, 7, 8, 9]"
    steps:
      - {id: "say", type: "script", config: {script: "exit 0"}}
"""


def pointer(document, path):
    for key in path.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


def patched(document, patch):
    """RFC 6902, as far as `diff` writes it."""
    document = json.loads(json.dumps(document))
    for operation in patch:
        parent, _, key = operation["path"].rpartition("/")
        key = key.replace("~1", "/").replace("~0", "~")
        inside = pointer(document, parent)
        if isinstance(inside, list):
            key = int(key)
            if operation["op"] == "add":
                inside.insert(key, operation["value"])
                continue
        if operation["op"] == "remove":
            del inside[key]
        else:
            inside[key] = operation["value"]
    return document


class Past(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("order.yml", ORDER), "--stub", 'price={"sum": 42}', code=1)
        # Two attempts, then it has failed; another one succeeds and waits for ann.
        self.stele("run", self.path("order.yml"), "--stub", 'price={"sum": 42}', "--stub",
                   "charge={}", code=3)
        self.stele("approve", "2", "check", "--by", "ann", "--no-wait")

    def json(self, *words, code=0):
        return json.loads(self.stele(*words, "--json", code=code).stdout)

    def events(self, instance):
        lines = self.stele("history", instance, "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def test_shows_the_state_behind_every_event(self):
        for instance in ("1", "2"):
            events = self.events(instance)
            for event in events:
                shown = self.json("show", instance, "--at", str(event["seq"]))
                shown["event"].pop("label", None)
                self.assertEqual(shown["event"], event)
                self.assertEqual(shown["state"]["seq"], event["seq"])
                self.assertEqual(shown["last"], len(events))
            self.assertEqual(self.json("show", instance)["state"], shown["state"])

    def test_tells_the_state_to_people(self):
        seq = next(event["seq"] for event in self.events("2") if event["event"] == "human_task_created")
        text = self.stele("show", "2", "--at", str(seq)).stdout
        self.assertRegex(text, rf"at +event {seq}, \d{{4}}-.*: human_task_created check #3; the last is \d+\n")
        self.assertRegex(text, r"\nvariables\n  total: 42\n  note: none\n")
        self.assertRegex(text, r'\n  price +completed +\{"sum":42\}\n')
        self.assertRegex(text, r"\n  #3 +check +waiting +1 +\d{4}-")
        self.assertRegex(text, r"\nwould be undone, in this order\n  #2 +charge +by refund\n")
        self.assertNotIn("variables", self.stele("show", "2", "--at", "1").stdout.split("status")[0])

    def test_says_what_differs_and_the_patch_makes_one_of_the_other(self):
        last = len(self.events("2"))
        for begin, end in ((1, last), (last, 1), (2, 5), (3, 3)):
            states = [self.json("show", "2", "--at", str(seq))["state"] for seq in (begin, end)]
            patch = self.json("diff", "2", "--from", str(begin), "--to", str(end))
            self.assertEqual(patched(states[0], patch), states[1])
        text = self.stele("diff", "2").stdout
        self.assertRegex(text, r"\Afrom event 1, .*: instance_started \(by .*\)\nto   event \d+, ")
        self.assertRegex(text, r"\n  ~ status: running → completed\n")
        self.assertRegex(text, r"\n    variables\n    ~ total: 0 → 42\n")
        self.assertRegex(text, r'\n    \+ price: \{"status":"completed"')
        self.assertNotIn("\x1b", text)
        self.assertIn("Nothing differs.", self.stele("diff", "2", "--from", "3", "--to", "3").stdout)

    def test_finds_where_something_began(self):
        text = self.stele("bisect", "2", "total > 40").stdout
        self.assertRegex(text, r"\Atotal > 40 began to hold with event \d+, .*: variables_set\n")
        self.assertRegex(text, r"\n    ~ total: 0 → 42\n")
        found = self.json("bisect", "2", "total > 40")
        self.assertEqual((found["found"], found["event"]["event"]), ("began", "variables_set"))
        self.assertEqual(self.json("bisect", "2", "total > 40", "--exact")["event"], found["event"])
        self.assertIn("holds from the start", self.stele("bisect", "2", "total >= 0").stdout)
        never = self.stele("bisect", "2", "total > 99", code=1).stdout
        self.assertRegex(never, r"\Atotal > 99 held behind none of the \d+ events.\n\Z")
        self.assertEqual(self.stele("bisect", "2", "total > 99", "--exact", code=1).stdout, never)
        self.assertNotIn("--exact", text)
        self.assertTrue(found["exact"])
        middle = self.json("bisect", "1", "runs['2'].attempt > 1")
        self.assertEqual((middle["found"], middle["event"]["run"]), ("began", 2))
        absent = self.stele("bisect", "1", "runs['99'].attempt > 1", code=1).stdout
        self.assertRegex(absent, r"held behind none of the (\d+) events.\nBehind \1 of those looked at it could not")
        fault = self.stele("bisect", "2", "toatl > 99", code=2).stderr
        self.assertIn("toatl", fault)
        self.assertIn("column", self.stele("bisect", "2", "total >", code=2).stderr)

    def test_draws_attempts_waits_and_retries(self):
        text = self.stele("timeline", "1").stdout
        lines = text.splitlines()
        self.assertRegex(lines[0], "^instance 1: order version 1, failed$")
        charge = next(line for line in lines if line.startswith("charge"))
        self.assertRegex(charge, r"#*x\.+#*x  failed x2 ")
        self.assertIn("x attempt that failed", lines[-1])
        self.assertTrue(all(len(line) <= 80 for line in lines), text)
        waiting = self.stele("timeline", "2").stdout
        self.assertRegex(waiting, r"\ncheck .*\?.*completed")
        for columns in (60, 100, 200):
            wide = self.stele("timeline", "2", COLUMNS=str(columns)).stdout.splitlines()
            self.assertLessEqual(max(map(len, wide)), columns)

    def test_limits_the_lines_of_a_chart(self):
        self.stele("run", self.write("rounds.yml", LOOP))
        chart = self.json("timeline", "3", "--limit", "4")
        self.assertEqual((chart["runs"], len(chart["lines"])), (10, 4))
        self.assertIn("… and 6 more runs", self.stele("timeline", "3", "--limit", "4").stdout)
        self.assertIn("  say[8] ", self.stele("timeline", "3").stdout)

    def test_draws_a_picture(self):
        done = self.stele("timeline", "1", "--svg", "chart.svg").stdout
        self.assertEqual(done, "chart.svg shows instance 1\n")
        root = xml.etree.ElementTree.parse(self.path("chart.svg")).getroot()
        self.assertEqual(root.tag, "{http://www.w3.org/2000/svg}svg")
        titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
        self.assertTrue(any(title.startswith("charge: running, attempt 2, failed") for title in titles), titles)
        printed = self.stele("timeline", "1", "--svg", "-").stdout
        with open(self.path("chart.svg"), encoding="utf-8") as file:
            self.assertEqual(printed, file.read())
        self.assertIn("standard output", self.stele("timeline", "1", "--svg", "-", "--json", code=2).stderr)
        self.assertFalse(os.path.exists(self.path("-")))
        missing = os.path.join("nowhere", "chart.svg")
        self.assertIn("STL0", self.stele("timeline", "1", "--svg", missing, code=2).stderr)

    def test_prints_nothing_that_a_terminal_obeys(self):
        self.stele("run", self.write("prints.yml", PRINTS), "--quiet", "--var", "note=" + OBEYED)
        for words in (("show", "3", "--at", "start"), ("show", "3"), ("diff", "3"), ("status", "3"), ("logs", "3"),
                      ("history", "3"), ("bisect", "3", "steps.say.status == 'completed'")):
            for more in ((), ("--json",)):
                shown = self.stele(*words, *more).stdout
                self.assertFalse(set(shown) & set(OBEYED + "\x85"), (words, more, shown))
                if words != ("show", "3", "--at", "start"):
                    for escaped in (r"a\u202eb", r"b\u2028c", r"c\ufeffd", r"d\u061ce"):
                        self.assertIn(escaped, shown, (words, more))

    def test_takes_moments_in_every_form(self):
        events = self.events("1")
        last = len(events)
        time = datetime.datetime.fromtimestamp(events[-1]["time"] / 1_000_000, datetime.timezone.utc)
        later = (time + datetime.timedelta(seconds=1)).replace(microsecond=0)
        forms = {"1": 1, "start": 1, str(last): last, "end": last, "now": last, "0s": last, "+2h": last,
                 later.strftime("%Y-%m-%dT%H:%M:%SZ"): last, later.strftime("%Y-%m-%d %H:%M:%S"): last}
        for form, seq in forms.items():
            self.assertEqual(self.json("show", "1", "--at", form)["state"]["seq"], seq, form)

    def test_refuses_moments_that_there_are_not(self):
        self.assertIn("STL0309", self.stele("show", "1", "--at", "999", code=2).stderr)
        self.assertIn("STL0309", self.stele("show", "1", "--at", "2001-01-01", code=2).stderr)
        self.assertIn("--at", self.stele("show", "1", "--at", "soon", code=2).stderr)
        last = len(self.events("1"))
        for words in (("show", "1", "--at", "0"), ("diff", "1", "--to", "0")):
            self.assertIn(f"from 1 to {last},", self.stele(*words, code=2).stderr)
        for bare in ("3 ", "1.5", "+2", "-1", " 3", ".5"):
            for words in (("show", "1", f"--at={bare}"), ("diff", "1", f"--from={bare}"),
                          ("fork", "1", f"--at={bare}", "--dry")):
                refused = self.stele(*words, code=2).stderr
                for form in ("number of an event", '"start"', '"end"', "24h", f'found "{bare}"'):
                    self.assertIn(form, refused)
        for words in (("show",), ("diff",), ("timeline",)):
            self.assertIn("STL0401", self.stele(*words, "99", code=2).stderr)


if __name__ == "__main__":
    unittest.main()
