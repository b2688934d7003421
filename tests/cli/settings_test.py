#!/usr/bin/env python3
"""settings.json of a data directory: what it bounds, and what is refused in it."""

import json
import os
import unittest

from program import ProgramTest

WORKFLOW = """
name: settings
steps:
  - {id: one, type: script, config: {script: "printf 'x%.0s' $(seq 200)"}}
"""


class Settings(ProgramTest):
    def setUp(self):
        super().setUp()
        self.workflow = self.write("settings.yml", WORKFLOW)

    def settings(self, document):
        os.makedirs(os.path.join(self.directory, "stele-data"), exist_ok=True)
        text = document if isinstance(document, str) else json.dumps(document)
        self.write("stele-data/settings.json", text)

    def test_a_bound_of_the_output_is_kept(self):
        self.settings({"max_output_bytes": 20})
        run = self.stele("run", self.workflow, "--json", code=1)
        self.assertIn("output_limit", run.stdout)

    def test_what_fits_changes_nothing_else(self):
        self.settings({"task_types": {"script": {"at_once": 1, "rate": {"count": 5, "per": "1s"}}}})
        self.stele("run", self.workflow)

    def test_faults_name_the_member(self):
        for document, expected in [
            ({"max_outputbytes": 20}, "max_output_bytes"),
            ({"max_output_bytes": "many"}, "max_output_bytes"),
            ({"task_types": {"script": {"at_once": 0}}}, "task_types: script"),
            ({"timeout_grace": 3}, "timeout_grace"),
            ("{", "settings.json"),
        ]:
            with self.subTest(document=document):
                self.settings(document)
                run = self.stele("run", self.workflow, code=2)
                self.assertIn(expected, run.stderr)


if __name__ == "__main__":
    unittest.main()
