#!/usr/bin/env python3
"""Installs the build tree into a directory of its own, and builds and runs examples/embedding there
as somebody would who has nothing else of the project.

usage: install_test.py BUILD_DIRECTORY COMPILER
"""

import os
import subprocess
import sys
import tempfile
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLE = os.path.join(SOURCE, "examples", "embedding")
BUILD, COMPILER = "", ""

EXPECTED = """\
registered deploy-app version 1
instance {deploy} completed: app-1.2.3.tar
nightly is paused
nightly is running
nightly is cancelled
a second cancel is refused: STL0402
the tags v1, v2, v1 started 2 deployments
completed: {completed}
the plugin saw {starts} starts, {steps} steps, {ends} ends
"""

HEADERS = ("engine.h", "queries.h", "triggers.h", "values.h")


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.prefix = os.path.join(cls.scratch.name, "prefix")
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def installed(self):
        return {os.path.relpath(os.path.join(folder, name), self.prefix)
                for folder, _, names in os.walk(self.prefix) for name in names}

    def test_the_program_the_header_and_the_libraries_are_there_and_nothing_of_the_source(self):
        files = self.installed()
        self.assertIn("bin/stele", files)
        self.assertEqual({f for f in files if f.endswith(".h")},
                         {f"include/stele/{name}" for name in HEADERS})
        self.assertTrue(any(f.endswith("libstele_embed.a") for f in files), files)
        for name in (f for f in files if f.endswith(".cmake")):
            with open(os.path.join(self.prefix, name), encoding="utf-8") as file:
                text = file.read()
            self.assertNotIn(SOURCE, text, name)
            self.assertNotIn(BUILD, text, name)

    def test_the_program_runs(self):
        self.assertIn("stele", run(os.path.join(self.prefix, "bin", "stele"), "--help"))

    def test_the_headers_need_the_standard_library_and_one_another_alone(self):
        for name in HEADERS:
            with open(os.path.join(self.prefix, "include/stele", name), encoding="utf-8") as file:
                included = {line.split()[1] for line in file if line.startswith("#include")}
            self.assertTrue(included)
            others = included - {f'"stele/{other}"' for other in HEADERS}
            self.assertEqual([i for i in others if "/" in i or ".h" in i or '"' in i], [], name)

    def test_a_program_finds_builds_links_and_runs_with_it(self):
        build = os.path.join(self.scratch.name, "build")
        run("cmake", "-S", EXAMPLE, "-B", build, f"-DCMAKE_PREFIX_PATH={self.prefix}",
            f"-DCMAKE_CXX_COMPILER={COMPILER}")
        run("cmake", "--build", build)
        program = [os.path.join(build, "embedding"), os.path.join(EXAMPLE, "deploy-app.yml"),
                   os.path.join(self.scratch.name, "data")]
        first, again = run(*program), run(*program)
        # The tags' deployments and this one's are started side by side: numbers vary.
        deploy = first.splitlines()[1].split()[1]
        self.assertEqual(first, EXPECTED.format(deploy=deploy, completed=3, starts=4, steps=6, ends=4))
        # The tags have been fired for ever.
        deploy = again.splitlines()[1].split()[1]
        self.assertEqual(again, EXPECTED.format(deploy=deploy, completed=4, starts=2, steps=2, ends=2))


if __name__ == "__main__":
    COMPILER = sys.argv.pop()
    BUILD = sys.argv.pop()
    unittest.main()
