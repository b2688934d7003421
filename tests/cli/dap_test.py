"""`stele dap`: an editor that steps through what an instance has done."""

import json

from dap_world import TASK, DapTest, line_of, run
from program import example


class Steps(DapTest):
    def test_from_a_breakpoint_on_a_line_back_to_the_beginning(self):
        path = self.saga()
        editor = self.edit()
        charge = line_of(path, 'id: "charge_customer"')

        def before():
            # Inside the step's script: it moves to where the step begins.
            answer = editor.ask("setBreakpoints", source={"path": path},
                                breakpoints=[{"line": line_of(path, "charged $INPUT")}])
            self.assertEqual([(each["verified"], each["line"], each["message"])
                              for each in answer["breakpoints"]],
                             [(True, charge, "step charge_customer")])

        editor.open(before=before, data="data", instance=1, program=path)
        self.assertTrue(editor.capabilities["supportsStepBack"])
        stop = editor.wait("stopped")
        self.assertEqual((stop["reason"], stop["threadId"]), ("entry", 1))
        self.assertIn("event 1, ", stop["description"])
        stop = editor.go("continue")
        self.assertEqual(stop["reason"], "breakpoint")
        self.assertEqual(len(stop["hitBreakpointIds"]), 1)
        frame = editor.stack()[0]
        self.assertEqual(frame["line"], charge)
        self.assertEqual(frame["source"]["path"], path)
        self.assertIn("charge_customer · step_activated", frame["name"])
        self.assertEqual(editor.values("Variables")["order_id"], '"A-1001"')
        self.assertEqual(editor.values("Step input")["amount"], "49.9")
        self.assertEqual(editor.values("Step outputs"), {"reserve_stock": '{"exit_code":0,"stdout":"reserved one item for A-1001",'
                                           '"reservation":"R-A-1001"}'})
        # Over the step, to its end, and back by as much.
        editor.go("next")
        self.assertIn("charge_customer · step_completed", editor.top()[0])
        self.assertIn("charge_customer", editor.values("Step outputs"))
        editor.go("stepBack")
        self.assertIn("charge_customer · step_activated", editor.top()[0])
        stop = editor.go("reverseContinue")
        self.assertIn("the beginning: event 1, ", stop["description"])
        editor.go("continue")
        stop = editor.go("continue")
        self.assertIn("the end of what is recorded", stop["description"])
        self.assertIn("instance_completed", editor.top()[0])
        self.assertIn("charged 49.9 for A-1001\n", editor.outputs)
        editor.leave()

    def test_forward_and_back_are_the_same_places(self):
        self.rounds()
        editor = self.launched()
        editor.wait("stopped")

        def seen():
            frames = [(frame["name"], frame["line"]) for frame in editor.stack()]
            return frames, editor.values("Variables"), editor.values("Step outputs")

        places = [seen()]
        while "the end" not in editor.go("stepIn")["description"]:
            places.append(seen())
            self.assertLess(len(places), 200)
        self.assertGreater(len(places), 20)
        for place in reversed(places[:-1]):
            editor.go("stepBack", granularity="instruction")
            self.assertEqual(seen(), place)
        editor.leave()

    def test_out_of_an_iteration_and_over_a_loop(self):
        path = self.rounds()
        editor = self.launched(program=path)
        editor.wait("stopped")
        editor.ask("setFunctionBreakpoints", breakpoints=[{"name": "add"}])
        editor.go("continue")
        names = [frame["name"] for frame in editor.stack()]
        self.assertEqual([name.split(" ·")[0] for name in names],
                         ["add", "each[0]", "rounds, instance 1"])
        lines = [frame["line"] for frame in editor.stack()]
        self.assertEqual(lines, [line_of(path, "id: add"), line_of(path, "id: each"), 1])
        self.assertEqual(editor.values("Variables")["round"], "1")
        editor.ask("setFunctionBreakpoints", breakpoints=[])
        editor.go("stepOut")
        self.assertIn("scope_closed", editor.top()[0])
        editor.go("stepIn")
        # Over the whole of the loop from where it begins.
        targets = editor.ask("gotoTargets", source={"path": path},
                             line=line_of(path, "id: each"))["targets"]
        self.assertEqual(len(targets), 1)
        self.assertIn("each at event ", targets[0]["label"])
        self.assertEqual(editor.go("goto", targetId=targets[0]["id"])["reason"], "goto")
        self.assertIn("each · step_activated", editor.top()[0])
        editor.go("next")
        self.assertIn("each · step_completed", editor.top()[0])
        editor.leave()

    def test_show_processes_in_each_other(self):
        path = example("nested-sub-process.yml")
        self.record(path)
        editor = self.launched(program=path)
        editor.wait("stopped")
        editor.ask("setFunctionBreakpoints", breakpoints=[{"name": "open_firewall"}])
        editor.go("continue")
        self.assertEqual([(frame["name"].split(" ·")[0], frame["line"]) for frame in editor.stack()],
                         [("open_firewall", line_of(path, 'id: "open_firewall"')),
                          ("open_network", line_of(path, 'id: "open_network"')),
                          ("provision_account", line_of(path, 'id: "provision_account"')),
                          ("nested-sub-process, instance 1", 1)])
        values = editor.values("Variables")
        self.assertEqual((values["region"], values["customer"]), ('"eu-north"', '"Acme"'))
        self.assertIn("assign_address", editor.values("Step outputs"))
        editor.go("stepOut")
        self.assertIn("scope_closed", editor.top()[0])
        editor.leave()

    def test_marks_what_the_last_move_changed(self):
        self.rounds()
        editor = self.launched()
        editor.wait("stopped")
        editor.ask("setExceptionBreakpoints", filters=["variables_set"])
        stop = editor.go("continue")
        self.assertEqual((stop["reason"], stop["text"]), ("exception", "variables_set"))
        stop = editor.go("continue")
        scopes = editor.scopes()
        total = editor.variables(scopes["Variables"])["total"]
        self.assertEqual((total["value"], total["type"]), ("3", "integer, was 1"))
        self.assertEqual(total["evaluateName"], "variables.total")
        changed = editor.variables(scopes["Changed by the last move"])
        self.assertEqual(changed["variables/total"]["value"], "1 → 3")
        instance = editor.variables(scopes["Instance"])
        self.assertEqual(instance["variables"]["type"], "object, changed inside")
        info = editor.ask("exceptionInfo", threadId=1)
        self.assertEqual(info["exceptionId"], "variables_set")
        editor.leave()

    def test_starts_at_a_moment_that_is_named(self):
        self.rounds()
        history = self.history_of_data()
        editor = self.launched(at=7)
        self.assertIn("event 7, ", editor.wait("stopped")["description"])
        editor.go("next")
        self.assertEqual(editor.go("restart")["reason"], "entry")
        self.assertIn("event 7 of", editor.ask("threads")["threads"][0]["name"])
        editor.leave()
        editor = self.launched("attach")
        self.assertIn(f"event {len(history)}, ", editor.wait("stopped")["description"])
        editor.leave()
        editor = self.edit()
        editor.ask("initialize", adapterID="stele")
        self.assertIn("STL0309", editor.refused("launch", data="data", instance=1, at=10_000))
        self.assertIn('for `at` but found "noon"', editor.refused("launch", data="data", instance=1, at="noon"))
        # Refused, it may be asked again.
        editor.ask("launch", data="data", instance=1)
        editor.leave()

    def history_of_data(self):
        lines = self.stele("history", "1", "--json", "--data", "data").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def test_runs_to_the_first_breakpoint_without_stopping_at_the_beginning(self):
        self.saga()
        editor = self.edit()
        editor.open(before=lambda: editor.ask("setFunctionBreakpoints",
                                              breakpoints=[{"name": "ship_order"}]),
                    data="data", instance=1, stopOnEntry=False)
        stop = editor.wait("stopped")
        self.assertEqual(stop["reason"], "function breakpoint")
        self.assertIn("step_activated ship_order", stop["description"])
        editor.ask("terminate")
        editor.wait("terminated")
        editor.leave()


