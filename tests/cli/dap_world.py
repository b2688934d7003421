"""What the tests of `stele dap` share: histories, and editors that look at them."""

import sys
import unittest

from dap_client import SCHEMAS, Editor
from program import ProgramTest, example

LOOP = """name: rounds
variables:
  - {name: total, default: 0}
steps:
  - id: first
    type: script
    config: {script: echo begins}
  - id: each
    type: loop
    depends_on: [first]
    items: [1, 2, 3]
    item_name: round
    steps:
      - id: add
        type: script
        config:
          script: |
            echo "adds $INPUT_ROUND"
            echo "sum=$INPUT_ROUND" >> outputs
        input_mapping:
          round: "{{round}}"
        outputs:
          total: "{{total + round}}"
  # what comes behind the loop
  - {id: last, type: script, config: {script: echo ends}, depends_on: [each]}
"""
TASK = """name: asks
steps:
  - {id: before, type: script, config: {script: "true"}}
  - {id: decide, type: approval, depends_on: [before], config: {assignees: [ann]}}
  - {id: after, type: script, config: {script: "true"}, depends_on: [decide]}
"""


def line_of(path, part):
    with open(path, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if part in line)


class DapTest(ProgramTest):
    def edit(self, *words, **variables):
        return Editor(self, *words, **variables)

    def record(self, file, *words, code=0, data="data"):
        self.stele("run", file, "--data", data, *words, code=code)

    def saga(self, *words, code=0):
        self.record(example("order-saga.yml"), *words, code=code)
        return example("order-saga.yml")

    def rounds(self):
        path = self.write("rounds.yml", LOOP)
        self.record(path)
        return path

    def launched(self, how="launch", before=None, words=(), **more):
        editor = self.edit(*words)
        editor.open(how, before, **({"data": "data", "instance": 1} | more))
        return editor


def run():
    program = unittest.main(exit=False)
    if SCHEMAS.missing:
        print(f"not held against the protocol's schema: {SCHEMAS.missing}; ./dev deps clients installs it")
    else:
        print(f"{SCHEMAS.checked} messages fit the protocol's schema")
    sys.exit(not program.result.wasSuccessful())
