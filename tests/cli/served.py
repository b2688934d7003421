"""A `stele serve` with edges, and HTTP requests to it."""

import http.client
import json
import os
import re
import signal

from program import ProgramTest

# So many threads for connections; empty: as many as the program likes here.
LOOPS = os.environ.get("STELE_TEST_CONNECTION_LOOPS", "")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class ServedTest(ProgramTest):
    def serve(self, *words, data="data"):
        """The server, when it listens; self.port is that of its HTTP edge."""
        if LOOPS:
            words = ("--connection-loops", LOOPS, *words)
        child = self.start("serve", "--data", data, "--http", "127.0.0.1:0", *words)
        said = self.wait_for_line(child, "http")
        self.port = int(re.search(r"https?://127\.0\.0\.1:(\d+)", said)[1])
        return child

    def serve_dev(self, *words, **more):
        return self.serve("--dev", *words, **more)

    def stop(self, child, code=0):
        child.send_signal(signal.SIGTERM)
        self.assertEqual(child.wait(timeout=60), code)

    def connect(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.addCleanup(connection.close)
        return connection

    def wait_for_requests(self, count):
        """Until so many are in progress: at a --dev server, by its figures, which take no place."""
        connection = self.connect()
        figures = ""
        while f"\nstele_http_requests_in_progress {count}\n" not in figures:
            connection.request("GET", "/metrics")
            figures = connection.getresponse().read().decode()

    def ask(self, method, path, body=None, token=None, connection=None, **headers):
        """Headers are given with underscores. A body that is no text is sent as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        if token:
            sent["Authorization"] = "Bearer " + token
        connection = connection or self.connect()
        connection.request(method, "/api/v1" + path, body, sent)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())

    def get(self, path, status=200, **more):
        answer = self.ask("GET", path, **more)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json()

    def post(self, path, body=None, status=200, **more):
        answer = self.ask("POST", path, body, **more)
        self.assertEqual(answer.status, status, answer.body)
        return answer.json() if answer.body else None

    def register(self, text, **more):
        return self.post("/definitions", text, 201, Content_Type="application/yaml", **more)
