// What the engine itself reads of a step's configuration is checked when a file is loaded.

#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

using Lines = std::vector<std::string>;

std::string Steps(std::string_view steps) {
  return "name: n\nsteps:\n" + std::string(steps);
}

std::string ConfigOf(const Definition& definition, std::string_view id) {
  const Step* step = definition.FindStep(id);
  return step == nullptr ? "no such step" : ToJson(step->config.source());
}

TEST(HumanSteps, HaveManyWordsForOneThing) {
  const auto definition = LoadYaml(
      Steps("- {id: a, type: approval_task, config: {approvers: [x, y], min_approvals: 2,\n"
            "   candidate_groups: g, veto: false, deadline: 2d, on_deadline: reject,\n"
            "   escalation: {after: 1d, approver: boss}, reminder: {every: 4h, limit: 3},\n"
            "   title: 'About {{input.x}}', form: {fields: [1]}}}\n"
            "- {id: b, type: user_task, config: {assignee: '{{input.who}}'}}\n"
            "- {id: c, type: manual-task}\n"));
  EXPECT_EQ(definition->FindStep("a")->kind, StepKind::kHuman);
  EXPECT_EQ(definition->FindStep("a")->task_type, "approval");
  EXPECT_EQ(ConfigOf(*definition, "a"),
            R"({"assignees":["x","y"],"min_approvers":2,"groups":"g","veto":false,)"
            R"("deadline":"2d","on_deadline":"reject","escalation":{"after":"1d",)"
            R"("assignees":"boss"},"reminders":{"every":"4h","limit":3},)"
            R"("title":"About {{input.x}}","form":{"fields":[1]}})");
  EXPECT_EQ(definition->FindStep("b")->task_type, "manual");
  EXPECT_EQ(ConfigOf(*definition, "b"), R"({"assignees":"{{input.who}}"})");
  EXPECT_EQ(definition->FindStep("c")->kind, StepKind::kHuman);
}

TEST(HumanSteps, AreCheckedAtThePlaceOfEachValue) {
  EXPECT_EQ(
      FaultsOf(Steps("- id: a\n  type: approval\n  config:\n    assignees: [x, [y]]\n"
                     "    min_approvers: 0\n    veto: maybe\n    on_reject: cry\n"
                     "    on_deadline: reject\n    escalation: {after: 0s}\n"
                     "    reminders: {limit: -1}\n    min_aprovers: 2\n")),
      (Lines{"6:20 STL0102 Expected a string as `assignees` but found a list",
             "7:20 STL0102 Expected an integer from 1 to 1000 as `min_approvers` but found 0",
             "8:11 STL0102 Expected true or false as `veto` but found \"maybe\"",
             "9:16 STL0102 Expected \"fail\" or \"continue\" as `on_reject` but found \"cry\"",
             "10:18 STL0102 Expected `deadline` beside `on_deadline` but found none",
             "11:17 STL0102 Expected `assignees` or `groups` in an escalation but found "
             "neither",
             "11:25 STL0109 Expected a duration above 0 as `after` but found \"0s\"",
             "12:16 STL0102 Expected `every` in the reminders but found none",
             "12:24 STL0102 Expected an integer from 1 to 1000 as `limit` but found -1",
             "13:5 STL0108 Expected \"min_approvers\" as a key of an approval but found "
             "\"min_aprovers\""}));
}

TEST(HumanSteps, MustBeAbleToReachTheirQuorum) {
  EXPECT_EQ(
      FaultsOf(Steps("- {id: a, type: approval, config: {assignees: x, min_approvers: 2}}\n")),
      Lines{"3:65 STL0102 Expected `min_approvers` of at most the 1 assignee but found 2"});
  EXPECT_EQ(FaultsOf(Steps("- {id: a, type: approval, config: {min_approvers: 2}}\n"
                           "- {id: b, type: approval, config: {min_approvers: 2, group: g}}\n"
                           "- {id: c, type: approval, config: {min_approvers: '{{input.n}}',\n"
                           "   assignees: ['{{input.x}}', y], deadline: '{{input.d}}'}}\n")),
            Lines{});
}

