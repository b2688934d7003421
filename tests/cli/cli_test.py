#!/usr/bin/env python3
"""What a user of the program sees: exit codes, outputs, messages."""

import os
import subprocess
import unittest

from program import BINARY, ProgramTest, example, interrupt

ONE_STEP = """
name: "one"
variables:
  word: "hello"
steps:
  - id: "say"
    type: "script"
    input_mapping:
      word: "{{variables.word}}"
    config:
      runtime: "bash"
      script: %s
"""
# Its first attempt waits for the file "go"; the child of a run that is stopped ends at once then.
WAITS = """
name: "waits"
steps:
  - id: "first"
    type: "script"
    config: {runtime: "bash", script: "echo first"}
  - id: "wait"
    type: "script"
    depends_on: ["first"]
    config: {runtime: "bash", script: "until [[ -e $STELE_WORKSPACE/go ]]; do read -t 0.01 <> <(:); done; echo went=yes >> outputs"}
"""


class Run(ProgramTest):
    def test_completes_with_0_and_prints_outputs(self):
        done = self.stele("run", example("order-saga.yml"))
        self.assertIn("✓ ship_order completed", done.stdout)
        self.assertIn("tracking: T-A-1001", done.stdout)
        self.assertNotIn("\x1b", done.stdout)

    def test_undoes_in_reverse_order_and_exits_1_when_a_step_fails(self):
        done = self.stele("run", example("order-saga.yml"), "--var", "fail_at=shipping", code=1)
        refund = done.stdout.index("✓ refund_customer")
        self.assertLess(refund, done.stdout.index("✓ release_stock"))
        self.assertIn("stele: STL0501:", done.stderr)

    def test_every_example_that_needs_no_server_completes(self):
        for name in ("conditional-deploy", "loop-list", "nested-sub-process", "parallel-join"):
            with self.subTest(name):
                document = self.json("run", example(name + ".yml"), "--json")
                self.assertEqual(document["status"], "completed")

    def test_retries_against_the_flaky_server(self):
        done = subprocess.run(
            ["python3", example("flaky_server.py"), "--port", "0", "--", BINARY, "run",
             example("retry-backoff.yml"), "--var", "port={port}", "--json"],
            cwd=self.directory, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"attempts": 3', done.stdout)

    def test_prints_one_json_document(self):
        document = self.json("run", example("parallel-join.yml"), "--json")
        self.assertEqual(list(document), ["instance", "definition", "status", "output", "error",
                                          "steps", "duration"])
        self.assertEqual(document["error"], None)
        self.assertEqual(str(document["output"]["total"]), "42")

    def test_stubs_by_step_and_by_type(self):
        document = self.json("run", example("order-saga.yml"), "--json", "--stub", "script={}",
                             "--stub", 'ship_order={"tracking": "stubbed"}',
                             "--stub", 'reserve_stock={"reservation": "R"}')
        self.assertEqual(document["output"], {"tracking": "stubbed"})

    def test_a_declared_string_stays_a_string(self):
        self.json("run", example("order-saga.yml"), "--json", "--var", "order_id=7")
        self.assertEqual(self.json("status", "1", "--json")["variables"]["order_id"], "7")

    def test_the_input_is_kept_and_shown(self):
        self.stele("run", example("expense.yml"), "--input", '{"amount": 420, "by": {"name": "ada"}}', code=3)
        self.assertEqual(self.json("status", "1", "--json")["input"], {"amount": 420, "by": {"name": "ada"}})
        self.assertIn('\ninput\n  amount: 420\n  by: {"name":"ada"}\n', self.stele("status", "1").stdout)
        self.stele("run", example("order-saga.yml"))
        self.assertIsNone(self.json("status", "2", "--json")["input"])
        self.assertNotIn("input", self.stele("status", "2").stdout)

    def test_an_input_that_is_no_file_is_refused(self):
        for place in ("/", "/dev/zero", "nowhere.json"):
            self.assertIn("STL000", self.stele("run", example("parallel-join.yml"), "--input",
                                               "@" + place, code=2).stderr)

    def test_bad_usage_exits_2(self):
        file = self.write("one.yml", ONE_STEP % '"true"')
        for words in (["run"], ["run", "none.yml"], ["run", file, "--nonsense"],
                      ["run", file, "--stub", "nobody={}"], ["run", file, "--stub", "say=1"],
                      ["run", file, "--var", "x"], ["run", file, "--input", "[1]"], ["frob"], [],
                      ["status", "x"], ["list", "more"]):
            with self.subTest(words):
                self.assertTrue(self.stele(*words, code=2).stderr)

    def test_faults_have_their_places(self):
        file = self.write("bad.yml", "name: x\nsteps:\n  - id: a\n    type: nonsense\n"
                                     "    depends_on: [b]\n")
        done = self.stele("run", file, code=2)
        self.assertRegex(done.stderr, r"bad\.yml:\d+:\d+: STL01\d\d: ")
        self.assertFalse(os.path.exists(self.path("stele-data")))

    def test_control_characters_do_not_reach_the_terminal(self):
        file = self.write("one.yml", ONE_STEP % r'''"printf '\\033[31mred\\n'"''')
        self.stele("run", file)
        logs = self.stele("logs", "1").stdout
        self.assertIn(r"\x1b[31mred", logs)
        self.assertNotIn("\x1b", logs)

    def test_characters_that_turn_text_do_not_reach_it(self):
        file = self.write("one.yml", ONE_STEP % "'true'")
        self.stele("run", file, "--business-key", "a\u202ecba\u2066d")
        listed = self.stele("list").stdout
        self.assertIn(r"a\u202ecba\u2066d", listed)
        self.assertNotIn("\u202e", listed)

    def test_on_a_terminal_live_lines_leave_nothing_behind(self):
        text = self.on_a_terminal(120, "run", example("parallel-join.yml"))
        self.assertIn("✓ add_up completed", text)
        self.assertNotRegex(text, r"\x1b\[[0-9;]*m", "a colour, though NO_COLOR is set")


class Interrupted(ProgramTest):
    def test_stops_in_order_and_is_resumed(self):
        child = self.start("run", self.write("waits.yml", WAITS))
        self.wait_for_line(child, "wait started")
        refused = self.stele("list", code=2)
        self.assertIn("STL0303", refused.stderr)
        self.assertIn(f"process {child.pid} (", refused.stderr)
        interrupt(child)
        _, errors = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 3, errors)
        self.assertIn("stele resume", errors)
        self.write("go", "")
        documents = self.json("resume", "--json")
        self.assertEqual([d["status"] for d in documents], ["completed"])
        self.assertEqual([d["output"]["went"] for d in documents], ["yes"])
        self.assertIn("nothing to continue", self.stele("resume").stdout)
        self.stele("verify")


