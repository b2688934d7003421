#!/usr/bin/env python3
"""`stele bench`: short runs of each scenario. No figure is looked at: how fast it is depends on the machine."""

import json
import os
import re
import unittest

from program import ProgramTest, interrupt
from remote_read_test import UsersTest

QUANTILES = ("p50", "p90", "p99", "p99_9", "max")
USE = {"user_seconds", "system_seconds", "cores", "resident_bytes", "peak_resident_bytes", "written_bytes"}


class BenchTest(ProgramTest):
    def bench(self, *words, **more):
        return self.json("bench", *words, "--json", **more)

    def check_times(self, times, count):
        self.assertEqual(times["count"], count)
        values = [times[name] for name in QUANTILES]
        self.assertEqual(values, sorted(values))
        self.assertGreater(values[0], 0)

    def check_all(self, report, count):
        """Each one was answered and counts."""
        self.assertEqual((report["acknowledged"], report["measured"]), (count, count))
        self.check_times(report["latency_ms"], count)
        self.assertGreater(report["seconds"], 0)
        self.assertAlmostEqual(report["per_second"], count / report["seconds"], delta=1)
        for moment in ("before", "after"):
            for kind in ("record", "block"):
                syncs = report["sync_ms"][moment][kind]
                self.assertLessEqual(syncs["count"], 200)
                self.check_times(syncs, max(syncs["count"], 1))
        self.assertEqual(set(report["engine"]), USE)
        self.assertGreater(report["engine"]["peak_resident_bytes"], 0)

    def recorded(self, data, definition):
        """What the log says of the instances of a definition: how many have completed, by `stele list`."""
        found = self.json("list", "--data", data, "--definition", definition, "--limit", "1000", "--json")
        self.assertEqual(self.stele("verify", "--data", data).returncode, 0)
        return sum(row["status"] == "completed" for row in found["instances"]), len(found["instances"])

    def nothing_left(self):
        self.assertEqual([name for name in os.listdir(self.directory) if name.startswith("stele-bench")], [])


class Embedded(BenchTest):
    def test_every_acknowledged_start_is_in_the_log(self):
        report = self.bench("start", "--count", "300", "--in-flight", "40", "--data", "data")
        self.check_all(report, 300)
        self.assertEqual((report["scenario"], report["target"], report["data"]), ("start", "embedded", "data"))
        self.assertEqual((report["loop"], report["in_flight"], report["latency_from"]), ("closed", 40, "call"))
        self.assertNotIn("client", report)
        self.assertEqual(self.recorded("data", "stele-bench-start"), (300, 300))

    def test_start_to_completed(self):
        report = self.bench("complete", "--count", "50", "--data", "data")
        self.check_all(report, 50)
        self.assertEqual(self.recorded("data", "stele-bench-start"), (50, 50))

    def test_tasks_of_a_worker_in_the_process(self):
        report = self.bench("worker", "--count", "30", "--data", "data")
        self.check_all(report, 30)
        self.assertAlmostEqual(report["tasks_per_second"], report["per_second"] * 10, delta=0.1)
        # A record for each task at the least.
        self.assertGreater(report["records_per_second"], report["tasks_per_second"] * 0.9)
        self.assertEqual(self.recorded("data", "stele-bench-worker"), (30, 30))
        steps = self.stele("history", "1", "--data", "data", "--json").stdout.count('"step_completed"')
        self.assertEqual(steps, 10)

    def test_an_open_loop_counts_from_when_each_was_due(self):
        report = self.bench("start", "--count", "40", "--rate", "400", "--data", "data")
        self.check_all(report, 40)
        self.assertEqual((report["loop"], report["rate"], report["latency_from"]), ("open", 400, "due"))
        # The last one is due 39/400 s behind the first: it cannot have been faster than it was asked.
        self.assertGreaterEqual(report["seconds"], 39 / 400)

    def test_a_duration_is_measured_behind_its_warm_up(self):
        report = self.bench("start", "--duration", "400ms", "--warm-up", "200ms", "--in-flight", "4",
                            "--data", "data")
        self.assertAlmostEqual(report["seconds"], 0.4)
        self.assertGreater(report["acknowledged"], report["measured"])
        self.assertGreater(report["records_per_second"], 0)

    def test_a_directory_of_its_own_is_removed(self):
        report = self.bench("start", "--count", "5")
        self.assertRegex(report["data"], r"^\./stele-bench-\w{6}$")
        self.nothing_left()

    def test_a_directory_in_which_something_runs_is_refused(self):
        workflow = self.write("wait.yml", "name: wait\nsteps:\n  - {id: hold, type: delay, config: {duration: 1h}}\n")
        self.stele("start", workflow, "--no-wait", "--data", "data")
        for over in ("embedded", "rpc"):
            done = self.stele("bench", "start", "--count", "1", "--over", over, "--data", "data", code=1)
            self.assertIn('nothing runs but found instance 1 of "wait" open', done.stderr)
        self.assertIn("registered: wait", self.stele("list", "--data", "data", "--definition", "stele-bench-start",
                                                     code=2).stderr)

    def test_text(self):
        text = self.stele("bench", "start", "--count", "20", "--in-flight", "3").stdout
        for line in (r"target +an engine in this process, in \./stele-bench-\w+, which is removed",
                     r"load +closed loop, 3 under way", r"starts/s +[\d,]+ +\(20 within .*; 20 in all\)",
                     r"records/s +[\d,]+", r"latency +p50 [\d.]+ ms +p90 [\d.]+ ms +p99 .* p99\.9 .* max",
                     r" +start to its durable acknowledgement, from its call: .* not corrected",
                     r"process +[\d.]+ cores", r"disk +128 bytes synced into room .*: p50 [\d.]+ ms",
                     r" +4 KiB appended and synced: p50 [\d.]+ ms before"):
            self.assertTrue(re.search(f"^{line}", text, re.MULTILINE), (line, text))


