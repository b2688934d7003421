#!/usr/bin/env python3
"""What a server makes of clients that mean harm: bombs, injected lines, forged tokens, garbage at
the RPC port, and requests made at random from a fixed seed."""

import base64
import collections
import gzip
import hashlib
import hmac
import itertools
import json
import os
import random
import re
import socket
import struct
import time
import unittest
from urllib.parse import quote

from wires import WireTest, as_json, read_answer, request, reset

PLAIN = """
name: "plain"
steps:
  - {id: "ask", type: "approval", config: {assignees: ["mo"]}}
"""
PASSWORD = "quite-a-good-one-7"


def send_to_the_end(sock, sent):
    """Sends it, and reads until the server has closed its side, perhaps before all was sent."""
    try:
        sock.sendall(sent)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    except OSError:
        pass


def resident_kb(child):
    with open(f"/proc/{child.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1])


class Bombs(WireTest):
    def test_documents_that_grow_are_refused_at_little_cost(self):
        child = self.serve_dev()
        self.register(PLAIN)
        self.post("/instances", {"definition": "plain", "input": {"a": 1}}, 201)
        before, begin = resident_kb(child), time.monotonic()
        zeros = gzip.compress(b"0" * 200_000_000)
        twice = gzip.compress(gzip.compress(b" " * 50_000_000))
        start = b'{"definition": "plain", "input": {"a": %s}}'
        for about, statuses, body, fields in [
                ("deep lists", {400, 413}, start % (b"[" * 100_000 + b"]" * 100_000), {}),
                ("deep lists without an end", {400, 413}, b"[" * 3_000_000, {}),
                ("deep objects", {400, 413}, b'{"a":' * 100_000 + b"1" + b"}" * 100_000, {}),
                ("a huge exponent", {400}, start % b"1e999999999", {}),
                ("a long number", {400}, start % (b"9" * 1_000_000), {}),
                ("a number without an end", {400}, start % b"-", {}),
                ("many keys of one name", {400}, b'{"a":1,' * 1 + b'"a":1,' * 100_000 + b'"a":1}', {}),
                ("half a text", {400}, start % b'"\\ud800"', {}),
                ("no UTF-8", {400}, start % b'"\xff\xfe"', {}),
                ("a NUL", {400}, start % b'"\0"', {}),
                ("too large", {413}, start % (b'"' + b"a" * 20_000_000 + b'"'), {}),
                ("gzip of zeros", {413}, zeros, {"Content_Encoding": "gzip"}),
                ("gzip of gzip", {400}, twice, {"Content_Encoding": "gzip"}),
                ("half a gzip", {400}, zeros[:1000], {"Content_Encoding": "gzip"}),
                ("two codings", {400, 415}, zeros, {"Content_Encoding": "gzip, gzip"}),
                ("definition of aliases", {400, 413, 422},
                 b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
                     b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9))
                     for i in range(12)), {"Content_Type": "application/yaml"})]:
            with self.subTest(about):
                path = "/definitions" if "Content_Type" in fields else "/instances"
                fields = {"Content_Type": "application/json"} | fields
                answers = self.post_raw(path, body, fields)
                self.assertIn(answers.status, statuses, (about, answers.body[:200]))
                self.assertRegex(answers.json()["code"], "^STL[0-9]{4}$")
        many = b"{" + b",".join(b'"k%d":%d' % (i, i) for i in range(100_000)) + b"}"
        self.assertIn(self.post_raw("/instances", start % many,
                                    {"Content_Type": "application/json"}).status, (201, 413, 422))
        self.assert_serves()
        self.assertLess(time.monotonic() - begin, 60)
        self.assertLess(resident_kb(child) - before, 300_000)
        self.stop(child)

    def post_raw(self, path, body, fields):
        connection = self.connect()
        sent = {name.replace("_", "-"): value for name, value in fields.items()}
        try:
            connection.request("POST", "/api/v1" + path, body, sent)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the answer came before the end of what was sent
        return self.answer_of(connection)

    def answer_of(self, connection):
        return read_answer(connection.sock.makefile("rb"))


