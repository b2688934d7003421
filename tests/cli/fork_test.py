#!/usr/bin/env python3
"""Forks, on a data directory and at a server: what would have become of an instance, and others that begin as it was."""

import hashlib
import json
import os
import unittest

from program import ProgramTest
from remote_read_test import UsersTest
from workflows import SIGNAL, TWO_STEPS

ORDER = """
workflow:
  id: order
  processes:
    - id: main
      type: conditional
      variables:
        - {name: amount, type: number, default: 40}
      tasks:
        - {id: price, type: script, config: {script: "echo"}}
        - {id: review, type: approval, config: {assignees: [ann]}}
        - {id: charge, type: script, input_mapping: {amount: "{{variables.amount}}"}, config: {script: "echo"}}
        - {id: ship, type: script, config: {script: "echo"}}
      transitions:
        - {from: price, to: review, condition: "variables.amount > 100"}
        - {from: price, to: charge, condition: "variables.amount <= 100"}
        - {from: review, to: charge}
        - {from: charge, to: ship}
"""
PACKS = ORDER.replace("        - {id: ship,", "        - {id: pack, type: script, config: {script: \"echo\"}}\n"
                      "        - {id: ship,").replace(
    "        - {from: charge, to: ship}", "        - {from: charge, to: pack}\n        - {from: pack, to: ship}")
STUBS = [word for step in ("price", "charge", "ship") for word in ("--stub", step + '={"ok": true}')]


def contents(folder):
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder)] = hashlib.sha256(file.read()).hexdigest()
    return found


