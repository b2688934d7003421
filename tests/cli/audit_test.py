#!/usr/bin/env python3
"""`stele audit keygen`, `head`, `heads`, `prove`, `check`, `consistency`: in a data directory, at a
server, and as a foreign program sees what they write."""

import json
import os
import shutil
import socket
import stat
import threading
import unittest

import foreign_proof
from remote_read_test import UsersTest
from workflows import TWO_STEPS


class Swapping:
    """Somebody between a program and its server, who asks for something else: what the program
    sends of the one, the server gets of the other, which is as long."""

    def __init__(self, server, one, other):
        assert len(one) == len(other)
        self.swapped = 0
        self.pair = (one, other)
        self.server = server
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listening.getsockname()[1]}"
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                asking, _ = self.listening.accept()
            except OSError:
                return
            host, port = self.server.rsplit(":", 1)
            asked = socket.create_connection((host, int(port)))
            for way in ((asking, asked, True), (asked, asking, False)):
                threading.Thread(target=self.carry, args=way, daemon=True).start()

    def carry(self, source, target, swaps):
        try:
            while data := source.recv(1 << 20):
                if swaps and self.pair[0] in data:
                    self.swapped += 1
                    data = data.replace(*self.pair)
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        # Whoever waits in accept() is woken by this, and not by close().
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join()


class Proofs(UsersTest):
    def setUp(self):
        super().setUp()
        self.key = self.stele("audit", "keygen", "log.example/test", "--output", "audit.key").stdout
        self.write("audit.pub", self.key)
        self.write("two.yml", TWO_STEPS)

    def sign(self, **more):
        os.makedirs(self.path("stele-data"), exist_ok=True)
        self.write("stele-data/settings.json",
                   json.dumps({"audit": {"key_file": "../audit.key", **more}}))

    def run_some(self, count=3):
        for _ in range(count):
            self.stele("run", "two.yml")

    def prove(self, *words, code=0):
        return self.stele("audit", "prove", *words, code=code)

    def check(self, text, code=0, *words):
        self.write("proof.json", text)
        return self.stele("audit", "check", "proof.json", "--key", "audit.pub", *words, code=code)


