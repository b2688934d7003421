#!/usr/bin/env python3
"""An HTTP server on the loopback for the examples of http, webhook, notification and custom types.

usage: server.py [--port N] [-- COMMAND…]

With a COMMAND it runs that, hands its exit status on and stops; "{port}" in the command becomes the
port. Without one it serves until it is interrupted. Default: a free port.

  POST /tasks/greet   runs a task: {"greeting": "Hello, NAME!"}, with the mark of its configuration
  anything else       {"method", "path", "headers", "received"}: what was asked
"""

import argparse
import http.server
import json
import subprocess
import sys
import threading


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        received = json.loads(body) if body else None
        if self.path == "/tasks/greet":
            document = {"greeting": f"Hello, {received['input']['name']}{received['config']['mark']}"}
        else:
            headers = {name.lower(): value for name, value in self.headers.items()}
            document = {"method": self.command, "path": self.path, "headers": headers,
                        "received": received}
        text = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # the names are the library's

    def log_message(self, *arguments):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    port = str(server.server_address[1])
    command = [word.replace("{port}", port) for word in options.command]
    if command[:1] == ["--"]:
        command = command[1:]
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
