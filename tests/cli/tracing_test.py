#!/usr/bin/env python3
"""Traces: what a collector is told of, and what tasks are handed."""

import gzip
import json
import queue
import re
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from served import ServedTest

GIVEN_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN_SPAN = "00f067aa0ba902b7"
GIVEN = f"00-{GIVEN_TRACE}-{GIVEN_SPAN}-01"
SHIPPING = """
name: shipping
steps:
  - {id: label, type: script, config: {script: 'echo "seen=$TRACEPARENT" >> $STELE_OUTPUTS'}}
outputs: {seen: steps.label.output.seen}
"""
ORDER = """
name: order
variables: {shop: ""}
steps:
  - id: reserve
    type: http
    retry_policy: {max_attempts: 3, initial_delay: "1ms"}
    config: {url: "{{variables.shop}}/reserve"}
  - id: note
    type: script
    depends_on: [reserve]
    config: {script: 'echo "seen=$TRACEPARENT" >> $STELE_OUTPUTS'}
  - {id: pack, type: agent, depends_on: [note], config: {}}
  - {id: ship, type: call, depends_on: [pack], config: {workflow: shipping}}
outputs:
  note: steps.note.output.seen
  label: steps.ship.output.seen
"""
CHOSEN = """
name: chosen
variables: {shop: ""}
steps:
  - {id: ask, type: http, config: {url: "{{variables.shop}}/reserve", headers: {Traceparent: mine}}}
"""
HOOKED = """
name: hooked
steps:
  - {id: note, type: script, config: {script: 'echo "seen=$TRACEPARENT" >> $STELE_OUTPUTS'}}
triggers:
  - {type: webhook, path: /webhook/orders}
outputs: {seen: steps.note.output.seen}
"""


