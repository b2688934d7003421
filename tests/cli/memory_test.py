#!/usr/bin/env python3
"""Commands with so little memory that some of it runs out: each ends with a sentence, none by a signal."""

import resource
import subprocess
import unittest

from program import BINARY, ProgramTest, environment

FLOW = """name: "flow"
steps:
  - {id: wait, type: approval, config: {approvers: [anna]}}
"""
MEBIBYTE = 1 << 20


def is_sanitized():
    """A sanitizer takes terabytes of addresses before the program begins."""
    with open(BINARY, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


@unittest.skipIf(is_sanitized(), "sanitizers need more addresses than any bound leaves")
class LittleMemory(ProgramTest):
    def with_memory(self, limit, *words):
        def bound():
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        return subprocess.run([BINARY, *words], cwd=self.directory, stdin=subprocess.DEVNULL,
                              env=environment(), capture_output=True, text=True, timeout=120,
                              check=False, preexec_fn=bound)

    def test_ends_every_command_with_a_sentence_or_not_at_all(self):
        flow = self.write("flow.yml", FLOW)
        self.stele("run", flow, "--data", "data", "--quiet", code=3)
        self.stele("list", "--data", "data")
        ended = set()
        for number, limit in enumerate(range(80, 280, 10)):
            for words, done in ((("list", "--data", "data"), 0), (("verify", "--data", "data"), 0),
                                (("run", flow, "--data", f"data-{number}", "--quiet"), 3)):
                result = self.with_memory(limit * MEBIBYTE, *words)
                told = (limit, words, result.stdout, result.stderr)
                self.assertIn(result.returncode, (done, 2), told)
                if result.returncode == 2:
                    self.assertIn("STL0003: Expected the means to go on", result.stderr, told)
                ended.add(result.returncode)
        self.assertEqual(ended, {0, 2, 3}, "bounds that are all too wide, or all too narrow")


if __name__ == "__main__":
    unittest.main()
