#!/usr/bin/env python3
"""Records the corpus of the format that a build writes: once, when the format is released.

Usage: record.py PATH_OF_STELE FORMAT [NAME…]; writes format-FORMAT/NAME.tar.xz. An entry that is there
is never written again: a format that is released does not change.
"""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import corpus
from scenarios import SCENARIOS, stubs

NO_TASKS = {"start", "end", "exclusive", "switch", "condition", "inclusive", "parallel", "loop", "sub_process",
            "delay", "timer", "message", "publish", "receive", "signal", "event_race", "approval", "manual"}


class Server:
    """A `stele serve` of the data directory, until the block ends: it is stopped in order."""

    def __init__(self, child):
        self.child, said = child, ""
        while "http" not in said or "password: " not in said:
            line = child.stdout.readline()
            if not line:
                raise AssertionError(f"stele serve ended before it listened: {said}")
            said += line
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", said)[1])
        self.password = re.search(r"one-time password: (\S+)", said)[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.send_signal(signal.SIGTERM)
        if self.child.wait(timeout=60) != 0:
            raise AssertionError(f"stele serve: exit code {self.child.returncode}")
        self.child.stdout.close()

    def ask(self, method, path, body=None, token="", status=200):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"} | ({"Authorization": "Bearer " + token} if token else {})
        connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        if answer.status != status:
            raise AssertionError(f"{method} {path}: expected {status} but found {answer.status}: {text}")
        return json.loads(text) if text else None

    def login(self, name, password, better):
        """A token, with another password than the one that was made for somebody."""
        first = self.ask("POST", "/auth/login", {"name": name, "password": password})
        changed = self.ask("POST", "/auth/password", {"old_password": password, "new_password": better},
                           first["token"])
        return changed["token"]


class Recorder:
    def __init__(self, binary, directory):
        self.directory = directory
        self.stele = corpus.Program(binary, directory)
        self.further = []

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def goes_on(self, words, statuses, codes=(0,)):
        """What every later build does with what is left open, in this order."""
        self.further.append({"words": words, "codes": list(codes),
                             "statuses": {str(number): status for number, status in statuses.items()}})

    def goes_on_where_waits(self, signal_name, definition):
        for row in self.stele.json("list", "definition:" + definition)["instances"]:
            if row["status"] == "waiting":
                self.goes_on(["signal", str(row["instance"]), signal_name], {row["instance"]: "completed"}, codes=(0, 1, 3))

    def task_types(self, path):
        text = self.stele.run("convert", path, "--dialect", "canonical", "--format", "json", data=None,
                              codes=(0, 2))
        if not text:
            return None
        found = set()

        def look(value):
            if isinstance(value, dict):
                if isinstance(value.get("type"), str) and "id" in value:
                    found.add(value["type"])
                for one in value.values():
                    look(one)
            elif isinstance(value, list):
                for one in value:
                    look(one)

        look(json.loads(text))
        return found - NO_TASKS

    def run_stubbed(self, path, keep=("call",)):
        """However it ends: what is recorded is what there is. A file that is no whole workflow is left out."""
        copy = self.path(os.path.basename(path))
        if copy != path:
            shutil.copy(path, copy)
        types = self.task_types(copy)
        if types is not None:
            self.for_a_while("run", copy, *stubs(types - set(keep)))

    def for_a_while(self, *words):
        """A command that may wait for a moment of its own: it is stopped in order."""
        child = self.begin(*words)
        try:
            child.wait(timeout=4)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGINT)
            child.wait(timeout=30)

    def begin(self, *words, output=subprocess.DEVNULL):
        return subprocess.Popen([self.stele.binary, *words, "--data", "data"], cwd=self.directory,
                                env=corpus.environment(), stdin=subprocess.DEVNULL, text=True,
                                stdout=output, stderr=subprocess.DEVNULL)

    def settings(self, **settings):
        os.makedirs(self.path("data"), exist_ok=True)
        self.write("data/settings.json", json.dumps(settings))

    def serve(self):
        return Server(self.begin("serve", "--http", "127.0.0.1:0", output=subprocess.PIPE))

    def kill_under_way(self, *words, marker, signal_name):
        """Ends a command when a script of its workflow has made the file `marker`: an attempt is under way."""
        child = self.begin(*words)
        while not os.path.exists(marker):
            try:
                code = child.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError(f"stele {' '.join(words)} ended with {code} before it made {marker}")
        os.remove(marker)
        child.send_signal(getattr(signal, signal_name))
        child.wait()


def record(binary, name, folder):
    path = os.path.join(folder, name + ".tar.xz")
    if os.path.exists(path):
        print(f"{path} is there: it stays as it is")
        return
    with tempfile.TemporaryDirectory(prefix="stele-golden-") as directory:
        recorder = Recorder(binary, directory)
        SCENARIOS[name](recorder)
        # Asked twice: what is told of the moment differs, if by a microsecond.
        first = corpus.described(recorder.stele)
        expected = {"scenario": name, "version": recorder.stele.run("--version", data=None).strip(),
                    "chain": corpus.chain_of(recorder.stele), "goes_on": recorder.further,
                    "said": corpus.lasting(first, corpus.described(recorder.stele))}
        corpus.pack(directory, expected, path)
    print(f"{path}: {os.path.getsize(path)} bytes, {len(expected['said']['instances'])} instances")


def main():
    binary, number, *names = sys.argv[1:]
    folder = os.path.join(corpus.HERE, "format-" + number)
    os.makedirs(folder, exist_ok=True)
    for name in names or SCENARIOS:
        record(binary, name, folder)


if __name__ == "__main__":
    main()
