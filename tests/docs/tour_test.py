"""Runs the tours of README.md in one folder, in the order in which they are read: "Five minutes", then
"Served": the server, and the commands that ask it. Compares what they print now with what the page
shows. Only the ports are others.

Usage: tour_test.py PATH_OF_STELE
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile

from pages_test import examples, matches, run_section, sections

PORT_OF_THE_PAGE = "localhost:7420"
RPC_OF_THE_PAGE = "--server 127.0.0.1:7421"
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


def fits(shown, printed):
    """Whether a line of the page, with any number of "…" in it, stands for a printed one."""
    return re.fullmatch(".*".join(re.escape(part) for part in shown.split("…")), printed) is not None


def first_difference(shown, printed):
    """The lines in their order; a line "…" stands for any number of lines."""
    at, anywhere = 0, False
    for line in shown:
        if line == "…":
            anywhere = True
            continue
        while anywhere and at < len(printed) and not fits(line, printed[at]):
            at += 1
        if at == len(printed) or not fits(line, printed[at]):
            return f"the page shows {line!r}, printed is {printed[at:at + 1]}"
        at, anywhere = at + 1, False
    if at < len(printed) and not anywhere:
        return f"printed is also {printed[at]!r}"
    return None


def serve(program, folder, command, shown):
    """The server of the tour, its address, and that of its RPC."""
    words = command.split()
    assert words[:3] == ["stele", "serve", "--dev"], command
    server = subprocess.Popen([program, *words[1:], "--http", "127.0.0.1:0", "--rpc", "127.0.0.1:0"],
                              cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = [server.stdout.readline().rstrip("\n") for _ in shown]
    for line, printed in zip(shown, said):
        plain = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", re.sub(r"process \d+", "process", printed))
        wanted = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", re.sub(r"process \d+", "process", line))
        assert matches(wanted, plain), (line, printed)
    port = next(ADDRESS.match(line)[1] for line in said if ADDRESS.match(line))
    rpc = next(line.split()[-1] for line in said if line.startswith("rpc at"))
    return server, f"localhost:{port}", rpc


def main():
    program = sys.argv[1]
    assert first_difference(["a…c"], ["abc"]) is None
    assert first_difference(["a…c"], ["abd"]) is not None
    assert first_difference(["…", "b"], ["a", "b"]) is None
    assert first_difference(["a", "b"], ["a"]) is not None
    if shutil.which("curl") is None:
        print("skipped: there is no curl")
        return 77
    commands = list(examples(sections("README.md")["Served"]))
    with tempfile.TemporaryDirectory() as folder:
        _, failures = run_section(program, folder, "README.md", "Five minutes")
        server, address, rpc = serve(program, folder, *commands[0])
        try:
            for command, shown in commands[1:]:
                if command.startswith("stele ") and RPC_OF_THE_PAGE in command:
                    typed = program + command.removeprefix("stele").replace(
                        RPC_OF_THE_PAGE, f"--server {rpc}")
                else:
                    assert command.startswith("curl ") and PORT_OF_THE_PAGE in command, command
                    typed = command.replace(PORT_OF_THE_PAGE, address)
                done = subprocess.run(typed, shell=True,
                                      cwd=folder, text=True, timeout=60, capture_output=True,
                                      check=False)
                difference = first_difference(shown, done.stdout.rstrip("\n").split("\n"))
                if difference:
                    failures += 1
                    print(f"README.md: $ {command}\n  {difference}\n  {done.stderr}")
        finally:
            server.send_signal(signal.SIGTERM)
            code = server.wait(timeout=60)
    print(f"{len(commands)} commands of the tour, {failures} print something else than the page shows")
    return 1 if failures or code != 0 or len(commands) < 8 else 0


if __name__ == "__main__":
    sys.exit(main())