class Server(ThreadingHTTPServer):
    """Answers with what `answer(handler, body)` gives: a status and a body."""
    daemon_threads = True

    def __init__(self, answer):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                status, text = answer(self, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.handle_error = lambda *_: None
        threading.Thread(target=self.serve_forever, daemon=True).start()


class TracingTest(ServedTest):
    def setUp(self):
        super().setUp()
        self.spans, self.requests, self.asked = [], [], []
        self.told = queue.Queue()
        self.collector = self.run_server(self.take)
        self.shop = self.run_server(self.sell)

    def run_server(self, answer):
        server = Server(answer)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def take(self, handler, body):
        """What a collector does: keeps the spans."""
        self.requests.append(handler)
        told = json.loads(gzip.decompress(body))
        for resource in told["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    span["attributes"] = {
                        each["key"]: next(iter(each["value"].values()))
                        for each in span["attributes"]}
                    span["resource"] = {each["key"]: each["value"]["stringValue"]
                                        for each in resource["resource"]["attributes"]}
                    self.spans.append(span)
                    self.told.put(span)
        return 200, b"{}"

    def sell(self, handler, _):
        """Fails the first time."""
        self.asked.append(handler.headers.get("traceparent"))
        return (503, b"") if len(self.asked) == 1 else (200, b"{}")

    def serve_traced(self, *words):
        return self.serve_dev("--trace-endpoint", self.collector.url + "/v1/traces", *words)

    def await_span(self, name):
        while all(span["name"] != name for span in self.spans):
            self.told.get(timeout=60)
        return self.named(name)

    def named(self, name):
        found = [span for span in self.spans if span["name"] == name]
        self.assertEqual(len(found), 1, (name, found))
        return found[0]

    def work(self):
        """The task of the step "pack", done."""
        task, = self.post("/workers/poll", {"types": ["agent"], "wait": "60s"})["tasks"]
        self.post(f"/worker-tasks/{task['lease']}/complete", {"output": {}})
        return task

    def start_order(self, **headers):
        self.register(SHIPPING)
        self.register(ORDER)
        return self.post("/instances", {"definition": "order",
                                        "variables": {"shop": self.shop.url}}, 201, **headers)["id"]

    def await_end(self, instance):
        ended = self.get(f"/instances/{instance}?wait=60s")
        self.assertEqual(ended["status"], "completed", ended)
        return ended


class Told(TracingTest):
    def test_of_a_workflow_with_a_retry_a_worker_and_a_child(self):
        child = self.serve_traced("--trace-service", "north", "--log", self.path("log"))
        instance = self.start_order(traceparent=GIVEN, tracestate="a=b")
        self.get(f"/instances/{instance}")
        task = self.work()
        ended = self.await_end(instance)
        self.stop(child)

        order = self.named("order")
        self.assertEqual((order["traceId"], order["parentSpanId"]), (GIVEN_TRACE, GIVEN_SPAN))
        self.assertEqual(order["resource"]["service.name"], "north")
        self.assertEqual(order["status"]["code"], 1)
        attributes = order["attributes"]
        self.assertEqual(attributes["stele.instance"], str(instance))
        self.assertEqual(attributes["stele.status"], "completed")
        shipping = self.named("shipping")
        tree = {"reserve": order, "note": order, "pack": order, "ship": order,
                "note attempt": self.named("note"), "pack attempt": self.named("pack"),
                "ship attempt": self.named("ship"), "shipping": self.named("ship"),
                "label": shipping, "label attempt": self.named("label")}
        for name, parent in tree.items():
            span = self.named(name)
            self.assertEqual((name, span["traceId"]), (name, GIVEN_TRACE))
            self.assertEqual((name, span["parentSpanId"]), (name, parent["spanId"]))
            self.assertEqual((name, span["status"]["code"]), (name, 1))
            self.assertLessEqual(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]))
            # Recorded a little apart: an attempt begins with its run, and a child within its call.
            self.assertGreaterEqual(int(span["startTimeUnixNano"]), int(parent["startTimeUnixNano"]))
            self.assertLessEqual(int(span["endTimeUnixNano"]), int(parent["endTimeUnixNano"]))

        attempts = sorted((span for span in self.spans if span["name"] == "reserve attempt"),
                          key=lambda span: int(span["startTimeUnixNano"]))
        self.assertEqual([span["attributes"]["stele.attempt"] for span in attempts], ["1", "2"])
        self.assertEqual([span["status"]["code"] for span in attempts], [2, 1])
        self.assertEqual(attempts[0]["attributes"]["error.type"], "http_status")
        self.assertGreaterEqual(int(attempts[1]["startTimeUnixNano"]),
                                int(attempts[0]["endTimeUnixNano"]))
        self.assertEqual({span["parentSpanId"] for span in attempts},
                         {self.named("reserve")["spanId"]})
        self.assertEqual(len(self.spans), len({span["spanId"] for span in self.spans}))
        self.assertEqual(len(self.spans), 13)

        # What each of them was handed is the span of its attempt.
        def handed(span):
            return f"00-{GIVEN_TRACE}-{span['spanId']}-01"
        self.assertEqual(self.asked, [handed(span) for span in attempts])
        self.assertEqual(task["trace_parent"], handed(self.named("pack attempt")))
        self.assertEqual(ended["output"]["note"], handed(self.named("note attempt")))
        self.assertEqual(ended["output"]["label"], handed(self.named("label attempt")))
        self.assertNotIn(self.shop.url, json.dumps(self.spans), "an input is told of")

        with open(self.path("log"), encoding="utf-8") as log:
            lines = [json.loads(line) for line in log]
        about = [line for line in lines if line.get("instance") == instance]
        self.assertTrue(about)
        self.assertEqual({line.get("trace_id", GIVEN_TRACE) for line in about}, {GIVEN_TRACE})
        self.assertIn(GIVEN_TRACE, [line.get("trace_id") for line in about])

    def test_of_an_instance_that_nobody_has_traced_before(self):
        child = self.serve_traced()
        self.register(SHIPPING)
        for bad in ("nonsense", GIVEN.replace("00-", "ff-", 1), GIVEN.upper(), ""):
            self.spans.clear()
            instance = self.post("/instances", {"definition": "shipping"}, 201,
                                 traceparent=bad)["id"]
            seen = self.await_end(instance)["output"]["seen"]
            span = self.await_span("shipping")
            self.assertNotIn("parentSpanId", span)
            self.assertNotEqual(span["traceId"], GIVEN_TRACE)
            self.assertIn(span["traceId"], seen)
        self.stop(child)

    def test_of_what_began_before_a_restart(self):
        child = self.serve_traced()
        instance = self.start_order()
        task, = self.post("/workers/poll", {"types": ["agent"], "wait": "60s"})["tasks"]
        self.stop(child)
        before = {span["name"] for span in self.spans}
        self.assertIn("note attempt", before)
        self.assertNotIn("pack attempt", before)
        child = self.serve_traced()
        again = self.work()
        self.await_end(instance)
        self.stop(child)
        self.assertEqual(again["trace_parent"], task["trace_parent"])
        self.assertIn(self.named("pack attempt")["spanId"], again["trace_parent"])
        self.assertLess(int(self.named("order")["startTimeUnixNano"]),
                        int(self.named("note")["endTimeUnixNano"]))
        self.assertEqual(self.named("pack")["parentSpanId"], self.named("order")["spanId"])

    def test_of_a_request_to_a_webhook(self):
        child = self.serve_traced()
        self.register(HOOKED)
        while not self.get("/triggers")["triggers"]:
            pass
        connection = self.connect()
        connection.request("POST", "/webhook/orders", "{}", {"traceparent": GIVEN,
                                                             "Content-Type": "application/json"})
        self.assertEqual(connection.getresponse().status, 202)
        self.assertEqual(self.await_span("hooked")["parentSpanId"], GIVEN_SPAN)
        self.stop(child)

    def test_of_the_share_that_is_asked_for(self):
        child = self.serve_traced("--trace-ratio", "0")
        self.register(SHIPPING)
        quiet = self.post("/instances", {"definition": "shipping"}, 201)["id"]
        self.assertRegex(self.await_end(quiet)["output"]["seen"], r"-00$")
        loud = self.post("/instances", {"definition": "shipping"}, 201, traceparent=GIVEN)["id"]
        self.await_end(loud)
        self.stop(child)
        self.assertEqual({span["attributes"]["stele.instance"] for span in self.spans}, {str(loud)})

    def test_with_the_headers_of_a_file(self):
        path = self.write("headers", "# of the collector\nX-Api-Key: s3cret\n\n X-Tenant : north \n")
        child = self.serve_traced("--trace-headers-file", path)
        self.register(SHIPPING)
        self.post("/instances", {"definition": "shipping"}, 201)
        self.await_span("shipping")
        self.stop(child)
        headers = self.requests[0].headers
        self.assertEqual((headers["X-Api-Key"], headers["X-Tenant"]), ("s3cret", "north"))
        self.assertEqual(self.requests[0].path, "/v1/traces")


