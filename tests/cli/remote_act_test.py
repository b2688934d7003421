#!/usr/bin/env python3
"""What is done at a server with --server comes to what it comes to in a data directory."""

import json
import os
import re
import signal
import subprocess
import time
import unittest

from program import BINARY, environment
from remote_read_test import RemoteTest, UsersTest
from workflows import APPROVAL, FAILS, MANUAL, MESSAGE, PARKS, SIGNAL, TWO_STEPS

CALLS = """
name: "calls"
steps:
  - id: "below"
    type: "call"
    config: {workflow: "two"}
"""
GREET = """
name: "greet"
parameters:
  - {name: "who", type: "string", required: true}
steps:
  - id: "greet"
    type: "script"
    config: {runtime: "bash", script: "echo greeting='hello <<who>>' >> outputs"}
"""
SLOW = """
name: "slow"
steps:
  - id: "sleep"
    type: "script"
    config: {runtime: "bash", script: "sleep 600"}
"""
WAITS = """
name: "waits"
steps:
  - id: "wait"
    type: "script"
    config: {runtime: "bash", script: "until [ -e '%s' ]; do sleep 0.05; done"}
"""
RESIZE = '{"type": "object", "properties": {"width": {"type": "integer"}}}'
# What differs from one time to the next: how long, when.
TIMES = [(re.compile(r" *\d+(\.\d+)? (ms|s|µs|us)\b"), " T"),
         (re.compile(r'"duration": [0-9.e-]+'), '"duration": T'),
         (re.compile(r"\b1[0-9]{15}\b"), "T"),
         (re.compile(r"\d{4}-\d\d-\d\d[ T][0-9:.]+Z?"), "T")]
# One after the other, in both places: instances have the same numbers there.
ACTIONS = [tuple(line.split()) for line in """
run two.yml
run two.yml --json
run two.yml --version 1
run two.yml --stdin
run broken.yml
run missing.yml
run expense.yml --business-key A-1 --unique
run expense.yml --business-key A-1 --unique
run expense.yml --unique
run two.yml --idempotency-key k
run two.yml --idempotency-key k --json
run two.yml --idempotency-key k --no-wait --json
run expense.yml --idempotency-key k
start two --idempotency-key k --input {"a":1} --no-wait
start two --version 1 --var word=bye --json
start nonesuch
start two --priority 9999999
start two --paused
step 6
step 6 1 --json
resume 6
pause 3
pause 3
pause 99
pause 3 3 --json
resume 3
resume 3
claim 3 review --by anna
claim 3 review --by bo
release 3 review --by anna --json
approve 3 review --by eve
approve 3 review --by anna --comment fine
approve 3 review --by anna
complete 3 review --by bo
approve 3 review --by bo
approve 3 review --by bo
run parcel.yml
complete 7 pack --by anna --var parcel=4711 --json
run parcel.yml
fail 8 pack --by anna --comment gone --kind lost
run expense.yml
reject 9 review --by anna
run payment.yml
publish payment --key A-17
publish payment --key A-17
publish nobody --key A-17 --json
publish nobody --id m-1
publish nobody --id m-1 --json
run gate.yml
signal 11 none
signal 11 go --json
run gate.yml
cancel 12
run gate.yml
cancel 13 --compensate --json
run gate.yml
terminate 14 --reason because
terminate 14
run fails.yml
retry 15
retry 15 first
run parks.yml
resolve 16 first retry
resolve 16 first skip
resolve 16 first nonsense
resolve 16 first fail
run gate.yml --no-wait
set 17 word=1
set 17 word=1 --json
run gate2.yml --no-wait --json
migrate 17 --to 2 --dry-run
migrate 17 --to 9 --dry-run
migrate 17 --to 2 --dry-run --json
migrate 17 --to 2
skip 17 open
rollback 17 nowhere
terminate 17 18
terminate 98 99
run calls.yml
run calls.yml --json
definitions register two.yml expense.yml
definitions register two.yml broken.yml
definitions register fresh.yml --draft --json
definitions activate fresh
definitions pause fresh --reason later --json
definitions retire fresh
definitions draft fresh
definitions activate nonesuch
definitions instantiate greet.yml --name greet-anna --set who=Anna
definitions instantiate greet.yml --name greet-anna --set who=Anna --json
definitions instantiate greet.yml --set who=Bo --dialect steps
definitions instantiate greet.yml --set whom=Bo
definitions instantiate two --name three --draft --json
definitions instantiate nonesuch
start greet-anna
types register resize --schema resize.json --worker
types register resize --schema resize.json --worker --json
types remove resize
types remove resize
triggers add two --kind manual --name by-hand
triggers add nonesuch --kind manual
triggers pause 1
triggers resume 1 --json
triggers fire 1 --json
triggers fire 9
triggers remove 1
triggers fire 1
retention --show
retention --show --json
retention --show --dry-run
retention --dry-run
retention --instance 1 --dry-run --json
retention --instance 1
retention --instance 1
retention --subject nobody
erase --instance 2
erase
archive --before 1h
secrets list
secrets remove none
keys status
keys status --json
fork 11 --at 1 --live
fork 11 --at 1 --live --set word=1 --paused --json
fork 11 --at 1 --live --definition gate2.yml --no-wait --json
fork 11 --at 1 --live --idempotency-key f --no-wait
fork 11 --at 1 --live --idempotency-key f --no-wait --json
reset 11 --at 1 --idempotency-key f
fork 11 --at 2999-01-01 --live
fork 1 --at 1 --live
fork 11 --at 1
reset 11 --at 1 --business-key F --json
""".splitlines() if line]


