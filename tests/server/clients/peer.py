"""A `stele serve` with both edges, for clients that others have built."""

import os
import re
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
SCHEMAS = os.path.join(ROOT, "schemas")
# Where `./dev deps clients` puts what it fetches.
FETCHED = os.path.join(ROOT, "build", "clients")
sys.path.insert(0, os.path.join(ROOT, "tests", "cli"))

from served import ServedTest  # pylint: disable=wrong-import-position

NOTHING = "name: nothing\nsteps:\n  - {id: only, type: end}\n"
GREETING = """
name: greeting
outputs:
  greeting: steps.greet.output
steps:
  - {id: greet, type: "custom:greet"}
"""


def skip(why):
    print(f"skipped: {why}; ./dev deps clients installs it")
    sys.exit(77)


class PeerTest(ServedTest):
    def serve_both(self, *words):
        # Connections live on threads of their own, whatever the machine has.
        child = self.start("serve", "--data", "data", "--http", "127.0.0.1:0", "--rpc",
                           "127.0.0.1:0", "--connection-loops", "2", *words)
        self.said = self.wait_for_line(child, "http", "rpc at")
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", self.said)[1])
        self.rpc = int(re.search(r"rpc at 127\.0\.0\.1:(\d+)", self.said)[1])
        return child

    def serve_greeting(self):
        self.write("any.json", "{}")
        self.stele("types", "register", "greet", "--worker", "--schema", "any.json", "--data",
                   "data")
        self.serve_both("--dev")
        self.register(GREETING)
