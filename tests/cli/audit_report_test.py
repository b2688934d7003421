#!/usr/bin/env python3
"""`stele audit report`: who did what, in a data directory and at a server."""

import csv
import getpass
import io
import json
import socket
import unittest

from remote_read_test import UsersTest
from workflows import APPROVAL, TWO_STEPS


class InADirectory(UsersTest):
    def report(self, *words, code=0):
        return self.stele("audit", "report", *words, code=code).stdout

    def deeds(self, *words):
        return json.loads(self.report(*words, "--json"))["deeds"]

    def setUp(self):
        super().setUp()
        self.write("expense.yml", APPROVAL.replace("min_approvers: 2, ", ""))
        self.stele("run", "expense.yml", code=3)
        self.stele("pause", "1", "--by", "olaf", "--reason", "the supplier is down")
        self.stele("set", "1", "amount=7", "--by", "olaf", "--reason", "a wrong amount")
        self.stele("cancel", "1", "--by", "olaf", "--reason",
                   "=cmd|' /C calc'!A0")

    def test_says_who_when_from_where_what_and_why(self):
        deeds = self.deeds("--instance", "1")
        self.assertEqual([deed["action"] for deed in deeds],
                         ["start", "pause", "set variables", "cancel"])
        for deed in deeds[1:]:
            self.assertEqual(deed["actor"], "olaf")
            # Whoever somebody says they are: who ran the program is told, too.
            self.assertEqual(deed["source"], f"cli {getpass.getuser()}@{socket.gethostname()}")
            self.assertEqual((deed["instance"], deed["kind"]), (1, "operate"))
        self.assertEqual(deeds[1]["reason"], "the supplier is down")
        self.assertEqual(deeds[2]["target"], "amount")
        self.assertEqual(deeds[3]["outcome"], "cancelled")
        text = self.report("--instance", "1")
        self.assertRegex(text, r"olaf  pause instance 1 of \S+\n    cli \S+, record \d+, event \d+"
                               r"\n    reason: the supplier is down\n")

    def test_goes_by_what_is_asked_for(self):
        self.assertEqual(len(self.deeds("--actor", "olaf")), 3)
        self.assertEqual(len(self.deeds("--kind", "operate", "--kind", "start")), 4)
        self.assertEqual(self.deeds("--denied"), [])
        self.assertEqual(self.deeds("--until", "2020-01-01"), [])
        self.assertEqual(len(self.deeds("--since", "1h", "--actor", "olaf")), 3)
        self.stele("run", self.write("two.yml", TWO_STEPS))
        self.assertGreater(len(self.deeds("--all")), len(self.deeds()))
        self.assertIn("nobody did any of that", self.report("--actor", "nobody"))
        for words in (("--kind", "none"), ("--format", "xml"), ("--instance", "x")):
            self.stele("audit", "report", *words, code=2)

    def test_is_csv_by_the_rules_and_no_formula(self):
        text = self.report("--format", "csv")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual(len(rows), len(self.deeds()))
        cancelled = [row for row in rows if row["action"] == "cancel"]
        self.assertEqual([row["reason"] for row in cancelled], ["'=cmd|' /C calc'!A0"])
        self.assertRegex(rows[0]["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")


class AtAServer(UsersTest):
    def test_an_auditor_is_told_who_did_what_and_was_denied_what(self):
        child = self.admit()
        expense = self.write("expense.yml", APPROVAL.replace("min_approvers: 2, ", ""))
        developer, operator, viewer, auditor = (self.user(name, role) for name, role in (
            ("dev", "developer"), ("op", "operator"), ("vi", "viewer"), ("audi", "auditor")))
        self.ask_as(developer, "definitions", "register", expense)
        self.ask_as(operator, "start", "expense", code=3)
        self.ask_as(operator, "pause", "1", "--reason", "so")
        self.ask_as(viewer, "terminate", "1", code=2)
        self.ask_as(auditor, "terminate", "1", code=2)
        self.ask_as(operator, "audit", "report", code=2)

        def deeds(*words):
            return json.loads(self.ask_as(auditor, "audit", "report", "--json",
                                          *words).stdout)["deeds"]

        self.assertEqual([(deed["actor"], deed["action"], deed["outcome"], deed["source"])
                          for deed in deeds("--instance", "1")],
                         [("op", "start", "done", "rpc 127.0.0.1"),
                          ("op", "pause", "done", "rpc 127.0.0.1"),
                          ("vi", "operate", "denied", "rpc 127.0.0.1"),
                          ("audi", "operate", "denied", "rpc 127.0.0.1")])
        self.assertIn(("op", "audit"), [(deed["actor"], deed["action"])
                                        for deed in deeds("--denied")])
        access = [deed for deed in deeds("--kind", "access") if deed["target"].startswith("user vi")]
        self.assertEqual(access[0]["actor"], "admin")
        self.assertEqual(access[0]["source"], "rest 127.0.0.1")
        self.assertEqual(access[0]["target"], "user vi (viewer)")
        self.assertNotEqual(self.login("vi", "wrong-wrong-wrong\n").returncode, 0)
        self.assertIn(("vi", "login"), [(deed["actor"], deed["action"])
                                        for deed in deeds("--denied")])
        at_server = deeds()
        self.assertNotIn("password_hash", json.dumps(at_server))
        self.stop(child)
        there = json.loads(self.stele("audit", "report", "--json", "--data", "data").stdout)["deeds"]
        self.assertEqual(there[:len(at_server)], at_server)


class Logs(UsersTest):
    def test_show_what_attempts_gave(self):
        self.stele("run", self.write("two.yml", TWO_STEPS))
        self.assertIn("output: {", self.stele("logs", "1", "--outputs").stdout)
        self.assertNotIn("output: {", self.stele("logs", "1").stdout)
        for attempt in json.loads(self.stele("logs", "1", "--json").stdout):
            self.assertIn("output", attempt)

    def test_keep_as_much_as_is_set(self):
        self.stele("run", self.write("two.yml", TWO_STEPS))
        with open(self.path("stele-data/settings.json"), "w", encoding="utf-8") as file:
            json.dump({"max_log_bytes": 8}, file)
        self.stele("run", self.write("long.yml", """
name: long
steps:
  - {id: talks, type: script, config: {runtime: bash, script: "echo beginning; echo ending"}}
"""))
        attempt, = json.loads(self.stele("logs", "2", "--json").stdout)
        self.assertTrue(attempt["log_truncated"])
        self.assertTrue(attempt["log"].startswith("begi"), attempt["log"])
        self.assertIn("ing", attempt["log"][-5:])


if __name__ == "__main__":
    unittest.main()
