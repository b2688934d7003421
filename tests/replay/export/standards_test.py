#!/usr/bin/env python3
"""Exports as others read them: checked against schemas with the validators that everybody uses, read
by the CloudEvents library, and mined by pm4py."""

import json
import os
import subprocess
import sys
import unittest
import warnings

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
# Where `./dev deps clients` puts what it fetches.
sys.path.append(os.path.join(ROOT, "build", "clients", "mining"))
sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))

from program import ProgramTest  # pylint: disable=wrong-import-position

warnings.simplefilter("ignore")
MISSING = []
try:
    import jsonschema
except ImportError as error:
    MISSING.append(str(error))
try:
    import cloudevents.core.v1.event  # noqa: F401
    from cloudevents.core.bindings.http import HTTPMessage, from_http_event  # noqa: F401
except ImportError as error:
    MISSING.append(str(error))
try:
    import lxml.etree
    import pm4py
except ImportError as error:
    MISSING.append(str(error))
if MISSING:
    print(f"skipped: {'; '.join(MISSING)}; ./dev deps clients installs it")
    sys.exit(77)

from standards import CLOUD_EVENT, OCEL, ocel_faults  # pylint: disable=wrong-import-position

FLOW = """name: order
steps:
  - {id: check, type: script, config: {script: "echo ok=1 >> outputs"}}
  - {id: reserve, type: script, depends_on: [check], config: {script: "true"}}
  - {id: charge, type: script, depends_on: [check], config: {script: "true"}}
  - {id: ship, type: script, depends_on: [reserve, charge], config: {script: "true"}}
  - {id: confirm, type: approval, depends_on: [ship], config: {approvers: [anna]}}
"""


def every_kind(form):
    done = subprocess.run([os.environ["STELE_EVERY_KIND"], form], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.split(b"\n") if line]


def validator(schema):
    return jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


class Schemas(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.path.join(ROOT, "docs", "schemas", "event.schema.json"), encoding="utf-8") as file:
            cls.schema = json.load(file)

    def refuses(self, line):
        self.assertFalse(validator(self.schema).is_valid(line), line)

    def test_lines_of_every_kind_of_event_fit_the_published_schema(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)
        check = validator(self.schema)
        for form in ("whole", "part"):
            lines = every_kind(form)
            for line in lines:
                errors = [error.message for error in check.iter_errors(line)]
                self.assertEqual(errors, [], line)
            kinds = {line["event"] for line in lines if "event" in line}
            self.assertEqual(kinds, set(self.schema["$defs"]["event_line"]["properties"]["event"]["enum"]))

    def test_the_schema_refuses_what_no_export_writes(self):
        line = next(each for each in every_kind("whole")
                    if each.get("event") == "attempt_failed" and "log" in each["data"])
        self.assertTrue(validator(self.schema).is_valid(line))
        self.refuses({**line, "event": "step_completed"})
        self.refuses({**line, "seq": "1"})
        self.refuses({**line, "colour": 1})
        self.refuses({**line, "data": {**line["data"], "log": 1}})
        self.refuses({key: value for key, value in line.items() if key != "position"})

    def test_cloud_events_of_every_kind_fit_the_specification(self):
        check = validator(CLOUD_EVENT)
        for event in every_kind("cloudevents"):
            errors = [error.message for error in check.iter_errors(event)]
            self.assertEqual(errors, [], event)
            read = from_http_event(HTTPMessage(
                headers={"content-type": "application/cloudevents+json"},
                body=json.dumps(event).encode()))
            self.assertEqual(read.get_id(), event["id"])
            self.assertEqual(read.get_data(), event["data"])


class Mining(ProgramTest):
    def setUp(self):
        super().setUp()
        flow = self.write("order.yml", FLOW)
        for _ in range(3):
            self.stele("run", flow, "--data", "data", "--quiet", code=3)
        self.stele("approve", "1", "confirm", "--by", "anna", "--data", "data", "--quiet")

    def export(self, form, *more):
        name = f"exported.{form}"
        self.stele("export", "--format", form, "--data", "data", "--output", name, *more)
        return self.path(name)

    def test_xes_fits_the_standard_and_is_mined(self):
        name = self.export("xes")
        schema = lxml.etree.XMLSchema(lxml.etree.parse(os.path.join(os.path.dirname(__file__), "xes.xsd")))
        schema.assertValid(lxml.etree.parse(name))
        log = pm4py.read_xes(name)
        self.assertEqual(sorted(set(log["case:concept:name"])), ["1", "2", "3"])
        completed = log[log["lifecycle:transition"] == "complete"]
        found, start, end = pm4py.discover_dfg(completed)
        for edge in (("instance_started", "check"), ("ship", "instance_completed")):
            self.assertIn(edge[0], {before for before, _ in found})
        between = {("check", "reserve"), ("check", "charge"), ("reserve", "charge"), ("charge", "reserve"),
                   ("charge", "ship"), ("reserve", "ship")}
        self.assertTrue(between & set(found), found)
        self.assertEqual(start, {"instance_started": 3})
        self.assertEqual(end["instance_completed"], 1)
        self.assertEqual(found[("confirm", "instance_completed")], 1)
        order = [row for row in completed[completed["case:concept:name"] == "1"]["concept:name"]]
        self.assertLess(order.index("check"), order.index("charge"))
        self.assertLess(order.index("charge"), order.index("ship"))
        tree = pm4py.discover_process_tree_inductive(completed)
        self.assertIn("ship", str(tree))

    def test_ocel_fits_the_standard_and_is_mined(self):
        name = self.export("ocel")
        with open(name, encoding="utf-8") as file:
            log = json.load(file)
        errors = [error.message for error in validator(OCEL).iter_errors(log)]
        self.assertEqual(errors, [])
        self.assertEqual(ocel_faults(log), [])
        read = pm4py.read_ocel2_json(name)
        self.assertEqual(len(read.events), len(log["events"]))
        self.assertEqual(len(read.objects), len(log["objects"]))
        self.assertLessEqual({"instance", "definition", "step", "run", "person"},
                             set(pm4py.ocel_get_object_types(read)))
        flat = pm4py.ocel_flattening(read, "instance")
        completed = flat[~flat["concept:name"].str.contains(r"\(")]
        found, _, _ = pm4py.discover_dfg(completed)
        self.assertEqual(found[("confirm", "instance_completed")], 1)

    def test_payloads_are_left_out_when_asked(self):
        for form in ("xes", "ocel", "jsonl", "cloudevents"):
            with open(self.export(form, "--no-payloads"), encoding="utf-8") as file:
                text = file.read()
            self.assertNotIn("echo ok", text)
            self.assertNotIn('"ok"', text)
            os.remove(self.path(f"exported.{form}"))


if __name__ == "__main__":
    unittest.main()
