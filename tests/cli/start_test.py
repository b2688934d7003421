#!/usr/bin/env python3
"""What `stele start` takes, and what `run` and `start` say of instances that wait."""

import os
import unittest

from program import ProgramTest, interrupt
from workflows import APPROVAL, MESSAGE, TWO_STEPS


class Start(ProgramTest):
    def test_starts_a_registered_definition_by_name_and_version(self):
        self.stele("definitions", "register", self.write("two.yml", TWO_STEPS))
        self.stele("definitions", "register", self.write("two.yml", TWO_STEPS + "# again\n"))
        self.stele("definitions", "register",
                   self.write("two.yml", TWO_STEPS.replace("hello", "good day")))
        self.json("start", "two", "--json")
        self.json("start", "two", "--version", "1", "--json")
        self.assertEqual(self.json("status", "1", "--json")["variables"]["word"], "good day")
        self.assertEqual(self.json("status", "1", "--json")["version"], 2)
        self.assertEqual(self.json("status", "2", "--json")["variables"]["word"], "hello")
        self.assertIn("versions 1 to 2",
                      self.stele("start", "two", "--version", "3", code=2).stderr)

    def test_a_name_that_nothing_has_is_named_with_its_nearest(self):
        self.stele("definitions", "register", self.write("two.yml", TWO_STEPS))
        self.assertIn('did you mean "two"?', self.stele("start", "twoo", code=2).stderr)
        self.assertIn("STL0407", self.stele("start", "nothing", code=2).stderr)

    def test_without_data_a_name_is_refused_and_nothing_is_made(self):
        self.assertIn("STL0306", self.stele("start", "two", code=2).stderr)
        self.assertEqual(os.listdir(self.directory), [])

    def test_starts_a_file_too(self):
        document = self.json("start", self.write("two.yml", TWO_STEPS), "--json")
        self.assertEqual(document["output"]["two"], "2")

    def test_keys_tags_priority_and_deadline_are_kept_and_listed(self):
        file = self.write("approval.yml", APPROVAL)
        self.stele("run", file, "--business-key", "B-1", "--tag", "red", "--tag", "blue",
                   "--priority", "7", "--deadline", "2h", "--by", "anna", code=3)
        self.stele("run", file, "--business-key", "B-2", code=3)
        status = self.json("status", "1", "--json")
        self.assertEqual((status["business_key"], status["tags"], status["priority"]),
                         ("B-1", ["red", "blue"], 7))
        self.assertEqual(status["deadline"] - status["started"] // 1_000_000 * 1_000_000 > 0, True)
        self.assertEqual(self.history()[0]["actor"], "anna")
        listed = lambda *words: [i["instance"] for i in self.json("list", "--json", "--sort",
                                                                  "started", *words)["instances"]]
        self.assertEqual(listed("--tag", "red", "--tag", "blue"), [1])
        self.assertEqual(listed("--tag", "red", "--tag", "green"), [])
        self.assertEqual(listed("--business-key", "B-2"), [2])
        self.assertEqual(listed("--status", "waiting"), [1, 2])
        self.assertEqual(listed("--status", "completed"), [])
        self.assertIn("STL0407", self.stele("list", "--definition", "other", code=2).stderr)
        self.assertIn("STL0701", self.stele("list", "--status", "perhaps", code=2).stderr)

    def test_a_business_key_is_unique_among_open_instances_when_asked(self):
        file = self.write("approval.yml", APPROVAL)
        words = ("run", file, "--business-key", "B-1", "--unique")
        self.stele(*words, code=3)
        self.assertIn("STL0410", self.stele(*words, code=1).stderr)
        self.stele("terminate", "1")
        self.stele(*words, code=3)
        self.assertIn("STL0701", self.stele("run", file, "--unique", code=2).stderr)

    def test_an_idempotency_key_starts_one_instance(self):
        file = self.write("two.yml", TWO_STEPS)
        self.stele("run", file, "--idempotency-key", "K")
        again = self.stele("run", file, "--idempotency-key", "K")
        self.assertIn("started with the same idempotency key before", again.stderr)
        self.assertIn("instance 1 completed", again.stdout)
        self.assertEqual(len(self.json("list", "--json")["instances"]), 1)

    def test_an_idempotency_key_goes_on_with_what_it_started(self):
        file = self.write("two.yml", TWO_STEPS)
        self.stele("run", file, "--idempotency-key", "K", "--no-wait")
        self.assertEqual(self.json("list", "--json")["instances"][0]["steps_completed"], 0)
        self.assertIn("instance 1 completed",
                      self.stele("run", file, "--idempotency-key", "K").stdout)

    def test_without_waiting_nothing_acts_before_resume(self):
        act = TWO_STEPS.replace("echo one=1 >> outputs", "touch $STELE_WORKSPACE/acted")
        self.assertIn("instance 1 of two is started",
                      self.stele("start", self.write("two.yml", act), "--no-wait").stdout)
        self.assertFalse(os.path.exists(self.path("acted")))
        self.stele("resume")
        self.assertTrue(os.path.exists(self.path("acted")))
        self.stele("verify")

    def test_a_definition_that_may_not_start_refuses_with_its_reason(self):
        file = self.write("two.yml", TWO_STEPS)
        self.stele("definitions", "register", file)
        self.stele("definitions", "pause", "two", "--reason", "stocktaking")
        for words in (["start", "two"], ["run", file]):
            refused = self.stele(*words, code=1).stderr
            self.assertIn("STL0411", refused)
            self.assertIn("stocktaking", refused)

    def test_values_that_are_none_are_refused(self):
        file = self.write("two.yml", TWO_STEPS)
        for words, code in ((["--priority", "high"], "STL0701"),
                            (["--deadline", "soon"], "STL0109"),
                            (["--deadline", "2001-01-01T00:00:00Z"], "STL0701"),
                            (["--by", ""], "STL0701"),
                            (["--by", " "], "STL0701"),
                            (["--by", "an\nna"], "STL0701"),
                            (["--by", "an\u202ena"], "STL0701"),
                            (["--by", "worker:evil"], "STL0701"),
                            (["--by", "trigger:3"], "STL0701"),
                            (["--input", '{"a": 1, "b": {"c": 1, "\\u0063": 2}}'], "STL0406"),
                            (["--var", 'word2={"a": 1, "a": 2}'], "STL0406"),
                            (["--var", b"word=\xff"], "STL0701"),
                            (["--tag", b"\xc3\x28"], "STL0701"),
                            (["--version", "1"], "STL0701")):
            with self.subTest(words):
                self.assertIn(code, self.stele("run" if words[0] != "--version" else "start", file,
                                               *words, code=2).stderr)
        self.assertFalse(os.path.exists(self.path("stele-data")))


class Waits(ProgramTest):
    def test_says_for_whom_and_which_command_goes_on(self):
        done = self.stele("run", self.write("approval.yml", APPROVAL), code=3)
        self.assertIn('waits for approval of "review" by anna, bo or group ops', done.stderr)
        self.assertIn("; stele approve 1 review --by anna", done.stderr)

    def test_names_the_data_directory_in_the_command(self):
        done = self.stele("run", self.write("approval.yml", APPROVAL), "--data", "my data", code=3)
        self.assertIn("--by anna --data 'my data'", done.stderr)

    def test_for_a_message_with_its_key(self):
        done = self.stele("run", self.write("message.yml", MESSAGE), code=3)
        self.assertIn('message "payment" with the key "A-17"', done.stderr)
        self.assertIn("stele publish payment --key A-17", done.stderr)

    def test_a_wait_with_a_timer_is_waited_for(self):
        race = """
name: "race"
steps:
  - id: "either"
    type: "event_race"
    config:
      events: [{id: "never", signal: "never"}, {id: "soon", after: "10ms"}]
"""
        document = self.json("run", self.write("race.yml", race), "--json")
        self.assertEqual(document["output"]["event"], "soon")

    def test_a_wait_with_a_timeout_is_named_and_left_by_an_interrupt(self):
        wait = """
name: "wait"
steps: [{id: "go", type: "signal", config: {name: "go"}, timeout: "1h"}]
"""
        child = self.start("run", self.write("wait.yml", wait))
        said = child.stderr.readline()
        self.assertIn('instance 1 waits for signal "go" at "go" until ', said)
        interrupt(child)
        self.assertIn("stele signal 1 go", child.stderr.read())
        self.assertEqual(child.wait(), 3)
        listed, = self.json("list", "--status", "waiting", "--json")["instances"]
        self.assertEqual(listed["instance"], 1)
        self.assertEqual(self.json("signal", "1", "go", "--json")["status"], "completed")

    def test_the_document_holds_what_it_waits_for(self):
        document = self.json("run", self.write("approval.yml", APPROVAL), "--json", code=3)
        self.assertEqual(document["status"], "waiting")
        wait, = document["waiting_for"]
        self.assertEqual((wait["for"], wait["step"], wait["title"]),
                         ("people", "review", "Check the bill"))
        self.assertEqual((wait["assignees"], wait["groups"]), (["anna", "bo"], ["ops"]))

    def test_resume_returns_with_all_that_wait(self):
        self.stele("run", self.write("approval.yml", APPROVAL), code=3)
        self.stele("run", self.write("message.yml", MESSAGE), code=3)
        documents = self.json("resume", "--json", code=3)
        self.assertEqual([d["status"] for d in documents], ["waiting", "waiting"])
        retried = self.json("resume", "--parked", "retry", "--json", code=3)
        self.assertEqual([d["status"] for d in retried], ["waiting", "waiting"])
        self.stele("verify")

    def test_a_queued_instance_waits_for_a_place_and_is_admitted(self):
        queue = APPROVAL.replace("variables:", "max_concurrent: 1\nvariables:")
        file = self.write("queue.yml", queue)
        self.stele("run", file, code=3)
        self.assertIn("waits for a place", self.stele("run", file, code=3).stderr)
        self.assertEqual([i["status"] for i in self.json("list", "--json", "--sort", "started")["instances"]],
                         ["waiting", "queued"])
        self.stele("terminate", "1")
        self.stele("resume", code=3)
        self.assertEqual([i["status"] for i in self.json("list", "--json", "--sort", "started")["instances"]],
                         ["terminated", "waiting"])
        self.stele("verify")


class Calls(ProgramTest):
    PARENT = """
name: "parent"
steps:
  - id: "ask"
    type: "call"
    config: {workflow: "expense"}
"""

    def test_a_parent_waits_for_whom_its_child_waits_and_ends_behind_it(self):
        self.stele("definitions", "register", self.write("approval.yml", APPROVAL))
        done = self.stele("run", self.write("parent.yml", self.PARENT), code=3)
        self.assertIn('waits for instance 2 at "ask"', done.stderr)
        self.assertEqual(self.json("status", "1", "--json")["steps"][0]["child"], 2)
        self.assertEqual(self.json("status", "2", "--json")["parent"], 1)
        self.stele("approve", "2", "review", "--by", "anna", code=3)
        self.stele("approve", "2", "review", "--by", "bo")
        self.assertEqual([i["status"] for i in self.json("list", "--json", "--sort", "started")["instances"]],
                         ["completed", "completed"])
        self.stele("verify")

    def test_a_child_is_cancelled_with_its_parent(self):
        self.stele("definitions", "register", self.write("approval.yml", APPROVAL))
        self.stele("run", self.write("parent.yml", self.PARENT), code=3)
        self.stele("cancel", "1")
        self.assertEqual([i["status"] for i in self.json("list", "--json", "--sort", "started")["instances"]],
                         ["cancelled", "cancelled"])
        self.stele("verify")


if __name__ == "__main__":
    unittest.main()