class Injected(WireTest):
    LINES = ("\r\nX-Injected: 1", "\nX-Injected: 1", "\r\n\r\nHTTP/1.1 200 OK\r\n", "\0", "\u2028")

    def test_no_text_of_a_client_becomes_a_line_of_a_head(self):
        child = self.serve_dev("--cors-origin", "*")
        self.register(PLAIN)
        for line in self.LINES:
            path = quote("a" + line, safe="")
            sent = [request(f"GET /api/v1/definitions/{path}"), request(f"GET /api/v1/{path}"),
                    request(f"GET /api/v1/instances?{path}=1"),
                    request(f"GET /api/v1/instances?query={path}"),
                    request(f"GET /api/v1/definitions/{path}/source"),
                    request(f"PUT /api/v1/types/{path}", "Content-Type: application/json", body=b"{}"),
                    request("OPTIONS /api/v1/instances", f"Origin: https://a{path}",
                            "Access-Control-Request-Method: POST"),
                    request("GET /api/v1/instances", f"X-Request-Id: a{path}"),
                    request("POST /api/v1/instances", "Content-Type: application/json",
                            body=as_json({"definition": "plain", "business_key": "k" + line,
                                          "idempotency_key": "i" + line, "input": {"a": line}}))]
            for one in sent:
                answers = self.say(one + request("GET /health", "Connection: close"))
                self.assertEqual(len(answers), 2, (one, [answer.body for answer in answers]))
                for answer in answers:
                    self.assertNotIn("x-injected", answer.headers, one)
                self.assertLess(answers[0].status, 500, one)
                self.assertEqual(answers[1].status, 200, one)
        self.stop(child)

    def test_no_path_leads_to_a_file(self):
        child = self.serve_dev()
        up = ("../" * 8, "..%2f" * 8, "%2e%2e/" * 8, "%2e%2e%2f" * 8, "..%5c" * 8, "..;/" * 8,
              "%252e%252e/" * 8, "....//" * 8, "%c0%ae%c0%ae/" * 8, "..%00/" * 8)
        for begin in ("/", "/console/", "/api/v1/", "/api/v1/definitions/", "/webhook/", "/static/"):
            for step in up:
                for end in ("etc/passwd", "proc/self/environ", "data/token.key"):
                    answer, = self.say(request(f"GET {begin}{step}{end}", "Connection: close"))
                    self.assertIn(answer.status, (400, 401, 404, 405), (begin, step))
                    self.assertNotIn(b"root:", answer.body)
        self.stop(child)


