#!/usr/bin/env python3
"""What settings of `stele serve` bound, seen by its clients."""

import json
import socket
import unittest

from served import ServedTest

HEAD = b"GET /api/v1/definitions HTTP/1.1\r\nHost: localhost\r\n"


class Bounds(ServedTest):
    def dial(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self.addCleanup(connection.close)
        return connection

    def answer(self, connection):
        connection.sendall(HEAD + b"\r\n")
        return connection.recv(4096)

    def ends(self, connection):
        """Reads up to the end, which comes though nothing more is sent."""
        try:
            while connection.recv(4096):
                pass
        except ConnectionResetError:
            pass

    def test_connections_of_http(self):
        child = self.serve_dev("--http-max-connections", "1")
        first = self.dial()
        self.assertIn(b"200", self.answer(first))
        self.ends(self.dial())
        self.assertIn(b"200", self.answer(first))
        self.stop(child)

    def test_connections_of_rpc(self):
        child = self.serve_dev("--rpc", "unix:" + self.path("rpc.sock"), "--rpc-max-connections", "1")
        connections = [socket.socket(socket.AF_UNIX) for _ in range(2)]
        for connection in connections:
            self.addCleanup(connection.close)
            connection.settimeout(60)
            connection.connect(self.path("rpc.sock"))
        self.ends(connections[1])
        self.stop(child)

    def test_streams_of_events(self):
        child = self.serve_dev("--http-max-streams", "1")
        streams = [self.connect() for _ in range(2)]
        for stream, status in zip(streams, (200, 503)):
            stream.request("GET", "/api/v1/events", headers={"Accept": "text/event-stream"})
            self.assertEqual(stream.getresponse().status, status)
        self.stop(child)

    def test_requests_at_once(self):
        child = self.serve_dev("--http-max-requests", "1")
        self.register("name: waits\nsteps:\n  - {id: ask, type: approval, config: {assignees: [mo]}}\n")
        waiting = self.connect()
        waiting.request("POST", "/api/v1/instances?wait=60s", json.dumps({"definition": "waits"}),
                        {"Content-Type": "application/json"})
        self.wait_for_requests(1)
        other = self.connect()
        self.assertEqual(self.ask("GET", "/definitions", connection=other).status, 503)
        other.request("GET", "/health/live")
        self.assertEqual(other.getresponse().status, 200)
        self.stop(child)
        self.assertEqual(waiting.getresponse().status, 201)

    def test_time_for_a_head_and_between_requests(self):
        for data, setting in enumerate(("--http-header-timeout", "--http-idle-timeout")):
            child = self.serve_dev(setting, "1s", data=str(data))
            connection = self.dial()
            if setting == "--http-header-timeout":
                connection.sendall(HEAD)
            else:
                self.answer(connection)
            self.ends(connection)
            self.stop(child)

    def test_time_for_a_body(self):
        child = self.serve_dev("--http-body-timeout", "1s")
        connection = self.dial()
        connection.sendall(b"POST /api/v1/instances HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Type: application/json\r\nContent-Length: 10\r\n\r\n{")
        self.assertIn(b"408", connection.recv(4096).split(b"\r\n")[0])
        self.stop(child)


class Pages(ServedTest):
    def test_of_other_origins(self):
        self.write("stele.yaml", "cors: {origins: [https://a.example, https://b.example], headers: X-Own,\n"
                   "       credentials: true, max_age: 2m}\n")
        child = self.serve_dev("--config", "stele.yaml")
        connection = self.connect()
        for origin, allowed in (("https://b.example", "https://b.example"), ("https://c.example", None)):
            connection.request("OPTIONS", "/api/v1/instances", headers={
                "Origin": origin, "Access-Control-Request-Method": "POST"})
            answer = connection.getresponse()
            answer.read()
            self.assertEqual(answer.headers["Access-Control-Allow-Origin"], allowed)
            if allowed:
                self.assertEqual(answer.headers["Access-Control-Allow-Credentials"], "true")
                self.assertEqual(answer.headers["Access-Control-Max-Age"], "120")
                self.assertIn("X-Own", answer.headers["Access-Control-Allow-Headers"])
                self.assertIn("Idempotency-Key", answer.headers["Access-Control-Allow-Headers"])
        self.stop(child)


if __name__ == "__main__":
    unittest.main()
