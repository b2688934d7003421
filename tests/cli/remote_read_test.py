#!/usr/bin/env python3
"""What is asked of a server with --server is what its data directory answers, to the byte."""

import json
import os
import re
import socket
import stat
import subprocess
import unittest

from program import BINARY, environment
from served import ServedTest
from workflows import APPROVAL, FAILS, MESSAGE, PARKS, SIGNAL

ROUNDS = """
name: "rounds"
variables: {customer: "ada", tags: ["a", "b"]}
triggers:
  - {type: "schedule", cron: "0 3 1 1 *", name: "yearly"}
  - {type: "webhook", path: "/in", name: "in"}
steps:
  - id: "each"
    type: "loop"
    items: "variables.tags"
    steps:
      - {id: "say", type: "script", config: {script: "echo said"}}
"""
ROUNDS_2 = ROUNDS.replace('"echo said"', '"echo said more"')
LABELLED = """
name: "labelled"
steps:
  - {id: "label", type: "custom:label", config: {text: "x"}}
"""
PRIVATE = """
name: "private"
permissions:
  - {actions: ["read", "read_definitions"], users: ["mo"]}
steps:
  - {id: "act", type: "approval", config: {assignees: ["mo"]}}
"""
GOOD = "quite-a-good-one-7"
# How long something has lasted, and what nobody types for a server.
CHANGES = [(re.compile(r'"duration": \d+'), '"duration": 0'),
           (re.compile(r" % +[\d.]+ (ms|s) +"), " % ELAPSED "),
           (re.compile(r" PROGRESS +ELAPSED +"), " PROGRESS ELAPSED "),
           (re.compile(r"\n +stele resume --worker .*"), "")]


class RemoteTest(ServedTest):
    def serve_rpc(self, *words):
        """self.server is the address of its RPC."""
        child = self.start("serve", "--data", "data", "--http", "127.0.0.1:0", "--rpc",
                           "127.0.0.1:0", *words)
        said = self.wait_for_line(child, "http", "rpc at")
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", said)[1])
        self.server = re.search(r"rpc at (\S+)", said)[1]
        return child

    def run_with(self, more, *words):
        return subprocess.run([BINARY, *words], cwd=self.directory, stdin=subprocess.DEVNULL,
                              env=environment(HOME=self.directory, **more), capture_output=True,
                              text=True, timeout=120, check=False)


def plain(text, place):
    for pattern, instead in CHANGES:
        text = pattern.sub(instead, text)
    return text.replace(" " + place, "")


