// Loops over lists, counts and conditions, and sub-processes.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;

TEST(ForEach, RunsAsManyIterationsAtOnceAsItMay) {
  CoreDriver loop(R"(
id: loop
variables: {list: [10, 20, 30]}
steps:
  - id: each
    type: loop
    items: "{{variables.list}}"
    max_concurrent: 2
    steps:
      - {id: work, type: script, input_mapping: {i: "{{loop.index}}", x: "{{loop.item}}", y: "{{item}}"}}
)");
  loop.Start();
  EXPECT_THAT(loop.Running(), ElementsAre("work", "work"));
  EXPECT_EQ(loop.Input("work"), R"({"i":0,"x":10,"y":10})");
  loop.Complete("work");
  EXPECT_THAT(loop.Running(), ElementsAre("work", "work"));
  EXPECT_EQ(loop.Input("work"), R"({"i":1,"x":20,"y":20})");
  loop.Complete("work");
  EXPECT_THAT(loop.Running(), ElementsAre("work"));
  EXPECT_EQ(loop.Input("work"), R"({"i":2,"x":30,"y":30})");
  loop.Complete("work", R"({"z":9})");
  EXPECT_EQ(loop.Status(), "completed");
  EXPECT_EQ(loop.Output(), R"({"count":3,"failed":0,"last":{"z":9}})");
}

TEST(ForEach, OverNothingCompletesAtOnce) {
  CoreDriver loop(R"(
id: loop
steps:
  - {id: each, type: loop, items: "{{input.list}}", steps: [{id: work, type: script}]}
)");
  loop.Start("{}", R"({"list":[]})");
  EXPECT_EQ(loop.Status(), "completed");
}

TEST(ForEach, OverSomethingElseFails) {
  CoreDriver loop(R"(
id: loop
steps:
  - {id: each, type: loop, items: "{{input.list}}", steps: [{id: work, type: script}]}
)");
  loop.Start("{}", R"({"list":7})");
  EXPECT_EQ(loop.Failure(), "expression");
}

constexpr std::string_view kFragile = R"(
id: loop
steps:
  - id: each
    type: loop
    items: "{{{{[1, 2, 3]}}}}"
    max_concurrent: 3
    break_on_error: {}
    steps: [{{id: work, type: script}}]
  - {{id: after, type: script, depends_on: [each]}}
)";

TEST(ForEach, EndsWithTheFirstFailureWhenItBreaksOnErrors) {
  CoreDriver loop(fmt::format(kFragile, true));
  loop.Start().Fail("work");
  EXPECT_EQ(loop.Status(), "failed");
  EXPECT_EQ(loop.Count("work: cancelled"), 2u);
}

TEST(ForEach, GoesOnBehindAFailureWhenItIsToldTo) {
  CoreDriver loop(fmt::format(kFragile, false));
  loop.Start().Fail("work").Complete("work").Complete("work", R"({"n":3})");
  EXPECT_THAT(loop.Running(), ElementsAre("after"));
  loop.Complete("after");
  EXPECT_EQ(loop.Status(), "completed");
}

TEST(ForEach, AccumulatesInAVariableOutside) {
  CoreDriver loop(R"(
id: loop
variables: {sum: 0}
steps:
  - id: each
    type: loop
    items: "{{input.list}}"
    steps:
      - {id: work, type: script, output_mapping: {sum: "{{variables.sum + response.n}}"}}
)");
  loop.Start("{}", R"({"list":[1,2,3]})");
  for (const char* output : {R"({"n":5})", R"({"n":6})", R"({"n":7})"})
    loop.Complete("work", output);
  EXPECT_EQ(loop.Variable("sum"), "18");
  EXPECT_EQ(loop.Status(), "completed");
}

TEST(Times, RunsThatOften) {
  CoreDriver loop(R"(
id: loop
steps:
  - {id: thrice, type: loop, times: 3, steps: [{id: work, type: script}]}
)");
  loop.Start().Complete("work").Complete("work").Complete("work");
  EXPECT_EQ(loop.Status(), "completed");
}

