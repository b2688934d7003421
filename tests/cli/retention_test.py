#!/usr/bin/env python3
"""What leaves the log: archiving, purging by age and by name, erasing.

STELE_ERASE_KILLS sets how often an erasure is killed (4), STELE_SEED the random numbers.
"""

import json
import os
import random
import shutil
import unittest

from program import ProgramTest
from workflows import APPROVAL, TWO_STEPS

BRIEF = """
name: "brief"
retention: 1ms
variables: {whom: ""}
steps:
  - {id: "greet", type: "script", config: {script: "echo \\"{{variables.whom}} was here\\""}}
"""
PARENT = """
name: "parent"
steps:
  - {id: "ask", type: "call", config: {workflow: "two"}}
"""
MARKER = "Sekretariat-4711"
WAITS = """
name: "waits"
variables: {key: ""}
steps:
  - {id: "paid", type: "message", config: {action: "wait", name: "payment", key: "{{variables.key}}"}}
"""
EFFECT = """
name: "effect"
steps:
  - {id: "do", type: "script", config: {script: "echo done >> EFFECTS"}}
triggers:
  - {type: manual, name: by-hand}
"""
SAYS = """
name: "says"
steps:
  - {id: "say", type: "message", config: {action: "publish", name: "payment", key: "A-1", id: "once", ttl: "1h"}}
"""


class FilesTest(ProgramTest):
    def files_with_the_marker(self):
        found = []
        for folder, _, names in os.walk(self.path("stele-data")):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    if MARKER.encode() in file.read():
                        found.append(os.path.join(folder, name))
        return found


