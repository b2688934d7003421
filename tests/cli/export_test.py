#!/usr/bin/env python3
"""`stele export` and `stele import`: the same log again, and nothing of a log that was changed."""

import hashlib
import json
import os
import re
import subprocess
import unittest
import xml.etree.ElementTree

from program import BINARY, environment
from served import ServedTest

FLOW = """name: flow
steps:
  - {id: first, type: script, config: {script: "echo done=1 >> outputs"}}
  - {id: wait, type: approval, depends_on: [first], config: {approvers: [anna]}}
"""
SECRET = """name: secret
steps:
  - {id: use, type: script, config: {script: "test -n \\"$TOKEN\\"", env: {TOKEN: "{{secrets.TOKEN}}"}}}
"""


class ExportTest(ServedTest):
    def run_flow(self, *words):
        return self.stele("run", self.write("flow.yml", FLOW), "--data", "data", "--json", *words, code=3)

    def export(self, *words, **more):
        return self.stele("export", "--data", "data", *words, **more).stdout

    def feed(self, *words, text, code=0):
        done = subprocess.run([BINARY, *words], cwd=self.directory, input=text.encode(),
                              env=environment(), capture_output=True, timeout=120, check=False)
        self.assertEqual(done.returncode, code, (words, done.stderr))
        return done.stderr.decode()


class Import(ExportTest):
    def test_makes_a_directory_that_goes_on_where_the_export_ended(self):
        self.run_flow()
        done = self.stele("export", "--data", "data", "--output", "log.jsonl")
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"exported: \d+ events of \d+ records, \d+ bytes")
        said = self.stele("import", "log.jsonl", "--data", "again").stdout
        self.assertRegex(said, r"imported: \d+ events of \d+ records to again\n"
                               r"verified: the last block's hash is [0-9a-f]{64}, as it was\n")
        self.assertEqual(self.stele("verify", "--data", "again").stdout,
                         self.stele("verify", "--data", "data").stdout)
        self.assertEqual(self.stele("history", "1", "--json", "--data", "again").stdout,
                         self.stele("history", "1", "--json", "--data", "data").stdout)
        self.assertEqual(self.stele("export", "--data", "again").stdout, self.export())
        self.stele("approve", "1", "wait", "--by", "anna", "--data", "again", "--quiet")
        self.assertIn("completed", self.stele("list", "--data", "again").stdout)
        self.assertIn("verified:", self.stele("verify", "--data", "again").stdout)
        self.assertIn("waiting", self.stele("list", "--data", "data").stdout)

    def test_names_the_line_and_leaves_nothing(self):
        self.run_flow()
        lines = self.export().splitlines(keepends=True)
        changed = [line.replace("flow", "flew") if at == 4 else line for at, line in enumerate(lines)]
        for text, said in (("".join(changed), "line 5 "), ("".join(lines[:-1]), f"line {len(lines)} "),
                           ("".join(lines[:3] + lines[4:]), "line 4 "), ("", "line 1 "),
                           ("{}\n", "line 1 "), ("".join(lines) + lines[-1], f"line {len(lines) + 1} ")):
            stderr = self.feed("import", "-", "--data", "again", text=text, code=1)
            self.assertIn(said, stderr)
            self.assertIn("STL0308", stderr)
            self.assertEqual([name for name in os.listdir(self.directory) if name.startswith("again")], [])
        self.feed("import", "-", "--data", "again", text="".join(lines).rstrip("\n"))

    def test_is_as_if_it_had_not_begun_when_it_is_killed(self):
        self.run_flow()
        text = self.export().encode()
        for share in (0.1, 0.5, 0.9, 1.0):
            child = subprocess.Popen([BINARY, "import", "-", "--data", "again"], cwd=self.directory,
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment())
            child.stdin.write(text[:int(len(text) * share)])
            child.stdin.flush()
            while not os.path.exists(self.path("again.restoring/data/log/CURRENT")):
                self.assertIsNone(child.poll())
            child.kill()
            child.stdin.close()
            child.wait()
            self.assertFalse(os.path.exists(self.path("again")))
            self.assertIn("STL0306", self.stele("list", "--data", "again", code=2).stderr)
        self.feed("import", "-", "--data", "again", text=text.decode())
        self.assertEqual(sorted(name for name in os.listdir(self.directory) if name.startswith("again")),
                         ["again"])
        self.stele("verify", "--data", "again")

    def test_refuses_a_part_and_a_directory_that_is_not_empty(self):
        self.run_flow()
        part = self.export("--query", "definition:flow")
        self.assertIn("--query", self.feed("import", "-", "--data", "again", text=part, code=2))
        whole = self.export()
        self.assertIn("STL0310", self.feed("import", "-", "--data", "data", text=whole, code=2))
        self.assertIn("STL0701", self.feed("import", "-", text=whole, code=2))
        self.stele("import", "nowhere.jsonl", "--data", "again", code=2)

    def test_seals_again_what_was_sealed(self):
        self.stele("keys", "generate", "--out", "master.key")
        os.mkdir(self.path("data"))
        settings = json.dumps({"encryption": {"key_file": self.path("master.key")}})
        self.write("data/settings.json", settings)
        self.run_flow()
        text = self.export()
        self.assertIn('"sealed":true', text.splitlines()[0])
        self.assertIn("STL0311", self.feed("import", "-", "--data", "again", text=text, code=2))
        self.write("settings.json", settings)
        self.feed("import", "-", "--data", "again", "--settings", "settings.json", text=text)
        self.assertIn("sealed", self.stele("keys", "status", "--data", "again").stdout)
        self.stele("verify", "--data", "again")
        self.stele("approve", "1", "wait", "--by", "anna", "--data", "again", "--quiet")

    def test_finds_a_key_from_the_directory_that_it_makes(self):
        self.stele("keys", "generate", "--out", "master.key")
        self.run_flow()
        text = self.export()
        os.mkdir(self.path("new"))
        for name, key in (("new/again", "../../master.key"), ("third", "../master.key")):
            self.write("settings.json", json.dumps({"encryption": {"key_file": key}}))
            self.feed("import", "-", "--data", name, "--settings", "settings.json", text=text)
            self.assertIn("sealed", self.stele("keys", "status", "--data", name).stdout)
            self.stele("verify", "--data", name)