TEST(HumanSteps, OnlyAnApprovalHasAQuorum) {
  EXPECT_EQ(FaultsOf(Steps("- {id: a, type: manual, config: {veto: true}}\n")).at(0).substr(0, 12),
            "3:34 STL0108");
}

TEST(Messages, ArePublishedOrWaitedFor) {
  const auto definition = LoadYaml(
      Steps("- {id: a, type: message, config: {name: paid, correlation_key: '{{input.id}}'}}\n"
            "- {id: b, type: message, config: {action: send, name: sent}}\n"
            "- {id: c, type: message, config: {name: sent, payload: {x: 1}, ttl: 5m}}\n"
            "- {id: d, type: receive, config: {message: paid}, timeout: 5m}\n"
            "- {id: e, type: publish, config: {name: '{{input.n}}', id: '{{input.id}}'}}\n"));
  EXPECT_EQ(definition->FindStep("a")->kind, StepKind::kWait);
  EXPECT_EQ(ConfigOf(*definition, "a"), R"({"name":"paid","key":"{{input.id}}"})");
  EXPECT_EQ(definition->FindStep("b")->kind, StepKind::kPublish);
  EXPECT_EQ(definition->FindStep("c")->kind, StepKind::kPublish);
  EXPECT_EQ(definition->FindStep("d")->kind, StepKind::kWait);
  EXPECT_EQ(ConfigOf(*definition, "d"), R"({"name":"paid"})");
  EXPECT_EQ(definition->FindStep("d")->timeout_us, 300'000'000);
  EXPECT_EQ(definition->FindStep("e")->kind, StepKind::kPublish);
}

TEST(Messages, AreChecked) {
  EXPECT_EQ(
      FaultsOf(Steps("- {id: a, type: message}\n"
                     "- {id: b, type: message, config: {action: fly, name: x}}\n"
                     "- {id: c, type: message, config: {action: '{{input.a}}', name: x}}\n"
                     "- {id: d, type: publish, config: {name: '', ttl: soon}}\n"
                     "- {id: e, type: receive, config: {name: x, ttl: 1h}}\n"
                     "- {id: f, type: signal, config: {nam: x}}\n")),
      (Lines{"3:8 STL0102 Expected `name` in a message to wait for but found none",
             "4:43 STL0102 Expected \"wait\", \"receive\", \"publish\" or \"send\" as `action` but "
             "found \"fly\"",
             "5:43 STL0102 Expected \"wait\" or \"publish\" as `action`, which is needed before "
             "anything runs, but found a template",
             "6:41 STL0102 Expected a text as `name` but found an empty one",
             "6:50 STL0109 Expected a duration as `ttl` like \"30s\", \"1h30m\" or a number of "
             "seconds but found \"soon\"",
             "8:33 STL0102 Expected `name` in a signal but found none",
             "8:34 STL0108 Expected \"name\" as a key of a signal but found \"nam\""}));
}

TEST(EventRaces, GoOnWhereTheEventThatCameFirstSays) {
  const auto definition =
      LoadYaml(Steps("- id: r\n  type: race\n  config:\n    events:\n"
                     "    - {id: paid, message: paid, key: '{{input.id}}', next: ship}\n"
                     "    - {id: stop, signal: stop, next: [undo, tell]}\n"
                     "    - {id: late, after: 2h, next: undo}\n"
                     "    - {id: never, at: '2030-01-01T00:00:00+01:00'}\n"
                     "- {id: ship, type: script}\n- {id: undo, type: script, join: any}\n"
                     "- {id: tell, type: script}\n"));
  EXPECT_EQ(Shape(*definition),
            "r event_race\nship script\nundo script join=any\ntell script\n"
            "r -> ship if outputs.event == \"paid\"\n"
            "r -> undo if outputs.event == \"stop\"\n"
            "r -> tell if outputs.event == \"stop\"\n"
            "r -> undo if outputs.event == \"late\"\n");
  EXPECT_EQ(ConfigOf(*definition, "r"),
            R"({"events":[{"id":"paid","message":"paid","key":"{{input.id}}"},)"
            R"({"id":"stop","signal":"stop"},{"id":"late","after":"2h"},)"
            R"({"id":"never","at":"2030-01-01T00:00:00+01:00"}]})");
}