class OverRpc(BenchTest):
    def test_every_acknowledged_start_is_in_the_log(self):
        report = self.bench("start", "--over", "rpc", "--count", "300", "--in-flight", "40", "--connections",
                            "4", "--data", "data")
        self.check_all(report, 300)
        self.assertEqual((report["target"], report["connections"]), ("rpc", 4))
        self.assertEqual(set(report["client"]), USE)
        self.assertEqual(self.recorded("data", "stele-bench-start"), (300, 300))

    def test_start_to_completed(self):
        report = self.bench("complete", "--over", "rpc", "--count", "50", "--data", "data")
        self.check_all(report, 50)
        self.assertEqual(self.recorded("data", "stele-bench-start"), (50, 50))

    def test_tasks_of_workers_that_joined(self):
        report = self.bench("worker", "--over", "rpc", "--count", "30", "--workers", "2", "--data", "data")
        self.check_all(report, 30)
        self.assertEqual(report["workers"], 2)
        self.assertEqual(self.recorded("data", "stele-bench-worker"), (30, 30))
        self.assertIn("stele-bench-1", self.stele("history", "1", "--data", "data", "--json").stdout)

    def test_more_is_under_way_than_a_worker_may_hold(self):
        report = self.bench("worker", "--over", "rpc", "--count", "30", "--in-flight", "1001", "--data", "data")
        self.check_all(report, 30)
        self.assertEqual(self.recorded("data", "stele-bench-worker"), (30, 30))

    def test_the_server_gets_the_key_of_the_data_and_no_settings(self):
        self.stele("keys", "generate", "--out", "master.key")
        with open(self.path("master.key"), encoding="ascii") as file:
            key = {"STELE_MASTER_KEY": file.read().strip()}
        os.makedirs(self.path("data"))
        self.write("data/settings.json", json.dumps({"encryption": {"key_env": "STELE_MASTER_KEY"}}))
        for over in ("embedded", "rpc"):
            report = self.bench("start", "--over", over, "--count", "5", "--data", "data", **key,
                                STELE_HTTP_LISTEN="nowhere.invalid:1", STELE_CONFIG="nowhere.yml")
            self.check_all(report, 5)

    def test_records_are_those_of_the_measurement(self):
        self.bench("start", "--over", "rpc", "--count", "200", "--data", "data")
        for over in ("rpc", "embedded"):
            report = self.bench("start", "--over", over, "--count", "20", "--in-flight", "5", "--data", "data")
            self.assertLess(report["records_per_second"] * report["seconds"], 100)
            self.assertGreaterEqual(report["records_per_second"] * report["seconds"], 10)

    def test_all_subscribers_are_told(self):
        report = self.bench("subscribers", "--connections", "50")
        self.assertEqual((report["target"], report["subscribers"]), ("rpc", 50))
        self.check_times(report["delivery_ms"], 50)
        for moment in ("before", "idle", "told"):
            self.assertGreater(report[f"server_bytes_{moment}"], 0)
        self.assertIn("50 ", self.stele("bench", "subscribers", "--connections", "50").stdout)
        self.nothing_left()


