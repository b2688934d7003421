"""`stele dap`: what it shows an editor of files, what it refuses, and a server that goes on."""

import json
import os
import random
import re

from dap_client import Editor, Refused, framed
from dap_world import LOOP, TASK, DapTest, line_of, run
from program import SOURCE
from served import ServedTest


class Sources(DapTest):
    def test_are_those_that_were_registered(self):
        path = self.rounds()
        changed = LOOP.replace("echo ends", "echo other")
        self.write("rounds.yml", changed)
        editor = self.launched(program=path)
        editor.wait("stopped")
        self.assertTrue(any("another text" in text for text in editor.outputs), editor.outputs)
        answer = editor.ask("setBreakpoints", source={"path": path}, breakpoints=[{"line": 3}])
        self.assertFalse(answer["breakpoints"][0]["verified"])
        self.assertIn("among the loaded sources", answer["breakpoints"][0]["message"])
        source = editor.ask("loadedSources")["sources"][0]
        self.assertEqual(source["name"], "version 1 of rounds.yml")
        content = editor.ask("source", source=source, sourceReference=source["sourceReference"])
        self.assertEqual(content["content"], LOOP)
        # Breakpoints stand in it as in a file.
        line = LOOP.splitlines().index("      - id: add") + 1
        answer = editor.ask("setBreakpoints", source=source, breakpoints=[{"line": line}])
        self.assertTrue(answer["breakpoints"][0]["verified"])
        editor.go("continue")
        frame = editor.stack()[0]
        self.assertEqual((frame["source"], frame["line"]), (source, line))
        self.assertIn("STL0406", editor.refused("source", sourceReference=99))
        editor.leave()

    def test_are_found_without_being_named(self):
        path = self.rounds()
        editor = self.launched()
        editor.wait("stopped")
        self.assertEqual(editor.stack()[0]["source"]["path"], path)
        editor.leave()


    def test_of_a_migrated_instance_are_those_of_its_versions(self):
        first = self.write("asks.yml", TASK)
        self.stele("start", first, "--data", "data", code=3)
        second = self.write("later.yml", "# another version\n" + TASK)
        self.stele("definitions", "register", second, "--data", "data")
        self.stele("migrate", "1", "--to", "2", "--data", "data")
        self.stele("approve", "1", "decide", "--by", "ann", "--data", "data")
        editor = self.launched(program=second)
        editor.wait("stopped")
        paths = [source["path"] for source in editor.ask("loadedSources")["sources"]]
        self.assertEqual(paths, [first, second])
        editor.ask("setBreakpoints", source={"path": first}, breakpoints=[{"line": 3}])
        # The step of a line is the same one in the other version.
        editor.ask("setBreakpoints", source={"path": second},
                   breakpoints=[{"line": line_of(second, "id: after")}])
        editor.go("continue")
        frame = editor.stack()[0]
        self.assertEqual((frame["source"]["path"], frame["line"]), (first, line_of(first, "before")))
        editor.go("continue")
        frame = editor.stack()[0]
        self.assertEqual((frame["source"]["path"], frame["line"]),
                         (second, line_of(second, "id: after")))
        editor.leave()

    def test_may_be_json(self):
        path = self.path("rounds.json")
        self.stele("convert", self.write("rounds.yml", LOOP), "--dialect", "steps", "--format",
                   "json", "--out", path)
        self.record(path)
        editor = self.launched(program=path)
        editor.wait("stopped")
        line = line_of(path, '"id": "add"')
        answer = editor.ask("setBreakpoints", source={"path": path}, breakpoints=[{"line": line + 1}])
        first = answer["breakpoints"][0]
        self.assertEqual(first["message"], "step add")
        self.assertLessEqual(first["line"], line)
        editor.go("continue")
        self.assertIn("add · step_activated", editor.top()[0])
        self.assertEqual(editor.top()[1], first["line"])
        editor.leave()