class DryFork(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("order.yml", ORDER), *STUBS)

    def fork(self, *words, at="1", code=0):
        return self.stele("fork", "1", "--at", at, "--dry", *words, code=code)

    def report(self, *words, at="1"):
        return json.loads(self.fork(*words, "--json", at=at).stdout)

    def test_without_a_change_follows_the_recorded_path(self):
        events = self.history()
        for event in events:
            report = self.report(at=str(event["seq"]))
            self.assertIsNone(report["left"])
            self.assertEqual(report["followed"], len(events) - report["at"])
            self.assertEqual((report["beyond"], report["patch"], report["steps"]), (0, [], []))
            self.assertGreaterEqual(report["at"], event["seq"])
        text = self.fork(at="1").stdout
        self.assertIn("it follows the recorded path to its end", text)
        self.assertIn("nothing was recorded", text)

    def test_leaves_at_a_time_too(self):
        last = str(self.history()[-1]["seq"])
        self.assertEqual(self.report(at="2999-01-01"), self.report(at=last))
        self.assertIn("STL0309", self.fork(at="2001-01-01", code=2).stderr)
        self.assertIn("STL0701", self.fork(at="whenever", code=2).stderr)

    def test_another_variable_takes_the_other_branch(self):
        report = self.report("--set", "amount=500")
        self.assertEqual(report["changes"], {"variables": {"amount": 500}})
        self.assertEqual(report["left"]["recorded"]["event"], "step_skipped")
        self.assertEqual(report["left"]["now"]["event"], "step_activated")
        self.assertEqual(report["left"]["now"]["step"], "review")
        self.assertEqual(report["now"]["status"], "waiting")
        self.assertEqual(report["now"]["waiting_for"][0]["step"], "review")
        self.assertEqual(report["recorded"]["status"], "completed")
        steps = {step["step"]: step for step in report["steps"]}
        self.assertEqual(steps["review"]["now"]["status"], "waiting")
        self.assertIsNone(steps["ship"]["now"])
        text = self.fork("--set", "amount=500").stdout
        self.assertRegex(text, r"\n  - event \d+, .*: step_skipped review\n  \+ event \d+, .*: step_activated review")
        self.assertRegex(text, r"\nstatus +completed +waiting\n")
        self.assertNotIn("\x1b", text)

    def test_another_version_adds_a_step(self):
        file = self.write("packs.yml", PACKS)
        report = self.report("--definition", file)
        self.assertEqual(report["changes"], {"version": 2})
        self.assertEqual(report["now"]["unanswered"], [{"step": "pack", "type": "script", "run": 3, "attempt": 1}])
        self.assertIn("--stub pack=JSON", self.fork("--definition", file).stdout)
        report = self.report("--definition", file, "--stub", "pack={}")
        self.assertEqual(report["now"]["status"], "completed")
        self.assertEqual(report["results"],
                         {"recorded": 3, "reused": 3, "assumed": 0, "stubbed": 1, "repeated": 0})
        # A registered one is the same.
        self.stele("definitions", "register", file)
        self.assertEqual(self.report("--definition", "order@2", "--stub", "pack={}"), report)
        self.assertEqual(self.report("--definition", "order", "--version", "2", "--stub", "pack={}"), report)

    def test_changes_nothing(self):
        before = contents(self.path("stele-data"))
        self.fork("--set", "amount=500")
        self.fork("--definition", self.write("packs.yml", PACKS), "--stub", "pack={}")
        self.assertEqual(contents(self.path("stele-data")), before)

    def test_refuses_what_cannot_be_done(self):
        for words, code, parts in (
                (("fork", "1", "--at", "1"), 2, ("--dry", "--live")),
                (("fork", "1", "--at", "1", "--dry", "--live"), 2, ("--dry", "--live")),
                (("fork", "1", "--dry"), 2, ("--at SEQ",)),
                (("fork", "1", "--at", "1", "--dry", "--version", "2"), 2, ("--definition",)),
                (("fork", "1", "--at", "99", "--dry"), 2, ("from 1 to", "99")),
                (("fork", "9", "--at", "1", "--dry"), 2, ("Expected an instance but found no 9",)),
                (("fork", "1", "--at", "1", "--dry", "--set", "amount=many"), 2, ("amount", "number")),
                (("fork", "1", "--at", "1", "--dry", "--stub", "nobody={}"), 2, ("nobody",)),
                (("fork", "1", "--at", "1", "--dry", "--plan", "{}"), 2, ("--definition",)),
                (("fork", "1", "--at", "1", "--dry", "--definition", "none"), 2, ("none",)),
                (("fork", "1", "--at", "1", "--dry", "--definition", self.write("bad.yml", "steps: 1\n")), 2,
                 ("bad.yml:1",)),
                (("fork", "1", "--at", "1", "--dry", "--definition",
                  self.write("other.yml", "name: other\nsteps: [{id: a, type: script}]\n")), 1, ("order", "other"))):
            told = self.stele(*words, code=code).stderr
            for part in parts:
                self.assertIn(part, told)

    def test_tells_of_a_variable_that_nothing_has(self):
        self.assertIn('no variable "zz"', self.fork("--set", "zz=1").stderr)
        self.assertEqual(self.report("--set", "zz=1", "--set", "amount=41")["changes"]["unknown_variables"], ["zz"])
        self.assertNotIn("unknown_variables", self.report("--set", "amount=41")["changes"])

    def test_says_how_a_renamed_step_is_told(self):
        renamed = self.write("renamed.yml", ORDER.replace("charge", "bill"))
        self.assertIn("--plan", self.fork("--definition", renamed).stderr)
        told = self.fork("--definition", renamed, "--plan", '{"charge": "bill"}')
        self.assertNotIn("--plan", told.stderr)
        self.assertNotIn("--plan", self.fork("--definition", self.write("packs.yml", PACKS)).stderr)

    def test_tells_a_hostile_text_without_obeying_it(self):
        told = self.fork("--set", 'note="\x1b[2J"').stdout
        self.assertNotIn("\x1b", told)