TEST(EventRaces, AreTheSameAmongTheTasksOfAProcess) {
  const auto definition = LoadYaml(
      "workflow:\n  id: w\n  processes:\n  - id: p\n    tasks:\n"
      "    - {id: r, type: event_race, inputs: {events: [{id: a, signal: a, next: x},\n"
      "       {id: b, after: 1h, next: y}]}}\n"
      "    - {id: x, type: script}\n    - {id: y, type: script}\n");
  EXPECT_EQ(Shape(*definition),
            "r event_race\nx script\ny script\n"
            "r -> x if outputs.event == \"a\"\nr -> y if outputs.event == \"b\"\n");
}

TEST(EventRaces, AreChecked) {
  EXPECT_EQ(
      FaultsOf(Steps("- {id: a, type: race}\n- {id: b, type: race, config: {events: []}}\n"
                     "- id: c\n  type: race\n  config:\n    events:\n"
                     "    - {id: x, signal: s, after: 1h}\n    - {id: x, message: m}\n"
                     "    - {id: '{{input.i}}', signal: s, key: k}\n    - {id: y}\n"
                     "    - {id: z, at: tomorrow}\n    - {id: u, after: soon, nxt: a}\n")),
      (Lines{"3:8 STL0102 Expected `events` in an event race but found none",
             "4:40 STL0102 Expected a list of events but found an empty one",
             "9:7 STL0102 Expected exactly one of `message`, `signal`, `after` and `at` in an "
             "event but found 2",
             "10:12 STL0103 Expected each event id once in a race but found \"x\" again",
             "11:12 STL0102 Expected an event's id without templates but found one",
             "11:43 STL0102 Expected `key` beside `message` alone but found it without",
             "12:7 STL0102 Expected exactly one of `message`, `signal`, `after` and `at` in an "
             "event but found none",
             "13:19 STL0102 Expected a time like \"2025-01-31T08:00:00Z\" as `at` but found "
             "\"tomorrow\"",
             "14:22 STL0109 Expected a duration as `after` like \"30s\", \"1h30m\" or a number of "
             "seconds but found \"soon\"",
             "14:28 STL0108 Expected \"next\" as a key of an event but found \"nxt\""}));
  EXPECT_EQ(
      FaultsOf(Steps("- {id: a, type: race, config: {events: [{id: x, signal: s, next: q}]}}\n")),
      Lines{"3:66 STL0104 Expected the id of a step, perhaps \"a\", but found \"q\""});
}

TEST(Calls, AreChecked) {
  EXPECT_EQ(FaultsOf(Steps("- {id: a, type: call, config: {version: 0, wait: sure, input: [1]}}\n"
                           "- {id: b, type: call, config: {workflow: w, prioriti: 1}}\n")),
            (Lines{"3:31 STL0102 Expected `workflow` in a call but found none",
                   "3:41 STL0102 Expected an integer from 1 to 4294967295 as `version` but found 0",
                   "3:50 STL0102 Expected true or false as `wait` but found \"sure\"",
                   "3:63 STL0102 Expected a mapping as `input` but found a list",
                   "4:45 STL0108 Expected \"priority\" as a key of a call but found "
                   "\"prioriti\""}));
  const auto definition =
      LoadYaml(Steps("- {id: a, type: call, config: {definition: w, input: '{{input}}'}}\n"));
  EXPECT_EQ(ConfigOf(*definition, "a"), R"({"workflow":"w","input":"{{input}}"})");
}

TEST(Delays, AreChecked) {
  EXPECT_EQ(FaultsOf(Steps("- {id: a, type: timer, config: {durasion: 2h}}\n"
                           "- {id: b, type: delay, duration: 2 parsecs}\n")),
            (Lines{"3:3 STL0109 Expected `duration` in a delay but found none",
                   "3:33 STL0108 Expected \"duration\" as a key of a delay's configuration but "
                   "found \"durasion\"",
                   "4:34 STL0109 Expected a duration like \"30s\", \"1h30m\" or a number of "
                   "seconds but found \"2 parsecs\""}));
}

