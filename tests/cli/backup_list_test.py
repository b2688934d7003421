#!/usr/bin/env python3
"""Directories of backups that have lost something, that nothing was added to, that are elsewhere."""

import os
import shutil
import unittest

from backup_test import BackupTest


class BackupList(BackupTest):
    def setUp(self):
        super().setUp()
        self.run_flow()
        self.stele("backup", "backups", "--data", "data")
        self.run_flow()
        self.stele("backup", "backups", "--data", "data")

    def ids(self):
        return [backup["backup"] for backup in self.json("backup", "backups", "--list", "--json")]

    def test_is_made_anew_of_the_manifests(self):
        commands = (("backup", "backups", "--list"), ("backup", "backups", "--verify"),
                    ("restore", "backups", "--data", "new"), ("backup", "backups", "--data", "data"))
        with open(self.path("backups/backups.json"), encoding="utf-8") as file:
            whole = file.read()
        for words in commands:
            for text in (None, "", whole[:-5]):
                os.remove(self.path("backups/backups.json"))
                if text is not None:
                    self.write("backups/backups.json", text)
                shutil.rmtree(self.path("new"), ignore_errors=True)
                said = self.stele(*words).stderr
                self.assertIn("made anew of their manifests", said, words)
                self.assertIn("backups.json", said)
                self.assertEqual(self.ids(), [1, 2])
                self.assertEqual(self.stele("backup", "backups", "--verify").stderr, "")

    def test_is_read_without_the_file_of_its_lock(self):
        os.remove(self.path("backups/LOCK"))
        self.assertEqual(self.ids(), [1, 2])
        for words in (("backup", "backups", "--verify"), ("restore", "backups", "--data", "new")):
            if os.path.exists(self.path("backups/LOCK")):
                os.remove(self.path("backups/LOCK"))
            self.stele(*words)

    def test_stays_as_it_is_while_the_log_does(self):
        newest = self.json("backup", "backups", "--data", "data", "--keep", "2", "--json")
        self.assertEqual((newest["backup"], newest["unchanged"], newest["new_bytes"]), (2, True, 0))
        self.assertIn("nothing is new", self.stele("backup", "backups", "--data", "data").stdout)
        self.assertEqual(self.ids(), [1, 2])
        self.write("data/settings.json", "{}")
        self.assertEqual(self.json("backup", "backups", "--data", "data", "--json")["backup"], 3)
        self.run_flow()
        self.assertEqual(self.json("backup", "backups", "--data", "data", "--json")["backup"], 4)
        os.remove(self.path("data/settings.json"))
        self.assertEqual(self.json("backup", "backups", "--data", "data", "--json")["backup"], 5)
        once = self.json("backup", "backups", "--data", "data", "--keep", "1", "--json")
        self.assertEqual((once["backup"], once["removed"]), (5, [1, 2, 3, 4]))
        self.stele("backup", "backups", "--verify")

    def test_a_damaged_store_of_secrets_is_told_and_removes_no_backup(self):
        os.chmod(self.write("data/secrets.stele", "no store"), 0o600)
        done = self.stele("backup", "backups", "--data", "data", "--keep", "1")
        self.assertIn("secrets.stele is no store of secrets", done.stderr)
        self.assertEqual(self.ids(), [1, 2, 3])

    def test_has_a_place_of_its_own(self):
        for words in (("backup", "backups/inside", "--data", "data"),
                      ("restore", "backups", "--data", "data/log/new"),
                      ("restore", "backups", "--data", "data/new")):
            self.assertIn("apart from", self.stele(*words, code=2).stderr, words)
        self.assertFalse(os.path.exists(self.path("data/new")))

    def test_refused_it_prints_no_table(self):
        os.mkdir(self.path("nothing"))
        for words in (("nothing",), ("missing",), ("",)):
            for more in (("--list",), ("--list", "--json"), ("--verify", "--json")):
                done = self.stele("backup", *words, *more, code=2)
                self.assertEqual(done.stdout, "", (words, more))
                self.assertIn("Expected a directory", done.stderr)


if __name__ == "__main__":
    unittest.main()
