"""Clients of a served `stele` that speak bytes, rightly or not."""

import json
import resource
import socket
import struct

from served import Answer, ServedTest


def read_answer(file):
    """The next answer of the connection; None at its end."""
    line = file.readline()
    if not line:
        return None
    status, headers = int(line.split()[1]), {}
    while (line := file.readline().rstrip(b"\r\n")):
        name, _, value = line.decode("latin-1").partition(": ")
        headers[name.lower()] = value
    length = 0 if status in (204, 304) or status < 200 else int(headers.get("content-length", 0))
    return Answer(status, headers, file.read(length))


class WireTest(ServedTest):
    def dial(self, port=None):
        sock = socket.create_connection(("127.0.0.1", port or self.port), timeout=30)
        self.addCleanup(sock.close)
        return sock

    def say(self, *pieces, port=None):
        """Everything that is answered to the pieces, up to the connection's end."""
        with self.dial(port) as sock:
            for piece in pieces:
                try:
                    sock.sendall(piece)
                except (BrokenPipeError, ConnectionResetError):
                    break  # what was answered before stays to be read
            return self.read_all(sock)

    def read_all(self, sock):
        answers = []
        with sock.makefile("rb") as file:
            while (answer := read_answer(file)) is not None:
                answers.append(answer)
        return answers

    def assert_refused(self, answers, status, about):
        """The last answer is a problem that says so, and that it is the last."""
        self.assertTrue(answers, about)
        last = answers[-1]
        self.assertEqual(last.status, status, (about, last.body))
        self.assertEqual(last.headers["content-type"], "application/problem+json", about)
        self.assertEqual(last.headers["connection"], "close", about)
        self.assertRegex(last.json()["code"], "^STL[0-9]{4}$", about)
        self.assertTrue(last.json()["detail"].startswith("Expected "), about)

    def assert_serves(self):
        self.get("/instances")


def reset(sock):
    """Ends the connection as a client that crashed."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def open_files():
    """How many this process may have, when it may have as many as anybody lets it."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def request(head, *fields, body=b""):
    lines = [f"{head} HTTP/1.1", "Host: localhost", *fields]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(head, body):
    return request(head, "Transfer-Encoding: chunked", "Content-Type: application/json") + body


def as_json(value):
    return json.dumps(value).encode()
