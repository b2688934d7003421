"""Runs every workflow of examples/ as the comment at its top says.

  # run: COMMAND     in a new data directory
  # then: COMMAND    in the same one
  # exits: CODE      of the command above; 0 when it does not say
  # prints: TEXT     a line of what the command above prints holds this text

Commands are lines of a shell, with `stele` on PATH, called where examples/ is. Other lines of the
comment are for people. A file without a `run` is a fault, and so is a type of step without an
example or a section of docs/language.md.
Usage: examples_test.py PATH_OF_STELE [NAME…]
"""

import dataclasses
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "examples")
# Has a test of its own, which builds it.
ELSEWHERE = {"embedding"}


@dataclasses.dataclass
class Command:
    text: str
    starts: bool
    code: int = 0
    prints: list = dataclasses.field(default_factory=list)


def commands(text):
    found = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        match = re.fullmatch(r"# (run|then|exits|prints): (.+)", line)
        if not match:
            continue
        word, rest = match.groups()
        if word in ("run", "then"):
            assert word == "run" or found, "the first command is a `run`"
            found.append(Command(rest, word == "run"))
        elif word == "exits":
            found[-1].code = int(rest)
        else:
            found[-1].prints.append(rest)
    return found


def environment(program, folder):
    bin_folder = os.path.join(folder, "bin")
    os.makedirs(bin_folder)
    os.symlink(program, os.path.join(bin_folder, "stele"))
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PATH": bin_folder + ":" + os.environ["PATH"]}


def problem_of(command, done):
    printed = done.stdout + done.stderr
    lines = [re.sub(r"\s+", " ", line) for line in printed.splitlines()]
    missing = [text for text in command.prints if not any(text in line for line in lines)]
    if done.returncode == command.code and not missing:
        return None
    what = [f"no line holds {text!r}" for text in missing]
    if done.returncode != command.code:
        what.insert(0, f"expected exit code {command.code} but found {done.returncode}")
    return "; ".join(what) + "\n" + printed


def check(program, path):
    """The problems of one example."""
    with open(os.path.join(EXAMPLES, path), encoding="utf-8") as file:
        listed = commands(file.read())
    if not listed:
        return ["it does not say how it is run"]
    with tempfile.TemporaryDirectory(prefix="stele-examples-") as folder:
        surroundings = environment(program, folder)
        for number, command in enumerate(listed):
            place = os.path.join(folder, str(number)) if command.starts else place
            if command.starts:
                os.makedirs(place)
                os.symlink(EXAMPLES, os.path.join(place, "examples"))
            done = subprocess.run(["bash", "-c", command.text], cwd=place, env=surroundings,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=60, check=False)
            problem = problem_of(command, done)
            if problem:
                return [f"$ {command.text}\n{problem}"]
    return []


def files():
    for folder, folders, names in os.walk(EXAMPLES):
        folders[:] = sorted(set(folders) - ELSEWHERE)
        for name in sorted(names):
            if name.endswith((".yml", ".yaml")):
                yield os.path.relpath(os.path.join(folder, name), EXAMPLES)


def known_types(program):
    """Every type of step, as the program itself names them."""
    with tempfile.TemporaryDirectory(prefix="stele-examples-") as folder:
        file = os.path.join(folder, "none.yml")
        with open(file, "w", encoding="utf-8") as out:
            out.write("steps: [{id: a, type: no such type}]\n")
        told = subprocess.run([program, "validate", file], cwd=folder, capture_output=True,
                              text=True, timeout=60, check=False)
    listed = (told.stdout + told.stderr).split("but found")[0]
    return re.findall(r'"([a-z_]+)', listed)


def check_types(program, paths):
    """A problem for each type of step that no example or no section of the page has."""
    text = ""
    for path in paths:
        with open(os.path.join(EXAMPLES, path), encoding="utf-8") as file:
            text += file.read()
    with open(os.path.join(ROOT, "docs", "language.md"), encoding="utf-8") as file:
        headings = " ".join(re.findall(r"^### (.*)$", file.read().lower(), re.M))
    used = set(re.findall(r"\btype: \"?([a-z_]+)", text))
    described = set(re.findall(r"[a-z_]+", headings))
    types = known_types(program)
    problems = [f"no example has a step of type {word}" for word in types if word not in used]
    problems += [f"docs/language.md does not describe {word}" for word in types
                 if word not in described]
    return problems if len(types) > 20 else ["the program does not name its types"]


def check_own_reading():
    text = "# run: a\n# exits: 3\n# prints: b c\n# then: d\nname: x\n# run: e\n"
    assert commands(text) == [Command("a", True, 3, ["b c"]), Command("d", False)]
    done = subprocess.CompletedProcess("a", 3, "1  b   c\n", "")
    assert problem_of(commands(text)[0], done) is None
    assert problem_of(commands(text)[1], done) is not None
    assert problem_of(Command("a", True, 3, ["b d"]), done) is not None


def main():
    check_own_reading()
    program, names = os.path.abspath(sys.argv[1]), sys.argv[2:]
    paths = [path for path in files() if not names or any(name in path for name in names)]
    problems = [] if names else check_types(program, paths)
    for path in paths:
        problems += [f"examples/{path}: {problem}" for problem in check(program, path)]
    print("\n".join(problems + [f"{len(paths)} examples, {len(problems)} problems"]))
    return 1 if problems or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
