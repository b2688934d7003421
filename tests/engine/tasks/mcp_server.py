"""A server of the Model Context Protocol for tests, by standard input and output or by HTTP.

    python3 mcp_server.py stdio MODE [NOTES]
    python3 mcp_server.py http MODE [NOTES]      prints its port, then serves until it is killed

MODE says how it behaves (see Server.call and the transports). Every message that comes in is
appended to the file NOTES, a line each; requests by HTTP with their method and headers before it.
"""

import http.server
import json
import os
import signal
import sys

TOOLS = [{"name": name, "inputSchema": {"type": "object"}} for name in ("echo", "fail", "ask", "say")]


class Server:
    """What is answered, whatever the messages travel by."""

    def __init__(self, mode, notes):
        self.mode = mode
        self.notes = notes

    def note(self, text):
        if self.notes:
            with open(self.notes, "a", encoding="utf-8") as file:
                file.write(text + "\n")

    def handle(self, message, send, receive):
        """Answers one message by `send`; `receive` waits for the answer to a request of the server's."""
        method, id_ = message.get("method"), message.get("id")
        if method == "initialize":
            version = {"old": "2024-11-05", "alien": "1999-01-01"}.get(
                self.mode, message["params"]["protocolVersion"])
            send({"id": id_, "result": {"protocolVersion": version, "capabilities": {"tools": {}},
                                        "serverInfo": {"name": "test", "version": "1"}}})
        elif method == "tools/list":
            start = int(message["params"].get("cursor", "0"))
            result = {"tools": TOOLS[start:start + 2]}
            if start + 2 < len(TOOLS) or self.mode == "endless":
                result["nextCursor"] = str(start + 2)
            send({"id": id_, "result": result})
        elif method == "tools/call":
            self.call(id_, message["params"], send, receive)
        elif id_ is not None and method is not None:
            send({"id": id_, "error": {"code": -32601, "message": "no such method"}})

    def call(self, id_, params, send, receive):
        arguments, tool = params["arguments"], params["name"]
        text = lambda value: {"type": "text", "text": value}
        if tool == "echo":
            send({"id": id_, "result": {"content": [text("first"), {"type": "image", "data": "aGk=",
                 "mimeType": "image/png"}, text(json.dumps(arguments))], "structuredContent": arguments}})
        elif tool == "fail":
            send({"id": id_, "result": {"content": [text("the cup is empty")], "isError": True}})
        elif tool == "say":
            send({"id": id_, "result": {"content": [text(arguments["text"])]}})
        elif tool == "ask":
            # A conversation of its own, before it answers.
            send({"method": "notifications/message",
                  "params": {"level": "warning", "logger": "kitchen", "data": "it gets hot"}})
            send({"method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}})
            answers = []
            for number, method in enumerate(("ping", "roots/list", "sampling/createMessage")):
                send({"id": f"q{number}", "method": method, "params": {}})
                answer = receive()
                assert answer["id"] == f"q{number}", answer
                answers.append(answer.get("result", answer.get("error", {}).get("code")))
            send({"id": id_, "result": {"content": [], "structuredContent": {"answers": answers}}})
        elif tool == "hang":
            while True:
                self.note(json.dumps(receive()))
        elif tool == "pester":
            while True:
                send({"id": "p", "method": "ping"})
        elif tool == "busy":
            send({"id": id_, "error": {"code": -32603, "message": "try again"}})
        elif tool == "bare":
            send({"id": id_, "result": {}})
        elif tool == "environment":
            send({"id": id_, "result": {"content": [text(os.environ.get(arguments["name"], ""))]}})
        elif tool == "meta":
            send({"id": id_, "result": {"content": [text(json.dumps(params["_meta"]))]}})
        else:
            send({"id": id_, "error": {"code": -32602, "message": f"unknown tool {tool}"}})


def envelope(message):
    return json.dumps({"jsonrpc": "2.0", **message})


def stdio(server):
    def send(message):
        print(envelope(message), flush=True)

    def receive():
        line = sys.stdin.readline()
        if not line:
            server.note("end of input")
            if server.mode != "stubborn":
                sys.exit(0)
            while True:
                signal.pause()
        server.note(line.strip())
        return json.loads(line)

    print("the kettle is on", file=sys.stderr, flush=True)
    server.note(str(os.getpid()))
    if server.mode == "stubborn":
        signal.signal(signal.SIGTERM, lambda *_: server.note("SIGTERM"))
    while True:
        message = receive()
        if server.mode == "garbage":
            print("Welcome to my server!", flush=True)
        elif server.mode == "alien-json":
            print('{"hello": "world"}', flush=True)
        elif server.mode == "dies":
            print("out of tea", file=sys.stderr, flush=True)
            sys.exit(3)
        elif server.mode == "huge":
            while True:
                sys.stdout.write("x" * 65536)
        elif server.mode == "floods":
            number = 0
            while True:
                number += 1
                send({"id": number, "method": "ping"})
        elif server.mode == "last-words" and message.get("method") == "tools/call":
            sys.stdout.write(envelope({"id": message["id"], "result": {"content": []}}))
            sys.exit(0)
        elif server.mode == "batch" and message.get("method") == "tools/call":
            print("[" + envelope({"method": "notifications/message", "params": {"data": [1]}}) + "," +
                  envelope({"id": message["id"], "result": {"content": []}}) + "]\n\n", flush=True)
        else:
            server.handle(message, send, receive)


def serve_http(server):
    waiting = __import__("queue").Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def read(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            names = ("Accept", "Content-Type", "Mcp-Session-Id", "Mcp-Protocol-Version", "Authorization")
            headers = {name: self.headers[name] for name in names if self.headers[name]}
            server.note(self.command + " " + json.dumps(headers) + " " + body)
            return json.loads(body) if body else {}

        def reply(self, status, body="", content_type="application/json", headers=()):
            self.send_response(status)
            if body:
                self.send_header("Content-Type", content_type)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def do_DELETE(self):
            self.read()
            self.reply(405 if server.mode == "keeps" else 200)

        def do_POST(self):
            message = self.read()
            mode, method = server.mode, message.get("method")
            if "id" not in message or method is None:
                if method is None:
                    waiting.put(message)
                return self.reply(202)
            if mode == "refuses":
                return self.reply(401, '{"error":"no token"}')
            if mode == "refuses-in-protocol":
                return self.reply(400, envelope({"id": message["id"], "error": {
                    "code": -32600, "message": "no such protocol"}}))
            if mode == "moved":
                return self.reply(307, headers=[("Location", "/elsewhere")])
            if method == "tools/call" and mode == "forgets":
                return self.reply(404)
            if method == "tools/call" and mode == "ends-early":
                return self.reply(200, ": nothing more\n\n", "text/event-stream")
            if mode == "garbage":
                return self.reply(200, "<html>hello</html>", "text/html")
            session = [("Mcp-Session-Id", "session-7")] if method == "initialize" and mode != "free" else []
            if mode in ("json", "free", "keeps", "forgets") or (mode == "ends-early"):
                answers = []
                server.handle(message, answers.append, lambda: waiting.get(timeout=60))
                return self.reply(200, envelope(answers[-1]), headers=session)
            self.stream(message, session)

        def stream(self, message, session):
            """Events in chunks, with the line ends and splits that a stream may have."""
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream; charset=utf-8")
            for name, value in session:
                self.send_header(name, value)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()

            def chunk(data):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
                self.wfile.flush()

            def send(answer):
                data = f": comment\r\nevent: message\r\nid: 1\r\ndata: {envelope(answer)}\r\n\r\n".encode()
                chunk(data[:40])
                chunk(data[40:])

            if server.mode == "huge":
                while True:
                    chunk(b"data: " + b"x" * 65536)
            server.handle(message, send, lambda: waiting.get(timeout=60))
            if server.mode != "open":
                chunk(b"")
            else:
                waiting.get()  # it keeps the stream open behind the answer

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    print(listener.server_address[1], flush=True)
    listener.serve_forever()


if __name__ == "__main__":
    chosen = Server(sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
    (stdio if sys.argv[1] == "stdio" else serve_http)(chosen)