TEST(While, AsksBeforeEachIteration) {
  CoreDriver loop(R"(
id: loop
variables: {n: 2}
steps:
  - id: again
    type: loop
    while: "variables.n > 0"
    steps: [{id: work, type: script, output_mapping: {n: "{{variables.n - 1}}"}}]
)");
  loop.Start().Complete("work").Complete("work");
  EXPECT_EQ(loop.Status(), "completed");
  EXPECT_EQ(loop.Count("work: completed"), 2u);

  CoreDriver none(R"(
id: loop
steps:
  - {id: again, type: loop, while: "variables.n > 0", steps: [{id: work, type: script}]}
)");
  none.Start(R"({"n":0})");
  EXPECT_EQ(none.Status(), "completed");
}

TEST(Until, AsksAfterEachIterationAndStopsAtItsLimit) {
  constexpr std::string_view kUntil = R"(
id: loop
steps:
  - id: again
    type: loop
    until: "outputs.done"
    max_iterations: 3
    steps: [{id: work, type: script}]
)";
  CoreDriver loop(kUntil);
  loop.Start().Complete("work", R"({"done":false})").Complete("work", R"({"done":true})");
  EXPECT_EQ(loop.Status(), "completed");
  CoreDriver limited(kUntil);
  limited.Start();
  for (int i = 0; i < 3; ++i) limited.Complete("work", R"({"done":false})");
  EXPECT_EQ(limited.Status(), "completed");
}

TEST(Loop, ThatIsTriedAgainBeginsWithItsFirstIteration) {
  CoreDriver loop(R"(
id: loop
steps:
  - id: each
    type: loop
    items: "{{input.list}}"
    retry: {max_attempts: 2, initial_delay: 1s}
    steps: [{id: work, type: script, input_mapping: {x: "{{item}}"}}]
)");
  loop.Start("{}", R"({"list":["a","b"]})").Complete("work").Fail("work");
  EXPECT_EQ(loop.NextTimerInMs(), 1000);
  loop.Elapse();
  EXPECT_EQ(loop.Input("work"), R"({"x":"a"})");
  loop.Complete("work").Complete("work");
  EXPECT_EQ(loop.Status(), "completed");
}

TEST(Loop, WithATimeoutFailsWhenItElapses) {
  CoreDriver loop(R"(
id: loop
steps:
  - {id: each, type: loop, times: 2, timeout: 5s, steps: [{id: work, type: script}]}
)");
  loop.Start().Complete("work");
  EXPECT_EQ(loop.NextTimerInMs(), 5000);
  loop.Elapse();
  EXPECT_EQ(loop.Failure(), "timeout");
  EXPECT_EQ(loop.Count("work: cancelled"), 1u);
}

constexpr std::string_view kNested = R"(
workflow:
  id: nested
  variables: {region: eu, wanted: 1}
  processes:
    - id: main
      type: sequential
      tasks:
        - id: provision
          type: sub_process
          process: machines
          input_mapping: {count: "{{variables.wanted}}"}
          output_mapping: {address: "{{response.ip}}"}
        - {id: announce, type: script, input_mapping: {at: "{{variables.address}}"}}
    - id: machines
      type: sub_process
      variables: {count: 1, size: small}
      tasks:
        - id: create
          type: script
          input_mapping: {n: "{{variables.count}}", s: "{{variables.size}}", r: "{{variables.region}}"}
        - {id: boot, type: script}
)";

TEST(SubProcess, TakesInputsAndGivesItsLastOutput) {
  CoreDriver nested(kNested);
  nested.Start(R"({"wanted":4})");
  EXPECT_EQ(nested.Input("create"), R"({"n":4,"s":"small","r":"eu"})");
  nested.Complete("create").Complete("boot", R"({"ip":"10.0.0.1"})");
  EXPECT_EQ(nested.Input("announce"), R"({"at":"10.0.0.1"})");
  EXPECT_EQ(nested.Variable("count"), "") << "its variables are its own";
  nested.Complete("announce");
  EXPECT_EQ(nested.Status(), "completed");
}

TEST(SubProcess, FailsWithTheStepInside) {
  CoreDriver nested(kNested);
  nested.Start(R"({"wanted":4})").Fail("create", "quota");
  EXPECT_EQ(nested.Status(), "failed");
  EXPECT_EQ(nested.Failure(), "quota");
  EXPECT_EQ(nested.Count("provision: failed, quota"), 1u);
}

}  // namespace
}  // namespace stele::test