class Refusals(DapTest):
    def test_tell_what_was_expected(self):
        self.rounds()
        editor = self.edit()
        self.assertIn('"initialize" first', editor.refused("threads"))
        editor.ask("initialize", adapterID="stele")
        self.assertIn("once", editor.refused("initialize", adapterID="stele"))
        self.assertIn('"launch" or "attach" before', editor.refused("threads"))
        self.assertIn("`instance`", editor.refused("launch", data="data"))
        self.assertIn("STL0401", editor.refused("launch", data="data", instance=9))
        self.assertIn("STL", editor.refused("launch", data="nowhere", instance=1))
        editor.ask("launch", instance="1", data="data")
        self.assertIn("STL0004", editor.refused("disassemble"))
        self.assertIn("Expected `threadId` to be an integer", editor.refused("stackTrace", threadId="x"))
        editor.leave()

    def test_messages_that_are_none_are_told_and_passed(self):
        editor = self.edit()
        for text in ("", "{", "[1]", '{"type":"event"}', '{"type":"request","seq":"a"}', "\xff\x00"):
            editor.send_bytes(framed(text.encode("latin-1")))
        editor.ask("initialize", adapterID="stele")
        self.assertEqual(len([text for text in editor.outputs if text.startswith("STL")]), 6,
                         editor.outputs)
        editor.leave()

    def test_frames_that_are_none_end_it(self):
        for data, said in ((b"hello\r\n\r\n", "STL1008"), (b"A: 1\r\n\r\n", "STL1008"),
                           (b"Content-Length: 99999999999\r\n\r\n", "STL0002"),
                           (b"x" * 5000, "STL0002"), (b"Content-Length: 9\r\n\r\n{}", "STL1008")):
            editor = self.edit()
            try:
                editor.send_bytes(data)
            except BrokenPipeError:
                pass
            code, stderr = editor.ended()
            self.assertEqual(code, 2, data)
            self.assertIn(said, stderr)

    def test_what_came_before_such_a_frame_is_answered(self):
        editor = self.edit()
        initialize = {"seq": 1, "type": "request", "command": "initialize",
                      "arguments": {"adapterID": "stele"}}
        editor.send_bytes(framed(json.dumps(initialize)) + b"hello\r\n\r\n")
        answer = editor.receive()
        self.assertEqual((answer["request_seq"], answer["success"]), (1, True))
        self.assertEqual(editor.ended()[0], 2)

    def test_an_editor_that_is_gone_is_no_fault(self):
        self.rounds()
        editor = self.launched()
        self.assertEqual(editor.ended(), (0, ""))
        self.assertEqual(self.edit().ended(), (0, ""))

    def test_no_arguments_bring_it_down(self):
        self.rounds()
        editor = self.launched()
        editor.wait("stopped")
        chance = random.Random(7)
        commands = ["threads", "stackTrace", "scopes", "variables", "evaluate", "source", "goto",
                    "gotoTargets", "setBreakpoints", "setFunctionBreakpoints", "next", "stepBack",
                    "setExceptionBreakpoints", "breakpointLocations", "loadedSources", "pause",
                    "exceptionInfo", "continue", "reverseContinue", "stepIn", "stepOut", "restart",
                    "setVariable", "launch", "configurationDone", "cancel", "completions"]
        names = ["threadId", "frameId", "variablesReference", "expression", "source", "line", "start",
                 "breakpoints", "filters", "filterOptions", "targetId", "endLine", "count", "filter",
                 "startFrame", "levels", "sourceReference", "path", "condition", "name", "instance"]

        def anything(depth=0):
            plain = [None, True, chance.randrange(-3, 40), 1.5, {"path": self.path("rounds.yml")},
                     chance.choice([-2**63, 2**63 - 1, 2**31]),
                     chance.choice(["", "x", "total", "1 +", "add", "\x1b[31m", "{{"])]
            kind = chance.randrange(9 if depth < 3 else 7)
            if kind == 7:
                return [anything(depth + 1) for _ in range(chance.randrange(3))]
            if kind == 8:
                return {chance.choice(names): anything(depth + 1) for _ in range(chance.randrange(4))}
            return plain[kind]

        for _ in range(1500):
            arguments = {chance.choice(names): anything() for _ in range(chance.randrange(5))}
            if chance.randrange(3) == 0:
                arguments |= {"threadId": 1, "frameId": 1, "variablesReference": 1}
            try:
                editor.ask(chance.choice(commands), **arguments)
            except Refused as refusal:
                self.assertRegex(str(refusal), r"^STL\d{4}: ")
        editor.leave()


