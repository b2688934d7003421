#!/usr/bin/env python3
"""What answers promise: all of it, of which moment, and that nothing is empty by a typing error."""

import subprocess
import unittest

from program import BINARY, ProgramTest, environment, interrupt
from workflows import APPROVAL, MANUAL, TWO_STEPS

FAILS = """
name: "fails"
variables: {customer: 42}
steps:
  - {id: "break", type: "script", config: {script: "echo no stock >&2; exit 1"}}
"""
MANY_FAIL = """
name: "many"
error_handling: continue
steps:
""" + "".join(f'  - {{id: "s{n}", type: script, config: {{script: exit 1}}}}\n' for n in range(55))
DELAY = """
name: "rest"
steps:
  - {id: "rest", type: "delay", config: {duration: "3h"}}
"""
OVERDUE = """
name: "overdue"
steps:
  - {id: "pack", type: "manual", config: {assignees: ["anna"], deadline: "1ms"}}
"""


class Questions(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("two.yml", TWO_STEPS), "--business-key", "A-1", "--tag", "eu")
        self.stele("run", self.write("fails.yml", FAILS), "--tag", "eu", code=1)
        self.stele("run", self.write("approval.yml", APPROVAL), code=3)

    def cursor(self, *words):
        said = self.stele(*words).stderr
        self.assertIn("--cursor ", said)
        return said.split("--cursor ")[1].strip()


class Errors(Questions):
    def test_as_json_are_all_of_them(self):
        self.stele("run", self.write("many.yml", MANY_FAIL))
        page = self.json("errors", "--json")
        self.assertGreater(len(page["errors"]), 55)
        self.assertIsNone(page["next"])
        self.assertEqual(len(self.json("errors", "--json", "--limit", "7")["errors"]), 7)

    def test_since_a_while_ago_can_be_paged(self):
        whole = self.json("errors", "--since", "24h", "--json")["errors"]
        cursor = self.cursor("errors", "--since", "24h", "--limit", "1")
        rest = self.json("errors", "--since", "24h", "--cursor", cursor, "--json")["errors"]
        self.assertEqual(rest, whole[1:])
        refused = self.stele("errors", "--since", "23h", "--cursor", cursor, code=2).stderr
        self.assertIn('the search of errors, since "23h"', refused)

    def test_of_a_name_that_nothing_has_are_refused(self):
        refused = self.stele("errors", "--definition", "fail", code=2).stderr
        self.assertRegex(refused, "STL0407.*did you mean \"fails\"")
        refused = self.stele("errors", "--step", "breaks", code=2).stderr
        self.assertRegex(refused, "STL0104.*did you mean \"break\"")
        self.stele("errors", "--definition", "two", "--step", "break", code=2)
        unknown = self.stele("errors", "--kind", "exitt")
        self.assertEqual(unknown.stdout, "nothing fits\n")
        self.assertIn("no error of the kind \"exitt\" has occurred; there are exit", unknown.stderr)
        self.assertEqual(self.stele("errors", "--since", "+1h").stdout, "nothing fits\n")

    def test_of_a_kind_that_may_be_among_the_others_are_not_denied(self):
        step = '  - {id: "s%d", type: script, config: {script: "${variables.none}"}}\n'
        self.stele("run", self.write("lots.yml", "name: lots\nerror_handling: continue\nsteps:\n" +
                                     "".join(step % n for n in range(1002))))
        self.assertIn("(other kinds)", self.stele("errors", "--kind", "(other kinds)").stdout)
        unknown = self.stele("errors", "--kind", "exitt")
        self.assertEqual(unknown.stdout, "nothing fits\n")
        self.assertIn("the first 1000 errors of a definition kinds are not told apart",
                      unknown.stderr)
        told = self.stele("errors", "--kind", "exitt", "--definition", "fails").stderr
        self.assertIn("no error of the kind \"exitt\" has occurred", told)