class Retention(FilesTest):
    def effects(self):
        with open(self.path("effects"), encoding="utf-8") as file:
            return len(file.readlines())

    def setUp(self):
        super().setUp()
        self.stele("run", self.write("two.yml", TWO_STEPS), "--business-key", "A-1")
        self.stele("run", self.write("brief.yml", BRIEF), "--var", "whom=nobody")

    def purged(self, *words):
        return self.json("retention", "--json", *words)

    def verified(self):
        self.stele("verify")
        self.stele("projections", "verify")

    def test_what_is_due_goes_and_the_figures_stay(self):
        said = self.stele("retention", "--dry-run").stdout
        self.assertEqual(said, "1 instance would be purged: 1 of brief\n")
        self.stele("status", "2")
        report = self.purged()
        self.assertEqual((report["instances"], report["definitions"]), (1, {"brief": 1}))
        self.assertIn("STL0307", self.stele("status", "2", code=2).stderr)
        self.assertIn("STL0307", self.stele("history", "2", code=2).stderr)
        self.assertIn("STL0307", self.stele("retry", "2", code=2).stderr)
        self.assertEqual([row["instance"] for row in self.json("list", "--json")["instances"]], [1])
        self.verified()
        self.assertEqual(self.json("stats", "brief", "--json")["counts"]["started"], 1)
        self.stele("projections", "rebuild")
        self.verified()
        self.assertEqual(self.purged()["instances"], 0)
        # Its number is not given again.
        self.stele("run", self.path("brief.yml"))
        self.assertEqual([row["instance"] for row in self.json("list", "--json")["instances"]], [3, 1])

    def test_the_settings_say_how_long_the_others_are_kept(self):
        self.write("stele-data/settings.json", '{"retention": {"closed": "1ms"}}')
        self.assertEqual(self.purged()["definitions"], {"brief": 1, "two": 1})
        self.verified()
        self.write("stele-data/settings.json", '{"retention": {"closing": "1ms"}}')
        self.assertIn("closed", self.stele("retention", code=2).stderr)

    def test_named_ones_go_whatever_their_age(self):
        self.stele("run", self.write("approval.yml", APPROVAL), code=3)
        refused = self.stele("retention", "--instance", "3", code=1).stderr
        self.assertIn("STL0405", refused)
        self.assertIn("found 3 open", refused)
        self.assertEqual(self.purged("--instance", "1", "--dry-run")["instances"], 1)
        self.stele("status", "1")
        self.assertEqual(self.purged("--subject", "A-1", "--reason", "asked for")["instances"], 1)
        self.assertIn("STL0307", self.stele("status", "1", code=2).stderr)
        self.assertIn("STL0401", self.stele("retention", "--subject", "A-1", code=2).stderr)
        self.verified()

    def test_who_is_not_there_is_not_called_open(self):
        for command in ("retention", "erase"):
            self.assertIn("STL0401", self.stele(command, "--instance", "77", code=2).stderr)
        self.assertEqual(self.purged("--instance", "1")["instances"], 1)
        for command in ("retention", "erase"):
            self.assertIn("STL0307", self.stele(command, "--instance", "1", code=2).stderr)

    def test_what_was_called_goes_with_its_caller_alone(self):
        self.stele("definitions", "register", self.path("two.yml"))
        self.stele("run", self.write("parent.yml", PARENT))
        for words in (("retention",), ("retention", "--dry-run"), ("erase",)):
            refused = self.stele(*words, "--instance", "4", code=1).stderr
            self.assertIn("STL0405", refused)
            self.assertIn("--instance 3", refused)
        self.assertEqual(self.purged("--instance", "3")["definitions"], {"parent": 1, "two": 1})
        self.verified()

    def test_what_was_named_leaves_the_files_of_views_and_state_at_once(self):
        self.stele("run", self.path("brief.yml"), "--var", f"whom={MARKER}", "--business-key",
                   f"key-of-{MARKER}")
        self.stele("run", self.write("ap.yml", APPROVAL), "--business-key", f"other-{MARKER}", code=3)
        self.stele("cancel", "4")
        self.stele("list")
        self.assertNotEqual(self.files_with_the_marker(), [])
        self.stele("retention", "--instance", "3", "--instance", "4")
        self.stele("resume")  # who opens to write makes lists of files anew
        self.stele("list")
        self.assertEqual(self.files_with_the_marker(), [])

    def test_a_firing_starts_nothing_again_when_what_it_started_is_gone(self):
        self.stele("definitions", "register", self.write("effect.yml", EFFECT.replace(
            "EFFECTS", self.path("effects"))))
        fired = self.json("triggers", "fire", "1", "--json")
        self.assertEqual(self.effects(), 1)
        self.stele("retention", "--instance", str(fired["instance"]))
        self.verified()
        shutil.rmtree(self.path("stele-data/state"))
        self.stele("resume")
        self.stele("backup", "backups")
        self.stele("restore", "backups", "--data", "again")
        self.stele("resume", "--data", "again")
        self.assertEqual(self.effects(), 1)

    def test_a_purge_that_was_cut_off_leaves_no_view_of_an_earlier_moment(self):
        asked = ("list", "--as-of", "5", "--json")
        rows = lambda: [row["instance"] for row in self.json(*asked)["instances"]]
        self.assertEqual(rows(), [1])
        as_of = self.path("stele-data/views/as-of")
        shutil.copytree(as_of, self.path("kept"))
        self.purged("--instance", "1")
        # As when the process had been killed before it came to them.
        shutil.rmtree(as_of, ignore_errors=True)
        shutil.copytree(self.path("kept"), as_of)
        self.assertEqual(rows(), [])
        self.stele("retention")
        self.assertEqual([name for name in os.listdir(as_of) if name in os.listdir(self.path("kept"))],
                         [])

    def test_messages_go_with_who_published_them(self):
        self.stele("run", self.write("says.yml", SAYS))
        self.stele("retention", "--instance", "3")
        for _ in range(2):  # what is kept of the state says what the log says
            self.stele("run", self.write("waits.yml", WAITS), "--var", "key=A-1", code=3)
            shutil.rmtree(self.path("stele-data/state"))
        self.stele("publish", "payment", "--key", "none", "--id", "once")
        self.verified()

    def test_what_was_met_by_one_that_is_gone_comes_to_nobody_else(self):
        self.stele("publish", "payment", "--key", "A-1", "--payload", "1")
        self.stele("run", self.write("waits.yml", WAITS), "--var", "key=A-1")
        self.stele("retention", "--instance", "3")
        self.stele("run", self.path("waits.yml"), "--var", "key=A-1", code=3)
        shutil.rmtree(self.path("stele-data/state"))
        self.stele("resume", code=3)
        self.assertEqual(self.json("status", "4", "--json")["status"], "waiting")
        self.stele("publish", "payment", "--key", "A-1", "--payload", "2")
        self.assertEqual(self.json("status", "4", "--json")["status"], "completed")
        self.verified()

    def test_old_records_leave_the_hot_log(self):
        self.assertEqual(self.json("archive", "--json", "--before", "24h")["records"], 0)
        self.assertEqual(self.json("archive", "--json", "--keep", "1GiB")["records"], 0)
        self.assertIn("STL0701", self.stele("archive", "--keep", "some", code=2).stderr)
        self.stele("archive", "--keep", "1GiB", "--before", "1h", code=2)
        self.assertGreater(self.json("archive", "--json")["records"], 0)
        self.stele("status", "1")
        self.verified()

    def test_the_archive_may_lie_elsewhere(self):
        settings = json.dumps({"archive_directory": self.path("cold/archive")})
        self.write("stele-data/settings.json", settings)
        self.stele("archive")
        segments = [name for name in os.listdir(self.path("cold/archive"))
                    if name.endswith(".segment")]
        self.assertEqual(len(segments), 1)
        self.assertFalse(os.path.exists(self.path("stele-data/archive")))
        self.stele("history", "1")
        self.assertEqual(self.purged("--instance", "1")["instances"], 1)
        self.verified()
        # Back again: whoever moves it says so, and nothing is done while the two do not agree.
        os.remove(self.path("stele-data/settings.json"))
        self.assertIn("STL0302", self.stele("verify", code=1).stderr)
        shutil.move(self.path("cold/archive"), self.path("stele-data/archive"))
        self.verified()
        self.write("stele-data/settings.json", settings)
        refused = self.stele("verify", code=2).stderr
        self.assertIn("cold/archive", refused)
        self.assertIn("move its files", refused)

    def test_a_copy_leaves_the_archive_of_the_original_alone(self):
        settings = json.dumps({"archive_directory": self.path("cold")})
        self.write("stele-data/settings.json", settings)
        self.stele("archive")
        shutil.copytree(self.path("stele-data"), self.path("copy"))
        files = sorted(os.listdir(self.path("cold")))
        for words in [["retention", "--instance", "1"], ["archive"]]:
            refused = self.stele(*words, "--data", self.path("copy"), code=2).stderr
            self.assertIn("STL0303", refused)
            self.assertIn("OWNER", refused)
        self.assertEqual(sorted(os.listdir(self.path("cold"))), files)
        self.verified()
        self.assertEqual(self.purged("--instance", "1")["instances"], 1)
        self.verified()

    def test_without_encryption_nothing_is_erased(self):
        refused = self.stele("erase", "--instance", "1", code=2).stderr
        self.assertIn("STL0004", refused)
        self.assertIn("without encryption; `stele retention --instance", refused)
        self.stele("status", "1")
        self.stele("erase", code=2)


    def test_payloads_from_before_encryption_are_not_called_erased(self):
        encrypt(self)
        self.stele("run", self.path("brief.yml"), "--var", "whom=somebody")
        said = self.stele("erase", "--instance", "2", "--instance", "3", code=1)
        self.assertIn("erased 2 instances: 2, 3", said.stdout)
        self.assertIn("STL0004", said.stderr)
        self.assertIn("those of instance 2; `stele retention --instance 2` cuts it", said.stderr)
        self.assertEqual(self.json("erase", "--instance", "2", "--json", code=1),
                         {"erased": [2], "sent": 0, "in_clear": [2]})
        self.assertEqual(self.json("erase", "--instance", "3", "--json"), {"erased": [3], "sent": 0})
        self.assertEqual(self.purged("--instance", "2")["instances"], 1)
        self.verified()