class Parked(ProgramTest):
    PARKS = """
name: "parks"
error_handling: {strategy: "park"}
steps:
  - id: "first"
    type: "script"
    config: {runtime: "bash", script: "test -e $STELE_WORKSPACE/mended"}
  - id: "second"
    type: "script"
    depends_on: ["first"]
    config: {runtime: "bash", script: "echo done=yes >> outputs"}
"""

    def test_is_retried_when_the_operator_says_so(self):
        path = self.write("parks.yml", self.PARKS)
        self.assertIn("stele resolve 1 first", self.stele("run", path, code=3).stderr)
        self.stele("resume", code=3)
        self.stele("resume", "--parked", "retry", code=3)
        self.write("mended", "")
        self.assertIn("done: yes", self.stele("resume", "--parked", "retry").stdout)
        self.stele("verify")

    def test_is_skipped_or_failed_when_the_operator_says_so(self):
        path = self.write("parks.yml", self.PARKS)
        self.stele("run", path, code=3)
        self.assertIn("done: yes", self.stele("resume", "--parked", "skip").stdout)
        self.stele("run", path, code=3)
        self.stele("resume", "--parked", "fail", code=1)
        self.assertIn("STL0701", self.stele("resume", "--parked", "perhaps", code=2).stderr)
        self.stele("verify")


class Reading(ProgramTest):
    def test_shows_what_was_recorded(self):
        self.stele("run", example("order-saga.yml"), "--var", "fail_at=shipping", code=1)
        self.assertIn("failed", self.stele("list").stdout)
        status = self.json("status", "1", "--json")
        steps = {step["label"]: step for step in status["steps"]}
        self.assertEqual(steps["ship_order"]["attempts"], 2)
        self.assertEqual(steps["refund_customer"]["purpose"], "compensation")
        self.assertIn("ship_order attempt 2: failed", self.stele("logs", "1").stdout)
        self.assertNotIn("reserve_stock", self.stele("logs", "1", "--step", "ship_order").stdout)
        events = self.history()
        self.assertEqual([event["seq"] for event in events], list(range(1, len(events) + 1)))
        self.assertEqual(events[0]["event"], "instance_started")
        self.assertIn("instance_failed", self.stele("history", "1").stdout)
        self.assertIn("verified:", self.stele("verify").stdout)

    def test_makes_no_directory_and_says_that_there_is_none(self):
        for words in (["list"], ["status", "1"], ["logs", "1"], ["history", "1"], ["verify"],
                      ["resume"]):
            self.assertIn("STL0306", self.stele(*words, code=2).stderr)
        self.assertEqual(os.listdir(self.directory), [])

    def test_damage_at_the_end_of_the_log_is_named(self):
        self.stele("run", example("parallel-join.yml"), "--quiet")
        folder = os.path.join(self.directory, "stele-data", "log")
        newest = max(n for n in os.listdir(folder) if n.endswith(".log")
                     and os.path.getsize(os.path.join(folder, n)))
        with open(os.path.join(folder, newest), "r+b") as file:
            file.seek(5)  # the length of the first entry: what follows looks torn
            byte = file.read(1)
            file.seek(5)
            file.write(bytes([byte[0] ^ 0x40]))
        self.assertIn("position", self.stele("verify", code=1).stderr)
        for words in (["list"], ["status", "1"], ["resume"],
                      ["run", example("parallel-join.yml")]):
            self.assertIn("STL0302", self.stele(*words, code=1).stderr)

    def test_a_closed_standard_stream_is_no_harm(self):
        for stream in ("<&-", ">&-", "2>&-"):
            done = subprocess.run(
                ["bash", "-c", f'"$0" "$@" {stream}', BINARY, "run", example("parallel-join.yml"),
                 "--data", "stele-data"], cwd=self.directory, capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, stream)

    def test_output_that_cannot_be_written_is_an_error(self):
        self.stele("run", example("parallel-join.yml"), "--quiet")
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([BINARY, "list"], cwd=self.directory, stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"STL0003", done.stderr)

    def test_an_unknown_instance_is_named(self):
        self.stele("run", example("parallel-join.yml"), "--quiet")
        self.assertIn("found no 9", self.stele("status", "9", code=2).stderr)

    def test_validates_and_helps(self):
        self.stele("types", "register", "count_words", "--worker", "--schema",
                   example("worker-schema.json"))
        self.stele("validate", *[example(n) for n in os.listdir(example("")) if n.endswith(".yml")])
        self.assertRegex(self.stele("--version").stdout, r"^stele \d+\.\d+")
        for command in ("run", "start", "serve", "validate", "list", "status", "logs", "history",
                        "resume", "verify"):
            self.assertIn(f"stele {command}", self.stele(command, "--help").stdout)


if __name__ == "__main__":
    unittest.main()