class Breakpoints(DapTest):
    def test_with_conditions_and_texts_to_log(self):
        path = self.rounds()
        editor = self.launched(program=path)
        editor.wait("stopped")
        add = line_of(path, "id: add")
        answer = editor.ask("setBreakpoints", source={"path": path}, breakpoints=[
            {"line": add, "condition": "round == 2"},
            {"line": add, "logMessage": "round {round} of {variables.total}"},
            {"line": add, "condition": "round =="},
            {"line": 10_000}])["breakpoints"]
        self.assertEqual([each["verified"] for each in answer], [True, True, False, False])
        self.assertIn("STL0201", answer[2]["message"])
        self.assertIn("Expected a line of a step", answer[3]["message"])
        stop = editor.go("continue")
        self.assertEqual(stop["hitBreakpointIds"], [answer[0]["id"]])
        self.assertEqual(editor.values("Variables")["round"], "2")
        self.assertIn("round 1 of 0\n", editor.outputs)
        self.assertIn("round 2 of 1\n", editor.outputs)
        editor.go("continue")
        self.assertIn("round 3 of 3\n", editor.outputs)
        editor.leave()

    def test_stop_steps_on_their_way(self):
        self.rounds()
        editor = self.launched()
        editor.wait("stopped")
        editor.ask("setFunctionBreakpoints", breakpoints=[{"name": "each"}])
        editor.go("continue")
        answer = editor.ask("setFunctionBreakpoints",
                            breakpoints=[{"name": "add", "condition": "round == 2"}])
        stop = editor.go("next")
        self.assertEqual((stop["reason"], stop["hitBreakpointIds"]),
                         ("function breakpoint", [answer["breakpoints"][0]["id"]]))
        self.assertEqual(editor.values("Variables")["round"], "2")
        # Out of the iteration there is none, and none behind the loop.
        self.assertEqual(editor.go("stepOut")["reason"], "step")
        self.assertIn("scope_closed", editor.top()[0])
        editor.ask("setFunctionBreakpoints", breakpoints=[{"name": "last"}])
        editor.go("next")
        self.assertIn("each · step_completed", editor.top()[0])
        changed = editor.variables(editor.scopes()["Changed by the last move"])
        self.assertIn("3 → 6", [each["value"] for each in changed.values()])
        editor.leave()

    def test_on_steps_and_events_that_there_are(self):
        self.saga("--var", "fail_at=shipping", code=1)
        editor = self.launched()
        editor.wait("stopped")
        steps = editor.ask("setFunctionBreakpoints",
                           breakpoints=[{"name": "ship_ordre"}, {"name": "ship_order"}])
        self.assertEqual([each["verified"] for each in steps["breakpoints"]], [False, True])
        self.assertIn("STL0104", steps["breakpoints"][0]["message"])
        filters = editor.ask("setExceptionBreakpoints", filters=["attempt_failed", "no_such"],
                             filterOptions=[{"filterId": "compensation_started"}])["breakpoints"]
        self.assertEqual([each["verified"] for each in filters], [True, False, True])
        offered = [each["filter"] for each in editor.capabilities["exceptionBreakpointFilters"]]
        editor.ask("setExceptionBreakpoints", filters=offered)
        reasons = []
        while "the end" not in (stop := editor.go("continue"))["description"]:
            reasons.append((stop["reason"], stop.get("text", "")))
        self.assertEqual(reasons[0], ("function breakpoint", ""))
        self.assertEqual([text for _, text in reasons[1:]],
                         ["attempt_failed", "retry_scheduled", "timer_elapsed", "attempt_failed",
                          "step_failed", "compensation_started", "instance_failed"])
        for event in ("compensation_started", "step_failed", "attempt_failed"):
            editor.go("reverseContinue")
            self.assertIn(event, editor.top()[0])
        info = editor.ask("exceptionInfo", threadId=1)
        self.assertEqual(info["exceptionId"], "attempt_failed")
        self.assertIn("no carrier has room", info["details"]["stackTrace"])
        editor.leave()

    def test_stand_where_steps_begin(self):
        path = self.rounds()
        editor = self.launched(program=path)
        places = editor.ask("breakpointLocations", source={"path": path}, line=1, endLine=100)
        self.assertEqual([place["line"] for place in places["breakpoints"]],
                         [line_of(path, part)
                          for part in ("id: first", "id: each", "id: add", "id: last")])
        editor.leave()

    def test_lines_may_count_from_0(self):
        path = self.rounds()
        editor = self.edit()
        editor.ask("initialize", adapterID="stele", linesStartAt1=False)
        editor.ask("launch", data="data", instance=1, program=path)
        answer = editor.ask("setBreakpoints", source={"path": path},
                            breakpoints=[{"line": line_of(path, "id: add")}])["breakpoints"][0]
        self.assertEqual(answer["line"], line_of(path, "id: add") - 1)
        editor.ask("configurationDone")
        editor.wait("stopped")
        editor.go("continue")
        self.assertEqual(editor.top()[1], line_of(path, "id: add") - 1)
        editor.leave()


