"""`stele debug` by commands."""

import json
import os
import re
import subprocess
import sys
import unittest

from program import BINARY, SOURCE, ProgramTest, environment, example

sys.path.append(os.path.join(SOURCE, "tests", "docs"))
from pages_test import examples, first_difference

PAGE = os.path.join(SOURCE, "docs", "debugger.md")

PARCELS = """
id: parcels
steps:
  - {id: fetch, type: script, config: {script: "echo parcels=2 >> outputs"}}
  - id: each
    type: loop
    depends_on: [fetch]
    items: "{{['red', 'blue']}}"
    steps:
      - {id: pack, type: script, config: {script: "true"}, output_mapping: {last: "{{loop.item}}"}}
  - {id: send, type: script, config: {script: "true"}, depends_on: [each]}
"""


class Past(ProgramTest):
    """Instance 1 of a data directory."""

    def order(self):
        """It fails and is undone."""
        self.stele("run", example("order-saga.yml"), "--var", "fail_at=shipping", "--quiet", code=1)

    def parcels(self):
        self.stele("run", self.write("parcels.yml", PARCELS), "--quiet")


class Scripts(Past):
    def debug(self, *lines, code=0, words=()):
        path = self.write("script.txt", "\n".join(lines) + "\n")
        return self.stele("debug", "1", "--commands", path, *words, code=code)

    def printed(self, *lines, **more):
        """Without what differs from run to run."""
        text = self.debug(*lines, **more).stdout
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "TIME", text)
        return re.sub(r"(due=|ended = )\d{16}", r"\1TIME", text).splitlines()

    def test_goes_to_breakpoints_from_both_sides(self):
        self.order()
        at_ship = ["8  step_activated  ship_order  via=charge_customer -> ship_order "
                   'input={"order":"A-1001","reservation":"R-A-1001","fail_at":"shipping"}',
                   "  breakpoint 1, step ship_order"]
        self.assertEqual(self.printed("break step ship_order", "continue", "continue", "reverse", "c back"), [
            "breakpoint 1, step ship_order",
            *at_ship,
            "23  instance_failed  kind=exit message=Expected exit code 0 but found 1: no carrier has room "
            "compensated=true",
            "  the end of the history",
            *at_ship,
            "1  instance_started  definition=1 "
            'variables={"order_id":"A-1001","amount":49.9,"fail_at":"shipping"}  by ' + self.user(),
            "  the beginning of the history",
        ])

    def user(self):
        history = self.history()
        return history[0]["actor"]

    def test_shows_the_graph_and_the_values(self):
        self.order()
        self.assertEqual(self.printed("jump 7", "next", "graph", "vars", "where")[2:], [
            "  ✓ reserve_stock    completed",
            "  ✓ charge_customer  completed",
            "→ ▶ ship_order       attempt 1 of 2",
            "  ○ refund_customer  undoes charge_customer",
            "  ○ release_stock    undoes reserve_stock",
            "variables",
            '  order_id = "A-1001"',
            "  amount = 49.9",
            '  fail_at = "shipping"',
            "outputs",
            '  reserve_stock = {"exit_code":0,"stdout":"reserved one item for A-1001","reservation":"R-A-1001"}',
            '  charge_customer = {"exit_code":0,"stdout":"charged 49.9 for A-1001","payment":"P-A-1001"}',
            "event 8 of 23, running",
            "record 4, events 6 to 8, TIME",
            "8  step_activated  ship_order  via=charge_customer -> ship_order "
            'input={"order":"A-1001","reservation":"R-A-1001","fail_at":"shipping"}',
        ])

    def test_lists_events_around_the_place_with_breakpoints(self):
        self.order()
        self.assertEqual(self.printed("break event step_failed", "jump 13", "list 3")[2:], [
            "  12   attempt_started ship_order  attempt=2",
            "→ 13 attempt_failed ship_order  attempt=2 kind=exit message=Expected exit code 0 but found 1: "
            'no carrier has room retryable=true details={"exit_code":1,"stderr":"no carrier has room\\n"} '
            "log=no carrier has room",
            " ●14   step_failed ship_order  kind=exit message=Expected exit code 0 but found 1: "
            "no carrier has room",
        ])

    def test_watches_say_what_they_were(self):
        self.parcels()
        self.assertEqual(self.printed("watch loop.item", "break step pack", "c", "c"), [
            "  1 loop.item = nothing",
            "breakpoint 1, step pack",
            "7  step_activated  pack[0]",
            "  breakpoint 1, step pack",
            '~ 1 loop.item = "red" was nothing',
            "13  step_activated  pack[1]",
            "  breakpoint 1, step pack",
            '~ 1 loop.item = "blue" was "red"',
        ])

    def test_marks_what_a_move_has_changed(self):
        self.parcels()
        self.assertEqual(self.printed("jump 8", "next", "vars", "jump 14", "next", "changes", "back 2", "vars"), [
            '8  attempt_completed  pack[0]  attempt=1 output={"exit_code":0,"stdout":""}',
            '9  variables_set  variables={"last":"red"}',
            "variables",
            '+ last = "red"',
            "each[0]",
            '  item = "red"',
            "outputs",
            '  fetch = {"exit_code":0,"stdout":"","parcels":"2"}',
            '14  attempt_completed  pack[1]  attempt=1 output={"exit_code":0,"stdout":""}',
            '15  variables_set  variables={"last":"blue"}',
            '~ /variables/last = "blue"',
            '13  step_activated  pack[1]',
            "variables",
            '~ last = "red" was "blue"',
            "each[1]",
            '  item = "blue"',
            "outputs",
            '  fetch = {"exit_code":0,"stdout":"","parcels":"2"}',
        ])

    def test_goes_into_scopes_and_out_of_them(self):
        self.parcels()
        lines = self.printed("jump 5", "into", "step", "out", "out back", "over back", "over", "out", "into back")
        self.assertEqual([" ".join(line.split("  ")[0:3]) for line in lines], [
            "5 step_activated each",
            "6 scope_opened each[0]",
            "7 step_activated pack[0]",
            "11 scope_closed each[0]",
            "6 scope_opened each[0]",
            "5 step_activated each",
            "18 step_completed each",
            "22 instance_completed output={\"exit_code\":0,\"stdout\":\"\"}",
            " the end of the history",
            "17 scope_closed each[1]",
        ])

    def test_searches_both_ways(self):
        self.parcels()
        self.assertEqual([line.split("  ")[0] for line in
                          self.printed("search BLUE", "/blue", "search back red", "search yellow")],
                         ["5", "12", "9", "9", ""])

    def test_stops_at_lines_of_the_file(self):
        self.parcels()
        self.assertEqual(self.printed("break line 10", "break line 3 if status == 'failed'"), [
            "breakpoint 1, line 10, step pack",
            "breakpoint 2, line 3, step fetch if status == 'failed'"])
        self.assertIn("Line 1: Expected a line of the workflow's file that a step belongs to but found \"900\"",
                      self.debug("break line 900", code=2).stderr)

    def test_reads_its_commands_from_standard_input_too(self):
        self.order()
        done = subprocess.run([BINARY, "debug", "1", "--at", "end", "--commands", "-"], cwd=self.directory,
                              input="print variables.amount\nprint status\n", env=environment(), text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, '49.9\n"failed"\n'), done.stderr)

    def test_reads_no_more_of_standard_input_than_a_script_may_have(self):
        done = subprocess.run([BINARY, "debug", "1", "--commands", "-"], cwd=self.directory, input="#" * (2 << 20),
                              env=environment(), text=True, capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("Expected at most 1048576 bytes of commands but found more", done.stderr)

    def test_prints_json_a_line_for_each_command(self):
        self.order()
        answers = [json.loads(line) for line in
                   self.debug("# go", "break step ship_order", "c", "print amount", words=("--json",))
                   .stdout.splitlines()]
        self.assertEqual([answer["command"] for answer in answers],
                         ["break step ship_order", "c", "print amount"])
        self.assertEqual((answers[1]["seq"], answers[1]["from"], answers[1]["stop"], answers[1]["breakpoints"]),
                         (8, 1, "breakpoint", [1]))
        self.assertEqual(answers[2]["lines"], ["49.9"])

    def test_asserts_decide_the_exit_code(self):
        self.order()
        self.debug("assert status == 'running'", "jump end", "assert status == 'failed' && amount > 40")
        said = self.debug("jump end", "assert status == 'completed'", "graph", code=1)
        self.assertIn("Line 2: Expected status == 'completed' at event 23 but found that it does not hold",
                      said.stderr)
        self.assertNotIn("reserve_stock", said.stdout)

    def test_what_has_no_value_does_not_hold(self):
        self.order()
        said = self.debug("assert nope == 1", code=1).stderr
        self.assertIn("Line 1: Expected nope == 1 at event 1 but found that it has no value: ", said)
        self.assertIn("nope", said.split("no value: ")[1])

    def test_takes_ids_of_several_words_and_a_mark_before_the_text(self):
        flow = PARCELS.replace("fetch", '"fetch them"')
        self.stele("run", self.write("parcels.yml", flow), "--quiet")
        self.assertEqual(self.printed('\ufeffbreak step "fetch them"', 'break event step_completed at "fetch them"',
                                      "c", "c")[:2],
                         ["breakpoint 1, step fetch them", "breakpoint 2, event step_completed at fetch them"])

    def test_says_that_there_is_nothing_to_go_into(self):
        self.parcels()
        self.assertEqual(self.printed("break step pack", "c", "into")[-1],
                         "  nothing to go into: no loop or sub-process opens inside this scope that way")

    def test_a_fault_names_the_line_and_what_was_expected(self):
        self.order()
        for line, said in {
                "brek step x": 'Expected a command such as break but found "brek"',
                "re": 'Expected one of record, reverse but found "re"',
                "break step ship": 'Expected a step of the workflow but found "ship"',
                "break event step_done": 'Expected a kind of event but found "step_done"',
                "break if 1 +": "STL02",
                "break event step_failed at": "Expected a step's id but found nothing",
                "jump +18446744073709551615": "Expected an event from 1 to 23",
                "break": "Expected step ID, event KIND, line N or if EXPRESSION but found nothing",
                "next two": 'Expected a number from 1 to 1000000000, or back but found "two"',
                "next -1": 'Expected a number from 1 to 1000000000, or back but found "-1"',
                "next 0": 'Expected a number from 1 to 1000000000, or back but found "0"',
                "back 99999999999999999999": "Expected a number from 1 to 1000000000",
                "next 2 3": 'Expected the end of the command but found "3"',
                "jump -99": "Expected an event from 1 to 23 of instance 1 but found -99 from 1",
                "jump +23": "Expected an event from 1 to 23 of instance 1 but found +23 from 1",
                'break step "two words': 'Expected a name in quotes but found ""two words"',
                'break step "two words"': 'Expected a step of the workflow but found "two words"',
                "assert 1 +": "STL02",
                "graph it": 'Expected the end of the command but found "it"',
                "jump 4000": "Expected an event from 1 to 23",
                "jump noon": "Expected an event's number",
                "jump 1999-01-01T00:00:00Z": "Expected a moment at which instance 1 had started",
                "delete 3": 'Expected the number of a breakpoint, or all but found "3"',
                "unwatch 1": 'Expected the number of a watch but found "1"',
                "print no_such_name": "no_such_name",
                "info everything": "Expected breakpoints, watches, runs or state",
                "search": "Expected a text to look for but found nothing",
        }.items():
            with self.subTest(line):
                answer = self.debug("# a comment", "", line, "next", code=2)
                self.assertIn("Line 3: ", answer.stderr)
                self.assertIn(said, answer.stderr)
                self.assertEqual(answer.stdout, "")

    def test_refuses_what_is_not_there(self):
        self.order()
        self.assertIn("Expected an instance but found no 7",
                      self.stele("debug", "7", "--commands", self.write("empty", ""), code=2).stderr)
        self.assertIn("STL0", self.stele("debug", "1", "--commands", "nowhere.txt", code=2).stderr)
        refused = self.stele("debug", "1", code=2).stderr
        self.assertIn("Expected a terminal but found none: --commands FILE", refused)

    def test_a_log_is_clean_on_the_terminal(self):
        self.stele("run", self.write("order.yml", PARCELS), "--quiet", "--var", "evil=\x1b[2J\x9b\u202etxt")
        said = self.debug("vars", "list", "changes", "event", "info state").stdout
        for character in ("\x1b", "\x9b", "\u202e"):
            self.assertNotIn(character, said)
        self.assertIn(r"\u202etxt", said)

    def test_shows_the_beginning_of_what_is_long(self):
        self.stele("run", self.write("order.yml", PARCELS), "--quiet", "--var", "long=" + "x" * 100_000,
                   "--var", "list=" + json.dumps([["y" * 50]] * 1000))
        for line in self.debug("vars", "list 1").stdout.splitlines():
            self.assertLess(len(line), 700, line)
        shown = self.debug("vars").stdout
        self.assertIn('  long = "' + "x" * 198 + "…\n", shown)
        self.assertIn('  list = [["' + "y" * 50 + '"],["', shown)


class Page(ProgramTest):
    def test_shows_what_is_printed(self):
        os.symlink(os.path.join(SOURCE, "examples"), self.path("examples"))
        os.symlink(BINARY, self.path("stele"))
        with open(PAGE, encoding="utf-8") as file:
            shown = list(examples(file.read()))
        self.assertGreater(len(shown), 3)
        for command, lines in shown:
            if command.startswith("cat "):
                self.write(command.split()[1], "\n".join(lines) + "\n")
                continue
            path = self.directory + os.pathsep + os.environ["PATH"]
            done = subprocess.run(["bash", "-c", command], cwd=self.directory, env=environment(PATH=path), text=True,
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
            printed = (done.stdout + done.stderr).rstrip("\n").split("\n")
            self.assertIsNone(first_difference(lines, printed), command)


if __name__ == "__main__":
    unittest.main()
