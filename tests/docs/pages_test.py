"""Runs the commands of some pages' sections and compares what they print now with what the page shows.

Times and durations are not compared; a line of the page that is cut is compared up to there;
a line "…" stands for any number of lines. Usage: pages_test.py PATH_OF_STELE
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Sections whose commands are typed in a new directory, one after the other.
SECTIONS = (("README.md", "Five minutes"), ("docs/time-travel.md", "An order that failed"),
            ("docs/regression.md", "A loan that changes"),
            ("docs/what-if.md", "An order that cost too much"),
            ("docs/audit.md", "A proof, from key to check"))

# A line of the page that is as long is cut there, wherever that is.
CUT = 118


def sections(page):
    """Title and text of the page's sections."""
    text = open(os.path.join(ROOT, page), encoding="utf-8").read()
    return dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.S | re.M))


def examples(text):
    """The (command, lines) of the text's console blocks."""
    for block in re.findall(r"```console\n(.*?)```", text, re.S):
        command = None
        lines = []
        for line in block.splitlines():
            if line.startswith("$ "):
                if command:
                    yield command, lines
                command, lines = line[2:], []
            else:
                lines.append(line)
        yield command, lines


def without_times(line):
    line = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+", "TIME", line)
    line = re.sub(r"\d+(\.\d+)? (ms|s|µs)\b", "DURATION", line)
    return re.sub(r"\s+", " ", line).strip()


def matches(shown, printed):
    """Whether a line of the page stands for a printed line."""
    line = shown
    shown, printed = without_times(shown), without_times(printed)
    if "…" in shown:
        head, tail = shown.split("…", 1)
        return printed.startswith(head.strip()) and printed.endswith(tail.strip())
    return printed.startswith(shown) if len(line) >= CUT else printed == shown


def first_difference(shown, printed):
    for number, line in enumerate(shown):
        if line == "…":
            return None
        if number >= len(printed):
            return f"the page shows {line!r}, nothing is printed there"
        if not matches(line, printed[number]):
            return f"the page shows {line!r}, printed is {printed[number]!r}"
    if len(printed) > len(shown):
        return f"printed is also {printed[len(shown)]!r}"
    return None


def run_section(program, folder, page, title):
    """Types the section's commands there, one after the other: how many, and how many print something else."""
    os.symlink(os.path.join(ROOT, "examples"), os.path.join(folder, "examples"))
    failures = checked = 0
    for command, shown in examples(sections(page)[title]):
        words = shlex.split(command)
        if words[0] == "cat":  # what the page shows of a file is what is in it
            with open(os.path.join(folder, words[1]), "w", encoding="utf-8") as file:
                file.write("\n".join(shown) + "\n")
            continue
        assert words[0] == "stele", command
        done = subprocess.run([program] + words[1:], cwd=folder, text=True, timeout=60,
                              capture_output=True, check=False)
        printed = (done.stdout + done.stderr).rstrip("\n").split("\n")
        difference = first_difference(shown, printed)
        checked += 1
        if difference:
            failures += 1
            print(f"{page}: $ {command}\n  {difference}")
    return checked, failures


def main():
    program = sys.argv[1]
    assert first_difference(["a 1 ms"], ["a 22 ms"]) is None
    assert first_difference(["a"], ["b"]) is not None
    assert first_difference(["a"], ["a", "b"]) is not None
    wrong = 0
    for page, title in SECTIONS:
        with tempfile.TemporaryDirectory() as folder:
            checked, failures = run_section(program, folder, page, title)
        print(f"{checked} commands of {page}, {failures} print something else than the page shows")
        wrong += 1 if failures or checked < 5 else 0
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
