#!/usr/bin/env python3
"""Alert rules, set in a data directory and watched over by a server."""

import unittest

from served import ServedTest


class Alerts(ServedTest):
    def listed(self, *words):
        return self.json("alerts", "list", "--json", *words)

    def test_rules_are_set_changed_and_removed(self):
        self.stele("alerts", "list", code=2)
        self.register_one()
        self.assertEqual(self.stele("alerts", "list").stdout, "no alert rules are set\n")
        self.stele("alerts", "set", "high_failure_rate", "failure_rate > 0.1")
        self.stele("alerts", "set", "slow", "p95_duration > 30", "--definition", "two", "--window",
                   "10m", "--for", "1m", "--message", "{{ definition }} is slow", "--notify",
                   '{"url": "https://hooks/x", "headers": {"X-Key": "{{ secrets.hook }}"}}')
        self.stele("alerts", "set", "high_failure_rate", "failure_rate > 0.2")
        self.assertEqual([(rule["name"], rule["condition"]) for rule in self.listed()],
                         [("high_failure_rate", "failure_rate > 0.2"),
                          ("slow", "p95_duration > 30")])
        text = self.stele("alerts", "list").stdout
        self.assertRegex(text, r"slow +- +- +p95_duration > 30 +two +10m +1m +webhook")
        self.stele("alerts", "remove", "slow")
        self.assertEqual([rule["name"] for rule in self.listed()], ["high_failure_rate"])
        self.assertIn("STL1013", self.stele("alerts", "remove", "slow", code=2).stderr)

    def test_what_is_wrong_with_a_rule_is_told(self):
        self.register_one()
        wrong = self.stele("alerts", "set", "x", "failure_rat > 0.1", code=2).stderr
        self.assertIn('Expected "failure_rate" at column 1 of the condition', wrong)
        self.assertIn("JSON object", self.stele("alerts", "set", "x", "failed > 1", "--notify",
                                                "{", code=2).stderr)
        self.assertEqual(self.listed(), [])

    def test_a_server_has_the_rules_of_its_data(self):
        self.register_one()
        self.stele("alerts", "set", "some", "failed >= 1")
        socket = "unix:" + self.path("rpc.sock")
        server = self.serve_dev("--rpc", socket, data="stele-data")
        at = ("--server", socket)
        self.assertEqual(self.get("/alerts")["alerts"][0]["name"], "some")
        self.stele("alerts", "set", "other", "incidents > 0", *at)
        self.assertEqual([rule["name"] for rule in self.listed(*at)], ["other", "some"])
        self.stele("alerts", "remove", "some", *at)
        self.assertEqual([rule["name"] for rule in self.get("/alerts")["alerts"]], ["other"])
        self.stop(server)
        self.assertEqual([rule["name"] for rule in self.listed()], ["other"])

    def test_a_list_has_all_that_the_server_knows(self):
        self.register_one()
        self.stele("alerts", "set", "some", "failed >= 1")
        self.stele("alerts", "set", "unknown", "failure_rate > 0.1")
        socket = "unix:" + self.path("rpc.sock")
        server = self.serve_dev("--rpc", socket, data="stele-data")
        at = ("--server", socket)
        while any(rule["looked"] is None for rule in self.listed(*at)):
            pass
        served = self.get("/alerts")["alerts"]
        for rules in (served, listed := self.listed(*at)):
            for rule in rules:
                del rule["looked"]
        self.assertEqual(listed, served)
        self.assertEqual(listed[0]["value"], {"failed": 0})
        self.assertTrue(listed[1]["fault"])
        text = self.stele("alerts", "list", *at).stdout
        self.assertRegex(text, "VALUE +DELIVERY +FAULT\n")
        self.assertRegex(text, "some .* failed 0 +- +-\n")
        self.assertIn(listed[1]["fault"], text)
        self.stop(server)

    def register_one(self):
        self.stele("definitions", "register", self.write(
            "two.yml", "name: two\nsteps: [{id: a, type: script, config: {script: 'true'}}]\n"))


if __name__ == "__main__":
    unittest.main()
