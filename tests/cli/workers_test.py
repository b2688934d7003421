#!/usr/bin/env python3
"""Workers that `stele` starts: tasks reach them, and nothing is lost when anybody is killed."""

import os
import select
import signal
import unittest

from program import SOURCE, ProgramTest, interrupt

WORKER = os.path.join(SOURCE, "tests", "engine", "tasks", "worker.py")
STEPS = """
name: "asks"
outputs: {key: steps.ask.output.key}
steps:
  - id: "ask"
    type: "agent"
    retry_policy: {max_attempts: 3, initial_delay: "0s"}
    config: %s
"""


class Workers(ProgramTest):
    def worker(self, types="agent"):
        return f"{types}=exec python3 {WORKER} {self.path('notes')}"

    def setUp(self):
        super().setUp()
        # What workers write down comes through a pipe, so that it can be waited for.
        os.mkfifo(self.path("notes"))
        self.pipe = os.open(self.path("notes"), os.O_RDWR | os.O_NONBLOCK)
        self.addCleanup(os.close, self.pipe)
        self.noted = ""

    def notes(self, timeout=0):
        while select.select([self.pipe], [], [], timeout)[0]:
            self.noted += os.read(self.pipe, 65536).decode()
            timeout = 0
        return self.noted

    def pids(self):
        return [int(line.split()[1]) for line in self.notes().splitlines()
                if line.startswith("started ")]

    def await_note(self, text, times=1):
        """Until the worker has written it down."""
        while self.notes().count(text) < times:
            known = len(self.noted)
            if len(self.notes(timeout=60)) == known:
                self.fail(f"the worker was not told {text}: {self.noted}")

    def asks(self, config="{}"):
        return self.write("asks.yml", STEPS % config)

    def test_completes(self):
        done = self.stele("run", self.asks(), "--worker", self.worker())
        self.assertIn("key: 1-1-1", done.stdout)
        self.stele("verify")

    def test_are_listed_with_what_they_have_done(self):
        self.stele("definitions", "register", self.asks())
        self.assertEqual(self.stele("workers").stdout, "no worker has done a task\n")
        self.stele("run", self.asks(), "--worker", self.worker())
        self.stele("run", self.asks('{do: "fail"}'), "--worker", self.worker(), code=1)
        worker, = self.json("workers", "--json")["workers"]
        failed = sum(event["event"] == "attempt_failed" for event in self.history("2"))
        self.assertGreater(failed, 0)
        self.assertEqual((worker["name"], worker["completed"], worker["failed"]), ("agent", 1, failed))
        self.assertLessEqual(worker["first"], worker["last"])
        self.assertRegex(self.stele("workers").stdout, rf"\nagent +1 +{failed} ")
        ended = [event for event in self.history("1") if event["event"] == "attempt_completed"]
        self.assertEqual([event.get("actor") for event in ended], ["worker:agent"])
        # What was purged stays counted, in a view that is built anew, too.
        self.stele("retention", "--instance", "2")
        self.stele("projections", "rebuild", "workers")
        self.assertEqual(self.json("workers", "--json")["workers"], [worker])
        self.stele("projections", "verify")

    def test_is_there_for_every_command_that_goes_on(self):
        self.stele("start", self.asks(), "--no-wait", "--worker", self.worker())
        self.assertEqual(self.notes(), "", "with --no-wait nothing is started")
        self.assertIn("key: 1-1-1", self.stele("resume", "--worker", self.worker()).stdout)
        self.stele("run", self.asks(), "--paused", code=3)
        self.assertIn("key: 2-1-1", self.stele("resume", "2", "--worker", self.worker()).stdout)

    def test_fails_and_is_retried_by_the_policy(self):
        file = self.asks('{do: "fail"}')
        document = self.json("run", file, "--worker", self.worker(), "--json", code=1)
        self.assertEqual(document["error"]["kind"], "full")
        self.assertEqual(self.notes().count('"message":"task"'), 3)
        keys = [f'"key":"1-1-{attempt}"' for attempt in (1, 2, 3)]
        self.assertTrue(all(key in self.notes() for key in keys))

    def test_a_worker_killed_in_mid_task_loses_it_to_the_next(self):
        file = self.asks('{do: "die once", mark: "%s"}' % self.path("mark"))
        done = self.stele("run", file, "--worker", self.worker())
        self.assertIn("key: 1-1-1", done.stdout)
        self.assertRegex(done.stderr, r'worker "agent": .*signal 9')
        self.assertEqual(self.notes().count('"key":"1-1-1"'), 2, "the same idempotency key")
        self.assertIn("was lost", self.stele("logs", "1").stdout)

    def test_a_task_that_kills_its_workers_fails(self):
        text = STEPS.replace("max_attempts: 3", "max_attempts: 1") % '{do: "die"}'
        file = self.write("asks.yml", text)
        document = self.json("run", file, "--worker", self.worker(), "--json", code=1)
        self.assertEqual(document["error"]["kind"], "worker_lost")

    def test_the_engine_killed_in_mid_task_goes_on_with_the_same_key(self):
        file = self.asks('{do: "nothing"}')
        child = self.start("run", file, "--worker", self.worker())
        self.await_note('"key":"1-1-1"')
        worker, = self.pids()
        watched = os.pidfd_open(worker)
        self.addCleanup(os.close, watched)
        child.kill()
        child.communicate()
        self.assertTrue(select.select([watched], [], [], 60)[0], "the worker outlives its engine")
        status = self.stele("status", "1").stdout
        self.assertIn('a worker of the type "agent" at "ask"', status)
        self.assertIn("stele resume --worker 'agent=COMMAND'", status)
        other = f"agent=exec sed -u -n 's/.*\"lease\":\\([0-9]*\\).*\"key\":\"\\([^\"]*\\)\".*/{{\"message\":\"complete\",\"lease\":\\1,\"output\":{{\"key\":\"\\2\"}}}}/p'"
        self.assertIn("key: 1-1-1", self.stele("resume", "--worker", other).stdout)
        started = [e for e in self.history() if e["event"] == "attempt_interrupted"]
        self.assertEqual(started, [])
        self.stele("verify")

    def test_an_interrupted_run_ends_its_worker_and_goes_on(self):
        child = self.start("run", self.asks('{do: "nothing"}'), "--worker", self.worker())
        self.await_note('"key":"1-1-1"')
        interrupt(child)
        _, errors = child.communicate(timeout=60)
        self.assertEqual(child.returncode, 3)
        self.assertIn("is interrupted", errors)
        self.assertIn("end of input", self.notes())
        self.stele("cancel", "1", "--worker", self.worker())

    def test_bad_lines_are_told_and_harm_nobody(self):
        file = self.asks('{say: ["good morning", "[1, 2]"]}')
        done = self.stele("run", file, "--worker", self.worker())
        self.assertIn("key: 1-1-1", done.stdout)
        self.assertRegex(done.stderr, r'worker "agent": line 1: Expected')
        self.assertRegex(done.stderr, r'line 2: Expected .* but found \[1,2\]')

    def test_without_a_worker_it_waits(self):
        done = self.stele("run", self.asks(), code=3)
        self.assertIn("ask waits for a worker of the type agent", done.stdout)
        self.assertIn("instance 1 waits for a worker of the type \"agent\" at \"ask\"; "
                      "stele resume --worker 'agent=COMMAND'", done.stderr)
        document = self.json("status", "1", "--json")
        self.assertEqual(document["status"], "waiting")
        waiting, = document["waiting_for"]
        self.assertEqual((waiting["for"], waiting["type"], waiting["step"]),
                         ("worker", "agent", "ask"))
        self.assertIn("a worker of the type", self.stele("list", "--status", "waiting").stdout)
        self.assertIn("waits for a worker", self.stele("resume", code=3).stderr)
        self.assertIn("waits for a worker", self.stele("resume", "--worker", self.worker("other"),
                                                       code=3).stderr)
        self.assertIn("key: 1-1-1", self.stele("resume", "--worker", self.worker()).stdout)
        self.stele("verify")

    def test_other_steps_go_on_while_one_waits(self):
        text = STEPS % "{}" + '  - {id: "free", type: "script", config: {script: "true"}}\n'
        done = self.stele("run", self.write("asks.yml", text), code=3)
        self.assertIn("free completed", done.stdout)

    def test_a_worker_that_never_answers_is_given_up_by_run(self):
        done = self.stele("run", self.asks(), "--worker", "agent=exit 3", code=3)
        self.assertIn("given up", done.stderr)
        self.assertIn("waits for a worker", done.stderr)

    def test_types_of_its_own_need_no_registration_here(self):
        text = (STEPS % "{}").replace('"agent"', '"custom:resize"')
        file = self.write("asks.yml", text)
        self.assertIn("STL0107", self.stele("run", file, code=2).stderr)
        done = self.stele("run", file, "--worker", self.worker("agent,resize"))
        self.assertIn("key: 1-1-1", done.stdout)

    def test_an_agents_configuration_is_checked(self):
        done = self.stele("run", self.asks("{tools: 5}"), "--worker", self.worker(), code=2)
        self.assertIn("STL0505", done.stderr)

    def test_serve_hands_out_tasks_and_says_what_waits(self):
        self.stele("start", self.asks(), "--no-wait")
        child = self.start("serve", "--worker", self.worker("other"))
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.stdout.close)
        self.assertIn('tasks of the type "agent" wait for a worker', child.stderr.readline())
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=60)
        child = self.start("serve", "--worker", self.worker("agent"))
        self.addCleanup(child.stderr.close)
        self.addCleanup(child.stdout.close)
        self.await_note('"key":"1-1-1"')
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=60)
        self.assertEqual(child.returncode, 0)
        self.stele("resume", "--worker", self.worker())
        self.assertEqual(self.json("status", "1", "--json")["status"], "completed")

    def test_what_is_no_worker_is_refused(self):
        for words in (["--worker", "agent"], ["--worker", "=x"], ["--worker", "agent="],
                      ["--worker", "script=true"], ["--worker", "a b=true"],
                      ["--worker-slots", "2"], ["--worker", "agent=true", "--worker-slots", "0"],
                      ["--worker", "agent=true", "--worker-lease", "soon"],
                      ["--worker", "agent=true", "--stub", "agent={}"]):
            with self.subTest(words):
                self.assertIn("STL", self.stele("run", self.asks(), *words, code=2).stderr)


if __name__ == "__main__":
    unittest.main()