class Forged(WireTest):
    def admit(self):
        child = self.serve()
        said = self.wait_for_line(child, "password: ")
        first = re.search(r'one-time password: (\S+)', said)[1]
        token = self.post("/auth/login", {"name": "admin", "password": first})["token"]
        return child, self.post("/auth/password", {"old_password": first, "new_password": PASSWORD},
                                token=token)["token"]

    @staticmethod
    def encode(value):
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @staticmethod
    def decode(part):
        return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))

    def sign(self, head, claims, key, digest=hashlib.sha256):
        text = self.encode(head) + "." + self.encode(claims)
        return text + "." + self.encode(hmac.new(key, text.encode(), digest).digest())

    def test_tokens_that_nobody_gave_count_for_nothing(self):
        child, token = self.admit()
        with open(self.path("data/token.key"), encoding="ascii") as file:
            key = bytes.fromhex(file.read().strip())
        head, claims = (self.decode(part) for part in token.split(".")[:2])
        # What is made here counts when nothing is wrong with it.
        self.assertEqual(self.get("/auth/me", token=self.sign(head, claims, key))["name"], "admin")
        text = token.rsplit(".", 1)[0]
        late = claims | {"exp": int(time.time()) - 3600}
        forged = {
            "none": self.encode(head | {"alg": "none"}) + "." + self.encode(claims) + ".",
            "None": self.encode(head | {"alg": "nOnE"}) + "." + self.encode(claims) + ".",
            "no signature": text + ".",
            "no dot": text,
            "other key": self.sign(head, claims, b"k" * 32),
            "empty key": self.sign(head, claims, b""),
            "other claims": self.encode(head) + "." + self.encode(claims | {"sub": "root"}) + "." +
                            token.rsplit(".", 1)[1],
            "expired": self.sign(head, late, key),
            "never ends": self.sign(head, {k: v for k, v in claims.items() if k != "exp"}, key),
            "not yet": self.sign(head, claims | {"nbf": int(time.time()) + 3600}, key),
            "other issuer": self.sign(head, claims | {"iss": "evil"}, key),
            "nobody": self.sign(head, claims | {"sub": "nobody-there"}, key),
            "RS256 by our secret": self.sign(head | {"alg": "RS256"}, claims, key),
            "HS512": self.sign(head | {"alg": "HS512"}, claims, key, hashlib.sha512),
            "kid of a file": self.sign(head | {"kid": "../../../../dev/null"}, claims, b""),
            "kid of a query": self.sign(head | {"kid": "x' UNION SELECT 'k'--"}, claims, b"k"),
            "kid of a number": self.sign(head | {"kid": 1}, claims, b"k" * 32),
            "key in the head": self.sign(head | {"jwk": {"kty": "oct", "k": self.encode(b"k" * 32)}},
                                         claims, b"k" * 32),
            "key elsewhere": self.sign(head | {"jku": "http://127.0.0.1:1/keys"}, claims, b"k" * 32),
            "must be understood": self.sign(head | {"crit": ["x"], "x": 1}, claims, key),
            "twice the same claim": self.sign(
                head, json.dumps(claims)[:-1].encode() + b',"sub":"root"}', key),
            "deep claims": self.sign(head, b"[" * 2000 + b"]" * 2000, key),
            "padded": token + "=",
            "long": token + "A" * 20_000,
            "empty": "",
            "blanks": " . . ",
        }
        for about, one in forged.items():
            with self.subTest(about):
                answer = self.ask("GET", "/auth/me", token=one or " ")
                self.assertEqual(answer.status, 401, (about, answer.body))
                self.assertIn(answer.json()["code"], ("STL1001", "STL1003"), about)
        # Nor does a role that somebody writes in, where the account has another.
        self.ask("PUT", "/users/bo", {"role": "viewer"}, token)
        for changed in ({"sub": "bo", "role": "admin"}, {"sub": "bo", "roles": ["admin"]}):
            answer = self.ask("GET", "/users", token=self.sign(head, claims | changed, key))
            self.assertIn(answer.status, (401, 403), changed)
        self.get("/auth/me", token=token)
        self.stop(child)

    def test_who_guesses_passwords_waits(self):
        child, token = self.admit()
        statuses = []
        while 429 not in statuses and len(statuses) < 20:
            answer = self.ask("POST", "/auth/login", {"name": "admin", "password": "wrong-wrong-1"})
            statuses.append(answer.status)
        self.assertEqual(statuses[-1], 429, statuses)
        self.assertEqual(set(statuses[:-1]), {401})
        self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        # Who is in stays in, and the right password waits, too.
        self.get("/auth/me", token=token)
        self.assertEqual(self.ask("POST", "/auth/login", {"name": "admin", "password": PASSWORD})
                         .status, 429)
        self.stop(child)


