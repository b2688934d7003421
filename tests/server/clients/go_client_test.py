"""The native interface from Go: go/main.go, with code that capnpc-go makes of the schemas."""

import glob
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from peer import FETCHED, NOTHING, SCHEMAS, PeerTest, skip
from program import environment

HERE = os.path.dirname(os.path.abspath(__file__))
STD = os.path.join(FETCHED, "go", "std")
COMPILER = os.path.join(FETCHED, "go", "capnpc-go")
for needed in (shutil.which("go"), COMPILER, STD):
    if needed is None or not os.path.exists(needed):
        skip(f"Go or capnpc-go is not here (found {needed})")


def annotated(schema):
    """Go wants to be told where the code for a schema is to be."""
    number, rest = schema.split("\n", 1)
    return (f'{number}\nusing Go = import "/go.capnp";\n$Go.package("api");\n'
            f'$Go.import("stele/client/api");\n{rest}')


class GoClient(PeerTest):
    @classmethod
    def setUpClass(cls):
        cls.built = tempfile.mkdtemp(prefix="stele-go-")
        cls.addClassCleanup(shutil.rmtree, cls.built, ignore_errors=True)
        for name in glob.glob(os.path.join(HERE, "go", "*")):
            shutil.copy(name, cls.built)
        schemas, api = os.path.join(cls.built, "schemas"), os.path.join(cls.built, "api")
        os.mkdir(schemas)
        os.mkdir(api)
        stored = {"record.capnp", "snapshot.capnp", "values.capnp"}
        names = [name for name in os.listdir(SCHEMAS)
                 if name.endswith(".capnp") and name not in stored]
        for name in names:
            with open(os.path.join(SCHEMAS, name), encoding="utf-8") as file:
                text = annotated(file.read())
            with open(os.path.join(schemas, name), "w", encoding="utf-8") as file:
                file.write(text)
        cls.tool(["capnp", "compile", "-I", STD, "-o", f"{COMPILER}:{api}", *names], schemas)
        cls.tool(["go", "build", "-o", "client", "."], cls.built)

    @classmethod
    def tool(cls, words, directory):
        done = subprocess.run(words, cwd=directory, capture_output=True, text=True, check=False,
                              env=os.environ | {"GOFLAGS": "-mod=mod", "GOPROXY": "off"})
        if done.returncode != 0:
            raise AssertionError(f"{words}: {done.stdout}{done.stderr}")

    def client(self, course, name):
        return subprocess.Popen(
            [os.path.join(self.built, "client"), course, f"127.0.0.1:{self.rpc}", name],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())

    def seen(self, child):
        said, faults = child.communicate(timeout=150)
        self.assertEqual(child.returncode, 0, faults)
        return [json.loads(line) for line in said.splitlines()]

    def test_starts_and_waits_in_one_round_trip(self):
        self.serve_both("--dev")
        self.register(NOTHING)
        ended, refused = self.seen(self.client("pipeline", "nothing"))
        self.assertEqual(ended, {"instance": 1, "status": "completed"})
        self.assertIn("STL0407", refused["refused"])

    def test_follows_what_happens(self):
        self.serve_both("--dev")
        self.register(NOTHING)
        events = self.seen(self.client("follow", "nothing"))
        history = self.get("/instances/1/history")["events"]
        self.assertEqual([event["event"] for event in events],
                         [event["event"] for event in history])
        positions = [event["position"] for event in events]
        self.assertEqual(positions, sorted(positions))

    def test_does_a_task(self):
        self.serve_greeting()
        started = self.post("/instances", {"definition": "greeting"}, 201)
        _joined, did = self.seen(self.client("work", "greet"))
        ended = self.get(f"/instances/{started['id']}?wait=50s")
        self.assertEqual(ended["status"], "completed")
        self.assertEqual(ended["output"]["greeting"], {"by": "go", "key": did["did"]})


if __name__ == "__main__":
    unittest.main()