class InADirectory(Proofs):
    def test_makes_a_key_that_nobody_else_reads(self):
        self.assertEqual(stat.S_IMODE(os.stat(self.path("audit.key")).st_mode), 0o600)
        with open(self.path("audit.key"), encoding="utf-8") as file:
            self.assertTrue(file.read().startswith("PRIVATE+KEY+log.example/test+"))
        self.assertRegex(self.key, r"^log\.example/test\+[0-9a-f]{8}\+A\S+\n$")
        self.stele("audit", "keygen", "log.example/test", "--output", "audit.key", code=2)
        self.stele("audit", "keygen", "two words", code=2)
        both = self.stele("audit", "keygen", "a").stdout.splitlines()
        self.assertEqual([len(both), both[0].startswith("PRIVATE+KEY+a+")], [2, True])

    def test_proves_instances_and_events_to_anybody(self):
        self.sign()
        self.run_some()
        for words in (("2",), ("3", "--event", "2")):
            text = self.prove(*words).stdout
            proof = json.loads(text)
            self.assertGreater(foreign_proof.check_proof(proof, self.key), 5)
            said = self.check(text).stdout
            self.assertIn("proved: th", said)
            self.assertIn("not proved: ", said)
            shown = json.loads(self.check(text, 0, "--json").stdout)
            self.assertEqual([shown["proved"], shown["instance"]], [True, int(words[0])])
            self.assertEqual([record["position"] for record in shown["records"]],
                             [record["position"] for record in proof["records"]])
        done = self.prove("1", "--event", "1", "--format", "tlog-proof", "--output", "one")
        self.assertEqual(done.stdout, "")
        with open(self.path("one"), encoding="utf-8") as file:
            self.assertGreater(foreign_proof.check_tlog_proof(file.read(), self.key), 0)
        self.prove("1", "--format", "tlog-proof", code=2)
        self.prove("99", code=2)

    def test_refuses_what_was_changed(self):
        self.sign()
        self.run_some()
        proof = json.loads(self.prove("2").stdout)
        frame = proof["records"][1]["frame"]
        changes = {
            "a byte": lambda p: p["records"][1].update(
                frame=frame[:80] + ("A" if frame[80] != "A" else "B") + frame[81:]),
            "order": lambda p: p["records"].reverse(),
            "left out": lambda p: p["records"].pop(0),
            "put in": lambda p: p["records"].insert(1, p["records"][0]),
            "position": lambda p: p["records"][0].update(position=1),
            "instance": lambda p: p.update(instance=1),
            "size": lambda p: p.update(head=p["head"].replace("\n", "\n1", 1)),
        }
        for name, change in changes.items():
            changed = json.loads(json.dumps(proof))
            change(changed)
            done = self.check(json.dumps(changed), 1)
            self.assertIn("STL0313", done.stderr, name)
        other = self.stele("audit", "keygen", "log.example/test").stdout.splitlines()[1]
        self.write("proof.json", json.dumps(proof))
        self.assertIn("STL0313", self.stele("audit", "check", "proof.json", "--key", other,
                                            code=1).stderr)
        self.stele("audit", "check", "proof.json", code=2)
        self.stele("audit", "check", "proof.json", "--key", "no.such.file", code=2)

    def test_holds_the_operator_to_a_head_that_was_kept(self):
        self.sign()
        self.run_some(2)
        self.write("old", self.stele("audit", "head").stdout)
        shutil.copytree(self.path("stele-data"), self.path("then"))
        self.run_some(2)
        said = self.stele("audit", "consistency", "old", "--key", "audit.pub", "--output", "grown")
        self.assertIn("proved: the log of", said.stdout)
        self.assertNotIn("not looked at", said.stdout)
        self.stele("audit", "check", "grown", "--key", "audit.pub", "--checkpoint", "old")
        self.write("new", self.stele("audit", "head").stdout)
        self.stele("audit", "consistency", "old", "new", "--key", self.key.strip())
        self.stele("audit", "consistency", "new", "old", code=1)
        # Another log under the same key, as long as the first: written anew by whoever has it.
        shutil.rmtree(self.path("stele-data"))
        self.sign()
        self.run_some(4)
        changed = self.stele("audit", "consistency", "new", "--key", "audit.pub", code=1)
        self.assertIn("STL0313", changed.stderr)
        # One that was put back to an older copy is shorter than what was signed.
        shutil.rmtree(self.path("stele-data"))
        shutil.copytree(self.path("then"), self.path("stele-data"))
        back = self.stele("audit", "consistency", "new", "--key", "audit.pub", code=1)
        self.assertIn("STL0314", back.stderr)
        proof = self.prove("1").stdout
        self.check(proof, 1, "--checkpoint", "new")
        self.check(proof, 0, "--checkpoint", "old")

    def test_takes_several_keys_where_the_log_had_several(self):
        self.sign()
        self.run_some(2)
        self.write("old", self.stele("audit", "head").stdout)
        early = self.prove("1").stdout
        second = self.stele("audit", "keygen", "log.example/test", "--output", "second.key").stdout
        self.write("second.pub", second)
        self.sign(key_file="../second.key")
        self.run_some(2)
        for keys in (("audit.pub",), ("second.pub",)):
            refused = self.stele("audit", "consistency", "old", "--key", *keys, code=1)
            self.assertIn("STL0313", refused.stderr)
        said = self.stele("audit", "consistency", "old", "--key", "audit.pub", "--key", "second.pub",
                          "--output", "grown").stdout
        for key in (self.key, second):
            self.assertIn("signed by " + "+".join(key.split("+")[:2]) + ":", said)
        self.write("both", self.key + second)
        heads = self.json("audit", "check", "grown", "--key", "both", "--checkpoint", "old", "--json")
        self.assertEqual([heads[each]["key"] for each in ("older", "newer")],
                         ["+".join(key.split("+")[:2]) for key in (self.key, second)])
        self.write("early", early)
        self.assertIn("+".join(self.key.split("+")[:2]),
                      self.stele("audit", "check", "early", "--key", "both").stdout)
        self.stele("audit", "check", "grown", "--key", "audit.pub", code=1)

    def test_says_what_is_no_proof_and_what_is_one_of_something_else(self):
        self.sign()
        self.run_some(2)
        for text in ("", "garbage", "[]", "{}"):
            refused = self.check(text, 2)
            self.assertNotIn("STL0313", refused.stderr)
        self.prove("1", "--event", "1", "--format", "tlog-proof", "--output", "one")
        refused = self.stele("audit", "check", "one", "--key", "audit.pub", code=2)
        self.assertIn("tlog-proof", refused.stderr)
        proof = self.prove("2").stdout
        self.check(proof, 0, "--instance", "2", "--event", "3")
        self.assertIn("STL0313", self.check(proof, 1, "--instance", "1").stderr)
        self.assertIn("STL0313", self.check(proof, 1, "--event", "999").stderr)
        shown = json.loads(self.check(self.prove("2", "--event", "1").stdout, 0, "--json").stdout)
        self.assertEqual([shown["event"], shown["not_proved"]],
                         [1, "what came behind it or before it"])

    def test_lists_heads_and_verifies_them(self):
        self.sign(records=1)
        self.run_some(2)
        heads = json.loads(self.stele("audit", "heads", "--json").stdout)
        sizes = [head["size"] for head in heads]
        self.assertEqual(sizes, sorted(sizes))
        self.assertGreater(len(heads), 3)
        for head in heads:
            origin, size, _ = foreign_proof.open_checkpoint(head["note"], self.key)
            self.assertEqual([origin, size], ["log.example/test", head["size"]])
        newest = self.stele("audit", "head").stdout
        self.assertEqual(newest, heads[-1]["note"])
        self.assertIn(f"{sizes[-1]}", self.stele("audit", "heads").stdout)
        self.write("new", newest)
        for head in heads:
            self.write("old", head["note"])
            said = self.stele("audit", "consistency", "old", "new", "--key", "audit.pub", "--output",
                              f"grown-{head['size']}", "--json").stdout
            self.assertEqual([json.loads(said)[each] for each in
                              ("proved", "signatures_checked", "records_checked")], [True] * 3)
            with open(self.path(f"grown-{head['size']}"), encoding="utf-8") as file:
                proof = json.load(file)
            self.assertEqual(foreign_proof.check_growth(proof, self.key), (head["size"], sizes[-1]))
            for i in range(len(proof["path"])):
                other = proof["path"][:i] + [proof["path"][i - 1]] + proof["path"][i + 1:]
                if other != proof["path"]:
                    with self.assertRaises(AssertionError):
                        foreign_proof.check_growth({**proof, "path": other}, self.key)
        self.stele("verify", "--chain")

    def test_signs_as_often_as_the_settings_say(self):
        self.sign()
        self.run_some(2)
        self.assertEqual(len(self.json("audit", "heads", "--json")), 2)
        self.sign(every="1ms")
        self.run_some(2)
        self.assertGreater(len(self.json("audit", "heads", "--json")), 4)
        for wrong in ({"every": "soon"}, {"every": 60}, {"records": 0}):
            self.sign(**wrong)
            self.assertIn("STL0701", self.stele("run", "two.yml", code=2).stderr)

    def test_gives_its_backups_a_head_over_all_that_they_hold(self):
        self.run_some(1)
        self.sign()
        self.stele("backup", "backups")
        shutil.rmtree(self.path("stele-data"))
        self.stele("restore", "backups", "--data", "stele-data")
        self.write("stele-data/settings.json", "{}")
        said = self.prove("1", "--output", "proof.json")
        self.assertEqual(said.stderr, "")
        self.stele("audit", "check", "proof.json", "--key", "audit.pub")

    def test_says_what_is_missing_without_a_key(self):
        self.run_some(1)
        self.assertIn("STL0314", self.prove("1", code=1).stderr)
        self.assertIn("STL0314", self.stele("audit", "head", code=1).stderr)
        self.assertIn("no signed heads", self.stele("audit", "heads").stdout)
        # A key that comes later proves what was before it.
        self.sign()
        foreign_proof.check_proof(json.loads(self.prove("1").stdout), self.key)
        os.chmod(self.path("audit.key"), 0o644)
        self.assertIn("STL", self.stele("run", "two.yml", code=2).stderr)
        self.write("audit.key", "nonsense")
        os.chmod(self.path("audit.key"), 0o600)
        self.assertIn("STL0312", self.stele("run", "two.yml", code=2).stderr)