class WebSockets(WireTest):
    HANDSHAKE = request("GET /api/v1/events", "Connection: Upgrade", "Upgrade: websocket",
                        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")

    def test_frames_that_are_none_end_their_connection_alone(self):
        child = self.serve_dev("--http-max-streams", "1")
        masked = b"\x80\0\0\0\0"
        seed = random.Random(3)
        for about, sent in [
                ("noise", seed.randbytes(50_000)), ("requests", request("GET /health") * 100),
                ("a length of 63 bits", b"\x82\xff" + b"\x7f" + b"\xff" * 7 + b"\0\0\0\0data"),
                ("a length of 64 bits", b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0data"),
                ("a large message", b"\x82\xff" + struct.pack(">Q", 3_000_000) + b"\0" * 3_000_004),
                ("reserved bits", b"\xf1" + masked), ("a reserved code", b"\x83" + masked),
                ("a long ping", b"\x89\xfe\x01\0\0\0\0\0" + b"p" * 256),
                ("many pings", (b"\x89" + masked) * 20_000),
                ("a part that goes on with nothing", b"\x00" + masked),
                ("half a frame", b"\x82\xff"), ("a close of one byte", b"\x88\x81\0\0\0\0x")]:
            with self.subTest(about), self.dial() as sock:
                sock.sendall(self.HANDSHAKE)
                self.assertIn(b" 101 ", sock.recv(13, socket.MSG_WAITALL))
                send_to_the_end(sock, sent)
            # Its place is free again.
            deadline = time.monotonic() + 20
            while self.free_places() == 0:
                self.assertLess(time.monotonic(), deadline, about)
        self.assert_serves()
        self.stop(child)

    def free_places(self):
        with self.dial() as sock:
            sock.sendall(request("GET /api/v1/events", "Accept: text/event-stream"))
            return int(b" 200 " in sock.recv(13, socket.MSG_WAITALL))


# A call for the server's first capability: a whole message of rpc.capnp.
BOOTSTRAP = struct.pack("<IIQQQQQ", 0, 5, 1 << 48 | 1 << 32, 8, 1 << 48 | 1 << 32, 0, 0)


class Rpc(WireTest):
    def serve_both(self):
        child = self.start("serve", "--dev", "--http", "127.0.0.1:0", "--rpc", "127.0.0.1:0")
        said = self.wait_for_line(child, "http://", "rpc at")
        self.port = int(re.search(r"http://127\.0\.0\.1:(\d+)", said)[1])
        self.rpc = int(re.search(r"rpc at 127\.0\.0\.1:(\d+)", said)[1])
        return child

    def assert_answers(self, sock=None):
        """A call is answered: with a `return`."""
        sock = sock or self.dial(self.rpc)
        sock.sendall(BOOTSTRAP)
        got = b""
        while len(got) < 24:
            piece = sock.recv(4096)
            self.assertTrue(piece, "it was closed")
            got += piece
        segments = struct.unpack_from("<I", got)[0] + 1
        begin = (4 + 4 * segments + 7) // 8 * 8
        self.assertEqual(struct.unpack_from("<H", got, begin + 8)[0], 3)

    def test_bytes_that_are_no_message_end_their_connection_alone(self):
        child = self.serve_both()
        self.assert_answers()
        stays = self.dial(self.rpc)
        seed = random.Random(7)
        many = struct.pack("<I", 0xFFFFFFFF)
        for about, sent in [
                ("text", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 10),
                ("every bit", b"\xff" * 4096), ("noise", seed.randbytes(100_000)),
                ("segments without number", many + b"\0" * 4096),
                ("many segments", struct.pack("<I", 511) + b"\0" * 8192),
                ("a huge segment", struct.pack("<II", 0, 0xFFFFFFFF) + b"\0" * 4096),
                ("huge segments", struct.pack("<IIII", 2, *[0x7FFFFFFF] * 3) + b"\0" * 4096),
                ("a pointer out of the message", struct.pack("<IIQ", 0, 1, 0xFFFFFFFF00007FF0)),
                ("a far pointer", struct.pack("<IIQ", 0, 1, 0x0000000500000002)),
                ("a list without end", struct.pack("<IIQ", 0, 1, 0xFFFFFFFF00000001)),
                ("an unknown message", BOOTSTRAP[:16] + struct.pack("<Q", 999) + BOOTSTRAP[24:]),
                ("nothing in it", struct.pack("<II", 0, 0))]:
            with self.subTest(about), self.dial(self.rpc) as sock:
                send_to_the_end(sock, sent)
                self.assert_answers()
        self.assert_answers(stays)
        self.assert_serves()
        self.stop(child)

    def test_clients_that_go_in_the_middle_and_crowds_of_them(self):
        child = self.serve_both()
        stays = self.dial(self.rpc)
        for cut in range(len(BOOTSTRAP)):
            reset_this = self.dial(self.rpc)
            reset_this.sendall(BOOTSTRAP[:cut])
            (reset if cut % 2 else socket.socket.close)(reset_this)
        crowd = [self.dial(self.rpc) for _ in range(500)]
        for number, sock in enumerate(crowd):
            sock.sendall(BOOTSTRAP[:number % 48])
        self.assert_answers(stays)
        self.assert_answers()
        self.assert_serves()
        for sock in crowd:
            reset(sock)
        self.assert_answers(self.dial(self.rpc))
        self.stop(child)


class Random(WireTest):
    """Every route of the interface, with paths, queries and bodies made at random."""

    ODD = ("", "0", "-1", "1", "1-2", "9" * 30, "plain", "a/b", "\u00e4", "\0", "a" * 3000, "..", "*",
           "1e9", "true", "null", "{}", "' OR 1=1", "%", "${x}", "{{x}}", "2026-01-01T00:00:00Z", "-5s")

    def value(self, depth=0):
        pick = self.seed.randrange(9 if depth < 4 else 6)
        if pick < 2:
            return self.seed.choice(self.ODD)
        if pick < 6:
            return self.seed.choice((None, True, False, 0, -1, 1, 2, 0.5, -1e300, 2**53, 2**63, -2**63,
                                     2**64, 1790000000000000))
        if pick == 6:
            return [self.value(depth + 1) for _ in range(self.seed.randrange(4))]
        return {self.seed.choice(self.names): self.value(depth + 1)
                for _ in range(self.seed.randrange(5))}

    def shaped(self, schema, depth=0):
        """A value as the document says, now and then another one."""
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        if depth > 5 or self.seed.random() < (0.01 if self.careful else 0.1):
            return self.value(depth)
        for choice in ("oneOf", "anyOf", "allOf"):
            if choice in schema:
                return self.shaped(self.seed.choice(schema[choice]), depth + 1)
        if "enum" in schema:
            return self.seed.choice(schema["enum"])
        kind = schema.get("type", "any")
        kind = self.seed.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            return {name: self.shaped(member, depth + 1)
                    for name, member in schema.get("properties", {}).items()
                    if (self.careful and name in schema.get("required", ()))
                    or self.seed.random() < (0.2 if self.careful else 0.8)}
        if kind == "array":
            return [self.shaped(schema.get("items", {}), depth + 1)
                    for _ in range(self.seed.randrange(3))]
        return {"string": self.text, "integer": lambda: self.seed.choice((0, 1, 2, 3, -1, 2**63)),
                "boolean": lambda: self.seed.random() < 0.5}.get(kind, self.value)()

    def text(self):
        return self.seed.choice(("plain", "1", "1-1") * 6 + self.ODD)

    def body(self, operation):
        if self.seed.random() < 0.05:
            return self.seed.randbytes(self.seed.randrange(200))
        kinds = operation.get("requestBody", {}).get("content", {})
        schema = kinds.get("application/json", {}).get("schema", {})
        raw = json.dumps(self.shaped(schema)).encode()
        if self.seed.random() < 0.05:
            at = self.seed.randrange(len(raw))
            raw = raw[:at] + self.seed.randbytes(2) + raw[at + 1:]
        return raw

    def test_no_request_makes_the_server_fail(self):
        # An error of ours is one that the log tells of, too.
        child = self.serve_dev("--log", "requests.log")
        self.register(PLAIN)
        self.post("/instances", {"definition": "plain", "input": {}}, 201)
        self.document = self.get("/openapi.json")
        routes = [(method.upper(), path, operation)
                  for path, methods in self.document["paths"].items()
                  for method, operation in methods.items()
                  if method in ("get", "post", "put", "patch", "delete")]
        self.assertGreater(len(routes), 100)
        self.names = sorted(set(re.findall(r'"([a-z_]{2,30})": ?\{', json.dumps(self.document))))
        rounds = int(os.environ.get("STELE_TEST_ROUNDS", "12"))
        statuses, connection = collections.Counter(), self.connect()
        for turn, (method, path, operation) in itertools.product(range(rounds), routes):
            if path.endswith("/events") or "shutdown" in path:
                continue  # without end
            # Of the route alone: another route changes nothing of what is asked of this one.
            self.seed = random.Random(f"{method} {path} {turn}")
            # Half of the requests have little that is odd, so that they get further.
            self.careful = turn % 2 == 1
            target = re.sub(r"\{[^}]*\}", lambda _: quote(self.text(), safe="") or "1", path)
            if self.seed.random() < 0.3:
                target += "?" + "&".join(
                    f"{self.seed.choice(self.names)}={quote(self.seed.choice(self.ODD))}"
                    for _ in range(self.seed.randrange(1, 4)))
            kind = self.seed.choice(("application/json",) * 18 + ("text/plain", "application/yaml"))
            body = None if method == "GET" else self.body(operation)
            connection.request(method, target, body, {"Content-Type": kind} if body else {})
            answer = connection.getresponse()
            said = answer.read()
            statuses[answer.status] += 1
            about = (method, target, body, answer.status, said[:500])
            self.assertNotIn(answer.status, (500, 501, 505), about)
            if answer.status >= 400:
                self.assertEqual(answer.headers["Content-Type"], "application/problem+json", about)
                self.assertIn(b'"code":"STL', said, about)
        # Enough of them got to where something is done.
        for status in (200, 201, 400, 404, 409, 422):
            self.assertGreater(statuses[status], 5, statuses)
        self.get("/instances")
        self.stop(child)
        self.assertIn("verified:", self.stele("verify", "--data", "data").stdout)


if __name__ == "__main__":
    unittest.main()
