#!/usr/bin/env python3
"""Fails on an #include that the table of folders does not allow.

The tables below are the one place where they stand; DESIGN's table of parts is what they say.
"""

import os
import re
import sys
import tempfile
import unittest

from source_tree import ROOT, read, tracked_files

# folder -> folders that it may include, beside itself and what those may include.
MAY_INCLUDE = {
    "base": [],
    "schemas": [],
    "eventstore": ["base"],
    "engine/expression": ["base"],
    "engine/definition": ["base", "engine/expression"],
    "engine/model": ["engine/definition", "schemas"],
    "engine/apply": ["engine/model"],
    # Deciding applies each event that it makes, by the one apply there is: what it decides next in the
    # same record stands on the state behind it.
    "engine/decide": ["engine/apply"],
    "engine/secrets": ["base"],
    "engine/tasks": ["engine/model"],
    "engine/runtime": ["engine/apply", "engine/decide", "engine/secrets", "engine/tasks", "eventstore"],
    "engine/triggers": ["engine/runtime"],
    "engine/requests": ["engine/runtime", "engine/triggers", "replay"],
    "engine/retention": ["engine/runtime", "engine/triggers", "projections"],
    "engine/embed": ["engine/requests", "engine/runtime", "engine/triggers", "engine/retention", "projections", "replay"],
    "projections": ["engine/apply", "replay", "eventstore"],
    "replay": ["engine/model", "engine/apply", "engine/decide", "eventstore"],
    "replay/audit": ["replay", "replay/export"],
    "replay/debugger": ["replay"],
    "replay/export": ["replay"],
    "replay/regression": ["replay"],
    "replay/what_if": ["replay"],
    "server/loop": ["base"],
    "server/vat": [],
    "server/http": ["base"],
    "server/auth": ["base"],
    "server/operations": ["engine/requests", "engine/retention", "projections", "replay/audit", "replay/what_if", "server/auth", "server/loop"],
    "server/alerts": ["server/operations"],
    "server/rest": ["server/alerts", "server/operations", "server/http"],
    "server/rpc": ["server/alerts", "server/operations", "server/vat"],
    # Follows the log beside the engine: nothing that serves knows of it but who shows its figures.
    "server/tracing": ["engine/tasks", "projections", "server/http"],
    "server/observation": ["server/rest", "server/rpc", "server/tracing"],
    "server/compat": ["server/rest"],
    "server/edge": ["server/compat", "server/rest", "server/rpc", "server/observation"],
    # What a program of somebody's links: nothing of the engine.
    "sdk/cpp": ["schemas", "server/loop", "server/vat"],
    # Measures an engine and a server as programs have them.
    "cli/load": ["engine/embed", "sdk/cpp", "server/rpc"],
    "cli": ["server/edge", "cli/load", "replay/debugger", "replay/export", "replay/regression"],
}
# folder -> folders that it never includes, though one that it includes does.
NEVER = {
    # Views read what replay/ makes of a log; they decide nothing.
    "projections": ["engine/decide"],
}
# Folders that may include anything.
FREE = ("bench", "tests", "examples")

# what a library's headers look like -> folders that may include them.
LIBRARIES = [
    (r"rocksdb/", ["eventstore", "projections"]),
    (r"uv\.h$", ["engine/runtime", "engine/tasks", "engine/triggers", "engine/embed", "server/loop", "server/tracing", "sdk/cpp", "cli"]),
    (r"curl/", ["engine/tasks"]),
    (r"yaml-cpp/", ["engine/definition"]),
    (r"simdjson", ["base", "engine/definition"]),
    (r"re2/", ["engine/expression", "engine/definition"]),
    (r"sqlite3|libpq", ["engine/tasks"]),
    (r"sodium", ["engine/secrets", "server/auth"]),
    (r"date/", ["engine/triggers"]),
    (r"n?curses", ["cli/debug"]),
    (r"prometheus/", ["server/observation"]),
    (r"capnp/rpc|kj/async|kj/compat/|capnp/(ez-rpc|capability)", ["server", "sdk/cpp", "cli"]),
    (r"capnp/|kj/", ["schemas", "engine/model", "server", "sdk/cpp", "cli"]),
    (r"zstd|xxhash", ["eventstore"]),
    (r"openssl/", ["eventstore", "engine/tasks", "engine/triggers", "server/auth", "server/loop"]),
]

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def closure(folder):
    reached, open_ends = set(), [folder]
    while open_ends:
        at = open_ends.pop()
        if at not in reached:
            reached.add(at)
            open_ends += MAY_INCLUDE[at]
    return reached - set(NEVER.get(folder, ()))