TEST(Delays, MayNameTheStepThatTheyStart) {
  EXPECT_EQ(
      Shape(*LoadYaml(Steps("- {id: t, type: timer_event, config: {duration: 2h, action: e}}\n"
                            "- {id: e, type: script}\n"))),
      "t timer\ne script\nt -> e\n");
}

TEST(Loops, AreChecked) {
  EXPECT_EQ(
      FaultsOf(
          Steps("- {id: a, type: loop, times: -1, steps: [{id: a1, type: script}]}\n"
                "- {id: b, type: loop, items: 3, steps: [{id: b1, type: script}]}\n"
                "- {id: c, type: each, items: [1], item: 1x, steps: [{id: c1, type: script}]}\n"
                "- {id: d, type: each, items: [1], as: loop, steps: [{id: d1, type: script}]}\n"
                "- {id: e, type: loop, while: a, max_concurrent: 2,\n"
                "   steps: [{id: e1, type: script}]}\n"
                "- {id: f, type: loop, loop: {times: 2, brake_on_error: true},\n"
                "   steps: [{id: f1, type: script}]}\n")),
      (Lines{"3:30 STL0102 Expected a count, or an expression that gives one, as a loop's `times` "
             "but found -1",
             "4:30 STL0102 Expected a list, or an expression that gives one, as a loop's `items` "
             "but found 3",
             "5:41 STL0102 Expected a name of letters, digits and `_` that is none of the engine's "
             "own as a loop's `item` but found \"1x\"",
             "6:39 STL0102 Expected a name of letters, digits and `_` that is none of the engine's "
             "own as a loop's `item` but found \"loop\"",
             "7:49 STL0102 Expected `max_concurrent` in a loop over `items` or `times` alone, as a "
             "condition is asked after each iteration, but found it in another",
             "9:40 STL0108 Expected \"break_on_error\" as a key of a loop but found "
             "\"brake_on_error\""}));
}

TEST(Loops, RunNoMoreThanTheyAllow) {
  EXPECT_EQ(FaultsOf(Steps("- {id: a, type: loop, times: 3, max_iterations: 2,\n"
                           "   steps: [{id: a1, type: script}]}\n")),
            Lines{"3:30 STL0102 Expected no more iterations than `max_iterations`, 2, but found "
                  "3"});
}

TEST(Loops, OfTypeParallelForRunTogether) {
  const auto definition = LoadYaml(
      Steps("- {id: a, type: parallel_for, items: [1, 2], steps: [{id: x, type: script}]}\n"
            "- {id: b, type: parallel_for, items: [1], max_concurrent: 3,\n"
            "   concurrency: {limit: 5}, steps: [{id: y, type: script}]}\n"
            "- {id: c, type: each, items: [1], steps: [{id: z, type: script}]}\n"));
  EXPECT_EQ(definition->FindStep("a")->loop.max_concurrent, 64u);
  EXPECT_EQ(definition->FindStep("b")->loop.max_concurrent, 3u);
  EXPECT_EQ(definition->FindStep("b")->concurrency->limit, 5u);
  EXPECT_EQ(definition->FindStep("c")->loop.max_concurrent, 1u);
}

TEST(Limits, AreChecked) {
  EXPECT_EQ(FaultsOf("name: n\nmax_concurrent: 0\nrate_limit: {per: 1s}\npriority: high\nsteps:\n"
                     "- {id: a, type: script, concurrency: {key: [1], limt: 1}}\n"
                     "- {id: b, type: script, rate_limit: {count: 3, per: 0}}\n"),
            (Lines{"2:17 STL0102 Expected an integer from 1 to 1000000 as `max_concurrent` but "
                   "found 0",
                   "3:13 STL0102 Expected `count` in a rate limit but found none",
                   "4:11 STL0102 Expected an integer from -1000000 to 1000000 as `priority` but "
                   "found \"high\"",
                   "6:44 STL0102 Expected a string as `key` but found a list",
                   "6:49 STL0108 Expected \"limit\" as a key of a concurrency but found \"limt\"",
                   "7:53 STL0109 Expected a duration above 0 as `per` but found 0"}));
}

}  // namespace
}  // namespace stele::definition::testing