class Pages(Questions):
    def test_as_json_have_a_position_and_a_cursor(self):
        position = self.json("projections", "list", "--json")[0]["position"]
        self.stele("list")
        page = self.json("list", "--json", "--limit", "2")
        self.assertEqual(page["position"], self.history("3")[-1]["position"])
        self.assertEqual([row["instance"] for row in page["instances"]], [3, 2])
        rest = self.json("list", "--json", "--cursor", page["next"])
        self.assertEqual([row["instance"] for row in rest["instances"]], [1])
        self.assertIsNone(rest["next"])
        for command, rows in (("tasks", "tasks"), ("active", "instances")):
            page = self.json(command, "--json")
            self.assertEqual((len(page[rows]), page["next"]), (1, None))
        self.assertLessEqual(position, page["position"])

    def test_are_of_one_moment_and_one_directory(self):
        end = str(self.history("3")[-1]["position"])
        now = self.cursor("list", "--limit", "1")
        then = self.cursor("list", "--limit", "1", "--as-of", end)
        self.stele("list", "--limit", "1", "--cursor", now)
        self.stele("list", "--limit", "1", "--cursor", then, "--as-of", end)
        refused = self.stele("list", "--cursor", now, "--as-of", end, code=2).stderr
        self.assertIn("STL0406", refused)
        self.assertIn(f"as of {end}", refused)
        self.stele("list", "--cursor", then, code=2)
        self.stele("errors", "--cursor", self.cursor("errors", "--limit", "1"), "--as-of", end,
                   code=2)
        self.stele("run", self.path("two.yml"), "--data", "other")
        self.stele("list", "--cursor", now, "--data", "other", code=2)


class ThePast(Questions):
    def test_has_the_durations_and_waits_of_then(self):
        now, = self.json("active", "--json")["instances"]
        end = self.history("3")[-1]
        then, = self.json("active", "--json", "--as-of", str(end["position"]))["instances"]
        self.assertEqual(then["waiting_for"], now["waiting_for"])
        self.assertEqual(then["waiting_for"][0]["assignees"], ["anna", "bo"])
        self.assertEqual(then["duration"], end["time"] - then["started"])
        self.assertGreater(now["duration"], then["duration"])
        text = self.stele("list", "id:3").stdout
        self.assertIn('approval of "review" by anna, bo or group ops', text)
        self.assertEqual(self.stele("list", "id:3", "--as-of", str(end["position"])).stdout, text)

    def test_is_named_by_a_position_or_any_moment(self):
        listed = lambda moment: len(self.json("list", "--json", "--as-of", moment)["instances"])
        for moment in ("now", "+1h", "2100-01-01", "2100-01-01 09:30", "2100-01-01T09:30:00+0800"):
            self.assertEqual(listed(moment), 3, moment)
        for moment in ("24h", "1970-01-01T00:00:00Z", "1960-01-01"):
            self.assertEqual(listed(moment), 0, moment)
        refused = self.stele("list", "--as-of", "10000d", code=2).stderr
        self.assertIn("of at most 10 years", refused)