class AtAServer(Proofs):
    def test_gives_the_same_proofs_to_auditors(self):
        self.sign()
        self.run_some(2)
        os.rename(self.path("stele-data"), self.path("data"))
        child = self.admit()
        auditor = self.user("vera", "auditor")
        text = self.ask_as(auditor, "audit", "prove", "2").stdout
        foreign_proof.check_proof(json.loads(text), self.key)
        self.check(text)
        with open(auditor, encoding="utf-8") as file:
            token = file.read().split()[-1]
        answer = self.ask("GET", "/instances/2/proof", None, token)
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.json()["records"], json.loads(text)["records"])
        self.assertEqual(self.ask("GET", "/instances/77/proof", None, token).status, 404)
        head = self.ask_as(auditor, "audit", "head").stdout
        foreign_proof.open_checkpoint(head, self.key)
        self.assertEqual(self.ask("GET", "/audit/heads", None, token).json()["heads"][-1], head)
        self.write("old", head)
        said = self.ask_as(auditor, "audit", "consistency", "old", "--key", "audit.pub").stdout
        self.assertIn("proved: the log of", said)
        self.assertIn("not looked at: the records", said)
        grown = self.ask("POST", "/audit/consistency", {"older": head}, token)
        self.assertEqual(grown.status, 200)
        self.check(json.dumps(grown.json()))
        self.assertEqual(self.ask("POST", "/audit/consistency", {"older": "x"}, token).status, 422)
        viewer = self.user("vic", "viewer")
        self.ask_as(viewer, "audit", "prove", "2", code=2)
        self.stop(child)

    def test_proves_nothing_by_an_answer_about_other_heads(self):
        self.sign()
        self.run_some(4)
        kept = self.stele("audit", "head").stdout
        # Another log of the same length under the same key: what somebody kept is not of this one.
        shutil.rmtree(self.path("stele-data"))
        self.sign()
        self.run_some(4)
        own = self.stele("audit", "head").stdout
        self.assertNotEqual(kept, own)
        os.rename(self.path("stele-data"), self.path("data"))
        self.write("kept", kept)
        self.write("own", own)
        child = self.serve_rpc("--dev")

        def ask(address, *heads):
            return self.run_with({}, "audit", "consistency", *heads, "--key", "audit.pub",
                                 "--server", address)

        self.assertEqual(ask(self.server, "own").returncode, 0)
        self.assertEqual(ask(self.server, "kept").returncode, 1)
        between = Swapping(self.server, kept.encode(), own.encode())
        for heads in (("kept",), ("kept", "own"), ("own", "kept")):
            said = ask(between.address, *heads)
            self.assertEqual([said.returncode, said.stdout], [1, ""], heads)
            self.assertIn("STL0313", said.stderr)
        self.assertEqual(between.swapped, 3)
        between.close()
        self.stop(child)


if __name__ == "__main__":
    unittest.main()
