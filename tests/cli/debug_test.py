"""`stele debug`: by commands, and on a real terminal."""

import json
import os
import re
import signal
import subprocess
import sys
import unittest

from program import BINARY, SOURCE, ProgramTest, environment, example
from screen import ScreenTest
from served import ServedTest

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

AGREE = """
id: agree
steps:
  - {id: check, type: approval, config: {title: Check, assignees: [ann]}}
  - {id: pay, type: script, depends_on: [check], config: {script: "true"}}
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

    def test_a_fault_names_the_line_and_what_was_expected(self):
        self.order()
        for line, said in {
                "brek step x": 'Expected a command such as break but found "brek"',
                "re": 'Expected one of record, reverse but found "re"',
                "break step ship": 'Expected a step of the workflow but found "ship"',
                "break event step_done": 'Expected a kind of event but found "step_done"',
                "break if 1 +": "STL02",
                "break": "Expected step ID, event KIND, line N or if EXPRESSION but found nothing",
                "next two": 'Expected the end of the command but found "two"',
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
        self.stele("run", self.write("order.yml", PARCELS), "--quiet", "--var", "evil=\x1b[2J\x9b")
        self.assertNotIn("\x1b", self.debug("vars", "list", "changes", "event", "info state").stdout)


def page(kind):
    """The text of docs/debugger.md, or of its first block of that kind."""
    with open(PAGE, encoding="utf-8") as file:
        return re.search(rf"```{kind}\n(.*?)```", file.read(), re.S)[0]


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


class OnATerminal(Past, ScreenTest):
    def debug(self, *words, **more):
        self.on_screen("debug", "1", *words, **more)
        return self.wait_for("instance 1", "Graph", "Events")

    def quit(self, code=0):
        """It ends, and the terminal is as it was."""
        self.press("q")
        self.ended(code)

    def ended(self, code):
        shown = self.wait_for(f"ended with {code}", "icanon echo")
        self.assertIn("before the program", shown, "what stood there before the program")
        self.assertIn("isig icanon echo", shown.replace("opost ", ""), shown)

    def test_shows_everything_in_80_by_24(self):
        self.order()
        self.debug()
        self.eventually(self.check_screen)
        self.quit()

    def check_screen(self, shown):
        self.assertEqual(len(shown), 24)
        self.assertRegex(shown[0], r"^ instance 1  order-saga v1  running  event 1 of 23  20\d\d-")
        self.assertRegex(shown[1], r"^─ Graph ─+│─\[Events\]─+ 1-12 of 23 ─$")
        self.assertEqual(shown[2][:45], "  ○ reserve_stock                       │→  1")
        self.assertEqual(shown[5][:41], "  ○ refund_customer  undoes charge_cust…│")
        self.assertRegex(shown[14], r"^─ Values ─+│─ Watches, breakpoints ─+$")
        self.assertEqual(shown[17][:41], "  amount = 49.9                         │")
        self.assertTrue(shown[22].startswith("1  instance_started"), shown[22])
        self.assertTrue(shown[23].endswith("? help  q end"), shown[23])

    def test_shows_the_screen_of_the_page(self):
        self.order()
        self.debug()
        for keys in (":break event step_failed", "c", ":watch size(state.undo)", "n", "n"):
            self.type(keys)
            if keys.startswith(":"):
                self.press("Enter")
        title, *rest = page("text").splitlines()[1:-1]

        def check(shown):
            self.assertEqual(shown[0][:60], title[:60])
            self.assertEqual(shown[1:], rest)
        self.eventually(check)

    def test_keys_move_and_mark_what_they_change(self):
        self.order()
        self.debug()
        self.press("n", "Right")
        self.wait_for("event 3 of 23", "→  3 attempt_completed reserve_stock")
        self.press("p", "Left")
        self.wait_for("event 1 of 23")
        self.press("s", "s")
        self.wait_for("event 4 of 23", "✓ reserve_stock", '+ reserve_stock = {"exit_code"')
        self.press("S")
        self.wait_for("event 2 of 23", "→ ▶ reserve_stock")
        self.press("r")
        self.wait_for("event 5 of 23")
        self.press(">")
        self.wait_for("event 23 of 23", "✗ ship_order", "✓ release_stock", "failed  event 23")
        self.press("g")
        self.type("8")
        self.press("Enter")
        self.wait_for("event 8 of 23", "attempt 1 of 2")
        self.quit()

    def test_breakpoints_watches_and_search(self):
        self.order()
        self.debug()
        self.press("s", "b")
        self.wait_for(":break step reserve_stock")
        self.press("C-u")
        self.type("break step ship_order")
        self.press("Enter")
        self.wait_for("● 1 step ship_order", " ● 8", "breakpoint 1, step ship_order")
        self.press("c")
        self.wait_for("event 8 of 23", "→● 8", "hit 1 time")
        self.press("w")
        self.type("size(state.runs)")
        self.press("Enter")
        self.wait_for("1 size(state.runs) = 1")
        self.press("C")
        self.wait_for("event 1 of 23", "the beginning of the history",
                      '~ 1 size(state.runs) = 0 was 1')
        self.press("/")
        self.type("no carrier")
        self.press("Enter")
        self.wait_for("event 9 of 23", "attempt_failed")
        self.press(":")
        self.type("brek")
        self.press("Enter")
        self.wait_for('STL0701: Expected a command such as break but found "brek"')
        self.quit()

    def test_panes_help_and_what_commands_print(self):
        self.order()
        self.debug()
        self.press("?")
        self.wait_for("[Help", "to where the next step begins or ends")
        self.press("x")
        self.wait_for("[Events]", "event 1 of 23", without=("Help",))
        # From the events to the graph: Enter stops at the selected step.
        self.press("Tab", "Tab", "Tab")
        self.wait_for("[Graph]")
        self.press("Down", "Enter")
        self.wait_for("● 1 step charge_customer")
        self.press("Enter")
        self.wait_for("none: w watches", without=("● 1 step",))
        self.press("BTab", "BTab", "BTab")
        self.wait_for("[Events]")
        self.press("PageDown", "Enter")
        self.wait_for("event 13 of 23")
        self.press("z")
        self.wait_for("[Events]", "timer_elapsed ship_order  kind=retry attempt=1", without=("Graph",))
        self.press("z", ":")
        self.type("info state")
        self.press("Enter")
        self.wait_for("[info state]", '"instance": 1')
        self.press("Escape")
        self.wait_for("Graph", "Values")
        self.quit()

    def test_follows_the_size_of_the_window(self):
        self.order()
        self.debug()
        self.resize(120, 40)
        self.wait_for(" 1-21 of 23 ─")
        self.eventually(lambda shown: self.assertEqual(max(len(line) for line in shown), 120))
        self.resize(60, 12)
        self.wait_for(" 1-4 of 23 ─")
        self.resize(30, 8)
        self.wait_for("40 by 10 at least")
        self.resize(80, 24)
        self.wait_for(" 1-12 of 23 ─", "q end")
        self.quit()

    def test_works_without_colours(self):
        self.order()
        for variables in ({"TERM": "vt100"}, {"NO_COLOR": "1"}):
            with self.subTest(variables):
                self.debug(**variables)
                self.press(">")
                self.wait_for("✗ ship_order")
                self.assertNotRegex(self.screen(styled=True), r"\x1b\[[0-9;]*3[0-7]m")
                self.press("q")
                self.wait_for("ended with 0", "icanon echo", without=("q end",))
        self.debug()
        self.press(">")
        self.wait_for("✗ ship_order", "23   instance_failed")
        self.assertRegex(self.screen(styled=True), r"\x1b\[[0-9;]*3[0-7]m", "and with them, where they are")

    def test_works_without_utf8(self):
        self.order()
        self.debug(LC_ALL="C")
        self.press(">")
        shown = self.wait_for("x ship_order", "v release_stock", "> 23   instance_failed")
        self.assertTrue(shown.isascii(), shown)
        self.quit()

    def test_a_signal_gives_the_terminal_back(self):
        self.order()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                self.debug()
                self.press("s", "s")
                self.wait_for("event 4 of 23")
                os.kill(self.child(), number)
                self.ended(3)

    def test_a_fault_of_its_own_gives_the_terminal_back(self):
        self.order()
        self.debug()
        os.kill(self.child(), signal.SIGABRT)
        self.ended(128 + signal.SIGABRT)

    def test_is_suspended_and_goes_on(self):
        self.order()
        self.debug()
        self.press("s")
        self.wait_for("event 2 of 23")
        self.press("C-z")
        self.wait_for("before the program", "suspended", without=("Graph",))
        self.press("Enter")
        self.wait_for("event 2 of 23", "Graph")
        self.press("s")
        self.wait_for("event 4 of 23")
        self.quit()

    def test_ctrl_c_does_not_end_it(self):
        self.order()
        self.debug()
        self.press("C-c")
        self.wait_for("q quits")
        self.quit()

    def test_refuses_a_terminal_that_cannot_be_drawn_on(self):
        self.order()
        for name in ("dumb", "nowhere"):
            with self.subTest(name):
                self.on_screen("debug", "1", TERM=name)
                self.wait_for("but found TERM=" + name, "ended with 2")


class AtAServer(Past, ScreenTest, ServedTest):
    def test_reads_what_a_live_instance_does(self):
        server = self.start("serve", "--data", "data", "--http", "127.0.0.1:0", "--rpc", "127.0.0.1:0", "--dev")
        said = self.wait_for_line(server, "http", "rpc at")
        address = re.search(r"rpc at (\S+)", said)[1]
        at = ("--server", address)
        self.stele("start", self.write("agree.yml", AGREE), "--no-wait", *at)
        self.on_screen("debug", "1", "--at", "end", *at)
        self.wait_for("agree v1  waiting", "live", "◷ check", "waits for ann", "→ 3")
        self.press("f")
        self.wait_for("goes along")
        self.stele("approve", "1", "check", "--by", "ann", *at)
        self.wait_for("completed", "✓ pay", without=("live",))
        self.press("q")
        self.wait_for("ended with 0")
        script = self.write("script.txt", "jump end\nprint status\nbreak line 4\nreverse\n")
        self.assertIn('"completed"', self.stele("debug", "1", "--commands", script, *at).stdout)
        self.stop(server)


if __name__ == "__main__":
    unittest.main()
