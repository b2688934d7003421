"""The built `stele` as a child, in a directory of its own."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

BINARY = os.environ["STELE_BINARY"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def example(name):
    return os.path.join(SOURCE, "examples", name)


class ProgramTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="stele-cli-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start(self, *words):
        return subprocess.Popen([BINARY, *words], cwd=self.directory, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def stele(self, *words, code=0):
        done = subprocess.run([BINARY, *words], cwd=self.directory, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        return done

    def json(self, *words, code=0):
        return json.loads(self.stele(*words, code=code).stdout)

    def history(self, instance="1"):
        lines = self.stele("history", instance, "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]


def interrupt(child):
    child.send_signal(signal.SIGINT)
