#!/usr/bin/env python3
"""What a server makes of clients that break HTTP, are slow, crash, or come in crowds.

STELE_TEST_CONNECTIONS: how many come at once (10000).
"""

import os
import re
import select
import shutil
import socket
import subprocess
import threading
import time
import unittest

from wires import WireTest, chunked, open_files, read_answer, request, reset

LIST = "GET /api/v1/instances"
START = "POST /api/v1/instances"
SMUGGLED = request("GET /api/v1/workers")
WAITS = """
name: "waits"
steps:
  - {id: "ask", type: "approval", config: {assignees: ["mo"]}}
"""
NOTHING = """
name: "nothing"
steps:
  - {id: "act", type: "start"}
"""
# What wrk sends, and that it says all in one line.
WRK = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"definition":"nothing"}'
function done(summary)
  local errors = summary.errors
  print("summary", summary.requests, errors.connect, errors.read, errors.write, errors.status, errors.timeout)
end
"""


class Breaking(WireTest):
    def test_what_is_no_request_is_refused_and_ends_the_connection(self):
        child = self.serve_dev()
        for about, status, sent in [
                ("nonsense", 400, b"\x16\x03\x01\x02\x00\x01\r\n\r\n"),
                ("no version", 400, b"GET /api/v1/instances\r\n\r\n"),
                ("two blanks", 400, b"GET  /api/v1/instances HTTP/1.1\r\nHost: localhost\r\n\r\n"),
                ("other version", 505, b"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n"),
                ("no host", 400, b"GET /api/v1/instances HTTP/1.1\r\n\r\n"),
                ("two hosts", 400, request(LIST, "Host: localhost")),
                ("other host in the target", 400, request("GET http://evil.example/api/v1/instances")),
                ("blank before the colon", 400, request(LIST, "X-A : b")),
                ("folded", 400, request(LIST, "X-A: b", " c")),
                ("bare LF", 400, request(LIST).replace(b"\r\n", b"\n")),
                ("bare CR", 400, request(LIST, "X-A: b\rc")),
                ("NUL", 400, request(LIST, "X-A: b\0c")),
                ("length below nought", 400, request(START, "Content-Length: -1")),
                ("length with a sign", 400, request(START, "Content-Length: +2") + b"{}"),
                ("two lengths", 400, request(START, "Content-Length: 2", "Content-Length: 2") + b"{}"),
                ("length beyond 64 bits", 413, request(START, "Content-Length: 18446744073709551618")),
                ("length and chunks", 400, request(START, "Content-Length: 4",
                                                   "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
                ("unknown coding", 400, request(START, "Transfer-Encoding: xchunked") + b"0\r\n\r\n"),
                ("two codings", 501, request(START, "Transfer-Encoding: gzip, chunked")),
                ("chunk beyond 64 bits", 413,
                 chunked(START, b"10000000000000002\r\n{}\r\n0\r\n\r\n")),
                ("chunk that is longer", 400, chunked(START, b"1\r\n{}\r\n0\r\n\r\n")),
                ("request as a trailer", 400, chunked(START, b"0\r\n" + SMUGGLED)),
                ("long target", 414, request("GET /" + "a" * 9000)),
                ("long head", 431, request(LIST, "X-A: " + "a" * 40000)),
                ("many fields", 431, request(LIST, *["X-A: b"] * 200)),
                ("unknown method", 501, request("BREW /api/v1/instances")),
                ("endless first line", 414, b"A" * 100000)]:
            with self.subTest(about):
                answers = self.say(sent, SMUGGLED)
                self.assert_refused(answers, status, about)
                self.assertEqual(len(answers), 1, about)
        self.assert_serves()
        self.stop(child)

    def test_requests_are_told_apart_however_they_are_cut(self):
        child = self.serve_dev()
        body = b'{"definition": "none", "input": {}}'
        sent = (chunked(START, b"%x;a=b\r\n%s\r\n0\r\nX-T: u\r\n\r\n" % (len(body), body)) +
                request(START, "Content-Type: application/json", body=body) + request(LIST) +
                request("GET /api/v1/none", "Connection: close"))
        for step in (len(sent), 1, 7, 64):
            answers = self.say(*[sent[at:at + step] for at in range(0, len(sent), step)])
            self.assertEqual([answer.status for answer in answers], [404, 404, 200, 404], step)
        self.stop(child)

    def test_connections_end_where_they_should(self):
        child = self.serve_dev()
        for last in (request(LIST, "Connection: close"), request(LIST, "Connection: x, Close"),
                     b"GET /health HTTP/1.0\r\n\r\n",
                     b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"):
            answers = self.say(request(LIST) + last + SMUGGLED)
            self.assertEqual([answer.status for answer in answers], [200, 200], last)
            self.assertEqual([answer.headers.get("connection") for answer in answers],
                             [None, "close"], last)
        self.stop(child)

    def test_a_refusal_reaches_a_client_that_is_sending(self):
        child = self.serve_dev()
        answers = self.say(request(START, "Content-Length: 60000000"), b" " * 60_000_000)
        self.assertEqual(answers[0].status, 413)
        self.assert_refused(self.say(request(START, "Host: other"), b" " * 500_000), 400, "early")
        self.assert_serves()
        self.stop(child)

    def test_half_a_connection(self):
        child = self.serve_dev()
        with self.dial() as sock:
            sock.sendall(request(LIST))
            sock.shutdown(socket.SHUT_WR)
            self.assertEqual([answer.status for answer in self.read_all(sock)], [200])
        with self.dial() as sock:
            sock.sendall(request(LIST)[:-2])
            sock.shutdown(socket.SHUT_WR)
            self.assert_refused(self.read_all(sock), 400, "half a head")
        for _ in range(100):
            for sent in (b"", request(LIST)[:20], request(LIST),
                         request(START, "Content-Length: 100") + b"{"):
                sock = self.dial()
                sock.sendall(sent)
                reset(sock)
        self.assert_serves()
        self.stop(child)


class WithCurl(WireTest):
    def curl(self, *words):
        done = subprocess.run(["curl", "-s", "-o", self.path("body"), "-w",
                               "%{http_code} %{num_connects}", *words],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, (words, done.stderr))
        return done.stdout

    def test_what_a_client_of_every_day_sends(self):
        child = self.serve_dev()
        url = f"http://127.0.0.1:{self.port}/api/v1"
        self.assertEqual(self.curl(url + "/instances"), "200 1")
        self.assertEqual(self.curl("--http1.0", url + "/instances"), "200 1")
        text = self.write("waits.yml", WAITS)
        upload = ["-H", "Content-Type: application/yaml", "--data-binary", "@" + text]
        self.assertEqual(self.curl(*upload, "-H", "Transfer-Encoding: chunked",
                                   url + "/definitions"), "201 1")
        self.assertEqual(self.curl(*upload, "-H", "Expect: 100-continue", url + "/definitions"),
                         "200 1")
        two = ["-H", "Content-Type: application/json", "-d", '{"definition": "waits", "input": {}}',
               url + "/instances"]
        self.assertEqual(self.curl(*two), "201 1")
        # One connection for both; and not, where the client says so.
        both = [url + "/instances", "-o", self.path("other"), url + "/instances"]
        self.assertEqual(self.curl(*both), "200 1200 0")
        self.assertEqual(self.curl("-H", "Connection: close", *both), "200 1200 1")
        self.write("large", "x" * 20_000_000)
        self.assertTrue(self.curl("-T", self.path("large"), url + "/instances/1/variables")
                        .startswith("413"))
        self.stop(child)


class Slow(WireTest):
    TIMES = ("--http-header-timeout", "1s", "--http-body-timeout", "1s", "--http-idle-timeout", "1s")

    def trickle(self, sock, sent):
        """A byte each 50 ms until the server says something; how long that took."""
        begin = time.monotonic()
        for byte in sent:
            sock.send(bytes([byte]))
            if select.select([sock], [], [], 0.05)[0]:
                break
        return time.monotonic() - begin

    def test_who_trickles_is_cut_off_in_time_while_others_are_served(self):
        child = self.serve_dev(*self.TIMES)
        crowd = [self.dial() for _ in range(200)]
        for sock in crowd:
            sock.sendall(request(LIST)[:30])
        begin = time.monotonic()
        for about, before in (("head", b""), ("later head", request(LIST))):
            sock = self.dial()
            if before:
                sock.sendall(before)
                self.assertEqual(read_answer(sock.makefile("rb")).status, 200)
            took = self.trickle(sock, request(LIST, "X-A: " + "a" * 400))
            self.assertTrue(0.8 < took < 10, (about, took))
            self.assert_refused(self.read_all(sock), 408, about)
            self.assert_serves()
        for sock in crowd:
            self.assert_refused(self.read_all(sock), 408, "crowd")
        self.assertLess(time.monotonic() - begin, 30)
        with self.dial() as sock:
            sock.sendall(request(START, "Content-Length: 400"))
            self.assertTrue(0.8 < self.trickle(sock, b" " * 400) < 10)
            self.assert_refused(self.read_all(sock), 408, "body")
        self.stop(child)

    def test_bodies_that_do_not_come_take_nobodys_place(self):
        child = self.serve_dev("--http-max-requests", "5", "--http-body-timeout", "5s")
        crowd = [self.dial() for _ in range(200)]
        for sock in crowd:
            sock.sendall(request(START, "Content-Length: 400") + b" " * 399)
        for _ in range(20):
            self.assert_serves()
        for sock in crowd:
            self.assert_refused(self.read_all(sock), 408, "crowd")
        self.stop(child)

    def test_who_says_nothing_is_cut_off_without_a_word(self):
        child = self.serve_dev(*self.TIMES)
        with self.dial() as fresh, self.dial() as idle:
            idle.sendall(request(LIST))
            self.assertEqual([answer.status for answer in self.read_all(idle)], [200])
            self.assertEqual(self.read_all(fresh), [])
        self.stop(child)

    def deafen(self):
        """A client that asks for more than anybody keeps for it, and reads nothing."""
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        sock.connect(("127.0.0.1", self.port))
        sock.setblocking(False)
        try:
            while True:
                sock.send(request("GET /api/v1/openapi.json") * 50)
        except (BlockingIOError, ConnectionError):
            return sock

    def test_who_does_not_read_costs_little_and_is_cut_off(self):
        child = self.serve_dev("--http-send-timeout", "2s", "--http-max-requests", "5")
        deaf = [self.deafen() for _ in range(5)]
        # They have all places, until they are cut off.
        deadline = time.monotonic() + 30
        for status in (503, 200):
            while self.ask("GET", "/instances").status != status:
                self.assertLess(time.monotonic(), deadline, status)
        with open(f"/proc/{child.pid}/status", encoding="ascii") as file:
            resident = int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1])
        self.assertLess(resident, 400_000)
        self.assertTrue(deaf)
        self.stop(child)


class Crowds(WireTest):
    def test_who_is_served_goes_on_being_served(self):
        count = int(os.environ.get("STELE_TEST_CONNECTIONS", "10000"))
        # Beside the connections, on either side: the log, views, standard streams.
        wanted, allowed = count + 500, open_files()
        if allowed < wanted:
            self.skipTest(f"{count} connections need {wanted} open files, {allowed} are allowed (ulimit -Hn); "
                          "STELE_TEST_CONNECTIONS makes it fewer")
        child = self.serve_dev()
        served = self.connect()
        crowd = []
        for number in range(count):
            sock = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            crowd.append(sock)
            self.addCleanup(sock.close)
            # Some say nothing, some a part, some ask and stay.
            sock.sendall((b"", request(LIST)[:25], request(LIST))[number % 3])
            if number % 100 == 0:
                self.get("/instances", connection=served)
        for sock in crowd[2::3]:
            self.assertEqual(read_answer(sock.makefile("rb")).status, 200)
        begin = time.monotonic()
        for _ in range(100):
            self.get("/instances", connection=served)
        self.assertLess(time.monotonic() - begin, 20)
        for sock in crowd:
            reset(sock)
        self.assert_serves()
        self.stop(child)

    @unittest.skipUnless(shutil.which("wrk"), "there is no wrk")
    def test_starts_in_a_crowd_are_answered_each(self):
        child = self.serve_dev()
        self.register(NOTHING)
        self.write("start.lua", WRK)
        done = subprocess.run(["wrk", "-t", "1", "-c", "32", "-d", "1s", "--timeout", "30s", "-s",
                               self.path("start.lua"), f"http://127.0.0.1:{self.port}/api/v1/instances"],
                              capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        # Requests; errors of connecting, reading, writing; answers other than 2xx and 3xx; timeouts.
        requests, *errors = map(int, re.search(r"^summary\s(.*)$", done.stdout, re.M)[1].split())
        self.assertEqual(errors, [0] * 5, done.stdout)
        self.assertGreater(requests, 100)
        self.stop(child)
        # Those that it did not wait for are there, too.
        started = self.json("stats", "--data", "data", "--json")["counts"]["started"]
        self.assertGreaterEqual(started, requests)

    def test_one_connection_too_many_is_closed_and_the_next_is_not(self):
        child = self.serve_dev("--http-max-connections", "20")
        crowd = [self.dial() for _ in range(20)]
        for sock in crowd:
            sock.sendall(request(LIST))
            self.assertEqual(read_answer(sock.makefile("rb")).status, 200)
        refused = self.dial()
        try:
            refused.sendall(request(LIST))
            self.assertEqual(refused.recv(1), b"")
        except (ConnectionResetError, BrokenPipeError):
            pass
        crowd[0].sendall(request(LIST, "Connection: close"))
        self.assertEqual([answer.status for answer in self.read_all(crowd[0])], [200])
        crowd[0].close()
        # Its end may be seen a moment later than that of the answer.
        deadline = time.monotonic() + 20
        answers = []
        while not answers and time.monotonic() < deadline:
            try:
                answers = self.say(request(LIST, "Connection: close"))
            except ConnectionResetError:
                pass
        self.assertEqual([answer.status for answer in answers], [200])
        self.stop(child)

    def test_overload_is_refused_while_accepted_work_finishes(self):
        child = self.serve_dev("--http-max-requests", "5")
        self.register(WAITS)
        self.post("/instances", {"definition": "waits"}, 201)
        waiting = [self.dial() for _ in range(5)]
        for sock in waiting:
            sock.sendall(request("GET /api/v1/instances/1?wait=60s"))
        self.wait_for_requests(5)
        deadline = time.monotonic() + 20
        answer = self.ask("GET", "/instances")
        self.assertEqual(answer.status, 503, answer.body)
        self.assertEqual(answer.json()["code"], "STL0603")
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        # One of them leaves, and whoever comes is served and ends what the others wait for.
        reset(waiting.pop())
        while self.ask("GET", "/instances").status == 503 and time.monotonic() < deadline:
            pass
        self.post("/tasks/1-1/approve", {"as_operator": True})
        for sock in waiting:
            ended = read_answer(sock.makefile("rb"))
            self.assertEqual((ended.status, ended.json()["status"]), (200, "completed"))
        self.stop(child)

    def test_streams_have_a_bound_of_their_own(self):
        child = self.serve_dev("--http-max-streams", "2")
        streams = [self.dial() for _ in range(2)]
        for sock in streams:
            sock.sendall(request("GET /api/v1/events", "Accept: text/event-stream"))
            self.assertIn(b" 200 ", sock.makefile("rb").readline())
        refused = self.get("/events", 503)
        self.assertEqual(refused["code"], "STL0603")
        self.assert_serves()
        self.stop(child)


if __name__ == "__main__":
    unittest.main()
