#!/usr/bin/env python3
"""./dev, run with stand-ins for the programs that it would call."""

import os
import shutil
import subprocess
import tempfile
import unittest

from source_tree import ROOT

COMMANDS = "deps build run test bench lint fmt clean fuzz".split()


class DevScript(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.bin = os.path.join(self.folder, "bin")
        self.tree = os.path.join(self.folder, "tree")
        os.makedirs(self.bin)
        os.makedirs(self.tree)
        for name in ("dev", "CMakePresets.json"):
            shutil.copy(os.path.join(ROOT, name), self.tree)
        for name in ("bash dirname nproc cat awk comm sort mkdir touch grep find rm env ls").split():
            os.symlink(shutil.which(name), os.path.join(self.bin, name))

    def stand_in(self, name, script):
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!" + shutil.which("bash") + "\n" + script)
        os.chmod(path, 0o755)

    def packages(self, missing=(), user="1000"):
        """dpkg-query that knows every package but the missing ones; `id -u` says `user`."""
        gone = "|".join(missing) or "none"
        self.stand_in("dpkg-query", 'for p in "${@:3}"; do case $p in ' + gone +
                      ') ;; *) echo "$p installed";; esac; done')
        self.stand_in("id", f"echo {user}")

    def dev(self, *arguments, cwd=None, env=None):
        return subprocess.run(
            [os.path.join(self.bin, "bash"), os.path.join(self.tree, "dev"), *arguments],
            capture_output=True, text=True, stdin=subprocess.DEVNULL, cwd=cwd or self.folder,
            env={"PATH": self.bin, "HOME": self.folder, **(env or {})}, timeout=60)

    def test_explains_every_command(self):
        for arguments in ((), ("--help",), ("-h",), ("help",)):
            told = self.dev(*arguments)
            self.assertEqual(told.returncode, 0, told.stderr)
            for command in COMMANDS:
                self.assertIn(f"\n  {command} ", told.stdout)

    def test_refuses_an_unknown_command(self):
        told = self.dev("biuld")
        self.assertEqual(told.returncode, 2)
        self.assertIn("found 'biuld'", told.stderr)
        self.assertIn("usage:", told.stderr)

    def test_deps_does_nothing_when_every_package_is_there(self):
        self.packages()
        self.stand_in("apt-get", "exit 9")
        self.assertEqual(self.dev("deps").returncode, 0)
        self.assertEqual(self.dev("deps", "all").returncode, 0)

    def test_deps_names_what_is_missing_when_it_may_not_install(self):
        self.packages(missing=("ninja-build", "libuv1-dev"))
        told = self.dev("deps")
        self.assertEqual(told.returncode, 2)
        self.assertIn("root or sudo: libuv1-dev ninja-build\n", told.stderr)

    def test_run_needs_no_package_of_lint(self):
        self.packages(missing=("clang-tidy-19", "python3"))
        self.stand_in("cmake", "exit 1")
        told = self.dev("run", "x.yml")
        self.assertIn("configuring", told.stderr)
        self.assertNotIn("missing", told.stderr)

    def test_deps_fetches_the_package_lists_only_when_it_must(self):
        self.packages(missing=("ninja-build",), user="0")
        log = os.path.join(self.folder, "log")
        self.stand_in("apt-get", f'echo "$*" >> {log}')
        self.assertEqual(self.dev("deps").returncode, 0)
        with open(log, encoding="utf-8") as file:
            self.assertEqual(file.read(), "install -y -qq --no-install-recommends ninja-build\n")
        self.stand_in("apt-get", f'echo "$1" >> {log}.2; [[ $1 == update ]] && touch {log}.new\n'
                      f'[[ -e {log}.new ]]')
        self.assertEqual(self.dev("deps").returncode, 0)
        with open(log + ".2", encoding="utf-8") as file:
            self.assertEqual(file.read(), "install\nupdate\ninstall\n")

    def build_tools(self):
        self.packages()
        program = os.path.join(self.tree, "build/release/cli/stele")
        self.stand_in("cmake", f'mkdir -p {self.tree}/build/release/cli; touch {self.tree}/build/release/build.ninja\n'
                      f'cat > {program} <<"END"\n#!{shutil.which("bash")}\n'
                      'echo "$PWD: $*"\nEND\n' + f"{shutil.which('chmod')} +x {program}")
        self.stand_in("ninja", 'echo "ninja: no work to do."')

    def test_run_starts_the_program_where_the_user_is(self):
        self.build_tools()
        elsewhere = os.path.join(self.folder, "elsewhere")
        os.mkdir(elsewhere)
        told = self.dev("run", "order.yml", "--var", "a=b", cwd=elsewhere)
        self.assertEqual(told.stdout, f"{os.path.realpath(elsewhere)}: run order.yml --var a=b\n", told.stderr)

    def test_run_hands_commands_of_the_program_on(self):
        self.build_tools()
        here = os.path.realpath(self.folder)
        for arguments, expected in ((["list"], "list"), (["validate", "a.yml"], "validate a.yml"),
                                    (["--help"], "--help"), ([], ""), (["a/b"], "run a/b"),
                                    (["--json", "a.yml"], "run --json a.yml")):
            self.assertEqual(self.dev("run", *arguments).stdout, f"{here}: {expected}\n")

    def test_run_says_nothing_of_its_own_when_all_is_built(self):
        self.build_tools()
        self.dev("run", "list")
        self.assertEqual(self.dev("run", "list").stderr, "")

    def test_build_refuses_an_unknown_preset(self):
        self.packages()
        told = self.dev("build", "--preset", "fast")
        self.assertEqual(told.returncode, 2)
        self.assertIn("found 'fast'", told.stderr)

    def test_clean_may_be_run_again(self):
        self.build_tools()
        self.dev("run", "list")
        self.assertEqual(self.dev("clean").returncode, 0)
        self.assertFalse(os.path.exists(os.path.join(self.tree, "build")))
        self.assertEqual(self.dev("clean").returncode, 0)


if __name__ == "__main__":
    unittest.main()
