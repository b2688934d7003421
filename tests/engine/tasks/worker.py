"""A worker for tests: does what the configuration of each task says, a line of JSON at a time.

Usage: worker.py NOTES. Every line that it is told goes into the file NOTES.
"""

import json
import os
import signal
import sys


def say(message, **members):
    print(json.dumps({"message": message, **members}), flush=True)


def do(task):
    lease, config = task["lease"], task["config"]
    for line in config.get("say", []):
        print(line.replace("LEASE", str(lease)), flush=True)
    if "print" in config:
        print(config["print"], file=sys.stderr, flush=True)
    what = config.get("do", "complete")
    if what == "complete":
        say("complete", lease=lease, output={"key": task["key"], "pid": os.getpid(),
                                             **task["input"]})
    elif what == "fail":
        say("fail", lease=lease, error={"kind": "full", "message": "no space"})
    elif what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "die once" and not os.path.exists(config["mark"]):
        open(config["mark"], "w", encoding="utf-8").close()
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "die once":
        say("complete", lease=lease, output={"key": task["key"]})
    elif what == "hang":
        while True:
            signal.pause()


def main():
    with open(sys.argv[1], "a", encoding="utf-8") as notes:
        notes.write(f"started {os.getpid()}\n")
        notes.flush()
        for line in sys.stdin:
            notes.write(line)
            notes.flush()
            message = json.loads(line)
            if message["message"] == "task":
                do(message)
            elif message["message"] == "cancel":
                say("complete", lease=message["lease"])
        notes.write("end of input\n")


main()