class Export(ExportTest):
    def test_a_line_can_be_checked_with_any_sha256(self):
        self.run_flow()
        for line in self.export().splitlines():
            text, check = re.fullmatch(r'(.*),"check":"([0-9a-f]{16})"}', line).groups()
            self.assertEqual(hashlib.sha256(text.encode()).hexdigest()[:16], check)

    def test_goes_to_a_new_file_that_others_cannot_read(self):
        self.run_flow()
        said = self.json("export", "--data", "data", "--output", "log.jsonl", "--json")
        self.assertEqual(said["bytes"], os.path.getsize(self.path("log.jsonl")))
        self.assertEqual(os.stat(self.path("log.jsonl")).st_mode & 0o777, 0o600)
        self.assertIn("STL0310", self.stele("export", "--data", "data", "--output", "log.jsonl", code=2).stderr)
        self.assertEqual(self.export("--output", "/dev/full", code=2), "")
        self.assertIn("STL0701", self.stele("export", "--data", "data", "--json", code=2).stderr)
        self.assertFalse(os.path.exists(self.path("log.jsonl.part")))
        self.write("other.jsonl.part", "what somebody else writes")
        self.assertIn("STL0310", self.stele("export", "--data", "data", "--output", "other.jsonl", code=2).stderr)
        with open(self.path("other.jsonl.part"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "what somebody else writes")
        os.symlink(self.path("elsewhere"), self.path("third.jsonl.part"))
        self.assertIn("STL0310", self.stele("export", "--data", "data", "--output", "third.jsonl", code=2).stderr)
        self.assertFalse(os.path.exists(self.path("elsewhere")))
        for uri in ("", "two words", "line\nbreak"):
            self.assertIn("STL0701", self.stele("export", "--format", "cloudevents", "--source", uri,
                                                "--data", "data", code=2).stderr)
        self.assertIn("of the query", self.stele("export", "--query", "status:", "--data", "data", code=2).stderr)
        self.assertIn("STL0701", self.stele("export", "--format", "csv", "--data", "data", code=2).stderr)
        self.assertIn("STL0306", self.stele("export", "--data", "none", code=2).stderr)

    def test_says_when_nobody_reads_it(self):
        self.run_flow()
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([BINARY, "export", "--data", "data"], cwd=self.directory, stdout=full,
                                  stderr=subprocess.PIPE, env=environment(), check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"STL0003", done.stderr)

    def test_tells_of_a_time_and_of_a_query_alone(self):
        for customer in ("ada", "bob"):
            self.run_flow("--business-key", customer)
        lines = [json.loads(line) for line in self.export("--query", "key:bob").splitlines()]
        self.assertEqual({line["instance"] for line in lines if "event" in line}, {2})
        self.assertFalse(lines[0]["whole"])
        none = [json.loads(line) for line in self.export("--until", "24h").splitlines()]
        self.assertEqual(none[-1]["end"]["events"], 0)
        everything = [json.loads(line) for line in self.export("--since", "24h").splitlines()]
        whole = [json.loads(line) for line in self.export().splitlines()]
        self.assertEqual([line.get("data") for line in everything], [line.get("data") for line in whole])

    def test_never_has_the_value_of_a_secret(self):
        self.stele("secrets", "keygen", "--out", "key")
        done = subprocess.run([BINARY, "secrets", "set", "TOKEN", "--key-file", "key", "--data", "data"],
                              cwd=self.directory, input=b"hunter2-hunter2\n", env=environment(), check=False)
        self.assertEqual(done.returncode, 0)
        self.stele("run", self.write("secret.yml", SECRET), "--data", "data", "--quiet",
                   STELE_SECRETS_KEY_FILE=self.path("key"))
        for form in ("jsonl", "cloudevents", "xes", "ocel"):
            text = self.export("--format", form)
            self.assertIn("use", text)
            self.assertNotIn("hunter2", text)

    def test_is_at_a_server_what_it_is_at_its_directory(self):
        self.run_flow("--business-key", "ada")
        self.run_flow("--business-key", "bob")
        local = {form: self.export("--format", form) for form in ("xes", "ocel", "cloudevents")}
        found = {form: self.export("--format", form, "--query", "key:bob") for form in ("jsonl", "xes", "ocel")}
        self.assertEqual(found["xes"].count("<trace>"), 1)
        lines = [json.loads(line) for line in self.export().splitlines()]
        child = self.start("serve", "--data", "data", "--http", "127.0.0.1:0", "--rpc", "127.0.0.1:0", "--dev")
        server = re.search(r"rpc at (\S+)", self.wait_for_line(child, "http", "rpc at"))[1]
        remote = self.stele("export", "--format", "xes", "--server", server).stdout
        self.assertEqual(sorted(remote.split("<trace>")), sorted(local["xes"].split("<trace>")))
        remote = json.loads(self.stele("export", "--format", "ocel", "--server", server).stdout)
        wanted = json.loads(local["ocel"])
        for part in remote:
            named = lambda each: each.get("id", each.get("name"))
            self.assertEqual(sorted(remote[part], key=named), sorted(wanted[part], key=named))
        remote = self.stele("export", "--format", "cloudevents", "--server", server).stdout
        self.assertEqual(sorted(remote.splitlines()), sorted(local["cloudevents"].splitlines()))
        remote = [json.loads(line) for line in self.stele("export", "--server", server).stdout.splitlines()]
        self.assertFalse(remote[0]["whole"])
        key = lambda line: (line["position"], line["ordinal"])
        events = sorted((line for line in remote if "event" in line), key=key)
        wanted = [line for line in lines if "event" in line]
        self.assertEqual([(key(line), line["data"], line.get("ids")) for line in events],
                         [(key(line), line["data"], line.get("ids")) for line in wanted])
        for form, text in found.items():
            self.assertEqual(self.stele("export", "--format", form, "--query", "key:bob", "--server", server).stdout,
                             text)
        self.assertIn("colour", self.stele("export", "--query", "colour:red", "--server", server, code=2).stderr)
        self.stop(child)

    def test_xes_has_a_trace_for_each_instance(self):
        self.run_flow()
        self.run_flow()
        log = xml.etree.ElementTree.fromstring(self.export("--format", "xes"))
        self.assertEqual(len(log.findall("{http://www.xes-standard.org/}trace")), 2)

    def test_the_published_schema_is_the_one_of_this_build(self):
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        with open(os.path.join(root, "docs", "schemas", "event.schema.json"), encoding="utf-8") as file:
            self.assertEqual(file.read(), self.stele("export", "--schema").stdout)


if __name__ == "__main__":
    unittest.main()
