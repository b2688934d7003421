// The control-flow patterns of van der Aalst, ter Hofstede, Kiepuszewski and Barros, "Workflow
// Patterns" (2003), by number. docs/patterns.md says how each is written.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(WCP01, Sequence) {
  CoreDriver flow("id: f\nsteps: [{id: a, type: script}, {id: b, type: script, depends_on: a}]\n");
  flow.Start();
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
  flow.Complete("a");
  EXPECT_THAT(flow.Running(), ElementsAre("b"));
}

constexpr std::string_view kDiamond = R"(
id: f
steps:
  - {{id: a, type: script}}
  - {{id: b, type: script, depends_on: a, when: "{}"}}
  - {{id: c, type: script, depends_on: a}}
  - {{id: d, type: script, depends_on: [b, c], join: {}}}
)";

TEST(WCP02, ParallelSplit) {
  CoreDriver flow(fmt::format(kDiamond, "true", "all"));
  flow.Start().Complete("a");
  EXPECT_THAT(flow.Running(), ElementsAre("b", "c"));
}

TEST(WCP03, Synchronization) {
  CoreDriver flow(fmt::format(kDiamond, "true", "all"));
  flow.Start().Complete("a").Complete("b");
  EXPECT_THAT(flow.Running(), ElementsAre("c"));
  flow.Complete("c");
  EXPECT_THAT(flow.Running(), ElementsAre("d"));
}

constexpr std::string_view kChoice = R"(
workflow:
  id: f
  processes:
    - id: main
      type: conditional
      tasks:
        - {{id: which, type: {}}}
        - {{id: a, type: script}}
        - {{id: b, type: script}}
        - {{id: merge, type: script}}
      transitions:
        - {{from: which, to: a, condition: "variables.n > 0"}}
        - {{from: which, to: b, condition: "variables.n > 1"}}
        - {{from: a, to: merge}}
        - {{from: b, to: merge}}
)";

TEST(WCP04, ExclusiveChoice) {
  CoreDriver flow(fmt::format(kChoice, "exclusive"));
  flow.Start(R"({"n":5})");
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
}

TEST(WCP05, SimpleMerge) {
  CoreDriver flow(fmt::format(kChoice, "exclusive"));
  flow.Start(R"({"n":5})").Complete("a");
  EXPECT_THAT(flow.Running(), ElementsAre("merge"));
}

TEST(WCP06, MultiChoice) {
  CoreDriver both(fmt::format(kChoice, "inclusive"));
  both.Start(R"({"n":5})");
  EXPECT_THAT(both.Running(), ElementsAre("a", "b"));
  CoreDriver one(fmt::format(kChoice, "inclusive"));
  one.Start(R"({"n":1})");
  EXPECT_THAT(one.Running(), ElementsAre("a"));
}

TEST(WCP07, StructuredSynchronizingMerge) {
  CoreDriver both(fmt::format(kChoice, "inclusive"));
  both.Start(R"({"n":5})").Complete("a");
  EXPECT_THAT(both.Running(), ElementsAre("b"));
  both.Complete("b");
  EXPECT_THAT(both.Running(), ElementsAre("merge"));
  CoreDriver one(fmt::format(kChoice, "inclusive"));
  one.Start(R"({"n":1})").Complete("a");
  EXPECT_THAT(one.Running(), ElementsAre("merge"));
}

// What is to run for each of several branches is a process that each of them runs.
TEST(WCP08, MultiMerge) {
  CoreDriver flow(R"(
id: f
steps:
  - {id: a, type: script}
  - {id: b, type: script}
  - {id: after_a, type: sub_process, depends_on: a, steps: [{id: x, type: script}]}
  - {id: after_b, type: sub_process, depends_on: b, steps: [{id: y, type: script}]}
)");
  flow.Start().Complete("a");
  EXPECT_THAT(flow.Running(), ElementsAre("b", "x"));
  flow.Complete("b");
  EXPECT_THAT(flow.Running(), ElementsAre("x", "y"));
}

TEST(WCP09, StructuredDiscriminator) {
  CoreDriver flow(fmt::format(kDiamond, "true", "any"));
  flow.Start().Complete("a").Complete("c");
  EXPECT_THAT(flow.Running(), ElementsAre("b", "d"));
  flow.Complete("b").Complete("d");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_EQ(flow.Count("d: activated"), 1u);
}

TEST(WCP10, ArbitraryCycles) {
  CoreDriver flow(R"(
workflow:
  id: f
  processes:
    - id: main
      type: conditional
      tasks:
        - {id: a, type: script}
        - {id: b, type: script}
        - {id: c, type: script}
        - {id: d, type: script}
      transitions:
        - {from: a, to: b}
        - {from: b, to: c, condition: "outputs.go == 'on'"}
        - {from: b, to: a, condition: "outputs.go == 'back'"}
        - {from: c, to: d, condition: "outputs.go == 'on'"}
        - {from: c, to: a, condition: "outputs.go == 'back'"}
)");
  const auto back = R"({"go":"back"})", on = R"({"go":"on"})";
  flow.Start().Complete("a").Complete("b", back).Complete("a").Complete("b", on);
  flow.Complete("c", back).Complete("a").Complete("b", on).Complete("c", on).Complete("d");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_EQ(flow.Count("a: activated"), 3u);
}

