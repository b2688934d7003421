#!/usr/bin/env python3
"""What the command line gives twice, too long, or of nothing that is there."""

import os
import unittest

from program import ProgramTest
from workflows import TWO_STEPS


class Given(ProgramTest):
    def test_what_may_be_given_once_is_refused_twice(self):
        file = self.write("two.yml", TWO_STEPS)
        refused = self.stele("run", file, "--data", "a", "--data", "b", code=2)
        self.assertIn("Expected --data once but found it twice", refused.stderr)
        refused = self.stele("run", file, "--var", "word=1", "--var", "word=2", code=2)
        self.assertIn('--var NAME=VALUE once for each name but found "word" twice', refused.stderr)
        refused = self.stele("definitions", "instantiate", file, "--set", "a=1", "--set", "a=2",
                             code=2)
        self.assertIn('--set NAME=VALUE once for each name but found "a" twice', refused.stderr)
        self.assertFalse(os.path.exists(self.path("stele-data")))

    def test_a_directory_without_data_is_named(self):
        file = self.write("two.yml", TWO_STEPS)
        refused = self.stele("validate", file, "--data", "nowhere", code=2)
        self.assertIn("STL0306: Expected the data of earlier runs in nowhere, which --data names, "
                      "but found none", refused.stderr)
        self.stele("validate", file)

    def test_a_duration_that_is_too_long_is_told_its_bound(self):
        file = self.write("long.yml", TWO_STEPS + "timeout: 4000d\n")
        self.assertIn("of at most 10 years but found", self.stele("validate", file, code=2).stderr)
        file = self.write("two.yml", TWO_STEPS)
        refused = self.stele("run", file, "--deadline", "4000d", code=2)
        self.assertIn("of at most 10 years", refused.stderr)

    def test_a_key_that_is_too_long_is_named_with_its_article(self):
        file = self.write("two.yml", TWO_STEPS)
        refused = self.stele("run", file, "--idempotency-key", "k" * 1025, code=2)
        self.assertIn("Expected an idempotency key of at most 1024 bytes", refused.stderr)


if __name__ == "__main__":
    unittest.main()