def plain(text):
    for pattern, instead in TIMES:
        text = pattern.sub(instead, text)
    return text


class ActTest(RemoteTest):
    def setUp(self):
        super().setUp()
        self.environment = {"STELE_SECRETS_KEY": "0f" * 32}
        for name, text in (("two", TWO_STEPS), ("expense", APPROVAL), ("parcel", MANUAL),
                           ("payment", MESSAGE), ("gate", SIGNAL), ("fails", FAILS),
                           ("parks", PARKS), ("calls", CALLS), ("greet", GREET), ("slow", SLOW),
                           ("gate2", SIGNAL.replace('name: "go"', 'name: "go", payload: {}')),
                           ("fresh", TWO_STEPS.replace('"two"', '"fresh"')),
                           ("broken", TWO_STEPS.replace('"script"', '"skript"'))):
            self.write(name + ".yml", text)
        self.write("resize.json", RESIZE)

    def serve_rpc(self, *words):
        """self.server is the address of its RPC. It has the key of secrets."""
        child = self.start("serve", "--data", "data", "--rpc", "127.0.0.1:0", *words,
                           **self.environment)
        self.server = re.search(r"rpc at (\S+)", self.wait_for_line(child, "rpc at"))[1]
        return child

    def ask(self, *words, code=0, given=""):
        """What it says when it is asked at the server."""
        done = subprocess.run([BINARY, *words, "--server", self.server], cwd=self.directory,
                              input=given, env=environment(HOME=self.directory),
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        return done

    def act(self, words, *where):
        done = self.run_with(self.environment, *words, *where)
        codes = re.findall(r"STL\d{4}", done.stderr)
        return done.returncode, plain(done.stdout), codes, done.stderr


class Acting(ActTest):
    def test_comes_to_what_it_comes_to_in_a_data_directory(self):
        for place in ("local", "data"):
            self.stele("run", self.path("two.yml"), "--data", place)
        child = self.serve_rpc("--dev")
        for words in ACTIONS:
            with self.subTest(command=" ".join(words)):
                local = self.act(words, "--data", "local")
                served = self.act(words, "--server", self.server)
                self.assertEqual(served[:3], local[:3], served[3] + local[3])
        self.stop(child)
        for place in ("local", "data"):
            self.stele("verify", "--data", place)

    def test_what_is_for_a_directory_alone_is_said_to_be(self):
        child = self.serve_rpc("--dev")
        for words, said in ((("resume",), "number of a paused instance"),
                            (("keys", "rotate", "--new-key-file", "k"), "nobody has the data"),
                            (("secrets", "rotate", "--new-key-file", "k"), "nobody serves"),
                            (("run", "two.yml", "--stub", "first={}"), "--stub"),
                            (("start", "two", "--by", "anna"), "--by"),
                            (("validate", "two.yml"), "works on files of this machine"),
                            (("restore", "backups"), "needs a data directory"),
                            (("pause", "1", "--data", "local"), "--data")):
            self.assertIn(said, self.ask(*words, code=2).stderr, words)
        self.stop(child)


class Maintaining(ActTest):
    def setUp(self):
        super().setUp()
        self.stele("run", self.path("two.yml"), "--data", "data")

    def test_backups_are_made_below_the_servers_directory(self):
        child = self.serve_rpc("--dev", "--backups", "kept")
        self.assertIn("backup 1 in nightly: up to position", self.ask("backup", "nightly").stdout)
        self.assertTrue(os.path.isdir(self.path("kept/nightly")))
        self.assertIn("nothing is new", self.ask("backup", "nightly").stdout)
        listed = json.loads(self.ask("backup", "nightly", "--list", "--json").stdout)
        self.assertEqual([backup["backup"] for backup in listed], [1])
        self.assertIn("verified: backup 1", self.ask("backup", "nightly", "--verify").stdout)
        for name in ("../out", self.path("out"), "a/../../b"):
            self.assertIn("below the server's directory", self.ask("backup", name, code=2).stderr)
        self.stop(child)
        self.stele("restore", "kept/nightly", "--data", "again")
        self.stele("verify", "--data", "again")

    def test_a_server_without_a_directory_makes_no_backups(self):
        child = self.serve_rpc("--dev")
        self.assertIn("--backups DIR", self.ask("backup", "nightly", code=2).stderr)
        self.stop(child)

    def test_views_are_built_anew(self):
        child = self.serve_rpc("--dev")
        self.assertIn("instances", self.ask("projections", "rebuild").stdout)
        self.assertIn("nonesuch", self.ask("projections", "rebuild", "nonesuch", code=2).stderr)
        compared = json.loads(self.ask("projections", "verify", "--json").stdout)
        self.assertEqual({view["differing"] for view in compared}, {0})
        self.assertIn("none differs", self.ask("projections", "verify", "instances").stdout)
        self.stop(child)

    def test_the_log_is_verified(self):
        child = self.serve_rpc("--dev")
        self.assertRegex(self.ask("verify").stdout, r"verified: \d+ records with \d+ events, "
                         r"1 instance \(0 open\), 1 definition\n")
        chain = self.ask("verify", "--chain").stdout
        self.assertRegex(chain, r"verified: the chain of \d+ records; not what they mean\n")
        self.assertIn("archived", self.ask("archive").stdout)
        self.assertEqual(self.ask("verify", "--chain").stdout, chain)
        self.stop(child)

    def test_how_long_what_is_kept_is_what_the_settings_say(self):
        self.write("data/settings.json", json.dumps({"retention": {
            "closed": "30d", "archive_after": "12h", "hot_log_bytes": 1 << 20, "every": "10m"}}))
        local = self.stele("retention", "--show", "--data", "data").stdout
        self.assertIn("ended instances are kept    720 h 0 min", local)
        self.assertIn("bytes of the hot log        1048576", local)
        child = self.serve_rpc("--dev")
        self.assertEqual(self.ask("retention", "--show").stdout, local)
        shown = json.loads(self.ask("retention", "--show", "--json").stdout)
        self.assertEqual(shown, {"closed": 30 * 86400, "archive_after": 12 * 3600,
                                 "hot_log_bytes": 1 << 20, "every": 600})
        self.stop(child)

    def test_a_secret_is_kept_and_not_told(self):
        child = self.serve_rpc("--dev")
        self.ask("secrets", "set", "mail", given="correct horse\n")
        self.ask("secrets", "set", "no name", given="x", code=2)
        listed = self.ask("secrets", "list").stdout
        self.assertIn("mail", listed)
        self.assertNotIn("horse", listed)
        self.stop(child)
        local = self.run_with(self.environment, "secrets", "list", "--data", "data").stdout
        self.assertEqual(local, listed)


class Following(ActTest):
    def follow(self):
        child = self.start("run", self.path("slow.yml"), "--server", self.server)
        self.wait_for_line(child, "instance 1 of slow")
        return child

    def test_is_told_that_the_server_is_gone(self):
        server = self.serve_rpc("--dev")
        child = self.follow()
        server.kill()
        server.wait()
        said = child.communicate(timeout=60)[1]
        self.assertEqual(child.returncode, 2, said)
        self.assertRegex(said, "STL1012|STL0703")
        self.assertIn("stele status 1", said)
        # What was acknowledged is there.
        again = self.serve_rpc("--dev")
        self.assertIn("slow", self.ask("status", "1").stdout)
        self.stop(again)

    def test_a_signal_leaves_it_to_the_server(self):
        server = self.serve_rpc("--dev")
        child = self.follow()
        child.send_signal(signal.SIGINT)
        said = child.communicate(timeout=60)[1]
        self.assertEqual(child.returncode, 3, said)
        self.assertIn("left to the server", said)
        self.assertEqual(json.loads(self.ask("status", "1", "--json").stdout)["status"], "running")
        self.ask("terminate", "1")
        self.stop(server)

    def test_ends_when_somebody_else_ends_it(self):
        server = self.serve_rpc("--dev")
        child = self.follow()
        self.ask("cancel", "1")
        self.assertIn("cancelled", child.communicate(timeout=60)[0])
        self.assertEqual(child.returncode, 3)
        self.stop(server)


class LongerThanATokenLasts(UsersTest):
    def run_on(self, **variables):
        """A run that ends when `go` is there."""
        return self.start("run", self.write("waits.yml", WAITS % self.path("go")), "--server", self.server,
                          HOME=self.directory, **variables)

    def run_with_a_key(self):
        """A run whose key ends behind its start, however long that takes here; its instance."""
        for seconds in (4, 16, 60):
            key = {"name": f"night-{seconds}", "role": "developer", "expires": int((time.time() + seconds) * 1e6)}
            child = self.run_on(STELE_TOKEN=self.post("/keys", key, 201, token=self.token())["key"])
            if begun := re.match(r"instance (\d+) of waits", child.stdout.readline()):
                return child, begun[1]
        return self.fail("it had not begun after a minute: " + child.stderr.read())

    def test_a_login_is_renewed_and_kept(self):
        server = self.admit("--auth-token-lifetime", "6s")
        first = self.token()
        child = self.run_on()
        self.wait_for_line(child, "instance 1 of waits")
        while self.run_with({"STELE_TOKEN": first}, "types", "list", "--server", self.server).returncode == 0:
            pass
        self.assertNotEqual(self.token(), first)
        self.assertEqual(self.run_with({}, "types", "list", "--server", self.server).returncode, 0)
        self.write("go", "")
        said, errors = child.communicate(timeout=60)
        self.assertEqual((child.returncode, errors), (0, ""), said)
        self.assertIn("instance 1 completed", said)
        self.stop(server)

    def test_what_cannot_be_renewed_is_said_to_have_ended(self):
        server = self.admit()
        child, instance = self.run_with_a_key()
        _, errors = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 2, errors)
        self.assertRegex(errors, "STL1003: .*expired.*no other one was given: .*another credential; \"stele login")
        self.write("go", "")
        # What it followed has gone on.
        ended = self.get(f"/instances/{instance}?wait=30s", token=self.token())
        self.assertEqual(ended["status"], "completed")
        self.stop(server)