class DryForkAtAServer(UsersTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("order.yml", ORDER), "--data", "data", *STUBS)
        self.here = self.json("fork", "1", "--at", "1", "--dry", "--set", "amount=500", "--json",
                              "--data", "data")

    def test_is_the_same_for_whoever_may_read(self):
        self.admit()
        viewer = self.user("vera", "viewer")
        position = self.get("/instances/1", token=self.token())["position"]
        there = self.run_with({}, "fork", "1", "--at", "1", "--dry", "--set", "amount=500", "--json", "--server",
                              self.server, "--token-file", viewer)
        self.assertEqual((there.returncode, there.stderr), (0, ""))
        self.assertEqual(json.loads(there.stdout), self.here)
        with open(viewer, encoding="utf-8") as file:
            token = file.read().split()[1]
        asked = self.post("/instances/1/what-if", {"seq": 1, "variables": {"amount": 500}}, token=token)
        self.assertEqual(asked, self.here)
        self.assertEqual(self.get("/instances/1", token=token)["position"], position)
        self.post("/instances/1/what-if", {"seq": 1}, 401)

    def test_takes_a_text_or_a_version(self):
        self.serve_rpc("--dev")
        self.register(PACKS)
        by_version = self.post("/instances/1/what-if", {"seq": 1, "version": 2, "stubs": {"pack": {}}})
        by_text = self.post("/instances/1/what-if", {"seq": 1, "definition": PACKS, "stubs": {"pack": {}}})
        self.assertEqual(by_version, by_text)
        self.assertEqual(by_version["now"]["status"], "completed")
        for body, status, part in (({}, 422, "seq"), ({"seq": 99}, 404, "from 1 to"),
                                   ({"seq": 1, "version": 9}, 404, "no 9"),
                                   ({"seq": 1, "definition": "steps: 1"}, 422, "definition:1"),
                                   ({"seq": 1, "version": 2, "definition": PACKS}, 400, "both"),
                                   ({"seq": 1, "stubs": {"pack": 1}}, 422, "pack"),
                                   ({"seq": 1, "variables": {"amount": "x"}}, 422, "number")):
            refused = self.ask("POST", "/instances/1/what-if", body)
            self.assertEqual(refused.status, status, refused.body)
            self.assertIn(part, refused.body.decode())


RETRIED = """
name: "retried"
steps:
  - id: "inner"
    type: "sub_process"
    retry_policy: {max_attempts: 2, initial_delay: "1ms"}
    steps:
      - {id: "say", type: "script", config: {script: "exit 1"}}
"""


def refused(test):
    """Words that ask for a fork of what waits (1) or has ended (2), the exit code, and what is said."""
    forks = [(("--at", "99"), 2, "STL0309"),
             (("--at", "2001-01-01"), 2, "STL0309"),
             (("--at", "2999-01-01"), 1, "STL0412"),
             (("--at", "whenever"), 2, "STL0701"),
             ((), 2, "--at TIME"),
             (("--at", "1", "--set", "amount=many"), 2, "number"),
             (("--at", "1", "--set", "amount"), 2, "amount"),
             (("--at", "1", "--deadline", "whenever"), 2, "--deadline"),
             (("--at", "1", "--plan", "{}"), 2, "--definition"),
             (("--at", "1", "--version", "2"), 2, "--definition"),
             (("--at", "1", "--definition", "none"), 2, "none"),
             (("--at", "1", "--definition", "gate"), 1, "STL0409"),
             (("--at", "1", "--definition", test.write("bad.yml", "steps: 1\n")), 2, "bad.yml:1"),
             (("--at", "1", "--definition", test.write("other.yml", TWO_STEPS)), 1, "STL0409"),
             # Nothing of a version is left behind by a fork that does not fit it.
             (("--at", "1", "--definition", test.write("cost.yml", ORDER.replace("price", "cost"))), 1, "STL0409"),
             (("--at", "1", "--definition", test.write("packs.yml", PACKS), "--plan", '{"none": "price"}'), 1,
              "STL0409")]
    return [((*command, *words), code, said) for words, code, said in forks
            for command in (("fork", "2", "--live"), ("reset", "2"))] + [
        (("fork", "9", "--live", "--at", "1"), 2, "STL0401"),
        (("reset", "9", "--at", "1"), 2, "STL0401"),
        (("fork", "x", "--live", "--at", "1"), 2, '"x"'),
        (("fork", "1", "--live", "--at", "1", "--business-key", "A-1", "--unique"), 1, "STL0410")]