TEST(WCP11, ImplicitTermination) {
  CoreDriver flow(R"(
id: f
steps: [{id: a, type: script}, {id: b, type: script}, {id: c, type: script, depends_on: a}]
)");
  flow.Start().Complete("a").Complete("b");
  EXPECT_EQ(flow.Status(), "running");
  flow.Complete("c");
  EXPECT_EQ(flow.Status(), "completed");
}

// Each call has ended for this instance as soon as its child has started.
TEST(WCP12, MultipleInstancesWithoutSynchronization) {
  CoreDriver flow(R"(
id: f
steps:
  - id: each
    type: loop
    items: "{{input.list}}"
    max_concurrent: 10
    steps: [{id: child, type: call, config: {workflow: other, wait: false}}]
)");
  flow.Start("{}", R"({"list":[1,2]})");
  EXPECT_THAT(flow.Running(), ElementsAre("child", "child"));
  flow.NoteChild("child", InstanceId(7)).Complete("child");
  flow.NoteChild("child", InstanceId(8)).Complete("child");
  EXPECT_EQ(flow.Status(), "completed");
}

constexpr std::string_view kMany = R"(
id: f
steps:
  - {{id: each, type: loop, {}, max_concurrent: 10, steps: [{{id: work, type: script}}]}}
  - {{id: then, type: script, depends_on: each}}
)";

TEST(WCP13, MultipleInstancesWithKnowledgeWhenItIsWritten) {
  CoreDriver flow(fmt::format(kMany, "times: 3"));
  flow.Start();
  EXPECT_THAT(flow.Running(), ElementsAre("work", "work", "work"));
  flow.Complete("work").Complete("work").Complete("work");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
}

TEST(WCP14, MultipleInstancesWithKnowledgeWhenItRuns) {
  CoreDriver flow(fmt::format(kMany, "items: \"{{input.list}}\""));
  flow.Start("{}", R"({"list":[1,2]})");
  EXPECT_THAT(flow.Running(), ElementsAre("work", "work"));
  flow.Complete("work").Complete("work");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
}

// More are asked for one at a time, by a signal, until another signal says that it is enough.
TEST(WCP15, MultipleInstancesWithoutKnowledge) {
  CoreDriver flow(R"(
workflow:
  id: f
  processes:
    - id: main
      type: conditional
      tasks:
        - {id: ask, type: event_race, inputs: {events: [{id: more, signal: more}, {id: enough, signal: enough}]}}
        - {id: child, type: call, inputs: {workflow: other, wait: false}}
        - {id: then, type: script}
      transitions:
        - {from: ask, to: child, condition: "outputs.event == 'more'"}
        - {from: child, to: ask}
        - {from: ask, to: then, condition: "outputs.event == 'enough'"}
)");
  flow.Start().Signal("more").Complete("child").Signal("more").Complete("child").Signal("enough");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
  EXPECT_EQ(flow.Count("child: completed"), 2u);
}

TEST(WCP16, DeferredChoice) {
  CoreDriver flow(R"(
id: f
steps:
  - id: wait
    type: event_race
    config: {events: [{id: a, message: paid, next: ship}, {id: b, after: 1h, next: cancel}]}
  - {id: ship, type: script}
  - {id: cancel, type: script}
)");
  flow.Start();
  EXPECT_THAT(flow.Running(), IsEmpty());
  flow.Correlate("wait", "paid");
  EXPECT_THAT(flow.Running(), ElementsAre("ship"));
}

// The shard starts one attempt of a key at a time, in any order.
TEST(WCP17, InterleavedParallelRouting) {
  CoreDriver flow(R"(
id: f
steps:
  - {id: a, type: script, concurrency: {key: "{{execution.id}}"}}
  - {id: b, type: script, concurrency: {key: "{{execution.id}}"}}
)");
  flow.Start();
  EXPECT_EQ(flow.RunOf("a").concurrency_key, "1");
  EXPECT_EQ(flow.RunOf("b").concurrency_key, "1");
}

constexpr std::string_view kMilestone = R"(
id: f
steps:
  - id: open
    type: event_race
    config: {events: [{id: order, signal: order, next: take}, {id: closed, signal: closed, next: refuse}]}
  - {id: take, type: script}
  - {id: refuse, type: script}
)";

TEST(WCP18, Milestone) {
  CoreDriver reached(kMilestone);
  reached.Start().Signal("order");
  EXPECT_THAT(reached.Running(), ElementsAre("take"));
  CoreDriver past(kMilestone);
  past.Start().Signal("closed");
  EXPECT_THAT(past.Running(), ElementsAre("refuse"));
}

TEST(WCP19, CancelActivity) {
  CoreDriver flow(R"(
id: f
steps:
  - {id: a, type: script, optional: true}
  - {id: b, type: script, depends_on: a}
)");
  flow.Start().Skip("a");
  EXPECT_EQ(flow.Count("a: cancelled"), 1u);
  EXPECT_THAT(flow.Running(), ElementsAre("b"));
}

TEST(WCP20, CancelCase) {
  CoreDriver flow(fmt::format(kDiamond, "true", "all"));
  flow.Start().Complete("a").Cancel();
  EXPECT_THAT(flow.Last(),
              ElementsAre("cancel requested", "c: cancelled", "b: cancelled", "cancelled"));
}

}  // namespace
}  // namespace stele::test