class AtAServer(BenchTest):
    def serve(self, address):
        child = self.start("serve", "--dev", "--data", "data", "--rpc", address)
        said = self.wait_for_line(child, "rpc at ")
        return child, re.search(r"rpc at (\S+)", said)[1]

    def test_over_a_unix_socket_it_knows_the_process(self):
        child, address = self.serve(f"unix:{self.directory}/rpc")
        report = self.bench("start", "--server", address, "--count", "60", "--connections", "2")
        self.check_all(report, 60)
        self.assertEqual((report["target"], report["server"]), ("server", address))
        self.assertNotIn("data", report)
        interrupt(child)
        self.assertEqual(child.wait(timeout=60), 0)
        self.assertEqual(self.recorded("data", "stele-bench-start"), (60, 60))
        self.nothing_left()

    def test_over_tcp_it_does_not(self):
        _, address = self.serve("127.0.0.1:0")
        report = self.bench("start", "--server", address, "--count", "20")
        self.assertEqual(report["acknowledged"], 20)
        self.assertNotIn("engine", report)
        report = self.bench("subscribers", "--server", address, "--connections", "3")
        self.assertIsNone(report["server_bytes_idle"])
        text = self.stele("bench", "subscribers", "--server", address, "--connections", "3").stdout
        self.assertIn("not known: the server is none of this machine's", text)

    def wait_for_starts(self, address, load):
        """Until it has started some."""
        while self.json("stats", "--server", address, "--json")["counts"]["started"] < 100:
            self.assertIsNone(load.poll())

    def test_ctrl_c_gives_the_figures_up_to_then(self):
        _, address = self.serve("127.0.0.1:0")
        load = self.start("bench", "start", "--server", address, "--warm-up", "0s", "--duration", "10min",
                          "--rate", "500", "--json")
        self.wait_for_starts(address, load)
        interrupt(load)
        printed, errors = load.communicate(timeout=60)
        self.assertEqual((load.returncode, errors), (3, ""))
        report = json.loads(printed)
        self.assertGreater(report["measured"], 50)
        # Of those that were begun in time, some are done behind the interrupt: all of them, at the latest.
        times = report["latency_ms"]
        self.check_times(times, times["count"])
        self.assertTrue(report["measured"] <= times["count"] <= report["acknowledged"], report)
        self.assertLess(report["seconds"], 600)
        self.assertIsNone(report["cut_short"])
        self.nothing_left()

    def test_a_server_of_the_environment_counts_where_no_other_place_is_named(self):
        _, address = self.serve("127.0.0.1:0")
        there = {"STELE_SERVER": address}
        for words, target in ((("--connections", "2"), "server"), (("--over", "embedded"), "embedded"),
                              (("--over", "rpc"), "rpc"), (("--data", "other"), "embedded")):
            self.assertEqual(self.bench("start", "--count", "5", *words, **there)["target"], target)
        self.assertEqual(self.json("stats", "--server", address, "--json")["counts"]["started"], 5)
        self.assertEqual(self.bench("sync", "--count", "5", **there)["sync_ms"]["block"]["count"], 5)

    def test_a_token_goes_to_another_machine_over_tls_or_as_somebody_insists(self):
        elsewhere = ("bench", "start", "--server", "nowhere.invalid:7421")
        refused = self.stele(*elsewhere, code=2, STELE_TOKEN="secret").stderr
        self.assertIn("STL0701: Expected TLS", refused)
        insisted = self.stele(*elsewhere, "--plaintext", code=2, STELE_TOKEN="secret").stderr
        self.assertNotIn("STL0701", insisted)
        self.assertIn("nowhere.invalid", insisted)

    def test_a_server_that_goes_away_takes_no_figure_along(self):
        for form in ("--json", "--quiet"):
            server = self.start("serve", "--dev", "--data", "data" + form, "--rpc",
                                f"unix:{self.directory}/{form}")
            address = re.search(r"rpc at (\S+)", self.wait_for_line(server, "rpc at "))[1]
            load = self.start("bench", "start", "--server", address, "--warm-up", "0s", "--duration", "100s",
                              "--rate", "500", "--connections", "2", form)
            self.wait_for_starts(address, load)
            server.kill()
            printed, errors = load.communicate(timeout=60)
            self.assertEqual(load.returncode, 1, errors)
            self.assertIn("cut short after", errors)
            if form == "--json":
                report = json.loads(printed)
                self.assertRegex(report["cut_short"]["code"], "^STL[0-9]{4}$")
                self.assertGreater(report["measured"], 50)
                self.assertGreater(report["latency_ms"]["p50"], 0)
                self.assertLess(report["seconds"], 100)
                self.assertNotIn("engine", report, "it has gone, and no figure of it is made up")
            else:
                self.assertRegex(printed, "(?m)^cut short +after .*s: the figures are those until then$")
        self.nothing_left()

    def test_a_warm_up_may_be_none(self):
        _, address = self.serve("127.0.0.1:0")
        report = self.bench("start", "--server", address, "--warm-up", "0s", "--duration", "200ms")
        self.assertEqual((report["acknowledged"] >= report["measured"], report["cut_short"]), (True, None))
        refused = self.stele("bench", "start", "--duration", "0s", code=2).stderr
        self.assertIn("a duration like", refused)
        self.assertIn("longer than none", refused)

    def test_nobody_there(self):
        done = self.stele("bench", "start", "--server", f"unix:{self.directory}/none", code=2)
        self.assertIn("stele: STL", done.stderr)
        self.nothing_left()


