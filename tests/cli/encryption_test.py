#!/usr/bin/env python3
"""A data directory whose payloads are sealed: what its files show, its key, erasing."""

import ctypes
import json
import os
import stat
import unittest

from program import ProgramTest, environment

# What comes in by every door; a text of its own for each.
FLOW = """
name: "doors"
error_handling: "continue"
variables:
  given: "none"
steps:
  - id: "talk"
    type: "script"
    input_mapping: {given: "{{variables.given}}"}
    config: {runtime: "bash", script: "echo mark-printed-5f1; echo answer=mark-output-5f2 >> outputs"}
  - id: "stumble"
    type: "script"
    depends_on: ["talk"]
    config: {runtime: "bash", script: "echo mark-error-5f3 >&2; exit 3"}
  - id: "gate"
    type: "signal"
    depends_on: ["stumble"]
    config: {name: "go"}
  - id: "paid"
    type: "message"
    depends_on: ["gate"]
    config: {action: "wait", name: "payment", key: "{{variables.given}}"}
  - id: "fill"
    type: "manual"
    depends_on: ["paid"]
    config: {assignees: ["anna"], title: "mark-form-5f4"}
"""
MARKS = ("mark-given-5f0", "mark-printed-5f1", "mark-output-5f2", "mark-error-5f3", "mark-form-5f4",
         "mark-signal-5f5", "mark-message-5f6", "mark-comment-5f7", "mark-filled-5f8")


ZSTD = ctypes.CDLL("libzstd.so.1")
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
for name in ("ZSTD_getFrameContentSize", "ZSTD_findFrameCompressedSize"):
    function = getattr(ZSTD, name)
    function.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    function.restype = ctypes.c_uint64
ZSTD.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]
ZSTD.ZSTD_decompress.restype = ctypes.c_size_t


def decompressed(text):
    """What stands in the frames of zstd that begin anywhere in the bytes."""
    parts = []
    at = text.find(ZSTD_MAGIC)
    while at >= 0:
        frame = text[at:]
        size = ZSTD.ZSTD_getFrameContentSize(frame, len(frame))
        whole = ZSTD.ZSTD_findFrameCompressedSize(frame, len(frame))
        if size < 1 << 28 and whole <= len(frame):
            out = ctypes.create_string_buffer(max(size, 1))
            if ZSTD.ZSTD_decompress(out, size, frame, whole) == size:
                parts.append(out.raw)
        at = text.find(ZSTD_MAGIC, at + 1)
    return b"".join(parts)


class EncryptionTest(ProgramTest):
    def seal(self, data="data", key="master.key"):
        if not os.path.exists(self.path(key)):
            self.stele("keys", "generate", "--out", key)
        os.makedirs(self.path(data), exist_ok=True)
        self.write(f"{data}/settings.json",
                   json.dumps({"encryption": {"key_file": self.path(key)}}))

    def through_every_door(self, data="data"):
        """An instance that ends."""
        at = ("--data", data)
        self.stele("run", self.write("doors.yml", FLOW), "--var", "given=mark-given-5f0", *at,
                   code=3)
        self.stele("signal", "1", "go", "--payload", '"mark-signal-5f5"', *at, code=3)
        self.stele("publish", "payment", "--key", "mark-given-5f0", "--payload",
                   '{"sum": "mark-message-5f6"}', *at, code=3)
        self.stele("complete", "1", "fill", "--by", "anna", "--comment", "mark-comment-5f7", "--var",
                   "parcel=mark-filled-5f8", *at)
        self.stele("projections", "rebuild", *at)

    def in_clear(self, directory):
        """Files below the directory that are not encrypted, but for locks, which are empty."""
        files = []
        for parent, _, names in os.walk(self.path(directory)):
            for name in names:
                with open(os.path.join(parent, name), "rb") as file:
                    begin = file.read(8)
                if begin not in (b"", b"STLFILE1"):
                    files.append(os.path.join(parent, name))
        return files

    def marks_in(self, directory):
        """Which of the texts stand in a file below the directory, compressed or not, or in its name."""
        found = set()
        for parent, _, names in os.walk(self.path(directory)):
            for name in names:
                with open(os.path.join(parent, name), "rb") as file:
                    text = file.read() + name.encode()
                text += decompressed(text)
                found |= {mark for mark in MARKS if mark.encode() in text}
        return found


