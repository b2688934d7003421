"""An editor's side of the Debug Adapter Protocol, as `stele dap` meets it.

Where the protocol's JSON Schema has been fetched (`./dev deps clients`), every message that comes is
held against it: the definition of its kind, and no members that it does not know.
"""

import json
import os
import queue
import subprocess
import sys
import threading

from program import BINARY, SOURCE, environment

FETCHED = os.path.join(SOURCE, "build", "clients")
SCHEMA = os.path.join(FETCHED, "dap", "debugProtocol.json")
# A client that waits longer has found a fault.
PATIENCE_S = 60


class Schema:
    """The protocol's definitions; `missing` says why it has none."""

    def __init__(self):
        self.missing = None
        self.checked = 0
        sys.path.insert(0, os.path.join(FETCHED, "python"))
        try:
            import jsonschema  # pylint: disable=import-outside-toplevel
            with open(SCHEMA, encoding="utf-8") as file:
                self.definitions = json.load(file)["definitions"]
            self.jsonschema = jsonschema
        except (ImportError, OSError) as fault:
            self.missing = str(fault)
        self.validators = {}

    def validator(self, name):
        if name not in self.validators:
            self.validators[name] = self.jsonschema.Draft4Validator(
                {"$ref": f"#/definitions/{name}", "definitions": self.definitions})
        return self.validators[name]

    def members_of(self, name, member):
        """The names that the body of such a message may have; None: any."""
        for part in self.definitions[name].get("allOf", []):
            known = part.get("properties", {}).get(member, {})
            if "$ref" in known:
                known = self.definitions[known["$ref"].rsplit("/", 1)[1]]
            if "properties" in known:
                return set(known["properties"])
        return None

    def kind_of(self, message):
        if message["type"] == "response" and not message["success"]:
            return "ErrorResponse"
        name = message["event"] if message["type"] == "event" else message["command"]
        return name[0].upper() + name[1:] + message["type"].capitalize()

    def check(self, message):
        if self.missing:
            return
        kind = self.kind_of(message)
        self.validator(kind).validate(message)
        known = self.members_of(kind, "body")
        if known is not None and set(message.get("body", {})) - known:
            raise AssertionError(f"{kind} has no {set(message['body']) - known}: {message}")
        self.checked += 1


SCHEMAS = Schema()


def framed(text):
    body = text.encode() if isinstance(text, str) else text
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Refused(Exception):
    pass


class Editor:
    """`stele dap` as a child, and what it says."""

    def __init__(self, test, *words, **variables):
        self.test = test
        self.child = subprocess.Popen([BINARY, "dap", *words], cwd=test.directory,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=subprocess.PIPE, env=environment(**variables))
        self.seq = 0
        self.last_seen = 0
        self.came = queue.Queue()
        self.events = []   # those that nobody has waited for
        self.outputs = []  # the texts of all output events
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        for step in (self.child.stdout.close, self.child.stderr.close, self.reader.join,
                     self.child.wait, self.child.kill, self._close):
            test.addCleanup(step)

    def _close(self):
        try:
            self.child.stdin.close()
        except BrokenPipeError:
            pass

    def _read(self):
        stream = self.child.stdout
        while True:
            header = stream.readline()
            if not header:
                break
            length = int(header.split(b":")[1])
            assert stream.readline() == b"\r\n"
            self.came.put(json.loads(stream.read(length)))
        self.came.put(None)

    def send_bytes(self, data):
        self.child.stdin.write(data)
        self.child.stdin.flush()

    def send(self, command, **arguments):
        self.seq += 1
        self.send_bytes(framed(json.dumps({"seq": self.seq, "type": "request", "command": command,
                                           "arguments": arguments})))
        return self.seq

    def receive(self):
        """The next message, held against the schema; None: it has ended."""
        message = self.came.get(timeout=PATIENCE_S)
        if message is None:
            return None
        SCHEMAS.check(message)
        self.test.assertEqual(message["seq"], self.last_seen + 1)
        self.last_seen = message["seq"]
        if message["type"] == "event" and message["event"] == "output":
            self.outputs.append(message["body"]["output"])
        return message

    def answer(self, seq):
        while True:
            message = self.receive()
            self.test.assertIsNotNone(message, "it ended before it answered")
            if message["type"] == "event":
                self.events.append(message)
                continue
            self.test.assertEqual(message["request_seq"], seq)
            return message

    def ask(self, command, **arguments):
        """The body of the answer; Refused with its text when there is none."""
        message = self.answer(self.send(command, **arguments))
        self.test.assertEqual(message["command"], command)
        if not message["success"]:
            raise Refused(message["message"])
        return message.get("body", {})

    def refused(self, command, **arguments):
        with self.test.assertRaises(Refused) as caught:
            self.ask(command, **arguments)
        return str(caught.exception)

    def wait(self, name):
        """The body of the next event of that name."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if event["event"] == name:
                    return event.get("body", {})
            message = self.receive()
            self.test.assertIsNotNone(message, f"it ended before {name}")
            self.events.append(message)

    def open(self, how="launch", before=None, **arguments):
        """Up to where it stands first; `before` sets breakpoints."""
        self.capabilities = self.ask("initialize", adapterID="stele", clientID="test")
        self.ask(how, **arguments)
        self.wait("initialized")
        if before:
            before()
        self.ask("configurationDone")

    def go(self, command, **arguments):
        """Moves; the body of the `stopped` that follows."""
        self.ask(command, **({"threadId": 1} | arguments))
        return self.wait("stopped")

    def stack(self, thread=1):
        return self.ask("stackTrace", threadId=thread)["stackFrames"]

    def top(self):
        frame = self.stack()[0]
        return frame["name"], frame["line"]

    def scopes(self, frame=None):
        frame = frame or self.stack()[0]["id"]
        return {scope["name"]: scope["variablesReference"]
                for scope in self.ask("scopes", frameId=frame)["scopes"]}

    def variables(self, reference):
        if reference == 0:
            return {}
        return {each["name"]: each
                for each in self.ask("variables", variablesReference=reference)["variables"]}

    def values(self, scope, frame=None):
        return {name: each["value"]
                for name, each in self.variables(self.scopes(frame).get(scope, 0)).items()}

    def leave(self):
        self.ask("disconnect")
        self.test.assertEqual(self.child.wait(timeout=PATIENCE_S), 0)

    def ended(self):
        """The exit code, and what it said to standard error."""
        self._close()
        while self.came.get(timeout=PATIENCE_S) is not None:
            pass
        code = self.child.wait(timeout=PATIENCE_S)
        return code, self.child.stderr.read().decode()