def folder_of(path):
    """The longest folder of the table that holds `path`, or None."""
    holders = [f for f in MAY_INCLUDE if path.startswith(f + "/")]
    return max(holders, key=len, default=None)


def within(path, folders):
    return any(path.startswith(folder + "/") for folder in folders)


def check_include(path, line, name):
    """One sentence on what is wrong with `path` including `name`, or None."""
    where = f"{path}:{line}"
    own = folder_of(path)
    if own is None:
        return f"{where}: Expected a folder of the table but found a source file outside of it"
    target = folder_of(name)
    if target is not None:
        if target not in closure(own):
            allowed = ", ".join(sorted(closure(own) - {own})) or "nothing"
            return f"{where}: Expected {own} to include only {allowed} but found {name}"
        return None
    if within(name, FREE):
        return f"{where}: Expected no header of tests or benchmarks but found {name}"
    for pattern, folders in LIBRARIES:
        if re.match(pattern, name):
            if not within(path, folders):
                return f"{where}: Expected {name} only in {', '.join(folders)} but found it here"
            return None
    return None


def violations(root):
    found = []
    for path in tracked_files(root):
        if not path.endswith((".h", ".cc")) or within(path, FREE):
            continue
        text = read(root, path)
        for match in _INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            fault = check_include(path, line, match[2])
            if fault:
                found.append(fault)
    return found


class IncludeGraph(unittest.TestCase):
    def test_every_include_follows_an_allowed_arrow(self):
        self.assertEqual(violations(ROOT), [])

    def test_reads_the_whole_project(self):
        sources = [p for p in tracked_files(ROOT) if folder_of(p) and p.endswith((".h", ".cc"))]
        self.assertGreater(len(sources), 20)

    def test_the_table_names_only_folders_of_the_table(self):
        for folder, allowed in MAY_INCLUDE.items():
            self.assertLessEqual(set(allowed), set(MAY_INCLUDE), folder)

    def test_the_table_has_no_cycle(self):
        for folder in MAY_INCLUDE:
            for other in closure(folder) - {folder}:
                self.assertNotIn(folder, closure(other))


class Checker(unittest.TestCase):
    """The check itself: a sample tree with known faults."""

    def faults_of(self, files):
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            return violations(root)

    def test_accepts_allowed_arrows(self):
        self.assertEqual(self.faults_of({
            "engine/decide/step.cc": '#include "engine/model/event.h"\n#include "base/ids.h"\n',
            "eventstore/store.cc": "#include <rocksdb/db.h>\n#include <vector>\n",
            "cli/main.cc": '#include "engine/runtime/shard.h"\n#include "replay/verify.h"\n',
            "tests/base/x.cc": '#include "engine/runtime/shard.h"\n#include <rocksdb/db.h>\n',
        }), [])

    def test_names_an_arrow_that_points_up(self):
        faults = self.faults_of({"base/json.cc": '\n#include "engine/model/event.h"\n'})
        self.assertEqual(len(faults), 1)
        self.assertIn("base/json.cc:2", faults[0])

    def test_names_a_view_that_includes_decide(self):
        self.assertEqual(len(self.faults_of(
            {"projections/view.h": '#  include "engine/decide/decide.h"\n'})), 1)

    def test_names_an_event_store_that_knows_workflows(self):
        self.assertEqual(len(self.faults_of(
            {"eventstore/store.h": '#include "schemas/record.capnp.h"\n'})), 1)

    def test_names_a_library_in_the_wrong_folder(self):
        self.assertEqual(len(self.faults_of({
            "engine/runtime/shard.cc": "#include <rocksdb/db.h>\n",
            "engine/decide/step.cc": "#include <uv.h>\n",
            "engine/apply/step.cc": "#include <capnp/message.h>\n",
            "engine/model/codec.cc": "#include <capnp/message.h>\n#include <kj/async.h>\n",
            "eventstore/store.cc": "#include <yaml-cpp/yaml.h>\n",
        })), 5)

    def test_names_a_part_that_includes_its_tests(self):
        self.assertEqual(len(self.faults_of(
            {"engine/runtime/shard.cc": '#include "tests/support/engine.h"\n'})), 1)

    def test_names_a_source_file_in_an_unknown_folder(self):
        self.assertEqual(len(self.faults_of({"misc/thing.cc": "#include <vector>\n"})), 1)


if __name__ == "__main__":
    if "--quiet" in sys.argv:
        broken = violations(ROOT)
        print("\n".join(broken), end="\n" if broken else "")
        sys.exit(1 if broken else 0)
    unittest.main()
