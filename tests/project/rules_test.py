#!/usr/bin/env python3
"""The rules that the project sets itself, checked on its own files and tried on bad samples."""

import os
import re
import unittest

import check_bans
from source_tree import ROOT, code_only, read, tracked_files

MAX_README_LINES = 60
# Folders without a README: what they hold is explained one folder up.
WITHOUT_README = re.compile(r"^(\.ci|cmake|docs|tests/.+|engine/definition/dialects|engine/embed/include/stele|sdk/cpp/include/stele|.*/(corpus|golden|testdata)(/.*)?)$")


def error_codes(header):
    """number -> name of every code in the table of base/error_codes.h."""
    return {int(number): name for name, number in re.findall(r"X\((k\w+),\s*(\d+)\)", header)}


def documented_codes(page):
    """number -> name of every line of the tables of docs/errors.md."""
    return {int(number): name
            for number, name in re.findall(r"^\| STL(\d{4}) \| `(\w+)` \|", page, re.MULTILINE)}


def folders_without_readme(paths):
    folders = {os.path.dirname(path) for path in paths if path.endswith((".h", ".cc", ".capnp", ".yml"))}
    return sorted(f for f in folders if f and not WITHOUT_README.match(f)
                  and os.path.join(f, "README.md") not in paths)


class ErrorCodes(unittest.TestCase):
    def test_every_code_is_explained_and_every_explanation_has_a_code(self):
        codes = error_codes(read(ROOT, "base/error_codes.h"))
        self.assertGreater(len(codes), 30)
        expected = {number: name[1:] for number, name in codes.items()}
        self.assertEqual(documented_codes(read(ROOT, "docs/errors.md")), expected)

    def test_no_number_is_used_twice(self):
        numbers = re.findall(r"X\(k\w+,\s*(\d+)\)", read(ROOT, "base/error_codes.h"))
        self.assertEqual(len(numbers), len(set(numbers)))

    def test_numbers_ascend(self):
        numbers = [int(n) for n in re.findall(r"X\(k\w+,\s*(\d+)\)", read(ROOT, "base/error_codes.h"))]
        self.assertEqual(numbers, sorted(numbers))

    def test_reads_both_forms(self):
        self.assertEqual(error_codes("  X(kIo, 3) \\\n  X(kUsage,   701)"), {3: "kIo", 701: "kUsage"})
        self.assertEqual(documented_codes("| STL0003 | `Io` | a | b |\nSTL0004"), {3: "Io"})


class Readmes(unittest.TestCase):
    def test_every_folder_has_one(self):
        self.assertEqual(folders_without_readme(tracked_files()), [])

    def test_none_is_longer_than_a_page(self):
        long = {path: read(ROOT, path).count("\n") for path in tracked_files()
                if os.path.basename(path) == "README.md" and path != "README.md"}
        self.assertEqual({p: n for p, n in long.items() if n > MAX_README_LINES}, {})

    def test_names_a_folder_without_one(self):
        self.assertEqual(folders_without_readme(["a/x.cc", "b/x.cc", "b/README.md", "tests/a/x.cc"]), ["a"])


class Bans(unittest.TestCase):
    BAD = {
        "clock": ("engine/decide/step.cc", "auto t = std::chrono::steady_clock::now();"),
        "randomness": ("engine/runtime/shard.cc", "std::mt19937 r{std::random_device{}()};"),
        "unordered": ("engine/model/instance.h", "std::unordered_map<int, int> runs;"),
        "io-in-core": ("engine/apply/step.cc", "std::ofstream log(path);"),
        "sleep": ("tests/base/x_test.cc", "std::this_thread::sleep_for(1s);"),
        "no-ndebug": ("base/value.cc", "assert(size > 0);"),
        "mark": ("docs/x.md", "TO" + "DO: write this"),
        "machine-path": ("dev", "cd /wo" + "rk/main"),
    }

    def test_the_project_keeps_every_rule(self):
        self.assertEqual(check_bans.violations(ROOT), [])

    def test_every_rule_catches_its_sample(self):
        self.assertEqual(set(self.BAD), {rule.name for rule in check_bans.RULES})
        for name, (path, text) in self.BAD.items():
            found = check_bans.check_file(path, "\n" + text + "\n")
            self.assertTrue(found and f"{path}:2: {name}:" in found[0], (name, found))

    def test_a_long_file_is_named(self):
        self.assertEqual(check_bans.check_file("base/a.cc", "\n" * 500), [])
        self.assertIn("length", check_bans.check_file("base/a.cc", "\n" * 501)[0])

    def test_comments_and_literals_are_no_code(self):
        text = '// steady_clock\nconst char* a = "rand() \\" steady_clock"; /* mt19937\n */ int n = 1\'000;'
        self.assertEqual(check_bans.check_file("engine/decide/step.cc", text), [])
        self.assertEqual(code_only("a // b\nc"), "a     \nc")

    def test_a_clock_is_allowed_where_it_belongs(self):
        self.assertEqual(check_bans.check_file("base/clock.cc", "system_clock::now()"), [])

    def test_a_template_for_temporary_names_is_no_mark(self):
        self.assertEqual(check_bans.check_file("tests/a.cc", '"/tmp/a-XXXXXX"'), [])


if __name__ == "__main__":
    unittest.main()