def encrypt(test):
    test.write("master.key", "00112233445566778899aabbccddeeff" * 2 + "\n")
    os.chmod(test.path("master.key"), 0o600)
    os.makedirs(test.path("stele-data"), exist_ok=True)
    test.write("stele-data/settings.json",
               json.dumps({"encryption": {"key_file": test.path("master.key")}}))


class Erasure(FilesTest):
    def setUp(self):
        super().setUp()
        encrypt(self)
        self.write("long.yml", BRIEF.replace("retention: 1ms\n", ""))
        self.stele("run", self.path("long.yml"), "--var", f"whom={MARKER}", "--business-key", "A-1")
        self.stele("run", self.path("long.yml"), "--var", "whom=somebody")

    def test_what_was_erased_is_in_no_file_and_its_structure_stays(self):
        self.assertIn(MARKER, self.stele("logs", "1").stdout)
        said = self.stele("erase", "--subject", "A-1", "--reason", "asked for")
        self.assertIn("erased 1 instance: 1", said.stdout)
        self.assertIn("backups", said.stderr)
        self.assertEqual(self.files_with_the_marker(), [])
        for command in ("status", "history", "logs"):
            self.assertNotIn(MARKER, self.stele(command, "1").stdout)
        history = self.stele("history", "1").stdout
        self.assertIn("step_activated", history)
        self.assertIn("erased", history)
        self.assertNotIn("erased", self.stele("history", "2").stdout)
        self.assertIn("somebody", self.stele("logs", "2").stdout)
        self.stele("retry", "1", code=1)
        self.stele("verify")
        self.stele("projections", "verify")
        self.stele("projections", "rebuild")
        self.stele("projections", "verify")
        # Once more changes nothing.
        self.stele("erase", "--instance", "1")

    def test_one_that_is_killed_is_finished_by_the_same_once_more(self):
        chance = random.Random(int(os.environ.get("STELE_SEED", "1")))
        self.write("waits.yml", WAITS)
        for kill in range(int(os.environ.get("STELE_ERASE_KILLS", "4"))):
            key = f"K-{kill}"
            self.stele("run", self.path("waits.yml"), "--var", f"key={key}", "--business-key", key,
                       code=3)
            for _ in range(2):  # one is met, one stays
                self.stele("publish", "payment", "--key", key, "--payload", f'"{MARKER}"')
            before = self.destroyed()
            number = str(self.json("list", "--json")["instances"][0]["instance"])
            self.assertIn(MARKER, self.stele("history", number).stdout)
            child = self.start("erase", "--subject", key)
            for _ in range(chance.randrange(0, 3_000_000)):
                pass
            child.kill()
            child.wait(timeout=60)
            self.stele("erase", "--subject", key)
            self.assertEqual(self.destroyed() - before, 3)
            self.assertNotIn(MARKER, self.stele("history", number).stdout)
            self.assertEqual(self.files_with_the_marker(), [])
            self.stele("verify")
            self.stele("projections", "verify")

    def destroyed(self):
        return self.json("keys", "status", "--json")["destroyed_keys"]

    def test_messages_go_with_who_met_them_and_with_their_key(self):
        self.write("waits.yml", WAITS)
        for key in ("A-1", "B-2"):
            self.stele("run", self.path("waits.yml"), "--var", f"key={key}", code=3)
            self.stele("publish", "payment", "--key", key, "--payload", f'"{MARKER}"')
        # Nobody waits for these yet.
        for key in ("A-1", "A-1", "B-2"):
            self.stele("publish", "payment", "--key", key, "--payload", f'"{MARKER}"')
        self.assertEqual(self.destroyed(), 0)
        # Of instance 1, and the three messages to A-1.
        report = self.json("erase", "--subject", "A-1", "--json")
        self.assertEqual(report, {"erased": [1], "sent": 3})
        self.assertEqual(self.destroyed(), 4)
        self.stele("run", self.path("waits.yml"), "--var", "key=A-1", code=3)
        self.stele("run", self.path("waits.yml"), "--var", "key=B-2")
        # Instances 4 and 6, and the messages that they met.
        self.assertEqual(self.json("erase", "--instance", "4", "--instance", "6", "--json"),
                         {"erased": [4, 6], "sent": 2})
        self.assertEqual(self.destroyed(), 8)
        self.assertEqual(self.files_with_the_marker(), [])
        self.stele("verify")
        self.stele("projections", "verify")
        shutil.rmtree(self.path("stele-data/state"))
        self.stele("run", self.path("waits.yml"), "--var", "key=", code=3)
        # Messages that nobody has met, alone.
        self.stele("publish", "payment", "--key", "C-3", "--payload", f'"{MARKER}"')
        self.assertEqual(self.json("erase", "--subject", "C-3", "--json"), {"erased": [], "sent": 1})
        self.assertIn("STL0401", self.stele("erase", "--subject", "C-3", code=2).stderr)
        self.stele("verify")

    def test_the_id_of_an_erased_message_stays_taken(self):
        send = ("publish", "payment", "--key", "D-4", "--id", "once", "--payload", f'"{MARKER}"',
                "--json")
        first = self.json(*send)["position"]
        self.stele("erase", "--subject", "D-4")
        for _ in range(2):  # what is kept of the state says what the log says
            again = self.json(*send)
            self.assertEqual((again["position"], again["known"]), (first, True))
            shutil.rmtree(self.path("stele-data/state"))
        self.write("waits.yml", WAITS)
        self.stele("run", self.path("waits.yml"), "--var", "key=D-4", code=3)


if __name__ == "__main__":
    unittest.main()
