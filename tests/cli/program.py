"""The built `stele` as a child, in a directory of its own."""

import fcntl
import json
import os
import pty
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import unittest

BINARY = os.environ["STELE_BINARY"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def environment(**more):
    """Nothing that changes what `stele` does comes from whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("STELE_", "LC_")) and name not in ("NO_COLOR", "TERM", "TZ", "TRACEPARENT")}
    return kept | {"LANG": "C.UTF-8", "TZ": "UTC"} | more


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

    def start(self, *words, **variables):
        """The command, running; what is left of it ends with the test."""
        child = subprocess.Popen([BINARY, *words], cwd=self.directory, stdin=subprocess.DEVNULL,
                                 env=environment(**variables), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        for step in (child.stdout.close, child.stderr.close, child.wait, child.kill):
            self.addCleanup(step)
        return child

    def wait_for_line(self, child, *parts):
        """Reads what it prints up to where each part has been said."""
        seen = ""
        while not all(part in seen for part in parts):
            line = child.stdout.readline()
            if not line:
                self.fail(f"it ended before it said {parts}: {seen}{child.stderr.read()}")
            seen += line
        return seen

    def stele(self, *words, code=0, **variables):
        done = subprocess.run([BINARY, *words], cwd=self.directory, stdin=subprocess.DEVNULL,
                              env=environment(**variables), capture_output=True, text=True, timeout=120,
                              check=False)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        return done

    def on_a_terminal(self, columns, *words, **more):
        """What it writes to a terminal that is so wide."""
        reader, writer = pty.openpty()
        fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        child = subprocess.Popen([BINARY, *words], cwd=self.directory, stdin=subprocess.DEVNULL,
                                 stdout=writer, env=environment(TERM="xterm", NO_COLOR="1", **more))
        os.close(writer)
        text = b""
        while True:
            try:
                chunk = os.read(reader, 4096)
            except OSError:
                break
            if not chunk:
                break
            text += chunk
        os.close(reader)
        self.assertEqual(child.wait(), 0)
        return text.decode()

    def lines_on_a_terminal(self, columns, *words, **more):
        """What stands there at the end, after the lines that come and go."""
        text = self.on_a_terminal(columns, *words, **more)
        return text.split("\x1b[K")[-1].replace("\r", "").splitlines()

    def json(self, *words, code=0, **variables):
        return json.loads(self.stele(*words, code=code, **variables).stdout)

    def history(self, instance="1"):
        lines = self.stele("history", instance, "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]


class ManagedTest(ProgramTest):
    def manage(self, name=None):
        """A manager's socket: what NOTIFY_SOCKET says of it."""
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.settimeout(60)
        self.addCleanup(self.manager.close)
        path = name or self.path("notify")
        self.manager.bind("\0" + path[1:] if path.startswith("@") else path)
        return path

    def told(self, until):
        """What the manager is told, up to the message that has `until`."""
        heard = []
        while not heard or until not in heard[-1]:
            heard.append(self.manager.recv(4096).decode().split("\n"))
        return heard


def interrupt(child):
    child.send_signal(signal.SIGINT)
