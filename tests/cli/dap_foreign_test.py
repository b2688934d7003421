"""`stele dap` with a client of others: the one that debug adapters of VS Code are tested with."""

import os
import shutil
import subprocess
import sys
import unittest

from dap_client import FETCHED
from program import BINARY, SOURCE, ProgramTest, environment, example

MODULES = os.path.join(FETCHED, "dap", "node_modules")
SCRIPT = os.path.join(SOURCE, "tests", "cli", "dap", "debug_client.js")


class ForeignClient(ProgramTest):
    def test_steps_through_a_saga(self):
        saga = example("order-saga.yml")
        self.stele("run", saga, "--data", "data")
        with open(saga, encoding="utf-8") as file:
            line = next(number for number, text in enumerate(file, 1) if "charge_customer" in text)
        done = subprocess.run(["node", SCRIPT, BINARY, "data", saga, str(line)], cwd=self.directory,
                              env=environment(NODE_PATH=MODULES), capture_output=True, text=True,
                              timeout=200, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stdout.split("\n")[:3],
                         ["hitsABreakpoint passed", "goesBack passed", "isRefused passed"])


if __name__ == "__main__":
    if shutil.which("node") is None or not os.path.isdir(MODULES):
        print("skipped: node, or the client, is not here; ./dev deps clients installs it")
        sys.exit(77)
    unittest.main()
