#!/usr/bin/env python3
"""Finds what the project does not allow in its source, by pattern.

Run by `./dev lint`; rules_test.py runs it as a test and tries every rule on a bad sample.
usage: check_bans.py [ROOT]
"""

import re
import sys

from source_tree import ROOT, code_only, read, tracked_files

PARTS = r"(base|schemas|eventstore|engine|projections|replay|server|cli)/.*\.(h|cc)$"
CODE = r".*\.(h|cc)$"
TEXT = r".*\.(h|cc|py|sh|capnp|cmake|md|yml|yaml|txt)$|(dev|\.ci/run)$"
MAX_LINES = 500


class Rule:
    def __init__(self, name, files, pattern, reason, except_in=(), code=True):
        self.name = name
        self.files = re.compile(files)
        self.pattern = re.compile(pattern)
        self.reason = reason
        self.except_in = except_in  # path -> that file is where it belongs
        self.code = code            # look at code alone, not at comments and literals


RULES = [
    Rule("clock", PARTS,
         r"\b(system|steady|high_resolution|utc|file)_clock\b|\b(std::)?time\s*\(\s*(nullptr|NULL|0|&)"
         r"|\bgettimeofday\b|\bclock_gettime\b|\blocaltime\b|\bgmtime\b",
         "time comes from base/clock.h or the loop", ("base/clock.cc",)),
    Rule("randomness", PARTS,
         r"\brandom_device\b|\bmt19937|\bs?rand\s*\(|\brand_r\b|\bdrand48\b|\bdefault_random_engine\b"
         r"|\bRAND_(priv_)?bytes\b|\bgetrandom\b|\barc4random",
         "jitter is a hash of instance, step and attempt; keys and nonces come from eventstore/aead.h",
         ("eventstore/aead.cc",)),
    Rule("unordered", r"engine/(model|decide|apply)/.*\.(h|cc)$", r"\bunordered_|\bflat_hash_",
         "its order differs from run to run, so a decision could"),
    Rule("io-in-core", r"engine/(model|decide|apply)/.*\.(h|cc)$",
         r"\bfopen\b|\bstd::[io]?fstream\b|\bgetenv\b|\bstd::thread\b|\bstd::(cout|cerr)\b",
         "the core is pure"),
    Rule("sleep", r"(tests|bench)/.*\.(h|cc|py)$",
         r"\bsleep_for\b|\bsleep_until\b|\bu?sleep\s*\(|\bnanosleep\b",
         "time is driven, not waited for", ("tests/project/rules_test.py",)),
    Rule("no-ndebug", CODE, r"\bNDEBUG\b|(?<![_.\w])assert\s*\(",
         "CHECK stays on in every build; assert does not"),
    Rule("mark", TEXT, r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3)) + r")\b",
         "say what is missing and why it may be, or do it", code=False),
    Rule("machine-path", TEXT + r"|.*\.(json|supp)$",
         r"(?<![\w.])/(" + "|".join(("wo" + r"rk/(main|shared|steering|\.)", "ro" + "ot/", "fa" + "rm/", r"home/\w")) + ")",
         "a path of one machine", code=False),
]


def check_file(path, text):
    found = []
    stripped = code_only(text) if path.endswith((".h", ".cc")) else text
    for rule in RULES:
        if not rule.files.match(path) or path in rule.except_in:
            continue
        for match in rule.pattern.finditer(stripped if rule.code else text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(f"{path}:{line}: {rule.name}: found '{match[0].strip()}': {rule.reason}")
    if re.search(r"\.(h|cc|py|capnp|cmake)$", path) and "/golden/" not in path:
        lines = text.count("\n")
        if lines > MAX_LINES:
            found.append(f"{path}:1: length: expected at most {MAX_LINES} lines but found {lines}")
    return found


def violations(root):
    found = []
    for path in tracked_files(root):
        found += check_file(path, read(root, path))
    return found


if __name__ == "__main__":
    broken = violations(sys.argv[1] if len(sys.argv) > 1 else ROOT)
    print("\n".join(broken), end="\n" if broken else "")
    sys.exit(1 if broken else 0)