class ThePage(DapTest):
    """What docs/dap.md says, and the extension that it speaks of."""

    def setUp(self):
        super().setUp()
        with open(os.path.join(SOURCE, "docs", "dap.md"), encoding="utf-8") as file:
            self.page = file.read()
        with open(os.path.join(SOURCE, "deploy", "vscode", "package.json"), encoding="utf-8") as file:
            self.debugger = json.load(file)["contributes"]["debuggers"][0]

    def configurations(self):
        text = re.search(r"```json\n(.*?)```", self.page, re.S)[1]
        return json.loads(text.replace("${workspaceFolder}", self.directory))["configurations"]

    def test_a_launch_of_the_page_launches(self):
        path = self.write("order.yml", LOOP)
        self.record(path, data="stele-data")
        launch = self.configurations()[0]
        editor = self.edit()
        editor.open(launch["request"], **launch)
        editor.wait("stopped")
        self.assertEqual(editor.stack()[0]["source"]["path"], path)
        editor.leave()

    def test_attributes_are_those_of_the_extension(self):
        attributes = {request: set(each["properties"])
                      for request, each in self.debugger["configurationAttributes"].items()}
        self.assertEqual(attributes["launch"], attributes["attach"] | {"at", "stopOnEntry"})
        table = self.page.split("## What a configuration says")[1].split("\n\n")[1]
        told = {name for row in table.splitlines()[2:]
                for name in re.findall(r"`(\w+)`", row.split("|")[1])}
        self.assertEqual(told, attributes["launch"])
        for each in self.configurations():
            self.assertLessEqual(set(each) - {"name", "type", "request"}, attributes[each["request"]])
        self.assertEqual([self.debugger["runtime"], *self.debugger["runtimeArgs"]], ["stele", "dap"])


class AtAServer(ServedTest):
    def serve_asking(self):
        """The address of a server with an instance that waits for somebody."""
        self.write("asks.yml", TASK)
        child = self.start("serve", "--dev", "--data", "data", "--rpc", "127.0.0.1:0")
        server = re.search(r"rpc at (\S+)", self.wait_for_line(child, "rpc at"))[1]
        self.stele("definitions", "register", "asks.yml", "--server", server)
        self.stele("start", "asks", "--server", server, "--no-wait")
        return server

    def test_follows_an_instance_that_goes_on(self):
        rpc = self.serve_asking()
        editor = Editor(self, "--server", rpc)
        editor.open("attach", instance=1)
        editor.wait("stopped")
        editor.ask("setFunctionBreakpoints", breakpoints=[{"name": "after"}])
        editor.ask("continue", threadId=1)
        # While it waits it answers, and nothing has stopped.
        self.assertIn("decide · human_task_created", editor.top()[0])
        self.assertEqual([event for event in editor.events if event["event"] == "stopped"], [])
        self.stele("approve", "1", "decide", "--by", "ann", "--server", rpc, "--no-wait")
        stop = editor.wait("stopped")
        self.assertEqual(stop["reason"], "function breakpoint")
        self.assertIn("step_activated after", stop["description"])
        editor.ask("continue", threadId=1)
        self.assertIn("instance_completed", editor.wait("stopped")["description"])
        editor.leave()

    def test_a_pause_ends_the_waiting(self):
        rpc = self.serve_asking()
        editor = Editor(self)
        editor.open(server=rpc, instance=1, stopOnEntry=False)
        editor.ask("threads")
        editor.ask("pause", threadId=1)
        stop = editor.wait("stopped")
        self.assertEqual(stop["reason"], "pause")
        editor.leave()


if __name__ == "__main__":
    run()
