"""`stele debug` on a real terminal."""

import os
import re
import signal
import unittest

from debug_test import PAGE, Past
from screen import ScreenTest
from served import ServedTest

AGREE = """
id: agree
steps:
  - {id: check, type: approval, config: {title: Check, assignees: [ann]}}
  - {id: pay, type: script, depends_on: [check], config: {script: "true"}}
"""


def page(kind):
    """The text of docs/debugger.md, or of its first block of that kind."""
    with open(PAGE, encoding="utf-8") as file:
        return re.search(rf"```{kind}\n(.*?)```", file.read(), re.S)[0]


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

    def test_a_line_that_is_longer_than_the_screen_is_seen_where_it_is_typed(self):
        self.order()
        self.debug()
        self.press(":")
        self.type("print size('" + "a" * 90 + "')")
        self.wait_for("aaaa')", without=(":print",))
        self.press("Home")
        self.wait_for(":print size('aaaa", without=("aaaa')",))
        self.press("Escape")
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

    def test_a_signal_leaves_nothing_of_a_slow_terminals_pauses(self):
        self.order()
        self.debug(TERM="vt100")
        os.kill(self.child(), signal.SIGTERM)
        self.assertNotIn("$<", self.wait_for("icanon echo").replace("\n", ""))

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

    def test_keeps_what_it_has_read_when_the_server_is_lost(self):
        server = self.start("serve", "--data", "data", "--http", "127.0.0.1:0", "--rpc", "127.0.0.1:0", "--dev")
        address = re.search(r"rpc at (\S+)", self.wait_for_line(server, "http", "rpc at"))[1]
        at = ("--server", address)
        self.stele("start", self.write("agree.yml", AGREE), "--no-wait", *at)
        self.on_screen("debug", "1", "--at", "end", *at)
        self.wait_for("agree v1  waiting", "live", "◷ check", "→ 3")
        server.kill()
        server.wait()
        self.wait_for("connection lost: f connects", "◷ check", "1 instance_started", "→ 3", without=("live",))
        self.press("f")
        self.wait_for("STL0703", "connection lost", "◷ check", "1 instance_started", "→ 3")
        self.press("p")
        self.wait_for("connection lost", "▶ check", "1 instance_started", "→ 2")
        again = self.start("serve", "--data", "data", "--http", "127.0.0.1:0", "--rpc", address, "--dev")
        self.wait_for_line(again, "http", "rpc at")
        self.press("f")
        self.wait_for("live", "reads on", "event 2 of 3", "→ 2", without=("connection lost",))
        self.press(">", "f")
        self.wait_for("goes along", "event 3 of 3")
        self.stele("approve", "1", "check", "--by", "ann", *at)
        self.wait_for("completed", "✓ pay", without=("live",))
        self.press("q")
        self.wait_for("ended with 0")
        self.stop(again)


if __name__ == "__main__":
    unittest.main()
