#!/usr/bin/env python3
"""The file of tokens: what is in it when a token counts no more, and when it cannot be written."""

import fcntl
import os
import resource
import signal
import subprocess
import unittest

from program import BINARY, environment
from remote_read_test import GOOD, UsersTest

OTHER = "other.example.org:7421 of-another-server\n"


class Tokens(UsersTest):
    def file(self):
        with open(self.path(".config/stele/token"), encoding="utf-8") as file:
            return file.read()

    def keep(self, token):
        """Beside the one of another server, as `login` keeps it."""
        os.makedirs(self.path(".config/stele"), exist_ok=True)
        self.write(".config/stele/token", f"{OTHER}{self.server} {token}\n")

    def at(self, *words, code=0, **more):
        done = self.run_with(more, *words, "--server", self.server)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        return done

    def test_one_of_before_locks_nobody_out_of_a_server_that_asks_nobody(self):
        child = self.serve_rpc("--dev")
        self.keep("of-before")
        self.at("list")
        self.assertIn("STL0407", self.at("start", "none", code=2).stderr)
        for more, place in (({"STELE_TOKEN": "given"}, "STELE_TOKEN"),
                            ({"STELE_TOKEN_FILE": self.path(".config/stele/token")},
                             self.path(".config/stele/token"))):
            said = self.at("list", code=2, **more).stderr
            self.assertIn(f"which asks nobody for one, but found one in {place}: leave it out", said)
        self.assertIn("Expected no token", self.at("list", code=2, STELE_TOKEN="given").stderr)
        # Nothing that was kept goes with a token that was given otherwise.
        self.at("logout", code=2, STELE_TOKEN="given")
        self.assertIn("of-before", self.file())
        done = self.at("logout")
        self.assertIn(f"the token of {self.server} is in {self.path('.config/stele/token')} no more", done.stdout)
        self.assertIn("asks nobody", done.stderr)
        self.assertEqual(self.file(), OTHER)
        self.assertIn("STL1001", self.at("logout", code=2).stderr)
        self.stop(child)

    def test_one_that_counts_no_more_is_taken_away(self):
        child = self.admit()
        token = self.token()
        self.at("logout", STELE_TOKEN=token)
        self.assertEqual(self.file(), "")
        self.keep(token)
        self.assertIn("is in", self.at("logout").stdout)
        self.assertEqual(self.file(), OTHER)
        self.stop(child)

    def test_a_file_that_cannot_be_written_stays_as_it_was(self):
        child = self.admit()
        before = OTHER * 200
        self.write(".config/stele/token", before)

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 10, len(before) + 10))

        done = subprocess.run([BINARY, "login", "--server", self.server, "--user", "admin"],
                              cwd=self.directory, input=GOOD + "\n", preexec_fn=limit,
                              env=environment(HOME=self.directory), capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertRegex(done.stderr, "Expected to write .*File too large")
        self.assertEqual(self.file(), before)
        self.assertEqual(sorted(os.listdir(self.path(".config/stele"))), ["token", "token.lock"])
        self.stop(child)

    def test_who_changes_it_waits_for_others_that_do(self):
        child = self.admit()
        with open(self.path(".config/stele/token.lock"), "w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            login = subprocess.Popen([BINARY, "login", "--server", self.server, "--user", "admin"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                     cwd=self.directory, env=environment(HOME=self.directory))
            self.addCleanup(login.kill)
            login.stdin.write(GOOD + "\n")
            login.stdin.close()
            while not self.waits(login.pid):
                self.assertIsNone(login.poll(), "it has not waited")
            self.write(".config/stele/token", OTHER)
        self.assertEqual(login.wait(timeout=60), 0)
        login.stdout.close()
        self.assertTrue(self.file().startswith(OTHER + self.server))
        self.stop(child)

    def waits(self, process):
        """For a lock of a file."""
        with open("/proc/locks", encoding="ascii") as locks:
            return any("->" in line and str(process) in line.split() for line in locks)


if __name__ == "__main__":
    unittest.main()
