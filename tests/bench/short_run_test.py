#!/usr/bin/env python3
"""Every benchmark runs to its end on very little work and prints the figures it is for.

No figure is looked at: how fast something is depends on the machine.

usage: short_run_test.py NAME PROGRAM
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

NUMBER = r"[0-9][0-9.,]*"

SHORT = ["--benchmark_min_time=0.001"]
# name -> runs of it: the arguments, and for each line that must be there a pattern.
RUNS = {
    "append_bench": [(SHORT, [r"BM_Append/0/", r"BM_Append/1/", r"BM_AppendLatency/1/",
                              r"BM_Seal/4096", r"BM_SealPayloads/4096", r"BM_Scan/0", r"BM_Scan/1",
                              r"BM_ReadInstance/0", r"BM_ReadInstance/1",
                              r"BM_WriteAmplification/0/.*per_stored=", r"BM_WriteAmplification/1/"])],
    "codec_bench": [(SHORT, ["BM_EncodeRecord", "BM_DecodeEach", "BM_Decode ", "BM_EncodeSnapshot",
                             "BM_DecodeSnapshot"])],
    "core_bench": [(SHORT, ["DecideApplyEncode", "DecideApply ", "LiveInstanceMemory.*heap bytes="])],
    "expression_bench": [(SHORT, ["Evaluate/compare_number.*allocations=", "Evaluate/matches",
                                  "Compile", "Render"])],
    "timer_bench": [(SHORT, ["SetAndTake/1000000"])],
    "engine_bench": [(["--instances", "300", "--records", "5000", "--events", "30000", *sealed],
                      [f"10-step instances +{NUMBER} instances/s durable",
                       rf"stored +{NUMBER} bytes/record \(\d+ records\)",
                       rf"replay into state +{NUMBER} records/s .*331 instances ended",
                       f"scan that only decodes +{NUMBER} records/s",
                       rf"start on \d+ records +{NUMBER} s to the first command",
                       rf"load an instance of \d+ events +{NUMBER} ms, .* a tail of [1-9]"])
                     for sealed in ([], ["--encrypt"])],
    "waiting_bench": [(["--kind", kind, "--count", "5000"], lines) for kind, lines in {
        "message": [f"message +5000 wait, {NUMBER} in memory: -?{NUMBER} bytes each"],
        "signal": [f"signal +5000 wait, {NUMBER} in memory: -?{NUMBER} bytes each"],
        "person": [f"person +5000 wait, {NUMBER} in memory: -?{NUMBER} bytes each"],
        "timer": [f"timer +5000 wait, {NUMBER} in memory", f"timer +fired from disk at {NUMBER}/s"],
        "timers": [f"timers +5000 set with their instances at {NUMBER}/s, fired at {NUMBER}/s"],
        "each": [r"each +5000 items of \d+ bytes, 64 at once: .* largest record \d+ events"],
    }.items()],
    "views_bench": [(["--instances", "300", "--rate", "400", "--seconds", "1"],
                     [f"log +{NUMBER} instances/s without views, {NUMBER} records",
                      f"all views +built at +{NUMBER} records/s", f"instances +built at +{NUMBER}",
                      *(rf"live, {rate} +{NUMBER} instances/s, {NUMBER} records/s; seen after {NUMBER} ms"
                        for rate in (100, 200, 300, 400))])],
    "time_machine_bench": [(["--events", "3000", "--among", "3"],
                            [rf"first look +{NUMBER} s for \d+ events; \d+ keyframes, {NUMBER} MiB",
                             *(rf"{what} +median {NUMBER} ms, worst {NUMBER} ms of \d+"
                               for what in ("any moment", "as a document", "one forward", "one back")),
                             rf"bisect +{NUMBER} ms, \d+ states", rf"bisect, exact +{NUMBER} s"])],
    "export_bench": [(["--instances", "300"],
                      [rf"log: {NUMBER} events of {NUMBER} records", f"memory: {NUMBER} MiB at most before",
                       f"jsonl +1 threads: +{NUMBER} events/s", f"cloudevents +{NUMBER} threads: +{NUMBER}",
                       f"xes +{NUMBER} records/s, {NUMBER} events of activities/s",
                       f"by instance +{NUMBER} instances/s, {NUMBER} events of activities/s",
                       f"import +{NUMBER} events/s"])],
    "space_bench": [(["--instances", "1500", "--records", "5000"],
                     ["alike payloads: 1500 instances, 16501 records", "random payloads: 1500 inst",
                      f"log {NUMBER}, index and state {NUMBER}, views {NUMBER}, together {NUMBER}",
                      f"archived: archive {NUMBER}", "alike payloads, zstd 1",
                      f"blocks of +2000: raw {NUMBER}, without {NUMBER} .* with a dictionary",
                      f"{NUMBER} records appended, .* the log wrote .* together"])],
}


class ShortRun(unittest.TestCase):
    def run_it(self, program, arguments):
        with tempfile.TemporaryDirectory(prefix="stele-bench-") as directory:
            settings = dict(os.environ, STELE_BENCH_DIR=directory, STELE_BENCH_RECORDS="3000")
            done = subprocess.run([program, *arguments], cwd=directory, env=settings, text=True,
                                  capture_output=True, timeout=200, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertEqual(os.listdir(directory), [], "what it made is left behind")
            return done.stdout

    def test_prints_every_figure(self):
        name, program = PROGRAM
        for arguments, lines in RUNS[name]:
            printed = self.run_it(program, arguments)
            self.assertNotIn("ERROR OCCURRED", printed)
            for line in lines:
                self.assertTrue(re.search("^ *" + line, printed, re.MULTILINE),
                                f"{arguments}: no line {line!r} in:\n{printed}")


if __name__ == "__main__":
    PROGRAM = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
