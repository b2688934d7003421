#!/usr/bin/env python3
"""What earlier builds have recorded: this one reads it, decides it the same, and goes on from it.

Of a copy of each entry: the log verifies and ends in the same hash, a replay finds no difference, every
instance, history and list is what it was, views built anew are those that are there, and what was left open
comes to its end. Usage: golden_test.py PATH_OF_STELE [NAME…]
"""

import os
import sys
import tempfile

import corpus


def check_reading(program, expected):
    found = corpus.described(program)
    replayed = found["replay"]
    problems = corpus.missing(expected["said"], found)
    if replayed["same"] + replayed["erased"] != replayed["instances"]:
        problems.append(f"replay: expected all the same but found {replayed}")
    chain = corpus.chain_of(program)
    if chain != expected["chain"]:
        problems.append(f"chain: expected {expected['chain']} but found {chain}")
    program.run("projections", "verify")
    return problems


def keep(program, name, text):
    with open(os.path.join(program.directory, name), "w", encoding="utf-8") as file:
        file.write(text)


def check_going_on(program, expected):
    problems = []
    signed = corpus.signs(program)
    if signed:
        keep(program, "head", program.run("audit", "head"))
        keep(program, "audit.pub", corpus.AUDIT_PUBLIC_KEY + "\n")
    for step in expected["goes_on"]:
        program.run(*step["words"], codes=step["codes"])
        for number, status in step["statuses"].items():
            found = program.json("status", number)["status"]
            if found != status:
                problems.append(f"behind {' '.join(step['words'])}: expected instance {number} to be {status} "
                                f"but found it {found}")
    program.run("verify")
    if signed:
        # The log begins with what the earlier build has signed, and what stands in it can be proved.
        program.run("audit", "consistency", "head", "--key", "audit.pub")
        keep(program, "proof.json", program.run("audit", "prove", "1"))
        program.run("audit", "check", "proof.json", "--key", "audit.pub", data=None)
    replayed = program.json("replay")
    if replayed["same"] + replayed["erased"] != replayed["instances"]:
        problems.append(f"replay of what went on: {replayed}")
    program.run("projections", "rebuild")
    program.run("projections", "verify")
    return problems


def check(binary, path):
    with tempfile.TemporaryDirectory(prefix="stele-golden-") as directory:
        expected = corpus.unpack(path, directory)
        program = corpus.Program(binary, directory)
        problems = check_reading(program, expected)
        # What is not read as it was is not gone on with, either.
        return problems or check_going_on(program, expected)


def main():
    binary, *names = sys.argv[1:]
    # That a difference would be told.
    assert corpus.missing({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]})
    assert corpus.missing({"a": 1}, {}) and not corpus.missing({"a": 1}, {"a": 1, "b": 2})
    failures = checked = 0
    for folder, name, path in corpus.entries():
        if names and name not in names:
            continue
        try:
            problems = check(binary, path)
        except AssertionError as error:
            problems = [str(error)]
        checked += 1
        failures += bool(problems)
        for problem in problems[:20]:
            print(f"{folder}/{name}: {problem}")
    print(f"{checked} recorded data directories, {failures} are not read as they were")
    return 1 if failures or not checked else 0


if __name__ == "__main__":
    sys.exit(main())
