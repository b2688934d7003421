"""The project's tracked files, as the rule checks see them."""

import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tracked_files(root=ROOT):
    """Paths relative to `root`: what git tracks, or every file when `root` is no work tree."""
    if os.path.exists(os.path.join(root, ".git")):
        listed = subprocess.run(
            ["git", "-c", f"safe.directory={root}", "-C", root, "ls-files", "-z"],
            check=True, capture_output=True).stdout.decode()
        paths = [path for path in listed.split("\0") if path]
        return sorted(path for path in paths if os.path.isfile(os.path.join(root, path)))
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", "build")]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
    re.DOTALL)


def code_only(text):
    """C++ text with comments and literals blanked out; lines keep their numbers."""
    def blank(match):
        if match[0][0] == "'" and match.start() and text[match.start() - 1].isalnum():
            return match[0]  # a digit separator, not a character
        return re.sub(r"[^\n]", " ", match[0])
    return _TOKEN.sub(blank, text)
