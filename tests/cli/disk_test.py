#!/usr/bin/env python3
"""Commands on disks that are full, that may not be written, or that hold another log's views."""

import fcntl
import os
import resource
import shutil
import subprocess
import unittest

from program import BINARY, ProgramTest, environment

FLOW = """name: "flow"
steps:
  - {id: first, type: script, config: {script: "echo done=1 >> outputs"}}
  - {id: wait, type: approval, depends_on: [first], config: {approvers: [anna]}}
"""
READING = (("status", "1"), ("history", "1"), ("logs", "1"), ("verify",), ("definitions", "list"),
           ("list",), ("tasks",), ("stats",), ("errors",), ("projections", "list"),
           ("list", "--as-of", "2"))


class DiskTest(ProgramTest):
    def run_flow(self, *words, data="data", code=3):
        return self.stele("run", self.write("flow.yml", FLOW), "--data", data, "--quiet", *words,
                          code=code)

    def setUp(self):
        super().setUp()
        self.run_flow()
        self.stele("list", "--data", "data")  # the views are at the end of the log

    def files(self, data="data"):
        """Each file with its size and the moment of its last change."""
        found = {}
        for folder, _, names in os.walk(self.path(data)):
            for name in names:
                path = os.path.join(folder, name)
                status = os.stat(path)
                found[os.path.relpath(path, self.directory)] = (status.st_size, status.st_mtime_ns)
        return found

    def keys(self, data):
        rows = self.json("list", "--data", data, "--json")["instances"]
        return sorted(row["business_key"] or "" for row in rows)


class Asked(DiskTest):
    """What may be asked was asked before."""

    def setUp(self):
        super().setUp()
        self.stele("list", "--as-of", "2", "--data", "data")