class Asked(RemoteTest):
    def answers(self, option, value):
        """What each command says: its code, its output, and the errors among its notes."""
        said = {}
        for words in COMMANDS:
            done = self.run_with({}, *words, option, value)
            errors = [line for line in done.stderr.splitlines() if "STL" in line]
            said[words] = (done.returncode, plain(done.stdout, f"{option} {value}"), errors)
        return said

    def prepare(self):
        """A directory with an instance in each state of interest."""
        for name, text in (("expense", APPROVAL), ("payment", MESSAGE), ("gate", SIGNAL),
                           ("fails", FAILS), ("rounds", ROUNDS), ("parks", PARKS)):
            self.write(name + ".yml", text)
        run = lambda name, *words, code: self.stele("run", self.path(name + ".yml"), "--data",
                                                    "data", *words, code=code)
        run("expense", "--business-key", "A-1", "--tag", "eu", "--priority", "3", code=3)
        run("payment", "--idempotency-key", "k-1", code=3)
        run("gate", code=3)
        run("fails", code=1)
        run("rounds", "--var", "customer=bo", code=0)
        run("parks", code=3)
        self.write("rounds.yml", ROUNDS_2)
        run("rounds", code=0)
        self.stele("approve", "1", "review", "--by", "anna", "--comment", "fine", "--data", "data",
                   "--no-wait")
        self.stele("pause", "3", "--reason", "a break", "--data", "data")
        self.write("label.json", '{"type": "object", "properties": {"text": {"type": "string"}}}')
        self.stele("types", "register", "label", "--schema", self.path("label.json"), "--worker",
                   "--data", "data")
        self.stele("start", self.write("labelled.yml", LABELLED), "--no-wait", "--data", "data")

    def test_is_what_the_data_directory_says(self):
        self.prepare()
        child = self.serve_rpc("--dev")
        # Until what it resumes has begun.
        self.post("/instances/8/pause", {"reason": "a label"})
        served = self.answers("--server", self.server)
        self.stop(child)
        for words, (code, output, errors) in self.answers("--data", "data").items():
            with self.subTest(command=" ".join(words)):
                self.assertEqual(served[words], (code, output, errors))
        # The same question is no answer when none of them was one.
        answered = [words for words, (code, output, _) in served.items() if code == 0 and output]
        self.assertGreater(len(answered), 0.8 * len(COMMANDS))

    def test_says_the_commands_that_go_on_there(self):
        self.prepare()
        child = self.serve_rpc("--dev")
        shown = self.stele("status", "1", "--server", self.server).stdout
        self.assertIn(f"stele approve 1 review --by bo --server {self.server}\n", shown)
        # A worker joins the server itself.
        waits = self.stele("status", "8", "--server", self.server).stdout
        self.assertIn('a worker of the type "label"', waits)
        self.assertNotIn("stele resume --worker", waits)
        by_environment = self.run_with({"STELE_SERVER": self.server}, "status", "1").stdout
        self.assertEqual(by_environment, shown.replace(f" --server {self.server}", ""))
        # Who names a directory means it.
        missing = self.run_with({"STELE_SERVER": self.server}, "status", "1", "--data", "none")
        self.assertIn("STL0306", missing.stderr)
        self.stop(child)

    def test_as_it_was(self):
        self.prepare()
        child = self.serve_rpc("--dev")
        words = ("list", "--json", "--as-of", "4")
        served = self.run_with({}, *words, "--server", self.server).stdout
        self.stop(child)
        local = self.run_with({}, *words, "--data", "data").stdout
        self.assertEqual(plain(served, ""), plain(local, ""))
        self.assertIn(len(json.loads(served)["instances"]), (1, 2))


    def test_reads_a_long_history_page_by_page(self):
        # Records of one page are 4 MiB and one record.
        steps = [{"id": f"s{i}", "type": "signal", "config": {"name": f"go{i}"}} for i in range(7)]
        for before, step in zip(steps, steps[1:]):
            step["depends_on"] = [before["id"]]
        self.write("long.json", json.dumps({"text": "x" * 1_000_000}))
        self.stele("run", self.write("long.yml", json.dumps({"name": "long", "steps": steps})),
                   "--data", "data", code=3)
        for i in range(7):
            self.stele("signal", "1", f"go{i}", "--payload", "@" + self.path("long.json"),
                       "--data", "data", code=3 if i < 6 else 0)
        child = self.serve_rpc("--dev")
        served = self.run_with({}, "history", "1", "--json", "--server", self.server).stdout
        self.stop(child)
        local = self.run_with({}, "history", "1", "--json", "--data", "data").stdout
        self.assertGreater(len(local), 6_000_000)
        # The texts would fill the screen.
        self.assertTrue(served == local)

    def test_goes_on_where_a_page_ended(self):
        file = self.write("gate.yml", SIGNAL)
        for _ in range(3):
            self.stele("run", file, "--data", "data", code=3)
        child = self.serve_rpc("--dev")
        for words in (("list",), ("active",), ("stats", "--each")):
            seen, more = [], []
            while True:
                done = self.run_with({}, *words, "--limit", "1", *more, "--server", self.server)
                self.assertEqual(done.returncode, 0, done.stderr)
                seen += done.stdout.splitlines()[1:]
                found = re.search(r"--cursor (\S+)", done.stderr)
                if not found:
                    break
                more = ["--cursor", found[1]]
            self.assertEqual(len(seen), 1 if words[0] == "stats" else 3, words)
        self.stop(child)


