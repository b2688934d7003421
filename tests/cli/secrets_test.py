#!/usr/bin/env python3
"""`stele secrets`, and that no form of a secret's value stays anywhere behind a run."""

import base64
import ctypes
import ctypes.util
import http.server
import json
import os
import pty
import select
import signal
import subprocess
import threading
import unittest
import urllib.parse

from program import BINARY, ProgramTest, environment

# With what encoders change: quotes, a slash, a blank, signs of URLs, a letter beyond ASCII.
VALUE = 'pä"ss/wo rd+?&=%~\\5f'
MARK = "a-mark-that-is-no-secret"


def forms_of(value):
    """What must not be found, by name."""
    raw = value.encode()
    forms = {"plain": raw, "hex": raw.hex().encode(), "HEX": raw.hex().upper().encode(),
             "json": json.dumps(value)[1:-1].encode(),
             "json utf-8": json.dumps(value, ensure_ascii=False)[1:-1].encode(),
             "url": urllib.parse.quote(value, safe="").encode(),
             "form": urllib.parse.quote_plus(value).encode(),
             "path": urllib.parse.quote(value).encode()}
    for shift in range(3):
        # The characters of the encoded text that depend on nothing but the value.
        encoded = base64.b64encode(b"\0" * shift + raw)
        inner = encoded[(shift * 8 + 5) // 6:(shift + len(raw)) * 8 // 6]
        forms[f"base64 at {shift}"] = inner
        forms[f"base64url at {shift}"] = inner.replace(b"+", b"-").replace(b"/", b"_")
    return forms


class Zstd:
    """Opens the frames that a file holds somewhere within it."""

    MAGIC = b"\x28\xb5\x2f\xfd"

    def __init__(self):
        self.library = ctypes.CDLL(ctypes.util.find_library("zstd"))
        self.library.ZSTD_decompress.restype = ctypes.c_size_t
        self.library.ZSTD_findFrameCompressedSize.restype = ctypes.c_size_t

    def frames(self, data):
        at = data.find(self.MAGIC)
        while at >= 0:
            rest = data[at:]
            size = self.library.ZSTD_findFrameCompressedSize(rest, ctypes.c_size_t(len(rest)))
            if not self.library.ZSTD_isError(ctypes.c_size_t(size)):
                text = ctypes.create_string_buffer(1 << 20)
                got = self.library.ZSTD_decompress(text, ctypes.c_size_t(len(text)), rest,
                                                   ctypes.c_size_t(size))
                if not self.library.ZSTD_isError(ctypes.c_size_t(got)):
                    yield text.raw[:got]
            at = data.find(self.MAGIC, at + 1)


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with all that it was sent, in the forms that servers give it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        answer = json.dumps({"path": self.path, "headers": dict(self.headers),
                             "body": body.decode(), "hex": body.hex(),
                             "base64": base64.b64encode(b"x" + body).decode()}).encode()
        self.server.seen.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-Echo", self.headers.get("Authorization", ""))
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments):
        pass


WORKFLOW = """
name: "uses-a-secret"
steps:
  - id: "prints"
    type: "script"
    config:
      runtime: "python"
      env: {TOKEN: "{{secrets.TOKEN}}"}
      script: |
        import base64, json, os, sys, urllib.parse
        token = os.environ["TOKEN"]
        print("%(mark)s", token, json.dumps(token), urllib.parse.quote(token), token.encode().hex())
        for shift in range(3):
            print(base64.b64encode(b"u" * shift + token.encode()).decode(), file=sys.stderr)
        print(base64.urlsafe_b64encode(b"user:" + token.encode() + b"!").decode())
        open("outputs", "a").write("token=" + token + "\\nbasic=" + base64.b64encode(("user:" + token).encode()).decode() + "\\n")
  - id: "calls"
    type: "http"
    depends_on: ["prints"]
    config:
      url: "http://127.0.0.1:%(port)s/x"
      method: "POST"
      query: {token: "{{secrets.TOKEN}}"}
      auth: {basic: {username: "user", password: "{{secrets.TOKEN}}"}}
      form: {token: "{{secrets.TOKEN}}"}
  - id: "fails"
    type: "script"
    depends_on: ["calls"]
    config:
      runtime: "bash"
      env: {TOKEN: "{{secrets.TOKEN}}"}
      script: 'echo "%(mark)s $TOKEN" >&2; printf "user:%%s" "$TOKEN" | base64 >&2; echo "last $TOKEN" >&2; exit 3'
"""


class SecretsTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.stele("secrets", "keygen", "--out", "key")

    def secrets(self, *words, text="", code=0, key="key", options=()):
        """Runs the command with a value on its standard input."""
        done = subprocess.run(
            [BINARY, "secrets", *words, *(["--key-file", key] if key else []), *options],
            cwd=self.directory, input=text, env=environment(), capture_output=True, text=True,
            timeout=60, check=False)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        return done

    def run_with_key(self, *words, code=0):
        done = subprocess.run(
            [BINARY, *words], cwd=self.directory, stdin=subprocess.DEVNULL, capture_output=True,
            env=environment(STELE_SECRETS_KEY_FILE=self.path("key")), timeout=60, check=False)
        self.assertEqual(done.returncode, code, (words, done.stdout, done.stderr))
        return done.stdout + done.stderr


class Command(SecretsTest):
    def test_keeps_lists_and_removes(self):
        self.secrets("set", "TOKEN", text="hunter2-hunter2\n")
        self.secrets("set", "OTHER", text="x")
        listed = self.secrets("list")
        self.assertRegex(listed.stdout, r"TOKEN +15 ")
        self.assertNotIn("hunter2", listed.stdout)
        rows = json.loads(self.secrets("list", options=["--json"]).stdout)
        self.assertEqual([(row["name"], row["bytes"]) for row in rows],
                         [("OTHER", 1), ("TOKEN", 15)])
        self.secrets("remove", "OTHER")
        self.assertIn("STL0803", self.secrets("remove", "OTHER", code=2).stderr)
        self.assertNotIn("OTHER", self.secrets("list", key=None).stdout)
        self.assertEqual(os.stat(self.path("stele-data/secrets.stele")).st_mode & 0o777, 0o600)

    def test_never_takes_a_value_as_an_argument(self):
        done = self.secrets("set", "TOKEN", "value", code=2)
        self.assertIn("STL0701", done.stderr)
        self.assertIn("STL0805", self.secrets("set", "TOKEN=value", code=2).stderr)
        self.assertFalse(os.path.exists(self.path("stele-data/secrets.stele")))

    def test_refuses_bad_usage(self):
        for words in (["frob"], ["set"], ["list", "x"], ["rotate"], ["remove"]):
            with self.subTest(words):
                self.assertIn("STL0701", self.secrets(*words, code=2).stderr)
        self.assertIn("STL0805", self.secrets("set", "1x", text="v", code=2).stderr)
        self.assertIn("STL0805", self.secrets("set", "x", text="", code=2).stderr)
        self.assertIn("STL0801", self.secrets("set", "x", text="v", key=None, code=2).stderr)

    def test_says_that_the_key_is_wrong(self):
        self.secrets("set", "TOKEN", text="v")
        self.stele("secrets", "keygen", "--out", "other")
        done = self.secrets("set", "TOKEN", text="v", key="other", code=2)
        self.assertRegex(done.stderr, "STL0801: Expected the key with the id [0-9a-f]{32} ")
        os.chmod(self.path("key"), 0o644)
        self.assertIn("0644", self.secrets("set", "TOKEN", text="v", code=2).stderr)

    def test_keygen_overwrites_nothing(self):
        with open(self.path("key"), encoding="utf-8") as file:
            before = file.read()
        self.assertIn("STL0003", self.stele("secrets", "keygen", "--out", "key", code=2).stderr)
        with open(self.path("key"), encoding="utf-8") as file:
            self.assertEqual(file.read(), before)
        self.assertEqual(len(base64.b64decode(self.stele("secrets", "keygen").stdout)), 32)

    def test_rotates_the_key_under_a_workflow(self):
        self.secrets("set", "TOKEN", text="hunter2-hunter2")
        self.stele("secrets", "keygen", "--out", "next")
        self.secrets("rotate", options=["--new-key-file", "next"])
        self.secrets("set", "MORE", text="v", code=2)
        os.rename(self.path("next"), self.path("key"))
        file = self.write("one.yml", 'name: one\nsteps:\n  - {id: a, type: script, config: '
                                     '{command: "test {{secrets.TOKEN}} = hunter2-hunter2"}}\n')
        self.run_with_key("run", file)

    def test_works_while_another_process_has_the_data_directory(self):
        file = self.write("waits.yml", "name: waits\nsteps:\n  - {id: a, type: script, config: "
                          "{runtime: bash, script: 'echo up; until [[ -e $STELE_WORKSPACE/go ]]; "
                          "do read -t 0.01 <> <(:); done; echo end'}}\n")
        child = self.start("run", file)
        self.wait_for_line(child, "a started")
        self.secrets("set", "TOKEN", text="v")
        self.assertIn("TOKEN", self.secrets("list").stdout)
        self.write("go", "")
        self.assertEqual(child.wait(timeout=60), 0)
        self.stele("verify")

    def ask(self, answer):
        """Answers the prompt on a terminal: what was shown, and the exit status."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(self.directory)
            os.execv(BINARY, [BINARY, "secrets", "set", "TOKEN", "--key-file", "key"])
        shown = b""
        while b"(is not shown): " not in shown:
            select.select([terminal], [], [], 60)
            shown += os.read(terminal, 4096)
        os.write(terminal, answer)
        try:
            while chunk := os.read(terminal, 4096):
                shown += chunk
        except OSError:
            pass
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        return shown, os.waitstatus_to_exitcode(status)

    def test_asks_without_showing_on_a_terminal(self):
        shown, code = self.ask(b"hunter2-hunter2\n")
        self.assertEqual(code, 0, shown)
        self.assertNotIn(b"hunter2", shown)
        self.assertRegex(self.secrets("list").stdout, r"TOKEN +15 ")

    def test_keeps_nothing_when_the_prompt_is_interrupted(self):
        shown, code = self.ask(b"hunt\x03")
        self.assertEqual(code, 2, shown)
        self.assertNotIn("TOKEN", self.secrets("list").stdout)


class Nowhere(SecretsTest):
    def everything(self, outputs):
        """Each place where bytes stay behind a run, by name."""
        zstd = Zstd()
        yield from outputs.items()
        for folder, _, names in os.walk(self.path("stele-data")):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    data = file.read()
                yield path, data
                for number, frame in enumerate(zstd.frames(data)):
                    yield f"{path}, frame {number}", frame

    def check(self, status):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        server.seen, server.status = [], status
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.secrets("set", "TOKEN", text=VALUE)
        file = self.write("w.yml", WORKFLOW % {"mark": MARK, "port": server.server_port})
        outputs = {"run": self.run_with_key("run", file, code=1)}
        outputs["run --json"] = self.run_with_key("run", file, "--json", code=1)
        for words in (["status", "1"], ["status", "1", "--json"], ["logs", "1"], ["history", "1"],
                      ["history", "1", "--json"], ["list", "--json"]):
            outputs[" ".join(words)] = self.run_with_key(*words)
        # The steps had the value itself, or nothing is shown by not finding it.
        _, headers, body = server.seen[0]
        basic = base64.b64encode(f"user:{VALUE}".encode()).decode()
        self.assertEqual(headers["Authorization"], f"Basic {basic}")
        self.assertEqual(urllib.parse.parse_qs(body.decode())["token"], [VALUE])
        places = dict(self.everything(outputs))
        self.assertIn(MARK.encode(), places["logs 1"])
        self.assertIn(b"***", places["logs 1"])
        self.assertTrue(any("frame" in name and MARK.encode() in data
                            for name, data in places.items()), "the log was not looked into")
        for place, data in places.items():
            for form, text in forms_of(VALUE).items():
                self.assertNotIn(text, data, f"{form} in {place}")

    def test_is_the_value_found_behind_a_run_that_fails_with_it(self):
        self.check(200)

    def test_is_the_value_found_behind_a_refused_request(self):
        self.check(403)


if __name__ == "__main__":
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    unittest.main()