class Handed(TracingTest):
    def test_what_the_command_line_was_started_with(self):
        path = self.write("shipping.yml", SHIPPING)
        for words, variables in ((("--trace-parent", GIVEN), {}), ((), {"TRACEPARENT": GIVEN})):
            done = self.json("run", path, "--json", *words, **variables)
            self.assertRegex(done["output"]["seen"], rf"^00-{GIVEN_TRACE}-[0-9a-f]{{16}}-01$")
        self.assertEqual(self.json("run", path, "--json")["output"]["seen"], "", "there is no trace")
        self.stele("verify")

    def test_nothing_in_place_of_what_a_step_says_itself(self):
        path = self.write("chosen.yml", CHOSEN)
        self.asked.append("not the first one")
        self.stele("run", path, "--var", f"shop={self.shop.url}", "--trace-parent", GIVEN)
        self.assertEqual(self.asked[1:], ["mine"])

    def test_an_instances_trace_is_in_its_history(self):
        path = self.write("shipping.yml", SHIPPING)
        self.stele("run", path, "--trace-parent", GIVEN)
        self.assertEqual(self.history()[0]["trace_parent"], GIVEN)


class Unheard(TracingTest):
    def test_a_collector_that_is_down_costs_spans_alone(self):
        self.collector.shutdown()
        self.collector.server_close()
        child = self.serve_traced()
        self.register(SHIPPING)
        for _ in range(3):
            self.await_end(self.post("/instances", {"definition": "shipping"}, 201)["id"])
        connection = self.connect()
        while True:
            connection.request("GET", "/metrics")
            figures = connection.getresponse().read().decode()
            if float(re.search(r"^stele_span_requests_failed_total (\S+)", figures, re.M)[1]) > 0:
                break
        self.assertIn("stele_spans_queued ", figures)
        self.stop(child)
        said = child.stderr.read()
        self.assertIn("the collector of traces does not take spans", said)
        self.assertRegex(said, r"9 spans of traces were not told of")


class Refused(TracingTest):
    def refused(self, *words, said):
        self.assertIn(said, self.stele("serve", "--dev", "--http", "127.0.0.1:0", *words,
                                       code=2).stderr)

    def test_are_settings_that_say_nothing(self):
        self.refused("--trace-endpoint", "ftp://x/", said="tracing.endpoint")
        self.refused("--trace-ratio", "2", said="Expected a number from 0 to 1")
        self.refused("--trace-ratio", "all", said="tracing.ratio (flag --trace-ratio)")
        url = ("--trace-endpoint", self.collector.url)
        self.refused(*url, "--trace-headers-file", "none", said="Expected a file")
        self.refused("--trace-headers-file", "none", said="tracing.headers_file")
        path = self.write("headers", "X: 1\nkey without a colon s3cret\n")
        done = self.stele("serve", "--dev", *url, "--trace-headers-file", path, code=2).stderr
        self.assertIn("line 2", done)
        self.assertNotIn("s3cret", done)


if __name__ == "__main__":
    unittest.main()