class Roles(UsersTest):
    def test_each_does_what_it_may(self):
        child = self.admit()
        expense = self.write("expense.yml", APPROVAL.replace("min_approvers: 2, ", ""))
        operator, developer, viewer, anna = (self.user(name, role) for name, role in (
            ("op", "operator"), ("dev", "developer"), ("vi", "viewer"), ("anna", "developer")))
        self.ask_as(developer, "definitions", "register", expense)
        self.ask_as(operator, "start", "expense", code=3)
        self.ask_as(operator, "pause", "1")
        self.ask_as(operator, "resume", "1", code=3)
        for file, words in ((viewer, ("start", "expense")), (viewer, ("signal", "1", "go")),
                            (developer, ("pause", "1")), (operator, ("run", expense)),
                            (operator, ("verify",)), (operator, ("backup", "nightly")),
                            (operator, ("secrets", "list")), (developer, ("retention", "--dry-run")),
                            (viewer, ("triggers", "fire", "1"))):
            with self.subTest(command=words):
                refused = self.ask_as(file, *words, code=2)
                self.assertIn("STL1002", refused.stderr)
                self.assertEqual(refused.stdout, "")
        # Who asks is whose the token is.
        self.assertIn("STL0408", self.ask_as(developer, "approve", "1", "review", code=1).stderr)
        self.assertIn("STL0701", self.ask_as(developer, "approve", "1", "review", "--by", "anna",
                                             code=2).stderr)
        self.ask_as(anna, "approve", "1", "review")
        history = self.ask_as(viewer, "history", "1").stdout
        self.assertIn("anna", history)
        self.stop(child)


if __name__ == "__main__":
    unittest.main()