class LiveFork(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("gate.yml", SIGNAL), "--business-key", "A-1", code=3)

    def statuses(self):
        return {row["instance"]: row["status"] for row in self.json("list", "--json")["instances"]}

    def status(self, instance):
        return self.json("status", instance, "--json")

    def states(self, name):
        return {row["version"]: row["state"] for row in self.json("definitions", "list", "--json")
                if row["definition"] == name}

    def test_begins_another_instance_beside_its_origin(self):
        self.stele("fork", "1", "--at", "1", "--live", "--reason", "what if", "--by", "anna", code=3)
        fork = self.status("2")
        self.assertEqual(fork["origin"]["instance"], 1)
        self.assertIsNone(fork["business_key"])
        begun = self.history("2")[0]
        self.assertEqual((begun["event"], begun["origin"], begun["origin_seq"], begun["actor"], begun["reason"]),
                         ("instance_forked", 1, fork["origin"]["seq"], "anna", "what if"))
        self.stele("signal", "2", "go")
        self.assertEqual(self.statuses(), {1: "waiting", 2: "completed"})
        self.stele("verify")

    def test_goes_on_with_what_is_different(self):
        self.stele("run", self.write("two.yml", TWO_STEPS))
        fork = ("fork", "2", "--at", "1", "--live")
        self.assertEqual(self.json(*fork, "--set", "word=bye", "--json")["status"], "completed")
        self.assertEqual(self.status("3")["variables"]["word"], "bye")
        other = self.write("other.yml", TWO_STEPS.replace("hello", "good day"))
        # A file is registered once.
        for instance in ("4", "5"):
            self.stele(*fork, "--definition", other)
            self.assertEqual(self.status(instance)["version"], 2)
        stubbed = self.json(*fork, "--stub", 'first={"a": 1}', "--stub", 'second={"b": 2}', "--json")
        self.assertEqual(stubbed["output"], {"b": 2})
        self.assertEqual(self.json(*fork, "--paused", "--json", code=3)["status"], "paused")
        self.stele("verify")

    def test_leaves_what_new_starts_run_alone(self):
        self.stele("run", self.write("two.yml", TWO_STEPS))
        other = self.write("other.yml", TWO_STEPS.replace("hello", "good day"))
        told = self.stele("fork", "2", "--at", "1", "--live", "--definition", other).stderr
        self.assertIn('"two" version 2 is registered as a draft', told)
        self.assertEqual(self.states("two"), {1: "active", 2: "draft"})
        self.stele("start", "two")
        self.assertEqual((self.status("3")["version"], self.status("4")["version"]), (2, 1))
        # It is known, and stays what it is.
        self.assertNotIn("draft", self.stele("reset", "3", "--at", "1", "--definition", other).stderr)
        self.stele("definitions", "activate", "two")
        self.stele("start", "two")
        self.assertEqual(self.status("6")["version"], 2)
        self.stele("verify")

    def test_that_is_refused_takes_no_number(self):
        self.stele("run", self.write("order.yml", ORDER), *STUBS)
        self.stele("fork", "2", "--at", "1", "--live", "--definition",
                   self.write("cost.yml", ORDER.replace("price", "cost")), code=1)
        self.stele("fork", "1", "--at", "1", "--live", code=3)
        self.assertEqual(sorted(self.statuses()), [1, 2, 3])

    def test_tells_of_a_variable_that_nothing_has(self):
        said = self.stele("fork", "1", "--at", "1", "--live", "--set", "zz=1", code=3).stderr
        self.assertIn('no variable "zz"', said)
        # It has one from there on.
        self.assertNotIn("zz", self.stele("fork", "2", "--at", "3", "--live", "--set", "zz=2", "--no-wait").stderr)

    def test_attempts_before_a_fork_are_told_of_a_fork_alone(self):
        self.stele("run", self.write("retried.yml", RETRIED), code=1)
        self.assertRegex(self.stele("status", "2").stdout, r"(?m)^inner +failed +2 +\d")
        self.stele("fork", "2", "--at", "3", "--live", code=1)
        self.assertRegex(self.stele("status", "3").stdout, r"(?m)^say +failed +2 \(1 before the fork\) ")

    def test_without_waiting_says_what_was_begun(self):
        told = self.json("fork", "1", "--at", "1", "--live", "--no-wait", "--json")
        self.assertEqual((told["instance"], told["origin"], told["status"]), (2, 1, "forked"))
        self.assertEqual(told["at"], self.status("2")["origin"]["seq"])
        said = self.stele("reset", "1", "--at", "1", "--no-wait").stdout
        self.assertIn("instance 3 goes on from event", said)
        self.assertEqual(self.statuses()[1], "terminated")

    def test_a_reset_ends_its_origin(self):
        self.stele("reset", "1", "--at", "1", "--reason", "wrong", code=3)
        self.assertEqual(self.statuses(), {1: "terminated", 2: "waiting"})
        self.assertEqual(self.status("2")["business_key"], "A-1")
        ended = self.history("1")[-1]
        self.assertIn("instance 2 goes on from its event", json.dumps(ended))
        self.assertIn("STL0412", self.stele("reset", "1", "--at", str(ended["seq"]), code=1).stderr)
        self.stele("fork", "2", "--at", "1", "--live", code=3)
        self.assertEqual(self.status("3")["origin"]["instance"], 2)
        self.stele("verify")

    def test_a_key_begins_one_fork(self):
        words = ("1", "--at", "1", "--idempotency-key", "K")
        self.stele("fork", *words, "--live", code=3)
        self.assertIn("same idempotency key", self.stele("fork", *words, "--live", code=3).stderr)
        for other in (("reset", *words), ("fork", *words, "--live", "--set", "word=1"),
                      ("fork", "2", *words[1:], "--live")):
            said = self.stele(*other, code=1).stderr
            self.assertRegex(said, r'^stele: STL0410: .*"K" belongs to another request: instance 2 .*\n$')
        self.assertEqual(self.statuses(), {1: "waiting", 2: "waiting"})

    def test_leaves_nothing_when_it_is_refused(self):
        self.stele("run", self.write("order.yml", ORDER), *STUBS)
        known = self.json("definitions", "list", "--json"), self.statuses()
        for words, code, said in refused(self):
            self.assertIn(said, self.stele(*words, code=code).stderr, words)
        self.assertEqual((self.json("definitions", "list", "--json"), self.statuses()), known)