class WhoAsks(UsersTest):
    def test_who_may_not_work_is_told_so_as_the_server_says_it(self):
        server = self.admit()
        developer = self.user("dev", "developer")
        refused = self.ask_as(developer, "bench", "worker", "--count", "5", code=2)
        self.assertRegex(refused.stderr, "^stele: STL1002: Expected ")
        self.assertEqual(refused.stderr.count("STL"), 1)
        self.ask_as(developer, "bench", "start", "--count", "5")
        self.stop(server)


class TheDisk(BenchTest):
    def test_sync_alone(self):
        report = self.bench("sync", "--count", "25", "--data", "data")
        for kind in ("record", "block"):
            self.check_times(report["sync_ms"][kind], 25)
        self.assertEqual(os.listdir(self.path("data")), [])
        self.assertIn("4 KiB appended and synced", self.stele("bench", "sync", "--duration", "20ms").stdout)


class BadArguments(BenchTest):
    def test_each_is_told(self):
        for words, sentence in (
                (["nothing"], 'Expected one of start, complete, worker, subscribers, sync but found "nothing"'),
                (["start", "--over", "http"], 'Expected --over embedded or rpc but found "http"'),
                (["start", "--rate", "9", "--in-flight", "9"], "Expected no --in-flight beside --rate"),
                (["start", "--count", "9", "--duration", "9s"], "Expected no --duration beside --count"),
                (["start", "--connections", "9"], "Expected no --connections without a server"),
                (["start", "--over", "rpc", "--workers", "9"], "Expected no --workers but for the scenario worker"),
                (["start", "--server", ":1", "--data", "x"], "Expected no --data beside --server"),
                (["subscribers", "--over", "embedded"], "Expected a server for the scenario subscribers"),
                (["subscribers", "--rate", "1"], "Expected no --rate for the scenario subscribers"),
                (["sync", "--rate", "1"], "Expected no --rate for the scenario sync"),
                (["start", "--rate", "0"], "--rate")):
            self.assertIn(sentence, self.stele("bench", *words, code=2).stderr)
        self.nothing_left()
        self.assertFalse(os.path.exists(self.path("x")))


if __name__ == "__main__":
    unittest.main()