class WhatReads(Asked):
    def test_leaves_every_file_as_it_is(self):
        before = self.files()
        for words in READING:
            self.stele(*words, "--data", "data")
        self.assertEqual(self.files(), before)

    def test_reads_beside_others_that_read(self):
        for folder in ("log", "views/0"):
            with open(self.path(f"data/{folder}/LOCK"), "rb") as lock:
                fcntl.lockf(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                for words in READING:
                    self.stele(*words, "--data", "data")
        with open(self.path("data/log/LOCK"), "rb") as lock:
            fcntl.lockf(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            self.assertIn("STL0303", self.run_flow(code=2).stderr)

    def test_compares_views_with_the_log_beside_others_that_read(self):
        before = self.files()
        for folder in ("log", "views/0"):
            with open(self.path(f"data/{folder}/LOCK"), "rb") as lock:
                fcntl.lockf(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                said = self.stele("projections", "verify", "--data", "data").stdout
                self.assertIn("none differs", said)
                one = self.json("projections", "verify", "tasks", "--data", "data", "--json")
                self.assertEqual([view["view"] for view in one], ["tasks"])
        self.assertEqual(self.files(), before)
        self.assertIn("STL0", self.stele("projections", "verify", "nonsense", "--data", "data",
                                         code=2).stderr)

    def test_does_not_read_what_is_written(self):
        with open(self.path("data/log/LOCK"), "r+b") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for words in READING:
                refused = self.stele(*words, "--data", "data", code=2).stderr
                self.assertIn("STL0303", refused)
                self.assertIn(f"process {os.getpid()}", refused)

    def test_works_without_the_files_of_locks(self):
        for folder in ("log", "views/0", "state"):
            os.remove(self.path(f"data/{folder}/LOCK"))
        for words in READING:
            self.stele(*words, "--data", "data")

    def test_works_without_what_can_be_built_anew(self):
        before = [self.stele(*words, "--data", "data").stdout for words in READING[:4]]
        shutil.rmtree(self.path("data/state"))
        after = [self.stele(*words, "--data", "data").stdout for words in READING[:4]]
        self.assertEqual(after, before)
        self.assertFalse(os.path.exists(self.path("data/state")))


class FullDisk(Asked):
    """No file may grow beyond some bytes, which a write meets as it meets a full disk."""

    def limited(self, limit, *words):
        def bound():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        return subprocess.run([BINARY, *words], cwd=self.directory, stdin=subprocess.DEVNULL,
                              env=environment(), capture_output=True, text=True, timeout=120,
                              check=False, preexec_fn=bound)

    def test_is_no_matter_to_what_reads(self):
        for words in READING:
            done = self.limited(0, *words, "--data", "data", "--json") if words != ("verify",) \
                else self.limited(0, *words, "--data", "data")
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)

    def test_says_what_to_do_when_views_are_behind(self):
        self.run_flow()
        said = self.limited(0, "list", "--data", "data").stderr
        self.assertIn("make room there, or ask a copy of the data directory", said)
        self.assertIn("data/views", said)

    def test_is_an_error_of_what_writes(self):
        flow = self.path("flow.yml")
        commands = (("run", flow, "--data", "data"), ("run", flow, "--data", "new"),
                    ("start", "flow", "--data", "data"), ("resume", "--data", "data"),
                    ("approve", "1", "wait", "--by", "anna", "--data", "data"),
                    ("projections", "rebuild", "--data", "data"), ("backup", "bk", "--data", "data"),
                    ("list", "--as-of", "3", "--data", "data"))
        for limit in (0, 64, 1 << 10, 16 << 10):
            for words in commands:
                done = self.limited(limit, *words)
                self.assertIn(done.returncode, (0, 1, 2, 3), (limit, words, done.stderr))
                self.assertNotIn("Assertion", done.stderr)
                if limit <= 64:
                    self.assertRegex(done.stderr, "STL0[0-9]{3}", (limit, words))
        self.assertIn("verified:", self.stele("verify", "--data", "data").stdout)
        self.run_flow()
        self.stele("list", "--data", "data")
        self.stele("projections", "verify", "--data", "data")


class ViewsOfAnotherLog(DiskTest):
    def test_are_built_anew(self):
        shutil.copytree(self.path("data"), self.path("other"))
        for name in ("one", "two"):
            self.run_flow("--business-key", f"DATA-{name}", data="data")
            self.run_flow("--business-key", f"OTHER-{name}", data="other")
        self.assertEqual(self.keys("data"), ["", "DATA-one", "DATA-two"])
        shutil.rmtree(self.path("other/views"))
        shutil.copytree(self.path("data/views"), self.path("other/views"))
        self.run_flow("--business-key", "OTHER-three", data="other")
        listed = self.stele("list", "--data", "other", "--json")
        self.assertIn("built anew", listed.stderr)
        self.assertNotIn("DATA", listed.stdout)
        self.assertEqual(self.keys("other"), ["", "OTHER-one", "OTHER-three", "OTHER-two"])
        self.stele("projections", "verify", "--data", "other")

    def test_as_of_an_earlier_position_are_built_anew(self):
        shutil.copytree(self.path("data"), self.path("other"))
        for data in ("data", "other"):
            self.run_flow("--business-key", data.upper(), data=data)
        self.stele("list", "--data", "data")
        end = str(self.json("projections", "list", "--data", "data", "--json")[0]["position"])
        self.stele("list", "--as-of", end, "--data", "data")
        shutil.copytree(self.path("data/views/as-of"), self.path("other/views/as-of"))
        then = self.stele("list", "--as-of", end, "--data", "other", "--json").stdout
        self.assertIn("OTHER", then)
        self.assertNotIn("DATA", then)

    def test_are_used_when_the_log_has_only_grown(self):
        shutil.copytree(self.path("data/views"), self.path("kept"))
        self.run_flow("--business-key", "more")
        shutil.rmtree(self.path("data/views"))
        shutil.copytree(self.path("kept"), self.path("data/views"))
        listed = self.stele("list", "--data", "data", "--json")
        self.assertEqual(listed.stderr, "")
        self.assertIn("more", listed.stdout)


class Damage(DiskTest):
    def test_has_a_code_of_its_own(self):
        tables = [name for name in os.listdir(self.path("data/log")) if name.endswith(".log")]
        newest = self.path(f"data/log/{max(tables)}")
        with open(newest, "r+b") as file:
            file.seek(os.path.getsize(newest) // 3)
            file.write(b"damage")
        for words in (*READING, ("run", self.path("flow.yml")), ("backup", "bk"),
                      ("projections", "rebuild")):
            done = self.stele(*words, "--data", "data", code=1)
            self.assertIn("STL0302", done.stderr, words)
        self.stele("list", "--nonsense", code=2)


if __name__ == "__main__":
    unittest.main()
