#!/usr/bin/env python3
"""What asks views: queries, pages, the past, figures, errors; building views anew."""

import json
import os
import shutil
import unittest

from program import ProgramTest
from workflows import APPROVAL, TWO_STEPS

FAILS = """
name: "fails"
variables: {customer: 42}
steps:
  - {id: "break", type: "script", config: {script: "echo no stock >&2; exit 1"}}
"""


class Views(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.write("two.yml", TWO_STEPS), "--business-key", "A-1", "--tag", "eu")
        self.stele("run", self.write("fails.yml", FAILS), "--tag", "eu", "--tag", "vip", code=1)
        self.stele("run", self.write("approval.yml", APPROVAL), code=3)

    def found(self, *query):
        return [row["instance"] for row in self.json("list", "--json", *query)["instances"]]

    def test_a_query_finds_what_fits_all_of_it(self):
        self.assertEqual(self.found(), [3, 2, 1])
        self.assertEqual(self.found("status:failed"), [2])
        self.assertEqual(self.found("tag:eu", "-status:failed"), [1])
        self.assertEqual(self.found("tag:eu,vip", "--sort", "started"), [1, 2])
        self.assertEqual(self.found("var.customer=42"), [2])
        self.assertEqual(self.found("key:A*"), [1])
        self.assertEqual(self.found("stock"), [2])
        self.assertEqual(self.found("started>1h"), [3, 2, 1])
        self.assertEqual(self.found("started<1h"), [])
        self.assertEqual(self.found("definition:nothing"), [])

    def test_rows_come_in_the_order_that_is_asked_for(self):
        self.assertEqual(self.found("--sort", "-ended"), [2, 1, 3])
        self.assertEqual(self.found("--sort", "ended"), [1, 2, 3])
        self.assertEqual(self.found("--sort", "status"), [1, 2, 3])
        self.assertEqual(self.found("--sort", "-status", "tag:eu"), [2, 1])
        self.assertEqual(self.found("--sort", "key"), [1, 3, 2])

    def test_pages_follow_one_another(self):
        first = self.stele("list", "--limit", "2")
        self.assertEqual([line.split()[0] for line in first.stdout.splitlines()], ["ID", "3", "2"])
        cursor = first.stderr.split("--cursor ")[1].strip()
        rest = self.stele("list", "--limit", "2", "--cursor", cursor)
        self.assertEqual([line.split()[0] for line in rest.stdout.splitlines()], ["ID", "1"])
        self.assertEqual(rest.stderr, "")
        self.assertEqual(len(self.json("list", "--json", "--limit", "2")["instances"]), 2)

    def test_what_is_no_query_is_refused_with_what_there_is(self):
        unknown = self.stele("list", "statu:failed", code=2).stderr
        self.assertIn("STL0108", unknown)
        self.assertIn("status", unknown)
        self.assertIn("STL0406", self.stele("list", "--cursor", "0123", code=2).stderr)
        self.stele("list", "--sort", "colour", code=2)
        self.stele("list", "--limit", "0", code=2)
        self.stele("list", "started>soon", code=2)
        self.assertIn("STL0309", self.stele("list", "--as-of", "999999", code=2).stderr)
        self.stele("list", "--as-of", "then", code=2)
        self.assertIn("STL0606", self.stele("projections", "rebuild", "instance", code=2).stderr)

    def test_the_past_is_as_it_was(self):
        ended = next(h for h in self.history("1") if h["event"] == "instance_completed")
        then = self.json("list", "--json", "--as-of", str(ended["position"] - 1))["instances"]
        self.assertEqual([(row["instance"], row["status"]) for row in then], [(1, "running")])
        self.assertEqual(self.found("--as-of", str(ended["position"])), [1])
        self.assertEqual(self.found("--as-of", "0"), [])
        said = self.stele("list", "--as-of", str(ended["position"])).stderr
        self.assertIn(f"as of position {ended['position']}; nothing was read for it", said)
        self.assertEqual(self.found("--as-of", "2000-01-01T00:00:00Z"), [])
        self.assertEqual(self.found("--as-of", "2100-01-01T00:00:00Z"), [3, 2, 1])

    def test_tasks_stay_when_they_are_over(self):
        self.assertEqual([(t["id"], t["state"]) for t in self.json("tasks", "--json")["tasks"]], [("3-1", "open")])
        for task in ("3-1", "3/1"):
            self.assertEqual([t["id"] for t in self.json("tasks", f"id:{task}", "--json")["tasks"]], ["3-1"])
        self.stele("reject", "3", "review", "--by", "anna", code=1)
        self.assertEqual(self.json("tasks", "--json")["tasks"], [])
        rejected, = self.json("tasks", "state:rejected", "--json")["tasks"]
        self.assertEqual(rejected["votes"][0]["person"], "anna")

    def test_what_is_under_way_is_told_with_its_step_and_progress(self):
        row, = self.json("active", "--json")["instances"]
        self.assertEqual((row["instance"], row["status"]), (3, "waiting"))
        self.assertEqual([step["label"] for step in row["steps"]], ["review"])
        self.assertGreater(row["duration"], 0)
        self.assertIn(row["progress"], range(100))
        line, = self.stele("active").stdout.splitlines()[1:]
        self.assertRegex(line, r"^3 +expense +waiting +review +[0-9]+ % ")
        self.assertIn("nothing is under way", self.stele("active", "started<24h").stdout)
        self.assertEqual(self.json("active", "definition:two", "--json")["instances"], [])
        self.stele("active", "statu:failed", code=2)

    def test_each_definition_has_a_line_of_figures(self):
        page = self.json("stats", "--each", "--json")
        each = {one["definition"]: one for one in page["definitions"]}
        self.assertEqual(set(each), {"expense", "fails", "two"})
        self.assertEqual((each["two"]["executions"], each["two"]["success_rate"]), (1, 1.0))
        self.assertEqual((each["fails"]["success_rate"], each["fails"]["average_us"]), (0.0, None))
        self.assertGreater(each["two"]["last_executed"], 0)
        first = self.stele("stats", "--each", "--limit", "2")
        cursor = first.stderr.split("--cursor ")[1].strip()
        rest = self.stele("stats", "--each", "--cursor", cursor).stdout
        self.assertRegex(rest, r"two +1 +active +1 +0 +100\.0 % ")
        self.assertNotIn("expense", rest)

    def test_figures_follow_time(self):
        points = self.json("stats", "--by", "day", "--json")["points"]
        self.assertEqual(sum(point["started"] for point in points), 3)
        self.assertIn("COMPLETED", self.stele("stats", "two", "--by", "minute").stdout)
        self.assertIn("bottlenecks", self.stele("stats", "two").stdout)
        self.stele("stats", "--by", "week", code=2)

    def test_damaged_views_are_built_anew(self):
        before = self.json("list", "--json")["instances"]
        folder = os.path.join(self.directory, "stele-data", "views", "0")
        for name in os.listdir(folder):
            if name.startswith("MANIFEST"):
                os.truncate(os.path.join(folder, name), 10)
        listed = self.stele("list", "--json")
        self.assertIn("built anew", listed.stderr)
        self.assertEqual(len(json.loads(listed.stdout)["instances"]), len(before))
        self.assertEqual(self.stele("list", "--json").stderr, "")

    def test_figures_and_errors(self):
        figures = self.json("stats", "--json")
        counts = figures["counts"]
        self.assertEqual((counts["started"], counts["completed"], counts["failed"]), (3, 1, 1))
        self.assertEqual((figures["now"]["open"], figures["success_rate"]), (1, 0.5))
        self.assertIn("break", self.stele("stats", "fails").stdout)
        self.assertIn("STL0407", self.stele("stats", "nothing", code=2).stderr)
        self.assertIn("no stock", self.stele("errors").stdout)
        rows = self.json("errors", "--json")["errors"]
        self.assertEqual({row["step"]: (row["count"], row["own"]) for row in rows}, {"break": (1, 1), None: (1, 0)})
        self.assertEqual(self.stele("errors", "--definition", "two").stdout, "nothing fits\n")

    def test_views_are_built_anew_and_compared(self):
        self.stele("list")
        listed = {view["view"]: view for view in self.json("projections", "list", "--json")}
        self.assertLessEqual({"instances", "tasks", "statistics", "errors"}, set(listed))
        self.assertEqual({view["behind"] for view in listed.values()}, {0})
        self.stele("run", self.write("two.yml", TWO_STEPS))
        behind = self.json("projections", "list", "--json")[0]["behind"]
        self.assertGreater(behind, 0)
        compared = self.json("projections", "verify", "--json")
        self.assertEqual({view["differing"] for view in compared}, {0})
        self.assertEqual(set(listed), {view["view"] for view in compared})
        self.stele("projections", "rebuild", "instances", "errors")
        before = self.json("list", "status:failed", "--json")["instances"]
        shutil.rmtree(os.path.join(self.directory, "stele-data", "views"))
        self.assertEqual(self.json("list", "status:failed", "--json")["instances"], before)


if __name__ == "__main__":
    unittest.main()
