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

    def test_a_fault_names_its_place_once_and_the_bound_that_is_broken(self):
        for document, expected in [
            ({"max_call_depth": 100000000000},
             "settings.json: max_call_depth: Expected a whole number from 1 to 4294967295 but found "
             "100000000000"),
            ({"task_types": {"script": {"at_once": 0}}},
             "settings.json: task_types: script: at_once: Expected a whole number from 1 to "),
            ({"definitions": {"a": {"rate": {"per": "4000d"}}}},
             'settings.json: definitions: a: rate: per: Expected a duration such as "15s" of at '
             'most 10 years but found "4000d"'),
            ('{"task_types": {"script": {}, "script": {"at_once": 1}}}',
             'settings.json: Expected each member once but found "script" twice'),
        ]:
            with self.subTest(document=document):
                self.settings(document)
                self.assertIn(expected, self.stele("run", self.workflow, code=2).stderr)

    def test_the_archive_lies_outside_or_in_its_usual_place(self):
        self.settings({})
        self.stele("run", self.workflow)
        data = self.path("stele-data")
        os.symlink(os.path.join(data, "state"), self.path("aside"))
        for directory in ["state", "views/0", "log", ".", "secrets.stele", "other", "archive/..",
                          os.path.join(data, "state"), "../stele-data/state", "../aside"]:
            with self.subTest(directory=directory):
                self.settings({"archive_directory": directory})
                for words in [["archive"], ["list"], ["backup", self.path("backup")]]:
                    refused = self.stele(*words, code=2).stderr
                    self.assertIn("STL0701", refused)
                    self.assertIn("archive_directory", refused)
        for directory in ["archive", "./archive/", os.path.join(data, "archive"), "archive/cold",
                          "../stele-data-archive", "../cold"]:
            with self.subTest(directory=directory):
                self.settings({"archive_directory": directory})
                self.stele("list")

    def test_a_task_type_that_is_not_known_is_noted(self):
        self.settings({"task_types": {"scrpt": {"at_once": 1}, "http": {"at_once": 1}}})
        run = self.stele("run", self.workflow)
        self.assertIn('"scrpt" ("script" perhaps)', run.stderr)
        self.assertNotIn('"http"', run.stderr)
        schema = self.write("any.json", "{}")
        self.stele("types", "register", "scrpt", "--schema", schema, "--worker")
        self.assertNotIn("scrpt", self.stele("run", self.workflow).stderr)

    def test_a_limit_that_refuses_names_its_setting(self):
        self.settings({"max_input_bytes": 20, "max_payload_bytes": 20, "max_open_instances": 1})
        refused = self.stele("run", self.workflow, "--input", '{"text": "12345678901234567890"}',
                             code=2)
        self.assertIn("max_input_bytes", refused.stderr)
        self.stele("run", self.workflow, "--paused", "--no-wait")
        refused = self.stele("run", self.workflow, code=1)
        self.assertIn("STL0603", refused.stderr)
        self.assertIn("max_open_instances", refused.stderr)
        refused = self.stele("signal", "1", "s", "--payload", '"12345678901234567890"', code=2)
        self.assertIn("max_payload_bytes", refused.stderr)


if __name__ == "__main__":
    unittest.main()