class Looks(DapTest):
    def test_evaluates_in_the_names_of_a_frame(self):
        self.rounds()
        editor = self.launched()
        editor.wait("stopped")
        editor.ask("setFunctionBreakpoints", breakpoints=[{"name": "add", "condition": "round == 3"}])
        editor.go("continue")
        inner, _, outer = [frame["id"] for frame in editor.stack()]

        def value(expression, **more):
            return editor.ask("evaluate", expression=expression, **more)["result"]

        self.assertEqual(value("round * 10", frameId=inner, context="watch"), "30")
        self.assertEqual(value("round * 10", context="hover"), "30")
        self.assertIn("STL0203", editor.refused("evaluate", expression="round", frameId=outer))
        self.assertIn("STL0201", editor.refused("evaluate", expression="1 +", frameId=inner))
        answer = editor.ask("evaluate", expression="[round, {a: 1}]", context="repl")
        self.assertEqual(answer["type"], "array")
        self.assertEqual(editor.variables(answer["variablesReference"])["1"]["value"], '{"a":1}')
        self.assertEqual(value("{a: round}", context="clipboard"), '{\n  "a": 3\n}')
        # What a variable says of itself gives it again.
        for scope in ("Variables", "Step input", "Step outputs", "Instance input", "Instance", "Run"):
            for each in editor.variables(editor.scopes(inner).get(scope, 0)).values():
                if "evaluateName" in each:
                    self.assertEqual(value(each["evaluateName"], frameId=inner), each["value"], each)
        editor.leave()

    def test_takes_the_debuggers_commands(self):
        path = self.rounds()
        editor = self.launched(program=path)
        editor.wait("stopped")

        def typed(text):
            return editor.ask("evaluate", expression=text, context="repl")["result"]

        # What is an expression is that, before it is a command.
        self.assertEqual(typed("1 + 1"), "2")
        self.assertIn("step_activated", typed("search step_activated"))
        self.assertIn("step_activated first", editor.wait("stopped")["description"])
        typed(f"break line {line_of(path, 'id: add')}")
        typed("continue")
        editor.wait("stopped")
        self.assertIn("add · step_activated", editor.top()[0])
        self.assertIn("graph", typed("help"))
        said = editor.refused("evaluate", expression="contineu", context="repl")
        self.assertIn("STL0203", said)
        self.assertIn("a command such as continue", said)
        typed("quit")
        editor.wait("terminated")
        editor.leave()

    def test_lists_open_runs_as_threads(self):
        path = self.write("asks.yml", TASK.replace("steps:", "steps:\n  - {id: pause, type: delay, config: {duration: 1h}}"))
        self.record(path, "--no-wait")
        editor = self.launched("attach")
        editor.wait("stopped")
        names = [thread["name"] for thread in editor.ask("threads")["threads"]]
        self.assertIn("instance 1: event ", names[0])
        self.assertTrue(any(name.startswith("pause (delay") for name in names[1:]), names)
        for thread in editor.ask("threads")["threads"]:
            frames = editor.stack(thread["id"])
            self.assertTrue(frames[-1]["name"].startswith("asks, instance 1"), frames)
            editor.scopes(frames[0]["id"])
        editor.leave()

    def test_pages_through_what_is_large(self):
        path = self.write("large.yml", "name: large\nvariables:\n  - {name: rows, default: ["
                          + ",".join(str(number) for number in range(1000)) + "]}\n"
                          "steps:\n  - {id: a, type: script, config: {script: 'true'}}\n")
        self.record(path)
        editor = self.launched()
        editor.wait("stopped")
        rows = editor.variables(editor.scopes()["Variables"])["rows"]
        self.assertEqual(rows["indexedVariables"], 1000)
        self.assertLess(len(rows["value"]), 300)
        page = editor.ask("variables", variablesReference=rows["variablesReference"],
                          filter="indexed", start=990, count=100)["variables"]
        self.assertEqual([(each["name"], each["value"]) for each in page],
                         [(str(number), str(number)) for number in range(990, 1000)])
        page = editor.ask("variables", variablesReference=rows["variablesReference"], filter="named")
        self.assertEqual(page["variables"], [])
        editor.leave()

    def test_changes_nothing(self):
        self.rounds()
        editor = self.launched()
        editor.wait("stopped")
        self.assertNotIn("supportsSetVariable", editor.capabilities)
        said = editor.refused("setVariable", variablesReference=1, name="total", value="5")
        self.assertIn("STL0004", said)
        self.assertIn("stele fork", said)
        editor.refused("setExpression", expression="total", value="5")
        editor.leave()

    def test_numbers_are_good_until_it_moves(self):
        self.rounds()
        editor = self.launched()
        editor.wait("stopped")
        frame = editor.stack()[0]["id"]
        reference = editor.scopes(frame)["Variables"]
        editor.go("next")
        self.assertIn("of the last stop", editor.refused("variables", variablesReference=reference))
        self.assertIn("of the last stop", editor.refused("scopes", frameId=frame))
        editor.refused("stackTrace", threadId=12345)
        editor.leave()


if __name__ == "__main__":
    run()
