#!/usr/bin/env python3
"""Task types of a user's own: their schemas are held to, their server does the work."""

import http.server
import json
import threading
import unittest

from program import ProgramTest

SCHEMA = json.dumps({"type": "object", "properties": {"width": {"type": "integer", "minimum": 1}},
                     "required": ["width"]})
STEPS = """
name: "sized"
steps:
  - id: "resize"
    type: "custom:resize"
    config: {width: %s}
"""


class Server(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((dict(self.headers), body))
        answer = json.dumps({"size": body["config"]["width"] * 2}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


class Types(ProgramTest):
    def serve(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        server.seen = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(server.server_close)
        self.addCleanup(thread.join)
        self.addCleanup(server.shutdown)
        return server

    def register(self, *words, code=0):
        return self.stele("types", "register", "resize", "--schema",
                          self.write("schema.json", SCHEMA), *words, code=code)

    def test_its_server_does_the_work(self):
        server = self.serve()
        url = f"http://127.0.0.1:{server.server_port}/run"
        self.register("--url", url, "--header", "X-Team: images")
        file = self.write("sized.yml", STEPS % 3)
        self.assertIn("size: 6", self.stele("run", file).stdout)
        headers, body = server.seen[0]
        self.assertEqual(headers["X-Team"], "images")
        self.assertEqual(body["config"], {"width": 3})
        self.stele("definitions", "register", file)
        self.assertIn("size: 6", self.stele("start", "sized").stdout)
        self.stele("verify")

    def test_configurations_are_checked_against_the_schema(self):
        self.register("--worker")
        for width in ("0", '"wide"', "null"):
            with self.subTest(width):
                file = self.write("sized.yml", STEPS % width)
                self.assertRegex(self.stele("run", file, code=2).stderr, r"sized\.yml:\d+:\d+: STL0505")
                self.assertIn("STL0505", self.stele("definitions", "register", file, code=2).stderr)
        file = self.write("sized.yml", STEPS % '"{{ variables.w }}"')
        self.stele("validate", self.write("sized.yml", STEPS % "1"), "--data", "stele-data")
        self.stele("validate", file)  # the default directory

    def test_a_workers_step_waits_for_one(self):
        self.register("--worker")
        document = self.json("run", self.write("sized.yml", STEPS % 1), "--json", code=3)
        self.assertEqual(document["status"], "waiting")
        waiting, = document["waiting_for"]
        self.assertEqual((waiting["for"], waiting["type"]), ("worker", "resize"))
        stubbed = self.json("run", self.path("sized.yml"), "--stub", 'resize={"size": 1}', "--json")
        self.assertEqual(stubbed["output"], {"size": 1})

    def test_agent_is_a_workers_type(self):
        self.stele("types", "register", "agent", "--worker", "--schema",
                   self.write("schema.json", "{}"))
        file = self.write("a.yml", 'name: "a"\nsteps:\n  - {id: "ask", type: "agent"}\n')
        self.assertEqual(self.json("run", file, "--json", code=3)["status"], "waiting")
        self.stele("types", "register", "agent", "--schema", self.path("schema.json"),
                   "--url", "http://127.0.0.1:9/")
        self.assertEqual(self.json("run", file, "--json", code=1)["error"]["kind"], "connect")

    def test_lists_replaces_and_removes(self):
        self.register("--worker")
        self.assertIn("replaced", self.register("--url", "http://127.0.0.1:9/").stdout)
        self.assertIn("width", self.stele("types", "list").stdout)
        listed, = self.json("types", "list", "--json")
        self.assertEqual((listed["type"], listed["url"]), ("resize", "http://127.0.0.1:9/"))
        self.stele("types", "remove", "resize")
        self.assertIn("no types", self.stele("types", "list").stdout)
        self.assertIn("STL0701", self.stele("types", "remove", "resize", code=2).stderr)
        file = self.write("sized.yml", STEPS % 1)
        self.assertIn("STL0107", self.stele("run", file, code=2).stderr)

    def test_what_is_no_type_is_refused(self):
        schema = self.write("schema.json", SCHEMA)
        bad = self.write("bad.json", '{"type": 5}')
        for words in (["script", "--schema", schema, "--worker"], ["a b", "--schema", schema,
                      "--worker"], ["x", "--worker"], ["x", "--schema", schema],
                      ["x", "--schema", bad, "--worker"], ["x", "--schema", "none", "--worker"],
                      ["x", "--schema", schema, "--url", "ftp://x"],
                      ["x", "--schema", schema, "--url", "http://x", "--header", "none"],
                      ["x", "--schema", schema, "--worker", "--secret", "S"]):
            with self.subTest(words):
                self.assertIn("STL", self.stele("types", "register", *words, code=2).stderr)
        self.assertIn("STL0306", self.stele("types", "list", code=2).stderr)

    def test_a_secret_that_is_missing_fails_the_step(self):
        self.register("--url", "http://127.0.0.1:9/", "--secret", "SIGNING")
        document = self.json("run", self.write("sized.yml", STEPS % 1), "--json", code=1)
        self.assertEqual(document["error"]["kind"], "config")
        self.assertIn("SIGNING", document["error"]["message"])


if __name__ == "__main__":
    unittest.main()
