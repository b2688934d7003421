#!/usr/bin/env python3
"""An HTTP server on the loopback that fails the first requests, for retry-backoff.yml.

usage: flaky_server.py [--port N] [--failures N] [-- COMMAND…]

With a COMMAND it runs that, hands its exit status on and stops; "{port}" in the command becomes the
port (--port 0 takes a free one). Without one it serves until it is interrupted.
"""

import argparse
import http.server
import json
import subprocess
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):  # the name is the library's
        with self.server.lock:
            self.server.requests += 1
            number = self.server.requests
        if number <= self.server.failures:
            self.answer(503, {"error": "try again later"})
        else:
            self.answer(200, {"price": 42, "requests": number})

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        print(f"server: {self.path} -> {status}", file=sys.stderr)

    def log_message(self, *arguments):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8099)
    parser.add_argument("--failures", type=int, default=2)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.lock, server.requests, server.failures = threading.Lock(), 0, options.failures
    port = server.server_address[1]
    command = [word.replace("{port}", str(port)) for word in options.command if word != "--"]
    if not command:
        print(f"http://127.0.0.1:{port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return 0
    threading.Thread(target=server.serve_forever, daemon=True).start()
    status = subprocess.run(command, check=False).returncode
    server.shutdown()
    return status


if __name__ == "__main__":
    sys.exit(main())