class Sealed(EncryptionTest):
    def test_no_file_shows_what_came_in_by_any_door(self):
        os.makedirs(self.path("clear"))
        self.through_every_door("clear")
        self.assertEqual(self.marks_in("clear"), set(MARKS), "a search that finds nothing")
        self.seal()
        self.through_every_door()
        self.stele("backup", "backups", "--data", "data")
        self.assertEqual(self.marks_in("data"), set())
        self.assertEqual(self.marks_in("backups"), set())
        self.assertEqual(self.in_clear("data/state") + self.in_clear("data/views"), [])
        self.assertNotEqual(self.in_clear("clear/state"), [])
        history = self.stele("history", "1", "--data", "data", "--json").stdout
        for mark in set(MARKS) - {"mark-form-5f4"}:  # which the definition's record has
            self.assertIn(mark, history + self.stele("logs", "1", "--data", "data").stdout)
        self.assertIn("verified:", self.stele("verify", "--data", "data").stdout)
        self.stele("projections", "verify", "--data", "data")
        self.assertEqual(self.marks_in("data"), set())

    def test_a_damaged_identity_of_what_is_derived_ends_nobody(self):
        self.seal()
        self.through_every_door()
        listed = self.stele("list", "--data", self.path("data")).stdout
        for part in ["state", "views/0"]:
            name = self.path(f"data/{part}/IDENTITY")
            with open(name, "rb") as file:
                whole = file.read()
            for damaged in [b"", whole[:40], whole[:3] + b"?" + whole[4:]]:
                for words in [["list"], ["projections", "list"], ["cancel", "99"]]:
                    with self.subTest(part=part, damaged=damaged[:8], words=words):
                        with open(name, "wb") as file:
                            file.write(damaged)
                        run = self.stele(*words, "--data", self.path("data"),
                                         code=2 if words[0] == "cancel" else 0)
                        if words == ["list"]:
                            self.assertEqual(run.stdout, listed)

    def test_a_restored_directory_needs_the_same_key(self):
        self.seal()
        self.through_every_door()
        self.stele("backup", "backups", "--data", "data")
        self.stele("backup", "backups", "--verify")
        self.stele("restore", "backups", "--data", "again")
        self.assertIn("mark-output-5f2", self.stele("history", "1", "--json", "--data", "again").stdout)
        os.remove(self.path("again/settings.json"))
        self.assertIn("STL0311", self.stele("list", "--data", "again", code=2).stderr)
        self.assertIn("verified: the chain of",
                      self.stele("verify", "--chain", "--data", "again").stdout)

    def test_what_began_in_clear_goes_on_sealed(self):
        self.stele("run", self.write("doors.yml", FLOW), "--var", "given=early", "--data", "data", code=3)
        self.seal()
        self.stele("signal", "1", "go", "--payload", '"mark-signal-5f5"', "--data", "data", code=3)
        self.assertIn("mark-signal-5f5", self.stele("history", "1", "--json", "--data", "data").stdout)
        self.assertNotIn("mark-signal-5f5", self.marks_in("data"))
        self.assertIn("verified:", self.stele("verify", "--data", "data").stdout)


