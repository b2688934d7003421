#!/usr/bin/env python3
"""What is done at a server has been done, though who asks may not read what comes of it."""

import json
import unittest

from remote_read_test import UsersTest
from workflows import APPROVAL

CLOSED = """
permissions:
  - {actions: ["%s"], users: ["mo"]}
"""
CALLS = """
name: "calls"
steps:
  - {id: "below", type: "call", config: {workflow: "expense"}}
"""
TOLD = """
name: "told"
steps:
  - {id: "wait", type: "wait_message", config: {message: "payment"}}
"""


class Unread(UsersTest):
    def setUp(self):
        super().setUp()
        self.child = self.admit()

    def close(self, text, action="read"):
        """Registers it: what it does may be `action` by mo alone."""
        self.register(text + CLOSED % action, token=self.token())

    def test_a_start_is_reported_as_one_that_is_not_waited_for(self):
        self.close(APPROVAL)
        developer = self.user("dev", "developer")
        for known in (False, True):
            done = self.ask_as(developer, "start", "expense", "--idempotency-key", "k", "--json")
            self.assertEqual(json.loads(done.stdout), {"instance": 1, "definition": "expense",
                                                       "status": "started", "known": known})
            self.assertRegex(done.stderr, "instance 1 is not followed: Expected .*read")
        done = self.ask_as(developer, "start", "expense")
        self.assertEqual(done.stdout, "instance 2 of expense is started\n")
        self.assertIn("instance 2 is not followed", done.stderr)
        self.assertEqual(self.get("/instances/2", token=self.token())["status"], "waiting")
        self.stop(self.child)

    def test_a_child_leaves_its_parent_to_be_followed(self):
        self.close(APPROVAL)
        self.register(CALLS, token=self.token())
        operator = self.user("op", "operator")
        run = self.start("start", "calls", "--server", self.server, "--token-file", operator)
        self.wait_for_line(run, "below started")
        done = self.ask_as(operator, "terminate", "1", "--json")
        self.assertEqual(json.loads(done.stdout)["status"], "terminated", done.stderr)
        self.assertEqual(done.stderr, "")
        said, errors = run.communicate(timeout=60)
        self.assertEqual((run.returncode, errors), (3, ""), said)
        self.assertIn("instance 1 terminated", said)
        self.stop(self.child)

    def test_whose_definition_is_kept_says_no_name(self):
        self.close(APPROVAL, "read_definitions")
        self.post("/instances", {"definition": "expense"}, 201, token=self.token())
        viewer = self.user("vi", "viewer")
        for command in ("status", "history", "logs"):
            refused = self.ask_as(viewer, command, "1", code=2).stderr
            self.assertIn("STL1002: Expected a definition that may be read but the definition of "
                          "instance 1 is kept from you: read_definitions", refused)
        self.stop(self.child)


if __name__ == "__main__":
    unittest.main()
