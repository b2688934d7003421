#!/usr/bin/env python3
"""`stele serve` under a service manager: what it tells it, signals, files that are read anew."""

import json
import os
import pty
import shutil
import signal
import socket
import ssl
import subprocess
import unittest

from program import BINARY, SOURCE, ManagedTest, environment
from served import ServedTest

SAYS_ITS_SOCKET = """
name: "says"
outputs: {said: steps.say.output.said}
steps:
  - {id: "say", type: "script", config: {runtime: "bash", script: "echo said=${NOTIFY_SOCKET:-none}${WATCHDOG_USEC:-} >> outputs"}}
"""


class Supervised(ServedTest, ManagedTest):
    def start_server(self, *words, **variables):
        return self.start("serve", "--dev", "--http", "127.0.0.1:0", "--data", "data", *words, **variables)

    def start_managed(self, *words, **variables):
        child = self.start_server(*words, NOTIFY_SOCKET=self.manage(), **variables)
        self.told("READY=1")
        self.find_port(child)
        return child

    def find_port(self, child):
        self.port = int(self.wait_for_line(child, "http://").strip().rpartition(":")[2])


class Telling(Supervised):
    def test_ready_when_it_listens_and_stopping_when_it_ends(self):
        child = self.start_server(NOTIFY_SOCKET=self.manage())
        ready = self.told("READY=1")
        self.assertEqual(ready, [["READY=1", "STATUS=serving data"]])
        self.find_port(child)
        self.get("/instances")
        self.stop(child)
        self.assertEqual(self.told("STOPPING=1"), [["STOPPING=1", "STATUS=stopping"]])
        self.assertEqual(child.stderr.read().count("stele:"), 1)  # that --dev asks nobody

    def test_a_name_without_a_file(self):
        child = self.start_server(NOTIFY_SOCKET=self.manage(f"@stele-test-{os.getpid()}"))
        self.told("READY=1")
        self.stop(child)

    def test_ready_without_an_address(self):
        child = self.start("serve", NOTIFY_SOCKET=self.manage())
        self.told("READY=1")
        self.stop(child)

    def test_what_it_starts_does_not_speak_for_it(self):
        child = self.start_managed(WATCHDOG_USEC="60000000")
        self.register(SAYS_ITS_SOCKET)
        ended = self.post("/instances?wait=60s", {"definition": "says"}, 201)["result"]
        self.assertEqual(ended["output"], {"said": "none"})
        self.stop(child)

    def test_a_socket_that_is_none_is_refused(self):
        for path in ("notify", "@", "/" + "x" * 200, self.path("nobody")):
            said = self.stele("serve", code=2, NOTIFY_SOCKET=path).stderr
            self.assertIn("STL0702", said)
            self.assertIn("NOTIFY_SOCKET", said)
        said = self.stele("serve", code=2, NOTIFY_SOCKET=self.manage(), WATCHDOG_USEC="soon").stderr
        self.assertIn("WATCHDOG_USEC", said)

    def test_a_start_that_fails_is_never_ready(self):
        self.manage()
        self.stele("serve", "--http", "nowhere.invalid:1", code=2, NOTIFY_SOCKET=self.path("notify"))
        self.manager.setblocking(False)
        with self.assertRaises(BlockingIOError):
            self.manager.recv(4096)


class Watching(Supervised):
    def test_it_says_that_it_goes_on(self):
        child = self.start_managed(WATCHDOG_USEC="100000")
        for _ in range(3):
            self.assertEqual(self.told("WATCHDOG=1")[-1], ["WATCHDOG=1"])
        self.stop(child)

    def test_a_server_that_hangs_says_nothing(self):
        child = self.start_managed(WATCHDOG_USEC="100000")
        self.told("WATCHDOG=1")
        child.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
        self.manager.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            while True:  # what was sent before
                self.manager.recv(4096)
        self.manager.settimeout(60)
        child.send_signal(signal.SIGCONT)
        self.told("WATCHDOG=1")
        self.stop(child)

    def test_nobody_waits_for_that_of_another_process(self):
        child = self.start_managed(WATCHDOG_USEC="20000", WATCHDOG_PID="1")
        self.get("/instances")
        self.stop(child)
        self.assertEqual(self.told("STOPPING=1"), [["STOPPING=1", "STATUS=stopping"]])