# Of what Asked.prepare has made.
COMMANDS = [tuple(line.split()) for line in """
status 1
status 1 --json
status 2
status 3
status 4
status 4 --json
status 5
status 6
status 6 --json
status 7
status 8
status 99
logs 4
logs 4 --json
logs 5 --step say
logs 5 --step sya
history 1
history 1 --json
history 5
history 99
show 1
show 5 --at 4 --json
show 99
diff 1 --json
bisect 5 seq>7 --exact
bisect 5 nothing>7
timeline 5
list
list --json
list --status waiting
list --status failed,completed --json
list status:wating
list definition:rounds --sort started --limit 1
list var.customer=bo --json
list --definition ruonds
list tag:eu key:A*
active
active --json
active step:review
tasks
tasks --json
tasks --assignee bo
tasks state:claimed
stats
stats --json
stats rounds
stats rounds --version 1
stats rounds --version 1 --json
stats fails --from 24h
stats ruonds
stats --each
stats --each --json
stats --by day
stats rounds --by day --json
errors
errors --json
errors --definition fails --since 24h
errors --kind wrong
errors --step breka
workers
workers --json
projections list
projections list --json
definitions list
definitions list --json
definitions show rounds
definitions show rounds --version 1
definitions show rounds --source
definitions show rounds --json
definitions show ruonds
definitions export rounds --dialect nodes --format json
definitions diff rounds 1 2
definitions diff rounds 1 2 --json
types list
types list --json
triggers list
triggers list --json
triggers list --kind webhook
triggers show 1
triggers show 1 --json
triggers show 99
triggers next 1 3
triggers next 2
""".strip().splitlines()]


class UsersTest(RemoteTest):
    def admit(self, *words):
        """A server, an admin's token, and the name of the file that has it."""
        child = self.serve_rpc(*words)
        said = self.wait_for_line(child, "password: ")
        first = re.search(r'user "admin" was made; one-time password: (\S+)', said)[1]
        done = self.login("admin", f"{first}\n{GOOD}\n")
        self.assertEqual(done.returncode, 0, done.stderr)
        return child

    def login(self, name, typed, *words):
        return subprocess.run([BINARY, "login", "--server", self.server, "--user", name, *words],
                              cwd=self.directory, input=typed, env=environment(HOME=self.directory),
                              capture_output=True, text=True, timeout=120, check=False)

    def token(self):
        with open(self.path(".config/stele/token"), encoding="utf-8") as file:
            server, token = file.read().split()
        self.assertEqual(server, self.server)
        return token

    def user(self, name, role):
        """Somebody with that role; the file that has their token."""
        made = self.ask("PUT", "/users/" + name, {"role": role}, self.token())
        self.assertEqual(made.status, 201)
        done = self.login(name, f"{made.json()['password']}\n{GOOD}\n", "--token-file", name)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.path(name)

    def ask_as(self, file, *words, code=0):
        done = self.run_with({}, *words, "--server", self.server, "--token-file", file)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        return done