class LiveForkAtAServer(UsersTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("gate.yml", SIGNAL), "--business-key", "A-1", "--data", "data", code=3)

    def known(self):
        return (self.get("/definitions")["definitions"],
                [(row["instance"], row["status"]) for row in self.get("/instances")["instances"]])

    def test_is_for_whoever_may_operate(self):
        self.admit()
        fork = ("fork", "1", "--at", "1", "--live", "--no-wait", "--json")
        self.assertIn("STL1002", self.ask_as(self.user("vera", "viewer"), *fork, code=2).stderr)
        operator = self.user("otto", "operator")
        told = json.loads(self.ask_as(operator, *fork).stdout)
        shown = self.get("/instances/2", token=self.token())
        self.assertEqual(shown["origin"], {"instance": 1, "seq": told["at"]})
        self.ask_as(operator, "reset", "1", "--at", "1", "--no-wait", "--reason", "wrong")
        ended = self.get("/instances/1?wait=30s", token=self.token())
        self.assertEqual((ended["status"], ended["origin"]), ("terminated", None))
        history = self.get("/instances/3/history", token=self.token())["events"]
        self.assertEqual((history[0]["event"], history[0]["actor"]), ("instance_forked", "otto"))

    def test_leaves_what_new_starts_run_alone(self):
        self.serve_rpc("--dev")
        other = self.write("other.yml", SIGNAL + "variables: {note: x}\n")
        done = self.run_with({}, "fork", "1", "--at", "1", "--live", "--no-wait", "--definition", other, "--server",
                             self.server)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"gate" version 2 is registered as a draft', done.stderr)
        self.assertEqual(self.get("/instances/2")["version"], 2)
        started = self.post("/instances", {"definition": "gate"}, 201)
        self.assertEqual(self.get(f"/instances/{started['id']}")["version"], 1)

    def test_leaves_at_the_end_that_was_read(self):
        self.serve_rpc("--dev")
        last = self.get("/instances/1/history")["events"][-1]["seq"]
        for at in ("end", str(last)):
            done = self.run_with({}, "fork", "1", "--at", at, "--live", "--no-wait", "--json", "--server", self.server)
            self.assertEqual(done.returncode, 0, done.stderr)
            fork = json.loads(done.stdout)
            self.assertEqual(fork["at"], last)
            self.assertEqual(self.get(f"/instances/{fork['instance']}")["origin"], {"instance": 1, "seq": last})

    def test_is_refused_as_in_a_directory(self):
        self.stele("run", self.write("order.yml", ORDER), "--data", "data", *STUBS)
        self.serve_rpc("--dev")
        known = self.known()
        for words, code, said in refused(self):
            done = self.run_with({}, *words, "--server", self.server)
            self.assertEqual(done.returncode, code, (words, done.stderr))
            self.assertIn(said, done.stderr, words)
        self.assertEqual(self.known(), known)


if __name__ == "__main__":
    unittest.main()