class Figures(Questions):
    def test_of_a_stretch_say_what_they_are_of(self):
        text = self.stele("stats", "fails", "--from", "1h").stdout
        self.assertRegex(text, "steps +of whole days: ")
        early = self.json("stats", "--to", "1h", "--json")
        self.assertEqual(early["counts"]["started"], 0)
        self.assertRegex(self.stele("stats").stdout, "queue +0 instances for a place; 0 attempts")
        self.assertEqual(self.json("stats", "--json")["now"]["queue"],
                         {"instances": 0, "attempts": 0, "backoffs": 0})
        refused = self.stele("stats", "--from", "2026-05-02", "--to", "2026-05-01", code=2).stderr
        self.assertIn("2026-05-02T00:00:00Z to 2026-05-01T00:00:00Z", refused)

    def test_of_each_definition_are_of_all_of_them_as_json(self):
        flow = 'name: "d%02d"\nsteps:\n  - {id: a, type: script, config: {script: "true"}}\n'
        self.stele("definitions", "register",
                   *(self.write(f"d{n:02}.yml", flow % n) for n in range(51)))
        page = self.json("stats", "--each", "--json")
        self.assertEqual((len(page["definitions"]), page["next"]), (54, None))
        some = self.json("stats", "--each", "--json", "--limit", "5")
        self.assertEqual(len(some["definitions"]), 5)
        self.assertEqual(len(self.stele("stats", "--each").stdout.splitlines()), 51)

    def test_tell_of_failures_that_were_retried(self):
        self.stele("retry", "2", code=1)
        self.assertIn("2 failed (1 retried)", self.stele("stats", "fails").stdout)
        header, row = self.stele("stats", "fails", "--by", "day").stdout.splitlines()
        self.assertEqual(header.split()[1:5], ["STARTED", "COMPLETED", "FAILED", "RETRIED"])
        self.assertEqual(row.split()[2:6], ["1", "0", "2", "1"])  # FROM is two words

    def test_of_a_stretch_have_what_is_of_whole_days_below_the_line_that_says_so(self):
        lines = self.stele("stats", "two", "--from", "1h").stdout.splitlines()
        first = {line.split()[0]: number for number, line in reversed(list(enumerate(lines)))
                 if line.strip()}
        self.assertLess(first["steps"], first["slowest"])
        self.assertLess(first["steps"], first["bottlenecks"])
        self.assertIn("nothing is recorded there", self.stele("stats", "--from", "2099-01-01").stdout)
        told = self.stele("stats", "--by", "day", "--from", "5m")
        self.assertRegex(told.stderr, r"of whole days: \S+ 00:00:00\.000 to \S+ 00:00:00\.000")

    def test_of_a_version_that_others_moved_to_are_not_none(self):
        flow = 'name: moving\nsteps:\n  - {id: ask, type: manual, config: {assignees: [ann]}}\n'
        self.stele("run", self.write("moving.yml", flow), code=3)
        self.stele("definitions", "register", self.write("next.yml", flow + "description: more\n"))
        self.stele("migrate", "4", "--to", "2")
        text = self.stele("stats", "moving", "--version", "2").stdout
        self.assertIn("0 started", text)
        self.assertRegex(text, "migrated +1 to this version, 0 away from it")
        self.assertRegex(text, "now +1 open: .*1 waiting")
        self.assertRegex(text, "ask +manual")
        self.assertNotIn("throughput", text)
        text = self.stele("stats", "moving", "--version", "1").stdout
        self.assertRegex(text, "migrated +0 to this version, 1 away from it")
        self.assertRegex(self.stele("stats", "moving").stdout, "migrated +1 from a version to ano")

    def test_of_moments_have_no_throughput(self):
        self.assertNotIn("throughput", self.stele("stats", "two", "--from", "2099-01-01").stdout)
        self.assertIn("throughput", self.stele("stats", "two", "--from", "1h").stdout)

    def test_are_not_given_of_less_than_was_asked(self):
        for words in (["--each", "--from", "24h"], ["--each", "--by", "day"], ["two", "--each"],
                      ["two", "--by", "day", "--version", "1"], ["--by", "day", "--limit", "1"],
                      ["--by", "day", "--cursor", "ab"], ["--cursor", "ab"], ["--limit", "3"]):
            self.assertIn("Expected --", self.stele("stats", *words, code=2).stderr, words)

    def test_of_each_definition_have_cursors_that_others_refuse(self):
        cursor = self.cursor("stats", "--each", "--limit", "1")
        self.assertRegex(cursor, "^[0-9a-f]+$")
        page = self.json("stats", "--each", "--cursor", cursor, "--json")
        self.assertEqual([one["definition"] for one in page["definitions"]], ["fails", "two"])
        some = self.json("stats", "--each", "--limit", "1", "--json")
        self.assertEqual(some["next"], cursor)
        self.assertIn("cursor", self.stele("stats", "--each", "--cursor", "fails", code=2).stderr)
        other = self.cursor("list", "--limit", "1")
        refused = self.stele("stats", "--each", "--cursor", other, code=2).stderr
        self.assertIn("of the search of definitions", refused)


