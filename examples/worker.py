#!/usr/bin/env python3
"""A worker: does the tasks that Stele writes to its input, a line of JSON each.

Stele starts it: stele run worker.yml --worker 'agent,count_words=python3 worker.py'
docs/tasks.md has the lines that go to and fro.
"""

import json
import sys


def count_words(config, _input):
    return {"words": len(config["text"].split())}


def agent(config, given):
    # In place of a model: an agent that always says the same.
    return {"answer": f"{config['task']}: {given['words']} words, nothing to complain about"}


TASKS = {"count_words": count_words, "agent": agent}


def say(message, **members):
    print(json.dumps({"message": message, **members}), flush=True)


def main():
    for line in sys.stdin:
        task = json.loads(line)
        if task["message"] != "task":
            continue  # this worker does one task at a time, and needs no word in between
        lease = task["lease"]
        try:
            output = TASKS[task["type"]](task["config"], task["input"])
            say("complete", lease=lease, output=output, log=f"did {task['key']}\n")
        except Exception as fault:
            say("fail", lease=lease, error={"kind": "worker", "message": str(fault)})


main()
