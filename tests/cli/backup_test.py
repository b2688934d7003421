#!/usr/bin/env python3
"""`stele backup` and `stele restore`, undisturbed and killed at random moments.

STELE_KILLS sets how often each is killed (15), STELE_SEED the random numbers.
"""

import datetime
import os
import random
import stat
import unittest

from program import ProgramTest

KILLS = int(os.environ.get("STELE_KILLS", "15"))
SEED = int(os.environ.get("STELE_SEED", "1"))
FLOW = """name: "flow"
steps:
  - {id: first, type: script, config: {script: "echo done=1 >> outputs"}}
  - {id: wait, type: approval, depends_on: [first], config: {approvers: [anna]}}
"""


class BackupTest(ProgramTest):
    def run_flow(self, data="data"):
        """An instance that waits for anna."""
        return self.stele("run", self.write("flow.yml", FLOW), "--data", data, "--json", code=3)

    def listing(self, data):
        """But for how long what is open has lasted."""
        rows = self.json("list", "--data", data, "--json")["instances"]
        return [{key: row[key] for key in row if key != "duration"} for row in rows]

    def positions(self, directory="backups"):
        return [backup["shards"][0]["position"]
                for backup in self.json("backup", directory, "--list", "--json")]


class Backup(BackupTest):
    def test_a_restored_directory_goes_on_where_the_backup_ended(self):
        self.run_flow()
        self.stele("secrets", "keygen", "--out", "stele.key")
        self.write("data/settings.json", "{}")
        said = self.stele("backup", "backups", "--data", "data").stdout
        self.assertRegex(said, r"^backup 1 in backups: up to position \d+ of .*; (\d+) bytes, "
                               r"\1 of them new\n$")
        self.stele("approve", "1", "wait", "--by", "anna", "--data", "data", "--quiet")
        before = self.listing("data")
        said = self.stele("restore", "backups", "--data", "again").stdout
        self.assertRegex(said, r"restored: backup 1 to again, up to position \d+ of ")
        self.assertRegex(said, r"verified: \d+ records, the last block's hash is [0-9a-f]{64}\n")
        self.assertEqual(self.listing("again")[0]["status"], "waiting")
        self.assertIn("verified:", self.stele("verify", "--data", "again").stdout)
        self.stele("approve", "1", "wait", "--by", "anna", "--data", "again", "--quiet")
        self.assertEqual(self.listing("again")[0]["status"], "completed")
        self.assertEqual(self.listing("data"), before)
        self.assertTrue(os.path.exists(self.path("again/settings.json")))

    def test_lists_verifies_and_keeps(self):
        for _ in range(3):
            self.run_flow()
            made = self.json("backup", "backups", "--data", "data", "--keep", "2", "--json")
        self.assertEqual(made["backup"], 3)
        self.assertEqual(made["removed"], [1])
        self.assertLess(made["new_bytes"], made["bytes"])
        listed = self.json("backup", "backups", "--list", "--json")
        self.assertEqual([backup["backup"] for backup in listed], [2, 3])
        text = self.stele("backup", "backups", "--list").stdout.splitlines()
        self.assertEqual(text[0].split(), ["ID", "MADE", "POSITION", "LAST", "RECORD", "BYTES"])
        self.assertEqual(len(text), 3)
        verified = self.json("backup", "backups", "--verify", "--json")
        self.assertEqual([backup["records"] for backup in verified], self.positions())
        one = self.json("backup", "backups", "--verify", "--backup", "2", "--json")
        self.assertEqual(one, verified[:1])

    def test_a_store_of_secrets_is_in_it_and_no_key(self):
        self.run_flow()
        self.stele("secrets", "keygen", "--out", "data/stele.key")
        with open(self.path("data/secrets.stele"), "w", encoding="utf-8") as file:
            file.write("sealed")
        os.chmod(self.path("data/secrets.stele"), 0o600)
        with open(self.path("data/stele.key"), "rb") as file:
            key = file.read().strip()
        self.stele("backup", "backups", "--data", "data")
        for folder, _, names in os.walk(self.path("backups")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(key, file.read(), name)
        self.stele("restore", "backups", "--data", "again")
        again = self.path("again/secrets.stele")
        self.assertEqual(stat.S_IMODE(os.stat(again).st_mode), 0o600)
        with open(again, encoding="utf-8") as file:
            self.assertEqual(file.read(), "sealed")

    def test_a_position_and_a_time_cut_the_history(self):
        self.run_flow()
        self.stele("approve", "1", "wait", "--by", "anna", "--data", "data", "--quiet")
        self.stele("backup", "backups", "--data", "data")
        end = self.positions()[0]
        for position in range(1, end + 1):
            data = f"at-{position}"
            said = self.json("restore", "backups", "--data", data, "--to", str(position), "--json")
            self.assertEqual(said["shards"][0]["position"], position)
            self.assertEqual(said["records"], position)
            self.assertIn("verified:", self.stele("verify", "--data", data).stdout)
            moment = said["shards"][0]["time"]
        seconds, micros = divmod(moment - 1, 1_000_000)
        text = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
        for number, suffix in enumerate(("Z", "", "+00:00")):
            data = f"then-{number}"
            self.stele("restore", "backups", "--data", data, "--to",
                       f"{text:%Y-%m-%dT%H:%M:%S}.{micros:06}{suffix}")
            self.assertEqual(self.listing(data)[0]["status"], "waiting")
            self.stele("approve", "1", "wait", "--by", "anna", "--data", data, "--quiet")
            self.assertEqual(self.listing(data)[0]["status"], "completed")

    def test_refusals_name_what_was_expected_and_change_nothing(self):
        self.run_flow()
        self.stele("backup", "backups", "--data", "data")
        end = self.positions()[0]
        os.mkdir(self.path("full"))
        self.write("full/letter", "dear")

        def refused(code, *words, exits=2):
            done = self.stele(*words, code=exits)
            self.assertIn(code, done.stderr)
            self.assertIn("Expected", done.stderr)
            return done.stderr

        refused("STL0310", "backup", "data/backups", "--data", "data")
        refused("STL0310", "backup", "full", "--data", "data")
        refused("STL0306", "backup", "elsewhere", "--data", "nothing")
        refused("STL0306", "backup", "full", "--list")
        refused("STL0306", "backup", "full", "--verify")
        refused("STL0306", "backup", "backups", "--verify", "--backup", "7")
        refused("STL0306", "restore", "full", "--data", "new")
        refused("STL0306", "restore", "backups", "--data", "new", "--backup", "7")
        refused("STL0310", "restore", "backups", "--data", "full")
        refused("STL0310", "restore", "backups", "--data", "data")
        refused("STL0310", "restore", "backups", "--data", "backups/new")
        refused("STL0701", "restore", "backups")
        for moment in (str(end + 1), "0", "1999-01-01T00:00:00Z", "2999-01-01"):
            refused("STL0309", "restore", "backups", "--data", "new", "--to", moment)
        refused("STL0701", "restore", "backups", "--data", "new", "--to", "2999-01")
        refused("STL0309", "restore", "backups", "--data", "new", "--to", "2999-01-01T00:00:00Z")
        refused("STL0701", "backup", "backups", "--keep", "0", "--data", "data")
        refused("STL0701", "backup", "backups", "--list", "--verify")
        refused("STL0701", "backup", "backups", "--backup", "1", "--data", "data")
        self.assertEqual(sorted(os.listdir(self.directory)), ["backups", "data", "flow.yml", "full"])
        self.assertEqual(os.listdir(self.path("full")), ["letter"])
        self.stele("backup", "backups", "--verify")

    def test_a_damaged_backup_is_named_and_the_others_are_listed(self):
        for _ in range(2):
            self.run_flow()
            self.stele("backup", "backups", "--data", "data")
        manifest = self.path("backups/manifests/2.json")
        with open(manifest, encoding="utf-8") as file:
            text = file.read()
        with open(manifest, "w", encoding="utf-8") as file:
            file.write(text[:-20])
        for words in (("--list",), ("--verify",)):
            done = self.stele("backup", "backups", *words, code=1)
            self.assertIn("STL0308", done.stderr)
            self.assertIn("manifests/2.json", done.stderr)
            self.assertIn("1", done.stdout)
        self.stele("restore", "backups", "--data", "again", code=1)
        self.assertFalse(os.path.exists(self.path("again")))
        self.stele("restore", "backups", "--data", "again", "--backup", "1")

    def test_waits_for_no_engine_that_has_the_directory_open(self):
        self.run_flow()
        child = self.start("serve", "--data", "data")
        self.wait_for_line(child, "stele serves")
        done = self.stele("backup", "backups", "--data", "data", code=2)
        self.assertIn("STL0303", done.stderr)
        child.terminate()
        child.wait(timeout=60)
        self.stele("backup", "backups", "--data", "data")


class Killed(BackupTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)

    def kill_somewhere(self, longest, *words):
        """Whether it had ended before it was killed."""
        child = self.start(*words)
        for _ in range(self.random.randrange(0, longest)):
            pass
        child.kill()
        child.wait(timeout=60)
        return child.returncode == 0

    def test_backups_leave_the_earlier_ones_and_let_the_next_work(self):
        self.run_flow()
        self.stele("backup", "backups", "--data", "data")
        made = killed = 0
        while killed < KILLS:
            if self.random.random() < 0.3:
                self.run_flow()
            before = self.positions()
            if self.kill_somewhere(12_000_000, "backup", "backups", "--data", "data", "--keep", "3"):
                made += 1
            else:
                killed += 1
            after = self.json("backup", "backups", "--verify", "--json")
            reached = [backup["shards"][0]["position"] for backup in after]
            # One more at most, and old ones gone at most.
            self.assertIn(before[-1], reached)
            self.assertGreaterEqual(len(reached), min(len(before), 3))
        self.stele("backup", "backups", "--data", "data")
        self.stele("restore", "backups", "--data", "again")
        self.assertEqual(self.listing("again"), self.listing("data"))
        print(f"{killed} killed, {made} made")

    def test_restorations_leave_nothing_or_all_of_it(self):
        for _ in range(3):
            self.run_flow()
        self.stele("backup", "backups", "--data", "data")
        expected = self.listing("data")
        killed = number = 0
        while killed < KILLS:
            data = f"again-{number}"
            cut = ["--to", str(self.positions()[0])] if self.random.random() < 0.5 else []
            ended = self.kill_somewhere(12_000_000, "restore", "backups", "--data", data, *cut)
            killed += not ended
            if not os.path.exists(self.path(data)):
                self.assertFalse(ended)
                continue
            self.assertEqual(self.listing(data), expected)
            number += 1
        if not os.path.exists(self.path(f"again-{number}")):
            self.stele("restore", "backups", "--data", f"again-{number}")
        self.assertEqual(self.listing(f"again-{number}"), expected)
        self.stele("backup", "backups", "--verify")


if __name__ == "__main__":
    unittest.main()
