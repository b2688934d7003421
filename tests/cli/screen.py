"""A real terminal whose screen can be read: tmux, with a server of its own for each test."""

import os
import shlex
import shutil
import subprocess
import time
import unittest

from program import BINARY, ProgramTest, environment

TMUX = shutil.which("tmux")
DEADLINE_S = 60


@unittest.skipIf(TMUX is None, "tmux is not here: no terminal to draw on")
class ScreenTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.socket = None
        self.screens = 0
        self.addCleanup(self.close)

    def tmux(self, *words, check=True):
        return subprocess.run([TMUX, "-S", self.socket, "-f", os.devnull, *words], cwd=self.directory,
                              env=environment(TERM="xterm-256color", TMUX_TMPDIR=self.directory), text=True,
                              capture_output=True, timeout=DEADLINE_S, check=check).stdout

    def close(self):
        if self.socket:
            self.tmux("kill-server", check=False)

    def on_screen(self, *words, columns=80, rows=24, **variables):
        """The command in a new terminal. Behind it the shell says how it ended and how it left the
        terminal; when it is suspended, a line that is typed lets it go on."""
        self.close()
        self.screens += 1
        self.socket = self.path(f"tmux{self.screens}")
        given = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
        command = " ".join(shlex.quote(word) for word in (BINARY, *words))
        self.write("run.sh", "set -m\necho before the program\n"
                             f"{given} {command}\ncode=$?\n"
                             "while jobs -s | grep -q .; do echo suspended; read line; fg >/dev/null; code=$?; done\n"
                             'echo "ended with $code"\n'
                             "stty -a | tr ' ;' '\\n\\n' | grep -xE -e '-?(icanon|echo|isig|opost)' | tr '\\n' ' '\n"
                             "echo\nread line\n")
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), "bash run.sh")

    def screen(self, styled=False):
        return self.tmux("capture-pane", "-p", *(["-e"] if styled else []))

    def eventually(self, check):
        """What `check` asserts of the screen's lines holds now or soon: a screen is drawn piece by piece."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            shown = self.screen()
            try:
                return check(shown.splitlines())
            except AssertionError:
                if time.monotonic() > deadline:
                    print(shown)
                    raise

    def wait_for(self, *texts, without=()):
        """The screen, when all of these stand on it and none of the others."""
        deadline = time.monotonic() + DEADLINE_S
        while True:
            shown = self.screen()
            if all(text in shown for text in texts) and not any(text in shown for text in without):
                return shown
            if time.monotonic() > deadline:
                self.fail(f"expected {texts} without {without} on the screen but found\n{shown}")

    def press(self, *keys):
        """Keys by tmux's names: "n", "Enter", "PageDown", "C-c"."""
        self.tmux("send-keys", *keys)

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def command(self, text):
        self.type(":" + text)
        self.press("Enter")

    def resize(self, columns, rows):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def child(self):
        """The process id of the program."""
        pane = self.tmux("display-message", "-p", "#{pane_pid}").strip()
        with open(f"/proc/{pane}/task/{pane}/children", encoding="ascii") as file:
            return int(file.read().split()[0])
