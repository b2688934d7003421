#!/usr/bin/env python3
"""Triggers from the command line: added, shown, fired, delivered to, served, killed."""

import os
import signal
import unittest

from program import ProgramTest

WORKFLOW = """
version: "1.0"
name: report
steps:
  - id: write
    type: script
    config: {script: "echo day ${input.day}; echo done > DONE"}
triggers:
  - {type: schedule, name: nightly, cron: "30 2 * * *", time_zone: Europe/Berlin,
     input: {day: "{{trigger.scheduled_time}}"}}
  - {type: webhook, name: hook, path: /in, filter: payload.day != ""}
  - {type: manual, name: by-hand}
"""


class Triggers(ProgramTest):
    def setUp(self):
        super().setUp()
        # Every run writes a line; what is held open for reading and writing never blocks.
        os.mkfifo(self.path("done"))
        self.done = os.fdopen(os.open(self.path("done"), os.O_RDWR), "r", closefd=True)
        self.addCleanup(self.done.close)
        self.workflow = WORKFLOW.replace("DONE", self.path("done"))
        self.file = self.write("report.yml", self.workflow)
        self.stele("definitions", "register", self.file)

    def ids(self):
        return {t["name"]: t["trigger"] for t in self.json("triggers", "list", "--json")}

    def registered(self):
        """With one that is added by hand."""
        self.json("triggers", "add", "report", "--kind", "manual", "--name", "mine", "--json")
        return {name: str(number) for name, number in self.ids().items()}

    def test_declared_triggers_are_taken_up_with_the_definition(self):
        listed = self.json("triggers", "list", "--json")
        self.assertEqual({t["state"] for t in listed}, {"active"})
        self.assertEqual({t["name"]: t["trigger"] for t in listed},
                         {"nightly": 1, "hook": 2, "by-hand": 3})
        self.assertEqual(self.json("triggers", "show", "2", "--json")["path"], "/in")
        self.stele("definitions", "retire", "report")
        self.assertEqual(self.json("triggers", "list", "--json"), [])

    def test_those_of_a_file_that_ran_are_taken_up_by_the_first_command_about_triggers(self):
        other = self.write("other.yml", self.workflow.replace("name: report", "name: other"))
        self.stele("run", other, "--input", '{"day": "1"}', "--data", "ran")
        listed = self.json("triggers", "list", "--json", "--data", "ran")
        self.assertEqual({t["state"] for t in listed}, {"declared"})
        self.assertIn("declared", self.stele("triggers", "list", "--data", "ran").stdout)
        run = self.json("triggers", "fire", "3", "--input", '{"day": "2"}', "--data", "ran",
                        "--json")
        self.assertEqual(run["status"], "completed")

    def test_a_list_is_narrowed_and_in_the_order_of_what_fires_next(self):
        self.registered()
        self.json("triggers", "add", "report", "--kind", "schedule", "--name", "soon",
                  "--config", '{"interval": "1m"}', "--json")
        listed = self.json("triggers", "list", "--next", "--json")
        self.assertEqual({t["name"] for t in listed}, {"soon", "nightly"})
        moments = [t["next"] for t in listed]
        self.assertEqual(moments, sorted(moments))
        kinds = [t["name"] for t in self.json("triggers", "list", "--kind", "webhook", "--json")]
        self.assertEqual(kinds, ["hook"])
        self.assertEqual(self.json("triggers", "list", "--definition", "none", "--json"), [])
        self.assertIn("nothing fires", self.stele("triggers", "list", "--next", "--kind",
                                                  "webhook").stdout)

    def test_a_schedule_says_when_it_fires_next(self):
        ids = self.registered()
        firings = self.json("triggers", "next", ids["nightly"], "400", "--json")
        self.assertEqual(len(firings), 400)
        self.assertEqual({f["scheduled"][11:] for f in firings},
                         {"00:30:00Z", "01:30:00Z", "01:00:00Z"})
        self.assertEqual(len(self.stele("triggers", "next", ids["nightly"]).stdout.split()), 10)
        self.stele("triggers", "next", ids["hook"], code=2)
        self.stele("triggers", "next", "99", code=2)

    def test_firing_by_hand_starts_an_instance_and_follows_it(self):
        ids = self.registered()
        run = self.json("triggers", "fire", ids["by-hand"], "--input", '{"day": "monday"}',
                        "--key", "k", "--json")
        self.assertEqual(run["status"], "completed")
        self.assertIn("day monday", self.stele("logs", str(run["instance"])).stdout)
        again = self.json("triggers", "fire", ids["by-hand"], "--input", '{"day": "monday"}',
                          "--key", "k", "--json")
        self.assertEqual(again["instance"], run["instance"])
        shown = self.json("triggers", "show", ids["by-hand"], "--json")
        self.assertEqual((shown["fired"], shown["last_outcome"]), (1, "start"))
        self.assertEqual(shown["outcomes"], {"start": 1})
        listed = self.stele("triggers", "list").stdout.splitlines()
        self.assertRegex(listed[0], "FIRED +OUTCOMES +NEXT")
        told = {line.split()[2]: line for line in listed[1:]}
        self.assertRegex(told["by-hand"], "active +1 +1 started +- +fired$")
        self.assertRegex(told["mine"], "active +0 +- +-")
        self.assertRegex(self.stele("triggers", "show", ids["by-hand"]).stdout,
                         "outcomes +1 started")

    def test_a_paused_trigger_does_not_fire_and_a_removed_one_is_gone(self):
        ids = self.registered()
        self.stele("triggers", "pause", ids["by-hand"], "--reason", "holidays")
        self.assertEqual(self.json("triggers", "show", ids["by-hand"], "--json")["reason"],
                         "holidays")
        refused = self.stele("triggers", "fire", ids["by-hand"], "--input", "{}", code=1)
        self.assertIn("STL0405", refused.stderr)
        self.stele("triggers", "pause", ids["by-hand"], code=1)
        self.stele("triggers", "resume", ids["by-hand"])
        self.stele("triggers", "remove", ids["by-hand"])
        self.assertNotIn("by-hand", self.ids())
        self.stele("triggers", "fire", ids["by-hand"], code=2)
        self.assertIn("removed", self.stele("triggers", "list", "--all").stdout)

    def test_a_request_is_delivered_once(self):
        self.registered()
        body = self.write("body.json", '{"day": "tuesday"}')
        words = ("triggers", "deliver", "--path", "/in", "--body", body,
                 "--header", "Idempotency-Key: 7", "--json")
        first = self.json(*words)
        self.assertEqual(first["triggers"][0]["verdict"], "fired")
        self.assertEqual(self.json(*words), first)
        self.assertEqual(len(self.json("list", "--json")["instances"]), 1)
        empty = self.write("empty.json", '{"day": ""}')
        ignored = self.json("triggers", "deliver", "--path", "/in", "--body", empty, "--json")
        self.assertEqual(ignored["triggers"][0]["verdict"], "ignored")
        refused = self.stele("triggers", "deliver", "--path", "/nowhere", code=2)
        self.assertIn("STL0901", refused.stderr)
        self.stele("triggers", "deliver", "--path", "/in", "--method", "PUT", code=2)

    def test_a_backfill_is_noted_once_and_started_by_serve(self):
        ids = self.registered()
        words = ("triggers", "backfill", ids["nightly"], "--from", "2026-04-01", "--to",
                 "2026-04-04", "--json")
        number = int(ids["nightly"])
        self.assertEqual(self.json(*words), {"trigger": number, "fired": 3, "known": 0})
        self.assertEqual(self.json(*words), {"trigger": number, "fired": 0, "known": 3})
        self.assertEqual(self.json("list", "--json")["instances"], [])
        self.serve_runs(3)
        self.assertEqual(len(self.json("list", "--json")["instances"]), 3)
        self.assertEqual(self.json(*words)["known"], 3)
        self.stele("triggers", "backfill", ids["nightly"], "--from", "x", "--to", "y", code=2)
        self.stele("triggers", "backfill", ids["hook"], "--from", "2026-04-01", "--to",
                   "2026-04-04", code=2)

    def test_a_served_schedule_fires_and_survives_a_kill(self):
        self.json("triggers", "add", "report", "--kind", "schedule", "--name", "often", "--config",
                  '{"interval": "1s", "overlap": "allow", "input": {"day": "x"}}', "--json")
        child = self.serve()
        self.wait_for_runs(1)
        child.kill()
        child.communicate()
        self.serve_runs(2)
        listed = self.json("list", "--json")["instances"]
        self.assertGreaterEqual(len(listed), 2)
        keys = [h["idempotency_key"] for i in listed for h in self.history(str(i["instance"]))
                if h["event"] == "instance_started"]
        self.assertEqual(len(keys), len(set(keys)))
        self.stele("verify")

    def test_what_cannot_be_added_is_refused_with_its_faults(self):
        bad = self.stele("triggers", "add", "report", "--kind", "schedule", "--config",
                         '{"cron": "61 * * * *"}', code=2)
        self.assertIn("STL0111", bad.stderr)
        self.stele("triggers", "add", "nobody", "--kind", "manual", code=2)
        self.stele("triggers", "add", "report", code=2)
        self.stele("triggers", "show", "x", code=2)

    def test_validate_places_the_faults_of_triggers(self):
        bad = self.write("bad.yml", self.workflow.replace("30 2 * * *", "61 2 * * *"))
        refused = self.stele("validate", bad, code=2)
        self.assertIn("bad.yml:9:", refused.stderr)
        self.assertIn("STL0111", refused.stderr)
        good = self.write("good.yml", self.workflow.replace("30 2 * * *", "0 9 LW * *"))
        self.stele("validate", good)

    def serve(self):
        child = self.start("serve")
        self.assertIn("stele serves", child.stdout.readline())
        return child

    def wait_for_runs(self, count):
        for _ in range(count):
            self.assertEqual(self.done.readline(), "done\n")

    def serve_runs(self, count):
        """Serves until so many instances have done their work."""
        child = self.serve()
        try:
            self.wait_for_runs(count)
        finally:
            child.send_signal(signal.SIGTERM)
            child.communicate()
        self.assertEqual(child.returncode, 0)


if __name__ == "__main__":
    unittest.main()
