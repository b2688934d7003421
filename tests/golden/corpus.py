"""Recorded data directories: how they are kept, and what is known of each.

An entry is one file, NAME.tar.xz, of `data/`, the data directory as an engine of its format left it, and
`expected.json`, what that engine said of it. Later builds may say more, never something else: what is
expected must be part of what is found (`missing`).
"""

import glob
import io
import json
import os
import subprocess
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
# Of the entry whose log is sealed. Not a secret: whatever it seals was made up for the corpus.
KEY = "c3RlbGUgZ29sZGVuIGNvcnB1cywgbm90IGEgc2VjcmU="
# Signs the heads of the entries that have some, and checks them: no secrets, either.
AUDIT_KEY = "PRIVATE+KEY+stele.example/golden+81d7ba5e+AYxZwBRtLPBu1iW9yFB5hR2GzEEcmIVrgm67KDtkZ1b6"
AUDIT_PUBLIC_KEY = "stele.example/golden+81d7ba5e+ASVM5gRmIY0CBYSBWNCab6IDQNG+Ba58sJhwJ9W0p7WL"
# Diaries of RocksDB: of no use to who opens the directory.
LEFT_OUT = ("LOG", "LOG.old", "LOCK")


def environment(**more):
    """Nothing that changes what `stele` does comes from whoever runs it."""
    kept = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ}
    return kept | {"LANG": "C.UTF-8", "TZ": "UTC", "STELE_GOLDEN_KEY": KEY,
                   "STELE_GOLDEN_AUDIT_KEY": AUDIT_KEY} | more


class Program:
    """The built `stele`, in a directory with `data/`."""

    def __init__(self, binary, directory):
        self.binary, self.directory = os.path.abspath(binary), directory

    def run(self, *words, codes=(0,), data="data"):
        """What it prints. Without `data`: a command that opens no data directory."""
        if data is not None:
            words = (*words, "--data", data)
        done = subprocess.run([self.binary, *words], cwd=self.directory, text=True,
                              stdin=subprocess.DEVNULL, env=environment(), capture_output=True,
                              timeout=120, check=False)
        if codes and done.returncode not in codes:
            raise AssertionError(f"stele {' '.join(words)}: exit code {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *words, codes=(0,)):
        return json.loads(self.run(*words, "--json", codes=codes))

    def lines(self, *words):
        return [json.loads(line) for line in self.run(*words, "--json").splitlines()]


def entries():
    """(format, name, path) of each."""
    found = sorted(glob.glob(os.path.join(HERE, "format-*", "*.tar.xz")))
    return [(os.path.basename(os.path.dirname(path)), os.path.basename(path)[:-len(".tar.xz")], path)
            for path in found]


def pack(directory, expected, path):
    def keep(info):
        if os.path.basename(info.name).startswith(LEFT_OUT):
            return None
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        return info

    with tarfile.open(path, "w:xz", preset=9) as archive:
        archive.add(os.path.join(directory, "data"), "data", filter=keep)
        text = json.dumps(expected, ensure_ascii=False, separators=(",", ":")).encode()
        info = tarfile.TarInfo("expected.json")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))


def unpack(path, directory):
    """What is expected; the data directory is `data` below `directory` then, to be changed at will."""
    with tarfile.open(path, "r:xz") as archive:
        for member in archive.getmembers():
            inside = os.path.realpath(os.path.join(directory, member.name))
            assert inside.startswith(os.path.realpath(directory) + os.sep), member.name
            assert member.isfile() or member.isdir(), member.name
        archive.extractall(directory)
    with open(os.path.join(directory, "expected.json"), encoding="utf-8") as file:
        return json.load(file)


def chain_of(program):
    """Where the log ends, and the hash of its last block, as a backup notes it."""
    program.run("backup", "backups")
    with open(os.path.join(program.directory, "backups", "manifests", "1.json"), encoding="utf-8") as file:
        return json.load(file)["shards"]


def described(program):
    """What a build says of the data directory. Nothing in it changes but the views."""
    instances = program.json("list", "--sort", "started")["instances"]
    ids = [str(row["instance"]) for row in instances]
    replayed = program.json("replay")
    return {
        "verify": program.run("verify"),
        "replay": {name: replayed[name] for name in ("instances", "same", "erased", "records", "events")},
        "instances": instances,
        "states": {number: program.json("status", number) for number in ids},
        "histories": {number: program.lines("history", number) for number in ids},
        "definitions": program.json("definitions", "list"),
        "statistics": program.json("stats", "--each"),
        "errors": program.json("errors"),
        "tasks": program.json("tasks"),
        "triggers": program.json("triggers", "list"),
        "types": program.json("types", "list"),
        "alerts": program.json("alerts", "list"),
        "deeds": program.json("audit", "report"),
        "heads": heads_of(program),
    }


def signs(program):
    """Whether a key signs the heads of its log."""
    path = os.path.join(program.directory, "data", "settings.json")
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8") as file:
        return "audit" in json.load(file)


def heads_of(program):
    return program.json("audit", "heads") if signs(program) else None


# Whatever depends on when it is asked.
OF_NOW = ("duration", "next", "next_firing")


def lasting(first, second):
    """What two descriptions of different moments have in common, without what is of now."""
    if isinstance(first, dict) and isinstance(second, dict):
        return {key: lasting(first[key], second[key]) for key in first
                if key in second and key not in OF_NOW and lasting(first[key], second[key]) is not DIFFERS}
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return [lasting(a, b) for a, b in zip(first, second)]
    return first if first == second else DIFFERS


DIFFERS = "differs from moment to moment"


def missing(expected, found, place=""):
    """What of the expected is not found, one sentence each."""
    if isinstance(expected, str) and expected == DIFFERS:
        return []
    if isinstance(expected, dict) and isinstance(found, dict):
        lost = [f"{place}/{key}: expected {short(expected[key])} but found nothing"
                for key in expected if key not in found]
        return lost + [sentence for key in expected if key in found
                       for sentence in missing(expected[key], found[key], f"{place}/{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [sentence for i, (a, b) in enumerate(zip(expected, found))
                for sentence in missing(a, b, f"{place}/{i}")]
    return [] if expected == found else [f"{place}: expected {short(expected)} but found {short(found)}"]


def short(value):
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "…"
