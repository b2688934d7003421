"""`stele dap`: steps that are taken back, and what an editor asks for that cannot be done."""

from dap_world import DapTest, line_of, run


class Launches(DapTest):
    def test_a_moment_is_what_commands_take(self):
        self.rounds()
        last = len(self.stele("history", "1", "--json", "--data", "data").stdout.splitlines())
        for at, event in (("5", 5), ("end", last), ("now", last), ("start", 1)):
            with self.subTest(at):
                editor = self.launched(at=at)
                self.assertIn(f"event {event}, ", editor.wait("stopped")["description"])
                editor.leave()

    def test_arguments_of_another_kind_are_refused(self):
        self.rounds()
        editor = self.edit()
        editor.ask("initialize", adapterID="stele")
        for wrong, said in (
                ({"data": 5}, "Expected `data` to be a string but found integer"),
                ({"data": None}, "Expected `data` to be a string but found null"),
                ({"server": ["x"]}, "Expected `server` to be a string but found array"),
                ({"plaintext": "yes"}, "Expected `plaintext` to be true or false but found string"),
                ({"stopOnEntry": "x"}, "Expected `stopOnEntry` to be true or false but found string"),
                ({"follow": 1}, "Expected `follow` to be true or false but found integer"),
                ({"program": {}}, "Expected `program` to be a string but found object"),
                ({"instance": 2.5}, "to be the number of an instance but found 2.5"),
                ({"instance": None}, "to be the number of an instance but found null"),
                ({"instance": -1}, "to be the number of an instance but found -1"),
                ({"instance": "x"}, 'Expected an instance\'s number but found "x"'),
                ({"at": -1}, "but found -1"),
                ({"at": 0}, "but found 0"),
                ({"at": 2.5}, "but found 2.5"),
                ({"at": True}, "but found true")):
            with self.subTest(wrong):
                self.assertIn(said, editor.refused("launch", **({"data": "data", "instance": 1} | wrong)))
        editor.ask("launch", data="data", instance=1)
        editor.leave()


class Steps(DapTest):
    def at(self, editor):
        name = editor.ask("threads")["threads"][0]["name"]
        return int(name.split("event ")[1].split(" ")[0])

    def test_back_takes_back_the_steps_that_led_here(self):
        path = self.rounds()
        editor = self.launched(program=path)
        editor.wait("stopped")
        places = [self.at(editor)]
        for step in ("next", "next", "next", "stepIn", "stepIn", "stepIn", "next", "stepOut", "stepIn", "next"):
            editor.go(step)
            places.append(self.at(editor))
        self.assertEqual(places, sorted(set(places)))
        for place in reversed(places[:-1]):
            self.assertEqual(editor.go("stepBack")["reason"], "step")
            self.assertEqual(self.at(editor), place)
        # From where no step has led: the step before in the same scope, past the inside of the loop.
        editor.go("next")
        editor.go("continue")
        seen = []
        for _ in range(4):
            editor.go("stepBack")
            seen.append(editor.top()[0])
        self.assertEqual(seen, ["last · step_completed", "last · step_activated",
                                "each · step_completed", "each · step_activated"])
        # A breakpoint on the way back stops it, and the step is not yet taken back.
        at_loop = self.at(editor)
        editor.go("next")
        editor.ask("setFunctionBreakpoints", breakpoints=[{"name": "add", "condition": "round == 2"}])
        self.assertEqual(editor.go("stepBack")["reason"], "function breakpoint")
        self.assertEqual(editor.values("Variables")["round"], "2")
        editor.go("stepBack")
        self.assertEqual(self.at(editor), at_loop)
        editor.leave()

    def test_moves_are_of_a_thread_that_there_is(self):
        self.rounds()
        editor = self.launched()
        editor.wait("stopped")
        for move in ("next", "stepIn", "stepOut", "stepBack", "continue", "reverseContinue"):
            with self.subTest(move):
                self.assertIn("Expected `threadId` to be an integer but found none", editor.refused(move))
                self.assertIn("Expected a thread of the last stop but found 77", editor.refused(move, threadId=77))
        self.assertEqual(self.at(editor), 1)
        editor.leave()

    def test_goes_to_targets_that_were_given(self):
        path = self.rounds()
        editor = self.launched(program=path)
        editor.wait("stopped")
        for target in (2, -1, 10_000):
            self.assertIn(f'that "gotoTargets" has given but found {target}',
                          editor.refused("goto", threadId=1, targetId=target))
        target = editor.ask("gotoTargets", source={"path": path}, line=line_of(path, "id: last"))["targets"][0]
        editor.go("goto", targetId=target["id"])
        self.assertIn("last · step_activated", editor.top()[0])
        editor.leave()


class Breakpoints(DapTest):
    def test_what_cannot_be_done_is_not_verified(self):
        path = self.rounds()
        editor = self.launched(program=path)
        editor.wait("stopped")
        add = line_of(path, "id: add")
        lines = editor.ask("setBreakpoints", source={"path": path}, breakpoints=[
            {"line": add, "hitCondition": "3"},
            {"line": add, "logMessage": "sum {1+"},
            {"line": add, "logMessage": "sum {1+}"},
            {"line": add, "logMessage": "sum {1+1}"}])["breakpoints"]
        self.assertEqual([each["verified"] for each in lines], [False, False, False, True])
        self.assertIn("Expected no `hitCondition`", lines[0]["message"])
        self.assertIn('Expected a "}" behind "{1+" but found none', lines[1]["message"])
        self.assertIn("STL0201", lines[2]["message"])
        steps = editor.ask("setFunctionBreakpoints",
                           breakpoints=[{"name": "add", "hitCondition": ">=2"}])["breakpoints"]
        self.assertEqual([each["verified"] for each in steps], [False])
        editor.go("continue")
        self.assertEqual(editor.outputs.count("sum 2\n"), 3)
        editor.leave()

    def test_tells_of_exceptions_where_there_is_one(self):
        self.saga("--var", "fail_at=shipping", code=1)
        editor = self.launched()
        editor.wait("stopped")
        self.assertIn("but found event 1, instance_started", editor.refused("exceptionInfo", threadId=1))
        editor.ask("setExceptionBreakpoints", filters=["step_activated"])
        self.assertEqual(editor.go("continue")["reason"], "exception")
        self.assertEqual(editor.ask("exceptionInfo", threadId=1)["exceptionId"], "step_activated")
        editor.leave()


if __name__ == "__main__":
    run()