class Keys(EncryptionTest):
    def test_status_says_which_key_is_needed(self):
        self.stele("run", self.write("doors.yml", FLOW), "--data", "data", code=3)
        self.assertIn("in clear; no key is set", self.stele("keys", "status", "--data", "data").stdout)
        self.seal()
        self.assertIn("from the next start on", self.stele("keys", "status", "--data", "data").stdout)
        self.stele("signal", "1", "go", "--data", "data", code=3)
        said = self.stele("keys", "status", "--data", "data").stdout
        self.assertIn("sealed; the master key is", said)
        self.assertIn("the key that is set fits", said)
        status = self.json("keys", "status", "--data", "data", "--json")
        self.assertEqual(status["master_key"], status["given_key"])

    def test_rotating_takes_the_old_key_and_then_only_the_new_one_opens(self):
        self.seal()
        self.through_every_door()
        self.stele("keys", "generate", "--out", "next.key")
        self.assertEqual(stat.S_IMODE(os.stat(self.path("next.key")).st_mode), 0o600)
        self.assertIn("the log now needs", self.stele("keys", "rotate", "--new-key-file", "next.key",
                                                      "--data", "data").stdout)
        self.assertIn("STL0311", self.stele("list", "--data", "data", code=2).stderr)
        self.seal(key="next.key")
        self.assertIn("mark-output-5f2", self.stele("history", "1", "--json", "--data", "data").stdout)
        self.assertIn("nothing has changed", self.stele("keys", "rotate", "--new-key-file", "next.key",
                                                        "--data", "data").stderr)
        self.assertIn("STL0311", self.stele("keys", "rotate", "--data", "data", "--new-key-env",
                                            "NO_SUCH_VARIABLE", code=2).stderr)

    def test_comes_from_a_command_or_the_environment_and_is_never_shown(self):
        self.stele("keys", "generate", "--out", "master.key")
        with open(self.path("master.key"), encoding="utf-8") as file:
            key = file.read().strip()
        os.makedirs(self.path("data"))
        command = {"encryption": {"key_command": "cat " + self.path("master.key")}}
        self.write("data/settings.json", json.dumps(command))
        self.stele("run", self.write("doors.yml", FLOW), "--data", "data", code=3)
        for refused, named in (("exit 7", "it ended with 7"), ("echo " + key[:20], "20 bytes"),
                               ("kill -9 $$", "signal 9")):
            self.write("data/settings.json", json.dumps({"encryption": {"key_command": refused}}))
            said = self.stele("list", "--data", "data", code=2).stderr
            self.assertIn("STL0311", said)
            self.assertIn(named, said)
            self.assertNotIn(key[:20], said)
        hangs = {"key_command": "exec tail -f /dev/null", "key_command_timeout": "50ms"}
        self.write("data/settings.json", json.dumps({"encryption": hangs}))
        self.assertIn("it had not ended after 50 ms",
                      self.stele("list", "--data", "data", code=2).stderr)
        self.write("data/settings.json", json.dumps({"encryption": {"key_env": "STELE_TEST_KEY"}}))
        self.assertIn("STELE_TEST_KEY", self.stele("list", "--data", "data", code=2).stderr)
        self.assertNotIn("STELE_TEST_KEY", environment())

    def test_settings_that_name_no_key_or_two_are_refused(self):
        os.makedirs(self.path("data"))
        for wrong in ({}, {"key_file": "a", "key_env": "B"}, {"key_fiel": "a"}, {"key_env": ""},
                      {"key_command_timeout": "5s"}):
            self.write("data/settings.json", json.dumps({"encryption": wrong}))
            self.assertIn("encryption", self.stele("run", self.write("doors.yml", FLOW), "--data",
                                                   "data", code=2).stderr)

    def test_a_key_file_that_others_can_read_is_refused(self):
        self.seal()
        os.chmod(self.path("master.key"), 0o644)
        self.assertIn("STL0804", self.stele("run", self.write("doors.yml", FLOW), "--data", "data",
                                            code=2).stderr)


class Erased(EncryptionTest):
    def test_an_erased_instance_keeps_its_structure_and_nothing_else(self):
        self.seal()
        self.through_every_door()
        self.stele("erase", "--instance", "1", "--data", "data")
        self.assertEqual(self.json("keys", "status", "--data", "data", "--json")["destroyed_keys"], 2,
                         "its own, and that of the message it was sent")
        self.stele("backup", "backups", "--data", "data")
        self.stele("restore", "backups", "--data", "again")
        for data in ("data", "again"):
            self.assertEqual(self.marks_in(data), set())
            shown = self.stele("history", "1", "--json", "--data", data).stdout
            self.assertIn("attempt_completed", shown)
            self.assertEqual([mark for mark in MARKS if mark in shown], [])
            self.assertIn("verified:", self.stele("verify", "--data", data).stdout)
            self.stele("projections", "rebuild", "--data", data)
            self.stele("projections", "verify", "--data", data)
            rows = self.json("list", "--json", "--data", data)["instances"]
            self.assertEqual([row["status"] for row in rows], ["completed"])


if __name__ == "__main__":
    unittest.main()