class Ending(Supervised):
    def begin_request(self):
        """A request whose body does not come."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.addCleanup(connection.close)
        connection.sendall(b"POST /api/v1/instances HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                           b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n")
        # It waits for the body from here on.
        self.assertIn(b"100 Continue", connection.recv(4096))
        return connection

    def test_a_second_signal_ends_it_at_once(self):
        child = self.start_managed("--drain-timeout", "10m", "--http-body-timeout", "10m")
        self.begin_request()
        child.send_signal(signal.SIGTERM)
        self.told("STOPPING=1")
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(timeout=60), 3)
        self.stele("verify", "--data", "data")

    def test_it_waits_no_longer_than_it_was_told(self):
        child = self.start_managed("--drain-timeout", "50ms", "--http-body-timeout", "10m")
        self.begin_request()
        self.stop(child)


class Reloading(Supervised):
    def hang_up(self, child):
        child.send_signal(signal.SIGHUP)
        told = self.told("READY=1")
        self.assertEqual(told[0][0], "RELOADING=1")
        self.assertRegex(told[0][1], r"^MONOTONIC_USEC=\d+$")

    def messages(self, name):
        with open(self.path(name), encoding="utf-8") as log:
            return [json.loads(line)["message"] for line in log]

    def test_the_log_is_opened_again(self):
        child = self.start_managed("--log", "log")
        self.get("/instances")
        os.rename(self.path("log"), self.path("log.1"))
        self.hang_up(child)
        self.get("/instances")
        self.stop(child)
        self.assertEqual(self.messages("log.1"), ["serving", "request"])
        self.assertEqual(self.messages("log"), ["reloaded", "request", "stopping"])

    def test_a_level_leaves_out_what_is_below(self):
        for level, expected in [("debug", ["serving", "request", "request", "stopping"]),
                                ("info", ["serving", "request", "stopping"]), ("warn", [])]:
            child = self.start_managed("--log", level, STELE_LOG_LEVEL=level)
            self.ask("GET", "/instances")
            connection = self.connect()
            connection.request("GET", "/health/live")
            self.assertEqual(connection.getresponse().status, 200)
            self.stop(child)
            self.assertEqual(self.messages(level), expected)
            self.manager.close()
            os.remove(self.path("notify"))

    def make_certificate(self):
        """Another certificate, in the same files: it."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=localhost",
                        "-keyout", self.path("key.pem"), "-out", self.path("certificate.pem")],
                       check=True, capture_output=True)
        with open(self.path("certificate.pem"), encoding="utf-8") as file:
            return ssl.PEM_cert_to_DER_cert(file.read())

    def shown(self):
        """The certificate that the server shows."""
        trust = ssl.create_default_context()
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as plain:
            with trust.wrap_socket(plain, server_hostname="localhost") as connection:
                return connection.getpeercert(binary_form=True)

    def test_certificates_are_read_anew(self):
        first = self.make_certificate()
        child = self.start_server("--tls-certificate", "certificate.pem", "--tls-key", "key.pem",
                                  NOTIFY_SOCKET=self.manage())
        self.told("READY=1")
        self.port = int(self.wait_for_line(child, "https://").strip().rpartition(":")[2])
        self.assertEqual(self.shown(), first)
        second = self.make_certificate()
        self.assertEqual(self.shown(), first)
        self.hang_up(child)
        self.assertEqual(self.shown(), second)
        self.write("certificate.pem", "none")
        self.hang_up(child)
        self.assertEqual(self.shown(), second)
        self.stop(child)
        self.assertIn("certificate.pem", child.stderr.read())


    def test_a_terminal_that_closes_is_the_end(self):
        manager, terminal = pty.openpty()
        self.addCleanup(os.close, manager)
        self.addCleanup(os.close, terminal)
        child = subprocess.Popen([BINARY, "serve"], cwd=self.directory, stdin=terminal,
                                 env=environment(NOTIFY_SOCKET=self.manage()), stdout=subprocess.DEVNULL)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.told("READY=1")
        child.send_signal(signal.SIGHUP)
        self.assertEqual(child.wait(timeout=60), 0)


class Unit(Supervised):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_systemd_finds_nothing_wrong_with_it(self):
        with open(os.path.join(SOURCE, "deploy", "stele.service"), encoding="utf-8") as file:
            unit = file.read()
        self.assertIn("ExecStart=/usr/bin/stele serve --config /etc/stele/stele.yaml\n", unit)
        self.write("stele.service", unit.replace("/usr/bin/stele", BINARY))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", self.path("stele.service")],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