class WhoAsks(UsersTest):
    def test_logs_in_once_and_is_known_from_then_on(self):
        child = self.admit()
        self.assertEqual(stat.S_IMODE(os.stat(self.path(".config/stele/token")).st_mode), 0o600)
        for more in ({"STELE_SERVER": self.server},
                     {"STELE_SERVER": self.server, "STELE_TOKEN": self.token()}):
            done = self.run_with(more, "definitions", "list")
            self.assertEqual(done.returncode, 0, done.stderr)
        nobody = self.run_with({"XDG_CONFIG_HOME": self.path("else")}, "list", "--server",
                               self.server)
        self.assertEqual(nobody.returncode, 2)
        self.assertRegex(nobody.stderr, "STL1001.*stele login --server")
        wrong = self.run_with({"STELE_TOKEN": self.token()[:-2] + "xx"}, "list", "--server",
                              self.server)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("STL1003", wrong.stderr)
        empty = self.login("admin", "\n")
        self.assertEqual(empty.returncode, 2)
        self.assertRegex(empty.stderr, "STL0701.*password of admin on the first line.*empty")
        out = self.run_with({}, "logout", "--server", self.server)
        self.assertEqual(out.returncode, 0, out.stderr)
        with open(self.path(".config/stele/token"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "")
        self.stop(child)

    def test_hints_are_what_one_may_type_there(self):
        child = self.admit()
        for text in (APPROVAL, APPROVAL.replace("expense", "grouped").replace(
                'assignees: ["anna", "bo"], groups: ["ops"]', 'groups: ["finance"]')):
            self.register(text, token=self.token())
        for name in ("expense", "grouped"):
            self.post("/instances", {"definition": name}, 201, token=self.token())
        token = self.path(".config/stele/token")
        for number in "12":
            shown = self.ask_as(token, "status", number).stdout
            self.assertIn(f"stele approve {number} review --server {self.server} --token-file "
                          f"{token}\n", shown)
        self.stop(child)

    def test_a_token_is_for_the_server_that_gave_it(self):
        child = self.admit()
        token = self.token()
        self.write("other", f"127.0.0.1:1 {token}\n")
        refused = self.ask_as(self.path("other"), "list", code=2)
        self.assertIn("STL1001", refused.stderr)
        self.write("any", token + "\n")
        self.ask_as(self.path("any"), "list")
        self.stop(child)

    def test_a_first_password_makes_way_for_another(self):
        child = self.admit()
        made = self.ask("PUT", "/users/bo", {"role": "viewer"}, self.token()).json()
        done = self.login("bo", made["password"] + "\n")
        self.assertEqual(done.returncode, 2)
        self.assertIn("STL1002", done.stderr)
        wrong = self.login("bo", "not-that-one-at-all\n")
        self.assertIn("STL1001", wrong.stderr)
        self.stop(child)

    def test_a_viewer_reads_and_a_worker_does_not(self):
        child = self.admit()
        self.register(APPROVAL, token=self.token())
        self.post("/instances", {"definition": "expense"}, 201, token=self.token())
        viewer, worker = self.user("vi", "viewer"), self.user("wo", "worker")
        for words in (("status", "1"), ("history", "1"), ("logs", "1"), ("list",), ("tasks",),
                      ("stats",), ("errors",), ("workers",), ("projections", "list"),
                      ("definitions", "list"), ("types", "list"), ("triggers", "list")):
            with self.subTest(command=words):
                self.ask_as(viewer, *words)
                refused = self.ask_as(worker, *words, code=2)
                self.assertIn("STL1002", refused.stderr)
                self.assertEqual(refused.stdout, "")
        self.stop(child)

    def test_what_is_kept_from_somebody_is_not_there(self):
        child = self.admit()
        self.register(PRIVATE, token=self.token())
        self.register(APPROVAL, token=self.token())
        for name in ("private", "expense"):
            self.post("/instances", {"definition": name}, 201, token=self.token())
        viewer, named = self.user("vi", "viewer"), self.user("mo", "viewer")
        self.assertIn("private", self.ask_as(named, "definitions", "list").stdout)
        self.ask_as(named, "status", "1")
        shown = self.ask_as(viewer, "definitions", "list", "--json").stdout
        self.assertEqual([one["definition"] for one in json.loads(shown)], ["expense"])
        self.assertIn("STL0407", self.ask_as(viewer, "definitions", "show", "private", code=2).stderr)
        self.assertIn("STL1002", self.ask_as(viewer, "status", "1", code=2).stderr)
        self.ask_as(viewer, "status", "2")
        self.stop(child)


class Kept(RemoteTest):
    """Secrets go to servers of ours alone, and over TLS to other machines."""

    def overhear(self, command, more, typed=""):
        """What a peer that says nothing for a while gets to hear, and what the program says."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            at = f"127.0.0.1:{listening.getsockname()[1]}"
            with subprocess.Popen([BINARY, *command, "--server", at], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                  cwd=self.directory,
                                  env=environment(HOME=self.directory, **more)) as child:
                peer, _ = listening.accept()
                child.stdin.write(typed)
                child.stdin.close()
                peer.settimeout(60)
                heard = peer.recv(1 << 16)
                # It has nothing else to say before it was answered.
                peer.settimeout(0.3)
                try:
                    heard += peer.recv(1 << 16)
                except TimeoutError:
                    pass
                peer.close()
                said = child.stderr.read()
                self.assertEqual(child.wait(60), 2)
        self.assertRegex(said, r"STL0703: Expected Stele's RPC at \S+ but found another end, or one "
                         "that speaks TLS")
        return heard

    def test_a_peer_that_is_no_server_hears_none(self):
        login = self.overhear(("login", "--user", "ada"), {}, GOOD + "\n")
        self.assertGreater(len(login), 0)
        self.assertNotIn(GOOD.encode(), login)
        self.assertNotIn(b"secret-token", self.overhear(("list",), {"STELE_TOKEN": "secret-token"}))

    def test_another_machine_gets_them_over_tls(self):
        at = ("--server", "stele.invalid:7421")
        for more, words in (({}, ("login", "--user", "ada")), ({"STELE_TOKEN": "t"}, ("list",)),
                            ({"STELE_TOKEN": "t"}, ("bench", "start"))):
            refused = self.run_with(more, *words, *at)
            self.assertEqual(refused.returncode, 2)
            self.assertRegex(refused.stderr, 'STL0701: Expected TLS to stele.invalid:7421, .*'
                             '"tls:stele.invalid:7421", or --tls-ca FILE .* --plaintext')
        for words in (("--server", "tls:stele.invalid:7421"), (*at, "--plaintext")):
            self.assertIn("STL0703", self.run_with({"STELE_TOKEN": "t"}, "list", *words).stderr)
        # Nobody in particular has nothing to hide.
        self.assertIn("STL0703", self.run_with({}, "list", *at).stderr)


class Reached(RemoteTest):
    def test_where_nobody_answers(self):
        done = self.run_with({}, "list", "--server", "127.0.0.1:1")
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"STL0703: Expected a server at 127\.0\.0\.1:1 but found")
        done = self.run_with({}, "list", "--server", "unix:" + self.path("none"))
        self.assertIn("STL0703", done.stderr)
        child = self.serve_dev()
        done = self.run_with({}, "list", "--server", f"127.0.0.1:{self.port}")
        self.assertIn("STL0703", done.stderr)
        self.stop(child)

    def test_what_is_no_address(self):
        for address in ("127.0.0.1", "x:y:z", "127.0.0.1:99999"):
            done = self.run_with({}, "list", "--server", address)
            self.assertEqual(done.returncode, 2)
            self.assertIn("STL0701", done.stderr)

    def test_a_directory_and_a_server_are_one_too_many(self):
        done = self.run_with({}, "list", "--server", "127.0.0.1:1", "--data", "data")
        self.assertEqual(done.returncode, 2)
        self.assertIn("Expected --data or --server but found both", done.stderr)

    def test_a_command_that_needs_the_directory_says_so(self):
        done = self.run_with({}, "serve", "--server", "127.0.0.1:1")
        self.assertEqual(done.returncode, 2)
        self.assertIn("needs a data directory", done.stderr)

    def test_over_a_unix_socket(self):
        child = self.start("serve", "--dev", "--data", "data", "--rpc", "unix:" + self.path("s"))
        self.wait_for_line(child, "rpc at")
        self.assertEqual(self.stele("list", "--server", "unix:" + self.path("s")).stdout,
                         "nothing has been started\n")
        self.stop(child)

    def test_over_tls(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "1", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout",
                        self.path("key.pem"), "-out", self.path("cert.pem")],
                       check=True, capture_output=True)
        child = self.start("serve", "--dev", "--data", "data", "--rpc", "localhost:0",
                           "--tls-certificate", self.path("cert.pem"), "--tls-key",
                           self.path("key.pem"))
        port = re.search(r"rpc at \S+:(\d+)", self.wait_for_line(child, "rpc at"))[1]
        at = ("--server", f"localhost:{port}")
        self.stele("list", *at, "--tls-ca", self.path("cert.pem"))
        for words in (at, ("--server", f"tls:localhost:{port}")):
            self.assertIn("STL0703", self.stele("list", *words, code=2).stderr)
        self.stop(child)


if __name__ == "__main__":
    unittest.main()