class Lists(Questions):
    def test_say_that_nothing_fits_and_why_that_may_be(self):
        self.assertEqual(self.stele("list", "tag:none").stdout, "nothing fits\n")
        self.assertEqual(self.stele("tasks", "state:approved").stdout, "nothing fits\n")
        self.assertEqual(self.stele("tasks", "--assignee", "nobody").stdout, "nothing fits\n")
        self.assertIn("a row keeps 32", self.stele("list", "var.unknown:1").stderr)
        self.assertEqual(self.stele("list", "var.customer:42").stderr, "")
        self.stele("definitions", "register", self.path("two.yml"), "--data", "empty")
        self.assertEqual(self.stele("list", "--data", "empty").stdout, "nothing has been started\n")
        self.assertIn("none has been started", self.stele("stats", "--data", "empty").stdout)
        self.assertEqual(self.stele("tasks", "--data", "empty").stdout,
                         "nothing waits for people\n")

    def test_take_several_statuses_at_once(self):
        listed = lambda *words: [
            row["instance"] for row in self.json("list", "--json", *words)["instances"]]
        self.assertEqual(listed("--status", "failed,completed"), [2, 1])
        self.assertEqual(listed("--status", "failed,waiting", "--status", "completed"), [3, 2, 1])
        self.stele("list", "--status", "failed,", code=2)

    def test_tell_of_words_that_are_no_query(self):
        for query in ("status:failed OR status:parked", "not tag:a", "(a b)"):
            self.assertIn("STL0201", self.stele("list", query, code=2).stderr)
        done = subprocess.run([BINARY, "list", b"\xff\xfe"], cwd=self.directory,
                              env=environment(), capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"UTF-8", done.stderr)

    def test_have_columns_that_wide_characters_and_tabs_do_not_move(self):
        self.stele("run", self.path("two.yml"), "--business-key", "流程\t1")
        self.stele("run", self.path("two.yml"), "--business-key", "abc")
        head, *lines = self.stele("list", "key:*", "--sort", "started").stdout.splitlines()
        self.assertIn("流程 1", lines[1])
        self.assertEqual(head.index("WAITS FOR") - head.index("KEY"), len("流程 1") + 2 + 2)

    def test_are_cut_to_a_terminal_and_nowhere_else(self):
        long = "K" * 300
        self.stele("run", self.path("two.yml"), "--business-key", long)
        self.assertIn(long, self.stele("list").stdout)
        lines = self.lines_on_a_terminal(120, "list")
        self.assertIn("KKK…", "\n".join(lines))
        self.assertEqual([line for line in lines if len(line) > 120], [])


class Status(ProgramTest):
    def test_says_what_an_instance_is_undone_for(self):
        flow = """
name: "undo"
error_handling: compensate
steps:
  - {id: a, type: script, config: {script: "true"}, compensation: u}
  - {id: u, type: script, config: {script: "exit 7"}}
  - {id: b, type: script, depends_on: a, config: {script: "echo no stock >&2; exit 4"}}
"""
        self.stele("run", self.write("undo.yml", flow), code=3)
        document = self.json("status", "1", "--json")
        self.assertIsNone(document["ended"])
        self.assertEqual((document["error"]["kind"], document["error"]["step"]), ("exit", "b"))
        self.assertRegex(self.stele("status", "1").stdout, r"\nerror +exit: .*4")


class Resuming(ProgramTest):
    def test_says_how_long_it_stays_for_a_delay(self):
        self.write("rest.yml", DELAY)
        self.stele("run", self.path("rest.yml"), "--paused", code=3)
        child = self.start("resume", "1", "--quiet")
        line = child.stderr.readline()
        self.assertRegex(line, 'instance 1 waits for the delay of "rest" until 20.* leaves it')
        interrupt(child)
        self.assertEqual(child.wait(60), 3)

    def test_acts_on_tasks_that_are_overdue(self):
        self.stele("definitions", "register", self.write("overdue.yml", OVERDUE))
        self.stele("start", "overdue", "--no-wait")
        self.stele("resume", code=1)
        self.assertEqual(self.json("status", "1", "--json")["status"], "failed")
        self.assertEqual(self.stele("tasks").stdout, "nothing waits for people\n")


if __name__ == "__main__":
    unittest.main()
