#!/usr/bin/env python3
"""A real workflow, killed again and again at random moments, ends as an undisturbed one.

STELE_KILLS sets how often it is killed (15), STELE_SEED the random numbers.
"""

import os
import random
import unittest

from program import ProgramTest

KILLS = int(os.environ.get("STELE_KILLS", "15"))
SEED = int(os.environ.get("STELE_SEED", "1"))
STEPS = {"s1": [], "s2": ["s1"], "left": ["s2"], "right": ["s2"], "join": ["left", "right"],
         "s3": ["join"], "s4": ["s3"], "s5": ["s4"]}


def workflow():
    text = 'name: "kill"\nsteps:\n'
    for step, needs in STEPS.items():
        text += (f'  - id: "{step}"\n    type: "script"\n    depends_on: [{", ".join(needs)}]\n'
                 '    retry_policy: {max_attempts: 100000, backoff_strategy: "fixed", '
                 'initial_delay: "0s"}\n'
                 '    config:\n      runtime: "bash"\n      script: |\n'
                 f'        echo "{step} $STELE_IDEMPOTENCY_KEY" >> "$STELE_WORKSPACE/effects"\n'
                 f'        echo "done={step}" >> outputs\n')
    return text


class Kill(ProgramTest):
    def setUp(self):
        super().setUp()
        self.random = random.Random(SEED)
        self.kills = 0

    def kill_somewhere(self, words):
        """Runs the command and kills it; the lines that it acknowledged and whether it ended."""
        child = self.start(*words)
        lines = [child.stdout.readline() for _ in range(self.random.randrange(0, 7))]
        for _ in range(self.random.randrange(0, 60_000)):
            pass
        child.kill()
        rest = child.stdout.read()
        child.wait(timeout=60)
        child.stdout.close()
        child.stderr.close()
        if child.returncode != 0:
            self.kills += 1
        return "".join(lines) + rest, child.returncode == 0

    def check(self, document, said, undisturbed, instance):
        self.assertEqual(document["status"], "completed")
        self.assertEqual(document["output"], undisturbed["output"])
        states = lambda d: {s["label"]: (s["state"], s.get("output")) for s in d["steps"]}
        self.assertEqual(states(document), states(undisturbed))
        events = self.history(str(instance))
        steps, started, completed = {}, set(), []
        for event in events:
            if event["event"] == "step_activated":
                steps[event["run"]] = event["step"]
                started.add((event["step"], f"{instance}-{event['run']}-1"))
            if event["event"] == "attempt_started":
                key = f"{instance}-{event['run']}-{event['attempt']}"
                started.add((steps[event["run"]], key))
            if event["event"] == "step_completed":
                completed.append(steps[event["run"]])
        self.assertEqual(sorted(completed), sorted(STEPS))
        for step in STEPS:
            if f"✓ {step} completed" in said:
                self.assertIn(step, completed)
        with open(self.path("effects"), encoding="utf-8") as file:
            effects = [tuple(line.split()) for line in file]
        mine = [effect for effect in effects if effect[1].startswith(f"{instance}-")]
        self.assertLessEqual(set(mine), started)
        self.assertEqual(len(mine), len(set(mine)), "an attempt has acted twice")
        self.assertEqual({step for step, _ in mine}, set(STEPS))

    def test_ends_as_an_undisturbed_run_does(self):
        file = self.write("kill.yml", workflow())
        undisturbed = self.json("run", file, "--json")
        instance = 1
        while self.kills < KILLS:
            said, ended = self.kill_somewhere(["run", file])
            if f"instance {instance + 1} of" not in said:
                # Killed before the start was acknowledged; it may be there all the same.
                self.stele("resume", "--quiet")
                known = len(self.json("list", "--json")["instances"])
                if known == instance:
                    continue
            instance += 1
            while not ended and self.kills < KILLS and self.random.random() < 0.8:
                more, ended = self.kill_somewhere(["resume"])
                said += more
            self.stele("resume", "--quiet")
            self.check(self.json("status", str(instance), "--json"), said, undisturbed, instance)
        self.assertIn("verified:", self.stele("verify").stdout)
        print(f"{self.kills} kills, {instance} instances")

    def test_the_very_first_run_leaves_what_the_next_one_can_begin_with(self):
        file = self.write("one.yml", "name: one\nsteps: [{id: a, type: script, config: "
                                     "{script: echo}}]\n")
        for turn in range(KILLS):
            data = f"data-{turn}"
            child = self.start("run", file, "--data", data)
            for _ in range(self.random.randrange(0, 1_500_000)):
                pass
            child.kill()
            child.wait(timeout=60)
            self.stele("run", file, "--data", data, "--quiet")
            self.assertIn("verified:", self.stele("verify", "--data", data).stdout)


if __name__ == "__main__":
    unittest.main()
